/* SPDX-License-Identifier: Apache-2.0
 * The store keeps what it acknowledged: under kill -9, in groups of many threads, on a full disk; it refuses
 * what it should not touch and copies what it changes. Real files, real processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"
#include "sys/clock.h"
#include "sys/file.h"

static const struct store_migration notes_1[] = {{"note", 1,
                                                  "CREATE TABLE note(id INTEGER PRIMARY KEY, thread INTEGER "
                                                  "NOT NULL, text TEXT, data BLOB, size REAL) STRICT;"},
                                                 {0}};
static const struct store_migration notes_2[] = {
    {"note", 1,
     "CREATE TABLE note(id INTEGER PRIMARY KEY, thread INTEGER NOT NULL, text TEXT, data BLOB, size REAL) "
     "STRICT;"},
    {"note", 2, "ALTER TABLE note ADD COLUMN extra TEXT; CREATE INDEX note_thread ON note(thread);"},
    {0}};
static const struct store_migration broken_2[] = {
    {"note", 1,
     "CREATE TABLE note(id INTEGER PRIMARY KEY, thread INTEGER NOT NULL, text TEXT, data BLOB, size REAL) "
     "STRICT;"},
    {"note", 2, "ALTER TABLE note ADD COLUMN extra TEXT; CREATE INDEX x ON no_such_table(a);"},
    {0}};
static const struct store_migration tags_1[] = {{"tag", 1, "CREATE TABLE tag(name TEXT PRIMARY KEY) STRICT;"},
                                                {0}};
static const struct store_migration loose_1[] = {{"loose", 1, "CREATE TABLE loose(x);"}, {0}};

#define LIST(...) ((const struct store_migration *const[]){__VA_ARGS__, NULL})

static char dir[64], path[128];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/sluice-store-XXXXXX");
    if (!mkdtemp(dir)) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/sluice.db", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return sys_rmtree(dir, NULL) ? 0 : -1;
}

static struct store *must_open(const struct store_migration *const *m)
{
    struct sl_err err = SL_ERR_INIT;
    struct store *s = store_open(path, m, &err);
    if (!s) {
        fail_msg("store_open: %s", err.msg);
    }
    return s;
}

struct note {
    int64_t id, thread;
    const char *text;
    bool fail_after;
};

static bool put_note(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct note *n = arg;
    if (!store_exec(tx, err, "INSERT INTO note(id, thread, text) VALUES(?, ?, ?)", "iiz", n->id, n->thread,
                    n->text)) {
        return false;
    }
    return !n->fail_after || sl_fail(err, SL_JOB_EXISTS, "thought better of it");
}

struct counted {
    int64_t n, threads, newest;
};

static bool count_notes(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct counted *c = arg;
    return store_query_i64(tx, err, "SELECT count(*) FROM note", &c->n, "") &&
           store_query_i64(tx, err, "SELECT count(DISTINCT thread) FROM note", &c->threads, "");
}

static struct counted count_in(struct store *s)
{
    struct counted c = {0};
    struct sl_err err = SL_ERR_INIT;
    assert_true(store_read(s, count_notes, &c, &err));
    return c;
}

/* ---- values ---- */

static bool put_values(struct store_tx *tx, void *arg, struct sl_err *err)
{
    (void)arg;
    return store_exec(tx, err, "INSERT INTO note(thread, text, data, size) VALUES(?, ?, ?, ?)", "isbd",
                      INT64_MIN, SL_STR("a\0b"), SL_STR("\0\xff"), 0.5) &&
           store_exec(tx, err, "INSERT INTO note(thread, text, data) VALUES(?, ?, ?)", "iSn", INT64_MAX,
                      SL_STR_NONE) &&
           store_exec(tx, err, "INSERT INTO note(thread, text) VALUES(?, ?)", "is", (int64_t)0, SL_STR_NONE);
}

struct seen {
    struct sl_arena a;
    struct store_tx *tx;
    size_t n;
    int64_t thread[3];
    sl_str text[3], data[3];
    char *z[3];
    double size[3];
};

