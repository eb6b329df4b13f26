/* SPDX-License-Identifier: Apache-2.0
 * sl_arena: memory that lives and dies together (one per statement, request or lane job).
 * Not thread-safe: an arena belongs to one thread at a time and is handed over whole.
 * Exceeding the ceiling or the machine's memory aborts; client-sized objects are checked against
 * limits.h before they are allocated, so the ceiling is a defence and not an answer. */
#ifndef SLUICE_BASE_ARENA_H
#define SLUICE_BASE_ARENA_H

#include "base/str.h"

struct sl_arena {
    struct sl_arena_block *head; /* newest block */
    char *at, *end;              /* free part of the newest block */
    size_t used;                 /* bytes handed out */
    size_t ceiling;              /* bytes; 0 = SL_LIMIT_ARENA_BYTES */
    struct sl_arena_cleanup *cleanups;
};

/* An empty arena; allocates nothing yet. `(struct sl_arena){0}` is the same with the default ceiling. */
void sl_arena_init(struct sl_arena *a, size_t ceiling_bytes);
/* Runs the cleanups (newest first), frees all blocks; the arena is then empty and usable again. */
void sl_arena_release(struct sl_arena *a);

/* 16-byte aligned, not zeroed / zeroed. Never NULL. */
void *sl_arena_alloc(struct sl_arena *a, size_t bytes) __attribute__((malloc, alloc_size(2)));
void *sl_arena_zalloc(struct sl_arena *a, size_t bytes) __attribute__((malloc, alloc_size(2)));
#define sl_new(arena, type)      ((type *)sl_arena_zalloc((arena), sizeof(type)))
#define sl_new_n(arena, type, n) ((type *)sl_arena_zalloc((arena), sizeof(type) * (size_t)(n)))

/* Gives back what lies behind the first `kept` of the `bytes` at `p`, when nothing was allocated since. */
void sl_arena_trim(struct sl_arena *a, void *p, size_t bytes, size_t kept);

/* Copies, NUL-terminated behind the slice for the benefit of C APIs. */
sl_str sl_str_dup(struct sl_arena *a, sl_str s);
char *sl_arena_strdupz(struct sl_arena *a, sl_str s);
sl_str sl_arena_printf(struct sl_arena *a, const char *fmt, ...) SL_PRINTF(2, 3);

/* `fn(arg)` runs at release: for fds, curl handles, mapped files. */
void sl_arena_on_release(struct sl_arena *a, void (*fn)(void *arg), void *arg);

/* Scratch use: everything allocated after the mark is given back. Cleanups added since are run. */
struct sl_arena_mark {
    struct sl_arena_block *head;
    char *at;
    size_t used;
    struct sl_arena_cleanup *cleanups;
};
struct sl_arena_mark sl_arena_mark(const struct sl_arena *a);
void sl_arena_rewind(struct sl_arena *a, struct sl_arena_mark m);

#define SL_ARENA_AUTO SL_CLEANUP(sl_arena_release) struct sl_arena

#endif
