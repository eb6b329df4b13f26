/* SPDX-License-Identifier: Apache-2.0
 * The tables of a script: what its statements create, change, drop and use, in their order. */
#include "catalog/scope.h"

#include "catalog/relation.h"
#include "sqlparse/token.h"

#define DEFAULT_CATALOG  SL_STR("default_catalog")
#define DEFAULT_DATABASE SL_STR("default_database")

/* A name's three parts, from a NAME node or from what the splitter read. */
struct parts {
    sl_str catalog, database, name;
    bool known; /* in the default catalog */
};

static struct parts parts_of(const struct cat_walk *w, const sl_str *ident, size_t n)
{
    struct parts p = {.catalog = w->catalog, .database = w->database};
    if (n == 0 || n > 3) {
        return p;
    }
    p.name = ident[n - 1];
    p.database = n > 1 ? ident[n - 2] : p.database;
    p.catalog = n > 2 ? ident[0] : p.catalog;
    p.known = sl_str_eq(p.catalog, DEFAULT_CATALOG) && p.database.n;
    return p;
}

static struct parts parts_of_node(const struct cat_walk *w, const struct sql_node *name)
{
    sl_str ident[4];
    size_t n = 0;
    for (const struct sql_node *c = name->first; c && n < SL_ARRAY_LEN(ident); c = c->next) {
        ident[n++] = cat_ident(w, c);
    }
    return parts_of(w, ident, n);
}

/* From `a`.b as written. */
static struct parts parts_of_text(const struct cat_walk *w, sl_str text)
{
    sl_str ident[4];
    size_t n = 0;
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, text, w->s->flink, false);
    while (sql_lex_next(&lx, &t) && n < SL_ARRAY_LEN(ident)) {
        if (t.kind != TK_DOT) {
            ident[n++] = sql_unquote(w->a, sql_token_text(&lx, &t));
        }
    }
    return parts_of(w, ident, n);
}

static uint32_t hash_of(sl_str name)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < name.n; i++) {
        h = (h ^ (unsigned char)name.p[i]) * 16777619u;
    }
    return h;
}

static struct cat_table *find(const struct cat_walk *w, const struct parts *p)
{
    uint32_t h = hash_of(p->name);
    uint32_t at = w->n_buckets ? w->buckets[h & (w->n_buckets - 1)] : 0;
    while (at) {
        struct cat_table *t = &w->tables.v[at - 1];
        if (t->hash == h && sl_str_eq(t->name, p->name) && sl_str_eq(t->database, p->database)) {
            return t;
        }
        at = t->older;
    }
    return NULL;
}

static void put_in_bucket(struct cat_walk *w, size_t i)
{
    struct cat_table *t = &w->tables.v[i];
    uint32_t *bucket = &w->buckets[t->hash & (w->n_buckets - 1)];
    t->older = *bucket;
    *bucket = (uint32_t)i + 1;
}

static void add_table(struct cat_walk *w, const struct parts *p, const struct cat_relation *rel)
{
    struct cat_table *t = sl_vec_add(w->a, &w->tables);
    *t = (struct cat_table){p->catalog, p->database, p->name, rel, hash_of(p->name), 0};
    if (w->tables.n <= w->n_buckets) {
        put_in_bucket(w, w->tables.n - 1);
        return;
    }
    w->n_buckets = w->n_buckets ? w->n_buckets * 2 : 64;
    w->buckets = sl_new_n(w->a, uint32_t, w->n_buckets);
    for (size_t i = 0; i < w->tables.n; i++) {
        put_in_bucket(w, i);
    }
}

const struct cat_relation *cat_find_table(const struct cat_walk *w, const struct sql_node *name)
{
    struct parts p = parts_of_node(w, name);
    if (!p.known) {
        return &cat_open_relation;
    }
    const struct cat_table *t = find(w, &p);
    if (t) {
        return t->rel;
    }
    for (size_t i = 0; i < w->maybe.n; i++) {
        if (sl_str_eq(w->maybe.v[i], p.name)) {
            return &cat_open_relation;
        }
    }
    return NULL;
}

static void declare(struct cat_walk *w, const struct parts *p, const struct cat_relation *rel)
{
    if (!p->known) {
        return;
    }
    struct cat_table *t = find(w, p);
    if (t) {
        /* twice: IF NOT EXISTS, or a temporary one in front of another; either may be meant */
        t->rel = t->rel ? &cat_open_relation : rel;
        return;
    }
    add_table(w, p, rel);
}

