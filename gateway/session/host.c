/* SPDX-License-Identifier: Apache-2.0
 * The host of the sessions: who may find which, one worker thread for each session that has something to do, and a keeper that
 * ends what nobody has used for long. */
#include "gateway/session/internal.h"

#include "base/limits.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define WORKER_NICE 3 /* those who ask are answered before what is asked for is worked on */

/* --- the worker of a session --------------------------------------------------------------------------------------- */

struct work {
    struct ses_host *h;
    struct session *s;
};

/* --- places for statements on a target. Under the lock. */

static bool has_room(const struct ses_host *h, const char *target)
{
    size_t n = 0;
    for (const struct session *s = h->sessions; s; s = s->next) {
        n += s->walks && strcmp(s->target, target) == 0;
    }
    return n < (size_t)sl_limits.session_statements;
}

/* Those who have waited longest get what is free on their target. */
static void give_turns(struct ses_host *h, const char *target)
{
    for (struct ses_turn *t = h->turns; t && has_room(h, target); t = t->next) {
        if (!t->given && strcmp(t->op->session->target, target) == 0) {
            t->given = t->op->session->walks = true;
            pthread_cond_signal(&t->come);
        }
    }
}

static bool given_up(const struct ses_host *h, const struct ses_op *op)
{
    return h->stopping || ses_stopping(op);
}

bool ses_place_take(struct ses_host *h, struct ses_op *op)
{
    struct ses_turn turn = {.op = op}, **p;
    struct session *mine = op->session;
    pthread_cond_init(&turn.come, NULL);
    pthread_mutex_lock(&h->lock);
    for (p = &h->turns; *p; p = &(*p)->next) {
    }
    *p = &turn;
    give_turns(h, mine->target);
    while (!turn.given && !given_up(h, op)) {
        pthread_cond_wait(&turn.come, &h->lock);
    }
    for (p = &h->turns; *p != &turn; p = &(*p)->next) {
    }
    *p = turn.next;
    bool taken = turn.given && !given_up(h, op);
    if (!taken) {
        mine->walks = false;
        give_turns(h, mine->target);
    }
    pthread_mutex_unlock(&h->lock);
    pthread_cond_destroy(&turn.come);
    return taken;
}

void ses_place_leave(struct ses_host *h, struct ses_op *op)
{
    pthread_mutex_lock(&h->lock);
    op->session->walks = false;
    give_turns(h, op->session->target);
    pthread_mutex_unlock(&h->lock);
}

/* Whoever waits for something of the operation looks again. Under the lock. */
static void tell(struct ses_host *h, const struct ses_op *op)
{
    pthread_cond_broadcast(&op->session->changed);
    for (struct ses_turn *t = h->turns; t; t = t->next) {
        if (t->op == op) {
            pthread_cond_signal(&t->come);
        }
    }
    pthread_cond_broadcast(&h->changed);
}

static void *work(void *arg)
{
    struct work *w = arg;
    struct ses_host *h = w->h;
    struct session *s = w->s;
    free(w);
    (void)setpriority(PRIO_PROCESS, 0,
                      getpriority(PRIO_PROCESS, 0) + WORKER_NICE); /* on Linux: of this thread */
    pthread_mutex_lock(&h->lock);
    while (s->waiting && !s->gone && !h->stopping) {
        struct ses_op *op = s->waiting;
        s->waiting = op->next;
        op->refs++;
        if (op->state == SES_PENDING) {
            op->state = SES_RUNNING;
            op->until_ms = op->timeout_ms ? sys_later_ms(op->timeout_ms) : 0;
            pthread_mutex_unlock(&h->lock);
            struct sl_err err = SL_ERR_INIT;
            bool ok = ses_run(h, op);
            if (!ses_keep_ended(h, op, ok, &err)) {
                ok = ses_fail(op, &err);
            }
            pthread_mutex_lock(&h->lock);
            bool unwanted = op->state != SES_RUNNING; /* canceled or closed meanwhile */
            if (!unwanted) {
                op->state = ok ? SES_FINISHED : SES_ERROR;
            }
            s->used_ms = sys_now_ms();
            if (!unwanted && ok && op->run[0]) {
                op->refs++;
                op->next_select = h->selects;
                h->selects = op;
            }
            tell(h, op);
            if (unwanted) {
                ses_keep_forget(h, op);
            }
            if (unwanted && op->run[0]) {
                pthread_mutex_unlock(&h->lock);
                ses_end_select(h, op);
                pthread_mutex_lock(&h->lock);
            }
        }
        ses_op_unref(op);
    }
    s->working = false;
    h->n_workers--;
    ses_session_unref(s, 1);
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* Under the lock. */
static bool start_worker(struct ses_host *h, struct session *s, struct sl_err *err)
{
    if (s->working) {
        return true;
    }
    struct work *w = calloc(1, sizeof(*w));
    SL_OOM_ON(!w);
    *w = (struct work){h, s};
    pthread_t t;
    pthread_attr_t at;
    pthread_attr_init(&at);
    pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED);
    int e = pthread_create(&t, &at, work, w);
    pthread_attr_destroy(&at);
    if (e != 0) {
        free(w);
        return sl_fail(err, SL_BUSY, "no thread could be started for the session");
    }
    s->working = true;
    s->refs++;
    h->n_workers++;
    return true;
}

