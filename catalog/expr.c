/* SPDX-License-Identifier: Apache-2.0
 * Expressions: every column reference is looked up, every type that is known goes up the tree. What is not
 * known makes what is built on it not known, so one mistake is said once. Calls are in calls.c. */
#include "catalog/relation.h"
#include "sqlparse/token.h"

static const struct cat_type *unknown(void)
{
    return cat_type_of(CAT_T_UNKNOWN);
}

/* Functions that are written without parentheses look like names. */
static const struct cat_type *context_function(const struct cat_walk *w, const struct sql_node *ident)
{
    sl_str text = sql_node_text(ident, w->st->sql);
    enum sql_word word = sql_word_find(text.p, text.n);
    if (!word || !(sql_words[word].reserved >> sql_version_index(w->s->flink) & 1)) {
        return NULL;
    }
    const struct cat_function *f = cat_function(w->s->flink, text);
    return f ? cat_function_result(f, NULL, 0) : unknown();
}

static const struct cat_field *in_scope(struct cat_walk *w, const struct cat_scope *scope, sl_str name,
                                        size_t *ret_at, bool *ret_maybe)
{
    for (size_t i = 0; i < scope->from.n; i++) {
        const struct cat_field *f = cat_field(scope->from.v[i].rel, name);
        w->steps++;
        if (f) {
            *ret_at = i;
            return f;
        }
        *ret_maybe |= scope->from.v[i].rel->open;
    }
    return NULL;
}

/* Flink looks into rows for a name that is no column: SELECT a for a column r ROW<a INT>. */
static const struct cat_field *peek(struct cat_walk *w, const struct cat_relation *rel, sl_str name,
                                    unsigned depth)
{
    for (size_t i = 0; i < rel->columns.n; i++) {
        const struct cat_type *t = rel->columns.v[i].type;
        w->steps++;
        if (t->kind != CAT_T_ROW || !t->fields || depth > 8) {
            continue;
        }
        const struct cat_field *f = cat_field(t->fields, name);
        f = f ? f : peek(w, t->fields, name, depth + 1);
        if (f) {
            return f;
        }
    }
    return NULL;
}

static const struct cat_field *peek_scope(struct cat_walk *w, const struct cat_scope *scope, sl_str name)
{
    for (size_t i = 0; i < scope->from.n; i++) {
        const struct cat_field *f = peek(w, scope->from.v[i].rel, name, 0);
        if (f) {
            return f;
        }
    }
    return NULL;
}

static bool is_merged(const struct cat_scope *scope, sl_str name)
{
    for (size_t i = 0; i < scope->merged.n; i++) {
        if (sl_str_eq(scope->merged.v[i], name)) {
            return true;
        }
    }
    return scope->natural;
}

/* A column that two relations of one FROM have, or one relation twice, without saying which is meant. */
static bool check_ambiguous(struct cat_walk *w, const struct sql_node *at, sl_str name,
                            const struct cat_scope *scope, size_t first)
{
    const struct cat_named *one = &scope->from.v[first], *other = NULL;
    for (size_t i = first + 1; i < scope->from.n && !other; i++) {
        if (cat_field(scope->from.v[i].rel, name)) {
            other = &scope->from.v[i];
        }
    }
    if (!other || scope->aliases || is_merged(scope, name)) {
        return false;
    }
    struct sql_diag *d =
        cat_say(w, SL_COLUMN_AMBIGUOUS, at, "column '%.*s' is in more than one table here", SL_S(name));
    if (one->name.n && other->name.n) {
        cat_hint(w, d, "write %.*s.%.*s or %.*s.%.*s", SL_S(one->name), SL_S(name), SL_S(other->name),
                 SL_S(name));
    }
    return true;
}

