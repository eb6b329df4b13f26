/* SPDX-License-Identifier: Apache-2.0
 * Tables of the nouns job, version, submission, run and event, and the few queries on them. */
#include "gateway/jobs/ledger_internal.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/vec.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

const struct store_migration ledger_migrations[] = {
    {"job", 1,
     "CREATE TABLE job("
     " id INTEGER PRIMARY KEY, project TEXT NOT NULL DEFAULT 'default', name TEXT NOT NULL,"
     " owner TEXT NOT NULL, labels TEXT NOT NULL DEFAULT '{}',"
     " description TEXT NOT NULL DEFAULT '', created_ms INTEGER NOT NULL, UNIQUE(project, name)) STRICT;"
     "CREATE TABLE version("
     " id INTEGER PRIMARY KEY, job INTEGER NOT NULL REFERENCES job(id), number INTEGER NOT NULL,"
     " digest TEXT NOT NULL, bundle TEXT NOT NULL,"
     " source TEXT NOT NULL, made_by TEXT NOT NULL, made_ms INTEGER NOT NULL,"
     " why TEXT NOT NULL DEFAULT '', UNIQUE(job, number)) STRICT;"
     "CREATE TABLE submission("
     " id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, job TEXT NOT NULL, version INTEGER NOT NULL,"
     " digest TEXT NOT NULL, owner TEXT NOT NULL, target TEXT NOT NULL, mode INTEGER NOT NULL,"
     " created_ms INTEGER NOT NULL, ended_ms INTEGER, ok INTEGER, result TEXT) STRICT;"
     "CREATE TABLE run("
     " id TEXT PRIMARY KEY, submission INTEGER NOT NULL REFERENCES submission(id), job TEXT NOT NULL,"
     " version INTEGER NOT NULL, statement INTEGER NOT NULL, kind TEXT NOT NULL, mode INTEGER NOT NULL,"
     " target TEXT NOT NULL, cluster TEXT NOT NULL, rest TEXT NOT NULL, incarnation TEXT NOT NULL, flink "
     "TEXT NOT NULL,"
     " flink_job TEXT NOT NULL, wanted TEXT NOT NULL, state TEXT NOT NULL, sight INTEGER NOT NULL, ended "
     "INTEGER NOT NULL,"
     " created_ms INTEGER NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, seen_ms INTEGER "
     "NOT NULL,"
     " all_running_ms INTEGER NOT NULL, facts TEXT NOT NULL, error_code TEXT NOT NULL,"
     " error TEXT NOT NULL, hint TEXT NOT NULL, place TEXT NOT NULL) STRICT;"
     "CREATE INDEX run_by_job ON run(job, created_ms);"
     "CREATE INDEX run_alive ON run(ended) WHERE ended = 0;"
     "CREATE TABLE event("
     " run TEXT NOT NULL, number INTEGER NOT NULL, at_ms INTEGER NOT NULL, kind TEXT NOT NULL,"
     " body TEXT NOT NULL, PRIMARY KEY(run, number)) STRICT, WITHOUT ROWID;"},
    {NULL, 0, NULL},
};

struct ledger *ledger_new(struct store *s)
{
    struct ledger *l = calloc(1, sizeof(*l));
    SL_OOM_ON(!l);
    l->store = s;
    return l;
}

void ledger_free(struct ledger *l)
{
    free(l);
}

struct store *ledger_store(struct ledger *l)
{
    return l->store;
}

static void col_text(const struct store_row *row, int col, char *to, size_t size)
{
    sl_str s = store_col_borrow(row, col);
    snprintf(to, size, "%.*s", SL_S(s));
}

/* --- runs --------------------------------------------------------------------------------------------------
 */

struct put_arg {
    int64_t submission;
    const struct run *r;
};

