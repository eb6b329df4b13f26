/* SPDX-License-Identifier: Apache-2.0
 * Complaints that an LALR grammar cannot say: contexts, versions, Flink's own checks of its nodes. Texts are
 * in checks.def. The first complaint of a statement is kept, and the driver stops there. */
#include "sqlparse/actions.h"

const struct sql_check_info sql_checks[SQL_CHECK_MAX_] = {
    {SL_OK, "NONE", "", "", ""},
#define SQL_CHECK(NAME, code, msg, hint, flink) {SL_##code, #NAME, msg, hint, flink},
#include "sqlparse/checks.def"
#undef SQL_CHECK
};

static void complain(struct sql_parse *p, enum sql_complaint what, uint32_t off, uint32_t end)
{
    p->complaint = what;
    p->at = off;
    p->at_end = end > off ? end : off + 1;
}

void check(struct sql_parse *p, enum sql_check_id id, uint32_t off, uint32_t end)
{
    if (!p->complaint) {
        complain(p, SQL_COMPLAINT_CHECK, off, end);
        p->check = id;
    }
}

void need(struct sql_parse *p, sql_version since, uint32_t off, const char *what)
{
    if (p->version < since && !p->complaint) {
        complain(p, SQL_COMPLAINT_NEED, off, p->end);
        p->need = since;
        p->what = what;
    }
}

void sql_parse_too_deep(struct sql_parse *p)
{
    if (!p->complaint) {
        complain(p, SQL_COMPLAINT_DEPTH, p->next, p->next + 1);
    }
}

static void check_node(struct sql_parse *p, enum sql_check_id id, const struct sql_node *n)
{
    check(p, id, n->off, n->off + n->len);
}

/* The first token at or behind `off`. */
static void tokens_at(const struct sql_parse *p, uint32_t off, struct sql_token *t, size_t n)
{
    struct sql_lexer lx;
    sql_lex_init(&lx, p->text, p->version, false);
    lx.at = off;
    for (size_t i = 0; i < n; i++) {
        sql_lex_next(&lx, &t[i]);
    }
}

static struct sql_token next_token(const struct sql_parse *p, uint32_t off)
{
    struct sql_token t;
    tokens_at(p, off, &t, 1);
    return t;
}

static bool is_plain_name(const struct sql_token *t)
{
    return t->kind == TK_IDENT || t->kind == TK_QUOTED_IDENT || (t->word && !(t->flags & SQL_TOKEN_RESERVED));
}

static void check_behind(struct sql_parse *p, enum sql_check_id id, uint32_t off)
{
    struct sql_token t = next_token(p, off);
    check(p, id, t.off, t.off + t.len);
}

void need_behind(struct sql_parse *p, sql_version since, uint32_t off, const char *what)
{
    if (p->version < since && !p->complaint) {
        check_behind(p, SQL_CHECK_UNEXPECTED, off);
        p->complaint = SQL_COMPLAINT_NEED;
        p->need = since;
        p->what = what;
    }
}

/* ------------------------------------------------------------------ contexts */

/* "No query here" is asked of a SELECT and of what follows UNION and the like; VALUES and TABLE t pass. */
static void check_non_select(struct sql_parse *p, const struct sql_node *query, const struct sql_node *paren)
{
    for (;;) {
        const struct sql_node *right = NULL, *leaf = query;
        if (query->kind == SQL_N_QUERY) {
            leaf = query->first->kind == SQL_N_WITH ? query->first->next : query->first;
            paren = leaf == query->first ? paren : leaf;
        }
        for (; leaf->kind == SQL_N_SET_OP; leaf = leaf->first) {
            right = leaf->first->next;
        }
        if (leaf->kind == SQL_N_SELECT) {
            check_node(p, SQL_CHECK_QUERY_HERE, paren ? paren : leaf);
            return;
        }
        if (right) {
            check_node(p, SQL_CHECK_QUERY_HERE, right);
            return;
        }
        if (leaf->kind != SQL_N_SUBQUERY) {
            return;
        }
        paren = leaf;
        query = leaf->first;
    }
}

/* Calcite hands "no query here" down to the first operand of an expression only: (SELECT 1) + 1 is refused,
 * 1 + (SELECT 1) is not. */
void check_non_query(struct sql_parse *p, const struct sql_node *e)
{
    while (e) {
        switch (e->kind) {
        case SQL_N_SUBQUERY:
            check_non_select(p, e->first, e);
            return;
        case SQL_N_QUERY:
            check_non_select(p, e, NULL);
            return;
        case SQL_N_SET_OP:
            check_node(p, SQL_CHECK_QUERY_HERE, e->first->next);
            return;
        case SQL_N_ROW:
            if (e->op == TK_PERIOD) {
                return;
            }
            check_non_query_list(p, e);
            return;
        case SQL_N_BINARY:
        case SQL_N_UNARY:
        case SQL_N_PAREN:
        case SQL_N_IS:
        case SQL_N_LIKE:
        case SQL_N_BETWEEN:
        case SQL_N_IN:
        case SQL_N_QUANTIFIED:
        case SQL_N_ITEM:
        case SQL_N_FIELD:
            e = e->first;
            break;
        default:
            return;
        }
    }
}

void check_non_query_list(struct sql_parse *p, const struct sql_node *list)
{
    for (const struct sql_node *e = list->first; e; e = e->next) {
        check_non_query(p, e);
    }
}

void check_non_query_first(struct sql_parse *p, const struct sql_node *list)
{
    check_non_query(p, list->first);
}

/* In FROM and WITH, ( ( query ) UNION ... ORDER BY ... ) does not parse: behind a parenthesis that begins
 * with a parenthesis Calcite expects a table. */
void check_ordered_paren(struct sql_parse *p, const struct sql_node *sub)
{
    while (sub && sub->kind == SQL_N_SUBQUERY && sub->first->kind == SQL_N_SUBQUERY) {
        sub = sub->first;
    }
    const struct sql_node *query = sub ? sub->first : NULL;
    if (!query || query->kind != SQL_N_QUERY) {
        return;
    }
    if (sql_child(query, SQL_N_WITH)) {
        const struct sql_node *body = query->first->next;
        while (body && body->kind == SQL_N_SET_OP) {
            body = body->first;
        }
        if (body && body->kind == SQL_N_SUBQUERY) {
            check(p, SQL_CHECK_UNEXPECTED, body->off, body->off + 1);
        }
        return;
    }
    const struct sql_node *tail = sql_child(query, SQL_N_ORDER_BY);
    tail = tail ? tail : sql_child(query, SQL_N_LIMIT);
    const struct sql_node *leaf = query->first;
    while (leaf && leaf->kind == SQL_N_SET_OP) {
        leaf = leaf->first;
    }
    if (tail && leaf && leaf->kind == SQL_N_SUBQUERY) {
        check_node(p, SQL_CHECK_ORDER_HERE, tail);
    }
}

/* What stands behind ESCAPE begins without NOT or the like, and with a sign only before a number. */
void sql_check_escape(struct sql_parse *p, const struct sql_node *escape)
{
    const struct sql_node *n = escape;
    while (n->kind == SQL_N_IN || n->kind == SQL_N_QUANTIFIED || n->kind == SQL_N_LIKE ||
           n->kind == SQL_N_BINARY || n->kind == SQL_N_BETWEEN || n->kind == SQL_N_IS) {
        n = n->first;
    }
    struct sql_token t[2];
    tokens_at(p, n->off, t, SL_ARRAY_LEN(t));
    bool number = t[1].kind == TK_INTEGER_LIT || t[1].kind == TK_DECIMAL_LIT || t[1].kind == TK_APPROX_LIT ||
                  (t[1].kind == TK_DECIMAL && p->version >= 200);
    bool sign = t[0].kind == TK_PLUS || t[0].kind == TK_MINUS;
    if (n->kind == SQL_N_UNARY && !(sign && number)) {
        check(p, SQL_CHECK_UNEXPECTED, n->off, n->off + 1);
    }
}

