/* SPDX-License-Identifier: Apache-2.0
 * The state machine of a run: pure functions from (facts, what a look saw) to (facts, what changed, by what
 * evidence), and the health that follows from the facts. Four facts, kept apart: what is wanted, what Flink
 * last said, whether all tasks really run, and whether the run can be seen now. Silence is never FAILED: that
 * word needs evidence (Flink's own answer, its archive, or the exit of a JVM of ours). Thread-free. */
#ifndef SLUICE_JOBS_STATE_H
#define SLUICE_JOBS_STATE_H

#include "gateway/target/target.h"

enum state_wanted { STATE_WANT_RUNNING, STATE_WANT_SUSPENDED, STATE_WANT_GONE };

/* Can the run be seen? SILENT: not since `silent_ms`; LOST: not for sl_limits.sight_lost_ms, or it is known that
 * there is nothing left to be seen. */
enum run_sight { RUN_SIGHT_LIVE, RUN_SIGHT_SILENT, RUN_SIGHT_LOST };
extern const char *const run_sight_names[]; /* "live", "silent", "lost" */

struct state_facts {
    enum state_wanted wanted;
    char word[24];  /* "SUBMITTING", Flink's own last word, or "LOST" */
    bool tasks_run; /* all of them run or have ended: RUNNING without it is starting */
    bool ended;
    enum run_sight sight;
    int64_t silent_ms;  /* epoch: since when it is not seen; 0 = it is */
    int unknown;        /* looks in a row at which its JobManager did not know it */
    int64_t unknown_ms; /* epoch of the first of them */
};

/* What a look saw. */
enum state_seen {
    STATE_SEEN_JOB,     /* the JobManager that is expected there tells the job */
    STATE_SEEN_NOT_YET, /* it answers, and main() has not come to the job yet */
    STATE_SEEN_ARCHIVE, /* its cluster has ended; the archive tells the job's end */
    STATE_SEEN_UNKNOWN, /* it answers and does not know the job */
    STATE_SEEN_EXIT,    /* a JobManager of ours has ended and left no word of the job */
    STATE_SEEN_COMING,  /* a JobManager of ours is being started (again) */
    STATE_SEEN_OTHER,   /* another Flink, or another life of it, answers at its address */
    STATE_SEEN_SILENCE, /* no answer in time, half of one, or nothing that Flink says */
    STATE_SEEN_COUNT
};
struct state_observation {
    enum state_seen seen;
    int64_t at_ms;                    /* epoch */
    const struct tgt_job_status *job; /* JOB, ARCHIVE */
    int exit, signal;                 /* EXIT; -1 = not known */
    bool application;                 /* EXIT: that JobManager was there for this job */
    int64_t
        patience_ms; /* UNKNOWN: how long it may not be known before it is lost (a JobManager that recovers) */
    const char *detail; /* one line: what was answered, why there was none; may be NULL */
};

struct state_change {
    bool word, sight, tasks, end; /* what changed */
    const char *source;           /* of the evidence: "rest", "archive", "process", "silence" */
    char evidence[320];           /* one line, for people */
};
/* Applies what was seen. An ended run stays as it is. */
void state_apply(struct state_facts *f, const struct state_observation *o, struct state_change *ret);
bool state_changed(const struct state_change *c);

/* The word a person sees: "STARTING" for RUNNING whose tasks do not all run, "unknown" for what is not seen. */
const char *state_shown(const struct state_facts *f);
bool state_is_terminal(const char *word);

/* ---- health ---- */

enum state_level { STATE_OK, STATE_DEGRADED, STATE_UNKNOWN, STATE_DOWN };
extern const char *const state_level_names[]; /* "ok", "degraded", "unknown", "down" */

/* Why a run is not well, as bits. */
enum state_reason {
    STATE_FAILED = 1 << 0,
    STATE_GONE = 1 << 1,   /* lost: nothing of it is left, and no word how it ended */
    STATE_SILENT = 1 << 2, /* not seen for a while */
    STATE_UNSEEN = 1 << 3, /* not seen for long */
    STATE_RESTARTING = 1 << 4,
    STATE_RESTARTS = 1 << 5,
    STATE_SLOTS = 1 << 6, /* its tasks wait for slots */
    STATE_STARTING = 1 << 7,
    STATE_TASKMANAGERS = 1 << 8,
    STATE_CHECKPOINTS_FAIL = 1 << 9,
    STATE_CHECKPOINTS_LATE = 1 << 10,
    STATE_SOURCE_UNREACHABLE = 1 << 11,
    STATE_SOURCE_IDLE = 1 << 12,
    STATE_BACK_PRESSURE = 1 << 13,
    STATE_LAG = 1 << 14,
    STATE_WATERMARK = 1 << 15,
};

/* What health is derived from: the facts, and what was counted over time. Times are epoch, 0 = not (yet). */
struct state_vitals {
    struct state_facts facts;
    int64_t now_ms, state_ms;              /* since when its word is what it is */
    int restarts;                          /* within sl_limits.health_restart_window_ms */
    int64_t first_restart_ms;              /* the oldest of them */
    int tasks, tasks_running, slots_free;  /* slots_free -1 = not known */
    int taskmanagers, taskmanagers_wanted; /* wanted 0 = not known */
    int64_t all_running_ms;
    int checkpoints_failed; /* in a row */
    int64_t checkpoint_interval_ms, last_checkpoint_ms;
    bool source_unreachable; /* its last failure says so */
    int64_t moved_ms;        /* its sources counted their last record */
    int64_t figures_ms;      /* Flink last renewed its figures; 0 = not known: now */
    bool streaming;          /* has checkpoints or has told a watermark: idle and late mean something */
    int64_t held_ms;         /* since when it is held back more than sl_limits.health_backpressure */
    int held_permille;
    bool lag_told;
    int64_t lag;
    int64_t behind_ms;     /* the watermark behind the clock, 0 = none */
    int64_t behind_was_ms; /* the same sl_limits.health_watermark_window_ms ago, or 0 */
};
struct state_health {
    enum state_level level;
    unsigned reasons; /* of enum state_reason */
    char why[256];    /* all of them, for people, worst first; "" when ok */
};
void state_health(const struct state_vitals *v, struct state_health *ret);
/* The slugs of the reasons, "restarts", ...; NULL for a bit that is none. */
const char *state_reason_name(unsigned bit);
/* "22 min", "13 d" */
void state_age(int64_t ms, char *ret, size_t cap);

#endif
