/* SPDX-License-Identifier: Apache-2.0
 * Unified diffs of texts, as `diff -u` writes them. */
#ifndef SLUICE_CLI_DIFF_H
#define SLUICE_CLI_DIFF_H

#include "base/arena.h"
#include "base/buf.h"

/* Appends what turns `before` into `after`, with three lines of context; nothing when they are equal. Texts
 * that differ in very many lines become one large hunk. */
void cli_diff(struct sl_buf *out, const char *name, sl_str before, sl_str after);

#endif
