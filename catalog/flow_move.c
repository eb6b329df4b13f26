/* SPDX-License-Identifier: Apache-2.0
 * Statements: what each reads and writes, what is named in it, and pieces of text read as if they stood in
 * one. */
#include "catalog/flow_impl.h"
#include "sqlparse/parse.h"

/* Tables below the views that were read, each once. */
static void add_inputs(struct cat_flow *f, struct cat_movement *m, const struct cat_object *o)
{
    union {
        const struct cat_object *given;
        struct cat_object *own;
    } u = {o};
    if (u.own->mark == f->stamp) {
        return;
    }
    u.own->mark = f->stamp;
    (void)cat_flow_columns(f, o);
    if (o->kind != CAT_VIEW) {
        sl_vec_push(f->a, &m->inputs, o);
        return;
    }
    for (size_t i = 0; i < o->reads.n; i++) {
        add_inputs(f, m, o->reads.v[i].object);
    }
    if (o->before && o->stmt && o->stmt->kind == SQL_KIND_ALTER_VIEW && !o->reads.n) {
        add_inputs(f, m, o->before); /* renamed: it reads what it read */
    }
}

static void finish(struct cat_flow *f, struct cat_movement *m, cat_movement_fn fn, void *ctx)
{
    f->moving = NULL;
    f->stamp++;
    for (size_t i = 0; i < m->reads.n; i++) {
        add_inputs(f, m, m->reads.v[i].object);
    }
    if (fn) {
        fn(ctx, m);
    }
}

static void start(struct cat_flow *f, struct cat_movement *m, const struct sql_stmt *st)
{
    *m = (struct cat_movement){.stmt = st};
    f->moving = m;
}

static void take_target(struct cat_flow *f, struct cat_movement *m, const struct sql_node *name,
                        const struct cat_object *o)
{
    m->target = o;
    m->target_off = name ? name->off : 0;
    m->target_len = name ? name->len : 0;
    if (name) {
        flow_saw(f, CAT_REF_TABLE, name, SL_STR_NONE)->object = o;
    }
}

static void take_rows(struct cat_flow *f, struct cat_movement *m, const struct cat_columns *q)
{
    flow_pass(f, &m->rows, &q->rows, CAT_HOW_IDENTITY);
    flow_pass(f, &m->rest, &q->rest, CAT_HOW_IDENTITY);
    m->open |= q->open;
}

/* The columns of a query under the names of the target's. */
static void take_columns(struct cat_flow *f, struct cat_movement *m, const struct cat_columns *q,
                         const sl_str *names, size_t n, const struct cat_columns *target)
{
    for (size_t i = 0; i < q->list.n; i++) {
        struct cat_target_column *c = sl_vec_add(f->a, &m->columns);
        /* behind a * of unknown columns nobody knows the position */
        c->name = i < n && !q->open ? names[i] : SL_STR_NONE;
        c->as = q->list.v[i].name;
        c->type = q->list.v[i].type;
        c->from = &q->list.v[i].from;
        const struct cat_column *t = target && c->name.n ? flow_column(target, c->name) : NULL;
        c->type = t && t->type.n ? t->type : c->type;
    }
    take_rows(f, m, q);
}

static void move_insert(struct cat_flow *f, const struct sql_stmt *st, const struct sql_node *n,
                        cat_movement_fn fn, void *ctx)
{
    struct cat_movement m;
    SL_VEC(sl_str) names = {0};
    const struct sql_node *name = sql_node_child(n, SQL_N_NAME), *list = sql_node_child(n, SQL_N_NAMES);
    const struct sql_node *spec = sql_node_child(n, SQL_N_PARTITION_SPEC),
                          *query = sql_node_child(n, SQL_N_QUERY);
    query = query ? query : sql_node_child(n, SQL_N_SUBQUERY);
    start(f, &m, st);
    const struct cat_object *o = name ? flow_object(f, name) : NULL;
    const struct cat_columns *target = o ? cat_flow_columns(f, o) : NULL;
    take_target(f, &m, name, o);
    for (const struct sql_node *c = list ? list->first : NULL; c; c = c->next) {
        const struct sql_node *ident = c->kind == SQL_N_NAME ? sql_last(c) : c;
        sl_str column = ident && ident->kind == SQL_N_IDENT ? flow_ident(f, ident) : SL_STR_NONE;
        struct cat_ref *ref = flow_saw(f, CAT_REF_COLUMN, c, column);
        ref->object = o;
        ref->column = target ? flow_column(target, column) : NULL;
        sl_vec_push(f->a, &names, column);
    }
    for (size_t i = 0; !list && target && !target->open && i < target->list.n; i++) {
        const struct cat_column *c = &target->list.v[i];
        bool fixed = false;
        for (const struct sql_node *p = spec ? spec->first : NULL; p; p = p->next) {
            fixed |= p->first && sl_str_eq(flow_ident(f, p->first), c->name);
        }
        if (!fixed && (c->kind == CAT_PHYSICAL || c->kind == CAT_METADATA || c->kind == CAT_RESULT)) {
            sl_vec_push(f->a, &names, c->name);
        }
    }
    if (query) {
        take_columns(f, &m, flow_query(f, query, NULL, NULL), names.v, names.n, target);
    }
    finish(f, &m, fn, ctx);
}