/* --- finding ------------------------------------------------------------------------------------------------------- */

static struct session *find(struct ses_host *h, const struct ses_who *who, sl_str id, struct sl_err *err)
{
    for (struct session *s = h->sessions; s; s = s->next) {
        if (sl_str_ieqz(id, s->id) && (who->role >= AUTH_ADMIN || sl_str_eqz(who->user, s->user))) {
            s->used_ms = sys_now_ms();
            return s;
        }
    }
    sl_fail(err, SL_SESSION_UNKNOWN, "Session '%.*s' does not exist.", SL_S(id));
    return NULL;
}

struct session *ses_find(struct ses_host *h, const struct ses_who *who, sl_str id, struct sl_err *err)
{
    pthread_mutex_lock(&h->lock);
    struct session *s = find(h, who, id, err);
    if (s) {
        s->refs++;
    }
    pthread_mutex_unlock(&h->lock);
    return s;
}

static struct ses_op *find_op(struct session *s, sl_str op)
{
    struct ses_op *o = s->ops;
    while (o && !sl_str_ieqz(op, o->id)) {
        o = o->next;
    }
    return o;
}

/* One that an earlier server has ended. The lock is left meanwhile; the caller holds the session. */
static struct ses_op *find_kept(struct ses_host *h, struct session *s, sl_str id)
{
    char copy[SES_ID], session[SES_ID];
    if (!s->restored || id.n >= SES_ID) {
        return NULL;
    }
    for (size_t i = 0; i < id.n; i++) {
        copy[i] = (char)(id.p[i] >= 'A' && id.p[i] <= 'Z' ? id.p[i] + 'a' - 'A' : id.p[i]);
    }
    copy[id.n] = 0;
    memcpy(session, s->id, SES_ID);
    pthread_mutex_unlock(&h->lock);
    struct ses_op *op = ses_keep_find(h, session, copy);
    pthread_mutex_lock(&h->lock);
    struct ses_op *other = find_op(s, id); /* somebody was quicker */
    if (op && (other || s->gone)) {
        ses_op_free(op);
        op = other;
    } else if (op) {
        op->session = s;
        s->refs++;
        op->next = s->ops;
        s->ops = op;
        s->n_ops++;
    }
    return op;
}

struct ses_op *ses_find_op(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str op,
                           struct sl_err *err)
{
    pthread_mutex_lock(&h->lock);
    struct session *s = find(h, who, id, err);
    struct ses_op *o = s ? find_op(s, op) : NULL;
    if (s) {
        s->refs++;
    }
    if (s && !o) {
        o = find_kept(h, s, op);
    }
    if (o) {
        o->refs++;
    } else if (s) {
        sl_fail(err, SL_OPERATION_UNKNOWN,
                "Can not find the submitted operation in the OperationManager with the %.*s.", SL_S(op));
        if (s->restored) {
            sl_hint(err,
                    "The server was started again since the session was opened: a statement that had not "
                    "ended then has changed nothing, and may be sent again");
        }
    }
    if (s) {
        ses_session_unref(s, 1);
    }
    pthread_mutex_unlock(&h->lock);
    return o;
}

