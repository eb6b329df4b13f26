/* SPDX-License-Identifier: Apache-2.0
 * WebSockets: the handshake is a request that is looked at as any other; then whole text messages in both directions. */
#include "gateway/front/front_impl.h"

#include "base/limits.h"
#include "sys/clock.h"

#include <stdio.h>

static int on_handshake(struct lws *wsi, struct link *l)
{
    struct front *f = l->front;
    if (l->peer) {
        return -1;
    }
    struct peer *p = front_peer_new(f, wsi, true);
    struct front_reply no = {.status = 400};
    if (!front_read_head(p, l, FRONT_GET, &no.status) || !f->ops.socket(f->ctx, &p->rq, &no, &p->user)) {
        unsigned status = (unsigned)no.status;
        front_peer_free(f, p);
        lws_return_http_status(wsi, status, NULL);
        return -1;
    }
    sl_arena_release(
        &p->arena); /* of its head, which nobody asks for again: it is more than all the rest of an idle client */
    p->rq = (struct front_request){.id = p->id};
    l->peer = p;
    return 0;
}

static int end(struct lws *wsi, int code, const char *reason)
{
    unsigned char text[64];
    int n = snprintf((char *)text, sizeof(text), "%s", reason);
    lws_close_reason(wsi, (enum lws_close_status)code, text, (size_t)SL_MIN(n, (int)sizeof(text) - 1));
    return -1;
}

static int on_piece(struct lws *wsi, struct link *l, const char *in, size_t n)
{
    struct front *f = l->front;
    struct peer *p = l->peer;
    if (lws_frame_is_binary(wsi)) {
        return end(wsi, 1003, "text only");
    }
    if (p->body.n + n > (p->takes ? p->takes : f->config.message_bytes)) {
        return end(wsi, 1009, "message too large");
    }
    sl_buf_put(&p->body, in, n);
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi)) {
        return 0;
    }
    f->ops.message(f->ctx, p->id, p->user, &p->body);
    sl_buf_release(&p->body); /* thousands of clients say something once and are then idle */
    return 0;
}

static uint32_t next_length(const struct peer *p)
{
    const unsigned char *b = (const unsigned char *)p->writing.p + p->written;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The close frame is made here: what lws_close_reason() keeps is lost when the connection ends in a writable turn. */
static int write_close(struct lws *wsi, struct peer *p)
{
    unsigned char frame[LWS_PRE + 4 + sizeof(p->close_reason)], *at = frame + LWS_PRE;
    if (p->close_sent) {
        return -1;
    }
    int code = p->close_code ? p->close_code : 1000;
    size_t n = strlen(p->close_reason);
    *at++ = 0x88;
    *at++ = (unsigned char)(n + 2);
    *at++ = (unsigned char)(code >> 8);
    *at++ = (unsigned char)code;
    memcpy(at, p->close_reason, n);
    p->close_sent = true;
    if (lws_write(wsi, frame + LWS_PRE, n + 4, LWS_WRITE_RAW) < 0) {
        return -1;
    }
    lws_callback_on_writable(wsi);
    return 0;
}

/* One frame, of at most a piece. The four bytes of a message's length become, while it is written, the bytes still to go. */
static int on_writable(struct lws *wsi, struct link *l)
{
    static unsigned char piece[LWS_PRE + FRONT_PIECE_BYTES]; /* loop thread only */
    struct front *f = l->front;
    struct peer *p = l->peer;
    bool ended = false;
    front_peer_fetch(f, p, &ended);
    if (p->written == p->writing.n) {
        sl_buf_release(&p->writing);
        p->written = 0;
        return ended ? write_close(wsi, p) : 0;
    }
    uint32_t left = p->in_message ? (uint32_t)p->message_left : next_length(p);
    if (!p->in_message) {
        p->written += 4;
    }
    size_t n = SL_MIN(left, (uint32_t)FRONT_PIECE_BYTES);
    int flags = (p->in_message ? LWS_WRITE_CONTINUATION : LWS_WRITE_TEXT) | (n < left ? LWS_WRITE_NO_FIN : 0);
    memcpy(piece + LWS_PRE, p->writing.p + p->written, n);
    if (lws_write(wsi, piece + LWS_PRE, n, (enum lws_write_protocol)flags) < (int)n) {
        return -1;
    }
    p->written += n;
    p->moved_ms = sys_now_ms();
    f->bytes_out += n;
    p->message_left = left - (uint32_t)n;
    p->in_message = p->message_left > 0;
    lws_callback_on_writable(wsi);
    return 0;
}

int front_on_socket(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    struct link *l = lws_get_opaque_user_data(wsi);
    if (!l) {
        return 0;
    }
    switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return on_handshake(wsi, l);
    case LWS_CALLBACK_ESTABLISHED:
        lws_callback_on_writable(wsi); /* what was sent meanwhile */
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return l->peer ? on_piece(wsi, l, in, len) : -1;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return l->peer ? on_writable(wsi, l) : 0;
    default:
        return 0;
    }
}
