/* SPDX-License-Identifier: Apache-2.0
 * job.logs: what the JVMs of a run wrote, from its cluster, or, when that has gone, what was kept with the run;
 * or its newest failure as Java told it. */
#include "gateway/api/api.h"

#include "gateway/jobs/cause.h"
#include "base/limits.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <stdlib.h>
#include <time.h>

#define LINE_TIME "2026-11-20 20:15:00,000" /* what a line of Flink's log begins with */

/* Epoch ms of a log line; -1 = it does not begin with a time. The JVMs write this machine's local time. */
static int64_t line_time(sl_str line)
{
    struct tm tm = {.tm_isdst = -1};
    char text[sizeof(LINE_TIME)];
    if (line.n < sizeof(text) - 1) {
        return -1;
    }
    memcpy(text, line.p, sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    return end && *end == ',' ? (int64_t)mktime(&tm) * 1000 + strtol(end + 1, NULL, 10) : -1;
}

/* From the first line that is not older. */
static sl_str since(sl_str text, int64_t from_ms)
{
    for (size_t at = 0; at < text.n;) {
        sl_str rest = sl_str_sub(text, at, text.n - at);
        ptrdiff_t end = sl_str_find_char(rest, '\n');
        int64_t ms = line_time(rest);
        if (ms >= from_ms) {
            return rest;
        }
        at += end < 0 ? rest.n : (size_t)end + 1;
    }
    return SL_STR("");
}

/* What came before the newest life of the JVM; each begins by saying its version. */
static sl_str previous(sl_str text)
{
    size_t last = 0, line = 0;
    for (size_t at = 0; at < text.n; at++) {
        if (text.p[at] != '\n' && at + 1 < text.n) {
            continue;
        }
        sl_str one = sl_str_sub(text, line, at - line);
        if (sl_str_find(one, SL_STR(" Starting ")) >= 0 && sl_str_find(one, SL_STR("(Version: ")) >= 0) {
            last = line;
        }
        line = at + 1;
    }
    return sl_str_sub(text, 0, last);
}

static sl_str tail_of(sl_str text, size_t lines)
{
    size_t at = text.n, seen = 0;
    while (lines && at > 0) {
        if (text.p[at - 1] == '\n' && at != text.n && ++seen == lines) {
            break;
        }
        at--;
    }
    return lines ? sl_str_sub(text, at, text.n - at) : text;
}

/* The target's, or what was kept when the run ended. */
static bool read_logs(struct api_call *c, const struct run *r, const char *which, sl_str *ret,
                      struct sl_err *err)
{
    const struct api_env *env = api_call_env(c);
    struct sl_arena *a = api_call_arena(c);
    struct target *t =
        env->sub.target(env->sub.target_ctx, sl_str_of(r->target), sl_str_of(r->cluster.flink), err);
    bool told = t && t->ops->logs(t, &r->cluster, which, 0, a, ret, err);
    if (told && (ret->n || !r->ended)) {
        return true;
    }
    if (strcmp(which, "jobmanager") != 0 && strcmp(which, "taskmanager") != 0) {
        return told;
    }
    struct sl_err none = SL_ERR_INIT;
    char *path = sys_path_join(a, sys_path_join(a, env->data_dir, "runs"), r->id);
    path = sys_path_join(a, path, sl_arena_printf(a, "%s.log", which).p);
    return sys_file_read(a, path, sl_limits.run_log_bytes + (1 << 20), ret, &none) || told;
}

static void errors(struct api_call *c, const struct run *r, sl_str *ret)
{
    struct cause f;
    struct sl_arena *a = api_call_arena(c);
    if (!cause_of_run(api_call_env(c)->ledger, api_call_env(c)->tracker, r, a, &f)) {
        *ret = SL_STR("");
        return;
    }
    char at[32];
    sys_time_rfc3339(f.at_ms, at);
    *ret = sl_arena_printf(a, "%s  %s [%s]\n%.*s\n", at, f.message, f.code, SL_S(sl_str_trim(f.stack)));
}

bool api_job_logs(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct sl_json *p = api_call_params(c);
    struct sl_arena *a = api_call_arena(c);
    struct run r;
    sl_str what, which, text;
    if (!api_param_str(c, "job", SL_STR_NONE, &what, err) ||
        !ledger_find(api_call_env(c)->ledger, sl_arena_strdupz(a, what), &r, err) ||
        !api_param_str(c, "which", SL_STR("jobmanager"), &which, err)) {
        return false;
    }
    if (sl_str_eqz(which, "errors")) {
        errors(c, &r, &text);
    } else if (!read_logs(c, &r, sl_arena_strdupz(a, which), &text, err)) {
        return false;
    }
    int64_t since_ms = sl_json_i64(sl_json_get(p, "sinceMs"), 0);
    if (sl_json_bool(sl_json_get(p, "previous"), false)) {
        text = previous(text);
    }
    if (since_ms > 0) {
        text = since(text, sys_wall_ms() - since_ms);
    }
    sl_jw_kstr(result, "text", tail_of(text, (size_t)SL_MAX(sl_json_i64(sl_json_get(p, "tail"), 200), 0)));
    return true;
}
