/* SPDX-License-Identifier: Apache-2.0
 * The option lists: sorted, different per version, generous where names are free, and a near name for a slip.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>

#include "catalog/options.h"

static bool known(sql_version v, const char *key)
{
    return cat_option_known(v, sl_str_of(key));
}

static void versions_differ(void **state)
{
    (void)state;
    static const sql_version all[] = {SQL_FLINK_1_20, SQL_FLINK_2_2, SQL_FLINK_2_3};
    static const char *const everywhere[] = {
        "parallelism.default",           "pipeline.name",
        "execution.runtime-mode",        "execution.checkpointing.interval",
        "table.exec.state.ttl",          "table.dml-sync",
        "table.local-time-zone",         "state.backend.type",
        "restart-strategy.type",         "sql-client.execution.result-mode",
        "table.exec.mini-batch.enabled", "table.optimizer.reuse-optimize-block-with-digest-enabled",
        "taskmanager.numberOfTaskSlots", "rest.address",
        "yarn.application.name"};
    for (size_t i = 0; i < SL_ARRAY_LEN(all); i++) {
        assert_true(cat_options_have(all[i]));
        for (size_t k = 0; k < SL_ARRAY_LEN(everywhere); k++) {
            if (!known(all[i], everywhere[k])) {
                fail_msg("%s is not known to Flink %s", everywhere[k], sql_version_name(all[i]));
            }
        }
        assert_false(known(all[i], "table.exec.state.tll"));
        assert_false(known(all[i], "parallelism"));
        assert_false(known(all[i], "taskmanager.nosuch"));
    }
    /* gone with 2.0, come with it */
    assert_true(known(SQL_FLINK_1_20, "akka.ask.callstack"));
    assert_true(known(SQL_FLINK_1_20, "jobmanager.heap.size"));
    assert_true(known(SQL_FLINK_2_2, "state.backend.forst.local-dir"));
    assert_false(known(SQL_FLINK_1_20, "state.backend.forst.local-dir"));
    /* without a list nothing is said */
    assert_false(cat_options_have(201));
    assert_true(known(201, "parallelism"));
}

static void some_names_are_free(void **state)
{
    (void)state;
    assert_true(known(SQL_FLINK_2_2, "metrics.reporter.prom.port"));
    assert_true(known(SQL_FLINK_2_2, "fs.s3a.endpoint"));
    assert_true(known(SQL_FLINK_2_2, "s3.access-key"));
    assert_true(
        known(SQL_FLINK_2_2, "kubernetes.jobmanager.labels.team")); /* below an option that takes a map */
    assert_false(known(SQL_FLINK_2_2, "kubernetes.jobmanager.label.team"));
    assert_true(known(SQL_FLINK_2_2, "my.own.key")); /* no namespace of Flink */
    assert_true(known(SQL_FLINK_2_2, "paimon.catalog.warehouse"));
}

static void near_names(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"execution.checkpointing.intervall", "execution.checkpointing.interval"},
        {"execution.runtime_mode", "execution.runtime-mode"},
        {"Table.Exec.State.TTL", "table.exec.state.ttl"},
        {"paralelism.default", "parallelism.default"},
        {"parallelism", "parallelism.default"}};
    for (size_t i = 0; i < SL_ARRAY_LEN(pairs); i++) {
        assert_false(known(SQL_FLINK_2_2, pairs[i][0]));
        sl_str near = cat_option_near(SQL_FLINK_2_2, sl_str_of(pairs[i][0]));
        if (!sl_str_eqz(near, pairs[i][1])) {
            fail_msg("%s: %.*s", pairs[i][0], SL_S(near));
        }
    }
    assert_int_equal(cat_option_near(SQL_FLINK_2_2, SL_STR("something.else.entirely")).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_differ),
        cmocka_unit_test(some_names_are_free),
        cmocka_unit_test(near_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
