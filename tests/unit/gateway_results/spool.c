/* SPDX-License-Identifier: Apache-2.0
 * Rows between sink and readers: memory, the spool, its quotas, a disk that is full, reading that stops and goes on, many readers. */
#include "port_world.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* --- the spool and back-pressure
 * ----------------------------------------------------------------------------------- */

static size_t files_in_dir(void)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        n += e->d_name[0] != '.';
    }
    closedir(d);
    return n;
}

struct pump {
    int port;
    const char *token;
    uint64_t rows;
    uint32_t per_frame;
    size_t width;
    _Atomic uint64_t sent;
    _Atomic uint64_t beats;
    int last;
};

/* A sink that sends everything it can, and reads what comes back when it cannot. */
static void *pump(void *arg)
{
    struct pump *u = arg;
    int fd = w_sink(u->port, u->token, 4);
    w_expect(fd, 0x02, 5000);
    SL_BUF_AUTO b;
    SL_BUF_AUTO body;
    sl_buf_init(&b, 0);
    sl_buf_init(&body, 0);
    w_columns_ns(&b);
    w_send(fd, &b);
    for (uint64_t at = 0; at < u->rows;) {
        uint32_t n = (uint32_t)SL_MIN((uint64_t)u->per_frame, u->rows - at);
        sl_buf_clear(&b);
        w_rows_ns(&b, at, n, u->width);
        for (size_t done = 0; done < b.n;) {
            struct pollfd pf = {.fd = fd, .events = POLLIN | POLLOUT};
            assert_true(poll(&pf, 1, 20000) > 0);
            if (pf.revents & POLLIN) {
                int t = w_recv(fd, &body, 5000);
                if (t != 0x22 && t != 0x30) {
                    u->last = t;
                    close(fd);
                    return NULL;
                }
                u->beats += t == 0x30;
            } else if (pf.revents & POLLOUT) {
                ssize_t w = send(fd, b.p + done, b.n - done, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (w < 0 && errno == EAGAIN) {
                    continue;
                }
                assert_true(w > 0);
                done += (size_t)w;
            }
        }
        at += n;
        u->sent = at;
    }
    sl_buf_clear(&b);
    w_u64_frame(&b, 0x23, u->rows);
    w_send(fd, &b);
    u->last = w_next(fd, &body, 20000);
    close(fd);
    return NULL;
}

static void test_spool(void **state)
{
    (void)state;
    /* 40 MB of rows into 256 KiB of memory: nearly all of it passes through the file */
    struct res_port *p = start((struct res_config){.memory_bytes = 256 << 10});
    struct res_result *r = result(p);
    struct pump u = {.port = res_port_number(p),
                     .token = res_result_token(r),
                     .rows = 40000,
                     .per_frame = 37,
                     .width = 1000};
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, pump, &u), 0);
    struct res_reader *live = res_reader_new(r, 0, false);
    assert_int_equal(read_all(live, r, 0, 1000), 40000);
    pthread_join(t, NULL);
    assert_int_equal(u.last, 0x24);
    assert_int_equal(res_result_state(r), RES_COMPLETE);
    assert_int_equal(files_in_dir(), 0); /* it has no name */
    struct res_figures f;
    res_port_figures(p, &f);
    assert_int_equal(f.results, 1);
    assert_int_equal(f.paused, 0);
    assert_true(f.spool_bytes > 30 << 20 && f.spool_bytes < 60 << 20);
    struct res_reader *again = res_reader_new(r, 12345, false);
    assert_int_equal(read_all(again, r, 12345, 1000), 40000);
    res_reader_free(again);
    res_reader_free(live);
    res_port_stop(p);
    again = res_reader_new(r, 39990, false); /* what is kept can be read after the port has gone */
    assert_int_equal(read_all(again, r, 39990, 1000), 40000);
    res_reader_free(again);
    res_result_unref(r);
}

