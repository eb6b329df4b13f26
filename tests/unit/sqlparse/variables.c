/* SPDX-License-Identifier: Apache-2.0
 * Variables: what the golden file shows; that no value can end what it stands in, whatever it holds; that
 * places in what Flink gets lead back to the file; where values come from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sqlparse/project.h"
#include "sqlparse/token.h"
#include "sqlparse/vars.h"
#include "tests/unit/sqlparse/golden.h"

static const char *environment(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "USER") == 0 ? "mara" : strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

/* The first lines of a case, "name=value" each, up to an empty line, are the variables; \n in a value is a
 * line end. */
static sl_str read_vars(struct sql_vars *vars, struct sl_arena *a, sl_str input)
{
    sl_str rest = input;
    for (;;) {
        sl_str line = golden_line(&rest);
        ptrdiff_t eq = sl_str_find_char(line, '=');
        if (eq < 0) {
            return rest;
        }
        char *value = sl_arena_alloc(a, line.n + 1);
        size_t n = 0;
        for (size_t i = (size_t)eq + 1; i < line.n; i++) {
            if (line.p[i] == '\\' && i + 1 < line.n && line.p[i + 1] == 'n') {
                value[n++] = '\n';
                i++;
            } else {
                value[n++] = line.p[i];
            }
        }
        struct sl_err err = SL_ERR_INIT;
        assert_true(
            sql_vars_add(vars, a, sl_str_sub(line, 0, (size_t)eq), (sl_str){value, n}, "--var", &err));
    }
}

static void load(struct sql_script *s, struct sl_arena *a, struct sql_vars *vars, sl_str text)
{
    struct sl_err err = SL_ERR_INIT;
    vars->env = environment;
    sql_script_init(s, a, 0);
    assert_true(sql_script_add(s, SL_STR("x.sql"), text,
                               &(struct sql_options){.level = SQL_LEVEL_SPLIT, .vars = vars}, &err));
}

static void render_case(sl_str name, sl_str input, struct sl_buf *out)
{
    (void)name;
    SL_ARENA_AUTO arena = {0};
    struct sql_vars vars = {0};
    struct sql_script s;
    load(&s, &arena, &vars, read_vars(&vars, &arena, input));
    for (size_t i = 0; i < s.stmts.n; i++) {
        const struct sql_stmt *st = &s.stmts.v[i];
        sl_buf_printf(out, "%.*s;", SL_S(st->sql));
        if (st->has_key) {
            sl_buf_printf(out, "  -- key [%.*s] value [%.*s]", SL_S(st->key), SL_S(st->value));
        } else if (st->object.n) {
            sl_buf_printf(out, "  -- of %.*s", SL_S(st->object));
        }
        sl_buf_putc(out, '\n');
        for (size_t k = 0; k < st->n_inner; k++) {
            sl_buf_printf(out, "  > %.*s\n", SL_S(st->inner[k].sql));
        }
        sl_str masked = sql_stmt_masked(st, &arena);
        if (!sl_str_eq(masked, st->sql)) {
            sl_buf_printf(out, "masked: %.*s\n", SL_S(masked));
        }
    }
    for (size_t i = 0; i < s.diags.list.n; i++) {
        const struct sql_diag *d = &s.diags.list.v[i];
        sl_buf_printf(out, "! %s %u:%u-%u:%u %.*s | %.*s\n", sl_code_slug(d->code), d->pos.line, d->pos.col,
                      d->pos.end_line, d->pos.end_col, SL_S(d->msg), SL_S(d->hint));
    }
}

static void golden(void **state)
{
    (void)state;
    int cases = 0;
    assert_int_equal(golden_run("tests/golden/variables/variables.txt", render_case, &cases), 0);
    assert_true(cases >= 20);
}

/* Tokens by kind, to compare two texts. */
static size_t kinds_of(sl_str sql, uint16_t *ret, size_t max)
{
    struct sql_lexer lx;
    struct sql_token t;
    size_t n = 0;
    sql_lex_init(&lx, sql, SQL_FLINK_DEFAULT, false);
    while (sql_lex_next(&lx, &t) && n < max) {
        ret[n++] = t.kind;
    }
    return n;
}

