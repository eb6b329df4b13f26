/* SPDX-License-Identifier: Apache-2.0
 * Does the state of one plan fit another? Told from the text of EXPLAIN, as far as that tells: an operator that
 * keeps state must stand over the same tree of operators and keep the same kinds of things (Flink names
 * operators by their place in the plan). What looks the same may still not fit (a key of another type); what
 * is called unfit here is. Pure. */
#ifndef SLUICE_JOBS_FIT_H
#define SLUICE_JOBS_FIT_H

#include "base/str.h"

/* Both are answers of EXPLAIN with an "Optimized Execution Plan". False: an operator of `was` that keeps state has
 * no counterpart in `is`; ret_what is its line, cut. True also when a text is not what EXPLAIN says. */
bool fit_plans(sl_str was, sl_str is, char ret_what[160]);

#endif
