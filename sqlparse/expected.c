/* SPDX-License-Identifier: Apache-2.0
 * What people read when a statement is wrong: one plain line, at most five things that could stand there, and
 * a cure where one can be guessed. Works from the terminals the grammar would take at the place. Only runs
 * after a failure, so it may parse the statement again as often as it needs. */
#include "sqlparse/expected.h"

#include "base/buf.h"

#define MAX_SHOWN 5

/* The text with `insert` put in before token i (blanks around it), parsed: how far does it get? In tokens of
 * the text without the insertion; SIZE_MAX when all is well. */
static size_t try_with(struct sql_place *pl, size_t i, const char *insert)
{
    struct sql_run run;
    uint32_t off = pl->tokens[i].off;
    sl_str text = sl_arena_printf(pl->arena, "%.*s %s %.*s", (int)off, pl->text.p, insert,
                                  (int)(pl->text.n - off), pl->text.p + off);
    sql_parse_run(pl->arena, text, pl->version, &run);
    return run.parse.syntax_error || run.parse.complaint ? run.tokens - 1 : SIZE_MAX;
}

static sl_str token_text(const struct sql_place *pl, size_t i)
{
    return sl_str_sub(pl->text, pl->tokens[i].off, pl->tokens[i].len);
}

/* An expression may begin here. */
static bool wants_expression(const bool *want)
{
    return want[TK_CASE] && want[TK_LP] && want[TK_STRING_LIT];
}
static bool wants_name(const bool *want)
{
    return want[TK_IDENT];
}

/* The word a code stands for as people write it; NULL for codes that are no single word or sign. */
static const char *spelling(unsigned code)
{
    switch (code) {
    case TK_LP:
        return "'('";
    case TK_RP:
        return "')'";
    case TK_COMMA:
        return "','";
    case TK_EQ:
        return "'='";
    case TK_STAR:
        return "'*'";
    case TK_GT:
        return "'>'";
    case TK_RB:
        return "']'";
    case TK_RBRACE:
        return "'}'";
    case TK_COMMENT_END:
        return "'*/'";
    case TK_STRING_LIT:
        return "a string";
    case TK_INTEGER_LIT:
        return "a number";
    case TK_IDENT:
        return "a name";
    default:
        for (unsigned w = 1; w < SQL_WORD_MAX_; w++) {
            if (sql_words[w].token == code && code != TK_RESERVED && code != TK_FNAME && code != TK_CONTEXT) {
                return sql_words[w].text;
            }
        }
        return NULL;
    }
}

/* Words that begin a clause: never meant as names. */
static bool is_clause_word(unsigned kind)
{
    switch (kind) {
    case TK_SELECT:
    case TK_FROM:
    case TK_WHERE:
    case TK_GROUP:
    case TK_HAVING:
    case TK_ORDER:
    case TK_BY:
    case TK_LIMIT:
    case TK_UNION:
    case TK_EXCEPT:
    case TK_INTERSECT:
    case TK_JOIN:
    case TK_INNER:
    case TK_LEFT:
    case TK_RIGHT:
    case TK_FULL:
    case TK_CROSS:
    case TK_ON:
    case TK_USING:
    case TK_AND:
    case TK_OR:
    case TK_NOT:
    case TK_NOT2:
    case TK_NOT_LIKE:
    case TK_NOT_SUBMULTISET:
    case TK_AS:
    case TK_WITH:
    case TK_INSERT:
    case TK_INTO:
    case TK_CREATE:
    case TK_DROP:
    case TK_ALTER:
    case TK_WHEN:
    case TK_THEN:
    case TK_ELSE:
    case TK_END:
    case TK_IN:
    case TK_IS:
    case TK_LIKE:
    case TK_BETWEEN:
    case TK_SET:
    case TK_VALUES:
    case TK_FETCH:
    case TK_OVER:
    case TK_CASE:
    case TK_WATERMARK:
        return true;
    default:
        return false;
    }
}

/* Does the statement get further when token `i` is read as a quoted name? */
static bool works_quoted(struct sql_place *pl, size_t i)
{
    struct sql_token *t = &pl->tokens[i];
    sl_str quoted = sl_arena_printf(pl->arena, "%.*s`%.*s`%.*s", (int)t->off, pl->text.p, (int)t->len,
                                    pl->text.p + t->off, (int)(pl->text.n - t->off - t->len),
                                    pl->text.p + t->off + t->len);
    struct sql_run run;
    sql_parse_run(pl->arena, quoted, pl->version, &run);
    return run.tokens > i + 1 || (!run.parse.syntax_error && !run.parse.complaint);
}

