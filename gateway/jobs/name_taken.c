/* SPDX-License-Identifier: Apache-2.0
 * A job name that is in use is refused: which version runs, since when and where, and how much of the file is
 * different. */
#include "gateway/jobs/submission_internal.h"

#include "base/limits.h"

#include <stdio.h>

#define MOST_PAIRS ((size_t)4 << 20) /* beyond that statements are counted, not compared */

struct texts {
    const sl_str *v;
    size_t n;
};

static struct texts texts_of(struct sl_arena *a, const struct sql_script *s)
{
    sl_str *v = sl_new_n(a, sl_str, s->stmts.n + 1);
    for (size_t i = 0; i < s->stmts.n; i++) {
        v[i] = sl_str_trim(s->stmts.v[i].text);
    }
    return (struct texts){v, s->stmts.n};
}

/* Longest common subsequence of what is left between the equal beginning and the equal end. */
static size_t in_common(struct sl_arena *a, struct texts x, struct texts y)
{
    size_t same = 0;
    while (x.n && y.n && sl_str_eq(x.v[0], y.v[0])) {
        x = (struct texts){x.v + 1, x.n - 1};
        y = (struct texts){y.v + 1, y.n - 1};
        same++;
    }
    while (x.n && y.n && sl_str_eq(x.v[x.n - 1], y.v[y.n - 1])) {
        x.n--;
        y.n--;
        same++;
    }
    if (!x.n || !y.n || x.n > MOST_PAIRS / y.n) {
        return same;
    }
    size_t *row = sl_new_n(a, size_t, y.n + 1);
    for (size_t i = 0; i < x.n; i++) {
        size_t corner = 0;
        for (size_t k = 0; k < y.n; k++) {
            size_t above = row[k + 1];
            row[k + 1] = sl_str_eq(x.v[i], y.v[k]) ? corner + 1 : SL_MAX(above, row[k]);
            corner = above;
        }
    }
    return same + row[y.n];
}

/* Statements that were changed, came or went; -1: not known. */
static int64_t differs(struct sub *s, const char *job, int64_t version)
{
    struct sl_err err = SL_ERR_INIT;
    struct sql_script old;
    sl_str json;
    sql_script_init(&old, s->arena, s->rq->flink);
    if (!ledger_source(s->env->ledger, job, version, s->arena, &json, &err)) {
        return -1;
    }
    const struct sl_json *files = sl_json_parse(s->arena, json, &err);
    struct sql_options opt = {.flink = s->rq->flink, .level = SQL_LEVEL_SPLIT, .vars = s->rq->vars};
    SL_JSON_EACH(f, files)
    {
        if (!sql_script_add(&old, sl_json_str(sl_json_get(f, "name"), SL_STR("")),
                            sl_json_str(sl_json_get(f, "text"), SL_STR("")), &opt, &err)) {
            return -1;
        }
    }
    struct texts x = texts_of(s->arena, &old), y = texts_of(s->arena, &s->script);
    return (int64_t)(SL_MAX(x.n, y.n) - in_common(s->arena, x, y));
}

static void put_age(int64_t ms, char ret[32])
{
    int64_t s = SL_MAX(ms, INT64_C(0)) / 1000;
    static const struct {
        int64_t below, unit;
        const char *name;
    } forms[] = {{120, 1, "s"}, {7200, 60, "min"}, {172800, 3600, "h"}, {INT64_MAX, 86400, "d"}};
    size_t i = 0;
    while (s >= forms[i].below) {
        i++;
    }
    snprintf(ret, 32, "%lld %s", (long long)(s / forms[i].unit), forms[i].name);
}

void sub_refuse_name(struct sub *s, const char *run_id)
{
    struct sl_err err = SL_ERR_INIT, ignored = SL_ERR_INIT;
    struct run r;
    const char *name = sl_arena_strdupz(s->arena, s->rq->name);
    sl_str file = s->rq->files[s->rq->n_files - 1].name;
    if (!run_id[0] || !ledger_find(s->env->ledger, run_id, &r, &ignored)) {
        sl_fail(&err, SL_JOB_EXISTS, "%s is being submitted by somebody else at this moment", name);
        sl_hint(&err,
                "sluice job show %s      tells what became of it\nsluice run %.*s --name %s-2      a second "
                "job beside it",
                name, SL_S(file), name);
        sub_fail(s, &err);
        return;
    }
    char age[32], how[96] = "";
    int64_t n = differs(s, name, r.version);
    put_age(sys_wall_ms() - (r.started_ms ? r.started_ms : r.created_ms), age);
    if (n > 0) {
        snprintf(how, sizeof(how), ", and your file differs from it in %lld statement%s", (long long)n,
                 n == 1 ? "" : "s");
    } else if (n == 0) {
        snprintf(how, sizeof(how), ", and your file has the same statements");
    }
    sl_fail(&err, SL_JOB_EXISTS, "%s is %s (v%lld, %s) on %s%s", name,
            strcmp(r.state, "RUNNING") ? "starting" : "running", (long long)r.version, age, r.target, how);
    sl_hint(&err,
            "sluice run %.*s --replace      savepoint, stop, start v%lld from it; back to v%lld if it is not "
            "well in "
            "%lld min\nsluice run %.*s --name %s-2      a second job beside it",
            SL_S(file), (long long)r.version + (n != 0), (long long)r.version,
            (long long)sl_limits.well_ms / 60000, SL_S(file), name);
    sub_fail(s, &err);
}
