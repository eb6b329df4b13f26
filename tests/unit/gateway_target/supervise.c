/* SPDX-License-Identifier: Apache-2.0
 * The supervisor with shell scripts in place of JVMs: what is recorded, restarted, capped, ended. This
 * program is the binary that it starts (`PROGRAM supervise FOLDER`). */
#include "gateway/target/supervise.h"

#include "base/limits.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define JOB "0123456789abcdef0123456789abcdef"

static char self[512], dir[64];

static int make_dir(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    snprintf(dir, sizeof dir, "/tmp/sluice-sup-XXXXXX");
    if (!mkdtemp(dir)) {
        return -1;
    }
    return sys_mkdirs(sys_path_join(&a, dir, "log"), 0700, &err) &&
                   sys_mkdirs(sys_path_join(&a, dir, "tmp"), 0700, &err)
               ? 0
               : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    sup_stop(dir, 500);
    return sys_rmtree(dir, &err) ? 0 : -1;
}

/* Starts a cluster of two scripts; `restore` makes the first one restartable. */
static void start(const char *jm, const char *tm, bool restore)
{
    struct sl_err err = SL_ERR_INIT;
    const char *const jm_argv[] = {"/bin/sh", "-c", jm, "jobmanager", "--task", "t", NULL};
    const char *const tm_argv[] = {"/bin/sh", "-c", tm, "taskmanager", NULL};
    const char *const env[] = {"WHERE=here", NULL};
    struct sup_spec spec = {.id = "app-1",
                            .kind = restore ? "application" : "session",
                            .flink = "9.9.9",
                            .flink_root = dir,
                            .rest = "http://127.0.0.1:1",
                            .name = "test",
                            .job_id = restore ? JOB : "",
                            .env = env,
                            .jvm = {{"jobmanager", jm_argv, restore ? 4 : 0}, {"taskmanager", tm_argv, 0}},
                            .n_jvm = 2};
    assert_true(sup_spec_write(dir, &spec, &err));
    if (!sup_start(self, dir, &err)) {
        fail_msg("%s", err.msg);
    }
}

static bool reached(enum sup_state want, struct sup_status *st, int64_t ms)
{
    for (int64_t until = sys_now_ms() + ms; sys_now_ms() < until; sys_sleep_ms(10)) {
        sup_status(dir, st);
        if (st->state == want) {
            return true;
        }
    }
    return false;
}

static sl_str text_of(struct sl_arena *a, const char *name)
{
    struct sl_err err = SL_ERR_INIT;
    sl_str text = SL_STR_NONE;
    return sys_file_read(a, sys_path_join(a, dir, name), 1 << 26, &text, &err) ? text : SL_STR_NONE;
}

static void test_run_and_stop(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sup_status st;
    sup_status(dir, &st);
    assert_int_equal(st.state, SUP_NONE);
    start("echo in $WHERE; exec sleep 1000", "exec sleep 1000", false);
    assert_true(reached(SUP_RUNNING, &st, 5000));
    assert_true(st.alive);
    assert_true(sys_process_alive((pid_t)st.jobmanager.pid, st.jobmanager.start_time));
    assert_true(sys_process_alive((pid_t)st.taskmanager.pid, st.taskmanager.start_time));
    assert_int_equal(strlen(st.jobmanager.start), 32);
    assert_string_not_equal(st.jobmanager.start, st.taskmanager.start);
    for (int i = 0; i < 300 && !text_of(&a, "log/jobmanager.out").n; i++) {
        sys_sleep_ms(10);
    }
    assert_true(sl_str_eqz(text_of(&a, "log/jobmanager.out"), "in here\n"));

    struct sup_status end;
    sup_stop(dir, 5000);
    sup_status(dir, &end);
    assert_int_equal(end.state, SUP_ENDED);
    assert_false(end.alive);
    assert_string_equal(end.why, "it was stopped");
    assert_int_equal(end.jobmanager.signal, SIGTERM);
    assert_false(sys_process_alive((pid_t)st.jobmanager.pid, st.jobmanager.start_time));
    assert_false(sys_process_alive((pid_t)st.taskmanager.pid, st.taskmanager.start_time));
    assert_false(sys_exists(sys_path_join(&a, dir, "tmp/jobmanager.fifo")));
}

