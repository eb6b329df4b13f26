/* SPDX-License-Identifier: Apache-2.0
 * What a run's facts mean to a person: shown state and health. */
#include "gateway/jobs/run.h"

const char *const run_sight_names[] = {"live", "silent", "lost"};

bool run_state_is_terminal(const char *state)
{
    return strcmp(state, "FINISHED") == 0 || strcmp(state, "FAILED") == 0 || strcmp(state, "CANCELED") == 0 ||
           strcmp(state, "LOST") == 0;
}

const char *run_shown_state(const struct run *r)
{
    if (strcmp(r->state, "RUNNING") == 0 && r->last.tasks > r->last.tasks_running + r->last.tasks_finished) {
        return "STARTING";
    }
    return r->state;
}

const char *run_health(const struct run *r, const char **ret_why)
{
    *ret_why = NULL;
    if (strcmp(r->state, "FAILED") == 0) {
        *ret_why = "failed";
        return "down";
    }
    if (strcmp(r->state, "LOST") == 0) {
        *ret_why = "its JobManager restarted and does not know it";
        return "down";
    }
    if (r->ended) {
        return "ok";
    }
    if (r->sight != RUN_SIGHT_LIVE) {
        *ret_why = "the target does not answer";
        return "unknown";
    }
    if (strcmp(r->state, "RESTARTING") == 0 || r->last.restarts > 0) {
        *ret_why = "restarted";
        return "degraded";
    }
    if (r->last.checkpoints_failed > r->last.checkpoints_completed) {
        *ret_why = "checkpoints fail";
        return "degraded";
    }
    return "ok";
}
