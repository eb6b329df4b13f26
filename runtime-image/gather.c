/* SPDX-License-Identifier: Apache-2.0
 * Resolving the definition of an image, in its own order. */
#include "runtime-image/gather.h"

#include "base/limits.h"
#include "catalog/conflicts.h"
#include "runtime-image/container_files.h"
#include "runtime-image/flink_install.h"
#include "sys/file.h"

#include <stdio.h>
#include <stdlib.h>

struct gather {
    struct sl_arena *a;
    const struct img_def *def;
    const struct img_sources *from;
    struct img_gathered *ret;
    struct sl_err *err;
    uint8_t flink;                    /* bit of the manifest */
    unsigned version;                 /* sql_version */
    char exact[16];                   /* "2.2.1" */
    SL_VEC(struct cat_path_jar) path; /* Flink's jars, then those of the image that go into lib/ */
    sl_str *classes;                  /* of Flink's jars: a hash table */
    size_t n_slots;
};

/* Gives an error the place in the definition that it is about. */
static bool at(const struct gather *g, struct sl_pos pos)
{
    if (g->err && g->err->pos.off == SL_NO_POS) {
        g->err->pos = pos;
    }
    return false;
}

static const char *under(const struct gather *g, sl_str path)
{
    char *z = sl_arena_strdupz(g->a, path);
    return *z == '/' ? z : sys_path_join(g->a, g->def->dir, z);
}

/* ---- Flink ---- */

static bool index_jar(struct gather *g, const char *path, bool flink)
{
    struct cat_jar_index *index = sl_new(g->a, struct cat_jar_index);
    if (!cat_jar_read(g->a, path, index, g->err)) {
        return false;
    }
    sl_vec_push(g->a, &g->path, ((struct cat_path_jar){index, flink}));
    return true;
}

static bool add_flink(struct gather *g)
{
    static const char *const parts[] = {"LICENSE", "NOTICE",   "README.txt", "bin",    "conf",
                                        "lib",     "licenses", "opt",        "plugins"};
    bool own = g->def->home.from.n > 0;
    const char *root = own ? under(g, g->def->home.from) : sys_path_join(g->a, g->from->flink_root, g->exact);
    if (own ? !sys_is_dir(sys_path_join(g->a, root, "lib"))
            : !img_flink_is_installed(g->from->flink_root, g->exact)) {
        sl_fail_at(g->err, own ? SL_FILE_NOT_FOUND : SL_FLINK_NOT_INSTALLED,
                   own ? g->def->home.pos : g->def->flink_pos,
                   own ? "%s has no lib/" : "Flink %s is not installed", own ? root : g->exact);
        return own ? false : sl_hint(g->err, "sluice flink install %s", g->exact);
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(parts); i++) {
        const char *source = sys_path_join(g->a, root, parts[i]);
        struct img_entry e = {.path = sl_arena_printf(g->a, "opt/flink/%s", parts[i]),
                              .part = IMG_PART_FLINK,
                              .source = source,
                              .ours = !own};
        if (sys_exists(source) && !img_add_tree(g->a, &g->ret->content, &e, g->err)) {
            return false;
        }
    }
    sl_str *names;
    size_t n;
    const char *lib = sys_path_join(g->a, root, "lib");
    if (!sys_dir_list(g->a, lib, &names, &n, g->err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (sl_str_ends(names[i], SL_STR(".jar")) &&
            !index_jar(g, sys_path_join(g->a, lib, sl_arena_strdupz(g->a, names[i])), true)) {
            return false;
        }
    }
    return true;
}

/* The slot of a name, empty or its own. */
static sl_str *class_slot(const struct gather *g, sl_str name)
{
    size_t i = sl_str_hash(name) & (g->n_slots - 1);
    while (g->classes[i].n && !sl_str_eq(g->classes[i], name)) {
        i = (i + 1) & (g->n_slots - 1);
    }
    return &g->classes[i];
}

static bool set_classes(struct gather *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->path.n; i++) {
        n += g->path.v[i].index->classes.n;
    }
    for (g->n_slots = 64; g->n_slots < n * 2; g->n_slots *= 2) {
    }
    if (g->n_slots * sizeof(sl_str) > SL_LIMIT_CLASS_SET_BYTES) {
        return sl_fail(g->err, SL_LIMIT,
                       "Flink's jars hold more classes than can be held against others: %zu", n);
    }
    g->classes = sl_new_n(g->a, sl_str, g->n_slots);
    for (size_t i = 0; i < g->path.n; i++) {
        const struct cat_jar_index *x = g->path.v[i].index;
        for (size_t k = 0; k < x->classes.n; k++) {
            *class_slot(g, x->classes.v[k].name) = x->classes.v[k].name;
        }
    }
    return true;
}

