/* SPDX-License-Identifier: Apache-2.0
 * sluice job ls|show|cancel|logs. */
#include "gateway/cli/cli.h"
#include "gateway/cli/owner_client.h"
#include "gateway/cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *text(const struct sl_json *o, const char *key, struct sl_arena *a)
{
    return sl_arena_strdupz(a, sl_json_str(sl_json_get(o, key), SL_STR("")));
}

/* "8 s", "22 m", "6 h", "13 d". */
static const char *age(struct sl_arena *a, int64_t ms)
{
    int64_t s = SL_MAX(ms, 0) / 1000;
    if (s < 100) {
        return sl_arena_printf(a, "%lld s", (long long)s).p;
    }
    if (s < 6000) {
        return sl_arena_printf(a, "%lld m", (long long)s / 60).p;
    }
    return s < 172800 ? sl_arena_printf(a, "%lld h", (long long)s / 3600).p
                      : sl_arena_printf(a, "%lld d", (long long)s / 86400).p;
}

/* 41,208,113 */
static const char *grouped(struct sl_arena *a, const char *digits)
{
    size_t n = strlen(digits), out = 0;
    char *p = sl_arena_alloc(a, n + n / 3 + 1);
    for (size_t i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) {
            p[out++] = ',';
        }
        p[out++] = digits[i];
    }
    p[out] = 0;
    return p;
}

static const struct sl_json *ask(const char *method, sl_str params, struct sl_arena *a, struct sl_err *err)
{
    struct net_rpc_client *c = cli_owner_connect(true, err);
    const struct sl_json *r = c ? cli_owner_ask(c, method, params, a, err) : NULL;
    net_rpc_client_free(c);
    return r;
}

static void print_json(const struct sl_json *v)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_value(&w, v);
    sl_buf_putc(&b, '\n');
    fwrite(b.p, 1, b.n, stdout);
}

static sl_str job_param(struct sl_arena *a, const char *job, const char *which, int64_t tail)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "job", job);
    if (which) {
        sl_jw_kstrz(&w, "which", which);
        sl_jw_ki64(&w, "tail", tail);
    }
    sl_jw_end_object(&w);
    return sl_str_dup(a, sl_buf_str(&b));
}

static int ls(bool json, bool all)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *r = ask("job.list", all ? SL_STR("{\"all\":true}") : SL_STR_NONE, &a, &err);
    if (!r) {
        return cli_print_error(&err);
    }
    const struct sl_json *jobs = sl_json_get(r, "jobs");
    if (json) {
        print_json(jobs);
        return 0;
    }
    static const char *const titles[] = {"NAME",  "TARGET",  "MODE",     "STATE", "HEALTH",
                                         "SINCE", "VERSION", "RESTARTS", "RUN",   "OWNER"};
    struct cli_list *l = cli_list_new(titles, SL_ARRAY_LEN(titles));
    size_t n = 0, ok = 0;
    SL_JSON_EACH(j, jobs)
    {
        const char *name = text(j, "job", &a), *run = text(j, "run", &a), *health = text(j, "health", &a);
        cli_list_cell(l, sl_str_of(name[0] ? name : "(SELECT)"));
        cli_list_cell(l, sl_str_of(text(j, "target", &a)));
        cli_list_cell(l, sl_str_of(text(j, "mode", &a)));
        cli_list_cell(l, sl_str_of(text(j, "state", &a)));
        cli_list_cell(l, sl_str_of(health));
        cli_list_cell(l, sl_str_of(age(&a, sl_json_i64(sl_json_get(j, "ageMs"), 0))));
        cli_list_cellf(l, "v%lld", (long long)sl_json_i64(sl_json_get(j, "version"), 0));
        cli_list_cellf(l, "%lld", (long long)sl_json_i64(sl_json_get(j, "restarts"), 0));
        cli_list_cellf(l, "%.8s", run);
        cli_list_cell(l, sl_str_of(text(j, "owner", &a)));
        n++;
        ok += strcmp(health, "ok") == 0;
    }
    cli_list_print(l, stdout);
    if (n == 0) {
        printf("no jobs yet: sluice run FILE\n");
    } else {
        printf("%zu job%s: %zu ok\n", n, n == 1 ? "" : "s", ok);
    }
    return 0;
}

static void show_error(const struct sl_json *e, struct sl_arena *a)
{
    printf(" cause        %s [%s]\n", text(e, "message", a), text(e, "code", a));
    if (text(e, "place", a)[0]) {
        printf(" where        %s\n", text(e, "place", a));
    }
    if (text(e, "hint", a)[0]) {
        printf(" you can      %s\n", text(e, "hint", a));
    }
}

