/* SPDX-License-Identifier: Apache-2.0
 * A run's record and the state machine's view of it. */
#include "gateway/jobs/run.h"

#include "base/limits.h"
#include "sys/clock.h"

#include <stdio.h>

bool run_state_is_terminal(const char *state)
{
    return state_is_terminal(state);
}

void run_to_facts(const struct run *r, struct state_facts *ret)
{
    *ret = (struct state_facts){.wanted = strcmp(r->wanted, "gone") == 0        ? STATE_WANT_GONE
                                          : strcmp(r->wanted, "suspended") == 0 ? STATE_WANT_SUSPENDED
                                                                                : STATE_WANT_RUNNING,
                                .tasks_run = r->last.tasks > 0 &&
                                             r->last.tasks_running + r->last.tasks_finished >= r->last.tasks,
                                .ended = r->ended,
                                .sight = r->sight,
                                .silent_ms = r->vitals.silent_ms,
                                .unknown = r->vitals.unknown,
                                .unknown_ms = r->vitals.unknown_ms};
    memcpy(ret->word, r->state, sizeof ret->word);
}

void run_of_facts(struct run *r, const struct state_facts *f)
{
    memcpy(r->state, f->word, sizeof r->state);
    r->ended = f->ended;
    r->sight = f->sight;
    r->vitals.silent_ms = f->silent_ms;
    r->vitals.unknown = f->unknown;
    r->vitals.unknown_ms = f->unknown_ms;
}

const char *run_shown_state(const struct run *r)
{
    struct state_facts f;
    run_to_facts(r, &f);
    const char *shown = state_shown(&f);
    return shown == f.word ? r->state : shown;
}

int run_restarts(const struct run *r, int64_t now_ms, int64_t *ret_first_ms)
{
    int n = 0;
    *ret_first_ms = 0;
    for (int i = r->vitals.n_restarts; i-- > 0;) {
        if (now_ms - r->vitals.restarts_at[i] > sl_limits.health_restart_window_ms) {
            break;
        }
        *ret_first_ms = r->vitals.restarts_at[i];
        n++;
    }
    return n;
}

void run_health(const struct run *r, struct state_health *ret)
{
    const struct run_vitals *w = &r->vitals;
    struct state_vitals v = {.now_ms = sys_wall_ms(),
                             .state_ms = w->state_ms ? w->state_ms : r->created_ms,
                             .tasks = r->last.tasks,
                             .tasks_running = r->last.tasks_running + r->last.tasks_finished,
                             .slots_free = r->last.slots_free,
                             .taskmanagers = r->last.taskmanagers,
                             .taskmanagers_wanted = r->last.taskmanagers_wanted,
                             .all_running_ms = r->finish_first_ms,
                             .checkpoints_failed = w->checkpoints_failed,
                             .checkpoint_interval_ms = r->last.checkpoint_interval_ms,
                             .last_checkpoint_ms = r->last.last_checkpoint_ms,
                             .source_unreachable = w->source_unreachable,
                             .moved_ms = w->moved_ms,
                             .figures_ms = w->figures_ms,
                             .streaming = r->last.checkpoint_interval_ms > 0 || r->last.watermark_ms > 0,
                             .held_ms = w->held_ms,
                             .held_permille = w->held_permille,
                             .lag_told = r->last.lag_told,
                             .lag = r->last.lag,
                             .behind_ms = w->behind_ms,
                             .behind_was_ms = w->behind_was_ms};
    run_to_facts(r, &v.facts);
    v.restarts = run_restarts(r, v.now_ms, &v.first_restart_ms);
    state_health(&v, ret);
}

bool run_ends_with_owner(const struct run *r)
{
    return !r->job[0] || strcmp(r->target, "local") == 0;
}
