/* SPDX-License-Identifier: Apache-2.0
 * Backups: one SQLite file, a copy of the store with the files that belong to it in a table of pieces. A
 * backup is opened as a single file, without a WAL beside it. */
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)4 << 20)

/* `write` false: nothing is changed, not even recovered. */
static struct store_tx *open_single(const char *path, bool write, struct sl_err *err)
{
    struct store_tx *c = calloc(1, sizeof(*c));
    SL_OOM_ON(!c);
    c->path = path;
    int flags = (write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
    bool ok = sqlite3_open_v2(path, &c->db, flags | SQLITE_OPEN_EXRESCODE, NULL) == SQLITE_OK ||
              store_fail(c, err, "open the backup");
    if (ok) {
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        ok = !write ||
             store_sql(c, "PRAGMA journal_mode=DELETE;PRAGMA synchronous=FULL;", "open the backup", err);
    }
    if (!ok) {
        store_conn_close(c);
        return NULL;
    }
    return c;
}

bool store_backup_file(const char *path, const char *to, struct sl_err *err)
{
    struct store_tx *c = store_conn_open(path, false, err);
    if (!c) {
        return false;
    }
    bool ok =
        store_sql(c, "PRAGMA query_only=OFF", "back up the store", err) && store_copy(c, to, false, err);
    store_conn_close(c);
    return ok;
}

bool store_check_file(const char *path, const struct store_migration *const *migrations, struct sl_err *err)
{
    struct store_tx *c = open_single(path, false, err);
    if (!c) {
        return false;
    }
    bool ok = store_inspect(c, migrations, err);
    store_conn_close(c);
    return ok;
}

static bool put_pieces(struct store_tx *c, const char *name, int fd, struct sl_err *err)
{
    char *piece = malloc(PIECE_BYTES);
    SL_OOM_ON(!piece);
    bool ok = true;
    for (int64_t number = 0; ok; number++) {
        size_t n = 0;
        ssize_t got = 1;
        while (n < PIECE_BYTES && (got = read(fd, piece + n, PIECE_BYTES - n)) > 0) {
            n += (size_t)got;
        }
        if (got < 0) {
            ok = sl_fail_errno(err, SL_IO, errno, "cannot read %s", name);
        } else if (n == 0 && number > 0) {
            break;
        } else {
            ok = store_exec(c, err, "INSERT INTO backup_piece(name, number, bytes) VALUES(?, ?, ?)", "zib",
                            name, number, (sl_str){piece, n});
        }
    }
    free(piece);
    return ok;
}

bool store_pack(const char *backup, const char *name, const char *file, struct sl_err *err)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return sl_fail_errno(err, SL_IO, errno, "cannot read %s", file);
    }
    struct store_tx *c = open_single(backup, true, err);
    bool ok =
        c != NULL &&
        store_sql(c,
                  "BEGIN; CREATE TABLE IF NOT EXISTS backup_piece(name TEXT NOT NULL, number INTEGER NOT "
                  "NULL, bytes BLOB NOT NULL, UNIQUE(name, number)) STRICT",
                  "write the backup", err) &&
        put_pieces(c, name, fd, err) && store_sql(c, "COMMIT", "write the backup", err);
    store_conn_close(c);
    close(fd);
    return ok;
}

struct unpack {
    struct store_tx *c;
    const char *dir;
    struct sl_arena arena;
    struct sl_err *err;
    int fd;
    size_t n;
    bool ok;
};

static bool write_piece(const struct store_row *row, void *ctx)
{
    struct unpack *u = ctx;
    sl_str bytes = store_col_borrow(row, 0);
    for (size_t at = 0; at < bytes.n && u->ok;) {
        ssize_t n = write(u->fd, bytes.p + at, bytes.n - at);
        if (n < 0 && errno != EINTR) {
            u->ok = sl_fail_errno(u->err, errno == ENOSPC ? SL_DISK_FULL : SL_IO, errno,
                                  "cannot write below %s", u->dir);
        }
        at += n > 0 ? (size_t)n : 0;
    }
    return u->ok;
}

static bool unpack_file(const struct store_row *row, void *ctx)
{
    struct unpack *u = ctx;
    char *name = store_col_strz(row, 0, &u->arena);
    if (!name || !*name || strchr(name, '/') || name[0] == '.') {
        u->ok = sl_fail(u->err, SL_STORE, "the backup holds a file with a name that is none");
        return false;
    }
    const char *to = sl_arena_printf(&u->arena, "%s/%s", u->dir, name).p;
    if (access(to, F_OK) == 0) {
        return true;
    }
    const char *part = sl_arena_printf(&u->arena, "%s.part", to).p;
    u->fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (u->fd < 0) {
        u->ok = sl_fail_errno(u->err, errno == ENOSPC ? SL_DISK_FULL : SL_IO, errno, "cannot write %s", part);
        return false;
    }
    bool read = store_query(u->c, u->err, "SELECT bytes FROM backup_piece WHERE name = ? ORDER BY number",
                            write_piece, u, NULL, "z", name);
    u->ok = u->ok && read;
    if (u->ok && (fsync(u->fd) != 0 || rename(part, to) != 0)) {
        u->ok = sl_fail_errno(u->err, errno == ENOSPC ? SL_DISK_FULL : SL_IO, errno, "cannot write %s", to);
    }
    close(u->fd);
    if (!u->ok) {
        unlink(part);
    }
    u->n += u->ok;
    return u->ok;
}

static bool sync_dir(const char *dir, struct sl_err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    ok = ok || sl_fail_errno(err, SL_IO, errno, "cannot write %s", dir);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

bool store_unpack(const char *backup, const char *dir, size_t *ret_n, struct sl_err *err)
{
    struct unpack u = {.dir = dir, .err = err, .ok = true};
    int64_t packed = 0;
    *ret_n = 0;
    u.c = open_single(backup, true, err);
    if (!u.c) {
        return false;
    }
    sl_arena_init(&u.arena, 0);
    bool ok = store_query_i64(u.c, err, "SELECT count(*) FROM sqlite_schema WHERE name = 'backup_piece'",
                              &packed, "");
    if (ok && packed) {
        ok = store_query(u.c, err, "SELECT DISTINCT name FROM backup_piece", unpack_file, &u, NULL, "") &&
             u.ok && sync_dir(dir, err) &&
             store_sql(u.c, "DROP TABLE backup_piece; VACUUM", "restore the backup", err);
    }
    *ret_n = u.n;
    store_conn_close(u.c);
    sl_arena_release(&u.arena);
    return ok;
}
