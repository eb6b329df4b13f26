/* SPDX-License-Identifier: Apache-2.0
 * Gathering files and folders into the list of an image, and the list's canonical text. */
#include "runtime-image/content.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/limits.h"
#include "runtime-image/image.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)1 << 20)

static const char *const part_names[IMG_PART_MAX_] = {"system", "jre", "flink", "runner", "jar", "files"};
static const char *const kind_names[IMG_KIND_MAX_] = {"file", "link", "folder"};

const char *img_part_name(enum img_part p)
{
    return part_names[p];
}

unsigned img_owner(sl_str path)
{
    return sl_str_eqz(path, "opt/flink") || sl_str_starts(path, SL_STR("opt/flink/")) ? 9999 : 0;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR) {
            continue;
        }
        if (w < 0) {
            return false;
        }
        p += w;
        n -= (size_t)w;
    }
    return true;
}

bool img_file_digest(const char *path, int copy_to, char ret[65], int64_t *ret_bytes, struct sl_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int e = errno;
        return sl_fail_errno(err, e == ENOENT ? SL_FILE_NOT_FOUND : SL_IO, e, "cannot read %s", path);
    }
    char *piece = malloc(PIECE_BYTES);
    SL_OOM_ON(!piece);
    struct sl_sha256 h;
    bool ok = true;
    *ret_bytes = 0;
    sl_sha256_init(&h);
    for (;;) {
        ssize_t n = read(fd, piece, PIECE_BYTES);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            ok = n == 0 || sl_fail_errno(err, SL_IO, errno, "cannot read %s", path);
            break;
        }
        sl_sha256_put(&h, piece, (size_t)n);
        *ret_bytes += n;
        if (copy_to >= 0 && !write_all(copy_to, piece, (size_t)n)) {
            ok = sl_fail_errno(err, SL_IO, errno, "cannot copy %s", path);
            break;
        }
    }
    sl_sha256_hex(&h, ret);
    free(piece);
    close(fd);
    return ok;
}

static bool add(struct sl_arena *a, struct img_content *c, const struct img_entry *e, struct sl_err *err)
{
    if (c->entries.n >= SL_LIMIT_IMAGE_ENTRIES) {
        return sl_fail(err, SL_LIMIT, "more than %d files in one image", SL_LIMIT_IMAGE_ENTRIES);
    }
    struct img_entry *to = sl_vec_add(a, &c->entries);
    *to = *e;
    to->path = sl_str_dup(a, e->path);
    return true;
}

static bool add_regular(struct sl_arena *a, struct img_content *c, const struct img_entry *e,
                        const struct stat *st, struct sl_err *err)
{
    struct img_entry file = *e;
    file.kind = IMG_FILE;
    file.mode = st->st_mode & 0100 ? 0755 : 0644;
    file.source = sl_arena_strdupz(a, sl_str_of(e->source));
    return img_file_digest(file.source, -1, file.sha256, &file.bytes, err) && add(a, c, &file, err);
}

bool img_add_file(struct sl_arena *a, struct img_content *c, const struct img_entry *e, struct sl_err *err)
{
    struct stat st;
    if (stat(e->source, &st) != 0) {
        int saved = errno;
        return sl_fail_errno(err, saved == ENOENT ? SL_FILE_NOT_FOUND : SL_IO, saved, "cannot read %s",
                             e->source);
    }
    if (!S_ISREG(st.st_mode)) {
        return sl_fail(err, SL_CONFIG_VALUE, "%s is no file", e->source);
    }
    return add_regular(a, c, e, &st, err);
}

bool img_add_made(struct sl_arena *a, struct img_content *c, sl_str path, unsigned mode, sl_str bytes,
                  struct sl_err *err)
{
    char digest[72];
    struct img_entry e = {.path = path,
                          .part = IMG_PART_FILES,
                          .kind = IMG_FILE,
                          .mode = mode,
                          .made = sl_str_dup(a, bytes),
                          .bytes = (int64_t)bytes.n};
    sl_sha256_digest(bytes, digest);
    memcpy(e.sha256, digest + 7, sizeof e.sha256);
    return add(a, c, &e, err);
}

static bool add_link(struct sl_arena *a, struct img_content *c, const struct img_entry *e, struct sl_err *err)
{
    char to[4096];
    ssize_t n = readlink(e->source, to, sizeof to);
    if (n < 0 || n == (ssize_t)sizeof to) {
        return sl_fail_errno(err, SL_IO, n < 0 ? errno : ENAMETOOLONG, "cannot read the link %s", e->source);
    }
    struct img_entry link = *e;
    link.kind = IMG_LINK;
    link.mode = 0777;
    link.source = NULL;
    link.link = sl_str_dup(a, (sl_str){to, (size_t)n});
    return add(a, c, &link, err);
}

static bool add_at(struct sl_arena *a, struct img_content *c, const struct img_entry *e, unsigned depth,
                   struct sl_err *err);

