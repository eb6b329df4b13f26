/* SPDX-License-Identifier: Apache-2.0
 * Names inside queries: FROM makes a scope, every column reference is looked up in it and in the scopes
 * around it. A relation whose columns cannot all be told is open, and nothing that could be one of its
 * columns is called wrong. */
#include "catalog/relation.h"
#include "sqlparse/token.h"

const struct cat_relation cat_open_relation = {.open = true};

bool cat_has_column(const struct cat_relation *r, sl_str name)
{
    for (size_t i = 0; i < r->columns.n; i++) {
        if (sl_str_eq(r->columns.v[i], name)) {
            return true;
        }
    }
    return false;
}

void cat_add_column(struct cat_walk *w, struct cat_relation *r, sl_str name)
{
    sl_vec_push(w->a, &r->columns, name);
}

sl_str cat_ident(const struct cat_walk *w, const struct sql_node *ident)
{
    return sql_unquote(w->a, sql_node_text(ident, w->st->sql));
}

/* The nearest of the names seen so far. */
struct nearest {
    sl_str wanted, name;
    size_t best;
};

static struct nearest nearest_to(sl_str wanted)
{
    return (struct nearest){.wanted = wanted, .best = SL_MIN((size_t)3, wanted.n / 3) + 1};
}

static void offer(struct nearest *n, sl_str name)
{
    size_t d = sl_str_distance(n->wanted, name, n->best);
    if (d < n->best) {
        n->best = d;
        n->name = name;
    }
}

static struct sql_diag *say(struct cat_walk *w, enum sl_code code, const struct sql_node *at, sl_str msg,
                            const struct nearest *n)
{
    struct sql_diag *d = sql_diag_add(w->s, code, SQL_ERROR, w->st->number,
                                      sql_stmt_pos(w->s, w->st, at->off, at->len), "%.*s", SL_S(msg));
    if (d && n->name.n) {
        d->hint = sl_arena_printf(w->a, "did you mean '%.*s'?", SL_S(n->name));
    }
    return d;
}

void cat_say_column(struct cat_walk *w, const struct sql_node *at, sl_str name, sl_str table,
                    const struct cat_scope *scope, const struct cat_relation *rel)
{
    struct nearest n = nearest_to(name);
    if (rel) {
        for (size_t i = 0; i < rel->columns.n; i++) {
            offer(&n, rel->columns.v[i]);
        }
    }
    for (; !rel && scope; scope = scope->outer) {
        for (size_t i = 0; i < scope->from.n; i++) {
            for (size_t k = 0; k < scope->from.v[i].rel->columns.n; k++) {
                offer(&n, scope->from.v[i].rel->columns.v[k]);
            }
        }
    }
    sl_str msg = table.n ? sl_arena_printf(w->a, "table '%.*s' has no column '%.*s'", SL_S(table), SL_S(name))
                         : sl_arena_printf(w->a, "no table here has a column '%.*s'", SL_S(name));
    say(w, SL_COLUMN_UNKNOWN, at, msg, &n);
}

void cat_say_table(struct cat_walk *w, const struct sql_node *name)
{
    const struct sql_node *last = name->last ? name->last : name;
    struct nearest n = nearest_to(cat_ident(w, last));
    for (size_t i = 0; i < w->tables.n; i++) {
        const struct cat_table *t = &w->tables.v[i];
        bool here = sl_str_eq(t->database, w->database);
        if (t->rel && here) {
            offer(&n, t->name);
        } else if (t->rel && sl_str_eq(t->name, n.wanted)) {
            n.best = 0;
            n.name = sl_arena_printf(w->a, "%.*s.%.*s", SL_S(t->database), SL_S(t->name));
        }
    }
    sl_str text = sql_node_text(name, w->st->sql);
    struct sql_diag *d =
        say(w, SL_TABLE_UNKNOWN, name, sl_arena_printf(w->a, "there is no table '%.*s'", SL_S(text)), &n);
    if (d && !d->hint.n) {
        d->hint = SL_STR("create it in this script, or in an init file of sluice.yaml");
    }
}

