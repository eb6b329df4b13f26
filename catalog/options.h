/* SPDX-License-Identifier: Apache-2.0
 * The configuration options of each Flink version, as its distribution declares them (catalog/options/, made
 * by tools/harvest). Read-only tables. */
#ifndef SLUICE_CATALOG_OPTIONS_H
#define SLUICE_CATALOG_OPTIONS_H

#include "sqlparse/sql.h"

/* Is the list of this version here? Without one nothing can be said. */
bool cat_options_have(sql_version v);
/* Is it an option, below one that takes a map, or below a prefix under which names are free? Also true where
 * it cannot be known: keys of other programs. */
bool cat_option_known(sql_version v, sl_str key);
/* The option whose name is nearest, or an empty slice when none is near. */
sl_str cat_option_near(sql_version v, sl_str key);
/* The list itself, sorted by name. */
size_t cat_options_count(sql_version v);
sl_str cat_option_at(sql_version v, size_t i, sl_str *ret_type);
/* The type of exactly this key: Boolean, Integer, Duration, MemorySize, String ... False: not in the list. */
bool cat_option_type(sql_version v, sl_str key, sl_str *ret_type);
/* The words an enumeration knows, "A|B"; empty for other types. */
sl_str cat_option_words(sql_version v, sl_str key);

#endif
