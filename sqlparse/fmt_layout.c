/* SPDX-License-Identifier: Apache-2.0
 * Where lines may begin: a walk over the statement's tree that makes groups of tokens and puts breaks between
 * them. What the tree does not tell (words of rare statements) stays on its line. */
#include "sqlparse/fmt_layout.h"

struct walk {
    struct fmt_stmt *s;
    uint32_t n;
    uint32_t frame, frame_indent; /* the group whose lines the clauses of the current query are */
};

static struct fmt_token *tok(const struct walk *w, uint32_t i)
{
    SL_BUG_ON(i >= w->n);
    return &w->s->toks.v[i];
}

/* The first token at or behind an offset. */
static uint32_t at(const struct walk *w, uint32_t off)
{
    uint32_t low = 0, high = w->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (w->s->toks.v[mid].off < off) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return SL_MIN(low, w->n - 1);
}

static uint32_t first_of(const struct walk *w, const struct sql_node *n)
{
    return at(w, n->off);
}

static uint32_t last_of(const struct walk *w, const struct sql_node *n)
{
    uint32_t end = at(w, n->off + n->len);
    return end && tok(w, end)->off >= n->off + n->len ? end - 1 : end;
}

static uint32_t group(struct walk *w, uint32_t first, uint32_t last)
{
    struct fmt_group *g = sl_vec_add(w->s->arena, &w->s->groups);
    *g = (struct fmt_group){.first = first, .last = SL_MAX(first, last)};
    return (uint32_t)w->s->groups.n - 1;
}

static void force(struct walk *w, uint32_t g)
{
    if (g != FMT_NONE) {
        w->s->groups.v[g].force = true;
    }
}

static void may_break(struct walk *w, uint32_t i, enum fmt_break how, uint32_t g, uint32_t indent)
{
    if (i == 0 || i >= w->n || g == FMT_NONE) {
        return;
    }
    struct fmt_token *t = tok(w, i);
    t->brk = (uint8_t)how;
    t->group = g;
    t->indent = (uint8_t)indent;
}

static void soft(struct walk *w, uint32_t i, uint32_t g, uint32_t indent)
{
    may_break(w, i, FMT_SOFT, g, indent);
}

static void glue(struct walk *w, uint32_t i)
{
    if (i < w->n && !tok(w, i)->space_fixed) {
        tok(w, i)->space = false;
    }
}

/* The first '(' of a node, no farther than its first child that is no name. */
static uint32_t paren_of(const struct walk *w, const struct sql_node *n)
{
    uint32_t last = last_of(w, n);
    for (uint32_t i = first_of(w, n); i <= last; i++) {
        uint16_t kind = tok(w, i)->kind;
        if (kind == TK_LP) {
            return i;
        }
        if (kind == TK_LB || kind == TK_LT || kind == TK_COMMA) {
            break;
        }
    }
    return FMT_NONE;
}

/* The '(' that holds a list whose node begins at it or right behind it. */
static uint32_t list_paren(const struct walk *w, const struct sql_node *n)
{
    uint32_t i = first_of(w, n);
    if (tok(w, i)->kind == TK_LP && tok(w, i)->partner != FMT_NONE && tok(w, i)->partner >= last_of(w, n)) {
        return i;
    }
    return i && tok(w, i - 1)->kind == TK_LP ? i - 1 : FMT_NONE;
}

static void mode(struct walk *w, uint32_t paren, enum fmt_mode m)
{
    if (paren != FMT_NONE) {
        tok(w, paren)->mode = (uint8_t)m;
    }
}

static uint32_t inside(const struct walk *w, uint32_t paren)
{
    return paren == FMT_NONE ? FMT_NONE : tok(w, paren)->inside;
}

static void visit(struct walk *w, const struct sql_node *n);

static void visit_all(struct walk *w, const struct sql_node *n)
{
    for (const struct sql_node *c = n->first; c; c = c->next) {
        visit(w, c);
    }
}

