/* SPDX-License-Identifier: Apache-2.0
 * Child processes. */
#ifndef SLUICE_SYS_PROCESS_H
#define SLUICE_SYS_PROCESS_H

#include "base/arena.h"
#include "base/err.h"

#include <sys/types.h>

struct sys_spawn {
    const char *const *argv; /* argv[0] looked up in PATH */
    const char *const *env;  /* NULL = ours; else added to or replacing ours, "K=V" */
    const char *cwd;         /* NULL = ours */
    const char *out, *err;   /* files to append to; NULL = /dev/null */
    int nice;                /* added to ours: gives way to others */
    bool new_session;        /* setsid: survives our terminal */
    bool die_with_parent;    /* PR_SET_PDEATHSIG SIGKILL; the kernel means the *thread* that spawned */
};
/* Starts it with all other fds closed, signals as by default, standard input /dev/null; -1 on failure, also
 * when the program could not be executed. The caller reaps it (waitpid, or sys_process_stop). */
pid_t sys_spawn(const struct sys_spawn *s, struct sl_err *err);
/* Runs to its end (killed with its process group at the timeout), collects stdout (and stderr into ret_err
 * when not NULL) up to 1 MiB each; exit code (128 + signal when killed) or -1. */
int sys_run(struct sl_arena *a, const char *const *argv, int64_t timeout_ms, sl_str *ret_out, sl_str *ret_err,
            struct sl_err *err);
/* Start time of a process in clock ticks since boot (/proc/PID/stat field 22); 0 when there is none or only a
 * zombie. pid and start time
 * together name a process for good. */
uint64_t sys_process_start_time(pid_t pid);
/* start_time 0: whatever has that pid. */
bool sys_process_alive(pid_t pid, uint64_t start_time);
/* TERM, then KILL after the grace time; returns when it is gone. For children (reaped then) and for processes
 * of others. */
void sys_process_stop(pid_t pid, uint64_t start_time, int64_t grace_ms);
/* A port of 127.0.0.1 that is free now. */
int sys_free_port(void);

#endif
