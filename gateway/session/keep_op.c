/* SPDX-License-Identifier: Apache-2.0
 * Operations in the store. One that has ended is there with its answer, in the transaction that keeps what it changed in its
 * session, before anybody is told of its end; a SELECT as soon as all its rows are there. One whose effect lasts outside the
 * session is there before it begins, so that it is known after a kill that it may have happened; it is never done again. One
 * that is not there has changed nothing. */
#include "gateway/session/internal.h"

#include "base/json.h"
#include "base/limits.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const lasting_names[] = {"", "lasts", "job", "awaited", "makes"};

/* --- as text ------------------------------------------------------------------------------------------------------- */

static void put_failure(struct sl_jw *w, const struct ses_failure *f)
{
    sl_jw_key(w, "causes");
    sl_jw_array(w);
    for (size_t i = 0; i < f->n; i++) {
        sl_jw_array(w);
        sl_jw_str(w, f->causes[i].type);
        sl_jw_str(w, f->causes[i].message);
        sl_jw_end_array(w);
    }
    sl_jw_end_array(w);
}

static void put_table(struct sl_jw *w, const struct ses_table *t)
{
    sl_jw_key(w, "columns");
    sl_jw_array(w);
    for (size_t i = 0; i < t->n_columns; i++) {
        sl_jw_array(w);
        sl_jw_str(w, t->columns[i].name);
        sl_jw_i64(w, t->columns[i].cell);
        sl_jw_end_array(w);
    }
    sl_jw_end_array(w);
    sl_jw_key(w, "rows");
    sl_jw_array(w);
    for (size_t r = 0; r < t->rows.n; r++) {
        sl_jw_array(w);
        for (size_t i = 0; i < t->n_columns; i++) {
            const struct ses_cell *c = &t->rows.v[r][i];
            if (t->columns[i].cell != SES_STRING) {
                sl_jw_i64(w, c->number);
            } else if (c->text.p) {
                sl_jw_str(w, c->text);
            } else {
                sl_jw_null(w);
            }
        }
        sl_jw_end_array(w);
    }
    sl_jw_end_array(w);
}

static void read_failure(struct ses_op *op, const struct sl_json *causes)
{
    struct ses_cause *c = sl_new_n(&op->arena, struct ses_cause, causes->n + 1);
    size_t n = 0;
    SL_JSON_EACH(v, causes)
    {
        c[n].type = sl_json_str(sl_json_at(v, 0), SL_STR("java.lang.Exception"));
        c[n++].message = sl_json_str(sl_json_at(v, 1), SL_STR(""));
    }
    op->failure = (struct ses_failure){c, n, SL_FLINK};
}

