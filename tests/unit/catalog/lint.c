/* SPDX-License-Identifier: Apache-2.0
 * Lint against golden files: every rule finds what it is for ("slug: yes ...") and leaves alone what comes near
 * ("slug: no ..."); every quick fix, put in place, makes a script that the rule has nothing to say about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "catalog/check.h"
#include "catalog/lint.h"
#include "catalog/options.h"
#include "catalog/setting.h"
#include "tests/unit/sqlparse/golden.h"

static bool found[SL_CODE_MAX_], spared[SL_CODE_MAX_];

/* Rules are looked at alone: what the checks say of the same place would hide them. */
static void check(struct sql_script *s, struct sl_arena *a, sl_str text, sql_version flink,
                  enum cat_level level)
{
    struct sl_err err = SL_ERR_INIT;
    sql_script_init(s, a, flink);
    assert_true(
        sql_script_add(s, SL_STR("x.sql"), text, &(struct sql_options){.level = SQL_LEVEL_SYNTAX}, &err));
    cat_check(s, level);
    cat_lint(s, false);
    cat_fixes(s);
    sql_diags_sort(s);
}

static size_t count_of(const struct sql_script *s, enum sl_code code)
{
    size_t n = 0;
    for (size_t i = 0; i < s->diags.list.n; i++) {
        n += s->diags.list.v[i].code == code;
    }
    return n;
}

static bool says(const struct sql_script *s, const struct sql_diag *what)
{
    for (size_t i = 0; i < s->diags.list.n; i++) {
        const struct sql_diag *d = &s->diags.list.v[i];
        if (d->code == what->code && sl_str_eq(d->msg, what->msg) && d->pos.off == what->pos.off) {
            return true;
        }
    }
    return false;
}

/* Edits are in the order of the file, do not overlap, and lie in it. */
static void apply(struct sl_buf *out, sl_str text, const struct sql_diag *d)
{
    size_t at = 0;
    struct sql_edit e[8];
    size_t n = SL_MIN(d->n_edits, SL_ARRAY_LEN(e));
    assert_int_equal(n, d->n_edits);
    memcpy(e, d->edits, n * sizeof(*e));
    for (size_t i = 0; i < n; i++) {
        assert_true(e[i].off >= at && (size_t)e[i].off + e[i].len <= text.n);
        sl_buf_put(out, text.p + at, e[i].off - at);
        sl_buf_puts(out, e[i].text);
        at = (size_t)e[i].off + e[i].len;
    }
    sl_buf_put(out, text.p + at, text.n - at);
}

static void lint_case(sl_str name, sl_str input, struct sl_buf *out)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    sql_version v = SQL_FLINK_DEFAULT;
    sl_str rest = input, line = golden_line(&rest);
    if (sl_str_starts(line, SL_STR("flink "))) {
        assert_true(sql_version_parse(sl_str_sub(line, 6, line.n - 6), &v, &err));
        input = rest;
    }
    ptrdiff_t colon = sl_str_find_char(name, ':');
    enum sl_code code = colon > 0 ? sl_code_of_slug(sl_str_sub(name, 0, (size_t)colon)) : SL_OK;
    enum cat_level level = CAT_LEVEL_SCRIPT;
    for (size_t i = 0; i < cat_rules_count; i++) {
        level = cat_rules[i].code == code ? CAT_LEVEL_SYNTAX : level;
    }
    struct sql_script s;
    check(&s, &a, input, v, level);
    static const char *const names[] = {"error", "warning", "info"};
    for (size_t i = 0; i < s.diags.list.n; i++) {
        const struct sql_diag *d = &s.diags.list.v[i];
        sl_buf_printf(out, "%u:%u-%u:%u %s[%s] %.*s\n", d->pos.line, d->pos.col, d->pos.end_line,
                      d->pos.end_col, names[d->severity], sl_code_slug(d->code), SL_S(d->msg));
        if (d->hint.n) {
            sl_buf_printf(out, "  hint: %.*s\n", SL_S(d->hint));
        }
        if (d->n_edits) {
            SL_ARENA_AUTO again = {0};
            SL_BUF_AUTO fixed;
            struct sql_script t;
            sl_buf_init(&fixed, 0);
            apply(&fixed, input, d);
            check(&t, &again, sl_buf_str(&fixed), v, level);
            sl_buf_printf(out, "  fixed: %.*s\n", (int)fixed.n - 1, fixed.p);
            if (says(&t, d)) {
                sl_buf_putz(out, "  (the fix is none)\n");
            }
        }
    }
    bool yes =
        colon > 0 && sl_str_starts(sl_str_sub(name, (size_t)colon, name.n - (size_t)colon), SL_STR(": yes"));
    if (code != SL_OK) {
        bool there = count_of(&s, code) > 0;
        if (there != yes) {
            sl_buf_printf(out, "(%s)\n", yes ? "it was to be found" : "it was to be left alone");
        }
        (yes ? found : spared)[code] = true;
    }
}

