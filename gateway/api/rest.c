/* SPDX-License-Identifier: Apache-2.0
 * Requests under way. `lock` guards their list; an entry is made by the loop and read by the one lane thread that runs its
 * call, and goes when the call has answered. */
#include "gateway/api/rest.h"

#include "base/limits.h"
#include "gateway/api/dialect.h"
#include "base/digest.h"
#include "gateway/api/share.h"
#include "sys/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOK_MS INT64_C(500) /* for an answer that is there */

struct request {
    struct request *next;
    uint64_t id;
    const struct api_dialect *dialect;
    const struct api_route *route;
    bool stream;                 /* events are sent as they come */
    bool bytes;                  /* its answer is no JSON */
    bool opened;                 /* its head was sent */
    uint64_t events;             /* kept so far */
    struct sl_buf kept;          /* events of one that does not stream, as elements of an array */
    bool taken;                  /* atomic: somebody answers it, or has */
    int64_t until_ms;            /* monotonic: then 202 says where to ask; 0: it waits for the end */
    char key[SUB_KEY_BYTES + 1]; /* of its submission */
};

struct api_rest {
    struct api_via via;
    struct api *api;
    struct front *front;
    pthread_mutex_t lock;
    struct request *requests;
};

static struct request *find(struct api_rest *r, uint64_t id)
{
    pthread_mutex_lock(&r->lock);
    struct request *q = r->requests;
    while (q && q->id != id) {
        q = q->next;
    }
    pthread_mutex_unlock(&r->lock);
    return q;
}

static void forget(struct api_rest *r, uint64_t id)
{
    pthread_mutex_lock(&r->lock);
    for (struct request **p = &r->requests; *p; p = &(*p)->next) {
        if ((*p)->id == id) {
            struct request *q = *p;
            *p = q->next;
            sl_buf_release(&q->kept);
            free(q);
            break;
        }
    }
    pthread_mutex_unlock(&r->lock);
}

void api_problem_reply(const struct sl_err *err, struct sl_arena *a, struct front_reply *ret)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_key(&w, "type");
    sl_jw_str(&w, sl_arena_printf(a, "urn:sluice:error:%s", sl_code_slug(err->code)));
    sl_jw_kstrz(&w, "title", err->msg);
    sl_jw_ki64(&w, "status", sl_code_http(err->code));
    sl_jw_kstrz(&w, "code", sl_code_slug(err->code));
    if (err->hint[0]) {
        sl_jw_kstrz(&w, "hint", err->hint);
    }
    if (err->detail.n) {
        sl_jw_kstr(&w, "detail", err->detail);
    }
    if (err->pos.off != SL_NO_POS) {
        sl_jw_ki64(&w, "offset", err->pos.off);
        sl_jw_ki64(&w, "length", err->pos.len);
        sl_jw_ki64(&w, "line", err->pos.line);
        sl_jw_ki64(&w, "column", err->pos.col);
    }
    sl_jw_end_object(&w);
    *ret = (struct front_reply){
        .status = sl_code_http(err->code),
        .content_type = "application/problem+json",
        .body = sl_str_dup(a, sl_buf_str(&b)),
        .headers = err->code == SL_BUSY || err->code == SL_LIMIT_USER ? API_RETRY_LATER
                   : err->code == SL_UNAUTHORIZED ? "www-authenticate: Bearer realm=\"sluice\"\r\n"
                                                  : NULL};
}

void api_problem(struct front *f, uint64_t id, const struct sl_err *err, const char *headers)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct front_reply reply;
    api_problem_reply(err, &a, &reply);
    reply.headers = headers ? headers : reply.headers;
    front_reply_to(f, id, &reply);
}

/* In the form of the protocol that was spoken. */
static void problem(struct api_rest *r, uint64_t id, const struct api_dialect *d, const struct sl_err *err)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct front_reply reply;
    d->problem(err, &a, &reply);
    front_reply_to(r->front, id, &reply);
}

/* Who takes it answers: the loop, whose client waits no longer, or the lane that has the end. */
static bool take(struct request *q)
{
    return !__atomic_exchange_n(&q->taken, true, __ATOMIC_ACQ_REL);
}

