/* SPDX-License-Identifier: Apache-2.0
 * The catalogue of failures seen on real Flinks, where it lies beside the repository: every case gets a slug
 * of its own, words without Java and, but for grammar, a cure. Without the catalogue the test says that it
 * was skipped; the same kinds of failure are in tests/golden/errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "gateway/target/flink_error.h"

static const char *const expected[][2] = {
    {"connector-jar-missing", "connector-unknown"},
    {"format-jar-missing", "format-unknown"},
    {"option-name-wrong", "option-unknown"},
    {"option-missing", "option-missing"},
    {"option-value-wrong", "option-value"},
    {"jdbc-url-no-dialect", "jdbc-dialect-missing"},
    {"jdbc-driver-missing", "jdbc-driver-missing"},
    {"kafka-unreachable-sink", "kafka-unreachable"},
    {"kafka-topic-missing", "kafka-topic-missing"},
    {"kafka-json-bad", "kafka-json-bad record-bad"},
    {"table-exists", "table-exists"},
    {"table-unknown", "table-unknown"},
    {"column-unknown", "column-unknown"},
    {"syntax", "syntax"},
    {"syntax-with-comma", "syntax"},
    {"reserved-word", "reserved-word"},
    {"function-unknown", "function-unknown"},
    {"udf-class-missing", "class-not-found"},
    {"udf-not-a-function", "function-invalid"},
    {"udf-wrong-args", "function-arguments"},
    {"jar-missing", "jar-missing"},
    {"insert-column-count", "column-count"},
    {"insert-type", "column-type"},
    {"changelog-to-append-sink", "changelog-to-append-sink"},
    {"upsert-kafka-no-key", "upsert-key-missing"},
    {"primary-key-enforced", "primary-key-enforced"},
    {"window-no-time-attribute", "time-attribute-missing"},
    {"order-by-streaming", "order-by-streaming"},
    {"batch-unbounded-source", "batch-unbounded-source"},
    {"set-bad-value", "set-value"},
    {"pg-bad-password", "pg-bad-password"},
    {"pg-unreachable", "pg-unreachable"},
    {"pg-table-missing", "pg-table-missing"},
    {"pg-type-mismatch", "pg-type-mismatch"},
    {"checkpoint-dir-not-writable", "checkpoint-dir-not-writable"},
    {"checkpoint-dir-no-filesystem", "filesystem-missing"},
    {"savepoint-missing", "savepoint-missing"},
    {"no-slots", "slots-missing"},
    {"files-source-missing", "path-missing"},
    {"csv-bad-row", "csv-bad-row"},
    {"cast-fails", "cast-failed"},
    {"divide-by-zero", "division-by-zero"},
    {"not-null-sink", "not-null"},
    {"kafka-unreachable-source", "kafka-unreachable"},
    {"cdc-wal-level-or-slot", "pg-bad-password"},
    {"cdc-plugin-missing", "pg-plugin-missing"},
    {"catalog-unknown", "catalog-unknown"},
    {"catalog-type-missing", "catalog-type-unknown"},
    {"jar-shadows-flink-class", "class-conflict"},
    {"connector-built-for-1.x", "connector-not-for-version"},
    {"upsert-key-differs", "upsert-key-differs"},
    {"on-conflict-needs-watermarks", "on-conflict-needs-watermarks"},
    {"parquet-no-hadoop", "hadoop-missing"},
    {"connector-built-for-1.x-late", "connector-not-for-version"},
};

static char *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        return NULL;
    }
    char *text = malloc(1 << 22);
    assert_non_null(text);
    *n = fread(text, 1, (1 << 22) - 1, f);
    text[*n] = '\0';
    fclose(f);
    return text;
}

/* " | " stands for a line end in the catalogue's excerpts. */
static void put_lines(struct sl_buf *b, sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool joint = i + 3 <= s.n && memcmp(s.p + i, " | ", 3) == 0;
        sl_buf_putc(b, joint ? '\n' : s.p[i]);
        i += joint ? 2 : 0;
        if (joint && sl_str_starts(sl_str_sub(s, i + 1, s.n - i - 1), SL_STR("java."))) {
            sl_buf_putz(b, "Caused by: ");
        }
    }
    sl_buf_putc(b, '\n');
}

static void has_no_java(const char *cause, sl_str text)
{
    static const char *const java[] = {"org.apache", "java.", "Exception", "org/apache", "io.debezium"};
    for (size_t i = 0; i < SL_ARRAY_LEN(java); i++) {
        if (sl_str_find(text, sl_str_of(java[i])) >= 0) {
            fail_msg("%s: Java in '%.*s'", cause, SL_S(text));
        }
    }
}

static void every_seen_case(void **state)
{
    (void)state;
    size_t n = 0, cases = 0;
    char *text = read_file("../shared/errors/flink-errors.jsonl", &n);
    if (!text) {
        print_message("skipped: no catalogue of seen failures beside the repository\n");
        skip();
    }
    sl_str rest = {text, n};
    while (rest.n) {
        ptrdiff_t nl = sl_str_find_char(rest, '\n');
        sl_str line = nl < 0 ? rest : sl_str_sub(rest, 0, (size_t)nl);
        rest = nl < 0 ? SL_STR_NONE : sl_str_sub(rest, (size_t)nl + 1, rest.n - (size_t)nl - 1);
        SL_ARENA_AUTO a = {0};
        struct sl_err err = SL_ERR_INIT;
        const struct sl_json *doc = sl_json_parse(&a, line, &err);
        assert_non_null(doc);
        char *cause = sl_arena_strdupz(&a, sl_json_str(sl_json_get(doc, "cause"), SL_STR_NONE));
        const char *slugs = NULL;
        for (size_t i = 0; i < SL_ARRAY_LEN(expected); i++) {
            slugs = strcmp(expected[i][0], cause) == 0 ? expected[i][1] : slugs;
        }
        SL_BUF_AUTO b;
        sl_buf_init(&b, 0);
        const struct sl_json *chain = sl_json_get(doc, "chain");
        SL_JSON_EACH(link, chain)
        {
            /* The catalogue keeps no last link whole when it goes over several lines: the excerpt has it. */
            put_lines(&b, sl_json_str(link, SL_STR_NONE));
        }
        sl_buf_putz(&b, "Caused by: ");
        put_lines(&b, sl_json_str(sl_json_get(doc, "message_excerpt"), SL_STR_NONE));
        struct tgt_failure f = {.stack = sl_buf_str(&b)};
        struct sql_diag d;
        assert_true(flink_error_translate(&f, NULL, NULL, &a, &d));
        const char *slug = sl_code_slug(d.code);
        if (getenv("SLUICE_TEST_SHOW")) {
            print_message("%-28s %s: %.*s\n%40s%.*s\n%40s= %.*s\n", cause, slug, SL_S(d.msg), "",
                          SL_S(d.hint), "", SL_S(d.flink));
        }
        assert_non_null(slugs);
        if (!strstr(slugs, slug)) {
            fail_msg("%s became %s: %.*s", cause, slug, SL_S(d.msg));
        }
        has_no_java(cause, d.msg);
        has_no_java(cause, d.hint);
        has_no_java(cause, d.flink);
        assert_true(d.msg.n > 0 && d.hint.n > 0);
        cases++;
    }
    assert_int_equal(cases, SL_ARRAY_LEN(expected));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_seen_case)};
    return cmocka_run_group_tests_name("gateway_target/flink_error_seen", tests, NULL, NULL);
}
