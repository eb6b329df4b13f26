/* SPDX-License-Identifier: Apache-2.0
 * What the tracker writes down: runs with their events and checkpoints, in one transaction for all that
 * changed meanwhile; and, when a run has ended, the end of its JVMs' logs. */
#include "gateway/jobs/tracker_internal.h"

#include "base/limits.h"
#include "base/vec.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SAVE_RUNS 256 /* of one transaction */

/* A copy of what is to be written of one entry. */
struct item {
    struct run run;
    int64_t submission;
    struct pending *pending;
};

static void free_pending(struct pending *p)
{
    for (struct pending *next; p; p = next) {
        next = p->next;
        free(p->json);
        free(p);
    }
}

struct batch {
    struct item *v;
    size_t n;
};

static bool save_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct batch *b = arg;
    for (size_t i = 0; i < b->n; i++) {
        if (!ledger_run_put_tx(tx, b->v[i].submission, &b->v[i].run, err)) {
            return false;
        }
        for (const struct pending *p = b->v[i].pending; p; p = p->next) {
            if (p->kind && !ledger_event_tx(tx, b->v[i].run.id, p->kind, sl_str_of(p->json), err)) {
                return false;
            }
        }
    }
    return true;
}

static bool save_checkpoints(struct tracker *t, const struct batch *b, struct sl_err *err)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    SL_VEC(struct snapshot) all = {0};
    for (size_t i = 0; i < b->n; i++) {
        for (const struct pending *p = b->v[i].pending; p; p = p->next) {
            if (!p->kind) {
                sl_vec_push(&a, &all, p->snapshot);
            }
        }
    }
    return all.n == 0 || snapshot_put_all(ledger_store(t->ledger), all.v, all.n, err);
}

/* Takes what is to be written out of the entry. Under the lock. */
static void take(struct entry *e, struct item *ret)
{
    ret->run = e->run;
    ret->submission = e->submission;
    ret->pending = e->pending;
    e->pending = NULL;
    e->pending_end = &e->pending;
    e->n_pending = 0;
    e->dirty = false;
}

/* What could not be written waits for the next time. Under the lock. */
static void give_back(struct entry *e, struct item *i)
{
    if (i->pending) {
        struct pending **end = &i->pending;
        size_t n = 0;
        for (; *end; end = &(*end)->next) {
            n++;
        }
        *end = e->pending;
        if (!e->pending) {
            e->pending_end = end;
        }
        e->pending = i->pending;
        e->n_pending += n;
    }
    i->pending = NULL;
    e->dirty = true;
}

static bool write_batch(struct tracker *t, struct batch *b)
{
    struct sl_err err = SL_ERR_INIT;
    /* Checkpoints first: a run that says that it knows them must not be there without them. */
    bool ok = save_checkpoints(t, b, &err) && store_write(ledger_store(t->ledger), save_tx, b, &err);
    if (!ok) {
        sys_log(SYS_LOG_ERR, "jobs", "runs-not-saved", "runs=%zu error=\"%s\"", b->n, err.msg);
    }
    pthread_mutex_lock(&t->lock);
    t->unsaved_ms = ok ? 0 : sys_now_ms();
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = track_find(t, b->v[i].run.id);
        t->ends_due |= b->v[i].run.ended;
        if (e && !ok) {
            give_back(e, &b->v[i]);
        }
        if (e && b->v[i].run.ended) {
            e->end_saved =
                true; /* also when it could not be written: who waits for the end must hear of it */
        }
        free_pending(b->v[i].pending);
    }
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    return ok;
}

void track_publish(struct tracker *t, struct entry *e)
{
    char id[RUN_ID_HEX + 1];
    memcpy(id, e->run.id, sizeof(id));
    pthread_mutex_unlock(&t->lock);
    pthread_mutex_lock(&t->save_lock);
    pthread_mutex_lock(&t->lock);
    struct item one;
    struct batch b = {&one, 1};
    e = track_find(t, id);
    if (e) {
        take(e, &one);
    }
    pthread_mutex_unlock(&t->lock);
    if (e) {
        (void)write_batch(t, &b);
    }
    pthread_mutex_unlock(&t->save_lock);
    track_wake(t);
}

/* ---- on the lane ---- */

struct save_job {
    struct sys_lane_job job; /* first */
    struct tracker *t;
};

void track_save_now(struct tracker *t)
{
    struct batch b = {calloc(SAVE_RUNS, sizeof(*b.v)), 0};
    SL_OOM_ON(!b.v);
    pthread_mutex_lock(&t->save_lock);
    for (bool ok = true; ok;) {
        b.n = 0;
        pthread_mutex_lock(&t->lock);
        for (struct entry *e = t->entries; e && b.n < SAVE_RUNS; e = e->next) {
            if (e->dirty) {
                take(e, &b.v[b.n++]);
            }
        }
        pthread_mutex_unlock(&t->lock);
        ok = b.n > 0 && write_batch(t, &b);
    }
    pthread_mutex_unlock(&t->save_lock);
    free(b.v);
}

