/* SPDX-License-Identifier: Apache-2.0
 * sluice image build|ls|show|diff|verify|rm|gc|push|pull: base images from images/NAME.yaml. */
#include "gateway/cli/image.h"

#include "base/limits.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/settings.h"
#include "gateway/cli/steps.h"
#include "gateway/cli/table.h"
#include "runtime-image/flink_base.h"
#include "runtime-image/gather.h"
#include "runtime-image/sbom.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <stdio.h>

char *cli_image_root(struct sl_arena *a)
{
    return sys_path_join(a, sl_arena_strdupz(a, cli_settings()->data), "images");
}

struct cli_image_size cli_image_size(int64_t bytes)
{
    struct cli_image_size s;
    cli_size_text((uint64_t)bytes, s.z);
    return s;
}

/* ---- the definition ---- */

/* NAME is images/NAME.yaml here; what ends in .yaml is a file. */
static bool read_definition(struct sl_arena *a, const char *which, struct img_def *ret,
                            struct cli_source_error *e)
{
    sl_str name = sl_str_of(which);
    const char *file = which, *dir = "images";
    if (sl_str_ends(name, SL_STR(".yaml"))) {
        const char *slash = strrchr(which, '/');
        dir = slash == which ? "/"
              : slash        ? sl_arena_strdupz(a, (sl_str){which, (size_t)(slash - which)})
                             : ".";
        name = sl_str_of(slash ? slash + 1 : which);
        name.n -= 5;
    } else {
        file = sys_path_join(a, dir, sl_arena_printf(a, "%s.yaml", which).p);
    }
    if (!img_name_ok(name)) {
        sl_fail(&e->err, SL_USAGE, "'%.*s' cannot be the name of an image", SL_S(name));
        return sl_hint(&e->err, "small letters and digits, with '.', '_' and '-' between them");
    }
    if (!sys_exists(file)) {
        sl_fail(&e->err, SL_IMAGE_UNKNOWN, "there is no %s", file);
        return sl_hint(&e->err, "it says what is in the image: flink: \"2.2\" and connectors: [kafka]");
    }
    e->file = file;
    return sys_file_read(a, file, SL_LIMIT_YAML_BYTES, &e->text, &e->err) &&
           img_def_read(a, name, dir, e->text, ret, &e->err);
}

bool cli_image_gather(struct sl_arena *a, const struct cli_image_options *o, const char *which,
                      struct img_def *def, struct mvn_fetch **ret_fetch, struct img_gathered *ret,
                      struct cli_source_error *e)
{
    struct mvn_repositories *repositories = sl_new(a, struct mvn_repositories);
    *ret_fetch = NULL;
    if (!read_definition(a, which, def, e)) {
        return false;
    }
    *ret_fetch = cli_fetch_open(&o->from, repositories, a, &e->err);
    if (!*ret_fetch) {
        e->file = NULL; /* it is about another file */
        return false;
    }
    struct img_sources from = {.flink_root = sys_flink_dir(a),
                               .runner = img_runner_jar(a, sys_self_path(a)),
                               .fetch = *ret_fetch,
                               .cache = cli_fetch_cache(a)};
    return img_gather(a, def, &from, ret, &e->err);
}

/* ---- build ---- */

