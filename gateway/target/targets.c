/* SPDX-License-Identifier: Apache-2.0
 * The table `target` and its few queries. */
#include "gateway/target/targets.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/vec.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <stdio.h>

const struct store_migration targets_migrations[] = {
    {"target", 1,
     "CREATE TABLE target("
     " name TEXT PRIMARY KEY, url TEXT NOT NULL, ca TEXT NOT NULL, cert TEXT NOT NULL, key TEXT NOT NULL,"
     " headers TEXT NOT NULL, user TEXT NOT NULL, proxy TEXT NOT NULL, results_address TEXT NOT NULL,"
     " made_ms INTEGER NOT NULL, is_default INTEGER NOT NULL DEFAULT 0) STRICT;"
     "CREATE UNIQUE INDEX target_default ON target(is_default) WHERE is_default = 1;"},
    {NULL, 0, NULL},
};

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define URL_BYTES  200

/* ---- form ---- */

static bool check_header(sl_str line, struct sl_err *err)
{
    ptrdiff_t colon = sl_str_find_char(line, ':');
    bool ok = colon > 0;
    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];
        ok = ok && (c >= 32 || c == '\t') && c != 127 && (i >= (size_t)colon || c > ' ');
    }
    /* Not shown: it may hold a secret. */
    return ok || sl_fail(err, SL_USAGE, "--header takes 'NAME: VALUE' on one line");
}

static bool check_url(const char *url, struct sl_err *err)
{
    sl_str s = sl_str_of(url);
    size_t scheme = sl_str_starts(s, SL_STR("http://")) ? 7 : sl_str_starts(s, SL_STR("https://")) ? 8 : 0;
    bool ok = scheme && s.n > scheme && s.n <= URL_BYTES && url[scheme] != '/' && url[scheme] != ':';
    for (size_t i = 0; ok && i < s.n; i++) {
        ok = s.p[i] > 32 && s.p[i] < 127 && !strchr("\"'<>\\^`{|}?#", s.p[i]);
    }
    if (!ok) {
        return sl_fail(err, SL_USAGE,
                       "--url takes http://HOST:PORT or https://HOST/PREFIX of at most %d bytes", URL_BYTES);
    }
    if (strchr(url + scheme, '@')) {
        sl_fail(err, SL_USAGE, "--url takes no password: it would be shown wherever the address is");
        return sl_hint(err, "give it with --user NAME:PASSWORD or --password-file FILE");
    }
    return s.p[s.n - 1] != '/' || sl_fail(err, SL_USAGE, "--url ends without a slash");
}

bool targets_check(const struct target_record *r, struct sl_err *err)
{
    size_t n = strlen(r->name);
    if (n == 0 || n > 63 || strspn(r->name, NAME_CHARS) != n || r->name[0] == '-' || r->name[0] == '.') {
        return sl_fail(err, SL_USAGE, "a target's name has 1 to 63 of the characters a-z A-Z 0-9 . _ -");
    }
    if (strcmp(r->name, "local") == 0) {
        return sl_fail(err, SL_USAGE, "the target of this machine is called local; choose another name");
    }
    if (!check_url(r->url, err)) {
        return false;
    }
    const char *const files[] = {r->ca, r->cert, r->key};
    for (size_t i = 0; i < SL_ARRAY_LEN(files); i++) {
        if (files[i][0] && !sys_exists(files[i])) {
            return sl_fail(err, SL_FILE_NOT_FOUND, "there is no file %s", files[i]);
        }
    }
    if (r->key[0] && !r->cert[0]) {
        return sl_fail(err, SL_USAGE, "--key goes with --cert");
    }
    if (r->user[0] && !strchr(r->user, ':')) {
        return sl_fail(err, SL_USAGE, "--user takes NAME:PASSWORD, or NAME with --password-file");
    }
    size_t headers = 0;
    sl_str rest = sl_str_of(r->headers);
    while (rest.n) {
        ptrdiff_t end = sl_str_find_char(rest, '\n');
        sl_str line = sl_str_sub(rest, 0, end < 0 ? rest.n : (size_t)end);
        if (!check_header(line, err)) {
            return false;
        }
        headers++;
        rest = end < 0 ? SL_STR_NONE : sl_str_sub(rest, (size_t)end + 1, rest.n - (size_t)end - 1);
    }
    if (headers >= SL_LIMIT_TARGET_HEADERS) {
        return sl_fail(err, SL_LIMIT, "at most %d headers", SL_LIMIT_TARGET_HEADERS - 1);
    }
    return !r->results_address[0] || strchr(r->results_address, ':') ||
           sl_fail(err, SL_USAGE, "--results-address takes HOST:PORT, not '%s'", r->results_address);
}

const char *targets_masked(struct sl_arena *a, const char *address)
{
    const char *scheme = strstr(address, "://"), *host = scheme ? scheme + 3 : address,
               *at = strrchr(host, '@');
    const char *colon = at ? memchr(host, ':', (size_t)(at - host)) : NULL;
    return colon ? sl_arena_printf(a, "%.*s:******%s", (int)(colon - address), address, at).p : address;
}

/* ---- reading ---- */

#define COLUMNS                                                                                              \
    "SELECT name, url, ca, cert, key, headers, user, proxy, results_address, made_ms, is_default FROM "      \
    "target "

