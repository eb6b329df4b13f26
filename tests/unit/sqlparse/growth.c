/* SPDX-License-Identifier: Apache-2.0
 * Nothing makes the parser slow or large: texts of one shape in four sizes up to 1 MB, whole scripts through cutting and
 * grammar. Memory is counted in the arena: at most 40 bytes for one of text beyond a floor, twice as much for twice the
 * text. Work is counted in steps (tokens lexed, bytes passed for them, shifts and reductions; this program is linked
 * with the room that counts them): twice as many for twice the text, and never more than a fixed number for one byte.
 * What is nested or chained too far is refused with a limit that says so. */
#define SQL_COUNT_STEPS
#include "base/buf.h"
#include "base/limits.h"
#include "sqlparse/fmt.h"
#include "sqlparse/sql.h"
#include "sqlparse/steps.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SIZES   4
#define NAMED   21 /* the first shapes are tried up to 1 MB, the others up to half of it */
#define LARGE   ((size_t)1 << 20)
#define FLOOR   ((size_t)512 << 10) /* 1,000 messages, tables, the first blocks */
#define MOST    40                  /* bytes of memory for one of text */
#define LETTERS 50 /* where every name has one letter and nothing but a sign stands between two */
#define TINY                                                                                                 \
    160 /* bytes of a statement, however short: for those that are wrong after two or three letters */
#define TINY_IN_SET 330
#define STEPS       12 /* steps for one byte of text */
#define STEPS_FLOOR                                                                                          \
    2000000 /* at most 1,000 messages are explained, by trying what would be right; one text is tried whole */

struct shape {
    const char *name, *head, *unit, *tail;
    enum sl_code code; /* of the first diagnostic; SL_OK: the text is fine */
    unsigned most;     /* bytes for one of text; 0: MOST */
};

