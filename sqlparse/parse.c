/* SPDX-License-Identifier: Apache-2.0
 * The driver of the grammar: hands it tokens, decides the few words whose meaning hangs on the tokens around
 * them (Calcite looks further ahead than one token there), and knows the client commands, which Flink matches
 * as plain text before any grammar. */
#include "sqlparse/parse.h"

#include "base/limits.h"
#include "sqlparse/actions.h"
#include "sqlparse/expected.h"

/* ------------------------------------------------------------------ the token source */

void sql_feed_init(struct sql_feed *f, sl_str text, sql_version version)
{
    f->head = f->filled = f->depth = 0;
    f->interval = f->assign = 0;
    f->update = f->pivot_values = false;
    f->window_depth = f->frame_depth = f->pivot_depth = 0;
    f->before = 0;
    f->prev = 0;
    f->between[0] = 0;
    sql_lex_init(&f->lx, text, version, false);
}

/* The k-th token ahead of the one just taken (k from 0); at most three. */
static const struct sql_token *peek(struct sql_feed *f, unsigned k)
{
    while (f->filled <= k) {
        sql_lex_next(&f->lx, &f->ring[(f->head + f->filled) % 4]);
        f->filled++;
    }
    return &f->ring[(f->head + k) % 4];
}

static int peek_kind(struct sql_feed *f, unsigned k)
{
    return peek(f, k)->kind;
}

static bool is_name(const struct sql_token *t)
{
    return t->kind == TK_IDENT || t->kind == TK_QUOTED_IDENT || t->kind == TK_UNICODE_IDENT ||
           (t->word && !(t->flags & SQL_TOKEN_RESERVED));
}

/* Tokens after which an expression cannot begin, but a unit of time can: INTERVAL '1' HOUR(2). */
static bool ends_operand(const struct sql_feed *f)
{
    switch (f->prev) {
    case TK_STRING_LIT:
    case TK_INTEGER_LIT:
    case TK_DECIMAL_LIT:
    case TK_APPROX_LIT:
    case TK_IDENT:
    case TK_QUOTED_IDENT:
    case TK_RP:
    case TK_INTERVAL:
        return true;
    case TK_TO:
        return f->before != TK_SIMILAR;
    default:
        return false;
    }
}

/* JSON_OBJECT(KEY 'a' VALUE 1): KEY is the word when an expression follows, and a column otherwise. */
static bool begins_operand(int kind)
{
    switch (kind) {
    case 0:
    case TK_VALUE:
    case TK_DOT:
    case TK_LB:
    case TK_COMMA:
    case TK_RP:
    case TK_ARROW:
    case TK_EQ:
    case TK_NE:
    case TK_LT:
    case TK_GT:
    case TK_LE:
    case TK_GE:
    case TK_STAR:
    case TK_SLASH:
    case TK_PERCENT_SIGN:
    case TK_CONCAT:
    case TK_AND:
    case TK_OR:
    case TK_IS:
    case TK_IN:
    case TK_LIKE:
    case TK_BETWEEN:
    case TK_AS:
    case TK_FORMAT:
        return false;
    default:
        return true;
    }
}

