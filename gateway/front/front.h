/* SPDX-License-Identifier: Apache-2.0
 * The HTTP server of `sluice serve`: HTTP/1.1, WebSocket and event streams over libwebsockets on our uv loop, plain or TLS.
 * It moves requests, answers and messages and knows nothing of their meaning, nor of Flink.
 *
 * Threads: what is marked "loop" is called on the loop's thread only, and callbacks run there. The functions that take an
 * id may be called from any thread: an id is never used again, and one whose client has gone is answered false.
 * libwebsockets' traps that shaped this: headers and body in one write of at most 16 KB, receiving is switched off while an
 * answer is made and on again before writing, chunked bodies are decoded here, one piece per writable turn. */
#ifndef SLUICE_FRONT_H
#define SLUICE_FRONT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <uv.h>

#define FRONT_HEADER_BYTES 16384 /* of a request's head: 431 above */

enum front_method { FRONT_GET, FRONT_HEAD, FRONT_POST, FRONT_PUT, FRONT_PATCH, FRONT_DELETE, FRONT_OPTIONS };
extern const char *const front_method_names[]; /* "GET" ... */

/* The request headers that are kept; others are not looked at. */
enum front_header {
    FRONT_H_HOST,
    FRONT_H_ORIGIN,
    FRONT_H_AUTHORIZATION,
    FRONT_H_CONTENT_TYPE,
    FRONT_H_ACCEPT,
    FRONT_H_IF_MATCH,
    FRONT_H_IF_NONE_MATCH,
    FRONT_H_IDEMPOTENCY_KEY,
    FRONT_H_LAST_EVENT_ID,
    FRONT_H_WS_PROTOCOL,
    FRONT_H_USER_AGENT,
    FRONT_H_COUNT
};

/* A request with its whole body (but for an upload), valid during the callback; copy what must live longer. */
struct front_request {
    uint64_t id;
    enum front_method method;
    sl_str path;        /* decoded, dot segments resolved, begins with '/' */
    const sl_str *args; /* of the query, decoded: "key=value" */
    size_t n_args;
    sl_str headers[FRONT_H_COUNT]; /* p == NULL: not sent */
    sl_str body;
    bool has_body; /* that has come, or comes after admit() */
    bool upload;   /* read by front_body_read() while it comes; `body` is empty */
    char peer[48]; /* "127.0.0.1" */
    bool tls;
    const char *tls_subject; /* common name of a checked client certificate, or NULL */
};

/* For the callback that got it: takes the memory of the body over, so that it can be read elsewhere without a copy. */
void front_take_body(const struct front_request *r, struct sl_buf *ret);

/* The value of an argument of the query; p == NULL: not there. */
sl_str front_arg(const struct front_request *r, const char *key);

struct front_reply {
    int status;               /* 200 ... */
    const char *content_type; /* NULL: no body */
    sl_str body;              /* copied */
    const char *headers;      /* more header lines, each ended by \r\n; NULL: none */
    int64_t length;           /* bytes of a stream, where they are known and stated; 0: not */
};

struct front_ops {
    /* A request came whole. It is answered by front_reply_to or front_stream_open, at once or later, exactly once. */
    void (*request)(void *ctx, const struct front_request *r);
    /* May this request (no body yet) go on? true; or false with the reply that ends it. Before any body is read. */
    bool (*admit)(void *ctx, const struct front_request *r, struct front_reply *ret, struct sl_arena *a);
    /* Most bytes of the body of an admitted request that is an upload: request() is called with its head alone. 0: it is none. NULL:
     * there are no uploads. */
    uint64_t (*upload)(void *ctx, const struct front_request *r);
    /* The reply to a request that is none, or none that is taken: 400, 405, 408, 413, 431 or 501. `r` has what was read of it. */
    void (*unfit)(void *ctx, const struct front_request *r, int status, struct front_reply *ret,
                  struct sl_arena *a);
    /* The client of a request that is not answered to its end has gone. */
    void (*gone)(void *ctx, uint64_t id);
    /* A WebSocket at this path: taken (its id is the request's; ret_user is given back with each message), or refused
     * with the reply's status. */
    bool (*socket)(void *ctx, const struct front_request *r, struct front_reply *ret, void **ret_user);
    /* A whole text message, UTF-8, at most config.message_bytes. Its memory may be taken over (the buffer is left empty). */
    void (*message)(void *ctx, uint64_t id, void *user, struct sl_buf *text);
    void (*socket_gone)(void *ctx, uint64_t id, void *user);
};

