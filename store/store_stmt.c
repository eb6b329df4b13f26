/* SPDX-License-Identifier: Apache-2.0
 * Connections and statements: settings, the cache of prepared statements, binding by a format, columns, and
 * SQLite's codes as our errors. */
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define BUSY_MS 5000 /* another process (a backup tool, the sqlite3 shell) may hold the file for so long */

struct store_row {
    sqlite3_stmt *stmt;
};

bool store_fail(const struct store_tx *c, struct sl_err *err, const char *doing)
{
    int code = sqlite3_extended_errcode(c->db), os_errno = sqlite3_system_errno(c->db);
    bool io = (code & 0xff) == SQLITE_IOERR;
    if ((code & 0xff) == SQLITE_FULL ||
        (io && (os_errno == ENOSPC || os_errno == EDQUOT || os_errno == EFBIG))) {
        sl_fail(err, SL_DISK_FULL, "cannot %s: the disk of %s is full", doing, c->path);
        return sl_hint(err, "free some space there and try again");
    }
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return sl_fail(err, SL_BUSY, "cannot %s: another process is using %s", doing, c->path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        sl_fail(err, SL_STORE, "the store %s is damaged (%s)", c->path, sqlite3_errmsg(c->db));
        return sl_hint(err, "put a backup in its place, or move it away to begin with an empty store");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        return sl_fail(err, SL_STORE, "cannot %s: no permission to use %s", doing, c->path);
    case SQLITE_NOMEM:
        return sl_fail(err, SL_NO_MEMORY, "cannot %s: out of memory", doing);
    default:
        return sl_fail(err, SL_STORE, "cannot %s: %s", doing, sqlite3_errmsg(c->db));
    }
}

bool store_sql(struct store_tx *c, const char *sql, const char *doing, struct sl_err *err)
{
    return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK || store_fail(c, err, doing);
}

struct store_tx *store_conn_open(const char *path, bool writer, struct sl_err *err)
{
    if (writer) { /* SQLite would make it readable for others; its -wal and -shm take the mode from it */
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) {
            sl_fail_errno(err, errno == ENOSPC ? SL_DISK_FULL : SL_STORE, errno, "cannot open the store %s",
                          path);
            return NULL;
        }
        close(fd);
    }
    struct store_tx *c = calloc(1, sizeof(*c));
    SL_OOM_ON(!c);
    c->path = path;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    bool ok = sqlite3_open_v2(path, &c->db, flags, NULL) == SQLITE_OK || store_fail(c, err, "open the store");
    if (ok) {
        sqlite3_busy_timeout(c->db, BUSY_MS);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
        ok = store_sql(c,
                       "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;"
                       "PRAGMA journal_size_limit=67108864;",
                       "open the store", err) &&
             (writer || store_sql(c, "PRAGMA query_only=ON", "open the store", err));
    }
    if (!ok) {
        store_conn_close(c);
        return NULL;
    }
    return c;
}

void store_conn_close(struct store_tx *c)
{
    if (!c) {
        return;
    }
    for (size_t i = 0; i < STORE_STMT_CACHE; i++) {
        sqlite3_finalize(c->cache[i].stmt);
    }
    SL_BUG_ON(sqlite3_close(c->db) != SQLITE_OK);
    free(c);
}

/* A prepared statement, from the cache when it is there and not running. *ret_place < 0: not cached, finalize
 * it. */
static sqlite3_stmt *take_stmt(struct store_tx *c, const char *sql, int *ret_place, struct sl_err *err)
{
    int place = (int)(sl_str_hash(sl_str_of(sql)) % STORE_STMT_CACHE);
    sqlite3_stmt *stmt = c->cache[place].stmt;
    if (stmt && !c->cache[place].in_use && strcmp(sqlite3_sql(stmt), sql) == 0) {
        c->cache[place].in_use = true;
        *ret_place = place;
        return stmt;
    }
    const char *tail = NULL;
    if (sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, &tail) != SQLITE_OK) {
        store_fail(c, err, "use the store");
        return NULL;
    }
    SL_BUG_ON(!stmt || tail[0] != '\0'); /* one statement, and not an empty one */
    *ret_place = -1;
    if (!c->cache[place].in_use) {
        sqlite3_finalize(c->cache[place].stmt);
        c->cache[place].stmt = stmt;
        c->cache[place].in_use = true;
        *ret_place = place;
    }
    return stmt;
}

static void give_stmt(struct store_tx *c, sqlite3_stmt *stmt, int place)
{
    if (place < 0) {
        sqlite3_finalize(stmt);
        return;
    }
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    c->cache[place].in_use = false;
}

