/* SPDX-License-Identifier: Apache-2.0
 * Queries: what columns they give and where those come from. */
#include "catalog/flow_impl.h"

static struct cat_columns *fresh_open(struct cat_flow *f)
{
    struct cat_columns *c = sl_new(f->a, struct cat_columns);
    c->open = true;
    return c;
}

struct cat_columns *flow_renamed(struct cat_flow *f, struct cat_columns *c, const struct sql_node *names)
{
    if (!names) {
        return c;
    }
    struct cat_columns *r = flow_copy(f, c);
    size_t i = 0;
    for (const struct sql_node *n = names->first; n; n = n->next, i++) {
        const struct sql_node *ident = n->kind == SQL_N_NAME ? sql_last(n) : n;
        sl_str name = ident && ident->kind == SQL_N_IDENT ? flow_ident(f, ident) : SL_STR_NONE;
        if (i < r->list.n) {
            r->list.v[i].name = name;
        } else if (name.n && c->open) {
            struct cat_column *at = flow_add_column(f, r, name);
            flow_pass(f, &at->from, &c->rest, CAT_HOW_TRANSFORMATION);
        }
    }
    r->open = false;
    return r;
}

/* ------------------------------------------------------------------ columns by name */

struct found {
    const struct cat_in_scope *in;
    const struct cat_column *column; /* NULL with open: one of those nobody knows */
    bool open;
};

static const struct cat_in_scope *by_alias(const struct flow_scope *scope, sl_str name)
{
    for (size_t i = 0; name.n && i < scope->from.list.n; i++) {
        if (sl_str_eq(scope->from.list.v[i].name, name)) {
            return &scope->from.list.v[i];
        }
    }
    return NULL;
}

/* t, db.t, catalog.db.t at the head of a reference; *ret_n: how many parts it takes. */
static const struct cat_in_scope *by_name(const struct flow_scope *scope, const sl_str *ident, size_t n,
                                          size_t *ret_n)
{
    const struct cat_in_scope *in = n ? by_alias(scope, ident[0]) : NULL;
    *ret_n = 1;
    for (size_t i = 0; !in && n > 1 && i < scope->from.list.n; i++) {
        const struct cat_in_scope *at = &scope->from.list.v[i];
        const struct cat_object *o = at->object;
        if (!o || !sl_str_eq(at->name, o->name)) {
            continue;
        }
        if (sl_str_eq(ident[0], o->database) && sl_str_eq(ident[1], o->name)) {
            *ret_n = 2;
            return at;
        }
        if (n > 2 && sl_str_eq(ident[0], o->catalog) && sl_str_eq(ident[1], o->database) &&
            sl_str_eq(ident[2], o->name)) {
            *ret_n = 3;
            return at;
        }
    }
    return in;
}

static void take_rest(struct cat_flow *f, const struct cat_columns *c, sl_str name, unsigned how,
                      struct cat_froms *out)
{
    struct cat_froms one = {0};
    for (size_t i = 0; i < c->rest.list.n; i++) {
        const struct cat_from *at = &c->rest.list.v[i];
        bool any = sl_str_eqz(at->column, "*");
        flow_add_from(f, &one, at->object, any ? name : at->column,
                      any ? at->how | (c->rest.list.n > 1 ? CAT_HOW_MAYBE : 0u) : CAT_HOW_TRANSFORMATION);
    }
    flow_pass(f, out, &one, how);
}

static void take_column(struct cat_flow *f, const struct cat_in_scope *in, const struct cat_column *column,
                        const struct sql_node *at, sl_str name, unsigned how, struct cat_froms *out)
{
    struct cat_ref *ref = flow_saw(f, CAT_REF_COLUMN, at, name);
    ref->object = in->object;
    ref->column = column;
    ref->columns = in->columns;
    if (column) {
        flow_pass(f, out, &column->from, how);
    } else {
        take_rest(f, in->columns, name, how, out);
    }
}

/* A column that stands alone: in one scope. False: not there. */
static bool by_column(struct cat_flow *f, const struct flow_scope *scope, const struct sql_node *at,
                      sl_str name, unsigned how, struct cat_froms *out)
{
    size_t open = 0;
    for (size_t i = 0; i < scope->from.list.n; i++) {
        const struct cat_in_scope *in = &scope->from.list.v[i];
        const struct cat_column *c = flow_column(in->columns, name);
        if (c) {
            take_column(f, in, c, at, name, how, out);
            return true;
        }
        open += in->columns->open;
    }
    const struct cat_column *alias = scope->aliases ? flow_column(scope->aliases, name) : NULL;
    if (alias) {
        struct cat_ref *ref = flow_saw(f, CAT_REF_COLUMN, at, name);
        ref->column = alias;
        flow_pass(f, out, &alias->from, how);
        return true;
    }
    for (size_t i = 0; open && i < scope->from.list.n; i++) {
        const struct cat_in_scope *in = &scope->from.list.v[i];
        if (in->columns->open) {
            take_column(f, in, NULL, at, name, how | (open > 1 ? CAT_HOW_MAYBE : 0u), out);
        }
    }
    return open > 0;
}

static bool is_context_function(const struct cat_flow *f, const struct sql_node *ident)
{
    sl_str text = sql_node_text(ident, f->place.sql);
    enum sql_word word = sql_word_find(text.p, text.n);
    return word && (sql_words[word].reserved >> sql_version_index(f->s->flink) & 1);
}

/* The IDENT that is part i of a name. */
static const struct sql_node *part(const struct sql_node *name, size_t i)
{
    const struct sql_node *c = name->kind == SQL_N_NAME ? name->first : name;
    for (; c && i; i--) {
        c = c->next;
    }
    return c;
}

