/* SPDX-License-Identifier: Apache-2.0
 * Savepoints over Flink's REST: asking for one, with or without the end of the job, and what became of it.
 * Flink answers 202 at once and works on; an operation is known by the trigger id that we chose (the same id
 * again starts nothing new), so a lost answer is asked again without harm. COMPLETED says only that the
 * operation has ended: with a failure-cause it has failed. Blocking, as flink_rest.h; its errors. The same
 * paths and bodies in Flink 1.20 to 2.3. */
#ifndef SLUICE_FLINK_SAVEPOINT_H
#define SLUICE_FLINK_SAVEPOINT_H

#include "gateway/target/flink_rest.h"

struct flink_savepoint_ask {
    const char *job_id;     /* 32 hex */
    const char *trigger_id; /* 32 hex, the caller's */
    const char *dir;        /* URI or absolute path; NULL = where the cluster is configured to */
    bool stop;              /* the job ends when the savepoint is there */
    bool drain;             /* with `stop`: sources end as if there were no more input (MAX_WATERMARK) */
};
/* True when Flink has taken it on. */
SL_MUST_CHECK bool flink_savepoint_start(struct flink_rest *r, const struct flink_savepoint_ask *q,
                                         struct sl_err *err);

enum flink_savepoint_state {
    FLINK_SAVEPOINT_WORKING,
    FLINK_SAVEPOINT_DONE,
    FLINK_SAVEPOINT_FAILED,
    FLINK_SAVEPOINT_UNKNOWN, /* the cluster answers and knows nothing of this trigger (any more) */
};
struct flink_savepoint {
    enum flink_savepoint_state state;
    char path[512];   /* DONE */
    char reason[256]; /* FAILED: one line, the innermost cause; DONE: what else there is to say */
};
/* One look. False: no answer, or one that is not Flink's. */
SL_MUST_CHECK bool flink_savepoint_look(struct flink_rest *r, const char *job_id, const char *trigger_id,
                                        struct flink_savepoint *ret, struct sl_err *err);
/* The same from the answer's body. False: it is not what Flink says. */
SL_MUST_CHECK bool flink_savepoint_of_json(const struct sl_json *answer, struct flink_savepoint *ret);

#endif
