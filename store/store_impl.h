/* SPDX-License-Identifier: Apache-2.0
 * What the files of store/ share. Private to store/. */
#ifndef SLUICE_STORE_STORE_IMPL_H
#define SLUICE_STORE_STORE_IMPL_H

#include "store/store.h"

#include <sqlite3.h>

#define STORE_STMT_CACHE 64 /* prepared statements a connection keeps */

/* One connection; used by one thread at a time. Also the transaction handed to callbacks. */
struct store_tx {
    sqlite3 *db;
    const char *path; /* borrowed from the store */
    struct {
        sqlite3_stmt *stmt; /* NULL: free place */
        bool in_use;
    } cache[STORE_STMT_CACHE];
    struct store_tx *next; /* in the pool of readers */
};

/* Opens a connection with all its settings; `writer` creates the file. Closed with store_conn_close. */
SL_MUST_CHECK struct store_tx *store_conn_open(const char *path, bool writer, struct sl_err *err);
void store_conn_close(struct store_tx *c);
/* Sets err from the last failure of the connection; returns false. `doing`: "open the store", "write". */
bool store_fail(const struct store_tx *c, struct sl_err *err, const char *doing);
/* Runs SQL without parameters, any number of statements, not cached. */
SL_MUST_CHECK bool store_sql(struct store_tx *c, const char *sql, const char *doing, struct sl_err *err);

/* Checks what the file is and brings it to the versions of the lists (store_migrate.c). */
SL_MUST_CHECK bool store_migrate(struct store_tx *c, const struct store_migration *const *migrations,
                                 struct sl_err *err);
/* What store_migrate checks, and that every page is right. */
SL_MUST_CHECK bool store_inspect(struct store_tx *c, const struct store_migration *const *migrations,
                                 struct sl_err *err);
/* VACUUM INTO and fsync; `path` is replaced when `replace`. */
SL_MUST_CHECK bool store_copy(struct store_tx *c, const char *path, bool replace, struct sl_err *err);

#endif
