/* SPDX-License-Identifier: Apache-2.0
 * `sluice flink install|ls|show|rm`: the Flink installations of this machine. */
#include "gateway/cli/cli.h"

#include "base/buf.h"
#include "base/json.h"
#include "gateway/cli/table.h"
#include "gateway/target/archives.h"
#include "runtime-image/flink_base.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REDRAW_MS 100
#define LINE_MS   10000

static volatile sig_atomic_t interrupted; /* the signal */
static void on_interrupt(int sig)
{
    interrupted = sig;
}

static const char usage[] =
    "usage: sluice flink install [VERSION] [--json] [-q]   get a Flink and prepare it (default: 2.2)\n"
    "       sluice flink ls [--json]                       what is installed, what can be had\n"
    "       sluice flink show [VERSION]                    where it is, how it is started\n"
    "       sluice flink rm VERSION                        remove it\n"
    "\n"
    "VERSION is 1.20, 2.2 or 2.3, or a whole version such as 2.2.1. The official distribution comes from\n"
    "the PyPI package apache-flink-libraries, through the indexes that pip is configured with\n"
    "(PIP_INDEX_URL, pip.conf); neither pip nor Python is needed. Downloads are kept in\n"
    "~/.cache/sluice/dl (SLUICE_DOWNLOADS), installations in\n"
    "~/.local/share/sluice/flink (SLUICE_FLINK_DIR). An interrupted download goes on where it stopped.\n";

/* ---- progress ---- */

struct show {
    bool tty, json, quiet;
    bool drawn;      /* a line without its end is on the terminal */
    int64_t said_ms; /* last line or redraw */
    int64_t rate_ms, rate_from;
    double rate;   /* bytes a second, smoothed */
    char bar[192]; /* the last one drawn */
};

static void time_of(int64_t ms, char out[24])
{
    if (ms < 10000) {
        snprintf(out, 24, "%.1f s", (double)ms / 1000);
    } else if (ms < 600000) {
        snprintf(out, 24, "%lld s", (long long)(ms + 500) / 1000);
    } else {
        snprintf(out, 24, "%lld min", (long long)(ms + 30000) / 60000);
    }
}

static long long mb(int64_t bytes)
{
    return (long long)(bytes / 1000000);
}

static void wipe(struct show *s)
{
    if (s->drawn) {
        fputs("\r\033[K", stderr);
        s->drawn = false;
    }
    s->bar[0] = 0;
}

static void line(struct show *s, const char *step, const char *text, int64_t ms)
{
    char time[24] = "";
    if (s->quiet) {
        return;
    }
    wipe(s);
    if (ms >= 0) {
        time_of(ms, time);
        fprintf(stderr, " %-9s %-46s %6s\n", step, text, time);
    } else {
        fprintf(stderr, " %-9s %s\n", step, text);
    }
}

static void bar(struct show *s, const struct img_install_event *ev)
{
    char cells[27];
    int64_t now = sys_now_ms();
    if (s->rate_ms == 0) {
        s->rate_ms = now;
        s->rate_from = ev->done;
    } else if (now - s->rate_ms >= 500) {
        double r = (double)(ev->done - s->rate_from) * 1000 / (double)(now - s->rate_ms);
        s->rate = s->rate > 0 ? s->rate * 0.7 + r * 0.3 : r;
        s->rate_ms = now;
        s->rate_from = ev->done;
    }
    int full = ev->total > 0 ? (int)(ev->done * 26 / ev->total) : 0;
    for (int i = 0; i < 26; i++) {
        cells[i] = i < full ? '#' : '-';
    }
    cells[26] = 0;
    sl_str name = sl_str_of(ev->file);
    ptrdiff_t cut = sl_str_find(name, SL_STR("-py"));
    cut = cut < 0 ? sl_str_find(name, SL_STR(".tar")) : cut;
    if (cut > 0) {
        name.n = (size_t)cut;
    }
    char speed[64] = "";
    if (s->rate > 0) {
        snprintf(speed, sizeof(speed), "   %.1f MB/s   %lld s left", s->rate / 1e6,
                 (long long)((double)(ev->total - ev->done) / s->rate));
    }
    int width = cli_terminal_width(stderr), n = 0;
    name.n = SL_MIN(name.n, 60);
    for (;;) { /* a narrow terminal: without the name; one line is all that can be drawn again */
        n = snprintf(s->bar, sizeof(s->bar), " %-9s %.*s%s[%s]  %lld / %lld MB%s", "download", SL_S(name),
                     name.n ? "  " : "", cells, mb(ev->done), mb(ev->total), speed);
        if (!width || n < width || !name.n) {
            break;
        }
        name.n = 0;
    }
    if (width && n >= width) {
        s->bar[width - 1] = 0;
    }
    fprintf(stderr, "\r\033[K%s", s->bar);
    fflush(stderr);
    s->drawn = true;
}

