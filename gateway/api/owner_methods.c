/* SPDX-License-Identifier: Apache-2.0
 * hello and owner.stop. */
#include "gateway/api/api.h"
#include "gateway/api/backup.h"

#include "base/limits.h"

#include <unistd.h>

bool api_owner_hello(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct api_env *env = api_call_env(c);
    (void)err;
    sl_jw_kstrz(result, "version", SLUICE_VERSION);
    sl_jw_kstrz(result, "build", env->build);
    sl_jw_ki64(result, "pid", getpid());
    sl_jw_kstrz(result, "data", env->data_dir);
    sl_jw_ki64(result, "activeRuns", (int64_t)tracker_active(env->tracker));
    sl_jw_ki64(result, "resultsPort", res_port_number(env->sub.results));
    sl_jw_ki64(result, "api", 1);
    sl_jw_ki64(result, "flinkProtocol", env->flink_protocol);
    sl_jw_kstrz(result, "role", auth_role_names[api_call_role(c)]);
    sl_jw_ki64(result, "messageBytes", (int64_t)sl_limits.message_bytes);
    sl_jw_ki64(result, "bodyBytes", (int64_t)sl_limits.request_body_bytes);
    sl_jw_ki64(result, "cellBytes", (int64_t)sl_limits.cell_bytes);
    sl_jw_ki64(result, "rowBytes", (int64_t)sl_limits.row_bytes);
    return true;
}

bool api_store_backup(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct api_env *env = api_call_env(c);
    struct backup_info info;
    sl_str file;
    if (!api_param_str(c, "file", SL_STR_NONE, &file, err)) {
        return false;
    }
    if (file.n == 0 || file.p[0] != '/') {
        return sl_fail(err, SL_USAGE, "parameter 'file' is the whole path of a file");
    }
    if (!backup_make(env->store, env->data_dir, sl_arena_strdupz(api_call_arena(c), file), &info, err)) {
        return false;
    }
    sl_jw_ki64(result, "bytes", info.bytes);
    sl_jw_ki64(result, "artifacts", (int64_t)info.artifacts);
    return true;
}

/* Runs that would end with the owner: all that are followed but those on clusters of others. */
static bool count_ending(struct api_call *c, size_t *ret, struct sl_err *err)
{
    struct run *runs;
    size_t n, outlive = 0, active = tracker_active(api_call_env(c)->tracker);
    if (!ledger_runs(api_call_env(c)->ledger, NULL, true, true, 100000, api_call_arena(c), &runs, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        outlive += !run_ends_with_owner(&runs[i]);
    }
    *ret = active > outlive ? active - outlive : 0;
    return true;
}

bool api_owner_stop(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct api_env *env = api_call_env(c);
    if (tracker_active(env->tracker)) {
        tracker_look(env->tracker, sl_limits.http_connect_ms); /* one may have ended a moment ago */
    }
    size_t active;
    if (!count_ending(c, &active, err)) {
        return false;
    }
    if (active && !sl_json_bool(sl_json_get(api_call_params(c), "yes"), false)) {
        sl_fail(err, SL_BUSY, "%zu run%s would end", active, active == 1 ? "" : "s");
        return sl_hint(err, "sluice job ls      shows them\nsluice owner stop --yes      ends them");
    }
    sl_jw_ki64(result, "ended", (int64_t)active);
    env->stop(env->ctx);
    return true;
}
