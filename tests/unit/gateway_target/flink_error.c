/* SPDX-License-Identifier: Apache-2.0
 * Failures of Flink against scripts: tests/golden/errors/NAME.txt holds cases of
 *   #### name / the script / ==== number of the statement that failed (0: not known) / Java's text / ---- /
 * what is told With SLUICE_GOLDEN_UPDATE set the answers are written anew, to be read before they are
 * committed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "gateway/target/flink_error.h"

#define FOLDER "tests/golden/errors"

static sl_str next_line(sl_str *rest)
{
    ptrdiff_t nl = sl_str_find_char(*rest, '\n');
    sl_str line = nl < 0 ? *rest : sl_str_sub(*rest, 0, (size_t)nl);
    *rest = nl < 0 ? SL_STR_NONE : sl_str_sub(*rest, (size_t)nl + 1, rest->n - (size_t)nl - 1);
    return line;
}

/* Everything up to a line that begins with the mark; the line itself in *mark_line. */
static sl_str until(sl_str *rest, const char *mark, sl_str *mark_line)
{
    sl_str start = *rest;
    while (rest->n) {
        sl_str before = *rest, line = next_line(rest);
        if (sl_str_starts(line, sl_str_of(mark))) {
            *mark_line = line;
            return (sl_str){start.p, (size_t)(before.p - start.p)};
        }
    }
    *mark_line = SL_STR_NONE;
    return start;
}

static void put_lines(struct sl_buf *b, const char *head, sl_str text)
{
    while (text.n) {
        sl_str line = next_line(&text);
        sl_buf_printf(b, "%s%.*s\n", head, SL_S(line));
        head = "      ";
    }
}

static void has_no_java(sl_str script, sl_str text)
{
    static const char *const java[] = {"org.apache.", "java.", "Exception", "org/apache/", "io.debezium"};
    for (size_t i = 0; i < SL_ARRAY_LEN(java); i++) {
        if (sl_str_find(text, sl_str_of(java[i])) >= 0 && sl_str_find(script, sl_str_of(java[i])) < 0) {
            fail_msg("Java in '%.*s'", SL_S(text));
        }
    }
}

static void answer(sl_str script_text, int64_t number, sl_str java, struct sl_buf *out)
{
    SL_ARENA_AUTO a = {0};
    struct sql_script s;
    struct sl_err err = SL_ERR_INIT;
    struct sql_vars vars = {0};
    struct sql_var *secret = sl_vec_add(&a, &vars.list);
    *secret = (struct sql_var){SL_STR("secret.pw"), SL_STR("s3cr3t-value"), SL_STR("test"), true};
    struct sql_var *kafka = sl_vec_add(&a, &vars.list);
    *kafka = (struct sql_var){SL_STR("kafka"), SL_STR("kafka-1:9092"), SL_STR("test"), false};
    struct sql_options opt = {.level = SQL_LEVEL_SPLIT, .vars = &vars};
    sql_script_init(&s, &a, SQL_FLINK_2_2);
    assert_true(sql_script_add(&s, SL_STR("t.sql"), script_text, &opt, &err));
    struct tgt_failure f = {.stack = java};
    if (java.n && (java.p[0] == '{' || java.p[0] == '[')) {
        f = (struct tgt_failure){.chain_json = java};
    }
    assert_true(number >= 0 && (size_t)number <= s.stmts.n);
    const struct sql_stmt *st = number ? &s.stmts.v[number - 1] : NULL;
    struct sql_diag d;
    if (!flink_error_translate(&f, &s, st, &a, &d)) {
        sl_buf_putz(out, "nothing\n");
        return;
    }
    sl_buf_printf(out, "%s", sl_code_slug(d.code));
    if (d.pos.off != SL_NO_POS) {
        assert_true(d.pos.off + d.pos.len <= script_text.n);
        sl_buf_printf(out, " statement %u, %u:%u '%.*s'", d.statement, d.pos.line, d.pos.col, (int)d.pos.len,
                      script_text.p + d.pos.off);
    }
    if (d.second.off != SL_NO_POS) {
        sl_buf_printf(out, "; %u:%u '%.*s' %.*s", d.second.line, d.second.col, (int)d.second.len,
                      script_text.p + d.second.off, SL_S(d.second_label));
    }
    sl_buf_putc(out, '\n');
    put_lines(out, "", d.msg);
    put_lines(out, "hint: ", d.hint);
    put_lines(out, "flink: ", d.flink);
    has_no_java(script_text, d.msg);
    has_no_java(script_text, d.hint);
    has_no_java(script_text, d.flink);
    assert_true(sl_str_find(sl_buf_str(out), SL_STR("s3cr3t")) < 0);
}

