/* SPDX-License-Identifier: Apache-2.0
 * A submit request on a thread of its own: main() may plan for a long time, and its submission must stay
 * stoppable. */
#include "gateway/jobs/submission_internal.h"

static void *call_run(void *arg)
{
    struct sub_call *c = arg;
    c->ok = c->target->ops->submit(c->target, &c->submit, &c->arena, &c->cluster, &c->failure, &c->err);
    __atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
    return NULL;
}

void sub_call_start(struct sub_call *c, struct target *t, const struct tgt_submit *s)
{
    memset(c, 0, sizeof(*c));
    c->target = t;
    c->submit = *s;
    c->err = SL_ERR_INIT;
    sl_arena_init(&c->arena, 0);
    SL_OOM_ON(pthread_create(&c->thread, NULL, call_run, c) != 0);
}

bool sub_call_done(struct sub_call *c)
{
    return __atomic_load_n(&c->done, __ATOMIC_ACQUIRE);
}

void sub_call_join(struct sub_call *c)
{
    if (c->target && c->thread) {
        pthread_join(c->thread, NULL);
        c->thread = 0;
    }
}

void sub_call_release(struct sub_call *c)
{
    sub_call_join(c);
    sl_arena_release(&c->arena);
}
