/* SPDX-License-Identifier: Apache-2.0
 * Table and queries of the noun snapshot. */
#include "gateway/jobs/snapshot.h"

#include "base/vec.h"

#include <stdio.h>

const char *const snapshot_kind_names[] = {"checkpoint", "savepoint"};
const char *const snapshot_state_names[] = {"pending", "completed", "failed", "gone"};

const struct store_migration snapshot_migrations[] = {
    {"snapshot", 1,
     "CREATE TABLE snapshot("
     " id INTEGER PRIMARY KEY, job TEXT NOT NULL, run TEXT NOT NULL,"
     " kind INTEGER NOT NULL CHECK(kind IN (0, 1)), number INTEGER NOT NULL,"
     " state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 3), path TEXT NOT NULL, trigger_id TEXT NOT NULL,"
     " bytes INTEGER NOT NULL, duration_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
     " reason TEXT NOT NULL) STRICT;"
     "CREATE UNIQUE INDEX snapshot_number ON snapshot(run, number) WHERE kind = 0;"
     "CREATE UNIQUE INDEX snapshot_trigger ON snapshot(trigger_id) WHERE kind = 1;"
     "CREATE INDEX snapshot_by_job ON snapshot(job, at_ms);"
     "CREATE INDEX snapshot_by_run ON snapshot(run, at_ms);"
     "CREATE INDEX snapshot_open ON snapshot(id) WHERE kind = 1 AND state = 0;"},
    {NULL, 0, NULL},
};

/* --- writes ------------------------------------------------------------------------------------------------
 */

struct put_arg {
    const struct snapshot *v;
    size_t n;
};

/* What is known already stays known: a look that tells less (no path, no size) takes nothing away. */
#define PUT_UPDATE                                                                                           \
    " DO UPDATE SET state = max(state, excluded.state),"                                                     \
    " number = CASE WHEN excluded.number > 0 THEN excluded.number ELSE number END,"                          \
    " path = CASE WHEN excluded.path <> '' THEN excluded.path ELSE path END,"                                \
    " at_ms = CASE WHEN kind = 1 AND state = 0 AND excluded.state = 1 THEN excluded.at_ms ELSE at_ms END,"   \
    " bytes = max(bytes, excluded.bytes), duration_ms = max(duration_ms, excluded.duration_ms),"             \
    " reason = CASE WHEN state < excluded.state THEN excluded.reason ELSE reason END"                        \
    " WHERE state < excluded.state OR (state = excluded.state AND (path <> excluded.path OR"                 \
    " number <> excluded.number OR bytes < excluded.bytes OR duration_ms < excluded.duration_ms))"
#define PUT_INSERT                                                                                           \
    "INSERT INTO snapshot(job, run, kind, number, state, path, trigger_id, bytes, duration_ms, at_ms,"       \
    " reason) VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT"

static bool put_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct put_arg *p = arg;
    for (size_t i = 0; i < p->n; i++) {
        const struct snapshot *v = &p->v[i];
        const char *sql = v->kind == SNAPSHOT_CHECKPOINT
                              ? PUT_INSERT "(run, number) WHERE kind = 0" PUT_UPDATE
                              : PUT_INSERT "(trigger_id) WHERE kind = 1" PUT_UPDATE;
        if (!store_exec(tx, err, sql, "zziiizziiiz", v->job, v->run, (int64_t)v->kind, v->number,
                        (int64_t)v->state, v->path, v->trigger_id, v->bytes, v->duration_ms, v->at_ms,
                        v->reason)) {
            return false;
        }
    }
    return true;
}

bool snapshot_put_all(struct store *s, const struct snapshot *v, size_t n, struct sl_err *err)
{
    struct put_arg p = {v, n};
    for (size_t i = 0; i < n; i++) {
        if (v[i].kind == SNAPSHOT_SAVEPOINT && strlen(v[i].trigger_id) != 32) {
            return sl_fail(err, SL_USAGE, "a savepoint is known by its trigger id of 32 hex digits");
        }
    }
    return n == 0 || store_write(s, put_tx, &p, err);
}

bool snapshot_put(struct store *s, const struct snapshot *v, struct sl_err *err)
{
    return snapshot_put_all(s, v, 1, err);
}

struct gone_arg {
    int64_t id, keep;
    const char *run, *reason;
};

static bool gone_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct gone_arg *g = arg;
    return store_exec(tx, err, "UPDATE snapshot SET state = 3, reason = ? WHERE id = ? AND state <> 3", "zi",
                      g->reason, g->id);
}

bool snapshot_gone(struct store *s, int64_t id, const char *reason, struct sl_err *err)
{
    struct gone_arg g = {.id = id, .reason = reason};
    return store_write(s, gone_tx, &g, err);
}

static bool keep_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct gone_arg *g = arg;
    return store_exec(tx, err,
                      "UPDATE snapshot SET state = 3, reason = ?1 WHERE run = ?2 AND kind = 0 AND state = 1"
                      " AND number NOT IN (SELECT number FROM snapshot WHERE run = ?2 AND kind = 0 AND"
                      " state = 1 ORDER BY number DESC LIMIT ?3)",
                      "zzi", g->reason, g->run, g->keep);
}

bool snapshot_keep_newest(struct store *s, const char *run, int64_t keep, const char *reason,
                          struct sl_err *err)
{
    struct gone_arg g = {.run = run, .keep = SL_MAX(keep, INT64_C(0)), .reason = reason};
    return store_write(s, keep_tx, &g, err);
}