static void one_file(const char *path, size_t *cases, size_t *wrong)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    SL_BUF_AUTO text, again;
    sl_buf_init(&text, 0);
    sl_buf_init(&again, 0);
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof(part), f)) > 0;) {
        sl_buf_put(&text, part, n);
    }
    fclose(f);
    sl_str rest = sl_buf_str(&text), mark, number_line;
    sl_str head = until(&rest, "#### ", &mark);
    sl_buf_puts(&again, head);
    while (mark.n) {
        sl_str name = mark, dashes;
        sl_str script = until(&rest, "==== ", &number_line);
        sl_str java = until(&rest, "----", &dashes);
        sl_str want = until(&rest, "#### ", &mark);
        int64_t number;
        assert_true(sl_str_to_i64(sl_str_sub(number_line, 5, number_line.n - 5), &number));
        SL_BUF_AUTO got;
        sl_buf_init(&got, 0);
        answer(script, number, sl_str_trim(java), &got);
        sl_str had = sl_str_trim(want);
        if (!sl_str_eq(had, sl_str_trim(sl_buf_str(&got)))) {
            (*wrong)++;
            print_message("%s %.*s\n--- wanted\n%.*s\n--- got\n%.*s\n", path, SL_S(name), SL_S(had),
                          SL_S(sl_buf_str(&got)));
        }
        (*cases)++;
        sl_buf_printf(&again, "%.*s\n%.*s%.*s\n%.*s\n----\n%.*s\n", SL_S(name), SL_S(script),
                      SL_S(number_line), SL_S(sl_str_trim(java)), SL_S(sl_buf_str(&got)));
    }
    if (getenv("SLUICE_GOLDEN_UPDATE") && *wrong) {
        f = fopen(path, "wb");
        assert_non_null(f);
        fwrite(again.p, 1, again.n, f);
        fclose(f);
    }
}

static void golden_cases(void **state)
{
    (void)state;
    DIR *dir = opendir(FOLDER);
    assert_non_null(dir);
    size_t cases = 0, wrong = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        size_t n = strlen(e->d_name);
        if (n > 4 && strcmp(e->d_name + n - 4, ".txt") == 0) {
            char path[512];
            snprintf(path, sizeof(path), FOLDER "/%s", e->d_name);
            one_file(path, &cases, &wrong);
        }
    }
    closedir(dir);
    assert_true(cases > 20);
    assert_int_equal(wrong, 0);
}

static void nothing_is_said_of_nothing(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct tgt_failure f = {0};
    struct sql_diag d;
    assert_false(flink_error_translate(&f, NULL, NULL, &a, &d));
    f.chain_json = SL_STR("{\"chain\":[]}");
    assert_false(flink_error_translate(&f, NULL, NULL, &a, &d));
    f.chain_json = SL_STR("not json");
    assert_false(flink_error_translate(&f, NULL, NULL, &a, &d));
}

static void the_whole_chain_on_request(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct tgt_failure f = {
        .chain_json = SL_STR("[{\"class\":\"a.B\",\"message\":\"x\"},{\"class\":\"c.D\",\"message\":\"\"}]")};
    sl_str s = flink_error_stack(&f, &a);
    assert_true(sl_str_eqz(s, "a.B: x\nCaused by: c.D\n"));
    f.stack = SL_STR("as it came");
    assert_true(sl_str_eqz(flink_error_stack(&f, &a), "as it came"));
}

static void an_error_of_a_diagnostic(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct tgt_failure f = {.stack = SL_STR("java.lang.ArithmeticException: / by zero")};
    struct sql_diag d;
    struct sl_err err = SL_ERR_INIT;
    assert_true(flink_error_translate(&f, NULL, NULL, &a, &d));
    flink_error_to_err(&d, &err);
    assert_int_equal(err.code, SL_DIVISION_BY_ZERO);
    assert_string_equal(err.msg, "a division by zero");
    assert_true(err.hint[0] != '\0');
}

/* What comes from outside may be anything: no message may make the matcher slow or read past its end. */
static void hostile_messages(void **state)
{
    (void)state;
    static const char *const pieces[] = {"Encountered \"",
                                         "\" at line ",
                                         "'",
                                         "identifier '",
                                         "Column types of query result and sink for '",
                                         "\n",
                                         "Cause",
                                         "[",
                                         "]",
                                         "line 1, column 99999999999999999999",
                                         "\xff\xfe",
                                         "{1}",
                                         "%1",
                                         "||",
                                         "Object '"};
    unsigned seed = 7;
    for (int round = 0; round < 400; round++) {
        SL_ARENA_AUTO a = {0};
        SL_BUF_AUTO b;
        sl_buf_init(&b, 0);
        sl_buf_putz(&b, "org.x.Y: ");
        for (int i = 0; i < 60; i++) {
            seed = seed * 1103515245u + 12345u;
            sl_buf_putz(&b, pieces[(seed >> 16) % SL_ARRAY_LEN(pieces)]);
        }
        struct sql_script s;
        struct sl_err err = SL_ERR_INIT;
        sql_script_init(&s, &a, SQL_FLINK_2_2);
        assert_true(sql_script_add(&s, SL_STR("h.sql"),
                                   SL_STR("CREATE TABLE a (b INT) WITH ('k' = 'v'); SELECT * FROM a"),
                                   &(struct sql_options){.level = SQL_LEVEL_SPLIT}, &err));
        struct tgt_failure f = {.stack = sl_buf_str(&b)};
        struct sql_diag d;
        if (flink_error_translate(&f, &s, &s.stmts.v[1], &a, &d)) {
            assert_true(d.msg.n > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_cases),
        cmocka_unit_test(nothing_is_said_of_nothing),
        cmocka_unit_test(the_whole_chain_on_request),
        cmocka_unit_test(an_error_of_a_diagnostic),
        cmocka_unit_test(hostile_messages),
    };
    return cmocka_run_group_tests_name("gateway_target/flink_error", tests, NULL, NULL);
}
