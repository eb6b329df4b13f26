/* SPDX-License-Identifier: Apache-2.0
 * What the files of flow share. Private to catalog/flow*.c. */
#ifndef SLUICE_CATALOG_FLOW_IMPL_H
#define SLUICE_CATALOG_FLOW_IMPL_H

#include "catalog/flow.h"
#include "sqlparse/token.h"

#define FLOW_VIEW_DEPTH 100 /* views on views that nobody has asked for yet; deeper ones stay open */

struct flow_use {
    uint32_t number; /* the statement that set it; it counts behind */
    sl_str catalog, database;
};

/* Where names are looked up: a text, the statement it stands for and what is named on the way. */
struct flow_place {
    sl_str sql;
    uint32_t at;
    const struct sql_stmt *st; /* NULL: a text of its own */
};

struct cat_flow {
    struct sl_arena *a;
    const struct sql_script *s;
    struct cat_object **buckets;
    size_t n_buckets; /* a power of two */
    SL_VEC(struct cat_object *) objects;
    SL_VEC(struct flow_use) uses;
    const struct sql_node **trees;
    bool *read; /* trees[i] has been looked for */
    struct flow_place place;
    struct cat_object *reading; /* whose reads are written down; NULL: `moving` */
    struct cat_movement *moving;
    struct cat_refs *refs; /* NULL: not wanted */
    unsigned depth;
    uint32_t stamp;
};

struct flow_ctes {
    const struct flow_ctes *outer;
    struct cat_in_scopes own;
};
struct flow_scope {
    const struct flow_scope *outer;
    struct cat_in_scopes from;
    const struct flow_ctes *ctes;
    const struct cat_columns *aliases; /* of the select list, where they count; or NULL */
    SL_VEC(sl_str) merged;             /* columns that NATURAL or USING shows once */
    struct cat_froms *rows;            /* what decides on the rows of the query is added here */
};

sl_str flow_ident(const struct cat_flow *f, const struct sql_node *ident);
/* The parts of a NAME or IDENT; at most max. */
size_t flow_parts(const struct cat_flow *f, const struct sql_node *name, sl_str *ident, size_t max);
const struct cat_object *flow_object(struct cat_flow *f, const struct sql_node *name);
/* The object was read at this node. */
void flow_saw_read(struct cat_flow *f, const struct cat_object *o, const struct sql_node *at);
struct cat_ref *flow_saw(struct cat_flow *f, enum cat_ref_kind kind, const struct sql_node *at, sl_str name);
void flow_add_from(struct cat_flow *f, struct cat_froms *to, const struct cat_object *o, sl_str column,
                   unsigned how);
/* Columns of an object once more, for the references in its statement. */
void flow_read_again(struct cat_flow *f, const struct cat_object *o, const struct sql_node *ast);
/* `from` seen through an expression that takes it as `how`. */
void flow_pass(struct cat_flow *f, struct cat_froms *to, const struct cat_froms *from, unsigned how);
struct cat_column *flow_add_column(struct cat_flow *f, struct cat_columns *to, sl_str name);
const struct cat_column *flow_column(const struct cat_columns *c, sl_str name);
/* Type text with even white space. */
sl_str flow_type_text(struct cat_flow *f, const struct sql_node *type);

void flow_expr(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *scope, unsigned how,
               struct cat_froms *out);
sl_str flow_type_of(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *scope);
struct cat_columns *flow_query(struct cat_flow *f, const struct sql_node *n, const struct flow_scope *outer,
                               const struct flow_ctes *ctes);
/* What a FROM brings into scope. */
void flow_add_source(struct cat_flow *f, const struct sql_node *n, struct flow_scope *scope);
/* Columns under new names, by position; names NULL: as they are. */
struct cat_columns *flow_renamed(struct cat_flow *f, struct cat_columns *c, const struct sql_node *names);
struct cat_columns *flow_copy(struct cat_flow *f, const struct cat_columns *c);

#endif
