/* SPDX-License-Identifier: Apache-2.0
 * A POM as it was written: what of it matters for dependencies. A text that is not there has p NULL; one that is
 * empty has not: Maven fills only what is not there. Everything lives in the arena; a read POM is never changed. */
#ifndef SLUICE_CATALOG_MAVEN_POM_H
#define SLUICE_CATALOG_MAVEN_POM_H

#include "base/vec.h"
#include "catalog/maven/xml.h"

struct mvn_exclusion {
    sl_str g, a;
};
struct mvn_dep {
    sl_str g, a, v, type, classifier, scope, optional, system_path; /* type is "jar" where none is given */
    struct mvn_exclusion *exclusions;
    size_t exclusion_count;
    sl_str key; /* group:artifact:type[:classifier], by which entries are the same */
};
typedef SL_VEC(struct mvn_dep *) mvn_deps;

struct mvn_property {
    sl_str name, value;
};
struct mvn_relocation {
    bool set;
    sl_str g, a, v, message;
};
/* What a project and a profile have in common. */
struct mvn_base {
    SL_VEC(struct mvn_property) properties;
    mvn_deps deps, managed;
    struct mvn_relocation relocation;
    bool modules;
};
struct mvn_activation {
    bool set, by_default, os, property, file;
    sl_str jdk;
    sl_str os_name, os_family, os_arch, os_version;
    sl_str property_name, property_value;
    sl_str file_exists, file_missing;
};
struct mvn_profile {
    sl_str id;
    struct mvn_activation on;
    struct mvn_base base;
};
struct mvn_parent {
    bool set;
    sl_str g, a, v;
};
struct mvn_pom {
    sl_str model_version, g, a, v, packaging, name; /* packaging is "jar" where none is given */
    struct mvn_parent parent;
    struct mvn_base base;
    SL_VEC(struct mvn_profile) profiles;
};

enum mvn_read mvn_pom_parse(struct sl_arena *a, sl_str text, struct mvn_pom *ret, struct sl_err *err);
void mvn_dep_set_key(struct sl_arena *a, struct mvn_dep *d);

/* maven-metadata.xml: which versions there are, in the order in which they were added. */
struct mvn_metadata {
    SL_VEC(sl_str) versions;
    sl_str latest, release;
    SL_VEC(struct mvn_property)
    snapshots; /* "ext" or "ext:classifier" and what stands for the version in names of files */
};
enum mvn_read mvn_metadata_parse(struct sl_arena *a, sl_str text, struct mvn_metadata *ret,
                                 struct sl_err *err);

#endif
