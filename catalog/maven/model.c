/* SPDX-License-Identifier: Apache-2.0
 * The model builder: raw POMs, metadata and effective models, each made once. The order of the steps is that of Maven
 * 3.8: profiles of each POM of the line, inheritance, values, imports, own management, checks. */
#include "catalog/maven/model.h"
#include "base/limits.h"
#include "catalog/maven/version.h"

struct mvn_importing {
    sl_str id;
    struct mvn_importing *outer;
};
struct raw {
    enum mvn_state state;
    struct mvn_pom pom;
    struct sl_err err; /* INVALID, BROKEN */
};
struct metadata {
    enum mvn_state state;
    struct mvn_metadata m;
    struct sl_err err;
};

void mvn_models_init(struct mvn_models *m, struct sl_arena *a, const struct mvn_source *source)
{
    *m = (struct mvn_models){.a = a, .source = *source};
}

static sl_str id_of(struct mvn_models *m, sl_str g, sl_str a, sl_str v)
{
    return sl_arena_printf(m->a, "%.*s:%.*s:%.*s", SL_S(g), SL_S(a), SL_S(v));
}

static enum mvn_state state_of(struct mvn_models *m, enum mvn_got got)
{
    m->waits += got == MVN_LATER;
    return got == MVN_GOT      ? MVN_READY
           : got == MVN_ABSENT ? MVN_MISSING
           : got == MVN_LATER  ? MVN_WAITS
                               : MVN_BROKEN;
}

static const struct metadata *metadata_get(struct mvn_models *m, const struct mvn_file *f)
{
    sl_str id = f->kind == MVN_METADATA ? sl_arena_printf(m->a, "%.*s:%.*s", SL_S(f->g), SL_S(f->a))
                                        : id_of(m, f->g, f->a, f->v);
    struct metadata *x = mvn_table_get(&m->metadata, id);
    if (x) {
        return x;
    }
    x = sl_new(m->a, struct metadata);
    x->err = SL_ERR_INIT;
    SL_ARENA_AUTO scratch = {0};
    sl_str text = SL_STR_NONE;
    x->state = state_of(m, m->source.get(m->source.ctx, f, &scratch, &text, &x->err));
    if (x->state == MVN_READY) {
        enum mvn_read how = mvn_metadata_parse(m->a, text, &x->m, &x->err);
        if (how == MVN_READ_REFUSED) {
            sl_wrap(&x->err, "metadata of %.*s", SL_S(id));
            x->state = MVN_BROKEN;
        } else if (how == MVN_READ_INVALID) {
            x->m = (struct mvn_metadata){0};
        }
    }
    if (x->state != MVN_WAITS) {
        mvn_table_put(&m->metadata, m->a, id, x);
    }
    return x;
}

const struct mvn_metadata *mvn_models_versions(struct mvn_models *m, sl_str g, sl_str a,
                                               enum mvn_state *ret_state, struct sl_err *err)
{
    struct mvn_file f = {.kind = MVN_METADATA, .g = g, .a = a};
    const struct metadata *x = metadata_get(m, &f);
    *ret_state = x->state;
    if (x->state == MVN_BROKEN && err) {
        *err = x->err;
    }
    return x->state == MVN_READY ? &x->m : NULL;
}

/* The version as it stands in the name of a snapshot's POM. */
static sl_str file_version(struct mvn_models *m, sl_str g, sl_str a, sl_str v)
{
    if (!sl_str_ends(v, SL_STR("-SNAPSHOT"))) {
        return v;
    }
    struct mvn_file f = {.kind = MVN_SNAPSHOT_METADATA, .g = g, .a = a, .v = v};
    const struct metadata *x = metadata_get(m, &f);
    for (size_t i = 0; x->state == MVN_READY && i < x->m.snapshots.n; i++) {
        if (sl_str_eqz(x->m.snapshots.v[i].name, "pom")) {
            return x->m.snapshots.v[i].value;
        }
    }
    return x->state == MVN_WAITS ? SL_STR_NONE : v;
}

