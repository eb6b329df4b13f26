/* SPDX-License-Identifier: Apache-2.0
 * Small programs over the parts that write to disk, for tests/fault to run with calls that fail:
 *   store FILE N [wide]   opens the store (with its second migration: wide) and makes N transactions of two
 *                         rows each; prints the number of every one that is acknowledged
 *   store-check FILE      opens it again: every transaction is there with both rows or not at all; prints
 *                         those that are there, and "wide" when the second migration is
 *   file FILE TEXT        replaces a file
 *   bundle SCRIPT FILE    writes the bundle of a script
 * An error is its slug on stderr and its exit code. */
#include "base/buf.h"
#include "runtime-image/bundle.h"
#include "store/store.h"
#include "sys/file.h"

#include <stdio.h>
#include <stdlib.h>

#define LEFT  "CREATE TABLE left_row(id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"
#define RIGHT "CREATE TABLE right_row(id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"
static const struct store_migration narrow[] = {{"pair", 1, LEFT RIGHT}, {0}};
static const struct store_migration wide[] = {
    {"pair", 1, LEFT RIGHT}, {"pair", 2, "ALTER TABLE left_row ADD COLUMN more TEXT;"}, {0}};
static const struct store_migration *const narrow_list[] = {narrow, NULL};
static const struct store_migration *const wide_list[] = {wide, NULL};

static int say(const struct sl_err *err)
{
    fprintf(stderr, "%s: %s\n", sl_code_slug(err->code), err->msg);
    return sl_code_exit(err->code);
}

static bool add_pair(struct store_tx *tx, void *arg, struct sl_err *err)
{
    int64_t id = *(const int64_t *)arg;
    char text[2000]; /* so that a transaction takes several pages */
    memset(text, 'a' + (int)(id % 26), sizeof(text));
    sl_str s = {text, sizeof(text)};
    return store_exec(tx, err, "INSERT INTO left_row(id, text) VALUES(?, ?)", "is", id, s) &&
           store_exec(tx, err, "INSERT INTO right_row(id, text) VALUES(?, ?)", "is", id, s);
}

static bool last_id(struct store_tx *tx, void *arg, struct sl_err *err)
{
    return store_query_i64(tx, err, "SELECT coalesce(max(id), 0) FROM left_row", arg, "");
}

static int fill(const char *path, long n, bool is_wide)
{
    struct sl_err err = SL_ERR_INIT, first = SL_ERR_INIT;
    struct store *s = store_open(path, is_wide ? wide_list : narrow_list, &err);
    if (!s) {
        return say(&err);
    }
    int64_t id = 0;
    if (!store_read(s, last_id, &id, &err)) {
        store_close(s);
        return say(&err);
    }
    for (long i = 0; i < n; i++) {
        id++;
        struct sl_err one = SL_ERR_INIT;
        if (store_write(s, add_pair, &id, &one)) {
            printf("%lld\n", (long long)id);
            (void)fflush(stdout);
        } else if (first.code == SL_OK) {
            first = one;
        }
    }
    store_close(s);
    return first.code == SL_OK ? 0 : say(&first);
}

static bool print_id(const struct store_row *row, void *ctx)
{
    (void)ctx;
    printf("%lld\n", (long long)store_col_i64(row, 0));
    return true;
}

static bool look(struct store_tx *tx, void *arg, struct sl_err *err)
{
    int64_t odd = -1;
    (void)arg;
    if (!store_query_i64(
            tx, err,
            "SELECT (SELECT count(*) FROM left_row WHERE id NOT IN (SELECT id FROM right_row)) + "
            "(SELECT count(*) FROM right_row WHERE id NOT IN (SELECT id FROM left_row)) + "
            "(SELECT count(*) FROM left_row WHERE length(text) <> 2000)",
            &odd, "")) {
        return false;
    }
    if (odd != 0) {
        return sl_fail(err, SL_STORE, "%lld rows are half there", (long long)odd);
    }
    int64_t is_wide = 0;
    if (!store_query_i64(tx, err, "SELECT count(*) FROM pragma_table_info('left_row') WHERE name = 'more'",
                         &is_wide, "")) {
        return false;
    }
    if (is_wide) {
        printf("wide\n");
    }
    return store_query(tx, err, "SELECT id FROM left_row ORDER BY id", print_id, NULL, NULL, "");
}

static int check(const char *path)
{
    struct sl_err err = SL_ERR_INIT;
    struct store *s = store_open(path, narrow_list, &err);
    if (!s && err.code == SL_STORE_NEWER) {
        err = SL_ERR_INIT;
        s = store_open(path, wide_list, &err);
    }
    if (!s) {
        return say(&err);
    }
    bool ok = store_read(s, look, NULL, &err);
    store_close(s);
    return ok ? 0 : say(&err);
}

static int replace(const char *path, const char *text)
{
    struct sl_err err = SL_ERR_INIT;
    return sys_file_write(path, sl_str_of(text), 0600, &err) ? 0 : say(&err);
}

static int bundle(const char *script, const char *path)
{
    SL_ARENA_AUTO a = {0};
    SL_BUF_AUTO b = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sql_script s;
    sl_str text;
    char digest[72];
    sql_script_init(&s, &a, 0);
    if (!sys_file_read(&a, script, (size_t)1 << 20, &text, &err) ||
        !sql_script_add(&s, sl_str_of(script), text, &(struct sql_options){.level = SQL_LEVEL_SPLIT}, &err)) {
        return say(&err);
    }
    img_bundle_write(
        &(struct img_bundle_input){.script = &s, .job = SL_STR("job"), .mode = SL_STR("session")}, &b,
        digest);
    if (!sys_file_write(path, sl_buf_str(&b), 0600, &err)) {
        return say(&err);
    }
    printf("%s\n", digest);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "store") == 0) {
        return fill(argv[2], strtol(argv[3], NULL, 10), argc > 4);
    }
    if (argc == 3 && strcmp(argv[1], "store-check") == 0) {
        return check(argv[2]);
    }
    if (argc == 4 && strcmp(argv[1], "file") == 0) {
        return replace(argv[2], argv[3]);
    }
    if (argc == 4 && strcmp(argv[1], "bundle") == 0) {
        return bundle(argv[2], argv[3]);
    }
    return 2;
}
