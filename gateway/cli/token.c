/* SPDX-License-Identifier: Apache-2.0
 * sluice token create|ls|revoke: who may speak with the server of this data folder. */
#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/owner_client.h"
#include "gateway/cli/table.h"

#include <stdio.h>

static const struct sl_json *ask(const char *method, const struct sl_buf *params, struct sl_arena *a,
                                 struct sl_err *err)
{
    struct net_rpc_client *c = cli_owner_connect(true, err);
    const struct sl_json *r = c ? cli_owner_ask(c, method, sl_buf_str(params), a, err) : NULL;
    if (c) {
        net_rpc_client_free(c);
    }
    return r;
}

static int create(struct sl_arena *a, sl_str name, const char *role, const char *ttl)
{
    struct sl_err err = SL_ERR_INIT;
    int64_t ms = 0;
    if (ttl && (!sl_str_to_ms(sl_str_of(ttl), &ms) || ms <= 0)) {
        return cli_usage("token", "--expires is a time like 30d or 12h, not '%s'", ttl);
    }
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstr(&w, "name", name);
    sl_jw_kstrz(&w, "role", role ? role : "analyst");
    sl_jw_ki64(&w, "ttlMs", ms);
    sl_jw_end_object(&w);
    const struct sl_json *r = ask("token.make", &b, a, &err);
    if (!r) {
        return cli_print_error(&err);
    }
    fprintf(stderr, "token %.*s of %.*s, role %.*s; it is shown this once\n",
            SL_S(sl_json_str(sl_json_get(r, "id"), SL_STR(""))), SL_S(name),
            SL_S(sl_json_str(sl_json_get(r, "role"), SL_STR(""))));
    printf("%.*s\n", SL_S(sl_json_str(sl_json_get(r, "token"), SL_STR(""))));
    return 0;
}

static int list(struct sl_arena *a, bool json)
{
    struct sl_err err = SL_ERR_INIT;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    const struct sl_json *tokens = sl_json_get(ask("token.list", &b, a, &err), "tokens");
    if (!tokens) {
        return cli_print_error(&err);
    }
    if (json) {
        struct sl_jw w;
        sl_jw_init(&w, &b);
        sl_jw_value(&w, tokens);
        sl_buf_putc(&b, '\n');
        cli_put(stdout, sl_buf_str(&b));
        return 0;
    }
    static const char *const titles[] = {"ID", "NAME", "ROLE", "MADE", "ENDS"};
    struct cli_list *l = cli_list_new(titles, 5);
    SL_JSON_EACH(t, tokens)
    {
        sl_str revoked = sl_json_str(sl_json_get(t, "revoked"), SL_STR_NONE);
        cli_list_cell(l, sl_json_str(sl_json_get(t, "id"), SL_STR("")));
        cli_list_cell(l, sl_json_str(sl_json_get(t, "name"), SL_STR("")));
        cli_list_cell(l, sl_json_str(sl_json_get(t, "role"), SL_STR("")));
        cli_list_cell(l, sl_json_str(sl_json_get(t, "made"), SL_STR("")));
        cli_list_cell(l, revoked.p ? SL_STR("revoked") : sl_json_str(sl_json_get(t, "expires"), SL_STR("-")));
    }
    cli_list_print(l, stdout);
    return 0;
}

static int end_token(struct sl_arena *a, sl_str which)
{
    struct sl_err err = SL_ERR_INIT;
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstr(&w, "token", which);
    sl_jw_end_object(&w);
    if (!ask("token.revoke", &b, a, &err)) {
        return cli_print_error(&err);
    }
    printf("revoked %.*s\n", SL_S(which));
    return 0;
}

static int exec_token(int argc, char **argv)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    bool json = false;
    const char *role = NULL, *expires = NULL, *output = NULL;
    const struct cli_option table[] = {{.name = "--json", .flag = &json},
                                       {.name = "--output", .letter = 'o', .value = &output},
                                       {.name = "--role", .value = &role},
                                       {.name = "--expires", .value = &expires},
                                       {0}};
    struct cli_args x = {.verb = "token", .options = table};
    if (!cli_args_read(&x, &a, argc, argv)) {
        return 2;
    }
    const char *what = x.files.n ? x.files.v[0] : "ls";
    if (strcmp(what, "ls") == 0 && x.files.n <= 1) {
        return list(&a, json || (output && strcmp(output, "json") == 0));
    }
    if (strcmp(what, "create") == 0 && x.files.n == 2) {
        return create(&a, sl_str_of(x.files.v[1]), role, expires);
    }
    if (strcmp(what, "revoke") == 0 && x.files.n == 2) {
        return end_token(&a, sl_str_of(x.files.v[1]));
    }
    return cli_usage("token", "create NAME, ls, or revoke ID");
}

const struct cli_verb cli_token = {
    .name = "token",
    .summary = "who may speak with the server: create, ls, revoke",
    .usage = "usage: sluice token create NAME [--role viewer|analyst|operator|admin] [--expires TIME]\n"
             "       sluice token ls [-o json]\n"
             "       sluice token revoke ID|NAME\n"
             "\n"
             "create prints the token on standard output, this once; only its digest is kept. viewer looks, "
             "analyst (the\n"
             "default) also checks scripts, operator also runs them and stops jobs, admin does "
             "all.\n"
             "The command line of the server's machine needs none: it reads the file `token` in the data "
             "folder.\n",
    .exec = exec_token,
};
