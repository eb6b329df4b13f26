/* SPDX-License-Identifier: Apache-2.0
 * Sessions in the store: one row each, one row per entry of its log. */
#include "gateway/session/internal.h"

#include "base/json.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

const struct store_migration session_migrations[] = {
    {"session", 1,
     "CREATE TABLE session("
     " id TEXT PRIMARY KEY, name TEXT NOT NULL, user TEXT NOT NULL, target TEXT NOT NULL, flink TEXT NOT "
     "NULL,"
     " catalog TEXT NOT NULL, database TEXT NOT NULL, config TEXT NOT NULL, jars TEXT NOT NULL,"
     " created_ms INTEGER NOT NULL) STRICT;"
     "CREATE TABLE session_entry("
     " session TEXT NOT NULL REFERENCES session(id) ON DELETE CASCADE, number INTEGER NOT NULL, kind INTEGER "
     "NOT NULL,"
     " sql TEXT NOT NULL, catalog TEXT NOT NULL, database TEXT NOT NULL, place TEXT NOT NULL, key TEXT NOT "
     "NULL,"
     " name TEXT NOT NULL, in_memory INTEGER NOT NULL, renames INTEGER NOT NULL,"
     " PRIMARY KEY(session, number)) STRICT;"},
    {"session", 2,
     "ALTER TABLE session ADD COLUMN gathered TEXT NOT NULL DEFAULT '';"
     "CREATE TABLE session_op("
     " seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
     " session TEXT NOT NULL REFERENCES session(id) ON DELETE CASCADE, state TEXT NOT NULL, lasting TEXT NOT "
     "NULL,"
     " run TEXT NOT NULL, job TEXT NOT NULL, is_query INTEGER NOT NULL, content INTEGER NOT NULL, zone TEXT "
     "NOT NULL,"
     " answer TEXT NOT NULL, description BLOB NOT NULL, starts TEXT NOT NULL, bytes INTEGER NOT NULL) STRICT;"
     "CREATE INDEX session_op_of ON session_op(session, seq);"
     "CREATE INDEX session_op_bytes ON session_op(bytes) WHERE bytes > 0;"
     "CREATE TABLE session_op_rows("
     " op INTEGER NOT NULL REFERENCES session_op(seq) ON DELETE CASCADE, first INTEGER NOT NULL,"
     " count INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(op, first)) STRICT;"},
    {NULL, 0, NULL},
};

static sl_str list_json(struct sl_buf *b, const sl_str *v, size_t n)
{
    struct sl_jw w;
    sl_buf_init(b, 0);
    sl_jw_init(&w, b);
    sl_jw_array(&w);
    for (size_t i = 0; i < n; i++) {
        sl_jw_str(&w, v[i]);
    }
    sl_jw_end_array(&w);
    return sl_buf_str(b);
}

static sl_str config_json(struct sl_buf *b, const struct session *s)
{
    struct sl_jw w;
    sl_buf_init(b, 0);
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    for (size_t i = 0; i < s->config.n; i++) {
        sl_jw_keys(&w, s->config.v[i].key);
        sl_jw_str(&w, s->config.v[i].value);
    }
    sl_jw_end_object(&w);
    return sl_buf_str(b);
}

bool ses_keep_tx(struct store_tx *tx, const struct session *s, const struct ses_change *change,
                 struct sl_err *err)
{
    SL_BUF_AUTO config, jars, gathered;
    sl_str c = config_json(&config, s), j = list_json(&jars, s->jars.v, s->jars.n);
    sl_str g = list_json(&gathered, s->gathered.v, s->gathered.n);
    if (!store_exec(
            tx, err,
            "UPDATE session SET catalog = ?, database = ?, config = ?, jars = ?, gathered = ? WHERE id "
            "= ?",
            "sssssz", s->log.catalog, s->log.database, c, j, s->gathers ? g : SL_STR(""), s->id)) {
        return false;
    }
    for (size_t i = 0; i < change->gone.n; i++) {
        if (!store_exec(tx, err, "DELETE FROM session_entry WHERE session = ? AND number = ?", "zi", s->id,
                        change->gone.v[i])) {
            return false;
        }
    }
    if (!change->added) {
        return true;
    }
    const struct ses_entry *e = &s->log.entries.v[s->log.entries.n - 1];
    return store_exec(
        tx, err,
        "INSERT INTO session_entry(session, number, kind, sql, catalog, database, place, key, name,"
        " in_memory, renames) VALUES(?,?,?,?,?,?,?,?,?,?,?)",
        "ziissssssii", s->id, e->number, (int64_t)e->kind, e->sql, e->catalog, e->database, e->of, e->key,
        e->name, (int64_t)e->in_memory, (int64_t)e->renames);
}

