/* SPDX-License-Identifier: Apache-2.0
 * Reading sluice.yaml: one table of keys per level, so that what is allowed and what is suggested cannot
 * differ. */
#include "sqlparse/project.h"

#include "base/yaml.h"
#include "sqlparse/vars.h"

#include <stdio.h>

/* Reads the value of one key into `into`. */
struct reader {
    struct sl_arena *a;
    struct sl_err *err;
};
struct key {
    const char *name;
    bool (*read)(struct reader *r, const struct sl_yaml *v, void *into);
};

static bool unknown_key(const struct reader *r, const struct sl_yaml *v, const char *where,
                        const struct key *keys, size_t n)
{
    const char *near = NULL;
    size_t best = 3;
    for (size_t i = 0; i < n; i++) {
        size_t d = sl_str_distance(v->key, sl_str_of(keys[i].name), best);
        if (d < best) {
            best = d;
            near = keys[i].name;
        }
    }
    sl_fail_at(r->err, SL_CONFIG_UNKNOWN, v->key_pos, "%s has no key '%.*s'", where, SL_S(v->key));
    if (near) {
        return sl_hint(r->err, "did you mean '%s'?", near);
    }
    char list[256] = "";
    size_t at = 0;
    for (size_t i = 0; i < n && at + strlen(keys[i].name) + 3 < sizeof(list); i++) {
        at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "", keys[i].name);
    }
    return sl_hint(r->err, "it takes %s", list);
}

static bool read_map(struct reader *r, const struct sl_yaml *v, const char *where, const struct key *keys,
                     size_t n, void *into)
{
    if (v->type == SL_YAML_NULL) {
        return true;
    }
    if (v->type != SL_YAML_MAP) {
        return sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "%s must be a map of keys and values", where);
    }
    SL_YAML_EACH(it, v)
    {
        size_t i = 0;
        while (i < n && !sl_str_eqz(it->key, keys[i].name)) {
            i++;
        }
        if (i == n) {
            return unknown_key(r, it, where, keys, n);
        }
        if (!keys[i].read(r, it, into)) {
            return false;
        }
    }
    return true;
}

static bool read_text(struct reader *r, const struct sl_yaml *v, sl_str *ret)
{
    if (v->type != SL_YAML_SCALAR) {
        return sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'%.*s' must be one value", SL_S(v->key));
    }
    *ret = v->text;
    return true;
}

static bool read_pairs(struct reader *r, const struct sl_yaml *v, struct sql_pairs *into)
{
    if (v->type == SL_YAML_NULL) {
        return true;
    }
    if (v->type != SL_YAML_MAP) {
        return sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'%.*s' must be a map of names and values",
                          SL_S(v->key));
    }
    SL_YAML_EACH(it, v)
    {
        struct sql_pair *p = sl_vec_add(r->a, &into->list);
        p->name = it->key;
        if (it->type != SL_YAML_NULL && !read_text(r, it, &p->value)) {
            return false;
        }
    }
    return true;
}

/* Variables may be nested: {kafka: {servers: x}} is kafka.servers. */
static bool read_vars(struct reader *r, const struct sl_yaml *v, sl_str prefix, struct sql_pairs *into)
{
    if (v->type == SL_YAML_NULL) {
        return true;
    }
    if (v->type != SL_YAML_MAP) {
        return sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'%.*s' must be a map of names and values",
                          SL_S(v->key));
    }
    SL_YAML_EACH(it, v)
    {
        sl_str name = prefix.n ? sl_arena_printf(r->a, "%.*s.%.*s", SL_S(prefix), SL_S(it->key)) : it->key;
        if (!sql_var_name_ok(name)) {
            sl_fail_at(r->err, SL_CONFIG_VALUE, it->key_pos, "'%.*s' cannot be the name of a variable",
                       SL_S(name));
            return sl_hint(r->err, "a letter or _, then letters, digits, '_', '.' and '-'");
        }
        if (it->type == SL_YAML_MAP) {
            if (!read_vars(r, it, name, into)) {
                return false;
            }
            continue;
        }
        struct sql_pair *p = sl_vec_add(r->a, &into->list);
        p->name = name;
        if (it->type != SL_YAML_NULL && !read_text(r, it, &p->value)) {
            return false;
        }
    }
    return true;
}

