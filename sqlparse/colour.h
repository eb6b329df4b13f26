/* SPDX-License-Identifier: Apache-2.0
 * Colouring: what each stretch of a text is, by the lexer alone, so that it is right at every key. Comments are
 * among the stretches, blanks are not. Pure. */
#ifndef SLUICE_SQLPARSE_COLOUR_H
#define SLUICE_SQLPARSE_COLOUR_H

#include "sqlparse/sql.h"

enum sql_colour {
    SQL_COLOUR_KEYWORD = 1, /* a word of the language where it is not plainly a name */
    SQL_COLOUR_NAME,
    SQL_COLOUR_QUOTED, /* `name` */
    SQL_COLOUR_STRING,
    SQL_COLOUR_NUMBER,
    SQL_COLOUR_SIGN, /* operators, parentheses, commas */
    SQL_COLOUR_COMMENT,
    SQL_COLOUR_HINT,     /* the marks around a hint */
    SQL_COLOUR_VARIABLE, /* ${name} outside quotes */
    SQL_COLOUR_CALL,     /* a name with ( behind it */
    SQL_COLOUR_TYPE,
    SQL_COLOUR_WRONG, /* what the lexer cannot read */
    SQL_COLOUR_MAX_
};
struct sql_span {
    uint32_t off, len; /* bytes */
    uint32_t colour;   /* enum sql_colour */
};
struct sql_spans {
    SL_VEC(struct sql_span) list; /* ascending, without overlaps */
};
void sql_colour(struct sl_arena *a, sl_str text, sql_version flink, struct sql_spans *ret);

#endif
