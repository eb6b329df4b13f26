/* SPDX-License-Identifier: Apache-2.0
 * Handshake, frames, TLS. The socket does not block, so that a wait ends at its time and at a signal. */
#include "gateway/front/ws_client.h"

#include "base/limits.h"
#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* of RFC 6455 */

struct ws_client {
    int fd;
    SSL_CTX *tls_context;
    SSL *tls; /* NULL: plain */
    struct sl_buf in;
    struct sl_buf message;
    bool in_message, given, ended;
    bool wants_write; /* TLS, while reading */
};

/* One piece; -1 with errno EAGAIN: none yet; 0: the end. */
static ssize_t read_some(struct ws_client *w, char *to, size_t n)
{
    if (!w->tls) {
        return recv(w->fd, to, n, 0);
    }
    int got = SSL_read(w->tls, to, (int)SL_MIN(n, (size_t)INT32_MAX));
    if (got > 0) {
        return got;
    }
    int why = SSL_get_error(w->tls, got);
    w->wants_write = why == SSL_ERROR_WANT_WRITE;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        errno = EAGAIN;
        return -1;
    }
    return 0;
}

static ssize_t write_some(struct ws_client *w, const char *from, size_t n)
{
    if (!w->tls) {
        return send(w->fd, from, n, MSG_NOSIGNAL);
    }
    int put = SSL_write(w->tls, from, (int)SL_MIN(n, (size_t)INT32_MAX));
    if (put > 0) {
        return put;
    }
    int why = SSL_get_error(w->tls, put);
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EPIPE;
    return -1;
}

static int wait_for(struct ws_client *w, short events, int64_t timeout_ms)
{
    struct pollfd p = {.fd = w->fd, .events = events};
    return poll(&p, 1, timeout_ms < 0 || timeout_ms > INT32_MAX ? -1 : (int)timeout_ms);
}

