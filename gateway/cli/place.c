/* SPDX-License-Identifier: Apache-2.0
 * The arguments of `sluice complete` and `sluice hover`, and the file they are about. */
#include "gateway/cli/place.h"

#include "gateway/cli/cli.h"

/* --name N or --name=N. 1 taken, 0 another option, -1 wrong (said). */
static int number_option(const char *verb, const char *name, int64_t least, int argc, char **argv, int *i,
                         int64_t *ret)
{
    size_t n = strlen(name);
    const char *value = NULL;
    if (strcmp(argv[*i], name) == 0) {
        value = *i + 1 < argc ? argv[++*i] : "";
    } else if (strncmp(argv[*i], name, n) == 0 && argv[*i][n] == '=') {
        value = argv[*i] + n + 1;
    } else {
        return 0;
    }
    if (!sl_str_to_i64(sl_str_of(value), ret) || *ret < least || *ret > INT32_MAX) {
        cli_usage(verb, "%s wants a number from %d", name, (int)least);
        return -1;
    }
    return 1;
}

bool cli_place_read(struct cli_place *p, struct sl_arena *a, const char *verb, int argc, char **argv)
{
    int64_t line = 0, column = 0, limit = 0;
    bool options = true;
    *p = (struct cli_place){.options.level = SQL_LEVEL_SPLIT};
    for (int i = 1; i < argc; i++) {
        int taken = options ? cli_source_option(&p->options, a, verb, argc, argv, &i) : 0;
        taken = taken || !options ? taken : number_option(verb, "--line", 1, argc, argv, &i, &line);
        taken = taken || !options ? taken : number_option(verb, "--column", 1, argc, argv, &i, &column);
        taken = taken || !options ? taken : number_option(verb, "--limit", 1, argc, argv, &i, &limit);
        if (taken < 0) {
            return false;
        }
        if (taken) {
            continue;
        }
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && strcmp(argv[i], "--json") == 0) {
            p->json = true;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            cli_usage(verb, "what is %s?", argv[i]);
            return false;
        } else if (p->path) {
            cli_usage(verb, "one file only");
            return false;
        } else {
            p->path = argv[i];
        }
    }
    if (!p->path) {
        cli_usage(verb, "which file? (- is standard input)");
        return false;
    }
    if (!line || !column) {
        cli_usage(verb, "where? give --line and --column");
        return false;
    }
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
