/* SPDX-License-Identifier: Apache-2.0
 * Completion: finds the statement and the token at the caret, asks the grammar what it would take there, and
 * gathers what fits what is typed already. */
#include "catalog/complete.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "catalog/complete_impl.h"

enum {
    RANK_COLUMN = 0,
    RANK_RESULT = 20,
    RANK_ALIAS = 100,
    RANK_FAR = 200,
    RANK_TABLE = 0,
    RANK_SPACE = 250
};
enum fit { FITS_START, FITS_WORD, FITS_SOMEHOW, FITS_NOT };

const char *cat_item_kind_name(enum cat_item_kind k)
{
    static const char *const names[] = {
        [CAT_ITEM_COLUMN] = "Field",      [CAT_ITEM_TABLE] = "Class",        [CAT_ITEM_VIEW] = "Interface",
        [CAT_ITEM_ALIAS] = "Variable",    [CAT_ITEM_VARIABLE] = "Constant",  [CAT_ITEM_SPACE] = "Module",
        [CAT_ITEM_FUNCTION] = "Function", [CAT_ITEM_TYPE] = "TypeParameter", [CAT_ITEM_KEY] = "Property",
        [CAT_ITEM_VALUE] = "EnumMember",  [CAT_ITEM_KEYWORD] = "Keyword"};
    return names[k];
}

/* ------------------------------------------------------------------ offering */

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool starts_folded(sl_str s, sl_str prefix)
{
    return s.n >= prefix.n && sl_str_ieq(sl_str_sub(s, 0, prefix.n), prefix);
}

/* At the start, at the start of a word in it (net of price_net, net.price), or its letters in order. */
static enum fit fit_of(sl_str label, sl_str typed)
{
    if (starts_folded(label, typed)) {
        return FITS_START;
    }
    for (size_t i = 1; i < label.n; i++) {
        char before = label.p[i - 1];
        if ((before == '_' || before == '.' || before == '-' || before == ' ') &&
            starts_folded(sl_str_sub(label, i, label.n - i), typed)) {
            return FITS_WORD;
        }
    }
    size_t k = 0;
    for (size_t i = 0; i < label.n && k < typed.n; i++) {
        k += folded(label.p[i]) == folded(typed.p[k]);
    }
    bool first = label.n && typed.n && folded(label.p[0]) == folded(typed.p[0]);
    return typed.n >= 2 && first && k == typed.n ? FITS_SOMEHOW : FITS_NOT;
}

void caret_offer(struct caret *c, struct cat_item item)
{
    enum fit fit = fit_of(item.label, c->prefix);
    if (fit == FITS_NOT) {
        return;
    }
    item.rank += (unsigned)fit * 10000u;
    if (c->quote && (item.kind == CAT_ITEM_KEY || item.kind == CAT_ITEM_VALUE)) {
        item.insert = sl_arena_printf(c->a, "'%.*s'", SL_S(item.insert));
    }
    sl_vec_push(c->a, &c->out->items, item);
}

static bool needs_quotes(const struct caret *c, sl_str name)
{
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, name, c->s->flink, false);
    sql_lex_next(&lx, &t);
    return t.len != name.n || !(t.kind == TK_IDENT || (t.word && !(t.flags & SQL_TOKEN_RESERVED)));
}

static sl_str quoted(const struct caret *c, sl_str name)
{
    char *text = sl_arena_alloc(c->a, name.n * 2 + 2);
    size_t n = 0;
    text[n++] = '`';
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '`') {
            text[n++] = '`';
        }
        text[n++] = name.p[i];
    }
    text[n++] = '`';
    return (sl_str){text, n};
}

void caret_offer_name(struct caret *c, enum cat_item_kind kind, sl_str name, sl_str detail, sl_str doc,
                      unsigned rank)
{
    if (!name.n) {
        return;
    }
    bool tick = c->from < c->to && c->text.p[c->from - c->base] == '`';
    sl_str insert = tick || needs_quotes(c, name) ? quoted(c, name) : name;
    caret_offer(c, (struct cat_item){name, insert, detail, doc, kind, rank});
}

/* ------------------------------------------------------------------ variables */

