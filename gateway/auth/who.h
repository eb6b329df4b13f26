/* SPDX-License-Identifier: Apache-2.0
 * Who speaks: by his token, or, where the server's owner wants it so, without one. */
#ifndef SLUICE_AUTH_WHO_H
#define SLUICE_AUTH_WHO_H

#include "gateway/auth/token.h"

struct auth_who {
    enum auth_role role; /* AUTH_NOBODY: a stranger */
    char user[65];
    char token[13]; /* id of his token; "" = he needed none */
};
/* Who is taken for whom. */
struct auth_door {
    struct auth *auth;
    bool open;                 /* no token is asked for: everybody is an admin */
    struct auth_who anonymous; /* who brings no token; AUTH_NOBODY: he is refused */
};
/* Reads "NAME:ROLE", the identity of those who bring no token; empty: they are refused. Error: usage. */
SL_MUST_CHECK bool auth_door_anonymous(struct auth_door *d, sl_str setting, struct sl_err *err);
/* By a token's secret. False: it is not known, or has ended. */
bool auth_who_by_secret(const struct auth_door *d, sl_str secret, struct auth_who *ret);
/* By the header Authorization (p == NULL: not sent). Error: unauthorized. */
SL_MUST_CHECK bool auth_who_asks(const struct auth_door *d, sl_str authorization, struct auth_who *ret,
                                 struct sl_err *err);
/* Is he still who he was: has his token not ended since? */
bool auth_who_still(const struct auth_door *d, const struct auth_who *who);

#endif
