/* SPDX-License-Identifier: Apache-2.0
 * sluice artifact conflicts: jars beside each other and beside Flink's own, as text and as JSON. */
#ifndef SLUICE_CLI_CONFLICTS_H
#define SLUICE_CLI_CONFLICTS_H

#include "base/arena.h"

struct cli_conflict_options {
    const char *flink; /* "2.2", "2.2.1"; NULL: the settings' */
    bool no_flink;     /* only the jars themselves */
    bool json;
};
/* Prints what it finds; the exit code. Paths must stay. */
int cli_conflicts(struct sl_arena *a, const char *const *jars, size_t n,
                  const struct cli_conflict_options *o);

#endif
