/* SPDX-License-Identifier: Apache-2.0
 * Files of repositories on disk: each beside its SHA-256. Nothing is synced: a file that a crash has torn does not fit
 * its digest, and is fetched again. Private to the fetcher. */
#ifndef SLUICE_CATALOG_MAVEN_CACHE_H
#define SLUICE_CATALOG_MAVEN_CACHE_H

#include "catalog/maven/settings.h"
#include "catalog/maven/source.h"

/* Path of a file inside a repository; p NULL when a name in it is none (empty, "..", with a slash). */
sl_str mvn_path_of(struct sl_arena *a, const struct mvn_file *f);
sl_str mvn_path_of_artifact(struct sl_arena *a, sl_str g, sl_str artifact, sl_str v, sl_str name_version,
                            sl_str ext, sl_str classifier);
/* The same in an address: what is not plain is %-escaped. */
sl_str mvn_path_escaped(struct sl_arena *a, sl_str path);
/* The folder of a file: repository. */
sl_str mvn_folder_of_url(struct sl_arena *a, sl_str url);
/* Where the cache keeps a file of a repository. */
char *mvn_cache_path(struct sl_arena *a, const char *cache, const struct mvn_repository *r, sl_str path);

/* The digest that was kept of a file when it was first seen; false: it is new. */
bool mvn_cache_digest(const char *path, char out[65]);
/* The file, if it is there and fits its digest. */
bool mvn_cache_read(struct sl_arena *a, const char *path, sl_str *ret);
/* Milliseconds since the file was written; INT64_MAX: there is none. */
int64_t mvn_cache_age_ms(const char *path);
/* Keeps the digest (first) and the content. A digest that was kept is replaced. */
SL_MUST_CHECK bool mvn_cache_keep_digest(const char *path, const char *sha256, struct sl_err *err);
SL_MUST_CHECK bool mvn_cache_write(const char *path, sl_str content, const char *sha256, struct sl_err *err);
/* An empty file; what it says is its age. Best effort. */
void mvn_cache_touch(const char *path);
/* SHA-256 of a file, hex; false: it cannot be read. With `sha1` (41 bytes) that one too. */
bool mvn_file_digest(const char *path, char sha256[65], char sha1[41]);
void mvn_text_sha1(sl_str text, char out[41]);
/* The first run of `digits` hexadecimal digits of a checksum file, in small letters; false: it has none. */
bool mvn_checksum_read(sl_str text, size_t digits, char *out);

#endif
