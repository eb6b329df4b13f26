/* SPDX-License-Identifier: Apache-2.0
 * The settings of this command: flags that every verb takes, the environment, the settings file. */
#ifndef SLUICE_CLI_SETTINGS_H
#define SLUICE_CLI_SETTINGS_H

#include "sys/config.h"

/* Reads environment and file, takes --config KEY=VALUE, --data FOLDER and --log-level LEVEL (wherever they stand
 * before a "--") out of argv, and puts the limits in force. Once, first thing in main(). False: `usage`,
 * config-unknown, config-value, yaml, file-not-found. */
SL_MUST_CHECK bool cli_settings_load(int *argc, char **argv, struct sl_err *err);
/* Never NULL; the defaults before they were loaded. */
const struct sys_config *cli_settings(void);
/* The flags above, for `sluice --help`. */
extern const char cli_settings_help[];

#endif