static bool read_files(struct reader *r, const struct sl_yaml *v, struct sql_pairs *into)
{
    if (v->type == SL_YAML_NULL) {
        return true;
    }
    if (v->type == SL_YAML_SCALAR) {
        sl_vec_add(r->a, &into->list)->value = v->text;
        return true;
    }
    SL_YAML_EACH(it, v)
    {
        if (v->type != SL_YAML_LIST || it->type != SL_YAML_SCALAR || !it->text.n) {
            return sl_fail_at(r->err, SL_CONFIG_VALUE, it->pos, "'%.*s' must be a list of files",
                              SL_S(v->key));
        }
        sl_vec_add(r->a, &into->list)->value = it->text;
    }
    return true;
}

#define TEXT_KEY(fn, type, field)                                                                            \
    static bool fn(struct reader *r, const struct sl_yaml *v, void *into)                                    \
    {                                                                                                        \
        return read_text(r, v, &((type *)into)->field);                                                      \
    }
#define PAIRS_KEY(fn, type, field)                                                                           \
    static bool fn(struct reader *r, const struct sl_yaml *v, void *into)                                    \
    {                                                                                                        \
        return read_pairs(r, v, &((type *)into)->field);                                                     \
    }
#define VARS_KEY(fn, type, field)                                                                            \
    static bool fn(struct reader *r, const struct sl_yaml *v, void *into)                                    \
    {                                                                                                        \
        return read_vars(r, v, SL_STR_NONE, &((type *)into)->field);                                         \
    }

TEXT_KEY(env_target, struct sql_environment, target)
TEXT_KEY(env_base, struct sql_environment, base)
VARS_KEY(env_vars, struct sql_environment, vars)
PAIRS_KEY(env_policy, struct sql_environment, policy)
static bool env_init(struct reader *r, const struct sl_yaml *v, void *into)
{
    struct sql_environment *e = into;
    e->has_init = true;
    return read_files(r, v, &e->init);
}
static const struct key environment_keys[] = {{"target", env_target},
                                              {"base", env_base},
                                              {"vars", env_vars},
                                              {"policy", env_policy},
                                              {"init", env_init}};

TEXT_KEY(job_script, struct sql_project_job, script)
TEXT_KEY(job_owner, struct sql_project_job, owner)
TEXT_KEY(job_environment, struct sql_project_job, environment)
PAIRS_KEY(job_labels, struct sql_project_job, labels)
PAIRS_KEY(job_config, struct sql_project_job, config)
VARS_KEY(job_vars, struct sql_project_job, vars)
static bool job_parallelism(struct reader *r, const struct sl_yaml *v, void *into)
{
    struct sql_project_job *j = into;
    if (!sl_yaml_i64(v, &j->parallelism, NULL) || j->parallelism < 1 || j->parallelism > 32768) {
        return sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos,
                          "'parallelism' must be a whole number from 1 to 32768");
    }
    return true;
}
static bool job_upgrade(struct reader *r, const struct sl_yaml *v, void *into)
{
    struct sql_project_job *j = into;
    if (!read_text(r, v, &j->upgrade)) {
        return false;
    }
    if (!sl_str_eqz(j->upgrade, "savepoint") && !sl_str_eqz(j->upgrade, "latest") &&
        !sl_str_eqz(j->upgrade, "fresh")) {
        sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'%.*s' is no way to upgrade a job", SL_S(j->upgrade));
        return sl_hint(r->err, "savepoint, latest or fresh");
    }
    return true;
}
static const struct key job_keys[] = {
    {"script", job_script}, {"parallelism", job_parallelism}, {"owner", job_owner}, {"upgrade", job_upgrade},
    {"labels", job_labels}, {"environment", job_environment}, {"vars", job_vars},   {"config", job_config}};

