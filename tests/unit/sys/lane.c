/* SPDX-License-Identifier: Apache-2.0
 * Lanes and the log under threads; worth most under the thread sanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/json.h"
#include "base/limits.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/lane.h"
#include "sys/log.h"

struct job {
    struct sys_lane_job lane; /* first */
    int in, out;
    pthread_t worked_on, done_on;
    bool done;
};

static _Atomic bool gate_open;
static _Atomic int working;

static void square(struct sys_lane_job *j)
{
    struct job *job = (struct job *)j;
    job->worked_on = pthread_self();
    job->out = job->in * job->in;
}

static void wait_for_gate(struct sys_lane_job *j)
{
    (void)j;
    atomic_fetch_add(&working, 1);
    while (!atomic_load(&gate_open)) {
        sys_sleep_ms(1);
    }
}

static int done_count;
static void on_done(struct sys_lane_job *j)
{
    struct job *job = (struct job *)j;
    job->done_on = pthread_self();
    job->done = true;
    done_count++;
}

static void on_done_elsewhere(struct sys_lane_job *j)
{
    ((struct job *)j)->done = true;
}

#define JOBS 2000

static void answers_come_on_the_loop(void **state)
{
    (void)state;
    static struct job jobs[JOBS];
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    struct sys_lane *l = sys_lane_new("work", 2, JOBS, &loop);
    done_count = 0;
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.lane = {.work = square, .done = on_done}, .in = i};
        assert_true(sys_lane_submit(l, &jobs[i].lane));
        if (i % 100 == 0) {
            uv_run(&loop, UV_RUN_NOWAIT);
        }
    }
    while (done_count < JOBS / 2) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    sys_lane_free(l); /* what is left is finished and delivered */
    assert_int_equal(done_count, JOBS);
    for (int i = 0; i < JOBS; i++) {
        assert_true(jobs[i].out == i * i && pthread_equal(jobs[i].done_on, pthread_self()) &&
                    !pthread_equal(jobs[i].worked_on, pthread_self()));
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0); /* no handle is left */
}

static void the_queue_is_bounded(void **state)
{
    (void)state;
    static struct job jobs[10];
    atomic_store(&gate_open, false);
    atomic_store(&working, 0);
    struct sys_lane *l = sys_lane_new("work", 1, 3, NULL);
    for (int i = 0; i < 10; i++) {
        jobs[i] = (struct job){.lane = {.work = wait_for_gate, .done = on_done_elsewhere}};
    }
    assert_true(sys_lane_submit(l, &jobs[0].lane));
    while (!atomic_load(&working)) {
        sys_sleep_ms(1);
    }
    for (int i = 1; i < 10; i++) {
        assert_true(sys_lane_submit(l, &jobs[i].lane) == (i <= 3)); /* one is worked on, three wait */
    }
    assert_int_equal(sys_lane_depth(l), 3);
    atomic_store(&gate_open, true);
    sys_lane_free(l);
    for (int i = 0; i < 10; i++) {
        assert_true(jobs[i].done == (i <= 3));
    }
}

/* ---- the log ---- */

static char dir[64], path[128];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/sluice-log-XXXXXX");
    if (!mkdtemp(dir)) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/log", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sys_log_close();
    sys_log_set_json(false);
    return sys_rmtree(dir, NULL) ? 0 : -1;
}

static void *log_much(void *arg)
{
    for (int i = 0; i < 60; i++) {
        char event[16];
        snprintf(event, sizeof(event), "e%d", i % 10);
        sys_log(SYS_LOG_INFO, arg, event, "i=%d thread=%s", i, (char *)arg);
    }
    return NULL;
}

static size_t count(sl_str text, const char *what)
{
    size_t n = 0;
    for (ptrdiff_t at; (at = sl_str_find(text, sl_str_of(what))) >= 0; n++) {
        text = sl_str_sub(text, (size_t)at + 1, text.n - (size_t)at - 1);
    }
    return n;
}