static void put_oci(struct sl_jw *w, const struct img_oci *oci)
{
    sl_jw_key(w, "oci");
    sl_jw_object(w);
    sl_jw_kstrz(w, "digest", oci->digest);
    sl_jw_ki64(w, "bytes", oci->layer_bytes);
    sl_jw_ki64(w, "newBytes", oci->new_bytes);
    sl_jw_key(w, "layers");
    sl_jw_array(w);
    for (size_t i = 0; i < oci->layers.v.n; i++) {
        const struct img_layer *l = &oci->layers.v.v[i];
        sl_jw_object(w);
        sl_jw_kstr(w, "title", l->title);
        sl_jw_kstrz(w, "digest", l->digest);
        sl_jw_ki64(w, "bytes", l->bytes);
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
    sl_jw_end_object(w);
}

static void put_built(const struct cli_image_options *o, struct sl_arena *a, const struct img_def *def,
                      const struct img_gathered *g, const struct img_built *built, const struct img_oci *oci)
{
    const struct img_content *c = &g->content;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    if (o->json) {
        struct sl_jw w;
        sl_jw_init(&w, &b);
        sl_jw_object(&w);
        sl_jw_kstr(&w, "name", def->name);
        sl_jw_kstrz(&w, "digest", c->digest);
        sl_jw_kstr(&w, "flink", c->flink);
        sl_jw_kstrz(&w, "root", sl_arena_printf(a, "%s/builds/%s/root", cli_image_root(a), c->digest + 7).p);
        sl_jw_ki64(&w, "entries", (int64_t)c->entries.n);
        sl_jw_ki64(&w, "bytes", c->bytes);
        sl_jw_kbool(&w, "built", !built->was_there);
        sl_jw_ki64(&w, "newFiles", (int64_t)built->new_files);
        sl_jw_ki64(&w, "newBytes", built->new_bytes);
        if (o->oci) {
            put_oci(&w, oci);
        }
        sl_jw_key(&w, "leftOut");
        sl_jw_array(&w);
        for (size_t i = 0; i < g->left_out.n; i++) {
            sl_jw_str(&w, g->left_out.v[i]);
        }
        sl_jw_end_array(&w);
        sl_jw_key(&w, "notes");
        sl_jw_array(&w);
        for (size_t i = 0; i < g->notes.n; i++) {
            sl_jw_str(&w, g->notes.v[i]);
        }
        sl_jw_end_array(&w);
        sl_jw_end_object(&w);
        sl_buf_putc(&b, '\n');
    } else {
        sl_buf_printf(&b, "%.*s@%s\n", SL_S(def->name), c->digest);
        if (o->oci) {
            sl_buf_printf(&b, "oci:%s:%.*s@%s\n", img_oci_root(a, cli_image_root(a)), SL_S(def->name),
                          oci->digest);
        }
    }
    cli_put(stdout, sl_buf_str(&b));
    if (o->json) {
        return;
    }
    for (size_t i = 0; i < g->notes.n; i++) {
        fprintf(stderr, "note: %.*s\n", SL_S(g->notes.v[i]));
    }
    for (size_t i = 0; i < g->left_out.n; i++) {
        fprintf(stderr, "left out, Flink has it: %.*s\n", SL_S(g->left_out.v[i]));
    }
    if (built->was_there) {
        fprintf(stderr, "nothing to build: %zu entries, %s, are there\n", c->entries.n,
                cli_image_size(c->bytes).z);
    } else {
        fprintf(stderr, "%zu entries, %s; %zu files new, %s copied\n", c->entries.n,
                cli_image_size(c->bytes).z, built->new_files, cli_image_size(built->new_bytes).z);
    }
    if (o->oci) {
        fprintf(stderr, "%zu layers, %s; %s new\n", oci->layers.v.n, cli_image_size(oci->layer_bytes).z,
                cli_image_size(oci->new_bytes).z);
    }
}

static bool build_oci(struct sl_arena *a, const struct img_def *def, struct img_oci *ret, struct sl_err *err)
{
    const char *root = cli_image_root(a);
    struct img_layer_options o = {.gzip = 6, .gzip_jars = def->gzip_jars ? 1 : 0};
    struct img_base base;
    return img_base_find(a, root, def->name, &base, err) && img_oci_build(a, root, &base, &o, ret, err);
}

static int build(struct sl_arena *a, const struct cli_image_options *o, const char *which)
{
    struct cli_source_error e = {.err = SL_ERR_INIT};
    struct img_def def;
    struct img_gathered g;
    struct img_built built;
    struct img_oci oci = {0};
    struct mvn_fetch *fetch;
    bool ok = cli_image_gather(a, o, which, &def, &fetch, &g, &e);
    if (ok) {
        e.file = NULL;
        ok = img_base_build(cli_image_root(a), def.name, &g.content, &built, &e.err) &&
             (!o->oci || build_oci(a, &def, &oci, &e.err));
    }
    if (ok) {
        put_built(o, a, &def, &g, &built, &oci);
    }
    if (fetch) {
        mvn_fetch_free(fetch);
    }
    return ok ? 0 : cli_source_error_print(&e);
}

/* ---- looking ---- */

static int list(struct sl_arena *a, const struct cli_image_options *o)
{
    struct sl_err err = SL_ERR_INIT;
    struct img_base *v;
    size_t n, widest = 4;
    if (!img_base_list(a, cli_image_root(a), &v, &n, &err)) {
        return cli_print_error(&err);
    }
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    if (o->json) {
        sl_jw_init(&w, &b);
        sl_jw_array(&w);
    }
    for (size_t i = 0; i < n; i++) {
        widest = SL_MAX(widest, v[i].name.n);
    }
    if (!o->json && n) {
        sl_buf_printf(&b, "%-*s  %-19s  %-7s  %9s  BUILT\n", (int)widest, "NAME", "DIGEST", "FLINK", "SIZE");
    }
    for (size_t i = 0; i < n; i++) {
        char time[32];
        sys_time_rfc3339(v[i].built_ms, time);
        if (o->json) {
            sl_jw_object(&w);
            sl_jw_kstr(&w, "name", v[i].name);
            sl_jw_kstrz(&w, "digest", v[i].digest);
            sl_jw_kstr(&w, "flink", v[i].flink);
            sl_jw_ki64(&w, "entries", (int64_t)v[i].entries);
            sl_jw_ki64(&w, "bytes", v[i].bytes);
            sl_jw_kstrz(&w, "built", time);
            sl_jw_end_object(&w);
        } else {
            sl_buf_printf(&b, "%-*.*s  %.19s  %-7.*s  %9s  %.10s %.5s\n", (int)widest, SL_S(v[i].name),
                          v[i].digest, SL_S(v[i].flink), cli_image_size(v[i].bytes).z, time, time + 11);
        }
    }
    if (o->json) {
        sl_jw_end_array(&w);
        sl_buf_putc(&b, '\n');
    }
    cli_put(stdout, sl_buf_str(&b));
    return 0;
}

static int show(struct sl_arena *a, const struct cli_image_options *o, const char *which)
{
    struct sl_err err = SL_ERR_INIT;
    struct img_base base;
    struct img_content c;
    const char *root = cli_image_root(a);
    if (!img_base_find(a, root, sl_str_of(which), &base, &err) || !img_base_read(a, root, &base, &c, &err)) {
        return cli_print_error(&err);
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    if (o->sbom) {
        if (!img_sbom_write(&c, base.name, &b, &err)) {
            return cli_print_error(&err);
        }
        cli_put(stdout, sl_buf_str(&b));
        return 0;
    }
    if (o->json) {
        img_content_write(&c, &b); /* the canonical text: its SHA-256 is the digest */
        cli_put(stdout, sl_buf_str(&b));
        return 0;
    }
    int64_t bytes[IMG_PART_MAX_] = {0};
    size_t files[IMG_PART_MAX_] = {0};
    for (size_t i = 0; i < c.entries.n; i++) {
        files[c.entries.v[i].part]++;
        bytes[c.entries.v[i].part] += c.entries.v[i].kind == IMG_FILE ? c.entries.v[i].bytes : 0;
    }
    sl_buf_printf(&b, "%.*s@%s\n", SL_S(base.name), c.digest);
    sl_buf_printf(&b, "  Flink %.*s, in %s\n", SL_S(c.flink), img_base_root(a, root, &base));
    for (int p = 0; p < IMG_PART_MAX_; p++) {
        if (files[p]) {
            sl_buf_printf(&b, "  %-7s %6zu file%s %10s\n", img_part_name((enum img_part)p), files[p],
                          files[p] == 1 ? " " : "s", cli_image_size(bytes[p]).z);
        }
    }
    for (size_t i = 0; i < c.entries.n; i++) {
        const struct img_entry *e = &c.entries.v[i];
        if (e->part == IMG_PART_JAR) {
            sl_buf_putz(&b, "    ");
            cli_put_visible(&b, e->path);
            sl_buf_printf(&b, "  %s", cli_image_size(e->bytes).z);
            sl_buf_printf(&b, e->origin.n ? "  %.*s\n" : "\n", SL_S(e->origin));
        }
    }
    cli_put(stdout, sl_buf_str(&b));
    return 0;
}

static bool load(struct sl_arena *a, const char *which, sl_str *ret_name, struct img_content *ret,
                 struct sl_err *err)
{
    struct img_base base;
    const char *root = cli_image_root(a);
    if (!img_base_find(a, root, sl_str_of(which), &base, err) || !img_base_read(a, root, &base, ret, err)) {
        return false;
    }
    *ret_name = sl_arena_printf(a, "%.*s@%.19s", SL_S(base.name), base.digest);
    return true;
}

static void put_change(struct sl_buf *text, struct sl_jw *w, const char *sign, const struct img_entry *e)
{
    if (w) {
        sl_jw_object(w);
        sl_jw_kstrz(w, "change", *sign == '+' ? "added" : *sign == '-' ? "removed" : "changed");
        sl_jw_kstr(w, "path", e->path);
        sl_jw_kstr(w, "origin", e->origin);
        sl_jw_ki64(w, "bytes", e->kind == IMG_FILE ? e->bytes : 0);
        sl_jw_end_object(w);
    } else {
        sl_buf_printf(text, "%s ", sign);
        cli_put_visible(text, e->path);
        if (e->kind == IMG_FILE) {
            sl_buf_printf(text, "  %s", cli_image_size(e->bytes).z);
        }
        sl_buf_putc(text, '\n');
    }
}

static bool is_same(const struct img_entry *x, const struct img_entry *y)
{
    return x->kind == y->kind && x->mode == y->mode && strcmp(x->sha256, y->sha256) == 0 &&
           sl_str_eq(x->link, y->link);
}

static int put_diff(const struct cli_image_options *o, sl_str from, const struct img_content *x, sl_str to,
                    const struct img_content *y)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    if (o->json) {
        sl_jw_init(&w, &b);
        sl_jw_object(&w);
        sl_jw_kstr(&w, "from", from);
        sl_jw_kstr(&w, "to", to);
        sl_jw_key(&w, "changes");
        sl_jw_array(&w);
    }
    size_t i = 0, k = 0, changes = 0;
    while (i < x->entries.n || k < y->entries.n) {
        const struct img_entry *e = i < x->entries.n ? &x->entries.v[i] : NULL;
        const struct img_entry *f = k < y->entries.n ? &y->entries.v[k] : NULL;
        int c = !e ? 1 : !f ? -1 : sl_str_cmp(e->path, f->path);
        i += c <= 0;
        k += c >= 0;
        if (c == 0 && is_same(e, f)) {
            continue;
        }
        changes++;
        const struct img_entry *shown = f && c >= 0 ? f : e;
        SL_BUG_ON(!shown);
        put_change(&b, o->json ? &w : NULL, c < 0 ? "-" : c > 0 ? "+" : "~", shown);
    }
    if (o->json) {
        sl_jw_end_array(&w);
        sl_jw_end_object(&w);
        sl_buf_putc(&b, '\n');
    } else if (!changes) {
        sl_buf_printf(&b, "%.*s and %.*s hold the same\n", SL_S(from), SL_S(to));
    }
    cli_put(stdout, sl_buf_str(&b));
    return 0;
}

/* Two built images; or one beside what its definition gives now. */
static int diff(struct sl_arena *a, const struct cli_image_options *o, const char *which, const char *other)
{
    struct cli_source_error e = {.err = SL_ERR_INIT};
    struct img_content x, y;
    sl_str from, to;
    struct img_def def;
    struct img_gathered g;
    struct mvn_fetch *fetch = NULL;
    if (!load(a, which, &from, &x, &e.err)) {
        return cli_source_error_print(&e);
    }
    bool ok = other ? load(a, other, &to, &y, &e.err) : cli_image_gather(a, o, which, &def, &fetch, &g, &e);
    if (ok) {
        ok = put_diff(o, from, &x, other ? to : sl_arena_printf(a, "images/%s.yaml", which),
                      other ? &y : &g.content) == 0;
    } else {
        cli_source_error_print(&e);
    }
    if (fetch) {
        mvn_fetch_free(fetch);
    }
    return ok ? 0 : sl_code_exit(e.err.code);
}

static int verify(struct sl_arena *a, const char *which)
{
    struct sl_err err = SL_ERR_INIT;
    struct img_base base;
    struct img_faults faults;
    const char *root = cli_image_root(a);
    if (!img_base_find(a, root, sl_str_of(which), &base, &err) ||
        !img_base_verify(a, root, &base, &faults, &err) ||
        !img_oci_verify(a, root, base.name, &faults, &err)) {
        return cli_print_error(&err);
    }
    if (!faults.v.n) {
        printf("%.*s@%s: %zu entries are what was built\n", SL_S(base.name), base.digest, base.entries);
        return 0;
    }
    sl_fail(&err, SL_IMAGE_BROKEN, "%.*s: %zu file%s not what was built", SL_S(base.name), faults.v.n,
            faults.v.n == 1 ? " is" : "s are");
    int code = cli_print_error(&err);
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    for (size_t i = 0; i < faults.v.n; i++) {
        sl_buf_putz(&b, "   ");
        cli_put_visible(&b, faults.v.v[i]);
        sl_buf_putc(&b, '\n');
    }
    cli_put(stderr, sl_buf_str(&b));
    return code;
}

static int gc(struct sl_arena *a)
{
    struct sl_err err = SL_ERR_INIT;
    size_t builds;
    int64_t bytes;
    const char *root = cli_image_root(a);
    if (!img_base_gc(root, &builds, &bytes, &err) || !img_oci_gc(root, &bytes, &err)) {
        return cli_print_error(&err);
    }
    printf("%zu build%s removed, %s freed\n", builds, builds == 1 ? "" : "s", cli_image_size(bytes).z);
    return 0;
}

static int take_name(struct sl_arena *a, const char *which)
{
    struct sl_err err = SL_ERR_INIT;
    const char *root = cli_image_root(a);
    struct img_base base;
    bool ok = img_base_find(a, root, sl_str_of(which), &base, &err) &&
              img_oci_name(root, base.name, NULL, 0, SL_STR_NONE, &err) &&
              img_base_remove(root, base.name, &err);
    return ok ? 0 : cli_print_error(&err);
}

static int image(int argc, char **argv)
{
    SL_ARENA_AUTO a = {0};
    struct cli_image_options o = {0};
    const struct cli_option options[] = {{.name = "--json", .flag = &o.json},
                                         {.name = "--oci", .flag = &o.oci},
                                         {.name = "--sbom", .flag = &o.sbom},
                                         {.name = "--sign", .value = &o.sign},
                                         {.name = "--mount-from", .values = &o.mount_from},
                                         {.name = "--offline", .flag = &o.from.offline},
                                         {.name = "--settings", .value = &o.from.settings},
                                         {.name = "--repository", .values = &o.from.given},
                                         {.name = NULL}};
    static const struct {
        const char *name;
        size_t least, most;
    } verbs[] = {{"build", 1, 1}, {"ls", 0, 0}, {"show", 1, 1}, {"diff", 1, 2}, {"verify", 1, 1},
                 {"rm", 1, 1},    {"gc", 0, 0}, {"push", 2, 2}, {"pull", 1, 2}};
    struct cli_args x = {.verb = "image", .options = options};
    if (!cli_args_read(&x, &a, argc, argv)) {
        return 2;
    }
    const char *verb = x.files.n ? x.files.v[0] : "";
    size_t i = 0, n = x.files.n ? x.files.n - 1 : 0;
    while (i < SL_ARRAY_LEN(verbs) && strcmp(verbs[i].name, verb) != 0) {
        i++;
    }
    if (i == SL_ARRAY_LEN(verbs)) {
        return cli_usage("image",
                         *verb ? "there is no 'sluice image %s'"
                               : "say what to do: build, ls, show, diff, push, pull, verify, rm, gc%s",
                         verb);
    }
    if (n < verbs[i].least || n > verbs[i].most) {
        return cli_usage("image",
                         n < verbs[i].least ? "%s needs the name of an image" : "%s takes fewer names", verb);
    }
    const char *which = n ? x.files.v[1] : "";
    switch (i) {
    case 0:
        return build(&a, &o, which);
    case 1:
        return list(&a, &o);
    case 2:
        return show(&a, &o, which);
    case 3:
        return diff(&a, &o, which, n > 1 ? x.files.v[2] : NULL);
    case 4:
        return verify(&a, which);
    case 5:
        return take_name(&a, which);
    case 6:
        return gc(&a);
    case 7:
        return cli_image_push(&a, &o, which, x.files.v[2]);
    default:
        return cli_image_pull(&a, &o, which, n > 1 ? x.files.v[2] : NULL);
    }
}

const struct cli_verb cli_image = {
    .name = "image",
    .summary = "base images: build, ls, show, diff, push, pull, verify, rm, gc",
    .usage =
        "usage: sluice image build NAME|FILE.yaml [--oci] [--json] [options]\n"
        "       sluice image ls [--json]\n"
        "       sluice image show NAME [--json | --sbom]\n"
        "       sluice image diff NAME [OTHER] [--json] [options]\n"
        "       sluice image push NAME HOST/REPOSITORY[:TAG] [--mount-from REPOSITORY] [--sbom] [--sign "
        "KEY]\n"
        "                         [--json]\n"
        "       sluice image pull HOST/REPOSITORY[:TAG][@sha256:...] [NAME] [--json]\n"
        "       sluice image verify|rm NAME\n"
        "       sluice image gc\n"
        "\n"
        "A base image is Flink with the connectors, formats, file systems, functions and files that jobs "
        "share.\n"
        "images/NAME.yaml says what is in it (docs/images.md). build resolves that to a closed list of files "
        "with\n"
        "their SHA-256 and makes a folder of hard links of it; the same inputs give the same digest. NAME "
        "may "
        "be\n"
        "NAME@sha256:... or sha256:..., too.\n"
        "\n"
        "  --oci                 also the OCI form: layers, configuration and manifest in an OCI image "
        "layout\n"
        "  push, pull            the OCI form to and from a registry; what is there is not sent again, the "
        "tag "
        "is\n"
        "                        set last; https, or http: in front of HOST for one without (this machine's "
        "own "
        "is)\n"
        "  --sbom                the components as CycloneDX 1.6: shown, or attached to what is pushed\n"
        "  --sign KEY            a signature in cosign's form beside it, with a private key (PEM)\n"
        "  --mount-from REPO     a repository of the registry that may have some of it; again for more\n"
        "  diff                  between two images; of one, to what images/NAME.yaml gives now\n"
        "  verify                holds every file against its SHA-256; exit code 5: one does not fit\n"
        "  rm                    takes the name away; gc removes what has none\n"
        "  --json                one JSON value; of show the list whose SHA-256 is the digest\n"
        "  --repository URL      of Maven; https:, http: or file:; again for more\n"
        "  --offline             nothing but the cache and file: repositories\n"
        "  --settings FILE       Maven's settings, in place of ~/.m2/settings.xml\n",
    .exec = image,
};
