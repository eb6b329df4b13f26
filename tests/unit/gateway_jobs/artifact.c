/* SPDX-License-Identifier: Apache-2.0
 * Jars of versions: the same bytes whatever becomes of the file, kept once, gone when no version names them. */
#include "gateway/jobs/artifact.h"

#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct world {
    char dir[64], kept[96], jar[96];
    struct store *store;
    struct ledger *ledger;
    struct sl_arena arena;
};

static int setup(void **state)
{
    static const struct store_migration *const migrations[] = {ledger_migrations, submission_migrations,
                                                               artifact_migrations, NULL};
    struct world *w = calloc(1, sizeof(*w));
    struct sl_err err = SL_ERR_INIT;
    char path[96];
    snprintf(w->dir, sizeof(w->dir), "/tmp/sluice-artifact-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->kept, sizeof(w->kept), "%s/artifacts", w->dir);
    snprintf(w->jar, sizeof(w->jar), "%s/udfs.jar", w->dir);
    snprintf(path, sizeof(path), "%s/sluice.db", w->dir);
    sl_arena_init(&w->arena, 0);
    w->store = store_open(path, migrations, &err);
    assert_non_null(w->store);
    w->ledger = ledger_new(w->store);
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

static const char *keep(struct world *w, const char *content, char digest[65])
{
    struct sl_err err = SL_ERR_INIT;
    const char *path;
    assert_true(sys_file_write(w->jar, sl_str_of(content), 0644, &err));
    assert_true(artifact_digest(w->jar, digest, &err));
    assert_true(artifact_keep(w->kept, w->jar, digest, &w->arena, &path, &err));
    return path;
}

static void what_is_kept_does_not_change_with_the_file(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    char one[65], two[65], again[65];
    sl_str text;
    struct stat st;
    const char *first = keep(w, "version one", one), *second = keep(w, "version two", two);
    assert_string_not_equal(one, two);
    assert_true(sys_file_read(&w->arena, first, 100, &text, &err));
    assert_true(sl_str_eqz(text, "version one"));
    assert_true(sys_file_read(&w->arena, second, 100, &text, &err));
    assert_true(sl_str_eqz(text, "version two"));
    assert_int_equal(stat(first, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_nlink, 1);
    assert_string_equal(keep(w, "version one", again), first);
    assert_string_equal(again, one);
}

static void a_file_that_changed_in_between_is_not_kept(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    char digest[65];
    const char *path;
    sl_str *names;
    size_t n;
    keep(w, "before", digest);
    digest[0] = digest[0] == '0' ? '1' : '0';
    assert_false(artifact_keep(w->kept, w->jar, digest, &w->arena, &path, &err));
    assert_int_equal(err.code, SL_IO);
    assert_true(sys_dir_list(&w->arena, w->kept, &names, &n, &err));
    assert_int_equal(n, 1); /* the one of before, and nothing half */
    err = SL_ERR_INIT;
    assert_false(artifact_digest("/nowhere/at/all.jar", digest, &err));
    assert_int_equal(err.code, SL_IO);
}

static bool forget(struct store_tx *tx, void *arg, struct sl_err *err)
{
    return artifact_forget(tx, arg, err);
}

static void what_no_version_names_is_swept(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    char one[65], two[65], loose[65], part[128];
    const char *a = keep(w, "one", one), *b = keep(w, "two", two), *c = keep(w, "three", loose);
    struct artifact both[] = {{one, "a.jar", 3}, {two, "b.jar", 3}};
    snprintf(part, sizeof(part), "%s/x.part", w->kept);
    assert_true(sys_file_write(part, SL_STR("half"), 0600, &err));
    assert_true(artifact_note(w->ledger, "orders", 1, "mara", both, 2, &err));
    assert_true(artifact_note(w->ledger, "orders", 1, "mara", both, 2, &err)); /* again: the same */
    assert_true(artifact_note(w->ledger, "clicks", 4, "mara", both + 1, 1, &err));
    assert_true(artifact_sweep(w->ledger, w->kept, &err));
    assert_true(sys_exists(a) && sys_exists(b));
    assert_false(sys_exists(c) || sys_exists(part));
    assert_true(store_write(w->store, forget, (char[]){"orders"}, &err));
    assert_true(artifact_sweep(w->ledger, w->kept, &err));
    assert_false(sys_exists(a));
    assert_true(sys_exists(b)); /* the other job has it */
    assert_true(artifact_sweep(w->ledger, "/nowhere/at/all", &err));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_kept_does_not_change_with_the_file),
        T(a_file_that_changed_in_between_is_not_kept),
        T(what_no_version_names_is_swept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
