/* SPDX-License-Identifier: Apache-2.0
 * Cells in wire form to the three forms that people and programs read. Walks only rows that have passed
 * res_rows_read. */
#include "gateway/results/encode.h"

#include "gateway/results/results.h"
#include "gateway/results/zone.h"

const char *const res_kind_names[4] = {"+I", "-U", "+U", "-D"};

bool res_rows_next(struct res_rows *rows, const struct res_column *cols, size_t n_cols, struct res_row *ret)
{
    if (rows->count == 0) {
        return false;
    }
    struct res_in in = {rows->p, rows->p + rows->n, false};
    ret->kind = res_in_u8(&in) & 3;
    ret->cells = ret->at = in.p;
    ret->at_i = 0;
    for (size_t i = 0; i < n_cols; i++) {
        res_cell_skip(&in, cols[i].desc);
    }
    SL_BUG_ON(in.bad);
    ret->end = in.p;
    rows->n -= (size_t)(in.p - rows->p);
    rows->p = in.p;
    rows->first++;
    rows->count--;
    return true;
}

/* One cell on its way out. */
struct enc {
    struct sl_buf *b;
    const char *zone;
    struct sl_err *err;
    /* FLINK_JSON: TIMESTAMP_LTZ is moved to the session's wall clock at the top, in ARRAY and in MAP, but not
     * inside ROW and MULTISET; that is what the stock gateway does */
    bool shift;
    bool failed;
};

static bool is_text(const struct res_type *t)
{
    return t->code == RES_CHAR || t->code == RES_VARCHAR;
}

/* Local wall clock of an instant; far beyond any calendar it stays where it is. */
static int64_t to_wall_clock(struct enc *e, int64_t ms)
{
    int32_t offset = 0;
    int64_t ret;
    if (!e->failed && !res_zone_offset(e->zone, ms / 1000 - (ms % 1000 < 0), &offset, e->err)) {
        e->failed = true;
    }
    return __builtin_add_overflow(ms, (int64_t)offset * 1000, &ret) ? ms : ret;
}

static void put_int(struct sl_buf *b, int64_t v)
{
    sl_buf_printf(b, "%lld", (long long)v);
}

static int64_t in_int(struct res_in *in, unsigned code)
{
    switch (code) {
    case RES_TINYINT:
        return (int8_t)res_in_u8(in);
    case RES_SMALLINT:
        return (int16_t)res_in_u16(in);
    case RES_BIGINT:
    case RES_INTERVAL_DAY_TIME:
        return (int64_t)res_in_u64(in);
    default:
        return (int32_t)res_in_u32(in);
    }
}

/* --- plain text
 * ----------------------------------------------------------------------------------------------- */

static void text_value(struct enc *e, struct res_in *in, const struct res_type *t);

static void text_cell(struct enc *e, struct res_in *in, const struct res_type *t)
{
    uint8_t tag = res_in_u8(in);
    if (tag == RES_TAG_NULL) {
        sl_buf_putz(e->b, "NULL");
    } else if (tag == RES_TAG_TEXT) {
        res_put_utf8(e->b, res_in_str(in));
    } else {
        text_value(e, in, t);
    }
}

