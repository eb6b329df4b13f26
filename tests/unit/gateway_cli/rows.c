/* SPDX-License-Identifier: Apache-2.0
 * The rows writer: every form byte for byte, and what a toy would get wrong: widths of wide and combining
 * characters, NULL against the empty text, control characters, quoting, a reader that goes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "gateway/cli/rows.h"

struct sheet {
    const char *names[8], *types[8];
    size_t n;
    bool insert_only;
};

static char *out_text;
static size_t out_size;

static struct cli_rows *begin(FILE **f, const struct sheet *s, const struct cli_rows_options *o)
{
    out_text = NULL;
    *f = open_memstream(&out_text, &out_size);
    assert_non_null(*f);
    struct cli_rows *r = cli_rows_new(*f, o);
    sl_str names[8], types[8];
    for (size_t i = 0; i < s->n; i++) {
        names[i] = sl_str_of(s->names[i]);
        types[i] = sl_str_of(s->types[i]);
    }
    assert_true(cli_rows_columns(r, names, types, s->n, s->insert_only));
    return r;
}

/* Cells by "|"; "~" alone is NULL. */
static void row(struct cli_rows *r, const char *kind, const char *cells)
{
    sl_str v[8];
    bool nulls[8];
    size_t n = 0;
    for (const char *p = cells;; n++) {
        size_t len = strcspn(p, "|");
        v[n] = (sl_str){p, len};
        nulls[n] = len == 1 && *p == '~';
        p += len;
        if (!*p++) {
            break;
        }
    }
    assert_true(cli_rows_row(r, kind, v, nulls));
}

static void expect(FILE *f, struct cli_rows *r, const char *text)
{
    cli_rows_free(r);
    fclose(f);
    assert_string_equal(out_text, text);
    free(out_text);
}

static const struct sheet revenue = {
    {"item", "orders", "revenue"}, {"STRING", "BIGINT NOT NULL", "DECIMAL(38, 2)"}, 3, true};

static void a_whole_table(void **state)
{
    (void)state;
    FILE *f;
    struct cli_rows_options o = {.format = CLI_TABLE};
    struct cli_rows *r = begin(&f, &revenue, &o);
    row(r, "+I", "apple|3|4.20");
    row(r, "+I", "pear|2|3.10");
    row(r, "+I", "plum|1|0.90");
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    assert_int_equal(cli_rows_count(r), 3);
    expect(f, r,
           " item  | orders | revenue\n"
           "-------+--------+---------\n"
           " apple |      3 |    4.20\n"
           " pear  |      2 |    3.10\n"
           " plum  |      1 |    0.90\n"
           "(3 rows)\n");
}

static void a_stream_with_kinds(void **state)
{
    (void)state;
    FILE *f;
    struct sheet s = {{"item", "n"}, {"STRING", "BIGINT NOT NULL"}, 2, false};
    struct cli_rows_options o = {.format = CLI_TABLE};
    struct cli_rows *r = begin(&f, &s, &o);
    row(r, "+I", "pear|1");
    fflush(f);
    assert_int_equal(out_size, 0); /* widths wait for the first pause */
    assert_true(cli_rows_flush(r));
    assert_string_equal(out_text, " op | item  |  n\n----+-------+----\n +I | pear  |  1\n");
    row(r, "+I", "apple|1");
    row(r, "-U", "pear|1");
    row(r, "+U", "pear|2");
    assert_true(cli_rows_end(r, CLI_ROWS_STOPPED, NULL));
    expect(f, r,
           " op | item  |  n\n"
           "----+-------+----\n"
           " +I | pear  |  1\n"
           " +I | apple |  1\n"
           " -U | pear  |  1\n"
           " +U | pear  |  2\n");
}

static void nothing_came(void **state)
{
    (void)state;
    FILE *f;
    struct cli_rows_options o = {.format = CLI_TABLE};
    struct cli_rows *r = begin(&f, &revenue, &o);
    assert_true(cli_rows_flush(r)); /* no row yet: the heading waits */
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    expect(f, r, " item | orders | revenue\n------+--------+---------\n(0 rows)\n");
}

