/* SPDX-License-Identifier: Apache-2.0
 * Chunked bodies: the same answer however they are cut into pieces, and nothing that could be read in two ways. */
#include "gateway/front/front_impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Feeds `in` in pieces of `step` bytes; the body, or NULL when it is bad; *ret_done: its end was seen. */
static const char *feed(const char *in, size_t n, size_t step, struct sl_buf *out, bool *ret_done,
                        size_t *ret_used)
{
    struct chunked c = {0};
    sl_buf_clear(out);
    *ret_done = false;
    *ret_used = 0;
    for (size_t at = 0; at < n && !*ret_done;) {
        size_t piece = step < n - at ? step : n - at, used = 0;
        enum chunked_next next = chunked_take(&c, in + at, piece, out, &used);
        if (next == CHUNKED_BAD) {
            return NULL;
        }
        *ret_done = next == CHUNKED_DONE;
        at += used;
        *ret_used = at;
        assert_true(*ret_done || used == piece);
    }
    return sl_buf_z(out);
}

static void test_every_cut_gives_the_same(void **state)
{
    (void)state;
    static const char in[] = "4\r\nWiki\r\n0000a;name=\"x "
                             "y\"\r\n0123456789\r\nF\r\nabcdefghijklmno\r\n0\r\nA: b\r\nC: d\r\n\r\nGET";
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    for (size_t step = 1; step < sizeof(in); step++) {
        bool done;
        size_t used;
        assert_string_equal(feed(in, sizeof(in) - 1, step, &out, &done, &used),
                            "Wiki0123456789abcdefghijklmno");
        assert_true(done);
        assert_int_equal(used, sizeof(in) - 1 - 3); /* the next request is not touched */
    }
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\r\n",    "g\r\n",           "+1\r\na\r\n",         "-1\r\n", "0x1\r\na\r\n",
        "1\n a",   "1\r\nab",         "1 \r\na\r\n",         ";x\r\n", "1\r\na\n1\r\n",
        "0\r\n\n", "0\r\nA: b\n\r\n", "1234567890123456\r\n"};
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        bool done;
        size_t used;
        if (feed(bad[i], strlen(bad[i]), 1, &out, &done, &used)) {
            fail_msg("%zu: \"%s\" was taken", i, bad[i]);
        }
    }
}

static void test_a_line_without_end(void **state)
{
    (void)state;
    SL_BUF_AUTO in, out;
    sl_buf_init(&in, 0);
    sl_buf_init(&out, 0);
    sl_buf_putz(&in, "1;");
    for (int i = 0; i < 10000; i++) {
        sl_buf_putc(&in, 'x');
    }
    bool done;
    size_t used;
    assert_null(feed(in.p, in.n, 100, &out, &done, &used));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut_gives_the_same),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_a_line_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
