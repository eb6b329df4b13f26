/* SPDX-License-Identifier: Apache-2.0
 * Writing tar archives of an image's entries, hashed and compressed on the way to the disk. */
#include "runtime-image/oci_layer.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/limits.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PIECE_BYTES ((size_t)1 << 20)
#define TAR_BLOCK   512
#define TAR_BYTES   (INT64_C(1) << 33) /* of one file: what eleven octal digits tell */
#define NOTE_BYTES  ((size_t)4096)

/* ---- where the bytes go ---- */

struct sink {
    int fd;
    const char *path;
    bool gzip;
    z_stream z;
    unsigned char *out; /* of the compressor */
    struct sl_sha256 tar, blob;
    int64_t bytes;
    struct sl_err *err;
};

static bool put_blob(struct sink *s, const void *p, size_t n)
{
    const char *at = p;
    sl_sha256_put(&s->blob, p, n);
    s->bytes += (int64_t)n;
    while (n) {
        ssize_t w = write(s->fd, at, n);
        if (w < 0 && errno == EINTR) {
            continue;
        }
        if (w < 0) {
            return sl_fail_errno(s->err, SL_IO, errno, "cannot write %s", s->path);
        }
        at += w;
        n -= (size_t)w;
    }
    return true;
}

static bool deflate_all(struct sink *s, const void *p, size_t n, int flush)
{
    s->z.next_in = (Bytef *)(uintptr_t)p;
    s->z.avail_in = (uInt)n;
    int rc;
    do {
        s->z.next_out = s->out;
        s->z.avail_out = (uInt)PIECE_BYTES;
        rc = deflate(&s->z, flush);
        SL_BUG_ON(rc == Z_STREAM_ERROR);
        if (!put_blob(s, s->out, PIECE_BYTES - s->z.avail_out)) {
            return false;
        }
    } while (s->z.avail_out == 0 || (flush == Z_FINISH && rc != Z_STREAM_END));
    return true;
}

static bool put(struct sink *s, const void *p, size_t n)
{
    sl_sha256_put(&s->tar, p, n);
    return s->gzip ? deflate_all(s, p, n, Z_NO_FLUSH) : put_blob(s, p, n);
}

static bool sink_open(struct sink *s, const char *path, int gzip, struct sl_err *err)
{
    *s = (struct sink){.path = path, .gzip = gzip > 0, .err = err};
    s->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (s->fd < 0) {
        return sl_fail_errno(err, SL_IO, errno, "cannot write %s", path);
    }
    sl_sha256_init(&s->tar);
    sl_sha256_init(&s->blob);
    if (s->gzip) { /* 15 + 16: a gzip header without name and time */
        s->out = malloc(PIECE_BYTES);
        SL_OOM_ON(!s->out || deflateInit2(&s->z, gzip, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK);
    }
    return true;
}

/* Ends the archive when `ok`, and gives everything back. */
static bool sink_close(struct sink *s, bool ok, struct img_layer *ret)
{
    static const char zeros[2 * TAR_BLOCK];
    char hex[65];
    ok = ok && put(s, zeros, sizeof zeros) && (!s->gzip || deflate_all(s, NULL, 0, Z_FINISH));
    if (ok && (fchmod(s->fd, 0644) != 0 || fsync(s->fd) != 0)) {
        ok = sl_fail_errno(s->err, SL_IO, errno, "cannot write %s", s->path);
    }
    if (s->gzip) {
        deflateEnd(&s->z);
        free(s->out);
    }
    close(s->fd);
    sl_sha256_hex(&s->tar, hex);
    snprintf(ret->diff_id, sizeof ret->diff_id, "sha256:%s", hex);
    sl_sha256_hex(&s->blob, hex);
    snprintf(ret->digest, sizeof ret->digest, "sha256:%s", hex);
    ret->bytes = s->bytes;
    ret->gzip = s->gzip;
    return ok;
}

/* ---- tar ---- */

struct member {
    sl_str path;
    const struct img_entry *e; /* NULL: a folder that is only above others */
    unsigned mode;
};

static void octal(char *field, size_t size, uint64_t v)
{
    for (size_t i = size - 1; i-- > 0; v >>= 3) {
        field[i] = (char)('0' + (v & 7));
    }
}

static void put_text(char *block, size_t at, sl_str text)
{
    if (text.n) {
        memcpy(block + at, text.p, text.n);
    }
}

/* POSIX ustar: name at 0, mode 100, uid 108, gid 116, size 124, mtime 136, checksum 148, type 156, link 157, magic 257,
 * device 329 and 337, prefix 345. */
static bool put_header(struct sink *s, sl_str name, sl_str prefix, char type, unsigned mode, unsigned owner,
                       uint64_t bytes, sl_str link)
{
    char block[TAR_BLOCK] = {0};
    put_text(block, 0, name);
    octal(block + 100, 8, mode);
    octal(block + 108, 8, owner);
    octal(block + 116, 8, owner);
    octal(block + 124, 12, bytes);
    octal(block + 136, 12, 0);
    memset(block + 148, ' ', 8);
    block[156] = type;
    put_text(block, 157, link);
    memcpy(block + 257,
           "ustar\0"
           "00",
           8);
    octal(block + 329, 8, 0);
    octal(block + 337, 8, 0);
    put_text(block, 345, prefix);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof block; i++) {
        sum += (unsigned char)block[i];
    }
    octal(block + 148, 7, sum);
    block[154] = 0;
    return put(s, block, sizeof block);
}

