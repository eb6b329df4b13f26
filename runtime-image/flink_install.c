/* SPDX-License-Identifier: Apache-2.0
 * Installing Flink: find the file, get it, check it, unpack it beside, rename. Each step can be stopped
 * and started again; what is left behind is a .part file that the next start goes on with. */
#include "runtime-image/flink_install.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/vec.h"
#include "runtime-image/pip_fetch.h"
#include "runtime-image/pypi.h"
#include "runtime-image/unpack.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RECORD         "sluice-install.json"
#define DOWNLOAD_TRIES 4
#define UNPACKED_BYTES                                                                                       \
    ((int64_t)700                                                                                            \
     << 20) /* lib, opt, plugins, planner and class archives of any release                     \
                          */

struct job {
    const struct img_install *in;
    struct sl_arena *a;
    const char *version, *downloads;
    struct img_pypi_file file;
    char sha256[65]; /* wanted */
    int64_t here;    /* bytes that were there before this run */
    bool stopped;
};

static bool tell(struct job *j, struct img_install_event ev)
{
    if (j->in->fn && !j->in->fn(j->in->ctx, &ev)) {
        j->stopped = true;
    }
    return !j->stopped;
}

char *img_downloads_dir(struct sl_arena *a)
{
    const char *own = getenv("SLUICE_DOWNLOADS");
    if (own && *own) {
        return sys_path_abs(a, own);
    }
    const char *cache = getenv("XDG_CACHE_HOME");
    if (cache && *cache == '/') {
        return sys_path_join(a, cache, "sluice/dl");
    }
    const char *home = getenv("HOME");
    return sys_path_join(a, home && *home ? home : "/tmp", ".cache/sluice/dl");
}

bool img_flink_is_installed(const char *root, const char *version)
{
    SL_ARENA_AUTO a = {0};
    char *dir = sys_path_join(&a, root, version);
    return sys_is_dir(sys_path_join(&a, dir, "lib")) && sys_is_dir(sys_path_join(&a, dir, "plugins"));
}

static int by_version(const void *x, const void *y)
{
    return img_flink_version_cmp(*(const char *const *)x, *(const char *const *)y);
}

bool img_flink_list(struct sl_arena *a, const char *root, const char ***ret, size_t *ret_n,
                    struct sl_err *err)
{
    *ret = NULL;
    *ret_n = 0;
    if (!sys_is_dir(root)) {
        return true;
    }
    sl_str *names;
    size_t n;
    if (!sys_dir_list(a, root, &names, &n, err)) {
        return false;
    }
    SL_VEC(const char *) all = {0};
    for (size_t i = 0; i < n; i++) {
        char *name = sl_arena_strdupz(a, names[i]);
        if (name[0] >= '0' && name[0] <= '9' && img_flink_is_installed(root, name)) {
            sl_vec_push(a, &all, name);
        }
    }
    if (all.n) {
        qsort(all.v, all.n, sizeof *all.v, by_version);
    }
    *ret = all.v;
    *ret_n = all.n;
    return true;
}

/* The lock file of an installation lies beside it, so that it can outlive the folder. */
static char *use_path(struct sl_arena *a, const char *root, const char *version)
{
    return sl_arena_strdupz(a, sl_arena_printf(a, "%s/.use-%s", root, version));
}

