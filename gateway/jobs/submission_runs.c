/* SPDX-License-Identifier: Apache-2.0
 * The runs of a submission: written down before they are sent, waited for, ended when it is stopped. */
#include "gateway/jobs/submission_internal.h"

#include "base/digest.h"
#include "base/limits.h"

#include <stdio.h>

#define LOOK_MS 100

bool sub_intend(struct sub *s, const struct plan_unit *u, const char *kind, struct run *ret)
{
    struct sl_err err = SL_ERR_INIT;
    *ret = (struct run){.version = s->opened.version,
                        .statement = u->stmt->number,
                        .mode = s->rq->mode,
                        .created_ms = sys_wall_ms()};
    sl_random_hex(ret->id, RUN_ID_HEX / 2);
    if (u->action != PLAN_SELECT) {
        snprintf(ret->job, sizeof(ret->job), "%.*s", SL_S(s->rq->name));
    }
    snprintf(ret->kind, sizeof(ret->kind), "%s", kind);
    snprintf(ret->target, sizeof(ret->target), "%s", s->target->name);
    snprintf(ret->wanted, sizeof(ret->wanted), "running");
    snprintf(ret->state, sizeof(ret->state), "SUBMITTING");
    ret->cluster = s->cluster;
    if (!sub_restore_note(s, u, ret, &err) ||
        !ledger_run_put(s->env->ledger, s->opened.submission, ret, &err)) {
        sub_fail(s, &err);
        return false;
    }
    tracker_add(s->env->tracker, s->opened.submission, ret);
    sl_vec_push(s->arena, &s->shown_runs,
                ((struct shown_run){.name = u->action == PLAN_SELECT ? SL_STR("") : s->rq->name}));
    memcpy(s->shown_runs.v[s->shown_runs.n - 1].id, ret->id, sizeof(ret->id));
    return true;
}

static void cancel_started(struct sub *s)
{
    for (size_t i = 0; i < s->started.n; i++) {
        struct sl_err err = SL_ERR_INIT;
        struct run r;
        if (!tracker_get(s->env->tracker, s->started.v[i].id, &r) || r.ended) {
            continue;
        }
        if (s->interrupted && !s->timed_out && !s->exit_code && !run_ends_with_owner(&r)) {
            sub_step(s, "left", "done", -1, s->started.v[i].unit, r.id,
                     "running: %s\tsluice job show %s   |   sluice job stop %s", r.job, r.job, r.job);
        } else {
            if (!tracker_cancel(s->env->tracker, r.id, sl_limits.cancel_ms, &err)) {
                event_error(s->sink, &err);
            } else {
                sub_step(s, "stopped", "done", -1, s->started.v[i].unit, r.id, "%.*s\trun %.8s, job ended",
                         SL_S(sub_unit_label(s, s->started.v[i].unit)), r.id);
            }
        }
    }
    s->started.n = 0;
}

void sub_wait_started(struct sub *s)
{
    struct tracker *tr = s->env->tracker;
    for (size_t i = 0; i < s->started.n && !sub_stopping(s);) {
        struct started_run *st = &s->started.v[i];
        struct run r = {0};
        bool leave = s->rq->detach && !(st->unit->await && st->unit + 1 < s->plan.units + s->plan.n);
        bool there = st->told ? tracker_wait_ended(tr, st->id, LOOK_MS, &r)
                              : tracker_wait_running(tr, st->id, LOOK_MS, &r);
        if (r.ended) {
            sub_tell_end(s, &r, st->unit, st->since_ms);
            i++;
        } else if (!st->told && (sub_restores(s, st->unit) || s->replaces)) {
            if (there) {
                sys_sleep_ms(LOOK_MS);
            }
            there = sub_restore_look(s, st, &r) == SUB_WELL;
        }
        if (there && !st->told && !r.ended) {
            st->told = true;
            sub_step(s, "running", "done", st->since_ms, st->unit, st->id, "all %d task%s\t%.*s",
                     r.last.tasks, r.last.tasks == 1 ? "" : "s", SL_S(sub_unit_label(s, st->unit)));
        }
        if (!there && !r.ended) {
            sub_tell_waiting(s, st->unit, st->id, st->since_ms);
        }
        if (leave && (st->told || sys_now_ms() - st->since_ms > sl_limits.running_ms) && i < s->started.n &&
            !r.ended) {
            i++;
        }
        if (s->exit_code) {
            break;
        }
    }
    bool passed_on = s->past && live_is_stopping(s->live); /* to the next owner */
    if ((sub_stopping(s) || s->exit_code) && !passed_on) {
        cancel_started(s);
    }
    s->started.n = 0;
}
