/* SPDX-License-Identifier: Apache-2.0
 * Sessions: a configuration, a current catalog and database, jars, and a log of what took effect, kept in the store; no Flink
 * lives for them. A statement of a session is an operation: it waits behind the session's earlier ones, is answered by Sluice
 * itself or by a main() in the target's session cluster, and its rows are fetched page by page, by number.
 *
 * Threads: every function may be called from any thread. ses_configure blocks until the statement has run, ses_fetch for at
 * most limit.fetch-hold; the others only for the store. Strings that come back lie in the arena given. */
#ifndef SLUICE_SESSION_SESSION_H
#define SLUICE_SESSION_SESSION_H

#include "base/buf.h"
#include "gateway/auth/token.h"
#include "gateway/jobs/submission.h"

#define SES_ID 37 /* a UUID and a NUL */

extern const struct store_migration session_migrations[];

struct ses_host;
struct ses_env {
    struct sub_env sub;
    struct store *store;
    sl_str flink; /* version of sessions that name none; "" = SQL_FLINK_DEFAULT */
};
/* Takes up the sessions that the store holds. */
SL_MUST_CHECK struct ses_host *ses_host_new(const struct ses_env *env, struct sl_err *err);
/* Nothing more is begun, and nobody waits any more: those inside ses_configure and ses_fetch come back. */
void ses_host_stop(struct ses_host *h);
/* Statements under way are given up; SELECTs are cancelled, jobs of INSERTs go on. Sessions stay in the store. */
void ses_host_free(struct ses_host *h);
struct ses_figures {
    size_t sessions, operations, working;
};
void ses_host_figures(struct ses_host *h, struct ses_figures *ret);

/* Who asks: sessions of others are not there for him, unless he is an admin. Statements that start jobs, last outside the
 * session or read files of this machine need an operator. */
struct ses_who {
    sl_str user;
    enum auth_role role;
};

struct ses_pair {
    sl_str key, value;
};
/* Properties that are not Flink's own business are left out (plan_key_is_ours, secrets, addresses). "sluice.target" and
 * "sluice.flink" say where its statements go. Errors: busy (too many sessions), limit-user, target-unknown. */
SL_MUST_CHECK bool ses_open(struct ses_host *h, const struct ses_who *who, sl_str name,
                            const struct ses_pair *given, size_t n, char ret_id[SES_ID], struct sl_err *err);
/* Sorted by key. Error of this and of all that take a session's id: session-unknown. */
SL_MUST_CHECK bool ses_properties(struct ses_host *h, const struct ses_who *who, sl_str id,
                                  struct sl_arena *a, struct ses_pair **ret, size_t *ret_n,
                                  struct sl_err *err);
/* Where its statements go, with what; strings in the arena. `flink`: "2.2"; target "" = the default. */
struct ses_place {
    sl_str target, flink;
    struct ses_pair *config;
    size_t n_config;
    sl_str *jars;
    size_t n_jars;
};
SL_MUST_CHECK bool ses_place_of(struct ses_host *h, const struct ses_who *who, sl_str id, struct sl_arena *a,
                                struct ses_place *ret, struct sl_err *err);
SL_MUST_CHECK bool ses_touch(struct ses_host *h, const struct ses_who *who, sl_str id, struct sl_err *err);
SL_MUST_CHECK bool ses_close(struct ses_host *h, const struct ses_who *who, sl_str id, struct sl_err *err);

enum ses_state { SES_PENDING, SES_RUNNING, SES_FINISHED, SES_CANCELED, SES_CLOSED, SES_ERROR, SES_TIMEOUT };
extern const char *const ses_state_names[]; /* "PENDING" ... */

/* What is seen of a session from outside; strings in the arena. */
struct ses_seen_op {
    char id[SES_ID];
    enum ses_state state;
    char job_id[33]; /* "" = none */
};
struct ses_seen {
    char id[SES_ID];
    sl_str name, user, target, flink, catalog, database;
    int64_t created_ms;      /* since the epoch */
    int64_t idle_ms;         /* since it was last used */
    size_t n_ops, n_open;    /* operations that are remembered; of these, not done */
    struct ses_seen_op *ops; /* of ses_see, oldest first */
};
/* Those that he may see, the newest first. */
void ses_list(struct ses_host *h, const struct ses_who *who, struct sl_arena *a, struct ses_seen **ret,
              size_t *ret_n);
