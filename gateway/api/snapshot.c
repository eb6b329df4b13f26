/* SPDX-License-Identifier: Apache-2.0
 * job.stop, job.savepoint, job.cancel, job.history, job.rm. */
#include "gateway/api/api.h"

#include "base/limits.h"
#include "gateway/jobs/history.h"
#include "gateway/jobs/loss.h"
#include "gateway/jobs/replace.h"
#include "sys/clock.h"

#define RUNS_MAX 1000

static struct store *store_of(struct api_call *c)
{
    return ledger_store(api_call_env(c)->ledger);
}

/* By name: every run of the job that lives; by run id: that one. */
static bool live_runs(struct api_call *c, struct run *ret_found, struct run **ret, size_t *ret_n,
                      struct sl_err *err)
{
    sl_str what;
    struct sl_arena *a = api_call_arena(c);
    struct ledger *ledger = api_call_env(c)->ledger;
    *ret_n = 0;
    if (!api_param_str(c, "job", SL_STR_NONE, &what, err) ||
        !ledger_find(ledger, sl_arena_strdupz(a, what), ret_found, err)) {
        return false;
    }
    if (!sl_str_eqz(what, ret_found->job)) {
        *ret = ret_found;
        *ret_n = ret_found->ended ? 0 : 1;
    } else if (!ledger_runs(ledger, ret_found->job, true, false, RUNS_MAX, a, ret, ret_n, err)) {
        return false;
    }
    if (*ret_n == 0) {
        return sl_fail(err, SL_JOB_STATE, "%.*s is not running: it is %s", SL_S(what), ret_found->state);
    }
    return true;
}

static void put_time(struct sl_jw *w, const char *key, int64_t wall_ms)
{
    if (wall_ms) {
        char at[32];
        sys_time_rfc3339(wall_ms, at);
        sl_jw_kstrz(w, key, at);
    }
}

static void put_snapshot(struct sl_jw *w, const struct snapshot *s)
{
    sl_jw_object(w);
    sl_jw_kstrz(w, "run", s->run);
    sl_jw_ki64(w, "version", s->version);
    sl_jw_ki64(w, "statement", s->statement);
    sl_jw_kstrz(w, "kind", snapshot_kind_names[s->kind]);
    if (s->number) {
        sl_jw_ki64(w, "number", s->number);
    }
    sl_jw_kstrz(w, "state", snapshot_state_names[s->state]);
    sl_jw_kbool(w, "restorable", s->state == SNAPSHOT_COMPLETED && s->path[0]);
    sl_jw_kstrz(w, "path", s->path);
    sl_jw_ki64(w, "bytes", s->bytes);
    sl_jw_ki64(w, "ms", s->duration_ms);
    put_time(w, "at", s->at_ms);
    if (s->reason[0]) {
        sl_jw_kstrz(w, "reason", s->reason);
    }
    sl_jw_end_object(w);
}

/* The rules of the targets that they run on. */
static bool may_touch(struct api_call *c, const struct run *runs, size_t n, struct sl_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!auth_rules_allow(api_call_env(c)->sub.rules, api_call_role(c), sl_str_of(runs[i].target),
                              AUTH_JOB, "a change to a job", err)) {
            return false;
        }
    }
    return true;
}

/* One savepoint after the other; the first that fails ends it: what was done before is said with it. */
static bool take_all(struct api_call *c, bool stop, struct sl_jw *result, struct sl_err *err)
{
    const struct sl_json *p = api_call_params(c);
    struct run found, *runs;
    struct snapshot s;
    sl_str dir;
    size_t n;
    if (!live_runs(c, &found, &runs, &n, err) || !may_touch(c, runs, n, err) ||
        !api_param_str(c, "savepointDir", SL_STR(""), &dir, err)) {
        return false;
    }
    struct savepoint_ask ask = {.dir = dir.n ? sl_arena_strdupz(api_call_arena(c), dir) : NULL,
                                .stop = stop,
                                .drain = stop && sl_json_bool(sl_json_get(p, "drain"), false)};
    sl_jw_key(result, "savepoints");
    sl_jw_array(result);
    for (size_t i = 0; i < n; i++) {
        if (!savepoint_take(&api_call_env(c)->sub, &runs[i], &ask, &s, err)) {
            sl_jw_end_array(result);
            if (i > 0 && stop) {
                sl_hint(err, "%zu of %zu runs of %s were stopped before it: sluice job history %s", i, n,
                        found.job, found.job);
            }
            return false;
        }
        put_snapshot(result, &s);
    }
    sl_jw_end_array(result);
    return true;
}

bool api_job_stop(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    return take_all(c, true, result, err);
}

bool api_job_savepoint(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    return take_all(c, false, result, err);
}

/* Refused where state would be lost that nobody said may go. */
static bool may_cancel(struct api_call *c, const struct run *runs, size_t n, struct sl_err *err)
{
    char what[64];
    if (sl_json_bool(sl_json_get(api_call_params(c), "yes"), false)) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (runs[i].job[0] && loss_of_cancel(&api_call_env(c)->sub, &runs[i], what)) {
            const char *name = runs[i].job;
            sl_fail(err, SL_STATE_WOULD_BE_LOST,
                    "%s keeps state (%s) and has no checkpoint or savepoint: a cancel loses it", name, what);
            return sl_hint(err,
                           "sluice job stop %s               ends it with a savepoint\n"
                           "sluice job cancel %s --yes       ends it all the same",
                           name, name);
        }
    }
    return true;
}

