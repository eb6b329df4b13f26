/* SPDX-License-Identifier: Apache-2.0
 * sluice version. */
#include "gateway/cli/cli.h"
#include "sqlparse/sql.h"

#include <stdio.h>

static int exec(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        return cli_usage("version", "takes no argument");
    }
    printf("sluice %s, knows the SQL of Flink 1.20, 2.0, 2.1, 2.2, 2.3 (default %s)\n", SLUICE_VERSION,
           sql_version_name(SQL_FLINK_DEFAULT));
    return 0;
}

const struct cli_verb cli_version = {
    .name = "version",
    .summary = "which sluice this is",
    .usage = "usage: sluice version\n",
    .exec = exec,
};