/* Functions that are written without parentheses look like names. */
static bool is_context_function(const struct cat_walk *w, const struct sql_node *ident)
{
    sl_str text = sql_node_text(ident, w->st->sql);
    enum sql_word word = sql_word_find(text.p, text.n);
    return word && (sql_words[word].reserved >> sql_version_index(w->s->flink) & 1);
}

/* The relation called `name` in this scope alone. */
static const struct cat_relation *find_alias(const struct cat_scope *scope, sl_str name)
{
    for (size_t i = 0; i < scope->from.n; i++) {
        if (sl_str_eq(scope->from.v[i].name, name)) {
            return scope->from.v[i].rel;
        }
    }
    return NULL;
}

enum found { NOT_THERE, MAYBE, THERE };

static enum found find_column(const struct cat_scope *scope, sl_str name)
{
    enum found found = NOT_THERE;
    if (scope->aliases && (scope->aliases->open || cat_has_column(scope->aliases, name))) {
        return THERE;
    }
    for (size_t i = 0; i < scope->from.n; i++) {
        if (cat_has_column(scope->from.v[i].rel, name)) {
            return THERE;
        }
        found = scope->from.v[i].rel->open ? MAYBE : found;
    }
    return found;
}

/* A column that two relations of one FROM have, without saying which is meant. */
static void check_ambiguous(struct cat_walk *w, const struct sql_node *at, sl_str name,
                            const struct cat_scope *scope)
{
    const struct cat_named *in[2];
    size_t n = 0;
    for (size_t i = 0; i < scope->from.n && n < 2; i++) {
        if (cat_has_column(scope->from.v[i].rel, name)) {
            in[n++] = &scope->from.v[i];
        }
    }
    if (n < 2 || scope->merged || scope->aliases) {
        return;
    }
    struct nearest none = nearest_to(name);
    struct sql_diag *d =
        say(w, SL_COLUMN_AMBIGUOUS, at,
            sl_arena_printf(w->a, "column '%.*s' is in more than one table here", SL_S(name)), &none);
    if (d && in[0]->name.n && in[1]->name.n) {
        d->hint = sl_arena_printf(w->a, "write %.*s.%.*s or %.*s.%.*s", SL_S(in[0]->name), SL_S(name),
                                  SL_S(in[1]->name), SL_S(name));
    }
}

/* a, a.b, a.b.c: the first part is a column (the rest then are its fields) or a relation (then the second is
 * a column). */
static void check_reference(struct cat_walk *w, const struct sql_node *name, const struct cat_scope *scope)
{
    const struct sql_node *first = name->kind == SQL_N_NAME ? name->first : name;
    if (!first || first->kind != SQL_N_IDENT || is_context_function(w, first)) {
        return;
    }
    sl_str head = cat_ident(w, first);
    bool star = name->kind == SQL_N_NAME && name->op == 1;
    for (const struct cat_scope *at = scope; at; at = at->outer) {
        const struct cat_relation *rel = first->next || star ? find_alias(at, head) : NULL;
        if (rel) {
            if (first->next && !rel->open && !cat_has_column(rel, cat_ident(w, first->next))) {
                cat_say_column(w, first->next, cat_ident(w, first->next), head, NULL, rel);
            }
            return;
        }
        if (find_column(at, head) != NOT_THERE) {
            if (!first->next && !star) {
                check_ambiguous(w, first, head, at);
            }
            return;
        }
    }
    if (!scope || (first->next && first->next->next)) {
        return; /* a table may be called by its whole name */
    }
    if (first->next || star) {
        struct nearest n = nearest_to(head);
        for (const struct cat_scope *at = scope; at; at = at->outer) {
            for (size_t i = 0; i < at->from.n; i++) {
                offer(&n, at->from.v[i].name);
            }
        }
        say(w, SL_COLUMN_UNKNOWN, first,
            sl_arena_printf(w->a, "no table or column here is called '%.*s'", SL_S(head)), &n);
        return;
    }
    sl_str table = !scope->outer && scope->from.n == 1 ? scope->from.v[0].name : SL_STR_NONE;
    cat_say_column(w, first, head, table, scope, NULL);
}

