/* SPDX-License-Identifier: Apache-2.0
 * The command line: one file per verb, one table of verbs (sluice_main.c). */
#ifndef SLUICE_CLI_H
#define SLUICE_CLI_H

#include "base/err.h"

struct cli_verb {
    const char *name;                   /* "check", "job" */
    const char *summary;                /* one line of `sluice --help` */
    const char *usage;                  /* whole text of `sluice VERB --help` */
    int (*exec)(int argc, char **argv); /* argv[0] is the verb; returns the exit code */
    bool hidden;
};

extern const struct cli_verb cli_check, cli_fmt, cli_split, cli_render, cli_run, cli_job, cli_owner,
    cli_flink, cli_lineage, cli_complete, cli_hover, cli_doctor, cli_serve, cli_token, cli_supervise,
    cli_target, cli_resolve, cli_connector, cli_artifact, cli_image, cli_backup, cli_restore, cli_config,
    cli_version;
extern const struct cli_verb *const cli_verbs[]; /* NULL-terminated, in the order of the help */

/* Prints "error[slug]: message" and "  = hint: ..." to stderr; returns the exit code of the error. */
int cli_print_error(const struct sl_err *err);
/* The same as one error event of docs/events.md on stdout. */
int cli_print_error_json(const struct sl_err *err);
/* Prints "sluice VERB: message" and where the help is, to stderr; returns 2. */
int cli_usage(const char *verb, const char *fmt, ...) SL_PRINTF(2, 3);
/* Reads the connector files that the setting `connectors` names; once, before threads. 0, or the exit code (said). */
int cli_connectors_load(void);
/* A set of Flink versions (catalog/connectors.h) as "1.20, 2.2". */
struct sl_arena;
sl_str cli_flinks_text(struct sl_arena *a, uint8_t bits);
bool cli_is_help(int argc, char **argv);

#endif