static void endings(void **state)
{
    (void)state;
    FILE *f;
    struct sheet s = {{"a"}, {"INT"}, 1, true};
    struct cli_rows_options o = {.format = CLI_TABLE, .no_header = true};
    struct cli_rows *r = begin(&f, &s, &o);
    row(r, "+I", "7");
    assert_true(cli_rows_end(r, CLI_ROWS_PARTIAL, NULL));
    expect(f, r, " 7\n(1 row, not all)\n");
    r = begin(&f, &s, &o);
    row(r, "+I", "7");
    row(r, "+I", "-12");
    assert_true(cli_rows_end(r, CLI_ROWS_STOPPED, "then stopped"));
    expect(f, r, "   7\n -12\n(2 rows, then stopped)\n");
}

static void widths_are_display_widths(void **state)
{
    (void)state;
    FILE *f;
    struct sheet s = {{"k", "\xe8\xae\xa2\xe5\x8d\x95", "z"}, {"STRING", "STRING", "STRING"}, 3, true};
    struct cli_rows_options o = {.format = CLI_TABLE};
    struct cli_rows *r = begin(&f, &s, &o);
    row(r, "+I", "e\xcc\x81|\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97|1"); /* e + combining acute */
    row(r, "+I", "ab|\xf0\x9f\x98\x80|2");                            /* an emoji: two columns */
    row(r, "+I", "a\nb|\x1b[31mred\x7f|\xe2\x80\xaex\xff");
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    expect(f, r,
           " k    | \xe8\xae\xa2\xe5\x8d\x95            | z\n"
           "------+-----------------+----------\n"
           " e\xcc\x81    | \xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97          | 1\n"
           " ab   | \xf0\x9f\x98\x80              | 2\n"
           " a\\nb | \\x1B[31mred\\x7F | \\u202Ex\xef\xbf\xbd\n"
           "(3 rows)\n");
}

static void only_a_terminal_cuts(void **state)
{
    (void)state;
    FILE *f;
    struct sheet s = {{"id", "text"}, {"INT", "STRING"}, 2, true};
    struct cli_rows_options o = {.format = CLI_TABLE, .terminal = true, .width = 24};
    char value[120], line[160];
    memset(value, 'x', 100);
    value[100] = '\0';
    snprintf(line, sizeof(line), "1|%s", value);
    struct cli_rows *r = begin(&f, &s, &o);
    row(r, "+I", line);
    assert_true(cli_rows_flush(r));
    row(r, "+I", "2|short");
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    expect(
        f, r,
        " id | text\n----+-------------------\n  1 | xxxxxxxxxxxxxxxx\xe2\x80\xa6\n  2 | short\n(2 rows)\n");
    o = (struct cli_rows_options){.format = CLI_TABLE, .width = 24};
    r = begin(&f, &s, &o);
    row(r, "+I", line);
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    fflush(f);
    assert_non_null(strstr(out_text, value));
    cli_rows_free(r);
    fclose(f);
    free(out_text);
}

static void a_later_wider_value_is_whole(void **state)
{
    (void)state;
    FILE *f;
    struct sheet s = {{"a", "b"}, {"STRING", "DATE"}, 2, true};
    struct cli_rows_options o = {.format = CLI_TABLE};
    struct cli_rows *r = begin(&f, &s, &o);
    row(r, "+I", "x|~");
    assert_true(cli_rows_flush(r));
    row(r, "+I", "longer than before|2024-02-29");
    row(r, "+I", "y|2024-03-01");
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    expect(f, r,
           " a     | b\n"
           "-------+------------\n"
           " x     | NULL\n"
           " longer than before | 2024-02-29\n"
           " y                  | 2024-03-01\n"
           "(3 rows)\n");
}

