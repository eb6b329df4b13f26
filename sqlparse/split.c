/* SPDX-License-Identifier: Apache-2.0
 * The splitter. A statement ends at a ';' token; inside a statement set the ';' ends one INSERT and the set
 * ends with its END. SET and RESET without quotes are read as Flink's client reads them: as plain text,
 * before any lexing (their values may hold anything but white space and ';'). Two things are mended so that
 * one slip does not swallow the rest of the file: a string that runs over its line and into a word, and a set
 * whose END is missing. */
#include "sqlparse/split.h"

#include "base/limits.h"

enum opener { OPEN_PAREN, OPEN_BRACKET, OPEN_CASE };

/* What is known while a piece is read. */
struct walk {
    struct sql_piece *p;
    uint8_t stack[SL_LIMIT_NESTING + 1];
    uint16_t terms[SL_LIMIT_NESTING + 2]; /* operators in a row, per depth */
    size_t depth;
    struct sql_token last, before; /* the two tokens before the current one */
    bool in_set, at_inner_start, ended;
    unsigned inner_word; /* the first word of the statement inside the set */
    /* in front of the first statement inside a set that no set can hold; off 0: none yet */
    struct {
        uint32_t off, end;
        size_t inner;
        bool terminated;
        struct sql_lexer lx;
    } foreign;
};

void sql_splitter_init(struct sql_splitter *sp, struct sl_arena *a, sl_str text, sql_version version,
                       bool variables)
{
    *sp = (struct sql_splitter){.arena = a, .text = text};
    sql_lex_init(&sp->lx, text, version, variables);
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) {
        sp->lx.at = 3;
    }
}

/* Goes on lexing at `off`, from a copy of the lexer that has not yet come so far. */
static void resume(struct sql_splitter *sp, const struct sql_lexer *from, uint32_t off)
{
    sp->lx = *from;
    sp->lx.at = off;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t skip_space(sl_str s, size_t i)
{
    while (i < s.n && is_space(s.p[i])) {
        i++;
    }
    return i;
}

/* A run of anything but white space, ';' and `stop`; a variable counts as a whole. */
static size_t run_end(const struct sql_splitter *sp, size_t i, char stop)
{
    sl_str s = sp->text;
    while (i < s.n && !is_space(s.p[i]) && s.p[i] != ';' && s.p[i] != stop) {
        size_t var = sp->lx.variables && s.p[i] == '$' && i + 1 < s.n && s.p[i + 1] == '{'
                         ? sql_variable_end(s, i)
                         : 0;
        i = var ? var : i + 1;
    }
    return i;
}

/* Is the statement over at `i`, but for white space and comments? */
static bool ends_at(const struct sql_splitter *sp, size_t i)
{
    struct sql_token t;
    struct sql_lexer peek = sp->lx;
    peek.at = (uint32_t)i;
    int kind = sql_lex_next(&peek, &t);
    return kind == 0 || kind == TK_SEMI;
}

/* The value of SET behind '=': ret[0] what Flink takes, ret[1] what has to be there for the whole to be a
 * command. */
static bool command_value(struct sql_splitter *sp, size_t i, sl_str *ret, size_t *ret_end, bool *ret_cut)
{
    sl_str s = sp->text;
    size_t quoted = 0;
    if (i < s.n && s.p[i] == '\'') {
        const char *q = memchr(s.p + i + 1, '\'', s.n - i - 1);
        quoted = q ? (size_t)(q - s.p) + 1 : 0;
    }
    size_t run = run_end(sp, i, ';');
    if (!quoted && run == i) {
        return false;
    }
    *ret_cut = false;
    *ret_end = quoted ? quoted : run;
    *ret = quoted ? sl_str_sub(s, i + 1, quoted - i - 2) : sl_str_sub(s, i, run - i);
    if (ends_at(sp, *ret_end)) {
        return true;
    }
    *ret_cut = true;
    *ret_end = run;
    return quoted && run > quoted && ends_at(sp, run); /* a ';' inside the quotes ends nothing */
}

/* SET key = value and RESET key, key without quotes, as the regular expressions of Flink's client take them:
 * the key is as long as it can be, so that `SET a=b=c` sets a=b. `word` is the SET or RESET just read. */
static void take_command(struct sql_splitter *sp, struct sql_piece *p, const struct sql_token *word)
{
    sl_str s = sp->text, key, value = SL_STR_NONE;
    size_t start = skip_space(s, word->off + word->len);
    size_t run = run_end(sp, start, '\'');
    if (start == word->off + word->len || run == start) {
        return;
    }
    size_t end = run;
    if (word->word == SQL_W_RESET) {
        if (!ends_at(sp, run)) {
            return;
        }
        key = sl_str_sub(s, start, run - start);
    } else {
        size_t eq = skip_space(s, run);
        bool found = false;
        if (eq < s.n && s.p[eq] == '=') {
            key = sl_str_sub(s, start, run - start);
            found = command_value(sp, skip_space(s, eq + 1), &value, &end, &p->value_cut);
        }
        for (eq = run; !found && eq-- > start + 1;) {
            if (s.p[eq] == '=') {
                key = sl_str_sub(s, start, eq - start);
                found = command_value(sp, skip_space(s, eq + 1), &value, &end, &p->value_cut);
                if (!found && run - eq > 64) {
                    break; /* no key ends in so many '=' */
                }
            }
        }
        if (!found) {
            return;
        }
    }
    p->command = true;
    p->key = key;
    p->value = value;
    p->end = (uint32_t)end;
    sp->lx.at = (uint32_t)end;
}

static bool is_name_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c >= 0x80;
}

