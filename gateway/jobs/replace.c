/* SPDX-License-Identifier: Apache-2.0
 * Replacing a running job: the record, the stop, the way back, and what is done after a crash. */
#include "gateway/jobs/replace.h"

#include "base/digest.h"
#include "base/limits.h"
#include "gateway/jobs/request.h"
#include "gateway/jobs/savepoint.h"
#include "gateway/jobs/secrets.h"
#include "gateway/jobs/submission_internal.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>

#define RUNS_MAX 1000
#define LOOK_MS  200
#define IN_FLIGHT_MS                                                                                         \
    60000 /* a main() that plans when its owner dies has started its job by then, or never will */

/* --- the record ---------------------------------------------------------------------------------------------
 */

struct begin_arg {
    const char *job, *key;
    int64_t submission, old_version;
    const struct run *runs;
    size_t n;
    int64_t id, busy;
};

static bool begin_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct begin_arg *b = arg;
    if (!store_query_i64(tx, err, "SELECT count(*) FROM replacement WHERE job = ? AND ended_ms = 0", &b->busy,
                         "z", b->job) ||
        (!b->busy && !store_query_i64(tx, err,
                                      "SELECT count(*) FROM submission WHERE job = ? AND ended_ms IS NULL"
                                      " AND id <> ?",
                                      &b->busy, "zi", b->job, b->submission))) {
        return false;
    }
    if (b->busy) {
        return true;
    }
    if (!store_exec(tx, err,
                    "INSERT INTO replacement(job, key, old_version, state, started_ms, ended_ms, reason)"
                    " VALUES(?,?,?,'stopping',?,0,'')",
                    "zzii", b->job, b->key, b->old_version, sys_wall_ms())) {
        return false;
    }
    b->id = store_last_id(tx);
    for (size_t i = 0; i < b->n; i++) {
        if (!store_exec(tx, err, "INSERT INTO replacement_run(replacement, run) VALUES(?,?)", "iz", b->id,
                        b->runs[i].id)) {
            return false;
        }
    }
    return true;
}

struct state_arg {
    int64_t id;
    const char *state, *reason;
};

static bool state_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct state_arg *x = arg;
    bool open = strcmp(x->state, "starting") == 0;
    return store_exec(tx, err, "UPDATE replacement SET state = ?, reason = ?, ended_ms = ? WHERE id = ?",
                      "zzii", x->state, x->reason, open ? INT64_C(0) : sys_wall_ms(), x->id);
}

static bool set_state(struct store *s, int64_t id, const char *state, const char *reason, struct sl_err *err)
{
    struct state_arg x = {id, state, reason};
    return store_write(s, state_tx, &x, err);
}

/* The end of a replacement is written or, at least, logged. */
static void end_record(const struct sub_env *env, int64_t id, const char *job, const char *state,
                       const char *reason)
{
    struct sl_err err = SL_ERR_INIT;
    if (!set_state(ledger_store(env->ledger), id, state, reason, &err)) {
        sys_log(SYS_LOG_ERR, "jobs", "replacement-not-saved", "job=%s state=%s error=\"%s\"", job, state,
                err.msg);
    }
    sys_log(SYS_LOG_INFO, "jobs", "replacement", "job=%s state=%s %s", job, state, reason);
}

struct list_arg {
    const char *job;
    bool open;
    size_t limit;
    struct sl_arena *arena;
    SL_VEC(struct replace_record) list;
};

static void text(const struct store_row *row, int col, char *to, size_t size)
{
    sl_str s = store_col_borrow(row, col);
    snprintf(to, size, "%.*s", SL_S(s));
}

static bool list_row(const struct store_row *row, void *ctx)
{
    struct list_arg *l = ctx;
    struct replace_record *r = sl_vec_add(l->arena, &l->list);
    r->id = store_col_i64(row, 0);
    text(row, 1, r->job, sizeof(r->job));
    text(row, 2, r->key, sizeof(r->key));
    r->old_version = store_col_i64(row, 3);
    text(row, 4, r->state, sizeof(r->state));
    r->started_ms = store_col_i64(row, 5);
    r->ended_ms = store_col_i64(row, 6);
    text(row, 7, r->reason, sizeof(r->reason));
    return true;
}

static bool list_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct list_arg *l = arg;
    return store_query(
        tx, err,
        "SELECT id, job, key, old_version, state, started_ms, ended_ms, reason FROM replacement"
        " WHERE (?1 IS NULL OR job = ?1) AND (?2 = 0 OR ended_ms = 0) ORDER BY id DESC LIMIT ?3",
        list_row, l, NULL, "zii", l->job, (int64_t)l->open, (int64_t)l->limit);
}

