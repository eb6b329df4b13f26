/* SPDX-License-Identifier: Apache-2.0
 * The listener, the table of those who are connected, and the mailbox through which other threads write to them.
 *
 * Connections are accepted here and handed to libwebsockets: so the port can be closed while requests are still answered.
 * An id is a slot of the table and a number that is never used again. */
#include "gateway/front/front_impl.h"

#include "base/limits.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOT_BITS  20
#define BACKLOG    512
#define TICK_MS    1000
#define CLOSE_MS   5000 /* for the close of a WebSocket to be sent */
#define CROWD      256  /* connections */
#define TRIM_TICKS 5
#define TRIM_BYTES ((size_t)2 << 20)
#define OTHER_FDS  8192 /* descriptors of the process that are none of ours */

/* --- the table ----------------------------------------------------------------------------------------------------- */

struct peer *front_peer_new(struct front *f, struct lws *wsi, bool socket)
{
    struct peer *p = calloc(1, sizeof(*p));
    SL_OOM_ON(!p);
    p->wsi = wsi;
    p->socket = socket;
    p->moved_ms = sys_now_ms();
    p->content_length = -1;
    sl_arena_init(&p->arena, 0);
    sl_buf_init(&p->body, 0);
    sl_buf_init(&p->out, 0);
    sl_buf_init(&p->in, 0);
    sl_buf_init(&p->writing, 0);
    pthread_mutex_lock(&f->lock);
    if (f->n_free == 0) {
        size_t cap = f->cap_peers ? f->cap_peers * 2 : 64;
        f->peers = realloc(f->peers, cap * sizeof(*f->peers));
        f->free_slots = realloc(f->free_slots, cap * sizeof(*f->free_slots));
        SL_OOM_ON(!f->peers || !f->free_slots);
        while (f->cap_peers < cap) {
            f->peers[f->cap_peers] = NULL;
            f->free_slots[f->n_free++] = (uint32_t)f->cap_peers++;
        }
    }
    uint32_t slot = f->free_slots[--f->n_free];
    p->id = ++f->next_id << SLOT_BITS | slot;
    f->peers[slot] = p;
    f->n_peers++;
    f->n_requests += !socket;
    f->n_sockets += socket;
    f->requests_total += !socket;
    pthread_mutex_unlock(&f->lock);
    p->rq.id = p->id;
    return p;
}

static struct peer *find(struct front *f, uint64_t id)
{
    size_t slot = id & ((1u << SLOT_BITS) - 1);
    struct peer *p = slot < f->cap_peers ? f->peers[slot] : NULL;
    return p && p->id == id ? p : NULL;
}

void front_peer_free(struct front *f, struct peer *p)
{
    pthread_mutex_lock(&f->lock);
    size_t slot = p->id & ((1u << SLOT_BITS) - 1);
    f->peers[slot] = NULL;
    f->free_slots[f->n_free++] = (uint32_t)slot;
    f->n_peers--;
    f->n_requests -= !p->socket;
    f->n_sockets -= p->socket;
    for (struct peer **d = &f->first_dirty; *d; d = &(*d)->next_dirty) {
        if (*d == p) {
            *d = p->next_dirty;
            break;
        }
    }
    pthread_cond_broadcast(&f->room);
    pthread_cond_broadcast(&f->came);
    pthread_mutex_unlock(&f->lock);
    front_peer_unblock(f, p);
    sl_arena_release(&p->arena);
    sl_buf_release(&p->body);
    sl_buf_release(&p->out);
    sl_buf_release(&p->in);
    sl_buf_release(&p->writing);
    free(p);
}

void front_peer_fetch(struct front *f, struct peer *p, bool *ret_ended)
{
    pthread_mutex_lock(&f->lock);
    if (p->written == p->writing.n && p->out.n) {
        sl_buf_release(&p->writing);
        p->writing = p->out;
        sl_buf_init(&p->out, 0);
        p->written = 0;
        pthread_cond_broadcast(&f->room);
    }
    *ret_ended = p->ended && p->out.n == 0;
    pthread_mutex_unlock(&f->lock);
}