static void read_table(struct ses_op *op, const struct sl_json *columns, const struct sl_json *rows)
{
    struct ses_table *t = &op->table;
    t->columns = sl_new_n(&op->arena, struct ses_column, columns->n + 1);
    t->n_columns = 0;
    SL_JSON_EACH(v, columns)
    {
        struct ses_column *c = &t->columns[t->n_columns++];
        int64_t cell = sl_json_i64(sl_json_at(v, 1), SES_STRING);
        c->name = sl_json_str(sl_json_at(v, 0), SL_STR(""));
        c->cell = cell == SES_BOOLEAN ? SES_BOOLEAN : cell == SES_TIME ? SES_TIME : SES_STRING;
    }
    SL_JSON_EACH(row, rows)
    {
        struct ses_cell *cells = sl_new_n(&op->arena, struct ses_cell, t->n_columns + 1);
        size_t i = 0;
        SL_JSON_EACH(v, row)
        {
            if (i < t->n_columns) {
                cells[i].text = sl_json_str(v, SL_STR_NONE);
                cells[i++].number = sl_json_i64(v, 0);
            }
        }
        sl_vec_push(&op->arena, &t->rows, cells);
    }
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

struct keep_op {
    struct ses_host *h;
    struct ses_op *op;
    const char *state;
    bool with_op;
    sl_str answer, description, starts;
    const struct res_kept_rows *pieces;
    size_t n_pieces, bytes;
};

static bool put_rows(struct store_tx *tx, const struct keep_op *k, struct sl_err *err)
{
    int64_t seq = 0, first = 0;
    if (!store_query_i64(tx, err, "SELECT seq FROM session_op WHERE id = ?", &seq, "z", k->op->id)) {
        return false;
    }
    for (size_t i = 0; i < k->n_pieces; i++) {
        if (!store_exec(tx, err, "INSERT INTO session_op_rows(op, first, count, bytes) VALUES(?,?,?,?)",
                        "iiib", seq, first, (int64_t)k->pieces[i].count, k->pieces[i].bytes)) {
            return false;
        }
        first += k->pieces[i].count;
    }
    return true;
}

static bool put_op(struct store_tx *tx, const struct keep_op *k, struct sl_err *err)
{
    const struct ses_op *op = k->op;
    return store_exec(
               tx, err,
               "INSERT INTO session_op(id, session, state, lasting, run, job, is_query, content, zone, "
               "answer,"
               " description, starts, bytes) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
               " state = excluded.state, run = excluded.run, job = excluded.job, is_query = "
               "excluded.is_query,"
               " content = excluded.content, zone = excluded.zone, answer = excluded.answer,"
               " description = excluded.description, starts = excluded.starts, bytes = excluded.bytes",
               "zzzzzziizsbsi", op->id, op->session->id, k->state, lasting_names[op->lasting],
               op->lasting_run, op->job_id, (int64_t)op->is_query, (int64_t)op->content,
               op->zone ? op->zone : "", k->answer, k->description, k->starts, (int64_t)k->bytes) &&
           put_rows(tx, k, err) &&
           store_exec(tx, err,
                      "DELETE FROM session_op WHERE session = ? AND seq <= (SELECT seq FROM session_op"
                      " WHERE session = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)",
                      "zzi", op->session->id, op->session->id, sl_limits.session_operations);
}

static bool keep_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct keep_op *k = arg;
    const struct session *s = k->op->session;
    int64_t there = 0, kept = 0;
    if (!store_query_i64(tx, err, "SELECT 1 FROM session WHERE id = ?", &there, "z", s->id)) {
        return false;
    }
    if (!there) { /* closed meanwhile */
        return true;
    }
    if (k->op->keeps && !ses_keep_tx(tx, s, &k->op->change, err)) {
        return false;
    }
    if (!k->with_op) {
        return true;
    }
    if (k->bytes) {
        if (!store_query_i64(tx, err, "SELECT SUM(bytes) FROM session_op WHERE bytes > 0", &kept, "")) {
            return false;
        }
        if (kept + (int64_t)k->bytes > (int64_t)sl_limits.session_kept_total) {
            return sl_fail(err, SL_BUSY, "limit.session-kept-total is reached");
        }
    }
    return put_op(tx, k, err);
}

/* The rows of a complete result, in pieces; false: more than may be kept, or they are not all there any more. */
static bool take_rows(struct keep_op *k, struct sl_arena *a)
{
    struct res_result *r = k->op->result;
    if (res_result_state(r) != RES_COMPLETE) {
        return false;
    }
    SL_VEC(struct res_kept_rows) pieces = {0};
    struct res_reader *rd = res_reader_new(r, 0, false);
    struct res_rows rows;
    uint64_t next = 0;
    bool fits = true;
    k->description = res_result_description(r, a);
    while (fits && res_reader_wait(rd, 0, &rows)) {
        k->bytes += rows.n;
        fits = rows.first == next && k->bytes <= (size_t)sl_limits.session_kept_bytes;
        next = rows.first + rows.count;
        if (fits && rows.count) {
            sl_vec_push(
                a, &pieces,
                ((struct res_kept_rows){sl_str_dup(a, (sl_str){(const char *)rows.p, rows.n}), rows.count}));
        }
    }
    res_reader_free(rd);
    k->pieces = pieces.v;
    k->n_pieces = pieces.n;
    k->bytes += k->description.n;
    return fits && next == res_result_rows(r) && k->description.n > 0;
}

static sl_str starts_of(const struct ses_op *op, struct sl_arena *a)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_array(&w);
    for (size_t i = 0; i < op->starts.n; i++) {
        sl_jw_u64(&w, op->starts.v[i]);
    }
    sl_jw_end_array(&w);
    return sl_str_dup(a, sl_buf_str(&b));
}

/* What a statement that has taken effect says after a restart when its answer could not be kept. */
static void put_too_large(struct sl_jw *w)
{
    const struct ses_cause cause = {
        SL_STR("org.apache.flink.table.gateway.service.utils.SqlExecutionException"),
        SL_STR("the statement was done; its answer was too large to outlive a restart of the server")};
    put_failure(w, &(struct ses_failure){&cause, 1, SL_FLINK});
}

