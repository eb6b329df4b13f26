/* SPDX-License-Identifier: Apache-2.0
 * Calls: is there such a function, does it take so many arguments and of these types, may an aggregate stand
 * here. */
#include "catalog/relation.h"
#include "sqlparse/token.h"

#define ARGS 16 /* arguments whose types are looked at */

static const struct cat_type *unknown(void)
{
    return cat_type_of(CAT_T_UNKNOWN);
}

const struct sql_node *cat_call_name(const struct sql_node *call)
{
    unsigned op = call->op & SQL_OP_TOKEN;
    const struct sql_node *name = call->first;
    bool plain =
        (op == 0 || op == TK_SPECIFIC) && name && (name->kind == SQL_N_NAME || name->kind == SQL_N_IDENT);
    return plain ? name : NULL;
}

const struct cat_function *cat_builtin(struct cat_walk *w, const struct sql_node *call)
{
    const struct sql_node *name = cat_call_name(call);
    if (!name || (name->kind == SQL_N_NAME && (!name->first || name->first->next))) {
        return NULL;
    }
    sl_str text = cat_ident(w, cat_last(name));
    const struct cat_entry *e = cat_entry(w, CAT_A_FUNCTION, SL_STR_NONE, SL_STR_NONE, cat_lower(w, text));
    return e && !e->gone ? NULL
                         : cat_function(w->s->flink, text); /* a system function of the user comes first */
}

bool cat_is_aggregate(struct cat_walk *w, const struct sql_node *call, bool *ret_maybe)
{
    *ret_maybe = false;
    if (call->kind != SQL_N_CALL || sql_node_child(call, SQL_N_OVER)) {
        return false;
    }
    switch (call->op & SQL_OP_TOKEN) {
    case TK_JSON_OBJECTAGG:
    case TK_JSON_ARRAYAGG:
    case TK_ARRAY_AGG:
        return true;
    default:
        break;
    }
    const struct sql_node *name = cat_call_name(call);
    if (!name) {
        return false;
    }
    const struct cat_function *f = cat_builtin(w, call);
    *ret_maybe = !f || f->kind == 't';
    return f && f->kind == 'a';
}

char cat_group_window(const struct cat_walk *w, const struct sql_node *call)
{
    const struct sql_node *name = call->kind == SQL_N_CALL ? cat_call_name(call) : NULL;
    if (!name || (name->kind == SQL_N_NAME && name->first && name->first->next)) {
        return 0;
    }
    sl_str text = cat_ident(w, cat_last(name));
    return sl_str_ieqz(text, "TUMBLE")    ? 'T'
           : sl_str_ieqz(text, "HOP")     ? 'H'
           : sl_str_ieqz(text, "SESSION") ? 'S'
                                          : 0;
}

static void say_unknown_function(struct cat_walk *w, const struct sql_node *name)
{
    sl_str text = cat_ident(w, cat_last(name));
    struct sql_diag *d = cat_say(w, SL_FUNCTION_UNKNOWN, cat_last(name),
                                 "Flink %s has no function '%.*s', and this script creates none",
                                 sql_version_name(w->s->flink), SL_S(text));
    if (!d) {
        return;
    }
    struct cat_nearest n = cat_nearest_to(text);
    size_t count;
    const struct cat_function *list = cat_functions(w->s->flink, &count);
    for (size_t i = 0; i < count; i++) {
        cat_offer(&n, sl_str_of(list[i].name));
    }
    for (size_t i = 0; i < w->entries.n; i++) {
        const struct cat_entry *e = w->entries.v[i];
        if (e->what == CAT_A_FUNCTION && !e->gone) {
            cat_offer(&n, e->name);
        }
    }
    cat_hint_near(w, d, &n);
    if (!d->hint.n) {
        cat_hint(w, d, "a function of your own:  CREATE FUNCTION %.*s AS '...' USING JAR '...'", SL_S(text));
    }
}

