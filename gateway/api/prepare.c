/* SPDX-License-Identifier: Apache-2.0
 * One thread, one target. */
#include "gateway/api/prepare.h"

#include "base/limits.h"
#include "gateway/target/target.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct prepare {
    struct prepare_env env;
    pthread_t thread;
    bool stop; /* atomic */
};

static bool stopping(struct prepare *p)
{
    return __atomic_load_n(&p->stop, __ATOMIC_ACQUIRE);
}

static bool on_progress(void *ctx, const char *step, const char *text)
{
    struct prepare *p = ctx;
    if (step) {
        char line[256];
        snprintf(line, sizeof(line), "Flink: %s %s", step, text);
        p->env.say(p->env.ctx, line);
    }
    return !stopping(p);
}

static bool once(struct prepare *p, struct sl_err *err)
{
    struct tgt_cluster none;
    struct target *t = p->env.target(p->env.target_ctx, SL_STR(""), p->env.flink, err);
    if (!t) {
        return false;
    }
    /* A cluster of somebody else's is there or not: nothing here could make it so. */
    return strcmp(t->ops->kind, "local") != 0 ||
           t->ops->ready(t, TGT_APPLICATION, on_progress, p, &none, err);
}

static void *work(void *arg)
{
    struct prepare *p = arg;
    while (!stopping(p)) {
        struct sl_err err = SL_ERR_INIT;
        if (once(p, &err)) {
            p->env.say(p->env.ctx, NULL);
            break;
        }
        if (stopping(p)) {
            break;
        }
        sys_log(SYS_LOG_WARN, "owner", "prepare", "code=%s error=\"%s\"", sl_code_slug(err.code), err.msg);
        p->env.say(p->env.ctx, err.msg);
        for (int64_t until = sys_now_ms() + sl_limits.prepare_again_ms;
             sys_now_ms() < until && !stopping(p);) {
            sys_sleep_ms(50);
        }
    }
    return NULL;
}

struct prepare *prepare_start(const struct prepare_env *env)
{
    struct prepare *p = calloc(1, sizeof(*p));
    SL_OOM_ON(!p);
    p->env = *env;
    SL_OOM_ON(pthread_create(&p->thread, NULL, work, p) != 0);
    return p;
}

void prepare_stop(struct prepare *p)
{
    __atomic_store_n(&p->stop, true, __ATOMIC_RELEASE);
    pthread_join(p->thread, NULL);
    free(p);
}