/* What the name would have been, by the words before it. */
static const char *name_role(const struct sql_place *pl)
{
    size_t depth = 0;
    unsigned first = pl->n ? pl->tokens[0].kind : 0;
    for (size_t i = pl->at; i-- > 0;) {
        unsigned k = pl->tokens[i].kind;
        if (k == TK_RP) {
            depth++;
        } else if (k == TK_LP && depth) {
            depth--;
        } else if (k == TK_LP) {
            return first == TK_CREATE || first == TK_INSERT || first == TK_ALTER ? "a column name" : "a name";
        } else if (!depth && k == TK_AS) {
            return "an alias";
        } else if (!depth &&
                   (k == TK_FROM || k == TK_JOIN || k == TK_INTO || k == TK_TABLE || k == TK_VIEW)) {
            return i + 1 == pl->at || pl->tokens[i + 1].kind == TK_IF ? "a table name" : "a name";
        } else if (!depth && (k == TK_SELECT || k == TK_WHERE || k == TK_BY || k == TK_ON || k == TK_ADD)) {
            return "a column name";
        }
    }
    return "a name";
}

/* The word of the grammar nearest to a mistyped one, among those that could stand there. */
static const char *nearest(const bool *want, sl_str typed, size_t *distance)
{
    const char *best = NULL;
    size_t cap = typed.n <= 3 ? 1 : 2;
    *distance = cap + 1;
    for (unsigned w = 1; w < SQL_WORD_MAX_ && typed.n >= 2; w++) {
        unsigned code = sql_words[w].token;
        if (!code || code == TK_RESERVED || code == TK_FNAME || code == TK_CONTEXT || code == TK_IDENT ||
            !want[code]) {
            continue;
        }
        size_t d = sl_str_distance(typed, sl_str_of(sql_words[w].text), cap);
        if (d && d < *distance) {
            *distance = d;
            best = sql_words[w].text;
        }
    }
    return best;
}

static void add_item(struct sl_buf *b, unsigned *n, const char *item)
{
    if (*n < MAX_SHOWN) {
        sl_buf_printf(b, "%s%s", *n ? ", " : "expected: ", item);
    }
    ++*n;
}

/* At most five things that could stand here; operators and the words that may follow any expression are left
 * out where something more telling is there. */
/* The words people mean, before all the others. */
static void add_common(const struct sql_place *pl, struct sl_buf *b, unsigned *n)
{
    static const uint16_t common[] = {TK_AS,     TK_WITH,   TK_FROM,   TK_WHERE,   TK_GROUP,    TK_BY,
                                      TK_ORDER,  TK_LIMIT,  TK_ON,     TK_SET,     TK_END,      TK_THEN,
                                      TK_WHEN,   TK_JOIN,   TK_TABLE,  TK_VIEW,    TK_INTO,     TK_NOT,
                                      TK_EXISTS, TK_FOR,    TK_DAY,    TK_HOUR,    TK_MINUTE,   TK_SECOND,
                                      TK_INT,    TK_BIGINT, TK_STRING, TK_DECIMAL, TK_TIMESTAMP};
    bool operators = pl->want[TK_PLUS] && pl->want[TK_STAR];
    for (size_t i = 0; i < SL_ARRAY_LEN(common); i++) {
        if (pl->want[common[i]] && !(operators && common[i] == TK_NOT)) {
            add_item(b, n, spelling(common[i]));
        }
    }
}

static bool is_common(unsigned code)
{
    switch (code) {
    case TK_AS:
    case TK_WITH:
    case TK_FROM:
    case TK_WHERE:
    case TK_GROUP:
    case TK_BY:
    case TK_ORDER:
    case TK_LIMIT:
    case TK_ON:
    case TK_SET:
    case TK_END:
    case TK_THEN:
    case TK_WHEN:
    case TK_JOIN:
    case TK_TABLE:
    case TK_VIEW:
    case TK_INTO:
    case TK_NOT:
    case TK_EXISTS:
    case TK_FOR:
    case TK_DAY:
    case TK_HOUR:
    case TK_MINUTE:
    case TK_SECOND:
    case TK_INT:
    case TK_BIGINT:
    case TK_STRING:
    case TK_DECIMAL:
    case TK_TIMESTAMP:
        return true;
    default:
        return false;
    }
}

