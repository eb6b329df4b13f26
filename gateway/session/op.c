/* SPDX-License-Identifier: Apache-2.0
 * What an operation and its session are as things that are held: made, given back, and how a statement's failure is said. */
#include "gateway/session/internal.h"

#include "base/digest.h"
#include "base/limits.h"
#include "sys/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *const ses_state_names[] = {"PENDING", "RUNNING", "FINISHED", "CANCELED",
                                       "CLOSED",  "ERROR",   "TIMEOUT"};

void ses_make_id(char ret[SES_ID])
{
    char hex[33];
    sl_random_hex(hex, 16);
    snprintf(ret, SES_ID, "%.8s-%.4s-4%.3s-a%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17, hex + 20);
}

/* --- operations and their ends ------------------------------------------------------------------------------------- */

struct ses_op *ses_op_new(void)
{
    struct ses_op *op = calloc(1, sizeof(*op));
    SL_OOM_ON(!op);
    sl_arena_init(&op->arena, 0);
    pthread_mutex_init(&op->fetching, NULL);
    op->refs = 1;
    ses_make_id(op->id);
    return op;
}

void ses_op_free(struct ses_op *op)
{
    if (op->run[0]) { /* an answer is held by its reader */
        res_result_unref(op->result);
    }
    res_reader_free(op->keeper);
    pthread_mutex_destroy(&op->fetching);
    sl_arena_release(&op->arena);
    free(op);
}

struct session *ses_session_new(void)
{
    struct session *s = calloc(1, sizeof(*s));
    SL_OOM_ON(!s);
    pthread_cond_init(&s->changed, NULL);
    return s;
}

void ses_session_free(struct session *s)
{
    pthread_cond_destroy(&s->changed);
    sl_arena_release(&s->facts_arena);
    sl_arena_release(&s->arena);
    free(s);
}

void ses_session_unref(struct session *s, unsigned n)
{
    s->refs -= n;
    if (s->refs == 0) {
        ses_session_free(s);
    }
}

void ses_op_unref(struct ses_op *op)
{
    if (--op->refs == 0) {
        struct session *s = op->session;
        ses_op_free(op);
        ses_session_unref(s, 1);
    }
}

bool ses_stopping(const struct ses_op *op)
{
    return __atomic_load_n(&op->stop, __ATOMIC_ACQUIRE);
}

bool ses_fail_java(struct ses_op *op, const char *type, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    struct ses_cause *c = sl_new(&op->arena, struct ses_cause);
    c->type = sl_str_of(type);
    c->message = sl_str_dup(&op->arena, sl_str_of(text));
    op->failure = (struct ses_failure){c, 1, SL_FLINK};
    return false;
}

bool ses_fail(struct ses_op *op, const struct sl_err *err)
{
    ses_fail_java(op, "org.apache.flink.table.api.TableException", "%s%s%s", err->msg,
                  err->hint[0] ? "\n" : "", err->hint);
    op->failure.code = err->code;
    return false;
}

/* The job of a SELECT whose rows nobody wants any more. */
void ses_end_select(struct ses_host *h, struct ses_op *op)
{
    struct sl_err err = SL_ERR_INIT;
    struct run r;
    if (!tracker_get(h->env.sub.tracker, op->run, &r) || r.ended || !r.flink_job[0]) {
        res_result_close(op->result);
    } else if (!sub_cancel_select(&h->env.sub, op->run, op->result, &err)) {
        sys_log(SYS_LOG_WARN, "session", "cancel", "run=%s error=\"%s\"", op->run, err.msg);
    }
}

struct ses_failure ses_failure_dup(const struct ses_failure *f, struct sl_arena *a)
{
    struct ses_cause *c = sl_new_n(a, struct ses_cause, f->n + 1);
    for (size_t i = 0; i < f->n; i++) {
        c[i] = (struct ses_cause){sl_str_dup(a, f->causes[i].type), sl_str_dup(a, f->causes[i].message)};
    }
    return (struct ses_failure){c, f->n, f->code};
}
