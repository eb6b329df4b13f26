/* SPDX-License-Identifier: Apache-2.0
 * sluice job ls; job_print.h and job_stop.h have the other verbs. */
#include "gateway/cli/cli.h"
#include "gateway/cli/job_adopt.h"
#include "gateway/cli/job_print.h"
#include "gateway/cli/job_stop.h"
#include "gateway/cli/table.h"

#include <stdio.h>

/* "8 s", "31 m", "6 h" */
static const char *checkpoint_age(struct sl_arena *a, int64_t ms)
{
    const char *age = job_age(a, ms);
    return strstr(age, " min") ? sl_arena_printf(a, "%.*s m", (int)(strchr(age, ' ') - age), age).p : age;
}

/* " (target fra-2 not reachable for 4 min: sluice target test fra-2)" of the first that is not seen. */
static void print_unseen(const struct sl_json *jobs, struct sl_arena *a)
{
    SL_JSON_EACH(j, jobs)
    {
        const struct sl_json *silent = sl_json_get(j, "silentMs");
        const char *target = job_text(j, "target", a);
        if (!silent) {
            continue;
        }
        printf(" (target %s not reachable for %s: sluice %s", target, job_age(a, sl_json_i64(silent, 0)),
               strcmp(target, "local") == 0 ? "doctor" : "target test ");
        printf("%s)", strcmp(target, "local") == 0 ? "" : target);
        return;
    }
}

/* How many jobs are well, and how not: "4 jobs: 2 ok, 1 degraded, 1 unknown". */
static void print_sum(const struct sl_json *jobs, struct sl_arena *a)
{
    static const char *const healths[] = {"ok", "degraded", "down", "unknown"};
    size_t counts[SL_ARRAY_LEN(healths)] = {0}, n = 0;
    bool first = true;
    SL_JSON_EACH(j, jobs)
    {
        n++;
        for (size_t i = 0; i < SL_ARRAY_LEN(healths); i++) {
            counts[i] += strcmp(job_text(j, "health", a), healths[i]) == 0;
        }
    }
    printf("%zu job%s:", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < SL_ARRAY_LEN(healths); i++) {
        if (counts[i]) {
            printf("%s %zu %s", first ? "" : ",", counts[i], healths[i]);
            first = false;
        }
    }
    print_unseen(jobs, a);
    printf("\n");
}

/* Every page of the list; NULL: error. */
static struct sl_json *all_jobs(bool all, struct sl_arena *a, struct sl_err *err)
{
    struct sl_json *list = sl_new(a, struct sl_json), **end = &list->child;
    sl_str after = SL_STR("");
    list->type = SL_JSON_ARRAY;
    do {
        sl_str params =
            sl_arena_printf(a, "{\"all\":%s,\"after\":\"%.*s\"}", all ? "true" : "false", SL_S(after));
        const struct sl_json *r = job_ask("job.list", params, a, err);
        const struct sl_json *jobs = sl_json_get(r, "jobs");
        if (!jobs) {
            return r ? (sl_fail(err, SL_OWNER, "the owner of the data folder answers without a list of jobs"),
                        NULL)
                     : NULL;
        }
        *end = jobs->child;
        while (*end) {
            end = &(*end)->next;
        }
        list->n += jobs->n;
        after = sl_json_str(sl_json_get(r, "next"), SL_STR(""));
    } while (after.n);
    return list;
}

static int ls(bool json, bool all)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *jobs = all_jobs(all, &a, &err);
    if (!jobs) {
        return cli_print_error(&err);
    }
    if (json) {
        job_print_json(jobs);
        return 0;
    }
    static const char *const titles[] = {"NAME",  "TARGET",  "MODE",     "STATE",           "HEALTH",
                                         "SINCE", "VERSION", "RESTARTS", "LAST CHECKPOINT", "RUN",
                                         "OWNER"};
    struct cli_list *l = cli_list_new(titles, SL_ARRAY_LEN(titles));
    SL_JSON_EACH(j, jobs)
    {
        const char *name = job_text(j, "job", &a);
        int64_t version = sl_json_i64(sl_json_get(j, "version"), 0);
        const struct sl_json *checkpoint = sl_json_get(j, "checkpointAgeMs");
        const char *since = sl_json_bool(sl_json_get(j, "ended"), false) ? "ageMs" : "healthAgeMs";
        bool live = strcmp(job_text(j, "sight", &a), "live") == 0;
        cli_list_cell(l, sl_str_of(name[0] ? name : "(SELECT)"));
        cli_list_cell(l, sl_str_of(job_text(j, "target", &a)));
        cli_list_cell(l, sl_str_of(job_text(j, "mode", &a)));
        cli_list_cell(l, sl_str_of(job_text(j, "state", &a)));
        cli_list_cell(l, sl_str_of(job_text(j, "health", &a)));
        cli_list_cell(l, sl_str_of(job_age_short(&a, sl_json_i64(sl_json_get(j, since), 0))));
        cli_list_cell(l, name[0] ? sl_arena_printf(&a, "v%lld", (long long)version) : SL_STR("-"));
        cli_list_cell(
            l, live ? sl_arena_printf(&a, "%lld", (long long)sl_json_i64(sl_json_get(j, "restarts"), 0))
                    : SL_STR("-"));
        cli_list_cell(l, checkpoint
                             ? sl_arena_printf(&a, "%s ago", checkpoint_age(&a, sl_json_i64(checkpoint, 0)))
                             : SL_STR("-"));
        cli_list_cellf(l, "%.8s", job_text(j, "run", &a));
        cli_list_cell(l, sl_str_of(job_text(j, "owner", &a)));
    }
    cli_list_print(l, stdout);
    if (jobs->n == 0) {
        printf("no jobs yet: sluice run FILE\n");
    } else {
        print_sum(jobs, &a);
    }
    return 0;
}

