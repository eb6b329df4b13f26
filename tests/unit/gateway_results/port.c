/* SPDX-License-Identifier: Apache-2.0
 * The results port against peers over real sockets: tokens, tasks, rows, ends, back-pressure, the spool,
 * hostile peers. */
#include "wire.h"

#include "gateway/results/results.h"

#include "base/limits.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static char dir[64];

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct res_port *start(struct res_config c)
{
    struct sl_err err = SL_ERR_INIT;
    c.spool_dir = dir;
    c.bind_host = "127.0.0.1";
    struct res_port *p = res_port_start(&c, &err);
    if (!p) {
        fail_msg("%s", err.msg);
    }
    return p;
}

static struct res_result *result(struct res_port *p)
{
    struct sl_err err = SL_ERR_INIT;
    struct res_result *r = res_result_new(p, 4, &err);
    assert_non_null(r);
    assert_int_equal(strlen(res_result_token(r)), 64);
    return r;
}

/* Waits until the result is in a state; fails after 5 s. */
static void state_becomes(struct res_result *r, enum res_state s)
{
    for (int i = 0; i < 500 && res_result_state(r) != s; i++) {
        usleep(10000);
    }
    assert_int_equal(res_result_state(r), s);
}

static struct sl_buf out;

static struct sl_buf *fresh(void)
{
    sl_buf_release(&out);
    sl_buf_init(&out, 0);
    return &out;
}

/* Reads to the end and checks each row: numbers without a gap, texts as w_rows_ns makes them. */
static uint64_t read_all(struct res_reader *rd, struct res_result *r, uint64_t from, size_t width)
{
    SL_ARENA_AUTO a = {0};
    struct res_column *cols;
    size_t n = 0;
    uint64_t next = from;
    struct res_rows rows;
    struct sl_err err = SL_ERR_INIT;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    for (;;) {
        if (!res_reader_wait(rd, 5000, &rows)) {
            if (rows.state > RES_OPEN) {
                return next;
            }
            continue;
        }
        if (n == 0) {
            n = res_result_columns(r, &a, &cols, NULL);
            assert_int_equal(n, 2);
        }
        struct res_row row;
        assert_int_equal(rows.first, next);
        while (res_rows_next(&rows, cols, n, &row)) {
            bool is_null;
            char want[32];
            sl_buf_clear(&b);
            assert_true(res_cell(&b, RES_FORM_TEXT, &cols[0], &row, 0, NULL, &is_null, &err));
            snprintf(want, sizeof(want), "%llu", (unsigned long long)next);
            assert_string_equal(sl_buf_z(&b), want);
            sl_buf_clear(&b);
            assert_true(res_cell(&b, RES_FORM_TEXT, &cols[1], &row, 1, NULL, &is_null, &err));
            assert_int_equal(b.n, width);
            assert_true(width == 0 || b.p[width - 1] == (char)('a' + (next + width - 1) % 26));
            next++;
        }
    }
}

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
    snprintf(dir, sizeof(dir), "/tmp/sluice-results-XXXXXX");
    if (!mkdtemp(dir)) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_stop_waits_for_the_done),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_task),
        cmocka_unit_test(test_heartbeats),
        cmocka_unit_test(test_spool),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_gone_while_paused),
        cmocka_unit_test(test_total_quota),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_readers),
        cmocka_unit_test(test_strangers),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    sl_buf_release(&out);
    rmdir(dir);
    return rc;
}
