/* SPDX-License-Identifier: Apache-2.0
 * `sluice doctor`: is everything here that Sluice and a local Flink need, and if not, what to type. */
#include "gateway/cli/cli.h"
#include "gateway/cli/settings.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "gateway/target/archives.h"
#include "gateway/target/supervise.h"
#include "runtime-image/flink_base.h"
#include "sys/file.h"
#include "sys/process.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum verdict { FINE, NOTE, BAD };

struct report {
    struct sl_arena a;
    struct sl_jw w;
    bool json;
    int bad, notes;
};

static void say(struct report *r, enum verdict v, const char *what, const char *cure, const char *fmt, ...)
    SL_PRINTF(5, 6);
static void say(struct report *r, enum verdict v, const char *what, const char *cure, const char *fmt, ...)
{
    static const char *const words[] = {"ok", "note", "bad"};
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->bad += v == BAD;
    r->notes += v == NOTE;
    if (r->json) {
        sl_jw_object(&r->w);
        sl_jw_kstrz(&r->w, "check", what);
        sl_jw_kstrz(&r->w, "verdict", words[v]);
        sl_jw_kstrz(&r->w, "text", text);
        if (cure) {
            sl_jw_kstrz(&r->w, "hint", cure);
        }
        sl_jw_end_object(&r->w);
        return;
    }
    printf(" %-5s %-9s %s\n", words[v], what, text);
    if (cure) {
        printf("       %-9s = hint: %s\n", "", cure);
    }
}

static bool check_java(struct report *r, struct img_java *java)
{
    struct sl_err err = SL_ERR_INIT;
    if (!img_java_find(&r->a, java, &err)) {
        for (char *p = err.msg; *p; p++) {
            *p = (char)(*p == '\n' ? ';' : *p);
        }
        say(r, BAD, "java", "sudo apt-get install -y openjdk-17-jre-headless", "%s", err.msg);
        return false;
    }
    say(r, FINE, "java", NULL, "%s at %s", java->version, java->bin);
    return true;
}

static void check_flink(struct report *r, bool has_java)
{
    struct sl_err err = SL_ERR_INIT;
    char *root = sys_flink_dir(&r->a);
    const char **v;
    size_t n;
    if (!img_flink_list(&r->a, root, &v, &n, &err)) {
        say(r, BAD, "flink", NULL, "%s", err.msg);
        return;
    }
    if (!n) {
        say(r, NOTE, "flink", "sluice flink install",
            "none installed in %s; the first run gets Flink 2.2.1 (313 MB)", root);
        return;
    }
    for (size_t i = 0; i < n && has_java; i++) {
        struct img_flink_base base;
        if (!img_flink_base_open(&r->a, root, v[i], NULL, &base, &err)) {
            say(r, BAD, "flink", "sluice flink rm VERSION; sluice flink install VERSION", "%s: %s", v[i],
                err.msg);
            continue;
        }
        bool archives = true;
        for (int role = 0; role < IMG_ROLE_MAX_; role++) {
            archives = archives && base.archive[role];
        }
        if (archives) {
            say(r, FINE, "flink", NULL, "%s in %s, prepared for this Java", v[i], base.dir);
        } else {
            const char *cure = sl_arena_printf(&r->a, "sluice flink install %s", v[i]).p;
            say(r, NOTE, "flink", base.archive_dir ? cure : NULL,
                "%s in %s; starts slowly: no class archives for this Java", v[i], base.dir);
        }
    }
}

static void check_runner(struct report *r)
{
    const char *jar = img_runner_jar(&r->a, sys_self_path(&r->a));
    if (jar && sys_exists(jar)) {
        say(r, FINE, "runner", NULL, "%s", jar);
    } else {
        say(r, BAD, "runner", "put it beside the binary, or name it in SLUICE_RUNNER_JAR", "%s",
            jar ? sl_arena_printf(&r->a, "%s is not there", jar).p
                : "sluice-runner.jar is not beside the binary");
    }
}

/* The nearest folder above that exists: what the disk check looks at before anything was made. */
static const char *existing(struct report *r, const char *path)
{
    char *p = sl_arena_strdupz(&r->a, sl_str_of(path));
    while (!sys_is_dir(p)) {
        char *slash = strrchr(p, '/');
        if (!slash || slash == p) {
            return "/";
        }
        *slash = 0;
    }
    return p;
}

