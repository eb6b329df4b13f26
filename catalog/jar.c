/* SPDX-License-Identifier: Apache-2.0
 * Reads the directory of a zip file: the record at the end says where it is, in the short or in the 64-bit form. */
#include "catalog/jar.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define END_BYTES    22
#define COMMENT_MOST 65535
#define ENTRY_BYTES  46
#define LOCAL_BYTES  30

struct zip {
    int fd;
    const char *path;
    uint64_t bytes;
    uint64_t shift; /* bytes in front of the archive: offsets count behind them */
    struct sl_err *err;
};

static uint16_t u16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t u32(const unsigned char *p)
{
    return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16;
}

static uint64_t u64(const unsigned char *p)
{
    return (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32;
}

static bool broken(const struct zip *z, const char *what)
{
    return sl_fail(z->err, SL_ARTIFACT_FORMAT, "%s is no jar: %s", z->path, what);
}

static bool read_at(const struct zip *z, uint64_t off, void *to, size_t n)
{
    if (off > z->bytes || n > z->bytes - off) {
        return broken(z, "it ends too early");
    }
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(z->fd, (char *)to + done, n - done, (off_t)(off + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? sl_fail_errno(z->err, SL_IO, errno, "cannot read %s", z->path)
                           : broken(z, "it ends too early");
        }
        done += (size_t)got;
    }
    return true;
}

struct directory {
    uint64_t off, bytes, entries;
};

/* The 64-bit record, where the short one says that its fields are too small. */
static bool read_end64(struct zip *z, uint64_t end, struct directory *d, uint64_t *ret_end)
{
    unsigned char locator[20] = {0}, record[56] = {0};
    if (end < sizeof(locator) || !read_at(z, end - sizeof(locator), locator, sizeof(locator))) {
        return broken(z, "its directory cannot be found");
    }
    if (u32(locator) != 0x07064b50) {
        return broken(z, "its directory cannot be found");
    }
    uint64_t off = u64(locator + 8);
    if (!read_at(z, off, record, sizeof(record))) {
        return false;
    }
    if (u32(record) != 0x06064b50) {
        return broken(z, "its directory cannot be found");
    }
    *d = (struct directory){.off = u64(record + 48), .bytes = u64(record + 40), .entries = u64(record + 32)};
    *ret_end = off;
    return true;
}

static bool find_directory(struct zip *z, struct directory *d)
{
    size_t tail = (size_t)SL_MIN(z->bytes, (uint64_t)END_BYTES + COMMENT_MOST);
    unsigned char *p = calloc(1, tail + 1);
    uint64_t end = UINT64_MAX;
    SL_OOM_ON(!p);
    if (!read_at(z, z->bytes - tail, p, tail)) {
        free(p);
        return false;
    }
    for (size_t i = tail < END_BYTES ? 0 : tail - END_BYTES + 1; i-- > 0;) {
        if (u32(p + i) == 0x06054b50 && u16(p + i + 20) == tail - i - END_BYTES) {
            *d = (struct directory){
                .off = u32(p + i + 16), .bytes = u32(p + i + 12), .entries = u16(p + i + 10)};
            end = z->bytes - tail + i;
            break;
        }
    }
    free(p);
    if (end == UINT64_MAX) {
        return broken(z, "it has no directory at its end");
    }
    bool large = d->off == UINT32_MAX || d->bytes == UINT32_MAX || d->entries == UINT16_MAX;
    if (large && !read_end64(z, end, d, &end)) {
        return false;
    }
    if (d->bytes > end || d->off > end - d->bytes) {
        return broken(z, "its directory lies outside of it");
    }
    z->shift = end - d->bytes - d->off;
    if (d->bytes > SL_LIMIT_JAR_DIRECTORY_BYTES) {
        return sl_fail(z->err, SL_LIMIT, "the directory of %s is longer than %s", z->path,
                       SL_SIZE(SL_LIMIT_JAR_DIRECTORY_BYTES));
    }
    if (d->entries > d->bytes / ENTRY_BYTES) {
        return broken(z, "its directory is shorter than it says");
    }
    return true;
}

/* A small file of it; false when it is not whole, which is not worth an error. */
static bool unpack(const struct zip *z, const unsigned char *entry, char *to, size_t size)
{
    unsigned char local[LOCAL_BYTES] = {0}, packed[SL_LIMIT_JAR_NOTE_BYTES] = {0};
    struct zip quiet = *z;
    quiet.err = NULL;
    uint32_t packed_size = u32(entry + 20);
    uint64_t off = u32(entry + 42) + z->shift;
    if (packed_size > sizeof(packed) || !read_at(&quiet, off, local, sizeof(local)) ||
        u32(local) != 0x04034b50 ||
        !read_at(&quiet, off + LOCAL_BYTES + u16(local + 26) + u16(local + 28), packed, packed_size)) {
        return false;
    }
    if (u16(entry + 10) == 0) {
        memcpy(to, packed, SL_MIN(size, (size_t)packed_size));
        return packed_size == size;
    }
    z_stream s = {.next_in = packed, .avail_in = packed_size, .next_out = (unsigned char *)to};
    s.avail_out = (uInt)size;
    if (u16(entry + 10) != 8 || inflateInit2(&s, -MAX_WBITS) != Z_OK) {
        return false;
    }
    int code = inflate(&s, Z_FINISH);
    bool whole = code == Z_STREAM_END && s.total_out == size;
    (void)inflateEnd(&s);
    return whole;
}

static sl_str property(sl_str text, const char *key)
{
    while (text.n) {
        ptrdiff_t nl = sl_str_find_char(text, '\n');
        sl_str line = sl_str_trim(sl_str_sub(text, 0, nl < 0 ? text.n : (size_t)nl));
        text = nl < 0 ? SL_STR_NONE : sl_str_sub(text, (size_t)nl + 1, text.n - (size_t)nl - 1);
        ptrdiff_t eq = sl_str_find_char(line, '=');
        if (eq > 0 && sl_str_eqz(sl_str_trim(sl_str_sub(line, 0, (size_t)eq)), key)) {
            return sl_str_trim(sl_str_sub(line, (size_t)eq + 1, line.n - (size_t)eq - 1));
        }
    }
    return SL_STR_NONE;
}

static void note_bundled(struct sl_arena *a, const struct zip *z, const unsigned char *entry,
                         struct cat_jar_index *ret)
{
    uint32_t size = u32(entry + 24);
    if (!size || size > SL_LIMIT_JAR_NOTE_BYTES || ret->bundled.n >= SL_LIMIT_JAR_BUNDLED) {
        return;
    }
    char *text = sl_arena_zalloc(a, size);
    struct cat_bundled b;
    if (!unpack(z, entry, text, size)) {
        return;
    }
    b.g = property((sl_str){text, size}, "groupId");
    b.a = property((sl_str){text, size}, "artifactId");
    b.v = property((sl_str){text, size}, "version");
    if (b.a.n && b.v.n) {
        sl_vec_push(a, &ret->bundled, b);
    }
}

static bool read_entries(struct sl_arena *a, const struct zip *z, const struct directory *d,
                         const unsigned char *p, struct cat_jar_index *ret)
{
    size_t at = 0;
    for (uint64_t i = 0; i < d->entries; i++) {
        const unsigned char *e = p + at;
        if (d->bytes - at < ENTRY_BYTES || u32(e) != 0x02014b50) {
            return broken(z, "its directory is broken");
        }
        size_t name = u16(e + 28), more = (size_t)u16(e + 30) + u16(e + 32);
        if (d->bytes - at - ENTRY_BYTES < name + more) {
            return broken(z, "its directory is broken");
        }
        at += ENTRY_BYTES + name + more;
        sl_str text = {(const char *)e + ENTRY_BYTES, name};
        if (sl_str_ends(text, SL_STR(".class")) && !sl_str_starts(text, SL_STR("META-INF/")) &&
            !sl_str_eqz(text, "module-info.class")) {
            sl_vec_push(a, &ret->classes,
                        ((struct cat_class){sl_str_dup(a, text), u32(e + 16), u32(e + 24)}));
        } else if (sl_str_starts(text, SL_STR("META-INF/maven/")) &&
                   sl_str_ends(text, SL_STR("/pom.properties"))) {
            note_bundled(a, z, e, ret);
        }
    }
    return true;
}

static bool read_zip(struct sl_arena *a, struct zip *z, struct cat_jar_index *ret)
{
    struct directory d = {0};
    if (!find_directory(z, &d)) {
        return false;
    }
    unsigned char *p = calloc(1, (size_t)d.bytes + 1);
    SL_OOM_ON(!p);
    bool good = read_at(z, d.off + z->shift, p, (size_t)d.bytes) && read_entries(a, z, &d, p, ret);
    free(p);
    return good;
}

bool cat_jar_read(struct sl_arena *a, const char *path, struct cat_jar_index *ret, struct sl_err *err)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    struct zip z = {.fd = open(path, O_RDONLY | O_CLOEXEC), .path = path, .err = err};
    *ret = (struct cat_jar_index){.path = path, .file = sl_str_of(slash ? slash + 1 : path)};
    if (z.fd < 0) {
        return sl_fail_errno(err, errno == ENOENT ? SL_FILE_NOT_FOUND : SL_IO, errno, "cannot open %s", path);
    }
    bool good = false;
    if (fstat(z.fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        sl_fail(err, SL_ARTIFACT_FORMAT, "%s is no file", path);
    } else {
        z.bytes = ret->bytes = (uint64_t)st.st_size;
        good = read_zip(a, &z, ret);
    }
    close(z.fd);
    return good;
}
