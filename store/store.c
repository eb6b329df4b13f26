/* SPDX-License-Identifier: Apache-2.0
 * The db lane: one thread owns the writing connection, takes all that waits, runs each job under a savepoint
 * inside one transaction, commits once, and only then tells the callers. Readers take a connection from a
 * pool. The two mutexes are never held together. */
#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"
#include "store/store_impl.h"
#include "sys/clock.h"

#define READERS_KEPT      8
#define GROUP_MAX         256 /* jobs in one transaction */
#define IDLE_CHECKPOINT_S 5   /* after so long without a write the WAL is folded into the file */

struct store {
    char *path;
    struct store_tx *writer; /* db lane thread only */

    pthread_mutex_t lock; /* guards the fields down to `stopping` */
    pthread_cond_t wake;
    struct store_job *head, **tail;
    size_t waiting;
    struct store_figures figures; /* but for `waiting` */
    bool stopping;
    pthread_t thread;

    pthread_mutex_t pool_lock; /* guards readers, idle_readers */
    struct store_tx *readers;
    size_t idle_readers;
};

/* Runs one job under its savepoint. false: the whole transaction is gone, see job->err. */
static bool run_job(struct store_tx *w, struct store_job *job)
{
    struct sl_err err = SL_ERR_INIT;
    if (!store_sql(w, "SAVEPOINT job", "write the store", &err)) {
        job->err = err;
        return false;
    }
    job->ok = job->fn(w, job->arg, &err);
    if (!job->ok) {
        job->err = err;
        if (sqlite3_get_autocommit(w->db)) {
            return false; /* SQLite rolled back by itself: disk full, input or output error */
        }
        SL_BUG_ON(err.code == SL_OK);
    }
    const char *end = job->ok ? "RELEASE job" : "ROLLBACK TO job; RELEASE job";
    if (!store_sql(w, end, "write the store", &err)) {
        job->ok = false;
        job->err = err;
        return false;
    }
    return true;
}

static void fail_group(struct store_job *from, const struct store_job *until, const struct sl_err *err)
{
    for (; from != until; from = from->next) {
        if (from->ok || from->err.code == SL_OK) {
            from->ok = false;
            from->err = *err;
            from->err.detail = SL_STR_NONE;
        }
    }
}

/* One transaction for the jobs of the list, or for its beginning when the transaction breaks; returns the
 * rest. */
