/* SPDX-License-Identifier: Apache-2.0
 * The results port (docs/results-protocol.md): a listener on its own thread and uv loop (the rows lane) to
 * which runners and push sinks inside Flink dial. A `task` is what one runner fetches and reports on; a
 * `result` is the columns and rows of one statement, kept in memory and, past a quota, in a spool file, for
 * many readers. Threading: every function here may be called from any thread; none blocks but the two *_wait
 * ones. */
#ifndef SLUICE_RESULTS_H
#define SLUICE_RESULTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

struct res_port;
struct res_task;
struct res_result;
struct res_reader;

#define RES_TOKEN_HEX 64

struct res_config {
    const char *bind_host;                    /* "127.0.0.1" */
    int bind_port;                            /* 0 = free */
    const char *spool_dir;                    /* exists, 0700; files in it are removed at start and end */
    uint32_t heartbeat_ms, lost_ms, hello_ms; /* 0 = limits.h */
    size_t cell_bytes, row_bytes, memory_bytes, spool_bytes,
        spool_total_bytes; /* per result / in all; 0 = limits.h */
    unsigned connections;
    bool no_tls; /* beyond this machine, too, rows travel as they are */
};

SL_MUST_CHECK struct res_port *res_port_start(const struct res_config *c, struct sl_err *err);
/* Closes every connection (sinks then fail their tasks), joins the thread, removes spool files. */
void res_port_stop(struct res_port *p);
int res_port_number(const struct res_port *p);
struct res_figures {
    size_t results;       /* that somebody holds */
    uint64_t spool_bytes; /* of their rows on disk */
    unsigned paused;      /* sinks that wait until there is room */
};
void res_port_figures(struct res_port *p, struct res_figures *ret);
/* The address as Flink is told to dial it: HOST:PORT, and where the way leads beyond this machine (the host is not loopback,
 * or the port listens elsewhere, too) "#" and the digest of the certificate that answers: "10.8.0.14:41877#sha256:...".
 * NULL: tls-failed. In the arena. */
SL_MUST_CHECK const char *res_port_dial(struct res_port *p, const char *address, struct sl_arena *a,
                                        struct sl_err *err);
/* What a person is shown of it: HOST:PORT. */
sl_str res_dial_shown(const char *dial);

/* --- tasks -------------------------------------------------------------------------------------------------
 */

struct res_statement_report {
    uint32_t statement;
    bool begun, done, failed;
    char job_id[33];           /* "" when no job was started */
    sl_str chain_json, stack;  /* of FAILED; in the task */
    struct res_result *answer; /* rows of an `answer` step; NULL: none. Borrowed from the task */
};

/* A task with its document (copied) and a fresh token. */
SL_MUST_CHECK struct res_task *res_task_new(struct res_port *p, sl_str document, struct sl_err *err);
const char *res_task_token(const struct res_task *t);
/* For a document that names the task's own token (application mode): make the task with an empty document and
 * set it here, before the token is given to anybody. */
void res_task_set_document(struct res_task *t, sl_str document);
/* Waits until END was received, the runner's connection is lost after TASK_GET, or the time is over.
 * RES_TASK_ENDED / LOST / TIMEOUT / UNCLAIMED (nobody came yet at timeout). */
enum res_task_state { RES_TASK_UNCLAIMED, RES_TASK_CLAIMED, RES_TASK_ENDED, RES_TASK_LOST };
enum res_task_state res_task_wait(struct res_task *t, int64_t timeout_ms);
/* Waits until statement `n` was reported done or failed, or the task ended or was lost; false on timeout. */
bool res_task_wait_statement(struct res_task *t, uint32_t statement, int64_t timeout_ms);
/* Copies the report of one statement into the arena; false when nothing was said about it. */
bool res_task_report(struct res_task *t, uint32_t statement, struct sl_arena *a,
                     struct res_statement_report *ret);
/* The failure that belongs to no statement (statement 0), or the first failed one; false: none. */
bool res_task_failure(struct res_task *t, struct sl_arena *a, struct res_statement_report *ret);
void res_task_free(struct res_task *t); /* closes its connection; its answers' readers keep what they hold */

/* --- results -----------------------------------------------------------------------------------------------
 */

enum res_state {
    RES_WAITING,  /* no sink yet */
    RES_OPEN,     /* rows are coming */
    RES_COMPLETE, /* FINISH seen and every row stored */
    RES_PARTIAL,  /* the sink went away without FINISH */
    RES_FAILED,   /* the sink said SINK_ERROR, or the spool failed; see res_result_error */
    RES_CLOSED    /* we ended it: STOP was sent */
};

