/* SPDX-License-Identifier: Apache-2.0
 * Inside of the translation of Flink's errors: statements read by tokens, so that one the grammar does not
 * know is read too. Everything lives in the translation's arena. */
#ifndef SLUICE_FLINK_ERROR_SCAN_H
#define SLUICE_FLINK_ERROR_SCAN_H

#include "gateway/target/flink_error_rule.h"

struct fe_tok {
    uint16_t kind; /* TK_... */
    uint32_t off, len;
};
struct fe_toks {
    struct fe_tok *v;
    size_t n;
    sl_str sql;
};
struct fe_toks fe_lex(const struct fe *c, const struct sql_stmt *st);
/* All three are total: behind the last token there is nothing. */
sl_str fe_tok_text(const struct fe_toks *t, size_t i);
bool fe_tok_is(const struct fe_toks *t, size_t i, int kind);
bool fe_tok_word(const struct fe_toks *t, size_t i, const char *word);
/* A name: a word or `quoted`; the value without quotes. */
bool fe_tok_name(const struct fe *c, const struct fe_toks *t, size_t i, sl_str *ret);

/* A stretch of a statement's sql. */
struct fe_spot {
    const struct sql_stmt *st;
    uint32_t off, len;
};
/* Fills it; always true, for `return fe_spot_set(...)`. */
bool fe_spot_set(struct fe_spot *ret, const struct sql_stmt *st, uint32_t off, uint32_t len);
/* A word, words, or an operator: "ORDER BY", "/", "(SELECT". */
bool fe_find_words(const struct fe *c, const struct sql_stmt *st, sl_str words, struct fe_spot *ret);

/* flink_error_table.c: the CREATE as a table, or the OPTIONS hints of a query; NULL when it says neither. */
struct fe_table *fe_table_read(const struct fe *c, const struct sql_stmt *st);
/* The CREATE FUNCTION whose class is this; *lit = its token. */
const struct sql_stmt *fe_function_stmt(const struct fe *c, sl_str cls, struct fe_tok *lit);

#endif
