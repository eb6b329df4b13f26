/* SPDX-License-Identifier: Apache-2.0
 * sluice check: says everything that is wrong with scripts, and sends nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/source.h"
#include "gateway/cli/steps.h"
#include "gateway/jobs/preflight.h"
#include "catalog/check.h"
#include "catalog/lint.h"
#include "catalog/scope.h"
#include "sys/clock.h"
#include "sys/file.h"

struct check {
    struct cli_source_options source;
    sql_version flink; /* of --jsonl */
    enum cat_level level;
    bool level_given, connect, json, jsonl, strict, lint, colour;
    struct cli_words paths;
    struct sl_buf diagnostics, files; /* --json: the elements of its two arrays */
    size_t statements, errors, warnings;
    double ms;
    bool bad; /* a script has errors, or warnings with --strict */
    int exit; /* of what could not be read */
};

static bool is_bad(const struct check *c, const struct sql_script *s)
{
    return s->diags.errors || (c->strict && s->diags.warnings);
}

static void print_counts(FILE *out, size_t errors, size_t warnings)
{
    if (errors) {
        fprintf(out, "%zu error%s", errors, errors == 1 ? "" : "s");
    }
    if (warnings) {
        fprintf(out, "%s%zu warning%s", errors ? ", " : "", warnings, warnings == 1 ? "" : "s");
    }
}

static void print_summary(const struct check *c, const struct cli_source *s, int64_t us)
{
    char time[24];
    cli_time_text(us, time);
    const struct sql_diags *d = &s->script.diags;
    size_t n = s->script.stmts.n;
    const char *flink = sql_version_name(s->script.flink), *many = n == 1 ? "" : "s";
    if (!d->errors && !d->warnings) {
        printf("%s: ok, %zu statement%s, Flink %s, %s\n", s->path, n, many, flink, time);
        return;
    }
    fprintf(stderr, "%s: ", s->path);
    print_counts(stderr, d->errors, d->warnings);
    fprintf(stderr, " in %zu statement%s; checked for Flink %s in %s.%s\n", n, many, flink, time,
            is_bad(c, &s->script) ? " Nothing was sent." : "");
}

/* An array's elements, each behind the last. */
static void next_element(struct sl_buf *array)
{
    if (array->n) {
        sl_buf_putc(array, ',');
    }
}

static void add_json(struct check *c, struct cli_source *s, int64_t us)
{
    sql_diags_sort(&s->script);
    struct sl_jw w;
    for (size_t i = 0; i < s->script.diags.list.n; i++) {
        next_element(&c->diagnostics);
        sl_jw_init(&w, &c->diagnostics);
        cli_diag_json(&w, &s->script, &s->script.diags.list.v[i], true);
    }
    next_element(&c->files);
    sl_jw_init(&w, &c->files);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "file", s->path);
    sl_jw_kbool(&w, "ok", s->script.diags.errors == 0);
    sl_jw_kstrz(&w, "flink", sql_version_name(s->script.flink));
    sl_jw_ki64(&w, "statements", (int64_t)s->script.stmts.n);
    sl_jw_ki64(&w, "errors", (int64_t)s->script.diags.errors);
    sl_jw_ki64(&w, "warnings", (int64_t)s->script.diags.warnings);
    sl_jw_key(&w, "ms");
    sl_jw_f64(&w, (double)us / 1000.0, 3);
    sl_jw_end_object(&w);
}

static void add_json_error(struct check *c, const char *path, const struct cli_source_error *e)
{
    struct sql_diag d = {.code = e->err.code,
                         .msg = sl_str_of(e->err.msg),
                         .hint = sl_str_of(e->err.hint),
                         .pos = e->err.pos,
                         .second = SL_POS_NONE};
    struct sql_file file = {.name = sl_str_of(e->file ? e->file : path)};
    struct sql_script one = {0};
    one.files.v = &file;
    one.files.n = 1;
    struct sl_jw w;
    next_element(&c->diagnostics);
    sl_jw_init(&w, &c->diagnostics);
    cli_diag_json(&w, &one, &d, true);
    next_element(&c->files);
    sl_jw_init(&w, &c->files);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "file", path);
    sl_jw_kbool(&w, "ok", false);
    sl_jw_ki64(&w, "statements", 0);
    sl_jw_ki64(&w, "errors", 1);
    sl_jw_ki64(&w, "warnings", 0);
    sl_jw_end_object(&w);
}

static void look(const struct check *c, struct sql_script *s, bool batch)
{
    struct cat_session session = {.batch = batch};
    cat_check_in(s, c->level, &session);
    if (c->lint) {
        cat_lint(s, batch);
    }
    cat_fixes(s);
    struct preflight *p = c->connect ? preflight_start(s, "") : NULL;
    if (p) {
        preflight_wait(p);
        preflight_tell(p, s);
        sql_diags_sort(s);
        preflight_free(p);
    }
}

