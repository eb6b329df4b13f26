/* SPDX-License-Identifier: Apache-2.0
 * Submissions: keys, what each key was used for, versions, recorded steps, the stored answer. Opening one is
 * one transaction: key, name and version are taken together or not at all. */
#include "gateway/jobs/ledger_internal.h"

#include "base/limits.h"
#include "base/vec.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>

const struct store_migration submission_migrations[] = {
    {"submission", 1,
     "CREATE TABLE project("
     " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner TEXT NOT NULL DEFAULT '',"
     " labels TEXT NOT NULL DEFAULT '{}', description TEXT NOT NULL DEFAULT '',"
     " created_ms INTEGER NOT NULL) STRICT;"
     "INSERT INTO project(name, created_ms) VALUES('default', unixepoch() * 1000);"
     "INSERT OR IGNORE INTO project(name, created_ms) SELECT project, min(created_ms) FROM job GROUP BY "
     "project;"
     "ALTER TABLE submission ADD COLUMN body TEXT NOT NULL DEFAULT '';"
     "CREATE INDEX submission_open ON submission(job) WHERE ended_ms IS NULL;"
     "CREATE INDEX submission_kept ON submission(ended_ms) WHERE result IS NOT NULL;"
     "CREATE INDEX run_by_submission ON run(submission);"
     "CREATE TABLE submission_step("
     " submission INTEGER NOT NULL REFERENCES submission(id), number INTEGER NOT NULL, name TEXT NOT NULL,"
     " statement INTEGER NOT NULL, state TEXT NOT NULL, run TEXT NOT NULL, start_ms INTEGER NOT NULL,"
     " end_ms INTEGER NOT NULL, bytes INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY(submission, number),"
     " UNIQUE(submission, name, statement)) STRICT, WITHOUT ROWID;"},
    {NULL, 0, NULL},
};

static void col_text(const struct store_row *row, int col, char *to, size_t size)
{
    sl_str s = store_col_borrow(row, col);
    snprintf(to, size, "%.*s", SL_S(s));
}

struct open_arg {
    const struct ledger_submission *s;
    struct ledger_opened *ret;
};

#define DIGEST_BYTES 80
static bool digest_row(const struct store_row *row, void *ctx)
{
    col_text(row, 0, ctx, DIGEST_BYTES);
    return false;
}

/* The version with this digest if it is the job's newest, else a new one. */
static bool version_for(struct store_tx *tx, const struct ledger_submission *s, int64_t now,
                        int64_t *ret_number, struct sl_err *err)
{
    int64_t job = 0, number = 0;
    char newest[DIGEST_BYTES] = "";
    if (!store_exec(
            tx, err,
            "INSERT INTO job(name, owner, created_ms) VALUES(?,?,?) ON CONFLICT(project, name) DO NOTHING",
            "zzi", s->job, s->owner, now) ||
        !store_query_i64(tx, err, "SELECT id FROM job WHERE project = 'default' AND name = ?", &job, "z",
                         s->job) ||
        !store_query_i64(tx, err, "SELECT coalesce(max(number), 0) FROM version WHERE job = ?", &number, "i",
                         job) ||
        !store_query(tx, err, "SELECT digest FROM version WHERE job = ? AND number = ?", digest_row, newest,
                     NULL, "ii", job, number)) {
        return false;
    }
    *ret_number = s->version ? s->version : number;
    if (s->version || strcmp(newest, s->digest) == 0) {
        return true;
    }
    *ret_number = number + 1;
    return store_exec(
        tx, err,
        "INSERT INTO version(job, number, digest, bundle, source, made_by, made_ms) VALUES(?,?,?,?,?,?,?)",
        "iizsszi", job, number + 1, s->digest, s->bundle, s->source, s->owner, now);
}

struct known {
    struct ledger_opened *ret;
    char body[DIGEST_BYTES];
};

static bool known_row(const struct store_row *row, void *ctx)
{
    struct known *k = ctx;
    k->ret->known = true;
    k->ret->submission = store_col_i64(row, 0);
    k->ret->version = store_col_i64(row, 1);
    k->ret->ended = !store_col_null(row, 2);
    col_text(row, 3, k->body, sizeof(k->body));
    col_text(row, 4, k->ret->job, sizeof(k->ret->job));
    return false;
}

/* Answers of long ago are forgotten, and with them the keys they were given to. */
static bool forget_old(struct store_tx *tx, int64_t now, struct sl_err *err)
{
    return store_exec(tx, err,
                      "UPDATE submission SET key = lower(hex(randomblob(24))), result = NULL"
                      " WHERE result IS NOT NULL AND ended_ms < ?",
                      "i", now - sl_limits.key_kept_ms) &&
           store_exec(tx, err,
                      "UPDATE submission SET key = lower(hex(randomblob(24))), result = NULL"
                      " WHERE result IS NOT NULL AND ended_ms < (SELECT min(ended_ms) FROM (SELECT ended_ms"
                      " FROM submission WHERE result IS NOT NULL ORDER BY ended_ms DESC LIMIT ?))",
                      "i", (int64_t)sl_limits.keys_kept);
}

