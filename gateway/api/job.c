/* SPDX-License-Identifier: Apache-2.0
 * job.list, job.show. */
#include "gateway/api/api.h"

#include "gateway/jobs/cause.h"
#include "gateway/jobs/snapshot.h"
#include "sys/clock.h"

#define DAY_MS         INT64_C(86400000)
#define SNAPSHOTS_READ 300 /* newest ones among which one to restore from is looked for */

#define PAGE_RUNS 1000 /* at most in one answer */

static void put_time(struct sl_jw *w, const char *key, int64_t wall_ms)
{
    if (wall_ms) {
        char at[32];
        sys_time_rfc3339(wall_ms, at);
        sl_jw_kstrz(w, key, at);
    }
}

/* What is seen now where the run is under watch, else what the ledger holds. */
static struct run newest(struct api_call *c, const struct run *stored)
{
    struct run r;
    return tracker_get(api_call_env(c)->tracker, stored->id, &r) ? r : *stored;
}

static void put_health(struct sl_jw *w, const struct run *r)
{
    struct state_health health;
    int64_t now = sys_wall_ms(), first;
    run_health(r, &health);
    sl_jw_kstrz(w, "health", state_level_names[health.level]);
    if (health.why[0]) {
        sl_jw_kstrz(w, "why", health.why);
    }
    sl_jw_key(w, "reasons");
    sl_jw_array(w);
    for (unsigned bit = 1; bit && bit <= health.reasons; bit <<= 1) {
        if (health.reasons & bit) {
            sl_jw_strz(w, state_reason_name(bit));
        }
    }
    sl_jw_end_array(w);
    int64_t since = r->vitals.health_ms ? r->vitals.health_ms : r->started_ms ? r->started_ms : r->created_ms;
    sl_jw_ki64(w, "healthAgeMs", SL_MAX(now - since, INT64_C(0)));
    put_time(w, "healthSince", since);
    if (r->vitals.silent_ms && !r->ended) {
        sl_jw_ki64(w, "silentMs", SL_MAX(now - r->vitals.silent_ms, INT64_C(0)));
    }
    sl_jw_ki64(w, "restarts", r->last.restarts);
    sl_jw_ki64(w, "restartsRecent", run_restarts(r, now, &first));
    put_time(w, "restartingSince", first);
    int day = 0;
    for (int i = 0; i < r->vitals.n_restarts; i++) {
        day += now - r->vitals.restarts_at[i] < DAY_MS;
    }
    sl_jw_ki64(w, "restartsDay", day);
}

static void put_checkpoints(struct sl_jw *w, const struct run *r)
{
    const struct tgt_job_status *s = &r->last;
    if (s->last_checkpoint_ms) {
        sl_jw_ki64(w, "checkpointAgeMs", SL_MAX(sys_wall_ms() - s->last_checkpoint_ms, INT64_C(0)));
        sl_jw_ki64(w, "checkpointTookMs", s->last_checkpoint_duration_ms);
        sl_jw_ki64(w, "checkpointBytes", s->last_checkpoint_bytes);
    }
    if (s->checkpoint_interval_ms) {
        sl_jw_ki64(w, "checkpointIntervalMs", s->checkpoint_interval_ms);
    }
    sl_jw_ki64(w, "checkpointsCompleted", s->checkpoints_completed);
    sl_jw_ki64(w, "checkpointsFailed", s->checkpoints_failed);
    sl_jw_ki64(w, "checkpointsNotRecorded", r->vitals.checkpoints_missed);
    sl_jw_ki64(w, "lastCheckpoint", s->last_checkpoint_id);
    put_time(w, "lastCheckpointAt", s->last_checkpoint_ms);
    if (s->restored_from[0]) {
        sl_jw_kstrz(w, "restoredFrom", s->restored_from);
    }
}