static sl_str expectations(const struct sql_place *pl)
{
    SL_BUF_AUTO b;
    unsigned n = 0;
    sl_buf_init(&b, 4096);
    const bool *want = pl->want;
    if (wants_expression(want)) {
        add_item(&b, &n, "an expression");
        if (want[TK_STAR]) {
            add_item(&b, &n, "'*'");
        }
    } else {
        static const uint16_t signs[] = {TK_RP, TK_COMMA, TK_LP, TK_EQ, TK_GT, TK_RB, TK_COMMENT_END};
        for (size_t i = 0; i < SL_ARRAY_LEN(signs); i++) {
            /* '(' behind any name and '=' behind any expression say nothing */
            bool operators = want[TK_PLUS] && want[TK_STAR];
            if (want[signs[i]] &&
                !(operators && (signs[i] == TK_EQ || signs[i] == TK_GT || signs[i] == TK_LP))) {
                add_item(&b, &n, spelling(signs[i]));
            }
        }
        if (wants_name(want)) {
            add_item(&b, &n, "a name");
        }
        /* behind a string another one may always follow; that is not what is meant */
        if (want[TK_STRING_LIT] && !(pl->at && pl->tokens[pl->at - 1].kind == TK_STRING_LIT)) {
            add_item(&b, &n, "a string in '...'");
        }
        if (want[TK_INTEGER_LIT]) {
            add_item(&b, &n, "a number");
        }
        bool operators = want[TK_PLUS] && want[TK_STAR];
        add_common(pl, &b, &n);
        for (unsigned w = 1; w < SQL_WORD_MAX_; w++) {
            unsigned code = sql_words[w].token;
            bool plain = code && code != TK_UESCAPE && code != TK_DOT && code != TK_RESERVED &&
                         code != TK_FNAME && code != TK_CONTEXT && want[code];
            unsigned v = sql_version_index(pl->version);
            bool clause = is_clause_word(code) && code != TK_AND && code != TK_OR && code != TK_IN &&
                          code != TK_IS && code != TK_LIKE && code != TK_BETWEEN && code != TK_NOT;
            if (plain && !is_common(code) && (sql_words[w].known >> v & 1) && (!operators || clause)) {
                add_item(&b, &n, sql_words[w].text);
            }
        }
    }
    if (n > MAX_SHOWN) {
        sl_buf_putz(&b, " ...");
    }
    return sl_str_dup(pl->arena, sl_buf_str(&b));
}

static void collect_tokens(struct sql_place *pl)
{
    struct sql_lexer lx;
    size_t cap = pl->at + 4;
    pl->tokens = sl_new_n(pl->arena, struct sql_token, cap);
    sql_lex_init(&lx, pl->text, pl->version, false);
    while (pl->n < cap) {
        int kind = sql_lex_next(&lx, &pl->tokens[pl->n++]);
        if (!kind) {
            break;
        }
    }
    if (pl->at >= pl->n) {
        pl->at = pl->n - 1;
    }
}

static bool explain_lexical(struct sql_place *pl, struct sql_fault *f)
{
    const struct sql_token *t = &pl->tokens[pl->at];
    f->code = SL_LEXICAL;
    switch ((enum sql_lex_fault)t->fault) {
    case SQL_LEX_CHAR:
        f->msg = t->point >= 0x20 && t->point != 0x7f
                     ? sl_arena_printf(pl->arena, "character '%.*s' (U+%04X) cannot stand here", (int)t->len,
                                       pl->text.p + t->off, t->point)
                     : sl_arena_printf(pl->arena, "character U+%04X cannot stand here", t->point);
        if (t->point == 0x2018 || t->point == 0x2019 || t->point == 0x201c || t->point == 0x201d) {
            f->hint = SL_STR("write straight quotes: '...'");
        } else if (t->point == 0xa0 || t->point == 0x3000 || t->point == 0xfeff) {
            f->hint = SL_STR("it looks like a blank but is none; delete it");
        } else if (t->point >= 0xff01 && t->point <= 0xff5e) {
            f->hint = sl_arena_printf(pl->arena, "write %c", (int)(t->point - 0xff01 + '!'));
        } else if (t->point == '#') {
            f->hint = SL_STR("comments begin with --");
        } else if (t->point == '&') {
            f->hint = SL_STR("write AND");
        }
        return true;
    case SQL_LEX_OPEN_STRING:
        f->msg = SL_STR("the string that begins here has no end");
        f->hint = SL_STR("close it with '");
        return true;
    case SQL_LEX_OPEN_IDENT:
        f->msg = SL_STR("the name that begins here has no end on its line");
        f->hint = SL_STR("close it with `");
        return true;
    case SQL_LEX_EMPTY_IDENT:
        f->msg = SL_STR("a name cannot be empty");
        return true;
    case SQL_LEX_OPEN_COMMENT:
        f->msg = SL_STR("the comment that begins here has no end");
        f->hint = SL_STR("close it with */");
        return true;
    default:
        break;
    }
    if (t->kind == TK_DQUOTE) {
        f->msg = SL_STR("'\"' is no quote in Flink SQL");
        f->hint = SL_STR("strings are written '...', names `...`");
        return true;
    }
    if (t->kind == TK_COLLATION) {
        f->msg =
            sl_arena_printf(pl->arena, "Flink reads '%.*s' as one word", (int)t->len, pl->text.p + t->off);
        f->hint = SL_STR("put the name with the $ in back-ticks");
        return true;
    }
    f->code = SL_SYNTAX;
    return false;
}

