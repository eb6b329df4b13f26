/* SPDX-License-Identifier: Apache-2.0
 * sluice render: a script with its variables replaced, as Flink will get it; secrets are masked. */
#include <stdio.h>

#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"

/* What stands between the statements stays as it is. */
static void print_file(const struct sql_script *s, size_t file, struct sl_arena *a)
{
    sl_str text = s->files.v[file].lines.text;
    size_t at = 0;
    for (size_t i = 0; i < s->stmts.n; i++) {
        const struct sql_stmt *st = &s->stmts.v[i];
        if (st->file != file) {
            continue;
        }
        sl_str sql = sql_stmt_masked(st, a);
        cli_put(stdout, sl_str_sub(text, at, st->pos.off - at));
        cli_put(stdout, sql);
        at = (size_t)st->pos.off + st->pos.len;
    }
    cli_put(stdout, sl_str_sub(text, at, text.n - at));
}

static int exec_render(int argc, char **argv)
{
    SL_ARENA_AUTO arena = {0};
    struct cli_source_options o = {.level = SQL_LEVEL_SPLIT};
    bool init = false;
    const struct cli_option table[] = {
        {.name = "--init", .flag = &init}, {.name = "--name", .value = &o.name}, {0}};
    struct cli_args x = {.verb = "render", .options = table, .source = &o};
    if (!cli_args_read_one(&x, &arena, argc, argv)) {
        return 2;
    }
    struct cli_source source;
    int rc = cli_source_read(&source, &arena, x.files.v[0], &o);
    if (rc) {
        return rc;
    }
    if (source.script.diags.errors) {
        return 3;
    }
    for (size_t i = init ? 0 : source.script.files.n - 1; i < source.script.files.n; i++) {
        print_file(&source.script, i, &arena);
    }
    return 0;
}

const struct cli_verb cli_render = {
    .name = "render",
    .summary = "print a script with its variables replaced, secrets masked",
    .usage = "usage: sluice render FILE|- [-E ENVIRONMENT] [--var NAME=VALUE] [--var-file FILE] [--name JOB] "
             "[--init]\n"
             "\n"
             "Prints the script with its variables replaced, as Flink will get it; values of ${secret.NAME} "
             "are shown as\n"
             "******. With --init the init files of sluice.yaml come first.\n",
    .exec = exec_render,
};
