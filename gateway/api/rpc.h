/* SPDX-License-Identifier: Apache-2.0
 * JSON-RPC 2.0 over any transport that moves lines: the owner's Unix socket, a WebSocket. A request is
 * {"jsonrpc":"2.0","id":1,"method":"job.list","params":{...}}; events of a call come as notifications
 * {"method":"event","params":{"call":1,"event":{...}}}; {"method":"cancel","params":{"call":1}} takes a call back.
 * A request with "credit":{"rows":N,"bytes":N} beside its params gets no more rows than that until
 * {"method":"credit","params":{"call":1,"rows":N,"bytes":N}} adds to it (credit.h). */
#ifndef SLUICE_API_RPC_H
#define SLUICE_API_RPC_H

#include "gateway/api/api.h"

struct api_rpc {
    struct api_via via;
    struct api *api;
    struct api_credits *credits;
    /* Sends one line to a client; false when it has gone. From lane threads; `urgent` never waits. */
    bool (*send)(void *ctx, uint64_t client, sl_str line, bool urgent);
    void *ctx;
    bool refusing; /* loop: new calls get SL_BUSY; those under way go on and can be taken back */
};
/* Fills it; it must stay where it is as long as the api lives. */
void api_rpc_init(struct api_rpc *r, struct api *a,
                  bool (*send)(void *ctx, uint64_t client, sl_str line, bool urgent), void *ctx);
/* Loop thread: one line of a client who has this role. `user` owns what it submits, whatever the line says, and its
 * parameters are checked against the table of routes; p == NULL: the command line of this machine, which is trusted. `memory`: where the line lies, taken over when that is large; NULL: not to be had, so it is copied. */
void api_rpc_message(struct api_rpc *r, uint64_t client, enum auth_role role, sl_str user, sl_str line,
                     struct sl_buf *memory);
/* When the api has gone; also of one that was never filled. */
void api_rpc_release(struct api_rpc *r);
/* From now on nobody waits for credit. */
void api_rpc_hurry(struct api_rpc *r);
/* Loop thread: a client has gone. */
void api_rpc_gone(struct api_rpc *r, uint64_t client);

#endif