/* --- sessions ------------------------------------------------------------------------------------------------------ */

/* Clients bring the whole configuration of their machine: what is of a statement is kept. */
static bool is_wanted(sl_str key)
{
    static const char *const of[] = {"table.",  "sql-client.", "pipeline.",        "parallelism.",
                                     "sluice.", "execution.",  "restart-strategy", "state.backend"};
    static const char *const not [] = {"execution.target", "execution.attached", "pipeline.jars",
                                       "pipeline.classpaths", "table.resources.download-dir"};
    bool wanted = false;
    for (size_t i = 0; i < SL_ARRAY_LEN(of); i++) {
        wanted = wanted || sl_str_starts(key, sl_str_of(of[i]));
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(not ); i++) {
        wanted = wanted && !sl_str_eqz(key, not [i]);
    }
    return wanted;
}

static int by_key(const void *a, const void *b)
{
    return sl_str_cmp(((const struct ses_pair *)a)->key, ((const struct ses_pair *)b)->key);
}

/* Under the lock. */
static bool may_open(struct ses_host *h, sl_str user, struct sl_err *err)
{
    size_t n = 0;
    for (struct session *s = h->sessions; s; s = s->next) {
        n += sl_str_eqz(user, s->user);
    }
    if (n >= (size_t)sl_limits.user_sessions) {
        sl_fail(err, SL_LIMIT_USER, "'%.*s' has %zu sessions, as many as one user may", SL_S(user), n);
        return sl_hint(err, "limit.user-sessions      is the setting");
    }
    return true;
}

bool ses_open(struct ses_host *h, const struct ses_who *who, sl_str name, const struct ses_pair *given,
              size_t n, char ret_id[SES_ID], struct sl_err *err)
{
    struct session *s = ses_session_new();
    s->refs = 2;
    sl_arena_init(&s->arena, 0);
    ses_log_init(&s->log, &s->arena);
    ses_make_id(s->id);
    snprintf(s->name, sizeof(s->name), "%.*s", SL_S(name));
    snprintf(s->user, sizeof(s->user), "%.*s", SL_S(who->user));
    sl_str flink = h->env.flink.n ? h->env.flink : sl_str_of(sql_version_name(SQL_FLINK_DEFAULT));
    snprintf(s->flink, sizeof(s->flink), "%.*s", SL_S(flink));
    s->created_ms = sys_wall_ms();
    s->used_ms = sys_now_ms();
    for (size_t i = 0; i < n; i++) {
        if (sl_str_eqz(given[i].key, "sluice.target")) {
            snprintf(s->target, sizeof(s->target), "%.*s", SL_S(given[i].value));
        } else if (sl_str_eqz(given[i].key, "sluice.flink")) {
            snprintf(s->flink, sizeof(s->flink), "%.*s", SL_S(given[i].value));
        } else if (is_wanted(given[i].key)) {
            sl_vec_push(&s->arena, &s->config,
                        ((struct ses_pair){sl_str_dup(&s->arena, given[i].key),
                                           sl_str_dup(&s->arena, given[i].value)}));
        }
    }
    if (s->config.n) {
        qsort(s->config.v, s->config.n, sizeof(*s->config.v), by_key);
    }
    sql_version version;
    bool ok = sql_version_parse(sl_str_of(s->flink), &version, err);
    pthread_mutex_lock(&h->lock);
    if (ok && h->n_sessions >= (size_t)sl_limits.sessions) {
        ok = sl_fail(err, SL_BUSY, "there are %zu sessions already", h->n_sessions);
        sl_hint(err, "limit.sessions sets how many there may be");
    }
    ok = ok && may_open(h, who->user, err);
    h->n_sessions += ok;
    pthread_mutex_unlock(&h->lock);
    if (!ok) {
        ses_session_free(s);
        return false;
    }
    ok = ses_keep_new(h, s, err);
    pthread_mutex_lock(&h->lock);
    if (ok) {
        memcpy(ret_id, s->id, SES_ID);
        s->next = h->sessions;
        h->sessions = s;
    } else {
        h->n_sessions--;
    }
    ses_session_unref(s, ok ? 1 : 2);
    pthread_mutex_unlock(&h->lock);
    return ok;
}

