/* SPDX-License-Identifier: Apache-2.0
 * Reads the needs of a script off the trees of its statements. Whatever is a URI of a file system or of JDBC counts, under
 * whichever option it stands: connectors have many names for such options. */
#include "catalog/needs.h"

#include "catalog/setting.h"
#include "sqlparse/ast.h"
#include "sqlparse/token.h"

struct reader {
    struct sl_arena *a;
    const struct sql_script *s;
    const struct sql_stmt *st;
    struct cat_needs *out;
};

const char *cat_need_kind_name(enum cat_need_kind k)
{
    static const char *const names[] = {"connector", "format", "catalog",     "module",  "model provider",
                                        "function",  "jar",    "file system", "database"};
    return names[k];
}

bool cat_is_secret(const struct sql_stmt *st, uint32_t off, uint32_t len)
{
    for (size_t i = 0; i < st->n_patches; i++) {
        const struct sql_patch *p = &st->patches[i];
        if (p->secret && p->sql_off < off + len && off < p->sql_off + p->sql_len) {
            return true;
        }
    }
    return false;
}

static void add(struct reader *r, enum cat_need_kind kind, sl_str name, sl_str key, uint32_t off,
                uint32_t len)
{
    if (!name.n || sl_str_find(name, SL_STR("${")) >= 0) {
        return;
    }
    struct cat_need *n = sl_vec_add(r->a, &r->out->list);
    n->kind = kind;
    n->name = cat_is_secret(r->st, off, len) ? SL_STR("******") : name;
    n->key = key;
    n->stmt = r->st;
    n->pos = sql_stmt_pos(r->s, r->st, off, len);
}

static void add_node(struct reader *r, enum cat_need_kind kind, const struct sql_node *n, sl_str key)
{
    add(r, kind, sql_unquote(r->a, sql_node_text(n, r->st->sql)), key, n->off, n->len);
}

static size_t scheme_length(sl_str uri)
{
    size_t n = 0;
    while (n < uri.n && (((uri.p[n] | 0x20) >= 'a' && (uri.p[n] | 0x20) <= 'z') ||
                         (n && uri.p[n] >= '0' && uri.p[n] <= '9'))) {
        n++;
    }
    return n < uri.n && uri.p[n] == ':' ? n : 0;
}

/* Schemes that Flink opens with a file system; other URIs ('http://...') are a connector's own business. */
static bool is_file_scheme(sl_str scheme)
{
    static const char *const schemes[] = {"file", "hdfs",  "webhdfs", "viewfs", "s3",    "s3a",
                                          "s3p",  "s3n",   "oss",     "gs",     "abfs",  "abfss",
                                          "wasb", "wasbs", "cosn",    "obs",    "adl",   "swift",
                                          "ofs",  "jfs",   "cos",     "maprfs", "azure", "alluxio"};
    for (size_t i = 0; i < SL_ARRAY_LEN(schemes); i++) {
        if (sl_str_ieqz(scheme, schemes[i])) {
            return true;
        }
    }
    return false;
}

/* 's3://bucket/orders', 'jdbc:postgresql://db-1/shop'. */
static void add_uri(struct reader *r, sl_str uri, sl_str key, uint32_t off, uint32_t len)
{
    uri = sl_str_trim(uri);
    size_t n = scheme_length(uri);
    sl_str scheme = sl_str_sub(uri, 0, n);
    if (!n) {
        return;
    }
    if (sl_str_ieqz(scheme, "jdbc")) {
        sl_str rest = sl_str_sub(uri, n + 1, uri.n - n - 1);
        size_t m = 0;
        while (m < rest.n && rest.p[m] != ':') {
            m++;
        }
        if (m < rest.n) {
            add(r, CAT_NEED_DATABASE, sl_str_sub(rest, 0, m), key, off, len);
        }
        return;
    }
    if (is_file_scheme(scheme) && n + 1 < uri.n && uri.p[n + 1] == '/') {
        add(r, CAT_NEED_FILESYSTEM, scheme, key, off, len);
    }
}

static void add_path(struct reader *r, const struct sql_node *value, sl_str key)
{
    add_uri(r, sql_unquote(r->a, sql_node_text(value, r->st->sql)), key, value->off, value->len);
}

static bool names_format(sl_str key)
{
    static const char *const keys[] = {"format", "key.format", "value.format", "lookup-request.format"};
    for (size_t i = 0; i < SL_ARRAY_LEN(keys); i++) {
        if (sl_str_eqz(key, keys[i])) {
            return true;
        }
    }
    return false;
}