/* Behind ${ on the same line: names of variables. True: it is that place. */
static bool in_variable(struct caret *c, sl_str file, uint32_t off)
{
    uint32_t i = off;
    while (i >= 1 && file.p[i - 1] != '\n' && file.p[i - 1] != '}' && file.p[i - 1] != '{') {
        i--;
    }
    if (i < 2 || file.p[i - 1] != '{' || file.p[i - 2] != '$' || (i > 2 && file.p[i - 3] == '$')) {
        return false;
    }
    c->from = i;
    c->to = off;
    while (c->to < file.n && (file.p[c->to] == '_' || file.p[c->to] == '.' || file.p[c->to] == '-' ||
                              (folded(file.p[c->to]) >= 'a' && folded(file.p[c->to]) <= 'z') ||
                              (file.p[c->to] >= '0' && file.p[c->to] <= '9'))) {
        c->to++;
    }
    c->prefix = sl_str_sub(file, i, off - i);
    bool closed = c->to < file.n && (file.p[c->to] == '}' || file.p[c->to] == ':');
    for (size_t k = 0; c->vars && !c->vars->off && k < c->vars->list.n; k++) {
        const struct sql_var *v = &c->vars->list.v[k];
        bool later = false;
        for (size_t l = k + 1; l < c->vars->list.n && !later; l++) {
            later = sl_str_eq(c->vars->list.v[l].name, v->name);
        }
        if (!later) {
            sl_str detail = v->secret ? sl_arena_printf(c->a, "secret, %.*s", SL_S(v->source)) : v->source;
            sl_str insert = closed ? v->name : sl_arena_printf(c->a, "%.*s}", SL_S(v->name));
            caret_offer(c, (struct cat_item){v->name, insert, detail, SL_STR_NONE, CAT_ITEM_VARIABLE, 0});
        }
    }
    return true;
}

/* ------------------------------------------------------------------ words of the grammar */

/* The statement before the caret, its variables as plain words. */
static sl_str text_before(struct caret *c, uint32_t end)
{
    char *text = sl_arena_strdupz(c->a, sl_str_sub(c->text, 0, end));
    for (size_t i = 0; i < c->at; i++) {
        const struct sql_token *t = &c->tokens.v[i];
        if (t->kind == TK_VARIABLE) {
            memset(text + t->off, 'v', t->len);
        }
    }
    return (sl_str){text, end};
}

/* Words whose meaning hangs on the next one: the grammar is asked with each that could follow. */
static const char *const *followers(struct caret *c)
{
    static const char *const none[] = {NULL}, *const after_not[] = {" IN", " LIKE", " SUBMULTISET", " EXISTS",
                                                                    NULL};
    static const char *const after_if[] = {" EXISTS", " NOT EXISTS", NULL}, *const nulls[] = {" NULLS", NULL};
    static const char *const after_within[] = {" DISTINCT", NULL}, *const local[] = {" LOCAL", NULL};
    static const char *const precedes[] = {" PRECEDES", NULL}, *const json[] = {" JSON", NULL};
    static const char *const on[] = {" ON", NULL}, *const less[] = {" <", NULL},
                             *const time[] = {" TIME", NULL};
    static const char *const intersect[] = {" INTERSECT", NULL}, *const any[] = {" ANY", NULL};
    switch (caret_kind(c, c->at - 1)) {
    case TK_NOT:
        return after_not;
    case TK_IF:
        return after_if;
    case TK_IGNORE:
    case TK_RESPECT:
        return nulls;
    case TK_WITHIN:
        return after_within;
    case TK_WITH:
        return local;
    case TK_WITHOUT:
        return time;
    case TK_IMMEDIATELY:
        return precedes;
    case TK_FORMAT:
        return json;
    case TK_ABSENT:
        return on;
    case TK_MAP:
        return less;
    case TK_MULTISET:
        return intersect;
    case TK_EQ:
    case TK_NE:
    case TK_LT:
    case TK_LE:
    case TK_GT:
    case TK_GE:
        return any;
    default:
        return none;
    }
}

static bool expected(struct caret *c, uint32_t end, bool *want)
{
    sl_str text = text_before(c, end);
    bool more[SQL_WANT_CODES];
    bool ok = sql_parse_expected(c->a, text, c->s->flink, c->at, want);
    if (!ok) {
        memset(want, 0, SQL_WANT_CODES * sizeof(*want));
    }
    for (const char *const *f = c->at ? followers(c) : NULL; f && *f; f++) {
        sl_str longer = sl_arena_printf(c->a, "%.*s%s", SL_S(text), *f);
        if (sql_parse_expected(c->a, longer, c->s->flink, c->at, more)) {
            ok = true;
            for (size_t i = 0; i < SQL_WANT_CODES; i++) {
                want[i] |= more[i];
            }
        }
    }
    return ok;
}

