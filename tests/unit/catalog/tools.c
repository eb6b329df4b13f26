/* SPDX-License-Identifier: Apache-2.0
 * Completion, hover and lineage against golden files: <|> marks the caret. A name that ends in "@1.20" is for
 * that Flink. The variables topic and secret.password have values, which must not show anywhere. And what
 * completion costs in long scripts and on texts made to hurt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <time.h>

#include "catalog/builtins.h"
#include "catalog/complete.h"
#include "catalog/functions.h"
#include "catalog/hover.h"
#include "catalog/lineage.h"
#include "sqlparse/vars.h"
#include "tests/unit/sqlparse/golden.h"

#define SHOWN  10
#define SECRET "hunter2"

struct text {
    struct sl_arena arena;
    struct sql_vars vars;
    struct sql_script script;
    uint32_t caret;
};

/* The text without its mark, read as an editor reads it. */
static void load(struct text *t, sl_str name, sl_str input, enum sql_level level)
{
    struct sl_err err = SL_ERR_INIT;
    *t = (struct text){0};
    ptrdiff_t mark = sl_str_find(input, SL_STR("<|>"));
    sl_str text = input;
    if (mark >= 0) {
        t->caret = (uint32_t)mark;
        text = sl_arena_printf(&t->arena, "%.*s%.*s", (int)mark, input.p, (int)(input.n - (size_t)mark - 3),
                               input.p + mark + 3);
    } else {
        text = sl_str_dup(&t->arena, input);
    }
    sql_version version = SQL_FLINK_DEFAULT;
    ptrdiff_t at = sl_str_find_char(name, '@');
    if (at >= 0) {
        assert_true(
            sql_version_parse(sl_str_sub(name, (size_t)at + 1, name.n - (size_t)at - 1), &version, &err));
    }
    assert_true(
        sql_vars_add(&t->vars, &t->arena, SL_STR("topic"), SL_STR("orders-v1"), "sluice.yaml, dev", &err));
    assert_true(sql_vars_add(&t->vars, &t->arena, SL_STR("secret.password"), SL_STR(SECRET), "--var", &err));
    struct sql_options opt = {.flink = version, .level = level, .vars = &t->vars};
    sql_script_init(&t->script, &t->arena, version);
    assert_true(sql_script_add(&t->script, SL_STR("x.sql"), text, &opt, &err));
}

static void complete_case(sl_str name, sl_str input, struct sl_buf *out)
{
    struct text t;
    struct cat_completion c;
    load(&t, name, input, SQL_LEVEL_SPLIT);
    cat_complete(&t.arena, &t.script, 0, t.caret, &t.vars, 0, &c);
    sl_str text = t.script.files.v[0].lines.text;
    sl_buf_printf(out, "[%.*s] %zu%s\n", (int)c.len, text.p + c.off, c.items.n,
                  c.incomplete ? " and more" : "");
    for (size_t i = 0; i < c.items.n && i < SHOWN; i++) {
        const struct cat_item *at = &c.items.v[i];
        sl_buf_printf(out, "%.*s  %s", SL_S(at->label), cat_item_kind_name(at->kind));
        if (!sl_str_eq(at->insert, at->label)) {
            sl_buf_printf(out, "  -> %.*s", SL_S(at->insert));
        }
        if (at->detail.n) {
            sl_buf_printf(out, "  (%.*s)", SL_S(at->detail));
        }
        sl_buf_putc(out, '\n');
    }
    SL_BUF_AUTO json;
    sl_buf_init(&json, 0);
    cat_completion_json(&t.script, 0, &c, &json);
    assert_true(sl_str_find(sl_buf_str(&json), SL_STR(SECRET)) < 0);
    sl_arena_release(&t.arena);
}