static void save_work(struct sys_lane_job *job)
{
    track_save_now(((struct save_job *)job)->t);
}

struct end_job {
    struct sys_lane_job job; /* first */
    struct tracker *t;
    struct run run;
};

static void end_work(struct sys_lane_job *job)
{
    struct end_job *e = (struct end_job *)job;
    track_end(e->t, &e->run);
}

static void end_done(struct sys_lane_job *job)
{
    free(job);
}

void track_handle_ends(struct tracker *t)
{
    pthread_mutex_lock(&t->lock);
    bool due = t->ends_due;
    t->ends_due = false;
    for (struct entry *e = t->entries; e && due; e = e->next) {
        if (!e->end_saved || e->end_handled) {
            continue;
        }
        struct end_job *j = calloc(1, sizeof(*j));
        SL_OOM_ON(!j);
        j->job.work = end_work;
        j->job.done = end_done;
        j->t = t;
        j->run = e->run;
        e->end_handled = sys_lane_submit(t->ends, &j->job);
        if (!e->end_handled) {
            free(j);
            t->ends_due = true; /* the lane is full: at the next turn */
        }
    }
    pthread_mutex_unlock(&t->lock);
}

static void save_done(struct sys_lane_job *job)
{
    struct tracker *t = ((struct save_job *)job)->t;
    free(job);
    t->saving = false;
    track_handle_ends(t);
    pthread_mutex_lock(&t->lock);
    bool again = t->save_again && !t->stop;
    pthread_mutex_unlock(&t->lock);
    t->save_again = false;
    if (again) {
        track_save(t);
    }
}

void track_save(struct tracker *t)
{
    if (t->saving) {
        t->save_again = true;
        return;
    }
    struct save_job *j = calloc(1, sizeof(*j));
    SL_OOM_ON(!j);
    j->job.work = save_work;
    j->job.done = save_done;
    j->t = t;
    t->saving = sys_lane_submit(t->saves, &j->job);
    if (!t->saving) {
        free(j);
    }
}

/* ---- ends ---- */

struct kept {
    char *dir;
    int64_t at;
};

static int newest_first(const void *x, const void *y)
{
    int64_t a = ((const struct kept *)x)->at, b = ((const struct kept *)y)->at;
    return a < b ? 1 : a > b ? -1 : 0;
}

/* Of the oldest kept logs as many go as there are too many. */
static void forget_logs(struct tracker *t)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    sl_str *names;
    size_t n;
    struct sl_err err = SL_ERR_INIT;
    SL_VEC(struct kept) all = {0};
    if (!sys_dir_list(&a, t->keep_dir, &names, &n, &err) || n <= sl_limits.run_logs_kept) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        char *dir = sys_path_join(&a, t->keep_dir, sl_arena_strdupz(&a, names[i]));
        sl_vec_push(&a, &all, ((struct kept){dir, stat(dir, &st) == 0 ? (int64_t)st.st_mtim.tv_sec : 0}));
    }
    qsort(all.v, all.n, sizeof(*all.v), newest_first);
    for (size_t i = sl_limits.run_logs_kept; i < all.n; i++) {
        if (!sys_rmtree(all.v[i].dir, &err)) {
            sys_log(SYS_LOG_WARN, "jobs", "kept-logs", "error=\"%s\"", err.msg);
            return;
        }
    }
}

/* The end of each log goes beside the run: its cluster's folder may be gone tomorrow. */
static void keep_logs(struct tracker *t, const struct run *r)
{
    static const char *const which[] = {"jobmanager", "taskmanager"};
    struct target *g =
        t->keep_dir[0] && r->cluster.id[0] ? t->target(t->target_ctx, r->target, r->cluster.flink) : NULL;
    if (!g || !r->flink_job[0] || !g->ops->logs || !r->job[0]) {
        return;
    }
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    char *dir = sys_path_join(&a, t->keep_dir, r->id);
    for (size_t i = 0; i < SL_ARRAY_LEN(which); i++) {
        sl_str text;
        char name[32];
        snprintf(name, sizeof(name), "%s.log", which[i]);
        if (!g->ops->logs(g, &r->cluster, which[i], 0, &a, &text, &err)) {
            continue;
        }
        size_t from = text.n > sl_limits.run_log_bytes ? text.n - sl_limits.run_log_bytes : 0;
        while (from > 0 && from < text.n && text.p[from - 1] != '\n') {
            from++;
        }
        if (!sys_mkdirs(dir, 0700, &err) ||
            !sys_file_write(sys_path_join(&a, dir, name), sl_str_sub(text, from, text.n - from), 0600,
                            &err)) {
            sys_log(SYS_LOG_WARN, "jobs", "kept-logs", "run=%s error=\"%s\"", r->id, err.msg);
            return;
        }
    }
    forget_logs(t);
}

/* When the last run of an application has ended, its cluster goes. */
void track_release_application(struct tracker *t, const struct run *r)
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

void track_end(struct tracker *t, const struct run *r)
{
    keep_logs(t, r);
    track_release_application(t, r);
}
