/* SPDX-License-Identifier: Apache-2.0
 * Descriptors of Flink's logical types as they travel in COLUMNS, and the walk over values in wire form
 * (docs/results-protocol.md, section 3). Pure: no files, sockets or globals; everything that is read is
 * checked, so that what has passed res_row_check can later be walked without checks of its own. */
#ifndef SLUICE_RESULTS_TYPES_H
#define SLUICE_RESULTS_TYPES_H

#include "base/arena.h"
#include "base/err.h"

enum res_type_code {
    RES_CHAR = 1,
    RES_VARCHAR,
    RES_BINARY,
    RES_VARBINARY,
    RES_BOOLEAN,
    RES_TINYINT,
    RES_SMALLINT,
    RES_INTEGER,
    RES_BIGINT,
    RES_FLOAT,
    RES_DOUBLE,
    RES_DATE,
    RES_DECIMAL,
    RES_TIME,
    RES_TIMESTAMP,
    RES_TIMESTAMP_LTZ,
    RES_INTERVAL_YEAR_MONTH,
    RES_INTERVAL_DAY_TIME,
    RES_ARRAY,
    RES_MULTISET,
    RES_MAP,
    RES_ROW,
    RES_STRUCTURED,
    RES_OTHER,
    RES_TYPE_MAX_
};

struct res_type {
    uint8_t code; /* enum res_type_code */
    bool nullable;
    int32_t length;     /* CHAR .. VARBINARY */
    uint8_t precision;  /* DECIMAL, TIME, TIMESTAMP*, INTERVAL* (of the year or day) */
    uint8_t scale;      /* DECIMAL; INTERVAL_DAY_TIME: digits of the fraction */
    uint8_t resolution; /* INTERVAL*: ordinal of Flink's enum */
    uint32_t n;         /* ARRAY, MULTISET: 1; MAP: 2 (key, value); ROW, STRUCTURED: fields */
    const struct res_type *const *kids;
    const sl_str *names; /* of the fields */
    sl_str text;         /* OTHER: SQL text */
};

/* Reads bytes front to back. After a read past the end `bad` is set and every further read gives zeros. */
struct res_in {
    const uint8_t *p, *end;
    bool bad;
};
uint8_t res_in_u8(struct res_in *in);
uint16_t res_in_u16(struct res_in *in);
uint32_t res_in_u32(struct res_in *in);
uint64_t res_in_u64(struct res_in *in);
/* u32 n and n bytes; the slice lies in the input. */
sl_str res_in_str(struct res_in *in);

/* Reads one descriptor; its nodes, names and texts are copied into the arena. `budget` counts down the nodes
 * that one COLUMNS frame may still make. NULL with results-protocol. */
SL_MUST_CHECK const struct res_type *res_type_read(struct res_in *in, struct sl_arena *a, unsigned *budget,
                                                   struct sl_err *err);
const struct res_type *res_type_dup(struct sl_arena *a, const struct res_type *t);

#define RES_TAG_NULL  0
#define RES_TAG_VALUE 1
#define RES_TAG_TEXT  2

/* Moves over one cell and checks it whole. false: results-protocol; *why says what is wrong. */
SL_MUST_CHECK bool res_cell_check(struct res_in *in, const struct res_type *t, const char **why);
/* Moves over one cell that was checked before. */
void res_cell_skip(struct res_in *in, const struct res_type *t);

#endif
