/* SPDX-License-Identifier: Apache-2.0
 * Windows: TUMBLE, HOP, CUMULATE and SESSION over a table, and OVER. */
#include "catalog/relation.h"
#include "sqlparse/token.h"

struct window_kind {
    const char *name, *shape;
    unsigned args; /* without the offset */
    bool offset;
    const char *names[5]; /* of its arguments */
};
static const struct window_kind kinds[] = {
    {"TUMBLE",
     "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
     3,
     true,
     {"DATA", "TIMECOL", "SIZE", "OFFSET"}},
    {"HOP",
     "HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)",
     4,
     true,
     {"DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"}},
    {"CUMULATE",
     "CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)",
     4,
     true,
     {"DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"}},
    {"SESSION",
     "SESSION(TABLE t PARTITION BY a, DESCRIPTOR(ts), INTERVAL '5' MINUTE)",
     3,
     false,
     {"DATA", "TIMECOL", "GAP"}},
};

static const struct cat_relation *input_of(struct cat_walk *w, const struct sql_node *arg,
                                           const struct cat_scope *scope, const struct cat_ctes *ctes)
{
    const struct sql_node *first = arg->first;
    if (arg->kind == SQL_N_SUBQUERY) {
        return cat_query(w, first, scope->outer, ctes);
    }
    if (!first) {
        return &cat_open_relation;
    }
    if (first->kind == SQL_N_NAME) {
        return cat_table_of(w, first, ctes);
    }
    return first->kind == SQL_N_SUBQUERY ? cat_query(w, first->first, scope->outer, ctes)
                                         : &cat_open_relation;
}

static bool is_descriptor(const struct cat_walk *w, const struct sql_node *n)
{
    const struct sql_node *name = n->kind == SQL_N_CALL ? cat_call_name(n) : NULL;
    return name && sl_str_ieqz(sql_node_text(name, w->st->sql), "DESCRIPTOR");
}

/* The column of DESCRIPTOR(ts); its type, unknown when it is not there. */
static const struct cat_type *time_column(struct cat_walk *w, const struct window_kind *k,
                                          const struct sql_node *descriptor, const struct cat_relation *in)
{
    const struct sql_node *args = sql_node_child(descriptor, SQL_N_ARGS);
    const struct sql_node *ident = args && args->first ? cat_last(args->first) : NULL;
    if (!ident || ident->kind != SQL_N_IDENT) {
        return cat_type_of(CAT_T_UNKNOWN);
    }
    sl_str name = cat_ident(w, ident);
    const struct cat_field *f = cat_field(in, name);
    if (!f) {
        if (!in->open) {
            cat_say_column(w, ident, name, SL_STR_NONE, NULL, in);
        }
        return cat_type_of(CAT_T_UNKNOWN);
    }
    const struct cat_type *t = f->type;
    bool moment = t->kind == CAT_T_TIMESTAMP || t->kind == CAT_T_TIMESTAMP_LTZ;
    if (t->kind != CAT_T_UNKNOWN && !moment) {
        struct sql_diag *d =
            cat_say(w, SL_TIME_ATTRIBUTE_MISSING, ident, "%s needs a column of time, and '%.*s' is %s",
                    k->name, SL_S(name), cat_kind_name(t->kind));
        cat_hint(w, d, "it must be the column of a WATERMARK, or one AS PROCTIME()");
        return cat_type_of(CAT_T_UNKNOWN);
    }
    if (moment && t->time == CAT_TIME_NONE && !w->batch && !w->view) {
        struct sql_diag *d = cat_say(w, SL_TIME_ATTRIBUTE_MISSING, ident,
                                     "%s needs a time attribute, and '%.*s' is a plain %s", k->name,
                                     SL_S(name), cat_kind_name(t->kind));
        cat_hint(w, d,
                 "declare WATERMARK FOR %.*s AS %.*s - INTERVAL '5' SECOND in its table, or use a column AS "
                 "PROCTIME()",
                 SL_S(name), SL_S(name));
    }
    return t;
}

