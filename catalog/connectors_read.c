/* SPDX-License-Identifier: Apache-2.0
 * Reads a family of connectors from its YAML (docs/connectors.md). Used when Sluice is built, for its own files, and when it
 * starts, for those of users. */
#include "base/vec.h"
#include "base/yaml.h"
#include "catalog/connectors.h"

#include <stdlib.h>

struct family {
    struct sl_arena *a;
    struct sl_err *err;
    const struct sl_yaml *rules;
    SL_VEC(struct cat_jar) jars;
    SL_VEC(struct cat_service) services;
};

static const char *const flinks[] = {"1.20", "2.0", "2.1", "2.2", "2.3"};
#define ALL_FLINKS 31

const char *cat_flink_bit_name(unsigned i)
{
    return i < SL_ARRAY_LEN(flinks) ? flinks[i] : NULL;
}

const char *cat_service_kind_name(enum cat_service_kind k)
{
    static const char *const names[] = {"connector", "format", "catalog", "module", "model", "filesystem"};
    return names[k];
}

static bool unknown_key(const struct family *f, const struct sl_yaml *n)
{
    return sl_fail_at(f->err, SL_YAML, n->key_pos, "what is '%.*s' in a connector's file?", SL_S(n->key));
}

static bool read_flink(const struct family *f, sl_str text, struct sl_pos pos, uint8_t *ret)
{
    for (unsigned i = 0; i < SL_ARRAY_LEN(flinks); i++) {
        if (sl_str_eqz(text, flinks[i])) {
            *ret |= (uint8_t)(1u << i);
            return true;
        }
    }
    sl_fail_at(f->err, SL_YAML, pos, "'%.*s' is no Flink version that is known here", SL_S(text));
    return sl_hint(f->err, "1.20, 2.0, 2.1, 2.2 or 2.3, in quotes");
}

static bool read_flinks(const struct family *f, const struct sl_yaml *n, uint8_t *ret)
{
    *ret = 0;
    SL_YAML_EACH(c, n)
    {
        sl_str text;
        if (!sl_yaml_str(c, &text, f->err) || !read_flink(f, text, c->pos, ret)) {
            return false;
        }
    }
    return *ret || sl_fail_at(f->err, SL_YAML, n->pos, "a list of Flink versions is needed");
}

/* [a, b] as "a|b". */
static bool read_list(const struct family *f, const struct sl_yaml *n, char separator, sl_str *ret)
{
    sl_str all = SL_STR_NONE;
    if (n->type != SL_YAML_LIST) {
        return sl_fail_at(f->err, SL_YAML, n->pos, "a list is needed");
    }
    SL_YAML_EACH(c, n)
    {
        sl_str one;
        if (c->type == SL_YAML_LIST ? !read_list(f, c, '|', &one) : !sl_yaml_str(c, &one, f->err)) {
            return false;
        }
        all = all.n ? sl_arena_printf(f->a, "%.*s%c%.*s", SL_S(all), separator, SL_S(one)) : one;
    }
    *ret = all;
    return true;
}

static bool is_coordinate(sl_str text)
{
    size_t colons = 0;
    for (size_t i = 0; i < text.n; i++) {
        colons += text.p[i] == ':';
    }
    return colons >= 2;
}

static bool add_jar(struct family *f, const struct sl_yaml *n, enum cat_jar_how how, sl_str database,
                    uint8_t flink)
{
    sl_str text;
    if (!sl_yaml_str(n, &text, f->err)) {
        return false;
    }
    if (!is_coordinate(text)) {
        return sl_fail_at(f->err, SL_YAML, n->pos, "'%.*s' is no GROUP:ARTIFACT:VERSION", SL_S(text));
    }
    sl_vec_push(f->a, &f->jars, ((struct cat_jar){text, database, how, flink}));
    return true;
}

/* "2.2": [coordinate, ...] */
static bool read_jars(struct family *f, const struct sl_yaml *n, enum cat_jar_how how, sl_str database)
{
    SL_YAML_EACH(v, n)
    {
        uint8_t flink = 0;
        if (!read_flink(f, v->key, v->key_pos, &flink)) {
            return false;
        }
        if (v->type != SL_YAML_LIST && !add_jar(f, v, how, database, flink)) {
            return false;
        }
        for (const struct sl_yaml *c = v->type == SL_YAML_LIST ? v->child : NULL; c; c = c->next) {
            if (!add_jar(f, c, how, database, flink)) {
                return false;
            }
        }
    }
    return n->type == SL_YAML_MAP || sl_fail_at(f->err, SL_YAML, n->pos, "a map of Flink versions is needed");
}