static void check_folder(struct report *r, const char *what, const char *path, int64_t want_mb)
{
    const char *at = existing(r, path);
    struct statvfs vfs;
    if (access(at, W_OK) != 0) {
        say(r, BAD, what,
            "make it yours, or choose another with SLUICE_DATA, SLUICE_FLINK_DIR, SLUICE_DOWNLOADS",
            "%s cannot be written", at);
        return;
    }
    if (statvfs(at, &vfs) != 0) {
        say(r, NOTE, what, NULL, "%s: free space cannot be told", path);
        return;
    }
    long long mb = (long long)vfs.f_bavail * (long long)vfs.f_frsize / 1000000;
    if (mb < want_mb) {
        say(r, BAD, what, "make room, or choose another disk", "%s: %lld MB free, %lld MB are wanted", path,
            mb, (long long)want_mb);
    } else {
        say(r, FINE, what, NULL, "%s (%lld GB free)", path, mb / 1000);
    }
}

static void check_ports(struct report *r)
{
    int port = sys_free_port();
    if (port > 0) {
        say(r, FINE, "ports", NULL, "127.0.0.1 gives free ports (for example %d)", port);
    } else {
        say(r, BAD, "ports", "ip link set lo up", "no port of 127.0.0.1 can be opened");
    }
}

static void check_memory(struct report *r)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE), cores = sysconf(_SC_NPROCESSORS_ONLN);
    long long mb = (long long)pages * size / 1000000;
    if (mb > 0 && mb < 1800) {
        say(r, NOTE, "memory", NULL, "%lld MB; a local Flink wants about 1,000 MB", mb);
    } else {
        say(r, FINE, "memory", NULL, "%lld MB, %ld cores", mb, cores);
    }
}

static void check_owner(struct report *r)
{
    const char *data = cli_settings()->data.p;
    check_folder(r, "data", data, 200);
    char *socket = sys_path_join(&r->a, data, "sluice.sock");
    say(r, FINE, "owner", NULL, "%s",
        sys_exists(socket) ? "a Sluice owns the data folder" : "none running; a call becomes it");
    char *run_dir = sys_path_join(&r->a, data, "clusters");
    sl_str *names;
    size_t n, alive = 0;
    struct sl_err ignored = SL_ERR_INIT;
    if (!sys_is_dir(run_dir) || !sys_dir_list(&r->a, run_dir, &names, &n, &ignored)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        char *dir = sys_path_join(&r->a, run_dir, sl_arena_strdupz(&r->a, names[i]));
        struct sup_status st;
        sup_status(dir, &st);
        if (st.alive) {
            alive++;
            bool owned = sys_lock_is_held(sys_path_join(&r->a, dir, "owner.lock"));
            say(r, owned ? FINE : NOTE, "cluster", NULL, "%.*s: JobManager pid %ld%s%s", SL_S(names[i]),
                st.jobmanager.pid, owned ? "" : ", without an owner: it ends when its jobs have ended",
                st.why[0] ? "; " : "");
        }
    }
    if (!alive) {
        say(r, FINE, "clusters", NULL, "no local Flink is running");
    }
}

static int doctor(int argc, char **argv)
{
    struct report r = {.json = false};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            r.json = true;
        } else {
            return cli_usage("doctor", "unknown argument '%s'", argv[i]);
        }
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    sl_arena_init(&r.a, 0);
    sl_jw_init(&r.w, &b);
    sl_jw_array(&r.w);
    struct img_java java;
    bool has_java = check_java(&r, &java);
    check_runner(&r);
    check_flink(&r, has_java);
    check_folder(&r, "installs", sys_flink_dir(&r.a), 1000);
    check_folder(&r, "downloads", img_downloads_dir(&r.a), 400);
    check_owner(&r);
    check_ports(&r);
    check_memory(&r);
    sl_jw_end_array(&r.w);
    if (r.json) {
        puts(sl_buf_z(&b));
    } else {
        printf("%s\n", r.bad ? "Something is missing: see the hints." : "All well.");
    }
    sl_arena_release(&r.a);
    return r.bad ? 6 : 0;
}

const struct cli_verb cli_doctor = {
    .name = "doctor",
    .summary = "check Java, Flink, disk, ports, the data folder",
    .usage = "usage: sluice doctor [--json]\n\n"
             "Looks at everything that Sluice and a local Flink need and says what to type where something "
             "is missing.\n"
             "Exit code 6 when something is.\n",
    .exec = doctor,
};
