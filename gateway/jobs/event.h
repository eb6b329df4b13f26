/* SPDX-License-Identifier: Apache-2.0
 * The events of a submission, as JSON objects (docs/events.md): what `sluice run --json` prints and what
 * every client that looks is sent. */
#ifndef SLUICE_JOBS_EVENT_H
#define SLUICE_JOBS_EVENT_H

#include "base/json.h"
#include "gateway/results/results.h"
#include "sqlparse/sql.h"

/* Who listens. emit() may block (a slow client slows only its own submission) and answers false when the
 * listener has gone; cancelled() turns true when it wants the submission ended. All are called on the
 * submission's thread. */
struct event_sink {
    void *ctx;
    bool (*emit)(void *ctx, sl_str json);
    /* The same for one that can be asked for again by its number; NULL: emit. */
    bool (*emit_numbered)(void *ctx, uint64_t number, sl_str json);
    bool (*cancelled)(void *ctx);
    bool (*gone)(void *ctx); /* nobody listens any more; NULL: not known */
};

struct event_step {
    const char *step;  /* "check", "resolve", "start", "submit", "running", "finished", "failed", "stopped" */
    const char *state; /* "running", "done", "failed" */
    double ms;         /* < 0: not known */
    sl_str text;       /* for people */
    sl_str job;        /* name; may be empty */
    const char *run;   /* may be NULL */
    uint32_t statement;
    const struct event_counts *counts; /* of the step "check"; else NULL */
};
struct event_counts {
    size_t statements, errors, warnings;
};
void event_step(const struct event_sink *k, const struct event_step *e);
void event_note(const struct event_sink *k, const char *fmt, ...) SL_PRINTF(2, 3);
void event_diag(const struct event_sink *k, const struct sql_script *s, const struct sql_diag *d,
                sl_str stack);
void event_error(const struct event_sink *k, const struct sl_err *err);
void event_columns(const struct event_sink *k, int result, uint32_t statement, const struct res_column *cols,
                   size_t n, bool insert_only);
/* Rows of one block, at most `max`; returns how many were sent. */
SL_MUST_CHECK bool event_rows(const struct event_sink *k, int result, struct res_rows *rows,
                              const struct res_column *cols, size_t n, enum res_form form, const char *zone,
                              uint64_t max, uint64_t *ret_sent, struct sl_err *err);
/* state: "complete", "limit" (--rows, --for), "stopped", "partial". */
void event_end(const struct event_sink *k, int result, uint64_t rows, const char *state);

/* The fields of a diagnostic, into an open object. */
void event_put_diag(struct sl_jw *w, const struct sql_script *s, const struct sql_diag *d);

#endif
