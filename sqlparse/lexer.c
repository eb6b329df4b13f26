/* SPDX-License-Identifier: Apache-2.0
 * The lexer: Flink's token rules (JavaCC, longest match, first rule wins ties; back-tick state) by hand.
 * A 256-entry class table and one switch; every byte is looked at once, but for the rare collation names. */
#include "sqlparse/token.h"

#include "sqlparse/steps.h"

#define DOLLAR_WINDOW 256 /* bytes that are searched at a time */

enum cls {
    C_OTHER, /* never starts a token */
    C_SPACE,
    C_LETTER, /* ASCII letters, _ and $ */
    C_DIGIT,
    C_HIGH,   /* a UTF-8 sequence */
    C_SINGLE, /* a one-character token */
    C_QUOTE,
    C_BACKTICK,
    C_MINUS,
    C_SLASH,
    C_STAR,
    C_DOT,
    C_LT,
    C_GT,
    C_EQ,
    C_BANG,
    C_BAR,
    C_BRACE,
};

/* clang-format off */
static const uint8_t cls_of[256] = {
    [' '] = C_SPACE, ['\t'] = C_SPACE, ['\n'] = C_SPACE, ['\r'] = C_SPACE, ['\f'] = C_SPACE,
    ['A' ... 'Z'] = C_LETTER, ['a' ... 'z'] = C_LETTER, ['_'] = C_LETTER, ['$'] = C_LETTER,
    ['0' ... '9'] = C_DIGIT,
    [0x80 ... 0xff] = C_HIGH,
    ['('] = C_SINGLE, [')'] = C_SINGLE, ['['] = C_SINGLE, [']'] = C_SINGLE, [';'] = C_SINGLE, [','] = C_SINGLE,
    ['+'] = C_SINGLE, ['%'] = C_SINGLE, ['?'] = C_SINGLE, [':'] = C_SINGLE, ['}'] = C_SINGLE, ['^'] = C_SINGLE,
    ['"'] = C_SINGLE,
    ['\''] = C_QUOTE, ['`'] = C_BACKTICK, ['-'] = C_MINUS, ['/'] = C_SLASH, ['*'] = C_STAR, ['.'] = C_DOT,
    ['<'] = C_LT, ['>'] = C_GT, ['='] = C_EQ, ['!'] = C_BANG, ['|'] = C_BAR, ['{'] = C_BRACE,
};
static const uint16_t single_token[128] = {
    ['('] = TK_LP, [')'] = TK_RP, ['['] = TK_LB, [']'] = TK_RB, [';'] = TK_SEMI, [','] = TK_COMMA,
    ['+'] = TK_PLUS, ['%'] = TK_PERCENT_SIGN, ['?'] = TK_HOOK, [':'] = TK_COLON, ['}'] = TK_RBRACE,
    ['^'] = TK_CARET, ['"'] = TK_DQUOTE,
};
/* clang-format on */

/* Letters outside ASCII, as the identifier rule lists them; its list of digits lies wholly inside them. */
static bool is_letter_point(uint32_t c)
{
    return (c >= 0xc0 && c <= 0x1fff && c != 0xd7 && c != 0xf7) || (c >= 0x3040 && c <= 0x318f) ||
           (c >= 0x3300 && c <= 0x337f) || (c >= 0x3400 && c <= 0x3d2d) || (c >= 0x4e00 && c <= 0x9fff) ||
           (c >= 0xf900 && c <= 0xfaff);
}

/* The code point at p[at] and its length in bytes; the text is valid UTF-8, a cut sequence counts as one
 * byte. */
static uint32_t point_at(const struct sql_lexer *lx, uint32_t at, uint32_t *len)
{
    const unsigned char *s = (const unsigned char *)lx->p + at;
    uint32_t left = lx->n - at;
    if (s[0] < 0x80) {
        *len = 1;
        return s[0];
    }
    if (s[0] < 0xe0 && left >= 2) {
        *len = 2;
        return (uint32_t)(s[0] & 0x1f) << 6 | (s[1] & 0x3fu);
    }
    if (s[0] < 0xf0 && left >= 3) {
        *len = 3;
        return (uint32_t)(s[0] & 0x0f) << 12 | (uint32_t)(s[1] & 0x3f) << 6 | (s[2] & 0x3fu);
    }
    if (left >= 4) {
        *len = 4;
        return (uint32_t)(s[0] & 0x07) << 18 | (uint32_t)(s[1] & 0x3f) << 12 | (uint32_t)(s[2] & 0x3f) << 6 |
               (s[3] & 0x3fu);
    }
    *len = 1;
    return 0xfffd;
}

