/* SPDX-License-Identifier: Apache-2.0
 * BETWEEN, LIKE and ESCAPE as Flink groups them. Its parser reads an expression as a flat list of operands
 * and operators and then reduces the strongest operator that its neighbours leave free, again and again.
 * BETWEEN and LIKE take operands from the list as it is at that moment: whether they find their AND and
 * ESCAPE depends on what was reduced before. Our grammar takes every such list; here it is made of the tree
 * again and reduced the way Flink does it, only to see whether Flink comes through. */
#include "sqlparse/actions.h"

enum flat_type { FLAT_OPERAND, FLAT_PREFIX, FLAT_POSTFIX, FLAT_INFIX, FLAT_BETWEEN, FLAT_LIKE, FLAT_ESCAPE };

enum flat_outcome { FLAT_FINE, FLAT_NO_AND, FLAT_ESCAPE_LEFT, FLAT_NO_OPERAND, FLAT_UNKNOWN };

/* left, right: how strongly it holds the operand on that side, -1: not at all. Twice the level, and a little more
 * on one side: two for BETWEEN and LIKE, one for other operators of two operands. level: what a bound or a
 * pattern that reads on compares itself with. */
struct flat_token {
    const struct sql_node *node;
    int16_t left, right, level;
    uint8_t type;
    bool is_and;
};

struct flat_list {
    struct flat_token *v;
    size_t n;     /* may be more than fit */
    bool special; /* holds a BETWEEN or a LIKE */
};

struct flat_run {
    struct sl_arena *arena;
    size_t steps;              /* still to be done; at 0 the list is taken unseen */
    const struct sql_node *at; /* the operator that failed */
    enum flat_outcome outcome;
};

enum {
    FLAT_MAX_TOKENS = 512,
    FLAT_MAX_STEPS = 100000,
    FLAT_AND = 24,
    FLAT_NOT = 26,
    FLAT_IS = 28,
    FLAT_IN = 32,
    FLAT_EXISTS = 40,
    FLAT_SIGN = 80
};

static int level_of(const struct sql_node *n)
{
    switch (n->op & SQL_OP_TOKEN) {
    case TK_MULTISET:
        return 12;
    case TK_OR:
        return 22;
    case TK_AND:
        return FLAT_AND;
    case TK_PLUS:
    case TK_MINUS:
        return 40;
    case TK_STAR:
    case TK_SLASH:
    case TK_PERCENT_SIGN:
    case TK_CONCAT:
        return 60;
    default:
        return 30;
    }
}

static bool is_operator(const struct sql_node *n)
{
    return n->kind == SQL_N_BINARY || n->kind == SQL_N_UNARY || n->kind == SQL_N_IS ||
           n->kind == SQL_N_LIKE || n->kind == SQL_N_BETWEEN || n->kind == SQL_N_IN ||
           n->kind == SQL_N_QUANTIFIED;
}

/* ------------------------------------------------------------------ the list */

static void put(struct flat_list *l, const struct sql_node *n, enum flat_type type, int left, int right,
                int level)
{
    if (l->n < FLAT_MAX_TOKENS) {
        l->v[l->n] = (struct flat_token){.node = n,
                                         .left = (int16_t)left,
                                         .right = (int16_t)right,
                                         .level = (int16_t)level,
                                         .type = (uint8_t)type,
                                         .is_and = type == FLAT_INFIX && level == FLAT_AND};
    }
    l->n++;
}

/* True: nothing but signs and operators of two operands, which hold together whatever stands around them; it is
 * one operand then. */
static bool flatten(struct flat_list *l, const struct sql_node *n)
{
    const struct sql_node *a = n->first;
    size_t begin = l->n;
    int level;
    bool plain = false;
    switch (n->kind) {
    case SQL_N_UNARY:
        level = n->op == TK_NOT                            ? FLAT_NOT
                : n->op == TK_EXISTS || n->op == TK_UNIQUE ? FLAT_EXISTS
                                                           : FLAT_SIGN;
        put(l, n, FLAT_PREFIX, -1, 2 * level, level);
        plain = flatten(l, a) && level == FLAT_SIGN;
        break;
    case SQL_N_IS:
        flatten(l, a);
        put(l, n, FLAT_POSTFIX, 2 * FLAT_IS + 2, -1, FLAT_IS);
        break;
    case SQL_N_LIKE:
        flatten(l, a);
        put(l, n, FLAT_LIKE, 2 * FLAT_IN + 2, 2 * FLAT_IN, FLAT_IN + 1);
        flatten(l, a->next);
        if (a->next->next) {
            put(l, n, FLAT_ESCAPE, 0, 2, 0);
            flatten(l, a->next->next);
        }
        l->special = true;
        break;
    case SQL_N_BETWEEN:
        flatten(l, a);
        put(l, n, FLAT_BETWEEN, 2 * FLAT_IN, 2 * FLAT_IN + 2, FLAT_IN);
        flatten(l, a->next);
        put(l, n, FLAT_INFIX, 2 * FLAT_AND, 2 * FLAT_AND + 1, FLAT_AND);
        flatten(l, a->next->next);
        l->special = true;
        break;
    case SQL_N_BINARY:
    case SQL_N_IN:
    case SQL_N_QUANTIFIED:
        level = n->kind == SQL_N_BINARY ? level_of(n) : FLAT_IN;
        plain = flatten(l, a);
        put(l, n, FLAT_INFIX, 2 * level, 2 * level + 1, level);
        plain = flatten(l, a->next) && plain && n->kind == SQL_N_BINARY;
        break;
    default:
        plain = true;
        break;
    }
    if (plain) {
        l->n = begin;
        put(l, n, FLAT_OPERAND, -1, -1, 0);
    }
    return plain;
}

