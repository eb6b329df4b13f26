/* SPDX-License-Identifier: Apache-2.0
 * sluice job logs. */
#include "gateway/cli/cli.h"
#include "gateway/cli/job_print.h"
#include "sys/clock.h"

#include <stdio.h>

#define FOLLOW_MS    500
#define FOLLOW_LINES INT64_C(1000) /* asked for each time: more than a log grows in between */

struct logs_options {
    const char *job, *which;
    int64_t tail, since_ms;
    bool follow, previous;
};

static sl_str logs_param(struct sl_arena *a, const struct logs_options *o, int64_t tail)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "job", o->job);
    sl_jw_kstrz(&w, "which", o->which);
    sl_jw_ki64(&w, "tail", tail);
    sl_jw_ki64(&w, "sinceMs", o->since_ms);
    sl_jw_kbool(&w, "previous", o->previous);
    sl_jw_end_object(&w);
    return sl_str_dup(a, sl_buf_str(&b));
}

/* Is the job's name among these? Then what stands behind --tm is the id of a TaskManager. */
static bool names_job(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--since") == 0 || strcmp(argv[i], "--tail") == 0) {
            i++;
        } else if (argv[i][0] != '-') {
            return true;
        }
    }
    return false;
}

static int logs_parse(struct logs_options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--tm") == 0) {
            o->which = "taskmanager";
            if (i + 1 < argc && argv[i + 1][0] != '-' && (o->job || names_job(argc - i - 2, argv + i + 2))) {
                o->which = argv[++i];
            }
        } else if (strcmp(argv[i], "--jm") == 0) {
            o->which = "jobmanager";
        } else if (strcmp(argv[i], "--errors") == 0) {
            o->which = "errors";
        } else if (strcmp(argv[i], "--previous") == 0 || strcmp(argv[i], "-p") == 0) {
            o->previous = true;
        } else if (strcmp(argv[i], "--since") == 0 && i + 1 < argc) {
            if (!sl_str_to_ms(sl_str_of(argv[++i]), &o->since_ms) || o->since_ms <= 0) {
                return cli_usage("job", "--since takes a time like 10m or 2h, not '%s'", argv[i]);
            }
        } else if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--follow") == 0) {
            o->follow = true;
        } else if (strcmp(argv[i], "--tail") == 0 && i + 1 < argc) {
            if (!sl_str_to_i64(sl_str_of(argv[++i]), &o->tail) || o->tail <= 0) {
                return cli_usage("job", "--tail takes a number of lines, not '%s'", argv[i]);
            }
        } else if (argv[i][0] == '-' || o->job) {
            return cli_usage("job",
                             "logs NAME [--jm|--tm [ID]|--errors] [--tail N] [--since T] [--previous] [-f]: "
                             "'%s' is too much",
                             argv[i]);
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
        const struct sl_json *r = job_ask("job.logs", logs_param(&a, o, tail), &a, &err);
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
        const struct sl_json *j = job_ask("job.show", job_param(&a, o->job), &a, &err);
        ended = sl_json_bool(sl_json_get(j, "ended"), true);
        tail = SL_MAX(o->tail, FOLLOW_LINES);
        sys_sleep_ms(ended ? 0 : FOLLOW_MS);
    }
}

int job_logs(int argc, char **argv)
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
    const struct sl_json *r = job_ask("job.logs", logs_param(&a, &o, o.tail), &a, &err);
    if (!r) {
        return cli_print_error(&err);
    }
    sl_str out = sl_json_str(sl_json_get(r, "text"), SL_STR(""));
    fwrite(out.p, 1, out.n, stdout);
    return 0;
}
