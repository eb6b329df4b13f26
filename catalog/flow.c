/* SPDX-License-Identifier: Apache-2.0
 * The tables of a script: registered by name from the heads of its statements, their columns read from the
 * trees when they are asked for. */
#include "catalog/flow.h"

#include "catalog/flow_impl.h"
#include "sqlparse/parse.h"

#define DEFAULT_CATALOG  SL_STR("default_catalog")
#define DEFAULT_DATABASE SL_STR("default_database")

enum { UNREAD, READING, DONE };

static const struct cat_columns open_columns = {.open = true};

/* ------------------------------------------------------------------ small things */

sl_str flow_ident(const struct cat_flow *f, const struct sql_node *ident)
{
    return sql_unquote(f->a, sql_node_text(ident, f->place.sql));
}

size_t flow_parts(const struct cat_flow *f, const struct sql_node *name, sl_str *ident, size_t max)
{
    size_t n = 0;
    if (name->kind == SQL_N_IDENT) {
        ident[n++] = flow_ident(f, name);
        return n;
    }
    for (const struct sql_node *c = name->first; c && n < max; c = c->next) {
        if (c->kind == SQL_N_IDENT) {
            ident[n++] = flow_ident(f, c);
        }
    }
    return n;
}

void flow_add_from(struct cat_flow *f, struct cat_froms *to, const struct cat_object *o, sl_str column,
                   unsigned how)
{
    for (size_t i = 0; i < to->list.n; i++) {
        struct cat_from *at = &to->list.v[i];
        if (at->object == o && sl_str_eq(at->column, column)) {
            at->how = (at->how & how & CAT_HOW_MAYBE) | ((at->how | how) & ~(unsigned)CAT_HOW_MAYBE);
            return;
        }
    }
    sl_vec_push(f->a, &to->list, ((struct cat_from){o, column, how}));
}

void flow_pass(struct cat_flow *f, struct cat_froms *to, const struct cat_froms *from, unsigned how)
{
    for (size_t i = 0; i < from->list.n; i++) {
        const struct cat_from *at = &from->list.v[i];
        unsigned direct = at->how & CAT_HOW_DIRECT, other = at->how & ~(unsigned)CAT_HOW_DIRECT, is = at->how;
        if (!(how & CAT_HOW_DIRECT)) {
            is = how | (at->how & CAT_HOW_MAYBE);
        } else if (direct && (how & CAT_HOW_AGGREGATION)) {
            is = other | CAT_HOW_AGGREGATION;
        } else if (direct && (how & CAT_HOW_TRANSFORMATION)) {
            is = other | (direct & CAT_HOW_AGGREGATION) |
                 (direct & (CAT_HOW_IDENTITY | CAT_HOW_TRANSFORMATION) ? CAT_HOW_TRANSFORMATION : 0u);
        }
        flow_add_from(f, to, at->object, at->column, is | (how & CAT_HOW_MAYBE));
    }
}

struct cat_column *flow_add_column(struct cat_flow *f, struct cat_columns *to, sl_str name)
{
    struct cat_column *c = sl_vec_add(f->a, &to->list);
    c->name = name;
    c->kind = CAT_RESULT;
    return c;
}

const struct cat_column *flow_column(const struct cat_columns *c, sl_str name)
{
    for (size_t i = 0; i < c->list.n; i++) {
        if (sl_str_eq(c->list.v[i].name, name)) {
            return &c->list.v[i];
        }
    }
    return NULL;
}

struct cat_columns *flow_copy(struct cat_flow *f, const struct cat_columns *c)
{
    struct cat_columns *r = sl_new(f->a, struct cat_columns);
    for (size_t i = 0; i < c->list.n; i++) {
        sl_vec_push(f->a, &r->list, c->list.v[i]);
    }
    r->open = c->open;
    flow_pass(f, &r->rest, &c->rest, CAT_HOW_IDENTITY);
    flow_pass(f, &r->rows, &c->rows, CAT_HOW_IDENTITY);
    return r;
}

