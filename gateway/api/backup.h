/* SPDX-License-Identifier: Apache-2.0
 * Backup and restore of a data folder: the store as of one moment and the jars of its versions, as one file
 * (docs/backup.md). Blocking. */
#ifndef SLUICE_API_BACKUP_H
#define SLUICE_API_BACKUP_H

#include "store/store.h"

struct backup_info {
    int64_t bytes;    /* of the backup */
    size_t artifacts; /* jars in it */
    char aside[512];  /* restore: where the store that was there lies now; "" = there was none */
};
/* `open`: the store of a running owner; NULL: nobody has it open, and the caller holds the folder's lock. The
 * file appears whole or not at all. Errors: file-exists, not-found (no store), disk-full, io. */
SL_MUST_CHECK bool backup_make(struct store *open, const char *data_dir, const char *file,
                               struct backup_info *ret, struct sl_err *err);
/* Nobody has the folder; the caller holds its lock. `replace`: a store that is there goes aside. Errors:
 * file-exists, store (no store, or damaged), store-newer, disk-full, io: then nothing has changed. */
SL_MUST_CHECK bool backup_restore(const char *data_dir, const char *file, bool replace,
                                  struct backup_info *ret, struct sl_err *err);

#endif
