/* SPDX-License-Identifier: Apache-2.0
 * Statements find their own snapshots: by their text, then by the tables they write, never by their place; the
 * newest submission that has a snapshot which is still there is the one that is restored. */
#include "gateway/jobs/artifact.h"
#include "gateway/jobs/restore.h"

#include "gateway/jobs/history.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

static struct restore_identity what(const char *digest, const char *sinks)
{
    struct restore_identity v = {0};
    snprintf(v.digest, sizeof(v.digest), "%s", digest);
    snprintf(v.sinks, sizeof(v.sinks), "%s", sinks);
    return v;
}

static void statements_are_known_by_what_they_are(void **state)
{
    (void)state;
    struct restore_source from[] = {
        {.what = what("d1", "a")}, {.what = what("d2", "b")}, {.what = what("d3", "c")}};
    struct restore_identity units[] = {what("x", "new"), what("changed", "c"), what("d1", "a"),
                                       what("d2", "b")};
    int got[4];
    restore_match(units, 4, from, 3, got);
    assert_int_equal(got[0], -1);
    assert_int_equal(got[1], 2);
    assert_int_equal(got[2], 0);
    assert_int_equal(got[3], 1);
}

static void equal_text_comes_before_equal_tables(void **state)
{
    (void)state;
    struct restore_source from[] = {{.what = what("d1", "a")}, {.what = what("d2", "a")}};
    struct restore_identity units[] = {what("new", "a"), what("d1", "a")};
    int got[2];
    restore_match(units, 2, from, 2, got);
    assert_int_equal(got[1], 0);
    assert_int_equal(got[0], 1);
}

static void no_snapshot_is_given_twice(void **state)
{
    (void)state;
    struct restore_source from[] = {{.what = what("d", "a")}};
    struct restore_identity units[] = {what("d", "a"), what("d", "a")};
    int got[2];
    restore_match(units, 2, from, 1, got);
    assert_int_equal(got[0], 0);
    assert_int_equal(got[1], -1);
}

static void one_and_one_belong_together(void **state)
{
    (void)state;
    struct restore_source from[] = {{.what = what("d", "a")}};
    struct restore_identity unit = what("other", "b");
    int got;
    restore_match(&unit, 1, from, 1, &got);
    assert_int_equal(got, 0);
}

/* --- on a store ---------------------------------------------------------------------------------------------
 */

struct world {
    char dir[64];
    struct store *store;
    struct ledger *ledger;
    struct sl_arena arena;
};