static inline unsigned char byte_at(const struct sql_lexer *lx, uint32_t at)
{
    return at < lx->n ? (unsigned char)lx->p[at] : 0;
}

static bool is_variable_at(const struct sql_lexer *lx, uint32_t at)
{
    return lx->variables && at + 1 < lx->n && lx->p[at] == '$' && lx->p[at + 1] == '{';
}

/* End of the run of letters and digits from `at`. A ${ ends it when variables are on. */
static uint32_t name_end(const struct sql_lexer *lx, uint32_t at)
{
    while (at < lx->n) {
        unsigned char c = (unsigned char)lx->p[at];
        if (cls_of[c] == C_LETTER || cls_of[c] == C_DIGIT) {
            if (c == '$' && is_variable_at(lx, at)) {
                break;
            }
            at++;
        } else if (c >= 0x80) {
            uint32_t len, cp = point_at(lx, at, &len);
            if (!is_letter_point(cp)) {
                break;
            }
            at += len;
        } else {
            break;
        }
    }
    return at;
}

/* The end of the string whose opening quote is at `at`, or 0 when it never ends. */
static uint32_t string_end(const struct sql_lexer *lx, uint32_t at, struct sql_token *t)
{
    for (uint32_t i = at + 1; i < lx->n;) {
        const char *q = memchr(lx->p + i, '\'', lx->n - i);
        if (!q) {
            return 0;
        }
        i = (uint32_t)(q - lx->p) + 1;
        if (byte_at(lx, i) != '\'') {
            return i;
        }
        t->flags |= SQL_TOKEN_DOUBLED;
        i++;
    }
    return 0;
}

/* As above for E'...': a backslash takes the next character along. */
static uint32_t escaped_string_end(const struct sql_lexer *lx, uint32_t at)
{
    for (uint32_t i = at + 1; i < lx->n; i++) {
        if (lx->p[i] == '\\') {
            i++;
        } else if (lx->p[i] == '\'') {
            if (byte_at(lx, i + 1) != '\'') {
                return i + 1;
            }
            i++;
        }
    }
    return 0;
}

static void mark_variables(const struct sql_lexer *lx, struct sql_token *t)
{
    if (!lx->variables || lx->dollar >= t->off + t->len) {
        return;
    }
    for (uint32_t i = SL_MAX(t->off, lx->dollar); i + 1 < t->off + t->len; i++) {
        if (lx->p[i] == '$' && lx->p[i + 1] == '{') {
            t->flags |= SQL_TOKEN_VARIABLE;
            return;
        }
    }
}

static int finish(struct sql_lexer *lx, struct sql_token *t, int kind, uint32_t end)
{
    t->kind = (uint16_t)kind;
    t->len = end - t->off;
    lx->at = end;
    SQL_STEP(tokens, 1);
    SQL_STEP(bytes, t->len);
    return kind;
}

static int fault(struct sql_lexer *lx, struct sql_token *t, enum sql_lex_fault f, uint32_t end)
{
    t->fault = (uint8_t)f;
    return finish(lx, t, TK_ILLEGAL, end);
}

/* No '$' stands from here to lx->dollar: there stands one, or so far it was looked. Never far: what lexes a few tokens
 * in the middle of a text must not pass the rest of it. */
static void find_dollar(struct sql_lexer *lx, uint32_t from)
{
    uint32_t len = from < lx->n ? SL_MIN(lx->n - from, (uint32_t)DOLLAR_WINDOW) : 0;
    const char *d = len ? memchr(lx->p + from, '$', len) : NULL;
    lx->dollar = d ? (uint32_t)(d - lx->p) : from + len < lx->n ? from + len : UINT32_MAX;
    SQL_STEP(bytes, 1); /* of at most one window */
}

