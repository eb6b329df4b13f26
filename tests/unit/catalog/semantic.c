/* SPDX-License-Identifier: Apache-2.0
 * Names and shapes against Flink's own planner: what it takes is never called wrong, what it refuses for its
 * names or shape is found at its place and said once; and the work grows with the script alone. The verdicts
 * are in tests/golden/semantic (made by asking Flink). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "catalog/check.h"
#include "catalog/scope.h"

#define FILE_OF_CASES "tests/golden/semantic/flink-2.2.txt"

struct counts {
    int valid, called_wrong, wrong, found, placed, placed_right, followers;
};

static char *read_all(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    long n = ftell(f);
    assert_true(n > 0);
    rewind(f);
    char *text = malloc((size_t)n + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)n, f), n);
    text[n] = '\0';
    fclose(f);
    return text;
}

/* Errors in statement `number`; the first goes to *ret. */
static int errors_of(const struct sql_script *s, uint32_t number, const struct sql_diag **ret)
{
    int n = 0;
    *ret = NULL;
    for (size_t i = 0; i < s->diags.list.n; i++) {
        const struct sql_diag *d = &s->diags.list.v[i];
        if (d->statement == number && d->severity == SQL_ERROR) {
            *ret = *ret ? *ret : d;
            n++;
        }
    }
    return n;
}

/* The place is the name itself: inside what Flink points at, or around where it starts. */
static bool at_place(const struct sql_script *s, const struct sql_stmt *st, const struct sql_diag *d,
                     unsigned line, unsigned col, unsigned end)
{
    unsigned first = st->pos.line + line - 1, shift = line == 1 ? st->pos.col - 1 : 0;
    (void)s;
    bool inside = d->pos.line == first && d->pos.col >= col + shift && d->pos.col <= end + shift;
    bool around = d->pos.line == first && d->pos.col <= col + shift && d->pos.end_col > col + shift;
    return inside || around;
}

static void one_case(const char *line, size_t n, sl_str base, size_t n_base, struct counts *c)
{
    SL_ARENA_AUTO a = {0};
    struct sl_buf text;
    sl_buf_init(&text, 0);
    sl_buf_put(&text, base.p, base.n);
    const char *tab = memchr(line, '\t', n);
    assert_non_null(tab);
    for (const char *p = line; p < tab;) {
        const char *next = memmem(p, (size_t)(tab - p), " ;; ", 4);
        const char *end = next ? next : tab;
        sl_buf_put(&text, p, (size_t)(end - p));
        sl_buf_put(&text, ";\n", 2);
        p = next ? next + 4 : tab;
    }
    struct sql_script s;
    struct sl_err err;
    struct sql_options opt = {.flink = SQL_FLINK_2_2, .level = SQL_LEVEL_SYNTAX};
    sql_script_init(&s, &a, SQL_FLINK_2_2);
    assert_true(sql_script_add(&s, SL_STR("case"), sl_buf_str(&text), &opt, &err));
    cat_check(&s, CAT_LEVEL_SCRIPT);
    uint32_t number = (uint32_t)n_base + 1;
    const char *v = tab + 1, *end = line + n;
    for (; v < end && number <= s.stmts.n; number++) {
        const char *space = memchr(v, ' ', (size_t)(end - v));
        sl_str verdict = {v, (size_t)((space ? space : end) - v)};
        v = space ? space + 1 : end;
        const struct sql_diag *d;
        int errors = errors_of(&s, number, &d);
        unsigned l, col, last;
        if (sl_str_eqz(verdict, "-")) {
            continue;
        }
        if (sl_str_eqz(verdict, "ok")) {
            c->valid++;
            c->called_wrong += errors > 0;
            if (errors) {
                fprintf(stderr, "valid, but: %.*s\n  in %.*s\n", SL_S(d->msg), (int)(tab - line), line);
            }
            continue;
        }
        c->wrong++;
        c->found += errors > 0;
        c->followers += errors > 1;
        if (!errors) {
            fprintf(stderr, "not found (%.*s): %.*s\n", SL_S(verdict), (int)(tab - line), line);
        } else if (errors > 1) {
            fprintf(stderr, "said %d times: %.*s\n", errors, (int)(tab - line), line);
        }
        if (errors && sscanf(verdict.p, "%u:%u-%u", &l, &col, &last) == 3) {
            bool right = at_place(&s, &s.stmts.v[number - 1], d, l, col, last);
            c->placed++;
            c->placed_right += right;
            if (!right) {
                fprintf(stderr, "at %u:%u, Flink at %.*s: %.*s\n", d->pos.line, d->pos.col, SL_S(verdict),
                        (int)(tab - line), line);
            }
        }
    }
    sl_buf_release(&text);
}

