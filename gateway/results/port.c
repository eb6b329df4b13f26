/* SPDX-License-Identifier: Apache-2.0
 * The results port: the listener, its thread and loop, the tokens, and what results and tasks need of the
 * port. */
#include "gateway/results/internal.h"

#include "base/digest.h"
#include "base/limits.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define LISTEN_BACKLOG 1024
#define SPARE_FDS      256 /* beside connections: spool files and all other parts of the process */

/* --- lock, clock, references
 * -------------------------------------------------------------------------------- */

void res_lock(struct res_port *p)
{
    SL_BUG_ON(pthread_mutex_lock(&p->mu) != 0);
}

void res_unlock(struct res_port *p)
{
    SL_BUG_ON(pthread_mutex_unlock(&p->mu) != 0);
}

int64_t res_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void res_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t a;
    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(c, &a);
    pthread_condattr_destroy(&a);
}

bool res_cond_wait(struct res_port *p, pthread_cond_t *c, int64_t deadline_ms)
{
    if (deadline_ms < 0) {
        return pthread_cond_wait(c, &p->mu) == 0;
    }
    struct timespec t = {.tv_sec = deadline_ms / 1000, .tv_nsec = (deadline_ms % 1000) * 1000000};
    return pthread_cond_timedwait(c, &p->mu, &t) == 0;
}

void res_port_ref(struct res_port *p)
{
    p->refs++;
}

void res_port_unref(struct res_port *p)
{
    res_lock(p);
    bool last = --p->refs == 0;
    res_unlock(p);
    if (last) {
        pthread_mutex_destroy(&p->mu);
        pthread_mutex_destroy(&p->identity_mu);
        res_identity_free(p->identity);
        free(p->spool_dir);
        free(p);
    }
}

/* --- tokens
 * ------------------------------------------------------------------------------------------------- */

static struct res_token **bucket(struct res_port *p, const char *digest)
{
    return &p->tokens[sl_str_hash(sl_str_of(digest)) % RES_TOKEN_BUCKETS];
}

void res_token_make(struct res_port *p, struct res_token *t)
{
    sl_random_hex(t->hex, RES_TOKEN_HEX / 2);
    sl_sha256_digest(sl_str_of(t->hex), t->digest);
    struct res_token **b = bucket(p, t->digest);
    t->next = *b;
    *b = t;
    t->listed = true;
}

void res_token_forget(struct res_port *p, struct res_token *t)
{
    if (!t->listed) {
        return;
    }
    t->listed = false;
    for (struct res_token **at = bucket(p, t->digest); *at; at = &(*at)->next) {
        if (*at == t) {
            *at = t->next;
            return;
        }
    }
}

/* How long the walk takes tells something about a digest only, and a digest tells nothing about a token. */
struct res_token *res_token_find(struct res_port *p, sl_str hex)
{
    char digest[72];
    sl_sha256_digest(hex, digest);
    for (struct res_token *t = *bucket(p, digest); t; t = t->next) {
        if (sl_secret_eq(sl_str_of(t->hex), hex)) {
            return t;
        }
    }
    return NULL;
}

/* --- the lane
 * ------------------------------------------------------------------------------------------------ */

void res_attn(struct res_port *p, struct res_conn *c)
{
    if (!c->attn) {
        c->attn = true;
        c->attn_next = p->attn;
        p->attn = c;
        (void)uv_async_send(&p->wake);
    }
}

/* The port is being closed: all go but those who have been told that all is stored and are about to close by
 * themselves; they get a moment, so that a job that is done does not fail at its last step. */
static void part(struct res_port *p, int64_t now)
{
    struct res_list *lists[] = {&p->fresh, &p->known};
    for (size_t i = 0; i < SL_ARRAY_LEN(lists); i++) {
        for (struct res_conn *c = lists[i]->head, *next; c; c = next) {
            next = c->next;
            if (now >= p->part_ms || !res_conn_is_done(c)) {
                res_conn_close(c);
            }
        }
    }
    if (p->fresh.n + p->known.n == 0) {
        uv_close((uv_handle_t *)&p->tick, NULL);
        uv_close((uv_handle_t *)&p->wake, NULL);
    }
}

static void on_part_tick(uv_timer_t *t)
{
    part(t->data, res_now_ms());
}

static void on_tick(uv_timer_t *t)
{
    struct res_port *p = t->data;
    int64_t now = res_now_ms();
    struct res_list *lists[] = {&p->fresh, &p->known};
    for (size_t i = 0; i < SL_ARRAY_LEN(lists); i++) {
        for (struct res_conn *c = lists[i]->head, *next; c; c = next) {
            next = c->next; /* a tick moves or closes at most its own connection */
            res_conn_tick(c, now);
        }
    }
    if (p->fresh.n + p->known.n == 0) {
        (void)uv_timer_stop(t);
    }
}

