/* SPDX-License-Identifier: Apache-2.0
 * What an image is made of, for those who must know: CycloneDX 1.6 (JSON), made of its list and of what its jars say is packed into
 * them. No times and no random numbers: the same image gives the same bytes. Blocking. */
#ifndef SLUICE_IMG_SBOM_H
#define SLUICE_IMG_SBOM_H

#include "runtime-image/content.h"

#define IMG_SBOM_TYPE "application/vnd.cyclonedx+json"

/* `c` with sources. Errors: those of cat_jar_read. */
SL_MUST_CHECK bool img_sbom_write(const struct img_content *c, sl_str name, struct sl_buf *b,
                                  struct sl_err *err);

#endif
