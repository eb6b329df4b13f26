/* SPDX-License-Identifier: Apache-2.0
 * A server for tests that behaves badly on purpose: a thread that accepts one connection at a time on a free
 * port of 127.0.0.1 and does with it what the path of the request says. */
#ifndef SLUICE_TESTS_HTTP_SERVER_H
#define SLUICE_TESTS_HTTP_SERVER_H

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/clock.h"

struct server {
    int fd, port;
    pthread_t thread;
    _Atomic int requests, connections;
    _Atomic bool stop;
    _Atomic int fail_after; /* bytes of /file after which the connection is broken; 0 = never */
    char last[65536];       /* the last request; of the thread */
    size_t last_n;
    pthread_mutex_t lock;
    char shown[65536]; /* a copy of it, guarded */
};

/* Is this in the last request? For who has had its answer. */
static inline bool server_got(struct server *s, const char *text)
{
    pthread_mutex_lock(&s->lock);
    bool there = strstr(s->shown, text) != NULL;
    pthread_mutex_unlock(&s->lock);
    return there;
}

#define FILE_BYTES 100000
static inline char file_byte(size_t i)
{
    return (char)('a' + i % 23);
}

static inline void server_put(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w <= 0) {
            return;
        }
        p += w;
        n -= (size_t)w;
    }
}

static inline void server_putz(int fd, const char *z)
{
    server_put(fd, z, strlen(z));
}

static inline void server_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0}; /* close sends RST */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* Head and, when announced, body. false: the client has gone. */
static inline bool server_read(struct server *s, int fd)
{
    size_t n = 0, want = 0;
    while (want == 0 || n < want) {
        ssize_t r = recv(fd, s->last + n, sizeof(s->last) - 1 - n, 0);
        if (r <= 0) {
            return false;
        }
        n += (size_t)r;
        s->last[n] = '\0';
        const char *end = strstr(s->last, "\r\n\r\n"), *length = strcasestr(s->last, "\r\ncontent-length:");
        if (end) {
            want =
                (size_t)(end - s->last) + 4 + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
            want = SL_MIN(want, sizeof(s->last) - 1);
        }
    }
    s->last_n = n;
    pthread_mutex_lock(&s->lock);
    memcpy(s->shown, s->last, n + 1);
    pthread_mutex_unlock(&s->lock);
    return true;
}

/* /file with or without Range. */
static inline void server_send_file(struct server *s, int fd)
{
    char head[256];
    const char *range = strcasestr(s->last, "\r\nrange: bytes=");
    size_t from = range ? strtoul(range + 15, NULL, 10) : 0;
    bool ignores_range = strstr(s->last, "GET /norange") != NULL;
    if (range && !ignores_range && from >= FILE_BYTES) {
        snprintf(head, sizeof(head),
                 "HTTP/1.1 416 No\r\nContent-Range: bytes */%d\r\nContent-Length: 3\r\n\r\nno\n", FILE_BYTES);
        server_putz(fd, head);
        return;
    }
    from = ignores_range ? 0 : from;
    if (range && !ignores_range) {
        snprintf(head, sizeof(head),
                 "HTTP/1.1 206 Part\r\nContent-Range: bytes %zu-%d/%d\r\nContent-Length: %zu\r\n\r\n", from,
                 FILE_BYTES - 1, FILE_BYTES, FILE_BYTES - from);
    } else {
        snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", FILE_BYTES);
    }
    server_putz(fd, head);
    for (size_t i = from; i < FILE_BYTES; i++) {
        char c = file_byte(i);
        server_put(fd, &c, 1);
        if (s->fail_after && i - from + 1 == (size_t)s->fail_after) {
            s->fail_after = 0;
            for (int left = 1, k = 0; k < 1000 && left && ioctl(fd, SIOCOUTQ, &left) == 0; k++) {
                sys_sleep_ms(5); /* the reset throws away what has not arrived ... */
            }
            sys_sleep_ms(200); /* ... and is not to come before that is read */
            server_reset(fd);
            return;
        }
    }
}

