/* SPDX-License-Identifier: Apache-2.0
 * Logs of a running cluster over its REST. Blocking. */
#ifndef SLUICE_FLINK_LOGS_H
#define SLUICE_FLINK_LOGS_H

#include "gateway/target/flink_rest.h"

/* `which`: "jobmanager", "taskmanager" (all of them, one after the other under their ids), or one of these as
 * flink_taskmanager_find() takes it; the last `tail` lines of each (0 = all). In the arena. */
SL_MUST_CHECK bool flink_logs(struct flink_rest *r, const char *which, size_t tail, struct sl_arena *a,
                              sl_str *ret, struct sl_err *err);
/* The id of the TaskManager that is called so, or alone begins so. SL_NOT_FOUND: none; the hint lists those that are
 * there. */
SL_MUST_CHECK bool flink_taskmanager_find(struct flink_rest *r, const char *id, struct sl_arena *a,
                                          const char **ret, struct sl_err *err);

#endif
