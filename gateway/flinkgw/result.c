/* SPDX-License-Identifier: Apache-2.0
 * Flink's calls about operations: their states, and pages of their rows in both of its forms. */
#include "gateway/flinkgw/wire.h"

#include "gateway/results/encode.h"
#include "gateway/results/types.h"
#include "gateway/results/zone.h"

static struct ses_host *host_of(struct api_call *c)
{
    return api_call_env(c)->sessions;
}

bool fgw_operation_status(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct ses_who who = api_call_who(c);
    enum ses_state state;
    char job[33];
    if (!ses_status(host_of(c), &who, fgw_param(c, "session"), fgw_param(c, "operation"), &state, job, err)) {
        return fgw_fail(c, result, "getOperationStatus", true, err);
    }
    /* Clients go on as if it were over at anything they do not know to be under way. */
    sl_jw_kstrz(result, "status", ses_state_names[state == SES_PENDING ? SES_RUNNING : state]);
    return true;
}

bool fgw_operation_cancel(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct ses_who who = api_call_who(c);
    if (!ses_cancel(host_of(c), &who, fgw_param(c, "session"), fgw_param(c, "operation"), err)) {
        return fgw_fail(c, result, "cancelOperation", true, err);
    }
    sl_jw_kstrz(result, "status", "CANCELED");
    return true;
}

bool fgw_operation_close(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct ses_who who = api_call_who(c);
    if (!ses_close_op(host_of(c), &who, fgw_param(c, "session"), fgw_param(c, "operation"), err)) {
        return fgw_fail(c, result, "closeOperation", true, err);
    }
    sl_jw_kstrz(result, "status", "CLOSED");
    return true;
}

/* --- types --------------------------------------------------------------------------------------------------------- */

static const char *const type_names[RES_TYPE_MAX_] = {[RES_CHAR] = "CHAR",
                                                      [RES_VARCHAR] = "VARCHAR",
                                                      [RES_BINARY] = "BINARY",
                                                      [RES_VARBINARY] = "VARBINARY",
                                                      [RES_BOOLEAN] = "BOOLEAN",
                                                      [RES_TINYINT] = "TINYINT",
                                                      [RES_SMALLINT] = "SMALLINT",
                                                      [RES_INTEGER] = "INTEGER",
                                                      [RES_BIGINT] = "BIGINT",
                                                      [RES_FLOAT] = "FLOAT",
                                                      [RES_DOUBLE] = "DOUBLE",
                                                      [RES_DATE] = "DATE",
                                                      [RES_DECIMAL] = "DECIMAL",
                                                      [RES_TIME] = "TIME_WITHOUT_TIME_ZONE",
                                                      [RES_TIMESTAMP] = "TIMESTAMP_WITHOUT_TIME_ZONE",
                                                      [RES_TIMESTAMP_LTZ] = "TIMESTAMP_WITH_LOCAL_TIME_ZONE",
                                                      [RES_INTERVAL_YEAR_MONTH] = "INTERVAL_YEAR_MONTH",
                                                      [RES_INTERVAL_DAY_TIME] = "INTERVAL_DAY_TIME",
                                                      [RES_ARRAY] = "ARRAY",
                                                      [RES_MULTISET] = "MULTISET",
                                                      [RES_MAP] = "MAP",
                                                      [RES_ROW] = "ROW",
                                                      [RES_STRUCTURED] = "ROW"};

static void put_interval(struct sl_jw *w, const struct res_type *t)
{
    static const char *const months[] = {"YEAR", "YEAR_TO_MONTH", "MONTH"};
    static const char *const days[] = {"DAY",
                                       "DAY_TO_HOUR",
                                       "DAY_TO_MINUTE",
                                       "DAY_TO_SECOND",
                                       "HOUR",
                                       "HOUR_TO_MINUTE",
                                       "HOUR_TO_SECOND",
                                       "MINUTE",
                                       "MINUTE_TO_SECOND",
                                       "SECOND"};
    bool year = t->code == RES_INTERVAL_YEAR_MONTH;
    size_t n = year ? SL_ARRAY_LEN(months) : SL_ARRAY_LEN(days);
    sl_jw_ki64(w, "precision", t->precision);
    if (!year) {
        sl_jw_ki64(w, "fractionalPrecision", t->scale);
    }
    sl_jw_kstrz(w, "resolution", t->resolution < n ? (year ? months : days)[t->resolution] : "");
}