/* The letters are documented at store_exec. A wrong number of them is a programming error. */
static void bind_all(sqlite3_stmt *stmt, const char *binds, va_list ap)
{
    SL_BUG_ON((size_t)sqlite3_bind_parameter_count(stmt) != strlen(binds));
    for (int i = 1; *binds; binds++, i++) {
        int rc = SQLITE_OK;
        sl_str s;
        const char *z;
        switch (*binds) {
        case 'i':
            rc = sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
            break;
        case 'd':
            rc = sqlite3_bind_double(stmt, i, va_arg(ap, double));
            break;
        case 'z':
            z = va_arg(ap, const char *);
            rc = sqlite3_bind_text(stmt, i, z, -1, SQLITE_STATIC);
            break;
        case 's':
        case 'S':
            s = va_arg(ap, sl_str);
            if (!s.p && *binds == 'S') {
                rc = sqlite3_bind_null(stmt, i);
            } else {
                rc = sqlite3_bind_text64(stmt, i, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
            }
            break;
        case 'b':
            s = va_arg(ap, sl_str);
            rc = sqlite3_bind_blob64(stmt, i, s.p ? s.p : "", s.n, SQLITE_STATIC);
            break;
        case 'n':
            rc = sqlite3_bind_null(stmt, i);
            break;
        default:
            sl_bug(__FILE__, __LINE__, "unknown letter in binds");
        }
        SL_BUG_ON(rc != SQLITE_OK && rc != SQLITE_TOOBIG && rc != SQLITE_NOMEM);
    }
}

typedef bool row_fn(const struct store_row *row, void *ctx);

static bool run(struct store_tx *c, struct sl_err *err, const char *sql, row_fn *row, void *ctx,
                size_t *ret_n, const char *binds, va_list ap)
{
    int place;
    sqlite3_stmt *stmt = take_stmt(c, sql, &place, err);
    if (!stmt) {
        return false;
    }
    bind_all(stmt, binds, ap);
    struct store_row r = {stmt};
    size_t n = 0;
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        n++;
        if (row && !row(&r, ctx)) {
            rc = SQLITE_DONE;
            break;
        }
    }
    bool ok = rc == SQLITE_DONE ||
              store_fail(c, err, sqlite3_stmt_readonly(stmt) ? "read the store" : "write the store");
    give_stmt(c, stmt, place);
    if (ok && ret_n) {
        *ret_n = n;
    }
    return ok;
}

bool store_exec(struct store_tx *tx, struct sl_err *err, const char *sql, const char *binds, ...)
{
    va_list ap;
    va_start(ap, binds);
    bool ok = run(tx, err, sql, NULL, NULL, NULL, binds, ap);
    va_end(ap);
    return ok;
}

bool store_query(struct store_tx *tx, struct sl_err *err, const char *sql, row_fn *row, void *ctx,
                 size_t *ret_n, const char *binds, ...)
{
    va_list ap;
    va_start(ap, binds);
    bool ok = run(tx, err, sql, row, ctx, ret_n, binds, ap);
    va_end(ap);
    return ok;
}

static bool first_i64(const struct store_row *row, void *ctx)
{
    *(int64_t *)ctx = store_col_i64(row, 0);
    return false;
}

bool store_query_i64(struct store_tx *tx, struct sl_err *err, const char *sql, int64_t *ret,
                     const char *binds, ...)
{
    va_list ap;
    va_start(ap, binds);
    bool ok = run(tx, err, sql, first_i64, ret, NULL, binds, ap);
    va_end(ap);
    return ok;
}

int64_t store_changes(const struct store_tx *tx)
{
    return sqlite3_changes64(tx->db);
}

int64_t store_last_id(const struct store_tx *tx)
{
    return sqlite3_last_insert_rowid(tx->db);
}

bool store_col_null(const struct store_row *row, int column)
{
    return sqlite3_column_type(row->stmt, column) == SQLITE_NULL;
}

int64_t store_col_i64(const struct store_row *row, int column)
{
    return sqlite3_column_int64(row->stmt, column);
}

double store_col_f64(const struct store_row *row, int column)
{
    return sqlite3_column_double(row->stmt, column);
}

sl_str store_col_borrow(const struct store_row *row, int column)
{
    bool blob = sqlite3_column_type(row->stmt, column) == SQLITE_BLOB;
    const void *p =
        blob ? sqlite3_column_blob(row->stmt, column) : (const void *)sqlite3_column_text(row->stmt, column);
    return (sl_str){p, (size_t)sqlite3_column_bytes(row->stmt, column)};
}

sl_str store_col_str(const struct store_row *row, int column, struct sl_arena *a)
{
    return sl_str_dup(a, store_col_borrow(row, column));
}

char *store_col_strz(const struct store_row *row, int column, struct sl_arena *a)
{
    return store_col_null(row, column) ? NULL : sl_arena_strdupz(a, store_col_borrow(row, column));
}