static const struct shape shapes[] = {
    {"parentheses", "SELECT ", "(", "", SL_LIMIT, 0},
    {"parentheses closed at once", "SELECT ", "(1),", "2", SL_OK, 0},
    {"quotes", "SELECT ", "'", "1", SL_LEXICAL, 0},
    {"strings", "SELECT 1", ", 'a'", "", SL_OK, 0},
    {"comments", "SELECT 1 ", "/*", "", SL_SYNTAX, 0},
    {"comments closed at once", "SELECT 1 ", "/**x*/", "", SL_OK, 0},
    {"CASE WHEN", "SELECT ", "CASE WHEN ", "", SL_LIMIT, 0},
    {"one name", "SELECT ", "a", "", SL_SYNTAX, 0},
    {"AND", "SELECT a ", "AND a ", "", SL_LIMIT, 0},
    {"UNION ALL", "SELECT 1 ", "UNION ALL SELECT 1 ", "", SL_LIMIT, 0},
    {"columns", "SELECT a", ", a", "", SL_OK, 0},
    {"rows", "INSERT INTO t VALUES (1)", ", (1)", "", SL_OK, 0},
    {"statements", "", "SELECT 1;\n", "", SL_OK, 0},
    {"wrong statements", "", "SELEC 1;\n", "", SL_SYNTAX, 0},
    {"statements of a set", "EXECUTE STATEMENT SET BEGIN ", "INSERT INTO t SELECT 1; ", "END;", SL_OK, 0},
    {"no end of statements", "SELECT 1 ", "SELECT 1 ", "", SL_SYNTAX, 0},
    {"brackets", "SELECT a", "[1", "", SL_LIMIT, 0},
    {"types", "CREATE TABLE t (a ", "ARRAY<", "", SL_LIMIT, 0},
    {"names with dots", "SELECT a", ".a", "", SL_OK, 0},
    {"not", "SELECT ", "NOT ", "a", SL_LIMIT, 0},
    {"minus", "SELECT ", "- ", "a", SL_LIMIT, 0},
    {"1,1", "SELECT 1", ",1", "", SL_OK, 0},
    {"a,a", "SELECT a", ",a", "", SL_OK, LETTERS},
    {";;;", "", ";", "", SL_OK, 0},
    {"a;", "", "a;", "", SL_SYNTAX, TINY / 2},
    {"1;", "", "1;", "", SL_SYNTAX, TINY / 2},
    {"SET;", "", "SET;", "", SL_OK, 0},
    {"HELP;", "", "HELP;", "", SL_OK, 0},
    {"QUIT;", "", "QUIT;", "", SL_OK, 0},
    {"END;", "", "END;", "", SL_OK, 0},
    {"SELECT", "", "SELECT 1;", "", SL_OK, 0},
    {"SET k=v", "", "SET a=b;", "", SL_OK, 0},
    {"RESET a", "", "RESET a;", "", SL_OK, 0},
    {"SET 'k'='v'", "", "SET 'a'='b';", "", SL_OK, 0},
    {"RESET 'a'", "", "RESET'a';", "", SL_OK, 0},
    {"USE a", "", "USE a;", "", SL_OK, 0},
    {"DESC a", "", "DESC a;", "", SL_OK, 0},
    {"VALUES rows", "VALUES (1)", ",(1)", "", SL_OK, 0},
    {"VALUES 1", "VALUES 1", ",1", "", SL_OK, 0},
    {"VALUES", "", "VALUES 1;", "", SL_OK, 0},
    {"ROW", "SELECT ROW(1", ",1", ")", SL_OK, 0},
    {"array", "SELECT ARRAY[1", ",1", "]", SL_OK, 0},
    {"f()", "SELECT f()", ",f()", "", SL_OK, 0},
    {"f(a)", "SELECT f(", "a,", "a)", SL_OK, 0},
    {"hint list", "SELECT * FROM t /*+ a(b", ",b", ") */", SL_OK, 0},
    {"hints", "SELECT * FROM t /*+ a", ",a", " */", SL_OK, 0},
    {"opts", "CREATE TABLE t (a INT) WITH ('a'='b'", ",'a'='b'", ")", SL_OK, 0},
    {"options hint", "SELECT * FROM t /*+ OPTIONS('a'='b'", ",'a'='b'", ") */", SL_OK, 0},
    {"row type", "CREATE TABLE t (a ROW<a INT", ",a INT", ">)", SL_OK, 0},
    {"cols", "CREATE TABLE t (a INT", ",a INT", ")", SL_OK, 0},
    {"row type q", "CREATE TABLE t (a ROW<a q", ",a q", ">)", SL_OK, 0},
    {"case", "SELECT CASE", " WHEN 1 THEN 1", " END", SL_OK, 0},
    {"case2", "SELECT CASE a", " WHEN 1 THEN 1", " END", SL_OK, 0},
    {"casex", "SELECT 1", ",CASE WHEN 1 THEN 1 END", "", SL_OK, 0},
    {"in", "SELECT a IN (1", ",1", ")", SL_OK, 0},
    {"cte", "WITH a AS (SELECT 1)", ",a AS (SELECT 1)", " SELECT 1", SL_OK, 0},
    {"lateral tbl", "SELECT * FROM t", ",t", "", SL_LIMIT, 0},
    {"joins", "SELECT * FROM t", " JOIN t ON 1", "", SL_LIMIT, 0},
    {"group by", "SELECT a FROM t GROUP BY a", ",a", "", SL_OK, 0},
    {"order", "SELECT a FROM t ORDER BY a", ",a", "", SL_OK, LETTERS},
    {"grouping sets", "SELECT a FROM t GROUP BY GROUPING SETS(()", ",()", ")", SL_OK, 0},
    {"gs2", "SELECT a FROM t GROUP BY CUBE(a", ",a", ")", SL_OK, 0},
    {"as a", "SELECT a a", ",a a", "", SL_OK, 0},
    {"a*", "SELECT *", ",*", "", SL_OK, 0},
    {"set inner", "EXECUTE STATEMENT SET BEGIN ", "INSERT INTO t VALUES 1;", "END", SL_OK, 0},
    {"set inner t", "EXECUTE STATEMENT SET BEGIN ", "INSERT INTO t TABLE t;", "END", SL_OK, 0},
    {"set inner wrong", "EXECUTE STATEMENT SET BEGIN ", "a;", "END", SL_SYNTAX, TINY_IN_SET / 2},
    {"begin set", "BEGIN STATEMENT SET; ", "INSERT INTO t SELECT 1;", "END", SL_OK, 0},
    {"begin set tiny", "BEGIN STATEMENT SET; ", "a;", "END", SL_SYNTAX, TINY_IN_SET / 2},
    {"sets", "", "EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1; END;", "", SL_OK, 0},
    {"where eq", "SELECT 1", ",a=a", "", SL_OK, LETTERS},
    {"plus", "SELECT 1", ",a+a+a+a+a+a+a", "", SL_OK, LETTERS},
    {"-1", "SELECT 1", ",-1", "", SL_OK, 0},
    {"item", "SELECT a", "[1]", "", SL_LIMIT, 0},
    {"a[1]", "SELECT 1", ",a[1]", "", SL_OK, 0},
    {"()", "SELECT 1", ",(1)", "", SL_OK, 0},
    {"((", "SELECT 1", ",((((1))))", "", SL_OK, 0},
    {"lambda", "SELECT f(a", ",a->a", ")", SL_SYNTAX, 0},
    {"named", "SELECT f(a=>1", ",a=>1", ")", SL_OK, 0},
    {"json", "SELECT JSON_OBJECT('a':1", ",'a':1", ")", SL_OK, 0},
    {"json2", "SELECT JSON_ARRAY(1", ",1", ")", SL_OK, 0},
    {"map", "SELECT MAP[1,1", ",1,1", "]", SL_OK, 0},
    {"is null", "SELECT 1", ",a IS NULL", "", SL_OK, 0},
    {"between", "SELECT 1", ",a BETWEEN 1 AND 1", "", SL_OK, 0},
    {"cast", "SELECT 1", ",CAST(a AS INT)", "", SL_OK, 0},
    {"interval", "SELECT 1", ",INTERVAL '1' DAY", "", SL_OK, 0},
    {"over", "SELECT 1", ",f(a) OVER w", "", SL_OK, 0},
    {"window", "SELECT 1 FROM t WINDOW w AS ()", ",w AS ()", "", SL_OK, 0},
    {"pattern", "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (a", " a", ") DEFINE a AS 1)", SL_OK, 0},
    {"pattern|", "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (a", "|a", ") DEFINE a AS 1)", SL_OK, 0},
    {"pattern*", "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (a", " a*", ") DEFINE a AS 1)", SL_LIMIT, 0},
    {"define", "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (a) DEFINE a AS 1", ",a AS 1", ")", SL_OK, 0},
    {"measures", "SELECT * FROM t MATCH_RECOGNIZE (MEASURES a AS a", ",a AS a", " PATTERN (a) DEFINE a AS 1)",
     SL_OK, 0},
    {"str str", "SELECT 'a'", " 'a'", "", SL_OK, 0},
    {"str nl", "SELECT 'a'", "\n'a'", "", SL_OK, 0},
    {"newlines", "SELECT 1", "\n", "", SL_OK, 0},
    {"nl statements", "", "\n;", "", SL_OK, 0},
    {"stmts nl", "", "a\n;", "", SL_SYNTAX, TINY / 3},
    {"crlf", "SELECT 1", "\r\n", "", SL_OK, 0},
    {"line comments", "SELECT 1", "--\n", "", SL_OK, 0},
    {"//", "SELECT 1", "//\n", "", SL_OK, 0},
    {"add", "ALTER TABLE t ADD (a INT", ",a INT", ")", SL_OK, 0},
    {"drop", "ALTER TABLE t DROP (a", ",a", ")", SL_OK, 0},
    {"reset opt", "ALTER TABLE t RESET ('a'", ",'a'", ")", SL_OK, 0},
    {"modify", "ALTER TABLE t MODIFY (a INT", ",a INT", ")", SL_OK, 0},
    {"partition", "INSERT INTO t PARTITION (a=1", ",a=1", ") SELECT 1", SL_OK, 0},
    {"collist", "INSERT INTO t (a", ",a", ") SELECT 1", SL_OK, 0},
    {"alias cols", "SELECT * FROM t AS t(a", ",a", ")", SL_OK, 0},
    {"cte cols", "WITH t(a", ",a", ") AS (SELECT 1) SELECT 1", SL_OK, 0},
    {"like", "CREATE TABLE t LIKE t (INCLUDING ALL", " INCLUDING ALL", ")", SL_SYNTAX, 0},
    {"analyze", "ANALYZE TABLE t COMPUTE STATISTICS FOR COLUMNS a", ",a", "", SL_OK, 0},
    {"drop parts", "ALTER TABLE t DROP PARTITION (a=1)", ",PARTITION (a=1)", "", SL_OK, 0},
    {"pivot", "SELECT * FROM t PIVOT (SUM(a) FOR a IN (1", ",1", "))", SL_OK, 0},
    {"jar", "CREATE FUNCTION f AS 'a' USING JAR 'a'", ",JAR 'a'", "", SL_OK, 0},
    {"use modules", "USE MODULES a", ",a", "", SL_OK, 0},
    {"emoji", "SELECT '", "\xf0\x9f\x98\x80", "'", SL_OK, 0},
    {"badchar", "SELECT 1", "\xc2\xa7", "", SL_LEXICAL, 0},
    {"badchars;", "", "\xc2\xa7;", "", SL_LEXICAL, TINY / 3},
    {"'\n", "", "'\n", "", SL_SYNTAX, 0},
    {"'a;", "", "'a;\n", "", SL_LEXICAL, TINY / 2},
    {"`", "", "`\n", "", SL_LEXICAL, 0},
    {"`;", "", "`;", "", SL_SYNTAX, 0},
    {"$", "", "$", "", SL_SYNTAX, 0},
    {"${a}", "SELECT 1", ",${a}", "", SL_SYNTAX, 0},
    {"${", "", "${", "", SL_SYNTAX, 0},
    {"{", "SELECT 1", "{", "", SL_SYNTAX, 0},
    {"{fn", "SELECT 1", ",{fn f()}", "", SL_OK, 0},
    {"?", "SELECT ?", ",?", "", SL_OK, 0},
    {"call", "CALL f(1", ",1", ")", SL_OK, 0},
    {"expl", "", "EXPLAIN a;", "", SL_SYNTAX, 0},
    {"CASE;", "", "CASE;", "", SL_SYNTAX, 0},
    {"(;", "", "(;", "", SL_SYNTAX, TINY / 2},
    {"BEGIN", "", "BEGIN;", "", SL_SYNTAX, 0},
    {"not", "", "NOT ", "", SL_SYNTAX, 0},
    {"EXPLAIN SET", "", "EXPLAIN STATEMENT SET BEGIN ", "", SL_SYNTAX, 0},
    {"END ", "", "END ", "", SL_SYNTAX, 0},
    {"SET a=", "", "SET a=", "", SL_SYNTAX, 0},
    {"SET =", "SET a", "=", "", SL_OK, 0},
    {"SET a='", "", "SET a='", "", SL_SYNTAX, 0},
    {"SET '", "", "SET '", "", SL_SYNTAX, 0},
    {"SET a==b;", "", "SET a==b;", "", SL_OK, 0},
    {"RESET", "", "RESET ", "", SL_SYNTAX, 0},
    {"SET x=b ", "SET ", "a=b ", "", SL_SYNTAX, 0},
    {"ss", "EXECUTE STATEMENT SET BEGIN ", "EXECUTE ", "END", SL_SYNTAX, 0},
    {"ss sel", "EXECUTE STATEMENT SET BEGIN ", "SELECT 1;", "", SL_SYNTAX, 0},
    {"ss sel2", "", "EXECUTE STATEMENT SET BEGIN SELECT 1;", "", SL_SYNTAX, 0},
    {"/*+", "SELECT 1 FROM t ", "/*+", "", SL_SYNTAX, 0},
    {"*/", "SELECT 1 FROM t ", "*/", "", SL_SYNTAX, 0},
    {"/*+*/", "SELECT 1 FROM t ", "/*+ a */", "", SL_SYNTAX, 0},
    {"u&", "SELECT U&'a'", ",U&'a'", "", SL_OK, 0},
    {"_latin", "SELECT 1", ",_utf8'a'", "", SL_OK, 0},
    {"e", "SELECT 1", ",E'a'", "", SL_OK, 0},
    {"1e1", "SELECT 1", ",1e1", "", SL_OK, 0},
    {"update", "", "UPDATE t SET a=1;", "", SL_OK, 0},
    {"setupd", "UPDATE t SET a=1", ",a=1", "", SL_OK, 0},
    {"exists", "SELECT 1", ",EXISTS(SELECT 1)", "", SL_OK, 0},
    {"(select)", "SELECT 1", ",(SELECT 1)", "", SL_OK, 0},
    {"from (select", "SELECT 1 FROM (SELECT 1)", ",(SELECT 1)", "", SL_LIMIT, 0},
    {"table()", "SELECT * FROM TABLE(f())", ",TABLE(f())", "", SL_LIMIT, 0},
    {"unnest", "SELECT * FROM t", ",UNNEST(a)", "", SL_LIMIT, 0},
    {"union", "SELECT 1", " UNION SELECT 1", "", SL_LIMIT, 0},
    {"values union", "VALUES 1", " UNION VALUES 1", "", SL_LIMIT, 0},
    {"tables", "TABLE t", " UNION TABLE t", "", SL_LIMIT, 0},
    {"or", "SELECT 1", " OR 1", "", SL_LIMIT, 0},
    {"+", "SELECT 1", "+1", "", SL_LIMIT, 0},
    {"||", "SELECT 1", "||1", "", SL_LIMIT, 0},
    {"=", "SELECT 1", "=1", "", SL_LIMIT, 0},
    {"like", "SELECT 1", " LIKE 1", "", SL_LIMIT, 0},
    {"is null", "SELECT 1", " IS NULL", "", SL_LIMIT, 0},
    {"::", "SELECT 1", "::", "", SL_SYNTAX, 0},
    {"case nested", "SELECT ", "CASE WHEN 1 THEN ", "", SL_LIMIT, 0},
    {"row<", "CREATE TABLE t (a ", "ROW<a ", "", SL_LIMIT, 0},
    {"map<", "CREATE TABLE t (a ", "MAP<INT,", "", SL_LIMIT, 0},
    {"arr suffix", "CREATE TABLE t (a INT", " ARRAY", ")", SL_LIMIT, 0},
};

