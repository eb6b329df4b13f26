/* SPDX-License-Identifier: Apache-2.0
 * Application mode: one cluster of its own runs the whole script in one main(); its task lies beside the
 * JobManager, so that it can run again without Sluice. Results and reports come over the results port while
 * Sluice looks. */
#include "gateway/jobs/submission_internal.h"

#include "base/limits.h"

#include "base/digest.h"

#include <stdio.h>

#define LOOK_MS 100

struct application {
    struct sub *s;
    struct res_task *task;          /* the runner's reports */
    struct run *runs;               /* one per job unit, in order */
    const struct plan_unit **units; /* of each */
    struct res_result **results;
    size_t n;
    struct tgt_cluster cluster;
    const struct plan_unit *stopped; /* the SELECT that its person ended */
    uint64_t stopped_rows;
    bool failed;
    bool lost;     /* failed, and nobody can tell what became of its jobs */
    bool answered; /* it could not reach the results port, and its answers came another way */
};

static bool is_job(const struct plan_unit *u)
{
    return u->action == PLAN_INSERT || u->action == PLAN_SET || u->action == PLAN_SELECT;
}

static struct run *run_of(struct application *x, const struct plan_unit *u)
{
    size_t i = 0;
    for (const struct plan_unit *at = x->s->plan.units; at != u; at++) {
        i += is_job(at);
    }
    return is_job(u) ? &x->runs[i] : NULL;
}

static struct res_result *result_of(struct application *x, const struct plan_unit *u)
{
    struct run *r = run_of(x, u);
    return r ? x->results[r - x->runs] : NULL;
}

/* The task document with everything but what was done before (external effects) and what Sluice answers. */
static void write_task(struct application *x, struct sl_buf *b, const char *token, const char *single_job)
{
    struct sub *s = x->s;
    size_t n = 0;
    struct task_step *steps = sl_new_n(s->arena, struct task_step, s->plan.n);
    for (size_t i = 0; i < s->plan.n; i++) {
        const struct plan_unit *u = &s->plan.units[i];
        static const char *const actions[PLAN_ACTION_MAX_] = {"execute", NULL,     "answer", "insert",
                                                              "set",     "select", NULL};
        if (!actions[u->action]) {
            continue;
        }
        struct res_result *r = result_of(x, u);
        steps[n++] = (struct task_step){.unit = u,
                                        .action = actions[u->action],
                                        .token = r ? res_result_token(r) : NULL,
                                        .job_id = is_job(u) ? single_job : NULL};
    }
    struct task_head head = {.mode = "application",
                             .digest = s->digest,
                             .script = s->rq->name,
                             .results = s->results_address,
                             .token = token};
    task_write(b, &head, steps, n);
}

static const struct plan_unit *unit_of(struct sub *s, uint32_t statement, const struct plan_unit *or_else)
{
    for (size_t i = 0; i < s->plan.n; i++) {
        if (s->plan.units[i].stmt->number == statement) {
            return &s->plan.units[i];
        }
    }
    return or_else;
}

/* main() failed, or it carries its answer this way because it could not reach the results port. */
static void tell_failure(struct application *x, const struct plan_unit *u, const struct tgt_failure *f)
{
    struct sub *s = x->s;
    struct tgt_failure inner;
    uint32_t statement;
    enum inline_answer answer = sub_inline_answer(s, f, &inner, &statement);
    if (answer == INLINE_FAILED) {
        sub_fail_unit(s, unit_of(s, statement, u), NULL, &inner);
    } else if (answer == INLINE_NONE) {
        struct run *r = u ? run_of(x, u) : NULL;
        sub_fail_unit(s, u, r ? r->id : NULL, f);
    }
    x->answered = answer == INLINE_ANSWERED;
    x->failed = !x->answered;
}

/* The runner said that this statement's job exists: from now on it is asked for. */
static void note_started(struct application *x, const struct plan_unit *u, const char *flink_job)
{
    struct run *r = run_of(x, u);
    if (r && !r->flink_job[0] && flink_job[0]) {
        snprintf(r->flink_job, sizeof(r->flink_job), "%s", flink_job);
        r->cluster = x->cluster;
        tracker_started(x->s->env->tracker, r->id, &x->cluster, r->flink_job);
    }
}

