/* SPDX-License-Identifier: Apache-2.0
 * Java's text to a chain of causes, Flink's JSON to a status, and a REST that hangs, lies or talks rubbish:
 * one readable line each. The other side is a real socket server in a thread that answers what the test says.
 */
#include "gateway/target/flink_rest.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void check_chain(const char *text, const char *want)
{
    SL_ARENA_AUTO a = {0};
    struct tgt_failure f = {0};
    flink_failure_of_text(sl_str_of(text), &a, &f);
    assert_string_equal(sl_arena_strdupz(&a, f.chain_json), want);
    assert_int_equal(f.stack.n, strlen(text));
}

static void test_chain(void **state)
{
    (void)state;
    check_chain("java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\n",
                "[{\"class\":\"java.lang.IllegalStateException\",\"message\":\"no\"}]");
    check_chain("org.apache.flink.runtime.rest.handler.RestHandlerException: Could not execute "
                "application.\n\tat x.Y.z(Y.java:9)\n"
                "Caused by: java.util.concurrent.CompletionException: a.B: SQL parse failed.\n\t... 3 more\n"
                "Caused by: a.B: SQL parse failed. Encountered \"TABEL\" at line 1, column 8.\nWas expecting "
                "one of:\n"
                "    \"CATALOG\" ...\n    \n\tat p.Q.r(Q.java:1)\n\t... 12 more\nCaused by: c.D$E\n\tat "
                "c.D.e(D.java:3)\n",
                "[{\"class\":\"org.apache.flink.runtime.rest.handler.RestHandlerException\",\"message\":"
                "\"Could not execute "
                "application.\"},{\"class\":\"java.util.concurrent.CompletionException\",\"message\":\"a.B: "
                "SQL parse failed.\"},"
                "{\"class\":\"a.B\",\"message\":\"SQL parse failed. Encountered \\\"TABEL\\\" at line 1, "
                "column 8.\\nWas expecting "
                "one of:\\n    \\\"CATALOG\\\" ...\"},{\"class\":\"c.D$E\",\"message\":\"\"}]");
}

static void test_chain_from_the_server_side(void **state)
{
    (void)state;
    check_chain("<Exception on server side:\njava.util.concurrent.CompletionException: x.Y: gone\n\tat "
                "a.B.c(B.java:1)\n"
                "Caused by: x.Y: gone\n\t... 1 more\n\nEnd of exception on server side>",
                "[{\"class\":\"java.util.concurrent.CompletionException\",\"message\":\"x.Y: "
                "gone\"},{\"class\":\"x.Y\","
                "\"message\":\"gone\"}]");
}

static void test_chain_leaves_suppressed_out(void **state)
{
    (void)state;
    check_chain("a.B: one\n\tat a.B.c(B.java:1)\n\tSuppressed: x.Y: hidden\n\t\tat x.Y.z(Y.java:1)\n\tCaused "
                "by: p.Q: inner\n"
                "Caused by: c.D: two\n\tat c.D.e(D.java:1)",
                "[{\"class\":\"a.B\",\"message\":\"one\"},{\"class\":\"c.D\",\"message\":\"two\"}]");
    /* text that is no Java at all is still told */
    check_chain("Error: Could not create the Java Virtual Machine.",
                "[{\"class\":\"\",\"message\":\"Error: Could not create the Java Virtual Machine.\"}]");
}