static bool name_row(const struct store_row *row, void *ctx)
{
    struct ledger_opened *o = ctx;
    o->taken = true;
    col_text(row, 0, o->taken_by, sizeof(o->taken_by));
    return false;
}

/* A job lives while a run of it has not ended, or while a submission of it may still start one. */
static bool look_for_name(struct store_tx *tx, const char *job, struct ledger_opened *ret, struct sl_err *err)
{
    return store_query(tx, err,
                       "SELECT id FROM run WHERE job = ? AND ended = 0 ORDER BY created_ms DESC LIMIT 1",
                       name_row, ret, NULL, "z", job) &&
           (ret->taken ||
            store_query(tx, err, "SELECT '' FROM submission WHERE job = ? AND ended_ms IS NULL LIMIT 1",
                        name_row, ret, NULL, "z", job));
}

static bool open_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct open_arg *o = arg;
    const struct ledger_submission *s = o->s;
    int64_t now = sys_wall_ms();
    struct known k = {.ret = o->ret};
    *o->ret = (struct ledger_opened){0};
    if (!forget_old(tx, now, err) ||
        !store_query(tx, err, "SELECT id, version, ended_ms, body, job FROM submission WHERE key = ?",
                     known_row, &k, NULL, "z", s->key)) {
        return false;
    }
    if (o->ret->known) {
        o->ret->other_body = k.body[0] && s->body && strcmp(k.body, s->body) != 0;
        return true;
    }
    if (s->job[0] && !s->beside && !look_for_name(tx, s->job, o->ret, err)) {
        return false;
    }
    if (o->ret->taken) {
        return true;
    }
    if (s->job[0] && !version_for(tx, s, now, &o->ret->version, err)) {
        return false;
    }
    if (!store_exec(tx, err,
                    "INSERT INTO submission(key, job, version, digest, body, owner, target, mode, created_ms)"
                    " VALUES(?,?,?,?,?,?,?,?,?)",
                    "zzizzzzii", s->key, s->job, o->ret->version, s->digest, s->body ? s->body : "", s->owner,
                    s->target, (int64_t)s->mode, now)) {
        return false;
    }
    o->ret->submission = store_last_id(tx);
    return true;
}

bool ledger_open(struct ledger *l, const struct ledger_submission *s, struct ledger_opened *ret,
                 struct sl_err *err)
{
    struct open_arg o = {s, ret};
    return store_write(l->store, open_tx, &o, err);
}

struct close_arg {
    int64_t id;
    bool ok;
    sl_str json;
};

static bool close_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct close_arg *c = arg;
    return store_exec(tx, err, "UPDATE submission SET ended_ms = ?, ok = ?, result = ? WHERE id = ?", "iisi",
                      sys_wall_ms(), (int64_t)c->ok, c->json, c->id);
}

bool ledger_close(struct ledger *l, int64_t submission, bool ok, sl_str result_json, struct sl_err *err)
{
    struct close_arg c = {submission, ok, result_json};
    return store_write(l->store, close_tx, &c, err);
}

#define LOST_ANSWER                                                                                          \
    "{\"event\":\"result\",\"ok\":false,\"exit\":4,\"code\":\"owner\",\"jobs\":[],\"results\":[]}"

bool ledger_close_lost(struct ledger *l, int64_t submission, struct sl_err *err)
{
    return ledger_close(l, submission, false, SL_STR(LOST_ANSWER), err);
}

struct text_arg {
    const char *key;
    int64_t version;
    struct sl_arena *arena;
    sl_str *ret;
    bool found;
};

static bool text_row(const struct store_row *row, void *ctx)
{
    struct text_arg *t = ctx;
    t->found = !store_col_null(row, 0);
    *t->ret = store_col_str(row, 0, t->arena);
    return false;
}

static bool answer_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct text_arg *t = arg;
    return store_query(tx, err, "SELECT result FROM submission WHERE key = ?", text_row, t, NULL, "z",
                       t->key);
}

bool ledger_answer(struct ledger *l, const char *key, struct sl_arena *a, sl_str *ret_json)
{
    struct text_arg t = {.key = key, .arena = a, .ret = ret_json};
    struct sl_err err = SL_ERR_INIT;
    return store_read(l->store, answer_tx, &t, &err) && t.found;
}

static bool source_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct text_arg *t = arg;
    return store_query(tx, err,
                       "SELECT v.source FROM version v JOIN job j ON j.id = v.job"
                       " WHERE j.project = 'default' AND j.name = ? AND v.number = ?",
                       text_row, t, NULL, "zi", t->key, t->version);
}