static bool write_all(struct ws_client *w, const char *p, size_t n)
{
    while (n) {
        ssize_t put = write_some(w, p, n);
        if (put > 0) {
            p += put;
            n -= (size_t)put;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            wait_for(w, w->tls ? POLLIN | POLLOUT : POLLOUT, 1000);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* --- frames -------------------------------------------------------------------------------------------------------- */

static bool send_frame(struct ws_client *w, unsigned opcode, sl_str data)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    unsigned char mask[4];
    SL_BUG_ON(RAND_bytes(mask, sizeof(mask)) != 1);
    sl_buf_u8(&b, (uint8_t)(0x80 | opcode));
    if (data.n < 126) {
        sl_buf_u8(&b, (uint8_t)(0x80 | data.n));
    } else if (data.n < 65536) {
        sl_buf_u8(&b, 0x80 | 126);
        sl_buf_u16(&b, (uint16_t)data.n);
    } else {
        sl_buf_u8(&b, 0x80 | 127);
        sl_buf_u64(&b, data.n);
    }
    sl_buf_put(&b, mask, 4);
    size_t at = b.n;
    sl_buf_puts(&b, data);
    for (size_t i = 0; i < data.n; i++) {
        b.p[at + i] = (char)((unsigned char)b.p[at + i] ^ mask[i & 3]);
    }
    return !b.full && write_all(w, b.p, b.n);
}

bool ws_send(struct ws_client *w, sl_str text, struct sl_err *err)
{
    return send_frame(w, 1, text) || sl_fail(err, SL_OWNER, "the server has gone");
}

/* The frame at the beginning of w->in: its head's length, 0 when it is not whole; *ret_n: its data's. */
static size_t frame_at(const struct sl_buf *in, uint64_t *ret_n)
{
    const unsigned char *p = (const unsigned char *)in->p;
    if (in->n < 2) {
        return 0;
    }
    size_t head = 2;
    uint64_t n = p[1] & 127;
    if (n >= 126) {
        size_t bytes = n == 126 ? 2 : 8;
        if (in->n < 2 + bytes) {
            return 0;
        }
        n = 0;
        for (size_t i = 0; i < bytes; i++) {
            n = n << 8 | p[2 + i];
        }
        head += bytes;
    }
    *ret_n = n;
    return n <= in->n - head ? head : 0;
}

/* Takes whole frames from w->in; true when a message is ready. */
static bool take_frames(struct ws_client *w)
{
    uint64_t n;
    size_t head;
    while (!w->ended && (head = frame_at(&w->in, &n)) > 0) {
        unsigned char first = (unsigned char)w->in.p[0];
        unsigned opcode = first & 15;
        sl_str data = {w->in.p + head, (size_t)n};
        bool ready = false;
        if (opcode == 8) {
            w->ended = true;
        } else if (opcode == 9) {
            w->ended = !send_frame(w, 10, data);
        } else if (opcode <= 2) {
            if (opcode != 0) {
                sl_buf_clear(&w->message);
            }
            sl_buf_puts(&w->message, data);
            w->ended = w->message.full;
            ready = first & 0x80;
        }
        sl_buf_consume(&w->in, head + (size_t)n);
        if (ready) {
            return true;
        }
    }
    return false;
}

enum ws_next ws_receive(struct ws_client *w, int64_t timeout_ms, sl_str *ret)
{
    int64_t until = sys_now_ms() + timeout_ms;
    for (;;) {
        if (take_frames(w)) {
            *ret = sl_buf_str(&w->message);
            return WS_MESSAGE;
        }
        char piece[65536];
        ssize_t n = w->ended ? 0 : read_some(w, piece, sizeof(piece));
        if (n > 0) {
            sl_buf_put(&w->in, piece, (size_t)n);
            w->ended = w->in.full;
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
            w->ended = true;
            return WS_END;
        }
        int64_t left = timeout_ms < 0 ? -1 : SL_MAX(until - sys_now_ms(), (int64_t)0);
        int rc = wait_for(w, w->wants_write ? POLLOUT : POLLIN, left);
        if (rc == 0) {
            return WS_TIMEOUT;
        }
        if (rc < 0) {
            return errno == EINTR ? WS_INTERRUPTED : WS_END;
        }
    }
}

bool ws_has_more(const struct ws_client *w)
{
    uint64_t n;
    return frame_at(&w->in, &n) > 0;
}

/* --- the connection ------------------------------------------------------------------------------------------------ */

struct address {
    char host[256], port[8], path[512];
    bool tls;
};

static bool read_url(const char *url, struct address *ret, struct sl_err *err)
{
    sl_str s = sl_str_of(url);
    memset(ret, 0, sizeof(*ret));
    if (sl_str_starts(s, SL_STR("https://"))) {
        ret->tls = true;
        s = sl_str_sub(s, 8, s.n - 8);
    } else if (sl_str_starts(s, SL_STR("http://"))) {
        s = sl_str_sub(s, 7, s.n - 7);
    } else {
        s.n = 0;
    }
    ptrdiff_t slash = sl_str_find_char(s, '/');
    sl_str path = slash < 0 ? SL_STR("") : sl_str_sub(s, (size_t)slash, s.n - (size_t)slash);
    sl_str host = slash < 0 ? s : sl_str_sub(s, 0, (size_t)slash), port = SL_STR("");
    while (path.n && path.p[path.n - 1] == '/') {
        path.n--;
    }
    if (host.n && host.p[0] == '[') {
        ptrdiff_t end = sl_str_find_char(host, ']');
        sl_str rest = end < 0 ? SL_STR("x") : sl_str_sub(host, (size_t)end + 1, host.n - (size_t)end - 1);
        host = end < 0 ? SL_STR("") : sl_str_sub(host, 1, (size_t)end - 1);
        port = rest.n && rest.p[0] == ':' ? sl_str_sub(rest, 1, rest.n - 1) : port;
        host.n = rest.n && rest.p[0] != ':' ? 0 : host.n;
    } else {
        ptrdiff_t colon = sl_str_find_char(host, ':');
        if (colon >= 0) {
            port = sl_str_sub(host, (size_t)colon + 1, host.n - (size_t)colon - 1);
            host = sl_str_sub(host, 0, (size_t)colon);
        }
    }
    int64_t number = ret->tls ? 443 : 80;
    if (host.n == 0 || host.n >= sizeof(ret->host) || path.n + 4 >= sizeof(ret->path) ||
        (port.n && (!sl_str_to_i64(port, &number) || number < 1 || number > 65535))) {
        return sl_fail(err, SL_USAGE,
                       "'%s' is not an address like https://sluice.example or http://localhost:8083", url);
    }
    snprintf(ret->host, sizeof(ret->host), "%.*s", SL_S(host));
    snprintf(ret->port, sizeof(ret->port), "%d", (int)number);
    snprintf(ret->path, sizeof(ret->path), "%.*s/ws", SL_S(path));
    return true;
}

static bool connect_any(struct ws_client *w, const struct address *to, int64_t timeout_ms, struct sl_err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
    int rc = getaddrinfo(to->host, to->port, &hints, &all);
    if (rc != 0) {
        return sl_fail(err, SL_OWNER, "the name %s is not known: %s", to->host, gai_strerror(rc));
    }
    int last = ETIMEDOUT;
    for (struct addrinfo *a = all; a && w->fd < 0; a = a->ai_next) {
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) {
            continue;
        }
        int e = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
        if (e == EINPROGRESS) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            socklen_t n = sizeof(e);
            e = poll(&p, 1, (int)timeout_ms) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) == 0
                    ? e
                    : ETIMEDOUT;
        }
        if (e == 0) {
            w->fd = fd;
        } else {
            last = e;
            close(fd);
        }
    }
    freeaddrinfo(all);
    return w->fd >= 0 ||
           sl_fail_errno(err, SL_OWNER, last, "nobody answers at %s port %s", to->host, to->port);
}