struct res_column {
    sl_str name, type; /* "revenue", "DECIMAL(38, 2)" or "BIGINT NOT NULL" */
    const struct res_type *desc;
};

/* A result that waits for a sink with its own token. */
SL_MUST_CHECK struct res_result *res_result_new(struct res_port *p, uint32_t statement, struct sl_err *err);
const char *res_result_token(const struct res_result *r);
enum res_state res_result_state(struct res_result *r);
bool res_result_error(struct res_result *r, struct sl_err *ret);
uint64_t res_result_rows(struct res_result *r);
/* Columns once COLUMNS was received (else n = 0); copied into the arena. */
size_t res_result_columns(struct res_result *r, struct sl_arena *a, struct res_column **ret,
                          bool *ret_insert_only);
/* Ends it from our side: sends STOP, then closes the sink's connection. Idempotent. */
void res_result_close(struct res_result *r);
void res_result_unref(struct res_result *r); /* the last holder frees it: readers hold references too */

/* What a complete result was, as bytes that outlive the process (docs/results-protocol.md): the description of its columns,
 * copied into the arena, and its rows as readers get them. "" while the columns are not known. */
sl_str res_result_description(struct res_result *r, struct sl_arena *a);
/* A complete result of what was kept: its description, then each block of rows in order, all of it checked. NULL: damaged, or no
 * room. The caller holds the one reference. */
struct res_kept_rows {
    sl_str bytes;
    uint32_t count;
};
SL_MUST_CHECK struct res_result *res_result_restore(struct res_port *p, sl_str description,
                                                    const struct res_kept_rows *blocks, size_t n,
                                                    struct sl_err *err);

/* --- reading -----------------------------------------------------------------------------------------------
 */

struct res_rows {
    uint64_t first; /* number of the first row */
    uint32_t count;
    const uint8_t *p; /* rows in wire form, valid until the next read of this reader */
    size_t n;
    enum res_state state; /* of the result at the moment these rows, or no rows, were found */
};
/* Starts at row `from`. With a reader that has `drop_behind` set, blocks that all readers have passed are
 * freed, and a later reader begins at the first row that is kept. Without one a result stops growing at its
 * spool quota: its sink then waits. */
struct res_reader *res_reader_new(struct res_result *r, uint64_t from, bool drop_behind);
/* Waits for rows: true with rows; false when there are none left and the result has ended, or on timeout, or
 * when the state changed. Ask ret->state which it was, not res_result_state: rows and the end may have come
 * in between. */
bool res_reader_wait(struct res_reader *rd, int64_t timeout_ms, struct res_rows *ret);
void res_reader_free(struct res_reader *rd);

/* --- encoding (pure)
 * ----------------------------------------------------------------------------------------*/

enum res_form {
    RES_FORM_TEXT,       /* as the stock gateway's PLAIN_TEXT and the SQL client print it */
    RES_FORM_FLINK_JSON, /* as RowDataToJsonConverters of the stock gateway writes it */
    RES_FORM_API         /* our API: 64-bit integers and decimals as strings, times ISO 8601, nested JSON */
};
struct res_row {
    uint8_t kind;         /* 0 +I, 1 -U, 2 +U, 3 -D */
    const uint8_t *cells; /* first cell */
    const uint8_t *end;
    const uint8_t *at; /* of res_cell: cell `at_i`, so that reading the cells in order is one walk */
    size_t at_i;
};
extern const char *const res_kind_names[4]; /* "+I" ... */
/* Next row of a block; false at its end. SL_BUG on malformed bytes cannot happen: the port checks on arrival.
 */
bool res_rows_next(struct res_rows *rows, const struct res_column *cols, size_t n_cols, struct res_row *ret);
/* Can the form show this column at all? (The stock gateway refuses the whole answer when not.) */
SL_MUST_CHECK bool res_form_can(enum res_form form, const struct res_column *col, struct sl_err *err);
/* Cell i of a row; `col` is &cols[i] of the array of all columns. TEXT: plain bytes into `b`, *is_null tells
 * NULL apart. JSON forms: one JSON value into `b`. `zone` is the session's time zone for TIMESTAMP_LTZ (NULL
 * = UTC). False: this form cannot show the type (FLINK_JSON of MAP with non-string keys ...), as the stock
 * gateway cannot. */
SL_MUST_CHECK bool res_cell(struct sl_buf *b, enum res_form form, const struct res_column *col,
                            struct res_row *row, size_t i, const char *zone, bool *is_null,
                            struct sl_err *err);

#endif
