/* SPDX-License-Identifier: Apache-2.0
 * Which relations are in sight of a caret, read from the tokens around it, so that neither an unfinished
 * expression nor a FROM that comes later is in the way. */
#include "catalog/complete_impl.h"

/* How far out relations are looked for around the query of the caret. */
#define FAR_LEVELS    24
#define FAR_RELATIONS 8

bool caret_is_name(const struct sql_token *t)
{
    return t->kind == TK_IDENT || t->kind == TK_QUOTED_IDENT || t->kind == TK_UNICODE_IDENT ||
           (t->word && !(t->flags & SQL_TOKEN_RESERVED));
}

sl_str caret_token(const struct caret *c, size_t i)
{
    return sl_str_sub(c->text, c->tokens.v[i].off, c->tokens.v[i].len);
}

int caret_kind(const struct caret *c, size_t i)
{
    return i < c->tokens.n ? c->tokens.v[i].kind : 0;
}

size_t caret_close(const struct caret *c, size_t i)
{
    size_t depth = 0;
    for (; i < c->tokens.n; i++) {
        int kind = c->tokens.v[i].kind;
        depth += kind == TK_LP;
        if (kind == TK_RP && --depth == 0) {
            break;
        }
    }
    return i;
}

size_t caret_opener(const struct caret *c, size_t i)
{
    size_t depth = 0;
    while (i-- > 0) {
        int kind = c->tokens.v[i].kind;
        if (kind == TK_RP) {
            depth++;
        } else if (kind == TK_LP && depth-- == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static bool ends_from(int kind)
{
    switch (kind) {
    case TK_WHERE:
    case TK_GROUP:
    case TK_HAVING:
    case TK_WINDOW:
    case TK_QUALIFY:
    case TK_ORDER:
    case TK_LIMIT:
    case TK_OFFSET:
    case TK_FETCH:
    case TK_UNION:
    case TK_EXCEPT:
    case TK_INTERSECT:
    case TK_SEMI:
    case TK_SELECT:
    case TK_INSERT:
    case TK_CREATE:
    case TK_DROP:
    case TK_ALTER:
    case TK_SET:
    case TK_WITH:
    case TK_RP:
        return true;
    default:
        return false;
    }
}

static bool joins(const struct caret *c, size_t i)
{
    int kind = caret_kind(c, i), next = caret_kind(c, i + 1);
    switch (kind) {
    case TK_COMMA:
    case TK_JOIN:
    case TK_NATURAL:
    case TK_INNER:
    case TK_CROSS:
    case TK_OUTER:
        return true;
    case TK_LEFT:
    case TK_RIGHT:
    case TK_FULL:
        return next == TK_JOIN || next == TK_OUTER;
    default:
        return false;
    }
}

static sl_str text_of(const struct caret *c, size_t from, size_t to)
{
    if (from >= to) {
        return SL_STR_NONE;
    }
    const struct sql_token *last = &c->tokens.v[to - 1];
    uint32_t off = c->tokens.v[from].off;
    return sl_str_sub(c->text, off, last->off + last->len - off);
}

const struct cat_object *caret_table(struct caret *c, size_t i, size_t *ret_next)
{
    sl_str ident[3];
    size_t n = 0;
    while (n < 3 && i < c->tokens.n && caret_is_name(&c->tokens.v[i])) {
        ident[n++] = sql_unquote(c->a, caret_token(c, i++));
        if (caret_kind(c, i) != TK_DOT) {
            break;
        }
        i++;
    }
    *ret_next = i;
    return n ? cat_flow_find(c->flow, c->number, ident, n) : NULL;
}

static const struct cat_in_scope *in_list(const struct cat_in_scopes *list, sl_str name)
{
    for (size_t i = list->list.n; i-- > 0;) {
        if (sl_str_eq(list->list.v[i].name, name)) {
            return &list->list.v[i];
        }
    }
    return NULL;
}

/* One item of a FROM. When it cannot be read as a whole, its name and alias still say something. */
static void add_item(struct caret *c, size_t from, size_t to, const struct cat_in_scopes *ctes,
                     struct cat_in_scopes *ret)
{
    sl_str text = text_of(c, from, to);
    bool around =
        c->at > from && c->at < to && caret_kind(c, from) == TK_LP; /* it is what is being written */
    if (!text.n || around || cat_flow_from_text(c->flow, c->number, text, ctes, ret) ||
        !caret_is_name(&c->tokens.v[from])) {
        return;
    }
    size_t next;
    const struct cat_object *o = caret_table(c, from, &next);
    next += caret_kind(c, next) == TK_AS && next < to;
    bool alias = next < to && caret_is_name(&c->tokens.v[next]);
    const struct cat_in_scope *cte = in_list(ctes, sql_unquote(c->a, caret_token(c, from)));
    struct cat_in_scope *at = sl_vec_add(c->a, &ret->list);
    at->object = cte ? NULL : o;
    at->columns = cte ? cte->columns : cat_flow_columns(c->flow, o);
    at->name = alias ? sql_unquote(c->a, caret_token(c, next)) : cte ? cte->name : o->name;
}

/* The next token on the same level; a parenthesis that nothing closes is no level of its own. */
static size_t step(const struct caret *c, size_t i)
{
    size_t close = caret_kind(c, i) == TK_LP ? caret_close(c, i) : i;
    return close < c->tokens.n ? close + 1 : i + 1;
}

/* The FROM of the SELECT at tokens[s]. */
static void add_from(struct caret *c, size_t s, const struct cat_in_scopes *ctes, struct cat_in_scopes *ret)
{
    size_t i = s + 1;
    while (i < c->tokens.n && caret_kind(c, i) != TK_FROM && !(i > s + 1 && ends_from(caret_kind(c, i)))) {
        i = step(c, i);
    }
    if (caret_kind(c, i) != TK_FROM) {
        return;
    }
    size_t start = ++i;
    bool condition = false;
    for (;; i = step(c, i)) {
        int kind = caret_kind(c, i);
        bool over = !kind || i >= c->tokens.n || ends_from(kind), join = !over && joins(c, i);
        bool on = kind == TK_ON || kind == TK_USING;
        if (over || join || on) {
            if (!condition) {
                add_item(c, start, SL_MIN(i, c->tokens.n), ctes, ret);
            }
            condition = on || (condition && !join);
            start = i + 1;
        }
        if (over) {
            return;
        }
        if (join && condition) {
            condition = false;
        }
    }
}

/* The common table expressions of the WITH at tokens[w] that end before `before`. */
static void add_ctes(struct caret *c, size_t w, size_t before, struct cat_in_scopes *ret)
{
    size_t i = w + 1;
    i += caret_kind(c, i) == TK_RECURSIVE;
    while (i < before && i < c->tokens.n && caret_is_name(&c->tokens.v[i])) {
        struct cat_in_scope cte = {.name = sql_unquote(c->a, caret_token(c, i++))};
        sl_str names = SL_STR_NONE;
        if (caret_kind(c, i) == TK_LP) {
            size_t close = caret_close(c, i);
            names = text_of(c, i, SL_MIN(close + 1, c->tokens.n));
            i = close + 1;
        }
        if (caret_kind(c, i) != TK_AS || caret_kind(c, i + 1) != TK_LP) {
            return;
        }
        size_t close = caret_close(c, i + 1);
        if (close >= before || close >= c->tokens.n) {
            return;
        }
        sl_str body = text_of(c, i + 1, close + 1);
        struct cat_in_scopes one = {0};
        sl_str item = sl_arena_printf(c->a, "%.*s AS cte%.*s", SL_S(body), SL_S(names));
        struct cat_columns *none = sl_new(c->a, struct cat_columns);
        none->open = true;
        cte.columns = cat_flow_from_text(c->flow, c->number, item, ret, &one) && one.list.n
                          ? one.list.v[0].columns
                          : none;
        sl_vec_push(c->a, &ret->list, cte);
        i = close + 1;
        if (caret_kind(c, i) != TK_COMMA) {
            return;
        }
        i++;
    }
}

/* Backwards from tokens[i] on one level: the SELECT of the query that i is in, or the WITH whose expressions
 * it is among; SIZE_MAX when the level begins before. */
static size_t back_to(const struct caret *c, size_t i, size_t first, bool with_only)
{
    size_t depth = 0;
    while (i-- > first) {
        int kind = c->tokens.v[i].kind;
        depth += kind == TK_RP;
        depth -= kind == TK_LP && depth;
        if (!depth && (kind == TK_WITH || (kind == TK_SELECT && !with_only))) {
            return i;
        }
        if (!depth && (kind == TK_SEMI || kind == TK_BEGIN)) {
            break;
        }
    }
    return SIZE_MAX;
}

/* Inside MATCH_RECOGNIZE (...): the table before it and the names of the pattern. */
static void add_match(struct caret *c, size_t lp, const struct cat_in_scopes *ctes, struct caret_scope *ret)
{
    size_t start = lp - 1, depth = 0;
    while (start > 0) {
        int kind = c->tokens.v[start - 1].kind;
        depth += kind == TK_RP;
        if (!depth && (kind == TK_FROM || kind == TK_JOIN || kind == TK_COMMA || kind == TK_LP)) {
            break;
        }
        depth -= kind == TK_LP;
        start--;
    }
    add_item(c, start, lp - 1, ctes, &ret->near);
    size_t close = caret_close(c, lp);
    for (size_t i = lp; i < close && i < c->tokens.n; i++) {
        if (caret_kind(c, i) != TK_PATTERN || caret_kind(c, i + 1) != TK_LP) {
            continue;
        }
        size_t end = caret_close(c, i + 1);
        for (size_t k = i + 2; k < end && k < c->tokens.n; k++) {
            sl_str name = caret_is_name(&c->tokens.v[k]) ? sql_unquote(c->a, caret_token(c, k)) : SL_STR_NONE;
            if (name.n && !in_list(&ret->patterns, name) && ret->near.list.n) {
                struct cat_in_scope at = {name, NULL, ret->near.list.v[ret->near.list.n - 1].columns};
                sl_vec_push(c->a, &ret->patterns.list, at);
            }
        }
    }
}

/* DESCRIPTOR(...) names a column of the table beside it. */
static void add_described(struct caret *c, size_t lp, const struct cat_in_scopes *ctes,
                          struct cat_in_scopes *ret)
{
    size_t outer = caret_opener(c, lp - 1);
    size_t close = outer == SIZE_MAX ? c->tokens.n : caret_close(c, outer);
    for (size_t i = outer == SIZE_MAX ? 0 : outer; i < close && i + 1 < c->tokens.n; i++) {
        if (caret_kind(c, i) == TK_TABLE && caret_is_name(&c->tokens.v[i + 1])) {
            size_t next;
            (void)caret_table(c, i + 1, &next);
            add_item(c, i + 1, next, ctes, ret);
        }
    }
}

/* PARTITION BY and ORDER BY behind TABLE t, as argument of a function. */
static void add_argument(struct caret *c, size_t lp, const struct cat_in_scopes *ctes,
                         struct cat_in_scopes *ret)
{
    size_t i = c->at, depth = 0;
    while (i-- > lp) {
        int kind = c->tokens.v[i].kind;
        depth += kind == TK_RP;
        depth -= kind == TK_LP && depth;
        if (!depth && (kind == TK_COMMA || kind == TK_SELECT || kind == TK_WHERE)) {
            if (kind != TK_COMMA) {
                return;
            }
        }
        if (!depth && kind == TK_TABLE && i + 1 < c->at && caret_is_name(&c->tokens.v[i + 1])) {
            size_t next;
            (void)caret_table(c, i + 1, &next);
            if (next < c->at) {
                add_item(c, i + 1, next, ctes, ret);
            }
            return;
        }
    }
}

void caret_scope(struct caret *c, struct caret_scope *ret)
{
    struct level {
        size_t first, select, lp; /* of one nesting of parentheses */
        bool match, descriptor;
    };
    SL_VEC(struct level) levels = {0};
    *ret = (struct caret_scope){.select = SIZE_MAX};
    for (size_t i = c->at;;) {
        size_t lp = caret_opener(c, i);
        size_t first = lp == SIZE_MAX ? 0 : lp + 1;
        struct level l = {.first = first, .select = back_to(c, i, first, false), .lp = lp};
        int before = lp != SIZE_MAX && lp ? c->tokens.v[lp - 1].kind : 0;
        l.match = before == TK_MATCH_RECOGNIZE;
        l.descriptor = before && lp && sl_str_ieqz(caret_token(c, lp - 1), "DESCRIPTOR");
        sl_vec_push(c->a, &levels, l);
        if (lp == SIZE_MAX) {
            break;
        }
        i = lp;
    }
    /* from outside in, so that inner expressions see the outer common table expressions */
    bool far_done = false;
    for (size_t k = levels.n; k-- > 0;) {
        const struct level *l = &levels.v[k];
        size_t inside = k ? levels.v[k - 1].lp : c->at;
        if (l->select != SIZE_MAX) {
            size_t w =
                caret_kind(c, l->select) == TK_WITH ? l->select : back_to(c, l->select, l->first, true);
            bool among = w == l->select;
            if (w != SIZE_MAX) {
                add_ctes(c, w, among ? inside : l->select, &ret->ctes);
            }
        }
    }
    for (size_t k = 0; k < levels.n && ret->far.list.n < FAR_RELATIONS && k < FAR_LEVELS; k++) {
        const struct level *l = &levels.v[k];
        if (l->select != SIZE_MAX && caret_kind(c, l->select) == TK_SELECT) {
            ret->select = far_done ? ret->select : l->select;
            add_from(c, l->select, &ret->ctes, far_done ? &ret->far : &ret->near);
            far_done = true;
        } else if (l->select != SIZE_MAX) {
            return; /* a common table expression sees nothing around it */
        }
        if (l->match && !far_done) {
            add_match(c, l->lp, &ret->ctes, ret);
            far_done = true;
        }
        if (l->descriptor && !far_done) {
            add_described(c, l->lp, &ret->ctes, &ret->near);
            ret->columns_only = true;
            return;
        }
        if (!far_done && l->lp != SIZE_MAX) {
            size_t before = ret->near.list.n;
            add_argument(c, l->lp, &ret->ctes, &ret->near);
            far_done = ret->near.list.n > before;
        }
    }
}

/* Nesting of parentheses and of the angle brackets of types. */
struct nesting {
    size_t parens, angles;
};

static void nest(const struct caret *c, size_t i, struct nesting *n)
{
    int before = i ? caret_kind(c, i - 1) : 0;
    switch (caret_kind(c, i)) {
    case TK_LP:
        n->parens++;
        break;
    case TK_RP:
        n->parens -= n->parens > 0;
        break;
    case TK_LT:
        n->angles += before == TK_ARRAY || before == TK_MAP || before == TK_ROW || before == TK_MULTISET;
        break;
    case TK_GT:
        n->angles -= n->angles > 0;
        break;
    default:
        break;
    }
}

/* One element of the body: name and type, name AS expression; or a constraint, which has no name of its own. */
static void declare(struct caret *c, size_t start, size_t end, struct cat_columns *to)
{
    struct nesting in = {0};
    size_t i = start + 1;
    int first = caret_kind(c, i);
    if (i >= end || !caret_is_name(&c->tokens.v[start])) {
        return;
    }
    for (; i < end; i++) {
        int kind = caret_kind(c, i);
        bool stops = kind == TK_COMMENT || kind == TK_METADATA || kind == TK_PRIMARY ||
                     kind == TK_CONSTRAINT || kind == TK_NOT || kind == TK_AS;
        nest(c, i, &in);
        if (stops && !in.parens && !in.angles) {
            break;
        }
    }
    struct cat_column *at = sl_vec_add(c->a, &to->list);
    at->name = sql_unquote(c->a, caret_token(c, start));
    at->kind = first == TK_AS ? CAT_COMPUTED : CAT_PHYSICAL;
    at->type = first == TK_AS ? SL_STR_NONE : text_of(c, start + 1, i);
}

struct cat_columns *caret_declared(struct caret *c)
{
    struct cat_columns *r = sl_new(c->a, struct cat_columns);
    size_t lp = 0;
    while (lp < c->tokens.n && caret_kind(c, lp) != TK_LP && caret_kind(c, lp) != TK_WITH) {
        lp++;
    }
    if (caret_kind(c, lp) != TK_LP) {
        return r;
    }
    size_t close = SL_MIN(caret_close(c, lp), c->tokens.n), start = lp + 1;
    struct nesting in = {0};
    for (size_t i = lp + 1; i <= close; i++) {
        bool ends = i == close || (caret_kind(c, i) == TK_COMMA && !in.parens && !in.angles);
        if (ends) {
            if (c->at < start || c->at > i) { /* the element the caret is in is not there yet */
                declare(c, start, i, r);
            }
            start = i + 1;
        } else {
            nest(c, i, &in);
        }
    }
    return r;
}
