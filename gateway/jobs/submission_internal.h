/* SPDX-License-Identifier: Apache-2.0
 * What the files of the pipeline share: submission.c (the way), submission_open.c (bundle, key, record),
 * submission_jars.c, submission_runs.c (intent, wait, end), submission_steps.c (what is said), session_mode.c
 * and application_mode.c (how jobs get to Flink), rows.c (a result goes to its reader), failure.c (Java's words
 * become a diagnostic). Included by those only. */
#ifndef SLUICE_JOBS_SUBMISSION_INTERNAL_H
#define SLUICE_JOBS_SUBMISSION_INTERNAL_H

#include "gateway/jobs/preflight.h"
#include "gateway/jobs/submission.h"
#include "gateway/jobs/task.h"
#include "gateway/jobs/tracker.h"
#include "gateway/target/target.h"
#include "sys/clock.h"

#include <pthread.h>

/* A run that was started and is not waited for by the script. */
struct started_run {
    char id[RUN_ID_HEX + 1];
    const struct plan_unit *unit;
    int64_t since_ms;
    bool told;       /* "running" was said */
    int64_t well_ms; /* monotonic: since when it runs with all its tasks and without a restart; 0 = not now */
    int restarts;    /* then */
};

struct shown_result {
    int number;
    uint64_t rows;
    const char *state;
};

struct shown_run {
    char id[RUN_ID_HEX + 1];
    sl_str name;
};

/* What an owner that died has left of a submission. */
struct sub_past {
    int64_t submission, version;
    char body[80];
    struct run *runs; /* in the order in which they were made */
    size_t n_runs;
    struct ledger_step *steps;
    size_t n_steps;
};

struct sub {
    const struct sub_env *env;
    const struct sub_request *rq;
    const struct event_sink *sink;
    struct sl_arena *arena;
    struct sql_script script;
    struct plan plan;
    struct target *target;
    struct tgt_cluster cluster; /* session cluster in use */
    struct ledger_opened opened;
    struct live *live;           /* since its key was taken */
    const struct sub_past *past; /* NULL: it begins here */
    char body[72];               /* digest of what it asks for */
    const char *results_address;
    char digest[72];
    const char **jars;        /* as given; NULL-terminated */
    const char **jar_digests; /* of each, 64 hex digits */
    const char **sent_jars;   /* what Flink is given: the kept ones of a version, else `jars` */
    int64_t start_ms;         /* monotonic */
    int exit_code;            /* of the submission so far */
    bool interrupted, timed_out;
    sl_str answer;                    /* of the submission that had the key before */
    SL_VEC(struct ledger_step) early; /* steps made before there was a record of the submission */
    int results;                      /* numbered from 1 */
    struct preflight *preflight;      /* what the script names is being tried; NULL: nothing is, or no more */
    int64_t waiting_ms;               /* monotonic: when it was last asked what a job waits for */
    int waiting_slots;                /* said last */
    bool reached;                     /* the results port was tried from a TaskManager, or need not be */
    const struct restore_source **starts; /* by unit of the plan; NULL = fresh */
    struct restore_source *sources;       /* that can be started from */
    size_t n_sources;
    int64_t replaces; /* id of the replacement; 0 = none */
    int64_t old_version;
    struct run *old_runs; /* that it replaces */
    size_t n_old_runs;
    struct restore_source *old; /* those of them that were stopped */
    size_t n_old;
    SL_VEC(struct started_run) started;
    SL_VEC(struct shown_result) shown_results;
    SL_VEC(struct shown_run) shown_runs;
};

/* True when the client wants an end, or the time is over; latches. Asked in every wait, it also says what the preflight
 * has found. */
bool sub_stopping(struct sub *s);
/* A new run record for a unit, written as intent and under watch. */
SL_MUST_CHECK bool sub_intend(struct sub *s, const struct plan_unit *u, const char *kind, struct run *ret);
/* Says the failure of a unit: translated, at its statement; sets the exit code; notes it at the run (may be
 * NULL). */
