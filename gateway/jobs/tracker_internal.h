/* SPDX-License-Identifier: Apache-2.0
 * What the files of the tracker share: tracker.c (entries, who waits), tracker_place.c (which JobManager is due
 * next), tracker_loop.c (the looks), tracker_note.c (what a look changes), tracker_keep.c (what is written down),
 * tracker_figures.c. Included by those only.
 *
 * `lock` guards entries and places; it is never held while a target is asked or anything is written.
 * `save_lock` is taken before it by who writes a run, so that an older copy never overwrites a newer one. */
#ifndef SLUICE_JOBS_TRACKER_INTERNAL_H
#define SLUICE_JOBS_TRACKER_INTERNAL_H

#include "gateway/jobs/snapshot.h"
#include "gateway/jobs/tracker.h"
#include "gateway/target/flink_look.h"
#include "sys/lane.h"

#include <pthread.h>
#include <uv.h>

#define ASK_WAITED_MS  60
#define TRACK_BUCKETS  4096
#define TRACK_HTTP     32
#define TRACK_RECORDED 256 /* checkpoints of a run whose last written state is remembered */
#define TRACK_HELD     24  /* vertices of a run whose back-pressure is watched */

/* Something of a run that waits to be written: an event, or a checkpoint. */
struct pending {
    struct pending *next;
    const char *kind; /* of the event; NULL: a checkpoint */
    char *json;
    struct snapshot snapshot;
};

struct recorded {
    int64_t id;
    enum snapshot_state state;
};

struct entry {
    struct entry *next, *in_bucket, *in_place;
    struct place *place; /* NULL until its cluster is known */
    int64_t submission;
    struct run run;
    int waiters;
    bool asking;
    bool asked; /* under watch: cluster and job are known */
    bool released;
    bool app_done;
    bool dirty;                   /* differs from what the ledger holds */
    bool end_saved;               /* the ledger knows that it has ended: only then who waits is told */
    bool end_handled;             /* its logs are kept, its cluster released if it was the last */
    bool consult;                 /* its JobManager did not know it: the target is asked what is left of it */
    bool settings_known;          /* the checkpoint interval */
    uint64_t looks, looks_wanted; /* that have ended; for tracker_look() */
    /* Monotonic: when it is due, when a look at it last began, since when it is asked for; of its parts. */
    int64_t next_ms, last_ms, since_ms, detail_ms, checkpoints_ms;
    bool spread; /* its looks have a phase of their own */
    int64_t ended_at;
    int64_t clock_ms;   /* of its JobManager, in the last answer */
    int64_t counted_ms; /* monotonic: when the counts of records last changed */
    char *transition;   /* its newest change of state, as the event says it; NULL: none since it is watched */
    int64_t transition_ms;   /* wall */
    char *chain, *stack;     /* of its newest failure */
    int64_t failure_said_ms; /* monotonic: of the newest event of one */
    struct pending *pending, **pending_end;
    size_t n_pending;
    struct recorded recorded[TRACK_RECORDED];
    struct flink_held held[TRACK_HELD];
    size_t n_held;
    int64_t held_at_ms;
};

/* One JobManager: its runs are looked at together, one request after the other. */
struct place {
    struct place *next, *in_bucket, **bucket;
    size_t in_due; /* where in the heap, from 1; 0 = it is busy */
    char target[64];
    struct tgt_cluster cluster;
    struct entry *entries;
    bool busy;
    int failures; /* looks in a row that saw nothing */
    int64_t next_ms, identity_ms, cluster_ms;
    char life[192];        /* web.tmpdir of the JobManager that is believed */
    uint64_t site;         /* what all lives of it share; 0 = not known yet */
    char process_life[64]; /* its start id, where it is ours */
    char next_life[192];   /* of another that answers since next_life_ms (monotonic) */
    int64_t next_life_ms;
    uint64_t past_lives[8]; /* of those that were before: never believed again */
    size_t n_past;
    struct flink_look *look;
    struct round *round; /* that the look is of */
};
struct round; /* tracker_loop.c */