static void check_children(struct cat_walk *w, const struct sql_node *first, const struct cat_scope *scope,
                           const struct cat_ctes *ctes)
{
    for (; first; first = first->next) {
        cat_expression(w, first, scope, ctes);
    }
}

void cat_expression(struct cat_walk *w, const struct sql_node *n, const struct cat_scope *scope,
                    const struct cat_ctes *ctes)
{
    if (!n) {
        return;
    }
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_NAME:
    case SQL_N_IDENT:
        check_reference(w, n, scope);
        return;
    case SQL_N_QUERY:
        (void)cat_query(w, n, scope, ctes);
        return;
    case SQL_N_SUBQUERY:
        (void)cat_query(w, n->first, scope, ctes);
        return;
    case SQL_N_CALL:
    case SQL_N_NAMED_ARG:
    case SQL_N_WINDOW_DEF:
    case SQL_N_JSON_PAIR:
        /* the first child is a name of its own; keys of JSON pairs are seldom columns */
        check_children(w, n->first ? n->first->next : NULL, scope, ctes);
        return;
    case SQL_N_FIELD:
        cat_expression(w, n->first, scope, ctes);
        if (n->last && n->last->kind == SQL_N_CALL) {
            cat_expression(w, n->last, scope, ctes);
        }
        return;
    case SQL_N_WINDOW:
    case SQL_N_OVER:
        for (const struct sql_node *c = n->first; c; c = c->next) {
            if (c->kind != SQL_N_IDENT) {
                cat_expression(w, c, scope, ctes);
            }
        }
        return;
    case SQL_N_CAST:
        cat_expression(w, n->first, scope, ctes);
        return;
    case SQL_N_LITERAL:
    case SQL_N_STRING:
    case SQL_N_TYPED:
    case SQL_N_TYPE:
    case SQL_N_UNIT:
    case SQL_N_HINTS:
    case SQL_N_TABLE_ARG:
    case SQL_N_MODEL_ARG:
    case SQL_N_JSON_CLAUSE:
    case SQL_N_LIMIT:
    case SQL_N_STAR:
        return;
    default:
        check_children(w, n->first, scope, ctes);
        return;
    }
}

static const struct cat_relation *renamed(struct cat_walk *w, const struct cat_relation *rel,
                                          const struct sql_node *names)
{
    if (!names) {
        return rel;
    }
    struct cat_relation *r = sl_new(w->a, struct cat_relation);
    for (const struct sql_node *c = names->first; c; c = c->next) {
        cat_add_column(w, r, cat_ident(w, c->kind == SQL_N_NAME && c->last ? c->last : c));
    }
    return r;
}

static const struct cat_named *find_cte(const struct cat_ctes *ctes, sl_str name)
{
    for (; ctes; ctes = ctes->outer) {
        for (size_t i = ctes->list.n; i-- > 0;) {
            if (sl_str_eq(ctes->list.v[i].name, name)) {
                return &ctes->list.v[i];
            }
        }
    }
    return NULL;
}

/* A table by its NAME; the mistake is said and the answer is open when there is none. */
static const struct cat_relation *table_of(struct cat_walk *w, const struct sql_node *name,
                                           const struct cat_ctes *ctes)
{
    if (!name || !name->first) {
        return &cat_open_relation;
    }
    if (!name->first->next) {
        const struct cat_named *cte = find_cte(ctes, cat_ident(w, name->first));
        if (cte) {
            return cte->rel;
        }
    }
    const struct cat_relation *rel = cat_find_table(w, name);
    if (!rel) {
        cat_say_table(w, name);
        return &cat_open_relation;
    }
    return rel;
}

