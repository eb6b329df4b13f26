/* SPDX-License-Identifier: Apache-2.0
 * Diagnostics as a person sees them (source line, caret under the glyph, hint) and as JSON. Writes into a
 * buffer; the caller decides where it goes. */
#ifndef SLUICE_CLI_DIAG_PRINT_H
#define SLUICE_CLI_DIAG_PRINT_H

#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "sqlparse/sql.h"

void cli_diag_print(struct sl_buf *out, const struct sql_script *s, const struct sql_diag *d, bool colour);
/* All of a script's, sorted, each followed by an empty line; at the end how many were left out, if any. */
void cli_diags_print(struct sl_buf *out, struct sql_script *s, bool colour);
/* The same form for an error with a position in `text`, called `file`; without position it is one line and
 * its hint. */
void cli_error_print(struct sl_buf *out, const struct sl_err *err, const char *file, sl_str text,
                     bool colour);
/* {code,severity,message,hint,statement,offset,length,line,column,endLine,endColumn}; `with_file` adds file.
 */
void cli_diag_json(struct sl_jw *w, const struct sql_script *s, const struct sql_diag *d, bool with_file);
/* Columns on a terminal; tabs end at the next multiple of CLI_TAB from the line's start. */
#define CLI_TAB 4
size_t cli_display_width(sl_str text, size_t from_column);
/* Writes all of it; an empty slice is fine. Why standard output took not all is kept in cli_output_errno (0: it did). */
void cli_put(FILE *f, sl_str s);
extern int cli_output_errno;
/* Is it a terminal that wants colours? */
bool cli_wants_colour(int fd);

#endif