/* FINAL 1, FINAL CASE ...: a single thing begins that is no name and no parenthesis. */
static bool begins_primary(const struct sql_token *t)
{
    switch (t->kind) {
    case TK_STRING_LIT:
    case TK_BINARY_LIT:
    case TK_PREFIXED_LIT:
    case TK_UNICODE_LIT:
    case TK_ESCAPED_LIT:
    case TK_INTEGER_LIT:
    case TK_DECIMAL_LIT:
    case TK_APPROX_LIT:
    case TK_HOOK:
    case TK_LBRACE_D:
    case TK_LBRACE_T:
    case TK_LBRACE_TS:
    case TK_LBRACE_FN:
    case TK_CASE:
    case TK_CAST:
    case TK_TRY_CAST:
    case TK_SAFE_CAST:
    case TK_ARRAY:
    case TK_MULTISET:
    case TK_ROW:
    case TK_NULL:
    case TK_TRUE:
    case TK_FALSE:
    case TK_UNKNOWN:
    case TK_DATE:
    case TK_TIME:
    case TK_TIMESTAMP:
    case TK_DATETIME:
    case TK_DECIMAL:
    case TK_INTERVAL:
    case TK_CURSOR:
    case TK_PERIOD:
    case TK_NEW:
    case TK_NEXT:
    case TK_CURRENT:
    case TK_CONTEXT:
    case TK_SPECIFIC:
    case TK_RUNNING:
    case TK_EXTRACT:
    case TK_POSITION:
    case TK_OVERLAY:
    case TK_SUBSTRING:
    case TK_TRIM:
    case TK_CONVERT:
    case TK_TRANSLATE:
    case TK_CEIL:
    case TK_CLASSIFIER:
    case TK_MATCH_NUMBER:
    case TK_PREV:
    case TK_JSON_EXISTS:
    case TK_JSON_VALUE:
    case TK_JSON_QUERY:
    case TK_JSON_OBJECT:
    case TK_JSON_OBJECTAGG:
    case TK_JSON_ARRAY:
    case TK_JSON_ARRAYAGG:
    case TK_DATE_TRUNC:
    case TK_DATETIME_TRUNC:
    case TK_TIME_TRUNC:
    case TK_TIMESTAMP_TRUNC:
    case TK_TIME_DIFF:
    case TK_TIMESTAMP_DIFF:
    case TK_CONTAINS_SUBSTR:
        return true;
    case TK_USER:
        return true;
    default:
        return t->word && sql_words[t->word].function;
    }
}

static bool is_model_word(struct sql_feed *f, bool reserved)
{
    switch (f->prev) {
    case TK_CREATE:
    case TK_TEMPORARY:
    case TK_REPLACE:
    case TK_ALTER:
    case TK_DROP:
    case TK_DESCRIBE:
    case TK_DESC:
        return true;
    case TK_LP:
    case TK_COMMA:
    case TK_COMMA_ARG:
    case TK_ARROW:
        return is_name(peek(f, 0)) && peek_kind(f, 1) != TK_ARROW;
    default:
        /* an operand wherever the grammar wants one, a name everywhere else */
        return !reserved && is_name(peek(f, 0)) && peek_kind(f, 1) != TK_ARROW;
    }
}

/* A comma, told apart by what follows it: no list of ORDER BY, GROUP BY or VALUES goes on with DEFAULT or
 * TABLE, and no WINDOW clause with anything but a name. */
static int comma(struct sql_feed *f)
{
    bool behind_window = f->window_depth == f->depth + 1 && f->prev == TK_RP;
    if (!f->filled && !behind_window && !sql_lex_near(&f->lx, "dDtT")) {
        return TK_COMMA;
    }
    int next = peek_kind(f, 0);
    if (behind_window && !is_name(peek(f, 0))) {
        f->window_depth = 0;
        return TK_COMMA_ARG;
    }
    return next == TK_DEFAULT || next == TK_TABLE ? TK_COMMA_ARG : TK_COMMA;
}

static bool is_quantifier(int kind)
{
    return kind == TK_SOME || kind == TK_ANY || kind == TK_ALL;
}

/* A unit of TIMESTAMPDIFF: any name since 2.0, before that one of Calcite's. */
static bool begins_unit(const struct sql_feed *f, const struct sql_token *t)
{
    switch (t->kind) {
    case TK_YEAR:
    case TK_MONTH:
    case TK_DAY:
    case TK_HOUR:
    case TK_MINUTE:
    case TK_SECOND:
        return true;
    default:
        return is_name(t) && (sql_version_at(f->lx.version) >= 200 || sql_is_old_unit(t->word, true));
    }
}

/* The reserved sisters of ARRAY_AGG: called only where Flink expects nothing but a call. */
static bool is_reserved_agg(const struct sql_token *t)
{
    return t->word == SQL_W_STRING_AGG || t->word == SQL_W_GROUP_CONCAT || t->word == SQL_W_ARRAY_CONCAT_AGG;
}

/* DAY TO MONTH is no interval: the TO is that of FLOOR(x TO unit). */
static bool is_unit_range(int from, int to)
{
    bool second = to == TK_SECOND || to == TK_SECONDS;
    bool minute = to == TK_MINUTE || to == TK_MINUTES;
    bool hour = to == TK_HOUR || to == TK_HOURS;
    switch (from) {
    case TK_YEAR:
    case TK_YEARS:
        return to == TK_MONTH || to == TK_MONTHS;
    case TK_DAY:
    case TK_DAYS:
        return hour || minute || second;
    case TK_HOUR:
    case TK_HOURS:
        return minute || second;
    case TK_MINUTE:
    case TK_MINUTES:
        return second;
    case TK_RP: /* of a precision, or of any operand */
        return to == TK_MONTH || to == TK_MONTHS || hour || minute || second;
    default:
        return true;
    }
}