/* --- answers of calls (lane threads) ------------------------------------------------------------------------------- */

static bool open_stream(struct api_rest *r, struct request *q)
{
    q->opened = true;
    return front_stream_open(r->front, q->id,
                             &(struct front_reply){.status = 200,
                                                   .content_type = "text/event-stream",
                                                   .headers = "cache-control: no-store\r\n"});
}

static bool put_event(struct api_rest *r, struct request *q, const char *name, uint64_t number, sl_str json,
                      bool urgent)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    if (number) {
        sl_buf_printf(&b, "id: %llu\n", (unsigned long long)number);
    }
    sl_buf_printf(&b, "event: %s\ndata: ", name);
    sl_buf_puts(&b, json);
    sl_buf_putz(&b, "\n\n");
    return (q->opened || open_stream(r, q)) && front_stream_write(r->front, q->id, sl_buf_str(&b), urgent);
}

static bool on_event(void *ctx, uint64_t client, sl_str call, uint64_t number, sl_str event_json)
{
    struct api_rest *r = ctx;
    struct request *q = find(r, client);
    (void)call;
    if (!q) {
        return false;
    }
    if (__atomic_load_n(&q->taken, __ATOMIC_ACQUIRE)) {
        return false;
    }
    if (event_json.n == 0) {
        return !q->stream || q->opened || open_stream(r, q);
    }
    if (q->stream) {
        return put_event(r, q, "event", number, event_json, false);
    }
    if (q->kept.n + event_json.n > sl_limits.rest_answer_bytes) {
        return false; /* who wants more reads it as a stream */
    }
    sl_buf_puts(&q->kept, q->events++ ? SL_STR(",") : SL_STR(""));
    sl_buf_puts(&q->kept, event_json);
    return true;
}

static void on_result(void *ctx, uint64_t client, sl_str call, sl_str result_json)
{
    struct api_rest *r = ctx;
    struct request *q = find(r, client);
    (void)call;
    if (!q) {
        return;
    }
    if (!take(q)) {
        forget(r, client);
        return;
    }
    if (q->bytes) {
        front_stream_end(r->front, client);
    } else if (q->dialect->reply) {
        struct front_reply reply;
        q->dialect->reply(result_json, &reply);
        front_reply_to(r->front, client, &reply);
    } else if (q->stream) {
        put_event(r, q, "end", 0, result_json, true);
        front_stream_end(r->front, client);
    } else {
        SL_BUF_AUTO b;
        sl_buf_init(&b, 0);
        if (q->route->events) { /* {"exit":0} becomes {"events":[...],"exit":0} */
            sl_buf_putz(&b, "{\"events\":[");
            sl_buf_puts(&b, sl_buf_str(&q->kept));
            sl_buf_putz(&b, result_json.n > 2 ? "]," : "]");
            sl_buf_puts(&b, sl_str_sub(result_json, 1, result_json.n - 1));
            result_json = sl_buf_str(&b);
        }
        front_reply_to(r->front, client,
                       &(struct front_reply){.status = 200,
                                             .content_type = "application/json",
                                             .body = result_json,
                                             .headers = "cache-control: no-store\r\n"});
    }
    forget(r, client);
}

static void on_error(void *ctx, uint64_t client, sl_str call, const struct sl_err *err)
{
    struct api_rest *r = ctx;
    struct request *q = find(r, client);
    (void)call;
    if (!q) {
        return;
    }
    if (!take(q)) {
        forget(r, client);
        return;
    }
    if (q->bytes) {
        front_stream_break(r->front, client);
    } else if (q->opened) {
        SL_ARENA_AUTO a;
        sl_arena_init(&a, 0);
        struct front_reply problem;
        api_problem_reply(err, &a, &problem);
        put_event(r, q, "problem", 0, problem.body, true);
        front_stream_end(r->front, client);
    } else {
        problem(r, client, q->dialect, err);
    }
    forget(r, client);
}

