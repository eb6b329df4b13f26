/* SPDX-License-Identifier: Apache-2.0
 * What the tokens and comments of a statement say without its tree: hints that are comments, double quotes in
 * SET, names that a newer Flink reserves. */
#include "catalog/lint_impl.h"
#include "sqlparse/token.h"

static const char *const hints[] = {"OPTIONS",      "LOOKUP",        "STATE_TTL", "BROADCAST",
                                    "SHUFFLE_HASH", "SHUFFLE_MERGE", "NEST_LOOP", "MULTI_JOIN"};

static size_t blanks(sl_str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n &&
           (s.p[at + n] == ' ' || s.p[at + n] == '\t' || s.p[at + n] == '\n' || s.p[at + n] == '\r')) {
        n++;
    }
    return n;
}

/* A comment whose first word behind a '+' is a hint of Flink's. */
static void check_comment(struct lint *l, sl_str file, uint32_t off, uint32_t end)
{
    sl_str c = sl_str_sub(file, off, end - off);
    size_t lead = c.n > 2 ? blanks(c, 2) : 0, plus = 2 + lead;
    if (!lead || plus >= c.n || c.p[plus] != '+') {
        return;
    }
    size_t word = plus + 1 + blanks(c, plus + 1), n = 0;
    while (word + n < c.n && ((c.p[word + n] | 0x20) >= 'a' || c.p[word + n] == '_') &&
           c.p[word + n] != '(') {
        n++;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(hints); i++) {
        if (!sl_str_ieqz(sl_str_sub(c, word, n), hints[i])) {
            continue;
        }
        struct sl_pos pos = sql_lines_pos(&l->s->files.v[l->st->file].lines, off, end - off);
        struct sql_diag *d =
            lint_say_at(l, SL_HINT_COMMENT, pos, "this is a comment, no hint: a blank stands before the '+'");
        if (d) {
            d->hint = sl_arena_printf(l->a, "write /*+ %s", hints[i]);
            lint_edit_at(l, d, off + 2, (uint32_t)lead, SL_STR(""));
        }
        return;
    }
}

static uint32_t comment_end(sl_str t, uint32_t at, uint32_t to)
{
    uint32_t i = at + 2;
    while (i + 1 < to && !(t.p[i] == '*' && t.p[i + 1] == '/')) {
        i++;
    }
    return SL_MIN(i + 2, to);
}

/* The comments between two tokens of the file. */
static void check_gap(struct lint *l, sl_str file, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i + 1 < to;) {
        bool line = (file.p[i] == '-' && file.p[i + 1] == '-') || (file.p[i] == '/' && file.p[i + 1] == '/');
        if (line) {
            while (i < to && file.p[i] != '\n' && file.p[i] != '\r') {
                i++;
            }
        } else if (file.p[i] == '/' && file.p[i + 1] == '*') {
            uint32_t end = comment_end(file, i, to);
            check_comment(l, file, i, end);
            i = end;
        } else {
            i++;
        }
    }
}

/* SET "k" = "v". `known`: what was said of the key already, which this says better; NULL: nothing. */
void lint_quotes(struct lint *l, struct sql_diag *known)
{
    const struct sql_stmt *st = l->st;
    bool key = st->key.n > 2 && st->key.p[0] == '"' && st->key.p[st->key.n - 1] == '"';
    bool value = st->value.n > 1 && st->value.p[0] == '"' && st->value.p[st->value.n - 1] == '"';
    ptrdiff_t k = key ? sl_str_find(st->text, st->key) : -1;
    if (k < 0) {
        return;
    }
    uint32_t at = st->pos.off + (uint32_t)k, n = (uint32_t)st->key.n;
    static const char msg[] = "Flink takes the double quotes as part of the key, and sets nothing it knows";
    struct sql_diag *d = known;
    if (known) {
        d->code = SL_SET_DOUBLE_QUOTES;
        d->msg = sl_str_of(msg);
    } else {
        d = lint_say_at(l, SL_SET_DOUBLE_QUOTES, sql_lines_pos(&l->s->files.v[st->file].lines, at, n), "%s",
                        msg);
    }
    if (!d) {
        return;
    }
    sl_str plain = sl_str_sub(st->key, 1, st->key.n - 2);
    d->hint = sl_arena_printf(l->a, "write '%.*s'", SL_S(plain));
    lint_edit_at(l, d, at, n, sl_arena_printf(l->a, "'%.*s'", SL_S(plain)));
    sl_str rest = sl_str_sub(st->text, (size_t)k + st->key.n, st->text.n - (size_t)k - st->key.n);
    ptrdiff_t v = value ? sl_str_find(rest, st->value) : -1;
    if (v >= 0) {
        lint_edit_at(l, d, at + n + (uint32_t)v, (uint32_t)st->value.n,
                     sl_arena_printf(l->a, "'%.*s'", SL_S(sl_str_sub(st->value, 1, st->value.n - 2))));
    }
}

/* Unquoted, a name here, and reserved by a version to come. */
static void check_reserved(struct lint *l, const struct sql_token *t, uint32_t base)
{
    static const sql_version later[] = {200, 201, 202, 203};
    if (!t->word || (t->flags & SQL_TOKEN_RESERVED)) {
        return;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(later); i++) {
        if (later[i] <= l->s->flink || !(sql_words[t->word].reserved >> sql_version_index(later[i]) & 1)) {
            continue;
        }
        struct sl_pos pos = sql_lines_pos(&l->s->files.v[l->st->file].lines, base + t->off, t->len);
        sl_str word = sl_str_sub(l->st->text, t->off, t->len);
        struct sql_diag *d =
            lint_say_at(l, SL_RESERVED_LATER, pos, "'%.*s' is a reserved word from Flink %s on", SL_S(word),
                        sql_version_name(later[i]));
        if (d) {
            d->hint = sl_arena_printf(l->a, "write `%.*s`", SL_S(word));
            lint_edit_at(l, d, pos.off, pos.len, sl_arena_printf(l->a, "`%.*s`", SL_S(word)));
        }
        return;
    }
}

void lint_text(struct lint *l)
{
    const struct sql_stmt *st = l->st;
    if ((st->kind == SQL_KIND_SET || st->kind == SQL_KIND_RESET) && st->has_key) {
        lint_quotes(l, NULL);
        return;
    }
    sl_str file = l->s->files.v[st->file].lines.text;
    struct sql_lexer lx;
    struct sql_token t;
    uint32_t end = 0;
    sql_lex_init(&lx, st->text, l->s->flink, true);
    struct sql_token before = {0};
    while (sql_lex_next(&lx, &t)) {
        if (t.off > end) {
            check_gap(l, file, st->pos.off + end, st->pos.off + t.off);
        }
        if (before.word && t.kind != TK_LP) { /* what is called stays a function */
            check_reserved(l, &before, st->pos.off);
        }
        before = t;
        end = t.off + t.len;
    }
    check_reserved(l, &before, st->pos.off);
    if (st->terminated) {
        /* up to the ';', which is the next token of the file */
        struct sql_lexer tail;
        uint32_t from = st->pos.off + end;
        sql_lex_init(&tail, sl_str_sub(file, from, file.n - from), l->s->flink, false);
        if (sql_lex_next(&tail, &t) == TK_SEMI) {
            check_gap(l, file, from, from + t.off);
        }
    }
}
