/* SPDX-License-Identifier: Apache-2.0
 * INSERT, UPDATE and DELETE: the table, its columns, and whether what the query gives goes into them. */
#include "catalog/relation.h"
#include "sqlparse/token.h"

static bool is_insertable(const struct cat_field *f)
{
    return f->role == CAT_PHYSICAL || f->role == CAT_METADATA;
}

/* The columns an INSERT fills, in order: those it names, or all that can be. */
static size_t targets(struct cat_walk *w, const struct cat_relation *rel, const struct sql_node *names,
                      const struct cat_field **ret, size_t max)
{
    size_t n = 0;
    for (const struct sql_node *c = names ? names->first : NULL; c && n < max; c = c->next) {
        bool nested = c->kind == SQL_N_NAME && c->first && c->first->next;
        ret[n++] = nested ? NULL : cat_field(rel, cat_ident(w, cat_last(c)));
    }
    for (size_t i = 0; !names && i < rel->columns.n && n < max; i++) {
        if (is_insertable(&rel->columns.v[i])) {
            ret[n++] = &rel->columns.v[i];
        }
    }
    return n;
}

static bool check_target_names(struct cat_walk *w, const struct sql_node *names,
                               const struct cat_relation *rel, const struct sql_node *table)
{
    struct cat_relation seen = {0};
    bool good = true;
    for (const struct sql_node *c = names ? names->first : NULL; c; c = c->next) {
        const struct sql_node *ident = cat_last(c);
        if (ident->kind != SQL_N_IDENT || (c->kind == SQL_N_NAME && c->first != sql_last(c))) {
            continue;
        }
        sl_str name = cat_ident(w, ident);
        const struct cat_field *f = cat_field(rel, name);
        if (!f && !rel->open) {
            cat_say_column(w, ident, name, sql_node_text(table, w->st->sql), NULL, rel);
            good = false;
        } else if (f && !is_insertable(f)) {
            struct sql_diag *d =
                cat_say(w, SL_COLUMN_UNKNOWN, ident, "column '%.*s' cannot be filled: it is %s", SL_S(name),
                        f->role == CAT_COMPUTED ? "computed" : "virtual metadata");
            cat_hint(w, d, "leave it out");
            good = false;
        } else if (cat_has_column(&seen, name)) {
            cat_say(w, SL_COLUMN_DUPLICATE, ident, "column '%.*s' is filled twice", SL_S(name));
            good = false;
        }
        cat_add_column(w, &seen, name, NULL);
    }
    return good;
}

/* Columns given by PARTITION (a = 1): how many. */
static size_t check_partition(struct cat_walk *w, const struct sql_node *spec, const struct cat_relation *rel,
                              sl_str table, bool *good)
{
    size_t n = 0;
    for (const struct sql_node *o = spec ? spec->first : NULL; o; o = o->next, n++) {
        const struct sql_node *ident = o->first;
        if (!ident || ident->kind != SQL_N_IDENT || rel->open) {
            continue;
        }
        sl_str name = cat_ident(w, ident);
        bool there = false;
        struct cat_nearest near = cat_nearest_to(name);
        for (size_t i = 0; i < rel->partition.n; i++) {
            there |= sl_str_eq(rel->partition.v[i], name);
            cat_offer(&near, rel->partition.v[i]);
        }
        if (!there) {
            struct sql_diag *d =
                cat_say(w, SL_PARTITION_UNKNOWN, ident, "'%.*s' is not a partition column of '%.*s'",
                        SL_S(name), SL_S(table));
            cat_hint_near(w, d, &near);
            if (d && !d->hint.n && !rel->partition.n) {
                d->hint = SL_STR("the table has no PARTITIONED BY");
            }
            *good = false;
        }
    }
    return n;
}

static void say_count(struct cat_walk *w, const struct sql_node *at, size_t gives, sl_str table, size_t takes)
{
    struct sql_diag *d = cat_say(w, SL_COLUMN_COUNT, at, "the query gives %zu column%s, '%.*s' takes %zu",
                                 gives, gives == 1 ? "" : "s", SL_S(table), takes);
    cat_hint(w, d, "give as many values as columns, or name the columns:  INSERT INTO t (a, b) SELECT ...");
}

/* The place of the i-th column of a query: its select item, or the query's first words. */
static const struct sql_node *column_at(const struct sql_node *query, size_t i)
{
    const struct sql_node *n = query;
    while (n && n->first &&
           (n->kind == SQL_N_QUERY || n->kind == SQL_N_SUBQUERY || n->kind == SQL_N_SET_OP)) {
        n = n->kind == SQL_N_QUERY && n->first->kind == SQL_N_WITH && n->first->next ? n->first->next
                                                                                     : n->first;
    }
    const struct sql_node *list = n && n->kind == SQL_N_SELECT   ? sql_node_child(n, SQL_N_SELECT_LIST)
                                  : n && n->kind == SQL_N_VALUES ? n->first
                                                                 : NULL;
    for (const struct sql_node *item = list ? list->first : NULL; item; item = item->next) {
        const struct sql_node *e = item->kind == SQL_N_SELECT_ITEM ? item->first : item;
        bool star = e && (e->kind == SQL_N_STAR || (e->kind == SQL_N_NAME && e->op == 1));
        if (star) {
            return item;
        }
        if (i-- == 0) {
            return item;
        }
    }
    return query;
}

