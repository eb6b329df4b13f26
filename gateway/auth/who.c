/* SPDX-License-Identifier: Apache-2.0
 * Who speaks. */
#include "gateway/auth/who.h"

#include "gateway/auth/gate.h"

#include <stdio.h>

bool auth_door_anonymous(struct auth_door *d, sl_str setting, struct sl_err *err)
{
    d->anonymous = (struct auth_who){.role = AUTH_NOBODY};
    if (setting.n == 0) {
        return true;
    }
    ptrdiff_t colon = sl_str_find_char(setting, ':');
    sl_str name = sl_str_sub(setting, 0, colon < 0 ? 0 : (size_t)colon);
    enum auth_role role =
        colon < 0 ? AUTH_NOBODY
                  : auth_role_of(sl_str_sub(setting, (size_t)colon + 1, setting.n - (size_t)colon - 1));
    if (name.n == 0 || name.n >= sizeof(d->anonymous.user) || role == AUTH_NOBODY || role == AUTH_ADMIN) {
        sl_fail(err, SL_USAGE, "'%.*s' is not NAME:ROLE with the role viewer, analyst or operator",
                SL_S(setting));
        return sl_hint(err, "--anonymous dbt:operator\n--no-auth      makes everybody an admin");
    }
    d->anonymous.role = role;
    snprintf(d->anonymous.user, sizeof(d->anonymous.user), "%.*s", SL_S(name));
    return true;
}

bool auth_who_by_secret(const struct auth_door *d, sl_str secret, struct auth_who *ret)
{
    struct auth_token t;
    *ret = (struct auth_who){.role = AUTH_NOBODY};
    if (d->open) {
        *ret = (struct auth_who){.role = AUTH_ADMIN, .user = "anybody"};
    } else if (auth_token_check(d->auth, secret, &t)) {
        ret->role = t.role;
        memcpy(ret->user, t.name, sizeof(ret->user));
        memcpy(ret->token, t.id, sizeof(ret->token));
    }
    return ret->role != AUTH_NOBODY;
}

bool auth_who_asks(const struct auth_door *d, sl_str authorization, struct auth_who *ret, struct sl_err *err)
{
    char scratch[128];
    if (!authorization.p && !d->open && d->anonymous.role != AUTH_NOBODY) {
        *ret = d->anonymous;
        return true;
    }
    if (auth_who_by_secret(d, auth_bearer(authorization, scratch), ret)) {
        return true;
    }
    sl_fail(err, SL_UNAUTHORIZED,
            authorization.p ? "this token is not known, or has ended" : "a token is needed");
    return sl_hint(err, "Authorization: Bearer TOKEN      sluice token create makes one");
}

bool auth_who_still(const struct auth_door *d, const struct auth_who *who)
{
    return !who->token[0] || auth_token_lives(d->auth, who->token);
}
