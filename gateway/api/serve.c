/* SPDX-License-Identifier: Apache-2.0
 * Who speaks, and to whom it goes. */
#include "gateway/api/serve.h"

#include "base/limits.h"
#include "base/vec.h"
#include "gateway/api/dialect.h"
#include "gateway/api/metrics.h"
#include "gateway/api/rest.h"
#include "gateway/api/rpc.h"
#include "gateway/auth/gate.h"
#include "gateway/auth/who.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define AUTH_MS      10000 /* for a WebSocket without a token in its handshake to send one */
#define AUTH_BYTES   4096  /* of the message that brings it */
#define SLOW_TURN_US 5000
#define WAITING_MS   50

/* A WebSocket. In the list of those that have not said who they are while who.role == AUTH_NOBODY. */
struct socket {
    struct socket *next;
    uint64_t id;
    struct auth_who who;
    int64_t deadline_ms;
};

struct serve {
    struct front *front;
    struct api *api;
    struct tracker *tracker;
    struct api_rest *rest;
    struct api_rpc rpc;
    struct auth_gate gate;
    struct sl_arena arena; /* of the address */
    struct sl_arena gate_arena;
    struct auth_door door;
    bool closed;
    pthread_mutex_t lock; /* what follows */
    bool ready;
    char why_not[256];
    bool refusing;            /* new calls are told that the server is ending */
    bool draining;            /* the API takes nothing any more, and its calls were told to stop */
    uv_timer_t tick, waiting; /* waiting: while clients do not wait for the end of theirs */
    uv_check_t turn_begins;   /* events are here */
    uv_prepare_t turn_ends;   /* it waits for the next ones */
    int64_t turn_us;
    uint64_t slow_turns;
    int handles;
    struct socket *strangers;
    uint64_t refused_total, limited_total;
    int64_t due_ms, lag_ms; /* of the loop: how late the tick was */
};

/* --- who ----------------------------------------------------------------------------------------------------------- */

static bool is_open(sl_str path)
{
    return sl_str_eqz(path, "/healthz") || sl_str_eqz(path, "/readyz");
}

static bool gate(struct serve *s, const struct front_request *r, struct sl_err *err)
{
    if (!auth_host_ok(&s->gate, r->headers[FRONT_H_HOST])) {
        sl_fail(err, SL_HOST_NOT_ALLOWED, "this server is not called '%.*s'", SL_S(r->headers[FRONT_H_HOST]));
        return sl_hint(err, "sluice serve --hosts NAME      lets it be called so");
    }
    if (!auth_origin_ok(&s->gate, r->headers[FRONT_H_ORIGIN], r->headers[FRONT_H_HOST])) {
        return sl_fail(err, SL_ORIGIN_NOT_ALLOWED, "pages of %.*s may not speak with this server",
                       SL_S(r->headers[FRONT_H_ORIGIN]));
    }
    return true;
}

static bool who_asks(struct serve *s, const struct front_request *r, struct auth_who *ret, struct sl_err *err)
{
    return auth_who_asks(&s->door, r->headers[FRONT_H_AUTHORIZATION], ret, err);
}

/* --- what the server says of itself -------------------------------------------------------------------------------- */

static void answer_text(struct serve *s, uint64_t id, int status, sl_str text)
{
    front_reply_to(s->front, id,
                   &(struct front_reply){.status = status,
                                         .content_type = "text/plain; charset=utf-8",
                                         .body = text,
                                         .headers = "cache-control: no-store\r\n"});
}

static void answer_metrics(struct serve *s, uint64_t id)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    struct metrics_server here = {.refused = s->refused_total,
                                  .limited = s->limited_total,
                                  .lag_ms = s->lag_ms,
                                  .slow_turns = s->slow_turns};
    front_count(s->front, &here.front);
    metrics_put(&b, &here, s->api);
    front_reply_to(s->front, id,
                   &(struct front_reply){.status = 200,
                                         .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                         .body = sl_buf_str(&b),
                                         .headers = "cache-control: no-store\r\n"});
}

static void answer_ready(struct serve *s, uint64_t id)
{
    char text[sizeof(s->why_not) + 16] = "ready\n";
    pthread_mutex_lock(&s->lock);
    bool ready = s->ready;
    if (!ready) {
        snprintf(text, sizeof(text), "not ready: %s\n", s->why_not);
    }
    pthread_mutex_unlock(&s->lock);
    answer_text(s, id, ready ? 200 : 503, sl_str_of(text));
}

