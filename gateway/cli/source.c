/* SPDX-License-Identifier: Apache-2.0
 * Gathers what a script needs before it can be read: project file, init files, variables in their order of
 * precedence. */
#include "gateway/cli/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/yaml.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/settings.h"
#include "gateway/cli/diag_print.h"
#include "sqlparse/vars.h"
#include "sys/file.h"

static const char *value_of(const char *verb, const char *name, int argc, char **argv, int *i)
{
    size_t n = strlen(name);
    if (name[1] == '-' && argv[*i][n] == '=') {
        return argv[*i] + n + 1;
    }
    if (*i + 1 >= argc) {
        cli_usage(verb, "%s wants a value", name);
        return NULL;
    }
    return argv[++*i];
}

static bool is_option(const char *arg, const char *name)
{
    size_t n = strlen(name);
    return strncmp(arg, name, n) == 0 && (arg[n] == '\0' || (arg[n] == '=' && name[1] == '-'));
}

int cli_source_option(struct cli_source_options *o, struct sl_arena *a, const char *verb, int argc,
                      char **argv, int *i)
{
    static const char *const names[] = {"--flink", "--env", "-E", "--var-file", "--var"};
    size_t which = 0;
    while (which < SL_ARRAY_LEN(names) && !is_option(argv[*i], names[which])) {
        which++;
    }
    if (which == SL_ARRAY_LEN(names)) {
        return 0;
    }
    const char *value = value_of(verb, names[which], argc, argv, i);
    if (!value) {
        return -1;
    }
    switch (which) {
    case 0:
        o->flink = value;
        return 1;
    case 1:
    case 2:
        o->environment = value;
        return 1;
    case 3:
        sl_vec_push(a, &o->var_files, value);
        return 1;
    default:
        if (!strchr(value, '=')) {
            cli_usage(verb, "--var wants NAME=VALUE, not '%s'", value);
            return -1;
        }
        sl_vec_push(a, &o->vars, value);
        return 1;
    }
}

static bool fail_in(struct cli_source_error *ret, const char *file, sl_str text)
{
    ret->file = file;
    ret->text = text;
    return false;
}

static const char *dir_of(struct sl_arena *a, const char *path)
{
    if (strcmp(path, "-") == 0) {
        return ".";
    }
    const char *slash = strrchr(path, '/');
    if (!slash) {
        return ".";
    }
    return slash == path ? "/" : sl_arena_strdupz(a, (sl_str){path, (size_t)(slash - path)});
}

static sl_str stem_of(const char *path)
{
    if (strcmp(path, "-") == 0) {
        return SL_STR("stdin");
    }
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return (sl_str){name, dot && dot > name ? (size_t)(dot - name) : strlen(name)};
}

