/* SPDX-License-Identifier: Apache-2.0
 * Would state be lost if a run were canceled now? Blocking: it asks the run's cluster. */
#ifndef SLUICE_JOBS_LOSS_H
#define SLUICE_JOBS_LOSS_H

#include "gateway/jobs/savepoint.h"

/* True: a streaming run that keeps state and has neither a savepoint nor a checkpoint that stays after a
 * cancel. ret_what names the operator that keeps it ("GroupAggregate"). A cluster that does not answer gives
 * false: its run cannot be canceled either. */
bool loss_of_cancel(const struct sub_env *env, const struct run *r, char ret_what[64]);
/* The first operator in a vertex' name ("GroupAggregate[5] -> Sink: t[6]") that keeps keyed state. */
bool loss_stateful_name(sl_str vertex, char ret_what[64]);

#endif