static void reference(struct cat_flow *f, const struct sql_node *name, const struct flow_scope *scope,
                      unsigned how, struct cat_froms *out)
{
    sl_str ident[6];
    size_t n = flow_parts(f, name, ident, SL_ARRAY_LEN(ident)), used;
    if (!n || (n == 1 && is_context_function(f, part(name, 0)))) {
        return;
    }
    for (const struct flow_scope *at = scope; at; at = at->outer) {
        const struct cat_in_scope *in = n > 1 ? by_name(at, ident, n, &used) : NULL;
        if (in && n > used) {
            struct cat_ref *ref = flow_saw(f, CAT_REF_ALIAS, part(name, used - 1), in->name);
            ref->object = in->object;
            ref->columns = in->columns;
            const struct cat_column *c = flow_column(in->columns, ident[used]);
            if (c || in->columns->open) {
                bool field = n > used + 1 && (how & CAT_HOW_DIRECT);
                take_column(f, in, c, part(name, used), ident[used],
                            field && how == CAT_HOW_IDENTITY ? CAT_HOW_TRANSFORMATION : how, out);
            }
            return;
        }
        unsigned as = n > 1 && how == CAT_HOW_IDENTITY ? CAT_HOW_TRANSFORMATION : how;
        if (by_column(f, at, part(name, 0), ident[0], as, out)) {
            return;
        }
    }
}

/* ------------------------------------------------------------------ expressions */

static bool is_aggregate(sl_str name)
{
    static const char *const names[] = {"ANY_VALUE",
                                        "APPROX_COUNT_DISTINCT",
                                        "ARRAY_AGG",
                                        "AVG",
                                        "BITMAP_AND_AGG",
                                        "BITMAP_BUILD_AGG",
                                        "BITMAP_OR_AGG",
                                        "BITMAP_XOR_AGG",
                                        "BIT_AND",
                                        "BIT_OR",
                                        "BIT_XOR",
                                        "COLLECT",
                                        "COUNT",
                                        "CUME_DIST",
                                        "DENSE_RANK",
                                        "FIRST_VALUE",
                                        "JSON_ARRAYAGG",
                                        "JSON_OBJECTAGG",
                                        "LAG",
                                        "LAST_VALUE",
                                        "LEAD",
                                        "LISTAGG",
                                        "MAX",
                                        "MIN",
                                        "NTH_VALUE",
                                        "NTILE",
                                        "PERCENTILE",
                                        "PERCENT_RANK",
                                        "RANK",
                                        "ROW_NUMBER",
                                        "STDDEV",
                                        "STDDEV_POP",
                                        "STDDEV_SAMP",
                                        "SUM",
                                        "SUM0",
                                        "VARIANCE",
                                        "VAR_POP",
                                        "VAR_SAMP"};
    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        if (sl_str_ieqz(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* The name a CALL is made by; forms of their own are named by their first word. */
static sl_str call_name(const struct cat_flow *f, const struct sql_node *call)
{
    const struct sql_node *first = call->first;
    if (call->op) {
        sl_str text = sql_node_text(call, f->place.sql);
        size_t n = 0;
        while (n < text.n && text.p[n] != '(' && text.p[n] != ' ' && text.p[n] != '\t' && text.p[n] != '\n' &&
               text.p[n] != '\r' && text.p[n] != '/' && text.p[n] != '-') {
            n++;
        }
        return sl_str_sub(text, 0, n);
    }
    if (first && first->kind == SQL_N_NAME) {
        first = sql_last(first);
    }
    return first && first->kind == SQL_N_IDENT ? flow_ident(f, first) : SL_STR_NONE;
}

static void each(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *scope, unsigned how,
                 struct cat_froms *out)
{
    for (; n; n = n->next) {
        flow_expr(f, n, scope, how, out);
    }
}

static void order_items(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *scope,
                        unsigned how, struct cat_froms *out)
{
    for (const struct sql_node *c = n ? n->first : NULL; c; c = c->next) {
        flow_expr(f, c->kind == SQL_N_ORDER_ITEM ? c->first : c, scope, how, out);
    }
}

static void window(struct cat_flow *f, const struct sql_node *w, const struct flow_scope *scope,
                   struct cat_froms *out)
{
    for (const struct sql_node *c = w ? w->first : NULL; c; c = c->next) {
        if (c->kind == SQL_N_PARTITION_BY) {
            for (const struct sql_node *e = c->first; e; e = e->next) {
                flow_expr(f, e, scope, CAT_HOW_WINDOW, out);
            }
        } else if (c->kind == SQL_N_ORDER_BY) {
            order_items(f, c, scope, CAT_HOW_WINDOW, out);
        }
    }
}

static void subquery(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *scope,
                     unsigned how, bool values, struct cat_froms *out)
{
    const struct cat_columns *q = flow_query(f, n, scope, scope ? scope->ctes : NULL);
    for (size_t i = 0; values && i < q->list.n; i++) {
        flow_pass(f, out, &q->list.v[i].from, how);
    }
    if (values && q->open) {
        flow_pass(f, out, &q->rest, how);
    }
    if (!(how & CAT_HOW_DIRECT)) {
        flow_pass(f, out, &q->rows, how);
    } else if (scope && scope->rows) {
        flow_pass(f, scope->rows, &q->rows, CAT_HOW_IDENTITY);
    }
}

static void call(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *scope, unsigned how,
                 struct cat_froms *out)
{
    sl_str name = call_name(f, n);
    const struct sql_node *c = n->first;
    unsigned as = is_aggregate(name) ? CAT_HOW_AGGREGATION : CAT_HOW_TRANSFORMATION;
    unsigned args = how & CAT_HOW_DIRECT ? (how & CAT_HOW_AGGREGATION ? how : as) : how;
    bool condition = sl_str_ieqz(name, "IF"); /* its first argument only chooses */
    if (!n->op && c) {
        c = c->next;
    }
    if (sl_str_ieqz(name, "DESCRIPTOR")) {
        args = how;
    }
    for (; c; c = c->next) {
        unsigned part_how = how & CAT_HOW_DIRECT ? CAT_HOW_CONDITION : how;
        switch ((enum sql_node_kind)c->kind) {
        case SQL_N_FILTER:
            each(f, c->first, scope, part_how, out);
            break;
        case SQL_N_OVER:
            if (c->first && c->first->kind == SQL_N_WINDOW) {
                window(f, c->first, scope, out);
            }
            break;
        case SQL_N_WITHIN:
            for (const struct sql_node *e = c->first; e; e = e->next) {
                if (e->kind == SQL_N_ORDER_BY) {
                    order_items(f, e, scope, CAT_HOW_SORT, out);
                } else {
                    flow_expr(f, e, scope, CAT_HOW_SORT, out);
                }
            }
            break;
        case SQL_N_ORDER_BY:
            order_items(f, c, scope, CAT_HOW_SORT, out);
            break;
        case SQL_N_ARGS:
            for (const struct sql_node *e = c->first; e; e = e->next) {
                flow_expr(f, e, scope, condition && e == c->first && e->next ? part_how : args, out);
            }
            break;
        default:
            flow_expr(f, c, scope, args, out);
            break;
        }
    }
}

static void case_of(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *scope,
                    unsigned how, struct cat_froms *out)
{
    unsigned value = how == CAT_HOW_IDENTITY ? CAT_HOW_TRANSFORMATION : how;
    unsigned test = how & CAT_HOW_DIRECT ? CAT_HOW_CONDITION : how;
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind == SQL_N_WHEN && c->first) {
            flow_expr(f, c->first, scope, test, out);
            each(f, c->first->next, scope, value, out);
        } else if (c->kind == SQL_N_ELSE) {
            each(f, c->first, scope, value, out);
        } else {
            flow_expr(f, c, scope, test, out);
        }
    }
}

void flow_expr(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *scope, unsigned how,
               struct cat_froms *out)
{
    if (!n) {
        return;
    }
    unsigned deeper = how == CAT_HOW_IDENTITY ? CAT_HOW_TRANSFORMATION : how;
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_NAME:
    case SQL_N_IDENT:
        reference(f, n, scope, how, out);
        return;
    case SQL_N_PAREN:
    case SQL_N_EXPRS:
    case SQL_N_ARGS:
        each(f, n->first, scope, how, out);
        return;
    case SQL_N_QUERY:
    case SQL_N_SELECT:
    case SQL_N_SUBQUERY:
    case SQL_N_SET_OP:
    case SQL_N_VALUES:
        subquery(f, n, scope, how, true, out);
        return;
    case SQL_N_UNARY:
        if ((n->op & SQL_OP_TOKEN) == TK_EXISTS && n->first) {
            subquery(f, n->first, scope, how & CAT_HOW_DIRECT ? CAT_HOW_CONDITION : how, false, out);
            return;
        }
        each(f, n->first, scope, deeper, out);
        return;
    case SQL_N_CALL:
        call(f, n, scope, how, out);
        return;
    case SQL_N_CASE:
        case_of(f, n, scope, how, out);
        return;
    case SQL_N_NAMED_ARG:
        flow_expr(f, sql_last(n), scope, how, out);
        return;
    case SQL_N_FIELD:
        flow_expr(f, n->first, scope, deeper, out);
        if (sql_last(n) && sql_last(n)->kind == SQL_N_CALL) {
            flow_expr(f, sql_last(n), scope, deeper, out);
        }
        return;
    case SQL_N_CAST:
        flow_expr(f, n->first, scope, deeper, out);
        return;
    case SQL_N_TABLE_ARG: {
        const struct sql_node *name = sql_node_child(n, SQL_N_NAME);
        struct flow_scope own = {.ctes = scope ? scope->ctes : NULL};
        if (name) {
            struct sql_node table = {.kind = SQL_N_TABLE, .off = name->off, .len = name->len};
            struct sql_node copy = *name;
            copy.next = NULL;
            table.first = &copy;
            flow_add_source(f, &table, &own);
        }
        for (size_t i = 0; i < own.from.list.n; i++) {
            const struct cat_columns *c = own.from.list.v[i].columns;
            for (size_t k = 0; k < c->list.n; k++) {
                flow_pass(f, out, &c->list.v[k].from, deeper);
            }
            flow_pass(f, out, &c->rest, deeper);
        }
        return;
    }
    case SQL_N_LITERAL:
    case SQL_N_STRING:
    case SQL_N_TYPED:
    case SQL_N_TYPE:
    case SQL_N_UNIT:
    case SQL_N_STAR:
    case SQL_N_MODEL_ARG:
    case SQL_N_HINTS:
    case SQL_N_LIMIT:
        return;
    default:
        each(f, n->first, scope, deeper, out);
        return;
    }
}

