/* SPDX-License-Identifier: Apache-2.0
 * Resolving against real repositories: what the resolver needs next is fetched at once, many requests on few
 * connections, and kept in a cache that knows the SHA-256 of everything it has seen. A file of a released version that
 * comes back with other bytes is refused. Blocking: for the command line and lanes. One fetch belongs to one thread. */
#ifndef SLUICE_CATALOG_MAVEN_FETCH_H
#define SLUICE_CATALOG_MAVEN_FETCH_H

#include "catalog/maven/resolve.h"
#include "catalog/maven/settings.h"

struct mvn_fetch_options {
    const struct mvn_repositories *repositories;
    const char *cache; /* folder; made when it is needed */
    bool offline;      /* only file: repositories and the cache */
    const char *ca_file;
    sl_str java_version, os_arch;
};
struct mvn_fetch;
struct mvn_fetched {
    const char *path; /* in the cache, or in a file: repository */
    char sha256[65];
    int64_t bytes;
};

struct mvn_fetch *mvn_fetch_new(const struct mvn_fetch_options *o);
void mvn_fetch_free(struct mvn_fetch *f);
/* Errors: those of mvn_resolve, repository-failed, repository-denied, artifact-checksum, artifact-changed,
 * artifact-offline, io. What it hands out lives until mvn_fetch_free. */
SL_MUST_CHECK bool mvn_fetch_resolve(struct mvn_fetch *f, const struct mvn_request *rq,
                                     struct mvn_resolution *ret, struct sl_err *err);
/* The file of an artifact: from the cache, else from the first repository that has it, going on where an earlier
 * download broke off; its checksum is looked at. Also artifact-not-found. */
SL_MUST_CHECK bool mvn_fetch_file(struct mvn_fetch *f, const struct mvn_artifact *x, struct mvn_fetched *ret,
                                  struct sl_err *err);
/* "versions there are: ..." for an artifact, newest last, at most some; "" when there are none or it cannot be told. */
sl_str mvn_fetch_versions_hint(struct mvn_fetch *f, sl_str g, sl_str a);
/* Requests sent so far. */
size_t mvn_fetch_requests(const struct mvn_fetch *f);

#endif
