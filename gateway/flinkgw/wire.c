/* SPDX-License-Identifier: Apache-2.0
 * The protocol's outside: paths, bodies and errors. Its SQL client prints what stands between the last "Caused by: " and the
 * next line that begins with a tab and "at": so each cause has such a line. */
#include "gateway/flinkgw/wire.h"
#include "gateway/api/share.h"

#include "gateway/results/encode.h"

#include <stdio.h>

/* The calls about materialized tables are in the third version alone. */
static bool only_in_v3(sl_str path)
{
    return sl_str_starts(path, SL_STR("workflow/")) ||
           sl_str_find(path, SL_STR("/materialized-tables/")) >= 0;
}

bool fgw_path(struct sl_arena *a, sl_str path, sl_str *ret_path, int *ret_version)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    for (size_t i = 0; i < path.n; i++) { /* slashes in front, behind and doubled are nothing */
        if (path.p[i] != '/' || (b.n && i + 1 < path.n && path.p[i + 1] != '/')) {
            sl_buf_putc(&b, path.p[i]);
        }
    }
    sl_str p = sl_buf_str(&b);
    *ret_version = FGW_NEWEST;
    if (p.n >= 3 && p.p[0] == 'v' && p.p[1] >= '1' && p.p[1] <= '0' + FGW_NEWEST && p.p[2] == '/') {
        *ret_version = p.p[1] - '0';
        p = sl_str_sub(p, 3, p.n - 3);
    } else if (!sl_str_eqz(p, "info") && !sl_str_eqz(p, "api_versions") && !sl_str_eqz(p, "sessions") &&
               !sl_str_starts(p, SL_STR("sessions/"))) {
        return false;
    }
    if (*ret_version != 3 && only_in_v3(p)) {
        *ret_version = 0;
    }
    *ret_path = sl_arena_printf(a, "/%.*s", SL_S(p));
    return true;
}

/* Name of the class that Flink's gateway reads a body into, for its error. */
static const char *body_class(const struct api_route *r)
{
    return strcmp(r->call, "flink.session.open") == 0        ? "OpenSessionRequestBody"
           : strcmp(r->call, "flink.session.configure") == 0 ? "ConfigureSessionRequestBody"
           : strcmp(r->call, "flink.session.complete") == 0  ? "CompleteStatementRequestBody"
           : strcmp(r->call, "flink.session.execute") == 0   ? "ExecuteStatementRequestBody"
           : strcmp(r->call, "flink.session.script") == 0    ? "DeployScriptRequestBody"
           : strcmp(r->call, "flink.table.refresh") == 0     ? "RefreshMaterializedTableRequestBody"
                                                             : "EmptyRequestBody";
}

#define REST_EXCEPTION "org.apache.flink.runtime.rest.handler.RestHandlerException"

static bool bad_body(const struct api_route *r, struct sl_err *err)
{
    return sl_fail(err, SL_USAGE, REST_EXCEPTION ": Request did not match expected format %s.",
                   body_class(r));
}

bool fgw_bad_param(const char *kind, const char *name, sl_str value, struct sl_err *err)
{
    const int n = (int)SL_MIN(value.n, (size_t)48);
    return sl_fail(err, SL_USAGE,
                   REST_EXCEPTION
                   ": Bad request, could not parse parameters: Cannot resolve %s parameter (%s) from value "
                   "\"%.*s\".\n\tat org.sluice.gateway\nCaused by: "
                   "org.apache.flink.runtime.rest.handler.HandlerRequestException: Cannot resolve %s "
                   "parameter (%s) from value \"%.*s\".\n\tat org.sluice.gateway",
                   kind, name, n, value.p, kind, name, n, value.p);
}

