/* SPDX-License-Identifier: Apache-2.0
 * FROM makes a scope: tables, sub-queries, functions and their joins, each under its name. What stands left of
 * a source is in sight of LATERAL, UNNEST and FOR SYSTEM_TIME. */
#include "catalog/relation.h"
#include "sqlparse/token.h"

#define FEW 8

static uint32_t alias_slot(const struct cat_scope *s, sl_str name)
{
    uint32_t at = (uint32_t)sl_str_hash(name) & (s->n_slots - 1);
    while (s->slots[at] && !sl_str_eq(s->from.v[s->slots[at] - 1].name, name)) {
        at = (at + 1) & (s->n_slots - 1);
    }
    return at;
}

const struct cat_named *cat_alias(const struct cat_scope *scope, sl_str name, size_t *ret_at)
{
    if (scope->slots) {
        uint32_t i = scope->slots[alias_slot(scope, name)];
        if (i) {
            *ret_at = i - 1;
        }
        return i ? &scope->from.v[i - 1] : NULL;
    }
    for (size_t i = 0; i < scope->from.n; i++) {
        if (sl_str_eq(scope->from.v[i].name, name)) {
            *ret_at = i;
            return &scope->from.v[i];
        }
    }
    return NULL;
}

static void add_named(struct cat_walk *w, struct cat_scope *s, sl_str name, const struct cat_relation *rel,
                      const struct sql_node *at)
{
    size_t i;
    if (name.n && cat_alias(s, name, &i)) {
        struct sql_diag *d =
            cat_say(w, SL_ALIAS_TWICE, at, "two tables of this FROM are called '%.*s'", SL_S(name));
        cat_hint(w, d, "give one of them another name:  FROM t AS a, t AS b");
        s->from.v[i].rel = rel = &cat_open_relation; /* either may be meant */
    }
    sl_vec_push(w->a, &s->from, ((struct cat_named){.name = name, .rel = rel}));
    w->steps++;
    if (s->from.n <= FEW) {
        return;
    }
    if (s->from.n * 2 > s->n_slots) {
        s->n_slots = s->n_slots ? s->n_slots * 2 : 4 * FEW;
        s->slots = sl_new_n(w->a, uint32_t, s->n_slots);
        for (size_t k = 0; k + 1 < s->from.n; k++) {
            uint32_t slot = alias_slot(s, s->from.v[k].name);
            s->slots[slot] = s->slots[slot] ? s->slots[slot] : (uint32_t)k + 1;
        }
    }
    uint32_t slot = alias_slot(s, name);
    s->slots[slot] = s->slots[slot] ? s->slots[slot] : (uint32_t)s->from.n;
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
const struct cat_relation *cat_table_of(struct cat_walk *w, const struct sql_node *name,
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

static const struct cat_relation *unnest(struct cat_walk *w, const struct sql_node *n,
                                         const struct cat_env *env)
{
    const struct sql_node *list = n->first;
    if (!list || list->kind == SQL_N_SUBQUERY) {
        if (list) {
            (void)cat_query(w, list->first, env->scope, env->ctes);
        }
        return &cat_open_relation;
    }
    for (const struct sql_node *c = list->first; c; c = c->next) {
        const struct cat_type *t = cat_expr(w, c, env);
        bool can = t->kind <= CAT_T_NULL || t->kind == CAT_T_ARRAY || t->kind == CAT_T_MAP ||
                   t->kind == CAT_T_MULTISET || t->kind == CAT_T_OTHER;
        if (!can) {
            struct sql_diag *d =
                cat_say(w, SL_TYPE_MISMATCH, n, "UNNEST takes an array, a map or a multiset, and this is %s",
                        cat_kind_name(t->kind));
            cat_hint(w, d, "SPLIT(text, ',') makes an array of a text");
        }
    }
    return &cat_open_relation;
}

static const struct cat_type *snapshot(struct cat_walk *w, const struct sql_node *snap,
                                       const struct cat_env *env)
{
    const struct cat_type *t =
        snap && snap->first ? cat_expr(w, snap->first, env) : cat_type_of(CAT_T_UNKNOWN);
    bool moment = t->kind == CAT_T_TIMESTAMP || t->kind == CAT_T_TIMESTAMP_LTZ;
    if (t->kind > CAT_T_NULL && t->kind != CAT_T_OTHER && !moment) {
        struct sql_diag *d =
            cat_say(w, SL_TEMPORAL_JOIN, snap->first, "FOR SYSTEM_TIME AS OF takes a time, and this is %s",
                    cat_kind_name(t->kind));
        cat_hint(w, d, "use the time attribute of the table on the left");
    }
    return t;
}

/* JOIN t FOR SYSTEM_TIME AS OF rowtime: t must be versioned. */
static void check_versioned(struct cat_walk *w, const struct sql_node *right, const struct cat_relation *rel,
                            const struct cat_type *time)
{
    if (w->batch || w->view || time->time != CAT_TIME_ROW || rel->open || rel->view ||
        (rel->has_key && rel->watermark)) {
        return;
    }
    const struct sql_node *name = sql_node_child(right, SQL_N_NAME);
    struct sql_diag *d = cat_say(
        w, SL_TEMPORAL_JOIN, name ? name : right, "'%.*s' has no %s, which a join by event time needs",
        SL_S(sql_node_text(name ? name : right, w->st->sql)), rel->has_key ? "WATERMARK" : "PRIMARY KEY");
    cat_hint(w, d, "declare PRIMARY KEY (...) NOT ENFORCED and a WATERMARK, or join AS OF a processing time");
}

/* The table, before its alias. */
static const struct cat_relation *source(struct cat_walk *w, const struct sql_node *n,
                                         struct cat_scope *scope, const struct cat_ctes *ctes)
{
    struct cat_env env = {.scope = scope, .ctes = ctes};
    const struct sql_node *sub;
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_TABLE: {
        const struct cat_relation *rel = cat_table_of(w, sql_node_child(n, SQL_N_NAME), ctes);
        const struct sql_node *snap = sql_node_child(n, SQL_N_SNAPSHOT);
        if (snap) {
            check_versioned(w, n, rel, snapshot(w, snap, &env));
        }
        if (rel->with) {
            cat_with_use(w, rel, sql_node_child(n, SQL_N_NAME), false);
            cat_with_hint(w, rel, n);
        }
        return rel;
    }
    case SQL_N_DERIVED:
        sub = sql_node_child(n, SQL_N_SUBQUERY);
        return sub ? cat_query(w, sub->first, n->op & 1 ? scope : scope->outer, ctes) : &cat_open_relation;
    case SQL_N_TABLE_FUNCTION:
        return cat_table_function(w, sql_node_child(n, SQL_N_CALL), n->op & 1, scope, ctes);
    case SQL_N_UNNEST:
        return unnest(w, n, &env);
    default:
        return &cat_open_relation;
    }
}

/* One thing in FROM, under its alias. */
static void add_source(struct cat_walk *w, const struct sql_node *n, struct cat_scope *scope,
                       const struct cat_ctes *ctes)
{
    const struct sql_node *alias = sql_node_child(n, SQL_N_ALIAS), *match = sql_node_child(n, SQL_N_MATCH);
    const struct sql_node *table = n->kind == SQL_N_TABLE ? sql_node_child(n, SQL_N_NAME) : NULL;
    const struct sql_node *at = alias && alias->first      ? alias->first
                                : table && sql_last(table) ? sql_last(table)
                                                           : n;
    const struct cat_relation *rel = source(w, n, scope, ctes);
    sl_str name = at != n ? cat_ident(w, at) : SL_STR_NONE;
    if (match) {
        struct cat_named input = {
            .name = table && sql_last(table) ? cat_ident(w, sql_last(table)) : SL_STR_NONE, .rel = rel};
        rel = cat_match(w, match, &input, ctes);
        name = alias && alias->first ? name : SL_STR_NONE;
    }
    if (sql_node_child(n, SQL_N_PIVOT) || sql_node_child(n, SQL_N_UNPIVOT)) {
        rel = &cat_open_relation; /* they make other columns than they take */
    }
    const struct sql_node *names = alias ? sql_node_child(alias, SQL_N_NAMES) : NULL;
    rel = cat_renamed(w, rel, names, alias ? alias->first : n);
    add_named(w, scope, name, rel, at);
}

static bool is_boolean_true(const struct sql_node *n)
{
    return n && n->kind == SQL_N_LITERAL && (n->op & SQL_OP_TOKEN) == TK_TRUE;
}

/* Is there a column of that name in from[low, high)? */
static enum cat_found side_has(struct cat_walk *w, const struct cat_scope *s, size_t low, size_t high,
                               sl_str name)
{
    enum cat_found found = CAT_NOT_THERE;
    for (size_t i = low; i < high; i++) {
        w->steps++;
        if (cat_field(s->from.v[i].rel, name)) {
            return CAT_THERE;
        }
        found = s->from.v[i].rel->open ? CAT_MAYBE : found;
    }
    return found;
}

static void using(struct cat_walk *w, const struct sql_node *names, struct cat_scope *scope, size_t left,
                  size_t right)
{
    for (const struct sql_node *c = names ? names->first : NULL; c; c = c->next) {
        const struct sql_node *ident = cat_last(c);
        sl_str name = cat_ident(w, ident);
        bool on_left = side_has(w, scope, left, right, name) != CAT_NOT_THERE;
        bool on_right = side_has(w, scope, right, scope->from.n, name) != CAT_NOT_THERE;
        if (!on_left || !on_right) {
            const struct cat_named *side = &scope->from.v[on_left ? right : left];
            struct sql_diag *d = cat_say(w, SL_COLUMN_UNKNOWN, ident,
                                         "USING needs column '%.*s' in both tables, and '%.*s' has none",
                                         SL_S(name), SL_S(side->name));
            struct cat_nearest n = cat_nearest_to(name);
            cat_offer_columns(&n, side->rel);
            cat_hint_near(w, d, &n);
        }
        sl_vec_push(w->a, &scope->merged, name);
    }
}

/* The JOIN between two sources. */
static struct sql_token join_word(const struct cat_walk *w, const struct sql_node *left,
                                  const struct sql_node *right)
{
    struct sql_lexer lx;
    struct sql_token t, found = {.off = right->off, .len = right->len};
    uint32_t from = left->off + left->len;
    sql_lex_init(&lx, sl_str_sub(w->st->sql, from, right->off > from ? right->off - from : 0), w->s->flink,
                 false);
    while (sql_lex_next(&lx, &t)) {
        if (t.kind == TK_JOIN) {
            found = t;
            found.off += from;
        }
    }
    return found;
}

static void check_condition(struct cat_walk *w, const struct sql_node *n, const struct sql_node *right)
{
    const struct sql_node *on = sql_node_child(n, SQL_N_ON), *with = sql_node_child(n, SQL_N_USING);
    unsigned op = n->op & SQL_OP_TOKEN;
    bool natural = n->op & SQL_OP_NATURAL;
    struct sql_diag *d;
    if ((on || with) && natural) {
        d = cat_say(w, SL_JOIN_CONDITION, on ? on : with, "NATURAL JOIN takes no condition");
        cat_hint(w, d, "leave NATURAL out");
    } else if ((on || with) && op == TK_CROSS) {
        d = cat_say(w, SL_JOIN_CONDITION, on ? on : with, "CROSS JOIN takes no condition");
        cat_hint(w, d, "write JOIN, or leave the condition out");
    } else if (!on && !with && !natural && op != TK_CROSS && op != TK_COMMA) {
        struct sql_token word = join_word(w, n->first, right);
        d = cat_say_at(w, SL_JOIN_CONDITION, word.off, word.len, "this JOIN has no condition");
        cat_hint(w, d, "write ON a.id = b.id behind it, ON TRUE for a function, or CROSS JOIN");
    }
}

static void add_join(struct cat_walk *w, const struct sql_node *n, struct cat_scope *scope,
                     const struct cat_ctes *ctes)
{
    const struct sql_node *left = n->first, *right = left ? left->next : NULL;
    if (!right) {
        return;
    }
    size_t start = scope->from.n;
    cat_from(w, left, scope, ctes);
    size_t at = scope->from.n;
    cat_from(w, right, scope, ctes);
    check_condition(w, n, right);
    const struct sql_node *on = sql_node_child(n, SQL_N_ON), *names = sql_node_child(n, SQL_N_USING);
    if (on && on->first && !is_boolean_true(on->first)) {
        struct cat_env env = {.scope = scope, .ctes = ctes, .no_aggregate = "ON"};
        cat_condition(w, on->first, &env, "ON");
    }
    if (n->op & SQL_OP_NATURAL) {
        scope->natural = true;
    }
    if (names) {
        using(w, names->first && names->first->kind == SQL_N_NAMES ? names->first : names, scope, start, at);
    }
}

void cat_from(struct cat_walk *w, const struct sql_node *n, struct cat_scope *scope,
              const struct cat_ctes *ctes)
{
    w->steps++;
    if (n->kind == SQL_N_JOIN) {
        add_join(w, n, scope, ctes);
    } else if (n->kind == SQL_N_NESTED && !sql_node_child(n, SQL_N_MATCH)) {
        const struct sql_node *alias = sql_node_child(n, SQL_N_ALIAS);
        if (alias && n->first) {
            struct cat_scope inner = {.outer = scope->outer};
            cat_from(w, n->first, &inner, ctes);
            add_named(w, scope, cat_ident(w, alias->first), &cat_open_relation, alias->first);
        } else if (n->first) {
            cat_from(w, n->first, scope, ctes);
        }
    } else {
        add_source(w, n, scope, ctes);
    }
}