static void check_interval(struct cat_walk *w, const struct window_kind *k, const struct sql_node *arg,
                           const struct cat_env *env)
{
    const struct cat_type *t = cat_expr(w, arg, env);
    if (t->kind == CAT_T_MONTHS && w->view) {
        return;
    }
    if (t->kind == CAT_T_MONTHS) {
        struct sql_diag *d = cat_say(w, SL_WINDOW, arg, "a window cannot be measured in months or years");
        cat_hint(w, d, "use SECOND, MINUTE, HOUR or DAY");
    } else if (t->kind != CAT_T_UNKNOWN && t->kind != CAT_T_SECONDS) {
        struct sql_diag *d = cat_say(w, SL_WINDOW, arg, "%s takes an interval here, and this is %s", k->name,
                                     cat_kind_name(t->kind));
        cat_hint(w, d, "for example INTERVAL '1' MINUTE");
    }
}

static bool check_name_of_argument(struct cat_walk *w, const struct window_kind *k,
                                   const struct sql_node *ident)
{
    sl_str name = cat_ident(w, ident);
    struct cat_nearest n = cat_nearest_to(name);
    for (size_t i = 0; i < SL_ARRAY_LEN(k->names) && k->names[i]; i++) {
        if (sl_str_ieqz(name, k->names[i])) {
            return true;
        }
        cat_offer(&n, sl_str_of(k->names[i]));
    }
    struct sql_diag *d =
        cat_say(w, SL_FUNCTION_ARGUMENTS, ident, "%s has no argument '%.*s'", k->name, SL_S(name));
    cat_hint_near(w, d, &n);
    if (d && !d->hint.n) {
        cat_hint(w, d, "%s", k->shape);
    }
    return false;
}

static const struct cat_relation *window_output(struct cat_walk *w, const struct cat_relation *in,
                                                const struct cat_type *time)
{
    struct cat_relation *r = cat_copy(w, in);
    for (size_t i = 0; i < r->columns.n; i++) {
        if (r->columns.v[i].type->time) {
            r->columns.v[i].type = cat_type_timed(w->a, r->columns.v[i].type, CAT_TIME_MAYBE);
        }
    }
    cat_add_column(w, r, SL_STR("window_start"), cat_type_timestamp(w->a, CAT_T_TIMESTAMP, 3));
    cat_add_column(w, r, SL_STR("window_end"), cat_type_timestamp(w->a, CAT_T_TIMESTAMP, 3));
    enum cat_kind kind =
        time->kind == CAT_T_TIMESTAMP || time->kind == CAT_T_TIMESTAMP_LTZ ? time->kind : CAT_T_UNKNOWN;
    cat_add_column(w, r, SL_STR("window_time"),
                   cat_type_timed(w->a, cat_type_timestamp(w->a, kind, 3), CAT_TIME_MAYBE));
    return r;
}

static const struct cat_relation *window_function(struct cat_walk *w, const struct sql_node *call,
                                                  const struct window_kind *k, const struct cat_scope *scope,
                                                  const struct cat_ctes *ctes)
{
    const struct sql_node *args = sql_node_child(call, SQL_N_ARGS);
    const struct cat_relation *in = &cat_open_relation;
    struct cat_env env = {.ctes = ctes};
    const struct cat_type *time = cat_type_of(CAT_T_UNKNOWN);
    size_t n = 0, errors = w->s->diags.errors;
    const struct sql_node *intervals[8];
    size_t n_intervals = 0;
    bool seen_table = false, named = false;
    for (const struct sql_node *arg = args ? args->first : NULL; arg; arg = arg->next, n++) {
        const struct sql_node *v = arg;
        if (arg->kind == SQL_N_NAMED_ARG) {
            named = true;
            if (!check_name_of_argument(w, k, arg->first)) {
                return &cat_open_relation;
            }
            v = sql_last(arg);
        }
        if (v->kind == SQL_N_TABLE_ARG || v->kind == SQL_N_SUBQUERY) {
            in = input_of(w, v, scope, ctes);
            seen_table = true;
            const struct sql_node *by =
                v->kind == SQL_N_TABLE_ARG ? sql_node_child(v, SQL_N_PARTITION_BY) : NULL;
            for (const struct sql_node *c = by ? by->first : NULL; c && !in->open; c = c->next) {
                for (const struct sql_node *id =
                         c->kind == SQL_N_NAMES || c->kind == SQL_N_ROW || c->kind == SQL_N_PAREN ? c->first
                                                                                                  : c;
                     id; id = id == c ? NULL : id->next) {
                    const struct sql_node *last = cat_last(id);
                    if (last->kind == SQL_N_IDENT && !cat_has_column(in, cat_ident(w, last))) {
                        cat_say_column(w, last, cat_ident(w, last), SL_STR_NONE, NULL, in);
                    }
                }
            }
        } else if (is_descriptor(w, v)) {
            time = time_column(w, k, v, in);
        } else if (n_intervals < SL_ARRAY_LEN(intervals)) {
            intervals[n_intervals++] = v;
        }
    }
    if (!seen_table) {
        return &cat_open_relation;
    }
    bool counted = n >= k->args && n <= k->args + k->offset;
    if (!counted && w->s->diags.errors == errors) {
        struct sql_diag *d = cat_say(w, SL_FUNCTION_ARGUMENTS, call,
                                     "%s takes %u arguments, and this call has %zu", k->name, k->args, n);
        cat_hint(w, d, "%s", k->shape);
    }
    for (size_t i = 0; i < n_intervals && counted && !named; i++) {
        check_interval(w, k, intervals[i], &env);
    }
    return in->open ? &cat_open_relation : window_output(w, in, time);
}

