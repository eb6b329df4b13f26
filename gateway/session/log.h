/* SPDX-License-Identifier: Apache-2.0
 * The log of a session: what took effect in it and must be there again in front of a later statement, since every statement is
 * a main() of its own in Flink. Pure. Entries stand in order; what was dropped leaves; the current catalog and database are
 * facts of their own and no entries. Not for several threads at once. */
#ifndef SLUICE_SESSION_LOG_H
#define SLUICE_SESSION_LOG_H

#include "sqlparse/sql.h"

#define SES_CATALOG  "default_catalog"
#define SES_DATABASE "default_database"

enum ses_entry_kind {
    SES_ENTRY_CATALOG,
    SES_ENTRY_MODULE,   /* LOAD, UNLOAD, USE MODULES: in front of every statement */
    SES_ENTRY_DATABASE, /* of a catalog that lives in the session */
    SES_ENTRY_OBJECT,   /* table, view, function, model */
};

struct ses_entry {
    int64_t number; /* rising, never used again */
    enum ses_entry_kind kind;
    sl_str sql;
    sl_str catalog, database; /* in force when it ran; an empty database is the catalog's own default */
    sl_str of;                /* catalog of what it makes; "" = of none (a system function) */
    sl_str key;     /* what it makes, for finding it again: "table default_catalog.default_database.t" */
    sl_str name;    /* last part of its name, as a statement would write it without quotes */
    bool in_memory; /* CATALOG: its objects live in the session */
    bool renames;   /* ALTER TABLE ... RENAME TO: what keys say of names does not hold any more */
};

struct ses_log {
    struct sl_arena *arena;
    SL_VEC(struct ses_entry) entries;
    int64_t next;             /* number */
    sl_str catalog, database; /* current */
};

/* What a statement does to the world. */
enum ses_effect {
    SES_EFFECT_NONE,
    SES_EFFECT_SESSION,  /* it is replayed */
    SES_EFFECT_EXTERNAL, /* it lasts by itself, and is done once */
};

void ses_log_init(struct ses_log *l, struct sl_arena *a);
/* `kept`: the catalog store outlives the environment (table.catalog-store.kind), so that catalogs do, too. */
enum ses_effect ses_log_effect(const struct ses_log *l, const struct sql_stmt *st, bool kept);
struct ses_change {
    int64_t added; /* number of the new entry; 0 = none */
    SL_VEC(int64_t) gone;
    bool moved; /* another catalog or database is current */
};
/* It has taken effect, and is replayed as `sql` from now on. What has changed lives in the log's arena. */
void ses_log_apply(struct ses_log *l, const struct sql_stmt *st, sl_str sql, struct ses_change *ret);
/* Marks in ret_in (one per entry) what the statement can reach, by the names that stand in its text and in what that
 * reaches. More than it needs does no harm. */
void ses_log_reach(const struct ses_log *l, const struct sql_stmt *const *stmts, size_t n, bool *ret_in);
/* Is the view of this DROP VIEW certainly the session's own, and the one that Flink would take? */
bool ses_log_has_view(const struct ses_log *l, const struct sql_stmt *st);
/* What Flink would list of the catalogs that live in the session: names sorted as it does, each once. Databases, tables (with
 * views), views and functions (all that a user has made) of the current place. False: the log does not tell for certain. */
enum ses_list { SES_LIST_CATALOGS, SES_LIST_DATABASES, SES_LIST_TABLES, SES_LIST_VIEWS, SES_LIST_FUNCTIONS };
SL_MUST_CHECK bool ses_log_list(const struct ses_log *l, enum ses_list what, struct sl_arena *a, sl_str **ret,
                                size_t *ret_n);
/* The entry that made the table or view of this name, when it is the session's own and the one that Flink would take;
 * NULL: it is not, or the log does not tell for certain. */
const struct ses_entry *ses_log_table(const struct ses_log *l, sl_str name, struct sl_arena *a);
/* Is it a view? */
bool ses_entry_is_view(const struct ses_entry *e);
/* Parts of a name as written, unquoted; at most three, else 0. */
size_t ses_name_parts(struct sl_arena *a, sl_str name, sl_str ret[3]);
/* `name` in back-ticks. */
sl_str ses_quoted(struct sl_arena *a, sl_str name);

#endif
