/* SPDX-License-Identifier: Apache-2.0
 * Calls as the owner gets them, with a real results port, ledger and tracker below and a sending side that
 * the test can hold up: envelopes that are wrong, calls that are stopped, clients that go, lanes that are
 * full. */
#include "gateway/api/api.h"
#include "gateway/api/credit.h"
#include "gateway/api/rpc.h"

#include "base/limits.h"
#include "gateway/jobs/artifact.h"
#include "gateway/jobs/snapshot.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SOON_MS 20000
#define KEPT    4096

struct world {
    char dir[64];
    struct store *store;
    struct api_env env;
    struct api *api;
    struct api_rpc rpc;
    pthread_mutex_t lock; /* what follows */
    pthread_cond_t changed;
    char *lines[KEPT];
    uint64_t clients[KEPT];
    size_t n;
    uint64_t gone, held; /* clients: gone; its events wait */
    int stops, waiting;
};

static bool send_line(void *ctx, uint64_t client, sl_str line, bool urgent)
{
    struct world *w = ctx;
    pthread_mutex_lock(&w->lock);
    w->waiting++;
    while (!urgent && w->held == client && w->gone != client) {
        pthread_cond_wait(&w->changed, &w->lock);
    }
    w->waiting--;
    bool there = w->gone != client;
    if (there && w->n < KEPT) {
        w->clients[w->n] = client;
        w->lines[w->n++] = strndup(line.p, line.n);
    }
    pthread_mutex_unlock(&w->lock);
    return there;
}

static void stop(void *ctx)
{
    __atomic_add_fetch(&((struct world *)ctx)->stops, 1, __ATOMIC_ACQ_REL);
}

static struct target *no_target(void *ctx, sl_str name, sl_str flink, struct sl_err *err)
{
    (void)ctx;
    (void)flink;
    sl_fail(err, SL_TARGET_UNKNOWN, "there is no target '%.*s'", SL_S(name));
    return NULL;
}

static struct target *no_tracked(void *ctx, const char *name, const char *flink)
{
    (void)ctx;
    (void)name;
    (void)flink;
    return NULL;
}

static int setup(void **state)
{
    static const struct store_migration *const migrations[] = {ledger_migrations,   submission_migrations,
                                                               snapshot_migrations, artifact_migrations,
                                                               restore_migrations,  NULL};
    struct world *w = calloc(1, sizeof(*w));
    struct sl_err err = SL_ERR_INIT;
    char path[96];
    snprintf(w->dir, sizeof(w->dir), "/tmp/sluice-api-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(path, sizeof(path), "%s/sluice.db", w->dir);
    w->store = store_open(path, migrations, &err);
    assert_non_null(w->store);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    struct res_config rc = {.bind_host = "127.0.0.1", .spool_dir = w->dir};
    w->env = (struct api_env){
        .ledger = ledger_new(w->store), .data_dir = w->dir, .build = "a build", .stop = stop, .ctx = w};
    w->env.tracker = tracker_start(w->env.ledger, no_tracked, w);
    w->env.sub = (struct sub_env){.results = res_port_start(&rc, &err),
                                  .ledger = w->env.ledger,
                                  .tracker = w->env.tracker,
                                  .live = live_hub_new(),
                                  .target = no_target,
                                  .results_host = "127.0.0.1",
                                  .rules = auth_rules_new()};
    assert_non_null(w->env.sub.results);
    w->api = api_new(&w->env);
    api_rpc_init(&w->rpc, w->api, send_line, w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    if (w->api) {
        api_free(w->api);
    }
    api_rpc_release(&w->rpc);
    live_hub_free(w->env.sub.live);
    auth_rules_free(w->env.sub.rules);
    tracker_stop(w->env.tracker);
    res_port_stop(w->env.sub.results);
    ledger_free(w->env.ledger);
    store_close(w->store);
    for (size_t i = 0; i < w->n; i++) {
        free(w->lines[i]);
    }
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    assert_true(sys_rmtree(w->dir, &err));
    free(w);
    return 0;
}

static void say(struct world *w, uint64_t client, const char *line)
{
    api_rpc_message(&w->rpc, client, AUTH_ADMIN, SL_STR_NONE, sl_str_of(line), NULL);
}

/* The n-th line sent (from 0), or NULL after a while. */
static char *line(struct world *w, size_t n)
{
    char *got = NULL;
    for (int64_t until = sys_now_ms() + SOON_MS; !got && sys_now_ms() < until; sys_sleep_ms(1)) {
        pthread_mutex_lock(&w->lock);
        got = n < w->n ? w->lines[n] : NULL;
        pthread_mutex_unlock(&w->lock);
    }
    return got;
}

static const struct sl_json *answer(struct world *w, size_t n, struct sl_arena *a)
{
    struct sl_err err = SL_ERR_INIT;
    char *text = line(w, n);
    assert_non_null(text);
    assert_null(strchr(text, '\n'));
    const struct sl_json *j = sl_json_parse(a, sl_str_of(text), &err);
    assert_non_null(j);
    assert_true(sl_str_eqz(sl_json_str(sl_json_get(j, "jsonrpc"), SL_STR_NONE), "2.0"));
    return j;
}

static void assert_error(struct world *w, size_t n, int64_t code, const char *slug, const char *part)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    const struct sl_json *j = answer(w, n, &a);
    assert_int_equal(sl_json_i64(sl_json_path(j, "error.code"), 0), code);
    assert_true(sl_str_eqz(sl_json_str(sl_json_path(j, "error.data.code"), SL_STR_NONE), slug));
    sl_str message = sl_json_str(sl_json_path(j, "error.message"), SL_STR(""));
    assert_true(sl_str_find(message, sl_str_of(part)) >= 0);
}

static void wait_idle(struct world *w)
{
    for (int64_t until = sys_now_ms() + SOON_MS; api_calls(w->api) && sys_now_ms() < until;) {
        sys_sleep_ms(1);
    }
    assert_int_equal(api_calls(w->api), 0);
}

static void what_is_no_request_is_answered_with_an_error(void **state)
{
    struct world *w = *state;
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    say(w, 1, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"job.fly\"}");
    assert_error(w, 0, -32602, "usage", "job.fly");
    say(w, 1, "{\"jsonrpc\":\"2.0\",\"method\":\"hello\"}");
    assert_error(w, 1, -32602, "usage", "needs an id");
    assert_true(sl_json_is(sl_json_get(answer(w, 1, &a), "id"), SL_JSON_NULL));
    static const char *const rubbish[] = {"{\"id\":1,", "GET / HTTP/1.1\r", "\"\xff\xfe\"",
                                          "{\"id\":1}{\"id\":2}"};
    size_t n = 2;
    for (size_t i = 0; i < sizeof(rubbish) / sizeof(*rubbish); i++) {
        say(w, 1, rubbish[i]);
        assert_error(w, n++, -32700, "json", "");
    }
    static const char *const odd[] = {
        "17", "null", "[]", "{}", "{\"method\":[\"hello\"],\"id\":3}", "{\"method\":\"hello\",\"id\":{}}"};
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        say(w, 1, odd[i]);
        assert_error(w, n++, -32602, "usage", "");
    }
    char deep[4096] = "";
    memset(deep, '[', sizeof(deep) - 1);
    say(w, 1, deep);
    assert_error(w, n, -32700, "json", "");
    wait_idle(w);
}