/* OpenAPI of what is spoken. False: the path is of none. */
static bool answer_document(struct serve *s, const struct front_request *r)
{
    const struct api_dialect *const *others = api_env_of(s->api)->dialects;
    const struct api_dialect *d = &api_own_dialect;
    while (d && !sl_str_eqz(r->path, d->document)) {
        d = others ? *others++ : NULL;
    }
    if (!d) {
        return false;
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    api_openapi(d, &b);
    front_reply_to(
        s->front, r->id,
        &(struct front_reply){.status = 200, .content_type = "application/json", .body = sl_buf_str(&b)});
    return true;
}

/* True when the request was one of these. */
static bool answer_itself(struct serve *s, const struct front_request *r)
{
    if (r->method != FRONT_GET && r->method != FRONT_HEAD) {
        return false;
    }
    if (sl_str_eqz(r->path, "/healthz")) {
        answer_text(s, r->id, 200, SL_STR("ok\n"));
    } else if (sl_str_eqz(r->path, "/readyz")) {
        answer_ready(s, r->id);
    } else if (sl_str_eqz(r->path, "/metrics")) {
        answer_metrics(s, r->id);
    } else {
        return answer_document(s, r);
    }
    return true;
}

/* --- requests ------------------------------------------------------------------------------------------------------ */

/* What the client speaks, as far as its path tells. */
static const struct api_dialect *spoken(struct serve *s, const struct front_request *r, struct sl_arena *a)
{
    sl_str path;
    int version;
    return api_dialect_of(api_env_of(s->api)->dialects, a, r->path, &path, &version);
}

static bool on_admit(void *ctx, const struct front_request *r, struct front_reply *ret, struct sl_arena *a)
{
    struct serve *s = ctx;
    struct sl_err err = SL_ERR_INIT;
    struct auth_who who = {.role = AUTH_NOBODY};
    if (s->refusing) {
        sl_fail(&err, SL_BUSY, "the server is ending");
        api_problem_reply(&err, a, ret);
        return false;
    }
    if (gate(s, r, &err) && ((is_open(r->path) && !r->has_body) || who_asks(s, r, &who, &err))) {
        if (who.role == AUTH_NOBODY || api_admit(s->api, sl_str_of(who.user), &err)) {
            return true;
        }
        s->limited_total++;
    } else {
        s->refused_total++;
    }
    spoken(s, r, a)->problem(&err, a, ret);
    return false;
}

static uint64_t on_upload(void *ctx, const struct front_request *r)
{
    (void)ctx;
    return api_rest_upload(r);
}

/* What the server itself cannot take: told in the form of the protocol that was spoken. */
static void on_unfit(void *ctx, const struct front_request *r, int status, struct front_reply *ret,
                     struct sl_arena *a)
{
    struct sl_err err = SL_ERR_INIT;
    switch (status) {
    case 413:
        if (r->upload) {
            sl_fail(&err, SL_LIMIT, "an artifact has at most %s",
                    SL_SIZE((uint64_t)sl_limits.artifact_bytes));
            sl_hint(&err, "limit.artifact-bytes");
            break;
        }
        sl_fail(&err, SL_LIMIT, "the body of a request has at most %s",
                SL_SIZE((uint64_t)sl_limits.request_body_bytes));
        sl_hint(&err, "limit.request-body-bytes");
        break;
    case 408:
        sl_fail(&err, SL_BODY_LATE, "the body of a request comes within %lld ms",
                (long long)sl_limits.request_body_ms);
        sl_hint(&err, "limit.request-body");
        break;
    case 431:
        sl_fail(&err, SL_HEAD_LARGE, "the head of a request has at most %s", SL_SIZE(FRONT_HEADER_BYTES));
        break;
    case 405:
        sl_fail(&err, SL_METHOD_NOT_ALLOWED, "this method is not known here");
        break;
    case 501:
        sl_fail(&err, SL_TRANSFER_CODING, "a body comes with a length or chunked, and in no other coding");
        break;
    default:
        sl_fail(&err, SL_USAGE, "this is not a request of HTTP as RFC 9112 has it");
        break;
    }
    spoken(ctx, r, a)->problem(&err, a, ret);
    ret->status = status;
}

static void on_waiting(uv_timer_t *h)
{
    struct serve *s = h->data;
    if (!api_rest_tick(s->rest)) {
        uv_timer_stop(h);
    }
}

static void on_request(void *ctx, const struct front_request *r)
{
    struct serve *s = ctx;
    struct sl_err err = SL_ERR_INIT;
    struct auth_who who = {.role = AUTH_NOBODY};
    if (answer_itself(s, r)) {
        return;
    }
    if (s->refusing) { /* its body came while it began to end */
        sl_fail(&err, SL_BUSY, "the server is ending");
        api_problem(s->front, r->id, &err, NULL);
        return;
    }
    if (!who_asks(s, r, &who, &err)) { /* it has ended while the body came */
        api_problem(s->front, r->id, &err, NULL);
        return;
    }
    api_rest_request(s->rest, r, who.role, sl_str_of(who.user));
    if (!uv_is_active((uv_handle_t *)&s->waiting) && api_rest_tick(s->rest)) {
        uv_timer_start(&s->waiting, on_waiting, WAITING_MS, WAITING_MS);
    }
}

static void on_gone(void *ctx, uint64_t id)
{
    struct serve *s = ctx;
    if (!s->draining) {
        api_rest_gone(s->rest, id);
    }
}

/* --- WebSockets ---------------------------------------------------------------------------------------------------- */

static void not_strange(struct serve *s, struct socket *w)
{
    for (struct socket **p = &s->strangers; *p; p = &(*p)->next) {
        if (*p == w) {
            *p = w->next;
            break;
        }
    }
}

static bool on_socket(void *ctx, const struct front_request *r, struct front_reply *ret, void **ret_user)
{
    struct serve *s = ctx;
    struct sl_err err = SL_ERR_INIT;
    struct auth_who who = {.role = AUTH_NOBODY};
    if (!sl_str_eqz(r->path, "/ws")) {
        ret->status = 404;
        return false;
    }
    bool says = s->door.open || s->door.anonymous.role != AUTH_NOBODY || r->headers[FRONT_H_AUTHORIZATION].p;
    if (!gate(s, r, &err) || (says && !who_asks(s, r, &who, &err))) {
        s->refused_total++;
        ret->status = sl_code_http(err.code);
        return false;
    }
    struct socket *w = calloc(1, sizeof(*w));
    SL_OOM_ON(!w);
    w->id = r->id;
    w->who = who;
    if (who.role == AUTH_NOBODY) { /* browsers cannot set the header: its first message brings the token */
        w->deadline_ms = sys_now_ms() + AUTH_MS;
        w->next = s->strangers;
        s->strangers = w;
        front_socket_takes(s->front, w->id, AUTH_BYTES);
    }
    *ret_user = w;
    return true;
}

/* {"id":1,"method":"auth","params":{"token":"..."}}: of a stranger the first message, and later to go on with a fresh token.
 * False: it is another one. */
static bool on_auth(struct serve *s, struct socket *w, sl_str text)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    struct auth_who who = {.role = AUTH_NOBODY};
    if (w->who.role != AUTH_NOBODY && (text.n > AUTH_BYTES || sl_str_find(text, SL_STR("\"auth\"")) < 0)) {
        return false; /* most are: they are read once, where they are done */
    }
    const struct sl_json *m = text.n <= AUTH_BYTES ? sl_json_parse(&a, text, &err) : NULL;
    bool is_auth = sl_str_eqz(sl_json_str(sl_json_get(m, "method"), SL_STR("")), "auth");
    if (!is_auth && w->who.role != AUTH_NOBODY) {
        return false;
    }
    if (!is_auth ||
        !auth_who_by_secret(&s->door, sl_json_str(sl_json_path(m, "params.token"), SL_STR("")), &who)) {
        s->refused_total++;
        front_socket_close(s->front, w->id, 4401, "a good token is needed");
        return true;
    }
    if (w->who.role == AUTH_NOBODY) {
        not_strange(s, w);
        front_socket_takes(s->front, w->id, 0);
    }
    w->who = who;
    const struct sl_json *id = sl_json_get(m, "id");
    if (id) {
        SL_BUF_AUTO b;
        struct sl_jw j;
        sl_buf_init(&b, 0);
        sl_jw_init(&j, &b);
        sl_jw_object(&j);
        sl_jw_kstrz(&j, "jsonrpc", "2.0");
        sl_jw_key(&j, "id");
        sl_jw_value(&j, id);
        sl_jw_key(&j, "result");
        sl_jw_object(&j);
        sl_jw_kstrz(&j, "role", auth_role_names[who.role]);
        sl_jw_end_object(&j);
        sl_jw_end_object(&j);
        front_socket_send(s->front, w->id, sl_buf_str(&b), true);
    }
    return true;
}

