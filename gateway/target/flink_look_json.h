/* SPDX-License-Identifier: Apache-2.0
 * What a look reads out of Flink's answers. Pure; a document of another shape gives nothing or false. Private
 * to flink_look. */
#ifndef SLUICE_FLINK_LOOK_JSON_H
#define SLUICE_FLINK_LOOK_JSON_H

#include "gateway/target/flink_look.h"
#include "gateway/target/flink_rest.h"

/* /jobmanager/config */
bool look_who_of_json(const struct sl_json *doc, struct flink_look_who *ret);

/* /jobs/overview */
struct look_state {
    char id[33], state[24];
    int tasks, running, finished;
};
struct look_states {
    struct look_state *v;
    size_t n;
};
bool look_states_of_json(const struct sl_json *doc, struct sl_arena *a, struct look_states *ret);
const struct look_state *look_states_find(const struct look_states *s, const char *id);
void look_apply_state(const struct look_state *now, struct tgt_job_status *ret);

/* /jobs/:id */
enum { LOOK_SOURCE = 1, LOOK_SINK = 2 };
struct look_vertex {
    char id[40];
    unsigned roles; /* its place in the plan */
    unsigned asks;  /* for which of them its operators must be asked */
    uint64_t read, written;
    int64_t held_ms; /* -1 = not told */
    int parallelism;
};
void look_job_of_json(const struct sl_json *doc, struct sl_arena *a, struct tgt_job_status *ret,
                      struct look_vertex **ret_v, size_t *ret_n);
struct flink_held *look_held(const struct look_vertex *v, size_t n, struct sl_arena *a, size_t *ret_n);

/* /jobs/:id/checkpoints: the history, oldest first; its length. */
size_t look_checkpoints_of_json(const struct sl_json *doc, struct sl_arena *a, struct flink_checkpoint **ret);
/* /jobs/:id/checkpoints/config; 0 = no checkpoints by themselves. */
int64_t look_interval_of_json(const struct sl_json *doc);
/* /jobs/:id/metrics?get=numRestarts */
int look_restarts_of_json(const struct sl_json *doc);
/* /jobs/:id/vertices/:id/watermarks: lowers ret->watermark_ms. */
void look_watermark_of_json(const struct sl_json *doc, struct tgt_job_status *ret);

/* /jobs/:id/vertices/:id/subtasks/metrics: which of the names are worth asking for. */
struct look_metric {
    sl_str id;
    int what; /* of look_pick_metrics */
};
/* The value of `get=`, or NULL when there is nothing. */
const char *look_pick_metrics(const struct sl_json *doc, unsigned asks, struct sl_arena *a,
                              struct look_metric **ret, size_t *ret_n);
/* Their values, summed into records and lag. */
void look_metrics_of_json(const struct sl_json *doc, const struct look_vertex *v, const struct look_metric *m,
                          size_t n, struct tgt_job_status *ret);

#endif
