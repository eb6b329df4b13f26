/* SPDX-License-Identifier: Apache-2.0
 * Reads the jars, asks what clashes, and says it. */
#include "gateway/cli/conflicts.h"

#include <stdio.h>

#include "catalog/conflicts.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/settings.h"
#include "gateway/cli/table.h"
#include "sys/file.h"

struct path {
    struct cat_path_jar v[CAT_PATH_JARS];
    size_t n;
};

static bool add_jar(struct sl_arena *a, struct path *p, const char *file, bool flink, struct sl_err *err)
{
    if (p->n >= CAT_PATH_JARS) {
        return sl_fail(err, SL_LIMIT, "more than %d jars", CAT_PATH_JARS);
    }
    struct cat_jar_index *index = sl_new(a, struct cat_jar_index);
    if (!cat_jar_read(a, file, index, err)) {
        return false;
    }
    p->v[p->n++] = (struct cat_path_jar){index, flink};
    return true;
}

/* "2.2" takes 2.2.1. NULL: none is installed. */
static const char *installed(struct sl_arena *a, sl_str wanted)
{
    struct sl_err ignored;
    sl_str *names, best = SL_STR_NONE;
    size_t n;
    const char *root = sys_flink_dir(a);
    if (!sys_dir_list(a, root, &names, &n, &ignored)) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        bool it = sl_str_eq(names[i], wanted) ||
                  (sl_str_starts(names[i], wanted) && names[i].n > wanted.n && names[i].p[wanted.n] == '.');
        const char *lib = sys_path_join(a, sys_path_join(a, root, sl_arena_strdupz(a, names[i])), "lib");
        best = it && sys_is_dir(lib) ? names[i] : best;
    }
    return best.n ? sl_arena_strdupz(a, best) : NULL;
}

/* In our order: by name, the planner last. */
static bool add_flink(struct sl_arena *a, struct path *p, const char *version, struct sl_err *err)
{
    const char *lib = sys_path_join(a, sys_path_join(a, sys_flink_dir(a), version), "lib");
    sl_str *names;
    size_t n;
    if (!sys_dir_list(a, lib, &names, &n, err)) {
        return false;
    }
    for (int planner = 0; planner < 2; planner++) {
        for (size_t i = 0; i < n; i++) {
            bool jar = sl_str_ends(names[i], SL_STR(".jar"));
            if (jar && sl_str_starts(names[i], SL_STR("flink-table-planner")) == planner &&
                !add_jar(a, p, sys_path_join(a, lib, sl_arena_strdupz(a, names[i])), true, err)) {
                return false;
            }
        }
    }
    return true;
}

/* org/example/A$B.class as A$B. */
static sl_str short_name(sl_str name)
{
    for (size_t i = name.n; i-- > 0;) {
        if (name.p[i] == '/') {
            name = sl_str_sub(name, i + 1, name.n - i - 1);
            break;
        }
    }
    return sl_str_sub(name, 0, name.n - 6);
}

static void put_clash(struct sl_buf *out, const struct path *p, const struct cat_clash *c, bool colour)
{
    const struct cat_path_jar *first = &p->v[c->first], *other = &p->v[c->other];
    const char *s = c->differing == 1 ? "" : "es";
    if (c->error) {
        const char *red = colour ? "\033[1;31m" : "", *none = colour ? "\033[0m" : "";
        sl_buf_printf(out, "%serror[class-conflict]%s: ", red, none);
        cli_put_visible(out, other->index->file);
        sl_buf_printf(out, " has %zu class%s of Flink's own, with other bytes\n", c->differing, s);
    } else {
        sl_buf_printf(out, "%s: ", c->differing ? "warning" : "note");
        cli_put_visible(out, other->index->file);
        sl_buf_putz(out, " and ");
        cli_put_visible(out, first->index->file);
        if (c->differing) {
            sl_buf_printf(out, " have %zu class%s of the same name with other bytes\n", c->differing, s);
        } else {
            sl_buf_printf(out, " have %zu class%s in common, byte for byte\n", c->same,
                          c->same == 1 ? "" : "es");
            return;
        }
    }
    sl_buf_putz(out, "   ");
    for (size_t i = 0; i < c->names.n; i++) {
        sl_buf_putz(out, i ? ", " : "");
        cli_put_visible(out, short_name(c->names.v[i]));
    }
    if (c->differing > c->names.n) {
        sl_buf_printf(out, " and %zu more", c->differing - c->names.n);
    }
    sl_buf_putz(out, "\n   wins here: ");
    cli_put_visible(out, first->index->file);
    sl_buf_putz(out,
                first->flink ? " (Flink's own jars come first in our class path)" : " (it was named first)");
    if (c->turns) {
        sl_buf_putz(out, ". In Flink's own scripts the other one wins: ");
        cli_put_visible(out, other->index->file);
    } else {
        sl_buf_putz(out, c->apart ? "; Flink's own scripts keep the planner apart"
                                  : "; in Flink's own scripts, too");
    }
    sl_buf_putc(out, '\n');
}

