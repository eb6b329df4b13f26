/* SPDX-License-Identifier: Apache-2.0
 * A user's share of rows and bytes a second: what is owed is waited for, whoever made it, and others owe nothing. */
#include "gateway/api/share.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ANN SL_STR("ann")
#define BOB SL_STR("bob")

static struct sl_limits was;

static int setup(void **state)
{
    was = sl_limits;
    sl_limits.user_rows = 100;
    sl_limits.user_bytes = 10000;
    *state = api_shares_new();
    return 0;
}

static int teardown(void **state)
{
    sl_limits = was;
    api_shares_free(*state);
    return 0;
}

static void test_rows(void **state)
{
    struct api_shares *s = *state;
    assert_int_equal(api_share_rows_wait(s, ANN, 5000), 0);
    api_share_rows(s, ANN, 100, 0, 5000); /* a second's share at once */
    assert_int_equal(api_share_rows_wait(s, ANN, 5000), 0);
    api_share_rows(s, ANN, 200, 0, 5000); /* a block goes whole, and is owed */
    assert_in_range(api_share_rows_wait(s, ANN, 5000), 2000, 2001);
    assert_in_range(api_share_rows_wait(s, ANN, 6500), 500, 501);
    assert_int_equal(api_share_rows_wait(s, ANN, 7001), 0);
    assert_int_equal(api_share_rows_wait(s, BOB, 5000), 0);
    api_share_rows(s, ANN, 1, 0, 7001);
    assert_in_range(api_share_rows_wait(s, ANN, 7001), 1, 11);
    api_share_rows(s, ANN, 100, 0, 100000); /* nothing is saved up beyond a second's share */
    api_share_rows(s, ANN, 50, 0, 100000);
    assert_in_range(api_share_rows_wait(s, ANN, 100000), 500, 501);
}

static void test_bytes(void **state)
{
    struct api_shares *s = *state;
    api_share_rows(s, ANN, 1, 25000, 5000);
    assert_in_range(api_share_rows_wait(s, ANN, 5000), 1500, 1501);
    sl_limits.user_bytes = 100000; /* set anew while it is owed */
    assert_in_range(api_share_rows_wait(s, ANN, 5000), 150, 151);
    assert_int_equal(api_share_rows_wait(s, ANN, 5200), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
                                       cmocka_unit_test_setup_teardown(test_bytes, setup, teardown)};
    return cmocka_run_group_tests_name("gateway_api/share", tests, NULL, NULL);
}