static void lines_of_all_threads_are_whole(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    sl_str text;
    char names[4][2] = {"a", "b", "c", "d"};
    pthread_t t[4];
    sys_log(SYS_LOG_ERR, "test", "before-open", "x=1");
    sys_log_open(path, SYS_LOG_INFO, 0);
    for (int i = 0; i < 4; i++) {
        pthread_create(&t[i], NULL, log_much, names[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
    }
    sys_log(SYS_LOG_DEBUG, "test", "too-fine", "x=1");
    sys_log(SYS_LOG_WARN, "test", "evil", "name=%s", "a\n2026 err test forged x=1\x1b[2J");
    sys_log_close();
    sys_log(SYS_LOG_ERR, "test", "after-close", "x=1");
    assert_true(sys_file_read(&a, path, 1 << 20, &text, &err));
    assert_int_equal(count(text, "\n"), 241);
    assert_int_equal(count(text, " thread=c\n"), 60);
    assert_int_equal(count(text, "before-open") + count(text, "after-close") + count(text, "too-fine"), 0);
    assert_int_equal(count(text, "\x1b"), 0);
    assert_int_equal(sys_log_dropped(), 0);
}

static void a_flood_is_held_back_and_counted(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    sl_str text;
    sys_log_open(path, SYS_LOG_INFO, 0);
    sys_log_set_json(true);
    while (sys_now_ms() % 1000 > 100) {
        sys_sleep_ms(10); /* near the beginning of a second */
    }
    for (int i = 0; i < 1000; i++) {
        sys_log(SYS_LOG_INFO, "test", "flood", "i=%d", i);
    }
    sys_log(SYS_LOG_INFO, "test", "other", "key=value text=\"two words\" rest=a b c");
    sys_sleep_ms(1000);
    sys_log(SYS_LOG_INFO, "test", "flood", "i=last");
    sys_log_close();
    assert_true(sys_file_read(&a, path, 1 << 20, &text, &err));
    assert_int_equal(count(text, "\"event\":\"flood\""), SL_LIMIT_LOG_PER_SECOND + 1);
    char held[64];
    snprintf(held, sizeof(held), "\"held_back\":%d}", 1000 - SL_LIMIT_LOG_PER_SECOND);
    assert_int_equal(count(text, held), 1);
    assert_int_equal(count(text, "\"key\":\"value\",\"text\":\"two words\",\"rest\":\"a b c\"}"), 1);
    while (text.n > 0) { /* every line is JSON */
        size_t end = (size_t)sl_str_find_char(text, '\n');
        assert_non_null(sl_json_parse(&a, sl_str_sub(text, 0, end), &err));
        text = sl_str_sub(text, end + 1, text.n - end - 1);
    }
}

static void the_file_is_capped(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    sys_log_open(path, SYS_LOG_INFO, 4000);
    for (int i = 0; i < 90; i++) {
        sys_log(SYS_LOG_INFO, "test", "fill", "i=%d text=%0100d", i, i);
        sys_sleep_ms(1); /* so that the writer takes them in small parts */
    }
    sys_log_close();
    assert_true(sys_file_size(path) > 0 && sys_file_size(path) <= 4000);
    assert_true(sys_exists(sys_path_join(&a, dir, "log.1")));
}

static void *count_lines(void *arg)
{
    int *fd = arg;
    char part[65536];
    size_t lines = 0;
    for (ssize_t n; (n = read(*fd, part, sizeof(part))) > 0;) {
        for (ssize_t i = 0; i < n; i++) {
            lines += part[i] == '\n';
        }
    }
    return (void *)(uintptr_t)lines;
}

/* A pipe that nobody reads stands for a disk that hangs: callers go on, lines are dropped and counted. */
static void a_stuck_writer_does_not_block_callers(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    uint64_t before = sys_log_dropped();
    sys_log_open(path, SYS_LOG_INFO, 0);
    assert_true(fd >= 0 && fcntl(fd, F_SETFL, 0) == 0);
    int64_t start = sys_now_ms();
    for (int i = 0; i < 6000; i++) {
        char event[24];
        snprintf(event, sizeof(event), "stuck%d", i);
        sys_log(SYS_LOG_INFO, "test", event, "pad=%0200d", i);
    }
    assert_true(sys_now_ms() - start < 5000);
    uint64_t dropped = sys_log_dropped() - before;
    assert_true(dropped > 3000);
    pthread_t reader;
    void *lines;
    pthread_create(&reader, NULL, count_lines, &fd);
    sys_log_close(); /* what is in the ring is still written */
    pthread_join(reader, &lines);
    close(fd);
    assert_int_equal((uintptr_t)lines + dropped, 6000);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_on_the_loop),
        cmocka_unit_test(the_queue_is_bounded),
        T(lines_of_all_threads_are_whole),
        T(a_flood_is_held_back_and_counted),
        T(the_file_is_capped),
        T(a_stuck_writer_does_not_block_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
