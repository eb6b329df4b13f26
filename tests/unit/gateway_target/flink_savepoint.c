/* SPDX-License-Identifier: Apache-2.0
 * What Flink answers about a savepoint: COMPLETED with a failure-cause is a failure, and what is not Flink's
 * is refused. */
#include "gateway/target/flink_savepoint.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool read(const char *json, struct flink_savepoint *ret)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *doc = sl_json_parse(&a, sl_str_of(json), &err);
    assert_non_null(doc);
    return flink_savepoint_of_json(doc, ret);
}

static void answers_are_read(void **state)
{
    struct flink_savepoint s;
    (void)state;
    assert_true(read("{\"status\":{\"id\":\"IN_PROGRESS\"},\"operation\":null}", &s));
    assert_int_equal(s.state, FLINK_SAVEPOINT_WORKING);
    assert_true(
        read("{\"status\":{\"id\":\"COMPLETED\"},\"operation\":{\"location\":\"file:/s/savepoint-1\"}}", &s));
    assert_int_equal(s.state, FLINK_SAVEPOINT_DONE);
    assert_string_equal(s.path, "file:/s/savepoint-1");
}

static void completed_with_a_cause_has_failed(void **state)
{
    struct flink_savepoint s;
    (void)state;
    assert_true(
        read("{\"status\":{\"id\":\"COMPLETED\"},\"operation\":{\"failure-cause\":{\"class\":\"a.B\","
             "\"stack-trace\":\"a.B: outer\\n\\tat x.Y.z(Y.java:1)\\nCaused by: java.io.IOException: No "
             "space left on device\\n\\tat x.Y.z(Y.java:2)\\n\",\"serialized-throwable\":\"rO0\"}}}",
             &s));
    assert_int_equal(s.state, FLINK_SAVEPOINT_FAILED);
    assert_string_equal(s.reason, "No space left on device");
    assert_true(read(
        "{\"status\":{\"id\":\"COMPLETED\"},\"operation\":{\"failure-cause\":{\"class\":\"a.B\"}}}", &s));
    assert_int_equal(s.state, FLINK_SAVEPOINT_FAILED);
    assert_string_equal(s.reason, "a.B");
}

static void a_job_that_fails_after_its_savepoint_has_one(void **state)
{
    struct flink_savepoint s;
    (void)state;
    assert_true(
        read("{\"status\":{\"id\":\"COMPLETED\"},\"operation\":{\"failure-cause\":{\"class\":\"a.B\","
             "\"stack-trace\":\"a.B: A savepoint has been created at: file:/s/savepoint-7, but the "
             "corresponding job e68f failed during stopping. The savepoint is consistent, but might have "
             "uncommitted transactions.\\n\\tat x.Y.z(Y.java:1)\"}}}",
             &s));
    assert_int_equal(s.state, FLINK_SAVEPOINT_DONE);
    assert_string_equal(s.path, "file:/s/savepoint-7");
    assert_true(s.reason[0]);
}

static void rubbish_is_refused(void **state)
{
    struct flink_savepoint s;
    (void)state;
    assert_false(read("{}", &s));
    assert_false(read("{\"status\":{\"id\":\"DONE\"}}", &s));
    assert_false(read("{\"status\":\"COMPLETED\"}", &s));
    assert_false(read("{\"status\":{\"id\":\"COMPLETED\"},\"operation\":{}}", &s));
    assert_false(read("{\"status\":{\"id\":\"COMPLETED\"},\"operation\":{\"location\":7}}", &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read),
        cmocka_unit_test(completed_with_a_cause_has_failed),
        cmocka_unit_test(a_job_that_fails_after_its_savepoint_has_one),
        cmocka_unit_test(rubbish_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