/* As long as the runner does not speak at the results port (it may never be able to), the cluster is asked
 * which jobs it has: they start in the order of the script. */
static void look_for_job(struct application *x, const struct plan_unit *u)
{
    struct sub *s = x->s;
    struct run *r = run_of(x, u);
    char(*ids)[33] = NULL;
    size_t n = 0, mine = (size_t)(r - x->runs);
    struct sl_err ignored = SL_ERR_INIT;
    if (!r->flink_job[0] && res_task_wait(x->task, 0) != RES_TASK_CLAIMED &&
        s->target->ops->list(s->target, &x->cluster, s->arena, &ids, &n, &ignored) && mine < n) {
        note_started(x, u, ids[mine]);
    }
}

static bool has_ended(struct application *x, struct tgt_process *ret)
{
    const struct target_ops *ops = x->s->target->ops;
    struct sl_err ignored = SL_ERR_INIT;
    *ret = (struct tgt_process){.state = TGT_PROCESS_UP};
    return ops->process &&
           (!ops->process(x->s->target, &x->cluster, ret, &ignored) || ret->state == TGT_PROCESS_ENDED);
}

#define UNTOLD "its cluster has ended before it said what became of this job"

/* It was killed, say: what it had made of the job until then is not known. */
static void lose(struct application *x, const struct run *r, const struct tgt_process *p)
{
    struct sub *s = x->s;
    sub_lose(s, r ? r->id : NULL, sl_arena_printf(s->arena, UNTOLD "%s%s", p->why[0] ? ": " : "", p->why).p);
    x->failed = x->lost = true;
}

/* Did the application die, or say that it failed? Then this is told, a failure at its statement. */
static bool has_failed(struct application *x, const struct plan_unit *u)
{
    struct sub *s = x->s;
    struct res_statement_report rep;
    struct run *r = run_of(x, u);
    if (x->failed || x->answered) {
        return true;
    }
    if (res_task_failure(x->task, s->arena, &rep)) {
        const struct plan_unit *at = unit_of(s, rep.statement, u);
        struct tgt_failure f = {.chain_json = rep.chain_json, .stack = rep.stack};
        struct run *failed = run_of(x, at);
        sub_fail_unit(s, at, failed ? failed->id : NULL, &f);
        if (failed && !failed->flink_job[0]) {
            tracker_finish(s->env->tracker, failed->id, "FAILED");
        }
        x->failed = true;
        return true;
    }
    struct tgt_failure f = {0};
    struct tgt_process p;
    struct sl_err err = SL_ERR_INIT;
    enum res_task_state state = res_task_wait(x->task, 0);
    if ((state != RES_TASK_LOST && state != RES_TASK_UNCLAIMED) || (r && r->flink_job[0])) {
        return false;
    }
    bool ended = has_ended(x, &p); /* asked first: what it has left is whole then */
    if (ended && r) {
        look_for_job(x, u);
        if (r->flink_job[0]) {
            return false;
        }
    }
    if (s->target->ops->failure(s->target, &x->cluster, "", s->arena, &f, &err)) {
        tell_failure(x, u, &f);
    } else if (ended) {
        lose(x, r, &p);
    }
    return x->failed || x->answered;
}

/* Waits for the report on a statement. False: failed or stopped. */
static bool wait_statement(struct application *x, const struct plan_unit *u, struct res_statement_report *rep)
{
    struct sub *s = x->s;
    int64_t asked = sys_now_ms();
    for (;;) {
        res_task_wait_statement(x->task, u->stmt->number, LOOK_MS);
        if (res_task_report(x->task, u->stmt->number, s->arena, rep) && rep->done) {
            note_started(x, u, rep->job_id);
            return true;
        }
        if (sub_stopping(s)) {
            return false;
        }
        if (sys_now_ms() - asked >= LOOK_MS) {
            asked = sys_now_ms();
            if (has_failed(x, u)) {
                return false;
            }
        }
    }
}

struct select_watch {
    struct application *x;
    const struct plan_unit *u;
    int64_t since_ms, looked_ms;
};

