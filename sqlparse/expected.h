/* SPDX-License-Identifier: Apache-2.0
 * From a run that failed to one readable fault. Private to sqlparse. */
#ifndef SLUICE_SQLPARSE_EXPECTED_H
#define SLUICE_SQLPARSE_EXPECTED_H

#include "sqlparse/actions.h"
#include "sqlparse/parse.h"

/* One run of the grammar over a text. */
struct sql_run {
    struct sql_parse parse;
    struct sql_feed feed;
    size_t tokens; /* taken in before the end or the failure */
};
void sql_parse_run(struct sl_arena *a, sl_str text, sql_version version, struct sql_run *run);

/* Finds out what is wrong: the run has a complaint or a syntax error. May parse the text again. */
void sql_explain_fault(struct sl_arena *a, struct sql_run *run, struct sql_fault *fault);

#endif
