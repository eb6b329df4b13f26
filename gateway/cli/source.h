/* SPDX-License-Identifier: Apache-2.0
 * A script with all that belongs to it: its file or standard input, the sluice.yaml beside it, init files,
 * variables, Flink version. Everything lives in the caller's arena. Blocking file reads. */
#ifndef SLUICE_CLI_SOURCE_H
#define SLUICE_CLI_SOURCE_H

#include "base/arena.h"
#include "sqlparse/project.h"

/* What the command line says about scripts; cli_source_option() fills it. */
struct cli_source_options {
    const char *flink;              /* --flink; NULL: sluice.yaml's, else the settings' */
    const char *environment;        /* -E, --env; NULL: the settings' */
    const char *name;               /* --name: the job's; NULL: the file's stem */
    const char *run_id;             /* ${run.id}; NULL: 32 zeros */
    SL_VEC(const char *) vars;      /* --var k=v, in order */
    SL_VEC(const char *) var_files; /* --var-file F */
    bool no_variables;              /* leave ${...} alone */
    bool alone;                     /* no sluice.yaml, no init files */
    enum sql_level level;
};
/* Takes argv[*i] if it is one of --flink, -E, --env, --var, --var-file (with "--x=v" and "--x v"), and moves
 * *i behind its value. 1 taken, 0 not ours, -1 its value is missing or wrong (said to stderr, with the verb's
 * name). */
int cli_source_option(struct cli_source_options *o, struct sl_arena *a, const char *verb, int argc,
                      char **argv, int *i);
/* Calls fn for a file or "-", or for every *.sql below a folder (what begins with a dot is passed over). Returns 0, or
 * the exit code for a folder that could not be read (said on stderr); the others are gone through all the same. */
int cli_each_script(const char *path, void (*fn)(void *ctx, const char *path), void *ctx);
/* The Flink version where sluice.yaml has no say: --flink, else the settings'. Error: usage. */
SL_MUST_CHECK bool cli_source_flink(const struct cli_source_options *o, sql_version *ret, struct sl_err *err);

struct cli_source {
    struct sql_script script;
    struct sql_vars vars;
    struct sql_project project;
    const struct sql_environment *environment; /* NULL: none was chosen */
    const char *path;                          /* as given; "-" */
    const char *project_path;                  /* NULL: there is no sluice.yaml */
    sl_str project_text;
    size_t first_own; /* index of the first statement that is not from an init file */
};
/* Loads and parses. False: the script could not be read at all (file, UTF-8, sluice.yaml, --var-file): *err,
 * with *err_file and *err_text set when its position is in that text. What is wrong with the SQL is in
 * script.diags. */
struct cli_source_error {
    struct sl_err err;
    const char *file;
    sl_str text;
};
SL_MUST_CHECK bool cli_source_load(struct cli_source *s, struct sl_arena *a, const char *path,
                                   const struct cli_source_options *o, struct cli_source_error *ret);
/* The same for the verbs of one script: what is wrong is printed to stderr, of the script or of its reading. 0, or
 * the exit code where it could not be read at all. */
SL_MUST_CHECK int cli_source_read(struct cli_source *s, struct sl_arena *a, const char *path,
                                  const struct cli_source_options *o);
/* Adds what --var-file and --var say. */
SL_MUST_CHECK bool cli_source_given(struct sql_vars *vars, struct sl_arena *a,
                                    const struct cli_source_options *o, struct cli_source_error *ret);
/* Does the configuration of a job in sluice.yaml leave streaming mode? What only streams have is not asked for then. */
bool cli_source_may_be_batch(const struct cli_source *s);

/* Prints it to stderr, with the line it stands in; returns the exit code. */
int cli_source_error_print(const struct cli_source_error *e);

#endif