static void answers_carry_the_id_they_were_asked_with(void **state)
{
    struct world *w = *state;
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    say(w, 7, "{\"jsonrpc\":\"2.0\",\"id\":\"a \\\"b\\\"\",\"method\":\"hello\"}");
    const struct sl_json *j = answer(w, 0, &a);
    assert_true(sl_str_eqz(sl_json_str(sl_json_get(j, "id"), SL_STR_NONE), "a \"b\""));
    assert_true(sl_str_eqz(sl_json_str(sl_json_path(j, "result.build"), SL_STR_NONE), "a build"));
    assert_true(sl_json_i64(sl_json_path(j, "result.resultsPort"), 0) > 0);
    assert_int_equal(sl_json_i64(sl_json_path(j, "result.activeRuns"), -1), 0);
    say(w, 8, "{\"jsonrpc\":\"2.0\",\"id\":9007199254740993,\"method\":\"hello\"}");
    assert_int_equal(sl_json_i64(sl_json_get(answer(w, 1, &a), "id"), 0), INT64_C(9007199254740993));
    assert_int_equal(w->clients[0], 7);
    assert_int_equal(w->clients[1], 8);
}

static void parameters_are_checked(void **state)
{
    struct world *w = *state;
    static const char *const wrong[][2] = {
        {"job.show\",\"params\":{}", "'job' is missing"},
        {"job.show\",\"params\":{\"job\":17}", "'job' is not a string"},
        {"job.cancel\"", "'job' is missing"},
        {"job.logs\",\"params\":[1]", "'job' is missing"},
        {"script.submit\",\"params\":{}", "'files' is missing"},
        {"script.submit\",\"params\":{\"files\":[]}", "'files' is missing"},
        {"script.submit\",\"params\":{\"files\":[{\"name\":\"a\",\"text\":\"\"}]}", "'name' is missing"},
        {"script.submit\",\"params\":{\"files\":[{}],\"name\":\"\"}", "1 to 128"},
        {"script.submit\",\"params\":{\"files\":[{}],\"name\":\"n\",\"mode\":\"perjob\"}",
         "session or application"},
        {"script.submit\",\"params\":{\"files\":[{}],\"name\":\"n\",\"maxRows\":-1}", "maxRows"},
        {"script.submit\",\"params\":{\"files\":[{}],\"name\":\"n\",\"timeoutMs\":-1}", "timeoutMs"},
        {"script.submit\",\"params\":{\"files\":[{}],\"name\":\"n\",\"key\":\"\"}", "key"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        char request[256];
        snprintf(request, sizeof(request), "{\"id\":1,\"method\":\"%s}", wrong[i][0]);
        say(w, 1, request);
        assert_error(w, i, -32602, "usage", wrong[i][1]);
    }
    say(w, 1, "{\"id\":1,\"method\":\"job.show\",\"params\":{\"job\":\"nobody\"}}");
    assert_error(w, sizeof(wrong) / sizeof(*wrong), -32000, "job-unknown", "nobody");
}

/* A script that has only to be checked: events and an answer, without any Flink. */
static const char *const checked = "{\"id\":1,\"method\":\"script.submit\",\"params\":{\"name\":\"n\","
                                   "\"files\":[{\"name\":\"a.sql\",\"text\":\"SELEC 1;\"}]}}";

static void a_script_with_an_error_ends_with_its_result_event_and_answer(void **state)
{
    struct world *w = *state;
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    say(w, 1, checked);
    wait_idle(w);
    bool diagnostic = false, step = false, result = false;
    for (size_t i = 0; i + 1 < w->n; i++) {
        const struct sl_json *j = answer(w, i, &a), *e = sl_json_path(j, "params.event");
        sl_str what = sl_json_str(sl_json_get(e, "event"), SL_STR(""));
        assert_int_equal(sl_json_i64(sl_json_path(j, "params.call"), 0), 1);
        assert_false(result);
        diagnostic |= sl_str_eqz(what, "diagnostic");
        if (sl_str_eqz(what, "step")) {
            step = true;
            assert_int_equal(sl_json_i64(sl_json_get(e, "statements"), 0), 1);
            assert_int_equal(sl_json_i64(sl_json_get(e, "errors"), 0), 1);
            assert_int_equal(sl_json_i64(sl_json_get(e, "warnings"), -1), 0);
        }
        if (sl_str_eqz(what, "result")) {
            result = true;
            assert_int_equal(sl_json_i64(sl_json_get(e, "exit"), 0), 3);
        }
    }
    assert_true(diagnostic && step && result);
    assert_int_equal(sl_json_i64(sl_json_path(answer(w, w->n - 1, &a), "result.exit"), 0), 3);
}

static void hold(struct world *w, uint64_t client)
{
    pthread_mutex_lock(&w->lock);
    w->held = client;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static void leave(struct world *w, uint64_t client)
{
    pthread_mutex_lock(&w->lock);
    w->gone = client;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    api_rpc_gone(&w->rpc, client);
}

static void wait_waiting(struct world *w, int want)
{
    int now = 0;
    for (int64_t until = sys_now_ms() + SOON_MS; now != want && sys_now_ms() < until; sys_sleep_ms(1)) {
        pthread_mutex_lock(&w->lock);
        now = w->waiting;
        pthread_mutex_unlock(&w->lock);
    }
    assert_int_equal(now, want);
}

static void a_client_that_goes_ends_its_calls_and_no_others(void **state)
{
    struct world *w = *state;
    hold(w, 5);
    say(w, 5, checked);
    wait_waiting(w, 1);
    assert_int_equal(api_calls(w->api), 1);
    say(w, 6, checked);
    for (int64_t until = sys_now_ms() + SOON_MS; api_calls(w->api) > 1 && sys_now_ms() < until;) {
        sys_sleep_ms(1);
    }
    size_t others = w->n;
    assert_true(others > 2);
    leave(w, 5);
    wait_idle(w);
    assert_int_equal(w->n, others); /* nothing more was sent to anybody */
    leave(w, 5);                    /* twice is no harm */
    say(w, 6, "{\"id\":2,\"method\":\"hello\"}");
    assert_non_null(line(w, others));
}

static void cancel_reaches_the_named_call_of_its_own_client(void **state)
{
    struct world *w = *state;
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    hold(w, 5);
    say(w, 5, checked);
    wait_waiting(w, 1);
    say(w, 6, "{\"method\":\"cancel\",\"params\":{\"call\":1}}");     /* somebody else's */
    say(w, 5, "{\"method\":\"cancel\",\"params\":{\"call\":\"1\"}}"); /* another id */
    say(w, 5, "{\"method\":\"cancel\",\"params\":{\"call\":99}}");
    hold(w, 0);
    wait_idle(w);
    assert_int_equal(sl_json_i64(sl_json_path(answer(w, w->n - 1, &a), "result.exit"), 0), 3);
    assert_int_equal(api_calls(w->api), 0);
}

static void a_full_queue_says_so_and_what_was_taken_is_answered(void **state)
{
    struct world *w = *state;
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    enum { OVER = 5 };
    const size_t N = sl_limits.submissions + SL_LIMIT_LANE_QUEUE + OVER;
    hold(w, 5);
    for (size_t i = 0; i < sl_limits.submissions; i++) {
        say(w, 5, checked);
    }
    wait_waiting(w, sl_limits.submissions); /* every worker has one in hand */
    for (size_t i = sl_limits.submissions; i < N; i++) {
        say(w, 5, checked);
    }
    for (int i = 0; i < OVER; i++) {
        assert_error(w, (size_t)i, -32000, "busy", "too many");
    }
    assert_int_equal(api_calls(w->api), N - OVER);
    say(w, 6, "{\"id\":1,\"method\":\"hello\"}"); /* short calls have a lane of their own */
    assert_non_null(sl_json_get(answer(w, OVER, &a), "result"));
    leave(w, 5);
    wait_idle(w);
}

static void the_end_waits_for_calls_and_tells_them(void **state)
{
    struct world *w = *state;
    hold(w, 5);
    for (int i = 0; i < 20; i++) {
        say(w, 5, checked);
    }
    wait_waiting(w, 20);
    pthread_mutex_lock(&w->lock);
    w->gone = 5;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    api_free(w->api);
    w->api = NULL;
    assert_int_equal(w->waiting, 0);
}

static void stop_is_refused_while_runs_live_and_obeyed_with_yes(void **state)
{
    struct world *w = *state;
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct run r = {.created_ms = 1, .version = 1};
    memset(r.id, 'a', RUN_ID_HEX);
    tracker_add(w->env.tracker, 0, &r);
    say(w, 1, "{\"id\":1,\"method\":\"owner.stop\"}");
    assert_error(w, 0, -32000, "busy", "1 run");
    assert_int_equal(w->stops, 0);
    say(w, 1, "{\"id\":1,\"method\":\"owner.stop\",\"params\":{\"yes\":true}}");
    assert_int_equal(sl_json_i64(sl_json_path(answer(w, 1, &a), "result.ended"), 0), 1);
    wait_idle(w);
    assert_int_equal(w->stops, 1);
}

static void *send_block(void *arg)
{
    struct world *w = arg;
    const struct api_via *via = &w->rpc.via;
    static const char block[] = "{\"event\":\"rows\",\"result\":1,\"rows\":[[\"+I\",1]],\"count\":57}";
    return via->event(via->ctx, 9, SL_STR("1"), 0, sl_str_of(block)) ? w : NULL;
}

static void a_block_of_rows_takes_as_much_credit_as_it_has_rows(void **state)
{
    struct world *w = *state;
    const struct api_via *via = &w->rpc.via;
    api_credit_open(w->rpc.credits, 9, SL_STR("1"), &(struct api_credit){58, API_NO_CREDIT});
    assert_ptr_equal(send_block(w), w);
    assert_ptr_equal(send_block(w), w); /* one row was left */
    assert_true(via->event(via->ctx, 9, SL_STR("1"), 0, SL_STR("{\"event\":\"note\",\"count\":9}")));
    assert_non_null(line(w, 2)); /* what is no row needs none */
    pthread_t t;
    void *sent = NULL;
    assert_int_equal(pthread_create(&t, NULL, send_block, w), 0);
    say(w, 9,
        "{\"jsonrpc\":\"2.0\",\"method\":\"credit\",\"params\":{\"call\":1,\"rows\":56}}"); /* what is owed */
    sys_sleep_ms(50);
    pthread_mutex_lock(&w->lock);
    size_t n = w->n;
    pthread_mutex_unlock(&w->lock);
    assert_int_equal(n, 3);
    say(w, 9, "{\"jsonrpc\":\"2.0\",\"method\":\"credit\",\"params\":{\"call\":1,\"rows\":1}}");
    pthread_join(t, &sent);
    assert_ptr_equal(sent, w);
    assert_non_null(line(w, 3));
    via->result(via->ctx, 9, SL_STR("1"), SL_STR("{}"));
    assert_ptr_equal(send_block(w), w); /* the account went with its call */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_no_request_is_answered_with_an_error),
        T(answers_carry_the_id_they_were_asked_with),
        T(parameters_are_checked),
        T(a_script_with_an_error_ends_with_its_result_event_and_answer),
        T(a_client_that_goes_ends_its_calls_and_no_others),
        T(a_block_of_rows_takes_as_much_credit_as_it_has_rows),
        T(cancel_reaches_the_named_call_of_its_own_client),
        T(a_full_queue_says_so_and_what_was_taken_is_answered),
        T(the_end_waits_for_calls_and_tells_them),
        T(stop_is_refused_while_runs_live_and_obeyed_with_yes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
