/* SPDX-License-Identifier: Apache-2.0
 * Which addresses the options of a script name, and where they stand; trying them is tested from outside (tests/api). */
#include "gateway/jobs/preflight_address.h"

#include "base/buf.h"
#include "sqlparse/vars.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* "host:port host:port | path" of the spots, in their order. */
static const char *gathered(struct sl_arena *a, const char *sql)
{
    struct sql_script s;
    struct sql_vars vars = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sql_options opt = {.flink = SQL_FLINK_DEFAULT, .level = SQL_LEVEL_SYNTAX, .vars = &vars};
    struct preflight_spots spots = {0};
    assert_true(sql_vars_add(&vars, a, SL_STR("broker"), SL_STR("kafka-1:9093"), "test", &err));
    sql_script_init(&s, a, SQL_FLINK_DEFAULT);
    assert_true(sql_script_add(&s, SL_STR("x.sql"), sl_str_of(sql), &opt, &err));
    assert_int_equal(s.diags.errors, 0);
    size_t n = preflight_gather(&s, a, &spots), counted = 0;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 1 << 16);
    for (size_t i = 0; i < spots.n; i++) {
        sl_buf_putz(&b, i ? " | " : "");
        for (size_t k = 0; k < spots.v[i].n; k++, counted++) {
            const struct preflight_address *x = &spots.v[i].addresses[k];
            if (x->is_path) {
                sl_buf_putz(&b, x->host);
            } else {
                sl_buf_printf(&b, "%s%s:%d", k ? " " : "", x->host, x->port);
            }
        }
    }
    assert_int_equal(n, counted);
    return sl_arena_strdupz(a, sl_buf_str(&b));
}

static void addresses_of_options(void **state)
{
    (void)state;
    static const struct {
        const char *options, *want;
    } cases[] = {
        {"'connector'='kafka','properties.bootstrap.servers'='a:1, b:2,c'", "a:1 b:2 c:9092"},
        {"'connector'='kafka','properties.bootstrap.servers'='${broker}'", "kafka-1:9093"},
        {"'connector'='kafka','properties.bootstrap.servers'='SASL_SSL://a:1'", "a:1"},
        {"'connector'='kafka','properties.bootstrap.servers'='a b'", ""},
        {"'connector'='kafka','properties.bootstrap.servers'='a:x'", ""},
        {"'connector'='kafka','properties.bootstrap.servers'='a:0'", ""},
        {"'connector'='kafka','properties.bootstrap.servers'='a:70000'", ""},
        {"'connector'='kafka','properties.bootstrap.servers'=''", ""},
        {"'connector'='kafka','properties.bootstrap.servers'='[::1]:9092'", "::1:9092"},
        {"'connector'='kafka','properties.bootstrap.servers'='a:1','value.format'='avro-confluent','value."
         "avro-confluent.url'='http://r:8081/x'",
         "a:1 | r:8081"},
        {"'connector'='jdbc','url'='jdbc:postgresql://db/shop'", "db:5432"},
        {"'connector'='jdbc','url'='jdbc:postgresql://db:5433,db2/shop?x=//no:1'", "db:5433 db2:5432"},
        {"'connector'='jdbc','url'='jdbc:mysql://u:p@db:3307/shop'", "db:3307"},
        {"'connector'='jdbc','url'='jdbc:sqlserver://db;databaseName=x'", "db:1433"},
        {"'connector'='jdbc','url'='jdbc:oracle:thin:@//db:1522/x'", "db:1522"},
        {"'connector'='jdbc','url'='jdbc:oracle:thin:@db:1522:orcl'", "db:1522"},
        {"'connector'='jdbc','url'='jdbc:derby:memory:x'", ""},
        {"'connector'='jdbc','url'='jdbc:h2:mem:x'", ""},
        {"'connector'='mysql-cdc','hostname'='db','username'='u'", "db:3306"},
        {"'connector'='postgres-cdc','hostname'='db','port'='6000'", "db:6000"},
        {"'connector'='unheard-of','hostname'='db'", ""},
        {"'connector'='elasticsearch-7','hosts'='http://e1:9201;https://e2'", "e1:9201 e2:9200"},
        {"'connector'='mongodb','uri'='mongodb://u:p@m:27018/?x'", "m:27018"},
        {"'connector'='filesystem','path'='/data/in','format'='csv'", "/data/in"},
        {"'connector'='filesystem','path'='file:///data/in','format'='csv'", "/data/in"},
        {"'connector'='filesystem','path'='s3://bucket/in','format'='csv'", ""},
        {"'connector'='filesystem','path'='relative/in','format'='csv'", ""},
        {"'connector'='datagen'", ""},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        SL_ARENA_AUTO a = {0};
        sl_str sql = sl_arena_printf(&a, "CREATE TABLE t (id INT) WITH (%s);", cases[i].options);
        assert_string_equal(gathered(&a, sql.p), cases[i].want);
    }
}

static void the_same_once_and_what_is_written_not(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    assert_string_equal(
        gathered(&a,
                 "CREATE TABLE a (id INT) WITH ('connector'='kafka','properties.bootstrap.servers'='k:1');"
                 "CREATE TABLE b (id INT) WITH ('connector'='kafka','properties.bootstrap.servers'='k:1');"
                 "CREATE TABLE o (id INT) WITH ('connector'='filesystem','path'='/out','format'='csv');"
                 "CREATE CATALOG c WITH ('type'='hive','uri'='thrift://m');"
                 "CREATE TABLE q (id INT) WITH ('connector'='filesystem','path'='/out2','format'='csv');"
                 "INSERT INTO o SELECT id FROM a;"
                 "INSERT INTO default_database.`q` SELECT id FROM a;"),
        "k:1 | m:9083");
    SL_BUF_AUTO many;
    sl_buf_init(&many, 1 << 16);
    for (int i = 0; i < 100; i++) {
        sl_buf_printf(
            &many, "CREATE TABLE t%d (id INT) WITH ('connector'='jdbc','url'='jdbc:mysql://h%d/x');", i, i);
    }
    struct sql_script s;
    struct sl_err err = SL_ERR_INIT;
    struct sql_options opt = {.flink = SQL_FLINK_DEFAULT, .level = SQL_LEVEL_SYNTAX};
    struct preflight_spots spots = {0};
    sql_script_init(&s, &a, SQL_FLINK_DEFAULT);
    assert_true(sql_script_add(&s, SL_STR("x.sql"), sl_buf_str(&many), &opt, &err));
    assert_int_equal(preflight_gather(&s, &a, &spots), 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_options),
        cmocka_unit_test(the_same_once_and_what_is_written_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
