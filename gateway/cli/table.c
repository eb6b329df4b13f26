/* SPDX-License-Identifier: Apache-2.0
 * Display widths by utf8proc, visible control characters, cutting and padding, and small aligned lists. */
#include "gateway/cli/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "base/vec.h"

#define ELLIPSIS "\xe2\x80\xa6"

/* Columns of one code point. */
static size_t point_width(uint32_t cp)
{
    if (cp < 0x20 || cp == 0x7f) {
        return 0;
    }
    if (cp < 0x7f) {
        return 1;
    }
    int w = utf8proc_charwidth((utf8proc_int32_t)cp);
    return w > 0 ? (size_t)w : 0;
}

size_t cli_width(sl_str s)
{
    size_t width = 0;
    const char *p = s.p, *end = s.p + s.n;
    while (p < end) {
        unsigned n = 1;
        width += point_width(sl_utf8_decode(p, end, &n));
        p += n;
    }
    return width;
}

/* Turns the direction of what follows: one could make a row read as something else. */
static bool turns_direction(uint32_t cp)
{
    return (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0x200e || cp == 0x200f ||
           cp == 0x061c;
}

void cli_put_visible(struct sl_buf *b, sl_str s)
{
    const char *p = s.p, *end = s.p + s.n;
    while (p < end) {
        unsigned n = 1;
        uint32_t cp = sl_utf8_decode(p, end, &n);
        if (cp == '\n') {
            sl_buf_putz(b, "\\n");
        } else if (cp == '\r') {
            sl_buf_putz(b, "\\r");
        } else if (cp == '\t') {
            sl_buf_putz(b, "\\t");
        } else if (cp < 0x20 || cp == 0x7f) {
            sl_buf_printf(b, "\\x%02X", (unsigned)cp);
        } else if ((cp >= 0x80 && cp < 0xa0) || turns_direction(cp) || cp == 0x2028 || cp == 0x2029) {
            sl_buf_printf(b, "\\u%04X", (unsigned)cp);
        } else if (cp == 0xfffd && n == 1) {
            sl_buf_putz(b, "\xef\xbf\xbd");
        } else {
            sl_buf_put(b, p, n);
        }
        p += n;
    }
}

sl_str cli_fit(sl_str s, size_t width)
{
    const char *p = s.p, *end = s.p + s.n;
    while (p < end) {
        unsigned n = 1;
        size_t w = point_width(sl_utf8_decode(p, end, &n));
        if (w > width) {
            break;
        }
        width -= w;
        p += n;
    }
    return (sl_str){s.p, (size_t)(p - s.p)};
}

static void put_spaces(struct sl_buf *b, size_t n)
{
    static const char spaces[] = "                                ";
    while (n > 0) {
        size_t some = SL_MIN(n, sizeof(spaces) - 1);
        sl_buf_put(b, spaces, some);
        n -= some;
    }
}

void cli_put_padded(struct sl_buf *b, sl_str s, size_t width, bool right, bool cut)
{
    size_t w = cli_width(s);
    bool shortened = cut && w > width && width > 0;
    if (shortened) {
        s = cli_fit(s, width - 1);
        w = cli_width(s) + 1;
    }
    size_t pad = w < width ? width - w : 0;
    if (right) {
        put_spaces(b, pad);
    }
    sl_buf_puts(b, s);
    if (shortened) {
        sl_buf_putz(b, ELLIPSIS);
    }
    if (!right) {
        put_spaces(b, pad);
    }
}

int cli_terminal_width(FILE *f)
{
    int fd = fileno(f);
    struct winsize ws;
    if (fd < 0 || !isatty(fd) || ioctl(fd, TIOCGWINSZ, &ws) != 0) {
        return 0;
    }
    return ws.ws_col;
}

struct cli_list {
    struct sl_arena arena;
    size_t n_columns;
    const sl_str *titles;
    bool *right;
    SL_VEC(sl_str) cells;
};

struct cli_list *cli_list_new(const char *const *titles, size_t n_columns)
{
    SL_BUG_ON(n_columns == 0);
    struct sl_arena arena = {0};
    struct cli_list *l = sl_new(&arena, struct cli_list);
    l->n_columns = n_columns;
    sl_str *copy = sl_new_n(&arena, sl_str, n_columns);
    for (size_t i = 0; i < n_columns; i++) {
        copy[i] = sl_str_dup(&arena, sl_str_of(titles[i]));
    }
    l->titles = copy;
    l->right = sl_new_n(&arena, bool, n_columns);
    l->arena = arena;
    return l;
}

void cli_list_right(struct cli_list *l, size_t column)
{
    SL_BUG_ON(column >= l->n_columns);
    l->right[column] = true;
}

void cli_list_cell(struct cli_list *l, sl_str cell)
{
    struct sl_buf b;
    sl_buf_init(&b, 0);
    cli_put_visible(&b, cell);
    sl_vec_push(&l->arena, &l->cells, sl_str_dup(&l->arena, sl_buf_str(&b)));
    sl_buf_release(&b);
}

void cli_list_cellf(struct cli_list *l, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    cli_list_cell(l, (sl_str){text, SL_MIN((size_t)SL_MAX(n, 0), sizeof(text) - 1)});
}

static void put_list_row(const struct cli_list *l, const sl_str *cells, const size_t *width, struct sl_buf *b)
{
    for (size_t c = 0; c < l->n_columns; c++) {
        bool last = c + 1 == l->n_columns;
        cli_put_padded(b, cells[c], last && !l->right[c] ? 0 : width[c], l->right[c], false);
        sl_buf_putz(b, last ? "\n" : "  ");
    }
}

void cli_list_print(struct cli_list *l, FILE *out)
{
    while (l->cells.n % l->n_columns != 0) {
        cli_list_cell(l, SL_STR_NONE);
    }
    if (l->cells.n > 0) {
        size_t *width = sl_new_n(&l->arena, size_t, l->n_columns);
        for (size_t c = 0; c < l->n_columns; c++) {
            width[c] = cli_width(l->titles[c]);
        }
        for (size_t i = 0; i < l->cells.n; i++) {
            size_t w = cli_width(l->cells.v[i]);
            width[i % l->n_columns] = SL_MAX(width[i % l->n_columns], w);
        }
        struct sl_buf b;
        sl_buf_init(&b, 0);
        put_list_row(l, l->titles, width, &b);
        for (size_t i = 0; i < l->cells.n; i += l->n_columns) {
            put_list_row(l, l->cells.v + i, width, &b);
        }
        fwrite(b.p, 1, b.n, out);
        sl_buf_release(&b);
    }
    struct sl_arena arena = l->arena;
    sl_arena_release(&arena);
}
