/* SPDX-License-Identifier: Apache-2.0
 * sluice fmt: lays scripts out. Files are replaced as a whole or not at all. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/vec.h"
#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/diff.h"
#include "sqlparse/fmt.h"
#include "sys/file.h"

struct fmt {
    struct sql_fmt_options o;
    bool check, diff, quiet, colour;
    bool changed; /* --check: a file would change */
    int exit;     /* of what could not be read, written or parsed */
};

static void fail(struct fmt *f, int code)
{
    f->exit = SL_MAX(f->exit, code);
}

/* The file itself, behind symbolic links. */
static bool write_back(const char *path, sl_str text, struct sl_err *err)
{
    char *real = realpath(path, NULL);
    struct stat st;
    bool ok = real && stat(real, &st) == 0;
    if (!ok) {
        sl_fail(err, SL_IO, "%s has gone", path);
    } else if (access(real, W_OK) != 0) {
        ok = sl_fail(err, SL_IO, "%s cannot be written", path);
    } else {
        ok = sys_file_write(real, text, st.st_mode & 07777, err);
    }
    free(real);
    return ok;
}

static void fmt_file(void *ctx, const char *path)
{
    struct fmt *f = ctx;
    SL_ARENA_AUTO arena = {0};
    struct sl_err err = SL_ERR_INIT;
    bool standard = strcmp(path, "-") == 0;
    sl_str text;
    struct sql_fmt done;
    if (!sys_file_read(&arena, path, SL_LIMIT_FMT_BYTES, &text, &err) ||
        !sql_format(&arena, sl_str_of(path), text, &f->o, &done, &err)) {
        fail(f, cli_print_error(&err));
        return;
    }
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    if (done.kept) {
        cli_diags_print(&out, &done.script, f->colour);
        sl_buf_printf(&out, "%s: %zu statement%s left as %s\n", path, done.kept, done.kept == 1 ? "" : "s",
                      done.kept == 1 ? "it is" : "they are");
        cli_put(stderr, sl_buf_str(&out));
        sl_buf_clear(&out);
        fail(f, 3);
    }
    f->changed |= done.changed;
    if (f->diff) {
        if (done.changed) {
            cli_diff(&out, path, text, done.text);
        }
        cli_put(stdout, sl_buf_str(&out));
    } else if (f->check) {
        if (done.changed) {
            printf("%s\n", path);
        }
    } else if (standard) {
        cli_put(stdout, done.text);
    } else if (done.changed) {
        if (!write_back(path, done.text, &err)) {
            fail(f, cli_print_error(&err));
        } else if (!f->quiet) {
            printf("%s\n", path);
        }
    }
}

static int exec_fmt(int argc, char **argv)
{
    SL_ARENA_AUTO arena = {0};
    struct sl_err err = SL_ERR_INIT;
    struct fmt f = {.colour = cli_wants_colour(STDERR_FILENO)};
    const char *width_text = NULL, *flink = NULL;
    int64_t width = SL_LIMIT_FMT_WIDTH;
    const struct cli_option table[] = {
        {.name = "--check", .flag = &f.check},
        {.name = "--diff", .flag = &f.diff},
        {.name = "--quiet", .letter = 'q', .flag = &f.quiet},
        {.name = "--width", .value = &width_text},
        {.name = "--flink", .value = &flink},
        {0},
    };
    struct cli_args x = {.verb = "fmt", .options = table};
    if (!cli_args_read(&x, &arena, argc, argv)) {
        return 2;
    }
    if (width_text && (!sl_str_to_i64(sl_str_of(width_text), &width) || width < SL_LIMIT_FMT_WIDTH_MIN ||
                       width > SL_LIMIT_FMT_WIDTH_MAX)) {
        return cli_usage("fmt", "--width is %d to %d columns, not '%s'", SL_LIMIT_FMT_WIDTH_MIN,
                         SL_LIMIT_FMT_WIDTH_MAX, width_text);
    }
    f.o.width = (unsigned)width;
    if (flink && !sql_version_parse(sl_str_of(flink), &f.o.flink, &err)) {
        err.code = SL_USAGE;
        return cli_print_error(&err);
    }
    if (!x.files.n) {
        return cli_usage("fmt", "which file? (- is standard input)");
    }
    for (size_t i = 0; i < x.files.n; i++) {
        fail(&f, cli_each_script(x.files.v[i], fmt_file, &f));
    }
    return f.exit ? f.exit : f.check && f.changed ? 1 : 0;
}

const struct cli_verb cli_fmt = {
    .name = "fmt",
    .summary = "lay scripts out: keywords, lines, indentation; never their tokens",
    .usage =
        "usage: sluice fmt FILE|FOLDER|- ... [--check] [--diff] [--width COLUMNS] [--flink V] [-q]\n"
        "\n"
        "Lays scripts out in place (of a folder every *.sql) and prints the names of the files that have\n"
        "changed; - reads standard input and writes standard output. Comments, hints and variables stay. A\n"
        "statement with an error is left as it is, and the others are laid out.\n"
        "Exit code 0: done, 1: --check has found files to be laid out, 2: usage, 3: statements with errors.\n"
        "\n"
        "  --check           write nothing, print the names of the files that would change\n"
        "  --diff            write nothing, print what would change as a unified diff\n"
        "  --width COLUMNS   how long a line may become, 40 to 400 (default 100)\n"
        "  --flink V         the language of this version only (default: 2.2, else the others)\n"
        "  -q, --quiet       no names of files\n",
    .exec = exec_fmt,
};
