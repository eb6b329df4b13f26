/* SPDX-License-Identifier: Apache-2.0
 * Grouping: in a query with GROUP BY or an aggregate every column outside an aggregate must be one of the
 * groups. What cannot be resolved, and functions that may be aggregates, pass. */
#include "catalog/relation.h"
#include "sqlparse/token.h"

#define FEW_GROUPS 64 /* grouped expressions that are no columns; with more nothing is said */

struct groups {
    struct cat_walk *w;
    const struct cat_scope *scope;
    const struct cat_relation *out;
    const struct cat_field **set; /* hash of the grouped columns, by address */
    size_t n_set, cap;
    const struct sql_node *exprs[FEW_GROUPS];
    size_t n_exprs;
    const struct sql_node *window; /* TUMBLE( ) and the like */
    bool skip;                     /* too much is not known */
    bool said;
};

static const struct sql_node *unwrap(const struct sql_node *n)
{
    while (n->kind == SQL_N_PAREN && n->first && !n->first->next) {
        n = n->first;
    }
    return n;
}

/* The column a reference starts at, and the parts that follow it. */
static const struct cat_field *head(struct cat_walk *w, const struct sql_node *n,
                                    const struct cat_scope *scope, size_t *ret_at,
                                    const struct sql_node **ret_rest)
{
    const struct sql_node *first = n->kind == SQL_N_NAME ? n->first : n;
    size_t i;
    if (!first || first->kind != SQL_N_IDENT) {
        return NULL;
    }
    sl_str name = cat_ident(w, first);
    const struct cat_named *alias = n->kind == SQL_N_NAME && first->next ? cat_alias(scope, name, &i) : NULL;
    if (alias) {
        *ret_at = i;
        *ret_rest = first->next->next;
        return cat_field(alias->rel, cat_ident(w, first->next));
    }
    *ret_rest = first->next;
    for (i = 0; i < scope->from.n; i++) {
        const struct cat_field *f = cat_field(scope->from.v[i].rel, name);
        w->steps++;
        if (f) {
            *ret_at = i;
            return f;
        }
        if (scope->from.v[i].rel->open) {
            return NULL; /* it may be one of these */
        }
    }
    return NULL;
}

static bool same_names(struct cat_walk *w, const struct sql_node *a, const struct sql_node *b)
{
    for (; a && b; a = a->next, b = b->next) {
        if (!sl_str_eq(cat_ident(w, a), cat_ident(w, b))) {
            return false;
        }
    }
    return !a && !b;
}

bool cat_same(struct cat_walk *w, const struct sql_node *a, const struct sql_node *b,
              const struct cat_scope *scope)
{
    a = unwrap(a);
    b = unwrap(b);
    w->steps++;
    bool names = (a->kind == SQL_N_NAME || a->kind == SQL_N_IDENT) &&
                 (b->kind == SQL_N_NAME || b->kind == SQL_N_IDENT);
    if (names) {
        size_t i = 0, k = 0;
        const struct sql_node *rest = NULL, *more = NULL;
        const struct cat_field *x = head(w, a, scope, &i, &rest), *y = head(w, b, scope, &k, &more);
        if (x && y) {
            return x == y && i == k && same_names(w, rest, more);
        }
        return sl_str_eq(cat_ident(w, cat_last(a)), cat_ident(w, cat_last(b)));
    }
    if (a->kind != b->kind || a->op != b->op) {
        return false;
    }
    if (a->kind == SQL_N_TYPE || a->kind == SQL_N_TYPED || a->kind == SQL_N_STRING ||
        a->kind == SQL_N_LITERAL || a->kind == SQL_N_UNIT) {
        return sl_str_ieq(sql_node_text(a, w->st->sql), sql_node_text(b, w->st->sql)) ||
               a->kind == SQL_N_TYPE;
    }
    const struct sql_node *x = a->first, *y = b->first;
    const struct sql_node *f = a->kind == SQL_N_CALL ? cat_call_name(a) : NULL,
                          *g = f ? cat_call_name(b) : NULL;
    if (f && g) {
        if (!sl_str_ieq(cat_ident(w, cat_last(f)), cat_ident(w, cat_last(g)))) {
            return false;
        }
        x = x->next;
        y = y->next;
    }
    for (; x && y; x = x->next, y = y->next) {
        if (!cat_same(w, x, y, scope)) {
            return false;
        }
    }
    return !x && !y;
}

