/* SPDX-License-Identifier: Apache-2.0
 * Snapshots on a real store: they only go forward, what is known is not forgotten by a look that tells less,
 * and the newest that can be restored from is the one that is found. */
#include "gateway/jobs/artifact.h"
#include "gateway/jobs/snapshot.h"

#include "gateway/jobs/ledger.h"
#include "gateway/jobs/restore.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

struct world {
    char dir[64], path[96];
    struct store *store;
    struct sl_arena arena;
};

static void world_open(struct world *w)
{
    static const struct store_migration *const migrations[] = {ledger_migrations,   submission_migrations,
                                                               snapshot_migrations, artifact_migrations,
                                                               restore_migrations,  NULL};
    struct sl_err err = SL_ERR_INIT;
    w->store = store_open(w->path, migrations, &err);
    assert_non_null(w->store);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    snprintf(w->dir, sizeof(w->dir), "/tmp/sluice-snapshot-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof(w->path), "%s/sluice.db", w->dir);
    sl_arena_init(&w->arena, 0);
    world_open(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    store_close(w->store);
    assert_true(sys_rmtree(w->dir, &err));
    sl_arena_release(&w->arena);
    free(w);
    return 0;
}

static struct snapshot checkpoint(const char *run, int64_t number, enum snapshot_state state,
                                  const char *path)
{
    struct snapshot v = {.number = number, .state = state, .at_ms = 1000 + number};
    snprintf(v.job, sizeof(v.job), "counts");
    snprintf(v.run, sizeof(v.run), "%s", run);
    snprintf(v.path, sizeof(v.path), "%s", path);
    return v;
}

static struct snapshot savepoint(const char *run, char trigger, enum snapshot_state state, const char *path,
                                 int64_t at_ms)
{
    struct snapshot v = checkpoint(run, 0, state, path);
    v.kind = SNAPSHOT_SAVEPOINT;
    memset(v.trigger_id, trigger, 32);
    v.at_ms = at_ms;
    return v;
}

static void put(struct world *w, struct snapshot v)
{
    struct sl_err err = SL_ERR_INIT;
    assert_true(snapshot_put(w->store, &v, &err));
}

static size_t list(struct world *w, const char *job, const char *run, struct snapshot **ret)
{
    size_t n;
    struct sl_err err = SL_ERR_INIT;
    assert_true(snapshot_list(w->store, job, run, 1000, &w->arena, ret, &n, &err));
    return n;
}

static void checkpoints_go_forward_only(void **state)
{
    struct world *w = *state;
    struct snapshot *v;
    put(w, checkpoint("a", 7, SNAPSHOT_PENDING, ""));
    struct snapshot done = checkpoint("a", 7, SNAPSHOT_COMPLETED, "file:/c/7");
    done.bytes = 34;
    done.duration_ms = 12;
    put(w, done);
    put(w, checkpoint("a", 7, SNAPSHOT_PENDING, ""));   /* an older look that came late */
    put(w, checkpoint("a", 7, SNAPSHOT_COMPLETED, "")); /* one that tells less */
    assert_int_equal(list(w, "counts", NULL, &v), 1);
    assert_int_equal(v[0].state, SNAPSHOT_COMPLETED);
    assert_string_equal(v[0].path, "file:/c/7");
    assert_int_equal(v[0].bytes, 34);
    assert_int_equal(v[0].duration_ms, 12);
    struct sl_err err = SL_ERR_INIT;
    assert_true(snapshot_gone(w->store, v[0].id, "its files are away", &err));
    put(w, checkpoint("a", 7, SNAPSHOT_COMPLETED, "file:/c/7"));
    assert_int_equal(list(w, NULL, "a", &v), 1);
    assert_int_equal(v[0].state, SNAPSHOT_GONE);
    assert_string_equal(v[0].reason, "its files are away");
}

static void one_number_in_two_runs_is_two(void **state)
{
    struct world *w = *state;
    struct snapshot *v;
    put(w, checkpoint("a", 1, SNAPSHOT_COMPLETED, "file:/a/1"));
    put(w, checkpoint("b", 1, SNAPSHOT_COMPLETED, "file:/b/1"));
    assert_int_equal(list(w, "counts", NULL, &v), 2);
    assert_int_equal(list(w, "counts", "b", &v), 1);
    assert_string_equal(v[0].path, "file:/b/1");
    assert_int_equal(list(w, "other", NULL, &v), 0);
}

static void latest_is_the_newest_that_can_be_restored(void **state)
{
    struct world *w = *state;
    struct snapshot v;
    struct sl_err err = SL_ERR_INIT;
    assert_false(snapshot_latest(w->store, "counts", NULL, &v, &err));
    assert_int_equal(err.code, SL_OK);
    put(w, checkpoint("a", 1, SNAPSHOT_COMPLETED, "file:/a/1"));
    put(w, checkpoint("a", 2, SNAPSHOT_COMPLETED, "")); /* not retained */
    put(w, checkpoint("a", 3, SNAPSHOT_FAILED, ""));
    put(w, savepoint("a", 'a', SNAPSHOT_PENDING, "", 5000));
    put(w, savepoint("a", 'b', SNAPSHOT_FAILED, "", 6000));
    assert_true(snapshot_latest(w->store, "counts", NULL, &v, &err));
    assert_string_equal(v.path, "file:/a/1");
    put(w, savepoint("a", 'a', SNAPSHOT_COMPLETED, "file:/s/1", 5000));
    assert_true(snapshot_latest(w->store, "counts", "a", &v, &err));
    assert_string_equal(v.path, "file:/s/1");
    assert_int_equal(v.kind, SNAPSHOT_SAVEPOINT);
    assert_false(snapshot_latest(w->store, "counts", "b", &v, &err));
}

/* Asked for at 1000, a checkpoint began at 1002, Flink began the savepoint at 1005: restoring from the checkpoint
 * would write twice what lies between them. */
static void a_savepoint_is_as_new_as_flink_began_it(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    struct snapshot v;
    put(w, savepoint("a", 'c', SNAPSHOT_PENDING, "", 1000));
    put(w, checkpoint("a", 2, SNAPSHOT_COMPLETED, "file:/a/2"));
    put(w, savepoint("a", 'c', SNAPSHOT_COMPLETED, "file:/a/s", 1005));
    assert_true(snapshot_latest(w->store, "counts", "a", &v, &err));
    assert_string_equal(v.path, "file:/a/s");
    assert_int_equal(v.at_ms, 1005);
    put(w, savepoint("a", 'c', SNAPSHOT_COMPLETED, "file:/a/s", 1000)); /* a look that knows less */
    assert_true(snapshot_latest(w->store, "counts", "a", &v, &err));
    assert_string_equal(v.path, "file:/a/s");
    put(w, checkpoint("a", 6, SNAPSHOT_COMPLETED, "file:/a/6"));
    assert_true(snapshot_latest(w->store, "counts", "a", &v, &err));
    assert_string_equal(v.path, "file:/a/6");
}

static void pending_savepoints_are_found_after_a_crash(void **state)
{
    struct world *w = *state;
    struct snapshot *v;
    size_t n;
    struct sl_err err = SL_ERR_INIT;
    put(w, checkpoint("a", 1, SNAPSHOT_PENDING, ""));
    put(w, savepoint("a", 'a', SNAPSHOT_PENDING, "", 1));
    put(w, savepoint("a", 'b', SNAPSHOT_PENDING, "", 2));
    put(w, savepoint("a", 'b', SNAPSHOT_FAILED, "", 2));
    store_close(w->store);
    world_open(w);
    assert_true(snapshot_pending(w->store, &w->arena, &v, &n, &err));
    assert_int_equal(n, 1);
    assert_int_equal(v[0].trigger_id[0], 'a');
}

static void flink_keeps_the_newest(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    struct snapshot many[300];
    struct snapshot_counts c;
    for (size_t i = 0; i < SL_ARRAY_LEN(many); i++) {
        many[i] = checkpoint("a", (int64_t)i + 1, i % 10 ? SNAPSHOT_COMPLETED : SNAPSHOT_FAILED, "file:/x");
    }
    assert_true(snapshot_put_all(w->store, many, SL_ARRAY_LEN(many), &err));
    put(w, savepoint("a", 'a', SNAPSHOT_COMPLETED, "file:/s", 1));
    assert_true(snapshot_keep_newest(w->store, "a", 2, "subsumed", &err));
    assert_true(snapshot_count(w->store, "a", &c, &err));
    assert_int_equal(c.checkpoints[SNAPSHOT_COMPLETED], 2);
    assert_int_equal(c.checkpoints[SNAPSHOT_FAILED], 30);
    assert_int_equal(c.checkpoints[SNAPSHOT_GONE], 268);
    assert_int_equal(c.savepoints[SNAPSHOT_COMPLETED], 1);
    assert_int_equal(c.highest, 300);
    assert_true(snapshot_keep_newest(w->store, "a", 0, "not retained", &err));
    assert_true(snapshot_count(w->store, "a", &c, &err));
    assert_int_equal(c.checkpoints[SNAPSHOT_COMPLETED], 0);
    assert_int_equal(c.savepoints[SNAPSHOT_COMPLETED], 1);
}

static void a_savepoint_has_a_trigger(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    struct snapshot v = savepoint("a", 'a', SNAPSHOT_PENDING, "", 1);
    v.trigger_id[5] = 0;
    assert_false(snapshot_put(w->store, &v, &err));
    assert_int_equal(err.code, SL_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(checkpoints_go_forward_only, setup, teardown),
        cmocka_unit_test_setup_teardown(one_number_in_two_runs_is_two, setup, teardown),
        cmocka_unit_test_setup_teardown(latest_is_the_newest_that_can_be_restored, setup, teardown),
        cmocka_unit_test_setup_teardown(a_savepoint_is_as_new_as_flink_began_it, setup, teardown),
        cmocka_unit_test_setup_teardown(pending_savepoints_are_found_after_a_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(flink_keeps_the_newest, setup, teardown),
        cmocka_unit_test_setup_teardown(a_savepoint_has_a_trigger, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