static bool list_records(struct store *s, struct list_arg *l, struct replace_record **ret, size_t *ret_n,
                         struct sl_err *err)
{
    if (!store_read(s, list_tx, l, err)) {
        return false;
    }
    *ret = l->list.v;
    *ret_n = l->list.n;
    return true;
}

bool replace_list(struct store *s, const char *job, size_t limit, struct sl_arena *a,
                  struct replace_record **ret, size_t *ret_n, struct sl_err *err)
{
    struct list_arg l = {.job = job, .limit = limit, .arena = a};
    return list_records(s, &l, ret, ret_n, err);
}

/* --- forward ------------------------------------------------------------------------------------------------
 */

/* What is replaced can come back only when its secrets are known: said while nothing has been stopped. */
static void mention_way_back(struct sub *s, const char *name, size_t n_runs)
{
    struct sub_request rq;
    struct sl_err err = SL_ERR_INIT;
    if (n_runs && !sub_version_request(s->env, name, s->old_version, s->rq->vars, s->arena, &rq, &err) &&
        err.code == SL_VARIABLE_UNDEFINED) {
        event_note(s->sink, "v%lld would not come back by itself: %s", (long long)s->old_version, err.msg);
    }
}

bool sub_replace_begin(struct sub *s)
{
    struct sl_err err = SL_ERR_INIT;
    struct run *runs;
    size_t n;
    const char *name = sl_arena_strdupz(s->arena, s->rq->name);
    if (!ledger_runs(s->env->ledger, name, true, false, RUNS_MAX, s->arena, &runs, &n, &err)) {
        sub_fail(s, &err);
        return false;
    }
    struct begin_arg b = {.job = name,
                          .key = sl_arena_strdupz(s->arena, s->rq->key),
                          .submission = s->opened.submission,
                          .old_version = n ? runs[0].version : 0,
                          .runs = runs,
                          .n = n};
    if (!store_write(ledger_store(s->env->ledger), begin_tx, &b, &err)) {
        sub_fail(s, &err);
        return false;
    }
    if (b.busy) {
        sl_fail(&err, SL_JOB_EXISTS, "%s is being submitted or replaced by somebody else at this moment",
                name);
        sl_hint(&err, "sluice job history %s      tells what became of it", name);
        sub_fail(s, &err);
        return false;
    }
    s->replaces = b.id;
    s->old_version = b.old_version;
    mention_way_back(s, name, n);
    s->old_runs = runs;
    s->n_old_runs = n;
    s->old = sl_new_n(s->arena, struct restore_source, n + 1);
    if (n == 0 && !s->rq->from.n && /* nothing runs: it goes on from where it ended */
        !restore_sources(ledger_store(s->env->ledger), s->env->ledger, name, s->opened.submission, s->arena,
                         &s->sources, &s->n_sources, &err)) {
        sub_fail(s, &err);
        return false;
    }
    return true;
}

static void source_of(const struct sub_env *env, const struct run *r, const struct snapshot *snapshot,
                      struct restore_source *ret)
{
    struct restore_start start;
    struct sl_err ignored = SL_ERR_INIT;
    *ret = (struct restore_source){.run = *r, .snapshot = *snapshot};
    if (restore_start_of(ledger_store(env->ledger), r->id, &start, &ignored)) {
        ret->what = start.what;
    }
}

bool sub_replace_stop(struct sub *s)
{
    struct sl_err err = SL_ERR_INIT;
    const struct savepoint_ask ask = {.stop = true};
    for (size_t i = 0; i < s->n_old_runs; i++) {
        const struct run *r = &s->old_runs[i];
        struct snapshot saved;
        int64_t since = sys_now_ms();
        if (!savepoint_take(s->env, r, &ask, &saved, &err)) {
            sub_step(s, "stop", "failed", since, NULL, r->id, "%s v%lld\trun %.8s", r->job,
                     (long long)r->version, r->id);
            sub_fail(s, &err);
            return false;
        }
        source_of(s->env, r, &saved, &s->old[s->n_old++]);
        const char *slash = strrchr(saved.path, '/');
        sub_step(s, "stop", "done", since, NULL, r->id, "%s v%lld\t%s", r->job, (long long)r->version,
                 slash ? slash + 1 : saved.path);
    }
    if (!set_state(ledger_store(s->env->ledger), s->replaces, "starting", "", &err)) {
        sub_fail(s, &err);
        return false;
    }
    if (!s->rq->from.n && s->n_old) {
        s->sources = s->old;
        s->n_sources = s->n_old;
    }
    return true;
}