/* Collation names, <LETTER|DIGIT>+ [.:-_ and those]* $ <LETTER>+ [$ <LETTER|DIGIT>+], win over plain names
 * and numbers when they are longer: `t.a$b` is one of them. Returns the end of one that starts at `start`, or
 * 0. */
static uint32_t collation_end(struct sql_lexer *lx, uint32_t start)
{
    uint32_t run = start, end = 0;
    while (run < lx->n) {
        unsigned char c = (unsigned char)lx->p[run];
        if (c == ':' || c == '.' || c == '-') {
            run++;
            continue;
        }
        uint32_t next = name_end(lx, run);
        if (next == run) {
            break;
        }
        run = next;
    }
    for (uint32_t i = start + 1; i < run; i++) {
        if (lx->p[i] != '$') {
            continue;
        }
        /* letters after the dollar (which may be dollars themselves), then once more $ with digits allowed */
        uint32_t at = i + 1, inner = 0;
        while (at < run) {
            uint32_t len, cp = point_at(lx, at, &len);
            bool letter = cp < 0x80 ? cls_of[cp] == C_LETTER : is_letter_point(cp);
            if (!letter) {
                break;
            }
            if (cp == '$' && at > i + 1 && !inner) {
                inner = at;
            }
            at += len;
        }
        if (at == i + 1) {
            continue;
        }
        if (inner) {
            uint32_t tail = name_end(lx, inner + 1);
            at = tail > inner + 1 && tail > at ? tail : at;
        }
        end = SL_MAX(end, at);
    }
    lx->no_collation = run;
    return end;
}

/* Slow path behind names and numbers: could a collation name be longer than the token that ends at `end`? */
static bool take_collation(struct sql_lexer *lx, struct sql_token *t, uint32_t end)
{
    unsigned char c = byte_at(lx, end);
    bool numeric = cls_of[(unsigned char)lx->p[t->off]] == C_DIGIT;
    if (lx->dollar < t->off) {
        find_dollar(lx, t->off);
    }
    if (lx->dollar == UINT32_MAX || t->off < lx->no_collation ||
        !(c == '.' || c == '-' || c == ':' || (numeric && (cls_of[c] == C_LETTER || c >= 0x80)) ||
          (numeric && lx->dollar < end))) {
        return false;
    }
    uint32_t other = collation_end(lx, t->off);
    if (other <= end) {
        return false;
    }
    finish(lx, t, TK_COLLATION, other);
    return true;
}

static uint32_t digits_end(const struct sql_lexer *lx, uint32_t at)
{
    while (at < lx->n && cls_of[(unsigned char)lx->p[at]] == C_DIGIT) {
        at++;
    }
    return at;
}

static int lex_number(struct sql_lexer *lx, struct sql_token *t)
{
    int kind = TK_INTEGER_LIT;
    uint32_t at = digits_end(lx, t->off);
    if (byte_at(lx, at) == '.') {
        kind = TK_DECIMAL_LIT;
        at = digits_end(lx, at + 1);
    }
    if ((byte_at(lx, at) | 0x20) == 'e') {
        uint32_t e = at + 1;
        if (byte_at(lx, e) == '+' || byte_at(lx, e) == '-') {
            e++;
        }
        uint32_t end = digits_end(lx, e);
        if (end > e) {
            kind = TK_APPROX_LIT;
            at = end;
        }
    }
    if (cls_of[(unsigned char)lx->p[t->off]] == C_DIGIT && take_collation(lx, t, at)) {
        return t->kind;
    }
    return finish(lx, t, kind, at);
}

