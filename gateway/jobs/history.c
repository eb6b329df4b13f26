/* SPDX-License-Identifier: Apache-2.0
 * Queries over a job's past, and its removal. */
#include "gateway/jobs/history.h"

#include "base/vec.h"
#include "gateway/jobs/restore.h"

#include <stdio.h>

#define EVENTS_BYTES ((size_t)256 << 10) /* read at once: who reads them may be slow */

struct versions_arg {
    const char *job;
    struct sl_arena *arena;
    SL_VEC(struct history_version) list;
};

static void text(const struct store_row *row, int col, char *to, size_t size)
{
    sl_str s = store_col_borrow(row, col);
    snprintf(to, size, "%.*s", SL_S(s));
}

static bool version_row(const struct store_row *row, void *ctx)
{
    struct versions_arg *x = ctx;
    struct history_version *v = sl_vec_add(x->arena, &x->list);
    v->number = store_col_i64(row, 0);
    v->made_ms = store_col_i64(row, 1);
    text(row, 2, v->digest, sizeof(v->digest));
    text(row, 3, v->made_by, sizeof(v->made_by));
    text(row, 4, v->why, sizeof(v->why));
    return true;
}

static bool versions_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct versions_arg *x = arg;
    return store_query(tx, err,
                       "SELECT v.number, v.made_ms, v.digest, v.made_by, v.why FROM version v"
                       " JOIN job j ON j.id = v.job WHERE j.project = 'default' AND j.name = ?"
                       " ORDER BY v.number DESC",
                       version_row, x, NULL, "z", x->job);
}

bool history_versions(struct store *s, const char *job, struct sl_arena *a, struct history_version **ret,
                      size_t *ret_n, struct sl_err *err)
{
    struct versions_arg x = {.job = job, .arena = a};
    if (!store_read(s, versions_tx, &x, err)) {
        return false;
    }
    *ret = x.list.v;
    *ret_n = x.list.n;
    return true;
}

struct events_arg {
    const char *run;
    int64_t since, ended;
    size_t max, bytes;
    struct sl_arena *arena;
    SL_VEC(struct history_event) list;
};

static bool event_row(const struct store_row *row, void *ctx)
{
    struct events_arg *x = ctx;
    struct history_event *e = sl_vec_add(x->arena, &x->list);
    e->number = store_col_i64(row, 0);
    e->at_ms = store_col_i64(row, 1);
    e->kind = store_col_strz(row, 2, x->arena);
    e->body = store_col_str(row, 3, x->arena);
    x->bytes += e->body.n;
    return x->bytes < EVENTS_BYTES;
}

/* One read transaction: a run that has ended here has all its events here. */
static bool events_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct events_arg *x = arg;
    return store_query_i64(tx, err, "SELECT ended FROM run WHERE id = ?", &x->ended, "z", x->run) &&
           store_query(tx, err,
                       "SELECT number, at_ms, kind, body FROM event WHERE run = ? AND number > ? ORDER BY "
                       "number LIMIT ?",
                       event_row, x, NULL, "zii", x->run, x->since, (int64_t)x->max);
}

bool history_events(struct store *s, const char *run, int64_t since, size_t max, struct sl_arena *a,
                    struct history_event **ret, size_t *ret_n, bool *ret_ended, struct sl_err *err)
{
    struct events_arg x = {
        .run = run, .since = since, .ended = 1, .max = max, .arena = a}; /* ended: it was removed */
    if (!store_read(s, events_tx, &x, err)) {
        return false;
    }
    *ret = x.list.v;
    *ret_n = x.list.n;
    *ret_ended = x.ended != 0;
    return true;
}

struct job_arg {
    const char *job;
    int64_t id;
    struct history_gone *gone;
};

static bool id_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct job_arg *x = arg;
    return store_query_i64(tx, err, "SELECT id FROM job WHERE project = 'default' AND name = ?", &x->id, "z",
                           x->job);
}

bool history_knows(struct store *s, const char *job, bool *ret, struct sl_err *err)
{
    struct job_arg x = {.job = job};
    bool ok = store_read(s, id_tx, &x, err);
    *ret = x.id != 0;
    return ok;
}

static bool forget_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct job_arg *x = arg;
    int64_t live = 0;
    if (!id_tx(tx, x, err) ||
        !store_query_i64(tx, err, "SELECT count(*) FROM run WHERE job = ? AND ended = 0", &live, "z",
                         x->job)) {
        return false;
    }
    if (!x->id) {
        sl_fail(err, SL_JOB_UNKNOWN, "there is no job '%s'", x->job);
        return sl_hint(err, "sluice job ls");
    }
    if (live) {
        sl_fail(err, SL_JOB_STATE, "%s is running: only a job that has ended can be removed", x->job);
        return sl_hint(err, "sluice job stop %s      ends it with a savepoint", x->job);
    }
    if (!store_exec(tx, err, "DELETE FROM event WHERE run IN (SELECT id FROM run WHERE job = ?)", "z",
                    x->job) ||
        !store_exec(tx, err, "DELETE FROM snapshot WHERE job = ?", "z", x->job)) {
        return false;
    }
    x->gone->snapshots = store_changes(tx);
    if (!store_exec(tx, err, "DELETE FROM run WHERE job = ?", "z", x->job)) {
        return false;
    }
    x->gone->runs = store_changes(tx);
    if (!store_exec(tx, err, "DELETE FROM version WHERE job = ?", "i", x->id)) {
        return false;
    }
    x->gone->versions = store_changes(tx);
    return restore_forget(tx, x->job, err) && store_exec(tx, err, "DELETE FROM job WHERE id = ?", "i", x->id);
}

bool history_forget(struct store *s, const char *job, struct history_gone *ret, struct sl_err *err)
{
    struct job_arg x = {.job = job, .gone = ret};
    *ret = (struct history_gone){0};
    return store_write(s, forget_tx, &x, err);
}
