/* SPDX-License-Identifier: Apache-2.0
 * Tasks of runners over real sockets: what is fetched, reported and answered; heartbeats of both sides. */
#include "port_world.h"

#include <pthread.h>

/* --- tasks
 * ---------------------------------------------------------------------------------------------------------
 */

static void test_task(void **state)
{
    (void)state;
    struct res_port *p = start((struct res_config){0});
    int port = res_port_number(p);
    struct sl_err err = SL_ERR_INIT;
    /* a document of several pieces */
    SL_BUF_AUTO doc;
    sl_buf_init(&doc, 0);
    for (int i = 0; i < 40000; i++) {
        sl_buf_printf(&doc, "%05d,", i);
    }
    struct res_task *t = res_task_new(p, sl_buf_str(&doc), &err);
    assert_non_null(t);
    assert_int_equal(res_task_wait(t, 10), RES_TASK_UNCLAIMED);
    int fd = w_runner(port, res_task_token(t)), second = w_runner(port, res_task_token(t));
    w_expect(fd, 0x02, 5000);
    w_expect(second, 0x02, 5000);
    w_frame(fresh(), 0x10, NULL);
    w_send(fd, &out);
    SL_BUF_AUTO body;
    SL_BUF_AUTO got;
    sl_buf_init(&body, 0);
    sl_buf_init(&got, 0);
    bool last = false;
    while (!last) {
        assert_int_equal(w_next(fd, &body, 5000), 0x11);
        last = body.p[0] != 0;
        sl_buf_put(&got, body.p + 1, body.n - 1);
    }
    assert_int_equal(got.n, doc.n);
    assert_memory_equal(got.p, doc.p, doc.n);
    assert_int_equal(res_task_wait(t, 10), RES_TASK_CLAIMED);
    /* claim once, also for one who was welcomed before */
    w_frame(fresh(), 0x10, NULL);
    w_send(second, &out);
    w_expect_refused(second, "results-token");
    close(second);
    int third = w_runner(port, res_task_token(t));
    w_expect_refused(third, "results-token");
    close(third);
    /* statement 3: an answer; statement 4: a job; statement 5 fails */
    SL_BUF_AUTO say;
    sl_buf_init(&say, 0);
    sl_buf_u32(&say, 3);
    w_frame(fresh(), 0x12, &say);
    w_columns_ns(&out);
    w_rows_ns(&out, 0, 2, 3);
    w_u64_frame(&out, 0x23, 2);
    w_send(fd, &out);
    assert_int_equal(w_next(fd, &body, 5000), 0x24);
    w_str(&say, "");
    w_frame(fresh(), 0x13, &say);
    w_send(fd, &out);
    assert_true(res_task_wait_statement(t, 3, 5000));
    assert_false(res_task_wait_statement(t, 4, 10));
    SL_ARENA_AUTO a = {0};
    struct res_statement_report rep;
    assert_true(res_task_report(t, 3, &a, &rep));
    assert_true(rep.begun && rep.done && !rep.failed && rep.job_id[0] == '\0' && rep.answer);
    struct res_result *answer = rep.answer; /* the reader below holds it */
    struct res_reader *rd = res_reader_new(answer, 0, false);
    assert_false(res_task_report(t, 4, &a, &rep));
    sl_buf_clear(&say);
    sl_buf_u32(&say, 4);
    w_frame(fresh(), 0x12, &say);
    w_str(&say, "0123456789abcdef0123456789abcdef");
    w_frame(&out, 0x13, &say);
    sl_buf_clear(&say);
    sl_buf_u32(&say, 5);
    w_frame(&out, 0x12, &say);
    w_str(&say, "{\"chain\":[]}");
    w_str(&say, "at x.Y");
    w_frame(&out, 0x14, &say);
    sl_buf_clear(&say);
    sl_buf_u8(&say, 0);
    w_frame(&out, 0x16, &say);
    w_send(fd, &out);
    w_expect(fd, 0x17, 5000);
    assert_int_equal(res_task_wait(t, 5000), RES_TASK_ENDED);
    assert_true(res_task_report(t, 4, &a, &rep));
    assert_string_equal(rep.job_id, "0123456789abcdef0123456789abcdef");
    assert_null(rep.answer);
    assert_true(res_task_failure(t, &a, &rep));
    assert_int_equal(rep.statement, 5);
    assert_true(sl_str_eqz(rep.chain_json, "{\"chain\":[]}") && sl_str_eqz(rep.stack, "at x.Y"));
    assert_true(res_task_wait_statement(t, 99, 0)); /* it is over */
    close(fd);
    res_task_free(t);
    /* the reader keeps what it holds */
    assert_int_equal(read_all(rd, answer, 0, 3), 2);
    res_reader_free(rd);

    /* a runner that is lost in the middle of an answer */
    t = res_task_new(p, SL_STR("{}"), &err);
    fd = w_runner(port, res_task_token(t));
    w_expect(fd, 0x02, 5000);
    w_frame(fresh(), 0x10, NULL);
    sl_buf_clear(&say);
    sl_buf_u32(&say, 1);
    w_frame(&out, 0x12, &say);
    w_columns_ns(&out);
    w_rows_ns(&out, 0, 2, 3);
    w_send(fd, &out);
    w_expect(fd, 0x11, 5000);
    w_expect(fd, -1, 300); /* nothing more is said but ACK */
    close(fd);
    assert_int_equal(res_task_wait(t, 5000), RES_TASK_LOST);
    assert_true(res_task_report(t, 1, &a, &rep));
    assert_true(rep.begun && !rep.done && rep.answer);
    assert_int_equal(res_result_state(rep.answer), RES_PARTIAL);
    assert_int_equal(res_result_rows(rep.answer), 2);
    res_task_free(t);

    /* lost before it claimed anything: the token is still good */
    t = res_task_new(p, SL_STR("{}"), &err);
    fd = w_runner(port, res_task_token(t));
    w_expect(fd, 0x02, 5000);
    close(fd);
    assert_int_equal(res_task_wait(t, 50), RES_TASK_UNCLAIMED);
    fd = w_runner(port, res_task_token(t));
    w_expect(fd, 0x02, 5000);
    /* we end it */
    w_frame(fresh(), 0x10, NULL);
    w_send(fd, &out);
    w_expect(fd, 0x11, 5000);
    res_task_free(t);
    w_expect(fd, 0x31, 5000);
    close(fd);
    res_port_stop(p);
}

