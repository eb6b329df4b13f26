/* SPDX-License-Identifier: Apache-2.0
 * The Flink side of the results protocol for tests, written from docs/results-protocol.md and not from the
 * server's code: makes frames, descriptors and cells, and speaks them over a blocking socket. */
#ifndef SLUICE_TEST_WIRE_H
#define SLUICE_TEST_WIRE_H

#include "base/buf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline void w_str(struct sl_buf *b, const char *z)
{
    sl_buf_u32(b, (uint32_t)strlen(z));
    sl_buf_putz(b, z);
}

/* Puts `body` into a frame behind what is in `b`. */
static inline void w_frame(struct sl_buf *b, unsigned type, const struct sl_buf *body)
{
    sl_buf_u32(b, (uint32_t)(1 + (body ? body->n : 0)));
    sl_buf_u8(b, (uint8_t)type);
    if (body && body->n > 0) {
        sl_buf_put(b, body->p, body->n);
    }
}

static inline void w_hello(struct sl_buf *b, unsigned role, const char *token, unsigned statement)
{
    SL_BUF_AUTO body;
    sl_buf_init(&body, 0);
    sl_buf_put(&body, "SLR", 3);
    sl_buf_u16(&body, 1);
    sl_buf_u8(&body, (uint8_t)role);
    w_str(&body, token);
    sl_buf_u32(&body, statement);
    w_frame(b, 0x01, &body);
}

/* Descriptors. */
static inline void w_type(struct sl_buf *b, unsigned code)
{
    sl_buf_u8(b, (uint8_t)code);
    sl_buf_u8(b, 1);
}
static inline void w_type_len(struct sl_buf *b, unsigned code, uint32_t n)
{
    w_type(b, code);
    sl_buf_u32(b, n);
}
static inline void w_type_p(struct sl_buf *b, unsigned code, unsigned precision)
{
    w_type(b, code);
    sl_buf_u8(b, (uint8_t)precision);
}

/* Cells. */
static inline void w_null(struct sl_buf *b)
{
    sl_buf_u8(b, 0);
}
static inline void w_text(struct sl_buf *b, const char *z)
{
    sl_buf_u8(b, 1);
    w_str(b, z);
}
static inline void w_i32(struct sl_buf *b, int32_t v)
{
    sl_buf_u8(b, 1);
    sl_buf_u32(b, (uint32_t)v);
}
static inline void w_i64(struct sl_buf *b, int64_t v)
{
    sl_buf_u8(b, 1);
    sl_buf_u64(b, (uint64_t)v);
}
static inline void w_ts(struct sl_buf *b, int64_t ms, uint32_t nanos)
{
    w_i64(b, ms);
    sl_buf_u32(b, nanos);
}

/* --- a peer ------------------------------------------------------------------------------------------------
 */

static inline int w_dial(int port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static inline void w_send(int fd, const struct sl_buf *b)
{
    for (size_t done = 0; done < b->n;) {
        ssize_t n = send(fd, b->p + done, b->n - done, MSG_NOSIGNAL);
        assert_true(n > 0);
        done += (size_t)n;
    }
}

static inline bool w_read_n(int fd, void *p, size_t n, int timeout_ms)
{
    for (size_t done = 0; done < n;) {
        struct pollfd pf = {.fd = fd, .events = POLLIN};
        if (poll(&pf, 1, timeout_ms) <= 0) {
            return false;
        }
        ssize_t r = recv(fd, (char *)p + done, n - done, 0);
        if (r <= 0) {
            return false;
        }
        done += (size_t)r;
    }
    return true;
}

/* Type of the next frame, its body in `body`; -1: end of stream or nothing within the time. */
static inline int w_recv(int fd, struct sl_buf *body, int timeout_ms)
{
    uint8_t h[5];
    sl_buf_clear(body);
    if (!w_read_n(fd, h, 5, timeout_ms)) {
        return -1;
    }
    uint32_t n = ((uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3]) - 1;
    assert_true(n < (64u << 20));
    char *p = malloc(n + 1);
    assert_true(w_read_n(fd, p, n, timeout_ms));
    sl_buf_put(body, p, n);
    free(p);
    return h[4];
}

/* The next frame that is no heartbeat and no ACK. */
static inline int w_next(int fd, struct sl_buf *body, int timeout_ms)
{
    int t;
    do {
        t = w_recv(fd, body, timeout_ms);
    } while (t == 0x30 || t == 0x22);
    return t;
}

static inline void w_expect(int fd, int type, int timeout_ms)
{
    SL_BUF_AUTO body;
    sl_buf_init(&body, 0);
    assert_int_equal(w_next(fd, &body, timeout_ms), type);
}

static inline void w_expect_refused(int fd, const char *slug)
{
    SL_BUF_AUTO body;
    sl_buf_init(&body, 0);
    assert_int_equal(w_next(fd, &body, 5000), 0x03);
    assert_true(body.n > 4 + strlen(slug));
    assert_memory_equal(body.p + 4, slug, strlen(slug));
    assert_int_equal(w_next(fd, &body, 5000), -1); /* and closed */
}

static inline int w_sink(int port, const char *token, unsigned statement)
{
    int fd = w_dial(port);
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    w_hello(&b, 2, token, statement);
    w_send(fd, &b);
    return fd;
}

static inline int w_runner(int port, const char *token)
{
    int fd = w_dial(port);
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    w_hello(&b, 1, token, 0);
    w_send(fd, &b);
    return fd;
}

/* COLUMNS of one BIGINT "n" and one STRING "s". */
static inline void w_columns_ns(struct sl_buf *b)
{
    SL_BUF_AUTO body;
    sl_buf_init(&body, 0);
    sl_buf_u8(&body, 1);
    sl_buf_u16(&body, 2);
    w_str(&body, "n");
    w_str(&body, "BIGINT");
    w_type(&body, 9);
    w_str(&body, "s");
    w_str(&body, "STRING");
    w_type_len(&body, 2, 2147483647);
    w_frame(b, 0x20, &body);
}

/* ROWS: `count` rows (i, text of `width` bytes) from number `first` on. */
static inline void w_rows_ns(struct sl_buf *b, uint64_t first, uint32_t count, size_t width)
{
    SL_BUF_AUTO body;
    sl_buf_init(&body, 0);
    sl_buf_u64(&body, first);
    sl_buf_u32(&body, count);
    for (uint32_t i = 0; i < count; i++) {
        sl_buf_u8(&body, 0);
        w_i64(&body, (int64_t)(first + i));
        sl_buf_u8(&body, 1);
        sl_buf_u32(&body, (uint32_t)width);
        for (size_t k = 0; k < width; k++) {
            sl_buf_putc(&body, (char)('a' + (first + i + k) % 26));
        }
    }
    w_frame(b, 0x21, &body);
}

static inline void w_u64_frame(struct sl_buf *b, unsigned type, uint64_t v)
{
    SL_BUF_AUTO body;
    sl_buf_init(&body, 0);
    sl_buf_u64(&body, v);
    w_frame(b, type, &body);
}

#endif