/* Would another Flink version take the statement? */
static bool explain_version(struct sql_place *pl, struct sql_fault *f)
{
    for (unsigned i = 0; i < SQL_VERSION_COUNT; i++) {
        /* newer ones first, the nearest of them; then older ones, the newest of them */
        unsigned mine = sql_version_index(pl->version), newer = SQL_VERSION_COUNT - 1 - mine;
        unsigned v = i < newer ? mine + 1 + i : SQL_VERSION_COUNT - 1 - i;
        sql_version other = sql_version_at(v);
        struct sql_run run;
        if (other == pl->version) {
            continue;
        }
        sql_parse_run(pl->arena, pl->text, other, &run);
        if (run.parse.syntax_error || run.parse.complaint) {
            continue;
        }
        /* the word that one of the two does not know is what it is about: SELECT a FROM t QUALIFY TRUE */
        size_t about = pl->at;
        for (size_t back = 0; back <= 2 && back <= pl->at; back++) {
            const struct sql_token *t = &pl->tokens[pl->at - back];
            unsigned known = sql_words[t->word].known;
            if (t->word && (known >> v & 1) != (known >> mine & 1)) {
                about = pl->at - back;
                break;
            }
        }
        sl_str text = token_text(pl, about);
        f->code = SL_VERSION_NEEDED;
        f->off = pl->tokens[about].off;
        f->len = pl->tokens[about].len;
        f->msg = other > pl->version
                     ? sl_arena_printf(pl->arena, "'%.*s' needs Flink %s; the target is %s", SL_S(text),
                                       sql_version_name(other), sql_version_name(pl->version))
                     : sl_arena_printf(pl->arena, "'%.*s' exists up to Flink %s only; the target is %s",
                                       SL_S(text), sql_version_name(other), sql_version_name(pl->version));
        return true;
    }
    return false;
}

static bool say_reserved(struct sql_place *pl, struct sql_fault *f)
{
    const struct sql_token *t = &pl->tokens[pl->at];
    f->off = t->off;
    f->len = t->len;
    const struct sql_word_info *w = &sql_words[t->word];
    unsigned since = 0;
    while (!(w->reserved >> since & 1)) {
        since++;
    }
    sl_str text = token_text(pl, pl->at);
    f->code = SL_RESERVED_WORD;
    f->msg = since == 0
                 ? sl_arena_printf(pl->arena, "'%.*s' is a reserved word and cannot be %s", SL_S(text),
                                   name_role(pl))
                 : sl_arena_printf(pl->arena, "'%.*s' is a reserved word since Flink %s and cannot be %s",
                                   SL_S(text), sql_version_name(sql_version_at(since)), name_role(pl));
    f->hint = sl_arena_printf(pl->arena, "write `%.*s`", SL_S(text));
    f->flink = sl_arena_printf(pl->arena, "Incorrect syntax near the keyword '%.*s'", SL_S(text));
    return true;
}

/* A reserved word where a name is meant: the statement goes on when the word is quoted. Words such as DATE
 * also begin something, so the grammar only stops one token later. Clause words count only where they cannot
 * begin a clause and the whole statement is fine with them quoted: FROM order. */
static bool explain_reserved(struct sql_place *pl, struct sql_fault *f)
{
    const struct sql_token *t = &pl->tokens[pl->at];
    unsigned prev = pl->at ? pl->tokens[pl->at - 1].kind : 0;
    if ((t->flags & SQL_TOKEN_RESERVED) && wants_name(pl->want)) {
        bool clause = is_clause_word(t->kind);
        bool odd_clause =
            (t->kind == TK_ORDER || t->kind == TK_GROUP || t->kind == TK_SET || t->kind == TK_END) &&
            (prev == TK_FROM || prev == TK_JOIN || prev == TK_INTO || prev == TK_TABLE || prev == TK_DOT);
        bool source =
            t->kind == TK_UNNEST || t->kind == TK_LATERAL; /* FROM a UNNEST(...): a comma is missing */
        if ((!clause || odd_clause) && !source && works_quoted(pl, pl->at)) {
            return say_reserved(pl, f);
        }
    }
    /* the word before needs a literal or a parenthesis: DATE '...', POSITION(...) */
    bool word_of_value = !wants_expression(pl->want) && (pl->want[TK_LP] || pl->want[TK_STRING_LIT]) &&
                         prev != TK_LATERAL && prev != TK_UNNEST && prev != TK_NULL && prev != TK_SOME &&
                         prev != TK_ANY && prev != TK_ALL;
    if (!pl->at || !(pl->tokens[pl->at - 1].flags & SQL_TOKEN_RESERVED) || is_clause_word(prev) ||
        !word_of_value) {
        return false;
    }
    bool want[SQL_WANT_CODES];
    if (!sql_parse_expected(pl->arena, pl->text, pl->version, pl->at - 1, want) || !wants_name(want)) {
        return false;
    }
    pl->at--;
    if (works_quoted(pl, pl->at)) {
        return say_reserved(pl, f);
    }
    pl->at++;
    return false;
}