/* ------------------------------------------------------------------ reducing it */

/* How strongly what stands in front of token i holds an operand to its right. */
static int held_before(const struct flat_list *l, size_t i)
{
    while (i-- > 0) {
        if (l->v[i].type == FLAT_POSTFIX) {
            return INT16_MAX;
        }
        if (l->v[i].right >= 0) {
            return l->v[i].right;
        }
    }
    return -1;
}

static int held_behind(const struct flat_list *l, size_t i)
{
    while (++i < l->n) {
        if (l->v[i].type == FLAT_PREFIX) {
            return INT16_MAX;
        }
        if (l->v[i].left >= 0) {
            return l->v[i].left;
        }
    }
    return -1;
}

/* The operator to be reduced next; l->n: none. */
static size_t strongest(struct flat_run *run, const struct flat_list *l)
{
    int best = -1;
    size_t found = l->n;
    for (size_t i = 0; i < l->n; i++) {
        const struct flat_token *t = &l->v[i];
        run->steps -= run->steps > 0;
        if ((t->left > best || t->right > best) && (t->left < 0 || t->left >= held_before(l, i)) &&
            (t->right < 0 || t->right >= held_behind(l, i))) {
            best = SL_MAX(t->left, t->right);
            found = i;
        }
    }
    return found;
}

static bool fails(struct flat_run *run, enum flat_outcome how, const struct flat_token *t)
{
    if (run->outcome == FLAT_FINE) {
        run->outcome = how;
        run->at = t->node;
    }
    return false;
}

/* Tokens from..to become one operand. */
static void replace(struct flat_list *l, size_t from, size_t to, const struct sql_node *n)
{
    l->v[from] = (struct flat_token){.node = n, .left = -1, .right = -1, .type = FLAT_OPERAND};
    for (size_t i = to + 1; i < l->n; i++) {
        l->v[from + 1 + i - (to + 1)] = l->v[i];
    }
    l->n -= to - from;
}

static bool reduce(struct flat_run *run, struct flat_list *l);

/* What stands at `from` and behind it, up to an operator of a lower level than `level`, to the AND of a BETWEEN
 * or to an ESCAPE, is reduced on its own. As many tokens as that took away are replaced, even if more than one
 * is left. */
static bool reduce_part(struct flat_run *run, struct flat_list *l, size_t from, int level, bool to_and,
                        bool to_escape)
{
    struct flat_list part = {0};
    size_t end = from;
    while (end < l->n) {
        const struct flat_token *t = &l->v[end];
        if (t->type != FLAT_OPERAND && ((to_and && t->is_and) || (to_escape && t->type == FLAT_ESCAPE) ||
                                        (level > 0 && t->level < level))) {
            break;
        }
        end++;
    }
    size_t before = end - from;
    if (before == 0 || run->steps == 0) {
        return fails(run, FLAT_UNKNOWN, &l->v[from ? from - 1 : 0]);
    }
    part.v = sl_new_n(run->arena, struct flat_token, before);
    memcpy(part.v, l->v + from, before * sizeof *part.v);
    part.n = before;
    if (!reduce(run, &part)) {
        return false;
    }
    if (part.v[0].type != FLAT_OPERAND) {
        return fails(run, FLAT_UNKNOWN, &l->v[from]);
    }
    replace(l, from, from + before - part.n, part.v[0].node);
    return true;
}

static bool reduce_between(struct flat_run *run, struct flat_list *l, size_t i)
{
    struct flat_token op = l->v[i];
    if (!reduce_part(run, l, i + 1, 0, true, false)) {
        return false;
    }
    if (i + 2 >= l->n || !l->v[i + 2].is_and) {
        return fails(run, FLAT_NO_AND, &op);
    }
    if (!reduce_part(run, l, i + 3, FLAT_IN + 1, false, false)) {
        return false;
    }
    replace(l, i - 1, i + 3, op.node);
    return true;
}

