/* SPDX-License-Identifier: Apache-2.0
 * Types: which go together is asked of tables made from Flink itself (catalog/builtins/rules.txt, made by
 * tools/harvest/HarvestRules.java). */
#include "catalog/types.h"

struct rule {
    const char *word, *left, *rights;
};
/* clang-format off */
static const struct rule rules[] = {
#include "catalog/rules.inc"
};
/* clang-format on */

static const struct cat_type plain[CAT_T_MAX_] = {
#define PLAIN(K, P) [K] = {.kind = K, .precision = P}
    PLAIN(CAT_T_UNKNOWN, -1), PLAIN(CAT_T_NULL, -1),      PLAIN(CAT_T_BOOLEAN, -1),
    PLAIN(CAT_T_TINYINT, -1), PLAIN(CAT_T_SMALLINT, -1),  PLAIN(CAT_T_INT, -1),
    PLAIN(CAT_T_BIGINT, -1),  PLAIN(CAT_T_DECIMAL, -1),   PLAIN(CAT_T_FLOAT, -1),
    PLAIN(CAT_T_DOUBLE, -1),  PLAIN(CAT_T_CHAR, -1),      PLAIN(CAT_T_VARCHAR, -1),
    PLAIN(CAT_T_BINARY, -1),  PLAIN(CAT_T_VARBINARY, -1), PLAIN(CAT_T_DATE, -1),
    PLAIN(CAT_T_TIME, -1),    PLAIN(CAT_T_TIMESTAMP, -1), PLAIN(CAT_T_TIMESTAMP_LTZ, -1),
    PLAIN(CAT_T_MONTHS, -1),  PLAIN(CAT_T_SECONDS, -1),   PLAIN(CAT_T_ARRAY, -1),
    PLAIN(CAT_T_MAP, -1),     PLAIN(CAT_T_MULTISET, -1),  PLAIN(CAT_T_ROW, -1),
    PLAIN(CAT_T_OTHER, -1),
};

/* Letters of the rules, and of the families of functions. */
static const char letters[CAT_T_MAX_] = {
    [CAT_T_BOOLEAN] = 'B', [CAT_T_TINYINT] = '1', [CAT_T_SMALLINT] = '2',  [CAT_T_INT] = 'I',
    [CAT_T_BIGINT] = '8',  [CAT_T_DECIMAL] = 'D', [CAT_T_FLOAT] = 'f',     [CAT_T_DOUBLE] = 'F',
    [CAT_T_CHAR] = 'C',    [CAT_T_VARCHAR] = 'S', [CAT_T_BINARY] = 'x',    [CAT_T_VARBINARY] = 'X',
    [CAT_T_DATE] = 'd',    [CAT_T_TIME] = 't',    [CAT_T_TIMESTAMP] = 'T', [CAT_T_TIMESTAMP_LTZ] = 'L',
    [CAT_T_MONTHS] = 'm',  [CAT_T_SECONDS] = 'i', [CAT_T_ARRAY] = 'A',     [CAT_T_MAP] = 'M',
    [CAT_T_ROW] = 'R',
};
static const char *const names[CAT_T_MAX_] = {
    "an unknown type",
    "NULL",
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "DECIMAL",
    "FLOAT",
    "DOUBLE",
    "CHAR",
    "STRING",
    "BINARY",
    "BYTES",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "INTERVAL of months",
    "INTERVAL of seconds",
    "ARRAY",
    "MAP",
    "MULTISET",
    "ROW",
    "another type",
};

const struct cat_type *cat_type_of(enum cat_kind kind)
{
    return &plain[kind];
}

const struct cat_type *cat_type_timed(struct sl_arena *a, const struct cat_type *t, unsigned time)
{
    if (t->time == time) {
        return t;
    }
    struct cat_type *c = sl_new(a, struct cat_type);
    *c = *t;
    c->time = (uint8_t)time;
    return c;
}

const struct cat_type *cat_type_timestamp(struct sl_arena *a, enum cat_kind kind, int precision)
{
    struct cat_type *c = sl_new(a, struct cat_type);
    *c = (struct cat_type){.kind = (uint8_t)kind, .precision = (int16_t)precision};
    return c;
}

const struct cat_type *cat_type_array(struct sl_arena *a, const struct cat_type *element)
{
    struct cat_type *c = sl_new(a, struct cat_type);
    *c = (struct cat_type){.kind = CAT_T_ARRAY, .precision = -1, .element = element};
    return c;
}

const char *cat_kind_name(enum cat_kind k)
{
    return names[k];
}

char cat_type_family(const struct cat_type *t)
{
    switch (t->kind) {
    case CAT_T_TINYINT:
    case CAT_T_SMALLINT:
    case CAT_T_INT:
    case CAT_T_BIGINT:
        return 'I';
    case CAT_T_FLOAT:
        return 'F';
    case CAT_T_CHAR:
        return 'S';
    case CAT_T_BINARY:
        return 'X';
    default:
        return letters[t->kind];
    }
}

bool cat_type_numeric(const struct cat_type *t)
{
    return t->kind >= CAT_T_TINYINT && t->kind <= CAT_T_DOUBLE;
}

const struct cat_type *cat_type_common(const struct cat_type *a, const struct cat_type *b)
{
    if (a->kind == CAT_T_NULL) {
        return b;
    }
    if (b->kind == CAT_T_NULL) {
        return a;
    }
    char x = cat_type_family(a), y = cat_type_family(b);
    if (x && x == y && a->kind < CAT_T_ARRAY) {
        return &plain[SL_MAX(a->kind, b->kind)];
    }
    if (cat_type_numeric(a) && cat_type_numeric(b)) {
        return &plain[a->kind > b->kind ? a->kind : b->kind];
    }
    return &plain[CAT_T_UNKNOWN];
}

bool cat_type_rule(const char *word, const struct cat_type *a, const struct cat_type *b)
{
    char x = letters[a->kind], y = letters[b->kind];
    if (!x || !y) {
        return true;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(rules); i++) {
        if (rules[i].left[0] == x && strcmp(rules[i].word, word) == 0) {
            return strchr(rules[i].rights, y) != NULL;
        }
    }
    return true;
}
