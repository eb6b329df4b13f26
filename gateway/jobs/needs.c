/* SPDX-License-Identifier: Apache-2.0
 * Reads the needs of a script off its option lists. The stock distribution's own connectors and formats are
 * known here. */
#include "gateway/jobs/needs.h"

static const char *const in_distribution[] = {"filesystem", "datagen",      "blackhole", "print",
                                              "csv",        "json",         "raw",       "debezium-json",
                                              "canal-json", "maxwell-json", "ogg-json"};

struct needs {
    struct sl_arena *a;
    SL_VEC(sl_str) there;
    SL_VEC(sl_str) missing;
};

static void note(struct needs *n, sl_str name)
{
    for (size_t i = 0; i < n->there.n; i++) {
        if (sl_str_eq(n->there.v[i], name)) {
            return;
        }
    }
    for (size_t i = 0; i < n->missing.n; i++) {
        if (sl_str_eq(n->missing.v[i], name)) {
            return;
        }
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(in_distribution); i++) {
        if (sl_str_eqz(name, in_distribution[i])) {
            sl_vec_push(n->a, &n->there, name);
            return;
        }
    }
    sl_vec_push(n->a, &n->missing, name);
}

/* Every `'key' = 'value'` of the statement. */
static void read_options(struct needs *n, sl_str sql, const char *key)
{
    sl_str quoted = sl_arena_printf(n->a, "'%s'", key);
    for (size_t at = 0; at < sql.n;) {
        ptrdiff_t hit = sl_str_find(sl_str_sub(sql, at, sql.n - at), quoted);
        if (hit < 0) {
            return;
        }
        at += (size_t)hit + quoted.n;
        sl_str rest = sl_str_trim(sl_str_sub(sql, at, sql.n - at));
        if (rest.n && rest.p[0] == '=') {
            rest = sl_str_trim(sl_str_sub(rest, 1, rest.n - 1));
            ptrdiff_t end =
                rest.n && rest.p[0] == '\'' ? sl_str_find_char(sl_str_sub(rest, 1, rest.n - 1), '\'') : -1;
            if (end > 0) {
                note(n, sl_str_sub(rest, 1, (size_t)end));
            }
        }
    }
}

static sl_str join(struct sl_arena *a, const sl_str *v, size_t n)
{
    sl_str all = SL_STR_NONE;
    for (size_t i = 0; i < n; i++) {
        all = i ? sl_arena_printf(a, "%.*s, %.*s", SL_S(all), SL_S(v[i])) : v[i];
    }
    return all;
}

sl_str needs_text(const struct sql_script *s, const char *flink, const char *const *jars, struct sl_arena *a)
{
    static const char *const keys[] = {"connector", "format", "key.format", "value.format"};
    struct needs n = {.a = a};
    for (size_t i = 0; i < s->stmts.n; i++) {
        enum sql_kind k = s->stmts.v[i].kind;
        if (k == SQL_KIND_CREATE_TABLE || k == SQL_KIND_CREATE_TABLE_AS || k == SQL_KIND_REPLACE_TABLE_AS) {
            for (size_t j = 0; j < SL_ARRAY_LEN(keys); j++) {
                read_options(&n, s->stmts.v[i].sql, keys[j]);
            }
        }
    }
    size_t given = 0;
    while (jars[given]) {
        given++;
    }
    sl_str there = join(a, n.there.v, n.there.n), missing = join(a, n.missing.v, n.missing.n);
    if (n.missing.n == 0) {
        return n.there.n ? sl_arena_printf(a, "%.*s: in base local-%s", SL_S(there), flink) : SL_STR_NONE;
    }
    return sl_arena_printf(a, "%.*s%s%.*s: not in base local-%s, %zu jar%s given", SL_S(there),
                           n.there.n ? ": in base; " : "", SL_S(missing), flink, given,
                           given == 1 ? "" : "s");
}
