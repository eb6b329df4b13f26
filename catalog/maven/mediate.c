/* SPDX-License-Identifier: Apache-2.0
 * One of each: nodes that stand for the same artifact form a group, groups are gone through from the root downwards
 * (those that depend on each other in a circle by their depth), in each the nearest node wins, and the others go with
 * all below them. The walks find their items in the order of Maven's resolver, because ties are decided by it. */
#include "catalog/maven/graph.h"

#include <stdio.h>

struct keys {
    sl_str *v;
    size_t n;
};
struct group { /* of the marking; it may be replaced by a larger one */
    struct keys keys;
    size_t index;
};
struct family { /* a group of the sorting */
    size_t index, depth;
    int64_t in_degree;
    SL_VEC(struct family *) children;
    uint64_t *child_bits, *circle; /* sets of indexes; circle: those it stands in a circle with, or NULL */
    size_t place;                  /* on the stack of the search for circles, from 1; 0: not on it */
    bool known, visited;
};
struct mvn_item {
    struct mvn_list *parent;
    struct mvn_node *node;
    size_t depth;
    uint64_t scopes;
    uint8_t optionals;
};
enum { OPTIONAL_NO = 1, OPTIONAL_YES = 2 };

struct frame {
    struct mvn_node *node;
    uint8_t scope;
    bool optional;
    struct mvn_info *info; /* NULL: its items are known already */
};
struct mediation {
    struct mvn_graph *g;
    struct sl_arena *a;
    struct mvn_table groups;
    size_t group_count; /* numbers given to groups; those of replaced ones too */
    SL_VEC(struct mvn_node *) nodes;
    struct family *families; /* by index */
    SL_VEC(struct family *) seen, sorted, queue;
    size_t queue_out;
    bool circles;
    /* the walk for one group */
    size_t current, walk;
    bool *ancestor, *resolved;
    struct mvn_node **winner;
    SL_VEC(struct frame) way;
    SL_VEC(struct mvn_item *) items;
};
#define NO_GROUP SIZE_MAX

/* ---- groups: equal keys, with those of relocated artifacts ---- */

static bool has_key(const struct keys *k, sl_str key)
{
    for (size_t i = 0; i < k->n; i++) {
        if (sl_str_eq(k->v[i], key)) {
            return true;
        }
    }
    return false;
}

static bool has_all(const struct keys *big, const struct keys *small)
{
    for (size_t i = 0; i < small->n; i++) {
        if (!has_key(big, small->v[i])) {
            return false;
        }
    }
    return true;
}

static struct keys join(struct sl_arena *a, const struct keys *x, const struct keys *y)
{
    if (x->n < y->n ? has_all(y, x) : has_all(x, y)) {
        return x->n < y->n ? *y : *x;
    }
    struct keys all = {sl_new_n(a, sl_str, x->n + y->n), x->n};
    memcpy(all.v, x->v, x->n * sizeof(*x->v));
    for (size_t i = 0; i < y->n; i++) {
        if (!has_key(x, y->v[i])) {
            all.v[all.n++] = y->v[i];
        }
    }
    return all;
}

static struct group *group_new(struct mediation *m, struct keys keys)
{
    struct group *g = sl_new(m->a, struct group);
    g->keys = keys;
    g->index = m->group_count++;
    return g;
}

static void mark_node(struct mediation *m, const struct mvn_node *n)
{
    struct keys keys = {sl_new_n(m->a, sl_str, n->former_count + 1), 1};
    keys.v[0] = n->key;
    for (size_t i = 0; i < n->former_count; i++) {
        if (!has_key(&keys, n->former[i])) {
            keys.v[keys.n++] = n->former[i];
        }
    }
    struct group *group = NULL;
    bool map = false;
    for (size_t i = 0; i < keys.n; i++) {
        struct group *g = mvn_table_get(&m->groups, keys.v[i]);
        if (g == group) {
            continue;
        }
        if (!g) {
            map = true;
            continue;
        }
        struct keys all = join(m->a, &g->keys, group ? &group->keys : &keys);
        if (all.v == g->keys.v) {
            group = g;
            map = false;
            break;
        }
        if (!group || all.v != group->keys.v) {
            group = group_new(m, all);
            map = true;
        }
    }
    if (!group) {
        group = group_new(m, keys);
        map = true;
    }
    for (size_t i = 0; map && i < group->keys.n; i++) {
        mvn_table_put(&m->groups, m->a, group->keys.v[i], group);
    }
}

