/* SPDX-License-Identifier: Apache-2.0
 * A user's requests are a bucket that fills with limit.user-requests a second and holds those of one second; so are his rows and their
 * bytes, but these may be owed. Entries stay: there
 * are no more of them than tokens were made. */
#include "gateway/api/share.h"

#include "base/limits.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define BUCKETS 256

struct share {
    struct share *next;
    char user[65];
    int64_t at_ms, thousandths; /* of a request that he may make, as of then */
    size_t calls;
    int64_t rows_ms, rows, bytes; /* that he may have, as of then; less than 0: he owes them */
};

struct api_shares {
    pthread_mutex_t lock;
    struct share *buckets[BUCKETS];
};

struct api_shares *api_shares_new(void)
{
    struct api_shares *s = calloc(1, sizeof(*s));
    SL_OOM_ON(!s);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void api_shares_free(struct api_shares *s)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (s->buckets[i]) {
            struct share *next = s->buckets[i]->next;
            free(s->buckets[i]);
            s->buckets[i] = next;
        }
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* Under the lock. */
static struct share *share_of(struct api_shares *s, sl_str user)
{
    unsigned hash = 5381;
    for (size_t i = 0; i < user.n; i++) {
        hash = hash * 33 + (unsigned char)user.p[i];
    }
    struct share **p = &s->buckets[hash % BUCKETS];
    while (*p && !sl_str_eqz(user, (*p)->user)) {
        p = &(*p)->next;
    }
    if (!*p) {
        *p = calloc(1, sizeof(**p));
        SL_OOM_ON(!*p);
        snprintf((*p)->user, sizeof((*p)->user), "%.*s", SL_S(user));
        (*p)->at_ms = (*p)->rows_ms = INT64_MIN;
    }
    return *p;
}

bool api_share_request(struct api_shares *s, sl_str user, int64_t now_ms, struct sl_err *err)
{
    int64_t rate = (int64_t)sl_limits.user_requests, full = rate * 1000;
    pthread_mutex_lock(&s->lock);
    struct share *u = share_of(s, user);
    /* A thousandth of a second brings `rate` thousandths of a request. */
    bool long_ago = u->at_ms == INT64_MIN || now_ms - u->at_ms >= 1000;
    u->thousandths = long_ago ? full : SL_MIN(full, u->thousandths + (now_ms - u->at_ms) * rate);
    u->at_ms = now_ms;
    bool ok = u->thousandths >= 1000;
    u->thousandths -= ok ? 1000 : 0;
    pthread_mutex_unlock(&s->lock);
    if (!ok) {
        sl_fail(err, SL_LIMIT_USER, "'%.*s' makes more than %lld requests a second", SL_S(user),
                (long long)rate);
        return sl_hint(err, "limit.user-requests      is the setting; Retry-After says when to come again");
    }
    return true;
}

static int64_t refill(int64_t left, int64_t rate, int64_t ms)
{
    return SL_MIN(rate, left + (int64_t)((double)rate * (double)ms / 1000));
}

/* Under the lock: what he may have now. */
static void refill_rows(struct share *u, int64_t now_ms)
{
    int64_t rows = (int64_t)sl_limits.user_rows, bytes = (int64_t)sl_limits.user_bytes;
    int64_t ms = u->rows_ms == INT64_MIN ? 0 : now_ms - u->rows_ms;
    u->rows = u->rows_ms == INT64_MIN ? rows : refill(u->rows, rows, ms);
    u->bytes = u->rows_ms == INT64_MIN ? bytes : refill(u->bytes, bytes, ms);
    u->rows_ms = now_ms;
}

void api_share_rows(struct api_shares *s, sl_str user, int64_t rows, int64_t bytes, int64_t now_ms)
{
    pthread_mutex_lock(&s->lock);
    struct share *u = share_of(s, user);
    refill_rows(u, now_ms);
    u->rows -= rows;
    u->bytes -= bytes;
    pthread_mutex_unlock(&s->lock);
}

/* Until nothing is owed. */
static int64_t ms_of(int64_t owed, int64_t rate)
{
    return owed > 0 ? (int64_t)((double)owed * 1000 / (double)rate) + 1 : 0;
}

int64_t api_share_rows_wait(struct api_shares *s, sl_str user, int64_t now_ms)
{
    pthread_mutex_lock(&s->lock);
    struct share *u = share_of(s, user);
    int64_t ms = u->rows_ms == INT64_MIN ? 0 : SL_MAX(now_ms - u->rows_ms, INT64_C(0));
    int64_t rows = ms_of(-u->rows, (int64_t)sl_limits.user_rows),
            bytes = ms_of(-u->bytes, (int64_t)sl_limits.user_bytes);
    pthread_mutex_unlock(&s->lock);
    return SL_MAX(SL_MAX(rows, bytes) - ms, INT64_C(0));
}

bool api_share_begin(struct api_shares *s, sl_str user, struct sl_err *err)
{
    pthread_mutex_lock(&s->lock);
    struct share *u = share_of(s, user);
    size_t calls = u->calls;
    bool ok = calls < sl_limits.user_calls;
    u->calls += ok;
    pthread_mutex_unlock(&s->lock);
    if (!ok) {
        sl_fail(err, SL_LIMIT_USER, "'%.*s' has %zu calls under way, as many as one user may", SL_S(user),
                calls);
        return sl_hint(err, "limit.user-calls      is the setting");
    }
    return true;
}

void api_share_end(struct api_shares *s, sl_str user)
{
    pthread_mutex_lock(&s->lock);
    share_of(s, user)->calls--;
    pthread_mutex_unlock(&s->lock);
}
