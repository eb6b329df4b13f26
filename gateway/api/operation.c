/* SPDX-License-Identifier: Apache-2.0
 * operation.* and result.*: a statement of a session, and its answer: page by page under numbers, or as events that go on where a
 * reader was. Values are written as in the events of a submission (docs/events.md). */
#include "gateway/api/api.h"

#include "gateway/results/encode.h"
#include "gateway/results/results.h"
#include "gateway/results/zone.h"
#include "gateway/session/session.h"
#include "sys/clock.h"

#define LOOK_MS 20 /* where a fetch came back with nothing */

struct operation {
    struct ses_host *host;
    struct ses_who who;
    sl_str session, id;
};

static bool operation_of(struct api_call *c, struct operation *ret, struct sl_err *err)
{
    *ret = (struct operation){.host = api_call_env(c)->sessions, .who = api_call_who(c)};
    return api_param_str(c, "session", SL_STR_NONE, &ret->session, err) &&
           api_param_str(c, "operation", SL_STR_NONE, &ret->id, err);
}

static bool put_state(const struct operation *o, struct sl_jw *w, struct sl_err *err)
{
    enum ses_state state;
    char job[33];
    if (!ses_status(o->host, &o->who, o->session, o->id, &state, job, err)) {
        return false;
    }
    sl_jw_kstr(w, "operation", o->id);
    sl_jw_kstrz(w, "state", ses_state_names[state]);
    if (job[0]) {
        sl_jw_kstrz(w, "flinkJob", job);
    }
    return true;
}

bool api_operation_show(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct operation o;
    return operation_of(c, &o, err) && put_state(&o, result, err);
}

bool api_operation_cancel(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct operation o;
    return operation_of(c, &o, err) && ses_cancel(o.host, &o.who, o.session, o.id, err) &&
           put_state(&o, result, err);
}

bool api_operation_close(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct operation o;
    if (!operation_of(c, &o, err) || !ses_close_op(o.host, &o.who, o.session, o.id, err)) {
        return false;
    }
    sl_jw_kstr(result, "closed", o.id);
    return true;
}

/* --- rows ---------------------------------------------------------------------------------------------------------- */

/* A page as it is fetched. */
struct taking {
    struct api_call *call;
    struct sl_arena *arena;
    struct sl_buf rows, cell; /* rows: the elements of an array */
    int64_t n;
    const struct res_column *cols; /* in the arena; NULL: a static answer */
};

static size_t taken_bytes(void *ctx)
{
    return ((struct taking *)ctx)->rows.n;
}

static bool is_spent(void *ctx)
{
    return api_call_rows_spent(((struct taking *)ctx)->call);
}

static bool take_columns(void *ctx, const struct ses_page *page, const struct res_column *cols,
                         struct sl_err *err)
{
    struct taking *t = ctx;
    struct res_column *copy = sl_new_n(t->arena, struct res_column, page->n_columns + 1);
    (void)err;
    for (size_t i = 0; i < page->n_columns; i++) {
        copy[i] = (struct res_column){.name = sl_str_dup(t->arena, cols[i].name),
                                      .type = sl_str_dup(t->arena, cols[i].type)};
    }
    t->cols = copy;
    return true;
}

static void begin_row(struct taking *t, unsigned kind)
{
    sl_buf_printf(&t->rows, "%s[\"%s\"", t->n++ ? "," : "", res_kind_names[kind & 3]);
}

static bool take_row(void *ctx, const struct ses_page *page, const struct res_column *cols,
                     struct res_row *row, struct sl_err *err)
{
    struct taking *t = ctx;
    begin_row(t, row->kind);
    for (size_t i = 0; i < page->n_columns; i++) {
        bool null = false;
        sl_buf_clear(&t->cell);
        if (!res_cell(&t->cell, RES_FORM_API, &cols[i], row, i, page->zone, &null, err)) {
            return false;
        }
        sl_buf_putc(&t->rows, ',');
        sl_buf_puts(&t->rows, null ? SL_STR("null") : sl_buf_str(&t->cell));
    }
    sl_buf_putc(&t->rows, ']');
    return true;
}

static bool take_cells(void *ctx, const struct ses_page *page, const struct ses_cell *cells,
                       struct sl_err *err)
{
    struct taking *t = ctx;
    (void)err;
    begin_row(t, 0);
    for (size_t i = 0; i < page->n_columns; i++) {
        sl_buf_putc(&t->rows, ',');
        if (page->columns[i].cell == SES_TIME) {
            sl_buf_putc(&t->rows, '"');
            res_put_iso_timestamp(&t->rows, cells[i].number, 0, 0);
            sl_buf_putz(&t->rows, "Z\"");
        } else if (page->columns[i].cell == SES_BOOLEAN) {
            sl_buf_putz(&t->rows, cells[i].number ? "true" : "false");
        } else if (cells[i].text.p) {
            res_put_json_str(&t->rows, cells[i].text);
        } else {
            sl_buf_putz(&t->rows, "null");
        }
    }
    sl_buf_putc(&t->rows, ']');
    return true;
}

static void taking_init(struct taking *t, struct api_call *c, struct sl_arena *a)
{
    *t = (struct taking){.call = c, .arena = a};
    sl_buf_init(&t->rows, 0);
    sl_buf_init(&t->cell, 0);
}

static void taking_release(struct taking *t)
{
    sl_buf_release(&t->rows);
    sl_buf_release(&t->cell);
}

static bool fetch(const struct operation *o, int64_t page, struct taking *t, struct ses_page *ret,
                  struct sl_err *err)
{
    const struct ses_rows rows = {take_columns, take_row, take_cells, taken_bytes, is_spent, t};
    struct ses_failure f;
    return ses_fetch(o->host, &o->who, o->session, o->id, page, &rows, t->arena, ret, &f, err) ||
           (f.n && ses_explain(o->host, &o->who, o->session, o->id, &f, t->arena, err));
}

