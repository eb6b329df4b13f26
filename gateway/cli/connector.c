/* SPDX-License-Identifier: Apache-2.0
 * sluice connector ls|show: what the manifest of connectors knows. */
#include "catalog/connectors.h"

#include <stdio.h>

#include "base/limits.h"
#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/settings.h"
#include "gateway/cli/table.h"
#include "sys/file.h"

struct options {
    sql_version flink; /* 0: of all */
    bool json;
};

sl_str cli_flinks_text(struct sl_arena *a, uint8_t bits)
{
    sl_str text = SL_STR_NONE;
    for (unsigned i = 0; cat_flink_bit_name(i); i++) {
        if (bits >> i & 1) {
            text = sl_arena_printf(a, "%.*s%s%s", SL_S(text), text.n ? ", " : "", cat_flink_bit_name(i));
        }
    }
    return text;
}

static const char *roles_text(const struct cat_service *s)
{
    bool source = s->roles & CAT_ROLE_SOURCE, sink = s->roles & CAT_ROLE_SINK;
    return source && sink ? " (source and sink)" : source ? " (source)" : sink ? " (sink)" : "";
}

static const char *how_text(enum cat_jar_how how)
{
    static const char *const texts[] = {
        "alone", "with what its POM asks for", "a plugin", "beside it", "driver", "module"};
    return texts[how];
}

static void put_words(struct sl_jw *w, const char *key, sl_str list, char separator)
{
    sl_str word;
    sl_jw_key(w, key);
    sl_jw_array(w);
    for (size_t at = 0; cat_next_word(list, separator, &at, &word);) {
        sl_jw_str(w, word);
    }
    sl_jw_end_array(w);
}

static void put_flinks(struct sl_jw *w, uint8_t bits)
{
    sl_jw_key(w, "flink");
    sl_jw_array(w);
    for (unsigned i = 0; cat_flink_bit_name(i); i++) {
        if (bits >> i & 1) {
            sl_jw_strz(w, cat_flink_bit_name(i));
        }
    }
    sl_jw_end_array(w);
}

