/* SPDX-License-Identifier: Apache-2.0
 * The runs under watch and those who wait for them. What is seen comes from tracker_loop.c. Entries are never
 * freed while the tracker lives but for ended ones that nobody has asked after for a while. */
#include "gateway/jobs/tracker_internal.h"

#include "base/limits.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define FORGET_EACH_MS 1000

static size_t bucket_of(const char *run_id)
{
    return sl_str_hash(sl_str_of(run_id)) % TRACK_BUCKETS;
}

struct entry *track_find(struct tracker *t, const char *run_id)
{
    struct entry *e = t->buckets[bucket_of(run_id)];
    while (e && strcmp(e->run.id, run_id) != 0) {
        e = e->in_bucket;
    }
    return e;
}

static void deadline_in(int64_t ms, struct timespec *ret)
{
    clock_gettime(CLOCK_MONOTONIC, ret);
    ret->tv_sec += ms / 1000;
    ret->tv_nsec += (ms % 1000) * 1000000;
    if (ret->tv_nsec >= 1000000000) {
        ret->tv_sec++;
        ret->tv_nsec -= 1000000000;
    }
}

static void free_entry(struct entry *e)
{
    for (struct pending *p = e->pending, *next; p; p = next) {
        next = p->next;
        free(p->json);
        free(p);
    }
    free(e->transition);
    free(e->chain);
    free(e->stack);
    free(e);
}

static void forget_entry(struct tracker *t, struct entry *e)
{
    struct entry **p = &t->buckets[bucket_of(e->run.id)];
    while (*p != e) {
        p = &(*p)->in_bucket;
    }
    *p = e->in_bucket;
    track_leave_place(e);
    free_entry(e);
}

void track_forget(struct tracker *t, int64_t now)
{
    if (now - t->forgot_ms < FORGET_EACH_MS) {
        return;
    }
    t->forgot_ms = now;
    for (struct entry **p = &t->entries; *p;) {
        struct entry *e = *p;
        if (e->run.ended && e->end_handled && !e->dirty && !e->asking && e->waiters == 0 &&
            e->ended_at + sl_limits.ended_kept_ms < now) {
            *p = e->next;
            forget_entry(t, e);
        } else {
            p = &e->next;
        }
    }
    track_forget_places(t, false);
}

/* ---- start and end ---- */

/* One kept connection for each JobManager takes a descriptor. */
static void raise_descriptors(void)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
        l.rlim_cur = SL_MIN(l.rlim_max, (rlim_t)65536);
        (void)setrlimit(RLIMIT_NOFILE, &l);
    }
}

struct tracker *tracker_start(struct ledger *l, tracker_target target, void *target_ctx)
{
    struct tracker *t = calloc(1, sizeof(*t));
    SL_OOM_ON(!t);
    raise_descriptors();
    t->ledger = l;
    t->target = target;
    t->target_ctx = target_ctx;
    pthread_mutex_init(&t->lock, NULL);
    pthread_mutex_init(&t->save_lock, NULL);
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&t->changed, &mono);
    pthread_condattr_destroy(&mono);
    track_open(t);
    SL_OOM_ON(pthread_create(&t->thread, NULL, track_thread, t) != 0);
    return t;
}

void tracker_stop(struct tracker *t)
{
    pthread_mutex_lock(&t->lock);
    t->stop = true;
    pthread_mutex_unlock(&t->lock);
    track_wake(t);
    pthread_join(t->thread, NULL);
    for (struct entry *e = t->entries, *next; e; e = next) {
        next = e->next;
        free_entry(e);
    }
    track_forget_places(t, true);
    pthread_mutex_destroy(&t->lock);
    pthread_mutex_destroy(&t->save_lock);
    pthread_cond_destroy(&t->changed);
    free(t);
}

void tracker_keep_in(struct tracker *t, const char *dir)
{
    snprintf(t->keep_dir, sizeof(t->keep_dir), "%s", dir);
}