static void put_columns(struct sl_jw *w, const struct ses_page *page, const struct taking *t)
{
    static const char *const types[] = {
        [SES_STRING] = "STRING", [SES_BOOLEAN] = "BOOLEAN", [SES_TIME] = "TIMESTAMP_LTZ(6)"};
    sl_jw_key(w, "columns");
    sl_jw_array(w);
    for (size_t i = 0; i < page->n_columns; i++) {
        sl_jw_object(w);
        sl_jw_kstr(w, "name", page->columns[i].name);
        if (t->cols) {
            sl_jw_kstr(w, "type", t->cols[i].type);
        } else {
            sl_jw_kstrz(w, "type", types[page->columns[i].cell]);
        }
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
}

static void put_rows(struct sl_jw *w, const struct taking *t)
{
    SL_BUF_AUTO all;
    sl_buf_init(&all, 0);
    sl_buf_putc(&all, '[');
    sl_buf_puts(&all, sl_buf_str(&t->rows));
    sl_buf_putc(&all, ']');
    sl_jw_key(w, "rows");
    sl_jw_raw(w, sl_buf_str(&all));
    sl_jw_ki64(w, "count", t->n); /* last: api_event_rows reads it there */
}

static void put_page(struct sl_jw *w, const struct operation *o, const struct ses_page *page,
                     const struct taking *t, int64_t number)
{
    static const char *const kinds[] = {"waiting", "rows", "end"};
    sl_jw_kstr(w, "operation", o->id);
    sl_jw_kstrz(w, "kind", kinds[page->kind]);
    if (page->kind != SES_EOS) {
        sl_jw_ki64(w, "next", page->kind == SES_PAYLOAD ? number + 1 : number);
    }
    if (page->kind == SES_NOT_READY) {
        return;
    }
    sl_jw_kbool(w, "query", page->is_query);
    if (page->job_id[0]) {
        sl_jw_kstrz(w, "flinkJob", page->job_id);
    }
    put_columns(w, page, t);
    put_rows(w, t);
}

bool api_result_page(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct operation o;
    struct ses_page page;
    int64_t number = sl_json_i64(sl_json_get(api_call_params(c), "page"), -1);
    if (!operation_of(c, &o, err)) {
        return false;
    }
    if (number < 0) {
        return sl_fail(err, SL_USAGE, "parameter 'page' is the number of a page");
    }
    struct taking t;
    taking_init(&t, c, api_call_arena(c));
    bool ok = fetch(&o, number, &t, &page, err);
    if (ok) {
        put_page(result, &o, &page, &t, number);
        api_call_rows_given(c, t.n, (int64_t)t.rows.n);
    }
    taking_release(&t);
    return ok;
}

/* Events: the columns once, then a block of rows a page; a block's number is where to go on behind it. */
struct following {
    struct api_call *call;
    const struct operation *op;
    int64_t next;
    bool columns;
};

static bool send_columns(struct following *f, const struct ses_page *page, const struct taking *t)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "event", "columns");
    sl_jw_kbool(&w, "query", page->is_query);
    if (page->job_id[0]) {
        sl_jw_kstrz(&w, "flinkJob", page->job_id);
    }
    put_columns(&w, page, t);
    sl_jw_end_object(&w);
    f->columns = true;
    return api_call_event(f->call, 0, sl_buf_str(&b));
}

static bool send_rows(struct following *f, const struct taking *t)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "event", "rows");
    sl_jw_ki64(&w, "page", f->next);
    put_rows(&w, t);
    sl_jw_end_object(&w);
    return api_call_event(f->call, (uint64_t)f->next + 1, sl_buf_str(&b));
}

/* One page. *ret_idle: nothing new was there; *ret_taken: false when nobody listens any more. */
static bool follow_page(struct following *f, bool *ret_ended, bool *ret_idle, bool *ret_taken,
                        struct sl_err *err)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct taking t;
    struct ses_page page;
    taking_init(&t, f->call, &a);
    bool ok = fetch(f->op, f->next, &t, &page, err);
    *ret_taken = true;
    *ret_ended = ok && page.kind == SES_EOS;
    *ret_idle = ok && page.kind != SES_EOS && t.n == 0;
    if (ok && page.kind != SES_NOT_READY) {
        *ret_taken = (f->columns || send_columns(f, &page, &t)) && (t.n == 0 || send_rows(f, &t));
        f->next += *ret_taken && page.kind == SES_PAYLOAD;
    }
    taking_release(&t);
    return ok;
}

bool api_result_rows(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct operation o;
    bool follow = sl_json_bool(sl_json_get(api_call_params(c), "follow"), false);
    struct following f = {
        .call = c, .op = &o, .next = sl_json_i64(sl_json_get(api_call_params(c), "since"), 0)};
    if (!operation_of(c, &o, err)) {
        return false;
    }
    if (f.next < 0) {
        return sl_fail(err, SL_USAGE, "parameter 'since' is the number of an event");
    }
    bool ended = false, idle = false, taken = !follow || api_call_event(c, 0, SL_STR(""));
    while (taken && !ended && !api_call_cancelled(c)) {
        if (!follow_page(&f, &ended, &idle, &taken, err)) {
            return false;
        }
        if (idle && !follow) {
            break;
        }
        if (idle) {
            sys_sleep_ms(LOOK_MS);
        }
    }
    if (!put_state(&o, result, err)) {
        return false;
    }
    sl_jw_ki64(result, "next", f.next);
    sl_jw_kbool(result, "ended", ended);
    return true;
}