static const struct raw *raw_get(struct mvn_models *m, sl_str g, sl_str a, sl_str v)
{
    sl_str id = id_of(m, g, a, v);
    struct raw *x = mvn_table_get(&m->poms, id);
    if (x) {
        return x;
    }
    x = sl_new(m->a, struct raw);
    x->err = SL_ERR_INIT;
    struct mvn_file f = {.kind = MVN_POM, .g = g, .a = a, .v = v, .name_version = file_version(m, g, a, v)};
    if (!f.name_version.p) {
        x->state = MVN_WAITS;
        return x;
    }
    SL_ARENA_AUTO scratch = {0};
    sl_str text = SL_STR_NONE;
    x->state = state_of(m, m->source.get(m->source.ctx, &f, &scratch, &text, &x->err));
    if (x->state == MVN_READY) {
        enum mvn_read how = mvn_pom_parse(m->a, text, &x->pom, &x->err);
        x->state = how == MVN_READ_OK ? MVN_READY : how == MVN_READ_INVALID ? MVN_INVALID : MVN_BROKEN;
        if (how != MVN_READ_OK) {
            sl_wrap(&x->err, "POM of %.*s", SL_S(id));
        }
    }
    if (x->state != MVN_WAITS) {
        mvn_table_put(&m->poms, m->a, id, x);
    }
    return x;
}

/* What is being built, until it is done or something was wrong. */
struct build {
    struct mvn_models *m;
    struct mvn_built *out;
};

static bool invalid(struct build *b, sl_str why)
{
    if (b->out->state != MVN_BROKEN && b->out->state != MVN_WAITS && b->out->state != MVN_INVALID) {
        b->out->state = MVN_INVALID;
        b->out->why = why;
    }
    return false;
}

static bool broken(struct build *b, const struct sl_err *err)
{
    if (b->out->state != MVN_BROKEN) {
        b->out->state = MVN_BROKEN;
        b->out->err = *err;
    }
    return false;
}

static bool waits(struct build *b)
{
    if (b->out->state != MVN_BROKEN) {
        b->out->state = MVN_WAITS;
    }
    return false;
}

/* Entries by their keys in the order of first sight. Where a key is on both sides `right` or `left` wins. */
static void merge(struct mvn_models *m, mvn_deps *left, const mvn_deps *right, bool right_wins)
{
    mvn_deps out = {0};
    struct mvn_table at = {0};
    for (size_t side = 0; side < 2; side++) {
        const mvn_deps *from = side ? right : left;
        for (size_t i = 0; i < from->n; i++) {
            struct mvn_dep *d = from->v[i];
            size_t have = (uintptr_t)mvn_table_get(&at, d->key);
            if (!have) {
                sl_vec_push(m->a, &out, d);
                mvn_table_put(&at, m->a, d->key, (void *)(uintptr_t)out.n);
            } else if (!side || right_wins) {
                out.v[have - 1] = d;
            }
        }
    }
    *left = out;
}

static void merge_relocation(struct mvn_relocation *to, const struct mvn_relocation *from, bool from_wins)
{
    if (!from->set) {
        return;
    }
    to->set = true;
    sl_str *t[] = {&to->g, &to->a, &to->v, &to->message};
    const sl_str f[] = {from->g, from->a, from->v, from->message};
    for (size_t i = 0; i < 4; i++) {
        if (f[i].p && (from_wins || !t[i]->p)) {
            *t[i] = f[i];
        }
    }
}

/* `to` gets what `from` has; properties that come later win. */
static void merge_base(struct mvn_models *m, struct mvn_base *to, const struct mvn_base *from, bool from_wins)
{
    struct mvn_base merged = *to;
    if (from_wins) {
        for (size_t i = 0; i < from->properties.n; i++) {
            sl_vec_push(m->a, &merged.properties, from->properties.v[i]);
        }
    } else {
        memset(&merged.properties, 0, sizeof(merged.properties));
        for (size_t i = 0; i < from->properties.n; i++) {
            sl_vec_push(m->a, &merged.properties, from->properties.v[i]);
        }
        for (size_t i = 0; i < to->properties.n; i++) {
            sl_vec_push(m->a, &merged.properties, to->properties.v[i]);
        }
    }
    if (from->deps.n) {
        merge(m, &merged.deps, &from->deps, from_wins);
    }
    if (from->managed.n) {
        merge(m, &merged.managed, &from->managed, from_wins);
    }
    merge_relocation(&merged.relocation, &from->relocation, from_wins);
    merged.modules |= from_wins && from->modules;
    *to = merged;
}