bool ses_place_of(struct ses_host *h, const struct ses_who *who, sl_str id, struct sl_arena *a,
                  struct ses_place *ret, struct sl_err *err)
{
    pthread_mutex_lock(&h->lock);
    struct session *s = find(h, who, id, err);
    if (s) {
        *ret = (struct ses_place){.target = sl_str_dup(a, sl_str_of(s->target)),
                                  .flink = sl_str_dup(a, sl_str_of(s->flink)),
                                  .config = sl_new_n(a, struct ses_pair, s->config.n + 1),
                                  .n_config = s->config.n,
                                  .jars = sl_new_n(a, sl_str, s->jars.n + 1),
                                  .n_jars = s->jars.n};
        for (size_t i = 0; i < s->config.n; i++) {
            const struct ses_pair *p = &s->config.v[i];
            ret->config[i] = (struct ses_pair){sl_str_dup(a, p->key), sl_str_dup(a, p->value)};
        }
        for (size_t i = 0; i < s->jars.n; i++) {
            ret->jars[i] = sl_str_dup(a, s->jars.v[i]);
        }
    }
    pthread_mutex_unlock(&h->lock);
    return s != NULL;
}

bool ses_properties(struct ses_host *h, const struct ses_who *who, sl_str id, struct sl_arena *a,
                    struct ses_pair **ret, size_t *ret_n, struct sl_err *err)
{
    struct ses_place place;
    if (!ses_place_of(h, who, id, a, &place, err)) {
        return false;
    }
    *ret = place.config;
    *ret_n = place.n_config;
    return true;
}

bool ses_touch(struct ses_host *h, const struct ses_who *who, sl_str id, struct sl_err *err)
{
    pthread_mutex_lock(&h->lock);
    struct session *s = find(h, who, id, err);
    pthread_mutex_unlock(&h->lock);
    return s != NULL;
}

/* Ends an operation: its state, its worker's work, and, where it is a SELECT with a job, the job. Under the lock, which is
 * left meanwhile. */
static void end_op(struct ses_host *h, struct ses_op *op, enum ses_state state)
{
    bool finished = op->state == SES_FINISHED;
    op->state = state;
    __atomic_store_n(&op->stop, true, __ATOMIC_RELEASE);
    tell(h, op);
    if (finished && op->run[0]) { /* else its worker sees to that */
        op->refs++;
        pthread_mutex_unlock(&h->lock);
        ses_end_select(h, op);
        pthread_mutex_lock(&h->lock);
        ses_op_unref(op);
    }
}

/* Takes an operation out of its session. Under the lock. */
static void take_out(struct session *s, struct ses_op *op)
{
    for (struct ses_op **p = &s->ops; *p; p = &(*p)->next) {
        if (*p == op) {
            *p = op->next;
            s->waiting = s->waiting == op ? op->next : s->waiting;
            s->n_ops--;
            ses_op_unref(op);
            return;
        }
    }
}

/* Under the lock; the session is out of the list. */
static void close_ops(struct ses_host *h, struct session *s)
{
    s->gone = true;
    while (s->ops) {
        struct ses_op *op = s->ops;
        op->refs++;
        take_out(s, op);
        end_op(h, op, SES_CLOSED);
        ses_op_unref(op);
    }
}

static bool unlist(struct ses_host *h, struct session *s)
{
    for (struct session **p = &h->sessions; *p; p = &(*p)->next) {
        if (*p == s) {
            *p = s->next;
            h->n_sessions--;
            return true;
        }
    }
    return false;
}

bool ses_close(struct ses_host *h, const struct ses_who *who, sl_str id, struct sl_err *err)
{
    struct session *s = ses_find(h, who, id, err);
    if (!s) {
        return false;
    }
    bool ok = ses_keep_gone(h, s->id, err);
    pthread_mutex_lock(&h->lock);
    bool listed = ok && unlist(h, s);
    if (listed) {
        close_ops(h, s);
    }
    ses_session_unref(s, listed ? 2 : 1);
    pthread_mutex_unlock(&h->lock);
    return ok;
}

/* --- operations ---------------------------------------------------------------------------------------------------- */

