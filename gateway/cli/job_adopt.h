/* SPDX-License-Identifier: Apache-2.0
 * sluice job adopt TARGET/FLINK_JOB_ID. */
#ifndef SLUICE_CLI_JOB_ADOPT_H
#define SLUICE_CLI_JOB_ADOPT_H

/* argv[0] is "adopt"; returns the exit code. */
int cli_job_adopt(int argc, char **argv);

#endif