/* What may follow anything, where the statement is wrong before the caret already. */
static void guess(const struct caret *c, bool *want, bool *expression, bool *from_item)
{
    static const uint16_t words[] = {TK_FROM,   TK_WHERE, TK_GROUP, TK_BY,   TK_ORDER, TK_LIMIT,
                                     TK_HAVING, TK_AS,    TK_JOIN,  TK_ON,   TK_AND,   TK_OR,
                                     TK_NOT,    TK_IN,    TK_IS,    TK_LIKE, TK_CASE,  TK_WHEN,
                                     TK_THEN,   TK_ELSE,  TK_END,   TK_NULL, TK_UNION, TK_SELECT};
    int last = c->at ? caret_kind(c, c->at - 1) : 0;
    *from_item = last == TK_FROM || last == TK_JOIN;
    *expression = !*from_item && last != TK_AS;
    for (size_t i = 0; i < SL_ARRAY_LEN(words) && !*from_item; i++) {
        want[words[i]] = true;
    }
}

static void in_statement(struct caret *c)
{
    bool want[SQL_WANT_CODES] = {0};
    if (c->in_set && !c->at) {
        want[TK_INSERT] = want[TK_END] = want[TK_UPSERT] = true;
        caret_words(c, want, false, false);
        return;
    }
    struct caret_scope scope = {.select = SIZE_MAX};
    uint32_t end = c->from - c->base;
    bool ok = expected(c, end, want), tick = c->from < c->to && c->text.p[end] == '`';
    bool expression = want[TK_CASE] && want[TK_LP] && want[TK_STRING_LIT];
    bool from_item = want[TK_LATERAL] && want[TK_UNNEST], type = want[TK_BIGINT] && want[TK_VARCHAR];
    if (!ok) {
        guess(c, want, &expression, &from_item);
    }
    enum caret_place place = caret_place_of(c, want[TK_IDENT] || !ok);
    if (c->at && caret_kind(c, c->at - 1) == TK_DOT) {
        sl_str part[3];
        size_t n = 0, i = c->at - 1;
        size_t at = c->at;
        SL_VEC(sl_str) back = {0};
        while (i > 0 && caret_kind(c, i) == TK_DOT && caret_is_name(&c->tokens.v[i - 1])) {
            sl_vec_push(c->a, &back, sql_unquote(c->a, caret_token(c, i - 1)));
            at = i - 1;
            i = i > 1 ? i - 2 : 0;
        }
        for (size_t k = back.n; k-- > 0 && n < 3;) {
            part[n++] = back.v[k];
        }
        /* what the place would be without the name */
        size_t was = c->at;
        bool before[SQL_WANT_CODES] = {0};
        c->at = at;
        bool head = expected(c, at < c->tokens.n ? c->tokens.v[at].off : end, before);
        place = caret_place_of(c, true);
        int last = at ? caret_kind(c, at - 1) : 0;
        bool table = place == PLACE_TABLE || place == PLACE_VIEW ||
                     (before[TK_LATERAL] && before[TK_UNNEST]) ||
                     (!head && (last == TK_FROM || last == TK_JOIN));
        caret_scope(c, &scope);
        c->at = was;
        if (n && back.n <= 3) {
            caret_offer_qualified(c, &scope, part, n, table);
        }
        return;
    }
    size_t next, at = caret_subject(c);
    switch (place) {
    case PLACE_TABLE:
    case PLACE_VIEW:
        caret_scope(c, &scope);
        caret_offer_tables(c, &scope, place == PLACE_VIEW);
        break;
    case PLACE_DATABASE:
        caret_offer_spaces(c, false, SL_STR_NONE, 0);
        caret_offer_spaces(c, true, SL_STR_NONE, 1);
        break;
    case PLACE_CATALOG:
        caret_offer_spaces(c, true, SL_STR_NONE, 0);
        break;
    case PLACE_COLUMNS_OF: {
        const struct cat_object *o = at ? caret_table(c, at, &next) : NULL;
        if (o) {
            caret_offer_rest(c, cat_flow_columns(c->flow, o), caret_kind(c, 0) != TK_ALTER);
        }
        break;
    }
    case PLACE_DECLARED:
        if (caret_kind(c, c->at - 1) == TK_FOR) { /* WATERMARK FOR: among the columns themselves */
            caret_offer_columns(c, caret_declared(c), SL_STR_NONE, 0);
        } else {
            caret_offer_rest(c, caret_declared(c), false);
        }
        break;
    case PLACE_USING:
        caret_scope(c, &scope);
        caret_offer_common(c, &scope);
        break;
    case PLACE_OPTION_KEY:
    case PLACE_OPTION_VALUE:
        c->quote = true;
        caret_offer_options(c, place == PLACE_OPTION_VALUE);
        return;
    case PLACE_OTHER:
        if (from_item || expression) {
            caret_scope(c, &scope);
        }
        if (from_item) {
            caret_offer_tables(c, &scope, false);
            caret_functions(c, true, 0);
        } else if (expression) {
            caret_offer_expression(c, &scope);
        }
        break;
    }
    if (!tick && !scope.columns_only) {
        caret_words(c, want, expression, type || !ok);
    }
}

