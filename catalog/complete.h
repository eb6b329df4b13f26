/* SPDX-License-Identifier: Apache-2.0
 * What could stand at a caret: words the grammar would take there, names in scope, functions, types, options
 * (docs/complete.md). Works on texts that are not finished: the FROM may come behind the caret, the statement
 * may be wrong before it. Pure; one thread at a time per script. */
#ifndef SLUICE_CATALOG_COMPLETE_H
#define SLUICE_CATALOG_COMPLETE_H

#include "base/buf.h"
#include "sqlparse/sql.h"

/* Named as the language server protocol names its CompletionItemKinds. */
enum cat_item_kind {
    CAT_ITEM_COLUMN,   /* Field */
    CAT_ITEM_TABLE,    /* Class */
    CAT_ITEM_VIEW,     /* Interface */
    CAT_ITEM_ALIAS,    /* Variable: an alias, a common table expression, a pattern variable */
    CAT_ITEM_VARIABLE, /* Constant: ${...} */
    CAT_ITEM_SPACE,    /* Module: a catalog, a database */
    CAT_ITEM_FUNCTION, /* Function */
    CAT_ITEM_TYPE,     /* TypeParameter */
    CAT_ITEM_KEY,      /* Property: of SET, WITH, a hint */
    CAT_ITEM_VALUE,    /* EnumMember */
    CAT_ITEM_KEYWORD,  /* Keyword */
    CAT_ITEM_KIND_MAX_
};
const char *cat_item_kind_name(enum cat_item_kind k);

struct cat_item {
    sl_str label;  /* what the list shows */
    sl_str insert; /* what replaces the range */
    sl_str detail; /* a type, a signature, a table; may be empty */
    sl_str doc;    /* one line; may be empty */
    enum cat_item_kind kind;
    unsigned rank; /* smaller is nearer; private */
};

struct cat_completion {
    SL_VEC(struct cat_item) items; /* best first */
    bool incomplete;               /* there are more than the limit */
    uint32_t off, len;             /* the bytes of the file that an item replaces */
};

#define CAT_COMPLETE_LIMIT 200
/* The items at byte `off` of file `file` of a script that was at least split. `vars` (or NULL) gives the names
 * behind ${. limit 0: CAT_COMPLETE_LIMIT. Inside comments and ordinary strings there are none. */
void cat_complete(struct sl_arena *a, const struct sql_script *s, uint16_t file, uint32_t off,
                  const struct sql_vars *vars, size_t limit, struct cat_completion *ret);
/* One JSON object without a line end: {"range":{...},"incomplete":...,"items":[...]}. */
void cat_completion_json(const struct sql_script *s, uint16_t file, const struct cat_completion *c,
                         struct sl_buf *out);

#endif