struct sql_steps sql_steps;

struct cost {
    size_t text, bytes;
    uint64_t steps;
    enum sl_code code;
    size_t told;
};

static struct cost measure(const struct shape *shape, size_t size)
{
    SL_ARENA_AUTO a = {0};
    struct sl_buf b;
    struct sql_script s;
    struct sl_err err = SL_ERR_INIT;
    sl_buf_init(&b, 4 * LARGE);
    sl_buf_putz(&b, shape->head);
    while (b.n < size) {
        sl_buf_putz(&b, shape->unit);
    }
    sl_buf_putz(&b, shape->tail);
    sql_script_init(&s, &a, 0);
    sql_steps = (struct sql_steps){0};
    assert_true(sql_script_add(&s, SL_STR("x.sql"), sl_buf_str(&b),
                               &(struct sql_options){.level = SQL_LEVEL_SYNTAX}, &err));
    struct cost c = {.text = b.n, .bytes = a.used, .told = s.diags.list.n};
    c.steps = sql_steps.tokens + sql_steps.bytes + sql_steps.shifts + sql_steps.reductions;
    c.code = s.diags.list.n ? s.diags.list.v[0].code : SL_OK;
    assert_true(s.diags.list.n <= 1000);
    sl_buf_release(&b);
    return c;
}

