/* SPDX-License-Identifier: Apache-2.0
 * Plans: actions, folded configuration, what is replayed and what is done once, --together, the task
 * document. */
#include "gateway/jobs/plan.h"

#include "base/json.h"
#include "gateway/jobs/task.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct world {
    struct sl_arena arena;
    struct sql_script script;
    struct plan plan;
    bool ok;
};

static void plan_text(struct world *w, const char *sql, struct plan_options o)
{
    struct sl_err err = SL_ERR_INIT;
    struct sql_options so = {.level = SQL_LEVEL_SYNTAX};
    sl_arena_init(&w->arena, 0);
    sql_script_init(&w->script, &w->arena, SQL_FLINK_2_2);
    assert_true(sql_script_add(&w->script, SL_STR("t.sql"), sl_str_of(sql), &so, &err));
    assert_int_equal(w->script.diags.errors, 0);
    if (!o.name.n) {
        o.name = SL_STR("job");
    }
    w->ok = plan_make(&w->script, &o, &w->plan);
}

static void assert_actions(const struct world *w, const enum plan_action *want, size_t n)
{
    assert_int_equal(w->plan.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(w->plan.units[i].action, want[i]);
    }
}

static void assert_value(const struct plan_unit *u, const char *key, const char *value)
{
    sl_str v = plan_config_get(&u->config, key);
    if (!sl_str_eqz(v, value)) {
        print_error("%s is '%.*s', not '%s'\n", key, SL_S(v), value);
    }
    assert_true(sl_str_eqz(v, value));
}

static void sets_are_folded_up_to_each_unit(void **state)
{
    (void)state;
    struct world w;
    struct plan_pair given[] = {{SL_STR("parallelism.default"), SL_STR("3"), SL_STR("-D")}};
    plan_text(&w,
              "SET 'a.b' = '1';\nSELECT 1;\nSET 'a.b' = '2'; SET 'parallelism.default' = '7';\nSELECT 2;\n"
              "RESET 'parallelism.default';\nSELECT 3;\nRESET;\nSELECT 4;",
              (struct plan_options){.given = given, .n_given = 1});
    assert_true(w.ok);
    const enum plan_action want[] = {PLAN_SELECT, PLAN_SELECT, PLAN_SELECT, PLAN_SELECT};
    assert_actions(&w, want, 4);
    assert_value(&w.plan.units[0], "a.b", "1");
    assert_value(&w.plan.units[0], "parallelism.default", "3");
    assert_value(&w.plan.units[1], "a.b", "2");
    assert_value(&w.plan.units[1], "parallelism.default", "7");
    assert_value(&w.plan.units[2], "parallelism.default", "3"); /* back to what was given, not to nothing */
    assert_value(&w.plan.units[3], "a.b", "");
    assert_value(&w.plan.units[3], "parallelism.default", "3");
    sl_arena_release(&w.arena);
}

static void where_an_object_lives_decides_replay(void **state)
{
    (void)state;
    struct world w;
    plan_text(&w,
              "CREATE TABLE t (a INT) WITH ('connector' = 'datagen');\n"
              "CREATE CATALOG lake WITH ('type' = 'paimon');\n"
              "CREATE TABLE lake.d.x (a INT);\n"
              "CREATE CATALOG mem WITH ('type' = 'generic_in_memory');\n"
              "USE CATALOG lake;\n"
              "CREATE DATABASE IF NOT EXISTS d;\n"
              "CREATE TABLE y (a INT);\n"
              "CREATE TEMPORARY TABLE z (a INT) WITH ('connector' = 'datagen');\n"
              "USE CATALOG mem;\n"
              "CREATE TABLE y (a INT) WITH ('connector' = 'datagen');\n",
              (struct plan_options){0});
    assert_true(w.ok);
    const enum plan_action want[] = {PLAN_SESSION,  PLAN_SESSION,  PLAN_EXTERNAL, PLAN_SESSION, PLAN_SESSION,
                                     PLAN_EXTERNAL, PLAN_EXTERNAL, PLAN_SESSION,  PLAN_SESSION, PLAN_SESSION};
    assert_actions(&w, want, SL_ARRAY_LEN(want));
    sl_arena_release(&w.arena);
}

