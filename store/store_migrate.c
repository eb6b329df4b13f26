/* SPDX-License-Identifier: Apache-2.0
 * What a store is and how it gets newer: application_id says it is ours, the table `migration` holds which
 * step of which noun was done, user_version counts the steps. All steps of one opening are one transaction,
 * made after a copy. */
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define APPLICATION_ID 0x534c5549 /* "SLUI" */

static const struct store_migration *const *list_of(const struct store_migration *const *all, sl_str noun)
{
    while (*all && !sl_str_eqz(noun, (*all)->noun)) {
        all++;
    }
    return *all ? all : NULL;
}

static int newest(const struct store_migration *list)
{
    int version = 0;
    for (; list->noun; list++) {
        SL_BUG_ON(list->version != version + 1);
        version = list->version;
    }
    return version;
}

struct newer {
    const struct store_migration *const *all;
    bool found;
    char noun[64];
    int64_t version;
};

static bool look_for_newer(const struct store_row *row, void *ctx)
{
    struct newer *x = ctx;
    sl_str noun = store_col_borrow(row, 0);
    int64_t version = store_col_i64(row, 1);
    const struct store_migration *const *list = list_of(x->all, noun);
    if (list && version <= newest(*list)) {
        return true;
    }
    x->found = true;
    x->version = version;
    snprintf(x->noun, sizeof(x->noun), "%.*s", SL_S(noun));
    return false;
}

/* Ours, whole, and not of a newer Sluice? *ret_new: an empty file. */
static bool check_kind(struct store_tx *c, const struct store_migration *const *all, bool *ret_new,
                       struct sl_err *err)
{
    int64_t id = 0, tables = 0;
    if (!store_query_i64(c, err, "PRAGMA application_id", &id, "") ||
        !store_query_i64(c, err, "SELECT count(*) FROM sqlite_schema", &tables, "")) {
        return false;
    }
    *ret_new = id == 0 && tables == 0;
    if (*ret_new) {
        return true;
    }
    if (id != APPLICATION_ID) {
        return sl_fail(err, SL_STORE, "%s is not a store of Sluice", c->path);
    }
    struct newer x = {.all = all};
    if (!store_query(c, err, "SELECT noun, max(version) FROM migration GROUP BY noun", look_for_newer, &x,
                     NULL, "")) {
        return false;
    }
    if (x.found) {
        sl_fail(err, SL_STORE_NEWER, "the store %s was written by a newer Sluice (%s is of version %lld)",
                c->path, x.noun, (long long)x.version);
        return sl_hint(err, "use that Sluice, or put the backup made before its migration in place");
    }
    return true;
}

static bool first_text(const struct store_row *row, void *ctx)
{
    snprintf(ctx, 256, "%.*s", SL_S(store_col_borrow(row, 0)));
    return false;
}

static bool check_whole(struct store_tx *c, struct sl_err *err)
{
    char text[256] = "";
    if (!store_query(c, err, "PRAGMA quick_check(1)", first_text, text, NULL, "")) {
        return false;
    }
    if (strcmp(text, "ok") != 0) {
        sl_fail(err, SL_STORE, "the store %s is damaged (%s)", c->path, text);
        return sl_hint(err, "put a backup in its place, or move it away to begin with an empty store");
    }
    return true;
}

bool store_inspect(struct store_tx *c, const struct store_migration *const *migrations, struct sl_err *err)
{
    bool is_new = false;
    char text[256] = "";
    if (!check_kind(c, migrations, &is_new, err)) {
        return false;
    }
    if (is_new) {
        return sl_fail(err, SL_STORE, "%s is not a store of Sluice", c->path);
    }
    if (!store_query(c, err, "PRAGMA integrity_check(1)", first_text, text, NULL, "")) {
        return false;
    }
    return strcmp(text, "ok") == 0 || sl_fail(err, SL_STORE, "%s is damaged (%s)", c->path, text);
}

static bool done_version(struct store_tx *c, const char *noun, int64_t *ret, struct sl_err *err)
{
    *ret = 0;
    return store_query_i64(c, err, "SELECT coalesce(max(version), 0) FROM migration WHERE noun = ?", ret, "z",
                           noun);
}

