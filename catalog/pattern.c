/* SPDX-License-Identifier: Apache-2.0
 * MATCH_RECOGNIZE: variables of its pattern, what may stand in MEASURES and DEFINE, and what it gives. */
#include "catalog/relation.h"
#include "sqlparse/token.h"

static bool has(const struct cat_relation *set, sl_str name)
{
    return cat_has_column(set, name);
}

static void collect(struct cat_walk *w, const struct sql_node *n, struct cat_relation *set)
{
    for (; n; n = n->next) {
        w->steps++;
        if (n->kind == SQL_N_IDENT) {
            sl_str name = cat_ident(w, n);
            if (!has(set, name)) {
                cat_add_column(w, set, name, NULL);
            }
        } else {
            collect(w, n->first, set);
        }
    }
}

static void say_unknown(struct cat_walk *w, const struct sql_node *ident, const struct cat_relation *vars)
{
    sl_str name = cat_ident(w, ident);
    struct sql_diag *d = cat_say(w, SL_PATTERN_VARIABLE, ident, "PATTERN has no variable '%.*s'", SL_S(name));
    struct cat_nearest n = cat_nearest_to(name);
    cat_offer_columns(&n, vars);
    cat_hint_near(w, d, &n);
}

static void subsets(struct cat_walk *w, const struct sql_node *subset, const struct cat_relation *vars,
                    struct cat_relation *all)
{
    for (const struct sql_node *item = subset ? subset->first : NULL; item; item = item->next) {
        const struct sql_node *list = sql_node_child(item, SQL_N_EXPRS);
        for (const struct sql_node *c = list ? list->first : NULL; c; c = c->next) {
            const struct sql_node *ident = cat_last(c);
            if (ident->kind == SQL_N_IDENT && !has(vars, cat_ident(w, ident))) {
                say_unknown(w, ident, vars);
            }
        }
        if (item->first && item->first->kind == SQL_N_IDENT) {
            cat_add_column(w, all, cat_ident(w, item->first), NULL);
        }
    }
}

/* What Flink's grammar reads and its planner does not know. */
static void check_shape(struct cat_walk *w, const struct sql_node *n, struct cat_relation *seen)
{
    for (; n; n = n->next) {
        if (n->kind == SQL_N_PAT_ALT && n->first && n->first->next) {
            struct sql_diag *d = cat_say(w, SL_PATTERN_VARIABLE, n, "Flink has no alternatives in patterns");
            cat_hint(w, d, "write one variable, and both conditions with OR in its DEFINE");
            return;
        }
        if (n->kind == SQL_N_IDENT) {
            sl_str name = cat_ident(w, n);
            if (has(seen, name)) {
                cat_say(w, SL_PATTERN_VARIABLE, n, "variable '%.*s' is in PATTERN twice", SL_S(name));
                return;
            }
            cat_add_column(w, seen, name, NULL);
        }
        check_shape(w, n->first, seen);
    }
}

/* The last thing a pattern matches must know when to end. */
static void check_greedy(struct cat_walk *w, const struct sql_node *pattern)
{
    const struct sql_node *alt = sql_node_child(pattern, SQL_N_PAT_ALT);
    const struct sql_node *seq = alt && alt->first && !alt->first->next ? alt->first : NULL;
    const struct sql_node *last = seq ? sql_last(seq) : NULL;
    if (!last || last->kind != SQL_N_PAT_ITEM || !last->first || last->first->kind != SQL_N_IDENT) {
        return;
    }
    uint32_t from = last->first->off + last->first->len;
    sl_str quantifier = sl_str_trim(sl_str_sub(w->st->sql, from, last->off + last->len - from));
    bool open = sl_str_eqz(quantifier, "+") || sl_str_eqz(quantifier, "*") ||
                (quantifier.n > 1 && quantifier.p[0] == '{' && sl_str_ends(quantifier, SL_STR("}")) &&
                 sl_str_find_char(quantifier, ',') >= 0);
    if (open) {
        struct sql_diag *d =
            cat_say(w, SL_PATTERN_VARIABLE, last, "the last variable of a pattern cannot be greedy: '%.*s'",
                    SL_S(sql_node_text(last, w->st->sql)));
        cat_hint(w, d, "write %.*s?, or let a variable follow that ends the match",
                 SL_S(sql_node_text(last, w->st->sql)));
    }
}

static void check_order(struct cat_walk *w, const struct sql_node *match, const struct sql_node *order,
                        const struct cat_env *env)
{
    const struct sql_node *first = order ? order->first : NULL;
    const struct cat_type *t = first ? cat_expr(w, first->first, env) : cat_type_of(CAT_T_UNKNOWN);
    for (const struct sql_node *item = first ? first->next : NULL; item; item = item->next) {
        (void)cat_expr(w, item->first, env);
    }
    if (w->batch || w->view) {
        return;
    }
    bool moment = t->kind == CAT_T_TIMESTAMP || t->kind == CAT_T_TIMESTAMP_LTZ;
    if (!order || (t->kind > CAT_T_NULL && (!moment || t->time == CAT_TIME_NONE))) {
        struct sql_diag *d = order
                                 ? cat_say(w, SL_TIME_ATTRIBUTE_MISSING, first,
                                           "MATCH_RECOGNIZE sorts by a time attribute first, and this is %s",
                                           moment ? "a plain timestamp" : cat_kind_name(t->kind))
                                 : cat_say_at(w, SL_TIME_ATTRIBUTE_MISSING, match->off, 15,
                                              "MATCH_RECOGNIZE needs ORDER BY with a time attribute");
        cat_hint(w, d, "ORDER BY the column of the table's WATERMARK, or one AS PROCTIME()");
    } else if (first && first->op == TK_DESC && t->time) {
        cat_say(w, SL_TIME_ATTRIBUTE_MISSING, first, "MATCH_RECOGNIZE sorts by time in ascending order");
    }
}

