/* SPDX-License-Identifier: Apache-2.0
 * The JSON reader refuses what is not JSON, keeps what is, and says where; the writer gives back what was
 * read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/json.h"
#include "base/limits.h"

static sl_str S(const char *z)
{
    return sl_str_of(z);
}

static void keeps_what_a_number_says(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sl_json *v = sl_json_parse(&a,
                                      S(" {\"big\": 9007199254740993, \"min\":-9223372036854775808,"
                                        "\"over\":9223372036854775808, \"e\":-1.5e+3, \"dec\":0.10 } \n"),
                                      &err);
    assert_non_null(v);
    assert_int_equal(sl_json_i64(sl_json_get(v, "big"), 0), 9007199254740993);
    assert_int_equal(sl_json_i64(sl_json_get(v, "min"), 0), INT64_MIN);
    assert_int_equal(sl_json_i64(sl_json_get(v, "over"), -7), -7);
    assert_true(sl_json_f64(sl_json_get(v, "e"), 0) == -1500.0);
    assert_true(sl_str_eqz(sl_json_get(v, "dec")->text, "0.10"));
    assert_int_equal(v->n, 5);
}

static void unescapes_strings(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sl_json *v = sl_json_parse(
        &a,
        S("[\"\\\"\\\\\\/"
          "\\b\\f\\n\\r\\t\",\"\\u00e9\\ud83d\\ude00x\",\"a\\u0000b\",\"\\ud800!\",\"\xc3\xa9\",\"\"]"),
        &err);
    assert_non_null(v);
    assert_true(sl_str_eqz(sl_json_at(v, 0)->text, "\"\\/\b\f\n\r\t"));
    assert_true(sl_str_eqz(sl_json_at(v, 1)->text, "\xc3\xa9\xf0\x9f\x98\x80x"));
    assert_int_equal(sl_json_at(v, 2)->text.n, 3);
    assert_memory_equal(sl_json_at(v, 2)->text.p, "a\0b", 3);
    assert_true(sl_str_eqz(sl_json_at(v, 3)->text, "\xef\xbf\xbd!"));
    assert_true(sl_str_eqz(sl_json_at(v, 4)->text, "\xc3\xa9"));
    assert_int_equal(sl_json_at(v, 5)->text.n, 0);
    assert_null(sl_json_at(v, 6));
}

static void the_tree_outlives_its_text(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    char text[] = "{\"key\":\"value\",\"n\":42}";
    struct sl_json *v = sl_json_parse(&a, S(text), &err);
    memset(text, 'X', sizeof(text));
    assert_true(sl_str_eqz(sl_json_str(sl_json_get(v, "key"), SL_STR_NONE), "value"));
    assert_string_equal(sl_json_get(v, "key")->text.p, "value");
    assert_int_equal(sl_json_i64(sl_json_get(v, "n"), 0), 42);
}

static void refuses_what_is_not_json(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line, col;
    } cases[] = {
        {"", 1, 1},
        {"  ", 1, 3},
        {"{} x", 1, 4},
        {"01", 1, 1},
        {"-", 1, 2},
        {"1.", 1, 3},
        {"1e", 1, 3},
        {".5", 1, 1},
        {"+1", 1, 1},
        {"NaN", 1, 1},
        {"nul", 1, 1},
        {"[1,]", 1, 4},
        {"[1 2]", 1, 4},
        {"{\"a\":1,}", 1, 8},
        {"{a:1}", 1, 2},
        {"{\"a\" 1}", 1, 6},
        {"{\"a\":}", 1, 6},
        {"[\n  1,\n  tru\n]", 3, 3},
        {"\"a", 1, 1},
        {"\"a\tb\"", 1, 3},
        {"\"\\x\"", 1, 3},
        {"\"\\u12g4\"", 1, 2},
        {"\"\\u12", 1, 2},
        {"\"\\", 1, 3},
        {"[\"\xff\"]", 1, 3},
        {"[\"\xc0\x80\"]", 1, 3},
        {"[\"\xed\xa0\x80\"]", 1, 3},
        {"\xef\xbb\xbf{}", 1, 1},
        {"{\"a\":1,\n\"b\":2,\"a\":3}", 2, 7},
        {"{\"a\":1,\"\\u0061\":3}", 1, 8},
        {"[\"\xf0\x9f\x98\x80\", x]", 1, 8}, /* one character outside the BMP is two columns */
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        SL_ARENA_AUTO a = {0};
        struct sl_err err = SL_ERR_INIT;
        if (sl_json_parse(&a, S(cases[i].text), &err)) {
            fail_msg("accepted: %s", cases[i].text);
        }
        if (err.code != SL_JSON || err.pos.line != cases[i].line || err.pos.col != cases[i].col) {
            fail_msg("%s: %s at %u:%u, expected at %u:%u", cases[i].text, err.msg, err.pos.line, err.pos.col,
                     cases[i].line, cases[i].col);
        }
    }
}

