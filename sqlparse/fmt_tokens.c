/* SPDX-License-Identifier: Apache-2.0
 * The formatter's tokens: comments between them, brackets, which words are keywords, and where a blank stands
 * between two of them. */
#include "base/utf8.h"
#include "sqlparse/fmt_layout.h"

static bool is_wide(uint32_t c)
{
    return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0x303e) || (c >= 0x3041 && c <= 0xa4cf) ||
           (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) ||
           (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
           (c >= 0x20000 && c <= 0x3fffd);
}

uint32_t fmt_width(sl_str s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.n;) {
        if ((unsigned char)s.p[i] < 0x80) {
            n++;
            i++;
            continue;
        }
        unsigned len;
        uint32_t c = sl_utf8_decode(s.p + i, s.p + s.n, &len);
        i += len;
        n += (c >= 0x300 && c <= 0x36f) || c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f) ? 0 : 1 + is_wide(c);
    }
    return n;
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* Behind the block comment at `at`; the form with two stars takes one more character before its end counts.
 */
static uint32_t block_end(sl_str t, uint32_t at, uint32_t to)
{
    uint32_t i = at + 2;
    if (i + 1 < to && t.p[i] == '*' && t.p[i + 1] != '/') {
        i += 2;
    }
    for (; i + 1 < to; i++) {
        if (t.p[i] == '*' && t.p[i + 1] == '/') {
            return i + 2;
        }
    }
    return to;
}

void fmt_scan(struct sl_arena *a, sl_str text, uint32_t from, uint32_t to, bool line_start, fmt_comments *ret)
{
    bool own = line_start;
    unsigned lines = line_start;
    for (uint32_t i = from; i < to;) {
        char c = text.p[i];
        if (is_line_end(c)) {
            lines += !(c == '\n' && i > 0 && text.p[i - 1] == '\r');
            own = true;
            i++;
            continue;
        }
        bool line = i + 1 < to && ((c == '-' && text.p[i + 1] == '-') || (c == '/' && text.p[i + 1] == '/'));
        if (!line && !(c == '/' && i + 1 < to && text.p[i + 1] == '*')) {
            own = own && (c == ' ' || c == '\t' || c == '\f');
            i++;
            continue;
        }
        uint32_t end = line ? i : block_end(text, i, to);
        while (line && end < to && !is_line_end(text.p[end])) {
            end++;
        }
        uint32_t len = end - i, next = end;
        while (line && len && (text.p[i + len - 1] == ' ' || text.p[i + len - 1] == '\t')) {
            len--;
        }
        while (next < to && (text.p[next] == ' ' || text.p[next] == '\t')) {
            next++;
        }
        *sl_vec_add(a, ret) = (struct fmt_comment){
            .off = i,
            .len = len,
            .line = line,
            .own_line = own,
            .ends_line = line || next >= text.n || is_line_end(text.p[next]),
            .blank = lines > 1,
        };
        own = false;
        lines = 0;
        i = end;
    }
}

static bool has_empty_line(sl_str text, uint32_t from, uint32_t to)
{
    unsigned lines = 0;
    for (uint32_t i = from; i < to; i++) {
        char c = text.p[i];
        if (is_line_end(c)) {
            lines += !(c == '\n' && i > 0 && text.p[i - 1] == '\r');
        } else if (c != ' ' && c != '\t' && c != '\f') {
            lines = 0;
        }
    }
    return lines > 1;
}

static void measure(struct fmt_token *t, sl_str s)
{
    size_t first = 0, last = s.n;
    while (first < s.n && !is_line_end(s.p[first])) {
        first++;
    }
    while (last > 0 && !is_line_end(s.p[last - 1])) {
        last--;
    }
    t->width = fmt_width(sl_str_sub(s, 0, first));
    t->tail = last ? fmt_width(sl_str_sub(s, last, s.n - last)) : t->width;
}

static bool is_name_at(const struct fmt_stmt *s, uint32_t off)
{
    return s->names && s->names[off / 8] >> off % 8 & 1;
}

/* ROW<a INT>: the '<' behind such a word opens a bracket. */
static bool opens_type(const struct fmt_stmt *s, uint32_t i)
{
    const struct fmt_token *t = &s->toks.v[i];
    if (i == 0 || (t->kind != TK_LT && t->kind != TK_NE)) {
        return false;
    }
    const struct fmt_token *before = &s->toks.v[i - 1];
    switch (before->word) {
    case SQL_W_ROW:
    case SQL_W_ARRAY:
    case SQL_W_MAP:
    case SQL_W_MULTISET:
    case SQL_W_STRUCTURED:
        return before->upper;
    default:
        return false;
    }
}

