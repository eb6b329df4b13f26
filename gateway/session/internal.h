/* SPDX-License-Identifier: Apache-2.0
 * What the files of sessions share: host.c (sessions, queues), keep.c (the store), statement.c (what a statement is to Sluice),
 * walk.c (through Flink), answer.c (without it), fetch.c (pages). Included by those only.
 *
 * The host's lock guards the lists, counts and states. The facts of a session (log, configuration, jars) are changed by its
 * one worker under the lock; the worker reads them without it. What an operation answers is written by the worker before the
 * operation's state says so, and never after. */
#ifndef SLUICE_SESSION_INTERNAL_H
#define SLUICE_SESSION_INTERNAL_H

#include "gateway/jobs/plan.h"
#include "gateway/jobs/tracker.h"
#include "gateway/session/log.h"
#include "gateway/session/session.h"
#include "gateway/target/target.h"

#include <pthread.h>

struct ses_table {
    struct ses_column *columns;
    size_t n_columns;
    SL_VEC(struct ses_cell *) rows;
};

/* What Flink said of an object of the session's own, and would say again: see own.c. */
struct ses_fact {
    int64_t entry; /* that made the object */
    bool create;   /* SHOW CREATE; else DESCRIBE */
    struct ses_table table;
};

/* What of an operation goes on when the server ends while it runs. */
enum ses_lasting {
    SES_LASTS_NOT,
    SES_LASTS,       /* a change outside the session */
    SES_JOB,         /* a job */
    SES_JOB_AWAITED, /* one whose end the operation waits for */
    SES_JOB_MAKES,   /* one behind which the session gets a table */
};

struct ses_op {
    struct ses_op *next; /* of its session, oldest first */
    struct session *session;
    unsigned refs; /* the session's list, its worker, who fetches */
    char id[SES_ID];
    struct ses_who who; /* user in the arena */
    sl_str statement;
    struct ses_pair *given;
    size_t n_given;
    bool configures; /* of configure-session: only what changes the session */
    enum ses_state state;
    bool stop;                    /* atomic: give it up */
    int64_t timeout_ms, until_ms; /* 0: none; monotonic, once it is begun */
    struct sl_arena arena;
    /* The answer. */
    bool is_query, content;
    char job_id[33], run[RUN_ID_HEX + 1]; /* run: of a SELECT */
    struct ses_table table;               /* when there is no result */
    struct res_result *result;            /* rows from Flink: held by `keeper` */
    struct res_reader *keeper;            /* keeps its rows from the first page that may be asked for */
    const char *zone;
    struct ses_failure failure;
    /* What it changed in its session, kept with its end. */
    bool keeps;
    struct ses_change change;
    enum ses_lasting lasting;
    char lasting_run[RUN_ID_HEX + 1];
    bool kept, unkeepable; /* its end is in the store / its rows cannot be; of a SELECT under `fetching` */
    struct ses_op *next_select;
    /* Pages, under `fetching`. */
    pthread_mutex_t fetching;
    SL_VEC(uint64_t) starts; /* first row of each page that was given, and of the next */
    uint64_t first_page;     /* kept */
    size_t bytes;            /* given out */
};

struct session {
    struct session *next;
    unsigned refs; /* the host's list, each operation, its worker */
    char id[SES_ID];
    char name[129], user[65], target[64], flink[16];
    int64_t created_ms;
    int64_t used_ms; /* monotonic */
    bool gone;       /* closed: its worker ends */
    bool working;    /* has a worker */
    bool walks;      /* has a main() under way */
    bool restored;   /* from the store: what had not ended then is gone */
    struct sl_arena arena;
    struct ses_log log;
    SL_VEC(struct ses_pair) config; /* sorted by key */
    SL_VEC(sl_str) jars;
    bool gathers; /* between BEGIN STATEMENT SET and END */
    SL_VEC(sl_str) gathered;
    SL_VEC(struct ses_fact) facts; /* in an arena of their own */
    struct sl_arena facts_arena;
    char cluster[64], incarnation[64]; /* it was last seen at */
    struct ses_op *ops, *waiting;      /* waiting: the first that was not begun */
    pthread_cond_t changed;            /* the state of an operation, or the server ends */
    size_t n_ops;
};

