/* SPDX-License-Identifier: Apache-2.0
 * The list of what is wrong with a script: adding (counted, capped at sl_limits.diagnostics) and ordering. */
#include "sqlparse/sql.h"

#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static sl_str vprintf_dup(struct sl_arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    SL_BUG_ON(n < 0);
    char *p = sl_arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    return (sl_str){p, (size_t)n};
}

struct sql_diag *sql_diag_add(struct sql_script *s, enum sl_code code, enum sql_severity sev,
                              uint32_t statement, struct sl_pos pos, const char *fmt, ...)
{
    s->diags.errors += sev == SQL_ERROR;
    s->diags.warnings += sev == SQL_WARNING;
    struct sql_stmt *st = statement && statement <= s->stmts.n ? &s->stmts.v[statement - 1] : NULL;
    if (st && sev == SQL_ERROR) {
        st->bad = true;
    }
    if (s->diags.list.n >= sl_limits.diagnostics) {
        s->diags.dropped++;
        return NULL;
    }
    struct sql_diag *d = sl_vec_add(s->arena, &s->diags.list);
    d->code = code;
    d->severity = sev;
    d->statement = statement;
    d->pos = pos;
    d->second = SL_POS_NONE;
    d->file = st ? st->file : (uint16_t)(s->files.n ? s->files.n - 1 : 0);
    va_list ap;
    va_start(ap, fmt);
    d->msg = vprintf_dup(s->arena, fmt, ap);
    va_end(ap);
    return d;
}

struct ordered {
    struct sql_diag d;
    size_t at;
};

/* Without a position first, then by place; equal places keep the order in which they were found. */
static int by_place(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->d.file != y->d.file) {
        return x->d.file < y->d.file ? -1 : 1;
    }
    uint32_t p = x->d.pos.off + 1, q = y->d.pos.off + 1;
    if (p != q) {
        return p < q ? -1 : 1;
    }
    return x->at < y->at ? -1 : x->at > y->at;
}

void sql_diags_sort(struct sql_script *s)
{
    size_t n = s->diags.list.n;
    if (n < 2) {
        return;
    }
    struct ordered *o = sl_arena_alloc(s->arena, n * sizeof(*o));
    for (size_t i = 0; i < n; i++) {
        o[i] = (struct ordered){s->diags.list.v[i], i};
    }
    qsort(o, n, sizeof(*o), by_place);
    for (size_t i = 0; i < n; i++) {
        s->diags.list.v[i] = o[i].d;
    }
}
