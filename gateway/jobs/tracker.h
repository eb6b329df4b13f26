/* SPDX-License-Identifier: Apache-2.0
 * The tracker: knows every run that has not ended, asks its target how it is, and keeps the ledger true. Its
 * own thread (the track lane). Safe from any thread. */
#ifndef SLUICE_JOBS_TRACKER_H
#define SLUICE_JOBS_TRACKER_H

#include "gateway/jobs/ledger.h"

struct tracker;
typedef struct target *(*tracker_target)(void *ctx, const char *name, const char *flink);

/* Runs its own loop on a thread of its own. */
struct tracker *tracker_start(struct ledger *l, tracker_target target, void *target_ctx);
void tracker_stop(struct tracker *t);

/* Where the logs of ended runs are kept, a folder for each; before the first run is added. */
void tracker_keep_in(struct tracker *t, const char *dir);

/* Takes a run under watch (copied). The ledger must hold it already. */
void tracker_add(struct tracker *t, int64_t submission, const struct run *r);
/* The run as last seen; false when it is not under watch. */
bool tracker_get(struct tracker *t, const char *run_id, struct run *ret);
/* The run with the change of state it stands on (the body of its newest "state" event, in the arena, and when),
 * both of one moment: what is seen waits to be written, and the ledger's newest event may be an older one.
 * SL_STR_NONE: none since it is under watch; the ledger's newest is the one then. */
bool tracker_get_known(struct tracker *t, const char *run_id, struct sl_arena *a, struct run *ret,
                       sl_str *ret_json, int64_t *ret_at_ms);
/* Waits until the run runs with all its tasks or has ended / until it has ended; false on timeout. Asks more
 * often while somebody waits. */
bool tracker_wait_running(struct tracker *t, const char *run_id, int64_t timeout_ms, struct run *ret);
bool tracker_wait_ended(struct tracker *t, const char *run_id, int64_t timeout_ms, struct run *ret);
/* Notes how a run failed (the first note wins). */
void tracker_note_error(struct tracker *t, const char *run_id, const char *code, const char *msg,
                        const char *hint, const char *place);
/* The run's cluster and Flink job are known from now on: it is asked for. An empty flink_job keeps it
 * SUBMITTING. */
void tracker_started(struct tracker *t, const char *run_id, const struct tgt_cluster *c,
                     const char *flink_job);
/* It never became a Flink job, or its end was seen by other means. */
void tracker_finish(struct tracker *t, const char *run_id, const char *state);
/* What is wanted of it ("running", "suspended", "gone"), in the ledger when this returns. */
void tracker_want(struct tracker *t, const char *run_id, const char *wanted);
/* Java's words of its newest failure, which it may have survived; false: none. */
bool tracker_failure(struct tracker *t, const char *run_id, struct sl_arena *a, struct tgt_failure *ret);
/* No more jobs come from this application: its cluster is released when the runs it has have ended. */
void tracker_application_done(struct tracker *t, const char *cluster_id);
/* Asks the target to cancel a run; true when Flink took it on, or when the run has ended already. */
SL_MUST_CHECK bool tracker_ask_cancel(struct tracker *t, const char *run_id, struct sl_err *err);
/* Waits until a run that was asked to end has ended; false when the time is over. */
SL_MUST_CHECK bool tracker_await_cancel(struct tracker *t, const char *run_id, int64_t timeout_ms,
                                        struct sl_err *err);
/* Both. */
SL_MUST_CHECK bool tracker_cancel(struct tracker *t, const char *run_id, int64_t timeout_ms,
                                  struct sl_err *err);
/* Asks for every run now and waits until each has been asked, or the time is over. */
void tracker_look(struct tracker *t, int64_t timeout_ms);
size_t tracker_active(struct tracker *t);
/* Each run that has not ended; `see` is called under the lock and does nothing but look. */
void tracker_each(struct tracker *t, void (*see)(void *ctx, const struct run *r), void *ctx);

/* For benches and tests. How many looks took how long, in classes of time. */
#define TRACKER_CLASSES 1024
struct tracker_times {
    uint64_t n[TRACKER_CLASSES];
};
void tracker_times_add(struct tracker_times *sum, const struct tracker_times *more);
/* The time that so many of a thousand did not exceed, to 3 %. */
int64_t tracker_times_us(const struct tracker_times *t, int permille);
struct tracker_figures {
    uint64_t looks, blind; /* that ended; that saw nothing */
    uint64_t late;         /* ended more than an interval after the next was due */
    int64_t worst_us;
    struct tracker_times began; /* from when it was due to the first request */
    struct tracker_times took;  /* from when it was due to its end; of those that saw something */
};
void tracker_figures(struct tracker *t, struct tracker_figures *ret);
void tracker_figures_reset(struct tracker *t);

#endif
