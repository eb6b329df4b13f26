/* SPDX-License-Identifier: Apache-2.0
 * A target: a place where jobs go. One vtable; local.c (supervised JVMs of this machine) is the first,
 * session.c, operator.c and native.c follow. All calls block and belong on a lane thread (work or track),
 * never on the loop; each target is safe to use from several threads. */
#ifndef SLUICE_TARGET_H
#define SLUICE_TARGET_H

#include "base/arena.h"
#include "base/err.h"

enum tgt_mode { TGT_SESSION, TGT_APPLICATION };

/* Flink's own words for a job's state, plus `sight`. */
struct tgt_job_status {
    char state[24]; /* "INITIALIZING" ... "FINISHED"; "" = not seen */
    bool terminal;  /* FINISHED, FAILED, CANCELED */
    bool gone;      /* the cluster answered and does not know the job */
    int tasks, tasks_running, tasks_finished;
    int64_t start_ms, end_ms;         /* epoch; 0 = none */
    uint64_t records_in, records_out; /* summed over sources / sinks as REST tells */
    /* Flink cannot tell (any more): a source of the old kind is chained with what follows it, and counted
     * are only what the chain handed on, or nothing. The figure is a lower bound. */
    bool in_hidden, out_hidden;
    /* Idle, busy and held back, summed over its vertices: it grows while Flink renews its figures; 0 = not told. */
    int64_t task_ms;
    int restarts;
    int64_t checkpoints_completed, checkpoints_failed, last_checkpoint_id, last_checkpoint_ms;
    char restored_from[512];
    char last_savepoint[512];  /* where the newest savepoint lies; "" = none */
    int64_t last_savepoint_ms; /* epoch: when it was asked for */
    int64_t last_checkpoint_duration_ms, last_checkpoint_bytes,
        checkpoint_interval_ms; /* 0 = none, not told */
    int64_t restarting_ms;      /* epoch: when it last went to RESTARTING */
    int64_t watermark_ms;       /* epoch: the lowest of its last steps; 0 = none */
    int64_t lag;                /* records that wait in what its sources read, where they tell (`lag_told`) */
    bool lag_told;
    /* Of the cluster; taskmanagers and slots_free -1 = not asked, taskmanagers_wanted 0 = not known. */
    int taskmanagers, taskmanagers_wanted, slots_free;
};

/* How a job or main() failed, for gateway/target/flink_error.h to translate. */
struct tgt_failure {
    sl_str chain_json; /* [{"class","message"},...] outermost first; may be empty */
    sl_str stack;      /* Java text; may be empty */
    int64_t at_ms;
};

struct tgt_submit {
    enum tgt_mode mode;
    const char *name;   /* job or script name, for logs and the cluster's folder */
    const char *job_id; /* 32 hex, ours: session mode, one job per submit; application: the first job's */
    /* Application mode: id of the cluster to make, by the caller ("app-" and hex digits): written down before it is made, so
     * that it is found again whatever happens in between. NULL: any. */
    const char *cluster_id;
    sl_str task;                 /* task document (docs/task.md) */
    const char *token;           /* runner token of the results port, session mode */
    const char *results_address; /* HOST:PORT that Flink is told to dial */
    const char *digest;
    const char *const
        *jars;        /* absolute paths to put on the class path of the job, NULL-terminated; may be NULL */
    bool expects_job; /* false: answers only, "no jobs included" is success */
    bool inline_task; /* may be answered by exception text when the port cannot be reached */
    const bool
        *stop; /* read atomically while its cluster comes up: true gives up, with `cancelled`; may be NULL */
};

/* A cluster that a submission made or used. */
struct tgt_cluster {
    char id[64];          /* our own cluster id; of a foreign cluster the target's name */
    char rest[256];       /* http://127.0.0.1:PORT, https://host/prefix; no slash at the end */
    char incarnation[64]; /* start id of its JobManager */
    char flink[16];       /* "2.2.1" */
};

