/* SPDX-License-Identifier: Apache-2.0
 * The arguments of `sluice complete` and `sluice hover`, and the file they are about. */
#include "gateway/cli/place.h"

#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"

static bool number(const char *verb, const char *name, const char *text, int64_t *ret)
{
    if (!text) {
        return true;
    }
    if (!sl_str_to_i64(sl_str_of(text), ret) || *ret < 1 || *ret > INT32_MAX) {
        cli_usage(verb, "%s wants a number from 1", name);
        return false;
    }
    return true;
}

bool cli_place_read(struct cli_place *p, struct sl_arena *a, const char *verb, int argc, char **argv)
{
    const char *line_text = NULL, *column_text = NULL, *limit_text = NULL;
    int64_t line = 0, column = 0, limit = 0;
    *p = (struct cli_place){.options.level = SQL_LEVEL_SPLIT};
    const struct cli_option table[] = {
        {.name = "--line", .value = &line_text},
        {.name = "--column", .value = &column_text},
        {.name = "--limit", .value = &limit_text},
        {.name = "--json", .flag = &p->json},
        {0},
    };
    struct cli_args x = {.verb = verb, .options = table, .source = &p->options};
    if (!cli_args_read_one(&x, a, argc, argv) || !number(verb, "--line", line_text, &line) ||
        !number(verb, "--column", column_text, &column) || !number(verb, "--limit", limit_text, &limit)) {
        return false;
    }
    if (!line || !column) {
        cli_usage(verb, "where? give --line and --column");
        return false;
    }
    p->path = x.files.v[0];
    p->line = (uint32_t)line;
    p->column = (uint32_t)column;
    p->limit = (size_t)limit;
    return true;
}

bool cli_place_load(struct cli_place *p, struct sl_arena *a, struct cli_source_error *ret)
{
    if (!cli_source_load(&p->source, a, p->path, &p->options, ret)) {
        return false;
    }
    p->file = (uint16_t)(p->source.script.files.n - 1); /* init files come first */
    p->off = (uint32_t)sql_lines_off(&p->source.script.files.v[p->file].lines, p->line, p->column);
    return true;
}
