/* SPDX-License-Identifier: Apache-2.0
 * What a script needs by using it: connectors and formats named in its WITH lists, and where they come from.
 */
#ifndef SLUICE_JOBS_NEEDS_H
#define SLUICE_JOBS_NEEDS_H

#include "sqlparse/sql.h"

/* "filesystem, csv: in base local-2.2.1", or with what is not there: "kafka: not in base local-2.2.1, 1 jar
 * given". Empty when the script names none. */
sl_str needs_text(const struct sql_script *s, const char *flink, const char *const *jars, struct sl_arena *a);

#endif