/* Items behind commas may begin lines. */
static void items(struct walk *w, const struct sql_node *list, enum fmt_break how, uint32_t g,
                  uint32_t indent)
{
    for (const struct sql_node *c = list->first; c; c = c->next) {
        uint32_t i = first_of(w, c);
        if (i && tok(w, i - 1)->kind == TK_COMMA) {
            may_break(w, i, how, g, indent);
        }
    }
}

/* Inside of `paren` the clauses of a query are lines of it. */
static void visit_framed(struct walk *w, const struct sql_node *n, uint32_t paren)
{
    uint32_t frame = w->frame, indent = w->frame_indent;
    if (inside(w, paren) != FMT_NONE) {
        w->frame = inside(w, paren);
        w->frame_indent = FMT_INDENT;
        mode(w, paren, FMT_CLAUSES);
    }
    visit_all(w, n);
    w->frame = frame;
    w->frame_indent = indent;
}

static bool is_logic(const struct sql_node *n)
{
    unsigned op = n->op & SQL_OP_TOKEN;
    return n->kind == SQL_N_BINARY && (op == TK_AND || op == TK_OR);
}

/* Operators that chain: + and -, or * / % ||. */
static unsigned chain_class(const struct sql_node *n)
{
    if (n->kind != SQL_N_BINARY) {
        return 0;
    }
    switch (n->op & SQL_OP_TOKEN) {
    case TK_AND:
        return 1;
    case TK_OR:
        return 2;
    case TK_PLUS:
    case TK_MINUS:
        return 3;
    case TK_STAR:
    case TK_SLASH:
    case TK_PERCENT_SIGN:
    case TK_CONCAT:
        return 4;
    default:
        return 0;
    }
}

/* a AND b AND c: a line may begin at each operator. Chains are long to the left and are walked without
 * recursion. */
static void visit_chain(struct walk *w, const struct sql_node *n, uint32_t g, uint32_t indent)
{
    unsigned cls = chain_class(n);
    while (chain_class(n) == cls && n->first && n->first->next) {
        may_break(w, last_of(w, n->first) + 1, cls < 3 ? FMT_SOFT : FMT_FILL, g, indent);
        visit(w, n->first->next);
        n = n->first;
    }
    visit(w, n);
}

static void visit_binary(struct walk *w, const struct sql_node *n)
{
    if (!chain_class(n)) {
        visit_all(w, n);
        return;
    }
    uint32_t first = first_of(w, n);
    bool bracketed = first && tok(w, first - 1)->kind == TK_LP;
    visit_chain(w, n, group(w, first, last_of(w, n)), bracketed && is_logic(n) ? 0 : FMT_INDENT);
}

/* WHERE, HAVING, QUALIFY, ON. */
static void visit_condition(struct walk *w, const struct sql_node *n)
{
    if (n->first && is_logic(n->first)) {
        visit_chain(w, n->first, group(w, first_of(w, n), last_of(w, n)),
                    n->kind == SQL_N_ON ? 0 : FMT_INDENT);
    } else {
        visit_all(w, n);
    }
}

static void visit_case(struct walk *w, const struct sql_node *n)
{
    uint32_t g = group(w, first_of(w, n), last_of(w, n));
    size_t whens = 0;
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind == SQL_N_WHEN || c->kind == SQL_N_ELSE) {
            soft(w, first_of(w, c), g, FMT_INDENT);
        }
        whens += c->kind == SQL_N_WHEN;
        if (c->kind == SQL_N_WHEN && c->first) {
            soft(w, last_of(w, c->first) + 1, group(w, first_of(w, c), last_of(w, c)), FMT_INDENT);
        }
        visit(w, c);
    }
    soft(w, last_of(w, n), g, 0);
    if (whens > 2) {
        force(w, g);
    }
}

