/* SPDX-License-Identifier: Apache-2.0
 * From tokens and groups to lines: outer groups decide first whether they fit on what is left of a line. */
#include <stdlib.h>

#include "sqlparse/fmt_layout.h"

struct printer {
    struct fmt_stmt *s;
    struct sl_buf *out;
    uint32_t indent, width;
    const char *eol;
    uint32_t column, line; /* where we are; indentation of the line we are on, without `indent` */
    uint32_t n;
    uint32_t *columns;     /* columns of the tokens before each, all on one line */
    uint32_t *ends;        /* line ends that must come before each */
    SL_VEC(uint32_t) open; /* groups we are in */
};

static sl_str comment_text(const struct printer *p, const struct fmt_comment *c)
{
    return sl_str_sub(p->s->text, c->off, c->len);
}

/* Those in front of a token up to the last one that ends a line; the others stay at the token. */
static uint32_t far_comments(const struct printer *p, const struct fmt_token *t)
{
    uint32_t n = t->n_comments;
    while (n && !p->s->comments.v[t->comment + n - 1].ends_line) {
        n--;
    }
    return n;
}

static void measure(struct printer *p)
{
    uint32_t n = p->n;
    p->columns = sl_new_n(p->s->arena, uint32_t, n + 2);
    p->ends = sl_new_n(p->s->arena, uint32_t, n + 2);
    uint32_t ends = 0, columns = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct fmt_token *t = &p->s->toks.v[i];
        for (uint32_t k = 0; k < t->n_comments; k++) {
            const struct fmt_comment *c = &p->s->comments.v[t->comment + k];
            columns += 1 + fmt_width(comment_text(p, c));
            ends += c->ends_line;
        }
        p->ends[i] = ends;
        columns += (i > 0 && t->space) + t->width;
        p->columns[i + 1] = columns;
    }
    p->columns[n + 1] = columns;
    p->ends[n] = p->ends[n + 1] = ends;
}

static bool is_broken(const struct printer *p, uint32_t g)
{
    return p->s->groups.v[g].broken;
}

/* Could a line begin at token i, as far as is decided? */
static bool breaks_at(const struct printer *p, uint32_t i)
{
    const struct fmt_token *t = &p->s->toks.v[i];
    return t->brk != FMT_NEVER && is_broken(p, t->group);
}

/* Columns from the start of token `first` to the next place behind `last` where a line can begin. */
static uint32_t columns_to_break(struct printer *p, uint32_t first, uint32_t last)
{
    const struct fmt_token *t = &p->s->toks.v[first];
    uint32_t from = p->columns[first + 1] - t->width, end = last + 1;
    while (end < p->n && p->columns[end] - from <= p->width && !breaks_at(p, end) &&
           p->ends[end] == p->ends[last]) {
        end++;
        p->s->steps++;
    }
    return p->columns[end] - from + (end == p->n); /* the ';' */
}

static bool fits(struct printer *p, uint32_t first, uint32_t last)
{
    return p->column + columns_to_break(p, first, last) <= p->width;
}

/* Does what stands from token i to the next break of the same group fit? */
static bool piece_fits(struct printer *p, uint32_t i)
{
    uint32_t g = p->s->toks.v[i].group, start = p->columns[i + 1] - p->s->toks.v[i].width, end = i + 1;
    while (end < p->n && end <= p->s->groups.v[g].last &&
           !(p->s->toks.v[end].brk != FMT_NEVER && p->s->toks.v[end].group == g)) {
        if (p->column + 1 + p->columns[end] - start > p->width) {
            return false;
        }
        end++;
        p->s->steps++;
    }
    bool closes = end > p->s->groups.v[g].last;
    uint32_t columns = closes ? columns_to_break(p, i, end - 1) : p->columns[end] - start;
    return p->ends[end - 1] == p->ends[i] && p->column + p->s->toks.v[i].space + columns <= p->width;
}

static void blanks(struct printer *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        sl_buf_putc(p->out, ' ');
    }
    p->column += n;
}

static void new_line(struct printer *p, uint32_t indent, bool blank)
{
    sl_buf_putz(p->out, p->eol);
    sl_buf_putz(p->out, blank ? p->eol : "");
    p->column = 0;
    blanks(p, p->indent + indent);
}

/* The comments that end lines; true when there are any. */
static bool put_comments(struct printer *p, const struct fmt_token *t, uint32_t indent)
{
    bool ended = false;
    bool closing = t->partner != FMT_NONE && (t->kind == TK_RP || t->kind == TK_RB || t->kind == TK_GT);
    uint32_t own = indent + (closing && t->brk != FMT_NEVER ? FMT_INDENT : 0), n = far_comments(p, t);
    for (uint32_t k = 0; k < n; k++) {
        const struct fmt_comment *c = &p->s->comments.v[t->comment + k];
        if (c->own_line || ended) {
            new_line(p, own, c->blank && k == 0);
        } else {
            blanks(p, 1);
        }
        sl_str text = comment_text(p, c);
        sl_buf_puts(p->out, text);
        p->column += fmt_width(text);
        ended = c->ends_line;
    }
    return n > 0;
}

