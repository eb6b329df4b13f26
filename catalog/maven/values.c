/* SPDX-License-Identifier: Apache-2.0
 * ${...}: the project's own fields, its properties, what Maven would know of the JVM. Variables of the environment are
 * not given to the POMs of strangers: they would reach a repository in the path of a request. */
#include "catalog/maven/model.h"
#include "base/buf.h"
#include "base/limits.h"

struct opened {
    sl_str name;
    const struct opened *outer;
};

static sl_str without_prefix(sl_str e)
{
    if (sl_str_starts(e, SL_STR("project."))) {
        return sl_str_sub(e, 8, e.n - 8);
    }
    if (sl_str_starts(e, SL_STR("pom."))) {
        return sl_str_sub(e, 4, e.n - 4);
    }
    return e;
}

static sl_str project_value(const struct mvn_pom *p, sl_str name)
{
    const struct {
        const char *name;
        sl_str value;
    } fields[] = {{"groupId", p->g},
                  {"artifactId", p->a},
                  {"version", p->v},
                  {"packaging", p->packaging},
                  {"modelVersion", p->model_version},
                  {"name", p->name},
                  {"parent.groupId", p->parent.g},
                  {"parent.artifactId", p->parent.a},
                  {"parent.version", p->parent.v}};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (sl_str_eqz(name, fields[i].name)) {
            return fields[i].value;
        }
    }
    return SL_STR_NONE;
}

static sl_str system_value(const struct mvn_models *m, sl_str name)
{
    if (sl_str_eqz(name, "java.version")) {
        return m->source.java_version;
    }
    if (sl_str_eqz(name, "java.specification.version")) {
        ptrdiff_t dot = sl_str_find_char(m->source.java_version, '.');
        return dot > 0 ? sl_str_sub(m->source.java_version, 0, (size_t)dot) : m->source.java_version;
    }
    if (sl_str_eqz(name, "os.arch")) {
        return m->source.os_arch;
    }
    static const struct {
        const char *name, *value;
    } known[] = {{"os.name", "Linux"},
                 {"file.separator", "/"},
                 {"path.separator", ":"},
                 {"line.separator", "\n"},
                 {"java.home", "/usr/lib/jvm/java"},
                 {"user.home", "/nonexistent"},
                 {"java.io.tmpdir", "/tmp"},
                 {"file.encoding", "UTF-8"}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (sl_str_eqz(name, known[i].name)) {
            return sl_str_of(known[i].value);
        }
    }
    return SL_STR_NONE;
}

/* The first source with a value that does not hold the expression itself; *ret_self: one had only such a value. */
static sl_str lookup(struct mvn_values *v, sl_str name, sl_str whole, bool *ret_self)
{
    sl_str bare = without_prefix(name);
    const sl_str *property = mvn_table_get(&v->properties, name);
    sl_str from[] = {bare.n != name.n ? project_value(v->pom, bare) : SL_STR_NONE,
                     property ? *property : SL_STR_NONE, system_value(v->models, name),
                     bare.n == name.n ? project_value(v->pom, name) : SL_STR_NONE};
    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        if (from[i].p && sl_str_find(from[i], whole) < 0) {
            return from[i];
        }
        *ret_self |= from[i].p != NULL;
    }
    return SL_STR_NONE;
}

static sl_str expand(struct mvn_values *v, sl_str text, const struct opened *outer, size_t depth);

static sl_str value_of(struct mvn_values *v, sl_str whole, const struct opened *outer, size_t depth)
{
    struct opened here = {.name = sl_str_sub(whole, 2, whole.n - 3), .outer = outer};
    if (here.name.n && here.name.p[0] == '.') {
        here.name = sl_str_sub(here.name, 1, here.name.n - 1);
    }
    bool self = false;
    for (const struct opened *o = outer; o; o = o->outer) {
        self |= sl_str_eq(without_prefix(o->name), without_prefix(here.name));
    }
    sl_str value = self ? SL_STR_NONE : lookup(v, here.name, whole, &self);
    if (!value.p && self) {
        v->cycle = true;
        v->culprit = whole;
    }
    return value.p ? expand(v, value, &here, depth + 1) : SL_STR_NONE;
}

static sl_str expand(struct mvn_values *v, sl_str text, const struct opened *outer, size_t depth)
{
    if (sl_str_find(text, SL_STR("${")) < 0) {
        return text;
    }
    SL_BUF_AUTO out;
    sl_buf_init(&out, SL_LIMIT_POM_VALUE_BYTES);
    size_t at = 0;
    while (at < text.n && !v->cycle && !v->too_much) {
        sl_str rest = sl_str_sub(text, at, text.n - at);
        ptrdiff_t open = sl_str_find(rest, SL_STR("${"));
        ptrdiff_t close =
            open < 0 ? -1 : sl_str_find_char(sl_str_sub(rest, (size_t)open, rest.n - (size_t)open), '}');
        if (close < 0) {
            sl_buf_puts(&out, rest);
            break;
        }
        sl_buf_puts(&out, sl_str_sub(rest, 0, (size_t)open));
        sl_str whole = sl_str_sub(rest, (size_t)open, (size_t)close + 1);
        v->too_much |= ++v->steps > SL_LIMIT_POM_VALUE_STEPS || depth > SL_LIMIT_POM_DEPTH || out.full;
        sl_str value = v->too_much ? SL_STR_NONE : value_of(v, whole, outer, depth);
        sl_buf_puts(&out, value.p ? value : whole);
        at += (size_t)open + (size_t)close + 1;
    }
    v->too_much |= out.full;
    return sl_str_dup(v->models->a, sl_buf_str(&out));
}

sl_str mvn_expand(struct mvn_values *v, sl_str text)
{
    return text.p ? expand(v, text, NULL, 0) : text;
}