static void grows_as_the_text(void **state)
{
    (void)state;
    bool failed = false;
    for (size_t i = 0; i < SL_ARRAY_LEN(shapes); i++) {
        struct cost c[SIZES];
        size_t most = shapes[i].most ? shapes[i].most : MOST;
        bool bytes = true, steps = true;
        for (size_t k = 0; k < SIZES; k++) {
            c[k] = measure(&shapes[i], (i < NAMED ? LARGE : LARGE / 2) >> (SIZES - 1 - k));
            bytes = bytes && c[k].bytes <= most * c[k].text + FLOOR;
            steps = steps && c[k].steps <= STEPS * c[k].text + STEPS_FLOOR;
            if (k) {
                bytes = bytes && c[k].bytes <= 2 * c[k - 1].bytes + c[k - 1].bytes / 8 + FLOOR;
                steps = steps && c[k].steps <= 2 * c[k - 1].steps + c[k - 1].steps / 8 + STEPS_FLOOR;
            }
        }
        const struct cost *large = &c[SIZES - 1], *small = &c[0];
        bool code = large->code == shapes[i].code;
        failed = failed || !bytes || !steps || !code;
        printf("%s %-26s %5.1f bytes and %5.1f steps for one (%5.1f at 1/8), %s%s\n",
               bytes && steps && code ? "  " : "XX", shapes[i].name,
               (double)large->bytes / (double)large->text, (double)large->steps / (double)large->text,
               (double)small->steps / (double)small->text, large->told ? sl_code_slug(large->code) : "fine",
               code ? "" : " (another one was expected)");
    }
    assert_false(failed);
}

