/* SPDX-License-Identifier: Apache-2.0
 * Records of the nouns job, version, run (DESIGN's words): what the ledger keeps and the API shows.
 * A job is `project/name` and lasts; a version is an immutable bundle of it; a run is one life of a version.
 * In session mode a run is one Flink job, under our own id; in application mode a run is one application
 * cluster. */
#ifndef SLUICE_JOBS_RUN_H
#define SLUICE_JOBS_RUN_H

#include "gateway/target/target.h"

#define RUN_ID_HEX 32

/* Where a run is in its life. `state` holds Flink's own word once Flink has said one. */
enum run_sight { RUN_SIGHT_LIVE, RUN_SIGHT_SILENT, RUN_SIGHT_LOST };
extern const char *const run_sight_names[]; /* "live", "silent", "lost" */

struct run {
    char id[RUN_ID_HEX + 1];
    char job[129];      /* name; "" for an interactive SELECT */
    char flink_job[33]; /* "" until it is known */
    int64_t version;    /* of the job; 0 = interactive */
    uint32_t statement; /* which statement of the script */
    char kind[24];      /* "INSERT", "STATEMENT SET", "SELECT", "APPLICATION" */
    enum tgt_mode mode;
    char target[64];
    struct tgt_cluster cluster;
    char wanted[12]; /* "running", "gone" */
    char state[24];  /* "SUBMITTING", "STARTING", Flink's words, "LOST" */
    enum run_sight sight;
    bool ended;
    int64_t created_ms, started_ms, ended_ms, seen_ms; /* epoch */
    int64_t finish_first_ms; /* epoch: when it was seen to run with all its tasks; 0 = not yet */
    struct tgt_job_status last;
    int64_t rate_in, rate_out; /* records per second between the last two counts; not kept in the ledger */
    char error_code[48];
    char error[512];
    char hint[384];
    char error_place[160]; /* "orders.sql:20:1" */
};

/* RUNNING with tasks that do not all run is STARTING; the one place that says so. */
const char *run_shown_state(const struct run *r);
/* "ok", "degraded", "down", "unknown"; *ret_why (static text) when not ok. */
const char *run_health(const struct run *r, const char **ret_why);
bool run_state_is_terminal(const char *state);

#endif
