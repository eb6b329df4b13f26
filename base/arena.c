/* SPDX-License-Identifier: Apache-2.0
 * Arenas: bump blocks of growing size and a list of cleanups. Under AddressSanitizer the free tail is
 * poisoned and allocations have a gap between them, so that a write past the end is seen. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/vec.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#if !defined(__clang__)
#pragma GCC diagnostic ignored                                                                               \
    "-Wmaybe-uninitialized" /* poisoning takes a const pointer and reads nothing  \
                                                        */
#endif
#define POISON(p, n)   __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#define GAP            16
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#define GAP            0
#endif

#define BLOCK_FIRST 4096
#define BLOCK_MAX   ((size_t)1 << 20)

struct sl_arena_block {
    struct sl_arena_block *older;
    size_t size; /* bytes behind this header */
    _Alignas(16) char data[];
};

struct sl_arena_cleanup {
    struct sl_arena_cleanup *older;
    void (*fn)(void *arg);
    void *arg;
};

void sl_arena_init(struct sl_arena *a, size_t ceiling_bytes)
{
    *a = (struct sl_arena){.ceiling = ceiling_bytes};
}

/* Runs the cleanups added after `until`; they may still read what the arena holds. */
static void run_cleanups(struct sl_arena *a, const struct sl_arena_cleanup *until)
{
    while (a->cleanups != until) {
        struct sl_arena_cleanup *c = a->cleanups;
        SL_BUG_ON(c == NULL);
        a->cleanups = c->older;
        c->fn(c->arg);
    }
}

static void free_blocks(struct sl_arena *a, const struct sl_arena_block *until)
{
    while (a->head != until) {
        struct sl_arena_block *b = a->head;
        SL_BUG_ON(b == NULL);
        a->head = b->older;
        UNPOISON(b->data, b->size);
        free(b);
    }
}

void sl_arena_release(struct sl_arena *a)
{
    run_cleanups(a, NULL);
    free_blocks(a, NULL);
    a->at = a->end = NULL;
    a->used = 0;
}

static void add_block(struct sl_arena *a, size_t need)
{
    size_t size =
        a->head ? SL_MIN(a->head->size * 2, BLOCK_MAX) : BLOCK_FIRST - sizeof(struct sl_arena_block);
    size = SL_MAX(size, need);
    struct sl_arena_block *b = malloc(sizeof(*b) + size);
    SL_OOM_ON(b == NULL);
    b->older = a->head;
    b->size = size;
    a->head = b;
    a->at = b->data;
    a->end = b->data + size;
    POISON(a->at, size);
}

/* What an allocation takes of its block; every answer is an address of its own. */
static size_t step_of(size_t bytes)
{
    return ((bytes + 15) & ~(size_t)15) + GAP + (bytes ? 0 : 16);
}

void *sl_arena_alloc(struct sl_arena *a, size_t bytes)
{
    size_t ceiling = a->ceiling ? a->ceiling : SL_LIMIT_ARENA_BYTES;
    SL_BUG_ON(bytes > ceiling || a->used > ceiling - bytes);
    size_t step = step_of(bytes);
    if ((size_t)(a->end - a->at) < step) {
        add_block(a, step);
    }
    char *p = a->at;
    a->at += step;
    a->used += bytes;
    UNPOISON(p, bytes);
    return p;
}

void *sl_arena_zalloc(struct sl_arena *a, size_t bytes)
{
    void *p = sl_arena_alloc(a, bytes);
    memset(p, 0, bytes);
    return p;
}

void sl_arena_trim(struct sl_arena *a, void *p, size_t bytes, size_t kept)
{
    if ((char *)p + step_of(bytes) != a->at || kept >= bytes) {
        return;
    }
    a->at = (char *)p + step_of(kept);
    a->used -= bytes - kept;
    POISON((char *)p + kept, (size_t)(a->end - (char *)p) - kept);
}

char *sl_arena_strdupz(struct sl_arena *a, sl_str s)
{
    char *p = sl_arena_alloc(a, s.n + 1);
    if (s.n) {
        memcpy(p, s.p, s.n);
    }
    p[s.n] = '\0';
    return p;
}

sl_str sl_str_dup(struct sl_arena *a, sl_str s)
{
    return (sl_str){sl_arena_strdupz(a, s), s.n};
}

sl_str sl_arena_printf(struct sl_arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    SL_BUG_ON(n < 0);
    char *p = sl_arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (sl_str){p, (size_t)n};
}

void sl_arena_on_release(struct sl_arena *a, void (*fn)(void *arg), void *arg)
{
    struct sl_arena_cleanup *c = sl_new(a, struct sl_arena_cleanup);
    c->older = a->cleanups;
    c->fn = fn;
    c->arg = arg;
    a->cleanups = c;
}

struct sl_arena_mark sl_arena_mark(const struct sl_arena *a)
{
    return (struct sl_arena_mark){a->head, a->at, a->used, a->cleanups};
}

void sl_arena_rewind(struct sl_arena *a, struct sl_arena_mark m)
{
    run_cleanups(a, m.cleanups);
    free_blocks(a, m.head);
    a->at = m.at;
    a->end = m.head ? m.head->data + m.head->size : NULL;
    a->used = m.used;
    if (m.head) {
        POISON(a->at, (size_t)(a->end - a->at));
    }
}

void *sl_vec_grow(struct sl_arena *a, void *old, size_t n, size_t *cap, size_t elem)
{
    size_t want = *cap ? *cap * 2 : 8, bytes;
    SL_BUG_ON(want < *cap || __builtin_mul_overflow(want, elem, &bytes));
    void *grown = sl_arena_alloc(a, bytes);
    if (n) {
        memcpy(grown, old, n * elem);
    }
    *cap = want;
    return grown;
}