/* ------------------------------------------------------------------ types, as far as they are plain */

static sl_str same_as_argument(struct cat_flow *f, const struct sql_node *call_node,
                               const struct flow_scope *scope)
{
    const struct sql_node *args = sql_node_child(call_node, SQL_N_ARGS);
    return args && args->first ? flow_type_of(f, args->first, scope) : SL_STR_NONE;
}

static sl_str type_of_call(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *scope)
{
    static const struct {
        const char *name, *type;
    } fixed[] = {{"COUNT", "BIGINT"},
                 {"ROW_NUMBER", "BIGINT"},
                 {"RANK", "BIGINT"},
                 {"DENSE_RANK", "BIGINT"},
                 {"PROCTIME", "TIMESTAMP_LTZ(3)"},
                 {"UPPER", "STRING"},
                 {"LOWER", "STRING"},
                 {"CONCAT", "STRING"},
                 {"CONCAT_WS", "STRING"},
                 {"LISTAGG", "STRING"},
                 {"CHAR_LENGTH", "INT"},
                 {"CHARACTER_LENGTH", "INT"},
                 {"DATE_FORMAT", "STRING"},
                 {"SUBSTRING", "STRING"},
                 {"SUBSTR", "STRING"},
                 {"TRIM", "STRING"},
                 {"REPLACE", "STRING"},
                 {"CURRENT_WATERMARK", ""},
                 {"REGEXP_REPLACE", "STRING"},
                 {"REGEXP_EXTRACT", "STRING"},
                 {"MD5", "STRING"},
                 {"SHA256", "STRING"},
                 {"UUID", "STRING"},
                 {"TO_TIMESTAMP", "TIMESTAMP(3)"},
                 {"TO_DATE", "DATE"},
                 {"TO_TIMESTAMP_LTZ", "TIMESTAMP_LTZ(3)"},
                 {"CARDINALITY", "INT"},
                 {"JSON_STRING", "STRING"},
                 {"JSON_OBJECT", "STRING"},
                 {"JSON_ARRAY", "STRING"},
                 {"JSON_EXISTS", "BOOLEAN"},
                 {"LENGTH", "INT"}};
    static const char *const same[] = {"MIN", "MAX", "FIRST_VALUE", "LAST_VALUE",
                                       "ABS", "LAG", "LEAD",        "ANY_VALUE"};
    sl_str name = call_name(f, n);
    for (size_t i = 0; i < SL_ARRAY_LEN(fixed); i++) {
        if (sl_str_ieqz(name, fixed[i].name)) {
            return sl_str_of(fixed[i].type);
        }
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(same); i++) {
        if (sl_str_ieqz(name, same[i])) {
            return same_as_argument(f, n, scope);
        }
    }
    return SL_STR_NONE;
}