static void as_flink_says(void **state)
{
    (void)state;
    char *all = read_all(FILE_OF_CASES);
    struct sl_buf base;
    sl_buf_init(&base, 0);
    size_t n_base = 0;
    struct counts c = {0};
    for (char *p = all; *p;) {
        char *nl = strchr(p, '\n');
        size_t n = nl ? (size_t)(nl - p) : strlen(p);
        if (*p == '=') {
            sl_buf_put(&base, p + 1, n - 1);
            sl_buf_put(&base, ";\n", 2);
            n_base++;
        } else if (n && *p != '#') {
            one_case(p, n, sl_buf_str(&base), n_base, &c);
        }
        p += n + (nl != NULL);
    }
    printf("%d valid statements, %d called wrong; %d mistakes, %d found (%d%%), %d with followers; %d of %d "
           "at their place\n",
           c.valid, c.called_wrong, c.wrong, c.found, c.wrong ? c.found * 100 / c.wrong : 0, c.followers,
           c.placed_right, c.placed);
    assert_true(c.valid > 100 && c.wrong > 200);
    assert_int_equal(c.called_wrong, 0);
    assert_int_equal(c.followers, 0);
    assert_true(c.found * 100 >= c.wrong * 90);
    assert_true(c.placed_right * 100 >= c.placed * 90);
    sl_buf_release(&base);
    free(all);
}

/* `n` groups of statements, each with its own table of 30 columns, a view and an INSERT. */
static uint64_t steps_of(unsigned n)
{
    SL_ARENA_AUTO a = {0};
    struct sl_buf text;
    sl_buf_init(&text, 0);
    for (unsigned i = 0; i < n; i++) {
        sl_buf_printf(&text, "CREATE TABLE t%u (", i);
        for (unsigned k = 0; k < 30; k++) {
            sl_buf_printf(&text, "c%u INT, ", k);
        }
        sl_buf_printf(
            &text,
            "ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');\n"
            "CREATE VIEW v%u AS SELECT c1, c2, COUNT(c3) AS n FROM t%u WHERE c4 > c5 GROUP BY c1, c2;\n"
            "INSERT INTO t%u (c1, c2) SELECT c1, c2 FROM v%u;\n",
            i, i, i, i);
    }
    struct sql_script s;
    struct sl_err err;
    struct sql_options opt = {.flink = SQL_FLINK_2_2, .level = SQL_LEVEL_SYNTAX};
    sql_script_init(&s, &a, SQL_FLINK_2_2);
    assert_true(sql_script_add(&s, SL_STR("big"), sl_buf_str(&text), &opt, &err));
    uint64_t steps = cat_scope_check_in(&s, NULL);
    assert_int_equal(s.diags.errors, 0);
    sl_buf_release(&text);
    return steps;
}

/* One SELECT of `n` columns that are all grouped. */
static uint64_t steps_of_columns(unsigned n)
{
    SL_ARENA_AUTO a = {0};
    struct sl_buf text;
    sl_buf_init(&text, 0);
    sl_buf_printf(&text, "CREATE TABLE t (");
    for (unsigned i = 0; i < n; i++) {
        sl_buf_printf(&text, "%sc%u INT", i ? ", " : "", i);
    }
    for (unsigned pass = 0; pass < 2; pass++) {
        sl_buf_printf(&text, pass ? " FROM t GROUP BY " : ") WITH ('connector' = 'datagen');\nSELECT ");
        for (unsigned i = 0; i < n; i++) {
            sl_buf_printf(&text, "%sc%u", i ? ", " : "", i);
        }
    }
    sl_buf_put(&text, ";\n", 2);
    struct sql_script s;
    struct sl_err err;
    struct sql_options opt = {.flink = SQL_FLINK_2_2, .level = SQL_LEVEL_SYNTAX};
    sql_script_init(&s, &a, SQL_FLINK_2_2);
    assert_true(sql_script_add(&s, SL_STR("wide"), sl_buf_str(&text), &opt, &err));
    uint64_t steps = cat_scope_check_in(&s, NULL);
    assert_int_equal(s.diags.errors, 0);
    sl_buf_release(&text);
    return steps;
}

static void the_work_grows_with_the_script(void **state)
{
    (void)state;
    uint64_t small = steps_of(50), large = steps_of(800);
    assert_true(small > 50);
    assert_true(large < small * 16 * 2);
    small = steps_of_columns(100);
    large = steps_of_columns(1600);
    assert_true(large < small * 16 * 2);
}

static bool says(const struct cat_session *session, const char *sql)
{
    SL_ARENA_AUTO a = {0};
    struct sql_script s;
    struct sl_err err;
    struct sql_options opt = {.flink = SQL_FLINK_2_2, .level = SQL_LEVEL_SYNTAX};
    sql_script_init(&s, &a, SQL_FLINK_2_2);
    assert_true(sql_script_add(&s, SL_STR("session"), sl_str_of(sql), &opt, &err));
    (void)cat_scope_check_in(&s, session);
    return s.diags.errors > 0;
}