static bool on_take(void *ctx, uint64_t client, struct sl_buf *ret, bool *ret_end, struct sl_err *err)
{
    struct api_rest *r = ctx;
    enum front_body state = front_body_read(r->front, client, ret);
    *ret_end = state == FRONT_BODY_END;
    switch (state) {
    case FRONT_BODY_MORE:
    case FRONT_BODY_END:
        return true;
    case FRONT_BODY_LONG:
        sl_fail(err, SL_LIMIT, "an artifact has at most %s", SL_SIZE((uint64_t)sl_limits.artifact_bytes));
        return sl_hint(err, "limit.artifact-bytes");
    case FRONT_BODY_LATE:
        sl_fail(err, SL_BODY_LATE, "of an upload 64 KiB come within %lld ms",
                (long long)sl_limits.request_body_ms);
        return sl_hint(err, "limit.request-body");
    case FRONT_BODY_BAD:
        return sl_fail(err, SL_USAGE, "the chunks of the body are not as RFC 9112 has them");
    case FRONT_BODY_GONE:
        break;
    }
    return sl_fail(err, SL_CANCELLED, "the client has gone");
}

static bool on_give_head(void *ctx, uint64_t client, const char *type, const char *headers, int64_t bytes)
{
    struct api_rest *r = ctx;
    struct request *q = find(r, client);
    if (!q) {
        return false;
    }
    q->bytes = true;
    return front_stream_open(
        r->front, client,
        &(struct front_reply){.status = 200, .content_type = type, .headers = headers, .length = bytes});
}

static bool on_give(void *ctx, uint64_t client, sl_str piece)
{
    return front_stream_write(((struct api_rest *)ctx)->front, client, piece, false);
}

/* --- requests (loop thread) ---------------------------------------------------------------------------------------- */

