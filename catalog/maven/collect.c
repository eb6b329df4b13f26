/* SPDX-License-Identifier: Apache-2.0
 * The graph of everything that is reached from the wanted artifacts, and the way from a request to its resolution.
 * Equal subtrees (the same artifact below the same exclusions) are collected once. */
#include "base/buf.h"
#include "base/limits.h"
#include "catalog/maven/graph.h"

#include <stdio.h>
#include <stdlib.h>

struct dependency {
    sl_str g, a, ext, classifier, v;
    uint8_t scope;
    int8_t optional; /* -1: not said */
    bool fat, local; /* fat: carries its dependencies; local: a file of the machine, without POM */
    const struct mvn_exclusion *exclusions;
    size_t exclusion_count;
};
struct exclusions { /* in force below a node */
    sl_str key;
    struct mvn_exclusion *v;
    size_t n;
};
struct managed {
    sl_str v;
    uint8_t scope; /* MVN_NO_SCOPE: not managed */
    int8_t optional;
    SL_VEC(struct mvn_exclusion) exclusions;
};
struct descriptor {
    enum mvn_state state;
    const struct mvn_model *model; /* of the end of the relocations; NULL: none */
    sl_str g, a, v;
    SL_VEC(struct mvn_coordinate) former;
    const struct mvn_built *built;
};
struct collector {
    struct mvn_graph graph;
    struct sl_arena *a;
    struct mvn_resolution *ret;
    struct mvn_table managed, lists, exclusion_sets, warned;
    SL_VEC(struct mvn_node *) way;
    bool failed, waits;
    struct sl_err *err;
};

bool mvn_coordinate_parse(sl_str text, struct mvn_coordinate *ret, struct sl_err *err)
{
    sl_str part[5];
    size_t n = 0, from = 0;
    bool ok = true;
    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] != ':') {
            char c = text.p[i];
            ok &= (unsigned char)c > ' ' && c != '/' && c != '\\' && c != '"' && c != '<' && c != '>' &&
                  c != '|';
            continue;
        }
        if (n == 5) {
            ok = false;
            break;
        }
        part[n++] = sl_str_sub(text, from, i - from);
        ok &= i > from || (n == 4);
        from = i + 1;
    }
    if (!ok || n < 3 || !part[n - 1].n) {
        sl_fail(err, SL_ARTIFACT_COORDINATE, "'%.*s' is no coordinate of an artifact", SL_S(text));
        return sl_hint(err, "write GROUP:ARTIFACT:VERSION, GROUP:ARTIFACT:TYPE:VERSION or "
                            "GROUP:ARTIFACT:TYPE:CLASSIFIER:VERSION");
    }
    *ret = (struct mvn_coordinate){.g = part[0], .a = part[1], .v = part[n - 1]};
    ret->type = n > 3 ? part[2] : SL_STR("jar");
    ret->classifier = n > 4 ? part[3] : SL_STR_NONE;
    return true;
}

sl_str mvn_artifact_text(struct sl_arena *a, const struct mvn_artifact *x)
{
    return sl_arena_printf(a, "%.*s:%.*s:%.*s:%.*s:%.*s", SL_S(x->g), SL_S(x->a), SL_S(x->ext),
                           SL_S(x->classifier), SL_S(x->v));
}

static uint8_t scope_id(struct mvn_graph *g, sl_str name)
{
    for (size_t i = 0; i < g->scope_count; i++) {
        if (sl_str_eq(g->scopes[i], name)) {
            return (uint8_t)i;
        }
    }
    if (g->scope_count == MVN_SCOPES) {
        return MVN_SCOPES - 1;
    }
    g->scopes[g->scope_count] = name;
    return (uint8_t)g->scope_count++;
}