static bool is_table_argument(const struct sql_node *arg)
{
    const struct sql_node *v = arg->kind == SQL_N_NAMED_ARG ? sql_last(arg) : arg;
    return v->kind == SQL_N_TABLE_ARG;
}

const struct cat_relation *cat_table_function(struct cat_walk *w, const struct sql_node *call, bool lateral,
                                              const struct cat_scope *scope, const struct cat_ctes *ctes)
{
    const struct sql_node *name = call ? cat_call_name(call) : NULL;
    if (!name) {
        return &cat_open_relation;
    }
    sl_str text = cat_ident(w, cat_last(name));
    bool one = name->kind != SQL_N_NAME || (name->first && !name->first->next);
    for (size_t i = 0; one && i < SL_ARRAY_LEN(kinds); i++) {
        if (sl_str_ieqz(text, kinds[i].name)) {
            return window_function(w, call, &kinds[i], scope, ctes);
        }
    }
    struct cat_scope all = {.shows_all = true};
    struct cat_env env = {.scope = lateral ? scope : &all, .ctes = ctes};
    const struct sql_node *args = sql_node_child(call, SQL_N_ARGS);
    for (const struct sql_node *arg = args ? args->first : NULL; arg; arg = arg->next) {
        if (is_table_argument(arg)) {
            (void)input_of(w, arg->kind == SQL_N_NAMED_ARG ? sql_last(arg) : arg, scope, ctes);
        }
    }
    (void)cat_call(w, call, &env);
    return &cat_open_relation;
}

/* ------------------------------------------------------------------ OVER */

static bool is_rank(const struct cat_function *f)
{
    static const char *const ranks[] = {"ROW_NUMBER",   "RANK",      "DENSE_RANK",
                                        "PERCENT_RANK", "CUME_DIST", "NTILE"};
    for (size_t i = 0; f && i < SL_ARRAY_LEN(ranks); i++) {
        if (strcmp(f->name, ranks[i]) == 0) {
            return true;
        }
    }
    return false;
}

static unsigned rank_of_bound(const struct sql_node *b)
{
    unsigned op = b->op & SQL_OP_TOKEN;
    bool preceding = b->op & SQL_OP_PRECEDING;
    return op == TK_UNBOUNDED ? (preceding ? 0 : 4) : op == TK_CURRENT ? 2 : preceding ? 1 : 3;
}

static void check_frame(struct cat_walk *w, const struct sql_node *frame, const struct cat_type *ordered,
                        const struct cat_env *env)
{
    const struct sql_node *low = frame->first, *high = low ? low->next : NULL;
    for (const struct sql_node *b = low; b; b = b->next) {
        const struct cat_type *t = b->first ? cat_expr(w, b->first, env) : cat_type_of(CAT_T_UNKNOWN);
        bool moment = ordered->kind >= CAT_T_DATE && ordered->kind <= CAT_T_TIMESTAMP_LTZ;
        if (frame->op == TK_RANGE && moment && cat_type_numeric(t)) {
            struct sql_diag *d =
                cat_say(w, SL_WINDOW, b->first, "RANGE over %s is measured by an interval, not by a number",
                        cat_kind_name(ordered->kind));
            cat_hint(w, d, "write RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW, or ROWS");
            return;
        }
    }
    if (low && high &&
        (rank_of_bound(low) > rank_of_bound(high) || rank_of_bound(low) == 4 || rank_of_bound(high) == 0)) {
        struct sql_diag *d =
            cat_say(w, SL_WINDOW, rank_of_bound(low) == 4 ? low : high, "the frame ends before it begins");
        cat_hint(w, d, "write the earlier bound first");
    }
}