/* The fields behind a column: a.b.c. */
static const struct cat_type *nested(struct cat_walk *w, const struct cat_type *t,
                                     const struct sql_node *rest)
{
    for (; rest; rest = rest->next) {
        if (t->kind == CAT_T_UNKNOWN || t->kind == CAT_T_OTHER || t->kind == CAT_T_NULL ||
            (t->kind == CAT_T_ROW && !t->fields)) {
            return unknown();
        }
        sl_str name = cat_ident(w, rest);
        const struct cat_field *f = t->kind == CAT_T_ROW ? cat_field(t->fields, name) : NULL;
        if (!f) {
            struct sql_diag *d =
                t->kind == CAT_T_ROW
                    ? cat_say(w, SL_COLUMN_UNKNOWN, rest, "this row has no field '%.*s'", SL_S(name))
                    : cat_say(w, SL_COLUMN_UNKNOWN, rest, "'%.*s' is no field: what stands before it is %s",
                              SL_S(name), cat_kind_name(t->kind));
            if (t->kind == CAT_T_ROW) {
                struct cat_nearest n = cat_nearest_to(name);
                cat_offer_columns(&n, t->fields);
                cat_hint_near(w, d, &n);
            }
            return unknown();
        }
        t = f->type;
    }
    return t;
}

static bool is_variable(const struct cat_scope *scope, sl_str name)
{
    for (size_t i = 0; scope->pattern && i < scope->pattern->vars.n; i++) {
        if (sl_str_eq(scope->pattern->vars.v[i], name)) {
            return true;
        }
    }
    return false;
}

/* A wrong alias is one mistake, however often the statement uses it. */
static bool said_unknown(const struct cat_walk *w, const struct sql_node *first, sl_str head)
{
    const struct sql_diags *diags = &w->s->diags;
    for (size_t i = diags->list.n; first->next && i-- > 0;) {
        const struct sql_diag *d = &diags->list.v[i];
        if (d->statement != w->st->number) {
            break;
        }
        const struct sql_lines *lines = &w->s->files.v[d->file].lines;
        if (d->code == SL_COLUMN_UNKNOWN &&
            sl_str_eq(sl_str_sub(lines->text, d->pos.off, d->pos.len), head) &&
            d->pos.off + d->pos.len < lines->text.n && lines->text.p[d->pos.off + d->pos.len] == '.') {
            return true;
        }
    }
    return false;
}

static void say_unknown_head(struct cat_walk *w, const struct sql_node *first, sl_str head,
                             const struct cat_scope *scope)
{
    if (scope && scope->pattern) {
        struct sql_diag *d =
            cat_say(w, SL_PATTERN_VARIABLE, first, "PATTERN has no variable '%.*s'", SL_S(head));
        struct cat_nearest n = cat_nearest_to(head);
        for (size_t i = 0; i < scope->pattern->vars.n; i++) {
            cat_offer(&n, scope->pattern->vars.v[i]);
        }
        cat_hint_near(w, d, &n);
        return;
    }
    if (said_unknown(w, first, head)) {
        return;
    }
    struct sql_diag *d =
        cat_say(w, SL_COLUMN_UNKNOWN, first, "no table or column here is called '%.*s'", SL_S(head));
    struct cat_nearest n = cat_nearest_to(head);
    for (const struct cat_scope *at = scope; d && at; at = at->outer) {
        for (size_t i = 0; i < at->from.n; i++) {
            cat_offer(&n, at->from.v[i].name);
        }
    }
    cat_hint_near(w, d, &n);
}

/* alias.column, or alias.* */
static const struct cat_type *of_alias(struct cat_walk *w, const struct sql_node *first,
                                       const struct cat_relation *rel, sl_str head)
{
    if (!first->next) {
        return unknown();
    }
    const struct cat_field *f = cat_field(rel, cat_ident(w, first->next));
    if (f) {
        return nested(w, f->type, first->next->next);
    }
    if (!rel->open && !peek(w, rel, cat_ident(w, first->next), 0)) {
        cat_say_column(w, first->next, cat_ident(w, first->next), head, NULL, rel);
    }
    return unknown();
}

/* a, a.b, a.b.c: the first part is a relation (then the second is a column) or a column (the rest then are its
 * fields). */