/* ------------------------------------------------------------------ finding the place */

/* Is the caret in a comment that begins between two tokens? */
static bool in_comment(sl_str text, uint32_t from, uint32_t rel)
{
    for (uint32_t i = from; i + 1 < text.n && i < rel; i++) {
        bool line = (text.p[i] == '-' && text.p[i + 1] == '-') || (text.p[i] == '/' && text.p[i + 1] == '/');
        bool block = text.p[i] == '/' && text.p[i + 1] == '*' && !(i + 2 < text.n && text.p[i + 2] == '+');
        if (line) {
            while (i < text.n && text.p[i] != '\n' && text.p[i] != '\r') {
                i++;
            }
            if (i >= rel) {
                return true;
            }
        } else if (block) {
            for (i += 2; i + 1 < text.n && !(text.p[i] == '*' && text.p[i + 1] == '/'); i++) {
            }
            i++;
            if (i + 1 > rel || i + 1 > text.n) {
                return i + 1 > rel;
            }
        }
    }
    return false;
}

static bool behind_semicolon(const struct sql_script *s, sl_str text, uint32_t from, uint32_t to)
{
    struct sql_lexer lx;
    struct sql_token t;
    if (from >= to) {
        return false;
    }
    sql_lex_init(&lx, sl_str_sub(text, from, text.n - from), s->flink, true);
    return sql_lex_next(&lx, &t) == TK_SEMI && from + t.off < to;
}

/* EXECUTE STATEMENT SET BEGIN |, BEGIN STATEMENT SET; | */
static bool behind_opener(const struct sql_script *s, const struct sql_stmt *st, uint32_t off)
{
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, st->text, s->flink, true);
    int first = sql_lex_next(&lx, &t);
    int wanted = first == TK_BEGIN ? TK_SEMI : TK_BEGIN;
    while (sql_lex_next(&lx, &t) && st->pos.off + t.off + t.len < off) {
        if (t.kind == wanted) {
            return true;
        }
    }
    return false;
}

/* The statement the caret is in: the last one that begins before it and whose ';' does not. */
static const struct sql_stmt *statement_at(struct caret *c, uint16_t file, sl_str text, uint32_t off)
{
    const struct sql_stmt *last = NULL;
    size_t low = 0, high = c->s->stmts.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct sql_stmt *st = &c->s->stmts.v[mid];
        if (st->file < file || (st->file == file && st->pos.off <= off)) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    last = low && c->s->stmts.v[low - 1].file == file ? &c->s->stmts.v[low - 1] : NULL;
    c->number = low ? c->s->stmts.v[low - 1].number + 1 : 1;
    if (!last || behind_semicolon(c->s, text, last->pos.off + last->pos.len, off)) {
        return NULL;
    }
    c->number = last->number;
    const struct sql_stmt *in = NULL;
    for (size_t i = 0; i < last->n_inner; i++) {
        in = last->inner[i].pos.off <= off ? &last->inner[i] : in;
    }
    if (in && !behind_semicolon(c->s, text, in->pos.off + in->pos.len, off)) {
        return in;
    }
    c->in_set = in != NULL || (last->kind == SQL_KIND_STATEMENT_SET && behind_opener(c->s, last, off));
    return last;
}

