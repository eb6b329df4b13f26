/* SPDX-License-Identifier: Apache-2.0
 * Laying out scripts (docs/fmt.md). Only blanks, line breaks, the letter case of keywords and the place of
 * comments at commas change: the tokens stay, which is verified for every statement before it is taken, and
 * for the whole text at the end. Formatting twice gives the same. Pure; time and memory are linear. */
#ifndef SLUICE_SQLPARSE_FMT_H
#define SLUICE_SQLPARSE_FMT_H

#include "sqlparse/sql.h"

struct sql_fmt_options {
    sql_version flink; /* 0: the default; a statement it does not take is tried with the other versions */
    unsigned width;    /* columns of a line; 0 = SL_LIMIT_FMT_WIDTH */
};

struct sql_fmt {
    sl_str text;              /* in the arena of sql_format() */
    bool changed;             /* text differs from what was given */
    size_t kept;              /* statements left as they are, because they have errors */
    size_t steps;             /* how much work it was: tokens and groups looked at */
    struct sql_script script; /* its diagnostics say why; statements have only number, place and text */
};

/* Lays out `text`, called `name` in messages; it must outlive the result. Errors: limit-exceeded, utf8,
 * internal (the tokens would have changed; nothing is to be written then). */
SL_MUST_CHECK bool sql_format(struct sl_arena *a, sl_str name, sl_str text, const struct sql_fmt_options *o,
                              struct sql_fmt *ret, struct sl_err *err);

#endif