static void test_status_of_json(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct tgt_job_status st;
    const struct sl_json *job = sl_json_parse(
        &a,
        SL_STR(
            "{\"jid\":\"a\",\"state\":\"FINISHED\",\"start-time\":1700000000123,\"end-time\":1700000001000,"
            "\"vertices\":["
            "{\"id\":\"v1\",\"tasks\":{\"FINISHED\":2,\"RUNNING\":0,\"FAILED\":0},\"metrics\":{\"read-"
            "records\":0,\"write-"
            "records\":1000}},"
            "{\"id\":\"v2\",\"tasks\":{\"FINISHED\":1,\"RUNNING\":1},\"metrics\":{\"read-records\":1000,"
            "\"write-records\":0}}],"
            "\"plan\":{\"nodes\":[{\"id\":\"v1\"},{\"id\":\"v2\",\"inputs\":[{\"num\":0,\"id\":\"v1\"}]}]}}"),
        &err);
    const struct sl_json *chk = sl_json_parse(&a,
                                              SL_STR("{\"counts\":{\"completed\":3,\"failed\":1},\"latest\":{"
                                                     "\"completed\":{\"id\":7,\"latest_ack_timestamp\":17},"
                                                     "\"restored\":{\"external_path\":\"file:/x/chk-4\"}}}"),
                                              &err);
    assert_non_null(job);
    assert_non_null(chk);
    flink_job_of_json(job, chk, &st);
    assert_string_equal(st.state, "FINISHED");
    assert_true(st.terminal);
    assert_int_equal(st.tasks, 4);
    assert_int_equal(st.tasks_finished, 3);
    assert_int_equal(st.tasks_running, 1);
    assert_int_equal(st.records_in, 1000);
    assert_int_equal(st.records_out, 1000);
    assert_int_equal(st.end_ms, 1700000001000);
    assert_int_equal(st.checkpoints_completed, 3);
    assert_int_equal(st.last_checkpoint_id, 7);
    assert_string_equal(st.restored_from, "file:/x/chk-4");
    /* a source chained with an aggregate: six rows read, three handed on */
    flink_job_of_json(
        sl_json_parse(
            &a,
            SL_STR("{\"state\":\"RUNNING\",\"vertices\":[{\"id\":\"v\",\"metrics\":{\"read-records\":6,"
                   "\"write-records\":3}}]}"),
            &err),
        NULL, &st);
    assert_int_equal(st.records_in, 6);
    assert_false(st.in_hidden);
    /* one of the old kind: what it read is hidden behind the aggregate, also when it is the sink's vertex */
    flink_job_of_json(
        sl_json_parse(&a,
                      SL_STR("{\"state\":\"FINISHED\",\"vertices\":[{\"id\":\"v\",\"name\":\"Source: "
                             "Values[1] -> SortAggregate[2]\",\"metrics\":{\"read-records\":0,"
                             "\"write-records\":3}},{\"id\":\"w\",\"name\":\"Sort[3] -> hole: Writer\","
                             "\"metrics\":{\"read-records\":3,\"write-records\":0}}],\"plan\":{\"nodes\":[{"
                             "\"id\":\"v\"},{\"id\":\"w\",\"inputs\":[{\"num\":0,\"id\":\"v\"}]}]}}"),
                      &err),
        NULL, &st);
    assert_int_equal(st.records_in, 3);
    assert_true(st.in_hidden);
    assert_int_equal(st.records_out, 3);
    assert_false(st.out_hidden);
    /* alone in its vertex it tells all */
    flink_job_of_json(
        sl_json_parse(&a,
                      SL_STR("{\"state\":\"FINISHED\",\"vertices\":[{\"id\":\"v\",\"name\":\"Source: "
                             "Values[1]\",\"metrics\":{\"read-records\":0,\"write-records\":6}}]}"),
                      &err),
        NULL, &st);
    assert_int_equal(st.records_in, 6);
    assert_false(st.in_hidden);
    /* a running job's end-time is -1 in Flink, 0 here; and nothing is required to be there */
    flink_job_of_json(sl_json_parse(&a, SL_STR("{\"state\":\"RUNNING\",\"end-time\":-1}"), &err), NULL, &st);
    assert_int_equal(st.end_ms, 0);
    assert_false(st.terminal);
}

static void test_newest_exception_counts(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct tgt_failure f;
    flink_failure_of_exceptions(
        sl_json_parse(
            &a,
            SL_STR("{\"exceptionHistory\":{\"entries\":[{\"stacktrace\":\"a.Old: 1\",\"timestamp\":5},"
                   "{\"stacktrace\":\"a.New: 2\",\"timestamp\":9}]}}"),
            &err),
        &a, &f);
    assert_string_equal(sl_arena_strdupz(&a, f.chain_json), "[{\"class\":\"a.New\",\"message\":\"2\"}]");
    assert_int_equal(f.at_ms, 9);
    flink_failure_of_exceptions(
        sl_json_parse(&a, SL_STR("{\"root-exception\":\"a.Root: 3\",\"timestamp\":4}"), &err), &a, &f);
    assert_string_equal(sl_arena_strdupz(&a, f.chain_json), "[{\"class\":\"a.Root\",\"message\":\"3\"}]");
    flink_failure_of_exceptions(sl_json_parse(&a, SL_STR("{\"exceptionHistory\":{\"entries\":[]}}"), &err),
                                &a, &f);
    assert_int_equal(f.stack.n, 0);
}

/* ---- a server that answers every request with the same bytes ---- */

struct server {
    int fd;
    const char *_Atomic answer; /* NULL: hangs; a test changes it between requests */
    pthread_t thread;
    char base[64];
};