static const struct cat_type *reference(struct cat_walk *w, const struct sql_node *name,
                                        const struct cat_env *env)
{
    const struct cat_scope *scope = env->scope;
    const struct sql_node *first = name->kind == SQL_N_NAME ? name->first : name;
    if (!first || first->kind != SQL_N_IDENT) {
        return unknown();
    }
    bool one = name->kind != SQL_N_NAME || !first->next, star = name->kind == SQL_N_NAME && name->op == 1;
    const struct cat_type *context = one && !star ? context_function(w, first) : NULL;
    if (context) {
        return context;
    }
    sl_str head = cat_ident(w, first);
    bool maybe = false;
    for (const struct cat_scope *at = scope; at; at = at->outer) {
        size_t i;
        if (at->pattern && !one) {
            if (is_variable(at, head)) {
                return of_alias(w, first, at->from.v[0].rel, head);
            }
        }
        const struct cat_named *alias = !one || star ? cat_alias(at, head, &i) : NULL;
        if (alias) {
            return of_alias(w, first, alias->rel, head);
        }
        if (at->aliases && one) {
            const struct cat_field *f = cat_field(at->aliases, head);
            if (f) {
                return f->type;
            }
            maybe |= at->aliases->open;
        }
        const struct cat_field *f = in_scope(w, at, head, &i, &maybe);
        if (f) {
            if (one && check_ambiguous(w, first, head, at, i)) {
                return unknown();
            }
            if (f->doubled) {
                struct sql_diag *d =
                    cat_say(w, SL_COLUMN_AMBIGUOUS, first, "the query behind '%.*s' has two columns '%.*s'",
                            SL_S(at->from.v[i].name), SL_S(head));
                cat_hint(w, d, "give one of them another name there:  ... AS %.*s2", SL_S(head));
                return unknown();
            }
            return star ? unknown() : nested(w, f->type, first->next);
        }
        if (peek_scope(w, at, head)) {
            return unknown();
        }
        maybe |= at->shows_all;
        if (maybe) {
            return unknown();
        }
    }
    if (one && !star && sl_str_ieqz(head, "PI")) {
        return cat_type_of(CAT_T_DOUBLE); /* the one function that needs no parentheses and is no word */
    }
    if (first->next && first->next->next) {
        return unknown(); /* a table may be called by its whole name */
    }
    if (!one || star) {
        say_unknown_head(w, first, head, scope);
        return unknown();
    }
    sl_str table = scope && !scope->outer && scope->from.n == 1 ? scope->from.v[0].name : SL_STR_NONE;
    cat_say_column(w, first, head, table, scope, NULL);
    return unknown();
}

const struct cat_field *cat_resolve(struct cat_walk *w, const struct sql_node *n,
                                    const struct cat_scope *scope, size_t *ret_at)
{
    const struct sql_node *first = n->kind == SQL_N_NAME ? n->first : n->kind == SQL_N_IDENT ? n : NULL;
    bool maybe = false;
    if (!first || first->kind != SQL_N_IDENT || !scope || (n->kind == SQL_N_NAME && n->op == 1)) {
        return NULL;
    }
    if (n->kind == SQL_N_NAME && first->next) {
        const struct cat_named *alias = cat_alias(scope, cat_ident(w, first), ret_at);
        if (alias) {
            return first->next->next ? NULL : cat_field(alias->rel, cat_ident(w, first->next));
        }
        return NULL;
    }
    return in_scope(w, scope, cat_ident(w, first), ret_at, &maybe);
}

void cat_exprs(struct cat_walk *w, const struct sql_node *first, const struct cat_env *env)
{
    for (; first; first = first->next) {
        (void)cat_expr(w, first, env);
    }
}

void cat_condition(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env,
                   const char *clause)
{
    if (!n) {
        return;
    }
    const struct cat_type *t = cat_expr(w, n, env);
    if (t->kind > CAT_T_BOOLEAN && t->kind != CAT_T_OTHER) {
        struct sql_diag *d = cat_say(w, SL_CONDITION, n, "%s takes a condition, and this is %s", clause,
                                     cat_kind_name(t->kind));
        cat_hint(w, d, "compare it with something, for example: x > 0");
    }
}

