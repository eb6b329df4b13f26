/* SPDX-License-Identifier: Apache-2.0
 * The grammar against golden trees and messages (tests/golden/grammar), the tables of checks and versions,
 * and the laws of trees: children lie inside their parents, in order; depth is what it says. */
#include "golden.h"
#include "base/limits.h"
#include "sqlparse/actions.h"
#include "sqlparse/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static sql_version version_of(sl_str name)
{
    return sl_str_find(name, SL_STR("[1.20]")) >= 0  ? 120
           : sl_str_find(name, SL_STR("[2.3]")) >= 0 ? 203
                                                     : 202;
}

static sl_str without_line_end(sl_str s)
{
    return sl_str_sub(s, 0, s.n && s.p[s.n - 1] == '\n' ? s.n - 1 : s.n);
}

static uint32_t check_tree(const struct sql_node *n, sl_str sql)
{
    uint32_t at = n->off, depth = 0;
    assert_true(n->kind > SQL_N_NONE && n->kind < SQL_N_MAX_);
    assert_true((size_t)n->off + n->len <= sql.n);
    for (const struct sql_node *c = n->first; c; c = c->next) {
        assert_true(c->off >= at && c->off + c->len <= n->off + n->len);
        at = c->off + c->len;
        uint32_t below = check_tree(c, sql) + 1;
        depth = below > depth ? below : depth;
        assert_true(c->next || c == sql_last(n));
    }
    assert_true(depth <= n->depth);
    return depth;
}

static void one(sl_str name, sl_str input, struct sl_buf *out, bool tree)
{
    SL_ARENA_AUTO a = {0};
    const struct sql_node *ast;
    struct sql_fault f;
    sl_str sql = without_line_end(input);
    if (!sql_parse_text(&a, sql, version_of(name), &ast, &f)) {
        struct sql_lines lines;
        sql_lines_init(&lines, &a, sql);
        struct sl_pos pos = sql_lines_pos(&lines, f.off, f.len);
        sl_buf_printf(out, "%s %u:%u-%u:%u %.*s\n", sl_code_slug(f.code), pos.line, pos.col, pos.end_line,
                      pos.end_col, SL_S(f.msg));
        if (f.hint.n) {
            sl_buf_printf(out, "  hint: %.*s\n", SL_S(f.hint));
        }
        assert_true(f.code != SL_OK && f.msg.n > 0 && f.off + f.len <= sql.n);
        return;
    }
    if (!ast) {
        sl_buf_putz(out, "client command\n");
        return;
    }
    check_tree(ast, sql);
    if (tree) {
        sl_buf_printf(out, "%.*s\n", SL_S(sql_node_print(&a, ast, sql)));
    } else {
        sl_buf_printf(out, "ok %s\n", sql_node_kind_name(ast->kind));
    }
}

static void tree_case(sl_str name, sl_str input, struct sl_buf *out)
{
    one(name, input, out, true);
}

/* Several statements in one case, one a line. */
static void list_case(sl_str name, sl_str input, struct sl_buf *out)
{
    while (input.n) {
        sl_str line = golden_line(&input);
        one(name, line, out, false);
    }
}

static void run(const char *path, golden_fn fn, int at_least)
{
    int cases = 0;
    assert_int_equal(golden_run(path, fn, &cases), 0);
    assert_true(cases >= at_least);
}

static void trees(void **state)
{
    (void)state;
    run("tests/golden/grammar/trees.txt", tree_case, 40);
}

static void messages(void **state)
{
    (void)state;
    run("tests/golden/grammar/messages.txt", tree_case, 60);
}

static void statements(void **state)
{
    (void)state;
    run("tests/golden/grammar/statements.txt", list_case, 20);
}