/* libwebsockets asks for input along with output, and then leaves it unread while an answer is under way: with input there (a next
 * request, an end of stream) the loop would never sleep. The kernel is asked for output alone; the next change that libuv makes
 * puts the input back. */
static void mute_input(struct front *f, struct peer *p)
{
    int fd = lws_get_socket_fd(p->wsi);
    char c;
    if (recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) {
        struct epoll_event e = {.events = EPOLLOUT, .data.fd = fd};
        (void)!epoll_ctl(uv_backend_fd(f->loop), EPOLL_CTL_MOD, fd, &e);
    }
}

static void on_after_poll(uv_check_t *h)
{
    struct front *f = h->data;
    for (struct peer *p = f->first_blocked; p; p = p->next_blocked) {
        if (p->partly && !lws_partial_buffered(p->wsi)) { /* sent in this turn */
            p->partly = false;
            lws_callback_on_writable(p->wsi);
        } else {
            mute_input(f, p);
        }
    }
}

void front_peer_block(struct front *f, struct peer *p)
{
    p->partly = lws_partial_buffered(p->wsi);
    if (!p->blocked) {
        p->blocked = true;
        p->next_blocked = f->first_blocked;
        f->first_blocked = p;
        if (!f->closed) {
            uv_check_start(&f->after_poll, on_after_poll);
        }
    }
}

void front_peer_unblock(struct front *f, struct peer *p)
{
    for (struct peer **at = &f->first_blocked; *at && p->blocked; at = &(*at)->next_blocked) {
        if (*at == p) {
            *at = p->next_blocked;
            p->blocked = false;
            break;
        }
    }
    if (!f->first_blocked && !f->closed) {
        uv_check_stop(&f->after_poll);
    }
}

/* --- the mailbox --------------------------------------------------------------------------------------------------- */

/* Under the lock: the loop shall look at this one. */
static void stir(struct front *f, struct peer *p)
{
    if (!p->dirty) {
        p->dirty = true;
        p->next_dirty = f->first_dirty;
        f->first_dirty = p;
        uv_async_send(&f->wake);
    }
}

static void on_wake(uv_async_t *h)
{
    struct front *f = h->data;
    for (;;) {
        pthread_mutex_lock(&f->lock);
        struct peer *p = f->first_dirty;
        if (p) {
            f->first_dirty = p->next_dirty;
            p->next_dirty = NULL;
            p->dirty = false;
        }
        pthread_mutex_unlock(&f->lock);
        if (!p) {
            return;
        }
        if (p->rq.upload && !p->whole && p->deadline_ms == 0) { /* it was stopped, and goes on */
            p->deadline_ms = sys_now_ms() + f->config.body_ms;
        }
        lws_rx_flow_control(p->wsi, 1); /* else libwebsockets never says that it can be written */
        lws_callback_on_writable(p->wsi);
    }
}

/* Waits for room; under the lock. NULL: it has gone, or nobody waits any more. */
static struct peer *find_with_room(struct front *f, uint64_t id, bool urgent)
{
    struct peer *p = find(f, id);
    while (p && !urgent && p->out.n >= f->config.unread_bytes) {
        if (f->hurry) {
            return NULL;
        }
        pthread_cond_wait(&f->room, &f->lock);
        p = find(f, id);
    }
    return p && !p->ended ? p : NULL;
}

/* Begins the answer of a request that has none. Under the lock. */
static struct peer *to_answer(struct front *f, uint64_t id, const struct front_reply *r, bool stream,
                              struct sl_buf *head)
{
    struct peer *p = find(f, id);
    if (!p || p->socket || p->answered) {
        return NULL;
    }
    p->answered = true;
    p->stream = stream;
    p->last = p->last || (p->rq.upload && p->in_state != FRONT_BODY_END);
    p->chunked_out = p->chunked_out && r->length == 0;
    front_put_head(p, r, !stream ? (int64_t)r->body.n : r->length ? r->length : -1, head ? head : &p->out);
    return p;
}