/* MULTISET(query): one SELECT, VALUES or TABLE and nothing else; a part of a query has nothing beside it in the
 * parentheses `around`. */
void sql_check_leaf_query(struct sql_parse *p, const struct sql_node *sub, const struct sql_node *around)
{
    const struct sql_node *query = sub->first;
    if (sub != around) {
        uint32_t inside = next_token(p, around->off + 1).off;
        if (inside < sub->off) {
            check_behind(p, SQL_CHECK_LEAF_QUERY, around->off + 1);
        } else if (next_token(p, sub->off + sub->len).kind != TK_RP) {
            check_behind(p, SQL_CHECK_LEAF_QUERY, sub->off + sub->len);
        }
        return;
    }
    if (query->kind == SQL_N_PAREN) {
        check_behind(p, SQL_CHECK_LEAF_QUERY, query->first->off + query->first->len);
    }
    if (query->kind != SQL_N_QUERY) {
        return;
    }
    const struct sql_node *leaf = query->first;
    while (leaf->kind == SQL_N_SET_OP) {
        leaf = leaf->first;
    }
    if (leaf->kind == SQL_N_WITH) {
        check(p, SQL_CHECK_LEAF_QUERY, sub->off, leaf->off + 4);
    } else if (leaf->len < query->len) {
        check_behind(p, SQL_CHECK_LEAF_QUERY, leaf->off + leaf->len);
    }
}

/* In FROM and WITH a query in parentheses is none of the kind ROW(query), nor a part of one, and does not begin
 * with one. */
void sql_check_row_query(struct sql_parse *p, const struct sql_node *sub)
{
    const struct sql_node *n = sub;
    while (n->kind == SQL_N_SUBQUERY && n->op == 0) {
        const struct sql_node *inside = n->first;
        if (inside->kind == SQL_N_PAREN) {
            check_behind(p, SQL_CHECK_UNEXPECTED, n->off + 1);
            return;
        }
        n = inside->kind == SQL_N_QUERY ? inside->first : inside;
        while (n->kind == SQL_N_SET_OP) {
            n = n->first;
        }
    }
    if (n->kind == SQL_N_SUBQUERY) {
        check(p, SQL_CHECK_UNEXPECTED, n->off, n->off + 3);
    }
}

/* (ROW(query)) is whole: neither UNION nor ORDER BY goes on behind it, but a LIMIT does. */
void sql_check_ends_row_query(struct sql_parse *p, const struct sql_node *clause, const struct sql_node *tail)
{
    const struct sql_node *n = clause;
    if (tail && tail->first->kind == SQL_N_LIMIT) {
        return;
    }
    while (n->kind == SQL_N_SUBQUERY && n->op == 0 && n->first->kind == SQL_N_SUBQUERY) {
        n = n->first;
    }
    if (n->kind == SQL_N_SUBQUERY && n->op == TK_ROW) {
        uint32_t off = tail ? tail->off : clause->off + clause->len - 1;
        check(p, SQL_CHECK_UNEXPECTED, off, off + 1);
    }
}

/* A query in parentheses, ROW(query), or a part of one: what Flink takes for a query. */
static bool is_of_query(const struct sql_node *n)
{
    while (n->kind == SQL_N_FIELD || n->kind == SQL_N_ITEM || n->kind == SQL_N_PAREN) {
        n = n->first;
    }
    return n->kind == SQL_N_SUBQUERY ||
           (n->kind == SQL_N_ROW && n->first->kind == SQL_N_SUBQUERY && !n->first->next);
}

/* ARRAY( ) and MAP( ): a query, that of MAP a plain one or one with WITH; since 2.2 any, and a list too. */
void sql_check_list(struct sql_parse *p, struct sql_tok word, const struct sql_node *list)
{
    const struct sql_node *only = list->kind == SQL_N_SUBQUERY ? NULL : list->first;
    if (p->version >= 202) {
        sql_take_cursors(p, list);
    }
    if (only && (only->next || !is_of_query(only))) {
        need(p, 202, only->off, word.kind == TK_ARRAY ? "ARRAY( ) with a list" : "MAP( ) with a list");
    } else if (word.kind != TK_ARRAY && p->version < 202 && next_token(p, list->off + 1).kind != TK_WITH) {
        sql_check_leaf_query(p, only ? only : list, list);
        if (p->complaint == SQL_COMPLAINT_CHECK && p->check == SQL_CHECK_LEAF_QUERY) {
            p->complaint = SQL_COMPLAINT_NEED;
            p->need = 202;
            p->what = "MAP( ) of more than a plain query";
        }
    }
}

static bool is_old_window(const struct sql_parse *p, const struct sql_node *name)
{
    if (!name || name->kind != SQL_N_NAME || name->first->next) {
        return false;
    }
    enum sql_word w = sql_word_find(p->text.p + name->off, name->len);
    return w == SQL_W_TUMBLE || w == SQL_W_HOP || w == SQL_W_SESSION;
}

/* The group windows of old take arguments. */
void sql_check_call(struct sql_parse *p, const struct sql_node *name, const struct sql_node *args)
{
    if (!args->first && is_old_window(p, name)) {
        uint32_t off = args->op == TK_STAR ? args->off : p->end - 1;
        check(p, SQL_CHECK_UNEXPECTED, off, off + 1);
    }
}

/* FINAL and RUNNING: before 2.2 only before a call of a plain name. */
void sql_check_ran(struct sql_parse *p, struct sql_tok word, const struct sql_node *what)
{
    check_non_query(p, what);
    bool call = what->kind == SQL_N_CALL && what->first;
    bool floor = call && !what->first->next && (what->op == TK_FLOOR || what->op == TK_CEILING);
    bool named = floor || (call && (what->op == 0 || what->op == TK_SPECIFIC || what->op == TK_ARRAY_AGG));
    if (!named) {
        uint32_t off = word.kind == TK_RUNNING ? word.off : what->off;
        if (what->kind == SQL_N_NAME) {
            need_behind(p, 202, what->off + what->len, "FINAL or RUNNING before anything but a call");
            return;
        }
        need(p, 202, off,
             word.kind == TK_RUNNING ? "RUNNING before anything but a call"
                                     : "FINAL before anything but a call");
    }
}

/* The first of the columns has two parts at most: with more Flink takes it for a column being declared. */
void sql_check_first_column(struct sql_parse *p, const struct sql_node *name)
{
    if (name->first->next && (name->first->next->next || name->op == 1) &&
        !(name->op == 1 && !name->first->next)) {
        check_behind(p, SQL_CHECK_UNEXPECTED, name->off + name->len);
    }
}

void check_not_join(struct sql_parse *p, const struct sql_node *table)
{
    if (table->kind == SQL_N_NESTED) {
        check_node(p, SQL_CHECK_JOIN_HERE, table);
    }
}

/* A computed column has a simple name. */
void check_simple_name(struct sql_parse *p, const struct sql_node *name)
{
    if (name->first->next) {
        check(p, SQL_CHECK_UNEXPECTED, name->off + name->len, name->off + name->len);
    }
}

/* A catalog's name has no dots; the first one is where it goes wrong. */
void check_one_part(struct sql_parse *p, const struct sql_node *name)
{
    if (name->first->next) {
        uint32_t end = name->first->off + name->first->len;
        check(p, SQL_CHECK_UNEXPECTED, end, end);
    }
}

