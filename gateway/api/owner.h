/* SPDX-License-Identifier: Apache-2.0
 * The owner of a data folder: the one process that holds its lock, its store, the results port, the tracker
 * and the local Flink, and answers on its Unix socket. It ends when it is told to, or when nobody has needed
 * it for a while. */
#ifndef SLUICE_API_OWNER_H
#define SLUICE_API_OWNER_H

#include "base/arena.h"
#include "base/err.h"
#include "store/store.h"
#include "sys/config.h"

struct api_dialect;

struct owner_config {
    const char *data_dir;
    const char *flink_dir;             /* installations */
    const char *self;                  /* path of this binary */
    const char *build;                 /* names the binary */
    const struct sys_config *settings; /* idle times, results port, limits, log, address */
    bool serve;                        /* listens for HTTP, in the foreground, until it is told to end */
    bool no_auth;                      /* asks for no token */
    const struct api_dialect *const *dialects; /* spoken besides its own (api.h) */
    void (*listening)(void *ctx, int port);    /* called when it listens; may be NULL */
    void *ctx;
};

/* Runs until it ends. False with SL_BUSY when another process owns the folder. */
SL_MUST_CHECK bool owner_run(const struct owner_config *c, struct sl_err *err);

/* The tables of all nouns. */
extern const struct store_migration *const owner_migrations[];

/* "<data>/sluice.sock" and "<data>/owner.lock". */
char *owner_socket_path(struct sl_arena *a, const char *data_dir);
/* Version, size and time of the binary: a client compares it with hello's. */
char *owner_build_id(struct sl_arena *a, const char *self);

#endif
