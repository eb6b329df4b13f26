/* SPDX-License-Identifier: Apache-2.0
 * sluice target add|ls|show|use|test|rm. Passwords are read here and go to the owner over its socket; nothing shows
 * them again. */
#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/owner_client.h"
#include "gateway/cli/settings.h"
#include "gateway/cli/table.h"
#include "sys/file.h"

#include <stdio.h>

#define PASSWORD_BYTES 4096

struct target_options {
    const char *url, *ca, *cert, *key, *user, *password_file, *proxy, *results_address, *flink;
    struct cli_words headers, connect;
    bool json;
};

static const struct sl_json *ask(const char *method, sl_str params, struct sl_arena *a, struct sl_err *err)
{
    struct net_rpc_client *c = cli_owner_connect(true, err);
    const struct sl_json *r = c ? cli_owner_ask(c, method, params, a, err) : NULL;
    net_rpc_client_free(c);
    return r;
}

static const char *text(const struct sl_json *o, const char *key, struct sl_arena *a)
{
    return sl_arena_strdupz(a, sl_json_str(sl_json_get(o, key), SL_STR("")));
}

static int print_json(const struct sl_json *v)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_value(&w, v);
    sl_buf_putc(&b, '\n');
    fwrite(b.p, 1, b.n, stdout);
    return 0;
}

static sl_str name_param(struct sl_arena *a, const char *name)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    if (name) {
        sl_jw_kstrz(&w, "name", name);
    }
    sl_jw_end_object(&w);
    return sl_str_dup(a, sl_buf_str(&b));
}

/* "U:P", or "U" with the first line of --password-file. NULL: said. */
static const char *user_text(const struct target_options *o, struct sl_arena *a, struct sl_err *err)
{
    sl_str password;
    if (!o->password_file) {
        return o->user;
    }
    if (!o->user || strchr(o->user, ':')) {
        sl_fail(err, SL_USAGE, "--password-file goes with --user NAME");
        return NULL;
    }
    if (!sys_file_read(a, o->password_file, PASSWORD_BYTES, &password, err)) {
        return NULL;
    }
    ptrdiff_t end = sl_str_find_char(password, '\n');
    password = sl_str_sub(password, 0, end < 0 ? password.n : (size_t)end);
    if (password.n && password.p[password.n - 1] == '\r') {
        password.n--;
    }
    return sl_arena_printf(a, "%s:%.*s", o->user, SL_S(password)).p;
}

static void put_text(struct sl_jw *w, const char *key, const char *value)
{
    if (value) {
        sl_jw_kstrz(w, key, value);
    }
}

static void put_path(struct sl_jw *w, struct sl_arena *a, const char *key, const char *path)
{
    put_text(w, key, path ? sys_path_abs(a, path) : NULL);
}

static int add(const char *name, const struct target_options *o, struct sl_arena *a)
{
    SL_BUF_AUTO b, headers;
    struct sl_jw w;
    struct sl_err err = SL_ERR_INIT;
    if (!o->url) {
        return cli_usage("target", "add %s --url http://HOST:8081", name);
    }
    const char *user = user_text(o, a, &err);
    if (err.code) {
        return cli_print_error(&err);
    }
    sl_str url = sl_str_of(o->url);
    while (url.n && url.p[url.n - 1] == '/') {
        url.n--;
    }
    sl_buf_init(&headers, 0);
    for (size_t i = 0; i < o->headers.n; i++) {
        sl_buf_printf(&headers, "%s%s", i ? "\n" : "", o->headers.v[i]);
    }
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "name", name);
    sl_jw_kstr(&w, "url", url);
    put_path(&w, a, "ca", o->ca);
    put_path(&w, a, "cert", o->cert);
    put_path(&w, a, "key", o->key);
    put_text(&w, "user", user);
    put_text(&w, "proxy", o->proxy);
    put_text(&w, "resultsAddress", o->results_address);
    sl_jw_kstr(&w, "headers", sl_buf_str(&headers));
    sl_jw_end_object(&w);
    const struct sl_json *r = ask("target.add", sl_buf_str(&b), a, &err);
    if (!r) {
        return cli_print_error(&err);
    }
    if (o->json) {
        return print_json(r);
    }
    printf("added %s; try it:  sluice target test %s\n", name, name);
    return 0;
}

static int ls(const struct target_options *o, struct sl_arena *a)
{
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *r = ask("target.list", name_param(a, NULL), a, &err);
    if (!r) {
        return cli_print_error(&err);
    }
    if (o->json) {
        return print_json(sl_json_get(r, "targets"));
    }
    static const char *const titles[] = {"NAME", "KIND", "DEFAULT", "ADDRESS"};
    struct cli_list *l = cli_list_new(titles, SL_ARRAY_LEN(titles));
    SL_JSON_EACH(t, sl_json_get(r, "targets"))
    {
        cli_list_cell(l, sl_json_str(sl_json_get(t, "name"), SL_STR("")));
        cli_list_cell(l, sl_json_str(sl_json_get(t, "kind"), SL_STR("")));
        cli_list_cellf(l, "%s", sl_json_bool(sl_json_get(t, "default"), false) ? "*" : "");
        cli_list_cell(l, sl_json_str(sl_json_get(t, "url"), SL_STR("")));
    }
    cli_list_print(l, stdout);
    return 0;
}

