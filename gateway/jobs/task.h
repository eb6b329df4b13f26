/* SPDX-License-Identifier: Apache-2.0
 * Writes the task document of the runner (docs/task.md) from units of a plan. */
#ifndef SLUICE_JOBS_TASK_H
#define SLUICE_JOBS_TASK_H

#include "base/buf.h"
#include "gateway/jobs/plan.h"

struct task_step {
    const struct plan_unit *unit;
    const char *action; /* "execute", "replay", "answer", "insert", "set", "select" */
    const char *token;  /* select: of its result */
    const char *job_id; /* may be NULL */
};
struct task_head {
    const char *mode; /* "session", "application" */
    const char *digest;
    sl_str script;       /* name */
    const char *results; /* HOST:PORT */
    const char *token;   /* application mode: the runner's own; NULL in session mode */
};
/* The environment is made with the configuration of the last step's unit; every step carries its own. */
void task_write(struct sl_buf *b, const struct task_head *head, const struct task_step *steps, size_t n);

#endif
