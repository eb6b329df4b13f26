/* SPDX-License-Identifier: Apache-2.0
 * The Flink releases this Sluice knows, with size and digest of the official distribution's file on PyPI
 * (package apache-flink-libraries). Another patch version is tried when it is named in full. */
#ifndef SLUICE_IMG_FLINK_VERSIONS_H
#define SLUICE_IMG_FLINK_VERSIONS_H

#include "base/err.h"

struct img_flink_release {
    const char *version; /* "2.2.1" */
    const char *series;  /* "2.2" */
    const char *file;
    const char *sha256;
    int64_t bytes;
    bool is_default;
};
/* Ends with version == NULL. */
extern const struct img_flink_release img_flink_releases[];

/* NULL when the exact version is not in the table. */
const struct img_flink_release *img_flink_release_of(const char *version);
/* NULL or "" = the default; "2.2" = the known release of the series; "2.2.0" = itself. Error: usage. */
SL_MUST_CHECK bool img_flink_resolve(const char *wanted, char ret[16], struct sl_err *err);
/* <0, 0, >0 by number: 2.10.0 is after 2.9.1. */
int img_flink_version_cmp(const char *a, const char *b);

#endif