/* The words and list of a clause on one line, or the list filled below. */
static void visit_list_clause(struct walk *w, const struct sql_node *n)
{
    uint32_t g = group(w, first_of(w, n), last_of(w, n));
    const struct sql_node *list =
        n->first && (n->first->kind == SQL_N_EXPRS || n->first->kind == SQL_N_NAMES) ? n->first : n;
    items(w, list, FMT_FILL, g, FMT_INDENT);
    visit_all(w, n);
}

static void visit_select(struct walk *w, const struct sql_node *n)
{
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind == SQL_N_SELECT_LIST) {
            uint32_t last = last_of(w, c), first = first_of(w, c);
            uint32_t g = group(w, first_of(w, n), last);
            if (first < last) {
                soft(w, first, g, FMT_INDENT);
            }
            items(w, c, FMT_SOFT, g, FMT_INDENT);
        } else if (c->kind != SQL_N_HINTS) {
            soft(w, first_of(w, c), w->frame, w->frame_indent);
        }
        visit(w, c);
    }
}

static void visit_values(struct walk *w, const struct sql_node *n)
{
    uint32_t g = group(w, first_of(w, n), last_of(w, n));
    if (n->first && n->first->next) {
        soft(w, first_of(w, n->first), g, FMT_INDENT);
    }
    items(w, n, FMT_SOFT, g, FMT_INDENT);
    for (const struct sql_node *c = n->first; c; c = c->next) {
        mode(w, paren_of(w, c), FMT_FILLED);
        visit(w, c);
    }
}

static void visit_set_op(struct walk *w, const struct sql_node *n)
{
    const struct sql_node *left = n->first, *right = left ? left->next : NULL;
    if (right) {
        soft(w, last_of(w, left) + 1, w->frame, w->frame_indent);
        soft(w, first_of(w, right), w->frame, w->frame_indent);
    }
    visit_all(w, n);
}

static void visit_query(struct walk *w, const struct sql_node *n)
{
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c != n->first) {
            soft(w, first_of(w, c), w->frame, w->frame_indent);
        }
        if (c->kind == SQL_N_WITH) {
            items(w, c, FMT_SOFT, w->frame, w->frame_indent);
        }
        visit(w, c);
    }
}

static void visit_from(struct walk *w, const struct sql_node *n, uint32_t list)
{
    if (n->kind != SQL_N_JOIN) {
        visit(w, n);
        return;
    }
    const struct sql_node *left = n->first, *right = left ? left->next : NULL;
    if (!right) {
        return;
    }
    uint32_t next = last_of(w, left) + 1;
    if ((n->op & SQL_OP_TOKEN) == TK_COMMA) {
        soft(w, next + 1, list, FMT_INDENT);
    } else {
        soft(w, next, w->frame, w->frame_indent);
    }
    visit_from(w, left, list);
    visit_from(w, right, list);
    const struct sql_node *cond = right->next;
    if (cond) {
        soft(w, first_of(w, cond), group(w, last_of(w, right), last_of(w, cond)), FMT_INDENT);
        visit(w, cond);
    }
}

/* FROM, and (a JOIN b). */
static void visit_tables(struct walk *w, const struct sql_node *n)
{
    uint32_t frame = w->frame, indent = w->frame_indent, paren = FMT_NONE;
    if (n->kind == SQL_N_NESTED) {
        paren = first_of(w, n);
        mode(w, paren, FMT_CLAUSES);
        if (inside(w, paren) != FMT_NONE) {
            w->frame = inside(w, paren);
            w->frame_indent = FMT_INDENT;
        }
    }
    uint32_t list = group(w, first_of(w, n), last_of(w, n));
    for (const struct sql_node *c = n->first; c; c = c->next) {
        visit_from(w, c, list);
    }
    w->frame = frame;
    w->frame_indent = indent;
}

