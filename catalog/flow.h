/* SPDX-License-Identifier: Apache-2.0
 * What the names of a script stand for, for tools that read it: completion, hover, lineage. Unlike the checks
 * it never complains: what it cannot know stays open. Tables are registered from the heads of their statements
 * and their columns are worked out when somebody asks, so that a caret in a long script costs little. A flow
 * and all it gives out live in its arena; one thread at a time. Pure. */
#ifndef SLUICE_CATALOG_FLOW_H
#define SLUICE_CATALOG_FLOW_H

#include "sqlparse/ast.h"

/* How a column gets into another one, or into the rows of a result. Several may be true at once. */
#define CAT_HOW_IDENTITY       0x001 /* the value as it is */
#define CAT_HOW_TRANSFORMATION 0x002
#define CAT_HOW_AGGREGATION    0x004
#define CAT_HOW_DIRECT         0x007
#define CAT_HOW_CONDITION      0x008 /* decides between values: CASE WHEN, FILTER */
#define CAT_HOW_WINDOW         0x010 /* PARTITION BY and ORDER BY of OVER */
#define CAT_HOW_JOIN           0x020
#define CAT_HOW_FILTER         0x040
#define CAT_HOW_GROUP          0x080
#define CAT_HOW_SORT           0x100
#define CAT_HOW_MAYBE          0x200 /* several tables of unknown columns could be meant */

enum cat_object_kind {
    CAT_TABLE,
    CAT_VIEW,
    CAT_MATERIALIZED_TABLE,
    CAT_OUTSIDE, /* used and not created in the script: its columns are not known */
    CAT_DROPPED,
};

struct cat_object;
/* One source of a column. */
struct cat_from {
    const struct cat_object *object;
    sl_str column; /* "*": any of it, under its own name */
    unsigned how;  /* CAT_HOW_... */
};
struct cat_froms {
    SL_VEC(struct cat_from) list;
};

enum cat_column_kind { CAT_PHYSICAL, CAT_METADATA, CAT_VIRTUAL, CAT_COMPUTED, CAT_RESULT };
struct cat_column {
    sl_str name;    /* unquoted */
    sl_str type;    /* as written, white space made even; empty: not known */
    sl_str comment; /* unquoted; may be empty */
    enum cat_column_kind kind;
    bool key;                    /* in the primary key */
    bool partition;              /* PARTITIONED BY */
    sl_str rowtime;              /* the expression of WATERMARK FOR this column; empty: none */
    const struct sql_stmt *stmt; /* where it is declared; NULL: made by a query */
    uint32_t off, len;           /* in stmt->sql */
    struct cat_froms from;       /* tables of the script; views are seen through */
};

/* Something with columns. */
struct cat_columns {
    SL_VEC(struct cat_column) list;
    bool open;             /* it may have columns that are not in the list */
    struct cat_froms rest; /* where those come from */
    struct cat_froms rows; /* what decides on its rows: joins, filters, groups, order */
};

struct cat_read {
    const struct cat_object *object;
    uint32_t off, len; /* of the name in the statement's sql */
};

/* A table or view from one statement to the next that changes it. */
struct cat_object {
    sl_str catalog, database, name; /* catalog and database may be empty: not known */
    enum cat_object_kind kind;
    bool temporary;
    uint32_t since;              /* number of its statement; 0: outside */
    const struct sql_stmt *stmt; /* NULL: outside */
    struct cat_object *before;   /* what was called so before: ALTER starts from it */
    /* private to flow */
    struct cat_object *chain;
    const struct cat_columns *columns;
    SL_VEC(struct cat_read) reads;
    uint8_t state;
    uint32_t mark;
};

/* What a place in a statement is about; collected when asked for. */
enum cat_ref_kind { CAT_REF_TABLE, CAT_REF_COLUMN, CAT_REF_ALIAS, CAT_REF_CTE };
struct cat_ref {
    enum cat_ref_kind kind;
    const struct sql_stmt *stmt;
    uint32_t off, len; /* in stmt->sql */
    sl_str name;
    const struct cat_object *object;   /* TABLE; COLUMN and ALIAS: where they belong, or NULL */
    const struct cat_column *column;   /* COLUMN */
    const struct cat_columns *columns; /* ALIAS and CTE */
};