static void put_versions(struct sl_buf *out, const struct cat_versions *v)
{
    sl_buf_printf(out, "warning: %s ", v->scala ? "two Scalas of" : "two versions of");
    cli_put_visible(out, v->artifact);
    sl_buf_putz(out, ": ");
    for (size_t i = 0; i < v->v.n; i++) {
        sl_buf_putz(out, i ? ", " : "");
        cli_put_visible(out, v->v.v[i]);
    }
    sl_buf_putc(out, '\n');
}

static void put_json(struct sl_buf *out, const struct path *p, const struct cat_conflicts *all,
                     const char *flink)
{
    struct sl_jw w;
    sl_jw_init(&w, out);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "flink", flink);
    sl_jw_key(&w, "classes");
    sl_jw_array(&w);
    for (size_t i = 0; i < all->clashes.n; i++) {
        const struct cat_clash *c = &all->clashes.v[i];
        const struct cat_path_jar *first = &p->v[c->first], *other = &p->v[c->other];
        sl_jw_object(&w);
        sl_jw_kbool(&w, "error", c->error);
        sl_jw_kstrz(&w, "first", first->index->path);
        sl_jw_kbool(&w, "flinkOwn", first->flink);
        sl_jw_kstrz(&w, "other", other->index->path);
        sl_jw_ki64(&w, "same", (int64_t)c->same);
        sl_jw_ki64(&w, "differing", (int64_t)c->differing);
        sl_jw_kstrz(&w, "wins", first->index->path);
        sl_jw_kstrz(&w, "winsInFlinkScripts", c->turns || c->apart ? other->index->path : first->index->path);
        sl_jw_key(&w, "names");
        sl_jw_array(&w);
        for (size_t k = 0; k < c->names.n; k++) {
            sl_jw_str(&w, c->names.v[k]);
        }
        sl_jw_end_array(&w);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_key(&w, "versions");
    sl_jw_array(&w);
    for (size_t i = 0; i < all->versions.n; i++) {
        const struct cat_versions *v = &all->versions.v[i];
        sl_jw_object(&w);
        sl_jw_kstr(&w, "artifact", v->artifact);
        sl_jw_kbool(&w, "scala", v->scala);
        sl_jw_key(&w, "versions");
        sl_jw_array(&w);
        for (size_t k = 0; k < v->v.n; k++) {
            sl_jw_str(&w, v->v.v[k]);
        }
        sl_jw_end_array(&w);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    sl_buf_putc(out, '\n');
}

int cli_conflicts(struct sl_arena *a, const char *const *jars, size_t n, const struct cli_conflict_options *o)
{
    struct sl_err err = SL_ERR_INIT;
    struct path *p = sl_new(a, struct path);
    struct cat_conflicts all = {0};
    sl_str wanted = o->flink ? sl_str_of(o->flink) : cli_settings()->flink;
    const char *flink = o->no_flink ? NULL : installed(a, wanted);
    if (!flink && !o->no_flink) {
        sl_fail(&err, SL_FLINK_NOT_INSTALLED, "Flink %.*s is not installed", SL_S(wanted));
        sl_hint(&err, "sluice flink install %.*s, or --no-flink to look at the jars alone", SL_S(wanted));
        return cli_print_error(&err);
    }
    if (flink && !add_flink(a, p, flink, &err)) {
        return cli_print_error(&err);
    }
    for (size_t i = 0; i < n; i++) {
        if (!add_jar(a, p, jars[i], false, &err)) {
            return cli_print_error(&err);
        }
    }
    cat_conflicts(a, p->v, p->n, &all);
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    bool bad = false;
    for (size_t i = 0; i < all.clashes.n; i++) {
        bad |= all.clashes.v[i].error;
        if (!o->json) {
            put_clash(&out, p, &all.clashes.v[i], cli_wants_colour(1));
        }
    }
    for (size_t i = 0; i < all.versions.n && !o->json; i++) {
        put_versions(&out, &all.versions.v[i]);
    }
    if (o->json) {
        put_json(&out, p, &all, flink);
    } else if (!all.clashes.n && !all.versions.n) {
        sl_buf_printf(&out, "no conflicts: %zu jar%s%s%s\n", n, n == 1 ? "" : "s",
                      flink ? " beside Flink " : "", flink ? flink : "");
    }
    cli_put(stdout, sl_buf_str(&out));
    return bad ? 3 : 0;
}