static void on_message(void *ctx, uint64_t id, void *user, struct sl_buf *text)
{
    struct serve *s = ctx;
    struct socket *w = user;
    if (s->draining || on_auth(s, w, sl_buf_str(text))) {
        return;
    }
    if (!auth_who_still(&s->door, &w->who)) {
        s->refused_total++;
        front_socket_close(s->front, w->id, 4401, "the token has ended");
        return;
    }
    api_rpc_message(&s->rpc, id, w->who.role, sl_str_of(w->who.user), sl_buf_str(text), text);
}

static void on_socket_gone(void *ctx, uint64_t id, void *user)
{
    struct serve *s = ctx;
    struct socket *w = user;
    not_strange(s, w);
    free(w);
    if (!s->draining) {
        api_rpc_gone(&s->rpc, id);
    }
}

static bool send_message(void *ctx, uint64_t client, sl_str line, bool urgent)
{
    return front_socket_send(((struct serve *)ctx)->front, client, line, urgent);
}

static void on_turn(uv_check_t *h)
{
    ((struct serve *)h->data)->turn_us = sys_now_us();
}

static void on_turn_end(uv_prepare_t *h)
{
    struct serve *s = h->data;
    s->slow_turns += s->turn_us && sys_now_us() - s->turn_us > SLOW_TURN_US;
    s->turn_us = 0;
}