/* Every check of the table is reached by some statement, so that no text in it is dead. */
static void every_check(void **state)
{
    (void)state;
    static const struct {
        enum sql_check_id id;
        sql_version version;
        const char *sql;
    } cases[] = {
        {SQL_CHECK_QUERY_HERE, 202, "CREATE TABLE t (a AS (SELECT 1))"},
        {SQL_CHECK_JOIN_HERE, 202, "SELECT * FROM (a JOIN b ON TRUE) AS c"},
        {SQL_CHECK_ORDER_HERE, 202, "SELECT * FROM ((SELECT 1) UNION (SELECT 2) ORDER BY 1)"},
        {SQL_CHECK_BANG, 202, "SELECT a != b"},
        {SQL_CHECK_MINUS, 202, "SELECT 1 MINUS SELECT 2"},
        {SQL_CHECK_APPLY, 202, "SELECT * FROM a CROSS APPLY TABLE(f(b))"},
        {SQL_CHECK_VALUE, 120, "VALUE 1"},
        {SQL_CHECK_LIMIT_COMMA, 202, "SELECT 1 LIMIT 1, 2"},
        {SQL_CHECK_OFFSET_LIMIT, 202, "SELECT 1 OFFSET 1 LIMIT 2"},
        {SQL_CHECK_GEOMETRY, 202, "CREATE TABLE t (a GEOMETRY)"},
        {SQL_CHECK_DEFAULT_HERE, 202, "SELECT (1, DEFAULT)"},
        {SQL_CHECK_DATETIME_MINUS, 202, "SELECT (a + b) DAY"},
        {SQL_CHECK_JSON_TWO_ORDERS, 202,
         "SELECT JSON_ARRAYAGG(a ORDER BY a) WITHIN GROUP (ORDER BY a) FROM t"},
        {SQL_CHECK_INTEGER_RANGE, 202, "CREATE TABLE t (a CHAR(99999999999))"},
        {SQL_CHECK_HEX, 202, "SELECT X'0G'"},
        {SQL_CHECK_UESCAPE, 202, "SELECT 'a' UESCAPE '!'"},
        {SQL_CHECK_UNICODE, 202, "SELECT U&'\\00'"},
        {SQL_CHECK_DATE_LITERAL, 120, "SELECT DATE '2020-13-01'"},
        {SQL_CHECK_TIME_LITERAL, 120, "SELECT TIME '25:00:00'"},
        {SQL_CHECK_TIMESTAMP_LITERAL, 202, "SELECT {ts '2020-01-01'}"},
        {SQL_CHECK_SAMPLE, 120, "SELECT * FROM t TABLESAMPLE BERNOULLI (101)"},
        {SQL_CHECK_BETWEEN_TWICE, 202, "SELECT x BETWEEN y BETWEEN 1 AND 2 AND 3"},
        {SQL_CHECK_TABLE_CALL, 202, "SELECT * FROM f(g(x))"},
        {SQL_CHECK_UNIT, 120, "SELECT EXTRACT(ABC FROM a)"},
        {SQL_CHECK_UNEXPECTED, 202, "DROP TEMPORARY SYSTEM TABLE t"},
        {SQL_CHECK_TWO_WATERMARKS, 202,
         "CREATE TABLE t (a TIMESTAMP(3), WATERMARK FOR a AS a, WATERMARK FOR a AS a)"},
        {SQL_CHECK_MIXED_COLUMNS, 202, "CREATE TABLE t (a, b INT)"},
        {SQL_CHECK_UNTYPED_COLUMNS, 202, "CREATE TABLE t (a, b)"},
        {SQL_CHECK_PK_ENFORCED, 202, "CREATE TABLE t (a INT PRIMARY KEY)"},
        {SQL_CHECK_UNIQUE, 202, "CREATE TABLE t (a INT, UNIQUE (a) NOT ENFORCED)"},
        {SQL_CHECK_TWO_KEYS, 202,
         "CREATE TABLE t (a INT PRIMARY KEY NOT ENFORCED, PRIMARY KEY (a) NOT ENFORCED)"},
        {SQL_CHECK_BUCKETS, 202, "CREATE TABLE t (a INT) DISTRIBUTED INTO 1.5 BUCKETS"},
        {SQL_CHECK_CTAS_TEMPORARY, 202, "CREATE TEMPORARY TABLE t AS SELECT 1"},
        {SQL_CHECK_RTAS_IF, 202, "REPLACE TABLE IF NOT EXISTS t AS SELECT 1"},
        {SQL_CHECK_RTAS_TEMPORARY, 202, "CREATE OR REPLACE TEMPORARY TABLE t AS SELECT 1"},
        {SQL_CHECK_LIKE_TWICE, 202, "CREATE TABLE t LIKE s (INCLUDING ALL EXCLUDING ALL)"},
        {SQL_CHECK_LIKE_MERGE, 202, "CREATE TABLE t LIKE s (OVERWRITING CONSTRAINTS)"},
        {SQL_CHECK_FRESHNESS, 202, "CREATE MATERIALIZED TABLE t FRESHNESS = INTERVAL 1 DAY AS SELECT 1"},
        {SQL_CHECK_MT_TEMPORARY, 202, "CREATE TEMPORARY MATERIALIZED TABLE t AS SELECT 1"},
        {SQL_CHECK_MT_REPLACE, 202, "CREATE OR REPLACE MATERIALIZED TABLE t AS SELECT 1"},
        {SQL_CHECK_SYSTEM_OBJECT, 202, "CREATE SYSTEM FUNCTION f AS 'x'"},
        {SQL_CHECK_ESCAPE_LEFT, 202, "SELECT a BETWEEN b AND c LIKE d ESCAPE e"},
        {SQL_CHECK_NO_OPERAND, 202, "SELECT a LIKE b ESCAPE c + NOT d"},
        {SQL_CHECK_LEAF_QUERY, 202, "SELECT MULTISET(SELECT 1 LIMIT 1)"},
        {SQL_CHECK_FUNCTION_USING, 202, "CREATE FUNCTION f AS 'x' LANGUAGE PYTHON USING JAR 'x'"},
        {SQL_CHECK_MODEL_OPTIONS, 202, "CREATE MODEL m"},
        {SQL_CHECK_MODEL_OUTPUT, 202, "CREATE MODEL m INPUT (a INT) WITH ('a' = 'b')"},
        {SQL_CHECK_MODEL_INPUT, 202, "CREATE MODEL m OUTPUT (a INT) WITH ('a' = 'b')"},
        {SQL_CHECK_MODEL_AS, 202, "CREATE MODEL m INPUT (a INT) WITH ('a' = 'b') AS SELECT 1"},
        {SQL_CHECK_CONNECTION_OPTIONS, 203, "CREATE CONNECTION c WITH ()"},
        {SQL_CHECK_UPSERT_OVERWRITE, 202, "UPSERT OVERWRITE t SELECT 1"},
        {SQL_CHECK_EXPLAIN_TWICE, 202, "EXPLAIN ESTIMATED_COST, ESTIMATED_COST SELECT 1"},
        {SQL_CHECK_BETWEEN_END, 202, "SELECT a BETWEEN 1, b"},
        {SQL_CHECK_TABLE_ALONE, 202, "SELECT * FROM (a b)"},
        {SQL_CHECK_QUERY_WANTED, 202, "WITH r AS (a JOIN b) SELECT 1"},
        {SQL_CHECK_BETWEEN_LIKE, 202, "SELECT a LIKE b BETWEEN 1 AND 2"},
        {SQL_CHECK_DECIMAL_LITERAL, 202, "SELECT DECIMAL 'x'"},
        {SQL_CHECK_DESC_TABLE, 202, "DESC TABLE t"},
        {SQL_CHECK_EMPTY_INTERVAL, 202, "SELECT INTERVAL '' DAY"},
        {SQL_CHECK_CURSOR_HERE, 202, "SELECT CURSOR(SELECT 1)"},
        {SQL_CHECK_KEY_FIRST, 202, "SELECT JSON_OBJECT(KEY VALUE 1)"},
        {SQL_CHECK_FIRST_CALL, 202, "SELECT TRIM(f(a) FROM b)"},
        {SQL_CHECK_CHARSET, 202, "SELECT _latin7'a'"},
        {SQL_CHECK_DRAIN, 202, "STOP JOB 'a' WITH DRAIN"},
    };
    bool seen[SQL_CHECK_MAX_] = {[SQL_CHECK_NONE] = true, [SQL_CHECK_IDENT_LENGTH] = true};
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        SL_ARENA_AUTO a = {0};
        const struct sql_node *ast;
        struct sql_fault f;
        const struct sql_check_info *c = &sql_checks[cases[i].id];
        assert_false(sql_parse_text(&a, sl_str_of(cases[i].sql), cases[i].version, &ast, &f));
        if (cases[i].id != SQL_CHECK_UNEXPECTED) {
            if (!sl_str_eqz(f.msg, c->msg)) {
                fail_msg("%s: %.*s", cases[i].sql, SL_S(f.msg));
            }
            assert_true(sl_str_eqz(f.hint, c->hint));
        }
        seen[cases[i].id] = true;
    }
    for (size_t i = 0; i < SQL_CHECK_MAX_; i++) {
        if (!seen[i]) {
            fail_msg("no statement for check %s", sql_checks[i].name);
        }
    }
}