static int show(const char *job, bool json)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *j = ask("job.show", job_param(&a, job, NULL, 0), &a, &err);
    if (!j) {
        return cli_print_error(&err);
    }
    if (json) {
        print_json(j);
        return 0;
    }
    const char *name = text(j, "job", &a), *health = text(j, "health", &a);
    char head[256];
    snprintf(head, sizeof(head), "%s, %s for %s", text(j, "state", &a), health,
             age(&a, sl_json_i64(sl_json_get(j, "ageMs"), 0)));
    printf("%-25s %-44s %s / %s\n", name[0] ? name : "(SELECT)", head, text(j, "target", &a),
           text(j, "mode", &a));
    if (text(j, "why", &a)[0]) {
        printf(" why          %s\n", text(j, "why", &a));
    }
    if (sl_json_get(j, "error")) {
        show_error(sl_json_get(j, "error"), &a);
    }
    if (sl_json_i64(sl_json_get(j, "version"), 0)) {
        printf(" version      v%lld  by %s, %s\n", (long long)sl_json_i64(sl_json_get(j, "version"), 0),
               text(j, "owner", &a), text(j, "versionAt", &a));
    }
    printf(" run          %s  %s, statement %lld  Flink %s\n", text(j, "run", &a), text(j, "kind", &a),
           (long long)sl_json_i64(sl_json_get(j, "statement"), 0), text(j, "flink", &a));
    printf(" tasks        %lld of %lld running\n", (long long)sl_json_i64(sl_json_get(j, "tasksRunning"), 0),
           (long long)sl_json_i64(sl_json_get(j, "tasks"), 0));
    printf(" records      in %s   out %s\n", grouped(&a, text(j, "recordsIn", &a)),
           grouped(&a, text(j, "recordsOut", &a)));
    int64_t done = sl_json_i64(sl_json_get(j, "checkpointsCompleted"), 0);
    int64_t failed = sl_json_i64(sl_json_get(j, "checkpointsFailed"), 0);
    if (done || failed) {
        printf(" checkpoints  last #%lld %s; %lld done, %lld failed\n",
               (long long)sl_json_i64(sl_json_get(j, "lastCheckpoint"), 0), text(j, "lastCheckpointAt", &a),
               (long long)done, (long long)failed);
    }
    printf(" restarts     %lld\n", (long long)sl_json_i64(sl_json_get(j, "restarts"), 0));
    if (text(j, "rest", &a)[0] && !sl_json_bool(sl_json_get(j, "ended"), true)) {
        printf(" web UI       %s/#/job/running/%s/overview\n", text(j, "rest", &a), text(j, "flinkJob", &a));
    }
    return 0;
}

static int cancel(const char *job, bool json)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *r = ask("job.cancel", job_param(&a, job, NULL, 0), &a, &err);
    if (!r) {
        return cli_print_error(&err);
    }
    if (json) {
        print_json(r);
        return 0;
    }
    size_t n = sl_json_get(r, "ended")->n;
    printf("canceled %s (%zu run%s)\n", job, n, n == 1 ? "" : "s");
    return 0;
}

static int logs(int argc, char **argv)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    const char *job = NULL, *which = "jobmanager";
    int64_t tail = 200;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--tm") == 0) {
            which = "taskmanager";
        } else if (strcmp(argv[i], "--jm") == 0) {
            which = "jobmanager";
        } else if (strcmp(argv[i], "--tail") == 0 && i + 1 < argc) {
            if (!sl_str_to_i64(sl_str_of(argv[++i]), &tail) || tail <= 0) {
                return cli_usage("job", "--tail takes a number of lines, not '%s'", argv[i]);
            }
        } else if (argv[i][0] == '-' || job) {
            return cli_usage("job", "logs NAME [--jm|--tm] [--tail N]: '%s' is too much", argv[i]);
        } else {
            job = argv[i];
        }
    }
    if (!job) {
        return cli_usage("job", "logs of which job?");
    }
    const struct sl_json *r = ask("job.logs", job_param(&a, job, which, tail), &a, &err);
    if (!r) {
        return cli_print_error(&err);
    }
    sl_str out = sl_json_str(sl_json_get(r, "text"), SL_STR(""));
    fwrite(out.p, 1, out.n, stdout);
    return 0;
}

static int exec(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "ls";
    bool json = false, all = false;
    const char *job = NULL;
    if (strcmp(what, "logs") == 0) {
        return logs(argc - 2, argv + 2);
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
    if (strcmp(what, "show") == 0 || strcmp(what, "cancel") == 0) {
        if (!job) {
            return cli_usage("job", "%s which job?   sluice job ls", what);
        }
        return what[0] == 's' ? show(job, json) : cancel(job, json);
    }
    return cli_usage("job", "ls, show, cancel or logs, not '%s'", what);
}

const struct cli_verb cli_job = {
    .name = "job",
    .summary = "jobs and their runs: ls, show, cancel, logs",
    .usage = "usage: sluice job ls [--all] [--json]           newest run of each job; --all: every run, "
             "SELECTs too\n"
             "       sluice job show NAME|RUN [--json]\n"
             "       sluice job cancel NAME|RUN [--json]     ends it without a savepoint\n"
             "       sluice job logs NAME|RUN [--jm|--tm] [--tail N]\n\n"
             "A run is named by its id or a unique beginning of it, at least 6 digits.\n",
    .exec = exec,
};
