/* SPDX-License-Identifier: Apache-2.0
 * Laying out: golden files, and round trips over every statement at hand: twice is the same as once, the
 * tokens and the tree stay, no comment is lost, wherever it stands. Statements: the golden files of the
 * grammar, the fuzzer's corpus, and, when it is there, the labelled corpus (SLUICE_CORPORA). */
#include "base/json.h"
#include "base/utf8.h"
#include "sqlparse/fmt.h"
#include "sqlparse/parse.h"
#include "tests/unit/sqlparse/golden.h"

#include <dirent.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* cmocka cuts long messages. */
#define FAIL(...)                                                                                            \
    do {                                                                                                     \
        printf(__VA_ARGS__);                                                                                 \
        printf("\n");                                                                                        \
        fail();                                                                                              \
    } while (0)

static sl_str format(struct sl_arena *a, sl_str text, sql_version v, unsigned width, size_t *ret_kept)
{
    struct sl_err err = SL_ERR_INIT;
    struct sql_fmt done;
    if (!sql_format(a, SL_STR("x.sql"), text, &(struct sql_fmt_options){.flink = v, .width = width}, &done,
                    &err)) {
        FAIL("%s:\n%.*s", err.msg, SL_S(text));
    }
    assert_int_equal(done.changed, !sl_str_eq(done.text, text));
    *ret_kept = done.kept;
    return done.text;
}

/* First line of the input may be "width N" or "flink V". */
static void golden_case(sl_str name, sl_str input, struct sl_buf *out)
{
    (void)name;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    int64_t width = 0;
    sql_version v = 0;
    sl_str rest = input, line = golden_line(&rest);
    if (sl_str_starts(line, SL_STR("width "))) {
        assert_true(sl_str_to_i64(sl_str_sub(line, 6, line.n - 6), &width));
        input = rest;
    } else if (sl_str_starts(line, SL_STR("flink "))) {
        assert_true(sql_version_parse(sl_str_sub(line, 6, line.n - 6), &v, &err));
        input = rest;
    }
    struct sql_fmt done;
    assert_true(sql_format(&a, SL_STR("x.sql"), input,
                           &(struct sql_fmt_options){.flink = v, .width = (unsigned)width}, &done, &err));
    for (size_t i = 0; i < done.text.n; i++) {
        char c = done.text.p[i];
        if (c == '\r') {
            sl_buf_putz(out, "<CR>");
        } else if (c == '\t') {
            sl_buf_putz(out, "<TAB>");
        } else {
            sl_buf_putc(out, c);
        }
    }
    for (size_t i = 0; i < done.script.diags.list.n; i++) {
        const struct sql_diag *d = &done.script.diags.list.v[i];
        sl_buf_printf(out, "(kept %u: %s %u:%u %.*s)\n", d->statement, sl_code_slug(d->code), d->pos.line,
                      d->pos.col, SL_S(d->msg));
    }
    size_t kept;
    sl_str again = format(&a, done.text, v, (unsigned)width, &kept);
    if (!sl_str_eq(again, done.text)) {
        sl_buf_printf(out, "(the second time:)\n%.*s", SL_S(again));
    }
}

static void golden(void **state)
{
    (void)state;
    int cases = 0;
    assert_int_equal(golden_run("tests/golden/fmt/fmt.txt", golden_case, &cases), 0);
    assert_true(cases >= 20);
}

/* ---- round trips */

static uint64_t seed = 20261121;