int img_flink_use(const char *root, const char *version)
{
    SL_ARENA_AUTO a = {0};
    int fd = open(use_path(&a, root, version), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool img_flink_remove(const char *root, const char *version, int64_t *ret_bytes, struct sl_err *err)
{
    if (!img_flink_is_installed(root, version)) {
        sl_fail(err, SL_FLINK_NOT_INSTALLED, "Flink %.20s is not installed", version);
        return sl_hint(err, "sluice flink ls");
    }
    SL_ARENA_AUTO a = {0};
    char *lock = use_path(&a, root, version);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return sl_fail_errno(err, SL_IO, errno, "cannot open %s", lock);
    }
    bool ok = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (!ok) {
        sl_fail(err, SL_BUSY, "Flink %s is running here", version);
        sl_hint(err, "stop its jobs first:  sluice job ls");
    } else {
        char *dir = sys_path_join(&a, root, version);
        *ret_bytes = sys_tree_bytes(dir);
        char *gone =
            sl_arena_strdupz(&a, sl_arena_printf(&a, "%s/.tmp-rm-%s-%d", root, version, (int)getpid()));
        if (rename(dir, gone) != 0) {
            ok = sl_fail_errno(err, SL_IO, errno, "cannot remove %s", dir);
        } else {
            ok = sys_rmtree(gone, err);
        }
        unlink(lock);
    }
    close(fd);
    return ok;
}

static bool sha256_of(struct job *j, const char *path, char out[65], struct sl_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return sl_fail_errno(err, SL_IO, errno, "cannot read %s", path);
    }
    const size_t size = 1 << 20;
    char *block = malloc(size);
    SL_OOM_ON(!block);
    struct sl_sha256 h;
    sl_sha256_init(&h);
    bool ok = true;
    for (;;) {
        ssize_t n = read(fd, block, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            ok = sl_fail_errno(err, SL_IO, errno, "cannot read %s", path);
        }
        if (n <= 0) {
            break;
        }
        sl_sha256_put(&h, block, (size_t)n);
        if (!tell(j, (struct img_install_event){.step = IMG_STEP_VERIFY})) {
            ok = sl_fail(err, SL_CANCELLED, "stopped while the file was checked");
            break;
        }
    }
    sl_sha256_hex(&h, out);
    free(block);
    close(fd);
    return ok;
}

static bool room_for(const char *dir, int64_t bytes, struct sl_err *err)
{
    struct statvfs vfs;
    if (statvfs(dir, &vfs) != 0) {
        return true;
    }
    int64_t there = (int64_t)vfs.f_bavail * (int64_t)vfs.f_frsize;
    if (there >= bytes) {
        return true;
    }
    sl_fail(err, SL_DISK_FULL, "%s has %lld MB free; %lld MB are needed", dir, (long long)(there / 1000000),
            (long long)(bytes / 1000000));
    return sl_hint(err, "make room, or choose other places with SLUICE_FLINK_DIR and SLUICE_DOWNLOADS");
}

/* ---- download ---- */

struct watch {
    struct job *j;
};

static bool on_bytes(void *ctx, int64_t done, int64_t total)
{
    struct watch *w = ctx;
    if (total <= 0 && w->j->file.bytes > 0) {
        total = w->j->file.bytes;
    }
    return tell(w->j, (struct img_install_event){.step = IMG_STEP_DOWNLOAD,
                                                 .file = w->j->file.name,
                                                 .done = done,
                                                 .total = total,
                                                 .here = w->j->here});
}

static bool stopped(const char *part, struct sl_err *err)
{
    int64_t n = SL_MAX(sys_file_size(part), 0);
    sl_fail(err, SL_CANCELLED, "stopped at %lld MB; sluice flink install goes on from there",
            (long long)(n / 1000000)); /* as the bar counted */
    return false;
}

static bool download(struct job *j, const struct img_pip *pip, struct sys_http *h, const char *part,
                     struct sl_err *err)
{
    if (j->file.bytes > 0 && sys_file_size(part) > j->file.bytes) {
        unlink(part);
    }
    j->here = SL_MAX(sys_file_size(part), 0);
    int64_t from_ms = sys_now_ms();
    struct watch w = {j};
    struct sl_err last = SL_ERR_INIT;
    int64_t before = j->here;
    for (int tries = 0; j->file.bytes < 0 || sys_file_size(part) < j->file.bytes;) {
        struct sys_http_request rq = {.method = "GET",
                                      .url = j->file.url,
                                      .connect_ms = 10000,
                                      .total_ms = INT64_C(6) * 3600 * 1000,
                                      .save_path = part,
                                      .resume = true,
                                      .progress = on_bytes,
                                      .progress_ctx = &w};
        struct sys_http_answer ans = {0};
        bool ok = img_pip_fetch(h, pip, &rq, j->a, &ans, &last);
        if (j->stopped) {
            return stopped(part, err);
        }
        if (ok && (ans.status == 200 || ans.status == 206)) {
            if (j->file.bytes < 0 || sys_file_size(part) >= j->file.bytes) {
                break;
            }
            sl_fail(&last, SL_FLINK_DOWNLOAD, "the file ended early");
        } else if (ok) {
            if (ans.status == 416) { /* our part is not a piece of it */
                unlink(part);
            }
            sl_fail(&last, SL_FLINK_DOWNLOAD, "HTTP %d", ans.status);
        } else if (last.code == SL_DISK_FULL || last.code == SL_IO) {
            *err = last;
            return false;
        }
        int64_t now = SL_MAX(sys_file_size(part), 0);
        tries = now > before ? 0 : tries + 1;
        before = now;
        if (tries >= DOWNLOAD_TRIES || (ok && ans.status >= 400 && ans.status != 416 && ans.status < 500)) {
            sl_fail(err, SL_FLINK_DOWNLOAD, "%s cannot be got from %s: %s", j->file.name, j->file.source,
                    last.msg);
            return sl_hint(err,
                           "check the network and try again (%lld MB are kept); for a mirror:  "
                           "PIP_INDEX_URL=https://MIRROR/simple sluice flink install",
                           (long long)(now / 1000000));
        }
        sys_sleep_ms(500 * tries);
    }
    tell(j, (struct img_install_event){.step = IMG_STEP_DOWNLOAD,
                                       .end = true,
                                       .file = j->file.name,
                                       .done = sys_file_size(part),
                                       .total = sys_file_size(part),
                                       .here = j->here,
                                       .ms = sys_now_ms() - from_ms});
    return j->stopped ? stopped(part, err) : true;
}