void fgw_put_type(struct sl_jw *w, const struct res_type *t)
{
    static const struct res_type string = {.code = RES_VARCHAR, .nullable = true, .length = INT32_MAX};
    t = t ? t : &string;
    sl_jw_object(w);
    if (t->code == RES_OTHER) { /* "VARIANT", "RAW(...)": the name in front */
        size_t n = 0;
        while (n < t->text.n && t->text.p[n] != '(' && t->text.p[n] != ' ') {
            n++;
        }
        sl_jw_kstr(w, "type", sl_str_sub(t->text, 0, n));
    } else {
        sl_jw_kstrz(w, "type", type_names[t->code]);
    }
    if (t->code == RES_OTHER && sl_str_eqz(t->text, "NULL")) {
        sl_jw_end_object(w);
        return;
    }
    sl_jw_kbool(w, "nullable", t->nullable);
    switch (t->code) {
    case RES_CHAR:
    case RES_VARCHAR:
    case RES_BINARY:
    case RES_VARBINARY:
        sl_jw_ki64(w, "length", t->length);
        break;
    case RES_DECIMAL:
        sl_jw_ki64(w, "precision", t->precision);
        sl_jw_ki64(w, "scale", t->scale);
        break;
    case RES_TIME:
    case RES_TIMESTAMP:
    case RES_TIMESTAMP_LTZ:
        sl_jw_ki64(w, "precision", t->precision);
        break;
    case RES_INTERVAL_YEAR_MONTH:
    case RES_INTERVAL_DAY_TIME:
        put_interval(w, t);
        break;
    case RES_ARRAY:
    case RES_MULTISET:
        sl_jw_key(w, "elementType");
        fgw_put_type(w, t->kids[0]);
        break;
    case RES_MAP:
        sl_jw_key(w, "keyType");
        fgw_put_type(w, t->kids[0]);
        sl_jw_key(w, "valueType");
        fgw_put_type(w, t->kids[1]);
        break;
    case RES_ROW:
    case RES_STRUCTURED:
        sl_jw_key(w, "fields");
        sl_jw_array(w);
        for (uint32_t i = 0; i < t->n; i++) {
            sl_jw_object(w);
            sl_jw_kstr(w, "name", t->names[i]);
            sl_jw_key(w, "fieldType");
            fgw_put_type(w, t->kids[i]);
            sl_jw_end_object(w);
        }
        sl_jw_end_array(w);
        break;
    default:
        break;
    }
    sl_jw_end_object(w);
}

/* --- rows ---------------------------------------------------------------------------------------------------------- */

struct data {
    struct sl_buf b; /* elements of "data" */
    struct sl_buf cell;
    bool json;
    bool unmapped; /* a column has a type that is no JSON */
    struct api_call *call;
    int64_t rows;
};

static size_t bytes(void *ctx)
{
    return ((struct data *)ctx)->b.n;
}

static bool spent(void *ctx)
{
    return api_call_rows_spent(((struct data *)ctx)->call);
}

static void begin_row(struct data *d, unsigned kind)
{
    static const char *const kinds[] = {"INSERT", "UPDATE_BEFORE", "UPDATE_AFTER", "DELETE"};
    d->rows++;
    sl_buf_printf(&d->b, "%s{\"kind\":\"%s\",\"fields\":[", d->b.n ? "," : "", kinds[kind & 3]);
}

static bool check_columns(void *ctx, const struct ses_page *page, const struct res_column *cols,
                          struct sl_err *err)
{
    struct data *d = ctx;
    for (size_t i = 0; d->json && i < page->n_columns; i++) {
        struct sl_err why = SL_ERR_INIT;
        if (!res_form_can(RES_FORM_FLINK_JSON, &cols[i], &why)) {
            d->unmapped = true;
            sl_fail(err, SL_NOT_SUPPORTED, "Internal server error. Could not map response to JSON.");
            return sl_hint(err, "%.*s: rowFormat=PLAIN_TEXT shows it", SL_S(cols[i].name));
        }
    }
    return true;
}

static bool put_row(void *ctx, const struct ses_page *page, const struct res_column *cols,
                    struct res_row *row, struct sl_err *err)
{
    struct data *d = ctx;
    begin_row(d, row->kind);
    for (size_t i = 0; i < page->n_columns; i++) {
        bool null = false;
        sl_buf_putz(&d->b, i ? "," : "");
        if (d->json) {
            if (!res_cell(&d->b, RES_FORM_FLINK_JSON, &cols[i], row, i, page->zone, &null, err)) {
                return false;
            }
            continue;
        }
        sl_buf_clear(&d->cell);
        if (!res_cell(&d->cell, RES_FORM_TEXT, &cols[i], row, i, page->zone, &null, err)) {
            return false;
        }
        if (null) {
            sl_buf_putz(&d->b, "null");
        } else {
            res_put_json_str(&d->b, sl_buf_str(&d->cell));
        }
    }
    sl_buf_putz(&d->b, "]}");
    return true;
}

static bool put_cells(void *ctx, const struct ses_page *page, const struct ses_cell *cells,
                      struct sl_err *err)
{
    struct data *d = ctx;
    begin_row(d, 0);
    for (size_t i = 0; i < page->n_columns; i++) {
        sl_buf_putz(&d->b, i ? "," : "");
        switch (page->columns[i].cell) {
        case SES_TIME: {
            int32_t off = 0;
            if (!res_zone_offset(page->zone, cells[i].number / 1000, &off, err)) {
                return false;
            }
            sl_buf_putc(&d->b, '"');
            res_put_iso_timestamp(&d->b, cells[i].number + (int64_t)off * 1000, 0, 0);
            sl_buf_putz(&d->b, d->json ? "Z\"" : "\"");
            break;
        }
        case SES_BOOLEAN:
            sl_buf_putz(&d->b, d->json ? (cells[i].number ? "true" : "false")
                                       : (cells[i].number ? "\"TRUE\"" : "\"FALSE\""));
            break;
        default:
            if (cells[i].text.p) {
                res_put_json_str(&d->b, cells[i].text);
            } else {
                sl_buf_putz(&d->b, "null");
            }
            break;
        }
    }
    sl_buf_putz(&d->b, "]}");
    return true;
}

