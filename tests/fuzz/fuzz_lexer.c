/* SPDX-License-Identifier: Apache-2.0
 * Any bytes as SQL text: tokens come in order, never empty, never past the end; what lies between two of them
 * is blank or comment; lexing a token alone gives the same token (but for those that hang on what follows).
 */
#include "sqlparse/token.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_blank(sl_str between)
{
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, between, SQL_FLINK_DEFAULT, false);
    SL_BUG_ON(sql_lex_next(&lx, &t) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    size_t n = size - 1;
    char *text = malloc(n ? n : 1); /* no byte behind the end belongs to us */
    memcpy(text, data + 1, n);
    struct sql_lexer lx;
    struct sql_token t;
    uint32_t end = 0;
    SL_ARENA_AUTO a = {0};
    sql_lex_init(&lx, (sl_str){text, n}, sql_version_at(data[0] % SQL_VERSION_COUNT), data[0] & 0x80);
    while (sql_lex_next(&lx, &t)) {
        SL_BUG_ON(t.off < end || t.len == 0 || t.off + t.len > n);
        must_be_blank((sl_str){text + end, t.off - end});
        SL_BUG_ON((t.fault != 0) != (t.kind == TK_ILLEGAL || t.kind == TK_QUOTE));
        SL_BUG_ON(t.word && sql_word_find(text + t.off, t.len) != t.word);
        if (t.kind == TK_STRING_LIT || t.kind == TK_QUOTED_IDENT) {
            sl_str inner = sql_unquote(&a, sql_token_text(&lx, &t));
            SL_BUG_ON(inner.n > t.len - 2 || (inner.n == t.len - 2 && (t.flags & SQL_TOKEN_DOUBLED)));
        }
        if (t.kind == TK_VARIABLE) {
            SL_BUG_ON(sql_variable_end((sl_str){text, n}, t.off) != t.off + t.len);
        }
        end = t.off + t.len;
    }
    SL_BUG_ON(t.off != n || sql_lex_next(&lx, &t) != 0);
    free(text);
    return 0;
}
