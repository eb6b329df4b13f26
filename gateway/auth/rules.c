/* SPDX-License-Identifier: Apache-2.0
 * A short list, read from its text anew each time that is set. */
#include "gateway/auth/rules.h"

#include "base/limits.h"

#include <pthread.h>
#include <stdlib.h>

const char *const auth_deed_names[] = {"query", "job", "change", "jar"};

struct rule {
    sl_str target; /* "*" = every one */
    int deed;      /* AUTH_DEED_MAX_ = every one */
    enum auth_role least;
};

struct auth_rules {
    pthread_mutex_t lock; /* what follows */
    struct sl_arena arena;
    struct rule rules[SL_LIMIT_RULES];
    size_t n;
};

struct auth_rules *auth_rules_new(void)
{
    struct auth_rules *r = calloc(1, sizeof(*r));
    SL_OOM_ON(!r);
    pthread_mutex_init(&r->lock, NULL);
    sl_arena_init(&r->arena, 0);
    return r;
}

void auth_rules_free(struct auth_rules *r)
{
    if (r) {
        pthread_mutex_destroy(&r->lock);
        sl_arena_release(&r->arena);
        free(r);
    }
}

static int deed_of(sl_str name)
{
    int d = 0;
    while (d < AUTH_DEED_MAX_ && !sl_str_eqz(name, auth_deed_names[d])) {
        d++;
    }
    return d < AUTH_DEED_MAX_ || sl_str_eqz(name, "*") ? d : -1;
}

static bool read_rule(sl_str one, struct rule *ret, struct sl_err *err)
{
    ptrdiff_t colon = sl_str_find_char(one, ':'), equals = sl_str_find_char(one, '=');
    if (colon > 0 && equals > colon) {
        size_t c = (size_t)colon, e = (size_t)equals;
        *ret = (struct rule){sl_str_sub(one, 0, c), deed_of(sl_str_sub(one, c + 1, e - c - 1)),
                             auth_role_of(sl_str_sub(one, e + 1, one.n - e - 1))};
        if (ret->deed >= 0 && ret->least != AUTH_NOBODY) {
            return true;
        }
    }
    sl_fail(err, SL_USAGE, "'%.*s' is no rule", SL_S(one));
    return sl_hint(err, "TARGET:DEED=ROLE      deeds are query, job, change, jar and *; roles analyst, "
                        "operator, admin");
}

static bool read_rules(sl_str text, struct rule ret[SL_LIMIT_RULES], size_t *ret_n, struct sl_err *err)
{
    *ret_n = 0;
    for (size_t i = 0; i < text.n;) {
        size_t n = 0;
        while (i + n < text.n && text.p[i + n] != ',' && text.p[i + n] != ' ') {
            n++;
        }
        if (n && *ret_n == SL_LIMIT_RULES) {
            return sl_fail(err, SL_LIMIT, "there are more than %d rules", SL_LIMIT_RULES);
        }
        if (n && !read_rule(sl_str_sub(text, i, n), &ret[(*ret_n)++], err)) {
            return false;
        }
        i += n + 1;
    }
    return true;
}

bool auth_rules_check(sl_str text, struct sl_err *err)
{
    struct rule rules[SL_LIMIT_RULES];
    size_t n;
    return read_rules(text, rules, &n, err);
}

bool auth_rules_set(struct auth_rules *r, sl_str text, struct sl_err *err)
{
    struct sl_arena a;
    struct rule rules[SL_LIMIT_RULES];
    size_t n;
    sl_arena_init(&a, 0);
    if (!read_rules(sl_str_dup(&a, text), rules, &n, err)) {
        sl_arena_release(&a);
        return false;
    }
    pthread_mutex_lock(&r->lock);
    sl_arena_release(&r->arena);
    r->arena = a;
    memcpy(r->rules, rules, n * sizeof(rules[0]));
    r->n = n;
    pthread_mutex_unlock(&r->lock);
    return true;
}

enum auth_role auth_rules_least(struct auth_rules *r, sl_str target, enum auth_deed deed)
{
    enum auth_role least = deed == AUTH_QUERY ? AUTH_ANALYST : AUTH_OPERATOR;
    bool by_name = false;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->n; i++) {
        const struct rule *one = &r->rules[i];
        bool named = sl_str_eq(one->target, target);
        bool fits = (named || sl_str_eqz(one->target, "*")) &&
                    (one->deed == AUTH_DEED_MAX_ || one->deed == (int)deed);
        if (fits && (named || !by_name)) {
            least = one->least;
            by_name = named;
        }
    }
    pthread_mutex_unlock(&r->lock);
    return least;
}

bool auth_rules_allow(struct auth_rules *r, enum auth_role role, sl_str target, enum auth_deed deed,
                      const char *what, struct sl_err *err)
{
    enum auth_role least = auth_rules_least(r, target, deed);
    return role >= least ||
           sl_fail(err, SL_FORBIDDEN, "%s needs the role %s on target %.*s; the token is of a %s", what,
                   auth_role_names[least], SL_S(target), auth_role_names[role]);
}
