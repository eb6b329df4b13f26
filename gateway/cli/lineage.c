/* SPDX-License-Identifier: Apache-2.0
 * sluice lineage: which tables and columns of a script flow into which. */
#include "catalog/lineage.h"

#include <stdio.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/source.h"

static int exec_lineage(int argc, char **argv)
{
    SL_ARENA_AUTO arena = {0};
    struct cli_source_options o = {.level = SQL_LEVEL_SYNTAX};
    const char *path = NULL;
    bool dot = false, json = false, columns = false, options = true;
    for (int i = 1; i < argc; i++) {
        int taken = options ? cli_source_option(&o, &arena, "lineage", argc, argv, &i) : 0;
        if (taken < 0) {
            return 2;
        }
        if (taken) {
            continue;
        }
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (options && strcmp(argv[i], "--dot") == 0) {
            dot = true;
        } else if (options && strcmp(argv[i], "--columns") == 0) {
            columns = true;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            return cli_usage("lineage", "what is %s?", argv[i]);
        } else if (path) {
            return cli_usage("lineage", "one file only");
        } else {
            path = argv[i];
        }
    }
    if (!path) {
        return cli_usage("lineage", "which file? (- is standard input)");
    }
    if (dot && json) {
        return cli_usage("lineage", "--json or --dot, not both");
    }
    if (columns && !dot) {
        return cli_usage("lineage", "--columns belongs to --dot; --json has the columns always");
    }
    struct cli_source source;
    struct cli_source_error e;
    if (!cli_source_load(&source, &arena, path, &o, &e)) {
        return cli_source_error_print(&e);
    }
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    cli_diags_print(&out, &source.script, cli_wants_colour(2));
    cli_put(stderr, sl_buf_str(&out));
    sl_buf_clear(&out);
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
