/* SPDX-License-Identifier: Apache-2.0
 * Many JobManagers in one thread, for tests of the tracker: each has an address of its own (127.x.y.z, one port)
 * and one job, and answers what a real one of Flink 2.2.1 answered to the same requests, or misbehaves as it is
 * told. */
#ifndef SLUICE_TESTS_FAKE_JM_H
#define SLUICE_TESTS_FAKE_JM_H

#include "base/json.h"
#include "sys/clock.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum jm_manner {
    JM_WELL,
    JM_HANGS,   /* takes the request and says nothing */
    JM_HALF,    /* breaks off in the middle of the answer */
    JM_GARBAGE, /* 200, and not JSON */
    JM_SERVER,  /* another web server: 404 without Flink's words */
    JM_OTHER,   /* another life of a JobManager, which claims that the job has failed */
    JM_FORGETS, /* does not know the job */
};

struct jm {
    _Atomic int manner;
    _Atomic int state;     /* index into jm_states */
    _Atomic int running;   /* of its two tasks */
    _Atomic int life;      /* its web.tmpdir */
    _Atomic int completed; /* checkpoints */
    _Atomic int depth;     /* of its history; 0 = 10 */
    _Atomic int requests;
    _Atomic int unanswered; /* of them, because it hangs */
};
static const char *const jm_states[] = {"RUNNING", "FAILED", "FINISHED", "RESTARTING"};

struct jm_connection {
    int fd;
    size_t of; /* which JobManager */
    char in[2048];
    size_t n;
};

struct jms {
    struct jm *v;
    size_t n;
    int port, epoll;
    int *listeners;
    pthread_t thread;
    _Atomic bool stop;
    _Atomic int connections; /* made in all */
    _Atomic bool front;      /* all are behind the address of the first, each under a path of its own */
    _Atomic int64_t served_us, served, worst_us; /* from when a request was seen to its answer */
    struct jm_connection *by_fd[65536];
};

static inline void jm_id(size_t of, char ret[33])
{
    snprintf(ret, 33, "%032zx", of + 1);
}

static inline void jm_rest(const struct jms *s, size_t of, char *ret, size_t cap)
{
    if (s->front) {
        snprintf(ret, cap, "http://127.1.1.1:%d/jm/%zu", s->port, of);
        return;
    }
    snprintf(ret, cap, "http://127.%zu.%zu.%zu:%d", 1 + of / 62500, (of / 250) % 250 + 1, of % 250 + 1,
             s->port);
}