static void put_records(struct sl_jw *w, const struct run *r)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    sl_jw_key(w, "recordsIn");
    sl_jw_str(w, sl_arena_printf(&a, "%llu", (unsigned long long)r->last.records_in));
    sl_jw_key(w, "recordsOut");
    sl_jw_str(w, sl_arena_printf(&a, "%llu", (unsigned long long)r->last.records_out));
    sl_jw_kbool(w, "recordsInAtLeast", r->last.in_hidden);
    sl_jw_kbool(w, "recordsOutAtLeast", r->last.out_hidden);
    sl_jw_ki64(w, "recordsInPerSecond", r->rate_in);
    sl_jw_ki64(w, "recordsOutPerSecond", r->rate_out);
    if (r->last.lag_told) {
        sl_jw_ki64(w, "lagRecords", r->last.lag);
    }
    if (r->last.watermark_ms) {
        put_time(w, "watermark", r->last.watermark_ms);
        sl_jw_ki64(w, "watermarkBehindMs", SL_MAX(sys_wall_ms() - r->last.watermark_ms, INT64_C(0)));
    }
    sl_jw_ki64(w, "heldBackPermille", r->vitals.held_permille);
}

static void put_run(struct sl_jw *w, const struct run *r)
{
    sl_jw_kstrz(w, "run", r->id);
    sl_jw_kstrz(w, "job", r->job);
    sl_jw_ki64(w, "version", r->version);
    sl_jw_ki64(w, "statement", r->statement);
    sl_jw_kstrz(w, "kind", r->kind);
    sl_jw_kstrz(w, "mode", r->mode == TGT_SESSION ? "session" : "application");
    sl_jw_kstrz(w, "target", r->target);
    sl_jw_kstrz(w, "wanted", r->wanted);
    sl_jw_kstrz(w, "state", run_shown_state(r));
    sl_jw_kstrz(w, "flinkState", r->state);
    sl_jw_kstrz(w, "sight", run_sight_names[r->sight]);
    put_health(w, r);
    sl_jw_kbool(w, "ended", r->ended);
    sl_jw_kstrz(w, "flinkJob", r->flink_job);
    sl_jw_kstrz(w, "flink", r->cluster.flink);
    sl_jw_kstrz(w, "rest", r->cluster.rest);
    sl_jw_ki64(w, "tasks", r->last.tasks);
    sl_jw_ki64(w, "tasksRunning", r->last.tasks_running);
    put_records(w, r);
    put_checkpoints(w, r);
    put_time(w, "created", r->created_ms);
    put_time(w, "started", r->started_ms);
    put_time(w, "endedAt", r->ended_ms);
    put_time(w, "seen", r->seen_ms);
    sl_jw_ki64(w, "ageMs",
               sys_wall_ms() - (r->ended        ? r->ended_ms
                                : r->started_ms ? r->started_ms
                                                : r->created_ms));
    if (r->error_code[0]) {
        sl_jw_key(w, "error");
        sl_jw_object(w);
        sl_jw_kstrz(w, "code", r->error_code);
        sl_jw_kstrz(w, "message", r->error);
        sl_jw_kstrz(w, "hint", r->hint);
        sl_jw_kstrz(w, "place", r->error_place);
        sl_jw_end_object(w);
    }
}

/* Its newest failure, where it is not well because of it. */
static void put_cause(struct api_call *c, struct sl_jw *w, const struct run *r)
{
    struct cause f;
    struct state_health h;
    run_health(r, &h);
    if (h.level == STATE_OK ||
        !cause_of_run(api_call_env(c)->ledger, api_call_env(c)->tracker, r, api_call_arena(c), &f)) {
        return;
    }
    sl_jw_key(w, "cause");
    sl_jw_object(w);
    sl_jw_kstrz(w, "code", f.code);
    sl_jw_kstrz(w, "message", f.message);
    sl_jw_kstrz(w, "hint", f.hint);
    sl_jw_kstrz(w, "place", f.place);
    sl_jw_kstrz(w, "statement", f.what);
    sl_jw_kstrz(w, "record", f.record);
    sl_jw_kstrz(w, "java", f.flink);
    sl_jw_ki64(w, "causes", f.causes);
    put_time(w, "at", f.at_ms);
    sl_jw_kstr(w, "stack", f.stack);
    sl_jw_end_object(w);
}

/* By what it is known that the run is where it is said to be: its last transition, `text` if it is at hand. */
static void put_evidence(struct api_call *c, struct sl_jw *w, const struct run *r, sl_str text, int64_t at_ms)
{
    struct sl_err err = SL_ERR_INIT;
    if (text.n ||
        ledger_last_event(api_call_env(c)->ledger, r->id, "state", api_call_arena(c), &text, &at_ms, &err)) {
        sl_jw_key(w, "evidence");
        sl_jw_raw(w, text);
        put_time(w, "stateSince", at_ms);
    }
}

