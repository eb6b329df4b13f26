/* SPDX-License-Identifier: Apache-2.0
 * What names stand for while a script is checked, private to catalog: relations with their columns, the
 * objects of the session, and the scopes of a query. Everything lives in the script's arena; one walk belongs
 * to one thread. Nothing here looks at a list for every name: columns and objects are found by hash. */
#ifndef SLUICE_CATALOG_RELATION_H
#define SLUICE_CATALOG_RELATION_H

#include "catalog/scope.h"
#include "catalog/builtins.h"
#include "catalog/types.h"
#include "sqlparse/ast.h"

enum { CAT_PHYSICAL, CAT_COMPUTED, CAT_METADATA, CAT_VIRTUAL };

/* A column. `type` is never NULL; the unknown type is what nothing is said about. */
struct cat_field {
    sl_str name; /* unquoted */
    const struct cat_type *type;
    uint8_t role;  /* CAT_PHYSICAL ...: of a table's column */
    bool not_null; /* declared so, or in the PRIMARY KEY */
    bool doubled;  /* the query names it twice: nobody can refer to it */
};

/* Something with columns. Open: it may have columns we do not know. */
struct cat_relation {
    SL_VEC(struct cat_field) columns;
    uint32_t *slots; /* hash of the names: index + 1; NULL while there are few */
    uint32_t n_slots;
    bool open;
    bool inexact;   /* `columns` names all, but * of it may give fewer or in another order */
    bool has_key;   /* PRIMARY KEY */
    bool watermark; /* has one, or may have one */
    bool view;
    bool temporary;
    bool failed;                 /* its statement has a mistake: it is known, and not held to anything */
    struct cat_relation *behind; /* the permanent one that a temporary one stands in front of */
    SL_VEC(sl_str) key;          /* columns of the PRIMARY KEY */
    SL_VEC(sl_str) uses;         /* columns that computed columns and the watermark are made of */
    SL_VEC(sl_str) partition;    /* PARTITIONED BY */
    struct cat_with *with;       /* options of a table of this script (with.c); NULL: not known */
};

/* A relation by name: an alias in FROM, a CTE. */
struct cat_named {
    sl_str name;
    const struct cat_relation *rel;
    bool lookup; /* FOR SYSTEM_TIME AS OF */
};

/* What an expression can see: the relations of its FROM, then those of the queries around it. */
struct cat_scope {
    const struct cat_scope *outer;
    SL_VEC(struct cat_named) from;
    uint32_t *slots; /* hash of the names in `from`, once there are many */
    uint32_t n_slots, hashed;
    SL_VEC(sl_str) merged;              /* columns that USING and NATURAL made one */
    bool natural;                       /* there was a NATURAL join with something open */
    const struct cat_relation *aliases; /* of the select list, where they count: ORDER BY; may be NULL */
    const struct sql_node *windows;     /* WINDOW clause; may be NULL */
    const struct cat_pattern *pattern;  /* in MATCH_RECOGNIZE */
    bool shows_all;                     /* everything in sight is an open relation's business */
};

/* Common table expressions in sight. */
struct cat_ctes {
    const struct cat_ctes *outer;
    SL_VEC(struct cat_named) list;
};

/* Variables of a MATCH_RECOGNIZE. */
struct cat_pattern {
    SL_VEC(sl_str) vars; /* of PATTERN, SUBSET */
    SL_VEC(sl_str) defined;
};

/* Where an expression stands: what it sees and what it may hold. */
struct cat_env {
    const struct cat_scope *scope; /* NULL: no column at all */
    const struct cat_ctes *ctes;
    const char *no_aggregate; /* "WHERE": an aggregate here is a mistake of that clause */
    bool in_aggregate;        /* inside the arguments of an aggregate */
    bool in_over;             /* inside OVER: aggregates of the grouping are fine */
    bool in_group;            /* an item of GROUP BY: TUMBLE( ) may stand here */
};

/* Tables, views, databases, catalogs, functions and models by name. */
enum cat_what {
    CAT_A_TABLE,
    CAT_A_DATABASE,
    CAT_A_CATALOG,
    CAT_A_FUNCTION,
    CAT_A_MODEL,
    CAT_A_MODULE,
    CAT_A_CONNECTION
};
struct cat_entry {
    enum cat_what what;
    sl_str catalog, database, name; /* catalog, database: empty where there is none */
    struct cat_relation *rel;       /* of a table */
    sl_str start;                   /* of a catalog: its default database */
    bool gone;                      /* dropped */
    bool temporary;
    bool unsure;   /* it may be there or not */
    bool external; /* a catalog whose content nobody here knows */
    bool aggregate;
    uint32_t statement;
    struct cat_entry *next; /* of the same slot */
};