/* A list of rare statements with the verdicts of Flink's own parsers. */
static void verdicts(void **state)
{
    (void)state;
    static const sql_version flinks[] = {120, 202, 203};
    FILE *f = fopen("tests/golden/grammar/verdicts.txt", "r");
    char line[2048];
    unsigned lines = 0, wrong = 0;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        sl_str sql = without_line_end(sl_str_of(line + 4));
        for (size_t v = 0; line[0] != '#' && v < 3; v++) {
            SL_ARENA_AUTO a = {0};
            const struct sql_node *ast;
            struct sql_fault fault;
            bool ok = sql_parse_text(&a, sql, flinks[v], &ast, &fault);
            if (ok != (line[v] == 'o')) {
                print_error("%s %s: %.*s\n", sql_version_name(flinks[v]), ok ? "taken" : "refused",
                            SL_S(sql));
                wrong++;
            }
        }
        lines++;
    }
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(lines > 300);
}

/* A word that is not reserved is a name wherever a name can stand; a reserved one never is. */
static void words_as_names(void **state)
{
    (void)state;
    static const char *const spots[] = {"CREATE TABLE t (%s INT)", "SELECT a AS %s FROM t",
                                        "SELECT * FROM %s",        "SELECT t.%s FROM t",
                                        "SELECT * FROM t %s",      "SELECT a %s FROM t"};
    for (unsigned v = 0; v < SQL_VERSION_COUNT; v++) {
        for (unsigned w = 1; w < SQL_WORD_MAX_; w++) {
            for (size_t i = 0; i < SL_ARRAY_LEN(spots); i++) {
                SL_ARENA_AUTO a = {0};
                const struct sql_node *ast;
                struct sql_fault f;
                SL_BUF_AUTO b;
                sl_buf_init(&b, 4096);
                const char *hole = strstr(spots[i], "%s");
                sl_buf_put(&b, spots[i], (size_t)(hole - spots[i]));
                sl_buf_putz(&b, sql_words[w].text);
                sl_buf_putz(&b, hole + 2);
                bool name = !(sql_words[w].reserved >> v & 1);
                if (sql_parse_text(&a, sl_buf_str(&b), sql_version_at(v), &ast, &f) != name) {
                    fail_msg("%.*s with Flink %s: %s", SL_S(sl_buf_str(&b)),
                             sql_version_name(sql_version_at(v)), name ? "refused" : "taken");
                }
            }
        }
    }
}

