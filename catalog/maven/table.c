/* SPDX-License-Identifier: Apache-2.0
 * Hash tables by name: open addressing, at most half full. */
#include "catalog/maven/table.h"

static struct mvn_table_slot *find(const struct mvn_table *t, sl_str key)
{
    size_t at = (size_t)sl_str_hash(key) & (t->cap - 1);
    while (t->slots[at].value && !sl_str_eq(t->slots[at].key, key)) {
        at = (at + 1) & (t->cap - 1);
    }
    return &t->slots[at];
}

void *mvn_table_get(const struct mvn_table *t, sl_str key)
{
    return t->cap ? find(t, key)->value : NULL;
}

void mvn_table_put(struct mvn_table *t, struct sl_arena *a, sl_str key, void *value)
{
    if (2 * (t->n + 1) > t->cap) {
        struct mvn_table old = *t;
        t->cap = old.cap ? 2 * old.cap : 16;
        t->slots = sl_new_n(a, struct mvn_table_slot, t->cap);
        for (size_t i = 0; i < old.cap; i++) {
            if (old.slots[i].value) {
                *find(t, old.slots[i].key) = old.slots[i];
            }
        }
    }
    struct mvn_table_slot *s = find(t, key);
    t->n += !s->value;
    *s = (struct mvn_table_slot){key, value};
}