static const char *env_value(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

static bool read_project(struct cli_source *s, struct sl_arena *a, const char *dir,
                         struct cli_source_error *ret)
{
    const char *path = strcmp(dir, ".") == 0 ? "sluice.yaml" : sys_path_join(a, dir, "sluice.yaml");
    if (!sys_exists(path)) {
        return true;
    }
    s->project_path = path;
    if (!sys_file_read(a, path, SL_LIMIT_YAML_BYTES, &s->project_text, &ret->err)) {
        return false;
    }
    return sql_project_parse(a, s->project_text, &s->project, &ret->err) ||
           fail_in(ret, path, s->project_text);
}

static bool choose_environment(struct cli_source *s, struct sl_arena *a, const struct cli_source_options *o,
                               struct cli_source_error *ret)
{
    const char *name = o->environment ? o->environment : cli_settings()->environment.p;
    if (!*name) {
        return true;
    }
    s->environment = sql_project_environment(&s->project, sl_str_of(name));
    if (s->environment) {
        return true;
    }
    if (!s->project_path) {
        sl_fail(&ret->err, SL_USAGE, "there is no environment '%s': no sluice.yaml lies beside %s", name,
                s->path);
        return sl_hint(&ret->err, "write one with  environments: {%s: {target: local}}", name);
    }
    sl_fail(&ret->err, SL_USAGE, "%s has no environment '%s'", s->project_path, name);
    struct sl_buf list;
    sl_buf_init(&list, 0);
    for (size_t i = 0; i < s->project.environments.n; i++) {
        sl_buf_printf(&list, "%s%.*s", i ? ", " : "", SL_S(s->project.environments.v[i].name));
    }
    sl_str known = sl_str_dup(a, sl_buf_str(&list));
    sl_buf_release(&list);
    return known.n ? sl_hint(&ret->err, "it has %.*s", SL_S(known)) : false;
}

static bool add_yaml_vars(struct sql_vars *vars, struct sl_arena *a, const struct sl_yaml *map, sl_str prefix,
                          const char *source, struct sl_err *err)
{
    SL_YAML_EACH(it, map)
    {
        sl_str name = prefix.n ? sl_arena_printf(a, "%.*s.%.*s", SL_S(prefix), SL_S(it->key)) : it->key;
        if (it->type == SL_YAML_MAP) {
            if (!add_yaml_vars(vars, a, it, name, source, err)) {
                return false;
            }
            continue;
        }
        sl_str value = SL_STR_NONE;
        if (it->type != SL_YAML_NULL && !sl_yaml_str(it, &value, err)) {
            return false;
        }
        if (!sql_vars_add(vars, a, name, value, source, err)) {
            err->pos = it->key_pos;
            return false;
        }
    }
    return true;
}

/* NAME=VALUE a line; empty lines and those that begin with # are passed over. The value is taken as it
 * stands. */
static bool add_line_vars(struct sql_vars *vars, struct sl_arena *a, sl_str text, const char *source,
                          struct sl_err *err)
{
    struct sql_lines lines;
    sql_lines_init(&lines, a, text);
    for (uint32_t i = 1; i <= lines.n; i++) {
        sl_str line = sl_str_trim(sql_lines_text(&lines, i));
        if (!line.n || line.p[0] == '#') {
            continue;
        }
        struct sl_pos pos = sql_lines_pos(&lines, (size_t)(line.p - text.p), line.n);
        ptrdiff_t eq = sl_str_find_char(line, '=');
        if (eq < 0) {
            return sl_fail_at(err, SL_CONFIG_VALUE, pos, "this line has no NAME=VALUE");
        }
        sl_str name = sl_str_trim(sl_str_sub(line, 0, (size_t)eq));
        sl_str value = sl_str_trim(sl_str_sub(line, (size_t)eq + 1, line.n - (size_t)eq - 1));
        if (!sql_vars_add(vars, a, name, value, source, err)) {
            err->pos = pos;
            return false;
        }
    }
    return true;
}

static bool add_var_file(struct sql_vars *vars, struct sl_arena *a, const char *path,
                         struct cli_source_error *ret)
{
    sl_str text, name = sl_str_of(path);
    if (!sys_file_read(a, path, SL_LIMIT_YAML_BYTES, &text, &ret->err)) {
        return false;
    }
    bool yaml = sl_str_ends(name, SL_STR(".yaml")) || sl_str_ends(name, SL_STR(".yml")) ||
                sl_str_ends(name, SL_STR(".json"));
    bool ok;
    if (yaml) {
        const struct sl_yaml *root = sl_yaml_parse(a, text, &ret->err);
        ok = root && (root->type == SL_YAML_MAP || root->type == SL_YAML_NULL ||
                      sl_fail_at(&ret->err, SL_CONFIG_VALUE, root->pos, "a file of variables must be a map"));
        ok = ok && add_yaml_vars(vars, a, root, SL_STR_NONE, path, &ret->err);
    } else {
        ok = add_line_vars(vars, a, text, path, &ret->err);
    }
    return ok || fail_in(ret, path, text);
}

bool cli_source_given(struct sql_vars *vars, struct sl_arena *a, const struct cli_source_options *o,
                      struct cli_source_error *ret)
{
    for (size_t i = 0; i < o->var_files.n; i++) {
        if (!add_var_file(vars, a, o->var_files.v[i], ret)) {
            return false;
        }
    }
    for (size_t i = 0; i < o->vars.n; i++) {
        const char *eq = strchr(o->vars.v[i], '=');
        sl_str name = {o->vars.v[i], (size_t)(eq - o->vars.v[i])};
        if (!sql_vars_add(vars, a, name, sl_str_of(eq + 1), "--var", &ret->err)) {
            return false;
        }
    }
    return true;
}

static bool gather_vars(struct cli_source *s, struct sl_arena *a, const char *dir,
                        const struct cli_source_options *o, sql_version flink, struct cli_source_error *ret)
{
    char date[16];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(date, sizeof(date), "%Y-%m-%d", &tm);
    struct sql_builtins b = {
        .script_dir = sl_str_of(sys_path_abs(a, dir)),
        .job_name = o->name ? sl_str_of(o->name) : stem_of(s->path),
        .run_id = sl_str_of(o->run_id ? o->run_id : "00000000000000000000000000000000"),
        .run_date = sl_str_dup(a, sl_str_of(date)),
        .environment = s->environment ? s->environment->name : SL_STR_NONE,
        .flink = flink,
    };
    if (!sql_project_vars(&s->project, s->environment, &b, a, &s->vars, &ret->err)) {
        return false;
    }
    if (!cli_source_given(&s->vars, a, o, ret)) {
        return false;
    }
    s->vars.env = env_value;
    s->vars.off = o->no_variables;
    return true;
}

static bool add_file(struct cli_source *s, struct sl_arena *a, const char *path,
                     const struct sql_options *opt, struct cli_source_error *ret)
{
    sl_str text;
    if (!sys_file_read(a, path, sl_limits.script_bytes, &text, &ret->err)) {
        return false;
    }
    return sql_script_add(&s->script, sl_str_of(path), text, opt, &ret->err) || fail_in(ret, path, text);
}

static int each_script(const char *path, unsigned depth, void (*fn)(void *ctx, const char *path), void *ctx)
{
    if (strcmp(path, "-") == 0 || !sys_is_dir(path)) {
        fn(ctx, path);
        return 0;
    }
    SL_ARENA_AUTO arena = {0};
    struct sl_err err = SL_ERR_INIT;
    sl_str *names;
    size_t n;
    if (!sys_dir_list(&arena, path, &names, &n, &err)) {
        return cli_print_error(&err);
    }
    int unread = 0;
    for (size_t i = 0; i < n; i++) {
        if (names[i].n == 0 || names[i].p[0] == '.') {
            continue;
        }
        const char *full = sys_path_join(&arena, path, sl_arena_strdupz(&arena, names[i]));
        bool folder = sys_is_dir(full);
        if (folder ? depth < SL_LIMIT_FOLDER_DEPTH : sl_str_ends(names[i], SL_STR(".sql"))) {
            int code = each_script(full, depth + 1, fn, ctx);
            unread = code ? code : unread;
        }
    }
    return unread;
}

int cli_each_script(const char *path, void (*fn)(void *ctx, const char *path), void *ctx)
{
    return each_script(path, 0, fn, ctx);
}

bool cli_source_flink(const struct cli_source_options *o, sql_version *ret, struct sl_err *err)
{
    sl_str text = o->flink ? sl_str_of(o->flink) : cli_settings()->flink;
    if (!sql_version_parse(text, ret, err)) {
        err->code = SL_USAGE;
        return false;
    }
    return true;
}

bool cli_source_load(struct cli_source *s, struct sl_arena *a, const char *path,
                     const struct cli_source_options *o, struct cli_source_error *ret)
{
    *s = (struct cli_source){.path = path};
    *ret = (struct cli_source_error){.err = SL_ERR_INIT};
    const char *dir = dir_of(a, path);
    if (!o->alone && (!read_project(s, a, dir, ret) || !choose_environment(s, a, o, ret))) {
        return false;
    }
    sql_version flink = s->project.flink;
    if ((o->flink || !flink) && !cli_source_flink(o, &flink, &ret->err)) {
        return false;
    }
    if (!gather_vars(s, a, dir, o, flink, ret)) {
        return false;
    }
    sql_script_init(&s->script, a, flink);
    struct sql_options opt = {.flink = flink, .level = o->level, .vars = &s->vars};
    const struct sql_pairs *init =
        s->environment && s->environment->has_init ? &s->environment->init : &s->project.init;
    for (size_t i = 0; i < init->list.n; i++) {
        const char *file = sl_arena_strdupz(a, init->list.v[i].value);
        const char *full = file[0] == '/' || strcmp(dir, ".") == 0 ? file : sys_path_join(a, dir, file);
        if (strcmp(full, path) != 0 && !add_file(s, a, full, &opt, ret)) {
            return ret->file ? false : sl_wrap(&ret->err, "init file of %s", s->project_path);
        }
    }
    s->first_own = s->script.stmts.n;
    return add_file(s, a, path, &opt, ret);
}

int cli_source_read(struct cli_source *s, struct sl_arena *a, const char *path,
                    const struct cli_source_options *o)
{
    struct cli_source_error e;
    if (!cli_source_load(s, a, path, o, &e)) {
        return cli_source_error_print(&e);
    }
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    cli_diags_print(&out, &s->script, cli_wants_colour(STDERR_FILENO));
    cli_put(stderr, sl_buf_str(&out));
    return 0;
}

bool cli_source_may_be_batch(const struct cli_source *s)
{
    for (size_t k = 0; k < s->project.jobs.n; k++) {
        const struct sql_pairs *config = &s->project.jobs.v[k].config;
        for (size_t i = 0; i < config->list.n; i++) {
            if (sl_str_eqz(config->list.v[i].name, "execution.runtime-mode") &&
                !sl_str_ieqz(config->list.v[i].value, "streaming")) {
                return true;
            }
        }
    }
    return false;
}

int cli_source_error_print(const struct cli_source_error *e)
{
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    cli_error_print(&out, &e->err, e->file, e->text, cli_wants_colour(STDERR_FILENO));
    cli_put(stderr, sl_buf_str(&out));
    return sl_code_exit(e->err.code);
}
