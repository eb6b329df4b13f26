/* SPDX-License-Identifier: Apache-2.0
 * Files: atomic replacement, limits, trees with links in them, locks across processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/file.h"

static char dir[64];
static struct sl_arena arena;
static struct sl_err err;

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/sluice-file-XXXXXX");
    sl_arena_init(&arena, 0);
    err = SL_ERR_INIT;
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sl_arena_release(&arena);
    return sys_rmtree(dir, NULL) ? 0 : -1;
}

static const char *in(const char *name)
{
    return sys_path_join(&arena, dir, name);
}

static void written_files_come_back(void **state)
{
    (void)state;
    sl_str back;
    umask(0077);
    assert_true(sys_file_write(in("f"), SL_STR("one\0two"), 0644, &err));
    assert_true(sys_file_read(&arena, in("f"), 7, &back, &err));
    assert_true(sl_str_eq(back, SL_STR("one\0two")));
    struct stat st;
    assert_int_equal(stat(in("f"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_false(sys_file_read(&arena, in("f"), 6, &back, &err));
    assert_int_equal(err.code, SL_LIMIT);
    assert_true(sys_file_write(in("f"), SL_STR_NONE, 0600, &err));
    assert_true(sys_file_read(&arena, in("f"), 0, &back, &err) && back.n == 0);
    assert_false(sys_file_read(&arena, in("none"), 10, &back, &err));
    assert_int_equal(err.code, SL_FILE_NOT_FOUND);
    assert_false(sys_file_read(&arena, dir, 10, &back, &err));
    assert_int_equal(err.code, SL_IO);
}

static void a_failed_write_leaves_the_old_file_and_no_other(void **state)
{
    (void)state;
    sl_str *names;
    size_t n;
    assert_true(
        sys_mkdirs(in("target/inside"), 0700, &err)); /* rename over a folder that is not empty fails */
    assert_false(sys_file_write(in("target"), SL_STR("new"), 0600, &err));
    assert_true(sys_is_dir(in("target/inside")));
    assert_true(sys_dir_list(&arena, dir, &names, &n, &err));
    assert_int_equal(n, 1);
    assert_false(sys_file_write(in("no/such/folder/f"), SL_STR("x"), 0600, &err));
    assert_int_equal(err.code, SL_FILE_NOT_FOUND);
}

static void folders_are_made_and_listed_sorted(void **state)
{
    (void)state;
    sl_str *names;
    size_t n;
    assert_true(sys_mkdirs(in("a/b//c"), 0700, &err) && sys_mkdirs(in("a/b/c/"), 0700, &err));
    assert_true(sys_file_write(in("a/z"), SL_STR("12345"), 0600, &err));
    assert_true(sys_file_write(in("a/b/c/y"), SL_STR("123"), 0600, &err));
    assert_true(sys_dir_list(&arena, in("a"), &names, &n, &err));
    assert_true(n == 2 && sl_str_eqz(names[0], "b") && sl_str_eqz(names[1], "z"));
    assert_int_equal(sys_tree_bytes(in("a")), 8);
    assert_false(sys_mkdirs(in("a/z/d"), 0700, &err));
    assert_int_equal(err.code, SL_IO);
    assert_false(sys_dir_list(&arena, in("none"), &names, &n, &err));
}

static void removing_does_not_follow_links(void **state)
{
    (void)state;
    assert_true(sys_mkdirs(in("keep"), 0700, &err) && sys_mkdirs(in("gone/deep/deeper"), 0700, &err));
    assert_true(sys_file_write(in("keep/file"), SL_STR("x"), 0600, &err));
    assert_int_equal(symlink(in("keep"), in("gone/deep/link")), 0);
    assert_int_equal(symlink("/nonexistent", in("gone/dangling")), 0);
    assert_int_equal(sys_tree_bytes(in("gone")), 0);
    assert_true(sys_rmtree(in("gone"), &err));
    assert_false(sys_exists(in("gone")));
    assert_true(sys_exists(in("keep/file")));
    assert_int_equal(symlink(in("keep"), in("top")), 0);
    assert_true(sys_rmtree(in("top"), &err));
    assert_true(sys_exists(in("keep/file")) && !sys_exists(in("top")));
    assert_true(sys_rmtree(in("never-was"), &err));
}

static void paths_are_joined_and_made_absolute(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } cases[] = {{"/a/b/../c", "/a/c"}, {"/..", "/"},        {"/a/./b//c/", "/a/b/c"}, {"/", "/"},
                 {"/a/../../b", "/b"},  {"/a/...", "/a/..."}};
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        assert_string_equal(sys_path_abs(&arena, cases[i].from), cases[i].to);
    }
    assert_string_equal(sys_path_join(&arena, "/a/", "/b"), "/a/b");
    assert_string_equal(sys_path_join(&arena, "/", "b"), "/b");
    assert_string_equal(sys_path_join(&arena, "", "b"), "b");
    assert_int_equal(chdir(dir), 0);
    assert_string_equal(sys_path_abs(&arena, "x/../y"), in("y"));
    assert_int_equal(chdir("/"), 0);
    assert_true(sys_exists(sys_self_path(&arena)));
}

/* Who asks whether a lock is held never keeps another one from taking it. */
static void asking_does_not_disturb(void **state)
{
    (void)state;
    const char *path = in("lock");
    bool held;
    int fd = sys_lock(path, &held, &err);
    assert_true(fd >= 0);
    close(fd);
    pid_t asker = fork();
    if (asker == 0) {
        for (;;) {
            sys_lock_is_held(path);
        }
    }
    int failed = 0;
    for (int i = 0; i < 20000; i++) {
        fd = sys_lock(path, &held, &err);
        if (fd >= 0) {
            close(fd);
        } else {
            failed++;
        }
    }
    kill(asker, SIGKILL);
    waitpid(asker, NULL, 0);
    assert_int_equal(failed, 0);
}

static void a_lock_holds_against_another_process(void **state)
{
    (void)state;
    bool held = true;
    const char *path = in("lock");
    assert_false(sys_lock_is_held(path));
    int fd = sys_lock(path, &held, &err);
    assert_true(fd >= 0 && !held);
    pid_t pid = fork();
    if (pid == 0) {
        bool other = false;
        int mine = sys_lock(path, &other, NULL);
        _exit(mine < 0 && other && sys_lock_is_held(path) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(sys_lock_is_held(path));
    close(fd);
    assert_false(sys_lock_is_held(path));
    assert_true(sys_lock(in("no/folder"), &held, &err) < 0 && !held);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(written_files_come_back),
        T(a_failed_write_leaves_the_old_file_and_no_other),
        T(folders_are_made_and_listed_sorted),
        T(removing_does_not_follow_links),
        T(paths_are_joined_and_made_absolute),
        T(asking_does_not_disturb),
        T(a_lock_holds_against_another_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
