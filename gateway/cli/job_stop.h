/* SPDX-License-Identifier: Apache-2.0
 * sluice job stop|savepoint|cancel|history|rollback|rm: the verbs of `job` that end runs and keep their state. */
#ifndef SLUICE_CLI_JOB_STOP_H
#define SLUICE_CLI_JOB_STOP_H

#include <stdbool.h>

/* Runs the verb; argv[0] is it. False: it is none of these. *ret_code: the exit code. */
bool cli_job_stop(int argc, char **argv, int *ret_code);

/* sluice job rollback; argv[0] is the verb. The exit code. */
int cli_job_rollback(int argc, char **argv);

#endif
