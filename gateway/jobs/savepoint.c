/* SPDX-License-Identifier: Apache-2.0
 * Savepoints: intent, request, outcome. */
#include "gateway/jobs/savepoint.h"

#include "base/digest.h"
#include "base/limits.h"
#include "gateway/target/flink_savepoint.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

#include <stdio.h>

#define LOOK_MS 50
#define SEE_MS  300 /* for the tracker to see what a failed stop has left */

static struct flink_rest *open_rest(const struct sub_env *env, const struct run *r, struct sl_err *err)
{
    struct tgt_endpoint at;
    struct target *t = env->target(env->target_ctx, sl_str_of(r->target), sl_str_of(r->cluster.flink), err);
    return t && t->ops->endpoint(t, &r->cluster, &at, err) ? flink_rest_open(&at, 0) : NULL;
}

/* The run as last seen, else as the caller knows it. */
static struct run now_of(const struct sub_env *env, const struct run *r)
{
    struct run now;
    return tracker_get(env->tracker, r->id, &now) ? now : *r;
}

/* What the cluster tells of the job, live or from its archive. */
static bool status_of(const struct sub_env *env, const struct run *r, struct tgt_job_status *ret)
{
    struct sl_err ignored = SL_ERR_INIT;
    struct target *t =
        env->target(env->target_ctx, sl_str_of(r->target), sl_str_of(r->cluster.flink), &ignored);
    return t && t->ops->status(t, &r->cluster, r->flink_job, ret, &ignored);
}

/* The cluster does not know the trigger (any more), or has ended: what it tells of the job's newest savepoint
 * is the truth. */
static void look_at_job(const struct sub_env *env, const struct run *r, const struct snapshot *s,
                        struct flink_savepoint *ret)
{
    struct tgt_job_status st;
    if (!status_of(env, r, &st)) {
        return;
    }
    if (st.last_savepoint[0] && st.last_savepoint_ms >= s->at_ms) {
        ret->state = FLINK_SAVEPOINT_DONE;
        memcpy(ret->path, st.last_savepoint, sizeof(ret->path));
    } else if (st.terminal || st.gone) {
        ret->state = FLINK_SAVEPOINT_FAILED;
        snprintf(ret->reason, sizeof(ret->reason), "the job ended before it was done");
    }
}

/* Its place among the checkpoints is when Flink began it, by Flink's clock as theirs: one that began after we had
 * asked, and before Flink heard of it, is older. Where that is not told, it is when it was seen to be done. */
static void place_in_time(const struct sub_env *env, const struct run *r, struct snapshot *s)
{
    struct tgt_job_status st;
    bool told = status_of(env, r, &st) && strcmp(st.last_savepoint, s->path) == 0 && st.last_savepoint_ms > 0;
    s->at_ms = told ? st.last_savepoint_ms : sys_wall_ms();
}

/* One look; what has come to an end is in *s. */
static bool look(const struct sub_env *env, const struct run *r, struct snapshot *s, struct sl_err *err)
{
    struct flink_savepoint f = {.state = FLINK_SAVEPOINT_UNKNOWN};
    struct flink_rest *rest = open_rest(env, r, err);
    bool seen = rest && flink_savepoint_look(rest, r->flink_job, s->trigger_id, &f, err);
    flink_rest_free(rest);
    if (!seen || f.state == FLINK_SAVEPOINT_UNKNOWN) {
        f.state = FLINK_SAVEPOINT_WORKING;
        look_at_job(env, r, s, &f);
    }
    if (f.state == FLINK_SAVEPOINT_DONE) {
        s->state = SNAPSHOT_COMPLETED;
        memcpy(s->path, f.path, sizeof(s->path));
        memcpy(s->reason, f.reason, sizeof(s->reason));
        place_in_time(env, r, s);
    } else if (f.state == FLINK_SAVEPOINT_FAILED) {
        s->state = SNAPSHOT_FAILED;
        memcpy(s->reason, f.reason, sizeof(s->reason));
    }
    return s->state != SNAPSHOT_PENDING;
}

static bool save(const struct sub_env *env, const struct snapshot *s, struct sl_err *err)
{
    return snapshot_put(ledger_store(env->ledger), s, err);
}

bool savepoint_settle(const struct sub_env *env, const struct run *r, struct snapshot *s)
{
    struct sl_err err = SL_ERR_INIT;
    if (!look(env, r, s, &err)) {
        return false;
    }
    if (!save(env, s, &err)) {
        sys_log(SYS_LOG_ERR, "jobs", "savepoint-not-saved", "run=%s error=\"%s\"", r->id, err.msg);
        return false;
    }
    return true;
}

/* The answer did not come, or is nobody's word: half of one, a proxy's page. */
static bool is_open(enum sl_code code)
{
    return code == SL_TARGET_UNREACHABLE || code == SL_TIMEOUT || code == SL_HTTP || code == SL_TARGET_ANSWER;
}