static bool keep(struct ses_host *h, struct ses_op *op, const char *state, bool with_op, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    SL_BUF_AUTO b;
    struct sl_jw w;
    struct keep_op k = {.h = h,
                        .op = op,
                        .state = state,
                        .with_op = with_op,
                        .description = SL_STR(""),
                        .starts = starts_of(op, &a)};
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    if (strcmp(state, "ERROR") == 0) {
        put_failure(&w, &op->failure);
    } else if (strcmp(state, "FINISHED") == 0 && op->result) {
        k.with_op = with_op && take_rows(&k, &a);
        if (!k.with_op && op->lasting != SES_LASTS_NOT) {
            k = (struct keep_op){.h = h, .op = op, .state = "ERROR", .with_op = true};
            k.description = SL_STR("");
            k.starts = SL_STR("[]");
            put_too_large(&w);
        }
    } else {
        put_table(&w, &op->table);
    }
    sl_jw_end_object(&w);
    k.answer = sl_buf_str(&b);
    if ((with_op && !k.with_op && !op->keeps) || (!with_op && !op->keeps)) {
        return true;
    }
    bool ok = store_write(h->env.store, keep_tx, &k, err);
    __atomic_store_n(&op->kept, ok && k.with_op, __ATOMIC_RELEASE);
    return ok;
}

bool ses_keep_begun(struct ses_host *h, struct ses_op *op, enum ses_lasting how, const char *run,
                    struct sl_err *err)
{
    op->lasting = how;
    snprintf(op->lasting_run, sizeof(op->lasting_run), "%s", run);
    return keep(h, op, "RUNNING", true, err);
}

bool ses_keep_ended(struct ses_host *h, struct ses_op *op, bool ok, struct sl_err *err)
{
    bool open = ok && op->run[0]; /* a SELECT: when its rows are all there */
    return keep(h, op, ok ? "FINISHED" : "ERROR", (!op->configures || op->lasting) && !open, err);
}

void ses_keep_rows(struct ses_host *h, struct ses_op *op)
{
    struct sl_err err = SL_ERR_INIT;
    if (!op->kept && !op->unkeepable && op->first_page == 0) {
        op->keeps = false; /* what it changed is there already */
        if (!keep(h, op, "FINISHED", true, &err)) {
            sys_log(SYS_LOG_WARN, "session", "keep", "operation=%s error=\"%s\"", op->id, err.msg);
        }
        op->unkeepable = !op->kept;
    }
}

static bool starts_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct keep_op *k = arg;
    return store_exec(tx, err, "UPDATE session_op SET starts = ? WHERE id = ?", "sz", k->starts, k->op->id);
}

void ses_keep_starts(struct ses_host *h, struct ses_op *op)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    if (!op->kept) {
        return;
    }
    struct keep_op k = {.op = op, .starts = starts_of(op, &a)};
    if (!store_write(h->env.store, starts_tx, &k, &err)) {
        sys_log(SYS_LOG_WARN, "session", "keep", "operation=%s error=\"%s\"", op->id, err.msg);
    }
}

/* --- forgetting ---------------------------------------------------------------------------------------------------- */

struct forget {
    struct store_job job;
    char id[SES_ID];
};

static bool forget_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    return store_exec(tx, err, "DELETE FROM session_op WHERE id = ?", "z", (const char *)arg);
}

static void forgotten(struct store_job *job)
{
    free(job); /* the first member of a struct forget */
}

void ses_keep_forget(struct ses_host *h, const struct ses_op *op)
{
    if (!__atomic_load_n(&op->kept, __ATOMIC_ACQUIRE)) {
        return;
    }
    struct forget *f = calloc(1, sizeof(*f));
    SL_OOM_ON(!f);
    memcpy(f->id, op->id, SES_ID);
    f->job = (struct store_job){.fn = forget_tx, .arg = f->id, .done = forgotten};
    if (!store_submit(h->env.store, &f->job)) { /* it goes with its session */
        free(f);
    }
}

bool ses_keep_forget_now(struct ses_host *h, struct ses_op *op, struct sl_err *err)
{
    return !__atomic_load_n(&op->kept, __ATOMIC_ACQUIRE) || store_write(h->env.store, forget_tx, op->id, err);
}

/* --- reading ------------------------------------------------------------------------------------------------------- */

struct found {
    struct ses_op *op;
    const char *session, *id;
    int64_t seq;
    char state[16];
    sl_str description;
    SL_VEC(struct res_kept_rows) pieces;
    bool is_there;
};