/* A copy of the POM to work on: own lists, its duplicates gone, its active profiles in it. */
static void work_copy(struct build *b, const struct mvn_pom *raw, struct mvn_pom *ret)
{
    struct mvn_models *m = b->m;
    *ret = *raw;
    memset(&ret->base.properties, 0, sizeof(ret->base.properties));
    for (size_t i = 0; i < raw->base.properties.n; i++) {
        sl_vec_push(m->a, &ret->base.properties, raw->base.properties.v[i]);
    }
    mvn_deps none = {0};
    merge(m, &ret->base.deps, &none, false);
    bool any = false;
    for (int by_default = 0; by_default < 2 && !(by_default && any); by_default++) {
        for (size_t i = 0; i < raw->profiles.n; i++) {
            const struct mvn_profile *p = &raw->profiles.v[i];
            bool bad = false, on = mvn_profile_is_on(m, p, &bad);
            if (bad) {
                invalid(b, sl_arena_printf(m->a, "it cannot be told whether profile %.*s is active",
                                           SL_S(p->id)));
            } else if (by_default ? p->on.by_default : on) {
                any = true;
                merge_base(m, &ret->base, &p->base, true);
            }
        }
    }
}

static bool has_upper_bound(const struct mvn_constraint *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (!c->ranges[i].has_high) {
            return false;
        }
    }
    return true;
}

static bool names_parent_version(sl_str v)
{
    return !v.p || sl_str_eqz(v, "${pom.version}") || sl_str_eqz(v, "${project.version}") ||
           sl_str_eqz(v, "${pom.parent.version}") || sl_str_eqz(v, "${project.parent.version}");
}

/* The version of the parent, where a range is given: the highest one of it. */
static bool parent_version(struct build *b, const struct mvn_pom *child, sl_str *ret)
{
    struct mvn_models *m = b->m;
    const struct mvn_parent *p = &child->parent;
    struct mvn_constraint c = {0};
    struct sl_err err = SL_ERR_INIT;
    *ret = p->v;
    if (!mvn_constraint_parse(m->a, p->v, &c, &err)) {
        return broken(b, &err);
    }
    if (!c.n) {
        return true;
    }
    enum mvn_state state = MVN_READY;
    const struct mvn_metadata *have = mvn_models_versions(m, p->g, p->a, &state, &err);
    if (state == MVN_WAITS || state == MVN_BROKEN) {
        return state == MVN_WAITS ? waits(b) : broken(b, &err);
    }
    struct mvn_version best = {.n = 0};
    for (size_t i = 0; have && i < have->versions.n; i++) {
        struct mvn_version v = mvn_version_parse(m->a, have->versions.v[i]);
        if (!sl_str_ends(v.text, SL_STR("-SNAPSHOT")) && mvn_constraint_has(&c, &v) &&
            (!best.text.p || mvn_version_cmp(&v, &best) > 0)) {
            best = v;
        }
    }
    if (!best.text.p || !has_upper_bound(&c)) {
        sl_fail(&err, SL_VERSION_RANGE, "parent %.*s:%.*s: %s %.*s", SL_S(p->g), SL_S(p->a),
                best.text.p ? "there is no upper bound in" : "no version is in", SL_S(p->v));
        return broken(b, &err);
    }
    *ret = best.text;
    return !names_parent_version(child->v) ||
           invalid(b, SL_STR("its version is that of a parent that is given as a range"));
}

typedef SL_VEC(struct mvn_pom) line;

