/* SPDX-License-Identifier: Apache-2.0
 * What an owner that died has left: submissions go on or get an answer, runs are followed again, SELECTs are
 * ended, replacements are brought to an end. */
#include "gateway/api/owner_recovery.h"

#include "base/limits.h"
#include "base/vec.h"
#include "gateway/jobs/recover.h"
#include "gateway/jobs/replace.h"
#include "gateway/jobs/request.h"
#include "gateway/jobs/tracker.h"
#include "gateway/target/target.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <pthread.h>
#include <stdio.h>

struct owner_recovery {
    const struct sub_env *sub;
    SL_VEC(struct sub_recovery *) submissions;
    SL_VEC(const char *) selects; /* ids of SELECTs whose reader has gone */
    pthread_t canceller;          /* of `selects`; 0 = none */
    pthread_t replacer;           /* ends what replacements were left in the middle */
    bool started, stops, done;    /* the last two atomic */
};

/* It never reached a cluster. */
static bool lose(struct owner_recovery *o, struct run *r, struct sl_err *err)
{
    snprintf(r->state, sizeof(r->state), "LOST");
    snprintf(r->error_code, sizeof(r->error_code), "%s", sl_code_slug(SL_OWNER));
    snprintf(r->error, sizeof(r->error), "the owner of the data folder ended before the job was made");
    r->sight = RUN_SIGHT_LOST;
    r->ended = true;
    r->ended_ms = sys_wall_ms();
    return ledger_run_put(o->sub->ledger, 0, r, err);
}

/* The jobs of an application whose ids nobody has told: those of its cluster that no run has yet, in order. */
static void name_jobs(struct owner_recovery *o, struct run *runs, size_t n, struct run *r)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    char(*ids)[33];
    size_t n_ids;
    struct target *t =
        o->sub->target(o->sub->target_ctx, sl_str_of(r->target), sl_str_of(r->cluster.flink), &err);
    if (!t || !t->ops->list(t, &r->cluster, &a, &ids, &n_ids, &err)) {
        return;
    }
    for (size_t i = 0; i < n_ids && !r->flink_job[0]; i++) {
        bool taken = false;
        for (size_t k = 0; k < n && !taken; k++) {
            taken = strcmp(runs[k].flink_job, ids[i]) == 0;
        }
        if (!taken) {
            memcpy(r->flink_job, ids[i], sizeof(r->flink_job));
        }
    }
}

/* The one job of an application has the id of its run. */
static bool is_only_run(const struct run *runs, size_t n, const struct run *r)
{
    size_t same = 0;
    for (size_t i = 0; i < n; i++) {
        same += strcmp(runs[i].cluster.id, r->cluster.id) == 0;
    }
    return same == 1;
}

/* Jobs whose rows have nowhere to go. */
static void *cancel_selects(void *arg)
{
    struct owner_recovery *o = arg;
    for (size_t i = 0; i < o->selects.n; i++) {
        struct sl_err err = SL_ERR_INIT;
        tracker_note_error(o->sub->tracker, o->selects.v[i], sl_code_slug(SL_OWNER),
                           "the owner of the data folder ended while it ran: its rows had nowhere to go", "",
                           "");
        if (!tracker_cancel(o->sub->tracker, o->selects.v[i], sl_limits.cancel_ms, &err)) {
            sys_log(SYS_LOG_WARN, "owner", "cancel-select", "run=%s error=\"%s\"", o->selects.v[i], err.msg);
        }
    }
    return NULL;
}

/* Submissions of an owner that died go on, or get an answer. */
static bool take_left_open(struct owner_recovery *o, struct sl_arena *a, struct sl_err *err)
{
    struct ledger_open *open;
    size_t n;
    if (!ledger_open_list(o->sub->ledger, a, &open, &n, err)) {
        return false;
    }
    const char **keys = sl_new_n(a, const char *, n + 1);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct sub_recovery *r = sub_recovery_new(o->sub, &open[i]);
        if (r) {
            sl_vec_push(a, &o->submissions, r);
            keys[kept++] = open[i].key;
        } else if (!ledger_close_lost(o->sub->ledger, open[i].id, err)) {
            return false;
        }
    }
    sub_request_sweep(o->sub->open_dir, keys, kept);
    return true;
}

