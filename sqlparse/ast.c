/* SPDX-License-Identifier: Apache-2.0
 * Tree nodes: making, joining, walking, printing. */
#include "base/buf.h"
#include "base/limits.h"
#include "sqlparse/actions.h"

#define SLAB_NODES 64

static const char *const kind_names[SQL_N_MAX_] = {
    "NONE",
#define SQL_NODE(NAME) #NAME,
#include "sqlparse/nodes.def"
#undef SQL_NODE
};

const char *sql_node_kind_name(enum sql_node_kind k)
{
    return k < SQL_N_MAX_ ? kind_names[k] : "?";
}

/* A node that has no parent yet has no next one either: there its last child is kept, so that lists grow at
 * their end without a walk. NULL: no child, or a parent that has a parent of its own already. */
static struct sql_node *tail_of(struct sql_node *parent)
{
    struct sql_node *last = parent->next ? parent->next : parent->first;
    while (last && !parent->next && last->next) {
        last = last->next;
    }
    return last;
}

static void attach(struct sql_node *parent, struct sql_node *first, struct sql_node *last)
{
    struct sql_node *tail = tail_of(parent);
    bool alone = !tail || parent->next;
    if (tail) {
        tail->next = first;
    } else {
        parent->first = first;
    }
    last->next = NULL;
    if (alone) {
        parent->next = last;
    }
}

struct sql_node *sql_mk(struct sql_parse *p, enum sql_node_kind kind, uint32_t off, struct sql_node **kids,
                        size_t n)
{
    if (!p->slab_left) {
        p->slab = sl_arena_alloc(p->arena, SLAB_NODES * sizeof(*p->slab));
        p->slab_left = SLAB_NODES;
    }
    struct sql_node *node = &p->slab[SLAB_NODES - p->slab_left--];
    *node = (struct sql_node){.kind = (uint16_t)kind, .off = off, .len = p->end > off ? p->end - off : 0};
    for (size_t i = 1; i < n; i++) {
        if (kids[i]) {
            node->depth = SL_MAX(node->depth, kids[i]->depth + 1);
            attach(node, kids[i], kids[i]);
        }
    }
    if (node->depth > SL_LIMIT_TREE_DEPTH) {
        sql_parse_too_deep(p);
    }
    return node;
}

void sql_nodes_end(struct sql_parse *p)
{
    if (p->slab_left) {
        sl_arena_trim(p->arena, p->slab, SLAB_NODES * sizeof(*p->slab),
                      (SLAB_NODES - p->slab_left) * sizeof(*p->slab));
        p->slab_left = 0;
    }
}

struct sql_node *sql_add(struct sql_parse *p, struct sql_node *parent, struct sql_node *child)
{
    parent->len = p->end > parent->off ? p->end - parent->off : 0;
    if (child) {
        parent->depth = SL_MAX(parent->depth, child->depth + 1);
        attach(parent, child, child);
    }
    return parent;
}

struct sql_node *sql_adopt(struct sql_parse *p, struct sql_node *parent, struct sql_node *list,
                           struct sql_node *more)
{
    if (list && list->first) {
        attach(parent, list->first, tail_of(list));
        parent->depth = SL_MAX(parent->depth, list->depth);
    }
    return sql_add(p, parent, more);
}

struct sql_node *sql_root(struct sql_node *n)
{
    n->next = NULL;
    return n;
}

struct sql_node *sql_respan(struct sql_parse *p, struct sql_node *n, uint32_t off)
{
    n->off = off;
    n->len = p->end > off ? p->end - off : 0;
    return n;
}

struct sql_node *sql_child(const struct sql_node *n, enum sql_node_kind kind)
{
    struct sql_node *c = n ? n->first : NULL;
    while (c && c->kind != kind) {
        c = c->next;
    }
    return c;
}

const struct sql_node *sql_last(const struct sql_node *n)
{
    const struct sql_node *c = n->first;
    while (c && c->next) {
        c = c->next;
    }
    return c;
}

const struct sql_node *sql_node_child(const struct sql_node *n, enum sql_node_kind k)
{
    return sql_child(n, k);
}

const struct sql_node *sql_node_next(const struct sql_node *n)
{
    enum sql_node_kind k = n->kind;
    for (n = n->next; n && n->kind != k; n = n->next) {
    }
    return n;
}

size_t sql_node_count(const struct sql_node *n)
{
    size_t count = 0;
    for (const struct sql_node *c = n->first; c; c = c->next) {
        count++;
    }
    return count;
}