static void csv(void **state)
{
    (void)state;
    FILE *f;
    struct sheet s = {{"a", "b,c"}, {"STRING", "STRING"}, 2, true};
    struct cli_rows_options o = {.format = CLI_CSV};
    struct cli_rows *r = begin(&f, &s, &o);
    row(r, "+I", "plain|~");
    row(r, "+I", "|say \"hi\", twice");
    row(r, "+I", "two\nlines| blank");
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    expect(f, r,
           "a,\"b,c\"\n"
           "plain,\n"
           "\"\",\"say \"\"hi\"\", twice\"\n"
           "\"two\nlines\",\" blank\"\n");
    o = (struct cli_rows_options){
        .format = CLI_CSV, .no_header = true, .null_text = "NIL", .changelog = CLI_CHANGELOG_ON};
    r = begin(&f, &s, &o);
    row(r, "+I", "NIL|~");
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    expect(f, r, "+I,\"NIL\",NIL\n");
}

static void tsv(void **state)
{
    (void)state;
    FILE *f;
    struct sheet s = {{"a", "b"}, {"STRING", "STRING"}, 2, false};
    struct cli_rows_options o = {.format = CLI_TSV};
    struct cli_rows *r = begin(&f, &s, &o);
    row(r, "-D", "t\tn\nr\rb\\|~");
    row(r, "+I", "|\\N");
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    expect(f, r, "op\ta\tb\n-D\tt\\tn\\nr\\rb\\\\\t\\N\n+I\t\t\\\\N\n");
}

static void json(void **state)
{
    (void)state;
    FILE *f;
    struct sheet s = {{"i", "l", "d", "f", "b", "i"},
                      {"INT NOT NULL", "BIGINT", "DECIMAL(5, 2)", "DOUBLE", "BOOLEAN", "STRING"},
                      6,
                      true};
    struct cli_rows_options o = {.format = CLI_JSON, .null_text = "nil"};
    struct cli_rows *r = begin(&f, &s, &o);
    row(r, "+I", "-5|9223372036854775807|1.50|1.0E10|TRUE|a\"\n\xc3\xa9");
    row(r, "+I", "0|~|~|NaN|~|");
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    expect(f, r,
           "[\n"
           "{\"i\":-5,\"l\":\"9223372036854775807\",\"d\":\"1.50\",\"f\":1.0E10,\"b\":true,\"i_2\":"
           "\"a\\\"\\n\xc3\xa9\"},\n"
           "{\"i\":0,\"l\":null,\"d\":null,\"f\":\"NaN\",\"b\":null,\"i_2\":\"\"}\n"
           "]\n");
    r = begin(&f, &s, &o);
    assert_true(cli_rows_end(r, CLI_ROWS_PARTIAL, NULL));
    expect(f, r, "[]\n");
    s = (struct sheet){{"op", "x"}, {"STRING", "SMALLINT"}, 2, false};
    o.format = CLI_JSONL;
    r = begin(&f, &s, &o);
    row(r, "+U", "mine|007");
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    expect(f, r, "{\"op\":\"+U\",\"op_2\":\"mine\",\"x\":\"007\"}\n");
}

static void markdown_and_vertical(void **state)
{
    (void)state;
    FILE *f;
    struct sheet s = {{"na|me", "n"}, {"STRING", "INT"}, 2, true};
    struct cli_rows_options o = {.format = CLI_MARKDOWN};
    struct cli_rows *r = begin(&f, &s, &o);
    row(r, "+I", "a\nb<i>|~");
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    expect(f, r, "| na\\|me | n |\n|---|---:|\n| a<br>b&lt;i> | NULL |\n");
    s = (struct sheet){{"item", "a_long_column_name"}, {"STRING", "INT"}, 2, true};
    o.format = CLI_VERTICAL;
    r = begin(&f, &s, &o);
    row(r, "+I", "pear|1");
    row(r, "+I", "~|2");
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    expect(f, r,
           "-[ RECORD 1 ]-------\n"
           "item               | pear\n"
           "a_long_column_name | 1\n"
           "-[ RECORD 2 ]-------\n"
           "item               | NULL\n"
           "a_long_column_name | 2\n"
           "(2 rows)\n");
}