static const char *operator_text(unsigned token)
{
    switch (token) {
    case TK_PLUS:
        return "+";
    case TK_MINUS:
        return "-";
    case TK_STAR:
        return "*";
    case TK_SLASH:
        return "/";
    case TK_PERCENT_SIGN:
        return "%";
    case TK_CONCAT:
        return "||";
    case TK_EQ:
    case TK_NE:
        return "=";
    case TK_LT:
    case TK_GT:
    case TK_LE:
    case TK_GE:
        return "<";
    case TK_AND:
    case TK_OR:
        return "AND";
    default:
        return NULL;
    }
}

static sl_str operator_written(const struct cat_walk *w, const struct sql_node *n)
{
    const struct sql_node *left = n->first, *right = left ? left->next : NULL;
    if (!right || right->off < left->off + left->len) {
        return SL_STR_NONE;
    }
    return sl_str_trim(sl_str_sub(w->st->sql, left->off + left->len, right->off - left->off - left->len));
}

static const struct cat_type *arithmetic(unsigned token, const struct cat_type *a, const struct cat_type *b)
{
    if (cat_type_numeric(a) && cat_type_numeric(b)) {
        bool decimal = a->kind == CAT_T_DECIMAL || b->kind == CAT_T_DECIMAL;
        bool floating = a->kind > CAT_T_DECIMAL || b->kind > CAT_T_DECIMAL;
        if (token == TK_SLASH && !decimal && !floating) {
            return a->kind == b->kind ? cat_type_of(a->kind) : unknown();
        }
        return floating  ? cat_type_of(CAT_T_DOUBLE)
               : decimal ? cat_type_of(CAT_T_DECIMAL)
                         : cat_type_of(SL_MAX(a->kind, b->kind));
    }
    bool interval = b->kind == CAT_T_MONTHS || b->kind == CAT_T_SECONDS;
    if (a->kind >= CAT_T_DATE && a->kind <= CAT_T_TIMESTAMP_LTZ && interval &&
        (token == TK_PLUS || token == TK_MINUS)) {
        return a->kind == CAT_T_DATE && b->kind == CAT_T_SECONDS   ? unknown()
               : cat_type_timed(NULL, a, a->time) == a && !a->time ? a
                                                                   : cat_type_of(a->kind);
    }
    return unknown();
}

static const struct cat_type *binary(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env)
{
    const struct sql_node *right = n->first ? n->first->next : NULL;
    const struct cat_type *a = n->first ? cat_expr(w, n->first, env) : unknown();
    const struct cat_type *b = right ? cat_expr(w, right, env) : unknown();
    unsigned token = n->op & SQL_OP_TOKEN;
    const char *op = operator_text(token);
    bool truth = op && (op[0] == '=' || op[0] == '<' || op[0] == 'A');
    if (op && !cat_type_rule(op, a, b) && !(w->view && op[0] == '=')) {
        sl_str written = operator_written(w, n);
        struct sql_diag *d = truth && op[0] != 'A'
                                 ? cat_say(w, SL_TYPE_MISMATCH, n, "%s cannot be compared with %s",
                                           cat_kind_name(a->kind), cat_kind_name(b->kind))
                                 : cat_say(w, SL_TYPE_MISMATCH, n, "'%.*s' does not take %s and %s",
                                           SL_S(written), cat_kind_name(a->kind), cat_kind_name(b->kind));
        if (op[0] == '+' && (a->kind == CAT_T_VARCHAR || a->kind == CAT_T_CHAR || b->kind == CAT_T_VARCHAR ||
                             b->kind == CAT_T_CHAR)) {
            cat_hint(w, d, "to join texts write ||; to add numbers CAST them first");
        } else if (op[0] != 'A') {
            cat_hint(w, d, "CAST one of them, for example: CAST(x AS %s)",
                     cat_kind_name(a->kind > CAT_T_NULL && a->kind < CAT_T_MONTHS ? a->kind : CAT_T_VARCHAR));
        }
        return truth ? cat_type_of(CAT_T_BOOLEAN) : unknown();
    }
    if (truth) {
        return cat_type_of(CAT_T_BOOLEAN);
    }
    return !op ? cat_type_of(token == TK_MULTISET ? CAT_T_MULTISET : CAT_T_BOOLEAN)
           : token == TK_CONCAT
               ? (a->kind == CAT_T_ARRAY || a->kind == CAT_T_UNKNOWN ? unknown() : cat_type_of(CAT_T_VARCHAR))
               : arithmetic(token, a, b);
}

