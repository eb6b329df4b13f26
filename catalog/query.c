/* SPDX-License-Identifier: Apache-2.0
 * Queries: what each gives, clause by clause in the order in which names come into sight. A relation whose
 * columns cannot all be told is open, and nothing that could be one of its columns is called wrong. */
#include "catalog/relation.h"
#include "sqlparse/token.h"

/* Names of a column list given to a relation: t (a, b), WITH t (a, b), CREATE VIEW v (a, b). */
const struct cat_relation *cat_renamed(struct cat_walk *w, const struct cat_relation *rel,
                                       const struct sql_node *names, const struct sql_node *at)
{
    if (!names) {
        return rel;
    }
    size_t wanted = sql_node_count(names), have = rel->columns.n;
    bool sure = !rel->open && !rel->inexact;
    if (sure && wanted != have) {
        struct sql_diag *d =
            cat_say(w, SL_COLUMN_COUNT, names, "'%.*s' has %zu column%s, and %zu name%s for them",
                    SL_S(cat_ident(w, cat_last(at))), have, have == 1 ? "" : "s", wanted,
                    wanted == 1 ? " stands here" : "s stand here");
        cat_hint(w, d, "name every column once");
    }
    struct cat_relation *r = sl_new(w->a, struct cat_relation);
    r->watermark = rel->watermark;
    r->open = sure && wanted != have;
    size_t i = 0;
    for (const struct sql_node *c = names->first; c; c = c->next, i++) {
        const struct cat_type *t = sure && i < have ? rel->columns.v[i].type : cat_type_of(CAT_T_UNKNOWN);
        if (!sure) {
            t = cat_type_timed(w->a, t, CAT_TIME_MAYBE);
        }
        cat_add_column(w, r, cat_ident(w, cat_last(c)), t);
    }
    return r;
}

static void copy_columns(struct cat_walk *w, struct cat_relation *out, const struct cat_scope *scope,
                         const struct cat_relation *from)
{
    for (size_t k = 0; k < from->columns.n; k++) {
        const struct cat_field *f = &from->columns.v[k];
        if (scope->merged.n || scope->natural) {
            out->inexact = true;
        }
        cat_add_column(w, out, f->name, f->type);
    }
}

/* What * or alias.* stands for. */
static void add_star(struct cat_walk *w, struct cat_relation *out, const struct cat_scope *scope,
                     const struct sql_node *of)
{
    if (of) {
        size_t i;
        const struct cat_named *f = cat_alias(scope, cat_ident(w, of), &i);
        out->open |= !f || f->rel->open;
        if (f) {
            out->inexact |= f->rel->inexact;
            copy_columns(w, out, scope, f->rel);
        }
        return;
    }
    for (size_t i = 0; i < scope->from.n; i++) {
        const struct cat_named *f = &scope->from.v[i];
        out->open |= f->rel->open;
        out->inexact |= f->rel->inexact;
        for (size_t k = 0; k < f->rel->columns.n; k++) {
            w->steps++;
            if (f->rel->columns.v[k].doubled) {
                out->open = true;
            }
        }
        copy_columns(w, out, scope, f->rel);
    }
}

static const struct sql_node *output_name(const struct sql_node *item, const struct sql_node *expr)
{
    const struct sql_node *alias = item->kind == SQL_N_SELECT_ITEM ? sql_node_child(item, SQL_N_ALIAS) : NULL;
    const struct sql_node *name = alias && alias->first       ? alias->first
                                  : expr->kind == SQL_N_NAME  ? sql_last(expr)
                                  : expr->kind == SQL_N_IDENT ? expr
                                  : expr->kind == SQL_N_FIELD && sql_last(expr) != expr->first
                                      ? sql_last(expr)
                                      : NULL;
    return name && name->kind == SQL_N_IDENT ? name : NULL;
}

/* A column that is NULL and nothing else has no type. */
static void check_null(struct cat_walk *w, const struct sql_node *n)
{
    while (n->kind == SQL_N_PAREN && n->first) {
        n = n->first;
    }
    if (n->kind == SQL_N_LITERAL && (n->op & SQL_OP_TOKEN) == TK_NULL) {
        struct sql_diag *d = cat_say(w, SL_TYPE_MISMATCH, n, "NULL alone has no type here");
        cat_hint(w, d, "write CAST(NULL AS STRING), or whatever the column is");
    } else if (n->kind == SQL_N_DEFAULT) {
        struct sql_diag *d = cat_say(w, SL_NOT_SUPPORTED, n, "Flink has no DEFAULT values");
        cat_hint(w, d, "leave the column out of INSERT INTO t (a, b), or give it a value");
    }
}

