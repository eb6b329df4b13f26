/* SPDX-License-Identifier: Apache-2.0
 * Reading images/NAME.yaml: one table of keys says what is allowed, what is suggested and how it is read. */
#include "runtime-image/image.h"

#include "base/yaml.h"

#include <stdio.h>

struct reader {
    struct sl_arena *a;
    struct sl_err *err;
    struct img_def *def;
};
struct key {
    const char *name;
    bool (*read)(struct reader *r, const struct sl_yaml *v, int what);
    int what;
};

bool img_name_ok(sl_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool mark = (c == '.' || c == '_' || c == '-') && i > 0 && i + 1 < name.n;
        if (!plain && !mark) {
            return false;
        }
    }
    return name.n > 0 && name.n <= 64;
}

bool img_path_ok(sl_str path)
{
    sl_str part;
    if (!path.n || path.p[path.n - 1] == '/' || memchr(path.p, 0, path.n)) {
        return false;
    }
    for (size_t at = 0; cat_next_word(path, '/', &at, &part);) {
        if (!part.n || sl_str_eqz(part, ".") || sl_str_eqz(part, "..")) {
            return false;
        }
    }
    return true;
}

bool img_is_coordinate(sl_str text)
{
    size_t colons = 0;
    for (size_t i = 0; i < text.n; i++) {
        colons += text.p[i] == ':';
    }
    return colons >= 2 && sl_str_find_char(text, '/') < 0;
}

static bool read_text(const struct reader *r, const struct sl_yaml *v, sl_str *ret)
{
    if (v->type != SL_YAML_SCALAR || !v->text.n) {
        return sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'%.*s' must be one value", SL_S(v->key));
    }
    *ret = v->text;
    return true;
}

static bool read_flink(struct reader *r, const struct sl_yaml *v, int what)
{
    (void)what;
    r->def->flink_pos = v->pos;
    return read_text(r, v, &r->def->flink);
}

static bool read_folder(struct reader *r, const struct sl_yaml *v, int what)
{
    struct img_given *of[] = {&r->def->system, &r->def->jre, &r->def->home};
    of[what]->pos = v->pos;
    return read_text(r, v, &of[what]->from);
}

static bool add_wish(struct reader *r, const struct sl_yaml *list, const struct sl_yaml *v,
                     struct img_wish wish)
{
    if (v->type != SL_YAML_SCALAR || !v->text.n) {
        return sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'%.*s' must be a list of names", SL_S(list->key));
    }
    wish.text = v->text;
    wish.pos = v->pos;
    for (size_t i = 0; i < r->def->wishes.n; i++) {
        const struct img_wish *w = &r->def->wishes.v[i];
        if (w->kind == wish.kind && w->service == wish.service && sl_str_eq(w->text, wish.text)) {
            return sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'%.*s' is there twice", SL_S(v->text));
        }
    }
    sl_vec_push(r->a, &r->def->wishes, wish);
    return true;
}

static bool read_wishes(struct reader *r, const struct sl_yaml *v, struct img_wish wish)
{
    if (v->type == SL_YAML_SCALAR) {
        return add_wish(r, v, v, wish);
    }
    if (v->type == SL_YAML_MAP) {
        return sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'%.*s' must be a list of names", SL_S(v->key));
    }
    SL_YAML_EACH(it, v)
    {
        if (!add_wish(r, v, it, wish)) {
            return false;
        }
    }
    return true;
}

static bool read_services(struct reader *r, const struct sl_yaml *v, int what)
{
    return read_wishes(r, v,
                       (struct img_wish){.kind = IMG_WISH_SERVICE, .service = (enum cat_service_kind)what});
}

static bool read_others(struct reader *r, const struct sl_yaml *v, int what)
{
    return read_wishes(r, v, (struct img_wish){.kind = (enum img_wish_kind)what});
}

/* {place in the image: file or folder here} */
static bool read_files(struct reader *r, const struct sl_yaml *v, int what)
{
    (void)what;
    if (v->type != SL_YAML_MAP && v->type != SL_YAML_NULL) {
        sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'files' must be a map");
        return sl_hint(r->err, "files: {opt/flink/conf/log4j.properties: conf/log4j.properties}");
    }
    SL_YAML_EACH(it, v)
    {
        struct img_given *g = sl_vec_add(r->a, &r->def->files);
        bool slash = it->key.n && it->key.p[0] == '/';
        g->to = sl_str_sub(it->key, slash, it->key.n - slash);
        g->pos = it->pos;
        if (!img_path_ok(g->to)) {
            return sl_fail_at(r->err, SL_CONFIG_VALUE, it->key_pos, "'%.*s' is no place in an image",
                              SL_S(it->key));
        }
        if (!read_text(r, it, &g->from)) {
            return false;
        }
    }
    return true;
}