/* How a cluster's REST is asked: where, and what goes with every request. Strings are borrowed: from the
 * target (they live as long as it does), NULL where there is none. Headers may hold secrets: never shown. */
struct tgt_endpoint {
    char rest[256];                       /* as in struct tgt_cluster */
    char incarnation[64];                 /* of the JobManager that is expected to answer; "" = not known */
    const char *const *headers;           /* "Name: value", NULL-terminated */
    const char *ca_file;                  /* PEM */
    const char *client_cert, *client_key; /* PEM; the key may be in the certificate's file */
    const char *proxy;
};

/* What is known of the JobManager's process, where it is ours. */
enum tgt_process_state {
    TGT_PROCESS_FOREIGN, /* not ours: nothing is known but its REST */
    TGT_PROCESS_UP,
    TGT_PROCESS_COMING, /* it starts, or is started again */
    TGT_PROCESS_ENDED,
};
/* Flink's ApplicationStatus.FAILED, 1443, of which an exit status keeps eight bits: an application's JobManager says
 * with it that its job, or since 2.3 its main(), has failed. */
#define TGT_EXIT_FAILED 163
struct tgt_process {
    enum tgt_process_state state;
    char life[64];    /* start id: another life of it has another */
    int exit, signal; /* ENDED; -1 = not known */
    char why[256];    /* ENDED, COMING: one line; may be empty */
    int restarts;     /* by its supervisor: each restarted its job */
    int taskmanagers; /* wanted; 0 = not known */
    bool application; /* its main() makes the job: one that it does not know may yet come */
};

/* Progress lines of slow steps: called on the calling thread. With step NULL it only asks. False: give up, with
 * `cancelled`. */
typedef bool (*tgt_progress)(void *ctx, const char *step, const char *text);

/* What a cluster tells about itself. */
struct tgt_look {
    char flink[16], incarnation[64];
    int taskmanagers, slots, slots_free;
    bool can_submit;   /* features.web-submit */
    bool runner_there; /* the runner stands on its class path, or was uploaded */
};

/* One address as a TaskManager sees it. */
struct tgt_reach {
    char address[300]; /* as asked */
    bool reached;
    int ms;
    char from[128];  /* host name of the TaskManager */
    char ip[64];     /* what the name is there; "" = it is not known there */
    char cause[200]; /* Java's words; "" when it was reached */
};

