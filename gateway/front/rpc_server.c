/* SPDX-License-Identifier: Apache-2.0
 * The owner's end of the Unix socket: one uv pipe per client, a bounded queue out, lines in.
 *
 * Lock order: `lock` is the only one; it guards the client table and the queues, and is never held while uv
 * or a callback is called. */
#include "gateway/front/rpc.h"

#include "base/buf.h"
#include "base/limits.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define QUEUE_BYTES ((size_t)1 << 20) /* unread output of one client before senders wait */
#define UNREAD_BYTES                                                                                         \
    ((size_t)8 << 20) /* unread output (only answers come so far) at which its requests wait */

struct client {
    struct client *next;
    struct net_rpc *rpc;
    uv_pipe_t pipe;
    uint64_t number;
    struct sl_buf in;
    size_t scanned;        /* bytes of `in` known to hold no line end */
    struct sl_buf out;     /* waiting; guarded by rpc->lock */
    struct sl_buf writing; /* handed to uv; loop only */
    uv_write_t write;
    bool busy, closing, paused;
};

struct net_rpc {
    uv_pipe_t listener;
    uv_async_t wake;
    const struct net_rpc_ops *ops;
    void *ctx;
    char *path;
    pthread_mutex_t lock;
    pthread_cond_t room;
    struct client *clients;
    uint64_t next_number;
    unsigned count;
    bool closed, hurry;
    bool listening; /* loop thread only */
    int handles;    /* uv handles of ours that are still open */
};

static void on_handle_closed(uv_handle_t *h)
{
    ((struct net_rpc *)h->data)->handles--;
}

static void on_client_closed(uv_handle_t *h)
{
    struct client *c = h->data;
    struct net_rpc *r = c->rpc;
    pthread_mutex_lock(&r->lock);
    for (struct client **p = &r->clients; *p; p = &(*p)->next) {
        if (*p == c) {
            *p = c->next;
            break;
        }
    }
    r->count--;
    pthread_cond_broadcast(&r->room);
    pthread_mutex_unlock(&r->lock);
    sl_buf_release(&c->in);
    sl_buf_release(&c->out);
    sl_buf_release(&c->writing);
    free(c);
}

static void client_close(struct client *c)
{
    if (c->closing) {
        return;
    }
    pthread_mutex_lock(&c->rpc->lock);
    c->closing = true;
    pthread_cond_broadcast(&c->rpc->room);
    pthread_mutex_unlock(&c->rpc->lock);
    c->rpc->ops->gone(c->rpc->ctx, c->number);
    uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

static void client_flush(struct client *c);

static void on_written(uv_write_t *w, int status)
{
    struct client *c = w->data;
    c->busy = false;
    sl_buf_clear(&c->writing);
    if (status < 0) {
        client_close(c);
        return;
    }
    client_flush(c);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *b)
{
    static char piece[65536]; /* loop thread only: copied to the client's buffer at once */
    (void)h;
    (void)hint;
    *b = uv_buf_init(piece, sizeof(piece));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b);

static void client_flush(struct client *c)
{
    if (c->busy || c->closing) {
        return;
    }
    pthread_mutex_lock(&c->rpc->lock);
    struct sl_buf swap = c->writing;
    c->writing = c->out;
    c->out = swap;
    pthread_cond_broadcast(&c->rpc->room);
    pthread_mutex_unlock(&c->rpc->lock);
    if (c->paused) {
        c->paused = false;
        uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
    }
    if (c->writing.n == 0) {
        return;
    }
    uv_buf_t b = uv_buf_init(c->writing.p, (unsigned)c->writing.n);
    c->write.data = c;
    c->busy = true;
    if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &b, 1, on_written) < 0) {
        c->busy = false;
        client_close(c);
    }
}

static void on_wake(uv_async_t *a)
{
    struct net_rpc *r = a->data;
    for (struct client *c = r->clients, *next; c; c = next) {
        next = c->next;
        client_flush(c);
    }
}

