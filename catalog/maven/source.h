/* SPDX-License-Identifier: Apache-2.0
 * Where the texts of POMs and metadata come from, and what the consumer is: all that the resolver knows of the world.
 * It opens no file and no connection. A source may answer "later": the resolver then goes on as far as it can, says
 * at the end that it needs more, and is asked again when the texts are there; what it has read it does not ask for
 * twice. So a whole level of a graph is fetched at once. */
#ifndef SLUICE_CATALOG_MAVEN_SOURCE_H
#define SLUICE_CATALOG_MAVEN_SOURCE_H

#include "base/arena.h"
#include "base/err.h"

enum mvn_file_kind {
    MVN_POM,               /* G/A/V/A-V.pom */
    MVN_METADATA,          /* G/A/maven-metadata.xml */
    MVN_SNAPSHOT_METADATA, /* G/A/V/maven-metadata.xml */
};
struct mvn_file {
    enum mvn_file_kind kind;
    sl_str g, a, v;
    sl_str name_version; /* of a POM: the version in the file's name; that of a snapshot is its time */
};
enum mvn_got {
    MVN_GOT,    /* *ret is the text */
    MVN_ABSENT, /* every repository says that there is none */
    MVN_LATER,
    MVN_FAILED, /* err says why */
};
struct mvn_source {
    enum mvn_got (*get)(void *ctx, const struct mvn_file *f, struct sl_arena *a, sl_str *ret,
                        struct sl_err *err);
    void *ctx;
    sl_str java_version; /* that profiles ask for: "17.0.13" */
    sl_str os_arch;      /* as Java names it: "amd64" */
};

#endif