/* A unit whose name is free for other things. */
static bool is_free_unit(int kind)
{
    switch (kind) {
    case TK_YEARS:
    case TK_QUARTER:
    case TK_QUARTERS:
    case TK_MONTHS:
    case TK_WEEK:
    case TK_WEEKS:
    case TK_DAYS:
    case TK_HOURS:
    case TK_MINUTES:
    case TK_SECONDS:
        return true;
    default:
        return false;
    }
}

/* A reserved word that names a function, and its parenthesis at peek(k)? */
static bool is_called(struct sql_feed *f, const struct sql_token *t, unsigned k)
{
    bool function = sql_words[t->word].function || is_reserved_agg(t);
    return t->word && function && peek_kind(f, k) == TK_LP;
}

/* What PIVOT aggregates, and before Flink 2.2 what stands behind RUNNING or FINAL, is a function called by its
 * name and nothing else, also where the name means more elsewhere: FINAL FLOOR(a, b), RUNNING MAP(a),
 * PIVOT (SESSION(a) OVER w ...). 0: not one of those names. */
static int decide_plain_call(struct sql_feed *f, const struct sql_token *t)
{
    bool pivot = f->pivot_depth == f->depth + 1 && (f->prev == TK_LP || f->prev == TK_COMMA);
    bool behind = (f->prev == TK_RUNNING || f->prev == TK_FINAL) && sql_version_at(f->lx.version) < 202;
    if ((!pivot && !behind) || peek_kind(f, 0) != TK_LP) {
        return 0;
    }
    switch (t->word) {
    case SQL_W_TUMBLE:
    case SQL_W_HOP:
    case SQL_W_SESSION:
        return TK_FNAME; /* no group windows */
    default:
        break;
    }
    switch (t->kind) {
    case TK_MAP:
    case TK_TIMESTAMPADD:
    case TK_TIMESTAMPDIFF:
        return TK_IDENT;
    case TK_FLOOR:
    case TK_CEILING:
        return TK_FNAME;
    case TK_CHAR:
        return f->prev == TK_FINAL ? TK_CHAR : TK_FNAME; /* FINAL may be the name of a column of that type */
    case TK_TRY_CAST:
        return behind ? TK_IDENT : 0;
    default:
        return is_reserved_agg(t) ? TK_ARRAY_AGG : 0;
    }
}