bool ledger_run_put_tx(struct store_tx *tx, int64_t submission, const struct run *r, struct sl_err *err)
{
    SL_BUF_AUTO facts;
    sl_buf_init(&facts, 0);
    run_facts_write(r, &facts);
    return store_exec(
        tx, err,
        "INSERT INTO run(id, submission, job, version, statement, kind, mode, target, cluster, rest, "
        "incarnation, flink,"
        " flink_job, wanted, state, sight, ended, created_ms, started_ms, ended_ms, seen_ms, all_running_ms, "
        "facts,"
        " error_code, error, hint, place) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT(id) DO UPDATE SET cluster=excluded.cluster, rest=excluded.rest, "
        "incarnation=excluded.incarnation,"
        " flink=excluded.flink, flink_job=excluded.flink_job, wanted=excluded.wanted, state=excluded.state,"
        " sight=excluded.sight, ended=excluded.ended, started_ms=excluded.started_ms, "
        "ended_ms=excluded.ended_ms,"
        " seen_ms=excluded.seen_ms, all_running_ms=excluded.all_running_ms, facts=excluded.facts,"
        " error_code=excluded.error_code, error=excluded.error, hint=excluded.hint, place=excluded.place",
        "ziziizizzzzzzzziiiiiiiszzzz", r->id, submission, r->job, r->version, (int64_t)r->statement, r->kind,
        (int64_t)r->mode, r->target, r->cluster.id, r->cluster.rest, r->cluster.incarnation, r->cluster.flink,
        r->flink_job, r->wanted, r->state, (int64_t)r->sight, (int64_t)r->ended, r->created_ms, r->started_ms,
        r->ended_ms, r->seen_ms, r->finish_first_ms, sl_buf_str(&facts), r->error_code, r->error, r->hint,
        r->error_place);
}

static bool put_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct put_arg *p = arg;
    return ledger_run_put_tx(tx, p->submission, p->r, err);
}

bool ledger_run_put(struct ledger *l, int64_t submission, const struct run *r, struct sl_err *err)
{
    struct put_arg p = {submission, r};
    return store_write(l->store, put_tx, &p, err);
}

struct event_arg {
    const char *run, *kind;
    sl_str json;
};

bool ledger_event_tx(struct store_tx *tx, const char *run, const char *kind, sl_str json, struct sl_err *err)
{
    return store_exec(tx, err,
                      "INSERT INTO event(run, number, at_ms, kind, body)"
                      " SELECT ?, coalesce(max(number), 0) + 1, ?, ?, ? FROM event WHERE run = ?",
                      "zizsz", run, sys_wall_ms(), kind, json, run) &&
           store_exec(tx, err,
                      "DELETE FROM event WHERE run = ? AND number <="
                      " (SELECT max(number) FROM event WHERE run = ?) - ?",
                      "zzi", run, run, (int64_t)sl_limits.events_kept);
}

static bool event_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct event_arg *e = arg;
    return ledger_event_tx(tx, e->run, e->kind, e->json, err);
}

bool ledger_event(struct ledger *l, const struct run *r, const char *kind, sl_str json, struct sl_err *err)
{
    struct event_arg e = {r->id, kind, json};
    return store_write(l->store, event_tx, &e, err);
}

struct last_event_arg {
    const char *run, *kind;
    struct sl_arena *arena;
    sl_str *json;
    int64_t *at_ms;
    bool found;
};

static bool last_event_row(const struct store_row *row, void *ctx)
{
    struct last_event_arg *e = ctx;
    e->found = true;
    *e->json = store_col_str(row, 0, e->arena);
    *e->at_ms = store_col_i64(row, 1);
    return false;
}

static bool last_event_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct last_event_arg *e = arg;
    return store_query(
        tx, err, "SELECT body, at_ms FROM event WHERE run = ? AND kind = ? ORDER BY number DESC LIMIT 1",
        last_event_row, e, NULL, "zz", e->run, e->kind);
}

bool ledger_last_event(struct ledger *l, const char *run, const char *kind, struct sl_arena *a,
                       sl_str *ret_json, int64_t *ret_at_ms, struct sl_err *err)
{
    struct last_event_arg e = {run, kind, a, ret_json, ret_at_ms, false};
    return store_read(l->store, last_event_tx, &e, err) && e.found;
}

struct runs_arg {
    const char *job;
    bool active, interactive;
    size_t limit;
    struct sl_arena *arena;
    SL_VEC(struct run) runs;
};