static void mark(struct mediation *m, struct mvn_node *n)
{
    if (n->seen) {
        return;
    }
    n->seen = true;
    if (!n->is_root) {
        sl_vec_push(m->a, &m->nodes, n);
        mark_node(m, n);
    }
    for (size_t i = 0; i < n->children->n; i++) {
        mark(m, n->children->v[i]);
    }
}

/* ---- the order of the groups ---- */

static bool bit(const uint64_t *bits, size_t i)
{
    return bits && (bits[i / 64] >> (i % 64) & 1);
}

static size_t words(const struct mediation *m)
{
    return m->group_count / 64 + 1;
}

static void pull_up(struct family *f, size_t depth)
{
    if (depth < f->depth) {
        f->depth = depth;
        for (size_t i = 0; i < f->children.n; i++) {
            pull_up(f->children.v[i], depth + 1);
        }
    }
}

static void link_families(struct mediation *m, struct mvn_node *n, struct family *f, size_t depth)
{
    if (n->sorted) {
        return;
    }
    n->sorted = true;
    depth++;
    for (size_t i = 0; i < n->children->n; i++) {
        struct mvn_node *child = n->children->v[i];
        struct family *c = &m->families[child->group];
        if (!c->known) {
            *c = (struct family){.index = child->group, .depth = depth, .known = true};
            sl_vec_push(m->a, &m->seen, c);
        } else {
            pull_up(c, depth);
        }
        if (f) {
            if (!f->child_bits) {
                f->child_bits = sl_new_n(m->a, uint64_t, words(m));
            }
            if (!bit(f->child_bits, c->index)) {
                f->child_bits[c->index / 64] |= (uint64_t)1 << (c->index % 64);
                sl_vec_push(m->a, &f->children, c);
                c->in_degree++;
            }
        }
        link_families(m, child, c, depth);
    }
}

/* Nearest first, of equal depth in the order of coming. */
static void enqueue(struct mediation *m, struct family *f)
{
    sl_vec_push(m->a, &m->queue, f);
    for (size_t i = m->queue.n - 1; i > m->queue_out && f->depth < m->queue.v[i - 1]->depth; i--) {
        m->queue.v[i] = m->queue.v[i - 1];
        m->queue.v[i - 1] = f;
    }
}

/* Children in the order in which a table of small numbers hands them out, as it decides ties in the resolver. */
static void order_children(struct mediation *m, struct family *f)
{
    size_t cap = 16, n = f->children.n;
    while (n > cap / 4 * 3) {
        cap *= 2;
    }
    struct family **out = sl_new_n(m->a, struct family *, n + 1);
    size_t *start = sl_new_n(m->a, size_t, cap + 1);
    for (size_t i = 0; i < n; i++) {
        start[(f->children.v[i]->index & (cap - 1)) + 1]++;
    }
    for (size_t i = 0; i < cap; i++) {
        start[i + 1] += start[i];
    }
    for (size_t i = 0; i < n; i++) {
        out[start[f->children.v[i]->index & (cap - 1)]++] = f->children.v[i];
    }
    f->children.v = out;
    f->children.cap = n + 1;
}

static void drain(struct mediation *m)
{
    while (m->queue_out < m->queue.n) {
        struct family *f = m->queue.v[m->queue_out++];
        sl_vec_push(m->a, &m->sorted, f);
        for (size_t i = 0; i < f->children.n; i++) {
            if (--f->children.v[i]->in_degree == 0) {
                enqueue(m, f->children.v[i]);
            }
        }
    }
}

