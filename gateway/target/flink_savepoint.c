/* SPDX-License-Identifier: Apache-2.0
 * Savepoints over Flink's REST. */
#include "gateway/target/flink_savepoint.h"

#include "base/buf.h"

#include <stdio.h>

static void put_ask(struct sl_buf *b, const struct flink_savepoint_ask *q)
{
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    /* The two requests write the name of the folder in two ways. */
    if (q->dir) {
        sl_jw_kstrz(&w, q->stop ? "targetDirectory" : "target-directory", q->dir);
    }
    if (q->stop) {
        sl_jw_kbool(&w, "drain", q->drain);
    } else {
        sl_jw_kbool(&w, "cancel-job", false);
    }
    sl_jw_kstrz(&w, "triggerId", q->trigger_id);
    sl_jw_end_object(&w);
}

bool flink_savepoint_start(struct flink_rest *r, const struct flink_savepoint_ask *q, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    SL_BUF_AUTO b;
    char path[128];
    const struct sl_json *doc;
    sl_buf_init(&b, 0);
    put_ask(&b, q);
    snprintf(path, sizeof path, "/jobs/%s/%s", q->job_id, q->stop ? "stop" : "savepoints");
    if (!flink_rest_post(r, path, sl_buf_str(&b), &a, &doc, err)) {
        return false;
    }
    if (!sl_str_eqz(sl_json_str(sl_json_get(doc, "request-id"), SL_STR_NONE), q->trigger_id)) {
        return flink_rest_bad_answer(r, path, "another request-id than the one given", err);
    }
    return true;
}

/* A job that fails between its savepoint and its end: Flink calls that a failure, ends the job and says where the
 * savepoint lies, which is whole; what its sinks had not committed is committed when it is restored. */
static bool is_there_all_the_same(sl_str stack, struct flink_savepoint *ret)
{
    static const sl_str head = {"A savepoint has been created at: ", 33},
                        tail = {", but the corresponding job ", 28};
    ptrdiff_t from = sl_str_find(stack, head);
    sl_str rest =
        from < 0 ? SL_STR_NONE : sl_str_sub(stack, (size_t)from + head.n, stack.n - (size_t)from - head.n);
    ptrdiff_t n = sl_str_find(rest, tail);
    if (n <= 0 || (size_t)n >= sizeof ret->path) {
        return false;
    }
    ret->state = FLINK_SAVEPOINT_DONE;
    snprintf(ret->path, sizeof ret->path, "%.*s", (int)n, rest.p);
    snprintf(ret->reason, sizeof ret->reason, "the job failed when it was to end after it");
    return true;
}

bool flink_savepoint_of_json(const struct sl_json *answer, struct flink_savepoint *ret)
{
    memset(ret, 0, sizeof *ret);
    sl_str id = sl_json_str(sl_json_path(answer, "status.id"), SL_STR_NONE);
    if (sl_str_eqz(id, "IN_PROGRESS")) {
        ret->state = FLINK_SAVEPOINT_WORKING;
        return true;
    }
    if (!sl_str_eqz(id, "COMPLETED")) {
        return false;
    }
    const struct sl_json *op = sl_json_get(answer, "operation");
    const struct sl_json *cause = sl_json_get(op, "failure-cause");
    sl_str at = sl_json_str(sl_json_get(op, "location"), SL_STR_NONE);
    if (cause && !sl_json_is(cause, SL_JSON_NULL)) {
        sl_str stack = sl_json_str(sl_json_get(cause, "stack-trace"), SL_STR_NONE);
        if (is_there_all_the_same(stack, ret)) {
            return true;
        }
        sl_str line = flink_root_line(stack);
        if (!line.n) {
            line = sl_json_str(sl_json_get(cause, "class"), SL_STR("Flink does not say why"));
        }
        ret->state = FLINK_SAVEPOINT_FAILED;
        snprintf(ret->reason, sizeof ret->reason, "%.*s", (int)SL_MIN(line.n, sizeof ret->reason - 1),
                 line.p);
        return true;
    }
    if (!at.n || at.n >= sizeof ret->path) {
        return false;
    }
    ret->state = FLINK_SAVEPOINT_DONE;
    snprintf(ret->path, sizeof ret->path, "%.*s", SL_S(at));
    return true;
}

bool flink_savepoint_look(struct flink_rest *r, const char *job_id, const char *trigger_id,
                          struct flink_savepoint *ret, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char path[160];
    struct sl_err why = SL_ERR_INIT;
    snprintf(path, sizeof path, "/jobs/%s/savepoints/%s", job_id, trigger_id);
    const struct sl_json *doc = flink_rest_get(r, path, &a, &why);
    memset(ret, 0, sizeof *ret);
    if (!doc && why.code == SL_NOT_FOUND) {
        ret->state = FLINK_SAVEPOINT_UNKNOWN;
        return true;
    }
    if (!doc) {
        if (err) {
            *err = why;
        }
        return false;
    }
    return flink_savepoint_of_json(doc, ret) ||
           flink_rest_bad_answer(r, path, "no state of the savepoint in it", err);
}
