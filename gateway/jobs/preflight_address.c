/* SPDX-License-Identifier: Apache-2.0
 * Options of tables, catalogs and connections that name hosts or paths: brokers, JDBC URLs, host lists, URLs, and the
 * pair hostname and port. */
#include "gateway/jobs/preflight_address.h"

#include "base/limits.h"
#include "sqlparse/ast.h"
#include "sqlparse/token.h"

#include <stdio.h>

/* What a scheme's port is when none is written, and what it is called when nobody answers. */
static const struct scheme {
    const char *name;
    int port;
    enum sl_code code;
} schemes[] = {
    {"jdbc:postgresql", 5432, SL_PG_UNREACHABLE}, {"jdbc:mysql", 3306, SL_DB_UNREACHABLE},
    {"jdbc:mariadb", 3306, SL_DB_UNREACHABLE},    {"jdbc:sqlserver", 1433, SL_DB_UNREACHABLE},
    {"jdbc:oracle", 1521, SL_DB_UNREACHABLE},     {"jdbc:db2", 50000, SL_DB_UNREACHABLE},
    {"jdbc:clickhouse", 8123, SL_DB_UNREACHABLE}, {"jdbc:trino", 8080, SL_DB_UNREACHABLE},
    {"http", 80, SL_CONNECTION_TIMEOUT},          {"https", 443, SL_CONNECTION_TIMEOUT},
    {"thrift", 9083, SL_CONNECTION_TIMEOUT},      {"hdfs", 8020, SL_CONNECTION_TIMEOUT},
    {"pulsar", 6650, SL_CONNECTION_TIMEOUT},      {"mongodb", 27017, SL_DB_UNREACHABLE},
};

struct gather {
    const struct sql_script *s;
    struct sl_arena *a;
    struct preflight_spots *spots;
    size_t n;
};

struct option {
    sl_str key, value;
    const struct sql_node *node; /* of the value */
};
struct options {
    struct option *v;
    size_t n, cap;
};

static sl_str get(const struct options *o, const char *key)
{
    for (size_t i = 0; i < o->n; i++) {
        if (sl_str_eqz(o->v[i].key, key)) {
            return o->v[i].value;
        }
    }
    return SL_STR_NONE;
}