static void put_options(struct sl_jw *w, const struct cat_service *s, uint8_t bits)
{
    sl_jw_key(w, "options");
    sl_jw_array(w);
    for (size_t i = 0; i < s->n_options; i++) {
        const struct cat_service_option *o = &s->options[i];
        if (!(o->flink & bits)) {
            continue;
        }
        sl_jw_object(w);
        sl_jw_kstr(w, "key", o->key);
        sl_jw_kstr(w, "type", o->type);
        sl_jw_kbool(w, "required", o->required);
        if (o->standard.n) {
            sl_jw_kstr(w, "default", o->standard);
        }
        if (o->words.n) {
            put_words(w, "words", o->words, '|');
        }
        if (o->fallback.n) {
            put_words(w, "fallback", o->fallback, '|');
        }
        put_flinks(w, o->flink);
        if (o->help.n) {
            sl_jw_kstr(w, "help", o->help);
        }
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
}

static void put_jars(struct sl_jw *w, const struct cat_family *f, uint8_t bits)
{
    sl_jw_key(w, "jars");
    sl_jw_array(w);
    for (size_t i = 0; i < f->n_jars; i++) {
        const struct cat_jar *j = &f->jars[i];
        if (!(j->flink & bits)) {
            continue;
        }
        sl_jw_object(w);
        sl_jw_kstr(w, "coordinate", j->coordinate);
        sl_jw_kstrz(w, "how", how_text(j->how));
        if (j->database.n) {
            sl_jw_kstr(w, "database", j->database);
        }
        put_flinks(w, j->flink);
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
}

static void put_service(struct sl_jw *w, const struct cat_service *s, uint8_t bits, bool whole)
{
    sl_jw_object(w);
    sl_jw_kstr(w, "name", s->name);
    sl_jw_kstrz(w, "kind", cat_service_kind_name(s->kind));
    sl_jw_kbool(w, "source", s->roles & CAT_ROLE_SOURCE);
    sl_jw_kbool(w, "sink", s->roles & CAT_ROLE_SINK);
    put_flinks(w, s->flink);
    sl_jw_kstr(w, "family", s->family->title);
    sl_jw_kbool(w, "distribution", s->family->distribution);
    if (whole) {
        sl_jw_kbool(w, "open", s->open);
        put_words(w, "prefixes", s->prefixes, '|');
        put_words(w, "oneOf", s->one_of, ';');
        put_jars(w, s->family, bits);
        put_options(w, s, bits);
    }
    sl_jw_end_object(w);
}

/* Calls fn for every service that is there for one of the versions. */
static void each(uint8_t bits, const char *name, void (*fn)(void *ctx, const struct cat_service *s),
                 void *ctx)
{
    const struct cat_family *f;
    for (size_t i = 0; (f = cat_family_at(i)); i++) {
        for (size_t k = 0; k < f->n_services; k++) {
            const struct cat_service *s = &f->services[k];
            if ((s->flink & bits) && (!name || sl_str_eqz(s->name, name))) {
                fn(ctx, s);
            }
        }
    }
}

struct listing {
    struct sl_arena *a;
    struct cli_list *list;
    struct sl_jw w;
    struct sl_buf out;
    uint8_t bits;
    bool whole;
    size_t n;
};

static void list_one(void *ctx, const struct cat_service *s)
{
    struct listing *l = ctx;
    cli_list_cell(l->list, s->name);
    cli_list_cellf(l->list, "%s%s", cat_service_kind_name(s->kind), roles_text(s));
    cli_list_cell(l->list, cli_flinks_text(l->a, s->flink));
    cli_list_cell(l->list, s->family->title);
}

static void json_one(void *ctx, const struct cat_service *s)
{
    struct listing *l = ctx;
    put_service(&l->w, s, l->bits, l->whole);
    l->n++;
}

/* "the words", or what is the default. */
static sl_str values_text(struct sl_arena *a, const struct cat_service_option *o)
{
    sl_str word, text = SL_STR_NONE;
    for (size_t at = 0; cat_next_word(o->words, '|', &at, &word);) {
        text = sl_arena_printf(a, "%.*s%s%.*s", SL_S(text), text.n ? ", " : "", SL_S(word));
    }
    return text.n ? text : o->type;
}

static void show_jars(struct listing *l, const struct cat_service *s)
{
    const struct cat_family *f = s->family;
    if (f->distribution) {
        printf(" jars      Flink's own\n");
    }
    for (size_t i = 0; i < f->n_jars; i++) {
        const struct cat_jar *j = &f->jars[i];
        if (j->flink & l->bits) {
            printf(" jar       %.*s (%s%s%.*s; Flink %.*s)\n", SL_S(j->coordinate), how_text(j->how),
                   j->database.n ? " of " : "", SL_S(j->database), SL_S(cli_flinks_text(l->a, j->flink)));
        }
    }
}

static void show_one(void *ctx, const struct cat_service *s)
{
    static const char *const titles[] = {"OPTION", "TYPE", "DEFAULT", "FLINK", ""};
    struct listing *l = ctx;
    sl_str word;
    printf("%s%.*s: %s%s of %.*s, Flink %.*s\n", l->n++ ? "\n" : "", SL_S(s->name),
           cat_service_kind_name(s->kind), roles_text(s), SL_S(s->family->title),
           SL_S(cli_flinks_text(l->a, s->flink)));
    show_jars(l, s);
    for (size_t at = 0; cat_next_word(s->one_of, ';', &at, &word);) {
        printf(" one of    %.*s\n", SL_S(word));
    }
    for (size_t at = 0; cat_next_word(s->prefixes, '|', &at, &word);) {
        printf(" also      %.*s*\n", SL_S(word));
    }
    struct cli_list *list = cli_list_new(titles, SL_ARRAY_LEN(titles));
    for (size_t i = 0; i < s->n_options; i++) {
        const struct cat_service_option *o = &s->options[i];
        if (o->flink & l->bits) {
            cli_list_cell(list, o->key);
            cli_list_cell(list, values_text(l->a, o));
            cli_list_cell(list, o->required ? SL_STR("(required)") : o->standard);
            cli_list_cell(list, o->flink == s->flink ? SL_STR_NONE : cli_flinks_text(l->a, o->flink));
            cli_list_cell(list, o->help);
        }
    }
    cli_list_print(list, stdout);
}

static int print_all(struct listing *l, const struct options *o, const char *name)
{
    static const char *const titles[] = {"NAME", "KIND", "FLINK", "FROM"};
    l->whole = name != NULL;
    if (o->json) {
        sl_buf_init(&l->out, 0);
        sl_jw_init(&l->w, &l->out);
        sl_jw_array(&l->w);
        each(l->bits, name, json_one, l);
        sl_jw_end_array(&l->w);
        sl_buf_putc(&l->out, '\n');
        if (l->n) {
            cli_put(stdout, sl_buf_str(&l->out));
        }
        sl_buf_release(&l->out);
    } else if (name) {
        each(l->bits, name, show_one, l);
    } else {
        l->list = cli_list_new(titles, SL_ARRAY_LEN(titles));
        each(l->bits, NULL, list_one, l);
        cli_list_print(l->list, stdout);
        return 0;
    }
    return l->n ? 0 : -1;
}

static int unknown(struct sl_arena *a, const char *name, sql_version flink)
{
    struct sl_err err = SL_ERR_INIT;
    sl_str wanted = sl_str_of(name), near = SL_STR_NONE;
    const struct cat_family *f;
    size_t best = 3;
    for (size_t i = 0; (f = cat_family_at(i)); i++) {
        for (size_t k = 0; k < f->n_services; k++) {
            size_t d = sl_str_distance(wanted, f->services[k].name, best);
            near = d < best ? f->services[k].name : near;
            best = SL_MIN(d, best);
        }
    }
    if (near.n && best == 0) {
        uint8_t bits = 0;
        for (size_t i = 0; (f = cat_family_at(i)); i++) {
            for (size_t k = 0; k < f->n_services; k++) {
                bits |= sl_str_eq(f->services[k].name, near) ? f->services[k].flink : 0;
            }
        }
        sl_fail(&err, SL_NOT_FOUND, "'%s' does not exist for Flink %s", name, sql_version_name(flink));
        sl_hint(&err, "there is one for Flink %.*s", SL_S(cli_flinks_text(a, bits)));
        return cli_print_error(&err);
    }
    sl_fail(&err, SL_NOT_FOUND, "nothing in the manifest is called '%s'", name);
    if (near.n) {
        sl_hint(&err, "did you mean '%.*s'?", SL_S(near));
    } else {
        sl_hint(&err, "sluice connector ls shows them all; your own: docs/connectors.md");
    }
    return cli_print_error(&err);
}

/* ------------------------------------------------------------------ files of users */

int cli_connectors_load(void)
{
    static struct sl_arena kept; /* until the process ends */
    const char *folder = sl_arena_strdupz(&kept, cli_settings()->connectors);
    struct cli_source_error e = {.err = SL_ERR_INIT};
    sl_str *names = NULL;
    size_t n = 0, taken = 0;
    if (!*folder) {
        return 0;
    }
    if (!sys_dir_list(&kept, folder, &names, &n, &e.err)) {
        return cli_source_error_print(&e);
    }
    for (size_t i = 0; i < n; i++) {
        if (!sl_str_ends(names[i], SL_STR(".yaml")) || names[i].p[0] == '.') {
            continue;
        }
        sl_str name = sl_str_sub(names[i], 0, names[i].n - 5);
        e.file = sys_path_join(&kept, folder, sl_arena_strdupz(&kept, names[i]));
        bool fits = ++taken <= SL_LIMIT_CONNECTOR_FILES ||
                    sl_fail(&e.err, SL_LIMIT, "%s holds more than %d connector files", folder,
                            SL_LIMIT_CONNECTOR_FILES);
        const struct cat_family *f =
            fits && sys_file_read(&kept, e.file, SL_LIMIT_YAML_BYTES, &e.text, &e.err)
                ? cat_family_read(&kept, name, e.text, &e.err)
                : NULL;
        if (!f) {
            return cli_source_error_print(&e);
        }
        cat_family_add(f);
    }
    return 0;
}

static int exec_connector(int argc, char **argv)
{
    SL_ARENA_AUTO a = {0};
    struct options o = {0};
    struct sl_err err = SL_ERR_INIT;
    const char *flink = NULL;
    const struct cli_option table[] = {
        {.name = "--json", .flag = &o.json}, {.name = "--flink", .value = &flink}, {0}};
    struct cli_args x = {.verb = "connector", .options = table};
    if (!cli_args_read(&x, &a, argc, argv)) {
        return 2;
    }
    if (flink && !sql_version_parse(sl_str_of(flink), &o.flink, &err)) {
        return cli_print_error(&err);
    }
    bool ls = x.files.n == 1 && strcmp(x.files.v[0], "ls") == 0,
         show = x.files.n == 2 && strcmp(x.files.v[0], "show") == 0;
    if (!ls && !show) {
        return cli_usage("connector", "say what to do: ls, or show NAME");
    }
    struct listing l = {.a = &a, .bits = o.flink ? cat_flink_bit(o.flink) : UINT8_MAX};
    int code = print_all(&l, &o, show ? x.files.v[1] : NULL);
    return code < 0 ? unknown(&a, x.files.v[1], o.flink) : code;
}

const struct cli_verb cli_connector = {
    .name = "connector",
    .summary = "connectors, formats and catalogs: their jars and options",
    .usage = "usage: sluice connector ls [--flink V] [--json]          what there is, for which Flink\n"
             "       sluice connector show NAME [--flink V] [--json]   its jars and its options\n"
             "\n"
             "The manifest that `sluice check` and editors use. Files of your own: docs/connectors.md.\n"
             "\n"
             "  --flink V         only what is there for 1.20, 2.2 or 2.3\n"
             "  --json            one array\n",
    .exec = exec_connector,
};
