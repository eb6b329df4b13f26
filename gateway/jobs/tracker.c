/* SPDX-License-Identifier: Apache-2.0
 * One thread asks after every run that has not ended: often while somebody waits for it, once a second
 * otherwise.
 *
 * `lock` guards the list and every entry; it is never held while a target is asked or the ledger written.
 * Entries are never freed while the tracker lives but for ended ones that nobody has asked after for a while.
 */
#include "gateway/jobs/tracker.h"

#include "base/limits.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ASK_WAITED_MS   60
#define ASK_IDLE_MS     1000
#define RATE_OLD_MS     20000
#define LOST_AFTER_GONE 3 /* looks in a row at which the cluster says it does not know the job */

struct entry {
    struct entry *next;
    int64_t submission;
    struct run run;
    int waiters;
    bool asking;
    bool asked; /* under watch: cluster and job are known */
    bool released;
    bool app_done;
    uint64_t looks, looks_wanted; /* that have ended; for tracker_look() */
    bool end_saved;               /* the ledger knows that it has ended: only then who waits is told */
    int gone;
    int64_t next_ms, ended_at;
    int64_t counted_ms;  /* monotonic: when the counts of records last changed */
    char *chain, *stack; /* of a failure */
};

struct tracker {
    struct ledger *ledger;
    tracker_target target;
    void *target_ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* an entry changed: for waiters */
    pthread_cond_t work;    /* for the thread */
    struct entry *entries;
    bool stop;
};

