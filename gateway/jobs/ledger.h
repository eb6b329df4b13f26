/* SPDX-License-Identifier: Apache-2.0
 * The ledger: jobs, versions, runs, submissions and events in the store, intent first. Every write returns
 * after it is on disk. Safe from any thread. */
#ifndef SLUICE_JOBS_LEDGER_H
#define SLUICE_JOBS_LEDGER_H

#include "gateway/jobs/run.h"
#include "store/store.h"

extern const struct store_migration ledger_migrations[]; /* ends with noun == NULL */

struct ledger;
struct ledger *ledger_new(struct store *s);
void ledger_free(struct ledger *l);
/* The store below, for nouns with files of their own (snapshot.h). */
struct store *ledger_store(struct ledger *l);

/* A submission: one way through the pipeline. */
struct ledger_submission {
    const char *key;    /* Idempotency-Key, 1 to 128 bytes */
    const char *job;    /* name; "" = interactive only (no INSERT) */
    const char *owner;  /* user */
    const char *digest; /* of the bundle */
    sl_str bundle;      /* JSON */
    sl_str source;      /* JSON of the files as given, for positions later */
    const char *target;
    enum tgt_mode mode;
};
struct ledger_opened {
    int64_t submission; /* id */
    int64_t version;    /* number within the job; the old one when its digest is the same */
    bool known;         /* the key was used before: nothing was written */
};
SL_MUST_CHECK bool ledger_open(struct ledger *l, const struct ledger_submission *s, struct ledger_opened *ret,
                               struct sl_err *err);
SL_MUST_CHECK bool ledger_close(struct ledger *l, int64_t submission, bool ok, sl_str result_json,
                                struct sl_err *err);
/* Closes the submissions that an owner that died has left open: failed, `owner`. At its start only. */
SL_MUST_CHECK bool ledger_close_lost(struct ledger *l, struct sl_err *err);
/* The stored answer of a submission with this key; false when there is none or it has not ended. */
bool ledger_answer(struct ledger *l, const char *key, struct sl_arena *a, sl_str *ret_json);

/* Inserts or replaces the whole record. */
SL_MUST_CHECK bool ledger_run_put(struct ledger *l, int64_t submission, const struct run *r,
                                  struct sl_err *err);
/* Numbered event of a job or run. */
SL_MUST_CHECK bool ledger_event(struct ledger *l, const struct run *r, const char *kind, sl_str json,
                                struct sl_err *err);

/* Runs newest first; job NULL = all; `active` = only those that have not ended; `interactive` = also SELECTs.
 */
SL_MUST_CHECK bool ledger_runs(struct ledger *l, const char *job, bool active, bool interactive, size_t limit,
                               struct sl_arena *a, struct run **ret, size_t *ret_n, struct sl_err *err);
/* By id, unique prefix (>= 6) or job name (its newest run). job-unknown with near names in the hint. */
SL_MUST_CHECK bool ledger_find(struct ledger *l, const char *what, struct run *ret, struct sl_err *err);
/* Source files of a version (JSON as stored). */
SL_MUST_CHECK bool ledger_source(struct ledger *l, const char *job, int64_t version, struct sl_arena *a,
                                 sl_str *ret, struct sl_err *err);
/* Facts of a job that `job show` prints. */
struct ledger_job {
    char owner[64], digest[80];
    int64_t version_ms; /* when the version was made */
    int64_t versions;
};
SL_MUST_CHECK bool ledger_job(struct ledger *l, const char *job, int64_t version, struct ledger_job *ret,
                              struct sl_err *err);

#endif
