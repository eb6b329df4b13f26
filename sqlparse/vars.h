/* SPDX-License-Identifier: Apache-2.0
 * Variables: ${name}, ${name:-default}, ${env.NAME}, ${secret.name}, $${ for a plain ${ (docs/variables.md).
 * A value is put inside a quoted literal or name with its quotes doubled, or becomes one whole literal or
 * name: it can never end what it stands in. Pure: the environment is asked through sql_vars.env. */
#ifndef SLUICE_SQLPARSE_VARS_H
#define SLUICE_SQLPARSE_VARS_H

#include "sqlparse/split.h"

/* Adds a variable; everything is copied. Names that begin with "secret." are secret. Error: usage, when the
 * name is none. A later one with the same name wins. */
SL_MUST_CHECK bool sql_vars_add(struct sql_vars *v, struct sl_arena *a, sl_str name, sl_str value,
                                const char *source, struct sl_err *err);
/* The entry that wins, or NULL. */
const struct sql_var *sql_vars_find(const struct sql_vars *v, sl_str name);
bool sql_var_name_ok(sl_str name);

/* Makes sql and patches of `st` from the file text [off, end) and the holes that lie in it; adds what is
 * wrong as diagnostics of st->number. A hole without a value leaves a placeholder, so that the rest can still
 * be parsed. */
void sql_vars_apply(struct sql_script *s, struct sql_stmt *st, const struct sql_vars *v, uint32_t off,
                    uint32_t end, const struct sql_hole *holes, size_t n_holes);
/* For SET and RESET without quotes: key and value of st with their variables replaced, as plain text; sql
 * becomes the quoted form when there were any. `off` and `end` are the place of the whole command. */
void sql_vars_apply_command(struct sql_script *s, struct sql_stmt *st, const struct sql_vars *v, uint32_t off,
                            uint32_t end);

#endif
