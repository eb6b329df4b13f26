/* SPDX-License-Identifier: Apache-2.0
 * sluice config: Sluice's own settings with where each comes from; with a FILE, the Flink configuration in
 * force at each of its jobs, with where each key comes from. */
#include "sys/config.h"

#include "base/json.h"
#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/settings.h"
#include "gateway/cli/source.h"
#include "gateway/jobs/plan.h"

#include <stdio.h>
#include <unistd.h>

static void print(const struct sl_buf *b, FILE *out)
{
    cli_put(out, sl_buf_str(b));
}

static int own_settings(bool json)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    if (json) {
        sys_config_show_json(cli_settings(), &b);
        sl_buf_putc(&b, '\n');
    } else {
        sys_config_show(cli_settings(), &b);
    }
    print(&b, stdout);
    return 0;
}

static bool starts_job(const struct plan_unit *u)
{
    return u->action == PLAN_INSERT || u->action == PLAN_SET || u->action == PLAN_SELECT;
}

static void text_units(const struct plan *p, struct sl_buf *b)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct plan_unit *u = &p->units[i];
        if (!starts_job(u)) {
            continue;
        }
        sl_buf_printf(b, "statement %u, line %u: %s\n", u->stmt->number, u->stmt->pos.line,
                      sql_kind_name(u->stmt->kind));
        for (size_t k = 0; k < u->config.n; k++) {
            const struct plan_pair *q = &u->config.pairs[k];
            sl_buf_printf(b, "  %.*s = %.*s   (%.*s%s)\n", SL_S(q->key), SL_S(q->value), SL_S(q->origin),
                          plan_key_is_ours(q->key) ? "; for Sluice, not passed on" : "");
        }
    }
    sl_buf_putz(
        b, "Who wins: SET in the script > -D > jobs: in sluice.yaml > the cluster's own configuration.\n");
}

static void json_units(const struct plan *p, struct sl_buf *b)
{
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_array(&w);
    for (size_t i = 0; i < p->n; i++) {
        const struct plan_unit *u = &p->units[i];
        if (!starts_job(u)) {
            continue;
        }
        sl_jw_object(&w);
        sl_jw_ki64(&w, "statement", u->stmt->number);
        sl_jw_ki64(&w, "line", u->stmt->pos.line);
        sl_jw_kstrz(&w, "kind", sql_kind_name(u->stmt->kind));
        sl_jw_key(&w, "config");
        sl_jw_array(&w);
        for (size_t k = 0; k < u->config.n; k++) {
            sl_jw_object(&w);
            sl_jw_kstr(&w, "key", u->config.pairs[k].key);
            sl_jw_kstr(&w, "value", u->config.pairs[k].value);
            sl_jw_kstr(&w, "origin", u->config.pairs[k].origin);
            sl_jw_kbool(&w, "passedOn", !plan_key_is_ours(u->config.pairs[k].key));
            sl_jw_end_object(&w);
        }
        sl_jw_end_array(&w);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_buf_putc(b, '\n');
}

static int of_script(const char *file, const struct cli_source_options *o, struct sl_arena *a,
                     const struct plan_pair *given, size_t n_given, bool json)
{
    struct cli_source src;
    struct cli_source_error bad = {.err = SL_ERR_INIT};
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    if (!cli_source_load(&src, a, file, o, &bad)) {
        cli_error_print(&b, &bad.err, bad.file, bad.text, cli_wants_colour(STDERR_FILENO));
        print(&b, stderr);
        return sl_code_exit(bad.err.code);
    }
    struct plan plan;
    struct plan_options po = {.name = SL_STR("job"), .given = given, .n_given = n_given};
    if (src.script.diags.errors || !plan_make(&src.script, &po, &plan)) {
        cli_diags_print(&b, &src.script, cli_wants_colour(STDERR_FILENO));
        print(&b, stderr);
        return sl_code_exit(SL_SYNTAX);
    }
    if (json) {
        json_units(&plan, &b);
    } else {
        text_units(&plan, &b);
    }
    print(&b, stdout);
    return 0;
}

static int exec(int argc, char **argv)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct cli_source_options o = {.level = SQL_LEVEL_SYNTAX};
    SL_VEC(struct plan_pair) given = {0};
    struct cli_words config = {0};
    bool json = false;
    const struct cli_option table[] = {
        {.name = "--json", .flag = &json}, {.name = "--set", .letter = 'D', .values = &config}, {0}};
    struct cli_args x = {.verb = "config", .options = table, .source = &o};
    if (!cli_args_read(&x, &a, argc, argv)) {
        return 2;
    }
    for (size_t i = 0; i < config.n; i++) {
        const char *kv = config.v[i], *eq = strchr(kv, '=');
        if (!eq || eq == kv) {
            return cli_usage("config", "-D takes KEY=VALUE, not '%s'", kv);
        }
        sl_vec_push(&a, &given,
                    ((struct plan_pair){{kv, (size_t)(eq - kv)}, sl_str_of(eq + 1), SL_STR("-D")}));
    }
    if (x.files.n > 1) {
        return cli_usage("config", "one file only");
    }
    return x.files.n ? of_script(x.files.v[0], &o, &a, given.v, given.n, json) : own_settings(json);
}

const struct cli_verb cli_config = {
    .name = "config",
    .summary = "settings and where each comes from; with a FILE: Flink's, job by job",
    .usage = "usage: sluice config [--json]\n"
             "       sluice config FILE [-D K=V] [--flink V] [-E ENV] [--var K=V] [--json]\n\n"
             "Without a file: Sluice's own settings (flag > environment > file > default).\n"
             "With one: the Flink configuration in force at each of its jobs (SET in it > -D > jobs: "
             "in sluice.yaml).\n",
    .exec = exec,
};
