/* SPDX-License-Identifier: Apache-2.0
 * token.list, token.make, token.revoke. A token's secret is told once, in the answer that makes it. */
#include "gateway/api/api.h"

#include "sys/clock.h"

static void put_token(struct sl_jw *w, const struct auth_token *t)
{
    char at[32];
    sl_jw_kstrz(w, "id", t->id);
    sl_jw_kstrz(w, "name", t->name);
    sl_jw_kstrz(w, "role", auth_role_names[t->role]);
    sys_time_rfc3339(t->made_ms, at);
    sl_jw_kstrz(w, "made", at);
    if (t->expires_ms) {
        sys_time_rfc3339(t->expires_ms, at);
        sl_jw_kstrz(w, "expires", at);
    }
    if (t->revoked_ms) {
        sys_time_rfc3339(t->revoked_ms, at);
        sl_jw_kstrz(w, "revoked", at);
    }
}

bool api_token_list(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct auth_token *v;
    size_t n = auth_tokens(api_call_env(c)->auth, api_call_arena(c), &v);
    (void)err;
    sl_jw_key(result, "tokens");
    sl_jw_array(result);
    for (size_t i = 0; i < n; i++) {
        sl_jw_object(result);
        put_token(result, &v[i]);
        sl_jw_end_object(result);
    }
    sl_jw_end_array(result);
    return true;
}

bool api_token_make(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    sl_str name, role;
    int64_t ttl = sl_json_i64(sl_json_get(api_call_params(c), "ttlMs"), 0);
    struct auth_token t;
    char secret[AUTH_SECRET_LEN + 1];
    if (!api_param_str(c, "name", SL_STR_NONE, &name, err) ||
        !api_param_str(c, "role", SL_STR_NONE, &role, err)) {
        return false;
    }
    if (ttl < 0) {
        return sl_fail(err, SL_USAGE, "parameter 'ttlMs' is a number from 1 on");
    }
    if (!auth_token_make(api_call_env(c)->auth, name, auth_role_of(role), ttl, &t, secret, err)) {
        return false;
    }
    put_token(result, &t);
    sl_jw_kstrz(result, "token", secret);
    return true;
}

bool api_token_revoke(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    sl_str which;
    if (!api_param_str(c, "token", SL_STR_NONE, &which, err) ||
        !auth_token_revoke(api_call_env(c)->auth, which, err)) {
        return false;
    }
    sl_jw_kstr(result, "revoked", which);
    return true;
}
