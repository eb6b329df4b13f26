/* SPDX-License-Identifier: Apache-2.0
 * The supervisor of one local cluster: a small mode of the sluice binary (`sluice supervise FOLDER`) that
 * starts the cluster's JVMs, records how each fares, caps what they print, and ends them. It holds <dir>/lock
 * as long as it lives; the kernel kills its JVMs with it, so a free lock means a dead cluster, whatever any
 * pid says.
 *
 * In the folder, beside what jvm.h says:
 *   cluster.json  what to run (written by the target before the start)
 *   state.json    start id, pid, state of each JVM (replaced at every change)
 *   lock          held by the supervisor        owner.lock   held by the Sluice that owns the cluster
 *
 * A cluster without an owner goes on as long as a job runs in it and ends sl_limits.local_orphan_ms after. A
 * JobManager of an application that dies while its job is not at its end is started again from the newest
 * checkpoint; a TaskManager is started again; with the JobManager of a session everything ends. */
#ifndef SLUICE_TARGET_SUPERVISE_H
#define SLUICE_TARGET_SUPERVISE_H

#include "base/json.h"

struct sup_jvm_spec {
    const char *role; /* "jobmanager" or "taskmanager" */
    const char *const *argv;
    size_t restore_at; /* index in argv for --fromSavepoint; 0 = nowhere */
};
struct sup_spec {
    const char *id;   /* cluster id */
    const char *kind; /* "session" or "application" */
    const char *flink, *flink_root;
    const char *rest;      /* http://127.0.0.1:PORT */
    const char *name;      /* of the job or script */
    const char *job_id;    /* restartable application: its one job; else "" */
    const char *state_dir; /* its checkpoints lie below <state_dir>/checkpoints; "" or NULL: in the folder */
    const char *const *env;
    struct sup_jvm_spec jvm[2];
    size_t n_jvm;
};
SL_MUST_CHECK bool sup_spec_write(const char *dir, const struct sup_spec *s, struct sl_err *err);
/* Text in the arena. Error: file-not-found, json. */
SL_MUST_CHECK bool sup_spec_read(struct sl_arena *a, const char *dir, struct sup_spec *ret,
                                 struct sl_err *err);

enum sup_state { SUP_NONE, SUP_STARTING, SUP_RUNNING, SUP_RESTARTING, SUP_ENDED };
struct sup_jvm_state {
    char start[33]; /* start id: another life of the JVM has another */
    long pid;
    uint64_t start_time;
    bool running;
    int exit, signal; /* when it has ended; -1 = none */
    int restarts;
};
struct sup_status {
    enum sup_state state; /* SUP_NONE: not started yet, or nothing known */
    bool alive;           /* a supervisor holds the lock */
    long pid;             /* of the supervisor */
    uint64_t start_time;
    char why[256]; /* ENDED: why, one line */
    struct sup_jvm_state jobmanager, taskmanager;
};
/* Never fails: what cannot be read is SUP_NONE or, with a free lock, SUP_ENDED. */
void sup_status(const char *dir, struct sup_status *ret);

/* Starts `self supervise dir` in a session of its own; returns when it holds the lock. */
SL_MUST_CHECK bool sup_start(const char *self, const char *dir, struct sl_err *err);
/* TERM to the supervisor, then KILL after the grace time; returns when all its JVMs are gone. */
void sup_stop(const char *dir, int64_t grace_ms);
/* The supervisor itself; returns its exit code. */
int sup_main(const char *dir);

/* Newest complete checkpoint of a job below <dir>/checkpoints, or NULL; dir: the state folder. */
const char *sup_newest_checkpoint(struct sl_arena *a, const char *dir, const char *job_id);

#endif