/* What a type means for the file: its extension and classifier. */
static struct dependency of_model(struct mvn_graph *graph, const struct mvn_dep *d)
{
    static const struct {
        const char *type, *ext, *classifier;
        bool fat;
    } types[] = {{"maven-plugin", "jar", "", false},
                 {"ejb", "jar", "", false},
                 {"ejb-client", "jar", "client", false},
                 {"test-jar", "jar", "tests", false},
                 {"javadoc", "jar", "javadoc", false},
                 {"java-source", "jar", "sources", false},
                 {"war", "war", "", true},
                 {"ear", "ear", "", true},
                 {"rar", "rar", "", true}};
    struct dependency x = {.g = d->g,
                           .a = d->a,
                           .v = d->v.p ? d->v : SL_STR(""),
                           .ext = d->type,
                           .classifier = d->classifier.p ? d->classifier : SL_STR(""),
                           .scope = scope_id(graph, d->scope.p ? d->scope : SL_STR("")),
                           .optional = d->optional.p ? (int8_t)sl_str_ieqz(d->optional, "true") : -1,
                           .local = d->system_path.n > 0,
                           .exclusions = d->exclusions,
                           .exclusion_count = d->exclusion_count};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (sl_str_eqz(d->type, types[i].type)) {
            x.ext = sl_str_of(types[i].ext);
            x.classifier = d->classifier.p ? d->classifier : sl_str_of(types[i].classifier);
            x.fat = types[i].fat;
        }
    }
    return x;
}

static sl_str key_of(struct sl_arena *a, sl_str g, sl_str artifact, sl_str ext, sl_str classifier)
{
    return sl_arena_printf(a, "%.*s:%.*s:%.*s:%.*s", SL_S(g), SL_S(artifact), SL_S(ext), SL_S(classifier));
}

static void fail_at(struct collector *c, const struct sl_err *err, const struct dependency *d)
{
    if (c->failed) {
        return;
    }
    c->failed = true;
    *c->err = *err;
    SL_BUF_AUTO way;
    sl_buf_init(&way, 256);
    for (size_t i = 1; i < c->way.n; i++) {
        const struct mvn_node *n = c->way.v[i];
        sl_buf_printf(&way, "%.*s:%.*s:%.*s -> ", SL_S(n->g), SL_S(n->a), SL_S(n->version.text));
    }
    sl_buf_printf(&way, "%.*s:%.*s:%.*s", SL_S(d->g), SL_S(d->a), SL_S(d->v));
    if (c->way.n > 1 && !way.full) {
        size_t n = strlen(c->err->msg);
        snprintf(c->err->msg + n, sizeof(c->err->msg) - n, "\n  on the way %s", sl_buf_z(&way));
    }
}

static bool excluded(const struct exclusions *e, const struct dependency *d)
{
    for (size_t i = 0; i < e->n; i++) {
        if ((sl_str_eqz(e->v[i].a, "*") || sl_str_eq(e->v[i].a, d->a)) &&
            (sl_str_eqz(e->v[i].g, "*") || sl_str_eq(e->v[i].g, d->g))) {
            return true;
        }
    }
    return false;
}

static int exclusion_cmp(const void *x, const void *y)
{
    const struct mvn_exclusion *a = x, *b = y;
    int c = sl_str_cmp(a->a, b->a);
    return c ? c : sl_str_cmp(a->g, b->g);
}

/* What is excluded below a node: what was so far, and its own. */
static const struct exclusions *exclude_more(struct collector *c, const struct exclusions *e,
                                             const struct dependency *d)
{
    if (!d->exclusion_count) {
        return e;
    }
    struct exclusions all = {.v = sl_new_n(c->a, struct mvn_exclusion, e->n + d->exclusion_count)};
    if (e->n) {
        memcpy(all.v, e->v, e->n * sizeof(*e->v));
    }
    memcpy(all.v + e->n, d->exclusions, d->exclusion_count * sizeof(*e->v));
    size_t n = e->n + d->exclusion_count;
    qsort(all.v, n, sizeof(*all.v), exclusion_cmp);
    SL_BUF_AUTO key;
    sl_buf_init(&key, 0);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || exclusion_cmp(&all.v[i], &all.v[all.n - 1]) != 0) {
            all.v[all.n++] = all.v[i];
            sl_buf_printf(&key, "%.*s:%.*s|", SL_S(all.v[i].g), SL_S(all.v[i].a));
        }
    }
    struct exclusions *known = mvn_table_get(&c->exclusion_sets, sl_buf_str(&key));
    if (!known) {
        known = sl_new(c->a, struct exclusions);
        *known = all;
        known->key = sl_str_dup(c->a, sl_buf_str(&key));
        mvn_table_put(&c->exclusion_sets, c->a, known->key, known);
    }
    return known;
}