static bool wrong_hash(struct job *j, const char *what, const char *got, struct sl_err *err)
{
    sl_fail(err, SL_FLINK_VERIFY, "%s has the wrong sha256 (%.12s..., should be %.12s...)", what, got,
            j->sha256);
    return sl_hint(err, "it was not installed; ask who keeps %s, or try another mirror with PIP_INDEX_URL",
                   j->file.source ? j->file.source : "the mirror");
}

/* Fills j->file and j->sha256 from the index; what this Sluice knows about the release must agree. */
static bool look_up(struct job *j, const struct img_pip *pip, struct sys_http *h, struct sl_err *err)
{
    const struct img_flink_release *known = img_flink_release_of(j->version);
    if (!img_pypi_find(h, pip, j->version, j->a, &j->file, err)) {
        return false;
    }
    if (known && strcmp(known->file, j->file.name) == 0) {
        snprintf(j->sha256, sizeof j->sha256, "%s", known->sha256);
        if (j->file.bytes < 0) {
            j->file.bytes = known->bytes;
        }
        if (j->file.sha256[0] && strcmp(j->file.sha256, j->sha256) != 0) {
            return wrong_hash(j, sl_arena_printf(j->a, "%s at %s", j->file.name, j->file.source).p,
                              j->file.sha256, err);
        }
        return true;
    }
    memcpy(j->sha256, j->file.sha256, sizeof j->sha256);
    if (!j->sha256[0] && !j->file.path) {
        sl_fail(err, SL_FLINK_VERIFY, "%s tells no sha256 for %s", j->file.source, j->file.name);
        return sl_hint(err,
                       "use an index that does: PIP_INDEX_URL=https://MIRROR/simple sluice flink install %s",
                       j->version);
    }
    return true;
}

/* A whole file with the right hash at *ret_path. */
static bool obtain(struct job *j, const char **ret_path, struct sl_err *err)
{
    const struct img_flink_release *known = img_flink_release_of(j->version);
    char got[65];
    int64_t from_ms = sys_now_ms();
    if (known) {
        char *path = sys_path_join(j->a, j->downloads, known->file);
        if (sys_file_size(path) == known->bytes) {
            if (!sha256_of(j, path, got, err)) {
                return false;
            }
            if (strcmp(got, known->sha256) == 0) {
                tell(j, (struct img_install_event){.step = IMG_STEP_DOWNLOAD,
                                                   .end = true,
                                                   .file = known->file,
                                                   .done = known->bytes,
                                                   .total = known->bytes,
                                                   .here = known->bytes});
                tell(j, (struct img_install_event){
                            .step = IMG_STEP_VERIFY, .end = true, .ms = sys_now_ms() - from_ms});
                *ret_path = path;
                return true;
            }
        }
    }
    struct img_pip pip;
    img_pip_read(j->a, &pip);
    struct sys_http *h = sys_http_new();
    bool ok = look_up(j, &pip, h, err);
    const char *whole = NULL, *part = NULL;
    if (ok) {
        whole = j->file.path ? j->file.path : sys_path_join(j->a, j->downloads, j->file.name);
        part = sl_arena_printf(j->a, "%s.part", whole).p;
    }
    for (int round = 0; ok; round++) {
        bool fetched = false;
        if (!sys_exists(whole)) {
            ok = sys_mkdirs(j->downloads, 0755, err) &&
                 room_for(j->downloads, j->file.bytes - SL_MAX(sys_file_size(part), 0), err) &&
                 download(j, &pip, h, part, err);
            fetched = true;
        } else {
            tell(j, (struct img_install_event){.step = IMG_STEP_DOWNLOAD,
                                               .end = true,
                                               .file = j->file.name,
                                               .done = sys_file_size(whole),
                                               .total = sys_file_size(whole),
                                               .here = sys_file_size(whole)});
        }
        from_ms = sys_now_ms();
        ok = ok && sha256_of(j, fetched ? part : whole, got, err);
        if (!ok) {
            break;
        }
        if (!j->sha256[0]) { /* a find-links folder tells none: what is there is what is meant */
            memcpy(j->sha256, got, sizeof got);
        }
        if (strcmp(got, j->sha256) == 0) {
            if (fetched && rename(part, whole) != 0) {
                ok = sl_fail_errno(err, SL_IO, errno, "cannot rename %s", part);
            }
            tell(j, (struct img_install_event){
                        .step = IMG_STEP_VERIFY, .end = true, .ms = sys_now_ms() - from_ms});
            break;
        }
        /* A bad file of ours goes; a resumed download gets one more chance from its start. */
        if (j->file.path || (fetched && j->here == 0) || round > 1) {
            if (fetched) {
                unlink(part);
            }
            ok = wrong_hash(j, fetched ? img_url_shown(j->a, j->file.url) : whole, got, err);
            break;
        }
        unlink(fetched ? part : whole);
    }
    sys_http_free(h);
    *ret_path = whole;
    return ok;
}

