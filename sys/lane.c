/* SPDX-License-Identifier: Apache-2.0
 * Lanes: a list under a mutex, worker threads, and a list of finished jobs that the loop drains when its
 * uv_async is signalled. The two mutexes are never held together. */
#include "sys/lane.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

struct fifo {
    struct sys_lane_job *head, **tail;
};

/* What the loop holds; outlives the lane until the loop has closed the handle. */
struct mailbox {
    uv_async_t async;
    pthread_mutex_t lock; /* guards done */
    struct fifo done;
};

struct sys_lane {
    pthread_mutex_t lock; /* guards the fields down to `stopping` */
    pthread_cond_t wake;
    struct fifo waiting;
    size_t n, max;
    bool stopping;
    struct mailbox *mail; /* NULL: done() runs on the lane's thread */
    unsigned threads;
    char name[16];
    pthread_t thread[];
};

static void fifo_init(struct fifo *f)
{
    f->head = NULL;
    f->tail = &f->head;
}

static void fifo_put(struct fifo *f, struct sys_lane_job *job)
{
    job->next = NULL;
    *f->tail = job;
    f->tail = &job->next;
}

static struct sys_lane_job *fifo_take(struct fifo *f)
{
    struct sys_lane_job *job = f->head;
    if (job) {
        f->head = job->next;
        if (!f->head) {
            f->tail = &f->head;
        }
    }
    return job;
}

/* On the loop. A done() may free the lane, so the list is taken whole first. */
static void deliver(struct mailbox *mail)
{
    pthread_mutex_lock(&mail->lock);
    struct sys_lane_job *job = mail->done.head;
    fifo_init(&mail->done);
    pthread_mutex_unlock(&mail->lock);
    while (job) {
        struct sys_lane_job *next = job->next;
        job->next = NULL;
        if (job->done) {
            job->done(job);
        }
        job = next;
    }
}

static void on_async(uv_async_t *async)
{
    deliver(async->data);
}

static void on_closed(uv_handle_t *handle)
{
    struct mailbox *mail = handle->data;
    pthread_mutex_destroy(&mail->lock);
    free(mail);
}

static void finish(struct sys_lane *l, struct sys_lane_job *job)
{
    if (!l->mail) {
        if (job->done) {
            job->done(job);
        }
        return;
    }
    pthread_mutex_lock(&l->mail->lock);
    fifo_put(&l->mail->done, job);
    pthread_mutex_unlock(&l->mail->lock);
    uv_async_send(&l->mail->async);
}

static void *worker(void *arg)
{
    struct sys_lane *l = arg;
    pthread_setname_np(pthread_self(), l->name);
    for (;;) {
        pthread_mutex_lock(&l->lock);
        while (!l->waiting.head && !l->stopping) {
            pthread_cond_wait(&l->wake, &l->lock);
        }
        struct sys_lane_job *job = fifo_take(&l->waiting);
        if (job) {
            l->n--;
        }
        pthread_mutex_unlock(&l->lock);
        if (!job) {
            return NULL;
        }
        job->work(job);
        finish(l, job);
    }
}

struct sys_lane *sys_lane_new(const char *name, unsigned threads, size_t queue, void *uv_loop)
{
    SL_BUG_ON(threads == 0 || queue == 0);
    struct sys_lane *l = calloc(1, sizeof(*l) + threads * sizeof(pthread_t));
    SL_OOM_ON(!l);
    snprintf(l->name, sizeof(l->name), "%s", name);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->wake, NULL);
    fifo_init(&l->waiting);
    l->max = queue;
    l->threads = threads;
    if (uv_loop) {
        l->mail = calloc(1, sizeof(*l->mail));
        SL_OOM_ON(!l->mail);
        pthread_mutex_init(&l->mail->lock, NULL);
        fifo_init(&l->mail->done);
        SL_BUG_ON(uv_async_init(uv_loop, &l->mail->async, on_async) != 0);
        l->mail->async.data = l->mail;
    }
    /* Signals belong to the loop thread: workers are born with all of them blocked. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < threads; i++) {
        SL_OOM_ON(pthread_create(&l->thread[i], NULL, worker, l) != 0);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return l;
}

bool sys_lane_submit(struct sys_lane *l, struct sys_lane_job *job)
{
    pthread_mutex_lock(&l->lock);
    SL_BUG_ON(l->stopping);
    bool room = l->n < l->max;
    if (room) {
        fifo_put(&l->waiting, job);
        l->n++;
        pthread_cond_signal(&l->wake);
    }
    pthread_mutex_unlock(&l->lock);
    return room;
}

size_t sys_lane_depth(struct sys_lane *l)
{
    pthread_mutex_lock(&l->lock);
    size_t n = l->n;
    pthread_mutex_unlock(&l->lock);
    return n;
}

void sys_lane_free(struct sys_lane *l)
{
    if (!l) {
        return;
    }
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    pthread_cond_broadcast(&l->wake);
    pthread_mutex_unlock(&l->lock);
    for (unsigned i = 0; i < l->threads; i++) {
        pthread_join(l->thread[i], NULL);
    }
    if (l->mail) {
        deliver(l->mail);
        uv_close((uv_handle_t *)&l->mail->async, on_closed);
    }
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
