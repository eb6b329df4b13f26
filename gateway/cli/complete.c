/* SPDX-License-Identifier: Apache-2.0
 * sluice complete: what could stand at a place of a script, as an editor shows it. */
#include "catalog/complete.h"

#include <stdio.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/place.h"

static void print_list(const struct cat_completion *c)
{
    static const char *const titles[] = {"TEXT", "KIND", "DETAIL"};
    struct cli_list *list = cli_list_new(titles, 3);
    for (size_t i = 0; i < c->items.n; i++) {
        const struct cat_item *at = &c->items.v[i];
        cli_list_cell(list, at->label);
        cli_list_cell(list, sl_str_of(cat_item_kind_name(at->kind)));
        cli_list_cell(list, at->detail);
    }
    cli_list_print(list, stdout);
}

static int exec_complete(int argc, char **argv)
{
    SL_ARENA_AUTO arena = {0};
    struct cli_place place;
    if (!cli_place_read(&place, &arena, "complete", argc, argv)) {
        return 2;
    }
    struct cli_source_error e;
    if (!cli_place_load(&place, &arena, &e)) {
        return cli_source_error_print(&e);
    }
    struct cat_completion c;
    cat_complete(&arena, &place.source.script, place.file, place.off, &place.source.vars, place.limit, &c);
    if (!place.json) {
        print_list(&c);
        return 0;
    }
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    cat_completion_json(&place.source.script, place.file, &c, &out);
    sl_buf_putc(&out, '\n');
    cli_put(stdout, sl_buf_str(&out));
    return 0;
}

const struct cli_verb cli_complete = {
    .name = "complete",
    .summary = "what could stand at a place of a script (for editors)",
    .usage = "usage: sluice complete FILE|- --line L --column C [--limit N] [--json] [--flink V]\n"
             "                       [-E ENVIRONMENT] [--var NAME=VALUE] [--var-file FILE]\n"
             "\n"
             "Lists what could stand at the caret, best first: columns, tables, functions, options, words of "
             "the\n"
             "grammar. The statement need not be finished. Inside comments and ordinary strings the list is "
             "empty.\n"
             "\n"
             "  --line L          from 1\n"
             "  --column C        from 1, in UTF-16 units; the caret stands before that character\n"
             "  --limit N         at most that many (default 200)\n"
             "  --json            {\"range\",\"incomplete\",\"items\"}; kinds are named as in the language "
             "server protocol\n"
             "  --flink V         1.20, 2.0, 2.1, 2.2 or 2.3 (default: sluice.yaml's, else 2.2)\n"
             "  -E, --env NAME    environment of sluice.yaml\n"
             "  --var NAME=VALUE  a variable; --var-file FILE: NAME=VALUE lines, or a map in YAML\n",
    .exec = exec_complete,
};
