/* SPDX-License-Identifier: Apache-2.0
 * What port, connections, tasks and results share; not for other rooms.
 *
 * Threads: the lane thread runs the uv loop and owns every res_conn and every uv handle. All else that is
 * shared is guarded by ONE lock, res_port.mu; it is held for microseconds and never across a system call but
 * the wake of the loop. Rules without the lock:
 *  - only the lane appends to a result, so it may read the result's tail and its spool end unlocked;
 *  - bytes of a chunk below its published length never change; a chunk lives as long as somebody counts on
 * it;
 *  - a spooled block that a reader has not passed is not dropped, so a reader may read the file unlocked.
 * Other threads ask the lane for something by putting a connection on the `attn` list and waking the loop. */
#ifndef SLUICE_RESULTS_INTERNAL_H
#define SLUICE_RESULTS_INTERNAL_H

#include "base/vec.h"
#include "gateway/results/frames.h"
#include "gateway/results/results.h"
#include "gateway/results/spool.h"
#include "gateway/results/tls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#define RES_TOKEN_BUCKETS    1024
#define RES_TASK_PIECE_BYTES ((size_t)64 << 10)

/* A live secret; part of a task or result. Found by its SHA-256, then compared in constant time. */
struct res_token {
    char hex[RES_TOKEN_HEX + 1];
    char digest[72];
    struct res_token *next;
    struct res_task *task; /* one of the two */
    struct res_result *result;
    bool listed;
};

/* --- results -----------------------------------------------------------------------------------------------
 */

struct res_chunk {
    _Atomic unsigned refs;
    size_t cap;
    uint8_t bytes[];
};

/* Rows next to each other. The newest block of a result grows in place; the others are sealed. */
struct res_block {
    uint64_t first;
    uint32_t count;
    size_t n;
    struct res_chunk *mem; /* NULL: in the spool at `off` */
    uint64_t off;
};

struct res_result {
    struct res_port *port; /* a reference */
    struct res_result *prev, *next;
    struct res_token token;
    uint32_t statement;
    unsigned refs; /* owners and readers; not the connection */
    pthread_cond_t changed;

    enum res_state state;
    struct sl_err err;     /* code SL_OK: none */
    struct sl_arena arena; /* of the columns; written before `cols.n` is set, then constant */
    struct res_columns cols;
    uint64_t rows; /* stored so far */

    struct res_block *blocks; /* from b_head on, b_n of them */
    size_t b_head, b_n, b_cap;
    size_t next_cap; /* bytes of the next chunk */
    size_t mem_used;
    uint64_t spool_used;
    struct res_spool spool;
    struct res_reader *readers;

    struct res_conn *conn; /* who fills it; NULL: nobody */
    bool claimed;          /* a sink has come once: the token is used up */
    bool close_wanted;
};

struct res_reader {
    struct res_result *result; /* a reference */
    struct res_reader *prev, *next;
    bool drop_behind;
    uint64_t at;            /* next row; under mu */
    uint64_t block_first;   /* the block last given out: its first row .. */
    size_t block_off;       /* .. and its bytes then; 0: none yet */
    struct res_chunk *held; /* of the rows last given out */
    uint8_t *copy;          /* of rows read from the spool */
    size_t copy_cap;
    enum res_state seen;
};

/* --- tasks -------------------------------------------------------------------------------------------------
 */

struct res_task {
    struct res_port *port; /* a reference */
    struct res_task *prev, *next;
    struct res_token token;
    unsigned refs; /* the owner and the connection */
    pthread_cond_t changed;
    enum res_task_state state;
    struct sl_arena arena; /* document and reports */
    sl_str document;
    size_t report_bytes;
    SL_VEC(struct res_statement_report) reports;
    struct res_conn *conn;
    bool close_wanted;
};

/* --- connections (lane thread only, but `attn*`)
 * ------------------------------------------------------------- */

enum res_conn_state {
    CONN_HELLO,  /* nothing known yet */
    CONN_RUNNER, /* welcomed */
    CONN_SINK,
    CONN_LINGER, /* all is said; waits a moment so that the peer can read it */
    CONN_CLOSED  /* uv_close was called */
};
/*  HELLO -> RUNNER | SINK -> LINGER -> CLOSED; every state -> LINGER or CLOSED */

struct res_conn {
    uv_tcp_t tcp;
    struct res_port *port;
    struct res_conn *prev, *next; /* of the port's `fresh` (HELLO, LINGER) or `known` list */
    enum res_conn_state state;
    bool paused; /* reading stopped: its result has no room */
    bool reading;
    bool chosen;         /* its first byte has come */
    struct res_tls *tls; /* NULL: as they are */
    int64_t seen_ms, sent_ms, since_ms;
    struct sl_buf in;          /* the part of a frame that came so far */
    unsigned writes;           /* in flight */
    struct res_task *task;     /* a reference */
    struct res_result *result; /* sink: its result; runner: the open answer. result->conn is this */
    uint32_t statement;        /* runner: of the last BEGIN */
    bool ack_due, has_task_rest;
    bool is_done;   /* FINISHED or END_STORED is the last that was said to it */
    size_t task_at; /* bytes of the document sent */
    bool attn;      /* under mu */
    struct res_conn *attn_next;
};

