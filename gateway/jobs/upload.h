/* SPDX-License-Identifier: Apache-2.0
 * Artifacts that clients bring: written beside while they come, kept by the SHA-256 of what came, listed, given away and
 * forgotten. They lie where the jars of versions lie (artifact.h) and are the same files; one that was brought stays until it is
 * removed. Blocking; safe from any thread, one thread an upload. */
#ifndef SLUICE_JOBS_UPLOAD_H
#define SLUICE_JOBS_UPLOAD_H

#include "gateway/jobs/artifact.h"

/* 64 hex digits, lower case. */
bool artifact_is_digest(sl_str s);
/* Where the artifact of this digest lies, whether it is there or not. */
const char *artifact_path(const char *dir, sl_str digest, struct sl_arena *a);

struct upload;
/* Begins one; `dir` is made. `name`: of the file, 1 to 255 bytes of UTF-8 without slashes and control characters. Both live as long as
 * it. Errors: usage, disk-full, io. */
SL_MUST_CHECK struct upload *upload_new(struct ledger *l, const char *dir, const char *name,
                                        struct sl_err *err);
/* More of it. Errors: limit-exceeded (limit.artifact-bytes, limit.artifacts-total), artifact-format (it does not begin as a zip file
 * does), disk-full, io. */
SL_MUST_CHECK bool upload_put(struct upload *u, sl_str piece, struct sl_err *err);
/* It is whole: kept and durable when this returns. `expected`: the digest that it must have; p == NULL: any. Errors also:
 * artifact-digest. */
SL_MUST_CHECK bool upload_end(struct upload *u, sl_str expected, const char *owner, char ret_digest[65],
                              struct sl_err *err);
/* Of one that has not come to its end nothing is left. */
void upload_free(struct upload *u);

struct artifact_seen {
    const char *digest, *name,
        *owner; /* owner: who brought it first, or whose version did; "" = the command line of this machine */
    int64_t bytes, kept_ms; /* wall clock */
    int64_t versions;       /* that name it */
    bool brought;           /* else it goes with its versions */
};
/* All of them, newest first; or that of one digest (p == NULL: all). */
SL_MUST_CHECK bool artifact_list(struct ledger *l, sl_str digest, struct sl_arena *a,
                                 struct artifact_seen **ret, size_t *ret_n, struct sl_err *err);
/* Forgets one. Errors: artifact-unknown, artifact-in-use (a version names it). */
SL_MUST_CHECK bool artifact_remove(struct ledger *l, const char *dir, sl_str digest, struct sl_err *err);
bool artifact_unknown(sl_str digest, struct sl_err *err);

#endif