void tracker_add(struct tracker *t, int64_t submission, const struct run *r)
{
    struct entry *e = calloc(1, sizeof(*e));
    SL_OOM_ON(!e);
    e->submission = submission;
    e->run = *r;
    e->pending_end = &e->pending;
    e->run.last.taskmanagers = e->run.last.slots_free = -1; /* of the cluster as it is now: not asked yet */
    e->asked = r->flink_job[0] && r->cluster.id[0];
    pthread_mutex_lock(&t->lock);
    e->next = t->entries;
    t->entries = e;
    size_t b = bucket_of(e->run.id);
    e->in_bucket = t->buckets[b];
    t->buckets[b] = e;
    t->active += !e->run.ended;
    if (e->asked) {
        track_enter_place(t, e);
    }
    pthread_mutex_unlock(&t->lock);
    track_wake(t);
}

bool tracker_get(struct tracker *t, const char *run_id, struct run *ret)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = track_find(t, run_id);
    if (e) {
        *ret = e->run;
    }
    pthread_mutex_unlock(&t->lock);
    return e != NULL;
}

bool tracker_get_known(struct tracker *t, const char *run_id, struct sl_arena *a, struct run *ret,
                       sl_str *ret_json, int64_t *ret_at_ms)
{
    *ret_json = SL_STR_NONE;
    pthread_mutex_lock(&t->lock);
    struct entry *e = track_find(t, run_id);
    if (e) {
        *ret = e->run;
        if (e->transition) {
            *ret_json = sl_str_dup(a, sl_str_of(e->transition));
            *ret_at_ms = e->transition_ms;
        }
    }
    pthread_mutex_unlock(&t->lock);
    return e != NULL;
}

static bool wait_for(struct tracker *t, const char *run_id, int64_t timeout_ms, bool running, struct run *ret)
{
    struct timespec until;
    deadline_in(timeout_ms, &until);
    bool there = false;
    pthread_mutex_lock(&t->lock);
    struct entry *e = track_find(t, run_id);
    if (e) {
        e->waiters++;
        track_due_now(t, e);
        track_wake(t);
        for (;;) {
            there = e->end_saved || (running && e->run.finish_first_ms);
            if (there || pthread_cond_timedwait(&t->changed, &t->lock, &until) != 0) {
                break;
            }
        }
        there = e->end_saved || (running && e->run.finish_first_ms);
        e->waiters--;
        *ret = e->run;
    }
    pthread_mutex_unlock(&t->lock);
    return there;
}

bool tracker_wait_running(struct tracker *t, const char *run_id, int64_t timeout_ms, struct run *ret)
{
    return wait_for(t, run_id, timeout_ms, true, ret);
}

bool tracker_wait_ended(struct tracker *t, const char *run_id, int64_t timeout_ms, struct run *ret)
{
    return wait_for(t, run_id, timeout_ms, false, ret);
}

void tracker_note_error(struct tracker *t, const char *run_id, const char *code, const char *msg,
                        const char *hint, const char *place)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = track_find(t, run_id);
    if (!e || e->run.error_code[0]) {
        pthread_mutex_unlock(&t->lock);
        return;
    }
    snprintf(e->run.error_code, sizeof(e->run.error_code), "%s", code);
    snprintf(e->run.error, sizeof(e->run.error), "%s", msg);
    snprintf(e->run.hint, sizeof(e->run.hint), "%s", hint);
    snprintf(e->run.error_place, sizeof(e->run.error_place), "%s", place);
    track_publish(t, e);
}

void tracker_started(struct tracker *t, const char *run_id, const struct tgt_cluster *c,
                     const char *flink_job)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = track_find(t, run_id);
    if (!e || e->run.ended || (e->asked && strcmp(e->run.flink_job, flink_job) == 0)) {
        pthread_mutex_unlock(&t->lock);
        return;
    }
    e->run.cluster = *c;
    snprintf(e->run.flink_job, sizeof(e->run.flink_job), "%s", flink_job);
    e->asked = flink_job[0] != 0;
    e->next_ms = 0;
    if (e->asked) {
        track_enter_place(t, e);
    }
    track_publish(t, e);
}

void tracker_finish(struct tracker *t, const char *run_id, const char *state)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = track_find(t, run_id);
    if (!e || e->run.ended) {
        pthread_mutex_unlock(&t->lock);
        return;
    }
    track_note_end(t, e, state, e->run.error[0] ? e->run.error : "told by the submission");
    track_publish(t, e);
}