/* The kind of a word whose meaning depends on its neighbours. */
static int decide(struct sql_feed *f, const struct sql_token *t)
{
    int next = decide_plain_call(f, t);
    if (next) {
        return next;
    }
    if (f->pivot_values && f->pivot_depth && f->depth == f->pivot_depth && f->prev == TK_RP &&
        is_free_unit(t->kind) && is_name(t)) {
        return TK_IDENT; /* IN ((a - b) DAYS): a name of the row, no unit */
    }
    switch (t->kind) {
    case TK_NOT:
        next = peek_kind(f, 0);
        return next == TK_IN || next == TK_BETWEEN                                             ? TK_NOT2
               : next == TK_LIKE || next == TK_ILIKE || next == TK_RLIKE || next == TK_SIMILAR ? TK_NOT_LIKE
               : next == TK_SUBMULTISET ? TK_NOT_SUBMULTISET
                                        : TK_NOT;
    case TK_MULTISET:
        next = peek_kind(f, 0);
        return next == TK_INTERSECT                    ? TK_MULTISET_INTERSECT
               : next == TK_UNION || next == TK_EXCEPT ? TK_MULTISET_UNION
                                                       : TK_MULTISET;
    case TK_WITHIN:
        return peek_kind(f, 0) == TK_DISTINCT ? TK_WITHIN_DISTINCT : TK_WITHIN;
    case TK_WITH:
        return peek_kind(f, 0) == TK_LOCAL ? TK_WITH_LOCAL : TK_WITH;
    case TK_WITHOUT:
        return peek_kind(f, 0) == TK_TIME ? TK_WITHOUT_TIME : TK_WITHOUT;
    case TK_LBRACE:
        return peek_kind(f, 0) == TK_MINUS ? TK_PAT_EXCLUDE : TK_LBRACE;
    case TK_QUARTER:
        return f->prev == TK_RP && sql_version_at(f->lx.version) < 200 ? TK_IDENT : TK_QUARTER;
    case TK_WEEK:
        if (f->prev == TK_RP && sql_version_at(f->lx.version) < 200) {
            return TK_IDENT; /* no unit behind (a - b) yet */
        }
        next = peek_kind(f, 0) == TK_LP ? peek_kind(f, 1) : 0;
        return next == TK_MONDAY || next == TK_TUESDAY || next == TK_WEDNESDAY || next == TK_THURSDAY ||
                       next == TK_FRIDAY || next == TK_SATURDAY || next == TK_SUNDAY
                   ? TK_WEEK_OF
                   : TK_WEEK;
    case TK_KEY:
        return f->prev == TK_PRIMARY ||
                       ((f->prev == TK_LP || f->prev == TK_COMMA) && begins_operand(peek_kind(f, 0)))
                   ? TK_KEY
                   : TK_IDENT;
    case TK_MODEL:
        return is_model_word(f, t->flags & SQL_TOKEN_RESERVED) ? TK_MODEL
               : t->flags & SQL_TOKEN_RESERVED                 ? TK_RESERVED
                                                               : TK_IDENT;
    case TK_CONNECTION:
        next = peek_kind(f, 0);
        return (f->prev == TK_DESCRIBE || f->prev == TK_DESC) &&
                       (!next || next == TK_SEMI || next == TK_DOT) && sql_version_at(f->lx.version) < 203
                   ? TK_IDENT
                   : TK_CONNECTION;
    case TK_ENCODING:
        next = peek_kind(f, 0);
        return next == TK_UTF8 || next == TK_UTF16 || next == TK_UTF32 ? TK_ENCODING : TK_IDENT;
    case TK_ABSENT:
        return peek_kind(f, 0) == TK_ON ? TK_ABSENT : TK_IDENT;
    case TK_FORMAT:
        return peek_kind(f, 0) == TK_JSON ? TK_FORMAT : TK_IDENT;
    case TK_IMMEDIATELY:
        next = peek_kind(f, 0);
        return next == TK_PRECEDES || next == TK_SUCCEEDS ? TK_IMMEDIATELY : TK_IDENT;
    case TK_TIMESTAMPDIFF:
        if (f->prev == TK_LBRACE_FN && peek_kind(f, 0) == TK_LP && !begins_unit(f, peek(f, 1))) {
            return TK_IDENT; /* looked at for a unit first, and else a function like any other there */
        }
        return peek_kind(f, 0) == TK_LP ? t->kind : TK_IDENT;
    case TK_ARRAY_AGG:
    case TK_TIMESTAMPADD:
    case TK_DATE_DIFF:
    case TK_DATETIME_DIFF:
        return peek_kind(f, 0) == TK_LP ? t->kind : TK_IDENT;
    case TK_FNAME:
        /* by their names alone, not behind SPECIFIC and the like */
        return (t->word == SQL_W_PERCENTILE_CONT || t->word == SQL_W_PERCENTILE_DISC) &&
                       f->prev != TK_SPECIFIC && f->prev != TK_LBRACE_FN &&
                       sql_version_at(f->lx.version) >= 200
                   ? TK_PERCENTILE
                   : TK_FNAME;
    case TK_TRY_CAST:
        if (f->prev == TK_DOT && !(t->flags & SQL_TOKEN_RESERVED)) {
            return TK_IDENT;
        }
        return t->flags & SQL_TOKEN_RESERVED ? TK_TRY_CAST
               : peek_kind(f, 0) == TK_LP    ? TK_TRY_CAST_WORD
                                             : TK_IDENT;
    case TK_MAP:
        next = peek_kind(f, 0);
        if (next == TK_LP) {
            /* what cannot begin an expression makes it a function of that name: MAP(*) */
            next = peek_kind(f, 1);
            return (next == TK_RP && sql_version_at(f->lx.version) < 202) || next == TK_STAR ||
                           next == TK_DISTINCT || next == TK_ALL || next == TK_DEFAULT
                       ? TK_IDENT
                       : TK_MAP_CTOR;
        }
        return next == TK_LB ? TK_MAP_CTOR : next == TK_LT ? TK_MAP : TK_IDENT;
    case TK_TO:
        return is_unit_range(f->prev, peek_kind(f, 0)) ? TK_TO : TK_TO_UNIT;
    case TK_UNBOUNDED:
        next = peek_kind(f, 0);
        return next == TK_PRECEDING || next == TK_FOLLOWING ? TK_UNBOUNDED : TK_IDENT;
    case TK_FINAL:
        next = peek_kind(f, 0);
        if (sql_version_at(f->lx.version) < 200 && f->prev == TK_LP && f->before == TK_IDENT &&
            is_name(peek(f, 0)) &&
            sql_no_column((sl_str){f->lx.p, f->lx.n}, sql_version_at(f->lx.version), peek(f, 0)->off).kind !=
                TK_LP) {
            return TK_IDENT; /* FROM t (FINAL INT), where no function is called without TABLE( ) */
        }
        if (is_name(peek(f, 0)) || next == TK_FNAME || next == TK_SPECIFIC) {
            return TK_FINAL;
        }
        if (sql_version_at(f->lx.version) < 202) {
            return is_called(f, peek(f, 0), 1) ? TK_FINAL : TK_IDENT;
        }
        /* a sign is one of a number */
        return next == TK_LP || next == TK_PLUS || next == TK_MINUS || begins_primary(peek(f, 0)) ? TK_FINAL
                                                                                                  : TK_IDENT;
    case TK_FIRST:
    case TK_LAST:
        return peek_kind(f, 0) == TK_LP ? TK_NAVIGATION : t->kind;
    case TK_IGNORE:
    case TK_RESPECT:
        return peek_kind(f, 0) == TK_NULLS ? t->kind : TK_IDENT;
    case TK_IF:
        next = peek_kind(f, 0);
        return next == TK_EXISTS || (next == TK_NOT && peek_kind(f, 1) == TK_EXISTS) ? TK_IF : TK_IDENT;
    case TK_LEFT:
    case TK_RIGHT:
    case TK_GROUPING:
    case TK_TRUNCATE:
        return peek_kind(f, 0) == TK_LP ? TK_FNAME : t->kind;
    case TK_SOME:
        next = f->prev;
        return peek_kind(f, 0) == TK_LP && next != TK_QUANTIFIED ? TK_FNAME : TK_SOME;
    case TK_HOUR:
    case TK_MINUTE:
    case TK_MONTH:
    case TK_SECOND:
    case TK_YEAR:
        return peek_kind(f, 0) == TK_LP && f->interval < 2 && !ends_operand(f) ? TK_FNAME : t->kind;
    case TK_USER:
        return peek_kind(f, 0) == TK_LP ? TK_FNAME : f->prev == TK_SHOW ? TK_USER : TK_CONTEXT;
    case TK_CONTEXT:
        return peek_kind(f, 0) == TK_LP && sql_words[t->word].function ? TK_FNAME : TK_CONTEXT;
    default:
        return t->kind;
    }
}