/* A string that goes on over its line and ends right before a word was not meant to: `'a;` on one line pairs
 * with the opening quote of the next string, whose first word then stands outside. */
static bool is_runaway(const struct sql_splitter *sp, const struct sql_token *t)
{
    size_t end = t->off + t->len;
    return t->kind == TK_STRING_LIT && end < sp->text.n && is_name_byte((unsigned char)sp->text.p[end]) &&
           (memchr(sp->text.p + t->off, '\n', t->len) || memchr(sp->text.p + t->off, '\r', t->len));
}

static void note_fault(struct sql_piece *p, const struct sql_token *t, bool forced)
{
    if (p->fault.fault == SQL_LEX_OK) {
        p->fault = *t;
        p->forced = forced;
    }
}

static void open_level(struct walk *w, enum opener o, const struct sql_token *t)
{
    if (w->depth == SL_LIMIT_NESTING) {
        if (!w->p->deep.len) {
            w->p->deep = *t;
        }
        return;
    }
    w->stack[w->depth++] = (uint8_t)o;
    w->terms[w->depth] = 0;
}

/* Closes the nearest level of that kind and whatever was left open inside it. */
static void close_level(struct walk *w, enum opener o)
{
    for (size_t i = w->depth; i-- > 0;) {
        if (w->stack[i] == o) {
            w->depth = i;
            return;
        }
        if (o == OPEN_CASE) {
            return; /* an END does not reach through a parenthesis */
        }
    }
}