static inline void jm_job(struct jm *j, size_t of, bool failed, struct sl_buf *b)
{
    char id[33];
    jm_id(of, id);
    const char *state = failed ? "FAILED" : jm_states[atomic_load(&j->state)];
    int running = strcmp(state, "RUNNING") == 0 ? atomic_load(&j->running) : 0;
    sl_buf_printf(
        b,
        "{\"jid\":\"%s\",\"name\":\"job\",\"isStoppable\":false,\"state\":\"%s\",\"job-type\":\"STREAMING\","
        "\"start-time\":1795270301530,\"end-time\":-1,\"duration\":10976,\"maxParallelism\":-1,"
        "\"now\":%lld,\"timestamps\":{\"CREATED\":1795270301541,\"FAILING\":0,\"FAILED\":0,"
        "\"CANCELED\":0,\"INITIALIZING\":1795270301530,\"RECONCILING\":0,\"RESTARTING\":0,\"CANCELLING\":0,"
        "\"SUSPENDED\":0,\"FINISHED\":0,\"RUNNING\":1795270301610},\"vertices\":[",
        id, state, (long long)sys_wall_ms());
    for (int i = 0; i < 2; i++) {
        sl_buf_printf(
            b,
            "%s{\"id\":\"%s\",\"slotSharingGroupId\":\"a1b2\",\"name\":\"%s\",\"maxParallelism\":128,"
            "\"parallelism\":1,\"status\":\"RUNNING\",\"start-time\":1795270301700,\"end-time\":-1,"
            "\"duration\":10600,\"tasks\":{\"CREATED\":0,\"SCHEDULED\":%d,\"DEPLOYING\":0,\"INITIALIZING\":0,"
            "\"RUNNING\":%d,\"FINISHED\":0,\"CANCELING\":0,\"CANCELED\":0,\"FAILED\":0,\"RECONCILING\":0},"
            "\"metrics\":{\"read-bytes\":%d,\"read-bytes-complete\":true,\"write-bytes\":24000,"
            "\"write-bytes-complete\":true,\"read-records\":%d,\"read-records-complete\":true,"
            "\"write-records\":%d,\"write-records-complete\":true,\"accumulated-backpressured-time\":0,"
            "\"accumulated-idle-time\":10511,\"accumulated-busy-time\":\"NaN\"}}",
            i ? "," : "", i ? "e3dfc0d7e9ecd8a43f85f0b68ebf3b80" : "cbc357ccb763df2852fee8c4fc7d55f2",
            i ? "GroupAggregate[2] -> Sink: snk[4]" : "Source: src[1]", i < running ? 0 : 1,
            i < running ? 1 : 0, i ? 24000 : 0, i ? 500 : 0, i ? 0 : 500);
    }
    sl_buf_putz(b, "],\"status-counts\":{\"RUNNING\":2},\"plan\":{\"jid\":\"x\",\"name\":\"job\",\"type\":"
                   "\"STREAMING\",\"nodes\":[{\"id\":\"e3dfc0d7e9ecd8a43f85f0b68ebf3b80\",\"parallelism\":1,"
                   "\"inputs\":[{\"num\":0,\"id\":\"cbc357ccb763df2852fee8c4fc7d55f2\",\"ship_strategy\":"
                   "\"HASH\"}]},{\"id\":\"cbc357ccb763df2852fee8c4fc7d55f2\",\"parallelism\":1}]}}");
}

static inline void jm_checkpoints(struct jm *j, struct sl_buf *b)
{
    int done = j->completed, depth = j->depth ? j->depth : 10;
    sl_buf_printf(b,
                  "{\"counts\":{\"restored\":0,\"total\":%d,\"in_progress\":1,\"completed\":%d,\"failed\":0},"
                  "\"latest\":{\"completed\":",
                  done + 1, done);
    for (int i = -1; i < depth && done - i > 0 && done > 0; i++) { /* latest, then the history */
        int id = i < 0 ? done : done - i;
        sl_buf_printf(
            b,
            "%s{\"className\":\"completed\",\"id\":%d,\"status\":\"COMPLETED\",\"is_savepoint\":false,"
            "\"savepointFormat\":null,\"trigger_timestamp\":%lld,\"latest_ack_timestamp\":%lld,"
            "\"checkpointed_size\":6294,\"state_size\":6294,\"end_to_end_duration\":12,\"alignment_"
            "buffered\":0,"
            "\"processed_data\":0,\"persisted_data\":0,\"num_subtasks\":2,\"num_acknowledged_subtasks\":2,"
            "\"checkpoint_type\":\"CHECKPOINT\",\"tasks\":{},\"external_path\":\"file:/c/chk-%d\","
            "\"discarded\":%s}%s",
            i > 0 ? "," : "", id, (long long)sys_wall_ms(), (long long)sys_wall_ms(), id,
            done - id >= 2 ? "true" : "false", i < 0 ? "},\"history\":[" : "");
    }
    sl_buf_putz(b, done ? "]}" : "null},\"history\":[]}");
}

static inline void jm_config(struct jm *j, struct sl_buf *b)
{
    sl_buf_putz(b, "[");
    for (int i = 0; i < 60; i++) { /* a real one tells about as many */
        sl_buf_printf(b, "{\"key\":\"taskmanager.memory.some-key-%d\",\"value\":\"some value of it\"},", i);
    }
    sl_buf_printf(b, "{\"key\":\"web.tmpdir\",\"value\":\"/tmp/flink-web-%d\"}]",
                  j->manner == JM_OTHER ? -1 : j->life);
}

