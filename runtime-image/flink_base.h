/* SPDX-License-Identifier: Apache-2.0
 * An installed Flink made ready to start JVMs from: which Java, the exact class path in its order, where the
 * runner's jar and the class-data archives (JDK AppCDS) are. The order is correctness: Flink's own jars
 * sorted, flink-dist among them, then the planner, then the runner, then whatever a job brings. Archives are
 * made for the first two only, as a prefix of every class path used, so a new runner does not need new ones.
 */
#ifndef SLUICE_IMG_FLINK_BASE_H
#define SLUICE_IMG_FLINK_BASE_H

#include "runtime-image/java.h"

enum img_role { IMG_ROLE_SESSION, IMG_ROLE_TASKMANAGER, IMG_ROLE_APPLICATION, IMG_ROLE_MAX_ };

struct img_flink_base {
    const char *root, *version;
    const char *dir;      /* <root>/<version> */
    const char *flink_cp; /* Flink's jars and the planner, with ':' */
    const char *runner;   /* <dir>/runner/<digest>/sluice-runner.jar; NULL when opened without one */
    struct img_java java;
    const char *archive_dir; /* <dir>/cds/<fingerprint>; NULL when this Java cannot make archives */
    const char *archive[IMG_ROLE_MAX_]; /* NULL where there is none yet */
};

/* `runner_jar`: the jar to use, copied into the base by its digest; NULL = none. All text in the arena.
 * Errors: flink-not- installed, java-missing, io. */
SL_MUST_CHECK bool img_flink_base_open(struct sl_arena *a, const char *root, const char *version,
                                       const char *runner_jar, struct img_flink_base *ret,
                                       struct sl_err *err);
/* $SLUICE_RUNNER_JAR, else sluice-runner.jar beside the binary `self`; NULL when there is none. */
const char *img_runner_jar(struct sl_arena *a, const char *self);
/* "session.jsa" and so on. */
const char *img_role_archive(enum img_role role);
/* Replaces all archives of the base by the ones in `made` (a folder beside, renamed). */
SL_MUST_CHECK bool img_flink_base_set_archives(struct sl_arena *a, struct img_flink_base *b, const char *made,
                                               struct sl_err *err);

#endif