static bool add_folder(struct sl_arena *a, struct img_content *c, const struct img_entry *e,
                       const struct stat *st, unsigned depth, struct sl_err *err)
{
    sl_str *names;
    size_t n;
    struct img_entry folder = *e;
    folder.kind = IMG_FOLDER;
    folder.mode = st->st_mode & S_ISVTX ? 01777 : 0755;
    folder.source = NULL;
    folder.origin = SL_STR_NONE;
    if (depth > SL_LIMIT_FOLDER_DEPTH) {
        return sl_fail(err, SL_LIMIT, "%s: more than %d folders in each other", e->source,
                       SL_LIMIT_FOLDER_DEPTH);
    }
    if ((e->path.n && !add(a, c, &folder, err)) || !sys_dir_list(a, e->source, &names, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct img_entry in = *e;
        in.path = e->path.n ? sl_arena_printf(a, "%.*s/%.*s", SL_S(e->path), SL_S(names[i])) : names[i];
        in.source = sys_path_join(a, e->source, sl_arena_strdupz(a, names[i]));
        if (!add_at(a, c, &in, depth + 1, err)) {
            return false;
        }
    }
    return true;
}

static bool add_at(struct sl_arena *a, struct img_content *c, const struct img_entry *e, unsigned depth,
                   struct sl_err *err)
{
    struct stat st;
    if (lstat(e->source, &st) != 0) {
        return sl_fail_errno(err, SL_IO, errno, "cannot read %s", e->source);
    }
    return S_ISREG(st.st_mode)   ? add_regular(a, c, e, &st, err)
           : S_ISLNK(st.st_mode) ? add_link(a, c, e, err)
           : S_ISDIR(st.st_mode) ? add_folder(a, c, e, &st, depth, err)
                                 : sl_fail(err, SL_CONFIG_VALUE, "%s is no file, folder or link", e->source);
}

bool img_add_tree(struct sl_arena *a, struct img_content *c, const struct img_entry *e, struct sl_err *err)
{
    if (!sys_is_dir(e->source)) {
        return img_add_file(a, c, e, err);
    }
    struct img_entry root = *e;
    root.source = sl_arena_printf(a, "%s/.", e->source).p; /* through a link that stands for the folder */
    return add_at(a, c, &root, 0, err);
}

/* ---- closing ---- */

/* By path; of one path the part that stands over the others comes first. */
static int entry_cmp(const void *x, const void *y)
{
    const struct img_entry *a = x, *b = y;
    int c = sl_str_cmp(a->path, b->path);
    return c ? c : (int)b->part - (int)a->part;
}

static bool same(const struct img_entry *a, const struct img_entry *b)
{
    return a->kind == b->kind &&
           (a->kind == IMG_FOLDER ||
            (a->kind == IMG_LINK ? sl_str_eq(a->link, b->link) : strcmp(a->sha256, b->sha256) == 0));
}

const struct img_entry *img_content_find(const struct img_content *c, sl_str path)
{
    size_t low = 0, high = c->entries.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int d = sl_str_cmp(c->entries.v[mid].path, path);
        if (d == 0) {
            return &c->entries.v[mid];
        }
        low = d < 0 ? mid + 1 : low;
        high = d < 0 ? high : mid;
    }
    return NULL;
}

static bool check_parents(const struct img_content *c, struct sl_err *err)
{
    for (size_t i = 0; i < c->entries.n; i++) {
        sl_str path = c->entries.v[i].path;
        for (size_t n = 0; n < path.n; n++) {
            const struct img_entry *above =
                path.p[n] == '/' ? img_content_find(c, sl_str_sub(path, 0, n)) : NULL;
            if (above && above->kind != IMG_FOLDER) {
                return sl_fail(err, SL_CONFIG_VALUE, "/%.*s (%s) would lie below /%.*s, which is a %s (%s)",
                               SL_S(path), part_names[c->entries.v[i].part], SL_S(above->path),
                               kind_names[above->kind], part_names[above->part]);
            }
        }
    }
    return true;
}

bool img_content_close(struct sl_arena *a, struct img_content *c, struct sl_err *err)
{
    struct img_entry *v = c->entries.v;
    size_t kept = 0;
    (void)a;
    if (c->entries.n) {
        qsort(v, c->entries.n, sizeof(*v), entry_cmp);
    }
    c->bytes = 0;
    for (size_t i = 0; i < c->entries.n; i++) {
        struct img_entry *last = kept ? &v[kept - 1] : NULL;
        if (!last || !sl_str_eq(last->path, v[i].path)) {
            v[kept++] = v[i];
            continue;
        }
        bool over = last->part == IMG_PART_FILES && v[i].part != IMG_PART_FILES;
        if (same(last, &v[i])) { /* the earlier part keeps it */
            *last = over && last->kind != IMG_FOLDER ? *last : v[i];
        } else if (!over || (last->kind == IMG_FOLDER) != (v[i].kind == IMG_FOLDER)) {
            return sl_fail(err, SL_CONFIG_VALUE, "/%.*s comes twice and is not the same (%s, %s)",
                           SL_S(v[i].path), part_names[v[i].part], part_names[last->part]);
        }
    }
    c->entries.n = kept;
    for (size_t i = 0; i < kept; i++) {
        c->bytes += v[i].kind == IMG_FILE ? v[i].bytes : 0;
    }
    if (!check_parents(c, err)) {
        return false;
    }
    SL_BUF_AUTO text;
    sl_buf_init(&text, SL_LIMIT_JSON_BYTES);
    img_content_write(c, &text);
    if (text.full) {
        return sl_fail(err, SL_LIMIT, "the list of the image's files is too long");
    }
    sl_sha256_digest(sl_buf_str(&text), c->digest);
    return true;
}

