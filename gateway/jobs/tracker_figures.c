/* SPDX-License-Identifier: Apache-2.0
 * How long looks take, in classes a thirty-second part of their value wide. */
#include "gateway/jobs/tracker_internal.h"

#include <pthread.h>

#define FINE 64 /* below, each microsecond has a class of its own */

static size_t class_of(int64_t us)
{
    if (us < FINE) {
        return (size_t)SL_MAX(us, INT64_C(0));
    }
    unsigned top = 63U - (unsigned)__builtin_clzll((uint64_t)us); /* 6 and up */
    size_t at = FINE + (size_t)(top - 6) * 32 + ((uint64_t)us >> (top - 5) & 31);
    return SL_MIN(at, (size_t)TRACKER_CLASSES - 1);
}

static int64_t floor_of(size_t at)
{
    if (at < FINE) {
        return (int64_t)at;
    }
    unsigned top = (unsigned)((at - FINE) / 32) + 6;
    return (int64_t)((32 + (at - FINE) % 32) << (top - 5));
}

void tracker_times_add(struct tracker_times *sum, const struct tracker_times *more)
{
    for (size_t i = 0; i < TRACKER_CLASSES; i++) {
        sum->n[i] += more->n[i];
    }
}

int64_t tracker_times_us(const struct tracker_times *t, int permille)
{
    uint64_t all = 0, n = 0;
    size_t at = 0;
    for (size_t i = 0; i < TRACKER_CLASSES; i++) {
        all += t->n[i];
    }
    while (at + 1 < TRACKER_CLASSES && (n += t->n[at]) * 1000 < all * (uint64_t)permille) {
        at++;
    }
    return floor_of(at);
}

void track_time(struct tracker_times *t, int64_t us)
{
    t->n[class_of(us)]++;
}

void tracker_figures(struct tracker *t, struct tracker_figures *ret)
{
    pthread_mutex_lock(&t->lock);
    *ret = t->figures;
    pthread_mutex_unlock(&t->lock);
}

void tracker_figures_reset(struct tracker *t)
{
    pthread_mutex_lock(&t->lock);
    t->figures = (struct tracker_figures){0};
    pthread_mutex_unlock(&t->lock);
}