static int exec(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "ls";
    bool json = false, all = false;
    const char *job = NULL;
    int code;
    if (argc > 1 && strcmp(argv[1], "rollback") == 0) {
        return cli_job_rollback(argc - 1, argv + 1);
    }
    if (argc > 1 && cli_job_stop(argc - 1, argv + 1, &code)) {
        return code;
    }
    static const struct {
        const char *name;
        int (*verb)(int argc, char **argv);
    } verbs[] = {{"show", job_show}, {"wait", job_wait}, {"logs", job_logs}, {"adopt", cli_job_adopt}};
    for (size_t i = 0; i < SL_ARRAY_LEN(verbs); i++) {
        if (strcmp(what, verbs[i].name) == 0) {
            return verbs[i].verb(argc - 1, argv + 1);
        }
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-ojson") == 0) {
            json = true;
        } else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc && strcmp(argv[i + 1], "json") == 0) {
            json = true;
            i++;
        } else if (strcmp(argv[i], "--all") == 0) {
            all = true;
        } else if (argv[i][0] == '-' || job) {
            return cli_usage("job", "'%s' is not expected here", argv[i]);
        } else {
            job = argv[i];
        }
    }
    if (strcmp(what, "ls") == 0 || strcmp(what, "list") == 0) {
        return job ? cli_usage("job", "ls takes no name; sluice job show %s", job) : ls(json, all);
    }
    return cli_usage(
        "job", "ls, show, wait, stop, savepoint, cancel, history, adopt, rollback, rm or logs, not '%s'",
        what);
}

const struct cli_verb cli_job = {
    .name = "job",
    .summary =
        "jobs and their runs: ls, show, wait, stop, savepoint, cancel, history, adopt, rollback, rm, logs",
    .usage =
        "usage: sluice job ls [--all] [--json]           newest run of each job; --all: every run, SELECTs "
        "too\n"
        "       sluice job show NAME|RUN [--stack] [--check] [--json]\n"
        "       sluice job wait NAME|RUN [--for health=ok|state=RUNNING|ended] [--timeout T]\n"
        "       sluice job stop NAME|RUN [--savepoint-dir D] [--drain] [--json]   ends it with a savepoint\n"
        "       sluice job savepoint NAME|RUN [--savepoint-dir D] [--json]        takes one; it goes on\n"
        "       sluice job cancel NAME|RUN [--yes] [--json]   ends it without one; asks when that loses "
        "state\n"
        "       sluice job history NAME [-n N] [--json]       versions, runs, snapshots\n"
        "       sluice job rollback NAME [VERSION] [--well T]  replaces it by an older version, its state "
        "kept;\n"
        "                             [--var secret.N=V] [--var-file F]      values of its secrets, which "
        "are not "
        "kept\n"
        "       sluice job adopt TARGET/FLINK_JOB_ID [--name N] [--json]          follows one that others "
        "started\n"
        "       sluice job rm NAME [--json]                   forgets a job that has ended\n"
        "       sluice job logs NAME|RUN [--jm|--tm [ID]|--errors] [--tail N] [--since T] [--previous] "
        "[-f]\n\n"
        "A run is named by its id or a unique beginning of it, at least 6 digits.\n"
        "show --check exits 0 when it is well, 1 degraded or down, 4 when it is not seen; --stack: Java's "
        "words.\n"
        "wait exits 0 when it is so, 1 when the run has ended otherwise, 124 after the time.\n",
    .exec = exec,
};