/* Five groups of hexadecimal digits, as Java reads a UUID. */
static bool is_handle(sl_str s)
{
    size_t dashes = 0, digits = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool hex = (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f') ||
                   (s.p[i] >= 'A' && s.p[i] <= 'F');
        if (!hex && (s.p[i] != '-' || digits == 0)) {
            return false;
        }
        dashes += !hex;
        digits = hex ? digits + 1 : 0;
    }
    return s.n <= 36 && dashes == 4 && digits;
}

/* Members of the body that have to be maps and texts. */
static bool check_body(const struct sl_json *body, const struct api_route *r, struct sl_err *err)
{
    static const char *const maps[] = {"properties", "executionConfig"}, *const texts[] = {
                                                                             "sessionName", "statement",
                                                                             "script", "scriptUri"};
    for (size_t i = 0; i < SL_ARRAY_LEN(maps); i++) {
        const struct sl_json *v = sl_json_get(body, maps[i]);
        if (v && v->type != SL_JSON_NULL && v->type != SL_JSON_OBJECT) {
            return bad_body(r, err) || sl_hint(err, "'%s' is not a map", maps[i]);
        }
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(texts); i++) {
        const struct sl_json *v = sl_json_get(body, texts[i]);
        if (v && (v->type == SL_JSON_OBJECT || v->type == SL_JSON_ARRAY)) {
            return bad_body(r, err) || sl_hint(err, "'%s' is not a text", texts[i]);
        }
    }
    return true;
}

bool fgw_params(const struct front_request *q, const struct api_route *r, int version, struct sl_arena *a,
                struct sl_json *params, struct sl_err *err)
{
    struct sl_err bad = SL_ERR_INIT;
    struct sl_json *body = q->body.n ? sl_json_parse(a, q->body, &bad) : NULL;
    if (q->body.n && (!body || body->type != SL_JSON_OBJECT)) {
        return bad_body(r, err);
    }
    static const char *const handles[][2] = {{"session", "session_handle"},
                                             {"operation", "operation_handle"}};
    for (size_t i = 0; i < SL_ARRAY_LEN(handles); i++) {
        const struct sl_json *v = sl_json_get(params, handles[i][0]);
        if (v && !is_handle(v->text)) {
            return fgw_bad_param("path", handles[i][1], v->text, err);
        }
    }
    if (body) {
        if (!check_body(body, r, err)) {
            return false;
        }
        api_params_drop(params, "body");
        body->key = SL_STR("body");
        struct sl_json **end = &params->child;
        while (*end) {
            end = &(*end)->next;
        }
        *end = body;
        params->n++;
    }
    sl_str format = front_arg(q, "rowFormat");
    if (format.p) {
        api_params_add(a, params, SL_STR("rowFormat"), SL_JSON_STRING, sl_str_dup(a, format));
    }
    api_params_add(a, params, SL_STR("version"), SL_JSON_NUMBER, sl_arena_printf(a, "%d", version));
    return true;
}

void fgw_reply(sl_str result_json, struct front_reply *ret)
{
    *ret = (struct front_reply){.status = sl_str_starts(result_json, SL_STR("{\"errors\":")) ? 500 : 200,
                                .content_type = "application/json; charset=UTF-8",
                                .body = result_json,
                                .headers = "cache-control: no-store\r\n"};
}

void fgw_problem(const struct sl_err *err, struct sl_arena *a, struct front_reply *ret)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_key(&w, "errors");
    sl_jw_array(&w);
    sl_jw_str(&w, err->hint[0] ? sl_arena_printf(a, "%s\n%s", err->msg, err->hint) : sl_str_of(err->msg));
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    fgw_reply(sl_str_dup(a, sl_buf_str(&b)), ret);
    ret->status = sl_code_http(err->code);
    if (err->code == SL_UNAUTHORIZED) {
        ret->headers = "www-authenticate: Bearer realm=\"sluice\"\r\n";
    } else if (err->code == SL_BUSY || err->code == SL_LIMIT_USER) {
        ret->headers = API_RETRY_LATER;
    }
}

