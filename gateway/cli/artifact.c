/* SPDX-License-Identifier: Apache-2.0
 * sluice artifact resolve: what coordinates of a Maven repository stand for, as lines, as a tree, as JSON; with their files;
 * or for a file of cases, one line each. */
#include "gateway/cli/cli.h"
#include "gateway/cli/conflicts.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/repositories.h"
#include "sys/file.h"

#include <stdio.h>
#include <stdlib.h>

struct options {
    struct cli_repository_options from;
    struct cli_words excludes, managed, boms;
    const char *cases, *flink;
    bool tree, json, fetch, no_flink;
};

static bool read_exclusion(struct sl_arena *a, sl_str text, struct mvn_wanted *w, struct sl_err *err)
{
    ptrdiff_t colon = sl_str_find_char(text, ':');
    if (colon <= 0 || (size_t)colon + 1 >= text.n) {
        sl_fail(err, SL_ARTIFACT_COORDINATE, "'%.*s' is no GROUP:ARTIFACT", SL_S(text));
        return sl_hint(err, "write it like com.example:lib, com.example:* or *:*");
    }
    struct mvn_exclusion e = {sl_str_sub(text, 0, (size_t)colon),
                              sl_str_sub(text, (size_t)colon + 1, text.n - (size_t)colon - 1)};
    sl_vec_push(a, &w->exclusions, e);
    return true;
}

static bool add_wanted(struct sl_arena *a, struct mvn_request *rq, sl_str text, struct sl_err *err)
{
    struct mvn_wanted w = {0};
    if (!mvn_coordinate_parse(text, &w.c, err)) {
        return false;
    }
    sl_vec_push(a, &rq->wanted, w);
    return true;
}

static bool read_request(struct sl_arena *a, const struct cli_args *x, const struct options *o,
                         struct mvn_request *rq, struct sl_err *err)
{
    for (size_t i = 1; i < x->files.n; i++) {
        if (!add_wanted(a, rq, sl_str_of(x->files.v[i]), err)) {
            return false;
        }
        struct mvn_wanted *w = &rq->wanted.v[rq->wanted.n - 1];
        for (size_t j = 0; j < o->excludes.n; j++) {
            if (!read_exclusion(a, sl_str_of(o->excludes.v[j]), w, err)) {
                return false;
            }
        }
    }
    for (size_t i = 0; i < o->managed.n; i++) {
        if (!mvn_coordinate_parse(sl_str_of(o->managed.v[i]), sl_vec_add(a, &rq->managed), err)) {
            return false;
        }
    }
    for (size_t i = 0; i < o->boms.n; i++) {
        if (!mvn_coordinate_parse(sl_str_of(o->boms.v[i]), sl_vec_add(a, &rq->boms), err)) {
            return false;
        }
    }
    return true;
}

/* As people write it: without what goes without saying. */
static sl_str short_text(struct sl_arena *a, const struct mvn_artifact *x)
{
    if (x->classifier.n) {
        return sl_arena_printf(a, "%.*s:%.*s:%.*s:%.*s:%.*s", SL_S(x->g), SL_S(x->a), SL_S(x->ext),
                               SL_S(x->classifier), SL_S(x->v));
    }
    return sl_str_eqz(x->ext, "jar")
               ? sl_arena_printf(a, "%.*s:%.*s:%.*s", SL_S(x->g), SL_S(x->a), SL_S(x->v))
               : sl_arena_printf(a, "%.*s:%.*s:%.*s:%.*s", SL_S(x->g), SL_S(x->a), SL_S(x->ext), SL_S(x->v));
}

static int text_cmp(const void *x, const void *y)
{
    return sl_str_cmp(*(const sl_str *)x, *(const sl_str *)y);
}

/* The members "resolved", "classpath" and "tree" of an answer to a case. */
static void put_case(struct sl_jw *w, struct sl_arena *a, const struct mvn_resolution *r)
{
    sl_str *all = sl_new_n(a, sl_str, r->artifacts.n + 1), *sorted = sl_new_n(a, sl_str, r->artifacts.n + 1);
    for (size_t i = 0; i < r->artifacts.n; i++) {
        all[i] = sorted[i] = mvn_artifact_text(a, &r->artifacts.v[i]);
    }
    qsort(sorted, r->artifacts.n, sizeof(*sorted), text_cmp);
    for (int k = 0; k < 2; k++) {
        sl_jw_key(w, k ? "classpath" : "resolved");
        sl_jw_array(w);
        for (size_t i = 0; i < r->artifacts.n; i++) {
            sl_jw_str(w, k ? all[i] : sorted[i]);
        }
        sl_jw_end_array(w);
    }
    sl_jw_key(w, "tree");
    sl_jw_array(w);
    for (size_t i = 0; i < r->artifacts.n; i++) {
        const struct mvn_artifact *x = &r->artifacts.v[i];
        sl_jw_str(w, sl_arena_printf(a, "%u %.*s %.*s", x->depth, SL_S(all[i]), SL_S(x->scope)));
    }
    sl_jw_end_array(w);
    sl_jw_key(w, "warnings");
    sl_jw_array(w);
    for (size_t i = 0; i < r->warnings.n; i++) {
        sl_jw_str(w, r->warnings.v[i]);
    }
    sl_jw_end_array(w);
}

