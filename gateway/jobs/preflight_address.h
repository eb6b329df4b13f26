/* SPDX-License-Identifier: Apache-2.0
 * Which addresses a script's options name. Pure. Private to preflight.c and its test. */
#ifndef SLUICE_JOBS_PREFLIGHT_ADDRESS_H
#define SLUICE_JOBS_PREFLIGHT_ADDRESS_H

#include "base/err.h"
#include "base/vec.h"
#include "sqlparse/sql.h"

struct preflight_address {
    char host[256]; /* or the path */
    int port;
    bool is_path;
};

/* An option whose value names addresses, of which one must answer. */
struct preflight_spot {
    enum sl_code code;
    sl_str key;
    struct sl_pos pos; /* of the value in the file */
    uint16_t file;
    uint32_t statement;
    struct preflight_address *addresses;
    size_t n;
    size_t first; /* index of its first attempt */
};
struct preflight_spots {
    struct preflight_spot *v;
    size_t n, cap;
};

/* At most SL_LIMIT_PREFLIGHT_ADDRESSES in all, the same one only once; returns how many. */
size_t preflight_gather(const struct sql_script *s, struct sl_arena *a, struct preflight_spots *ret);

#endif