sl_str fgw_param(struct api_call *c, const char *key)
{
    return sl_json_str(sl_json_get(api_call_params(c), key), SL_STR(""));
}

bool fgw_map(struct api_call *c, const char *key, struct ses_pair **ret, size_t *ret_n, struct sl_err *err)
{
    const struct sl_json *map = sl_json_get(sl_json_get(api_call_params(c), "body"), key);
    *ret = NULL;
    *ret_n = 0;
    if (!map || map->type == SL_JSON_NULL) {
        return true;
    }
    if (map->type != SL_JSON_OBJECT) {
        return sl_fail(err, SL_USAGE, "'%s' is not a map", key);
    }
    *ret = sl_new_n(api_call_arena(c), struct ses_pair, map->n + 1);
    SL_JSON_EACH(v, map)
    {
        sl_str text = v->type == SL_JSON_TRUE    ? SL_STR("true")
                      : v->type == SL_JSON_FALSE ? SL_STR("false")
                                                 : v->text;
        if (v->type == SL_JSON_ARRAY || v->type == SL_JSON_OBJECT) {
            return sl_fail(err, SL_USAGE, "'%.*s' is not a text", SL_S(v->key));
        }
        if (v->type != SL_JSON_NULL) {
            (*ret)[(*ret_n)++] = (struct ses_pair){v->key, text};
        }
    }
    return true;
}

/* --- errors -------------------------------------------------------------------------------------------------------- */

#define GATEWAY_EXCEPTION "org.apache.flink.table.gateway.api.utils.SqlGatewayException"

static void put_trace(struct sl_buf *b, const char *deed, const struct ses_failure *f)
{
    sl_buf_printf(b,
                  "%s: %s: Failed to %s.\n\tat org.sluice.gateway\nCaused by: %s: Failed to %s.\n\tat "
                  "org.sluice.gateway",
                  GATEWAY_EXCEPTION, GATEWAY_EXCEPTION, deed, GATEWAY_EXCEPTION, deed);
    for (size_t i = 0; i < f->n; i++) {
        sl_buf_putz(b, "\nCaused by: ");
        sl_buf_puts(b, f->causes[i].type);
        if (f->causes[i].message.n) {
            sl_buf_putz(b, ": ");
            sl_buf_puts(b, f->causes[i].message);
        }
        sl_buf_putz(b, "\n\tat org.sluice.gateway");
    }
    sl_buf_putc(b, '\n');
}

void fgw_put_failure(struct sl_jw *result, struct sl_arena *a, const char *deed, bool one,
                     const struct ses_failure *f)
{
    SL_BUF_AUTO b;
    (void)a;
    sl_buf_init(&b, 0);
    sl_jw_key(result, "errors");
    sl_jw_array(result);
    if (one) {
        sl_buf_putz(&b, "org.apache.flink.runtime.rest.handler.RestHandlerException: ");
        put_trace(&b, deed, f);
    } else {
        sl_jw_strz(result, "Internal server error.");
        sl_buf_putz(&b, "<Exception on server side:\n");
        put_trace(&b, deed, f);
        sl_buf_putz(&b, "\nEnd of exception on server side>");
    }
    sl_jw_str(result, sl_buf_str(&b));
    sl_jw_end_array(result);
}

bool fgw_fail(struct api_call *c, struct sl_jw *result, const char *deed, bool one, const struct sl_err *err)
{
    struct sl_arena *a = api_call_arena(c);
    if (err->code == SL_LIMIT_USER) { /* with its status, so that a client can wait */
        return false;
    }
    struct ses_cause cause = {SL_STR(GATEWAY_EXCEPTION),
                              err->hint[0] ? sl_arena_printf(a, "%s\n%s", err->msg, err->hint)
                                           : sl_str_of(err->msg)};
    fgw_put_failure(result, a, deed, one, &(struct ses_failure){&cause, 1, err->code});
    return true;
}