/* An operator or a clause word with nothing behind it. */
static bool explain_missing(struct sql_place *pl, struct sql_fault *f)
{
    const struct sql_token *t = &pl->tokens[pl->at];
    bool stops =
        !t->kind || t->kind == TK_RP || t->kind == TK_COMMA || t->kind == TK_SEMI || is_clause_word(t->kind);
    if (!stops || !pl->at) {
        return false;
    }
    sl_str before = token_text(pl, pl->at - 1);
    unsigned prev = pl->tokens[pl->at - 1].kind;
    if (wants_expression(pl->want)) {
        f->msg = sl_arena_printf(pl->arena, "an expression is missing after '%.*s'", SL_S(before));
        switch (prev) {
        case TK_GT:
        case TK_LT:
        case TK_GE:
        case TK_LE:
        case TK_EQ:
        case TK_NE:
            f->hint = sl_arena_printf(
                pl->arena, "for example: %.*s %.*s 100", pl->at >= 2 ? (int)pl->tokens[pl->at - 2].len : 0,
                pl->text.p + (pl->at >= 2 ? pl->tokens[pl->at - 2].off : 0), SL_S(before));
            break;
        case TK_COMMA:
            f->hint = SL_STR("is the ',' before it one too many?");
            break;
        default:
            break;
        }
        return true;
    }
    if (!t->kind) {
        f->msg = sl_arena_printf(pl->arena, "the statement ends too early after '%.*s'", SL_S(before));
        f->hint = expectations(pl);
        return true;
    }
    if (prev == TK_COMMA && (wants_name(pl->want) || pl->want[TK_STRING_LIT])) {
        f->msg = sl_arena_printf(pl->arena, "%s is missing after ','",
                                 wants_name(pl->want) ? "a name" : "a string");
        f->hint = SL_STR("is the ',' before it one too many?");
        return true;
    }
    return false;
}

/* With token i replaced by the word, does the statement get past the culprit? */
static bool reaches_with_word(struct sql_place *pl, size_t i, const char *word)
{
    struct sql_run run;
    sl_str fixed = sl_arena_printf(pl->arena, "%.*s%s%.*s", (int)pl->tokens[i].off, pl->text.p, word,
                                   (int)(pl->text.n - pl->tokens[i].off - pl->tokens[i].len),
                                   pl->text.p + pl->tokens[i].off + pl->tokens[i].len);
    sql_parse_run(pl->arena, fixed, pl->version, &run);
    return run.tokens > pl->at + (i == pl->at) || (!run.parse.syntax_error && !run.parse.complaint);
}

/* A mistyped word: here, or just before where it passed for a name (SELECT a form t). */
static bool explain_typo(struct sql_place *pl, struct sql_fault *f)
{
    const struct sql_token *t = &pl->tokens[pl->at];
    size_t distance;
    sl_str text = token_text(pl, pl->at);
    f->msg = sl_arena_printf(pl->arena, "'%.*s' is not expected here", SL_S(text));
    if (t->kind == TK_IDENT || t->word) {
        const char *word = nearest(pl->want, text, &distance);
        bool plural = word && strlen(word) == text.n + 1;
        if (word && (t->kind == TK_IDENT || plural) && reaches_with_word(pl, pl->at, word)) {
            f->hint = sl_arena_printf(pl->arena, "did you mean %s?", word);
            return true;
        }
    }
    for (size_t back = 1; back <= 2 && back <= pl->at; back++) {
        size_t i = pl->at - back;
        bool want[SQL_WANT_CODES];
        if (pl->tokens[i].kind != TK_IDENT ||
            !sql_parse_expected(pl->arena, pl->text, pl->version, i, want)) {
            continue;
        }
        const char *word = nearest(want, token_text(pl, i), &distance);
        if (word) {
            sl_str typed = token_text(pl, i);
            if (reaches_with_word(pl, i, word)) {
                f->hint = sl_arena_printf(pl->arena, "did you mean %s instead of '%.*s'?", word, SL_S(typed));
                return true;
            }
        }
    }
    return false;
}

/* No blank between token i and its neighbours. */
static bool touches(const struct sql_place *pl, size_t i)
{
    return i && i + 1 < pl->n && pl->tokens[i - 1].off + pl->tokens[i - 1].len == pl->tokens[i].off &&
           pl->tokens[i].off + pl->tokens[i].len == pl->tokens[i + 1].off;
}