bool front_reply_to(struct front *f, uint64_t id, const struct front_reply *r)
{
    SL_BUF_AUTO whole; /* put together without the lock: the loop must not wait for the copy of a large one */
    sl_buf_init(&whole, 0);
    pthread_mutex_lock(&f->lock);
    struct peer *p = to_answer(f, id, r, false, &whole);
    bool body = p && !p->no_body;
    pthread_mutex_unlock(&f->lock);
    if (body) {
        sl_buf_puts(&whole, r->body);
    }
    pthread_mutex_lock(&f->lock);
    p = p ? find(f, id) : NULL;
    if (p) {
        sl_buf_release(&p->out);
        p->out = whole;
        sl_buf_init(&whole, 0);
        p->ended = true;
        stir(f, p);
    }
    pthread_mutex_unlock(&f->lock);
    return p != NULL;
}

bool front_stream_open(struct front *f, uint64_t id, const struct front_reply *r)
{
    pthread_mutex_lock(&f->lock);
    struct peer *p = to_answer(f, id, r, true, NULL);
    if (p) {
        stir(f, p);
    }
    pthread_mutex_unlock(&f->lock);
    return p && (r->body.n == 0 || front_stream_write(f, id, r->body, true));
}

bool front_stream_write(struct front *f, uint64_t id, sl_str piece, bool urgent)
{
    if (piece.n == 0) {
        return true;
    }
    pthread_mutex_lock(&f->lock);
    struct peer *p = find_with_room(f, id, urgent);
    bool ok = p && p->stream;
    if (ok && !p->no_body) {
        if (p->chunked_out) {
            sl_buf_printf(&p->out, "%zx\r\n", piece.n);
        }
        sl_buf_puts(&p->out, piece);
        if (p->chunked_out) {
            sl_buf_putz(&p->out, "\r\n");
        }
        stir(f, p);
    }
    pthread_mutex_unlock(&f->lock);
    return ok;
}

bool front_stream_end(struct front *f, uint64_t id)
{
    pthread_mutex_lock(&f->lock);
    struct peer *p = find(f, id);
    bool ok = p && p->stream && !p->ended;
    if (ok) {
        if (p->chunked_out && !p->no_body) {
            sl_buf_putz(&p->out, "0\r\n\r\n");
        }
        p->ended = true;
        stir(f, p);
    }
    pthread_mutex_unlock(&f->lock);
    return ok;
}

bool front_stream_break(struct front *f, uint64_t id)
{
    pthread_mutex_lock(&f->lock);
    struct peer *p = find(f, id);
    bool ok = p && p->stream && !p->ended;
    if (ok) {
        p->ended = p->last = true;
        stir(f, p);
    }
    pthread_mutex_unlock(&f->lock);
    return ok;
}

/* --- uploads ------------------------------------------------------------------------------------------------------- */

void front_upload_end(struct front *f, struct peer *p, enum front_body why)
{
    pthread_mutex_lock(&f->lock);
    p->in_state = p->in_state == FRONT_BODY_MORE ? why : p->in_state;
    pthread_cond_broadcast(&f->came);
    if (p->answered) { /* before its end; receiving is off now, and libwebsockets would not say any more that it can be written */
        stir(f, p);
    }
    pthread_mutex_unlock(&f->lock);
}

void front_upload_put(struct front *f, struct peer *p, sl_str piece)
{
    pthread_mutex_lock(&f->lock);
    bool wanted = p->in_state == FRONT_BODY_MORE && !p->answered, full = false;
    if (wanted) {
        sl_buf_puts(&p->in, piece);
        p->in_full = full = p->in.n >= FRONT_UPLOAD_AHEAD;
        pthread_cond_broadcast(&f->came);
    }
    pthread_mutex_unlock(&f->lock);
    if (full) {
        p->deadline_ms = 0; /* whose turn it is has the time */
        lws_rx_flow_control(p->wsi, 0);
    }
}