/* Laying out passes the text a few times, however many statements it has. */
static void layout_grows_as_the_text(void **state)
{
    (void)state;
    static const char *const units[] = {"SELECT a, b FROM t;\n", "SET 'a' = 'b';\n", "-- c\nUSE d;;\n"};
    for (size_t i = 0; i < SL_ARRAY_LEN(units); i++) {
        uint64_t before = 0;
        for (size_t size = LARGE / 32; size <= LARGE / 4; size *= 2) {
            SL_ARENA_AUTO a = {0};
            struct sl_buf b;
            struct sql_fmt done;
            struct sl_err err = SL_ERR_INIT;
            sl_buf_init(&b, LARGE);
            while (b.n < size) {
                sl_buf_putz(&b, units[i]);
            }
            sql_steps = (struct sql_steps){0};
            assert_true(
                sql_format(&a, SL_STR("x.sql"), sl_buf_str(&b), &(struct sql_fmt_options){0}, &done, &err));
            uint64_t steps = sql_steps.tokens + sql_steps.bytes + sql_steps.shifts + sql_steps.reductions;
            printf("   %-26.12s %5.1f steps for one of %zu\n", units[i], (double)steps / (double)b.n, b.n);
            assert_true(!before || steps <= 2 * before + before / 8 + STEPS_FLOOR);
            before = steps;
            sl_buf_release(&b);
        }
    }
}

/* What is refused for its depth or length says which limit it is. */
static void limits_are_told(void **state)
{
    (void)state;
    static const char *const units[] = {"(", "CASE WHEN ", "a AND "};
    for (size_t i = 0; i < SL_ARRAY_LEN(units); i++) {
        SL_ARENA_AUTO a = {0};
        struct sl_buf b;
        struct sql_script s;
        struct sl_err err = SL_ERR_INIT;
        sl_buf_init(&b, LARGE);
        sl_buf_putz(&b, "SELECT ");
        for (size_t k = 0; k < 3000; k++) {
            sl_buf_putz(&b, units[i]);
        }
        sql_script_init(&s, &a, 0);
        assert_true(sql_script_add(&s, SL_STR("x.sql"), sl_buf_str(&b),
                                   &(struct sql_options){.level = SQL_LEVEL_SYNTAX}, &err));
        assert_int_equal(s.diags.list.n, 1);
        assert_true(s.diags.list.v[0].code == SL_LIMIT && s.diags.list.v[0].msg.n &&
                    s.diags.list.v[0].pos.line == 1);
        sl_buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(grows_as_the_text),
                                       cmocka_unit_test(layout_grows_as_the_text),
                                       cmocka_unit_test(limits_are_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
