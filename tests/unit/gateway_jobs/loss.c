/* SPDX-License-Identifier: Apache-2.0
 * Which operators keep state, by the names of Flink's pages. */
#include "gateway/jobs/loss.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void keepers_are_known(void **state)
{
    static const char *const names[][2] = {
        {"GroupAggregate[5] -> Sink: totals[6]", "GroupAggregate"},
        {"Source: a[1] -> Calc[2] -> LocalGroupAggregate[3]", "LocalGroupAggregate"},
        {"GlobalWindowAggregate[9] -> Calc[10]", "GlobalWindowAggregate"},
        {"OverAggregate[4] -> Calc[5] -> dst[6]: Writer", "OverAggregate"},
        {"Join[7]", "Join"},
        {"IntervalJoin[7] -> Calc[8]", "IntervalJoin"},
        {"Deduplicate[3]", "Deduplicate"},
        {"SinkMaterializer[6] -> Sink: t[6]", "SinkMaterializer"},
    };
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        char what[64] = "";
        assert_true(loss_stateful_name(sl_str_of(names[i][0]), what));
        assert_string_equal(what, names[i][1]);
    }
}

static void others_keep_nothing(void **state)
{
    static const char *const names[] = {
        "Source: a[1] -> Calc[2] -> Sink: b[3]",
        "Source: Join[1] -> Sink: Rank[3]", /* tables of such names */
        "LookupJoin[4] -> Calc[5]",
        "dst[6]: Writer",
        "",
    };
    char what[64];
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        assert_false(loss_stateful_name(sl_str_of(names[i]), what));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keepers_are_known),
        cmocka_unit_test(others_keep_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
