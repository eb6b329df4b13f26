/* SPDX-License-Identifier: Apache-2.0
 * HTTP requests: head, body, answer. The order of calls libwebsockets makes is in its callbacks' names; what it does not
 * do is done here: 100 Continue, chunked bodies, lengths that lie, limits with an answer. */
#include "gateway/front/front_impl.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define HEAD_DROPPED 64         /* times 16 KB of a head that is too large */
#define UPLOAD_STEP  (64 << 10) /* of an upload must come within body_ms */

const char *const front_method_names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

static const enum lws_token_indexes uri_tokens[] = {
    WSI_TOKEN_GET_URI,   WSI_TOKEN_HEAD_URI,   WSI_TOKEN_POST_URI,   WSI_TOKEN_PUT_URI,
    WSI_TOKEN_PATCH_URI, WSI_TOKEN_DELETE_URI, WSI_TOKEN_OPTIONS_URI};
static const struct {
    enum lws_token_indexes token; /* WSI_TOKEN_COUNT: one that libwebsockets has no number for */
    const char *name;
} kept_headers[FRONT_H_COUNT] = {
    [FRONT_H_HOST] = {WSI_TOKEN_HOST, NULL},
    [FRONT_H_ORIGIN] = {WSI_TOKEN_ORIGIN, NULL},
    [FRONT_H_AUTHORIZATION] = {WSI_TOKEN_HTTP_AUTHORIZATION, NULL},
    [FRONT_H_CONTENT_TYPE] = {WSI_TOKEN_HTTP_CONTENT_TYPE, NULL},
    [FRONT_H_ACCEPT] = {WSI_TOKEN_HTTP_ACCEPT, NULL},
    [FRONT_H_IF_MATCH] = {WSI_TOKEN_HTTP_IF_MATCH, NULL},
    [FRONT_H_IF_NONE_MATCH] = {WSI_TOKEN_HTTP_IF_NONE_MATCH, NULL},
    [FRONT_H_IDEMPOTENCY_KEY] = {WSI_TOKEN_COUNT, "idempotency-key:"},
    [FRONT_H_LAST_EVENT_ID] = {WSI_TOKEN_COUNT, "last-event-id:"},
    [FRONT_H_WS_PROTOCOL] = {WSI_TOKEN_PROTOCOL, NULL},
    [FRONT_H_USER_AGENT] = {WSI_TOKEN_HTTP_USER_AGENT, NULL},
};

static sl_str token_text(struct peer *p, enum lws_token_indexes token)
{
    int n = lws_hdr_total_length(p->wsi, token);
    if (n <= 0) {
        return SL_STR_NONE;
    }
    char *text = sl_arena_alloc(&p->arena, (size_t)n + 1);
    int got = lws_hdr_copy(p->wsi, text, n + 1, token);
    return (sl_str){text, got > 0 ? (size_t)got : 0};
}

static sl_str custom_text(struct peer *p, const char *name)
{
    int n = lws_hdr_custom_length(p->wsi, name, (int)strlen(name));
    if (n < 0) {
        return SL_STR_NONE;
    }
    char *text = sl_arena_alloc(&p->arena, (size_t)n + 1);
    int got = n > 0 ? lws_hdr_custom_copy(p->wsi, text, n + 1, name, (int)strlen(name)) : 0;
    return (sl_str){text, got > 0 ? (size_t)got : 0};
}

static void read_args(struct peer *p)
{
    static char text[FRONT_HEADER_BYTES]; /* loop thread only */
    SL_VEC(sl_str) args = {0};
    int n;
    for (int i = 0; (n = lws_hdr_copy_fragment(p->wsi, text, sizeof(text), WSI_TOKEN_HTTP_URI_ARGS, i)) >= 0;
         i++) {
        sl_vec_push(&p->arena, &args, sl_str_dup(&p->arena, (sl_str){text, (size_t)n}));
    }
    p->rq.args = args.v;
    p->rq.n_args = args.n;
}

sl_str front_arg(const struct front_request *r, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < r->n_args; i++) {
        sl_str a = r->args[i];
        if (a.n >= n && memcmp(a.p, key, n) == 0 && (a.n == n || a.p[n] == '=')) {
            return a.n == n ? SL_STR("") : sl_str_sub(a, n + 1, a.n - n - 1);
        }
    }
    return SL_STR_NONE;
}

void front_take_body(const struct front_request *r, struct sl_buf *ret)
{
    struct peer *p = (struct peer *)((char *)(uintptr_t)r - offsetof(struct peer, rq));
    *ret = p->body;
    sl_buf_init(&p->body, 0);
}

