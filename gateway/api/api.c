/* SPDX-License-Identifier: Apache-2.0
 * Calls and their lanes.
 *
 * `lock` guards the list of calls. A call is made by the loop, runs on a lane, and is freed there after its
 * answer. */
#include "gateway/api/api.h"

#include "base/limits.h"
#include "gateway/api/share.h"
#include "gateway/session/session.h"
#include "sys/clock.h"
#include "sys/lane.h"
#include "sys/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

#define LARGE_NICE 10

struct api_call {
    struct sys_lane_job job; /* first: the lane gives it back */
    struct api_call *next;
    struct api *api;
    const struct api_via *via;
    uint64_t client;
    struct sl_arena arena;
    const struct api_method *method;
    const struct sl_json *params;
    sl_str id; /* as JSON */
    struct api_user user;
    bool stopped, gone; /* atomic */
    bool shares;        /* counts among the long calls of its user */
    int64_t made_ms;    /* monotonic */
};

/* What comes before the work of a large call; freed when the lane has done with it. */
struct reading {
    struct sys_lane_job job; /* first */
    struct api_call *call;
    struct sl_buf text;
    api_read_fn read;
    void *what;
};

struct api {
    struct api_env env;
    struct api_shares *shares;
    struct sys_lane *quick, *slow, *waits, *follow, *uploads;
    struct sys_lane *large; /* reads what is large, and does it where that is quick else */
    pthread_mutex_t lock;
    struct api_call *calls;
    int64_t n_follow; /* threads of `follow` */
};

const struct api_method api_methods[] = {
    {"hello", api_owner_hello, API_QUICK, "who owns this data folder"},
    {"owner.stop", api_owner_stop, API_LONG, "end the owner and what it started on this machine"},
    {"store.backup", api_store_backup, API_LONG, "copy the store and its jars to a file"},
    {"codes", api_registry_codes, API_QUICK, "every code of an error"},
    {"limits", api_registry_limits, API_QUICK, "every limit that is in force"},
    {"script.submit", api_script_submit, API_LONG, "run a script; events as it goes"},
    {"submission.show", api_submission_show, API_FOLLOWER,
     "a submission by its key: its events, and its end"},
    {"job.list", api_job_list, API_QUICK, "jobs and their runs"},
    {"job.show", api_job_show, API_QUICK, "one job in full"},
    {"job.stop", api_job_stop, API_LONG, "end a job with a savepoint"},
    {"job.savepoint", api_job_savepoint, API_LONG, "take a savepoint of a running job"},
    {"job.history", api_job_history, API_QUICK, "versions, runs and snapshots of a job"},
    {"job.rollback", api_job_rollback, API_LONG,
     "replace a job by an older version of it; events as it goes"},
    {"job.rm", api_job_rm, API_QUICK, "forget a job that has ended"},
    {"job.cancel", api_job_cancel, API_LONG, "end a job"},
    {"job.logs", api_job_logs, API_LONG, "log lines of a job's cluster"},
    {"job.events", api_job_events, API_FOLLOWER, "what became of a run, by number; as it goes on"},
    {"job.adopt", api_job_adopt, API_LONG, "follow a job that others have started"},
    {"target.add", api_target_add, API_QUICK, "keep a foreign session cluster by its address"},
    {"target.list", api_target_list, API_QUICK, "targets, secrets masked"},
    {"target.show", api_target_list, API_QUICK, "one target in full, secrets masked"},
    {"target.use", api_target_use, API_QUICK, "make a target the default"},
    {"target.remove", api_target_remove, API_LONG, "forget a target"},
    {"target.test", api_target_test, API_LONG, "ask a target what it is and what its TaskManagers reach"},
    {"script.check", api_script_check, API_QUICK, "everything that is wrong with a script"},
    {"script.split", api_script_split, API_QUICK, "the statements of a script"},
    {"script.format", api_script_format, API_QUICK, "a script laid out"},
    {"script.complete", api_script_complete, API_QUICK, "what could stand at a place of a script"},
    {"artifact.list", api_artifact_list, API_QUICK,
     "artifacts: jars of versions, and those that were brought"},
    {"artifact.add", api_artifact_add, API_UPLOADS, "bring an artifact; it is kept by its SHA-256"},
    {"artifact.show", api_artifact_show, API_QUICK, "one artifact"},
    {"artifact.read", api_artifact_read, API_LONG, "the bytes of an artifact"},
    {"artifact.remove", api_artifact_remove, API_QUICK, "forget an artifact that no version needs"},
    {"session.list", api_session_list, API_QUICK, "sessions"},
    {"session.open", api_session_open, API_QUICK, "a new session"},
    {"session.show", api_session_show, API_QUICK, "one session: its place, settings and operations"},
    {"session.heartbeat", api_session_heartbeat, API_QUICK, "a session is still in use"},
    {"session.close", api_session_close, API_WAITS, "end a session and its SELECTs"},
    {"session.execute", api_session_execute, API_QUICK, "queue a statement of a session"},
    {"session.complete", api_session_complete, API_QUICK, "what could stand at a place of a statement"},
    {"operation.show", api_operation_show, API_QUICK, "how far a statement is"},
    {"operation.cancel", api_operation_cancel, API_WAITS, "give a statement up"},
    {"operation.close", api_operation_close, API_WAITS, "forget a statement; ends its SELECT"},
    {"result.page", api_result_page, API_WAITS,
     "a page of a statement's answer, as often as it is asked for"},
    {"result.rows", api_result_rows, API_FOLLOWER, "the rows of a statement's answer, as they come"},
    {"token.list", api_token_list, API_QUICK, "tokens, without their secrets"},
    {"token.make", api_token_make, API_QUICK, "make a token; its secret is told this once"},
    {"token.revoke", api_token_revoke, API_QUICK, "end a token"},
    {NULL, NULL, API_QUICK, NULL},
};