static bool see_row(const struct store_row *row, void *ctx)
{
    struct seen *s = ctx;
    size_t i = s->n++;
    s->thread[i] = store_col_i64(row, 0);
    s->text[i] = store_col_str(row, 1, &s->a);
    s->z[i] = store_col_strz(row, 1, &s->a);
    s->data[i] = store_col_str(row, 2, &s->a);
    s->size[i] = store_col_f64(row, 3);
    int64_t nested = 0; /* the same and another statement inside a row */
    struct sl_err err = SL_ERR_INIT;
    assert_true(
        store_query_i64(s->tx, &err, "SELECT thread, text, data, size FROM note ORDER BY id", &nested, ""));
    assert_int_equal(nested, INT64_MIN);
    return true;
}

static bool see_values(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct seen *s = arg;
    size_t n = 0;
    s->tx = tx;
    bool ok =
        store_query(tx, err, "SELECT thread, text, data, size FROM note ORDER BY id", see_row, s, &n, "");
    assert_int_equal(n, 3);
    return ok;
}

static void values_come_back_as_they_went(void **state)
{
    (void)state;
    struct store *s = must_open(LIST(notes_1));
    struct sl_err err = SL_ERR_INIT;
    struct seen seen = {0};
    assert_true(store_write(s, put_values, NULL, &err));
    assert_true(store_read(s, see_values, &seen, &err));
    assert_true(seen.thread[0] == INT64_MIN && seen.thread[1] == INT64_MAX);
    assert_true(sl_str_eq(seen.text[0], SL_STR("a\0b")) && sl_str_eq(seen.data[0], SL_STR("\0\xff")));
    assert_true(seen.size[0] == 0.5);
    assert_null(seen.z[1]);
    assert_string_equal(seen.z[2], "");
    sl_arena_release(&seen.a);
    store_close(s);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* ---- isolation ---- */

static void a_reader_cannot_write(void **state)
{
    (void)state;
    struct store *s = must_open(LIST(notes_1));
    struct sl_err err = SL_ERR_INIT;
    struct note n = {.id = 1};
    assert_false(store_read(s, put_note, &n, &err));
    assert_int_equal(err.code, SL_STORE);
    assert_int_equal(count_in(s).n, 0);
    store_close(s);
}

static bool read_twice(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct counted before = {0}, after = {0};
    struct note n = {.id = 7};
    struct sl_err werr = SL_ERR_INIT;
    assert_true(count_notes(tx, &before, err));
    assert_true(store_write(arg, put_note, &n, &werr));
    assert_true(count_notes(tx, &after, err));
    assert_int_equal(before.n, after.n); /* one snapshot, though the write is durable by now */
    return true;
}

static void a_read_is_one_snapshot(void **state)
{
    (void)state;
    struct store *s = must_open(LIST(notes_1));
    struct sl_err err = SL_ERR_INIT;
    assert_true(store_read(s, read_twice, s, &err));
    assert_int_equal(count_in(s).n, 1);
    store_close(s);
}

/* ---- group commit ---- */

#define THREADS 4
#define EACH    200

struct hammer {
    struct store *s;
    int64_t thread;
    int acknowledged, refused;
};

static void *hammer(void *arg)
{
    struct hammer *h = arg;
    for (int i = 0; i < EACH; i++) {
        struct sl_err err = SL_ERR_INIT;
        bool bad = i % 3 == 0;
        struct note n = {.id = h->thread * 100000 + i, .thread = h->thread, .text = "x", .fail_after = bad};
        if (store_write(h->s, put_note, &n, &err)) {
            h->acknowledged++;
        } else {
            h->refused++;
            if (err.code != SL_JOB_EXISTS) {
                abort();
            }
        }
    }
    return NULL;
}

static void a_failed_write_does_not_harm_its_group(void **state)
{
    (void)state;
    struct store *s = must_open(LIST(notes_1));
    struct hammer h[THREADS];
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++) {
        h[i] = (struct hammer){.s = s, .thread = i + 1};
        assert_int_equal(pthread_create(&t[i], NULL, hammer, &h[i]), 0);
    }
    int acknowledged = 0, refused = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        acknowledged += h[i].acknowledged;
        refused += h[i].refused;
    }
    assert_int_equal(acknowledged + refused, THREADS * EACH);
    assert_int_equal(refused, THREADS * ((EACH + 2) / 3));
    struct counted c = count_in(s);
    assert_int_equal(c.n, acknowledged);
    assert_int_equal(c.threads, THREADS);
    store_close(s);
    s = must_open(LIST(notes_1));
    assert_int_equal(count_in(s).n, acknowledged);
    store_close(s);
}