static void a_nul_byte_is_no_end(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    assert_null(sl_json_parse(&a, SL_STR("[1]\0"), &err));
    assert_null(sl_json_parse(&a, SL_STR("[\0]"), &err));
    assert_null(sl_json_parse(&a, SL_STR("[1\0"), &err));
}

static void depth_is_limited_on_both_sides(void **state)
{
    (void)state;
    char text[2 * SL_LIMIT_JSON_DEPTH + 3];
    for (int depth = SL_LIMIT_JSON_DEPTH; depth <= SL_LIMIT_JSON_DEPTH + 1; depth++) {
        SL_ARENA_AUTO a = {0};
        struct sl_err err = SL_ERR_INIT;
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        struct sl_json *v = sl_json_parse(&a, (sl_str){text, 2 * (size_t)depth}, &err);
        assert_true((v != NULL) == (depth == SL_LIMIT_JSON_DEPTH));
        if (v) { /* what was read can be written inside an envelope */
            SL_BUF_AUTO b = {0};
            struct sl_jw w;
            sl_jw_init(&w, &b);
            sl_jw_object(&w);
            sl_jw_key(&w, "params");
            sl_jw_value(&w, v);
            sl_jw_end_object(&w);
            assert_int_equal(b.n, 2 * (size_t)depth + strlen("{\"params\":}"));
        }
    }
}

static void duplicates_in_a_large_object_are_found_quickly(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    SL_BUF_AUTO b = {0};
    sl_buf_putc(&b, '{');
    for (int i = 0; i < 200000; i++) {
        sl_buf_printf(&b, "\"k%d\":%d,", i, i);
    }
    sl_buf_putz(&b, "\"k77777\":0}");
    struct sl_err err = SL_ERR_INIT;
    assert_null(sl_json_parse(&a, sl_buf_str(&b), &err));
    assert_non_null(strstr(err.msg, "k77777"));
    assert_int_equal(err.pos.off, b.n - strlen("\"k77777\":0}"));
}

static void lookups_are_total(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sl_json *v = sl_json_parse(&a, S("{\"a\":{\"b\":{\"c\":true}},\"A\":1}"), &err);
    assert_true(sl_json_bool(sl_json_path(v, "a.b.c"), false));
    assert_null(sl_json_path(v, "a.x.c"));
    assert_null(sl_json_path(v, "a.b.c.d"));
    assert_null(sl_json_get(NULL, "a"));
    assert_null(sl_json_get(sl_json_get(v, "A"), "a"));
    assert_true(sl_str_eqz(sl_json_str(sl_json_get(v, "A"), SL_STR("dflt")), "dflt"));
    assert_true(sl_json_bool(NULL, true));
}

static void the_writer_gives_back_what_was_read(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    SL_BUF_AUTO b = {0};
    struct sl_err err = SL_ERR_INIT;
    const char *text = "{\"s\":\"q\\\" \\\\ "
                       "\\n\\u0001\xc3\xa9\",\"n\":1e400,\"l\":[1,[],{},[null,true,false]],\"o\":{\"x\":{}}}";
    struct sl_jw w;
    sl_jw_init(&w, &b);
    sl_jw_value(&w, sl_json_parse(&a, S(text), &err));
    assert_string_equal(sl_buf_z(&b), text);
}

static void the_writer_repairs_text_and_spells_numbers(void **state)
{
    (void)state;
    SL_BUF_AUTO b = {0};
    struct sl_jw w;
    sl_jw_init(&w, &b);
    sl_jw_array(&w);
    sl_jw_str(&w, SL_STR("a\xff\xe2\x82z\x7f\0"));
    sl_jw_i64(&w, INT64_MIN);
    sl_jw_u64(&w, UINT64_MAX);
    sl_jw_i64(&w, 0);
    sl_jw_f64(&w, 1.0 / 3, 3);
    sl_jw_f64(&w, 1.0 / 0.0, 3);
    sl_jw_strz(&w, NULL);
    sl_jw_str(&w, SL_STR_NONE);
    sl_jw_end_array(&w);
    assert_string_equal(sl_buf_z(&b),
                        "[\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\\u007f\\u0000\",-9223372036854775808,"
                        "18446744073709551615,0,0.333,null,null,\"\"]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_a_number_says),
        cmocka_unit_test(unescapes_strings),
        cmocka_unit_test(the_tree_outlives_its_text),
        cmocka_unit_test(refuses_what_is_not_json),
        cmocka_unit_test(a_nul_byte_is_no_end),
        cmocka_unit_test(depth_is_limited_on_both_sides),
        cmocka_unit_test(duplicates_in_a_large_object_are_found_quickly),
        cmocka_unit_test(lookups_are_total),
        cmocka_unit_test(the_writer_gives_back_what_was_read),
        cmocka_unit_test(the_writer_repairs_text_and_spells_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