static void test_back_pressure(void **state)
{
    (void)state;
    struct res_port *p = start((struct res_config){
        .memory_bytes = 256 << 10, .spool_bytes = 1 << 20, .heartbeat_ms = 50, .lost_ms = 200});
    struct res_result *r = result(p);
    struct res_reader *rd = res_reader_new(r, 0, true);
    struct pump u = {.port = res_port_number(p),
                     .token = res_result_token(r),
                     .rows = 30000,
                     .per_frame = 50,
                     .width = 1000};
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, pump, &u), 0);
    /* nobody reads: it stops at the quotas (and what the sockets hold), stays alive past lost_ms, and beats
     * on */
    uint64_t before, stored;
    do {
        before = res_result_rows(r);
        usleep(300000);
        stored = res_result_rows(r);
    } while (stored == 0 || stored != before);
    assert_in_range(stored, 1000, 2000);
    assert_true(u.sent < 29000);
    uint64_t beats = u.beats;
    usleep(700000);
    assert_int_equal(res_result_rows(r), stored);
    assert_true(u.beats >= beats + 5);
    assert_int_equal(res_result_state(r), RES_OPEN);
    /* the reader moves: all the rest comes through the same small quotas */
    assert_int_equal(read_all(rd, r, 0, 1000), 30000);
    pthread_join(t, NULL);
    assert_int_equal(u.last, 0x24);
    assert_int_equal(res_result_state(r), RES_COMPLETE);
    /* what was dropped is gone: a later reader begins with the first row that is kept */
    struct res_reader *late = res_reader_new(r, 0, false);
    struct res_rows rows;
    assert_true(res_reader_wait(late, 1000, &rows));
    assert_true(rows.first > 20000);
    res_reader_free(late);
    res_reader_free(rd);
    res_result_unref(r);
    res_port_stop(p);
}

/* A sink that goes away while nothing is read from it: our heartbeats notice. */
static void test_gone_while_paused(void **state)
{
    (void)state;
    for (int reset = 0; reset < 2; reset++) {
        struct res_port *p = start((struct res_config){
            .memory_bytes = 64 << 10, .spool_bytes = 128 << 10, .heartbeat_ms = 30, .lost_ms = 60000});
        struct res_result *r = result(p);
        int fd = w_sink(res_port_number(p), res_result_token(r), 4);
        w_expect(fd, 0x02, 5000);
        w_columns_ns(fresh());
        w_send(fd, &out);
        uint64_t at = 0;
        bool full = false;
        while (!full) {
            w_rows_ns(fresh(), at, 50, 1000);
            for (size_t done = 0; done < out.n && !full;) {
                struct pollfd pf = {.fd = fd, .events = POLLOUT};
                full = poll(&pf, 1, 500) == 0;
                ssize_t n = full ? 0 : send(fd, out.p + done, out.n - done, MSG_NOSIGNAL | MSG_DONTWAIT);
                done += n > 0 ? (size_t)n : 0;
            }
            at += 50;
        }
        assert_int_equal(res_result_state(r), RES_OPEN);
        if (reset) {
            struct linger l = {1, 0};
            assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
        }
        close(fd);
        state_becomes(r, RES_PARTIAL);
        uint64_t rows = res_result_rows(r);
        assert_in_range(rows, 100, 500);
        struct res_reader *rd = res_reader_new(r, 0, true);
        assert_int_equal(read_all(rd, r, 0, 1000), rows);
        res_reader_free(rd);
        res_result_unref(r);
        res_port_stop(p);
    }
}