static bool put_padding(struct sink *s, uint64_t bytes)
{
    static const char zeros[TAR_BLOCK];
    size_t over = (size_t)(bytes % TAR_BLOCK);
    return !over || put(s, zeros, TAR_BLOCK - over);
}

/* "LENGTH key=value\n", where the length counts itself. */
static void put_pax(struct sl_buf *b, const char *key, sl_str value)
{
    size_t rest = strlen(key) + value.n + 3, n = rest + 1;
    char digits[24];
    while ((size_t)snprintf(digits, sizeof digits, "%zu", n) + rest != n) {
        n++;
    }
    sl_buf_printf(b, "%zu %s=", n, key);
    sl_buf_puts(b, value);
    sl_buf_putc(b, '\n');
}

/* Where to part a name in two of at most 155 and 100 bytes; false: it cannot be. */
static bool part_name(sl_str path, sl_str *ret_name, sl_str *ret_prefix)
{
    *ret_name = path;
    *ret_prefix = SL_STR_NONE;
    if (path.n <= 100) {
        return true;
    }
    for (size_t i = path.n - 101; i < path.n - 1 && i <= 155; i++) {
        if (path.p[i] == '/' && i > 0) {
            *ret_prefix = sl_str_sub(path, 0, i);
            *ret_name = sl_str_sub(path, i + 1, path.n - i - 1);
            return true;
        }
    }
    return false;
}

static bool put_member_header(struct sink *s, const struct member *m)
{
    SL_ARENA_AUTO a = {0};
    const struct img_entry *e = m->e;
    enum img_kind kind = e ? e->kind : IMG_FOLDER;
    sl_str path = kind == IMG_FOLDER ? sl_arena_printf(&a, "%.*s/", SL_S(m->path)) : m->path;
    sl_str link = kind == IMG_LINK && e ? e->link : SL_STR_NONE, name, prefix;
    bool fits = part_name(path, &name, &prefix), short_link = link.n <= 100;
    if (!fits || !short_link) {
        SL_BUF_AUTO pax;
        sl_buf_init(&pax, 0);
        if (!fits) {
            put_pax(&pax, "path", path);
            name = sl_str_sub(path, path.n - 100, 100);
        }
        if (!short_link) {
            put_pax(&pax, "linkpath", link);
            link = sl_str_sub(link, 0, 100);
        }
        if (!put_header(s, SL_STR("pax"), SL_STR_NONE, 'x', 0644, 0, pax.n, SL_STR_NONE) ||
            !put(s, pax.p, pax.n) || !put_padding(s, pax.n)) {
            return false;
        }
    }
    static const char types[IMG_KIND_MAX_] = {'0', '2', '5'};
    uint64_t bytes = kind == IMG_FILE && e ? (uint64_t)e->bytes : 0;
    return put_header(s, name, prefix, types[kind], m->mode, img_owner(m->path), bytes, link);
}