static void hover_case(sl_str name, sl_str input, struct sl_buf *out)
{
    struct text t;
    struct cat_hover h;
    load(&t, name, input, SQL_LEVEL_SPLIT);
    cat_hover(&t.arena, &t.script, 0, t.caret, &t.vars, &h);
    if (!h.kind) {
        sl_buf_putz(out, "nothing\n");
    } else {
        sl_str text = t.script.files.v[0].lines.text;
        sl_buf_printf(out, "[%.*s] %s  %.*s\n", (int)h.len, text.p + h.off, h.kind, SL_S(h.title));
        sl_buf_printf(out, "%.*s%s", SL_S(h.text), h.text.n ? "\n" : "");
        if (h.defined.off != SL_NO_POS) {
            sl_buf_printf(out, "-> %u:%u\n", h.defined.line, h.defined.col);
        }
    }
    assert_true(sl_str_find(sl_buf_str(out), SL_STR(SECRET)) < 0);
    sl_arena_release(&t.arena);
}

/* One object a line. */
static void put_lines(struct sl_buf *out, sl_str json)
{
    bool string = false;
    for (size_t i = 0; i < json.n; i++) {
        string ^= json.p[i] == '"' && (i == 0 || json.p[i - 1] != '\\');
        if (i && !string && json.p[i] == '{') {
            sl_buf_putc(out, '\n');
        }
        sl_buf_putc(out, json.p[i]);
    }
}

static void lineage_case(sl_str name, sl_str input, struct sl_buf *out)
{
    struct text t;
    SL_BUF_AUTO raw;
    load(&t, name, input, SQL_LEVEL_SYNTAX);
    sl_buf_init(&raw, 0);
    cat_lineage_json(&t.script, &raw);
    put_lines(out, sl_buf_str(&raw));
    sl_arena_release(&t.arena);
}

static void dot_case(sl_str name, sl_str input, struct sl_buf *out)
{
    struct text t;
    load(&t, name, input, SQL_LEVEL_SYNTAX);
    cat_lineage_dot(&t.script, sl_str_starts(name, SL_STR("columns")), out);
    sl_arena_release(&t.arena);
}

static void run_golden(const char *path, golden_fn fn)
{
    int cases = 0, failed = golden_run(path, fn, &cases);
    printf("%s: %d cases\n", path, cases);
    assert_int_equal(failed, 0);
    assert_true(cases > 0);
}

static void test_complete(void **state)
{
    (void)state;
    run_golden("tests/golden/complete/places.txt", complete_case);
}
static void test_hover(void **state)
{
    (void)state;
    run_golden("tests/golden/hover/things.txt", hover_case);
}
static void test_lineage(void **state)
{
    (void)state;
    run_golden("tests/golden/lineage/scripts.txt", lineage_case);
}
static void test_dot(void **state)
{
    (void)state;
    run_golden("tests/golden/lineage/graphs.txt", dot_case);
}

/* Every caret of a text, also cut there: no crash, and every range lies in the text. */
static void every_caret(sl_str name, sl_str input, struct sl_buf *out)
{
    (void)out;
    for (size_t i = 0; i <= input.n; i++) {
        if (i < input.n && ((unsigned char)input.p[i] & 0xc0) == 0x80) {
            continue;
        }
        for (unsigned cut = 0; cut < 2; cut++) {
            struct text t;
            struct cat_completion c;
            struct cat_hover h;
            load(&t, name, cut ? sl_str_sub(input, 0, i) : input, SQL_LEVEL_SPLIT);
            cat_complete(&t.arena, &t.script, 0, (uint32_t)i, &t.vars, 20, &c);
            assert_true(c.off <= i && c.off + c.len <= t.script.files.v[0].lines.text.n);
            cat_hover(&t.arena, &t.script, 0, (uint32_t)i, &t.vars, &h);
            sl_arena_release(&t.arena);
        }
    }
}

