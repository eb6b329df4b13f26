/* SPDX-License-Identifier: Apache-2.0
 * Envelopes of JSON-RPC 2.0. The loop thread only reads them; calls run on lanes. */
#include "gateway/api/rpc.h"

#include "base/limits.h"
#include "gateway/api/credit.h"
#include "gateway/api/routes.h"

static void begin_envelope(struct sl_jw *w, struct sl_buf *b)
{
    sl_buf_init(b, 0);
    sl_jw_init(w, b);
    sl_jw_object(w);
    sl_jw_kstrz(w, "jsonrpc", "2.0");
}

static bool on_event(void *ctx, uint64_t client, sl_str call, uint64_t number, sl_str event_json)
{
    struct api_rpc *r = ctx;
    if (event_json.n == 0) { /* nothing has to be begun here */
        return true;
    }
    int64_t rows = api_event_rows(event_json);
    if (rows && !api_credit_take(r->credits, client, call, rows, (int64_t)event_json.n)) {
        return false;
    }
    SL_BUF_AUTO b;
    struct sl_jw w;
    begin_envelope(&w, &b);
    sl_jw_kstrz(&w, "method", "event");
    sl_jw_key(&w, "params");
    sl_jw_object(&w);
    sl_jw_key(&w, "call");
    sl_jw_raw(&w, call);
    if (number) {
        sl_jw_ki64(&w, "number", (int64_t)number);
    }
    sl_jw_key(&w, "event");
    sl_jw_raw(&w, event_json);
    sl_jw_end_object(&w);
    sl_jw_end_object(&w);
    return r->send(r->ctx, client, sl_buf_str(&b), false);
}

static void on_result(void *ctx, uint64_t client, sl_str call, sl_str result_json)
{
    struct api_rpc *r = ctx;
    SL_BUF_AUTO b;
    struct sl_jw w;
    begin_envelope(&w, &b);
    sl_jw_key(&w, "id");
    sl_jw_raw(&w, call);
    sl_jw_key(&w, "result");
    sl_jw_raw(&w, result_json);
    sl_jw_end_object(&w);
    api_credit_close(r->credits, client, call);
    r->send(r->ctx, client, sl_buf_str(&b), true);
}

static void on_error(void *ctx, uint64_t client, sl_str call, const struct sl_err *err)
{
    struct api_rpc *r = ctx;
    SL_BUF_AUTO b;
    struct sl_jw w;
    begin_envelope(&w, &b);
    sl_jw_key(&w, "id");
    sl_jw_raw(&w, call.n ? call : SL_STR("null"));
    sl_jw_key(&w, "error");
    sl_jw_object(&w);
    sl_jw_ki64(&w, "code", err->code == SL_JSON ? -32700 : err->code == SL_USAGE ? -32602 : -32000);
    sl_jw_kstrz(&w, "message", err->msg);
    sl_jw_key(&w, "data");
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "code", sl_code_slug(err->code));
    sl_jw_kstrz(&w, "hint", err->hint);
    sl_jw_end_object(&w);
    sl_jw_end_object(&w);
    sl_jw_end_object(&w);
    if (call.n) {
        api_credit_close(r->credits, client, call);
    }
    r->send(r->ctx, client, sl_buf_str(&b), true);
}

void api_rpc_init(struct api_rpc *r, struct api *a,
                  bool (*send)(void *ctx, uint64_t client, sl_str line, bool urgent), void *ctx)
{
    r->via = (struct api_via){.event = on_event, .result = on_result, .error = on_error, .ctx = r};
    r->api = a;
    r->send = send;
    r->ctx = ctx;
    r->credits = api_credits_new();
    r->refusing = false;
}

void api_rpc_release(struct api_rpc *r)
{
    if (r->credits) {
        api_credits_free(r->credits);
        r->credits = NULL;
    }
}

void api_rpc_hurry(struct api_rpc *r)
{
    api_credit_hurry(r->credits);
}

static sl_str id_json(struct sl_arena *arena, const struct sl_json *id)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 4096);
    struct sl_jw w;
    sl_jw_init(&w, &b);
    if (sl_json_is(id, SL_JSON_STRING) || sl_json_is(id, SL_JSON_NUMBER)) {
        sl_jw_value(&w, id);
    }
    return b.full ? SL_STR_NONE : sl_str_dup(arena, sl_buf_str(&b));
}

