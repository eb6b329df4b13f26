/* SPDX-License-Identifier: Apache-2.0
 * The command line's end of the Unix socket, or of a server's WebSocket: blocking, one line (message) at a time. */
#include "gateway/front/rpc.h"

#include "gateway/front/ws_client.h"

#include "base/buf.h"
#include "base/limits.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_MS 10000 /* for a server to answer */

struct net_rpc_client {
    struct ws_client *ws; /* NULL: the Unix socket */
    int fd;
    struct sl_buf in;
    size_t taken; /* bytes of the line given out last */
};

struct net_rpc_client *net_rpc_connect(const char *path, struct sl_err *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(to.sun_path)) {
        sl_fail(err, SL_OWNER, "the data folder's path is too long for a socket (%zu bytes): %s",
                strlen(path), path);
        return NULL;
    }
    memcpy(to.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        int saved = errno;
        if (fd >= 0) {
            close(fd);
        }
        sl_fail_errno(err, SL_OWNER, saved, "nobody answers at %s", path);
        return NULL;
    }
    struct net_rpc_client *c = calloc(1, sizeof(*c));
    SL_OOM_ON(!c);
    c->fd = fd;
    sl_buf_init(&c->in, SL_LIMIT_OWNER_LINE_BYTES);
    return c;
}

struct net_rpc_client *net_rpc_connect_url(const char *url, const char *token, const char *ca,
                                           struct sl_err *err)
{
    struct ws_client *ws = ws_connect(url, token, ca, CONNECT_MS, err);
    if (!ws) {
        return NULL;
    }
    struct net_rpc_client *c = calloc(1, sizeof(*c));
    SL_OOM_ON(!c);
    c->ws = ws;
    c->fd = -1;
    return c;
}

bool net_rpc_client_send(struct net_rpc_client *c, sl_str line, struct sl_err *err)
{
    if (c->ws) {
        return ws_send(c->ws, line, err);
    }
    sl_str parts[2] = {line, SL_STR("\n")};
    for (size_t i = 0; i < 2; i++) {
        for (size_t at = 0; at < parts[i].n;) {
            ssize_t n = send(c->fd, parts[i].p + at, parts[i].n - at, MSG_NOSIGNAL);
            if (n < 0 && errno == EINTR) {
                continue;
            }
            if (n <= 0) {
                return sl_fail_errno(err, SL_OWNER, errno, "the owner of the data folder has gone");
            }
            at += (size_t)n;
        }
    }
    return true;
}

static bool next_line(struct net_rpc_client *c, sl_str *ret)
{
    const char *nl = c->in.n ? memchr(c->in.p, '\n', c->in.n) : NULL;
    if (!nl) {
        return false;
    }
    *ret = (sl_str){c->in.p, (size_t)(nl - c->in.p)};
    c->taken = ret->n + 1;
    return true;
}

enum net_rpc_next net_rpc_client_next(struct net_rpc_client *c, int64_t timeout_ms, sl_str *ret_line)
{
    if (c->ws) {
        static const enum net_rpc_next same[] = {[WS_MESSAGE] = NET_RPC_LINE,
                                                 [WS_TIMEOUT] = NET_RPC_TIMEOUT,
                                                 [WS_INTERRUPTED] = NET_RPC_INTERRUPTED,
                                                 [WS_END] = NET_RPC_END};
        return same[ws_receive(c->ws, timeout_ms, ret_line)];
    }
    sl_buf_consume(&c->in, c->taken);
    c->taken = 0;
    for (;;) {
        if (next_line(c, ret_line)) {
            return NET_RPC_LINE;
        }
        struct pollfd p = {.fd = c->fd, .events = POLLIN};
        int rc = poll(&p, 1, timeout_ms < 0 || timeout_ms > INT32_MAX ? -1 : (int)timeout_ms);
        if (rc == 0) {
            return NET_RPC_TIMEOUT;
        }
        if (rc < 0) {
            return errno == EINTR ? NET_RPC_INTERRUPTED : NET_RPC_END;
        }
        char piece[65536];
        ssize_t n = recv(c->fd, piece, sizeof(piece), 0);
        if (n < 0 && errno == EINTR) {
            return NET_RPC_INTERRUPTED;
        }
        if (n <= 0) {
            return NET_RPC_END;
        }
        sl_buf_put(&c->in, piece, (size_t)n);
        if (c->in.full) {
            return NET_RPC_END;
        }
    }
}

bool net_rpc_client_has_more(const struct net_rpc_client *c)
{
    if (c->ws) {
        return ws_has_more(c->ws);
    }
    return c->in.n > c->taken && memchr(c->in.p + c->taken, '\n', c->in.n - c->taken) != NULL;
}

void net_rpc_client_free(struct net_rpc_client *c)
{
    if (c) {
        ws_free(c->ws);
        if (c->fd >= 0) {
            close(c->fd);
        }
        sl_buf_release(&c->in);
        free(c);
    }
}
