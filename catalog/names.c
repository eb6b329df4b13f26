/* SPDX-License-Identifier: Apache-2.0
 * Columns of relations, found by hash once there are more than a few, and how a mistake is said: at the name
 * itself, with the nearest known name as the hint. */
#include "catalog/relation.h"

#include "base/limits.h"
#include "sqlparse/token.h"

#include <stdarg.h>
#include <stdio.h>

#define FEW 8 /* columns that are looked through without a hash */

const struct cat_relation cat_open_relation = {.open = true, .watermark = true};

static uint32_t slot_of(const struct cat_relation *r, sl_str name)
{
    uint32_t at = (uint32_t)sl_str_hash(name) & (r->n_slots - 1);
    while (r->slots[at] && !sl_str_eq(r->columns.v[r->slots[at] - 1].name, name)) {
        at = (at + 1) & (r->n_slots - 1);
    }
    return at;
}

const struct cat_field *cat_field(const struct cat_relation *r, sl_str name)
{
    if (r->slots) {
        uint32_t i = r->slots[slot_of(r, name)];
        return i ? &r->columns.v[i - 1] : NULL;
    }
    for (size_t i = 0; i < r->columns.n; i++) {
        if (sl_str_eq(r->columns.v[i].name, name)) {
            return &r->columns.v[i];
        }
    }
    return NULL;
}

static void index_columns(struct cat_walk *w, struct cat_relation *r)
{
    r->n_slots = r->n_slots ? r->n_slots * 2 : 4 * FEW;
    r->slots = sl_new_n(w->a, uint32_t, r->n_slots);
    for (size_t i = 0; i < r->columns.n; i++) {
        uint32_t at = slot_of(r, r->columns.v[i].name);
        if (!r->slots[at]) {
            r->slots[at] = (uint32_t)i + 1;
        }
    }
    w->steps += r->columns.n;
}

struct cat_field *cat_add_column(struct cat_walk *w, struct cat_relation *r, sl_str name,
                                 const struct cat_type *type)
{
    bool doubled = cat_field(r, name) != NULL;
    struct cat_field *f = sl_vec_add(w->a, &r->columns);
    f->name = name;
    f->type = type ? type : cat_type_of(CAT_T_UNKNOWN);
    w->steps++;
    if (!r->slots ? r->columns.n > FEW : r->columns.n * 2 > r->n_slots) {
        index_columns(w, r);
    } else if (r->slots && !doubled) {
        r->slots[slot_of(r, name)] = (uint32_t)r->columns.n;
    }
    return &r->columns.v[r->columns.n - 1];
}

struct cat_relation *cat_copy(struct cat_walk *w, const struct cat_relation *r)
{
    struct cat_relation *c = sl_new(w->a, struct cat_relation);
    c->open = r->open;
    c->inexact = r->inexact;
    c->watermark = r->watermark;
    for (size_t i = 0; i < r->columns.n; i++) {
        struct cat_field *f = cat_add_column(w, c, r->columns.v[i].name, r->columns.v[i].type);
        f->role = r->columns.v[i].role;
    }
    return c;
}

sl_str cat_ident(const struct cat_walk *w, const struct sql_node *ident)
{
    return sql_unquote(w->a, sql_node_text(ident, w->st->sql));
}

sl_str cat_lower(const struct cat_walk *w, sl_str name)
{
    char *p = sl_arena_alloc(w->a, name.n + 1);
    for (size_t i = 0; i < name.n; i++) {
        p[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] - 'A' + 'a') : name.p[i];
    }
    p[name.n] = '\0';
    return (sl_str){p, name.n};
}

const struct sql_node *cat_last(const struct sql_node *name)
{
    return name && name->kind == SQL_N_NAME && sql_last(name) ? sql_last(name) : name;
}

struct cat_nearest cat_nearest_to(sl_str wanted)
{
    return (struct cat_nearest){.wanted = wanted, .best = SL_MIN((size_t)3, wanted.n / 3) + 1};
}

void cat_offer(struct cat_nearest *n, sl_str name)
{
    size_t d = sl_str_distance(n->wanted, name, n->best);
    if (d < n->best) {
        n->best = d;
        n->name = name;
    }
}

void cat_offer_columns(struct cat_nearest *n, const struct cat_relation *r)
{
    for (size_t i = 0; i < r->columns.n; i++) {
        cat_offer(n, r->columns.v[i].name);
    }
}

static struct sql_diag *say(struct cat_walk *w, enum sl_code code, uint32_t off, uint32_t len,
                            const char *fmt, va_list ap)
{
    char text[512];
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    SL_BUG_ON(n < 0);
    size_t size = SL_MIN((size_t)n, sizeof(text) - 1);
    while (size < (size_t)n && size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) {
        size--; /* a cut text ends with a whole character */
    }
    return sql_diag_add(w->s, code, w->weak ? SQL_WARNING : SQL_ERROR, w->st->number,
                        sql_stmt_pos(w->s, w->st, off, len), "%.*s", (int)size, text);
}

struct sql_diag *cat_say(struct cat_walk *w, enum sl_code code, const struct sql_node *at, const char *fmt,
                         ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct sql_diag *d = say(w, code, at->off, at->len, fmt, ap);
    va_end(ap);
    return d;
}

struct sql_diag *cat_say_at(struct cat_walk *w, enum sl_code code, uint32_t off, uint32_t len,
                            const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct sql_diag *d = say(w, code, off, len, fmt, ap);
    va_end(ap);
    return d;
}

void cat_hint(struct cat_walk *w, struct sql_diag *d, const char *fmt, ...)
{
    char text[512];
    if (!d) {
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    SL_BUG_ON(n < 0);
    if ((size_t)n < sizeof(text)) { /* a hint that is cut helps nobody */
        d->hint = sl_str_dup(w->a, (sl_str){text, (size_t)n});
    }
}

void cat_hint_near(struct cat_walk *w, struct sql_diag *d, const struct cat_nearest *n)
{
    if (n->name.n) {
        cat_hint(w, d, "did you mean '%.*s'?", SL_S(n->name));
    }
}

void cat_say_column(struct cat_walk *w, const struct sql_node *at, sl_str name, sl_str table,
                    const struct cat_scope *scope, const struct cat_relation *rel)
{
    struct sql_diag *d =
        table.n
            ? cat_say(w, SL_COLUMN_UNKNOWN, at, "table '%.*s' has no column '%.*s'", SL_S(table), SL_S(name))
            : cat_say(w, SL_COLUMN_UNKNOWN, at, "no table here has a column '%.*s'", SL_S(name));
    if (!d) {
        return; /* too many: nobody reads a hint */
    }
    struct cat_nearest n = cat_nearest_to(name);
    if (rel) {
        cat_offer_columns(&n, rel);
    }
    for (; !rel && scope; scope = scope->outer) {
        for (size_t i = 0; i < scope->from.n; i++) {
            cat_offer_columns(&n, scope->from.v[i].rel);
        }
    }
    cat_hint_near(w, d, &n);
}
