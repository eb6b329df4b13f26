/* SPDX-License-Identifier: Apache-2.0
 * Lint: what Flink takes and people do not mean, or will regret (docs/lint.md). The rules are a table; each
 * has a slug, which is its page in docs/errors, and says at most one thing of a place. Pure. */
#ifndef SLUICE_CATALOG_LINT_H
#define SLUICE_CATALOG_LINT_H

#include "sqlparse/sql.h"

struct cat_rule {
    enum sl_code code;
    enum sql_severity severity;
    sql_version since, until; /* Flink versions it holds for, both included; 0: no bound */
    const char *what;         /* what it finds, one line */
};
extern const struct cat_rule cat_rules[];
extern const size_t cat_rules_count;

/* Adds what the rules find, with quick fixes. Statements with errors are left out; so is what an error or
 * another warning says already. `batch`: the session is, or may be, in batch mode before the script sets it. Call it
 * behind cat_check(). */
void cat_lint(struct sql_script *s, bool batch);
/* Adds quick fixes to diagnostics of the grammar and the checks whose cure is certain. */
void cat_fixes(struct sql_script *s);

#endif
