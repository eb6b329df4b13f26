/* SPDX-License-Identifier: Apache-2.0
 * One statement through the grammar. The text is one statement without its final ';' (variables already
 * replaced); the answer is a tree, or exactly one fault that says where and why not. */
#ifndef SLUICE_SQLPARSE_PARSE_H
#define SLUICE_SQLPARSE_PARSE_H

#include "sqlparse/ast.h"
#include "sqlparse/token.h"

/* What is wrong with a statement; offsets are into the text that was parsed. Texts live in the arena. */
struct sql_fault {
    enum sl_code code; /* SL_OK: nothing */
    uint32_t off, len; /* len 0: the end of the text */
    sl_str msg, hint;
    sl_str flink; /* Flink's own words, where it has fixed ones; may be empty */
};

/* Parses `text` for the version. True: *ret is the tree (NULL for client commands such as SET k = v without
 * quotes, which are no matter of the grammar). False: *fault says why. Everything is allocated in `a`. */
SL_MUST_CHECK bool sql_parse_text(struct sl_arena *a, sl_str text, sql_version version,
                                  const struct sql_node **ret, struct sql_fault *fault);

/* Also marks where identifiers begin, words that only stand for names among them: one bit per byte of the
 * text, lowest first, in `names` (zeroed by the caller, text.n / 8 + 1 bytes; NULL: not wanted). */
SL_MUST_CHECK bool sql_parse_names(struct sl_arena *a, sl_str text, sql_version version, uint8_t *names,
                                   const struct sql_node **ret, struct sql_fault *fault);

/* The same for a statement of a script: parses st->sql, sets st->ast, and on failure adds one diagnostic at
 * the place in the file as written and marks the statement bad. False when a diagnostic was added. */
bool sql_grammar_parse(struct sql_script *s, struct sql_stmt *st);

/* The terminals the grammar would take after the first `n_before` tokens of `text`: sets want[code] for
 * SQL_WANT_CODES entries. Names that stand for soft keywords show as TK_IDENT. False when the text goes wrong
 * earlier. For messages and completion. */
#define SQL_WANT_CODES 512
bool sql_parse_expected(struct sl_arena *a, sl_str text, sql_version version, size_t n_before,
                        bool want[SQL_WANT_CODES]);

#endif
