/* SPDX-License-Identifier: Apache-2.0
 * Answers that ride back in main()'s exception text, where Flink cannot reach the results port (docs/task.md). */
#ifndef SLUICE_JOBS_INLINE_ANSWER_H
#define SLUICE_JOBS_INLINE_ANSWER_H

#include "base/json.h"
#include "gateway/target/target.h"

/* The document behind "SLUICE-ANSWER " in one of the causes, in the arena; NULL: there is none. */
const struct sl_json *inline_answer_of(const struct tgt_failure *f, struct sl_arena *a);
/* Its member "failed" in the form of any other failure. */
struct tgt_failure inline_answer_failure(const struct sl_json *failed, struct sl_arena *a);

#endif