/* SET of IS A SET. */
static bool is_set_test(const struct sql_feed *f)
{
    return f->prev == TK_A && (f->before == TK_IS || f->before == TK_NOT);
}

int sql_feed_next(struct sql_feed *f, struct sql_parse *p, struct sql_tok *t)
{
    struct sql_token *tok = &f->last;
    if (f->filled) {
        *tok = f->ring[f->head];
        f->head = (f->head + 1) % 4;
        f->filled--;
    } else {
        sql_lex_next(&f->lx, tok);
    }
    int kind = tok->word || tok->kind == TK_LBRACE ? decide(f, tok) : tok->kind;
    *t = (struct sql_tok){.off = tok->off, .end = tok->off + tok->len};
    if (f->interval) {
        f->interval = is_name(tok)                                            ? 2
                      : kind == TK_PLUS || kind == TK_MINUS || kind == TK_DOT ? f->interval
                                                                              : 0;
    }
    if (f->assign == 2) {
        f->assign = is_name(tok) || kind == TK_DOT || kind == TK_EQ ? 2 : 1;
    }
    switch (kind) {
    case TK_UPDATE:
        f->update = true;
        break;
    case TK_SET:
        if (f->update && f->prev != TK_CHARACTER && !is_set_test(f)) {
            f->assign = 2;
            f->assign_depth = f->depth;
        }
        break;
    case TK_EQ:
    case TK_NE:
    case TK_NE2:
    case TK_LT:
    case TK_LE:
    case TK_GT:
    case TK_GE:
        if (f->assign < 2 && (f->filled || sql_lex_near(&f->lx, "sSaA")) && is_quantifier(peek_kind(f, 0))) {
            t->word = (uint16_t)kind;
            kind = TK_QUANTIFIED;
        }
        f->assign = f->assign != 0;
        break;
    case TK_PLUS:
    case TK_MINUS:
        if (f->filled || sql_lex_near(&f->lx, "nNeEuU")) {
            int next = peek_kind(f, 0);
            if (next == TK_NOT || next == TK_EXISTS || next == TK_UNIQUE) {
                t->word = (uint16_t)kind;
                kind = TK_LOW_SIGN;
            }
        }
        break;
    case TK_COMMA:
        kind = comma(f);
        f->assign = f->assign && f->assign_depth == f->depth ? 2 : f->assign;
        break;
    case TK_INTERVAL:
        f->interval = 1;
        break;
    case TK_WINDOW:
        f->window_depth = f->depth + 1;
        break;
    case TK_ORDER:
    case TK_SELECT:
    case TK_UNION:
    case TK_EXCEPT:
    case TK_INTERSECT:
        f->window_depth = f->window_depth == f->depth + 1 ? 0 : f->window_depth;
        break;
    case TK_LP:
    case TK_LB:
    case TK_CASE:
        f->depth++;
        if (f->prev == TK_PIVOT) {
            f->pivot_depth = f->depth + 1;
            f->pivot_values = false;
        }
        if (f->depth < SQL_FEED_DEPTH) {
            f->between[f->depth] = 0;
        }
        break;
    case TK_RP:
    case TK_RB:
    case TK_END:
        f->depth -= f->depth > 0;
        /* what was begun inside is over */
        f->window_depth = f->window_depth > f->depth + 1 ? 0 : f->window_depth;
        f->frame_depth = f->frame_depth > f->depth + 1 ? 0 : f->frame_depth;
        f->pivot_depth = f->pivot_depth > f->depth + 1 ? 0 : f->pivot_depth;
        break;
    case TK_IN:
        f->pivot_values = f->pivot_values || f->pivot_depth == f->depth + 1;
        break;
    case TK_BETWEEN:
        if (f->prev == TK_ROWS || f->prev == TK_RANGE) {
            f->frame_depth = f->depth + 1;
        } else if (f->depth < SQL_FEED_DEPTH && f->between[f->depth]++ && !p->between_twice) {
            p->between_twice = t->off + 1;
        }
        break;
    case TK_AND:
        /* the first AND behind BETWEEN is its own, whatever stands between them */
        if (f->frame_depth == f->depth + 1 && f->before != TK_BETWEEN &&
            (f->prev == TK_PRECEDING || f->prev == TK_FOLLOWING || f->prev == TK_ROW)) {
            /* of a frame: the one behind a whole bound */
            f->frame_depth = 0;
            kind = TK_BETWEEN_AND;
        } else if (f->depth < SQL_FEED_DEPTH && f->between[f->depth]) {
            f->between[f->depth]--;
            kind = TK_BETWEEN_AND;
        }
        break;
    default:
        break;
    }
    t->kind = (uint16_t)kind;
    f->before = f->prev;
    f->prev = kind;
    return kind;
}

