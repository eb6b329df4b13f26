/* SPDX-License-Identifier: Apache-2.0
 * Rows as a table for people. The first rows are held back until no more are at hand (or there are enough of
 * them): their widths make the columns. A later value that is wider widens its column for the rows that
 * follow; the heading is not repeated. */
#include "base/vec.h"
#include "gateway/cli/rows_form.h"
#include "gateway/cli/table.h"

#define HOLD_ROWS  500
#define HOLD_BYTES ((size_t)1 << 20)
#define CUT_MIN    8 /* no column is cut narrower than this */

struct table_state {
    struct sl_arena held_arena;
    SL_VEC(sl_str) held; /* visible text, row after row */
    size_t held_bytes;
    size_t *width;
    sl_str *shown; /* the row at hand */
    bool printed;  /* the heading stands */
};

static bool is_right(const struct rows_column *c)
{
    return c->cls == ROWS_NUMBER || c->cls == ROWS_SMALL;
}

/* The text as it is shown: itself when it is plain ASCII, else made visible in the arena. */
static sl_str visible(struct sl_arena *a, sl_str s)
{
    size_t i = 0;
    while (i < s.n && s.p[i] >= 0x20 && s.p[i] < 0x7f) {
        i++;
    }
    if (i == s.n) {
        return s;
    }
    struct sl_buf b;
    sl_buf_init(&b, 0);
    cli_put_visible(&b, s);
    sl_str shown = sl_str_dup(a, sl_buf_str(&b));
    sl_buf_release(&b);
    return shown;
}

static void release_held(void *arg)
{
    sl_arena_release(arg);
}

static void table_columns(struct cli_rows *r)
{
    struct table_state *t = sl_new(&r->arena, struct table_state);
    sl_arena_on_release(&r->arena, release_held, &t->held_arena);
    t->width = sl_new_n(&r->arena, size_t, r->n + 1);
    t->shown = sl_new_n(&r->arena, sl_str, r->n + 1);
    for (size_t c = 0; c < r->n; c++) {
        r->cols[c].name = visible(&r->arena, r->cols[c].name);
        t->width[c] = r->o.no_header ? 0 : cli_width(r->cols[c].name);
    }
    r->state = t;
}

static size_t line_width(const struct cli_rows *r, const struct table_state *t)
{
    size_t total = r->n > 0 ? 3 * r->n - 1 : 0;
    for (size_t c = 0; c < r->n; c++) {
        total += t->width[c];
    }
    return total;
}

static void put_row(struct cli_rows *r, const struct table_state *t, const sl_str *cells, bool heading)
{
    bool cut = r->o.terminal && r->o.width > 0;
    for (size_t c = 0; c < r->n; c++) {
        bool right = is_right(&r->cols[c]), last = c + 1 == r->n;
        sl_str cell = heading ? r->cols[c].name : cells[c];
        sl_buf_putc(&r->buf, ' ');
        if (last && !right && cli_width(cell) <= t->width[c]) {
            sl_buf_puts(&r->buf, cell); /* no spaces at the end of a line */
        } else {
            cli_put_padded(&r->buf, cell, t->width[c], right, cut);
        }
        sl_buf_putz(&r->buf, last ? "" : " |");
    }
    sl_buf_putc(&r->buf, '\n');
}

/* Takes columns in until the line fits the terminal, the widest first. */
static void shrink(struct cli_rows *r, struct table_state *t)
{
    if (!r->o.terminal || r->o.width <= 0 || r->n == 0) {
        return;
    }
    size_t room = (size_t)r->o.width, total = line_width(r, t);
    while (total > room) {
        size_t widest = 0, second = CUT_MIN;
        for (size_t c = 1; c < r->n; c++) {
            if (t->width[c] > t->width[widest]) {
                widest = c;
            }
        }
        for (size_t c = 0; c < r->n; c++) {
            if (c != widest && t->width[c] > second) {
                second = t->width[c];
            }
        }
        if (t->width[widest] <= CUT_MIN) {
            return;
        }
        size_t take = SL_MIN(total - room, SL_MAX(t->width[widest] - second, (size_t)1));
        t->width[widest] -= take;
        total -= take;
    }
}

static void print_held(struct cli_rows *r, bool last)
{
    struct table_state *t = r->state;
    for (size_t c = 0; c < r->n; c++) {
        for (size_t i = c; i < t->held.n; i += r->n) {
            size_t w = cli_width(t->held.v[i]);
            t->width[c] = SL_MAX(t->width[c], w);
        }
        if (!last) { /* more may come: room for what the type allows, or for one more digit */
            size_t more = r->cols[c].fixed;
            if (!more && is_right(&r->cols[c])) {
                more = t->width[c] + (t->width[c] < 2);
            } else if (!more) {
                more = 5;
            }
            t->width[c] = SL_MAX(t->width[c], more);
        }
    }
    shrink(r, t);
    if (!r->o.no_header && r->n > 0) {
        put_row(r, t, NULL, true);
        for (size_t c = 0; c < r->n; c++) {
            for (size_t i = 0; i < t->width[c] + 2; i++) {
                sl_buf_putc(&r->buf, '-');
            }
            sl_buf_putc(&r->buf, c + 1 == r->n ? '\n' : '+');
        }
    }
    for (size_t i = 0; i + r->n <= t->held.n && r->n > 0; i += r->n) {
        put_row(r, t, t->held.v + i, false);
    }
    t->printed = true;
    sl_arena_release(&t->held_arena);
    t->held.v = NULL;
    t->held.n = t->held.cap = 0;
}

static void table_flush(struct cli_rows *r, bool last)
{
    struct table_state *t = r->state;
    if (!t->printed && (last || r->ended || t->held.n > 0)) {
        print_held(r, last || r->ended);
    }
}

/* A value wider than its column, after the heading: the column grows, on a terminal as far as the line fits.
 */
static void widen(const struct cli_rows *r, struct table_state *t, size_t c, size_t want)
{
    if (want <= t->width[c]) {
        return;
    }
    size_t more = want - t->width[c];
    if (r->o.terminal && r->o.width > 0) {
        size_t total = line_width(r, t), room = (size_t)r->o.width;
        more = SL_MIN(more, room > total ? room - total : 0);
    }
    t->width[c] += more;
}

static void table_row(struct cli_rows *r, const sl_str *cells, const bool *nulls)
{
    struct table_state *t = r->state;
    struct sl_arena *a = &t->held_arena; /* scratch once the heading stands */
    for (size_t c = 0; c < r->n; c++) {
        t->shown[c] = visible(a, nulls[c] ? rows_null(r, "NULL") : cells[c]);
    }
    if (t->printed) {
        for (size_t c = 0; c < r->n; c++) {
            widen(r, t, c, cli_width(t->shown[c]));
        }
        put_row(r, t, t->shown, false);
        sl_arena_release(a);
        return;
    }
    for (size_t c = 0; c < r->n; c++) {
        sl_vec_push(a, &t->held, sl_str_dup(a, t->shown[c]));
        t->held_bytes += t->shown[c].n;
    }
    if (t->held.n >= HOLD_ROWS * SL_MAX(r->n, (size_t)1) || t->held_bytes >= HOLD_BYTES) {
        print_held(r, false);
    }
}

static void table_end(struct cli_rows *r, enum cli_rows_ending ending, const char *note)
{
    rows_footer(r, ending, note);
}

const struct rows_form rows_form_table = {table_columns, table_row, table_flush, table_end};
