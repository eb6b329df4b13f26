/* SPDX-License-Identifier: Apache-2.0
 * The bundle: what a version of a job is. Statements as written with their places, the configuration given,
 * the values of the variables apart from the text, the lock. Canonical: fixed key order, sorted maps, no
 * times; equal inputs give equal bytes and so an equal digest. */
#ifndef SLUICE_IMAGE_BUNDLE_H
#define SLUICE_IMAGE_BUNDLE_H

#include "base/buf.h"
#include "sqlparse/sql.h"

struct img_bundle_pair {
    sl_str key, value;
};
struct img_bundle_input {
    const struct sql_script *script;
    const struct sql_vars *vars;
    const struct img_bundle_pair *config; /* sorted by key */
    size_t n_config;
    const sl_str *lock; /* artifacts, one digest or path each; may be empty */
    size_t n_lock;
    sl_str job, mode;
};
/* Writes the JSON and its digest ("sha256:..."). Values of secret variables are left out: their names stay.
 */
void img_bundle_write(const struct img_bundle_input *in, struct sl_buf *b, char ret_digest[72]);

#endif
