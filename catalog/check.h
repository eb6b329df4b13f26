/* SPDX-License-Identifier: Apache-2.0
 * What can be said of a script beyond its syntax without asking Flink: SET keys, and names of tables and
 * columns that the script itself declares (docs/checks.md). What cannot be known is never an error; one
 * mistake is one message. Pure. */
#ifndef SLUICE_CATALOG_CHECK_H
#define SLUICE_CATALOG_CHECK_H

#include "sqlparse/sql.h"

enum cat_level {
    CAT_LEVEL_SYNTAX, /* nothing more */
    CAT_LEVEL_SCRIPT, /* names and SET keys; the session is taken as fresh */
    CAT_LEVEL_FULL,   /* and connectors */
};
/* Adds its diagnostics to the script. */
void cat_check(struct sql_script *s, enum cat_level level);
/* The same in a session that is not fresh (catalog/scope.h). */
struct cat_session;
void cat_check_in(struct sql_script *s, enum cat_level level, const struct cat_session *session);

#endif