static sl_str name_of(const struct cat_walk *w, const struct sql_node *column)
{
    const struct sql_node *n = column->first;
    if (n && n->kind == SQL_N_NAME) {
        n = n->last;
    }
    return n && n->kind == SQL_N_IDENT ? cat_ident(w, n) : SL_STR_NONE;
}

static bool is_column(const struct sql_node *n)
{
    return n->kind == SQL_N_COLUMN || n->kind == SQL_N_METADATA || n->kind == SQL_N_COMPUTED;
}

/* Columns named in PRIMARY KEY, PARTITIONED BY, DISTRIBUTED BY, INSERT INTO. Missed once, a column is there
 * from then on. */
static void check_names(struct cat_walk *w, const struct sql_node *names, struct cat_relation *rel,
                        sl_str table)
{
    for (const struct sql_node *c = names ? names->first : NULL; c; c = c->next) {
        const struct sql_node *ident = c->kind == SQL_N_NAME ? c->last : c;
        if (ident && ident->kind == SQL_N_IDENT && !cat_has_column(rel, cat_ident(w, ident))) {
            cat_say_column(w, ident, cat_ident(w, ident), table, NULL, rel);
            cat_add_column(w, rel, cat_ident(w, ident));
        }
    }
}

static void check_declarations(struct cat_walk *w, const struct sql_node *create,
                               const struct sql_node *columns, struct cat_relation *rel, sl_str table)
{
    struct cat_scope scope = {0};
    struct cat_named *self = sl_vec_add(w->a, &scope.from);
    *self = (struct cat_named){table, rel};
    for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
        if (c->kind == SQL_N_COMPUTED && c->first) {
            cat_expression(w, c->first->next, &scope, NULL);
        } else if (c->kind == SQL_N_WATERMARK && c->first) {
            cat_expression(w, c->first, &scope, NULL);
            sl_str rowtime = name_of(w, c);
            if (rowtime.n && !cat_has_column(rel, rowtime)) {
                cat_add_column(w, rel, rowtime);
            }
            cat_expression(w, c->first->next, &scope, NULL);
        } else if (c->kind == SQL_N_CONSTRAINT) {
            check_names(w, sql_node_child(c, SQL_N_NAMES), rel, table);
        }
    }
    const struct sql_node *partitioned = sql_node_child(create, SQL_N_PARTITIONED);
    const struct sql_node *distribution = sql_node_child(create, SQL_N_DISTRIBUTION);
    check_names(w, partitioned ? sql_node_child(partitioned, SQL_N_NAMES) : NULL, rel, table);
    check_names(w, distribution ? sql_node_child(distribution, SQL_N_NAMES) : NULL, rel, table);
}

static const struct cat_relation *columns_of(struct cat_walk *w, const struct sql_node *create, sl_str table)
{
    struct cat_relation *rel = sl_new(w->a, struct cat_relation);
    const struct sql_node *like = sql_node_child(create, SQL_N_TABLE_LIKE);
    const struct sql_node *as = sql_node_child(create, SQL_N_AS_QUERY);
    const struct sql_node *columns = sql_node_child(create, SQL_N_COLUMNS);
    if (like) {
        const struct sql_node *name = sql_node_child(like, SQL_N_NAME);
        const struct cat_relation *base = name ? cat_find_table(w, name) : NULL;
        if (name && !base) {
            cat_say_table(w, name);
        }
        rel->open = !base || base->open || sql_node_child(like, SQL_N_LIKE_OPTION);
        for (size_t i = 0; base && i < base->columns.n; i++) {
            cat_add_column(w, rel, base->columns.v[i]);
        }
    }
    for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
        sl_str name = is_column(c) ? name_of(w, c) : SL_STR_NONE;
        if (!name.n) {
            continue;
        }
        if (!like && cat_has_column(rel, name)) {
            struct sql_diag *d = sql_diag_add(w->s, SL_COLUMN_DUPLICATE, SQL_ERROR, w->st->number,
                                              sql_stmt_pos(w->s, w->st, c->first->off, c->first->len),
                                              "table '%.*s' has two columns '%.*s'", SL_S(table), SL_S(name));
            if (d) {
                d->hint = SL_STR("name or drop one of them");
            }
            continue;
        }
        cat_add_column(w, rel, name);
        rel->insertable += c->kind == SQL_N_COLUMN || (c->kind == SQL_N_METADATA && !(c->op & 1));
    }
    rel->insertable = like || as ? 0 : rel->insertable;
    if (as) {
        const struct cat_relation *q = cat_query(w, as->first, NULL, NULL);
        rel->open |= q->open || sql_node_child(create, SQL_N_NAMES);
        for (size_t i = 0; i < q->columns.n; i++) {
            if (!cat_has_column(rel, q->columns.v[i])) {
                cat_add_column(w, rel, q->columns.v[i]);
            }
        }
    }
    if (!rel->open) {
        check_declarations(w, create, columns, rel, table);
    }
    return rel;
}

