/* SPDX-License-Identifier: Apache-2.0
 * One list of the calls that count: there are no more of them than submissions under way. */
#include "gateway/api/credit.h"

#include <pthread.h>
#include <stdlib.h>

#define MOST (INT64_C(1) << 60) /* what is above is as good as this */

struct account {
    struct account *next;
    uint64_t client;
    char *call;             /* its id, as JSON */
    bool of_rows, of_bytes; /* which of them it counts */
    int64_t rows, bytes;    /* left; below zero: owed */
    bool waived, gone;
};

struct api_credits {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct account *accounts;
    bool hurry;
};

struct api_credits *api_credits_new(void)
{
    struct api_credits *c = calloc(1, sizeof(*c));
    SL_OOM_ON(!c);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    return c;
}

static void release(struct account *a)
{
    free(a->call);
    free(a);
}

void api_credits_free(struct api_credits *c)
{
    while (c->accounts) {
        struct account *next = c->accounts->next;
        release(c->accounts);
        c->accounts = next;
    }
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
    free(c);
}

bool api_credit_read(const struct sl_json *v, struct api_credit *ret, struct sl_err *err)
{
    const struct sl_json *rows = sl_json_get(v, "rows"), *bytes = sl_json_get(v, "bytes");
    *ret = (struct api_credit){rows ? sl_json_i64(rows, INT64_MIN) : API_NO_CREDIT,
                               bytes ? sl_json_i64(bytes, INT64_MIN) : API_NO_CREDIT};
    if (!sl_json_is(v, SL_JSON_OBJECT) || (!rows && !bytes) || (rows && ret->rows < 0) ||
        (bytes && ret->bytes < 0)) {
        return sl_fail(err, SL_USAGE, "credit is {\"rows\":N,\"bytes\":N}, or one of them, from 0 on");
    }
    return true;
}

/* Under the lock. */
static struct account *find(struct api_credits *c, uint64_t client, sl_str call)
{
    struct account *a = c->accounts;
    while (a && (a->client != client || !sl_str_eqz(call, a->call))) {
        a = a->next;
    }
    return a;
}

void api_credit_open(struct api_credits *c, uint64_t client, sl_str call, const struct api_credit *first)
{
    struct account *a = calloc(1, sizeof(*a));
    SL_OOM_ON(!a);
    a->client = client;
    a->call = strndup(call.p, call.n);
    SL_OOM_ON(!a->call);
    a->of_rows = first->rows >= 0;
    a->of_bytes = first->bytes >= 0;
    a->rows = SL_MIN(first->rows, MOST);
    a->bytes = SL_MIN(first->bytes, MOST);
    pthread_mutex_lock(&c->lock);
    a->next = c->accounts;
    c->accounts = a;
    pthread_mutex_unlock(&c->lock);
}

void api_credit_close(struct api_credits *c, uint64_t client, sl_str call)
{
    pthread_mutex_lock(&c->lock);
    struct account *a = find(c, client, call);
    for (struct account **p = &c->accounts; a && *p; p = &(*p)->next) {
        if (*p == a) {
            *p = a->next;
            release(a);
            break;
        }
    }
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static int64_t sum(int64_t left, int64_t more)
{
    return SL_MIN(left + SL_MIN(SL_MAX(more, INT64_C(0)), MOST), MOST);
}

void api_credit_add(struct api_credits *c, uint64_t client, sl_str call, const struct api_credit *more)
{
    pthread_mutex_lock(&c->lock);
    struct account *a = find(c, client, call);
    if (a) {
        a->rows = sum(a->rows, more->rows);
        a->bytes = sum(a->bytes, more->bytes);
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
}

bool api_credit_take(struct api_credits *c, uint64_t client, sl_str call, int64_t rows, int64_t bytes)
{
    pthread_mutex_lock(&c->lock);
    struct account *a = find(c, client, call);
    while (a && !a->waived && !a->gone && !c->hurry &&
           ((a->of_rows && a->rows <= 0) || (a->of_bytes && a->bytes <= 0))) {
        pthread_cond_wait(&c->changed, &c->lock);
        a = find(c, client, call); /* a client that uses an id twice may have closed it */
    }
    bool go = !a || a->waived || (!a->gone && !c->hurry);
    if (a) {
        a->rows -= a->of_rows ? rows : 0;
        a->bytes -= a->of_bytes ? bytes : 0;
    }
    pthread_mutex_unlock(&c->lock);
    return go;
}

void api_credit_waive(struct api_credits *c, uint64_t client, sl_str call)
{
    pthread_mutex_lock(&c->lock);
    struct account *a = find(c, client, call);
    if (a) {
        a->waived = true;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
}

void api_credit_gone(struct api_credits *c, uint64_t client)
{
    pthread_mutex_lock(&c->lock);
    for (struct account *a = c->accounts; a; a = a->next) {
        a->gone |= a->client == client;
    }
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void api_credit_hurry(struct api_credits *c)
{
    pthread_mutex_lock(&c->lock);
    c->hurry = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}