static void on_connection(uv_stream_t *s, int status)
{
    struct res_port *p = s->data;
    if (status < 0) {
        return; /* the peer is gone already, or no file descriptor is left: libuv has dropped it */
    }
    res_conn_accept(p);
    if (!uv_is_active((uv_handle_t *)&p->tick)) {
        uint64_t least = SL_MIN(SL_MIN(p->cfg.heartbeat_ms, p->cfg.hello_ms), p->cfg.lost_ms);
        uint64_t every = SL_MAX(SL_MIN(least / 4, 500u), 5u);
        (void)uv_timer_start(&p->tick, on_tick, every, every);
    }
}

static void on_wake(uv_async_t *a)
{
    struct res_port *p = a->data;
    for (;;) {
        res_lock(p);
        struct res_conn *c = p->attn;
        if (c) {
            p->attn = c->attn_next;
            c->attn = false;
        }
        bool stopping = p->stopping;
        res_unlock(p);
        if (stopping) {
            break;
        }
        if (!c) {
            return;
        }
        res_conn_look(c);
    }
    if (!uv_is_closing((uv_handle_t *)&p->listener)) {
        int64_t now = res_now_ms();
        uv_close((uv_handle_t *)&p->listener, NULL);
        p->part_ms = now + SL_LIMIT_RESULTS_LINGER_MS;
        (void)uv_timer_start(&p->tick, on_part_tick, 5, 5);
        part(p, now);
    }
}

static void *lane(void *arg)
{
    struct res_port *p = arg;
    sigset_t all; /* signals are for other threads; SIGPIPE of a peer that has gone is a failed write and no
                     more */
    sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    (void)uv_run(&p->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* --- TLS ---------------------------------------------------------------------------------------------------
 */

struct res_identity *res_port_identity(struct res_port *p, struct sl_err *err)
{
    SL_BUG_ON(pthread_mutex_lock(&p->identity_mu) != 0);
    if (!p->identity) {
        p->identity = res_identity_new(err);
    }
    struct res_identity *i = p->identity;
    SL_BUG_ON(pthread_mutex_unlock(&p->identity_mu) != 0);
    return i;
}

/* Of an address; a name stands for itself. */
static bool is_loopback(sl_str host)
{
    return sl_str_eqz(host, "localhost") || sl_str_eqz(host, "::1") || sl_str_eqz(host, "[::1]") ||
           sl_str_starts(host, SL_STR("127."));
}

const char *res_port_dial(struct res_port *p, const char *address, struct sl_arena *a, struct sl_err *err)
{
    const char *colon = strrchr(address, ':');
    sl_str host = {address, colon ? (size_t)(colon - address) : strlen(address)};
    if (p->cfg.no_tls || (!p->tls_only && is_loopback(host))) {
        return sl_arena_strdupz(a, sl_str_of(address));
    }
    const struct res_identity *i = res_port_identity(p, err);
    return i ? sl_arena_printf(a, "%s#%s", address, res_identity_pin(i)).p : NULL;
}

sl_str res_dial_shown(const char *dial)
{
    return (sl_str){dial, strcspn(dial, "#")};
}

/* --- start and stop
 * ------------------------------------------------------------------------------------------ */

static void fill_config(struct res_config *c)
{
#define DEFAULT(field, value) c->field = c->field ? c->field : (value)
    DEFAULT(bind_host, "127.0.0.1");
    DEFAULT(heartbeat_ms, SL_LIMIT_HEARTBEAT_MS);
    DEFAULT(lost_ms, sl_limits.heartbeat_lost_ms);
    DEFAULT(hello_ms, SL_LIMIT_HELLO_MS);
    DEFAULT(cell_bytes, sl_limits.cell_bytes);
    DEFAULT(row_bytes, sl_limits.row_bytes);
    DEFAULT(memory_bytes, sl_limits.result_memory_bytes);
    DEFAULT(spool_bytes, sl_limits.result_spool_bytes);
    DEFAULT(spool_total_bytes, sl_limits.spool_total_bytes);
    DEFAULT(connections, sl_limits.results_connections);
#undef DEFAULT
}

/* Each connection needs a file descriptor; the usual soft limit of 1024 is less than the connections allowed.
 */
static void raise_fd_limit(unsigned connections)
{
    struct rlimit l;
    rlim_t want = (rlim_t)connections + SPARE_FDS;
    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < want) {
        l.rlim_cur = SL_MIN(want, l.rlim_max);
        (void)setrlimit(RLIMIT_NOFILE, &l);
    }
}

static bool listen_on(struct res_port *p, struct sl_err *err)
{
    struct sockaddr_storage addr;
    const char *host = strcmp(p->cfg.bind_host, "localhost") == 0 ? "127.0.0.1" : p->cfg.bind_host;
    if (uv_ip4_addr(host, p->cfg.bind_port, (struct sockaddr_in *)&addr) != 0 &&
        uv_ip6_addr(host, p->cfg.bind_port, (struct sockaddr_in6 *)&addr) != 0) {
        return sl_fail(err, SL_CONFIG_VALUE, "the results port binds to an IP address, not to '%s'", host);
    }
    int rc = uv_tcp_bind(&p->listener, (const struct sockaddr *)&addr, 0);
    rc = rc == 0 ? uv_listen((uv_stream_t *)&p->listener, LISTEN_BACKLOG, on_connection) : rc;
    if (rc == UV_EADDRINUSE) {
        return sl_fail(err, SL_PORT_TAKEN, "port %d of %s, for results, is taken", p->cfg.bind_port, host);
    }
    if (rc < 0) {
        return sl_fail(err, SL_IO, "cannot listen for results on %s:%d: %s", host, p->cfg.bind_port,
                       uv_strerror(rc));
    }
    int n = sizeof(addr);
    if (uv_tcp_getsockname(&p->listener, (struct sockaddr *)&addr, &n) == 0) {
        p->number = ntohs(addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&addr)->sin6_port
                                                     : ((struct sockaddr_in *)&addr)->sin_port);
    }
    return true;
}