void sub_fail_unit(struct sub *s, const struct plan_unit *u, const char *run_id, const struct tgt_failure *f);
/* Says an error that belongs to no statement. */
void sub_fail(struct sub *s, const struct sl_err *err);
/* Goes on with a submission, with what is left of it, to its end. */
void sub_continue(const struct sub_env *env, const struct sub_request *rq, const struct sub_past *past,
                  struct live *live, struct sl_arena *a);
/* The run that was made of a unit before; NULL: none. */
struct run *sub_past_run(struct sub *s, const struct plan_unit *u);
/* Statements with effects outside the session are marked before they are sent and when they are done: a
 * "running" one that nobody has confirmed is never sent again. "" = it was not sent. */
#define SUB_EFFECT "effect"
const char *sub_past_mark(struct sub *s, const struct plan_unit *u);
SL_MUST_CHECK bool sub_effect_begins(struct sub *s, const struct plan_unit *u);
void sub_effect_done(struct sub *s, const struct plan_unit *u);
/* What became of a job that was sent, and whose answer did not come? */
enum sub_fate {
    SUB_RUNS,      /* Flink knows it (it may have ended) */
    SUB_NOT_THERE, /* the same JobManager does not know it: it may be sent again under its id */
    SUB_LOST,      /* that JobManager has ended: nobody can tell */
    SUB_UNKNOWN    /* nobody answers: it stays under watch */
};
/* Asked until somebody answers, at most for patience_ms. */
enum sub_fate sub_ask_fate(struct sub *s, const struct run *r, int64_t patience_ms);
/* Says that nobody can tell whether it runs, notes it at the run (may be NULL), ends the submission. */
void sub_lose(struct sub *s, const char *run_id, const char *why);
/* Says that the job's name is in use (by that run; "": by a submission without one yet), and in how many
 * statements the file differs. */
void sub_refuse_name(struct sub *s, const char *run_id);
/* "INSERT, line 20" or the job's name. */
sl_str sub_unit_label(struct sub *s, const struct plan_unit *u);
void sub_step(struct sub *s, const char *step, const char *state, int64_t since_ms, const struct plan_unit *u,
              const char *run_id, const char *fmt, ...) SL_PRINTF(7, 8);
/* What is said of a step is also recorded; before the submission is open it waits for that. */
void sub_say(struct sub *s, const struct event_step *e);

/* The jars of --jar and ADD JAR as absolute paths of files that are there, with their digests. False: said. */
SL_MUST_CHECK bool sub_jars_gather(struct sub *s);
/* Jars of a version are kept before it is run: it may have to be run again. False: said. */
SL_MUST_CHECK bool sub_jars_keep(struct sub *s);

/* The bundle of the script as it will be sent; fills the digest. */
void sub_bundle(struct sub *s, struct sl_buf *b);
/* Takes the key and writes the record. False: there is nothing left to do (refused, or answered by who has the
 * key already), and this was said. */
SL_MUST_CHECK bool sub_open(struct sub *s);
/* Of a submission that goes on: is what is left of it still what the script asks for? False: said. */
SL_MUST_CHECK bool sub_reopen(struct sub *s);

/* Chooses for each statement what it starts from, and puts that into its configuration. False: said. */
SL_MUST_CHECK bool sub_restore_choose(struct sub *s);
bool sub_restores(const struct sub *s, const struct plan_unit *u);
/* Writes down how the run was started. */
SL_MUST_CHECK bool sub_restore_note(struct sub *s, const struct plan_unit *u, const struct run *r,
                                    struct sl_err *err);
/* Is it well: do all its tasks run without a restart for a while, and is its snapshot among what Flink says was
 * restored? SUB_NOT_WELL: it had its time, and this was said. */
enum sub_well { SUB_NOT_YET, SUB_WELL, SUB_NOT_WELL };
enum sub_well sub_restore_look(struct sub *s, struct started_run *st, const struct run *r);

/* --replace: takes the job's running version as what is replaced; stops it with savepoints, from which this
 * submission's statements start. False: said. */
