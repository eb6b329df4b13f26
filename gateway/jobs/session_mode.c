/* SPDX-License-Identifier: Apache-2.0
 * Session mode: a script is a chain of runs of the runner's main(), one per job or answer. What took effect
 * before is replayed in front of each; what takes effect for the first time is executed strictly, in the same
 * main() as the statement that follows it. */
#include "gateway/jobs/submission_internal.h"

#include "base/limits.h"

struct chain {
    struct sub *s;
    SL_VEC(const struct plan_unit *) replay;  /* took effect */
    SL_VEC(const struct plan_unit *) pending; /* will take effect with the next main() */
};

/* What one main() is asked to do. */
struct turn {
    const struct plan_unit *unit; /* NULL: only what is pending */
    const char *action;
    struct res_result *result; /* select */
    struct run run;            /* a unit with a job */
    struct res_task *task;
    struct sub_call call;
    int64_t since_ms; /* monotonic */
    bool asked, runs; /* a SELECT whose answer did not come */
};

#define SELECT_ASKED_MS 2000 /* a person waits for the rows */
#define SENT_AGAIN      3    /* times a job is sent under its id before it is given up */

/* What has effects outside the session is marked before it is sent. What was sent before, and nobody has
 * confirmed, is not sent again. */
static bool mark_pending(struct chain *c, struct turn *t)
{
    for (size_t i = 0; i < c->pending.n; i++) {
        const struct plan_unit *u = c->pending.v[i];
        if (u->action != PLAN_EXTERNAL) {
            continue;
        }
        if (strcmp(sub_past_mark(c->s, u), "running") == 0) {
            sub_lose(
                c->s, t->run.id[0] ? t->run.id : NULL,
                sl_arena_printf(
                    c->s->arena,
                    "statement %u was under way when Sluice was ended: it may or may not have taken effect",
                    u->stmt->number)
                    .p);
            return false;
        }
        if (!sub_effect_begins(c->s, u)) {
            return false;
        }
    }
    return true;
}