static bool op_row(const struct store_row *row, void *ctx)
{
    struct found *f = ctx;
    struct ses_op *op = f->op;
    struct sl_err err = SL_ERR_INIT;
    f->is_there = true;
    f->seq = store_col_i64(row, 0);
    snprintf(f->state, sizeof(f->state), "%.*s", SL_S(store_col_borrow(row, 1)));
    for (size_t i = 0; i < SL_ARRAY_LEN(lasting_names); i++) {
        if (sl_str_eqz(store_col_borrow(row, 2), lasting_names[i])) {
            op->lasting = (enum ses_lasting)i;
        }
    }
    snprintf(op->lasting_run, sizeof(op->lasting_run), "%.*s", SL_S(store_col_borrow(row, 3)));
    snprintf(op->job_id, sizeof(op->job_id), "%.*s", SL_S(store_col_borrow(row, 4)));
    op->is_query = store_col_i64(row, 5) != 0;
    op->content = store_col_i64(row, 6) != 0;
    op->zone = store_col_borrow(row, 7).n ? store_col_strz(row, 7, &op->arena) : NULL;
    const struct sl_json *answer = sl_json_parse(&op->arena, store_col_str(row, 8, &op->arena), &err);
    const struct sl_json *causes = sl_json_get(answer, "causes"), *columns = sl_json_get(answer, "columns");
    if (causes) {
        read_failure(op, causes);
    } else if (columns) {
        read_table(op, columns, sl_json_get(answer, "rows"));
    }
    f->description = store_col_str(row, 9, &op->arena);
    SL_JSON_EACH(v, sl_json_parse(&op->arena, store_col_borrow(row, 10), &err))
    {
        sl_vec_push(&op->arena, &op->starts, (uint64_t)sl_json_i64(v, 0));
    }
    return false;
}

static bool rows_row(const struct store_row *row, void *ctx)
{
    struct found *f = ctx;
    struct res_kept_rows r = {store_col_str(row, 1, &f->op->arena), (uint32_t)store_col_i64(row, 0)};
    sl_vec_push(&f->op->arena, &f->pieces, r);
    return true;
}

static bool load_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct found *f = arg;
    return store_query(tx, err,
                       "SELECT seq, state, lasting, run, job, is_query, content, zone, answer, description,"
                       " starts FROM session_op WHERE session = ? AND id = ?",
                       op_row, f, NULL, "zz", f->session, f->id) &&
           store_query(tx, err, "SELECT count, bytes FROM session_op_rows WHERE op = ? ORDER BY first",
                       rows_row, f, NULL, "i", f->seq);
}

/* It had begun when the server ended. */
static void tell_what_became(struct ses_host *h, struct ses_op *op)
{
    static const char type[] = "org.apache.flink.table.gateway.service.utils.SqlExecutionException";
    struct run r;
    struct sl_err err = SL_ERR_INIT;
    op->state = SES_ERROR;
    if (op->lasting == SES_LASTS) {
        ses_fail_java(
            op, type,
            "the server ended while this statement ran: whether it took effect is not known\nLook at "
            "what it was to change before it is sent again; it was not done twice");
        return;
    }
    bool known = ledger_find(h->env.sub.ledger, op->lasting_run, &r, &err);
    bool began = known && strcmp(r.state, "SUBMITTING") != 0 && strcmp(r.state, "LOST") != 0;
    if (!began) {
        ses_fail_java(
            op, type,
            "the server ended while job %s was started\nSHOW JOBS tells whether it runs; it was not "
            "started twice",
            op->lasting_run);
    } else if (op->lasting == SES_JOB_MAKES) {
        ses_fail_java(op, type,
                      "the server ended when job %s had been started: its table is not in the session",
                      op->lasting_run);
    } else if (op->lasting == SES_JOB_AWAITED && !(r.ended && strcmp(r.state, "FINISHED") == 0)) {
        ses_fail_java(op, type, "the server ended while job %s ran; the job is %s", op->lasting_run, r.state);
    } else {
        op->state = SES_FINISHED;
        ses_answer_job(op, op->lasting_run);
    }
}

struct ses_op *ses_keep_find(struct ses_host *h, const char *session, const char *id)
{
    struct sl_err err = SL_ERR_INIT;
    struct ses_op *op = ses_op_new();
    struct found f = {.op = op, .session = session, .id = id};
    snprintf(op->id, sizeof(op->id), "%s", id);
    bool ok = store_read(h->env.store, load_tx, &f, &err) && f.is_there;
    op->kept = true;
    op->state = strcmp(f.state, "ERROR") == 0 ? SES_ERROR : SES_FINISHED;
    if (ok && strcmp(f.state, "RUNNING") == 0) {
        tell_what_became(h, op);
    } else if (ok && f.description.n) {
        op->result = res_result_restore(h->env.sub.results, f.description, f.pieces.v, f.pieces.n, &err);
        ok = op->result != NULL;
        if (ok) {
            op->keeper = res_reader_new(op->result, 0, false);
            res_result_unref(op->result);
        }
    } else if (ok && op->state == SES_FINISHED && op->starts.n == 0) {
        for (uint64_t from = 0; from < op->table.rows.n || from == 0; from += SES_PAGE_ROWS) {
            sl_vec_push(&op->arena, &op->starts, from);
        }
        sl_vec_push(&op->arena, &op->starts, op->table.rows.n);
    }
    if (!ok) {
        if (err.msg[0]) {
            sys_log(SYS_LOG_WARN, "session", "load", "operation=%s error=\"%s\"", id, err.msg);
        }
        ses_op_free(op);
        return NULL;
    }
    return op;
}
