/* SPDX-License-Identifier: Apache-2.0
 * From the definition of an image to its closed list of files: names through the manifest of connectors and the resolver,
 * coordinates through the resolver, Flink from its installation, all else from the paths that are named. What Flink has itself is
 * left out of what a POM asks for; jars that do not go together are an error unless the definition settles it. Blocking. */
#ifndef SLUICE_IMG_GATHER_H
#define SLUICE_IMG_GATHER_H

#include "catalog/maven/fetch.h"
#include "runtime-image/content.h"
#include "runtime-image/image.h"

struct img_sources {
    const char *flink_root; /* sys_flink_dir() */
    const char *runner;     /* jar; NULL: none */
    struct mvn_fetch *fetch;
    const char *cache; /* folder of the fetcher's files, which nobody else writes */
};
struct img_gathered {
    struct img_content content;
    SL_VEC(sl_str) left_out; /* coordinates that Flink has itself */
    SL_VEC(sl_str) notes;    /* conflicts that are none of Flink's own classes, a line each */
};

/* Errors, with positions in the definition where they are about a line of it: connector-unknown, format-unknown,
 * catalog-type-unknown, factory-unknown, filesystem-missing, connector-not-for-version, jdbc-dialect-missing,
 * flink-not-installed, class-conflict, file-not-found, config-value, and those of the fetcher. */
SL_MUST_CHECK bool img_gather(struct sl_arena *a, const struct img_def *def, const struct img_sources *from,
                              struct img_gathered *ret, struct sl_err *err);

#endif
