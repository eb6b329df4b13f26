/* SPDX-License-Identifier: Apache-2.0
 * The report of a crash: a signal that means a fault of the program (SEGV, BUS, FPE, ILL, ABRT) writes crash-TIME-PID.txt with
 * signal, address, thread, version, uptime and backtrace, then takes its usual course (core dump, exit status). It holds
 * addresses and names of functions only: no memory, no arguments, no settings. Under a sanitizer, which reports itself, nothing
 * is set up. */
#ifndef SLUICE_SYS_CRASH_H
#define SLUICE_SYS_CRASH_H

#include "base/str.h"

#define SYS_CRASH_KEPT 10

/* Once, from the main thread. `build` names the binary. Of reports in `folder` the newest SYS_CRASH_KEPT stay; those of a process
 * before this one are told in the log, once. */
void sys_crash_watch(const char *folder, const char *build);

#endif