static bool begin_tls(struct ws_client *w, const struct address *to, const char *ca, int64_t timeout_ms,
                      struct sl_err *err)
{
    w->tls_context = SSL_CTX_new(TLS_client_method());
    SL_OOM_ON(!w->tls_context);
    SSL_CTX_set_min_proto_version(w->tls_context, TLS1_2_VERSION);
    SSL_CTX_set_verify(w->tls_context, SSL_VERIFY_PEER, NULL);
    if (ca ? SSL_CTX_load_verify_locations(w->tls_context, ca, NULL) != 1
           : SSL_CTX_set_default_verify_paths(w->tls_context) != 1) {
        return sl_fail(err, SL_TLS_FAILED, "the authorities in %s cannot be read",
                       ca ? ca : "the system's folder");
    }
    w->tls = SSL_new(w->tls_context);
    SL_OOM_ON(!w->tls);
    SSL_set_fd(w->tls, w->fd);
    SSL_set_tlsext_host_name(w->tls, to->host);
    SSL_set1_host(w->tls, to->host);
    int64_t until = sys_now_ms() + timeout_ms;
    for (int rc; (rc = SSL_connect(w->tls)) != 1;) {
        int why = SSL_get_error(w->tls, rc);
        bool again = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
        int64_t left = until - sys_now_ms();
        if (!again || left <= 0) {
            long bad = SSL_get_verify_result(w->tls);
            const char *text = bad != X509_V_OK ? X509_verify_cert_error_string(bad)
                               : again          ? "no answer in time"
                                                : ERR_reason_error_string(ERR_peek_error());
            return sl_fail(err, SL_TLS_FAILED, "no TLS connection with %s port %s: %s", to->host, to->port,
                           text ? text : "the other side ended it");
        }
        wait_for(w, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, left);
    }
    return true;
}

static void accept_key(const char *key, char out[32])
{
    char text[64];
    unsigned char digest[SHA_DIGEST_LENGTH];
    int n = snprintf(text, sizeof(text), "%s" GUID, key);
    SHA1((const unsigned char *)text, (size_t)n, digest);
    EVP_EncodeBlock((unsigned char *)out, digest, sizeof(digest));
}

