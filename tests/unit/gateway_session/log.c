/* SPDX-License-Identifier: Apache-2.0
 * What of a session is replayed in front of a statement, and what is not. */
#include "gateway/session/log.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct world {
    struct sl_arena arena;
    struct ses_log log;
};

static int setup(void **state)
{
    static struct world w;
    sl_arena_init(&w.arena, 0);
    ses_log_init(&w.log, &w.arena);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    sl_arena_release(&((struct world *)*state)->arena);
    return 0;
}

static const struct sql_stmt *parse(struct world *w, const char *sql)
{
    struct sl_err err = SL_ERR_INIT;
    struct sql_script *s = sl_new(&w->arena, struct sql_script);
    struct sql_options opt = {.flink = SQL_FLINK_DEFAULT, .level = SQL_LEVEL_SYNTAX};
    sql_script_init(s, &w->arena, SQL_FLINK_DEFAULT);
    assert_true(sql_script_add(s, SL_STR("t"), sl_str_of(sql), &opt, &err));
    assert_int_equal(s->stmts.n, 1);
    assert_int_equal(s->diags.errors, 0);
    return &s->stmts.v[0];
}

static enum ses_effect effect(struct world *w, const char *sql)
{
    return ses_log_effect(&w->log, parse(w, sql), false);
}

static void apply(struct world *w, const char *sql)
{
    struct ses_change c;
    const struct sql_stmt *st = parse(w, sql);
    ses_log_apply(&w->log, st, st->sql, &c);
}

/* The names of what a statement reaches, in order: "a b ". */
static const char *reach(struct world *w, const char *sql)
{
    bool in[64];
    const struct sql_stmt *st = parse(w, sql);
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    ses_log_reach(&w->log, &st, 1, in);
    for (size_t i = 0; i < w->log.entries.n; i++) {
        if (in[i]) {
            sl_buf_puts(&b, w->log.entries.v[i].name);
            sl_buf_putc(&b, ' ');
        }
    }
    return sl_arena_strdupz(&w->arena, sl_buf_str(&b));
}

#define TABLE(name) "CREATE TABLE " name " (x INT) WITH ('connector'='datagen')"

static void test_effects(void **state)
{
    struct world *w = *state;
    assert_int_equal(effect(w, TABLE("t1")), SES_EFFECT_SESSION);
    assert_int_equal(effect(w, "SELECT 1"), SES_EFFECT_NONE);
    assert_int_equal(effect(w, "USE default_database"), SES_EFFECT_SESSION);
    assert_int_equal(effect(w, "TRUNCATE TABLE t1"), SES_EFFECT_EXTERNAL);
    assert_int_equal(effect(w, TABLE("lake.d.t1")), SES_EFFECT_EXTERNAL);
    assert_int_equal(effect(w, "CREATE TEMPORARY VIEW lake.d.t1 AS SELECT 1"), SES_EFFECT_SESSION);
    assert_int_equal(effect(w, "CREATE TEMPORARY SYSTEM FUNCTION f AS 'a.F'"), SES_EFFECT_SESSION);
    assert_int_equal(effect(w, "CREATE DATABASE lake.d"), SES_EFFECT_EXTERNAL);
    apply(w, "CREATE CATALOG lake WITH ('type'='paimon')");
    apply(w, "CREATE CATALOG mem WITH ('type'='generic_in_memory')");
    assert_int_equal(effect(w, "CREATE DATABASE lake.d"), SES_EFFECT_EXTERNAL);
    assert_int_equal(effect(w, "CREATE DATABASE mem.d"), SES_EFFECT_SESSION);
    apply(w, "USE CATALOG lake");
    assert_int_equal(effect(w, TABLE("t1")), SES_EFFECT_EXTERNAL);
    assert_int_equal(effect(w, TABLE("default_catalog.default_database.t1")), SES_EFFECT_SESSION);
    assert_int_equal(ses_log_effect(&w->log, parse(w, "CREATE CATALOG z WITH ('type'='paimon')"), true),
                     SES_EFFECT_EXTERNAL);
}

static void test_reach(void **state)
{
    struct world *w = *state;
    apply(w, TABLE("orders"));
    apply(w, TABLE("`strange name`"));
    apply(w, "CREATE CATALOG lake WITH ('type'='paimon')");
    apply(w, "CREATE VIEW totals AS SELECT * FROM orders");
    assert_string_equal(reach(w, "SELECT 1"), "");
    assert_string_equal(reach(w, "SELECT * FROM orders"), "orders ");
    assert_string_equal(reach(w, "SELECT * FROM `totals`"), "orders totals "); /* and what the view reads */
    assert_string_equal(reach(w, "SELECT * FROM `strange name`"), "strange name ");
    assert_string_equal(reach(w, "SELECT * FROM lake.d.t"),
                        "lake "); /* a catalog is opened only when it is named */
    assert_string_equal(reach(w, "SHOW TABLES"), "orders strange name totals ");
    assert_string_equal(reach(w, "SHOW CATALOGS"), "orders strange name lake totals ");
    apply(w, "LOAD MODULE core2");
    assert_string_equal(reach(w, "SELECT 1"), " "); /* modules always */
    apply(w, "USE CATALOG lake");
    assert_string_equal(reach(w, "SELECT 1"), "lake  ");
}

