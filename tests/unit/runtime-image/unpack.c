/* SPDX-License-Identifier: Apache-2.0
 * A jar that holds jars: the same bytes for the same ones, each of them whole; what cannot be read is said. */
#include "runtime-image/unpack.h"

#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define BIG ((size_t)700 << 10) /* more than one piece of reading */

static char root[64];

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/sluice-unpack-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    return sys_rmtree(root, &err) ? 0 : -1;
}

static const char *everything(void *ctx, struct sl_arena *a, const char *entry)
{
    (void)ctx;
    (void)a;
    return entry;
}

static const char *at(struct sl_arena *a, const char *name)
{
    return sys_path_join(a, root, name);
}

static sl_str content(struct sl_arena *a, const char *name)
{
    struct sl_err err = SL_ERR_INIT;
    sl_str s = SL_STR_NONE;
    assert_true(sys_file_read(a, at(a, name), BIG * 4, &s, &err));
    return s;
}

static void test_jars_in_a_jar(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    size_t files = 0;
    char *big = sl_arena_alloc(&a, BIG);
    for (size_t i = 0; i < BIG; i++) {
        big[i] = (char)(i * 2654435761u >> 13);
    }
    assert_true(sys_file_write(at(&a, "one.jar"), (sl_str){big, BIG}, 0600, &err));
    assert_true(sys_file_write(at(&a, "DIGEST"), SL_STR("small"), 0600, &err));
    assert_true(sys_file_write(at(&a, "none.jar"), SL_STR_NONE, 0600, &err));
    const char *jars[] = {at(&a, "one.jar"), at(&a, "DIGEST"), at(&a, "none.jar"), at(&a, "one.jar"), NULL};
    assert_true(img_write_nesting_jar(at(&a, "all.jar"), jars, &err));
    assert_true(img_write_nesting_jar(at(&a, "again.jar"), jars, &err));
    sl_str all = content(&a, "all.jar");
    assert_true(sl_str_eq(all, content(&a, "again.jar")));
    assert_true(img_unpack(at(&a, "all.jar"), at(&a, "out"), everything, NULL, NULL, &files, &err));
    assert_int_equal(files, 5);
    assert_true(sl_str_starts(content(&a, "out/META-INF/MANIFEST.MF"), SL_STR("Manifest-Version: 1.0\r\n")));
    assert_true(sl_str_eq(content(&a, "out/lib/0-one.jar"), (sl_str){big, BIG}));
    assert_true(sl_str_eq(content(&a, "out/lib/1-DIGEST.jar"), SL_STR("small")));
    assert_int_equal(content(&a, "out/lib/2-none.jar").n, 0);
    assert_true(sl_str_eq(content(&a, "out/lib/3-one.jar"), (sl_str){big, BIG}));
}

static void test_what_is_not_there(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    const char *gone[] = {at(&a, "gone.jar"), NULL};
    assert_false(img_write_nesting_jar(at(&a, "x.jar"), gone, &err));
    assert_int_equal(err.code, SL_IO);
    assert_non_null(strstr(err.msg, "gone.jar"));
    err = (struct sl_err)SL_ERR_INIT;
    assert_false(img_write_nesting_jar(at(&a, "no/such/folder.jar"), NULL, &err));
    assert_int_equal(err.code, SL_IO);
    assert_non_null(strstr(err.msg, "no/such/folder.jar"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_jars_in_a_jar),
                                       cmocka_unit_test(test_what_is_not_there)};
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