/* name(...): no blank before the bracket. */
static void visit_call(struct walk *w, const struct sql_node *n)
{
    uint32_t paren = paren_of(w, n);
    const struct sql_node *c = n->first;
    bool nested = c && c->kind == SQL_N_CALL && n->kind == SQL_N_CALL;
    if (paren != FMT_NONE && paren > first_of(w, n) && !nested) {
        glue(w, paren);
    }
    bool query = false;
    for (const struct sql_node *k = n->first; k; k = k->next) {
        query |=
            k->kind == SQL_N_QUERY || (k->first && k->first->kind == SQL_N_QUERY && k->kind == SQL_N_ARGS);
    }
    if (query && paren != FMT_NONE && !nested) {
        visit_framed(w, n, paren);
    } else {
        visit_all(w, n);
    }
}

static void visit_window(struct walk *w, const struct sql_node *n)
{
    uint32_t paren = paren_of(w, n);
    mode(w, paren, FMT_CLAUSES);
    for (const struct sql_node *c = n->first; c; c = c->next) {
        soft(w, first_of(w, c), inside(w, paren), FMT_INDENT);
        visit(w, c);
    }
}

static void visit_type(struct walk *w, const struct sql_node *n)
{
    uint32_t first = first_of(w, n), last = last_of(w, n);
    const struct sql_node *c = n->first;
    uint32_t stop = c ? first_of(w, c) : last + 1;
    for (uint32_t i = first; i < stop && i < w->n; i++) {
        if (tok(w, i)->kind == TK_LP) {
            if (i > first) {
                glue(w, i);
            }
            if (!sql_node_child(n, SQL_N_TYPE_FIELD)) {
                mode(w, i, FMT_PLAIN);
            }
            break;
        }
    }
    visit_all(w, n);
}

static void visit_pattern(struct walk *w, const struct sql_node *n)
{
    uint32_t first = paren_of(w, n), last = last_of(w, n);
    if (first == FMT_NONE) {
        return;
    }
    for (uint32_t i = first; i <= last; i++) {
        switch (tok(w, i)->kind) {
        case TK_LP:
            mode(w, i, FMT_PLAIN);
            break;
        case TK_STAR:
        case TK_PLUS:
        case TK_HOOK:
            glue(w, i);
            break;
        case TK_LBRACE:
            if (i < last && tok(w, i + 1)->kind != TK_MINUS) {
                glue(w, i);
            }
            glue(w, i + 1);
            break;
        case TK_RBRACE:
            glue(w, i);
            break;
        default:
            break;
        }
    }
}

static void visit_match(struct walk *w, const struct sql_node *n)
{
    uint32_t paren = paren_of(w, n), g = inside(w, paren);
    if (g == FMT_NONE) {
        return;
    }
    force(w, g);
    mode(w, paren, FMT_CLAUSES);
    const struct sql_node *previous = NULL;
    for (const struct sql_node *c = n->first; c; c = c->next) {
        /* what has no node of its own: ONE ROW PER MATCH, and WITHIN before its interval */
        uint32_t from = previous ? last_of(w, previous) + 1 : paren + 1, to = first_of(w, c);
        for (uint32_t i = from; i < to; i++) {
            unsigned word = tok(w, i)->word;
            if (word == SQL_W_ONE || word == SQL_W_ALL || word == SQL_W_WITHIN) {
                soft(w, i, g, FMT_INDENT);
            }
        }
        if (c->kind != SQL_N_INTERVAL) {
            soft(w, to, g, FMT_INDENT);
        }
        if (c->kind == SQL_N_MEASURES || c->kind == SQL_N_DEFINE) {
            uint32_t list = group(w, to, last_of(w, c));
            soft(w, first_of(w, c->first), list, FMT_INDENT);
            items(w, c, FMT_SOFT, list, FMT_INDENT);
            if (c->first->next) {
                force(w, list);
            }
        }
        visit(w, c);
        previous = c;
    }
}

/* ---- statements */

static uint32_t name_width(const struct walk *w, const struct sql_node *column)
{
    const struct sql_node *name = column->first;
    uint32_t width = 0;
    for (uint32_t i = first_of(w, name), last = last_of(w, name); i <= last; i++) {
        width += tok(w, i)->width;
    }
    return width;
}

