/* SPDX-License-Identifier: Apache-2.0
 * The shortest edit between two lists of lines, found greedily along diagonals (Myers 1986), as hunks. */
#include "gateway/cli/diff.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/vec.h"

#define CONTEXT 3

struct lines {
    SL_VEC(sl_str) list;
    bool open; /* the last one has no line end */
};

static void cut(struct sl_arena *a, sl_str text, struct lines *ret)
{
    *ret = (struct lines){0};
    while (text.n) {
        const char *nl = memchr(text.p, '\n', text.n);
        size_t n = nl ? (size_t)(nl - text.p) + 1 : text.n;
        sl_vec_push(a, &ret->list, sl_str_sub(text, 0, n));
        ret->open = !nl;
        text = sl_str_sub(text, n, text.n - n);
    }
}

/* Marks which lines of x go and which of y come; the rest is common, in order. */
static void compare(struct sl_arena *a, const struct lines *x, const struct lines *y, bool *gone, bool *come)
{
    int64_t n = (int64_t)x->list.n, m = (int64_t)y->list.n, head = 0;
    while (head < n && head < m && sl_str_eq(x->list.v[head], y->list.v[head])) {
        head++;
    }
    while (n > head && m > head && sl_str_eq(x->list.v[n - 1], y->list.v[m - 1])) {
        n--;
        m--;
    }
    int64_t rows = n - head, cols = m - head, most = SL_MIN(rows + cols, (int64_t)SL_LIMIT_DIFF_EDITS);
    int64_t *far = sl_new_n(a, int64_t, 2 * most + 3) + most + 1;
    SL_VEC(int64_t *) trace = {0};
    bool found = false;
    int64_t d = 0;
    for (; d <= most && !found; d++) {
        int64_t *copy = sl_new_n(a, int64_t, 2 * d + 3);
        memcpy(copy, far - d - 1, (size_t)(2 * d + 3) * sizeof(*copy));
        sl_vec_push(a, &trace, copy + d + 1);
        for (int64_t k = -d; k <= d && !found; k += 2) {
            int64_t i = k == -d || (k != d && far[k - 1] < far[k + 1]) ? far[k + 1] : far[k - 1] + 1;
            int64_t j = i - k;
            while (i < rows && j < cols && j >= 0 && sl_str_eq(x->list.v[head + i], y->list.v[head + j])) {
                i++;
                j++;
            }
            far[k] = i;
            found = i >= rows && j >= cols;
        }
    }
    if (!found) {
        memset(gone + head, 1, (size_t)rows);
        memset(come + head, 1, (size_t)cols);
        return;
    }
    int64_t i = rows, j = cols;
    for (d--; d > 0; d--) {
        const int64_t *was = trace.v[d];
        int64_t k = i - j;
        bool down = k == -d || (k != d && was[k - 1] < was[k + 1]);
        int64_t before = down ? was[k + 1] : was[k - 1], other = before - (down ? k + 1 : k - 1);
        if (down) {
            come[head + other] = true;
        } else {
            gone[head + before] = true;
        }
        i = before;
        j = other;
    }
}

static void put_line(struct sl_buf *out, char mark, const struct lines *l, size_t i)
{
    sl_buf_putc(out, mark);
    sl_buf_puts(out, l->list.v[i]);
    if (i + 1 == l->list.n && l->open) {
        sl_buf_putz(out, "\n\\ No newline at end of file\n");
    }
}

static void put_range(struct sl_buf *out, char mark, size_t from, size_t n)
{
    sl_buf_printf(out, n == 1 ? "%c%zu" : "%c%zu,%zu", mark, n ? from + 1 : from, n);
}

void cli_diff(struct sl_buf *out, const char *name, sl_str before, sl_str after)
{
    SL_ARENA_AUTO arena = {0};
    struct lines x, y;
    cut(&arena, before, &x);
    cut(&arena, after, &y);
    bool *gone = sl_new_n(&arena, bool, x.list.n + 1), *come = sl_new_n(&arena, bool, y.list.n + 1);
    compare(&arena, &x, &y, gone, come);
    bool titled = false;
    size_t i = 0, j = 0;
    while (i < x.list.n || j < y.list.n) {
        if (!gone[i] && !come[j]) {
            i++;
            j++;
            continue;
        }
        /* a hunk: from CONTEXT lines before to CONTEXT lines behind the last change that is near */
        size_t lead = SL_MIN(i, (size_t)CONTEXT), i0 = i - lead, j0 = j - lead, i1 = i, j1 = j, same = 0;
        for (size_t p = i, q = j; (p < x.list.n || q < y.list.n) && same <= (size_t)(2 * CONTEXT);) {
            if (gone[p] || come[q]) {
                p += gone[p];
                q += come[q];
                same = 0;
                i1 = p;
                j1 = q;
            } else {
                p++;
                q++;
                same++;
            }
        }
        size_t tail = SL_MIN((size_t)CONTEXT, x.list.n - i1);
        i1 += tail;
        j1 += tail;
        if (!titled) {
            sl_buf_printf(out, "--- %s\n+++ %s\n", name, name);
            titled = true;
        }
        sl_buf_putz(out, "@@ ");
        put_range(out, '-', i0, i1 - i0);
        sl_buf_putc(out, ' ');
        put_range(out, '+', j0, j1 - j0);
        sl_buf_putz(out, " @@\n");
        for (i = i0, j = j0; i < i1 || j < j1;) {
            if (i < i1 && gone[i]) {
                put_line(out, '-', &x, i++);
            } else if (j < j1 && come[j]) {
                put_line(out, '+', &y, j++);
            } else {
                put_line(out, ' ', &x, i++);
                j++;
            }
        }
    }
}