/* The POM and its parents, each with its profiles. */
static bool read_line(struct build *b, const struct mvn_pom *first, sl_str first_id, line *ret)
{
    struct mvn_models *m = b->m;
    struct mvn_table seen = {0};
    const struct mvn_pom *at = first;
    sl_str id = first_id;
    for (;;) {
        struct sl_err err = SL_ERR_INIT;
        const struct mvn_parent *p = &at->parent;
        bool self = p->set && at->g.p && sl_str_eq(p->g, at->g) && sl_str_eq(p->a, at->a);
        if (mvn_table_get(&seen, id) || self) {
            sl_fail(&err, SL_POM_PARENT_CYCLE, "POM of %.*s: its parents lead back to %.*s", SL_S(first_id),
                    SL_S(id));
            return broken(b, &err);
        }
        if (seen.n >= SL_LIMIT_POM_PARENTS) {
            sl_fail(&err, SL_POM_TOO_LARGE, "POM of %.*s has more than %d parents", SL_S(first_id),
                    SL_LIMIT_POM_PARENTS);
            return broken(b, &err);
        }
        mvn_table_put(&seen, m->a, id, m);
        if (p->set && (!p->g.n || !p->a.n || !p->v.n)) {
            return invalid(b, SL_STR("its parent is not named whole"));
        }
        work_copy(b, at, sl_vec_add(m->a, ret));
        if (!p->set) {
            return true;
        }
        sl_str v = SL_STR_NONE;
        if (!parent_version(b, at, &v)) {
            return false;
        }
        id = id_of(m, p->g, p->a, v);
        const struct raw *r = raw_get(m, p->g, p->a, v);
        switch (r->state) {
        case MVN_WAITS:
            return waits(b);
        case MVN_BROKEN:
            return broken(b, &r->err);
        case MVN_INVALID:
            return invalid(b, sl_str_dup(m->a, sl_str_of(r->err.msg)));
        case MVN_MISSING:
            sl_fail(&err, SL_ARTIFACT_NOT_FOUND, "POM of %.*s: its parent %.*s is in no repository",
                    SL_S(first_id), SL_S(id));
            return broken(b, &err);
        default:
            break;
        }
        at = &r->pom;
        if (!sl_str_eqz(at->packaging, "pom")) {
            invalid(b, sl_arena_printf(m->a, "its parent %.*s is no POM but a %.*s", SL_S(id),
                                       SL_S(at->packaging)));
        }
    }
}

static bool open_value(sl_str s)
{
    return s.p && sl_str_find(s, SL_STR("${")) >= 0;
}

static struct mvn_dep *expand_dep(struct mvn_values *v, struct mvn_dep *d, bool copy)
{
    bool open = open_value(d->g) || open_value(d->a) || open_value(d->v) || open_value(d->type) ||
                open_value(d->classifier) || open_value(d->scope) || open_value(d->optional) ||
                open_value(d->system_path);
    for (size_t i = 0; i < d->exclusion_count && !open; i++) {
        open = open_value(d->exclusions[i].g) || open_value(d->exclusions[i].a);
    }
    if (!open && !copy) {
        return d;
    }
    struct sl_arena *a = v->models->a;
    struct mvn_dep *x = sl_new(a, struct mvn_dep);
    *x = *d;
    if (!open) {
        return x;
    }
    sl_str *fields[] = {&x->g,          &x->a,     &x->v,        &x->type,
                        &x->classifier, &x->scope, &x->optional, &x->system_path};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        *fields[i] = mvn_expand(v, *fields[i]);
    }
    x->exclusions = d->exclusion_count ? sl_new_n(a, struct mvn_exclusion, d->exclusion_count) : NULL;
    for (size_t i = 0; i < d->exclusion_count; i++) {
        x->exclusions[i].g = mvn_expand(v, d->exclusions[i].g);
        x->exclusions[i].a = mvn_expand(v, d->exclusions[i].a);
    }
    mvn_dep_set_key(a, x);
    return x;
}

