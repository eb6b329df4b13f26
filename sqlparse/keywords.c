/* SPDX-License-Identifier: Apache-2.0
 * The words of Flink SQL: lookup without allocation, independent of letter case. The table comes from
 * keywords.txt through tools/mkkeywords.c. */
#include "sqlparse/token.h"

#include "sqlparse/keyword_table.h" /* generated */

static bool same_word(const struct sql_word_info *w, const char *p, size_t n)
{
    if (w->len != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c >= 'a' && c <= 'z') {
            c = (unsigned char)(c - 'a' + 'A');
        }
        if (c != (unsigned char)w->text[i]) {
            return false;
        }
    }
    return true;
}

enum sql_word sql_word_find(const char *p, size_t n)
{
    if (n == 0 || n > 40) {
        return SQL_WORD_NONE;
    }
    unsigned a = (unsigned char)p[0] & 0xdf, b = (unsigned char)p[n - 1] & 0xdf;
    unsigned c = (unsigned char)p[n / 2] & 0xdf, d = (unsigned char)p[n / 4 + 1 < n ? n / 4 + 1 : 0] & 0xdf;
    unsigned h = (a * WORD_M0 + b * WORD_M1 + c * WORD_M2 + d * 0x9d5u + (unsigned)n * 0x1f1u) % WORD_SLOTS;
    for (; word_slots[h]; h = (h + 1) % WORD_SLOTS) {
        if (same_word(&sql_words[word_slots[h]], p, n)) {
            return (enum sql_word)word_slots[h];
        }
    }
    return SQL_WORD_NONE;
}

const char *sql_token_name(unsigned code)
{
    return code < SL_ARRAY_LEN(token_names) && token_names[code] ? token_names[code] : "?";
}
