/* SPDX-License-Identifier: Apache-2.0
 * Writing JSON: straight into a buffer. Level 0 is the document (one value), each bracket opens a level. */
#include "base/json.h"

#include <math.h>

#include "base/utf8.h"

void sl_jw_init(struct sl_jw *w, struct sl_buf *b)
{
    *w = (struct sl_jw){.b = b};
    w->first[0] = true;
}

/* Before every value: the comma, or the check that its key was written. */
static void before_value(struct sl_jw *w)
{
    if (w->object[w->depth]) {
        SL_BUG_ON(!w->after_key);
        w->after_key = false;
        return;
    }
    SL_BUG_ON(w->depth == 0 && !w->first[0]);
    if (!w->first[w->depth]) {
        sl_buf_putc(w->b, ',');
    }
    w->first[w->depth] = false;
}

static void open_level(struct sl_jw *w, bool object)
{
    before_value(w);
    SL_BUG_ON(w->depth + 1 >= SL_JW_DEPTH);
    w->depth++;
    w->first[w->depth] = true;
    w->object[w->depth] = object;
    sl_buf_putc(w->b, object ? '{' : '[');
}

static void close_level(struct sl_jw *w, bool object)
{
    SL_BUG_ON(w->depth == 0 || w->object[w->depth] != object || w->after_key);
    w->depth--;
    sl_buf_putc(w->b, object ? '}' : ']');
}

void sl_jw_object(struct sl_jw *w)
{
    open_level(w, true);
}

void sl_jw_end_object(struct sl_jw *w)
{
    close_level(w, true);
}

void sl_jw_array(struct sl_jw *w)
{
    open_level(w, false);
}

void sl_jw_end_array(struct sl_jw *w)
{
    close_level(w, false);
}

void sl_jw_key(struct sl_jw *w, const char *key)
{
    sl_jw_keys(w, sl_str_of(key));
}

void sl_jw_keys(struct sl_jw *w, sl_str key)
{
    SL_BUG_ON(!w->object[w->depth] || w->after_key);
    if (!w->first[w->depth]) {
        sl_buf_putc(w->b, ',');
    }
    w->first[w->depth] = false;
    sl_json_quote(w->b, key);
    sl_buf_putc(w->b, ':');
    w->after_key = true;
}

static void put_escaped(struct sl_buf *b, unsigned char c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *hit = c ? strchr(from, c) : NULL;
    if (hit) {
        char two[2] = {'\\', to[hit - from]};
        sl_buf_put(b, two, 2);
    } else {
        static const char hex[] = "0123456789abcdef";
        char six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        sl_buf_put(b, six, 6);
    }
}

void sl_json_quote(struct sl_buf *b, sl_str s)
{
    const char *p = s.p, *end = s.p + s.n, *run = p; /* run: not yet written */
    sl_buf_putc(b, '"');
    while (p < end) {
        unsigned char c = (unsigned char)*p;
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            p++;
            continue;
        }
        unsigned n = 1;
        bool invalid = c >= 0x80 && sl_utf8_decode(p, end, &n) == 0xfffd && n == 1;
        if (c >= 0x80 && !invalid) {
            p += n;
            continue;
        }
        sl_buf_put(b, run, (size_t)(p - run));
        if (invalid) {
            sl_buf_put(b, "\xef\xbf\xbd", 3);
        } else {
            put_escaped(b, c);
        }
        run = ++p;
    }
    sl_buf_put(b, run, (size_t)(p - run));
    sl_buf_putc(b, '"');
}

void sl_jw_str(struct sl_jw *w, sl_str s)
{
    before_value(w);
    sl_json_quote(w->b, s);
}

void sl_jw_strz(struct sl_jw *w, const char *z)
{
    if (z) {
        sl_jw_str(w, sl_str_of(z));
    } else {
        sl_jw_null(w);
    }
}

void sl_jw_u64(struct sl_jw *w, uint64_t v)
{
    char digits[20];
    size_t i = sizeof(digits);
    before_value(w);
    do {
        digits[--i] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    sl_buf_put(w->b, digits + i, sizeof(digits) - i);
}

void sl_jw_i64(struct sl_jw *w, int64_t v)
{
    if (v >= 0) {
        sl_jw_u64(w, (uint64_t)v);
        return;
    }
    before_value(w);
    sl_buf_printf(w->b, "%lld", (long long)v);
}

void sl_jw_f64(struct sl_jw *w, double v, int decimals)
{
    if (!isfinite(v)) {
        sl_jw_null(w);
        return;
    }
    before_value(w);
    sl_buf_printf(w->b, "%.*f", decimals, v);
}

void sl_jw_bool(struct sl_jw *w, bool v)
{
    before_value(w);
    sl_buf_putz(w->b, v ? "true" : "false");
}

void sl_jw_null(struct sl_jw *w)
{
    before_value(w);
    sl_buf_put(w->b, "null", 4);
}

void sl_jw_raw(struct sl_jw *w, sl_str json)
{
    before_value(w);
    sl_buf_puts(w->b, json);
}

void sl_jw_value(struct sl_jw *w, const struct sl_json *v)
{
    if (!v) {
        sl_jw_null(w);
        return;
    }
    switch (v->type) {
    case SL_JSON_NULL:
        sl_jw_null(w);
        break;
    case SL_JSON_FALSE:
    case SL_JSON_TRUE:
        sl_jw_bool(w, v->type == SL_JSON_TRUE);
        break;
    case SL_JSON_NUMBER:
        sl_jw_raw(w, v->text);
        break;
    case SL_JSON_STRING:
        sl_jw_str(w, v->text);
        break;
    case SL_JSON_ARRAY:
        sl_jw_array(w);
        SL_JSON_EACH(it, v)
        {
            sl_jw_value(w, it);
        }
        sl_jw_end_array(w);
        break;
    case SL_JSON_OBJECT:
        sl_jw_object(w);
        SL_JSON_EACH(it, v)
        {
            sl_jw_keys(w, it->key);
            sl_jw_value(w, it);
        }
        sl_jw_end_object(w);
        break;
    }
}

void sl_jw_kstr(struct sl_jw *w, const char *key, sl_str s)
{
    sl_jw_key(w, key);
    sl_jw_str(w, s);
}

void sl_jw_kstrz(struct sl_jw *w, const char *key, const char *z)
{
    sl_jw_key(w, key);
    sl_jw_strz(w, z);
}

void sl_jw_ki64(struct sl_jw *w, const char *key, int64_t v)
{
    sl_jw_key(w, key);
    sl_jw_i64(w, v);
}

void sl_jw_kbool(struct sl_jw *w, const char *key, bool v)
{
    sl_jw_key(w, key);
    sl_jw_bool(w, v);
}

void sl_jw_pos(struct sl_jw *w, const struct sl_pos *p)
{
    sl_jw_ki64(w, "offset", p->off);
    sl_jw_ki64(w, "length", p->len);
    sl_jw_ki64(w, "line", p->line);
    sl_jw_ki64(w, "column", p->col);
    sl_jw_ki64(w, "endLine", p->end_line);
    sl_jw_ki64(w, "endColumn", p->end_col);
}
