/* SPDX-License-Identifier: Apache-2.0
 * Small manifests beside an image's own. */
#include "runtime-image/attach.h"

#include "base/digest.h"
#include "base/limits.h"
#include "runtime-image/registry_impl.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>

#define EMPTY_TYPE   "application/vnd.oci.empty.v1+json"
#define PAYLOAD_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"

static void put_descriptor(struct sl_jw *w, const char *type, const char *digest, int64_t bytes)
{
    sl_jw_kstrz(w, "mediaType", type);
    sl_jw_kstrz(w, "digest", digest);
    sl_jw_ki64(w, "size", bytes);
}

/* A small blob into the layout and to the registry. */
static bool push_small(struct img_registry *r, const char *oci, sl_str content, char ret_digest[72],
                       struct sl_err *err)
{
    struct img_pushed counts = {0};
    return img_blob_write(oci, content, ret_digest, err) &&
           reg_push_blob(r, oci, sl_str_of(ret_digest), (int64_t)content.n, &counts, err);
}

static bool put_tagged(struct img_registry *r, struct sl_arena *a, const char *tag, sl_str text,
                       const char *type, bool *ret_subject, struct sl_err *err)
{
    char digest[72];
    sl_sha256_digest(text, digest);
    const char *url =
        sl_arena_printf(a, "/v2/%.*s/manifests/%s", SL_S(r->ref.repository), tag ? tag : digest).p;
    return reg_put_manifest(r, a, url, text, sl_str_of(type), digest, ret_subject, err);
}

/* The list "sha256-HEX" with one manifest more (distribution spec, referrers tag schema). */
static bool note_referrer(struct img_registry *r, struct sl_arena *a, const char *subject, const char *digest,
                          int64_t bytes, const char *type, struct sl_err *err)
{
    struct sys_http_answer x;
    const char *tag = sl_arena_printf(a, "sha256-%s", subject + 7).p;
    struct reg_request rq = {.method = "GET",
                             .url =
                                 sl_arena_printf(a, "/v2/%.*s/manifests/%s", SL_S(r->ref.repository), tag).p,
                             .accept = IMG_OCI_INDEX};
    if (!reg_ask(r, a, &rq, &x, err)) {
        return false;
    }
    const struct sl_json *old = x.status == 200 ? sl_json_parse(a, x.body, err) : NULL;
    if (x.status != 404 && !old) {
        return x.status == 200 ? false : reg_fail(r, a, &x, "the list of what refers to the image", err);
    }
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, SL_LIMIT_MANIFEST_BYTES);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_ki64(&w, "schemaVersion", 2);
    sl_jw_kstrz(&w, "mediaType", IMG_OCI_INDEX);
    sl_jw_key(&w, "manifests");
    sl_jw_array(&w);
    SL_JSON_EACH(m, sl_json_get(old, "manifests"))
    {
        if (!sl_str_eqz(sl_json_str(sl_json_get(m, "digest"), SL_STR_NONE), digest)) {
            sl_jw_value(&w, m);
        }
    }
    sl_jw_object(&w);
    put_descriptor(&w, IMG_OCI_MANIFEST, digest, bytes);
    sl_jw_kstrz(&w, "artifactType", type);
    sl_jw_end_object(&w);
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    return put_tagged(r, a, tag, sl_buf_str(&b), IMG_OCI_INDEX, NULL, err);
}

bool img_attach(struct img_registry *r, const char *root, sl_str name, const char *type, sl_str content,
                struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct img_oci image;
    char blob[72], empty[72], own[72];
    const char *oci = img_oci_root(&a, root);
    bool lists = false;
    r->push = true;
    if (!img_oci_find(&a, root, name, &image, err) || !push_small(r, oci, SL_STR("{}"), empty, err) ||
        !push_small(r, oci, content, blob, err)) {
        return false;
    }
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, SL_LIMIT_MANIFEST_BYTES);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_ki64(&w, "schemaVersion", 2);
    sl_jw_kstrz(&w, "mediaType", IMG_OCI_MANIFEST);
    sl_jw_kstrz(&w, "artifactType", type);
    sl_jw_key(&w, "config");
    sl_jw_object(&w);
    put_descriptor(&w, EMPTY_TYPE, empty, 2);
    sl_jw_end_object(&w);
    sl_jw_key(&w, "layers");
    sl_jw_array(&w);
    sl_jw_object(&w);
    put_descriptor(&w, type, blob, (int64_t)content.n);
    sl_jw_end_object(&w);
    sl_jw_end_array(&w);
    sl_jw_key(&w, "subject");
    sl_jw_object(&w);
    put_descriptor(&w, IMG_OCI_MANIFEST, image.digest, image.bytes);
    sl_jw_end_object(&w);
    sl_jw_end_object(&w);
    sl_sha256_digest(sl_buf_str(&b), own);
    return put_tagged(r, &a, NULL, sl_buf_str(&b), IMG_OCI_MANIFEST, &lists, err) &&
           (lists || note_referrer(r, &a, image.digest, own, (int64_t)b.n, type, err));
}