/* The body; the status. */
static inline int jm_answer(struct jms *s, size_t of, const char *path, struct sl_buf *b)
{
    struct jm *j = &s->v[of];
    char id[33];
    jm_id(of, id);
    if (j->manner == JM_GARBAGE) {
        sl_buf_putz(b, "<html><body>It works!</body></html>");
        return 200;
    }
    if (j->manner == JM_SERVER) {
        sl_buf_putz(b, "<html>404 Not Found</html>");
        return 404;
    }
    bool forgets = j->manner == JM_FORGETS, failed = j->manner == JM_OTHER;
    if (strcmp(path, "/jobmanager/config") == 0) {
        jm_config(j, b);
    } else if (strcmp(path, "/overview") == 0) {
        sl_buf_putz(b, "{\"taskmanagers\":1,\"slots-total\":8,\"slots-available\":7,\"jobs-running\":1,"
                       "\"flink-version\":\"2.2.1\"}");
    } else if (strcmp(path, "/jobs/overview") == 0) {
        const char *state = failed ? "FAILED" : jm_states[atomic_load(&j->state)];
        int running = strcmp(state, "RUNNING") == 0 ? atomic_load(&j->running) : 0;
        sl_buf_putz(b, "{\"jobs\":[");
        if (!forgets) {
            sl_buf_printf(b,
                          "{\"jid\":\"%s\",\"name\":\"job\",\"start-time\":1795270301530,\"end-time\":-1,"
                          "\"duration\":10976,\"state\":\"%s\",\"last-modification\":1795270301610,\"tasks\":"
                          "{\"running\":%d,\"canceling\":0,\"canceled\":0,\"total\":2,\"created\":0,"
                          "\"scheduled\":%d,\"deploying\":0,\"reconciling\":0,\"finished\":0,"
                          "\"initializing\":0,\"failed\":0}}",
                          id, state, running, 2 - running);
        }
        sl_buf_putz(b, "]}");
    } else if (strncmp(path, "/jobs/", 6) != 0 || strncmp(path + 6, id, 32) != 0 || forgets) {
        sl_buf_printf(b, "{\"errors\":[\"org.apache.flink.runtime.rest.NotFoundException: Job could not be "
                         "found.\"]}");
        return 404;
    } else if (path[38] == 0) {
        jm_job(j, of, failed, b);
    } else if (strcmp(path + 38, "/checkpoints") == 0) {
        jm_checkpoints(j, b);
    } else if (strcmp(path + 38, "/checkpoints/config") == 0) {
        sl_buf_putz(b, "{\"mode\":\"exactly_once\",\"interval\":200,\"timeout\":600000}");
    } else if (strncmp(path + 38, "/exceptions", 11) == 0) {
        sl_buf_putz(b,
                    "{\"exceptionHistory\":{\"entries\":[{\"exceptionName\":\"java.lang.RuntimeException\","
                    "\"stacktrace\":\"java.lang.RuntimeException: it broke\\n\\tat a.b.C.d(C.java:1)\","
                    "\"timestamp\":1795270312000}],\"truncated\":false}}");
    } else {
        sl_buf_putz(b, "[]");
    }
    return 200;
}

static inline void jm_close(struct jms *s, struct jm_connection *c)
{
    s->by_fd[c->fd] = NULL;
    close(c->fd);
    free(c);
}