static bool fail_changed(const struct sink *s, const struct img_entry *e)
{
    return sl_fail(s->err, SL_IMAGE_BROKEN, "%s is not what was built", e->source);
}

static bool put_file(struct sink *s, const struct img_entry *e)
{
    int fd = open(e->source, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return sl_fail_errno(s->err, SL_IO, errno, "cannot read %s", e->source);
    }
    char *piece = malloc(PIECE_BYTES), hex[65];
    SL_OOM_ON(!piece);
    struct sl_sha256 h;
    int64_t done = 0;
    bool ok = true;
    sl_sha256_init(&h);
    while (ok) {
        ssize_t n = read(fd, piece, PIECE_BYTES);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            ok = n == 0 || sl_fail_errno(s->err, SL_IO, errno, "cannot read %s", e->source);
            break;
        }
        done += n;
        sl_sha256_put(&h, piece, (size_t)n);
        ok = (done <= e->bytes || fail_changed(s, e)) && put(s, piece, (size_t)n);
    }
    sl_sha256_hex(&h, hex);
    free(piece);
    close(fd);
    return ok && ((done == e->bytes && strcmp(hex, e->sha256) == 0) || fail_changed(s, e)) &&
           put_padding(s, (uint64_t)done);
}

static int member_cmp(const void *x, const void *y)
{
    const struct member *a = x, *b = y;
    int c = sl_str_cmp(a->path, b->path);
    return c ? c : (b->e != NULL) - (a->e != NULL);
}

struct layer_plan {
    sl_str title;
    int gzip;
    SL_VEC(const struct img_entry *) entries;
};
struct members {
    SL_VEC(struct member) v;
};

/* Entries and all folders above them, sorted, each once. */
static void find_members(struct sl_arena *a, const struct img_content *c, const struct layer_plan *p,
                         struct members *ret)
{
    for (size_t i = 0; i < p->entries.n; i++) {
        const struct img_entry *e = p->entries.v[i];
        sl_vec_push(a, &ret->v, ((struct member){e->path, e, e->mode}));
        for (size_t n = e->path.n; n-- > 0;) {
            if (e->path.p[n] == '/') {
                sl_str above = sl_str_sub(e->path, 0, n);
                const struct img_entry *own = img_content_find(c, above);
                sl_vec_push(a, &ret->v, ((struct member){above, NULL, own ? own->mode : 0755}));
            }
        }
    }
    size_t kept = 0;
    if (ret->v.n) {
        qsort(ret->v.v, ret->v.n, sizeof *ret->v.v, member_cmp);
    }
    for (size_t i = 0; i < ret->v.n; i++) {
        if (!kept || !sl_str_eq(ret->v.v[kept - 1].path, ret->v.v[i].path)) {
            ret->v.v[kept++] = ret->v.v[i];
        }
    }
    ret->v.n = kept;
}

/* What decides the bytes of a layer, as one digest. */
static void layer_key(const struct layer_plan *p, const struct members *m, char ret[65])
{
    struct sl_sha256 h;
    sl_sha256_init(&h);
    SL_ARENA_AUTO a = {0};
    sl_str head = sl_arena_printf(&a, "layer 1 gzip %d zlib %s\n", p->gzip, p->gzip ? zlibVersion() : "");
    sl_sha256_put(&h, head.p, head.n);
    for (size_t i = 0; i < m->v.n; i++) {
        const struct member *x = &m->v.v[i];
        const struct img_entry *e = x->e;
        struct sl_arena_mark mark = sl_arena_mark(&a);
        sl_str line = sl_arena_printf(&a, "%d %o %s %.*s%c%.*s\n", e ? (int)e->kind : (int)IMG_FOLDER,
                                      x->mode, e && e->kind == IMG_FILE ? e->sha256 : "", SL_S(x->path), 0,
                                      SL_S(e ? e->link : SL_STR_NONE));
        sl_sha256_put(&h, line.p, line.n);
        sl_arena_rewind(&a, mark);
    }
    sl_sha256_hex(&h, ret);
}

