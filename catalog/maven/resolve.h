/* SPDX-License-Identifier: Apache-2.0
 * From coordinates to the artifacts of a class path, as Maven 3.8 with its resolver 1.6 chooses them: nearest wins,
 * first declared on equal depth, the consumer's management over all. Pure: texts come from a mvn_source. */
#ifndef SLUICE_CATALOG_MAVEN_RESOLVE_H
#define SLUICE_CATALOG_MAVEN_RESOLVE_H

#include "catalog/maven/model.h"

struct mvn_coordinate {
    sl_str g, a, type, classifier, v; /* type "" is jar */
};
/* G:A:V, G:A:TYPE:V or G:A:TYPE:CLASSIFIER:V. Slices of the text. Error artifact-coordinate. */
SL_MUST_CHECK bool mvn_coordinate_parse(sl_str text, struct mvn_coordinate *ret, struct sl_err *err);

struct mvn_wanted {
    struct mvn_coordinate c;
    SL_VEC(struct mvn_exclusion) exclusions;
};
struct mvn_request {
    SL_VEC(struct mvn_wanted) wanted;      /* in order; the order decides ties */
    SL_VEC(struct mvn_coordinate) managed; /* the consumer's own dependency management, before the BOMs */
    SL_VEC(struct mvn_coordinate) boms;    /* imported, in order */
};

struct mvn_artifact {
    sl_str g, a, ext, classifier, v;
    sl_str scope;
    bool optional;
    uint32_t depth; /* 1: asked for */
};
struct mvn_resolution {
    SL_VEC(struct mvn_artifact)
    artifacts;               /* scopes compile and runtime: the tree in pre-order, which is the class path */
    SL_VEC(sl_str) warnings; /* POMs that are missing or invalid and so count as without dependencies */
    SL_VEC(struct mvn_coordinate) missing; /* artifacts whose POM is in no repository */
};
enum mvn_outcome {
    MVN_RESOLVED,
    MVN_NEEDS_MORE, /* the source said "later" to something; ask again when it is there */
    MVN_UNRESOLVED, /* err */
};
/* Everything handed out lives in the arena of the models. Errors: artifact-not-found, version-range, version-conflict,
 * pom-doctype, pom-too-large, pom-parent-cycle, limit-exceeded, and those of the source. */
enum mvn_outcome mvn_resolve(struct mvn_models *m, const struct mvn_request *rq, struct mvn_resolution *ret,
                             struct sl_err *err);
/* "g:a:ext:classifier:v", as the forms of the command line write it. */
sl_str mvn_artifact_text(struct sl_arena *a, const struct mvn_artifact *x);

#endif
