/* SPDX-License-Identifier: Apache-2.0
 * Why a run is not well, in people's words: its newest failure, translated at the statement of the version's
 * own script. Also of a run that survived it. Blocking (reads the ledger). */
#ifndef SLUICE_JOBS_CAUSE_H
#define SLUICE_JOBS_CAUSE_H

#include "gateway/jobs/ledger.h"
#include "gateway/jobs/tracker.h"

struct cause {
    const char *code, *message, *hint; /* hint may be "" */
    const char *place;                 /* "orders.sql:20:1", or "" */
    const char *
        what; /* that stands there: "CREATE TABLE clicks, read by orders.sql:24:1 INSERT INTO visits", or "" */
    const char *record; /* that did not fit: "topic clicks, value {...}", or "" */
    const char *flink;  /* the root cause as Java says it, one line */
    sl_str stack;
    int causes; /* exceptions in the chain */
    int64_t at_ms;
};
/* False: no failure is known. */
bool cause_of_run(struct ledger *l, struct tracker *t, const struct run *r, struct sl_arena *a,
                  struct cause *ret);

#endif