static void find_circles(struct mediation *m, struct family *f, struct family **stack, size_t n)
{
    if (f->place) {
        for (size_t i = f->place - 1; i < n; i++) {
            struct family *x = stack[i];
            if (!x->circle) {
                x->circle = sl_new_n(m->a, uint64_t, words(m));
            }
            for (size_t j = f->place - 1; j < n; j++) {
                x->circle[stack[j]->index / 64] |= (uint64_t)1 << (stack[j]->index % 64);
            }
        }
        m->circles = true;
        return;
    }
    if (f->visited) {
        return;
    }
    f->visited = true;
    stack[n] = f;
    f->place = n + 1;
    for (size_t i = 0; i < f->children.n; i++) {
        find_circles(m, f->children.v[i], stack, n + 1);
    }
    f->place = 0;
}

static void sort_families(struct mediation *m)
{
    m->families = sl_new_n(m->a, struct family, m->group_count + 1);
    link_families(m, m->g->root, NULL, 0);
    for (size_t i = 0; i < m->seen.n; i++) {
        order_children(m, m->seen.v[i]);
    }
    for (size_t i = 0; i < m->seen.n; i++) {
        if (m->seen.v[i]->in_degree == 0) {
            enqueue(m, m->seen.v[i]);
        }
    }
    drain(m);
    bool left = m->sorted.n < m->seen.n;
    while (m->sorted.n < m->seen.n) {
        struct family *nearest = NULL;
        for (size_t i = 0; i < m->seen.n; i++) {
            struct family *f = m->seen.v[i];
            if (f->in_degree > 0 && (!nearest || f->depth < nearest->depth ||
                                     (f->depth == nearest->depth && f->in_degree < nearest->in_degree))) {
                nearest = f;
            }
        }
        if (!nearest) {
            break;
        }
        nearest->in_degree = 0;
        enqueue(m, nearest);
        drain(m);
    }
    if (left) {
        struct family **stack = sl_new_n(m->a, struct family *, m->seen.n + 1);
        for (size_t i = 0; i < m->seen.n; i++) {
            find_circles(m, m->seen.v[i], stack, 0);
        }
    }
}

/* ---- the walk for one group ---- */

static uint8_t derived_scope(const struct mediation *m, const struct mvn_node *n, bool known)
{
    if (n->managed_scope || known || !m->way.n) {
        return n->scope;
    }
    uint8_t parent = m->way.v[m->way.n - 1].scope;
    if (n->scope == MVN_SYSTEM || n->scope == MVN_TEST || parent == MVN_NO_SCOPE || parent == MVN_COMPILE) {
        return n->scope;
    }
    if (parent == MVN_TEST || parent == MVN_RUNTIME) {
        return parent;
    }
    return parent == MVN_SYSTEM || parent == MVN_PROVIDED ? MVN_PROVIDED : MVN_RUNTIME;
}

static bool derived_optional(const struct mediation *m, const struct mvn_node *n, bool known)
{
    if (n->optional || n->managed_optional || known || !m->way.n) {
        return n->optional;
    }
    return m->way.v[m->way.n - 1].optional;
}

static uint8_t optional_bit(bool optional)
{
    return optional ? OPTIONAL_YES : OPTIONAL_NO;
}

static bool enter(struct mediation *m, struct mvn_node *n)
{
    struct mvn_list *l = n->children;
    if ((!n->is_root && !m->ancestor[n->group]) || l->open) {
        return false;
    }
    bool known = !n->is_root && m->resolved[n->group];
    struct frame f = {.node = n,
                      .scope = n->is_root ? MVN_NO_SCOPE : derived_scope(m, n, known),
                      .optional = !n->is_root && derived_optional(m, n, known)};
    uint64_t scope = (uint64_t)1 << f.scope;
    uint8_t optional = optional_bit(f.optional);
    uint32_t depth = (uint32_t)m->way.n;
    if (l->walk != m->walk) {
        l->walk = m->walk;
        l->info = (struct mvn_info){.depth = depth, .scopes = scope, .optionals = optional};
        f.info = &l->info;
        sl_vec_push(m->a, &m->way, f);
    } else {
        l->info.depth = depth < l->info.depth ? depth : l->info.depth;
        bool new_scope = !(l->info.scopes & scope), new_optional = !(l->info.optionals & optional);
        if (!new_scope && !new_optional) {
            return false;
        }
        l->info.scopes |= scope;
        l->info.optionals |= optional;
        sl_vec_push(m->a, &m->way, f);
        for (size_t i = 0; i < l->info.items.n; i++) {
            struct mvn_item *it = l->info.items.v[i];
            it->scopes |= new_scope ? (uint64_t)1 << derived_scope(m, it->node, false) : 0;
            it->optionals |= new_optional ? optional_bit(derived_optional(m, it->node, false)) : 0;
        }
    }
    l->open = true;
    return true;
}