/* All requests that are there whole. */
static inline void jm_serve(struct jms *s, struct jm_connection *c, int64_t seen_us)
{
    ssize_t got = recv(c->fd, c->in + c->n, sizeof(c->in) - 1 - c->n, MSG_DONTWAIT);
    if (got <= 0) {
        jm_close(s, c);
        return;
    }
    c->n += (size_t)got;
    c->in[c->n] = 0;
    char *end = strstr(c->in, "\r\n\r\n"), text[512] = "", *path = text;
    if (!end) {
        return;
    }
    c->n = 0; /* the tracker never asks twice at once */
    bool asks = sscanf(c->in, "GET %500s", text) == 1;
    if (strncmp(text, "/jm/", 4) == 0) {
        c->of = (size_t)strtoul(text + 4, &path, 10);
        SL_BUG_ON(c->of >= s->n);
    }
    struct jm *j = &s->v[c->of];
    j->requests++;
    if (j->manner == JM_HANGS || !asks) {
        j->unanswered++;
        return;
    }
    SL_BUF_AUTO b;
    SL_BUF_AUTO out;
    sl_buf_init(&b, 0);
    sl_buf_init(&out, 0);
    int status = jm_answer(s, c->of, path, &b);
    sl_buf_printf(&out,
                  "HTTP/1.1 %d X\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: %zu\r\n"
                  "Connection: keep-alive\r\n\r\n",
                  status, b.n);
    sl_buf_puts(&out, sl_buf_str(&b));
    size_t n = j->manner == JM_HALF ? out.n - b.n / 2 : out.n;
    for (size_t at = 0; at < n;) {
        ssize_t w = send(c->fd, out.p + at, n - at, MSG_NOSIGNAL);
        if (w <= 0) {
            break;
        }
        at += (size_t)w;
    }
    int64_t took_us = sys_now_us() - seen_us;
    s->served++;
    s->served_us += took_us;
    if (took_us > s->worst_us) {
        s->worst_us = took_us;
    }
    if (j->manner == JM_HALF) {
        jm_close(s, c);
    }
}

static inline void *jms_thread(void *arg)
{
    struct jms *s = arg;
    struct epoll_event ev[256];
    while (!s->stop) {
        int n = epoll_wait(s->epoll, ev, 256, 50);
        int64_t seen_us = sys_now_us();
        for (int i = 0; i < n; i++) {
            uint64_t data = ev[i].data.u64;
            if (data < s->n) {
                int fd = accept4(s->listeners[data], NULL, NULL, SOCK_CLOEXEC);
                if (fd < 0 || fd >= 65536) {
                    continue;
                }
                struct jm_connection *c = calloc(1, sizeof(*c));
                SL_OOM_ON(!c);
                c->fd = fd;
                c->of = data;
                s->by_fd[fd] = c;
                s->connections++;
                struct epoll_event in = {.events = EPOLLIN, .data.u64 = s->n + (uint64_t)fd};
                epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &in);
            } else if (s->by_fd[data - s->n]) {
                jm_serve(s, s->by_fd[data - s->n], seen_us);
            }
        }
    }
    return NULL;
}

/* n JobManagers whose jobs run. */
static inline struct jms *jms_start(size_t n)
{
    struct jms *s = calloc(1, sizeof(*s));
    SL_OOM_ON(!s);
    struct rlimit l;
    getrlimit(RLIMIT_NOFILE, &l);
    l.rlim_cur = SL_MIN(l.rlim_max, (rlim_t)65000);
    setrlimit(RLIMIT_NOFILE, &l);
    s->n = n;
    s->v = calloc(n, sizeof(*s->v));
    s->listeners = calloc(n, sizeof(*s->listeners));
    SL_OOM_ON(!s->v || !s->listeners);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < n; i++) {
        char rest[64], ip[32];
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
        jm_rest(s, i, rest, sizeof(rest));
        sscanf(rest, "http://%31[0-9.]", ip);
        inet_pton(AF_INET, ip, &at.sin_addr);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        SL_BUG_ON(bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 64) != 0);
        socklen_t size = sizeof(at);
        getsockname(fd, (struct sockaddr *)&at, &size);
        s->port = ntohs(at.sin_port);
        s->listeners[i] = fd;
        struct epoll_event in = {.events = EPOLLIN, .data.u64 = i};
        epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &in);
        s->v[i].running = 2;
        s->v[i].life = (int)i;
    }
    SL_BUG_ON(pthread_create(&s->thread, NULL, jms_thread, s) != 0);
    return s;
}

static inline void jms_stop(struct jms *s)
{
    s->stop = true;
    pthread_join(s->thread, NULL);
    for (size_t i = 0; i < SL_ARRAY_LEN(s->by_fd); i++) {
        if (s->by_fd[i]) {
            jm_close(s, s->by_fd[i]);
        }
    }
    for (size_t i = 0; i < s->n; i++) {
        close(s->listeners[i]);
    }
    close(s->epoll);
    free(s->listeners);
    free(s->v);
    free(s);
}

#endif
