/* SPDX-License-Identifier: Apache-2.0
 * Statements as tokens, and words in them, for the places of Flink's errors. */
#include "gateway/target/flink_error_scan.h"

#include "sqlparse/token.h"

struct fe_toks fe_lex(const struct fe *c, const struct sql_stmt *st)
{
    struct sql_lexer lx;
    struct sql_token t;
    SL_VEC(struct fe_tok) v = {0};
    sql_lex_init(&lx, st->sql, c->s->flink, false);
    while (sql_lex_next(&lx, &t)) {
        sl_vec_push(c->a, &v, ((struct fe_tok){t.kind, t.off, t.len}));
    }
    return (struct fe_toks){v.v, v.n, st->sql};
}

sl_str fe_tok_text(const struct fe_toks *t, size_t i)
{
    return i < t->n ? sl_str_sub(t->sql, t->v[i].off, t->v[i].len) : SL_STR_NONE;
}

bool fe_tok_is(const struct fe_toks *t, size_t i, int kind)
{
    return i < t->n && t->v[i].kind == kind;
}

bool fe_tok_word(const struct fe_toks *t, size_t i, const char *word)
{
    return i < t->n && sl_str_ieqz(fe_tok_text(t, i), word);
}

bool fe_tok_name(const struct fe *c, const struct fe_toks *t, size_t i, sl_str *ret)
{
    sl_str s = fe_tok_text(t, i);
    if (s.n == 0) {
        return false;
    }
    if (s.p[0] == '`') {
        *ret = sql_unquote(c->a, s);
        return true;
    }
    *ret = s;
    return (s.p[0] >= 'a' && s.p[0] <= 'z') || (s.p[0] >= 'A' && s.p[0] <= 'Z') || s.p[0] == '_' ||
           (unsigned char)s.p[0] >= 0x80;
}

bool fe_spot_set(struct fe_spot *ret, const struct sql_stmt *st, uint32_t off, uint32_t len)
{
    *ret = (struct fe_spot){st, off, len};
    return true;
}

bool fe_find_words(const struct fe *c, const struct sql_stmt *st, sl_str words, struct fe_spot *ret)
{
    struct fe_toks t = fe_lex(c, st);
    for (size_t i = 0; i < t.n; i++) {
        sl_str rest = words;
        size_t k = i;
        while (rest.n && k < t.n) {
            sl_str s = fe_tok_text(&t, k);
            if (s.n > rest.n || !sl_str_ieq(sl_str_sub(rest, 0, s.n), s)) {
                break;
            }
            rest = sl_str_trim(sl_str_sub(rest, s.n, rest.n - s.n));
            k++;
        }
        if (rest.n == 0 && k > i) {
            return fe_spot_set(ret, st, t.v[i].off, t.v[k - 1].off + t.v[k - 1].len - t.v[i].off);
        }
    }
    return false;
}