static void on_tick(uv_timer_t *h)
{
    struct serve *s = h->data;
    int64_t now = sys_now_ms();
    s->lag_ms = s->due_ms && now > s->due_ms ? now - s->due_ms : 0;
    s->due_ms = now + 1000;
    for (struct socket *w = s->strangers; w; w = w->next) {
        if (w->deadline_ms && w->deadline_ms < now) {
            w->deadline_ms = 0;
            front_socket_close(s->front, w->id, 4401, "no token came in time");
        }
    }
}

/* --- start and end ------------------------------------------------------------------------------------------------- */

/* "a.example, *.b.example" */
static void read_hosts(struct serve *s, sl_str names)
{
    SL_VEC(sl_str) v = {0};
    sl_arena_release(&s->gate_arena);
    while (names.n) {
        ptrdiff_t comma = sl_str_find_char(names, ',');
        size_t n = comma < 0 ? names.n : (size_t)comma;
        sl_str one = sl_str_trim(sl_str_sub(names, 0, n));
        if (one.n) {
            sl_vec_push(&s->gate_arena, &v, sl_str_dup(&s->gate_arena, one));
        }
        names = comma < 0 ? SL_STR("") : sl_str_sub(names, n + 1, names.n - n - 1);
    }
    s->gate = (struct auth_gate){v.v, v.n};
}

static bool read_address(struct serve *s, sl_str listen, struct front_config *c, struct sl_err *err)
{
    sl_str host;
    int64_t port;
    if (!sys_config_address(listen, &host, &port)) {
        return sl_fail(err, SL_USAGE, "'%.*s' is not HOST:PORT", SL_S(listen));
    }
    if (host.n > 1 && host.p[0] == '[') {
        host = sl_str_sub(host, 1, host.n - 2);
    }
    if (sl_str_eqz(host, "localhost")) {
        host = SL_STR("127.0.0.1");
    }
    if ((s->door.open || s->door.anonymous.role != AUTH_NOBODY) && !auth_is_loopback(host)) {
        sl_fail(err, SL_USAGE, "%s is for loopback addresses only, not for %.*s",
                s->door.open ? "--no-auth" : "--anonymous", SL_S(host));
        return sl_hint(err, "without it, tokens are asked for: sluice token create");
    }
    c->host = sl_arena_strdupz(&s->arena, host);
    c->port = (int)port;
    return true;
}

static void read_limits(struct front_config *c)
{
    c->body_bytes = (size_t)sl_limits.request_body_bytes;
    c->message_bytes = (size_t)sl_limits.message_bytes;
    c->unread_bytes = (size_t)sl_limits.unread_bytes;
    c->unread_answers_bytes = (size_t)sl_limits.unread_answers_bytes;
    c->unread_ms = sl_limits.unread_ms;
    c->connections = (unsigned)sl_limits.server_connections;
    c->body_ms = sl_limits.request_body_ms;
}