static bool read_databases(struct family *f, const struct sl_yaml *n)
{
    SL_YAML_EACH(d, n)
    {
        uint8_t flink = ALL_FLINKS;
        const struct sl_yaml *of = sl_yaml_get(d, "flink");
        if (of && !read_flinks(f, of, &flink)) {
            return false;
        }
        SL_YAML_EACH(c, d)
        {
            bool good = sl_str_eqz(c->key, "flink") ||
                        (sl_str_eqz(c->key, "driver")   ? add_jar(f, c, CAT_JAR_DRIVER, d->key, flink)
                         : sl_str_eqz(c->key, "module") ? read_jars(f, c, CAT_JAR_MODULE, d->key)
                                                        : unknown_key(f, c));
            if (!good) {
                return false;
            }
        }
    }
    return true;
}

static bool read_option(const struct family *f, const struct sl_yaml *n, const struct cat_service *s,
                        struct cat_service_option *o)
{
    o->flink = s->flink;
    o->type = SL_STR("String");
    SL_YAML_EACH(c, n)
    {
        sl_str *text = sl_str_eqz(c->key, "key")       ? &o->key
                       : sl_str_eqz(c->key, "type")    ? &o->type
                       : sl_str_eqz(c->key, "default") ? &o->standard
                       : sl_str_eqz(c->key, "help")    ? &o->help
                                                       : NULL;
        sl_str *list = sl_str_eqz(c->key, "words")      ? &o->words
                       : sl_str_eqz(c->key, "suggest")  ? &o->suggest
                       : sl_str_eqz(c->key, "fallback") ? &o->fallback
                                                        : NULL;
        bool good = text                             ? sl_yaml_str(c, text, f->err)
                    : list                           ? read_list(f, c, '|', list)
                    : sl_str_eqz(c->key, "flink")    ? read_flinks(f, c, &o->flink)
                    : sl_str_eqz(c->key, "required") ? sl_yaml_bool(c, &o->required, f->err)
                                                     : unknown_key(f, c);
        if (!good) {
            return false;
        }
    }
    return o->key.n || sl_fail_at(f->err, SL_YAML, n->pos, "an option needs its 'key'");
}

static int option_cmp(const void *x, const void *y)
{
    return sl_str_cmp(((const struct cat_service_option *)x)->key,
                      ((const struct cat_service_option *)y)->key);
}

static bool read_options(const struct family *f, const struct sl_yaml *n, struct cat_service *s)
{
    struct cat_service_option *options = sl_new_n(f->a, struct cat_service_option, n->n + 1);
    SL_YAML_EACH(c, n)
    {
        if (!read_option(f, c, s, &options[s->n_options++])) {
            return false;
        }
    }
    qsort(options, s->n_options, sizeof(*options), option_cmp);
    s->options = options;
    return true;
}

static bool read_kind(const struct family *f, const struct sl_yaml *n, enum cat_service_kind *ret)
{
    sl_str text;
    if (!sl_yaml_str(n, &text, f->err)) {
        return false;
    }
    for (unsigned k = 0; k < CAT_SERVICE_KINDS; k++) {
        if (sl_str_eqz(text, cat_service_kind_name((enum cat_service_kind)k))) {
            *ret = (enum cat_service_kind)k;
            return true;
        }
    }
    return sl_fail_at(f->err, SL_YAML, n->pos, "'%.*s' is no kind of service", SL_S(text));
}

static bool read_roles(const struct family *f, const struct sl_yaml *n, uint8_t *ret)
{
    static const char *const names[] = {"source", "sink", "decode", "encode", "row", "bulk"};
    SL_YAML_EACH(c, n)
    {
        for (unsigned i = 0; i < SL_ARRAY_LEN(names); i++) {
            *ret |= sl_str_eqz(c->text, names[i]) ? (uint8_t)(1u << i) : 0;
        }
    }
    return n->type == SL_YAML_LIST || sl_fail_at(f->err, SL_YAML, n->pos, "a list is needed");
}

/* What people know of a service beyond what its factory says. */
static bool read_rules(const struct family *f, struct cat_service *s)
{
    const struct sl_yaml *rules = NULL, *suggest = NULL;
    SL_YAML_EACH(r, f->rules)
    {
        rules = sl_str_eq(r->key, s->name) ? r : rules;
    }
    SL_YAML_EACH(c, rules)
    {
        sl_str text;
        suggest = sl_str_eqz(c->key, "suggest") ? c : suggest;
        bool good = sl_str_eqz(c->key, "suggest")    ? true
                    : sl_str_eqz(c->key, "prefixes") ? read_list(f, c, '|', &s->prefixes)
                    : sl_str_eqz(c->key, "one-of")   ? read_list(f, c, ';', &s->one_of)
                    : sl_str_eqz(c->key, "open")     ? sl_yaml_bool(c, &s->open, f->err)
                    : sl_str_eqz(c->key, "flink")    ? read_flinks(f, c, &s->flink)
                    : sl_str_eqz(c->key, "formats")  ? sl_yaml_str(c, &text, f->err)
                                                     : unknown_key(f, c);
        if (!good) {
            return false;
        }
        s->free |= sl_str_eqz(c->key, "formats");
    }
    struct cat_service_option *options = sl_new_n(f->a, struct cat_service_option, s->n_options + 1);
    for (size_t i = 0; i < s->n_options; i++) {
        options[i] = s->options[i];
        SL_YAML_EACH(c, suggest)
        {
            if (sl_str_eq(c->key, options[i].key) && !read_list(f, c, '|', &options[i].suggest)) {
                return false;
            }
        }
    }
    s->options = options;
    return true;
}

