/* SPDX-License-Identifier: Apache-2.0
 * script.submit and job.rollback: the pipeline, for whoever brings files. */
#include "gateway/api/api.h"

#include "gateway/jobs/history.h"
#include "gateway/jobs/request.h"
#include "sqlparse/vars.h"

static bool emit(void *ctx, sl_str json)
{
    return api_call_event(ctx, 0, json);
}
static bool emit_numbered(void *ctx, uint64_t number, sl_str json)
{
    return api_call_event(ctx, number, json);
}
static bool stopped(void *ctx)
{
    return api_call_stopped(ctx);
}

static bool gone(void *ctx)
{
    return api_call_gone(ctx);
}

static void run(struct api_call *c, const struct sub_request *rq, struct sl_jw *result)
{
    struct event_sink sink = {
        .ctx = c, .emit = emit, .emit_numbered = emit_numbered, .cancelled = stopped, .gone = gone};
    struct sub_outcome out;
    sub_run(&api_call_env(c)->sub, rq, &sink, api_call_arena(c), &out);
    sl_jw_ki64(result, "exit", out.exit_code);
    if (out.warm[0]) {
        sl_jw_key(result, "warm");
        sl_jw_object(result);
        sl_jw_kstrz(result, "flink", out.warm);
        sl_jw_ki64(result, "ms", api_call_env(c)->warm_ms);
        sl_jw_end_object(result);
    }
}

bool api_script_submit(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct sub_request rq;
    if (!sub_request_read(api_call_params(c), api_call_arena(c), &rq, err)) {
        return false;
    }
    rq.role = api_call_role(c);
    run(c, &rq, result);
    return true;
}

/* Its end is asked for, or awaited; who only looks does not end it. */
static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

bool api_submission_show(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct sl_arena *a = api_call_arena(c);
    struct event_sink sink = {
        .ctx = c, .emit = emit, .emit_numbered = emit_numbered, .cancelled = never, .gone = gone};
    int64_t since = sl_json_i64(sl_json_get(api_call_params(c), "since"), 0);
    int exit_code = 0;
    sl_str key, answer = SL_STR_NONE;
    if (!api_param_str(c, "key", SL_STR_NONE, &key, err)) {
        return false;
    }
    enum live_follow how = live_follow(api_call_env(c)->sub.live, key, NULL, &sink,
                                       (uint64_t)SL_MAX(since, INT64_C(0)), a, &exit_code, &answer);
    if (how == LIVE_LEFT) {
        return sl_fail(err, SL_CANCELLED, "the client has gone");
    }
    if (how != LIVE_ENDED) {
        if (!ledger_answer(api_call_env(c)->ledger, sl_arena_strdupz(a, key), a, &answer)) {
            return sl_fail(err, SL_NOT_FOUND, "there is no submission with the key '%.*s'", SL_S(key));
        }
        struct sl_err unread = SL_ERR_INIT;
        exit_code = (int)sl_json_i64(sl_json_get(sl_json_parse(a, answer, &unread), "exit"), 1);
    }
    emit(c, answer); /* its last event: the result */
    sl_jw_ki64(result, "exit", exit_code);
    return true;
}

/* The version before the one that runs, or ran last. */
static bool version_before(struct api_call *c, const struct run *now, int64_t *ret, struct sl_err *err)
{
    struct history_version *v;
    size_t n;
    if (!history_versions(ledger_store(api_call_env(c)->ledger), now->job, api_call_arena(c), &v, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (v[i].number < now->version) {
            *ret = v[i].number;
            return true;
        }
    }
    sl_fail(err, SL_JOB_UNKNOWN, "%s has no version before v%lld", now->job, (long long)now->version);
    return sl_hint(err, "sluice job history %s", now->job);
}

/* Values of secrets, which a version does not keep. */
static bool given_secrets(const struct sl_json *p, struct sl_arena *a, struct sql_vars *ret,
                          struct sl_err *err)
{
    SL_JSON_EACH(v, sl_json_get(p, "vars"))
    {
        sl_str name = sl_json_str(sl_json_get(v, "name"), SL_STR(""));
        if (!sql_vars_add(ret, a, name, sl_json_str(sl_json_get(v, "value"), SL_STR("")), "given", err)) {
            return false;
        }
        if (!ret->list.v[ret->list.n - 1].secret) {
            return sl_fail(err, SL_USAGE,
                           "'%.*s' is no secret: a version keeps the values of its other variables",
                           SL_S(name));
        }
    }
    return true;
}

bool api_job_rollback(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct sl_json *p = api_call_params(c);
    struct sl_arena *a = api_call_arena(c);
    struct sub_request rq;
    struct run now;
    struct sql_vars given = {0};
    sl_str what, key;
    int64_t version = sl_json_i64(sl_json_get(p, "version"), 0);
    if (!api_param_str(c, "job", SL_STR_NONE, &what, err) ||
        !api_param_str(c, "key", SL_STR(""), &key, err) ||
        !ledger_find(api_call_env(c)->ledger, sl_arena_strdupz(a, what), &now, err)) {
        return false;
    }
    if (!now.job[0]) {
        return sl_fail(err, SL_JOB_UNKNOWN, "run %.8s is a SELECT: it belongs to no job", now.id);
    }
    if ((!version && !version_before(c, &now, &version, err)) || !given_secrets(p, a, &given, err) ||
        !sub_version_request(&api_call_env(c)->sub, now.job, version, &given, a, &rq, err)) {
        return false;
    }
    rq.replace = true;
    rq.role = api_call_role(c);
    rq.key = key.n && key.n <= SUB_KEY_BYTES ? key : rq.key;
    rq.lenient = sl_json_bool(sl_json_get(p, "allowNonRestoredState"), false);
    rq.well_ms = SL_MAX(sl_json_i64(sl_json_get(p, "wellMs"), 0), INT64_C(0));
    run(c, &rq, result);
    return true;
}