static void say_count(struct cat_walk *w, const struct sql_node *call, const struct cat_function *f, size_t n)
{
    struct sql_diag *d;
    if (f->most >= 0 && f->least == f->most) {
        d = cat_say(w, SL_FUNCTION_ARGUMENTS, call, "%s takes %d argument%s, and this call has %zu", f->name,
                    f->least, f->least == 1 ? "" : "s", n);
    } else if (f->most >= 0) {
        d = cat_say(w, SL_FUNCTION_ARGUMENTS, call, "%s takes %d to %d arguments, and this call has %zu",
                    f->name, f->least, f->most, n);
    } else {
        d = cat_say(w, SL_FUNCTION_ARGUMENTS, call, "%s takes at least %d argument%s, and this call has %zu",
                    f->name, f->least, f->least == 1 ? "" : "s", n);
    }
    cat_hint(w, d, "see:  DESCRIBE FUNCTION %s", f->name);
    if (d && w->s->flink < SQL_FLINK_2_2) {
        d->hint = SL_STR_NONE;
    }
}

/* May an aggregate stand here? True when the mistake was said. */
static bool check_place(struct cat_walk *w, const struct sql_node *call, sl_str name,
                        const struct cat_env *env)
{
    if (env->in_aggregate) {
        struct sql_diag *d = cat_say(w, SL_AGGREGATE_MISPLACED, call,
                                     "an aggregate cannot be inside another: %.*s", SL_S(name));
        cat_hint(w, d, "compute the inner one in a sub-query");
        return true;
    }
    if (env->no_aggregate) {
        struct sql_diag *d = cat_say(w, SL_AGGREGATE_MISPLACED, call, "the aggregate %.*s cannot stand in %s",
                                     SL_S(name), env->no_aggregate);
        if (strcmp(env->no_aggregate, "WHERE") == 0) {
            cat_hint(w, d, "conditions on aggregates go into HAVING");
        }
        return true;
    }
    return false;
}

/* DESCRIPTOR(a, b): names, not values */
static bool is_descriptor(const struct cat_walk *w, const struct sql_node *n)
{
    return n->kind == SQL_N_CALL && cat_call_name(n) &&
           sl_str_ieqz(sql_node_text(cat_call_name(n), w->st->sql), "DESCRIPTOR");
}

static size_t types_of(struct cat_walk *w, const struct sql_node *args, const struct cat_env *env,
                       const struct cat_type **ret, bool *ret_plain)
{
    size_t n = 0;
    *ret_plain = true;
    for (const struct sql_node *c = args ? args->first : NULL; c; c = c->next) {
        const struct cat_type *t = unknown();
        if (c->kind == SQL_N_NAMED_ARG) {
            *ret_plain = false;
            const struct sql_node *value = sql_last(c);
            if (value != c->first && value->kind != SQL_N_TABLE_ARG && value->kind != SQL_N_MODEL_ARG &&
                !is_descriptor(w, value)) {
                (void)cat_expr(w, value, env);
            }
        } else if (c->kind == SQL_N_TABLE_ARG || c->kind == SQL_N_MODEL_ARG || c->kind == SQL_N_DEFAULT ||
                   is_descriptor(w, c)) {
            *ret_plain = false;
        } else if (c->kind == SQL_N_QUERY) {
            (void)cat_query(w, c, env->scope, env->ctes);
            *ret_plain = false;
        } else {
            t = cat_expr(w, c, env);
        }
        if (n < ARGS) {
            ret[n] = t;
        }
        n++;
    }
    return n;
}

static bool check_types(struct cat_walk *w, const struct sql_node *call, const struct cat_function *f,
                        const struct cat_type *const *types, size_t n)
{
    size_t bad = n <= ARGS ? cat_function_refuses(f, types, n) : n;
    if (bad < n) {
        struct sql_diag *d = cat_say(w, SL_FUNCTION_ARGUMENTS, call, "%s does not take %s%s", f->name,
                                     cat_kind_name(types[bad]->kind),
                                     n == 1     ? ""
                                     : bad == 0 ? " as its first argument"
                                                : " as its second argument");
        cat_hint(w, d, "CAST it to what the function works on");
    }
    return bad >= n;
}