/* The select list or a condition holds an aggregate of this query. */
static bool has_aggregate(struct cat_walk *w, const struct sql_node *n)
{
    for (; n; n = n->next) {
        w->steps++;
        if (n->kind == SQL_N_SUBQUERY || n->kind == SQL_N_QUERY) {
            continue;
        }
        bool maybe;
        if (n->kind == SQL_N_CALL && cat_is_aggregate(w, n, &maybe)) {
            return true;
        }
        if (n->first && n->kind != SQL_N_TYPE && has_aggregate(w, n->first)) {
            return true;
        }
    }
    return false;
}

static size_t slot(const struct groups *g, const struct cat_field *f)
{
    size_t at = ((size_t)((uintptr_t)f / sizeof(*f)) * 31) & (g->cap - 1);
    while (g->set[at] && g->set[at] != f) {
        at = (at + 1) & (g->cap - 1);
    }
    return at;
}

static size_t count_items(const struct sql_node *n)
{
    size_t count = 0;
    for (; n; n = n->next) {
        bool list = n->kind == SQL_N_GROUPING || n->kind == SQL_N_EXPRS || n->kind == SQL_N_ROW;
        count += list ? count_items(n->first) : 1;
    }
    return count;
}

static void add_item(struct groups *g, const struct sql_node *n)
{
    n = unwrap(n);
    size_t at;
    const struct sql_node *rest = NULL;
    bool name = n->kind == SQL_N_NAME || n->kind == SQL_N_IDENT;
    const struct cat_field *f = name ? head(g->w, n, g->scope, &at, &rest) : NULL;
    if (f && !rest) {
        g->set[slot(g, f)] = f;
        return;
    }
    if (cat_group_window(g->w, n)) {
        g->window = n;
    }
    if (g->n_exprs < FEW_GROUPS) {
        g->exprs[g->n_exprs++] = n;
    } else {
        g->skip = true;
    }
}

static void add_items(struct groups *g, const struct sql_node *n)
{
    for (; n; n = n->next) {
        if (n->kind == SQL_N_GROUPING || n->kind == SQL_N_EXPRS || n->kind == SQL_N_ROW) {
            add_items(g, n->first);
        } else {
            add_item(g, n);
        }
    }
}

static void say_not_grouped(struct groups *g, const struct sql_node *at, sl_str name)
{
    if (g->said) {
        return; /* one mistake: most often a column is missing in GROUP BY, or GROUP BY itself */
    }
    g->said = true;
    struct sql_diag *d =
        cat_say(g->w, SL_NOT_GROUPED, at, "'%.*s' is neither grouped nor aggregated", SL_S(name));
    cat_hint(g->w, d, "add it to GROUP BY, or write an aggregate: MAX(%.*s)", SL_S(name));
}

static bool is_context(const struct groups *g, const struct sql_node *ident)
{
    sl_str text = sql_node_text(ident, g->w->st->sql);
    enum sql_word word = sql_word_find(text.p, text.n);
    return word && (sql_words[word].reserved >> sql_version_index(g->w->s->flink) & 1);
}

static void check_name(struct groups *g, const struct sql_node *n)
{
    size_t at;
    const struct sql_node *rest = NULL, *first = n->kind == SQL_N_NAME ? n->first : n;
    if (!first || is_context(g, first)) {
        return;
    }
    if (n->kind == SQL_N_NAME && n->op == 1) {
        const struct cat_named *alias =
            first == sql_last(n) ? cat_alias(g->scope, cat_ident(g->w, first), &at) : NULL;
        for (size_t i = 0; alias && !alias->rel->open && i < alias->rel->columns.n; i++) {
            const struct cat_field *f = &alias->rel->columns.v[i];
            if (!g->set[slot(g, f)]) {
                say_not_grouped(g, n, f->name);
                return;
            }
        }
        return;
    }
    const struct cat_field *f = head(g->w, n, g->scope, &at, &rest);
    if (f && !g->set[slot(g, f)]) {
        say_not_grouped(g, n, sql_node_text(n, g->w->st->sql));
    }
}

