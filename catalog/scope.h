/* SPDX-License-Identifier: Apache-2.0
 * Names and shapes: which objects a script declares and uses, and whether its queries fit together. A fresh
 * session is a closed world (what no statement created is not there); catalogs of other systems, and
 * everything whose columns cannot be told, are open and nothing in them is called wrong. Pure.
 */
#ifndef SLUICE_CATALOG_SCOPE_H
#define SLUICE_CATALOG_SCOPE_H

#include "sqlparse/sql.h"

/* A table or view that is there before the script begins. */
struct cat_known_table {
    sl_str catalog, database, name;
    const sl_str *columns, *types; /* types: as SQL writes them ("BIGINT"); NULL or empty: not known */
    size_t n_columns;              /* 0: its columns are not known */
    bool view;
};
/* What is known of the session the script will run in. Borrowed while the check runs. */
struct cat_session {
    sl_str catalog, database; /* current; empty: default_catalog, default_database */
    const struct cat_known_table *tables;
    size_t n_tables;
    const sl_str *functions; /* of users, by their last name */
    size_t n_functions;
    bool open;  /* there may be more than is listed: nothing is called unknown */
    bool batch; /* execution.runtime-mode = batch */
    bool
        jars; /* jars are given, or it is another's cluster: connectors may be there that nobody here knows */
};

/* Walks the statements in order and says what is wrong. `session` NULL: a fresh one. Returns the number of
 * steps taken (names looked up, nodes visited), which grows with the size of the script and nothing else. */
uint64_t cat_scope_check_in(struct sql_script *s, const struct cat_session *session);
void cat_scope_check(struct sql_script *s); /* in a fresh session */
/* The same, and options of tables are held to the manifest of connectors. */
uint64_t cat_scope_check_full(struct sql_script *s, const struct cat_session *session);

#endif
