/* SPDX-License-Identifier: Apache-2.0
 * sluice job show|wait. A job that is well shows its figures; one that is not shows first why, since when, what
 * is safe and what can be done. */
#include "gateway/cli/cli.h"
#include "gateway/cli/job_print.h"
#include "sys/clock.h"

#include <stdio.h>

#define WAIT_LOOK_MS 200

static int64_t num(const struct sl_json *o, const char *key)
{
    return sl_json_i64(sl_json_get(o, key), 0);
}

static const char *count(struct sl_arena *a, int64_t n)
{
    return job_grouped(a, sl_arena_printf(a, "%lld", (long long)n).p);
}

/* "1.2 s", "340 ms" */
static const char *took(struct sl_arena *a, int64_t ms)
{
    return ms < 1000 ? sl_arena_printf(a, "%lld ms", (long long)ms).p
                     : sl_arena_printf(a, "%.1f s", (double)ms / 1000).p;
}

/* "34 MB", "6.1 kB" */
static const char *bytes(struct sl_arena *a, int64_t n)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double v = (double)n;
    size_t u = 0;
    while (v >= 1000 && u + 1 < SL_ARRAY_LEN(units)) {
        v /= 1000;
        u++;
    }
    return sl_arena_printf(a, u == 0 || v >= 10 ? "%.0f %s" : "%.1f %s", v, units[u]).p;
}

static const char *every(struct sl_arena *a, int64_t ms)
{
    return ms < 10000 && ms % 1000 ? took(a, ms) : job_age(a, ms);
}

static bool is(const struct sl_json *j, const char *key, const char *word, struct sl_arena *a)
{
    return strcmp(job_text(j, key, a), word) == 0;
}

/* ---- not well ---- */

/* `shown`: the cause as it is told; with a record it lies in the data. */
static void show_since(const struct sl_json *j, const struct sl_json *cause, const struct sl_json *shown,
                       struct sl_arena *a)
{
    const char *at = job_text(j, "restartingSince", a);
    at = at[0] ? at : job_text(cause, "at", a);
    if (strlen(at) < 19) {
        return;
    }
    int64_t version_ms = num(j, "versionAgeMs");
    printf(" since        %.8s UTC", at + 11);
    if (job_text(j, "job", a)[0] && job_text(shown, "record", a)[0] &&
        version_ms > 2 * num(j, "healthAgeMs") + 60000) {
        printf("; last change was v%lld, %s ago: the data changed, not the job", (long long)num(j, "version"),
               job_age(a, version_ms));
    }
    printf("\n");
}

static void show_safe(const struct sl_json *j, struct sl_arena *a)
{
    const struct sl_json *best = sl_json_at(sl_json_get(j, "restoreTo"), 0);
    if (!best) {
        return;
    }
    const char *kind = job_text(best, "kind", a);
    bool ended = sl_json_bool(sl_json_get(j, "ended"), false);
    printf(" %s  state is safe at %s", ended ? "state     " : "no loss yet", kind);
    if (strcmp(kind, "checkpoint") == 0) {
        printf(" #%s", count(a, num(best, "number")));
    }
    printf(" (%s ago)%s\n", job_age(a, num(best, "ageMs")), ended ? "" : "; nothing has been skipped");
}

static void show_ways(const struct sl_json *j, const struct sl_json *cause, struct sl_arena *a)
{
    const char *name = job_text(j, "job", a), *hint = job_text(cause, "hint", a), *lead = "you can     ";
    char what[160];
    snprintf(what, sizeof(what), "%s", name[0] ? name : job_text(j, "run", a));
    for (const char *line = hint; *line;) {
        size_t n = strcspn(line, "\n");
        printf(" %s %.*s\n", lead, (int)n, line);
        lead = "            ";
        line += n + (line[n] == '\n');
    }
    if (name[0] && !sl_json_bool(sl_json_get(j, "ended"), false) && !is(j, "state", "unknown", a)) {
        printf(" %s sluice job stop %s        ends it with a savepoint, until it is repaired\n", lead, what);
        lead = "            ";
    }
    printf(" %s sluice job logs %s --errors\n", lead, what);
}

static void show_cause(const struct sl_json *c, struct sl_arena *a)
{
    printf(" cause        %s      [%s]\n", job_text(c, "message", a), job_text(c, "code", a));
    if (job_text(c, "place", a)[0]) {
        const char *what = job_text(c, "statement", a);
        printf(" where        %s%s%s\n", job_text(c, "place", a), what[0] ? "  " : "", what);
    }
    if (job_text(c, "record", a)[0]) {
        printf(" record       %s\n", job_text(c, "record", a));
    }
}