static bool select_alive(void *ctx)
{
    struct select_watch *c = ctx;
    struct res_statement_report rep;
    struct run r;
    if (res_task_report(c->x->task, c->u->stmt->number, c->x->s->arena, &rep) && rep.done) {
        note_started(c->x, c->u, rep.job_id);
    }
    struct run *mine = run_of(c->x, c->u);
    if (!mine->flink_job[0] && sys_now_ms() - c->looked_ms >= LOOK_MS) {
        look_for_job(c->x, c->u);
        c->looked_ms = sys_now_ms();
    }
    if (mine->flink_job[0] && tracker_get(c->x->s->env->tracker, mine->id, &r) && r.ended) {
        return false;
    }
    return !has_failed(c->x, c->u);
}

static void select_first(void *ctx)
{
    struct select_watch *c = ctx;
    if (select_alive(c)) {
        sub_tell_first_row(c->x->s, c->u, run_of(c->x, c->u)->id, c->since_ms);
    }
}

/* A SELECT that needs no more rows. */
static void end_stopped(struct application *x, const struct run *r, struct res_result *result)
{
    struct sl_err err = SL_ERR_INIT;
    if (!r->flink_job[0]) {
        res_result_close(result); /* whatever becomes of it finds nobody who wants its rows */
    } else if (!sub_cancel_select(x->s->env, r->id, result, &err)) {
        sub_fail(x->s, &err);
    }
}

static void application_select(struct application *x, const struct plan_unit *u)
{
    struct sub *s = x->s;
    struct run *r = run_of(x, u);
    struct res_result *result = result_of(x, u);
    int64_t since = sys_now_ms();
    struct select_watch c = {x, u, since, since};
    const struct rows_watch watch = {select_alive, select_first, &c};
    while (res_result_state(result) == RES_WAITING && !sub_stopping(s) && select_alive(&c)) {
        sys_sleep_ms(10);
    }
    if (res_result_state(result) != RES_WAITING) {
        sub_step(s, "submit", "done", since, u, r->id, "%.*s\trun %.8s", SL_S(sub_unit_label(s, u)), r->id);
    }
    uint64_t rows, max = s->rq->max_rows ? s->rq->max_rows : UINT64_MAX;
    enum rows_end end = sub_rows(s, result, u->stmt->number, max, &watch, &rows);
    struct res_statement_report rep;
    if (end == ROWS_STOPPED) {
        end_stopped(x, r, result);
        x->stopped = u;
        x->stopped_rows = rows;
    }
    if (end == ROWS_COMPLETE || (!x->failed && !sub_stopping(s) && end == ROWS_LIMIT)) {
        for (int i = 0; i < 50 && !r->flink_job[0] && !x->failed; i++) {
            if (res_task_report(x->task, u->stmt->number, s->arena, &rep) && rep.job_id[0]) {
                note_started(x, u, rep.job_id);
            } else {
                res_task_wait_statement(x->task, u->stmt->number, LOOK_MS);
            }
        }
        if (end == ROWS_LIMIT) {
            end_stopped(x, r, result);
            sub_tell_stopped(s, u, r->id, rows, false);
        }
        return;
    }
    if (end == ROWS_BROKEN && !x->failed) {
        struct run now;
        struct tgt_failure f = {0};
        struct sl_err err = SL_ERR_INIT;
        tracker_wait_ended(s->env->tracker, r->id, 5000, &now);
        if (tracker_failure(s->env->tracker, r->id, s->arena, &f)) {
            sub_fail_unit(s, u, r->id, &f);
        } else if (!has_failed(x, u)) {
            sl_fail(&err, SL_RESULT_PARTIAL, "the rows ended after %llu, before their end was said",
                    (unsigned long long)rows);
            sub_fail(s, &err);
        }
    }
}

