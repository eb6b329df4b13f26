/* SPDX-License-Identifier: Apache-2.0
 * A hash table from names to pointers, in an arena. Keys are borrowed: they live as long as the table. Nothing is ever
 * taken out. Not thread-safe. */
#ifndef SLUICE_CATALOG_MAVEN_TABLE_H
#define SLUICE_CATALOG_MAVEN_TABLE_H

#include "base/arena.h"

struct mvn_table_slot {
    sl_str key;
    void *value; /* NULL: free */
};
struct mvn_table {
    struct mvn_table_slot *slots;
    size_t n, cap;
};

/* The value, or NULL. */
void *mvn_table_get(const struct mvn_table *t, sl_str key);
/* Sets it, in place of an older one. `value` is not NULL. */
void mvn_table_put(struct mvn_table *t, struct sl_arena *a, sl_str key, void *value);

#endif
