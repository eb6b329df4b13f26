/* SPDX-License-Identifier: Apache-2.0
 * Makes and restores backups. What is there stays in force until the new file is whole and durable under
 * another name; one rename is the moment it counts. */
#include "gateway/api/backup.h"

#include "gateway/api/owner.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DB        "sluice.db"
#define ARTIFACTS "artifacts"

static bool sync_folder_of(const char *path, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    const char *slash = strrchr(path, '/');
    const char *dir = slash ? sl_arena_strdupz(&a, (sl_str){path, (size_t)(slash - path) + 1}) : ".";
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    ok = ok || sl_fail_errno(err, SL_IO, errno, "cannot write %s", dir);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static bool pack_artifacts(const char *data_dir, const char *backup, size_t *ret_n, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    sl_str *names;
    size_t n;
    char *dir = sys_path_join(&a, data_dir, ARTIFACTS);
    *ret_n = 0;
    if (!sys_is_dir(dir)) {
        return true;
    }
    if (!sys_dir_list(&a, dir, &names, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        char *name = sl_arena_strdupz(&a, names[i]);
        if (sl_str_ends(names[i], SL_STR(".jar"))) {
            if (!store_pack(backup, name, sys_path_join(&a, dir, name), err)) {
                return false;
            }
            ++*ret_n;
        }
    }
    return true;
}

bool backup_make(struct store *open, const char *data_dir, const char *file, struct backup_info *ret,
                 struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    *ret = (struct backup_info){0};
    char *db = sys_path_join(&a, data_dir, DB);
    const char *part = sl_arena_printf(&a, "%s.part", file).p;
    if (sys_exists(file)) {
        return sl_fail(err, SL_FILE_EXISTS, "%s is there already", file);
    }
    if (!open && !sys_exists(db)) {
        return sl_fail(err, SL_NOT_FOUND, "%s holds no store", data_dir);
    }
    unlink(part); /* of one that was interrupted */
    bool ok = (open ? store_backup(open, part, err) : store_backup_file(db, part, err)) &&
              pack_artifacts(data_dir, part, &ret->artifacts, err) &&
              store_check_file(part, owner_migrations, err); /* a copy of a damaged store is no backup */
    if (ok && renameat2(AT_FDCWD, part, AT_FDCWD, file, RENAME_NOREPLACE) != 0) {
        ok = errno == EEXIST ? sl_fail(err, SL_FILE_EXISTS, "%s is there already", file)
                             : sl_fail_errno(err, SL_IO, errno, "cannot write %s", file);
    }
    if (!ok) {
        unlink(part);
        return false;
    }
    ret->bytes = sys_file_size(file);
    return sync_folder_of(file, err);
}

/* A whole copy of the backup beside the store, without what travelled in it. */
static bool stage(const char *data_dir, const char *file, const char *staged, struct backup_info *ret,
                  struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char *dir = sys_path_join(&a, data_dir, ARTIFACTS);
    unlink(staged);
    return store_backup_file(file, staged, err) && sys_mkdirs(dir, 0700, err) &&
           store_unpack(staged, dir, &ret->artifacts, err);
}

static bool put_aside(struct sl_arena *a, const char *db, struct backup_info *ret, struct sl_err *err)
{
    static const char *const beside[] = {"-wal", "-shm"};
    char at[32];
    sys_time_rfc3339(sys_wall_ms(), at);
    for (char *p = at; *p; p++) {
        *p = *p == ':' ? '-' : *p;
    }
    snprintf(ret->aside, sizeof(ret->aside), "%s.before-restore-%s", db, at);
    struct sl_err folded = SL_ERR_INIT;
    if (store_backup_file(db, ret->aside, &folded)) { /* with all that its WAL holds, as one file */
        for (size_t i = 0; i < SL_ARRAY_LEN(beside); i++) {
            unlink(sl_arena_printf(a, "%s%s", db, beside[i])
                       .p); /* the WAL is in the copy, and of the old file only */
        }
        return true;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(beside); i++) { /* damaged: it is kept as it is */
        const char *from = sl_arena_printf(a, "%s%s", db, beside[i]).p;
        const char *to = sl_arena_printf(a, "%s%s", ret->aside, beside[i]).p;
        if (rename(from, to) != 0 && errno != ENOENT) {
            return sl_fail_errno(err, SL_IO, errno, "cannot move %s", from);
        }
    }
    return link(db, ret->aside) == 0 || sl_fail_errno(err, SL_IO, errno, "cannot keep %s", db);
}

bool backup_restore(const char *data_dir, const char *file, bool replace, struct backup_info *ret,
                    struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    *ret = (struct backup_info){0};
    char *db = sys_path_join(&a, data_dir, DB);
    const char *staged = sl_arena_printf(&a, "%s.restoring", db).p;
    bool there = sys_exists(db);
    if (!sys_exists(file)) {
        return sl_fail(err, SL_FILE_NOT_FOUND, "there is no file %s", file);
    }
    if (there && !replace) {
        sl_fail(err, SL_FILE_EXISTS, "%s holds a store already", data_dir);
        return sl_hint(err, "sluice restore --replace FILE      keeps it under another name\nsluice restore "
                            "--data FOLDER FILE   restores beside it");
    }
    if (!store_check_file(file, owner_migrations, err)) {
        return false;
    }
    if (!stage(data_dir, file, staged, ret, err) || (there && !put_aside(&a, db, ret, err))) {
        unlink(staged);
        return false;
    }
    ret->bytes = sys_file_size(staged);
    if (rename(staged, db) != 0) {
        sl_fail_errno(err, SL_IO, errno, "cannot write %s", db);
        unlink(staged);
        return false;
    }
    return sync_folder_of(db, err);
}