static void test_second_supervisor_is_refused(void **state)
{
    (void)state;
    struct sup_status st;
    start("exec sleep 1000", "exec sleep 1000", false);
    assert_true(reached(SUP_RUNNING, &st, 5000));
    assert_int_equal(sup_main(dir), 6);
    struct sup_status again;
    sup_status(dir, &again);
    assert_int_equal(again.jobmanager.pid, st.jobmanager.pid);
}

static void test_jobmanager_of_a_session_ends_all(void **state)
{
    (void)state;
    struct sup_status st;
    start("sleep 0.3; exit 3", "exec sleep 1000", false);
    assert_true(reached(SUP_ENDED, &st, 10000));
    assert_string_equal(st.why, "the jobmanager ended with exit code 3");
    assert_int_equal(st.jobmanager.exit, 3);
    assert_false(sys_process_alive((pid_t)st.taskmanager.pid, st.taskmanager.start_time));
    for (int i = 0; i < 300 && st.alive; i++) {
        sys_sleep_ms(10);
        sup_status(dir, &st);
    }
    assert_false(st.alive);
}

static void test_taskmanager_starts_again(void **state)
{
    (void)state;
    struct sup_status st, then;
    start("exec sleep 1000", "exec sleep 1000", false);
    assert_true(reached(SUP_RUNNING, &st, 5000));
    kill((pid_t)st.taskmanager.pid, SIGKILL);
    int64_t until = sys_now_ms() + 5000;
    do {
        sys_sleep_ms(10);
        sup_status(dir, &then);
    } while (sys_now_ms() < until &&
             !(then.taskmanager.running && then.taskmanager.pid != st.taskmanager.pid));
    assert_true(then.taskmanager.running);
    assert_int_equal(then.taskmanager.restarts, 1);
    assert_string_not_equal(then.taskmanager.start, st.taskmanager.start);
    assert_string_equal(then.jobmanager.start, st.jobmanager.start);
    assert_non_null(strstr(then.why, "killed by signal 9"));
}

static void add_checkpoint(const char *name, bool complete)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    const char *chk = sl_arena_printf(&a, "%s/checkpoints/" JOB "/%s", dir, name).p;
    assert_true(sys_mkdirs(chk, 0700, &err));
    if (complete) {
        assert_true(sys_file_write(sys_path_join(&a, chk, "_metadata"), SL_STR("m"), 0600, &err));
    }
}

static void test_application_goes_on_from_its_newest_whole_checkpoint(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sup_status st, then;
    start("echo \"$@\"; exec sleep 1000", "exec sleep 1000", true);
    assert_true(reached(SUP_RUNNING, &st, 5000));
    add_checkpoint("chk-3", true);
    add_checkpoint("chk-10", true);
    add_checkpoint("chk-11", false); /* was being written */
    add_checkpoint("shared", true);
    kill((pid_t)st.jobmanager.pid, SIGKILL);
    int64_t until = sys_now_ms() + 5000;
    do {
        sys_sleep_ms(10);
        sup_status(dir, &then);
    } while (sys_now_ms() < until && !(then.state == SUP_RUNNING && then.jobmanager.restarts == 1));
    assert_int_equal(then.state, SUP_RUNNING);
    assert_string_not_equal(then.jobmanager.start, st.jobmanager.start);
    assert_true(then.taskmanager.pid != st.taskmanager.pid); /* it would go on asking the dead JobManager */
    const char *want =
        sl_arena_printf(&a, "--task t\n--fromSavepoint file://%s/checkpoints/" JOB "/chk-10 --task t\n", dir)
            .p;
    for (int i = 0; i < 300 && text_of(&a, "log/jobmanager.out").n < strlen(want); i++) {
        sys_sleep_ms(10);
    }
    assert_string_equal(sl_arena_strdupz(&a, text_of(&a, "log/jobmanager.out")), want);
}

static void test_application_whose_job_has_ended_is_not_started_again(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sup_status st;
    start("exec sleep 1000", "exec sleep 1000", true);
    assert_true(reached(SUP_RUNNING, &st, 5000));
    add_checkpoint("chk-3", true);
    assert_true(sys_mkdirs(sys_path_join(&a, dir, "archive"), 0700, &err));
    assert_true(sys_file_write(sys_path_join(&a, dir, "archive/" JOB), SL_STR("{}"), 0600, &err));
    kill((pid_t)st.jobmanager.pid, SIGKILL);
    assert_true(reached(SUP_ENDED, &st, 10000));
    assert_int_equal(st.jobmanager.restarts, 0);
}