enum front_body front_body_read(struct front *f, uint64_t id, struct sl_buf *ret)
{
    enum front_body state = FRONT_BODY_GONE;
    pthread_mutex_lock(&f->lock);
    struct peer *p = find(f, id);
    while (p && p->in.n == 0 && p->in_state == FRONT_BODY_MORE && !f->hurry) {
        pthread_cond_wait(&f->came, &f->lock);
        p = find(f, id);
    }
    if (p && (p->in.n || p->in_state != FRONT_BODY_MORE)) {
        state = p->in_state;
        sl_buf_release(ret);
        *ret = p->in;
        sl_buf_init(&p->in, 0);
        if (p->in_full) {
            p->in_full = false;
            stir(f, p);
        }
    }
    pthread_mutex_unlock(&f->lock);
    return state;
}

/* --- WebSockets ---------------------------------------------------------------------------------------------------- */

/* Under the lock. */
static void end_socket(struct front *f, struct peer *p, int code, const char *reason)
{
    p->ended = true;
    p->close_code = code;
    snprintf(p->close_reason, sizeof(p->close_reason), "%s", reason);
    stir(f, p);
}

bool front_socket_send(struct front *f, uint64_t id, sl_str text, bool urgent)
{
    SL_BUF_AUTO whole;
    sl_buf_init(&whole, 0);
    sl_buf_u32(&whole, (uint32_t)text.n);
    sl_buf_puts(&whole, text);
    pthread_mutex_lock(&f->lock);
    struct peer *p = find_with_room(f, id, urgent);
    bool ok = p && p->socket && !whole.full;
    if (ok && p->out.n && p->out.n + whole.n > f->config.unread_answers_bytes) {
        sl_buf_release(&p->out); /* who asks and does not read has no end */
        end_socket(f, p, 4429, "answers are not read");
        ok = false;
    }
    if (ok && p->out.n == 0) {
        sl_buf_release(&p->out);
        p->out = whole;
        sl_buf_init(&whole, 0);
    } else if (ok) {
        sl_buf_puts(&p->out, sl_buf_str(&whole));
    }
    if (ok) {
        stir(f, p);
    }
    pthread_mutex_unlock(&f->lock);
    return ok;
}

bool front_socket_close(struct front *f, uint64_t id, int code, const char *reason)
{
    pthread_mutex_lock(&f->lock);
    struct peer *p = find(f, id);
    bool ok = p && p->socket && !p->ended;
    if (ok) {
        end_socket(f, p, code, reason);
    }
    pthread_mutex_unlock(&f->lock);
    return ok;
}

void front_hurry(struct front *f)
{
    pthread_mutex_lock(&f->lock);
    f->hurry = true;
    pthread_cond_broadcast(&f->room);
    pthread_cond_broadcast(&f->came);
    pthread_mutex_unlock(&f->lock);
}

/* --- the listener -------------------------------------------------------------------------------------------------- */

/* No descriptor is left: whoever waits is closed with the one that was kept, else the loop would turn for nothing but him. */
static void shed(struct front *f)
{
    close(f->spare_fd);
    int fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        close(fd);
    }
    f->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_accept(uv_poll_t *h, int status, int events)
{
    struct front *f = h->data;
    (void)status;
    (void)events;
    for (int i = 0; i < BACKLOG; i++) {
        union {
            struct sockaddr a;
            struct sockaddr_in v4;
            struct sockaddr_in6 v6;
        } from;
        socklen_t n = sizeof(from);
        int fd = accept4(f->listener, &from.a, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE) && f->spare_fd >= 0) {
            shed(f);
            continue;
        }
        if (fd < 0) {
            return;
        }
        if (f->connections >= f->config.connections) {
            close(fd);
            continue;
        }
        struct link *l = calloc(1, sizeof(*l));
        SL_OOM_ON(!l);
        l->front = f;
        const void *address =
            from.a.sa_family == AF_INET6 ? (const void *)&from.v6.sin6_addr : &from.v4.sin_addr;
        inet_ntop(from.a.sa_family, address, l->address, sizeof(l->address));
        struct lws *wsi = lws_adopt_socket_vhost(f->vhost, fd);
        if (!wsi) {
            free(l);
            continue;
        }
        f->connections++;
        lws_set_opaque_user_data(wsi, l);
    }
}

