/* SPDX-License-Identifier: Apache-2.0
 * The results port against peers over real sockets: tokens, rows, ends, hostile peers. */
#include "port_world.h"

#include <pthread.h>

/* --- a SELECT
 * --------------------------------------------------------------------------------------------------- */

static void test_select(void **state)
{
    (void)state;
    struct res_port *p = start((struct res_config){0});
    struct res_result *r = result(p);
    struct res_reader *rd = res_reader_new(r, 0, false);
    struct res_rows rows;
    assert_false(res_reader_wait(rd, 20, &rows)); /* nobody has dialled */
    assert_int_equal(res_result_state(r), RES_WAITING);

    int fd = w_sink(res_port_number(p), res_result_token(r), 4);
    SL_BUF_AUTO body;
    sl_buf_init(&body, 0);
    assert_int_equal(w_recv(fd, &body, 5000), 0x02);
    assert_int_equal(body.n, 18);
    const uint8_t welcome[] = {0, 1, 0, 0, 0x13, 0x88, 0, 0, 0x3a, 0x98, 1, 0, 0, 0, 2, 0, 0, 0};
    assert_memory_equal(body.p, welcome, sizeof(welcome));
    w_columns_ns(fresh());
    w_send(fd, &out);
    assert_false(res_reader_wait(rd, 5000, &rows)); /* woken by the change to OPEN */
    assert_int_equal(res_result_state(r), RES_OPEN);
    SL_ARENA_AUTO a = {0};
    struct res_column *cols;
    bool insert_only = false;
    assert_int_equal(res_result_columns(r, &a, &cols, &insert_only), 2);
    assert_true(insert_only);
    assert_true(sl_str_eqz(cols[1].name, "s") && sl_str_eqz(cols[1].type, "STRING"));

    w_rows_ns(fresh(), 0, 3, 10);
    w_rows_ns(&out, 3, 2, 10);
    w_send(fd, &out);
    assert_int_equal(w_recv(fd, &body, 5000), 0x22); /* ACK of what is stored, not of what is on its way */
    uint64_t acked = (uint8_t)body.p[7];
    assert_true(acked == 3 || acked == 5);
    w_u64_frame(fresh(), 0x23, 5);
    w_send(fd, &out);
    assert_int_equal(w_next(fd, &body, 5000), 0x24);
    assert_int_equal((uint8_t)body.p[7], 5);
    state_becomes(r, RES_COMPLETE);
    assert_int_equal(read_all(rd, r, 0, 10), 5);
    struct sl_err err = SL_ERR_INIT;
    assert_false(res_result_error(r, &err));
    /* another reader, later and from the middle */
    struct res_reader *late = res_reader_new(r, 4, false);
    assert_int_equal(read_all(late, r, 4, 10), 5);
    /* the token is used up */
    int again = w_sink(res_port_number(p), res_result_token(r), 4);
    w_expect_refused(again, "results-token");
    close(again);
    /* letting go of a complete result must not STOP a sink that has not closed yet */
    res_reader_free(rd);
    res_reader_free(late);
    res_result_unref(r);
    assert_int_equal(w_next(fd, &body, 200), -1);
    struct pollfd pf = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&pf, 1, 0), 0); /* still open */
    close(fd);
    res_port_stop(p);
}

struct late {
    int fd;
    int seen; /* type of the frame, or -1, that came within 300 ms after FINISHED */
};

static void *late_close(void *arg)
{
    struct late *l = arg;
    SL_BUF_AUTO body;
    sl_buf_init(&body, 0);
    struct pollfd pf = {.fd = l->fd, .events = POLLIN};
    l->seen = poll(&pf, 1, 300) > 0;
    close(l->fd);
    return NULL;
}

/* A port that stops gives a sink that is done the moment to close by itself: an end of the stream now would
 * fail its job. */
static void test_stop_waits_for_the_done(void **state)
{
    (void)state;
    struct res_port *p = start((struct res_config){0});
    struct res_result *r = result(p), *open = result(p);
    struct late l = {.fd = w_sink(res_port_number(p), res_result_token(r), 4)};
    int other = w_sink(res_port_number(p), res_result_token(open), 4);
    w_expect(l.fd, 0x02, 5000);
    w_expect(other, 0x02, 5000);
    w_columns_ns(fresh());
    w_u64_frame(&out, 0x23, 0);
    w_send(l.fd, &out);
    w_expect(l.fd, 0x24, 5000);
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, late_close, &l), 0);
    int64_t from = now_ms();
    res_port_stop(p);
    assert_in_range(now_ms() - from, 200, 900);
    pthread_join(t, NULL);
    assert_int_equal(l.seen, 0);
    w_expect(other, -1, 100);
    close(other);
    assert_int_equal(res_result_state(r), RES_COMPLETE);
    assert_int_equal(res_result_state(open), RES_CLOSED);
    res_result_unref(r);
    res_result_unref(open);
}