sl_str flow_type_text(struct cat_flow *f, const struct sql_node *type)
{
    sl_str text = sql_node_text(type, f->place.sql);
    char *to = sl_arena_strdupz(f->a, text);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool blank = text.p[i] == ' ' || text.p[i] == '\t' || text.p[i] == '\n' || text.p[i] == '\r';
        if (!blank) {
            to[n++] = text.p[i];
        } else if (n && to[n - 1] != ' ') {
            to[n++] = ' ';
        }
    }
    return (sl_str){to, n};
}

struct cat_ref *flow_saw(struct cat_flow *f, enum cat_ref_kind kind, const struct sql_node *at, sl_str name)
{
    static struct cat_ref nobody; /* written to where nobody wants to know */
    if (!f->refs || !f->place.st) {
        nobody = (struct cat_ref){0};
        return &nobody;
    }
    struct cat_ref *r = sl_vec_add(f->a, &f->refs->list);
    r->kind = kind;
    r->stmt = f->place.st;
    r->off = at->off;
    r->len = at->len;
    r->name = name;
    return r;
}

void flow_saw_read(struct cat_flow *f, const struct cat_object *o, const struct sql_node *at)
{
    struct cat_read read = {o, at->off, at->len};
    if (f->reading) {
        sl_vec_push(f->a, &f->reading->reads, read);
    } else if (f->moving) {
        for (size_t i = 0; i < f->moving->reads.n; i++) {
            if (f->moving->reads.v[i].object == o) {
                return;
            }
        }
        sl_vec_push(f->a, &f->moving->reads, read);
    }
}

/* ------------------------------------------------------------------ names */

static size_t bucket_of(const struct cat_flow *f, sl_str catalog, sl_str database, sl_str name)
{
    uint64_t h = sl_str_hash(name) * 31 + sl_str_hash(database) * 7 + sl_str_hash(catalog);
    return (size_t)(h ^ h >> 29) & (f->n_buckets - 1);
}

static struct cat_object *lookup(const struct cat_flow *f, uint32_t at, sl_str catalog, sl_str database,
                                 sl_str name)
{
    struct cat_object *o = f->buckets[bucket_of(f, catalog, database, name)];
    for (; o; o = o->chain) {
        if (o->since < at && sl_str_eq(o->name, name) && sl_str_eq(o->database, database) &&
            sl_str_eq(o->catalog, catalog)) {
            return o;
        }
    }
    return NULL;
}

static struct cat_object *add_object(struct cat_flow *f, sl_str catalog, sl_str database, sl_str name)
{
    struct cat_object *o = sl_new(f->a, struct cat_object);
    size_t b = bucket_of(f, catalog, database, name);
    o->catalog = catalog;
    o->database = database;
    o->name = name;
    o->chain = f->buckets[b];
    f->buckets[b] = o;
    return o;
}

void cat_flow_current(const struct cat_flow *f, uint32_t at, sl_str *ret_catalog, sl_str *ret_database)
{
    size_t low = 0, high = f->uses.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (f->uses.v[mid].number < at) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    *ret_catalog = low ? f->uses.v[low - 1].catalog : DEFAULT_CATALOG;
    *ret_database = low ? f->uses.v[low - 1].database : DEFAULT_DATABASE;
}

static void whole_name(const struct cat_flow *f, uint32_t at, const sl_str *ident, size_t n, sl_str part[3])
{
    cat_flow_current(f, at, &part[0], &part[1]);
    part[2] = ident[n - 1];
    part[1] = n > 1 ? ident[n - 2] : part[1];
    part[0] = n > 2 ? ident[n - 3] : part[0];
}