void sql_check_bang(struct sql_parse *p, struct sql_tok op)
{
    if (op.kind == TK_NE2) {
        check(p, SQL_CHECK_BANG, op.off, op.end);
    }
}

/* What stands in front of ANY is taken for a comparison, whichever it is. */
void sql_check_angle(struct sql_parse *p, struct sql_tok op)
{
    if (op.word != TK_LT) {
        check(p, SQL_CHECK_UNEXPECTED, op.off, op.end);
    }
}

void sql_check_value(struct sql_parse *p, struct sql_tok word)
{
    if (word.kind == TK_VALUE && p->version < 200) {
        check(p, SQL_CHECK_VALUE, word.off, word.end);
    }
}

/* ------------------------------------------------------------------ literals */

struct sql_node *sql_integer(struct sql_parse *p, struct sql_tok t)
{
    int64_t v;
    if (!sl_str_to_i64(sl_str_sub(p->text, t.off, t.end - t.off), &v) || v > INT32_MAX) {
        check(p, SQL_CHECK_INTEGER_RANGE, t.off, t.end);
    }
    return sql_literal(p, t);
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static void check_hex(struct sql_parse *p, struct sql_tok t, uint32_t prefix)
{
    for (uint32_t i = t.off + prefix + 1; i + 1 < t.end; i++) {
        if (!is_hex(p->text.p[i])) {
            check(p, SQL_CHECK_HEX, t.off, t.end);
            return;
        }
    }
}

/* _charset'...': the names Calcite translates. */
static void check_charset(struct sql_parse *p, struct sql_tok t)
{
    static const char *const known[] = {"utf8",   "utf-8", "utf16",      "utf-16", "utf-16be", "utf-16le",
                                        "latin1", "big5",  "iso-8859-1", "gbk",    "gb2312"};
    sl_str s = sl_str_sub(p->text, t.off + 1, t.end - t.off - 1);
    ptrdiff_t quote = sl_str_find_char(s, '\'');
    s = sl_str_sub(s, 0, quote > 0 ? (size_t)quote : 0);
    for (size_t i = 0; i < SL_ARRAY_LEN(known); i++) {
        if (sl_str_ieqz(s, known[i])) {
            return;
        }
    }
    check(p, SQL_CHECK_CHARSET, t.off, t.end);
}

struct sql_node *sql_string(struct sql_parse *p, struct sql_tok t)
{
    struct sql_node *n = MK(STRING, t.off);
    n->len = t.end - t.off;
    n->op = t.kind;
    if (t.kind == TK_BINARY_LIT) {
        check_hex(p, t, 1);
    } else if (t.kind == TK_PREFIXED_LIT && p->text.p[t.off] == '_') {
        check_charset(p, t);
    }
    for (uint32_t i = t.off; t.kind == TK_ESCAPED_LIT && i + 1 < t.end; i++) {
        if (p->text.p[i] != '\\') {
            continue;
        }
        i++;
        for (uint32_t k = 1; p->text.p[i] == 'u' && k <= 4; k++) {
            if (i + k >= t.end || !is_hex(p->text.p[i + k])) {
                check(p, SQL_CHECK_UNICODE, t.off, t.end);
            }
        }
    }
    return n;
}

struct sql_node *sql_string_more(struct sql_parse *p, struct sql_node *s, struct sql_tok t)
{
    if (s->op == TK_BINARY_LIT) {
        check_hex(p, t, 0);
    }
    return sql_add(p, s, sql_literal(p, t));
}

/* Unicode escapes: the escape character twice, or with exactly four hexadecimal digits. `skip`: what stands in
 * front of the text. */
static void check_unicode_piece(struct sql_parse *p, const struct sql_node *s, uint32_t skip, uint32_t len,
                                char escape)
{
    for (uint32_t i = s->off + skip; i + 1 < s->off + len; i++) {
        if (p->text.p[i] != escape) {
            continue;
        }
        if (p->text.p[i + 1] == escape) {
            i++;
            continue;
        }
        for (uint32_t k = 1; k <= 4; k++) {
            if (i + k + 1 >= s->off + len || !is_hex(p->text.p[i + k])) {
                check(p, SQL_CHECK_UNICODE, s->off, s->off + len);
                return;
            }
        }
        i += 4;
    }
}

/* Each piece alone: U&'..' '..' */
static void check_unicode(struct sql_parse *p, const struct sql_node *s, char escape)
{
    check_unicode_piece(p, s, 3, next_token(p, s->off).len, escape);
    for (const struct sql_node *more = s->first; more; more = more->next) {
        check_unicode_piece(p, more, 1, more->len, escape);
    }
}

struct sql_node *sql_string_done(struct sql_parse *p, struct sql_node *s)
{
    if (s->op == TK_UNICODE_LIT) {
        check_unicode(p, s, '\\');
    }
    return s;
}

struct sql_node *sql_uescape(struct sql_parse *p, struct sql_node *s, struct sql_tok t)
{
    char c = t.end - t.off == 3 ? p->text.p[t.off + 1] : 0;
    if (s->op != TK_UNICODE_LIT) {
        check(p, SQL_CHECK_UESCAPE, t.off, t.end);
    } else if (!c || is_hex(c) || c == '+' || c == '"' || c == ' ' || c == '\t' || c == '\n' || c == '\r' ||
               c == '\f') {
        check(p, SQL_CHECK_UNICODE, t.off, t.end);
    } else {
        check_unicode(p, s, c);
    }
    return sql_respan(p, s, s->off);
}

/* Reads digits, at least one, into *v. */
static bool read_number(sl_str *s, int64_t *v)
{
    size_t n = 0;
    *v = 0;
    while (n < s->n && n < 12 && s->p[n] >= '0' && s->p[n] <= '9') {
        *v = *v * 10 + (s->p[n++] - '0');
    }
    *s = sl_str_sub(*s, n, s->n - n);
    return n > 0;
}

static bool read_char(sl_str *s, char c)
{
    if (!s->n || s->p[0] != c) {
        return false;
    }
    *s = sl_str_sub(*s, 1, s->n - 1);
    return true;
}

static bool read_date(sl_str *s)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t y, m, d;
    if (!read_number(s, &y) || !read_char(s, '-') || !read_number(s, &m) || !read_char(s, '-') ||
        !read_number(s, &d)) {
        return false;
    }
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] + (m == 2 && leap);
}

static bool read_time(sl_str *s)
{
    int64_t h, m, sec, fraction;
    if (!read_number(s, &h) || !read_char(s, ':') || !read_number(s, &m) || !read_char(s, ':') ||
        !read_number(s, &sec)) {
        return false;
    }
    if (s->n && s->p[0] == '.') {
        read_char(s, '.');
        while (read_number(s, &fraction)) {
        }
    }
    return h < 24 && m < 60 && sec < 60;
}

/* The text of {d '...'}, and up to Flink 1.20 also that of DATE '...', is read by the parser itself. */
static void check_datetime(struct sql_parse *p, enum sql_check_id id, const struct sql_node *value)
{
    sl_str s = sl_str_trim(sl_str_sub(p->text, value->off + 1, value->len >= 2 ? value->len - 2 : 0));
    bool ok = id == SQL_CHECK_TIME_LITERAL ? read_time(&s) : read_date(&s);
    if (ok && id == SQL_CHECK_TIMESTAMP_LITERAL) {
        ok = read_char(&s, ' ') && read_time(&s);
    }
    if (!ok || s.n) {
        check_node(p, id, value);
    }
}