static void test_drop(void **state)
{
    struct world *w = *state;
    apply(w, TABLE("a"));
    apply(w, "ALTER TABLE a SET ('k'='v')");
    apply(w, TABLE("b"));
    apply(w, "DROP TABLE default_database.a");
    assert_int_equal(w->log.entries.n, 1); /* with what was altered in it */
    apply(w, "CREATE TABLE IF NOT EXISTS b (x INT) WITH ('connector'='print')");
    assert_int_equal(w->log.entries.n, 1);
    apply(w, "CREATE TEMPORARY TABLE b (x INT) WITH ('connector'='print')");
    assert_false(ses_log_has_view(&w->log, parse(w, "DROP VIEW b")));
    apply(w, "DROP TEMPORARY TABLE b");
    assert_int_equal(w->log.entries.n, 1);
    apply(w, "CREATE VIEW v AS SELECT 1");
    assert_true(ses_log_has_view(&w->log, parse(w, "DROP VIEW `default_catalog`.default_database.v")));
    apply(w, "DROP VIEW v");
    assert_int_equal(w->log.entries.n, 1);
    apply(w, "ALTER TABLE b RENAME TO c");
    apply(w, "DROP TABLE c"); /* by what names the log cannot tell any more: the DROP is replayed as well */
    assert_int_equal(w->log.entries.n, 3);
}

static void test_places(void **state)
{
    struct world *w = *state;
    apply(w, "CREATE DATABASE d");
    apply(w, "CREATE DATABASE dd");
    apply(w, "USE d");
    apply(w, TABLE("t"));
    apply(w, "USE dd");
    apply(w, TABLE("t"));
    assert_int_equal(w->log.entries.n, 4);
    assert_true(sl_str_eqz(w->log.entries.v[2].database, "d"));
    apply(w, "USE default_catalog.default_database");
    apply(w, "DROP DATABASE d CASCADE");
    assert_int_equal(w->log.entries.n, 2); /* with its table, and not that of dd */
    assert_true(sl_str_eqz(w->log.entries.v[1].database, "dd"));
    apply(w, "CREATE CATALOG mem WITH ('type'='generic_in_memory')");
    apply(w, "USE CATALOG mem");
    assert_true(sl_str_eqz(w->log.catalog, "mem"));
    assert_int_equal(w->log.database.n, 0); /* only Flink knows what it is called */
    apply(w, "USE CATALOG mem");
    apply(w, TABLE("t"));
    apply(w, "USE CATALOG default_catalog");
    assert_true(sl_str_eqz(w->log.database, "default_database"));
    apply(w, "DROP CATALOG mem");
    assert_int_equal(w->log.entries.n, 2);
}

static void test_names(void **state)
{
    struct world *w = *state;
    sl_str p[3];
    assert_int_equal(ses_name_parts(&w->arena, SL_STR("a.`b.c`. `d``e`"), p), 3);
    assert_true(sl_str_eqz(p[0], "a") && sl_str_eqz(p[1], "b.c") && sl_str_eqz(p[2], "d`e"));
    assert_int_equal(ses_name_parts(&w->arena, SL_STR("a.b.c.d"), p), 0);
    assert_true(sl_str_eqz(ses_quoted(&w->arena, SL_STR("d`e")), "`d``e`"));
}

/* What would be listed: "a b ", or "?" where the log does not tell. */
static const char *list(struct world *w, enum ses_list what)
{
    sl_str *names;
    size_t n;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    if (!ses_log_list(&w->log, what, &w->arena, &names, &n)) {
        return "?";
    }
    for (size_t i = 0; i < n; i++) {
        sl_buf_puts(&b, names[i]);
        sl_buf_putc(&b, ' ');
    }
    return sl_arena_strdupz(&w->arena, sl_buf_str(&b));
}

