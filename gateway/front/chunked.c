/* SPDX-License-Identifier: Apache-2.0
 * Chunked bodies, byte for byte, from pieces of any size. Extensions and trailers are read and dropped; strict elsewhere: what
 * two readers could read differently is refused. */
#include "gateway/front/front_impl.h"

enum { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER_START, TRAILER, TRAILER_LF, LAST_LF, DONE };

#define LINE_BYTES 4096 /* of an extension or a trailer */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One byte that is not data; false: bad. */
static bool step(struct chunked *c, char ch)
{
    switch (c->state) {
    case SIZE: {
        int d = hex(ch);
        if (d >= 0) {
            c->left = c->left * 16 + (unsigned)d;
            return ++c->digits <= 15;
        }
        c->line = 0;
        c->state = ch == '\r' ? SIZE_LF : EXTENSION;
        return c->digits > 0 && (ch == '\r' || ch == ';');
    }
    case EXTENSION:
        if (ch == '\r') {
            c->state = SIZE_LF;
            return true;
        }
        return ch != '\n' && ++c->line <= LINE_BYTES;
    case SIZE_LF:
        c->state = c->left ? DATA : TRAILER_START;
        return ch == '\n';
    case DATA_CR:
        c->state = DATA_LF;
        return ch == '\r';
    case DATA_LF:
        c->state = SIZE;
        c->digits = 0;
        return ch == '\n';
    case TRAILER_START:
        c->state = ch == '\r' ? LAST_LF : TRAILER;
        return ch != '\n';
    case TRAILER:
        if (ch == '\r') {
            c->state = TRAILER_LF;
            return true;
        }
        return ch != '\n' && ++c->line <= LINE_BYTES;
    case TRAILER_LF:
        c->state = TRAILER_START;
        return ch == '\n';
    case LAST_LF:
        c->state = DONE;
        return ch == '\n';
    default:
        return false;
    }
}

enum chunked_next chunked_take(struct chunked *c, const char *in, size_t n, struct sl_buf *out,
                               size_t *ret_used)
{
    size_t i = 0;
    while (i < n && c->state != DONE) {
        if (c->state == DATA) {
            size_t take = c->left < n - i ? (size_t)c->left : n - i;
            sl_buf_put(out, in + i, take);
            i += take;
            c->left -= take;
            if (c->left == 0) {
                c->state = DATA_CR;
            }
        } else if (!step(c, in[i++])) {
            *ret_used = i;
            return CHUNKED_BAD;
        }
    }
    *ret_used = i;
    return c->state == DONE ? CHUNKED_DONE : CHUNKED_MORE;
}
