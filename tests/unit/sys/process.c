/* SPDX-License-Identifier: Apache-2.0
 * Child processes: what they get, what they leave behind, and that they go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/file.h"
#include "sys/process.h"

static char dir[64];
static struct sl_arena arena;
static struct sl_err err;

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/sluice-proc-XXXXXX");
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

#define SH(text) ((const char *const[]){"sh", "-c", text, NULL})

static void output_and_exit_codes_come_back(void **state)
{
    (void)state;
    sl_str out, errors;
    assert_int_equal(sys_run(&arena, SH("echo out; echo err >&2; exit 7"), 10000, &out, &errors, &err), 7);
    assert_true(sl_str_eqz(out, "out\n") && sl_str_eqz(errors, "err\n"));
    assert_int_equal(sys_run(&arena, SH("kill -9 $$"), 10000, NULL, NULL, &err), 128 + SIGKILL);
    assert_int_equal(
        sys_run(&arena, SH("head -c 3000000 /dev/zero; echo end >&2"), 10000, &out, &errors, &err), 0);
    assert_true(out.n == 1 << 20 && sl_str_eqz(errors, "end\n"));
    assert_int_equal(sys_run(&arena, SH("cat"), 10000, &out, NULL, &err), 0); /* standard input is empty */
}

static void a_child_gives_way_when_it_is_to(void **state)
{
    (void)state;
    const char *file = sys_path_join(&arena, dir, "nice");
    sl_str plain, text;
    assert_int_equal(sys_run(&arena, SH("nice"), 10000, &plain, NULL, &err), 0);
    struct sys_spawn s = {.argv = SH("nice"), .out = file, .nice = 5};
    pid_t pid = sys_spawn(&s, &err);
    int status = -1;
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    assert_true(sys_file_read(&arena, file, 100, &text, &err));
    int64_t ours = -1, its = -1;
    assert_true(sl_str_to_i64(sl_str_trim(plain), &ours) && sl_str_to_i64(sl_str_trim(text), &its));
    assert_int_equal(its, ours + 5 > 19 ? 19 : ours + 5);
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    assert_int_equal(
        sys_run(&arena, (const char *const[]){"no-such-program-at-all", NULL}, 1000, NULL, NULL, &err), -1);
    assert_int_equal(err.code, SL_FILE_NOT_FOUND);
    assert_true(sys_file_write(sys_path_join(&arena, dir, "text"), SL_STR("x"), 0755, &err));
    const char *text = sys_path_join(&arena, dir, "text");
    assert_int_equal(sys_run(&arena, (const char *const[]){text, NULL}, 1000, NULL, NULL, &err), -1);
    assert_int_equal(err.code, SL_IO);
}

static void a_timeout_kills_the_group(void **state)
{
    (void)state;
    int64_t start = sys_now_ms();
    sl_str out;
    assert_int_equal(sys_run(&arena, SH("sleep 60 & echo $!; sleep 60"), 300, &out, NULL, &err), -1);
    assert_int_equal(err.code, SL_TIMEOUT);
    assert_true(sys_now_ms() - start < 5000);
    int64_t grandchild = 0;
    assert_true(sl_str_to_i64(sl_str_trim(out), &grandchild));
    for (int i = 0; i < 200 && sys_process_alive((pid_t)grandchild, 0); i++) {
        sys_sleep_ms(10);
    }
    assert_false(sys_process_alive((pid_t)grandchild, 0));
}

static void a_grandchild_with_the_pipe_does_not_hold_us(void **state)
{
    (void)state;
    int64_t start = sys_now_ms();
    sl_str out;
    assert_int_equal(sys_run(&arena, SH("sleep 5 & echo done"), 20000, &out, NULL, &err), 0);
    assert_true(sl_str_eqz(out, "done\n"));
    assert_true(sys_now_ms() - start < 3000);
}

