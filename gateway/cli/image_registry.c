/* SPDX-License-Identifier: Apache-2.0
 * sluice image push|pull. */
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/image.h"
#include "gateway/cli/settings.h"
#include "runtime-image/attach.h"
#include "runtime-image/image.h"
#include "runtime-image/sbom.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <stdio.h>
#include <stdlib.h>

static struct img_registry *open_registry(struct sl_arena *a, const struct img_ref *ref,
                                          const struct cli_words *more)
{
    const struct sys_config *c = cli_settings();
    const char *home = getenv("HOME"), *docker = getenv("DOCKER_CONFIG");
    const char *folder = docker && *docker ? docker : home ? sys_path_join(a, home, ".docker") : NULL;
    struct img_registry_options o = {.user = sl_arena_strdupz(a, c->registry_user),
                                     .password = sl_arena_strdupz(a, c->registry_password),
                                     .docker_config = folder ? sys_path_join(a, folder, "config.json") : NULL,
                                     .ca_file =
                                         c->registry_ca.n ? sl_arena_strdupz(a, c->registry_ca) : NULL};
    const char **list = sl_new_n(a, const char *, more->n + 1);
    for (size_t i = 0; i < more->n; i++) {
        list[i] = more->v[i];
    }
    return img_registry_new(ref, &o, more->n ? list : NULL);
}

static void put_common(struct sl_jw *w, sl_str name, sl_str reference, const char *digest,
                       const char *previous, int64_t ms)
{
    sl_jw_object(w);
    sl_jw_kstr(w, "name", name);
    sl_jw_kstr(w, "reference", reference);
    sl_jw_kstrz(w, "digest", digest);
    sl_jw_kstrz(w, "previous", *previous ? previous : NULL);
    sl_jw_ki64(w, "ms", ms);
}

static void finish(struct sl_jw *w, struct sl_buf *b, const struct cli_image_options *o)
{
    if (o->json) {
        sl_jw_end_object(w);
        sl_buf_putc(b, '\n');
    }
    cli_put(stdout, sl_buf_str(b));
}

static bool attach_sbom(struct sl_arena *a, struct img_registry *r, const char *name, struct sl_err *err)
{
    const char *root = cli_image_root(a);
    struct img_base base;
    struct img_content c;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    return img_base_find(a, root, sl_str_of(name), &base, err) && img_base_read(a, root, &base, &c, err) &&
           img_sbom_write(&c, base.name, &b, err) &&
           img_attach(r, root, base.name, IMG_SBOM_TYPE, sl_buf_str(&b), err);
}

int cli_image_push(struct sl_arena *a, const struct cli_image_options *o, const char *name, const char *to)
{
    struct sl_err err = SL_ERR_INIT;
    struct img_ref ref;
    struct img_pushed p;
    int64_t began = sys_now_ms();
    if (!img_ref_parse(sl_str_of(to), &ref, &err)) {
        return cli_print_error(&err);
    }
    for (size_t i = 0; i < o->mount_from.n; i++) {
        struct img_ref other;
        if (!img_ref_parse(sl_arena_printf(a, "a.b/%s", o->mount_from.v[i]), &other, NULL) ||
            other.digest[0] || !sl_str_eqz(other.repository, o->mount_from.v[i])) {
            return cli_usage("image", "'%s' is no repository", o->mount_from.v[i]);
        }
    }
    struct img_registry *r = open_registry(a, &ref, &o->mount_from);
    bool ok = img_push(r, cli_image_root(a), sl_str_of(name), &p, &err) &&
              (!o->sbom || attach_sbom(a, r, name, &err)) &&
              (!o->sign || img_sign(r, cli_image_root(a), sl_str_of(name), o->sign, &err));
    img_registry_free(r);
    if (!ok) {
        return cli_print_error(&err);
    }
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_str reference = img_ref_text(a, &ref);
    if (o->json) {
        put_common(&w, sl_str_of(name), reference, p.digest, p.previous, sys_now_ms() - began);
        sl_jw_ki64(&w, "sent", (int64_t)p.sent);
        sl_jw_ki64(&w, "mounted", (int64_t)p.mounted);
        sl_jw_ki64(&w, "there", (int64_t)p.there);
        sl_jw_ki64(&w, "bytes", p.bytes);
        sl_jw_ki64(&w, "requests", (int64_t)p.requests);
    } else {
        sl_buf_printf(&b, "%.*s@%s\n", SL_S(reference), p.digest);
        fprintf(stderr, "%zu blobs sent, %zu mounted, %zu were there; %s in %zu requests\n", p.sent,
                p.mounted, p.there, cli_image_size(p.bytes).z, p.requests);
        if (*p.previous && strcmp(p.previous, p.digest) != 0) {
            fprintf(stderr, "note: %.*s was %s before\n", SL_S(reference), p.previous);
        }
    }
    finish(&w, &b, o);
    return 0;
}

int cli_image_pull(struct sl_arena *a, const struct cli_image_options *o, const char *from, const char *as)
{
    struct sl_err err = SL_ERR_INIT;
    struct img_ref ref;
    struct img_pulled p;
    int64_t began = sys_now_ms();
    if (!img_ref_parse(sl_str_of(from), &ref, &err)) {
        return cli_print_error(&err);
    }
    sl_str name = sl_str_of(as), part;
    for (size_t at = 0; !as && cat_next_word(ref.repository, '/', &at, &part);) {
        name = part;
    }
    if (!img_name_ok(name)) {
        return cli_usage("image", "'%.*s' cannot be the name of an image", SL_S(name));
    }
    struct img_registry *r = open_registry(a, &ref, &o->mount_from);
    bool ok = img_pull(r, cli_image_root(a), name, &p, &err);
    img_registry_free(r);
    if (!ok) {
        return cli_print_error(&err);
    }
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    if (o->json) {
        put_common(&w, name, img_ref_text(a, &ref), p.digest, p.previous, sys_now_ms() - began);
        sl_jw_ki64(&w, "fetched", (int64_t)p.fetched);
        sl_jw_ki64(&w, "there", (int64_t)p.there);
        sl_jw_ki64(&w, "bytes", p.bytes);
    } else {
        sl_buf_printf(&b, "oci:%s:%.*s@%s\n", img_oci_root(a, cli_image_root(a)), SL_S(name), p.digest);
        fprintf(stderr, "%zu blobs fetched, %zu were there; %s\n", p.fetched, p.there,
                cli_image_size(p.bytes).z);
        if (*p.previous && strcmp(p.previous, p.digest) != 0) {
            fprintf(stderr, "note: %.*s was %s before\n", SL_S(name), p.previous);
        }
    }
    finish(&w, &b, o);
    return 0;
}