static struct entry *find(struct tracker *t, const char *run_id)
{
    struct entry *e = t->entries;
    while (e && strcmp(e->run.id, run_id) != 0) {
        e = e->next;
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

/* Flink counts anew every few seconds: the rate is that between two different counts. */
static void note_rate(struct entry *e, const struct tgt_job_status *s)
{
    struct run *r = &e->run;
    int64_t now = sys_now_ms(), ms = now - e->counted_ms;
    if (s->records_in < r->last.records_in || s->records_out < r->last.records_out) {
        r->rate_in = r->rate_out = 0; /* it began anew */
        e->counted_ms = now;
    } else if (s->records_in != r->last.records_in || s->records_out != r->last.records_out) {
        if (e->counted_ms && ms > 0) {
            r->rate_in = (int64_t)(s->records_in - r->last.records_in) * 1000 / ms;
            r->rate_out = (int64_t)(s->records_out - r->last.records_out) * 1000 / ms;
        }
        e->counted_ms = now;
    } else if (ms > RATE_OLD_MS) {
        r->rate_in = r->rate_out = 0;
    }
    if (s->terminal) {
        r->rate_in = r->rate_out = 0;
    }
}

/* Under the lock. True when what the ledger holds has changed. */
static bool note_status(struct entry *e, const struct tgt_job_status *s)
{
    struct run *r = &e->run;
    bool starts = r->finish_first_ms == 0 && strcmp(s->state, "RUNNING") == 0 && s->tasks > 0 &&
                  s->tasks_running + s->tasks_finished == s->tasks;
    bool seen_again = r->sight != RUN_SIGHT_LIVE;
    e->gone = 0;
    r->sight = RUN_SIGHT_LIVE;
    r->seen_ms = sys_wall_ms();
    if (!s->state[0]) {
        return seen_again; /* its cluster answers; the job is not made yet */
    }
    bool changed = strcmp(r->state, s->state) != 0 || seen_again || starts ||
                   r->last.restarts != s->restarts || r->last.last_checkpoint_id != s->last_checkpoint_id;
    note_rate(e, s);
    struct tgt_job_status before = r->last;
    r->last = *s;
    if (s->in_hidden) { /* while it ran more could be seen */
        r->last.records_in = SL_MAX(s->records_in, before.records_in);
    }
    if (s->out_hidden) {
        r->last.records_out = SL_MAX(s->records_out, before.records_out);
    }
    memcpy(r->state, s->state, sizeof(r->state));
    if (starts) {
        r->finish_first_ms = r->seen_ms;
    }
    if (s->start_ms) {
        r->started_ms = s->start_ms;
    }
    if (s->terminal) {
        r->ended = true;
        r->ended_ms = s->end_ms ? s->end_ms : r->seen_ms;
        e->ended_at = sys_now_ms();
    }
    return changed;
}

static void note_gone(struct entry *e)
{
    if (++e->gone < LOST_AFTER_GONE) {
        return;
    }
    memcpy(e->run.state, "LOST", 5);
    e->run.sight = RUN_SIGHT_LOST;
    e->run.ended = true;
    e->run.ended_ms = sys_wall_ms();
    e->ended_at = sys_now_ms();
}

/* What was saved may be acted on. */
static void tell(struct tracker *t, const struct run *saved)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = find(t, saved->id);
    if (e && saved->ended) {
        e->end_saved = true;
    }
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

static void save(struct tracker *t, int64_t submission, const struct run *r)
{
    struct sl_err err = SL_ERR_INIT;
    if (!ledger_run_put(t->ledger, submission, r, &err)) {
        sys_log(SYS_LOG_ERR, "jobs", "run-not-saved", "run=%s error=\"%s\"", r->id, err.msg);
    }
}

/* When the last run of an application has ended, its cluster goes. */
static void release_application(struct tracker *t, const struct run *r)
{
    if (r->mode != TGT_APPLICATION || !r->cluster.id[0]) {
        return;
    }
    pthread_mutex_lock(&t->lock);
    bool ready = true;
    for (struct entry *e = t->entries; e && ready; e = e->next) {
        if (strcmp(e->run.cluster.id, r->cluster.id) == 0) {
            ready = e->run.ended && e->app_done && !e->released;
        }
    }
    for (struct entry *e = t->entries; e && ready; e = e->next) {
        if (strcmp(e->run.cluster.id, r->cluster.id) == 0) {
            e->released = true;
        }
    }
    pthread_mutex_unlock(&t->lock);
    struct target *g = ready ? t->target(t->target_ctx, r->target, r->cluster.flink) : NULL;
    struct sl_err err = SL_ERR_INIT;
    if (g && !g->ops->release(g, &r->cluster, &err)) {
        sys_log(SYS_LOG_WARN, "jobs", "release", "cluster=%s error=\"%s\"", r->cluster.id, err.msg);
    }
}

static void keep_failure(struct tracker *t, const struct run *r, struct target *g)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct tgt_failure f = {0};
    struct sl_err err = SL_ERR_INIT;
    if (!g->ops->failure(g, &r->cluster, r->flink_job, &a, &f, &err)) {
        return;
    }
    char *chain = f.chain_json.n ? strndup(f.chain_json.p, f.chain_json.n) : NULL;
    char *stack = f.stack.n ? strndup(f.stack.p, f.stack.n) : NULL;
    pthread_mutex_lock(&t->lock);
    struct entry *e = find(t, r->id);
    if (e && !e->chain && !e->stack) {
        e->chain = chain;
        e->stack = stack;
        chain = stack = NULL;
    }
    pthread_mutex_unlock(&t->lock);
    free(chain);
    free(stack);
}

/* One look at one run; the lock is not held. */
static void ask(struct tracker *t, struct run *r, int64_t submission)
{
    struct target *g = t->target(t->target_ctx, r->target, r->cluster.flink);
    struct tgt_job_status s = {0};
    struct sl_err err = SL_ERR_INIT;
    bool seen = g && g->ops->status(g, &r->cluster, r->flink_job, &s, &err);
    if (seen && s.terminal && strcmp(s.state, "FAILED") == 0) {
        keep_failure(t, r, g); /* before the end is told: who waits for it wants to know why */
    }
    pthread_mutex_lock(&t->lock);
    struct entry *e = find(t, r->id);
    bool changed = false;
    if (e) {
        e->looks++;
        e->asking = false;
    }
    if (e && !e->run.ended) {
        if (!seen) {
            changed = e->run.sight == RUN_SIGHT_LIVE;
            e->run.sight = RUN_SIGHT_SILENT;
        } else if (s.gone) {
            note_gone(e);
            changed = e->run.ended;
        } else {
            changed = note_status(e, &s);
        }
        *r = e->run;
    }
    pthread_mutex_unlock(&t->lock);
    if (changed) {
        save(t, submission, r);
    }
    tell(t, r);
    if (r->ended) {
        release_application(t, r);
    }
}

static void forget_old(struct tracker *t, int64_t now)
{
    for (struct entry **p = &t->entries; *p;) {
        struct entry *e = *p;
        if (e->run.ended && e->waiters == 0 && e->ended_at + sl_limits.ended_kept_ms < now) {
            *p = e->next;
            free(e->chain);
            free(e->stack);
            free(e);
        } else {
            p = &e->next;
        }
    }
}

static void *track(void *arg)
{
    struct tracker *t = arg;
    pthread_mutex_lock(&t->lock);
    while (!t->stop) {
        int64_t now = sys_now_ms(), wake = now + ASK_IDLE_MS;
        forget_old(t, now);
        struct entry *due = NULL;
        for (struct entry *e = t->entries; e; e = e->next) {
            if (!e->asked || e->run.ended) {
                continue;
            }
            int64_t at = e->waiters ? SL_MIN(e->next_ms, now + ASK_WAITED_MS) : e->next_ms;
            if (at <= now && (!due || e->next_ms < due->next_ms)) {
                due = e;
            }
            wake = SL_MIN(wake, at);
        }
        if (due) {
            struct run r = due->run;
            int64_t submission = due->submission;
            due->asking = true;
            due->next_ms = now + (due->waiters ? ASK_WAITED_MS : ASK_IDLE_MS);
            pthread_mutex_unlock(&t->lock);
            ask(t, &r, submission);
            pthread_mutex_lock(&t->lock);
            continue;
        }
        struct timespec until;
        deadline_in(SL_MAX(wake - now, 1), &until);
        pthread_cond_timedwait(&t->work, &t->lock, &until);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

struct tracker *tracker_start(struct ledger *l, tracker_target target, void *target_ctx)
{
    struct tracker *t = calloc(1, sizeof(*t));
    SL_OOM_ON(!t);
    t->ledger = l;
    t->target = target;
    t->target_ctx = target_ctx;
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&t->changed, &mono);
    pthread_cond_init(&t->work, &mono);
    pthread_condattr_destroy(&mono);
    SL_BUG_ON(pthread_create(&t->thread, NULL, track, t) != 0);
    return t;
}

void tracker_stop(struct tracker *t)
{
    pthread_mutex_lock(&t->lock);
    t->stop = true;
    pthread_cond_signal(&t->work);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    for (struct entry *e = t->entries, *next; e; e = next) {
        next = e->next;
        free(e->chain);
        free(e->stack);
        free(e);
    }
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->changed);
    pthread_cond_destroy(&t->work);
    free(t);
}

void tracker_add(struct tracker *t, int64_t submission, const struct run *r)
{
    struct entry *e = calloc(1, sizeof(*e));
    SL_OOM_ON(!e);
    e->submission = submission;
    e->run = *r;
    e->asked = r->flink_job[0] && r->cluster.id[0];
    pthread_mutex_lock(&t->lock);
    e->next = t->entries;
    t->entries = e;
    pthread_cond_signal(&t->work);
    pthread_mutex_unlock(&t->lock);
}

bool tracker_get(struct tracker *t, const char *run_id, struct run *ret)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = find(t, run_id);
    if (e) {
        *ret = e->run;
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
    struct entry *e = find(t, run_id);
    if (e) {
        e->waiters++;
        e->next_ms = SL_MIN(e->next_ms, sys_now_ms());
        pthread_cond_signal(&t->work);
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

/* Takes a changed entry to the ledger and wakes who waits. Called with the lock held; gives it up. */
static void publish(struct tracker *t, struct entry *e)
{
    struct run copy = e->run;
    int64_t submission = e->submission;
    pthread_cond_signal(&t->work);
    pthread_mutex_unlock(&t->lock);
    save(t, submission, &copy);
    tell(t, &copy);
    if (copy.ended) {
        release_application(t, &copy);
    }
}

void tracker_note_error(struct tracker *t, const char *run_id, const char *code, const char *msg,
                        const char *hint, const char *place)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = find(t, run_id);
    if (!e || e->run.error_code[0]) {
        pthread_mutex_unlock(&t->lock);
        return;
    }
    snprintf(e->run.error_code, sizeof(e->run.error_code), "%s", code);
    snprintf(e->run.error, sizeof(e->run.error), "%s", msg);
    snprintf(e->run.hint, sizeof(e->run.hint), "%s", hint);
    snprintf(e->run.error_place, sizeof(e->run.error_place), "%s", place);
    publish(t, e);
}

void tracker_started(struct tracker *t, const char *run_id, const struct tgt_cluster *c,
                     const char *flink_job)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = find(t, run_id);
    if (!e || e->run.ended || (e->asked && strcmp(e->run.flink_job, flink_job) == 0)) {
        pthread_mutex_unlock(&t->lock);
        return;
    }
    e->run.cluster = *c;
    snprintf(e->run.flink_job, sizeof(e->run.flink_job), "%s", flink_job);
    e->asked = flink_job[0] != 0;
    e->next_ms = 0;
    publish(t, e);
}

void tracker_finish(struct tracker *t, const char *run_id, const char *state)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = find(t, run_id);
    if (!e || e->run.ended) {
        pthread_mutex_unlock(&t->lock);
        return;
    }
    snprintf(e->run.state, sizeof(e->run.state), "%s", state);
    e->run.ended = true;
    e->run.ended_ms = sys_wall_ms();
    e->ended_at = sys_now_ms();
    publish(t, e);
}

