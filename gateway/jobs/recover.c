/* SPDX-License-Identifier: Apache-2.0
 * Submissions of an owner that died, and what became of a job whose start nobody has confirmed. */
#include "gateway/jobs/recover.h"

#include "base/limits.h"
#include "gateway/jobs/request.h"
#include "gateway/jobs/restore.h"
#include "gateway/jobs/submission_internal.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>

#define ASK_EVERY_MS 200

struct sub_recovery {
    const struct sub_env *env;
    struct sl_arena arena;
    struct sub_request rq;
    struct sub_past past;
    struct live *live;
    pthread_t thread;
    bool started;
};

static void recovery_free(struct sub_recovery *r)
{
    sl_arena_release(&r->arena);
    free(r);
}

/* The jars that were kept for the version, before anything of it was sent: the files that were given may be others by now, or gone. */
static bool take_kept_jars(const struct sub_env *env, const struct ledger_open *o, struct sl_arena *a,
                           struct sub_request *rq, struct sl_err *err)
{
    sl_str json = SL_STR_NONE;
    struct sub_request kept;
    if (!restore_request_of(ledger_store(env->ledger), o->job, o->version, a, &json, err)) {
        return false;
    }
    if (!json.n) {
        return true;
    }
    const struct sl_json *p = sl_json_parse(a, json, err);
    if (!p || !sub_request_read(p, a, &kept, err)) {
        return false;
    }
    rq->kept_jars = kept.kept_jars;
    rq->n_kept_jars = kept.n_kept_jars;
    return true;
}

struct sub_recovery *sub_recovery_new(const struct sub_env *env, const struct ledger_open *o)
{
    struct sub_recovery *r = calloc(1, sizeof(*r));
    struct sl_err err = SL_ERR_INIT;
    SL_OOM_ON(!r);
    sl_arena_init(&r->arena, 0);
    r->env = env;
    r->past.submission = o->id;
    r->past.version = o->version;
    snprintf(r->past.body, sizeof(r->past.body), "%s", o->body);
    bool ok = o->job[0] && sub_request_kept(env->open_dir, sl_str_of(o->key), &r->arena, &r->rq, &err) &&
              take_kept_jars(env, o, &r->arena, &r->rq, &err) &&
              ledger_runs_of(env->ledger, o->id, &r->arena, &r->past.runs, &r->past.n_runs, &err) &&
              ledger_steps(env->ledger, o->id, &r->arena, &r->past.steps, &r->past.n_steps, &err);
    if (ok) {
        r->live = live_begin(env->live, r->rq.key, o->body, NULL, true, false);
    }
    if (!r->live) {
        sys_log(SYS_LOG_INFO, "jobs", "not-recovered", "submission=%lld why=\"%s\"", (long long)o->id,
                err.msg);
        recovery_free(r);
        return NULL;
    }
    return r;
}

/* In session mode what nobody has confirmed; of an application what has no id yet. */
bool sub_recovery_has(const struct sub_recovery *r, const char *run_id)
{
    for (size_t i = 0; i < r->past.n_runs; i++) {
        const struct run *one = &r->past.runs[i];
        if (strcmp(one->id, run_id) == 0) {
            return !one->flink_job[0];
        }
    }
    return false;
}

static void *go_on(void *arg)
{
    struct sub_recovery *r = arg;
    sys_log(SYS_LOG_INFO, "jobs", "recovering", "submission=%lld", (long long)r->past.submission);
    sub_continue(r->env, &r->rq, &r->past, r->live, &r->arena);
    return NULL;
}

void sub_recovery_start(struct sub_recovery *r)
{
    SL_OOM_ON(pthread_create(&r->thread, NULL, go_on, r) != 0);
    r->started = true;
}

void sub_recovery_join(struct sub_recovery *r)
{
    if (r->started) {
        pthread_join(r->thread, NULL);
    } else {
        live_end(r->live, sl_code_exit(SL_OWNER), SL_STR("{}")); /* the owner did not come up */
    }
    recovery_free(r);
}

/* --- for the ways ------------------------------------------------------------------------------------------
 */

