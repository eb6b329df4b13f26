/* SPDX-License-Identifier: Apache-2.0
 * The tree of one statement. Nodes live in the script's arena, are never freed alone and never change after
 * the parse; everything is read-only and may be shared between threads. Positions are byte offsets into the
 * text that was parsed (sql_stmt.sql). A node has a kind (nodes.def says which children to expect), an `op`
 * that refines it, and children in source order; what is optional in the language is simply absent. */
#ifndef SLUICE_SQLPARSE_AST_H
#define SLUICE_SQLPARSE_AST_H

#include "sqlparse/sql.h"

enum sql_node_kind {
    SQL_N_NONE = 0,
#define SQL_NODE(NAME) SQL_N_##NAME,
#include "sqlparse/nodes.def"
#undef SQL_NODE
    SQL_N_MAX_
};

struct sql_node {
    uint16_t kind, op;
    uint32_t off, len;      /* in the parsed text */
    uint32_t depth;         /* of the tree below: walkers may recurse, it is limited (SL_LIMIT_TREE_DEPTH) */
    struct sql_node *first; /* child */
    struct sql_node *next;  /* next child of the same parent */
};

/* Bits of `op` beside a token code (token codes stay below 512). */
#define SQL_OP_TOKEN     0x01ff
#define SQL_OP_NEGATED   0x8000 /* IS, LIKE, BETWEEN, IN; NOT ENFORCED; NOT NULL */
#define SQL_OP_ALL       0x4000 /* SET_OP, QUANTIFIED */
#define SQL_OP_NATURAL   0x4000 /* JOIN */
#define SQL_OP_PRECEDING 0x4000 /* BOUND */
#define SQL_OP_TEMPORARY 0x4000 /* CREATE, DROP, ALTER */
#define SQL_OP_REPLACE   0x2000 /* CREATE OR REPLACE, REPLACE TABLE */
#define SQL_OP_IF        0x1000 /* IF [NOT] EXISTS */
#define SQL_OP_SYSTEM    0x0800 /* SYSTEM FUNCTION */

const char *sql_node_kind_name(enum sql_node_kind k);
/* The last child, or NULL; it is walked to. */
const struct sql_node *sql_last(const struct sql_node *n);
/* First child of that kind, or NULL. */
const struct sql_node *sql_node_child(const struct sql_node *n, enum sql_node_kind k);
/* The next sibling of the same kind, or NULL. */
const struct sql_node *sql_node_next(const struct sql_node *n);
size_t sql_node_count(const struct sql_node *n);
static inline sl_str sql_node_text(const struct sql_node *n, sl_str sql)
{
    return sl_str_sub(sql, n->off, n->len);
}

/* The tree as text, one S-expression: (SELECT (SELECT_LIST ...)); leaves carry their source. For tests. */
sl_str sql_node_print(struct sl_arena *a, const struct sql_node *n, sl_str sql);

#endif
