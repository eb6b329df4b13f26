/* SPDX-License-Identifier: Apache-2.0
 * What Flink says when something fails, in people's words: one line with cause and cure at the place of the
 * script it came from. Pure: no sockets, no files, no state; from any thread. The rules are a table
 * (flink_errors.def). Shown texts hold no Java class names but those written in the script, and no secret
 * values of the script. */
#ifndef SLUICE_FLINK_ERROR_H
#define SLUICE_FLINK_ERROR_H

#include "gateway/target/target.h"
#include "sqlparse/sql.h"

/* Translates a failure of statement `st` of script `s` (each may be NULL) into *ret, whose texts live in `a`:
 * code, msg, hint, flink (Flink's own words, one line), pos, second, statement, file. A failure that no rule
 * knows has code `flink` and the root cause's own line. False only when the failure is empty; *ret is not
 * touched then. When an earlier statement's replay failed (the runner says so), the diagnostic is that
 * statement's: ret->statement tells. */
SL_MUST_CHECK bool flink_error_translate(const struct tgt_failure *f, const struct sql_script *s,
                                         const struct sql_stmt *st, struct sl_arena *a, struct sql_diag *ret);
/* Java's words for --stack: the stack as it came, or the chain as "Caused by:" lines. */
sl_str flink_error_stack(const struct tgt_failure *f, struct sl_arena *a);
/* A diagnostic as the one error type; detail = flink's line (in the diagnostic's arena). */
void flink_error_to_err(const struct sql_diag *d, struct sl_err *err);

#endif