struct target;
struct target_ops {
    const char *kind; /* "local" */
    /* Makes the target able to take work in this mode (installs and starts a local Flink); tells which
     * cluster. For application mode only checks: its cluster is made by submit. */
    bool (*ready)(struct target *t, enum tgt_mode mode, tgt_progress progress, void *ctx,
                  struct tgt_cluster *ret, struct sl_err *err);
    /* Session: returns when main() has ended (so does the request), or failed: then `failure` holds Java's
     * words. Application: returns when the JobManager of the new cluster answers its REST or has died. */
    bool (*submit)(struct target *t, const struct tgt_submit *s, struct sl_arena *a, struct tgt_cluster *ret,
                   struct tgt_failure *failure, struct sl_err *err);
    /* Ids of the jobs of a cluster (application mode before 2.3: the ids its main() made), newest last. */
    bool (*list)(struct target *t, const struct tgt_cluster *c, struct sl_arena *a, char (**ret_ids)[33],
                 size_t *ret_n, struct sl_err *err);
    bool (*status)(struct target *t, const struct tgt_cluster *c, const char *job_id,
                   struct tgt_job_status *ret, struct sl_err *err);
    /* Root cause of a failed job, or (job_id "") of an application that failed before it had one: only what Flink said
     * itself. An application that was killed has no failure. */
    bool (*failure)(struct target *t, const struct tgt_cluster *c, const char *job_id, struct sl_arena *a,
                    struct tgt_failure *ret, struct sl_err *err);
    bool (*cancel)(struct target *t, const struct tgt_cluster *c, const char *job_id, struct sl_err *err);
    /* Ends an application's cluster when its jobs have ended (reads what is still to be read first); nothing
     * to do in session mode. */
    bool (*release)(struct target *t, const struct tgt_cluster *c, struct sl_err *err);
    /* Log text: which = "jobmanager", "taskmanager" or the id of one (or what it alone begins with; SL_NOT_FOUND lists
     * them); last `tail` lines (0 = all kept). */
    bool (*logs)(struct target *t, const struct tgt_cluster *c, const char *which, size_t tail,
                 struct sl_arena *a, sl_str *ret, struct sl_err *err);
    /* Where and how this cluster's REST is asked, for those who ask it themselves (the tracker). Does not block on
     * the cluster; false when it is known to have ended. */
    bool (*endpoint)(struct target *t, const struct tgt_cluster *c, struct tgt_endpoint *ret,
                     struct sl_err *err);
    /* The process of a JobManager of ours; reads a few small files and asks nobody. not-found: nothing is left of
     * the cluster. NULL: this target has no processes of ours. */
    bool (*process)(struct target *t, const struct tgt_cluster *c, struct tgt_process *ret,
                    struct sl_err *err);
    /* The rest is NULL where a target has no use for it. */
    bool (*look)(struct target *t, struct tgt_look *ret, struct sl_err *err);
    /* Tries TCP from a TaskManager by a job that is over in 3 s and keeps no slot; `results`: the address of the results
     * port, where our own answer is expected, or NULL. ret: n_connect (+ 1, the first) findings, in the arena. False: it
     * could not be tried (slots-missing: no slot was free). */
    bool (*reach)(struct target *t, const char *results, const char *const *connect, size_t n_connect,
                  struct sl_arena *a, struct tgt_reach **ret, struct sl_err *err);
    /* Slots that a job which does not run yet needs, and those that are free; false: not known. */
    bool (*slots)(struct target *t, const struct tgt_cluster *c, const char *job_id, int *ret_needed,
                  int *ret_free, int *ret_all);
    /* Stops everything of this target that we started. */
    void (*stop)(struct target *t);
    void (*free)(struct target *t);
};

struct target {
    const struct target_ops *ops;
    char name[64];
    char flink[16]; /* the version it runs, "2.2.1" */
};

/* gateway/target/local.c */
struct tgt_local_config {
    const char *flink_root; /* installations: $XDG_DATA_HOME/sluice/flink */
    const char *flink;      /* version wanted: "2.2" or "2.2.1" */
    const char *run_dir;    /* clusters' folders: <data>/clusters */
    const char
        *state_dir;   /* checkpoints and savepoints where a script sets no folder: <data>/state; NULL: each
                             * cluster's own folder, with which they go */
    const char *self; /* path of the sluice binary, for `sluice supervise` */
    const char *runner_jar; /* NULL: the one beside the binary / embedded */
    int slots;              /* task slots of the session cluster; 0 = 8 */
};
SL_MUST_CHECK struct target *tgt_local_new(const struct tgt_local_config *c, struct sl_err *err);

/* gateway/target/session.c: a session cluster that others started. Strings are copied. */
struct tgt_session_config {
    const char *name;
    const char *flink; /* version the scripts are checked for: "2.2" or "2.2.1" */
    const char *url;   /* as of struct target_record, as are the next ones; "" or NULL = none */
    const char *ca, *cert, *key, *headers, *user, *proxy;
    const char *self;        /* path of the sluice binary: the runner's jar is beside it */
    const char *scratch_dir; /* for the small jar that names the runner's class */
};
SL_MUST_CHECK struct target *tgt_session_new(const struct tgt_session_config *c, struct sl_err *err);
/* Stops clusters below run_dir whose owner has gone (found by their supervise lock) and that have no job, but for
 * those that are `spared`: something may be under way there. Called at owner start. */
void tgt_local_sweep(const char *run_dir, const char *const *spared, size_t n_spared);

#endif