/* `told`: what the submission said of it; `cause`: what the tracker saw. */
static void show_trouble(const struct sl_json *j, bool stack, struct sl_arena *a)
{
    const struct sl_json *cause = sl_json_get(j, "cause"), *told = sl_json_get(j, "error");
    if (job_text(j, "why", a)[0]) {
        printf(" why          %s%s\n", job_text(j, "why", a),
               num(j, "restartsRecent") > 1 && is(j, "flinkState", "RUNNING", a)
                   ? " (Flink shows RUNNING between restarts)"
                   : "");
    }
    const struct sl_json *shown = told ? told : cause;
    if (shown) {
        show_cause(shown, a);
        show_since(j, cause, shown, a);
    }
    if (is(j, "health", "down", a) || is(j, "health", "unknown", a)) {
        const char *evidence = job_text(sl_json_get(j, "evidence"), "evidence", a);
        if (evidence[0]) {
            printf(" evidence     %s (%s)\n", evidence, job_text(sl_json_get(j, "evidence"), "source", a));
        }
    }
    show_safe(j, a);
    if (shown) {
        show_ways(j, shown, a);
    }
    if (job_text(cause, "java", a)[0]) {
        printf(" Java         %s   (%lld cause%s: --stack)\n", job_text(cause, "java", a),
               (long long)num(cause, "causes"), num(cause, "causes") == 1 ? "" : "s");
    }
    if (stack && cause) {
        printf("\n%s\n", job_text(cause, "stack", a));
    }
}

/* ---- figures ---- */

static void show_checkpoints(const struct sl_json *j, struct sl_arena *a)
{
    int64_t done = num(j, "checkpointsCompleted"), failed = num(j, "checkpointsFailed");
    int64_t interval = num(j, "checkpointIntervalMs"), missed = num(j, "checkpointsNotRecorded");
    const struct sl_json *last = sl_json_get(j, "checkpointAgeMs");
    if (!done && !failed && !interval) {
        return;
    }
    printf(" checkpoints  ");
    if (interval) {
        printf("every %s, ", every(a, interval));
    }
    if (last) {
        printf("last #%s  %s ago, %s, %s; ", count(a, num(j, "lastCheckpoint")),
               job_age(a, sl_json_i64(last, 0)), took(a, num(j, "checkpointTookMs")),
               bytes(a, num(j, "checkpointBytes")));
    }
    printf("%s done, %s failed", count(a, done), count(a, failed));
    if (missed) {
        printf("; %s not recorded (Flink had forgotten them)", count(a, missed));
    }
    printf("\n");
}

static void show_restore(const struct sl_json *j, struct sl_arena *a)
{
    const struct sl_json *all = sl_json_get(j, "restoreTo");
    if (!all || all->n == 0) {
        return;
    }
    printf(" restore to   ");
    SL_JSON_EACH(s, all)
    {
        if (s != all->child) {
            printf(" · ");
        }
        if (is(s, "kind", "checkpoint", a)) {
            printf("checkpoint #%s", count(a, num(s, "number")));
        } else {
            printf("savepoint %s (v%lld)", job_minute(a, job_text(s, "at", a)), (long long)num(s, "version"));
        }
    }
    printf("\n");
}

static void show_lag(const struct sl_json *j, struct sl_arena *a)
{
    const struct sl_json *lag = sl_json_get(j, "lagRecords"), *behind = sl_json_get(j, "watermarkBehindMs");
    if ((!lag && !behind) || sl_json_bool(sl_json_get(j, "ended"), false)) {
        return;
    }
    printf(" lag          ");
    if (lag) {
        printf("%s records%s", count(a, sl_json_i64(lag, 0)), behind ? "   " : "");
    }
    if (behind) {
        int64_t ms = sl_json_i64(behind, 0);
        printf("watermark %s behind", ms < 100000 ? took(a, ms) : job_age(a, ms));
    }
    printf("\n");
}

static void show_figures(const struct sl_json *j, struct sl_arena *a)
{
    const char *name = job_text(j, "job", a);
    if (name[0]) {
        printf(" version      v%lld  by %s, %s\n", (long long)num(j, "version"), job_text(j, "owner", a),
               job_minute(a, job_text(j, "versionAt", a)));
    }
    printf(" run          %s  %s, statement %lld     Flink %s\n", job_text(j, "run", a),
           job_text(j, "kind", a), (long long)num(j, "statement"), job_text(j, "flink", a));
    if (job_text(j, "restoredFrom", a)[0]) {
        printf(" started from %s, state kept\n", job_text(j, "restoredFrom", a));
    }
    printf(" tasks        %lld of %lld running     sluice job logs %s\n", (long long)num(j, "tasksRunning"),
           (long long)num(j, "tasks"), name[0] ? name : sl_arena_printf(a, "%.8s", job_text(j, "run", a)).p);
    printf(" records      in %s%s%s   out %s%s%s\n", job_grouped(a, job_text(j, "recordsIn", a)),
           sl_json_bool(sl_json_get(j, "recordsInAtLeast"), false) ? "+" : "",
           job_rate(j, "recordsInPerSecond", a), job_grouped(a, job_text(j, "recordsOut", a)),
           sl_json_bool(sl_json_get(j, "recordsOutAtLeast"), false) ? "+" : "",
           job_rate(j, "recordsOutPerSecond", a));
    show_lag(j, a);
    show_checkpoints(j, a);
    show_restore(j, a);
    printf(" restarts     %lld in 24 h\n", (long long)num(j, "restartsDay"));
    if (job_text(j, "rest", a)[0] && !sl_json_bool(sl_json_get(j, "ended"), true)) {
        printf(" web UI       %s/#/job/running/%s/overview\n", job_text(j, "rest", a),
               job_text(j, "flinkJob", a));
    }
}

