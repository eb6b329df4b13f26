/* SPDX-License-Identifier: Apache-2.0
 * What a script needs, against a golden file: each kind at its place, nothing from strings and comments that only look like
 * it, and never a secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "catalog/needs.h"
#include "sqlparse/vars.h"
#include "tests/unit/sqlparse/golden.h"

#define SECRET "hunter2"

static void needs_case(sl_str name, sl_str input, struct sl_buf *out)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sql_vars vars = {0};
    struct sql_script s;
    struct cat_needs needs = {0};
    (void)name;
    assert_true(sql_vars_add(&vars, &a, SL_STR("topic"), SL_STR("orders-v1"), "sluice.yaml, dev", &err));
    assert_true(sql_vars_add(&vars, &a, SL_STR("secret.password"), SL_STR(SECRET), "--var", &err));
    struct sql_options opt = {.level = SQL_LEVEL_SYNTAX, .vars = &vars};
    sql_script_init(&s, &a, SQL_FLINK_DEFAULT);
    assert_true(sql_script_add(&s, SL_STR("x.sql"), input, &opt, &err));
    cat_needs(&a, &s, &needs);
    for (size_t i = 0; i < needs.list.n; i++) {
        const struct cat_need *n = &needs.list.v[i];
        sl_buf_printf(out, "%s %.*s %u:%u-%u%s%.*s\n", cat_need_kind_name(n->kind), SL_S(n->name),
                      n->pos.line, n->pos.col, n->pos.end_col, n->key.n ? " " : "", SL_S(n->key));
    }
    assert_true(sl_str_find(sl_buf_str(out), SL_STR(SECRET)) < 0);
}

static void test_needs(void **state)
{
    (void)state;
    int cases = 0;
    assert_int_equal(golden_run("tests/golden/needs/needs.txt", needs_case, &cases), 0);
    assert_true(cases > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_needs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
