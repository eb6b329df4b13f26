/* SPDX-License-Identifier: Apache-2.0
 * What an owner that died has left in the data folder, and what the next one does with it. In this order: sweep,
 * new, adopt, start, stop, join; all on the owner's thread. */
#ifndef SLUICE_API_OWNER_RECOVERY_H
#define SLUICE_API_OWNER_RECOVERY_H

#include "gateway/jobs/submission.h"

/* Folders of local clusters that nobody needs are removed. Clusters of runs that have not ended are not swept:
 * something may be under way there. */
SL_MUST_CHECK bool owner_recovery_sweep(struct ledger *l, const char *cluster_dir, struct sl_arena *a,
                                        struct sl_err *err);

struct owner_recovery;
/* In the arena, which outlives the join; `sub` is borrowed until then. */
struct owner_recovery *owner_recovery_new(const struct sub_env *sub, struct sl_arena *a);
/* Runs of an owner that died. Where their cluster lives, they are followed again; a cluster that has ended
 * tells what it archived; a SELECT lived for its reader only and is ended. Submissions left open are taken up,
 * or get an answer. */
SL_MUST_CHECK bool owner_recovery_adopt(struct owner_recovery *o, struct sl_arena *a, struct sl_err *err);
/* Submissions and replacements go on, on threads of their own. */
void owner_recovery_start(struct owner_recovery *o);
/* Replacements that were left in the middle have ended. */
bool owner_recovery_done(const struct owner_recovery *o);
/* They are told to leave what is left to the next owner. */
void owner_recovery_stop(struct owner_recovery *o);
/* Waits for all of its threads, also of those that were never started. */
void owner_recovery_join(struct owner_recovery *o);

#endif