static bool read_service(struct family *f, const struct sl_yaml *n)
{
    struct cat_service s = {.flink = ALL_FLINKS, .roles = 0};
    const struct sl_yaml *name = sl_yaml_get(n, "name"), *flink = sl_yaml_get(n, "flink"),
                         *options = sl_yaml_get(n, "options");
    if (!name) {
        return sl_fail_at(f->err, SL_YAML, n->pos, "a service needs its 'name'");
    }
    if (!sl_yaml_str(name, &s.name, f->err) || (flink && !read_flinks(f, flink, &s.flink))) {
        return false;
    }
    SL_YAML_EACH(c, n)
    {
        bool done = c == name || c == flink || c == options;
        bool good = done                             ? true
                    : sl_str_eqz(c->key, "kind")     ? read_kind(f, c, &s.kind)
                    : sl_str_eqz(c->key, "roles")    ? read_roles(f, c, &s.roles)
                    : sl_str_eqz(c->key, "open")     ? sl_yaml_bool(c, &s.open, f->err)
                    : sl_str_eqz(c->key, "prefixes") ? read_list(f, c, '|', &s.prefixes)
                    : sl_str_eqz(c->key, "one-of")   ? read_list(f, c, ';', &s.one_of)
                                                     : unknown_key(f, c);
        if (!good) {
            return false;
        }
    }
    if ((options && !read_options(f, options, &s)) || !read_rules(f, &s)) {
        return false;
    }
    sl_vec_push(f->a, &f->services, s);
    return true;
}

static bool read_beside(struct family *f, const struct sl_yaml *n)
{
    SL_YAML_EACH(c, n)
    {
        if (!add_jar(f, c, CAT_JAR_BESIDE, SL_STR_NONE, ALL_FLINKS)) {
            return false;
        }
    }
    return true;
}

static bool read_services(struct family *f, const struct sl_yaml *n)
{
    SL_YAML_EACH(c, n)
    {
        if (!read_service(f, c)) {
            return false;
        }
    }
    return true;
}

struct cat_family *cat_family_read(struct sl_arena *a, sl_str name, sl_str text, struct sl_err *err)
{
    struct family f = {.a = a, .err = err};
    struct cat_family *ret = sl_new(a, struct cat_family);
    const struct sl_yaml *doc = sl_yaml_parse(a, text, err);
    if (!doc) {
        return NULL;
    }
    ret->name = ret->title = sl_str_dup(a, name);
    f.rules = sl_yaml_get(doc, "rules");
    SL_YAML_EACH(c, doc)
    {
        bool good = sl_str_eqz(c->key, "rules")          ? true
                    : sl_str_eqz(c->key, "title")        ? sl_yaml_str(c, &ret->title, err)
                    : sl_str_eqz(c->key, "distribution") ? sl_yaml_bool(c, &ret->distribution, err)
                    : sl_str_eqz(c->key, "fat")          ? read_jars(&f, c, CAT_JAR_FAT, SL_STR_NONE)
                    : sl_str_eqz(c->key, "thin")         ? read_jars(&f, c, CAT_JAR_THIN, SL_STR_NONE)
                    : sl_str_eqz(c->key, "plugin")       ? read_jars(&f, c, CAT_JAR_PLUGIN, SL_STR_NONE)
                    : sl_str_eqz(c->key, "also")         ? read_beside(&f, c)
                    : sl_str_eqz(c->key, "databases")    ? read_databases(&f, c)
                    : sl_str_eqz(c->key, "services")     ? read_services(&f, c)
                                                         : unknown_key(&f, c);
        if (!good) {
            return NULL;
        }
    }
    for (size_t i = 0; i < f.services.n; i++) {
        f.services.v[i].family = ret;
    }
    ret->jars = f.jars.v;
    ret->n_jars = f.jars.n;
    ret->services = f.services.v;
    ret->n_services = f.services.n;
    return ret;
}