/* Returns whether the connection stays. */
static inline bool server_answer(struct server *s, int fd)
{
    const char *path = strchr(s->last, ' ');
#define IS(p) (path && strncmp(path, " " p, sizeof(p)) == 0)
    if (IS("/ok")) {
        server_putz(
            fd,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}");
        return true;
    }
    if (IS("/echo")) {
        char head[128];
        snprintf(head, sizeof(head), "HTTP/1.1 201 Made\r\nContent-Length: %zu\r\n\r\n", s->last_n);
        server_putz(fd, head);
        server_put(fd, s->last, s->last_n);
        return true;
    }
    if (IS("/500")) {
        server_putz(fd, "HTTP/1.1 500 Broken\r\nContent-Length: 6\r\n\r\nbroken");
        return true;
    }
    if (IS("/redirect")) {
        server_putz(fd, "HTTP/1.1 302 Go\r\nLocation: /ok\r\nContent-Length: 4\r\n\r\nmove");
        return true;
    }
    if (IS("/round")) {
        server_putz(fd, "HTTP/1.1 302 Go\r\nLocation: /round\r\nContent-Length: 0\r\n\r\n");
        return true;
    }
    if (IS("/tocloud")) {
        server_putz(
            fd, "HTTP/1.1 302 Go\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n");
        return true;
    }
    if (IS("/tofile")) {
        server_putz(fd, "HTTP/1.1 302 Go\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n");
        return true;
    }
    if (IS("/file") || IS("/norange")) {
        server_send_file(s, fd);
        return false;
    }
    if (IS("/otherrange")) {
        server_putz(fd, "HTTP/1.1 206 Part\r\nContent-Range: bytes 7-9/10\r\nContent-Length: 3\r\n\r\nxyz");
        return true;
    }
    if (IS("/big")) {
        server_putz(fd, "HTTP/1.1 200 OK\r\n\r\n"); /* no length: until the end */
        for (int i = 0; i < 10000; i++) {
            server_putz(fd, "0123456789");
        }
    } else if (IS("/garbage")) {
        server_putz(fd, "SSH-2.0-OpenSSH_9.2\r\n");
    } else if (IS("/reset")) {
        server_reset(fd);
    } else if (IS("/half")) {
        server_putz(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this");
    } else if (IS("/slow")) {
        server_putz(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        for (int i = 0; i < 100 && !s->stop; i++) {
            server_putz(fd, "x");
            sys_sleep_ms(20);
        }
    } else if (IS("/hang")) {
        for (int i = 0; i < 100 && !s->stop; i++) {
            char c;
            if (recv(fd, &c, 1, MSG_DONTWAIT) == 0) {
                break;
            }
            sys_sleep_ms(20);
        }
    }
#undef IS
    return false; /* /close: nothing at all */
}

static inline void *server_run(void *arg)
{
    struct server *s = arg;
    for (;;) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0 || s->stop) {
            if (fd >= 0) {
                close(fd);
            }
            return NULL;
        }
        s->connections++;
        bool more = true;
        while (more && server_read(s, fd)) {
            s->requests++;
            more = server_answer(s, fd);
        }
        close(fd);
    }
}

static inline struct server *server_start(void)
{
    struct server *s = calloc(1, sizeof(*s));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->fd, (struct sockaddr *)&at, n) != 0 || listen(s->fd, 16) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&at, &n) != 0) {
        abort();
    }
    s->port = ntohs(at.sin_port);
    pthread_mutex_init(&s->lock, NULL);
    pthread_create(&s->thread, NULL, server_run, s);
    return s;
}

static inline void server_stop(struct server *s)
{
    s->stop = true;
    shutdown(s->fd, SHUT_RDWR); /* wakes accept */
    pthread_join(s->thread, NULL);
    close(s->fd);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

#endif