/* TUMBLE_START(ts, INTERVAL '1' HOUR): the same window must be in GROUP BY. */
static bool check_auxiliary(struct groups *g, const struct sql_node *call, sl_str name)
{
    static const char *const ends[] = {"_START", "_END", "_ROWTIME", "_PROCTIME"};
    static const char *const starts[] = {"TUMBLE", "HOP", "SESSION"};
    for (size_t i = 0; i < SL_ARRAY_LEN(starts); i++) {
        size_t len = strlen(starts[i]);
        if (name.n <= len || !sl_str_ieqz(sl_str_sub(name, 0, len), starts[i])) {
            continue;
        }
        for (size_t k = 0; k < SL_ARRAY_LEN(ends); k++) {
            if (!sl_str_ieqz(sl_str_sub(name, len, name.n - len), ends[k])) {
                continue;
            }
            const struct sql_node *a = sql_node_child(call, SQL_N_ARGS),
                                  *b = g->window ? sql_node_child(g->window, SQL_N_ARGS) : NULL;
            bool same = b && a &&
                        sl_str_ieqz(cat_ident(g->w, cat_last(cat_call_name(g->window))), starts[i]) &&
                        cat_same(g->w, a, b, g->scope);
            if (!same && !g->said) {
                g->said = true;
                struct sql_diag *d = cat_say(g->w, SL_WINDOW, call, "%.*s needs the same %s(...) in GROUP BY",
                                             SL_S(name), starts[i]);
                cat_hint(g->w, d, "write the arguments of both alike");
            }
            return true;
        }
    }
    return false;
}

static void check(struct groups *g, const struct sql_node *n);

static void check_list(struct groups *g, const struct sql_node *n)
{
    for (; n; n = n->next) {
        check(g, n);
    }
}

static void check_call(struct groups *g, const struct sql_node *n)
{
    bool maybe;
    const struct sql_node *name = cat_call_name(n), *over = sql_node_child(n, SQL_N_OVER);
    sl_str text = name ? cat_ident(g->w, cat_last(name)) : SL_STR_NONE;
    if (over) {
        const struct sql_node *args = sql_node_child(n, SQL_N_ARGS);
        check_list(g, args ? args->first : NULL);
        const struct sql_node *window = over->first && over->first->kind == SQL_N_WINDOW ? over->first : NULL;
        for (const struct sql_node *c = window ? window->first : NULL; c; c = c->next) {
            if (c->kind == SQL_N_PARTITION_BY || c->kind == SQL_N_ORDER_BY) {
                check_list(g, c->first);
            }
        }
        return;
    }
    if (cat_is_aggregate(g->w, n, &maybe) || maybe || sl_str_ieqz(text, "GROUPING")) {
        return;
    }
    if (name && check_auxiliary(g, n, text)) {
        return;
    }
    if (name) {
        check_list(g, name->next);
    } else if (!sql_node_child(n, SQL_N_EXPRS)) {
        check_list(g, n->first);
    }
}

static void check(struct groups *g, const struct sql_node *n)
{
    n = unwrap(n);
    g->w->steps++;
    for (size_t i = 0; i < g->n_exprs; i++) {
        if (cat_same(g->w, g->exprs[i], n, g->scope)) {
            return;
        }
    }
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_NAME:
    case SQL_N_IDENT:
        check_name(g, n);
        return;
    case SQL_N_CALL:
        check_call(g, n);
        return;
    case SQL_N_FIELD:
        check_list(g, n->first && (!sql_last(n) || sql_last(n)->kind != SQL_N_CALL) ? n->first : NULL);
        return;
    case SQL_N_SUBQUERY:
    case SQL_N_QUERY:
    case SQL_N_TYPE:
    case SQL_N_UNIT:
    case SQL_N_LITERAL:
    case SQL_N_STRING:
    case SQL_N_TYPED:
    case SQL_N_TABLE_ARG:
    case SQL_N_MODEL_ARG:
    case SQL_N_NAMED_ARG:
    case SQL_N_JSON_PAIR:
    case SQL_N_JSON_CLAUSE:
        return;
    default:
        check_list(g, n->first);
        return;
    }
}

