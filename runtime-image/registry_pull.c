/* SPDX-License-Identifier: Apache-2.0
 * Pulling an image into the layout: the manifest by its digest, then what it names, each held against its digest before it can be
 * seen; the name last. */
#include "base/digest.h"
#include "base/limits.h"
#include "runtime-image/registry_impl.h"
#include "sys/file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define TRIES           3 /* of a blob that came with other bytes */

static bool fetch_manifest(struct img_registry *r, struct sl_arena *a, const char *which, sl_str *ret_text,
                           sl_str *ret_type, char ret_digest[72], struct sl_err *err)
{
    struct sys_http_answer x;
    struct reg_request rq = {
        .method = "GET",
        .url = sl_arena_printf(a, "/v2/%.*s/manifests/%s", SL_S(r->ref.repository), which).p,
        .accept = IMG_OCI_MANIFEST ", " IMG_OCI_INDEX ", " DOCKER_MANIFEST ", " DOCKER_LIST};
    if (!reg_ask(r, a, &rq, &x, err)) {
        return false;
    }
    if (x.status == 404) {
        return sl_fail(err, SL_IMAGE_UNKNOWN, "%.*s has no %.*s:%s", SL_S(r->ref.host),
                       SL_S(r->ref.repository), which);
    }
    if (x.status != 200) {
        return reg_fail(r, a, &x, "a manifest", err);
    }
    sl_sha256_digest(x.body, ret_digest);
    const char *told = strncmp(which, "sha256:", 7) == 0 ? which : x.kept[REG_DIGEST];
    if (told && strcmp(told, ret_digest) != 0) {
        return sl_fail(err, SL_REGISTRY_FAILED, "%.*s sent another manifest than %.19s", SL_S(r->ref.host),
                       told);
    }
    ptrdiff_t semicolon = sl_str_find_char(x.content_type, ';');
    *ret_text = x.body;
    *ret_type =
        sl_str_trim(semicolon < 0 ? x.content_type : sl_str_sub(x.content_type, 0, (size_t)semicolon));
    return true;
}

static bool is_for_this_machine(const struct sl_json *m)
{
    struct utsname u;
    sl_str arch = sl_json_str(sl_json_path(m, "platform.architecture"), SL_STR_NONE);
    const char *own = uname(&u) == 0 && strcmp(u.machine, "aarch64") == 0 ? "arm64" : "amd64";
    return sl_str_eqz(arch, own) &&
           sl_str_eqz(sl_json_str(sl_json_path(m, "platform.os"), SL_STR_NONE), "linux");
}

/* A blob into the layout. What has come of it in an earlier try is gone on with. */
static bool pull_blob(struct img_registry *r, const char *oci, const struct sl_json *descriptor,
                      struct img_pulled *ret, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    sl_str digest = sl_json_str(sl_json_get(descriptor, "digest"), SL_STR_NONE);
    int64_t bytes = sl_json_i64(sl_json_get(descriptor, "size"), -1);
    if (!reg_digest_ok(digest) || bytes < 0) {
        return sl_fail(err, SL_REGISTRY_FAILED, "the manifest names a blob without digest and size");
    }
    const char *name = sl_arena_strdupz(&a, digest), *path = img_blob_path(&a, oci, name);
    if (sys_file_size(path) == bytes) {
        ret->there++;
        return true;
    }
    const char *part = sys_path_join(&a, oci, sl_arena_printf(&a, "tmp/%s.part", name + 7).p);
    struct reg_request rq = {.method = "GET",
                             .url = sl_arena_printf(&a, "/v2/%.*s/blobs/%s", SL_S(r->ref.repository), name).p,
                             .save_path = part};
    for (int tries = 0; tries < TRIES; tries++) {
        struct sys_http_answer x;
        char hex[65];
        int64_t before = SL_MAX(sys_file_size(part), 0), is;
        if (!reg_ask(r, &a, &rq, &x, err)) {
            return false;
        }
        if (x.status < 200 || x.status > 299) {
            return reg_fail(r, &a, &x, "a blob", err);
        }
        if (!img_file_digest(part, -1, hex, &is, err)) {
            return false;
        }
        ret->bytes += SL_MAX(is - before, 0);
        if (strcmp(hex, name + 7) == 0) {
            ret->fetched++;
            return rename(part, path) == 0 || sl_fail_errno(err, SL_IO, errno, "cannot rename %s", part);
        }
        unlink(part);
    }
    return sl_fail(err, SL_REGISTRY_FAILED, "%.*s sends other bytes for the blob %.19s", SL_S(r->ref.host),
                   name);
}

static bool pull_all(struct img_registry *r, struct sl_arena *a, const char *oci,
                     const struct sl_json *manifest, struct img_pulled *ret, struct sl_err *err)
{
    static const char *const folders[] = {"blobs/sha256", "tmp"};
    for (size_t i = 0; i < SL_ARRAY_LEN(folders); i++) {
        if (!sys_mkdirs(sys_path_join(a, oci, folders[i]), 0755, err)) {
            return false;
        }
    }
    if (!pull_blob(r, oci, sl_json_get(manifest, "config"), ret, err)) {
        return false;
    }
    SL_JSON_EACH(l, sl_json_get(manifest, "layers"))
    {
        if (!pull_blob(r, oci, l, ret, err)) {
            return false;
        }
    }
    return true;
}

bool img_pull(struct img_registry *r, const char *root, sl_str name, struct img_pulled *ret,
              struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct img_oci old;
    sl_str text, type;
    char digest[72];
    const char *oci = img_oci_root(&a, root);
    const char *which = r->ref.digest[0] ? r->ref.digest : sl_arena_strdupz(&a, r->ref.tag);
    *ret = (struct img_pulled){0};
    if (img_oci_find(&a, root, name, &old, NULL)) {
        memcpy(ret->previous, old.digest, sizeof ret->previous);
    }
    for (int depth = 0; depth < 3; depth++) {
        if (!fetch_manifest(r, &a, which, &text, &type, digest, err)) {
            return false;
        }
        const struct sl_json *j = sl_json_parse(&a, text, err);
        if (!j) {
            return sl_wrap(err, "the manifest of %.*s", SL_S(r->ref.repository));
        }
        if (sl_json_get(j, "layers")) {
            memcpy(ret->digest, digest, sizeof ret->digest);
            return pull_all(r, &a, oci, j, ret, err) && img_blob_write(oci, text, digest, err) &&
                   img_oci_name(root, name, digest, (int64_t)text.n, type, err);
        }
        which = NULL;
        SL_JSON_EACH(m, sl_json_get(j, "manifests"))
        {
            sl_str of = sl_json_str(sl_json_get(m, "digest"), SL_STR_NONE);
            if (!which && is_for_this_machine(m) && reg_digest_ok(of)) {
                which = sl_arena_strdupz(&a, of);
            }
        }
        if (!which) {
            break;
        }
    }
    return sl_fail(err, SL_IMAGE_UNKNOWN, "%.*s/%.*s holds no image for this machine", SL_S(r->ref.host),
                   SL_S(r->ref.repository));
}
