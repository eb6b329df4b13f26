/* SPDX-License-Identifier: Apache-2.0
 * The effective model of a POM: profiles, parents, properties, imported and own dependency management, in the order of
 * Maven 3.8. One `mvn_models` serves any number of resolutions; everything it hands out lives as long as its arena.
 * Not thread-safe. */
#ifndef SLUICE_CATALOG_MAVEN_MODEL_H
#define SLUICE_CATALOG_MAVEN_MODEL_H

#include "catalog/maven/pom.h"
#include "catalog/maven/source.h"
#include "catalog/maven/table.h"

struct mvn_model {
    sl_str g, a, v;
    mvn_deps deps;    /* with versions and scopes filled in */
    mvn_deps managed; /* its own, then the imported */
    struct mvn_relocation relocation;
};
enum mvn_state {
    MVN_READY,
    MVN_MISSING, /* no repository has the POM */
    MVN_INVALID, /* Maven takes such a POM for one without dependencies; why says what is wrong */
    MVN_WAITS,   /* a text comes later */
    MVN_BROKEN,  /* err: its parent or BOM is missing, it is refused, or a repository failed */
};
struct mvn_models {
    struct sl_arena *a;
    struct mvn_source source;
    struct mvn_table poms, models, metadata;
    struct mvn_importing *importing; /* models whose BOMs are being read, innermost first */
    size_t waits;                    /* texts that come later, seen so far */
};
struct mvn_built {
    enum mvn_state state;
    struct mvn_model *model; /* READY */
    sl_str why;              /* INVALID */
    struct sl_err err;       /* BROKEN */
};

void mvn_models_init(struct mvn_models *m, struct sl_arena *a, const struct mvn_source *source);
const struct mvn_built *mvn_models_get(struct mvn_models *m, sl_str g, sl_str a, sl_str v);
/* The model of a project that was made up: dependencies and management as a POM without parent would have them. */
const struct mvn_built *mvn_models_root(struct mvn_models *m, const struct mvn_pom *pom);
/* Versions of an artifact; NULL with *ret_state MISSING, WAITS or BROKEN (err). Unreadable metadata is one without versions. */
const struct mvn_metadata *mvn_models_versions(struct mvn_models *m, sl_str g, sl_str a,
                                               enum mvn_state *ret_state, struct sl_err *err);

/* Of the parts of the model builder: the values of ${...} in a POM. */
struct mvn_values {
    struct mvn_models *models;
    const struct mvn_pom *pom; /* with inherited group and version */
    struct mvn_table properties;
    size_t steps;
    bool cycle, too_much;
    sl_str culprit; /* the expression that did it */
};
/* `text` with every known ${...} replaced, in the arena of the models. */
sl_str mvn_expand(struct mvn_values *v, sl_str text);
/* Is the profile on for this consumer, whatever its activeByDefault? *ret_bad: it cannot be told (Maven: invalid). */
bool mvn_profile_is_on(const struct mvn_models *m, const struct mvn_profile *p, bool *ret_bad);

#endif
