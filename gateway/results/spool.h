/* SPDX-License-Identifier: Apache-2.0
 * One result's spool file: blocks appended by the rows lane, read by any thread. The file has no name any
 * more once it is open, so nothing is left when the process ends in whatever way. */
#ifndef SLUICE_RESULTS_SPOOL_H
#define SLUICE_RESULTS_SPOOL_H

#include "base/err.h"

struct res_spool {
    int fd; /* -1: not opened yet */
    uint64_t end;
};
/* Creates the file (0600) in the folder. Errors: disk-full, io. */
SL_MUST_CHECK bool res_spool_open(struct res_spool *s, const char *dir, struct sl_err *err);
/* All or nothing: after a failure the file's end is where it was. Errors: disk-full, io. */
SL_MUST_CHECK bool res_spool_append(struct res_spool *s, const void *p, size_t n, uint64_t *ret_off,
                                    struct sl_err *err);
SL_MUST_CHECK bool res_spool_read(int fd, uint64_t off, void *p, size_t n, struct sl_err *err);
/* Gives the disk space of a range back; false where the file system cannot. */
bool res_spool_drop(const struct res_spool *s, uint64_t off, size_t n);
void res_spool_close(struct res_spool *s);
/* Removes files that an earlier process left between making and unlinking them. */
void res_spool_clean(const char *dir);

#endif