struct sql_node *sql_typed(struct sql_parse *p, struct sql_tok t, struct sql_node *value)
{
    struct sql_node *n = MK(TYPED, t.off, value);
    n->op = t.kind;
    if (p->version < 200 && t.kind != TK_LBRACE_D && t.kind != TK_LBRACE_T && t.kind != TK_LBRACE_TS) {
        check_datetime(p,
                       t.kind == TK_DATE   ? SQL_CHECK_DATE_LITERAL
                       : t.kind == TK_TIME ? SQL_CHECK_TIME_LITERAL
                                           : SQL_CHECK_TIMESTAMP_LITERAL,
                       value);
    }
    return n;
}

/* DECIMAL '1.5': a number since 2.0; before it is no literal. */
void sql_check_decimal(struct sql_parse *p, const struct sql_node *n, const struct sql_node *value)
{
    sl_str s = sl_str_trim(sl_str_sub(p->text, value->off + 1, value->len >= 2 ? value->len - 2 : 0));
    need(p, 200, n->off, "DECIMAL '...'");
    size_t i = s.n && (s.p[0] == '+' || s.p[0] == '-'), digits = 0, points = 0;
    for (; i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.'); i++) {
        digits += s.p[i] != '.';
        points += s.p[i] == '.';
    }
    if (i + 1 < s.n && (s.p[i] | 0x20) == 'e' && digits) {
        i += 1 + (s.p[i + 1] == '+' || s.p[i + 1] == '-');
        size_t start = i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') {
            i++;
        }
        digits = i > start ? digits : 0;
    }
    if (!digits || points > 1 || i < s.n) {
        check(p, SQL_CHECK_DECIMAL_LITERAL, n->off, p->end);
    }
}

/* {fn ...}: of the functions with a unit one is left out since 2.0. */
void sql_check_jdbc_call(struct sql_parse *p, struct sql_tok brace, const struct sql_node *call)
{
    if (call->op == TK_DATETIME_TRUNC && p->version >= 200) {
        check(p, SQL_CHECK_UNEXPECTED, brace.off, brace.end);
    }
}

/* A name before MATCH_RECOGNIZE: of a table or a query, and nothing done to it yet. */
void sql_check_named_match(struct sql_parse *p, const struct sql_node *table, const struct sql_node *match)
{
    if (table->kind == SQL_N_TABLE_FUNCTION || table->kind == SQL_N_UNNEST || sql_child(table, SQL_N_MATCH) ||
        sql_child(table, SQL_N_PIVOT) || sql_child(table, SQL_N_UNPIVOT)) {
        need(p, 202, match->off, "a name before MATCH_RECOGNIZE");
        check(p, SQL_CHECK_UNEXPECTED, match->off, match->off + 15);
    }
}

/* CONVERT(TYPE, value [, style]): the style is a number or NULL. */
void sql_check_convert(struct sql_parse *p, const struct sql_node *values)
{
    const struct sql_node *style = values->first->next;
    if (!style) {
        return;
    }
    struct sql_token t = next_token(p, style->off);
    bool number = t.kind == TK_INTEGER_LIT || t.kind == TK_DECIMAL_LIT || t.kind == TK_APPROX_LIT;
    if (style->kind == SQL_N_TYPED && style->op == TK_DECIMAL) {
        number = true;
        t.len = style->len;
    }
    if (!number && t.kind != TK_NULL) {
        check(p, SQL_CHECK_UNEXPECTED, t.off, t.off + t.len);
    } else if (t.len < style->len || style->next) {
        check_behind(p, SQL_CHECK_UNEXPECTED, t.off + t.len);
    }
}

/* CONVERT(value, charset, charset), or a type with a length, which looks like a call. */
void sql_check_convert_names(struct sql_parse *p, const struct sql_node *what, const struct sql_node *names)
{
    sql_check_first_call(p, what, (struct sql_tok){.kind = TK_USING});
    const struct sql_node *callee = what->kind == SQL_N_CALL ? what->first : NULL;
    sl_str word = callee && callee->kind == SQL_N_IDENT ? sql_node_text(callee, p->text) : SL_STR_NONE;
    if (sl_str_ieqz(word, "CHAR")) {
        sql_check_convert(p, names);
        return;
    }
    unsigned n = 0;
    for (const struct sql_node *one = names->first; one; one = one->next) {
        n++;
        if (one->kind != SQL_N_NAME || one->first->next || one->op == 1 || n > 2) {
            check_behind(p, SQL_CHECK_UNEXPECTED, n > 2 ? one->off - 1 : one->off);
            return;
        }
    }
    if (n != 2) {
        check_behind(p, SQL_CHECK_UNEXPECTED, names->off + names->len);
    }
}

void sql_check_jdbc(struct sql_parse *p, struct sql_tok t, const struct sql_node *value)
{
    check_datetime(p,
                   t.kind == TK_LBRACE_D   ? SQL_CHECK_DATE_LITERAL
                   : t.kind == TK_LBRACE_T ? SQL_CHECK_TIME_LITERAL
                                           : SQL_CHECK_TIMESTAMP_LITERAL,
                   value);
    if (p->complaint == SQL_COMPLAINT_CHECK && p->at == value->off) {
        p->at = p->end - 1; /* the brace */
        p->at_end = p->end;
    }
}

/* More than 100? Digits with a point and an exponent. */
static bool is_above_100(sl_str s)
{
    int64_t before = 0, exponent = 0, sign = 1;
    bool point = false, more = false;
    char first = 0;
    size_t n = 0, i = 0;
    for (; i < s.n && (s.p[i] | 0x20) != 'e'; i++) {
        if (s.p[i] == '.') {
            point = true;
            continue;
        }
        before += point ? (n ? 0 : -(s.p[i] == '0')) : (n || s.p[i] != '0');
        if (n || s.p[i] != '0') {
            first = n ? first : s.p[i];
            more = more || (n && s.p[i] != '0') || first > '1';
            n++;
        }
    }
    if (i < s.n) {
        i += 1 + (s.p[i + 1] == '+' || s.p[i + 1] == '-');
        sign = s.p[i - 1] == '-' ? -1 : 1;
        sl_str rest = sl_str_sub(s, i, s.n - i);
        read_number(&rest, &exponent);
    }
    before += sign * exponent;
    return n && (before > 3 || (before == 3 && more));
}

/* Told behind the whole; Flink 2 looks at no number there. */
void sql_check_sample(struct sql_parse *p, const struct sql_node *number)
{
    if (p->version < 200 && is_above_100(sql_node_text(number, p->text))) {
        check(p, SQL_CHECK_SAMPLE, p->end - 1, p->end);
    }
}

void sql_check_buckets(struct sql_parse *p, const struct sql_node *number)
{
    sl_str s = sql_node_text(number, p->text);
    uint32_t skip = 0;
    if (number->kind == SQL_N_TYPED) {
        const struct sql_node *value = number->first;
        s = sl_str_sub(p->text, value->off + 1, value->len - 2);
        skip = value->off - number->off;
    }
    if (s.n && s.p[s.n - 1] == '.') {
        s = sl_str_sub(s, 0, s.n - 1); /* 1. is 1 */
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            check(p, SQL_CHECK_BUCKETS, number->off + skip, number->off + number->len);
            return;
        }
    }
}

