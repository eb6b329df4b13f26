/* SPDX-License-Identifier: Apache-2.0
 * Texts of values: strings, bytes, decimals, dates and times, each as Flink, Jackson or java.time would write
 * it. */
#include "gateway/results/encode.h"

#include "gateway/results/zone.h"

#define DAY_MS 86400000

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* What floor_div leaves, 0 .. b - 1. Not a - floor_div(a, b) * b: that product is out of range at the lower
 * end, and every number of a cell may be there. */
static int64_t floor_mod(int64_t a, int64_t b)
{
    return a % b + (a % b < 0 ? b : 0);
}

/* --- strings and bytes
 * --------------------------------------------------------------------------------------- */

static bool follows(sl_str s, size_t i)
{
    return i < s.n && ((uint8_t)s.p[i] & 0xc0) == 0x80;
}

/* Bytes of the sequence at i; *ret_ok = it is a character. Malformed ones have the lengths that Java's
 * decoder gives them. */
static size_t sequence(sl_str s, size_t i, bool *ret_ok)
{
    uint8_t a = (uint8_t)s.p[i], b = i + 1 < s.n ? (uint8_t)s.p[i + 1] : 0;
    *ret_ok = false;
    if (a < 0x80) {
        *ret_ok = true;
        return 1;
    }
    if (a < 0xc2 || a > 0xf4) {
        return 1;
    }
    if (a < 0xe0) {
        *ret_ok = follows(s, i + 1);
        return *ret_ok ? 2 : 1;
    }
    if (a < 0xf0) {
        if (!follows(s, i + 1) || (a == 0xe0 && b < 0xa0)) {
            return 1;
        }
        if (!follows(s, i + 2)) {
            return 2;
        }
        *ret_ok = !(a == 0xed && b >= 0xa0); /* a surrogate */
        return 3;
    }
    if (!follows(s, i + 1) || (a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f)) {
        return 1;
    }
    if (!follows(s, i + 2)) {
        return 2;
    }
    *ret_ok = follows(s, i + 3);
    return *ret_ok ? 4 : 3;
}

static const char replacement[] = "\xef\xbf\xbd";

void res_put_utf8(struct sl_buf *b, sl_str s)
{
    size_t from = 0;
    for (size_t i = 0; i < s.n;) {
        bool ok;
        size_t n = sequence(s, i, &ok);
        if (!ok) {
            sl_buf_put(b, s.p + from, i - from);
            sl_buf_putz(b, replacement);
            from = i + n;
        }
        i += n;
    }
    if (s.n > from) {
        sl_buf_put(b, s.p + from, s.n - from);
    }
}

void res_put_json_str(struct sl_buf *b, sl_str s)
{
    static const char hex[] = "0123456789ABCDEF";
    sl_buf_putc(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n;) {
        uint8_t c = (uint8_t)s.p[i];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            i++;
            continue;
        }
        bool ok;
        size_t n = sequence(s, i, &ok);
        if (ok && n > 1) {
            i += n;
            continue;
        }
        sl_buf_put(b, s.p + from, i - from);
        i += n;
        from = i;
        if (!ok) {
            sl_buf_putz(b, replacement);
            continue;
        }
        sl_buf_putc(b, '\\');
        switch (c) {
        case '"':
        case '\\':
            sl_buf_putc(b, (char)c);
            break;
        case '\b':
            sl_buf_putc(b, 'b');
            break;
        case '\t':
            sl_buf_putc(b, 't');
            break;
        case '\n':
            sl_buf_putc(b, 'n');
            break;
        case '\f':
            sl_buf_putc(b, 'f');
            break;
        case '\r':
            sl_buf_putc(b, 'r');
            break;
        default:
            sl_buf_putz(b, "u00");
            sl_buf_putc(b, hex[c >> 4]);
            sl_buf_putc(b, hex[c & 15]);
            break;
        }
    }
    if (s.n > from) {
        sl_buf_put(b, s.p + from, s.n - from);
    }
    sl_buf_putc(b, '"');
}

void res_put_base64(struct sl_buf *b, sl_str bytes)
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = (const uint8_t *)bytes.p;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t n = SL_MIN(bytes.n - i, 3u);
        uint32_t v = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (n > 2 ? p[i + 2] : 0);
        sl_buf_putc(b, abc[v >> 18]);
        sl_buf_putc(b, abc[v >> 12 & 63]);
        sl_buf_putc(b, n > 1 ? abc[v >> 6 & 63] : '=');
        sl_buf_putc(b, n > 2 ? abc[v & 63] : '=');
    }
}