/* One walk over a script. */
struct cat_walk {
    struct sql_script *s;
    struct sl_arena *a;
    const struct sql_stmt *st; /* whose tree is looked at: positions are in its sql */
    sl_str catalog, database;  /* current; catalog empty: not known any more */
    SL_VEC(struct cat_entry *) entries;
    struct cat_entry **slots;
    size_t n_slots, n_entries;
    SL_VEC(sl_str) maybe; /* names in statements nobody could read: they may have created anything */
    uint32_t *maybe_slots;
    size_t n_maybe_slots;
    bool connectors;     /* options are looked at, too */
    bool jars;           /* there may be connectors, or versions of them, that nobody here knows */
    SL_VEC(sl_str) late; /* keys that hints and ALTER TABLE give to any table */
    bool modules;        /* some were loaded: functions may be anything */
    size_t weak_diag;    /* with.c: 1 + the diagnostic just said as a warning; 0: none */
    bool weak;           /* what is said now is a warning */
    bool view;           /* inside CREATE VIEW: only what its validation says, not its planning */
    bool batch;          /* the script leaves streaming mode, or may */
    bool catalogs;       /* there may be catalogs that no statement made */
    bool set;            /* between BEGIN STATEMENT SET and END */
    size_t inserts;
    size_t
        misnamed; /* tables whose name another one had: each may be the one that a later statement misses */
    unsigned depth;
    uint64_t steps; /* names looked up, columns copied, nodes visited: what the work is made of */
};

extern const struct cat_relation cat_open_relation;

/* names.c: relations, and how a mistake is said */
sl_str cat_ident(const struct cat_walk *w, const struct sql_node *ident);
/* In lower case: how functions are kept. */
sl_str cat_lower(const struct cat_walk *w, sl_str name);
/* The last part of a NAME, or the IDENT itself. */
const struct sql_node *cat_last(const struct sql_node *name);
const struct cat_field *cat_field(const struct cat_relation *r, sl_str name);
static inline bool cat_has_column(const struct cat_relation *r, sl_str name)
{
    return cat_field(r, name) != NULL;
}
struct cat_field *cat_add_column(struct cat_walk *w, struct cat_relation *r, sl_str name,
                                 const struct cat_type *type);
struct cat_relation *cat_copy(struct cat_walk *w, const struct cat_relation *r);

/* The nearest of the names seen so far. */
struct cat_nearest {
    sl_str wanted, name;
    size_t best;
};
struct cat_nearest cat_nearest_to(sl_str wanted);
void cat_offer(struct cat_nearest *n, sl_str name);
void cat_offer_columns(struct cat_nearest *n, const struct cat_relation *r);
/* An error at `at` (in the statement looked at). NULL when it is not kept. */
struct sql_diag *cat_say(struct cat_walk *w, enum sl_code code, const struct sql_node *at, const char *fmt,
                         ...) SL_PRINTF(4, 5);
struct sql_diag *cat_say_at(struct cat_walk *w, enum sl_code code, uint32_t off, uint32_t len,
                            const char *fmt, ...) SL_PRINTF(5, 6);
void cat_hint(struct cat_walk *w, struct sql_diag *d, const char *fmt, ...) SL_PRINTF(3, 4);
void cat_hint_near(struct cat_walk *w, struct sql_diag *d, const struct cat_nearest *n);
/* "table 'orders' has no column 'pric'", with the nearest name as the hint. `rel` NULL: no table in sight has
 * it. */
void cat_say_column(struct cat_walk *w, const struct sql_node *at, sl_str name, sl_str table,
                    const struct cat_scope *scope, const struct cat_relation *rel);

/* world.c: the objects of the session */
/* A name's parts, qualified by what is current. */
struct cat_path {
    sl_str catalog, database, name;
    bool known; /* in a catalog whose content only statements make */
};
void cat_world_init(struct cat_walk *w, const struct cat_session *session);
struct cat_path cat_path_of(struct cat_walk *w, const struct sql_node *name);
struct cat_entry *cat_entry(struct cat_walk *w, enum cat_what what, sl_str catalog, sl_str database,
                            sl_str name);
struct cat_entry *cat_entry_add(struct cat_walk *w, enum cat_what what, sl_str catalog, sl_str database,
                                sl_str name);
struct cat_entry *cat_entry_table(struct cat_walk *w, const struct cat_path *p);
/* The table a NAME stands for; NULL when it is not there. Never NULL for what cannot be known. */
const struct cat_relation *cat_find_table(struct cat_walk *w, const struct sql_node *name);
void cat_say_table(struct cat_walk *w, const struct sql_node *name);
/* Says that a catalog or database in front of a name is not there; true when it did. */
bool cat_say_home(struct cat_walk *w, const struct sql_node *name);
bool cat_may_exist(const struct cat_walk *w, sl_str name);
/* From here on something of that name may exist anywhere. */
void cat_maybe(struct cat_walk *w, sl_str name);
void cat_remember_names(struct cat_walk *w, sl_str sql);
void cat_declare(struct cat_walk *w, const struct cat_path *p, struct cat_relation *rel, bool temporary);
/* Is there, or may there be, a function of that name? */
enum cat_found { CAT_NOT_THERE, CAT_MAYBE, CAT_THERE };
enum cat_found cat_function_there(struct cat_walk *w, const struct sql_node *name,
                                  const struct cat_entry **ret);