/* ---- blobs ---- */

char *img_blob_path(struct sl_arena *a, const char *oci, const char *digest)
{
    return sys_path_join(a, oci, sl_arena_printf(a, "blobs/sha256/%s", digest + 7).p);
}

static bool sync_folder(const char *path, struct sl_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    ok = ok || sl_fail_errno(err, SL_IO, errno, "cannot sync %s", path);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

bool img_blob_write(const char *oci, sl_str content, char ret_digest[72], struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    sl_sha256_digest(content, ret_digest);
    const char *path = img_blob_path(&a, oci, ret_digest);
    return sys_file_size(path) == (int64_t)content.n ||
           (sys_mkdirs(sys_path_join(&a, oci, "blobs/sha256"), 0755, err) &&
            sys_file_write(path, content, 0644, err));
}

/* A digest as it is noted; false: it is none. */
static bool take_digest(const struct sl_json *v, char ret[72])
{
    sl_str text = sl_json_str(v, SL_STR_NONE);
    if (text.n != 71 || !sl_str_starts(text, SL_STR("sha256:")) || sl_str_find_char(text, '/') >= 0) {
        return false;
    }
    memcpy(ret, text.p, 71);
    ret[71] = 0;
    return true;
}

/* Was this layer made before, and is its blob there? */
static bool read_note(struct sl_arena *a, const char *oci, const char *note, struct img_layer *ret)
{
    sl_str text;
    const struct sl_json *j;
    if (!sys_file_read(a, note, NOTE_BYTES, &text, NULL) || !(j = sl_json_parse(a, text, NULL)) ||
        !take_digest(sl_json_get(j, "digest"), ret->digest) ||
        !take_digest(sl_json_get(j, "diffId"), ret->diff_id)) {
        return false;
    }
    ret->bytes = sl_json_i64(sl_json_get(j, "bytes"), -1);
    ret->gzip = sl_json_bool(sl_json_get(j, "gzip"), false);
    ret->was_there = true;
    return sys_file_size(img_blob_path(a, oci, ret->digest)) == ret->bytes;
}

static bool write_note(const char *note, const struct img_layer *l, struct sl_err *err)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, NOTE_BYTES);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "digest", l->digest);
    sl_jw_kstrz(&w, "diffId", l->diff_id);
    sl_jw_ki64(&w, "bytes", l->bytes);
    sl_jw_kbool(&w, "gzip", l->gzip);
    sl_jw_end_object(&w);
    return sys_file_write(note, sl_buf_str(&b), 0644, err);
}

static bool write_layer(struct sl_arena *a, const char *oci, const struct members *m, int gzip,
                        struct img_layer *ret, struct sl_err *err)
{
    char unique[17];
    struct sink s;
    sl_random_hex(unique, 8);
    const char *part = sys_path_join(a, oci, sl_arena_printf(a, "tmp/%s", unique).p);
    if (!sink_open(&s, part, gzip, err)) {
        return false;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < m->v.n; i++) {
        const struct member *x = &m->v.v[i];
        ok = put_member_header(&s, x) && (!x->e || x->e->kind != IMG_FILE || put_file(&s, x->e));
    }
    ok = sink_close(&s, ok, ret);
    const char *to = img_blob_path(a, oci, ret->digest);
    ok = ok && (rename(part, to) == 0 || sl_fail_errno(err, SL_IO, errno, "cannot rename %s", part)) &&
         sync_folder(sys_path_join(a, oci, "blobs/sha256"), err);
    if (!ok) {
        unlink(part);
    }
    return ok;
}

