/* SPDX-License-Identifier: Apache-2.0
 * An asynchronous look at the jobs of one JobManager, on a uv loop: who answers, what it says of each job,
 * one request after the other over one connection, each with its own deadline. A JobManager that hangs costs
 * nobody else anything. An answer counts only from the JobManager that is expected: who it is, is asked when
 * due, and before anything is believed that differs from what was known.
 *
 * Everything happens on the loop's thread; nothing blocks. Source: Flink's REST documentation, 1.20 to 2.3. */
#ifndef SLUICE_FLINK_LOOK_H
#define SLUICE_FLINK_LOOK_H

#include "gateway/target/target.h"
#include "sys/http_loop.h"

/* What a job may be asked for beside its state and tasks. */
enum {
    FLINK_LOOK_CHECKPOINTS = 1, /* the whole history */
    FLINK_LOOK_METRICS = 2,     /* records of operators, restarts, watermark, lag */
    FLINK_LOOK_EXCEPTIONS = 4,  /* the newest failure */
    FLINK_LOOK_SETTINGS = 8,    /* the checkpoint interval */
};

struct flink_checkpoint {
    int64_t id;
    bool savepoint, discarded;
    char status[16]; /* "IN_PROGRESS", "COMPLETED", "FAILED" */
    int64_t trigger_ms, duration_ms, bytes;
    sl_str path, failure;
};

/* Time that all subtasks of a vertex together were held back, since they were started. */
struct flink_held {
    uint64_t vertex; /* hash of its id */
    int64_t ms;
    int parallelism;
};

enum flink_look_end {
    FLINK_LOOK_JOB,     /* status is filled */
    FLINK_LOOK_UNKNOWN, /* the expected JobManager does not know the job */
    FLINK_LOOK_OTHER,   /* another one answers */
    FLINK_LOOK_SILENCE  /* no answer in time, half of one, or not Flink's */
};
struct flink_look_job {
    /* in */
    char id[33];
    unsigned wants;
    char expect[24];       /* its state as known; another one makes the look ask who answers */
    int64_t restarting_ms; /* as known: a later one makes the look ask how often it restarted */
    int restarts;          /* as known */
    /* The JobManager's clock in its last answer, 0 = none yet; out: in this one. An answer whose clock has not
     * gone on since is an old one that something in between repeats, and counts as silence. */
    int64_t clock_ms;
    void *ctx;
    /* out; strings live until job() returns */
    enum flink_look_end end;
    struct tgt_job_status status;
    struct flink_checkpoint *checkpoints; /* oldest first */
    size_t n_checkpoints;
    bool has_checkpoints, has_metrics;
    struct flink_held *held;
    size_t n_held;
    struct tgt_failure failure; /* empty stack: none */
    char detail[200];           /* why there is no answer, or how Flink said it */
};

struct flink_look_who {
    char cluster_id[64]; /* sluice.cluster.id; "" = none */
    char life[192];      /* web.tmpdir: each life of a JobManager has its own */
    uint64_t
        site; /* hash of the addresses and ids that all lives of one JobManager share; 0 = it tells none */
};
struct flink_look_plan {
    struct tgt_endpoint at; /* strings borrowed until done() */
    int64_t timeout_ms;     /* of each request */
    bool identity;          /* ask who answers, first */
    bool overview; /* many jobs, or a state that /jobs/:id may tell late: one request for all states */
    bool cluster;  /* ask for TaskManagers and slots */
    struct flink_look_job *jobs; /* lives until done() */
    size_t n;                    /* at least 1 */
    void *ctx;
    /* Is it the one that is expected? Called with each answer of who it is. */
    bool (*same)(void *ctx, const struct flink_look_who *who);
    /* One job is looked at, or will not be: once for each, in order. */
    void (*job)(void *ctx, struct flink_look_job *j);
    /* The look is over and gone; `answered` = somebody spoke Flink to the end. Not called when cancelled. */
    void (*done)(void *ctx, bool answered);
};
struct flink_look;
/* NULL: the address is none, and job() and done() were called already. Otherwise nothing is called from inside. */
struct flink_look *flink_look_start(struct sys_http_loop *http, const struct flink_look_plan *p);
void flink_look_cancel(struct flink_look *l);

#endif
