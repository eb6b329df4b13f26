/* SPDX-License-Identifier: Apache-2.0
 * Slices, UTF-8, buffers, arenas, errors, digests: the edges that a first version gets wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/utf8.h"
#include "base/vec.h"

static sl_str S(const char *z)
{
    return sl_str_of(z);
}

static void integers_are_exact(void **state)
{
    (void)state;
    int64_t v = 0;
    assert_true(sl_str_to_i64(S("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_true(sl_str_to_i64(S("9223372036854775807"), &v) && v == INT64_MAX);
    assert_true(sl_str_to_i64(S("007"), &v) && v == 7);
    static const char *const bad[] = {"",    "-",  "9223372036854775808", "-9223372036854775809", "1 ", "+1",
                                      "0x1", "1e3"};
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        assert_false(sl_str_to_i64(S(bad[i]), &v));
    }
}

static void durations_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"250ms", 250},   {"10s", 10000}, {"5 min", 300000}, {"2h", 7200000},
                {"1d", 86400000}, {"3", 3000},    {"0", 0}};
    for (size_t i = 0; i < SL_ARRAY_LEN(good); i++) {
        int64_t ms = -1;
        assert_true(sl_str_to_ms(S(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
    int64_t ms;
    assert_false(sl_str_to_ms(S("5 parsecs"), &ms));
    assert_false(sl_str_to_ms(S("-5s"), &ms));
    assert_false(sl_str_to_ms(S("s"), &ms));
    assert_false(sl_str_to_ms(S(""), &ms));
    assert_false(sl_str_to_ms(S("9223372036854775807h"), &ms));
}

static void finding_stays_inside(void **state)
{
    (void)state;
    assert_int_equal(sl_str_find(S("aaab"), S("aab")), 1);
    assert_int_equal(sl_str_find(S("abc"), S("abcd")), -1);
    assert_int_equal(sl_str_find((sl_str){"abcdef", 3}, S("cd")), -1);
    assert_int_equal(sl_str_find(S(""), S("")), 0);
    assert_int_equal(sl_str_find(SL_STR_NONE, S("x")), -1);
    assert_true(sl_str_eq(SL_STR_NONE, S("")));
    assert_true(sl_str_eqz(sl_str_trim(S(" \t\n a b \r")), "a b"));
    assert_int_equal(sl_str_trim(S(" \n ")).n, 0);
    assert_true(sl_str_cmp(S("a"), S("ab")) < 0 && sl_str_cmp(S("\xff"), S("a")) > 0);
    assert_true(sl_str_ieqz(S("sElEcT"), "SELECT"));
    assert_false(sl_str_ieqz(S("\xc3\x84"), "\xc3\xa4"));
}

static void distance_counts_a_swap_once(void **state)
{
    (void)state;
    assert_int_equal(sl_str_distance(S("SELCET"), S("select"), 3), 1);
    assert_int_equal(sl_str_distance(S("kitten"), S("sitting"), 5), 3);
    assert_int_equal(sl_str_distance(S("abc"), S("xyz"), 1), 2);
    assert_int_equal(sl_str_distance(S(""), S("ab"), 4), 2);
    assert_int_equal(sl_str_distance(S("same"), S("same"), 0), 0);
}

static void utf8_is_strict(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t valid;
    } cases[] = {
        {"plain ascii, longer than eight", 30},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9},
        {"12345678\x80", 8},
        {"\xc1\xbf", 0},         /* overlong */
        {"\xe0\x9f\xbf", 0},     /* overlong */
        {"\xf0\x8f\xbf\xbf", 0}, /* overlong */
        {"\xed\xa0\x80", 0},     /* surrogate */
        {"\xf4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"a\xe2\x82", 1},        /* cut */
        {"\xf5", 0},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        assert_int_equal(sl_utf8_valid_prefix(S(cases[i].text)), cases[i].valid);
    }
    assert_int_equal(sl_utf16_len(S("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")), 5);
    static const uint32_t points[] = {0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    for (size_t i = 0; i < SL_ARRAY_LEN(points); i++) {
        char out[4];
        unsigned n = sl_utf8_encode(points[i], out), back;
        assert_int_equal(sl_utf8_decode(out, out + n, &back), points[i]);
        assert_int_equal(back, n);
    }
}

static void buffers_latch_when_full(void **state)
{
    (void)state;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 10);
    sl_buf_putz(&b, "12345");
    sl_buf_printf(&b, "%s", "67890");
    assert_false(b.full);
    assert_string_equal(sl_buf_z(&b), "1234567890");
    sl_buf_putc(&b, 'x');
    assert_true(b.full);
    sl_buf_consume(&b, 5);
    sl_buf_putz(&b, "y"); /* ignored: something is already missing */
    assert_string_equal(sl_buf_z(&b), "67890");
    sl_buf_clear(&b);
    sl_buf_u16(&b, 0x0102);
    sl_buf_u32(&b, 0x03040506);
    assert_memory_equal(b.p, "\1\2\3\4\5\6", 6);
    sl_buf_u64(&b, 1);
    assert_true(b.full && b.n == 6);
}

static void buffers_format_across_growth(void **state)
{
    (void)state;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    for (int i = 0; i < 5000; i++) {
        sl_buf_printf(&b, "%05d", i);
    }
    assert_int_equal(b.n, 25000);
    for (int i = 0; i < 5000; i++) {
        int64_t v = -1;
        assert_true(sl_str_to_i64((sl_str){b.p + (size_t)i * 5, 5}, &v) && v == i);
    }
}

