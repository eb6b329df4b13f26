/* SPDX-License-Identifier: Apache-2.0
 * Text on a terminal: how wide it is, what of it is shown, how it is cut; and small aligned lists
 * (`job ls`). Widths are terminal columns: East Asian wide characters take two, combining marks none.
 * Every function is pure or belongs to one caller; no global state. */
#ifndef SLUICE_CLI_TABLE_H
#define SLUICE_CLI_TABLE_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"

/* Columns that the text takes; control characters (made visible before they are printed) count 0. */
size_t cli_width(sl_str s);
/* Appends the text with everything a terminal would obey made visible: \n \r \t \xNN for control characters,
 * \uNNNN for C1 and for the characters that turn the direction of writing; broken UTF-8 becomes U+FFFD. */
void cli_put_visible(struct sl_buf *b, sl_str s);
/* The longest prefix of s that takes at most `width` columns, whole characters with their marks only. */
sl_str cli_fit(sl_str s, size_t width);
/* Appends s in exactly `width` columns (more when s is wider and not cut). `cut`: what does not fit ends in
 * U+2026. */
void cli_put_padded(struct sl_buf *b, sl_str s, size_t width, bool right, bool cut);
/* Columns of the terminal behind the stream; 0 when it is none or does not tell. */
int cli_terminal_width(FILE *f);

/* A list of a few rows, all known before the first is printed: two spaces between columns, titles in capitals
 * as the caller gives them, no lines. Cells are copied. */
struct cli_list;
struct cli_list *cli_list_new(const char *const *titles, size_t n_columns);
/* The column's cells stand at its right edge. */
void cli_list_right(struct cli_list *l, size_t column);
void cli_list_cell(struct cli_list *l, sl_str cell); /* next cell, rows fill from the left */
void cli_list_cellf(struct cli_list *l, const char *fmt, ...) SL_PRINTF(2, 3);
/* Prints titles and rows (nothing when there are none) and frees the list. */
void cli_list_print(struct cli_list *l, FILE *out);

#endif
