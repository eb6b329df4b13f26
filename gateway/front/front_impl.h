/* SPDX-License-Identifier: Apache-2.0
 * What the files of the HTTP server share: server.c (listener, clients, mailbox), http.c (requests and answers), chunked.c
 * (chunked bodies), socket.c (WebSockets), lws_shim.c. Private to gateway/front/. */
#ifndef SLUICE_FRONT_IMPL_H
#define SLUICE_FRONT_IMPL_H

#include "base/buf.h"
#include "gateway/front/front.h"

#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <pthread.h>

#define FRONT_PIECE_BYTES   16384 /* of one write: more would be copied to the heap by libwebsockets */
#define FRONT_ANSWER_MS     5000  /* for an answer to be read by somebody who still sends */
#define FRONT_RECEIVE_BYTES 2048  /* of a WebSocket, which has a buffer of its own as long as it lives */

/* Decoder of chunked bodies (RFC 9112, 7.1); pure. */
struct chunked {
    int state;
    uint64_t left; /* of the chunk */
    unsigned digits;
    size_t line; /* bytes of the present line of an extension or trailer */
};
enum chunked_next { CHUNKED_MORE, CHUNKED_DONE, CHUNKED_BAD };
/* Takes what is there of `in`; body bytes go to `out`; *ret_used: bytes taken (less than n only at the end). */
enum chunked_next chunked_take(struct chunked *c, const char *in, size_t n, struct sl_buf *out,
                               size_t *ret_used);

/* Who stands at the other end of a request or a WebSocket. Made and freed by the loop; `lock` of the server guards what
 * other threads touch: out, ended, close_code, dirty, next_dirty. */
struct peer {
    uint64_t id;
    struct lws *wsi;
    void *user;  /* the application's, of a WebSocket */
    bool socket; /* a WebSocket */
    bool told;   /* ops->request was called */
    bool whole;  /* the body is here */
    bool last;   /* the connection ends with this answer */
    bool chunked_in, stream, chunked_out, no_body;
    bool lingers;    /* loop only: an upload that is answered before its end: the rest is thrown away */
    bool answer_out; /* loop only: of such a one, the answer is sent */
    struct sl_arena arena;
    struct front_request rq;
    struct sl_buf body; /* of a request; a message in pieces */
    struct chunked chunks;
    int64_t content_length; /* < 0: not stated */
    int64_t
        deadline_ms; /* monotonic: when the body must be here, or the answer that it came too late be read; 0 = none */
    size_t takes;          /* bytes of a message; 0 = as configured */
    int64_t moved_ms;      /* monotonic, loop only: something was sent */
    struct sl_buf writing; /* loop only */
    size_t written;
    bool in_message; /* a piece of a message was written, others follow */
    bool close_sent;
    uint32_t message_left; /* bytes of it */
    uint64_t upload_bytes, upload_max,
        upload_due;           /* loop only: came, most, when the time for the next ones begins anew */
    struct sl_buf in;         /* guarded: of an upload, not read yet */
    enum front_body in_state; /* guarded: MORE until there is no more */
    bool in_full;             /* guarded: its client is stopped */
    bool answered;            /* guarded */
    struct sl_buf out; /* guarded: bytes of the answer; of a WebSocket: u32 length and text of each message */
    bool ended;        /* guarded: nothing more comes */
    int close_code;    /* guarded */
    char close_reason[64]; /* guarded */
    struct peer *next_dirty;
    bool dirty;
    struct peer *next_blocked; /* loop only */
    bool blocked, partly;      /* there is more to write; libwebsockets holds a part of what was written */
};

/* libwebsockets' opaque pointer of a connection. */
struct link {
    struct front *front;
    struct peer *peer; /* NULL between requests */
    char address[48];
};

struct front {
    uv_loop_t *loop;
    struct front_config config;
    struct front_ops ops;
    void *ctx;
    struct lws_context *lws;
    struct lws_vhost *vhost;
    SSL_CTX *tls;                      /* the vhost's; NULL: plain */
    struct lws_protocols protocols[3]; /* these four libwebsockets looks at as long as it lives */
    struct lws_protocol_vhost_options use, with;
    struct lws_http_mount mount;
    int listener;
    int spare_fd; /* given up for a moment when there is no other */
    int port;
    uv_poll_t accepting;
    uv_timer_t tick;
    uv_async_t wake;
    uv_check_t after_poll;
    struct peer *first_blocked; /* loop only: those of HTTP with more to write than their sockets take */
    int handles;                /* of ours that are open */
    bool listening, closed;
    unsigned connections, max_connections; /* now; what libwebsockets has room for */
    unsigned crowd;                        /* most connections since memory was given back */
    unsigned ticks;
    size_t unused;       /* bytes that malloc had to spare when it was asked last */
    uint64_t trimmed_at; /* bytes_out then */
    uint64_t requests_total, bytes_out;
    pthread_mutex_t lock; /* the only one; never held while a callback or libwebsockets is called */
    pthread_cond_t room;  /* for writers */
    pthread_cond_t came;  /* something of an upload has, or will not */
    bool hurry;
    uint64_t next_id;
    struct peer **peers; /* by slot */
    size_t n_peers, cap_peers;
    uint32_t *free_slots;
    size_t n_free;
    struct peer *first_dirty;
    unsigned n_requests, n_sockets;
};

/* The shim of lws_shim.c. */
void front_shim_arm(void);
void front_shim_disarm(void);
bool front_shim_works(void);
/* Of a line that libwebsockets logs while it reads a head: the head is too large for it, and it will close the connection. */
void front_shim_heard(const char *line);
/* Loop: the head that comes on this connection is too large: 431 is sent, as far as it can be at once. */
void front_head_large(struct lws *wsi, struct link *l);

struct peer *front_peer_new(struct front *f, struct lws *wsi, bool socket);
/* Loop: takes it out of the table and frees it. */
void front_peer_free(struct front *f, struct peer *p);
/* Loop, of HTTP: there is more to write than the socket takes. It will be told when it is writable, and when libwebsockets has sent
 * the part that it keeps (which it tells nobody). Until then what its client sends is left where it is, without waking anybody. */
void front_peer_block(struct front *f, struct peer *p);
void front_peer_unblock(struct front *f, struct peer *p);
/* Moves what other threads wrote to p->writing when that is empty; *ret_ended: nothing will follow. */
void front_peer_fetch(struct front *f, struct peer *p, bool *ret_ended);
/* Reads the head of a request into p->rq (arena of the peer). False: it is not acceptable; *ret_status says why. */
bool front_read_head(struct peer *p, struct link *l, enum front_method method, int *ret_status);

/* Loop: nothing more comes of this upload; the first reason counts. */
void front_upload_end(struct front *f, struct peer *p, enum front_body why);
/* Loop: more of an upload; may stop its client. */
void front_upload_put(struct front *f, struct peer *p, sl_str piece);
/* Loop: the body of a request has not come in time. 408 ends the connection; false: that was tried before, or cannot be. */
bool front_late(struct front *f, struct peer *p);

int front_on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);
int front_on_socket(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);
/* The head of an answer into `out`; a body follows unless length < 0 (streamed). */
void front_put_head(struct peer *p, const struct front_reply *r, int64_t length, struct sl_buf *out);

#endif