const struct cat_object *cat_flow_find(struct cat_flow *f, uint32_t at, const sl_str *ident, size_t n)
{
    sl_str part[3];
    SL_BUG_ON(n == 0);
    whole_name(f, at, ident, SL_MIN(n, (size_t)3), part);
    struct cat_object *o = lookup(f, at, part[0], part[1], part[2]);
    if (o && o->kind != CAT_DROPPED) {
        return o;
    }
    /* one that is outside is there from the beginning, behind all others of its name */
    size_t b = bucket_of(f, part[0], part[1], part[2]);
    struct cat_object **end = &f->buckets[b];
    for (; *end; end = &(*end)->chain) {
        if ((*end)->kind == CAT_OUTSIDE && sl_str_eq((*end)->name, part[2]) &&
            sl_str_eq((*end)->database, part[1]) && sl_str_eq((*end)->catalog, part[0])) {
            return *end;
        }
    }
    o = sl_new(f->a, struct cat_object);
    *o = (struct cat_object){.catalog = part[0], .database = part[1], .name = part[2], .kind = CAT_OUTSIDE};
    *end = o;
    sl_vec_push(f->a, &f->objects, o);
    return o;
}

const struct cat_object *flow_object(struct cat_flow *f, const struct sql_node *name)
{
    sl_str ident[4];
    size_t n = flow_parts(f, name, ident, SL_ARRAY_LEN(ident));
    return n ? cat_flow_find(f, f->place.at, ident + (n > 3), n > 3 ? 3 : n) : NULL;
}

static bool plain_word(sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
        if (!letter && !(i && c >= '0' && c <= '9')) {
            return false;
        }
    }
    return s.n > 0;
}

sl_str cat_object_name(struct sl_arena *a, const struct cat_object *o)
{
    sl_str part[3] = {o->catalog, o->database, o->name}, text = SL_STR_NONE;
    for (size_t i = 0; i < 3; i++) {
        if (!part[i].n) {
            continue;
        }
        const char *q = plain_word(part[i]) ? "" : "`";
        text = sl_arena_printf(a, "%.*s%s%s%.*s%s", SL_S(text), text.n ? "." : "", q, SL_S(part[i]), q);
    }
    return text;
}

void cat_flow_each(struct cat_flow *f, uint32_t at, void (*fn)(void *ctx, const struct cat_object *o),
                   void *ctx)
{
    for (size_t i = 0; i < f->objects.n; i++) {
        struct cat_object *o = f->objects.v[i];
        bool now =
            o->kind == CAT_OUTSIDE || (o->since < at && lookup(f, at, o->catalog, o->database, o->name) == o);
        if (now && o->kind != CAT_DROPPED) {
            fn(ctx, o);
        }
    }
}

/* ------------------------------------------------------------------ registering */

static size_t parts_of_text(struct cat_flow *f, sl_str text, sl_str *ident, size_t max)
{
    struct sql_lexer lx;
    struct sql_token t;
    size_t n = 0;
    sql_lex_init(&lx, text, f->s->flink, false);
    while (n < max && sql_lex_next(&lx, &t)) {
        if (t.kind != TK_DOT) {
            ident[n++] = sql_unquote(f->a, sql_token_text(&lx, &t));
        }
    }
    return n;
}

static void use(struct cat_flow *f, const struct sql_stmt *st)
{
    sl_str ident[3];
    struct flow_use u = {.number = st->number};
    size_t n = parts_of_text(f, st->object, ident, 3);
    cat_flow_current(f, st->number, &u.catalog, &u.database);
    if (!n) {
        return;
    }
    if (st->kind == SQL_KIND_USE_CATALOG) {
        u.database = sl_str_eq(ident[0], DEFAULT_CATALOG) ? DEFAULT_DATABASE : SL_STR_NONE;
        u.catalog = ident[0];
    } else {
        u.catalog = n > 1 ? ident[n - 2] : u.catalog;
        u.database = ident[n - 1];
    }
    sl_vec_push(f->a, &f->uses, u);
}

