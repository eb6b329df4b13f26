/* SPDX-License-Identifier: Apache-2.0
 * The error type: filling it, putting context in front, and what each code means outside. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

static const struct {
    const char *slug;
    int http;
    const char *sqlstate;
    int exit_code;
} codes[] = {
    [SL_OK] = {"ok", 200, "00000", 0},
#define SL_CODE(name, slug, http, sqlstate, exit_code) [SL_##name] = {slug, http, sqlstate, exit_code},
#include "base/codes.def"
#undef SL_CODE
};

/* Makes it what the contract says: plain text of valid UTF-8, however it was cut. Lines are kept. */
static void tidy(char *z)
{
    size_t n = strlen(z), good = 0;
    while ((good += sl_utf8_valid_prefix((sl_str){z + good, n - good})) < n) {
        if (n - good < 4 && (unsigned char)z[good] >= 0xc0) {
            z[good] = '\0';
            break;
        }
        z[good] = '?';
    }
    for (; *z; z++) {
        if (((unsigned char)*z < 0x20 || *z == 0x7f) && *z != '\n') {
            *z = ' ';
        }
    }
}

/* ": " and the text behind what stands in z; what does not fit is cut. */
static void append(char *z, size_t size, const char *text)
{
    size_t n = strlen(z), want = strlen(text);
    if (n + 3 <= size) {
        memcpy(z + n, ": ", 2);
        n += 2;
        want = SL_MIN(want, size - n - 1);
        memcpy(z + n, text, want);
        z[n + want] = '\0';
    }
    tidy(z);
}

static void fill(struct sl_err *err, enum sl_code code, struct sl_pos pos, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));
static void fill(struct sl_err *err, enum sl_code code, struct sl_pos pos, const char *fmt, va_list ap)
{
    char msg[sizeof(err->msg)]; /* the arguments may point into *err */
    vsnprintf(msg, sizeof(msg), fmt, ap);
    tidy(msg);
    err->code = code;
    err->pos = pos;
    memcpy(err->msg, msg, sizeof(msg));
    err->hint[0] = '\0';
    err->detail = SL_STR_NONE;
}

bool sl_fail(struct sl_err *err, enum sl_code code, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, code, SL_POS_NONE, fmt, ap);
        va_end(ap);
    }
    return false;
}

bool sl_fail_at(struct sl_err *err, enum sl_code code, struct sl_pos pos, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, code, pos, fmt, ap);
        va_end(ap);
    }
    return false;
}

bool sl_fail_errno(struct sl_err *err, enum sl_code code, int saved_errno, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        if (code == SL_IO && (saved_errno == ENOSPC || saved_errno == EDQUOT)) {
            code = SL_DISK_FULL;
        }
        va_start(ap, fmt);
        fill(err, code, SL_POS_NONE, fmt, ap);
        va_end(ap);
        char text[128];
        append(err->msg, sizeof(err->msg), strerror_r(saved_errno, text, sizeof(text)));
    }
    return false;
}

bool sl_hint(struct sl_err *err, const char *fmt, ...)
{
    if (err) {
        char hint[sizeof(err->hint)];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(hint, sizeof(hint), fmt, ap);
        va_end(ap);
        tidy(hint);
        memcpy(err->hint, hint, sizeof(hint));
    }
    return false;
}

bool sl_wrap(struct sl_err *err, const char *fmt, ...)
{
    if (err) {
        char outer[sizeof(err->msg)];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(outer, sizeof(outer), fmt, ap);
        va_end(ap);
        append(outer, sizeof(outer), err->msg);
        memcpy(err->msg, outer, sizeof(outer));
    }
    return false;
}

static inline size_t known(enum sl_code code)
{
    return (unsigned)code < SL_ARRAY_LEN(codes) ? code : SL_INTERNAL;
}

const char *sl_code_slug(enum sl_code code)
{
    return codes[known(code)].slug;
}

int sl_code_http(enum sl_code code)
{
    return codes[known(code)].http;
}

const char *sl_code_sqlstate(enum sl_code code)
{
    return codes[known(code)].sqlstate;
}

int sl_code_exit(enum sl_code code)
{
    return codes[known(code)].exit_code;
}

enum sl_code sl_code_of_slug(sl_str slug)
{
    for (size_t i = 1; i < SL_ARRAY_LEN(codes); i++) {
        if (sl_str_eqz(slug, codes[i].slug)) {
            return (enum sl_code)i;
        }
    }
    return SL_OK;
}

struct sl_pos sl_pos_at(sl_str text, size_t off, size_t len)
{
    off = SL_MIN(off, text.n);
    len = SL_MIN(len, text.n - off);
    struct sl_pos pos = {.off = (uint32_t)off, .len = (uint32_t)len, .line = 1, .end_line = 1};
    size_t start = 0, end_start = 0; /* of the lines that hold the first byte and the end */
    for (size_t i = 0; i < off + len; i++) {
        if (text.p[i] == '\n') {
            end_start = i + 1;
            pos.end_line++;
            if (i < off) {
                start = i + 1;
                pos.line++;
            }
        }
    }
    pos.col = (uint32_t)sl_utf16_len(sl_str_sub(text, start, off - start)) + 1;
    pos.end_col = (uint32_t)sl_utf16_len(sl_str_sub(text, end_start, off + len - end_start)) + 1;
    return pos;
}