bool ledger_source(struct ledger *l, const char *job, int64_t version, struct sl_arena *a, sl_str *ret,
                   struct sl_err *err)
{
    struct text_arg t = {.key = job, .version = version, .arena = a, .ret = ret};
    if (!store_read(l->store, source_tx, &t, err)) {
        return false;
    }
    return t.found || sl_fail(err, SL_JOB_UNKNOWN, "job '%s' has no version %lld", job, (long long)version);
}

/* --- steps -------------------------------------------------------------------------------------------------
 */

#define STEP_SQL                                                                                             \
    "INSERT INTO submission_step(submission, number, name, statement, state, run, start_ms, end_ms, bytes,"  \
    " text) SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM submission_step"    \
    " WHERE submission = ?1 ON CONFLICT(submission, name, statement) DO UPDATE SET state = excluded.state,"  \
    " run = excluded.run, end_ms = excluded.end_ms, bytes = excluded.bytes, text = excluded.text"

static bool step_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct ledger_step *s = arg;
    return store_exec(tx, err, STEP_SQL, "izizziiiz", s->submission, s->name, s->statement, s->state, s->run,
                      s->start_ms, s->end_ms, s->bytes, s->text);
}

bool ledger_mark(struct ledger *l, const struct ledger_step *s, struct sl_err *err)
{
    struct ledger_step copy = *s;
    return store_write(l->store, step_tx, &copy, err);
}

struct later {
    struct store_job job; /* first */
    struct ledger_step step;
};

static void step_done(struct store_job *job)
{
    if (!job->ok) {
        sys_log(SYS_LOG_WARN, "jobs", "step-not-saved", "error=\"%s\"", job->err.msg);
    }
    free(job);
}

void ledger_note_step(struct ledger *l, const struct ledger_step *s)
{
    struct later *x = calloc(1, sizeof(*x));
    SL_OOM_ON(!x);
    x->step = *s;
    x->job = (struct store_job){.fn = step_tx, .arg = &x->step, .done = step_done};
    if (!store_submit(l->store, &x->job)) {
        free(x); /* the queue is full: what is promised goes before what is told */
    }
}

struct steps_arg {
    int64_t submission;
    struct sl_arena *arena;
    SL_VEC(struct ledger_step) steps;
};

static bool step_row(const struct store_row *row, void *ctx)
{
    struct steps_arg *a = ctx;
    struct ledger_step *s = sl_vec_add(a->arena, &a->steps);
    *s = (struct ledger_step){.submission = a->submission,
                              .statement = store_col_i64(row, 1),
                              .start_ms = store_col_i64(row, 4),
                              .end_ms = store_col_i64(row, 5),
                              .bytes = store_col_i64(row, 6)};
    col_text(row, 0, s->name, sizeof(s->name));
    col_text(row, 2, s->state, sizeof(s->state));
    col_text(row, 3, s->run, sizeof(s->run));
    col_text(row, 7, s->text, sizeof(s->text));
    return true;
}

static bool steps_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct steps_arg *a = arg;
    return store_query(
        tx, err,
        "SELECT name, statement, state, run, start_ms, end_ms, bytes, text FROM submission_step"
        " WHERE submission = ? ORDER BY number",
        step_row, a, NULL, "i", a->submission);
}

bool ledger_steps(struct ledger *l, int64_t submission, struct sl_arena *a, struct ledger_step **ret,
                  size_t *ret_n, struct sl_err *err)
{
    struct steps_arg x = {.submission = submission, .arena = a};
    if (!store_read(l->store, steps_tx, &x, err)) {
        return false;
    }
    *ret = x.steps.v;
    *ret_n = x.steps.n;
    return true;
}

/* --- what an owner that died has left open -------------------------------------------------------------------
 */

struct open_list {
    struct sl_arena *arena;
    SL_VEC(struct ledger_open) list;
};

static bool open_row(const struct store_row *row, void *ctx)
{
    struct open_list *o = ctx;
    struct ledger_open *s = sl_vec_add(o->arena, &o->list);
    *s = (struct ledger_open){.id = store_col_i64(row, 0),
                              .key = store_col_strz(row, 1, o->arena),
                              .job = store_col_strz(row, 2, o->arena),
                              .version = store_col_i64(row, 3)};
    col_text(row, 4, s->body, sizeof(s->body));
    return true;
}

static bool open_list_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    return store_query(
        tx, err, "SELECT id, key, job, version, body FROM submission WHERE ended_ms IS NULL ORDER BY id",
        open_row, arg, NULL, "");
}

bool ledger_open_list(struct ledger *l, struct sl_arena *a, struct ledger_open **ret, size_t *ret_n,
                      struct sl_err *err)
{
    struct open_list o = {.arena = a};
    if (!store_read(l->store, open_list_tx, &o, err)) {
        return false;
    }
    *ret = o.list.v;
    *ret_n = o.list.n;
    return true;
}
