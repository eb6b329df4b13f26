/* SPDX-License-Identifier: Apache-2.0
 * The OCI form of base images, as an OCI image layout (image spec 1.1) in the folder `oci` beside the builds: blobs by digest,
 * index.json with one manifest a name. Configuration and manifest are canonical: no times, keys in one order. Blocking. */
#ifndef SLUICE_IMG_OCI_LAYOUT_H
#define SLUICE_IMG_OCI_LAYOUT_H

#include "base/json.h"
#include "runtime-image/base_folder.h"
#include "runtime-image/oci_layer.h"

#define IMG_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define IMG_OCI_INDEX    "application/vnd.oci.image.index.v1+json"
#define IMG_OCI_CONFIG   "application/vnd.oci.image.config.v1+json"

struct img_oci {
    char digest[72]; /* of the manifest */
    int64_t bytes;   /* of the manifest */
    sl_str type;     /* its media type */
    struct img_layers layers;
    int64_t layer_bytes, new_bytes; /* of all layers; of those that were made now */
};
char *img_oci_root(struct sl_arena *a, const char *root);
/* The image of a build, and the name for it in index.json. Errors: those of img_layers_write, busy. */
SL_MUST_CHECK bool img_oci_build(struct sl_arena *a, const char *root, const struct img_base *b,
                                 const struct img_layer_options *o, struct img_oci *ret, struct sl_err *err);
/* What index.json says of a name; layers are left empty. Error: image-unknown, image-broken. */
SL_MUST_CHECK bool img_oci_find(struct sl_arena *a, const char *root, sl_str name, struct img_oci *ret,
                                struct sl_err *err);
/* A blob of JSON: manifest, index or configuration, whose bytes fit its digest. Error: image-broken. */
SL_MUST_CHECK bool img_oci_read(struct sl_arena *a, const char *root, const char *digest, sl_str *ret_text,
                                const struct sl_json **ret, struct sl_err *err);
/* Puts a name for a manifest whose blobs are all there into index.json, or takes it away (digest NULL). */
SL_MUST_CHECK bool img_oci_name(const char *root, sl_str name, const char *digest, int64_t bytes, sl_str type,
                                struct sl_err *err);
/* Every blob that a name leads to, against its digest; what does not fit is told. A name that is not there is none. */
SL_MUST_CHECK bool img_oci_verify(struct sl_arena *a, const char *root, sl_str name, struct img_faults *ret,
                                  struct sl_err *err);
/* Removes blobs that no name leads to, and notes of layers that are gone. */
SL_MUST_CHECK bool img_oci_gc(const char *root, int64_t *ret_bytes, struct sl_err *err);

#endif