static void application_unit(struct application *x, const struct plan_unit *u)
{
    struct sub *s = x->s;
    struct res_statement_report rep;
    int64_t since = sys_now_ms();
    if (u->action == PLAN_LOCAL) {
        sub_local_answer(s, u);
    } else if (u->action == PLAN_SELECT) {
        application_select(x, u);
    } else if (u->action == PLAN_ANSWER) {
        if (wait_statement(x, u, &rep) && rep.answer) {
            sub_answer_rows(s, rep.answer, u->stmt->number);
        }
    } else if (is_job(u)) {
        /* An awaited job is reported when it has ended: its BEGIN is not enough to know its id, the cluster's
         * list is. */
        struct run *r = run_of(x, u);
        while (!r->flink_job[0] && !sub_stopping(s) && !has_failed(x, u)) {
            if (res_task_report(x->task, u->stmt->number, s->arena, &rep) && rep.job_id[0]) {
                note_started(x, u, rep.job_id);
                break;
            }
            res_task_wait_statement(x->task, u->stmt->number, LOOK_MS);
            look_for_job(x, u);
        }
        if (r->flink_job[0]) {
            struct started_run *st = sl_vec_add(s->arena, &s->started);
            memcpy(st->id, r->id, sizeof(st->id));
            st->unit = u;
            st->since_ms = since;
            if (u->await) {
                sub_wait_started(s);
            }
        }
    }
}

/* The run of a unit: that of an owner that died, or a new intent. */
static bool intend(struct application *x, const struct plan_unit *u, const char *kind, struct run *ret)
{
    struct sub *s = x->s;
    const struct run *past = sub_past_run(s, u);
    if (past) {
        *ret = *past;
        if (!ret->flink_job[0] && !ret->ended) {
            tracker_add(s->env->tracker, s->opened.submission, ret);
        }
        return true;
    }
    s->cluster = x->cluster; /* part of the intent: whoever comes after us finds the cluster by it */
    bool intended = sub_intend(s, u, kind, ret);
    memset(&s->cluster, 0, sizeof(s->cluster));
    return intended;
}

static bool prepare(struct application *x)
{
    struct sub *s = x->s;
    struct sl_err err = SL_ERR_INIT;
    x->runs = sl_new_n(s->arena, struct run, s->plan.jobs + 1);
    x->units = sl_new_n(s->arena, const struct plan_unit *, s->plan.jobs + 1);
    x->results = sl_new_n(s->arena, struct res_result *, s->plan.jobs + 1);
    for (size_t i = 0; i < s->plan.n; i++) {
        const struct plan_unit *u = &s->plan.units[i];
        if (!is_job(u)) {
            continue;
        }
        const char *kind = u->action == PLAN_SELECT ? "SELECT"
                           : u->action == PLAN_SET  ? "STATEMENT SET"
                                                    : "INSERT";
        if (u->action == PLAN_SELECT &&
            !(x->results[x->n] = res_result_new(s->env->results, u->stmt->number, &err))) {
            sub_fail(s, &err);
            return false;
        }
        if (!intend(x, u, kind, &x->runs[x->n])) {
            return false;
        }
        x->units[x->n++] = u;
    }
    x->task = res_task_new(s->env->results, SL_STR("{}"), &err);
    if (!x->task) {
        sub_fail(s, &err);
    }
    return x->task != NULL;
}

/* A run of which no job is known ends as its application did. */
static void finish_unmade(struct application *x, const struct run *r)
{
    struct tracker *tr = x->s->env->tracker;
    if (x->lost) {
        tracker_note_error(tr, r->id, sl_code_slug(SL_RUN_LOST), UNTOLD, "", "");
    } else if (x->failed) {
        tracker_note_error(tr, r->id, sl_code_slug(SL_FLINK_JOB_FAILED),
                           "the application failed before it had made this job", "", "");
    }
    tracker_finish(tr, r->id, x->lost ? "LOST" : x->failed ? "FAILED" : "CANCELED");
}