static bool flink_has_all(const struct gather *g, const struct cat_jar_index *x)
{
    for (size_t i = 0; i < x->classes.n; i++) {
        if (!class_slot(g, x->classes.v[i].name)->n) {
            return false;
        }
    }
    return x->classes.n > 0;
}

/* ---- jars ---- */

static sl_str file_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return sl_str_of(slash ? slash + 1 : path);
}

/* A jar to lib/, or into a folder of its own below plugins/. Twice the same is once. */
static bool add_jar(struct gather *g, const char *source, sl_str origin, sl_str plugin, bool ours)
{
    sl_str file = file_of(source);
    sl_str path = plugin.n ? sl_arena_printf(g->a, "opt/flink/plugins/%.*s/%.*s", SL_S(plugin), SL_S(file))
                           : sl_arena_printf(g->a, "opt/flink/lib/%.*s", SL_S(file));
    struct img_content *c = &g->ret->content;
    struct img_entry e = {
        .path = path, .part = IMG_PART_JAR, .origin = origin, .source = source, .ours = ours};
    if (!sl_str_ends(file, SL_STR(".jar")) || !img_path_ok(path)) {
        return sl_fail(g->err, SL_CONFIG_VALUE, "%s is no jar", source);
    }
    size_t before = c->entries.n;
    if (!img_add_file(g->a, c, &e, g->err)) {
        return false;
    }
    for (size_t i = 0; i < before; i++) {
        if (c->entries.v[i].part == IMG_PART_JAR && sl_str_eq(c->entries.v[i].path, path)) {
            if (strcmp(c->entries.v[i].sha256, c->entries.v[before].sha256) != 0) {
                return sl_fail(g->err, SL_CONFIG_VALUE, "two jars are called %.*s and are not the same",
                               SL_S(file));
            }
            c->entries.n = before;
            return true;
        }
    }
    c->entries.v[before].mode = 0644;
    if (plugin.n) {
        return true;
    }
    sl_vec_push(g->a, &c->class_path, path);
    return index_jar(g, source, false);
}

