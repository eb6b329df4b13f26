/* SPDX-License-Identifier: Apache-2.0
 * Compares the operators that keep state in two execution plans. */
#include "gateway/jobs/fit.h"

#include "gateway/jobs/loss.h"

#include <stdio.h>
#include <string.h>

#define NODES_MAX 512

struct node {
    sl_str line; /* from the operator's name on */
    sl_str name;
    size_t depth;
};
struct tree {
    struct node v[NODES_MAX];
    size_t n;
};

static sl_str word_at(sl_str s, size_t at)
{
    size_t n = at;
    while (n < s.n && ((s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] >= 'A' && s.p[n] <= 'Z') ||
                       (s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == '_')) {
        n++;
    }
    return sl_str_sub(s, at, n - at);
}

/* Exchanges and unions are edges of the job graph, not operators. */
static bool is_edge(sl_str name)
{
    return sl_str_eqz(name, "Exchange") || sl_str_eqz(name, "Union");
}

static bool read_tree(sl_str text, struct tree *ret)
{
    static const sl_str head = {"== Optimized Execution Plan ==", 30};
    ptrdiff_t at = sl_str_find(text, head);
    ret->n = 0;
    if (at < 0) {
        return false;
    }
    for (size_t i = (size_t)at + head.n; i < text.n;) {
        size_t end = i;
        while (end < text.n && text.p[end] != '\n') {
            end++;
        }
        sl_str line = sl_str_sub(text, i, end - i);
        i = end + 1;
        size_t from = 0;
        while (from < line.n && (line.p[from] == ' ' || line.p[from] == ':' || line.p[from] == '+' ||
                                 line.p[from] == '-' || line.p[from] == '|')) {
            from++;
        }
        sl_str name = word_at(line, from);
        if (name.n == 0 || sl_str_starts(line, SL_STR("=="))) {
            continue;
        }
        if (ret->n == NODES_MAX) {
            return false;
        }
        ret->v[ret->n++] =
            (struct node){.line = sl_str_sub(line, from, line.n - from), .name = name, .depth = from / 3};
    }
    return ret->n > 0;
}

static bool keeps(const struct node *n)
{
    char vertex[80], what[64];
    snprintf(vertex, sizeof(vertex), "%.*s[1]", (int)SL_MIN(n->name.n, (size_t)70), n->name.p);
    return loss_stateful_name(sl_str_of(vertex), what);
}

/* Where the node's own tree ends. */
static size_t end_of(const struct tree *t, size_t at)
{
    size_t i = at + 1;
    while (i < t->n && t->v[i].depth > t->v[at].depth) {
        i++;
    }
    return i;
}

/* How many operators lie between a node and the top of its tree. */
static size_t height(const struct tree *t, size_t top, size_t at)
{
    size_t edges = 0, depth = t->v[at].depth;
    for (size_t i = at; i-- > top;) {
        if (t->v[i].depth < depth) {
            depth = t->v[i].depth;
            edges += is_edge(t->v[i].name);
        }
    }
    return t->v[at].depth - t->v[top].depth - edges;
}

static bool same_shape(const struct tree *x, size_t i, const struct tree *y, size_t k)
{
    size_t end_i = end_of(x, i), end_k = end_of(y, k), at_i = i, at_k = k;
    for (;;) {
        while (at_i < end_i && is_edge(x->v[at_i].name)) {
            at_i++;
        }
        while (at_k < end_k && is_edge(y->v[at_k].name)) {
            at_k++;
        }
        if (at_i == end_i || at_k == end_k) {
            return at_i == end_i && at_k == end_k;
        }
        if (height(x, i, at_i) != height(y, k, at_k)) {
            return false;
        }
        at_i++;
        at_k++;
    }
}

/* The value of `key=[...]` in the operator's line; empty when it has none. */
static sl_str list_of(sl_str line, const char *key)
{
    ptrdiff_t at = sl_str_find(line, sl_str_of(key));
    if (at < 0) {
        return SL_STR_NONE;
    }
    size_t from = (size_t)at + strlen(key), end = from;
    int depth = 1;
    while (end < line.n && depth > 0) {
        depth += (line.p[end] == '[' || line.p[end] == '(') - (line.p[end] == ']' || line.p[end] == ')');
        end++;
    }
    return sl_str_sub(line, from, end - from - 1);
}

static size_t members(sl_str list)
{
    size_t n = list.n > 0;
    int depth = 0;
    for (size_t i = 0; i < list.n; i++) {
        depth += (list.p[i] == '[' || list.p[i] == '(') - (list.p[i] == ']' || list.p[i] == ')');
        n += depth == 0 && list.p[i] == ',';
    }
    return n;
}

/* The functions of a list, in order: "k, COUNT(*) AS n, SUM(x)" as COUNT, SUM. Moves `*at` behind the one it gives. */
static sl_str next_function(sl_str list, size_t *at)
{
    while (*at < list.n) {
        sl_str word = word_at(list, *at);
        *at += word.n ? word.n : 1;
        if (word.n && *at < list.n && list.p[*at] == '(') {
            return word;
        }
    }
    return SL_STR_NONE;
}

static bool keeps_the_same(const struct node *x, const struct node *y)
{
    static const char *const keys[] = {"groupBy=[", "partitionBy=[", "key=["};
    if (!sl_str_eq(x->name, y->name)) {
        return false;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(keys); i++) {
        if (members(list_of(x->line, keys[i])) != members(list_of(y->line, keys[i]))) {
            return false;
        }
    }
    sl_str a = list_of(x->line, "select=["), b = list_of(y->line, "select=[");
    for (size_t i = 0, k = 0;;) {
        sl_str f = next_function(a, &i), g = next_function(b, &k);
        if (!sl_str_eq(f, g)) {
            return false;
        }
        if (!f.n) {
            return true;
        }
    }
}

bool fit_plans(sl_str was, sl_str is, char ret_what[160])
{
    struct tree x, y;
    bool taken[NODES_MAX] = {false};
    if (!read_tree(was, &x) || !read_tree(is, &y)) {
        return true;
    }
    for (size_t i = 0; i < x.n; i++) {
        bool found = !keeps(&x.v[i]);
        for (size_t k = 0; k < y.n && !found; k++) {
            if (!taken[k] && keeps_the_same(&x.v[i], &y.v[k]) && same_shape(&x, i, &y, k)) {
                taken[k] = found = true;
            }
        }
        if (!found) {
            snprintf(ret_what, 160, "%.*s", (int)SL_MIN(x.v[i].line.n, (size_t)159), x.v[i].line.p);
            return false;
        }
    }
    return true;
}