bool front_read_head(struct peer *p, struct link *l, enum front_method method, int *ret_status)
{
    struct front_request *r = &p->rq;
    r->method = method;
    memcpy(r->peer, l->address, sizeof(r->peer));
    r->path = token_text(p, uri_tokens[method]);
    if (lws_hdr_total_length(p->wsi, WSI_TOKEN_HTTP_URI_ARGS) > 0) {
        read_args(p);
    }
    for (int i = 0; i < FRONT_H_COUNT; i++) {
        r->headers[i] = kept_headers[i].name ? custom_text(p, kept_headers[i].name)
                                             : token_text(p, kept_headers[i].token);
    }
    r->tls = lws_is_ssl(p->wsi);
    if (r->tls) {
        union lws_tls_cert_info_results ci;
        memset(&ci, 0, sizeof(ci));
        if (lws_tls_peer_cert_info(p->wsi, LWS_TLS_CERT_INFO_COMMON_NAME, &ci, sizeof(ci.ns.name)) == 0) {
            r->tls_subject = sl_arena_strdupz(&p->arena, sl_str_of(ci.ns.name));
        }
    }
    sl_str version = token_text(p, WSI_TOKEN_HTTP), connection = token_text(p, WSI_TOKEN_CONNECTION);
    bool old = sl_str_eqz(version, "HTTP/1.0");
    p->chunked_out = !old;
    p->last = old || sl_str_ieqz(connection, "close");
    p->no_body = method == FRONT_HEAD;
    *ret_status = 400;
    if (!old && !sl_str_eqz(version, "HTTP/1.1")) { /* an escaped end of line in the path has ended it */
        return false;
    }
    return r->path.n && r->path.p[0] == '/' && sl_utf8_valid_prefix(r->path) == r->path.n;
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *text;
    } known[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (known[i].status == status) {
            return known[i].text;
        }
    }
    return "Status";
}

void front_put_head(struct peer *p, const struct front_reply *r, int64_t length, struct sl_buf *out)
{
    sl_buf_printf(out, "HTTP/1.1 %d %s\r\n", r->status, reason_of(r->status));
    if (r->content_type) {
        sl_buf_printf(out, "content-type: %s\r\n", r->content_type);
    }
    if (length >= 0) {
        if (r->status != 204 && r->status != 304) {
            sl_buf_printf(out, "content-length: %lld\r\n", (long long)length);
        }
    } else if (p->chunked_out) {
        sl_buf_putz(out, "transfer-encoding: chunked\r\n");
    } else {
        p->last = true; /* its end is the connection's */
    }
    if (r->headers) {
        sl_buf_putz(out, r->headers);
    }
    if (p->last) {
        sl_buf_putz(out, "connection: close\r\n");
    }
    sl_buf_putz(out, "x-content-type-options: nosniff\r\n\r\n");
}