static struct cat_object *create(struct cat_flow *f, const struct sql_stmt *st, const sl_str *ident, size_t n,
                                 enum cat_object_kind kind)
{
    sl_str part[3];
    whole_name(f, st->number, ident, n, part);
    struct cat_object *before = lookup(f, st->number, part[0], part[1], part[2]);
    struct cat_object *o = add_object(f, part[0], part[1], part[2]);
    o->kind = kind;
    o->since = st->number;
    o->stmt = st;
    o->before = before;
    o->temporary = st->temporary;
    sl_vec_push(f->a, &f->objects, o);
    return o;
}

/* ALTER TABLE a RENAME TO b: b is what a was. */
static void rename_object(struct cat_flow *f, const struct sql_stmt *st, const sl_str *ident, size_t n,
                          struct cat_object *old)
{
    const struct sql_node *ast = cat_flow_tree(f, st);
    const struct sql_node *action = ast ? sql_node_child(ast, SQL_N_ACTION) : NULL;
    const struct sql_node *to = action ? sql_node_child(action, SQL_N_NAME)
                                : ast && ast->kind == SQL_N_ALTER_OTHER
                                    ? sql_node_next(sql_node_child(ast, SQL_N_NAME))
                                    : NULL;
    if (!to || (action && ((action->op & SQL_OP_TOKEN) != TK_RENAME || sql_node_next(to)))) {
        return;
    }
    struct flow_place was = f->place;
    sl_str fresh[3];
    f->place = (struct flow_place){st->sql, st->number, st};
    size_t parts = flow_parts(f, to, fresh, 3);
    f->place = was;
    struct cat_object *o = parts ? create(f, st, fresh, parts, old->kind) : NULL;
    if (o) {
        o->before = old;
        create(f, st, ident, n, CAT_DROPPED);
    }
}

static void register_statement(struct cat_flow *f, const struct sql_stmt *st)
{
    sl_str ident[3];
    size_t n = st->object.n ? parts_of_text(f, st->object, ident, 3) : 0;
    switch (st->kind) {
    case SQL_KIND_USE:
    case SQL_KIND_USE_CATALOG:
        use(f, st);
        return;
    case SQL_KIND_CREATE_TABLE:
    case SQL_KIND_CREATE_TABLE_AS:
    case SQL_KIND_REPLACE_TABLE_AS:
        if (n) {
            create(f, st, ident, n, CAT_TABLE);
        }
        return;
    case SQL_KIND_CREATE_VIEW:
        if (n) {
            create(f, st, ident, n, CAT_VIEW);
        }
        return;
    case SQL_KIND_CREATE_MATERIALIZED_TABLE:
        if (n) {
            create(f, st, ident, n, CAT_MATERIALIZED_TABLE);
        }
        return;
    case SQL_KIND_DROP_TABLE:
    case SQL_KIND_DROP_VIEW:
    case SQL_KIND_DROP_MATERIALIZED_TABLE:
        if (n) {
            create(f, st, ident, n, CAT_DROPPED);
        }
        return;
    case SQL_KIND_ALTER_TABLE:
    case SQL_KIND_ALTER_VIEW:
    case SQL_KIND_ALTER_MATERIALIZED_TABLE: {
        sl_str part[3];
        if (!n) {
            return;
        }
        whole_name(f, st->number, ident, n, part);
        struct cat_object *old = lookup(f, st->number, part[0], part[1], part[2]);
        if (!old || old->kind == CAT_DROPPED) {
            return;
        }
        rename_object(f, st, ident, n, old);
        if (lookup(f, st->number + 1, part[0], part[1], part[2]) == old) {
            struct cat_object *o = create(f, st, ident, n, old->kind);
            o->temporary = old->temporary;
        }
        return;
    }
    default:
        return;
    }
}