static void test_every_caret(void **state)
{
    (void)state;
    int cases = 0;
    SL_BUF_AUTO text;
    sl_buf_init(&text, 0);
    static const char *const scripts[] = {
        "CREATE TABLE t (a ROW<x INT, `y z` ARRAY<INT>>, b AS a.x + 1, WATERMARK FOR c AS c) WITH "
        "('connector' = '${topic}');\n"
        "WITH q AS (SELECT * FROM t /*+ OPTIONS('scan.x'='1') */) SELECT q.a.x, (SELECT max(b) FROM t WHERE "
        "t.a = q.a) "
        "FROM q JOIN LATERAL TABLE(f(q.a)) AS l(v) ON TRUE WHERE a IN (SELECT b FROM t) GROUP BY a -- 订单 "
        "😀\nORDER BY 1;",
        "EXECUTE STATEMENT SET BEGIN INSERT INTO a (x) SELECT `q` FROM b; INSERT INTO c SELECT * FROM "
        "TABLE(TUMBLE(TABLE d, "
        "DESCRIPTOR(ts), INTERVAL '1' DAY)); END;\r\nSET 'k' = 'v'; SET table.exec.a = b;\r\nALTER TABLE t "
        "ADD (x INT);",
        "SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a ORDER BY ts MEASURES A.b AS c PATTERN (A B+ C?) "
        "DEFINE A AS A.x > 1, "
        "B AS LAST(B.y, 1) < 2) AS m, UNNEST(m.c) WITH ORDINALITY AS u (p, o)",
        "((((( SELECT ' /* -- ` ${ $${ \"",
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(scripts); i++) {
        every_caret(SL_STR("caret"), sl_str_of(scripts[i]), &text);
    }
    (void)cases;
}

static double ms_since(struct timespec start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start.tv_sec) * 1e3 + (double)(now.tv_nsec - start.tv_nsec) / 1e6;
}

/* n tables, views on them and INSERTs, then a query with the caret in its select list. */
static void long_script(struct sl_buf *b, unsigned lines)
{
    for (unsigned i = 0; i < lines / 10; i++) {
        sl_buf_printf(
            b,
            "CREATE TABLE orders_%u (\n  id BIGINT,\n  item STRING,\n  price DECIMAL(10, 2),\n"
            "  ts TIMESTAMP(3),\n  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND\n"
            ") WITH ('connector' = 'kafka', 'topic' = 'orders-%u', 'format' = 'json');\n"
            "CREATE VIEW dear_%u AS SELECT id, item, price * 2 AS twice FROM orders_%u WHERE price > 100;\n"
            "INSERT INTO sink_%u\n  SELECT item, COUNT(*), SUM(twice) FROM dear_%u GROUP BY item;\n",
            i, i, i, i, i, i);
    }
    sl_buf_printf(b, "SELECT o.item, <|> FROM orders_1 o JOIN dear_%u d ON o.id = d.id WHERE o.price > 1;\n",
                  lines / 10 - 1);
}

static void test_cost(void **state)
{
    (void)state;
    size_t bytes[2];
    static const unsigned sizes[2] = {1000, 4000};
    for (size_t k = 0; k < SL_ARRAY_LEN(sizes); k++) {
        SL_BUF_AUTO b;
        struct text t;
        double best = 1e9, whole = 1e9;
        sl_buf_init(&b, 0);
        long_script(&b, sizes[k]);
        load(&t, SL_STR("long"), sl_buf_str(&b), SQL_LEVEL_SPLIT);
        for (unsigned round = 0; round < 20; round++) {
            struct cat_completion c;
            struct sl_arena own = {0};
            struct timespec start;
            clock_gettime(CLOCK_MONOTONIC, &start);
            cat_complete(&own, &t.script, 0, t.caret, &t.vars, 0, &c);
            best = SL_MIN(best, ms_since(start));
            bytes[k] = own.used;
            assert_true(c.items.n > 8);
            assert_true(sl_str_eqz(c.items.v[0].label, "id"));
            sl_arena_release(&own);
            struct text fresh;
            clock_gettime(CLOCK_MONOTONIC, &start);
            load(&fresh, SL_STR("long"), sl_buf_str(&b), SQL_LEVEL_SPLIT);
            cat_complete(&fresh.arena, &fresh.script, 0, fresh.caret, &fresh.vars, 0, &c);
            whole = SL_MIN(whole, ms_since(start));
            sl_arena_release(&fresh.arena);
        }
        printf("completion in %u lines: %.3f ms, %.3f ms with splitting the text; %zu bytes\n", sizes[k],
               best, whole, bytes[k]);
        sl_arena_release(&t.arena);
    }
    assert_true(bytes[1] < bytes[0] * 5);
}