static bool is_recovered(const struct owner_recovery *o, const struct run *r)
{
    for (size_t i = 0; i < o->submissions.n; i++) {
        if (sub_recovery_has(o->submissions.v[i], r->id)) {
            return true;
        }
    }
    return false;
}

bool owner_recovery_sweep(struct ledger *l, const char *cluster_dir, struct sl_arena *a, struct sl_err *err)
{
    struct run *runs;
    size_t n;
    if (!ledger_runs(l, NULL, true, true, 100000, a, &runs, &n, err)) {
        return false;
    }
    const char **spared = sl_new_n(a, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        spared[i] = runs[i].cluster.id;
    }
    tgt_local_sweep(cluster_dir, spared, n);
    return true;
}

/* Oldest first: the order in which an application made its jobs. */
bool owner_recovery_adopt(struct owner_recovery *o, struct sl_arena *a, struct sl_err *err)
{
    struct run *runs;
    size_t n;
    if (!take_left_open(o, a, err) ||
        !ledger_runs(o->sub->ledger, NULL, true, true, 100000, a, &runs, &n, err)) {
        return false;
    }
    for (size_t i = n; i-- > 0;) {
        struct run *r = &runs[i];
        if (is_recovered(o, r)) {
            continue;
        }
        if (!r->flink_job[0] && r->cluster.id[0] && r->mode == TGT_SESSION) {
            memcpy(r->flink_job, r->id, sizeof(r->flink_job)); /* the id it was submitted under, if it was */
        } else if (!r->flink_job[0] && r->cluster.id[0]) {
            name_jobs(o, runs, n, r);
            if (!r->flink_job[0] && is_only_run(runs, n, r)) { /* it may still be coming up */
                memcpy(r->flink_job, r->id, sizeof(r->flink_job));
            }
        }
        if (!r->flink_job[0]) {
            if (!lose(o, r, err)) {
                return false;
            }
            continue;
        }
        sys_log(SYS_LOG_INFO, "owner", "adopted", "run=%s cluster=%s", r->id, r->cluster.id);
        tracker_add(o->sub->tracker, 0, r);
        if (!r->job[0]) {
            sl_vec_push(a, &o->selects, r->id);
        }
    }
    for (size_t i = 0; i < n; i++) {
        bool mine = true;
        for (size_t k = 0; k < n && mine; k++) { /* else whoever goes on with it says when it is done */
            mine = strcmp(runs[k].cluster.id, runs[i].cluster.id) != 0 || !is_recovered(o, &runs[k]);
        }
        if (mine && runs[i].flink_job[0] && runs[i].mode == TGT_APPLICATION) {
            tracker_application_done(o->sub->tracker, runs[i].cluster.id);
        }
    }
    if (o->selects.n) {
        SL_OOM_ON(pthread_create(&o->canceller, NULL, cancel_selects, o) != 0);
    }
    return true;
}

static void *end_replacements(void *arg)
{
    struct owner_recovery *o = arg;
    replace_recover(o->sub, &o->stops);
    __atomic_store_n(&o->done, true, __ATOMIC_RELEASE);
    return NULL;
}

struct owner_recovery *owner_recovery_new(const struct sub_env *sub, struct sl_arena *a)
{
    struct owner_recovery *o = sl_arena_zalloc(a, sizeof(*o));
    o->sub = sub;
    return o;
}

void owner_recovery_start(struct owner_recovery *o)
{
    SL_OOM_ON(pthread_create(&o->replacer, NULL, end_replacements, o) != 0);
    o->started = true;
    for (size_t i = 0; i < o->submissions.n; i++) {
        sub_recovery_start(o->submissions.v[i]);
    }
}

bool owner_recovery_done(const struct owner_recovery *o)
{
    return __atomic_load_n(&o->done, __ATOMIC_ACQUIRE);
}

void owner_recovery_stop(struct owner_recovery *o)
{
    __atomic_store_n(&o->stops, true, __ATOMIC_RELEASE);
}

void owner_recovery_join(struct owner_recovery *o)
{
    if (o->canceller) {
        pthread_join(o->canceller, NULL);
    }
    if (o->started) {
        pthread_join(o->replacer, NULL);
    }
    for (size_t i = 0; i < o->submissions.n; i++) {
        sub_recovery_join(o->submissions.v[i]);
    }
}