SL_MUST_CHECK bool ses_see(struct ses_host *h, const struct ses_who *who, sl_str id, struct sl_arena *a,
                           struct ses_seen *ret, struct sl_err *err);

/* Queues a statement. `given`: configuration for it alone. It is given up `timeout_ms` after it was begun, a SELECT also
 * while its rows come (0: never). What is wrong with the statement is told when it is fetched. Errors: busy, limit-user,
 * session-unknown. */
SL_MUST_CHECK bool ses_execute(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str statement,
                               const struct ses_pair *given, size_t n, int64_t timeout_ms,
                               char ret_op[SES_ID], struct sl_err *err);

/* How an operation failed: Java's words, outermost first, or ours in their form. */
struct ses_cause {
    sl_str type, message;
};
struct ses_failure {
    const struct ses_cause *causes;
    size_t n;
    enum sl_code code; /* ours, when Sluice refused it; else SL_FLINK */
};
/* The failure in our own words, with its place in the statement where that is known. Always false, for `return`. */
bool ses_explain(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str op,
                 const struct ses_failure *f, struct sl_arena *a, struct sl_err *err);
/* A statement that changes the session, run to its end. False with err, or with ret->n > 0: it failed. */
SL_MUST_CHECK bool ses_configure(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str statement,
                                 struct sl_arena *a, struct ses_failure *ret, struct sl_err *err);

/* Errors of these: session-unknown, operation-unknown. */
SL_MUST_CHECK bool ses_status(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str op,
                              enum ses_state *ret, char ret_job[33], struct sl_err *err);
/* job-state: it has ended already. */
SL_MUST_CHECK bool ses_cancel(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str op,
                              struct sl_err *err);
/* Forgets it; ends its SELECT. One that is not there is closed already. */
SL_MUST_CHECK bool ses_close_op(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str op,
                                struct sl_err *err);

/* What a static answer holds in a cell. */
enum ses_cell_type { SES_STRING, SES_BOOLEAN, SES_TIME /* TIMESTAMP_LTZ(6), ms since the epoch */ };
struct ses_cell {
    sl_str text; /* STRING; p == NULL: SQL NULL */
    int64_t number;
};
struct ses_column {
    sl_str name;
    const struct res_type *type; /* NULL: static, as `cell` says */
    enum ses_cell_type cell;
};
struct ses_page {
    enum { SES_NOT_READY, SES_PAYLOAD, SES_EOS } kind;
    bool is_query, content; /* content: more than OK */
    char job_id[33];        /* "" = none */
    struct ses_column *columns;
    size_t n_columns;
    const char *zone; /* of the session; NULL = UTC */
};
/* Where the rows of a page go. False: they cannot be shown in the form wanted; the page fails with that error. */
struct ses_rows {
    bool (*columns)(void *ctx, const struct ses_page *page, const struct res_column *cols,
                    struct sl_err *err);
    bool (*row)(void *ctx, const struct ses_page *page, const struct res_column *cols, struct res_row *row,
                struct sl_err *err);
    bool (*cells)(void *ctx, const struct ses_page *page, const struct ses_cell *cells, struct sl_err *err);
    size_t (*bytes)(void *ctx); /* taken so far: a page ends when it is large */
    bool (*spent)(void *ctx);   /* nothing new for now: the fetch is held, then the page is empty */
    void *ctx;
};
/* Page `token` of an operation: pages are numbered from 0; a number that was given before gives the same rows again as long
 * as they are kept. Errors also: result-token (not the next and not kept), or ret_failure->n > 0: the operation failed. */
SL_MUST_CHECK bool ses_fetch(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str op,
                             int64_t token, const struct ses_rows *rows, struct sl_arena *a,
                             struct ses_page *ret, struct ses_failure *ret_failure, struct sl_err *err);
/* What could stand at a place of a statement; `offset` in bytes. */
SL_MUST_CHECK bool ses_complete(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str statement,
                                size_t offset, struct sl_arena *a, sl_str **ret, size_t *ret_n,
                                struct sl_err *err);

#endif
