/* SPDX-License-Identifier: Apache-2.0
 * sl_buf: a growing byte buffer on the heap with a maximum given at init. A write that would pass the
 * maximum latches `full`; later writes are ignored, so callers check once at the end. Without memory the process ends
 * (sl_oom). */
#ifndef SLUICE_BASE_BUF_H
#define SLUICE_BASE_BUF_H

#include "base/str.h"

struct sl_buf {
    char *p;
    size_t n, cap, max; /* bytes; max 0 = SL_LIMIT_BUF_BYTES */
    bool full;
};

void sl_buf_init(struct sl_buf *b, size_t max_bytes);
void sl_buf_release(struct sl_buf *b);
/* Empties it, keeps the memory, clears `full`. */
void sl_buf_clear(struct sl_buf *b);
void sl_buf_put(struct sl_buf *b, const void *p, size_t n);
void sl_buf_puts(struct sl_buf *b, sl_str s);
void sl_buf_putz(struct sl_buf *b, const char *z);
void sl_buf_putc(struct sl_buf *b, char c);
void sl_buf_printf(struct sl_buf *b, const char *fmt, ...) SL_PRINTF(2, 3);
/* Big-endian integers, for frames. */
void sl_buf_u8(struct sl_buf *b, uint8_t v);
void sl_buf_u16(struct sl_buf *b, uint16_t v);
void sl_buf_u32(struct sl_buf *b, uint32_t v);
void sl_buf_u64(struct sl_buf *b, uint64_t v);
/* Drops the first n bytes. */
void sl_buf_consume(struct sl_buf *b, size_t n);
/* The content with a NUL behind it (not counted); valid until the next write. */
const char *sl_buf_z(struct sl_buf *b);
static inline sl_str sl_buf_str(const struct sl_buf *b)
{
    return (sl_str){b->p, b->n};
}

#define SL_BUF_AUTO SL_CLEANUP(sl_buf_release) struct sl_buf

#endif