static bool known(const struct gather *g, const struct preflight_address *x)
{
    for (size_t i = 0; i < g->spots->n; i++) {
        const struct preflight_spot *s = &g->spots->v[i];
        for (size_t k = 0; k < s->n; k++) {
            if (s->addresses[k].port == x->port && strcmp(s->addresses[k].host, x->host) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* "host", "host:port", "[::1]:port"; false when it is no address, or a variable is still in it. */
static bool address_of(sl_str text, int port, struct preflight_address *ret)
{
    text = sl_str_trim(text);
    *ret = (struct preflight_address){.port = port};
    ptrdiff_t close = text.n && text.p[0] == '[' ? sl_str_find_char(text, ']') : -1;
    sl_str host = text, rest = SL_STR_NONE;
    if (close > 0) {
        host = sl_str_sub(text, 1, (size_t)close - 1);
        rest = sl_str_sub(text, (size_t)close + 1, text.n - (size_t)close - 1);
    } else {
        ptrdiff_t colon = sl_str_find_char(text, ':');
        if (colon >= 0) {
            host = sl_str_sub(text, 0, (size_t)colon);
            rest = sl_str_sub(text, (size_t)colon, text.n - (size_t)colon);
        }
    }
    if (rest.n) {
        int64_t n = 0;
        if (rest.p[0] != ':' || !sl_str_to_i64(sl_str_sub(rest, 1, rest.n - 1), &n)) {
            return false;
        }
        port = n > 0 && n < 65536 ? (int)n : 0;
    }
    bool ok = host.n > 0 && host.n < sizeof(ret->host) && port > 0;
    for (size_t i = 0; ok && i < host.n; i++) {
        char c = host.p[i];
        ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
             c == '-' || c == '_' || (c == ':' && close > 0);
    }
    ret->port = port;
    snprintf(ret->host, sizeof(ret->host), "%.*s", SL_S(host));
    return ok;
}

static void add(struct gather *g, const struct sql_stmt *st, const struct option *o, enum sl_code code,
                const struct preflight_address *v, size_t n)
{
    if (n == 0 || g->n + n > SL_LIMIT_PREFLIGHT_ADDRESSES || (n == 1 && known(g, v))) {
        return;
    }
    struct preflight_spot *x = sl_vec_add(g->a, g->spots);
    x->code = code;
    x->key = sl_str_dup(g->a, o->key);
    x->pos = sql_stmt_pos(g->s, st, o->node->off, o->node->len);
    x->file = st->file;
    x->statement = st->number;
    x->addresses = sl_new_n(g->a, struct preflight_address, n);
    memcpy(x->addresses, v, n * sizeof(*v));
    x->n = n;
    g->n += n;
}

/* A list of host:port, each perhaps behind a scheme; `code` of those that have none. */
static void add_list(struct gather *g, const struct sql_stmt *st, const struct option *o, sl_str list,
                     int port, enum sl_code code)
{
    struct preflight_address v[SL_LIMIT_PREFLIGHT_ADDRESSES];
    size_t n = 0;
    while (list.n && n < SL_LIMIT_PREFLIGHT_ADDRESSES) {
        size_t end = 0;
        while (end < list.n && list.p[end] != ',' && list.p[end] != ';') {
            end++;
        }
        sl_str one = sl_str_trim(sl_str_sub(list, 0, end));
        ptrdiff_t scheme = sl_str_find(one, SL_STR("://"));
        one = scheme < 0 ? one : sl_str_sub(one, (size_t)scheme + 3, one.n - (size_t)scheme - 3);
        ptrdiff_t slash = sl_str_find_char(one, '/');
        one = slash < 0 ? one : sl_str_sub(one, 0, (size_t)slash);
        if (address_of(one, port, &v[n])) {
            n++;
        } else if (one.n) {
            return; /* not a list of addresses as we know them */
        }
        list = end < list.n ? sl_str_sub(list, end + 1, list.n - end - 1) : SL_STR_NONE;
    }
    add(g, st, o, code, v, n);
}

/* The hosts of "scheme://user:password@host:port,host2/rest?x" or "jdbc:oracle:thin:@//host:port/x". */
static void add_url(struct gather *g, const struct sql_stmt *st, const struct option *o)
{
    const struct scheme *found = NULL;
    for (size_t i = 0; i < SL_ARRAY_LEN(schemes); i++) {
        size_t n = strlen(schemes[i].name);
        if (sl_str_starts(o->value, sl_str_of(schemes[i].name)) && o->value.n > n && o->value.p[n] == ':') {
            found = &schemes[i];
        }
    }
    ptrdiff_t slashes = found ? sl_str_find(o->value, SL_STR("//")) : -1;
    ptrdiff_t at = found && slashes < 0 ? sl_str_find(o->value, SL_STR(":@")) : -1;
    if (slashes < 0 && at < 0) {
        return;
    }
    size_t from = (size_t)(slashes < 0 ? at : slashes) + 2;
    sl_str rest = sl_str_sub(o->value, from, o->value.n - from);
    size_t n = 0, user = 0, colons = 0;
    while (n < rest.n && !strchr("/?;#", rest.p[n])) {
        user = rest.p[n] == '@' ? n + 1 : user;
        colons += rest.p[n] == ':';
        n++;
    }
    rest = sl_str_sub(rest, user, n - user);
    if (at >= 0 && colons == 2) { /* Oracle's host:port:sid */
        while (rest.n && rest.p[rest.n - 1] != ':') {
            rest.n--;
        }
        rest.n -= rest.n > 0;
    }
    add_list(g, st, o, rest, found->port, found->code);
}

/* hostname and port of the CDC connectors. */
static void add_pair(struct gather *g, const struct sql_stmt *st, const struct options *all,
                     const struct option *o, sl_str connector)
{
    static const struct {
        const char *connector;
        int port;
    } defaults[] = {
        {"mysql-cdc", 3306}, {"postgres-cdc", 5432}, {"sqlserver-cdc", 1433}, {"oracle-cdc", 1521}};
    int64_t port = 0;
    struct preflight_address one;
    for (size_t i = 0; i < SL_ARRAY_LEN(defaults); i++) {
        port = sl_str_eqz(connector, defaults[i].connector) ? defaults[i].port : port;
    }
    sl_str written = get(all, "port");
    if (written.n && !sl_str_to_i64(written, &port)) {
        return;
    }
    if (port > 0 && port < 65536 && address_of(o->value, (int)port, &one)) {
        add(g, st, o, sl_str_eqz(connector, "postgres-cdc") ? SL_PG_UNREACHABLE : SL_DB_UNREACHABLE, &one, 1);
    }
}

/* "t" of "t", "`t`", "c.d.`t`". */
static sl_str last_name(sl_str name)
{
    for (size_t i = name.n; i-- > 0;) {
        if (name.p[i] == '.') {
            name = sl_str_sub(name, i + 1, name.n - i - 1);
            break;
        }
    }
    name = sl_str_trim(name);
    return name.n > 2 && name.p[0] == '`' ? sl_str_sub(name, 1, name.n - 2) : name;
}

static bool same_table(sl_str a, sl_str b)
{
    return sl_str_eq(last_name(a), last_name(b));
}

/* Is the table of this statement written by the script? Its folder may come into being then. */
static bool is_written(const struct sql_script *s, sl_str table)
{
    for (size_t i = 0; i < s->stmts.n; i++) {
        const struct sql_stmt *st = &s->stmts.v[i];
        if (st->kind == SQL_KIND_INSERT && same_table(st->object, table)) {
            return true;
        }
        for (size_t k = 0; k < st->n_inner; k++) {
            if (same_table(st->inner[k].object, table)) {
                return true;
            }
        }
    }
    return false;
}

static void add_path(struct gather *g, const struct sql_stmt *st, const struct option *o)
{
    struct preflight_address one = {.is_path = true};
    sl_str path = o->value;
    if (sl_str_starts(path, SL_STR("file:"))) {
        path = sl_str_sub(path, 5, path.n - 5);
        while (path.n > 1 && path.p[0] == '/' && path.p[1] == '/') {
            path = sl_str_sub(path, 1, path.n - 1);
        }
    }
    if (path.n && path.n < sizeof(one.host) && path.p[0] == '/' && st->kind == SQL_KIND_CREATE_TABLE &&
        !is_written(g->s, st->object)) {
        snprintf(one.host, sizeof(one.host), "%.*s", SL_S(path));
        add(g, st, o, SL_PATH_MISSING, &one, 1);
    }
}

static void look_at(struct gather *g, const struct sql_stmt *st, const struct options *all)
{
    sl_str connector = get(all, "connector");
    for (size_t i = 0; i < all->n; i++) {
        const struct option *o = &all->v[i];
        if (sl_str_find(o->value, SL_STR("${")) >= 0) {
            continue; /* put in place on Flink's side */
        }
        if (sl_str_eqz(o->key, "properties.bootstrap.servers")) {
            add_list(g, st, o, o->value, 9092, SL_KAFKA_UNREACHABLE);
        } else if (sl_str_eqz(o->key, "hosts")) {
            add_list(g, st, o, o->value, 9200, SL_CONNECTION_TIMEOUT);
        } else if (sl_str_eqz(o->key, "hostname")) {
            add_pair(g, st, all, o, connector);
        } else if (sl_str_eqz(o->key, "path") && sl_str_eqz(connector, "filesystem") &&
                   !sl_str_starts(o->value, SL_STR("hdfs:"))) {
            add_path(g, st, o);
        } else {
            add_url(g, st, o);
        }
    }
}

static void read_options(struct gather *g, const struct sql_stmt *st, const struct sql_node *list)
{
    struct options all = {0};
    for (const struct sql_node *o = sql_node_child(list, SQL_N_OPTION); o; o = sql_node_next(o)) {
        if (o->first && o->first->next) {
            struct option *one = sl_vec_add(g->a, &all);
            one->key = sql_unquote(g->a, sql_node_text(o->first, st->sql));
            one->value = sql_unquote(g->a, sql_node_text(o->first->next, st->sql));
            one->node = o->first->next;
        }
    }
    look_at(g, st, &all);
}

size_t preflight_gather(const struct sql_script *s, struct sl_arena *a, struct preflight_spots *ret)
{
    struct gather g = {.s = s, .a = a, .spots = ret};
    for (size_t i = 0; i < s->stmts.n; i++) {
        const struct sql_stmt *st = &s->stmts.v[i];
        bool creates = st->ast && !st->bad &&
                       (st->ast->kind == SQL_N_CREATE_TABLE || st->ast->kind == SQL_N_CREATE_CATALOG);
        const struct sql_node *list = creates ? sql_node_child(st->ast, SQL_N_OPTIONS) : NULL;
        if (list) {
            read_options(&g, st, list);
        }
    }
    return g.n;
}