/* TUMBLE(ts, INTERVAL '1' HOUR) and its sisters in GROUP BY. */
static const struct cat_type *group_window(struct cat_walk *w, const struct sql_node *call, char kind,
                                           size_t n, const struct cat_type *const *types,
                                           const struct cat_env *env)
{
    const char *name = kind == 'T' ? "TUMBLE" : kind == 'H' ? "HOP" : "SESSION";
    size_t least = kind == 'H' ? 3 : 2;
    const struct sql_node *args = sql_node_child(call, SQL_N_ARGS);
    if (!env->in_group) {
        struct sql_diag *d =
            cat_say(w, SL_WINDOW, call, "%s(...) of this form can only stand in GROUP BY", name);
        cat_hint(w, d, "in FROM write TABLE(%s(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))", name);
        return unknown();
    }
    if (n < least || n > least + 1) {
        cat_say(w, SL_FUNCTION_ARGUMENTS, call, "%s takes %zu or %zu arguments here, and this call has %zu",
                name, least, least + 1, n);
        return unknown();
    }
    const struct cat_type *t = types[0];
    bool moment = t->kind == CAT_T_TIMESTAMP || t->kind == CAT_T_TIMESTAMP_LTZ;
    if (t->kind > CAT_T_NULL && t->kind != CAT_T_OTHER && !moment && t->kind != CAT_T_DATE &&
        t->kind != CAT_T_TIME) {
        cat_say(w, SL_WINDOW, call, "%s needs a column of time, and this is %s", name,
                cat_kind_name(t->kind));
    } else if (moment && t->time == CAT_TIME_NONE && !w->batch && !w->view) {
        struct sql_diag *d =
            cat_say(w, SL_TIME_ATTRIBUTE_MISSING, args->first,
                    "%s needs a time attribute, and this is a plain %s", name, cat_kind_name(t->kind));
        cat_hint(w, d, "give its table a WATERMARK, or a column AS PROCTIME()");
    } else {
        for (size_t i = 1; i < n && i < least; i++) {
            if (types[i]->kind != CAT_T_UNKNOWN && types[i]->kind != CAT_T_MONTHS &&
                types[i]->kind != CAT_T_SECONDS) {
                struct sql_diag *d = cat_say(w, SL_WINDOW, call, "%s takes intervals, and this is %s", name,
                                             cat_kind_name(types[i]->kind));
                cat_hint(w, d, "for example INTERVAL '1' HOUR");
                break;
            }
            if (types[i]->kind == CAT_T_MONTHS && !w->view) {
                const struct sql_node *at = args->first;
                for (size_t k = 0; k < i; k++) {
                    at = at->next;
                }
                struct sql_diag *d =
                    cat_say(w, SL_WINDOW, at, "a window cannot be measured in months or years");
                cat_hint(w, d, "use SECOND, MINUTE, HOUR or DAY");
                break;
            }
        }
    }
    return cat_type_of(t->kind == CAT_T_TIMESTAMP_LTZ ? CAT_T_TIMESTAMP_LTZ : CAT_T_TIMESTAMP);
}

static const struct cat_type *builtin_result(struct cat_walk *w, const struct cat_function *f,
                                             const struct cat_type *const *types, size_t n)
{
    if (strcmp(f->name, "PROCTIME") == 0) {
        const struct cat_type *t = cat_type_timestamp(w->a, CAT_T_TIMESTAMP_LTZ, 3);
        return cat_type_timed(w->a, t, CAT_TIME_PROC);
    }
    size_t len = strlen(f->name);
    if (len > 8 && strcmp(f->name + len - 8, "_ROWTIME") == 0) {
        return n ? cat_type_timed(w->a, cat_type_timestamp(w->a, types[0]->kind, 3), CAT_TIME_ROW)
                 : unknown();
    }
    if (len > 9 && strcmp(f->name + len - 9, "_PROCTIME") == 0) {
        return cat_type_timed(w->a, cat_type_timestamp(w->a, CAT_T_TIMESTAMP_LTZ, 3), CAT_TIME_PROC);
    }
    if (strcmp(f->name, "TO_TIMESTAMP") == 0 || strcmp(f->name, "TO_TIMESTAMP_LTZ") == 0) {
        return cat_type_timestamp(w->a, f->name[12] ? CAT_T_TIMESTAMP_LTZ : CAT_T_TIMESTAMP, 3);
    }
    if (len > 6 && (strcmp(f->name + len - 6, "_START") == 0 || strcmp(f->name + len - 4, "_END") == 0)) {
        return n ? cat_type_of(types[0]->kind == CAT_T_TIMESTAMP_LTZ ? CAT_T_UNKNOWN : CAT_T_TIMESTAMP)
                 : unknown();
    }
    const struct cat_type *t = cat_function_result(f, types, SL_MIN(n, (size_t)ARGS));
    return t->time ? cat_type_of(t->kind) : t;
}

