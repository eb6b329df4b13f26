/* SPDX-License-Identifier: Apache-2.0
 * Finding a Java that Flink runs on. The first fit wins: what a person has set (JAVA_HOME), what the shell
 * would run (PATH), then the best of /usr/lib/jvm, where 17 is best because Flink's own images use it. */
#include "runtime-image/java.h"

#include "base/buf.h"
#include "sys/file.h"
#include "sys/process.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* "1.8.0_402" -> 8, "17.0.15" -> 17; 0 when it is no version. */
static int major_of(sl_str v)
{
    if (!v.p) {
        return 0;
    }
    sl_str first = v;
    ptrdiff_t dot = sl_str_find_char(v, '.');
    if (dot >= 0) {
        first = sl_str_sub(v, 0, (size_t)dot);
    }
    if (sl_str_eqz(first, "1") && dot >= 0) {
        return major_of(sl_str_sub(v, (size_t)dot + 1, v.n - (size_t)dot - 1));
    }
    size_t n = 0;
    while (n < first.n && first.p[n] >= '0' && first.p[n] <= '9') {
        n++;
    }
    int64_t major = 0;
    if (!sl_str_to_i64(sl_str_sub(first, 0, n), &major) || major < 1 || major > 999) {
        return 0;
    }
    return (int)major;
}

/* The text between the first two double quotes of the line that starts with `lead`. */
static sl_str quoted_after(sl_str text, sl_str lead)
{
    ptrdiff_t at = sl_str_find(text, lead);
    if (at < 0) {
        return SL_STR_NONE;
    }
    sl_str rest = sl_str_sub(text, (size_t)at + lead.n, text.n - (size_t)at - lead.n);
    ptrdiff_t open = sl_str_find_char(rest, '"');
    if (open < 0) {
        return SL_STR_NONE;
    }
    rest = sl_str_sub(rest, (size_t)open + 1, rest.n - (size_t)open - 1);
    ptrdiff_t close = sl_str_find_char(rest, '"');
    return close < 0 ? SL_STR_NONE : sl_str_sub(rest, 0, (size_t)close);
}

static sl_str version_of(struct sl_arena *a, const char *bin, const char *home)
{
    struct sl_err ignored = SL_ERR_INIT;
    sl_str text;
    if (sys_file_read(a, sys_path_join(a, home, "release"), 64 << 10, &text, &ignored)) {
        sl_str v = quoted_after(text, SL_STR("JAVA_VERSION="));
        if (v.n) {
            return v;
        }
    }
    sl_str out, errout;
    const char *argv[] = {bin, "-version", NULL};
    if (sys_run(a, argv, 10000, &out, &errout, &ignored) != 0) {
        return SL_STR_NONE;
    }
    return quoted_after(errout, SL_STR("version "));
}

/* Looks at one java program; true when it runs Flink. `ret_major` is 0 when there is no Java at all. */
static bool look_at(struct sl_arena *a, const char *bin, struct img_java *ret, int *ret_major)
{
    *ret_major = 0;
    char real[PATH_MAX];
    if (access(bin, X_OK) != 0 || sys_is_dir(bin) || !realpath(bin, real)) {
        return false;
    }
    char *home = sl_arena_strdupz(a, sl_str_of(real));
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(home, '/');
        if (slash) {
            *slash = 0;
        }
    }
    sl_str v = version_of(a, bin, home);
    *ret_major = major_of(v);
    if (*ret_major < IMG_JAVA_MIN || *ret_major > IMG_JAVA_MAX) {
        return false;
    }
    snprintf(ret->bin, sizeof ret->bin, "%s", bin);
    snprintf(ret->home, sizeof ret->home, "%s", home);
    snprintf(ret->version, sizeof ret->version, "%.*s", SL_S(v));
    ret->major = *ret_major;
    ret->headless = !sys_exists(sys_path_join(a, home, "lib/libawt_xawt.so"));
    return true;
}

static void say(struct sl_buf *looked, const char *place, int major, const char *absent)
{
    sl_buf_printf(looked, "%s%s (", looked->n ? ", " : "", place);
    if (!major) {
        sl_buf_putz(looked, absent);
    } else {
        sl_buf_printf(looked, "Java %d: too %s", major, major < IMG_JAVA_MIN ? "old" : "new");
    }
    sl_buf_putc(looked, ')');
}

static int rank(int major)
{
    return major == 17 ? 0 : major == 21 ? 1 : major == 11 ? 2 : 3;
}

bool img_java_find_in(struct sl_arena *a, const char *java_home, const char *path, const char *jvm_dir,
                      struct img_java *ret, struct sl_err *err)
{
    SL_BUF_AUTO looked;
    sl_buf_init(&looked, 4096);
    int major = 0;
    if (java_home && *java_home) {
        if (look_at(a, sys_path_join(a, java_home, "bin/java"), ret, &major)) {
            return true;
        }
        say(&looked, "JAVA_HOME", major, sl_arena_printf(a, "no bin/java in %s", java_home).p);
    } else {
        say(&looked, "JAVA_HOME", 0, "not set");
    }

    int seen = 0;
    for (const char *p = path ? path : ""; *p;) {
        size_t n = strcspn(p, ":");
        if (n) {
            char *dir = sl_arena_strdupz(a, (sl_str){p, n});
            if (look_at(a, sys_path_join(a, dir, "java"), ret, &major)) {
                return true;
            }
            seen = seen ? seen : major;
        }
        p += n + (p[n] == ':');
    }
    say(&looked, "PATH", seen, "no java");

    sl_str *names = NULL;
    size_t n_names = 0;
    struct sl_err ignored = SL_ERR_INIT;
    bool found = false;
    seen = 0;
    if (jvm_dir && sys_is_dir(jvm_dir) && sys_dir_list(a, jvm_dir, &names, &n_names, &ignored)) {
        for (size_t i = 0; i < n_names; i++) {
            char *home = sys_path_join(a, jvm_dir, sl_arena_strdupz(a, names[i]));
            struct img_java one = {0};
            if (look_at(a, sys_path_join(a, home, "bin/java"), &one, &major)) {
                if (!found || rank(one.major) < rank(ret->major)) {
                    *ret = one;
                }
                found = true;
            }
            seen = seen ? seen : major;
        }
    }
    if (found) {
        return true;
    }
    say(&looked, jvm_dir ? jvm_dir : "/usr/lib/jvm", seen, "no Java");
    sl_fail(err, SL_JAVA_MISSING, "Flink needs Java 11, 17 or 21; none was found\n  looked at: %s",
            sl_buf_z(&looked));
    return sl_hint(err,
                   "sudo apt-get install -y openjdk-17-jre-headless      check and explain: sluice doctor");
}

bool img_java_find(struct sl_arena *a, struct img_java *ret, struct sl_err *err)
{
    return img_java_find_in(a, getenv("JAVA_HOME"), getenv("PATH"), "/usr/lib/jvm", ret, err);
}