static uint32_t dice(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static struct {
    size_t statements, comments;
} seen;

/* Marked comments and odd blanks between the tokens. */
static void ruffle(struct sl_buf *out, sl_str sql, sql_version v, unsigned often, size_t *ret_comments)
{
    struct sql_lexer lx;
    struct sql_token t;
    size_t n = 0, end = 0;
    sql_lex_init(&lx, sql, v, true);
    while (sql_lex_next(&lx, &t)) {
        if (t.off > end) {
            /* only where blanks stood already: `a.b` and `a . b` can be other tokens */
            sl_buf_put(out, sql.p + end, t.off - end);
            switch (dice(often)) {
            case 0:
                sl_buf_printf(out, " -- c%zu \n", n++);
                break;
            case 1:
                sl_buf_printf(out, "\n\n  -- c%zu\n", n++);
                break;
            case 2:
                sl_buf_printf(out, " /* c%zu */ ", n++);
                break;
            case 3:
                sl_buf_printf(out, "\n/* c%zu\n  more */\n", n++);
                break;
            case 4:
                sl_buf_putz(out, "\n\n\n\t");
                break;
            case 5:
                sl_buf_printf(out, "/* c%zu */ // c%zu\r\n", n, n + 1);
                n += 2;
                break;
            default:
                break;
            }
        }
        sl_buf_put(out, sql.p + t.off, t.len);
        end = t.off + t.len;
    }
    *ret_comments = n;
}

static bool comments_there(sl_str text, size_t n)
{
    char mark[32];
    for (size_t i = 0; i < n; i++) {
        /* the mark stands alone: c1 is no part of c11 */
        bool found = false;
        snprintf(mark, sizeof(mark), "c%zu", i);
        for (size_t at = 0; !found;) {
            ptrdiff_t f = sl_str_find(sl_str_sub(text, at, text.n - at), sl_str_of(mark));
            if (f < 0) {
                return false;
            }
            at += (size_t)f + strlen(mark);
            char before = text.p[at - strlen(mark) - 1], behind = at < text.n ? text.p[at] : '\n';
            found = before == ' ' && (behind == ' ' || behind == '\n' || behind == '\r');
        }
    }
    return true;
}

static void check_one(sl_str sql, sql_version v, unsigned width, size_t comments)
{
    SL_ARENA_AUTO a = {0};
    size_t kept, kept_again;
    sl_str one = format(&a, sql, v, width, &kept), two = format(&a, one, v, width, &kept_again);
    if (kept || kept_again) {
        FAIL("kept as it is: %.*s", SL_S(sql));
    }
    if (!sl_str_eq(one, two)) {
        FAIL("not the same twice:\n%.*s\n-- first\n%.*s\n-- second\n%.*s", SL_S(sql), SL_S(one), SL_S(two));
    }
    if (!comments_there(one, comments)) {
        FAIL("a comment is lost:\n%.*s\n-- now\n%.*s", SL_S(sql), SL_S(one));
    }
    const struct sql_node *before, *after;
    struct sql_fault fault;
    if (!sql_parse_text(&a, sql, v, &before, &fault) || !sql_parse_text(&a, one, v, &after, &fault)) {
        FAIL("not taken any more: %.*s", SL_S(sql));
    }
    if (!before) {
        assert_null(after);
        return;
    }
    /* the same tree, letter case and blanks of words aside */
    struct sql_lexer p, q;
    struct sql_token t, u;
    sql_lex_init(&p, sql_node_print(&a, before, sql), v, false);
    sql_lex_init(&q, sql_node_print(&a, after, one), v, false);
    do {
        sql_lex_next(&p, &t);
        sql_lex_next(&q, &u);
        bool same = t.kind == u.kind && sl_str_ieq(sql_token_text(&p, &t), sql_token_text(&q, &u));
        if (!same) {
            FAIL("another tree: %.*s\n%.*s", SL_S(sql), SL_S(one));
        }
    } while (t.kind);
}

/* One statement, as it is and in three disguises. Those Flink refuses are none of ours. */
static void check_statement(sl_str sql, sql_version v)
{
    SL_ARENA_AUTO a = {0};
    const struct sql_node *ast;
    struct sql_fault fault;
    while (sql.n && (sql.p[sql.n - 1] == ';' || sql.p[sql.n - 1] == '\n' || sql.p[sql.n - 1] == ' ')) {
        sql.n--;
    }
    if (sl_utf8_valid_prefix(sql) != sql.n || sl_str_find(sql, SL_STR("${")) >= 0 ||
        !sql_parse_text(&a, sql, v, &ast, &fault) || !ast) {
        return;
    }
    struct sql_script script;
    struct sl_err err = SL_ERR_INIT;
    sql_script_init(&script, &a, v);
    if (!sql_script_add(&script, SL_STR("x"), sql, &(struct sql_options){.level = SQL_LEVEL_SYNTAX}, &err) ||
        script.diags.errors || script.stmts.n != 1) {
        return; /* one of a kind that the splitter cuts */
    }
    seen.statements++;
    check_one(sql, v, 0, 0);
    check_one(sql, v, 40, 0);
    for (unsigned often = 6; often <= 60; often += 27) {
        SL_BUF_AUTO ruffled;
        size_t comments;
        sl_buf_init(&ruffled, 0);
        ruffle(&ruffled, sql, v, often, &comments);
        seen.comments += comments;
        check_one(sl_buf_str(&ruffled), v, 60, comments);
    }
}

static sl_str read_all(struct sl_arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        return SL_STR_NONE;
    }
    SL_BUF_AUTO text;
    sl_buf_init(&text, 0);
    char block[65536];
    size_t got;
    while ((got = fread(block, 1, sizeof(block), f)) > 0) {
        sl_buf_put(&text, block, got);
    }
    fclose(f);
    return sl_str_dup(a, sl_buf_str(&text));
}