/* The method of a request, and its parameters as they are checked; NULL: error. */
static const struct api_method *read_request(struct sl_arena *a, const struct sl_json *m, sl_str id,
                                             struct sl_json *params, enum auth_role role, sl_str user,
                                             struct sl_err *err)
{
    sl_str name = sl_json_str(sl_json_get(m, "method"), SL_STR_NONE);
    const struct api_method *method = api_method_find(api_methods, name);
    bool ok = true;
    if (!method) {
        ok = sl_fail(err, SL_USAGE, "there is no method '%.*s'", SL_S(name));
    } else if (id.n == 0) {
        ok = sl_fail(err, SL_USAGE, "a request needs an id");
    } else if (role < api_role_of(method)) {
        ok = sl_fail(err, SL_FORBIDDEN, "%s needs the role %s; this token is of a %s", method->name,
                     auth_role_names[api_role_of(method)], auth_role_names[role]);
    } else if (user.p) {
        if (api_owns(method)) {
            api_params_drop(params, "owner"); /* whose it is: not the client's to say */
        }
        ok = api_params_check(method, params, err);
        if (ok && api_owns(method)) {
            api_params_add(a, params, SL_STR("owner"), SL_JSON_STRING, sl_str_dup(a, user));
        }
    }
    return ok ? method : NULL;
}

/* What the request says of its rows; `ret` with both API_NO_CREDIT: nothing. */
static bool read_credit(const struct sl_json *m, struct api_credit *ret, struct sl_err *err)
{
    const struct sl_json *v = sl_json_get(m, "credit");
    *ret = (struct api_credit){API_NO_CREDIT, API_NO_CREDIT};
    return !v || api_credit_read(v, ret, err);
}

static void open_credit(struct api_rpc *r, uint64_t client, sl_str id, const struct api_credit *credit)
{
    if (credit->rows >= 0 || credit->bytes >= 0) {
        api_credit_open(r->credits, client, id, credit);
    }
}

struct large {
    struct api_rpc *r;
    uint64_t client;
    struct api_user user;
};

static bool read_large(struct api_call *c, void *what, sl_str text, struct sl_err *err)
{
    struct large *l = what;
    struct sl_arena *a = api_call_arena(c);
    struct sl_json *m = sl_json_parse(a, text, err);
    struct sl_json *params = api_params_of(a, m);
    sl_str id = id_json(a, sl_json_get(m, "id"));
    struct api_credit credit;
    const struct api_method *method = m && read_credit(m, &credit, err)
                                          ? read_request(a, m, id, params, l->user.role, l->user.name, err)
                                          : NULL;
    if (method) {
        open_credit(l->r, l->client, id, &credit);
    }
    api_call_is(c, method, id, params);
    return method != NULL;
}

static bool start_large(struct api_rpc *r, uint64_t client, enum auth_role role, sl_str user, sl_str line,
                        struct sl_buf *memory, struct sl_err *err)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    SL_BUF_AUTO copy;
    sl_buf_init(&copy, 0);
    if (!memory) {
        sl_buf_puts(&copy, line);
        memory = &copy;
    }
    struct large *l = sl_new(&a, struct large);
    l->r = r;
    l->client = client;
    l->user = (struct api_user){user.p ? sl_str_dup(&a, user) : user, role};
    return api_start_large(r->api, &r->via, client, &a, memory, read_large, l, &l->user, err);
}

void api_rpc_message(struct api_rpc *r, uint64_t client, enum auth_role role, sl_str user, sl_str line,
                     struct sl_buf *memory)
{
    SL_ARENA_AUTO arena;
    sl_arena_init(&arena, 0);
    struct sl_err err = SL_ERR_INIT;
    if (line.n > API_LARGE_BYTES && !r->refusing) {
        if ((user.p && !api_admit(r->api, user, &err)) ||
            !start_large(r, client, role, user, line, memory, &err)) {
            on_error(r, client, SL_STR_NONE, &err);
        }
        return;
    }
    struct sl_json *m = sl_json_parse(&arena, line, &err);
    struct sl_json *params = api_params_of(&arena, m);
    sl_str id = id_json(&arena, sl_json_get(m, "id"));
    sl_str name = sl_json_str(sl_json_get(m, "method"), SL_STR_NONE),
           of = id_json(&arena, sl_json_get(params, "call"));
    struct api_credit credit;
    if (sl_str_eqz(name, "cancel")) { /* a notification, so it is never queued behind what it stops */
        api_cancel(r->api, &r->via, client, of);
        api_credit_waive(r->credits, client, of);
        return;
    }
    if (sl_str_eqz(name, "credit")) {
        if (api_credit_read(params, &credit, &err)) {
            api_credit_add(r->credits, client, of, &credit);
        } else {
            on_error(r, client, SL_STR_NONE, &err);
        }
        return;
    }
    const struct api_method *method = NULL;
    if (m && r->refusing) {
        sl_fail(&err, SL_BUSY, "the server is ending");
    } else if (m && (!user.p || api_admit(r->api, user, &err)) && read_credit(m, &credit, &err)) {
        method = read_request(&arena, m, id, params, role, user, &err);
    }
    if (method) {
        open_credit(r, client, id, &credit);
    }
    const struct api_user who = {user, role};
    if (!method || !api_start(r->api, &r->via, client, method, id, params, &arena, &who, &err)) {
        on_error(r, client, id, &err);
    }
}

void api_rpc_gone(struct api_rpc *r, uint64_t client)
{
    api_cancel(r->api, &r->via, client, SL_STR_NONE);
    api_credit_gone(r->credits, client);
}