static struct cat_relation *select_list(struct cat_walk *w, const struct sql_node *list,
                                        const struct cat_env *env)
{
    struct cat_relation *out = sl_new(w->a, struct cat_relation);
    unsigned position = 0;
    for (const struct sql_node *item = list ? list->first : NULL; item; item = item->next, position++) {
        const struct sql_node *expr = item->kind == SQL_N_SELECT_ITEM ? item->first : item;
        if (!expr) {
            continue;
        }
        w->steps++;
        if (expr->kind == SQL_N_STAR) {
            if (!env->scope->from.n) {
                struct sql_diag *d = cat_say(w, SL_COLUMN_UNKNOWN, expr, "* needs a FROM");
                cat_hint(w, d, "write SELECT * FROM table");
                out->open = true;
            }
            add_star(w, out, env->scope, NULL);
            continue;
        }
        const struct cat_type *t = cat_expr(w, expr, env);
        check_null(w, expr);
        if (expr->kind == SQL_N_NAME && expr->op == 1) {
            add_star(w, out, env->scope, expr->first == sql_last(expr) ? expr->first : NULL);
            out->open |= expr->first != sql_last(expr);
            continue;
        }
        const struct sql_node *name = output_name(item, expr);
        sl_str text = name ? cat_ident(w, name) : sl_arena_printf(w->a, "EXPR$%u", position);
        const struct cat_field *before = name ? cat_field(out, text) : NULL;
        if (before) {
            out->columns.v[before - out->columns.v].doubled = true;
        }
        cat_add_column(w, out, text, t);
    }
    return out;
}

static void group_items(struct cat_walk *w, const struct sql_node *first, const struct cat_env *env)
{
    for (; first; first = first->next) {
        if (first->kind == SQL_N_GROUPING || first->kind == SQL_N_EXPRS || first->kind == SQL_N_ROW) {
            group_items(w, first->first, env);
        } else {
            (void)cat_expr(w, first, env);
        }
    }
}

static const struct cat_relation *select_of(struct cat_walk *w, const struct sql_node *n,
                                            const struct sql_node *order_by, const struct cat_scope *outer,
                                            const struct cat_ctes *ctes, struct cat_scope *scope)
{
    *scope = (struct cat_scope){.outer = outer};
    scope->windows = sql_node_child(n, SQL_N_WINDOWS);
    const struct sql_node *from = sql_node_child(n, SQL_N_FROM), *where = sql_node_child(n, SQL_N_WHERE);
    const struct sql_node *group = sql_node_child(n, SQL_N_GROUP_BY),
                          *having = sql_node_child(n, SQL_N_HAVING);
    const struct sql_node *qualify = sql_node_child(n, SQL_N_QUALIFY);
    size_t errors = w->s->diags.errors;
    if (from && from->first) {
        cat_from(w, from->first, scope, ctes);
    }
    struct cat_env env = {.scope = scope, .ctes = ctes};
    if (where) {
        struct cat_env in = env;
        in.no_aggregate = "WHERE";
        cat_condition(w, where->first, &in, "WHERE");
    }
    if (group) {
        struct cat_env in = env;
        in.no_aggregate = "GROUP BY";
        in.in_group = true;
        group_items(w, group->first, &in);
    }
    if (scope->windows) {
        cat_windows(w, scope->windows, &env);
    }
    const struct cat_relation *out = select_list(w, sql_node_child(n, SQL_N_SELECT_LIST), &env);
    if (having) {
        cat_condition(w, having->first, &env, "HAVING");
    }
    if (qualify) {
        scope->aliases = out;
        cat_condition(w, qualify->first, &env, "QUALIFY");
        scope->aliases = NULL;
    }
    if (w->s->diags.errors == errors) {
        cat_grouping(w, n, order_by, out, scope); /* only a query that is right so far can be held to it */
    }
    return out;
}

static const char *set_word(unsigned op)
{
    return op == TK_UNION ? "UNION" : op == TK_EXCEPT || op == TK_SET_MINUS ? "EXCEPT" : "INTERSECT";
}