static void pair_brackets(struct fmt_stmt *s)
{
    SL_VEC(uint32_t) open = {0};
    for (uint32_t i = 0; i < s->toks.n; i++) {
        struct fmt_token *t = &s->toks.v[i];
        bool angle = t->kind == TK_LT && opens_type(s, i);
        if (t->kind == TK_LP || t->kind == TK_LB || angle) {
            sl_vec_push(s->arena, &open, i);
            continue;
        }
        if (!open.n || (t->kind != TK_RP && t->kind != TK_RB && t->kind != TK_GT)) {
            continue;
        }
        uint32_t o = open.v[open.n - 1];
        uint16_t want = s->toks.v[o].kind == TK_LP ? TK_RP : s->toks.v[o].kind == TK_LB ? TK_RB : TK_GT;
        if (t->kind == want) {
            s->toks.v[o].partner = i;
            t->partner = o;
            open.n--;
        }
    }
}

static bool joins_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

/* Would the two read as something else without a blank? */
static bool must_part(char a, char b)
{
    if (joins_word(a)) {
        return joins_word(b) || b == '\'' || b == '"' || b == '&';
    }
    switch (a) {
    case '\'':
    case '`':
    case '-':
    case '|':
    case ':':
        return a == b || (a == '-' && b == '>') || (a == '\'' && joins_word(b));
    case '/':
        return b == '*' || b == '/';
    case '*':
        return b == '/';
    case '<':
        return b == '=' || b == '>';
    case '>':
    case '!':
        return b == '=';
    case '=':
        return b == '>';
    case '.':
        return b == '.' || (b >= '0' && b <= '9');
    case '{':
        return joins_word(b) && !(b >= '0' && b <= '9');
    default:
        return false;
    }
}

/* What the two tokens say of the blank between them; the layout may know better. */
static bool wants_space(const struct fmt_stmt *s, uint32_t i)
{
    const struct fmt_token *a = &s->toks.v[i - 1], *b = &s->toks.v[i];
    switch (b->kind) {
    case TK_COMMA:
    case TK_SEMI:
    case TK_RP:
    case TK_RB:
    case TK_DOT:
    case TK_LB:
    case TK_COLON:
        return false;
    case TK_GT:
        if (b->partner != FMT_NONE) {
            return false;
        }
        break;
    case TK_LT:
        if (b->partner != FMT_NONE) {
            return false;
        }
        break;
    case TK_NE:
        if (opens_type(s, i)) {
            return false;
        }
        break;
    default:
        break;
    }
    switch (a->kind) {
    case TK_LP:
    case TK_LB:
    case TK_DOT:
        return false;
    case TK_LT:
        return a->partner == FMT_NONE;
    default:
        break;
    }
    return true;
}

void fmt_tokens(struct fmt_stmt *s)
{
    struct sql_lexer lx;
    struct sql_token t;
    uint32_t end = 0, moved = 0;
    sql_lex_init(&lx, s->parsed, s->version, false);
    while (sql_lex_next(&lx, &t)) {
        uint32_t first = (uint32_t)s->comments.n - moved;
        fmt_comments found = {s->comments.v, s->comments.n, s->comments.cap};
        if (t.off > end) {
            fmt_scan(s->arena, s->text, end, t.off, false, &found);
            s->comments.v = found.v;
            s->comments.n = found.n;
            s->comments.cap = found.cap;
        }
        struct fmt_token *f = sl_vec_add(s->arena, &s->toks);
        *f = (struct fmt_token){.off = t.off, .len = t.len, .kind = t.kind, .word = t.word};
        f->partner = f->inside = FMT_NONE;
        f->upper = t.word && ((t.flags & SQL_TOKEN_RESERVED) || !is_name_at(s, t.off));
        f->blank = has_empty_line(s->text, end, t.off);
        measure(f, sl_str_sub(s->text, t.off, t.len));
        /* what ends a line before a comma belongs behind it */
        bool ends = s->comments.n > first && s->comments.v[s->comments.n - 1].ends_line;
        moved = t.kind == TK_COMMA && ends ? (uint32_t)s->comments.n - first : 0;
        f->comment = first;
        f->n_comments = moved ? 0 : (uint32_t)s->comments.n - first;
        end = t.off + t.len;
    }
    pair_brackets(s);
    for (uint32_t i = 1; i < s->toks.n; i++) {
        struct fmt_token *f = &s->toks.v[i];
        const struct fmt_token *before = &s->toks.v[i - 1];
        f->space_fixed = must_part(s->text.p[before->off + before->len - 1], s->text.p[f->off]);
        f->space = f->space_fixed || wants_space(s, i);
    }
}
