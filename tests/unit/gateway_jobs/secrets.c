/* SPDX-License-Identifier: Apache-2.0
 * A version's request becomes whole again with secrets that are given anew: those that its text asks for, no others. */
#include "gateway/jobs/secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define KEPT                                                                                                 \
    "{\"files\":[{\"name\":\"a.sql\",\"text\":\"'${secret.pw}' ${secret.user:-x} ${host} ${secret.pwd2\"}]," \
    "\"name\":\"counts\",\"vars\":[{\"name\":\"secret.pw\",\"source\":\"--var\",\"secret\":true},"           \
    "{\"name\":\"host\",\"value\":\"h:1\",\"source\":\"--var\",\"secret\":false},"                           \
    "{\"name\":\"secret.user\",\"source\":\"--var\",\"secret\":true},"                                       \
    "{\"name\":\"secret.pwd\",\"source\":\"--var\",\"secret\":true}],\"together\":true,\"keptJars\":[]}"

static sl_str value_of(const struct sl_json *params, const char *name)
{
    sl_str found = SL_STR("(none)");
    SL_JSON_EACH(v, sl_json_get(params, "vars"))
    {
        if (sl_str_eqz(sl_json_str(sl_json_get(v, "name"), SL_STR("")), name)) {
            found = sl_json_str(sl_json_get(v, "value"), SL_STR("(no value)"));
        }
    }
    return found;
}

static void give(struct sql_vars *vars, struct sl_arena *a, const char *name, const char *value)
{
    struct sl_err err = SL_ERR_INIT;
    assert_true(sql_vars_add(vars, a, sl_str_of(name), sl_str_of(value), "given", &err));
}

static void all_that_are_missing_are_named(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sql_vars given = {0};
    const struct sl_json *kept = sl_json_parse(&a, SL_STR(KEPT), &err);
    assert_non_null(kept);
    assert_null(secrets_fill(kept, NULL, "counts", 3, &a, &err));
    assert_int_equal(err.code, SL_VARIABLE_UNDEFINED);
    assert_non_null(strstr(err.msg, "counts v3 cannot be started without: secret.pw, secret.user"));
    assert_null(strstr(err.msg, "secret.pwd")); /* the text does not ask for it */
    assert_non_null(strstr(err.hint, "sluice job rollback counts v3 --var secret.pw=VALUE"));
    err = (struct sl_err)SL_ERR_INIT;
    give(&given, &a, "secret.pw", "hunter2");
    assert_null(secrets_fill(kept, &given, "counts", 3, &a, &err));
    assert_non_null(strstr(err.msg, "without: secret.user"));
    assert_null(strstr(err.msg, "hunter2"));
}

static void given_values_stand_in_it(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sql_vars given = {0};
    const struct sl_json *kept = sl_json_parse(&a, SL_STR(KEPT), &err);
    give(&given, &a, "secret.pw", "old");
    give(&given, &a, "secret.user", "");
    give(&given, &a, "host", "elsewhere:2"); /* its value is the version's */
    give(&given, &a, "secret.pw", "ne\"w");  /* the later one wins */
    give(&given, &a, "secret.other", "of the one it replaces");
    const struct sl_json *p = secrets_fill(kept, &given, "counts", 3, &a, &err);
    assert_non_null(p);
    assert_true(sl_str_eqz(value_of(p, "secret.pw"), "ne\"w"));
    assert_true(sl_str_eqz(value_of(p, "secret.user"), ""));
    assert_true(sl_str_eqz(value_of(p, "host"), "h:1"));
    assert_true(sl_str_eqz(value_of(p, "secret.other"), "of the one it replaces"));
    assert_true(sl_str_eqz(value_of(p, "secret.pwd"), "(none)"));
    assert_true(sl_json_bool(sl_json_get(p, "together"), false));
    assert_int_equal(sl_json_get(p, "files")->n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_that_are_missing_are_named),
                                       cmocka_unit_test(given_values_stand_in_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
