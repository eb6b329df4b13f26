/* SPDX-License-Identifier: Apache-2.0
 * sluice job ls|show|logs; job_stop.h has the other verbs. */
#include "gateway/cli/cli.h"
#include "gateway/cli/job_stop.h"
#include "gateway/cli/owner_client.h"
#include "gateway/cli/table.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLLOW_MS    500
#define FOLLOW_LINES INT64_C(1000) /* asked for each time: more than a log grows in between */

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

/* " (1,930/s)", or nothing where no rate is known. */
static const char *rate(const struct sl_json *o, const char *key, struct sl_arena *a)
{
    int64_t n = sl_json_i64(sl_json_get(o, key), 0);
    if (n <= 0) {
        return "";
    }
    return sl_arena_printf(a, " (%s/s)", grouped(a, sl_arena_printf(a, "%lld", (long long)n).p)).p;
}

/* "2026-11-07T14:02:11.000Z" as "2026-11-07 14:02 UTC". */
static const char *minute(struct sl_arena *a, const char *at)
{
    return strlen(at) < 16 ? at : sl_arena_printf(a, "%.10s %.5s UTC", at, at + 11).p;
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

/* How many jobs are well, and how not: "4 jobs: 2 ok, 1 degraded, 1 unknown". */
static void print_sum(const struct sl_json *jobs, struct sl_arena *a)
{
    static const char *const healths[] = {"ok", "degraded", "down", "unknown"};
    size_t counts[SL_ARRAY_LEN(healths)] = {0};
    bool first = true;
    SL_JSON_EACH(j, jobs)
    {
        for (size_t i = 0; i < SL_ARRAY_LEN(healths); i++) {
            counts[i] += strcmp(text(j, "health", a), healths[i]) == 0;
        }
    }
    printf("%zu job%s:", jobs->n, jobs->n == 1 ? "" : "s");
    for (size_t i = 0; i < SL_ARRAY_LEN(healths); i++) {
        if (counts[i]) {
            printf("%s %zu %s", first ? "" : ",", counts[i], healths[i]);
            first = false;
        }
    }
    printf("\n");
}

static int ls(bool json, bool all)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *r = ask("job.list", all ? SL_STR("{\"all\":true}") : SL_STR_NONE, &a, &err);
    const struct sl_json *jobs = sl_json_get(r, "jobs");
    if (r && !jobs) {
        sl_fail(&err, SL_OWNER, "the owner of the data folder answers without a list of jobs");
    }
    if (!jobs) {
        return cli_print_error(&err);
    }
    if (json) {
        print_json(jobs);
        return 0;
    }
    static const char *const titles[] = {"NAME",  "TARGET",  "MODE",     "STATE",           "HEALTH",
                                         "SINCE", "VERSION", "RESTARTS", "LAST CHECKPOINT", "RUN",
                                         "OWNER"};
    struct cli_list *l = cli_list_new(titles, SL_ARRAY_LEN(titles));
    SL_JSON_EACH(j, jobs)
    {
        const char *name = text(j, "job", &a);
        int64_t version = sl_json_i64(sl_json_get(j, "version"), 0);
        const struct sl_json *checkpoint = sl_json_get(j, "checkpointAgeMs");
        bool live = strcmp(text(j, "sight", &a), "live") == 0;
        cli_list_cell(l, sl_str_of(name[0] ? name : "(SELECT)"));
        cli_list_cell(l, sl_str_of(text(j, "target", &a)));
        cli_list_cell(l, sl_str_of(text(j, "mode", &a)));
        cli_list_cell(l, sl_str_of(text(j, "state", &a)));
        cli_list_cell(l, sl_str_of(text(j, "health", &a)));
        cli_list_cell(l, sl_str_of(age(&a, sl_json_i64(sl_json_get(j, "ageMs"), 0))));
        cli_list_cell(l, name[0] ? sl_arena_printf(&a, "v%lld", (long long)version) : SL_STR("-"));
        cli_list_cell(
            l, live ? sl_arena_printf(&a, "%lld", (long long)sl_json_i64(sl_json_get(j, "restarts"), 0))
                    : SL_STR("-"));
        cli_list_cell(l, checkpoint ? sl_arena_printf(&a, "%s ago", age(&a, sl_json_i64(checkpoint, 0)))
                                    : SL_STR("-"));
        cli_list_cellf(l, "%.8s", text(j, "run", &a));
        cli_list_cell(l, sl_str_of(text(j, "owner", &a)));
    }
    cli_list_print(l, stdout);
    if (jobs->n == 0) {
        printf("no jobs yet: sluice run FILE\n");
    } else {
        print_sum(jobs, &a);
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
    if (name[0]) {
        printf(" version      v%lld  by %s, %s\n", (long long)sl_json_i64(sl_json_get(j, "version"), 0),
               text(j, "owner", &a), minute(&a, text(j, "versionAt", &a)));
    }
    printf(" run          %s  %s, statement %lld     Flink %s\n", text(j, "run", &a), text(j, "kind", &a),
           (long long)sl_json_i64(sl_json_get(j, "statement"), 0), text(j, "flink", &a));
    printf(" tasks        %lld of %lld running     sluice job logs %s\n",
           (long long)sl_json_i64(sl_json_get(j, "tasksRunning"), 0),
           (long long)sl_json_i64(sl_json_get(j, "tasks"), 0),
           name[0] ? name : sl_arena_printf(&a, "%.8s", text(j, "run", &a)).p);
    printf(" records      in %s%s%s   out %s%s%s\n", grouped(&a, text(j, "recordsIn", &a)),
           sl_json_bool(sl_json_get(j, "recordsInAtLeast"), false) ? "+" : "",
           rate(j, "recordsInPerSecond", &a), grouped(&a, text(j, "recordsOut", &a)),
           sl_json_bool(sl_json_get(j, "recordsOutAtLeast"), false) ? "+" : "",
           rate(j, "recordsOutPerSecond", &a));
    int64_t done = sl_json_i64(sl_json_get(j, "checkpointsCompleted"), 0);
    int64_t failed = sl_json_i64(sl_json_get(j, "checkpointsFailed"), 0);
    if (done || failed) {
        const struct sl_json *last = sl_json_get(j, "checkpointAgeMs");
        printf(" checkpoints  ");
        if (last) {
            printf("last #%lld  %s ago; ", (long long)sl_json_i64(sl_json_get(j, "lastCheckpoint"), 0),
                   age(&a, sl_json_i64(last, 0)));
        }
        printf("%lld done, %lld failed\n", (long long)done, (long long)failed);
    }
    printf(" restarts     %lld\n", (long long)sl_json_i64(sl_json_get(j, "restarts"), 0));
    if (text(j, "rest", &a)[0] && !sl_json_bool(sl_json_get(j, "ended"), true)) {
        printf(" web UI       %s/#/job/running/%s/overview\n", text(j, "rest", &a), text(j, "flinkJob", &a));
    }
    return 0;
}

struct logs_options {
    const char *job, *which;
    int64_t tail;
    bool follow;
};

static int logs_parse(struct logs_options *o, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--tm") == 0) {
            o->which = "taskmanager";
        } else if (strcmp(argv[i], "--jm") == 0) {
            o->which = "jobmanager";
        } else if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--follow") == 0) {
            o->follow = true;
        } else if (strcmp(argv[i], "--tail") == 0 && i + 1 < argc) {
            if (!sl_str_to_i64(sl_str_of(argv[++i]), &o->tail) || o->tail <= 0) {
                return cli_usage("job", "--tail takes a number of lines, not '%s'", argv[i]);
            }
        } else if (argv[i][0] == '-' || o->job) {
            return cli_usage("job", "logs NAME [--jm|--tm] [--tail N] [-f]: '%s' is too much", argv[i]);
        } else {
            o->job = argv[i];
        }
    }
    return o->job ? 0 : cli_usage("job", "logs of which job?");
}