static _Atomic int async_done, async_ok;
static void on_async_done(struct store_job *job)
{
    atomic_fetch_add(&async_ok, job->ok);
    atomic_fetch_add(&async_done, 1);
}

static void submitted_jobs_are_finished_by_close(void **state)
{
    (void)state;
    struct store *s = must_open(LIST(notes_1));
    static struct store_job jobs[500];
    static struct note notes[500];
    async_done = async_ok = 0;
    for (int i = 0; i < 500; i++) {
        notes[i] = (struct note){.id = i % 400, .thread = 1}; /* the last hundred collide */
        jobs[i] = (struct store_job){.fn = put_note, .arg = &notes[i], .done = on_async_done};
        assert_true(store_submit(s, &jobs[i]));
    }
    store_close(s);
    assert_int_equal(async_done, 500);
    assert_int_equal(async_ok, 400);
    s = must_open(LIST(notes_1));
    assert_int_equal(count_in(s).n, 400);
    store_close(s);
}

/* Stands before libc's: how often SQLite asks the kernel to put a file on the disk. */
static _Atomic int syncs;
int fdatasync(int fd)
{
    atomic_fetch_add(&syncs, 1);
    return (int)syscall(SYS_fdatasync, fd);
}

static void writes_are_synced_and_share_it(void **state)
{
    (void)state;
    struct store *s = must_open(LIST(notes_1));
    struct sl_err err = SL_ERR_INIT;
    for (int i = 0; i < 3; i++) {
        int before = syncs;
        struct note n = {.id = i, .thread = 1};
        assert_true(store_write(s, put_note, &n, &err));
        assert_true(syncs > before); /* durable when it returns */
    }
    static struct store_job jobs[400];
    static struct note notes[400];
    int before = syncs;
    async_done = async_ok = 0;
    for (int i = 0; i < 400; i++) {
        notes[i] = (struct note){.id = 1000 + i, .thread = 1};
        jobs[i] = (struct store_job){.fn = put_note, .arg = &notes[i], .done = on_async_done};
        assert_true(store_submit(s, &jobs[i]));
    }
    store_close(s);
    assert_int_equal(async_ok, 400);
    assert_true(syncs - before < 100);
}

/* ---- kill -9 ---- */

struct child_thread {
    struct store *s;
    int out;
    int64_t thread;
};

static void *write_for_ever(void *arg)
{
    struct child_thread *c = arg;
    for (int64_t i = 0;; i++) {
        struct sl_err err = SL_ERR_INIT;
        struct note n = {.id = c->thread * 1000000 + i, .thread = c->thread, .text = "kept"};
        if (!store_write(c->s, put_note, &n, &err) ||
            write(c->out, &n.id, sizeof(n.id)) != (ssize_t)sizeof(n.id)) {
            _exit(9);
        }
    }
}

static pid_t start_child(int *ret_in)
{
    int p[2];
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(p[0]);
        struct sl_err err = SL_ERR_INIT;
        struct store *s = store_open(path, LIST(notes_1), &err);
        if (!s) {
            _exit(8);
        }
        struct child_thread c[THREADS];
        pthread_t t[THREADS];
        for (int i = 0; i < THREADS; i++) {
            c[i] = (struct child_thread){.s = s, .out = p[1], .thread = i + 1};
            pthread_create(&t[i], NULL, write_for_ever, &c[i]);
        }
        for (int i = 0; i < THREADS; i++) {
            pthread_join(t[i], NULL);
        }
        _exit(7);
    }
    close(p[1]);
    *ret_in = p[0];
    return pid;
}

struct ids {
    int64_t *v;
    size_t n;
    size_t missing;
};