struct res_list {
    struct res_conn *head, *tail;
    size_t n;
};

struct res_port {
    pthread_mutex_t mu;
    unsigned refs; /* the owner, each result and task */
    struct res_config cfg;
    char *spool_dir;
    struct res_token *tokens[RES_TOKEN_BUCKETS];
    struct res_result *results;
    struct res_task *tasks;
    uint64_t spool_used; /* of all results */
    unsigned paused;     /* connections whose reading is stopped */
    struct res_conn *attn;
    bool stopping;
    int number;

    /* lane thread */
    pthread_t thread;
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_async_t wake;
    uv_timer_t tick;
    int64_t part_ms; /* when the last connections are closed, once the port is stopping */
    struct res_list fresh, known;
    char scratch[64 << 10];
    char plain[16 << 10]; /* of one record */

    bool tls_only;
    pthread_mutex_t identity_mu;
    struct res_identity *identity; /* NULL: nobody has asked yet */
};

void res_lock(struct res_port *p);
void res_unlock(struct res_port *p);
int64_t res_now_ms(void);
/* Waits on a condition made by res_cond_init until the deadline (res_now_ms; negative: for ever). false: time
 * is over. */
void res_cond_init(pthread_cond_t *c);
bool res_cond_wait(struct res_port *p, pthread_cond_t *c, int64_t deadline_ms);

/* Under mu. */
void res_port_ref(struct res_port *p);
void res_token_make(struct res_port *p, struct res_token *t);
void res_token_forget(struct res_port *p, struct res_token *t);
struct res_token *res_token_find(struct res_port *p, sl_str hex);
/* Asks the lane to look at a connection. */
void res_attn(struct res_port *p, struct res_conn *c);

/* Not under mu: drops one reference of the port, frees it with the last. */
void res_port_unref(struct res_port *p);

/* --- result.c: for the lane
 * --------------------------------------------------------------------------------- */

/* The result of an answer; no token. The caller holds the one reference. Under mu. */
struct res_result *res_result_make(struct res_port *p, uint32_t statement, bool with_token);
/* Sets the columns and opens it. Takes over the arena. */
void res_result_open(struct res_result *r, struct sl_arena *arena, const struct res_columns *cols);
/* Has it room for more rows, in memory or on disk? When not, the connection is marked as paused, and the lane
 * is asked to look again when there is. */
bool res_result_room(struct res_result *r, struct res_conn *c);
/* Stores checked rows. false: the spool failed. */
SL_MUST_CHECK bool res_result_append(struct res_result *r, struct res_rows rows, struct sl_err *err);
/* Ends it unless it has ended; `err` may be NULL. Under mu. */
void res_result_end(struct res_result *r, enum res_state state, const struct sl_err *err);
/* The connection lets go of it; ends it as PARTIAL when it is still open. Frees it when nobody else holds it.
 * Under mu; true: the caller must call res_result_destroy after unlocking. */
bool res_result_detach(struct res_result *r, const struct sl_err *why);
void res_result_destroy(struct res_result *r);

/* --- task.c: for the lane
 * ----------------------------------------------------------------------------------- */

/* The report of a statement, made when missing; NULL when there are too many. Under mu. */
struct res_statement_report *res_task_say(struct res_task *t, uint32_t statement);
void res_task_set_state(struct res_task *t, enum res_task_state s); /* under mu */
void res_task_unref(struct res_task *t);                            /* not under mu */

/* --- conn.c
 * ------------------------------------------------------------------------------------------------- */

void res_conn_accept(struct res_port *p);
void res_conn_tick(struct res_conn *c, int64_t now);
/* Something changed on another thread: close, or room again. */
void res_conn_look(struct res_conn *c);
/* Bytes of frames that came. */
void res_conn_bytes(struct res_conn *c, const uint8_t *p, size_t n);
/* A write has ended: what is due next. */
void res_conn_more(struct res_conn *c);
/* Says why, ends what it was doing with the same reason, and closes. */
void res_conn_refuse(struct res_conn *c, const struct sl_err *err);
void res_conn_close(struct res_conn *c);
/* All of its work is stored and it knows: it is the one to close. */
bool res_conn_is_done(const struct res_conn *c);

/* --- wire.c
 * ------------------------------------------------------------------------------------------------- */

/* Frames on their way out. */
struct res_out {
    uv_write_t req;
    struct res_conn *conn;
    struct sl_buf b;
};
struct res_out *res_out_new(struct res_conn *c);
/* Takes it over; may close the connection. */
void res_out_send(struct res_out *o);
/* Reads on; stops reading. */
void res_wire_read(struct res_conn *c);
void res_wire_pause(struct res_conn *c);
/* Ends our side of a lingering connection. */
void res_wire_shut(struct res_conn *c);

/* --- port.c: made on first use; any thread. Error: tls-failed. */
struct res_identity *res_port_identity(struct res_port *p, struct sl_err *err);

#endif