struct list_arg {
    const char *name;
    struct sl_arena *a;
    SL_VEC(struct target_record) v;
};

static bool on_row(const struct store_row *row, void *ctx)
{
    struct list_arg *l = ctx;
    struct target_record *r = sl_vec_add(l->a, &l->v);
    r->name = store_col_strz(row, 0, l->a);
    r->url = store_col_strz(row, 1, l->a);
    r->ca = store_col_strz(row, 2, l->a);
    r->cert = store_col_strz(row, 3, l->a);
    r->key = store_col_strz(row, 4, l->a);
    r->headers = store_col_strz(row, 5, l->a);
    r->user = store_col_strz(row, 6, l->a);
    r->proxy = store_col_strz(row, 7, l->a);
    r->results_address = store_col_strz(row, 8, l->a);
    r->made_ms = store_col_i64(row, 9);
    r->is_default = store_col_i64(row, 10) != 0;
    return true;
}

static bool list_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct list_arg *l = arg;
    return store_query(tx, err, COLUMNS "WHERE ?1 IS NULL OR name = ?1 ORDER BY name", on_row, l, NULL, "z",
                       l->name);
}

bool targets_list(struct store *s, struct sl_arena *a, struct target_record **ret, size_t *ret_n,
                  struct sl_err *err)
{
    struct list_arg l = {.a = a};
    if (!store_read(s, list_tx, &l, err)) {
        return false;
    }
    *ret = l.v.v;
    *ret_n = l.v.n;
    return true;
}

static bool unknown(struct store *s, const char *name, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct target_record *v;
    size_t n;
    struct sl_err ignored = SL_ERR_INIT;
    sl_fail(err, SL_TARGET_UNKNOWN, "there is no target '%.63s'", name);
    if (targets_list(s, &a, &v, &n, &ignored)) {
        for (size_t i = 0; i < n; i++) {
            if (sl_str_distance(sl_str_of(v[i].name), sl_str_of(name), 2) <= 2) {
                return sl_hint(err, "did you mean '%s'?", v[i].name);
            }
        }
    }
    return sl_hint(err, "sluice target ls      shows them\nsluice target add %.63s --url http://HOST:8081",
                   name);
}

bool targets_get(struct store *s, const char *name, struct sl_arena *a, struct target_record *ret,
                 struct sl_err *err)
{
    struct list_arg l = {.name = name, .a = a};
    if (!store_read(s, list_tx, &l, err)) {
        return false;
    }
    if (!l.v.n) {
        return unknown(s, name, err);
    }
    *ret = l.v.v[0];
    return true;
}

struct default_arg {
    char name[64];
};

static bool default_row(const struct store_row *row, void *ctx)
{
    sl_str s = store_col_borrow(row, 0);
    snprintf(ctx, sizeof(((struct default_arg *)0)->name), "%.*s", SL_S(s));
    return false;
}

static bool default_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    return store_query(tx, err, "SELECT name FROM target WHERE is_default = 1", default_row, arg, NULL, "");
}

bool targets_default(struct store *s, char ret[64], struct sl_err *err)
{
    snprintf(ret, 64, "local");
    return store_read(s, default_tx, ret, err);
}

/* ---- writing ---- */

static bool add_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct target_record *r = arg;
    if (!store_exec(
            tx, err,
            "INSERT INTO target(name, url, ca, cert, key, headers, user, proxy, results_address, made_ms)"
            " VALUES(?,?,?,?,?,?,?,?,?,?) ON CONFLICT(name) DO NOTHING",
            "zzzzzzzzzi", r->name, r->url, r->ca, r->cert, r->key, r->headers, r->user, r->proxy,
            r->results_address, sys_wall_ms())) {
        return false;
    }
    if (store_changes(tx) == 0) {
        sl_fail(err, SL_TARGET_EXISTS, "there is a target '%s' already", r->name);
        return sl_hint(err, "sluice target rm %s      takes it away first", r->name);
    }
    return true;
}

bool targets_add(struct store *s, const struct target_record *r, struct sl_err *err)
{
    struct target_record copy = *r;
    return store_write(s, add_tx, &copy, err);
}

struct name_arg {
    const char *name;
    bool found;
};

static bool use_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct name_arg *n = arg;
    if (!store_exec(tx, err, "UPDATE target SET is_default = 0 WHERE is_default = 1", "") ||
        !store_exec(tx, err, "UPDATE target SET is_default = 1 WHERE name = ?", "z", n->name)) {
        return false;
    }
    n->found = store_changes(tx) > 0 || strcmp(n->name, "local") == 0;
    return n->found || sl_fail(err, SL_TARGET_UNKNOWN, "no such target"); /* rolled back */
}

bool targets_use(struct store *s, const char *name, struct sl_err *err)
{
    struct name_arg n = {.name = name};
    return store_write(s, use_tx, &n, err) || (err->code == SL_TARGET_UNKNOWN && unknown(s, name, err));
}

static bool remove_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct name_arg *n = arg;
    if (!store_exec(tx, err, "DELETE FROM target WHERE name = ?", "z", n->name)) {
        return false;
    }
    n->found = store_changes(tx) > 0;
    return true;
}

bool targets_remove(struct store *s, const char *name, struct sl_err *err)
{
    struct name_arg n = {.name = name};
    return store_write(s, remove_tx, &n, err) && (n.found || unknown(s, name, err));
}