/* ------------------------------------------------------------------ client commands */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static sl_str skip_spaces(sl_str s)
{
    while (s.n && is_space(s.p[0])) {
        s = sl_str_sub(s, 1, s.n - 1);
    }
    return s;
}

static bool take_word(sl_str *s, const char *word)
{
    size_t n = strlen(word);
    if (s->n < n || !sl_str_ieqz(sl_str_sub(*s, 0, n), word)) {
        return false;
    }
    *s = sl_str_sub(*s, n, s->n - n);
    return true;
}

static bool ends_command(sl_str s)
{
    s = skip_spaces(s);
    if (s.n && s.p[0] == ';') {
        s = sl_str_sub(s, 1, s.n - 1);
    }
    return skip_spaces(s).n == 0;
}

/* key = value with an unquoted key; the value is '...' without a quote inside, or a run without space and
 * ';'. */
static bool is_assignment(sl_str s)
{
    if (!s.n || !is_space(s.p[0])) {
        return false;
    }
    s = skip_spaces(s);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '=') {
            continue;
        }
        sl_str key = sl_str_trim(sl_str_sub(s, 0, i)), value = skip_spaces(sl_str_sub(s, i + 1, s.n - i - 1));
        if (!key.n) {
            continue; /* SET = = b: the key is '=' */
        }
        bool key_ok = true;
        for (size_t k = 0; k < key.n; k++) {
            key_ok = key_ok && !is_space(key.p[k]) && key.p[k] != '\'';
        }
        if (!key_ok) {
            return false;
        }
        size_t n = 0;
        if (value.n && value.p[0] == '\'') {
            ptrdiff_t end = sl_str_find_char(sl_str_sub(value, 1, value.n - 1), '\'');
            if (end >= 0 && ends_command(sl_str_sub(value, (size_t)end + 2, value.n - (size_t)end - 2))) {
                return true;
            }
        }
        while (n < value.n && !is_space(value.p[n]) && value.p[n] != ';') {
            n++;
        }
        if (n && ends_command(sl_str_sub(value, n, value.n - n))) {
            return true;
        }
    }
    return false;
}