static bool expand_all(struct build *b, struct mvn_pom *p, mvn_deps *deps, mvn_deps *managed)
{
    struct mvn_models *m = b->m;
    struct mvn_values v = {.models = m, .pom = p};
    struct mvn_pom raw = *p;
    v.pom = &raw;
    for (size_t i = 0; i < p->base.properties.n; i++) {
        mvn_table_put(&v.properties, m->a, p->base.properties.v[i].name, &p->base.properties.v[i].value);
    }
    for (size_t i = 0; i < v.properties.cap; i++) {
        const sl_str *value = v.properties.slots[i].value;
        if (value) {
            mvn_expand(&v, *value);
        }
    }
    sl_str *own[] = {&p->g,
                     &p->a,
                     &p->v,
                     &p->packaging,
                     &p->base.relocation.g,
                     &p->base.relocation.a,
                     &p->base.relocation.v,
                     &p->base.relocation.message};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        *own[i] = mvn_expand(&v, *own[i]);
    }
    for (size_t i = 0; i < p->base.deps.n; i++) {
        sl_vec_push(m->a, deps, expand_dep(&v, p->base.deps.v[i], true));
    }
    for (size_t i = 0; i < p->base.managed.n; i++) {
        sl_vec_push(m->a, managed, expand_dep(&v, p->base.managed.v[i], false));
    }
    if (v.too_much) {
        struct sl_err err = SL_ERR_INIT;
        sl_fail(&err, SL_POM_TOO_LARGE, "POM of %.*s:%.*s: its properties grow without end", SL_S(p->g),
                SL_S(p->a));
        return broken(b, &err);
    }
    if (v.cycle) {
        invalid(b, sl_arena_printf(m->a, "the value of %.*s leads back to itself", SL_S(v.culprit)));
    }
    return true;
}

/* One BOM; what it manages goes behind what is there. */
static void import(struct build *b, const struct mvn_dep *bom, mvn_deps *imported)
{
    struct mvn_models *m = b->m;
    if (!bom->g.n || !bom->a.n || !bom->v.n) {
        invalid(b, sl_arena_printf(m->a, "the BOM %.*s is not named whole", SL_S(bom->key)));
        return;
    }
    sl_str id = id_of(m, bom->g, bom->a, bom->v);
    for (const struct mvn_importing *i = m->importing; i; i = i->outer) {
        if (sl_str_eq(i->id, id)) {
            invalid(b, sl_arena_printf(m->a, "the BOMs it imports lead back to %.*s", SL_S(id)));
            return;
        }
    }
    const struct mvn_built *x = mvn_models_get(m, bom->g, bom->a, bom->v);
    struct sl_err err = SL_ERR_INIT;
    switch (x->state) {
    case MVN_READY:
        for (size_t i = 0; i < x->model->managed.n; i++) {
            sl_vec_push(m->a, imported, x->model->managed.v[i]);
        }
        break;
    case MVN_WAITS:
        waits(b);
        break;
    case MVN_INVALID:
        invalid(b, sl_arena_printf(m->a, "its BOM %.*s: %.*s", SL_S(id), SL_S(x->why)));
        break;
    case MVN_BROKEN:
        broken(b, &x->err);
        break;
    case MVN_MISSING:
        sl_fail(&err, SL_ARTIFACT_NOT_FOUND, "the BOM %.*s is in no repository", SL_S(id));
        broken(b, &err);
        break;
    }
}

static void import_all(struct build *b, const struct mvn_pom *p, mvn_deps *managed)
{
    struct mvn_models *m = b->m;
    struct mvn_importing here = {.id = id_of(m, p->g, p->a, p->v), .outer = m->importing};
    m->importing = &here;
    mvn_deps own = {0}, imported = {0};
    bool any = false;
    for (size_t i = 0; i < managed->n; i++) {
        struct mvn_dep *d = managed->v[i];
        if (sl_str_eqz(d->type, "pom") && sl_str_eqz(d->scope, "import")) {
            any = true;
            import(b, d, &imported);
        } else {
            sl_vec_push(m->a, &own, d);
        }
    }
    m->importing = here.outer;
    *managed = own;
    if (any && b->out->state == MVN_READY) {
        merge(m, managed, &imported, false);
    }
}

static void inject_management(struct build *b, mvn_deps *deps, const mvn_deps *managed)
{
    struct mvn_table by_key = {0};
    for (size_t i = 0; i < deps->n; i++) {
        mvn_table_put(&by_key, b->m->a, deps->v[i]->key, deps->v[i]);
    }
    for (size_t i = 0; i < managed->n; i++) {
        const struct mvn_dep *from = managed->v[i];
        struct mvn_dep *to = mvn_table_get(&by_key, from->key);
        if (!to) {
            continue;
        }
        to->v = to->v.p ? to->v : from->v;
        to->scope = to->scope.p ? to->scope : from->scope;
        to->system_path = to->system_path.p ? to->system_path : from->system_path;
        if (!to->exclusion_count) {
            to->exclusions = from->exclusions;
            to->exclusion_count = from->exclusion_count;
        }
    }
    for (size_t i = 0; i < deps->n; i++) {
        if (!deps->v[i]->scope.n) {
            deps->v[i]->scope = SL_STR("compile");
        }
    }
}

