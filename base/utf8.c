/* SPDX-License-Identifier: Apache-2.0
 * UTF-8 as RFC 3629 draws it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#include "base/utf8.h"

/* Bytes of the well-formed sequence at p, or 0. */
static unsigned sequence(const unsigned char *p, size_t n)
{
    unsigned char c = p[0];
    if (c < 0x80) {
        return 1;
    }
    unsigned len = c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (len == 0 || n < len) {
        return 0;
    }
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high) {
        return 0;
    }
    for (unsigned i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

size_t sl_utf8_valid_prefix(sl_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;
    while (i < s.n) {
        uint64_t eight;
        if (s.n - i >= sizeof(eight)) {
            memcpy(&eight, p + i, sizeof(eight));
            if ((eight & 0x8080808080808080u) == 0) {
                i += sizeof(eight);
                continue;
            }
        }
        unsigned len = sequence(p + i, s.n - i);
        if (len == 0) {
            return i;
        }
        i += len;
    }
    return s.n;
}

uint32_t sl_utf8_decode(const char *p, const char *end, unsigned *ret_n)
{
    const unsigned char *u = (const unsigned char *)p;
    unsigned len = sequence(u, (size_t)(end - p));
    *ret_n = len ? len : 1;
    switch (len) {
    case 1:
        return u[0];
    case 2:
        return (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
    case 3:
        return (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
    case 4:
        return (u[0] & 0x07u) << 18 | (u[1] & 0x3fu) << 12 | (u[2] & 0x3fu) << 6 | (u[3] & 0x3fu);
    default:
        return 0xfffd;
    }
}

unsigned sl_utf8_encode(uint32_t cp, char out[4])
{
    if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff)) {
        cp = 0xfffd;
    }
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

size_t sl_utf16_len(sl_str s)
{
    size_t units = 0;
    const char *end = s.p + s.n;
    for (const char *p = s.p; p < end;) {
        if ((unsigned char)*p < 0x80) {
            units++;
            p++;
            continue;
        }
        unsigned n;
        units += sl_utf8_decode(p, end, &n) > 0xffff ? 2 : 1;
        p += n;
    }
    return units;
}
