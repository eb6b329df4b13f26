/* SPDX-License-Identifier: Apache-2.0
 * What editors say of Flink's built-in functions (catalog/functions/help.txt). Read-only tables. */
#ifndef SLUICE_CATALOG_FUNCTIONS_H
#define SLUICE_CATALOG_FUNCTIONS_H

#include "sqlparse/sql.h"

struct cat_function_help {
    const char *name;      /* in capitals */
    sql_version since;     /* the first version of this project's that has it */
    const char *signature; /* "SUBSTR(string, start[, length])" */
    const char *doc;       /* one line */
};
size_t cat_function_help_count(void);
const struct cat_function_help *cat_function_help_at(size_t i); /* sorted by name */
/* In any letter case; NULL when there is none, also when it came after `v`. */
const struct cat_function_help *cat_function_help(sql_version v, sl_str name);
/* Stands in FROM: TUMBLE(TABLE t, ...). */
bool cat_function_is_table(const struct cat_function_help *f);

#endif