bool tracker_failure(struct tracker *t, const char *run_id, struct sl_arena *a, struct tgt_failure *ret)
{
    pthread_mutex_lock(&t->lock);
    struct entry *e = find(t, run_id);
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
        release_application(t, &ended);
    }
}

bool tracker_cancel(struct tracker *t, const char *run_id, int64_t timeout_ms, struct sl_err *err)
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
    if (!g->ops->cancel(g, &r.cluster, r.flink_job, err)) {
        return false;
    }
    if (!tracker_wait_ended(t, run_id, timeout_ms, &r)) {
        return sl_fail(err, SL_TIMEOUT, "run %.8s was asked to end %.1f s ago and is still %s", run_id,
                       (double)timeout_ms / 1000, r.state);
    }
    return true;
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
        e->next_ms = 0;
        e->looks_wanted = e->looks + (e->asking ? 2 : 1);
    }
    pthread_cond_signal(&t->work);
    while (!looked_at_all(t) && pthread_cond_timedwait(&t->changed, &t->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&t->lock);
}

size_t tracker_active(struct tracker *t)
{
    size_t n = 0;
    pthread_mutex_lock(&t->lock);
    for (struct entry *e = t->entries; e; e = e->next) {
        n += !e->run.ended;
    }
    pthread_mutex_unlock(&t->lock);
    return n;
}
