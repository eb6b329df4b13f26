/* SPDX-License-Identifier: Apache-2.0
 * What the files of completion share. Private to catalog/complete*.c. */
#ifndef SLUICE_CATALOG_COMPLETE_IMPL_H
#define SLUICE_CATALOG_COMPLETE_IMPL_H

#include "catalog/complete.h"
#include "catalog/connectors.h"
#include "catalog/flow.h"
#include "sqlparse/parse.h"

/* The statement around a caret as tokens, right or wrong. Offsets count from `text`. */
struct caret {
    struct sl_arena *a;
    const struct sql_script *s;
    struct cat_flow *flow;
    uint32_t number; /* names are looked up as this statement sees them */
    sl_str text;     /* from the first token of the statement to its end */
    uint32_t base;   /* where `text` begins in the file */
    SL_VEC(struct sql_token) tokens;
    size_t at;         /* tokens[0..at) end before what is being typed */
    uint32_t from, to; /* what an item replaces */
    sl_str prefix;     /* what is typed already, without its opening quote */
    bool in_set;       /* between the INSERTs of a statement set */
    bool quote;        /* items are to bring their own quotes */
    bool lower;        /* keywords are written in lower case here */
    const struct sql_vars *vars;
    struct cat_completion *out;
};

/* Adds an item if what is typed fits its label. `rank` orders within one quality of fit. */
void caret_offer(struct caret *c, struct cat_item item);
/* A name: quoted where it must be. */
void caret_offer_name(struct caret *c, enum cat_item_kind kind, sl_str name, sl_str detail, sl_str doc,
                      unsigned rank);
bool caret_is_name(const struct sql_token *t);
sl_str caret_token(const struct caret *c, size_t i);
int caret_kind(const struct caret *c, size_t i); /* 0 beyond either end */
/* The token that opens the parenthesis around tokens[i], or SIZE_MAX. */
size_t caret_opener(const struct caret *c, size_t i);
/* The token that closes the parenthesis tokens[i] opens, or the number of tokens. */
size_t caret_close(const struct caret *c, size_t i);

/* What can be called by a column's name at the caret: `near` of the query the caret is in, `far` of those
 * around it. */
struct caret_scope {
    struct cat_in_scopes near, far, ctes;
    struct cat_in_scopes patterns; /* pattern variables of MATCH_RECOGNIZE */
    size_t select;                 /* the SELECT of that query; SIZE_MAX: none */
    bool columns_only;             /* nothing but a column can stand there */
};
void caret_scope(struct caret *c, struct caret_scope *ret);
/* The columns that a CREATE TABLE has declared so far. */
struct cat_columns *caret_declared(struct caret *c);
/* The table named at tokens[i]...; NULL when there is no name. *ret_next is behind it. */
const struct cat_object *caret_table(struct caret *c, size_t i, size_t *ret_next);

/* Keywords the grammar takes, functions and types, as far as `want` asks for them. */
void caret_words(struct caret *c, const bool *want, bool expression, bool type);
void caret_functions(struct caret *c, bool table, unsigned rank);
/* SET keys and values, WITH options: what is typed is inside a string. */
void caret_set_keys(struct caret *c);
void caret_set_values(struct caret *c, sl_str key);
/* A list of options around the caret: what it belongs to and what is given in it. complete_options.c */
struct caret_option {
    sl_str key, value; /* value empty: not known */
};
struct caret_options {
    enum cat_service_kind kind; /* CONNECTOR or CATALOG */
    sl_str name;                /* "kafka"; empty: not named yet */
    bool hint;                  /* the table is there already: nobody names a connector here */
    SL_VEC(struct caret_option) list;
};
void caret_with_keys(struct caret *c, const struct caret_options *all);
void caret_with_values(struct caret *c, sl_str key, const struct caret_options *all);

/* What the place is for, where the grammar does not tell. */
enum caret_place {
    PLACE_OTHER,
    PLACE_TABLE, /* the name of a table that is there */
    PLACE_VIEW,
    PLACE_DATABASE,
    PLACE_CATALOG,
    PLACE_COLUMNS_OF, /* a list of the columns of one table */
    PLACE_DECLARED,   /* a list of the columns this statement declares */
    PLACE_USING,
    PLACE_OPTION_KEY, /* a string is missing there */
    PLACE_OPTION_VALUE,
};
enum caret_place caret_place_of(const struct caret *c, bool wants_name);
/* Index of the table's name in a statement that has one behind its first words; 0: none. */
size_t caret_subject(const struct caret *c);
/* The columns that are not named yet in the list around the caret; `insert`: only those INSERT can fill. */
void caret_offer_rest(struct caret *c, const struct cat_columns *columns, bool insert);
/* Those that both sides of a join have. */
void caret_offer_common(struct caret *c, const struct caret_scope *scope);
void caret_offer_options(struct caret *c, bool value);
/* Inside a string: only where it is the key or value of an option. */
void caret_in_string(struct caret *c);
/* SET key = value without quotes, no matter of the lexer. True: it is that; `rel` is the caret in the text. */
bool caret_in_plain_set(struct caret *c, uint32_t rel);

void caret_offer_columns(struct caret *c, const struct cat_columns *from, sl_str table, unsigned rank);
/* Catalogs, or the databases of one (empty: the current one). */
void caret_offer_spaces(struct caret *c, bool catalogs, sl_str catalog, unsigned rank);
void caret_offer_tables(struct caret *c, const struct caret_scope *scope, bool views);
/* Behind part[0].part[1]. */
void caret_offer_qualified(struct caret *c, const struct caret_scope *scope, const sl_str *part, size_t n,
                           bool table);
/* Whatever can stand in an expression. */
void caret_offer_expression(struct caret *c, const struct caret_scope *scope);

#endif
