/* SPDX-License-Identifier: Apache-2.0
 * Byte offsets to lines and UTF-16 columns and back. One pass over the text; a lookup is a binary search and
 * a walk over at most SQL_LINES_STEP bytes, however long a line is. */
#include "base/utf8.h"
#include "sqlparse/sql.h"

static bool is_line_end(const struct sql_lines *l, size_t i)
{
    return l->text.p[i] == '\n' || l->text.p[i] == '\r';
}

/* UTF-16 units a byte adds: counted at the first byte of a sequence, two for those of four bytes. */
static unsigned units_of(unsigned char c)
{
    return (c & 0xc0) == 0x80 ? 0 : c >= 0xf0 ? 2 : 1;
}

void sql_lines_init(struct sql_lines *l, struct sl_arena *a, sl_str text)
{
    SL_BUG_ON(text.n >= UINT32_MAX);
    *l = (struct sql_lines){.text = text};
    size_t count = 1;
    for (size_t i = 0; i < text.n; i++) {
        count += text.p[i] == '\n' || (text.p[i] == '\r' && (i + 1 == text.n || text.p[i + 1] != '\n'));
    }
    l->starts = sl_arena_alloc(a, count * sizeof(*l->starts));
    l->units = sl_arena_alloc(a, (text.n / SQL_LINES_STEP + 1) * sizeof(*l->units));
    bool mark = text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0;
    l->starts[l->n++] = mark ? 3 : 0;
    uint32_t units = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (i % SQL_LINES_STEP == 0) {
            l->units[i / SQL_LINES_STEP] = units;
        }
        units += units_of((unsigned char)text.p[i]);
        if (text.p[i] == '\n' || (text.p[i] == '\r' && (i + 1 == text.n || text.p[i + 1] != '\n'))) {
            l->starts[l->n++] = (uint32_t)i + 1;
        }
    }
    if (text.n % SQL_LINES_STEP == 0) {
        l->units[text.n / SQL_LINES_STEP] = units;
    }
}

static uint32_t units_between(const struct sql_lines *l, size_t from, size_t to)
{
    uint32_t units = 0;
    for (size_t i = from; i < to; i++) {
        units += units_of((unsigned char)l->text.p[i]);
    }
    return units;
}

static uint32_t units_before(const struct sql_lines *l, size_t off)
{
    size_t step = off / SQL_LINES_STEP;
    return l->units[step] + units_between(l, step * SQL_LINES_STEP, off);
}

static size_t line_of(const struct sql_lines *l, size_t off)
{
    size_t low = 0, high = l->n;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (l->starts[mid] <= off) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return low;
}

static void place(const struct sql_lines *l, size_t off, uint32_t *line, uint32_t *col)
{
    off = SL_MAX(off, (size_t)l->starts[0]);
    size_t i = line_of(l, off);
    *line = (uint32_t)i + 1;
    size_t start = l->starts[i];
    *col = 1 + (off - start <= SQL_LINES_STEP ? units_between(l, start, off)
                                              : units_before(l, off) - units_before(l, start));
}

struct sl_pos sql_lines_pos(const struct sql_lines *l, size_t off, size_t len)
{
    off = SL_MIN(off, l->text.n);
    len = SL_MIN(len, l->text.n - off);
    struct sl_pos pos = {.off = (uint32_t)off, .len = (uint32_t)len};
    place(l, off, &pos.line, &pos.col);
    place(l, off + len, &pos.end_line, &pos.end_col);
    return pos;
}

sl_str sql_lines_text(const struct sql_lines *l, uint32_t line)
{
    if (line < 1 || line > l->n) {
        return SL_STR_NONE;
    }
    size_t start = l->starts[line - 1];
    size_t end = line < l->n ? l->starts[line] : l->text.n;
    while (end > start && is_line_end(l, end - 1)) {
        end--;
    }
    return sl_str_sub(l->text, start, end - start);
}

size_t sql_lines_off(const struct sql_lines *l, uint32_t line, uint32_t col)
{
    if (line < 1) {
        return l->starts[0];
    }
    if (line > l->n) {
        return l->text.n;
    }
    sl_str text = sql_lines_text(l, line);
    size_t at = (size_t)(text.p - l->text.p), end = at + text.n;
    /* jump over whole steps, then walk */
    uint32_t want = units_before(l, at) + (col ? col - 1 : 0);
    size_t low = at / SQL_LINES_STEP, high = end / SQL_LINES_STEP;
    while (low < high) {
        size_t mid = low + (high - low + 1) / 2;
        if (l->units[mid] <= want) {
            low = mid;
        } else {
            high = mid - 1;
        }
    }
    uint32_t units = units_before(l, at);
    if (low * SQL_LINES_STEP > at) {
        at = low * SQL_LINES_STEP;
        units = l->units[low];
    }
    while (at < end && units < want) {
        units += units_of((unsigned char)l->text.p[at]);
        at++;
        while (at < end && ((unsigned char)l->text.p[at] & 0xc0) == 0x80) {
            at++;
        }
    }
    return at;
}
