/* SPDX-License-Identifier: Apache-2.0
 * From the tree of an XML document to a POM. Elements that Maven does not know are passed over; one that is there
 * twice makes the POM invalid, as it does there. */
#include "catalog/maven/pom.h"

static bool boring(sl_str in, sl_str name)
{
    static const char *const names[] = {"build",        "reporting",          "developers",
                                        "contributors", "licenses",           "mailingLists",
                                        "scm",          "ciManagement",       "repositories",
                                        "organization", "pluginRepositories", "issueManagement",
                                        "prerequisites"};
    if (!sl_str_eqz(in, "project") && !sl_str_eqz(in, "profile")) {
        return false;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (sl_str_eqz(name, names[i])) {
            return true;
        }
    }
    return false;
}

struct reading {
    struct sl_arena *a;
    struct sl_err *err;
    bool invalid;
};

static sl_str text(struct reading *r, const struct mvn_xml *x, const char *name)
{
    const struct mvn_xml *c = mvn_xml_get(x, name);
    for (const struct mvn_xml *d = c ? c->next : NULL; d && !r->invalid; d = d->next) {
        if (sl_str_eq(d->name, c->name)) {
            sl_fail(r->err, SL_POM_INVALID, "it has <%s> twice in <%.*s>", name, SL_S(x->name));
            r->invalid = true;
        }
    }
    sl_str t = mvn_xml_text(x, name);
    return t.p ? sl_str_dup(r->a, t) : SL_STR_NONE;
}

void mvn_dep_set_key(struct sl_arena *a, struct mvn_dep *d)
{
    bool c = d->classifier.p != NULL;
    d->key = sl_arena_printf(a, "%.*s:%.*s:%.*s%s%.*s", SL_S(d->g), SL_S(d->a), SL_S(d->type), c ? ":" : "",
                             SL_S(d->classifier));
}

static void read_deps(struct reading *r, const struct mvn_xml *x, mvn_deps *ret)
{
    MVN_XML_EACH(e, mvn_xml_get(x, "dependencies"))
    {
        if (!sl_str_eqz(e->name, "dependency")) {
            continue;
        }
        struct mvn_dep *d = sl_new(r->a, struct mvn_dep);
        d->g = text(r, e, "groupId");
        d->a = text(r, e, "artifactId");
        d->v = text(r, e, "version");
        d->type = text(r, e, "type");
        if (!d->type.p) {
            d->type = SL_STR("jar");
        }
        d->classifier = text(r, e, "classifier");
        d->scope = text(r, e, "scope");
        d->optional = text(r, e, "optional");
        d->system_path = text(r, e, "systemPath");
        SL_VEC(struct mvn_exclusion) ex = {0};
        MVN_XML_EACH(c, mvn_xml_get(e, "exclusions"))
        {
            if (sl_str_eqz(c->name, "exclusion")) {
                struct mvn_exclusion one = {text(r, c, "groupId"), text(r, c, "artifactId")};
                sl_vec_push(r->a, &ex, one);
            }
        }
        d->exclusions = ex.v;
        d->exclusion_count = ex.n;
        mvn_dep_set_key(r->a, d);
        sl_vec_push(r->a, ret, d);
    }
}

static void read_base(struct reading *r, const struct mvn_xml *x, struct mvn_base *b)
{
    MVN_XML_EACH(p, mvn_xml_get(x, "properties"))
    {
        struct mvn_xml holder = {.child = NULL};
        struct mvn_xml one = *p;
        one.next = NULL;
        holder.child = &one;
        char *name = sl_arena_strdupz(r->a, p->name);
        struct mvn_property prop = {sl_str_of(name), sl_str_dup(r->a, mvn_xml_text(&holder, name))};
        sl_vec_push(r->a, &b->properties, prop);
    }
    read_deps(r, x, &b->deps);
    read_deps(r, mvn_xml_get(x, "dependencyManagement"), &b->managed);
    const struct mvn_xml *to = mvn_xml_get(mvn_xml_get(x, "distributionManagement"), "relocation");
    if (to) {
        b->relocation = (struct mvn_relocation){true, text(r, to, "groupId"), text(r, to, "artifactId"),
                                                text(r, to, "version"), text(r, to, "message")};
    }
    const struct mvn_xml *modules = mvn_xml_get(x, "modules");
    b->modules = modules && modules->child;
}