/* A window table function: the columns of its input and three more. Everything else is open. */
static const struct cat_relation *table_function(struct cat_walk *w, const struct sql_node *call,
                                                 const struct cat_ctes *ctes)
{
    static const char *const windows[] = {"TUMBLE", "HOP", "CUMULATE", "SESSION"};
    const struct sql_node *fn = call ? call->first : NULL;
    const struct sql_node *input = NULL;
    for (const struct sql_node *arg = fn ? fn->next : NULL; arg && !input; arg = arg->next) {
        const struct sql_node *at = arg;
        while (at && (at->kind == SQL_N_ARGS || at->kind == SQL_N_NAMED_ARG)) {
            at = at->kind == SQL_N_ARGS ? at->first : at->last;
        }
        if (at && at->kind == SQL_N_TABLE_ARG) {
            input = at;
        }
    }
    if (!input) {
        return &cat_open_relation;
    }
    const struct sql_node *name = input->first && input->first->kind == SQL_N_NAME ? input->first : NULL;
    const struct sql_node *sub = sql_node_child(input, SQL_N_SUBQUERY);
    const struct cat_relation *in = name  ? table_of(w, name, ctes)
                                    : sub ? cat_query(w, sub->first, NULL, ctes)
                                          : &cat_open_relation;
    bool window = false;
    for (size_t i = 0; i < SL_ARRAY_LEN(windows); i++) {
        window |= sl_str_ieqz(sql_node_text(fn, w->st->sql), windows[i]);
    }
    if (!window || in->open) {
        return &cat_open_relation;
    }
    struct cat_relation *r = sl_new(w->a, struct cat_relation);
    for (size_t i = 0; i < in->columns.n; i++) {
        cat_add_column(w, r, in->columns.v[i]);
    }
    cat_add_column(w, r, SL_STR("window_start"));
    cat_add_column(w, r, SL_STR("window_end"));
    cat_add_column(w, r, SL_STR("window_time"));
    return r;
}

static void add_from(struct cat_walk *w, const struct sql_node *n, struct cat_scope *scope,
                     const struct cat_ctes *ctes);

/* One thing in FROM, under its alias. What stands left of it is in sight of LATERAL, UNNEST and FOR
 * SYSTEM_TIME. */
static void add_source(struct cat_walk *w, const struct sql_node *n, struct cat_scope *scope,
                       const struct cat_ctes *ctes)
{
    const struct cat_relation *rel = &cat_open_relation;
    const struct sql_node *alias = sql_node_child(n, SQL_N_ALIAS);
    sl_str name = alias && alias->first ? cat_ident(w, alias->first) : SL_STR_NONE;
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_TABLE: {
        const struct sql_node *table = sql_node_child(n, SQL_N_NAME);
        rel = table_of(w, table, ctes);
        if (!name.n && table && table->last) {
            name = cat_ident(w, table->last);
        }
        cat_expression(w, sql_node_child(n, SQL_N_SNAPSHOT), scope, ctes);
        break;
    }
    case SQL_N_DERIVED: {
        const struct sql_node *sub = sql_node_child(n, SQL_N_SUBQUERY);
        rel = sub ? cat_query(w, sub->first, n->op & 1 ? scope : scope->outer, ctes) : rel;
        break;
    }
    case SQL_N_TABLE_FUNCTION: {
        const struct sql_node *call = sql_node_child(n, SQL_N_CALL);
        rel = table_function(w, call, ctes);
        if (n->op & 1) {
            cat_expression(w, call, scope, ctes);
        }
        break;
    }
    case SQL_N_UNNEST:
        cat_expression(w, sql_node_child(n, SQL_N_EXPRS), scope, ctes);
        break;
    default:
        break;
    }
    /* MATCH_RECOGNIZE and PIVOT make other columns than they take */
    if (sql_node_child(n, SQL_N_MATCH) || sql_node_child(n, SQL_N_PIVOT) ||
        sql_node_child(n, SQL_N_UNPIVOT)) {
        rel = &cat_open_relation;
    }
    rel = renamed(w, rel, alias ? sql_node_child(alias, SQL_N_NAMES) : NULL);
    struct cat_named *at = sl_vec_add(w->a, &scope->from);
    at->name = name;
    at->rel = rel;
}

