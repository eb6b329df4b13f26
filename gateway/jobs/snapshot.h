/* SPDX-License-Identifier: Apache-2.0
 * Records of the noun snapshot: every checkpoint and savepoint of every run, with what can still be restored
 * from. A snapshot only goes forward: pending, then completed or failed, then gone; a later put never takes
 * it back, so that looks which overlap do no harm. Every write returns after it is on disk. Safe from any
 * thread; blocking, never on the loop. */
#ifndef SLUICE_JOBS_SNAPSHOT_H
#define SLUICE_JOBS_SNAPSHOT_H

#include "gateway/jobs/run.h"
#include "store/store.h"

extern const struct store_migration snapshot_migrations[]; /* ends with noun == NULL */

enum snapshot_kind { SNAPSHOT_CHECKPOINT, SNAPSHOT_SAVEPOINT };
enum snapshot_state { SNAPSHOT_PENDING, SNAPSHOT_COMPLETED, SNAPSHOT_FAILED, SNAPSHOT_GONE };
extern const char *const snapshot_kind_names[];  /* "checkpoint", "savepoint" */
extern const char *const snapshot_state_names[]; /* "pending", "completed", "failed", "gone" */

struct snapshot {
    int64_t id;         /* the store's; 0 = not known */
    char job[129];      /* name; "" for a run without one */
    int64_t version;    /* of the job that the run is of; filled by reads */
    uint32_t statement; /* of the script; filled by reads */
    char run[RUN_ID_HEX + 1];
    enum snapshot_kind kind;
    int64_t number; /* Flink's id; 0 = not known (a savepoint that was asked for) */
    enum snapshot_state state;
    char path[512];      /* where it lies, as Flink says it; "" = Flink keeps it to itself: not restorable */
    char trigger_id[33]; /* savepoint: what we asked with, 32 hex; checkpoint: "" */
    int64_t bytes, duration_ms;
    int64_t at_ms;    /* epoch: when Flink began it; of a savepoint that is pending, when it was asked for */
    char reason[256]; /* why it failed or is gone */
};

/* Inserts or updates: a checkpoint is known by run and number, a savepoint by its trigger id. `id`, `version`
 * and `statement` are not read. put_all is one transaction. */
SL_MUST_CHECK bool snapshot_put(struct store *s, const struct snapshot *v, struct sl_err *err);
SL_MUST_CHECK bool snapshot_put_all(struct store *s, const struct snapshot *v, size_t n, struct sl_err *err);

/* Newest first; job and run may each be NULL = any. */
SL_MUST_CHECK bool snapshot_list(struct store *s, const char *job, const char *run, size_t limit,
                                 struct sl_arena *a, struct snapshot **ret, size_t *ret_n,
                                 struct sl_err *err);
/* The newest completed one with a path, of any run of the job (run NULL) or of that run. False without an
 * error (err->code stays SL_OK) when there is none. */
SL_MUST_CHECK bool snapshot_latest(struct store *s, const char *job, const char *run, struct snapshot *ret,
                                   struct sl_err *err);
/* Savepoints that were asked for and whose outcome nobody has seen, oldest first. */
SL_MUST_CHECK bool snapshot_pending(struct store *s, struct sl_arena *a, struct snapshot **ret, size_t *ret_n,
                                    struct sl_err *err);

/* One that is no longer there (its files are away, Flink discarded it). */
SL_MUST_CHECK bool snapshot_gone(struct store *s, int64_t id, const char *reason, struct sl_err *err);
/* Flink keeps the newest `keep` completed checkpoints of a run: older ones become gone. keep 0 = none stays
 * (a run that ended and did not retain them). Savepoints stay. */
SL_MUST_CHECK bool snapshot_keep_newest(struct store *s, const char *run, int64_t keep, const char *reason,
                                        struct sl_err *err);
/* How many there are of a run, by state, and the highest checkpoint number seen (0 = none): for gaps. */
struct snapshot_counts {
    int64_t checkpoints[SNAPSHOT_GONE + 1], savepoints[SNAPSHOT_GONE + 1], highest;
};
SL_MUST_CHECK bool snapshot_count(struct store *s, const char *run, struct snapshot_counts *ret,
                                  struct sl_err *err);

#endif
