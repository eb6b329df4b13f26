/* SPDX-License-Identifier: Apache-2.0
 * Both ends of the owner's socket, real sockets and threads: many clients at once, lines in pieces, readers
 * that stop, clients that go while a sender waits for them, an end in the middle of it all. */
#include "gateway/front/rpc.h"

#include "base/limits.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_MS 20000 /* for what must happen soon */

struct server {
    char dir[64], path[96];
    uv_loop_t loop;
    uv_async_t close;
    pthread_t thread;
    struct net_rpc *rpc;
    bool echo, closed;
    pthread_mutex_t lock; /* what follows */
    char last[256];       /* line */
    uint64_t last_client, gone_client;
    int lines, gone;
    size_t longest;
};

static void on_message(void *ctx, uint64_t client, sl_str line)
{
    struct server *s = ctx;
    pthread_mutex_lock(&s->lock);
    s->lines++;
    s->last_client = client;
    s->longest = SL_MAX(s->longest, line.n);
    snprintf(s->last, sizeof(s->last), "%.*s", (int)SL_MIN(line.n, (size_t)200), line.p);
    pthread_mutex_unlock(&s->lock);
    if (s->echo) {
        net_rpc_send(s->rpc, client, line, true);
    }
}

static void on_gone(void *ctx, uint64_t client)
{
    struct server *s = ctx;
    pthread_mutex_lock(&s->lock);
    s->gone++;
    s->gone_client = client;
    pthread_mutex_unlock(&s->lock);
}

static void on_close(uv_async_t *a)
{
    struct server *s = a->data;
    net_rpc_close(s->rpc);
    uv_close((uv_handle_t *)a, NULL);
}

static void *serve(void *arg)
{
    uv_run(&((struct server *)arg)->loop, UV_RUN_DEFAULT);
    return NULL;
}

