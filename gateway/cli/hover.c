/* SPDX-License-Identifier: Apache-2.0
 * sluice hover: what the thing at a place of a script is, as an editor shows it. */
#include "catalog/hover.h"

#include <stdio.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/place.h"

static int exec_hover(int argc, char **argv)
{
    SL_ARENA_AUTO arena = {0};
    struct cli_place place;
    if (!cli_place_read(&place, &arena, "hover", argc, argv)) {
        return 2;
    }
    if (place.limit) {
        return cli_usage("hover", "what is --limit?");
    }
    struct cli_source_error e;
    if (!cli_place_load(&place, &arena, &e)) {
        return cli_source_error_print(&e);
    }
    struct cat_hover h;
    cat_hover(&arena, &place.source.script, place.file, place.off, &place.source.vars, &h);
    if (place.json) {
        SL_BUF_AUTO out;
        sl_buf_init(&out, 0);
        cat_hover_json(&place.source.script, &h, &out);
        sl_buf_putc(&out, '\n');
        cli_put(stdout, sl_buf_str(&out));
    } else if (h.kind) {
        SL_BUF_AUTO out;
        sl_buf_init(&out, 0);
        sl_buf_printf(&out, "%s  %.*s\n%.*s%s", h.kind, SL_S(h.title), SL_S(h.text), h.text.n ? "\n" : "");
        cli_put(stdout, sl_buf_str(&out));
    }
    return 0;
}

const struct cli_verb cli_hover = {
    .name = "hover",
    .summary = "what the thing at a place of a script is (for editors)",
    .usage =
        "usage: sluice hover FILE|- --line L --column C [--json] [--flink V] [-E ENVIRONMENT]\n"
        "                    [--var NAME=VALUE] [--var-file FILE]\n"
        "\n"
        "Tells of a table its columns and where it was created, of a column its type and sources, of a\n"
        "function how it is called, of an option its type, of a variable where it comes from (never its\n"
        "value), of a word what it does. Prints nothing (null with --json) where there is nothing to "
        "say.\n"
        "\n"
        "  --line L          from 1\n"
        "  --column C        from 1, in UTF-16 units: the character that is pointed at\n"
        "  --json            {\"kind\",\"title\",\"text\",\"range\",\"defined\"}\n"
        "  --flink V         1.20, 2.0, 2.1, 2.2 or 2.3 (default: sluice.yaml's, else 2.2)\n"
        "  -E, --env NAME    environment of sluice.yaml\n"
        "  --var NAME=VALUE  a variable; --var-file FILE: NAME=VALUE lines, or a map in YAML\n",
    .exec = exec_hover,
};
