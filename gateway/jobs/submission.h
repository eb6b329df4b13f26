/* SPDX-License-Identifier: Apache-2.0
 * The pipeline: a script goes down the straight way (parse, plan, bundle, target, runs, rows) on one lane
 * thread, saying each step to an event sink. */
#ifndef SLUICE_JOBS_SUBMISSION_H
#define SLUICE_JOBS_SUBMISSION_H

#include "gateway/auth/rules.h"
#include "gateway/jobs/event.h"
#include "gateway/jobs/ledger.h"
#include "gateway/jobs/live.h"
#include "gateway/jobs/plan.h"
#include "gateway/jobs/restore.h"
#include "gateway/results/results.h"

struct tracker;

/* What the owner lends to every submission. */
struct sub_env {
    struct res_port *results;
    struct ledger *ledger;
    struct tracker *tracker;
    struct live_hub *live;
    /* The target of that name and Flink version ("2.2", "2.2.1"), made on first use. Owned by the owner. */
    struct target *(*target)(void *ctx, sl_str name, sl_str flink, struct sl_err *err);
    void *target_ctx;
    const char *results_host; /* where the port is, for this machine: "127.0.0.1" */
    const char *artifact_dir; /* where jars of versions are kept */
    const char *open_dir;     /* where the requests of submissions under way are kept */
    /* HOST:PORT that the TaskManagers of that target dial, where it has one of its own; else "". In the arena. */
    const char *(*results_of)(void *ctx, const char *target, struct sl_arena *a);
    struct auth_rules *rules; /* who may have what run where */
};

/* Where Flink on that target dials for results, as of res_port_dial: what was asked for (HOST:PORT, "" = nothing), else the
 * target's own, else where the port is. NULL: tls-failed. In the arena. */
SL_MUST_CHECK const char *sub_results_dial(const struct sub_env *env, const char *asked, const char *target,
                                           struct sl_arena *a, struct sl_err *err);

#define SUB_KEY_BYTES 128 /* of an idempotency key, at most */

struct sub_file {
    sl_str name, text;
};

struct sub_request {
    const struct sub_file *files; /* init files first, the script last */
    size_t n_files;
    const struct sql_vars *vars;
    const struct plan_pair *config; /* job defaults, sluice.yaml, -D: rising precedence */
    size_t n_config;
    sl_str name, key, owner, target;
    sl_str results_address; /* HOST:PORT; empty = the port's own */
    const sl_str *jars;     /* absolute paths */
    size_t n_jars;
    const sl_str *artifacts; /* besides these: digests of what was brought (upload.h) */
    size_t n_artifacts;
    const sl_str *kept_jars; /* of a version that is run again: these, in place of `jars` and ADD JAR */
    size_t n_kept_jars;
    sql_version flink;
    sl_str flink_patch; /* "2.2.1" when a patch version was asked for */
    enum tgt_mode mode;
    enum res_form form;
    bool detach, together, dry_run;
    const struct sl_json *params; /* as the client sent them */
    bool resumed;                 /* the client comes back: it has seen how the submission began */
    uint64_t since;               /* and has seen the events up to this number; 0 = none of them */
    uint64_t max_rows;            /* per SELECT; 0 = all */
    int64_t max_duration_ms;      /* per SELECT; 0 = none */
    int64_t timeout_ms;           /* of the whole submission; 0 = none */
    sl_str from;                  /* "" = as the script says, "none", "latest", or where a snapshot lies */
    bool lenient;                 /* state that fits nowhere may be left behind */
    bool replace;    /* the job's running version is stopped with a savepoint, and this one goes on */
    int64_t well_ms; /* how long a restored or replaced job may take to run well; 0 = limit.well */
    /* Set within Sluice only. */
    enum auth_role role;            /* of who brings it; AUTH_ADMIN where it was accepted before */
    int64_t version;                /* this version of the job again; 0 = what the script is */
    bool beside;                    /* the job's name may be in use: the caller sees to that */
    struct restore_source *sources; /* to start from; only statements that have one are started */
    size_t n_sources;
};

struct sub_outcome {
    int exit_code;
    char warm[16];      /* Flink version of a local session cluster that stays warm; "" = none */
    sl_str result_json; /* the last event, as docs/events.md says; in the arena given */
};

/* What a version of a job was asked for with, to be run again (detached, under a new key). `vars`: values of
 * secrets, which are not kept; may be NULL. Errors: job-unknown, variable-undefined. */
SL_MUST_CHECK bool sub_version_request(const struct sub_env *env, const char *job, int64_t version,
                                       const struct sql_vars *vars, struct sl_arena *a,
                                       struct sub_request *ret, struct sl_err *err);

/* Runs it to its end (or, detached, until its jobs run). Never fails as a call: what went wrong was said to
 * the sink and is in the outcome. */
void sub_run(const struct sub_env *env, const struct sub_request *rq, const struct event_sink *sink,
             struct sl_arena *a, struct sub_outcome *ret);

/* Ends the run of a SELECT whose rows nobody wants any more. Flink is asked first: a sink that is told to stop
 * fails its task, and a job that was not being canceled by then would be FAILED. Waits for its end, at most
 * limit.cancel; errors: timeout, job-state (it has no job yet), or why Flink cannot be asked. */
SL_MUST_CHECK bool sub_cancel_select(const struct sub_env *env, const char *run_id, struct res_result *result,
                                     struct sl_err *err);

#endif