/* What makes careless code quadratic: bytes of the arena grow with the text. */
static void test_linear(void **state)
{
    (void)state;
    static const char *const parts[] = {"SELECT a FROM t UNION ALL ",
                                        "(",
                                        "SELECT * FROM (",
                                        "a.",
                                        "x AS (SELECT 1), ",
                                        "JOIN t USING (a) ",
                                        "'a', ",
                                        "CREATE VIEW v AS SELECT * FROM v;\n"};
    for (size_t i = 0; i < SL_ARRAY_LEN(parts); i++) {
        size_t used[2];
        for (unsigned k = 0; k < 2; k++) {
            SL_BUF_AUTO b;
            struct text t;
            struct cat_completion c;
            sl_buf_init(&b, 0);
            sl_buf_putz(&b, i == 4 ? "WITH " : i == 5 ? "SELECT * FROM t " : "");
            for (unsigned n = 0; n < (k ? 1200u : 300u); n++) {
                sl_buf_putz(&b, parts[i]);
            }
            sl_buf_putz(&b, "<|>");
            load(&t, SL_STR("linear"), sl_buf_str(&b), SQL_LEVEL_SPLIT);
            cat_complete(&t.arena, &t.script, 0, t.caret, &t.vars, 0, &c);
            used[k] = t.arena.used;
            sl_arena_release(&t.arena);
        }
        printf("%-30.20s %zu, %zu bytes\n", parts[i], used[0], used[1]);
        assert_true(used[1] < used[0] * 8 + 1000000);
    }
}

/* The help is sorted, complete in its parts, and knows no function of a later version. */
static void test_functions(void **state)
{
    (void)state;
    const char *last = "";
    for (size_t i = 0; i < cat_function_help_count(); i++) {
        const struct cat_function_help *f = cat_function_help_at(i);
        assert_true(strcmp(last, f->name) < 0);
        assert_true(strncmp(f->signature, f->name, strlen(f->name)) == 0);
        assert_true(strlen(f->doc) > 3 && strlen(f->doc) < 100);
        assert_true(f->since >= SQL_FLINK_1_20 && f->since <= SQL_FLINK_2_3);
        last = f->name;
    }
    /* forms of their own in the grammar; each version's list has some of them and not others */
    static const char *const forms[] = {"CAST",    "CEILING",       "CURRENT_DATE",
                                        "EXTRACT", "JSON_ARRAYAGG", "JSON_OBJECTAGG",
                                        "OVERLAY", "POSITION",      "TRY_CAST"};
    static const sql_version versions[] = {SQL_FLINK_1_20, SQL_FLINK_2_2, SQL_FLINK_2_3};
    for (size_t i = 0; i < cat_function_help_count(); i++) {
        const struct cat_function_help *f = cat_function_help_at(i);
        bool form = false;
        for (size_t k = 0; k < SL_ARRAY_LEN(forms); k++) {
            form |= strcmp(f->name, forms[k]) == 0;
        }
        for (size_t k = 0; k < SL_ARRAY_LEN(versions) && !form; k++) {
            bool known = cat_function(versions[k], sl_str_of(f->name)) != NULL;
            assert_int_equal(known, f->since <= versions[k]);
        }
    }
    assert_non_null(cat_function_help(SQL_FLINK_2_3, SL_STR("to_changelog")));
    assert_null(cat_function_help(SQL_FLINK_2_2, SL_STR("to_changelog")));
    assert_true(cat_function_is_table(cat_function_help(SQL_FLINK_1_20, SL_STR("Tumble"))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),    cmocka_unit_test(test_hover),     cmocka_unit_test(test_lineage),
        cmocka_unit_test(test_dot),         cmocka_unit_test(test_cost),      cmocka_unit_test(test_linear),
        cmocka_unit_test(test_every_caret), cmocka_unit_test(test_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