/* N'..', X'..', E'..', U&'..', U&"..", _charset'..': 0 when the word is none of them. */
static int lex_prefixed(struct sql_lexer *lx, struct sql_token *t)
{
    uint32_t at = t->off, end = 0;
    unsigned char c = (unsigned char)lx->p[at];
    unsigned char next = byte_at(lx, at + 1);
    int kind = 0;
    switch (c | 0x20) {
    case 'x':
        kind = TK_BINARY_LIT;
        end = next == '\'' ? string_end(lx, at + 1, t) : 0;
        break;
    case 'n':
        kind = TK_PREFIXED_LIT;
        end = next == '\'' ? string_end(lx, at + 1, t) : 0;
        break;
    case 'e':
        kind = TK_ESCAPED_LIT;
        end = next == '\'' && lx->version >= SQL_VERSION_INDEX_2_0 ? escaped_string_end(lx, at + 1) : 0;
        break;
    case 'u':
        if (next == '&' && byte_at(lx, at + 2) == '\'') {
            kind = TK_UNICODE_LIT;
            end = string_end(lx, at + 2, t);
        } else if (next == '&' && byte_at(lx, at + 2) == '"') {
            kind = TK_UNICODE_IDENT;
            uint32_t i = at + 3;
            for (; i < lx->n && lx->p[i] != '\n' && lx->p[i] != '\r'; i++) {
                if (lx->p[i] == '"' && byte_at(lx, i + 1) == '"') {
                    i++;
                } else if (lx->p[i] == '"') {
                    end = i > at + 3 ? i + 1 : 0;
                    break;
                }
            }
        }
        break;
    default:
        break;
    }
    if (c == '_') {
        uint32_t i = at + 1;
        while (i < lx->n &&
               (cls_of[(unsigned char)lx->p[i]] == C_DIGIT || lx->p[i] == ':' || lx->p[i] == '.' ||
                lx->p[i] == '-' || (cls_of[(unsigned char)lx->p[i]] == C_LETTER && lx->p[i] != '$'))) {
            i++;
        }
        unsigned char first = byte_at(lx, at + 1);
        if (i > at + 1 && byte_at(lx, i) == '\'' && first != '_' && first != ':' && first != '.' &&
            first != '-') {
            kind = TK_PREFIXED_LIT;
            end = string_end(lx, i, t);
        }
    }
    if (!end) {
        t->flags = 0;
        return 0;
    }
    finish(lx, t, kind, end);
    mark_variables(lx, t);
    return kind;
}

static int lex_name(struct sql_lexer *lx, struct sql_token *t)
{
    uint32_t start = t->off;
    unsigned char c = (unsigned char)lx->p[start];
    unsigned char next = byte_at(lx, start + 1);
    if (next == '\'' || next == '&' || c == '_') {
        int kind = lex_prefixed(lx, t);
        if (kind) {
            return kind;
        }
    }
    uint32_t end = start;
    while (end < lx->n &&
           (cls_of[(unsigned char)lx->p[end]] == C_LETTER || cls_of[(unsigned char)lx->p[end]] == C_DIGIT)) {
        if (lx->p[end] == '$' && is_variable_at(lx, end)) {
            break;
        }
        end++;
    }
    if (byte_at(lx, end) >= 0x80) {
        end = name_end(lx, end);
    }
    if (lx->dollar != UINT32_MAX && take_collation(lx, t, end)) {
        return t->kind;
    }
    if (c == '$' && end == start + 1) {
        return finish(lx, t, TK_DOLLAR, end);
    }
    enum sql_word w = sql_word_find(lx->p + start, end - start);
    if (w == SQL_W_END && lx->n - end >= 5 && lx->p[end] == '-' &&
        sql_word_find(lx->p + start, 8) == SQL_W_END_EXEC) {
        w = SQL_W_END_EXEC;
        end = start + 8;
    }
    int kind = TK_IDENT;
    if (w) {
        const struct sql_word_info *info = &sql_words[w];
        t->word = (uint16_t)w;
        if (info->reserved >> lx->version & 1) {
            t->flags |= SQL_TOKEN_RESERVED;
            kind = info->token;
        } else if ((info->known >> lx->version & 1) && info->token && info->token != TK_RESERVED &&
                   info->token != TK_FNAME) {
            kind = info->token;
        }
    }
    return finish(lx, t, kind, end);
}