/* Values that try to break out: the statement keeps exactly the tokens it has with a harmless value, and what
 * is unquoted again is the value. */
static void no_value_breaks_out(void **state)
{
    (void)state;
    static const char *const evil[] = {"'",
                                       "''",
                                       "'; DROP TABLE t; --",
                                       "`",
                                       "``; DROP",
                                       "\\",
                                       "\\'",
                                       "/*",
                                       "*/",
                                       "--",
                                       "//",
                                       "${v}",
                                       "$${",
                                       "x' OR '1'='1",
                                       "\n;",
                                       "${v:-",
                                       "}",
                                       "a\\",
                                       "'\\''",
                                       "\xe8\xae\xa2'\xe5\x8d\x95"};
    static const char *const places[] = {"SELECT '${v}' FROM t",
                                         "SELECT 'a${v}b', 1 FROM t",
                                         "SELECT ${v} FROM t",
                                         "SELECT * FROM t WHERE a = ${v} AND b",
                                         "CREATE TABLE t (a INT) WITH ('k' = '${v}', 'l' = ${v})",
                                         "SELECT E'${v}', U&'${v}', N'${v}'",
                                         "SELECT '${none:-${v}}'",
                                         "SELECT 'it''s ${v}'"};
    static const char *const names[] = {"SELECT `${v}` FROM t", "SELECT a FROM ${v}", "SELECT x.${v} FROM x",
                                        "INSERT INTO ${v}.t SELECT 1", "SELECT `a${v}` FROM t"};
    for (size_t e = 0; e < SL_ARRAY_LEN(evil); e++) {
        for (size_t p = 0; p < SL_ARRAY_LEN(places) + SL_ARRAY_LEN(names); p++) {
            bool is_name = p >= SL_ARRAY_LEN(places);
            const char *sql = is_name ? names[p - SL_ARRAY_LEN(places)] : places[p];
            if (is_name && strchr(evil[e], '\n')) {
                continue; /* refused: tested in the golden file */
            }
            SL_ARENA_AUTO arena = {0};
            struct sl_err err = SL_ERR_INIT;
            uint16_t got[64], want[64];
            size_t n[2];
            for (int round = 0; round < 2; round++) {
                struct sql_vars vars = {0};
                struct sql_script s;
                assert_true(sql_vars_add(&vars, &arena, SL_STR("v"), sl_str_of(round ? evil[e] : "harmless"),
                                         "t", &err));
                load(&s, &arena, &vars, sl_str_of(sql));
                assert_int_equal(s.stmts.n, 1);
                assert_int_equal(s.diags.list.n, 0);
                n[round] = kinds_of(s.stmts.v[0].sql, round ? got : want, 64);
            }
            assert_int_equal(n[0], n[1]);
            assert_memory_equal(got, want, n[0] * sizeof(*got));
        }
    }
}

static void value_comes_back_unquoted(void **state)
{
    (void)state;
    SL_ARENA_AUTO arena = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sql_vars vars = {0};
    struct sql_script s;
    assert_true(sql_vars_add(&vars, &arena, SL_STR("v"), SL_STR("it's `x` \\ ${v}"), "t", &err));
    load(&s, &arena, &vars, SL_STR("'${v}' `${v}`"));
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, s.stmts.v[0].sql, SQL_FLINK_DEFAULT, false);
    for (int i = 0; i < 2; i++) {
        sql_lex_next(&lx, &t);
        sl_str back = sql_unquote(&arena, sql_token_text(&lx, &t));
        assert_true(sl_str_eqz(back, "it's `x` \\ ${v}"));
    }
}

