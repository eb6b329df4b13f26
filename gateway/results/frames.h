/* SPDX-License-Identifier: Apache-2.0
 * Frames of the results protocol (docs/results-protocol.md): bytes to typed frames and back. Pure. Every
 * slice lies in the input unless an arena is given. Errors: results-protocol, or cell-too-large for a row
 * over its limit. */
#ifndef SLUICE_RESULTS_FRAMES_H
#define SLUICE_RESULTS_FRAMES_H

#include "base/buf.h"
#include "gateway/results/results.h"
#include "gateway/results/types.h"

#define RES_VERSION     1
#define RES_VERSION_OLD 1 /* the oldest that is still taken */

enum res_frame_type {
    RES_F_HELLO = 0x01,
    RES_F_WELCOME = 0x02,
    RES_F_REFUSED = 0x03,
    RES_F_TASK_GET = 0x10,
    RES_F_TASK = 0x11,
    RES_F_BEGIN = 0x12,
    RES_F_DONE = 0x13,
    RES_F_FAILED = 0x14,
    RES_F_END = 0x16,
    RES_F_END_STORED = 0x17,
    RES_F_COLUMNS = 0x20,
    RES_F_ROWS = 0x21,
    RES_F_ACK = 0x22,
    RES_F_FINISH = 0x23,
    RES_F_FINISHED = 0x24,
    RES_F_SINK_ERROR = 0x25,
    RES_F_HEARTBEAT = 0x30,
    RES_F_STOP = 0x31
};

struct res_frame {
    uint8_t type;
    struct res_in body;
};

enum res_split { RES_SPLIT_FRAME, RES_SPLIT_MORE, RES_SPLIT_BAD };
/* The first frame of the bytes. FRAME: *used bytes belong to it. MORE: *used is the whole length when known,
 * else 0. BAD: a length of 0 or over `max` (bytes of type and body). */
enum res_split res_frame_split(const uint8_t *p, size_t n, size_t max, struct res_frame *ret, size_t *used,
                               struct sl_err *err);

enum res_role { RES_ROLE_RUNNER = 1, RES_ROLE_SINK, RES_ROLE_PROBE };
struct res_hello {
    uint16_t version;
    enum res_role role;
    sl_str token; /* 64 bytes unless the role is probe */
    uint32_t statement;
};
SL_MUST_CHECK bool res_hello_read(struct res_frame *f, struct res_hello *ret, struct sl_err *err);

/* BEGIN, DONE, FAILED */
struct res_say {
    uint32_t statement;
    sl_str job_id;       /* DONE: "" or 32 hex digits */
    sl_str chain, stack; /* FAILED */
};
SL_MUST_CHECK bool res_say_read(struct res_frame *f, struct res_say *ret, struct sl_err *err);

struct res_columns {
    bool insert_only;
    size_t n;
    struct res_column *v; /* all in the arena */
    sl_str body;          /* of the frame, as it came */
};
SL_MUST_CHECK bool res_columns_read(struct res_frame *f, struct sl_arena *a, struct res_columns *ret,
                                    struct sl_err *err);

/* Checks a whole ROWS frame: row numbers, count, every cell, sizes. On return ret->p .. n are its rows. */
SL_MUST_CHECK bool res_rows_read(struct res_frame *f, const struct res_columns *cols, uint64_t next_row,
                                 size_t row_bytes, struct res_rows *ret, struct sl_err *err);
/* Splits off the longest prefix of whole rows that fits `max` bytes, at least one row. */
struct res_rows res_rows_cut(struct res_rows *rows, const struct res_columns *cols, size_t max);
/* Moves the first rows out of the block until rows->first == row (or it is empty). */
void res_rows_skip_to(struct res_rows *rows, const struct res_columns *cols, uint64_t row);

struct res_sink_error {
    sl_str slug, message, column;
};
SL_MUST_CHECK bool res_sink_error_read(struct res_frame *f, struct res_sink_error *ret, struct sl_err *err);
/* One u64 (FINISH) or u8 (END). */
SL_MUST_CHECK bool res_u64_read(struct res_frame *f, uint64_t *ret, struct sl_err *err);
SL_MUST_CHECK bool res_u8_read(struct res_frame *f, uint8_t *ret, struct sl_err *err);
/* An empty body (TASK_GET, HEARTBEAT). */
SL_MUST_CHECK bool res_empty_read(struct res_frame *f, struct sl_err *err);

/* --- what the server says
 * ----------------------------------------------------------------------------------- */

void res_put_welcome(struct sl_buf *b, uint16_t version, const struct res_config *c);
void res_put_refused(struct sl_buf *b, const struct sl_err *err);
void res_put_task(struct sl_buf *b, sl_str piece, bool last);
void res_put_u64(struct sl_buf *b, enum res_frame_type type, uint64_t v); /* ACK, FINISHED */
void res_put_empty(struct sl_buf *b, enum res_frame_type type);           /* HEARTBEAT, STOP, END_STORED */

#endif