/* Only checks a column of the sub-query: how many there are. */
static const struct cat_relation *subquery(struct cat_walk *w, const struct sql_node *sub,
                                           const struct cat_env *env)
{
    return cat_query(w, sub->first, env->scope, env->ctes);
}

static const struct cat_type *scalar_subquery(struct cat_walk *w, const struct sql_node *n,
                                              const struct cat_env *env)
{
    const struct cat_relation *r =
        n->kind == SQL_N_SUBQUERY ? subquery(w, n, env) : cat_query(w, n, env->scope, env->ctes);
    if (!r->open && !r->inexact && r->columns.n != 1) {
        struct sql_diag *d = cat_say(
            w, SL_COLUMN_COUNT, n, "a query used as a value has one column, this one has %zu", r->columns.n);
        cat_hint(w, d, "select one column");
        return unknown();
    }
    return r->columns.n == 1 && !r->open ? cat_type_of(r->columns.v[0].type->kind) : unknown();
}

static const struct cat_type *in_list(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env)
{
    const struct cat_type *left = n->first ? cat_expr(w, n->first, env) : unknown();
    const struct sql_node *list = n->first ? n->first->next : NULL;
    if (list && list->kind == SQL_N_SUBQUERY) {
        const struct cat_relation *r = subquery(w, list, env);
        const struct sql_node *row = n->first;
        while (row->kind == SQL_N_PAREN && row->first) {
            row = row->first;
        }
        size_t wanted = row->kind == SQL_N_ROW ? sql_node_count(row) : 1;
        if (!r->open && !r->inexact && r->columns.n != wanted) {
            cat_say(w, SL_COLUMN_COUNT, list, "%zu value%s cannot be looked for in %zu columns", wanted,
                    wanted == 1 ? "" : "s", r->columns.n);
        } else if (!w->view && !r->open && wanted == 1 && r->columns.n == 1 &&
                   !cat_type_rule("=", left, r->columns.v[0].type)) {
            cat_say(w, SL_TYPE_MISMATCH, n, "%s cannot be compared with %s", cat_kind_name(left->kind),
                    cat_kind_name(r->columns.v[0].type->kind));
        }
    } else if (list) {
        bool said = false;
        for (const struct sql_node *c = list->first; c; c = c->next) {
            const struct cat_type *t = cat_expr(w, c, env);
            if (!said && n->kind == SQL_N_IN && !cat_type_rule("IN", left, t)) {
                said = true;
                cat_say(w, SL_TYPE_MISMATCH, n, "%s cannot be looked for among values of type %s",
                        cat_kind_name(left->kind), cat_kind_name(t->kind));
            }
        }
    }
    return cat_type_of(CAT_T_BOOLEAN);
}

/* A text beside a number, which Flink refuses for sure. */
static bool text_and_other(const struct cat_type *a, const struct cat_type *b)
{
    bool x = a->kind == CAT_T_CHAR || a->kind == CAT_T_VARCHAR,
         y = b->kind == CAT_T_CHAR || b->kind == CAT_T_VARCHAR;
    return x != y && (cat_type_numeric(a) || cat_type_numeric(b));
}

static const struct cat_type *case_of(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env)
{
    const struct cat_type *t = cat_type_of(CAT_T_NULL), *value = NULL;
    bool known = true, mixed = false;
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind == SQL_N_WHEN && c->first) {
            for (const struct sql_node *e = c->first->first; e; e = e->next) {
                if (value) {
                    (void)cat_expr(w, e, env);
                } else {
                    cat_condition(w, e, env, "WHEN");
                }
            }
        }
        const struct cat_type *branch = NULL;
        if (c->kind == SQL_N_WHEN && c->first && c->first->next) {
            branch = cat_expr(w, c->first->next, env);
        } else if (c->kind == SQL_N_ELSE && c->first) {
            branch = cat_expr(w, c->first, env);
        } else if (c->kind != SQL_N_WHEN) {
            value = cat_expr(w, c, env);
        }
        if (branch) {
            mixed |= !cat_type_rule("UNION", t, branch) && text_and_other(t, branch);
            t = cat_type_common(t, branch);
            known &= t->kind != CAT_T_UNKNOWN;
        }
    }
    if (mixed) {
        struct sql_diag *d =
            cat_say(w, SL_TYPE_MISMATCH, n, "the branches of this CASE have types that do not go together");
        cat_hint(w, d, "CAST them to one type");
    }
    return known && t->kind != CAT_T_NULL ? t : unknown();
}