/* Is the number, of digits with a point and an exponent, a whole one that fits 32 bits? */
static bool is_int32(sl_str s)
{
    int64_t value = 0, power = 0; /* the number is value * 10^power, and value does not end in 0 */
    size_t i = 0, zeros = 0;
    bool point = false;
    for (; i < s.n && (s.p[i] | 0x20) != 'e'; i++) {
        if (s.p[i] == '.') {
            point = true;
            continue;
        }
        power -= point;
        if (s.p[i] == '0') {
            zeros += value > 0;
            continue;
        }
        for (; zeros && value <= INT32_MAX; zeros--) {
            value *= 10;
        }
        value = value * 10 + (s.p[i] - '0');
        if (value > INT32_MAX) {
            return false; /* or a fraction */
        }
    }
    power += (int64_t)zeros;
    if (i < s.n) {
        int64_t exponent = 0;
        bool minus = s.p[++i] == '-';
        i += minus || s.p[i] == '+';
        sl_str digits = sl_str_sub(s, i, s.n - i);
        read_number(&digits, &exponent);
        power += minus ? -exponent : exponent;
    }
    for (; value && power > 0 && value <= INT32_MAX; power--) {
        value *= 10;
    }
    return !value || (power >= 0 && value <= INT32_MAX);
}

/* A quantifier with another ? behind it: only then does Flink look at its numbers. */
void sql_check_reluctant(struct sql_parse *p, const struct sql_node *numbers)
{
    const struct sql_node *n = numbers && numbers->kind == SQL_N_EXPRS ? numbers->first : numbers;
    for (; n; n = n->next) {
        if (n->kind == SQL_N_LITERAL && !is_int32(sql_node_text(n, p->text))) {
            check_node(p, SQL_CHECK_INTEGER_RANGE, n);
        }
    }
}

/* Weeks and quarters came to INTERVAL with 2.0; (a - b) WEEK was there before. */
void sql_check_interval(struct sql_parse *p, const struct sql_node *unit)
{
    if ((p->text.p[unit->off] | 0x20) == 'w' || (p->text.p[unit->off] | 0x20) == 'q') {
        need(p, 200, unit->off, "INTERVAL in weeks or quarters");
    }
}

static bool begins_with_row(const struct sql_parse *p, const struct sql_node *e)
{
    return e->len > 3 && sl_str_ieqz(sl_str_sub(p->text, e->off, 3), "ROW") &&
           sql_word_find(p->text.p + e->off, 3) == SQL_W_ROW && !(p->text.p[e->off + 3] & 0x80) &&
           p->text.p[e->off + 3] != '_' && p->text.p[e->off + 3] != '$' &&
           !(p->text.p[e->off + 3] >= '0' && p->text.p[e->off + 3] <= '9') &&
           !((p->text.p[e->off + 3] | 0x20) >= 'a' && (p->text.p[e->off + 3] | 0x20) <= 'z');
}

/* POSITION's first operand is a single thing, without parentheses around it. */
void sql_check_atomic(struct sql_parse *p, const struct sql_node *e)
{
    if (p->text.p[e->off] == '(' || begins_with_row(p, e)) {
        check(p, SQL_CHECK_UNEXPECTED, e->off, e->off + 1);
    }
}

/* Behind an index only names may follow, no calls: a[1].b, not a[1].b(2). */
void sql_check_method(struct sql_parse *p, const struct sql_node *of, struct sql_tok lp)
{
    while (of->kind == SQL_N_FIELD && sql_last(of)->kind == SQL_N_IDENT) {
        of = of->first;
    }
    if (of->kind == SQL_N_ITEM) {
        check(p, SQL_CHECK_UNEXPECTED, lp.off, lp.end);
    }
}

/* The group windows of old are calls with nothing behind them, unless SPECIFIC makes them calls like any other. */
void sql_check_over(struct sql_parse *p, const struct sql_node *call, uint32_t off)
{
    if (call->op != TK_SPECIFIC && is_old_window(p, call->first)) {
        check(p, SQL_CHECK_UNEXPECTED, off, off + 1);
    }
}

/* (query) MONTHS, also at the end of an expression: what stands in parentheses before a unit of time can only be a
 * difference. */
void sql_check_unit_alias(struct sql_parse *p, const struct sql_node *e, const struct sql_node *alias)
{
    while (e->kind == SQL_N_BINARY || e->kind == SQL_N_UNARY || e->kind == SQL_N_BETWEEN ||
           e->kind == SQL_N_LIKE) {
        e = sql_last(e);
    }
    if (e->kind != SQL_N_SUBQUERY || alias->off != alias->first->off) {
        return;
    }
    enum sql_word w = sql_word_find(p->text.p + alias->off, alias->len);
    if ((w == SQL_W_WEEK || w == SQL_W_QUARTER) && p->version < 200) {
        return; /* no units behind parentheses yet */
    }
    switch (w) {
    case SQL_W_YEARS:
    case SQL_W_MONTHS:
    case SQL_W_DAYS:
    case SQL_W_HOURS:
    case SQL_W_MINUTES:
    case SQL_W_SECONDS:
    case SQL_W_WEEK:
    case SQL_W_QUARTER:
        check(p, SQL_CHECK_DATETIME_MINUS, e->off, p->end);
        break;
    default:
        break;
    }
}

/* {fn convert(a, SQL_VARCHAR)}: a type word, or one of JDBC's names. */
void sql_check_jdbc_type(struct sql_parse *p, const struct sql_node *name)
{
    static const char *const known[] = {"CHAR",     "VARCHAR", "DATE",    "TIME",   "TIMESTAMP", "DECIMAL",
                                        "NUMERIC",  "BOOLEAN", "INTEGER", "BINARY", "VARBINARY", "TINYINT",
                                        "SMALLINT", "BIGINT",  "REAL",    "DOUBLE", "FLOAT"};
    sl_str s = sql_node_text(name, p->text);
    bool ok = s.n > 4 && sl_str_ieqz(sl_str_sub(s, 0, 4), "SQL_");
    s = ok ? sl_str_sub(s, 4, s.n - 4) : s;
    bool found = ok && s.n > 9 && sl_str_ieqz(sl_str_sub(s, 0, 9), "INTERVAL_");
    for (size_t i = 0; ok && i < SL_ARRAY_LEN(known); i++) {
        found = found || sl_str_ieqz(s, known[i]);
    }
    if (!found) {
        check(p, SQL_CHECK_UNEXPECTED, name->off, name->off + name->len);
    }
}

/* As an argument TABLE t is a table, never the beginning of a query. */
void sql_check_query_arg(struct sql_parse *p, const struct sql_node *query)
{
    const struct sql_node *leaf = query->first;
    while (leaf && leaf->kind == SQL_N_SET_OP) {
        leaf = leaf->first;
    }
    if (leaf && leaf->kind == SQL_N_EXPLICIT_TABLE) {
        check(p, SQL_CHECK_UNEXPECTED, leaf->off + leaf->len, leaf->off + leaf->len);
    }
}

void sql_check_comment(struct sql_parse *p, const struct sql_node *s)
{
    if (p->version < 203) {
        return;
    }
    if (s->op != TK_STRING_LIT) {
        check(p, SQL_CHECK_UNEXPECTED, s->off, s->off + s->len);
    } else if (s->first) {
        check(p, SQL_CHECK_UNEXPECTED, s->first->off, s->first->off + s->first->len);
    }
}

/* ------------------------------------------------------------------ tables */