static bool reduce_like(struct flat_run *run, struct flat_list *l, size_t i)
{
    struct flat_token op = l->v[i];
    size_t end = i + 1;
    if (!reduce_part(run, l, i + 1, FLAT_IN, false, true)) {
        return false;
    }
    if (i + 2 < l->n && l->v[i + 2].type == FLAT_ESCAPE) {
        if (!reduce_part(run, l, i + 3, FLAT_IN, false, true)) {
            return false;
        }
        end = i + 3;
    }
    replace(l, i - 1, end, op.node);
    return true;
}

static bool reduce_one(struct flat_run *run, struct flat_list *l, size_t i)
{
    const struct flat_token *t = &l->v[i];
    bool needs_left = t->type != FLAT_PREFIX, needs_right = t->type == FLAT_PREFIX || t->type == FLAT_INFIX;
    if ((needs_left && i == 0) || (needs_right && i + 1 == l->n)) {
        return fails(run, t->type == FLAT_BETWEEN || t->type == FLAT_LIKE ? FLAT_UNKNOWN : FLAT_NO_OPERAND,
                     t);
    }
    switch (t->type) {
    case FLAT_PREFIX:
        replace(l, i, i + 1, t->node);
        return true;
    case FLAT_POSTFIX:
        replace(l, i - 1, i, t->node);
        return true;
    case FLAT_INFIX:
        replace(l, i - 1, i + 1, t->node);
        return true;
    case FLAT_ESCAPE:
        return fails(run, FLAT_ESCAPE_LEFT, t);
    default:
        return t->type == FLAT_BETWEEN ? reduce_between(run, l, i) : reduce_like(run, l, i);
    }
}

static bool reduce(struct flat_run *run, struct flat_list *l)
{
    for (;;) {
        size_t i = strongest(run, l);
        if (i == l->n) {
            return true;
        }
        if (run->steps == 0) {
            return fails(run, FLAT_UNKNOWN, &l->v[i]);
        }
        if (!reduce_one(run, l, i)) {
            return false;
        }
    }
}

/* ------------------------------------------------------------------ the tree */

static void tell(struct sql_parse *p, const struct flat_run *run)
{
    const struct sql_node *n = run->at;
    uint32_t end = n->off + n->len;
    if (run->outcome == FLAT_NO_AND) {
        const struct sql_node *lower = n->first->next;
        if (p->between_twice) {
            check(p, SQL_CHECK_BETWEEN_TWICE, p->between_twice - 1, p->between_twice + 6);
        }
        check(p, SQL_CHECK_BETWEEN_LIKE, lower->off + lower->len, lower->off + lower->len + 1);
    } else if (run->outcome == FLAT_ESCAPE_LEFT) {
        check(p, SQL_CHECK_ESCAPE_LEFT, end - 1, end);
    } else if (run->outcome == FLAT_NO_OPERAND) {
        check(p, SQL_CHECK_NO_OPERAND, n->off, n->off + 1);
    }
}

static void check_list(struct sql_parse *p, const struct sql_node *n, struct flat_token *room)
{
    struct sl_arena_mark mark = sl_arena_mark(p->arena);
    struct flat_list l = {.v = room};
    struct flat_run run = {.arena = p->arena, .steps = FLAT_MAX_STEPS};
    flatten(&l, n);
    if (l.special && l.n <= FLAT_MAX_TOKENS && !reduce(&run, &l)) {
        tell(p, &run);
    }
    sl_arena_rewind(p->arena, mark);
}

/* AND, OR and NOT on top part a list: nothing of one side is looked at for the other. */
static void check_parts(struct sql_parse *p, const struct sql_node *n, struct flat_token *room)
{
    for (;;) {
        if (n->kind == SQL_N_UNARY && n->op == TK_NOT) {
            n = n->first;
        } else if (n->kind == SQL_N_BINARY && (n->op == TK_AND || n->op == TK_OR)) {
            check_parts(p, n->first, room);
            n = n->first->next;
        } else {
            check_list(p, n, room);
            return;
        }
    }
}

static void check_below(struct sql_parse *p, const struct sql_node *n, bool inside, struct flat_token *room)
{
    bool op = is_operator(n);
    if (op && !inside) {
        check_parts(p, n, room);
    }
    for (const struct sql_node *c = n->first; c && !p->complaint; c = c->next) {
        check_below(p, c, op, room);
    }
}

void sql_check_flat(struct sql_parse *p)
{
    struct sl_arena_mark mark = sl_arena_mark(p->arena);
    if (p->flat && p->root) {
        check_below(p, p->root, false, sl_new_n(p->arena, struct flat_token, FLAT_MAX_TOKENS));
    }
    sl_arena_rewind(p->arena, mark);
}