/* Of a large call that is not read yet. */
static const struct api_method unread = {"unread", NULL, API_QUICK, NULL};

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

struct ses_who api_call_who(const struct api_call *c)
{
    return (struct ses_who){c->user.name.p ? c->user.name : SL_STR(""), c->user.role};
}

int64_t api_event_rows(sl_str event_json)
{
    int64_t n = 0, unit = 1;
    if (!sl_str_starts(event_json, SL_STR("{\"event\":\"rows\","))) {
        return 0;
    }
    for (size_t i = event_json.n - 1; i-- > 0 && event_json.p[i] != ':'; unit *= 10) {
        n += unit * (event_json.p[i] - '0');
    }
    return n;
}

bool api_call_rows_spent(struct api_call *c)
{
    return c->user.name.p && api_share_rows_wait(c->api->shares, c->user.name, sys_now_ms()) > 0;
}

void api_call_rows_given(struct api_call *c, int64_t rows, int64_t bytes)
{
    if (c->user.name.p) {
        api_share_rows(c->api->shares, c->user.name, rows, bytes, sys_now_ms());
    }
}

/* Rows wait until their user may have more: then their result fills, and its source waits. */
static void wait_for_share(struct api_call *c)
{
    int64_t ms;
    while (c->user.name.p && !api_call_cancelled(c) &&
           (ms = api_share_rows_wait(c->api->shares, c->user.name, sys_now_ms())) > 0) {
        sys_sleep_ms(SL_MIN(ms, INT64_C(50)));
    }
}

bool api_call_event(struct api_call *c, uint64_t number, sl_str event_json)
{
    int64_t rows = api_event_rows(event_json);
    if (rows) {
        wait_for_share(c);
        api_call_rows_given(c, rows, (int64_t)event_json.n);
    }
    return c->via->event(c->via->ctx, c->client, c->id, number, event_json);
}