static bool is_below(const char *path, const char *folder)
{
    size_t n = folder ? strlen(folder) : 0;
    return n && strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* The version of an artifact that has been taken already; p NULL: none. */
static sl_str taken_version(const struct gather *g, const struct mvn_artifact *x)
{
    sl_str name = mvn_artifact_text(g->a, x);
    sl_str stem = sl_str_sub(name, 0, name.n - x->v.n);
    for (size_t i = 0; i < g->ret->content.entries.n; i++) {
        const struct img_entry *e = &g->ret->content.entries.v[i];
        if (sl_str_starts(e->origin, stem) &&
            sl_str_find_char(sl_str_sub(e->origin, stem.n, e->origin.n - stem.n), ':') < 0) {
            return sl_str_sub(e->origin, stem.n, e->origin.n - stem.n);
        }
    }
    return SL_STR_NONE;
}

static bool take_artifact(struct gather *g, const struct mvn_artifact *x, bool plugin)
{
    struct mvn_fetched f;
    if (!sl_str_eqz(x->ext, "jar")) {
        return true; /* a POM brings nothing itself */
    }
    sl_str taken = taken_version(g, x);
    if (taken.p && !sl_str_eq(taken, x->v)) {
        sl_fail(g->err, SL_VERSION_CONFLICT, "%.*s:%.*s is wanted as %.*s and as %.*s", SL_S(x->g),
                SL_S(x->a), SL_S(taken), SL_S(x->v));
        return sl_hint(g->err, "name the one that is meant under udfs, before the others");
    }
    if (!mvn_fetch_file(g->from->fetch, x, &f, g->err)) {
        return false;
    }
    if (x->depth > 1) {
        SL_ARENA_AUTO scratch = {0};
        struct cat_jar_index index = {0};
        if (!cat_jar_read(&scratch, f.path, &index, g->err)) {
            return false;
        }
        if (flink_has_all(g, &index)) {
            sl_vec_push(g->a, &g->ret->left_out, mvn_artifact_text(g->a, x));
            return true;
        }
    }
    return add_jar(g, f.path, mvn_artifact_text(g->a, x), plugin ? x->a : SL_STR_NONE,
                   is_below(f.path, g->from->cache));
}

/* A coordinate, alone or with what its POM asks for. */
static bool take(struct gather *g, sl_str text, bool alone, bool plugin)
{
    struct mvn_request rq = {0};
    struct mvn_resolution r = {0};
    struct mvn_wanted *w = sl_vec_add(g->a, &rq.wanted);
    if (!mvn_coordinate_parse(text, &w->c, g->err)) {
        return false;
    }
    if (alone) {
        struct mvn_artifact x = {.g = w->c.g,
                                 .a = w->c.a,
                                 .ext = w->c.type.n ? w->c.type : SL_STR("jar"),
                                 .classifier = w->c.classifier,
                                 .v = w->c.v,
                                 .depth = 1};
        return take_artifact(g, &x, plugin);
    }
    if (!mvn_fetch_resolve(g->from->fetch, &rq, &r, g->err)) {
        return false;
    }
    for (size_t i = 0; i < r.artifacts.n; i++) {
        if (!take_artifact(g, &r.artifacts.v[i], plugin)) {
            return false;
        }
    }
    return true;
}

static bool take_jar(struct gather *g, const struct cat_jar *j)
{
    return take(g, j->coordinate, j->how != CAT_JAR_THIN, j->how == CAT_JAR_PLUGIN);
}

/* ---- wishes ---- */

static enum sl_code unknown_code(enum cat_service_kind k)
{
    return k == CAT_SERVICE_CONNECTOR    ? SL_CONNECTOR_UNKNOWN
           : k == CAT_SERVICE_FORMAT     ? SL_FORMAT_UNKNOWN
           : k == CAT_SERVICE_CATALOG    ? SL_CATALOG_TYPE_UNKNOWN
           : k == CAT_SERVICE_FILESYSTEM ? SL_FILESYSTEM_MISSING
                                         : SL_FACTORY_UNKNOWN;
}

static bool fail_unknown(struct gather *g, const struct img_wish *w)
{
    const struct cat_family *f;
    sl_str near = SL_STR_NONE;
    size_t best = 3;
    for (size_t i = 0; (f = cat_family_at(i)); i++) {
        for (size_t k = 0; k < f->n_services; k++) {
            const struct cat_service *s = &f->services[k];
            size_t d = s->kind == w->service ? sl_str_distance(w->text, s->name, best) : best;
            if (d < best) {
                best = d;
                near = s->name;
            }
        }
    }
    sl_fail_at(g->err, unknown_code(w->service), w->pos, "no %s is called '%.*s'",
               cat_service_kind_name(w->service), SL_S(w->text));
    return near.n ? sl_hint(g->err, "did you mean '%.*s'?", SL_S(near))
                  : sl_hint(g->err,
                            "sluice connector ls lists them; GROUP:ARTIFACT:VERSION stands for any other");
}

static bool fail_version(struct gather *g, const struct img_wish *w, uint8_t others)
{
    sl_fail_at(g->err, SL_CONNECTOR_NOT_FOR_VERSION, w->pos, "there is no '%.*s' for Flink %s", SL_S(w->text),
               g->exact);
    char list[64] = "";
    for (unsigned i = 0, n = 0; cat_flink_bit_name(i); i++) {
        if (others >> i & 1) {
            n += (unsigned)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", cat_flink_bit_name(i));
        }
    }
    return sl_hint(g->err, "there is one for Flink %s", list);
}

static bool take_service(struct gather *g, const struct img_wish *w)
{
    if (img_is_coordinate(w->text)) {
        return take(g, w->text, w->service == CAT_SERVICE_FILESYSTEM, w->service == CAT_SERVICE_FILESYSTEM);
    }
    const struct cat_service *s = cat_service(g->version, w->service, w->text);
    if (!s) {
        const struct cat_service *any = cat_service(0, w->service, w->text);
        return any ? fail_version(g, w, any->flink) : fail_unknown(g, w);
    }
    for (size_t i = 0; i < s->family->n_jars; i++) {
        const struct cat_jar *j = &s->family->jars[i];
        if ((j->flink & g->flink) && !j->database.n && !take_jar(g, j)) {
            return false;
        }
    }
    return true;
}

static bool take_database(struct gather *g, const struct img_wish *w)
{
    const struct cat_family *f;
    bool any = false;
    uint8_t others = 0;
    for (size_t i = 0; (f = cat_family_at(i)); i++) {
        for (size_t k = 0; k < f->n_jars; k++) {
            const struct cat_jar *j = &f->jars[k];
            bool is = j->database.n && sl_str_ieq(j->database, w->text);
            others |= is ? j->flink : 0;
            if (is && (j->flink & g->flink)) {
                any = true;
                if (!take_jar(g, j)) {
                    return false;
                }
            }
        }
    }
    return any      ? true
           : others ? fail_version(g, w, others)
                    : sl_fail_at(g->err, SL_JDBC_DIALECT_MISSING, w->pos, "no database is called '%.*s'",
                                 SL_S(w->text));
}

static bool take_udf(struct gather *g, const struct img_wish *w)
{
    return img_is_coordinate(w->text) ? take(g, w->text, false, false)
                                      : add_jar(g, under(g, w->text), SL_STR_NONE, SL_STR_NONE, false);
}

static bool take_wishes(struct gather *g)
{
    for (size_t i = 0; i < g->def->wishes.n; i++) {
        const struct img_wish *w = &g->def->wishes.v[i];
        bool ok = w->kind == IMG_WISH_SERVICE    ? take_service(g, w)
                  : w->kind == IMG_WISH_DATABASE ? take_database(g, w)
                                                 : take_udf(g, w);
        if (!ok) {
            return at(g, w->pos);
        }
    }
    return true;
}

/* ---- what does not go together ---- */

static bool is_accepted(const struct gather *g, sl_str file)
{
    for (size_t i = 0; i < g->def->accepted.n; i++) {
        sl_str name = g->def->accepted.v[i].artifact;
        if (sl_str_starts(file, name) && (file.n == name.n || strchr("-.", file.p[name.n]))) {
            return true;
        }
    }
    return false;
}

/* "org/x/A$B.class" as "A$B". */
static sl_str class_text(sl_str name)
{
    for (size_t i = name.n; i > 0; i--) {
        if (name.p[i - 1] == '/') {
            name = sl_str_sub(name, i, name.n - i);
            break;
        }
    }
    return sl_str_ends(name, SL_STR(".class")) ? sl_str_sub(name, 0, name.n - 6) : name;
}

static bool fail_conflict(struct gather *g, const struct cat_clash *c)
{
    sl_str jar = g->path.v[c->other].index->file, flink = g->path.v[c->first].index->file,
           names = SL_STR_NONE;
    for (size_t i = 0; i < c->names.n; i++) {
        names =
            sl_arena_printf(g->a, "%.*s%s%.*s", SL_S(names), i ? ", " : "", SL_S(class_text(c->names.v[i])));
    }
    size_t stem = 0; /* up to the version */
    while (stem < jar.n &&
           !(jar.p[stem] == '-' && stem + 1 < jar.n && jar.p[stem + 1] >= '0' && jar.p[stem + 1] <= '9')) {
        stem++;
    }
    sl_fail(g->err, SL_CLASS_CONFLICT, "%.*s has %zu class%s of %.*s, with other bytes: %.*s%s", SL_S(jar),
            c->differing, c->differing == 1 ? "" : "es", SL_S(flink), SL_S(names),
            c->names.n < c->differing ? ", ..." : "");
    return sl_hint(g->err, "conflicts: {%.*s: flink-first}      in images/%.*s.yaml accepts it%s", (int)stem,
                   jar.p, SL_S(g->def->name),
                   c->turns ? "; under Flink's own scripts the jar's classes win" : "");
}

static bool check_conflicts(struct gather *g)
{
    struct cat_conflicts found = {0};
    if (g->path.n > CAT_PATH_JARS) {
        return sl_fail(g->err, SL_LIMIT, "more than %d jars on one class path", CAT_PATH_JARS);
    }
    cat_conflicts(g->a, g->path.v, g->path.n, &found);
    for (size_t i = 0; i < found.clashes.n; i++) {
        const struct cat_clash *c = &found.clashes.v[i];
        const struct cat_path_jar *first = &g->path.v[c->first], *other = &g->path.v[c->other];
        if (other->flink || c->apart) {
            continue;
        }
        if (c->error && !is_accepted(g, other->index->file)) {
            return fail_conflict(g, c);
        }
        if (c->differing) {
            sl_vec_push(g->a, &g->ret->notes,
                        sl_arena_printf(g->a,
                                        "%zu class%s of %.*s also in %.*s, with other bytes; %.*s wins%s",
                                        c->differing, c->differing == 1 ? "" : "es", SL_S(first->index->file),
                                        SL_S(other->index->file), SL_S(first->index->file),
                                        c->turns ? " (not under Flink's own scripts)" : ""));
        }
    }
    return true;
}

/* ---- all of it ---- */

static bool add_folders(struct gather *g)
{
    struct {
        const struct img_given *given;
        enum img_part part;
        sl_str to;
    } list[] = {{&g->def->system, IMG_PART_SYSTEM, SL_STR("")},
                {&g->def->jre, IMG_PART_JRE, SL_STR("opt/java")}};
    for (size_t i = 0; i < SL_ARRAY_LEN(list); i++) {
        if (!list[i].given->from.n) {
            continue;
        }
        struct img_entry e = {
            .path = list[i].to, .part = list[i].part, .source = under(g, list[i].given->from)};
        if (!sys_is_dir(e.source)) {
            return sl_fail_at(g->err, SL_FILE_NOT_FOUND, list[i].given->pos, "%s is no folder", e.source);
        }
        if (!img_add_tree(g->a, &g->ret->content, &e, g->err)) {
            return at(g, list[i].given->pos);
        }
    }
    return true;
}

static bool add_files(struct gather *g)
{
    for (size_t i = 0; i < g->def->files.n; i++) {
        const struct img_given *given = &g->def->files.v[i];
        struct img_entry e = {.path = given->to, .part = IMG_PART_FILES, .source = under(g, given->from)};
        if (!img_add_tree(g->a, &g->ret->content, &e, g->err)) {
            return at(g, given->pos);
        }
    }
    return true;
}

static bool add_runner(struct gather *g)
{
    struct img_entry e = {.path = SL_STR("opt/flink/lib/sluice-runner.jar"),
                          .part = IMG_PART_RUNNER,
                          .source = g->from->runner};
    return !g->from->runner ||
           (img_add_file(g->a, &g->ret->content, &e, g->err) && index_jar(g, g->from->runner, false));
}

static bool read_version(struct gather *g)
{
    struct sl_err inner = SL_ERR_INIT;
    if (!img_flink_resolve(sl_arena_strdupz(g->a, g->def->flink), g->exact, &inner)) {
        sl_fail_at(g->err, SL_CONFIG_VALUE, g->def->flink_pos, "%s", inner.msg);
        return sl_hint(g->err, "%s", inner.hint);
    }
    unsigned major = 0, minor = 0;
    g->ret->content.flink = sl_str_dup(g->a, sl_str_of(g->exact));
    for (unsigned i = 0; cat_flink_bit_name(i); i++) {
        size_t n = strlen(cat_flink_bit_name(i));
        if (strncmp(g->exact, cat_flink_bit_name(i), n) == 0 && g->exact[n] == '.') {
            g->flink = (uint8_t)(1u << i);
            if (sscanf(cat_flink_bit_name(i), "%u.%u", &major, &minor) == 2) {
                g->version = major * 100 + minor;
            }
        }
    }
    return g->flink || sl_fail_at(g->err, SL_CONFIG_VALUE, g->def->flink_pos,
                                  "nothing is known of connectors for Flink %s", g->exact);
}

bool img_gather(struct sl_arena *a, const struct img_def *def, const struct img_sources *from,
                struct img_gathered *ret, struct sl_err *err)
{
    *ret = (struct img_gathered){0};
    struct gather g = {.a = a, .def = def, .from = from, .ret = ret, .err = err};
    return read_version(&g) && add_folders(&g) && add_flink(&g) && set_classes(&g) && add_runner(&g) &&
           take_wishes(&g) && add_files(&g) && img_add_container_files(a, def, &ret->content, err) &&
           check_conflicts(&g) && img_content_close(a, &ret->content, err);
}