static bool bind_port(struct front *f, struct sl_err *err)
{
    union {
        struct sockaddr a;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at = {.v4 = {0}};
    socklen_t n = sizeof(at.v4);
    if (inet_pton(AF_INET, f->config.host, &at.v4.sin_addr) == 1) {
        at.v4.sin_family = AF_INET;
        at.v4.sin_port = htons((uint16_t)f->config.port);
    } else if (inet_pton(AF_INET6, f->config.host, &at.v6.sin6_addr) == 1) {
        at.v6.sin6_family = AF_INET6;
        at.v6.sin6_port = htons((uint16_t)f->config.port);
        n = sizeof(at.v6);
    } else {
        return sl_fail(err, SL_USAGE, "'%s' is not an address of the form 127.0.0.1 or ::1", f->config.host);
    }
    f->listener = socket(at.a.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (f->listener < 0 || setsockopt(f->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(f->listener, &at.a, n) != 0 || listen(f->listener, BACKLOG) != 0 ||
        getsockname(f->listener, &at.a, &n) != 0) {
        int e = errno;
        sl_fail(err, e == EADDRINUSE ? SL_PORT_TAKEN : SL_IO, "cannot listen on %s port %d: %s",
                f->config.host, f->config.port, strerror(e));
        return e == EADDRINUSE
                   ? sl_hint(err, "another process listens there; --listen %s:0 takes a free port",
                             f->config.host)
                   : false;
    }
    f->port = ntohs(at.a.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
    return true;
}

static void log_line(int level, const char *line)
{
    size_t n = strcspn(line, "\n");
    front_shim_heard(line);
    sys_log(level & LLL_ERR ? SYS_LOG_WARN : SYS_LOG_DEBUG, "front", "lws", "text=\"%.*s\"", (int)n, line);
}

/* Has the reader of a stream that has nothing to send gone? Nobody reads from it, so nobody else sees that. Or does somebody
 * take nothing of an answer, or of what was left to tell when his WebSocket was ended? Streams wait: reading is theirs to do. */
static bool has_left(struct front *f, const struct peer *p, int64_t now)
{
    pthread_mutex_lock(&f->lock);
    int64_t still = now - p->moved_ms;
    if (p->socket ? p->ended && still > CLOSE_MS : p->blocked && !p->stream && still > f->config.unread_ms) {
        pthread_mutex_unlock(&f->lock);
        return true;
    }
    bool idle = p->stream && p->written == p->writing.n && p->out.n == 0;
    pthread_mutex_unlock(&f->lock);
    char c;
    return idle && recv(lws_get_socket_fd(p->wsi), &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* After a crowd or large answers have gone their memory lies in pieces between what stays, in the heaps of several threads; malloc gives
 * whole pages back only when asked. It is asked when there is something to be had: seldom enough that nobody notices. */
static void give_back(struct front *f)
{
    f->crowd = SL_MAX(f->crowd, f->connections);
    bool gone = f->crowd >= CROWD && f->connections <= f->crowd / 2;
    if (++f->ticks % TRIM_TICKS == 0) {
        size_t unused = mallinfo2().fordblks;
        f->unused = SL_MIN(f->unused, unused);
        gone = gone || unused - f->unused >= TRIM_BYTES || f->bytes_out - f->trimmed_at >= TRIM_BYTES;
        f->trimmed_at = f->bytes_out;
        f->unused = gone ? unused : f->unused;
    }
    if (gone) {
        f->crowd = f->connections;
        malloc_trim(0);
    }
}

/* With something of an answer in its hands libwebsockets waits for the reader; on a dead socket it does not. Frees p now or soon. */
static void cut(struct peer *p)
{
    int fd = lws_get_socket_fd(p->wsi);
    if (lws_partial_buffered(p->wsi)) {
        struct linger now = {1, 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        (void)shutdown(fd, SHUT_RDWR);
    }
    lws_set_timeout(p->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_SYNC);
}

/* A body that does not come in time, a reader that has gone. */
static void on_tick(uv_timer_t *h)
{
    struct front *f = h->data;
    give_back(f);
    int64_t now = sys_now_ms();
    for (size_t i = 0; i < f->cap_peers; i++) {
        struct peer *p = f->peers[i];
        if (p && p->rq.upload) { /* libwebsockets' own clock knows nothing of one that is stopped */
            lws_set_timeout(p->wsi, NO_PENDING_TIMEOUT, 0);
        }
        bool late = p && p->deadline_ms && p->deadline_ms < now && !front_late(f, p);
        if (late || (p && has_left(f, p, now))) {
            cut(p);
        }
    }
}

static void on_handle_closed(uv_handle_t *h)
{
    ((struct front *)h->data)->handles--;
}

/* libwebsockets finds a connection by its descriptor: in a table as large as the process may have descriptors, or, when it is
 * told how many there are, by looking at all of them at each event. So it is not told; while it asks, the limit is what we need. */
static struct lws_context *make_context(struct front *f, const struct lws_context_creation_info *info)
{
    struct rlimit was, now;
    if (getrlimit(RLIMIT_NOFILE, &was) != 0) {
        return NULL;
    }
    now = was;
    now.rlim_cur = SL_MIN(was.rlim_max, (rlim_t)f->max_connections + OTHER_FDS);
    (void)setrlimit(RLIMIT_NOFILE, &now);
    rlim_t room = now.rlim_cur - SL_MIN(now.rlim_cur / 4, (rlim_t)OTHER_FDS); /* the others need some */
    if (f->max_connections > room) {
        sys_log(SYS_LOG_WARN, "front", "fewer-connections", "of=%u connections=%llu descriptors=%llu",
                f->max_connections, (unsigned long long)room, (unsigned long long)now.rlim_cur);
        f->max_connections = f->config.connections = (unsigned)room;
    }
    struct lws_context *c = lws_create_context(info);
    now.rlim_cur = SL_MAX(was.rlim_cur, now.rlim_cur); /* and we do need it */
    (void)setrlimit(RLIMIT_NOFILE, &now);
    return c;
}

struct front *front_listen(uv_loop_t *loop, const struct front_config *c, const struct front_ops *ops,
                           void *ctx, struct sl_err *err)
{
    struct front *f = calloc(1, sizeof(*f));
    SL_OOM_ON(!f);
    f->loop = loop;
    f->config = *c;
    f->max_connections = c->connections;
    f->ops = *ops;
    f->ctx = ctx;
    f->listener = -1;
    f->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->room, NULL);
    pthread_cond_init(&f->came, NULL);
    lws_set_log_level(LLL_ERR | LLL_WARN, log_line);
    f->protocols[0] = (struct lws_protocols){.name = "http", .callback = front_on_http};
    f->protocols[1] = (struct lws_protocols){
        .name = c->subprotocol, .callback = front_on_socket, .rx_buffer_size = FRONT_RECEIVE_BYTES};
    /* A WebSocket that names no protocol speaks ours. */
    f->use = (struct lws_protocol_vhost_options){.name = "default", .value = "1"};
    f->with = (struct lws_protocol_vhost_options){.name = c->subprotocol, .options = &f->use, .value = ""};
    f->mount = (struct lws_http_mount){
        .mountpoint = "/", .mountpoint_len = 1, .origin_protocol = LWSMPRO_CALLBACK, .protocol = "http"};
    void *loops[] = {loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = f->protocols,
        .pvo = &f->with,
        .mounts = &f->mount,
        .foreign_loops = loops,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_IPV6,
        .max_http_header_data = FRONT_HEADER_BYTES,
        .pt_serv_buf_size = FRONT_PIECE_BYTES,
        .timeout_secs = 10,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .user = f,
    };
    bool ok = bind_port(f, err);
    if (ok) {
        f->lws = make_context(f, &info);
        ok = f->lws != NULL ||
             sl_fail(err, SL_INTERNAL, "libwebsockets cannot start (its libuv plugin may be missing)");
    }
    if (ok) {
        if (c->cert) {
            info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                            (c->client_ca ? LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT : 0);
            info.ssl_cert_filepath = c->cert;
            info.ssl_private_key_filepath = c->key;
            info.ssl_ca_filepath = c->client_ca;
            info.alpn = "http/1.1"; /* uploads over HTTP/2 break off */
        }
        info.vhost_name = "sluice";
        f->vhost = lws_create_vhost(f->lws, &info);
        ok = f->vhost != NULL || sl_fail(err, SL_TLS_FAILED, "the certificate %s or its key cannot be used",
                                         c->cert ? c->cert : "");
    }
    if (ok && !front_shim_works()) {
        ok = sl_fail(err, SL_INTERNAL,
                     "libwebsockets is linked in a way that leaves its endless loop in place");
    }
    if (!ok) {
        if (f->lws) {
            lws_context_destroy(f->lws);
        }
        if (f->listener >= 0) {
            close(f->listener);
        }
        close(f->spare_fd);
        pthread_mutex_destroy(&f->lock);
        pthread_cond_destroy(&f->room);
        pthread_cond_destroy(&f->came);
        free(f);
        return NULL;
    }
    f->accepting.data = f->tick.data = f->wake.data = f->after_poll.data = f;
    uv_poll_init(loop, &f->accepting, f->listener);
    uv_poll_start(&f->accepting, UV_READABLE, on_accept);
    uv_timer_init(loop, &f->tick);
    uv_timer_start(&f->tick, on_tick, TICK_MS, TICK_MS);
    uv_async_init(loop, &f->wake, on_wake);
    uv_check_init(loop, &f->after_poll);
    f->handles = 4;
    f->listening = true;
    return f;
}

void front_limits(struct front *f, const struct front_config *c)
{
    pthread_mutex_lock(&f->lock);
    f->config.body_bytes = c->body_bytes;
    f->config.message_bytes = c->message_bytes;
    f->config.unread_bytes = c->unread_bytes;
    f->config.unread_answers_bytes = c->unread_answers_bytes;
    f->config.unread_ms = c->unread_ms;
    f->config.connections = SL_MIN(c->connections, f->max_connections);
    f->config.body_ms = c->body_ms;
    pthread_cond_broadcast(&f->room);
    pthread_mutex_unlock(&f->lock);
}

int front_port(const struct front *f)
{
    return f->port;
}

void front_socket_takes(struct front *f, uint64_t id, size_t message_bytes)
{
    pthread_mutex_lock(&f->lock);
    struct peer *p = find(f, id);
    if (p) {
        p->takes = message_bytes;
    }
    pthread_mutex_unlock(&f->lock);
}

void front_count(const struct front *f, struct front_counts *ret)
{
    ret->connections = f->connections;
    ret->requests = f->n_requests;
    ret->sockets = f->n_sockets;
    ret->requests_total = f->requests_total;
    ret->bytes_out = f->bytes_out;
}

void front_stop_listening(struct front *f)
{
    if (f->listening) {
        f->listening = false;
        uv_poll_stop(&f->accepting);
        uv_close((uv_handle_t *)&f->accepting, on_handle_closed);
        close(f->listener);
    }
}

void front_close(struct front *f)
{
    if (f->closed) {
        return;
    }
    f->closed = true;
    front_stop_listening(f);
    front_hurry(f);
    uv_close((uv_handle_t *)&f->tick, on_handle_closed);
    uv_close((uv_handle_t *)&f->wake, on_handle_closed);
    uv_close((uv_handle_t *)&f->after_poll, on_handle_closed);
    lws_context_destroy(f->lws);
}

void front_free(struct front *f)
{
    SL_BUG_ON(!f->closed || f->handles);
    lws_context_destroy(f->lws); /* the second call, after the loop has turned, frees it */
    close(f->spare_fd);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->room);
    pthread_cond_destroy(&f->came);
    free(f->peers);
    free(f->free_slots);
    free(f);
}
