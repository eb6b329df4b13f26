/* SPDX-License-Identifier: Apache-2.0
 * Rules: which of several holds, and texts that are none. */
#include "gateway/auth/rules.h"

#include "base/buf.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_which_rule_holds(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    struct auth_rules *r = auth_rules_new();
    sl_str prod = SL_STR("prod"), other = SL_STR("other");
    assert_int_equal(auth_rules_least(r, prod, AUTH_QUERY), AUTH_ANALYST);
    assert_int_equal(auth_rules_least(r, prod, AUTH_JOB), AUTH_OPERATOR);
    assert_true(auth_rules_set(r, SL_STR("prod:*=admin, *:job=analyst  prod:query=operator"), &err));
    assert_int_equal(auth_rules_least(r, prod, AUTH_JOB),
                     AUTH_ADMIN); /* a name wins, also over a later rule */
    assert_int_equal(auth_rules_least(r, prod, AUTH_QUERY), AUTH_OPERATOR); /* of two, the later */
    assert_int_equal(auth_rules_least(r, other, AUTH_JOB), AUTH_ANALYST);
    assert_int_equal(auth_rules_least(r, other, AUTH_CHANGE), AUTH_OPERATOR);
    assert_false(auth_rules_allow(r, AUTH_OPERATOR, prod, AUTH_JOB, "INSERT", &err));
    assert_int_equal(err.code, SL_FORBIDDEN);
    assert_string_equal(err.msg, "INSERT needs the role admin on target prod; the token is of a operator");
    assert_true(auth_rules_allow(r, AUTH_ADMIN, prod, AUTH_JOB, "INSERT", &err));
    assert_false(auth_rules_set(r, SL_STR("prod:job=viewer nonsense"), &err));
    assert_int_equal(auth_rules_least(r, prod, AUTH_JOB), AUTH_ADMIN); /* nothing has changed */
    assert_true(auth_rules_set(r, SL_STR(""), &err));
    assert_int_equal(auth_rules_least(r, prod, AUTH_JOB), AUTH_OPERATOR);
    auth_rules_free(r);
}

static void test_texts_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"prod",           "prod:job",   "prod=admin", ":job=admin",
                                      "prod:fly=admin", "prod:job=x", "prod:job=",  "prod=a:job"};
    struct sl_err err = SL_ERR_INIT;
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        if (auth_rules_check(sl_str_of(bad[i]), &err)) {
            fail_msg("'%s' passed", bad[i]);
        }
        assert_int_equal(err.code, SL_USAGE);
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    for (int i = 0; i <= SL_LIMIT_RULES; i++) {
        sl_buf_putz(&b, "a:job=admin ");
    }
    assert_false(auth_rules_check(sl_buf_str(&b), &err));
    assert_int_equal(err.code, SL_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_which_rule_holds),
                                       cmocka_unit_test(test_texts_that_are_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