bool api_job_cancel(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct run found, *runs;
    size_t n;
    if (!live_runs(c, &found, &runs, &n, err) || !may_touch(c, runs, n, err) ||
        !may_cancel(c, runs, n, err)) {
        return false;
    }
    sl_jw_key(result, "ended");
    sl_jw_array(result);
    for (size_t i = 0; i < n; i++) {
        if (!tracker_cancel(api_call_env(c)->tracker, runs[i].id, sl_limits.cancel_ms, err)) {
            sl_jw_end_array(result);
            return false;
        }
        sl_jw_str(result, sl_str_of(runs[i].id));
    }
    sl_jw_end_array(result);
    return true;
}

static void put_run(struct api_call *c, struct sl_jw *w, const struct run *stored)
{
    struct run r;
    if (!tracker_get(api_call_env(c)->tracker, stored->id, &r)) {
        r = *stored;
    }
    sl_jw_object(w);
    sl_jw_kstrz(w, "run", r.id);
    sl_jw_ki64(w, "version", r.version);
    sl_jw_ki64(w, "statement", r.statement);
    sl_jw_kstrz(w, "target", r.target);
    sl_jw_kstrz(w, "state", run_shown_state(&r));
    sl_jw_kbool(w, "ended", r.ended);
    put_time(w, "created", r.created_ms);
    put_time(w, "endedAt", r.ended_ms);
    sl_jw_kstrz(w, "restoredFrom", r.last.restored_from);
    if (r.error[0]) {
        sl_jw_kstrz(w, "error", r.error);
    }
    sl_jw_end_object(w);
}

bool api_job_history(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct sl_arena *a = api_call_arena(c);
    struct run found, *runs;
    struct history_version *versions;
    struct snapshot *snapshots;
    struct replace_record *replaced;
    size_t n_runs, n_versions, n_snapshots, n_replaced;
    sl_str what;
    int64_t limit = sl_json_i64(sl_json_get(api_call_params(c), "limit"), 50);
    if (limit <= 0 || limit > RUNS_MAX) {
        return sl_fail(err, SL_USAGE, "parameter 'limit' is a number from 1 to %d", RUNS_MAX);
    }
    if (!api_param_str(c, "job", SL_STR_NONE, &what, err) ||
        !ledger_find(api_call_env(c)->ledger, sl_arena_strdupz(a, what), &found, err)) {
        return false;
    }
    if (!found.job[0]) {
        return sl_fail(err, SL_JOB_UNKNOWN, "run %.8s is a SELECT: it belongs to no job", found.id);
    }
    if (!history_versions(store_of(c), found.job, a, &versions, &n_versions, err) ||
        !replace_list(store_of(c), found.job, (size_t)limit, a, &replaced, &n_replaced, err) ||
        !ledger_runs(api_call_env(c)->ledger, found.job, false, false, (size_t)limit, a, &runs, &n_runs,
                     err) ||
        !snapshot_list(store_of(c), found.job, NULL, (size_t)limit, a, &snapshots, &n_snapshots, err)) {
        return false;
    }
    sl_jw_kstrz(result, "job", found.job);
    sl_jw_key(result, "replacements");
    sl_jw_array(result);
    for (size_t i = 0; i < n_replaced; i++) {
        sl_jw_object(result);
        sl_jw_ki64(result, "oldVersion", replaced[i].old_version);
        sl_jw_kstrz(result, "state", replaced[i].state);
        sl_jw_kstrz(result, "reason", replaced[i].reason);
        put_time(result, "at", replaced[i].started_ms);
        put_time(result, "endedAt", replaced[i].ended_ms);
        sl_jw_end_object(result);
    }
    sl_jw_end_array(result);
    sl_jw_key(result, "versions");
    sl_jw_array(result);
    for (size_t i = 0; i < n_versions; i++) {
        sl_jw_object(result);
        sl_jw_ki64(result, "version", versions[i].number);
        sl_jw_kstrz(result, "digest", versions[i].digest);
        sl_jw_kstrz(result, "by", versions[i].made_by);
        sl_jw_kstrz(result, "why", versions[i].why);
        put_time(result, "at", versions[i].made_ms);
        sl_jw_end_object(result);
    }
    sl_jw_end_array(result);
    sl_jw_key(result, "runs");
    sl_jw_array(result);
    for (size_t i = 0; i < n_runs; i++) {
        put_run(c, result, &runs[i]);
    }
    sl_jw_end_array(result);
    sl_jw_key(result, "snapshots");
    sl_jw_array(result);
    for (size_t i = 0; i < n_snapshots; i++) {
        put_snapshot(result, &snapshots[i]);
    }
    sl_jw_end_array(result);
    return true;
}

bool api_job_rm(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    sl_str what;
    struct history_gone gone;
    if (!api_param_str(c, "job", SL_STR_NONE, &what, err) ||
        !history_forget(store_of(c), sl_arena_strdupz(api_call_arena(c), what), &gone, err)) {
        return false;
    }
    sl_jw_ki64(result, "versions", gone.versions);
    sl_jw_ki64(result, "runs", gone.runs);
    sl_jw_ki64(result, "snapshots", gone.snapshots);
    return true;
}
