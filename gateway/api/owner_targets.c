/* SPDX-License-Identifier: Apache-2.0
 * Targets made on first use, and kept: who holds one may use it until the owner ends. */
#include "gateway/api/owner_targets.h"

#include "gateway/target/targets.h"
#include "sys/file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct known_target {
    struct known_target *next;
    struct target *target;
    int64_t made_ms; /* of its record; 0 = local */
};

struct owner_targets {
    struct owner_targets_config config;
    pthread_mutex_t lock; /* guards the list */
    struct known_target *known;
};

struct owner_targets *owner_targets_new(const struct owner_targets_config *c)
{
    struct owner_targets *o = calloc(1, sizeof(*o));
    SL_OOM_ON(!o);
    o->config = *c;
    pthread_mutex_init(&o->lock, NULL);
    return o;
}

/* "2.2" asks for the newest patch version known, "2.2.1" for exactly that. */
static bool same_flink(const struct target *t, sl_str flink)
{
    sl_str mine = sl_str_of(t->flink);
    return sl_str_eq(mine, flink) ||
           (sl_str_starts(mine, flink) && mine.n > flink.n && mine.p[flink.n] == '.' && flink.n <= 4);
}

/* "2.2" of "2.2.1": what decides of a foreign cluster. */
static sl_str minor_of(sl_str flink)
{
    size_t dots = 0, n = 0;
    while (n < flink.n && (flink.p[n] != '.' || ++dots < 2)) {
        n++;
    }
    return sl_str_sub(flink, 0, n);
}

/* The target of a record, for scripts of that Flink. Called with the lock held. */
static struct target *foreign_target(struct owner_targets *o, const char *name, sl_str flink,
                                     struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct target_record r;
    if (!targets_get(o->config.store, name, &a, &r, err)) {
        return NULL;
    }
    for (struct known_target *k = o->known; k; k = k->next) {
        if (k->made_ms == r.made_ms && strcmp(k->target->name, name) == 0 &&
            sl_str_eqz(flink, k->target->flink)) {
            return k->target;
        }
    }
    struct tgt_session_config c = {.name = name,
                                   .flink = sl_arena_strdupz(&a, flink),
                                   .url = r.url,
                                   .ca = r.ca,
                                   .cert = r.cert,
                                   .key = r.key,
                                   .headers = r.headers,
                                   .user = r.user,
                                   .proxy = r.proxy,
                                   .self = o->config.self,
                                   .scratch_dir = sys_path_join(&a, o->config.data_dir, "targets")};
    struct target *t = tgt_session_new(&c, err);
    if (t) {
        struct known_target *k = calloc(1, sizeof(*k));
        SL_OOM_ON(!k);
        k->target = t;
        k->made_ms = r.made_ms;
        k->next = o->known;
        o->known = k;
    }
    return t;
}

struct target *owner_targets_get(void *ctx, sl_str name, sl_str flink, struct sl_err *err)
{
    struct owner_targets *o = ctx;
    char who[64];
    if (name.n > 63) {
        sl_fail(err, SL_TARGET_UNKNOWN, "there is no target '%.*s'", SL_S(name));
        return NULL;
    }
    snprintf(who, sizeof(who), "%.*s", SL_S(name));
    if (!name.n && !targets_default(o->config.store, who, err)) {
        return NULL;
    }
    pthread_mutex_lock(&o->lock);
    if (strcmp(who, "local") != 0) {
        struct target *f = foreign_target(o, who, minor_of(flink), err);
        pthread_mutex_unlock(&o->lock);
        return f;
    }
    struct known_target *l = o->known;
    while (l && (l->made_ms || !same_flink(l->target, flink))) {
        l = l->next;
    }
    struct target *t = l ? l->target : NULL;
    if (!t) {
        char version[16];
        snprintf(version, sizeof(version), "%.*s", SL_S(flink));
        struct tgt_local_config c = {.flink_root = o->config.flink_dir,
                                     .flink = version,
                                     .run_dir = o->config.cluster_dir,
                                     .state_dir = o->config.state_dir,
                                     .self = o->config.self,
                                     .slots = o->config.local_slots};
        t = tgt_local_new(&c, err);
        if (t) {
            l = calloc(1, sizeof(*l));
            SL_OOM_ON(!l);
            l->target = t;
            l->next = o->known;
            o->known = l;
        }
    }
    pthread_mutex_unlock(&o->lock);
    return t;
}

const char *owner_targets_results(void *ctx, const char *target, struct sl_arena *a)
{
    struct owner_targets *o = ctx;
    struct target_record r;
    struct sl_err ignored = SL_ERR_INIT;
    return strcmp(target, "local") != 0 && targets_get(o->config.store, target, a, &r, &ignored)
               ? r.results_address
               : "";
}

struct target *owner_targets_tracked(void *ctx, const char *name, const char *flink)
{
    struct sl_err err = SL_ERR_INIT;
    return owner_targets_get(ctx, sl_str_of(name), sl_str_of(flink), &err);
}

bool owner_targets_any(struct owner_targets *o)
{
    pthread_mutex_lock(&o->lock);
    bool any = o->known != NULL;
    pthread_mutex_unlock(&o->lock);
    return any;
}

void owner_targets_free(struct owner_targets *o, bool stop)
{
    if (!o) {
        return;
    }
    for (struct known_target *l = o->known, *next; l; l = next) {
        next = l->next;
        if (stop) {
            l->target->ops->stop(l->target);
        }
        l->target->ops->free(l->target);
        free(l);
    }
    pthread_mutex_destroy(&o->lock);
    free(o);
}
