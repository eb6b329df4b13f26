/* SPDX-License-Identifier: Apache-2.0
 * Host, Origin and Authorization: what passes and what does not. */
#include "gateway/auth/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const sl_str hosts[] = {{"sluice.example", 14}, {"*.team.example", 14}};
static const struct auth_gate listed = {hosts, 2};
static const struct auth_gate none = {NULL, 0};

static void test_hosts(void **state)
{
    (void)state;
    static const char *const good[] = {"localhost",   "LocalHost:8083", "127.0.0.1",
                                       "127.1.2.3:1", "[::1]",          "[::1]:8083"};
    static const char *const bad[] = {"",
                                      "evil.example",
                                      "127.0.0.1.evil.example",
                                      "localhost.evil.example",
                                      "127.0.0",
                                      "1127.0.0.1",
                                      "localhost:80:90",
                                      "localhost:8x",
                                      "[::1",
                                      "[::1]x",
                                      "[::2]",
                                      "0.0.0.0",
                                      "10.0.0.1:8083",
                                      ":8083",
                                      "::1"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(auth_host_ok(&none, sl_str_of(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (auth_host_ok(&listed, sl_str_of(bad[i]))) {
            fail_msg("host '%s' passed", bad[i]);
        }
    }
    assert_false(auth_host_ok(&none, SL_STR("sluice.example")));
    assert_true(auth_host_ok(&listed, SL_STR("Sluice.Example:443")));
    assert_true(auth_host_ok(&listed, SL_STR("a.b.team.example")));
    assert_false(auth_host_ok(&listed, SL_STR("team.example")));
    assert_false(auth_host_ok(&listed, SL_STR("evilteam.example")));
}

static void test_origins(void **state)
{
    (void)state;
    sl_str host = SL_STR("127.0.0.1:8083");
    assert_true(auth_origin_ok(&none, SL_STR_NONE, host));
    assert_true(auth_origin_ok(&none, SL_STR("http://127.0.0.1:8083"), host));
    assert_true(auth_origin_ok(&listed, SL_STR("https://sluice.example"), host));
    static const char *const bad[] = {"null",
                                      "http://127.0.0.1:8084",
                                      "http://127.0.0.1",
                                      "https://evil.example",
                                      "file://",
                                      "http://",
                                      "http://127.0.0.1:8083.evil.example",
                                      "ftp://127.0.0.1:8083",
                                      "127.0.0.1:8083",
                                      ""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (auth_origin_ok(&listed, sl_str_of(bad[i]), host)) {
            fail_msg("origin '%s' passed", bad[i]);
        }
    }
}

static void test_authorization(void **state)
{
    (void)state;
    char scratch[128];
    sl_str t = auth_bearer(SL_STR("bearer  abc "), scratch);
    assert_true(sl_str_eqz(t, "abc"));
    t = auth_bearer(SL_STR("Basic dXNlcjpwYTpzcw=="), scratch); /* user:pa:ss */
    assert_true(sl_str_eqz(t, "pa:ss"));
    static const char *const bad[] = {"",           "Bearer",         "Digest abc", "Basic",
                                      "Basic !!!!", "Basic dXNlcg==", "Basic dXN"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_null(auth_bearer(sl_str_of(bad[i]), scratch).p);
    }
}

static void test_loopback(void **state)
{
    (void)state;
    assert_true(auth_is_loopback(SL_STR("127.0.0.1")));
    assert_true(auth_is_loopback(SL_STR("::1")));
    assert_false(auth_is_loopback(SL_STR("0.0.0.0")));
    assert_false(auth_is_loopback(SL_STR("::")));
    assert_false(auth_is_loopback(SL_STR("127.0.0.1x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_authorization),
        cmocka_unit_test(test_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
