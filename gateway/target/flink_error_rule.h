/* SPDX-License-Identifier: Apache-2.0
 * Inside of the translation of Flink's errors: the languages of flink_errors.def, and what its three files
 * share.
 *
 * - class: simple names with '|' between; "" = any.
 * - pattern: found anywhere in a cause's message. %1..%9 captures at least one character and at most to the end of
 *   the line; %* skips anything; %_ skips white space; %/ is the end of a line; %^ the start of the message.
 *   "A&&B": both must be found, B in any cause ("@Class:B": of that class).
 * - message: {1} is a capture; {name} or {name:argument} a value (expand() in flink_error_text.c); [...] is left out
 *   when a value inside is not known.
 * - hint: as message; "A||B" is the first of which every value is known.
 * - table: which CREATE TABLE is meant, tried in order of '|'. A digit: the table named by that capture; @: the one
 *   the causes name; c:a,b: one the statement uses with such a connector ("*-cdc" fits by its end, "post*" by its
 *   start); r:a,b: such a one that is read; o:key=1: one whose option has the capture as value; v:1: one with an
 *   option that holds the capture; target: the one the INSERT writes to; used: the only one, or the only one whose
 *   options the causes mention; any: the statement's own WITH.
 * - need: what else must be so (with '!'), or which names "did you mean" looks among (near=...).
 * - place: where it is shown, tried in order of '|': place_find() in flink_error_place.c; else the statement's first
 *   line.
 */
#ifndef SLUICE_FLINK_ERROR_RULE_H
#define SLUICE_FLINK_ERROR_RULE_H

#include "base/buf.h"
#include "base/vec.h"
#include "gateway/target/flink_error.h"

struct fe_rule {
    enum sl_code code;
    const char *cls, *pattern, *message, *hint, *table, *need, *place;
};

struct fe_link {
    sl_str cls; /* simple name */
    sl_str msg;
};

struct fe_option {
    sl_str key, value;
    uint32_t key_off, key_len, value_off, value_len; /* in stmt->sql, with quotes */
};
struct fe_column {
    sl_str name, type;
    uint32_t off, len;
};
/* What a CREATE TABLE (VIEW, CATALOG) says. */
struct fe_table {
    const struct sql_stmt *st;
    sl_str name; /* last part, unquoted */
    uint32_t off, len;
    SL_VEC(struct fe_column) columns;
    SL_VEC(struct fe_option) options;
};

struct fe {
    struct sl_arena *a;
    const struct sql_script *s; /* may be NULL */
    const struct sql_stmt *st;  /* may be NULL; s is then */
    struct fe_link *links;      /* outermost first */
    size_t n_links;
    sl_str stack;
    const struct fe_link *hit; /* where the rule's first pattern was found */
    sl_str cap[10];
    const struct fe_table *table; /* of the rule */
    sl_str near;
    SL_VEC(sl_str) listed; /* what `near` was looked for among */
};

/* flink_error_text.c */
/* Does the pattern fit the text? Captures are set only then. */
bool fe_match(const char *pattern, sl_str text, sl_str cap[10]);
/* One line without Java class names (those of the script stay), without "Flink says where" prefixes. */
sl_str fe_plain(const struct fe *c, sl_str text);
/* At most so many bytes, cut at a blank, with U+2026 where something was cut. */
sl_str fe_short(const struct fe *c, sl_str text, size_t bytes);
/* "NullPointerException" in words. */
sl_str fe_class_words(const struct fe *c, sl_str cls);
/* The template filled; n = 0 when there is none whose values are all known. */
sl_str fe_expand(const struct fe *c, const char *template);
/* The innermost cause that says something, in people's words. */
sl_str fe_root(const struct fe *c);
/* The last part of a dotted or back-ticked name, unquoted. */
sl_str fe_last(const struct fe *c, sl_str name);
/* Secret values of the script as ******. */
sl_str fe_mask(const struct fe *c, sl_str text);

/* flink_error_table.c */
/* The table a rule means; NULL when there is none. */
const struct fe_table *fe_table_of(struct fe *c, const char *spec);
const struct fe_option *fe_option(const struct fe_table *t, sl_str key);
const struct fe_column *fe_column(const struct fe_table *t, sl_str name);
/* "host:port" of a table's options; empty when they name none. */
sl_str fe_address(const struct fe *c, const struct fe_table *t);
/* Names of all tables and views; columns of the table, or of all that the statement uses. */
void fe_names(struct fe *c, bool columns);
/* Name of the function that a CREATE FUNCTION of the script gives this class; empty: none. */
sl_str fe_function_of(const struct fe *c, sl_str cls);
bool fe_in_script(const struct fe *c, sl_str text);
/* flink_error_place.c */
/* Do the causes name, in quotes, an option that the table gives? */
bool fe_quoted_option(const struct fe *c);
/* Fills pos, second, statement and file. */
void fe_place(struct fe *c, const char *spec, struct sql_diag *ret);

#endif