struct sql_node *sql_ident(struct sql_parse *p, struct sql_tok t)
{
    struct sql_node *n = MK(IDENT, t.off);
    n->len = t.end - t.off;
    if (t.kind == TK_MODEL && (sql_words[SQL_W_MODEL].reserved >> sql_version_index(p->version) & 1)) {
        check(p, SQL_CHECK_UNEXPECTED, t.off, t.end);
    }
    if (p->names) {
        p->names[t.off / 8] |= (uint8_t)(1u << t.off % 8);
    }
    if (n->len > SL_LIMIT_IDENTIFIER_UTF16) {
        size_t units = 0;
        for (uint32_t i = t.off; i < t.end; i++) {
            unsigned char c = (unsigned char)p->text.p[i];
            units += (c & 0xc0) != 0x80;
            units += c >= 0xf0;
            if (c == '`') {
                units--;
                /* a doubled back-tick counts once: the pair loses two, so give one back */
                if (i > t.off && i + 2 < t.end && p->text.p[i + 1] == '`') {
                    units++;
                }
            }
        }
        if (units > SL_LIMIT_IDENTIFIER_UTF16) {
            check(p, SQL_CHECK_IDENT_LENGTH, t.off, t.end);
        }
    }
    return n;
}

struct sql_node *sql_name(struct sql_parse *p, struct sql_node *ident)
{
    struct sql_node *n = MK(NAME, ident->off, ident);
    n->len = ident->len;
    return n;
}

struct sql_node *sql_literal(struct sql_parse *p, struct sql_tok t)
{
    struct sql_node *n = MK(LITERAL, t.off);
    n->len = t.end - t.off;
    n->op = t.kind;
    return n;
}

struct sql_node *sql_binary(struct sql_parse *p, struct sql_node *a, struct sql_tok op, struct sql_node *b)
{
    struct sql_node *n = MK(BINARY, a->off, a, b);
    n->op = op.kind;
    return n;
}

struct sql_node *sql_unary(struct sql_parse *p, struct sql_tok op, struct sql_node *a)
{
    struct sql_node *n = MK(UNARY, op.off, a);
    n->op = op.kind;
    return n;
}

struct sql_node *sql_like(struct sql_parse *p, struct sql_node *a, struct sql_tok op, struct sql_node *b,
                          struct sql_node *escape)
{
    struct sql_node *n = MK(LIKE, a->off, a, b, escape);
    n->op = (uint16_t)(op.kind | op.word);
    if (escape) {
        p->flat = true;
        sql_check_escape(p, escape);
    }
    return n;
}

/* One item is a parenthesis, several are a row; the word ROW always makes a row. */
struct sql_node *sql_row(struct sql_parse *p, struct sql_node *items, uint32_t off, bool word)
{
    sql_respan(p, items, off);
    bool has_default = sql_child(items, SQL_N_DEFAULT);
#if defined(PLANT) && PLANT == 3
    static const bool few[4] = {true, true, true, true};
    word = word || !few[sql_node_count(items)];
#endif
    items->kind = word || has_default || items->first->next ? SQL_N_ROW : SQL_N_PAREN;
    items->op = word;
    if (has_default) {
        items->op |= 2;
        if (!p->defaults++) {
            p->default_off = sql_child(items, SQL_N_DEFAULT)->off;
        }
    }
    return items;
}

/* A row of VALUES: here DEFAULT is allowed, in one row, ROW(...) or (ROW(...)). */
struct sql_node *sql_values_row(struct sql_parse *p, struct sql_node *e)
{
    sql_check_row(p, e);
    const struct sql_node *row = e;
    if (row->kind == SQL_N_PAREN && row->first->kind == SQL_N_ROW && (row->first->op & ~2) == 1) {
        row = row->first;
    }
    if (row->kind == SQL_N_ROW && (row->op & ~1) == 2) {
        p->defaults--;
    }
    return e;
}

struct sql_node *sql_cursor(struct sql_parse *p, struct sql_node *query, struct sql_tok t)
{
    if (!p->cursors++) {
        p->cursor_off = t.off;
    }
    return sql_op(MK(CALL, t.off, query), TK_CURSOR);
}

void sql_take_cursors(struct sql_parse *p, const struct sql_node *args)
{
    for (const struct sql_node *e = args->first; e; e = e->next) {
        const struct sql_node *arg = e->kind == SQL_N_NAMED_ARG ? sql_last(e) : e;
        while (arg->kind == SQL_N_PAREN || arg->kind == SQL_N_FIELD || arg->kind == SQL_N_ITEM ||
               (arg->kind == SQL_N_TABLE_ARG && arg->first->kind != SQL_N_NAME)) {
            arg = arg->first;
        }
        p->cursors -= arg->kind == SQL_N_CALL && arg->op == TK_CURSOR;
    }
}

