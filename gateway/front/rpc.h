/* SPDX-License-Identifier: Apache-2.0
 * Lines of JSON over a Unix socket: what the command line speaks with the owner of a data folder. This layer
 * moves lines and knows nothing of their meaning. Both ends prove who they are by the socket's mode (0600)
 * and SO_PEERCRED. */
#ifndef SLUICE_FRONT_RPC_H
#define SLUICE_FRONT_RPC_H

#include "base/err.h"

#include <uv.h>

/* --- the owner's side; its callbacks run on the loop ---------------------------------------------------- */

struct net_rpc;
struct net_rpc_ops {
    /* A whole line, without its line end, never empty; valid during the call. A client whose line is longer
     * than SL_LIMIT_OWNER_LINE_BYTES is closed; one that does not read its answers is not heard until it
     * does. */
    void (*message)(void *ctx, uint64_t client, sl_str line);
    /* The client has gone; its number is never used again. */
    void (*gone)(void *ctx, uint64_t client);
};
SL_MUST_CHECK struct net_rpc *net_rpc_listen(uv_loop_t *loop, const char *path, const struct net_rpc_ops *ops,
                                             void *ctx, struct sl_err *err);
/* From any thread but the loop: copies the line, and waits while the client has more than its share unread.
 * false when the client has gone. `urgent` never waits (answers; also from the loop). */
bool net_rpc_send(struct net_rpc *r, uint64_t client, sl_str line, bool urgent);
/* From now on nobody waits for a slow client: what would have waited is false. For the end. */
void net_rpc_hurry(struct net_rpc *r);
unsigned net_rpc_clients(const struct net_rpc *r);
/* Removes the socket file and takes no more clients; those that are there stay. Loop thread; may be called
 * again. */
void net_rpc_stop_listening(struct net_rpc *r);
/* Stops listening, removes the socket file, closes every client. Loop thread; memory goes with the loop's
 * next turn. */
void net_rpc_close(struct net_rpc *r);
void net_rpc_free(struct net_rpc *r);

/* --- the client's side; blocking ------------------------------------------------------------------------ */

struct net_rpc_client;
/* SL_OWNER when nobody listens there. */
SL_MUST_CHECK struct net_rpc_client *net_rpc_connect(const char *path, struct sl_err *err);
/* The same with a server at http://HOST:PORT or https://...; token, ca (PEM file) may be NULL. Errors of ws_connect(). */
SL_MUST_CHECK struct net_rpc_client *net_rpc_connect_url(const char *url, const char *token, const char *ca,
                                                         struct sl_err *err);
SL_MUST_CHECK bool net_rpc_client_send(struct net_rpc_client *c, sl_str line, struct sl_err *err);
enum net_rpc_next { NET_RPC_LINE, NET_RPC_TIMEOUT, NET_RPC_INTERRUPTED, NET_RPC_END };
/* The line is valid until the next call. A signal that arrives ends the wait with INTERRUPTED. */
enum net_rpc_next net_rpc_client_next(struct net_rpc_client *c, int64_t timeout_ms, sl_str *ret_line);
/* Is another whole line already here? */
bool net_rpc_client_has_more(const struct net_rpc_client *c);
void net_rpc_client_free(struct net_rpc_client *c);

#endif
