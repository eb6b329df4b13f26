/* SPDX-License-Identifier: Apache-2.0
 * sluice serve: the owner of the data folder in the foreground, with HTTP and WebSocket in front of it. */
#include "gateway/api/owner.h"
#include "gateway/flinkgw/flinkgw.h"

#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/owner_client.h"
#include "gateway/cli/settings.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <stdio.h>

struct listening {
    bool tls, no_auth;
    sl_str listen;
    const char *data;
};

static void on_listening(void *ctx, int port)
{
    const struct listening *l = ctx;
    sl_str host = SL_STR("");
    int64_t asked;
    (void)!sys_config_address(l->listen, &host, &asked);
    printf("listening on %s://%.*s:%d   %s\n", l->tls ? "https" : "http", SL_S(host), port,
           l->no_auth ? "no token is asked for" : "tokens: sluice token create");
    fflush(stdout);
}

/* A background owner of this folder makes way when it has nothing to do. */
static bool make_way(struct sl_arena *a, struct sl_err *err)
{
    struct sl_err ignored = SL_ERR_INIT;
    struct net_rpc_client *c = cli_owner_connect(false, &ignored);
    if (!c) {
        return true;
    }
    const struct sl_json *hello = cli_owner_ask(c, "hello", SL_STR_NONE, a, err);
    int64_t active = sl_json_i64(sl_json_get(hello, "activeRuns"), 0);
    bool ok = hello && active == 0 && cli_owner_ask(c, "owner.stop", SL_STR_NONE, a, err);
    if (hello && active) {
        sl_fail(err, SL_BUSY, "another process (pid %lld) owns %s and follows %lld runs",
                (long long)sl_json_i64(sl_json_get(hello, "pid"), 0), cli_settings()->data.p,
                (long long)active);
        sl_hint(err, "sluice job ls            shows them\nsluice owner stop --yes  ends them");
    }
    sl_str line;
    while (ok && net_rpc_client_next(c, -1, &line) == NET_RPC_LINE) {
    }
    char *lock = sys_path_join(a, cli_settings()->data.p, "owner.lock");
    while (ok && sys_lock_is_held(lock)) {
        sys_sleep_ms(20);
    }
    net_rpc_client_free(c);
    return ok;
}

static int exec_serve(int argc, char **argv)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    bool no_auth = false;
    const struct cli_option table[] = {{.name = "--no-auth", .flag = &no_auth}, {0}};
    struct cli_args x = {.verb = "serve", .options = table};
    if (!cli_args_read(&x, &a, argc, argv)) {
        return 2;
    }
    if (x.files.n) {
        return cli_usage("serve", "it takes no files");
    }
    const struct sys_config *set = cli_settings();
    struct listening l = {.tls = set->tls_cert.n, .no_auth = no_auth, .listen = set->listen};
    char *self = sys_self_path(&a);
    static const struct api_dialect *const spoken[] = {&fgw_dialect, NULL};
    struct owner_config c = {.data_dir = set->data.p,
                             .flink_dir = sys_flink_dir(&a),
                             .self = self,
                             .build = owner_build_id(&a, self),
                             .settings = set,
                             .serve = true,
                             .no_auth = no_auth,
                             .dialects = spoken,
                             .listening = on_listening,
                             .ctx = &l};
    if (!make_way(&a, &err) || !owner_run(&c, &err)) {
        return cli_print_error(&err);
    }
    return 0;
}

const struct cli_verb cli_serve = {
    .name = "serve",
    .summary = "run the server: REST, WebSocket, events",
    .usage =
        "usage: sluice serve [--listen HOST:PORT] [--data FOLDER] [--no-auth | --anonymous NAME:ROLE]\n"
        "                    [--hosts NAMES] [--tls-cert FILE --tls-key FILE [--tls-client-ca FILE]]\n"
        "\n"
        "Runs in the foreground until it is interrupted or terminated, and prints where it listens. The API\n"
        "is described by /api/v1/openapi.json and docs/server.md. Signals: HUP reads settings, tokens and\n"
        "certificate again, USR1 writes its state into the log, TERM lets calls end (limit.drain).\n"
        "\n"
        "  --listen HOST:PORT  default 127.0.0.1:8083; port 0 takes a free one\n"
        "  --no-auth           ask for no token (loopback addresses only); else see sluice token\n"
        "  --anonymous NAME:ROLE  who a client is that brings no token (loopback addresses only), for "
        "clients\n"
        "                      that know none: dbt:operator; those with a token are who they are\n"
        "  --hosts NAMES       names besides this machine's own under which it may be called\n"
        "  --tls-cert FILE     speak TLS with this certificate (PEM); --tls-key FILE is its key\n"
        "  --tls-client-ca FILE  ask for client certificates of this authority\n",
    .exec = exec_serve,
};