/* --- reads -------------------------------------------------------------------------------------------------
 */

struct list_arg {
    const char *job, *run;
    size_t limit;
    struct sl_arena *arena;
    SL_VEC(struct snapshot) list;
};

#define COLUMNS                                                                                              \
    "SELECT s.id, s.job, coalesce(r.version, 0), coalesce(r.statement, 0), s.run, s.kind, s.number,"         \
    " s.state, s.path, s.trigger_id, s.bytes, s.duration_ms, s.at_ms, s.reason"                              \
    " FROM snapshot s LEFT JOIN run r ON r.id = s.run "

static void text(const struct store_row *row, int col, char *to, size_t size)
{
    sl_str s = store_col_borrow(row, col);
    snprintf(to, size, "%.*s", SL_S(s));
}

static void read_row(const struct store_row *row, struct snapshot *v)
{
    v->id = store_col_i64(row, 0);
    text(row, 1, v->job, sizeof(v->job));
    v->version = store_col_i64(row, 2);
    v->statement = (uint32_t)store_col_i64(row, 3);
    text(row, 4, v->run, sizeof(v->run));
    v->kind = (enum snapshot_kind)store_col_i64(row, 5);
    v->number = store_col_i64(row, 6);
    v->state = (enum snapshot_state)store_col_i64(row, 7);
    text(row, 8, v->path, sizeof(v->path));
    text(row, 9, v->trigger_id, sizeof(v->trigger_id));
    v->bytes = store_col_i64(row, 10);
    v->duration_ms = store_col_i64(row, 11);
    v->at_ms = store_col_i64(row, 12);
    text(row, 13, v->reason, sizeof(v->reason));
}

static bool list_row(const struct store_row *row, void *ctx)
{
    struct list_arg *l = ctx;
    read_row(row, sl_vec_add(l->arena, &l->list));
    return true;
}

static bool list_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct list_arg *l = arg;
    return store_query(tx, err,
                       COLUMNS "WHERE (?1 IS NULL OR s.job = ?1) AND (?2 IS NULL OR s.run = ?2)"
                               " ORDER BY s.at_ms DESC, s.id DESC LIMIT ?3",
                       list_row, l, NULL, "zzi", l->job, l->run, (int64_t)l->limit);
}

bool snapshot_list(struct store *s, const char *job, const char *run, size_t limit, struct sl_arena *a,
                   struct snapshot **ret, size_t *ret_n, struct sl_err *err)
{
    struct list_arg l = {.job = job, .run = run, .limit = limit, .arena = a};
    if (!store_read(s, list_tx, &l, err)) {
        return false;
    }
    *ret = l.list.v;
    *ret_n = l.list.n;
    return true;
}

static bool pending_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    return store_query(tx, err, COLUMNS "WHERE s.kind = 1 AND s.state = 0 ORDER BY s.id", list_row, arg, NULL,
                       "");
}

bool snapshot_pending(struct store *s, struct sl_arena *a, struct snapshot **ret, size_t *ret_n,
                      struct sl_err *err)
{
    struct list_arg l = {.arena = a};
    if (!store_read(s, pending_tx, &l, err)) {
        return false;
    }
    *ret = l.list.v;
    *ret_n = l.list.n;
    return true;
}

struct latest_arg {
    const char *job, *run;
    struct snapshot *ret;
    bool found;
};

static bool latest_row(const struct store_row *row, void *ctx)
{
    struct latest_arg *l = ctx;
    l->found = true;
    read_row(row, l->ret);
    return false;
}

static bool latest_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct latest_arg *l = arg;
    return store_query(tx, err,
                       COLUMNS "WHERE (?1 IS NULL OR s.job = ?1) AND (?2 IS NULL OR s.run = ?2) AND"
                               " s.state = 1 AND s.path <> '' ORDER BY s.at_ms DESC, s.id DESC LIMIT 1",
                       latest_row, l, NULL, "zz", l->job, l->run);
}

bool snapshot_latest(struct store *s, const char *job, const char *run, struct snapshot *ret,
                     struct sl_err *err)
{
    struct latest_arg l = {.job = job, .run = run, .ret = ret};
    *ret = (struct snapshot){0};
    return store_read(s, latest_tx, &l, err) && l.found;
}

struct count_arg {
    const char *run;
    struct snapshot_counts *ret;
};

static bool count_row(const struct store_row *row, void *ctx)
{
    struct count_arg *c = ctx;
    int64_t *counts = store_col_i64(row, 0) == SNAPSHOT_CHECKPOINT ? c->ret->checkpoints : c->ret->savepoints;
    counts[store_col_i64(row, 1)] = store_col_i64(row, 2);
    if (counts == c->ret->checkpoints) {
        c->ret->highest = SL_MAX(c->ret->highest, store_col_i64(row, 3));
    }
    return true;
}

static bool count_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct count_arg *c = arg;
    return store_query(
        tx, err, "SELECT kind, state, count(*), max(number) FROM snapshot WHERE run = ? GROUP BY kind, state",
        count_row, c, NULL, "z", c->run);
}

bool snapshot_count(struct store *s, const char *run, struct snapshot_counts *ret, struct sl_err *err)
{
    struct count_arg c = {run, ret};
    *ret = (struct snapshot_counts){0};
    return store_read(s, count_tx, &c, err);
}