/* The bar stays where it stopped. The terminal wrote its ^C behind it: it gets a line of its own. */
static void stop_bar(struct show *s)
{
    if (s->drawn && s->bar[0]) {
        fprintf(stderr, "\r\033[K%s\n%s", s->bar, interrupted == SIGINT ? "^C\n" : "");
        s->drawn = false;
    }
}

/* A download that was stopped goes on: what it is has been said. */
static bool goes_on(struct sl_arena *a, const struct img_flink_release *r)
{
    return r && sys_file_size(sl_arena_printf(a, "%s/%s.part", img_downloads_dir(a), r->file).p) > 0;
}

static const char *const step_names[] = {"wait", "download", "verify", "unpack", "prepare"};

static void json_event(const struct img_install_event *ev)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 1 << 16);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "event", ev->end ? "step" : "progress");
    sl_jw_kstrz(&w, "step", step_names[ev->step]);
    if (ev->end) {
        sl_jw_kstrz(&w, "state", "done");
    }
    if (ev->step == IMG_STEP_DOWNLOAD) {
        sl_jw_ki64(&w, "done", ev->done);
        sl_jw_ki64(&w, "total", ev->total);
        if (ev->end) {
            sl_jw_ki64(&w, "resumedFrom", ev->here);
        }
    }
    if (ev->end && (ev->step == IMG_STEP_UNPACK || ev->step == IMG_STEP_PREPARE)) {
        sl_jw_ki64(&w, "count", ev->count);
    }
    if (ev->text) {
        sl_jw_kstrz(&w, "text", ev->text);
    }
    if (ev->end) {
        sl_jw_ki64(&w, "ms", ev->ms);
    }
    sl_jw_end_object(&w);
    puts(sl_buf_z(&b));
    fflush(stdout);
}

static void under_way(struct show *s, const struct img_install_event *ev)
{
    int64_t now = sys_now_ms(), every = s->tty && !s->json ? REDRAW_MS : LINE_MS;
    bool first = s->said_ms == 0;
    if (s->quiet || now - s->said_ms < (s->json && ev->step == IMG_STEP_DOWNLOAD ? 1000 : every)) {
        return;
    }
    s->said_ms = now;
    if (s->json) {
        json_event(ev);
    } else if (ev->step == IMG_STEP_DOWNLOAD && s->tty) {
        bar(s, ev);
    } else if (ev->step == IMG_STEP_DOWNLOAD && !first) {
        fprintf(stderr, " %-9s %lld/%lld MB\n", "download", mb(ev->done), mb(ev->total));
    } else if (ev->step == IMG_STEP_WAIT || s->tty) {
        const char *text = ev->text ? ev->text : ev->step == IMG_STEP_PREPARE ? "class archives" : "";
        fprintf(stderr, s->tty ? "\r\033[K %-9s %s" : " %-9s %s\n", step_names[ev->step], text);
        s->drawn = s->tty;
        fflush(stderr);
    }
}

static bool on_event(void *ctx, const struct img_install_event *ev)
{
    struct show *s = ctx;
    char text[256];
    if (!ev->end) {
        under_way(s, ev);
        return !interrupted;
    }
    s->said_ms = sys_now_ms();
    if (s->json) {
        json_event(ev);
        return !interrupted;
    }
    switch (ev->step) {
    case IMG_STEP_DOWNLOAD:
        if (ev->here >= ev->total) {
            snprintf(text, sizeof text, "%lld MB were here", mb(ev->total));
        } else if (ev->here) {
            snprintf(text, sizeof text, "%lld MB (%lld MB were here)", mb(ev->total), mb(ev->here));
        } else {
            snprintf(text, sizeof text, "%lld MB", mb(ev->total));
        }
        line(s, "download", text, ev->here >= ev->total ? -1 : ev->ms);
        break;
    case IMG_STEP_VERIFY:
        line(s, "verify", "sha256 ok", -1);
        break;
    case IMG_STEP_UNPACK:
        snprintf(text, sizeof text, "%lld jars", (long long)ev->count);
        line(s, "unpack", text, ev->ms);
        break;
    case IMG_STEP_PREPARE:
        if (ev->text) {
            snprintf(text, sizeof text, "planner unpacked; %s", ev->text);
        } else {
            snprintf(text, sizeof text, "planner unpacked, class archives for %lld roles",
                     (long long)ev->count);
        }
        line(s, "prepare", text, ev->ms);
        break;
    default:
        break;
    }
    return !interrupted;
}