static void test_application_without_checkpoint_is_not_started_again(void **state)
{
    (void)state;
    struct sup_status st;
    start("exec sleep 1000", "exec sleep 1000", true);
    assert_true(reached(SUP_RUNNING, &st, 5000));
    add_checkpoint("chk-1", false);
    kill((pid_t)st.jobmanager.pid, SIGKILL);
    assert_true(reached(SUP_ENDED, &st, 10000));
    assert_string_equal(st.why, "the jobmanager was killed by signal 9");
}

static void test_output_is_capped(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sup_status st;
    start("yes 0123456789abcdef0123456789abcdef | head -c 90000000; echo the end; exec sleep 1000",
          "exec sleep 1000", false);
    assert_true(reached(SUP_RUNNING, &st, 5000));
    char *out = sys_path_join(&a, dir, "log/jobmanager.out"),
         *old = sys_path_join(&a, dir, "log/jobmanager.out.1");
    sl_str text = SL_STR_NONE;
    for (int64_t until = sys_now_ms() + 30000;
         sys_now_ms() < until && !sl_str_ends(text, SL_STR("the end\n"));) {
        SL_ARENA_AUTO b = {0};
        sys_sleep_ms(100);
        text = text_of(&b, "log/jobmanager.out");
        text = sl_str_dup(&a, sl_str_sub(text, text.n - SL_MIN(text.n, 16), SL_MIN(text.n, 16)));
    }
    assert_true(sl_str_ends(text, SL_STR("the end\n")));
    assert_true(sys_file_size(out) + sys_file_size(old) <= (int64_t)sl_limits.jvm_log_bytes);
    assert_true(sys_file_size(old) > (int64_t)sl_limits.jvm_log_bytes / 4);
}

static void test_killed_supervisor_takes_all_along(void **state)
{
    (void)state;
    struct sup_status st, then;
    start("trap '' TERM; while :; do sleep 1; done", "trap '' TERM; while :; do sleep 1; done", false);
    assert_true(reached(SUP_RUNNING, &st, 5000));
    sup_stop(dir, 100); /* they do not listen to TERM: after the grace time the supervisor is killed */
    assert_false(sys_process_alive((pid_t)st.jobmanager.pid, st.jobmanager.start_time));
    assert_false(sys_process_alive((pid_t)st.taskmanager.pid, st.taskmanager.start_time));
    sup_status(dir, &then);
    assert_int_equal(then.state, SUP_ENDED);
    assert_false(then.alive);
}

static void test_what_cannot_be_started_is_said(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    struct sup_status st;
    const char *const no[] = {"/nowhere/java", NULL};
    struct sup_spec spec = {.id = "x",
                            .kind = "session",
                            .flink = "9.9.9",
                            .flink_root = dir,
                            .rest = "http://127.0.0.1:1",
                            .name = "",
                            .job_id = "",
                            .env = no + 1,
                            .jvm = {{"jobmanager", no, 0}},
                            .n_jvm = 1};
    assert_true(sup_spec_write(dir, &spec, &err));
    assert_true(sup_start(self, dir, &err));
    assert_true(reached(SUP_ENDED, &st, 5000));
    assert_non_null(strstr(st.why, "/nowhere/java"));

    SL_ARENA_AUTO a = {0};
    assert_true(sys_file_write(sys_path_join(&a, dir, "cluster.json"), SL_STR("{\"jvms\":[]}"), 0600, &err));
    assert_false(sup_spec_read(&a, dir, &spec, &err));
    assert_int_equal(err.code, SL_JSON);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "supervise") == 0) {
        return sup_main(argv[2]);
    }
    SL_ARENA_AUTO a = {0};
    snprintf(self, sizeof self, "%s", sys_self_path(&a));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_run_and_stop, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_second_supervisor_is_refused, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_jobmanager_of_a_session_ends_all, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_taskmanager_starts_again, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_application_goes_on_from_its_newest_whole_checkpoint, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_application_whose_job_has_ended_is_not_started_again, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_application_without_checkpoint_is_not_started_again, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_output_is_capped, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_killed_supervisor_takes_all_along, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_started_is_said, make_dir, remove_dir),
    };
    return cmocka_run_group_tests_name("supervise", tests, NULL, NULL);
}