struct sql_node *sql_column(struct sql_parse *p, struct sql_node *columns, struct sql_node *column)
{
    if (column->kind == SQL_N_WATERMARK && sql_child(columns, SQL_N_WATERMARK)) {
        check(p, SQL_CHECK_TWO_WATERMARKS, column->off, column->off + 9);
    }
    bool bare = column->kind == SQL_N_NAME, all_bare = columns->first->kind == SQL_N_NAME;
    if (bare && !all_bare) {
        check_behind(p, SQL_CHECK_MIXED_COLUMNS, column->off + column->len);
    } else if (all_bare && p->version < 200) {
        need_behind(p, 200, columns->first->off + columns->first->len, "a list of bare column names");
    } else if (!bare && all_bare) {
        const struct sql_node *name =
            column->first && column->first->kind == SQL_N_NAME && column->kind != SQL_N_WATERMARK
                ? column->first
                : NULL;
        check_behind(p, SQL_CHECK_MIXED_COLUMNS, name ? name->off + name->len : column->off);
    }
    return sql_add(p, columns, column);
}

/* Flink points at the last token of a constraint. */
static void check_at_end(struct sql_parse *p, enum sql_check_id id, const struct sql_node *c)
{
    struct sql_lexer lx;
    struct sql_token t, last = {0};
    sql_lex_init(&lx, sql_node_text(c, p->text), p->version, false);
    while (sql_lex_next(&lx, &t)) {
        last = t;
    }
    check(p, id, c->off + last.off, c->off + last.off + last.len);
}

static const struct sql_node *constraint_of(const struct sql_node *column, bool in_column)
{
    return in_column ? sql_child(column, SQL_N_CONSTRAINT) : column->kind == SQL_N_CONSTRAINT ? column : NULL;
}

/* Constraints written with a column come first, then those of the table: two keys are told at the second
 * constraint, whatever it is. */
void sql_check_columns(struct sql_parse *p, const struct sql_node *columns)
{
    const struct sql_node *second = NULL, *bad = NULL;
    unsigned n = 0, keys = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (const struct sql_node *column = columns->first; column; column = column->next) {
            const struct sql_node *c = constraint_of(column, pass == 0);
            if (!c) {
                continue;
            }
            bool unique = (c->op & SQL_OP_TOKEN) == TK_UNIQUE;
            second = ++n == 2 ? c : second;
            keys += !unique;
            bad = !bad && (unique || !(c->op & SQL_OP_NEGATED)) ? c : bad;
        }
    }
    if (second && keys > 1) { /* two keys are two constraints */
        check_at_end(p, SQL_CHECK_TWO_KEYS, second);
    } else if (bad) {
        check_at_end(p, (bad->op & SQL_OP_TOKEN) == TK_UNIQUE ? SQL_CHECK_UNIQUE : SQL_CHECK_PK_ENFORCED,
                     bad);
    }
}

static void check_like(struct sql_parse *p, const struct sql_node *like)
{
    for (const struct sql_node *a = like->first; a; a = a->next) {
        for (const struct sql_node *b = a->next; a->kind == SQL_N_LIKE_OPTION && b; b = b->next) {
            if (a->op == b->op) {
                check(p, SQL_CHECK_LIKE_TWICE, like->off, like->off + 4);
                return;
            }
        }
    }
}

/* Where Flink shows what it does not take of CREATE ... AS: at its first word, of REPLACE ... AS at its last. */
static uint32_t as_place(struct sql_parse *p, const struct sql_node *n, bool create)
{
    struct sql_lexer lx;
    struct sql_token t, last = {0};
    if (create) {
        return n->off;
    }
    sql_lex_init(&lx, sql_node_text(n, p->text), p->version, false);
    while (sql_lex_next(&lx, &t)) {
        last = t;
    }
    return n->off + last.off;
}

static void check_at(struct sql_parse *p, enum sql_check_id id, const struct sql_node *n, bool create)
{
    uint32_t off = as_place(p, n, create);
    check(p, id, off, create ? off + 6 : n->off + n->len);
}

static void need_at(struct sql_parse *p, const struct sql_node *n, bool create, const char *what)
{
    if (p->version < 200) {
        need(p, 200, as_place(p, n, create), what);
        p->at_end = create ? n->off + 6 : n->off + n->len;
    }
}

void sql_check_create_table(struct sql_parse *p, const struct sql_node *n)
{
    const struct sql_node *columns = sql_child(n, SQL_N_COLUMNS), *query = sql_child(n, SQL_N_AS_QUERY);
    const struct sql_node *like = sql_child(n, SQL_N_TABLE_LIKE);
    bool as_create = (p->text.p[n->off] | 0x20) == 'c'; /* not REPLACE TABLE */
    if (columns && columns->first->kind == SQL_N_NAME) {
        if (p->version < 200) {
            need_behind(p, 200, columns->first->off + columns->first->len, "a list of bare column names");
        } else if (!query) {
            check_node(p, SQL_CHECK_UNTYPED_COLUMNS, columns);
        }
    }
    if (query && (n->op & SQL_OP_REPLACE)) {
        if (n->op & SQL_OP_IF) {
            check_at(p, SQL_CHECK_RTAS_IF, n, as_create);
        }
        if (n->op & SQL_OP_TEMPORARY) {
            check_at(p, SQL_CHECK_RTAS_TEMPORARY, n, as_create);
        }
    } else if (query && (n->op & SQL_OP_TEMPORARY)) {
        check_at(p, SQL_CHECK_CTAS_TEMPORARY, n, true);
    }
    if (columns) {
        sql_check_columns(p, columns);
    }
    if (query && columns && columns->first->kind != SQL_N_NAME) {
        need_at(p, n, as_create, "CREATE TABLE ... AS with columns or keys");
    }
    if (query && sql_child(n, SQL_N_DISTRIBUTION)) {
        need_at(p, n, as_create, "CREATE TABLE ... AS with DISTRIBUTED");
    }
    if (query && sql_child(n, SQL_N_PARTITIONED)) {
        need_at(p, n, as_create, "CREATE TABLE ... AS with PARTITIONED BY");
    }
    if (like) {
        check_like(p, like);
    }
}

void sql_check_like_option(struct sql_parse *p, struct sql_tok how, struct sql_tok what)
{
    if (how.kind == TK_OVERWRITING && (what.kind == TK_ALL || what.kind == TK_CONSTRAINTS ||
                                       what.kind == TK_DISTRIBUTION || what.kind == TK_PARTITIONS)) {
        check(p, SQL_CHECK_LIKE_MERGE, how.off, what.end);
    }
}

/* Before 2.3 the one thing in the parentheses is a key. */
void sql_check_mt_columns(struct sql_parse *p, const struct sql_node *columns)
{
    const struct sql_node *first = columns->first;
    if (first->kind != SQL_N_CONSTRAINT) {
        need_behind(p, 203, first->off, "a column list of a materialized table");
    } else if (first->next) {
        need_behind(p, 203, first->off + first->len, "a column list of a materialized table");
    }
}

/* ADD, MODIFY and DROP came with 2.2 for the distribution, with 2.3 for the rest. */
void sql_check_mt_change(struct sql_parse *p, uint32_t off, bool distribution)
{
    static const char what[] = "changing the columns of a materialized table";
    if (p->version < 202 || distribution) {
        need(p, distribution ? 202 : 203, off, what);
        return;
    }
    while ((p->text.p[off] | 0x20) >= 'a' && (p->text.p[off] | 0x20) <= 'z') {
        off++; /* over the word itself */
    }
    need_behind(p, 203, off, what);
}

/* Told at the last token of what stands there instead. */
void sql_check_freshness(struct sql_parse *p, const struct sql_node *e)
{
    check_at_end(p, SQL_CHECK_FRESHNESS, e);
}

void sql_check_start(struct sql_parse *p, struct sql_tok word, const struct sql_node *value)
{
    check_datetime(p, SQL_CHECK_TIMESTAMP_LITERAL, value);
    if (p->complaint == SQL_COMPLAINT_CHECK && p->at == value->off) {
        p->at = word.off;
    }
}

