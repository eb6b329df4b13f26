/* SPDX-License-Identifier: Apache-2.0
 * What sqlparse and base ask of a C library, and nothing else, for WebAssembly without imports. malloc is a
 * bump pointer over the linear memory; free does nothing, wasm_libc_reset() takes everything back. */
#include "sqlparse/wasm/libc.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern unsigned char __heap_base;
static uintptr_t heap_at;

void *memcpy(void *to, const void *from, size_t n)
{
    unsigned char *d = to;
    const unsigned char *s = from;
    while (n--) {
        *d++ = *s++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    unsigned char *d = to;
    const unsigned char *s = from;
    if (d <= s) {
        return memcpy(to, from, n);
    }
    while (n--) {
        d[n] = s[n];
    }
    return to;
}

void *memset(void *to, int c, size_t n)
{
    unsigned char *d = to;
    while (n--) {
        *d++ = (unsigned char)c;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    for (; n--; x++, y++) {
        if (*x != *y) {
            return *x < *y ? -1 : 1;
        }
    }
    return 0;
}

void *memchr(const void *p, int c, size_t n)
{
    for (const unsigned char *s = p; n--; s++) {
        if (*s == (unsigned char)c) {
            return (void *)(uintptr_t)s;
        }
    }
    return NULL;
}

size_t strlen(const char *z)
{
    size_t n = 0;
    while (z[n]) {
        n++;
    }
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n && *a && *a == *b; n--) {
        a++;
        b++;
    }
    return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

size_t strcspn(const char *z, const char *reject)
{
    size_t n = 0;
    while (z[n] && !strchr(reject, z[n])) {
        n++;
    }
    return n;
}

char *strchr(const char *z, int c)
{
    return memchr(z, c, strlen(z) + 1);
}

/* There is no system here that could give a number. */
char *strerror_r(int number, char *to, size_t room)
{
    snprintf(to, room, "error %d", number);
    return to;
}

/* The compiler calls this for a checked multiplication of 64-bit numbers. */
__int128 __multi3(__int128 a, __int128 b);
__int128 __multi3(__int128 a, __int128 b)
{
    union {
        __int128 all;
        uint64_t half[2]; /* low, high */
    } x = {.all = a}, y = {.all = b}, r;
    uint64_t al = x.half[0] & 0xffffffff, ah = x.half[0] >> 32, bl = y.half[0] & 0xffffffff,
             bh = y.half[0] >> 32;
    uint64_t low = al * bl, mid = ah * bl + (low >> 32), mid2 = al * bh + (mid & 0xffffffff);
    r.half[0] = mid2 << 32 | (low & 0xffffffff);
    r.half[1] = ah * bh + (mid >> 32) + (mid2 >> 32) + x.half[0] * y.half[1] + x.half[1] * y.half[0];
    return r.all;
}

_Noreturn void abort(void)
{
    __builtin_trap();
}

_Noreturn void _Exit(int status)
{
    (void)status;
    __builtin_trap();
}

void *malloc(size_t n)
{
    if (!heap_at) {
        heap_at = (uintptr_t)&__heap_base;
    }
    uintptr_t at = (heap_at + 31) & ~(uintptr_t)15; /* the size stands in the 16 bytes before */
    uintptr_t end = at + n;
    size_t have = __builtin_wasm_memory_size(0) * 65536u;
    if (end < at ||
        (end > have && __builtin_wasm_memory_grow(0, (end - have + 65535) / 65536) == (size_t)-1)) {
        return NULL;
    }
    ((size_t *)at)[-1] = n;
    heap_at = end;
    return (void *)at;
}

void *calloc(size_t n, size_t size)
{
    void *p = malloc(n * size);
    return p ? memset(p, 0, n * size) : NULL;
}

void *realloc(void *p, size_t n)
{
    void *fresh = malloc(n);
    if (fresh && p) {
        size_t old = ((size_t *)p)[-1];
        memcpy(fresh, p, old < n ? old : n);
    }
    return fresh;
}

void free(void *p)
{
    (void)p;
}

void wasm_libc_reset(void)
{
    heap_at = 0;
}

/* Merge sort, from runs of one upwards; stable, as the sort of the other C library is. */
void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    unsigned char *from = base, *to = n > 1 ? malloc(n * size) : NULL, *own = base;
    if (!to) {
        return;
    }
    for (size_t run = 1; run < n; run *= 2) {
        for (size_t low = 0; low < n; low += 2 * run) {
            size_t mid = low + run < n ? low + run : n, high = mid + run < n ? mid + run : n;
            size_t a = low, b = mid;
            for (size_t k = low; k < high; k++) {
                bool left = b >= high || (a < mid && compare(from + a * size, from + b * size) <= 0);
                memcpy(to + k * size, from + (left ? a++ : b++) * size, size);
            }
        }
        unsigned char *other = from;
        from = to;
        to = other;
    }
    if (from != own) {
        memcpy(own, from, n * size);
    }
}

struct out {
    char *to;
    size_t room, n;
};

static void put(struct out *o, char c)
{
    if (o->n + 1 < o->room) {
        o->to[o->n] = c;
    }
    o->n++;
}

static void put_padded(struct out *o, const char *s, size_t n, size_t width, bool left, char pad)
{
    for (size_t i = n; !left && i < width; i++) {
        put(o, pad);
    }
    for (size_t i = 0; i < n; i++) {
        put(o, s[i]);
    }
    for (size_t i = n; left && i < width; i++) {
        put(o, ' ');
    }
}

/* %s %.*s %c %d %i %u %x %X %% with -, 0, width and the lengths l, ll, z, j; nothing else is used here. */
int vsnprintf(char *to, size_t room, const char *fmt, va_list ap)
{
    struct out o = {to, room, 0};
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        bool left = false, negative = false;
        char pad = ' ';
        size_t width = 0, precision = SIZE_MAX, n = 0;
        int longs = 0;
        for (fmt++; *fmt == '-' || *fmt == '0'; fmt++) {
            left = left || *fmt == '-';
            pad = *fmt == '0' ? '0' : pad;
        }
        if (*fmt == '*') {
            width = (size_t)va_arg(ap, int);
            fmt++;
        }
        for (; *fmt >= '0' && *fmt <= '9'; fmt++) {
            width = width * 10 + (size_t)(*fmt - '0');
        }
        if (*fmt == '.') {
            fmt++;
            precision = 0;
            if (*fmt == '*') {
                precision = (size_t)va_arg(ap, int);
                fmt++;
            }
            for (; *fmt >= '0' && *fmt <= '9'; fmt++) {
                precision = precision * 10 + (size_t)(*fmt - '0');
            }
        }
        for (; *fmt == 'l' || *fmt == 'z' || *fmt == 'j'; fmt++) {
            longs += *fmt == 'j' ? 2 : *fmt == 'l';
        }
        char digits[24];
        uint64_t v = 0;
        switch (*fmt) {
        case 's': {
            const char *s = va_arg(ap, const char *);
            while (n < precision && s[n]) {
                n++;
            }
            put_padded(&o, s, n, width, left, ' ');
            continue;
        }
        case 'c':
            digits[0] = (char)va_arg(ap, int);
            put_padded(&o, digits, 1, width, left, ' ');
            continue;
        case 'd':
        case 'i': {
            int64_t d = longs >= 2 ? va_arg(ap, long long) : va_arg(ap, int);
            negative = d < 0;
            v = negative ? 0 - (uint64_t)d : (uint64_t)d;
            break;
        }
        case 'u':
        case 'x':
        case 'X':
            v = longs >= 2 ? va_arg(ap, unsigned long long) : va_arg(ap, unsigned);
            break;
        default:
            put(&o, *fmt);
            continue;
        }
        unsigned base = *fmt == 'x' || *fmt == 'X' ? 16 : 10;
        const char *set = *fmt == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
        do {
            digits[sizeof(digits) - ++n] = set[v % base];
            v /= base;
        } while (v);
        if (negative) {
            digits[sizeof(digits) - ++n] = '-';
        }
        put_padded(&o, digits + sizeof(digits) - n, n, width, left, pad);
    }
    if (room) {
        to[o.n < room ? o.n : room - 1] = 0;
    }
    return (int)o.n;
}

int snprintf(char *to, size_t room, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(to, room, fmt, ap);
    va_end(ap);
    return n;
}

int fprintf(FILE *f, const char *fmt, ...)
{
    (void)f;
    (void)fmt;
    return 0;
}

int fflush(FILE *f)
{
    (void)f;
    return 0;
}
