/* SPDX-License-Identifier: Apache-2.0
 * Where Flink points. Our tables refuse a token as soon as nothing can go on with it; JavaCC, where it has to
 * choose with a lookahead of several tokens, finds that no choice fits and points at the first of them. The
 * choices with a long lookahead are few: the joins, the operators behind an operand, MATCH_RECOGNIZE, the
 * options of a hint. */
#include "sqlparse/expected.h"

static unsigned kind_at(const struct sql_place *pl, size_t i)
{
    return pl->tokens[i].kind;
}

static bool is_join_word(unsigned kind)
{
    switch (kind) {
    case TK_NATURAL:
    case TK_JOIN:
    case TK_INNER:
    case TK_LEFT:
    case TK_RIGHT:
    case TK_FULL:
    case TK_CROSS:
    case TK_OUTER:
        return true;
    default:
        return false;
    }
}

static bool is_operator(unsigned kind)
{
    switch (kind) {
    case TK_EQ:
    case TK_NE:
    case TK_LT:
    case TK_LE:
    case TK_GT:
    case TK_GE:
    case TK_PLUS:
    case TK_MINUS:
    case TK_STAR:
    case TK_SLASH:
    case TK_PERCENT_SIGN:
    case TK_CONCAT:
    case TK_AND:
    case TK_OR:
    case TK_CONTAINS:
    case TK_OVERLAPS:
    case TK_EQUALS:
    case TK_PRECEDES:
    case TK_SUCCEEDS:
        return true;
    default:
        return false;
    }
}

/* Three tokens are looked at before a join is begun: ... LEFT OUTER jion. */
static size_t join_start(const struct sql_place *pl)
{
    for (size_t back = 2; back >= 1; back--) {
        if (pl->at < back || pl->want[TK_COMMA]) {
            continue;
        }
        size_t i = pl->at - back;
        unsigned k = kind_at(pl, i);
        /* CROSS may begin two things and is taken before the next word is looked at; SHOW FULL is no join */
        bool first = is_join_word(k) && k != TK_OUTER && k != TK_CROSS &&
                     (i == 0 || (!is_join_word(kind_at(pl, i - 1)) && kind_at(pl, i - 1) != TK_SHOW));
        if (first) {
            return i;
        }
    }
    return pl->at;
}

/* Operators of two words. */
static bool is_long_operator(const struct sql_place *pl, size_t i)
{
    unsigned next = kind_at(pl, i + 1);
    switch (kind_at(pl, i)) {
    case TK_MEMBER:
        return next == TK_OF;
    case TK_SUBMULTISET:
        return next == TK_OF && kind_at(pl, i - 1) != TK_NOT;
    case TK_IMMEDIATELY:
        return next == TK_PRECEDES || next == TK_SUCCEEDS;
    case TK_MULTISET:
        return next == TK_UNION || next == TK_INTERSECT || next == TK_EXCEPT;
    default:
        return false;
    }
}

/* And before an operator is taken behind an operand: a = TIME b. */
static size_t operator_start(const struct sql_place *pl, size_t at)
{
    bool want[SQL_WANT_CODES];
    if (at < 3 || pl->want[TK_SLASH]) {
        return at;
    }
    unsigned op = kind_at(pl, at - 2), behind = kind_at(pl, at - 1);
    if (!is_operator(op) && !is_long_operator(pl, at - 2)) {
        return at;
    }
    if (behind == TK_SOME || behind == TK_ANY || behind == TK_ALL) {
        return at;
    }
    if (pl->tokens[at - 1].word && sql_words[pl->tokens[at - 1].word].function) {
        return at - 1; /* the name of a function passes, its missing parenthesis is seen later */
    }
    bool behind_operand =
        sql_parse_expected(pl->arena, pl->text, pl->version, at - 2, want) && want[TK_SLASH];
    return behind_operand ? at - 2 : at;
}

size_t sql_expression_end(const struct sql_place *pl)
{
    if (pl->want[TK_CASE] && pl->at >= 2) {
        if (is_operator(kind_at(pl, pl->at - 1))) {
            return pl->at - 1;
        }
        return pl->at >= 3 && is_long_operator(pl, pl->at - 2) ? pl->at - 2 : pl->at;
    }
    return operator_start(pl, pl->at);
}

/* Of a hint's name(k = 'v' x: five tokens from the parenthesis decide which kind of list it is. */
static size_t hint_start(const struct sql_place *pl)
{
    for (size_t back = 3; back <= 4 && back < pl->at; back++) {
        size_t open = pl->at - back;
        if (kind_at(pl, open) != TK_LP || kind_at(pl, open + 2) != TK_EQ) {
            continue;
        }
        size_t i = open;
        while (i && kind_at(pl, i) != TK_HINT_BEGIN && kind_at(pl, i) != TK_COMMENT_END) {
            i--;
        }
        return kind_at(pl, i) == TK_HINT_BEGIN ? open + 1 : pl->at;
    }
    return pl->at;
}

/* Words that our lexer tells apart by what follows them are fine for Flink; it is what follows that is not. */
static bool passes_word(const struct sql_place *pl)
{
    switch (kind_at(pl, pl->at)) {
    case TK_NOT:
        return pl->want[TK_NOT] || pl->want[TK_NOT2] || pl->want[TK_NOT_LIKE];
    case TK_WITH:
        return pl->want[TK_WITH] || pl->want[TK_WITH_LOCAL];
    default:
        return false;
    }
}

/* ALTER TABLE t PARTITION (...) COMPACT is looked through to its end before it is begun. */
static size_t compact_start(const struct sql_place *pl)
{
    if (pl->n < 2 || kind_at(pl, 0) != TK_ALTER || kind_at(pl, 1) != TK_TABLE) {
        return pl->at;
    }
    for (size_t i = 2; i < pl->at; i++) {
        unsigned k = kind_at(pl, i);
        if (k == TK_PARTITION) {
            return i;
        }
        if (k == TK_ADD || k == TK_DROP || k == TK_LP || k == TK_SET || k == TK_RENAME) {
            break;
        }
    }
    return pl->at;
}

size_t sql_flink_place(const struct sql_place *pl)
{
    if (passes_word(pl) && pl->at + 1 < pl->n) {
        return operator_start(pl, pl->at + 1);
    }
    size_t start = join_start(pl);
    if (start == pl->at) {
        start = compact_start(pl);
    }
    start = start == pl->at ? operator_start(pl, start) : start;
    return start == pl->at ? hint_start(pl) : start;
}