static void read_run(const struct store_row *row, struct run *r)
{
    col_text(row, 0, r->id, sizeof(r->id));
    col_text(row, 1, r->job, sizeof(r->job));
    r->version = store_col_i64(row, 2);
    r->statement = (uint32_t)store_col_i64(row, 3);
    col_text(row, 4, r->kind, sizeof(r->kind));
    r->mode = (enum tgt_mode)store_col_i64(row, 5);
    col_text(row, 6, r->target, sizeof(r->target));
    col_text(row, 7, r->cluster.id, sizeof(r->cluster.id));
    col_text(row, 8, r->cluster.rest, sizeof(r->cluster.rest));
    col_text(row, 9, r->cluster.incarnation, sizeof(r->cluster.incarnation));
    col_text(row, 10, r->cluster.flink, sizeof(r->cluster.flink));
    col_text(row, 11, r->flink_job, sizeof(r->flink_job));
    col_text(row, 12, r->wanted, sizeof(r->wanted));
    col_text(row, 13, r->state, sizeof(r->state));
    r->sight = (enum run_sight)store_col_i64(row, 14);
    r->ended = store_col_i64(row, 15) != 0;
    r->created_ms = store_col_i64(row, 16);
    r->started_ms = store_col_i64(row, 17);
    r->ended_ms = store_col_i64(row, 18);
    r->seen_ms = store_col_i64(row, 19);
    r->finish_first_ms = store_col_i64(row, 20);
    run_facts_read(r, store_col_borrow(row, 21));
    col_text(row, 22, r->error_code, sizeof(r->error_code));
    col_text(row, 23, r->error, sizeof(r->error));
    col_text(row, 24, r->hint, sizeof(r->hint));
    col_text(row, 25, r->error_place, sizeof(r->error_place));
}

#define RUN_COLUMNS                                                                                          \
    "SELECT id, job, version, statement, kind, mode, target, cluster, rest, incarnation, flink, flink_job, " \
    "wanted, state,"                                                                                         \
    " sight, ended, created_ms, started_ms, ended_ms, seen_ms, all_running_ms, facts, error_code, error, "   \
    "hint, place FROM run "

static bool runs_row(const struct store_row *row, void *ctx)
{
    struct runs_arg *a = ctx;
    read_run(row, sl_vec_add(a->arena, &a->runs));
    return true;
}

static bool runs_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct runs_arg *a = arg;
    return store_query(
        tx, err,
        RUN_COLUMNS "WHERE (?1 IS NULL OR job = ?1) AND (ended = 0 OR ?2 = 0) AND (job <> '' OR ?3 = 1)"
                    " ORDER BY created_ms DESC, rowid DESC LIMIT ?4",
        runs_row, a, NULL, "ziii", a->job, (int64_t)a->active, (int64_t)a->interactive, (int64_t)a->limit);
}

bool ledger_runs(struct ledger *l, const char *job, bool active, bool interactive, size_t limit,
                 struct sl_arena *a, struct run **ret, size_t *ret_n, struct sl_err *err)
{
    struct runs_arg r = {
        .job = job, .active = active, .interactive = interactive, .limit = limit, .arena = a};
    if (!store_read(l->store, runs_tx, &r, err)) {
        return false;
    }
    *ret = r.runs.v;
    *ret_n = r.runs.n;
    return true;
}

struct page_arg {
    const struct ledger_page *page;
    struct runs_arg runs;
};

static bool page_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct page_arg *p = arg;
    const struct ledger_page *k = p->page;
    int64_t there = 1;
    if (k->after &&
        !store_query_i64(tx, err, "SELECT count(*) FROM run WHERE id = ?", &there, "z", k->after)) {
        return false;
    }
    if (there == 0) {
        return sl_fail(err, SL_JOB_UNKNOWN, "there is no run %s to go on behind", k->after);
    }
    return store_query(
        tx, err,
        RUN_COLUMNS
        "AS r WHERE (ended = 0 OR ?1 = 0) AND (job <> '' OR ?2 = 1)"
        " AND (?3 IS NULL OR (created_ms, rowid) < (SELECT o.created_ms, o.rowid FROM run AS o WHERE o.id = "
        "?3))"
        " AND (?4 = 0 OR job = '' OR NOT EXISTS (SELECT 1 FROM run AS n WHERE n.job = r.job AND n.statement "
        "= "
        "r.statement AND (n.ended = 0 OR ?1 = 0) AND (n.created_ms, n.rowid) > (r.created_ms, r.rowid)))"
        " ORDER BY created_ms DESC, rowid DESC LIMIT ?5",
        runs_row, &p->runs, NULL, "iizii", (int64_t)k->active, (int64_t)k->interactive, k->after,
        (int64_t)k->newest, (int64_t)k->limit + 1);
}

