/* SPDX-License-Identifier: Apache-2.0
 * The command line's way to the owner of the data folder: connect, start one where there is none, ask. */
#ifndef SLUICE_CLI_OWNER_CLIENT_H
#define SLUICE_CLI_OWNER_CLIENT_H

#include "base/json.h"
#include "gateway/front/rpc.h"

/* Connects; with `start`, an owner is started in the background when nobody answers, and an idle one of an
 * older build is replaced. Error owner when there is none (without `start`), or it does not come up within 10
 * s. */
SL_MUST_CHECK struct net_rpc_client *cli_owner_connect(bool start, struct sl_err *err);

/* One request and its answer; events in between are dropped. The answer lives in the arena. */
SL_MUST_CHECK const struct sl_json *cli_owner_ask(struct net_rpc_client *c, const char *method, sl_str params,
                                                  struct sl_arena *a, struct sl_err *err);
/* Brings files to the server of the settings that does not have them; *ret: their digests, in the arena. Errors of the server, and
 * file-not-found. */
SL_MUST_CHECK bool cli_server_bring(const char *const *paths, size_t n, struct sl_arena *a, const char ***ret,
                                    struct sl_err *err);
/* An error answer of the owner as our own error. Always false. */
bool cli_owner_error(const struct sl_json *error, struct sl_err *err);

#endif
