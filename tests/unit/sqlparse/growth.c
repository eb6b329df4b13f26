/* SPDX-License-Identifier: Apache-2.0
 * Nothing makes the parser slow or large: texts of one shape in four sizes up to 1 MB, whole scripts through cutting and
 * grammar. Memory is counted in the arena: at most 40 bytes for one of text beyond a floor, twice as much for twice the
 * text. Work is the thread's CPU time, and only what grows with the square of the size is a failure. What is nested or
 * chained too far is refused with a limit that says so. */
#include "base/buf.h"
#include "base/limits.h"
#include "sqlparse/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SIZES 4
#define LARGE ((size_t)1 << 20)
#define FLOOR ((size_t)256 << 10) /* messages, tables, the first blocks */

struct shape {
    const char *name, *head, *unit, *tail;
    enum sl_code code; /* of the first diagnostic; SL_OK: the text is fine */
    size_t most;       /* bytes for one of text */
};

static const struct shape shapes[] = {
    {"parentheses", "SELECT ", "(", "", SL_LIMIT, 40},
    {"parentheses closed at once", "SELECT ", "(1),", "2", SL_OK, 40},
    {"quotes", "SELECT ", "'", "1", SL_LEXICAL, 40},
    {"strings", "SELECT 1", ", 'a'", "", SL_OK, 40},
    {"comments", "SELECT 1 ", "/*", "", SL_SYNTAX, 40},
    {"comments closed at once", "SELECT 1 ", "/**x*/", "", SL_OK, 40},
    {"CASE WHEN", "SELECT ", "CASE WHEN ", "", SL_LIMIT, 40},
    {"one name", "SELECT ", "a", "", SL_SYNTAX, 40},
    {"AND", "SELECT a ", "AND a ", "", SL_LIMIT, 40},
    {"UNION ALL", "SELECT 1 ", "UNION ALL SELECT 1 ", "", SL_LIMIT, 40},
    {"columns", "SELECT a", ", a", "", SL_OK, 40},
    {"rows", "INSERT INTO t VALUES (1)", ", (1)", "", SL_OK, 40},
    {"statements", "", "SELECT 1;\n", "", SL_OK, 40},
    {"wrong statements", "", "SELEC 1;\n", "", SL_SYNTAX, 40},
    {"statements of a set", "EXECUTE STATEMENT SET BEGIN ", "INSERT INTO t SELECT 1; ", "END;", SL_OK,
     64} /* each INSERT has a tree of its own beside that of the set */,
    {"no end of statements", "SELECT 1 ", "SELECT 1 ", "", SL_SYNTAX, 40},
    {"brackets", "SELECT a", "[1", "", SL_LIMIT, 40},
    {"types", "CREATE TABLE t (a ", "ARRAY<", "", SL_LIMIT, 40},
    {"names with dots", "SELECT a", ".a", "", SL_OK, 40},
    {"not", "SELECT ", "NOT ", "a", SL_LIMIT, 40},
    {"minus", "SELECT ", "- ", "a", SL_LIMIT, 40},
};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct cost {
    size_t bytes;
    double seconds;
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
    double start = cpu_seconds();
    assert_true(sql_script_add(&s, SL_STR("x.sql"), sl_buf_str(&b),
                               &(struct sql_options){.level = SQL_LEVEL_SYNTAX}, &err));
    struct cost c = {.bytes = a.used, .seconds = cpu_seconds() - start, .told = s.diags.list.n};
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
        for (size_t k = 0; k < SIZES; k++) {
            c[k] = measure(&shapes[i], LARGE >> (SIZES - 1 - k));
        }
        const struct cost *large = &c[SIZES - 1], *small = &c[0];
        bool bytes = large->bytes <= shapes[i].most * LARGE + FLOOR;
        for (size_t k = 1; k < SIZES; k++) {
            bytes = bytes && c[k].bytes <= 2 * c[k - 1].bytes + c[k - 1].bytes / 4 + FLOOR;
        }
        bool seconds = large->seconds <= 8 * 3 * small->seconds + 0.25;
        bool code = large->code == shapes[i].code;
        if (!bytes || !seconds || !code) {
            failed = true;
        }
        printf("%s %-28s %5.1f bytes for one, %6.1f ms for 1 MB, %6.1f for 1/8, %s%s\n",
               bytes && seconds && code ? "  " : "XX", shapes[i].name, (double)large->bytes / (double)LARGE,
               large->seconds * 1e3, small->seconds * 1e3, large->told ? sl_code_slug(large->code) : "fine",
               code ? "" : " (another one was expected)");
    }
    assert_false(failed);
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
                                       cmocka_unit_test(limits_are_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