static void manage_from(struct collector *c, const mvn_deps *managed)
{
    for (size_t i = 0; i < managed->n; i++) {
        struct dependency d = of_model(&c->graph, managed->v[i]);
        sl_str key = key_of(c->a, d.g, d.a, d.ext, d.classifier);
        struct managed *m = mvn_table_get(&c->managed, key);
        if (!m) {
            m = sl_new(c->a, struct managed);
            m->scope = MVN_NO_SCOPE;
            m->optional = -1;
            mvn_table_put(&c->managed, c->a, key, m);
        }
        m->v = m->v.n ? m->v : d.v;
        m->scope = m->scope != MVN_NO_SCOPE ? m->scope : d.scope;
        m->optional = m->optional >= 0 ? m->optional : d.optional;
        for (size_t e = 0; e < d.exclusion_count; e++) {
            sl_vec_push(c->a, &m->exclusions, d.exclusions[e]);
        }
    }
}

/* The versions that a dependency may be: one, or all that are in its range, lowest first. */
typedef SL_VEC(struct mvn_version) versions;

static bool versions_of(struct collector *c, const struct dependency *d, const struct mvn_constraint *k,
                        versions *ret)
{
    struct mvn_models *m = c->graph.models;
    bool newest = sl_str_eqz(d->v, "LATEST") || sl_str_eqz(d->v, "RELEASE");
    if (!k->n && !newest) {
        sl_vec_push(c->a, ret, mvn_version_parse(c->a, d->v));
        return true;
    }
    enum mvn_state state = MVN_READY;
    struct sl_err err = SL_ERR_INIT;
    const struct mvn_metadata *have = mvn_models_versions(m, d->g, d->a, &state, &err);
    if (state == MVN_WAITS) {
        c->waits = true;
        return false;
    }
    if (state == MVN_BROKEN) {
        fail_at(c, &err, d);
        return false;
    }
    if (have && newest) {
        sl_str v = sl_str_eqz(d->v, "LATEST") && have->latest.n ? have->latest : have->release;
        if (v.n) {
            sl_vec_push(c->a, ret, mvn_version_parse(c->a, v));
            return true;
        }
    }
    for (size_t i = 0; have && !newest && i < have->versions.n; i++) {
        struct mvn_version v = mvn_version_parse(c->a, have->versions.v[i]);
        if (sl_str_ends(v.text, SL_STR("-SNAPSHOT")) || !mvn_constraint_has(k, &v)) {
            continue;
        }
        sl_vec_push(c->a, ret, v);
        for (size_t j = ret->n - 1; j > 0 && mvn_version_cmp(&ret->v[j - 1], &ret->v[j]) > 0; j--) {
            struct mvn_version t = ret->v[j];
            ret->v[j] = ret->v[j - 1];
            ret->v[j - 1] = t;
        }
    }
    if (ret->n) {
        return true;
    }
    sl_fail(&err, SL_VERSION_RANGE, "%.*s:%.*s: no version is in %.*s", SL_S(d->g), SL_S(d->a), SL_S(d->v));
    if (have && have->versions.n) {
        const sl_str *v = have->versions.v;
        size_t n = have->versions.n;
        sl_hint(&err, "there are %zu versions, of %.*s to %.*s", n, SL_S(v[0]), SL_S(v[n - 1]));
    }
    fail_at(c, &err, d);
    return false;
}

static void warn(struct collector *c, sl_str g, sl_str a, sl_str v, sl_str what)
{
    sl_str id = sl_arena_printf(c->a, "%.*s:%.*s:%.*s", SL_S(g), SL_S(a), SL_S(v));
    if (!mvn_table_get(&c->warned, id)) {
        mvn_table_put(&c->warned, c->a, id, c);
        struct sl_arena *keep = c->graph.models->a;
        sl_vec_push(keep, &c->ret->warnings, sl_arena_printf(keep, "%.*s: %.*s", SL_S(id), SL_S(what)));
    }
}