/* Flink took it on or not; a request whose answer was lost is asked again: the id is ours. */
static bool start(const struct sub_env *env, const struct run *r, const struct savepoint_ask *ask,
                  const struct snapshot *s, struct sl_err *err)
{
    struct flink_savepoint_ask q = {.job_id = r->flink_job,
                                    .trigger_id = s->trigger_id,
                                    .dir = ask->dir,
                                    .stop = ask->stop,
                                    .drain = ask->drain};
    for (int tries = 0;; tries++) {
        struct sl_err why = SL_ERR_INIT;
        struct flink_rest *rest = open_rest(env, r, &why);
        bool ok = rest && flink_savepoint_start(rest, &q, &why);
        flink_rest_free(rest);
        if (ok) {
            return true;
        }
        if (!is_open(why.code) || tries == 2) {
            if (err) {
                *err = why;
            }
            return false;
        }
        sys_sleep_ms(LOOK_MS);
    }
}

static bool told_failed(const struct sub_env *env, const struct run *given, const struct snapshot *s,
                        bool stop, struct sl_err *err)
{
    struct run now;
    tracker_wait_ended(env->tracker, given->id, SEE_MS, &now); /* what it is after that */
    now = now_of(env, given);
    const struct run *r = &now;
    sl_fail(err, SL_SAVEPOINT_FAILED, "the savepoint of %s (run %.8s) failed: %s",
            r->job[0] ? r->job : "the run", r->id, s->reason[0] ? s->reason : "Flink does not say why");
    if (r->ended || strcmp(run_shown_state(r), "RUNNING") != 0) {
        return sl_hint(err, "it is %s now: sluice job show %s", run_shown_state(r),
                       r->job[0] ? r->job : r->id);
    }
    return stop ? sl_hint(err, "it goes on running. Another folder: sluice job stop %s --savepoint-dir DIR",
                          r->job[0] ? r->job : r->id)
                : sl_hint(err, "another folder: sluice job savepoint %s --savepoint-dir DIR",
                          r->job[0] ? r->job : r->id);
}

bool savepoint_take(const struct sub_env *env, const struct run *given, const struct savepoint_ask *ask,
                    struct snapshot *ret, struct sl_err *err)
{
    struct run r = now_of(env, given);
    *ret = (struct snapshot){.kind = SNAPSHOT_SAVEPOINT, .at_ms = sys_wall_ms()};
    if (r.ended || !r.flink_job[0]) {
        return sl_fail(err, SL_JOB_STATE,
                       r.ended ? "run %.8s of %s has ended: it is %s"
                               : "run %.8s of %s has no Flink job yet: it is %s",
                       r.id, r.job[0] ? r.job : "a SELECT", r.state);
    }
    snprintf(ret->job, sizeof(ret->job), "%s", r.job);
    snprintf(ret->run, sizeof(ret->run), "%s", r.id);
    ret->version = r.version;
    ret->statement = r.statement;
    sl_random_hex(ret->trigger_id, 16);
    if (!save(env, ret, err)) {
        return false;
    }
    int64_t since = sys_now_ms();
    struct sl_err why = SL_ERR_INIT;
    if (!start(env, &r, ask, ret, &why)) {
        if (is_open(why.code)) { /* it may have been taken on: settled later */
            *err = why;
            return sl_hint(err, "whether it was taken: sluice job history %s", r.job);
        }
        ret->state = SNAPSHOT_FAILED;
        snprintf(ret->reason, sizeof(ret->reason), "%.250s", why.msg);
        return save(env, ret, err) && told_failed(env, &r, ret, ask->stop, err);
    }
    while (!look(env, &r, ret, &why)) {
        if (sys_now_ms() - since > sl_limits.savepoint_ms) {
            sl_fail(err, SL_TIMEOUT, "the savepoint of %s (run %.8s) is not done after %lld s", r.job, r.id,
                    (long long)sl_limits.savepoint_ms / 1000);
            return sl_hint(err, "it is still under way: sluice job history %s", r.job);
        }
        sys_sleep_ms(LOOK_MS);
    }
    ret->duration_ms = sys_now_ms() - since;
    if (!save(env, ret, err)) {
        return false;
    }
    if (ret->state == SNAPSHOT_FAILED) {
        return told_failed(env, &r, ret, ask->stop, err);
    }
    if (ask->stop && !tracker_wait_ended(env->tracker, r.id, sl_limits.cancel_ms, &r)) {
        return sl_fail(err, SL_TIMEOUT, "run %.8s of %s has its savepoint (%s) and is still %s", r.id, r.job,
                       ret->path, r.state);
    }
    return true;
}

const char *savepoint_local_path(sl_str path)
{
    static const char scheme[] = "file:";
    if (sl_str_starts(path, SL_STR("file:"))) {
        size_t at = sizeof(scheme) - 1;
        while (at + 1 < path.n && path.p[at] == '/' && path.p[at + 1] == '/') {
            at++;
        }
        return at < path.n && path.p[at] == '/' ? path.p + at : NULL;
    }
    return path.n && path.p[0] == '/' ? path.p : NULL;
}

bool savepoint_is_there(const char *path)
{
    const char *local = savepoint_local_path(sl_str_of(path));
    SL_ARENA_AUTO a = {0};
    if (!local) {
        return true;
    }
    return sys_exists(local) && (!sys_is_dir(local) || sys_exists(sys_path_join(&a, local, "_metadata")));
}
