/* SPDX-License-Identifier: Apache-2.0
 * Jars that do not go together on one class path: the same class in two of them, two versions of one artifact, two Scalas. Who
 * wins is told for both orders: ours (the order given, Flink's own first) and that of Flink's scripts (by name, flink-dist
 * last). Pure; nothing but what cat_jar_read() found is looked at. */
#ifndef SLUICE_CATALOG_CONFLICTS_H
#define SLUICE_CATALOG_CONFLICTS_H

#include "catalog/jar.h"

#define CAT_PATH_JARS 1000 /* at most */
struct cat_path_jar {
    const struct cat_jar_index *index;
    bool flink; /* of Flink's own lib/ */
};

/* Classes of `other` that `first` has too; `first` comes first in our order. */
struct cat_clash {
    size_t first, other; /* into the class path */
    size_t same, differing;
    bool turns; /* in the order of Flink's scripts `other` wins */
    bool apart; /* `first` is the planner, which Flink's scripts load by itself: there each has its own */
    bool error; /* they differ, and one of them is Flink's own */
    SL_VEC(sl_str) names; /* some of those that differ */
};
struct cat_versions {
    sl_str artifact;  /* "g:a"; of Scala suffixes the name without them */
    SL_VEC(sl_str) v; /* each version with the jar that has it: "1.2 (x.jar)" */
    bool scala;
};
struct cat_conflicts {
    SL_VEC(struct cat_clash) clashes; /* worst first: of Flink's own classes, then by how many differ */
    SL_VEC(struct cat_versions) versions;
};
void cat_conflicts(struct sl_arena *a, const struct cat_path_jar *path, size_t n, struct cat_conflicts *ret);

#endif
