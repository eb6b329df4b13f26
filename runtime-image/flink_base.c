/* SPDX-License-Identifier: Apache-2.0
 * The class path and the fingerprint of an installed Flink. The JVM itself checks size and time of every
 * archived jar and goes on without the archive when they differ; our fingerprint is what makes us dump again
 * instead of staying slow. */
#include "runtime-image/flink_base.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/vec.h"
#include "runtime-image/flink_install.h"
#include "sys/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUNNER_NAME  "sluice-runner.jar"
#define RUNNER_BYTES ((size_t)64 << 20)

const char *img_role_archive(enum img_role role)
{
    static const char *const names[IMG_ROLE_MAX_] = {"session.jsa", "taskmanager.jsa", "application.jsa"};
    return names[role];
}

const char *img_runner_jar(struct sl_arena *a, const char *self)
{
    const char *own = getenv("SLUICE_RUNNER_JAR");
    if (own && *own) {
        return sys_path_abs(a, own);
    }
    char *dir = sl_arena_strdupz(a, sl_str_of(self));
    char *slash = strrchr(dir, '/');
    if (!slash) {
        return NULL;
    }
    *slash = 0;
    char *beside = sys_path_join(a, dir, RUNNER_NAME);
    return sys_exists(beside) ? beside : NULL;
}

static void add_stat(struct sl_sha256 *h, const char *path)
{
    struct stat st = {0};
    if (stat(path, &st) != 0) {
        return;
    }
    char line[128];
    int n = snprintf(line, sizeof line, "\n%lld %lld.%ld ", (long long)st.st_size,
                     (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    sl_sha256_put(h, line, (size_t)n);
    sl_sha256_put(h, path, strlen(path));
}

/* Flink's jars sorted by name, the planner last; the fingerprint is fed with each. */
static bool class_path(struct sl_arena *a, struct img_flink_base *b, struct sl_sha256 *h, struct sl_err *err)
{
    char *lib = sys_path_join(a, b->dir, "lib");
    sl_str *names;
    size_t n;
    if (!sys_dir_list(a, lib, &names, &n, err)) {
        return false;
    }
    SL_BUF_AUTO cp;
    sl_buf_init(&cp, 1 << 20);
    for (int planner = 0; planner < 2; planner++) {
        for (size_t i = 0; i < n; i++) {
            bool is_planner = sl_str_starts(names[i], SL_STR("flink-table-planner"));
            if (!sl_str_ends(names[i], SL_STR(".jar")) || is_planner != (planner == 1)) {
                continue;
            }
            char *jar = sys_path_join(a, lib, sl_arena_strdupz(a, names[i]));
            sl_buf_printf(&cp, "%s%s", cp.n ? ":" : "", jar);
            add_stat(h, jar);
        }
    }
    b->flink_cp = sl_arena_strdupz(a, sl_buf_str(&cp));
    return true;
}

static bool copy_runner(struct sl_arena *a, struct img_flink_base *b, const char *jar, struct sl_err *err)
{
    sl_str bytes;
    if (!sys_file_read(a, jar, RUNNER_BYTES, &bytes, err)) {
        return sl_wrap(err, "the runner");
    }
    char digest[72];
    sl_sha256_digest(bytes, digest);
    const char *dir = sl_arena_printf(a, "%s/runner/%.16s", b->dir, digest + 7).p;
    char *copy = sys_path_join(a, dir, RUNNER_NAME);
    if (sys_file_size(copy) != (int64_t)bytes.n &&
        (!sys_mkdirs(dir, 0755, err) || !sys_file_write(copy, bytes, 0644, err))) {
        return false;
    }
    b->runner = copy;
    return true;
}

static void find_archives(struct sl_arena *a, struct img_flink_base *b)
{
    for (int r = 0; r < IMG_ROLE_MAX_; r++) {
        char *path = sys_path_join(a, b->archive_dir, img_role_archive(r));
        b->archive[r] = sys_exists(path) ? path : NULL;
    }
}

bool img_flink_base_open(struct sl_arena *a, const char *root, const char *version, const char *runner_jar,
                         struct img_flink_base *ret, struct sl_err *err)
{
    if (!img_flink_is_installed(root, version)) {
        sl_fail(err, SL_FLINK_NOT_INSTALLED, "Flink %.20s is not installed in %s", version, root);
        return sl_hint(err, "sluice flink install %.20s", version);
    }
    struct img_flink_base b = {.root = sl_arena_strdupz(a, sl_str_of(root)),
                               .version = sl_arena_strdupz(a, sl_str_of(version))};
    b.dir = sys_path_join(a, b.root, b.version);
    if (!img_java_find(a, &b.java, err)) {
        return false;
    }
    struct sl_sha256 h;
    sl_sha256_init(&h);
    sl_sha256_put(&h, b.java.version, strlen(b.java.version));
    add_stat(&h, sys_path_join(a, b.java.home, "lib/modules"));
    char fingerprint[65];
    bool ok = class_path(a, &b, &h, err);
    sl_sha256_hex(&h, fingerprint);
    if (!ok || (runner_jar && !copy_runner(a, &b, runner_jar, err))) {
        return false;
    }
    if (b.java.major >= 13) { /* -XX:ArchiveClassesAtExit, JEP 350 */
        b.archive_dir = sl_arena_printf(a, "%s/cds/%.16s", b.dir, fingerprint).p;
        find_archives(a, &b);
    }
    *ret = b;
    return true;
}

bool img_flink_base_set_archives(struct sl_arena *a, struct img_flink_base *b, const char *made,
                                 struct sl_err *err)
{
    char *cds = sys_path_join(a, b->dir, "cds");
    if (!sys_rmtree(cds, err) || !sys_mkdirs(cds, 0755, err)) {
        return false;
    }
    if (rename(made, b->archive_dir) != 0) {
        return sl_fail_errno(err, SL_IO, errno, "cannot rename %s", made);
    }
    find_archives(a, b);
    return true;
}
