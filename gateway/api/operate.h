/* SPDX-License-Identifier: Apache-2.0
 * What whoever runs the owner of a data folder can ask of it by signals and systemd: HUP reads settings, tokens and certificate
 * again, USR1 writes its state into the log; systemd (Type=notify) hears when it is ready, reads again and ends. Loop thread. */
#ifndef SLUICE_API_OPERATE_H
#define SLUICE_API_OPERATE_H

#include "gateway/api/serve.h"
#include "gateway/auth/rules.h"

struct operate_env {
    uv_loop_t *loop;
    const struct sys_config *settings; /* of the start */
    struct api *api;
    struct auth *auth;
    struct auth_rules *rules;
    struct tracker *tracker;
    struct serve *serve;    /* NULL: not a server */
    const char *token_file; /* of this machine's command line; NULL: it needs none */
};
struct operate;
struct operate *operate_start(const struct operate_env *env);
/* From now on nothing is read again. The loop turns until operate_closed() before operate_free. */
void operate_close(struct operate *o);
bool operate_closed(const struct operate *o);
void operate_free(struct operate *o);

/* "READY=1", "STOPPING=1" for systemd; nothing without $NOTIFY_SOCKET. */
void operate_notify(const char *state);

#endif