/* Mistakes seen often, with their cure. */
static bool explain_known(struct sql_place *pl, struct sql_fault *f)
{
    const struct sql_token *t = &pl->tokens[pl->at];
    const bool *want = pl->want;
    unsigned prev = pl->at ? pl->tokens[pl->at - 1].kind : 0;
    bool strings_only = want[TK_STRING_LIT] && !want[TK_INTEGER_LIT] && !want[TK_IDENT] &&
                        prev != TK_STRING_LIT && prev != TK_DATE && prev != TK_TIME && prev != TK_TIMESTAMP &&
                        prev != TK_DATETIME;
    sl_str text = token_text(pl, pl->at);
    f->msg = sl_arena_printf(pl->arena, "'%.*s' is not expected here", SL_S(text));
    if (t->kind == TK_EQ && prev == TK_EQ) {
        f->hint = SL_STR("equality is written with one =");
    } else if (t->kind == TK_COLON && pl->at + 1 < pl->n && pl->tokens[pl->at + 1].kind == TK_COLON) {
        f->hint = SL_STR("write CAST(value AS TYPE) instead of value::TYPE");
    } else if (t->kind == TK_COLON && want[TK_EQ]) {
        f->hint = SL_STR("keys and values are joined with =");
    } else if (t->kind == TK_MINUS && prev == TK_IDENT && !want[TK_MINUS] && touches(pl, pl->at)) {
        f->hint = SL_STR("a name with '-' goes in back-ticks: `my-name`");
    } else if (t->kind == TK_INTEGER_LIT && want[TK_IDENT] && !wants_expression(want) && !want[TK_COMMA]) {
        f->hint = SL_STR("a name that begins with a digit goes in back-ticks");
    } else if (strings_only && (t->kind == TK_IDENT || t->kind == TK_QUOTED_IDENT || t->word ||
                                t->kind == TK_INTEGER_LIT || t->kind == TK_DECIMAL_LIT)) {
        sl_str bare = sql_unquote(pl->arena, text);
        f->msg = sl_arena_printf(pl->arena, "a string is expected here, not %.*s", SL_S(text));
        f->hint = sl_arena_printf(pl->arena, "write '%.*s'", SL_S(bare));
    } else if (t->kind == TK_LP && pl->at &&
               (prev == TK_INT || prev == TK_INTEGER || prev == TK_BIGINT || prev == TK_SMALLINT ||
                prev == TK_TINYINT || prev == TK_BOOLEAN || prev == TK_FLOAT || prev == TK_DOUBLE ||
                prev == TK_STRING || prev == TK_BYTES)) {
        f->msg = sl_arena_printf(pl->arena, "type %.*s takes no length", SL_S(token_text(pl, pl->at - 1)));
        f->hint = sl_arena_printf(pl->arena, "write %.*s", SL_S(token_text(pl, pl->at - 1)));
    } else if (t->word == SQL_W_DATETIME && want[TK_INT] && want[TK_TIMESTAMP]) {
        f->msg = SL_STR("DATETIME is no type of Flink");
        f->hint = SL_STR("write TIMESTAMP(3)");
    } else if ((t->flags & SQL_TOKEN_RESERVED) && want[TK_INT] && want[TK_TIMESTAMP] && want[TK_ROW]) {
        f->msg = sl_arena_printf(pl->arena, "'%.*s' is not a type", SL_S(text));
        f->hint = SL_STR("for example INT, BIGINT, STRING, DECIMAL(10, 2), TIMESTAMP(3)");
    } else if (t->kind == TK_DEFAULT && want[TK_COMMENT] && want[TK_COMMA]) {
        f->msg = SL_STR("columns have no DEFAULT in Flink");
        f->hint = SL_STR("use COALESCE where the column is filled");
    } else if (want[TK_SECOND] && want[TK_DAY] && prev == TK_STRING_LIT && pl->at >= 2 &&
               (pl->tokens[pl->at - 2].kind == TK_INTERVAL)) {
        f->msg = SL_STR("the unit of the interval is missing");
        f->hint = SL_STR("the unit stands outside the quotes: INTERVAL '5' SECOND");
    } else if (t->kind == TK_EQ && prev == TK_STRING_LIT && pl->at >= 2 &&
               pl->tokens[pl->at - 2].kind == TK_STRING_LIT) {
        f->msg = sl_arena_printf(pl->arena, "a ',' is missing before %.*s", SL_S(token_text(pl, pl->at - 1)));
    } else if (t->kind == TK_COMMA && pl->at >= 2 && pl->tokens[pl->at - 2].kind == TK_BETWEEN) {
        f->hint = SL_STR("write BETWEEN low AND high");
    } else if (pl->at == 2 && pl->tokens[0].kind == TK_USE && prev == TK_DATABASE) {
        f->hint = sl_arena_printf(pl->arena, "write USE %.*s", SL_S(text));
    } else if (t->kind == TK_RP) {
        size_t open = 0;
        for (size_t i = 0; i < pl->at; i++) {
            open += pl->tokens[i].kind == TK_LP;
            open -= pl->tokens[i].kind == TK_RP && open;
        }
        if (open) {
            return false;
        }
        f->msg = SL_STR("this ')' has no '('");
    } else {
        return false;
    }
    return true;
}

