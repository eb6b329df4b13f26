/* SPDX-License-Identifier: Apache-2.0
 * What an owner that died had under way goes on under the next one (docs/submissions.md): each statement is
 * done once, what may have been done is asked for, and what cannot be asked is lost and said so. */
#ifndef SLUICE_JOBS_RECOVER_H
#define SLUICE_JOBS_RECOVER_H

#include "gateway/jobs/submission.h"

struct sub_recovery;

/* Takes a submission that was left open; NULL: it cannot go on (its request is gone, or it only showed rows),
 * the caller closes it. From now on its key is under way. */
struct sub_recovery *sub_recovery_new(const struct sub_env *env, const struct ledger_open *o);
/* Does the recovery see to this run? Else it is the owner's to follow or to lose. */
bool sub_recovery_has(const struct sub_recovery *r, const char *run_id);
/* Goes on with it on a thread of its own. */
void sub_recovery_start(struct sub_recovery *r);
/* Waits for its end, and frees it. The hub was told to stop. */
void sub_recovery_join(struct sub_recovery *r);

#endif
