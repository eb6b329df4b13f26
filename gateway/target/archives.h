/* SPDX-License-Identifier: Apache-2.0
 * Making an installed Flink quick to start: class-data archives, one per JVM role, made by running a small
 * cluster of each kind once with -XX:ArchiveClassesAtExit. Without them everything works, three times slower
 * at start. */
#ifndef SLUICE_TARGET_ARCHIVES_H
#define SLUICE_TARGET_ARCHIVES_H

#include "runtime-image/flink_base.h"
#include "runtime-image/flink_install.h"

struct tgt_prepare {
    const char *root;       /* installations */
    const char *self;       /* the sluice binary */
    const char *runner_jar; /* NULL = img_runner_jar(self) */
    bool again;             /* also when making the archives has failed before */
    img_install_fn fn;      /* progress; may be NULL */
    void *ctx;
};
/* Installs the version if it is not there, then makes the archives if this Java and class path have none.
 * *ret_did: anything was done. An archive that cannot be made is no error: the step says why. */
SL_MUST_CHECK bool tgt_prepare_flink(const struct tgt_prepare *p, const char *version, bool *ret_did,
                                     struct sl_err *err);

/* The task that teaches a JobManager to plan: nothing is started by it when it is given to /jars/:id/plan. */
sl_str tgt_warm_task(struct sl_arena *a, bool thorough);
/* Uploads the tiny jar if needed and plans the warm task there. Failing is no harm: the first statement is
 * slower. */
struct local_cluster;
SL_MUST_CHECK bool tgt_warm(struct local_cluster *c, bool thorough, struct sl_err *err);

#endif