static void batch_and_sync_jobs_are_awaited(void **state)
{
    (void)state;
    struct world w;
    plan_text(
        &w,
        "CREATE TABLE t (a INT) WITH ('connector' = 'blackhole');\nINSERT INTO t SELECT 1;\n"
        "SET 'execution.runtime-mode' = 'BATCH';\nINSERT INTO t SELECT 2;\nRESET 'execution.runtime-mode';\n"
        "SET 'table.dml-sync' = 'true';\nINSERT INTO t SELECT 3;\n",
        (struct plan_options){0});
    assert_int_equal(w.plan.n, 4);
    assert_false(w.plan.units[1].await);
    assert_true(w.plan.units[2].await);
    assert_true(w.plan.units[3].await);
    assert_int_equal(w.plan.jobs, 3);
    sl_arena_release(&w.arena);
}

static void together_merges_loose_inserts(void **state)
{
    (void)state;
    struct world w;
    const char *sql = "CREATE TABLE t (a INT) WITH ('connector' = 'blackhole');\nINSERT INTO t SELECT 1;\n"
                      "INSERT INTO t SELECT 2;\n";
    plan_text(&w, sql, (struct plan_options){.together = true});
    const enum plan_action want[] = {PLAN_SESSION, PLAN_SET};
    assert_true(w.ok);
    assert_actions(&w, want, 2);
    assert_int_equal(w.plan.units[1].n_inserts, 2);
    sl_arena_release(&w.arena);

    plan_text(&w, "INSERT INTO t SELECT 1; SET 'a' = 'b'; INSERT INTO t SELECT 2;",
              (struct plan_options){.together = true});
    assert_false(w.ok);
    assert_int_equal(w.script.diags.list.v[0].code, SL_NOT_SUPPORTED);
    sl_arena_release(&w.arena);

    plan_text(
        &w, "SET 'execution.runtime-mode' = 'batch'; INSERT INTO a SELECT 1; INSERT INTO b SELECT * FROM a;",
        (struct plan_options){.together = true});
    assert_false(w.ok);
    sl_arena_release(&w.arena);
}

static void what_bare_flink_only_pretends_is_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "ANALYZE TABLE t COMPUTE STATISTICS",
        "CREATE MATERIALIZED TABLE m FRESHNESS = INTERVAL '1' MINUTE AS SELECT * FROM t",
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(refused); i++) {
        struct world w;
        plan_text(&w, refused[i], (struct plan_options){0});
        assert_false(w.ok);
        assert_int_equal(w.script.diags.errors, 1);
        sl_arena_release(&w.arena);
    }
}

static void the_task_document_holds_config_without_our_own_keys(void **state)
{
    (void)state;
    struct world w;
    struct sl_err err = SL_ERR_INIT;
    plan_text(&w,
              "SET 'table.dml-sync' = 'true'; SET 'rest.port' = '1'; SET 'zz' = '1'; SET 'aa' = '2';\n"
              "SELECT   1,\n  'x;y' ;",
              (struct plan_options){0});
    struct task_step step = {.unit = &w.plan.units[0], .action = "select", .token = "tt"};
    struct task_head head = {.mode = "session", .digest = "d", .script = SL_STR("s"), .results = "h:1"};
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    task_write(&b, &head, &step, 1);
    const struct sl_json *doc = sl_json_parse(&w.arena, sl_buf_str(&b), &err);
    assert_non_null(doc);
    const struct sl_json *config = sl_json_get(sl_json_at(sl_json_get(doc, "steps"), 0), "config");
    assert_int_equal(config->n, 3);
    assert_true(sl_str_eqz(sl_json_str(sl_json_get(config, "pipeline.name"), SL_STR("")), "SELECT 1, 'x;y'"));
    assert_null(sl_json_get(config, "table.dml-sync"));
    assert_null(sl_json_get(config, "rest.port"));
    static const char *const sorted[] = {"aa", "pipeline.name", "zz"};
    size_t i = 0;
    SL_JSON_EACH(pair, config)
    {
        assert_true(sl_str_eqz(pair->key, sorted[i++]));
    }
    sl_arena_release(&w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_folded_up_to_each_unit),
        cmocka_unit_test(where_an_object_lives_decides_replay),
        cmocka_unit_test(batch_and_sync_jobs_are_awaited),
        cmocka_unit_test(together_merges_loose_inserts),
        cmocka_unit_test(what_bare_flink_only_pretends_is_refused),
        cmocka_unit_test(the_task_document_holds_config_without_our_own_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