static bool case_request(struct sl_arena *a, const struct sl_json *j, struct mvn_request *rq,
                         struct sl_err *err)
{
    SL_JSON_EACH(c, sl_json_get(j, "request"))
    {
        if (!add_wanted(a, rq, sl_json_str(c, SL_STR("")), err)) {
            return false;
        }
        struct mvn_wanted *w = &rq->wanted.v[rq->wanted.n - 1];
        SL_JSON_EACH(of, sl_json_get(j, "exclude"))
        {
            if (!sl_str_eq(of->key, sl_arena_printf(a, "%.*s:%.*s", SL_S(w->c.g), SL_S(w->c.a)))) {
                continue;
            }
            SL_JSON_EACH(e, of)
            {
                if (!read_exclusion(a, sl_json_str(e, SL_STR("")), w, err)) {
                    return false;
                }
            }
        }
    }
    SL_JSON_EACH(c, sl_json_get(j, "manage"))
    {
        if (!mvn_coordinate_parse(sl_json_str(c, SL_STR("")), sl_vec_add(a, &rq->managed), err)) {
            return false;
        }
    }
    SL_JSON_EACH(c, sl_json_get(j, "boms"))
    {
        if (!mvn_coordinate_parse(sl_json_str(c, SL_STR("")), sl_vec_add(a, &rq->boms), err)) {
            return false;
        }
    }
    return rq->wanted.n > 0 || sl_fail(err, SL_USAGE, "a case without a request");
}

static void answer_case(struct mvn_fetch *f, sl_str line)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct mvn_request rq = {0};
    struct mvn_resolution r = {0};
    SL_BUF_AUTO b;
    struct sl_jw w;
    const struct sl_json *j = sl_json_parse(&a, line, &err);
    bool ok = j && case_request(&a, j, &rq, &err) && mvn_fetch_resolve(f, &rq, &r, &err);
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    if (sl_json_is(sl_json_get(j, "id"), SL_JSON_STRING)) {
        sl_jw_kstr(&w, "id", sl_json_str(sl_json_get(j, "id"), SL_STR("")));
    }
    if (ok) {
        put_case(&w, &a, &r);
    } else {
        sl_jw_kstrz(&w, "error", err.msg);
        sl_jw_kstrz(&w, "code", sl_code_slug(err.code));
    }
    sl_jw_end_object(&w);
    sl_buf_putc(&b, '\n');
    cli_put(stdout, sl_buf_str(&b));
    fflush(stdout);
}

static int answer_cases(struct mvn_fetch *f, struct sl_arena *a, const char *file)
{
    struct sl_err err = SL_ERR_INIT;
    sl_str text;
    if (!sys_file_read(a, file, (size_t)256 << 20, &text, &err)) {
        return cli_print_error(&err);
    }
    for (size_t at = 0; at < text.n;) {
        sl_str rest = sl_str_sub(text, at, text.n - at);
        ptrdiff_t end = sl_str_find_char(rest, '\n');
        sl_str line = sl_str_sub(rest, 0, end < 0 ? rest.n : (size_t)end);
        at += line.n + 1;
        if (sl_str_trim(line).n) {
            answer_case(f, line);
        }
    }
    return 0;
}

/* What was asked for by name must be there; what others ask for is only warned of. */
static bool check_missing(struct mvn_fetch *f, const struct mvn_request *rq, const struct mvn_resolution *r,
                          struct sl_err *err)
{
    for (size_t i = 0; i < r->missing.n; i++) {
        const struct mvn_coordinate *m = &r->missing.v[i];
        for (size_t j = 0; j < rq->wanted.n; j++) {
            const struct mvn_coordinate *c = &rq->wanted.v[j].c;
            if (sl_str_eq(m->g, c->g) && sl_str_eq(m->a, c->a) && sl_str_eq(m->v, c->v)) {
                sl_fail(err, SL_ARTIFACT_NOT_FOUND, "%.*s:%.*s:%.*s is in no repository", SL_S(m->g),
                        SL_S(m->a), SL_S(m->v));
                sl_str hint = mvn_fetch_versions_hint(f, m->g, m->a);
                return hint.n ? sl_hint(err, "%.*s", SL_S(hint)) : false;
            }
        }
    }
    return true;
}