static void *serve(void *arg)
{
    struct server *s = arg;
    char block[8192];
    for (;;) {
        int c = accept(s->fd, NULL, NULL);
        if (c < 0) {
            return NULL;
        }
        ssize_t got = read(c, block, sizeof block);
        const char *answer = s->answer;
        if (got > 0 && answer) {
            ssize_t n = write(c, answer, strlen(answer));
            (void)n;
        } else if (!answer) {
            sleep(2);
        }
        close(c);
    }
}

static void start(struct server *s, const char *answer)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    s->answer = answer;
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->fd, 8), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &n), 0);
    snprintf(s->base, sizeof s->base, "http://127.0.0.1:%d", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static void test_rubbish(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum sl_code code;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>hi</html>", SL_TARGET_ANSWER},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", SL_TARGET_ANSWER},
        {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull", SL_TARGET_ANSWER},
        {"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{\"flink-version\": 22 }", SL_TARGET_ANSWER},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!", SL_TARGET_FORBIDDEN},
        {"HTTP/1.1 500 x\r\nContent-Length: 55\r\n\r\n{\"errors\":[\"Internal server error.\",\"a.B: "
         "c\\n\\tat a.b(c)\"]}",
         SL_TARGET_ANSWER}, /* the length lies: what arrives is no whole JSON */
        {"SSH-2.0-OpenSSH_9.2p1\r\n", SL_TARGET_UNREACHABLE},
        {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"flink", SL_TARGET_UNREACHABLE},
        {"", SL_TARGET_UNREACHABLE},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        struct server s;
        start(&s, cases[i].answer);
        struct flink_rest *r = flink_rest_new(s.base, 2000);
        struct flink_overview o;
        struct sl_err err = SL_ERR_INIT;
        assert_false(flink_rest_overview(r, &o, &err));
        if (err.code != cases[i].code) {
            fail_msg("case %zu: %s: %s", i, sl_code_slug(err.code), err.msg);
        }
        assert_null(strchr(err.msg, '\n'));
        assert_true(err.msg[0] != 0);
        flink_rest_free(r);
        stop(&s);
    }
}

static void test_hangs(void **state)
{
    (void)state;
    struct server s;
    start(&s, NULL);
    struct flink_rest *r = flink_rest_new(s.base, 300);
    struct tgt_job_status st;
    struct sl_err err = SL_ERR_INIT;
    assert_false(flink_rest_job(r, "0123456789abcdef0123456789abcdef", &st, &err));
    assert_int_equal(err.code, SL_TARGET_UNREACHABLE);
    flink_rest_free(r);
    stop(&s);
}

static void test_answers(void **state)
{
    (void)state;
    struct server s;
    struct sl_err err = SL_ERR_INIT;
    struct tgt_job_status st;
    start(&s, "HTTP/1.1 404 x\r\nConnection: close\r\n\r\n{\"errors\":[\"Job could not be found\"]}");
    struct flink_rest *r = flink_rest_new(s.base, 2000);
    assert_true(flink_rest_job(r, "0123456789abcdef0123456789abcdef", &st, &err));
    assert_true(st.gone);
    s.answer = "HTTP/1.1 400 x\r\nConnection: close\r\n\r\n{\"errors\":[\"a.B: Could not.\\n\\tat "
               "a.b(c)\\nCaused by: c.D: No jobs included in "
               "application.\"]}";
    SL_ARENA_AUTO a = {0};
    struct flink_run run = {.entry_class = "x"};
    struct tgt_failure f = {0};
    char id[33];
    bool no_jobs = false;
    assert_false(flink_rest_run(r, "j", &run, &a, id, &no_jobs, &f, &err));
    assert_true(no_jobs);
    assert_int_equal(err.code, SL_FLINK);
    assert_string_equal(err.msg, "Flink: No jobs included in application.");
    assert_string_equal(sl_arena_strdupz(&a, f.chain_json),
                        "[{\"class\":\"a.B\",\"message\":\"Could not.\"},{\"class\":\"c.D\","
                        "\"message\":\"No jobs included in application.\"}]");
    flink_rest_free(r);
    stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_chain_from_the_server_side),
        cmocka_unit_test(test_chain_leaves_suppressed_out),
        cmocka_unit_test(test_status_of_json),
        cmocka_unit_test(test_newest_exception_counts),
        cmocka_unit_test(test_rubbish),
        cmocka_unit_test(test_hangs),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests_name("flink_rest", tests, NULL, NULL);
}