static int lex_backtick(struct sql_lexer *lx, struct sql_token *t)
{
    uint32_t i = t->off + 1;
    for (; i < lx->n && lx->p[i] != '\n' && lx->p[i] != '\r'; i++) {
        if (lx->p[i] != '`') {
            continue;
        }
        if (byte_at(lx, i + 1) == '`') {
            t->flags |= SQL_TOKEN_DOUBLED;
            i++;
            continue;
        }
        if (i == t->off + 1) {
            break;
        }
        finish(lx, t, TK_QUOTED_IDENT, i + 1);
        mark_variables(lx, t);
        return t->kind;
    }
    if (byte_at(lx, t->off + 1) == '`') {
        return fault(lx, t, SQL_LEX_EMPTY_IDENT, t->off + 2);
    }
    return fault(lx, t, SQL_LEX_OPEN_IDENT, i);
}

/* From a '/' that begins a block comment to behind its end; 0 when it never ends. The form with two stars
 * eats one more character before the end is looked for, as in Flink. */
static uint32_t comment_end(const struct sql_lexer *lx, uint32_t at)
{
    uint32_t i = at + 2;
    if (byte_at(lx, i) == '*' && i + 1 < lx->n && lx->p[i + 1] != '/') {
        i += 2;
    }
    while (i + 1 < lx->n) {
        const char *star = memchr(lx->p + i, '*', lx->n - i - 1);
        if (!star) {
            return 0;
        }
        i = (uint32_t)(star - lx->p) + 1;
        if (lx->p[i] == '/') {
            return i + 1;
        }
    }
    return 0;
}

static uint32_t line_end(const struct sql_lexer *lx, uint32_t at)
{
    while (at < lx->n && lx->p[at] != '\n' && lx->p[at] != '\r') {
        at++;
    }
    return at;
}

static int lex_brace(struct sql_lexer *lx, struct sql_token *t)
{
    uint32_t i = t->off + 1;
    while (byte_at(lx, i) == ' ') {
        i++;
    }
    unsigned char a = byte_at(lx, i) | 0x20, b = byte_at(lx, i + 1) | 0x20;
#if defined(PLANT) && PLANT == 1
    b = a == 't' ? (unsigned char)lx->p[i + 1] | 0x20 : b;
#endif
    if (a == 'd') {
        return finish(lx, t, TK_LBRACE_D, i + 1);
    }
    if (a == 't') {
        return b == 's' ? finish(lx, t, TK_LBRACE_TS, i + 2) : finish(lx, t, TK_LBRACE_T, i + 1);
    }
    if (a == 'f' && b == 'n') {
        return finish(lx, t, TK_LBRACE_FN, i + 2);
    }
    return finish(lx, t, TK_LBRACE, t->off + 1);
}