struct front_config {
    const char *host;            /* numeric address */
    int port;                    /* 0: a free one */
    size_t body_bytes;           /* a request's body: 413 above */
    size_t message_bytes;        /* a WebSocket message: closed with 1009 above */
    size_t unread_bytes;         /* output of one client that waits before its writer waits */
    size_t unread_answers_bytes; /* urgent output of a WebSocket that waits: closed with 4429 above */
    int64_t unread_ms;           /* an answer of which nothing is taken for so long ends its connection */
    unsigned connections;        /* at once; more are closed as they come */
    int64_t body_ms;             /* for a request's body to come in; for 64 KB of an upload */
    const char *cert, *key;      /* PEM files: TLS; NULL: plain */
    const char *client_ca;       /* PEM file: client certificates are asked for and checked; NULL: none */
    const char *subprotocol;     /* name of the WebSocket protocol we speak */
};

struct front;
/* loop. Listens when it returns. Errors: port-taken, tls, io. `c` is copied but for its strings, which outlive it. */
SL_MUST_CHECK struct front *front_listen(uv_loop_t *loop, const struct front_config *c,
                                         const struct front_ops *ops, void *ctx, struct sl_err *err);
int front_port(const struct front *f);

/* loop. Other limits for what comes from now on (of the fields body_bytes, message_bytes, unread_*, connections, body_ms;
 * connections not above those of the start). */
void front_limits(struct front *f, const struct front_config *c);

/* A certificate with its key, read and checked: any thread. Errors: tls-failed. `client_ca` may be NULL. */
struct front_tls;
SL_MUST_CHECK struct front_tls *front_tls_read(const char *cert, const char *key, const char *client_ca,
                                               struct sl_err *err);
/* loop. Connections that come from now on get it; those that are there keep theirs. false: the server speaks no TLS. */
SL_MUST_CHECK bool front_tls_use(struct front *f, const struct front_tls *t);
void front_tls_free(struct front_tls *t);

/* What has come of an upload, into an empty buffer; waits for some. A client is stopped while FRONT_UPLOAD_AHEAD bytes of his are not
 * taken. Not on the loop; one reader. When it is not FRONT_BODY_MORE nothing more comes, and `ret` may have the last bytes. An answer
 * given before the end of the body ends the connection. */
enum front_body {
    FRONT_BODY_MORE,
    FRONT_BODY_END,
    FRONT_BODY_GONE, /* the client has, or the server ends */
    FRONT_BODY_LONG, /* more than upload() said */
    FRONT_BODY_LATE, /* less than 64 KB in body_ms */
    FRONT_BODY_BAD,  /* no chunks as RFC 9112 has them */
};
#define FRONT_UPLOAD_AHEAD (256 << 10)
enum front_body front_body_read(struct front *f, uint64_t id, struct sl_buf *ret);

/* Answers a request. false: its client has gone. */
bool front_reply_to(struct front *f, uint64_t id, const struct front_reply *r);
/* Begins an answer without a stated length (reply->body is its first piece). */
bool front_stream_open(struct front *f, uint64_t id, const struct front_reply *r);
/* Adds to it. Waits while the client has more than its share unread, unless `urgent` (loop: always urgent). */
bool front_stream_write(struct front *f, uint64_t id, sl_str piece, bool urgent);
bool front_stream_end(struct front *f, uint64_t id);
/* Ends it so that its client sees that it is not whole. */
bool front_stream_break(struct front *f, uint64_t id);

/* Sends a text message on a WebSocket; waits like front_stream_write. */
bool front_socket_send(struct front *f, uint64_t id, sl_str text, bool urgent);
/* Closes it after what was sent, with a close code and reason. */
bool front_socket_close(struct front *f, uint64_t id, int code, const char *reason);

/* loop. Messages of it are at most that long; 0: as configured. */
void front_socket_takes(struct front *f, uint64_t id, size_t message_bytes);

struct front_counts {
    unsigned connections, requests, sockets;
    uint64_t requests_total, bytes_out;
};
void front_count(const struct front *f, struct front_counts *ret);

/* From now on nobody waits for a slow client. */
void front_hurry(struct front *f);
/* loop. Takes no more connections; requests under way are answered. */
void front_stop_listening(struct front *f);
/* loop. Closes what is left; the loop must run a few turns more before front_free. */
void front_close(struct front *f);
void front_free(struct front *f);

#endif
