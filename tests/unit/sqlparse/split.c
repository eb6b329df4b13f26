/* SPDX-License-Identifier: Apache-2.0
 * The splitter against its golden file, and what a golden file cannot hold: that pieces cover the text
 * whatever it is, that work and memory grow linearly, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <time.h>

#include "base/limits.h"
#include "sqlparse/sql.h"
#include "tests/unit/sqlparse/golden.h"

static void put_text(struct sl_buf *out, sl_str text)
{
    sl_str rest = text;
    while (rest.n) {
        sl_str line = golden_line(&rest);
        sl_buf_putz(out, "  | ");
        for (size_t i = 0; i < line.n; i++) {
            if (line.p[i] == '\r') {
                sl_buf_putz(out, "<CR>");
            } else {
                sl_buf_putc(out, line.p[i]);
            }
        }
        sl_buf_putc(out, '\n');
    }
}

static void put_pos(struct sl_buf *out, struct sl_pos p)
{
    sl_buf_printf(out, "%u:%u-%u:%u", p.line, p.col, p.end_line, p.end_col);
}

static void split_case(sl_str name, sl_str input, struct sl_buf *out)
{
    (void)name;
    SL_ARENA_AUTO arena = {0};
    struct sql_script s;
    struct sl_err err = SL_ERR_INIT;
    sql_script_init(&s, &arena, 0);
    if (!sql_script_add(&s, SL_STR("x.sql"), input, &(struct sql_options){.level = SQL_LEVEL_SPLIT}, &err)) {
        sl_buf_printf(out, "refused: %s %s\n", sl_code_slug(err.code), err.msg);
        return;
    }
    for (size_t i = 0; i < s.stmts.n; i++) {
        const struct sql_stmt *st = &s.stmts.v[i];
        sl_buf_printf(out, "%u %s ", st->number, sql_kind_name(st->kind));
        put_pos(out, st->pos);
        sl_buf_printf(out, " @%u+%u%s%s", st->pos.off, st->pos.len, st->terminated ? " ;" : "",
                      st->bad ? " bad" : "");
        if (st->has_key) {
            sl_buf_printf(out, " key [%.*s] value [%.*s]", SL_S(st->key), SL_S(st->value));
        }
        if (st->object.n) {
            sl_buf_printf(out, "%s of [%.*s]", st->temporary ? " temporary" : "", SL_S(st->object));
        }
        sl_buf_putc(out, '\n');
        put_text(out, st->text);
        for (size_t k = 0; k < st->n_inner; k++) {
            const struct sql_stmt *in = &st->inner[k];
            sl_buf_printf(out, "  > %s ", sql_kind_name(in->kind));
            put_pos(out, in->pos);
            sl_buf_printf(out, "%s [%.*s]\n", in->terminated ? " ;" : "", SL_S(in->text));
        }
    }
    for (size_t i = 0; i < s.diags.list.n; i++) {
        const struct sql_diag *d = &s.diags.list.v[i];
        sl_buf_printf(out, "! %s in %u at ", sl_code_slug(d->code), d->statement);
        put_pos(out, d->pos);
        sl_buf_printf(out, " %.*s\n", SL_S(d->msg));
    }
}

static void traps(void **state)
{
    (void)state;
    int cases = 0;
    assert_int_equal(golden_run("tests/golden/split/traps.txt", split_case, &cases), 0);
    assert_true(cases >= 80);
}

/* What Flink's own two cutters differ in, or both get wrong. */
static void where_flink_differs(void **state)
{
    (void)state;
    int cases = 0;
    assert_int_equal(golden_run("tests/golden/split/flink-differs.txt", split_case, &cases), 0);
    assert_true(cases >= 29);
}

static void kinds(void **state)
{
    (void)state;
    int cases = 0;
    assert_int_equal(golden_run("tests/golden/split/kinds.txt", split_case, &cases), 0);
    assert_true(cases >= 10);
}

/* Whatever the text: statements lie in order, inside it, without overlap, and positions agree with offsets.
 */
static void any_text_is_covered(void **state)
{
    (void)state;
    static const char *const bits[] = {"SELECT ",
                                       "'",
                                       "''",
                                       "`",
                                       "\"",
                                       ";",
                                       "--",
                                       "\n",
                                       "/*",
                                       "*/",
                                       "//",
                                       "BEGIN ",
                                       "END ",
                                       "CASE ",
                                       "STATEMENT SET ",
                                       "EXECUTE ",
                                       "INSERT INTO t ",
                                       "SET a=",
                                       "(",
                                       ")",
                                       "x",
                                       " ",
                                       "\r",
                                       "\xe8\xae\xa2",
                                       "${a}",
                                       "/*+",
                                       "U&'",
                                       "1"};
    uint32_t seed = 12345;
    for (int round = 0; round < 4000; round++) {
        char text[256];
        size_t n = 0;
        for (int k = 0; k < 24; k++) {
            seed = seed * 1664525u + 1013904223u;
            const char *bit = bits[(seed >> 16) % SL_ARRAY_LEN(bits)];
            memcpy(text + n, bit, strlen(bit));
            n += strlen(bit);
        }
        SL_ARENA_AUTO arena = {0};
        struct sql_script s;
        struct sl_err err = SL_ERR_INIT;
        sql_script_init(&s, &arena, 0);
        assert_true(sql_script_add(&s, SL_STR("x"), (sl_str){text, n},
                                   &(struct sql_options){.level = SQL_LEVEL_SPLIT}, &err));
        uint32_t at = 0;
        for (size_t i = 0; i < s.stmts.n; i++) {
            const struct sql_stmt *st = &s.stmts.v[i];
            assert_true(st->pos.off >= at && st->pos.len > 0 && st->pos.off + st->pos.len <= n);
            assert_true(st->text.p == text + st->pos.off && st->text.n == st->pos.len);
            struct sl_pos again = sql_lines_pos(&s.files.v[0].lines, st->pos.off, st->pos.len);
            assert_memory_equal(&again, &st->pos, sizeof(again));
            assert_int_equal(sql_lines_off(&s.files.v[0].lines, st->pos.line, st->pos.col), st->pos.off);
            for (size_t k = 0; k < st->n_inner; k++) {
                assert_true(st->inner[k].pos.off >= st->pos.off);
                assert_true(st->inner[k].pos.off + st->inner[k].pos.len <= st->pos.off + st->pos.len);
            }
            at = st->pos.off + st->pos.len;
        }
    }
}