/* PREV and NEXT look at rows of the input, which measures no longer see. */
static void check_navigation(struct cat_walk *w, const struct sql_node *n)
{
    for (; n; n = n->next) {
        w->steps++;
        unsigned op = n->kind == SQL_N_CALL ? n->op & SQL_OP_TOKEN : 0;
        if (op == TK_PREV || (op == TK_NEXT && n->first && n->first->kind != SQL_N_NAME)) {
            struct sql_diag *d = cat_say(w, SL_PATTERN_VARIABLE, n, "%s cannot stand in MEASURES",
                                         op == TK_PREV ? "PREV" : "NEXT");
            cat_hint(w, d, "FIRST(A.x) and LAST(A.x) can");
            return;
        }
        if (n->kind != SQL_N_SUBQUERY && n->kind != SQL_N_QUERY) {
            check_navigation(w, n->first);
        }
    }
}

static void define(struct cat_walk *w, const struct sql_node *defines, const struct cat_env *env)
{
    struct cat_relation seen = {0};
    for (const struct sql_node *item = defines ? defines->first : NULL; item; item = item->next) {
        const struct sql_node *ident = item->first, *condition = ident ? ident->next : NULL;
        sl_str name = cat_ident(w, ident);
        if (has(&seen, name)) {
            cat_say(w, SL_PATTERN_VARIABLE, ident, "variable '%.*s' is defined twice", SL_S(name));
        }
        cat_add_column(w, &seen, name, NULL);
        cat_condition(w, condition, env, "DEFINE");
    }
}

const struct cat_relation *cat_match(struct cat_walk *w, const struct sql_node *match,
                                     const struct cat_named *input, const struct cat_ctes *ctes)
{
    struct cat_relation vars = {0}, all = {0};
    const struct sql_node *pattern = sql_node_child(match, SQL_N_PATTERN),
                          *part = sql_node_child(match, SQL_N_PARTITION_BY);
    const struct sql_node *measures = sql_node_child(match, SQL_N_MEASURES),
                          *after = sql_node_child(match, SQL_N_AFTER_MATCH);
    const struct sql_node *within = sql_node_child(match, SQL_N_INTERVAL);
    size_t errors = w->s->diags.errors;
    collect(w, pattern ? pattern->first : NULL, &vars);
    collect(w, pattern ? pattern->first : NULL, &all);
    subsets(w, sql_node_child(match, SQL_N_SUBSET), &vars, &all);
    const struct sql_node *defines = sql_node_child(match, SQL_N_DEFINE);
    for (const struct sql_node *item = defines ? defines->first : NULL; item; item = item->next) {
        if (!has(&all, cat_ident(w, item->first))) {
            cat_add_column(w, &all, cat_ident(w, item->first), NULL); /* may be used in its own condition */
        }
    }
    struct cat_pattern names = {0};
    for (size_t i = 0; i < all.columns.n; i++) {
        sl_vec_push(w->a, &names.vars, all.columns.v[i].name);
    }
    struct cat_scope scope = {0}, within_pattern = {0};
    sl_vec_push(w->a, &scope.from, *input);
    sl_vec_push(w->a, &within_pattern.from, ((struct cat_named){.rel = input->rel}));
    within_pattern.pattern = &names;
    struct cat_env env = {.scope = &scope, .ctes = ctes},
                   in_pattern = {.scope = &within_pattern, .ctes = ctes};

    struct cat_relation *out = sl_new(w->a, struct cat_relation);
    const struct sql_node *by = part ? part->first : NULL;
    by = by && by->kind == SQL_N_EXPRS ? by->first : by;
    for (const struct sql_node *c = by; c; c = c->next) {
        const struct cat_type *t = cat_expr(w, c, &env);
        const struct sql_node *last = cat_last(c);
        if (last->kind == SQL_N_IDENT) {
            cat_add_column(w, out, cat_ident(w, last), t);
        } else {
            out->open = true;
        }
    }
    check_order(w, match, sql_node_child(match, SQL_N_ORDER_BY), &env);
    for (const struct sql_node *item = measures ? measures->first : NULL; item; item = item->next) {
        const struct sql_node *alias = sql_node_child(item, SQL_N_ALIAS);
        const struct cat_type *t = cat_expr(w, item->first, &in_pattern);
        check_navigation(w, item->first);
        if (alias && alias->first) {
            sl_str name = cat_ident(w, alias->first);
            if (cat_has_column(out, name)) {
                cat_say(w, SL_COLUMN_DUPLICATE, alias->first,
                        "two columns of this MATCH_RECOGNIZE are called '%.*s'", SL_S(name));
            }
            cat_add_column(w, out, name, t->time ? t : cat_type_of(t->kind));
        }
    }
    if (after && after->first && !has(&all, cat_ident(w, after->first))) {
        say_unknown(w, after->first, &all);
    }
    define(w, defines, &in_pattern);
    if (within && !w->view && cat_unit_kind(w, sql_last(within)) == CAT_T_MONTHS) {
        cat_say(w, SL_WINDOW, within, "WITHIN cannot be measured in months or years");
    }
    if (pattern && !w->view && w->s->diags.errors == errors) {
        struct cat_relation seen = {0};
        check_greedy(w, pattern);
        check_shape(w, pattern->first, &seen);
    }
    out->open |= !measures;
    return out;
}
