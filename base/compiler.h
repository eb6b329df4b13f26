/* SPDX-License-Identifier: Apache-2.0
 * Compiler attributes and the programming-error check used in every room. */
#ifndef SLUICE_BASE_COMPILER_H
#define SLUICE_BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* On every function that can fail: the caller looks at the answer. */
#define SL_MUST_CHECK         __attribute__((warn_unused_result))
#define SL_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define SL_NORETURN           __attribute__((noreturn))
#define SL_UNUSED             __attribute__((unused))
#define SL_CLEANUP(fn)        __attribute__((cleanup(fn)))

#define SL_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define SL_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define SL_MAX(a, b)    ((a) > (b) ? (a) : (b))

/* A programming error: prints file, line and condition to stderr and aborts, in all builds. */
SL_NORETURN void sl_bug(const char *file, int line, const char *what);
#define SL_BUG_ON(cond)                                                                                      \
    do {                                                                                                     \
        if (__builtin_expect(!!(cond), 0)) {                                                                 \
            sl_bug(__FILE__, __LINE__, #cond);                                                               \
        }                                                                                                    \
    } while (0)

/* A small object of our own, for which there is no memory: says so and ends the process at once with the exit
 * code of out-of-memory. What is on disk is whole at every moment, as it must be for kill -9. Where the size
 * comes from outside, the caller gets SL_NO_MEMORY or SL_LIMIT instead. */
SL_NORETURN void sl_oom(const char *file, int line);
#define SL_OOM_ON(cond)                                                                                      \
    do {                                                                                                     \
        if (__builtin_expect(!!(cond), 0)) {                                                                 \
            sl_oom(__FILE__, __LINE__);                                                                      \
        }                                                                                                    \
    } while (0)

#endif