/* The first of the names without a type is a plain one. */
void sql_check_first_name(struct sql_parse *p, const struct sql_node *column)
{
    if (column->kind == SQL_N_NAME && (column->first->next || column->op == 1)) {
        check_behind(p, SQL_CHECK_UNEXPECTED, column->off + column->len);
    }
}

/* The end of the parentheses that open at `off` or, behind ROW, next. */
static uint32_t behind_parens(const struct sql_parse *p, uint32_t off)
{
    struct sql_lexer lx;
    struct sql_token t;
    size_t depth = 0;
    sql_lex_init(&lx, p->text, p->version, false);
    lx.at = off;
    do {
        if (!sql_lex_next(&lx, &t)) {
            return off;
        }
        depth += t.kind == TK_LP;
        depth -= t.kind == TK_RP && depth;
    } while (depth || t.kind == TK_ROW);
    return t.off + t.len;
}

/* A row of VALUES that begins with '(' or ROW is over at the ')' of it, and (ROW(...)) holds nothing else. */
void sql_check_row(struct sql_parse *p, const struct sql_node *row)
{
    bool plain = row->kind == SQL_N_PAREN || row->kind == SQL_N_ROW || row->kind == SQL_N_SUBQUERY;
    if (!plain && (p->text.p[row->off] == '(' || begins_with_row(p, row))) {
        uint32_t end = behind_parens(p, row->off);
        if (end < row->off + row->len) {
            check_behind(p, SQL_CHECK_UNEXPECTED, end);
        }
    } else if (plain && row->kind != SQL_N_SUBQUERY && p->text.p[row->off] == '(' &&
               begins_with_row(p, row->first)) {
        uint32_t end = behind_parens(p, row->first->off);
        const struct sql_node *only = row->first->next ? NULL : row->first;
        if (!only || end < only->off + only->len) {
            check_behind(p, SQL_CHECK_UNEXPECTED, end);
        }
    }
}

void sql_check_mt_head(struct sql_parse *p, struct sql_tok create, struct sql_tok word)
{
    if (create.word & SQL_OP_TEMPORARY) {
        check(p, SQL_CHECK_MT_TEMPORARY, word.off, word.end);
    }
    if (create.word & SQL_OP_REPLACE) {
        check(p, SQL_CHECK_MT_REPLACE, word.off, word.end);
    }
}

void sql_check_materialized(struct sql_parse *p, const struct sql_node *n)
{
    const struct sql_node *columns = sql_child(n, SQL_N_COLUMNS);
    const struct sql_node *distribution = sql_child(n, SQL_N_DISTRIBUTION);
    if (columns && p->version >= 203) { /* before, a materialized table's key was looked at later */
        sql_check_columns(p, columns);
    }
    if (distribution) {
        need(p, 202, distribution->off, "DISTRIBUTED for a materialized table");
    }
}

/* ------------------------------------------------------------------ other statements */

struct sql_token sql_no_column(sl_str text, sql_version version, uint32_t off)
{
    struct sql_lexer lx;
    struct sql_token odd;
    sql_lex_init(&lx, text, version, false);
    lx.at = off;
    sql_lex_next(&lx, &odd);
    while (is_plain_name(&odd)) {
        sql_lex_next(&lx, &odd);
        if (odd.kind != TK_DOT) {
            break;
        }
        sql_lex_next(&lx, &odd);
    }
    return odd;
}

/* What Calcite's lookaheads of two tokens stumble over at the beginning of an operand: a call of a plain name, but
 * not those with a grammar of their own, and CASE WHEN. */
static bool is_stumbled_over(const struct sql_parse *p, const struct sql_token *t)
{
    switch (t[0].word) {
    case SQL_W_PERCENTILE_CONT:
    case SQL_W_PERCENTILE_DISC:
        if (p->version < 200) {
            break;
        }
        return false;
    case SQL_W_TUMBLE:
    case SQL_W_HOP:
    case SQL_W_SESSION:
    case SQL_W_FIRST:
    case SQL_W_LAST:
    case SQL_W_FLOOR:
    case SQL_W_CEILING:
    case SQL_W_ARRAY_AGG:
    case SQL_W_TIMESTAMPADD:
    case SQL_W_TIMESTAMPDIFF:
    case SQL_W_DATE_DIFF:
    case SQL_W_DATETIME_DIFF:
    case SQL_W_MAP:
    case SQL_W_TRY_CAST:
        return false;
    default:
        break;
    }
    if (t[1].kind == TK_LP) {
        return is_plain_name(&t[0]) || sql_words[t[0].word].function;
    }
    return t[0].kind == TK_CASE && t[1].kind == TK_WHEN;
}

/* TRIM(f(x) FROM ...), JSON_OBJECT(f(x) VALUE ...), CONVERT(f(x) USING ...): word is FROM, JSON_OBJECT or USING. */
void sql_check_first_call(struct sql_parse *p, const struct sql_node *first, struct sql_tok word)
{
    struct sql_token t[2];
    tokens_at(p, first->off, t, SL_ARRAY_LEN(t));
    bool key = word.kind == TK_JSON_OBJECT && t[0].word == SQL_W_KEY;
    if (key && first->first->first->off == first->off) { /* a name, and no KEY in front of one */
        check(p, SQL_CHECK_KEY_FIRST, t[0].off, t[0].off + t[0].len);
    }
    if (key || (word.kind == TK_USING && p->version < 200) || !is_stumbled_over(p, t)) {
        return;
    }
    if (word.kind == TK_USING) {
        t[0] = t[0].kind == TK_CASE ? t[0] : sql_no_column(p->text, p->version, first->off);
    }
    uint32_t off = word.kind == TK_FROM ? word.off : t[0].off;
    check(p, SQL_CHECK_FIRST_CALL, off, word.kind == TK_FROM ? word.end : off + t[0].len);
}

/* FROM t (a.b INT): since 2.0 the lookahead for a call takes a first column of several parts for an argument. */
void sql_check_first_extended(struct sql_parse *p, struct sql_tok lp)
{
    struct sql_token t[2];
    tokens_at(p, lp.end, t, SL_ARRAY_LEN(t));
    if (t[1].kind == TK_DOT && p->version >= 200) {
        struct sql_token odd = sql_no_column(p->text, p->version, lp.end);
        check(p, SQL_CHECK_UNEXPECTED, odd.off, odd.off + odd.len);
    }
}

/* f(TABLE t ORDER BY (a) DESC): a parenthesis there is that of the whole list. */
void sql_check_set_order(struct sql_parse *p, const struct sql_node *item)
{
    if (p->text.p[item->off] != '(') {
        return;
    }
    const struct sql_node *n = item;
    while (n->first && n->first->off == item->off && n->kind != SQL_N_PAREN && n->kind != SQL_N_ROW) {
        n = n->first;
    }
    if (n->kind == SQL_N_INTERVAL) {
        const struct sql_node *unit = sql_last(n);
        check(p, SQL_CHECK_UNEXPECTED, unit->off, unit->off + unit->len);
    } else if ((n->kind == SQL_N_PAREN || n->kind == SQL_N_ROW) && n->off + n->len < item->off + item->len) {
        check_behind(p, SQL_CHECK_UNEXPECTED, n->off + n->len);
    }
}