static void text_value(struct enc *e, struct res_in *in, const struct res_type *t)
{
    struct sl_buf *b = e->b;
    switch ((enum res_type_code)t->code) {
    case RES_CHAR:
    case RES_VARCHAR:
        res_put_utf8(b, res_in_str(in));
        break;
    case RES_BINARY:
    case RES_VARBINARY:
        sl_buf_putz(b, "x'");
        res_put_hex(b, res_in_str(in));
        sl_buf_putc(b, '\'');
        break;
    case RES_BOOLEAN:
        sl_buf_putz(b, res_in_u8(in) ? "TRUE" : "FALSE");
        break;
    case RES_TINYINT:
    case RES_SMALLINT:
    case RES_INTEGER:
    case RES_BIGINT:
        put_int(b, in_int(in, t->code));
        break;
    case RES_FLOAT:
    case RES_DOUBLE:
    case RES_DECIMAL:
        sl_buf_puts(b, res_in_str(in));
        break;
    case RES_DATE:
        res_put_sql_date(b, in_int(in, t->code));
        break;
    case RES_TIME:
        res_put_sql_time(b, (int32_t)in_int(in, t->code), t->precision);
        break;
    case RES_TIMESTAMP:
    case RES_TIMESTAMP_LTZ: {
        int64_t ms = (int64_t)res_in_u64(in);
        uint32_t nanos = res_in_u32(in);
        res_put_sql_timestamp(b, t->code == RES_TIMESTAMP_LTZ ? to_wall_clock(e, ms) : ms, nanos,
                              t->precision);
        break;
    }
    case RES_INTERVAL_YEAR_MONTH:
        res_put_sql_months(b, (int32_t)in_int(in, t->code));
        break;
    case RES_INTERVAL_DAY_TIME:
        res_put_sql_millis(b, in_int(in, t->code));
        break;
    case RES_ARRAY:
    case RES_MULTISET:
    case RES_MAP: {
        uint32_t n = res_in_u32(in);
        sl_buf_putc(b, t->code == RES_ARRAY ? '[' : '{');
        for (uint32_t i = 0; i < n; i++) {
            sl_buf_putz(b, i > 0 ? ", " : "");
            text_cell(e, in, t->kids[0]);
            if (t->code == RES_MAP) {
                sl_buf_putc(b, '=');
                text_cell(e, in, t->kids[1]);
            } else if (t->code == RES_MULTISET) {
                sl_buf_putc(b, '=');
                put_int(b, (int32_t)res_in_u32(in));
            }
        }
        sl_buf_putc(b, t->code == RES_ARRAY ? ']' : '}');
        break;
    }
    case RES_ROW:
    case RES_STRUCTURED:
        sl_buf_putc(b, '(');
        for (uint32_t i = 0; i < t->n; i++) {
            sl_buf_putz(b, i > 0 ? ", " : "");
            if (t->code == RES_STRUCTURED) {
                res_put_utf8(b, t->names[i]);
                sl_buf_putc(b, '=');
            }
            text_cell(e, in, t->kids[i]);
        }
        sl_buf_putc(b, ')');
        break;
    case RES_OTHER:
    case RES_TYPE_MAX_:
        break;
    }
}

/* --- JSON as the stock gateway writes it
 * ------------------------------------------------------------------------ */

static bool flink_can(const struct res_type *t)
{
    switch (t->code) {
    case RES_OTHER:
        return sl_str_ieqz(t->text, "NULL");
    case RES_STRUCTURED:
        return false;
    case RES_MAP:
    case RES_MULTISET:
        if (!is_text(t->kids[0])) {
            return false;
        }
        break;
    default:
        break;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        if (!flink_can(t->kids[i])) {
            return false;
        }
    }
    return true;
}

bool res_form_can(enum res_form form, const struct res_column *col, struct sl_err *err)
{
    if (form == RES_FORM_FLINK_JSON && !flink_can(col->desc)) {
        return sl_fail(err, SL_NOT_SUPPORTED,
                       "column '%.*s' of type %.*s cannot be shown as JSON by Flink's protocol",
                       (int)SL_MIN(col->name.n, 128u), col->name.p ? col->name.p : "",
                       (int)SL_MIN(col->type.n, 200u), col->type.p ? col->type.p : "") ||
               sl_hint(err, "fetch it with rowFormat=PLAIN_TEXT");
    }
    return true;
}

/* NaN and infinities are no JSON numbers. */
static void json_float(struct sl_buf *b, sl_str s)
{
    bool number = s.p[s.n - 1] >= '0' && s.p[s.n - 1] <= '9';
    sl_buf_putz(b, number ? "" : "\"");
    sl_buf_puts(b, s);
    sl_buf_putz(b, number ? "" : "\"");
}

static void json_key(struct sl_buf *b, struct res_in *in)
{
    if (res_in_u8(in) == RES_TAG_NULL) {
        sl_buf_putz(b, "\"null\"");
    } else {
        res_put_json_str(b, res_in_str(in));
    }
    sl_buf_putc(b, ':');
}

static void flink_value(struct enc *e, struct res_in *in, const struct res_type *t);

static void flink_cell(struct enc *e, struct res_in *in, const struct res_type *t)
{
    uint8_t tag = res_in_u8(in);
    if (tag == RES_TAG_NULL) {
        sl_buf_putz(e->b, "null");
    } else if (tag == RES_TAG_TEXT) {
        res_put_json_str(e->b, res_in_str(in));
    } else {
        flink_value(e, in, t);
    }
}