/* The model of an artifact, through its relocations. */
static void describe(struct collector *c, const struct dependency *d, struct descriptor *ret)
{
    *ret = (struct descriptor){.g = d->g, .a = d->a, .v = d->v};
    for (;;) {
        for (size_t i = 0; i < ret->former.n; i++) {
            const struct mvn_coordinate *f = &ret->former.v[i];
            if (sl_str_eq(f->g, ret->g) && sl_str_eq(f->a, ret->a) && sl_str_eq(f->v, ret->v)) {
                struct mvn_built *b = sl_new(c->a, struct mvn_built);
                b->err = SL_ERR_INIT;
                sl_fail(&b->err, SL_POM_INVALID, "the relocations of %.*s:%.*s:%.*s lead back to it",
                        SL_S(d->g), SL_S(d->a), SL_S(d->v));
                ret->built = b;
                ret->state = MVN_BROKEN;
                return;
            }
        }
        const struct mvn_built *b = mvn_models_get(c->graph.models, ret->g, ret->a, ret->v);
        ret->state = b->state;
        ret->built = b;
        if (b->state == MVN_MISSING) {
            struct mvn_coordinate gone = {
                .g = ret->g, .a = ret->a, .type = d->ext, .classifier = d->classifier, .v = ret->v};
            warn(c, ret->g, ret->a, ret->v,
                 SL_STR("no repository has its POM; it counts as without dependencies"));
            sl_vec_push(c->graph.models->a, &c->ret->missing, gone);
        } else if (b->state == MVN_INVALID) {
            warn(c, ret->g, ret->a, ret->v,
                 sl_arena_printf(c->a, "its POM is invalid (%.*s); it counts as without dependencies",
                                 SL_S(b->why)));
        }
        if (b->state != MVN_READY) {
            return;
        }
        const struct mvn_relocation *r = &b->model->relocation;
        if (!r->set) {
            ret->model = b->model;
            return;
        }
        struct mvn_coordinate here = {
            .g = ret->g, .a = ret->a, .type = d->ext, .classifier = d->classifier, .v = ret->v};
        sl_vec_push(c->a, &ret->former, here);
        ret->g = r->g.n ? r->g : ret->g;
        ret->a = r->a.n ? r->a : ret->a;
        ret->v = r->v.n ? r->v : ret->v;
    }
}

static struct mvn_node *node_new(struct collector *c, const struct dependency *d, const struct mvn_version *v,
                                 const struct mvn_constraint *k)
{
    struct mvn_node *n = sl_new(c->a, struct mvn_node);
    n->g = d->g;
    n->a = d->a;
    n->ext = d->ext;
    n->classifier = d->classifier;
    n->scope = d->scope;
    n->optional = d->optional == 1;
    n->version = *v;
    n->constraint = k;
    n->key = key_of(c->a, d->g, d->a, d->ext, d->classifier);
    n->children = sl_new(c->a, struct mvn_list);
    c->graph.nodes++;
    return n;
}

static void add_child(struct collector *c, struct mvn_node *n)
{
    struct mvn_list *l = c->way.v[c->way.n - 1]->children;
    sl_vec_push(c->a, l, n);
}

static const struct mvn_node *on_the_way(const struct collector *c, const struct dependency *d)
{
    for (size_t i = c->way.n; i-- > 1;) {
        const struct mvn_node *n = c->way.v[i];
        if (sl_str_eq(n->a, d->a) && sl_str_eq(n->g, d->g) && sl_str_eq(n->ext, d->ext) &&
            sl_str_eq(n->classifier, d->classifier)) {
            return n;
        }
    }
    return NULL;
}

static void collect(struct collector *c, const mvn_deps *deps, const struct exclusions *e);

/* Below a node: once for each artifact and what is excluded there. */
static void descend(struct collector *c, struct mvn_node *n, const struct dependency *d,
                    const struct mvn_model *model, const struct exclusions *e)
{
    const struct exclusions *below = exclude_more(c, e, d);
    sl_str id =
        sl_arena_printf(c->a, "%.*s:%.*s|%.*s", SL_S(n->key), SL_S(n->version.text), SL_S(below->key));
    struct mvn_list *known = mvn_table_get(&c->lists, id);
    if (known) {
        n->children = known;
        return;
    }
    mvn_table_put(&c->lists, c->a, id, n->children);
    sl_vec_push(c->a, &c->way, n);
    collect(c, &model->deps, below);
    c->way.n--;
}

static void process(struct collector *c, struct dependency d, const struct exclusions *e,
                    const struct mvn_coordinate *former, size_t former_count, bool keep_version, size_t hops);

