/* SPDX-License-Identifier: Apache-2.0
 * What an image needs beside its parts to run in a container, made here: the entry point (Flink's names of roles, any other command
 * as it is: so Kubernetes in native mode and its operator call it), the user flink (9999), Flink's configuration open to other
 * containers. */
#ifndef SLUICE_IMG_CONTAINER_FILES_H
#define SLUICE_IMG_CONTAINER_FILES_H

#include "runtime-image/content.h"
#include "runtime-image/image.h"

/* Adds them to a list that holds all the rest, when it has a system; what `files` gives itself stays. Errors: io, limit-exceeded. */
SL_MUST_CHECK bool img_add_container_files(struct sl_arena *a, const struct img_def *def,
                                           struct img_content *c, struct sl_err *err);
/* Flink's config.yaml with its addresses open: what is bound to this machine alone is bound to all addresses, and a TaskManager
 * tells its own name. For tests. */
void img_open_config(sl_str text, struct sl_buf *ret);

#endif