static void test_lists(void **state)
{
    struct world *w = *state;
    assert_string_equal(list(w, SES_LIST_CATALOGS), "default_catalog ");
    assert_string_equal(list(w, SES_LIST_DATABASES), "default_database ");
    assert_string_equal(list(w, SES_LIST_TABLES), "");
    apply(w, TABLE("b"));
    apply(w, "CREATE TEMPORARY TABLE a (x INT) WITH ('connector'='datagen')");
    apply(w, "CREATE TEMPORARY TABLE b (x INT) WITH ('connector'='datagen')");
    apply(w, "CREATE VIEW v AS SELECT * FROM b");
    apply(w, "CREATE /* VIEW */ TABLE `VIEW` (x INT) WITH ('connector'='datagen')");
    apply(w, "ALTER TABLE b ADD (y INT)");
    assert_string_equal(list(w, SES_LIST_TABLES), "VIEW a b v ");
    apply(w, "DROP TABLE `VIEW`");
    assert_string_equal(list(w, SES_LIST_VIEWS), "v ");
    apply(w, "CREATE FUNCTION Fone AS 'org.One'");
    apply(w, "CREATE TEMPORARY SYSTEM FUNCTION ftwo AS 'org.Two'");
    apply(w, "CREATE TEMPORARY FUNCTION fone AS 'org.One'");
    assert_string_equal(list(w, SES_LIST_FUNCTIONS), "fone ftwo ");
    apply(w, "CREATE DATABASE d1");
    apply(w, "CREATE TABLE d1.inside (x INT) WITH ('connector'='datagen')");
    assert_string_equal(list(w, SES_LIST_DATABASES), "d1 default_database ");
    assert_string_equal(list(w, SES_LIST_TABLES), "a b v ");
    apply(w, "USE d1");
    assert_string_equal(list(w, SES_LIST_TABLES), "inside ");
    assert_string_equal(list(w, SES_LIST_FUNCTIONS), "ftwo ");
    apply(w, "CREATE CATALOG mem WITH ('type'='generic_in_memory')");
    apply(w, "CREATE CATALOG far WITH ('type'='jdbc')");
    assert_string_equal(list(w, SES_LIST_CATALOGS), "default_catalog far mem ");
    apply(w, "USE CATALOG mem"); /* its database has a name that is not known here */
    assert_string_equal(list(w, SES_LIST_TABLES), "?");
    apply(w, "USE mem.`default`");
    assert_string_equal(list(w, SES_LIST_TABLES), "");
    assert_string_equal(list(w, SES_LIST_DATABASES), "?");
    apply(w, "USE far.d");
    assert_string_equal(list(w, SES_LIST_TABLES), "?");
    assert_string_equal(list(w, SES_LIST_VIEWS), "?");
    apply(w, "USE default_catalog.default_database");
    apply(w, "CREATE TABLE `\xc3\xb6` (x INT)");
    assert_string_equal(list(w, SES_LIST_TABLES), "?");
    apply(w, "DROP TABLE `\xc3\xb6`");
    assert_string_equal(list(w, SES_LIST_TABLES), "a b v ");
    apply(w, "ALTER TABLE b RENAME TO c");
    assert_string_equal(list(w, SES_LIST_TABLES), "?");
}

/* With a name that was changed the log does not know what is there: what is done with IF is done again. */
static void test_if_behind_a_rename(void **state)
{
    struct world *w = *state;
    apply(w, TABLE("a"));
    apply(w, "ALTER TABLE a RENAME TO b");
    apply(w, "DROP TABLE b");
    apply(w, "CREATE TABLE IF NOT EXISTS a (y INT)");
    assert_int_equal(w->log.entries.n, 4);
    assert_string_equal(reach(w, "SELECT * FROM a"), "a a b a ");
    apply(w, "DROP TABLE IF EXISTS a");
    assert_int_equal(w->log.entries.n, 5);
}

static const char *made(struct world *w, const char *name)
{
    const struct ses_entry *e = ses_log_table(&w->log, sl_str_of(name), &w->arena);
    return e ? sl_arena_strdupz(&w->arena, e->sql) : "?";
}

static void test_who_made_it(void **state)
{
    struct world *w = *state;
    apply(w, "CREATE TABLE a (x INT)");
    apply(w, "CREATE VIEW v AS SELECT * FROM a");
    assert_string_equal(made(w, "a"), "CREATE TABLE a (x INT)");
    assert_string_equal(made(w, "default_database.`a`"), "CREATE TABLE a (x INT)");
    assert_string_equal(made(w, "A"), "?");
    assert_string_equal(made(w, "v"), "CREATE VIEW v AS SELECT * FROM a");
    apply(w, "ALTER TABLE a ADD (y INT)");
    assert_string_equal(made(w, "a"), "CREATE TABLE a (x INT)");
    apply(w, "CREATE TEMPORARY TABLE a (z INT)");
    assert_string_equal(made(w, "a"), "CREATE TEMPORARY TABLE a (z INT)");
    apply(w, "DROP TEMPORARY TABLE a");
    assert_string_equal(made(w, "a"), "CREATE TABLE a (x INT)");
    apply(w, "CREATE CATALOG far WITH ('type'='jdbc')");
    apply(w, "USE CATALOG far");
    assert_string_equal(made(w, "a"), "?");
    assert_string_equal(made(w, "default_catalog.default_database.a"), "CREATE TABLE a (x INT)");
    apply(w, "CREATE TEMPORARY TABLE far.d.t (x INT)");
    assert_string_equal(made(w, "d.t"), "CREATE TEMPORARY TABLE far.d.t (x INT)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_effects, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reach, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_places, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(test_if_behind_a_rename, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_made_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
