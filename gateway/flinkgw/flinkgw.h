/* SPDX-License-Identifier: Apache-2.0
 * The REST protocol of Flink's SQL gateway (/v1 to /v4, and without a version), as its own clients speak it: paths with a slash
 * too many, bodies on GET and DELETE, bodies of any content type, errors as Java's traces in a list. */
#ifndef SLUICE_FLINKGW_H
#define SLUICE_FLINKGW_H

#include "gateway/api/dialect.h"

extern const struct api_dialect fgw_dialect;

#endif
