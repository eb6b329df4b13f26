/* SPDX-License-Identifier: Apache-2.0
 * What the verbs of `sluice job` have in common: asking the owner, and words for figures. Texts live in the
 * arena. */
#ifndef SLUICE_CLI_JOB_PRINT_H
#define SLUICE_CLI_JOB_PRINT_H

#include "base/json.h"

/* A member that is a string, or "". */
const char *job_text(const struct sl_json *o, const char *key, struct sl_arena *a);
const char *job_age(struct sl_arena *a, int64_t ms);       /* "8 s", "22 min", "6 h", "13 d" */
const char *job_age_short(struct sl_arena *a, int64_t ms); /* "8s", "22m", "6h", "13d" */
/* 41,208,113 */
const char *job_grouped(struct sl_arena *a, const char *digits);
/* " (1,930/s)", or nothing where no rate is known. */
const char *job_rate(const struct sl_json *o, const char *key, struct sl_arena *a);
/* "2026-11-07T14:02:11.000Z" as "2026-11-07 14:02 UTC". */
const char *job_minute(struct sl_arena *a, const char *at);
/* One call of a method of the owner, which is started when there is none; NULL with err. */
const struct sl_json *job_ask(const char *method, sl_str params, struct sl_arena *a, struct sl_err *err);
/* {"job":NAME} */
sl_str job_param(struct sl_arena *a, const char *job);
void job_print_json(const struct sl_json *v);

/* sluice job show|wait and logs; argv[0] is the verb. */
int job_show(int argc, char **argv);
int job_wait(int argc, char **argv);
int job_logs(int argc, char **argv);

#endif