static bool is_ranking(const struct cat_function *f)
{
    return f && f->kind == 'w';
}

/* A call of the plain form: name(arguments). */
static const struct cat_type *plain_call(struct cat_walk *w, const struct sql_node *n,
                                         const struct sql_node *name, const struct cat_env *env)
{
    const struct cat_function *f = cat_builtin(w, n);
    const struct sql_node *args = sql_node_child(n, SQL_N_ARGS), *over = sql_node_child(n, SQL_N_OVER);
    const struct cat_entry *mine = NULL;
    struct cat_env inner = *env;
    bool aggregate = f && f->kind == 'a' && !over, said = false;
    sl_str text = cat_ident(w, cat_last(name));
    if (aggregate) {
        said = check_place(w, n, text, env);
        inner.in_aggregate = true;
        inner.no_aggregate = NULL;
    } else if (over) {
        inner.in_aggregate = false;
        if (env->no_aggregate && !env->in_aggregate) {
            struct sql_diag *d = cat_say(w, SL_AGGREGATE_MISPLACED, n,
                                         "a function with OVER cannot stand in %s", env->no_aggregate);
            cat_hint(w, d, "compute it in a sub-query and compare it outside");
            said = true;
            inner.no_aggregate = NULL;
        }
    }
    inner.in_group = false;
    const struct cat_type *types[ARGS];
    bool plain;
    size_t count = types_of(w, args, &inner, types, &plain);
    const struct sql_node *filter = sql_node_child(n, SQL_N_FILTER);
    if (filter && filter->first) {
        struct cat_env in_filter = inner;
        in_filter.in_aggregate = false;
        in_filter.no_aggregate = "FILTER";
        cat_condition(w, filter->first, &in_filter, "FILTER");
    }
    const struct sql_node *within = sql_node_child(n, SQL_N_WITHIN);
    cat_exprs(w, within ? within->first : NULL, &inner);
    if (over) {
        cat_over(w, n, over, env);
    }
    char window = cat_group_window(w, n);
    if (window && f && plain) {
        return group_window(w, n, window, count, types, env);
    }
    if (!f) {
        if (cat_function_there(w, name, &mine) == CAT_NOT_THERE) {
            say_unknown_function(w, name);
        }
        return unknown();
    }
    if (f->kind == 't' || said) {
        return unknown();
    }
    if (is_ranking(f) && !over && !said) {
        struct sql_diag *d = cat_say(w, SL_WINDOW, n, "%s needs OVER (...)", f->name);
        cat_hint(w, d, "%s(...) OVER (PARTITION BY a ORDER BY ts)", f->name);
        return unknown();
    }
    bool star = args && (args->op & SQL_OP_TOKEN) == TK_STAR;
    if (star) {
        if (strcmp(f->name, "COUNT") != 0) {
            cat_say(w, SL_FUNCTION_ARGUMENTS, args, "%s does not take *", f->name);
            return unknown();
        }
        return cat_type_of(CAT_T_BIGINT);
    }
    bool counted = plain && strncmp(f->name, "JSON_", 5) != 0 && strcmp(f->name, "GROUPING") != 0;
    if (counted && (count < (size_t)f->least || (f->most >= 0 && count > (size_t)f->most))) {
        say_count(w, n, f, count);
        return builtin_result(w, f, types, 0);
    }
    if (counted && !check_types(w, n, f, types, count)) {
        return unknown(); /* what it gives with other arguments is not known */
    }
    return builtin_result(w, f, types, count);
}

static bool is_text(const struct cat_type *t)
{
    return t->kind == CAT_T_CHAR || t->kind == CAT_T_VARCHAR;
}

static void check_special(struct cat_walk *w, const struct sql_node *n, unsigned op,
                          const struct cat_type *first)
{
    if (!first || first->kind <= CAT_T_NULL || first->kind == CAT_T_OTHER) {
        return;
    }
    const char *name = sql_token_name(op);
    bool number = cat_type_numeric(first), text = is_text(first),
         time = first->kind >= CAT_T_DATE && first->kind <= CAT_T_SECONDS;
    bool good = op == TK_EXTRACT     ? time
                : op == TK_TRIM      ? text
                : op == TK_SUBSTRING ? text || first->kind == CAT_T_BINARY || first->kind == CAT_T_VARBINARY
                : op == TK_FLOOR || op == TK_CEIL || op == TK_CEILING ? number || time
                                                                      : true;
    if (!good) {
        struct sql_diag *d =
            cat_say(w, SL_FUNCTION_ARGUMENTS, n, "%s does not take %s", name, cat_kind_name(first->kind));
        cat_hint(w, d, "CAST it to what the function works on");
    }
}