static void check_using(struct cat_walk *w, const struct sql_node *names, const struct cat_scope *scope,
                        size_t right)
{
    for (const struct sql_node *c = names ? names->first : NULL; c; c = c->next) {
        const struct sql_node *ident = c->kind == SQL_N_NAME ? c->last : c;
        if (!ident || right >= scope->from.n) {
            return;
        }
        const struct cat_named *r = &scope->from.v[right];
        if (!r->rel->open && scope->from.n == right + 1 && !cat_has_column(r->rel, cat_ident(w, ident))) {
            cat_say_column(w, ident, cat_ident(w, ident), r->name, NULL, r->rel);
        }
    }
}

static void add_join(struct cat_walk *w, const struct sql_node *n, struct cat_scope *scope,
                     const struct cat_ctes *ctes)
{
    const struct sql_node *left = n->first, *right = left ? left->next : NULL;
    if (!right) {
        return;
    }
    add_from(w, left, scope, ctes);
    size_t at = scope->from.n;
    add_from(w, right, scope, ctes);
    const struct sql_node *on = sql_node_child(n, SQL_N_ON);
    if (on) {
        check_children(w, on->first, scope, ctes);
    }
    const struct sql_node *using = sql_node_child(n, SQL_N_USING);
    scope->merged |= using || (n->op & SQL_OP_NATURAL);
    if (using) {
        check_using(w, using->first && using->first->kind == SQL_N_NAMES ? using->first : using, scope, at);
    }
}

static void add_from(struct cat_walk *w, const struct sql_node *n, struct cat_scope *scope,
                     const struct cat_ctes *ctes)
{
    if (n->kind == SQL_N_JOIN) {
        add_join(w, n, scope, ctes);
    } else if (n->kind == SQL_N_NESTED) {
        const struct sql_node *alias = sql_node_child(n, SQL_N_ALIAS);
        if (alias) {
            add_source(w, n, scope, ctes);
        } else if (n->first) {
            add_from(w, n->first, scope, ctes);
        }
    } else {
        add_source(w, n, scope, ctes);
    }
}

/* What * or alias.* stands for. */
static void add_star(struct cat_walk *w, struct cat_relation *out, const struct cat_scope *scope,
                     const struct sql_node *of)
{
    for (size_t i = 0; i < scope->from.n; i++) {
        const struct cat_named *f = &scope->from.v[i];
        if (of && !sl_str_eq(f->name, cat_ident(w, of))) {
            continue;
        }
        out->open |= f->rel->open;
        out->inexact |= f->rel->inexact || (scope->merged && !of);
        for (size_t k = 0; k < f->rel->columns.n; k++) {
            cat_add_column(w, out, f->rel->columns.v[k]);
        }
        if (of) {
            return;
        }
    }
    out->open |= of != NULL;
}

static const struct cat_relation *select_list(struct cat_walk *w, const struct sql_node *list,
                                              const struct cat_scope *scope, const struct cat_ctes *ctes)
{
    struct cat_relation *out = sl_new(w->a, struct cat_relation);
    unsigned position = 0;
    for (const struct sql_node *item = list ? list->first : NULL; item; item = item->next, position++) {
        const struct sql_node *expr = item->kind == SQL_N_SELECT_ITEM ? item->first : item;
        const struct sql_node *alias =
            item->kind == SQL_N_SELECT_ITEM ? sql_node_child(item, SQL_N_ALIAS) : NULL;
        if (!expr) {
            continue;
        }
        if (expr->kind == SQL_N_STAR) {
            add_star(w, out, scope, NULL);
            continue;
        }
        cat_expression(w, expr, scope, ctes);
        if (expr->kind == SQL_N_NAME && expr->op == 1) {
            add_star(w, out, scope, expr->first == expr->last ? expr->first : NULL);
            out->open |= expr->first != expr->last;
            continue;
        }
        const struct sql_node *name = alias && alias->first                                    ? alias->first
                                      : expr->kind == SQL_N_NAME                               ? expr->last
                                      : expr->kind == SQL_N_IDENT                              ? expr
                                      : expr->kind == SQL_N_FIELD && expr->last != expr->first ? expr->last
                                                                                               : NULL;
        cat_add_column(w, out,
                       name && name->kind == SQL_N_IDENT ? cat_ident(w, name)
                                                         : sl_arena_printf(w->a, "EXPR$%u", position));
    }
    return out;
}