static void add_item(struct mediation *m, struct mvn_node *n)
{
    struct frame *f = m->way.n ? &m->way.v[m->way.n - 1] : NULL;
    if (f && !f->info) {
        return;
    }
    struct mvn_item *it = sl_new(m->a, struct mvn_item);
    *it = (struct mvn_item){.parent = f ? f->node->children : NULL,
                            .node = n,
                            .scopes = (uint64_t)1 << derived_scope(m, n, false),
                            .optionals = optional_bit(derived_optional(m, n, false))};
    if (f) {
        sl_vec_push(m->a, &f->info->items, it);
    }
    sl_vec_push(m->a, &m->items, it);
}

static void remove_at(struct mvn_list *l, size_t i)
{
    memmove(&l->v[i], &l->v[i + 1], (l->n - 1 - i) * sizeof(*l->v));
    l->n--;
}

/* Collects the items of the current group below a node. False: the node lost earlier and is to go. */
static bool gather(struct mediation *m, struct mvn_node *n)
{
    if (!n->is_root && n->group == m->current) {
        add_item(m, n);
        return true;
    }
    if (!n->is_root && m->winner[n->group] && m->winner[n->group] != n) {
        return false;
    }
    if (enter(m, n)) {
        struct mvn_list *l = n->children;
        for (size_t i = 0; i < l->n;) {
            if (gather(m, l->v[i])) {
                i++;
            } else {
                remove_at(l, i);
            }
        }
        m->way.n--;
        l->open = false;
    }
    return true;
}

/* ---- the winner ---- */

static bool acceptable(const struct mediation *m, size_t upto, const struct mvn_node *n)
{
    for (size_t i = 0; i <= upto; i++) {
        const struct mvn_constraint *c = m->items.v[i]->node->constraint;
        if (c->n && !mvn_constraint_has(c, &n->version)) {
            return false;
        }
    }
    return true;
}

static bool nearer(const struct mvn_item *a, const struct mvn_item *b)
{
    return a->parent == b->parent ? mvn_version_cmp(&a->node->version, &b->node->version) > 0
                                  : a->depth < b->depth;
}

static bool choose(struct mediation *m, struct mvn_item **ret, struct sl_err *err)
{
    struct mvn_item *winner = NULL;
    bool *candidate = sl_new_n(m->a, bool, m->items.n + 1);
    for (size_t i = 0; i < m->items.n; i++) {
        struct mvn_item *it = m->items.v[i];
        const struct mvn_constraint *c = it->node->constraint;
        bool back = c->n && winner && !mvn_constraint_has(c, &winner->node->version);
        candidate[i] = acceptable(m, i, it->node);
        if (back) {
            winner = NULL;
            for (size_t j = 0; j <= i; j++) {
                candidate[j] = candidate[j] && acceptable(m, i, m->items.v[j]->node);
                if (candidate[j] && (!winner || nearer(m->items.v[j], winner))) {
                    winner = m->items.v[j];
                }
            }
        } else if (candidate[i] && (!winner || nearer(it, winner))) {
            winner = it;
        }
        if (!winner && (back || i + 1 == m->items.n)) {
            const struct mvn_node *n = it->node;
            sl_fail(err, SL_VERSION_CONFLICT, "no version of %.*s:%.*s suits all that ask for it", SL_S(n->g),
                    SL_S(n->a));
            for (size_t j = 0; j <= i && j < 6; j++) {
                size_t at = strlen(err->msg);
                snprintf(err->msg + at, sizeof(err->msg) - at, "\n  %.*s is asked for",
                         SL_S(m->items.v[j]->node->version.text));
            }
            return false;
        }
    }
    *ret = winner;
    return true;
}

