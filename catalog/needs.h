/* SPDX-License-Identifier: Apache-2.0
 * What a script needs by using it, read from its statements: connectors, formats, catalogs, modules, models, classes of
 * functions, jars, file systems by the scheme of a path, databases by the URL of JDBC. Each with its place; in the order of
 * the script. Pure. */
#ifndef SLUICE_CATALOG_NEEDS_H
#define SLUICE_CATALOG_NEEDS_H

#include "sqlparse/sql.h"

enum cat_need_kind {
    CAT_NEED_CONNECTOR,
    CAT_NEED_FORMAT,
    CAT_NEED_CATALOG,
    CAT_NEED_MODULE,
    CAT_NEED_MODEL,      /* provider of a model */
    CAT_NEED_FUNCTION,   /* a class */
    CAT_NEED_JAR,        /* a path or URL */
    CAT_NEED_FILESYSTEM, /* a scheme: s3 */
    CAT_NEED_DATABASE,   /* of a JDBC URL: postgresql */
};

/* One mention. A value whose variable is not defined is not among them: its diagnostic says so. */
struct cat_need {
    enum cat_need_kind kind;
    sl_str name;                 /* "kafka"; "******" where a secret stands there */
    sl_str key;                  /* the option that names it ("value.format"); empty: it is no option */
    const struct sql_stmt *stmt; /* also one inside a set */
    struct sl_pos pos;           /* in the file of the statement */
};
struct cat_needs {
    SL_VEC(struct cat_need) list;
};
void cat_needs(struct sl_arena *a, const struct sql_script *s, struct cat_needs *ret);
/* Stands a secret in sql[off, off+len) of the statement? */
bool cat_is_secret(const struct sql_stmt *st, uint32_t off, uint32_t len);
const char *cat_need_kind_name(enum cat_need_kind k); /* "connector", "file system" */

#endif
