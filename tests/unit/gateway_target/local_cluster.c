/* SPDX-License-Identifier: Apache-2.0
 * Folders of local clusters without a JVM: whose REST is it, what a dead JobManager has left in its log and
 * its archive, what the sweep keeps. */
#include "gateway/target/local_cluster.h"

#include "base/limits.h"
#include "sys/file.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define JOB "0123456789abcdef0123456789abcdef"

static char run_dir[64];

static int make_dir(void **state)
{
    (void)state;
    snprintf(run_dir, sizeof run_dir, "/tmp/sluice-clu-XXXXXX");
    return mkdtemp(run_dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    return sys_rmtree(run_dir, &err) ? 0 : -1;
}

static void put(struct sl_arena *a, const char *id, const char *name, const char *text)
{
    struct sl_err err = SL_ERR_INIT;
    char *path = sl_arena_strdupz(a, sl_arena_printf(a, "%s/%s/%s", run_dir, id, name));
    char *folder = sl_arena_strdupz(a, sl_str_of(path));
    *strrchr(folder, '/') = 0;
    assert_true(sys_mkdirs(folder, 0700, &err));
    assert_true(sys_file_write(path, sl_str_of(text), 0600, &err));
}

static void make_cluster(struct sl_arena *a, const char *id, const char *rest, const char *state)
{
    put(a, id, "cluster.json",
        sl_arena_printf(a,
                        "{\"version\":1,\"id\":\"%s\",\"kind\":\"session\",\"flink\":\"2.2.1\",\"flinkRoot\":"
                        "\"/x\",\"rest\":"
                        "\"%s\",\"name\":\"\",\"jobId\":\"\",\"env\":[],\"jvms\":[{\"role\":\"jobmanager\","
                        "\"restoreAt\":0,"
                        "\"argv\":[\"java\"]}]}",
                        id, rest)
            .p);
    put(a, id, "state.json", state);
}

#define RUNNING                                                                                              \
    "{\"state\":\"running\",\"pid\":0,\"startTime\":0,\"why\":\"\",\"jobmanager\":{\"start\":\"aaaa\","      \
    "\"pid\":0,\"running\":true}}"

/* ---- a REST of our own ---- */

struct server {
    int fd;
    const char *_Atomic id, *_Atomic version; /* a test changes them between requests */
    pthread_t thread;
    char base[64];
};

static void *serve(void *arg)
{
    struct server *s = arg;
    char in[4096], body[512], out[1024];
    for (int c; (c = accept(s->fd, NULL, NULL)) >= 0; close(c)) {
        ssize_t n = read(c, in, sizeof in - 1);
        in[n > 0 ? n : 0] = 0;
        if (strstr(in, "/jobmanager/config")) {
            snprintf(body, sizeof body, "[{\"key\":\"sluice.cluster.id\",\"value\":\"%s\"}]", s->id);
        } else if (strstr(in, "/jobs/overview")) {
            snprintf(body, sizeof body, "{\"jobs\":[]}");
        } else {
            snprintf(body, sizeof body, "{\"flink-version\":\"%s\",\"slots-total\":8}", s->version);
        }
        int len =
            snprintf(out, sizeof out, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                     strlen(body), body);
        if (write(c, out, (size_t)len) != len) {
            break;
        }
    }
    return NULL;
}

static void start(struct server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->fd, 8), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &n), 0);
    snprintf(s->base, sizeof s->base, "http://127.0.0.1:%d", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static void test_only_our_own_flink_is_taken(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct local_cluster c;
    struct sup_status st;
    struct server s = {.id = "session-other", .version = "2.2.1"};
    start(&s);
    make_cluster(&a, "session-1", s.base, RUNNING);
    bool held = false;
    int lock = sys_lock(sys_path_join(&a, run_dir, "session-1/lock"), &held, &err);
    assert_true(lock >= 0);
    assert_true(local_cluster_open(run_dir, "session-1", &c, &err));
    assert_false(c.released);
    assert_true(c.owner_fd >= 0);

    assert_false(local_cluster_check(&c, &st, &err));
    assert_int_equal(err.code, SL_TARGET_ANSWER);
    s.id = "session-1";
    s.version = "2.3.0";
    assert_false(local_cluster_check(&c, &st, &err));
    assert_int_equal(err.code, SL_FLINK_VERSION_MISMATCH);
    assert_int_equal(sl_code_exit(err.code), 5);
    s.version = "2.2.1";
    assert_true(local_cluster_check(&c, &st, &err));
    assert_string_equal(c.verified, "aaaa");
    /* another life of the JobManager is looked at again */
    put(&a, "session-1", "state.json",
        "{\"state\":\"running\",\"jobmanager\":{\"start\":\"bbbb\",\"running\":true}}");
    s.id = "session-other";
    assert_false(local_cluster_check(&c, &st, &err));
    /* a second owner does not get it */
    struct local_cluster other;
    assert_true(local_cluster_open(run_dir, "session-1", &other, &err));
    assert_int_equal(other.owner_fd, -1);
    /* the supervisor gone: nobody is asked any more, whatever answers on the port */
    s.id = "session-1";
    close(lock);
    assert_false(local_cluster_check(&c, &st, &err));
    assert_int_equal(err.code, SL_TARGET_UNREACHABLE);
    assert_int_equal(st.state, SUP_ENDED);
    close(c.owner_fd);
    stop(&s);
}

static void test_ids_that_are_no_clusters(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    struct local_cluster c;
    static const char *const ids[] = {"", "session-none", "../x", "a/b"};
    for (size_t i = 0; i < SL_ARRAY_LEN(ids); i++) {
        assert_false(local_cluster_open(run_dir, ids[i], &c, &err));
        assert_int_equal(err.code, SL_NOT_FOUND);
    }
}

static void test_log_of_a_dead_jobmanager(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct tgt_failure f;
    put(&a, "app-1", "log/jobmanager.log",
        "2026-11-21 08:00:00,000 INFO  o.a.f.X - starting\n"
        "2026-11-21 08:00:01,000 ERROR o.a.f.Y - Could not start cluster entrypoint.\n"
        "a.B: first\n\tat a.B.c(B.java:1)\nCaused by: java.net.BindException: Address already in use\n\tat "
        "x.Y.z(Y.java:2)\n"
        "2026-11-21 08:00:02,000 INFO  o.a.f.X - bye\n");
    local_cluster_log_failure(sys_path_join(&a, run_dir, "app-1"), &a, &f);
    assert_string_equal(
        sl_arena_strdupz(&a, f.chain_json),
        "[{\"class\":\"a.B\",\"message\":\"first\"},{\"class\":\"java.net.BindException\",\"message\":"
        "\"Address already in use\"}]");
    put(&a, "app-2", "log/jobmanager.log", "2026-11-21 08:00:00,000 INFO  o.a.f.X - all is well\n");
    put(&a, "app-2", "log/jobmanager.out", "Error: Could not create the Java Virtual Machine.\n");
    local_cluster_log_failure(sys_path_join(&a, run_dir, "app-2"), &a, &f);
    assert_non_null(strstr(sl_arena_strdupz(&a, f.stack), "Virtual Machine"));
    local_cluster_log_failure(sys_path_join(&a, run_dir, "app-3"), &a, &f);
    assert_int_equal(f.stack.n, 0);
}

/* An ERROR in the log of one that was killed says nothing about its job; main() that threw does, however it ended. */
static void test_what_an_application_said_itself(void **state)
{
    (void)state;
    static const char some_error[] = "2026-11-21 08:00:00,000 ERROR o.a.f.X - a heartbeat is late\n"
                                     "a.B: late\n";
    static const char main_threw[] =
        "2026-11-21 08:00:00,000 WARN  o.a.f.X - Application failed unexpectedly: \n"
        "java.util.concurrent.CompletionException: a.B: no such table\n"
        "2026-11-21 08:00:00,100 INFO  o.a.f.X - bye\n";
    static const char fatal[] =
        "2026-11-21 08:00:00,000 ERROR o.a.f.X - Fatal error occurred in the cluster entrypoint.\n"
        "a.B: the connection to ZooKeeper was lost\n";
    static const struct {
        const char *log;
        int exit, signal;
        bool said;
        const char *word;
    } cases[] = {
        {some_error, -1, 9, false, NULL},
        {some_error, 143, -1, false, NULL},
        {some_error, 3, -1, false, NULL},
        {some_error, -1, -1, false, NULL},
        {fatal, 2, -1, false, NULL},
        {main_threw, -1, 9, true, "no such table"},
        {main_threw, 2, -1, true, "no such table"},
        {some_error, 1, -1, true, "late"},
        {NULL, 163, -1, true, "exit code 163"},
        {NULL, 0, -1, false, NULL},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        SL_ARENA_AUTO a = {0};
        struct tgt_failure f;
        struct sup_jvm_state jvm = {.exit = cases[i].exit, .signal = cases[i].signal};
        char id[16];
        snprintf(id, sizeof id, "said-%zu", i);
        if (cases[i].log) {
            put(&a, id, "log/jobmanager.log", cases[i].log);
        }
        bool said = local_cluster_said_failed(sys_path_join(&a, run_dir, id), &jvm, &a, &f);
        assert_int_equal(said, cases[i].said);
        assert_true(!said || strstr(sl_arena_strdupz(&a, f.stack), cases[i].word));
    }
}

static void test_archive(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct tgt_job_status st;
    struct tgt_failure f;
    const char *doc =
        "{\"archive\":[{\"path\":\"/jobs/overview\",\"json\":\"{}\"},"
        "{\"path\":\"/jobs/" JOB "\",\"json\":\"{\\\"state\\\":\\\"FAILED\\\",\\\"end-time\\\":5}\"},"
        "{\"path\":\"/jobs/" JOB "/exceptions\",\"json\":\"{\\\"exceptionHistory\\\":{\\\"entries\\\":[{"
        "\\\"stacktrace\\\":\\\"a.B: c\\\",\\\"timestamp\\\":4}]}}\"}]}";
    char *dir = sys_path_join(&a, run_dir, "app-1");
    assert_false(local_cluster_archived(dir, JOB, &st, &a, &f));
    put(&a, "app-1", "archive/applications/x/jobs/" JOB, doc); /* as 2.3 lays it */
    assert_true(local_cluster_archived(dir, JOB, &st, &a, &f));
    assert_string_equal(st.state, "FAILED");
    assert_true(st.terminal);
    assert_string_equal(sl_arena_strdupz(&a, f.chain_json), "[{\"class\":\"a.B\",\"message\":\"c\"}]");
    char(*ids)[33];
    assert_int_equal(local_cluster_archived_ids(dir, &a, &ids), 1);
    assert_string_equal(ids[0], JOB);
    put(&a, "app-2", "archive/" JOB, "{\"archive\":[{\"pa");
    assert_false(local_cluster_archived(sys_path_join(&a, run_dir, "app-2"), JOB, &st, &a, NULL));
}

static void test_logs(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    sl_str text;
    put(&a, "s", "log/taskmanager.log.1", "one\n");
    put(&a, "s", "log/taskmanager.log", "two\nthree\n");
    put(&a, "s", "log/taskmanager.out", "+I[4]\n");
    char *dir = sys_path_join(&a, run_dir, "s");
    assert_true(local_cluster_logs(dir, "taskmanager", 0, &a, &text, &err));
    assert_true(sl_str_eqz(text, "+I[4]\none\ntwo\nthree\n"));
    assert_true(local_cluster_logs(dir, "taskmanager", 2, &a, &text, &err));
    assert_true(sl_str_eqz(text, "two\nthree\n"));
    assert_true(local_cluster_logs(dir, "taskmanager", 99, &a, &text, &err));
    assert_true(sl_str_starts(text, SL_STR("+I[4]")));
    assert_true(local_cluster_logs(dir, "jobmanager", 5, &a, &text, &err));
    assert_int_equal(text.n, 0);
    assert_false(local_cluster_logs(dir, "../../etc/passwd", 5, &a, &text, &err));
}

static void test_sweep(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    char id[32];
    for (int i = 0; i < (int)sl_limits.clusters_kept + 3; i++) {
        snprintf(id, sizeof id, "app-%02d", i);
        make_cluster(&a, id, "http://127.0.0.1:1", RUNNING); /* killed with its supervisor */
        put(&a, id, "tmp/left.over", "x");
        put(&a, id, "log/jobmanager.log", "x");
    }
    put(&a, "session-half", "conf/config.yaml", "x"); /* a start that did not get far */
    make_cluster(&a, "session-owned", "http://127.0.0.1:1", RUNNING);
    bool held = false;
    int lock = sys_lock(sys_path_join(&a, run_dir, "session-owned/lock"), &held, &err);
    int owner = sys_lock(sys_path_join(&a, run_dir, "session-owned/owner.lock"), &held, &err);
    assert_true(lock >= 0 && owner >= 0);
    tgt_local_sweep(run_dir, NULL, 0);
    sl_str *names;
    size_t n;
    assert_true(sys_dir_list(&a, run_dir, &names, &n, &err));
    assert_int_equal(n, sl_limits.clusters_kept + 1);
    for (size_t i = 0; i < n; i++) {
        char *dir = sys_path_join(&a, run_dir, sl_arena_strdupz(&a, names[i]));
        bool is_owned = sl_str_eqz(names[i], "session-owned");
        assert_int_equal(sys_exists(sys_path_join(&a, dir, "lock")), is_owned);
        assert_false(sys_exists(sys_path_join(&a, dir, "tmp")));
        assert_true(is_owned || sys_exists(sys_path_join(&a, dir, "log/jobmanager.log")));
    }
    close(lock);
    close(owner);
    tgt_local_sweep("/nowhere/at/all", NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_only_our_own_flink_is_taken, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_ids_that_are_no_clusters, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_log_of_a_dead_jobmanager, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_what_an_application_said_itself, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_archive, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_logs, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_sweep, make_dir, remove_dir),
    };
    return cmocka_run_group_tests_name("local_cluster", tests, NULL, NULL);
}
