/* SPDX-License-Identifier: Apache-2.0
 * Who answers: what differs between two lives of one JobManager, and between two of them. */
#include "gateway/target/flink_look_json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct flink_look_who who(const char *json)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    struct flink_look_who ret;
    const struct sl_json *doc = sl_json_parse(&a, sl_str_of(json), &err);
    assert_non_null(doc);
    assert_true(look_who_of_json(doc, &ret));
    return ret;
}

#define SETTING(key, value) "{\"key\":\"" key "\",\"value\":\"" value "\"}"
#define ADDRESS             SETTING("jobmanager.rpc.address", "jm-1") "," SETTING("jobmanager.rpc.port", "6123")

static void lives_share_their_site(void **state)
{
    (void)state;
    struct flink_look_who first = who("[" ADDRESS "," SETTING("web.tmpdir", "/tmp/flink-web-1") "]");
    struct flink_look_who again =
        who("[" SETTING("web.tmpdir", "/tmp/flink-web-2") "," SETTING("parallelism.default", "4") "," SETTING(
            "jobmanager.rpc.port", "6123") "," SETTING("jobmanager.rpc.address", "jm-1") "]");
    assert_string_equal(first.life, "/tmp/flink-web-1");
    assert_string_equal(again.life, "/tmp/flink-web-2");
    assert_true(first.site != 0);
    assert_true(first.site == again.site);
}

static void others_have_another_site(void **state)
{
    (void)state;
    uint64_t site = who("[" ADDRESS "]").site;
    static const char *const others[] = {
        "[" SETTING("jobmanager.rpc.address", "jm-2") "," SETTING("jobmanager.rpc.port", "6123") "]",
        "[" SETTING("jobmanager.rpc.address", "jm-1") "," SETTING("jobmanager.rpc.port", "6124") "]",
        "[" SETTING("jobmanager.rpc.address", "6123") "," SETTING("jobmanager.rpc.port", "jm-1") "]",
        "[" ADDRESS "," SETTING("kubernetes.cluster-id", "prod") "]",
        "[]",
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(others); i++) {
        assert_true(who(others[i]).site != site);
    }
}

static void what_is_no_configuration_is_refused(void **state)
{
    (void)state;
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    struct flink_look_who ret;
    assert_false(look_who_of_json(sl_json_parse(&a, SL_STR("{}"), &err), &ret));
    assert_false(look_who_of_json(sl_json_parse(&a, SL_STR("\"x\""), &err), &ret));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives_share_their_site),
        cmocka_unit_test(others_have_another_site),
        cmocka_unit_test(what_is_no_configuration_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
