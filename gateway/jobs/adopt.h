/* SPDX-License-Identifier: Apache-2.0
 * A job that Sluice did not start, on a cluster of others: from now on it is followed, can be stopped and has its snapshots
 * recorded as any other. Its version holds no script. Blocks on the cluster and the store. */
#ifndef SLUICE_JOBS_ADOPT_H
#define SLUICE_JOBS_ADOPT_H

#include "gateway/jobs/submission.h"

/* `flink_job`: Flink's id or a unique beginning of it, at least 6 digits. `name`: empty = as Flink calls it. Errors:
 * job-unknown, job-state (it has ended), job-exists (the name is in use, or a run follows it already), and those of the
 * target. */
SL_MUST_CHECK bool job_adopt(const struct sub_env *env, sl_str target, sl_str flink_job, sl_str name,
                             sl_str owner, struct run *ret, struct sl_err *err);

#endif
