/* SPDX-License-Identifier: Apache-2.0
 * JSON (RFC 8259). Reading: small control documents into a tree in an arena, strictly (UTF-8, no trailing
 * text, no duplicate keys, depth and size limits), numbers kept as their text. The tree owns all of its text:
 * the input may go away. An escaped surrogate without its partner becomes U+FFFD (Java writes such). Writing:
 * a streaming writer into a sl_buf. */
#ifndef SLUICE_BASE_JSON_H
#define SLUICE_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum sl_json_type {
    SL_JSON_NULL,
    SL_JSON_FALSE,
    SL_JSON_TRUE,
    SL_JSON_NUMBER,
    SL_JSON_STRING,
    SL_JSON_ARRAY,
    SL_JSON_OBJECT
};

struct sl_json {
    enum sl_json_type type;
    sl_str key;            /* inside an object */
    sl_str text;           /* STRING: unescaped; NUMBER: as written */
    struct sl_json *child; /* first element of ARRAY or OBJECT */
    struct sl_json *next;
    size_t n; /* elements */
};

/* The whole text must be one JSON value. Error: SL_JSON with line and column. */
SL_MUST_CHECK struct sl_json *sl_json_parse(struct sl_arena *a, sl_str text, struct sl_err *err);

/* Lookups are total: a NULL or wrong-typed parent gives NULL / the default. */
const struct sl_json *sl_json_get(const struct sl_json *o, const char *key);
const struct sl_json *sl_json_at(const struct sl_json *o, size_t i);
/* "a.b.c": nested sl_json_get; keys with dots need sl_json_get. */
const struct sl_json *sl_json_path(const struct sl_json *o, const char *path);
sl_str sl_json_str(const struct sl_json *v, sl_str dflt);   /* STRING */
int64_t sl_json_i64(const struct sl_json *v, int64_t dflt); /* NUMBER that is an integer, exact to 64 bits */
double sl_json_f64(const struct sl_json *v, double dflt);
bool sl_json_bool(const struct sl_json *v, bool dflt);
static inline bool sl_json_is(const struct sl_json *v, enum sl_json_type t)
{
    return v && v->type == t;
}
#define SL_JSON_EACH(it, parent)                                                                             \
    for (const struct sl_json *it = (parent) ? (parent)->child : NULL; it; it = it->next)

/* Writer: commas and nesting are its business; one value per init; a misuse is SL_BUG. */
#define SL_JW_DEPTH 72 /* more than SL_LIMIT_JSON_DEPTH: what was read can be written inside an envelope */
struct sl_jw {
    struct sl_buf *b;
    uint8_t depth;
    bool first[SL_JW_DEPTH];
    bool object[SL_JW_DEPTH];
    bool after_key;
};
void sl_jw_init(struct sl_jw *w, struct sl_buf *b);
void sl_jw_object(struct sl_jw *w); /* '{' */
void sl_jw_end_object(struct sl_jw *w);
void sl_jw_array(struct sl_jw *w);
void sl_jw_end_array(struct sl_jw *w);
void sl_jw_key(struct sl_jw *w, const char *key);
void sl_jw_keys(struct sl_jw *w, sl_str key);
void sl_jw_str(struct sl_jw *w, sl_str s);       /* invalid UTF-8 becomes U+FFFD */
void sl_jw_strz(struct sl_jw *w, const char *z); /* NULL writes null */
void sl_jw_i64(struct sl_jw *w, int64_t v);
void sl_jw_u64(struct sl_jw *w, uint64_t v);
void sl_jw_f64(struct sl_jw *w, double v, int decimals);
void sl_jw_bool(struct sl_jw *w, bool v);
void sl_jw_null(struct sl_jw *w);
void sl_jw_raw(struct sl_jw *w, sl_str json); /* one complete value */
/* Six members of the object that is open: "offset" and "length" in bytes, "line", "column", "endLine", "endColumn". */
void sl_jw_pos(struct sl_jw *w, const struct sl_pos *p);
void sl_jw_value(struct sl_jw *w, const struct sl_json *v); /* a tree, as read */
/* key and value at once */
void sl_jw_kstr(struct sl_jw *w, const char *key, sl_str s);
void sl_jw_kstrz(struct sl_jw *w, const char *key, const char *z);
void sl_jw_ki64(struct sl_jw *w, const char *key, int64_t v);
void sl_jw_kbool(struct sl_jw *w, const char *key, bool v);
/* Only the quoted string, for other writers. */
void sl_json_quote(struct sl_buf *b, sl_str s);

#endif
