/* SPDX-License-Identifier: Apache-2.0
 * sluice resolve: what a script needs by using it, and where each need stands. */
#include "catalog/needs.h"

#include <stdio.h>

#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"

/* One thing with all its mentions. */
struct wanted {
    enum cat_need_kind kind;
    sl_str name;
    SL_VEC(const struct cat_need *) at;
};
struct wanteds {
    SL_VEC(struct wanted) list;
};

static void gather(struct sl_arena *a, const struct cat_needs *needs, struct wanteds *ret)
{
    for (size_t i = 0; i < needs->list.n; i++) {
        const struct cat_need *n = &needs->list.v[i];
        struct wanted *w = NULL;
        for (size_t k = 0; k < ret->list.n && !w; k++) {
            struct wanted *x = &ret->list.v[k];
            w = x->kind == n->kind && sl_str_eq(x->name, n->name) ? x : NULL;
        }
        if (!w) {
            w = sl_vec_add(a, &ret->list);
            w->kind = n->kind;
            w->name = n->name;
        }
        sl_vec_push(a, &w->at, n);
    }
}

static void put_json(struct sl_buf *out, const struct cli_source *s, const struct wanteds *all)
{
    struct sl_jw w;
    sl_jw_init(&w, out);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "file", s->path);
    sl_jw_kstrz(&w, "flink", sql_version_name(s->script.flink));
    sl_jw_key(&w, "needs");
    sl_jw_array(&w);
    for (size_t i = 0; i < all->list.n; i++) {
        const struct wanted *x = &all->list.v[i];
        sl_jw_object(&w);
        sl_jw_kstrz(&w, "kind", cat_need_kind_name(x->kind));
        sl_jw_kstr(&w, "name", x->name);
        sl_jw_key(&w, "at");
        sl_jw_array(&w);
        for (size_t k = 0; k < x->at.n; k++) {
            const struct cat_need *n = x->at.v[k];
            sl_jw_object(&w);
            sl_jw_kstr(&w, "file", s->script.files.v[n->stmt->file].name);
            if (n->key.n) {
                sl_jw_kstr(&w, "option", n->key);
            }
            sl_jw_ki64(&w, "statement", n->stmt->number);
            sl_jw_pos(&w, &n->pos);
            sl_jw_end_object(&w);
        }
        sl_jw_end_array(&w);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    sl_buf_putc(out, '\n');
}

/* "line 3, 17"; of an init file with its name. */
static sl_str lines_text(struct sl_arena *a, const struct cli_source *s, const struct wanted *x)
{
    sl_str text = SL_STR_NONE, last = sl_str_of(s->path);
    for (size_t k = 0; k < x->at.n; k++) {
        const struct cat_need *n = x->at.v[k];
        sl_str file = s->script.files.v[n->stmt->file].name;
        bool same = k && sl_str_eq(file, last);
        if (same && n->pos.line == x->at.v[k - 1]->pos.line) {
            continue;
        }
        if (same) {
            text = sl_arena_printf(a, "%.*s, %u", SL_S(text), n->pos.line);
        } else {
            bool own = sl_str_eq(file, sl_str_of(s->path));
            text = sl_arena_printf(a, "%.*s%s%.*s%sline %u", SL_S(text), k ? "; " : "",
                                   SL_S(own ? SL_STR_NONE : file), own ? "" : " ", n->pos.line);
        }
        last = file;
    }
    return text;
}

static void put_text(struct sl_buf *out, struct sl_arena *a, const struct cli_source *s,
                     const struct wanteds *all)
{
    size_t names = 0, places = 0;
    sl_str *lines = sl_new_n(a, sl_str, all->list.n + 1);
    if (!all->list.n) {
        sl_buf_printf(out, "%s needs nothing but Flink %s.\n", s->path, sql_version_name(s->script.flink));
        return;
    }
    for (size_t i = 0; i < all->list.n; i++) {
        lines[i] = lines_text(a, s, &all->list.v[i]);
        names = SL_MAX(names, cli_display_width(all->list.v[i].name, 0));
        places = SL_MAX(places, lines[i].n);
    }
    sl_buf_printf(out, "%s needs, for Flink %s:\n", s->path, sql_version_name(s->script.flink));
    for (size_t i = 0; i < all->list.n; i++) {
        const struct wanted *x = &all->list.v[i];
        int pad = (int)(names - cli_display_width(x->name, 0));
        sl_buf_printf(out, "  %.*s%*s  %.*s%*s  %s\n", SL_S(x->name), pad, "", SL_S(lines[i]),
                      (int)(places - lines[i].n), "", cat_need_kind_name(x->kind));
    }
}

static int exec_resolve(int argc, char **argv)
{
    SL_ARENA_AUTO arena = {0};
    struct cli_source_options o = {.level = SQL_LEVEL_SYNTAX};
    bool json = false;
    const struct cli_option table[] = {{.name = "--json", .flag = &json}, {0}};
    struct cli_args x = {.verb = "resolve", .options = table, .source = &o};
    if (!cli_args_read_one(&x, &arena, argc, argv)) {
        return 2;
    }
    struct cli_source source;
    struct cli_source_error e;
    if (!cli_source_load(&source, &arena, x.files.v[0], &o, &e)) {
        return cli_source_error_print(&e);
    }
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    cli_diags_print(&out, &source.script, cli_wants_colour(2));
    cli_put(stderr, sl_buf_str(&out));
    sl_buf_clear(&out);
    struct cat_needs needs = {0};
    struct wanteds all = {0};
    cat_needs(&arena, &source.script, &needs);
    gather(&arena, &needs, &all);
    if (json) {
        put_json(&out, &source, &all);
    } else {
        put_text(&out, &arena, &source, &all);
    }
    cli_put(stdout, sl_buf_str(&out));
    return source.script.diags.errors ? 3 : 0;
}

const struct cli_verb cli_resolve = {
    .name = "resolve",
    .summary = "what a script needs beside Flink, and where it says so",
    .usage =
        "usage: sluice resolve FILE|- [--json] [--flink V] [-E ENVIRONMENT]\n"
        "                      [--var NAME=VALUE] [--var-file FILE]\n"
        "\n"
        "Prints what a script needs by using it: connectors, formats, catalogs, modules, model "
        "providers, classes\n"
        "of functions, jars, file systems (by the scheme of a path) and databases (by the URL of JDBC), "
        "with the\n"
        "lines that name them. Nothing is sent. A statement that is wrong is reported on standard error; "
        "exit\n"
        "code 3 then.\n"
        "\n"
        "  --json            one JSON object, with every place (docs/needs.md)\n"
        "  --flink V         1.20, 2.0, 2.1, 2.2 or 2.3 (default: sluice.yaml's, else 2.2)\n"
        "  -E, --env NAME    environment of sluice.yaml\n"
        "  --var NAME=VALUE  a variable; --var-file FILE: NAME=VALUE lines, or a map in YAML\n",
    .exec = exec_resolve,
};