static void golden(void **state)
{
    (void)state;
    int cases = 0;
    assert_int_equal(golden_run("tests/golden/lint/rules.txt", lint_case, &cases), 0);
    for (size_t i = 0; i < cat_rules_count; i++) {
        if (!found[cat_rules[i].code] || !spared[cat_rules[i].code]) {
            fail_msg("%s has no case of both kinds", sl_code_slug(cat_rules[i].code));
        }
    }
}

/* The table of rules in docs/lint.md is this one. */
static void documented(void **state)
{
    (void)state;
    SL_BUF_AUTO text;
    sl_buf_init(&text, 0);
    FILE *f = fopen("docs/lint.md", "rb");
    assert_non_null(f);
    char block[4096];
    size_t got;
    while ((got = fread(block, 1, sizeof(block), f)) > 0) {
        sl_buf_put(&text, block, got);
    }
    fclose(f);
    static const char *const names[] = {"error", "warning", "info"};
    for (size_t i = 0; i < cat_rules_count; i++) {
        char row[256];
        const char *slug = sl_code_slug(cat_rules[i].code);
        snprintf(row, sizeof(row), "| [%s](errors/%s.md) | %s |", slug, slug, names[cat_rules[i].severity]);
        if (sl_str_find(sl_buf_str(&text), sl_str_of(row)) < 0) {
            fail_msg("docs/lint.md has no row: %s", row);
        }
    }
}

static void values_of_settings(void **state)
{
    (void)state;
    static const struct {
        const char *type, *words, *value;
        bool fits;
    } cases[] = {
        {"Boolean", "", "TRUE", true},
        {"Boolean", "", "yes", false},
        {"Integer", "", "-5", true},
        {"Integer", "", "5.0", false},
        {"Integer", "", "3000000000", false},
        {"Long", "", "3000000000", true},
        {"Double", "", "1e-3", true},
        {"Double", "", "0,5", false},
        {"Duration", "", "10 s", true},
        {"Duration", "", "10s", true},
        {"Duration", "", "5 min", true},
        {"Duration", "", "1 H", true},
        {"Duration", "", "100", true},
        {"Duration", "", "10 sek", false},
        {"Duration", "", "s", false},
        {"Duration", "", "-1 s", false},
        {"Duration", "", "1.5 h", false},
        {"Duration", "", "PT10S", true},
        {"Duration", "", "3 days", true},
        {"Duration", "", "7 \xc2\xb5s", true},
        {"MemorySize", "", "64 mb", true},
        {"MemorySize", "", "64MB", true},
        {"MemorySize", "", "1 gibibytes", true},
        {"MemorySize", "", "64 mbb", false},
        {"MemorySize", "", "1048576", true},
        {"X", "A|B_C", "b_c", true},
        {"X", "A|B_C", "B", false},
        {"X", "", "anything", true},
        {"String", "", "", true},
        {"Map", "", "a:b", true},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        bool fits =
            cat_setting_fits(sl_str_of(cases[i].type), sl_str_of(cases[i].words), sl_str_of(cases[i].value));
        if (fits != cases[i].fits) {
            fail_msg("%s '%s'", cases[i].type, cases[i].value);
        }
    }
    sl_str type;
    assert_true(cat_option_type(SQL_FLINK_2_3, SL_STR("execution.runtime-mode"), &type));
    assert_true(sl_str_eqz(cat_option_words(SQL_FLINK_2_3, SL_STR("execution.runtime-mode")),
                           "STREAMING|BATCH|AUTOMATIC"));
    assert_int_equal(cat_option_words(SQL_FLINK_2_3, SL_STR("parallelism.default")).n, 0);
}

/* A long script is gone through once. */
static void many_statements(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    SL_BUF_AUTO text;
    sl_buf_init(&text, 0);
    for (int i = 0; i < 30000; i++) {
        sl_buf_printf(
            &text,
            "CREATE TABLE t%d (a INT) WITH ('connector' = 'datagen');\nSELECT a FROM t%d WHERE a = NULL;\n",
            i, i);
    }
    struct sql_script s;
    check(&s, &a, sl_buf_str(&text), SQL_FLINK_2_2, CAT_LEVEL_SCRIPT);
    assert_int_equal(s.diags.warnings, 30000);
    assert_int_equal(s.diags.errors, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden), cmocka_unit_test(documented),
                                       cmocka_unit_test(values_of_settings),
                                       cmocka_unit_test(many_statements)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
