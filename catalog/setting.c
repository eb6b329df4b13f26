/* SPDX-License-Identifier: Apache-2.0
 * How Flink reads the values of options (its ConfigurationUtils, TimeUtils and MemorySize, by their
 * behaviour). */
#include "catalog/setting.h"

#include <errno.h>
#include <stdlib.h>

#include "catalog/options.h"
#include "sqlparse/token.h"

static bool is_word_of(sl_str words, sl_str value)
{
    while (words.n) {
        ptrdiff_t bar = sl_str_find_char(words, '|');
        size_t n = bar < 0 ? words.n : (size_t)bar;
        if (sl_str_ieq(sl_str_sub(words, 0, n), value)) {
            return true;
        }
        words = bar < 0 ? SL_STR_NONE : sl_str_sub(words, n + 1, words.n - n - 1);
    }
    return false;
}

/* A number and one of the units, which may be far from it. */
static bool is_measure(sl_str value, const char *const *units, size_t n_units)
{
    value = sl_str_trim(value);
    size_t digits = 0;
    while (digits < value.n && value.p[digits] >= '0' && value.p[digits] <= '9') {
        digits++;
    }
    int64_t n;
    sl_str unit = sl_str_trim(sl_str_sub(value, digits, value.n - digits));
    if (!digits || !sl_str_to_i64(sl_str_sub(value, 0, digits), &n)) {
        return false;
    }
    for (size_t i = 0; i < n_units; i++) {
        if (sl_str_ieqz(unit, units[i])) {
            return true;
        }
    }
    return false;
}

static bool is_duration(sl_str value)
{
    static const char *const units[] = {"",
                                        "d",
                                        "day",
                                        "days",
                                        "h",
                                        "hour",
                                        "hours",
                                        "min",
                                        "m",
                                        "minute",
                                        "minutes",
                                        "s",
                                        "sec",
                                        "secs",
                                        "second",
                                        "seconds",
                                        "ms",
                                        "milli",
                                        "millis",
                                        "millisecond",
                                        "milliseconds",
                                        "\xc2\xb5s",
                                        "micro",
                                        "micros",
                                        "microsecond",
                                        "microseconds",
                                        "ns",
                                        "nano",
                                        "nanos",
                                        "nanosecond",
                                        "nanoseconds"};
    value = sl_str_trim(value);
    bool iso = value.n > 1 && (value.p[0] | 0x20) == 'p'; /* PT10S: newer versions read it */
    return iso || is_measure(value, units, SL_ARRAY_LEN(units));
}

static bool is_memory(sl_str value)
{
    static const char *const units[] = {"",          "b",         "bytes", "k",         "kb",
                                        "kibibytes", "m",         "mb",    "mebibytes", "g",
                                        "gb",        "gibibytes", "t",     "tb",        "tebibytes"};
    return is_measure(value, units, SL_ARRAY_LEN(units));
}

static bool is_integer(sl_str value, int64_t least, int64_t most)
{
    int64_t n;
    sl_str digits = value.n && value.p[0] == '+' ? sl_str_sub(value, 1, value.n - 1) : value;
    return sl_str_to_i64(digits, &n) && n >= least && n <= most;
}

static bool is_number(sl_str value)
{
    char text[64], *end;
    value = sl_str_trim(value);
    if (!value.n || value.n >= sizeof(text)) {
        return false;
    }
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    char last = (char)(text[value.n - 1] | 0x20);
    if (value.n > 1 && (last == 'f' || last == 'd') && (text[value.n - 2] < 'a' || text[value.n - 2] > 'z')) {
        text[value.n - 1] = '\0'; /* 1.5f */
    }
    (void)strtod(text, &end);
    return *end == '\0';
}

