/* SPDX-License-Identifier: Apache-2.0
 * Statements and the snapshots that are theirs; the tables run_start and version_request. */
#include "gateway/jobs/restore.h"

#include "gateway/jobs/artifact.h"

#include "base/digest.h"
#include "base/vec.h"
#include "gateway/jobs/savepoint.h"

#include <stdio.h>

#define RUNS_LOOKED_AT                                                                                       \
    1000 /* newest runs of a job among which its last submission with a snapshot is looked for */

const struct store_migration restore_migrations[] = {
    {"restore", 1,
     "CREATE TABLE run_start("
     " run TEXT PRIMARY KEY, job TEXT NOT NULL, digest TEXT NOT NULL, sinks TEXT NOT NULL,"
     " path TEXT NOT NULL, lenient INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
     "CREATE INDEX run_start_by_job ON run_start(job);"
     "CREATE TABLE version_request("
     " job TEXT NOT NULL, version INTEGER NOT NULL, request TEXT NOT NULL,"
     " PRIMARY KEY(job, version)) STRICT, WITHOUT ROWID;"
     "CREATE TABLE replacement("
     " id INTEGER PRIMARY KEY, job TEXT NOT NULL, key TEXT NOT NULL, old_version INTEGER NOT NULL,"
     " state TEXT NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL,"
     " reason TEXT NOT NULL) STRICT;"
     "CREATE INDEX replacement_open ON replacement(id) WHERE ended_ms = 0;"
     "CREATE TABLE replacement_run("
     " replacement INTEGER NOT NULL REFERENCES replacement(id), run TEXT NOT NULL,"
     " PRIMARY KEY(replacement, run)) STRICT, WITHOUT ROWID;"},
    {NULL, 0, NULL},
};

/* --- what a statement is ------------------------------------------------------------------------------------
 */

static void add_sink(char *to, size_t size, const struct sql_stmt *st)
{
    size_t n = strlen(to);
    snprintf(to + n, size - n, "%s%.*s", n ? ", " : "", SL_S(st->object));
}

void restore_identity_of(const struct plan_unit *u, struct restore_identity *ret)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    memset(ret, 0, sizeof(*ret));
    if (u->n_inserts) {
        for (size_t i = 0; i < u->n_inserts; i++) {
            sl_buf_puts(&b, sl_str_trim(u->inserts[i]->sql));
            sl_buf_putz(&b, ";");
            add_sink(ret->sinks, sizeof(ret->sinks), u->inserts[i]);
        }
    } else {
        sl_buf_puts(&b, sl_str_trim(u->stmt->sql));
        add_sink(ret->sinks, sizeof(ret->sinks), u->stmt);
    }
    sl_sha256_digest(sl_buf_str(&b), ret->digest);
}

void restore_match(const struct restore_identity *units, size_t n_units, const struct restore_source *sources,
                   size_t n_sources, int *ret)
{
    for (size_t i = 0; i < n_units; i++) {
        ret[i] = -1;
    }
    if (n_units == 1 && n_sources == 1) {
        ret[0] = 0;
        return;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n_units; i++) {
            for (size_t k = 0; k < n_sources && ret[i] < 0; k++) {
                bool taken = false;
                for (size_t j = 0; j < n_units; j++) {
                    taken = taken || ret[j] == (int)k;
                }
                const struct restore_identity *x = &units[i], *y = &sources[k].what;
                bool same = pass == 0 ? strcmp(x->digest, y->digest) == 0
                                      : x->sinks[0] && strcmp(x->sinks, y->sinks) == 0;
                if (!taken && same) {
                    ret[i] = (int)k;
                }
            }
        }
    }
}

/* --- runs ---------------------------------------------------------------------------------------------------
 */

struct note_arg {
    const struct run *run;
    const struct restore_start *v;
};

static bool note_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct note_arg *n = arg;
    return store_exec(tx, err,
                      "INSERT OR REPLACE INTO run_start(run, job, digest, sinks, path, lenient)"
                      " VALUES(?,?,?,?,?,?)",
                      "zzzzzi", n->run->id, n->run->job, n->v->what.digest, n->v->what.sinks, n->v->path,
                      (int64_t)n->v->lenient);
}

bool restore_note(struct store *s, const struct run *r, const struct restore_start *v, struct sl_err *err)
{
    struct note_arg n = {r, v};
    return store_write(s, note_tx, &n, err);
}

struct start_arg {
    const char *run;
    struct restore_start *ret;
    bool found;
};

static void text(const struct store_row *row, int col, char *to, size_t size)
{
    sl_str s = store_col_borrow(row, col);
    snprintf(to, size, "%.*s", SL_S(s));
}

static bool start_row(const struct store_row *row, void *ctx)
{
    struct start_arg *x = ctx;
    x->found = true;
    text(row, 0, x->ret->what.digest, sizeof(x->ret->what.digest));
    text(row, 1, x->ret->what.sinks, sizeof(x->ret->what.sinks));
    text(row, 2, x->ret->path, sizeof(x->ret->path));
    x->ret->lenient = store_col_i64(row, 3) != 0;
    return false;
}

static bool start_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct start_arg *x = arg;
    return store_query(tx, err, "SELECT digest, sinks, path, lenient FROM run_start WHERE run = ?", start_row,
                       x, NULL, "z", x->run);
}

bool restore_start_of(struct store *s, const char *run, struct restore_start *ret, struct sl_err *err)
{
    struct start_arg x = {.run = run, .ret = ret};
    memset(ret, 0, sizeof(*ret));
    return store_read(s, start_tx, &x, err) && x.found;
}

/* --- sources ------------------------------------------------------------------------------------------------
 */

