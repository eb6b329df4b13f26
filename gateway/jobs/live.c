/* SPDX-License-Identifier: Apache-2.0
 * The list of submissions under way and their events.
 *
 * `lock` of the hub guards the list and every entry; events are sent without it, from the thread of the
 * submission (to the first client) or of who follows. An entry is freed by the last one that holds it. */
#include "gateway/jobs/live.h"

#include "base/limits.h"
#include "base/vec.h"
#include "sys/clock.h"

#include <pthread.h>
#include <stdlib.h>

#define EVENTS_KEPT 512 /* of one submission; the oldest go first */
#define LOOK_MS     50

struct live {
    struct live *next;
    struct live_hub *hub;
    char *key, *body;
    const struct event_sink *first;
    struct event_sink sink;
    bool stays, rows, cancelled, ended;
    bool asked;       /* a client wants its end */
    int held;         /* by its thread and by who follows */
    int followers;    /* clients that look, beside the first */
    int64_t alone_ms; /* monotonic: since when no client looks; 0 = one does */
    char *events[EVENTS_KEPT];
    uint64_t n_events; /* ever; event i lies at i % EVENTS_KEPT */
    int exit_code;
    char *result;
};

struct live_hub {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct live *list;
    bool stopping;
};

struct live_hub *live_hub_new(void)
{
    struct live_hub *h = calloc(1, sizeof(*h));
    SL_OOM_ON(!h);
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&h->changed, &mono);
    pthread_condattr_destroy(&mono);
    return h;
}

void live_hub_free(struct live_hub *h)
{
    if (h) {
        SL_BUG_ON(h->list);
        pthread_cond_destroy(&h->changed);
        pthread_mutex_destroy(&h->lock);
        free(h);
    }
}

void live_hub_stop(struct live_hub *h)
{
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

size_t live_count(struct live_hub *h)
{
    size_t n = 0;
    pthread_mutex_lock(&h->lock);
    for (struct live *l = h->list; l; l = l->next) {
        n++;
    }
    pthread_mutex_unlock(&h->lock);
    return n;
}

static struct live *find(struct live_hub *h, sl_str key)
{
    struct live *l = h->list;
    while (l && (l->ended || !sl_str_eqz(key, l->key))) {
        l = l->next;
    }
    return l;
}

/* With the lock held. */
static void give_back(struct live *l)
{
    if (--l->held > 0) {
        return;
    }
    for (struct live **p = &l->hub->list; *p; p = &(*p)->next) {
        if (*p == l) {
            *p = l->next;
            break;
        }
    }
    for (size_t i = 0; i < EVENTS_KEPT; i++) {
        free(l->events[i]);
    }
    free(l->key);
    free(l->body);
    free(l->result);
    free(l);
}

static bool has_gone(const struct event_sink *k)
{
    return !k || (k->gone && k->gone(k->ctx));
}

/* --- the submission's side ---------------------------------------------------------------------------------
 */

static bool is_of_rows(sl_str json)
{
    static const char *const begins[] = {"{\"event\":\"rows\"", "{\"event\":\"columns\"",
                                         "{\"event\":\"end\""};
    for (size_t i = 0; i < SL_ARRAY_LEN(begins); i++) {
        if (sl_str_starts(json, sl_str_of(begins[i]))) {
            return true;
        }
    }
    return false;
}

static bool hand_on(const struct event_sink *k, uint64_t number, sl_str json)
{
    return number && k->emit_numbered ? k->emit_numbered(k->ctx, number, json) : k->emit(k->ctx, json);
}

static bool emit(void *ctx, sl_str json)
{
    struct live *l = ctx;
    bool rows = is_of_rows(json);
    uint64_t number = 0;
    if (!rows) {
        char *copy = strndup(json.p, json.n);
        SL_OOM_ON(!copy);
        pthread_mutex_lock(&l->hub->lock);
        char **at = &l->events[l->n_events++ % EVENTS_KEPT];
        number = l->n_events;
        free(*at);
        *at = copy;
        pthread_cond_broadcast(&l->hub->changed);
        pthread_mutex_unlock(&l->hub->lock);
    }
    bool taken = l->first && hand_on(l->first, number, json);
    return taken || !rows;
}

static bool cancelled(void *ctx)
{
    struct live *l = ctx;
    bool first_wants = l->first && l->first->cancelled(l->first->ctx);
    bool first_gone = has_gone(l->first);
    int64_t now = sys_now_ms();
    pthread_mutex_lock(&l->hub->lock);
    l->asked = l->asked || first_wants;
    l->cancelled = l->cancelled || l->hub->stopping || l->asked;
    if (!first_gone || l->followers > 0 || l->stays) {
        l->alone_ms = 0;
    } else if (!l->alone_ms) {
        l->alone_ms = now;
    }
    if (l->alone_ms && now - l->alone_ms >= (l->rows ? 0 : sl_limits.reattach_ms)) {
        l->cancelled = true;
    }
    bool is = l->cancelled;
    pthread_mutex_unlock(&l->hub->lock);
    return is;
}

struct live *live_begin(struct live_hub *h, sl_str key, const char *body, const struct event_sink *first,
                        bool stays, bool rows)
{
    struct live *l = calloc(1, sizeof(*l));
    SL_OOM_ON(!l);
    l->hub = h;
    l->key = strndup(key.p, key.n);
    l->body = strdup(body);
    SL_OOM_ON(!l->key || !l->body);
    l->first = first;
    l->stays = stays;
    l->rows = rows;
    l->held = 1;
    l->sink = (struct event_sink){.ctx = l, .emit = emit, .cancelled = cancelled};
    pthread_mutex_lock(&h->lock);
    bool taken = find(h, key) != NULL;
    l->next = h->list;
    h->list = l;
    if (taken) {
        give_back(l);
    }
    pthread_mutex_unlock(&h->lock);
    return taken ? NULL : l;
}

const struct event_sink *live_sink(struct live *l)
{
    return &l->sink;
}

bool live_is_stopping(struct live *l)
{
    pthread_mutex_lock(&l->hub->lock);
    bool is = l->hub->stopping && !l->asked;
    pthread_mutex_unlock(&l->hub->lock);
    return is;
}

void live_end(struct live *l, int exit_code, sl_str result_json)
{
    struct live_hub *h = l->hub;
    pthread_mutex_lock(&h->lock);
    l->ended = true;
    l->first = NULL;
    l->exit_code = exit_code;
    l->result = strndup(result_json.p, result_json.n);
    SL_OOM_ON(!l->result);
    pthread_cond_broadcast(&h->changed);
    give_back(l);
    pthread_mutex_unlock(&h->lock);
}

/* --- who follows -------------------------------------------------------------------------------------------
 */

static void wait_a_little(struct live_hub *h)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&h->changed, &h->lock, &until);
}