bool cat_setting_fits(sl_str type, sl_str words, sl_str value)
{
    if (words.n) {
        return is_word_of(words, value);
    }
    if (sl_str_eqz(type, "Boolean")) {
        return sl_str_ieqz(value, "true") || sl_str_ieqz(value, "false");
    }
    if (sl_str_eqz(type, "Integer")) {
        return is_integer(value, INT32_MIN, INT32_MAX);
    }
    if (sl_str_eqz(type, "Long")) {
        return is_integer(value, INT64_MIN, INT64_MAX);
    }
    if (sl_str_eqz(type, "Double") || sl_str_eqz(type, "Float")) {
        return is_number(value);
    }
    if (sl_str_eqz(type, "Duration")) {
        return is_duration(value);
    }
    return !sl_str_eqz(type, "MemorySize") || is_memory(value);
}

struct sl_pos cat_setting_pos(const struct sql_script *s, const struct sql_stmt *st)
{
    const struct sql_lines *lines = &s->files.v[st->file].lines;
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, st->text, s->flink, true);
    sql_lex_next(&lx, &t);
    sql_lex_next(&lx, &t);
    if (t.kind == TK_STRING_LIT) {
        sql_lex_next(&lx, &t);
        sql_lex_next(&lx, &t);
        return sql_lines_pos(lines, st->pos.off + t.off, t.len);
    }
    /* without quotes: what stands behind the '=' */
    ptrdiff_t eq = sl_str_find_char(st->text, '=');
    size_t from = eq < 0 ? 0 : (size_t)eq + 1;
    sl_str rest = sl_str_sub(st->text, from, st->text.n - from), value = sl_str_trim(rest);
    return sql_lines_pos(lines, st->pos.off + (size_t)(value.p - st->text.p), value.n);
}

/* "STREAMING, BATCH or AUTOMATIC" */
static sl_str listed(struct sl_arena *a, sl_str words)
{
    sl_str out = SL_STR_NONE;
    while (words.n) {
        ptrdiff_t bar = sl_str_find_char(words, '|');
        size_t n = bar < 0 ? words.n : (size_t)bar;
        sl_str word = sl_str_sub(words, 0, n);
        out = out.n ? sl_arena_printf(a, "%.*s%s%.*s", SL_S(out), bar < 0 ? " or " : ", ", SL_S(word)) : word;
        words = bar < 0 ? SL_STR_NONE : sl_str_sub(words, n + 1, words.n - n - 1);
    }
    return out;
}

static const struct {
    const char *type, *is, *hint;
} kinds[] = {
    {"Boolean", "true or false", "write 'true' or 'false'"},
    {"Integer", "a whole number", "for example '4'"},
    {"Long", "a whole number", "for example '1000'"},
    {"Double", "a number", "for example '0.5'"},
    {"Float", "a number", "for example '0.5'"},
    {"Duration", "a duration", "for example '10 s', '5 min' or '1 h'"},
    {"MemorySize", "a size", "for example '64 mb' or '1 gb'"},
};

void cat_setting_check(struct sql_script *s, const struct sql_stmt *st)
{
    sl_str type, words = SL_STR_NONE;
    if (st->bad || !st->has_key || !st->value.p || !cat_option_type(s->flink, st->key, &type)) {
        return;
    }
    words = cat_option_words(s->flink, st->key);
    /* another tool's place holder: ${x}, $X, {{ x }} */
    if (sl_str_find_char(st->value, '$') >= 0 || sl_str_find(st->value, SL_STR("{{")) >= 0) {
        return;
    }
    if (cat_setting_fits(type, words, st->value)) {
        return;
    }
    size_t k = 0;
    while (k < SL_ARRAY_LEN(kinds) && !sl_str_eqz(type, kinds[k].type)) {
        k++;
    }
    bool enumeration = k == SL_ARRAY_LEN(kinds);
    sl_str hint = enumeration ? sl_arena_printf(s->arena, "%.*s", SL_S(listed(s->arena, words)))
                              : sl_str_of(kinds[k].hint);
    struct sql_diag *d =
        sql_diag_add(s, SL_SET_VALUE, SQL_WARNING, st->number, cat_setting_pos(s, st),
                     "'%.*s' is %s, not '%.*s'; Flink takes it and fails or ignores it later", SL_S(st->key),
                     enumeration ? "one of a few words" : kinds[k].is, SL_S(st->value));
    if (d) {
        d->hint = hint;
    }
}
