/* SPDX-License-Identifier: Apache-2.0
 * Jars of this machine (--jar, ADD JAR) on a session cluster that others started. TaskManagers there see no file of
 * ours, and Flink ships to them only the one jar of a run: so the jars travel inside one, below lib/, behind the runner
 * where the cluster does not have it. Such a jar has a name with this data folder's mark and its content's digest. The
 * one used last is kept for the next statement; it goes when another is made and when the target is freed, and what a
 * killed Sluice has left goes when the next one first looks at that cluster. Any thread; calls that ask Flink block. */
#ifndef SLUICE_TARGET_SESSION_JARS_H
#define SLUICE_TARGET_SESSION_JARS_H

#include "gateway/target/flink_rest.h"

struct session_jars;
/* scratch_dir: a folder of the data folder, for the mark and while a jar is made; copied. */
struct session_jars *session_jars_new(const char *scratch_dir);
/* Takes back what is still there; at is as of struct target. */
void session_jars_free(struct session_jars *j, const struct tgt_endpoint *at);

struct session_jars_wanted {
    const char *const *jars; /* NULL-terminated, not empty */
    const char *runner;      /* put in front of them; NULL: the cluster has it */
    const char *incarnation; /* of the JobManager: another one has none of what we sent */
};
/* The id of the jar that holds them, found or uploaded; it stays until session_jars_done(). Errors: file-not-found, io,
 * disk-full, and those of the upload. */
SL_MUST_CHECK bool session_jars_take(struct session_jars *j, const struct tgt_endpoint *at,
                                     const struct session_jars_wanted *w, char ret_id[192],
                                     struct sl_err *err);
/* gone: the JobManager did not know it. */
void session_jars_done(struct session_jars *j, const struct tgt_endpoint *at, const char *id, bool gone);
/* Takes away what carries our mark and is not in use. files: of the answer to GET /jars. */
void session_jars_sweep(struct session_jars *j, struct flink_rest *r, const struct sl_json *files);

#endif
