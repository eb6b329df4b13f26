/* SPDX-License-Identifier: Apache-2.0
 * Versions as Maven understands them. Two orders exist there: the one of its resolver, by which ranges choose, and
 * ComparableVersion, by which people and plugins sort; they agree on everything usual. Texts are borrowed, the rest
 * lives in the arena. */
#ifndef SLUICE_CATALOG_MAVEN_VERSION_H
#define SLUICE_CATALOG_MAVEN_VERSION_H

#include "base/arena.h"
#include "base/err.h"

struct mvn_version_item {
    uint8_t kind;
    int64_t number; /* of a small number or of a qualifier */
    sl_str text;    /* of a word or of a large number, without leading zeros */
};
struct mvn_version {
    sl_str text;
    struct mvn_version_item *items;
    size_t n;
};
struct mvn_version mvn_version_parse(struct sl_arena *a, sl_str text);
/* <0, 0, >0 in the resolver's order. */
int mvn_version_cmp(const struct mvn_version *a, const struct mvn_version *b);

struct mvn_range {
    bool has_low, has_high, low_in, high_in;
    struct mvn_version low, high;
};
struct mvn_constraint {
    struct mvn_range *ranges; /* n 0: a version that is wished for, and taken as it is */
    size_t n;
};
/* Error version-range for a text that begins like a range and is none. */
SL_MUST_CHECK bool mvn_constraint_parse(struct sl_arena *a, sl_str text, struct mvn_constraint *ret,
                                        struct sl_err *err);
/* Of one that has ranges: is the version in any of them? */
bool mvn_constraint_has(const struct mvn_constraint *c, const struct mvn_version *v);

/* <0, 0, >0 in the order of ComparableVersion. `a` is scratch. */
int mvn_comparable_cmp(struct sl_arena *a, sl_str x, sl_str y);

#endif
