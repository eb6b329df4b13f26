/* SPDX-License-Identifier: Apache-2.0
 * Growing buffers with a maximum. One byte more than the content is always reserved, for sl_buf_z(). */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"

void sl_buf_init(struct sl_buf *b, size_t max_bytes)
{
    *b = (struct sl_buf){.max = max_bytes};
}

void sl_buf_release(struct sl_buf *b)
{
    free(b->p);
    b->p = NULL;
    b->n = b->cap = 0;
    b->full = false;
}

void sl_buf_clear(struct sl_buf *b)
{
    b->n = 0;
    b->full = false;
}

/* Room for n more bytes; false latches `full`. */
static bool reserve(struct sl_buf *b, size_t n)
{
    size_t max = b->max ? b->max : SL_LIMIT_BUF_BYTES;
    if (b->full || n > max || b->n > max - n) {
        b->full = true;
        return false;
    }
    size_t need = b->n + n + 1;
    if (need <= b->cap) {
        return true;
    }
    size_t cap = SL_MAX(SL_MAX(need, b->cap * 2), (size_t)256);
    char *p = realloc(b->p, cap);
    SL_OOM_ON(!p); /* not `full`: many have no maximum to look at, and would go on with half of it */
    b->p = p;
    b->cap = cap;
    return true;
}

void sl_buf_put(struct sl_buf *b, const void *p, size_t n)
{
    if (n > 0 && reserve(b, n)) {
        memcpy(b->p + b->n, p, n);
        b->n += n;
    }
}

void sl_buf_puts(struct sl_buf *b, sl_str s)
{
    sl_buf_put(b, s.p, s.n);
}

void sl_buf_putz(struct sl_buf *b, const char *z)
{
    sl_buf_put(b, z, strlen(z));
}

void sl_buf_putc(struct sl_buf *b, char c)
{
    if (b->n + 1 < b->cap && !b->full && b->n < (b->max ? b->max : SL_LIMIT_BUF_BYTES)) {
        b->p[b->n++] = c;
        return;
    }
    sl_buf_put(b, &c, 1);
}

void sl_buf_printf(struct sl_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    size_t room = b->cap - b->n;
    int n = vsnprintf(b->p ? b->p + b->n : NULL, b->p ? room : 0, fmt, ap);
    va_end(ap);
    SL_BUG_ON(n < 0);
    if (reserve(b, (size_t)n)) {
        if ((size_t)n >= room) {
            vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        }
        b->n += (size_t)n;
    }
    va_end(again);
}

void sl_buf_u8(struct sl_buf *b, uint8_t v)
{
    sl_buf_put(b, &v, 1);
}

void sl_buf_u16(struct sl_buf *b, uint16_t v)
{
    uint8_t x[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    sl_buf_put(b, x, sizeof(x));
}

void sl_buf_u32(struct sl_buf *b, uint32_t v)
{
    uint8_t x[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    sl_buf_put(b, x, sizeof(x));
}

void sl_buf_u64(struct sl_buf *b, uint64_t v)
{
    uint8_t x[8];
    for (int i = 0; i < 8; i++) {
        x[i] = (uint8_t)(v >> (56 - 8 * i));
    }
    sl_buf_put(b, x, sizeof(x));
}

void sl_buf_consume(struct sl_buf *b, size_t n)
{
    SL_BUG_ON(n > b->n);
    if (n > 0) {
        memmove(b->p, b->p + n, b->n - n);
        b->n -= n;
    }
}

const char *sl_buf_z(struct sl_buf *b)
{
    if (!b->p) {
        return "";
    }
    b->p[b->n] = '\0';
    return b->p;
}