struct res_port *res_port_start(const struct res_config *c, struct sl_err *err)
{
    struct res_port *p = calloc(1, sizeof(*p));
    SL_OOM_ON(!p);
    p->refs = 1;
    p->cfg = *c;
    fill_config(&p->cfg);
    p->tls_only = !p->cfg.no_tls && !is_loopback(sl_str_of(p->cfg.bind_host));
    pthread_mutex_init(&p->mu, NULL);
    pthread_mutex_init(&p->identity_mu, NULL);
    p->spool_dir = strdup(c->spool_dir);
    SL_OOM_ON(!p->spool_dir);
    p->cfg.spool_dir = p->spool_dir;
    raise_fd_limit(p->cfg.connections);
    res_spool_clean(p->spool_dir);
    if (uv_loop_init(&p->loop) < 0) {
        sl_fail(err, SL_IO, "cannot make an event loop for results");
        res_port_unref(p);
        return NULL;
    }
    p->listener.data = p->wake.data = p->tick.data = p;
    SL_BUG_ON(uv_tcp_init(&p->loop, &p->listener) < 0 || uv_async_init(&p->loop, &p->wake, on_wake) < 0 ||
              uv_timer_init(&p->loop, &p->tick) < 0);
    bool ok = listen_on(p, err);
    if (ok && pthread_create(&p->thread, NULL, lane, p) != 0) {
        ok = sl_fail(err, SL_NO_MEMORY, "cannot start the thread of the results port");
    }
    p->cfg.bind_host = NULL; /* the caller's text is no longer needed */
    if (!ok) {
        uv_close((uv_handle_t *)&p->listener, NULL);
        uv_close((uv_handle_t *)&p->tick, NULL);
        uv_close((uv_handle_t *)&p->wake, NULL);
        (void)uv_run(&p->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&p->loop);
        res_port_unref(p);
        return NULL;
    }
    return p;
}

void res_port_stop(struct res_port *p)
{
    if (!p) {
        return;
    }
    res_lock(p);
    p->stopping = true;
    for (struct res_result *r = p->results; r; r = r->next) {
        res_result_end(r, RES_CLOSED, NULL);
    }
    for (struct res_task *t = p->tasks; t; t = t->next) {
        res_task_set_state(t, RES_TASK_LOST);
    }
    (void)uv_async_send(&p->wake);
    res_unlock(p);
    (void)pthread_join(p->thread, NULL);
    SL_BUG_ON(uv_loop_close(&p->loop) != 0);
    res_port_unref(p);
}

int res_port_number(const struct res_port *p)
{
    return p->number;
}

void res_port_figures(struct res_port *p, struct res_figures *ret)
{
    *ret = (struct res_figures){0};
    pthread_mutex_lock(&p->mu);
    ret->spool_bytes = p->spool_used;
    ret->paused = p->paused;
    for (const struct res_result *r = p->results; r; r = r->next) {
        ret->results++;
    }
    pthread_mutex_unlock(&p->mu);
}