/* The oldest ended operations are forgotten: clients close few of theirs. Under the lock. */
static void reap(struct session *s)
{
    struct ses_op *op = s->ops;
    while (op && s->n_ops > (size_t)sl_limits.session_operations) {
        struct ses_op *next = op->next;
        bool ended = op->state != SES_PENDING && op->state != SES_RUNNING && op->refs == 1;
        if (ended && !(op->run[0] && res_result_state(op->result) <= RES_OPEN)) {
            take_out(s, op);
        }
        op = next;
    }
}

/* Under the lock. */
static bool may_execute(struct ses_host *h, sl_str user, struct sl_err *err)
{
    size_t n = 0;
    for (struct session *s = h->sessions; s; s = s->next) {
        bool his = s->working && sl_str_eqz(user, s->user);
        for (struct ses_op *o = his ? s->ops : NULL; o; o = o->next) {
            n += o->state == SES_PENDING || o->state == SES_RUNNING;
        }
    }
    if (n >= (size_t)sl_limits.user_statements) {
        sl_fail(err, SL_LIMIT_USER, "'%.*s' has %zu statements that are not done, as many as one user may",
                SL_S(user), n);
        return sl_hint(err, "limit.user-statements      is the setting");
    }
    return true;
}

static struct ses_op *queue(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str statement,
                            const struct ses_pair *given, size_t n, int64_t timeout_ms, bool configures,
                            struct sl_err *err)
{
    struct ses_op *op = ses_op_new();
    op->refs = 2; /* the session's and the caller's */
    op->who = (struct ses_who){sl_str_dup(&op->arena, who->user), who->role};
    op->statement = sl_str_dup(&op->arena, statement);
    op->given = sl_new_n(&op->arena, struct ses_pair, n + 1);
    op->n_given = n;
    for (size_t i = 0; i < n; i++) {
        op->given[i] =
            (struct ses_pair){sl_str_dup(&op->arena, given[i].key), sl_str_dup(&op->arena, given[i].value)};
    }
    op->configures = configures;
    op->timeout_ms = timeout_ms;
    pthread_mutex_lock(&h->lock);
    struct session *s = find(h, who, id, err);
    size_t waiting = 0;
    for (struct ses_op *o = s ? s->waiting : NULL; o; o = o->next) {
        waiting++;
    }
    if (s && waiting >= (size_t)sl_limits.session_queue) {
        sl_fail(err, SL_BUSY, "%zu statements of this session wait already", waiting);
        s = NULL;
    }
    if (s && !may_execute(h, who->user, err)) {
        s = NULL;
    }
    if (!s || h->stopping || !start_worker(h, s, err)) {
        if (s && h->stopping) {
            sl_fail(err, SL_BUSY, "the server is ending");
        }
        pthread_mutex_unlock(&h->lock);
        ses_op_free(op);
        return NULL;
    }
    op->session = s;
    s->refs++;
    struct ses_op **end = &s->ops;
    while (*end) {
        end = &(*end)->next;
    }
    *end = op;
    s->waiting = s->waiting ? s->waiting : op;
    s->n_ops++;
    if (timeout_ms) {
        h->n_timed++;
        pthread_cond_broadcast(&h->changed); /* who looks at the clock looks more often */
    }
    reap(s);
    pthread_mutex_unlock(&h->lock);
    return op;
}

bool ses_execute(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str statement,
                 const struct ses_pair *given, size_t n, int64_t timeout_ms, char ret_op[SES_ID],
                 struct sl_err *err)
{
    struct ses_op *op = queue(h, who, id, statement, given, n, timeout_ms, false, err);
    if (!op) {
        return false;
    }
    memcpy(ret_op, op->id, SES_ID);
    pthread_mutex_lock(&h->lock);
    ses_op_unref(op);
    pthread_mutex_unlock(&h->lock);
    return true;
}

bool ses_configure(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str statement,
                   struct sl_arena *a, struct ses_failure *ret, struct sl_err *err)
{
    struct ses_op *op = queue(h, who, id, statement, NULL, 0, 0, true, err);
    *ret = (struct ses_failure){0};
    if (!op) {
        return false;
    }
    pthread_mutex_lock(&h->lock);
    while ((op->state == SES_PENDING || op->state == SES_RUNNING) && !h->stopping) {
        pthread_cond_wait(&op->session->changed, &h->lock);
    }
    bool ok = op->state == SES_FINISHED;
    if (op->state == SES_ERROR) {
        *ret = ses_failure_dup(&op->failure, a);
    } else if (!ok) {
        sl_fail(err, SL_CANCELLED, "the session was closed while the statement ran");
    }
    if (!op->session->gone) {
        take_out(op->session, op);
    }
    ses_op_unref(op);
    pthread_mutex_unlock(&h->lock);
    return ok;
}

