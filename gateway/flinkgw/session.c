/* SPDX-License-Identifier: Apache-2.0
 * Flink's calls about sessions: opening, configuring, statements. */
#include "gateway/flinkgw/wire.h"

#include "runtime-image/flink_versions.h"

static struct ses_host *host_of(struct api_call *c)
{
    return api_call_env(c)->sessions;
}

static sl_str body_text(struct api_call *c, const char *key)
{
    return sl_json_str(sl_json_get(sl_json_get(api_call_params(c), "body"), key), SL_STR_NONE);
}

bool fgw_info(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    sl_jw_kstrz(result, "productName", "Apache Flink");
    char version[16];
    if (!img_flink_resolve(sl_arena_strdupz(api_call_arena(c), api_call_env(c)->flink), version, err)) {
        return false;
    }
    sl_jw_kstrz(result, "version", version);
    return true;
}

bool fgw_versions(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    static const char *const names[FGW_NEWEST] = {"V1", "V2", "V3", "V4"};
    (void)err;
    sl_jw_key(result, "versions"); /* a client fails at a name that it does not know */
    sl_jw_array(result);
    for (int64_t i = 0; i < FGW_NEWEST && i < api_call_env(c)->flink_protocol; i++) {
        sl_jw_strz(result, names[i]);
    }
    sl_jw_end_array(result);
    return true;
}

bool fgw_session_open(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct ses_who who = api_call_who(c);
    struct ses_pair *given;
    size_t n;
    char id[SES_ID];
    sl_str name = body_text(c, "sessionName");
    if (!fgw_map(c, "properties", &given, &n, err)) {
        return false;
    }
    if (!ses_open(host_of(c), &who, name.p ? name : SL_STR(""), given, n, id, err)) {
        return fgw_fail(c, result, "openSession", false, err);
    }
    sl_jw_kstrz(result, "sessionHandle", id);
    return true;
}

bool fgw_session_show(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct ses_who who = api_call_who(c);
    struct ses_pair *pairs;
    size_t n;
    if (!ses_properties(host_of(c), &who, fgw_param(c, "session"), api_call_arena(c), &pairs, &n, err)) {
        return fgw_fail(c, result, "getSessionConfig", true, err);
    }
    sl_jw_key(result, "properties");
    sl_jw_object(result);
    for (size_t i = 0; i < n; i++) {
        sl_jw_keys(result, pairs[i].key);
        sl_jw_str(result, pairs[i].value);
    }
    sl_jw_end_object(result);
    return true;
}

bool fgw_session_close(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct ses_who who = api_call_who(c);
    if (!ses_close(host_of(c), &who, fgw_param(c, "session"), err)) {
        return fgw_fail(c, result, "closeSession", true, err);
    }
    sl_jw_kstrz(result, "status", "CLOSED");
    return true;
}

bool fgw_session_heartbeat(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct ses_who who = api_call_who(c);
    if (!ses_touch(host_of(c), &who, fgw_param(c, "session"), err)) {
        return fgw_fail(c, result, "heartbeat", true, err);
    }
    return true;
}

/* The statement of a body; false: there is none, or a timeout that the stock gateway refuses, too. */
static bool read_statement(struct api_call *c, sl_str *ret, struct sl_err *err)
{
    const struct sl_json *body = sl_json_get(api_call_params(c), "body");
    *ret = body_text(c, "statement");
    if (!ret->p) {
        return sl_fail(err, SL_USAGE, "Request did not match expected format: 'statement' is missing.");
    }
    if (sl_json_i64(sl_json_get(body, "executionTimeout"), 0) > 0) {
        return sl_fail(err, SL_NOT_SUPPORTED, "SqlGatewayService doesn't support timeout mechanism now.");
    }
    return true;
}

bool fgw_session_configure(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct ses_who who = api_call_who(c);
    struct ses_failure f = {0};
    sl_str statement;
    if (!read_statement(c, &statement, err)) {
        return err->code == SL_NOT_SUPPORTED && fgw_fail(c, result, "configureSession", false, err);
    }
    if (ses_configure(host_of(c), &who, fgw_param(c, "session"), statement, api_call_arena(c), &f, err)) {
        return true;
    }
    if (f.n) {
        fgw_put_failure(result, api_call_arena(c), "configureSession", false, &f);
        return true;
    }
    return fgw_fail(c, result, "configureSession", false, err);
}

/* Bytes in front of a place that is counted in UTF-16 units. */
static size_t bytes_before(sl_str text, int64_t units)
{
    size_t i = 0;
    while (i < text.n && units > 0) {
        unsigned char lead = (unsigned char)text.p[i];
        units -= lead >= 0xF0 ? 2 : 1;
        i += lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    }
    return SL_MIN(i, text.n);
}

bool fgw_session_complete(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct ses_who who = api_call_who(c);
    sl_str statement, *found;
    size_t n;
    if (!read_statement(c, &statement, err)) {
        return false;
    }
    int64_t position = sl_json_i64(sl_json_get(sl_json_get(api_call_params(c), "body"), "position"), 0);
    if (!ses_complete(host_of(c), &who, fgw_param(c, "session"), statement, bytes_before(statement, position),
                      api_call_arena(c), &found, &n, err)) {
        return fgw_fail(c, result, "completeStatement", false, err);
    }
    sl_jw_key(result, "candidates");
    sl_jw_array(result);
    for (size_t i = 0; i < n; i++) {
        sl_jw_str(result, found[i]);
    }
    sl_jw_end_array(result);
    return true;
}

bool fgw_refused(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    sl_fail(err, SL_NOT_SUPPORTED, "Sluice keeps no materialized tables, and no workflows that refresh them");
    sl_hint(err,
            "an INSERT that goes on as a job, or one that is started by a clock of yours, does the same");
    return fgw_fail(c, result, "refreshMaterializedTable", true, err);
}

bool fgw_session_execute(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct ses_who who = api_call_who(c);
    struct ses_pair *given;
    size_t n;
    sl_str statement;
    char op[SES_ID];
    if (!read_statement(c, &statement, err)) {
        return err->code == SL_NOT_SUPPORTED && fgw_fail(c, result, "executeStatement", false, err);
    }
    if (!fgw_map(c, "executionConfig", &given, &n, err)) {
        return false;
    }
    if (!ses_execute(host_of(c), &who, fgw_param(c, "session"), statement, given, n, 0, op, err)) {
        return fgw_fail(c, result, "executeStatement", false, err);
    }
    sl_jw_kstrz(result, "operationHandle", op);
    return true;
}