/* The quota over all results: a second result gets on when the first is freed. */
static void test_total_quota(void **state)
{
    (void)state;
    struct res_port *p = start((struct res_config){.memory_bytes = 64 << 10, .spool_total_bytes = 1 << 20});
    struct res_result *r[2] = {result(p), result(p)};
    struct pump u[2];
    pthread_t t[2];
    for (int i = 0; i < 2; i++) {
        u[i] = (struct pump){.port = res_port_number(p),
                             .token = res_result_token(r[i]),
                             .rows = 1500,
                             .per_frame = 50,
                             .width = 1000};
        assert_int_equal(pthread_create(&t[i], NULL, pump, &u[i]), 0);
    }
    usleep(500000);
    uint64_t a = res_result_rows(r[0]), b = res_result_rows(r[1]);
    assert_true(a + b < 1700 && a < 1500 && b < 1500);
    res_result_unref(r[0]); /* its sink is stopped and its disk is free */
    pthread_join(t[0], NULL);
    assert_int_equal(u[0].last, 0x31);
    struct res_reader *rd = res_reader_new(r[1], 0, true);
    assert_int_equal(read_all(rd, r[1], 0, 1000), 1500);
    pthread_join(t[1], NULL);
    assert_int_equal(u[1].last, 0x24);
    res_reader_free(rd);
    res_result_unref(r[1]);
    struct res_figures f = {.results = 1};
    for (int i = 0; i < 1000 && f.results; i++) { /* gone with their connections, which the port closes */
        usleep(10000);
        res_port_figures(p, &f);
    }
    assert_true(f.results == 0 && f.spool_bytes == 0 && f.paused == 0);
    res_port_stop(p);
}

static void test_disk_full(void **state)
{
    (void)state;
    struct rlimit old, small = {1 << 20, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    struct res_port *p = start((struct res_config){.memory_bytes = 256 << 10});
    struct res_result *r = result(p);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct pump u = {.port = res_port_number(p),
                     .token = res_result_token(r),
                     .rows = 30000,
                     .per_frame = 50,
                     .width = 1000};
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, pump, &u), 0);
    state_becomes(r, RES_FAILED);
    pthread_join(t, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(u.last, 0x03);
    struct sl_err err = SL_ERR_INIT;
    assert_true(res_result_error(r, &err));
    assert_int_equal(err.code, SL_DISK_FULL);
    /* what was acknowledged can still be read */
    uint64_t rows = res_result_rows(r);
    assert_in_range(rows, 1000, 3000);
    struct res_reader *rd = res_reader_new(r, 0, false);
    assert_int_equal(read_all(rd, r, 0, 1000), rows);
    res_reader_free(rd);
    res_result_unref(r);
    res_port_stop(p);
}

/* --- many readers
 * ---------------------------------------------------------------------------------------------------- */

struct look {
    struct res_result *r;
    uint64_t from, end;
    bool drop;
};

static void *look(void *arg)
{
    struct look *l = arg;
    struct res_reader *rd = res_reader_new(l->r, l->from, l->drop);
    l->end = read_all(rd, l->r, l->from, 200);
    res_reader_free(rd);
    return NULL;
}

static void test_readers(void **state)
{
    (void)state;
    struct res_port *p = start((struct res_config){.memory_bytes = 128 << 10});
    struct res_result *r = result(p);
    struct look l[6];
    pthread_t t[7];
    for (int i = 0; i < 6; i++) {
        l[i] = (struct look){.r = r, .from = (uint64_t)i * 1000};
        assert_int_equal(pthread_create(&t[i], NULL, look, &l[i]), 0);
    }
    struct pump u = {.port = res_port_number(p),
                     .token = res_result_token(r),
                     .rows = 50000,
                     .per_frame = 11,
                     .width = 200};
    assert_int_equal(pthread_create(&t[6], NULL, pump, &u), 0);
    for (int i = 0; i < 7; i++) {
        pthread_join(t[i], NULL);
    }
    for (int i = 0; i < 6; i++) {
        assert_int_equal(l[i].end, 50000);
    }
    res_result_unref(r);
    res_port_stop(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spool),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_gone_while_paused),
        cmocka_unit_test(test_total_quota),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_readers),
    };
    return world_run(tests);
}
