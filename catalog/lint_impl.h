/* SPDX-License-Identifier: Apache-2.0
 * What the parts of lint share: one run over a script, its tables by name, and how a finding is said. Private
 * to catalog. */
#ifndef SLUICE_CATALOG_LINT_IMPL_H
#define SLUICE_CATALOG_LINT_IMPL_H

#include "catalog/lint.h"
#include "sqlparse/ast.h"

struct lint_table {
    sl_str name; /* the last part, unquoted */
    const struct sql_stmt *st;
    const struct sql_node
        *create;     /* CREATE_TABLE or CREATE_VIEW; NULL: two have this name, or ALTER was here */
    uint32_t used;   /* by statements: read, written, changed, shown */
    uint32_t reader; /* the last loose INSERT that reads it: number of its statement; 0: none */
    bool said;
};

struct lint {
    struct sql_script *s;
    struct sl_arena *a;
    const struct sql_stmt *st; /* whose tree is walked: positions are in its sql */
    SL_VEC(struct lint_table) tables;
    uint32_t *slots; /* open addressing: index of the table + 1 */
    size_t n_slots;
    bool batch;       /* execution.runtime-mode is, or may be, batch */
    bool no_conflict; /* table.exec.sink.require-on-conflict is off */
    uint32_t jobs;    /* statements so far that run a job */
};

sl_str lint_ident(const struct lint *l, const struct sql_node *ident);
/* The table of a name of one part; NULL: none, or it cannot be told. */
struct lint_table *lint_table(const struct lint *l, const struct sql_node *name);
struct lint_table *lint_table_named(const struct lint *l, sl_str name);

/* Says a rule's finding at [off, off+len) of st->sql; NULL when it is not said. */
struct sql_diag *lint_say(struct lint *l, enum sl_code code, uint32_t off, uint32_t len, const char *fmt, ...)
    SL_PRINTF(5, 6);
struct sql_diag *lint_say_at(struct lint *l, enum sl_code code, struct sl_pos pos, const char *fmt, ...)
    SL_PRINTF(4, 5);
/* Adds to the finding's quick fix; places are in st->sql. A place that a variable fills takes the fix away. */
void lint_edit(struct lint *l, struct sql_diag *d, uint32_t off, uint32_t len, sl_str text);
void lint_edit_at(struct lint *l, struct sql_diag *d, uint32_t off, uint32_t len, sl_str text);

/* `db`.`orders` of the one name db.orders; empty when its dots are none between names. */
sl_str lint_dotted(const struct lint *l, sl_str ident);

/* The parts: tokens and comments of a statement; its tree; the statements among each other. */
void lint_text(struct lint *l);
void lint_quotes(struct lint *l, struct sql_diag *known);
void lint_tree(struct lint *l, const struct sql_node *n);
void lint_query_tables(struct lint *l, const struct sql_node *n);
void lint_script(struct lint *l);
void lint_statement(struct lint *l, const struct sql_stmt *st, bool loose);

#endif
