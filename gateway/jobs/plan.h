/* SPDX-License-Identifier: Apache-2.0
 * The plan of a script: which of its statements are what to Flink, in order, with the configuration in force
 * at each. Pure: a script and the configuration given in, units out. The rules are those of
 * docs/execution.md. */
#ifndef SLUICE_JOBS_PLAN_H
#define SLUICE_JOBS_PLAN_H

#include "sqlparse/sql.h"

enum plan_action {
    PLAN_SESSION,  /* takes effect in the session: executed once, replayed in front of later units */
    PLAN_EXTERNAL, /* effect outside the session: executed once, never replayed */
    PLAN_ANSWER,   /* rows without a job */
    PLAN_INSERT,   /* one job */
    PLAN_SET,      /* one job: a statement set */
    PLAN_SELECT,   /* one job: rows */
    PLAN_LOCAL,    /* answered by Sluice: SHOW JARS, SHOW JOBS, SET */
    PLAN_ACTION_MAX_
};

struct plan_pair {
    sl_str key, value;
    sl_str origin; /* "job default", "-D", "SET, line 3" */
};

/* Flink's configuration at one point of the script; sorted by key, keys once. */
struct plan_config {
    const struct plan_pair *pairs;
    size_t n;
};

struct plan_unit {
    enum plan_action action;
    const struct sql_stmt *stmt;
    const struct sql_stmt *const *inserts; /* PLAN_SET: also those gathered by --together */
    size_t n_inserts;
    struct plan_config config; /* in force at this unit */
    bool await;                /* the next unit starts when this unit's job has ended */
    sl_str job_name;           /* pipeline.name of its job */
};

struct plan {
    struct plan_unit *units;
    size_t n;
    size_t jobs; /* INSERT, SET and SELECT units */
    size_t selects;
    bool batch;   /* of the first job */
    sl_str *jars; /* of ADD JAR, as written */
    size_t n_jars;
};

struct plan_options {
    sl_str name;                   /* of the job */
    const struct plan_pair *given; /* job defaults, sluice.yaml, -D: in rising precedence */
    size_t n_given;
    bool together;    /* merge loose INSERTs into one statement set */
    bool application; /* for the rules that differ between the modes */
};

/* What cannot be run becomes a diagnostic of the script (and false): kinds that bare Flink answers with OK
 * without doing them, --together across a SET, UPSERT and the like. */
SL_MUST_CHECK bool plan_make(struct sql_script *s, const struct plan_options *o, struct plan *ret);

/* The value of a key, or an empty slice. */
sl_str plan_config_get(const struct plan_config *c, const char *key);
bool plan_is_batch(const struct plan_config *c);
/* Is the key one that Sluice keeps to itself (execution.target, rest.*, table.dml-sync, sql-client.* ...)? */
bool plan_key_is_ours(sl_str key);

#endif
