/* SPDX-License-Identifier: Apache-2.0
 * Our parser as a co-process of the tests (oracle.py): a JSON line {"sql": ...} in, a JSON line out.
 *   ours parse VERSION   accepted or not; the place and the token in front of it, code, message, hint
 *   ours round VERSION   the tree printed as SQL, each operator in parentheses of its own, and whether that
 *                        parses to the same tree but for the parentheses */
#include "base/json.h"
#include "base/limits.h"
#include "sqlparse/parse.h"

#include <stdio.h>
#include <stdlib.h>

struct text {
    sl_str sql;
    SL_VEC(struct sql_token) tokens;
    struct sl_buf out;
    size_t at; /* the next token to print */
};

static void read_tokens(struct sl_arena *a, struct text *t, sql_version version)
{
    struct sql_lexer lx;
    struct sql_token tok;
    sql_lex_init(&lx, t->sql, version, false);
    while (sql_lex_next(&lx, &tok)) {
        *sl_vec_add(a, &t->tokens) = tok;
    }
}

static void print_until(struct text *t, uint32_t off)
{
    for (; t->at < t->tokens.n && t->tokens.v[t->at].off < off; t->at++) {
        const struct sql_token *tok = &t->tokens.v[t->at];
        sl_buf_printf(&t->out, "%.*s ", (int)tok->len, t->sql.p + tok->off);
    }
}

static bool is_operator(const struct sql_node *n)
{
    switch (n->kind) {
    case SQL_N_UNARY:
    case SQL_N_BINARY:
    case SQL_N_IS:
    case SQL_N_LIKE:
    case SQL_N_BETWEEN:
    case SQL_N_IN:
    case SQL_N_QUANTIFIED:
        return true;
    default:
        return false;
    }
}

/* The tree as SQL: blanks between all tokens, no comments, parentheses around what an operator makes. Behind IN
 * they would be those of its list: a IN (1) + b stays as it is (`bare`). */
static void print_sql(struct text *t, const struct sql_node *n, const struct sql_node *parent, bool bare)
{
    bool named = parent->kind == SQL_N_SELECT_ITEM && n->next; /* (a) DAYS would be another thing */
    bool wrap = (is_operator(n) && parent->kind != SQL_N_PAREN && !bare && !named) ||
                (n->kind == SQL_N_SET_OP && parent->kind == SQL_N_SET_OP);
    print_until(t, n->off);
    if (wrap) {
        sl_buf_putz(&t->out, "( ");
    }
    for (const struct sql_node *c = n->first; c; c = c->next) {
        bool list = c != n->first && (n->kind == SQL_N_IN || n->kind == SQL_N_QUANTIFIED);
        print_sql(t, c, n, list || (bare && c == n->first));
    }
    print_until(t, n->off + n->len);
    if (wrap) {
        sl_buf_putz(&t->out, ") ");
    }
}

/* Through parentheses, and through the sub-queries that only stand for a set operation in parentheses. */
static const struct sql_node *inside(const struct sql_node *n, const struct sql_node *parent)
{
    for (;;) {
        if (n->kind == SQL_N_PAREN && n->first && !n->first->next) {
            n = n->first;
        } else if (n->kind == SQL_N_SUBQUERY && parent && parent->kind == SQL_N_SET_OP &&
                   n->first->kind == SQL_N_QUERY && n->first->first == sql_last(n->first) &&
                   n->first->first->kind == SQL_N_SET_OP) {
            n = n->first->first;
        } else {
            return n;
        }
    }
}

static bool same_tokens(sl_str a, sl_str b, sql_version version)
{
    struct sql_lexer la, lb;
    struct sql_token ta, tb;
    sql_lex_init(&la, a, version, false);
    sql_lex_init(&lb, b, version, false);
    for (;;) {
        int ka = sql_lex_next(&la, &ta), kb = sql_lex_next(&lb, &tb);
        if (ka != kb || ta.len != tb.len || memcmp(a.p + ta.off, b.p + tb.off, ta.len) != 0) {
            return false;
        }
        if (!ka) {
            return true;
        }
    }
}

