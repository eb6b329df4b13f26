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

/* ---- jars ---- */

#define PIECE_BYTES  ((size_t)1 << 18)
#define ENTRY_TIME_S 315619200 /* 1980-01-02: the same bytes, whenever they are written */

static bool write_failed(struct archive *ar, const char *path, struct sl_err *err)
{
    int saved = archive_errno(ar);
    return sl_fail_errno(err, saved == ENOSPC || saved == EDQUOT ? SL_DISK_FULL : SL_IO,
                         saved > 0 ? saved : EIO, "cannot write %s", path);
}

static bool begin_entry(struct archive *ar, const char *name, int64_t bytes)
{
    struct archive_entry *entry = archive_entry_new();
    SL_OOM_ON(!entry);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, bytes);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_mtime(entry, ENTRY_TIME_S, 0);
    bool ok = archive_write_header(ar, entry) == ARCHIVE_OK;
    archive_entry_free(entry);
    return ok;
}

/* A whole file as one entry. */
static bool put_file(struct archive *ar, const char *name, const char *file, const char *path,
                     struct sl_err *err)
{
    int64_t bytes = sys_file_size(file), done = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || bytes < 0) {
        sl_fail_errno(err, SL_IO, errno, "cannot read %s", file);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    char *piece = malloc(PIECE_BYTES);
    SL_OOM_ON(!piece);
    bool ok = begin_entry(ar, name, bytes) || write_failed(ar, path, err);
    while (ok) {
        ssize_t n = read(fd, piece, PIECE_BYTES);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            ok = sl_fail_errno(err, SL_IO, errno, "cannot read %s", file);
        } else if (n > 0) {
            done += n;
            ok = (done <= bytes || sl_fail(err, SL_IO, "%s was changed while it was read", file)) &&
                 (archive_write_data(ar, piece, (size_t)n) == (la_ssize_t)n || write_failed(ar, path, err));
        } else {
            ok = done == bytes || sl_fail(err, SL_IO, "%s was changed while it was read", file);
            break;
        }
    }
    free(piece);
    close(fd);
    return ok;
}

bool img_write_nesting_jar(const char *path, const char *const *jars, struct sl_err *err)
{
    static const char manifest[] = "Manifest-Version: 1.0\r\n\r\n";
    const la_ssize_t n = sizeof manifest - 1;
    struct archive *ar = archive_write_new();
    SL_OOM_ON(!ar);
    bool ok = archive_write_set_format_zip(ar) == ARCHIVE_OK &&
              archive_write_set_format_option(ar, "zip", "compression", "store") == ARCHIVE_OK &&
              archive_write_open_filename(ar, path) == ARCHIVE_OK &&
              begin_entry(ar, "META-INF/MANIFEST.MF", n) && archive_write_data(ar, manifest, (size_t)n) == n;
    ok = ok || write_failed(ar, path, err);
    for (size_t i = 0; ok && jars && jars[i]; i++) {
        SL_ARENA_AUTO a = {0};
        const char *slash = strrchr(jars[i], '/'), *file = slash ? slash + 1 : jars[i];
        bool named = sl_str_ends(sl_str_of(file), SL_STR(".jar"));
        ok = put_file(ar, sl_arena_printf(&a, "lib/%zu-%s%s", i, file, named ? "" : ".jar").p, jars[i], path,
                      err);
    }
    if (ok && archive_write_close(ar) != ARCHIVE_OK) {
        ok = write_failed(ar, path, err);
    }
    archive_write_free(ar);
    return ok;
}

bool img_write_tiny_jar(const char *path, struct sl_err *err)
{
    return img_write_nesting_jar(path, NULL, err);
}