/* What the SQL client and the gateway match as text: no tree, no grammar. */
static bool is_client_command(sl_str text)
{
    static const char *const alone[] = {"CLEAR", "HELP", "EXIT", "QUIT"};
    text = skip_spaces(text);
    for (size_t i = 0; i < SL_ARRAY_LEN(alone); i++) {
        sl_str s = text;
        if (take_word(&s, alone[i]) && ends_command(s)) {
            return true;
        }
    }
    sl_str s = text;
    if (take_word(&s, "RESET")) {
        if (ends_command(s)) {
            return true;
        }
        if (!is_space(s.p[0])) {
            return false;
        }
        s = skip_spaces(s);
        size_t n = 0;
        while (n < s.n && !is_space(s.p[n]) && s.p[n] != '\'') {
            n++; /* a ';' too: it can be part of a key */
        }
        return n && ends_command(sl_str_sub(s, n, s.n - n));
    }
    if (take_word(&s, "SET")) {
        return ends_command(s) || is_assignment(s);
    }
    return false;
}

/* ------------------------------------------------------------------ parsing */

static void parse_run(struct sl_arena *a, sl_str text, sql_version version, uint8_t *names,
                      struct sql_run *run)
{
    run->parse = (struct sql_parse){.arena = a, .text = text, .version = version, .names = names};
    sql_feed_init(&run->feed, text, version);
    run->tokens = sql_engine_run(&run->parse, &run->feed, SIZE_MAX, NULL);
    sql_nodes_end(&run->parse);
    if (!run->parse.complaint && !run->parse.syntax_error && run->parse.defaults) {
        check(&run->parse, SQL_CHECK_DEFAULT_HERE, run->parse.default_off, run->parse.default_off + 7);
    }
    if (!run->parse.complaint && !run->parse.syntax_error) {
        sql_check_flat(&run->parse);
    } else if (run->parse.syntax_error && run->parse.between_twice) {
        check(&run->parse, SQL_CHECK_BETWEEN_TWICE, run->parse.between_twice - 1,
              run->parse.between_twice + 6);
    }
    if (!run->parse.complaint && !run->parse.syntax_error && run->parse.cursors) {
        check(&run->parse, SQL_CHECK_CURSOR_HERE, run->parse.cursor_off, run->parse.cursor_off + 6);
    }
}

void sql_parse_run(struct sl_arena *a, sl_str text, sql_version version, struct sql_run *run)
{
    struct sl_arena_mark mark = sl_arena_mark(a);
    parse_run(a, text, version, NULL, run);
    run->parse.root = NULL;
    sl_arena_rewind(a, mark);
}

bool sql_parse_expected(struct sl_arena *a, sl_str text, sql_version version, size_t n_before,
                        bool want[SQL_WANT_CODES])
{
    struct sl_arena_mark mark = sl_arena_mark(a);
    struct sql_parse p = {.arena = a, .text = text, .version = version};
    struct sql_feed f;
    sql_feed_init(&f, text, version);
    bool ok = sql_engine_run(&p, &f, n_before, want) == n_before && !p.syntax_error;
    sl_arena_rewind(a, mark);
    if (ok && want && want[TK_SLASH] && !want[TK_ORDER] && !want[TK_DESC]) {
        /* (a LIMIT 1) is read as Flink reads it, but nobody means it */
        want[TK_LIMIT] = want[TK_OFFSET] = want[TK_FETCH] = false;
    }
    return ok;
}

