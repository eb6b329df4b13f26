/* SPDX-License-Identifier: Apache-2.0
 * Which Java is taken, and what is said when there is none. */
#include "runtime-image/java.h"

#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/sluice-java-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    return sys_rmtree(root, &err) ? 0 : -1;
}

/* A Java home below the root, with a release file (version NULL: none, java itself answers). */
static const char *home(struct sl_arena *a, const char *name, const char *version)
{
    struct sl_err err = SL_ERR_INIT;
    char *dir = sys_path_join(a, root, name);
    assert_true(sys_mkdirs(sys_path_join(a, dir, "bin"), 0755, &err));
    char *java = sys_path_join(a, dir, "bin/java");
    assert_true(sys_file_write(java, SL_STR("#!/bin/sh\necho 'openjdk version \"21.0.4\" 2024-07-16' >&2\n"),
                               0755, &err));
    if (version) {
        sl_str text =
            sl_arena_printf(a, "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"%s\"\nOS_NAME=\"Linux\"\n", version);
        assert_true(sys_file_write(sys_path_join(a, dir, "release"), text, 0644, &err));
    }
    return dir;
}

static void test_order(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct img_java j;
    const char *h11 = home(&a, "set/11", "11.0.22"), *h17 = home(&a, "jvm/java-17", "17.0.15");
    home(&a, "jvm/java-21", "21.0.1");
    home(&a, "jvm/java-8", "1.8.0_402");
    const char *jvm = sys_path_join(&a, root, "jvm"), *path = sl_arena_printf(&a, "/nowhere::%s/bin", h17).p;

    assert_true(img_java_find_in(&a, h11, path, jvm, &j, &err));
    assert_int_equal(j.major, 11);
    assert_string_equal(j.version, "11.0.22");
    assert_true(img_java_find_in(&a, NULL, path, jvm, &j, &err));
    assert_string_equal(j.bin, sl_arena_printf(&a, "%s/bin/java", h17).p);
    /* among those of /usr/lib/jvm 17 is preferred to 21 and to 8 */
    assert_true(img_java_find_in(&a, NULL, "/nowhere", jvm, &j, &err));
    assert_int_equal(j.major, 17);
    /* a JAVA_HOME that is too old does not stop the search */
    assert_true(img_java_find_in(&a, sys_path_join(&a, root, "jvm/java-8"), "", jvm, &j, &err));
    assert_int_equal(j.major, 17);
}

static void test_links_are_followed(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct img_java j;
    const char *real = home(&a, "opt/jdk", "17.0.2");
    char *bin = sys_path_join(&a, root, "usrbin");
    assert_true(sys_mkdirs(bin, 0755, &err));
    char *target = sl_arena_strdupz(&a, sl_arena_printf(&a, "%s/bin/java", real));
    assert_int_equal(symlink(target, sys_path_join(&a, bin, "java")), 0);
    assert_true(img_java_find_in(&a, NULL, bin, NULL, &j, &err));
    assert_string_equal(j.version, "17.0.2");
    assert_non_null(strstr(j.home, "/opt/jdk"));
}

static void test_java_without_release_file_is_asked(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct img_java j;
    assert_true(img_java_find_in(&a, home(&a, "bare", NULL), "", NULL, &j, &err));
    assert_int_equal(j.major, 21);
    assert_string_equal(j.version, "21.0.4");
}

static void test_none(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct img_java j;
    home(&a, "old/java-8", "1.8.0_402");
    char *jvm = sys_path_join(&a, root, "old");
    assert_false(img_java_find_in(&a, NULL, "/nowhere", jvm, &j, &err));
    assert_int_equal(err.code, SL_JAVA_MISSING);
    assert_int_equal(sl_code_exit(err.code), 6);
    const char *want =
        sl_arena_printf(&a,
                        "Flink needs Java 11, 17 or 21; none was found\n  looked at: JAVA_HOME (not set), "
                        "PATH (no java), %s (Java 8: too old)",
                        jvm)
            .p;
    assert_string_equal(err.msg, want);
    assert_non_null(strstr(err.hint, "openjdk-17-jre-headless"));

    const char *new = home(&a, "new", "24.0.1");
    assert_false(img_java_find_in(&a, new, "/nowhere", "/nowhere", &j, &err));
    assert_non_null(strstr(err.msg, "JAVA_HOME (Java 24: too new)"));
    assert_false(img_java_find_in(&a, "/nowhere/home", "", "/nowhere", &j, &err));
    assert_non_null(strstr(err.msg, "JAVA_HOME (no bin/java in /nowhere/home)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_links_are_followed, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_java_without_release_file_is_asked, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_none, make_root, remove_root),
    };
    return cmocka_run_group_tests_name("java", tests, NULL, NULL);
}