struct cat_flow *cat_flow_new(struct sl_arena *a, const struct sql_script *s, uint32_t until)
{
    struct cat_flow *f = sl_new(a, struct cat_flow);
    f->a = a;
    f->s = s;
    f->n_buckets = 64;
    while (f->n_buckets < s->stmts.n) {
        f->n_buckets *= 2;
    }
    f->buckets = sl_new_n(a, struct cat_object *, f->n_buckets);
    f->trees = sl_new_n(a, const struct sql_node *, s->stmts.n + 1);
    f->read = sl_new_n(a, bool, s->stmts.n + 1);
    for (size_t i = 0; i < s->stmts.n && (!until || s->stmts.v[i].number < until); i++) {
        register_statement(f, &s->stmts.v[i]);
    }
    return f;
}

const struct sql_node *cat_flow_tree(struct cat_flow *f, const struct sql_stmt *st)
{
    if (st->ast || !st->sql.n) {
        return st->ast;
    }
    bool own = st >= f->s->stmts.v && st < f->s->stmts.v + f->s->stmts.n;
    size_t i = own ? (size_t)(st - f->s->stmts.v) : f->s->stmts.n;
    if (own && f->read[i]) {
        return f->trees[i];
    }
    const struct sql_node *ast = NULL;
    struct sql_fault fault;
    if (!sql_parse_text(f->a, st->sql, f->s->flink, &ast, &fault)) {
        ast = NULL;
    }
    f->read[i] = own;
    f->trees[i] = ast;
    return ast;
}

/* ------------------------------------------------------------------ columns of what CREATE and ALTER say */

static sl_str string_of(struct cat_flow *f, const struct sql_node *comment)
{
    const struct sql_node *s = comment ? sql_node_child(comment, SQL_N_STRING) : NULL;
    return s ? sql_unquote(f->a, sql_node_text(s, f->place.sql)) : SL_STR_NONE;
}

static const struct sql_node *last_ident(const struct sql_node *n)
{
    n = n && n->kind == SQL_N_NAME ? sql_last(n) : n;
    return n && n->kind == SQL_N_IDENT ? n : NULL;
}

static void declare_column(struct cat_flow *f, const struct cat_object *o, struct cat_columns *to,
                           const struct sql_node *n)
{
    const struct sql_node *ident = last_ident(n->first);
    if (!ident) {
        return;
    }
    sl_str name = flow_ident(f, ident);
    struct cat_column fresh = {.name = name, .stmt = o->stmt, .off = ident->off, .len = ident->len};
    const struct sql_node *type = sql_node_child(n, SQL_N_TYPE);
    fresh.type = type ? flow_type_text(f, type) : SL_STR_NONE;
    fresh.comment = string_of(f, sql_node_child(n, SQL_N_COMMENT));
    fresh.kind = n->kind == SQL_N_COMPUTED ? CAT_COMPUTED
                 : n->kind == SQL_N_COLUMN ? CAT_PHYSICAL
                 : n->op & 1               ? CAT_VIRTUAL
                                           : CAT_METADATA;
    const struct sql_node *unique = sql_node_child(n, SQL_N_CONSTRAINT);
    fresh.key = unique && (unique->op & SQL_OP_TOKEN) == TK_PRIMARY;
    struct cat_ref *ref = flow_saw(f, CAT_REF_COLUMN, ident, name);
    ref->object = o;
    struct cat_column *at = NULL;
    for (size_t i = 0; i < to->list.n && !at; i++) {
        at = sl_str_eq(to->list.v[i].name, name) ? &to->list.v[i] : NULL;
    }
    at = at ? at : flow_add_column(f, to, name);
    *at = fresh;
    flow_add_from(f, &at->from, o, name, CAT_HOW_IDENTITY);
}

static void mark_columns(struct cat_flow *f, const struct cat_object *o, struct cat_columns *to,
                         const struct sql_node *names, bool key)
{
    for (const struct sql_node *c = names ? names->first : NULL; c; c = c->next) {
        const struct sql_node *ident = last_ident(c);
        sl_str name = ident ? flow_ident(f, ident) : SL_STR_NONE;
        for (size_t i = 0; ident && i < to->list.n; i++) {
            if (sl_str_eq(to->list.v[i].name, name)) {
                to->list.v[i].key |= key;
                to->list.v[i].partition |= !key;
                struct cat_ref *ref = flow_saw(f, CAT_REF_COLUMN, ident, name);
                ref->object = o;
                ref->column = &to->list.v[i];
            }
        }
    }
}