static uint8_t chosen_scope(const struct mediation *m, const struct mvn_item *winner)
{
    if (winner->node->scope == MVN_SYSTEM) {
        return MVN_SYSTEM;
    }
    uint64_t all = 0;
    for (size_t i = 0; i < m->items.n; i++) {
        if (m->items.v[i]->depth <= 1) {
            return m->items.v[i]->node->scope;
        }
        all |= m->items.v[i]->scopes;
    }
    if (all & (all - 1)) {
        all &= ~((uint64_t)1 << MVN_SYSTEM);
    }
    if (!(all & (all - 1))) {
        return (uint8_t)__builtin_ctzll(all);
    }
    for (uint8_t s = MVN_COMPILE; s <= MVN_TEST; s++) {
        if (all >> s & 1) {
            return s;
        }
    }
    return MVN_NO_SCOPE;
}

static bool chosen_optional(const struct mediation *m)
{
    bool optional = true;
    for (size_t i = 0; i < m->items.n; i++) {
        if (m->items.v[i]->depth <= 1) {
            return m->items.v[i]->node->optional;
        }
        optional &= !(m->items.v[i]->optionals & OPTIONAL_NO);
    }
    return optional;
}

static void prepare(struct mediation *m, size_t group)
{
    m->current = group;
    m->walk++;
    m->items.n = 0;
    m->way.n = 0;
    const uint64_t *circle = group == NO_GROUP ? NULL : m->families[group].circle;
    for (size_t i = 0; circle && i < m->group_count; i++) {
        m->ancestor[i] |= bit(circle, i);
    }
}

static bool settle(struct mediation *m, struct mvn_item **ret_winner, struct sl_err *err)
{
    *ret_winner = NULL;
    for (size_t i = 0; i < m->items.n; i++) {
        struct mvn_item *it = m->items.v[i];
        it->depth = it->parent ? it->parent->info.depth + 1 : 0;
    }
    m->ancestor[m->current] = true;
    if (!m->items.n) {
        return true;
    }
    struct mvn_item *winner = NULL;
    if (!choose(m, &winner, err)) {
        return false;
    }
    winner->node->scope = chosen_scope(m, winner);
    winner->node->optional = chosen_optional(m);
    for (size_t i = 0; i < m->items.n; i++) {
        struct mvn_item *it = m->items.v[i];
        for (size_t j = 0; it != winner && it->parent && j < it->parent->n; j++) {
            if (it->parent->v[j] == it->node) {
                remove_at(it->parent, j);
                break;
            }
        }
    }
    *ret_winner = winner;
    return true;
}

bool mvn_mediate(struct mvn_graph *g, struct sl_err *err)
{
    SL_ARENA_AUTO work = {0};
    struct mediation m = {.g = g, .a = &work};
    mark(&m, g->root);
    for (size_t i = 0; i < m.nodes.n; i++) {
        struct group *of = mvn_table_get(&m.groups, m.nodes.v[i]->key);
        m.nodes.v[i]->group = of ? of->index : 0;
    }
    sort_families(&m);
    m.ancestor = sl_new_n(&work, bool, m.group_count + 1);
    m.resolved = sl_new_n(&work, bool, m.group_count + 1);
    m.winner = sl_new_n(&work, struct mvn_node *, m.group_count + 1);
    for (size_t i = 0; i < m.sorted.n; i++) {
        struct mvn_item *winner = NULL;
        prepare(&m, m.sorted.v[i]->index);
        (void)gather(&m, g->root);
        if (!settle(&m, &winner, err)) {
            return false;
        }
        m.resolved[m.current] = true;
        m.winner[m.current] = winner ? winner->node : NULL;
        if (i + 1 == m.sorted.n && m.circles && winner) {
            prepare(&m, NO_GROUP);
            (void)gather(&m, winner->node);
        }
    }
    return true;
}
