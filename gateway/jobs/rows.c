/* SPDX-License-Identifier: Apache-2.0
 * A result on its way to the one who looks: columns once, rows block by block, the end with its mark. The
 * reader keeps no more than a block; a slow client stops the reading, and that the sink. */
#include "gateway/jobs/submission_internal.h"

#include "base/limits.h"

#define LOOK_MS  50
#define ALIVE_MS 500

struct columns {
    struct res_column *v;
    size_t n;
    bool insert_only, sent;
};

static void send_columns(struct sub *s, struct res_result *r, int number, uint32_t statement,
                         struct columns *c)
{
    if (!c->sent) {
        c->n = res_result_columns(r, s->arena, &c->v, &c->insert_only);
        if (c->n) {
            event_columns(s->sink, number, statement, c->v, c->n, c->insert_only);
            c->sent = true;
        }
    }
}

static const char *zone_of(struct sub *s, uint32_t statement)
{
    for (size_t i = 0; i < s->plan.n; i++) {
        if (s->plan.units[i].stmt->number == statement) {
            sl_str z = plan_config_get(&s->plan.units[i].config, "table.local-time-zone");
            return z.n && !sl_str_ieqz(z, "default") ? sl_arena_strdupz(s->arena, z) : NULL;
        }
    }
    return NULL;
}

static void note_result(struct sub *s, int number, uint64_t rows, const char *state)
{
    sl_vec_push(s->arena, &s->shown_results, ((struct shown_result){number, rows, state}));
    event_end(s->sink, number, rows, state);
}

enum rows_end sub_rows(struct sub *s, struct res_result *r, uint32_t statement, uint64_t max,
                       const struct rows_watch *watch, uint64_t *ret_rows)
{
    int number = ++s->results;
    const char *zone = zone_of(s, statement);
    struct columns cols = {0};
    uint64_t shown = 0;
    int64_t begun = sys_now_ms(), asked = begun;
    bool last_look = false;
    struct res_reader *rd = res_reader_new(r, 0, true);
    enum rows_end end = ROWS_BROKEN;
    for (;;) {
        struct res_rows rows;
        if (sub_stopping(s)) {
            end = ROWS_STOPPED;
            break;
        }
        if (s->rq->max_duration_ms && sys_now_ms() - begun >= s->rq->max_duration_ms) {
            end = ROWS_LIMIT;
            break;
        }
        if (res_reader_wait(rd, LOOK_MS, &rows)) {
            uint64_t sent = 0;
            struct sl_err err = SL_ERR_INIT;
            if (shown == 0 && watch && watch->first) {
                watch->first(watch->ctx);
            }
            send_columns(s, r, number, statement, &cols);
            if (!event_rows(s->sink, number, &rows, cols.v, cols.n, s->rq->form, zone, max - shown, &sent,
                            &err)) {
                sub_fail(s, &err);
                break;
            }
            shown += sent;
            if (shown >= max) {
                end = ROWS_LIMIT;
                break;
            }
            continue;
        }
        enum res_state state = rows.state; /* of the moment in which no row was found */
        if (state != RES_OPEN) {           /* while rows may come, their columns go with the first of them */
            send_columns(s, r, number, statement, &cols);
        }
        if (state == RES_COMPLETE && shown >= res_result_rows(r)) {
            end = ROWS_COMPLETE;
            break;
        }
        if (state == RES_PARTIAL || state == RES_FAILED || state == RES_CLOSED) {
            break;
        }
        if (sys_now_ms() - asked > ALIVE_MS) {
            asked = sys_now_ms();
            if (watch && state != RES_COMPLETE && !watch->alive(watch->ctx)) {
                /* The last rows and the end may have come while we asked: one more look, and only then it is
                 * over. */
                if (last_look || res_result_state(r) == RES_WAITING) {
                    break;
                }
                last_look = true;
            }
        }
    }
    res_reader_free(rd);
    send_columns(s, r, number, statement, &cols);
    static const char *const words[] = {"complete", "limit", "stopped", "partial"};
    if (cols.sent || end != ROWS_BROKEN) {
        note_result(s, number, shown, words[end]);
    }
    *ret_rows = shown;
    return end;
}

bool sub_cancel_select(const struct sub_env *env, const char *run_id, struct res_result *result,
                       struct sl_err *err)
{
    bool asked = tracker_ask_cancel(env->tracker, run_id, err);
    res_result_close(result); /* also when Flink cannot be asked: its sink then ends it */
    return asked && tracker_await_cancel(env->tracker, run_id, sl_limits.cancel_ms, err);
}

void sub_answer_rows(struct sub *s, struct res_result *r, uint32_t statement)
{
    uint64_t rows;
    sub_rows(s, r, statement, UINT64_MAX, NULL, &rows);
}