/* A worker that waits for one of the places of its target. On its stack. */
struct ses_turn {
    struct ses_turn *next;
    struct ses_op *op;
    pthread_cond_t come;
    bool given;
};

struct ses_host {
    struct ses_env env;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* for the keeper, and whoever waits for the end of the workers */
    struct ses_turn *turns; /* the first comes next */
    struct session *sessions;
    struct ses_op *selects; /* whose rows are not all there yet; each with a reference */
    size_t n_sessions, n_workers, n_holding, n_timed; /* timed: operations that have a timeout */
    bool stopping;
    pthread_t keeper;
};

/* --- op.c */
void ses_make_id(char ret[SES_ID]);
struct ses_op *ses_op_new(void);
void ses_op_free(struct ses_op *op);
struct session *ses_session_new(void); /* all zero */
void ses_session_free(struct session *s);
void ses_op_unref(struct ses_op *op); /* under the lock */
/* Sets the failure; the statement ends with it. Always false. */
bool ses_fail(struct ses_op *op, const struct sl_err *err);
bool ses_fail_java(struct ses_op *op, const char *type, const char *fmt, ...) SL_PRINTF(3, 4);
bool ses_fail_chain(struct ses_op *op, const struct tgt_failure *f);
struct ses_failure ses_failure_dup(const struct ses_failure *f, struct sl_arena *a);
bool ses_stopping(const struct ses_op *op);
/* --- host.c */
/* Finds a session or operation for somebody, with a reference; NULL with the error. Takes the lock. */
struct session *ses_find(struct ses_host *h, const struct ses_who *who, sl_str id, struct sl_err *err);
struct ses_op *ses_find_op(struct ses_host *h, const struct ses_who *who, sl_str id, sl_str op,
                           struct sl_err *err);
void ses_session_unref(struct session *s, unsigned n); /* gives back that many references; under the lock */
/* Ends a SELECT's job, however far it is. Not under the lock. */
void ses_end_select(struct ses_host *h, struct ses_op *op);

/* --- keep.c: durable when they return */
SL_MUST_CHECK bool ses_keep_new(struct ses_host *h, const struct session *s, struct sl_err *err);
/* Inside a transaction: a session as it is now, and what has changed in its log. */
SL_MUST_CHECK bool ses_keep_tx(struct store_tx *tx, const struct session *s, const struct ses_change *change,
                               struct sl_err *err);
SL_MUST_CHECK bool ses_keep_gone(struct ses_host *h, const char *id, struct sl_err *err);
SL_MUST_CHECK bool ses_keep_load(struct ses_host *h, struct sl_err *err);

/* --- keep_op.c: durable when they return */
#define SES_PAGE_ROWS 5000
/* Before anything that lasts is done. `run`: of its job, or "". */
SL_MUST_CHECK bool ses_keep_begun(struct ses_host *h, struct ses_op *op, enum ses_lasting how,
                                  const char *run, struct sl_err *err);
/* Its end, with what it changed in its session; of a SELECT only when it failed. */
SL_MUST_CHECK bool ses_keep_ended(struct ses_host *h, struct ses_op *op, bool ok, struct sl_err *err);
/* A SELECT whose rows are all there, when they may be kept / its pages, when it is kept. Under `fetching`. */
void ses_keep_rows(struct ses_host *h, struct ses_op *op);
void ses_keep_starts(struct ses_host *h, struct ses_op *op);
/* Nobody asks for it any more. Does not wait. */
void ses_keep_forget(struct ses_host *h, const struct ses_op *op);
/* The same; it is gone when this returns. */
SL_MUST_CHECK bool ses_keep_forget_now(struct ses_host *h, struct ses_op *op, struct sl_err *err);
/* An operation of an earlier server, as its session had it; NULL: there is none. Not under the lock. */
struct ses_op *ses_keep_find(struct ses_host *h, const char *session, const char *id);

