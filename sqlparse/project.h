/* SPDX-License-Identifier: Apache-2.0
 * sluice.yaml, the file beside the scripts (docs/project.md): Flink version, init files, variables,
 * environments, jobs. Every key is optional; an unknown one is an error with its place and the nearest name.
 * Pure: takes a text, opens nothing. */
#ifndef SLUICE_SQLPARSE_PROJECT_H
#define SLUICE_SQLPARSE_PROJECT_H

#include "base/err.h"
#include "sqlparse/sql.h"

struct sql_pair {
    sl_str name, value;
};
struct sql_pairs {
    SL_VEC(struct sql_pair) list;
};

struct sql_environment {
    sl_str name, target, base;
    struct sql_pairs vars;
    struct sql_pairs policy; /* cancel: ask; session-mode: deny */
    bool has_init;           /* then its files replace those of the project */
    struct sql_pairs init;   /* .value: the path as written */
};

struct sql_project_job {
    sl_str name, script, owner, upgrade, environment;
    int64_t parallelism; /* 0 = not given */
    struct sql_pairs labels, vars, config;
};

struct sql_project {
    sql_version flink; /* 0 = not given */
    sl_str flink_text;
    struct sql_pairs init, vars;
    SL_VEC(struct sql_environment) environments;
    SL_VEC(struct sql_project_job) jobs;
};

/* Errors: yaml, config-unknown, config-value; each with a position in `text`. Strings live in the arena or in
 * `text`. */
SL_MUST_CHECK bool sql_project_parse(struct sl_arena *a, sl_str text, struct sql_project *ret,
                                     struct sl_err *err);
/* NULL when there is none of that name. */
const struct sql_environment *sql_project_environment(const struct sql_project *p, sl_str name);
const struct sql_project_job *sql_project_job(const struct sql_project *p, sl_str name);

/* Adds the built-in variables, then those of the project, then those of the environment (NULL: none), so that
 * later ones win. Error: usage, for a name that is none. */
struct sql_builtins {
    sl_str script_dir, job_name, run_id, run_date, environment;
    sql_version flink;
};
SL_MUST_CHECK bool sql_project_vars(const struct sql_project *p, const struct sql_environment *env,
                                    const struct sql_builtins *b, struct sl_arena *a, struct sql_vars *vars,
                                    struct sl_err *err);

#endif