struct serve *serve_start(uv_loop_t *loop, const struct sys_config *settings, bool no_auth, struct api *api,
                          struct auth *auth, struct tracker *tracker, struct sl_err *err)
{
    static const struct front_ops ops = {.request = on_request,
                                         .admit = on_admit,
                                         .unfit = on_unfit,
                                         .upload = on_upload,
                                         .gone = on_gone,
                                         .socket = on_socket,
                                         .message = on_message,
                                         .socket_gone = on_socket_gone};
    struct serve *s = calloc(1, sizeof(*s));
    SL_OOM_ON(!s);
    s->api = api;
    s->tracker = tracker;
    s->door = (struct auth_door){.auth = auth, .open = no_auth};
    pthread_mutex_init(&s->lock, NULL);
    snprintf(s->why_not, sizeof(s->why_not), "it starts");
    sl_arena_init(&s->arena, 0);
    sl_arena_init(&s->gate_arena, 0);
    read_hosts(s, settings->hosts);
    struct front_config c = {.cert = settings->tls_cert.n ? settings->tls_cert.p : NULL,
                             .key = settings->tls_key.n ? settings->tls_key.p : NULL,
                             .client_ca = settings->tls_client_ca.n ? settings->tls_client_ca.p : NULL,
                             .subprotocol = "sluice.v1"};
    read_limits(&c);
    bool ok =
        auth_door_anonymous(&s->door, settings->anonymous, err) && read_address(s, settings->listen, &c, err);
    if (ok && (c.cert != NULL) != (c.key != NULL)) {
        ok = sl_fail(err, SL_USAGE, "--tls-cert and --tls-key go together");
    }
    s->front = ok ? front_listen(loop, &c, &ops, s, err) : NULL;
    if (!s->front) {
        sl_arena_release(&s->arena);
        sl_arena_release(&s->gate_arena);
        pthread_mutex_destroy(&s->lock);
        free(s);
        return NULL;
    }
    s->rest = api_rest_new(api);
    api_rest_serve(s->rest, s->front);
    api_rpc_init(&s->rpc, api, send_message, s);
    uv_timer_init(loop, &s->tick);
    uv_timer_init(loop, &s->waiting);
    s->tick.data = s->waiting.data = s->turn_begins.data = s->turn_ends.data = s;
    uv_check_init(loop, &s->turn_begins);
    uv_prepare_init(loop, &s->turn_ends);
    uv_check_start(&s->turn_begins, on_turn);
    uv_prepare_start(&s->turn_ends, on_turn_end);
    s->handles = 4;
    uv_timer_start(&s->tick, on_tick, 1000, 1000);
    return s;
}

int serve_port(const struct serve *s)
{
    return front_port(s->front);
}

unsigned serve_clients(const struct serve *s)
{
    struct front_counts n;
    front_count(s->front, &n);
    return n.connections;
}

void serve_ready(struct serve *s, const char *why_not)
{
    pthread_mutex_lock(&s->lock);
    s->ready = !why_not;
    snprintf(s->why_not, sizeof(s->why_not), "%s", why_not ? why_not : "");
    pthread_mutex_unlock(&s->lock);
}

void serve_reload(struct serve *s, const struct sys_config *settings, const struct front_tls *tls)
{
    struct front_config c = {0};
    read_limits(&c);
    front_limits(s->front, &c);
    read_hosts(s, settings->hosts);
    if (tls && !front_tls_use(s->front, tls)) {
        sys_log(SYS_LOG_WARN, "owner", "needs-restart", "setting=tls.cert");
    }
}

void serve_log_state(struct serve *s)
{
    struct front_counts n;
    front_count(s->front, &n);
    sys_log(SYS_LOG_ERR, "state", "server",
            "port=%d ready=%s connections=%u websockets=%u requests=%u requestsTotal=%llu refused=%llu "
            "loopLagMs=%lld",
            front_port(s->front), s->ready ? "true" : "false", n.connections, n.sockets, n.requests,
            (unsigned long long)n.requests_total, (unsigned long long)s->refused_total, (long long)s->lag_ms);
}

void serve_refuse(struct serve *s)
{
    s->ready = false;
    s->refusing = s->rpc.refusing = true;
    front_stop_listening(s->front);
}

void serve_drain(struct serve *s)
{
    serve_refuse(s);
    s->draining = true;
    front_hurry(s->front);
    api_rpc_hurry(&s->rpc);
}

static void on_tick_closed(uv_handle_t *h)
{
    ((struct serve *)h->data)->handles--;
}

void serve_close(struct serve *s)
{
    if (!s->closed) {
        s->closed = true;
        uv_close((uv_handle_t *)&s->tick, on_tick_closed);
        uv_close((uv_handle_t *)&s->waiting, on_tick_closed);
        uv_close((uv_handle_t *)&s->turn_begins, on_tick_closed);
        uv_close((uv_handle_t *)&s->turn_ends, on_tick_closed);
        front_close(s->front);
    }
}

void serve_free(struct serve *s)
{
    SL_BUG_ON(s->handles);
    front_free(s->front);
    api_rest_free(s->rest);
    api_rpc_release(&s->rpc);
    sl_arena_release(&s->arena);
    sl_arena_release(&s->gate_arena);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