static void read_profile(struct reading *r, const struct mvn_xml *x, struct mvn_profile *p)
{
    p->id = text(r, x, "id");
    const struct mvn_xml *on = mvn_xml_get(x, "activation");
    if (on) {
        p->on.set = true;
        sl_str by_default = text(r, on, "activeByDefault");
        p->on.by_default = sl_str_ieqz(by_default, "true");
        p->on.jdk = text(r, on, "jdk");
        const struct mvn_xml *os = mvn_xml_get(on, "os"), *property = mvn_xml_get(on, "property"),
                             *file = mvn_xml_get(on, "file");
        p->on.os = os != NULL;
        p->on.os_name = text(r, os, "name");
        p->on.os_family = text(r, os, "family");
        p->on.os_arch = text(r, os, "arch");
        p->on.os_version = text(r, os, "version");
        p->on.property = property != NULL;
        p->on.property_name = text(r, property, "name");
        p->on.property_value = text(r, property, "value");
        p->on.file = file != NULL;
        p->on.file_exists = text(r, file, "exists");
        p->on.file_missing = text(r, file, "missing");
    }
    read_base(r, x, &p->base);
}

enum mvn_read mvn_pom_parse(struct sl_arena *a, sl_str in, struct mvn_pom *ret, struct sl_err *err)
{
    SL_ARENA_AUTO scratch = {0};
    struct mvn_xml *x = NULL;
    enum mvn_read how = mvn_xml_parse(&scratch, in, boring, &x, err);
    if (how != MVN_READ_OK) {
        return how;
    }
    if (!sl_str_eqz(x->name, "project")) {
        sl_fail(err, SL_POM_INVALID, "it is a <%.*s>, no <project>", SL_S(x->name));
        return MVN_READ_INVALID;
    }
    struct reading r = {.a = a, .err = err};
    *ret = (struct mvn_pom){0};
    ret->model_version = text(&r, x, "modelVersion");
    ret->g = text(&r, x, "groupId");
    ret->a = text(&r, x, "artifactId");
    ret->v = text(&r, x, "version");
    ret->name = text(&r, x, "name");
    ret->packaging = text(&r, x, "packaging");
    if (!ret->packaging.p) {
        ret->packaging = SL_STR("jar");
    }
    const struct mvn_xml *parent = mvn_xml_get(x, "parent");
    if (parent) {
        ret->parent = (struct mvn_parent){true, text(&r, parent, "groupId"), text(&r, parent, "artifactId"),
                                          text(&r, parent, "version")};
    }
    static const char *const once[] = {
        "parent", "properties", "dependencies", "dependencyManagement", "profiles", "distributionManagement",
        "build"};
    for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
        (void)text(&r, x, once[i]);
    }
    read_base(&r, x, &ret->base);
    MVN_XML_EACH(p, mvn_xml_get(x, "profiles"))
    {
        if (sl_str_eqz(p->name, "profile")) {
            read_profile(&r, p, sl_vec_add(a, &ret->profiles));
        }
    }
    return r.invalid ? MVN_READ_INVALID : MVN_READ_OK;
}

enum mvn_read mvn_metadata_parse(struct sl_arena *a, sl_str in, struct mvn_metadata *ret, struct sl_err *err)
{
    SL_ARENA_AUTO scratch = {0};
    struct mvn_xml *x = NULL;
    enum mvn_read how = mvn_xml_parse(&scratch, in, NULL, &x, err);
    if (how != MVN_READ_OK) {
        return how;
    }
    struct reading r = {.a = a, .err = err};
    *ret = (struct mvn_metadata){0};
    const struct mvn_xml *v = mvn_xml_get(x, "versioning");
    ret->latest = text(&r, v, "latest");
    ret->release = text(&r, v, "release");
    MVN_XML_EACH(one, mvn_xml_get(v, "versions"))
    {
        if (sl_str_eqz(one->name, "version")) {
            sl_vec_push(a, &ret->versions, sl_str_dup(a, sl_str_trim(one->text)));
        }
    }
    MVN_XML_EACH(s, mvn_xml_get(v, "snapshotVersions"))
    {
        sl_str ext = mvn_xml_text(s, "extension"), cls = mvn_xml_text(s, "classifier"),
               value = mvn_xml_text(s, "value");
        if (ext.n && value.n) {
            struct mvn_property p = {cls.n ? sl_arena_printf(a, "%.*s:%.*s", SL_S(ext), SL_S(cls))
                                           : sl_str_dup(a, ext),
                                     sl_str_dup(a, value)};
            sl_vec_push(a, &ret->snapshots, p);
        }
    }
    return r.invalid ? MVN_READ_INVALID : MVN_READ_OK;
}
