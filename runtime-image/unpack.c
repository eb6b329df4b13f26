/* SPDX-License-Identifier: Apache-2.0
 * Archives through libarchive: one reader for zip (wheels, jars) and tar.gz (source distributions). */
#include "runtime-image/unpack.h"

#include "sys/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool archive_failed(struct archive *ar, const char *path, struct sl_err *err)
{
    const char *why = archive_error_string(ar);
    return sl_fail(err, SL_FLINK_VERIFY, "%s is not a whole archive: %s", path, why ? why : "unknown reason");
}

static bool write_all(int fd, const char *p, size_t n, off_t at, const char *path, struct sl_err *err)
{
    while (n) {
        ssize_t w = pwrite(fd, p, n, at);
        if (w < 0) {
            if (errno == EINTR) {
                continue;
            }
            int e = errno;
            return sl_fail_errno(err, e == ENOSPC || e == EDQUOT ? SL_DISK_FULL : SL_IO, e, "cannot write %s",
                                 path);
        }
        p += w;
        n -= (size_t)w;
        at += w;
    }
    return true;
}

static bool write_entry(struct archive *ar, const char *archive, const char *path, void *ctx,
                        bool (*alive)(void *), struct sl_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        int e = errno;
        return sl_fail_errno(err, e == ENOSPC || e == EDQUOT ? SL_DISK_FULL : SL_IO, e, "cannot write %s",
                             path);
    }
    const void *block;
    size_t n;
    la_int64_t at;
    int r;
    bool ok = true;
    while (ok && (r = archive_read_data_block(ar, &block, &n, &at)) != ARCHIVE_EOF) {
        if (r < ARCHIVE_WARN) {
            ok = archive_failed(ar, archive, err);
        } else if (alive && !alive(ctx)) {
            ok = sl_fail(err, SL_CANCELLED, "stopped");
        } else {
            ok = write_all(fd, block, n, at, path, err);
        }
    }
    if (close(fd) != 0 && ok) {
        int e = errno;
        ok =
            sl_fail_errno(err, e == ENOSPC || e == EDQUOT ? SL_DISK_FULL : SL_IO, e, "cannot write %s", path);
    }
    return ok;
}

static bool is_safe(const char *name)
{
    if (!*name || *name == '/') {
        return false;
    }
    for (const char *p = name; *p;) {
        size_t n = strcspn(p, "/");
        if (n == 2 && p[0] == '.' && p[1] == '.') {
            return false;
        }
        p += n + (p[n] == '/');
    }
    return true;
}

static bool unpack_all(struct archive *ar, const char *archive, const char *folder, img_unpack_where where,
                       void *ctx, bool (*alive)(void *), size_t *ret_files, struct sl_err *err)
{
    struct archive_entry *entry;
    int r;
    while ((r = archive_read_next_header(ar, &entry)) != ARCHIVE_EOF) {
        if (r < ARCHIVE_WARN) {
            return archive_failed(ar, archive, err);
        }
        const char *name = archive_entry_pathname(entry);
        if (!name || archive_entry_filetype(entry) != AE_IFREG) {
            continue;
        }
        SL_ARENA_AUTO a = {0};
        const char *to = where(ctx, &a, name);
        if (!to) {
            continue;
        }
        if (!is_safe(to)) {
            return sl_fail(err, SL_FLINK_VERIFY, "%s holds an entry that leaves its folder: %.100s", archive,
                           name);
        }
        char *path = sys_path_join(&a, folder, to);
        char *slash = strrchr(path, '/');
        *slash = 0;
        bool made = sys_mkdirs(path, 0755, err);
        *slash = '/';
        if (!made || !write_entry(ar, archive, path, ctx, alive, err)) {
            return false;
        }
        (*ret_files)++;
    }
    return true;
}

bool img_unpack(const char *archive, const char *folder, img_unpack_where where, void *ctx,
                bool (*alive)(void *ctx), size_t *ret_files, struct sl_err *err)
{
    *ret_files = 0;
    struct archive *ar = archive_read_new();
    SL_OOM_ON(!ar);
    archive_read_support_filter_gzip(ar);
    archive_read_support_format_zip(ar);
    archive_read_support_format_tar(ar);
    bool ok = archive_read_open_filename(ar, archive, 1 << 20) == ARCHIVE_OK;
    if (!ok) {
        archive_failed(ar, archive, err);
    } else {
        ok = unpack_all(ar, archive, folder, where, ctx, alive, ret_files, err);
    }
    archive_read_free(ar);
    return ok;
}

bool img_write_tiny_jar(const char *path, struct sl_err *err)
{
    static const char manifest[] = "Manifest-Version: 1.0\r\n\r\n";
    struct archive *ar = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    SL_OOM_ON(!ar || !entry);
    archive_entry_set_pathname(entry, "META-INF/MANIFEST.MF");
    archive_entry_set_size(entry, sizeof manifest - 1);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_mtime(entry, 315619200, 0);
    bool ok = archive_write_set_format_zip(ar) == ARCHIVE_OK &&
              archive_write_open_filename(ar, path) == ARCHIVE_OK &&
              archive_write_header(ar, entry) == ARCHIVE_OK &&
              archive_write_data(ar, manifest, sizeof manifest - 1) == (la_ssize_t)(sizeof manifest - 1) &&
              archive_write_close(ar) == ARCHIVE_OK;
    if (!ok) {
        int saved = archive_errno(ar);
        sl_fail_errno(err, SL_IO, saved > 0 ? saved : EIO, "cannot write %s", path);
    }
    archive_entry_free(entry);
    archive_write_free(ar);
    return ok;
}
