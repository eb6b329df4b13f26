/* SPDX-License-Identifier: Apache-2.0
 * Envelopes, calls and their lanes.
 *
 * `lock` guards the list of calls. A call is made by the loop, runs on a lane, and is freed there after its
 * answer. */
#include "gateway/api/api.h"

#include "base/limits.h"
#include "sys/lane.h"
#include "sys/log.h"

#include <pthread.h>
#include <stdlib.h>

struct api_call {
    struct sys_lane_job job; /* first: the lane gives it back */
    struct api_call *next;
    struct api *api;
    uint64_t client;
    struct sl_arena arena;
    const struct api_method *method;
    const struct sl_json *params;
    sl_str id;          /* as JSON */
    bool stopped, gone; /* atomic */
};

struct api {
    struct api_env env;
    struct sys_lane *quick, *slow;
    pthread_mutex_t lock;
    struct api_call *calls;
};

const struct api_method api_methods[] = {
    {"hello", api_owner_hello, false, "who owns this data folder"},
    {"owner.stop", api_owner_stop, true, "end the owner and what it started on this machine"},
    {"script.submit", api_script_submit, true, "run a script; events as it goes"},
    {"job.list", api_job_list, false, "jobs and their runs"},
    {"job.show", api_job_show, false, "one job in full"},
    {"job.stop", api_job_stop, true, "end a job with a savepoint"},
    {"job.savepoint", api_job_savepoint, true, "take a savepoint of a running job"},
    {"job.history", api_job_history, false, "versions, runs and snapshots of a job"},
    {"job.rm", api_job_rm, false, "forget a job that has ended"},
    {"job.cancel", api_job_cancel, true, "end a job"},
    {"job.logs", api_job_logs, true, "log lines of a job's cluster"},
    {"target.add", api_target_add, false, "keep a foreign session cluster by its address"},
    {"target.list", api_target_list, false, "targets; `name`: one of them in full, secrets masked"},
    {"target.use", api_target_use, false, "make a target the default"},
    {"target.remove", api_target_remove, true, "forget a target"},
    {"target.test", api_target_test, true, "ask a target what it is and what its TaskManagers reach"},
    {NULL, NULL, false, NULL},
};

const struct api_env *api_call_env(const struct api_call *c)
{
    return &c->api->env;
}
const struct sl_json *api_call_params(const struct api_call *c)
{
    return c->params;
}
struct sl_arena *api_call_arena(struct api_call *c)
{
    return &c->arena;
}
bool api_call_stopped(struct api_call *c)
{
    return __atomic_load_n(&c->stopped, __ATOMIC_ACQUIRE);
}
bool api_call_gone(struct api_call *c)
{
    return __atomic_load_n(&c->gone, __ATOMIC_ACQUIRE);
}
bool api_call_cancelled(struct api_call *c)
{
    return api_call_stopped(c) || api_call_gone(c);
}

static void begin_envelope(struct sl_jw *w, struct sl_buf *b)
{
    sl_buf_init(b, 0);
    sl_jw_init(w, b);
    sl_jw_object(w);
    sl_jw_kstrz(w, "jsonrpc", "2.0");
}

bool api_call_event(struct api_call *c, sl_str event_json)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    begin_envelope(&w, &b);
    sl_jw_kstrz(&w, "method", "event");
    sl_jw_key(&w, "params");
    sl_jw_object(&w);
    sl_jw_key(&w, "call");
    sl_jw_raw(&w, c->id);
    sl_jw_key(&w, "event");
    sl_jw_raw(&w, event_json);
    sl_jw_end_object(&w);
    sl_jw_end_object(&w);
    return c->api->env.send(c->api->env.ctx, c->client, sl_buf_str(&b), false);
}

bool api_param_str(struct api_call *c, const char *key, sl_str dflt, sl_str *ret, struct sl_err *err)
{
    const struct sl_json *v = sl_json_get(c->params, key);
    if (!sl_json_is(v, SL_JSON_STRING)) {
        if (v && !sl_json_is(v, SL_JSON_NULL)) {
            return sl_fail(err, SL_USAGE, "parameter '%s' is not a string", key);
        }
        if (!dflt.p) {
            return sl_fail(err, SL_USAGE, "parameter '%s' is missing", key);
        }
        *ret = dflt;
        return true;
    }
    *ret = v->text;
    return true;
}

static void answer_error(struct api *a, uint64_t client, sl_str id, const struct sl_err *err)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    begin_envelope(&w, &b);
    sl_jw_key(&w, "id");
    sl_jw_raw(&w, id.n ? id : SL_STR("null"));
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
    a->env.send(a->env.ctx, client, sl_buf_str(&b), true);
}

