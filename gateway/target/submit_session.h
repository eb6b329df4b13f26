/* SPDX-License-Identifier: Apache-2.0
 * A submission to a session cluster, whoever started it: the runner's main() under /jars/:id/run. Blocking. */
#ifndef SLUICE_TARGET_SUBMIT_SESSION_H
#define SLUICE_TARGET_SUBMIT_SESSION_H

#include "gateway/target/flink_rest.h"

/* The runner's one class with a main() that takes tasks. */
#define TGT_RUNNER_CLASS "org.sluice.runner.Runner"

/* Runs main() of the jar with that id. True when it ended well (also when it was to start no job and started none); false as
 * flink_rest_run says: `failure` then holds Java's words. */
SL_MUST_CHECK bool tgt_submit_session(const struct tgt_endpoint *at, const char *jar_id,
                                      const struct tgt_submit *s, struct sl_arena *a,
                                      struct tgt_failure *failure, struct sl_err *err);

#endif