static bool find_ids(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct ids *ids = arg;
    for (size_t i = 0; i < ids->n; i++) {
        int64_t found = 0;
        if (!store_query_i64(tx, err, "SELECT 1 FROM note WHERE id = ?", &found, "i", ids->v[i])) {
            return false;
        }
        ids->missing += found != 1;
    }
    return true;
}

static void every_acknowledged_write_survives_kill_9(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        assert_true(sys_rmtree(dir, NULL) && sys_mkdirs(dir, 0700, NULL));
        int in;
        pid_t pid = start_child(&in);
        struct ids ids = {.v = calloc(1000000, sizeof(int64_t))};
        size_t want = 200 + (size_t)round * 133;
        while (ids.n < want) {
            assert_int_equal(read(in, &ids.v[ids.n], sizeof(int64_t)), sizeof(int64_t));
            ids.n++;
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (read(in, &ids.v[ids.n], sizeof(int64_t)) == (ssize_t)sizeof(int64_t)) {
            ids.n++; /* acknowledged before it died */
        }
        close(in);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        struct store *s = must_open(LIST(notes_1));
        struct sl_err err = SL_ERR_INIT;
        assert_true(store_read(s, find_ids, &ids, &err));
        assert_int_equal(ids.missing, 0);
        struct counted c = count_in(s);
        assert_true(c.n >= (int64_t)ids.n && c.n <= (int64_t)ids.n + THREADS);
        store_close(s);
        free(ids.v);
    }
}

/* ---- full disk ---- */

static bool put_much(struct store_tx *tx, void *arg, struct sl_err *err)
{
    (void)arg;
    return store_exec(tx, err, "INSERT INTO note(thread, data) VALUES(1, zeroblob(1000000))", "");
}

/* SQLite's own hook for system calls stands for the disk: beyond the room that is left, writes say ENOSPC. */
static _Atomic long room;

static ssize_t pwrite_on_a_small_disk(int fd, const void *p, size_t n, off_t at)
{
    if (atomic_fetch_sub(&room, (long)n) < (long)n) {
        errno = ENOSPC;
        return -1;
    }
    return pwrite(fd, p, n, at);
}

static bool shrink_disk(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    sqlite3_syscall_ptr fn = (sqlite3_syscall_ptr)pwrite_on_a_small_disk;
    return vfs->xSetSystemCall(vfs, "pwrite", fn) == SQLITE_OK &&
           vfs->xSetSystemCall(vfs, "pwrite64", fn) == SQLITE_OK;
}

/* Exit codes tell what was wrong. */
static int full_disk_child(void)
{
    struct sl_err err = SL_ERR_INIT;
    struct store *s = store_open(path, LIST(notes_1), &err);
    struct note small = {.id = 1, .thread = 1};
    if (!s || !store_write(s, put_note, &small, &err)) {
        return 1;
    }
    room = 400000;
    if (!shrink_disk()) {
        return 2;
    }
    if (store_write(s, put_much, NULL, &err)) {
        return 3;
    }
    if (err.code != SL_DISK_FULL || strchr(err.msg, '\n') || !err.hint[0]) {
        fprintf(stderr, "%s: %s\n", sl_code_slug(err.code), err.msg);
        return 4;
    }
    struct note next = {.id = 2, .thread = 1};
    room = 400000; /* somebody made some */
    err = SL_ERR_INIT;
    if (!store_write(s, put_note, &next, &err)) {
        fprintf(stderr, "%s: %s\n", sl_code_slug(err.code), err.msg);
        return 5;
    }
    store_close(s);
    return 0;
}

static void a_full_disk_is_said_and_harms_nothing(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(full_disk_child());
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    struct store *s = must_open(LIST(notes_1));
    assert_int_equal(count_in(s).n, 2);
    store_close(s);
}

/* ---- what is opened ---- */

