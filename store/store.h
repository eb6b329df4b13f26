/* SPDX-License-Identifier: Apache-2.0
 * The store: one SQLite file, one writer thread (the db lane) and readers beside it. What store_write() has
 * acknowledged survives kill -9 and power loss (WAL, synchronous FULL). Writes that wait together are
 * committed together.
 *
 * Threads: struct store may be used by any thread. A store_tx and a store_row live only inside the callback
 * that got them. Blocking: store_write and store_read block; never on the loop. store_submit does not.
 * Errors: disk-full, busy (queue full, or another process writes), store (damaged, or SQLite's own words),
 * store-newer. */
#ifndef SLUICE_STORE_STORE_H
#define SLUICE_STORE_STORE_H

#include "base/arena.h"
#include "base/err.h"

struct store;
struct store_tx;  /* a running transaction; of a writer or of a reader */
struct store_row; /* the row a query stands on */

/* One noun brings its tables as a list of steps: versions 1, 2, 3 ... without gaps, the list ends with {0}. A
 * step once released is never changed. All tables are STRICT (checked after a migration).
 *   static const struct store_migration jobs[] = {{"job", 1, "CREATE TABLE job(...) STRICT;"}, {0}};
 *   static const struct store_migration *const all[] = {jobs, events, NULL}; */
struct store_migration {
    const char *noun;
    int version;
    const char *sql; /* one or more statements */
};

/* Opens or creates (0600, its folder exists), checks, migrates. Before a store that holds anything is
 * migrated, a copy is made beside it: `<path>.v<N>.backup`. The lists must outlive the call only. One owner
 * per file: the caller holds the lock of the data folder. */
SL_MUST_CHECK struct store *store_open(const char *path, const struct store_migration *const *migrations,
                                       struct sl_err *err);
/* Finishes what was submitted, then closes. No other thread may be inside. */
void store_close(struct store *s);

/* How its writing goes. A commit is one of a group of writes, from its beginning until it is durable. */
#define STORE_COMMIT_CLASSES 8
extern const int64_t
    store_commit_ms[STORE_COMMIT_CLASSES]; /* upper ends of the classes, rising; the last one is INT64_MAX */
struct store_figures {
    size_t waiting;                         /* writes in the queue */
    uint64_t commits[STORE_COMMIT_CLASSES]; /* that took up to that long, each counted once */
    int64_t commit_us;                      /* all of them together */
};
void store_figures(struct store *s, struct store_figures *ret);

/* The work of one transaction. false with *err = roll this one back (the others of its group stay). It runs
 * once, on the db lane; it must be short, and must not call store_write or store_read. */
typedef bool store_fn(struct store_tx *tx, void *arg, struct sl_err *err);

/* Runs fn in a transaction and returns after the commit is durable. */
SL_MUST_CHECK bool store_write(struct store *s, store_fn *fn, void *arg, struct sl_err *err);
/* Runs fn on the calling thread on a consistent snapshot, with a pooled reader connection; writing there
 * fails. Sees every write acknowledged before. */
SL_MUST_CHECK bool store_read(struct store *s, store_fn *fn, void *arg, struct sl_err *err);

/* The same write without waiting: done() runs on the db lane's thread after commit or failure (`ok`, `err`
 * are set then). The job is the caller's and must live until done(). false: the queue is full, done() will
 * not run. */
struct store_job {
    store_fn *fn;
    void *arg;
    void (*done)(struct store_job *job);
    bool ok;
    struct sl_err err;
    struct store_job *next;
};
SL_MUST_CHECK bool store_submit(struct store *s, struct store_job *job);

/* Statements. `binds` has one letter per parameter: i int64_t, d double, s sl_str, z const char * (NULL = SQL
 * NULL), b sl_str as BLOB, n SQL NULL (takes no argument). An sl_str with p == NULL is '' for s, SQL NULL for
 * S. Give an int as (int64_t)x. Text is bound without a copy. SQL texts are cached as prepared statements:
 * use literals. */
SL_MUST_CHECK bool store_exec(struct store_tx *tx, struct sl_err *err, const char *sql, const char *binds,
                              ...);
/* Calls row() per row; row() returns false to stop early, which is no error. row NULL: rows are counted only.
 * *ret_n (may be NULL): rows seen. Inside row() other statements may be run on tx. */
SL_MUST_CHECK bool store_query(struct store_tx *tx, struct sl_err *err, const char *sql,
                               bool (*row)(const struct store_row *row, void *ctx), void *ctx, size_t *ret_n,
                               const char *binds, ...);
/* First column of the first row as integer; no row: *ret stays as it is. */
SL_MUST_CHECK bool store_query_i64(struct store_tx *tx, struct sl_err *err, const char *sql, int64_t *ret,
                                   const char *binds, ...);
/* Rows changed by the last store_exec; rowid of the last INSERT. */
int64_t store_changes(const struct store_tx *tx);
int64_t store_last_id(const struct store_tx *tx);

/* Columns from 0. The borrowed form is valid until row() returns; the other is a copy, NUL-terminated, in the
 * arena. */
bool store_col_null(const struct store_row *row, int column);
int64_t store_col_i64(const struct store_row *row, int column);
double store_col_f64(const struct store_row *row, int column);
sl_str store_col_borrow(const struct store_row *row, int column);
sl_str store_col_str(const struct store_row *row, int column, struct sl_arena *a);
/* NULL for SQL NULL. */
char *store_col_strz(const struct store_row *row, int column, struct sl_arena *a);

/* A consistent copy (VACUUM INTO) at a path that does not exist yet; durable when it returns. Runs beside the
 * writer. */
SL_MUST_CHECK bool store_backup(struct store *s, const char *path, struct sl_err *err);

/* The same of a store that nobody has open: it is not migrated, and its WAL is read with it. */
SL_MUST_CHECK bool store_backup_file(const char *path, const char *to, struct sl_err *err);
/* Is the file a store, whole (all of it is read), and none of a newer Sluice? It is not changed. */
SL_MUST_CHECK bool store_check_file(const char *path, const struct store_migration *const *migrations,
                                    struct sl_err *err);
/* Files travel in a backup, by a name without slashes: adds one; writes all of them below `dir` (0600, durable,
 * those that are there stay) and takes them out of the backup. Both leave it a single file. */
SL_MUST_CHECK bool store_pack(const char *backup, const char *name, const char *file, struct sl_err *err);
SL_MUST_CHECK bool store_unpack(const char *backup, const char *dir, size_t *ret_n, struct sl_err *err);

#endif
