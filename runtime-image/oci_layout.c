/* SPDX-License-Identifier: Apache-2.0
 * Configuration, manifest and index of the images of this machine. */
#include "runtime-image/oci_layout.h"

#include "base/digest.h"
#include "base/limits.h"
#include "sys/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define REF_NAME    "org.opencontainers.image.ref.name"
#define INDEX_BYTES ((size_t)16 << 20)
#define EPOCH       "1970-01-01T00:00:00Z"

char *img_oci_root(struct sl_arena *a, const char *root)
{
    return sys_path_join(a, root, "oci");
}

/* ---- configuration and manifest ---- */

static const char *architecture(void)
{
    struct utsname u;
    if (uname(&u) != 0 || strcmp(u.machine, "x86_64") == 0) {
        return "amd64";
    }
    return strcmp(u.machine, "aarch64") == 0 ? "arm64" : u.machine[0] == 'r' ? "riscv64" : "ppc64le";
}

static void put_strings(struct sl_jw *w, const char *key, const char *const *v)
{
    sl_jw_key(w, key);
    sl_jw_array(w);
    for (; *v; v++) {
        sl_jw_strz(w, *v);
    }
    sl_jw_end_array(w);
}

static void put_config(struct sl_buf *b, const struct img_content *c, const struct img_layers *layers)
{
    static const char *const env[] = {
        "PATH=/opt/flink/bin:/opt/java/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "FLINK_HOME=/opt/flink", "JAVA_HOME=/opt/java", NULL};
    static const char *const entrypoint[] = {"/docker-entrypoint.sh", NULL}, *const cmd[] = {"help", NULL};
    static const char *const ports[] = {"6123/tcp", "8081/tcp", NULL};
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "created", EPOCH);
    sl_jw_kstrz(&w, "architecture", architecture());
    sl_jw_kstrz(&w, "os", "linux");
    sl_jw_key(&w, "config");
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "User", "9999:9999");
    sl_jw_key(&w, "ExposedPorts");
    sl_jw_object(&w);
    for (size_t i = 0; ports[i]; i++) {
        sl_jw_key(&w, ports[i]);
        sl_jw_object(&w);
        sl_jw_end_object(&w);
    }
    sl_jw_end_object(&w);
    put_strings(&w, "Env", env);
    if (img_content_find(c, SL_STR("docker-entrypoint.sh"))) {
        put_strings(&w, "Entrypoint", entrypoint);
        put_strings(&w, "Cmd", cmd);
    }
    sl_jw_kstrz(&w, "WorkingDir", "/opt/flink");
    sl_jw_key(&w, "Labels");
    sl_jw_object(&w);
    sl_jw_kstr(&w, "org.apache.flink.version", c->flink);
    sl_jw_kstrz(&w, "sluice.content", c->digest);
    sl_jw_end_object(&w);
    sl_jw_end_object(&w);
    sl_jw_key(&w, "rootfs");
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "type", "layers");
    sl_jw_key(&w, "diff_ids");
    sl_jw_array(&w);
    for (size_t i = 0; i < layers->v.n; i++) {
        sl_jw_strz(&w, layers->v.v[i].diff_id);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    sl_jw_key(&w, "history");
    sl_jw_array(&w);
    for (size_t i = 0; i < layers->v.n; i++) {
        sl_jw_object(&w);
        sl_jw_kstrz(&w, "created", EPOCH);
        sl_jw_kstrz(&w, "created_by", "sluice image build");
        sl_jw_kstr(&w, "comment", layers->v.v[i].title);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
}

static void put_descriptor(struct sl_jw *w, const char *type, const char *digest, int64_t bytes)
{
    sl_jw_kstrz(w, "mediaType", type);
    sl_jw_kstrz(w, "digest", digest);
    sl_jw_ki64(w, "size", bytes);
}

static void put_manifest(struct sl_buf *b, const char *config, int64_t config_bytes,
                         const struct img_layers *layers)
{
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    sl_jw_ki64(&w, "schemaVersion", 2);
    sl_jw_kstrz(&w, "mediaType", IMG_OCI_MANIFEST);
    sl_jw_key(&w, "config");
    sl_jw_object(&w);
    put_descriptor(&w, IMG_OCI_CONFIG, config, config_bytes);
    sl_jw_end_object(&w);
    sl_jw_key(&w, "layers");
    sl_jw_array(&w);
    for (size_t i = 0; i < layers->v.n; i++) {
        const struct img_layer *l = &layers->v.v[i];
        sl_jw_object(&w);
        put_descriptor(&w, l->gzip ? IMG_LAYER_GZIP : IMG_LAYER_TAR, l->digest, l->bytes);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
}

/* ---- index.json ---- */

static const char *index_path(struct sl_arena *a, const char *root)
{
    return sys_path_join(a, img_oci_root(a, root), "index.json");
}

static const struct sl_json *read_index(struct sl_arena *a, const char *root, struct sl_err *err)
{
    sl_str text;
    return sys_file_read(a, index_path(a, root), INDEX_BYTES, &text, err) ? sl_json_parse(a, text, err)
                                                                          : NULL;
}

static sl_str name_of(const struct sl_json *m)
{
    return sl_json_str(sl_json_get(sl_json_get(m, "annotations"), REF_NAME), SL_STR_NONE);
}

static void put_index_entry(struct sl_jw *w, sl_str type, sl_str digest, int64_t bytes, sl_str name)
{
    sl_jw_object(w);
    sl_jw_kstr(w, "mediaType", type);
    sl_jw_kstr(w, "digest", digest);
    sl_jw_ki64(w, "size", bytes);
    sl_jw_key(w, "annotations");
    sl_jw_object(w);
    sl_jw_kstr(w, REF_NAME, name);
    sl_jw_end_object(w);
    sl_jw_end_object(w);
}

/* index.json with a name for a manifest, or without it (digest NULL). The lock is held. */
static bool write_index(struct sl_arena *a, const char *root, sl_str name, const char *digest, int64_t bytes,
                        sl_str type, struct sl_err *err)
{
    const char *oci = img_oci_root(a, root);
    const struct sl_json *old = NULL;
    if (sys_exists(index_path(a, root)) ? !(old = read_index(a, root, err)) : !digest) {
        return !digest && !sys_exists(index_path(a, root));
    }
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, INDEX_BYTES);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_ki64(&w, "schemaVersion", 2);
    sl_jw_kstrz(&w, "mediaType", IMG_OCI_INDEX);
    sl_jw_key(&w, "manifests");
    sl_jw_array(&w);
    SL_JSON_EACH(m, sl_json_get(old, "manifests"))
    {
        if (!sl_str_eq(name_of(m), name)) {
            sl_jw_value(&w, m);
        }
    }
    if (digest) {
        put_index_entry(&w, type, sl_str_of(digest), bytes, name);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    return sys_mkdirs(oci, 0755, err) &&
           sys_file_write(sys_path_join(a, oci, "oci-layout"), SL_STR("{\"imageLayoutVersion\":\"1.0.0\"}"),
                          0644, err) &&
           sys_file_write(index_path(a, root), sl_buf_str(&b), 0644, err);
}

bool img_oci_name(const char *root, sl_str name, const char *digest, int64_t bytes, sl_str type,
                  struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    int fd = img_base_lock(&a, root, err);
    if (fd < 0) {
        return false;
    }
    bool ok = write_index(&a, root, name, digest, bytes, type, err);
    close(fd);
    return ok;
}

static bool copy_digest(sl_str text, char ret[72])
{
    if (text.n != 71 || !sl_str_starts(text, SL_STR("sha256:"))) {
        return false;
    }
    for (size_t i = 7; i < 71; i++) {
        bool hex = (text.p[i] >= '0' && text.p[i] <= '9') || (text.p[i] >= 'a' && text.p[i] <= 'f');
        if (!hex) {
            return false;
        }
    }
    memcpy(ret, text.p, 71);
    ret[71] = 0;
    return true;
}

bool img_oci_find(struct sl_arena *a, const char *root, sl_str name, struct img_oci *ret, struct sl_err *err)
{
    const struct sl_json *index = sys_exists(index_path(a, root)) ? read_index(a, root, err) : NULL;
    if (!index && sys_exists(index_path(a, root))) {
        return false;
    }
    SL_JSON_EACH(m, sl_json_get(index, "manifests"))
    {
        if (sl_str_eq(name_of(m), name)) {
            *ret = (struct img_oci){.bytes = sl_json_i64(sl_json_get(m, "size"), 0),
                                    .type = sl_json_str(sl_json_get(m, "mediaType"), SL_STR_NONE)};
            return copy_digest(sl_json_str(sl_json_get(m, "digest"), SL_STR_NONE), ret->digest) ||
                   sl_fail(err, SL_IMAGE_BROKEN, "index.json tells no digest of %.*s", SL_S(name));
        }
    }
    sl_fail(err, SL_IMAGE_UNKNOWN, "there is no OCI image of '%.*s'", SL_S(name));
    return sl_hint(err, "sluice image build %.*s --oci", SL_S(name));
}

bool img_oci_read(struct sl_arena *a, const char *root, const char *digest, sl_str *ret_text,
                  const struct sl_json **ret, struct sl_err *err)
{
    struct sl_err inner = SL_ERR_INIT;
    char is[72];
    const char *path = img_blob_path(a, img_oci_root(a, root), digest);
    if (!sys_file_read(a, path, INDEX_BYTES, ret_text, &inner)) {
        return sl_fail(err, SL_IMAGE_BROKEN, "%s", inner.msg);
    }
    sl_sha256_digest(*ret_text, is);
    *ret = strcmp(is, digest) == 0 ? sl_json_parse(a, *ret_text, &inner) : NULL;
    return *ret || sl_fail(err, SL_IMAGE_BROKEN, "the blob %.19s is not what it was", digest);
}

/* ---- making ---- */

bool img_oci_build(struct sl_arena *a, const char *root, const struct img_base *b,
                   const struct img_layer_options *o, struct img_oci *ret, struct sl_err *err)
{
    const char *oci = img_oci_root(a, root);
    struct img_content c;
    char config[72];
    *ret = (struct img_oci){.type = SL_STR(IMG_OCI_MANIFEST)};
    if (!img_base_read(a, root, b, &c, err)) {
        return false;
    }
    int fd = img_base_lock(a, root, err);
    if (fd < 0) {
        return false;
    }
    SL_BUF_AUTO text;
    sl_buf_init(&text, 0);
    bool ok = img_layers_write(a, oci, &c, o, &ret->layers, err);
    if (ok) {
        put_config(&text, &c, &ret->layers);
        ok = img_blob_write(oci, sl_buf_str(&text), config, err);
    }
    if (ok) {
        int64_t config_bytes = (int64_t)text.n;
        sl_buf_clear(&text);
        put_manifest(&text, config, config_bytes, &ret->layers);
        ret->bytes = (int64_t)text.n;
        ok = img_blob_write(oci, sl_buf_str(&text), ret->digest, err) &&
             write_index(a, root, b->name, ret->digest, ret->bytes, ret->type, err);
    }
    close(fd);
    for (size_t i = 0; i < ret->layers.v.n; i++) {
        const struct img_layer *l = &ret->layers.v.v[i];
        ret->layer_bytes += l->bytes;
        ret->new_bytes += l->was_there ? 0 : l->bytes;
    }
    return ok;
}

/* ---- checking and sweeping ---- */

struct reached {
    SL_VEC(const char *) v; /* digests */
};

static void reach(struct sl_arena *a, const struct sl_json *descriptor, struct reached *ret)
{
    char digest[72];
    if (copy_digest(sl_json_str(sl_json_get(descriptor, "digest"), SL_STR_NONE), digest)) {
        sl_vec_push(a, &ret->v, sl_arena_strdupz(a, sl_str_of(digest)));
    }
}

/* Everything a manifest or an index leads to, itself with it. */
static bool reach_all(struct sl_arena *a, const char *root, const struct sl_json *descriptor, unsigned depth,
                      struct reached *ret, struct sl_err *err)
{
    sl_str text;
    const struct sl_json *j;
    size_t own = ret->v.n;
    reach(a, descriptor, ret);
    if (ret->v.n == own || depth > 4) {
        return sl_fail(err, SL_IMAGE_BROKEN, "a manifest tells no digest");
    }
    if (!img_oci_read(a, root, ret->v.v[own], &text, &j, err)) {
        return false;
    }
    SL_JSON_EACH(m, sl_json_get(j, "manifests"))
    {
        if (!reach_all(a, root, m, depth + 1, ret, err)) {
            return false;
        }
    }
    if (sl_json_get(j, "config")) {
        reach(a, sl_json_get(j, "config"), ret);
    }
    SL_JSON_EACH(l, sl_json_get(j, "layers"))
    {
        reach(a, l, ret);
    }
    return true;
}

bool img_oci_verify(struct sl_arena *a, const char *root, sl_str name, struct img_faults *ret,
                    struct sl_err *err)
{
    const struct sl_json *index = sys_exists(index_path(a, root)) ? read_index(a, root, err) : NULL;
    if (!index) {
        return !sys_exists(index_path(a, root));
    }
    SL_JSON_EACH(m, sl_json_get(index, "manifests"))
    {
        struct reached all = {0};
        struct sl_err inner = SL_ERR_INIT;
        if (!sl_str_eq(name_of(m), name)) {
            continue;
        }
        if (!reach_all(a, root, m, 0, &all, &inner)) {
            sl_vec_push(a, &ret->v, sl_str_dup(a, sl_str_of(inner.msg)));
        }
        for (size_t i = 0; i < all.v.n; i++) {
            char hex[65];
            int64_t bytes;
            const char *path = img_blob_path(a, img_oci_root(a, root), all.v.v[i]);
            if (!img_file_digest(path, -1, hex, &bytes, NULL)) {
                sl_vec_push(a, &ret->v, sl_arena_printf(a, "the blob %.19s is missing", all.v.v[i]));
            } else if (strcmp(hex, all.v.v[i] + 7) != 0) {
                sl_vec_push(a, &ret->v, sl_arena_printf(a, "the blob %.19s has other bytes", all.v.v[i]));
            }
        }
    }
    return true;
}

static bool is_reached(const struct reached *all, sl_str hex)
{
    for (size_t i = 0; i < all->v.n; i++) {
        if (sl_str_eqz(hex, all->v.v[i] + 7)) {
            return true;
        }
    }
    return false;
}

static bool sweep_blobs(struct sl_arena *a, const char *oci, const struct reached *all, int64_t *ret_bytes,
                        struct sl_err *err)
{
    sl_str *names;
    size_t n;
    const char *dir = sys_path_join(a, oci, "blobs/sha256");
    if (!sys_is_dir(dir)) {
        return true;
    }
    if (!sys_dir_list(a, dir, &names, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const char *path = sys_path_join(a, dir, sl_arena_strdupz(a, names[i]));
        if (is_reached(all, names[i])) {
            continue;
        }
        *ret_bytes += SL_MAX(sys_file_size(path), 0);
        if (unlink(path) != 0) {
            return sl_fail_errno(err, SL_IO, errno, "cannot remove %s", path);
        }
    }
    return true;
}

bool img_oci_gc(const char *root, int64_t *ret_bytes, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct reached all = {0};
    const char *oci = img_oci_root(&a, root);
    if (!sys_is_dir(oci)) {
        return true;
    }
    int fd = img_base_lock(&a, root, err);
    if (fd < 0) {
        return false;
    }
    const struct sl_json *index = sys_exists(index_path(&a, root)) ? read_index(&a, root, err) : NULL;
    bool ok = index || !sys_exists(index_path(&a, root));
    SL_JSON_EACH(m, sl_json_get(index, "manifests"))
    {
        ok = ok && reach_all(&a, root, m, 0, &all, err);
    }
    /* Notes of layers go with what they tell of: a layer whose blob is away is made anew. */
    ok = ok && sys_rmtree(sys_path_join(&a, oci, "tmp"), err) && sweep_blobs(&a, oci, &all, ret_bytes, err);
    close(fd);
    return ok;
}