static void process_version(struct collector *c, const struct dependency *as, const struct mvn_version *v,
                            const struct mvn_constraint *k, const struct exclusions *e,
                            const struct mvn_coordinate *former, size_t former_count, unsigned managed,
                            size_t hops, bool *ret_stop)
{
    struct dependency d = *as;
    d.v = v->text;
    struct descriptor x = {.g = d.g, .a = d.a, .v = d.v};
    if (!d.local) {
        describe(c, &d, &x);
    }
    if (x.state == MVN_WAITS) {
        c->waits = true;
        return;
    }
    if (x.state == MVN_BROKEN) {
        fail_at(c, &x.built->err, &d);
        return;
    }
    d.g = x.g;
    d.a = x.a;
    d.v = x.v;
    const struct mvn_node *circle = on_the_way(c, &d);
    if (!circle && x.former.n) {
        *ret_stop = true;
        bool same = sl_str_eq(as->g, d.g) && sl_str_eq(as->a, d.a);
        process(c, d, e, x.former.v, x.former.n, same, hops + 1);
        return;
    }
    struct mvn_version relocated = sl_str_eq(x.v, v->text) ? *v : mvn_version_parse(c->a, x.v);
    struct mvn_node *n = node_new(c, &d, &relocated, k);
    n->managed_scope = managed & 1;
    n->managed_optional = managed & 2;
    n->former_count = former_count;
    n->former = former_count ? sl_new_n(c->a, sl_str, former_count) : NULL;
    for (size_t i = 0; i < former_count; i++) {
        n->former[i] = key_of(c->a, former[i].g, former[i].a, d.ext, d.classifier);
    }
    add_child(c, n);
    if (circle) {
        n->children = circle->children;
    } else if (!d.fat && !d.local && x.model && x.model->deps.n) {
        descend(c, n, &d, x.model, e);
    }
}

/* One dependency: chosen, managed, with all versions it may be. */
static void process(struct collector *c, struct dependency d, const struct exclusions *e,
                    const struct mvn_coordinate *former, size_t former_count, bool keep_version, size_t hops)
{
    size_t level = c->way.n; /* 1: wanted itself */
    struct sl_err err = SL_ERR_INIT;
    if (c->failed || excluded(e, &d) ||
        (level > 1 && (d.optional == 1 || d.scope == MVN_TEST || d.scope == MVN_PROVIDED))) {
        return;
    }
    if (level > SL_LIMIT_GRAPH_DEPTH || c->graph.nodes > SL_LIMIT_GRAPH_NODES ||
        hops > SL_LIMIT_POM_PARENTS) {
        sl_fail(&err, SL_LIMIT, "the dependencies are more than Sluice takes: %zu artifacts, %zu levels",
                c->graph.nodes, level);
        fail_at(c, &err, &d);
        return;
    }
    unsigned managed = 0;
    const struct managed *m = mvn_table_get(&c->managed, key_of(c->a, d.g, d.a, d.ext, d.classifier));
    if (m && level > 1) {
        d.v = m->v.n && !keep_version ? m->v : d.v;
        if (m->scope != MVN_NO_SCOPE) {
            d.scope = m->scope;
            managed |= 1;
        }
        if (m->optional >= 0) {
            d.optional = m->optional;
            managed |= 2;
        }
    }
    if (m && m->exclusions.n) {
        struct mvn_exclusion *all = sl_new_n(c->a, struct mvn_exclusion, d.exclusion_count + m->exclusions.n);
        if (d.exclusion_count) {
            memcpy(all, d.exclusions, d.exclusion_count * sizeof(*all));
        }
        memcpy(all + d.exclusion_count, m->exclusions.v, m->exclusions.n * sizeof(*all));
        d.exclusions = all;
        d.exclusion_count += m->exclusions.n;
    }
    struct mvn_constraint *k = sl_new(c->a, struct mvn_constraint);
    versions vs = {0};
    if (!mvn_constraint_parse(c->a, d.v, k, &err)) {
        fail_at(c, &err, &d);
        return;
    }
    if (!versions_of(c, &d, k, &vs)) {
        return;
    }
    bool stop = false;
    for (size_t i = 0; i < vs.n && !stop; i++) {
        process_version(c, &d, &vs.v[i], k, e, former, former_count, managed, hops, &stop);
    }
}

static void collect(struct collector *c, const mvn_deps *deps, const struct exclusions *e)
{
    for (size_t i = 0; i < deps->n; i++) {
        process(c, of_model(&c->graph, deps->v[i]), e, NULL, 0, false, 0);
    }
}