static void a_session_brings_its_tables(void **state)
{
    (void)state;
    const sl_str columns[] = {SL_STR("id"), SL_STR("name")}, types[] = {SL_STR("BIGINT"), SL_STR("STRING")};
    const struct cat_known_table tables[] = {
        {.name = SL_STR("t"), .columns = columns, .types = types, .n_columns = 2},
        {.name = SL_STR("wide")},
    };
    const sl_str functions[] = {SL_STR("Mine")};
    struct cat_session session = {.tables = tables, .n_tables = 2, .functions = functions, .n_functions = 1};
    assert_false(says(&session, "SELECT id, mine(name) FROM t; SELECT anything FROM wide"));
    assert_true(says(&session, "SELECT nope FROM t"));
    assert_true(says(&session, "SELECT id FROM u"));
    assert_true(says(&session, "SELECT id + name FROM t"));
    assert_true(says(&session, "SELECT other(name) FROM t"));
    session.open = true;
    assert_false(says(&session, "SELECT id FROM u; USE CATALOG c; SELECT other(name) FROM t"));
}

/* One mistake is said once: neither what hangs on it in its statement nor statements behind it are called wrong. */
static void one_mistake_has_no_followers(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        size_t errors;
    } scripts[] = {
        {"CREATE CATALOG c WITH ('type' = 'generic_in_memory'); USE CATALOG cc; CREATE DATABASE d; USE d;"
         "CREATE TABLE t (a INT) WITH ('connector' = 'datagen'); SELECT a FROM c.d.t",
         1},
        {"CREATE CATALOG c WITH ('type' = 'generic_in_memory'); USE CATALOG c; CREATE DATABASE d; USE dd;"
         "CREATE TABLE t (a INT) WITH ('connector' = 'datagen'); SELECT a FROM c.d.t",
         1},
        {"CREATE TABLE nope.t (a INT) WITH ('connector' = 'datagen'); SELECT a FROM t", 1},
        {"CREATE TABLE s (a INT) WITH ('connector' = 'datagen'); CREATE TABLE n (b DECIMAL(9, 2)) WITH "
         "('connector' = 'print'); INSERT INTO n SELECT SUM(c) FROM (SELECT CAST(a AS STRING) AS c FROM s)",
         1},
        {"CREATE TABLE s (a INT, b INT) WITH ('connector' = 'datagen');"
         "SELECT s.a, s.b FROM s AS x WHERE s.a > s.b",
         1},
        {"CREATE TABLE s (a INT) WITH ('connector' = 'datagen'); CREATE TABLE r (b INT) WITH ('connector' = "
         "'datagen'); SELECT s.a, r.b FROM s AS r JOIN r ON r.a = r.b",
         1},
        {"CREATE TABLE s (a INT) WITH ('connector' = 'datagen'); CREATE VIEW v AS SELECT nope FROM s;"
         "SELECT nope, other FROM v",
         1},
        {"CREATE TABLE s (a INT) WITH ('connector' = 'datagen'); CREATE VIEW s AS SELECT a FROM s;"
         "SELECT a FROM v; SELECT a FROM v",
         1} /* v is the view that has the wrong name */,
        {"CREATE TABLE s (a INT) WITH ('connector' = 'datagen'); CREATE VIEW s AS SELECT a FROM s;"
         "SELECT a FROM v; SELECT a FROM u",
         2},
        {"SELECT x'ABC'", 1},
        {"SELECT x'AB', x'', x'A' 'B'", 0},
        {"CREATE TABLE s (a INT) WITH ('connector' = 'datagen'); SELECT a FROM other.default_database.s", 1},
        {"SET 'table.catalog-store.kind' = 'file'; SELECT a FROM other.default_database.s", 0},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(scripts); i++) {
        SL_ARENA_AUTO a = {0};
        struct sql_script s;
        struct sl_err err;
        struct sql_options opt = {.flink = SQL_FLINK_2_2, .level = SQL_LEVEL_SYNTAX};
        sql_script_init(&s, &a, SQL_FLINK_2_2);
        assert_true(sql_script_add(&s, SL_STR("once"), sl_str_of(scripts[i].sql), &opt, &err));
        (void)cat_scope_check_in(&s, NULL);
        for (size_t k = 0; s.diags.errors != scripts[i].errors && k < s.diags.list.n; k++) {
            fprintf(stderr, "script %zu: %.*s\n", i, SL_S(s.diags.list.v[k].msg));
        }
        assert_int_equal(s.diags.errors, scripts[i].errors);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_flink_says),
        cmocka_unit_test(the_work_grows_with_the_script),
        cmocka_unit_test(a_session_brings_its_tables),
        cmocka_unit_test(one_mistake_has_no_followers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