static bool top_flink(struct reader *r, const struct sl_yaml *v, void *into)
{
    struct sql_project *p = into;
    struct sl_err inner = SL_ERR_INIT;
    if (!read_text(r, v, &p->flink_text)) {
        return false;
    }
    if (!sql_version_parse(p->flink_text, &p->flink, &inner)) {
        sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "%s", inner.msg);
        return sl_hint(r->err, "%s", inner.hint);
    }
    return true;
}
static bool top_init(struct reader *r, const struct sl_yaml *v, void *into)
{
    return read_files(r, v, &((struct sql_project *)into)->init);
}
VARS_KEY(top_vars, struct sql_project, vars)
static bool top_environments(struct reader *r, const struct sl_yaml *v, void *into)
{
    struct sql_project *p = into;
    if (v->type != SL_YAML_MAP && v->type != SL_YAML_NULL) {
        return sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'environments' must be a map of names");
    }
    SL_YAML_EACH(it, v)
    {
        struct sql_environment *e = sl_vec_add(r->a, &p->environments);
        e->name = it->key;
        if (!read_map(r, it, "an environment", environment_keys, SL_ARRAY_LEN(environment_keys), e)) {
            return false;
        }
    }
    return true;
}
static bool top_jobs(struct reader *r, const struct sl_yaml *v, void *into)
{
    struct sql_project *p = into;
    if (v->type != SL_YAML_MAP && v->type != SL_YAML_NULL) {
        return sl_fail_at(r->err, SL_CONFIG_VALUE, v->pos, "'jobs' must be a map of names");
    }
    SL_YAML_EACH(it, v)
    {
        struct sql_project_job *j = sl_vec_add(r->a, &p->jobs);
        j->name = it->key;
        if (!read_map(r, it, "a job", job_keys, SL_ARRAY_LEN(job_keys), j)) {
            return false;
        }
    }
    return true;
}
static const struct key top_keys[] = {{"flink", top_flink}, {"flinkVersion", top_flink},
                                      {"init", top_init},   {"vars", top_vars},
                                      {"jobs", top_jobs},   {"environments", top_environments}};

bool sql_project_parse(struct sl_arena *a, sl_str text, struct sql_project *ret, struct sl_err *err)
{
    *ret = (struct sql_project){0};
    const struct sl_yaml *root = sl_yaml_parse(a, text, err);
    if (!root) {
        return false;
    }
    struct reader r = {a, err};
    return read_map(&r, root, "sluice.yaml", top_keys, SL_ARRAY_LEN(top_keys), ret);
}

const struct sql_environment *sql_project_environment(const struct sql_project *p, sl_str name)
{
    for (size_t i = 0; i < p->environments.n; i++) {
        if (sl_str_eq(p->environments.v[i].name, name)) {
            return &p->environments.v[i];
        }
    }
    return NULL;
}

const struct sql_project_job *sql_project_job(const struct sql_project *p, sl_str name)
{
    for (size_t i = 0; i < p->jobs.n; i++) {
        if (sl_str_eq(p->jobs.v[i].name, name)) {
            return &p->jobs.v[i];
        }
    }
    return NULL;
}

static bool add_pairs(const struct sql_pairs *pairs, const char *source, struct sl_arena *a,
                      struct sql_vars *vars, struct sl_err *err)
{
    for (size_t i = 0; i < pairs->list.n; i++) {
        if (!sql_vars_add(vars, a, pairs->list.v[i].name, pairs->list.v[i].value, source, err)) {
            return false;
        }
    }
    return true;
}

bool sql_project_vars(const struct sql_project *p, const struct sql_environment *env,
                      const struct sql_builtins *b, struct sl_arena *a, struct sql_vars *vars,
                      struct sl_err *err)
{
    const struct sql_pair builtins[] = {
        {SL_STR("script.dir"), b->script_dir},
        {SL_STR("job.name"), b->job_name},
        {SL_STR("run.id"), b->run_id},
        {SL_STR("run.date"), b->run_date},
        {SL_STR("environment"), b->environment},
        {SL_STR("flink.version"), sl_str_of(sql_version_name(b->flink))},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(builtins); i++) {
        if (!sql_vars_add(vars, a, builtins[i].name, builtins[i].value, "built in", err)) {
            return false;
        }
    }
    if (!add_pairs(&p->vars, "sluice.yaml", a, vars, err)) {
        return false;
    }
    if (!env) {
        return true;
    }
    sl_str source = sl_arena_printf(a, "sluice.yaml, %.*s", SL_S(env->name));
    return add_pairs(&env->vars, sl_arena_strdupz(a, source), a, vars, err);
}
