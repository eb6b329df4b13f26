/* SPDX-License-Identifier: Apache-2.0
 * A server listens at once and prepares its Flink behind that: on a thread of its own the local Flink of the default version is
 * installed and made ready, where local is the default target. What fails is tried again. */
#ifndef SLUICE_API_PREPARE_H
#define SLUICE_API_PREPARE_H

#include "base/err.h"
#include "base/str.h"

struct target;
struct prepare;
struct prepare_env {
    struct target *(*target)(void *ctx, sl_str name, sl_str flink, struct sl_err *err);
    void *target_ctx;
    sl_str flink; /* default version */
    /* Any thread. How far it is, a line for people; NULL: it is ready. */
    void (*say)(void *ctx, const char *why_not);
    void *ctx;
};
struct prepare *prepare_start(const struct prepare_env *env);
/* Gives up what is under way, and waits for that. */
void prepare_stop(struct prepare *p);

#endif
