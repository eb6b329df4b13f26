/* SPDX-License-Identifier: Apache-2.0
 * The YAML reader: positions in bytes and UTF-16 columns, and everything it must refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/yaml.h"

static struct sl_arena arena;
static struct sl_err err;

static int setup(void **state)
{
    (void)state;
    sl_arena_init(&arena, 0);
    err = SL_ERR_INIT;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sl_arena_release(&arena);
    return 0;
}

static const struct sl_yaml *must_parse(const char *text)
{
    const struct sl_yaml *v = sl_yaml_parse(&arena, sl_str_of(text), &err);
    if (!v) {
        fail_msg("%s: %s", text, err.msg);
    }
    return v;
}

static void trees_have_positions(void **state)
{
    (void)state;
    const char *text = "# caf\xc3\xa9\nname: \"\xf0\x9f\x98\x80 x\"\nlist: [a, 'b c']\nmap:\n  deep: 12\n";
    const struct sl_yaml *v = must_parse(text);
    assert_true(v->type == SL_YAML_MAP && v->n == 3);
    const struct sl_yaml *name = sl_yaml_get(v, "name");
    assert_true(sl_str_eqz(name->text, "\xf0\x9f\x98\x80 x") && name->quoted);
    assert_true(name->key_pos.line == 2 && name->key_pos.col == 1 && name->key_pos.len == 4);
    assert_true(name->pos.col == 7 && name->pos.len == 8 && name->pos.end_col == 13);
    assert_memory_equal(text + name->pos.off, "\"\xf0\x9f\x98\x80 x\"", 8);
    const struct sl_yaml *list = sl_yaml_get(v, "list");
    assert_true(list->type == SL_YAML_LIST && list->n == 2 && list->child->next->quoted);
    assert_memory_equal(text + list->child->next->pos.off, "'b c'", 5);
    const struct sl_yaml *deep = sl_yaml_get(sl_yaml_get(v, "map"), "deep");
    int64_t n = 0;
    assert_true(sl_yaml_i64(deep, &n, &err) && n == 12);
    assert_true(deep->pos.line == 5 && deep->pos.col == 9);
}

static void values_are_what_they_are_asked_for(void **state)
{
    (void)state;
    const struct sl_yaml *v =
        must_parse("a: '12'\nb: true\nc: ~\nd:\ne: |\n  two\n  lines\nf: yes\ng: 0123\nh: null\n");
    int64_t n;
    bool b = false;
    sl_str s;
    assert_false(sl_yaml_i64(sl_yaml_get(v, "a"), &n, &err)); /* quoted: a text */
    assert_true(err.code == SL_YAML && err.pos.line == 1 && err.pos.col == 4);
    assert_string_equal(err.msg, "a: a whole number is expected");
    assert_true(sl_yaml_bool(sl_yaml_get(v, "b"), &b, &err) && b);
    assert_true(sl_yaml_get(v, "c")->type == SL_YAML_NULL && sl_yaml_get(v, "d")->type == SL_YAML_NULL);
    assert_true(sl_yaml_get(v, "h")->type == SL_YAML_NULL);
    assert_true(sl_yaml_str(sl_yaml_get(v, "e"), &s, &err) && sl_str_eqz(s, "two\nlines\n"));
    assert_false(sl_yaml_bool(sl_yaml_get(v, "f"), &b, &err));
    assert_true(sl_yaml_str(sl_yaml_get(v, "g"), &s, &err) && sl_str_eqz(s, "0123"));
    assert_false(sl_yaml_str(sl_yaml_get(v, "d"), &s, &err));
    assert_false(sl_yaml_str(NULL, &s, &err));
}

static void empty_is_null(void **state)
{
    (void)state;
    static const char *const empty[] = {"", "\n", "# only a comment\n", "---\n", "\xef\xbb\xbf"};
    for (size_t i = 0; i < SL_ARRAY_LEN(empty); i++) {
        assert_int_equal(must_parse(empty[i])->type, SL_YAML_NULL);
    }
    const struct sl_yaml *v = must_parse("\xef\xbb\xbfkey: v\n");
    assert_true(sl_yaml_get(v, "key") != NULL && sl_yaml_get(v, "key")->key_pos.col == 1 &&
                sl_yaml_get(v, "key")->key_pos.off == 3);
}

static void refuses_with_a_position(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
        unsigned line, col;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", "stands twice (first in line 1)", 3, 1},
        {"a: {x: 1, y: 2, x: 3}\n", "stands twice", 1, 17},
        {"a: &anchor 1\n", "anchors", 1, 4},
        {"a: 1\nb: *anchor\n", "aliases", 2, 4},
        {"a: !!str 1\n", "tags", 1, 4},
        {"<<: {a: 1}\n", "merge keys", 1, 1},
        {"? [a]\n: b\n", "a key must be", 1, 3},
        {"a: 1\n---\nb: 2\n", "only one document", 2, 1},
        {"a: [1,\n", "invalid YAML", 2, 1},
        {"a: b: c\n", "invalid YAML", 1, 5},
        {"a: \"x\n", "invalid YAML", 2, 1},
        {"ok: \xff\n", "UTF-8", 1, 5},
        {"a: x\x01y\n", "control characters", 1, 5},
        {"\ttab: 1\n", "invalid YAML", 1, 1},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        err = SL_ERR_INIT;
        if (sl_yaml_parse(&arena, sl_str_of(cases[i].text), &err)) {
            fail_msg("accepted: %s", cases[i].text);
        }
        if (err.code != SL_YAML || !strstr(err.msg, cases[i].words) || err.pos.line != cases[i].line ||
            err.pos.col != cases[i].col) {
            fail_msg("%s: %s at %u:%u, expected %s at %u:%u", cases[i].text, err.msg, err.pos.line,
                     err.pos.col, cases[i].words, cases[i].line, cases[i].col);
        }
    }
}

static void bombs_end_early(void **state)
{
    (void)state;
    SL_BUF_AUTO b = {0};
    for (int i = 0; i < 64000; i++) {
        sl_buf_putc(&b, '[');
    }
    assert_null(sl_yaml_parse(&arena, sl_buf_str(&b), &err));
    assert_non_null(strstr(err.msg, "nested too deeply"));
    sl_buf_clear(&b);
    for (int i = 0; i <= SL_LIMIT_YAML_NODES; i++) {
        sl_buf_putz(&b, "- a\n");
    }
    assert_null(sl_yaml_parse(&arena, sl_buf_str(&b), &err));
    assert_int_equal(err.code, SL_LIMIT);
    sl_buf_clear(&b);
    for (size_t i = 0; i <= SL_LIMIT_YAML_BYTES; i++) {
        sl_buf_putc(&b, '#');
    }
    assert_null(sl_yaml_parse(&arena, sl_buf_str(&b), &err));
    assert_int_equal(err.code, SL_LIMIT);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(trees_have_positions), T(values_are_what_they_are_asked_for),
        T(empty_is_null),        T(refuses_with_a_position),
        T(bombs_end_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
