/* SPDX-License-Identifier: Apache-2.0
 * Taking files out of wheels, jars and source archives (libarchive), and making a small jar. Blocking. */
#ifndef SLUICE_IMG_UNPACK_H
#define SLUICE_IMG_UNPACK_H

#include "base/arena.h"
#include "base/err.h"

/* Where an entry goes, relative to the folder, or NULL to leave it out. `ctx` is the caller's. */
typedef const char *(*img_unpack_where)(void *ctx, struct sl_arena *a, const char *entry);

/* Regular files only; names with ".." or a leading slash are refused. *ret_files counts those written.
 * `alive` (may be NULL) is asked between blocks; false = stop with `cancelled`. Errors: disk-full, io,
 * flink-verify (broken archive). */
SL_MUST_CHECK bool img_unpack(const char *archive, const char *folder, img_unpack_where where, void *ctx,
                              bool (*alive)(void *ctx), size_t *ret_files, struct sl_err *err);
/* A jar that holds nothing but an empty manifest: /jars/:id/run wants some jar. */
SL_MUST_CHECK bool img_write_tiny_jar(const char *path, struct sl_err *err);
/* One that also holds whole jars, below lib/ and in this order (NULL-terminated; may be NULL): what /jars/:id/run takes out
 * of a jar and puts on the job's class path behind it. The same bytes for the same jars. Errors: io, disk-full; what was
 * written of the file then stays. */
SL_MUST_CHECK bool img_write_nesting_jar(const char *path, const char *const *jars, struct sl_err *err);

#endif