static const struct cat_type *literal(const struct cat_walk *w, const struct sql_node *n)
{
    sl_str text = sql_node_text(n, w->st->sql);
    switch (n->op & SQL_OP_TOKEN) {
    case TK_TRUE:
    case TK_FALSE:
        return cat_type_of(CAT_T_BOOLEAN);
    case TK_UNKNOWN:
        return cat_type_of(CAT_T_BOOLEAN);
    case TK_NULL:
        return cat_type_of(CAT_T_NULL);
    case TK_INTEGER_LIT:
        return text.n < 10 ? cat_type_of(CAT_T_INT) : text.n > 10 ? cat_type_of(CAT_T_BIGINT) : unknown();
    case TK_DECIMAL_LIT:
        return cat_type_of(CAT_T_DECIMAL);
    case TK_APPROX_LIT:
        return cat_type_of(CAT_T_DOUBLE);
    default:
        return unknown();
    }
}

/* '...' and x'...', which may go on in further strings; two digits are a byte. */
static const struct cat_type *string_literal(struct cat_walk *w, const struct sql_node *n)
{
    if ((n->op & SQL_OP_TOKEN) != TK_BINARY_LIT) {
        return cat_type_of(CAT_T_CHAR);
    }
    if (!n->first && n->len >= 3 && (n->len - 3) % 2) {
        struct sql_diag *d =
            cat_say(w, SL_LITERAL, n, "a binary literal has two digits for each byte, and this one has %u",
                    n->len - 3);
        cat_hint(w, d, "is a digit missing?  x'0A'");
    }
    return cat_type_of(CAT_T_BINARY);
}

static const struct cat_type *typed_literal(const struct cat_walk *w, const struct sql_node *n)
{
    (void)w;
    switch (n->op & SQL_OP_TOKEN) {
    case TK_DATE:
        return cat_type_of(CAT_T_DATE);
    case TK_TIME:
        return cat_type_of(CAT_T_TIME);
    default:
        return unknown();
    }
}

static const struct cat_type *collection(struct cat_walk *w, const struct sql_node *n,
                                         const struct cat_env *env)
{
    const struct cat_type *element = cat_type_of(CAT_T_NULL);
    const struct sql_node *list = n->first;
    if (list && list->kind == SQL_N_EXPRS) {
        for (const struct sql_node *c = list->first; c; c = c->next) {
            element = cat_type_common(element, cat_expr(w, c, env));
        }
        if ((n->op & SQL_OP_TOKEN) == TK_MAP_CTOR && sql_node_count(list) % 2) {
            cat_say(w, SL_FUNCTION_ARGUMENTS, n,
                    "MAP takes keys and values in turn, and this is an odd number");
        }
    } else {
        for (const struct sql_node *c = list; c; c = c->next) {
            (void)(c->kind == SQL_N_SUBQUERY ? subquery(w, c, env) : cat_query(w, c, env->scope, env->ctes));
        }
        element = unknown();
    }
    switch (n->op & SQL_OP_TOKEN) {
    case TK_ARRAY:
        return cat_type_array(w->a, element->kind == CAT_T_NULL ? unknown() : element);
    case TK_MAP_CTOR:
        return cat_type_of(CAT_T_MAP);
    default:
        return cat_type_of(CAT_T_MULTISET);
    }
}