static void places_lead_back(void **state)
{
    (void)state;
    SL_ARENA_AUTO arena = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sql_vars vars = {0};
    struct sql_script s;
    assert_true(sql_vars_add(&vars, &arena, SL_STR("long"), SL_STR("a value\nof two lines"), "t", &err));
    assert_true(sql_vars_add(&vars, &arena, SL_STR("s"), SL_STR("1"), "t", &err));
    load(&s, &arena, &vars, SL_STR("SELECT 1;\n-- note\nSELECT '${long}', ${s},\n  wrong FROM `x${s}y`;"));
    const struct sql_stmt *st = &s.stmts.v[1];
    assert_true(sl_str_eqz(st->sql, "SELECT 'a value\nof two lines', 1,\n  wrong FROM `x1y`"));
    assert_int_equal(st->n_patches, 3);
    /* "wrong" is in line 3 of what Flink gets, in line 4 of the file */
    struct sl_pos pos = sql_stmt_source_pos(&s, st, 3, 3, 3, 8);
    assert_int_equal(pos.line, 4);
    assert_int_equal(pos.col, 3);
    assert_int_equal(pos.end_col, 8);
    /* the 1 is ${s} */
    pos = sql_stmt_source_pos(&s, st, 2, 16, 2, 17);
    assert_int_equal(pos.line, 3);
    assert_int_equal(pos.col, 19);
    assert_int_equal(pos.end_col, 23);
    /* inside the value: the whole ${long} */
    pos = sql_stmt_source_pos(&s, st, 2, 2, 2, 4);
    assert_int_equal(pos.line, 3);
    assert_int_equal(pos.col, 9);
    assert_int_equal(pos.end_col, 16);
    /* around everything */
    pos = sql_stmt_pos(&s, st, 0, (uint32_t)st->sql.n);
    assert_int_equal(pos.off, st->pos.off);
    assert_int_equal(pos.len, st->pos.len);
}

/* A quoted value with a ';' in it and something behind its quote is no SET command: its value would lie
 * behind the end of the statement, which the ';' in the quotes does not make. */
static void values_stay_inside(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "SET a.$k='${%{v}b=${v};\nSET a.$k='${'${v]';\nSET plain=1;\n",
        "SET k='a;${v}'b;",
        "SET k='${v};'';",
        "SET k='${v} ${v}'c;",
        "SET k=';${v}'${v};\nSELECT 1;",
        "SET k='${v}''${v}';",
        "SET ${v}='${v}''${v}'",
        "RESET ${v}",
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(texts); i++) {
        SL_ARENA_AUTO arena = {0};
        struct sl_err err = SL_ERR_INIT;
        struct sql_vars vars = {0};
        struct sql_script s;
        assert_true(sql_vars_add(&vars, &arena, SL_STR("v"), SL_STR("w"), "t", &err));
        load(&s, &arena, &vars, sl_str_of(texts[i]));
        assert_true(s.stmts.n > 0);
        for (size_t k = 0; k < s.stmts.n; k++) {
            const struct sql_stmt *st = &s.stmts.v[k];
            size_t end = (size_t)st->pos.off + st->pos.len, sql = 0, at = st->pos.off;
            for (size_t j = 0; j < st->n_patches; j++) {
                const struct sql_patch *p = &st->patches[j];
                assert_int_equal(p->sql_off - sql, p->off - at);
                sql = (size_t)p->sql_off + p->sql_len;
                at = (size_t)p->off + p->len;
                assert_true(sql <= st->sql.n && at <= end);
            }
            assert_int_equal(st->sql.n - sql, end - at);
        }
    }
}

static void off_means_off(void **state)
{
    (void)state;
    SL_ARENA_AUTO arena = {0};
    struct sql_vars vars = {.off = true};
    struct sql_script s;
    load(&s, &arena, &vars, SL_STR("SELECT '${none}', '$${x}';"));
    assert_true(sl_str_eqz(s.stmts.v[0].sql, "SELECT '${none}', '$${x}'"));
    assert_int_equal(s.diags.list.n, 0);
}