static void put_columns(struct sl_jw *w, const struct ses_page *page)
{
    static const struct res_type boolean = {.code = RES_BOOLEAN, .nullable = true},
                                 time = {.code = RES_TIMESTAMP_LTZ, .nullable = true, .precision = 6};
    sl_jw_key(w, "columns");
    sl_jw_array(w);
    for (size_t i = 0; i < page->n_columns; i++) {
        const struct ses_column *c = &page->columns[i];
        sl_jw_object(w);
        sl_jw_kstr(w, "name", c->name);
        sl_jw_key(w, "logicalType");
        fgw_put_type(w, c->type                  ? c->type
                        : c->cell == SES_BOOLEAN ? &boolean
                        : c->cell == SES_TIME    ? &time
                                                 : NULL);
        sl_jw_key(w, "comment");
        sl_jw_null(w);
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
}

static void put_next(struct api_call *c, struct sl_jw *w, int64_t token, bool json)
{
    int64_t version = sl_json_i64(sl_json_get(api_call_params(c), "version"), FGW_NEWEST);
    sl_str session = fgw_param(c, "session"), op = fgw_param(c, "operation");
    sl_jw_key(w, "nextResultUri");
    sl_jw_str(w, sl_arena_printf(api_call_arena(c), "/v%lld/sessions/%.*s/operations/%.*s/result/%lld%s",
                                 (long long)version, SL_S(session), SL_S(op), (long long)token,
                                 version == 1 ? ""
                                 : json       ? "?rowFormat=JSON"
                                              : "?rowFormat=PLAIN_TEXT"));
}

static void put_page(struct api_call *c, struct sl_jw *w, const struct ses_page *page, struct data *d,
                     int64_t token)
{
    static const char *const kinds[] = {"NOT_READY", "PAYLOAD", "EOS"};
    sl_jw_kstrz(w, "resultType", kinds[page->kind]);
    if (page->kind == SES_NOT_READY) {
        put_next(c, w, token, d->json);
        return;
    }
    sl_jw_kbool(w, "isQueryResult", page->is_query);
    if (page->job_id[0]) {
        sl_jw_kstrz(w, "jobID", page->job_id);
    }
    sl_jw_kstrz(w, "resultKind", page->content ? "SUCCESS_WITH_CONTENT" : "SUCCESS");
    sl_jw_key(w, "results");
    sl_jw_object(w);
    put_columns(w, page);
    sl_jw_kstrz(w, "rowFormat", d->json ? "JSON" : "PLAIN_TEXT");
    sl_jw_key(w, "data");
    SL_BUF_AUTO all;
    sl_buf_init(&all, 0);
    sl_buf_putc(&all, '[');
    sl_buf_puts(&all, sl_buf_str(&d->b));
    sl_buf_putc(&all, ']');
    sl_jw_raw(w, sl_buf_str(&all));
    sl_jw_end_object(w);
    if (page->kind == SES_PAYLOAD) {
        put_next(c, w, token + 1, d->json);
    }
}

bool fgw_operation_result(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct ses_who who = api_call_who(c);
    struct ses_page page;
    struct ses_failure f;
    struct data d = {.json = true, .call = c};
    int64_t token;
    sl_str format = fgw_param(c, "rowFormat");
    if (!sl_str_to_i64(fgw_param(c, "token"), &token)) {
        return fgw_bad_param("path", "token", fgw_param(c, "token"), err);
    }
    if (format.n && !sl_str_ieqz(format, "JSON") && !sl_str_ieqz(format, "PLAIN_TEXT")) {
        return fgw_bad_param("query", "rowFormat", format, err);
    }
    d.json = !sl_str_ieqz(format, "PLAIN_TEXT");
    sl_buf_init(&d.b, 0);
    sl_buf_init(&d.cell, 0);
    const struct ses_rows rows = {check_columns, put_row, put_cells, bytes, spent, &d};
    if (ses_fetch(host_of(c), &who, fgw_param(c, "session"), fgw_param(c, "operation"), token, &rows,
                  api_call_arena(c), &page, &f, err)) {
        put_page(c, result, &page, &d, token);
        api_call_rows_given(c, d.rows, (int64_t)d.b.n);
    } else if (d.unmapped) { /* thrown while the answer is written: no trace */
        sl_jw_key(result, "errors");
        sl_jw_array(result);
        sl_jw_str(result, sl_arena_printf(api_call_arena(c), "%s\n%s", err->msg, err->hint));
        sl_jw_end_array(result);
    } else if (f.n) {
        fgw_put_failure(result, api_call_arena(c), "fetchResults", false, &f);
    } else {
        fgw_fail(c, result, "fetchResults", false, err);
    }
    sl_buf_release(&d.b);
    sl_buf_release(&d.cell);
    return true;
}