/* --- back ---------------------------------------------------------------------------------------------------
 */

struct back {
    const struct sub_env *env;
    const struct event_sink *sink; /* NULL: nobody looks */
    const bool *stop;              /* may be NULL */
    const struct sql_vars *vars;   /* values of secrets that are not kept; may be NULL */
};

/* The steps of the way back are those of the call; its result is not. */
static bool back_emit(void *ctx, sl_str json)
{
    const struct back *b = ctx;
    bool result = sl_str_starts(json, SL_STR("{\"event\":\"result\""));
    return !b->sink || result || b->sink->emit(b->sink->ctx, json);
}

static bool back_cancelled(void *ctx)
{
    const struct back *b = ctx;
    return b->stop && __atomic_load_n(b->stop, __ATOMIC_ACQUIRE);
}

bool sub_version_request(const struct sub_env *env, const char *job, int64_t version,
                         const struct sql_vars *vars, struct sl_arena *a, struct sub_request *ret,
                         struct sl_err *err)
{
    sl_str json;
    char key[33];
    if (!restore_request_of(ledger_store(env->ledger), job, version, a, &json, err)) {
        return false;
    }
    if (!json.n) {
        return sl_fail(err, SL_JOB_UNKNOWN, "%s has no version %lld that could be run again", job,
                       (long long)version);
    }
    const struct sl_json *params = sl_json_parse(a, json, err);
    if (!params || !(params = secrets_fill(params, vars, job, version, a, err)) ||
        !sub_request_read(params, a, ret, err)) {
        return false;
    }
    sl_random_hex(key, 16);
    ret->key = sl_arena_printf(a, "%s", key);
    ret->version = version;
    ret->detach = true;
    return true;
}

/* Starts the old version again from the savepoints it was stopped with. */
static bool start_again(struct back *b, const char *job, int64_t version, struct restore_source *sources,
                        size_t n, struct sl_arena *a, struct sl_err *err)
{
    struct sub_request rq;
    struct sub_outcome out;
    struct event_sink sink = {.ctx = b, .emit = back_emit, .cancelled = back_cancelled};
    if (!sub_version_request(b->env, job, version, b->vars, a, &rq, err)) {
        return false;
    }
    rq.sources = sources;
    rq.n_sources = n;
    rq.beside = true;
    sub_run(b->env, &rq, &sink, a, &out);
    return out.exit_code == 0 ||
           sl_fail(err, SL_NOT_WELL, "%s v%lld could not be started again from its savepoint", job,
                   (long long)version);
}

void sub_replace_end(struct sub *s)
{
    struct back b = {.env = s->env, .sink = s->sink, .vars = s->rq->vars};
    struct sl_err err = SL_ERR_INIT;
    const char *name = sl_arena_strdupz(s->arena, s->rq->name);
    bool stopping = sub_stopping(s);
    if (s->exit_code == 0 && !stopping) {
        end_record(s->env, s->replaces, name, "done", "");
        return;
    }
    for (size_t i = 0; i < s->shown_runs.n; i++) {
        struct run r;
        if (tracker_get(s->env->tracker, s->shown_runs.v[i].id, &r) && !r.ended &&
            !tracker_cancel(s->env->tracker, r.id, sl_limits.cancel_ms, &err)) {
            /* Both must never run: what cannot be ended keeps the name. */
            sub_fail(s, &err);
            end_record(s->env, s->replaces, name, "failed", err.msg);
            return;
        }
    }
    if (s->n_old == 0) {
        end_record(s->env, s->replaces, name, "undone", "nothing was stopped");
        return;
    }
    event_note(s->sink, "back to v%lld", (long long)s->old_version);
    if (start_again(&b, name, s->old_version, s->old, s->n_old, s->arena, &err)) {
        end_record(s->env, s->replaces, name, "undone", "the new version was not well");
        return;
    }
    sl_hint(&err, "its savepoint is there: sluice job rollback %s %lld", name, (long long)s->old_version);
    sub_fail(s, &err);
    end_record(s->env, s->replaces, name, "failed", err.msg);
}

/* --- after a crash ------------------------------------------------------------------------------------------
 */

