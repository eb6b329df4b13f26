/* SPDX-License-Identifier: Apache-2.0
 * A WebSocket client for the command line: blocking, text messages, plain or TLS (RFC 6455). Checks the server's certificate
 * and the accept key; answers pings. One thread. */
#ifndef SLUICE_FRONT_WS_CLIENT_H
#define SLUICE_FRONT_WS_CLIENT_H

#include "base/buf.h"
#include "base/err.h"

struct ws_client;
/* `url`: http://HOST[:PORT][/PREFIX] or https://...; the WebSocket is at PREFIX/ws. `ca`: PEM file, NULL: the system's.
 * Errors: usage (not such an address), owner (nobody answers), tls-failed, unauthorized, forbidden, http (another answer). */
SL_MUST_CHECK struct ws_client *ws_connect(const char *url, const char *token, const char *ca,
                                           int64_t timeout_ms, struct sl_err *err);
SL_MUST_CHECK bool ws_send(struct ws_client *w, sl_str text, struct sl_err *err);
enum ws_next { WS_MESSAGE, WS_TIMEOUT, WS_INTERRUPTED, WS_END };
/* The next whole message, valid until the next call; a signal that arrives ends the wait. timeout < 0: none. */
enum ws_next ws_receive(struct ws_client *w, int64_t timeout_ms, sl_str *ret);
/* Is there another whole message already? */
bool ws_has_more(const struct ws_client *w);
void ws_free(struct ws_client *w);

#endif
