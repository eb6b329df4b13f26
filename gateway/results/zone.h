/* SPDX-License-Identifier: Apache-2.0
 * Time zones: the offset of a zone at an instant, from the system's tzdata (TZif, RFC 8536), and civil dates.
 * Thread-safe; a zone is read once per process and kept. */
#ifndef SLUICE_RESULTS_ZONE_H
#define SLUICE_RESULTS_ZONE_H

#include "base/err.h"

/* Seconds east of UTC. `zone`: NULL, "UTC", "Z", "GMT+8", "GMT+08:00", "UTC-3", "+08:00", "+0530",
 * "Asia/Shanghai" ... Errors: config-value when the zone is not known. */
SL_MUST_CHECK bool res_zone_offset(const char *zone, int64_t utc_s, int32_t *ret_s, struct sl_err *err);

struct res_civil {
    int64_t year; /* proleptic Gregorian, with a year 0 */
    unsigned month, day, hour, minute, second;
};
/* Local seconds since 1970-01-01T00:00:00. */
void res_civil_of(int64_t local_s, struct res_civil *ret);
int64_t res_days_of(int64_t year, unsigned month, unsigned day);

#endif