static struct store_job *run_group(struct store_tx *w, struct store_job *list)
{
    struct sl_err err = SL_ERR_INIT;
    if (!store_sql(w, "BEGIN IMMEDIATE", "write the store", &err)) {
        fail_group(list, NULL, &err);
        return NULL;
    }
    bool any = false;
    for (struct store_job *job = list; job; job = job->next) {
        if (!run_job(w, job)) {
            struct store_job *rest = job->next;
            fail_group(list, rest, &job->err);
            sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
            return rest;
        }
        any = any || job->ok;
    }
    if (!store_sql(w, any ? "COMMIT" : "ROLLBACK", "write the store", &err)) {
        fail_group(list, NULL, &err);
        sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return NULL;
}

const int64_t store_commit_ms[STORE_COMMIT_CLASSES] = {1, 3, 10, 30, 100, 300, 1000, INT64_MAX};

static void count_commit(struct store *s, int64_t us)
{
    size_t at = 0;
    while (store_commit_ms[at] != INT64_MAX && us > store_commit_ms[at] * 1000) {
        at++;
    }
    pthread_mutex_lock(&s->lock);
    s->figures.commits[at]++;
    s->figures.commit_us += us;
    pthread_mutex_unlock(&s->lock);
}

void store_figures(struct store *s, struct store_figures *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->figures;
    ret->waiting = s->waiting;
    pthread_mutex_unlock(&s->lock);
}

static void finish(struct store_job *list)
{
    while (list) {
        struct store_job *next = list->next;
        list->next = NULL;
        list->done(list);
        list = next;
    }
}

/* Waits for work. NULL: the store closes. With *dirty it looks up after a while and clears it for a
 * checkpoint. */
static struct store_job *next_jobs(struct store *s, bool *dirty, bool *ret_idle)
{
    *ret_idle = false;
    pthread_mutex_lock(&s->lock);
    while (!s->head && !s->stopping && !*ret_idle) {
        if (*dirty) {
            struct timespec until;
            clock_gettime(CLOCK_MONOTONIC, &until);
            until.tv_sec += IDLE_CHECKPOINT_S;
            *ret_idle = pthread_cond_timedwait(&s->wake, &s->lock, &until) == ETIMEDOUT && !s->head;
        } else {
            pthread_cond_wait(&s->wake, &s->lock);
        }
    }
    struct store_job *list = s->head, *last = list;
    for (size_t n = 1; last && last->next && n < GROUP_MAX; n++) {
        last = last->next;
    }
    if (last) {
        s->head = last->next;
        s->tail = s->head ? s->tail : &s->head;
        last->next = NULL;
        for (struct store_job *j = list; j; j = j->next) {
            s->waiting--;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return list;
}

static void *db_lane(void *arg)
{
    struct store *s = arg;
    bool dirty = false, idle;
    pthread_setname_np(pthread_self(), "db");
    for (;;) {
        struct store_job *list = next_jobs(s, &dirty, &idle);
        if (!list && !idle) {
            return NULL;
        }
        if (idle) {
            sqlite3_wal_checkpoint_v2(s->writer->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
            dirty = false;
            continue;
        }
        for (struct store_job *rest = list; rest;) {
            int64_t begin_us = sys_now_us();
            rest = run_group(s->writer, rest);
            count_commit(s, sys_now_us() - begin_us);
        }
        dirty = true;
        finish(list);
    }
}

struct store *store_open(const char *path, const struct store_migration *const *migrations,
                         struct sl_err *err)
{
    struct store *s = calloc(1, sizeof(*s));
    SL_OOM_ON(!s);
    s->path = strdup(path);
    SL_OOM_ON(!s->path);
    s->writer = store_conn_open(s->path, true, err);
    if (!s->writer || !store_migrate(s->writer, migrations, err)) {
        store_conn_close(s->writer);
        free(s->path);
        free(s);
        return NULL;
    }
    s->tail = &s->head;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->pool_lock, NULL);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    SL_OOM_ON(pthread_create(&s->thread, NULL, db_lane, s) != 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s;
}

void store_close(struct store *s)
{
    if (!s) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    while (s->readers) {
        struct store_tx *c = s->readers;
        s->readers = c->next;
        store_conn_close(c);
    }
    sqlite3_exec(s->writer->db, "PRAGMA optimize", NULL, NULL, NULL); /* statistics only */
    store_conn_close(s->writer);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->pool_lock);
    free(s->path);
    free(s);
}

bool store_submit(struct store *s, struct store_job *job)
{
    job->ok = false;
    job->err = SL_ERR_INIT;
    job->next = NULL;
    pthread_mutex_lock(&s->lock);
    SL_BUG_ON(s->stopping);
    bool room = s->waiting < SL_LIMIT_LANE_QUEUE;
    if (room) {
        *s->tail = job;
        s->tail = &job->next;
        s->waiting++;
        pthread_cond_signal(&s->wake);
    }
    pthread_mutex_unlock(&s->lock);
    return room;
}

/* A caller that waits for its job. */
struct waiter {
    struct store_job job; /* first */
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool finished;
};

static void wake_waiter(struct store_job *job)
{
    struct waiter *w = (struct waiter *)job;
    pthread_mutex_lock(&w->lock);
    w->finished = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

bool store_write(struct store *s, store_fn *fn, void *arg, struct sl_err *err)
{
    SL_BUG_ON(pthread_equal(pthread_self(), s->thread));
    struct waiter w = {.job = {.fn = fn, .arg = arg, .done = wake_waiter},
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .cond = PTHREAD_COND_INITIALIZER};
    if (!store_submit(s, &w.job)) {
        return sl_fail(err, SL_BUSY, "too many writes are waiting for the store");
    }
    pthread_mutex_lock(&w.lock);
    while (!w.finished) {
        pthread_cond_wait(&w.cond, &w.lock);
    }
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.cond);
    pthread_mutex_destroy(&w.lock);
    if (!w.job.ok && err) {
        *err = w.job.err;
    }
    return w.job.ok;
}

static struct store_tx *take_reader(struct store *s, struct sl_err *err)
{
    pthread_mutex_lock(&s->pool_lock);
    struct store_tx *c = s->readers;
    if (c) {
        s->readers = c->next;
        s->idle_readers--;
    }
    pthread_mutex_unlock(&s->pool_lock);
    return c ? c : store_conn_open(s->path, false, err);
}

static void give_reader(struct store *s, struct store_tx *c)
{
    pthread_mutex_lock(&s->pool_lock);
    bool keep = s->idle_readers < READERS_KEPT;
    if (keep) {
        c->next = s->readers;
        s->readers = c;
        s->idle_readers++;
    }
    pthread_mutex_unlock(&s->pool_lock);
    if (!keep) {
        store_conn_close(c);
    }
}

bool store_read(struct store *s, store_fn *fn, void *arg, struct sl_err *err)
{
    SL_BUG_ON(pthread_equal(pthread_self(), s->thread));
    struct store_tx *c = take_reader(s, err);
    if (!c) {
        return false;
    }
    bool ok = store_sql(c, "BEGIN", "read the store", err) && fn(c, arg, err);
    if (!sqlite3_get_autocommit(c->db)) {
        sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL); /* nothing was written */
    }
    give_reader(s, c);
    return ok;
}

bool store_backup(struct store *s, const char *path, struct sl_err *err)
{
    struct store_tx *c = store_conn_open(s->path, false, err);
    if (!c) {
        return false;
    }
    bool ok =
        store_sql(c, "PRAGMA query_only=OFF", "back up the store", err) && store_copy(c, path, false, err);
    store_conn_close(c);
    return ok;
}