/* The next event that this client has not seen, copied; NULL: none. With the lock held. */
static char *next_event(struct live *l, uint64_t *at)
{
    if (l->n_events > EVENTS_KEPT && *at < l->n_events - EVENTS_KEPT) {
        *at = l->n_events - EVENTS_KEPT;
    }
    if (*at == l->n_events) {
        return NULL;
    }
    char *copy = strdup(l->events[(*at)++ % EVENTS_KEPT]);
    SL_OOM_ON(!copy);
    return copy;
}

static enum live_follow follow(struct live *l, const struct event_sink *k, uint64_t at)
{
    struct live_hub *h = l->hub;
    for (;;) {
        char *event = next_event(l, &at);
        if (!event && l->ended) {
            return LIVE_ENDED;
        }
        pthread_mutex_unlock(&h->lock);
        if (event) {
            hand_on(k, at, sl_str_of(event));
            free(event);
        }
        bool left = has_gone(k), wants_end = !left && k->cancelled(k->ctx);
        pthread_mutex_lock(&h->lock);
        if (left) {
            return LIVE_LEFT;
        }
        l->asked = l->asked || wants_end;
        if (!event && !l->ended && l->n_events == at) {
            wait_a_little(h);
        }
    }
}

enum live_follow live_follow(struct live_hub *h, sl_str key, const char *body, const struct event_sink *k,
                             uint64_t since, struct sl_arena *a, int *ret_exit, sl_str *ret_json)
{
    enum live_follow how = LIVE_NONE;
    pthread_mutex_lock(&h->lock);
    struct live *l = find(h, key);
    if (l && body && strcmp(l->body, body) != 0) {
        how = LIVE_OTHER_BODY;
    } else if (l) {
        l->held++;
        l->followers++;
        how = follow(l, k, SL_MIN(since, l->n_events));
        l->followers--;
        if (how == LIVE_ENDED) {
            *ret_exit = l->exit_code;
            *ret_json = sl_str_dup(a, sl_str_of(l->result));
        }
        give_back(l);
    }
    pthread_mutex_unlock(&h->lock);
    return how;
}