bool sql_parse_text(struct sl_arena *a, sl_str text, sql_version version, const struct sql_node **ret,
                    struct sql_fault *fault)
{
    return sql_parse_names(a, text, version, NULL, ret, fault);
}

/* True: *ret is the tree (NULL for a client command). False: *run says how far it came. */
static bool parses(struct sl_arena *a, sl_str text, sql_version version, uint8_t *names,
                   const struct sql_node **ret, struct sql_run *run)
{
    *ret = NULL;
    char first = 0;
    for (size_t i = 0; i < text.n && !first; i++) {
        first = is_space(text.p[i]) ? 0 : (char)(text.p[i] | 0x20);
    }
    if ((first == 's' || first == 'r' || first == 'c' || first == 'h' || first == 'e' || first == 'q') &&
        is_client_command(text)) {
        return true;
    }
    parse_run(a, text, version, names, run);
    if (run->parse.complaint || run->parse.syntax_error) {
        return false;
    }
    *ret = run->parse.root;
    return true;
}

bool sql_parse_names(struct sl_arena *a, sl_str text, sql_version version, uint8_t *names,
                     const struct sql_node **ret, struct sql_fault *fault)
{
    struct sql_run run;
    *fault = (struct sql_fault){0};
    if (parses(a, text, version, names, ret, &run)) {
        return true;
    }
    sql_explain_fault(a, &run, fault);
    return false;
}

/* The ';' behind a statement, where what is missing at its end is shown. */
static struct sl_pos terminator(const struct sql_script *s, const struct sql_stmt *st)
{
    const struct sql_lines *lines = &s->files.v[st->file].lines;
    struct sql_lexer lx;
    struct sql_token t;
    uint32_t end = st->pos.off + st->pos.len;
    sql_lex_init(&lx, sl_str_sub(lines->text, end, lines->text.n - end), s->flink, false);
    return sql_lex_next(&lx, &t) == TK_SEMI ? sql_lines_pos(lines, end + t.off, t.len)
                                            : sql_lines_pos(lines, end, 0);
}

/* Where the fault of a statement stands in the file as written. */
static struct sl_pos fault_pos(const struct sql_script *s, const struct sql_stmt *st,
                               const struct sql_fault *fault)
{
    if (fault->len == 0 && st->terminated) {
        return terminator(s, st);
    }
    struct sql_lines lines;
    struct sl_arena_mark mark = sl_arena_mark(s->arena);
    sql_lines_init(&lines, s->arena, st->sql);
    struct sl_pos at = sql_lines_pos(&lines, fault->off, fault->len);
    sl_arena_rewind(s->arena, mark);
    return sql_stmt_source_pos(s, st, at.line, at.col, at.end_line, at.end_col);
}

bool sql_grammar_parse(struct sql_script *s, struct sql_stmt *st)
{
    struct sql_run run;
    struct sql_fault fault;
    struct sl_arena_mark mark = sl_arena_mark(s->arena);
    if (parses(s->arena, st->sql, s->flink, NULL, &st->ast, &run)) {
        return true;
    }
    /* nothing of a tree that broke off is kept, nor what its explanation took */
    sl_arena_rewind(s->arena, mark);
    if (s->diags.list.n >= sl_limits.diagnostics) {
        sql_diag_add(s, SL_SYNTAX, SQL_ERROR, st->number, st->pos, "only counted");
        return false;
    }
    sql_explain_fault(s->arena, &run, &fault);
    struct sl_pos pos = fault_pos(s, st, &fault);
    SL_ARENA_AUTO texts = {0};
    fault.msg = sl_str_dup(&texts, fault.msg);
    fault.hint = sl_str_dup(&texts, fault.hint);
    fault.flink = sl_str_dup(&texts, fault.flink);
    sl_arena_rewind(s->arena, mark);
    struct sql_diag *d = sql_diag_add(s, fault.code, SQL_ERROR, st->number, pos, "%.*s", SL_S(fault.msg));
    if (d) {
        d->hint = sl_str_dup(s->arena, fault.hint);
        d->flink = sl_str_dup(s->arena, fault.flink);
    }
    return false;
}