/* "~/.local/..." for a path below the home folder. */
static const char *shown(struct sl_arena *a, const char *path)
{
    const char *home = getenv("HOME");
    size_t n = home ? strlen(home) : 0;
    return n > 1 && strncmp(path, home, n) == 0 && path[n] == '/' ? sl_arena_printf(a, "~%s", path + n).p
                                                                  : path;
}

/* ---- verbs ---- */

static int print_error(bool json, const struct sl_err *err)
{
    if (json) {
        SL_BUF_AUTO b;
        struct sl_jw w;
        sl_buf_init(&b, 1 << 16);
        sl_jw_init(&w, &b);
        sl_jw_object(&w);
        sl_jw_kstrz(&w, "event", "result");
        sl_jw_kbool(&w, "ok", false);
        sl_jw_ki64(&w, "exit", sl_code_exit(err->code));
        sl_jw_kstrz(&w, "code", sl_code_slug(err->code));
        sl_jw_kstrz(&w, "message", err->msg);
        if (err->hint[0]) {
            sl_jw_kstrz(&w, "hint", err->hint);
        }
        sl_jw_end_object(&w);
        puts(sl_buf_z(&b));
        return sl_code_exit(err->code);
    }
    return cli_print_error(err);
}

static int install(const char *wanted, bool json, bool quiet)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct img_java java;
    char version[16];
    struct show s = {.tty = isatty(STDERR_FILENO), .json = json, .quiet = quiet};
    if (!img_flink_resolve(wanted, version, &err) || !img_java_find(&a, &java, &err)) {
        return print_error(json, &err);
    }
    struct sigaction act = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    char *root = sys_flink_dir(&a);
    const struct img_flink_release *known = img_flink_release_of(version);
    if (!json && !quiet && !img_flink_is_installed(root, version) && !goes_on(&a, known)) {
        fprintf(stderr, "Flink %s%s", version, known && known->is_default ? " (default; also:" : " (also:");
        const char *comma = "";
        for (const struct img_flink_release *r = img_flink_releases; r->version; r++) {
            if (strcmp(r->version, version) != 0) {
                fprintf(stderr, "%s %s", comma, r->version);
                comma = ",";
            }
        }
        fputs(")\n", stderr);
    }
    struct tgt_prepare p = {
        .root = root, .self = sys_self_path(&a), .again = true, .fn = on_event, .ctx = &s};
    bool did = false;
    int64_t from_ms = sys_now_ms();
    bool ok = tgt_prepare_flink(&p, version, &did, &err);
    if (!ok && err.code == SL_CANCELLED) {
        stop_bar(&s);
    }
    wipe(&s);
    if (!ok) {
        if (err.code == SL_CANCELLED && !json) {
            fprintf(stderr, "%s\n", err.msg);
            return sl_code_exit(err.code);
        }
        return print_error(json, &err);
    }
    char *dir = sys_path_join(&a, root, version);
    int64_t bytes = sys_tree_bytes(dir);
    if (json) {
        SL_BUF_AUTO b;
        struct sl_jw w;
        sl_buf_init(&b, 1 << 16);
        sl_jw_init(&w, &b);
        sl_jw_object(&w);
        sl_jw_kstrz(&w, "event", "result");
        sl_jw_kbool(&w, "ok", true);
        sl_jw_ki64(&w, "exit", 0);
        sl_jw_ki64(&w, "ms", sys_now_ms() - from_ms);
        sl_jw_kstrz(&w, "flink", version);
        sl_jw_kstrz(&w, "path", dir);
        sl_jw_ki64(&w, "bytes", bytes);
        sl_jw_kbool(&w, "changed", did);
        sl_jw_kstrz(&w, "java", java.bin);
        sl_jw_kstrz(&w, "javaVersion", java.version);
        sl_jw_end_object(&w);
        puts(sl_buf_z(&b));
    } else if (!quiet) {
        fprintf(stderr, " %-9s Flink %s in %s (%lld MB); Java %s at %s\n", did ? "installed" : "there",
                version, shown(&a, dir), mb(bytes), java.version, java.bin);
    }
    return 0;
}