/* A comma, an end of statement or a closing parenthesis left out. */
static bool explain_left_out(struct sql_place *pl, struct sql_fault *f)
{
    const struct sql_token *t = &pl->tokens[pl->at];
    sl_str text = token_text(pl, pl->at);
    if (!pl->at || !t->kind) {
        return false;
    }
    switch (t->kind) {
    case TK_SELECT:
    case TK_INSERT:
    case TK_CREATE:
    case TK_DROP:
    case TK_ALTER:
    case TK_EXPLAIN:
    case TK_USE:
    case TK_SHOW:
    case TK_EXECUTE:
    case TK_DESCRIBE: {
        /* a statement begins: was the one before complete? */
        struct sql_run run;
        sl_str before = sl_str_sub(pl->text, 0, t->off);
        sql_parse_run(pl->arena, before, pl->version, &run);
        if (!run.parse.syntax_error && !run.parse.complaint) {
            f->msg = sl_arena_printf(pl->arena, "a ';' is missing before '%.*s'", SL_S(text));
            f->hint = SL_STR("each statement ends with ;");
            return true;
        }
        break;
    }
    default:
        break;
    }
    if (pl->want[TK_SEMI] && t->kind == TK_END) {
        f->msg = SL_STR("a ';' is missing before END");
        f->hint = SL_STR("each INSERT of a statement set ends with ;");
        return true;
    }
    if (pl->want[TK_COMMA] && t->kind != TK_COMMA && !is_clause_word(t->kind)) {
        size_t reach = try_with(pl, pl->at, ",");
        if (reach == SIZE_MAX || reach > pl->at + 2) {
            f->msg = sl_arena_printf(pl->arena, "a ',' is missing before '%.*s'", SL_S(text));
            return true;
        }
    }
    if (pl->want[TK_RP] && is_clause_word(t->kind) && t->kind != TK_AS) {
        size_t reach = try_with(pl, pl->at, ")");
        if (reach == SIZE_MAX || reach > pl->at + 3) {
            f->msg = sl_arena_printf(pl->arena, "a ')' is missing before '%.*s'", SL_S(text));
            return true;
        }
    }
    return false;
}

static void explain_token(struct sql_place *pl, struct sql_fault *f)
{
    const struct sql_token *t = &pl->tokens[pl->at];
    if (explain_lexical(pl, f)) {
        return;
    }
    sl_str text = token_text(pl, pl->at);
    if (pl->at == 0 && !t->kind) {
        f->msg = SL_STR("there is no statement here");
        return;
    }
    if (pl->at == 0) {
        size_t distance;
        const char *word = nearest(pl->want, text, &distance);
        f->msg = t->kind == TK_IDENT
                     ? sl_arena_printf(pl->arena, "unknown statement '%.*s'", SL_S(text))
                     : sl_arena_printf(pl->arena, "a statement cannot begin with '%.*s'", SL_S(text));
        if (word) {
            f->hint = sl_arena_printf(pl->arena, "did you mean %s?", word);
        }
        f->flink = SL_STR("Non-query expression encountered in illegal context");
        return;
    }
    if (explain_known(pl, f) || explain_reserved(pl, f) || explain_version(pl, f) || explain_missing(pl, f) ||
        explain_typo(pl, f) || explain_left_out(pl, f)) {
        return;
    }
    f->hint = expectations(pl);
}

/* The message is about one token; the place begins where Flink's does and reaches to that token. */
static void explain_syntax(struct sql_place *pl, struct sql_fault *f)
{
    const struct sql_token *t = &pl->tokens[pl->at];
    if (!sql_parse_expected(pl->arena, pl->text, pl->version, pl->at, pl->want)) {
        memset(pl->want, 0, sizeof(pl->want));
    }
    size_t start = sql_flink_place(pl);
    f->code = SL_SYNTAX;
    f->off = t->off;
    f->len = t->len;
    explain_token(pl, f);
    if (f->off != t->off || start == pl->at) {
        return;
    }
    if (pl->tokens[start].off < f->off) {
        f->len += f->off - pl->tokens[start].off;
        f->off = pl->tokens[start].off;
    } else {
        f->off = pl->tokens[start].off;
        f->len = pl->tokens[start].len;
    }
}

/* An expression is over and its BETWEEN has met no AND. Flink sees that before it looks at the next token, and
 * points behind the expression. */
static bool explain_between(struct sql_place *pl, struct sql_fault *f)
{
    if (!pl->at || pl->tokens[pl->at].fault != SQL_LEX_OK ||
        !sql_parse_expected(pl->arena, pl->text, pl->version, pl->at, pl->want)) {
        return false;
    }
    size_t end = sql_expression_end(pl);
    struct sql_parse p = {.arena = pl->arena, .text = pl->text, .version = pl->version};
    struct sql_feed feed;
    struct sql_tok t;
    sql_feed_init(&feed, pl->text, pl->version);
    for (size_t i = 0; i < end; i++) {
        sql_feed_next(&feed, &p, &t);
    }
    bool want[SQL_WANT_CODES];
    if (!end || feed.depth >= SQL_FEED_DEPTH || !feed.between[feed.depth] ||
        !sql_parse_expected(pl->arena, pl->text, pl->version, end, want) || !want[TK_BETWEEN_AND]) {
        return false;
    }
    const struct sql_check_info *c = &sql_checks[SQL_CHECK_BETWEEN_END];
    const struct sql_token *last = &pl->tokens[end - 1];
    uint32_t off = last->off + last->len;
    *f = (struct sql_fault){.code = c->code, .off = off, .len = off < pl->text.n};
    f->msg = sl_str_of(c->msg);
    f->hint = sl_str_of(c->hint);
    f->flink = sl_str_of(c->flink);
    return true;
}

static void explain(struct sl_arena *a, struct sql_run *run, struct sql_fault *fault);

