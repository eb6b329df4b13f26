/* SPDX-License-Identifier: Apache-2.0
 * sluice owner run|status|stop. */
#include "gateway/api/owner.h"

#include "gateway/cli/cli.h"
#include "gateway/cli/owner_client.h"
#include "gateway/cli/settings.h"
#include "sys/file.h"

#include <stdio.h>
#include <stdlib.h>

static int run(bool json)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    char *self = sys_self_path(&a);
    struct owner_config c = {.data_dir = cli_settings()->data.p,
                             .flink_dir = sys_flink_dir(&a),
                             .self = self,
                             .build = owner_build_id(&a, self),
                             .settings = cli_settings()};
    if (owner_run(&c, &err)) {
        return 0;
    }
    return json ? cli_print_error_json(&err) : cli_print_error(&err); /* JSON: a command started it */
}

static int status(void)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    struct net_rpc_client *c = cli_owner_connect(false, &err);
    if (!c) {
        printf("no owner runs for %s\n", cli_settings()->data.p);
        return 0;
    }
    const struct sl_json *r = cli_owner_ask(c, "hello", SL_STR_NONE, &a, &err);
    if (r) {
        printf("pid %lld, %lld active runs, results port %lld, %.*s\n",
               (long long)sl_json_i64(sl_json_get(r, "pid"), 0),
               (long long)sl_json_i64(sl_json_get(r, "activeRuns"), 0),
               (long long)sl_json_i64(sl_json_get(r, "resultsPort"), 0),
               SL_S(sl_json_str(sl_json_get(r, "data"), SL_STR(""))));
    }
    net_rpc_client_free(c);
    return r ? 0 : cli_print_error(&err);
}

static int stop(bool yes)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    struct net_rpc_client *c = cli_owner_connect(false, &err);
    if (!c) {
        printf("no owner runs for %s\n", cli_settings()->data.p);
        return 0;
    }
    const struct sl_json *r =
        cli_owner_ask(c, "owner.stop", yes ? SL_STR("{\"yes\":true}") : SL_STR_NONE, &a, &err);
    if (r) {
        /* The socket closes first, the lock is given back last: then nothing of it is left. */
        sl_str line;
        while (net_rpc_client_next(c, -1, &line) == NET_RPC_LINE) {
        }
        char *lock = sys_path_join(&a, cli_settings()->data.p, "owner.lock");
        while (sys_lock_is_held(lock)) {
            struct timespec t = {.tv_nsec = 20000000};
            nanosleep(&t, NULL);
        }
        printf("stopped; %lld run%s ended\n", (long long)sl_json_i64(sl_json_get(r, "ended"), 0),
               sl_json_i64(sl_json_get(r, "ended"), 0) == 1 ? "" : "s");
    }
    net_rpc_client_free(c);
    return r ? 0 : cli_print_error(&err);
}

static int exec(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "status";
    if (strcmp(what, "run") == 0 && (argc <= 2 || (argc == 3 && strcmp(argv[2], "--json") == 0))) {
        return run(argc == 3);
    }
    if (strcmp(what, "status") == 0 && argc <= 2) {
        return status();
    }
    if (strcmp(what, "stop") == 0 && (argc == 2 || (argc == 3 && strcmp(argv[2], "--yes") == 0))) {
        return stop(argc == 3);
    }
    return cli_usage("owner", "run, status or stop, not '%s'", what);
}

const struct cli_verb cli_owner = {
    .name = "owner",
    .summary = "the background process of this data folder: status, stop",
    .usage = "usage: sluice owner status\n"
             "       sluice owner stop [--yes]     ends it, its local Flink and, with --yes, the runs on it\n"
             "       sluice owner run [--json]     runs it in the foreground\n\n"
             "The owner holds the data folder ($SLUICE_DATA), follows the jobs and keeps a warm local Flink. "
             "Commands start\n"
             "it when they need it; it ends by itself when nobody has needed it for a while.\n",
    .exec = exec,
};