static const struct cat_relation *view_columns(struct cat_walk *w, const struct sql_node *create)
{
    const struct sql_node *as = sql_node_child(create, SQL_N_AS_QUERY);
    const struct sql_node *names = sql_node_child(create, SQL_N_NAMES);
    const struct cat_relation *q = as ? cat_query(w, as->first, NULL, NULL) : &cat_open_relation;
    if (!names) {
        return q;
    }
    struct cat_relation *rel = sl_new(w->a, struct cat_relation);
    for (const struct sql_node *c = names->first; c; c = c->next) {
        cat_add_column(w, rel, cat_ident(w, c->kind == SQL_N_NAME && c->last ? c->last : c));
    }
    return rel;
}

static void check_insert(struct cat_walk *w, const struct sql_node *insert)
{
    const struct sql_node *name = sql_node_child(insert, SQL_N_NAME);
    const struct cat_relation *rel = name ? cat_find_table(w, name) : &cat_open_relation;
    if (!rel) {
        cat_say_table(w, name);
        rel = &cat_open_relation;
    }
    const struct sql_node *names = sql_node_child(insert, SQL_N_NAMES);
    if (!rel->open && names) {
        struct cat_relation known = *rel;
        check_names(w, names, &known, sql_node_text(name, w->st->sql));
    }
    const struct cat_relation *q = cat_query(w, sql_node_child(insert, SQL_N_QUERY), NULL, NULL);
    size_t takes = names ? sql_node_count(names) : rel->insertable;
    if (takes && name && !q->open && !q->inexact && q->columns.n != takes &&
        !sql_node_child(insert, SQL_N_PARTITION_SPEC)) {
        struct sql_diag *d = sql_diag_add(
            w->s, SL_COLUMN_COUNT, SQL_ERROR, w->st->number,
            sql_stmt_pos(w->s, w->st, names ? names->off : name->off, names ? names->len : name->len),
            "the query gives %zu column%s, '%.*s' takes %zu", q->columns.n, q->columns.n == 1 ? "" : "s",
            SL_S(sql_node_text(name, w->st->sql)), takes);
        if (d) {
            d->hint = SL_STR(
                "give as many values as columns, or name the columns:  INSERT INTO t (a, b) SELECT ...");
        }
    }
}

/* UPDATE t SET a = 1 WHERE ..., DELETE FROM t WHERE ... */
static void check_change(struct cat_walk *w, const struct sql_node *n)
{
    const struct sql_node *name = sql_node_child(n, SQL_N_NAME), *alias = sql_node_child(n, SQL_N_ALIAS);
    const struct cat_relation *rel = name ? cat_find_table(w, name) : &cat_open_relation;
    if (!rel) {
        cat_say_table(w, name);
        return;
    }
    struct cat_scope scope = {0};
    struct cat_named *self = sl_vec_add(w->a, &scope.from);
    self->rel = rel;
    self->name = alias && alias->first ? cat_ident(w, alias->first)
                 : name && name->last  ? cat_ident(w, name->last)
                                       : SL_STR_NONE;
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind == SQL_N_ASSIGN || c->kind == SQL_N_WHERE) {
            cat_expression(w, c, &scope, NULL);
        }
    }
}

/* A statement's tree: queries and INSERTs wherever they stand. */
static void check_tree(struct cat_walk *w, const struct sql_node *n)
{
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_QUERY:
    case SQL_N_SELECT:
    case SQL_N_SET_OP:
    case SQL_N_VALUES:
        (void)cat_query(w, n, NULL, NULL);
        return;
    case SQL_N_INSERT:
        check_insert(w, n);
        return;
    case SQL_N_UPDATE:
    case SQL_N_DELETE:
        check_change(w, n);
        return;
    case SQL_N_EXPLAIN:
    case SQL_N_EXECUTE:
    case SQL_N_COMPILE:
        for (const struct sql_node *c = n->first; c; c = c->next) {
            check_tree(w, c);
        }
        return;
    default:
        return;
    }
}