static double seconds_of(const char *unit, size_t times, size_t *ret_bytes)
{
    size_t n = strlen(unit) * times;
    char *text = malloc(n);
    for (size_t i = 0; i < times; i++) {
        memcpy(text + i * strlen(unit), unit, strlen(unit));
    }
    SL_ARENA_AUTO arena = {0};
    struct sql_script s;
    struct sl_err err = SL_ERR_INIT;
    sql_script_init(&s, &arena, 0);
    clock_t start = clock();
    assert_true(sql_script_add(&s, SL_STR("x"), (sl_str){text, n},
                               &(struct sql_options){.level = SQL_LEVEL_SPLIT}, &err));
    double took = (double)(clock() - start) / CLOCKS_PER_SEC;
    *ret_bytes = arena.used;
    free(text);
    return took;
}

/* Ten times the text may not take a hundred times the time; memory is counted exactly. */
static void nothing_is_quadratic(void **state)
{
    (void)state;
    static const char *const units[] = {"SELECT 1;\n",
                                        "SET a.b=c;",
                                        "SELECT 'a\n'b;\n",
                                        "'",
                                        "' ",
                                        "/*",
                                        "(",
                                        "BEGIN STATEMENT SET; SELECT 1;",
                                        "EXECUTE STATEMENT SET BEGIN CREATE;",
                                        "SET a=;",
                                        "`",
                                        ";",
                                        "CASE ",
                                        "SET k='it''s';\n",
                                        "a AND "};
    for (size_t i = 0; i < SL_ARRAY_LEN(units); i++) {
        size_t small, large, times = 200000 / strlen(units[i]);
        double before = seconds_of(units[i], times, &small);
        double after = seconds_of(units[i], times * 10, &large);
        if (after > 0.5 && after > before * 40) {
            fail_msg("'%s': %.3f s, ten times as much %.3f s", units[i], before, after);
        }
        if (large > small * 16 + 65536) {
            fail_msg("'%s': %zu bytes, ten times as much %zu bytes", units[i], small, large);
        }
    }
}

static size_t limit_errors(const char *open, size_t times, const char *end)
{
    SL_BUF_AUTO text;
    sl_buf_init(&text, 0);
    sl_buf_putz(&text, "SELECT ");
    for (size_t i = 0; i < times; i++) {
        sl_buf_putz(&text, open);
    }
    sl_buf_putz(&text, end);
    sl_buf_putz(&text, ";\nSELECT 2;");
    SL_ARENA_AUTO arena = {0};
    struct sql_script s;
    struct sl_err err = SL_ERR_INIT;
    sql_script_init(&s, &arena, 0);
    assert_true(sql_script_add(&s, SL_STR("x"), sl_buf_str(&text),
                               &(struct sql_options){.level = SQL_LEVEL_SPLIT}, &err));
    assert_int_equal(s.stmts.n, 2);
    assert_false(s.stmts.v[1].bad);
    if (s.diags.list.n) {
        assert_int_equal(s.diags.list.v[0].code, SL_LIMIT);
        assert_int_equal(s.diags.list.v[0].statement, 1);
        assert_true(s.diags.list.v[0].pos.len > 0);
    }
    return s.diags.list.n;
}

static void limits(void **state)
{
    (void)state;
    assert_int_equal(limit_errors("(", SL_LIMIT_NESTING, "1"), 0);
    assert_int_equal(limit_errors("(", SL_LIMIT_NESTING + 1, "1"), 1);
    assert_int_equal(limit_errors("CASE WHEN ", SL_LIMIT_NESTING + 1, "1"), 1);
    assert_int_equal(limit_errors("a AND ", SL_LIMIT_CHAIN_TERMS - 1, "a"), 0);
    assert_int_equal(limit_errors("a AND ", SL_LIMIT_CHAIN_TERMS, "a"), 1);
    assert_int_equal(limit_errors("a + b, ", 3 * SL_LIMIT_CHAIN_TERMS, "a"), 0);
    assert_int_equal(limit_errors("12345678", sl_limits.statement_bytes / 8, "1"), 1);

    SL_ARENA_AUTO arena = {0};
    struct sql_script s;
    struct sl_err err = SL_ERR_INIT;
    sql_script_init(&s, &arena, 0);
    assert_false(sql_script_add(&s, SL_STR("x"), SL_STR("SELECT 1;\n\xff"),
                                &(struct sql_options){.level = SQL_LEVEL_SPLIT}, &err));
    assert_int_equal(err.code, SL_UTF8);
    assert_int_equal(err.pos.line, 2);
    assert_int_equal(err.pos.off, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traps),
        cmocka_unit_test(where_flink_differs),
        cmocka_unit_test(kinds),
        cmocka_unit_test(any_text_is_covered),
        cmocka_unit_test(nothing_is_quadratic),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
