/* SPDX-License-Identifier: Apache-2.0
 * The Maven repositories a verb asks: from its options, else from the settings. */
#ifndef SLUICE_CLI_REPOSITORIES_H
#define SLUICE_CLI_REPOSITORIES_H

#include "catalog/maven/fetch.h"
#include "gateway/cli/args.h"

struct cli_repository_options {
    struct cli_words given; /* --repository */
    const char *settings;   /* --settings */
    bool offline;
};
/* What is in the arena and in *ret lives as long as the fetch. Errors: those of mvn_settings_read. */
struct mvn_fetch *cli_fetch_open(const struct cli_repository_options *o, struct mvn_repositories *ret,
                                 struct sl_arena *a, struct sl_err *err);
/* Where it keeps what has come. */
char *cli_fetch_cache(struct sl_arena *a);

#endif