/* DATE_TRUNC(x, YEAR(y)): the unit ends the call since 2.0. */
void sql_check_trunc_unit(struct sql_parse *p, const struct sql_node *unit)
{
    struct sql_token t[2];
    tokens_at(p, unit->off, t, SL_ARRAY_LEN(t));
    bool is_unit = t[0].kind == TK_YEAR || t[0].kind == TK_MONTH || t[0].kind == TK_DAY ||
                   t[0].kind == TK_HOUR || t[0].kind == TK_MINUTE || t[0].kind == TK_SECOND ||
                   t[0].word == SQL_W_DAYOFWEEK || t[0].word == SQL_W_DAYOFYEAR ||
                   sql_is_old_unit(t[0].word, false);
    if (is_unit && t[1].kind == TK_LP && p->version >= 200) {
        check(p, SQL_CHECK_UNEXPECTED, t[1].off, t[1].off + t[1].len);
    }
}

/* A table function without TABLE( ) is tried by Calcite with a lookahead that stumbles over some first
 * arguments, also over a query that is more than the simplest. */
void sql_check_table_call(struct sql_parse *p, struct sql_tok lp)
{
    struct sql_token t[4];
    tokens_at(p, lp.end, t, SL_ARRAY_LEN(t));
    struct sql_token odd = sql_no_column(p->text, p->version, lp.end);
    if (p->version < 200 && !p->complaint) {
        need(p, 200, odd.off, "a table function without TABLE( )");
        p->at_end = odd.off + SL_MAX(odd.len, 1);
    }
    if (is_stumbled_over(p, t)) {
        struct sql_token at = t[0].kind == TK_CASE ? t[0] : odd;
        check(p, SQL_CHECK_TABLE_CALL, at.off, at.off + at.len);
    } else if (t[0].kind == TK_SELECT && t[1].kind != TK_HINT_BEGIN && t[2].kind != TK_RP) {
        check(p, SQL_CHECK_TABLE_CALL, t[0].off, t[0].off + t[0].len);
    }
}

bool sql_is_old_unit(unsigned word, bool timestamp)
{
    static const uint16_t extract[] = {SQL_W_NANOSECOND, SQL_W_MICROSECOND, SQL_W_MILLISECOND, SQL_W_DOW,
                                       SQL_W_DOY,        SQL_W_ISODOW,      SQL_W_ISOYEAR,     SQL_W_EPOCH,
                                       SQL_W_DECADE,     SQL_W_CENTURY,     SQL_W_MILLENNIUM,  SQL_W_WEEK,
                                       SQL_W_QUARTER};
    static const uint16_t add[] = {
        SQL_W_NANOSECOND,     SQL_W_MICROSECOND,         SQL_W_FRAC_SECOND,         SQL_W_WEEK,
        SQL_W_QUARTER,        SQL_W_SQL_TSI_FRAC_SECOND, SQL_W_SQL_TSI_MICROSECOND, SQL_W_SQL_TSI_SECOND,
        SQL_W_SQL_TSI_MINUTE, SQL_W_SQL_TSI_HOUR,        SQL_W_SQL_TSI_DAY,         SQL_W_SQL_TSI_WEEK,
        SQL_W_SQL_TSI_MONTH,  SQL_W_SQL_TSI_QUARTER,     SQL_W_SQL_TSI_YEAR};
    const uint16_t *list = timestamp ? add : extract;
    for (size_t i = 0; i < (timestamp ? SL_ARRAY_LEN(add) : SL_ARRAY_LEN(extract)); i++) {
        if (list[i] == word) {
            return true;
        }
    }
    return false;
}

/* Units given as names: any since 2.0, before that only Calcite's own. */
void sql_check_unit(struct sql_parse *p, const struct sql_node *unit, bool timestamp)
{
    if (p->version < 200 && !sql_is_old_unit(sql_word_find(p->text.p + unit->off, unit->len), timestamp)) {
        check_node(p, SQL_CHECK_UNIT, unit);
    }
}

void sql_check_function(struct sql_parse *p, struct sql_tok language, const struct sql_node *resources,
                        const struct sql_node *options)
{
    if (resources && (language.kind == TK_SQL || language.kind == TK_PYTHON)) {
        check_node(p, SQL_CHECK_FUNCTION_USING, resources);
    }
    for (const struct sql_node *r = resources ? resources->first : NULL; r; r = r->next) {
        if (r->op == TK_ARTIFACT) {
            need(p, 203, r->off, "USING ARTIFACT");
        }
    }
    if (options) {
        need(p, 202, options->off, "WITH options of a function");
    }
}

/* Keys and watermarks are none. */
static bool has_columns(const struct sql_node *list)
{
    const struct sql_node *c = list ? list->first : NULL;
    while (c && (c->kind == SQL_N_CONSTRAINT || c->kind == SQL_N_WATERMARK)) {
        c = c->next;
    }
    return c;
}

void sql_check_model(struct sql_parse *p, const struct sql_node *n, const struct sql_node *in,
                     const struct sql_node *out, const struct sql_node *options, const struct sql_node *query)
{
    const struct sql_node *lists[] = {in, out};
    for (size_t i = 0; i < 2; i++) {
        if (lists[i] && lists[i]->first->kind == SQL_N_NAME) {
            uint32_t end = lists[i]->first->off + lists[i]->first->len;
            check(p, SQL_CHECK_UNEXPECTED, end, end);
        }
    }
    bool has_in = has_columns(in), has_out = has_columns(out);
    if (query && (has_in || has_out)) {
        check(p, SQL_CHECK_MODEL_AS, n->off, n->off + 6);
    }
    if (has_in && !has_out) {
        check_at_end(p, SQL_CHECK_MODEL_OUTPUT, in->first);
    }
    if (has_out && !has_in) {
        check_at_end(p, SQL_CHECK_MODEL_INPUT, out->first);
    }
    if (!options || !options->first) {
        check(p, SQL_CHECK_MODEL_OPTIONS, n->off, n->off + 6);
    }
}

void sql_check_connection(struct sql_parse *p, const struct sql_node *n, const struct sql_node *options)
{
    if (!options->first) {
        check(p, SQL_CHECK_CONNECTION_OPTIONS, n->off, n->off + 6);
    }
}

void sql_check_insert(struct sql_parse *p, const struct sql_node *n)
{
    const struct sql_node *conflict = sql_child(n, SQL_N_ON_CONFLICT);
    if (conflict) {
        need(p, 203, conflict->off, "ON CONFLICT");
    }
}

/* LIMIT DECIMAL '1': with a literal of two tokens Flink decides for LIMIT start, count. */
void sql_check_limit(struct sql_parse *p, const struct sql_node *count)
{
    if (count->kind == SQL_N_TYPED) {
        check_behind(p, SQL_CHECK_UNEXPECTED, count->off + count->len);
    }
}

void sql_check_desc_table(struct sql_parse *p, struct sql_tok word)
{
    if (word.kind == TK_DESC) {
        check(p, SQL_CHECK_DESC_TABLE, word.off, p->end);
    }
}

/* Forms that only the long word DESCRIBE has. */
void sql_check_describe(struct sql_parse *p, struct sql_tok word, const struct sql_node *dml)
{
    if (word.kind == TK_DESC) {
        check(p, SQL_CHECK_UNEXPECTED, word.end, word.end);
    }
    if (dml->kind == SQL_N_INSERT && dml->op == 1) {
        check_behind(p, SQL_CHECK_UNEXPECTED, dml->off + 6);
    }
}

void sql_explain_detail(struct sql_parse *p, struct sql_tok word)
{
    unsigned bit = word.kind == TK_ESTIMATED_COST   ? 1u
                   : word.kind == TK_CHANGELOG_MODE ? 2u
                   : word.kind == TK_PLAN_ADVICE    ? 4u
                                                    : 8u;
    if (p->explain_details & bit) {
        check(p, SQL_CHECK_EXPLAIN_TWICE, word.off, word.end);
    }
    p->explain_details |= bit;
}