static int setup(void **state)
{
    static const struct store_migration *const migrations[] = {ledger_migrations,   submission_migrations,
                                                               snapshot_migrations, artifact_migrations,
                                                               restore_migrations,  NULL};
    struct world *w = calloc(1, sizeof(*w));
    char path[96];
    struct sl_err err = SL_ERR_INIT;
    snprintf(w->dir, sizeof(w->dir), "/tmp/sluice-restore-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(path, sizeof(path), "%s/sluice.db", w->dir);
    w->store = store_open(path, migrations, &err);
    assert_non_null(w->store);
    w->ledger = ledger_new(w->store);
    sl_arena_init(&w->arena, 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    ledger_free(w->ledger);
    store_close(w->store);
    assert_true(sys_rmtree(w->dir, &err));
    sl_arena_release(&w->arena);
    free(w);
    return 0;
}

static int64_t submit(struct world *w, const char *key)
{
    struct ledger_submission s = {.key = key,
                                  .job = "counts",
                                  .owner = "mara",
                                  .digest = "d",
                                  .bundle = SL_STR("{}"),
                                  .source = SL_STR("[]"),
                                  .target = "local",
                                  .beside = true};
    struct ledger_opened o;
    struct sl_err err = SL_ERR_INIT;
    assert_true(ledger_open(w->ledger, &s, &o, &err));
    return o.submission;
}

/* A run with a savepoint whose files are there, or are not. */
static void run(struct world *w, int64_t submission, const char *id, const char *sink, bool there)
{
    struct run r = {.version = 1, .statement = 1, .ended = true, .created_ms = sys_wall_ms()};
    struct restore_start start = {.what = what(sink, sink)};
    struct snapshot s = {.kind = SNAPSHOT_SAVEPOINT, .state = SNAPSHOT_COMPLETED, .at_ms = r.created_ms};
    struct sl_err err = SL_ERR_INIT;
    snprintf(r.id, sizeof(r.id), "%s", id);
    snprintf(r.job, sizeof(r.job), "counts");
    snprintf(r.kind, sizeof(r.kind), "INSERT");
    snprintf(s.run, sizeof(s.run), "%s", id);
    snprintf(s.job, sizeof(s.job), "counts");
    snprintf(s.path, sizeof(s.path), "file:%s/%s", w->dir, id);
    memset(s.trigger_id, id[0], 32);
    assert_true(ledger_run_put(w->ledger, submission, &r, &err));
    assert_true(restore_note(w->store, &r, &start, &err));
    assert_true(snapshot_put(w->store, &s, &err));
    if (there) {
        const char *dir = sys_path_join(&w->arena, w->dir, id);
        assert_true(sys_mkdirs(dir, 0700, &err));
        assert_true(sys_file_write(sys_path_join(&w->arena, dir, "_metadata"), SL_STR("m"), 0600, &err));
    }
}

static void the_newest_that_is_there_is_found(void **state)
{
    struct world *w = *state;
    struct restore_source *v;
    struct snapshot *all;
    size_t n;
    struct sl_err err = SL_ERR_INIT;
    int64_t first = submit(w, "1"), second = submit(w, "2"), third = submit(w, "3");
    run(w, first, "a", "x", true);
    run(w, second, "b", "x", true);
    run(w, second, "c", "y", true);
    run(w, third, "d", "x", false);
    assert_true(restore_sources(w->store, w->ledger, "counts", 0, &w->arena, &v, &n, &err));
    assert_int_equal(n, 2);
    assert_true((strcmp(v[0].run.id, "b") == 0) != (strcmp(v[1].run.id, "b") == 0));
    assert_string_not_equal(v[0].what.sinks, v[1].what.sinks);
    assert_true(restore_sources(w->store, w->ledger, "counts", second, &w->arena, &v, &n, &err));
    assert_int_equal(n, 1);
    assert_string_equal(v[0].run.id, "a");
    assert_true(snapshot_list(w->store, NULL, "d", 10, &w->arena, &all, &n, &err));
    assert_int_equal(all[0].state, SNAPSHOT_GONE);
    assert_true(restore_sources(w->store, w->ledger, "other", 0, &w->arena, &v, &n, &err));
    assert_int_equal(n, 0);
}

static void secrets_are_not_kept(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    sl_str kept;
    const struct sl_json *p = sl_json_parse(
        &w->arena,
        SL_STR("{\"files\":[],\"name\":\"counts\",\"key\":\"k\",\"vars\":[{\"name\":\"pw\",\"value\":"
               "\"hunter2\",\"secret\":true},{\"name\":\"host\",\"value\":\"h:1\",\"secret\":false}]}"),
        &err);
    assert_true(
        restore_request_put(w->store, "counts", 1, p, (const char *const[]){"/kept/a.jar", NULL}, &err));
    assert_true(restore_request_of(w->store, "counts", 1, &w->arena, &kept, &err));
    assert_int_equal(sl_str_find(kept, SL_STR("hunter2")), -1);
    assert_true(sl_str_find(kept, SL_STR("\"keptJars\":[\"/kept/a.jar\"]")) > 0);
    assert_true(sl_str_find(kept, SL_STR("h:1")) > 0);
    assert_int_equal(sl_str_find(kept, SL_STR("\"key\"")), -1);
    assert_true(restore_request_of(w->store, "counts", 2, &w->arena, &kept, &err));
    assert_int_equal(kept.n, 0);
}

static void a_job_that_is_removed_leaves_nothing(void **state)
{
    struct world *w = *state;
    struct history_gone gone;
    struct restore_source *v;
    size_t n;
    struct restore_start start;
    struct sl_err err = SL_ERR_INIT;
    run(w, submit(w, "1"), "a", "x", true);
    assert_true(history_forget(w->store, "counts", &gone, &err));
    assert_int_equal(gone.runs, 1);
    assert_int_equal(gone.snapshots, 1);
    assert_int_equal(gone.versions, 1);
    assert_false(restore_start_of(w->store, "a", &start, &err));
    assert_int_equal(err.code, SL_OK);
    assert_true(restore_sources(w->store, w->ledger, "counts", 0, &w->arena, &v, &n, &err));
    assert_int_equal(n, 0);
    assert_false(history_forget(w->store, "counts", &gone, &err));
    assert_int_equal(err.code, SL_JOB_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_known_by_what_they_are),
        cmocka_unit_test(equal_text_comes_before_equal_tables),
        cmocka_unit_test(no_snapshot_is_given_twice),
        cmocka_unit_test(one_and_one_belong_together),
        cmocka_unit_test_setup_teardown(the_newest_that_is_there_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(secrets_are_not_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_job_that_is_removed_leaves_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