static int show(const char *name, const struct target_options *o, struct sl_arena *a)
{
    static const char *const lines[][2] = {
        {"address", "url"}, {"CA", "ca"},           {"certificate", "cert"}, {"key", "key"},
        {"user", "user"},   {"headers", "headers"}, {"proxy", "proxy"},      {"results", "resultsAddress"},
    };
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *r = ask("target.list", name_param(a, name), a, &err);
    if (!r) {
        return cli_print_error(&err);
    }
    const struct sl_json *t = sl_json_at(sl_json_get(r, "targets"), 0);
    if (o->json) {
        return print_json(t);
    }
    printf("%s   %s%s\n", text(t, "name", a), text(t, "kind", a),
           sl_json_bool(sl_json_get(t, "default"), false) ? ", the default" : "");
    for (size_t i = 0; i < SL_ARRAY_LEN(lines); i++) {
        const char *value = text(t, lines[i][1], a);
        bool secret = strcmp(lines[i][1], "user") == 0 || strcmp(lines[i][1], "headers") == 0;
        if (value[0]) {
            printf(" %-12s %s%s\n", lines[i][0], value, secret ? " (secret kept)" : "");
        }
    }
    return 0;
}

static int test(const char *name, const struct target_options *o, struct sl_arena *a)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    struct sl_err err = SL_ERR_INIT;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "name", name);
    sl_jw_kstrz(&w, "flink", o->flink ? o->flink : cli_settings()->flink.p);
    put_text(&w, "resultsAddress",
             o->results_address ? o->results_address : cli_settings()->results_address.p);
    sl_jw_key(&w, "connect");
    sl_jw_array(&w);
    for (size_t i = 0; i < o->connect.n; i++) {
        sl_jw_strz(&w, o->connect.v[i]);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    const struct sl_json *r = ask("target.test", sl_buf_str(&b), a, &err);
    if (!r) {
        return cli_print_error(&err);
    }
    int rc = sl_json_bool(sl_json_get(r, "ok"), false) ? 0 : sl_code_exit(SL_TARGET_UNREACHABLE);
    if (o->json) {
        print_json(r);
        return rc;
    }
    SL_JSON_EACH(f, sl_json_get(r, "findings"))
    {
        printf(" %-9s %-4s %s\n", text(f, "finding", a),
               sl_json_bool(sl_json_get(f, "ok"), false) ? "ok" : "FAIL", text(f, "text", a));
    }
    return rc;
}

static int named(const char *method, const char *said, const char *name, const struct target_options *o,
                 struct sl_arena *a)
{
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *r = ask(method, name_param(a, name), a, &err);
    if (!r) {
        return cli_print_error(&err);
    }
    if (o->json) {
        return print_json(r);
    }
    printf("%s %s\n", said, name);
    return 0;
}

static int exec(int argc, char **argv)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct target_options o = {0};
    const struct cli_option table[] = {
        {.name = "--url", .value = &o.url},
        {.name = "--ca", .value = &o.ca},
        {.name = "--cert", .value = &o.cert},
        {.name = "--key", .value = &o.key},
        {.name = "--header", .values = &o.headers},
        {.name = "--user", .value = &o.user},
        {.name = "--password-file", .value = &o.password_file},
        {.name = "--proxy", .value = &o.proxy},
        {.name = "--results-address", .value = &o.results_address},
        {.name = "--connect", .values = &o.connect},
        {.name = "--flink", .value = &o.flink},
        {.name = "--json", .flag = &o.json},
        {0},
    };
    struct cli_args x = {.verb = "target", .options = table};
    if (!cli_args_read(&x, &a, argc, argv)) {
        return 2;
    }
    const char *what = x.files.n ? x.files.v[0] : "ls", *name = x.files.n > 1 ? x.files.v[1] : NULL;
    bool lists = strcmp(what, "ls") == 0 || strcmp(what, "list") == 0;
    if (x.files.n > 2 || (lists && name)) {
        return cli_usage("target", "'%s' is not expected here", x.files.v[x.files.n - 1]);
    }
    if (lists) {
        return ls(&o, &a);
    }
    if (!name) {
        return cli_usage("target", "%s which target?   sluice target ls", what);
    }
    if (strcmp(what, "add") == 0) {
        return add(name, &o, &a);
    }
    if (strcmp(what, "show") == 0) {
        return show(name, &o, &a);
    }
    if (strcmp(what, "test") == 0) {
        return test(name, &o, &a);
    }
    if (strcmp(what, "use") == 0) {
        return named("target.use", "scripts go to", name, &o, &a);
    }
    if (strcmp(what, "rm") == 0) {
        return named("target.remove", "forgot", name, &o, &a);
    }
    return cli_usage("target", "add, ls, show, use, test or rm, not '%s'", what);
}

const struct cli_verb cli_target = {
    .name = "target",
    .summary = "clusters that scripts can run on: add, ls, show, use, test, rm",
    .usage =
        "usage: sluice target add NAME --url URL [OPTION ...]   a Flink session cluster that runs already\n"
        "       sluice target ls [--json]\n"
        "       sluice target show NAME [--json]                what is kept of it, without its secrets\n"
        "       sluice target use NAME                          scripts go there when they name no target\n"
        "       sluice target test NAME [--connect HOST:PORT ...] [--flink V] [--json]\n"
        "       sluice target rm NAME\n\n"
        "  --url URL               its REST address; a path in front of Flink's own is fine\n"
        "  --ca FILE               PEM file of the authorities that its certificate is trusted by\n"
        "  --cert FILE, --key FILE PEM files of the certificate to show, and of its key\n"
        "  --header 'NAME: VALUE'  goes with every request; repeatable\n"
        "  --user NAME:PASSWORD    HTTP basic authentication; or --user NAME --password-file FILE\n"
        "  --proxy URL             the HTTP or SOCKS proxy to it\n"
        "  --results-address H:P   where its TaskManagers reach this machine for rows\n\n"
        "test asks what it is, and tries from one of its TaskManagers the results port and every --connect.\n"
        "Headers and passwords are kept in the data folder (mode 0600) and are shown nowhere.\n",
    .exec = exec,
};