bool ses_status(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str op, enum ses_state *ret,
                char ret_job[33], struct sl_err *err)
{
    struct ses_op *o = ses_find_op(h, who, id, op, err);
    if (!o) {
        return false;
    }
    pthread_mutex_lock(&h->lock);
    *ret = o->state;
    memcpy(ret_job, o->job_id, sizeof(o->job_id));
    ses_op_unref(o);
    pthread_mutex_unlock(&h->lock);
    return true;
}

bool ses_cancel(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str op, struct sl_err *err)
{
    struct ses_op *o = ses_find_op(h, who, id, op, err);
    if (!o) {
        return false;
    }
    bool ok = true;
    pthread_mutex_lock(&h->lock);
    if (o->state == SES_PENDING || o->state == SES_RUNNING || (o->state == SES_FINISHED && o->run[0])) {
        end_op(h, o, SES_CANCELED);
    } else {
        ok = sl_fail(err, SL_JOB_STATE,
                     "Failed to convert the Operation Status from %s to CANCELED for the operation %s.",
                     ses_state_names[o->state], o->id);
    }
    ses_op_unref(o);
    pthread_mutex_unlock(&h->lock);
    return ok;
}

bool ses_close_op(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str op, struct sl_err *err)
{
    struct ses_op *o = ses_find_op(h, who, id, op, err);
    if (!o) {
        return err->code == SL_OPERATION_UNKNOWN;
    }
    pthread_mutex_lock(&h->lock);
    if (!o->session->gone) {
        take_out(o->session, o);
    }
    bool ended = o->state != SES_PENDING && o->state != SES_RUNNING; /* else its worker sees to that */
    bool restored = o->session->restored;                            /* it would be found again */
    end_op(h, o, SES_CLOSED);
    pthread_mutex_unlock(&h->lock);
    bool ok = true;
    if (ended && restored) {
        ok = ses_keep_forget_now(h, o, err);
    } else if (ended) {
        ses_keep_forget(h, o);
    }
    pthread_mutex_lock(&h->lock);
    ses_op_unref(o);
    pthread_mutex_unlock(&h->lock);
    return ok;
}

/* --- the host ------------------------------------------------------------------------------------------------------ */

/* The first session that nobody has used for long and that has nothing to do; under the lock. */
static struct session *find_idle(struct ses_host *h)
{
    int64_t now = sys_now_ms();
    for (struct session *s = h->sessions; s; s = s->next) {
        if (!s->working && now - s->used_ms > sl_limits.session_idle_ms) {
            return s;
        }
    }
    return NULL;
}

/* SELECTs whose rows have all come are kept, so that they outlive the server. Under the lock, which is left meanwhile. */
static void keep_selects(struct ses_host *h)
{
    struct ses_op *list = h->selects;
    h->selects = NULL;
    while (list) {
        struct ses_op *op = list;
        list = op->next_select;
        bool wanted = op->state == SES_FINISHED && !op->session->gone;
        enum res_state state = res_result_state(op->result);
        bool busy = wanted && state == RES_COMPLETE && pthread_mutex_trylock(&op->fetching) != 0;
        if (wanted && (state <= RES_OPEN || busy)) { /* who fetches it just now may keep it, too */
            op->next_select = h->selects;
            h->selects = op;
            continue;
        }
        if (wanted && state == RES_COMPLETE) {
            pthread_mutex_unlock(&h->lock);
            ses_keep_rows(h, op);
            pthread_mutex_unlock(&op->fetching);
            pthread_mutex_lock(&h->lock);
        }
        ses_op_unref(op);
    }
}

