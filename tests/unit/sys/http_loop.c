/* SPDX-License-Identifier: Apache-2.0
 * The HTTP client on the loop: many calls at once, none of which stops the others or the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <uv.h>

#include "sys/http_loop.h"
#include "sys/process.h"
#include "tests/unit/sys/http_server.h"

static struct server *server, *bad;
static struct sl_arena arena;
static uv_loop_t loop;
static struct sys_http_loop *http;

struct result {
    int done;
    bool ok;
    int status;
    sl_str body;
    struct sl_err err;
    struct sys_http_call *cancel; /* in done() */
    struct result *start_next;    /* in done() */
    const char *url;
};

static int setup(void **state)
{
    (void)state;
    server = server_start();
    bad = server_start();
    sl_arena_init(&arena, 0);
    if (uv_loop_init(&loop) != 0) {
        return -1;
    }
    http = sys_http_loop_new(&loop, 8);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sys_http_loop_free(http);
    uv_run(&loop, UV_RUN_DEFAULT);
    int left = uv_loop_close(&loop); /* busy when a handle was forgotten */
    bad->stop = server->stop = true;
    server_stop(server);
    server_stop(bad);
    sl_arena_release(&arena);
    return left;
}

static const char *url(struct server *s, const char *path)
{
    return sl_arena_printf(&arena, "http://127.0.0.1:%d%s", s->port, path).p;
}

static struct sys_http_call *start(struct result *r, const char *address, int64_t total_ms);

static void on_done(void *ctx, bool ok, const struct sys_http_answer *answer, const struct sl_err *err)
{
    struct result *r = ctx;
    r->done++;
    r->ok = ok;
    if (ok) {
        r->status = answer->status;
        r->body = answer->body;
    } else {
        r->err = *err;
    }
    if (r->cancel) {
        sys_http_loop_cancel(r->cancel);
    }
    if (r->start_next) {
        start(r->start_next, r->start_next->url, 5000);
    }
}

static struct sys_http_call *start(struct result *r, const char *address, int64_t total_ms)
{
    struct sl_err err = SL_ERR_INIT;
    struct sys_http_request rq = {.method = "GET", .url = address, .total_ms = total_ms};
    struct sys_http_call *call = sys_http_loop_start(http, &rq, &arena, on_done, r, &err);
    assert_non_null(call);
    assert_int_equal(r->done, 0); /* never from inside start */
    return call;
}

static void run_until_idle(void)
{
    while (sys_http_loop_active(http) > 0) {
        uv_run(&loop, UV_RUN_ONCE);
    }
}

static void many_calls_are_answered(void **state)
{
    (void)state;
    struct result r[50] = {0};
    for (int i = 0; i < 50; i++) {
        start(&r[i], url(server, i % 2 ? "/ok" : "/echo"), 10000);
    }
    assert_int_equal(sys_http_loop_active(http), 50);
    /* the server takes one connection after the other: those that wait behind the first are given up with it
     */
    while (server->requests < 50 && sys_http_loop_active(http) > 42) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    sys_http_loop_free(http);
    http = sys_http_loop_new(&loop, 1);
    struct result s[50] = {0};
    for (int i = 0; i < 50; i++) {
        start(&s[i], url(server, i % 2 ? "/ok" : "/echo"), 10000);
    }
    run_until_idle();
    for (int i = 0; i < 50; i++) {
        assert_true(s[i].done == 1 && s[i].ok && s[i].status == (i % 2 ? 200 : 201) && s[i].body.n > 0);
    }
}

static int ticks;
static void tick(uv_timer_t *t)
{
    (void)t;
    ticks++;
}

static void a_hanging_server_stops_nobody(void **state)
{
    (void)state;
    struct result hang = {0}, good[5] = {{0}};
    static uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, tick, 10, 10);
    uv_unref((uv_handle_t *)&timer); /* a test that fails leaves it, and teardown is to end */
    ticks = 0;
    int64_t begin = sys_now_ms();
    start(&hang, url(bad, "/hang"), 1500);
    for (int i = 0; i < 5; i++) {
        struct result *r = &good[i];
        start(r, url(server, "/ok"), 5000);
        while (!r->done) {
            uv_run(&loop, UV_RUN_ONCE);
        }
        assert_true(r->ok && r->status == 200);
    }
    bool late = sys_now_ms() - begin >= 1500; /* a machine that stood still */
    assert_true(late || hang.done == 0);
    run_until_idle();
    assert_true(hang.done == 1 && !hang.ok && hang.err.code == SL_TARGET_UNREACHABLE);
    assert_non_null(strstr(hang.err.msg, "no answer within 1.5 s"));
    assert_true(ticks > 15); /* the loop went on */
    uv_close((uv_handle_t *)&timer, NULL);
}

static void every_bad_ending_is_reported(void **state)
{
    (void)state;
    static const struct {
        const char *path, *words;
    } cases[] = {{"/close", "without an answer"},
                 {"/reset", "broke the connection off"},
                 {"/garbage", "does not answer in HTTP"},
                 {"/half", "in the middle"}};
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        struct result r = {0};
        start(&r, url(bad, cases[i].path), 2000);
        run_until_idle();
        assert_true(r.done == 1 && !r.ok && r.err.code == SL_TARGET_UNREACHABLE);
        if (!strstr(r.err.msg, cases[i].words)) {
            fail_msg("%s: %s", cases[i].path, r.err.msg);
        }
    }
    struct result refused = {0};
    start(&refused, sl_arena_printf(&arena, "http://127.0.0.1:%d/", sys_free_port()).p, 2000);
    run_until_idle();
    assert_non_null(strstr(refused.err.msg, "connection refused"));
    struct result wrong = {0};
    start(&wrong, "ftp://127.0.0.1/x", 2000);
    run_until_idle();
    assert_true(wrong.done == 1 && !wrong.ok);
    struct sl_err err = SL_ERR_INIT;
    struct sys_http_request rq = {.method = "GET", .url = "http://"};
    assert_null(sys_http_loop_start(http, &rq, &arena, on_done, &wrong, &err));
    assert_int_equal(err.code, SL_TARGET_UNREACHABLE);
}

static void calls_can_be_cancelled_and_started_from_done(void **state)
{
    (void)state;
    struct result gone = {0}, first = {0}, second = {.url = url(server, "/echo")};
    first.cancel = start(&gone, url(bad, "/hang"), 5000);
    first.start_next = &second;
    start(&first, url(server, "/ok"), 5000);
    run_until_idle();
    assert_true(first.done == 1 && second.done == 1 && gone.done == 0);
    assert_true(second.ok && second.status == 201);
    /* what is still under way when all is freed is dropped without a word */
    start(&gone, url(bad, "/slow"), 5000);
    for (int i = 0; i < 5; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        sys_sleep_ms(10);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(many_calls_are_answered),
        T(a_hanging_server_stops_nobody),
        T(every_bad_ending_is_reported),
        T(calls_can_be_cancelled_and_started_from_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
