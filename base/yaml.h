/* SPDX-License-Identifier: Apache-2.0
 * YAML reading into a tree with positions (libyaml's events). Everything is a string until it is asked for;
 * duplicate keys, aliases, merge keys, tags, depth and size beyond limits.h are errors with a position. */
#ifndef SLUICE_BASE_YAML_H
#define SLUICE_BASE_YAML_H

#include "base/arena.h"
#include "base/err.h"

enum sl_yaml_type { SL_YAML_NULL, SL_YAML_SCALAR, SL_YAML_LIST, SL_YAML_MAP };
struct sl_yaml {
    enum sl_yaml_type type;
    sl_str key;
    struct sl_pos key_pos; /* of the key in a map */
    struct sl_pos pos;     /* of the value */
    sl_str text;           /* SCALAR */
    bool quoted;           /* '..' or ".." or a block: never a number or boolean */
    struct sl_yaml *child, *next;
    size_t n;
};
/* One document. An empty text is a NULL node of type SL_YAML_NULL. Error: SL_YAML with position. */
SL_MUST_CHECK struct sl_yaml *sl_yaml_parse(struct sl_arena *a, sl_str text, struct sl_err *err);
const struct sl_yaml *sl_yaml_get(const struct sl_yaml *m, const char *key);
#define SL_YAML_EACH(it, parent)                                                                             \
    for (const struct sl_yaml *it = (parent) ? (parent)->child : NULL; it; it = it->next)
/* false with SL_YAML at the node when it is not what was wanted. */
SL_MUST_CHECK bool sl_yaml_str(const struct sl_yaml *v, sl_str *ret, struct sl_err *err);
SL_MUST_CHECK bool sl_yaml_i64(const struct sl_yaml *v, int64_t *ret, struct sl_err *err);
SL_MUST_CHECK bool sl_yaml_bool(const struct sl_yaml *v, bool *ret, struct sl_err *err);

#endif