bool ledger_runs_page(struct ledger *l, const struct ledger_page *page, struct sl_arena *a, struct run **ret,
                      size_t *ret_n, bool *ret_more, struct sl_err *err)
{
    struct page_arg p = {.page = page, .runs = {.arena = a}};
    if (!store_read(l->store, page_tx, &p, err)) {
        return false;
    }
    *ret = p.runs.runs.v;
    *ret_more = p.runs.runs.n > page->limit;
    *ret_n = *ret_more ? page->limit : p.runs.runs.n;
    return true;
}

struct of_arg {
    int64_t submission;
    struct runs_arg runs;
};

static bool of_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct of_arg *o = arg;
    return store_query(tx, err, RUN_COLUMNS "WHERE submission = ? ORDER BY rowid", runs_row, &o->runs, NULL,
                       "i", o->submission);
}

bool ledger_runs_of(struct ledger *l, int64_t submission, struct sl_arena *a, struct run **ret, size_t *ret_n,
                    struct sl_err *err)
{
    struct of_arg o = {.submission = submission, .runs = {.arena = a}};
    if (!store_read(l->store, of_tx, &o, err)) {
        return false;
    }
    *ret = o.runs.runs.v;
    *ret_n = o.runs.runs.n;
    return true;
}

struct find_arg {
    const char *what;
    struct run *ret;
    size_t found;
    char near_name[129];
};

static bool find_row(const struct store_row *row, void *ctx)
{
    struct find_arg *f = ctx;
    if (f->found++ == 0) {
        read_run(row, f->ret);
    }
    return true;
}

static bool near_row(const struct store_row *row, void *ctx)
{
    struct find_arg *f = ctx;
    sl_str name = store_col_borrow(row, 0);
    if (sl_str_distance(name, sl_str_of(f->what), 3) <= 3) {
        snprintf(f->near_name, sizeof(f->near_name), "%.*s", SL_S(name));
        return false;
    }
    return true;
}

static bool find_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct find_arg *f = arg;
    if (!store_query(tx, err, RUN_COLUMNS "WHERE job = ? ORDER BY ended, created_ms DESC, rowid DESC LIMIT 1",
                     find_row, f, NULL, "z", f->what)) {
        return false;
    }
    if (f->found == 0 && strlen(f->what) >= 6 && strspn(f->what, "0123456789abcdef") == strlen(f->what) &&
        !store_query(tx, err, RUN_COLUMNS "WHERE substr(id, 1, length(?1)) = ?1 LIMIT 2", find_row, f, NULL,
                     "z", f->what)) {
        return false;
    }
    return f->found || store_query(tx, err, "SELECT name FROM job", near_row, f, NULL, "");
}

bool ledger_find(struct ledger *l, const char *what, struct run *ret, struct sl_err *err)
{
    struct find_arg f = {.what = what, .ret = ret};
    *ret = (struct run){0};
    if (!store_read(l->store, find_tx, &f, err)) {
        return false;
    }
    if (f.found == 1) {
        return true;
    }
    if (f.found > 1) {
        return sl_fail(err, SL_USAGE, "more than one run begins with '%s'", what);
    }
    sl_fail(err, SL_JOB_UNKNOWN, "there is no job or run '%s'", what);
    return f.near_name[0] ? sl_hint(err, "did you mean '%s'?", f.near_name) : sl_hint(err, "sluice job ls");
}

struct job_arg {
    const char *job;
    int64_t version;
    struct ledger_job *ret;
    bool found;
};

static bool job_row(const struct store_row *row, void *ctx)
{
    struct job_arg *j = ctx;
    j->found = true;
    col_text(row, 0, j->ret->owner, sizeof(j->ret->owner));
    col_text(row, 1, j->ret->digest, sizeof(j->ret->digest));
    j->ret->version_ms = store_col_i64(row, 2);
    j->ret->versions = store_col_i64(row, 3);
    return false;
}

static bool job_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct job_arg *j = arg;
    return store_query(tx, err,
                       "SELECT j.owner, v.digest, v.made_ms, (SELECT count(*) FROM version WHERE job = j.id)"
                       " FROM job j JOIN version v ON v.job = j.id WHERE j.project = 'default' AND j.name = "
                       "? AND v.number = ?",
                       job_row, j, NULL, "zi", j->job, j->version);
}

bool ledger_job(struct ledger *l, const char *job, int64_t version, struct ledger_job *ret,
                struct sl_err *err)
{
    struct job_arg j = {job, version, ret, false};
    if (!store_read(l->store, job_tx, &j, err)) {
        return false;
    }
    return j.found || sl_fail(err, SL_JOB_UNKNOWN, "there is no job '%s'", job);
}
