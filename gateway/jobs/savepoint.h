/* SPDX-License-Identifier: Apache-2.0
 * The deed of taking a savepoint of a run, with or without ending it. The trigger id is written down before
 * Flink is asked, so that whoever comes after a crash can find out what became of it. Blocking; for lane
 * threads. */
#ifndef SLUICE_JOBS_SAVEPOINT_H
#define SLUICE_JOBS_SAVEPOINT_H

#include "gateway/jobs/snapshot.h"
#include "gateway/jobs/submission.h"
#include "gateway/jobs/tracker.h"

struct savepoint_ask {
    const char *dir; /* URI or absolute path; NULL = where the cluster is configured to */
    bool stop, drain;
};
/* Takes it and waits for its outcome, at most limit.savepoint; with `stop` also for the end of the run. *ret is
 * what the store holds of it. Errors: savepoint-failed (Flink says why; the run goes on), job-state (the run
 * has ended, or Flink does not know its job yet), timeout (it is still under way: it stays pending, and is
 * settled later), target-unreachable. */
SL_MUST_CHECK bool savepoint_take(const struct sub_env *env, const struct run *r,
                                  const struct savepoint_ask *ask, struct snapshot *ret, struct sl_err *err);
/* Looks once what became of a pending one and writes it down. False: not known (yet). */
bool savepoint_settle(const struct sub_env *env, const struct run *r, struct snapshot *s);

/* The path without scheme of a snapshot that lies on this machine ("file:/x", "file:///x", "/x"), or NULL. */
const char *savepoint_local_path(sl_str path);
/* False when it can be told from here that nothing lies there (its _metadata is away). */
bool savepoint_is_there(const char *path);

#endif
