/* SPDX-License-Identifier: Apache-2.0
 * From which snapshot each statement of a script starts. A script with several INSERTs has one run, and one
 * snapshot, for each: they are matched by what the statement is (its text, else the tables it writes), never
 * by its place in the script alone. Also kept here: what a version was asked for with, so that it can be run
 * again. Safe from any thread; blocking. */
#ifndef SLUICE_JOBS_RESTORE_H
#define SLUICE_JOBS_RESTORE_H

#include "base/json.h"
#include "gateway/jobs/ledger.h"
#include "gateway/jobs/plan.h"
#include "gateway/jobs/snapshot.h"

extern const struct store_migration restore_migrations[]; /* ends with noun == NULL */

/* What a statement is: `digest` of its text as Flink gets it, `sinks` the tables it writes. */
struct restore_identity {
    char digest[72];
    char sinks[512];
};
void restore_identity_of(const struct plan_unit *u, struct restore_identity *ret);

/* How a run was started. */
struct restore_start {
    struct restore_identity what;
    char path[512]; /* of the snapshot; "" = fresh */
    bool lenient;   /* state that fits nowhere was allowed to be left behind */
};
SL_MUST_CHECK bool restore_note(struct store *s, const struct run *r, const struct restore_start *v,
                                struct sl_err *err);
/* False without an error (err->code stays SL_OK) when nothing is known of the run. */
SL_MUST_CHECK bool restore_start_of(struct store *s, const char *run, struct restore_start *ret,
                                    struct sl_err *err);

/* A run whose snapshot may be started from. */
struct restore_source {
    struct run run;
    struct restore_identity what;
    struct snapshot snapshot;
};
/* The newest submission of the job that has something to restore from: its runs that have, each with its newest
 * snapshot that is still there. `but`: a submission that is not meant (the one that asks). None: *ret_n 0. */
SL_MUST_CHECK bool restore_sources(struct store *s, struct ledger *l, const char *job, int64_t but,
                                   struct sl_arena *a, struct restore_source **ret, size_t *ret_n,
                                   struct sl_err *err);
/* For each statement the index of its source, or -1; no source is given twice. One statement and one source
 * belong together whatever they are. */
void restore_match(const struct restore_identity *units, size_t n_units, const struct restore_source *sources,
                   size_t n_sources, int *ret);

/* The parameters of script.submit that made a version; values of secret variables are left out. */
SL_MUST_CHECK bool restore_request_put(struct store *s, const char *job, int64_t version,
                                       const struct sl_json *params, const char *const *jars,
                                       struct sl_err *err);
/* Empty: none is kept (a version of an older Sluice). */
SL_MUST_CHECK bool restore_request_of(struct store *s, const char *job, int64_t version, struct sl_arena *a,
                                      sl_str *ret, struct sl_err *err);
/* Forgets what is kept of a job; inside a transaction that removes the job. */
SL_MUST_CHECK bool restore_forget(struct store_tx *tx, const char *job, struct sl_err *err);

#endif
