/* SPDX-License-Identifier: Apache-2.0
 * Names: which tables and columns a script declares and which it uses. The default catalog of a fresh session
 * is a closed world (what no statement created is not there); every other catalog, and everything whose
 * columns cannot be told, is open. Pure. */
#ifndef SLUICE_CATALOG_SCOPE_H
#define SLUICE_CATALOG_SCOPE_H

#include "sqlparse/sql.h"

/* Walks the statements in order and adds table-unknown, column-unknown and column-duplicate. */
void cat_scope_check(struct sql_script *s);

#endif