/* Computed columns, watermarks and keys, once all columns are known. */
static void declare_rest(struct cat_flow *f, const struct cat_object *o, struct cat_columns *to,
                         const struct sql_node *columns)
{
    struct flow_scope scope = {0};
    sl_vec_push(f->a, &scope.from.list, ((struct cat_in_scope){o->name, o, to}));
    for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
        if (c->kind == SQL_N_CONSTRAINT) {
            mark_columns(f, o, to, sql_node_child(c, SQL_N_NAMES), (c->op & SQL_OP_TOKEN) == TK_PRIMARY);
        }
        const struct sql_node *ident = last_ident(c->first);
        if (!ident || (c->kind != SQL_N_COMPUTED && c->kind != SQL_N_WATERMARK)) {
            continue;
        }
        sl_str name = flow_ident(f, ident);
        struct cat_column *column = NULL;
        for (size_t i = 0; i < to->list.n && !column; i++) {
            column = sl_str_eq(to->list.v[i].name, name) ? &to->list.v[i] : NULL;
        }
        if (c->kind == SQL_N_WATERMARK) {
            struct cat_froms none = {0};
            flow_expr(f, c->first->next, &scope, CAT_HOW_TRANSFORMATION, &none);
            if (column && c->first->next) {
                column->rowtime = sql_node_text(c->first->next, f->place.sql);
                struct cat_ref *ref = flow_saw(f, CAT_REF_COLUMN, ident, name);
                ref->object = o;
                ref->column = column;
            }
        } else if (column) {
            struct cat_froms from = {0};
            flow_expr(f, c->first->next, &scope, CAT_HOW_TRANSFORMATION, &from);
            column->type = flow_type_of(f, c->first->next, &scope);
            if (from.list.n) { /* PROCTIME() comes from the table itself */
                column->from = from;
            }
        }
    }
}

static const struct sql_node *deep_name(const struct sql_node *n)
{
    const struct sql_node *name = sql_node_child(n, SQL_N_NAME);
    return name ? name : sql_node_child(n, SQL_N_IDENT);
}

static struct cat_columns *created_columns(struct cat_flow *f, struct cat_object *o,
                                           const struct sql_node *ast)
{
    struct cat_columns *to = sl_new(f->a, struct cat_columns);
    const struct sql_node *columns = sql_node_child(ast, SQL_N_COLUMNS);
    const struct sql_node *like = sql_node_child(ast, SQL_N_TABLE_LIKE);
    const struct sql_node *as = sql_node_child(ast, SQL_N_AS_QUERY);
    const struct sql_node *name = like ? deep_name(like) : NULL;
    const struct cat_object *base = name ? flow_object(f, name) : NULL;
    if (base) {
        const struct cat_columns *c = cat_flow_columns(f, base);
        flow_saw(f, CAT_REF_TABLE, name, SL_STR_NONE)->object = base;
        to->open |= c->open;
        for (size_t i = 0; i < c->list.n; i++) {
            struct cat_column *at = flow_add_column(f, to, c->list.v[i].name);
            *at = c->list.v[i];
            at->from = (struct cat_froms){0};
            flow_add_from(f, &at->from, o, at->name, CAT_HOW_IDENTITY);
        }
    }
    for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
        if (c->kind == SQL_N_COLUMN || c->kind == SQL_N_METADATA || c->kind == SQL_N_COMPUTED) {
            declare_column(f, o, to, c);
        }
    }
    if (as && as->first) {
        struct cat_columns *q = flow_query(f, as->first, NULL, NULL);
        const struct sql_node *names = sql_node_child(ast, SQL_N_NAMES);
        q = names && sql_node_count(names) == q->list.n ? flow_renamed(f, q, names) : q;
        to->open |= q->open;
        for (size_t i = 0; i < q->list.n; i++) {
            const struct cat_column *from = &q->list.v[i];
            if (!flow_column(to, from->name)) {
                struct cat_column *at = flow_add_column(f, to, from->name);
                at->type = from->type;
                at->kind = CAT_PHYSICAL;
                flow_add_from(f, &at->from, o, at->name, CAT_HOW_IDENTITY);
            }
        }
    }
    to->open |= !columns && !like && !as;
    if (to->open) {
        flow_add_from(f, &to->rest, o, SL_STR("*"), CAT_HOW_IDENTITY);
    }
    declare_rest(f, o, to, columns);
    const struct sql_node *partitioned = sql_node_child(ast, SQL_N_PARTITIONED);
    const struct sql_node *distributed = sql_node_child(ast, SQL_N_DISTRIBUTION);
    mark_columns(f, o, to, partitioned ? sql_node_child(partitioned, SQL_N_NAMES) : NULL, false);
    (void)distributed;
    return to;
}