static bool is_column(const struct sql_node *n)
{
    return (n->kind == SQL_N_COLUMN || n->kind == SQL_N_METADATA || n->kind == SQL_N_COMPUTED) && n->first;
}

/* Types stand below each other, unless a name is very long. */
static void visit_columns(struct walk *w, const struct sql_node *n)
{
    enum { WIDEST = 32 };
    uint32_t paren = list_paren(w, n), g = inside(w, paren), widest = 0;
    bool several = n->first && n->first->next;
    if (n->first && is_column(n->first)) {
        force(w, g);
    }
    for (const struct sql_node *c = n->first; c; c = c->next) {
        uint32_t width = is_column(c) ? name_width(w, c) : 0;
        widest = width <= WIDEST ? SL_MAX(widest, width) : widest;
    }
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (several && is_column(c) && g != FMT_NONE) {
            uint32_t width = name_width(w, c), next = last_of(w, c->first) + 1;
            if (width < widest && next < w->n && tok(w, next)->brk == FMT_NEVER) {
                tok(w, next)->pad = (uint16_t)(widest - width);
                tok(w, next)->group = g;
            }
        }
        visit(w, c);
    }
}

static void visit_options(struct walk *w, const struct sql_node *n)
{
    uint32_t g = inside(w, list_paren(w, n));
    if (n->first && n->first->next) {
        force(w, g);
    }
    visit_all(w, n);
}

static bool begins_clause(unsigned word)
{
    switch (word) {
    case SQL_W_COMMENT:
    case SQL_W_DISTRIBUTED:
    case SQL_W_PARTITIONED:
    case SQL_W_WITH:
    case SQL_W_LIKE:
    case SQL_W_START_MODE:
    case SQL_W_FRESHNESS:
    case SQL_W_REFRESH_MODE:
    case SQL_W_LANGUAGE:
    case SQL_W_USING:
    case SQL_W_INPUT:
    case SQL_W_OUTPUT:
        return true;
    default:
        return false;
    }
}

static void visit_create(struct walk *w, const struct sql_node *n)
{
    const struct sql_node *as = sql_node_child(n, SQL_N_AS_QUERY);
    const struct sql_node *name = sql_node_child(n, SQL_N_NAME) ? sql_node_child(n, SQL_N_NAME) : n->first;
    uint32_t first = first_of(w, n), last = as ? first_of(w, as) : last_of(w, n);
    uint32_t head = group(w, first, last), before = name ? last_of(w, name) : first;
    for (uint32_t i = before + 1; i <= last; i++) {
        const struct fmt_token *t = tok(w, i);
        if (t->kind == TK_LP && t->partner != FMT_NONE) {
            before = t->partner;
            i = before;
            continue;
        }
        bool same_line = i == before + 1 && t->word == SQL_W_WITH && tok(w, before)->word != SQL_W_BY &&
                         (tok(w, before)->kind != TK_RP || sql_node_child(n, SQL_N_COLUMNS)) &&
                         !sql_node_child(n, SQL_N_PARTITIONED) && !sql_node_child(n, SQL_N_DISTRIBUTION);
        if (t->upper && t->word == SQL_W_AS && n->kind == SQL_N_CREATE_FUNCTION) {
            soft(w, i, head, FMT_INDENT);
        } else if (t->upper && begins_clause(t->word) && !same_line) {
            soft(w, i, head, 0);
        }
    }
    for (const struct sql_node *c = n->first; c; c = c->next) {
        visit(w, c);
    }
    if (as && as->first) {
        soft(w, first_of(w, as->first), w->frame, w->frame_indent);
    }
}

static void visit_insert(struct walk *w, const struct sql_node *n)
{
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind == SQL_N_QUERY || c->kind == SQL_N_SUBQUERY || c->kind == SQL_N_ON_CONFLICT ||
            c->kind == SQL_N_SELECT || c->kind == SQL_N_VALUES || c->kind == SQL_N_SET_OP ||
            c->kind == SQL_N_EXPLICIT_TABLE) {
            soft(w, first_of(w, c), w->frame, w->frame_indent);
        }
        visit(w, c);
    }
}

