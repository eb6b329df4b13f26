/* SPDX-License-Identifier: Apache-2.0
 * Shows the events of a submission: to people (steps, diagnostics, rows in a form), or as JSON lines. */
#ifndef SLUICE_CLI_RUN_EVENTS_H
#define SLUICE_CLI_RUN_EVENTS_H

#include "gateway/cli/rows.h"
#include "sqlparse/sql.h"

struct cli_events_options {
    struct cli_rows_options rows;
    bool json, quiet, stack;
};
struct cli_events;
/* The script gives the source lines of diagnostics; it must outlive the object. */
struct cli_events *cli_events_new(const struct cli_events_options *o, const struct sql_script *script);
void cli_events_free(struct cli_events *e);
/* One line from the owner. True with the exit code when it was the call's answer. */
bool cli_events_line(struct cli_events *e, sl_str line, int *ret_code);
/* No more lines are at hand: what is held back is shown. */
void cli_events_flush(struct cli_events *e);
/* Ctrl-C was typed: on a terminal it gets a line of its own, unless rows are on their way. */
void cli_events_interrupted(struct cli_events *e);
/* The reader of stdout has gone. */
bool cli_events_reader_gone(const struct cli_events *e);
/* Something worth saying that no event says. */
void cli_events_note(struct cli_events *e, const char *text);
/* The owner cannot be reached or has gone: says so; returns the exit code. */
int cli_events_lost(struct cli_events *e, const struct sl_err *err);
/* The script has errors: shows them as the owner would; returns 3. */
int cli_events_local_errors(struct cli_events *e, struct sql_script *script);

/* Sends a request whose answer comes with events (id 1), and shows them to its end; Ctrl-C asks for one. The
 * exit code. (run.c) */
int cli_run_request(sl_str request, struct cli_events *ev);

#endif