static void own_statements(void **state)
{
    (void)state;
    static const char *const files[] = {"tests/golden/grammar/verdicts.txt",
                                        "tests/golden/grammar/statements.txt",
                                        "tests/golden/grammar/trees.txt"};
    SL_ARENA_AUTO a = {0};
    seen.statements = 0;
    for (size_t i = 0; i < SL_ARRAY_LEN(files); i++) {
        sl_str rest = read_all(&a, files[i]);
        assert_true(rest.n > 0);
        while (rest.n) {
            sl_str line = golden_line(&rest);
            if (line.n > 4 && (line.p[0] == 'o' || line.p[0] == 'x') && line.p[3] == ' ') {
                line = sl_str_sub(line, 4, line.n - 4);
            }
            check_statement(line, SQL_FLINK_2_2);
            check_statement(line, SQL_FLINK_2_3);
        }
    }
    DIR *d = opendir("tests/fuzz/corpus/grammar");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[512];
        snprintf(path, sizeof(path), "tests/fuzz/corpus/grammar/%s", e->d_name);
        sl_str text = e->d_name[0] == '.' ? SL_STR_NONE : read_all(&a, path);
        if (text.n > 1 && !memchr(text.p, 0, text.n)) {
            check_statement(sl_str_sub(text, 1, text.n - 1), SQL_FLINK_2_2);
        }
    }
    closedir(d);
    printf("%zu statements of our own, %zu comments\n", seen.statements, seen.comments);
    assert_true(seen.statements > 400);
}

static void corpora(void **state)
{
    (void)state;
    static const sql_version versions[] = {SQL_FLINK_1_20, SQL_FLINK_2_2, SQL_FLINK_2_3};
    const char *dir = getenv("SLUICE_CORPORA");
    char path[512];
    snprintf(path, sizeof(path), "%s/statements", dir ? dir : "../shared/corpora");
    DIR *d = opendir(path);
    if (!d) {
        printf("skipped: %s is not there\n", path);
        skip();
    }
    seen.statements = seen.comments = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        SL_ARENA_AUTO a = {0};
        char file[1024];
        snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
        sl_str rest = e->d_name[0] == '.' ? SL_STR_NONE : read_all(&a, file);
        for (size_t n = 0; rest.n; n++) {
            SL_ARENA_AUTO scratch = {0};
            struct sl_err err = SL_ERR_INIT;
            const struct sl_json *doc = sl_json_parse(&scratch, golden_line(&rest), &err);
            /* each by one version, in turn, and what is new by the newest */
            sl_str sql = sl_json_str(sl_json_get(doc, "sql"), SL_STR_NONE);
            check_statement(sql, versions[n % 3]);
        }
    }
    closedir(d);
    printf("%zu statements of the corpora, %zu comments\n", seen.statements, seen.comments);
    assert_true(seen.statements > 5000);
}