/* ---- signatures ---- */

static EVP_PKEY *read_key(const char *path, struct sl_err *err)
{
    FILE *f = fopen(path, "rbe");
    static char none[] = ""; /* no password is asked for */
    if (!f) {
        sl_fail_errno(err, errno == ENOENT ? SL_FILE_NOT_FOUND : SL_IO, errno, "cannot read %s", path);
        return NULL;
    }
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, none);
    (void)fclose(f);
    if (!key) {
        sl_fail(err, SL_CONFIG_VALUE, "%s holds no private key without a password (PEM)", path);
        sl_hint(err, "openssl ecparam -genkey -name prime256v1 -noout -out key.pem");
    }
    return key;
}

/* Signature of the text over its SHA-256, in base64; NULL: it cannot be made with this key. */
static const char *sign(struct sl_arena *a, const char *path, sl_str text, struct sl_err *err)
{
    EVP_PKEY *key = read_key(path, err);
    if (!key) {
        return NULL;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    SL_OOM_ON(!ctx);
    size_t n = 0;
    unsigned char *raw = NULL, *out = NULL;
    bool ok = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(ctx, NULL, &n, (const unsigned char *)text.p, text.n) == 1;
    if (ok) {
        raw = sl_arena_alloc(a, n + 1);
        out = sl_arena_alloc(a, n * 4 / 3 + 8);
        ok = EVP_DigestSign(ctx, raw, &n, (const unsigned char *)text.p, text.n) == 1;
    }
    if (ok) {
        EVP_EncodeBlock(out, raw, (int)n);
    } else {
        sl_fail(err, SL_CONFIG_VALUE, "nothing can be signed with the key in %s", path);
    }
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok ? (const char *)out : NULL;
}

bool img_sign(struct img_registry *r, const char *root, sl_str name, const char *key, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct img_oci image;
    char payload_digest[72], config_digest[72];
    const char *oci = img_oci_root(&a, root);
    r->push = true;
    if (!img_oci_find(&a, root, name, &image, err)) {
        return false;
    }
    sl_str payload = sl_arena_printf(&a,
                                     "{\"critical\":{\"identity\":{\"docker-reference\":\"%.*s/%.*s\"},"
                                     "\"image\":{\"docker-manifest-digest\":\"%s\"},"
                                     "\"type\":\"cosign container image signature\"},\"optional\":null}",
                                     SL_S(r->ref.host), SL_S(r->ref.repository), image.digest);
    const char *signature = sign(&a, key, payload, err);
    if (!signature || !push_small(r, oci, payload, payload_digest, err)) {
        return false;
    }
    sl_str config = sl_arena_printf(
        &a,
        "{\"architecture\":\"\",\"created\":\"0001-01-01T00:00:00Z\",\"history\":[{\"created\":"
        "\"0001-01-01T00:00:00Z\"}],\"os\":\"\",\"rootfs\":{\"type\":\"layers\","
        "\"diff_ids\":[\"%s\"]},\"config\":{}}",
        payload_digest);
    if (!push_small(r, oci, config, config_digest, err)) {
        return false;
    }
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, SL_LIMIT_MANIFEST_BYTES);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_ki64(&w, "schemaVersion", 2);
    sl_jw_kstrz(&w, "mediaType", IMG_OCI_MANIFEST);
    sl_jw_key(&w, "config");
    sl_jw_object(&w);
    put_descriptor(&w, IMG_OCI_CONFIG, config_digest, (int64_t)config.n);
    sl_jw_end_object(&w);
    sl_jw_key(&w, "layers");
    sl_jw_array(&w);
    sl_jw_object(&w);
    put_descriptor(&w, PAYLOAD_TYPE, payload_digest, (int64_t)payload.n);
    sl_jw_key(&w, "annotations");
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "dev.cosignproject.cosign/signature", signature);
    sl_jw_end_object(&w);
    sl_jw_end_object(&w);
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    const char *tag = sl_arena_printf(&a, "sha256-%s.sig", image.digest + 7).p;
    return put_tagged(r, &a, tag, sl_buf_str(&b), IMG_OCI_MANIFEST, NULL, err);
}