/* A name of 256 characters is fine, one of 257 is not; characters are UTF-16 units. */
static void long_names(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    const struct sql_node *ast;
    struct sql_fault f;
    char text[1200] = "SELECT `";
    size_t n = 8;
    for (int i = 0; i < 128; i++) {
        memcpy(text + n, "\xf0\x9f\x98\x80", 4);
        n += 4;
    }
    text[n] = '`';
    assert_true(sql_parse_text(&a, (sl_str){text, n + 1}, 202, &ast, &f));
    memcpy(text + n, "a`", 2);
    assert_false(sql_parse_text(&a, (sl_str){text, n + 2}, 202, &ast, &f));
    assert_true(sl_str_eqz(f.msg, sql_checks[SQL_CHECK_IDENT_LENGTH].msg));
}

static void repeat(struct sl_buf *b, const char *unit, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        sl_buf_putz(b, unit);
    }
}

/* What nests or chains without end is refused with a place, never overflows; what Flink takes is taken. */
static void depth(void **state)
{
    (void)state;
    static const struct {
        const char *head, *open, *mid, *close, *tail;
        size_t fine, too_deep;
    } cases[] = {
        {"SELECT ", "(", "1", ")", "", 400, 200000},
        {"SELECT ", "- ", "1", "", "", 1000, 200000},
        {"SELECT ", "NOT ", "a", "", "", 1000, 200000},
        {"SELECT 1", " + 1", "", "", "", 2000, 200000},
        {"SELECT a", " AND a", "", "", "", 2000, 200000},
        {"SELECT a", "[1]", "", "", "", 1000, 200000},
        {"SELECT ", "f(", "1", ")", "", 400, 200000},
        {"SELECT ", "CASE WHEN a THEN ", "1", " END", "", 400, 200000},
        {"", "SELECT * FROM (", "SELECT 1", ")", "", 400, 100000},
        {"SELECT 1", " UNION ALL SELECT 1", "", "", "", 2000, 100000},
        {"CREATE TABLE t (a ", "ARRAY<", "INT", ">", ")", 400, 100000},
        {"CREATE TABLE t (a INT", " ARRAY", "", "", ")", 400, 100000},
        {"SELECT * FROM a", ", a", "", "", "", 1000, 200000},
        {"SELECT * FROM t MATCH_RECOGNIZE (PATTERN (", "(", "A", ")", ") DEFINE A AS TRUE)", 400, 100000},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        for (int deep = 0; deep < 2; deep++) {
            SL_ARENA_AUTO a = {0};
            SL_BUF_AUTO b;
            const struct sql_node *ast;
            struct sql_fault f;
            size_t n = deep ? cases[i].too_deep : cases[i].fine;
            sl_buf_init(&b, 0);
            sl_buf_putz(&b, cases[i].head);
            repeat(&b, cases[i].open, n);
            sl_buf_putz(&b, cases[i].mid);
            repeat(&b, cases[i].close, n);
            sl_buf_putz(&b, cases[i].tail);
            bool ok = sql_parse_text(&a, sl_buf_str(&b), 202, &ast, &f);
            if (ok == (deep == 1)) {
                fail_msg("%s%s... x %zu: %s %.*s", cases[i].head, cases[i].open, n, ok ? "taken" : "refused",
                         SL_S(f.msg));
            }
            if (!ok) {
                assert_int_equal(f.code, SL_LIMIT);
                assert_true(f.off <= b.n);
            } else {
                check_tree(ast, sl_buf_str(&b));
            }
        }
    }
}

