/* SPDX-License-Identifier: Apache-2.0
 * Records of the nouns job, version, run (DESIGN's words): what the ledger keeps and the API shows.
 * A job is `project/name` and lasts; a version is an immutable bundle of it; a run is one life of a version.
 * In session mode a run is one Flink job, under our own id; in application mode a run is one application
 * cluster. */
#ifndef SLUICE_JOBS_RUN_H
#define SLUICE_JOBS_RUN_H

#include "base/json.h"
#include "gateway/jobs/state.h"

#define RUN_ID_HEX 32

/* What is counted over time for the health of a run; kept with its facts. Times are epoch, 0 = not (yet). */
#define RUN_RESTARTS 32
struct run_vitals {
    int64_t state_ms, health_ms; /* since when it shows this state, has this health */
    enum state_level health;     /* as last derived */
    unsigned reasons;
    int64_t silent_ms, unknown_ms; /* struct state_facts */
    int unknown;
    int64_t restarts_at[RUN_RESTARTS]; /* oldest first */
    int n_restarts;
    int64_t moved_ms;   /* its sources counted their last record */
    int64_t figures_ms; /* Flink last renewed its figures */
    int64_t held_ms;    /* since when it is held back */
    int held_permille;
    int64_t behind_ms, behind_was_ms, behind_mark, behind_mark_ms; /* of the watermark */
    int checkpoints_failed;                                        /* in a row */
    int64_t checkpoints_seen, checkpoints_missed; /* completed ones that were recorded in this life of its
                                                     JobManager; that nobody could record, in all lives */
    int64_t failed_ms;                            /* of its newest failure, which it may have survived */
    bool source_unreachable;                      /* that failure says so */
};

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
    struct run_vitals vitals;
    int64_t rate_in, rate_out; /* records per second between the last two counts; not kept in the ledger */
    char error_code[48];
    char error[512];
    char hint[384];
    char error_place[160]; /* "orders.sql:20:1" */
};

/* The facts of the state machine as the run holds them, and back. */
void run_to_facts(const struct run *r, struct state_facts *ret);
void run_of_facts(struct run *r, const struct state_facts *f);
/* What the last look told and what is counted over time, as one JSON object of the ledger, and back. */
void run_facts_write(const struct run *r, struct sl_buf *b);
void run_facts_read(struct run *r, sl_str json);
/* RUNNING with tasks that do not all run is STARTING, and what is not seen is unknown. */
const char *run_shown_state(const struct run *r);
/* Now. */
void run_health(const struct run *r, struct state_health *ret);
/* The restarts within the window that still counts; *ret_first_ms: the oldest of them. */
int run_restarts(const struct run *r, int64_t now_ms, int64_t *ret_first_ms);
/* A SELECT, and whatever runs on the Flink that Sluice has started, ends with the owner; a job on a cluster of others goes
 * on. */
bool run_ends_with_owner(const struct run *r);
bool run_state_is_terminal(const char *state);

#endif