static void turn_begin(struct chain *c, struct turn *t, struct sl_err *err)
{
    struct sub *s = c->s;
    size_t n = 0;
    if (!mark_pending(c, t)) {
        return;
    }
    struct task_step *steps = sl_new_n(s->arena, struct task_step, c->replay.n + c->pending.n + 1);
    for (size_t i = 0; i < c->replay.n; i++) {
        steps[n++] = (struct task_step){.unit = c->replay.v[i], .action = "replay"};
    }
    for (size_t i = 0; i < c->pending.n; i++) {
        steps[n++] = (struct task_step){.unit = c->pending.v[i], .action = "execute"};
    }
    if (t->unit) {
        steps[n++] = (struct task_step){
            .unit = t->unit, .action = t->action, .token = t->result ? res_result_token(t->result) : NULL};
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    struct task_head head = {
        .mode = "session", .digest = s->digest, .script = s->rq->name, .results = s->results_address};
    task_write(&b, &head, steps, n);
    bool job = t->run.id[0] != 0;
    t->task = res_task_new(s->env->results, sl_buf_str(&b), err);
    if (!t->task) {
        return;
    }
    sl_str document = sl_str_dup(s->arena, sl_buf_str(&b));
    struct tgt_submit submit = {.mode = TGT_SESSION,
                                .name = sl_arena_strdupz(s->arena, s->rq->name),
                                .job_id = job ? t->run.id : NULL,
                                .task = document,
                                .token = res_task_token(t->task),
                                .results_address = s->results_address,
                                .digest = s->digest,
                                .jars = s->sent_jars,
                                .expects_job = job,
                                /* A cluster of others may not reach us; its jobs need us only for rows. */
                                .inline_task = !job || (s->target->ops->reach && !t->result)};
    sub_call_start(&t->call, s->target, &submit);
}

static void turn_end(struct turn *t)
{
    if (t->task) {
        sub_call_join(&t->call);
        sub_call_release(&t->call);
        res_task_free(t->task);
    }
    if (t->result) {
        res_result_unref(t->result);
    }
}

/* The unit that a report's statement number belongs to. */
static const struct plan_unit *unit_of(struct chain *c, struct turn *t, uint32_t statement)
{
    for (size_t i = 0; i < c->pending.n; i++) {
        if (c->pending.v[i]->stmt->number == statement) {
            return c->pending.v[i];
        }
    }
    for (size_t i = 0; i < c->replay.n; i++) {
        if (c->replay.v[i]->stmt->number == statement) {
            return c->replay.v[i];
        }
    }
    return t->unit;
}

/* The step's line comes before what is wrong with it. */
static void tell_submit_failed(struct sub *s, const struct turn *t)
{
    if (t->run.id[0] && t->unit->action != PLAN_SELECT) {
        sub_step(s, "submit", "failed", t->since_ms, t->unit, t->run.id, "%.*s",
                 SL_S(sub_unit_label(s, t->unit)));
    }
}

/* The answer did not come, is nobody's word (half of one, a proxy's page), or says that Flink has the id already. */
static bool outcome_is_open(const struct turn *t)
{
    const struct sub_call *call = &t->call;
    if (call->ok) {
        return false;
    }
    if (call->failure.chain_json.n || call->failure.stack.n) {
        static const char *const words[] = {"DuplicateJobSubmissionException",
                                            "DuplicateApplicationSubmissionException"};
        sl_str texts[] = {call->failure.stack, call->failure.chain_json};
        for (size_t i = 0; i < 4; i++) {
            if (sl_str_find(texts[i / 2], sl_str_of(words[i % 2])) >= 0) {
                return true;
            }
        }
        return false;
    }
    return call->err.code == SL_TARGET_UNREACHABLE || call->err.code == SL_TIMEOUT ||
           call->err.code == SL_HTTP || call->err.code == SL_TARGET_ANSWER;
}

/* main() has ended. The truth is what the runner said; where it said nothing, the REST answer. False: said
 * and done with. */
static bool turn_verdict(struct chain *c, struct turn *t)
{
    struct sub *s = c->s;
    struct res_statement_report rep;
    sub_call_join(&t->call);
    bool open = false;
    if (res_task_failure(t->task, s->arena, &rep)) {
        tell_submit_failed(s, t);
        struct tgt_failure f = {.chain_json = rep.chain_json, .stack = rep.stack};
        const struct plan_unit *u = unit_of(c, t, rep.statement);
        sub_fail_unit(s, u, t->run.id[0] ? t->run.id : NULL, &f);
    } else if (t->unit && res_task_report(t->task, t->unit->stmt->number, s->arena, &rep) && rep.done) {
        return true;
    } else if (t->call.ok) {
        return true; /* main() has ended, and Flink took the job, if there was to be one */
    } else if (t->call.failure.chain_json.n || t->call.failure.stack.n) {
        struct tgt_failure f = t->call.failure;
        const struct plan_unit *u = t->unit;
        uint32_t statement = 0;
        tell_submit_failed(s, t);
        switch (sub_inline_answer(s, &t->call.failure, &f, &statement)) {
        case INLINE_ANSWERED:
            return true;
        case INLINE_UNREACHABLE:
            break;
        default:
            u = statement ? unit_of(c, t, statement) : u;
            sub_fail_unit(s, u, t->run.id[0] ? t->run.id : NULL, &f);
            break;
        }
    } else {
        open = outcome_is_open(t);
        tell_submit_failed(s, t);
        sub_fail(s, &t->call.err);
        if (t->run.id[0]) {
            tracker_note_error(s->env->tracker, t->run.id, sl_code_slug(t->call.err.code), t->call.err.msg,
                               t->call.err.hint, "");
        }
    }
    if (t->run.id[0]) { /* what nobody answered was not refused by Flink either */
        tracker_finish(s->env->tracker, t->run.id, open ? "LOST" : "FAILED");
    }
    return false;
}

static bool has_external(const struct chain *c)
{
    for (size_t i = 0; i < c->pending.n; i++) {
        if (c->pending.v[i]->action == PLAN_EXTERNAL) {
            return true;
        }
    }
    return false;
}

/* What was pending has taken effect: session entries are replayed from now on, external ones are done. */
static void settle_pending(struct chain *c)
{
    for (size_t i = 0; i < c->pending.n; i++) {
        if (c->pending.v[i]->action == PLAN_SESSION) {
            sl_vec_push(c->s->arena, &c->replay, c->pending.v[i]);
        } else {
            sub_effect_done(c->s, c->pending.v[i]);
        }
    }
    c->pending.n = 0;
}

/* Waits for main() while it may be stopped. False when stopped. */
static bool turn_wait(struct chain *c, struct turn *t)
{
    while (!sub_call_done(&t->call)) {
        if (sub_stopping(c->s)) {
            return false;
        }
        sys_sleep_ms(5);
    }
    return true;
}

/* A SELECT is not sent again, its rows may be on their way: has Flink taken it all the same? Asked once. */
static bool runs_all_the_same(struct chain *c, struct turn *t)
{
    if (!outcome_is_open(t)) {
        return false;
    }
    if (!t->asked) {
        struct run sent = t->run;
        sent.cluster = t->call.cluster.id[0] ? t->call.cluster : sent.cluster;
        enum sub_fate fate = sub_ask_fate(c->s, &sent, SELECT_ASKED_MS);
        t->asked = true;
        t->runs = fate == SUB_RUNS || fate == SUB_UNKNOWN;
    }
    return t->runs;
}

struct select_watch {
    struct chain *c;
    struct turn *t;
};

static bool select_alive(void *ctx)
{
    struct select_watch *x = ctx;
    struct run r;
    if (!sub_call_done(&x->t->call)) {
        return true;
    }
    if (!x->t->call.ok && !runs_all_the_same(x->c, x->t)) {
        return false;
    }
    tracker_started(x->c->s->env->tracker, x->t->run.id, &x->t->call.cluster, x->t->run.id);
    return !(tracker_get(x->c->s->env->tracker, x->t->run.id, &r) && r.ended);
}

static void select_first(void *ctx)
{
    struct select_watch *x = ctx;
    bool person = x->c->s->rq->form == RES_FORM_TEXT;
    for (int i = 0; person && i < 20 && !sub_call_done(&x->t->call); i++) {
        sys_sleep_ms(5); /* main() ends about when the first row comes */
    }
    if (sub_call_done(&x->t->call) || !person) {
        select_alive(x);
        sub_tell_first_row(x->c->s, x->t->unit, x->t->run.id, x->t->since_ms);
    }
}

static void end_select(struct chain *c, struct turn *t, enum rows_end end, uint64_t rows)
{
    struct sub *s = c->s;
    struct tracker *tr = s->env->tracker;
    struct run r = t->run;
    sub_call_join(&t->call);
    if (!t->call.ok && !runs_all_the_same(c, t)) {
        if (end == ROWS_STOPPED || end == ROWS_LIMIT) {
            res_result_close(t->result);
            tracker_finish(tr, r.id, "CANCELED");
        } else {
            turn_verdict(c, t);
        }
        return;
    }
    tracker_started(tr, r.id, &t->call.cluster, r.id);
    if (end == ROWS_STOPPED || end == ROWS_LIMIT) {
        struct sl_err err = SL_ERR_INIT;
        if (!sub_cancel_select(s->env, r.id, t->result, &err)) {
            sub_fail(s, &err);
        }
        sub_tell_stopped(s, t->unit, r.id, rows, end == ROWS_STOPPED && !s->timed_out);
        settle_pending(c);
        return;
    }
    bool ended = tracker_wait_ended(tr, r.id, sl_limits.cancel_ms, &r);
    if (end == ROWS_COMPLETE && (!ended || strcmp(r.state, "FINISHED") == 0)) {
        settle_pending(c);
        return;
    }
    struct tgt_failure f = {0};
    struct sl_err err = SL_ERR_INIT;
    if (tracker_failure(tr, r.id, s->arena, &f)) {
        sub_fail_unit(s, t->unit, r.id, &f);
    } else if (res_result_error(t->result, &err)) {
        sub_fail(s, &err);
    } else {
        sl_fail(&err, SL_RESULT_PARTIAL,
                "the rows ended after %llu, before their end was said; the job is %s",
                (unsigned long long)rows, r.state);
        sub_fail(s, &err);
    }
}

static void session_select(struct chain *c, const struct plan_unit *u)
{
    struct sub *s = c->s;
    int64_t since = sys_now_ms();
    struct turn t = {.unit = u, .action = "select", .since_ms = since};
    struct sl_err err = SL_ERR_INIT;
    if (!sub_results_reachable(s)) {
        return;
    }
    t.result = res_result_new(s->env->results, u->stmt->number, &err);
    if (t.result && sub_intend(s, u, "SELECT", &t.run)) {
        turn_begin(c, &t, &err);
    }
    if (!t.task) {
        if (err.code != SL_OK) {
            sub_fail(s, &err);
        }
        turn_end(&t);
        return;
    }
    sub_step(s, "submit", "running", since, u, t.run.id, "%.*s\trun %.8s", SL_S(sub_unit_label(s, u)),
             t.run.id);
    struct select_watch x = {c, &t};
    const struct rows_watch watch = {select_alive, select_first, &x};
    /* Columns are sent by the sink's first writer: until then the job is being planned or waits for slots. */
    while (res_result_state(t.result) == RES_WAITING && select_alive(&x) && !sub_stopping(s)) {
        sub_tell_waiting(s, u, t.run.id, since);
        sys_sleep_ms(2);
    }
    bool opened = res_result_state(t.result) != RES_WAITING;
    if (opened) {
        sub_step(s, "submit", "done", since, u, t.run.id, "%.*s\trun %.8s", SL_S(sub_unit_label(s, u)),
                 t.run.id);
    } else if (!sub_stopping(s)) {
        sub_step(s, "submit", "failed", since, u, t.run.id, "%.*s", SL_S(sub_unit_label(s, u)));
    }
    uint64_t rows = 0, max = s->rq->max_rows ? s->rq->max_rows : UINT64_MAX;
    enum rows_end end = ROWS_BROKEN;
    if (opened) {
        end = sub_rows(s, t.result, u->stmt->number, max, &watch, &rows);
    } else if (sub_stopping(s)) {
        end = ROWS_STOPPED;
    }
    end_select(c, &t, end, rows);
    turn_end(&t);
}

/* The job is Flink's: what was sent with it has taken effect. */
static void job_started(struct chain *c, const struct plan_unit *u, const struct run *r,
                        const struct tgt_cluster *cluster, int64_t since)
{
    struct sub *s = c->s;
    settle_pending(c);
    tracker_started(s->env->tracker, r->id, cluster, r->id);
    sub_step(s, "submit", "done", since, u, r->id, "%.*s\trun %.8s", SL_S(sub_unit_label(s, u)), r->id);
    struct started_run *st = sl_vec_add(s->arena, &s->started);
    memcpy(st->id, r->id, sizeof(st->id));
    st->unit = u;
    st->since_ms = since;
    if (u->await) {
        sub_wait_started(s);
    }
}

/* Its person has stopped it while it was sent: what Flink has taken is canceled there. */
static void end_unwanted(struct sub *s, const struct run *r, const struct tgt_cluster *sent_to)
{
    struct sl_err err = SL_ERR_INIT;
    tracker_started(s->env->tracker, r->id, sent_to, r->id);
    if (!tracker_cancel(s->env->tracker, r->id, sl_limits.cancel_ms, &err)) {
        sub_fail(s, &err);
    }
}

/* Sends a job under its id; where its answer does not come, Flink is asked, and it is sent again under the
 * same id to the same JobManager, which takes an id once. */
static void send_job(struct chain *c, const struct plan_unit *u, const struct run *r, int64_t since)
{
    struct sub *s = c->s;
    for (int again = 0; again <= SENT_AGAIN && !sub_stopping(s); again++) {
        struct turn t = {.unit = u, .action = u->n_inserts ? "set" : "insert", .run = *r, .since_ms = since};
        struct sl_err err = SL_ERR_INIT;
        turn_begin(c, &t, &err);
        if (!t.task) {
            if (err.code != SL_OK) {
                sub_fail(s, &err);
            }
            return;
        }
        sub_step(s, "submit", "running", since, u, r->id, "%.*s\trun %.8s", SL_S(sub_unit_label(s, u)),
                 r->id);
        bool waited = turn_wait(c, &t);
        sub_call_join(&t.call);
        if (!waited && t.call.ok) {
            end_unwanted(s, r, &t.call.cluster);
        } else if (!waited && !outcome_is_open(&t)) {
            tracker_finish(s->env->tracker, r->id, "CANCELED");
        } else if (outcome_is_open(&t)) {
            struct tgt_cluster sent_to = t.call.cluster.id[0] ? t.call.cluster : r->cluster;
            struct run sent = *r;
            sent.cluster = sent_to;
            enum sub_fate fate = sub_ask_fate(s, &sent, sl_limits.http_total_ms);
            if (waited && fate == SUB_NOT_THERE && again < SENT_AGAIN && !has_external(c)) {
                turn_end(&t);
                continue;
            }
            if (!waited && fate == SUB_NOT_THERE) {
                tracker_finish(s->env->tracker, r->id, "CANCELED");
            } else if (!waited && fate != SUB_LOST) {
                end_unwanted(s, r, &sent_to);
            } else if (fate == SUB_RUNS || fate == SUB_UNKNOWN) {
                job_started(c, u, r, &sent_to, since);
            } else {
                tell_submit_failed(s, &t);
                sub_lose(s, r->id,
                         t.call.err.msg[0] ? t.call.err.msg : "whether its job was started is not known");
            }
        } else if (turn_verdict(c, &t)) {
            job_started(c, u, r, &t.call.cluster, since);
        }
        turn_end(&t);
        return;
    }
}

/* A job that an owner that died has sent, or was about to send. */
static void job_again(struct chain *c, const struct plan_unit *u, struct run *r)
{
    struct sub *s = c->s;
    struct tracker *tr = s->env->tracker;
    int64_t since = sys_now_ms();
    struct run now;
    if (r->flink_job[0]) { /* the owner follows it, or it has ended */
        if (!tracker_get(tr, r->id, &now)) {
            now = *r;
        }
        settle_pending(c);
        if (now.ended) {
            sub_tell_end(s, &now, u, since);
        } else {
            job_started(c, u, r, &r->cluster, since);
        }
        return;
    }
    if (r->ended) {
        sub_tell_end(s, r, u, since);
        return;
    }
    tracker_add(tr, s->opened.submission, r);
    switch (sub_ask_fate(s, r, sl_limits.http_total_ms)) {
    case SUB_RUNS:
    case SUB_UNKNOWN:
        job_started(c, u, r, &r->cluster, since);
        break;
    case SUB_NOT_THERE:
        send_job(c, u, r, since);
        break;
    default:
        sub_lose(s, r->id,
                 "the JobManager that it was sent to has ended before it said whether the job runs");
        break;
    }
}

static void session_job(struct chain *c, const struct plan_unit *u)
{
    struct sub *s = c->s;
    struct run r, *past = sub_past_run(s, u);
    if (past) {
        job_again(c, u, past);
        return;
    }
    struct sl_err err = SL_ERR_INIT;
    struct tgt_cluster now; /* it may have been started again since the last statement */
    if (!s->target->ops->ready(s->target, TGT_SESSION, NULL, NULL, &now, &err)) {
        sub_fail(s, &err);
        return;
    }
    s->cluster = now;
    if (sub_intend(s, u, u->n_inserts ? "STATEMENT SET" : "INSERT", &r)) {
        send_job(c, u, &r, sys_now_ms());
    }
}

/* The SELECT of a submission that goes on: its rows were for a client that has gone. */
static void select_again(struct chain *c, const struct plan_unit *u)
{
    const struct run *r = sub_past_run(c->s, u);
    struct sl_err err = SL_ERR_INIT;
    if (r && r->ended && strcmp(r->state, "FINISHED") == 0) {
        settle_pending(c);
        return;
    }
    sl_fail(&err, SL_OWNER, "the owner of the data folder ended before line %u: its rows have nowhere to go",
            u->stmt->pos.line);
    sub_fail(c->s, &err);
}

/* Answers, and what is pending alone (unit NULL). */
static void session_answer(struct chain *c, const struct plan_unit *u)
{
    struct sub *s = c->s;
    struct turn t = {.unit = u, .action = "answer"};
    struct sl_err err = SL_ERR_INIT;
    turn_begin(c, &t, &err);
    if (!t.task) {
        if (err.code != SL_OK) {
            sub_fail(s, &err);
        }
        return;
    }
    if (turn_wait(c, &t) && turn_verdict(c, &t)) {
        settle_pending(c);
        struct res_statement_report rep;
        if (u && res_task_report(t.task, u->stmt->number, s->arena, &rep) && rep.answer) {
            sub_answer_rows(s, rep.answer, u->stmt->number);
        }
    }
    turn_end(&t);
}

void sub_session(struct sub *s)
{
    struct chain c = {.s = s};
    for (size_t i = 0; i < s->plan.n && s->exit_code == 0 && !sub_stopping(s); i++) {
        const struct plan_unit *u = &s->plan.units[i];
        switch (u->action) {
        case PLAN_SESSION:
        case PLAN_EXTERNAL:
            if (strcmp(sub_past_mark(s, u), "done") != 0) {
                sl_vec_push(s->arena, &c.pending, u);
            }
            break;
        case PLAN_ANSWER:
            if (!s->past) { /* else it was for a client that has gone */
                session_answer(&c, u);
            }
            break;
        case PLAN_SELECT:
            if (s->past) {
                select_again(&c, u);
            } else {
                session_select(&c, u);
            }
            break;
        case PLAN_LOCAL:
            if (!s->past) {
                sub_local_answer(s, u);
            }
            break;
        default:
            session_job(&c, u);
            break;
        }
    }
    if (c.pending.n && s->exit_code == 0 && !sub_stopping(s)) {
        session_answer(&c, NULL);
    }
    sub_wait_started(s);
}

bool sub_session_effects(struct sub *s)
{
    struct chain c = {.s = s};
    for (size_t i = 0; i < s->plan.n && s->exit_code == 0; i++) {
        const struct plan_unit *u = &s->plan.units[i];
        bool done = strcmp(sub_past_mark(s, u), "done") == 0;
        if (u->action == PLAN_SESSION || (u->action == PLAN_EXTERNAL && !done)) {
            sl_vec_push(s->arena, &c.pending, u);
        }
        if (u->action == PLAN_EXTERNAL && !done) {
            session_answer(&c, NULL);
        }
    }
    return s->exit_code == 0 && !sub_stopping(s);
}

bool sub_session_explain(struct sub *s, const struct plan_unit *at, const struct plan_unit *asked)
{
    struct chain c = {.s = s};
    for (const struct plan_unit *u = s->plan.units; u != at; u++) {
        if (u->action == PLAN_EXTERNAL) {
            return false;
        }
        if (u->action == PLAN_SESSION) {
            sl_vec_push(s->arena, &c.pending, u);
        }
    }
    session_answer(&c, asked);
    return s->exit_code == 0;
}
