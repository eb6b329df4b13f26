/* SPDX-License-Identifier: Apache-2.0
 * Which role may have which kind of statement run on which target. Any thread. */
#ifndef SLUICE_AUTH_RULES_H
#define SLUICE_AUTH_RULES_H

#include "gateway/auth/token.h"

enum auth_deed {
    AUTH_QUERY,  /* a SELECT: its job ends with it */
    AUTH_JOB,    /* a job that lasts is started or stopped */
    AUTH_CHANGE, /* something outside of the session is changed: DDL in a lasting catalog, CALL, TRUNCATE */
    AUTH_JAR,    /* code is brought: ADD JAR, jars of a submission */
    AUTH_DEED_MAX_
};
extern const char *const auth_deed_names[]; /* "query", "job", "change", "jar" */

struct auth_rules;
/* Without rules an analyst may query, and an operator everything. */
struct auth_rules *auth_rules_new(void);
void auth_rules_free(struct auth_rules *r);
/* In force from now on: "TARGET:DEED=ROLE" with commas or blanks between; "*" is every target, and every deed. A rule that names
 * the target wins over one that does not, then the later one. False: usage, and nothing has changed. */
SL_MUST_CHECK bool auth_rules_set(struct auth_rules *r, sl_str text, struct sl_err *err);
/* Could such a text be set? */
SL_MUST_CHECK bool auth_rules_check(sl_str text, struct sl_err *err);
enum auth_role auth_rules_least(struct auth_rules *r, sl_str target, enum auth_deed deed);
/* May this role? `what`: the statement, for the message ("INSERT INTO"). Error: forbidden. */
SL_MUST_CHECK bool auth_rules_allow(struct auth_rules *r, enum auth_role role, sl_str target,
                                    enum auth_deed deed, const char *what, struct sl_err *err);

#endif