static void a_spawned_child_gets_what_was_said(void **state)
{
    (void)state;
    const char *out = sys_path_join(&arena, dir, "out"), *errors = sys_path_join(&arena, dir, "err");
    assert_true(sys_file_write(out, SL_STR("before\n"), 0600, &err));
    int leak = open("/dev/null", O_RDONLY); /* without close-on-exec */
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    setenv("REPLACED", "ours", 1);
    setenv("KEPT", "ours", 1);
    struct sys_spawn s = {
        .argv = SH("pwd; echo $REPLACED $KEPT $NEW; ls /proc/self/fd | wc -l; echo oops >&2; "
                   "grep -c 'SigBlk:.0*$' /proc/self/status; ps -o sid= -p $$ | tr -d ' '; echo $$"),
        .env = (const char *const[]){"REPLACED=theirs", "NEW=1", NULL},
        .cwd = "/",
        .out = out,
        .err = errors,
        .new_session = true};
    pid_t pid = sys_spawn(&s, &err);
    pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
    assert_true(pid > 0);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(leak);
    sl_str text;
    assert_true(sys_file_read(&arena, out, 1000, &text, &err));
    char want[200]; /* four fds: the standard ones and the one ls reads the folder with */
    snprintf(want, sizeof(want), "before\n/\ntheirs ours 1\n4\n1\n%d\n%d\n", (int)pid, (int)pid);
    assert_string_equal(text.p, want);
    assert_true(sys_file_read(&arena, errors, 1000, &text, &err));
    assert_string_equal(text.p, "oops\n");
    s.cwd = "/no/such/folder";
    assert_int_equal(sys_spawn(&s, &err), -1);
}

static void stop_is_gentle_then_not(void **state)
{
    (void)state;
    struct sys_spawn gentle = {.argv = SH("trap 'exit 3' TERM; while :; do sleep 0.05; done")};
    struct sys_spawn deaf = {.argv = SH("trap '' TERM; while :; do sleep 0.05; done")};
    pid_t pid = sys_spawn(&gentle, &err);
    uint64_t start = sys_process_start_time(pid);
    assert_true(start != 0 && sys_process_alive(pid, start) && !sys_process_alive(pid, start + 1));
    sys_sleep_ms(200);
    sys_process_stop(pid, start + 1, 1000); /* another process by then: untouched */
    assert_true(sys_process_alive(pid, start));
    sys_process_stop(pid, start, 5000);
    assert_false(sys_process_alive(pid, start));
    pid = sys_spawn(&deaf, &err);
    start = sys_process_start_time(pid);
    sys_sleep_ms(200);
    int64_t before = sys_now_ms();
    sys_process_stop(pid, start, 300);
    assert_false(sys_process_alive(pid, start));
    assert_true(sys_now_ms() - before >= 300 && sys_now_ms() - before < 5000);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1); /* reaped */
}

static void a_zombie_is_dead(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(sys_process_alive(pid, 0));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_child_may_die_with_its_parent(void **state)
{
    (void)state;
    int p[2];
    assert_int_equal(pipe(p), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct sys_spawn s = {.argv = SH("sleep 60"), .die_with_parent = true};
        pid_t child = sys_spawn(&s, NULL);
        _exit(write(p[1], &child, sizeof(child)) == (ssize_t)sizeof(child) ? 0 : 1);
    }
    pid_t child = 0;
    assert_int_equal(read(p[0], &child, sizeof(child)), sizeof(child));
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    for (int i = 0; i < 500 && sys_process_alive(child, 0); i++) {
        sys_sleep_ms(10);
    }
    assert_false(sys_process_alive(child, 0));
    close(p[0]);
    close(p[1]);
}

static void a_free_port_can_be_bound(void **state)
{
    (void)state;
    int port = sys_free_port(), fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(port > 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    close(fd);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(output_and_exit_codes_come_back),
        T(a_child_gives_way_when_it_is_to),
        T(what_is_not_there_is_said),
        T(a_timeout_kills_the_group),
        T(a_grandchild_with_the_pipe_does_not_hold_us),
        T(a_spawned_child_gets_what_was_said),
        T(stop_is_gentle_then_not),
        T(a_zombie_is_dead),
        T(a_child_may_die_with_its_parent),
        T(a_free_port_can_be_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