static void call_free(struct api_call *c)
{
    struct api *a = c->api;
    pthread_mutex_lock(&a->lock);
    for (struct api_call **p = &a->calls; *p; p = &(*p)->next) {
        if (*p == c) {
            *p = c->next;
            break;
        }
    }
    pthread_mutex_unlock(&a->lock);
    sl_arena_release(&c->arena);
    free(c);
}

static void call_work(struct sys_lane_job *job)
{
    struct api_call *c = (struct api_call *)job;
    struct api *a = c->api;
    struct sl_err err = SL_ERR_INIT;
    SL_BUF_AUTO b;
    struct sl_jw w;
    begin_envelope(&w, &b);
    sl_jw_key(&w, "id");
    sl_jw_raw(&w, c->id);
    sl_jw_key(&w, "result");
    sl_jw_object(&w);
    if (c->method->fn(c, &w, &err)) {
        sl_jw_end_object(&w);
        sl_jw_end_object(&w);
        a->env.send(a->env.ctx, c->client, sl_buf_str(&b), true);
    } else {
        sys_log(SYS_LOG_INFO, "api", "call-failed", "method=%s code=%s", c->method->name,
                sl_code_slug(err.code));
        answer_error(a, c->client, c->id, &err);
    }
}

/* The lane looks at its job until here. */
static void call_done(struct sys_lane_job *job)
{
    call_free((struct api_call *)job);
}

struct api *api_new(const struct api_env *env)
{
    struct api *a = calloc(1, sizeof(*a));
    SL_OOM_ON(!a);
    a->env = *env;
    pthread_mutex_init(&a->lock, NULL);
    a->quick = sys_lane_new("quick", 4, SL_LIMIT_LANE_QUEUE, NULL);
    a->slow = sys_lane_new("work", sl_limits.submissions, SL_LIMIT_LANE_QUEUE, NULL);
    return a;
}

void api_free(struct api *a)
{
    pthread_mutex_lock(&a->lock);
    for (struct api_call *c = a->calls; c; c = c->next) {
        __atomic_store_n(&c->stopped, true, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&a->lock);
    sys_lane_free(a->quick);
    sys_lane_free(a->slow);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

size_t api_calls(struct api *a)
{
    size_t n = 0;
    pthread_mutex_lock(&a->lock);
    for (struct api_call *c = a->calls; c; c = c->next) {
        n++;
    }
    pthread_mutex_unlock(&a->lock);
    return n;
}

/* {"method":"cancel","params":{"call":ID}}: a notification, so it is never queued behind what it stops. */
static void cancel(struct api *a, uint64_t client, sl_str id)
{
    pthread_mutex_lock(&a->lock);
    for (struct api_call *c = a->calls; c; c = c->next) {
        if (c->client == client && (id.n == 0 || sl_str_eq(c->id, id))) {
            __atomic_store_n(id.n == 0 ? &c->gone : &c->stopped, true, __ATOMIC_RELEASE);
        }
    }
    pthread_mutex_unlock(&a->lock);
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

void api_message(struct api *a, uint64_t client, sl_str line)
{
    struct api_call *c = calloc(1, sizeof(*c));
    SL_OOM_ON(!c);
    struct sl_err err = SL_ERR_INIT;
    c->api = a;
    c->client = client;
    c->job.work = call_work;
    c->job.done = call_done;
    sl_arena_init(&c->arena, 0);
    const struct sl_json *m = sl_json_parse(&c->arena, line, &err);
    sl_str method = sl_json_str(sl_json_get(m, "method"), SL_STR_NONE);
    c->params = sl_json_get(m, "params");
    c->id = id_json(&c->arena, sl_json_get(m, "id"));
    if (m && sl_str_eqz(method, "cancel")) {
        cancel(a, client, id_json(&c->arena, sl_json_get(c->params, "call")));
        sl_arena_release(&c->arena);
        free(c);
        return;
    }
    for (size_t i = 0; m && api_methods[i].name; i++) {
        if (sl_str_eqz(method, api_methods[i].name)) {
            c->method = &api_methods[i];
        }
    }
    if (m && !c->method) {
        sl_fail(&err, SL_USAGE, "there is no method '%.*s'", SL_S(method));
    } else if (m && c->id.n == 0) {
        c->method = NULL;
        sl_fail(&err, SL_USAGE, "a request needs an id");
    }
    if (c->method) {
        pthread_mutex_lock(&a->lock);
        c->next = a->calls;
        a->calls = c;
        pthread_mutex_unlock(&a->lock);
        if (sys_lane_submit(c->method->long_running ? a->slow : a->quick, &c->job)) {
            return;
        }
        sl_fail(&err, SL_BUSY, "too many calls are waiting");
        answer_error(a, client, c->id, &err);
        call_free(c);
        return;
    }
    answer_error(a, client, c->id, &err);
    sl_arena_release(&c->arena);
    free(c);
}

void api_gone(struct api *a, uint64_t client)
{
    cancel(a, client, SL_STR_NONE);
}