static void count_level(struct walk *w, const struct sql_token *t)
{
    switch (t->kind) {
    case TK_LP:
        open_level(w, OPEN_PAREN, t);
        return;
    case TK_LB:
        open_level(w, OPEN_BRACKET, t);
        return;
    case TK_RP:
        close_level(w, OPEN_PAREN);
        return;
    case TK_RB:
        close_level(w, OPEN_BRACKET);
        return;
    case TK_COMMA:
    case TK_SEMI:
        w->terms[w->depth] = 0;
        return;
    case TK_PLUS:
    case TK_MINUS:
    case TK_STAR:
    case TK_SLASH:
    case TK_PERCENT_SIGN:
    case TK_CONCAT:
        break;
    default:
        switch (t->word) {
        case SQL_W_CASE:
            open_level(w, OPEN_CASE, t);
            return;
        case SQL_W_END:
            close_level(w, OPEN_CASE);
            return;
        case SQL_W_SELECT:
        case SQL_W_FROM:
        case SQL_W_WHERE:
        case SQL_W_HAVING:
            /* terms of set operations are counted across their SELECTs, at the same depth: not reset by
             * SELECT */
            return;
        case SQL_W_AND:
        case SQL_W_OR:
        case SQL_W_UNION:
        case SQL_W_EXCEPT:
        case SQL_W_INTERSECT:
            break;
        default:
            return;
        }
    }
    if (w->terms[w->depth] < UINT16_MAX && ++w->terms[w->depth] >= SL_LIMIT_CHAIN_TERMS && !w->p->chain.len) {
        w->p->chain = *t;
    }
}

static bool names_follow(unsigned word)
{
    switch (word) {
    case SQL_W_FROM:
    case SQL_W_JOIN:
    case SQL_W_INTO:
    case SQL_W_OVERWRITE:
    case SQL_W_TABLE:
    case SQL_W_VIEW:
    case SQL_W_DATABASE:
    case SQL_W_CATALOG:
    case SQL_W_FUNCTION:
    case SQL_W_MODEL:
    case SQL_W_MODULE:
    case SQL_W_MODULES:
    case SQL_W_CONNECTION:
    case SQL_W_USE:
    case SQL_W_UPDATE:
    case SQL_W_DESCRIBE:
    case SQL_W_DESC:
    case SQL_W_EXTENDED:
    case SQL_W_EXISTS:
    case SQL_W_AS:
    case SQL_W_BY:
    case SQL_W_CALL:
        return true;
    default:
        return false;
    }
}

static bool is_glue(const struct sql_token *t)
{
    return t->word || t->kind == TK_IDENT || t->kind == TK_QUOTED_IDENT || t->kind == TK_STRING_LIT ||
           t->kind == TK_VARIABLE || t->kind == TK_INTEGER_LIT || t->kind == TK_DECIMAL_LIT ||
           t->kind == TK_APPROX_LIT;
}

static void note_hole(struct sql_splitter *sp, struct walk *w, const struct sql_token *t)
{
    struct sql_piece *p = w->p;
    bool touches = w->last.len && w->last.off + w->last.len == t->off;
    if (p->holes.n) {
        /* what comes behind a hole is known only now */
        struct sql_hole *prev = &p->holes.v[p->holes.n - 1];
        if (prev->kind == TK_VARIABLE && prev->off == w->last.off && w->last.len) {
            prev->glued |= touches && is_glue(t);
            prev->place = t->kind == TK_DOT && touches ? SQL_HOLE_PART : prev->place;
        }
    }
    if (t->kind != TK_VARIABLE && !(t->flags & SQL_TOKEN_VARIABLE)) {
        return;
    }
    struct sql_hole *h = sl_vec_add(sp->arena, &p->holes);
    *h = (struct sql_hole){.off = t->off, .len = t->len, .kind = t->kind};
    h->glued = t->kind == TK_VARIABLE && touches && is_glue(&w->last);
    if (w->last.kind == TK_EQ && w->before.kind == TK_STRING_LIT) {
        h->place = SQL_HOLE_STRING;
        h->key_off = w->before.off;
        h->key_len = w->before.len;
    } else if (w->last.kind == TK_DOT) {
        h->place = SQL_HOLE_PART;
    } else if (names_follow(w->last.word)) {
        bool number = w->last.word == SQL_W_FROM || w->last.word == SQL_W_BY;
        h->place = number ? SQL_HOLE_NAME : SQL_HOLE_PART;
    }
}