/* Gives up what has had its time. Under the lock, which is left meanwhile. */
static void end_late(struct ses_host *h)
{
    int64_t now = sys_now_ms();
    struct ses_op *late;
    do {
        late = NULL;
        h->n_timed = 0;
        for (struct session *s = h->sessions; s; s = s->next) {
            for (struct ses_op *o = s->ops; o; o = o->next) {
                bool rows = o->state == SES_FINISHED && o->run[0] && res_result_state(o->result) <= RES_OPEN;
                bool goes = o->state == SES_PENDING || o->state == SES_RUNNING || rows;
                h->n_timed += goes && o->timeout_ms;
                if (goes && o->until_ms && now >= o->until_ms) {
                    late = o;
                }
            }
        }
        if (late) {
            sys_log(SYS_LOG_INFO, "session", "timeout", "session=%s operation=%s", late->session->id,
                    late->id);
            end_op(h, late, SES_TIMEOUT);
        }
    } while (late);
}

#define LOOK_MS   1000
#define SELECT_MS 200

static void *keep_watch(void *arg)
{
    struct ses_host *h = arg;
    int64_t next = 0;
    pthread_mutex_lock(&h->lock);
    while (!h->stopping) {
        struct session *s = find_idle(h);
        if (s) {
            struct sl_err err = SL_ERR_INIT;
            sys_log(SYS_LOG_INFO, "session", "idle", "session=%s", s->id);
            s->used_ms = sys_now_ms();
            s->refs++;
            pthread_mutex_unlock(&h->lock);
            bool ok = ses_keep_gone(h, s->id, &err);
            pthread_mutex_lock(&h->lock);
            bool listed = ok && unlist(h, s);
            if (listed) {
                close_ops(h, s);
            }
            ses_session_unref(s, listed ? 2 : 1);
            continue;
        }
        if (h->n_timed) {
            end_late(h);
        }
        if (h->selects && sys_now_ms() >= next) {
            keep_selects(h);
            next = sys_now_ms() + SELECT_MS;
        }
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        int64_t ns = until.tv_nsec + (h->selects || h->n_timed ? SELECT_MS : LOOK_MS) * INT64_C(1000000);
        until.tv_sec += ns / 1000000000;
        until.tv_nsec = ns % 1000000000;
        pthread_cond_timedwait(&h->changed, &h->lock, &until);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

struct ses_host *ses_host_new(const struct ses_env *env, struct sl_err *err)
{
    struct ses_host *h = calloc(1, sizeof(*h));
    SL_OOM_ON(!h);
    h->env = *env;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    if (!ses_keep_load(h, err)) {
        h->stopping = true;
        ses_host_free(h);
        return NULL;
    }
    SL_OOM_ON(pthread_create(&h->keeper, NULL, keep_watch, h) != 0);
    return h;
}

void ses_host_stop(struct ses_host *h)
{
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    for (struct session *s = h->sessions; s; s = s->next) {
        pthread_cond_broadcast(&s->changed);
        for (struct ses_op *o = s->ops; o; o = o->next) {
            __atomic_store_n(&o->stop, true, __ATOMIC_RELEASE);
        }
    }
    for (struct ses_turn *t = h->turns; t; t = t->next) {
        pthread_cond_signal(&t->come);
    }
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

void ses_host_free(struct ses_host *h)
{
    ses_host_stop(h);
    pthread_mutex_lock(&h->lock);
    while (h->n_workers) {
        pthread_cond_wait(&h->changed, &h->lock);
    }
    pthread_mutex_unlock(&h->lock);
    if (h->keeper) {
        pthread_join(h->keeper, NULL);
    }
    pthread_mutex_lock(&h->lock);
    keep_selects(h);
    while (h->selects) {
        struct ses_op *op = h->selects;
        h->selects = op->next_select;
        ses_op_unref(op);
    }
    while (h->sessions) {
        struct session *s = h->sessions;
        h->sessions = s->next;
        close_ops(h, s);
        ses_session_unref(s, 1);
    }
    pthread_mutex_unlock(&h->lock);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

void ses_host_figures(struct ses_host *h, struct ses_figures *ret)
{
    *ret = (struct ses_figures){0};
    pthread_mutex_lock(&h->lock);
    ret->sessions = h->n_sessions;
    for (struct session *s = h->sessions; s; s = s->next) {
        ret->working += s->working;
        ret->operations += s->n_ops;
    }
    pthread_mutex_unlock(&h->lock);
}