struct sql_node *sql_datetime_minus(struct sql_parse *p, struct sql_node *items, uint32_t off,
                                    struct sql_node *unit)
{
    const struct sql_node *e = items->first;
    while (e && !e->next && e->kind == SQL_N_PAREN) {
        e = e->first;
    }
    if (!e || items->first->next || e->kind != SQL_N_BINARY || e->op != TK_MINUS) {
        check(p, SQL_CHECK_DATETIME_MINUS, off, p->end);
    }
    struct sql_node *n = sql_adopt(p, MK(INTERVAL, off), items, unit);
    return sql_op(n, 2);
}

struct sql_node *sql_set_op(struct sql_parse *p, struct sql_node *a, struct sql_tok op, struct sql_tok quant,
                            struct sql_node *b)
{
    struct sql_node *n = MK(SET_OP, a->off, a, b);
    n->op = (uint16_t)(op.kind | (quant.kind == TK_ALL ? SQL_OP_ALL : 0));
    sql_check_ends_row_query(p, a, NULL);
    return n;
}

struct sql_node *sql_join(struct sql_parse *p, struct sql_node *a, struct sql_tok op, unsigned natural,
                          struct sql_node *b, struct sql_node *cond)
{
    struct sql_node *n = MK(JOIN, a->off, a, b, cond);
    n->op = (uint16_t)(op.kind | natural);
    return n;
}

struct sql_node *sql_alias(struct sql_parse *p, struct sql_node *table, struct sql_node *alias)
{
    check_not_join(p, table);
    return sql_add(p, table, alias);
}

struct sql_node *sql_partitioned(struct sql_parse *p, struct sql_node *name, struct sql_node *e,
                                 struct sql_node *columns, struct sql_node *order)
{
    struct sql_node *n = MK(TABLE_ARG, e->off, e, columns, order);
    return name == e ? n : MK(NAMED_ARG, name->off, name, n);
}

struct sql_node *sql_collection(struct sql_parse *p, struct sql_node *element, struct sql_tok t)
{
    struct sql_node *n = MK(TYPE, element->off, element);
    n->op = t.kind;
    return n;
}

struct sql_node *sql_nullity(struct sql_parse *p, struct sql_node *type, int nullity)
{
    if (nullity == 2) {
        type->op |= SQL_OP_NEGATED;
    }
    return nullity ? sql_respan(p, type, type->off) : type;
}

struct sql_node *sql_drop(struct sql_parse *p, struct sql_tok t, int flags, struct sql_tok object,
                          int if_exists, struct sql_node *name)
{
    struct sql_node *n = MK(DROP, t.off, name);
    n->op = (uint16_t)(object.kind | flags | if_exists);
    if (object.kind == TK_MATERIALIZED && flags) {
        check(p, SQL_CHECK_MT_TEMPORARY, object.off, object.end);
    }
    if ((flags & SQL_OP_SYSTEM) && object.kind != TK_FUNCTION && object.kind != TK_CONNECTION) {
        check(p, SQL_CHECK_UNEXPECTED, object.off, object.end);
    }
    return n;
}

static void print(struct sl_buf *b, const struct sql_node *n, sl_str sql)
{
    if (!n->first) {
        bool named = n->kind != SQL_N_IDENT && n->kind != SQL_N_LITERAL && n->kind != SQL_N_STRING;
        if (named) {
            sl_buf_printf(b, "(%s", sql_node_kind_name(n->kind));
        }
        if (n->len) {
            sl_buf_printf(b, "%s%.*s", named ? " " : "", SL_S(sql_node_text(n, sql)));
        }
        if (named) {
            sl_buf_putc(b, ')');
        }
        return;
    }
    sl_buf_printf(b, "(%s", sql_node_kind_name(n->kind));
    unsigned token = n->op & SQL_OP_TOKEN;
    if (n->kind == SQL_N_BINARY || n->kind == SQL_N_UNARY || n->kind == SQL_N_IS || n->kind == SQL_N_LIKE ||
        n->kind == SQL_N_SET_OP || n->kind == SQL_N_JOIN || n->kind == SQL_N_QUANTIFIED) {
        sl_buf_printf(b, ":%s", sql_token_name(token));
    }
    if ((n->op & SQL_OP_NEGATED) && n->kind != SQL_N_TYPE) {
        sl_buf_putc(b, '!');
    }
    for (const struct sql_node *c = n->first; c; c = c->next) {
        sl_buf_putc(b, ' ');
        print(b, c, sql);
    }
    sl_buf_putc(b, ')');
}

sl_str sql_node_print(struct sl_arena *a, const struct sql_node *n, sl_str sql)
{
    struct sl_buf b;
    sl_buf_init(&b, SL_LIMIT_BUF_BYTES);
    print(&b, n, sql);
    sl_str out = sl_str_dup(a, sl_buf_str(&b));
    sl_buf_release(&b);
    return out;
}