static sl_str type_of_name(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *scope)
{
    sl_str ident[6];
    size_t count = flow_parts(f, n, ident, SL_ARRAY_LEN(ident)), used;
    for (const struct flow_scope *at = scope; at && count; at = at->outer) {
        const struct cat_in_scope *in = count > 1 ? by_name(at, ident, count, &used) : NULL;
        if (in && count > used) {
            const struct cat_column *c = flow_column(in->columns, ident[used]);
            return c && count == used + 1 ? c->type : SL_STR_NONE;
        }
        for (size_t i = 0; i < at->from.list.n; i++) {
            const struct cat_column *c = flow_column(at->from.list.v[i].columns, ident[0]);
            if (c) {
                return count == 1 ? c->type : SL_STR_NONE;
            }
        }
    }
    return SL_STR_NONE;
}

sl_str flow_type_of(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *scope)
{
    switch (n ? (enum sql_node_kind)n->kind : SQL_N_NONE) {
    case SQL_N_NAME:
    case SQL_N_IDENT:
        return type_of_name(f, n, scope);
    case SQL_N_PAREN:
    case SQL_N_EXPRS:
        return n->first && !n->first->next ? flow_type_of(f, n->first, scope) : SL_STR_NONE;
    case SQL_N_CAST: {
        const struct sql_node *type = sql_node_child(n, SQL_N_TYPE);
        return type ? flow_type_text(f, type) : SL_STR_NONE;
    }
    case SQL_N_CALL:
        return type_of_call(f, n, scope);
    case SQL_N_IS:
    case SQL_N_LIKE:
    case SQL_N_BETWEEN:
    case SQL_N_IN:
    case SQL_N_QUANTIFIED:
        return SL_STR("BOOLEAN");
    case SQL_N_BINARY:
        switch (n->op & SQL_OP_TOKEN) {
        case TK_EQ:
        case TK_NE:
        case TK_LT:
        case TK_LE:
        case TK_GT:
        case TK_GE:
        case TK_AND:
        case TK_OR:
            return SL_STR("BOOLEAN");
        case TK_CONCAT:
            return SL_STR("STRING");
        default:
            return SL_STR_NONE;
        }
    case SQL_N_LITERAL:
        return (n->op & SQL_OP_TOKEN) == TK_TRUE || (n->op & SQL_OP_TOKEN) == TK_FALSE ? SL_STR("BOOLEAN")
                                                                                       : SL_STR_NONE;
    default:
        return SL_STR_NONE;
    }
}

/* ------------------------------------------------------------------ FROM */

static const struct cat_in_scope *find_cte(const struct flow_ctes *ctes, sl_str name)
{
    for (; ctes; ctes = ctes->outer) {
        for (size_t i = ctes->own.list.n; i-- > 0;) {
            if (sl_str_eq(ctes->own.list.v[i].name, name)) {
                return &ctes->own.list.v[i];
            }
        }
    }
    return NULL;
}

/* A table by its NAME. The columns are not to be changed. */
static const struct cat_columns *table_of(struct cat_flow *f, const struct sql_node *name,
                                          const struct flow_ctes *ctes, const struct cat_object **ret_object)
{
    *ret_object = NULL;
    if (!name || !name->first) {
        return fresh_open(f);
    }
    const struct cat_in_scope *cte = name->first->next ? NULL : find_cte(ctes, flow_ident(f, name->first));
    if (cte) {
        struct cat_ref *ref = flow_saw(f, CAT_REF_CTE, name, cte->name);
        ref->columns = cte->columns;
        return cte->columns;
    }
    const struct cat_object *o = flow_object(f, name);
    struct cat_ref *ref = flow_saw(f, CAT_REF_TABLE, name, SL_STR_NONE);
    ref->object = o;
    if (!o) {
        return fresh_open(f);
    }
    flow_saw_read(f, o, name);
    *ret_object = o;
    return cat_flow_columns(f, o);
}

/* The argument that is a table, however it is written. */
static const struct sql_node *table_argument(const struct sql_node *call_node,
                                             const struct sql_node **ret_rest)
{
    const struct sql_node *args = sql_node_child(call_node, SQL_N_ARGS);
    *ret_rest = args;
    for (const struct sql_node *arg = args ? args->first : NULL; arg; arg = arg->next) {
        const struct sql_node *at = arg->kind == SQL_N_NAMED_ARG ? sql_last(arg) : arg;
        if (at && (at->kind == SQL_N_TABLE_ARG || at->kind == SQL_N_SUBQUERY)) {
            return at;
        }
    }
    return NULL;
}

static bool is_window_function(sl_str name)
{
    return sl_str_ieqz(name, "TUMBLE") || sl_str_ieqz(name, "HOP") || sl_str_ieqz(name, "CUMULATE") ||
           sl_str_ieqz(name, "SESSION");
}

