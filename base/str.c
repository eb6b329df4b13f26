/* SPDX-License-Identifier: Apache-2.0
 * Slices: comparison, search, and the few conversions everybody needs. */
#include "base/str.h"

#include <stdio.h>

static inline unsigned char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : (unsigned char)c;
}

static inline bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool sl_str_eq(sl_str a, sl_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool sl_str_eqz(sl_str a, const char *z)
{
    return sl_str_eq(a, sl_str_of(z));
}

bool sl_str_ieq(sl_str a, sl_str b)
{
    if (a.n != b.n) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        if (fold(a.p[i]) != fold(b.p[i])) {
            return false;
        }
    }
    return true;
}

bool sl_str_ieqz(sl_str a, const char *z)
{
    return sl_str_ieq(a, sl_str_of(z));
}

int sl_str_cmp(sl_str a, sl_str b)
{
    size_t n = SL_MIN(a.n, b.n);
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c != 0) {
        return c;
    }
    return a.n < b.n ? -1 : a.n > b.n;
}

bool sl_str_starts(sl_str s, sl_str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool sl_str_ends(sl_str s, sl_str suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

ptrdiff_t sl_str_find(sl_str s, sl_str needle)
{
    if (needle.n == 0) {
        return 0;
    }
    size_t at = 0;
    while (s.n - at >= needle.n) {
        const char *hit = memchr(s.p + at, needle.p[0], s.n - at - needle.n + 1);
        if (!hit) {
            return -1;
        }
        if (memcmp(hit, needle.p, needle.n) == 0) {
            return hit - s.p;
        }
        at = (size_t)(hit - s.p) + 1;
    }
    return -1;
}

ptrdiff_t sl_str_find_char(sl_str s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? hit - s.p : -1;
}

sl_str sl_str_trim(sl_str s)
{
    while (s.n > 0 && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_space(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

bool sl_str_to_i64(sl_str s, int64_t *ret)
{
    bool minus = s.n > 0 && s.p[0] == '-';
    size_t i = minus ? 1 : 0;
    if (i == s.n) {
        return false;
    }
    int64_t v = 0; /* counted downwards, where there is room for INT64_MIN */
    for (; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_sub_overflow(v, s.p[i] - '0', &v)) {
            return false;
        }
    }
    if (!minus && v == INT64_MIN) {
        return false;
    }
    *ret = minus ? v : -v;
    return true;
}

struct unit {
    const char *name;
    int64_t size;
};

/* "5 min", "64KiB": digits, blanks, one of the units. */
static bool number_with_unit(sl_str s, const struct unit *units, size_t n, int64_t *ret)
{
    s = sl_str_trim(s);
    size_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9') {
        digits++;
    }
    int64_t v;
    if (!sl_str_to_i64(sl_str_sub(s, 0, digits), &v)) {
        return false;
    }
    sl_str name = sl_str_trim(sl_str_sub(s, digits, s.n - digits));
    for (size_t i = 0; i < n; i++) {
        if (sl_str_ieqz(name, units[i].name)) {
            return !__builtin_mul_overflow(v, units[i].size, ret);
        }
    }
    return false;
}

bool sl_str_to_ms(sl_str s, int64_t *ret_ms)
{
    static const struct unit units[] = {
        {"", 1000},        {"ms", 1},          {"s", 1000},       {"sec", 1000},
        {"min", 60000},    {"m", 60000},       {"h", 3600000},    {"d", 86400000},
        {"day", 86400000}, {"days", 86400000}, {"hour", 3600000}, {"hours", 3600000},
    };
    return number_with_unit(s, units, SL_ARRAY_LEN(units), ret_ms);
}

bool sl_str_to_bytes(sl_str s, int64_t *ret)
{
    static const struct unit units[] = {
        {"", 1},
        {"b", 1},
        {"bytes", 1},
        {"kb", 1000},
        {"mb", 1000000},
        {"gb", 1000000000},
        {"k", 1 << 10},
        {"m", 1 << 20},
        {"g", 1 << 30},
        {"kib", 1 << 10},
        {"mib", 1 << 20},
        {"gib", 1 << 30},
        {"tib", INT64_C(1) << 40},
    };
    return number_with_unit(s, units, SL_ARRAY_LEN(units), ret);
}

struct sl_size sl_size(uint64_t bytes)
{
    static const char *const names[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (bytes && bytes % 1024 == 0 && unit + 1 < SL_ARRAY_LEN(names)) {
        bytes /= 1024;
        unit++;
    }
    struct sl_size ret;
    snprintf(ret.z, sizeof(ret.z), "%llu %s", (unsigned long long)bytes, names[unit]);
    return ret;
}

#define DISTANCE_MAX 128

size_t sl_str_distance(sl_str a, sl_str b, size_t cap)
{
    size_t diff = a.n > b.n ? a.n - b.n : b.n - a.n;
    if (diff > cap || a.n > DISTANCE_MAX || b.n > DISTANCE_MAX) {
        return sl_str_ieq(a, b) ? 0 : cap + 1;
    }
    uint8_t rows[3][DISTANCE_MAX + 1];
    uint8_t *prev2 = rows[0], *prev = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b.n; j++) {
        prev[j] = (uint8_t)j;
    }
    for (size_t i = 1; i <= a.n; i++) {
        row[0] = (uint8_t)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned char ca = fold(a.p[i - 1]), cb = fold(b.p[j - 1]);
            unsigned best = prev[j - 1] + (ca != cb);
            best = SL_MIN(best, (unsigned)prev[j] + 1);
            best = SL_MIN(best, (unsigned)row[j - 1] + 1);
            if (i > 1 && j > 1 && ca == fold(b.p[j - 2]) && fold(a.p[i - 2]) == cb) {
                best = SL_MIN(best, (unsigned)prev2[j - 2] + 1);
            }
            row[j] = (uint8_t)best;
        }
        uint8_t *spare = prev2;
        prev2 = prev;
        prev = row;
        row = spare;
    }
    return SL_MIN((size_t)prev[b.n], cap + 1);
}

uint64_t sl_str_hash(sl_str s)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a, then mixed so that the low bits are good */
    for (size_t i = 0; i < s.n; i++) {
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    }
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}
