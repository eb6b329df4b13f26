/* SPDX-License-Identifier: Apache-2.0
 * sluice resolve: what a script needs by using it, and where each need stands. */
#include "catalog/connectors.h"
#include "catalog/needs.h"

#include <stdio.h>

#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"

/* Where a thing comes from. */
enum origin {
    ORIGIN_FLINK,  /* its distribution */
    ORIGIN_JARS,   /* those of the manifest */
    ORIGIN_SCRIPT, /* the script names it, or brings it */
    ORIGIN_OTHER_FLINK,
    ORIGIN_UNKNOWN,
};
static const char *const origin_names[] = {"flink", "jars", "script", "other-flink", "unknown"};

/* One thing with all its mentions. */
struct wanted {
    enum cat_need_kind kind;
    enum origin origin;
    sl_str name;
    sl_str others;                       /* OTHER_FLINK: those that have it */
    SL_VEC(const struct cat_jar *) jars; /* JARS */
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

static bool service_kind(enum cat_need_kind k, enum cat_service_kind *ret)
{
    static const int kinds[] = {[CAT_NEED_CONNECTOR] = CAT_SERVICE_CONNECTOR,
                                [CAT_NEED_FORMAT] = CAT_SERVICE_FORMAT,
                                [CAT_NEED_CATALOG] = CAT_SERVICE_CATALOG,
                                [CAT_NEED_MODULE] = CAT_SERVICE_MODULE,
                                [CAT_NEED_MODEL] = CAT_SERVICE_MODEL,
                                [CAT_NEED_FUNCTION] = -1,
                                [CAT_NEED_JAR] = -1,
                                [CAT_NEED_FILESYSTEM] = CAT_SERVICE_FILESYSTEM,
                                [CAT_NEED_DATABASE] = -1};
    *ret = (enum cat_service_kind)SL_MAX(kinds[k], 0);
    return kinds[k] >= 0;
}

/* Modules and drivers of a database, from whichever family knows it. */
static void find_database(struct sl_arena *a, struct wanted *x, uint8_t flink)
{
    const struct cat_family *f;
    uint8_t others = 0;
    for (size_t i = 0; (f = cat_family_at(i)); i++) {
        for (size_t k = 0; k < f->n_jars; k++) {
            const struct cat_jar *j = &f->jars[k];
            bool same = j->database.n && sl_str_ieq(j->database, x->name);
            others |= same ? j->flink : 0;
            if (same && (j->flink & flink)) {
                sl_vec_push(a, &x->jars, j);
            }
        }
    }
    x->origin = x->jars.n ? ORIGIN_JARS : others ? ORIGIN_OTHER_FLINK : ORIGIN_UNKNOWN;
    x->others = others ? cli_flinks_text(a, others) : SL_STR_NONE;
}

static void find_service(struct sl_arena *a, struct wanted *x, enum cat_service_kind kind, sql_version flink)
{
    const struct cat_service *s = cat_service(flink, kind, x->name), *any = cat_service(0, kind, x->name);
    const struct cat_family *f = s ? s->family : NULL;
    for (size_t i = 0; f && i < f->n_jars; i++) {
        if ((f->jars[i].flink & cat_flink_bit(flink)) && !f->jars[i].database.n) {
            sl_vec_push(a, &x->jars, &f->jars[i]);
        }
    }
    x->others = any && !s ? cli_flinks_text(a, any->flink) : SL_STR_NONE;
    x->origin = f && f->distribution ? ORIGIN_FLINK
                : s                  ? ORIGIN_JARS
                : any                ? ORIGIN_OTHER_FLINK
                                     : ORIGIN_UNKNOWN;
}

static void find_origins(struct sl_arena *a, struct wanteds *all, sql_version flink)
{
    bool jars = false;
    for (size_t i = 0; i < all->list.n; i++) {
        jars |= all->list.v[i].kind == CAT_NEED_JAR;
    }
    for (size_t i = 0; i < all->list.n; i++) {
        struct wanted *x = &all->list.v[i];
        enum cat_service_kind kind;
        if (x->kind == CAT_NEED_DATABASE) {
            find_database(a, x, cat_flink_bit(flink));
        } else if (service_kind(x->kind, &kind)) {
            find_service(a, x, kind, flink);
        } else {
            x->origin = ORIGIN_SCRIPT;
        }
        if (x->kind == CAT_NEED_FILESYSTEM && sl_str_ieqz(x->name, "file")) {
            x->origin = ORIGIN_FLINK;
        }
        x->origin = x->origin == ORIGIN_UNKNOWN && jars ? ORIGIN_SCRIPT : x->origin;
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
        sl_jw_kstrz(&w, "from", origin_names[x->origin]);
        if (x->origin == ORIGIN_JARS) {
            sl_jw_key(&w, "jars");
            sl_jw_array(&w);
            for (size_t k = 0; k < x->jars.n; k++) {
                sl_jw_object(&w);
                sl_jw_kstr(&w, "coordinate", x->jars.v[k]->coordinate);
                sl_jw_kbool(&w, "alone", x->jars.v[k]->how != CAT_JAR_THIN);
                sl_jw_kbool(&w, "plugin", x->jars.v[k]->how == CAT_JAR_PLUGIN);
                sl_jw_end_object(&w);
            }
            sl_jw_end_array(&w);
        }
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

/* org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2 as "flink-sql-connector-kafka 5.0.0-2.2". */
static sl_str short_text(struct sl_arena *a, const struct cat_jar *j)
{
    static const char *const marks[] = {
        [CAT_JAR_PLUGIN] = " (plugin)", [CAT_JAR_DRIVER] = " (driver)", [CAT_JAR_MODULE] = ""};
    sl_str artifact = SL_STR_NONE, version = SL_STR_NONE, part;
    for (size_t at = 0, n = 0; cat_next_word(j->coordinate, ':', &at, &part); n++) {
        artifact = n == 1 ? part : artifact;
        version = part;
    }
    const char *mark = (size_t)j->how < SL_ARRAY_LEN(marks) && marks[j->how] ? marks[j->how] : "";
    return sl_arena_printf(a, "%.*s %.*s%s", SL_S(artifact), SL_S(version), mark);
}

/* What is said of where it comes from, in as many lines as it has jars. */
static sl_str from_text(struct sl_arena *a, const struct wanted *x, size_t line, sql_version flink)
{
    switch (x->origin) {
    case ORIGIN_FLINK:
        return SL_STR("Flink's own");
    case ORIGIN_JARS:
        return short_text(a, x->jars.v[line]);
    case ORIGIN_SCRIPT:
        return SL_STR("given by the script");
    case ORIGIN_OTHER_FLINK:
        return sl_arena_printf(a, "none for Flink %s; there is for %.*s", sql_version_name(flink),
                               SL_S(x->others));
    default:
        return SL_STR("not known");
    }
}

static void put_text(struct sl_buf *out, struct sl_arena *a, const struct cli_source *s,
                     const struct wanteds *all)
{
    size_t names = 0, places = 0, kinds = 0, froms = 0, jars = 0;
    sl_str *lines = sl_new_n(a, sl_str, all->list.n + 1);
    SL_VEC(const struct cat_jar *) counted = {0};
    sql_version flink = s->script.flink;
    if (!all->list.n) {
        sl_buf_printf(out, "%s needs nothing but Flink %s.\n", s->path, sql_version_name(flink));
        return;
    }
    for (size_t i = 0; i < all->list.n; i++) {
        const struct wanted *x = &all->list.v[i];
        lines[i] = lines_text(a, s, x);
        names = SL_MAX(names, cli_display_width(x->name, 0));
        places = SL_MAX(places, lines[i].n);
        kinds = SL_MAX(kinds, strlen(cat_need_kind_name(x->kind)));
        for (size_t k = 0; k < x->jars.n && x->origin == ORIGIN_JARS; k++) {
            froms = SL_MAX(froms, short_text(a, x->jars.v[k]).n);
        }
    }
    sl_buf_printf(out, "%s needs, for Flink %s:\n", s->path, sql_version_name(flink));
    for (size_t i = 0; i < all->list.n; i++) {
        const struct wanted *x = &all->list.v[i];
        int pad = (int)(names - cli_display_width(x->name, 0));
        sl_buf_printf(out, "  %.*s%*s  %.*s%*s  %-*s", SL_S(x->name), pad, "", SL_S(lines[i]),
                      (int)(places - lines[i].n), "", (int)kinds, cat_need_kind_name(x->kind));
        size_t n = x->origin == ORIGIN_JARS ? x->jars.n : 1;
        for (size_t k = 0; k < n; k++) {
            sl_str from = from_text(a, x, k, flink);
            bool seen = x->origin != ORIGIN_JARS;
            for (size_t c = 0; c < counted.n && !seen; c++) {
                seen = sl_str_eq(counted.v[c]->coordinate, x->jars.v[k]->coordinate);
            }
            if (x->origin == ORIGIN_JARS && !seen) {
                sl_vec_push(a, &counted, x->jars.v[k]);
                jars++;
            }
            sl_buf_printf(out, "%*s  %.*s", k ? (int)(names + places + kinds + 6) : 0, "", SL_S(from));
            sl_buf_printf(out, x->origin == ORIGIN_JARS ? "%*s  add\n" : "%*s\n",
                          x->origin == ORIGIN_JARS ? (int)(froms - from.n) : 0, "");
        }
    }
    sl_buf_printf(out, jars ? "%zu jar%s to add to Flink's own\n" : "nothing to add to Flink's own\n", jars,
                  jars == 1 ? "" : "s");
}

/* A need that nothing can meet on this Flink. */
static bool is_short_of(const struct wanteds *all)
{
    for (size_t i = 0; i < all->list.n; i++) {
        if (all->list.v[i].origin == ORIGIN_OTHER_FLINK) {
            return true;
        }
    }
    return false;
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
    int rc = cli_source_read(&source, &arena, x.files.v[0], &o);
    if (rc) {
        return rc;
    }
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    struct cat_needs needs = {0};
    struct wanteds all = {0};
    cat_needs(&arena, &source.script, &needs);
    gather(&arena, &needs, &all);
    find_origins(&arena, &all, source.script.flink);
    if (json) {
        put_json(&out, &source, &all);
    } else {
        put_text(&out, &arena, &source, &all);
    }
    cli_put(stdout, sl_buf_str(&out));
    return source.script.diags.errors || is_short_of(&all) ? 3 : 0;
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
