/* SPDX-License-Identifier: Apache-2.0
 * Times: monotonic for durations and deadlines, wall clock for what people read. */
#ifndef SLUICE_SYS_CLOCK_H
#define SLUICE_SYS_CLOCK_H

#include "base/str.h"

int64_t sys_now_ms(void);  /* monotonic */
int64_t sys_now_us(void);  /* monotonic */
int64_t sys_wall_ms(void); /* since the epoch */
/* Monotonic, `ms` (>= 0) from now; of what somebody has given, however much it is. */
int64_t sys_later_ms(int64_t ms);
void sys_sleep_ms(int64_t ms);
/* RFC 3339 UTC with milliseconds: "2026-11-20T20:15:00.000Z" (25 bytes with NUL). */
void sys_time_rfc3339(int64_t wall_ms, char out[32]);

#endif
