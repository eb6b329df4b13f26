/* SPDX-License-Identifier: Apache-2.0
 * Work, counted where it is done: the tokens lexed, the bytes passed for them, the grammar's shifts and reductions.
 * Only the build that tests/unit/sqlparse/growth.c is linked with counts (mk/steps.mk); everywhere else a step is
 * nothing. */
#ifndef SLUICE_SQLPARSE_STEPS_H
#define SLUICE_SQLPARSE_STEPS_H

#include <stdint.h>

struct sql_steps {
    uint64_t tokens, bytes, shifts, reductions;
};

#ifdef SQL_COUNT_STEPS
extern struct sql_steps sql_steps; /* the test's own */
#define SQL_STEP(what, n) ((void)(sql_steps.what += (n)))
#else
#define SQL_STEP(what, n) ((void)0)
#endif

#endif