static struct server *start(bool echo)
{
    static const struct net_rpc_ops ops = {on_message, on_gone};
    struct server *s = calloc(1, sizeof(*s));
    struct sl_err err = SL_ERR_INIT;
    s->echo = echo;
    snprintf(s->dir, sizeof(s->dir), "/tmp/sluice-rpc-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->path, sizeof(s->path), "%s/sluice.sock", s->dir);
    pthread_mutex_init(&s->lock, NULL);
    uv_loop_init(&s->loop);
    uv_async_init(&s->loop, &s->close, on_close);
    s->close.data = s;
    s->rpc = net_rpc_listen(&s->loop, s->path, &ops, s, &err);
    assert_non_null(s->rpc);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    return s;
}

static void end(struct server *s)
{
    if (!s->closed) {
        s->closed = true;
        uv_async_send(&s->close);
        pthread_join(s->thread, NULL);
    }
}

static void stop(struct server *s)
{
    struct sl_err err = SL_ERR_INIT;
    end(s);
    assert_false(sys_exists(s->path));
    net_rpc_free(s->rpc);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    pthread_mutex_destroy(&s->lock);
    assert_true(sys_rmtree(s->dir, &err));
    free(s);
}

static int seen(struct server *s, int *counter)
{
    pthread_mutex_lock(&s->lock);
    int n = *counter;
    pthread_mutex_unlock(&s->lock);
    return n;
}

static void wait_count(struct server *s, int *counter, int want)
{
    for (int64_t until = sys_now_ms() + WAIT_MS; seen(s, counter) < want && sys_now_ms() < until;) {
        sys_sleep_ms(1);
    }
    assert_int_equal(seen(s, counter), want);
}

static struct net_rpc_client *dial(struct server *s)
{
    struct sl_err err = SL_ERR_INIT;
    struct net_rpc_client *c = net_rpc_connect(s->path, &err);
    assert_non_null(c);
    return c;
}

static void say(struct net_rpc_client *c, const char *line)
{
    struct sl_err err = SL_ERR_INIT;
    assert_true(net_rpc_client_send(c, sl_str_of(line), &err));
}

static void hear(struct net_rpc_client *c, const char *want)
{
    sl_str line;
    assert_int_equal(net_rpc_client_next(c, WAIT_MS, &line), NET_RPC_LINE);
    assert_true(sl_str_eqz(line, want));
}

/* The number the server knows this client by: it speaks once. */
static uint64_t number_of(struct server *s, struct net_rpc_client *c)
{
    int before = seen(s, &s->lines);
    say(c, "who");
    wait_count(s, &s->lines, before + 1);
    pthread_mutex_lock(&s->lock);
    uint64_t n = s->last_client;
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* A socket without the client's framing. */
static int raw(struct server *s)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof(to.sun_path), "%s", s->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void put(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* --- many clients ------------------------------------------------------------------------------------------
 */

struct talker {
    struct server *server;
    int number;
    bool ok;
};

static void *talk(void *arg)
{
    struct talker *t = arg;
    struct sl_err err = SL_ERR_INIT;
    struct net_rpc_client *c = net_rpc_connect(t->server->path, &err);
    t->ok = c != NULL;
    for (int i = 0; t->ok && i < 200; i++) {
        char line[64];
        sl_str back;
        int n = snprintf(line, sizeof(line), "client %d line %d", t->number, i);
        t->ok = net_rpc_client_send(c, (sl_str){line, (size_t)n}, &err) &&
                net_rpc_client_next(c, WAIT_MS, &back) == NET_RPC_LINE && sl_str_eqz(back, line);
    }
    net_rpc_client_free(c);
    return NULL;
}

static void every_client_gets_its_own_lines(void **state)
{
    (void)state;
    enum { N = 50 };
    struct server *s = start(true);
    struct talker t[N];
    pthread_t threads[N];
    for (int i = 0; i < N; i++) {
        t[i] = (struct talker){s, i, false};
        assert_int_equal(pthread_create(&threads[i], NULL, talk, &t[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        assert_true(t[i].ok);
    }
    wait_count(s, &s->gone, N);
    assert_int_equal(seen(s, &s->lines), N * 200);
    stop(s);
}

static void more_clients_than_the_limit_are_closed_the_others_stay(void **state)
{
    (void)state;
    struct server *s = start(true);
    enum { N = SL_LIMIT_OWNER_CLIENTS };
    struct net_rpc_client *c[N];
    for (int i = 0; i < N; i++) {
        c[i] = dial(s);
        say(c[i], "hello");
        hear(c[i], "hello");
    }
    struct net_rpc_client *over = dial(s);
    sl_str line;
    assert_int_equal(net_rpc_client_next(over, WAIT_MS, &line), NET_RPC_END);
    net_rpc_client_free(over);
    say(c[0], "still here");
    hear(c[0], "still here");
    net_rpc_client_free(c[N - 1]);
    wait_count(s, &s->gone, 2);
    for (int i = 0; i < 100; i++) { /* its place is free once its handle is closed */
        struct net_rpc_client *again = dial(s);
        say(again, "in");
        bool in = net_rpc_client_next(again, WAIT_MS, &line) == NET_RPC_LINE;
        net_rpc_client_free(again);
        if (in) {
            break;
        }
        assert_true(i < 99);
        sys_sleep_ms(5);
    }
    for (int i = 0; i < N - 1; i++) {
        net_rpc_client_free(c[i]);
    }
    stop(s);
}

/* --- lines -------------------------------------------------------------------------------------------------
 */

static void lines_come_in_pieces_and_several_at_once(void **state)
{
    (void)state;
    struct server *s = start(false);
    int fd = raw(s);
    put(fd, "ab");
    sys_sleep_ms(30);
    assert_int_equal(seen(s, &s->lines), 0);
    put(fd, "c\nd");
    wait_count(s, &s->lines, 1);
    assert_string_equal(s->last, "abc");
    put(fd, "e\n\n\nf\ng");
    wait_count(s, &s->lines, 3);
    assert_string_equal(s->last, "f");
    put(fd, "\n");
    wait_count(s, &s->lines, 4);
    assert_string_equal(s->last, "g");
    put(fd, "half a line");
    close(fd); /* a half line is no line */
    wait_count(s, &s->gone, 1);
    assert_int_equal(seen(s, &s->lines), 4);
    stop(s);
}

static void a_large_line_arrives_whole_and_quickly(void **state)
{
    (void)state;
    enum { BYTES = 48 << 20 };
    struct server *s = start(true);
    struct net_rpc_client *c = dial(s);
    char *big = malloc(BYTES);
    memset(big, 'x', BYTES);
    big[BYTES - 1] = 'y';
    struct sl_err err = SL_ERR_INIT;
    sl_str line;
    assert_true(net_rpc_client_send(c, (sl_str){big, BYTES}, &err));
    assert_int_equal(net_rpc_client_next(c, 60000, &line), NET_RPC_LINE);
    assert_int_equal(line.n, BYTES);
    assert_memory_equal(line.p, big, BYTES);
    free(big);
    net_rpc_client_free(c);
    stop(s);
}

static void a_line_over_the_limit_closes_only_that_client(void **state)
{
    (void)state;
    struct server *s = start(true);
    struct net_rpc_client *other = dial(s);
    int fd = raw(s);
    char *piece = malloc(1 << 20);
    memset(piece, 'x', 1 << 20);
    size_t sent = 0;
    ssize_t n;
    while (sent < SL_LIMIT_OWNER_LINE_BYTES * 2 && (n = send(fd, piece, 1 << 20, MSG_NOSIGNAL)) > 0) {
        sent += (size_t)n;
    }
    free(piece);
    assert_true(sent >= SL_LIMIT_OWNER_LINE_BYTES);
    assert_true(sent < SL_LIMIT_OWNER_LINE_BYTES + (8 << 20));
    wait_count(s, &s->gone, 1);
    assert_int_equal(seen(s, &s->lines), 0);
    close(fd);
    say(other, "fine");
    hear(other, "fine");
    net_rpc_client_free(other);
    stop(s);
}

/* --- readers that stop -------------------------------------------------------------------------------------
 */

#define FLOOD_LINE  65536
#define FLOOD_LINES 1024 /* 64 MiB in all */

struct flood {
    struct server *server;
    uint64_t client;
    pthread_t thread;
    int sent;     /* atomic */
    bool refused; /* atomic: send said that the client has gone */
    bool done;    /* atomic */
};

static void *flood(void *arg)
{
    struct flood *f = arg;
    char *line = malloc(FLOOD_LINE);
    memset(line, 'r', FLOOD_LINE);
    for (int i = 0; i < FLOOD_LINES; i++) {
        char head[16];
        memcpy(line, head, (size_t)snprintf(head, sizeof(head), "%08d ", i));
        if (!net_rpc_send(f->server->rpc, f->client, (sl_str){line, FLOOD_LINE}, false)) {
            __atomic_store_n(&f->refused, true, __ATOMIC_RELEASE);
            break;
        }
        __atomic_add_fetch(&f->sent, 1, __ATOMIC_ACQ_REL);
    }
    free(line);
    __atomic_store_n(&f->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void flood_begin(struct flood *f, struct server *s, struct net_rpc_client *c)
{
    *f = (struct flood){.server = s, .client = number_of(s, c)};
    assert_int_equal(pthread_create(&f->thread, NULL, flood, f), 0);
}

/* The sender has come to a stand: the same count for a while. */
static int flood_stands(struct flood *f)
{
    int before = -1, now = 0;
    for (int i = 0; i < 100 && (before != now || now == 0); i++) {
        before = now;
        sys_sleep_ms(40);
        now = __atomic_load_n(&f->sent, __ATOMIC_ACQUIRE);
    }
    assert_int_equal(before, now);
    assert_false(__atomic_load_n(&f->done, __ATOMIC_ACQUIRE));
    return now;
}

static void a_reader_that_stops_holds_its_sender_and_nobody_else(void **state)
{
    (void)state;
    struct server *s = start(false);
    struct net_rpc_client *slow = dial(s), *quick = dial(s);
    struct flood f;
    flood_begin(&f, s, slow);
    int stood = flood_stands(&f);
    /* queue, what is being written, and the socket: a few MiB, whatever is to come */
    assert_true((size_t)stood * FLOOD_LINE < (size_t)4 << 20);
    uint64_t other = number_of(s, quick);
    assert_true(net_rpc_send(s->rpc, other, SL_STR("for you"), false));
    hear(quick, "for you");
    assert_true(net_rpc_send(s->rpc, f.client, SL_STR("urgent"),
                             true)); /* goes behind what waits, waits for nothing */
    int urgent = 0;
    for (int i = 0; i < FLOOD_LINES + 1; i++) {
        sl_str line;
        char want[16];
        assert_int_equal(net_rpc_client_next(slow, WAIT_MS, &line), NET_RPC_LINE);
        if (sl_str_eqz(line, "urgent")) {
            urgent++;
            continue;
        }
        snprintf(want, sizeof(want), "%08d ", i - urgent);
        assert_int_equal(line.n, FLOOD_LINE);
        assert_memory_equal(line.p, want, 9);
    }
    assert_int_equal(urgent, 1);
    pthread_join(f.thread, NULL);
    assert_int_equal(f.sent, FLOOD_LINES);
    assert_false(f.refused);
    net_rpc_client_free(slow);
    net_rpc_client_free(quick);
    stop(s);
}

static void a_client_that_goes_wakes_the_sender_that_waits_for_it(void **state)
{
    (void)state;
    struct server *s = start(false);
    struct net_rpc_client *c = dial(s);
    struct flood f;
    flood_begin(&f, s, c);
    flood_stands(&f);
    int64_t at = sys_now_ms();
    net_rpc_client_free(c);
    pthread_join(f.thread, NULL);
    assert_true(sys_now_ms() - at < 2000);
    assert_true(f.refused);
    wait_count(s, &s->gone, 1);
    assert_int_equal(s->gone_client, f.client);
    assert_false(net_rpc_send(s->rpc, f.client, SL_STR("late"), true));
    stop(s);
}

static void a_close_wakes_senders_that_wait(void **state)
{
    (void)state;
    struct server *s = start(false);
    struct net_rpc_client *a = dial(s), *b = dial(s);
    struct flood f, g;
    flood_begin(&f, s, a);
    flood_begin(&g, s, b);
    flood_stands(&f);
    flood_stands(&g);
    end(s);
    pthread_join(f.thread, NULL);
    pthread_join(g.thread, NULL);
    assert_true(f.refused && g.refused);
    assert_int_equal(s->gone, 2);
    assert_false(net_rpc_send(s->rpc, f.client, SL_STR("late"), true));
    net_rpc_client_free(a);
    net_rpc_client_free(b);
    stop(s);
}

static void in_a_hurry_nobody_waits_and_what_fits_still_goes(void **state)
{
    (void)state;
    struct server *s = start(false);
    struct net_rpc_client *slow = dial(s), *quick = dial(s);
    struct flood f;
    flood_begin(&f, s, slow);
    flood_stands(&f);
    net_rpc_hurry(s->rpc);
    pthread_join(f.thread, NULL);
    assert_true(f.refused);
    uint64_t other = number_of(s, quick);
    assert_true(net_rpc_send(s->rpc, other, SL_STR("the last word"), false));
    hear(quick, "the last word");
    net_rpc_client_free(slow);
    net_rpc_client_free(quick);
    stop(s);
}

static void who_asks_without_reading_is_not_heard_until_it_reads(void **state)
{
    (void)state;
    struct server *s = start(true);
    int fd = raw(s);
    size_t line = 1000, sent = 0, limit = (size_t)64 << 20;
    char *piece = malloc(line * 64);
    for (size_t i = 0; i < 64; i++) {
        memset(piece + i * line, 'q', line);
        piece[(i + 1) * line - 1] = '\n';
    }
    for (int idle = 0; sent < limit && idle < 20;) {
        ssize_t n = send(fd, piece + sent % line, line * 63, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            assert_int_equal(errno, EAGAIN);
            idle++;
            sys_sleep_ms(20);
        } else {
            idle = 0;
            sent += (size_t)n;
        }
    }
    assert_true(sent < (size_t)24 << 20);
    size_t back = 0;
    char *in = malloc(1 << 16);
    while (back < sent - sent % line) {
        ssize_t n = recv(fd, in, 1 << 16, 0);
        assert_true(n > 0);
        back += (size_t)n;
    }
    free(in);
    free(piece);
    close(fd);
    stop(s);
}

/* --- the socket file ---------------------------------------------------------------------------------------
 */

static void only_its_user_may_connect_and_a_stale_file_is_replaced(void **state)
{
    (void)state;
    struct server *s = start(true);
    struct stat st;
    assert_int_equal(stat(s->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    /* a socket that nobody listens on any more, as kill -9 leaves one */
    char stale[96];
    snprintf(stale, sizeof(stale), "%s/stale.sock", s->dir);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", stale);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    close(fd);
    struct sl_err err = SL_ERR_INIT;
    assert_null(net_rpc_connect(stale, &err));
    assert_int_equal(err.code, SL_OWNER);
    static const struct net_rpc_ops ops = {on_message, on_gone};
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct net_rpc *second = net_rpc_listen(&loop, stale, &ops, s, &err);
    assert_non_null(second);
    struct net_rpc_client *c = net_rpc_connect(stale, &err);
    assert_non_null(c);
    net_rpc_client_free(c);
    net_rpc_close(second);
    uv_run(&loop, UV_RUN_DEFAULT);
    net_rpc_free(second);
    assert_int_equal(uv_loop_close(&loop), 0);
    stop(s);
}

static void a_path_that_cannot_be_is_one_error(void **state)
{
    (void)state;
    static const struct net_rpc_ops ops = {on_message, on_gone};
    char path[300];
    memset(path, 'a', sizeof(path));
    memcpy(path, "/tmp/", 5);
    path[sizeof(path) - 1] = 0;
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct sl_err err = SL_ERR_INIT;
    assert_null(net_rpc_listen(&loop, path, &ops, NULL, &err));
    assert_int_equal(err.code, SL_OWNER);
    err = SL_ERR_INIT;
    assert_null(net_rpc_listen(&loop, "/tmp/no/such/folder/sluice.sock", &ops, NULL, &err));
    assert_int_equal(err.code, SL_OWNER);
    err = SL_ERR_INIT;
    assert_null(net_rpc_connect(path, &err));
    assert_int_equal(err.code, SL_OWNER);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_client_gets_its_own_lines),
        cmocka_unit_test(more_clients_than_the_limit_are_closed_the_others_stay),
        cmocka_unit_test(lines_come_in_pieces_and_several_at_once),
        cmocka_unit_test(a_large_line_arrives_whole_and_quickly),
        cmocka_unit_test(a_line_over_the_limit_closes_only_that_client),
        cmocka_unit_test(a_reader_that_stops_holds_its_sender_and_nobody_else),
        cmocka_unit_test(a_client_that_goes_wakes_the_sender_that_waits_for_it),
        cmocka_unit_test(a_close_wakes_senders_that_wait),
        cmocka_unit_test(in_a_hurry_nobody_waits_and_what_fits_still_goes),
        cmocka_unit_test(who_asks_without_reading_is_not_heard_until_it_reads),
        cmocka_unit_test(only_its_user_may_connect_and_a_stale_file_is_replaced),
        cmocka_unit_test(a_path_that_cannot_be_is_one_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
