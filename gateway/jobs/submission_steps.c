/* SPDX-License-Identifier: Apache-2.0
 * What a submission says of its steps and of its runs: to its sink, and in the ledger. */
#include "gateway/jobs/submission_internal.h"

#include <stdarg.h>
#include <stdio.h>

#define WAITING_MS 1000 /* between two looks at the slots of a job that does not run yet */
#define FIRST_ROW_MS                                                                                         \
    250 /* a person's first row waits no longer for the number of tasks, a program's not at all */

void sub_say(struct sub *s, const struct event_step *e)
{
    bool ends = strcmp(e->state, "running") != 0;
    int64_t now = sys_wall_ms();
    struct ledger_step r = {.submission = s->opened.submission,
                            .statement = e->statement,
                            .start_ms = now - (e->ms > 0 ? (int64_t)e->ms : 0),
                            .end_ms = ends ? now : 0};
    snprintf(r.name, sizeof(r.name), "%s", e->step);
    snprintf(r.state, sizeof(r.state), "%s", e->state);
    snprintf(r.run, sizeof(r.run), "%s", e->run ? e->run : "");
    snprintf(r.text, sizeof(r.text), "%.*s", SL_S(e->text));
    event_step(s->sink, e);
    if (r.submission) {
        ledger_note_step(s->env->ledger, &r);
    } else {
        sl_vec_push(s->arena, &s->early, r);
    }
}

void sub_step(struct sub *s, const char *step, const char *state, int64_t since_ms, const struct plan_unit *u,
              const char *run_id, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    struct event_step e = {.step = step,
                           .state = state,
                           .ms = since_ms < 0 ? -1 : (double)(sys_now_ms() - since_ms),
                           .text = sl_str_of(text),
                           .job = u && u->action != PLAN_SELECT ? u->job_name : SL_STR_NONE,
                           .run = run_id,
                           .statement = u ? u->stmt->number : 0};
    sub_say(s, &e);
}

sl_str sub_unit_label(struct sub *s, const struct plan_unit *u)
{
    if (u->action == PLAN_SELECT) {
        return sl_arena_printf(s->arena, "SELECT, line %u", u->stmt->pos.line);
    }
    if (s->plan.jobs - s->plan.selects == 1) {
        return s->rq->name;
    }
    return sl_arena_printf(s->arena, "%s, line %u", u->n_inserts ? "STATEMENT SET" : "INSERT",
                           u->stmt->pos.line);
}

/* "6 rows in"; nothing where Flink could not tell. */
static sl_str counted(struct sub *s, uint64_t n, bool hidden, const char *way)
{
    return hidden ? SL_STR("")
                  : sl_arena_printf(s->arena, "%llu row%s %s", (unsigned long long)n, n == 1 ? "" : "s", way);
}

bool sub_tell_end(struct sub *s, const struct run *r, const struct plan_unit *u, int64_t since_ms)
{
    sl_str label = sub_unit_label(s, u);
    if (strcmp(r->state, "FINISHED") == 0) {
        sl_str in = counted(s, r->last.records_in, r->last.in_hidden, "in");
        sl_str out = counted(s, r->last.records_out, r->last.out_hidden, "out");
        sub_step(s, "finished", "done", since_ms, u, r->id, "%.*s\t%.*s%s%.*s", SL_S(label), SL_S(in),
                 in.n && out.n ? ", " : "", SL_S(out));
        return true;
    }
    if (strcmp(r->state, "CANCELED") == 0) {
        sub_step(s, "canceled", "done", since_ms, u, r->id, "%.*s\trun %.8s", SL_S(label), r->id);
        if (!sub_stopping(s) && s->exit_code == 0) {
            s->exit_code = 1;
        }
        return false;
    }
    sub_step(s, "failed", "failed", -1, u, r->id, "%.*s after %.1f s", SL_S(label),
             (double)(r->ended_ms - r->created_ms) / 1000);
    struct tgt_failure f = {0};
    struct sl_err err = SL_ERR_INIT;
    if (tracker_failure(s->env->tracker, r->id, s->arena, &f)) {
        sub_fail_unit(s, u, r->id, &f);
    } else if (r->error_code[0]) { /* what the tracker saw instead */
        enum sl_code code = sl_code_of_slug(sl_str_of(r->error_code));
        sl_fail(&err, code ? code : SL_FLINK_JOB_FAILED, "job %.*s is %s: %s", SL_S(label), r->state,
                r->error);
        sl_hint(&err, "%s", r->hint);
        sub_fail(s, &err);
    } else {
        sl_fail(&err, SL_FLINK_JOB_FAILED, "job %.*s is %s and Flink did not say why", SL_S(label), r->state);
        sub_fail(s, &err);
    }
    return false;
}

void sub_tell_first_row(struct sub *s, const struct plan_unit *u, const char *run_id, int64_t since_ms)
{
    struct run r = {0};
    if (plan_is_batch(&u->config)) {
        return;
    }
    double ms = (double)(sys_now_ms() - since_ms);
    bool person = s->rq->form == RES_FORM_TEXT;
    bool seen = tracker_wait_running(s->env->tracker, run_id, person ? FIRST_ROW_MS : 0, &r);
    bool all = (seen || person) && r.last.tasks;
    struct event_step e = {.step = "running",
                           .state = "done",
                           .ms = ms,
                           .text = all ? sl_arena_printf(s->arena, "all %d task%s\tfirst row after",
                                                         r.last.tasks, r.last.tasks == 1 ? "" : "s")
                                       : SL_STR("its tasks\tfirst row after"),
                           .run = run_id,
                           .statement = u->stmt->number};
    sub_say(s, &e);
}

void sub_tell_stopped(struct sub *s, const struct plan_unit *u, const char *run_id, uint64_t rows,
                      bool by_person)
{
    sub_step(s, "stopped", "done", -1, u, run_id, "run %.8s, %llu row%s shown, job ended%s", run_id,
             (unsigned long long)rows, rows == 1 ? "" : "s",
             by_person ? " (it lived only for this terminal)" : "");
}

void sub_tell_waiting(struct sub *s, const struct plan_unit *u, const char *run_id, int64_t since_ms)
{
    int needed, unused, all;
    int64_t now = sys_now_ms();
    struct run r;
    if (!s->target->ops->slots || now - since_ms < WAITING_MS || now - s->waiting_ms < WAITING_MS ||
        !tracker_get(s->env->tracker, run_id, &r) || !r.flink_job[0]) {
        return;
    }
    s->waiting_ms = now;
    if (!s->target->ops->slots(s->target, &r.cluster, r.flink_job, &needed, &unused, &all) ||
        needed <= unused) {
        return;
    }
    int missing = needed - unused;
    if (missing != s->waiting_slots) { /* a line each time the number changes */
        s->waiting_slots = missing;
        sub_step(s, "starting", "done", since_ms, u, run_id, "waiting for %d slot%s: %d of %d free on %s",
                 missing, missing == 1 ? "" : "s", unused, all, s->target->name);
    }
}