static const struct cat_columns *table_function(struct cat_flow *f, const struct sql_node *call_node,
                                                const struct flow_scope *scope)
{
    static const char *const times[] = {"window_start", "window_end", "window_time"};
    struct cat_columns *r = fresh_open(f);
    const struct sql_node *args;
    if (!call_node) {
        return r;
    }
    const struct sql_node *input = table_argument(call_node, &args);
    if (!input) {
        flow_expr(f, args, scope, CAT_HOW_TRANSFORMATION, &r->rest);
        return r;
    }
    struct flow_scope own = {.ctes = scope->ctes, .rows = scope->rows};
    const struct sql_node *name = sql_node_child(input, SQL_N_NAME);
    const struct sql_node *sub =
        input->kind == SQL_N_SUBQUERY ? input : sql_node_child(input, SQL_N_SUBQUERY);
    const struct cat_object *o = NULL;
    const struct cat_columns *in = name  ? table_of(f, name, scope->ctes, &o)
                                   : sub ? flow_query(f, sub, NULL, scope->ctes)
                                         : r;
    sl_vec_push(
        f->a, &own.from.list,
        ((struct cat_in_scope){name && sql_last(name) ? flow_ident(f, sql_last(name)) : SL_STR_NONE, o, in}));
    struct cat_froms others = {0};
    for (const struct sql_node *arg = args->first; arg; arg = arg->next) {
        const struct sql_node *at = arg->kind == SQL_N_NAMED_ARG ? sql_last(arg) : arg;
        if (at != input) {
            flow_expr(f, at, &own, CAT_HOW_TRANSFORMATION, &others);
        }
    }
    if (!is_window_function(call_name(f, call_node))) {
        for (size_t i = 0; i < in->list.n; i++) {
            flow_pass(f, &r->rest, &in->list.v[i].from, CAT_HOW_TRANSFORMATION);
        }
        flow_pass(f, &r->rest, &in->rest, CAT_HOW_TRANSFORMATION);
        flow_pass(f, &r->rows, &in->rows, CAT_HOW_IDENTITY);
        return r;
    }
    r = flow_copy(f, in);
    for (size_t i = 0; i < SL_ARRAY_LEN(times); i++) {
        struct cat_column *c = flow_add_column(f, r, sl_str_of(times[i]));
        c->type = SL_STR("TIMESTAMP(3)");
        flow_pass(f, &c->from, &others, CAT_HOW_TRANSFORMATION);
    }
    return r;
}

static void pattern_names(struct cat_flow *f, const struct sql_node *n, const struct cat_columns *c,
                          struct flow_scope *to)
{
    for (; n; n = n->next) {
        if (n->kind == SQL_N_IDENT) {
            sl_str name = flow_ident(f, n);
            if (!by_alias(to, name)) {
                sl_vec_push(f->a, &to->from.list, ((struct cat_in_scope){name, NULL, c}));
            }
        } else {
            pattern_names(f, n->first, c, to);
        }
    }
}

/* MATCH_RECOGNIZE: the columns of PARTITION BY and the measures. */
static const struct cat_columns *match(struct cat_flow *f, const struct sql_node *m,
                                       const struct cat_columns *in, const struct cat_object *o, sl_str name,
                                       const struct flow_scope *outer)
{
    struct cat_columns *r = sl_new(f->a, struct cat_columns);
    struct flow_scope scope = {.outer = outer, .ctes = outer->ctes, .rows = &r->rows};
    sl_vec_push(f->a, &scope.from.list, ((struct cat_in_scope){name, o, in}));
    const struct sql_node *measures = sql_node_child(m, SQL_N_MEASURES),
                          *define = sql_node_child(m, SQL_N_DEFINE);
    const struct sql_node *pattern = sql_node_child(m, SQL_N_PATTERN),
                          *subset = sql_node_child(m, SQL_N_SUBSET);
    const struct sql_node *by = sql_node_child(m, SQL_N_PARTITION_BY);
    flow_pass(f, &r->rows, &in->rows, CAT_HOW_IDENTITY);
    for (const struct sql_node *list = by ? by->first : NULL; list; list = list->next) {
        bool several = list->kind == SQL_N_EXPRS;
        for (const struct sql_node *e = several ? list->first : list; e; e = several ? e->next : NULL) {
            const struct sql_node *last = e->kind == SQL_N_NAME ? sql_last(e) : e;
            struct cat_column *c =
                flow_add_column(f, r, last && last->kind == SQL_N_IDENT ? flow_ident(f, last) : SL_STR_NONE);
            c->type = flow_type_of(f, e, &scope);
            flow_expr(f, e, &scope, CAT_HOW_IDENTITY, &c->from);
            flow_expr(f, e, &scope, CAT_HOW_GROUP, &r->rows);
        }
    }
    order_items(f, sql_node_child(m, SQL_N_ORDER_BY), &scope, CAT_HOW_SORT, &r->rows);
    pattern_names(f, pattern ? pattern->first : NULL, in, &scope);
    for (const struct sql_node *s = subset ? subset->first : NULL; s; s = s->next) {
        pattern_names(f, s->first && s->first->kind == SQL_N_IDENT ? s->first : NULL, in, &scope);
    }
    for (const struct sql_node *d = define ? define->first : NULL; d; d = d->next) {
        flow_expr(f, d->first ? d->first->next : NULL, &scope, CAT_HOW_FILTER, &r->rows);
    }
    for (const struct sql_node *e = measures ? measures->first : NULL; e; e = e->next) {
        const struct sql_node *alias = sql_node_child(e, SQL_N_ALIAS);
        struct cat_column *c =
            flow_add_column(f, r, alias && alias->first ? flow_ident(f, alias->first) : SL_STR_NONE);
        struct cat_froms from = {0};
        sl_str type = flow_type_of(f, e->first, &scope);
        flow_expr(f, e->first, &scope, CAT_HOW_IDENTITY, &from);
        c->from = from;
        c->type = type;
    }
    return r;
}

/* PIVOT and UNPIVOT: what comes out has names we do not read; it comes from all that goes in. */
static const struct cat_columns *pivoted(struct cat_flow *f, const struct sql_node *p,
                                         const struct cat_columns *in, const struct cat_object *o,
                                         sl_str name, const struct flow_scope *outer)
{
    struct cat_columns *r = fresh_open(f);
    struct flow_scope scope = {.outer = outer, .ctes = outer->ctes, .rows = &r->rows};
    struct cat_froms used = {0};
    sl_vec_push(f->a, &scope.from.list, ((struct cat_in_scope){name, o, in}));
    for (const struct sql_node *c = p->first; c; c = c->next) {
        flow_expr(f, c, &scope, CAT_HOW_TRANSFORMATION, &used);
    }
    for (size_t i = 0; i < in->list.n; i++) {
        flow_pass(f, &r->rest, &in->list.v[i].from, CAT_HOW_TRANSFORMATION);
    }
    flow_pass(f, &r->rest, &in->rest, CAT_HOW_IDENTITY);
    flow_pass(f, &r->rows, &in->rows, CAT_HOW_IDENTITY);
    return r;
}

