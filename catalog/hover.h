/* SPDX-License-Identifier: Apache-2.0
 * What the thing at a place is: a table, a column, a function, an option, a word, a variable
 * (docs/complete.md). Never shows the value of a variable. Pure; the script is one that was at least split. */
#ifndef SLUICE_CATALOG_HOVER_H
#define SLUICE_CATALOG_HOVER_H

#include "base/buf.h"
#include "sqlparse/sql.h"

struct cat_hover {
    const char *kind; /* "table", "column", "function", "option" ...; NULL: there is nothing to say */
    sl_str title;     /* one line of SQL: a name and a type, a signature */
    sl_str text;      /* lines of plain text */
    uint16_t file;
    uint32_t off, len;     /* the thing, in bytes of the file */
    struct sl_pos defined; /* where it is declared, off SL_NO_POS: not in the script */
    uint16_t defined_file;
};
void cat_hover(struct sl_arena *a, const struct sql_script *s, uint16_t file, uint32_t off,
               const struct sql_vars *vars, struct cat_hover *ret);
/* One JSON object without a line end; "null" when there is nothing to say. */
void cat_hover_json(const struct sql_script *s, const struct cat_hover *h, struct sl_buf *out);

#endif