static bool new_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct session *s = arg;
    SL_BUF_AUTO config;
    return store_exec(
        tx, err,
        "INSERT INTO session(id, name, user, target, flink, catalog, database, config, jars, created_ms)"
        " VALUES(?,?,?,?,?,?,?,?,'[]',?)",
        "zzzzzsssi", s->id, s->name, s->user, s->target, s->flink, s->log.catalog, s->log.database,
        config_json(&config, s), s->created_ms);
}

bool ses_keep_new(struct ses_host *h, const struct session *s, struct sl_err *err)
{
    struct session *copy = (struct session *)(uintptr_t)s; /* it is only read */
    return store_write(h->env.store, new_tx, copy, err);
}

static bool gone_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    return store_exec(tx, err, "DELETE FROM session WHERE id = ?", "z", (const char *)arg);
}

bool ses_keep_gone(struct ses_host *h, const char *id, struct sl_err *err)
{
    char copy[SES_ID];
    snprintf(copy, sizeof(copy), "%s", id);
    return store_write(h->env.store, gone_tx, copy, err);
}

static void col_text(const struct store_row *row, int col, char *to, size_t size)
{
    snprintf(to, size, "%.*s", SL_S(store_col_borrow(row, col)));
}

static bool session_row(const struct store_row *row, void *ctx)
{
    struct ses_host *h = ctx;
    struct sl_err err = SL_ERR_INIT;
    struct session *s = ses_session_new();
    s->refs = 1;
    sl_arena_init(&s->arena, 0);
    ses_log_init(&s->log, &s->arena);
    col_text(row, 0, s->id, sizeof(s->id));
    col_text(row, 1, s->name, sizeof(s->name));
    col_text(row, 2, s->user, sizeof(s->user));
    col_text(row, 3, s->target, sizeof(s->target));
    col_text(row, 4, s->flink, sizeof(s->flink));
    s->log.catalog = store_col_str(row, 5, &s->arena);
    s->log.database = store_col_str(row, 6, &s->arena);
    SL_JSON_EACH(v, sl_json_parse(&s->arena, store_col_borrow(row, 7), &err))
    {
        sl_vec_push(&s->arena, &s->config, ((struct ses_pair){v->key, v->text}));
    }
    SL_JSON_EACH(v, sl_json_parse(&s->arena, store_col_borrow(row, 8), &err))
    {
        sl_vec_push(&s->arena, &s->jars, v->text);
    }
    s->created_ms = store_col_i64(row, 9);
    s->gathers = store_col_borrow(row, 10).n > 0;
    const struct sl_json *gathered =
        s->gathers ? sl_json_parse(&s->arena, store_col_borrow(row, 10), &err) : NULL;
    SL_JSON_EACH(v, gathered)
    {
        sl_vec_push(&s->arena, &s->gathered, v->text);
    }
    s->restored = true;
    s->used_ms = sys_now_ms();
    s->next = h->sessions;
    h->sessions = s;
    h->n_sessions++;
    return true;
}

static bool entry_row(const struct store_row *row, void *ctx)
{
    struct session *s = ctx;
    struct ses_entry e = {.number = store_col_i64(row, 0),
                          .kind = (enum ses_entry_kind)store_col_i64(row, 1),
                          .sql = store_col_str(row, 2, &s->arena),
                          .catalog = store_col_str(row, 3, &s->arena),
                          .database = store_col_str(row, 4, &s->arena),
                          .of = store_col_str(row, 5, &s->arena),
                          .key = store_col_str(row, 6, &s->arena),
                          .name = store_col_str(row, 7, &s->arena),
                          .in_memory = store_col_i64(row, 8) != 0,
                          .renames = store_col_i64(row, 9) != 0};
    sl_vec_push(&s->arena, &s->log.entries, e);
    s->log.next = e.number + 1;
    return true;
}

static bool load_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct ses_host *h = arg;
    if (!store_query(tx, err,
                     "SELECT id, name, user, target, flink, catalog, database, config, jars, created_ms, "
                     "gathered FROM session",
                     session_row, h, NULL, "")) {
        return false;
    }
    for (struct session *s = h->sessions; s; s = s->next) {
        if (!store_query(tx, err,
                         "SELECT number, kind, sql, catalog, database, place, key, name, in_memory, renames"
                         " FROM session_entry WHERE session = ? ORDER BY number",
                         entry_row, s, NULL, "z", s->id)) {
            return false;
        }
    }
    return true;
}

bool ses_keep_load(struct ses_host *h, struct sl_err *err)
{
    return store_read(h->env.store, load_tx, h, err);
}
