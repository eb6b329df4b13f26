/* SPDX-License-Identifier: Apache-2.0
 * Rows as JSON: one array, or one object a line. 32-bit and smaller integers, FLOAT, DOUBLE and BOOLEAN are
 * JSON values; BIGINT, DECIMAL and everything else are strings, as in the API: no reader loses digits. */
#include "base/json.h"
#include "gateway/cli/rows_form.h"

static size_t digits(sl_str s, size_t at)
{
    size_t from = at;
    while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9') {
        at++;
    }
    return at - from;
}

/* RFC 8259 section 6; the JVM's NaN and Infinity are none. */
static bool is_number(sl_str s)
{
    size_t i = s.n > 0 && s.p[0] == '-', n = digits(s, i);
    if (n == 0 || (n > 1 && s.p[i] == '0')) {
        return false;
    }
    i += n;
    if (i < s.n && s.p[i] == '.') {
        n = digits(s, i + 1);
        if (n == 0) {
            return false;
        }
        i += n + 1;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-')) {
            i++;
        }
        n = digits(s, i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return i == s.n;
}

static void put_object(struct cli_rows *r, const sl_str *cells, const bool *nulls)
{
    sl_buf_putc(&r->buf, '{');
    for (size_t c = 0; c < r->n; c++) {
        if (c > 0) {
            sl_buf_putc(&r->buf, ',');
        }
        sl_json_quote(&r->buf, r->cols[c].key);
        sl_buf_putc(&r->buf, ':');
        if (nulls[c]) {
            sl_buf_putz(&r->buf, "null");
        } else if (r->cols[c].cls == ROWS_BOOL && sl_str_ieqz(cells[c], "true")) {
            sl_buf_putz(&r->buf, "true");
        } else if (r->cols[c].cls == ROWS_BOOL && sl_str_ieqz(cells[c], "false")) {
            sl_buf_putz(&r->buf, "false");
        } else if (r->cols[c].cls == ROWS_SMALL && is_number(cells[c])) {
            sl_buf_puts(&r->buf, cells[c]);
        } else {
            sl_json_quote(&r->buf, cells[c]);
        }
    }
    sl_buf_putc(&r->buf, '}');
}

static void no_columns(struct cli_rows *r)
{
    (void)r; /* the objects name them */
}

static void array_columns(struct cli_rows *r)
{
    sl_buf_putc(&r->buf, '[');
}

static void array_row(struct cli_rows *r, const sl_str *cells, const bool *nulls)
{
    sl_buf_putz(&r->buf, r->count == 0 ? "\n" : ",\n");
    put_object(r, cells, nulls);
}

static void array_end(struct cli_rows *r, enum cli_rows_ending ending, const char *note)
{
    (void)ending; /* how it ended is told on stderr and by the exit code; the array is closed in any case */
    (void)note;
    sl_buf_putz(&r->buf, r->count == 0 ? "]\n" : "\n]\n");
}

static void line_row(struct cli_rows *r, const sl_str *cells, const bool *nulls)
{
    put_object(r, cells, nulls);
    sl_buf_putc(&r->buf, '\n');
}

const struct rows_form rows_form_json = {array_columns, array_row, NULL, array_end};
const struct rows_form rows_form_jsonl = {no_columns, line_row, NULL, NULL};
