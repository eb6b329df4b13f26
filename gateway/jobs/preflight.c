/* SPDX-License-Identifier: Apache-2.0
 * One thread tries one address: names are looked up by the C library, which cannot be told to stop, so a thread that is
 * late is left alone with its share of the memory. */
#include "gateway/jobs/preflight.h"

#include "base/limits.h"
#include "gateway/jobs/preflight_address.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum found {
    FOUND_NOTHING_YET,
    FOUND_OK,
    FOUND_NO_NAME,
    FOUND_REFUSED,
    FOUND_TIMEOUT,
    FOUND_UNREACHABLE,
    FOUND_NO_PATH
};

struct attempt {
    struct preflight_address at;
    enum found found;
    bool named; /* the name was found */
    char ip[INET6_ADDRSTRLEN];
};

/* Shared by the caller and the threads; freed by the last. */
struct preflight {
    pthread_mutex_t lock; /* refs, left and every attempt's findings */
    pthread_cond_t changed;
    unsigned refs, left;
    int64_t deadline_ms; /* monotonic */
    bool told;
    char target[64];
    struct sl_arena arena; /* spots; the caller's thread only */
    struct preflight_spots spots;
    size_t n;
    struct attempt attempts[];
};

struct errand {
    struct preflight *p;
    size_t i;
};

static void unref(struct preflight *p)
{
    pthread_mutex_lock(&p->lock);
    bool last = --p->refs == 0;
    pthread_mutex_unlock(&p->lock);
    if (last) {
        pthread_mutex_destroy(&p->lock);
        pthread_cond_destroy(&p->changed);
        free(p);
    }
}

/* ---- trying ---- */

static enum found connect_to(const struct addrinfo *ai, int64_t deadline_ms)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return FOUND_UNREACHABLE;
    }
    enum found found = FOUND_OK;
    int why = connect(fd, ai->ai_addr, ai->ai_addrlen) == 0 ? 0 : errno;
    if (why == EINPROGRESS) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        socklen_t n = sizeof(why);
        int64_t left;
        int ready = 0;
        do {
            left = deadline_ms - sys_now_ms();
            ready = left > 0 ? poll(&p, 1, (int)left) : 0;
        } while (ready < 0 && errno == EINTR);
        if (ready == 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &n) != 0) {
            why = ETIMEDOUT;
        }
    }
    if (why) {
        found = why == ECONNREFUSED ? FOUND_REFUSED : why == ETIMEDOUT ? FOUND_TIMEOUT : FOUND_UNREACHABLE;
    }
    close(fd);
    return found;
}

static void note(struct preflight *p, size_t i, enum found found, bool named, const char *ip)
{
    pthread_mutex_lock(&p->lock);
    struct attempt *t = &p->attempts[i];
    t->named = named;
    snprintf(t->ip, sizeof(t->ip), "%s", ip);
    if (found != FOUND_NOTHING_YET) {
        t->found = found;
        p->left--;
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
}

static void try_address(struct preflight *p, size_t i, const struct preflight_address *at)
{
    const struct addrinfo want = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char port[8], ip[INET6_ADDRSTRLEN] = "";
    snprintf(port, sizeof(port), "%d", at->port);
    if (getaddrinfo(at->host, port, &want, &list) != 0) {
        note(p, i, FOUND_NO_NAME, false, "");
        return;
    }
    enum found found = FOUND_TIMEOUT;
    for (const struct addrinfo *ai = list; ai && found != FOUND_OK; ai = ai->ai_next) {
        if (getnameinfo(ai->ai_addr, ai->ai_addrlen, ip, sizeof(ip), NULL, 0, NI_NUMERICHOST) != 0) {
            ip[0] = 0;
        }
        note(p, i, FOUND_NOTHING_YET, true, ip); /* should the time be over meanwhile */
        found = connect_to(ai, p->deadline_ms);
    }
    freeaddrinfo(list);
    note(p, i, found, true, ip);
}

static void *run_errand(void *arg)
{
    struct errand *e = arg;
    const struct preflight_address *at = &e->p->attempts[e->i].at; /* constant */
    if (at->is_path) {
        note(e->p, e->i, sys_exists(at->host) ? FOUND_OK : FOUND_NO_PATH, true, "");
    } else {
        try_address(e->p, e->i, at);
    }
    unref(e->p);
    free(e);
    return NULL;
}

/* ---- the caller's side ---- */

struct preflight *preflight_start(const struct sql_script *s, const char *target)
{
    struct sl_arena a;
    struct preflight_spots spots = {0};
    if (sl_limits.preflight_ms == 0) {
        return NULL;
    }
    sl_arena_init(&a, 0);
    size_t n = preflight_gather(s, &a, &spots);
    if (n == 0) {
        sl_arena_release(&a);
        return NULL;
    }
    struct preflight *p = calloc(1, sizeof(*p) + n * sizeof(p->attempts[0]));
    SL_OOM_ON(!p);
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&p->changed, &mono);
    pthread_condattr_destroy(&mono);
    pthread_mutex_init(&p->lock, NULL);
    p->arena = a;
    p->spots = spots;
    p->n = n;
    p->refs = 1;
    p->deadline_ms = sys_now_ms() + sl_limits.preflight_ms;
    snprintf(p->target, sizeof(p->target), "%s", strcmp(target, "local") == 0 ? "" : target);
    size_t at = 0;
    for (size_t i = 0; i < spots.n; i++) {
        spots.v[i].first = at;
        for (size_t k = 0; k < spots.v[i].n; k++) {
            p->attempts[at++].at = spots.v[i].addresses[k];
        }
    }
    p->left = (unsigned)n;
    for (size_t i = 0; i < n; i++) {
        pthread_t thread;
        struct errand *e = malloc(sizeof(*e));
        SL_OOM_ON(!e);
        *e = (struct errand){p, i};
        pthread_mutex_lock(&p->lock);
        p->refs++;
        pthread_mutex_unlock(&p->lock);
        if (pthread_create(&thread, NULL, run_errand, e) == 0) {
            pthread_detach(thread);
        } else { /* not tried: nothing is said about it */
            note(p, i, FOUND_OK, true, "");
            unref(p);
            free(e);
        }
    }
    return p;
}