static bool read_conflicts(struct reader *r, const struct sl_yaml *v, int what)
{
    (void)what;
    if (v->type != SL_YAML_MAP && v->type != SL_YAML_NULL) {
        return sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'conflicts' must be a map of artifacts");
    }
    SL_YAML_EACH(it, v)
    {
        sl_str how;
        if (!read_text(r, it, &how)) {
            return false;
        }
        if (!sl_str_eqz(how, "flink-first")) {
            sl_fail_at(r->err, SL_CONFIG_VALUE, it->pos, "'%.*s' is no way to settle a conflict", SL_S(how));
            return sl_hint(r->err, "flink-first: Flink's own classes win");
        }
        sl_vec_push(r->a, &r->def->accepted, ((struct img_accepted){it->key, it->key_pos}));
    }
    return true;
}

static bool read_layers(struct reader *r, const struct sl_yaml *v, int what)
{
    sl_str how;
    (void)what;
    if (!read_text(r, v, &how)) {
        return false;
    }
    r->def->gzip_jars = sl_str_eqz(how, "gzip");
    if (!r->def->gzip_jars && !sl_str_eqz(how, "plain")) {
        sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'%.*s' is no form of layers", SL_S(how));
        return sl_hint(r->err, "plain: jars as they are; gzip: smaller by a tenth, for 20 times the work");
    }
    return true;
}

static const struct key keys[] = {
    {"flink", read_flink, 0},
    {"connectors", read_services, CAT_SERVICE_CONNECTOR},
    {"formats", read_services, CAT_SERVICE_FORMAT},
    {"catalogs", read_services, CAT_SERVICE_CATALOG},
    {"modules", read_services, CAT_SERVICE_MODULE},
    {"filesystems", read_services, CAT_SERVICE_FILESYSTEM},
    {"databases", read_others, IMG_WISH_DATABASE},
    {"udfs", read_others, IMG_WISH_UDF},
    {"files", read_files, 0},
    {"conflicts", read_conflicts, 0},
    {"layers", read_layers, 0},
    {"system", read_folder, 0},
    {"jre", read_folder, 1},
    {"flink-home", read_folder, 2},
};

static bool unknown_key(const struct reader *r, const struct sl_yaml *v)
{
    const char *near = NULL;
    size_t best = 3;
    char list[256] = "";
    for (size_t i = 0, at = 0; i < SL_ARRAY_LEN(keys); i++) {
        size_t d = sl_str_distance(v->key, sl_str_of(keys[i].name), best);
        if (d < best) {
            best = d;
            near = keys[i].name;
        }
        at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "", keys[i].name);
    }
    sl_fail_at(r->err, SL_CONFIG_UNKNOWN, v->key_pos, "an image has no key '%.*s'", SL_S(v->key));
    return near ? sl_hint(r->err, "did you mean '%s'?", near) : sl_hint(r->err, "it takes %s", list);
}

bool img_def_read(struct sl_arena *a, sl_str name, const char *dir, sl_str text, struct img_def *ret,
                  struct sl_err *err)
{
    struct img_def def = {.name = name, .dir = dir, .flink_pos = SL_POS_NONE};
    struct reader r = {a, err, &def};
    const struct sl_yaml *root = sl_yaml_parse(a, text, err);
    if (!root) {
        return false;
    }
    if (root->type != SL_YAML_MAP) {
        return sl_fail_at(err, SL_CONFIG_VALUE, root->pos, "an image must be a map of keys and values");
    }
    SL_YAML_EACH(it, root)
    {
        size_t i = 0;
        while (i < SL_ARRAY_LEN(keys) && !sl_str_eqz(it->key, keys[i].name)) {
            i++;
        }
        if (i == SL_ARRAY_LEN(keys) ? !unknown_key(&r, it) : !keys[i].read(&r, it, keys[i].what)) {
            return false;
        }
    }
    if (!def.flink.n) {
        sl_fail_at(err, SL_CONFIG_VALUE, root->pos, "an image needs its Flink");
        return sl_hint(err, "flink: \"2.2\"");
    }
    *ret = def;
    return true;
}
