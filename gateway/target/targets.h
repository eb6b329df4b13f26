/* SPDX-License-Identifier: Apache-2.0
 * The targets a person has added: name, address and what a request to them needs, in the store (0600, as are its
 * backups). Passwords and headers leave it for requests only; what is shown is masked by targets_masked. Any thread;
 * every call blocks on the store. */
#ifndef SLUICE_TARGET_TARGETS_H
#define SLUICE_TARGET_TARGETS_H

#include "store/store.h"

extern const struct store_migration targets_migrations[]; /* ends with noun == NULL */

struct target_record {
    const char *name; /* 1 to 63 of a-z A-Z 0-9 . _ - ; never "local" */
    const char *url;  /* http(s)://host[:port][/prefix], without a slash at the end and without a password */
    const char *ca, *cert, *key; /* absolute paths of PEM files, "" = none */
    const char *headers;         /* "Name: value", one a line; secret */
    const char *user;            /* "NAME:PASSWORD", "" = none; secret */
    const char *proxy;           /* may hold a password; secret */
    const char *results_address; /* HOST:PORT that its TaskManagers dial, "" = as the settings say */
    int64_t made_ms;
    bool is_default;
};

/* Checks the form of a new record. Errors: usage, file-not-found. */
SL_MUST_CHECK bool targets_check(const struct target_record *r, struct sl_err *err);
/* Error: target-exists. */
SL_MUST_CHECK bool targets_add(struct store *s, const struct target_record *r, struct sl_err *err);
/* Error: target-unknown, with a near name or the list in the hint. */
SL_MUST_CHECK bool targets_get(struct store *s, const char *name, struct sl_arena *a,
                               struct target_record *ret, struct sl_err *err);
/* By name. */
SL_MUST_CHECK bool targets_list(struct store *s, struct sl_arena *a, struct target_record **ret,
                                size_t *ret_n, struct sl_err *err);
/* Makes it the one that is used when none is named; "local" takes that back. */
SL_MUST_CHECK bool targets_use(struct store *s, const char *name, struct sl_err *err);
SL_MUST_CHECK bool targets_remove(struct store *s, const char *name, struct sl_err *err);
/* The name of the default target; "local" where none was chosen. */
SL_MUST_CHECK bool targets_default(struct store *s, char ret[64], struct sl_err *err);

/* "http://name:******@proxy:3128": a password in an address is never shown. In the arena. */
const char *targets_masked(struct sl_arena *a, const char *address);

#endif