static void move_created(struct cat_flow *f, const struct sql_stmt *st, const struct sql_node *n,
                         cat_movement_fn fn, void *ctx)
{
    struct cat_movement m;
    SL_VEC(sl_str) names = {0};
    const struct sql_node *as = sql_node_child(n, SQL_N_AS_QUERY), *name = sql_node_child(n, SQL_N_NAME);
    const struct sql_node *list = sql_node_child(n, SQL_N_NAMES);
    if (!as || !as->first || !name) {
        return;
    }
    sl_str ident[3];
    size_t parts = flow_parts(f, name, ident, 3);
    const struct cat_object *o = parts ? cat_flow_find(f, st->number + 1, ident, parts) : NULL;
    const struct cat_columns *target = o ? cat_flow_columns(f, o) : NULL;
    start(f, &m, st);
    take_target(f, &m, name, o);
    struct cat_columns *q = flow_query(f, as->first, NULL, NULL);
    size_t i = 0;
    for (const struct sql_node *c = list ? list->first : NULL; c; c = c->next, i++) {
        const struct sql_node *column = c->kind == SQL_N_NAME ? sql_last(c) : c;
        sl_vec_push(f->a, &names,
                    column && column->kind == SQL_N_IDENT ? flow_ident(f, column) : SL_STR_NONE);
    }
    for (; i < q->list.n; i++) {
        sl_vec_push(f->a, &names, q->list.v[i].name);
    }
    take_columns(f, &m, q, names.v, names.n, target);
    finish(f, &m, fn, ctx);
}

static void move_query(struct cat_flow *f, const struct sql_stmt *st, const struct sql_node *n,
                       cat_movement_fn fn, void *ctx)
{
    struct cat_movement m;
    start(f, &m, st);
    const struct cat_columns *q = flow_query(f, n, NULL, NULL);
    SL_VEC(sl_str) names = {0};
    for (size_t i = 0; i < q->list.n; i++) {
        sl_vec_push(f->a, &names, q->list.v[i].name);
    }
    take_columns(f, &m, q, names.v, names.n, NULL);
    finish(f, &m, fn, ctx);
}

/* UPDATE, DELETE: rows of the target itself decide. */
static void move_change(struct cat_flow *f, const struct sql_stmt *st, const struct sql_node *n,
                        cat_movement_fn fn, void *ctx)
{
    struct cat_movement m;
    struct flow_scope scope = {.rows = &m.rows};
    const struct sql_node *name = sql_node_child(n, SQL_N_NAME), *alias = sql_node_child(n, SQL_N_ALIAS);
    const struct cat_object *o = name ? flow_object(f, name) : NULL;
    if (!o) {
        return;
    }
    start(f, &m, st);
    take_target(f, &m, name, o);
    flow_saw_read(f, o, name);
    sl_vec_push(f->a, &scope.from.list,
                ((struct cat_in_scope){alias && alias->first ? flow_ident(f, alias->first) : o->name, o,
                                       cat_flow_columns(f, o)}));
    if (n->kind == SQL_N_MERGE) {
        for (const struct sql_node *c = n->first; c; c = c->next) {
            if (c->kind == SQL_N_TABLE || c->kind == SQL_N_DERIVED || c->kind == SQL_N_JOIN ||
                c->kind == SQL_N_TABLE_FUNCTION || c->kind == SQL_N_NESTED) {
                flow_add_source(f, c, &scope);
            }
        }
    }
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind == SQL_N_ASSIGN && c->first) {
            const struct sql_node *ident = c->first->kind == SQL_N_NAME ? sql_last(c->first) : c->first;
            struct cat_froms *from = sl_new(f->a, struct cat_froms);
            flow_expr(f, c->first->next, &scope, CAT_HOW_IDENTITY, from);
            struct cat_target_column *t = sl_vec_add(f->a, &m.columns);
            t->name = t->as = ident && ident->kind == SQL_N_IDENT ? flow_ident(f, ident) : SL_STR_NONE;
            t->from = from;
            const struct cat_column *column = flow_column(scope.from.list.v[0].columns, t->name);
            t->type = column ? column->type : SL_STR_NONE;
            struct cat_ref *ref = flow_saw(f, CAT_REF_COLUMN, c->first, t->name);
            ref->object = o;
            ref->column = column;
        } else if (c->kind == SQL_N_WHERE) {
            flow_expr(f, c->first, &scope, CAT_HOW_FILTER, &m.rows);
        } else if (c->kind == SQL_N_ON) {
            flow_expr(f, c->first, &scope, CAT_HOW_JOIN, &m.rows);
        } else if (c->kind == SQL_N_MERGE_WHEN) {
            struct cat_froms *from = sl_new(f->a, struct cat_froms);
            const struct sql_node *values = sql_last(c);
            flow_expr(f, values, &scope, CAT_HOW_TRANSFORMATION, from);
            flow_pass(f, &m.rest, from, CAT_HOW_IDENTITY);
            m.open = true;
        }
    }
    finish(f, &m, fn, ctx);
}