/* The newest checkpoint and the newest savepoint of the job that can be restored from. */
static void put_restore(struct api_call *c, struct sl_jw *w, const struct run *r)
{
    struct snapshot *all;
    size_t n;
    bool told[SNAPSHOT_SAVEPOINT + 1] = {0};
    struct sl_err err = SL_ERR_INIT;
    if (!r->job[0] || !snapshot_list(ledger_store(api_call_env(c)->ledger), r->job, NULL, SNAPSHOTS_READ,
                                     api_call_arena(c), &all, &n, &err)) {
        return;
    }
    sl_jw_key(w, "restoreTo");
    sl_jw_array(w);
    for (size_t i = 0; i < n; i++) {
        const struct snapshot *s = &all[i];
        if (s->state != SNAPSHOT_COMPLETED || !s->path[0] || told[s->kind]) {
            continue;
        }
        told[s->kind] = true;
        sl_jw_object(w);
        sl_jw_kstrz(w, "kind", snapshot_kind_names[s->kind]);
        sl_jw_ki64(w, "number", s->number);
        sl_jw_ki64(w, "version", s->version);
        sl_jw_kstrz(w, "path", s->path);
        put_time(w, "at", s->at_ms);
        sl_jw_ki64(w, "ageMs", SL_MAX(sys_wall_ms() - s->at_ms, INT64_C(0)));
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
}

static void put_job(struct api_call *c, struct sl_jw *w, const struct run *r)
{
    struct ledger_job j = {{0}, {0}, 0, 0};
    struct sl_err err = SL_ERR_INIT;
    if (r->job[0] && ledger_job(api_call_env(c)->ledger, r->job, r->version, &j, &err)) {
        sl_jw_kstrz(w, "owner", j.owner);
        sl_jw_kstrz(w, "digest", j.digest);
        put_time(w, "versionAt", j.version_ms);
        sl_jw_ki64(w, "versionAgeMs", SL_MAX(sys_wall_ms() - j.version_ms, INT64_C(0)));
    }
}

bool api_job_list(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct sl_json *p = api_call_params(c);
    struct run *runs;
    size_t n;
    bool all = sl_json_bool(sl_json_get(p, "all"), false), more;
    int64_t limit = sl_json_i64(sl_json_get(p, "limit"), PAGE_RUNS);
    sl_str after;
    if (limit < 1 || limit > PAGE_RUNS) {
        return sl_fail(err, SL_USAGE, "parameter 'limit' is a number from 1 to %d", PAGE_RUNS);
    }
    if (!api_param_str(c, "after", SL_STR(""), &after, err)) {
        return false;
    }
    const struct ledger_page page = {.after = after.n ? sl_arena_strdupz(api_call_arena(c), after) : NULL,
                                     .limit = (size_t)limit,
                                     .active = sl_json_bool(sl_json_get(p, "active"), false),
                                     .interactive = all,
                                     .newest = !all};
    if (!ledger_runs_page(api_call_env(c)->ledger, &page, api_call_arena(c), &runs, &n, &more, err)) {
        return false;
    }
    sl_jw_key(result, "jobs");
    sl_jw_array(result);
    for (size_t i = 0; i < n; i++) {
        struct run r = newest(c, &runs[i]);
        sl_jw_object(result);
        put_run(result, &r);
        put_job(c, result, &runs[i]);
        sl_jw_end_object(result);
    }
    sl_jw_end_array(result);
    if (more) {
        sl_jw_kstrz(result, "next", runs[n - 1].id);
    }
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
    sl_str transition = SL_STR_NONE;
    int64_t at_ms = 0;
    if (!find(c, &r, err)) {
        return false;
    }
    (void)tracker_get_known(api_call_env(c)->tracker, r.id, api_call_arena(c), &r, &transition, &at_ms);
    put_run(result, &r);
    put_job(c, result, &r);
    put_cause(c, result, &r);
    put_evidence(c, result, &r, transition, at_ms);
    put_restore(c, result, &r);
    return true;
}