void res_put_hex(struct sl_buf *b, sl_str bytes)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.n; i++) {
        sl_buf_putc(b, hex[(uint8_t)bytes.p[i] >> 4]);
        sl_buf_putc(b, hex[bytes.p[i] & 15]);
    }
}

/* --- decimals
 * ------------------------------------------------------------------------------------------------ */

void res_put_stripped(struct sl_buf *b, sl_str decimal)
{
    char digits[160];
    int64_t n = 0, scale = 0;
    bool minus = decimal.n > 0 && decimal.p[0] == '-', fraction = false;
    for (size_t i = minus; i < decimal.n && n < (int64_t)sizeof(digits); i++) {
        if (decimal.p[i] == '.') {
            fraction = true;
            continue;
        }
        scale += fraction;
        if (n > 0 || decimal.p[i] != '0') {
            digits[n++] = decimal.p[i];
        }
    }
    if (n == 0) {
        sl_buf_putc(b, '0');
        return;
    }
    while (digits[n - 1] == '0') {
        n--;
        scale--;
    }
    if (minus) {
        sl_buf_putc(b, '-');
    }
    int64_t exponent = n - 1 - scale;
    if (scale >= 0 && exponent >= -6) {
        if (n <= scale) {
            sl_buf_putz(b, "0.");
            for (int64_t i = n; i < scale; i++) {
                sl_buf_putc(b, '0');
            }
            sl_buf_put(b, digits, (size_t)n);
        } else {
            sl_buf_put(b, digits, (size_t)(n - scale));
            if (scale > 0) {
                sl_buf_putc(b, '.');
                sl_buf_put(b, digits + (n - scale), (size_t)scale);
            }
        }
        return;
    }
    sl_buf_putc(b, digits[0]);
    if (n > 1) {
        sl_buf_putc(b, '.');
        sl_buf_put(b, digits + 1, (size_t)n - 1);
    }
    if (exponent != 0) {
        sl_buf_printf(b, "E%+lld", (long long)exponent);
    }
}

/* --- Flink's SQL texts
 * ---------------------------------------------------------------------------------------- */

/* Flink writes years with four digits, whatever they are. */
static void sql_day(struct sl_buf *b, const struct res_civil *c)
{
    sl_buf_printf(b, "%s%04lld-%02u-%02u", c->year < 0 ? "-" : "",
                  (long long)((c->year < 0 ? -c->year : c->year) % 10000), c->month, c->day);
}

void res_put_sql_date(struct sl_buf *b, int64_t days)
{
    struct res_civil c;
    res_civil_of(days * 86400, &c);
    sql_day(b, &c);
}

/* `.` and the first `n` digits of nanoseconds at least, without the zeros behind them. */
static void put_fraction(struct sl_buf *b, uint32_t nanos, unsigned n)
{
    char digits[9];
    for (int i = 8; i >= 0; i--) {
        digits[i] = (char)('0' + nanos % 10);
        nanos /= 10;
    }
    size_t len = 9;
    while (len > n && digits[len - 1] == '0') {
        len--;
    }
    if (len > 0) {
        sl_buf_putc(b, '.');
        sl_buf_put(b, digits, len);
    }
}

/* As Flink: `precision` digits of the fraction at most, none behind which only zeros come, but one always
 * ("12:12:43.0"); without a precision, as every TIME of a query had before 2.3, no fraction at all. */
void res_put_sql_time(struct sl_buf *b, int32_t ms, unsigned precision)
{
    uint32_t v = ms < 0 ? 0 - (uint32_t)ms : (uint32_t)ms, rest = v % 1000;
    sl_buf_printf(b, "%s%02u:%02u:%02u", ms < 0 ? "-" : "", v / 3600000, v / 60000 % 60, v / 1000 % 60);
    sl_buf_putz(b, precision > 0 ? "." : "");
    for (unsigned i = 0; i < precision; i++) {
        sl_buf_putc(b, (char)('0' + rest / 100));
        rest = rest % 100 * 10;
        if (rest == 0) {
            break;
        }
    }
}

