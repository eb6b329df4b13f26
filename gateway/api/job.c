/* SPDX-License-Identifier: Apache-2.0
 * job.list, job.show, job.logs. */
#include "gateway/api/api.h"

#include "sys/clock.h"

static void put_time(struct sl_jw *w, const char *key, int64_t wall_ms)
{
    if (wall_ms) {
        char at[32];
        sys_time_rfc3339(wall_ms, at);
        sl_jw_kstrz(w, key, at);
    }
}

/* What is seen now where the run is under watch, else what the ledger holds. */
static void put_run(struct api_call *c, struct sl_jw *w, const struct run *stored)
{
    struct run r;
    if (!tracker_get(api_call_env(c)->tracker, stored->id, &r)) {
        r = *stored;
    }
    struct state_health health;
    run_health(&r, &health);
    sl_jw_kstrz(w, "run", r.id);
    sl_jw_kstrz(w, "job", r.job);
    sl_jw_ki64(w, "version", r.version);
    sl_jw_ki64(w, "statement", r.statement);
    sl_jw_kstrz(w, "kind", r.kind);
    sl_jw_kstrz(w, "mode", r.mode == TGT_SESSION ? "session" : "application");
    sl_jw_kstrz(w, "target", r.target);
    sl_jw_kstrz(w, "state", run_shown_state(&r));
    sl_jw_kstrz(w, "sight", run_sight_names[r.sight]);
    sl_jw_kstrz(w, "health", state_level_names[health.level]);
    if (health.why[0]) {
        sl_jw_kstrz(w, "why", health.why);
    }
    sl_jw_kbool(w, "ended", r.ended);
    sl_jw_kstrz(w, "flinkJob", r.flink_job);
    sl_jw_kstrz(w, "flink", r.cluster.flink);
    sl_jw_kstrz(w, "rest", r.cluster.rest);
    sl_jw_ki64(w, "tasks", r.last.tasks);
    sl_jw_ki64(w, "tasksRunning", r.last.tasks_running);
    sl_jw_ki64(w, "restarts", r.last.restarts);
    sl_jw_key(w, "recordsIn");
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    sl_jw_str(w, sl_arena_printf(&a, "%llu", (unsigned long long)r.last.records_in));
    sl_jw_key(w, "recordsOut");
    sl_jw_str(w, sl_arena_printf(&a, "%llu", (unsigned long long)r.last.records_out));
    sl_jw_kbool(w, "recordsInAtLeast", r.last.in_hidden);
    sl_jw_kbool(w, "recordsOutAtLeast", r.last.out_hidden);
    sl_jw_ki64(w, "recordsInPerSecond", r.rate_in);
    sl_jw_ki64(w, "recordsOutPerSecond", r.rate_out);
    if (r.last.last_checkpoint_ms) {
        sl_jw_ki64(w, "checkpointAgeMs", SL_MAX(sys_wall_ms() - r.last.last_checkpoint_ms, INT64_C(0)));
    }
    sl_jw_ki64(w, "checkpointsCompleted", r.last.checkpoints_completed);
    sl_jw_ki64(w, "checkpointsFailed", r.last.checkpoints_failed);
    sl_jw_ki64(w, "lastCheckpoint", r.last.last_checkpoint_id);
    put_time(w, "lastCheckpointAt", r.last.last_checkpoint_ms);
    put_time(w, "created", r.created_ms);
    put_time(w, "started", r.started_ms);
    put_time(w, "endedAt", r.ended_ms);
    put_time(w, "seen", r.seen_ms);
    sl_jw_ki64(w, "ageMs",
               sys_wall_ms() - (r.ended        ? r.ended_ms
                                : r.started_ms ? r.started_ms
                                               : r.created_ms));
    if (r.error_code[0]) {
        sl_jw_key(w, "error");
        sl_jw_object(w);
        sl_jw_kstrz(w, "code", r.error_code);
        sl_jw_kstrz(w, "message", r.error);
        sl_jw_kstrz(w, "hint", r.hint);
        sl_jw_kstrz(w, "place", r.error_place);
        sl_jw_end_object(w);
    }
}

static void put_job(struct api_call *c, struct sl_jw *w, const struct run *r)
{
    struct ledger_job j = {{0}, {0}, 0, 0};
    struct sl_err err = SL_ERR_INIT;
    if (r->job[0] && ledger_job(api_call_env(c)->ledger, r->job, r->version, &j, &err)) {
        sl_jw_kstrz(w, "owner", j.owner);
        sl_jw_kstrz(w, "digest", j.digest);
        put_time(w, "versionAt", j.version_ms);
    }
}

bool api_job_list(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct sl_json *p = api_call_params(c);
    struct run *runs;
    size_t n;
    bool all = sl_json_bool(sl_json_get(p, "all"), false);
    if (!ledger_runs(api_call_env(c)->ledger, NULL, sl_json_bool(sl_json_get(p, "active"), false), all, 1000,
                     api_call_arena(c), &runs, &n, err)) {
        return false;
    }
    sl_jw_key(result, "jobs");
    sl_jw_array(result);
    for (size_t i = 0; i < n; i++) {
        bool newer = false; /* of a job only its newest runs: those of the newest version started last */
        for (size_t k = 0; k < i && !all && !newer; k++) {
            newer = runs[i].job[0] && strcmp(runs[k].job, runs[i].job) == 0 &&
                    runs[k].statement == runs[i].statement;
        }
        if (!newer) {
            sl_jw_object(result);
            put_run(c, result, &runs[i]);
            put_job(c, result, &runs[i]);
            sl_jw_end_object(result);
        }
    }
    sl_jw_end_array(result);
    return true;
}

static bool find(struct api_call *c, struct run *ret, struct sl_err *err)
{
    sl_str what;
    return api_param_str(c, "job", SL_STR_NONE, &what, err) &&
           ledger_find(api_call_env(c)->ledger, sl_arena_strdupz(api_call_arena(c), what), ret, err);
}

bool api_job_show(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct run r;
    if (!find(c, &r, err)) {
        return false;
    }
    put_run(c, result, &r);
    put_job(c, result, &r);
    return true;
}

bool api_job_logs(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct api_env *env = api_call_env(c);
    const struct sl_json *p = api_call_params(c);
    struct run r;
    sl_str which, text;
    if (!find(c, &r, err) || !api_param_str(c, "which", SL_STR("jobmanager"), &which, err)) {
        return false;
    }
    struct target *t =
        env->sub.target(env->sub.target_ctx, sl_str_of(r.target), sl_str_of(r.cluster.flink), err);
    if (!t ||
        !t->ops->logs(t, &r.cluster, sl_arena_strdupz(api_call_arena(c), which),
                      (size_t)sl_json_i64(sl_json_get(p, "tail"), 200), api_call_arena(c), &text, err)) {
        return false;
    }
    sl_jw_kstr(result, "text", text);
    return true;
}
