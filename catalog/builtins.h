/* SPDX-License-Identifier: Apache-2.0
 * The built-in functions of each Flink version, as its own validator knows them (catalog/builtins/, made by
 * tools/harvest/HarvestFunctions.java). Read-only tables; letter case does not matter in names. */
#ifndef SLUICE_CATALOG_BUILTINS_H
#define SLUICE_CATALOG_BUILTINS_H

#include "catalog/types.h"

struct cat_function {
    const char *name;   /* upper case */
    char kind;          /* 's' scalar, 'a' aggregate, 'w' only with OVER, 't' table or special */
    int8_t least;       /* arguments */
    int8_t most;        /* -1: no limit */
    const char *one;    /* families that a sole argument may have; empty: not known */
    const char *two;    /* "IDF;S": families of the two when there are two */
    const char *result; /* "BIGINT", "~S" a family, "=0" as an argument, "?" */
};

/* Is the list of this version here? Without one no name is called unknown. */
bool cat_functions_have(sql_version v);
/* NULL: not built in. */
const struct cat_function *cat_function(sql_version v, sl_str name);
/* All of a version, sorted by name: for completion. */
const struct cat_function *cat_functions(sql_version v, size_t *ret_n);
/* Type of the result for arguments of these types (n of them; unknown ones are CAT_T_UNKNOWN). */
const struct cat_type *cat_function_result(const struct cat_function *f, const struct cat_type *const *args,
                                           size_t n);
/* Index of the first argument whose type the function surely does not take; n when there is none. */
size_t cat_function_refuses(const struct cat_function *f, const struct cat_type *const *args, size_t n);

#endif
