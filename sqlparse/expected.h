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

/* A failure looked at: the text as tokens, the culprit, and what could have stood there. */
struct sql_place {
    struct sl_arena *arena;
    sl_str text;
    sql_version version;
    struct sql_token *tokens; /* all tokens up to the culprit and a few behind it */
    size_t n, at;             /* number of tokens, index of the culprit */
    bool want[SQL_WANT_CODES];
};

/* The token at which Flink says "Encountered ...": the culprit, or where its parser last had to choose, up to
 * four tokens before, when the choice was made by looking further ahead (place.c). */
size_t sql_flink_place(const struct sql_place *pl);
/* The token at which, for Flink, the expression in front of the culprit is over: the culprit, or the operator
 * behind which no operand begins. */
size_t sql_expression_end(const struct sql_place *pl);

/* Finds out what is wrong: the run has a complaint or a syntax error. May parse the text again. */
void sql_explain_fault(struct sl_arena *a, struct sql_run *run, struct sql_fault *fault);

#endif
