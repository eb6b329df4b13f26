/* SPDX-License-Identifier: Apache-2.0
 * session.*: what JDBC-like clients and editors work in. The same sessions as those of Flink's own protocol. */
#include "gateway/api/api.h"

#include "gateway/session/session.h"
#include "sys/clock.h"

static struct ses_host *host_of(struct api_call *c)
{
    return api_call_env(c)->sessions;
}

static void put_time(struct sl_jw *w, const char *key, int64_t ms)
{
    char at[32];
    sys_time_rfc3339(ms, at);
    sl_jw_kstrz(w, key, at);
}

static void put_session(struct sl_jw *w, const struct ses_seen *s)
{
    sl_jw_kstrz(w, "session", s->id);
    sl_jw_kstr(w, "name", s->name);
    sl_jw_kstr(w, "user", s->user);
    sl_jw_kstr(w, "target", s->target);
    sl_jw_kstr(w, "flink", s->flink);
    sl_jw_kstr(w, "catalog", s->catalog);
    sl_jw_kstr(w, "database", s->database);
    put_time(w, "created", s->created_ms);
    sl_jw_ki64(w, "idleMs", s->idle_ms);
    sl_jw_ki64(w, "operationsKept", (int64_t)s->n_ops);
    sl_jw_ki64(w, "operationsOpen", (int64_t)s->n_open);
}

bool api_session_list(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct ses_who who = api_call_who(c);
    struct ses_seen *v;
    size_t n;
    (void)err;
    ses_list(host_of(c), &who, api_call_arena(c), &v, &n);
    sl_jw_key(result, "sessions");
    sl_jw_array(result);
    for (size_t i = 0; i < n; i++) {
        sl_jw_object(result);
        put_session(result, &v[i]);
        sl_jw_end_object(result);
    }
    sl_jw_end_array(result);
    return true;
}

/* The pairs of "config", with room for two more. */
static struct ses_pair *config_of(struct api_call *c, size_t *ret_n)
{
    const struct sl_json *list = sl_json_get(api_call_params(c), "config");
    struct ses_pair *v = sl_new_n(api_call_arena(c), struct ses_pair, (list ? list->n : 0) + 3);
    *ret_n = 0;
    SL_JSON_EACH(e, sl_json_is(list, SL_JSON_ARRAY) ? list : NULL)
    {
        v[(*ret_n)++] = (struct ses_pair){sl_json_str(sl_json_get(e, "key"), SL_STR("")),
                                          sl_json_str(sl_json_get(e, "value"), SL_STR(""))};
    }
    return v;
}

bool api_session_open(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct ses_who who = api_call_who(c);
    size_t n;
    struct ses_pair *config = config_of(c, &n);
    sl_str name, target, flink;
    char id[SES_ID];
    if (!api_param_str(c, "name", SL_STR(""), &name, err) ||
        !api_param_str(c, "target", SL_STR(""), &target, err) ||
        !api_param_str(c, "flink", SL_STR(""), &flink, err)) {
        return false;
    }
    if (target.n) {
        config[n++] = (struct ses_pair){SL_STR("sluice.target"), target};
    }
    if (flink.n) {
        config[n++] = (struct ses_pair){SL_STR("sluice.flink"), flink};
    }
    if (!ses_open(host_of(c), &who, name, config, n, id, err)) {
        return false;
    }
    sl_jw_kstrz(result, "session", id);
    return true;
}

static bool session_param(struct api_call *c, sl_str *ret, struct sl_err *err)
{
    return api_param_str(c, "session", SL_STR_NONE, ret, err);
}

bool api_session_show(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct ses_who who = api_call_who(c);
    struct sl_arena *a = api_call_arena(c);
    struct ses_place place;
    struct ses_seen seen;
    sl_str id;
    if (!session_param(c, &id, err) || !ses_see(host_of(c), &who, id, a, &seen, err) ||
        !ses_place_of(host_of(c), &who, id, a, &place, err)) {
        return false;
    }
    put_session(result, &seen);
    sl_jw_key(result, "config");
    sl_jw_array(result);
    for (size_t i = 0; i < place.n_config; i++) {
        sl_jw_object(result);
        sl_jw_kstr(result, "key", place.config[i].key);
        sl_jw_kstr(result, "value", place.config[i].value);
        sl_jw_end_object(result);
    }
    sl_jw_end_array(result);
    sl_jw_key(result, "jars");
    sl_jw_array(result);
    for (size_t i = 0; i < place.n_jars; i++) {
        sl_jw_str(result, place.jars[i]);
    }
    sl_jw_end_array(result);
    sl_jw_key(result, "operations");
    sl_jw_array(result);
    for (size_t i = 0; i < seen.n_ops; i++) {
        sl_jw_object(result);
        sl_jw_kstrz(result, "operation", seen.ops[i].id);
        sl_jw_kstrz(result, "state", ses_state_names[seen.ops[i].state]);
        if (seen.ops[i].job_id[0]) {
            sl_jw_kstrz(result, "flinkJob", seen.ops[i].job_id);
        }
        sl_jw_end_object(result);
    }
    sl_jw_end_array(result);
    return true;
}

bool api_session_heartbeat(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct ses_who who = api_call_who(c);
    sl_str id;
    if (!session_param(c, &id, err) || !ses_touch(host_of(c), &who, id, err)) {
        return false;
    }
    sl_jw_kstr(result, "session", id);
    return true;
}

bool api_session_close(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct ses_who who = api_call_who(c);
    sl_str id;
    if (!session_param(c, &id, err) || !ses_close(host_of(c), &who, id, err)) {
        return false;
    }
    sl_jw_kstr(result, "closed", id);
    return true;
}

bool api_session_execute(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct ses_who who = api_call_who(c);
    size_t n;
    struct ses_pair *config = config_of(c, &n);
    int64_t timeout_ms = sl_json_i64(sl_json_get(api_call_params(c), "timeoutMs"), 0);
    sl_str id, statement;
    char op[SES_ID];
    if (timeout_ms < 0) {
        return sl_fail(err, SL_USAGE, "parameter 'timeoutMs' is a time in milliseconds");
    }
    if (!session_param(c, &id, err) || !api_param_str(c, "statement", SL_STR_NONE, &statement, err) ||
        !ses_execute(host_of(c), &who, id, statement, config, n, timeout_ms, op, err)) {
        return false;
    }
    sl_jw_kstr(result, "session", id);
    sl_jw_kstrz(result, "operation", op);
    return true;
}

bool api_session_complete(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct ses_who who = api_call_who(c);
    int64_t offset = sl_json_i64(sl_json_get(api_call_params(c), "offset"), -1);
    sl_str id, statement, *found;
    size_t n;
    if (!session_param(c, &id, err) || !api_param_str(c, "statement", SL_STR_NONE, &statement, err)) {
        return false;
    }
    if (offset < 0 || (size_t)offset > statement.n) {
        return sl_fail(err, SL_USAGE, "parameter 'offset' lies behind the statement");
    }
    if (!ses_complete(host_of(c), &who, id, statement, (size_t)offset, api_call_arena(c), &found, &n, err)) {
        return false;
    }
    sl_jw_key(result, "candidates");
    sl_jw_array(result);
    for (size_t i = 0; i < n; i++) {
        sl_jw_str(result, found[i]);
    }
    sl_jw_end_array(result);
    return true;
}
