/* SPDX-License-Identifier: Apache-2.0
 * Writes the events of a submission. */
#include "gateway/jobs/event.h"

#include <stdarg.h>
#include <stdio.h>

static void send(const struct event_sink *k, struct sl_jw *w)
{
    sl_jw_end_object(w);
    k->emit(k->ctx, sl_buf_str(w->b));
}

static void begin(struct sl_jw *w, struct sl_buf *b, const char *event)
{
    sl_buf_init(b, 0);
    sl_jw_init(w, b);
    sl_jw_object(w);
    sl_jw_kstrz(w, "event", event);
}

void event_step(const struct event_sink *k, const struct event_step *e)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    begin(&w, &b, "step");
    sl_jw_kstrz(&w, "step", e->step);
    sl_jw_kstrz(&w, "state", e->state);
    if (e->ms >= 0) {
        sl_jw_key(&w, "ms");
        sl_jw_f64(&w, e->ms, e->ms < 10 ? 1 : 0);
    }
    if (e->job.n) {
        sl_jw_kstr(&w, "job", e->job);
    }
    if (e->run) {
        sl_jw_kstrz(&w, "run", e->run);
    }
    if (e->statement) {
        sl_jw_ki64(&w, "statement", e->statement);
    }
    if (e->counts) {
        sl_jw_ki64(&w, "statements", (int64_t)e->counts->statements);
        sl_jw_ki64(&w, "errors", (int64_t)e->counts->errors);
        sl_jw_ki64(&w, "warnings", (int64_t)e->counts->warnings);
    }
    if (e->text.n) {
        sl_jw_kstr(&w, "text", e->text);
    }
    send(k, &w);
}

void event_note(const struct event_sink *k, const char *fmt, ...)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    begin(&w, &b, "note");
    sl_jw_kstrz(&w, "text", text);
    send(k, &w);
}

void event_put_diag(struct sl_jw *w, const struct sql_script *s, const struct sql_diag *d)
{
    static const char *const severities[] = {"error", "warning", "info"};
    sl_jw_kstrz(w, "code", sl_code_slug(d->code));
    sl_jw_kstrz(w, "severity", severities[d->severity]);
    sl_jw_kstr(w, "message", d->msg);
    if (d->note.n) {
        SL_BUF_AUTO both;
        sl_buf_init(&both, 0);
        sl_buf_printf(&both, "%.*s%s%.*s", SL_S(d->hint), d->hint.n ? "\n" : "", SL_S(d->note));
        sl_jw_kstr(w, "hint", sl_buf_str(&both));
    } else {
        sl_jw_kstr(w, "hint", d->hint);
    }
    if (d->flink.n) {
        sl_jw_kstr(w, "flink", d->flink);
    }
    sl_jw_ki64(w, "statement", d->statement);
    if (s && d->file < s->files.n) {
        sl_jw_kstr(w, "file", s->files.v[d->file].name);
    }
    if (d->pos.off != SL_NO_POS) {
        sl_jw_pos(w, &d->pos);
    }
    if (d->second.off != SL_NO_POS && d->second.len) {
        sl_jw_key(w, "second");
        sl_jw_object(w);
        sl_jw_pos(w, &d->second);
        sl_jw_kstr(w, "label", d->second_label);
        sl_jw_end_object(w);
    }
}

void event_diag(const struct event_sink *k, const struct sql_script *s, const struct sql_diag *d,
                sl_str stack)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    begin(&w, &b, "diagnostic");
    event_put_diag(&w, s, d);
    if (stack.n) {
        sl_jw_kstr(&w, "stack", stack);
    }
    send(k, &w);
}

void event_error(const struct event_sink *k, const struct sl_err *err)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    begin(&w, &b, "error");
    sl_jw_kstrz(&w, "code", sl_code_slug(err->code));
    sl_jw_kstrz(&w, "message", err->msg);
    sl_jw_kstrz(&w, "hint", err->hint);
    if (err->detail.n) {
        sl_jw_kstr(&w, "stack", err->detail);
    }
    send(k, &w);
}

void event_columns(const struct event_sink *k, int result, uint32_t statement, const struct res_column *cols,
                   size_t n, bool insert_only)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    begin(&w, &b, "columns");
    sl_jw_ki64(&w, "result", result);
    sl_jw_key(&w, "columns");
    sl_jw_array(&w);
    for (size_t i = 0; i < n; i++) {
        sl_jw_object(&w);
        sl_jw_kstr(&w, "name", cols[i].name);
        sl_jw_kstr(&w, "type", cols[i].type);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_ki64(&w, "statement", statement);
    sl_jw_kbool(&w, "insertOnly", insert_only);
    send(k, &w);
}

bool event_rows(const struct event_sink *k, int result, struct res_rows *rows, const struct res_column *cols,
                size_t n, enum res_form form, const char *zone, uint64_t max, uint64_t *ret_sent,
                struct sl_err *err)
{
    SL_BUF_AUTO b, cell;
    struct sl_jw w;
    begin(&w, &b, "rows");
    sl_buf_init(&cell, 0);
    sl_jw_ki64(&w, "result", result);
    sl_jw_key(&w, "rows");
    sl_jw_array(&w);
    struct res_row row;
    *ret_sent = 0;
    while (*ret_sent < max && res_rows_next(rows, cols, n, &row)) {
        sl_jw_array(&w);
        sl_jw_strz(&w, res_kind_names[row.kind]);
        for (size_t i = 0; i < n; i++) {
            bool is_null;
            sl_buf_clear(&cell);
            if (!res_cell(&cell, form, &cols[i], &row, i, zone, &is_null, err)) {
                return false;
            }
            if (is_null) {
                sl_jw_null(&w);
            } else if (form == RES_FORM_TEXT) {
                sl_jw_str(&w, sl_buf_str(&cell));
            } else {
                sl_jw_raw(&w, sl_buf_str(&cell));
            }
        }
        sl_jw_end_array(&w);
        ++*ret_sent;
    }
    sl_jw_end_array(&w);
    sl_jw_ki64(&w, "count", (int64_t)*ret_sent);
    if (*ret_sent) {
        send(k, &w);
    }
    return true;
}

void event_end(const struct event_sink *k, int result, uint64_t rows, const char *state)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    begin(&w, &b, "end");
    sl_jw_ki64(&w, "result", result);
    sl_jw_ki64(&w, "rows", (int64_t)rows);
    sl_jw_kstrz(&w, "state", state);
    send(k, &w);
}
