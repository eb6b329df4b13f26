/* SPDX-License-Identifier: Apache-2.0
 * The ledger: jobs, versions, runs, submissions and events in the store, intent first. Every write returns
 * after it is on disk. Safe from any thread. */
#ifndef SLUICE_JOBS_LEDGER_H
#define SLUICE_JOBS_LEDGER_H

#include "gateway/jobs/run.h"
#include "store/store.h"

/* Their tables, in the order in which they are made; each ends with noun == NULL. */
extern const struct store_migration ledger_migrations[], submission_migrations[];

struct ledger;
struct ledger *ledger_new(struct store *s);
void ledger_free(struct ledger *l);
/* The store below, for nouns with files of their own (snapshot.h). */
struct store *ledger_store(struct ledger *l);

/* A submission: one way through the pipeline. */
struct ledger_submission {
    const char *key;    /* Idempotency-Key, 1 to 128 bytes */
    const char *job;    /* name; "" = interactive only (no INSERT) */
    const char *owner;  /* user */
    const char *digest; /* of the bundle */
    const char *body;   /* digest of all that the request asks for: the same key must bring the same; NULL:
                           not known */
    int64_t version;    /* a version of the job that is there; 0 = what the digest says */
    bool beside;        /* the job may have a run: the caller sees to that one */
    sl_str bundle;      /* JSON */
    sl_str source;      /* JSON of the files as given, for positions later */
    const char *target;
    enum tgt_mode mode;
};
struct ledger_opened {
    int64_t submission; /* id */
    int64_t version;    /* number within the job; the old one when its digest is the same */
    bool known;         /* the key was used before: nothing was written */
    bool ended;         /* known: its answer is stored */
    bool other_body;    /* known: it was used for something else */
    char job[129];      /* known: of that submission */
    bool taken;         /* the job's name is in use: nothing was written */
    char taken_by[33];  /* by this run; "": by a submission that has none yet */
};
/* Keys are remembered for sl_limits.key_kept_ms after the end, and the newest sl_limits.keys_kept of them. */
SL_MUST_CHECK bool ledger_open(struct ledger *l, const struct ledger_submission *s, struct ledger_opened *ret,
                               struct sl_err *err);
SL_MUST_CHECK bool ledger_close(struct ledger *l, int64_t submission, bool ok, sl_str result_json,
                                struct sl_err *err);
/* Closes a submission that an owner that died has left open: failed, `owner`. */
SL_MUST_CHECK bool ledger_close_lost(struct ledger *l, int64_t submission, struct sl_err *err);
struct ledger_open {
    int64_t id, version;
    const char *key, *job; /* in the arena */
    char body[80];
};
/* Submissions that have not ended, oldest first. */
SL_MUST_CHECK bool ledger_open_list(struct ledger *l, struct sl_arena *a, struct ledger_open **ret,
                                    size_t *ret_n, struct sl_err *err);
/* The stored answer of a submission with this key; false when there is none or it has not ended. */
bool ledger_answer(struct ledger *l, const char *key, struct sl_arena *a, sl_str *ret_json);

/* One step of a submission's way; (submission, name, statement) is one record, written again as it goes on. */
struct ledger_step {
    int64_t submission, statement; /* statement 0: of the whole script */
    char name[24], state[12];      /* "running", "done", "failed" */
    char run[33];
    int64_t start_ms, end_ms; /* epoch; 0 = not yet */
    int64_t bytes;            /* sent; 0 = none, or not known */
    char text[256];
};
/* Durable when it returns: for what decides whether something is done again. */
SL_MUST_CHECK bool ledger_mark(struct ledger *l, const struct ledger_step *s, struct sl_err *err);
/* Written soon, in order, without waiting; dropped when too much waits for the store. */
void ledger_note_step(struct ledger *l, const struct ledger_step *s);
SL_MUST_CHECK bool ledger_steps(struct ledger *l, int64_t submission, struct sl_arena *a,
                                struct ledger_step **ret, size_t *ret_n, struct sl_err *err);

/* Inserts or replaces the whole record. */
SL_MUST_CHECK bool ledger_run_put(struct ledger *l, int64_t submission, const struct run *r,
                                  struct sl_err *err);
/* Numbered event of a job or run. */
SL_MUST_CHECK bool ledger_event(struct ledger *l, const struct run *r, const char *kind, sl_str json,
                                struct sl_err *err);

/* The same as parts of a transaction of the caller's. */
SL_MUST_CHECK bool ledger_run_put_tx(struct store_tx *tx, int64_t submission, const struct run *r,
                                     struct sl_err *err);
SL_MUST_CHECK bool ledger_event_tx(struct store_tx *tx, const char *run, const char *kind, sl_str json,
                                   struct sl_err *err);
/* The newest event of that kind; false when there is none (err->code stays SL_OK). */
SL_MUST_CHECK bool ledger_last_event(struct ledger *l, const char *run, const char *kind, struct sl_arena *a,
                                     sl_str *ret_json, int64_t *ret_at_ms, struct sl_err *err);

/* Runs newest first; job NULL = all; `active` = only those that have not ended; `interactive` = also SELECTs.
 */
SL_MUST_CHECK bool ledger_runs(struct ledger *l, const char *job, bool active, bool interactive, size_t limit,
                               struct sl_arena *a, struct run **ret, size_t *ret_n, struct sl_err *err);
/* A page of them: at most `limit`, behind the run `after` (NULL: from the first on); `newest`: of each statement of a job only its
 * newest run. *ret_more: there are others behind. Error: job-unknown, there is no run `after` any more. */
struct ledger_page {
    const char *after;
    size_t limit;
    bool active, interactive, newest;
};
SL_MUST_CHECK bool ledger_runs_page(struct ledger *l, const struct ledger_page *p, struct sl_arena *a,
                                    struct run **ret, size_t *ret_n, bool *ret_more, struct sl_err *err);
/* Those of one submission, in the order in which they were made. */
SL_MUST_CHECK bool ledger_runs_of(struct ledger *l, int64_t submission, struct sl_arena *a, struct run **ret,
                                  size_t *ret_n, struct sl_err *err);
/* By id, unique prefix (>= 6) or job name (its newest run). job-unknown with near names in the hint. */
SL_MUST_CHECK bool ledger_find(struct ledger *l, const char *what, struct run *ret, struct sl_err *err);
/* Source files of a version (JSON as stored). */
SL_MUST_CHECK bool ledger_source(struct ledger *l, const char *job, int64_t version, struct sl_arena *a,
                                 sl_str *ret, struct sl_err *err);
/* Facts of a job that `job show` prints. */
struct ledger_job {
    char owner[64], digest[80];
    int64_t version_ms; /* when the version was made */
    int64_t versions;
};
SL_MUST_CHECK bool ledger_job(struct ledger *l, const char *job, int64_t version, struct ledger_job *ret,
                              struct sl_err *err);

#endif
