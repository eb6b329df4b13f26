/* SPDX-License-Identifier: Apache-2.0
 * The targets of an owner: a local Flink for each version, and clusters of others for each of their records.
 * Made on first use, freed at the end only. Any thread. */
#ifndef SLUICE_API_OWNER_TARGETS_H
#define SLUICE_API_OWNER_TARGETS_H

#include "gateway/target/target.h"
#include "store/store.h"

struct owner_targets;
struct owner_targets_config { /* all borrowed until owner_targets_free() */
    struct store *store;
    const char *data_dir, *cluster_dir, *state_dir;
    const char *flink_dir; /* installations */
    const char *self;      /* path of this binary */
    int local_slots;
};
struct owner_targets *owner_targets_new(const struct owner_targets_config *c);
/* `stop`: what runs on the local ones ends, too. NULL: nothing. */
void owner_targets_free(struct owner_targets *o, bool stop);
bool owner_targets_any(struct owner_targets *o);

/* The three that others are given; `ctx` is the owner_targets. */
/* "" = the default target. `flink`: "2.2" or "2.2.1". NULL: SL_TARGET_UNKNOWN, or what kept it from being made. */
struct target *owner_targets_get(void *ctx, sl_str name, sl_str flink, struct sl_err *err);
struct target *owner_targets_tracked(void *ctx, const char *name, const char *flink);
/* HOST:PORT that its TaskManagers dial, where it has one of its own; else "". In the arena. */
const char *owner_targets_results(void *ctx, const char *target, struct sl_arena *a);

#endif