/* Those that stand at the token itself. */
static void put_near_comments(struct printer *p, const struct fmt_token *t)
{
    bool apart = t->kind != TK_COMMA && t->kind != TK_RP && t->kind != TK_RB && t->kind != TK_DOT;
    for (uint32_t k = far_comments(p, t); k < t->n_comments; k++) {
        sl_str text = comment_text(p, &p->s->comments.v[t->comment + k]);
        sl_buf_puts(p->out, text);
        p->column += fmt_width(text);
        blanks(p, apart || k + 1 < t->n_comments);
    }
}

/* Groups around `g` stay open: those that end before it does are left behind. */
static void close_groups(struct printer *p, const struct fmt_group *g)
{
    while (p->open.n && p->s->groups.v[p->open.v[p->open.n - 1]].last < g->last) {
        p->open.n--;
    }
}

/* What is around a group that must be broken must be broken too. */
static void spread_force(struct printer *p, const uint32_t *order)
{
    for (size_t k = 0; k < p->s->groups.n; k++) {
        struct fmt_group *g = &p->s->groups.v[order[k]];
        while (p->open.n && p->s->groups.v[p->open.v[p->open.n - 1]].last < g->first) {
            p->open.n--;
        }
        close_groups(p, g);
        for (size_t i = p->open.n; g->force && i-- > 0 && !p->s->groups.v[p->open.v[i]].force;) {
            p->s->groups.v[p->open.v[i]].force = true;
        }
        p->s->steps++;
        sl_vec_push(p->s->arena, &p->open, order[k]);
    }
    p->open.n = 0;
}

static void open_groups(struct printer *p, const uint32_t *order, size_t n, size_t *next, uint32_t i)
{
    while (p->open.n && p->s->groups.v[p->open.v[p->open.n - 1]].last < i) {
        p->open.n--;
    }
    for (; *next < n && p->s->groups.v[order[*next]].first == i; (*next)++) {
        struct fmt_group *g = &p->s->groups.v[order[*next]];
        close_groups(p, g);
        bool outer = !p->open.n || is_broken(p, p->open.v[p->open.n - 1]);
        g->column = p->line;
        g->broken =
            outer && (g->force || p->ends[g->last] != p->ends[g->first] || !fits(p, g->first, g->last));
        sl_vec_push(p->s->arena, &p->open, order[*next]);
    }
}

static void put_token(struct printer *p, const struct fmt_token *t)
{
    for (uint32_t k = 0; k < t->len; k++) {
        char c = p->s->text.p[t->off + k];
        sl_buf_putc(p->out, t->upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
    p->column = t->tail != t->width ? t->tail : p->column + t->width;
}

/* Buckets by first token, outer groups before inner ones; among equals the one made first. */
static uint32_t *order_groups(const struct printer *p)
{
    size_t n = p->s->groups.n;
    uint32_t *count = sl_new_n(p->s->arena, uint32_t, p->n + 2);
    uint32_t *by_last = sl_new_n(p->s->arena, uint32_t, n + 1),
             *order = sl_new_n(p->s->arena, uint32_t, n + 1);
    const struct fmt_group *g = p->s->groups.v;
    for (size_t i = 0; i < n; i++) {
        count[p->n - g[i].last]++;
    }
    for (uint32_t k = 1; k <= p->n; k++) {
        count[k] += count[k - 1];
    }
    for (size_t i = n; i-- > 0;) {
        by_last[--count[p->n - g[i].last]] = (uint32_t)i;
    }
    memset(count, 0, (p->n + 2) * sizeof(*count));
    for (size_t i = 0; i < n; i++) {
        count[g[i].first]++;
    }
    for (uint32_t k = 1; k <= p->n; k++) {
        count[k] += count[k - 1];
    }
    for (size_t i = n; i-- > 0;) {
        order[--count[g[by_last[i]].first]] = by_last[i];
    }
    return order;
}

void fmt_print(struct fmt_stmt *s, uint32_t indent, uint32_t width, const char *eol, struct sl_buf *out)
{
    struct printer p = {.s = s, .out = out, .indent = indent, .width = width, .column = indent, .eol = eol};
    p.n = (uint32_t)s->toks.n;
    if (!p.n) {
        return;
    }
    measure(&p);
    const uint32_t *order = order_groups(&p);
    spread_force(&p, order);
    size_t next = 0;
    for (uint32_t i = 0; i < p.n; i++) {
        const struct fmt_token *t = &s->toks.v[i];
        if (i > 0) {
            const struct fmt_group *g = t->brk || t->pad ? &s->groups.v[t->group] : NULL;
            bool breaks = t->brk == FMT_SOFT   ? g->broken
                          : t->brk == FMT_FILL ? g->broken && !piece_fits(&p, i)
                                               : false;
            uint32_t column = t->brk ? g->column + t->indent : p.line + FMT_INDENT;
            bool commented = put_comments(&p, t, column);
            if (breaks || commented) {
                bool after_comma = s->toks.v[i - 1].kind == TK_COMMA && !t->n_comments;
                new_line(&p, column, t->blank && breaks && after_comma);
                p.line = t->brk ? column : p.line;
            } else {
                blanks(&p, (t->space || t->n_comments) + (t->pad && g->broken ? t->pad : 0u));
            }
            put_near_comments(&p, t);
        }
        s->steps += 1 + t->n_comments;
        open_groups(&p, order, s->groups.n, &next, i);
        put_token(&p, t);
    }
}