/* UPDATE, DELETE, MERGE: their clauses are lines. */
static void visit_change(struct walk *w, const struct sql_node *n)
{
    const struct sql_node *name = n->first;
    uint32_t g = FMT_NONE;
    for (uint32_t i = name ? last_of(w, name) + 1 : w->n; i < w->n && i <= last_of(w, n); i++) {
        const struct fmt_token *t = tok(w, i);
        if (t->kind == TK_LP && t->partner != FMT_NONE) {
            i = t->partner;
            continue;
        }
        bool clause = t->word == SQL_W_WHERE || t->word == SQL_W_USING || t->word == SQL_W_ON ||
                      (t->word == SQL_W_SET && n->kind == SQL_N_UPDATE) ||
                      (t->word == SQL_W_WHEN && n->kind == SQL_N_MERGE);
        if (clause && t->upper && tok(w, i)->brk == FMT_NEVER) {
            soft(w, i, w->frame, w->frame_indent);
            g = t->word == SQL_W_SET ? group(w, i, last_of(w, n)) : g;
        }
    }
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind == SQL_N_ASSIGN && g != FMT_NONE && tok(w, first_of(w, c) - 1)->kind == TK_COMMA) {
            soft(w, first_of(w, c), g, FMT_INDENT);
        }
        visit(w, c);
    }
}

/* EXPLAIN, EXECUTE, COMPILE: what they are about begins a line. */
static void visit_about(struct walk *w, const struct sql_node *n)
{
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind != SQL_N_STRING && c->kind != SQL_N_LITERAL && c->kind != SQL_N_NAME) {
            soft(w, first_of(w, c), w->frame, w->frame_indent);
        }
        visit(w, c);
    }
}

static void visit(struct walk *w, const struct sql_node *n)
{
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_QUERY:
        visit_query(w, n);
        return;
    case SQL_N_SET_OP:
        visit_set_op(w, n);
        return;
    case SQL_N_SELECT:
        visit_select(w, n);
        return;
    case SQL_N_VALUES:
        visit_values(w, n);
        return;
    case SQL_N_FROM:
    case SQL_N_NESTED:
        visit_tables(w, n);
        return;
    case SQL_N_WHERE:
    case SQL_N_HAVING:
    case SQL_N_QUALIFY:
    case SQL_N_ON:
        visit_condition(w, n);
        return;
    case SQL_N_GROUP_BY:
    case SQL_N_ORDER_BY:
    case SQL_N_PARTITION_BY:
        visit_list_clause(w, n);
        return;
    case SQL_N_CTE:
        for (const struct sql_node *c = n->first; c; c = c->next) {
            visit(w, c);
            if (c->kind == SQL_N_SUBQUERY) {
                force(w, inside(w, first_of(w, c)));
            }
        }
        return;
    case SQL_N_SUBQUERY:
        visit_framed(w, n, first_of(w, n));
        return;
    case SQL_N_BINARY:
        visit_binary(w, n);
        return;
    case SQL_N_UNARY: {
        unsigned op = n->op & SQL_OP_TOKEN;
        if (op == TK_PLUS || op == TK_MINUS) {
            glue(w, first_of(w, n) + 1);
        }
        visit_all(w, n);
        return;
    }
    case SQL_N_CASE:
        visit_case(w, n);
        return;
    case SQL_N_IN:
        if (n->first && n->first->next && n->first->next->kind == SQL_N_ROW) {
            mode(w, first_of(w, n->first->next), FMT_FILLED);
        }
        visit_all(w, n);
        return;
    case SQL_N_NAMES:
        mode(w, list_paren(w, n), FMT_FILLED);
        visit_all(w, n);
        return;
    case SQL_N_PAREN:
        mode(w, first_of(w, n), FMT_CLAUSES);
        visit_all(w, n);
        return;
    case SQL_N_ROW:
    case SQL_N_CALL:
    case SQL_N_CAST:
    case SQL_N_COLLECTION:
    case SQL_N_UNNEST:
    case SQL_N_TABLE_FUNCTION:
    case SQL_N_HINT:
    case SQL_N_GROUPING:
    case SQL_N_ALIAS:
    case SQL_N_UNIT:
        visit_call(w, n);
        return;
    case SQL_N_WINDOW:
        visit_window(w, n);
        return;
    case SQL_N_TYPE:
        visit_type(w, n);
        return;
    case SQL_N_PATTERN:
        visit_pattern(w, n);
        return;
    case SQL_N_MATCH:
        visit_match(w, n);
        return;
    case SQL_N_COLUMNS:
        visit_columns(w, n);
        return;
    case SQL_N_OPTIONS:
        visit_options(w, n);
        return;
    case SQL_N_CREATE_TABLE:
    case SQL_N_CREATE_VIEW:
    case SQL_N_CREATE_FUNCTION:
    case SQL_N_CREATE_CATALOG:
    case SQL_N_CREATE_DATABASE:
    case SQL_N_CREATE_MODEL:
    case SQL_N_CREATE_CONNECTION:
    case SQL_N_CREATE_MATERIALIZED_TABLE:
        visit_create(w, n);
        return;
    case SQL_N_INSERT:
        visit_insert(w, n);
        return;
    case SQL_N_UPDATE:
    case SQL_N_DELETE:
    case SQL_N_MERGE:
        visit_change(w, n);
        return;
    case SQL_N_EXPLAIN:
    case SQL_N_EXECUTE:
    case SQL_N_COMPILE:
        visit_about(w, n);
        return;
    default:
        visit_all(w, n);
        return;
    }
}