/* The request as the POM of a project. */
static void request_pom(struct sl_arena *a, const struct mvn_request *rq, struct mvn_pom *p)
{
    *p = (struct mvn_pom){.model_version = SL_STR("4.0.0"),
                          .g = SL_STR("sluice.request"),
                          .a = SL_STR("request"),
                          .v = SL_STR("1"),
                          .packaging = SL_STR("pom")};
    for (size_t i = 0; i < rq->wanted.n + rq->managed.n + rq->boms.n; i++) {
        bool wanted = i < rq->wanted.n, bom = i >= rq->wanted.n + rq->managed.n;
        const struct mvn_coordinate *c = wanted ? &rq->wanted.v[i].c
                                         : bom  ? &rq->boms.v[i - rq->wanted.n - rq->managed.n]
                                                : &rq->managed.v[i - rq->wanted.n];
        struct mvn_dep *d = sl_new(a, struct mvn_dep);
        *d = (struct mvn_dep){.g = c->g,
                              .a = c->a,
                              .v = c->v,
                              .type = c->type.n ? c->type : SL_STR("jar"),
                              .classifier = c->classifier.n ? c->classifier : SL_STR_NONE};
        if (bom) {
            d->type = SL_STR("pom");
            d->scope = SL_STR("import");
        }
        if (wanted) {
            d->exclusions = rq->wanted.v[i].exclusions.v;
            d->exclusion_count = rq->wanted.v[i].exclusions.n;
        }
        mvn_dep_set_key(a, d);
        sl_vec_push(a, wanted ? &p->base.deps : &p->base.managed, d);
    }
}

/* What is left of the graph, in pre-order; what is not for the run time is left out with all below it. */
static void write_tree(struct collector *c, const struct mvn_list *l, uint32_t depth)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct mvn_node *n = l->v[i];
        if (n->scope != MVN_COMPILE && n->scope != MVN_RUNTIME) {
            continue;
        }
        struct mvn_artifact x = {.g = n->g,
                                 .a = n->a,
                                 .ext = n->ext,
                                 .classifier = n->classifier,
                                 .v = n->version.text,
                                 .scope = c->graph.scopes[n->scope],
                                 .optional = n->optional,
                                 .depth = depth};
        sl_vec_push(c->graph.models->a, &c->ret->artifacts, x);
        if (depth <= SL_LIMIT_GRAPH_DEPTH) {
            write_tree(c, n->children, depth + 1);
        }
    }
}

enum mvn_outcome mvn_resolve(struct mvn_models *m, const struct mvn_request *rq, struct mvn_resolution *ret,
                             struct sl_err *err)
{
    SL_ARENA_AUTO work = {0}; /* the graph; what is handed out lives with the models */
    struct sl_err own = SL_ERR_INIT;
    struct collector c = {.a = &work, .ret = ret, .err = err ? err : &own};
    static const char *const scopes[] = {"compile", "runtime", "provided", "test", "system", ""};
    *ret = (struct mvn_resolution){0};
    c.graph.models = m;
    for (; c.graph.scope_count < MVN_OTHER_SCOPES; c.graph.scope_count++) {
        c.graph.scopes[c.graph.scope_count] = sl_str_of(scopes[c.graph.scope_count]);
    }
    struct mvn_pom pom;
    request_pom(m->a, rq, &pom);
    const struct mvn_built *root = mvn_models_root(m, &pom);
    if (root->state != MVN_READY && root->state != MVN_WAITS) {
        *c.err = root->err;
        if (root->state != MVN_BROKEN) {
            sl_fail(c.err, SL_ARTIFACT_COORDINATE, "the request: %.*s", SL_S(root->why));
        }
        return MVN_UNRESOLVED;
    }
    if (root->state == MVN_WAITS) {
        return MVN_NEEDS_MORE;
    }
    static const struct exclusions none = {.key = {"", 0}};
    struct mvn_node *top = sl_new(c.a, struct mvn_node);
    top->is_root = true;
    top->children = sl_new(c.a, struct mvn_list);
    sl_vec_push(c.a, &c.way, top);
    manage_from(&c, &root->model->managed);
    collect(&c, &root->model->deps, &none);
    c.graph.root = top;
    if (c.waits && !c.failed) {
        return MVN_NEEDS_MORE;
    }
    if (c.failed || !mvn_mediate(&c.graph, c.err)) {
        return MVN_UNRESOLVED;
    }
    write_tree(&c, top->children, 1);
    return MVN_RESOLVED;
}