SL_MUST_CHECK bool sub_replace_begin(struct sub *s);
/* Is there a place for the state of what runs, as far as the plans tell? False: said, and nothing was stopped. */
SL_MUST_CHECK bool sub_replace_fits(struct sub *s);
SL_MUST_CHECK bool sub_replace_stop(struct sub *s);
/* After the last run was started: done, or back to the old version. */
void sub_replace_end(struct sub *s);

/* A request to the target on a thread of its own, so that its submission can still be stopped. */
struct sub_call {
    pthread_t thread;
    struct target *target;
    struct tgt_submit submit;
    struct sl_arena arena;
    struct tgt_cluster cluster;
    struct tgt_failure failure;
    struct sl_err err;
    bool ok, done; /* done is read and written atomically */
};
void sub_call_start(struct sub_call *c, struct target *t, const struct tgt_submit *s);
bool sub_call_done(struct sub_call *c);
/* Waits for its end; the arena then holds the answer until sub_call_release. */
void sub_call_join(struct sub_call *c);
void sub_call_release(struct sub_call *c);

/* Reads a result to its end, to `max` rows, to the time limit, or until stopped. */
enum rows_end { ROWS_COMPLETE, ROWS_LIMIT, ROWS_STOPPED, ROWS_BROKEN };
struct rows_watch {
    /* Asked now and then while no row comes; false = nothing will ever come (the unit has failed). */
    bool (*alive)(void *ctx);
    /* The first row is here, and not yet shown. */
    void (*first)(void *ctx);
    void *ctx;
};
enum rows_end sub_rows(struct sub *s, struct res_result *r, uint32_t statement, uint64_t max,
                       const struct rows_watch *watch, uint64_t *ret_rows);
/* Says "running, all N tasks, first row after T" of a streaming SELECT. */
void sub_tell_first_row(struct sub *s, const struct plan_unit *u, const char *run_id, int64_t since_ms);
/* Says "stopped, N rows shown, job ended". */
void sub_tell_stopped(struct sub *s, const struct plan_unit *u, const char *run_id, uint64_t rows,
                      bool by_person);
/* The rows of an answer (all there when called). */
void sub_answer_rows(struct sub *s, struct res_result *r, uint32_t statement);

/* Does the failure carry the runner's answer (it could not reach the results port)? Its rows and its
 * "unreachable" are said here; a failure inside it comes back, with its statement. */
enum inline_answer { INLINE_NONE, INLINE_ANSWERED, INLINE_FAILED, INLINE_UNREACHABLE };
enum inline_answer sub_inline_answer(struct sub *s, const struct tgt_failure *f,
                                     struct tgt_failure *ret_failure, uint32_t *ret_statement);

/* A job that does not run yet: says when it waits for slots, now and then. */
void sub_tell_waiting(struct sub *s, const struct plan_unit *u, const char *run_id, int64_t since_ms);
/* On a foreign cluster, before the first SELECT: can its TaskManagers reach the results port? False: they cannot, and
 * this was said. */
SL_MUST_CHECK bool sub_results_reachable(struct sub *s);
/* Is it a sink that could not reach the results port? Then this is said. */
bool sub_fail_unreachable(struct sub *s, const struct tgt_failure *f);

/* Both return when every unit was done, failed (exit code set) or stopped. */
void sub_session(struct sub *s);
void sub_application(struct sub *s);
/* Statements with effects outside the session, in front of an application. */
SL_MUST_CHECK bool sub_session_effects(struct sub *s);
/* Asks for an answer (EXPLAIN, say) where unit `at` stands. False: it failed, or something in front of it has
 * effects outside the session. */
SL_MUST_CHECK bool sub_session_explain(struct sub *s, const struct plan_unit *at,
                                       const struct plan_unit *asked);
/* Waits for the runs in `started` (unless detached), ends them when stopped. */
void sub_wait_started(struct sub *s);
/* The run ended: says how. False when it failed. */
bool sub_tell_end(struct sub *s, const struct run *r, const struct plan_unit *u, int64_t since_ms);
/* Statements that Sluice answers itself. */
void sub_local_answer(struct sub *s, const struct plan_unit *u);

#endif