struct tracker {
    struct ledger *ledger;
    tracker_target target;
    void *target_ctx;
    char keep_dir[512];
    pthread_t thread;
    pthread_mutex_t lock, save_lock;
    pthread_cond_t changed; /* an entry changed: for waiters */
    struct entry *entries, *buckets[TRACK_BUCKETS];
    struct place *places, *place_buckets[TRACK_BUCKETS];
    struct {
        struct place **v; /* a heap by next_ms: those that are not busy */
        size_t n, cap;
    } due;
    size_t active;
    bool stop;
    bool ends_due;      /* a run has ended and is written */
    int64_t unsaved_ms; /* monotonic: when the ledger could not be written; 0 = it could */
    struct tracker_figures figures;
    /* The loop's own. */
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t timer;
    int64_t timer_at; /* monotonic; 0 = not set */
    /* Several, by address: libcurl goes through all connections of a handle at the end of each request. */
    struct sys_http_loop *http[TRACK_HTTP];
    struct sys_lane *facts, *asks, *saves, *ends;
    bool saving, save_again;
    int64_t forgot_ms;
};

/* ---- tracker.c ---- */
struct entry *track_find(struct tracker *t, const char *run_id);
/* Removes ended entries that nobody has asked after for a while, and places without entries. Under the lock. */
void track_forget(struct tracker *t, int64_t now);

/* ---- tracker_place.c: under the lock ---- */
/* The entry belongs to the JobManager of its cluster from now on. */
void track_enter_place(struct tracker *t, struct entry *e);
void track_leave_place(struct entry *e);
int64_t track_due_of(const struct entry *e);
/* The entry is due, sooner than thought; who calls wakes the loop. */
void track_due_now(struct tracker *t, struct entry *e);
/* One that is due; NULL: none is before *next_ms (INT64_MAX: none at all). Busy ones are not. */
struct place *track_place_due(struct tracker *t, int64_t now, int64_t *next_ms);
void track_place_begin(struct tracker *t, struct place *p); /* it is busy */
void track_place_end(struct tracker *t, struct place *p);
void track_place_put_off(struct tracker *t, struct place *p, int64_t next_ms);
/* Those without entries, or all at the end. */
void track_forget_places(struct tracker *t, bool all);

/* ---- tracker_figures.c: under the lock ---- */
void track_time(struct tracker_times *t, int64_t us);

/* ---- tracker_note.c: under the lock ---- */
struct track_seen {
    struct state_observation what;
    const struct flink_look_job *look; /* NULL: only what the observation says */
    const struct tgt_process *process; /* NULL: none of ours */
};
void track_note(struct tracker *t, struct entry *e, const struct track_seen *s);
void track_note_failure(struct entry *e, const struct tgt_failure *f);
/* The state of a run is set by who submitted or stopped it. */
void track_note_end(struct tracker *t, struct entry *e, const char *state, const char *evidence);
void track_push_event(struct entry *e, const char *kind, sl_str json);

/* ---- tracker_keep.c ---- */
/* Writes the entry now; the lock is held when called, and given up. */
void track_publish(struct tracker *t, struct entry *e);
/* Loop: writes what is dirty, on the lane; then tells who waits. */
void track_save(struct tracker *t);
void track_save_now(struct tracker *t); /* blocking */
/* Loop: what is left to do for runs that have ended and are written goes to its lane. */
void track_handle_ends(struct tracker *t);
/* Keeps the logs of an ended run; releases its cluster when it was the last. Blocking. */
void track_end(struct tracker *t, const struct run *r);
void track_release_application(struct tracker *t, const struct run *r);

/* ---- tracker_loop.c ---- */
/* Before the thread is there: what other threads wake. */
void track_open(struct tracker *t);
void *track_thread(void *arg);
/* Any thread: something is due sooner than thought. */
void track_wake(struct tracker *t);

#endif