/* What is left of the head is thrown away as far as it is here: closed over it, the connection would be reset, and the answer lost. */
void front_head_large(struct lws *wsi, struct link *l)
{
    static char rest[FRONT_HEADER_BYTES]; /* loop thread only */
    SL_ARENA_AUTO a;
    SL_BUF_AUTO out;
    struct peer p = {.last = true};
    struct front_reply r = {.status = 431};
    int fd = lws_get_socket_fd(wsi);
    sl_arena_init(&a, 0);
    sl_buf_init(&out, 0);
    l->front->ops.unfit(l->front->ctx, &p.rq, 431, &r, &a);
    front_put_head(&p, &r, (int64_t)r.body.n, &out);
    sl_buf_puts(&out, r.body);
    for (int i = 0; i < HEAD_DROPPED && recv(fd, rest, sizeof(rest), MSG_DONTWAIT) > 0; i++) {
    }
    if (lws_is_ssl(wsi)) {
        (void)SSL_write(lws_get_ssl(wsi), out.p, (int)out.n);
    } else {
        (void)send(fd, out.p, out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

/* --- requests ------------------------------------------------------------------------------------------------------ */

static bool read_length(struct peer *p, int *ret_status)
{
    sl_str length = token_text(p, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    sl_str encoding = token_text(p, WSI_TOKEN_HTTP_TRANSFER_ENCODING);
    if (encoding.p && length.p) {
        *ret_status = 400; /* two readers could see two requests in it */
        return false;
    }
    if (encoding.p) {
        *ret_status = 501;
        p->chunked_in = sl_str_ieqz(encoding, "chunked");
        return p->chunked_in;
    }
    if (length.p) {
        *ret_status = 400;
        for (size_t i = 0; i < length.n; i++) {
            if (length.p[i] < '0' || length.p[i] > '9') {
                return false;
            }
        }
        return length.n <= 18 && sl_str_to_i64(length, &p->content_length);
    }
    return true;
}

/* Ends a request that is not taken. The body, if one comes, is not read: the connection ends with the answer. */
static int refuse(struct front *f, struct peer *p, const struct front_reply *r)
{
    p->last = p->last || p->chunked_in || p->content_length > 0;
    p->told = false;
    p->whole = !p->rq.upload;
    p->lingers = p->rq.upload;
    p->deadline_ms = 0;
    front_reply_to(f, p->id, r);
    return 0;
}

static int refuse_status(struct front *f, struct peer *p, int status)
{
    struct front_reply r = {.status = status};
    f->ops.unfit(f->ctx, &p->rq, status, &r, &p->arena);
    return refuse(f, p, &r);
}

bool front_late(struct front *f, struct peer *p)
{
    if (p->answered || p->socket) {
        return false;
    }
    if (p->rq.upload) { /* who reads it answers */
        if (p->lingers || p->upload_due == UINT64_MAX) {
            return false;
        }
        p->upload_due = UINT64_MAX;
        front_upload_end(f, p, FRONT_BODY_LATE);
    } else {
        refuse_status(f, p, 408);
    }
    p->deadline_ms = sys_now_ms() + FRONT_ANSWER_MS;
    return true;
}

/* The body is here. */
static int tell(struct front *f, struct peer *p)
{
    bool told = p->told;
    p->whole = true;
    if (p->lingers) {
        return p->answer_out ? -1 : 0;
    }
    p->told = true;
    p->deadline_ms = 0;
    p->rq.body = sl_buf_str(&p->body);
    lws_rx_flow_control(p->wsi, 0); /* what is pipelined behind waits its turn */
    lws_set_timeout(p->wsi, NO_PENDING_TIMEOUT, 0);
    if (p->rq.upload) {
        front_upload_end(f, p, FRONT_BODY_END);
    }
    if (!told) {
        f->ops.request(f->ctx, &p->rq); /* p may be answered by now, and is there still */
    }
    return 0;
}

/* More of an upload. */
static int on_piece(struct front *f, struct peer *p, sl_str piece)
{
    if (p->lingers) {
        return 0;
    }
    p->upload_bytes += piece.n;
    if (p->upload_bytes > p->upload_max) {
        front_upload_end(f, p, FRONT_BODY_LONG);
        return 0;
    }
    if (p->upload_bytes >= p->upload_due) {
        p->upload_due = p->upload_bytes + UPLOAD_STEP;
        p->deadline_ms = sys_now_ms() + f->config.body_ms;
    }
    front_upload_put(f, p, piece);
    return 0;
}

static int on_head(struct lws *wsi, struct link *l)
{
    struct front *f = l->front;
    struct peer *p = front_peer_new(f, wsi, false);
    l->peer = p;
    int status = 405, method = -1;
    for (int i = 0; i < (int)(sizeof(uri_tokens) / sizeof(*uri_tokens)) && method < 0; i++) {
        method = lws_hdr_total_length(wsi, uri_tokens[i]) > 0 ? i : -1;
    }
    if (method < 0 || !front_read_head(p, l, (enum front_method)method, &status) ||
        !read_length(p, &status)) {
        return refuse_status(f, p, status);
    }
    p->rq.has_body = p->content_length > 0 || p->chunked_in;
    struct front_reply no = {0};
    if (!f->ops.admit(f->ctx, &p->rq, &no, &p->arena)) {
        return refuse(f, p, &no);
    }
    p->upload_max = f->ops.upload ? f->ops.upload(f->ctx, &p->rq) : 0;
    p->rq.upload = p->upload_max > 0;
    if (p->content_length > 0 &&
        (uint64_t)p->content_length > (p->rq.upload ? p->upload_max : f->config.body_bytes)) {
        return refuse_status(f, p, 413);
    }
    if (p->content_length <= 0 && !p->chunked_in) {
        /* libwebsockets tells the end of an empty body of a POST only. Where no length is stated it takes what follows
         * these methods for the body. */
        bool takes_next = method == FRONT_POST || method == FRONT_PUT || method == FRONT_PATCH;
        p->last = p->last || (p->content_length < 0 && takes_next);
        return tell(f, p);
    }
    p->deadline_ms = sys_now_ms() + f->config.body_ms;
    if (token_text(p, WSI_TOKEN_HTTP_EXPECT).n) {
        unsigned char go[LWS_PRE + 32];
        int n = snprintf((char *)go + LWS_PRE, 32, "HTTP/1.1 100 Continue\r\n\r\n");
        if (lws_write(wsi, go + LWS_PRE, (size_t)n, LWS_WRITE_HTTP) < 0) {
            return -1;
        }
    }
    if (!p->chunked_in) {
        front_shim_arm();
    }
    if (p->rq.upload) {
        p->upload_due = UPLOAD_STEP;
        p->told = true;
        f->ops.request(f->ctx, &p->rq);
    }
    return 0;
}

static int on_body(struct front *f, struct peer *p, const char *in, size_t n)
{
    if (p->whole) {
        return 0;
    }
    if (!p->chunked_in && p->rq.upload) {
        return on_piece(f, p, (sl_str){in, n});
    }
    if (!p->chunked_in) {
        sl_buf_put(&p->body, in, n);
        return p->body.n > f->config.body_bytes ? refuse_status(f, p, 413) : 0;
    }
    size_t used = 0;
    enum chunked_next next = chunked_take(&p->chunks, in, n, &p->body, &used);
    if (p->rq.upload) {
        on_piece(f, p, sl_buf_str(&p->body));
        sl_buf_clear(&p->body);
        if (next == CHUNKED_BAD) {
            front_upload_end(f, p, FRONT_BODY_BAD);
            return 0;
        }
    }
    if (p->body.n > f->config.body_bytes) {
        return refuse_status(f, p, 413);
    }
    if (next == CHUNKED_BAD) {
        return refuse_status(f, p, 400);
    }
    if (next == CHUNKED_DONE) {
        p->last = true; /* libwebsockets does not know where the next request begins */
        return tell(f, p);
    }
    return 0;
}

/* One piece of the answer; its end, when that was the last. */
static int on_writable(struct lws *wsi, struct link *l)
{
    static unsigned char piece[LWS_PRE + FRONT_PIECE_BYTES]; /* loop thread only */
    struct front *f = l->front;
    struct peer *p = l->peer;
    bool ended = false;
    front_peer_unblock(f, p);
    front_peer_fetch(f, p, &ended);
    size_t n = SL_MIN(p->writing.n - p->written, (size_t)FRONT_PIECE_BYTES);
    if (n) {
        memcpy(piece + LWS_PRE, p->writing.p + p->written, n);
        if (lws_write(wsi, piece + LWS_PRE, n, LWS_WRITE_HTTP) < (int)n) {
            return -1;
        }
        lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
        p->written += n;
        p->moved_ms = sys_now_ms();
        f->bytes_out += n;
        if (lws_partial_buffered(wsi)) {
            front_peer_block(f, p);
            return 0;
        }
        front_peer_fetch(f, p, &ended); /* whoever wrote it may be waiting for room, and says nothing more */
    }
    if (p->written < p->writing.n) {
        front_peer_block(f, p);
        lws_callback_on_writable(wsi);
        return 0;
    }
    if (!ended) {
        if (p->rq.upload && !p->whole) { /* more of it is to come */
            return 0;
        }
        lws_rx_flow_control(wsi, 0); /* nothing to write, so nobody reads: see on_tick of server.c */
        return 0;
    }
    bool last = p->last;
    if (p->rq.upload && !p->whole && !p->answer_out) {
        /* Closed now, the answer might be lost with what he still sends. */
        p->lingers = p->answer_out = true;
        p->deadline_ms = sys_now_ms() + FRONT_ANSWER_MS;
        return 0;
    }
    l->peer = NULL;
    front_peer_free(f, p);
    return last || lws_http_transaction_completed(wsi) ? -1 : 0;
}

static void drop(struct link *l)
{
    struct peer *p = l->peer;
    if (!p) {
        return;
    }
    l->peer = NULL;
    uint64_t id = p->id;
    bool told = p->told, socket = p->socket;
    void *mine = p->user;
    struct front *f = l->front;
    front_peer_free(f, p);
    if (socket) {
        f->ops.socket_gone(f->ctx, id, mine);
    } else if (told) {
        f->ops.gone(f->ctx, id);
    }
}

int front_on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    if (reason ==
        LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) { /* no connection yet: `user` is the vhost's */
        ((struct front *)lws_context_user(lws_get_context(wsi)))->tls = user;
        return 0;
    }
    struct link *l = lws_get_opaque_user_data(wsi);
    if (!l) {
        return 0;
    }
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return on_head(wsi, l);
    case LWS_CALLBACK_HTTP_BODY:
        return l->peer ? on_body(l->front, l->peer, in, len) : 0;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return l->peer && !l->peer->whole && !l->peer->chunked_in ? tell(l->front, l->peer) : 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return l->peer ? on_writable(wsi, l) : 0;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return -1; /* the name of this protocol is none for WebSockets */
    case LWS_CALLBACK_CLOSED_HTTP:
        drop(l);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        drop(l);
        l->front->connections--;
        lws_set_opaque_user_data(wsi, NULL);
        free(l);
        return 0;
    default:
        return 0;
    }
}