/* The statement up to the culprit is whole, and Flink does not take it: it says so before it looks further. */
static bool explain_whole(struct sql_place *pl, struct sql_run *run, struct sql_fault *f)
{
    struct sql_run whole;
    sl_str text = sl_str_sub(pl->text, 0, pl->tokens[pl->at].off);
    if (!pl->at || !pl->tokens[pl->at].kind) {
        return false;
    }
    sql_parse_run(pl->arena, text, pl->version, &whole);
    const struct sql_parse *p = &whole.parse;
    bool at_once = p->complaint == SQL_COMPLAINT_NEED ||
                   (p->complaint == SQL_COMPLAINT_CHECK &&
                    (p->check == SQL_CHECK_UNTYPED_COLUMNS || p->check == SQL_CHECK_TABLE_CALL));
    if (p->syntax_error || !at_once) {
        return false;
    }
    *run = whole;
    explain(pl->arena, run, f);
    return true;
}

static void explain(struct sl_arena *a, struct sql_run *run, struct sql_fault *fault)
{
    const struct sql_parse *p = &run->parse;
    const struct sql_check_info *c = &sql_checks[p->check];
    *fault = (struct sql_fault){.off = p->at, .len = p->at_end - p->at};
    switch (p->complaint) {
    case SQL_COMPLAINT_NEED:
        fault->code = SL_VERSION_NEEDED;
        fault->msg = sl_arena_printf(a, "%s needs Flink %s; the target is %s", p->what,
                                     sql_version_name(p->need), sql_version_name(p->version));
        return;
    case SQL_COMPLAINT_DEPTH:
        fault->code = SL_LIMIT;
        fault->msg = SL_STR("the statement is nested too deeply");
        return;
    case SQL_COMPLAINT_CHECK:
        if (p->check == SQL_CHECK_UNEXPECTED) {
            break;
        }
        fault->code = c->code;
        fault->msg = sl_str_of(c->msg);
        fault->hint = sl_str_of(c->hint);
        fault->flink = sl_str_of(c->flink);
        return;
    case SQL_FINE:
        break;
    }
    struct sql_place pl = {.arena = a, .text = p->text, .version = p->version, .at = run->tokens};
    if (p->complaint) {
        /* a token the grammar took, but that cannot stand there: the first one at or behind the place */
        pl.at = SIZE_MAX / 2;
        struct sql_lexer lx;
        struct sql_token t;
        sql_lex_init(&lx, p->text, p->version, false);
        for (size_t i = 0;; i++) {
            if (!sql_lex_next(&lx, &t) || t.off >= p->at) {
                pl.at = i;
                break;
            }
        }
        collect_tokens(&pl);
        const struct sql_token *bad = &pl.tokens[pl.at];
        fault->code = SL_SYNTAX;
        fault->off = bad->off;
        fault->len = bad->len;
        fault->msg = sl_arena_printf(a, "'%.*s' is not expected here", SL_S(token_text(&pl, pl.at)));
        return;
    }
    collect_tokens(&pl);
    if (explain_between(&pl, fault) || explain_whole(&pl, run, fault)) {
        return;
    }
    explain_syntax(&pl, fault);
}

/* Before Flink 2.0 there was no FROM f(...): it stops at what cannot be a column with a type, whatever is wrong
 * with the arguments behind that. */
static void explain_table_call(const struct sql_parse *p, struct sql_fault *fault)
{
    struct sql_lexer lx;
    struct sql_token t;
    unsigned last = 0, before_name = 0;
    size_t depth = 0, call_depth = 0;
    uint32_t call_off = 0;
    sql_lex_init(&lx, p->text, p->version, false);
    while (sql_lex_next(&lx, &t) && t.off < fault->off) {
        bool name =
            t.kind == TK_IDENT || t.kind == TK_QUOTED_IDENT || (t.word && !(t.flags & SQL_TOKEN_RESERVED));
        if (t.kind == TK_LP) {
            depth++;
            if (!call_depth && last == TK_IDENT && (before_name == TK_FROM || before_name == TK_JOIN)) {
                call_depth = depth;
                call_off = t.off + t.len;
            }
        } else if (t.kind == TK_RP && depth) {
            call_depth = call_depth == depth ? 0 : call_depth;
            depth--;
        }
        before_name = !name || last == TK_DOT ? before_name : last;
        last = name ? TK_IDENT : t.kind;
    }
    if (!call_depth) {
        return;
    }
    struct sql_token odd = sql_no_column(p->text, p->version, call_off);
    bool behind_name = odd.off > call_off && odd.word && odd.kind != TK_TABLE;
    if (odd.off < fault->off && odd.kind != TK_IDENT && odd.kind != TK_QUOTED_IDENT && !behind_name) {
        *fault = (struct sql_fault){.code = SL_VERSION_NEEDED, .off = odd.off, .len = odd.len};
        fault->msg = SL_STR("a table function without TABLE( ) needs Flink 2.0; the target is 1.20");
    }
}

void sql_explain_fault(struct sl_arena *a, struct sql_run *run, struct sql_fault *fault)
{
    explain(a, run, fault);
    if (run->parse.version < 200 && fault->code != SL_LEXICAL) {
        explain_table_call(&run->parse, fault);
    }
}