static const struct cat_relation *select_of(struct cat_walk *w, const struct sql_node *n,
                                            const struct cat_scope *outer, const struct cat_ctes *ctes,
                                            struct cat_scope *scope)
{
    *scope = (struct cat_scope){.outer = outer};
    const struct sql_node *from = sql_node_child(n, SQL_N_FROM);
    if (from && from->first) {
        add_from(w, from->first, scope, ctes);
    }
    const struct cat_relation *out = select_list(w, sql_node_child(n, SQL_N_SELECT_LIST), scope, ctes);
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind == SQL_N_WHERE || c->kind == SQL_N_WINDOWS) {
            check_children(w, c->first, scope, ctes);
        } else if (c->kind == SQL_N_GROUP_BY || c->kind == SQL_N_HAVING || c->kind == SQL_N_QUALIFY) {
            scope->aliases = out;
            check_children(w, c->first, scope, ctes);
            scope->aliases = NULL;
        }
    }
    return out;
}

static const struct cat_relation *body_of(struct cat_walk *w, const struct sql_node *n,
                                          const struct cat_scope *outer, const struct cat_ctes *ctes,
                                          struct cat_scope *scope)
{
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_SELECT:
        return select_of(w, n, outer, ctes, scope);
    case SQL_N_SET_OP: {
        const struct sql_node *right = n->first ? n->first->next : NULL;
        if (!right) {
            return &cat_open_relation;
        }
        struct cat_scope other;
        const struct cat_relation *out = body_of(w, n->first, outer, ctes, &other);
        (void)body_of(w, right, outer, ctes, &other);
        return out;
    }
    case SQL_N_QUERY:
        return cat_query(w, n, outer, ctes);
    case SQL_N_SUBQUERY:
        return n->first ? body_of(w, n->first, outer, ctes, scope) : &cat_open_relation;
    case SQL_N_EXPLICIT_TABLE:
        return table_of(w, n->first, ctes);
    case SQL_N_VALUES: {
        check_children(w, n->first, outer, ctes);
        struct cat_relation *out = sl_new(w->a, struct cat_relation);
        size_t columns = n->first && n->first->kind == SQL_N_ROW ? sql_node_count(n->first) : 1;
        for (size_t i = 0; i < columns; i++) {
            cat_add_column(w, out, sl_arena_printf(w->a, "EXPR$%zu", i));
        }
        return out;
    }
    default:
        return &cat_open_relation;
    }
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
        return body_of(w, query, outer, ctes, &scope);
    }
    const struct sql_node *with = sql_node_child(query, SQL_N_WITH);
    for (const struct sql_node *cte = with ? with->first : NULL; cte; cte = cte->next) {
        const struct sql_node *sub = sql_node_child(cte, SQL_N_SUBQUERY);
        struct cat_named *at = NULL;
        if (with->op & 1) {
            at = sl_vec_add(w->a, &own.list); /* it may name itself */
            *at = (struct cat_named){cat_ident(w, cte->first), &cat_open_relation};
        }
        const struct cat_relation *rel = sub ? cat_query(w, sub->first, NULL, &own) : &cat_open_relation;
        rel = renamed(w, rel, sql_node_child(cte, SQL_N_NAMES));
        at = at ? at : sl_vec_add(w->a, &own.list);
        *at = (struct cat_named){cat_ident(w, cte->first), with->op & 1 ? &cat_open_relation : rel};
    }
    const struct cat_relation *out = &cat_open_relation;
    for (const struct sql_node *c = query->first; c; c = c->next) {
        if (c->kind == SQL_N_ORDER_BY) {
            scope.aliases = out;
            check_children(w, c->first, &scope, &own);
        } else if (c->kind != SQL_N_WITH && c->kind != SQL_N_LIMIT) {
            out = body_of(w, c, outer, &own, &scope);
        }
    }
    return out;
}