static void add_one(struct cat_flow *f, const struct sql_node *n, struct flow_scope *scope)
{
    const struct cat_columns *c = NULL;
    const struct cat_object *object = NULL;
    const struct sql_node *alias = sql_node_child(n, SQL_N_ALIAS);
    const struct sql_node *table = sql_node_child(n, SQL_N_NAME), *sub = sql_node_child(n, SQL_N_SUBQUERY);
    struct cat_froms unused = {0};
    struct cat_froms *rows = scope->rows ? scope->rows : &unused;
    sl_str name = SL_STR_NONE;
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_TABLE:
        c = table_of(f, table, scope->ctes, &object);
        name = table && sql_last(table) ? flow_ident(f, sql_last(table)) : SL_STR_NONE;
        if (sql_node_child(n, SQL_N_SNAPSHOT)) {
            each(f, sql_node_child(n, SQL_N_SNAPSHOT)->first, scope, CAT_HOW_JOIN, rows);
        }
        break;
    case SQL_N_DERIVED:
        c = sub ? flow_query(f, sub, n->op & 1 ? scope : scope->outer, scope->ctes) : NULL;
        break;
    case SQL_N_TABLE_FUNCTION:
        c = table_function(f, sql_node_child(n, SQL_N_CALL), scope);
        break;
    case SQL_N_UNNEST: {
        struct cat_columns *own = fresh_open(f);
        for (const struct sql_node *e = n->first; e; e = e->next) {
            if (e->kind != SQL_N_ALIAS && e->kind != SQL_N_SAMPLE) {
                struct sql_node row = *e;
                row.kind = row.kind == SQL_N_ROW ? SQL_N_EXPRS : row.kind;
                flow_expr(f, &row, scope, CAT_HOW_TRANSFORMATION, &own->rest);
            }
        }
        c = own;
        break;
    }
    default:
        break;
    }
    c = c ? c : fresh_open(f);
    const struct sql_node *recognize = sql_node_child(n, SQL_N_MATCH),
                          *pivot = sql_node_child(n, SQL_N_PIVOT);
    const struct sql_node *unpivot = sql_node_child(n, SQL_N_UNPIVOT);
    if (recognize) {
        c = match(f, recognize, c, object, name, scope);
    }
    if (pivot || unpivot) {
        c = pivoted(f, pivot ? pivot : unpivot, c, object, name, scope);
    }
    flow_pass(f, rows, &c->rows, CAT_HOW_IDENTITY);
    object = recognize || pivot || unpivot ? NULL : object;
    if (alias && alias->first) {
        name = flow_ident(f, alias->first);
        const struct sql_node *names = sql_node_child(alias, SQL_N_NAMES);
        c = names ? flow_renamed(f, flow_copy(f, c), names) : c;
        struct cat_ref *ref = flow_saw(f, CAT_REF_ALIAS, alias->first, name);
        ref->object = object;
        ref->columns = c;
    }
    sl_vec_push(f->a, &scope->from.list, ((struct cat_in_scope){name, object, c}));
}

static void merge_name(struct cat_flow *f, struct flow_scope *scope, sl_str name)
{
    for (size_t i = 0; i < scope->merged.n; i++) {
        if (sl_str_eq(scope->merged.v[i], name)) {
            return;
        }
    }
    sl_vec_push(f->a, &scope->merged, name);
}

static void add_join(struct cat_flow *f, const struct sql_node *n, struct flow_scope *scope)
{
    const struct sql_node *left = n->first, *right = left ? left->next : NULL;
    struct cat_froms unused = {0};
    struct cat_froms *rows = scope->rows ? scope->rows : &unused;
    if (!right) {
        return;
    }
    flow_add_source(f, left, scope);
    size_t at = scope->from.list.n;
    flow_add_source(f, right, scope);
    const struct sql_node *on = sql_node_child(n, SQL_N_ON), *using = sql_node_child(n, SQL_N_USING);
    if (on) {
        each(f, on->first, scope, CAT_HOW_JOIN, rows);
    }
    const struct sql_node *names =
        using && using->first && using->first->kind == SQL_N_NAMES ? using->first : using;
    for (const struct sql_node *c = names ? names->first : NULL; c; c = c->next) {
        const struct sql_node *ident = c->kind == SQL_N_NAME ? sql_last(c) : c;
        sl_str name = ident && ident->kind == SQL_N_IDENT ? flow_ident(f, ident) : SL_STR_NONE;
        merge_name(f, scope, name);
    }
    for (size_t i = at; (n->op & SQL_OP_NATURAL) && i < scope->from.list.n; i++) {
        const struct cat_columns *r = scope->from.list.v[i].columns;
        for (size_t k = 0; k < r->list.n; k++) {
            for (size_t l = 0; l < at; l++) {
                if (flow_column(scope->from.list.v[l].columns, r->list.v[k].name)) {
                    merge_name(f, scope, r->list.v[k].name);
                }
            }
        }
    }
    for (size_t m = 0; (using || (n->op & SQL_OP_NATURAL)) && m < scope->merged.n; m++) {
        for (size_t i = 0; i < scope->from.list.n; i++) {
            const struct cat_in_scope *in = &scope->from.list.v[i];
            const struct cat_column *c = flow_column(in->columns, scope->merged.v[m]);
            if (c) {
                flow_pass(f, rows, &c->from, CAT_HOW_JOIN);
            } else if (in->columns->open) {
                take_rest(f, in->columns, scope->merged.v[m], CAT_HOW_JOIN, rows);
            }
        }
    }
}

void flow_add_source(struct cat_flow *f, const struct sql_node *n, struct flow_scope *scope)
{
    if (n->kind == SQL_N_JOIN) {
        add_join(f, n, scope);
    } else if (n->kind == SQL_N_NESTED && !sql_node_child(n, SQL_N_ALIAS)) {
        if (n->first) {
            flow_add_source(f, n->first, scope);
        }
    } else {
        add_one(f, n, scope);
    }
}