static bool same_tree(const struct sql_node *a, sl_str text_a, const struct sql_node *pa,
                      const struct sql_node *b, sl_str text_b, const struct sql_node *pb, sql_version version)
{
    a = inside(a, pa);
    b = inside(b, pb);
    if (a->kind != b->kind || a->op != b->op) {
        return false;
    }
    const struct sql_node *ca = a->first, *cb = b->first;
    if (!ca && !cb) {
        return same_tokens(sql_node_text(a, text_a), sql_node_text(b, text_b), version);
    }
    for (; ca && cb; ca = ca->next, cb = cb->next) {
        if (!same_tree(ca, text_a, a, cb, text_b, b, version)) {
            return false;
        }
    }
    return !ca && !cb;
}

static void round_trip(struct sl_arena *a, struct sl_jw *w, sl_str sql, const struct sql_node *ast,
                       sql_version version)
{
    struct text t = {.sql = sql};
    const struct sql_node *again;
    struct sql_fault fault;
    sl_buf_init(&t.out, SL_LIMIT_BUF_BYTES);
    read_tokens(a, &t, version);
    print_sql(&t, ast, ast, false);
    print_until(&t, UINT32_MAX);
    sl_str printed = sl_str_dup(a, sl_buf_str(&t.out));
    sl_buf_release(&t.out);
    sl_jw_kstr(w, "printed", printed);
    if (!sql_parse_text(a, printed, version, &again, &fault)) {
        sl_jw_kbool(w, "same", false);
        sl_jw_kstr(w, "why", fault.msg);
        return;
    }
    sl_jw_kbool(w, "same", again && same_tree(ast, sql, NULL, again, printed, NULL, version));
}

static void put_place(struct sl_arena *a, struct sl_jw *w, sl_str sql, sql_version version,
                      const struct sql_fault *f)
{
    struct sql_lines lines;
    struct sql_lexer lx;
    struct sql_token t, before = {0};
    bool any = false, behind = false;
    sql_lines_init(&lines, a, sql);
    sql_lex_init(&lx, sql, version, false);
    while (sql_lex_next(&lx, &t)) {
        if (t.off >= f->off) {
            behind = true;
            break;
        }
        before = t;
        any = true;
    }
    struct sl_pos at = sql_lines_pos(&lines, f->off, f->len);
    sl_jw_ki64(w, "line", at.line);
    sl_jw_ki64(w, "col", at.col);
    sl_jw_kbool(w, "end", !behind);
    if (any) {
        struct sl_pos p = sql_lines_pos(&lines, before.off, before.len);
        sl_jw_ki64(w, "pline", p.line);
        sl_jw_ki64(w, "pcol", p.col);
    }
    sl_jw_kstrz(w, "code", sl_code_slug(f->code));
    sl_jw_kstr(w, "msg", f->msg);
    sl_jw_kstr(w, "hint", f->hint);
}

static void answer(struct sl_arena *a, struct sl_jw *w, sl_str sql, sql_version version, bool round)
{
    const struct sql_node *ast;
    struct sql_fault fault;
    bool ok = sql_parse_text(a, sql, version, &ast, &fault);
    sl_jw_object(w);
    sl_jw_kbool(w, "ok", ok);
    if (!ok) {
        put_place(a, w, sql, version, &fault);
    } else if (ast && round) {
        round_trip(a, w, sql, ast, version);
    }
    sl_jw_end_object(w);
}

int main(int argc, char **argv)
{
    struct sl_err err = SL_ERR_INIT;
    sql_version version;
    if (argc != 3 || !sql_version_parse(sl_str_of(argv[2]), &version, &err)) {
        fprintf(stderr, "usage: ours parse|round VERSION\n");
        return 2;
    }
    bool round = strcmp(argv[1], "round") == 0;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        SL_ARENA_AUTO a = {0};
        struct sl_json *doc = sl_json_parse(&a, (sl_str){line, (size_t)n}, &err);
        if (!doc) {
            fprintf(stderr, "not JSON: %s", line);
            return 2;
        }
        struct sl_buf b;
        struct sl_jw w;
        sl_buf_init(&b, SL_LIMIT_BUF_BYTES);
        sl_jw_init(&w, &b);
        answer(&a, &w, sl_json_str(sl_json_get(doc, "sql"), SL_STR_NONE), version, round);
        sl_buf_putc(&b, '\n');
        fwrite(b.p, 1, b.n, stdout);
        fflush(stdout);
        sl_buf_release(&b);
    }
    free(line);
    return 0;
}