static void test_ends(void **state)
{
    (void)state;
    struct res_port *p = start((struct res_config){0});
    struct sl_err err = SL_ERR_INIT;
    int port = res_port_number(p), fd;
    /* the connection ends without FINISH */
    struct res_result *r = result(p);
    fd = w_sink(port, res_result_token(r), 4);
    w_expect(fd, 0x02, 5000);
    w_columns_ns(fresh());
    w_rows_ns(&out, 0, 7, 5);
    w_send(fd, &out);
    struct res_reader *rd = res_reader_new(r, 0, false);
    for (int i = 0; i < 500 && res_result_rows(r) < 7; i++) {
        usleep(10000);
    }
    close(fd);
    assert_int_equal(read_all(rd, r, 0, 5), 7);
    assert_int_equal(res_result_state(r), RES_PARTIAL);
    assert_true(res_result_error(r, &err));
    assert_int_equal(err.code, SL_RESULT_PARTIAL);
    res_reader_free(rd);
    res_result_unref(r);
    /* FINISH with another count than what came */
    r = result(p);
    fd = w_sink(port, res_result_token(r), 4);
    w_expect(fd, 0x02, 5000);
    w_columns_ns(fresh());
    w_rows_ns(&out, 0, 2, 5);
    w_u64_frame(&out, 0x23, 3);
    w_send(fd, &out);
    w_expect_refused(fd, "results-protocol");
    assert_int_equal(res_result_state(r), RES_FAILED);
    assert_int_equal(res_result_rows(r), 2);
    close(fd);
    res_result_unref(r);
    /* a gap in the row numbers */
    r = result(p);
    fd = w_sink(port, res_result_token(r), 4);
    w_expect(fd, 0x02, 5000);
    w_columns_ns(fresh());
    w_rows_ns(&out, 0, 2, 5);
    w_rows_ns(&out, 3, 2, 5);
    w_send(fd, &out);
    w_expect_refused(fd, "results-protocol");
    assert_int_equal(res_result_rows(r), 2);
    close(fd);
    res_result_unref(r);
    /* SINK_ERROR: the sink's words and its column */
    r = result(p);
    fd = w_sink(port, res_result_token(r), 4);
    w_expect(fd, 0x02, 5000);
    SL_BUF_AUTO body;
    sl_buf_init(&body, 0);
    w_str(&body, "cell-too-large");
    w_str(&body, "a value of 20000000 bytes");
    w_str(&body, "photo");
    w_columns_ns(fresh());
    w_frame(&out, 0x25, &body);
    w_send(fd, &out);
    state_becomes(r, RES_FAILED);
    assert_true(res_result_error(r, &err));
    assert_int_equal(err.code, SL_CELL_TOO_LARGE);
    assert_string_equal(err.msg, "column 'photo': a value of 20000000 bytes");
    w_expect(fd, -1, 500); /* the sink waits for this end */
    close(fd);
    res_result_unref(r);
    /* we end it: STOP, then the end of the stream */
    r = result(p);
    fd = w_sink(port, res_result_token(r), 4);
    w_expect(fd, 0x02, 5000);
    w_columns_ns(fresh());
    w_send(fd, &out);
    state_becomes(r, RES_OPEN);
    res_result_close(r);
    res_result_close(r);
    w_expect(fd, 0x31, 5000);
    w_expect(fd, -1, 5000);
    assert_int_equal(res_result_state(r), RES_CLOSED);
    close(fd);
    res_result_unref(r);
    /* the last holder goes while the sink still sends: it is stopped as well */
    r = result(p);
    fd = w_sink(port, res_result_token(r), 4);
    w_expect(fd, 0x02, 5000);
    res_result_unref(r);
    w_expect(fd, 0x31, 5000);
    close(fd);
    /* closed before anybody came: a sink that comes is refused */
    r = result(p);
    res_result_close(r);
    fd = w_sink(port, res_result_token(r), 4);
    w_expect_refused(fd, "results-token");
    close(fd);
    res_result_unref(r);
    /* the port stops under an open result */
    r = result(p);
    fd = w_sink(port, res_result_token(r), 4);
    w_expect(fd, 0x02, 5000);
    res_port_stop(p);
    assert_int_equal(w_next(fd, &body, 5000), -1);
    assert_int_equal(res_result_state(r), RES_CLOSED);
    close(fd);
    res_result_unref(r);
}

/* --- malformed rows
 * ---------------------------------------------------------------------------------------------- */