struct submission_arg {
    const char *run;
    int64_t submission;
};

static bool submission_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct submission_arg *x = arg;
    return store_query_i64(tx, err, "SELECT submission FROM run WHERE id = ?", &x->submission, "z", x->run);
}

/* The newest one of the run whose files are there; those that are not are noted as gone. */
static bool newest_of(struct store *s, const struct run *r, struct snapshot *ret, bool *ret_found,
                      struct sl_err *err)
{
    struct sl_err none = SL_ERR_INIT;
    *ret_found = false;
    while (snapshot_latest(s, r->job, r->id, ret, &none)) {
        if (savepoint_is_there(ret->path)) {
            *ret_found = true;
            return true;
        }
        if (!snapshot_gone(s, ret->id, "its files are not there any more", err)) {
            return false;
        }
    }
    if (none.code != SL_OK && err) {
        *err = none;
    }
    return none.code == SL_OK;
}

bool restore_sources(struct store *s, struct ledger *l, const char *job, int64_t but, struct sl_arena *a,
                     struct restore_source **ret, size_t *ret_n, struct sl_err *err)
{
    struct run *runs;
    size_t n;
    SL_VEC(struct restore_source) list = {0};
    int64_t submission = 0;
    if (!ledger_runs(l, job, false, false, RUNS_LOOKED_AT, a, &runs, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct submission_arg x = {.run = runs[i].id};
        struct restore_source one = {.run = runs[i]};
        struct restore_start start;
        struct sl_err none = SL_ERR_INIT;
        bool found;
        if (!store_read(s, submission_tx, &x, err)) {
            return false;
        }
        if (x.submission == but) {
            continue;
        }
        if (list.n && x.submission != submission) {
            break; /* runs of one submission were made one after the other */
        }
        if (!newest_of(s, &runs[i], &one.snapshot, &found, err)) {
            return false;
        }
        if (!found) {
            continue;
        }
        if (restore_start_of(s, runs[i].id, &start, &none)) {
            one.what = start.what;
        }
        submission = x.submission;
        sl_vec_push(a, &list, one);
    }
    *ret = list.v;
    *ret_n = list.n;
    return true;
}

/* --- requests -----------------------------------------------------------------------------------------------
 */

struct request_arg {
    const char *job;
    int64_t version;
    sl_str json;
    struct sl_arena *arena;
};

static bool request_put_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct request_arg *x = arg;
    return store_exec(tx, err, "INSERT OR REPLACE INTO version_request(job, version, request) VALUES(?,?,?)",
                      "zis", x->job, x->version, x->json);
}

static void put_vars(struct sl_jw *w, const struct sl_json *vars)
{
    sl_jw_key(w, "vars");
    sl_jw_array(w);
    SL_JSON_EACH(v, vars)
    {
        bool secret = sl_json_bool(sl_json_get(v, "secret"), false);
        sl_jw_object(w);
        sl_jw_kstr(w, "name", sl_json_str(sl_json_get(v, "name"), SL_STR("")));
        if (!secret) {
            sl_jw_kstr(w, "value", sl_json_str(sl_json_get(v, "value"), SL_STR("")));
        }
        sl_jw_kstr(w, "source", sl_json_str(sl_json_get(v, "source"), SL_STR("")));
        sl_jw_kbool(w, "secret", secret);
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
}

bool restore_request_put(struct store *s, const char *job, int64_t version, const struct sl_json *params,
                         const char *const *jars, struct sl_err *err)
{
    static const char *const kept[] = {"files",    "name", "mode",  "form",           "flink", "target",
                                       "together", "jars", "owner", "resultsAddress", "config"};
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    for (size_t i = 0; i < SL_ARRAY_LEN(kept); i++) {
        const struct sl_json *v = sl_json_get(params, kept[i]);
        if (v) {
            sl_jw_key(&w, kept[i]);
            sl_jw_value(&w, v);
        }
    }
    put_vars(&w, sl_json_get(params, "vars"));
    sl_jw_key(&w, "keptJars");
    sl_jw_array(&w);
    for (size_t i = 0; jars[i]; i++) {
        sl_jw_str(&w, sl_str_of(jars[i]));
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    struct request_arg x = {.job = job, .version = version, .json = sl_buf_str(&b)};
    return store_write(s, request_put_tx, &x, err);
}

static bool request_row(const struct store_row *row, void *ctx)
{
    struct request_arg *x = ctx;
    x->json = store_col_str(row, 0, x->arena);
    return false;
}

static bool request_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct request_arg *x = arg;
    return store_query(tx, err, "SELECT request FROM version_request WHERE job = ? AND version = ?",
                       request_row, x, NULL, "zi", x->job, x->version);
}

bool restore_request_of(struct store *s, const char *job, int64_t version, struct sl_arena *a, sl_str *ret,
                        struct sl_err *err)
{
    struct request_arg x = {.job = job, .version = version, .arena = a};
    if (!store_read(s, request_tx, &x, err)) {
        return false;
    }
    *ret = x.json;
    return true;
}

bool restore_forget(struct store_tx *tx, const char *job, struct sl_err *err)
{
    return artifact_forget(tx, job, err) &&
           store_exec(tx, err, "DELETE FROM run_start WHERE job = ?", "z", job) &&
           store_exec(tx, err, "DELETE FROM version_request WHERE job = ?", "z", job) &&
           store_exec(
               tx, err,
               "DELETE FROM replacement_run WHERE replacement IN (SELECT id FROM replacement WHERE job = ?)",
               "z", job) &&
           store_exec(tx, err, "DELETE FROM replacement WHERE job = ?", "z", job);
}
