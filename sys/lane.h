/* SPDX-License-Identifier: Apache-2.0
 * Lanes: bounded queues served by their own threads. A job owns its arena, input, output and error, and
 * travels to the lane and back as one pointer. */
#ifndef SLUICE_SYS_LANE_H
#define SLUICE_SYS_LANE_H

#include "base/arena.h"
#include "base/err.h"

struct sys_lane;
struct sys_lane_job {
    void (*work)(struct sys_lane_job *job); /* on a lane thread */
    void (*done)(struct sys_lane_job *job); /* on the loop given to sys_lane_new; NULL: none */
    struct sys_lane_job *next;
};
/* `threads` workers, at most `queue` waiting jobs. `uv_loop` (a uv_loop_t *) receives done(); NULL: done runs
 * on the lane's thread. */
struct sys_lane *sys_lane_new(const char *name, unsigned threads, size_t queue, void *uv_loop);
/* false = the queue is full (the caller answers busy). */
SL_MUST_CHECK bool sys_lane_submit(struct sys_lane *l, struct sys_lane_job *job);
/* Jobs waiting (not the ones being worked on). */
size_t sys_lane_depth(struct sys_lane *l);
/* Finishes what is queued, joins the threads, delivers the last done() calls before it returns. With a loop:
 * call it on the loop's thread, and let the loop run once more so that it closes the lane's handle. */
void sys_lane_free(struct sys_lane *l);

#endif
