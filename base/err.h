/* SPDX-License-Identifier: Apache-2.0
 * The one error type, from the grammar to the client. The caller owns the storage (on its stack) and hands
 * it down as the last parameter; a function sets it only when it fails, and then returns false or NULL.
 * sl_err holds its own text, so it may be copied by value and outlive every arena but `detail`. */
#ifndef SLUICE_BASE_ERR_H
#define SLUICE_BASE_ERR_H

#include "base/str.h"

/* Every slug of the product with its HTTP status, SQLSTATE and exit code: base/codes.def. */
enum sl_code {
    SL_OK = 0,
#define SL_CODE(name, slug, http, sqlstate, exit_code) SL_##name,
#include "base/codes.def"
#undef SL_CODE
    SL_CODE_MAX_
};

/* Where in the text of one file: byte offset and length of the UTF-8 text as written; line and column
 * 1-based, columns in UTF-16 units; the end is exclusive. `off == SL_NO_POS`: no position. */
#define SL_NO_POS UINT32_MAX
struct sl_pos {
    uint32_t off, len;
    uint32_t line, col, end_line, end_col;
};
#define SL_POS_NONE ((struct sl_pos){.off = SL_NO_POS})
/* The full position of `len` bytes at `off` of a text (reads the text up to there; for errors, not for
 * loops). */
struct sl_pos sl_pos_at(sl_str text, size_t off, size_t len);

struct sl_err {
    enum sl_code code;
    struct sl_pos pos;
    char msg[512]; /* one plain line, no full stop, no Java class name; lines of evidence may follow, indented
                      by two */
    char hint[384]; /* the cure, typeable, a line each; "" = none */
    sl_str detail;  /* Flink's or the system's own words, many lines; in the caller's arena; may be empty */
};

#define SL_ERR_INIT ((struct sl_err){.pos = {.off = SL_NO_POS}})

/* Sets code, position and message (clears hint and detail) and returns false. `err` may be NULL. */
bool sl_fail(struct sl_err *err, enum sl_code code, const char *fmt, ...) SL_PRINTF(3, 4);
bool sl_fail_at(struct sl_err *err, enum sl_code code, struct sl_pos pos, const char *fmt, ...)
    SL_PRINTF(4, 5);
/* The same with ": " and the text of errno (given by value: the caller saw the system call). SL_IO for want of
 * space or quota becomes SL_DISK_FULL. */
bool sl_fail_errno(struct sl_err *err, enum sl_code code, int saved_errno, const char *fmt, ...)
    SL_PRINTF(4, 5);
/* Adds the cure to an error just set; returns false for `return sl_hint(...)`. */
bool sl_hint(struct sl_err *err, const char *fmt, ...) SL_PRINTF(2, 3);
/* Puts "outer: " in front of the message on the way up; returns false. */
bool sl_wrap(struct sl_err *err, const char *fmt, ...) SL_PRINTF(2, 3);

const char *sl_code_slug(enum sl_code code);
int sl_code_http(enum sl_code code);
const char *sl_code_sqlstate(enum sl_code code);
int sl_code_exit(enum sl_code code);
/* SL_OK when the slug is not known. */
enum sl_code sl_code_of_slug(sl_str slug);

#endif
