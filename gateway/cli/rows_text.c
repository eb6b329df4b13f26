/* SPDX-License-Identifier: Apache-2.0
 * Rows as text for programs and documents: csv, tsv, markdown, and the vertical form. */
#include "gateway/cli/rows_form.h"
#include "gateway/cli/table.h"

/* RFC 4180: quoted when it holds a separator, a quote, a line end or blanks at an end; "" is the empty text,
 * so that it is told apart from NULL. */
static void put_csv(struct sl_buf *b, sl_str s)
{
    bool quote = s.n == 0 || s.p[0] == ' ' || s.p[s.n - 1] == ' ' || s.p[0] == '\t' || s.p[s.n - 1] == '\t';
    for (size_t i = 0; i < s.n && !quote; i++) {
        quote = s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r';
    }
    if (!quote) {
        sl_buf_puts(b, s);
        return;
    }
    sl_buf_putc(b, '"');
    for (size_t from = 0; from < s.n;) {
        sl_str rest = sl_str_sub(s, from, s.n - from);
        ptrdiff_t q = sl_str_find_char(rest, '"');
        size_t n = q < 0 ? rest.n : (size_t)q + 1;
        sl_buf_put(b, rest.p, n);
        if (q >= 0) {
            sl_buf_putc(b, '"');
        }
        from += n;
    }
    sl_buf_putc(b, '"');
}

/* NULL and a value that reads like its text must differ: such a value is quoted. */
static void csv_row(struct cli_rows *r, const sl_str *cells, const bool *nulls)
{
    sl_str null = rows_null(r, "");
    for (size_t c = 0; c < r->n; c++) {
        if (c > 0) {
            sl_buf_putc(&r->buf, ',');
        }
        if (nulls[c]) {
            sl_buf_puts(&r->buf, null);
        } else if (null.n > 0 && sl_str_eq(cells[c], null)) {
            sl_buf_printf(&r->buf, "\"%.*s\"", SL_S(cells[c]));
        } else {
            put_csv(&r->buf, cells[c]);
        }
    }
    sl_buf_putc(&r->buf, '\n');
}

static void csv_columns(struct cli_rows *r)
{
    for (size_t c = 0; c < r->n && !r->o.no_header; c++) {
        put_csv(&r->buf, r->cols[c].name);
        sl_buf_putc(&r->buf, c + 1 == r->n ? '\n' : ',');
    }
}

static void put_tsv(struct sl_buf *b, sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '\t':
            sl_buf_putz(b, "\\t");
            break;
        case '\n':
            sl_buf_putz(b, "\\n");
            break;
        case '\r':
            sl_buf_putz(b, "\\r");
            break;
        case '\\':
            sl_buf_putz(b, "\\\\");
            break;
        default:
            sl_buf_putc(b, s.p[i]);
        }
    }
}

static void tsv_row(struct cli_rows *r, const sl_str *cells, const bool *nulls)
{
    for (size_t c = 0; c < r->n; c++) {
        if (c > 0) {
            sl_buf_putc(&r->buf, '\t');
        }
        if (nulls[c]) {
            sl_buf_puts(&r->buf, rows_null(r, "\\N"));
        } else {
            put_tsv(&r->buf, cells[c]);
        }
    }
    sl_buf_putc(&r->buf, '\n');
}

static void tsv_columns(struct cli_rows *r)
{
    for (size_t c = 0; c < r->n && !r->o.no_header; c++) {
        put_tsv(&r->buf, r->cols[c].name);
        sl_buf_putc(&r->buf, c + 1 == r->n ? '\n' : '\t');
    }
}

static void put_markdown(struct sl_buf *b, sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '|' || s.p[i] == '\\') {
            sl_buf_putc(b, '\\');
            sl_buf_putc(b, s.p[i]);
        } else if (s.p[i] == '\n') {
            sl_buf_putz(b, "<br>");
        } else if (s.p[i] == '<') {
            sl_buf_putz(b, "&lt;");
        } else if (s.p[i] == '&') {
            sl_buf_putz(b, "&amp;");
        } else if (s.p[i] != '\r') {
            sl_buf_putc(b, s.p[i]);
        }
    }
}

/* A pipe table has a heading or is none, so --no-header leaves its cells empty. */
static void markdown_columns(struct cli_rows *r)
{
    for (size_t c = 0; c < r->n; c++) {
        sl_buf_putz(&r->buf, c == 0 ? "| " : " | ");
        if (!r->o.no_header) {
            put_markdown(&r->buf, r->cols[c].name);
        }
    }
    sl_buf_putz(&r->buf, " |\n");
    for (size_t c = 0; c < r->n; c++) {
        bool right = r->cols[c].cls == ROWS_NUMBER || r->cols[c].cls == ROWS_SMALL;
        sl_buf_putz(&r->buf, right ? "|---:" : "|---");
    }
    sl_buf_putz(&r->buf, "|\n");
}

static void markdown_row(struct cli_rows *r, const sl_str *cells, const bool *nulls)
{
    for (size_t c = 0; c < r->n; c++) {
        sl_buf_putz(&r->buf, c == 0 ? "| " : " | ");
        put_markdown(&r->buf, nulls[c] ? rows_null(r, "NULL") : cells[c]);
    }
    sl_buf_putz(&r->buf, " |\n");
}

static void vertical_columns(struct cli_rows *r)
{
    size_t *width = sl_new(&r->arena, size_t);
    for (size_t c = 0; c < r->n; c++) {
        size_t w = cli_width(r->cols[c].name);
        *width = SL_MAX(*width, w);
    }
    r->state = width;
}

static void vertical_row(struct cli_rows *r, const sl_str *cells, const bool *nulls)
{
    size_t *width = r->state;
    if (!r->o.no_header) {
        char head[48];
        int n = snprintf(head, sizeof(head), "-[ RECORD %llu ]", (unsigned long long)r->count + 1);
        sl_buf_putz(&r->buf, head);
        for (size_t i = (size_t)n; i < *width + 1; i++) {
            sl_buf_putc(&r->buf, '-');
        }
        sl_buf_putz(&r->buf, "-\n");
    }
    for (size_t c = 0; c < r->n; c++) {
        cli_put_padded(&r->buf, r->cols[c].name, *width, false, false);
        sl_buf_putz(&r->buf, " | ");
        cli_put_visible(&r->buf, nulls[c] ? rows_null(r, "NULL") : cells[c]);
        sl_buf_putc(&r->buf, '\n');
    }
}

static void vertical_end(struct cli_rows *r, enum cli_rows_ending ending, const char *note)
{
    rows_footer(r, ending, note);
}

const struct rows_form rows_form_csv = {csv_columns, csv_row, NULL, NULL};
const struct rows_form rows_form_tsv = {tsv_columns, tsv_row, NULL, NULL};
const struct rows_form rows_form_markdown = {markdown_columns, markdown_row, NULL, NULL};
const struct rows_form rows_form_vertical = {vertical_columns, vertical_row, NULL, vertical_end};
