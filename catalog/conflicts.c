/* SPDX-License-Identifier: Apache-2.0
 * One hash over all class names; the first jar that has a name is held against every other one. */
#include "catalog/conflicts.h"

#include <stdlib.h>

#define NAMES_SHOWN 5

struct owner {
    const struct cat_class *class;
    size_t jar;
};

struct work {
    struct sl_arena *a;
    const struct cat_path_jar *path;
    size_t n;
    struct owner *slots;
    size_t n_slots;
    size_t *clash; /* first * n + other: index + 1 in ret->clashes */
    size_t *rank;  /* place of a jar in the order of Flink's scripts */
    struct cat_conflicts *ret;
};

static bool is_dist(sl_str file)
{
    return sl_str_starts(file, SL_STR("flink-dist"));
}

/* By name, byte for byte; flink-dist last. */
static void rank_jars(struct work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        sl_str mine = w->path[i].index->file;
        for (size_t k = 0; k < w->n; k++) {
            sl_str other = w->path[k].index->file;
            bool before = is_dist(mine) != is_dist(other) ? is_dist(mine) : sl_str_cmp(other, mine) < 0;
            w->rank[i] += k != i && before;
        }
    }
}

static struct cat_clash *clash_of(struct work *w, size_t first, size_t other)
{
    size_t *at = &w->clash[first * w->n + other];
    if (!*at) {
        struct cat_clash *c = sl_vec_add(w->a, &w->ret->clashes);
        c->first = first;
        c->other = other;
        c->apart =
            w->path[first].flink && sl_str_starts(w->path[first].index->file, SL_STR("flink-table-planner"));
        c->turns = !c->apart && w->rank[other] < w->rank[first];
        *at = w->ret->clashes.n;
    }
    return &w->ret->clashes.v[*at - 1];
}

static void note_class(struct work *w, size_t jar, const struct cat_class *c)
{
    size_t at = sl_str_hash(c->name) & (w->n_slots - 1);
    while (w->slots[at].class && !sl_str_eq(w->slots[at].class->name, c->name)) {
        at = (at + 1) & (w->n_slots - 1);
    }
    struct owner *o = &w->slots[at];
    if (!o->class) {
        *o = (struct owner){c, jar};
        return;
    }
    if (o->jar == jar || (w->path[o->jar].flink && w->path[jar].flink)) {
        return; /* twice in one jar, or Flink's own business */
    }
    struct cat_clash *x = clash_of(w, o->jar, jar);
    bool same = o->class->crc == c->crc && o->class->size == c->size;
    x->same += same;
    x->differing += !same;
    if (!same && x->names.n < NAMES_SHOWN) {
        sl_vec_push(w->a, &x->names, c->name);
    }
}

/* flink-scala_2.12 is flink-scala. */
static sl_str without_scala(sl_str name, sl_str *ret_scala)
{
    static const char *const suffixes[] = {"_2.11", "_2.12", "_2.13", "_3"};
    for (size_t i = 0; i < SL_ARRAY_LEN(suffixes); i++) {
        sl_str s = sl_str_of(suffixes[i]);
        if (sl_str_ends(name, s)) {
            *ret_scala = sl_str_sub(name, name.n - s.n + 1, s.n - 1);
            return sl_str_sub(name, 0, name.n - s.n);
        }
    }
    *ret_scala = SL_STR_NONE;
    return name;
}

struct held {
    sl_str key, version;
    size_t jar;
};

static int held_cmp(const void *x, const void *y)
{
    const struct held *a = x, *b = y;
    int c = sl_str_cmp(a->key, b->key);
    c = c ? c : sl_str_cmp(a->version, b->version);
    return c ? c : (a->jar > b->jar) - (a->jar < b->jar);
}

/* Of sorted entries those of one key that have more than one version, in more than one jar. */
static void note_versions(struct work *w, struct held *v, size_t n, bool scala)
{
    if (n) {
        qsort(v, n, sizeof(*v), held_cmp);
    }
    for (size_t i = 0, end; i < n; i = end) {
        bool differ = false;
        for (end = i + 1; end < n && sl_str_eq(v[end].key, v[i].key); end++) {
            differ |= !sl_str_eq(v[end].version, v[i].version) && v[end].jar != v[i].jar;
        }
        if (!differ) {
            continue;
        }
        struct cat_versions *x = sl_vec_add(w->a, &w->ret->versions);
        x->artifact = v[i].key;
        x->scala = scala;
        for (size_t k = i; k < end; k++) {
            if (k == i || !sl_str_eq(v[k].version, v[k - 1].version)) {
                sl_vec_push(w->a, &x->v,
                            sl_arena_printf(w->a, "%.*s (%.*s)", SL_S(v[k].version),
                                            SL_S(w->path[v[k].jar].index->file)));
            }
        }
    }
}

static void find_versions(struct work *w)
{
    size_t n = 0, at = 0, scalas = 0;
    for (size_t i = 0; i < w->n; i++) {
        n += w->path[i].index->bundled.n;
    }
    struct held *v = sl_new_n(w->a, struct held, n + 1), *s = sl_new_n(w->a, struct held, n + 1);
    for (size_t i = 0; i < w->n; i++) {
        for (size_t k = 0; k < w->path[i].index->bundled.n; k++) {
            const struct cat_bundled *b = &w->path[i].index->bundled.v[k];
            sl_str scala, plain = without_scala(b->a, &scala);
            v[at++] = (struct held){sl_arena_printf(w->a, "%.*s:%.*s", SL_S(b->g), SL_S(b->a)), b->v, i};
            if (scala.n) {
                sl_str key = sl_arena_printf(w->a, "%.*s:%.*s", SL_S(b->g), SL_S(plain));
                s[scalas++] = (struct held){key, scala, i};
            }
        }
    }
    note_versions(w, v, at, false);
    note_versions(w, s, scalas, true);
}

static int clash_cmp(const void *x, const void *y)
{
    const struct cat_clash *a = x, *b = y;
    if (a->error != b->error) {
        return a->error ? -1 : 1;
    }
    if (a->differing != b->differing) {
        return a->differing < b->differing ? 1 : -1;
    }
    return a->first != b->first ? (a->first < b->first ? -1 : 1) : a->other < b->other ? -1 : 1;
}

void cat_conflicts(struct sl_arena *a, const struct cat_path_jar *path, size_t n, struct cat_conflicts *ret)
{
    struct work w = {.a = a, .path = path, .n = n, .ret = ret, .n_slots = 1024};
    size_t classes = 0;
    for (size_t i = 0; i < n; i++) {
        classes += path[i].index->classes.n;
    }
    while (w.n_slots < classes * 2) {
        w.n_slots *= 2;
    }
    w.slots = sl_new_n(a, struct owner, w.n_slots);
    w.clash = sl_new_n(a, size_t, n * n + 1);
    w.rank = sl_new_n(a, size_t, n + 1);
    rank_jars(&w);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < path[i].index->classes.n; k++) {
            note_class(&w, i, &path[i].index->classes.v[k]);
        }
    }
    find_versions(&w);
    for (size_t i = 0; i < ret->clashes.n; i++) {
        struct cat_clash *c = &ret->clashes.v[i];
        c->error = c->differing && (path[c->first].flink || path[c->other].flink);
    }
    if (ret->clashes.n) {
        qsort(ret->clashes.v, ret->clashes.n, sizeof(*ret->clashes.v), clash_cmp);
    }
}