struct ids_arg {
    int64_t replacement;
    const char *key;
    struct sl_arena *arena;
    SL_VEC(const char *) ids;
};

static bool id_row(const struct store_row *row, void *ctx)
{
    struct ids_arg *x = ctx;
    sl_vec_push(x->arena, &x->ids, store_col_strz(row, 0, x->arena));
    return true;
}

static bool old_ids_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct ids_arg *x = arg;
    return store_query(tx, err, "SELECT run FROM replacement_run WHERE replacement = ?", id_row, x, NULL, "i",
                       x->replacement);
}

static bool new_ids_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct ids_arg *x = arg;
    return store_query(tx, err,
                       "SELECT r.id FROM run r JOIN submission s ON s.id = r.submission WHERE s.key = ?",
                       id_row, x, NULL, "z", x->key);
}

/* The savepoint that this run was stopped with; waits for one that is under way. False: it was not stopped (it
 * still runs, or it ended without one). */
static bool was_stopped(struct back *b, const struct run *r, struct snapshot *ret)
{
    SL_ARENA_AUTO a = {0};
    struct snapshot *list;
    size_t n;
    struct sl_err err = SL_ERR_INIT;
    int64_t since = sys_now_ms();
    if (!snapshot_list(ledger_store(b->env->ledger), NULL, r->id, 50, &a, &list, &n, &err)) {
        return false;
    }
    size_t i = 0;
    while (i < n && list[i].kind != SNAPSHOT_SAVEPOINT) {
        i++;
    }
    if (i == n) {
        return false;
    }
    *ret = list[i];
    while (ret->state == SNAPSHOT_PENDING && !savepoint_settle(b->env, r, ret)) {
        if (back_cancelled(b) || sys_now_ms() - since > sl_limits.savepoint_ms) {
            return false;
        }
        sys_sleep_ms(LOOK_MS);
    }
    struct run now = *r;
    if (ret->state == SNAPSHOT_COMPLETED) {
        tracker_wait_ended(b->env->tracker, r->id, sl_limits.cancel_ms, &now);
    }
    return ret->state == SNAPSHOT_COMPLETED && (now.ended || r->ended);
}

/* Are all of them well, as many as were to be? */
static bool are_well(struct back *b, const struct ids_arg *fresh, size_t wanted)
{
    for (size_t i = 0; i < fresh->ids.n; i++) {
        struct run r;
        struct restore_start start;
        struct sl_err ignored = SL_ERR_INIT;
        int64_t since = sys_now_ms();
        while (!tracker_wait_running(b->env->tracker, fresh->ids.v[i], LOOK_MS, &r)) {
            if (r.ended || !r.id[0] || back_cancelled(b) || sys_now_ms() - since > sl_limits.well_ms) {
                return false;
            }
        }
        if (r.ended) {
            return false;
        }
        if (restore_start_of(ledger_store(b->env->ledger), r.id, &start, &ignored) && start.path[0] &&
            !r.last.restored_from[0]) {
            return false;
        }
    }
    return fresh->ids.n > 0 && fresh->ids.n == wanted;
}

static bool all_ended(struct back *b, const struct ids_arg *fresh, struct sl_err *err)
{
    for (size_t i = 0; i < fresh->ids.n; i++) {
        struct run r;
        if (tracker_get(b->env->tracker, fresh->ids.v[i], &r) && !r.ended &&
            !tracker_cancel(b->env->tracker, r.id, sl_limits.cancel_ms, err)) {
            return false;
        }
    }
    return true;
}

/* A request that was under way when the owner died may still become a job, under the id that was written down.
 * False: the owner ends. */
static bool none_comes_late(struct back *b, const struct ids_arg *fresh)
{
    for (size_t i = 0; i < fresh->ids.n; i++) {
        struct run r;
        struct tgt_job_status st = {0};
        struct sl_err ignored = SL_ERR_INIT;
        if (!ledger_find(b->env->ledger, fresh->ids.v[i], &r, &ignored) || r.mode != TGT_SESSION ||
            strcmp(r.state, "LOST") != 0) {
            continue;
        }
        struct target *t =
            b->env->target(b->env->target_ctx, sl_str_of(r.target), sl_str_of(r.cluster.flink), &ignored);
        while (t && sys_wall_ms() - r.created_ms < IN_FLIGHT_MS) {
            if (back_cancelled(b)) {
                return false;
            }
            bool seen = t->ops->status(t, &r.cluster, r.id, &st, &ignored);
            if (seen && !st.gone && !st.terminal && !t->ops->cancel(t, &r.cluster, r.id, &ignored)) {
                sys_log(SYS_LOG_WARN, "jobs", "cancel-late", "run=%s", r.id);
            }
            if (seen && st.terminal) {
                break;
            }
            sys_sleep_ms(LOOK_MS);
        }
    }
    return true;
}