/* What nobody could read may have created anything it names. */
static void remember_names(struct cat_walk *w, sl_str sql)
{
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, sql, w->s->flink, false);
    while (sql_lex_next(&lx, &t)) {
        if (t.kind == TK_IDENT || t.kind == TK_QUOTED_IDENT || t.word) {
            sl_vec_push(w->a, &w->maybe, sql_unquote(w->a, sql_token_text(&lx, &t)));
        }
    }
}

static void use(struct cat_walk *w, const struct sql_stmt *st)
{
    struct parts p = parts_of_text(w, st->object);
    if (st->bad || !p.name.n) {
        w->catalog = SL_STR_NONE;
    } else if (st->kind == SQL_KIND_USE_CATALOG) {
        w->catalog = p.name;
        w->database = sl_str_eq(p.name, DEFAULT_CATALOG) ? DEFAULT_DATABASE : SL_STR_NONE;
    } else {
        sl_str two[3];
        size_t n = 0;
        struct sql_lexer lx;
        struct sql_token t;
        sql_lex_init(&lx, st->object, w->s->flink, false);
        while (sql_lex_next(&lx, &t) && n < 3) {
            if (t.kind != TK_DOT) {
                two[n++] = sql_unquote(w->a, sql_token_text(&lx, &t));
            }
        }
        w->catalog = n == 2 ? two[0] : w->catalog;
        w->database = n ? two[n - 1] : w->database;
    }
}

static void check_statement(struct cat_walk *w, const struct sql_stmt *st)
{
    w->st = st;
    const struct sql_node *ast = st->ast;
    struct parts p = st->object.n ? parts_of_text(w, st->object) : (struct parts){0};
    switch (st->kind) {
    case SQL_KIND_USE:
    case SQL_KIND_USE_CATALOG:
        use(w, st);
        return;
    case SQL_KIND_CREATE_TABLE:
    case SQL_KIND_CREATE_TABLE_AS:
    case SQL_KIND_REPLACE_TABLE_AS:
        declare(w, &p,
                ast && ast->kind == SQL_N_CREATE_TABLE ? columns_of(w, ast, p.name) : &cat_open_relation);
        return;
    case SQL_KIND_CREATE_VIEW:
        declare(w, &p, ast && ast->kind == SQL_N_CREATE_VIEW ? view_columns(w, ast) : &cat_open_relation);
        return;
    case SQL_KIND_CREATE_MATERIALIZED_TABLE:
        declare(w, &p, &cat_open_relation);
        return;
    case SQL_KIND_DROP_TABLE:
    case SQL_KIND_DROP_VIEW:
    case SQL_KIND_DROP_MATERIALIZED_TABLE: {
        struct cat_table *t = p.known && !st->bad ? find(w, &p) : NULL;
        if (t && t->rel && !t->rel->open) {
            t->rel = NULL;
        }
        return;
    }
    case SQL_KIND_ALTER_TABLE:
    case SQL_KIND_ALTER_VIEW:
    case SQL_KIND_ALTER_MATERIALIZED_TABLE: {
        struct cat_table *t = p.known ? find(w, &p) : NULL;
        if (t) {
            t->rel = &cat_open_relation;
        }
        remember_names(w, st->sql); /* RENAME TO */
        return;
    }
    case SQL_KIND_UNKNOWN:
    case SQL_KIND_CALL:
        remember_names(w, st->sql);
        return;
    default:
        break;
    }
    if (st->n_inner) {
        for (size_t i = 0; i < st->n_inner; i++) {
            w->st = &st->inner[i];
            if (w->st->ast) {
                check_tree(w, w->st->ast);
            }
        }
    } else if (ast) {
        check_tree(w, ast);
    }
}

void cat_scope_check(struct sql_script *s)
{
    struct cat_walk w = {.s = s, .a = s->arena, .catalog = DEFAULT_CATALOG, .database = DEFAULT_DATABASE};
    for (size_t i = 0; i < s->stmts.n; i++) {
        check_statement(&w, &s->stmts.v[i]);
    }
}