/* ------------------------------------------------------------------ SELECT */

static void add_columns(struct cat_flow *f, struct cat_columns *out, const struct cat_in_scope *in,
                        const struct flow_scope *scope)
{
    for (size_t k = 0; k < in->columns->list.n; k++) {
        const struct cat_column *from = &in->columns->list.v[k];
        bool merged = false;
        for (size_t m = 0; scope && m < scope->merged.n; m++) {
            merged |= sl_str_eq(scope->merged.v[m], from->name);
        }
        if (!merged) {
            struct cat_column *c = flow_add_column(f, out, from->name);
            c->type = from->type;
            flow_pass(f, &c->from, &from->from, CAT_HOW_IDENTITY);
        }
    }
    out->open |= in->columns->open;
    if (in->columns->open) {
        flow_pass(f, &out->rest, &in->columns->rest, CAT_HOW_IDENTITY);
    }
}

static void add_star(struct cat_flow *f, struct cat_columns *out, const struct flow_scope *scope)
{
    for (size_t m = 0; m < scope->merged.n; m++) {
        struct cat_column *c = NULL;
        for (size_t i = 0; i < scope->from.list.n; i++) {
            const struct cat_column *from = flow_column(scope->from.list.v[i].columns, scope->merged.v[m]);
            if (from && !c) {
                c = flow_add_column(f, out, from->name);
                c->type = from->type;
                flow_pass(f, &c->from, &from->from, CAT_HOW_IDENTITY);
            }
        }
    }
    for (size_t i = 0; i < scope->from.list.n; i++) {
        add_columns(f, out, &scope->from.list.v[i], scope);
    }
}

static void add_alias_star(struct cat_flow *f, struct cat_columns *out, const struct sql_node *name,
                           const struct flow_scope *scope)
{
    sl_str ident[4];
    size_t n = flow_parts(f, name, ident, SL_ARRAY_LEN(ident)), used;
    for (const struct flow_scope *at = scope; at && n; at = at->outer) {
        const struct cat_in_scope *in = by_name(at, ident, n, &used);
        if (in && used == n) {
            struct cat_ref *ref = flow_saw(f, CAT_REF_ALIAS, part(name, used - 1), in->name);
            ref->object = in->object;
            ref->columns = in->columns;
            add_columns(f, out, in, NULL);
            return;
        }
    }
    out->open = true; /* fields of a row */
    struct sql_node plain = *name;
    plain.op = 0;
    reference(f, &plain, scope, CAT_HOW_TRANSFORMATION, &out->rest);
}

static void select_item(struct cat_flow *f, const struct sql_node *item, struct cat_columns *out,
                        const struct flow_scope *scope, unsigned position)
{
    const struct sql_node *expr = item->kind == SQL_N_SELECT_ITEM ? item->first : item;
    const struct sql_node *alias = item->kind == SQL_N_SELECT_ITEM ? sql_node_child(item, SQL_N_ALIAS) : NULL;
    if (!expr) {
        return;
    }
    if (expr->kind == SQL_N_STAR) {
        add_star(f, out, scope);
        return;
    }
    if (expr->kind == SQL_N_NAME && expr->op == 1) {
        add_alias_star(f, out, expr, scope);
        return;
    }
    const struct sql_node *name = alias && alias->first       ? alias->first
                                  : expr->kind == SQL_N_NAME  ? sql_last(expr)
                                  : expr->kind == SQL_N_IDENT ? expr
                                  : expr->kind == SQL_N_FIELD ? sql_last(expr)
                                                              : NULL;
    bool named = name && name->kind == SQL_N_IDENT;
    struct cat_froms from = {0};
    sl_str type = flow_type_of(f, expr, scope);
    flow_expr(f, expr, scope, CAT_HOW_IDENTITY, &from);
    struct cat_column *c =
        flow_add_column(f, out, named ? flow_ident(f, name) : sl_arena_printf(f->a, "EXPR$%u", position));
    c->from = from;
    c->type = type;
    c->stmt = f->place.st;
    c->off = named ? name->off : expr->off;
    c->len = named ? name->len : expr->len;
    if (alias && named) {
        struct cat_ref *ref = flow_saw(f, CAT_REF_COLUMN, name, c->name);
        ref->column = c;
    }
}

static struct cat_columns *select_of(struct cat_flow *f, const struct sql_node *n,
                                     const struct flow_scope *outer, const struct flow_ctes *ctes,
                                     struct flow_scope *scope)
{
    struct cat_columns *out = sl_new(f->a, struct cat_columns);
    *scope = (struct flow_scope){.outer = outer, .ctes = ctes, .rows = &out->rows};
    const struct sql_node *from = sql_node_child(n, SQL_N_FROM), *list = sql_node_child(n, SQL_N_SELECT_LIST);
    if (from && from->first) {
        flow_add_source(f, from->first, scope);
    }
    unsigned position = 0;
    for (const struct sql_node *item = list ? list->first : NULL; item; item = item->next) {
        select_item(f, item, out, scope, position++);
    }
    for (const struct sql_node *c = n->first; c; c = c->next) {
        switch ((enum sql_node_kind)c->kind) {
        case SQL_N_WHERE:
            each(f, c->first, scope, CAT_HOW_FILTER, &out->rows);
            break;
        case SQL_N_GROUP_BY:
            scope->aliases = out;
            each(f, c->first, scope, CAT_HOW_GROUP, &out->rows);
            scope->aliases = NULL;
            break;
        case SQL_N_HAVING:
        case SQL_N_QUALIFY:
            scope->aliases = out;
            each(f, c->first, scope, CAT_HOW_FILTER, &out->rows);
            scope->aliases = NULL;
            break;
        case SQL_N_WINDOWS:
            for (const struct sql_node *d = c->first; d; d = d->next) {
                struct cat_froms by = {0};
                window(f, sql_node_child(d, SQL_N_WINDOW), scope, &by);
                for (size_t i = 0; i < out->list.n; i++) {
                    bool analytic = false;
                    for (size_t k = 0; k < out->list.v[i].from.list.n; k++) {
                        analytic |= (out->list.v[i].from.list.v[k].how & CAT_HOW_AGGREGATION) != 0;
                    }
                    if (analytic) {
                        flow_pass(f, &out->list.v[i].from, &by, CAT_HOW_WINDOW);
                    }
                }
            }
            break;
        default:
            break;
        }
    }
    return out;
}

