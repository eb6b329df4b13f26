/* SPDX-License-Identifier: Apache-2.0
 * Which JobManager is due next: those that nobody is asking stand in a heap by when they are due, so that
 * thousands cost no more at each turn than those that are due. */
#include "gateway/jobs/tracker_internal.h"

#include "base/limits.h"
#include "sys/clock.h"

#include <stdlib.h>

#define SPREAD_FROM 200 /* runs: beyond, even their first looks are spread over the interval */

/* ---- the heap ---- */

static void put(struct tracker *t, size_t at, struct place *p)
{
    t->due.v[at] = p;
    p->in_due = at + 1;
}

static void rise(struct tracker *t, size_t at)
{
    struct place *p = t->due.v[at];
    for (; at > 0 && t->due.v[(at - 1) / 2]->next_ms > p->next_ms; at = (at - 1) / 2) {
        put(t, at, t->due.v[(at - 1) / 2]);
    }
    put(t, at, p);
}

static void sink(struct tracker *t, size_t at)
{
    struct place *p = t->due.v[at];
    for (size_t child; (child = 2 * at + 1) < t->due.n; at = child) {
        child += child + 1 < t->due.n && t->due.v[child + 1]->next_ms < t->due.v[child]->next_ms;
        if (t->due.v[child]->next_ms >= p->next_ms) {
            break;
        }
        put(t, at, t->due.v[child]);
    }
    put(t, at, p);
}

static void take_out(struct tracker *t, struct place *p)
{
    if (!p->in_due) {
        return;
    }
    size_t at = p->in_due - 1;
    struct place *last = t->due.v[--t->due.n];
    p->in_due = 0;
    if (last != p) {
        put(t, at, last);
        rise(t, at);
        sink(t, last->in_due - 1);
    }
}

static void put_in(struct tracker *t, struct place *p)
{
    if (p->in_due) {
        rise(t, p->in_due - 1);
        sink(t, p->in_due - 1);
        return;
    }
    if (t->due.n == t->due.cap) {
        t->due.cap = t->due.cap ? t->due.cap * 2 : 16;
        t->due.v = realloc(t->due.v, t->due.cap * sizeof(struct place *));
        SL_OOM_ON(!t->due.v);
    }
    t->due.v[t->due.n++] = p;
    rise(t, t->due.n - 1);
}

/* ---- when it is due ---- */

int64_t track_due_of(const struct entry *e)
{
    return e->waiters ? SL_MIN(e->next_ms, e->last_ms + ASK_WAITED_MS) : e->next_ms;
}

static int64_t reckon(const struct place *p)
{
    int64_t due = INT64_MAX;
    for (const struct entry *e = p->entries; e; e = e->in_place) {
        if (e->asked && !e->run.ended) {
            due = SL_MIN(due, track_due_of(e));
        }
    }
    return due;
}

struct place *track_place_due(struct tracker *t, int64_t now, int64_t *next_ms)
{
    while (t->due.n && t->due.v[0]->next_ms <= now) {
        struct place *p = t->due.v[0];
        p->next_ms = reckon(p); /* what it was due for may be over */
        if (p->next_ms <= now) {
            return p;
        }
        sink(t, 0);
    }
    *next_ms = t->due.n ? t->due.v[0]->next_ms : INT64_MAX;
    return NULL;
}

void track_place_begin(struct tracker *t, struct place *p)
{
    p->busy = true;
    take_out(t, p);
}

void track_place_end(struct tracker *t, struct place *p)
{
    p->busy = false;
    p->next_ms = reckon(p);
    put_in(t, p);
}

void track_place_put_off(struct tracker *t, struct place *p, int64_t next_ms)
{
    p->next_ms = next_ms;
    put_in(t, p);
}

void track_due_now(struct tracker *t, struct entry *e)
{
    struct place *p = e->place;
    e->next_ms = SL_MIN(e->next_ms, sys_now_ms());
    if (p && !p->busy && e->next_ms < p->next_ms) { /* when busy it is reckoned at the end */
        p->next_ms = e->next_ms;
        put_in(t, p);
    }
}

/* ---- which runs are there ---- */

static struct place **bucket_of(struct tracker *t, const struct run *r)
{
    uint64_t hash = sl_str_hash(sl_str_of(r->cluster.id)) ^ (sl_str_hash(sl_str_of(r->cluster.rest)) << 1);
    return &t->place_buckets[hash % TRACK_BUCKETS];
}

static bool is_of(const struct place *p, const struct run *r)
{
    return strcmp(p->cluster.id, r->cluster.id) == 0 && strcmp(p->cluster.rest, r->cluster.rest) == 0 &&
           strcmp(p->target, r->target) == 0;
}

void track_leave_place(struct entry *e)
{
    if (!e->place) {
        return;
    }
    struct entry **p = &e->place->entries;
    while (*p != e) {
        p = &(*p)->in_place;
    }
    *p = e->in_place;
    e->place = NULL;
}

void track_enter_place(struct tracker *t, struct entry *e)
{
    track_leave_place(e);
    struct place **bucket = bucket_of(t, &e->run), *p = *bucket;
    while (p && !is_of(p, &e->run)) {
        p = p->in_bucket;
    }
    if (!p) {
        p = calloc(1, sizeof(*p));
        SL_OOM_ON(!p);
        memcpy(p->target, e->run.target, sizeof(p->target));
        p->cluster = e->run.cluster;
        p->bucket = bucket;
        p->in_bucket = *bucket;
        *bucket = p;
        p->next = t->places;
        t->places = p;
    }
    e->since_ms = sys_now_ms();
    if (t->active > SPREAD_FROM && !e->waiters) { /* not thousands of connections at once */
        e->next_ms =
            e->since_ms + (int64_t)(sl_str_hash(sl_str_of(e->run.cluster.id)) % (uint64_t)sl_limits.look_ms);
        e->since_ms = e->next_ms;
    }
    e->place = p;
    e->in_place = p->entries;
    p->entries = e;
    if (!p->busy) {
        track_place_end(t, p);
    }
}

static void free_place(struct tracker *t, struct place *p)
{
    struct place **at = p->bucket;
    while (*at != p) {
        at = &(*at)->in_bucket;
    }
    *at = p->in_bucket;
    take_out(t, p);
    free(p);
}

void track_forget_places(struct tracker *t, bool all)
{
    for (struct place **p = &t->places; *p;) {
        struct place *one = *p;
        if (all || (!one->entries && !one->busy)) {
            *p = one->next;
            free_place(t, one);
        } else {
            p = &one->next;
        }
    }
    if (all) {
        free(t->due.v);
    }
}
