/* SPDX-License-Identifier: Apache-2.0
 * The lexer against golden token lists (tests/golden/lexer), the keyword table against its source, and the
 * laws every token stream obeys: tokens in order, never overlapping, what lies between is blank or comment.
 */
#include "golden.h"
#include "sqlparse/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static sql_version version_of(sl_str name)
{
    return sl_str_find(name, SL_STR("[1.20]")) >= 0  ? 120
           : sl_str_find(name, SL_STR("[2.3]")) >= 0 ? 203
                                                     : 202;
}

static const char *const faults[] = {"",           "char",         "open string",  "open name",
                                     "empty name", "open comment", "open variable"};

static void tokens(sl_str name, sl_str input, struct sl_buf *out)
{
    struct sql_lexer lx;
    struct sql_token t;
    input = sl_str_sub(input, 0, input.n && input.p[input.n - 1] == '\n' ? input.n - 1 : input.n);
    sql_lex_init(&lx, input, version_of(name), sl_str_find(name, SL_STR("[vars]")) >= 0);
    while (sql_lex_next(&lx, &t)) {
        sl_str text = sql_token_text(&lx, &t);
        sl_buf_printf(out, "%u %s%s%s%s ", t.off, sql_token_name(t.kind),
                      t.flags & SQL_TOKEN_VARIABLE ? " variable" : "",
                      t.flags & SQL_TOKEN_DOUBLED ? " doubled" : "",
                      t.flags & SQL_TOKEN_RESERVED ? " reserved" : "");
        for (size_t i = 0; i < text.n; i++) {
            text.p[i] == '\n' ? sl_buf_putz(out, "\\n") : sl_buf_putc(out, text.p[i]);
        }
        if (t.fault) {
            sl_buf_printf(out, " !%s", faults[t.fault]);
        }
        if (t.fault == SQL_LEX_CHAR) {
            sl_buf_printf(out, " U+%04X", t.point);
        }
        sl_buf_putc(out, '\n');
    }
}

static void golden_tokens(void **state)
{
    (void)state;
    int cases = 0;
    assert_int_equal(golden_run("tests/golden/lexer/tokens.txt", tokens, &cases), 0);
    assert_true(cases >= 40);
}

/* Every word of the table is found in any letter case, and nothing near it is. */
static void words(void **state)
{
    (void)state;
    for (unsigned w = 1; w < SQL_WORD_MAX_; w++) {
        const struct sql_word_info *info = &sql_words[w];
        char lower[64];
        assert_int_equal(strlen(info->text), info->len);
        assert_int_equal(sql_word_find(info->text, info->len), w);
        for (size_t i = 0; i <= info->len; i++) {
            lower[i] =
                info->text[i] >= 'A' && info->text[i] <= 'Z' ? (char)(info->text[i] + 32) : info->text[i];
        }
        assert_int_equal(sql_word_find(lower, info->len), w);
        lower[info->len - 1] = '~';
        assert_int_equal(sql_word_find(lower, info->len), SQL_WORD_NONE);
        assert_true((info->reserved & ~info->known) == 0);
        /* a word that is reserved somewhere must have a token: it can never pass as a name */
        assert_true(!info->reserved || info->token);
    }
    assert_int_equal(sql_word_find("", 0), SQL_WORD_NONE);
    assert_int_equal(sql_word_find("selec", 5), SQL_WORD_NONE);
}

/* The counts Flink's own parser reports for its versions. */
static void counts(void **state)
{
    (void)state;
    static const struct {
        unsigned version, reserved, other;
    } flink[] = {{120, 405, 340}, {200, 421, 341}, {201, 422, 342}, {202, 430, 343}, {203, 432, 355}};
    for (size_t i = 0; i < SL_ARRAY_LEN(flink); i++) {
        unsigned v = sql_version_index((sql_version)flink[i].version), reserved = 0, known = 0;
        for (unsigned w = 1; w < SQL_WORD_MAX_; w++) {
            reserved += sql_words[w].reserved >> v & 1;
            known += sql_words[w].known >> v & 1;
        }
        assert_int_equal(reserved, flink[i].reserved);
        assert_int_equal(known - reserved, flink[i].other);
    }
}

static void versions(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    sql_version v;
    assert_true(sql_version_parse(SL_STR("1.20"), &v, &err) && v == 120);
    assert_true(sql_version_parse(SL_STR("2.2.1"), &v, &err) && v == 202);
    assert_true(sql_version_parse(SL_STR("2.3.0"), &v, &err) && v == 203);
    assert_false(sql_version_parse(SL_STR("2.22"), &v, &err));
    assert_false(sql_version_parse(SL_STR("2.2."), &v, &err));
    assert_false(sql_version_parse(SL_STR("1.9"), &v, &err));
    assert_false(sql_version_parse(SL_STR(""), &v, &err));
    assert_int_equal(err.code, SL_CONFIG_VALUE);
    assert_non_null(strstr(err.hint, "2.2"));
}

