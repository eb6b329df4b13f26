/* SPDX-License-Identifier: Apache-2.0
 * A running job is replaced by another version of it: savepoint, stop, start of the new one from it; back to
 * the old one with its savepoint when the new one is not well. Each replacement is a record with its state, so
 * that after a crash at any step the next owner ends with either the old version or the new one, never both,
 * and never neither without a word. */
#ifndef SLUICE_JOBS_REPLACE_H
#define SLUICE_JOBS_REPLACE_H

#include "gateway/jobs/submission.h"

/* Ends the replacements that an owner that died has left in the middle: those whose new runs are well are
 * done, all others are undone. At its start, when the runs are under watch again; blocks as long as that takes,
 * on a thread of its own. `stop` turns true when the owner ends: what is still open stays so for the next. */
void replace_recover(const struct sub_env *env, const bool *stop);

/* What became of a job's replacements, newest first. */
struct replace_record {
    int64_t id, old_version, started_ms, ended_ms;
    char job[129], key[129];
    char state[16]; /* "stopping", "starting", "done", "undone", "failed" */
    char reason[256];
};
SL_MUST_CHECK bool replace_list(struct store *s, const char *job, size_t limit, struct sl_arena *a,
                                struct replace_record **ret, size_t *ret_n, struct sl_err *err);

#endif
