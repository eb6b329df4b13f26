/* SPDX-License-Identifier: Apache-2.0
 * One pass of the lexer; the gaps between its tokens hold the comments. */
#include "sqlparse/colour.h"

#include "sqlparse/token.h"

static void add(struct sl_arena *a, struct sql_spans *to, uint32_t off, uint32_t len, enum sql_colour colour)
{
    if (len) {
        sl_vec_push(a, &to->list, ((struct sql_span){off, len, colour}));
    }
}

static bool ends_line(char c)
{
    return c == '\n' || c == '\r';
}

/* The comments between two tokens. */
static void comments(struct sl_arena *a, sl_str text, uint32_t from, uint32_t to, struct sql_spans *ret)
{
    for (uint32_t i = from; i + 1 < to;) {
        bool line = (text.p[i] == '-' && text.p[i + 1] == '-') || (text.p[i] == '/' && text.p[i + 1] == '/');
        uint32_t start = i;
        if (line) {
            while (i < to && !ends_line(text.p[i])) {
                i++;
            }
        } else if (text.p[i] == '/' && text.p[i + 1] == '*') {
            for (i += 2; i < to && !(text.p[i] == '*' && i + 1 < to && text.p[i + 1] == '/'); i++) {
            }
            i = SL_MIN(i + 2, to);
        } else {
            i++;
            continue;
        }
        add(a, ret, start, i - start, SQL_COLOUR_COMMENT);
    }
}

static bool is_type(unsigned word)
{
    switch (word) {
    case SQL_W_ARRAY:
    case SQL_W_BIGINT:
    case SQL_W_BINARY:
    case SQL_W_BOOLEAN:
    case SQL_W_BYTES:
    case SQL_W_CHAR:
    case SQL_W_DATE:
    case SQL_W_DECIMAL:
    case SQL_W_DOUBLE:
    case SQL_W_FLOAT:
    case SQL_W_INT:
    case SQL_W_INTEGER:
    case SQL_W_MAP:
    case SQL_W_MULTISET:
    case SQL_W_NUMERIC:
    case SQL_W_ROW:
    case SQL_W_SMALLINT:
    case SQL_W_STRING:
    case SQL_W_TIME:
    case SQL_W_TIMESTAMP:
    case SQL_W_TIMESTAMP_LTZ:
    case SQL_W_TINYINT:
    case SQL_W_VARBINARY:
    case SQL_W_VARCHAR:
        return true;
    default:
        return false;
    }
}

static enum sql_colour colour_of(const struct sql_token *t, int before, int next)
{
    switch (t->kind) {
    case TK_STRING_LIT:
    case TK_BINARY_LIT:
    case TK_PREFIXED_LIT:
    case TK_UNICODE_LIT:
    case TK_ESCAPED_LIT:
        return SQL_COLOUR_STRING;
    case TK_INTEGER_LIT:
    case TK_DECIMAL_LIT:
    case TK_APPROX_LIT:
        return SQL_COLOUR_NUMBER;
    case TK_QUOTED_IDENT:
    case TK_UNICODE_IDENT:
        return SQL_COLOUR_QUOTED;
    case TK_HINT_BEGIN:
    case TK_COMMENT_END:
        return SQL_COLOUR_HINT;
    case TK_VARIABLE:
        return SQL_COLOUR_VARIABLE;
    case TK_ILLEGAL:
    case TK_QUOTE:
    case TK_DQUOTE:
        return t->fault == SQL_LEX_OPEN_COMMENT ? SQL_COLOUR_COMMENT : SQL_COLOUR_WRONG;
    case TK_COLLATION:
        return SQL_COLOUR_NAME;
    default:
        break;
    }
    if (!t->word) {
        return t->kind == TK_IDENT ? (next == TK_LP ? SQL_COLOUR_CALL : SQL_COLOUR_NAME) : SQL_COLOUR_SIGN;
    }
    bool reserved = t->flags & SQL_TOKEN_RESERVED;
    if (before == TK_DOT || (!reserved && next == TK_DOT)) {
        return SQL_COLOUR_NAME;
    }
    if (next == TK_LP && (sql_words[t->word].function || t->kind == TK_IDENT || t->kind == TK_FNAME)) {
        return SQL_COLOUR_CALL;
    }
    if (is_type(t->word)) {
        return SQL_COLOUR_TYPE;
    }
    return t->kind == TK_IDENT ? SQL_COLOUR_NAME : SQL_COLOUR_KEYWORD;
}

void sql_colour(struct sl_arena *a, sl_str text, sql_version flink, struct sql_spans *ret)
{
    struct sql_lexer lx;
    struct sql_token t, next;
    uint32_t end = 0;
    int before = 0;
    *ret = (struct sql_spans){0};
    sql_lex_init(&lx, text, flink, true);
    sql_lex_next(&lx, &next);
    for (t = next; t.kind; t = next) {
        sql_lex_next(&lx, &next);
        comments(a, text, end, t.off, ret);
        add(a, ret, t.off, t.len, colour_of(&t, before, next.kind));
        end = t.off + t.len;
        before = t.kind;
    }
    comments(a, text, end, (uint32_t)text.n, ret);
}