static void check_file(void *ctx, const char *path)
{
    struct check *c = ctx;
    SL_ARENA_AUTO arena = {0};
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    struct cli_source source;
    struct cli_source_error e;
    int64_t start = sys_now_us();
    bool loaded = cli_source_load(&source, &arena, path, &c->source, &e);
    if (!loaded) {
        if (c->json) {
            add_json_error(c, path, &e);
        } else {
            cli_source_error_print(&e);
        }
        c->errors++;
        int code = sl_code_exit(e.err.code);
        c->exit = c->exit ? c->exit : code;
        return;
    }
    look(c, &source.script, cli_source_may_be_batch(&source));
    int64_t us = sys_now_us() - start;
    c->bad |= is_bad(c, &source.script);
    c->statements += source.script.stmts.n;
    c->errors += source.script.diags.errors;
    c->warnings += source.script.diags.warnings;
    c->ms += (double)us / 1000.0;
    if (c->json) {
        add_json(c, &source, us);
        return;
    }
    cli_diags_print(&out, &source.script, c->colour);
    cli_put(stderr, sl_buf_str(&out));
    print_summary(c, &source, us);
}

static void print_json(const struct check *c)
{
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    struct sl_jw w;
    sl_jw_init(&w, &out);
    sl_jw_object(&w);
    sl_jw_kbool(&w, "ok", c->errors == 0);
    sl_jw_ki64(&w, "statements", (int64_t)c->statements);
    sl_jw_ki64(&w, "errors", (int64_t)c->errors);
    sl_jw_ki64(&w, "warnings", (int64_t)c->warnings);
    sl_jw_key(&w, "ms");
    sl_jw_f64(&w, c->ms, 3);
    sl_buf_putz(&out, ",\"diagnostics\":[");
    sl_buf_puts(&out, sl_buf_str(&c->diagnostics));
    sl_buf_putz(&out, "],\"files\":[");
    sl_buf_puts(&out, sl_buf_str(&c->files));
    sl_buf_putz(&out, "]}\n");
    cli_put(stdout, sl_buf_str(&out));
}

/* One line of --jsonl: a script and its answer. Variables stay as they are; nothing of the line before is
 * left. */
static void check_line(const struct check *c, struct sl_arena *a, sl_str line, struct sl_buf *out)
{
    struct sl_err err = SL_ERR_INIT;
    struct sql_script script;
    const struct sl_json *doc = sl_json_parse(a, line, &err);
    const struct sl_json *sql = sl_json_get(doc, "sql"), *id = sl_json_get(doc, "id");
    sql_script_init(&script, a, c->flink);
    bool ok = doc != NULL;
    if (ok && !sl_json_is(sql, SL_JSON_STRING)) {
        ok = sl_fail(&err, SL_JSON, "a line needs \"sql\" with a text");
    }
    if (ok) {
        ok = sql_script_add(&script, SL_STR("-"), sql->text, &(struct sql_options){.level = c->source.level},
                            &err);
    }
    if (ok) {
        look(c, &script, false);
    } else {
        struct sql_diag *d =
            sql_diag_add(&script, err.code, SQL_ERROR, 0, sql ? err.pos : SL_POS_NONE, "%s", err.msg);
        d->hint = sl_str_of(err.hint);
    }
    sql_diags_sort(&script);
    struct sl_jw w;
    sl_jw_init(&w, out);
    sl_jw_object(&w);
    sl_jw_key(&w, "id");
    if (id) {
        sl_jw_value(&w, id);
    } else {
        sl_jw_null(&w);
    }
    sl_jw_kbool(&w, "ok", script.diags.errors == 0);
    sl_jw_ki64(&w, "statements", (int64_t)script.stmts.n);
    sl_jw_key(&w, "diagnostics");
    sl_jw_array(&w);
    for (size_t i = 0; i < script.diags.list.n; i++) {
        cli_diag_json(&w, &script, &script.diags.list.v[i], false);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    sl_buf_putc(out, '\n');
}

/* As a co-process: what can be read is answered, then flushed, before more is waited for. */
static int check_lines(const struct check *c)
{
    SL_BUF_AUTO in, out;
    sl_buf_init(&in, SL_LIMIT_JSON_BYTES + SL_LIMIT_READ_BYTES);
    sl_buf_init(&out, 0);
    SL_ARENA_AUTO arena = {0};
    struct sl_arena_mark empty = sl_arena_mark(&arena);
    char *block = malloc(SL_LIMIT_READ_BYTES);
    bool end = block == NULL;
    int code = 0;
    size_t searched = 0;
    while (!end) {
        ssize_t got = read(STDIN_FILENO, block, SL_LIMIT_READ_BYTES);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        end = got <= 0;
        sl_buf_put(&in, block, got > 0 ? (size_t)got : 0);
        if (in.full) {
            fprintf(stderr, "sluice check: a line is longer than %zu MB\n", SL_LIMIT_JSON_BYTES >> 20);
            code = 2;
            break;
        }
        size_t start = 0;
        for (;;) {
            const char *nl = searched < in.n ? memchr(in.p + searched, '\n', in.n - searched) : NULL;
            size_t stop = nl ? (size_t)(nl - in.p) : in.n;
            searched = nl ? stop + 1 : in.n;
            if (!nl && !end) {
                break;
            }
            sl_str line = sl_str_trim((sl_str){in.p + start, stop - start});
            if (line.n) {
                check_line(c, &arena, line, &out);
                sl_arena_rewind(&arena, empty);
            }
            start = searched;
            if (out.n > SL_LIMIT_READ_BYTES || !nl) {
                cli_put(stdout, sl_buf_str(&out));
                sl_buf_clear(&out);
            }
            if (!nl) {
                break;
            }
        }
        sl_buf_consume(&in, start);
        searched -= start;
        cli_put(stdout, sl_buf_str(&out));
        sl_buf_clear(&out);
        fflush(stdout);
    }
    free(block);
    return code;
}

static bool read_level(struct check *c, const char *value)
{
    static const char *const names[] = {"syntax", "script", "full"};
    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        if (strcmp(value, names[i]) == 0) {
            c->level = (enum cat_level)i;
            c->level_given = true;
            return true;
        }
    }
    if (strcmp(value, "connect") == 0) {
        c->level = CAT_LEVEL_FULL;
        c->level_given = c->connect = true;
        return true;
    }
    cli_usage("check", "--level is syntax, script, full or connect, not '%s'", value);
    return false;
}

