/* SPDX-License-Identifier: Apache-2.0
 * Spool files. O_TMPFILE where the file system has it, else a named file that is unlinked at once. */
#include "gateway/results/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SPOOL_PREFIX "rows-"

static bool fail(struct sl_err *err, int saved, const char *what)
{
    bool full = saved == ENOSPC || saved == EDQUOT || saved == EFBIG;
    return sl_fail_errno(err, full ? SL_DISK_FULL : SL_IO, saved, "%s the spool of a result", what);
}

bool res_spool_open(struct res_spool *s, const char *dir, struct sl_err *err)
{
    s->end = 0;
    s->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd >= 0) {
        return true;
    }
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/" SPOOL_PREFIX "XXXXXX", dir);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        return fail(err, ENAMETOOLONG, "cannot make");
    }
    s->fd = mkostemp(path, O_CLOEXEC);
    if (s->fd < 0) {
        return fail(err, errno, "cannot make");
    }
    (void)unlink(path);
    return true;
}

bool res_spool_append(struct res_spool *s, const void *p, size_t n, uint64_t *ret_off, struct sl_err *err)
{
    const char *at = p;
    for (size_t done = 0; done < n;) {
        ssize_t w = pwrite(s->fd, at + done, n - done, (off_t)(s->end + done));
        if (w < 0 && errno == EINTR) {
            continue;
        }
        if (w <= 0) {
            int saved = w < 0 ? errno : ENOSPC;
            (void)res_spool_drop(s, s->end, n); /* what was written of it must not stay */
            return fail(err, saved, "cannot write");
        }
        done += (size_t)w;
    }
    *ret_off = s->end;
    s->end += n;
    return true;
}

bool res_spool_read(int fd, uint64_t off, void *p, size_t n, struct sl_err *err)
{
    char *at = p;
    for (size_t done = 0; done < n;) {
        ssize_t r = pread(fd, at + done, n - done, (off_t)(off + done));
        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r <= 0) {
            return fail(err, r < 0 ? errno : EIO, "cannot read");
        }
        done += (size_t)r;
    }
    return true;
}

bool res_spool_drop(const struct res_spool *s, uint64_t off, size_t n)
{
    return s->fd >= 0 && n > 0 &&
           fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)n) == 0;
}

void res_spool_close(struct res_spool *s)
{
    if (s->fd >= 0) {
        (void)close(s->fd);
        s->fd = -1;
    }
}

void res_spool_clean(const char *dir)
{
    DIR *d = opendir(dir);
    if (!d) {
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        if (strncmp(e->d_name, SPOOL_PREFIX, sizeof(SPOOL_PREFIX) - 1) == 0) {
            (void)unlinkat(dirfd(d), e->d_name, 0);
        }
    }
    (void)closedir(d);
}