/* expr.c: checks an expression and tells its type */
const struct cat_type *cat_expr(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env);
void cat_exprs(struct cat_walk *w, const struct sql_node *first, const struct cat_env *env);
/* Must be a condition: BOOLEAN. */
void cat_condition(struct cat_walk *w, const struct sql_node *n, const struct cat_env *env,
                   const char *clause);
/* Where a column reference leads: the relation of `from` in `*ret_at` and the column; NULL: not one of these. */
const struct cat_field *cat_resolve(struct cat_walk *w, const struct sql_node *n,
                                    const struct cat_scope *scope, size_t *ret_at);
const struct sql_node *cat_call_name(const struct sql_node *call);
/* Is it an aggregate (without OVER)? *ret_maybe: it is a function nobody here knows. */
bool cat_is_aggregate(struct cat_walk *w, const struct sql_node *call, bool *ret_maybe);
/* The built-in function of a call in the plain form, or NULL. */
const struct cat_function *cat_builtin(struct cat_walk *w, const struct sql_node *call);
/* TUMBLE, HOP, SESSION in GROUP BY: 0 when it is none of them. */
char cat_group_window(const struct cat_walk *w, const struct sql_node *call);

/* calls.c */
const struct cat_type *cat_call(struct cat_walk *w, const struct sql_node *call, const struct cat_env *env);
/* query.c */
/* The output of a query; checks everything in it. */
const struct cat_relation *cat_query(struct cat_walk *w, const struct sql_node *query,
                                     const struct cat_scope *outer, const struct cat_ctes *ctes);
const struct cat_relation *cat_renamed(struct cat_walk *w, const struct cat_relation *rel,
                                       const struct sql_node *names, const struct sql_node *at);
/* from.c */
void cat_from(struct cat_walk *w, const struct sql_node *n, struct cat_scope *scope,
              const struct cat_ctes *ctes);
const struct cat_relation *cat_table_of(struct cat_walk *w, const struct sql_node *name,
                                        const struct cat_ctes *ctes);
const struct cat_named *cat_alias(const struct cat_scope *scope, sl_str name, size_t *ret_at);
/* windows.c */
/* TUMBLE, HOP, CUMULATE, SESSION over a table: its output. Everything else is open. */
const struct cat_relation *cat_table_function(struct cat_walk *w, const struct sql_node *call, bool lateral,
                                              const struct cat_scope *scope, const struct cat_ctes *ctes);
void cat_over(struct cat_walk *w, const struct sql_node *call, const struct sql_node *over,
              const struct cat_env *env);
void cat_windows(struct cat_walk *w, const struct sql_node *windows, const struct cat_env *env);
/* group.c */
void cat_grouping(struct cat_walk *w, const struct sql_node *select, const struct sql_node *order_by,
                  const struct cat_relation *out, const struct cat_scope *scope);
bool cat_same(struct cat_walk *w, const struct sql_node *a, const struct sql_node *b,
              const struct cat_scope *scope);
/* pattern.c */
const struct cat_relation *cat_match(struct cat_walk *w, const struct sql_node *match,
                                     const struct cat_named *input, const struct cat_ctes *ctes);
/* typing.c */
/* The type that is written there; what is wrong with it is said. */
const struct cat_type *cat_type_checked(struct cat_walk *w, const struct sql_node *type);
const struct cat_type *cat_type_named(sl_str word);
/* "month", "second": what kind of interval a UNIT makes, CAT_T_MONTHS or CAT_T_SECONDS. */
enum cat_kind cat_unit_kind(const struct cat_walk *w, const struct sql_node *unit);
/* ddl.c */
struct cat_relation *cat_create_table(struct cat_walk *w, const struct sql_node *create, sl_str table);
struct cat_relation *cat_create_view(struct cat_walk *w, const struct sql_node *create, sl_str view);
void cat_check_columns(struct cat_walk *w, const struct sql_node *columns, struct cat_relation *rel,
                       sl_str table);
bool cat_is_column(const struct sql_node *n);
sl_str cat_column_name(const struct cat_walk *w, const struct sql_node *column);
void cat_declare_column(struct cat_walk *w, const struct sql_node *c, struct cat_relation *rel);
/* with.c: options of tables. cat_with_create() comes behind cat_declare(): a table whose options are wrong has its columns. */
void cat_with_init(struct cat_walk *w, bool jars);
void cat_with_create(struct cat_walk *w, const struct sql_node *create, struct cat_relation *rel);
void cat_with_alter(struct cat_walk *w, const struct sql_node *action, struct cat_relation *rel);
/* OPTIONS( ) behind the name of a table. */
void cat_with_hint(struct cat_walk *w, const struct cat_relation *rel, const struct sql_node *table);
/* The table is read or written at `name`. */
void cat_with_use(struct cat_walk *w, const struct cat_relation *rel, const struct sql_node *name, bool sink);
void cat_with_catalog(struct cat_walk *w, const struct sql_node *create);
void cat_with_module(struct cat_walk *w, const struct sql_node *load);
/* alter.c */
void cat_alter_table(struct cat_walk *w, const struct sql_node *alter);
/* insert.c */
void cat_insert(struct cat_walk *w, const struct sql_node *insert);

#endif