static int exit_of(const struct sl_json *j, struct sl_arena *a)
{
    return is(j, "health", "ok", a) ? 0 : is(j, "health", "unknown", a) ? 4 : 1;
}

int job_show(int argc, char **argv)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    bool json = false, check = false, stack = false;
    const char *job = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-ojson") == 0) {
            json = true;
        } else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc && strcmp(argv[i + 1], "json") == 0) {
            json = true;
            i++;
        } else if (strcmp(argv[i], "--check") == 0) {
            check = true;
        } else if (strcmp(argv[i], "--stack") == 0) {
            stack = true;
        } else if (argv[i][0] == '-' || job) {
            return cli_usage("job", "'%s' is not expected here", argv[i]);
        } else {
            job = argv[i];
        }
    }
    if (!job) {
        return cli_usage("job", "show which job?   sluice job ls");
    }
    const struct sl_json *j = job_ask("job.show", job_param(&a, job), &a, &err);
    if (!j) {
        return cli_print_error(&err);
    }
    int code = check ? exit_of(j, &a) : 0;
    if (json) {
        job_print_json(j);
        return code;
    }
    const char *name = job_text(j, "job", &a);
    bool ended = sl_json_bool(sl_json_get(j, "ended"), false);
    char head[256];
    snprintf(head, sizeof(head), "%s, %s for %s", job_text(j, "state", &a), job_text(j, "health", &a),
             job_age(&a, num(j, ended ? "ageMs" : "healthAgeMs")));
    printf("%-25s %-44s %s / %s\n", name[0] ? name : "(SELECT)", head, job_text(j, "target", &a),
           job_text(j, "mode", &a));
    if (!is(j, "health", "ok", &a) || sl_json_get(j, "error")) {
        show_trouble(j, stack, &a);
    }
    if (!is(j, "health", "degraded", &a) || !sl_json_get(j, "cause")) {
        show_figures(j, &a);
    }
    return code;
}

/* ---- wait ---- */

enum waited { REACHED, NOT_YET, NEVER };

static enum waited look(const struct sl_json *j, const char *key, const char *value, struct sl_arena *a)
{
    bool ended = sl_json_bool(sl_json_get(j, "ended"), false);
    if (strcmp(key, "ended") == 0) {
        return ended ? REACHED : NOT_YET;
    }
    if (is(j, key, value, a) && (strcmp(key, "health") != 0 || ended || is(j, "state", "RUNNING", a))) {
        return REACHED; /* a job that starts is not well yet */
    }
    return ended ? NEVER : NOT_YET;
}

int job_wait(int argc, char **argv)
{
    const char *job = NULL, *what = "health=ok";
    int64_t timeout_ms = 0, start = sys_now_ms();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--for") == 0 && i + 1 < argc) {
            what = argv[++i];
        } else if (strncmp(argv[i], "--for=", 6) == 0) {
            what = argv[i] + 6;
        } else if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc) {
            if (!sl_str_to_ms(sl_str_of(argv[++i]), &timeout_ms) || timeout_ms <= 0) {
                return cli_usage("job", "--timeout takes a time like 30s or 5m, not '%s'", argv[i]);
            }
        } else if (argv[i][0] == '-' || job) {
            return cli_usage("job", "'%s' is not expected here", argv[i]);
        } else {
            job = argv[i];
        }
    }
    char key[16] = "";
    const char *equals = strchr(what, '=');
    snprintf(key, sizeof(key), "%.*s", equals ? (int)(equals - what) : (int)strlen(what), what);
    bool known = equals ? strcmp(key, "health") == 0 || strcmp(key, "state") == 0 : strcmp(key, "ended") == 0;
    if (!job || !known) {
        return !job ? cli_usage("job", "wait for which job?   sluice job ls")
                    : cli_usage("job", "--for takes health=ok, state=RUNNING or ended, not '%s'", what);
    }
    for (;;) {
        SL_ARENA_AUTO a;
        sl_arena_init(&a, 0);
        struct sl_err err = SL_ERR_INIT;
        const struct sl_json *j = job_ask("job.show", job_param(&a, job), &a, &err);
        if (!j) {
            return cli_print_error(&err);
        }
        enum waited now = look(j, key, equals ? equals + 1 : "", &a);
        if (now != NOT_YET) {
            fprintf(stderr, "%s: %s, %s\n", job, job_text(j, "state", &a), job_text(j, "health", &a));
            return now == REACHED ? 0 : 1;
        }
        if (timeout_ms && sys_now_ms() - start >= timeout_ms) {
            fprintf(stderr, "%s: still %s, %s after %s\n", job, job_text(j, "state", &a),
                    job_text(j, "health", &a), job_age(&a, timeout_ms));
            return 124;
        }
        sys_sleep_ms(WAIT_LOOK_MS);
    }
}
