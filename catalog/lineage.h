/* SPDX-License-Identifier: Apache-2.0
 * Where the data of a script comes from and goes to, as JSON and as a graph for Graphviz (docs/lineage.md).
 * Pure; the script is one that was parsed or only split, and stays as it is. */
#ifndef SLUICE_CATALOG_LINEAGE_H
#define SLUICE_CATALOG_LINEAGE_H

#include "base/buf.h"
#include "sqlparse/sql.h"

/* One JSON object and a line end. */
void cat_lineage_json(const struct sql_script *s, struct sl_buf *out);
/* A digraph; `columns`: every table lists its columns and the edges join columns. */
void cat_lineage_dot(const struct sql_script *s, bool columns, struct sl_buf *out);

#endif