/* Where the columns of a query are written: its select list, or the query itself. */
static const struct sql_node *columns_at(const struct sql_node *n)
{
    while (n->first && (n->kind == SQL_N_SUBQUERY || n->kind == SQL_N_QUERY || n->kind == SQL_N_SET_OP)) {
        n = n->kind == SQL_N_QUERY && n->first->kind == SQL_N_WITH && n->first->next ? n->first->next
                                                                                     : n->first;
    }
    const struct sql_node *list = n->kind == SQL_N_SELECT ? sql_node_child(n, SQL_N_SELECT_LIST) : NULL;
    return list ? list : n;
}

static const struct cat_relation *check_set(struct cat_walk *w, const struct sql_node *n,
                                            const struct cat_relation *a, const struct cat_relation *b)
{
    const char *word = set_word(n->op & SQL_OP_TOKEN);
    const struct sql_node *left = columns_at(n->first), *right = columns_at(n->first->next);
    if (a->open || b->open || a->inexact || b->inexact) {
        return a->open || a->inexact ? &cat_open_relation : a;
    }
    if (a->columns.n != b->columns.n) {
        struct sql_diag *d = cat_say(w, SL_COLUMN_COUNT, right, "%s joins %zu column%s with %zu", word,
                                     a->columns.n, a->columns.n == 1 ? "" : "s", b->columns.n);
        cat_hint(w, d, "both queries must give as many columns");
        return &cat_open_relation;
    }
    struct cat_relation *out = cat_copy(w, a);
    const struct sql_node *at = left->kind == SQL_N_SELECT_LIST ? left->first : NULL;
    for (size_t i = 0; i < a->columns.n; i++, at = at ? at->next : NULL) {
        const struct cat_type *x = a->columns.v[i].type, *y = b->columns.v[i].type;
        if (!cat_type_rule("UNION", x, y)) {
            struct sql_diag *d =
                cat_say(w, SL_TYPE_MISMATCH, at ? at : left, "column %zu of %s is %s above and %s below",
                        i + 1, word, cat_kind_name(x->kind), cat_kind_name(y->kind));
            cat_hint(w, d, "CAST one of them");
            return &cat_open_relation;
        }
        unsigned time = x->time == y->time ? x->time : CAT_TIME_MAYBE;
        out->columns.v[i].type = x->kind == y->kind ? cat_type_timed(w->a, x, time)
                                                    : cat_type_timed(w->a, cat_type_common(x, y), time);
    }
    return out;
}

static const struct cat_relation *values(struct cat_walk *w, const struct sql_node *n,
                                         const struct cat_scope *outer, const struct cat_ctes *ctes)
{
    struct cat_env env = {.scope = outer, .ctes = ctes};
    struct cat_relation *out = sl_new(w->a, struct cat_relation);
    bool said = false;
    for (const struct sql_node *row = n->first; row; row = row->next) {
        bool many = row->kind == SQL_N_ROW || row->kind == SQL_N_PAREN;
        size_t i = 0;
        for (const struct sql_node *c = many ? row->first : row; c; c = many ? c->next : NULL, i++) {
            const struct cat_type *t = cat_expr(w, c, &env);
            check_null(w, c);
            if (row == n->first) {
                cat_add_column(w, out, sl_arena_printf(w->a, "EXPR$%zu", i), t);
            } else if (i < out->columns.n) {
                const struct cat_type *before = out->columns.v[i].type;
                if (!said && !cat_type_rule("UNION", before, t)) {
                    struct sql_diag *d =
                        cat_say(w, SL_TYPE_MISMATCH, c, "value %zu of this row is %s, and %s in a row before",
                                i + 1, cat_kind_name(t->kind), cat_kind_name(before->kind));
                    cat_hint(w, d, "all rows of VALUES have the same types");
                    said = true;
                }
                out->columns.v[i].type = cat_type_common(before, t);
            }
        }
        if (!said && i != out->columns.n) {
            struct sql_diag *d =
                cat_say(w, SL_COLUMN_COUNT, row, "this row has %zu value%s, the first has %zu", i,
                        i == 1 ? "" : "s", out->columns.n);
            cat_hint(w, d, "all rows of VALUES are of one length");
            said = true;
        }
    }
    out->open = said;
    return out;
}

