/* SPDX-License-Identifier: Apache-2.0
 * Making, reading, checking and sweeping the folder of built images. */
#include "runtime-image/base_folder.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/limits.h"
#include "runtime-image/image.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_POLL_MS 50
#define NAME_BYTES   ((size_t)4096)

int img_base_lock(struct sl_arena *a, const char *root, struct sl_err *err)
{
    int64_t until = sys_now_ms() + SL_LIMIT_IMAGE_LOCK_MS;
    if (!sys_mkdirs(root, 0755, err)) {
        return -1;
    }
    for (;;) {
        bool held = false;
        int fd = sys_lock(sys_path_join(a, root, "lock"), &held, err);
        if (fd >= 0 || !held) {
            return fd;
        }
        if (sys_now_ms() > until) {
            sl_fail(err, SL_BUSY, "another command has been building images in %s for more than %d s", root,
                    SL_LIMIT_IMAGE_LOCK_MS / 1000);
            return -1;
        }
        sys_sleep_ms(LOCK_POLL_MS);
    }
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

/* ---- files ---- */

static char *pool_path(struct sl_arena *a, const char *root, const struct img_entry *e)
{
    sl_str name = sl_arena_printf(a, "files/%.2s/%s%s", e->sha256, e->sha256, e->mode & 0100 ? ".x" : "");
    return sys_path_join(a, root, name.p);
}

/* A hard link to a source of ours whose mode fits; false: a copy must do. */
static bool link_source(const struct img_entry *e, const char *to)
{
    struct stat st;
    if (!e->ours || stat(e->source, &st) != 0 || (st.st_mode & 07777) != e->mode) {
        return false;
    }
    int fd = open(e->source, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0 && link(e->source, to) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static bool copy_source(const struct img_entry *e, const char *to, struct sl_err *err)
{
    char sha256[65];
    int64_t bytes;
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        return sl_fail_errno(err, SL_IO, errno, "cannot write %s", to);
    }
    bool ok = img_file_digest(e->source, fd, sha256, &bytes, err);
    if (ok && strcmp(sha256, e->sha256) != 0) {
        ok = sl_fail(err, SL_IO, "%s was changed while the image was built", e->source);
    }
    if (ok && (fchmod(fd, e->mode) != 0 || fsync(fd) != 0)) {
        ok = sl_fail_errno(err, SL_IO, errno, "cannot write %s", to);
    }
    close(fd);
    return ok;
}

/* Is the file at `path` what the list says? Its size tells in the pool, its bytes in a check. */
static bool keep_file(const char *root, const struct img_entry *e, struct img_built *ret, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char unique[17];
    char *path = pool_path(&a, root, e);
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == e->bytes &&
        (st.st_mode & 07777) == e->mode) {
        return true;
    }
    sl_random_hex(unique, 8);
    char *part = sl_arena_strdupz(&a, sl_arena_printf(&a, "%s/tmp/%s", root, unique));
    char *dir = sl_arena_strdupz(&a, sl_str_of(path));
    *strrchr(dir, '/') = 0;
    bool linked = false;
    bool ok = sys_mkdirs(dir, 0755, err) &&
              (!e->source ? sys_file_write(part, e->made, e->mode, err)
                          : (linked = link_source(e, part)) || copy_source(e, part, err)) &&
              (rename(part, path) == 0 || sl_fail_errno(err, SL_IO, errno, "cannot rename %s", part)) &&
              sync_folder(dir, err);
    unlink(part); /* of two links to one file rename leaves both */
    ret->new_files += ok;
    ret->new_bytes += ok && !linked ? e->bytes : 0;
    return ok;
}

/* ---- builds ---- */

static bool make_parents(const char *path, size_t root, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char *dir = sl_arena_strdupz(&a, sl_str_of(path));
    char *slash = strrchr(dir, '/');
    if ((size_t)(slash - dir) <= root) {
        return true;
    }
    *slash = 0;
    return sys_mkdirs(dir, 0755, err);
}

static bool make_entry(const char *root, const char *tree, const struct img_entry *e, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char *path = sys_path_join(&a, tree, sl_arena_strdupz(&a, e->path));
    if (!make_parents(path, strlen(tree), err)) {
        return false;
    }
    int rc;
    if (e->kind == IMG_FOLDER) {
        rc = mkdir(path, 0755) == 0 || errno == EEXIST ? chmod(path, e->mode) : -1;
    } else if (e->kind == IMG_LINK) {
        rc = symlink(sl_arena_strdupz(&a, e->link), path);
    } else {
        rc = link(pool_path(&a, root, e), path);
    }
    return rc == 0 || sl_fail_errno(err, SL_IO, errno, "cannot make %s", path);
}

/* Every folder of a tree, and what is in it but for the bytes of files. */
static bool sync_tree(const char *path, struct sl_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && syncfs(fd) == 0;
    ok = ok || sl_fail_errno(err, SL_IO, errno, "cannot sync %s", path);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static bool make_build(struct sl_arena *a, const char *root, const char *to, const struct img_content *c,
                       struct img_built *ret, struct sl_err *err)
{
    char unique[17];
    sl_random_hex(unique, 8);
    char *made = sl_arena_strdupz(a, sl_arena_printf(a, "%s/tmp/%s", root, unique));
    char *tree = sys_path_join(a, made, "root");
    SL_BUF_AUTO text;
    sl_buf_init(&text, SL_LIMIT_JSON_BYTES);
    img_content_write(c, &text);
    bool ok = sys_mkdirs(tree, 0755, err);
    for (size_t i = 0; ok && i < c->entries.n; i++) {
        const struct img_entry *e = &c->entries.v[i];
        ok = (e->kind != IMG_FILE || keep_file(root, e, ret, err)) && make_entry(root, tree, e, err);
    }
    ok = ok && sys_file_write(sys_path_join(a, made, "image.json"), sl_buf_str(&text), 0644, err) &&
         sync_tree(made, err) &&
         (rename(made, to) == 0 || sl_fail_errno(err, SL_IO, errno, "cannot rename %s", made));
    if (!ok && !sys_rmtree(made, NULL)) {
        return false; /* the next gc takes what is left */
    }
    return ok;
}

static char *name_path(struct sl_arena *a, const char *root, sl_str name)
{
    return sys_path_join(a, root, sl_arena_printf(a, "names/%.*s.json", SL_S(name)).p);
}

static char *build_path(struct sl_arena *a, const char *root, const char *digest)
{
    return sys_path_join(a, root, sl_arena_printf(a, "builds/%s", digest + 7).p);
}

static bool write_name(struct sl_arena *a, const char *root, sl_str name, const struct img_content *c,
                       struct sl_err *err)
{
    SL_BUF_AUTO text;
    struct sl_jw w;
    sl_buf_init(&text, NAME_BYTES);
    sl_jw_init(&w, &text);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "digest", c->digest);
    sl_jw_kstr(&w, "flink", c->flink);
    sl_jw_ki64(&w, "entries", (int64_t)c->entries.n);
    sl_jw_ki64(&w, "bytes", c->bytes);
    sl_jw_ki64(&w, "built", sys_wall_ms());
    sl_jw_end_object(&w);
    sl_buf_putc(&text, '\n');
    return sys_file_write(name_path(a, root, name), sl_buf_str(&text), 0644, err);
}

bool img_base_build(const char *root, sl_str name, const struct img_content *c, struct img_built *ret,
                    struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    *ret = (struct img_built){0};
    int fd = img_base_lock(&a, root, err);
    if (fd < 0) {
        return false;
    }
    bool ok = true;
    static const char *const folders[] = {"tmp", "files", "builds", "names"};
    for (size_t i = 0; ok && i < SL_ARRAY_LEN(folders); i++) {
        ok = sys_mkdirs(sys_path_join(&a, root, folders[i]), 0755, err);
    }
    char *to = build_path(&a, root, c->digest);
    ret->was_there = ok && sys_is_dir(to);
    ok = ok && (ret->was_there || make_build(&a, root, to, c, ret, err)) &&
         sync_folder(sys_path_join(&a, root, "builds"), err) && write_name(&a, root, name, c, err);
    close(fd);
    return ok;
}

/* ---- reading ---- */

static bool read_name(struct sl_arena *a, const char *root, sl_str name, struct img_base *ret,
                      struct sl_err *err)
{
    sl_str text;
    const struct sl_json *j;
    const char *path = name_path(a, root, name);
    if (!sys_file_read(a, path, NAME_BYTES, &text, err) || !(j = sl_json_parse(a, text, err))) {
        return false;
    }
    sl_str digest = sl_json_str(sl_json_get(j, "digest"), SL_STR_NONE);
    if (digest.n != 71 || !sl_str_starts(digest, SL_STR("sha256:")) || sl_str_find_char(digest, '/') >= 0) {
        return sl_fail(err, SL_IMAGE_BROKEN, "%s tells no digest", path);
    }
    *ret = (struct img_base){.name = sl_str_dup(a, name),
                             .flink = sl_json_str(sl_json_get(j, "flink"), SL_STR_NONE),
                             .built_ms = sl_json_i64(sl_json_get(j, "built"), 0),
                             .bytes = sl_json_i64(sl_json_get(j, "bytes"), 0),
                             .entries = (size_t)sl_json_i64(sl_json_get(j, "entries"), 0)};
    memcpy(ret->digest, digest.p, digest.n);
    return true;
}

bool img_base_list(struct sl_arena *a, const char *root, struct img_base **ret, size_t *ret_n,
                   struct sl_err *err)
{
    const char *dir = sys_path_join(a, root, "names");
    sl_str *names;
    size_t n;
    *ret_n = 0;
    *ret = NULL;
    if (!sys_is_dir(dir)) {
        return true;
    }
    if (!sys_dir_list(a, dir, &names, &n, err)) {
        return false;
    }
    *ret = sl_new_n(a, struct img_base, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (sl_str_ends(names[i], SL_STR(".json")) &&
            read_name(a, root, sl_str_sub(names[i], 0, names[i].n - 5), &(*ret)[*ret_n], NULL)) {
            (*ret_n)++;
        }
    }
    return true;
}

static bool fail_unknown(struct sl_arena *a, sl_str which, const struct img_base *v, size_t n,
                         struct sl_err *err)
{
    sl_str list = SL_STR_NONE;
    for (size_t i = 0; i < n; i++) {
        list = sl_arena_printf(a, "%.*s%s%.*s", SL_S(list), i ? ", " : "", SL_S(v[i].name));
    }
    sl_fail(err, SL_IMAGE_UNKNOWN, "there is no image '%.*s'", SL_S(which));
    return n ? sl_hint(err, "images there are: %.*s", SL_S(list)) : sl_hint(err, "sluice image build NAME");
}

bool img_base_find(struct sl_arena *a, const char *root, sl_str which, struct img_base *ret,
                   struct sl_err *err)
{
    struct img_base *v;
    size_t n, found = 0, hit = 0;
    ptrdiff_t mark = sl_str_find(which, SL_STR("sha256:"));
    sl_str name = mark < 0 ? which : sl_str_sub(which, 0, (size_t)mark);
    sl_str digest = mark < 0 ? SL_STR_NONE : sl_str_sub(which, (size_t)mark, which.n - (size_t)mark);
    bool named = name.n > 0;
    if (mark > 0 && which.p[mark - 1] == '@') {
        name.n--;
    }
    if (!img_base_list(a, root, &v, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool fits = (!named || sl_str_eq(v[i].name, name)) &&
                    (!digest.n || (digest.n >= 13 && sl_str_starts(sl_str_of(v[i].digest), digest)));
        if (fits && (!found || strcmp(v[hit].digest, v[i].digest) != 0)) {
            hit = i;
            found++;
        }
    }
    if (found > 1) {
        return sl_fail(err, SL_IMAGE_UNKNOWN, "'%.*s' stands for more than one image", SL_S(which));
    }
    if (!found) {
        return fail_unknown(a, which, v, n, err);
    }
    *ret = v[hit];
    return true;
}

char *img_base_root(struct sl_arena *a, const char *root, const struct img_base *b)
{
    return sys_path_join(a, build_path(a, root, b->digest), "root");
}

bool img_base_read(struct sl_arena *a, const char *root, const struct img_base *b, struct img_content *ret,
                   struct sl_err *err)
{
    sl_str text;
    struct sl_err inner = SL_ERR_INIT;
    char *tree = img_base_root(a, root, b);
    const char *list = sys_path_join(a, build_path(a, root, b->digest), "image.json");
    if (!sys_file_read(a, list, SL_LIMIT_JSON_BYTES, &text, &inner) ||
        !img_content_read(a, text, ret, &inner)) {
        return sl_fail(err, SL_IMAGE_BROKEN, "%.*s: %s", SL_S(b->name), inner.msg);
    }
    if (strcmp(ret->digest, b->digest) != 0) {
        return sl_fail(err, SL_IMAGE_BROKEN, "%.*s: the list of its files is not the one that was built",
                       SL_S(b->name));
    }
    for (size_t i = 0; i < ret->entries.n; i++) {
        struct img_entry *e = &ret->entries.v[i];
        e->source = e->kind == IMG_FILE ? sys_path_join(a, tree, sl_arena_strdupz(a, e->path)) : NULL;
    }
    return true;
}

/* ---- checking ---- */

static void fault(struct sl_arena *a, struct img_faults *ret, sl_str path, const char *what)
{
    sl_vec_push(a, &ret->v, sl_arena_printf(a, "%.*s %s", SL_S(path), what));
}

static void check_entry(struct sl_arena *a, const char *tree, const struct img_entry *e,
                        struct img_faults *ret)
{
    struct stat st;
    char sha256[65], link[4096];
    int64_t bytes;
    const char *path = sys_path_join(a, tree, sl_arena_strdupz(a, e->path));
    static const mode_t types[IMG_KIND_MAX_] = {S_IFREG, S_IFLNK, S_IFDIR};
    if (lstat(path, &st) != 0) {
        fault(a, ret, e->path, errno == ENOENT ? "is missing" : "cannot be read");
    } else if ((st.st_mode & S_IFMT) != types[e->kind]) {
        fault(a, ret, e->path, "is something else");
    } else if (e->kind == IMG_LINK) {
        ssize_t n = readlink(path, link, sizeof link);
        if (n < 0 || !sl_str_eq(e->link, (sl_str){link, (size_t)n})) {
            fault(a, ret, e->path, "leads elsewhere");
        }
    } else if ((st.st_mode & 07777) != e->mode) {
        fault(a, ret, e->path, "has another mode");
    } else if (e->kind == IMG_FILE) {
        if (!img_file_digest(path, -1, sha256, &bytes, NULL)) {
            fault(a, ret, e->path, "cannot be read");
        } else if (strcmp(sha256, e->sha256) != 0) {
            fault(a, ret, e->path, "has other bytes");
        }
    }
}

/* What lies in the tree and is in no list; folders above a file of the list are. */
static bool check_strangers(struct sl_arena *a, const struct img_content *c, const char *dir, sl_str below,
                            struct img_faults *ret, struct sl_err *err)
{
    sl_str *names;
    size_t n;
    if (!sys_dir_list(a, dir, &names, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        sl_str path = below.n ? sl_arena_printf(a, "%.*s/%.*s", SL_S(below), SL_S(names[i])) : names[i];
        const char *file = sys_path_join(a, dir, sl_arena_strdupz(a, names[i]));
        if (lstat(file, &st) == 0 && S_ISDIR(st.st_mode)) {
            if (!check_strangers(a, c, file, path, ret, err)) {
                return false;
            }
        } else if (!img_content_find(c, path)) {
            fault(a, ret, path, "was put there");
        }
    }
    return true;
}

bool img_base_verify(struct sl_arena *a, const char *root, const struct img_base *b, struct img_faults *ret,
                     struct sl_err *err)
{
    struct img_content c;
    char *tree = img_base_root(a, root, b);
    *ret = (struct img_faults){0};
    if (!img_base_read(a, root, b, &c, err)) {
        return false;
    }
    for (size_t i = 0; i < c.entries.n; i++) {
        check_entry(a, tree, &c.entries.v[i], ret);
    }
    return !sys_is_dir(tree) || check_strangers(a, &c, tree, SL_STR_NONE, ret, err);
}

/* ---- sweeping ---- */

bool img_base_remove(const char *root, sl_str name, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct img_base b;
    int fd = img_base_lock(&a, root, err);
    if (fd < 0) {
        return false;
    }
    bool ok = img_base_find(&a, root, name, &b, err) &&
              (unlink(name_path(&a, root, b.name)) == 0 ||
               sl_fail_errno(err, SL_IO, errno, "cannot remove %s", name_path(&a, root, b.name))) &&
              sync_folder(sys_path_join(&a, root, "names"), err);
    close(fd);
    return ok;
}

static int name_cmp(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

struct kept {
    SL_VEC(const char *) v; /* paths of pool files, sorted */
};

static bool is_named(const char *digest, const struct img_base *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(v[i].digest + 7, digest) == 0) {
            return true;
        }
    }
    return false;
}

/* Builds that no name stands for go; the files of the others are noted. */
static bool sweep_builds(struct sl_arena *a, const char *root, struct kept *kept, size_t *ret_builds,
                         struct sl_err *err)
{
    struct img_base *v;
    sl_str *names;
    size_t n, n_names;
    const char *dir = sys_path_join(a, root, "builds");
    if (!img_base_list(a, root, &v, &n, err) || !sys_dir_list(a, dir, &names, &n_names, err)) {
        return false;
    }
    for (size_t i = 0; i < n_names; i++) {
        const char *digest = sl_arena_strdupz(a, names[i]);
        if (!is_named(digest, v, n)) {
            /* first away under its name, so that no half of it is ever seen */
            const char *from = sys_path_join(a, dir, digest);
            const char *to = sys_path_join(a, root, sl_arena_printf(a, "tmp/%s", digest).p);
            if (!sys_rmtree(to, err) ||
                (rename(from, to) != 0 && !sl_fail_errno(err, SL_IO, errno, "cannot rename %s", from)) ||
                !sys_rmtree(to, err)) {
                return false;
            }
            (*ret_builds)++;
            continue;
        }
        struct img_base b = {.name = names[i]};
        struct img_content c;
        snprintf(b.digest, sizeof b.digest, "sha256:%s", digest);
        if (!img_base_read(a, root, &b, &c, err)) {
            return false;
        }
        for (size_t k = 0; k < c.entries.n; k++) {
            if (c.entries.v[k].kind == IMG_FILE) {
                sl_vec_push(a, &kept->v, pool_path(a, root, &c.entries.v[k]));
            }
        }
    }
    return true;
}

static bool sweep_files(struct sl_arena *a, const char *root, const struct kept *kept, int64_t *ret_bytes,
                        struct sl_err *err)
{
    sl_str *shelves, *names;
    size_t n_shelves, n;
    const char *dir = sys_path_join(a, root, "files");
    if (!sys_dir_list(a, dir, &shelves, &n_shelves, err)) {
        return false;
    }
    for (size_t i = 0; i < n_shelves; i++) {
        const char *shelf = sys_path_join(a, dir, sl_arena_strdupz(a, shelves[i]));
        if (!sys_dir_list(a, shelf, &names, &n, err)) {
            return false;
        }
        for (size_t k = 0; k < n; k++) {
            struct stat st;
            const char *file = sys_path_join(a, shelf, sl_arena_strdupz(a, names[k]));
            if (kept->v.n && bsearch(&file, kept->v.v, kept->v.n, sizeof file, name_cmp)) {
                continue;
            }
            *ret_bytes += lstat(file, &st) == 0 && st.st_nlink == 1 ? st.st_size : 0;
            if (unlink(file) != 0) {
                return sl_fail_errno(err, SL_IO, errno, "cannot remove %s", file);
            }
        }
    }
    return true;
}

bool img_base_gc(const char *root, size_t *ret_builds, int64_t *ret_bytes, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct kept kept = {0};
    *ret_builds = 0;
    *ret_bytes = 0;
    if (!sys_is_dir(sys_path_join(&a, root, "builds"))) {
        return true;
    }
    int fd = img_base_lock(&a, root, err);
    if (fd < 0) {
        return false;
    }
    const char *tmp = sys_path_join(&a, root, "tmp");
    bool ok =
        sys_rmtree(tmp, err) && sys_mkdirs(tmp, 0755, err) && sweep_builds(&a, root, &kept, ret_builds, err);
    if (ok && kept.v.n) {
        qsort(kept.v.v, kept.v.n, sizeof *kept.v.v, name_cmp);
    }
    ok = ok && sweep_files(&a, root, &kept, ret_bytes, err);
    close(fd);
    return ok;
}
