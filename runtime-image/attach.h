/* SPDX-License-Identifier: Apache-2.0
 * What is attached to an image in a registry: the list of its components as a manifest that refers to it (image spec 1.1; with the tag
 * "sha256-HEX" where a registry keeps no lists of such), and a signature in cosign's form (tag "sha256-HEX.sig"). Blocking. */
#ifndef SLUICE_IMG_ATTACH_H
#define SLUICE_IMG_ATTACH_H

#include "runtime-image/registry.h"

/* The image was pushed with `r`; `root` is that of the layout. Errors: those of img_push. */
SL_MUST_CHECK bool img_attach(struct img_registry *r, const char *root, sl_str name, const char *type,
                              sl_str content, struct sl_err *err);
/* With a private EC or RSA key (PEM, without a password). Errors: also file-not-found, config-value. */
SL_MUST_CHECK bool img_sign(struct img_registry *r, const char *root, sl_str name, const char *key,
                            struct sl_err *err);

#endif
