/* SPDX-License-Identifier: Apache-2.0
 * sluice lineage: which tables and columns of a script flow into which. */
#include "catalog/lineage.h"

#include <stdio.h>

#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"

static int exec_lineage(int argc, char **argv)
{
    SL_ARENA_AUTO arena = {0};
    struct cli_source_options o = {.level = SQL_LEVEL_SYNTAX};
    bool dot = false, json = false, columns = false;
    const struct cli_option table[] = {{.name = "--json", .flag = &json},
                                       {.name = "--dot", .flag = &dot},
                                       {.name = "--columns", .flag = &columns},
                                       {0}};
    struct cli_args x = {.verb = "lineage", .options = table, .source = &o};
    if (!cli_args_read_one(&x, &arena, argc, argv)) {
        return 2;
    }
    if (dot && json) {
        return cli_usage("lineage", "--json or --dot, not both");
    }
    if (columns && !dot) {
        return cli_usage("lineage", "--columns belongs to --dot; --json has the columns always");
    }
    struct cli_source source;
    int rc = cli_source_read(&source, &arena, x.files.v[0], &o);
    if (rc) {
        return rc;
    }
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    if (dot) {
        cat_lineage_dot(&source.script, columns, &out);
    } else {
        cat_lineage_json(&source.script, &out);
    }
    cli_put(stdout, sl_buf_str(&out));
    return source.script.diags.errors ? 3 : 0;
}

const struct cli_verb cli_lineage = {
    .name = "lineage",
    .summary = "which tables and columns of a script flow into which",
    .usage = "usage: sluice lineage FILE|- [--json | --dot [--columns]] [--flink V] [-E ENVIRONMENT]\n"
             "                      [--var NAME=VALUE] [--var-file FILE]\n"
             "\n"
             "Prints, for every statement that reads or writes data, its tables and columns in and out, with "
             "views,\n"
             "subqueries and computed columns seen through. Nothing is sent. A statement that is wrong is "
             "reported\n"
             "on standard error and left out; exit code 3 then.\n"
             "\n"
             "  --json            one JSON object (default; docs/lineage.md)\n"
             "  --dot             a graph for Graphviz:  sluice lineage x.sql --dot | dot -Tsvg > x.svg\n"
             "  --columns         with --dot: tables list their columns, edges join columns\n"
             "  --flink V         1.20, 2.0, 2.1, 2.2 or 2.3 (default: sluice.yaml's, else 2.2)\n"
             "  -E, --env NAME    environment of sluice.yaml\n"
             "  --var NAME=VALUE  a variable; --var-file FILE: NAME=VALUE lines, or a map in YAML\n",
    .exec = exec_lineage,
};
