/* SPDX-License-Identifier: Apache-2.0
 * The server side of the owner: HTTP and WebSocket in front of the API. It decides who may speak (Host, Origin, token) and hands
 * on: /api/v1 to rest.h, /ws to rpc.h; /healthz, /readyz, /metrics and openapi.json it answers itself. Loop thread. */
#ifndef SLUICE_API_SERVE_H
#define SLUICE_API_SERVE_H

#include "gateway/api/api.h"
#include "gateway/front/front.h"
#include "sys/config.h"

#include <uv.h>

struct serve;
/* Listens when it returns. Without tokens (`no_auth`) everybody is an admin: on loopback only. Errors: port-taken, usage,
 * tls-failed. Everything given outlives it. */
SL_MUST_CHECK struct serve *serve_start(uv_loop_t *loop, const struct sys_config *settings, bool no_auth,
                                        struct api *api, struct auth *auth, struct tracker *tracker,
                                        struct sl_err *err);
int serve_port(const struct serve *s);
/* Clients that are connected. */
unsigned serve_clients(const struct serve *s);
/* What /readyz says from now on; NULL: it is ready. At first it is not. Any thread. */
void serve_ready(struct serve *s, const char *why_not);
/* Other host names, limits and, where it speaks TLS, certificate (NULL: the one it has), from the next request on. */
void serve_reload(struct serve *s, const struct sys_config *settings, const struct front_tls *tls);
/* Writes counts into the log. */
void serve_log_state(struct serve *s);
/* Takes no more connections and no more calls (busy); those under way go on. */
void serve_refuse(struct serve *s);
/* The same, and nobody waits for a slow client any more: calls are told to stop. */
void serve_drain(struct serve *s);
/* Closes what is left; the loop turns a few times before serve_free. */
void serve_close(struct serve *s);
void serve_free(struct serve *s);

#endif