/* ---- unpack ---- */

/* "pyflink/lib/x.jar" (wheel) and "apache_flink_libraries-1.20.5/deps/lib/x.jar" (sdist) -> "lib/x.jar". */
static const char *where_to(void *ctx, struct sl_arena *a, const char *entry)
{
    (void)ctx;
    static const char *const kept[] = {"lib/", "opt/", "plugins/", "bin/", "licenses/"};
    sl_str name = sl_str_of(entry);
    ptrdiff_t slash = sl_str_find_char(name, '/');
    if (slash < 0) {
        return NULL;
    }
    sl_str rest = sl_str_sub(name, (size_t)slash + 1, name.n - (size_t)slash - 1);
    if (sl_str_eqz(rest, "LICENSE") || sl_str_eqz(rest, "NOTICE")) {
        return sl_arena_strdupz(a, rest);
    }
    if (sl_str_starts(name, SL_STR("apache")) && sl_str_starts(rest, SL_STR("licenses/")) && rest.n < 20) {
        return sl_arena_strdupz(a,
                                sl_str_sub(rest, 9, rest.n - 9)); /* *.dist-info/licenses/LICENSE, NOTICE */
    }
    if (sl_str_starts(rest, SL_STR("deps/"))) {
        rest = sl_str_sub(rest, 5, rest.n - 5);
    } else if (!sl_str_starts(name, SL_STR("pyflink/"))) {
        return NULL;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(kept); i++) {
        if (sl_str_starts(rest, sl_str_of(kept[i]))) {
            return sl_arena_strdupz(a, rest);
        }
    }
    return NULL;
}

static bool still_wanted(void *ctx)
{
    return tell(ctx, (struct img_install_event){.step = IMG_STEP_UNPACK});
}

static const char *planner_only(void *ctx, struct sl_arena *a, const char *entry)
{
    (void)a;
    struct job *j = ctx;
    return strcmp(entry, "flink-table-planner.jar") == 0
               ? sl_arena_printf(j->a, "flink-table-planner_2.12-%s.jar", j->version).p
               : NULL;
}

/* The planner out of its loader, the loader out of lib/ (it stays in opt/ for a stock class path). */
static bool unpack_planner(struct job *j, const char *dir, struct sl_err *err)
{
    const char *lib = sys_path_join(j->a, dir, "lib");
    const char *name = sl_arena_printf(j->a, "flink-table-planner-loader-%s.jar", j->version).p;
    const char *loader = sys_path_join(j->a, lib, name);
    const char *opt = sys_path_join(j->a, dir, "opt");
    size_t n = 0;
    if (!sys_exists(loader)) {
        return sl_fail(err, SL_FLINK_VERIFY, "Flink %s has no table planner where it was looked for",
                       j->version);
    }
    if (!img_unpack(loader, lib, planner_only, j, still_wanted, &n, err) || !sys_mkdirs(opt, 0755, err)) {
        return false;
    }
    if (n != 1) {
        return sl_fail(err, SL_FLINK_VERIFY, "Flink %s has no table planner inside %s", j->version, name);
    }
    if (rename(loader, sys_path_join(j->a, opt, name)) != 0) {
        return sl_fail_errno(err, SL_IO, errno, "cannot move %s", loader);
    }
    return true;
}