static struct cat_columns *view_columns(struct cat_flow *f, const struct sql_node *ast)
{
    const struct sql_node *as = sql_node_child(ast, SQL_N_AS_QUERY);
    struct cat_columns *q =
        as && as->first ? flow_query(f, as->first, NULL, NULL) : flow_copy(f, &open_columns);
    return flow_renamed(f, q, sql_node_child(ast, SQL_N_NAMES));
}

static void drop_column(struct cat_flow *f, struct cat_columns *c, const struct sql_node *name)
{
    const struct sql_node *ident = last_ident(name);
    sl_str text = ident ? flow_ident(f, ident) : SL_STR_NONE;
    for (size_t i = 0; ident && i < c->list.n; i++) {
        if (sl_str_eq(c->list.v[i].name, text)) {
            memmove(&c->list.v[i], &c->list.v[i + 1], (c->list.n - i - 1) * sizeof(*c->list.v));
            c->list.n--;
            return;
        }
    }
}

static void rename_column(struct cat_flow *f, const struct cat_object *o, struct cat_columns *c,
                          const struct sql_node *from)
{
    const struct sql_node *a = last_ident(from), *b = last_ident(sql_node_next(from));
    sl_str old = a ? flow_ident(f, a) : SL_STR_NONE;
    for (size_t i = 0; a && b && i < c->list.n; i++) {
        if (sl_str_eq(c->list.v[i].name, old)) {
            c->list.v[i].name = flow_ident(f, b);
            c->list.v[i].from = (struct cat_froms){0};
            flow_add_from(f, &c->list.v[i].from, o, c->list.v[i].name, CAT_HOW_IDENTITY);
        }
    }
}

