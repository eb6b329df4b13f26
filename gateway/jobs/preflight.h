/* SPDX-License-Identifier: Apache-2.0
 * Does what a script names answer, seen from this machine? Kafka brokers, databases, other host:port options and the
 * paths of files that are read. Flink says it after a minute; here it takes at most limit.preflight for all together. The
 * answers are warnings only: TaskManagers may see another network. Nothing blocks but preflight_wait. */
#ifndef SLUICE_JOBS_PREFLIGHT_H
#define SLUICE_JOBS_PREFLIGHT_H

#include "sqlparse/sql.h"

struct preflight;
/* Begins to try everything at once, on threads of its own; NULL when there is nothing to try. The script must live until
 * preflight_free. `target`: named in the hint; "" or "local" = none. */
struct preflight *preflight_start(const struct sql_script *s, const char *target);
/* Has all been tried, or is the time over? */
bool preflight_done(struct preflight *p);
/* Waits for that. */
void preflight_wait(struct preflight *p);
/* Adds a warning, at the option, for each thing that did not answer; once, after it is done. They are the last n of
 * s->diags.list. */
size_t preflight_tell(struct preflight *p, struct sql_script *s);
/* What is still being tried is forgotten; NULL is fine. */
void preflight_free(struct preflight *p);

#endif
