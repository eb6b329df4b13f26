/* SPDX-License-Identifier: Apache-2.0
 * The log: key=value lines into a ring, written by a thread of its own; never blocks the caller (a full ring
 * drops and counts). Libraries never log what they also return; only the edges log. */
#ifndef SLUICE_SYS_LOG_H
#define SLUICE_SYS_LOG_H

#include "base/str.h"

enum sys_log_level { SYS_LOG_ERR, SYS_LOG_WARN, SYS_LOG_INFO, SYS_LOG_DEBUG };
/* Before sys_log_open and after sys_log_close nothing is logged. path NULL = stderr. The file is capped: at
 * max_bytes it becomes path.1. */
void sys_log_open(const char *path, enum sys_log_level level, size_t max_bytes);
void sys_log_close(void);
void sys_log_set_level(enum sys_log_level level);
/* One JSON object a line instead of key=value text. */
void sys_log_set_json(bool on);
/* Lines lost because the ring was full. */
uint64_t sys_log_dropped(void);
/* Any thread. More than SL_LIMIT_LOG_PER_SECOND lines of one event in a second are held back; the next one
 * says how many. mod: the room; event: a fixed word; fmt: "key=value key=value". */
void sys_log(enum sys_log_level level, const char *mod, const char *event, const char *fmt, ...)
    SL_PRINTF(4, 5);

#endif
