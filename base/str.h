/* SPDX-License-Identifier: Apache-2.0
 * sl_str: a borrowed slice of bytes (mostly UTF-8 text). Never relies on a NUL; owns nothing. */
#ifndef SLUICE_BASE_STR_H
#define SLUICE_BASE_STR_H

#include "base/compiler.h"

#include <string.h>

typedef struct {
    const char *p; /* may be NULL when n is 0 */
    size_t n;      /* bytes */
} sl_str;

#define SL_STR(lit) ((sl_str){"" lit, sizeof(lit) - 1})
#define SL_STR_NONE ((sl_str){NULL, 0})
/* printf arguments for "%.*s" */
#define SL_S(s) (int)(s).n, (s).p ? (s).p : ""

static inline sl_str sl_str_of(const char *z)
{
    return (sl_str){z, z ? strlen(z) : 0};
}
static inline sl_str sl_str_sub(sl_str s, size_t from, size_t n)
{
    return (sl_str){from ? s.p + from : s.p, n}; /* p may be NULL when it is empty */
}

/* Byte-wise equality; the icase form folds ASCII letters only. */
bool sl_str_eq(sl_str a, sl_str b);
bool sl_str_eqz(sl_str a, const char *z);
bool sl_str_ieq(sl_str a, sl_str b);
bool sl_str_ieqz(sl_str a, const char *z);
/* <0, 0, >0 in byte order; the order of canonical documents. */
int sl_str_cmp(sl_str a, sl_str b);
bool sl_str_starts(sl_str s, sl_str prefix);
bool sl_str_ends(sl_str s, sl_str suffix);
/* Index of the first occurrence, or -1. */
ptrdiff_t sl_str_find(sl_str s, sl_str needle);
ptrdiff_t sl_str_find_char(sl_str s, char c);
/* Without ASCII white space at both ends. */
sl_str sl_str_trim(sl_str s);
/* Decimal integer that fills the whole slice; false on anything else or overflow. */
SL_MUST_CHECK bool sl_str_to_i64(sl_str s, int64_t *ret);
/* "250ms", "10s", "5 min", "2h", "1d" or a bare number (seconds) to milliseconds. */
SL_MUST_CHECK bool sl_str_to_ms(sl_str s, int64_t *ret_ms);
/* "65536", "64 KiB", "1 MB" (k, m and g are powers of 1024, kB, MB and GB of 1000). */
SL_MUST_CHECK bool sl_str_to_bytes(sl_str s, int64_t *ret);
/* For messages: SL_SIZE(4 << 20) is "4 MiB", valid to the end of the expression it stands in. */
struct sl_size {
    char z[32];
};
struct sl_size sl_size(uint64_t bytes);
#define SL_SIZE(bytes) (sl_size(bytes).z)
/* Edit distance (optimal string alignment, ASCII case folded), at most `cap`+1. Used for "did you mean". */
size_t sl_str_distance(sl_str a, sl_str b, size_t cap);
uint64_t sl_str_hash(sl_str s);

#endif