static void flink_value(struct enc *e, struct res_in *in, const struct res_type *t)
{
    struct sl_buf *b = e->b;
    bool shift = e->shift;
    int64_t v;
    switch ((enum res_type_code)t->code) {
    case RES_CHAR:
    case RES_VARCHAR:
        res_put_json_str(b, res_in_str(in));
        break;
    case RES_BINARY:
    case RES_VARBINARY:
        sl_buf_putc(b, '"');
        res_put_base64(b, res_in_str(in));
        sl_buf_putc(b, '"');
        break;
    case RES_BOOLEAN:
        sl_buf_putz(b, res_in_u8(in) ? "true" : "false");
        break;
    case RES_TINYINT:
    case RES_SMALLINT:
    case RES_INTEGER:
    case RES_BIGINT:
    case RES_INTERVAL_YEAR_MONTH:
    case RES_INTERVAL_DAY_TIME:
        put_int(b, in_int(in, t->code));
        break;
    case RES_FLOAT:
    case RES_DOUBLE:
        json_float(b, res_in_str(in));
        break;
    case RES_DECIMAL:
        res_put_stripped(b, res_in_str(in));
        break;
    case RES_DATE:
        sl_buf_putc(b, '"');
        res_put_iso_date(b, in_int(in, t->code));
        sl_buf_putc(b, '"');
        break;
    case RES_TIME:
        /* before 2.3, where every TIME had precision 0, the converter dropped the milliseconds */
        v = in_int(in, t->code);
        sl_buf_putc(b, '"');
        res_put_iso_time(b, (t->precision > 0 ? v : v / 1000 * 1000) * 1000000, 0);
        sl_buf_putc(b, '"');
        break;
    case RES_TIMESTAMP:
    case RES_TIMESTAMP_LTZ: {
        int64_t ms = (int64_t)res_in_u64(in);
        uint32_t nanos = res_in_u32(in);
        sl_buf_putc(b, '"');
        res_put_iso_timestamp(b, t->code == RES_TIMESTAMP_LTZ && shift ? to_wall_clock(e, ms) : ms, nanos, 0);
        sl_buf_putz(b, t->code == RES_TIMESTAMP_LTZ ? "Z\"" : "\"");
        break;
    }
    case RES_ARRAY: {
        uint32_t n = res_in_u32(in);
        sl_buf_putc(b, '[');
        for (uint32_t i = 0; i < n; i++) {
            sl_buf_putz(b, i > 0 ? "," : "");
            flink_cell(e, in, t->kids[0]);
        }
        sl_buf_putc(b, ']');
        break;
    }
    case RES_MULTISET:
    case RES_MAP: {
        uint32_t n = res_in_u32(in);
        sl_buf_putc(b, '{');
        for (uint32_t i = 0; i < n; i++) {
            sl_buf_putz(b, i > 0 ? "," : "");
            json_key(b, in);
            if (t->code == RES_MAP) {
                flink_cell(e, in, t->kids[1]);
            } else {
                put_int(b, (int32_t)res_in_u32(in));
            }
        }
        sl_buf_putc(b, '}');
        break;
    }
    case RES_ROW:
    case RES_STRUCTURED:
        sl_buf_putc(b, '{');
        e->shift = false;
        for (uint32_t i = 0; i < t->n; i++) {
            sl_buf_putz(b, i > 0 ? "," : "");
            res_put_json_str(b, t->names[i]);
            sl_buf_putc(b, ':');
            flink_cell(e, in, t->kids[i]);
        }
        e->shift = shift;
        sl_buf_putc(b, '}');
        break;
    case RES_OTHER:
    case RES_TYPE_MAX_:
        break;
    }
}

/* --- our API
 * ---------------------------------------------------------------------------------------------------- */

static void api_value(struct enc *e, struct res_in *in, const struct res_type *t);

static void api_cell(struct enc *e, struct res_in *in, const struct res_type *t)
{
    uint8_t tag = res_in_u8(in);
    if (tag == RES_TAG_NULL) {
        sl_buf_putz(e->b, "null");
    } else if (tag == RES_TAG_TEXT) {
        res_put_json_str(e->b, res_in_str(in));
    } else {
        api_value(e, in, t);
    }
}

/* MAP and MULTISET: an object when the keys are strings, else a list of [key, value]. */
static void api_pairs(struct enc *e, struct res_in *in, const struct res_type *t)
{
    struct sl_buf *b = e->b;
    bool object = is_text(t->kids[0]);
    uint32_t n = res_in_u32(in);
    sl_buf_putc(b, object ? '{' : '[');
    for (uint32_t i = 0; i < n; i++) {
        sl_buf_putz(b, i > 0 ? "," : "");
        if (object) {
            json_key(b, in);
        } else {
            sl_buf_putc(b, '[');
            api_cell(e, in, t->kids[0]);
            sl_buf_putc(b, ',');
        }
        if (t->code == RES_MAP) {
            api_cell(e, in, t->kids[1]);
        } else {
            put_int(b, (int32_t)res_in_u32(in));
        }
        sl_buf_putz(b, object ? "" : "]");
    }
    sl_buf_putc(b, object ? '}' : ']');
}

