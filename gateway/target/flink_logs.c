/* SPDX-License-Identifier: Apache-2.0
 * /jobmanager/log, and /taskmanagers with the log of each, or of the one that was chosen. */
#include "gateway/target/flink_logs.h"

#include "base/buf.h"

#include <stdio.h>

#define LOG_BYTES ((size_t)32 << 20)

/* The last lines of a text; 0 = all. */
static sl_str last_lines(sl_str text, size_t lines)
{
    size_t at = text.n;
    if (lines == 0) {
        return text;
    }
    while (at > 0) {
        if (text.p[at - 1] == '\n' && at < text.n && lines-- == 1) {
            break;
        }
        at--;
    }
    return sl_str_sub(text, at, text.n - at);
}

static const struct sl_json *taskmanagers(struct flink_rest *r, struct sl_arena *a, struct sl_err *err)
{
    const struct sl_json *doc = flink_rest_get(r, "/taskmanagers", a, err);
    const struct sl_json *list = doc ? sl_json_get(doc, "taskmanagers") : NULL;
    if (doc && !sl_json_is(list, SL_JSON_ARRAY)) {
        flink_rest_bad_answer(r, "/taskmanagers", "no list of TaskManagers in it", err);
        return NULL;
    }
    return list;
}

static bool append_log(struct flink_rest *r, sl_str id, size_t tail, struct sl_arena *a, struct sl_buf *b,
                       struct sl_err *err)
{
    char path[256];
    sl_str text;
    snprintf(path, sizeof path, "/taskmanagers/%.*s/log", (int)SL_MIN(id.n, (size_t)200), id.p);
    if (!flink_rest_text(r, path, LOG_BYTES, a, &text, err)) {
        return false;
    }
    sl_buf_puts(b, last_lines(text, tail));
    return true;
}

static bool all_logs(struct flink_rest *r, size_t tail, struct sl_arena *a, struct sl_buf *b,
                     struct sl_err *err)
{
    const struct sl_json *list = taskmanagers(r, a, err);
    SL_JSON_EACH(tm, list)
    {
        sl_str id = sl_json_str(sl_json_get(tm, "id"), SL_STR(""));
        if (list->n > 1) {
            sl_buf_printf(b, "==> %.*s <==\n", SL_S(id));
        }
        if (!append_log(r, id, tail, a, b, err)) {
            return false;
        }
    }
    return list != NULL;
}

bool flink_taskmanager_find(struct flink_rest *r, const char *id, struct sl_arena *a, const char **ret,
                            struct sl_err *err)
{
    const struct sl_json *list = taskmanagers(r, a, err);
    if (!list) {
        return false;
    }
    SL_BUF_AUTO there;
    sl_buf_init(&there, 1 << 20);
    size_t hits = 0;
    SL_JSON_EACH(tm, list)
    {
        sl_str one = sl_json_str(sl_json_get(tm, "id"), SL_STR(""));
        bool is = sl_str_eqz(one, id);
        if (is || (id[0] && sl_str_starts(one, sl_str_of(id)))) {
            *ret = sl_arena_strdupz(a, one);
            hits = is ? 1 : hits + 1;
            if (is) {
                break;
            }
        }
        sl_buf_printf(&there, "%s%.*s", there.n ? "\n" : "", SL_S(one));
    }
    if (hits == 1) {
        return true;
    }
    sl_fail(err, SL_NOT_FOUND,
            hits ? "more than one TaskManager begins with '%.80s'" : "there is no TaskManager '%.80s'", id);
    return sl_hint(err, "%.*s", SL_S(list->n ? sl_buf_str(&there) : SL_STR("the cluster has none now")));
}

bool flink_logs(struct flink_rest *r, const char *which, size_t tail, struct sl_arena *a, sl_str *ret,
                struct sl_err *err)
{
    SL_BUF_AUTO b;
    sl_str text;
    const char *id;
    bool ok;
    sl_buf_init(&b, LOG_BYTES * 2);
    if (strcmp(which, "taskmanager") == 0) {
        ok = all_logs(r, tail, a, &b, err);
    } else if (strcmp(which, "jobmanager") == 0) {
        ok = flink_rest_text(r, "/jobmanager/log", LOG_BYTES, a, &text, err);
        if (ok) {
            sl_buf_puts(&b, last_lines(text, tail));
        }
    } else {
        ok = flink_taskmanager_find(r, which, a, &id, err) && append_log(r, sl_str_of(id), tail, a, &b, err);
    }
    *ret = ok ? sl_str_dup(a, sl_buf_str(&b)) : SL_STR_NONE;
    return ok;
}
