/* SPDX-License-Identifier: Apache-2.0
 * Artifacts: the jars of versions, kept by digest in the data folder, so that a version can be run again with
 * the same bytes whatever became of the files it was given. Blocking; safe from any thread. */
#ifndef SLUICE_JOBS_ARTIFACT_H
#define SLUICE_JOBS_ARTIFACT_H

#include "gateway/jobs/ledger.h"

extern const struct store_migration artifact_migrations[];

/* SHA-256 of a file, 64 hex digits. */
SL_MUST_CHECK bool artifact_digest(const char *file, char ret[65], struct sl_err *err);
/* Copies the file to `dir`/DIGEST.jar, whole and durable, unless it is there; *ret is that path, in the arena.
 * A copy, no link: who writes into the file later must not change what is kept. Error also when the file does
 * not have that digest any more. */
SL_MUST_CHECK bool artifact_keep(const char *dir, const char *file, const char digest[65], struct sl_arena *a,
                                 const char **ret, struct sl_err *err);
/* Notes which jars a version has, in their order. */
struct artifact {
    const char *digest, *name; /* 64 hex digits; the file's name as it was given */
    int64_t bytes;
};
SL_MUST_CHECK bool artifact_note(struct ledger *l, const char *job, int64_t version, const char *owner,
                                 const struct artifact *v, size_t n, struct sl_err *err);
/* What was renamed there stays so after a crash. */
SL_MUST_CHECK bool artifact_sync_dir(const char *dir, struct sl_err *err);
/* Within the transaction that removes a job. */
SL_MUST_CHECK bool artifact_forget(struct store_tx *tx, const char *job, struct sl_err *err);
/* Removes the jars that no version names and nobody brought (upload.h), and what was left half. While nobody submits: at the owner's start. */
SL_MUST_CHECK bool artifact_sweep(struct ledger *l, const char *dir, struct sl_err *err);

#endif