/* Who asks and never reads is not heard until it does. */
static void pause_when_unread(struct client *c)
{
    pthread_mutex_lock(&c->rpc->lock);
    bool over = c->out.n > UNREAD_BYTES;
    pthread_mutex_unlock(&c->rpc->lock);
    if (over && !c->closing) {
        c->paused = true;
        uv_read_stop((uv_stream_t *)&c->pipe);
    }
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct client *c = s->data;
    if (n < 0) {
        client_close(c);
        return;
    }
    sl_buf_put(&c->in, b->base, (size_t)n);
    if (c->in.full) {
        client_close(c);
        return;
    }
    size_t from = 0;
    for (const char *nl; !c->closing && c->scanned < c->in.n &&
                         (nl = memchr(c->in.p + c->scanned, '\n', c->in.n - c->scanned)) != NULL;) {
        sl_str line = {c->in.p + from, (size_t)(nl - c->in.p) - from};
        c->scanned = from = (size_t)(nl - c->in.p) + 1;
        if (line.n) {
            c->rpc->ops->message(c->rpc->ctx, c->number, line);
        }
    }
    sl_buf_consume(&c->in, from);
    c->scanned = c->in.n;
    pause_when_unread(c);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct net_rpc *r = server->data;
    if (status < 0) {
        return;
    }
    struct client *c = calloc(1, sizeof(*c));
    SL_OOM_ON(!c);
    c->rpc = r;
    sl_buf_init(&c->in, SL_LIMIT_OWNER_LINE_BYTES);
    sl_buf_init(&c->out, SL_LIMIT_BUF_BYTES);
    sl_buf_init(&c->writing, SL_LIMIT_BUF_BYTES);
    uv_pipe_init(server->loop, &c->pipe, 0);
    c->pipe.data = c;
    pthread_mutex_lock(&r->lock);
    c->number = ++r->next_number;
    c->next = r->clients;
    r->clients = c;
    bool over = ++r->count > SL_LIMIT_OWNER_CLIENTS;
    pthread_mutex_unlock(&r->lock);
    int fd;
    struct ucred who = {0};
    socklen_t size = sizeof(who);
    if (uv_accept(server, (uv_stream_t *)&c->pipe) < 0 || over ||
        uv_fileno((uv_handle_t *)&c->pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 || (who.uid != getuid() && who.uid != 0) ||
        uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) < 0) {
        client_close(c);
    }
}

struct net_rpc *net_rpc_listen(uv_loop_t *loop, const char *path, const struct net_rpc_ops *ops, void *ctx,
                               struct sl_err *err)
{
    if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) { /* libuv would cut it */
        sl_fail(err, SL_OWNER, "the data folder's path is too long for a socket (%zu bytes): %s",
                strlen(path), path);
        sl_hint(err, "SLUICE_DATA=/shorter/path");
        return NULL;
    }
    struct net_rpc *r = calloc(1, sizeof(*r));
    SL_OOM_ON(!r);
    r->ops = ops;
    r->ctx = ctx;
    r->path = strdup(path);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->room, NULL);
    unlink(path);
    uv_pipe_init(loop, &r->listener, 0);
    uv_async_init(loop, &r->wake, on_wake);
    r->listener.data = r;
    r->wake.data = r;
    r->handles = 2;
    r->listening = true;
    mode_t old = umask(0177);
    int rc = uv_pipe_bind(&r->listener, path);
    umask(old);
    if (rc == 0) {
        rc = uv_listen((uv_stream_t *)&r->listener, 64, on_connection);
    }
    if (rc < 0) {
        sl_fail(err, SL_OWNER, "cannot listen on %s: %s", path, uv_strerror(rc));
        net_rpc_close(r);
        while (r->handles > 0) {
            uv_run(loop, UV_RUN_NOWAIT);
        }
        net_rpc_free(r);
        return NULL;
    }
    return r;
}

bool net_rpc_send(struct net_rpc *r, uint64_t client, sl_str line, bool urgent)
{
    bool sent = false;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        struct client *c = r->clients;
        while (c && c->number != client) {
            c = c->next;
        }
        if (!c || c->closing || r->closed) {
            break;
        }
        if (!urgent && c->out.n > QUEUE_BYTES) {
            if (r->hurry) {
                break;
            }
            pthread_cond_wait(&r->room, &r->lock);
            continue;
        }
        sl_buf_puts(&c->out, line);
        sl_buf_putc(&c->out, '\n');
        sent = !c->out.full;
        uv_async_send(&r->wake); /* under the lock: the handle lives as long as `closed` is not set */
        break;
    }
    pthread_mutex_unlock(&r->lock);
    return sent;
}

void net_rpc_hurry(struct net_rpc *r)
{
    pthread_mutex_lock(&r->lock);
    r->hurry = true;
    pthread_cond_broadcast(&r->room);
    pthread_mutex_unlock(&r->lock);
}

unsigned net_rpc_clients(const struct net_rpc *r)
{
    return r->count;
}

void net_rpc_stop_listening(struct net_rpc *r)
{
    if (r->listening) {
        r->listening = false;
        unlink(
            r->path); /* first: who comes from now on finds nobody, and starts or waits for another owner */
        uv_close((uv_handle_t *)&r->listener, on_handle_closed);
    }
}

void net_rpc_close(struct net_rpc *r)
{
    pthread_mutex_lock(&r->lock);
    bool again = r->closed;
    r->closed = true;
    pthread_cond_broadcast(&r->room);
    pthread_mutex_unlock(&r->lock);
    if (again) {
        return;
    }
    net_rpc_stop_listening(r);
    for (struct client *c = r->clients, *next; c; c = next) {
        next = c->next;
        client_close(c);
    }
    uv_close((uv_handle_t *)&r->wake, on_handle_closed);
}

void net_rpc_free(struct net_rpc *r)
{
    SL_BUG_ON(r->clients || r->handles > 0);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->room);
    free(r->path);
    free(r);
}