static void unquote(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    assert_true(sl_str_eqz(sql_unquote(&a, SL_STR("'it''s'")), "it's"));
    assert_true(sl_str_eqz(sql_unquote(&a, SL_STR("`a``b`")), "a`b"));
    assert_true(sl_str_eqz(sql_unquote(&a, SL_STR("''")), ""));
    assert_true(sl_str_eqz(sql_unquote(&a, SL_STR("''''''")), "''"));
    assert_true(sl_str_eqz(sql_unquote(&a, SL_STR("plain")), "plain"));
}

/* Over random texts made of awkward pieces: order, progress, and nothing but blanks and comments left out. */
static void laws(void **state)
{
    (void)state;
    static const char *const pieces[] = {"'",
                                         "''",
                                         "`",
                                         "``",
                                         "--",
                                         "/*",
                                         "*/",
                                         "/**/",
                                         "/*+",
                                         "/**",
                                         "//",
                                         "\n",
                                         "\r",
                                         " ",
                                         "$",
                                         "${",
                                         "}",
                                         "a$b",
                                         "a.b$c",
                                         "1.",
                                         ".5",
                                         "1e",
                                         "1e5",
                                         "e",
                                         "E'\\'",
                                         "X'",
                                         "U&'",
                                         "U&\"",
                                         "\"",
                                         "_x'",
                                         "N'",
                                         "\xc3\xa4",
                                         "\xe4\xb8\xad",
                                         "\xf0\x9f\x98\x80",
                                         "\xe3\x80\x82",
                                         "END-EXEC",
                                         "END-",
                                         "SELECT",
                                         "x",
                                         "<>",
                                         "<=",
                                         "=>",
                                         "!=",
                                         "!",
                                         "||",
                                         "|",
                                         "{d",
                                         "{ ts",
                                         "{",
                                         "..",
                                         ".",
                                         "-",
                                         "/",
                                         "*",
                                         "\xd9\xa1",
                                         ";",
                                         "(",
                                         "#",
                                         "\\",
                                         "~",
                                         "\x01"};
    uint32_t seed = 20260101;
    for (int round = 0; round < 20000; round++) {
        char text[256];
        size_t n = 0;
        for (int k = 0; k < 14; k++) {
            seed = seed * 1664525u + 1013904223u;
            const char *p = pieces[(seed >> 8) % SL_ARRAY_LEN(pieces)];
            memcpy(text + n, p, strlen(p));
            n += strlen(p);
        }
        struct sql_lexer lx;
        struct sql_token t;
        uint32_t end = 0;
        sql_lex_init(&lx, (sl_str){text, n}, round % 2 ? 120 : 203, round % 3 == 0);
        while (sql_lex_next(&lx, &t)) {
            assert_true(t.off >= end && t.len > 0 && t.off + t.len <= n);
            if (end < t.off) {
                char c = text[end];
                assert_true(c == ' ' || c == '\n' || c == '\r' || c == '/' || c == '-');
            }
            assert_true((t.fault != 0) == (t.kind == TK_ILLEGAL || t.kind == TK_QUOTE));
            end = t.off + t.len;
        }
        assert_int_equal(t.off, n);
        assert_int_equal(sql_lex_next(&lx, &t), 0);
    }
}

/* A megabyte of one thing must not take quadratic time; the count of bytes looked at cannot be seen from
 * outside, so a generous clock stands for it. */
static void linear(void **state)
{
    (void)state;
    static const char *const units[] = {"(", "'",  "/*", "a.", "a.a$1.",   "$",  "${",
                                        "`", "1.", "_",  "x",  "\xc3\xa4", "a-", "--"};
    size_t n = 1 << 20;
    char *text = malloc(n + 8);
    for (size_t u = 0; u < SL_ARRAY_LEN(units); u++) {
        size_t len = strlen(units[u]), at = 0;
        while (at + len <= n) {
            memcpy(text + at, units[u], len);
            at += len;
        }
        struct sql_lexer lx;
        struct sql_token t;
        size_t count = 0;
        sql_lex_init(&lx, (sl_str){text, at}, 202, u % 2);
        while (sql_lex_next(&lx, &t) && count < 4 * n) {
            count++;
        }
        assert_true(count < 4 * n);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_tokens), cmocka_unit_test(words),   cmocka_unit_test(counts),
        cmocka_unit_test(versions),      cmocka_unit_test(unquote), cmocka_unit_test(laws),
        cmocka_unit_test(linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