void res_put_sql_timestamp(struct sl_buf *b, int64_t local_ms, uint32_t nanos_of_ms, unsigned precision)
{
    struct res_civil c;
    res_civil_of(floor_div(local_ms, 1000), &c);
    sql_day(b, &c);
    sl_buf_printf(b, " %02u:%02u:%02u", c.hour, c.minute, c.second);
    put_fraction(b, (uint32_t)floor_mod(local_ms, 1000) * 1000000 + nanos_of_ms, SL_MIN(precision, 9u));
}

void res_put_sql_months(struct sl_buf *b, int32_t months)
{
    uint32_t v = months < 0 ? 0 - (uint32_t)months : (uint32_t)months;
    sl_buf_printf(b, "%c%u-%02u", months < 0 ? '-' : '+', v / 12, v % 12);
}

void res_put_sql_millis(struct sl_buf *b, int64_t ms)
{
    uint64_t v = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    sl_buf_printf(b, "%c%llu %02u:%02u:%02u.%03u", ms < 0 ? '-' : '+', (unsigned long long)(v / DAY_MS),
                  (unsigned)(v / 3600000 % 24), (unsigned)(v / 60000 % 60), (unsigned)(v / 1000 % 60),
                  (unsigned)(v % 1000));
}

/* --- ISO 8601
 * -------------------------------------------------------------------------------------------------- */

/* Years as ISO_LOCAL_DATE of java.time: four digits at least, a sign when there are more. */
static void iso_day(struct sl_buf *b, const struct res_civil *c)
{
    if (c->year < 0) {
        sl_buf_printf(b, "-%04lld", -(long long)c->year);
    } else {
        sl_buf_printf(b, "%s%04lld", c->year > 9999 ? "+" : "", (long long)c->year);
    }
    sl_buf_printf(b, "-%02u-%02u", c->month, c->day);
}

void res_put_iso_date(struct sl_buf *b, int64_t days)
{
    struct res_civil c;
    res_civil_of(days * 86400, &c);
    iso_day(b, &c);
}

void res_put_iso_time(struct sl_buf *b, int64_t nanos_of_day, unsigned digits)
{
    struct res_civil c;
    res_civil_of(floor_div(nanos_of_day, 1000000000), &c);
    sl_buf_printf(b, "%02u:%02u:%02u", c.hour, c.minute, c.second);
    put_fraction(b, (uint32_t)floor_mod(nanos_of_day, 1000000000), SL_MIN(digits, 9u));
}

void res_put_iso_timestamp(struct sl_buf *b, int64_t local_ms, uint32_t nanos_of_ms, unsigned digits)
{
    struct res_civil c;
    res_civil_of(floor_div(local_ms, 1000), &c);
    iso_day(b, &c);
    sl_buf_printf(b, "T%02u:%02u:%02u", c.hour, c.minute, c.second);
    put_fraction(b, (uint32_t)floor_mod(local_ms, 1000) * 1000000 + nanos_of_ms, SL_MIN(digits, 9u));
}

void res_put_iso_months(struct sl_buf *b, int32_t months)
{
    uint32_t v = months < 0 ? 0 - (uint32_t)months : (uint32_t)months;
    sl_buf_putz(b, months < 0 ? "-P" : "P");
    if (v / 12 > 0) {
        sl_buf_printf(b, "%uY", v / 12);
    }
    if (v % 12 > 0 || v == 0) {
        sl_buf_printf(b, "%uM", v % 12);
    }
}

void res_put_iso_millis(struct sl_buf *b, int64_t ms)
{
    uint64_t v = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    unsigned h = (unsigned)(v / 3600000 % 24), m = (unsigned)(v / 60000 % 60), s = (unsigned)(v / 1000 % 60);
    sl_buf_putz(b, ms < 0 ? "-P" : "P");
    if (v / DAY_MS > 0) {
        sl_buf_printf(b, "%lluD", (unsigned long long)(v / DAY_MS));
    }
    if (v % DAY_MS == 0 && v > 0) {
        return;
    }
    sl_buf_putc(b, 'T');
    if (h > 0) {
        sl_buf_printf(b, "%uH", h);
    }
    if (m > 0) {
        sl_buf_printf(b, "%uM", m);
    }
    if (s > 0 || v % 1000 > 0 || v == 0) {
        sl_buf_printf(b, "%u", s);
        put_fraction(b, (uint32_t)(v % 1000) * 1000000, 0);
        sl_buf_putc(b, 'S');
    }
}