/* The memory of a parse grows with the text: at most 40 bytes for each. */
static void memory(void **state)
{
    (void)state;
    static const char *const units[] = {"a,", "1,", "'x',", "(a),", "f(),", "a.b,", "-1,"};
    for (size_t u = 0; u < SL_ARRAY_LEN(units); u++) {
        size_t before = 0;
        for (size_t n = 4096; n <= 65536; n *= 4) {
            SL_ARENA_AUTO a = {0};
            SL_BUF_AUTO b;
            const struct sql_node *ast;
            struct sql_fault f;
            sl_buf_init(&b, 0);
            sl_buf_putz(&b, "SELECT ");
            repeat(&b, units[u], n);
            sl_buf_putz(&b, "1 FROM t");
            assert_true(sql_parse_text(&a, sl_buf_str(&b), 202, &ast, &f));
            assert_true(before == 0 || a.used < before * 5);
            before = a.used;
        }
    }
}

/* The expected terminals are exact: each, put at the place, is taken; the others are not. */
static void expected(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    bool want[SQL_WANT_CODES];
    sl_str sql = SL_STR("CREATE TABLE t (a INT) FROM");
    assert_true(sql_parse_expected(&a, sql, 202, 7, want));
    assert_true(want[TK_WITH] && want[TK_COMMENT] && want[TK_LIKE] && want[TK_AS] && want[TK_PARTITIONED] &&
                want[0]);
    assert_false(want[TK_FROM] || want[TK_IDENT] || want[TK_COMMA]);
    sql = SL_STR("SELECT a FROM t WHERE");
    assert_true(sql_parse_expected(&a, sql, 202, 4, want));
    assert_true(want[TK_WHERE] && want[TK_JOIN] && want[TK_IDENT] && want[TK_AS] && want[TK_COMMA] &&
                want[0]);
    assert_true(sql_parse_expected(&a, sql, 202, 5, want));
    assert_true(want[TK_IDENT] && want[TK_CASE] && want[TK_NOT] && !want[0] && !want[TK_FROM]);
    assert_false(sql_parse_expected(&a, SL_STR("SELECT FROM t"), 202, 3, want));
}

/* Nothing of what lay in the memory before gets into a statement's tokens. */
static void clean_start(void **state)
{
    (void)state;
    sl_str sql =
        SL_STR("SELECT (TIMESTAMPDIFF(DAY, a, b)), f((TUMBLE(c)), FIRST(d)) OVER (ROWS BETWEEN 1 PRECEDING "
               "AND 2 FOLLOWING), a = ANY (SELECT 1) FROM t WHERE HOUR(e) BETWEEN 1 AND 2 ORDER BY g, h");
    for (uint16_t k = 1; k < 6; k++) {
        struct sql_feed clean, dirty;
        struct sql_parse p[2] = {{.text = sql, .version = 120}, {.text = sql, .version = 120}};
        struct sql_tok t;
        memset(&clean, 0, sizeof clean);
        for (size_t i = 0; i + sizeof k <= sizeof dirty; i += sizeof k) {
            memcpy((char *)&dirty + i, &k, sizeof k);
        }
        sql_feed_init(&clean, sql, 120);
        sql_feed_init(&dirty, sql, 120);
        int kind;
        do {
            kind = sql_feed_next(&clean, &p[0], &t);
            assert_int_equal(kind, sql_feed_next(&dirty, &p[1], &t));
        } while (kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),       cmocka_unit_test(messages),    cmocka_unit_test(statements),
        cmocka_unit_test(every_check), cmocka_unit_test(verdicts),    cmocka_unit_test(words_as_names),
        cmocka_unit_test(depth),       cmocka_unit_test(long_names),  cmocka_unit_test(memory),
        cmocka_unit_test(expected),    cmocka_unit_test(clean_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
