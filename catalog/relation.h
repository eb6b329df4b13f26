/* SPDX-License-Identifier: Apache-2.0
 * What names stand for while a script is checked, private to catalog: relations with their columns, the
 * tables of the session, and the scopes of a query. Everything lives in the script's arena. */
#ifndef SLUICE_CATALOG_RELATION_H
#define SLUICE_CATALOG_RELATION_H

#include "sqlparse/ast.h"

/* Something with columns. Open: it may have columns we do not know. */
struct cat_relation {
    SL_VEC(sl_str) columns; /* unquoted; computed and metadata columns too */
    bool open;
    bool inexact;      /* `columns` names all, but * of it may give fewer: NATURAL, USING */
    size_t insertable; /* columns INSERT can fill; 0: not known */
};

/* A relation by name: an alias in FROM, a CTE. */
struct cat_named {
    sl_str name;
    const struct cat_relation *rel;
};

/* What an expression can see: the relations of its FROM, then those of the queries around it. */
struct cat_scope {
    const struct cat_scope *outer;
    SL_VEC(struct cat_named) from;
    bool merged;                        /* by NATURAL or USING: * shows common columns once */
    const struct cat_relation *aliases; /* of the select list, where they count: ORDER BY; may be NULL */
};

/* Common table expressions in sight. */
struct cat_ctes {
    const struct cat_ctes *outer;
    SL_VEC(struct cat_named) list;
};

struct cat_table {
    sl_str catalog, database, name;
    const struct cat_relation *rel; /* NULL: dropped */
    uint32_t hash, older;           /* of the name; from 1: the table before it in the same bucket */
};

/* One walk over a script. */
struct cat_walk {
    struct sql_script *s;
    struct sl_arena *a;
    const struct sql_stmt *st; /* whose tree is looked at: positions are in its sql */
    sl_str catalog, database;  /* current; catalog empty: not known any more */
    SL_VEC(struct cat_table) tables;
    uint32_t *buckets; /* of tables by hash: the newest, from 1; a power of two of them */
    size_t n_buckets;
    SL_VEC(sl_str) maybe; /* names in statements nobody could read: they may have created anything */
};

extern const struct cat_relation cat_open_relation;

sl_str cat_ident(const struct cat_walk *w, const struct sql_node *ident);
/* The table a NAME stands for; NULL when it is not there. Never NULL for what cannot be known. */
const struct cat_relation *cat_find_table(const struct cat_walk *w, const struct sql_node *name);
bool cat_has_column(const struct cat_relation *r, sl_str name);
void cat_add_column(struct cat_walk *w, struct cat_relation *r, sl_str name);
/* The output of a query; checks everything in it. */
const struct cat_relation *cat_query(struct cat_walk *w, const struct sql_node *query,
                                     const struct cat_scope *outer, const struct cat_ctes *ctes);
/* Checks an expression (or any list of them) in a scope. */
void cat_expression(struct cat_walk *w, const struct sql_node *n, const struct cat_scope *scope,
                    const struct cat_ctes *ctes);
/* "table 'orders' has no column 'pric'", with the nearest name as the hint. `rel` NULL: no table in sight has
 * it. */
void cat_say_column(struct cat_walk *w, const struct sql_node *at, sl_str name, sl_str table,
                    const struct cat_scope *scope, const struct cat_relation *rel);
void cat_say_table(struct cat_walk *w, const struct sql_node *name);

#endif