bool preflight_done(struct preflight *p)
{
    pthread_mutex_lock(&p->lock);
    bool done = p->left == 0 || sys_now_ms() >= p->deadline_ms;
    pthread_mutex_unlock(&p->lock);
    return done;
}

void preflight_wait(struct preflight *p)
{
    struct timespec until = {.tv_sec = p->deadline_ms / 1000, .tv_nsec = (p->deadline_ms % 1000) * 1000000};
    pthread_mutex_lock(&p->lock);
    while (p->left && pthread_cond_timedwait(&p->changed, &p->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&p->lock);
}

static const char *what_was_seen(const struct attempt *t, struct sl_arena *a)
{
    const char *way = t->found == FOUND_REFUSED       ? "TCP connect refused"
                      : t->found == FOUND_UNREACHABLE ? "no way there"
                                                      : "TCP connect timed out";
    if (t->found == FOUND_NO_NAME) {
        return "the name is not known";
    }
    if (!t->named) {
        return "no answer about the name";
    }
    return strcmp(t->ip, t->at.host) == 0 ? way : sl_arena_printf(a, "name found (%s), %s", t->ip, way).p;
}

static void tell_spot(struct preflight *p, struct sql_script *s, const struct preflight_spot *x,
                      const struct attempt *t)
{
    struct sql_diag *d;
    if (t->at.is_path) {
        d = sql_diag_add(s, x->code, SQL_WARNING, x->statement, x->pos,
                         "there is no %s on this machine ('%.*s')\n"
                         "  seen from here: TaskManagers may have other disks; Flink still tries.",
                         t->at.host, SL_S(x->key));
    } else {
        sl_str more = x->n > 1 ? sl_arena_printf(&p->arena, " nor from %zu more", x->n - 1) : SL_STR("");
        d = sql_diag_add(
            s, x->code, SQL_WARNING, x->statement, x->pos,
            "no answer from %s:%d%.*s ('%.*s')\n"
            "  tried from this machine: %s.  TaskManagers may see another network; Flink still tries.",
            t->at.host, t->at.port, SL_S(more), SL_S(x->key), what_was_seen(t, &p->arena));
    }
    if (d) {
        d->file = x->file;
        d->hint =
            t->at.is_path
                ? SL_STR("the path counts on Flink's machines; for several of them it must be shared")
            : p->target[0]
                ? sl_arena_printf(
                      s->arena,
                      "address, port, firewall or NetworkPolicy;  sluice target test %s --connect %s:%d  "
                      "tries it from the cluster",
                      p->target, t->at.host, t->at.port)
                : SL_STR("address, port, firewall or NetworkPolicy");
    }
}

size_t preflight_tell(struct preflight *p, struct sql_script *s)
{
    size_t before = s->diags.list.n;
    if (p->told) {
        return 0;
    }
    p->told = true;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->spots.n; i++) {
        const struct preflight_spot *x = &p->spots.v[i];
        bool ok = false;
        for (size_t k = 0; k < x->n; k++) {
            ok = ok || p->attempts[x->first + k].found == FOUND_OK;
        }
        if (!ok) {
            tell_spot(p, s, x, &p->attempts[x->first]);
        }
    }
    pthread_mutex_unlock(&p->lock);
    return s->diags.list.n - before;
}

void preflight_free(struct preflight *p)
{
    if (p) {
        sl_arena_release(&p->arena);
        unref(p);
    }
}