/* What of `now` is new to who has seen `seen`, which ends with its last bytes: the text behind them, or all
 * of it. */
static sl_str news(sl_str now, sl_str seen)
{
    if (seen.n == 0 || now.n < seen.n) {
        return now;
    }
    for (size_t at = now.n - seen.n + 1; at-- > 0;) {
        if (memcmp(now.p + at, seen.p, seen.n) == 0) {
            return sl_str_sub(now, at + seen.n, now.n - at - seen.n);
        }
    }
    return now;
}

/* Until the run has ended, or Ctrl-C. */
static int logs_follow(const struct logs_options *o)
{
    char last[512]; /* the end of what was printed */
    size_t n = 0;
    int64_t tail = o->tail;
    for (bool ended = false;;) {
        SL_ARENA_AUTO a;
        sl_arena_init(&a, 0);
        struct sl_err err = SL_ERR_INIT;
        const struct sl_json *r = ask("job.logs", job_param(&a, o->job, o->which, tail), &a, &err);
        if (!r) {
            return cli_print_error(&err);
        }
        sl_str now = sl_json_str(sl_json_get(r, "text"), SL_STR("")), fresh = news(now, (sl_str){last, n});
        if (fwrite(fresh.p, 1, fresh.n, stdout) != fresh.n || fflush(stdout) != 0) {
            return 0; /* the reader has gone */
        }
        if (now.n) {
            n = SL_MIN(now.n, sizeof(last));
            memcpy(last, now.p + now.n - n, n);
        }
        if (ended) {
            return 0;
        }
        const struct sl_json *j = ask("job.show", job_param(&a, o->job, NULL, 0), &a, &err);
        ended = sl_json_bool(sl_json_get(j, "ended"), true);
        tail = SL_MAX(o->tail, FOLLOW_LINES);
        sys_sleep_ms(ended ? 0 : FOLLOW_MS);
    }
}