/* STATEMENT SET BEGIN in EXECUTE, EXPLAIN and COMPILE; BEGIN STATEMENT SET in front of the first ';'. */
static bool opens_set(const struct walk *w, const struct sql_token *t)
{
    const struct sql_head *h = &w->p->head;
    if (t->kind == TK_SEMI) {
        return h->n == 3 && h->t[0].word == SQL_W_BEGIN && h->t[1].word == SQL_W_STATEMENT &&
               h->t[2].word == SQL_W_SET;
    }
    unsigned first = w->in_set ? w->inner_word : h->n ? h->t[0].word : 0;
    return t->word == SQL_W_BEGIN && w->last.word == SQL_W_SET && w->before.word == SQL_W_STATEMENT &&
           w->depth == 0 && (first == SQL_W_EXECUTE || first == SQL_W_EXPLAIN || first == SQL_W_COMPILE);
}

/* First words of statements that cannot stand in a set, where only INSERTs can. Words that an INSERT gone
 * wrong could begin with are not among them. */
static bool is_foreign(unsigned word)
{
    switch (word) {
    case SQL_W_SELECT:
    case SQL_W_WITH:
    case SQL_W_CREATE:
    case SQL_W_DROP:
    case SQL_W_ALTER:
    case SQL_W_USE:
    case SQL_W_SET:
    case SQL_W_RESET:
    case SQL_W_SHOW:
    case SQL_W_DESCRIBE:
    case SQL_W_EXPLAIN:
    case SQL_W_EXECUTE:
    case SQL_W_COMPILE:
    case SQL_W_BEGIN:
    case SQL_W_LOAD:
    case SQL_W_UNLOAD:
    case SQL_W_CALL:
    case SQL_W_ADD:
        return true;
    default:
        return false;
    }
}

static void add_to_head(struct sql_head *h, const struct sql_token *t)
{
#if defined(PLANT) && PLANT == 2
    bool room = h->n <= SQL_HEAD_TOKENS;
#else
    bool room = h->n < SQL_HEAD_TOKENS;
#endif
    if (room) {
        h->t[h->n++] = *t;
    }
}

/* A set without END gives back what no set can hold; returns whether there was such a thing. */
static bool abandon_set(struct sql_splitter *sp, struct walk *w)
{
    struct sql_piece *p = w->p;
    if (!w->foreign.off) {
        return false;
    }
    p->inner.n = w->foreign.inner;
    p->end = w->foreign.end;
    p->terminated = w->foreign.terminated;
    while (p->holes.n && p->holes.v[p->holes.n - 1].off >= w->foreign.off) {
        p->holes.n--;
    }
    if (p->fault.fault != SQL_LEX_OK && p->fault.off >= w->foreign.off) {
        p->fault = (struct sql_token){0};
        p->forced = false;
    }
    if (p->deep.len && p->deep.off >= w->foreign.off) {
        p->deep = (struct sql_token){0};
    }
    if (p->chain.len && p->chain.off >= w->foreign.off) {
        p->chain = (struct sql_token){0};
    }
    resume(sp, &w->foreign.lx, w->foreign.off);
    return true;
}

