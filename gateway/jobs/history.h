/* SPDX-License-Identifier: Apache-2.0
 * What became of a job over time: its versions, the runs of each, and what is forgotten when the job is
 * removed. Reads what ledger.h and snapshot.h keep. Safe from any thread; blocking. */
#ifndef SLUICE_JOBS_HISTORY_H
#define SLUICE_JOBS_HISTORY_H

#include "gateway/jobs/ledger.h"

struct history_version {
    int64_t number, made_ms;
    char digest[80], made_by[64];
    char why[256];
};
/* Newest first; none for a name that no job has. */
SL_MUST_CHECK bool history_versions(struct store *s, const char *job, struct sl_arena *a,
                                    struct history_version **ret, size_t *ret_n, struct sl_err *err);
/* Is there a job of that name? */
SL_MUST_CHECK bool history_knows(struct store *s, const char *job, bool *ret, struct sl_err *err);

struct history_event {
    int64_t number, at_ms;
    const char *kind;
    sl_str body; /* JSON */
};
/* At most `max` events of a run behind number `since`, oldest first, in the arena, fewer when they are long; *ret_ended: the run
 * has ended, and with *ret_n == 0 there are none behind. */
SL_MUST_CHECK bool history_events(struct store *s, const char *run, int64_t since, size_t max,
                                  struct sl_arena *a, struct history_event **ret, size_t *ret_n,
                                  bool *ret_ended, struct sl_err *err);

struct history_gone {
    int64_t versions, runs, snapshots;
};
/* Forgets a job whose runs have all ended: versions, runs, events, snapshots. Its submissions stay (their keys
 * stay used), and so do the files of its snapshots. job-state while a run lives, job-unknown. */
SL_MUST_CHECK bool history_forget(struct store *s, const char *job, struct history_gone *ret,
                                  struct sl_err *err);

#endif