static void finish(struct application *x)
{
    struct sub *s = x->s;
    struct tracker *tr = s->env->tracker;
    bool leave = s->rq->detach && s->exit_code == 0 && !sub_stopping(s);
    for (size_t i = 0; i < x->n; i++) {
        struct run now;
        struct sl_err err = SL_ERR_INIT;
        if (!tracker_get(tr, x->runs[i].id, &now) || now.ended || leave) {
            continue;
        }
        if (!now.flink_job[0] && x->failed) { /* it may have one all the same */
            look_for_job(x, x->units[i]);
            now = x->runs[i];
        }
        if (!now.flink_job[0]) {
            finish_unmade(x, &now);
        } else if (!tracker_wait_ended(tr, now.id, sub_stopping(s) || s->exit_code ? 0 : 5000, &now) &&
                   !tracker_cancel(tr, now.id, sl_limits.cancel_ms, &err)) {
            sub_fail(s, &err);
        }
    }
    if (x->cluster.id[0]) {
        tracker_application_done(tr, x->cluster.id);
        bool tracked = x->n > 0;
        struct sl_err err = SL_ERR_INIT;
        if (!tracked && !s->target->ops->release(s->target, &x->cluster, &err)) {
            sub_fail(s, &err);
        }
    }
    for (size_t i = 0; i < x->n; i++) {
        if (x->results[i]) {
            res_result_close(x->results[i]);
            res_result_unref(x->results[i]);
        }
    }
    if (x->task) {
        res_task_free(x->task);
    }
}

/* The cluster that an owner that died has made, or was about to make: it is known by its id. */
static bool cluster_is_there(struct application *x)
{
    struct sub *s = x->s;
    struct tgt_process p;
    struct sl_err err = SL_ERR_INIT;
    const struct target_ops *ops = s->target->ops;
    if (!x->cluster.id[0] || !ops->process) {
        return x->cluster.id[0] != 0;
    }
    return ops->process(s->target, &x->cluster, &p, &err) || err.code != SL_NOT_FOUND;
}

/* A SELECT's rows have nowhere to go: the owner ends it. */
static bool is_waited_for(const struct run *r)
{
    return strcmp(r->kind, "SELECT") != 0;
}

/* Until the job of this run is known, or that there will be none. */
static void find_again(struct application *x, const struct plan_unit *u)
{
    struct sub *s = x->s;
    struct run *r = run_of(x, u);
    while (!r->flink_job[0] && !r->ended && !sub_stopping(s)) {
        struct tgt_failure f = {0};
        struct tgt_process p;
        struct sl_err ignored = SL_ERR_INIT;
        bool ended = has_ended(x, &p); /* asked first: what it has left is whole then */
        look_for_job(x, u);
        if (r->flink_job[0]) {
            return;
        }
        if (ended && s->target->ops->failure(s->target, &x->cluster, "", s->arena, &f, &ignored)) {
            tell_failure(x, u, &f);
            finish_unmade(x, r);
            r->ended = true;
        } else if (ended) {
            lose(x, r, &p);
            r->ended = true;
        } else {
            sys_sleep_ms(LOOK_MS);
        }
    }
}

/* It runs without us: its jobs get their ids in the order of the script, and are followed to their end. */
static void follow_again(struct application *x)
{
    struct sub *s = x->s;
    for (size_t i = 0; i < x->n && !sub_stopping(s); i++) {
        const struct plan_unit *u = x->units[i];
        struct run now;
        find_again(x, u);
        if (!tracker_get(s->env->tracker, x->runs[i].id, &now)) {
            now = x->runs[i];
        }
        if (now.ended && s->exit_code == 0) {
            sub_tell_end(s, &now, u, sys_now_ms());
        } else if (!now.ended && is_waited_for(&now)) {
            sl_vec_push(s->arena, &s->started, ((struct started_run){.unit = u, .since_ms = sys_now_ms()}));
            memcpy(s->started.v[s->started.n - 1].id, now.id, sizeof(now.id));
        }
    }
    tracker_application_done(s->env->tracker, x->cluster.id);
    sub_wait_started(s);
}