static int logs(int argc, char **argv)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    struct logs_options o = {.which = "jobmanager", .tail = 200};
    int rc = logs_parse(&o, argc, argv);
    if (rc) {
        return rc;
    }
    if (o.follow) {
        return logs_follow(&o);
    }
    const struct sl_json *r = ask("job.logs", job_param(&a, o.job, o.which, o.tail), &a, &err);
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
    int code;
    if (argc > 1 && cli_job_stop(argc - 1, argv + 1, &code)) {
        return code;
    }
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
    if (strcmp(what, "show") == 0) {
        return job ? show(job, json) : cli_usage("job", "show which job?   sluice job ls");
    }
    return cli_usage("job", "ls, show, stop, savepoint, cancel, history, rm or logs, not '%s'", what);
}

const struct cli_verb cli_job = {
    .name = "job",
    .summary = "jobs and their runs: ls, show, stop, savepoint, cancel, history, rm, logs",
    .usage =
        "usage: sluice job ls [--all] [--json]           newest run of each job; --all: every run, "
        "SELECTs too\n"
        "       sluice job show NAME|RUN [--json]\n"
        "       sluice job stop NAME|RUN [--savepoint-dir D] [--drain] [--json]   ends it with a savepoint\n"
        "       sluice job savepoint NAME|RUN [--savepoint-dir D] [--json]        takes one; it goes on\n"
        "       sluice job cancel NAME|RUN [--yes] [--json]   ends it without one; asks when that loses "
        "state\n"
        "       sluice job history NAME [-n N] [--json]       versions, runs, snapshots\n"
        "       sluice job rm NAME [--json]                   forgets a job that has ended\n"
        "       sluice job logs NAME|RUN [--jm|--tm] [--tail N] [-f]\n\n"
        "A run is named by its id or a unique beginning of it, at least 6 digits.\n",
    .exec = exec,
};