struct cat_target_column {
    sl_str name; /* empty: the table's columns are not known */
    sl_str as;   /* what the query calls it */
    sl_str type;
    const struct cat_froms *from;
};
/* What one statement reads and writes. */
struct cat_movement {
    const struct sql_stmt *stmt;
    const struct cat_object *target; /* NULL: rows go to whoever asked (SELECT) */
    uint32_t target_off, target_len; /* in stmt->sql */
    SL_VEC(struct cat_target_column) columns;
    bool open; /* more columns than those, which are not known */
    struct cat_froms rest, rows;
    SL_VEC(struct cat_read) reads;            /* tables and views, as named, each once */
    SL_VEC(const struct cat_object *) inputs; /* tables, views seen through, each once */
};

struct cat_flow;
/* Registers what the statements of the script create up to and without statement `until` (0: all). Statements
 * without a tree are parsed when they are needed. The script must stay. */
struct cat_flow *cat_flow_new(struct sl_arena *a, const struct sql_script *s, uint32_t until);

/* The table called so, as statement `at` sees it; n from 1 to 3. Never NULL: one that nobody created is
 * CAT_OUTSIDE. */
const struct cat_object *cat_flow_find(struct cat_flow *f, uint32_t at, const sl_str *ident, size_t n);
const struct cat_columns *cat_flow_columns(struct cat_flow *f, const struct cat_object *o);
/* default_catalog.default_database.t, with back-ticks where they are needed. */
sl_str cat_object_name(struct sl_arena *a, const struct cat_object *o);
/* Current catalog and database at a statement. */
void cat_flow_current(const struct cat_flow *f, uint32_t at, sl_str *ret_catalog, sl_str *ret_database);
/* Every object there is at a statement, in the order of creation; false ends the walk. */
void cat_flow_each(struct cat_flow *f, uint32_t at, void (*fn)(void *ctx, const struct cat_object *o),
                   void *ctx);
/* The tree of a statement; NULL when it has none or is wrong. */
const struct sql_node *cat_flow_tree(struct cat_flow *f, const struct sql_stmt *st);

/* What a statement moves: INSERT, CREATE ... AS, CREATE VIEW, UPDATE, DELETE, MERGE, a query. One movement for
 * each INSERT of a set. Other statements move nothing. */
typedef void (*cat_movement_fn)(void *ctx, const struct cat_movement *m);
void cat_flow_movements(struct cat_flow *f, const struct sql_stmt *st, cat_movement_fn fn, void *ctx);
/* All that is named in a statement. */
struct cat_refs {
    SL_VEC(struct cat_ref) list;
};
void cat_flow_refs(struct cat_flow *f, const struct sql_stmt *st, struct cat_refs *ret);

/* What stands in a FROM, under the name by which columns are called. */
struct cat_in_scope {
    sl_str name;                     /* may be empty */
    const struct cat_object *object; /* NULL: a subquery, a function, a CTE */
    const struct cat_columns *columns;
};
struct cat_in_scopes {
    SL_VEC(struct cat_in_scope) list;
};
/* One item of a FROM (`orders AS o`, `(SELECT ...) q`, `TABLE(TUMBLE(...))`), given as text, as statement `at`
 * sees it, with the common table expressions before it. False when the text is none. */
bool cat_flow_from_text(struct cat_flow *f, uint32_t at, sl_str item, const struct cat_in_scopes *ctes,
                        struct cat_in_scopes *ret);
/* The columns of a query given as text; NULL when it is none. */
const struct cat_columns *cat_flow_query_text(struct cat_flow *f, uint32_t at, sl_str query,
                                              const struct cat_in_scopes *ctes);

#endif