static bool is_id(sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
              c == '_' || c == '.')) {
            return false;
        }
    }
    return s.n > 0;
}

static void check_deps(struct build *b, const mvn_deps *deps, bool managed)
{
    for (size_t i = 0; i < deps->n; i++) {
        const struct mvn_dep *d = deps->v[i];
        const char *what = !is_id(d->a) || !is_id(d->g) ? "is no name of an artifact"
                           : !managed && !d->type.n     ? "has no type"
                           : !managed && !d->v.n        ? "has no version"
                                                        : NULL;
        if (!what && sl_str_eqz(d->scope, "system")) {
            what = d->system_path.n && d->system_path.p[0] == '/'
                       ? NULL
                       : "has scope system without an absolute path";
        } else if (!what && d->system_path.n) {
            what = "has a path without scope system";
        }
        if (what) {
            invalid(b, sl_arena_printf(b->m->a, "its dependency %.*s %s", SL_S(d->key), what));
            return;
        }
    }
}

static void build_line(struct build *b, const struct mvn_pom *raw, sl_str id)
{
    struct mvn_models *m = b->m;
    line up = {0};
    if (!read_line(b, raw, id, &up)) {
        return;
    }
    for (size_t i = up.n - 1; i-- > 0;) {
        struct mvn_pom *child = &up.v[i];
        const struct mvn_pom *parent = &up.v[i + 1];
        child->g = child->g.p ? child->g : parent->g;
        child->v = child->v.p ? child->v : parent->v;
        merge_base(m, &child->base, &parent->base, false);
    }
    struct mvn_pom *p = &up.v[0];
    struct mvn_model *model = sl_new(m->a, struct mvn_model);
    if (!expand_all(b, p, &model->deps, &model->managed)) {
        return;
    }
    import_all(b, p, &model->managed);
    inject_management(b, &model->deps, &model->managed);
    if (!p->model_version.n || !is_id(p->g) || !is_id(p->a) || !p->packaging.n || !p->v.n) {
        invalid(b, SL_STR("it lacks a model version, group, artifact or version"));
    }
    if (p->base.modules && !sl_str_eqz(p->packaging, "pom")) {
        invalid(b, SL_STR("it has modules and is no POM"));
    }
    check_deps(b, &model->deps, false);
    check_deps(b, &model->managed, true);
    model->g = p->g;
    model->a = p->a;
    model->v = p->v;
    model->relocation = p->base.relocation;
    b->out->model = model;
}

const struct mvn_built *mvn_models_get(struct mvn_models *m, sl_str g, sl_str a, sl_str v)
{
    sl_str id = id_of(m, g, a, v);
    struct mvn_built *x = mvn_table_get(&m->models, id);
    if (x && x->state != MVN_WAITS) {
        return x;
    }
    const struct raw *r = raw_get(m, g, a, v);
    x = sl_new(m->a, struct mvn_built);
    x->state = r->state;
    x->err = r->err;
    if (r->state == MVN_INVALID) {
        x->why = sl_str_dup(m->a, sl_str_of(r->err.msg));
    }
    if (r->state == MVN_READY) {
        /* whoever asks for it before it is done asks in a circle */
        struct mvn_built doing = {.state = MVN_INVALID, .why = SL_STR("the BOMs it imports lead back to it")};
        mvn_table_put(&m->models, m->a, id, &doing);
        struct build b = {m, x};
        build_line(&b, &r->pom, id);
    }
    mvn_table_put(&m->models, m->a, id, x);
    return x;
}

const struct mvn_built *mvn_models_root(struct mvn_models *m, const struct mvn_pom *pom)
{
    struct mvn_built *x = sl_new(m->a, struct mvn_built);
    x->err = SL_ERR_INIT;
    struct build b = {m, x};
    build_line(&b, pom, id_of(m, pom->g, pom->a, pom->v));
    return x;
}
