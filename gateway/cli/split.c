/* SPDX-License-Identifier: Apache-2.0
 * sluice split: the statements of a script, cut by the lexer. */
#include <stdio.h>

#include "base/json.h"
#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"

static void print_json(const struct sql_script *s)
{
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    struct sl_jw w;
    sl_jw_init(&w, &out);
    sl_jw_array(&w);
    for (size_t i = 0; i < s->stmts.n; i++) {
        sql_stmt_json(&w, &s->stmts.v[i], true);
        cli_put(stdout, sl_buf_str(&out));
        sl_buf_clear(&out);
    }
    sl_jw_end_array(&w);
    sl_buf_putc(&out, '\n');
    cli_put(stdout, sl_buf_str(&out));
}

static void print_list(const struct sql_script *s)
{
    for (size_t i = 0; i < s->stmts.n; i++) {
        const struct sql_stmt *st = &s->stmts.v[i];
        printf("-- %u  %s  line %u, column %u%s\n%.*s%s\n", st->number, sql_kind_name(st->kind), st->pos.line,
               st->pos.col, st->terminated ? "" : ", without ;", SL_S(st->text), st->terminated ? ";" : "");
    }
}

static int exec_split(int argc, char **argv)
{
    SL_ARENA_AUTO arena = {0};
    struct cli_source_options o = {.level = SQL_LEVEL_SPLIT, .no_variables = true};
    bool json = false;
    const struct cli_option table[] = {{.name = "--json", .flag = &json}, {0}};
    struct cli_args x = {.verb = "split", .options = table, .source = &o};
    if (!cli_args_read_one(&x, &arena, argc, argv)) {
        return 2;
    }
    o.alone = true;
    struct cli_source source;
    int rc = cli_source_read(&source, &arena, x.files.v[0], &o);
    if (rc) {
        return rc;
    }
    if (json) {
        print_json(&source.script);
    } else {
        print_list(&source.script);
    }
    return source.script.diags.errors ? 3 : 0;
}

const struct cli_verb cli_split = {
    .name = "split",
    .summary = "cut a script into its statements",
    .usage = "usage: sluice split FILE|- [--json] [--flink V]\n"
             "\n"
             "Prints every statement of a script with its kind and place. With --json an array of\n"
             "{index,kind,offset,length,line,column,endLine,endColumn,text,terminated}: offset and length in "
             "bytes, line\n"
             "and column from 1 (columns in UTF-16 units), the end exclusive. Variables stay as they are "
             "written.\n",
    .exec = exec_split,
};
