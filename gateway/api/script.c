/* SPDX-License-Identifier: Apache-2.0
 * script.submit: the pipeline, for whoever brings files. */
#include "gateway/api/api.h"

#include "base/digest.h"
#include "base/limits.h"

static bool emit(void *ctx, sl_str json)
{
    return api_call_event(ctx, json);
}
static bool cancelled(void *ctx)
{
    return api_call_cancelled(ctx);
}

static bool read_files(struct api_call *c, struct sub_request *rq, struct sl_err *err)
{
    const struct sl_json *files = sl_json_get(api_call_params(c), "files");
    if (!sl_json_is(files, SL_JSON_ARRAY) || files->n == 0) {
        return sl_fail(err, SL_USAGE, "parameter 'files' is missing: [{\"name\",\"text\"}]");
    }
    struct sub_file *v = sl_new_n(api_call_arena(c), struct sub_file, files->n);
    SL_JSON_EACH(f, files)
    {
        v[rq->n_files].name = sl_json_str(sl_json_get(f, "name"), SL_STR("script"));
        v[rq->n_files++].text = sl_json_str(sl_json_get(f, "text"), SL_STR(""));
    }
    rq->files = v;
    return true;
}

/* Variables come resolved: [{"name","value","source","secret"}], lowest precedence first. */
static void read_vars(struct api_call *c, struct sub_request *rq)
{
    struct sl_arena *a = api_call_arena(c);
    struct sql_vars *vars = sl_new(a, struct sql_vars);
    SL_JSON_EACH(v, sl_json_get(api_call_params(c), "vars"))
    {
        sl_vec_push(a, &vars->list,
                    ((struct sql_var){.name = sl_json_str(sl_json_get(v, "name"), SL_STR("")),
                                      .value = sl_json_str(sl_json_get(v, "value"), SL_STR("")),
                                      .source = sl_json_str(sl_json_get(v, "source"), SL_STR("")),
                                      .secret = sl_json_bool(sl_json_get(v, "secret"), false)}));
    }
    rq->vars = vars;
}

static void read_config(struct api_call *c, struct sub_request *rq)
{
    const struct sl_json *config = sl_json_get(api_call_params(c), "config");
    struct plan_pair *v = sl_new_n(api_call_arena(c), struct plan_pair, config ? config->n + 1 : 1);
    SL_JSON_EACH(p, config)
    {
        v[rq->n_config++] = (struct plan_pair){sl_json_str(sl_json_get(p, "key"), SL_STR("")),
                                               sl_json_str(sl_json_get(p, "value"), SL_STR("")),
                                               sl_json_str(sl_json_get(p, "origin"), SL_STR(""))};
    }
    rq->config = v;
    const struct sl_json *jars = sl_json_get(api_call_params(c), "jars");
    sl_str *paths = sl_new_n(api_call_arena(c), sl_str, jars ? jars->n + 1 : 1);
    SL_JSON_EACH(j, jars)
    {
        paths[rq->n_jars++] = sl_json_str(j, SL_STR(""));
    }
    rq->jars = paths;
}

bool api_script_submit(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct sl_json *p = api_call_params(c);
    struct sub_request rq = {0};
    sl_str mode, form, flink, key;
    char fresh[33];
    sl_random_hex(fresh, 16);
    if (!read_files(c, &rq, err) || !api_param_str(c, "name", SL_STR_NONE, &rq.name, err) ||
        !api_param_str(c, "mode", SL_STR("session"), &mode, err) ||
        !api_param_str(c, "form", SL_STR("api"), &form, err) ||
        !api_param_str(c, "flink", SL_STR(""), &flink, err) ||
        !api_param_str(c, "target", SL_STR("local"), &rq.target, err) ||
        !api_param_str(c, "owner", SL_STR(""), &rq.owner, err) ||
        !api_param_str(c, "key", sl_str_of(fresh), &key, err) ||
        !api_param_str(c, "resultsAddress", SL_STR(""), &rq.results_address, err)) {
        return false;
    }
    if (rq.name.n == 0 || rq.name.n > 128) {
        return sl_fail(err, SL_USAGE, "a job's name has 1 to 128 bytes");
    }
    if (!sl_str_eqz(mode, "session") && !sl_str_eqz(mode, "application")) {
        return sl_fail(err, SL_USAGE, "mode is session or application, not '%.*s'", SL_S(mode));
    }
    if (flink.n && !sql_version_parse(flink, &rq.flink, err)) {
        return false;
    }
    size_t dots = 0;
    for (size_t i = 0; i < flink.n; i++) {
        dots += flink.p[i] == '.';
    }
    rq.flink_patch = dots == 2 ? flink : SL_STR_NONE;
    rq.key = sl_str_dup(api_call_arena(c), key);
    rq.mode = sl_str_eqz(mode, "session") ? TGT_SESSION : TGT_APPLICATION;
    rq.form = sl_str_eqz(form, "text") ? RES_FORM_TEXT : RES_FORM_API;
    rq.detach = sl_json_bool(sl_json_get(p, "detach"), false);
    rq.together = sl_json_bool(sl_json_get(p, "together"), false);
    rq.dry_run = sl_json_bool(sl_json_get(p, "dryRun"), false);
    rq.max_rows = (uint64_t)sl_json_i64(sl_json_get(p, "maxRows"), 0);
    rq.max_duration_ms = sl_json_i64(sl_json_get(p, "maxDurationMs"), 0);
    rq.timeout_ms = sl_json_i64(sl_json_get(p, "timeoutMs"), 0);
    static const char *const counts[] = {"maxRows", "maxDurationMs", "timeoutMs"};
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        if (sl_json_get(p, counts[i]) && sl_json_i64(sl_json_get(p, counts[i]), -1) < 0) {
            return sl_fail(err, SL_USAGE, "parameter '%s' is not a number from 0 on", counts[i]);
        }
    }
    if (key.n == 0 || key.n > 128) {
        return sl_fail(err, SL_USAGE, "parameter 'key' has 1 to 128 bytes");
    }
    read_vars(c, &rq);
    read_config(c, &rq);
    struct event_sink sink = {.ctx = c, .emit = emit, .cancelled = cancelled};
    struct sub_outcome out;
    sub_run(&api_call_env(c)->sub, &rq, &sink, api_call_arena(c), &out);
    sl_jw_ki64(result, "exit", out.exit_code);
    if (out.warm[0]) {
        sl_jw_key(result, "warm");
        sl_jw_object(result);
        sl_jw_kstrz(result, "flink", out.warm);
        sl_jw_ki64(result, "ms", api_call_env(c)->warm_ms);
        sl_jw_end_object(result);
    }
    return true;
}
