/* SPDX-License-Identifier: Apache-2.0
 * What a Flink JVM of this machine is started with: configuration file, log configuration, command line,
 * environment. One folder per cluster:
 *
 *   <dir>/conf/config.yaml, log4j.properties       <dir>/log/jobmanager.log, .out, taskmanager.log, .out
 *   <dir>/archive/ (finished jobs)  checkpoints/  savepoints/  upload/  tmp/  task.json
 */
#ifndef SLUICE_TARGET_JVM_H
#define SLUICE_TARGET_JVM_H

#include "base/json.h"
#include "runtime-image/flink_base.h"

struct jvm_cluster {
    const struct img_flink_base *base;
    const char *dir;       /* of the cluster, absolute */
    const char *state_dir; /* checkpoints and savepoints, which outlive the cluster, absolute; NULL: in dir */
    const char *id;        /* sluice.cluster.id */
    enum img_role jm;      /* IMG_ROLE_SESSION or IMG_ROLE_APPLICATION */
    int rest_port, rpc_port;
    int slots;
    const char *job_id; /* application with exactly one job: its id; else NULL */
    const char *task;   /* application: path of the task document */
    const char *const
        *jars;            /* application: behind the runner on the class path; NULL-terminated, may be NULL */
    const char *dump_dir; /* make class-data archives here when the JVMs end; NULL = use those of the base */
    const char *runner_jar; /* dump of an application: loaded as the job's jar, so that the archive does not
                               depend on it */
};

/* Makes the folders and writes config.yaml and log4j.properties. */
SL_MUST_CHECK bool jvm_write_conf(const struct jvm_cluster *c, struct sl_err *err);
/* argv of one JVM, NULL-terminated, in the arena. For an application *ret_restore_at is where
 * "--fromSavepoint PATH" may be put in (0 = nowhere). */
const char **jvm_argv(struct sl_arena *a, const struct jvm_cluster *c, enum img_role role,
                      size_t *ret_restore_at);
/* Environment of all JVMs of the cluster, "K=V", NULL-terminated. */
const char **jvm_env(struct sl_arena *a, const struct jvm_cluster *c);

#endif