static int cleaned;
static void clean(void *arg)
{
    cleaned = cleaned * 10 + *(int *)arg;
}

static void arenas_rewind_and_clean_up_in_order(void **state)
{
    (void)state;
    struct sl_arena a = {0};
    int one = 1, two = 2, three = 3;
    cleaned = 0;
    sl_arena_on_release(&a, clean, &one);
    char *kept = sl_arena_strdupz(&a, S("kept"));
    struct sl_arena_mark m = sl_arena_mark(&a);
    sl_arena_on_release(&a, clean, &two);
    sl_arena_on_release(&a, clean, &three);
    for (int i = 0; i < 100; i++) {
        memset(sl_arena_alloc(&a, 10000), 0xee, 10000);
    }
    size_t used = a.used;
    sl_arena_rewind(&a, m);
    assert_int_equal(cleaned, 32);
    assert_true(a.used < used - 900000);
    assert_string_equal(kept, "kept");
    uint64_t *again = sl_new_n(&a, uint64_t, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_true(again[i] == 0);
    }
    sl_arena_release(&a);
    assert_int_equal(cleaned, 321);
    assert_true(a.used == 0 && a.head == NULL);
    assert_int_equal((uintptr_t)sl_arena_alloc(&a, 3) % 16, 0);
    assert_true(sl_arena_alloc(&a, 0) != sl_arena_alloc(&a, 0));
    sl_arena_release(&a);
}

static void vectors_grow(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    SL_VEC(int) v = {0};
    for (int i = 0; i < 10000; i++) {
        sl_vec_push(&a, &v, i);
    }
    assert_int_equal(v.n, 10000);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(v.v[i], i);
    }
}

static void errors_are_one_line(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    char longtext[2000];
    memset(longtext, 'x', sizeof(longtext));
    longtext[sizeof(longtext) - 1] = '\0';
    assert_false(sl_fail(&err, SL_IO, "first\nsecond\x1b[31m"));
    assert_string_equal(err.msg, "first\nsecond [31m");
    assert_true(err.pos.off == SL_NO_POS);
    sl_hint(&err, "do %s", "that");
    sl_wrap(&err, "outer %d", 1);
    assert_string_equal(err.msg, "outer 1: first\nsecond [31m");
    assert_string_equal(err.hint, "do that");
    sl_fail(&err, SL_IO, "%s", longtext);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    assert_string_equal(err.hint, "");
    sl_wrap(&err, "w");
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    /* cut in the middle of a character: the half is dropped */
    memset(longtext, 'x', sizeof(err.msg));
    memcpy(longtext + sizeof(err.msg) - 3, "\xe2\x82\xac", 4);
    sl_fail(&err, SL_IO, "%s", longtext);
    assert_int_equal(sl_utf8_valid_prefix(S(err.msg)), strlen(err.msg));
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 3);
    sl_fail_errno(&err, SL_FILE_NOT_FOUND, ENOENT, "cannot read %s", "x");
    assert_string_equal(err.msg, "cannot read x: No such file or directory");
    assert_false(sl_fail(NULL, SL_IO, "nobody listens"));
}

static void codes_go_both_ways(void **state)
{
    (void)state;
    for (int c = 1; c < SL_CODE_MAX_; c++) {
        const char *slug = sl_code_slug((enum sl_code)c);
        assert_int_equal(sl_code_of_slug(S(slug)), c); /* also: no slug stands twice */
        assert_int_equal(strlen(sl_code_sqlstate((enum sl_code)c)), 5);
        assert_true(sl_code_http((enum sl_code)c) >= 400 && sl_code_exit((enum sl_code)c) > 0);
    }
    assert_int_equal(sl_code_of_slug(S("no-such-slug")), SL_OK);
}

static void positions_count_utf16(void **state)
{
    (void)state;
    sl_str text = S("one\n\xf0\x9f\x98\x80 two\nthree");
    struct sl_pos p = sl_pos_at(text, 9, 5); /* "two\nt" */
    assert_int_equal(p.line, 2);
    assert_int_equal(p.col, 4);
    assert_int_equal(p.end_line, 3);
    assert_int_equal(p.end_col, 2);
    p = sl_pos_at(text, 1000, 5);
    assert_int_equal(p.off, text.n);
    assert_int_equal(p.len, 0);
}

static void digests_are_sha256(void **state)
{
    (void)state;
    char d[72], hex[65];
    sl_sha256_digest(S("abc"), d);
    assert_string_equal(d, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sl_sha256_digest(SL_STR_NONE, d);
    assert_string_equal(d, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sl_random_hex(hex, 32);
    char other[65];
    sl_random_hex(other, 32);
    assert_int_equal(strlen(hex), 64);
    assert_string_not_equal(hex, other);
    assert_true(sl_secret_eq(S("abc"), S("abc")));
    assert_false(sl_secret_eq(S("abc"), S("abd")));
    assert_false(sl_secret_eq(S("abc"), S("ab")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(finding_stays_inside),
        cmocka_unit_test(distance_counts_a_swap_once),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(buffers_latch_when_full),
        cmocka_unit_test(buffers_format_across_growth),
        cmocka_unit_test(arenas_rewind_and_clean_up_in_order),
        cmocka_unit_test(vectors_grow),
        cmocka_unit_test(errors_are_one_line),
        cmocka_unit_test(codes_go_both_ways),
        cmocka_unit_test(positions_count_utf16),
        cmocka_unit_test(digests_are_sha256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