static void check_star(struct groups *g, const struct sql_node *star)
{
    for (size_t i = 0; i < g->scope->from.n; i++) {
        const struct cat_relation *rel = g->scope->from.v[i].rel;
        if (rel->open || rel->inexact) {
            return;
        }
        for (size_t k = 0; k < rel->columns.n; k++) {
            if (!g->set[slot(g, &rel->columns.v[k])]) {
                say_not_grouped(g, star, rel->columns.v[k].name);
                return;
            }
        }
    }
}

static bool is_output(const struct groups *g, const struct sql_node *e)
{
    const struct sql_node *ident = e->kind == SQL_N_NAME && e->first == sql_last(e) ? e->first
                                   : e->kind == SQL_N_IDENT                         ? e
                                                                                    : NULL;
    return e->kind == SQL_N_LITERAL || (ident && cat_has_column(g->out, cat_ident(g->w, ident)));
}

/* SELECT DISTINCT a ... ORDER BY b: b is gone by then. */
static void check_distinct(struct groups *g, const struct sql_node *select, const struct sql_node *order_by)
{
    const struct sql_node *list = sql_node_child(select, SQL_N_SELECT_LIST);
    for (const struct sql_node *item = order_by->first; item; item = item->next) {
        const struct sql_node *e = item->first;
        bool plain = e && (e->kind == SQL_N_NAME || e->kind == SQL_N_IDENT) && !is_output(g, e);
        bool found = !plain || g->out->open;
        size_t looked = 0;
        for (const struct sql_node *s = list->first; s && !found; s = s->next, looked++) {
            found = !s->first || s->first->kind == SQL_N_STAR || looked > FEW_GROUPS ||
                    cat_same(g->w, s->first, e, g->scope);
        }
        if (!found) {
            struct sql_diag *d =
                cat_say(g->w, SL_COLUMN_UNKNOWN, e, "with DISTINCT only selected columns can be sorted by");
            cat_hint(g->w, d, "select '%.*s' too", SL_S(sql_node_text(e, g->w->st->sql)));
            return;
        }
    }
}

void cat_grouping(struct cat_walk *w, const struct sql_node *select, const struct sql_node *order_by,
                  const struct cat_relation *out, const struct cat_scope *scope)
{
    const struct sql_node *list = sql_node_child(select, SQL_N_SELECT_LIST),
                          *group = sql_node_child(select, SQL_N_GROUP_BY);
    const struct sql_node *having = sql_node_child(select, SQL_N_HAVING);
    struct groups g = {.w = w, .scope = scope, .out = out};
    if (!list || scope->merged.n || scope->natural) {
        return;
    }
    if (!group && !having && !has_aggregate(w, list->first)) {
        if (order_by && (select->op & SQL_OP_TOKEN) == TK_DISTINCT) {
            check_distinct(&g, select, order_by);
        }
        return;
    }
    size_t items = group ? count_items(group->first) : 0;
    for (g.cap = 16; g.cap < items * 2; g.cap *= 2) {
    }
    g.set = sl_new_n(w->a, const struct cat_field *, g.cap);
    add_items(&g, group ? group->first : NULL);
    if (g.skip) {
        return;
    }
    for (const struct sql_node *item = list->first; item; item = item->next) {
        const struct sql_node *e = item->kind == SQL_N_SELECT_ITEM ? item->first : item;
        if (e && e->kind == SQL_N_STAR) {
            check_star(&g, e);
        } else if (e) {
            check(&g, e);
        }
    }
    if (having && having->first) {
        check(&g, having->first);
    }
    for (const struct sql_node *item = order_by ? order_by->first : NULL; item; item = item->next) {
        if (item->first && !is_output(&g, item->first)) {
            check(&g, item->first);
        }
    }
}