sl_str api_call_user(const struct api_call *c)
{
    return c->user.name;
}

enum auth_role api_call_role(const struct api_call *c)
{
    return c->user.role;
}

static bool no_bytes(const struct api_call *c, struct sl_err *err)
{
    return sl_fail(err, SL_USAGE, "%s has bytes to carry: it is for REST", c->method->name);
}

bool api_call_take(struct api_call *c, struct sl_buf *ret, bool *ret_end, struct sl_err *err)
{
    return c->via->take ? c->via->take(c->via->ctx, c->client, ret, ret_end, err) : no_bytes(c, err);
}

bool api_call_give_head(struct api_call *c, const char *type, const char *headers, int64_t bytes,
                        struct sl_err *err)
{
    if (!c->via->give_head) {
        return no_bytes(c, err);
    }
    return c->via->give_head(c->via->ctx, c->client, type, headers, bytes) ||
           sl_fail(err, SL_CANCELLED, "the client has gone");
}

bool api_call_give(struct api_call *c, sl_str piece, struct sl_err *err)
{
    return c->via->give(c->via->ctx, c->client, piece) || sl_fail(err, SL_CANCELLED, "the client has gone");
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

/* Does it take a thread for as long as it wants? */
static bool is_long(const struct api_method *m)
{
    return m->lane == API_LONG || m->lane == API_FOLLOWER || m->lane == API_UPLOADS;
}

static void call_free(struct api_call *c)
{
    struct api *a = c->api;
    if (c->shares) {
        api_share_end(a->shares, c->user.name);
    }
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
    struct sl_err err = SL_ERR_INIT;
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    if (c->method->fn(c, &w, &err)) {
        sl_jw_end_object(&w);
        if (c->user.name.p) {
            sys_log(SYS_LOG_INFO, "audit", c->method->name, "user=\"%.*s\" ok=true", SL_S(c->user.name));
        }
        c->via->result(c->via->ctx, c->client, c->id, sl_buf_str(&b));
    } else {
        sys_log(SYS_LOG_INFO, "api", "call-failed", "method=%s code=%s", c->method->name,
                sl_code_slug(err.code));
        if (c->user.name.p) {
            sys_log(SYS_LOG_INFO, "audit", c->method->name, "user=\"%.*s\" ok=false code=%s",
                    SL_S(c->user.name), sl_code_slug(err.code));
        }
        c->via->error(c->via->ctx, c->client, c->id, &err);
    }
}

/* The lane looks at its job until here. */
static void call_done(struct sys_lane_job *job)
{
    call_free((struct api_call *)job);
}

static struct sys_lane *lane_of(struct api *a, const struct api_method *m)
{
    switch (m->lane) {
    case API_LONG:
        return a->slow;
    case API_WAITS:
        return a->waits;
    case API_UPLOADS:
        return a->uploads;
    case API_FOLLOWER:
        return a->follow;
    case API_QUICK:
        break;
    }
    return a->quick;
}

static int64_t count_following(struct api *a)
{
    int64_t n = 0;
    pthread_mutex_lock(&a->lock);
    for (struct api_call *c = a->calls; c; c = c->next) {
        n += c->method->lane == API_FOLLOWER;
    }
    pthread_mutex_unlock(&a->lock);
    return n;
}

/* Begins its work; false: it cannot be taken now. */
static bool to_lane(struct api_call *c, struct sl_err *err)
{
    struct api *a = c->api;
    if (c->method->lane == API_FOLLOWER && count_following(a) > a->n_follow) {
        sl_fail(err, SL_BUSY, "%lld clients follow events already", (long long)a->n_follow);
        return sl_hint(err, "limit.followers      is the setting");
    }
    c->shares = c->user.name.p && is_long(c->method) && api_share_begin(a->shares, c->user.name, err);
    if (c->user.name.p && is_long(c->method) && !c->shares) {
        return false;
    }
    return sys_lane_submit(lane_of(a, c->method), &c->job) ||
           sl_fail(err, SL_BUSY, "too many calls are waiting");
}

static void refused(struct api_call *c, const struct sl_err *err)
{
    sys_log(SYS_LOG_INFO, "api", "call-failed", "method=%s code=%s", c->method->name,
            sl_code_slug(err->code));
    c->via->error(c->via->ctx, c->client, c->id, err);
    call_free(c);
}

/* Large calls give way to those who only want a little. */
static void give_way(void)
{
    static _Thread_local bool done;
    if (!done) {
        done = true;
        (void)setpriority(PRIO_PROCESS, 0, LARGE_NICE); /* on Linux: of this thread */
    }
}

static void reading_work(struct sys_lane_job *job)
{
    struct reading *r = (struct reading *)job;
    struct api_call *c = r->call;
    struct sl_err err = SL_ERR_INIT;
    give_way();
    bool ok = r->read(c, r->what, sl_buf_str(&r->text), &err);
    sl_buf_release(&r->text);
    if (!ok) {
        refused(c, &err);
    } else if (c->method->lane == API_QUICK) {
        call_work(&c->job);
        call_free(c);
    } else if (!to_lane(c, &err)) {
        refused(c, &err);
    }
}

static void reading_done(struct sys_lane_job *job)
{
    free(job);
}

struct api *api_new(const struct api_env *env)
{
    struct api *a = calloc(1, sizeof(*a));
    SL_OOM_ON(!a);
    a->env = *env;
    a->shares = api_shares_new();
    pthread_mutex_init(&a->lock, NULL);
    a->quick = sys_lane_new("quick", 4, SL_LIMIT_LANE_QUEUE, NULL);
    a->follow = sys_lane_new("follow", sl_limits.followers, SL_LIMIT_LANE_QUEUE, NULL);
    a->n_follow = sl_limits.followers;
    a->slow = sys_lane_new("work", sl_limits.submissions, SL_LIMIT_LANE_QUEUE, NULL);
    a->waits = sys_lane_new("waits", (unsigned)sl_limits.fetches_held + 16, SL_LIMIT_LANE_QUEUE, NULL);
    a->uploads = sys_lane_new("uploads", (unsigned)sl_limits.uploads, SL_LIMIT_LANE_QUEUE, NULL);
    a->large = sys_lane_new("large", 2, SL_LIMIT_LANE_QUEUE, NULL);
    return a;
}

void api_free(struct api *a)
{
    pthread_mutex_lock(&a->lock);
    for (struct api_call *c = a->calls; c; c = c->next) {
        __atomic_store_n(&c->stopped, true, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&a->lock);
    sys_lane_free(a->large); /* gives to the others */
    sys_lane_free(a->quick);
    sys_lane_free(a->slow);
    sys_lane_free(a->waits);
    sys_lane_free(a->follow);
    sys_lane_free(a->uploads);
    api_shares_free(a->shares);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

bool api_admit(struct api *a, sl_str user, struct sl_err *err)
{
    return api_share_request(a->shares, user, sys_now_ms(), err);
}

const struct api_env *api_env_of(const struct api *a)
{
    return &a->env;
}

void api_each_lane(struct api *a, void (*see)(void *ctx, const char *name, size_t depth), void *ctx)
{
    const struct {
        const char *name;
        struct sys_lane *lane;
    } lanes[] = {{"quick", a->quick}, {"work", a->slow},       {"waits", a->waits},
                 {"large", a->large}, {"uploads", a->uploads}, {"follow", a->follow}};
    for (size_t i = 0; i < SL_ARRAY_LEN(lanes); i++) {
        see(ctx, lanes[i].name, sys_lane_depth(lanes[i].lane));
    }
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

void api_each_call(struct api *a, void (*see)(void *ctx, const struct api_call_seen *c), void *ctx)
{
    int64_t now = sys_now_ms();
    pthread_mutex_lock(&a->lock);
    for (struct api_call *c = a->calls; c; c = c->next) {
        struct api_call_seen seen = {c->method->name, c->user.name, now - c->made_ms, api_call_stopped(c),
                                     api_call_gone(c)};
        see(ctx, &seen);
    }
    pthread_mutex_unlock(&a->lock);
}

const struct api_method *api_method_find(const struct api_method *methods, sl_str name)
{
    while (methods->name && !sl_str_eqz(name, methods->name)) {
        methods++;
    }
    return methods->name ? methods : NULL;
}

void api_cancel(struct api *a, const struct api_via *via, uint64_t client, sl_str call)
{
    pthread_mutex_lock(&a->lock);
    for (struct api_call *c = a->calls; c; c = c->next) {
        if (c->via == via && c->client == client && (call.n == 0 || sl_str_eq(c->id, call))) {
            __atomic_store_n(call.n == 0 ? &c->gone : &c->stopped, true, __ATOMIC_RELEASE);
        }
    }
    pthread_mutex_unlock(&a->lock);
}

/* Takes the arena over, and is in the list. */
static struct api_call *call_new(struct api *a, const struct api_via *via, uint64_t client,
                                 const struct api_method *method, sl_str call, const struct sl_json *params,
                                 struct sl_arena *arena, const struct api_user *user)
{
    struct api_call *c = calloc(1, sizeof(*c));
    SL_OOM_ON(!c);
    c->api = a;
    c->via = via;
    c->client = client;
    c->job.work = call_work;
    c->job.done = call_done;
    c->method = method;
    c->arena = *arena;
    c->params = params;
    c->made_ms = sys_now_ms();
    c->id = sl_str_dup(&c->arena, call);
    c->user = *user;
    if (user->name.p) {
        c->user.name = sl_str_dup(&c->arena, user->name);
    }
    sl_arena_init(arena, 0);
    pthread_mutex_lock(&a->lock);
    c->next = a->calls;
    a->calls = c;
    pthread_mutex_unlock(&a->lock);
    return c;
}

/* What the caller has in the arena lives on. */
static bool not_taken(struct api_call *c, struct sl_arena *arena)
{
    *arena = c->arena;
    sl_arena_init(&c->arena, 0);
    call_free(c);
    return false;
}

bool api_start(struct api *a, const struct api_via *via, uint64_t client, const struct api_method *method,
               sl_str call, const struct sl_json *params, struct sl_arena *arena, const struct api_user *user,
               struct sl_err *err)
{
    struct api_call *c = call_new(a, via, client, method, call, params, arena, user);
    return to_lane(c, err) || not_taken(c, arena);
}

bool api_start_large(struct api *a, const struct api_via *via, uint64_t client, struct sl_arena *arena,
                     struct sl_buf *text, api_read_fn read, void *what, const struct api_user *user,
                     struct sl_err *err)
{
    struct reading *r = calloc(1, sizeof(*r));
    SL_OOM_ON(!r);
    r->job.work = reading_work;
    r->job.done = reading_done;
    r->call = call_new(a, via, client, &unread, SL_STR(""), NULL, arena, user);
    r->text = *text;
    r->read = read;
    r->what = what;
    sl_buf_init(text, 0);
    if (!sys_lane_submit(a->large, &r->job)) {
        sl_buf_release(&r->text);
        not_taken(r->call, arena);
        free(r);
        return sl_fail(err, SL_BUSY, "too many calls are waiting");
    }
    return true;
}

void api_call_is(struct api_call *c, const struct api_method *method, sl_str call,
                 const struct sl_json *params)
{
    pthread_mutex_lock(&c->api->lock);
    c->method = method ? method : c->method;
    c->id = sl_str_dup(&c->arena, call);
    c->params = params;
    pthread_mutex_unlock(&c->api->lock);
}
