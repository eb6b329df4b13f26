/* SPDX-License-Identifier: Apache-2.0
 * One statement through the grammar. The text is one statement without its final ';' (variables already
 * replaced); the answer is a tree, or exactly one diagnostic that says where and why not. */
#ifndef SLUICE_SQLPARSE_PARSE_H
#define SLUICE_SQLPARSE_PARSE_H

#include "sqlparse/ast.h"
#include "sqlparse/token.h"

/* What is wrong with a statement; offsets are into the text that was parsed. Texts live in the arena. */
struct sql_fault {
    enum sl_code code; /* SL_OK: nothing */
    uint32_t off, len;
    sl_str msg, hint;
    sl_str flink;        /* Flink's own words, where it has fixed ones */
    sl_str second_label; /* set: the place second_off/len is shown too */
    uint32_t second_off, second_len;
};

/* Parses `text` for the version. True: *ret is the tree (NULL for what is carried verbatim: client commands
 * such as SET k = v without quotes). False: *fault says why. `kind` as sqlparse/kind.c decided it; it selects
 * the rules of the client commands. Everything is allocated in `a`. */
SL_MUST_CHECK bool sql_parse_text(struct sl_arena *a, sl_str text, sql_version version, enum sql_kind kind,
                                  const struct sql_node **ret, struct sql_fault *fault);

/* The same for a statement of a script: parses st->sql, sets st->ast, and on failure adds one diagnostic at
 * the place in the file as written and marks the statement bad. False when a diagnostic was added. */
bool sql_grammar_parse(struct sql_script *s, struct sql_stmt *st);

/* Tokens the grammar would take after the first `n_before` tokens of `text`: sets want[code], returns how many.
 * `want` has SQL_TOKEN_CODES entries. For completion and messages. */
#define SQL_TOKEN_CODES 512
size_t sql_parse_expected(struct sl_arena *a, sl_str text, sql_version version, size_t n_before,
                          bool want[SQL_TOKEN_CODES]);

#endif