struct run *sub_past_run(struct sub *s, const struct plan_unit *u)
{
    for (size_t i = 0; s->past && i < s->past->n_runs; i++) {
        if (s->past->runs[i].statement == u->stmt->number) {
            return &s->past->runs[i];
        }
    }
    return NULL;
}

const char *sub_past_mark(struct sub *s, const struct plan_unit *u)
{
    for (size_t i = 0; s->past && i < s->past->n_steps; i++) {
        const struct ledger_step *st = &s->past->steps[i];
        if (strcmp(st->name, SUB_EFFECT) == 0 && st->statement == u->stmt->number) {
            return st->state;
        }
    }
    return "";
}

static struct ledger_step mark_of(struct sub *s, const struct plan_unit *u, const char *state)
{
    struct ledger_step st = {.submission = s->opened.submission,
                             .statement = u->stmt->number,
                             .name = SUB_EFFECT,
                             .start_ms = sys_wall_ms()};
    snprintf(st.state, sizeof(st.state), "%s", state);
    return st;
}

bool sub_effect_begins(struct sub *s, const struct plan_unit *u)
{
    struct sl_err err = SL_ERR_INIT;
    struct ledger_step st = mark_of(s, u, "running");
    if (!ledger_mark(s->env->ledger, &st, &err)) {
        sub_fail(s, &err);
        return false;
    }
    return true;
}

void sub_effect_done(struct sub *s, const struct plan_unit *u)
{
    struct ledger_step st = mark_of(s, u, "done");
    st.end_ms = st.start_ms;
    ledger_note_step(s->env->ledger, &st);
}

void sub_lose(struct sub *s, const char *run_id, const char *why)
{
    struct sl_err err = SL_ERR_INIT;
    sl_fail(&err, SL_RUN_LOST, "%s", why);
    sl_hint(&err, "it is not sent again, so that it cannot run twice: look at what it writes to, then run "
                  "the script again");
    sub_fail(s, &err);
    if (run_id) {
        tracker_note_error(s->env->tracker, run_id, sl_code_slug(SL_RUN_LOST), err.msg, err.hint, "");
        tracker_finish(s->env->tracker, run_id, "LOST");
    }
}

/* Is the JobManager that the run was sent to alive, and has it not been started again since? */
static bool same_life(struct sub *s, const struct run *r)
{
    const struct target_ops *ops = s->target->ops;
    struct tgt_endpoint now;
    struct tgt_process p;
    struct tgt_cluster c;
    struct sl_err err = SL_ERR_INIT;
    if (ops->process && ops->process(s->target, &r->cluster, &p, &err) && p.state != TGT_PROCESS_FOREIGN) {
        return p.state != TGT_PROCESS_ENDED && strcmp(p.life, r->cluster.incarnation) == 0;
    }
    if (ops->process && err.code == SL_NOT_FOUND) {
        return false;
    }
    err = SL_ERR_INIT;
    if (ops->ready(s->target, TGT_SESSION, NULL, NULL, &c, &err)) {
        return strcmp(c.id, r->cluster.id) == 0 && strcmp(c.incarnation, r->cluster.incarnation) == 0;
    }
    return ops->endpoint && ops->endpoint(s->target, &r->cluster, &now, &err) &&
           strcmp(now.incarnation, r->cluster.incarnation) == 0;
}

enum sub_fate sub_ask_fate(struct sub *s, const struct run *r, int64_t patience_ms)
{
    int64_t until = sys_now_ms() + patience_ms;
    for (;;) {
        struct tgt_job_status st = {0};
        struct sl_err err = SL_ERR_INIT;
        bool same = same_life(s, r);
        bool answered = s->target->ops->status(s->target, &r->cluster, r->id, &st, &err);
        if (answered && !st.gone && st.state[0]) {
            return SUB_RUNS;
        }
        if (answered && st.gone) {
            /* A life that has ended between the two looks cannot have said so of itself. */
            return same && same_life(s, r) ? SUB_NOT_THERE : SUB_LOST;
        }
        if (!same && !answered && sys_now_ms() > until) {
            return SUB_LOST;
        }
        if (sys_now_ms() > until || sub_stopping(s)) {
            return SUB_UNKNOWN;
        }
        sys_sleep_ms(ASK_EVERY_MS);
    }
}