static const struct cat_type *item(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env)
{
    const struct cat_type *t = n->first ? cat_expr(w, n->first, env) : unknown();
    cat_exprs(w, n->first ? n->first->next : NULL, env);
    switch (t->kind) {
    case CAT_T_UNKNOWN:
    case CAT_T_OTHER:
    case CAT_T_ROW:
    case CAT_T_NULL:
        return unknown();
    case CAT_T_ARRAY:
    case CAT_T_MAP:
        return t->element ? t->element : unknown();
    default:
        cat_say(w, SL_TYPE_MISMATCH, n, "only arrays, maps and rows have elements, and this is %s",
                cat_kind_name(t->kind));
        return unknown();
    }
}

static const struct cat_type *field(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env)
{
    const struct cat_type *t = n->first ? cat_expr(w, n->first, env) : unknown();
    if (sql_last(n) && sql_last(n)->kind == SQL_N_CALL) {
        return unknown();
    }
    return sql_last(n) != n->first && sql_last(n)->kind == SQL_N_IDENT ? nested(w, t, sql_last(n))
                                                                       : unknown();
}

static const struct cat_type *like(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env)
{
    const struct sql_node *right = n->first ? n->first->next : NULL;
    const struct cat_type *a = n->first ? cat_expr(w, n->first, env) : unknown();
    const struct cat_type *b = right ? cat_expr(w, right, env) : unknown();
    cat_exprs(w, right ? right->next : NULL, env);
    if ((n->op & SQL_OP_TOKEN) == TK_LIKE && !cat_type_rule("LIKE", a, b)) {
        cat_say(w, SL_TYPE_MISMATCH, n, "LIKE compares texts, not %s and %s", cat_kind_name(a->kind),
                cat_kind_name(b->kind));
    }
    return cat_type_of(CAT_T_BOOLEAN);
}

static const struct cat_type *between(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env)
{
    const struct cat_type *a = n->first ? cat_expr(w, n->first, env) : unknown();
    bool said = false;
    for (const struct sql_node *c = n->first ? n->first->next : NULL; c; c = c->next) {
        const struct cat_type *b = cat_expr(w, c, env);
        if (!said && !cat_type_rule("<", a, b)) {
            said = true;
            cat_say(w, SL_TYPE_MISMATCH, n, "%s cannot be compared with %s", cat_kind_name(a->kind),
                    cat_kind_name(b->kind));
        }
    }
    return cat_type_of(CAT_T_BOOLEAN);
}

static const struct cat_type *row(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env)
{
    if (n->first && (n->first->kind == SQL_N_SUBQUERY || n->first->kind == SQL_N_QUERY)) {
        (void)cat_query(w, n->first, env->scope, env->ctes);
        return unknown();
    }
    cat_exprs(w, n->first, env);
    return cat_type_of(CAT_T_ROW);
}

/* + and - in front of a value. */
static const struct cat_type *sign(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env)
{
    const struct cat_type *t = cat_expr(w, n->first, env);
    bool can = t->kind <= CAT_T_NULL || cat_type_numeric(t) || t->kind == CAT_T_MONTHS ||
               t->kind == CAT_T_SECONDS || t->kind == CAT_T_OTHER;
    if (!can) {
        cat_say(w, SL_TYPE_MISMATCH, n, "only numbers and intervals have a sign, and this is %s",
                cat_kind_name(t->kind));
        return unknown();
    }
    return t->time ? cat_type_of(t->kind) : t;
}

/* IS TRUE, IS NOT NULL and the like. */
static void truth_test(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env)
{
    const struct cat_type *t = n->first ? cat_expr(w, n->first, env) : unknown();
    unsigned what = n->op & SQL_OP_TOKEN;
    bool truth = what == TK_TRUE || what == TK_FALSE || what == TK_UNKNOWN;
    if (truth && t->kind > CAT_T_BOOLEAN && t->kind != CAT_T_OTHER) {
        cat_say(w, SL_TYPE_MISMATCH, n, "only a condition is true or false, and this is %s",
                cat_kind_name(t->kind));
    }
}