static void refused_rows(struct res_port *p, const void *cells, size_t n, uint32_t count, const char *why)
{
    struct res_result *r = result(p);
    int fd = w_sink(res_port_number(p), res_result_token(r), 4);
    w_expect(fd, 0x02, 5000);
    SL_BUF_AUTO body;
    sl_buf_init(&body, 0);
    sl_buf_u64(&body, 0);
    sl_buf_u32(&body, count);
    sl_buf_put(&body, cells, n);
    w_columns_ns(fresh());
    w_frame(&out, 0x21, &body);
    w_send(fd, &out);
    w_expect_refused(fd, "results-protocol");
    struct sl_err err = SL_ERR_INIT;
    assert_true(res_result_error(r, &err));
    if (!strstr(err.msg, why)) {
        fail_msg("'%s' does not say '%s'", err.msg, why);
    }
    assert_int_equal(res_result_rows(r), 0); /* nothing of a bad frame is kept */
    close(fd);
    res_result_unref(r);
}

static void test_malformed(void **state)
{
    (void)state;
    struct res_port *p = start((struct res_config){0});
#define ROWS(bytes, count, why) refused_rows(p, "" bytes, sizeof(bytes) - 1, count, why)
    ROWS("\0\1\0\0\0\0\0\0\0\1", 1, "column 's'");   /* no second cell */
    ROWS("\4\0\0", 1, "kind");                       /* unknown kind */
    ROWS("\0\3\0", 1, "tag");                        /* unknown tag */
    ROWS("\0\1\0\0", 1, "column 'n'");               /* half an integer */
    ROWS("\0\0\1\xff\xff\xff\xff", 1, "column 's'"); /* a text of 4 GiB */
    ROWS("\0\0\0"
         "\0\0\0",
         1, "longer");          /* two rows where one was said */
    ROWS("\0\0\0", 2, "row 1"); /* one where two were said */
    ROWS("\0\0\0", 0xffffffff, "row 1");
#undef ROWS
    res_port_stop(p);
}

/* --- strangers
 * ------------------------------------------------------------------------------------------------------ */

static void test_strangers(void **state)
{
    (void)state;
    struct res_port *p = start((struct res_config){.connections = 64, .hello_ms = 60000});
    int port = res_port_number(p);
    struct res_result *r = result(p);
    int sink = w_sink(port, res_result_token(r), 4);
    w_expect(sink, 0x02, 5000);
    /* more strangers than places: the sink that is known keeps its own, and one who knows a token still gets
     * in */
    int fd[200];
    for (int i = 0; i < 200; i++) {
        fd[i] = w_dial(port);
        if (i % 3 == 0) {
            (void)send(fd[i], "\0\0\0\x50\x01SL", 7, MSG_NOSIGNAL);
        } else if (i % 3 == 1) {
            (void)send(fd[i], "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL);
        }
    }
    struct sl_err err = SL_ERR_INIT;
    struct res_task *t = res_task_new(p, SL_STR("{}"), &err);
    int runner = w_runner(port, res_task_token(t));
    w_expect(runner, 0x02, 5000);
    for (int i = 0; i < 200; i++) {
        close(fd[i]);
    }
    /* wrong token, no token, upper case, a probe, a newer version */
    int x = w_sink(port, "00000000000000000000000000000000000000000000000000000000000000ff", 4);
    w_expect_refused(x, "results-token");
    close(x);
    x = w_sink(port, "", 4);
    w_expect_refused(x, "results-token");
    close(x);
    x = w_runner(port, res_result_token(r)); /* a token of the other kind */
    w_expect_refused(x, "results-token");
    close(x);
    x = w_dial(port);
    w_hello(fresh(), 3, "", 0);
    w_send(x, &out);
    w_expect(x, 0x02, 5000);
    w_expect(x, -1, 5000);
    close(x);
    x = w_dial(port);
    w_hello(fresh(), 3, "", 0);
    out.p[9] = 2;
    w_send(x, &out);
    w_expect_refused(x, "results-protocol");
    close(x);
    /* a frame that is not due here */
    w_frame(fresh(), 0x10, NULL);
    w_send(sink, &out);
    w_expect_refused(sink, "results-protocol");
    close(sink);
    assert_int_equal(res_result_state(r), RES_FAILED);
    close(runner);
    res_task_free(t);
    res_result_unref(r);
    /* the same port cannot be had twice */
    struct res_config c = {.bind_host = "127.0.0.1", .bind_port = port, .spool_dir = dir};
    assert_null(res_port_start(&c, &err));
    assert_int_equal(err.code, SL_PORT_TAKEN);
    res_port_stop(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_select),    cmocka_unit_test(test_stop_waits_for_the_done),
        cmocka_unit_test(test_ends),      cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_strangers),
    };
    return world_run(tests);
}