bool tracker_failure(struct tracker *t, const char *run_id, struct sl_arena *a, struct tgt_failure *ret)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = track_find(t, run_id);
    bool has = e && (e->chain || e->stack);
    if (has) {
        *ret = (struct tgt_failure){.chain_json = sl_str_dup(a, sl_str_of(e->chain)),
                                    .stack = sl_str_dup(a, sl_str_of(e->stack)),
                                    .at_ms = e->run.ended_ms};
    }
    pthread_mutex_unlock(&t->lock);
    return has;
}

void tracker_application_done(struct tracker *t, const char *cluster_id)
{
    struct run ended = {0};
    pthread_mutex_lock(&t->lock);
    for (struct entry *e = t->entries; e; e = e->next) {
        if (strcmp(e->run.cluster.id, cluster_id) == 0) {
            e->app_done = true;
            if (e->run.ended) {
                ended = e->run;
            }
        }
    }
    pthread_mutex_unlock(&t->lock);
    if (ended.id[0]) {
        track_release_application(t, &ended);
    }
}

bool tracker_ask_cancel(struct tracker *t, const char *run_id, struct sl_err *err)
{
    struct run r;
    if (!tracker_get(t, run_id, &r)) {
        return sl_fail(err, SL_JOB_UNKNOWN, "run %s is not under watch", run_id);
    }
    if (r.ended) {
        return true;
    }
    if (!r.flink_job[0]) {
        return sl_fail(err, SL_JOB_STATE, "run %.8s has no Flink job yet", run_id);
    }
    struct target *g = t->target(t->target_ctx, r.target, r.cluster.flink);
    if (!g) {
        return sl_fail(err, SL_TARGET_UNKNOWN, "target '%s' is not known", r.target);
    }
    tracker_want(t, run_id, "gone");
    return g->ops->cancel(g, &r.cluster, r.flink_job, err);
}

bool tracker_await_cancel(struct tracker *t, const char *run_id, int64_t timeout_ms, struct sl_err *err)
{
    struct run r;
    if (!tracker_wait_ended(t, run_id, timeout_ms, &r)) {
        return sl_fail(err, SL_TIMEOUT, "run %.8s was asked to end %.1f s ago and is still %s", run_id,
                       (double)timeout_ms / 1000, r.state);
    }
    return true;
}

bool tracker_cancel(struct tracker *t, const char *run_id, int64_t timeout_ms, struct sl_err *err)
{
    return tracker_ask_cancel(t, run_id, err) && tracker_await_cancel(t, run_id, timeout_ms, err);
}

static bool looked_at_all(const struct tracker *t)
{
    for (const struct entry *e = t->entries; e; e = e->next) {
        if (e->asked && !e->run.ended && e->looks < e->looks_wanted) {
            return false;
        }
    }
    return true;
}

void tracker_look(struct tracker *t, int64_t timeout_ms)
{
    struct timespec until;
    deadline_in(timeout_ms, &until);
    pthread_mutex_lock(&t->lock);
    for (struct entry *e = t->entries; e; e = e->next) {
        track_due_now(t, e);
        e->looks_wanted = e->looks + (e->asking ? 2 : 1);
    }
    track_wake(t);
    while (!looked_at_all(t) && pthread_cond_timedwait(&t->changed, &t->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&t->lock);
}

size_t tracker_active(struct tracker *t)
{
    pthread_mutex_lock(&t->lock);
    size_t n = t->active;
    pthread_mutex_unlock(&t->lock);
    return n;
}

void tracker_each(struct tracker *t, void (*see)(void *ctx, const struct run *r), void *ctx)
{
    pthread_mutex_lock(&t->lock);
    for (const struct entry *e = t->entries; e; e = e->next) {
        if (!e->run.ended) {
            see(ctx, &e->run);
        }
    }
    pthread_mutex_unlock(&t->lock);
}

void tracker_want(struct tracker *t, const char *run_id, const char *wanted)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = track_find(t, run_id);
    if (!e || strcmp(e->run.wanted, wanted) == 0) {
        pthread_mutex_unlock(&t->lock);
        return;
    }
    snprintf(e->run.wanted, sizeof(e->run.wanted), "%s", wanted);
    track_publish(t, e);
}
