/* SPDX-License-Identifier: Apache-2.0
 * POST .../scripts of Flink's protocol: a whole script as an application of its own. It goes down the pipeline like any other
 * submission, detached, with the configuration and jars of the session; what the session has made is not there, as in Flink. */
#include "gateway/flinkgw/wire.h"

#include "base/digest.h"
#include "gateway/jobs/request.h"

struct listener {
    struct api_call *call;
    sl_str message; /* the first error that was said */
    char run[RUN_ID_HEX + 1];
};

static bool take_event(void *ctx, sl_str json)
{
    struct listener *l = ctx;
    struct sl_err err = SL_ERR_INIT;
    struct sl_arena *a = api_call_arena(l->call);
    const struct sl_json *e = sl_json_parse(a, json, &err);
    sl_str event = sl_json_str(sl_json_get(e, "event"), SL_STR(""));
    bool error = sl_str_eqz(event, "error") ||
                 (sl_str_eqz(event, "diagnostic") &&
                  sl_str_eqz(sl_json_str(sl_json_get(e, "severity"), SL_STR("error")), "error"));
    if (error && !l->message.p) {
        sl_str message = sl_json_str(sl_json_get(e, "message"), SL_STR("the script was refused"));
        int64_t line = sl_json_i64(sl_json_get(e, "line"), 0);
        l->message =
            line ? sl_arena_printf(a, "%.*s at line %lld, column %lld", SL_S(message), (long long)line,
                                   (long long)sl_json_i64(sl_json_get(e, "column"), 0))
                 : message;
    }
    sl_str run = sl_json_str(sl_json_get(e, "run"), SL_STR(""));
    if (run.n == RUN_ID_HEX && !l->run[0]) {
        memcpy(l->run, run.p, RUN_ID_HEX);
    }
    return true;
}

static bool take_numbered(void *ctx, uint64_t number, sl_str json)
{
    (void)number;
    return take_event(ctx, json);
}

static bool is_stopped(void *ctx)
{
    return api_call_stopped(((struct listener *)ctx)->call);
}

static void put_pair(struct sl_jw *w, sl_str key, sl_str value)
{
    sl_jw_object(w);
    sl_jw_kstr(w, "key", key);
    sl_jw_kstr(w, "value", value);
    sl_jw_kstrz(w, "origin", "session");
    sl_jw_end_object(w);
}

/* The parameters of script.submit. */
static const struct sl_json *submission(struct api_call *c, sl_str text, const struct ses_place *place,
                                        const struct ses_pair *more, size_t n_more, struct sl_err *err)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    char name[48];
    char random[9];
    sl_random_hex(random, 4);
    snprintf(name, sizeof(name), "script-%s", random);
    sl_str given = SL_STR_NONE;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_key(&w, "files");
    sl_jw_array(&w);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "name", "script.sql");
    sl_jw_kstr(&w, "text", text);
    sl_jw_end_object(&w);
    sl_jw_end_array(&w);
    sl_jw_key(&w, "config");
    sl_jw_array(&w);
    for (size_t i = 0; i < place->n_config; i++) {
        put_pair(&w, place->config[i].key, place->config[i].value);
        given = sl_str_eqz(place->config[i].key, "pipeline.name") ? place->config[i].value : given;
    }
    for (size_t i = 0; i < n_more; i++) {
        put_pair(&w, more[i].key, more[i].value);
        given = sl_str_eqz(more[i].key, "pipeline.name") ? more[i].value : given;
    }
    sl_jw_end_array(&w);
    sl_jw_key(&w, "jars");
    sl_jw_array(&w);
    for (size_t i = 0; i < place->n_jars; i++) {
        sl_jw_str(&w, place->jars[i]);
    }
    sl_jw_end_array(&w);
    sl_jw_kstr(&w, "name", given.p && given.n <= 128 ? given : sl_str_of(name));
    sl_jw_kstrz(&w, "mode", "application");
    sl_jw_kstr(&w, "target", place->target);
    sl_jw_kstr(&w, "flink", place->flink);
    sl_jw_kstr(&w, "owner", api_call_user(c));
    sl_jw_kbool(&w, "detach", true);
    sl_jw_end_object(&w);
    return sl_json_parse(api_call_arena(c), sl_str_dup(api_call_arena(c), sl_buf_str(&b)), err);
}

static bool read_text(struct api_call *c, sl_str *ret, struct sl_err *err)
{
    const struct sl_json *body = sl_json_get(api_call_params(c), "body");
    sl_str uri = sl_json_str(sl_json_get(body, "scriptUri"), SL_STR_NONE);
    *ret = sl_json_str(sl_json_get(body, "script"), SL_STR_NONE);
    if (!ret->p && !uri.p) {
        return sl_fail(err, SL_USAGE, "Please specify script content or uri.");
    }
    if (ret->p && uri.p) {
        return sl_fail(err, SL_USAGE, "Please specify either the script content or its uri, not both.");
    }
    if (uri.p) {
        sl_fail(err, SL_NOT_SUPPORTED, "'scriptUri' is not read: the server fetches nothing for its clients");
        return sl_hint(err, "send the text as 'script'");
    }
    return true;
}

bool fgw_session_script(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct ses_who who = api_call_who(c);
    struct ses_place place;
    struct ses_pair *more;
    size_t n_more;
    sl_str text;
    struct sub_request rq;
    if (!fgw_map(c, "executionConfig", &more, &n_more, err)) {
        return false;
    }
    const struct sl_json *params = NULL;
    if (!ses_place_of(api_call_env(c)->sessions, &who, fgw_param(c, "session"), api_call_arena(c), &place,
                      err) ||
        !read_text(c, &text, err) || !(params = submission(c, text, &place, more, n_more, err)) ||
        !sub_request_read(params, api_call_arena(c), &rq, err)) {
        return fgw_fail(c, result, "deployScript", false, err);
    }
    struct listener l = {.call = c};
    const struct event_sink sink = {
        .ctx = &l, .emit = take_event, .emit_numbered = take_numbered, .cancelled = is_stopped};
    struct sub_outcome out;
    struct run r;
    sub_run(&api_call_env(c)->sub, &rq, &sink, api_call_arena(c), &out);
    if (out.exit_code != 0) {
        sl_fail(err, SL_FLINK, "%.*s", SL_S(l.message.p ? l.message : SL_STR("the script did not start")));
        return fgw_fail(c, result, "deployScript", false, err);
    }
    bool known = l.run[0] && ledger_find(api_call_env(c)->ledger, l.run, &r, err);
    sl_jw_kstrz(result, "clusterID", known ? r.cluster.id : "");
    return true;
}