/* `main`: the option that names what reads the list ('connector', 'type'), and what that is. */
static void read_options(struct reader *r, const struct sql_node *options, const char *main,
                         enum cat_need_kind kind)
{
    for (const struct sql_node *o = options ? options->first : NULL; o; o = o->next) {
        if (o->kind != SQL_N_OPTION || !o->first || !o->first->next) {
            continue;
        }
        sl_str key = sql_unquote(r->a, sql_node_text(o->first, r->st->sql));
        if (sl_str_eqz(key, main)) {
            add_node(r, kind, o->first->next, key);
        } else if (kind == CAT_NEED_CONNECTOR && names_format(key)) {
            add_node(r, CAT_NEED_FORMAT, o->first->next, key);
        } else {
            add_path(r, o->first->next, key);
        }
    }
}

static void read_function(struct reader *r, const struct sql_node *create)
{
    const struct sql_node *class = sql_node_child(create, SQL_N_STRING);
    if (class) {
        add_node(r, CAT_NEED_FUNCTION, class, SL_STR_NONE);
    }
    const struct sql_node *using = sql_node_child(create, SQL_N_EXPRS);
    for (const struct sql_node *c = using ? using->first : NULL; c; c = c->next) {
        if (c->kind == SQL_N_RESOURCE && c->first) {
            add_node(r, CAT_NEED_JAR, c->first, SL_STR_NONE);
        }
    }
}

/* Options where they stand: of a statement, of its actions, of hints in its queries. */
static void read_tree(struct reader *r, const struct sql_node *n, const char *main, enum cat_need_kind kind)
{
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind == SQL_N_OPTIONS) {
            read_options(r, c, main, kind);
        } else {
            read_tree(r, c, main, kind);
        }
    }
}

static void read_module(struct reader *r, const struct sql_node *load)
{
    const struct sql_node *name = load->first;
    if (name) {
        const struct sql_node *last = name->kind == SQL_N_NAME ? sql_last(name) : name;
        add_node(r, CAT_NEED_MODULE, last ? last : name, SL_STR_NONE);
    }
    read_tree(r, load, "type", CAT_NEED_MODULE);
}

/* Jars and paths that SET names: a list parted by ';' counts as what it lists. */
static void read_set(struct reader *r)
{
    const struct sql_stmt *st = r->st;
    if (!st->has_key || !st->value.n) {
        return;
    }
    size_t before = r->out->list.n;
    if (sl_str_eqz(st->key, "pipeline.jars") || sl_str_eqz(st->key, "pipeline.classpaths")) {
        for (sl_str rest = st->value; rest.n;) {
            ptrdiff_t end = sl_str_find_char(rest, ';');
            size_t n = end < 0 ? rest.n : (size_t)end;
            add(r, CAT_NEED_JAR, sl_str_trim(sl_str_sub(rest, 0, n)), st->key, 0, (uint32_t)st->sql.n);
            rest = end < 0 ? SL_STR_NONE : sl_str_sub(rest, n + 1, rest.n - n - 1);
        }
    } else {
        add_uri(r, st->value, st->key, 0, (uint32_t)st->sql.n);
    }
    for (size_t i = before; i < r->out->list.n; i++) {
        r->out->list.v[i].pos = cat_setting_pos(r->s, st);
    }
}

static void read_statement(struct reader *r)
{
    const struct sql_stmt *st = r->st;
    const struct sql_node *ast = st->ast;
    if (st->kind == SQL_KIND_SET) {
        read_set(r);
        return;
    }
    if (!ast) {
        return;
    }
    switch ((enum sql_node_kind)ast->kind) {
    case SQL_N_CREATE_CATALOG:
        read_tree(r, ast, "type", CAT_NEED_CATALOG);
        return;
    case SQL_N_CREATE_MODEL:
        read_tree(r, ast, "provider", CAT_NEED_MODEL);
        return;
    case SQL_N_LOAD_MODULE:
        read_module(r, ast);
        return;
    case SQL_N_CREATE_FUNCTION:
        read_function(r, ast);
        return;
    case SQL_N_JAR:
        if ((ast->op & SQL_OP_TOKEN) == TK_ADD && ast->first) {
            add_node(r, CAT_NEED_JAR, ast->first, SL_STR_NONE);
        }
        return;
    case SQL_N_CREATE_DATABASE:
    case SQL_N_CREATE_CONNECTION:
    case SQL_N_ALTER_OTHER:
        read_tree(r, ast, "", CAT_NEED_CATALOG);
        return;
    default:
        read_tree(r, ast, "connector", CAT_NEED_CONNECTOR);
        return;
    }
}

void cat_needs(struct sl_arena *a, const struct sql_script *s, struct cat_needs *ret)
{
    struct reader r = {.a = a, .s = s, .out = ret};
    for (size_t i = 0; i < s->stmts.n; i++) {
        const struct sql_stmt *st = &s->stmts.v[i];
        r.st = st;
        read_statement(&r);
        for (size_t k = 0; k < st->n_inner; k++) {
            r.st = &st->inner[k];
            read_statement(&r);
        }
    }
}