static int list(bool json)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    char *root = sys_flink_dir(&a);
    const char **v;
    size_t n;
    if (!img_flink_list(&a, root, &v, &n, &err)) {
        return print_error(json, &err);
    }
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 1 << 20);
    sl_jw_init(&w, &b);
    sl_jw_array(&w);
    if (!json) {
        printf("%-8s %-10s %-8s %s\n", "FLINK", "STATE", "SIZE", "PATH");
    }
    for (size_t i = 0; i < n; i++) {
        char *dir = sys_path_join(&a, root, v[i]);
        const struct img_flink_release *known = img_flink_release_of(v[i]);
        char size[24];
        snprintf(size, sizeof size, "%lld MB", mb(sys_tree_bytes(dir)));
        sl_jw_object(&w);
        sl_jw_kstrz(&w, "version", v[i]);
        sl_jw_kbool(&w, "installed", true);
        sl_jw_kbool(&w, "default", known && known->is_default);
        sl_jw_kstrz(&w, "path", dir);
        sl_jw_end_object(&w);
        if (!json) {
            printf("%-8s %-10s %-8s %s%s\n", v[i], "installed", size, shown(&a, dir),
                   known && known->is_default ? "   (default)" : "");
        }
    }
    for (const struct img_flink_release *r = img_flink_releases; r->version; r++) {
        if (img_flink_is_installed(root, r->version)) {
            continue;
        }
        char size[24];
        snprintf(size, sizeof size, "%lld MB", mb(r->bytes));
        sl_jw_object(&w);
        sl_jw_kstrz(&w, "version", r->version);
        sl_jw_kbool(&w, "installed", false);
        sl_jw_kbool(&w, "default", r->is_default);
        sl_jw_ki64(&w, "downloadBytes", r->bytes);
        sl_jw_end_object(&w);
        if (!json) {
            printf("%-8s %-10s %-8s sluice flink install %s%s\n", r->version, "-", size, r->series,
                   r->is_default ? "   (default)" : "");
        }
    }
    sl_jw_end_array(&w);
    if (json) {
        puts(sl_buf_z(&b));
    }
    return 0;
}

static int show_one(const char *wanted)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    char version[16];
    struct img_flink_base base;
    const char *runner = img_runner_jar(&a, sys_self_path(&a));
    if (!img_flink_resolve(wanted, version, &err) ||
        !img_flink_base_open(&a, sys_flink_dir(&a), version, runner, &base, &err)) {
        return cli_print_error(&err);
    }
    printf("Flink %s   %s (%lld MB)\n", version, shown(&a, base.dir), mb(sys_tree_bytes(base.dir)));
    printf(" java       %s at %s\n", base.java.version, base.java.bin);
    printf(" runner     %s\n",
           base.runner ? shown(&a, base.runner) : "none: sluice-runner.jar is not beside the binary");
    printf(" archives   ");
    bool all = true;
    for (int r = 0; r < IMG_ROLE_MAX_; r++) {
        all = all && base.archive[r];
    }
    printf("%s\n", all ? shown(&a, base.archive_dir) : "none: the next start makes them");
    printf(" class path\n");
    for (const char *p = base.flink_cp; *p;) {
        size_t n = strcspn(p, ":");
        printf("            %.*s\n", (int)n, p);
        p += n + (p[n] == ':');
    }
    return 0;
}

static int rm(const char *wanted)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    char version[16];
    int64_t bytes;
    if (!img_flink_resolve(wanted, version, &err) ||
        !img_flink_remove(sys_flink_dir(&a), version, &bytes, &err)) {
        return cli_print_error(&err);
    }
    fprintf(stderr, " removed   Flink %s, %lld MB\n", version, mb(bytes));
    return 0;
}

static int flink(int argc, char **argv)
{
    const char *words[2] = {NULL, NULL};
    size_t n = 0;
    bool json = false, quiet = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc && strcmp(argv[i + 1], "json") == 0) {
            json = true;
            i++;
        } else if (strcmp(argv[i], "-q") == 0 || strcmp(argv[i], "--quiet") == 0) {
            quiet = true;
        } else if (argv[i][0] == '-') {
            return cli_usage("flink", "unknown option '%s'", argv[i]);
        } else if (n == 2) {
            return cli_usage("flink", "'%s' is one word too many", argv[i]);
        } else {
            words[n++] = argv[i];
        }
    }
    const char *verb = words[0];
    if (!verb) {
        return cli_usage("flink", "say install, ls, show or rm");
    }
    if (strcmp(verb, "install") == 0) {
        return install(words[1], json, quiet);
    }
    if (strcmp(verb, "ls") == 0 || strcmp(verb, "list") == 0) {
        return words[1] ? cli_usage("flink", "ls takes no version") : list(json);
    }
    if (strcmp(verb, "show") == 0) {
        return show_one(words[1]);
    }
    if (strcmp(verb, "rm") == 0 || strcmp(verb, "remove") == 0 || strcmp(verb, "uninstall") == 0) {
        return words[1] ? rm(words[1]) : cli_usage("flink", "rm wants a version");
    }
    return cli_usage("flink", "'%s' is not one of install, ls, show, rm", verb);
}

const struct cli_verb cli_flink = {
    .name = "flink", .summary = "install, list and remove Flink versions", .usage = usage, .exec = flink};