void sub_application(struct sub *s)
{
    struct application x = {.s = s};
    struct sub_call call = {0};
    char random[13], cluster_id[64];
    sl_random_hex(random, 6);
    snprintf(cluster_id, sizeof(cluster_id), "app-%s", random);
    if (s->past && s->past->n_runs) {
        snprintf(cluster_id, sizeof(cluster_id), "%s", s->past->runs[0].cluster.id);
    }
    snprintf(x.cluster.id, sizeof(x.cluster.id), "%s", cluster_id);
    snprintf(x.cluster.flink, sizeof(x.cluster.flink), "%s", s->target->flink);
    bool again = s->past && s->past->n_runs && cluster_is_there(&x);
    bool prepared = prepare(&x);
    if (again && prepared) {
        follow_again(&x);
        res_task_free(x.task);
        return;
    }
    memset(&x.cluster, 0, sizeof(x.cluster)); /* until the target says what it has made */
    if (!prepared) {
        finish(&x);
        return;
    }
    int64_t since = sys_now_ms();
    const struct plan_unit *first = NULL; /* its job is named by the step */
    for (size_t i = 0; i < s->plan.n && !first; i++) {
        first = is_job(&s->plan.units[i]) ? &s->plan.units[i] : NULL;
    }
    const char *single = x.n == 1 ? x.runs[0].id : NULL, *first_run = first ? run_of(&x, first)->id : NULL;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    write_task(&x, &b, res_task_token(x.task), single);
    struct tgt_submit submit = {.mode = TGT_APPLICATION,
                                .name = sl_arena_strdupz(s->arena, s->rq->name),
                                .job_id = single,
                                .cluster_id = cluster_id,
                                .task = sl_buf_str(&b),
                                .results_address = s->results_address,
                                .digest = s->digest,
                                .jars = s->sent_jars,
                                .expects_job = x.n > 0};
    sub_step(s, "submit", "running", since, first, first_run, "%.*s\tapplication", SL_S(s->rq->name));
    bool stop = false;
    submit.stop = &stop;
    sub_call_start(&call, s->target, &submit);
    while (!sub_call_done(&call)) {
        __atomic_store_n(&stop, sub_stopping(s), __ATOMIC_RELEASE);
        sys_sleep_ms(10);
    }
    sub_call_join(&call);
    x.cluster = call.cluster;
    if (!call.ok && call.err.code == SL_CANCELLED && sub_stopping(s)) {
        event_note(s->sink, "%s", call.err.msg);
    } else if (!call.ok) {
        bool answers = x.n == 0; /* may have answered all the same */
        if (!answers) {
            sub_step(s, "submit", "failed", since, first, first_run, "%.*s\tapplication", SL_S(s->rq->name));
        }
        struct tgt_failure said;
        struct sl_err ignored = SL_ERR_INIT;
        /* Nothing was made, or Flink says why it did not come up; else it may have come farther than was seen. */
        x.lost =
            x.cluster.id[0] && !s->target->ops->failure(s->target, &x.cluster, "", s->arena, &said, &ignored);
        if (!x.lost && (call.failure.chain_json.n || call.failure.stack.n)) {
            tell_failure(&x, NULL, &call.failure);
        } else {
            sub_fail(s, &call.err);
            x.failed = true;
            for (size_t i = 0; i < x.n; i++) {
                tracker_note_error(s->env->tracker, x.runs[i].id, sl_code_slug(call.err.code), call.err.msg,
                                   call.err.hint, "");
            }
        }
        if (answers) {
            sub_step(s, "submit", x.failed ? "failed" : "done", since, first, first_run, "%.*s\tapplication",
                     SL_S(s->rq->name));
        }
    } else {
        sub_step(s, "submit", "done", since, first, first_run, "%.*s\tapplication, run %.8s",
                 SL_S(s->rq->name), x.n ? x.runs[0].id : x.cluster.id);
        for (size_t i = 0; i < x.n; i++) {
            tracker_started(s->env->tracker, x.runs[i].id, &x.cluster, "");
        }
        for (size_t i = 0; i < s->plan.n && s->exit_code == 0 && !x.answered && !sub_stopping(s); i++) {
            const struct plan_unit *u = &s->plan.units[i];
            if (u->action != PLAN_SESSION && u->action != PLAN_EXTERNAL) {
                application_unit(&x, u);
            }
        }
        if (!x.answered && (x.n == 0 || s->plan.n == 0)) {
            res_task_wait(x.task, 30000);
            has_failed(&x, s->plan.n ? &s->plan.units[s->plan.n - 1] : NULL);
        }
        sub_wait_started(s);
    }
    finish(&x);
    if (x.stopped) {
        sub_tell_stopped(s, x.stopped, run_of(&x, x.stopped)->id, x.stopped_rows, !s->timed_out);
    }
    sub_call_release(&call);
}