static bool make_layer(struct sl_arena *a, const char *oci, const struct img_content *c,
                       const struct layer_plan *p, struct img_layers *ret, struct sl_err *err)
{
    struct img_layer l = {.title = p->title};
    struct members m = {0};
    char key[65];
    if (!p->entries.n) {
        return true;
    }
    for (size_t i = 0; i < p->entries.n; i++) {
        if (p->entries.v[i]->bytes >= TAR_BYTES) {
            return sl_fail(err, SL_LIMIT, "/%.*s is larger than 8 GiB", SL_S(p->entries.v[i]->path));
        }
    }
    find_members(a, c, p, &m);
    layer_key(p, &m, key);
    const char *note = sys_path_join(a, oci, sl_arena_printf(a, "layers/%s.json", key).p);
    if (!read_note(a, oci, note, &l)) {
        l.was_there = false;
        if (!write_layer(a, oci, &m, p->gzip, &l, err) || !write_note(note, &l, err)) {
            return false;
        }
    }
    sl_vec_push(a, &ret->v, l);
    return true;
}

/* ---- which layers ---- */

static bool plan_part(struct sl_arena *a, const char *oci, const struct img_content *c, enum img_part part,
                      sl_str title, int gzip, struct img_layers *ret, struct sl_err *err)
{
    struct layer_plan p = {.title = title, .gzip = gzip};
    for (size_t i = 0; i < c->entries.n; i++) {
        if (c->entries.v[i].part == part) {
            sl_vec_push(a, &p.entries, &c->entries.v[i]);
        }
    }
    return make_layer(a, oci, c, &p, ret, err);
}

static bool jar_layer(struct sl_arena *a, const char *oci, const struct img_content *c,
                      const struct img_entry *e, int gzip, struct img_layers *ret, struct sl_err *err)
{
    struct layer_plan p = {.title = e->origin.n ? e->origin : e->path, .gzip = gzip};
    sl_vec_push(a, &p.entries, e);
    return make_layer(a, oci, c, &p, ret, err);
}

static bool is_on_class_path(const struct img_content *c, sl_str path)
{
    for (size_t i = 0; i < c->class_path.n; i++) {
        if (sl_str_eq(c->class_path.v[i], path)) {
            return true;
        }
    }
    return false;
}

/* One for each jar: those of the class path in its order, then the others. */
static bool jar_layers(struct sl_arena *a, const char *oci, const struct img_content *c, int gzip,
                       struct img_layers *ret, struct sl_err *err)
{
    for (size_t i = 0; i < c->class_path.n; i++) {
        const struct img_entry *e = img_content_find(c, c->class_path.v[i]);
        if (e && e->part == IMG_PART_JAR && !jar_layer(a, oci, c, e, gzip, ret, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < c->entries.n; i++) {
        const struct img_entry *e = &c->entries.v[i];
        if (e->part == IMG_PART_JAR && !is_on_class_path(c, e->path) &&
            !jar_layer(a, oci, c, e, gzip, ret, err)) {
            return false;
        }
    }
    return true;
}

bool img_layers_write(struct sl_arena *a, const char *oci, const struct img_content *c,
                      const struct img_layer_options *o, struct img_layers *ret, struct sl_err *err)
{
    static const char *const folders[] = {"blobs/sha256", "layers", "tmp"};
    *ret = (struct img_layers){0};
    for (size_t i = 0; i < SL_ARRAY_LEN(folders); i++) {
        if (!sys_mkdirs(sys_path_join(a, oci, folders[i]), 0755, err)) {
            return false;
        }
    }
    sl_str flink = sl_arena_printf(a, "Flink %.*s", SL_S(c->flink));
    return plan_part(a, oci, c, IMG_PART_SYSTEM, SL_STR("system"), o->gzip, ret, err) &&
           plan_part(a, oci, c, IMG_PART_JRE, SL_STR("JRE"), o->gzip, ret, err) &&
           plan_part(a, oci, c, IMG_PART_FLINK, flink, o->gzip_jars, ret, err) &&
           plan_part(a, oci, c, IMG_PART_RUNNER, SL_STR("runner"), o->gzip_jars, ret, err) &&
           jar_layers(a, oci, c, o->gzip_jars, ret, err) &&
           plan_part(a, oci, c, IMG_PART_FILES, SL_STR("files"), o->gzip, ret, err);
}