size_t sql_variable_end(sl_str text, size_t at)
{
    size_t depth = 0;
    for (size_t i = at + 1; i < text.n && text.p[i] != '\n' && text.p[i] != '\r'; i++) {
        if (text.p[i] == '{') {
            depth++;
        } else if (text.p[i] == '}' && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

void sql_lex_init(struct sql_lexer *lx, sl_str text, sql_version version, bool variables)
{
    SL_BUG_ON(text.n >= UINT32_MAX);
    *lx = (struct sql_lexer){.p = text.p, .n = (uint32_t)text.n, .variables = variables};
    lx->version = (uint8_t)sql_version_index(version);
}

int sql_lex_next(struct sql_lexer *lx, struct sql_token *t)
{
    *t = (struct sql_token){0};
    for (;;) {
        uint32_t at = lx->at;
        while (at < lx->n && cls_of[(unsigned char)lx->p[at]] == C_SPACE) {
            at++;
        }
        SQL_STEP(bytes, at - lx->at);
        lx->at = t->off = at;
        if (at >= lx->n) {
            return finish(lx, t, 0, lx->n);
        }
        unsigned char c = (unsigned char)lx->p[at], next = byte_at(lx, at + 1);
        uint32_t len;
        switch ((enum cls)cls_of[c]) {
        case C_LETTER:
            if (lx->dollar < at) {
                find_dollar(lx, at);
            }
            if (c == '$' && is_variable_at(lx, at)) {
                size_t end = sql_variable_end((sl_str){lx->p, lx->n}, at);
                return end ? finish(lx, t, TK_VARIABLE, (uint32_t)end)
                           : fault(lx, t, SQL_LEX_OPEN_VAR, at + 2);
            }
            return lex_name(lx, t);
        case C_DIGIT:
            return lex_number(lx, t);
        case C_SINGLE:
            return finish(lx, t, single_token[c], at + 1);
        case C_QUOTE: {
            uint32_t end = string_end(lx, at, t);
            if (!end) {
                SQL_STEP(bytes, lx->n - at);
                t->fault = SQL_LEX_OPEN_STRING;
                t->flags = 0;
                return finish(lx, t, TK_QUOTE, at + 1);
            }
            if (lx->variables && lx->dollar < at) {
                find_dollar(lx, at);
            }
            finish(lx, t, TK_STRING_LIT, end);
            mark_variables(lx, t);
            return t->kind;
        }
        case C_BACKTICK:
            if (lx->variables && lx->dollar < at) {
                find_dollar(lx, at);
            }
            return lex_backtick(lx, t);
        case C_MINUS:
            if (next == '-') {
                lx->at = line_end(lx, at);
                SQL_STEP(bytes, lx->at - at);
                continue;
            }
            return finish(lx, t, TK_MINUS, at + 1);
        case C_SLASH:
            if (next == '/') {
                lx->at = line_end(lx, at);
                SQL_STEP(bytes, lx->at - at);
                continue;
            }
            if (next == '*') {
                if (byte_at(lx, at + 2) == '+') {
                    return finish(lx, t, TK_HINT_BEGIN, at + 3);
                }
                uint32_t end = comment_end(lx, at);
                if (!end) {
                    return fault(lx, t, SQL_LEX_OPEN_COMMENT, lx->n);
                }
                lx->at = end;
                SQL_STEP(bytes, end - at);
                continue;
            }
            return finish(lx, t, TK_SLASH, at + 1);
        case C_STAR:
            return next == '/' ? finish(lx, t, TK_COMMENT_END, at + 2) : finish(lx, t, TK_STAR, at + 1);
        case C_DOT:
            if (cls_of[next] == C_DIGIT) {
                return lex_number(lx, t);
            }
            return next == '.' ? finish(lx, t, TK_DOTDOT, at + 2) : finish(lx, t, TK_DOT, at + 1);
        case C_LT:
            return next == '='   ? finish(lx, t, TK_LE, at + 2)
                   : next == '>' ? finish(lx, t, TK_NE, at + 2)
                                 : finish(lx, t, TK_LT, at + 1);
        case C_GT:
            return next == '=' ? finish(lx, t, TK_GE, at + 2) : finish(lx, t, TK_GT, at + 1);
        case C_EQ:
            return next == '>' ? finish(lx, t, TK_ARROW, at + 2) : finish(lx, t, TK_EQ, at + 1);
        case C_BANG:
            if (next == '=') {
                return finish(lx, t, TK_NE2, at + 2);
            }
            break;
        case C_BAR:
            return next == '|' ? finish(lx, t, TK_CONCAT, at + 2) : finish(lx, t, TK_BAR, at + 1);
        case C_BRACE:
            return lex_brace(lx, t);
        case C_HIGH: {
            uint32_t cp = point_at(lx, at, &len);
            if (is_letter_point(cp)) {
                if (lx->dollar < at) {
                    find_dollar(lx, at);
                }
                return lex_name(lx, t);
            }
            break;
        }
        case C_SPACE:
        case C_OTHER:
            break;
        }
        t->point = point_at(lx, at, &len);
        return fault(lx, t, SQL_LEX_CHAR, at + len);
    }
}

sl_str sql_unquote(struct sl_arena *a, sl_str token)
{
    if (token.n < 2 || (token.p[0] != '\'' && token.p[0] != '`')) {
        return token;
    }
    char q = token.p[0];
    sl_str inner = sl_str_sub(token, 1, token.n - 2);
    if (sl_str_find_char(inner, q) < 0) {
        return inner;
    }
    char *out = sl_arena_alloc(a, inner.n);
    size_t n = 0;
    for (size_t i = 0; i < inner.n; i++) {
        out[n++] = inner.p[i];
        if (inner.p[i] == q) {
            i++;
        }
    }
    return (sl_str){out, n};
}