struct api_rest *api_rest_new(struct api *a)
{
    struct api_rest *r = calloc(1, sizeof(*r));
    SL_OOM_ON(!r);
    r->api = a;
    r->via = (struct api_via){on_event, on_result, on_error, r, on_take, on_give_head, on_give};
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void api_rest_free(struct api_rest *r)
{
    while (r->requests) {
        forget(r, r->requests->id);
    }
    pthread_mutex_destroy(&r->lock);
    free(r);
}

void api_rest_serve(struct api_rest *r, struct front *f)
{
    r->front = f;
}

/* "application/json", with parameters or without. */
static bool is_json(sl_str type)
{
    ptrdiff_t end = sl_str_find_char(type, ';');
    return sl_str_ieqz(sl_str_trim(end < 0 ? type : sl_str_sub(type, 0, (size_t)end)), "application/json");
}

/* The members of a body, behind what the path gave. */
static bool read_body(const struct front_request *q, struct sl_arena *a, struct sl_json *params,
                      struct sl_err *err)
{
    if (q->body.n == 0) {
        return true;
    }
    if (!is_json(q->headers[FRONT_H_CONTENT_TYPE])) {
        return sl_fail(err, SL_MEDIA_TYPE, "a body is sent as content-type: application/json");
    }
    struct sl_json *body = sl_json_parse(a, q->body, err);
    if (!body) {
        return false;
    }
    if (body->type != SL_JSON_OBJECT) {
        return sl_fail(err, SL_JSON, "the body is not a JSON object");
    }
    /* Only those that were there before can meet them: an object has each of its keys once. */
    for (const struct sl_json *was = params->child; was; was = was->next) {
        if (sl_json_get(body, sl_arena_strdupz(a, was->key))) {
            return sl_fail(err, SL_USAGE, "'%.*s' stands in the path and in the body", SL_S(was->key));
        }
    }
    struct sl_json **end = &params->child;
    while (*end) {
        end = &(*end)->next;
    }
    *end = body->child;
    params->n += body->n;
    return true;
}

/* Last-Event-ID: where a reader that comes back goes on. */
static bool read_place(const struct front_request *q, const struct api_route *route, bool stream,
                       struct sl_arena *a, struct sl_json *params, struct sl_err *err)
{
    sl_str id = q->headers[FRONT_H_LAST_EVENT_ID];
    int64_t number = 0;
    if (route->events == API_FOLLOWS && stream && !sl_json_get(params, "follow")) {
        api_params_add(a, params, SL_STR("follow"), SL_JSON_TRUE, SL_STR("true"));
    }
    if (!id.n || !api_route_takes(route, "since")) {
        return true;
    }
    if (!sl_str_to_i64(id, &number) || number < 0) {
        return sl_fail(err, SL_USAGE, "Last-Event-ID is the number of an event");
    }
    if (route->events == API_FOLLOWS) { /* what the reader has seen wins over where it once began */
        api_params_drop(params, "since");
    }
    api_params_add(a, params, SL_STR("since"), SL_JSON_NUMBER, sl_str_dup(a, id));
    return true;
}

/* What stands in a path is text; where the route has a number it becomes one. */
static bool read_path(const struct api_route *route, struct sl_json *params, struct sl_err *err)
{
    for (struct sl_json *v = params->child; v; v = v->next) {
        int64_t number;
        if (!api_route_has_number(route, v->key)) {
            continue;
        }
        if (!sl_str_to_i64(v->text, &number)) {
            return sl_fail(err, SL_USAGE, "'%.*s' is no number: %.*s", SL_S(v->key), SL_S(v->text));
        }
        v->type = SL_JSON_NUMBER;
    }
    return true;
}

static bool read_params(const struct front_request *q, const struct api_route *route,
                        const struct api_method *m, sl_str user, bool stream, struct sl_arena *a,
                        struct sl_json *params, struct sl_err *err)
{
    if (!read_path(route, params, err)) {
        return false;
    }
    for (size_t i = 0; i < q->n_args; i++) {
        if (!api_params_arg(route, a, params, sl_str_dup(a, q->args[i]), err)) {
            return false;
        }
    }
    if (!read_body(q, a, params, err)) {
        return false;
    }
    if (!read_place(q, route, stream, a, params, err)) {
        return false;
    }
    if (route->events == API_EVENTS && q->headers[FRONT_H_IDEMPOTENCY_KEY].p) {
        if (sl_json_get(params, "key")) {
            return sl_fail(err, SL_USAGE, "the key stands in Idempotency-Key and in the body");
        }
        api_params_add(a, params, SL_STR("key"), SL_JSON_STRING,
                       sl_str_dup(a, q->headers[FRONT_H_IDEMPOTENCY_KEY]));
    }
    if (!api_params_check(m, params, err)) {
        return false;
    }
    if (sl_json_i64(sl_json_get(params, "waitMs"), 0) < 0) {
        return sl_fail(err, SL_USAGE, "parameter 'waitMs' is a time in milliseconds");
    }
    if (api_route_waits(route) && sl_json_get(params, "waitMs") &&
        !sl_json_get(params, "key")) { /* its address needs one */
        char key[33];
        sl_random_hex(key, 16);
        api_params_add(a, params, SL_STR("key"), SL_JSON_STRING, sl_str_dup(a, sl_str_of(key)));
    }
    if (api_owns(m)) { /* whose it is: not the client's to say */
        api_params_add(a, params, SL_STR("owner"), SL_JSON_STRING, sl_str_dup(a, user));
    }
    return true;
}

/* What is known of a request before its body is read. */
struct head {
    struct front_request q;
    const struct api_dialect *dialect;
    const struct api_route *route;
    const struct api_method *method;
    struct sl_json *params; /* of the path */
    int version;            /* of the protocol */
    bool stream;
    struct api_user user;
};

static bool read_request(struct head *h, struct sl_arena *a, struct sl_err *err)
{
    return h->dialect->params
               ? h->dialect->params(&h->q, h->route, h->version, a, h->params, err)
               : read_params(&h->q, h->route, h->method, h->user.name, h->stream, a, h->params, err);
}

static bool read_large(struct api_call *c, void *what, sl_str text, struct sl_err *err)
{
    struct head *h = what;
    h->q.body = text;
    bool ok = read_request(h, api_call_arena(c), err);
    api_call_is(c, h->method, SL_STR("0"), h->params);
    return ok;
}

/* Its body goes to a lane to be read there; what else is needed is copied. */
static bool start_large(struct api_rest *r, const struct front_request *q, const struct head *h,
                        struct sl_arena *a, struct sl_err *err)
{
    struct head *kept = sl_new(a, struct head);
    SL_BUF_AUTO body;
    front_take_body(q, &body);
    *kept = *h;
    kept->user.name = sl_str_dup(a, h->user.name);
    kept->q.path = sl_str_dup(a, h->q.path);
    kept->q.args = sl_new_n(a, sl_str, h->q.n_args + 1);
    for (size_t i = 0; i < h->q.n_args; i++) {
        ((sl_str *)(uintptr_t)kept->q.args)[i] = sl_str_dup(a, h->q.args[i]);
    }
    for (int i = 0; i < FRONT_H_COUNT; i++) {
        kept->q.headers[i] = h->q.headers[i].p ? sl_str_dup(a, h->q.headers[i]) : SL_STR_NONE;
    }
    return api_start_large(r->api, &r->via, q->id, a, &body, read_large, kept, &h->user, err);
}

/* How long the client waits for the end of a submission; a stream is read to its end. */
static void read_wait(struct request *q, const struct sl_json *params)
{
    const struct sl_json *wait = sl_json_get(params, "waitMs");
    bool looks = q->route->events == API_FOLLOWS && !sl_json_bool(sl_json_get(params, "follow"), false);
    if (q->stream || !api_route_waits(q->route) || !(looks || sl_json_is(wait, SL_JSON_NUMBER))) {
        return;
    }
    q->until_ms = sys_later_ms(SL_MAX(sl_json_i64(wait, 0), looks ? LOOK_MS : INT64_C(0)));
    sl_str key = sl_json_str(sl_json_get(params, "key"), SL_STR(""));
    if (sl_str_find_char(key, '/') >= 0) { /* it could not stand in a path: its client waits */
        q->until_ms = 0;
    }
    snprintf(q->key, sizeof(q->key), "%.*s", SL_S(key));
}

/* "k/1 a" as a piece of a path. */
static void put_piece(struct sl_buf *b, const char *text)
{
    for (const char *p = text; *p; p++) {
        bool plain = (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') ||
                     *p == '-' || *p == '_' || *p == '.';
        sl_buf_printf(b, plain ? "%c" : "%%%02X", (unsigned char)*p);
    }
}

/* It goes on without its client, who is told where to ask. */
static void answer_accepted(struct api_rest *r, uint64_t id, const char *key)
{
    SL_ARENA_AUTO a;
    SL_BUF_AUTO location, body;
    struct sl_jw w;
    sl_arena_init(&a, 0);
    sl_buf_init(&location, 0);
    sl_buf_init(&body, 0);
    sl_buf_putz(&location, "/api/v1/submissions/");
    put_piece(&location, key);
    sl_jw_init(&w, &body);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "key", key);
    sl_jw_kstr(&w, "location", sl_buf_str(&location));
    sl_jw_end_object(&w);
    sl_str headers =
        sl_arena_printf(&a, "location: %.*s\r\ncache-control: no-store\r\n", SL_S(sl_buf_str(&location)));
    front_reply_to(r->front, id,
                   &(struct front_reply){.status = 202,
                                         .content_type = "application/json",
                                         .body = sl_buf_str(&body),
                                         .headers = sl_arena_strdupz(&a, headers)});
}

/* The next one that has waited long enough; false: none. *ret_waiting: others wait still. */
static bool next_late(struct api_rest *r, int64_t now, uint64_t *ret_id, char ret_key[SUB_KEY_BYTES + 1],
                      bool *ret_waiting)
{
    bool late = false;
    *ret_waiting = false;
    pthread_mutex_lock(&r->lock);
    for (struct request *q = r->requests; q && !late; q = q->next) {
        late = q->until_ms && now >= q->until_ms && take(q);
        *ret_waiting |= q->until_ms > now;
        if (late) {
            *ret_id = q->id;
            memcpy(ret_key, q->key, sizeof(q->key));
        }
    }
    pthread_mutex_unlock(&r->lock);
    return late;
}

bool api_rest_tick(struct api_rest *r)
{
    uint64_t id;
    char key[SUB_KEY_BYTES + 1];
    bool waiting;
    while (next_late(r, sys_now_ms(), &id, key, &waiting)) {
        answer_accepted(r, id, key);
        api_cancel(r->api, &r->via, id, SL_STR_NONE);
    }
    return waiting;
}

void api_rest_request(struct api_rest *r, const struct front_request *q, enum auth_role role, sl_str user)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    const char *allow = NULL;
    sl_str path = q->path;
    struct head h = {.q = *q, .user = {user, role}};
    h.dialect = api_dialect_of(api_env_of(r->api)->dialects, &a, q->path, &path, &h.version);
    h.route = api_route_find(h.dialect->routes, &a, q->method, path, &h.params, &allow, &err);
    if (h.dialect->path && (!h.route || h.route->since > h.version)) {
        sl_fail(&err, SL_NOT_FOUND, "Not found: %.*s", SL_S(q->path));
        problem(r, q->id, h.dialect, &err);
        return;
    }
    if (!h.route) {
        sl_str headers = allow ? sl_arena_printf(&a, "allow: %s\r\n", allow) : SL_STR_NONE;
        api_problem(r->front, q->id, &err, headers.p);
        return;
    }
    h.method = api_method_find(h.dialect->methods, sl_str_of(h.route->call));
    if (role < h.route->role) {
        sl_fail(&err, SL_FORBIDDEN, "this needs the role %s; the token is of a %s",
                auth_role_names[h.route->role], auth_role_names[role]);
        problem(r, q->id, h.dialect, &err);
        return;
    }
    h.stream = h.route->events && sl_str_find(q->headers[FRONT_H_ACCEPT], SL_STR("text/event-stream")) >= 0;
    bool large = q->body.n > API_LARGE_BYTES;
    if (!large && !read_request(&h, &a, &err)) {
        problem(r, q->id, h.dialect, &err);
        return;
    }
    struct request *req = calloc(1, sizeof(*req));
    SL_OOM_ON(!req);
    req->id = q->id;
    req->dialect = h.dialect;
    req->route = h.route;
    req->stream = h.stream;
    read_wait(req, h.params);
    sl_buf_init(&req->kept, 0);
    pthread_mutex_lock(&r->lock);
    req->next = r->requests;
    r->requests = req;
    pthread_mutex_unlock(&r->lock);
    if (large ? !start_large(r, q, &h, &a, &err)
              : !api_start(r->api, &r->via, q->id, h.method, SL_STR("0"), h.params, &a, &h.user, &err)) {
        forget(r, q->id);
        problem(r, q->id, h.dialect, &err);
    }
}