/* An owner before this one had started the old version again when it died: that one is kept. */
static bool started_before(struct back *b, const struct replace_record *rec, const struct ids_arg *old,
                           struct sl_arena *a)
{
    struct run *runs;
    size_t n;
    struct sl_err err = SL_ERR_INIT;
    if (!ledger_runs(b->env->ledger, rec->job, true, false, RUNS_MAX, a, &runs, &n, &err)) {
        return false;
    }
    bool again = false;
    for (size_t i = 0; i < n; i++) {
        bool is_old = false;
        for (size_t k = 0; k < old->ids.n; k++) {
            is_old = is_old || strcmp(old->ids.v[k], runs[i].id) == 0;
        }
        again = again || !is_old;
    }
    if (again) {
        end_record(b->env, rec->id, rec->job, "undone", "the owner ended in the middle of it");
    }
    return again;
}

static void recover(struct back *b, const struct replace_record *rec)
{
    SL_ARENA_AUTO a = {0};
    struct store *store = ledger_store(b->env->ledger);
    struct sl_err err = SL_ERR_INIT;
    struct ids_arg old = {.replacement = rec->id, .arena = &a}, fresh = {.key = rec->key, .arena = &a};
    if (!store_read(store, old_ids_tx, &old, &err) || !store_read(store, new_ids_tx, &fresh, &err)) {
        return;
    }
    struct restore_source *sources = sl_new_n(&a, struct restore_source, old.ids.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < old.ids.n; i++) {
        struct run r;
        struct snapshot saved;
        if (ledger_find(b->env->ledger, old.ids.v[i], &r, &err) && was_stopped(b, &r, &saved)) {
            source_of(b->env, &r, &saved, &sources[n++]);
        }
    }
    if (back_cancelled(b)) {
        return; /* the next owner goes on */
    }
    if (n == old.ids.n && are_well(b, &fresh, old.ids.n)) {
        end_record(b->env, rec->id, rec->job, "done", "ended by the next owner");
        return;
    }
    if (back_cancelled(b)) {
        return;
    }
    if (!all_ended(b, &fresh, &err)) {
        end_record(b->env, rec->id, rec->job, "failed", err.msg);
        return;
    }
    if (n == 0) {
        end_record(b->env, rec->id, rec->job, "undone", "the owner ended before anything was stopped");
        return;
    }
    if (!none_comes_late(b, &fresh) || started_before(b, rec, &old, &a)) {
        return;
    }
    if (start_again(b, rec->job, rec->old_version, sources, n, &a, &err)) {
        end_record(b->env, rec->id, rec->job, "undone", "the owner ended in the middle of it");
    } else if (!back_cancelled(b)) {
        end_record(b->env, rec->id, rec->job, "failed", err.msg);
    }
}

/* Savepoints that were asked for before the owner died. */
static void settle_pending(struct back *b)
{
    SL_ARENA_AUTO a = {0};
    struct snapshot *list;
    size_t n;
    struct sl_err err = SL_ERR_INIT;
    if (!snapshot_pending(ledger_store(b->env->ledger), &a, &list, &n, &err)) {
        return;
    }
    for (size_t i = 0; i < n && !back_cancelled(b); i++) {
        struct run r;
        if (ledger_find(b->env->ledger, list[i].run, &r, &err)) {
            savepoint_settle(b->env, &r, &list[i]);
        }
    }
}

void replace_recover(const struct sub_env *env, const bool *stop)
{
    SL_ARENA_AUTO a = {0};
    struct back b = {.env = env, .stop = stop};
    struct list_arg l = {.open = true, .limit = RUNS_MAX, .arena = &a};
    struct replace_record *list;
    size_t n;
    struct sl_err err = SL_ERR_INIT;
    settle_pending(&b);
    if (!list_records(ledger_store(env->ledger), &l, &list, &n, &err)) {
        sys_log(SYS_LOG_ERR, "jobs", "replacements", "error=\"%s\"", err.msg);
        return;
    }
    for (size_t i = 0; i < n && !back_cancelled(&b); i++) {
        recover(&b, &list[i]);
    }
}