/* ---- the text ---- */

static void put_entry(struct sl_jw *w, const struct img_entry *e)
{
    sl_jw_object(w);
    sl_jw_kstr(w, "path", e->path);
    sl_jw_kstrz(w, "part", part_names[e->part]);
    sl_jw_kstrz(w, "kind", kind_names[e->kind]);
    if (e->kind == IMG_LINK) {
        sl_jw_kstr(w, "to", e->link);
    } else {
        sl_jw_ki64(w, "mode", e->mode);
    }
    if (e->kind == IMG_FILE) {
        sl_jw_kstrz(w, "sha256", e->sha256);
        sl_jw_ki64(w, "bytes", e->bytes);
    }
    if (e->origin.n) {
        sl_jw_kstr(w, "origin", e->origin);
    }
    sl_jw_end_object(w);
}

void img_content_write(const struct img_content *c, struct sl_buf *b)
{
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    sl_jw_ki64(&w, "schema", 1);
    sl_jw_kstr(&w, "flink", c->flink);
    sl_jw_key(&w, "classPath");
    sl_jw_array(&w);
    for (size_t i = 0; i < c->class_path.n; i++) {
        sl_jw_str(&w, c->class_path.v[i]);
    }
    sl_jw_end_array(&w);
    sl_jw_key(&w, "entries");
    sl_jw_array(&w);
    for (size_t i = 0; i < c->entries.n; i++) {
        put_entry(&w, &c->entries.v[i]);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    sl_buf_putc(b, '\n');
}

static bool name_index(const struct sl_json *v, const char *const *names, size_t n, size_t *ret)
{
    sl_str text = sl_json_str(v, SL_STR_NONE);
    for (*ret = 0; *ret < n; (*ret)++) {
        if (sl_str_eqz(text, names[*ret])) {
            return true;
        }
    }
    return false;
}

static bool read_entry(const struct sl_json *j, struct img_entry *e)
{
    size_t part, kind;
    sl_str sha256 = sl_json_str(sl_json_get(j, "sha256"), SL_STR_NONE);
    if (!name_index(sl_json_get(j, "part"), part_names, IMG_PART_MAX_, &part) ||
        !name_index(sl_json_get(j, "kind"), kind_names, IMG_KIND_MAX_, &kind)) {
        return false;
    }
    e->part = (enum img_part)part;
    e->kind = (enum img_kind)kind;
    e->path = sl_json_str(sl_json_get(j, "path"), SL_STR_NONE);
    e->link = sl_json_str(sl_json_get(j, "to"), SL_STR_NONE);
    e->origin = sl_json_str(sl_json_get(j, "origin"), SL_STR_NONE);
    e->mode = (unsigned)sl_json_i64(sl_json_get(j, "mode"), kind == IMG_LINK ? 0777 : 0) & 01777;
    e->bytes = sl_json_i64(sl_json_get(j, "bytes"), 0);
    if (kind == IMG_FILE) {
        if (sha256.n != 64 || e->bytes < 0) {
            return false;
        }
        memcpy(e->sha256, sha256.p, 64);
        for (size_t i = 0; i < 64; i++) {
            char d = e->sha256[i];
            if (!(d >= '0' && d <= '9') && !(d >= 'a' && d <= 'f')) {
                return false;
            }
        }
    }
    return img_path_ok(e->path);
}

bool img_content_read(struct sl_arena *a, sl_str text, struct img_content *ret, struct sl_err *err)
{
    const struct sl_json *j = sl_json_parse(a, text, err);
    struct img_content c = {0};
    if (!j) {
        return false;
    }
    c.flink = sl_json_str(sl_json_get(j, "flink"), SL_STR_NONE);
    bool ok = sl_json_i64(sl_json_get(j, "schema"), 0) == 1 && c.flink.n;
    SL_JSON_EACH(p, sl_json_get(j, "classPath"))
    {
        sl_vec_push(a, &c.class_path, sl_json_str(p, SL_STR_NONE));
    }
    SL_JSON_EACH(e, sl_json_get(j, "entries"))
    {
        ok = ok && read_entry(e, sl_vec_add(a, &c.entries));
    }
    if (!ok) {
        return sl_fail(err, SL_IMAGE_BROKEN, "this is no list of an image's files");
    }
    if (!img_content_close(a, &c, err)) {
        return false;
    }
    *ret = c;
    return true;
}
