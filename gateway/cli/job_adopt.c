/* SPDX-License-Identifier: Apache-2.0
 * sluice job adopt: from now on a job that others started is followed. */
#include "gateway/cli/job_adopt.h"

#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/owner_client.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

int cli_job_adopt(int argc, char **argv)
{
    SL_ARENA_AUTO a;
    SL_BUF_AUTO b;
    sl_arena_init(&a, 0);
    sl_buf_init(&b, 0);
    const char *name = NULL;
    bool json = false;
    const struct cli_option table[] = {
        {.name = "--name", .value = &name}, {.name = "--json", .flag = &json}, {0}};
    struct cli_args x = {.verb = "job", .options = table};
    if (!cli_args_read_one(&x, &a, argc, argv)) {
        return 2;
    }
    const char *what = x.files.v[0], *slash = strrchr(what, '/');
    if (!slash || slash == what || !slash[1]) {
        return cli_usage("job", "adopt takes TARGET/FLINK_JOB_ID, not '%s'", what);
    }
    const struct passwd *pw = getpwuid(getuid());
    struct sl_jw w;
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstr(&w, "target", (sl_str){what, (size_t)(slash - what)});
    sl_jw_kstrz(&w, "flinkJob", slash + 1);
    sl_jw_kstrz(&w, "name", name ? name : "");
    sl_jw_kstrz(&w, "owner", pw ? pw->pw_name : "");
    sl_jw_end_object(&w);
    struct sl_err err = SL_ERR_INIT;
    struct net_rpc_client *c = cli_owner_connect(true, &err);
    const struct sl_json *r = c ? cli_owner_ask(c, "job.adopt", sl_buf_str(&b), &a, &err) : NULL;
    net_rpc_client_free(c);
    if (!r) {
        return cli_print_error(&err);
    }
    if (json) {
        SL_BUF_AUTO out;
        sl_buf_init(&out, 0);
        sl_jw_init(&w, &out);
        sl_jw_value(&w, r);
        sl_buf_putc(&out, '\n');
        cli_put(stdout, sl_buf_str(&out));
        return 0;
    }
    sl_str job = sl_json_str(sl_json_get(r, "job"), SL_STR("")),
           run = sl_json_str(sl_json_get(r, "run"), SL_STR(""));
    printf("adopted %.*s, run %.8s; sluice job show %.*s\n", SL_S(job), run.p, SL_S(job));
    return 0;
}