/* What ALTER makes of the columns there were. */
static struct cat_columns *altered_columns(struct cat_flow *f, struct cat_object *o,
                                           const struct sql_node *ast)
{
    const struct sql_node *action = ast ? sql_node_child(ast, SQL_N_ACTION) : NULL;
    const struct cat_columns *was = o->before ? cat_flow_columns(f, o->before) : &open_columns;
    if (o->kind == CAT_VIEW) {
        const struct sql_node *as = ast ? sql_node_child(action ? action : ast, SQL_N_AS_QUERY) : NULL;
        return as && as->first ? flow_query(f, as->first, NULL, NULL) : flow_copy(f, was);
    }
    struct cat_columns *c = sl_new(f->a, struct cat_columns);
    c->open = was->open || !ast;
    for (size_t i = 0; i < was->list.n; i++) {
        struct cat_column *at = flow_add_column(f, c, was->list.v[i].name);
        *at = was->list.v[i];
        bool computed = at->kind == CAT_COMPUTED;
        struct cat_froms from = at->from;
        at->from = (struct cat_froms){0};
        for (size_t k = 0; computed && k < from.list.n; k++) {
            flow_add_from(f, &at->from, o, from.list.v[k].column, from.list.v[k].how);
        }
        if (!computed) {
            flow_add_from(f, &at->from, o, at->name, CAT_HOW_IDENTITY);
        }
    }
    if (c->open) {
        flow_add_from(f, &c->rest, o, SL_STR("*"), CAT_HOW_IDENTITY);
    }
    if (!action) {
        return c;
    }
    const struct sql_node *columns = sql_node_child(action, SQL_N_COLUMNS), *target = action->first;
    switch (action->op & SQL_OP_TOKEN) {
    case TK_ADD:
    case TK_MODIFY:
        for (const struct sql_node *n = columns ? columns->first : NULL; n; n = n->next) {
            if (n->kind == SQL_N_COLUMN || n->kind == SQL_N_METADATA || n->kind == SQL_N_COMPUTED) {
                declare_column(f, o, c, n);
            }
        }
        declare_rest(f, o, c, columns);
        break;
    case TK_DROP:
        for (const struct sql_node *n = target && target->kind == SQL_N_NAMES ? target->first : NULL; n;
             n = n->next) {
            drop_column(f, c, n);
        }
        if (target && target->kind == SQL_N_NAME) {
            drop_column(f, c, target);
        }
        break;
    case TK_RENAME:
        if (target && target->kind == SQL_N_NAME && sql_node_next(target)) {
            rename_column(f, o, c, target);
        }
        break;
    default:
        break;
    }
    return c;
}

static const struct cat_columns *outside_columns(struct cat_flow *f, const struct cat_object *o)
{
    struct cat_columns *c = sl_new(f->a, struct cat_columns);
    c->open = true;
    flow_add_from(f, &c->rest, o, SL_STR("*"), CAT_HOW_IDENTITY);
    return c;
}

static struct cat_columns *read_columns(struct cat_flow *f, struct cat_object *o, const struct sql_node *ast)
{
    switch (ast ? (enum sql_node_kind)ast->kind : SQL_N_NONE) {
    case SQL_N_CREATE_TABLE:
    case SQL_N_CREATE_MATERIALIZED_TABLE:
        return created_columns(f, o, ast);
    case SQL_N_CREATE_VIEW:
        return view_columns(f, ast);
    default:
        return altered_columns(f, o, ast);
    }
}

/* Objects are the flow's own; others see them as const. */
static struct cat_object *own(const struct cat_object *given)
{
    union {
        const struct cat_object *given;
        struct cat_object *own;
    } u = {given};
    return u.own;
}

void flow_read_again(struct cat_flow *f, const struct cat_object *o, const struct sql_node *ast)
{
    struct cat_object nobody = *o;
    struct cat_object *reading = f->reading;
    f->reading = &nobody;
    (void)read_columns(f, own(o), ast);
    f->reading = reading;
}

const struct cat_columns *cat_flow_columns(struct cat_flow *f, const struct cat_object *given)
{
    struct cat_object *o = own(given);
    if (o->state == DONE) {
        return o->columns;
    }
    if (o->state == READING || f->depth >= FLOW_VIEW_DEPTH) {
        return &open_columns;
    }
    struct flow_place was = f->place;
    struct cat_object *reading = f->reading;
    struct cat_refs *refs = f->refs;
    f->refs = NULL;
    f->depth++;
    o->state = READING;
    const struct sql_node *ast = o->stmt ? cat_flow_tree(f, o->stmt) : NULL;
    if (!o->stmt || (!ast && !o->before)) {
        o->columns = outside_columns(f, o);
    } else {
        f->place = (struct flow_place){o->stmt->sql, o->since, o->stmt};
        f->reading = o;
        o->columns = read_columns(f, o, ast);
    }
    o->state = DONE;
    f->depth--;
    f->place = was;
    f->reading = reading;
    f->refs = refs;
    return o->columns;
}