/* The head of the answer; what comes behind it stays in w->in. */
static bool read_head(struct ws_client *w, int64_t timeout_ms, size_t *ret_n)
{
    int64_t until = sys_now_ms() + timeout_ms;
    for (;;) {
        ptrdiff_t end = sl_str_find(sl_buf_str(&w->in), SL_STR("\r\n\r\n"));
        if (end >= 0) {
            *ret_n = (size_t)end + 4;
            return true;
        }
        char piece[4096];
        ssize_t n = read_some(w, piece, sizeof(piece));
        if (n > 0) {
            sl_buf_put(&w->in, piece, (size_t)n);
        } else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
            return false;
        } else if (sys_now_ms() >= until || w->in.n > 65536) {
            return false;
        } else {
            wait_for(w, w->wants_write ? POLLOUT : POLLIN, until - sys_now_ms());
        }
    }
}

static bool shake_hands(struct ws_client *w, const struct address *to, const char *token, int64_t timeout_ms,
                        struct sl_err *err)
{
    unsigned char random[16];
    char key[32], want[32];
    SL_BUG_ON(RAND_bytes(random, sizeof(random)) != 1);
    EVP_EncodeBlock((unsigned char *)key, random, sizeof(random));
    accept_key(key, want);
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    bool v6 = strchr(to->host, ':') != NULL;
    sl_buf_printf(
        &b,
        "GET %s HTTP/1.1\r\nHost: %s%s%s:%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sluice.v1\r\nSec-WebSocket-Key: %s\r\n",
        to->path, v6 ? "[" : "", to->host, v6 ? "]" : "", to->port, key);
    /* Also without one: a server that wants a token then says so here. */
    sl_buf_printf(&b, "Authorization: Bearer %s\r\n", token && token[0] ? token : "none");
    sl_buf_putz(&b, "\r\n");
    size_t head = 0;
    if (!write_all(w, b.p, b.n) || !read_head(w, timeout_ms, &head)) {
        return sl_fail(err, SL_OWNER, "%s port %s answers, but not as a server of Sluice does", to->host,
                       to->port);
    }
    sl_str answer = {w->in.p, head};
    int64_t status = 0;
    ptrdiff_t at = sl_str_find(answer, sl_str_of(want));
    if (answer.n > 12) {
        (void)!sl_str_to_i64(sl_str_sub(answer, 9, 3), &status);
    }
    if (status == 401) {
        sl_fail(err, SL_UNAUTHORIZED, "the server at %s asks for a token that is good", to->host);
        return sl_hint(
            err, "SLUICE_TOKEN=slu_...      sluice token create NAME, on the server's machine, makes one");
    }
    if (status == 403) {
        return sl_fail(err, SL_FORBIDDEN, "the server at %s does not let this client in", to->host);
    }
    if (status != 101 || at < 0) {
        return sl_fail(err, SL_HTTP, "%s port %s answers %lld: this is no server of Sluice", to->host,
                       to->port, (long long)status);
    }
    sl_buf_consume(&w->in, head);
    return true;
}

struct ws_client *ws_connect(const char *url, const char *token, const char *ca, int64_t timeout_ms,
                             struct sl_err *err)
{
    struct address to;
    if (!read_url(url, &to, err)) {
        return NULL;
    }
    struct ws_client *w = calloc(1, sizeof(*w));
    SL_OOM_ON(!w);
    w->fd = -1;
    sl_buf_init(&w->in, 0);
    sl_buf_init(&w->message, SL_LIMIT_OWNER_LINE_BYTES);
    if (!connect_any(w, &to, timeout_ms, err) || (to.tls && !begin_tls(w, &to, ca, timeout_ms, err)) ||
        !shake_hands(w, &to, token, timeout_ms, err)) {
        ws_free(w);
        return NULL;
    }
    return w;
}

void ws_free(struct ws_client *w)
{
    if (!w) {
        return;
    }
    if (w->tls) {
        SSL_free(w->tls);
    }
    if (w->tls_context) {
        SSL_CTX_free(w->tls_context);
    }
    if (w->fd >= 0) {
        close(w->fd);
    }
    sl_buf_release(&w->in);
    sl_buf_release(&w->message);
    free(w);
}