/* Any bytes that are UTF-8 come out with the same tokens, and the same again. */
static void anything(void **state)
{
    (void)state;
    static const char *const pieces[] = {"SELECT",
                                         " ",
                                         "a",
                                         ",",
                                         "(",
                                         ")",
                                         ";",
                                         "'x'",
                                         "`q`",
                                         "--c\n",
                                         "/* c */",
                                         "/*+ O('a'='b') */",
                                         "${v}",
                                         "'",
                                         "\n",
                                         "FROM",
                                         "t",
                                         "CASE",
                                         "END",
                                         "BEGIN STATEMENT SET;",
                                         "INSERT INTO x ",
                                         "1",
                                         ".",
                                         "-",
                                         "SET a = b",
                                         "EXECUTE STATEMENT SET BEGIN",
                                         "\xe8\xae\xa2",
                                         "<",
                                         ">",
                                         "ROW<",
                                         "[",
                                         "]",
                                         "{",
                                         "}",
                                         "WITH",
                                         "AS",
                                         "//",
                                         "\r\n",
                                         "\"",
                                         "VALUES"};
    for (int i = 0; i < 20000; i++) {
        SL_ARENA_AUTO a = {0};
        SL_BUF_AUTO text;
        sl_buf_init(&text, 0);
        for (uint32_t k = 0, n = 1 + dice(24); k < n; k++) {
            sl_buf_putz(&text, pieces[dice(SL_ARRAY_LEN(pieces))]);
        }
        size_t kept;
        sl_str one = format(&a, sl_buf_str(&text), 0, 0, &kept), two = format(&a, one, 0, 0, &kept);
        if (!sl_str_eq(one, two)) {
            FAIL("not the same twice:\n%.*s\n-- first\n%.*s\n-- second\n%.*s", SL_S(sl_buf_str(&text)),
                 SL_S(one), SL_S(two));
        }
    }
}

static size_t memory_of(const char *head, const char *middle, const char *tail, size_t n)
{
    SL_ARENA_AUTO a = {0};
    SL_BUF_AUTO text;
    struct sql_fmt done;
    struct sl_err err = SL_ERR_INIT;
    sl_buf_init(&text, 0);
    sl_buf_putz(&text, head);
    for (size_t i = 0; i < n; i++) {
        sl_buf_putz(&text, middle);
    }
    sl_buf_putz(&text, tail);
    assert_true(sql_format(&a, SL_STR("x"), sl_buf_str(&text), &(struct sql_fmt_options){0}, &done, &err));
    return done.steps;
}

/* Work counted, not timed: twice the text is twice the work. */
static void grows_linearly(void **state)
{
    (void)state;
    static const char *const shapes[][3] = {
        {"SELECT ", "a, ", "b FROM t"},
        {"SELECT a FROM t WHERE x IN (", "1, ", "2)"},
        {"INSERT INTO t VALUES ", "(1, 'a'), ", "(2, 'b')"},
        {"", "SELECT a, b FROM t WHERE c = 1;\n", ""},
        {"SELECT ", "/* c */ -- d\n", "a"},
        {"SELECT f(", "g(x, y), ", "z)"},
        {"SELECT ", "(", "a"},
        {"CREATE TABLE t (", "aaa INT, ", "b INT)"},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(shapes); i++) {
        size_t one = memory_of(shapes[i][0], shapes[i][1], shapes[i][2], 2000);
        size_t eight = memory_of(shapes[i][0], shapes[i][1], shapes[i][2], 16000);
        if (eight > one * 10) {
            FAIL("%s%s...: %zu steps, eight times the text: %zu", shapes[i][0], shapes[i][1], one, eight);
        }
    }
}

static void limits(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sql_fmt done;
    struct sl_err err = SL_ERR_INIT;
    assert_false(
        sql_format(&a, SL_STR("x"), SL_STR("SELECT '\xff'"), &(struct sql_fmt_options){0}, &done, &err));
    assert_int_equal(err.code, SL_UTF8);
    assert_int_equal(err.pos.off, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden),         cmocka_unit_test(own_statements),
                                       cmocka_unit_test(corpora),        cmocka_unit_test(anything),
                                       cmocka_unit_test(grows_linearly), cmocka_unit_test(limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