/* Calls with words inside. */
static const struct cat_type *special_call(struct cat_walk *w, const struct sql_node *n,
                                           const struct cat_env *env)
{
    unsigned op = n->op & SQL_OP_TOKEN;
    struct cat_env inner = *env;
    inner.in_group = false;
    bool aggregate = (op == TK_JSON_OBJECTAGG || op == TK_JSON_ARRAYAGG || op == TK_ARRAY_AGG) &&
                     !sql_node_child(n, SQL_N_OVER);
    if (aggregate) {
        check_place(w, n, sl_str_of(sql_token_name(op)), env);
        inner.in_aggregate = true;
        inner.no_aggregate = NULL;
    }
    const struct cat_type *first = NULL;
    bool names = op == TK_NEXT && !n->first; /* NEXT VALUE FOR */
    for (const struct sql_node *c = names ? NULL : n->first; c; c = c->next) {
        if (c->kind == SQL_N_JSON_PAIR) {
            /* a word in front of VALUE is a key, or a column */
            cat_exprs(w, c->first ? c->first->next : NULL, &inner);
        } else if (c->kind == SQL_N_OVER) {
            cat_over(w, n, c, env);
        } else if (c->kind == SQL_N_EXPRS &&
                   (op == TK_JSON_EXISTS || op == TK_JSON_VALUE || op == TK_JSON_QUERY)) {
            (void)cat_expr(w, c->first, &inner);
        } else if (c->kind == SQL_N_EXPRS && op == TK_JSON_OBJECT) {
            for (const struct sql_node *pair = c->first; pair; pair = pair->next) {
                cat_exprs(w, pair->first ? pair->first->next : NULL, &inner);
            }
        } else if (c->kind == SQL_N_FILTER) {
            cat_condition(w, c->first, &inner, "FILTER");
        } else if (c->kind == SQL_N_TYPE) {
            (void)cat_type_checked(w, c);
        } else if (op == TK_CONVERT || op == TK_TRANSLATE || op == TK_NEW || op == TK_CURSOR ||
                   op == TK_CURRENT || op == TK_LBRACE_FN) {
            return unknown();
        } else {
            const struct cat_type *t = cat_expr(w, c, &inner);
            first = first || c->kind == SQL_N_UNIT ? first : t;
        }
    }
    check_special(w, n, op, first);
    switch (op) {
    case TK_EXTRACT:
        return cat_type_of(CAT_T_BIGINT);
    case TK_TRIM:
    case TK_OVERLAY:
        return cat_type_of(CAT_T_VARCHAR);
    case TK_SUBSTRING:
        return first && first->kind == CAT_T_VARCHAR ? cat_type_of(CAT_T_VARCHAR) : unknown();
    case TK_POSITION:
    case TK_TIMESTAMPDIFF:
        return cat_type_of(CAT_T_INT);
    case TK_JSON_EXISTS:
        return cat_type_of(CAT_T_BOOLEAN);
    case TK_JSON_QUERY:
        return sql_node_child(n, SQL_N_TYPE) ? unknown() : cat_type_of(CAT_T_VARCHAR);
    case TK_JSON_VALUE:
        return sql_node_child(n, SQL_N_TYPE) ? unknown() : cat_type_of(CAT_T_VARCHAR);
    case TK_JSON_OBJECT:
    case TK_JSON_ARRAY:
    case TK_JSON_OBJECTAGG:
    case TK_JSON_ARRAYAGG:
        return cat_type_of(CAT_T_VARCHAR);
    default:
        return unknown();
    }
}

const struct cat_type *cat_call(struct cat_walk *w, const struct sql_node *call, const struct cat_env *env)
{
    const struct sql_node *name = cat_call_name(call);
    return name ? plain_call(w, call, name, env) : special_call(w, call, env);
}
