/* SPDX-License-Identifier: Apache-2.0
 * What is in a jar, from the directory at its end: classes with their checksums, and the artifacts that were packed into it.
 * Nothing but the small files that name those artifacts is unpacked. The file may be anybody's: every length is checked. */
#ifndef SLUICE_CATALOG_JAR_H
#define SLUICE_CATALOG_JAR_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"

struct cat_class {
    sl_str name; /* "org/example/A.class" */
    uint32_t crc, size;
};
struct cat_bundled {
    sl_str g, a, v;
};
struct cat_jar_index {
    const char *path;
    sl_str file; /* without its folders */
    uint64_t bytes;
    SL_VEC(struct cat_class) classes;   /* without those for single Java versions */
    SL_VEC(struct cat_bundled) bundled; /* by META-INF/maven */
};

/* Blocking. Error: artifact-format (it is no jar, or its directory is broken), limit-exceeded, file-not-found, io. */
SL_MUST_CHECK bool cat_jar_read(struct sl_arena *a, const char *path, struct cat_jar_index *ret,
                                struct sl_err *err);

#endif