static const struct cat_relation *body_of(struct cat_walk *w, const struct sql_node *n,
                                          const struct sql_node *order_by, const struct cat_scope *outer,
                                          const struct cat_ctes *ctes, struct cat_scope *scope)
{
    w->steps++;
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_SELECT:
        return select_of(w, n, order_by, outer, ctes, scope);
    case SQL_N_SET_OP: {
        const struct sql_node *right = n->first ? n->first->next : NULL;
        if (!right) {
            return &cat_open_relation;
        }
        struct cat_scope other;
        const struct cat_relation *a = body_of(w, n->first, NULL, outer, ctes, &other);
        const struct cat_relation *b = body_of(w, right, NULL, outer, ctes, &other);
        return check_set(w, n, a, b);
    }
    case SQL_N_QUERY:
        return cat_query(w, n, outer, ctes);
    case SQL_N_SUBQUERY:
        return n->first ? body_of(w, n->first, order_by, outer, ctes, scope) : &cat_open_relation;
    case SQL_N_EXPLICIT_TABLE:
        return cat_table_of(w, n->first, ctes);
    case SQL_N_VALUES:
        return values(w, n, outer, ctes);
    default:
        return &cat_open_relation;
    }
}

static void add_cte(struct cat_walk *w, const struct sql_node *cte, bool recursive, struct cat_ctes *own)
{
    const struct sql_node *sub = sql_node_child(cte, SQL_N_SUBQUERY),
                          *names = sql_node_child(cte, SQL_N_NAMES);
    sl_str name = cat_ident(w, cte->first);
    if (recursive) { /* it may name itself */
        sl_vec_push(w->a, &own->list, ((struct cat_named){.name = name, .rel = &cat_open_relation}));
        (void)(sub ? cat_query(w, sub->first, NULL, own) : NULL);
        return;
    }
    const struct cat_relation *rel = sub ? cat_query(w, sub->first, NULL, own) : &cat_open_relation;
    rel = cat_renamed(w, rel, names, cte->first);
    sl_vec_push(w->a, &own->list, ((struct cat_named){.name = name, .rel = rel}));
}

static void order_by(struct cat_walk *w, const struct sql_node *order, struct cat_scope *scope,
                     const struct cat_relation *out, const struct cat_ctes *ctes)
{
    struct cat_env env = {.scope = scope, .ctes = ctes};
    scope->aliases = out;
    for (const struct sql_node *item = order->first; item; item = item->next) {
        const struct sql_node *e = item->first;
        if (e && e->kind == SQL_N_LITERAL && (e->op & SQL_OP_TOKEN) == TK_INTEGER_LIT) {
            int64_t at;
            bool number = sl_str_to_i64(sql_node_text(e, w->st->sql), &at);
            if (number && !out->open && !out->inexact && (at < 1 || (uint64_t)at > out->columns.n)) {
                cat_say(w, SL_COLUMN_UNKNOWN, e, "ORDER BY %lld: the query has %zu column%s", (long long)at,
                        out->columns.n, out->columns.n == 1 ? "" : "s");
            }
            continue;
        }
        (void)cat_expr(w, e, &env);
    }
    scope->aliases = NULL;
}

const struct cat_relation *cat_query(struct cat_walk *w, const struct sql_node *query,
                                     const struct cat_scope *outer, const struct cat_ctes *ctes)
{
    struct cat_ctes own = {.outer = ctes};
    struct cat_scope scope = {.outer = outer};
    if (!query) {
        return &cat_open_relation;
    }
    if (query->kind != SQL_N_QUERY) {
        return body_of(w, query, NULL, outer, ctes, &scope);
    }
    const struct sql_node *with = sql_node_child(query, SQL_N_WITH),
                          *order = sql_node_child(query, SQL_N_ORDER_BY);
    for (const struct sql_node *cte = with ? with->first : NULL; cte; cte = cte->next) {
        add_cte(w, cte, with->op & 1, &own);
    }
    const struct cat_relation *out = &cat_open_relation;
    for (const struct sql_node *c = query->first; c; c = c->next) {
        if (c->kind != SQL_N_WITH && c->kind != SQL_N_LIMIT && c->kind != SQL_N_ORDER_BY) {
            out = body_of(w, c, order, outer, &own, &scope);
        }
    }
    if (order) {
        order_by(w, order, &scope, out, &own);
    }
    return out;
}
