/* SPDX-License-Identifier: Apache-2.0
 * What the verbs of `sluice image` share. */
#ifndef SLUICE_CLI_IMAGE_H
#define SLUICE_CLI_IMAGE_H

#include "gateway/cli/repositories.h"
#include "runtime-image/base_folder.h"
#include "runtime-image/gather.h"
#include "runtime-image/oci_layout.h"

struct cli_image_options {
    struct cli_repository_options from;
    bool json, oci, sbom;
    const char *sign;            /* file of a key */
    struct cli_words mount_from; /* repositories */
};
/* The folder of built images. */
char *cli_image_root(struct sl_arena *a);
/* What images/NAME.yaml (or a file) gives now. *ret_fetch is to be freed when it is not NULL, also on failure. */
SL_MUST_CHECK bool cli_image_gather(struct sl_arena *a, const struct cli_image_options *o, const char *which,
                                    struct img_def *def, struct mvn_fetch **ret_fetch,
                                    struct img_gathered *ret, struct cli_source_error *e);
/* image_registry.c; the exit code. `as` NULL: the last part of the repository. */
int cli_image_push(struct sl_arena *a, const struct cli_image_options *o, const char *name, const char *to);
int cli_image_pull(struct sl_arena *a, const struct cli_image_options *o, const char *from, const char *as);
struct cli_image_size {
    char z[24];
};
/* "1.2 MB", valid to the end of the expression it stands in. */
struct cli_image_size cli_image_size(int64_t bytes);

#endif
