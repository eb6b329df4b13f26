/* SPDX-License-Identifier: Apache-2.0
 * Layers of an OCI image: tar archives (ustar, with PAX records only where a name is too long), the same bytes for the same
 * entries: sorted, times 0, owners by number, modes of the list. Every folder above an entry is in the layer, too, as it is in
 * the image, so that laying one layer over another changes no folder. Jars are deflated already: their layers are plain tar,
 * whose digest is that of their content. Blocking. */
#ifndef SLUICE_IMG_OCI_LAYER_H
#define SLUICE_IMG_OCI_LAYER_H

#include "runtime-image/content.h"

#define IMG_LAYER_TAR  "application/vnd.oci.image.layer.v1.tar"
#define IMG_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"

struct img_layer {
    sl_str title;     /* "jre", "flink 2.2.1", a jar's coordinate or file */
    bool gzip;        /* its media type is IMG_LAYER_GZIP */
    char digest[72];  /* of the blob */
    char diff_id[72]; /* of the tar archive */
    int64_t bytes;    /* of the blob */
    bool was_there;
};
struct img_layers {
    SL_VEC(struct img_layer) v;
};

/* The layers of a closed list with sources, lowest first, as blobs below `oci`/blobs/sha256; what was made once is noted in
 * `oci`/layers and not made again. `gzip`: of the layers that are compressed (system, JRE, files), 1 to 9; `gzip_jars`: of the
 * others, 0 = plain tar. Errors: image-broken (a source does not fit its SHA-256), io, disk-full, limit-exceeded. */
struct img_layer_options {
    int gzip, gzip_jars;
};
SL_MUST_CHECK bool img_layers_write(struct sl_arena *a, const char *oci, const struct img_content *c,
                                    const struct img_layer_options *o, struct img_layers *ret,
                                    struct sl_err *err);
/* Where a blob ("sha256:...") lies. */
char *img_blob_path(struct sl_arena *a, const char *oci, const char *digest);
/* Keeps a small blob. */
SL_MUST_CHECK bool img_blob_write(const char *oci, sl_str content, char ret_digest[72], struct sl_err *err);

#endif