static bool fits(const struct cat_type *from, const struct cat_type *to)
{
    bool arrays = from->kind == CAT_T_ARRAY && to->kind == CAT_T_ARRAY && from->element && to->element;
    return cat_type_rule("sink", from, to) && (!arrays || cat_type_rule("sink", from->element, to->element));
}

static void check_types(struct cat_walk *w, const struct sql_node *query, const struct cat_relation *q,
                        const struct cat_field *const *to, size_t n)
{
    for (size_t i = 0; i < n && i < q->columns.n; i++) {
        const struct cat_type *from = q->columns.v[i].type;
        w->steps++;
        if (!to[i] || fits(from, to[i]->type)) {
            continue;
        }
        struct sql_diag *d =
            cat_say(w, SL_COLUMN_TYPE, column_at(query, i), "column '%.*s' is %s, and the query gives %s",
                    SL_S(to[i]->name), cat_kind_name(to[i]->type->kind), cat_kind_name(from->kind));
        cat_hint(w, d, "CAST(... AS %s)", cat_kind_name(to[i]->type->kind));
        return; /* most often the columns are in another order: the first says it */
    }
}

/* Columns that are left out and cannot be NULL. */
static void check_not_null(struct cat_walk *w, const struct sql_node *names, const struct cat_relation *rel,
                           sl_str table)
{
    struct cat_relation given = {0};
    for (const struct sql_node *c = names->first; c; c = c->next) {
        cat_add_column(w, &given, cat_ident(w, cat_last(c)), NULL);
    }
    for (size_t i = 0; !rel->open && i < rel->columns.n; i++) {
        const struct cat_field *f = &rel->columns.v[i];
        if (f->not_null && f->role == CAT_PHYSICAL && !cat_has_column(&given, f->name)) {
            struct sql_diag *d =
                cat_say(w, SL_NOT_NULL, names,
                        "column '%.*s' of '%.*s' cannot be NULL, and this INSERT leaves it out",
                        SL_S(f->name), SL_S(table));
            cat_hint(w, d, "name it, and give it a value");
            return;
        }
    }
}

void cat_insert(struct cat_walk *w, const struct sql_node *insert)
{
    const struct sql_node *name = sql_node_child(insert, SQL_N_NAME),
                          *names = sql_node_child(insert, SQL_N_NAMES);
    const struct sql_node *query = sql_node_child(insert, SQL_N_QUERY);
    const struct cat_relation *rel = name ? cat_find_table(w, name) : &cat_open_relation;
    if (!query) {
        query = sql_node_child(insert, SQL_N_SUBQUERY);
    }
    if (!rel) {
        cat_say_table(w, name);
        rel = &cat_open_relation;
    } else if (rel->view) {
        struct sql_diag *d =
            cat_say(w, SL_TABLE_UNKNOWN, name, "'%.*s' is a view, which cannot be written to",
                    SL_S(sql_node_text(name, w->st->sql)));
        cat_hint(w, d, "INSERT INTO the table behind it");
        rel = &cat_open_relation;
    }
    sl_str table = name ? sql_node_text(name, w->st->sql) : SL_STR_NONE;
    if (rel->with) {
        cat_with_use(w, rel, name, true);
        cat_with_hint(w, rel, insert);
    }
    bool good = !names || !name || check_target_names(w, names, rel, name);
    const struct sql_node *spec = sql_node_child(insert, SQL_N_PARTITION_SPEC);
    size_t fixed = check_partition(w, spec, rel, table, &good);
    const struct cat_relation *q = query ? cat_query(w, query, NULL, NULL) : &cat_open_relation;
    if (!name || q->open || q->inexact || !good || (rel->open && !names)) {
        return;
    }
    size_t max = SL_MAX(rel->columns.n, names ? sql_node_count(names) : 0);
    const struct cat_field **to = sl_new_n(w->a, const struct cat_field *, max + 1);
    size_t takes = targets(w, rel, names, to, max);
    if (takes != q->columns.n + (names ? 0 : fixed)) {
        say_count(w, names ? query : name, q->columns.n, table,
                  names || takes < fixed ? takes : takes - fixed);
    } else if (!fixed) {
        if (names) {
            check_not_null(w, names, rel, table);
        }
        check_types(w, query, q, to, takes);
    }
}