static bool write_record(struct job *j, const char *dir, const char *file, struct sl_err *err)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    struct sl_jw w;
    char when[32];
    sys_time_rfc3339(sys_wall_ms(), when);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "version", j->version);
    sl_jw_kstrz(&w, "file", strrchr(file, '/') + 1);
    sl_jw_kstrz(&w, "sha256", j->sha256[0] ? j->sha256 : img_flink_release_of(j->version)->sha256);
    sl_jw_kstrz(&w, "source", j->file.source ? j->file.source : j->downloads);
    sl_jw_kstrz(&w, "installedAt", when);
    sl_jw_end_object(&w);
    sl_buf_putc(&b, '\n');
    return sys_file_write(sys_path_join(j->a, dir, RECORD), sl_buf_str(&b), 0644, err);
}

static void remove_leftovers(struct job *j)
{
    sl_str *names;
    size_t n;
    struct sl_err ignored = SL_ERR_INIT;
    if (!sys_dir_list(j->a, j->in->root, &names, &n, &ignored)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (sl_str_starts(names[i], SL_STR(".tmp-")) &&
            !sys_rmtree(sys_path_join(j->a, j->in->root, sl_arena_strdupz(j->a, names[i])), &ignored)) {
            return; /* not ours to remove; it does no harm */
        }
    }
}

static bool unpack(struct job *j, const char *file, struct sl_err *err)
{
    int64_t from_ms = sys_now_ms();
    const char *tmp = sl_arena_printf(j->a, "%s/.tmp-%s-%d", j->in->root, j->version, (int)getpid()).p;
    const char *final = sys_path_join(j->a, j->in->root, j->version);
    size_t n = 0;
    if (!room_for(j->in->root, UNPACKED_BYTES, err)) {
        return false;
    }
    bool ok = sys_mkdirs(tmp, 0755, err) && img_unpack(file, tmp, where_to, j, still_wanted, &n, err) &&
              unpack_planner(j, tmp, err) && write_record(j, tmp, file, err);
    if (ok && rename(tmp, final) != 0) {
        ok = sl_fail_errno(err, SL_IO, errno, "cannot rename %s", tmp);
    }
    if (!ok) {
        struct sl_err ignored = SL_ERR_INIT;
        if (!sys_rmtree(tmp, &ignored)) {
            return false;
        }
        if (err->code == SL_CANCELLED) {
            sl_fail(err, SL_CANCELLED,
                    "stopped while unpacking; sluice flink install goes on from the downloaded file");
        }
        return false;
    }
    sl_str *names;
    size_t jars = 0;
    if (!sys_dir_list(j->a, sys_path_join(j->a, final, "lib"), &names, &jars, err)) {
        return false;
    }
    tell(j, (struct img_install_event){
                .step = IMG_STEP_UNPACK, .end = true, .count = (int64_t)jars, .ms = sys_now_ms() - from_ms});
    return true;
}

bool img_flink_install(const struct img_install *in, const char *version, bool *ret_was_there,
                       struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct job j = {.in = in, .a = &a, .version = version};
    *ret_was_there = false;
    j.downloads = in->downloads ? in->downloads : img_downloads_dir(&a);
    if (!sys_mkdirs(in->root, 0755, err)) {
        return false;
    }
    const char *lock = sys_path_join(&a, in->root, ".install.lock");
    int fd;
    for (;;) {
        bool held = false;
        fd = sys_lock(lock, &held, err);
        if (fd >= 0) {
            break;
        }
        if (!held) {
            return false;
        }
        struct img_install_event ev = {.step = IMG_STEP_WAIT, .text = "another sluice is installing Flink"};
        if (!tell(&j, ev)) {
            return sl_fail(err, SL_CANCELLED, "stopped; another sluice was installing Flink");
        }
        sys_sleep_ms(200);
    }
    bool ok = true;
    if (img_flink_is_installed(in->root, version)) {
        *ret_was_there = true;
    } else {
        remove_leftovers(&j);
        const char *file = NULL;
        ok = obtain(&j, &file, err) && unpack(&j, file, err);
    }
    close(fd);
    return ok;
}