/* One token of a set's inside. False when the set has to be given up in front of it. */
static bool step_in_set(struct sql_splitter *sp, struct walk *w, const struct sql_token *t,
                        const struct sql_lexer *before)
{
    struct sql_piece *p = w->p;
    if (t->word == SQL_W_END && (w->at_inner_start || w->depth == 0 || w->stack[w->depth - 1] != OPEN_CASE)) {
        p->set_closed = true;
        w->in_set = false;
        w->ended = true;
        return true;
    }
    if (t->kind == TK_SEMI) {
        if (!w->at_inner_start) {
            p->inner.v[p->inner.n - 1].terminated = true;
        }
        w->at_inner_start = true;
        w->depth = 0;
        return true;
    }
    if (w->at_inner_start) {
        if (!w->foreign.off && is_foreign(t->word)) {
            w->foreign.off = t->off;
            w->foreign.inner = p->inner.n;
            w->foreign.end = p->inner.n ? p->inner.v[p->inner.n - 1].end : p->end;
            w->foreign.terminated = p->inner.n != 0 || p->head.t[0].word == SQL_W_BEGIN;
            w->foreign.lx = *before;
        }
        if ((t->word == SQL_W_EXECUTE || t->word == SQL_W_BEGIN) && w->foreign.off) {
            struct sql_token next;
            struct sql_lexer peek = sp->lx;
            sql_lex_next(&peek, &next);
            if (next.word == SQL_W_STATEMENT) {
                return false;
            }
        }
        struct sql_inner *in = sl_vec_add(sp->arena, &p->inner);
        in->off = t->off;
        in->first_len = t->len;
        w->inner_word = t->word;
        w->at_inner_start = false;
    } else if (w->foreign.off && opens_set(w, t)) {
        return false; /* the next set begins: this one had no END */
    }
    struct sql_inner *in = &p->inner.v[p->inner.n - 1];
    in->end = t->off + t->len;
    return true;
}

/* The next token; *before is the lexer in front of it. */
static bool read_token(struct sql_splitter *sp, struct sql_piece *p, struct sql_token *t,
                       struct sql_lexer *before)
{
    *before = sp->lx;
    if (!sql_lex_next(&sp->lx, t)) {
        return false;
    }
    if (is_runaway(sp, t)) {
        t->kind = TK_QUOTE;
        t->fault = SQL_LEX_OPEN_STRING;
        t->flags = 0;
        t->len = 1;
        note_fault(p, t, true);
        resume(sp, before, t->off + 1);
    } else if (t->fault != SQL_LEX_OK) {
        note_fault(p, t, false);
        if (t->fault == SQL_LEX_OPEN_IDENT) {
            resume(sp, before, t->off + 1); /* a ';' on the rest of the line still ends the statement */
            t->len = 1;
        }
    }
    return true;
}

/* What the end of the text leaves of a set without END. */
static void end_open_set(struct sql_splitter *sp, struct walk *w)
{
    struct sql_piece *p = w->p;
    if (!abandon_set(sp, w) && p->inner.n && w->at_inner_start) {
        p->end = p->inner.v[p->inner.n - 1].end;
        p->terminated = true;
    }
    if (p->inner.n == 0 && p->head.t[0].word == SQL_W_BEGIN) {
        /* BEGIN STATEMENT SET alone, as clients of a session send it */
        p->terminated = true;
        p->opener = (struct sql_token){0};
    }
}

bool sql_splitter_next(struct sql_splitter *sp, struct sql_piece *p)
{
    *p = (struct sql_piece){.head.text = sp->text.p};
    struct walk w = {.p = p};
    struct sql_token t;
    struct sql_lexer before;
    while (read_token(sp, p, &t, &before)) {
        if (p->head.n == 0) {
            if (t.kind == TK_SEMI) {
                continue;
            }
            p->off = t.off;
        }
        note_hole(sp, &w, &t);
        if (w.in_set) {
            if (!step_in_set(sp, &w, &t, &before)) {
                end_open_set(sp, &w);
                return true;
            }
        } else if (!w.ended && opens_set(&w, &t)) {
            p->opener = w.last;
            w.in_set = w.at_inner_start = true;
            w.depth = 0;
        } else if (t.kind == TK_SEMI) {
            p->terminated = true;
            return true;
        }
        count_level(&w, &t);
        p->head.as |= t.word == SQL_W_AS && w.depth == 0;
        if (!(t.kind == TK_SEMI && p->inner.n == 0)) {
            p->end = t.off + t.len;
        }
        add_to_head(&p->head, &t);
        if (p->head.n == 1 && (t.word == SQL_W_SET || t.word == SQL_W_RESET)) {
            take_command(sp, p, &t);
        }
        w.before = w.last;
        w.last = t;
    }
    if (w.in_set) {
        end_open_set(sp, &w);
    }
    return p->head.n != 0;
}