static bool read_arguments(struct check *c, struct sl_arena *a, int argc, char **argv)
{
    const char *level = NULL;
    const struct cli_option table[] = {
        {.name = "--json", .flag = &c->json}, {.name = "--jsonl", .flag = &c->jsonl},
        {.name = "--lint", .flag = &c->lint}, {.name = "--strict", .flag = &c->strict},
        {.name = "--level", .value = &level}, {0},
    };
    struct cli_args x = {.verb = "check", .options = table, .source = &c->source};
    if (!cli_args_read(&x, a, argc, argv) || (level && !read_level(c, level))) {
        return false;
    }
    c->paths = x.files;
    struct sl_err err = SL_ERR_INIT;
    if (!cli_source_flink(&c->source, &c->flink, &err)) {
        cli_print_error(&err);
        return false;
    }
    if (c->jsonl && c->paths.n > (c->paths.n == 1 && strcmp(c->paths.v[0], "-") == 0)) {
        cli_usage("check", "--jsonl reads standard input; it takes no files");
        return false;
    }
    if (!c->jsonl && !c->paths.n) {
        cli_usage("check", "which file? (- is standard input)");
        return false;
    }
    return true;
}

static int exec_check(int argc, char **argv)
{
    SL_ARENA_AUTO arena = {0};
    struct check c = {.source.level = SQL_LEVEL_SYNTAX, .level = CAT_LEVEL_FULL};
    if (!read_arguments(&c, &arena, argc, argv)) {
        return 2;
    }
    if (c.jsonl) {
        c.level = c.level_given ? c.level : CAT_LEVEL_SYNTAX;
        return check_lines(&c);
    }
    c.colour = cli_wants_colour(STDERR_FILENO);
    sl_buf_init(&c.diagnostics, 0);
    sl_buf_init(&c.files, 0);
    for (size_t i = 0; i < c.paths.n; i++) {
        int unread = cli_each_script(c.paths.v[i], check_file, &c);
        c.exit = unread ? unread : c.exit;
    }
    if (c.json) {
        print_json(&c);
    }
    sl_buf_release(&c.diagnostics);
    sl_buf_release(&c.files);
    return c.exit ? c.exit : c.bad ? 3 : 0;
}

const struct cli_verb cli_check = {
    .name = "check",
    .summary = "say everything that is wrong with a script; sends nothing",
    .usage =
        "usage: sluice check FILE|FOLDER|- ... [--level syntax|script|full|connect] [--lint] [--strict]\n"
        "                    [--json] [--flink V] [-E ENVIRONMENT] [--var NAME=VALUE] [--var-file FILE]\n"
        "       sluice check --jsonl [--level ...] [--flink V]\n"
        "\n"
        "Reads scripts (of a folder every *.sql) with Sluice's own grammar of Flink SQL and says what "
        "is wrong, to\n"
        "standard error. Exit code 0: no errors, 3: errors, 2: usage.\n"
        "\n"
        "  --level LEVEL     syntax; script: also names and SET keys; full: also connectors (default);\n"
        "                    connect: also whether brokers, databases and paths answer, seen from here, 2 s "
        "in all\n"
        "  --lint            also what Flink takes and people do not mean (docs/lint.md)\n"
        "  --strict          warnings count as errors\n"
        "  --json            one JSON object on standard output instead\n"
        "  --jsonl           reads {\"id\",\"sql\"} a line from standard input, answers each with\n"
        "                    {\"id\",\"ok\",\"statements\",\"diagnostics\"} a line; level syntax, no "
        "variables\n"
        "  --flink V         1.20, 2.0, 2.1, 2.2 or 2.3 (default: sluice.yaml's, else 2.2)\n"
        "  -E, --env NAME    environment of sluice.yaml\n"
        "  --var NAME=VALUE  a variable; --var-file FILE: NAME=VALUE lines, or a map in YAML\n",
    .exec = exec_check,
};