static const struct cat_type *cast(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env)
{
    const struct cat_type *from = n->first ? cat_expr(w, n->first, env) : unknown();
    if (sql_last(n)->kind == SQL_N_UNIT) {
        return cat_type_of(cat_unit_kind(w, sql_last(n)));
    }
    if (sql_last(n)->kind != SQL_N_TYPE) {
        return unknown();
    }
    const struct cat_type *to = cat_type_checked(w, sql_last(n));
    bool many = from->kind >= CAT_T_ARRAY && from->kind < CAT_T_OTHER;
    bool text = to->kind == CAT_T_CHAR || to->kind == CAT_T_VARCHAR;
    if (many && to->kind > CAT_T_NULL && to->kind < CAT_T_ARRAY && !text) {
        cat_say(w, SL_TYPE_MISMATCH, n, "%s cannot be CAST to %s", cat_kind_name(from->kind),
                cat_kind_name(to->kind));
    }
    return to;
}

const struct cat_type *cat_expr(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env)
{
    if (!n) {
        return unknown();
    }
    w->steps++;
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_NAME:
    case SQL_N_IDENT:
        return reference(w, n, env);
    case SQL_N_QUERY:
    case SQL_N_SUBQUERY:
        return scalar_subquery(w, n, env);
    case SQL_N_LITERAL:
        return literal(w, n);
    case SQL_N_STRING:
        return string_literal(w, n);
    case SQL_N_TYPED:
        return typed_literal(w, n);
    case SQL_N_INTERVAL:
        if (n->op == 2) {
            (void)cat_expr(w, n->first, env);
        }
        return cat_type_of(cat_unit_kind(w, sql_last(n)));
    case SQL_N_UNARY: {
        unsigned token = n->op & SQL_OP_TOKEN;
        if (token == TK_EXISTS || token == TK_UNIQUE) {
            const struct sql_node *sub = n->first;
            if (sub && (sub->kind == SQL_N_SUBQUERY || sub->kind == SQL_N_QUERY)) {
                (void)cat_query(w, sub->kind == SQL_N_SUBQUERY ? sub->first : sub, env->scope, env->ctes);
            } else {
                (void)cat_expr(w, sub, env);
            }
            return cat_type_of(CAT_T_BOOLEAN);
        }
        if (token == TK_NOT) {
            const struct cat_type *t = cat_expr(w, n->first, env);
            if (!cat_type_rule("AND", t, cat_type_of(CAT_T_BOOLEAN))) {
                cat_say(w, SL_TYPE_MISMATCH, n, "NOT takes a condition, and this is %s",
                        cat_kind_name(t->kind));
            }
            return cat_type_of(CAT_T_BOOLEAN);
        }
        return sign(w, n, env);
    }
    case SQL_N_BINARY:
        return binary(w, n, env);
    case SQL_N_IS:
        truth_test(w, n, env);
        return cat_type_of((n->op & SQL_OP_TOKEN) == TK_FORMAT ? CAT_T_UNKNOWN : CAT_T_BOOLEAN);
    case SQL_N_LIKE:
        return like(w, n, env);
    case SQL_N_BETWEEN:
        return between(w, n, env);
    case SQL_N_IN:
    case SQL_N_QUANTIFIED:
        return in_list(w, n, env);
    case SQL_N_ROW:
        return row(w, n, env);
    case SQL_N_PAREN:
        return cat_expr(w, n->first, env);
    case SQL_N_ITEM:
        return item(w, n, env);
    case SQL_N_FIELD:
        return field(w, n, env);
    case SQL_N_CALL:
        return cat_call(w, n, env);
    case SQL_N_CASE:
        return case_of(w, n, env);
    case SQL_N_CAST:
        return cast(w, n, env);
    case SQL_N_COLLECTION:
        return collection(w, n, env);
    case SQL_N_TYPE:
    case SQL_N_UNIT:
    case SQL_N_HINTS:
    case SQL_N_TABLE_ARG:
    case SQL_N_MODEL_ARG:
    case SQL_N_LIMIT:
    case SQL_N_STAR:
    case SQL_N_PARAM:
    case SQL_N_DEFAULT:
        return unknown();
    default:
        cat_exprs(w, n->first, env);
        return unknown();
    }
}
