/* SPDX-License-Identifier: Apache-2.0
 * Tokens: who may speak with the server, and as what. A token is 256 random bits, shown once and kept as its SHA-256; it has
 * a name, a role, an end, and can be revoked. The list is held in memory, so that the loop can check without the store.
 * Safe from any thread; what writes blocks (a lane's thread). */
#ifndef SLUICE_AUTH_TOKEN_H
#define SLUICE_AUTH_TOKEN_H

#include "base/arena.h"
#include "base/err.h"
#include "store/store.h"

/* Each may do what the ones before it may. */
enum auth_role {
    AUTH_NOBODY,
    AUTH_VIEWER,   /* looks */
    AUTH_ANALYST,  /* and checks scripts */
    AUTH_OPERATOR, /* and starts, stops and restores jobs */
    AUTH_ADMIN,    /* and targets, tokens, the server itself */
};
extern const char *const auth_role_names[]; /* "nobody", "viewer", "analyst", "operator", "admin" */
/* AUTH_NOBODY when there is no such role. */
enum auth_role auth_role_of(sl_str name);

#define AUTH_SECRET_PREFIX "slu_" /* so that scanners of repositories find a leaked one */
#define AUTH_SECRET_LEN    68     /* the prefix and 64 hex digits */

struct auth_token {
    char id[13]; /* 12 hex digits: names it without telling it */
    char name[65];
    enum auth_role role;
    int64_t made_ms, expires_ms, revoked_ms; /* epoch; 0 = never */
};

extern const struct store_migration auth_migrations[];

struct auth;
/* Reads the tokens of the store. */
SL_MUST_CHECK struct auth *auth_open(struct store *s, struct sl_err *err);
void auth_free(struct auth *a);
/* Reads them again: the store may have been given others. The old list stays when that fails. */
SL_MUST_CHECK bool auth_reload(struct auth *a, struct sl_err *err);

/* Makes a token; `ret_secret` gets AUTH_SECRET_LEN bytes and a NUL. ttl_ms 0: no end. Errors: usage (name), store, disk-full. */
SL_MUST_CHECK bool auth_token_make(struct auth *a, sl_str name, enum auth_role role, int64_t ttl_ms,
                                   struct auth_token *ret, char ret_secret[AUTH_SECRET_LEN + 1],
                                   struct sl_err *err);
/* From now on it is nobody's; not-found when there is none of that id or name. */
SL_MUST_CHECK bool auth_token_revoke(struct auth *a, sl_str id_or_name, struct sl_err *err);
/* All that were made, newest first, in the arena. */
size_t auth_tokens(struct auth *a, struct sl_arena *arena, struct auth_token **ret);
/* Whose secret is it, now? false: nobody's (unknown, ended, revoked). */
bool auth_token_check(struct auth *a, sl_str secret, struct auth_token *ret);
/* Has the token of this id neither ended nor been revoked? */
bool auth_token_lives(struct auth *a, const char *id);

/* The token of this machine's command line: `path` (0600) holds the secret of an admin token, made when the file is not
 * there or its token is no longer known. */
SL_MUST_CHECK bool auth_token_file(struct auth *a, const char *path, struct sl_err *err);

#endif