static void move_tree(struct cat_flow *f, const struct sql_stmt *st, const struct sql_node *n,
                      cat_movement_fn fn, void *ctx)
{
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_QUERY:
    case SQL_N_SELECT:
    case SQL_N_SET_OP:
    case SQL_N_VALUES:
    case SQL_N_SUBQUERY:
        move_query(f, st, n, fn, ctx);
        return;
    case SQL_N_INSERT:
        move_insert(f, st, n, fn, ctx);
        return;
    case SQL_N_CREATE_TABLE:
    case SQL_N_CREATE_VIEW:
    case SQL_N_CREATE_MATERIALIZED_TABLE:
        move_created(f, st, n, fn, ctx);
        return;
    case SQL_N_UPDATE:
    case SQL_N_DELETE:
    case SQL_N_MERGE:
        move_change(f, st, n, fn, ctx);
        return;
    case SQL_N_EXECUTE:
    case SQL_N_COMPILE:
    case SQL_N_STATEMENT_SET:
        for (const struct sql_node *c = n->first; c; c = c->next) {
            move_tree(f, st, c, fn, ctx);
        }
        return;
    default:
        return;
    }
}

static void in_statement(struct cat_flow *f, const struct sql_stmt *st, cat_movement_fn fn, void *ctx)
{
    const struct sql_node *ast = cat_flow_tree(f, st);
    if (ast) {
        struct flow_place was = f->place;
        f->place = (struct flow_place){st->sql, st->number, st};
        move_tree(f, st, ast, fn, ctx);
        f->place = was;
        f->moving = NULL;
    }
}

void cat_flow_movements(struct cat_flow *f, const struct sql_stmt *st, cat_movement_fn fn, void *ctx)
{
    for (size_t i = 0; i < st->n_inner; i++) {
        in_statement(f, &st->inner[i], fn, ctx);
    }
    if (!st->n_inner) {
        in_statement(f, st, fn, ctx);
    }
}

/* ------------------------------------------------------------------ what is named */