static const struct sql_node *find_window(struct cat_walk *w, const struct cat_scope *scope, sl_str name)
{
    for (const struct sql_node *d = scope && scope->windows ? scope->windows->first : NULL; d; d = d->next) {
        w->steps++;
        if (d->first && sl_str_eq(cat_ident(w, d->first), name)) {
            return d;
        }
    }
    return NULL;
}

static void check_reference(struct cat_walk *w, const struct sql_node *ident, const struct cat_env *env)
{
    sl_str name = cat_ident(w, ident);
    if (find_window(w, env->scope, name)) {
        return;
    }
    struct sql_diag *d = cat_say(w, SL_WINDOW, ident, "there is no window '%.*s'", SL_S(name));
    struct cat_nearest n = cat_nearest_to(name);
    for (const struct sql_node *def = env->scope && env->scope->windows ? env->scope->windows->first : NULL;
         def; def = def->next) {
        cat_offer(&n, cat_ident(w, def->first));
    }
    cat_hint_near(w, d, &n);
    if (d && !d->hint.n) {
        cat_hint(w, d, "define it behind the query:  WINDOW %.*s AS (PARTITION BY a ORDER BY ts)",
                 SL_S(name));
    }
}

static void check_window(struct cat_walk *w, const struct sql_node *window, const struct cat_function *f,
                         const struct cat_env *env)
{
    struct cat_env inner = *env;
    inner.in_aggregate = false;
    inner.no_aggregate = NULL;
    inner.in_over = true;
    const struct sql_node *base = sql_node_child(window, SQL_N_IDENT),
                          *order = sql_node_child(window, SQL_N_ORDER_BY);
    const struct sql_node *part = sql_node_child(window, SQL_N_PARTITION_BY),
                          *frame = sql_node_child(window, SQL_N_FRAME);
    if (base) {
        check_reference(w, base, env);
    }
    cat_exprs(w, part ? part->first : NULL, &inner);
    const struct cat_type *ordered = cat_type_of(CAT_T_UNKNOWN);
    for (const struct sql_node *item = order ? order->first : NULL; item; item = item->next) {
        const struct cat_type *t = cat_expr(w, item->first, &inner);
        ordered = item == order->first ? t : ordered;
    }
    if (is_rank(f) && !order && !base) {
        struct sql_diag *d = cat_say(w, SL_WINDOW, window, "%s needs ORDER BY in its window", f->name);
        cat_hint(w, d, "%s() OVER (PARTITION BY a ORDER BY ts DESC)", f->name);
    } else if (is_rank(f) && frame) {
        struct sql_diag *d = cat_say(w, SL_WINDOW, frame, "%s takes no ROWS or RANGE", f->name);
        cat_hint(w, d, "leave the frame out");
    } else if (frame) {
        check_frame(w, frame, ordered, &inner);
    }
}

void cat_over(struct cat_walk *w, const struct sql_node *call, const struct sql_node *over,
              const struct cat_env *env)
{
    const struct sql_node *what = over->first;
    if (!what) {
        return;
    }
    if (what->kind == SQL_N_IDENT) {
        check_reference(w, what, env);
    } else {
        check_window(w, what, cat_builtin(w, call), env);
    }
}

void cat_windows(struct cat_walk *w, const struct sql_node *windows, const struct cat_env *env)
{
    struct cat_relation seen = {0}; /* a set of names */
    for (const struct sql_node *d = windows->first; d; d = d->next) {
        sl_str name = cat_ident(w, d->first);
        if (cat_has_column(&seen, name)) {
            cat_say(w, SL_WINDOW, d->first, "two windows are called '%.*s'", SL_S(name));
        }
        cat_add_column(w, &seen, name, NULL);
        const struct sql_node *window = sql_node_child(d, SQL_N_WINDOW);
        if (window) {
            check_window(w, window, NULL, env);
        }
    }
}