/* Brackets that hold more than one token become groups. */
static void bracket_groups(struct walk *w)
{
    for (uint32_t i = 0; i < w->n; i++) {
        struct fmt_token *t = tok(w, i);
        bool open = t->kind == TK_LP || t->kind == TK_LB || t->kind == TK_LT;
        if (open && t->partner != FMT_NONE && t->partner > i + 2) {
            t->inside = group(w, i, t->partner);
        }
    }
}

/* What the walk left open: lines at the brackets and behind the commas in them. */
static void bracket_breaks(struct walk *w)
{
    SL_VEC(uint32_t) open = {0};
    for (uint32_t i = 0; i < w->n; i++) {
        struct fmt_token *t = tok(w, i);
        uint32_t within = open.n ? open.v[open.n - 1] : FMT_NONE;
        bool opens = t->partner != FMT_NONE && t->partner > i;
        if (t->kind == TK_COMMA && within != FMT_NONE && inside(w, within) != FMT_NONE && i + 1 < w->n) {
            enum fmt_mode m = (enum fmt_mode)tok(w, within)->mode;
            if (tok(w, i + 1)->brk == FMT_NEVER && (m == FMT_LIST || m == FMT_FILLED)) {
                may_break(w, i + 1, m == FMT_LIST ? FMT_SOFT : FMT_FILL, inside(w, within), FMT_INDENT);
            }
        }
        if (opens) {
            sl_vec_push(w->s->arena, &open, i);
        } else if (t->partner != FMT_NONE) {
            open.n--;
        }
        if (opens && t->inside != FMT_NONE && t->mode != FMT_PLAIN) {
            may_break(w, i + 1, FMT_SOFT, t->inside, FMT_INDENT);
            may_break(w, t->partner, FMT_SOFT, t->inside, 0);
        }
    }
}

void fmt_layout(struct fmt_stmt *s)
{
    struct walk w = {.s = s, .n = (uint32_t)s->toks.n};
    if (!w.n) {
        return;
    }
    w.frame = group(&w, 0, w.n - 1);
    force(&w, w.frame);
    bracket_groups(&w);
    if (s->ast) {
        visit(&w, s->ast);
    }
    bracket_breaks(&w);
}