static void api_value(struct enc *e, struct res_in *in, const struct res_type *t)
{
    struct sl_buf *b = e->b;
    switch ((enum res_type_code)t->code) {
    case RES_BIGINT:
        sl_buf_printf(b, "\"%lld\"", (long long)in_int(in, t->code));
        break;
    case RES_DECIMAL:
        sl_buf_putc(b, '"');
        sl_buf_puts(b, res_in_str(in));
        sl_buf_putc(b, '"');
        break;
    case RES_TIME:
        sl_buf_putc(b, '"');
        res_put_iso_time(b, in_int(in, t->code) * 1000000, SL_MIN(t->precision, 3u));
        sl_buf_putc(b, '"');
        break;
    case RES_TIMESTAMP:
    case RES_TIMESTAMP_LTZ: {
        int64_t ms = (int64_t)res_in_u64(in);
        uint32_t nanos = res_in_u32(in);
        sl_buf_putc(b, '"');
        res_put_iso_timestamp(b, ms, nanos, t->precision);
        sl_buf_putz(b, t->code == RES_TIMESTAMP_LTZ ? "Z\"" : "\"");
        break;
    }
    case RES_INTERVAL_YEAR_MONTH:
        sl_buf_putc(b, '"');
        res_put_iso_months(b, (int32_t)in_int(in, t->code));
        sl_buf_putc(b, '"');
        break;
    case RES_INTERVAL_DAY_TIME:
        sl_buf_putc(b, '"');
        res_put_iso_millis(b, in_int(in, t->code));
        sl_buf_putc(b, '"');
        break;
    case RES_ARRAY: {
        uint32_t n = res_in_u32(in);
        sl_buf_putc(b, '[');
        for (uint32_t i = 0; i < n; i++) {
            sl_buf_putz(b, i > 0 ? "," : "");
            api_cell(e, in, t->kids[0]);
        }
        sl_buf_putc(b, ']');
        break;
    }
    case RES_MULTISET:
    case RES_MAP:
        api_pairs(e, in, t);
        break;
    case RES_ROW:
    case RES_STRUCTURED:
        sl_buf_putc(b, '{');
        for (uint32_t i = 0; i < t->n; i++) {
            sl_buf_putz(b, i > 0 ? "," : "");
            res_put_json_str(b, t->names[i]);
            sl_buf_putc(b, ':');
            api_cell(e, in, t->kids[i]);
        }
        sl_buf_putc(b, '}');
        break;
    default: /* what is the same in both JSON forms */
        flink_value(e, in, t);
        break;
    }
}

/* --- one cell of a row
 * -------------------------------------------------------------------------------------------- */

bool res_cell(struct sl_buf *b, enum res_form form, const struct res_column *col, struct res_row *row,
              size_t i, const char *zone, bool *is_null, struct sl_err *err)
{
    if (i < row->at_i) {
        row->at = row->cells;
        row->at_i = 0;
    }
    struct res_in in = {row->at, row->end, false};
    for (; row->at_i < i; row->at_i++) {
        res_cell_skip(&in, (col - (i - row->at_i))->desc);
    }
    row->at = in.p;
    *is_null = in.p < in.end && *in.p == RES_TAG_NULL;
    if (!res_form_can(form, col, err)) {
        return false;
    }
    struct enc e = {.b = b, .zone = zone, .err = err, .shift = true};
    switch (form) {
    case RES_FORM_TEXT:
        if (*is_null) {
            res_in_u8(&in);
        } else {
            text_cell(&e, &in, col->desc);
        }
        break;
    case RES_FORM_FLINK_JSON:
        flink_cell(&e, &in, col->desc);
        break;
    case RES_FORM_API:
        api_cell(&e, &in, col->desc);
        break;
    }
    SL_BUG_ON(in.bad);
    row->at = in.p;
    row->at_i = i + 1;
    if (b->full) {
        return sl_fail(err, SL_LIMIT, "a value of column '%.*s' is too large to be shown",
                       (int)SL_MIN(col->name.n, 128u), col->name.p ? col->name.p : "");
    }
    return !e.failed;
}