static void precedence(void **state)
{
    (void)state;
    SL_ARENA_AUTO arena = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sql_project p;
    assert_true(sql_project_parse(
        &arena,
        SL_STR("flink: \"2.3\"\ninit: [common/tables.sql]\nvars: {kafka: localhost:9092, db: {user: a}}\n"
               "environments:\n  dev: {target: local}\n"
               "  prod: {target: prod, base: team, vars: {kafka: k1:9092}, policy: {cancel: ask}}\n"
               "jobs:\n  rev: {script: r.sql, parallelism: 2, owner: growth, upgrade: savepoint, labels: {t: "
               "g}}\n"),
        &p, &err));
    assert_int_equal(p.flink, SQL_FLINK_2_3);
    assert_int_equal(p.init.list.n, 1);
    assert_int_equal(p.jobs.v[0].parallelism, 2);
    const struct sql_environment *prod = sql_project_environment(&p, SL_STR("prod"));
    assert_non_null(prod);
    assert_null(sql_project_environment(&p, SL_STR("test")));
    struct sql_builtins b = {
        .script_dir = SL_STR("/s"), .job_name = SL_STR("j"), .flink = p.flink, .environment = prod->name};
    struct sql_vars vars = {0};
    assert_true(sql_project_vars(&p, prod, &b, &arena, &vars, &err));
    const struct sql_var *v = sql_vars_find(&vars, SL_STR("kafka"));
    assert_true(sl_str_eqz(v->value, "k1:9092"));
    assert_true(sl_str_eqz(v->source, "sluice.yaml, prod"));
    assert_true(sl_str_eqz(sql_vars_find(&vars, SL_STR("db.user"))->value, "a"));
    assert_true(sl_str_eqz(sql_vars_find(&vars, SL_STR("flink.version"))->value, "2.3"));
    assert_true(sl_str_eqz(sql_vars_find(&vars, SL_STR("script.dir"))->source, "built in"));
    assert_true(sql_vars_add(&vars, &arena, SL_STR("kafka"), SL_STR("cli"), "--var", &err));
    assert_true(sl_str_eqz(sql_vars_find(&vars, SL_STR("kafka"))->value, "cli"));
    assert_false(sql_vars_add(&vars, &arena, SL_STR("1x"), SL_STR("v"), "--var", &err));
    assert_int_equal(err.code, SL_USAGE);
}

static void project_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sl_code code;
        uint32_t line, col;
        const char *hint;
    } cases[] = {
        {"flnk: 2.2\n", SL_CONFIG_UNKNOWN, 1, 1, "did you mean 'flink'?"},
        {"vars: {a: 1}\nenvironments:\n  dev: {taget: local}\n", SL_CONFIG_UNKNOWN, 3, 9,
         "did you mean 'target'?"},
        {"jobs:\n  a: {parallelism: 0}\n", SL_CONFIG_VALUE, 2, 20, ""},
        {"jobs:\n  a: {upgrade: never}\n", SL_CONFIG_VALUE, 2, 16, "savepoint, latest or fresh"},
        {"flink: 9.9\n", SL_CONFIG_VALUE, 1, 8, NULL},
        {"vars:\n  - a\n", SL_CONFIG_VALUE, 2, 3, ""},
        {"vars: {1a: x}\n", SL_CONFIG_VALUE, 1, 8, NULL},
        {"- a\n", SL_CONFIG_VALUE, 1, 1, ""},
        {"init: {a: b}\n", SL_CONFIG_VALUE, 1, 11, ""},
        {"a: [\n", SL_YAML, 2, 1, NULL},
        {"completely: different\n", SL_CONFIG_UNKNOWN, 1, 1,
         "it takes flink, flinkVersion, init, vars, jobs, environments"},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        SL_ARENA_AUTO arena = {0};
        struct sl_err err = SL_ERR_INIT;
        struct sql_project p;
        assert_false(sql_project_parse(&arena, sl_str_of(cases[i].text), &p, &err));
        if (err.code != cases[i].code || err.pos.line != cases[i].line || err.pos.col != cases[i].col ||
            (cases[i].hint && strcmp(err.hint, cases[i].hint) != 0)) {
            fail_msg("%s: %s at %u:%u '%s' '%s'", cases[i].text, sl_code_slug(err.code), err.pos.line,
                     err.pos.col, err.msg, err.hint);
        }
    }
    SL_ARENA_AUTO arena = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sql_project p;
    assert_true(sql_project_parse(&arena, SL_STR(""), &p, &err));
    assert_true(sql_project_parse(&arena, SL_STR("# nothing\n"), &p, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(no_value_breaks_out),
        cmocka_unit_test(value_comes_back_unquoted),
        cmocka_unit_test(places_lead_back),
        cmocka_unit_test(values_stay_inside),
        cmocka_unit_test(off_means_off),
        cmocka_unit_test(precedence),
        cmocka_unit_test(project_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
