/* SPDX-License-Identifier: Apache-2.0
 * A task: the document one runner fetches, and what the runner says about its statements. */
#include "gateway/results/internal.h"

#include "base/limits.h"

#include <stdlib.h>

static bool over(enum res_task_state s)
{
    return s == RES_TASK_ENDED || s == RES_TASK_LOST;
}

struct res_task *res_task_new(struct res_port *p, sl_str document, struct sl_err *err)
{
    res_lock(p);
    if (p->stopping) {
        res_unlock(p);
        sl_fail(err, SL_BUSY, "the results port is being closed");
        return NULL;
    }
    struct res_task *t = calloc(1, sizeof(*t));
    SL_OOM_ON(!t);
    t->port = p;
    res_port_ref(p);
    t->refs = 1;
    res_cond_init(&t->changed);
    sl_arena_init(&t->arena, 0);
    t->document = sl_str_dup(&t->arena, document);
    t->token.task = t;
    res_token_make(p, &t->token);
    t->next = p->tasks;
    if (t->next) {
        t->next->prev = t;
    }
    p->tasks = t;
    res_unlock(p);
    return t;
}

void res_task_set_document(struct res_task *t, sl_str document)
{
    res_lock(t->port);
    SL_BUG_ON(t->state != RES_TASK_UNCLAIMED && t->document.n > 0);
    t->document = sl_str_dup(&t->arena, document);
    res_unlock(t->port);
}

const char *res_task_token(const struct res_task *t)
{
    return t->token.hex;
}

void res_task_set_state(struct res_task *t, enum res_task_state s)
{
    if (!over(t->state)) {
        t->state = s;
        pthread_cond_broadcast(&t->changed);
    }
}

static struct res_statement_report *find(struct res_task *t, uint32_t statement)
{
    for (size_t i = t->reports.n; i-- > 0;) { /* the newest first: that is what the lane asks for */
        if (t->reports.v[i].statement == statement) {
            return &t->reports.v[i];
        }
    }
    return NULL;
}

struct res_statement_report *res_task_say(struct res_task *t, uint32_t statement)
{
    struct res_statement_report *r = find(t, statement);
    if (!r && t->reports.n < SL_LIMIT_TASK_REPORTS) {
        r = sl_vec_add(&t->arena, &t->reports);
        r->statement = statement;
    }
    return r;
}

enum res_task_state res_task_wait(struct res_task *t, int64_t timeout_ms)
{
    int64_t deadline = timeout_ms < 0 ? -1 : res_now_ms() + timeout_ms;
    res_lock(t->port);
    while (!over(t->state) && res_cond_wait(t->port, &t->changed, deadline)) {
    }
    enum res_task_state s = t->state;
    res_unlock(t->port);
    return s;
}

bool res_task_wait_statement(struct res_task *t, uint32_t statement, int64_t timeout_ms)
{
    int64_t deadline = timeout_ms < 0 ? -1 : res_now_ms() + timeout_ms;
    bool known = false;
    res_lock(t->port);
    do {
        const struct res_statement_report *r = find(t, statement);
        known = over(t->state) || (r && (r->done || r->failed));
    } while (!known && res_cond_wait(t->port, &t->changed, deadline));
    res_unlock(t->port);
    return known;
}

static void copy_report(const struct res_statement_report *r, struct sl_arena *a,
                        struct res_statement_report *ret)
{
    *ret = *r;
    ret->chain_json = sl_str_dup(a, r->chain_json);
    ret->stack = sl_str_dup(a, r->stack);
}

bool res_task_report(struct res_task *t, uint32_t statement, struct sl_arena *a,
                     struct res_statement_report *ret)
{
    res_lock(t->port);
    const struct res_statement_report *r = find(t, statement);
    if (r) {
        copy_report(r, a, ret);
    }
    res_unlock(t->port);
    return r != NULL;
}

bool res_task_failure(struct res_task *t, struct sl_arena *a, struct res_statement_report *ret)
{
    const struct res_statement_report *worst = NULL;
    res_lock(t->port);
    for (size_t i = 0; i < t->reports.n; i++) {
        const struct res_statement_report *r = &t->reports.v[i];
        if (r->failed && (!worst || r->statement == 0)) {
            worst = r;
        }
    }
    if (worst) {
        copy_report(worst, a, ret);
    }
    res_unlock(t->port);
    return worst != NULL;
}

void res_task_unref(struct res_task *t)
{
    struct res_port *p = t->port;
    res_lock(p);
    SL_BUG_ON(t->refs == 0);
    bool last = --t->refs == 0;
    if (last) {
        if (t->prev) {
            t->prev->next = t->next;
        } else {
            p->tasks = t->next;
        }
        if (t->next) {
            t->next->prev = t->prev;
        }
    }
    res_unlock(p);
    if (!last) {
        return;
    }
    for (size_t i = 0; i < t->reports.n; i++) {
        res_result_unref(t->reports.v[i].answer);
    }
    sl_arena_release(&t->arena);
    pthread_cond_destroy(&t->changed);
    free(t);
    res_port_unref(p);
}

void res_task_free(struct res_task *t)
{
    if (!t) {
        return;
    }
    res_lock(t->port);
    res_token_forget(t->port, &t->token);
    t->close_wanted = true;
    if (t->conn) {
        res_attn(t->port, t->conn);
    }
    res_unlock(t->port);
    res_task_unref(t);
}
