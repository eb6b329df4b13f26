/* SPDX-License-Identifier: Apache-2.0
 * Adoption is a submission that sends nothing: the same record, the same run, the same tracker. */
#include "gateway/jobs/adopt.h"

#include "base/digest.h"
#include "gateway/jobs/tracker.h"
#include "gateway/target/flink_rest.h"
#include "sys/clock.h"

#include <stdio.h>

#define ASK_MS 5000

/* The one job whose id begins so. */
static bool find_job(struct target *t, const struct tgt_cluster *c, sl_str id, struct flink_job *ret,
                     struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct tgt_endpoint at;
    struct flink_job *jobs;
    size_t n, hits = 0;
    if (!t->ops->endpoint(t, c, &at, err)) {
        return false;
    }
    struct flink_rest *r = flink_rest_open(&at, ASK_MS);
    bool ok = flink_rest_jobs(r, &a, &jobs, &n, err);
    flink_rest_free(r);
    for (size_t i = 0; ok && i < n; i++) {
        if (sl_str_starts(sl_str_of(jobs[i].id), id)) {
            *ret = jobs[i];
            hits++;
        }
    }
    if (ok && hits != 1) {
        return sl_fail(err, hits ? SL_USAGE : SL_JOB_UNKNOWN,
                       hits ? "more than one job of '%s' begins with '%.*s'" : "'%s' has no job '%.*s'",
                       t->name, SL_S(id));
    }
    return ok;
}

static bool is_followed(struct ledger *l, const char *flink_job, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct run *runs;
    size_t n;
    if (!ledger_runs(l, NULL, true, true, 100000, &a, &runs, &n, err)) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(runs[i].flink_job, flink_job) == 0) {
            sl_fail(err, SL_JOB_EXISTS, "that job is followed already: %s",
                    runs[i].job[0] ? runs[i].job : runs[i].id);
            sl_hint(err, "sluice job show %s", runs[i].job[0] ? runs[i].job : runs[i].id);
            return true;
        }
    }
    return false;
}

static bool record(const struct sub_env *env, struct target *t, sl_str name, sl_str owner, struct run *r,
                   struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char key[33], digest[72];
    struct ledger_opened opened;
    sl_str bundle = sl_arena_printf(&a, "{\"adopted\":\"%s/%s\"}", t->name, r->flink_job);
    sl_random_hex(key, 16);
    sl_sha256_digest(bundle, digest);
    const struct ledger_submission s = {.key = key,
                                        .job = r->job,
                                        .owner = sl_arena_strdupz(&a, owner),
                                        .digest = digest,
                                        .bundle = bundle,
                                        .source = SL_STR("[]"),
                                        .target = t->name,
                                        .mode = TGT_SESSION};
    if (!ledger_open(env->ledger, &s, &opened, err)) {
        return false;
    }
    if (opened.taken) {
        sl_fail(err, SL_JOB_EXISTS, "the name %.*s is in use", SL_S(name));
        return sl_hint(err, "sluice job adopt %s/%s --name OTHER", t->name, r->flink_job);
    }
    r->version = opened.version;
    if (!ledger_run_put(env->ledger, opened.submission, r, err)) {
        return false;
    }
    tracker_add(env->tracker, opened.submission, r);
    sl_str result =
        sl_arena_printf(&a, "{\"event\":\"result\",\"ok\":true,\"exit\":0,\"adopted\":\"%s\"}", r->id);
    return ledger_close(env->ledger, opened.submission, true, result, err);
}

bool job_adopt(const struct sub_env *env, sl_str target, sl_str flink_job, sl_str name, sl_str owner,
               struct run *ret, struct sl_err *err)
{
    struct tgt_look look;
    struct flink_job job = {0};
    if (flink_job.n < 6 || flink_job.n > 32) {
        return sl_fail(err, SL_USAGE,
                       "a job of Flink is named by its id of 32 digits, or at least the first 6 of them");
    }
    struct target *t =
        env->target(env->target_ctx, target, sl_str_of(sql_version_name(SQL_FLINK_DEFAULT)), err);
    if (!t) {
        return false;
    }
    if (!t->ops->look) {
        return sl_fail(err, SL_USAGE, "jobs of '%s' are followed from their beginning", t->name);
    }
    if (!t->ops->look(t, &look, err)) {
        return false;
    }
    struct run r = {.mode = TGT_SESSION, .created_ms = sys_wall_ms()};
    snprintf(r.cluster.id, sizeof(r.cluster.id), "%s", t->name);
    snprintf(r.cluster.flink, sizeof(r.cluster.flink), "%s", look.flink);
    snprintf(r.cluster.incarnation, sizeof(r.cluster.incarnation), "%s", look.incarnation);
    struct tgt_endpoint at;
    if (!find_job(t, &r.cluster, flink_job, &job, err) || !t->ops->endpoint(t, &r.cluster, &at, err)) {
        return false;
    }
    if (flink_state_is_terminal(job.state)) {
        return sl_fail(err, SL_JOB_STATE, "job %s of '%s' has ended: it is %s", job.id, t->name, job.state);
    }
    if (is_followed(env->ledger, job.id, err)) {
        return false;
    }
    sl_str called = name.n ? name : sl_str_of(job.name);
    if (called.n == 0 || called.n > 128) {
        return sl_fail(err, SL_USAGE, "a job's name has 1 to 128 bytes");
    }
    sl_random_hex(r.id, RUN_ID_HEX / 2);
    snprintf(r.job, sizeof(r.job), "%.*s", SL_S(called));
    snprintf(r.kind, sizeof(r.kind), "ADOPTED");
    snprintf(r.target, sizeof(r.target), "%s", t->name);
    snprintf(r.wanted, sizeof(r.wanted), "running");
    snprintf(r.state, sizeof(r.state), "%s", job.state);
    snprintf(r.flink_job, sizeof(r.flink_job), "%s", job.id);
    snprintf(r.cluster.rest, sizeof(r.cluster.rest), "%s", at.rest);
    r.started_ms = job.start_ms;
    *ret = r;
    return record(env, t, called, owner, ret, err);
}
