/* SPDX-License-Identifier: Apache-2.0
 * One local Flink cluster as a folder: made, started, asked, stopped, tidied away. Used by local.c (the
 * target) and archives.c (a cluster that only makes class-data archives). Blocking; a struct local_cluster
 * belongs to whoever holds the target's lock, its strings do not change after it was made. */
#ifndef SLUICE_LOCAL_CLUSTER_H
#define SLUICE_LOCAL_CLUSTER_H

#include "gateway/target/flink_rest.h"
#include "gateway/target/jvm.h"
#include "gateway/target/supervise.h"

struct local_cluster {
    char id[64], dir[512], rest[128], flink[16];
    bool application;
    bool dumps;        /* its JVMs write class-data archives when they end, which takes its time */
    bool released;     /* stopped and tidied; only archive and logs are left */
    int owner_fd;      /* our lock on <dir>/owner.lock, or -1 */
    char jar_id[128];  /* session: the uploaded tiny jar */
    char verified[33]; /* start id of the JobManager whose cluster id was checked */
    struct local_cluster *next;
};

struct local_make {
    const struct img_flink_base *base;
    const char *run_dir, *self;
    const char *state_dir; /* see jvm.h */
    bool application;
    const char *id;     /* of an application's cluster, chosen before; NULL: made here */
    const char *name;   /* of the job or script */
    const char *job_id; /* application with one job; else NULL */
    bool restartable;   /* that job may go on from its checkpoints when its JobManager dies */
    sl_str task;        /* application */
    const char *const *jars;
    int slots;
    const char *dump_dir, *runner_jar; /* see jvm.h */
    bool (*alive)(void *ctx); /* asked while it comes up: false gives up, with `cancelled`; may be NULL */
    void *ctx;
};
/* Makes the folder, starts the JVMs and waits until the JobManager answers as ours. On failure everything is
 * stopped; `failure` (texts in the arena) holds what its log says, and *ret (if the folder was made) names
 * what is left of it. */
SL_MUST_CHECK bool local_cluster_start(const struct local_make *m, struct sl_arena *a,
                                       struct local_cluster *ret, struct tgt_failure *failure,
                                       struct sl_err *err);
/* Waits until a TaskManager has registered; `m` is asked whether to go on. */
SL_MUST_CHECK bool local_cluster_wait_slots(struct local_cluster *c, const struct local_make *m,
                                            struct sl_err *err);
/* Takes over a folder below run_dir that has a cluster in it, alive or ended; takes the owner lock if it is
 * free. */
SL_MUST_CHECK bool local_cluster_open(const char *run_dir, const char *id, struct local_cluster *ret,
                                      struct sl_err *err);
/* Is its JobManager the one we know, and does it answer? Checks the cluster id once per life of the
 * JobManager. Errors: target-unreachable with what is known about its end; flink-version-mismatch;
 * target-answer (another cluster). */
SL_MUST_CHECK bool local_cluster_check(struct local_cluster *c, struct sup_status *ret, struct sl_err *err);
/* Ends the JVMs and removes all but logs and archive. The owner lock is given back. */
void local_cluster_stop(struct local_cluster *c);
/* What a JobManager that died wrote last; empty when it says nothing. */
void local_cluster_log_failure(const char *dir, struct sl_arena *a, struct tgt_failure *ret);
/* Has an application's JobManager that has ended said itself that it failed: main(), its job, its start? Whoever
 * kills it leaves no such word, nor does one that ran out of memory. */
bool local_cluster_said_failed(const char *dir, const struct sup_jvm_state *jobmanager, struct sl_arena *a,
                               struct tgt_failure *ret);
/* From the archive of finished jobs: false when the job is not there. */
bool local_cluster_archived(const char *dir, const char *job_id, struct tgt_job_status *ret,
                            struct sl_arena *a, struct tgt_failure *failure);
/* Ids in the archive, oldest first. */
size_t local_cluster_archived_ids(const char *dir, struct sl_arena *a, char (**ret)[33]);
/* Last `tail` lines (0 = all) of jobmanager or taskmanager: what it printed, then its log. */
SL_MUST_CHECK bool local_cluster_logs(const char *dir, const char *which, size_t tail, struct sl_arena *a,
                                      sl_str *ret, struct sl_err *err);

#endif