/* --- heartbeats
 * ------------------------------------------------------------------------------------------------- */

static void test_heartbeats(void **state)
{
    (void)state;
    struct res_port *p = start((struct res_config){.heartbeat_ms = 40, .lost_ms = 250, .hello_ms = 100});
    struct res_result *r = result(p);
    int fd = w_sink(res_port_number(p), res_result_token(r), 4);
    w_expect(fd, 0x02, 5000);
    w_columns_ns(fresh());
    w_send(fd, &out);
    SL_BUF_AUTO body;
    sl_buf_init(&body, 0);
    /* both ways: as long as we beat, we stay */
    int64_t until = now_ms() + 600;
    unsigned beats = 0;
    while (now_ms() < until) {
        w_frame(fresh(), 0x30, NULL);
        w_send(fd, &out);
        int t = w_recv(fd, &body, 100);
        assert_int_equal(t, 0x30);
        beats++;
    }
    assert_true(beats >= 5);
    assert_int_equal(res_result_state(r), RES_OPEN);
    /* silence ends it */
    int64_t from = now_ms();
    state_becomes(r, RES_PARTIAL);
    assert_in_range(now_ms() - from, 150, 1500);
    struct sl_err err = SL_ERR_INIT;
    assert_true(res_result_error(r, &err));
    assert_non_null(strstr(err.msg, "250 ms"));
    close(fd);
    /* half a HELLO */
    fd = w_dial(res_port_number(p));
    assert_int_equal(send(fd, "\0\0\0", 3, MSG_NOSIGNAL), 3);
    from = now_ms();
    w_expect_refused(fd, "results-protocol");
    assert_in_range(now_ms() - from, 50, 1000);
    close(fd);
    res_result_unref(r);
    res_port_stop(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_task),
        cmocka_unit_test(test_heartbeats),
    };
    return world_run(tests);
}