static void changelog_off_hides_the_kind(void **state)
{
    (void)state;
    FILE *f;
    struct sheet s = {{"n"}, {"INT"}, 1, false};
    struct cli_rows_options o = {.format = CLI_CSV, .changelog = CLI_CHANGELOG_OFF};
    struct cli_rows *r = begin(&f, &s, &o);
    row(r, "-U", "1");
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    expect(f, r, "n\n1\n");
}

static void a_reader_that_goes_is_no_noise(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    FILE *f = fdopen(fd[1], "w");
    struct cli_rows_options o = {.format = CLI_CSV};
    struct cli_rows *r = cli_rows_new(f, &o);
    sl_str name = SL_STR("n"), type = SL_STR("INT"), cell = SL_STR("1");
    assert_true(cli_rows_columns(r, &name, &type, 1, true));
    assert_true(cli_rows_row(r, "+I", &cell, NULL));
    assert_true(cli_rows_flush(r));
    close(fd[0]);
    bool ok = cli_rows_row(r, "+I", &cell, NULL) && cli_rows_flush(r);
    assert_false(ok);
    assert_true(cli_rows_gone(r));
    assert_false(cli_rows_row(r, "+I", &cell, NULL));
    assert_false(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    cli_rows_free(r);
    fclose(f);
}

static void many_rows_do_not_wait_for_a_pause(void **state)
{
    (void)state;
    FILE *f;
    struct sheet s = {{"n"}, {"INT"}, 1, true};
    struct cli_rows_options o = {.format = CLI_TABLE};
    struct cli_rows *r = begin(&f, &s, &o);
    for (int i = 0; i < 600; i++) {
        char n[16];
        snprintf(n, sizeof(n), "%d", i);
        row(r, "+I", n);
    }
    fflush(f);
    assert_true(out_size > 0);
    assert_true(cli_rows_end(r, CLI_ROWS_COMPLETE, NULL));
    fflush(f);
    size_t lines = 0;
    for (const char *p = out_text; *p; p++) {
        lines += *p == '\n';
    }
    assert_int_equal(lines, 603);
    cli_rows_free(r);
    fclose(f);
    free(out_text);
}

static void names_of_forms(void **state)
{
    (void)state;
    enum cli_format form;
    struct sl_err err = SL_ERR_INIT;
    assert_true(cli_format_parse("JSONL", &form, &err));
    assert_int_equal(form, CLI_JSONL);
    assert_false(cli_format_parse("xml", &form, &err));
    assert_int_equal(err.code, SL_USAGE);
    assert_non_null(strstr(err.hint, "vertical"));
    enum cli_changelog log;
    assert_true(cli_changelog_parse("off", &log, &err));
    assert_int_equal(log, CLI_CHANGELOG_OFF);
    assert_false(cli_changelog_parse("", &log, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_table),
        cmocka_unit_test(a_stream_with_kinds),
        cmocka_unit_test(nothing_came),
        cmocka_unit_test(endings),
        cmocka_unit_test(widths_are_display_widths),
        cmocka_unit_test(only_a_terminal_cuts),
        cmocka_unit_test(a_later_wider_value_is_whole),
        cmocka_unit_test(csv),
        cmocka_unit_test(tsv),
        cmocka_unit_test(json),
        cmocka_unit_test(markdown_and_vertical),
        cmocka_unit_test(changelog_off_hides_the_kind),
        cmocka_unit_test(a_reader_that_goes_is_no_noise),
        cmocka_unit_test(many_rows_do_not_wait_for_a_pause),
        cmocka_unit_test(names_of_forms),
    };
    return cmocka_run_group_tests_name("gateway_cli/rows", tests, NULL, NULL);
}