static void refs_of_tree(struct cat_flow *f, const struct sql_stmt *st, const struct sql_node *n)
{
    const struct sql_node *name = sql_node_child(n, SQL_N_NAME);
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_CREATE_TABLE:
    case SQL_N_CREATE_MATERIALIZED_TABLE:
    case SQL_N_CREATE_VIEW:
    case SQL_N_ALTER_TABLE:
    case SQL_N_ALTER_MATERIALIZED_TABLE: {
        sl_str ident[3];
        size_t parts = name ? flow_parts(f, name, ident, 3) : 0;
        const struct cat_object *o = parts ? cat_flow_find(f, st->number + 1, ident, parts) : NULL;
        if (!o) {
            return;
        }
        const struct cat_columns *columns = cat_flow_columns(f, o);
        flow_saw(f, CAT_REF_TABLE, name, SL_STR_NONE)->object = o;
        size_t before = f->refs->list.n;
        flow_read_again(f, o, n);
        for (size_t i = before; i < f->refs->list.n; i++) {
            struct cat_ref *r = &f->refs->list.v[i];
            if (r->kind == CAT_REF_COLUMN && !r->column && r->object == o) {
                r->column = flow_column(columns, r->name);
            }
        }
        return;
    }
    case SQL_N_EXPLAIN:
    case SQL_N_DESCRIBE:
    case SQL_N_EXECUTE:
    case SQL_N_COMPILE:
        for (const struct sql_node *c = n->first; c; c = c->next) {
            if (c->kind == SQL_N_NAME && n->kind == SQL_N_DESCRIBE && !n->op) {
                flow_saw(f, CAT_REF_TABLE, c, SL_STR_NONE)->object = flow_object(f, c);
            } else if (c->kind != SQL_N_NAME) {
                refs_of_tree(f, st, c);
            }
        }
        return;
    case SQL_N_DROP:
    case SQL_N_TRUNCATE:
    case SQL_N_ANALYZE:
    case SQL_N_SHOW: {
        unsigned what = n->op & SQL_OP_TOKEN;
        bool table = n->kind == SQL_N_DROP ? what == TK_TABLE || what == TK_VIEW || what == TK_MATERIALIZED
                     : n->kind == SQL_N_SHOW
                         ? what == TK_CREATE || what == TK_COLUMNS || what == TK_PARTITIONS
                         : true;
        if (name && table) {
            flow_saw(f, CAT_REF_TABLE, name, SL_STR_NONE)->object = flow_object(f, name);
        }
        return;
    }
    default:
        move_tree(f, st, n, NULL, NULL);
        return;
    }
}

static void refs_in(struct cat_flow *f, const struct sql_stmt *st)
{
    const struct sql_node *ast = cat_flow_tree(f, st);
    if (ast) {
        f->place = (struct flow_place){st->sql, st->number, st};
        refs_of_tree(f, st, ast);
    }
}

void cat_flow_refs(struct cat_flow *f, const struct sql_stmt *st, struct cat_refs *ret)
{
    struct flow_place was = f->place;
    *ret = (struct cat_refs){0};
    f->refs = ret;
    for (size_t i = 0; i < st->n_inner; i++) {
        refs_in(f, &st->inner[i]);
    }
    if (!st->n_inner) {
        refs_in(f, st);
    }
    f->refs = NULL;
    f->moving = NULL;
    f->place = was;
}

/* ------------------------------------------------------------------ pieces of text */

static const struct sql_node *select_in(struct cat_flow *f, sl_str text)
{
    const struct sql_node *ast = NULL;
    struct sql_fault fault;
    if (!sql_parse_text(f->a, text, f->s->flink, &ast, &fault)) {
        return NULL;
    }
    return ast;
}

static void ctes_of(const struct cat_in_scopes *given, struct flow_ctes *own)
{
    *own = (struct flow_ctes){0};
    if (given) {
        own->own = *given;
    }
}

bool cat_flow_from_text(struct cat_flow *f, uint32_t at, sl_str item, const struct cat_in_scopes *ctes,
                        struct cat_in_scopes *ret)
{
    sl_str text = sl_arena_printf(f->a, "SELECT * FROM %.*s", SL_S(item));
    const struct sql_node *ast = select_in(f, text);
    const struct sql_node *select = ast ? sql_node_child(ast, SQL_N_SELECT) : NULL;
    const struct sql_node *from = select ? sql_node_child(select, SQL_N_FROM) : NULL;
    if (!from || !from->first) {
        return false;
    }
    struct flow_place was = f->place;
    struct flow_ctes *own = sl_new(f->a, struct flow_ctes);
    ctes_of(ctes, own);
    struct flow_scope scope = {.ctes = own, .from = *ret};
    f->place = (struct flow_place){text, at, NULL};
    flow_add_source(f, from->first, &scope);
    f->place = was;
    *ret = scope.from;
    return true;
}

const struct cat_columns *cat_flow_query_text(struct cat_flow *f, uint32_t at, sl_str query,
                                              const struct cat_in_scopes *ctes)
{
    const struct sql_node *ast = select_in(f, query);
    if (!ast || (ast->kind != SQL_N_QUERY && ast->kind != SQL_N_SUBQUERY)) {
        return NULL;
    }
    struct flow_place was = f->place;
    struct flow_ctes *own = sl_new(f->a, struct flow_ctes);
    ctes_of(ctes, own);
    f->place = (struct flow_place){query, at, NULL};
    const struct cat_columns *c = flow_query(f, ast, NULL, own);
    f->place = was;
    return c;
}