static struct cat_columns *body_of(struct cat_flow *f, const struct sql_node *n,
                                   const struct flow_scope *outer, const struct flow_ctes *ctes,
                                   struct flow_scope *scope);

/* Chains of UNION lean to the left: they are walked, not copied at every step. */
static struct cat_columns *set_op(struct cat_flow *f, const struct sql_node *n,
                                  const struct flow_scope *outer, const struct flow_ctes *ctes)
{
    struct flow_scope other;
    SL_VEC(const struct sql_node *) chain = {0};
    while (n->kind == SQL_N_SET_OP && n->first) {
        sl_vec_push(f->a, &chain, n);
        n = n->first;
    }
    struct cat_columns *out = flow_copy(f, body_of(f, n, outer, ctes, &other));
    for (size_t i = 0; i < out->list.n; i++) {
        struct cat_froms own = {0};
        flow_pass(f, &own, &out->list.v[i].from, CAT_HOW_IDENTITY);
        out->list.v[i].from = own;
    }
    for (size_t at = chain.n; at-- > 0;) {
        const struct sql_node *right = chain.v[at]->first->next;
        const struct cat_columns *r = right ? body_of(f, right, outer, ctes, &other) : out;
        bool adds = (chain.v[at]->op & SQL_OP_TOKEN) == TK_UNION;
        for (size_t i = 0; right && i < r->list.n; i++) {
            if (!adds) {
                flow_pass(f, &out->rows, &r->list.v[i].from, CAT_HOW_FILTER);
            } else if (i < out->list.n) {
                flow_pass(f, &out->list.v[i].from, &r->list.v[i].from, CAT_HOW_IDENTITY);
            }
        }
        if (right) {
            flow_pass(f, &out->rows, &r->rows, CAT_HOW_IDENTITY);
            flow_pass(f, &out->rest, &r->rest, CAT_HOW_IDENTITY);
            out->open |= adds && r->open;
        }
    }
    return out;
}

static struct cat_columns *body_of(struct cat_flow *f, const struct sql_node *n,
                                   const struct flow_scope *outer, const struct flow_ctes *ctes,
                                   struct flow_scope *scope)
{
    const struct cat_object *o;
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_SELECT:
        return select_of(f, n, outer, ctes, scope);
    case SQL_N_SET_OP:
        return set_op(f, n, outer, ctes);
    case SQL_N_QUERY:
        return flow_query(f, n, outer, ctes);
    case SQL_N_SUBQUERY:
        return n->first ? body_of(f, n->first, outer, ctes, scope) : fresh_open(f);
    case SQL_N_EXPLICIT_TABLE:
        return flow_copy(f, table_of(f, n->first, ctes, &o));
    case SQL_N_VALUES: {
        struct cat_columns *out = sl_new(f->a, struct cat_columns);
        struct flow_scope own = {.outer = outer, .ctes = ctes, .rows = &out->rows};
        size_t columns = n->first && n->first->kind == SQL_N_ROW ? sql_node_count(n->first) : 1;
        for (size_t i = 0; i < columns; i++) {
            flow_add_column(f, out, sl_arena_printf(f->a, "EXPR$%zu", i));
        }
        for (const struct sql_node *row = n->first; row; row = row->next) {
            size_t i = 0;
            const struct sql_node *e = row->kind == SQL_N_ROW ? row->first : row;
            for (; e && i < out->list.n; e = row->kind == SQL_N_ROW ? e->next : NULL, i++) {
                flow_expr(f, e, &own, CAT_HOW_IDENTITY, &out->list.v[i].from);
            }
        }
        return out;
    }
    default:
        return fresh_open(f);
    }
}

static void add_ctes(struct cat_flow *f, const struct sql_node *with, struct flow_ctes *own)
{
    for (const struct sql_node *cte = with ? with->first : NULL; cte; cte = cte->next) {
        const struct sql_node *sub = sql_node_child(cte, SQL_N_SUBQUERY), *ident = cte->first;
        sl_str name = ident ? flow_ident(f, ident) : SL_STR_NONE;
        size_t at = own->own.list.n;
        if (with->op & 1) {
            sl_vec_push(f->a, &own->own.list, ((struct cat_in_scope){name, NULL, fresh_open(f)}));
        }
        struct cat_columns *c = sub ? flow_query(f, sub, NULL, own) : fresh_open(f);
        c = flow_renamed(f, c, sql_node_child(cte, SQL_N_NAMES));
        if (at == own->own.list.n) {
            sl_vec_push(f->a, &own->own.list, ((struct cat_in_scope){name, NULL, c}));
        }
        own->own.list.v[at].columns = c;
        if (ident) {
            flow_saw(f, CAT_REF_CTE, ident, name)->columns = c;
        }
    }
}

struct cat_columns *flow_query(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *outer,
                               const struct flow_ctes *ctes)
{
    struct flow_scope scope = {.outer = outer, .ctes = ctes};
    if (!n) {
        return fresh_open(f);
    }
    if (n->kind != SQL_N_QUERY) {
        return body_of(f, n, outer, ctes, &scope);
    }
    struct flow_ctes *own = sl_new(f->a, struct flow_ctes);
    own->outer = ctes;
    add_ctes(f, sql_node_child(n, SQL_N_WITH), own);
    struct cat_columns *out = NULL;
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind == SQL_N_ORDER_BY) {
            if (out) {
                scope.aliases = out;
                order_items(f, c, &scope, CAT_HOW_SORT, &out->rows);
            }
        } else if (c->kind != SQL_N_WITH && c->kind != SQL_N_LIMIT) {
            out = body_of(f, c, outer, own, &scope);
        }
    }
    return out ? out : fresh_open(f);
}