/* --- statement.c: runs it, on the session's worker; false: it failed, and said how */
SL_MUST_CHECK bool ses_run(struct ses_host *h, struct ses_op *op);
/* The configuration of a statement: the session's and its own. */
struct plan_config ses_config(const struct session *s, const struct ses_op *op, struct sl_arena *a);

/* One of the places for statements under way on its target; waits for it. False: it is to be given up. */
SL_MUST_CHECK bool ses_place_take(struct ses_host *h, struct ses_op *op);
void ses_place_leave(struct ses_host *h, struct ses_op *op);

/* --- walk.c */
enum ses_walk { SES_WALK_EXECUTE, SES_WALK_ANSWER, SES_WALK_INSERT, SES_WALK_SET, SES_WALK_SELECT };
struct ses_errand {
    enum ses_walk how;
    const struct sql_stmt *stmt;
    const struct sql_stmt *const *inserts; /* SET */
    size_t n_inserts;
    sl_str then[2]; /* statements whose answers are wanted behind it; "" = none */
};
/* A main() that replays what the statement can reach and does it. ret_then: the answers of `then`; columns of NULL where
 * there is none. */
SL_MUST_CHECK bool ses_walk(struct ses_host *h, struct ses_op *op, const struct ses_errand *e,
                            struct ses_table ret_then[2]);
/* The rows of a result as a table of texts and truth values; false: there is something else in it, or much. */
SL_MUST_CHECK bool ses_table_of(struct res_result *r, struct sl_arena *a, struct ses_table *ret);
/* inline.c: what main() said of statement `number` by exception text. ANSWERED: the operation has its answer; ret_then has the tables of
 * the statements behind it. */
enum ses_inline { SES_INLINE_NONE, SES_INLINE_ANSWERED, SES_INLINE_FAILED };
enum ses_inline ses_inline_answer(struct ses_op *op, const struct tgt_failure *f, uint32_t number,
                                  struct ses_table ret_then[2]);
/* The target of a session, ready for work. */
struct target *ses_target(struct ses_host *h, struct ses_op *op, struct tgt_cluster *ret, struct sl_err *err);

/* --- own.c: what the session knows of its own objects; on its worker */
/* Answers the statement as Flink would; false: it does not know for certain, and nothing was done. */
SL_MUST_CHECK bool ses_own_answer(struct ses_op *op, const struct sql_stmt *st);
/* Is it these words ("SHOW TABLES") and nothing else? */
bool ses_words_are(sl_str sql, const char *words);
/* The answer that Flink gave to such a statement. */
void ses_own_learn(struct ses_op *op, const struct sql_stmt *st, struct res_result *r);
/* What Flink said behind the statement that made the object. */
void ses_own_made(struct ses_op *op, sl_str object, bool create, const struct ses_table *t);
/* What was said may not hold any more. */
void ses_own_forget(struct session *s);

/* --- answer.c */
void ses_answer_ok(struct ses_op *op);
void ses_answer_job(struct ses_op *op, const char *job_id);
void ses_answer_text(struct ses_op *op, const char *column, sl_str text);
void ses_table_columns(struct ses_op *op, const char *const *names, size_t n);
void ses_table_row(struct ses_op *op, const sl_str *texts);
void ses_answer_config(struct ses_op *op, const struct plan_config *c);
void ses_answer_jars(struct ses_op *op);
SL_MUST_CHECK bool ses_answer_jobs(struct ses_host *h, struct ses_op *op, sl_str only);
SL_MUST_CHECK bool ses_stop_job(struct ses_host *h, struct ses_op *op, const struct sql_stmt *st);

#endif
