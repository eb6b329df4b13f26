/* SPDX-License-Identifier: Apache-2.0
 * The facts of a run as JSON in the ledger. A field that an older Sluice did not write is 0. */
#include "gateway/jobs/run.h"

#include <stddef.h>
#include <stdio.h>

enum type { I32, I64, FLAG };
#define LAST(key, field, type)                                                                               \
    {                                                                                                        \
        key, offsetof(struct run, last.field), type                                                          \
    }
#define VITALS(key, field, type)                                                                             \
    {                                                                                                        \
        key, offsetof(struct run, vitals.field), type                                                        \
    }
static const struct fact {
    const char *key;
    size_t at;
    enum type type;
} facts[] = {
    LAST("tasks", tasks, I32),
    LAST("running", tasks_running, I32),
    LAST("finished", tasks_finished, I32),
    LAST("in", records_in, I64),
    LAST("out", records_out, I64),
    LAST("inHidden", in_hidden, FLAG),
    LAST("outHidden", out_hidden, FLAG),
    LAST("restarts", restarts, I32),
    LAST("restartingMs", restarting_ms, I64),
    LAST("checkpoints", checkpoints_completed, I64),
    LAST("failed", checkpoints_failed, I64),
    LAST("last", last_checkpoint_id, I64),
    LAST("lastMs", last_checkpoint_ms, I64),
    LAST("lastTookMs", last_checkpoint_duration_ms, I64),
    LAST("lastBytes", last_checkpoint_bytes, I64),
    LAST("intervalMs", checkpoint_interval_ms, I64),
    LAST("watermarkMs", watermark_ms, I64),
    LAST("lag", lag, I64),
    LAST("lagTold", lag_told, FLAG),
    VITALS("stateMs", state_ms, I64),
    VITALS("healthMs", health_ms, I64),
    VITALS("silentMs", silent_ms, I64),
    VITALS("movedMs", moved_ms, I64),
    VITALS("figuresMs", figures_ms, I64),
    VITALS("heldMs", held_ms, I64),
    VITALS("heldPermille", held_permille, I32),
    VITALS("failedInRow", checkpoints_failed, I32),
    VITALS("checkpointsSeen", checkpoints_seen, I64),
    VITALS("checkpointsMissed", checkpoints_missed, I64),
    VITALS("failedMs", failed_ms, I64),
    VITALS("sourceUnreachable", source_unreachable, FLAG),
};

void run_facts_write(const struct run *r, struct sl_buf *b)
{
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    for (size_t i = 0; i < SL_ARRAY_LEN(facts); i++) {
        const void *at = (const char *)r + facts[i].at;
        if (facts[i].type == FLAG) {
            bool v;
            memcpy(&v, at, sizeof v);
            sl_jw_kbool(&w, facts[i].key, v);
        } else if (facts[i].type == I32) {
            int v;
            memcpy(&v, at, sizeof v);
            sl_jw_ki64(&w, facts[i].key, v);
        } else {
            int64_t v;
            memcpy(&v, at, sizeof v);
            sl_jw_ki64(&w, facts[i].key, v);
        }
    }
    sl_jw_kstrz(&w, "restored", r->last.restored_from);
    sl_jw_key(&w, "restartsAt");
    sl_jw_array(&w);
    for (int i = 0; i < r->vitals.n_restarts; i++) {
        sl_jw_i64(&w, r->vitals.restarts_at[i]);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
}

void run_facts_read(struct run *r, sl_str json)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *f = sl_json_parse(&a, json, &err);
    for (size_t i = 0; i < SL_ARRAY_LEN(facts); i++) {
        void *at = (char *)r + facts[i].at;
        const struct sl_json *e = sl_json_get(f, facts[i].key);
        if (facts[i].type == FLAG) {
            bool v = sl_json_bool(e, false);
            memcpy(at, &v, sizeof v);
        } else if (facts[i].type == I32) {
            int v = (int)sl_json_i64(e, 0);
            memcpy(at, &v, sizeof v);
        } else {
            int64_t v = sl_json_i64(e, 0);
            memcpy(at, &v, sizeof v);
        }
    }
    r->last.slots_free = r->last.taskmanagers = -1; /* of then, not of now */
    snprintf(r->last.restored_from, sizeof(r->last.restored_from), "%.*s",
             SL_S(sl_json_str(sl_json_get(f, "restored"), SL_STR(""))));
    SL_JSON_EACH(e, sl_json_get(f, "restartsAt"))
    {
        if (r->vitals.n_restarts < RUN_RESTARTS) {
            r->vitals.restarts_at[r->vitals.n_restarts++] = sl_json_i64(e, 0);
        }
    }
}
