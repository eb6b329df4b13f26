/* SPDX-License-Identifier: Apache-2.0
 * Values of SET: is it one that Flink can read as the option's type? Flink takes any text when it is set and
 * fails, or goes on with another value, when it is used. Pure. */
#ifndef SLUICE_CATALOG_SETTING_H
#define SLUICE_CATALOG_SETTING_H

#include "sqlparse/sql.h"

/* Adds set-value (a warning) to the script for a SET whose value does not fit. */
void cat_setting_check(struct sql_script *s, const struct sql_stmt *st);
/* Can Flink read `value` as that type (catalog/options.h)? `words`: what an enumeration knows, "A|B"; may be
 * empty. True for types that take any text. */
bool cat_setting_fits(sl_str type, sl_str words, sl_str value);
/* Where the value of a SET stands in the file. */
struct sl_pos cat_setting_pos(const struct sql_script *s, const struct sql_stmt *st);

#endif