static void put_json(struct sl_buf *b, struct sl_arena *a, const struct mvn_resolution *r,
                     const struct mvn_fetched *files)
{
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    sl_jw_key(&w, "artifacts");
    sl_jw_array(&w);
    for (size_t i = 0; i < r->artifacts.n; i++) {
        const struct mvn_artifact *x = &r->artifacts.v[i];
        sl_jw_object(&w);
        sl_jw_kstr(&w, "coordinate", mvn_artifact_text(a, x));
        sl_jw_kstr(&w, "group", x->g);
        sl_jw_kstr(&w, "artifact", x->a);
        sl_jw_kstr(&w, "version", x->v);
        sl_jw_kstr(&w, "extension", x->ext);
        sl_jw_kstr(&w, "classifier", x->classifier);
        sl_jw_kstr(&w, "scope", x->scope);
        sl_jw_ki64(&w, "depth", x->depth);
        if (files) {
            sl_jw_kstrz(&w, "path", files[i].path);
            sl_jw_kstrz(&w, "sha256", files[i].sha256);
            sl_jw_ki64(&w, "bytes", files[i].bytes);
        }
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_key(&w, "warnings");
    sl_jw_array(&w);
    for (size_t i = 0; i < r->warnings.n; i++) {
        sl_jw_str(&w, r->warnings.v[i]);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    sl_buf_putc(b, '\n');
}

static void put_lines(struct sl_buf *b, struct sl_arena *a, const struct options *o,
                      const struct mvn_resolution *r, const struct mvn_fetched *files)
{
    for (size_t i = 0; i < r->artifacts.n; i++) {
        const struct mvn_artifact *x = &r->artifacts.v[i];
        for (uint32_t d = 1; o->tree && d < x->depth; d++) {
            sl_buf_putz(b, "  ");
        }
        sl_buf_puts(b, short_text(a, x));
        if (o->tree && !sl_str_eqz(x->scope, "compile")) {
            sl_buf_printf(b, " (%.*s)", SL_S(x->scope));
        }
        if (files) {
            sl_buf_printf(b, "\t%s", files[i].path);
        }
        sl_buf_putc(b, '\n');
    }
}

static bool resolve_one(struct mvn_fetch *f, struct sl_arena *a, const struct cli_args *x,
                        const struct options *o, struct sl_err *err)
{
    struct mvn_request rq = {0};
    struct mvn_resolution r = {0};
    if (!read_request(a, x, o, &rq, err) || !mvn_fetch_resolve(f, &rq, &r, err) ||
        !check_missing(f, &rq, &r, err)) {
        return false;
    }
    struct mvn_fetched *files = o->fetch ? sl_new_n(a, struct mvn_fetched, r.artifacts.n + 1) : NULL;
    for (size_t i = 0; files && i < r.artifacts.n; i++) {
        if (!mvn_fetch_file(f, &r.artifacts.v[i], &files[i], err)) {
            return false;
        }
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    if (o->json) {
        put_json(&b, a, &r, files);
    } else {
        put_lines(&b, a, o, &r, files);
        for (size_t i = 0; i < r.warnings.n; i++) {
            fprintf(stderr, "warning: %.*s\n", SL_S(r.warnings.v[i]));
        }
    }
    cli_put(stdout, sl_buf_str(&b));
    return true;
}

/* A file as it is; a coordinate with all it needs, fetched. */
static bool find_jars(struct mvn_fetch *f, struct sl_arena *a, const struct cli_args *x,
                      const struct options *o, struct cli_words *ret, struct sl_err *err)
{
    for (size_t i = 1; i < x->files.n; i++) {
        if (sys_exists(x->files.v[i]) || sl_str_ends(sl_str_of(x->files.v[i]), SL_STR(".jar"))) {
            *sl_vec_add(a, ret) = x->files.v[i];
            continue;
        }
        struct cli_args one = {.verb = x->verb};
        struct mvn_request rq = {0};
        struct mvn_resolution r = {0};
        sl_vec_push(a, &one.files, x->files.v[0]);
        sl_vec_push(a, &one.files, x->files.v[i]);
        if (!read_request(a, &one, o, &rq, err) || !mvn_fetch_resolve(f, &rq, &r, err) ||
            !check_missing(f, &rq, &r, err)) {
            return false;
        }
        for (size_t k = 0; k < r.artifacts.n; k++) {
            struct mvn_fetched file;
            if (!mvn_fetch_file(f, &r.artifacts.v[k], &file, err)) {
                return false;
            }
            *sl_vec_add(a, ret) = file.path;
        }
    }
    return true;
}

static int conflicts(struct mvn_fetch *f, struct sl_arena *a, const struct cli_args *x,
                     const struct options *o)
{
    struct sl_err err = SL_ERR_INIT;
    struct cli_words jars = {0};
    struct cli_conflict_options co = {.json = o->json, .no_flink = o->no_flink, .flink = o->flink};
    return find_jars(f, a, x, o, &jars, &err) ? cli_conflicts(a, jars.v, jars.n, &co) : cli_print_error(&err);
}

static int artifact(int argc, char **argv)
{
    SL_ARENA_AUTO a = {0};
    struct options o = {0};
    struct sl_err err = SL_ERR_INIT;
    const struct cli_option options[] = {{.name = "--tree", .flag = &o.tree},
                                         {.name = "--json", .flag = &o.json},
                                         {.name = "--offline", .flag = &o.from.offline},
                                         {.name = "--fetch", .flag = &o.fetch},
                                         {.name = "--no-flink", .flag = &o.no_flink},
                                         {.name = "--flink", .value = &o.flink},
                                         {.name = "--cases", .value = &o.cases},
                                         {.name = "--settings", .value = &o.from.settings},
                                         {.name = "--repository", .values = &o.from.given},
                                         {.name = "--exclude", .values = &o.excludes},
                                         {.name = "--manage", .values = &o.managed},
                                         {.name = "--bom", .values = &o.boms},
                                         {.name = NULL}};
    struct cli_args x = {.verb = "artifact", .options = options};
    if (!cli_args_read(&x, &a, argc, argv)) {
        return 2;
    }
    bool clashes = x.files.n && strcmp(x.files.v[0], "conflicts") == 0;
    if (!clashes && (x.files.n == 0 || strcmp(x.files.v[0], "resolve") != 0)) {
        return cli_usage(
            "artifact", x.files.n ? "there is no 'sluice artifact %s'" : "say what to do: resolve, conflicts",
            x.files.n ? x.files.v[0] : "");
    }
    if (clashes && x.files.n < 2) {
        return cli_usage("artifact", "which jars? files, or GROUP:ARTIFACT:VERSION");
    }
    if (o.cases ? x.files.n > 1 : x.files.n < 2) {
        return cli_usage("artifact", o.cases ? "with --cases no coordinate is given"
                                             : "at least one GROUP:ARTIFACT:VERSION is needed");
    }
    struct mvn_repositories repositories;
    struct mvn_fetch *f = cli_fetch_open(&o.from, &repositories, &a, &err);
    if (!f) {
        return cli_print_error(&err);
    }
    int code = clashes                            ? conflicts(f, &a, &x, &o)
               : o.cases                          ? answer_cases(f, &a, o.cases)
               : resolve_one(f, &a, &x, &o, &err) ? 0
                                                  : cli_print_error(&err);
    mvn_fetch_free(f);
    return code;
}

const struct cli_verb cli_artifact = {
    .name = "artifact",
    .summary = "artifacts of Maven repositories: resolve, conflicts",
    .usage =
        "usage: sluice artifact resolve GROUP:ARTIFACT[:TYPE[:CLASSIFIER]]:VERSION... [options]\n"
        "       sluice artifact conflicts JAR|GROUP:ARTIFACT:VERSION... [--flink V | --no-flink] [--json] "
        "[options]\n"
        "\n"
        "conflicts: classes that two of the jars have, beside each other and beside the lib/ of an "
        "installed\n"
        "Flink, with who wins; versions of one artifact. Exit code 3: classes of Flink's own with other "
        "bytes.\n"
        "\n"
        "Prints the artifacts that these stand for with all they need at run time, in the order of the "
        "class\n"
        "path, as Maven chooses them. Repositories: those given, else the setting maven.repositories, else\n"
        "those of Maven's settings.xml (mirrors, servers, proxies, active profiles) and Maven Central.\n"
        "Repositories that POMs name are not asked.\n"
        "\n"
        "  --tree                what brings what\n"
        "  --json                one JSON object\n"
        "  --fetch               also the files; their paths behind the coordinates (--json: with SHA-256)\n"
        "  --repository URL      https:, http: or file:; ID=URL names it, for user and password; again for "
        "more\n"
        "  --offline             nothing but the cache and file: repositories\n"
        "  --exclude G:A         leaves an artifact out; G:* and *:* too; again for more\n"
        "  --manage G:A:V        this version wherever others ask for the artifact; again for more\n"
        "  --bom G:A:V           the same for everything that a BOM names; again for more\n"
        "  --settings FILE       Maven's settings, in place of ~/.m2/settings.xml\n"
        "  --cases FILE          a request a line, "
        "{\"request\":[...],\"manage\":[],\"boms\":[],\"exclude\":{}};\n"
        "                        answers in order, with resolved, classpath and tree, or with error\n",
    .exec = artifact,
};