uint64_t api_rest_upload(const struct front_request *q)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err ignored = SL_ERR_INIT;
    struct sl_json *params;
    const char *allow;
    if (q->method != FRONT_POST || !sl_str_starts(q->path, SL_STR("/api/v1/"))) {
        return 0;
    }
    const struct api_route *route =
        api_route_find(api_routes, &a, q->method, q->path, &params, &allow, &ignored);
    return route && api_route_brings(route) ? (uint64_t)sl_limits.artifact_bytes : 0;
}

void api_rest_gone(struct api_rest *r, uint64_t id)
{
    api_cancel(r->api, &r->via, id, SL_STR_NONE);
}

/* --- Sluice's own dialect ------------------------------------------------------------------------------------------ */

const struct api_dialect api_own_dialect = {
    .methods = api_methods,
    .routes = api_routes,
    .document = "/api/v1/openapi.json",
    .title = "Sluice",
    .shapes = api_shapes,
    .error = &api_problem_answer,
    .error_type = "application/problem+json",
    .problem = api_problem_reply,
};

const struct api_dialect *api_dialect_of(const struct api_dialect *const *others, struct sl_arena *a,
                                         sl_str path, sl_str *ret_path, int *ret_version)
{
    for (; others && *others; others++) {
        if ((*others)->path(a, path, ret_path, ret_version)) {
            return *others;
        }
    }
    *ret_path = path;
    *ret_version = 0;
    return &api_own_dialect;
}