static void a_migration_makes_a_backup_first(void **state)
{
    (void)state;
    struct store *s = must_open(LIST(notes_1));
    struct note n = {.id = 1, .thread = 3};
    struct sl_err err = SL_ERR_INIT;
    char backup[160];
    snprintf(backup, sizeof(backup), "%s.v1.backup", path);
    assert_true(store_write(s, put_note, &n, &err));
    store_close(s);
    s = must_open(LIST(notes_1));
    store_close(s);
    assert_false(sys_exists(backup)); /* nothing to migrate */
    s = must_open(LIST(notes_2, tags_1));
    assert_int_equal(count_in(s).n, 1);
    store_close(s);
    assert_true(sys_exists(backup));
    /* the backup is the store as it was: the old program opens it, the new file it refuses */
    assert_null(store_open(path, LIST(notes_1), &err));
    assert_int_equal(err.code, SL_STORE_NEWER);
    assert_non_null(strstr(err.msg, "newer"));
    assert_null(store_open(path, LIST(notes_2), &err)); /* does not know the noun tag */
    assert_int_equal(err.code, SL_STORE_NEWER);
    assert_int_equal(rename(backup, path), 0);
    s = must_open(LIST(notes_1));
    assert_int_equal(count_in(s).n, 1);
    store_close(s);
}

static void a_failed_migration_changes_nothing(void **state)
{
    (void)state;
    struct store *s = must_open(LIST(notes_1));
    struct note n = {.id = 1};
    struct sl_err err = SL_ERR_INIT;
    assert_true(store_write(s, put_note, &n, &err));
    store_close(s);
    assert_null(store_open(path, LIST(broken_2), &err));
    assert_int_equal(err.code, SL_STORE);
    assert_non_null(strstr(err.msg, "note version 2"));
    s = must_open(LIST(notes_1)); /* not half at version 2 */
    assert_int_equal(count_in(s).n, 1);
    store_close(s);
    assert_null(store_open(path, LIST(notes_1, loose_1), &err));
    assert_non_null(strstr(err.msg, "not STRICT"));
}

static void damage_and_strange_files_are_refused(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    assert_true(
        sys_file_write(path, SL_STR("this is a text file and no store at all, for certain"), 0600, &err));
    assert_null(store_open(path, LIST(notes_1), &err));
    assert_int_equal(err.code, SL_STORE);
    unlink(path);

    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE other(x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_null(store_open(path, LIST(notes_1), &err));
    assert_non_null(strstr(err.msg, "not a store of Sluice"));
    unlink(path);

    struct store *s = must_open(LIST(notes_1));
    for (int i = 0; i < 40; i++) {
        assert_true(store_write(s, put_much, NULL, &err));
        struct note n = {.id = -1 - i, .text = "x"};
        assert_true(store_write(s, put_note, &n, &err));
    }
    store_close(s);
    int fd = open(path, O_RDWR);
    char junk[4096];
    memset(junk, 0xa5, sizeof(junk));
    for (off_t at = 4096; at < 5 * 4096; at += 4096) {
        assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
    }
    close(fd);
    assert_null(store_open(path, LIST(notes_1), &err));
    assert_int_equal(err.code, SL_STORE);
    assert_non_null(strstr(err.msg, "damaged"));
    assert_non_null(strstr(err.hint, "backup"));
}

static void a_backup_is_a_store(void **state)
{
    (void)state;
    struct store *s = must_open(LIST(notes_1));
    struct sl_err err = SL_ERR_INIT;
    struct note n = {.id = 5, .thread = 5};
    char copy[160];
    snprintf(copy, sizeof(copy), "%s/copy.db", dir);
    assert_true(store_write(s, put_note, &n, &err));
    assert_true(store_backup(s, copy, &err));
    assert_false(store_backup(s, copy, &err)); /* never over something */
    store_close(s);
    assert_int_equal(rename(copy, path), 0);
    s = must_open(LIST(notes_1));
    assert_int_equal(count_in(s).n, 1);
    store_close(s);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(values_come_back_as_they_went),
        T(a_reader_cannot_write),
        T(a_read_is_one_snapshot),
        T(a_failed_write_does_not_harm_its_group),
        T(submitted_jobs_are_finished_by_close),
        T(writes_are_synced_and_share_it),
        T(every_acknowledged_write_survives_kill_9),
        T(a_full_disk_is_said_and_harms_nothing),
        T(a_migration_makes_a_backup_first),
        T(a_failed_migration_changes_nothing),
        T(damage_and_strange_files_are_refused),
        T(a_backup_is_a_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
