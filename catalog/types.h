/* SPDX-License-Identifier: Apache-2.0
 * Types of columns and expressions as far as checking needs them. Read-only, in an arena or static; kind 0 is
 * "not known", of which nothing is ever said. */
#ifndef SLUICE_CATALOG_TYPES_H
#define SLUICE_CATALOG_TYPES_H

#include "sqlparse/ast.h"

enum cat_kind {
    CAT_T_UNKNOWN = 0,
    CAT_T_NULL,
    CAT_T_BOOLEAN,
    CAT_T_TINYINT,
    CAT_T_SMALLINT,
    CAT_T_INT,
    CAT_T_BIGINT,
    CAT_T_DECIMAL,
    CAT_T_FLOAT,
    CAT_T_DOUBLE,
    CAT_T_CHAR,
    CAT_T_VARCHAR,
    CAT_T_BINARY,
    CAT_T_VARBINARY,
    CAT_T_DATE,
    CAT_T_TIME,
    CAT_T_TIMESTAMP,
    CAT_T_TIMESTAMP_LTZ,
    CAT_T_MONTHS,  /* INTERVAL YEAR TO MONTH */
    CAT_T_SECONDS, /* INTERVAL DAY TO SECOND */
    CAT_T_ARRAY,
    CAT_T_MAP,
    CAT_T_MULTISET,
    CAT_T_ROW,
    CAT_T_OTHER, /* RAW, STRUCTURED, VARIANT, BITMAP: known, but not looked into */
    CAT_T_MAX_
};

enum { CAT_TIME_NONE, CAT_TIME_ROW, CAT_TIME_PROC, CAT_TIME_MAYBE };

struct cat_relation;
struct cat_type {
    uint8_t kind;
    uint8_t time;                      /* is it a time attribute? CAT_TIME_... */
    int16_t precision;                 /* of TIMESTAMP; -1: not known */
    const struct cat_type *element;    /* of ARRAY, MULTISET; value of MAP */
    const struct cat_type *key;        /* of MAP */
    const struct cat_relation *fields; /* of ROW; NULL: not known */
};

/* The plain type of a kind, with its default precision. */
const struct cat_type *cat_type_of(enum cat_kind kind);
/* The same type as a time attribute or as none. */
const struct cat_type *cat_type_timed(struct sl_arena *a, const struct cat_type *t, unsigned time);
const struct cat_type *cat_type_timestamp(struct sl_arena *a, enum cat_kind kind, int precision);
const struct cat_type *cat_type_array(struct sl_arena *a, const struct cat_type *element);
/* "TIMESTAMP(3)", "BIGINT": for messages. */
const char *cat_kind_name(enum cat_kind k);
/* The letter of its family in functions.h ('B', 'I', ...); 0 where there is none. */
char cat_type_family(const struct cat_type *t);
bool cat_type_numeric(const struct cat_type *t);
/* The common type of two branches, unknown when it cannot be told. */
const struct cat_type *cat_type_common(const struct cat_type *a, const struct cat_type *b);
/* Does Flink take `a` beside `b`: an operator ("+", "=", "AND", "LIKE", "IN"), "UNION" of two columns, "JOIN" on
 * them equal, "sink": a query's column put into a table's. False only where Flink surely says no. */
bool cat_type_rule(const char *word, const struct cat_type *a, const struct cat_type *b);

#endif
