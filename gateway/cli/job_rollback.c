/* SPDX-License-Identifier: Apache-2.0
 * sluice job rollback NAME [VERSION]. Values of secrets are not kept with a version: they are given again. */
#include "base/digest.h"
#include "base/json.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/job_stop.h"
#include "gateway/cli/run_events.h"
#include "gateway/cli/source.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

struct words {
    const char *job;
    int64_t version, well_ms;
    bool lenient;
    struct cli_events_options show;
    struct cli_source_options given;
};

/* "v7" or "7". */
static bool read_version(const char *word, int64_t *ret)
{
    return sl_str_to_i64(sl_str_of(word + (word[0] == 'v')), ret) && *ret > 0;
}

/* 0, or an exit code. */
static int read_words(struct words *w, struct sl_arena *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--var", 5) == 0) {
            int taken = cli_source_option(&w->given, a, "job", argc, argv, &i);
            if (taken <= 0) {
                return taken < 0 ? sl_code_exit(SL_USAGE)
                                 : cli_usage("job", "'%s' is not expected after 'rollback'", argv[i]);
            }
        } else if (strcmp(argv[i], "--json") == 0) {
            w->show.json = true;
        } else if (strcmp(argv[i], "-q") == 0 || strcmp(argv[i], "--quiet") == 0) {
            w->show.quiet = true;
        } else if (strcmp(argv[i], "--stack") == 0) {
            w->show.stack = true;
        } else if (strcmp(argv[i], "--allow-non-restored-state") == 0) {
            w->lenient = true;
        } else if (strcmp(argv[i], "--well") == 0 && i + 1 < argc) {
            if (!sl_str_to_ms(sl_str_of(argv[++i]), &w->well_ms) || w->well_ms <= 0) {
                return cli_usage("job", "--well takes a time such as 5min, not '%s'", argv[i]);
            }
        } else if (argv[i][0] == '-' || (w->job && w->version)) {
            return cli_usage("job", "'%s' is not expected after 'rollback'", argv[i]);
        } else if (!w->job) {
            w->job = argv[i];
        } else if (!read_version(argv[i], &w->version)) {
            return cli_usage("job", "a version is a number such as v3, not '%s'", argv[i]);
        }
    }
    return w->job ? 0 : cli_usage("job", "roll back which job?   sluice job ls");
}

int cli_job_rollback(int argc, char **argv)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct words x = {0};
    struct sql_script none;
    SL_BUF_AUTO b;
    struct sl_jw w;
    char key[33];
    const struct passwd *pw = getpwuid(getuid());
    cli_rows_defaults(&x.show.rows, stdout);
    int rc = read_words(&x, &a, argc, argv);
    if (rc) {
        return rc;
    }
    struct sql_vars secrets = {0};
    struct cli_source_error unread = {.err = SL_ERR_INIT};
    if (!cli_source_given(&secrets, &a, &x.given, &unread)) {
        return cli_source_error_print(&unread);
    }
    sl_random_hex(key, 16);
    sql_script_init(&none, &a, SQL_FLINK_DEFAULT);
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "jsonrpc", "2.0");
    sl_jw_ki64(&w, "id", 1);
    sl_jw_kstrz(&w, "method", "job.rollback");
    sl_jw_key(&w, "params");
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "job", x.job);
    sl_jw_kstrz(&w, "key", key);
    sl_jw_kstrz(&w, "owner", pw ? pw->pw_name : "");
    sl_jw_ki64(&w, "version", x.version);
    sl_jw_ki64(&w, "wellMs", x.well_ms);
    sl_jw_kbool(&w, "allowNonRestoredState", x.lenient);
    sl_jw_key(&w, "vars");
    sl_jw_array(&w);
    for (size_t i = 0; i < secrets.list.n; i++) {
        sl_jw_object(&w);
        sl_jw_kstr(&w, "name", secrets.list.v[i].name);
        sl_jw_kstr(&w, "value", secrets.list.v[i].value);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    sl_jw_end_object(&w);
    struct cli_events *ev = cli_events_new(&x.show, &none);
    rc = cli_run_request(sl_buf_str(&b), ev);
    cli_events_free(ev);
    return rc;
}