static bool take_tokens(struct caret *c, uint32_t rel)
{
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, c->text, c->s->flink, true);
    while (sql_lex_next(&lx, &t)) {
        sl_vec_push(c->a, &c->tokens, t);
    }
    uint32_t end = 0;
    for (c->at = 0; c->at < c->tokens.n; c->at++) {
        const struct sql_token *at = &c->tokens.v[c->at];
        if (at->off >= rel || at->off + at->len > rel) {
            break;
        }
        end = at->off + at->len;
    }
    c->lower = c->tokens.n && c->tokens.v[0].word && c->text.p[c->tokens.v[0].off] >= 'a' &&
               c->tokens.v[0].off + c->tokens.v[0].len < rel;
    return !in_comment(c->text, end, rel);
}

/* A quote before the caret that nothing closes. */
static size_t open_string(const struct caret *c)
{
    for (size_t i = c->at; i-- > 0;) {
        if (c->tokens.v[i].kind == TK_QUOTE && c->tokens.v[i].fault == SQL_LEX_OPEN_STRING) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* The end of what is typed inside a string: its closing quote if it stands on the same line. */
static uint32_t string_end(const struct caret *c, uint32_t rel, uint32_t end)
{
    uint32_t i = rel;
    while (i < end && c->text.p[i] != '\'' && c->text.p[i] != '\n' && c->text.p[i] != '\r') {
        i++;
    }
    return i < c->text.n && c->text.p[i] == '\'' ? i : rel;
}

static void at_caret(struct caret *c, uint32_t rel)
{
    size_t open = open_string(c);
    if (open != SIZE_MAX) {
        uint32_t from = c->tokens.v[open].off + 1;
        c->at = open;
        c->from = c->base + from;
        c->to = c->base + rel;
        c->prefix = sl_str_sub(c->text, from, rel - from);
        caret_in_string(c);
        return;
    }
    if (caret_in_plain_set(c, rel)) {
        return;
    }
    /* what ends at the caret is what is being typed */
    if (c->at && c->tokens.v[c->at - 1].off + c->tokens.v[c->at - 1].len == rel) {
        const struct sql_token *t = &c->tokens.v[c->at - 1];
        bool typed =
            t->kind == TK_IDENT || t->word || (t->kind == TK_ILLEGAL && t->fault == SQL_LEX_OPEN_IDENT);
        if (typed) {
            c->at--;
        } else if (t->kind == TK_INTEGER_LIT || t->kind == TK_DECIMAL_LIT || t->kind == TK_APPROX_LIT ||
                   t->kind == TK_ILLEGAL || t->kind == TK_VARIABLE || t->kind == TK_QUOTED_IDENT ||
                   t->kind == TK_STRING_LIT) {
            return;
        }
    }
    c->from = c->to = c->base + rel;
    if (c->at < c->tokens.n && c->tokens.v[c->at].off < rel) {
        const struct sql_token *t = &c->tokens.v[c->at];
        uint32_t from = t->off, to = t->off + t->len;
        bool string = t->kind == TK_STRING_LIT || t->kind == TK_PREFIXED_LIT;
        bool tick = t->kind == TK_QUOTED_IDENT || (t->kind == TK_ILLEGAL && t->fault == SQL_LEX_OPEN_IDENT);
        if (t->kind == TK_ILLEGAL && tick) {
            /* the rest of the line is not meant */
            for (to = rel; to < t->off + t->len && caret_is_name(t); to++) {
            }
        }
        c->prefix = sl_str_sub(c->text, from + (string || tick), rel - from - (string || tick));
        c->from = c->base + from + string;
        c->to = c->base + (string ? string_end(c, rel, to) : to);
        if (string) {
            caret_in_string(c);
            return;
        }
        if (!tick && t->kind != TK_IDENT && !t->word) {
            return;
        }
    }
    in_statement(c);
}

static int by_rank(const void *x, const void *y)
{
    const struct cat_item *a = x, *b = y;
    int c = (a->rank > b->rank) - (a->rank < b->rank);
    c = c ? c : sl_str_cmp(a->label, b->label);
    return c ? c : sl_str_cmp(a->detail, b->detail);
}

static void finish(struct caret *c, size_t limit)
{
    struct cat_completion *out = c->out;
    size_t n = 0;
    if (out->items.n) {
        qsort(out->items.v, out->items.n, sizeof(*out->items.v), by_rank);
    }
    for (size_t i = 0; i < out->items.n; i++) {
        const struct cat_item *at = &out->items.v[i], *before = n ? &out->items.v[n - 1] : NULL;
        bool again = before && before->kind == at->kind && sl_str_eq(before->label, at->label) &&
                     sl_str_eq(before->detail, at->detail);
        if (!again) {
            out->items.v[n++] = *at;
        }
    }
    limit = limit ? limit : CAT_COMPLETE_LIMIT;
    out->incomplete = n > limit;
    out->items.n = SL_MIN(n, limit);
    out->off = c->from;
    out->len = c->to - c->from;
}

void cat_complete(struct sl_arena *a, const struct sql_script *s, uint16_t file, uint32_t off,
                  const struct sql_vars *vars, size_t limit, struct cat_completion *ret)
{
    *ret = (struct cat_completion){.off = off};
    if (file >= s->files.n) {
        return;
    }
    sl_str text = s->files.v[file].lines.text;
    off = (uint32_t)SL_MIN((size_t)off, text.n);
    struct caret c = {.a = a, .s = s, .from = off, .to = off, .vars = vars, .out = ret};
    const struct sql_stmt *st = statement_at(&c, file, text, off);
    uint32_t from = st ? st->pos.off : off, to = st ? st->pos.off + st->pos.len : off;
    if (!st && s->stmts.n) { /* a comment may have begun behind the statement before */
        for (size_t i = s->stmts.n; i-- > 0;) {
            if (s->stmts.v[i].file == file && s->stmts.v[i].pos.off < off) {
                from = s->stmts.v[i].pos.off + s->stmts.v[i].pos.len;
                break;
            }
            from = 0;
        }
    } else if (!st) {
        from = 0;
    }
    if (!st) {
        struct sql_lexer lx;
        struct sql_token t;
        sql_lex_init(&lx, sl_str_sub(text, from, text.n - from), s->flink, true);
        uint32_t end = from;
        while (sql_lex_next(&lx, &t) == TK_SEMI && from + t.off < off) {
            end = from + t.off + t.len;
        }
        if (in_comment(text, end, off)) {
            return;
        }
        from = to = off;
    }
    if (c.in_set && st && st->kind == SQL_KIND_STATEMENT_SET) {
        from = to = off;
        st = NULL;
    }
    c.base = from;
    c.text = sl_str_sub(text, from, SL_MAX(to, off) - from);
    c.flow = cat_flow_new(a, s, c.number);
    bool visible = take_tokens(&c, off - from);
    if (visible && !in_variable(&c, text, off)) {
        at_caret(&c, off - from);
    }
    finish(&c, limit);
}

void cat_completion_json(const struct sql_script *s, uint16_t file, const struct cat_completion *c,
                         struct sl_buf *out)
{
    struct sl_jw w;
    struct sl_pos p = sql_lines_pos(&s->files.v[file].lines, c->off, c->len);
    char sort[24];
    sl_jw_init(&w, out);
    sl_jw_object(&w);
    sl_jw_key(&w, "range");
    sl_jw_object(&w);
    sl_jw_pos(&w, &p);
    sl_jw_end_object(&w);
    sl_jw_kbool(&w, "incomplete", c->incomplete);
    sl_jw_key(&w, "items");
    sl_jw_array(&w);
    for (size_t i = 0; i < c->items.n; i++) {
        const struct cat_item *at = &c->items.v[i];
        sl_jw_object(&w);
        sl_jw_kstr(&w, "label", at->label);
        sl_jw_kstrz(&w, "kind", cat_item_kind_name(at->kind));
        sl_jw_kstr(&w, "insertText", at->insert);
        if (at->detail.n) {
            sl_jw_kstr(&w, "detail", at->detail);
        }
        if (at->doc.n) {
            sl_jw_kstr(&w, "documentation", at->doc);
        }
        snprintf(sort, sizeof(sort), "%05zu", i);
        sl_jw_kstrz(&w, "sortText", sort);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
}