static bool count_missing(struct store_tx *c, const struct store_migration *const *all, int64_t *ret,
                          struct sl_err *err)
{
    for (*ret = 0; *all; all++) {
        int64_t done;
        if (!done_version(c, (*all)->noun, &done, err)) {
            return false;
        }
        *ret += newest(*all) - done;
    }
    return true;
}

static bool apply(struct store_tx *c, const struct store_migration *const *all, struct sl_err *err)
{
    int64_t steps = 0;
    for (; *all; all++) {
        int64_t done;
        if (!done_version(c, (*all)->noun, &done, err)) {
            return false;
        }
        for (const struct store_migration *m = *all; m->noun; m++) {
            if (m->version <= done) {
                continue;
            }
            if (!store_sql(c, m->sql, "migrate the store", err)) {
                return sl_wrap(err, "%s version %d", m->noun, m->version);
            }
            if (!store_exec(c, err,
                            "INSERT INTO migration(noun, version, at_ms) VALUES(?, ?, unixepoch() * 1000)",
                            "zi", m->noun, (int64_t)m->version)) {
                return false;
            }
        }
    }
    char loose[256] = "", pragma[64];
    if (!store_query_i64(c, err, "SELECT count(*) FROM migration", &steps, "") ||
        !store_query(
            c, err,
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
            first_text, loose, NULL, "")) {
        return false;
    }
    if (loose[0]) {
        return sl_fail(err, SL_INTERNAL, "the table %s is not STRICT", loose);
    }
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%lld", (long long)steps);
    return store_sql(c, pragma, "migrate the store", err);
}

static bool sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    int saved = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = saved;
    return ok;
}

bool store_copy(struct store_tx *c, const char *path, bool replace, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    if (replace && unlink(path) != 0 && errno != ENOENT) {
        return sl_fail_errno(err, SL_IO, errno, "cannot replace %s", path);
    }
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return sl_fail_errno(err, errno == ENOSPC ? SL_DISK_FULL : SL_IO, errno, "cannot write %s", path);
    }
    close(fd); /* VACUUM INTO takes an empty file; so it has our mode */
    const char *slash = strrchr(path, '/');
    const char *dir = slash ? sl_arena_strdupz(&a, (sl_str){path, (size_t)(slash - path) + 1}) : ".";
    if (!store_exec(c, err, "VACUUM INTO ?", "z", path)) {
        unlink(path);
        return false;
    }
    if (!sync_path(path) || !sync_path(dir)) {
        int saved = errno;
        unlink(path);
        return sl_fail_errno(err, SL_IO, saved, "cannot write %s", path);
    }
    return true;
}

static bool back_up(struct store_tx *c, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    int64_t version = 0;
    if (!store_query_i64(c, err, "PRAGMA user_version", &version, "")) {
        return false;
    }
    sl_str path = sl_arena_printf(&a, "%s.v%lld.backup", c->path, (long long)version);
    return store_copy(c, path.p, true, err) || sl_wrap(err, "backup before the migration");
}

static bool create(struct store_tx *c, struct sl_err *err)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
             "PRAGMA application_id=%d;CREATE TABLE migration(noun TEXT NOT NULL, version INTEGER NOT NULL, "
             "at_ms INTEGER NOT NULL, PRIMARY KEY(noun, version)) STRICT, WITHOUT ROWID;",
             APPLICATION_ID);
    return store_sql(c, sql, "create the store", err);
}

bool store_migrate(struct store_tx *c, const struct store_migration *const *migrations, struct sl_err *err)
{
    bool is_new = false;
    int64_t missing = 0;
    if (!check_kind(c, migrations, &is_new, err)) {
        return false;
    }
    if (!is_new) {
        if (!check_whole(c, err) || !count_missing(c, migrations, &missing, err)) {
            return false;
        }
        if (missing == 0) {
            return true;
        }
        if (!back_up(c, err)) {
            return false;
        }
    }
    if (!store_sql(c, "BEGIN IMMEDIATE", "migrate the store", err)) {
        return false;
    }
    if ((!is_new || create(c, err)) && apply(c, migrations, err) &&
        store_sql(c, "COMMIT", "migrate the store", err)) {
        return true;
    }
    sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL); /* it may have been rolled back already */
    return false;
}
