/* SPDX-License-Identifier: Apache-2.0
 * SETs are folded to a map, statements get their action, loose INSERTs are merged when that was asked for.
 * What is replayed and what is done once follows from where the object lives: in a catalog that exists only
 * in the session, or anywhere else. */
#include "gateway/jobs/plan.h"

#include <stdlib.h>

typedef SL_VEC(struct plan_pair) pair_list;

struct planner {
    struct sql_script *script;
    struct sl_arena *arena;
    const struct plan_options *o;
    pair_list base, now; /* what RESET goes back to; what is in force */
    struct plan_config frozen;
    bool changed; /* `now` differs from `frozen` */
    SL_VEC(struct plan_unit) units;
    SL_VEC(sl_str) jars;
    SL_VEC(sl_str) session_catalogs;       /* in-memory ones, by name */
    sl_str catalog;                        /* current; empty = the default one */
    SL_VEC(const struct sql_stmt *) loose; /* --together: INSERTs gathered so far */
    const struct sql_stmt *set_between;
    bool ok;
};

bool plan_key_is_ours(sl_str key)
{
    static const char *const whole[] = {"table.dml-sync",
                                        "execution.target",
                                        "execution.attached",
                                        "pipeline.jars",
                                        "execution.submit-failed-job-on-application-error",
                                        "pipeline.classpaths"};
    for (size_t i = 0; i < SL_ARRAY_LEN(whole); i++) {
        if (sl_str_eqz(key, whole[i])) {
            return true;
        }
    }
    return sl_str_starts(key, SL_STR("rest.")) || sl_str_starts(key, SL_STR("$internal.")) ||
           sl_str_starts(key, SL_STR("sql-client."));
}

sl_str plan_config_get(const struct plan_config *c, const char *key)
{
    for (size_t i = 0; i < c->n; i++) {
        if (sl_str_eqz(c->pairs[i].key, key)) {
            return c->pairs[i].value;
        }
    }
    return SL_STR_NONE;
}

bool plan_is_batch(const struct plan_config *c)
{
    return sl_str_ieqz(plan_config_get(c, "execution.runtime-mode"), "batch");
}

static void pair_remove(pair_list *l, sl_str key)
{
    for (size_t i = 0; i < l->n; i++) {
        if (sl_str_eq(l->v[i].key, key)) {
            memmove(&l->v[i], &l->v[i + 1], (l->n - i - 1) * sizeof(*l->v));
            l->n--;
            return;
        }
    }
}

static void pair_put(struct planner *p, pair_list *l, struct plan_pair pair)
{
    pair_remove(l, pair.key);
    sl_vec_push(p->arena, l, pair);
}

static int by_key(const void *a, const void *b)
{
    return sl_str_cmp(((const struct plan_pair *)a)->key, ((const struct plan_pair *)b)->key);
}

static struct plan_config freeze(struct planner *p)
{
    if (p->changed || !p->frozen.pairs) {
        struct plan_pair *copy = sl_new_n(p->arena, struct plan_pair, p->now.n + 1);
        if (p->now.n) {
            memcpy(copy, p->now.v, p->now.n * sizeof(*copy));
            qsort(copy, p->now.n, sizeof(*copy), by_key);
        }
        p->frozen = (struct plan_config){copy, p->now.n};
        p->changed = false;
    }
    return p->frozen;
}

static void apply_set(struct planner *p, const struct sql_stmt *st)
{
    p->changed = true;
    if (st->kind == SQL_KIND_SET) {
        pair_put(
            p, &p->now,
            (struct plan_pair){st->key, st->value, sl_arena_printf(p->arena, "SET, line %u", st->pos.line)});
        return;
    }
    if (!st->has_key) {
        p->now.n = 0;
        for (size_t i = 0; i < p->base.n; i++) {
            sl_vec_push(p->arena, &p->now, p->base.v[i]);
        }
        return;
    }
    pair_remove(&p->now, st->key);
    for (size_t i = 0; i < p->base.n; i++) {
        if (sl_str_eq(p->base.v[i].key, st->key)) {
            sl_vec_push(p->arena, &p->now, p->base.v[i]);
        }
    }
}

/* The first part of a name, without back-ticks; *ret_parts counts the parts. */
static sl_str first_part(sl_str name, size_t *ret_parts)
{
    sl_str first = {name.p, 0};
    *ret_parts = 1;
    bool quoted = false;
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '`') {
            quoted = !quoted;
        } else if (name.p[i] == '.' && !quoted) {
            if (*ret_parts == 1) {
                first.n = i;
            }
            ++*ret_parts;
        }
    }
    if (*ret_parts == 1) {
        first = name;
    }
    first = sl_str_trim(first);
    if (first.n >= 2 && first.p[0] == '`' && first.p[first.n - 1] == '`') {
        first = sl_str_sub(first, 1, first.n - 2);
    }
    return first;
}

static bool is_session_catalog(const struct planner *p, sl_str name)
{
    if (name.n == 0 || sl_str_eqz(name, "default_catalog")) {
        return true;
    }
    for (size_t i = 0; i < p->session_catalogs.n; i++) {
        if (sl_str_eq(p->session_catalogs.v[i], name)) {
            return true;
        }
    }
    return false;
}

/* Does `'type' = 'generic_in_memory'` stand in the text of a CREATE CATALOG? */
static bool says_in_memory(sl_str sql)
{
    return sl_str_find(sql, SL_STR("'generic_in_memory'")) >= 0;
}

/* Where the object of a DDL statement lives decides whether it is replayed. */
static enum plan_action ddl_action(struct planner *p, const struct sql_stmt *st)
{
    size_t parts;
    sl_str first = first_part(st->object, &parts);
    switch (st->kind) {
    case SQL_KIND_CREATE_CATALOG:
        if (says_in_memory(st->sql)) {
            sl_vec_push(p->arena, &p->session_catalogs, first);
        }
        return PLAN_SESSION;
    case SQL_KIND_ALTER_CATALOG:
    case SQL_KIND_DROP_CATALOG:
        return PLAN_SESSION;
    case SQL_KIND_CREATE_DATABASE:
    case SQL_KIND_ALTER_DATABASE:
    case SQL_KIND_DROP_DATABASE:
        return is_session_catalog(p, parts > 1 ? first : p->catalog) ? PLAN_SESSION : PLAN_EXTERNAL;
    default:
        if (st->temporary) {
            return PLAN_SESSION;
        }
        return is_session_catalog(p, parts > 2 ? first : p->catalog) ? PLAN_SESSION : PLAN_EXTERNAL;
    }
}

static void refuse(struct planner *p, const struct sql_stmt *st, const char *why, const char *hint)
{
    struct sql_diag *d = sql_diag_add(p->script, SL_NOT_SUPPORTED, SQL_ERROR, st->number, st->pos, "%s: %s",
                                      sql_kind_name(st->kind), why);
    if (d && hint) {
        d->hint = sl_str_dup(p->arena, sl_str_of(hint));
    }
    p->ok = false;
}

static struct plan_unit *add_unit(struct planner *p, enum plan_action action, const struct sql_stmt *st)
{
    struct plan_unit *u = sl_vec_add(p->arena, &p->units);
    u->action = action;
    u->stmt = st;
    u->config = freeze(p);
    bool sync = sl_str_ieqz(plan_config_get(&u->config, "table.dml-sync"), "true");
    u->await = action == PLAN_SELECT ||
               ((action == PLAN_INSERT || action == PLAN_SET) && (plan_is_batch(&u->config) || sync));
    u->job_name = plan_config_get(&u->config, "pipeline.name");
    if (u->job_name.n == 0) {
        u->job_name = p->o->name;
    }
    return u;
}

/* The INSERTs gathered by --together become one statement set at the place of the last. */
static void flush_loose(struct planner *p)
{
    if (p->loose.n == 0) {
        return;
    }
    struct plan_unit *u = add_unit(p, p->loose.n == 1 ? PLAN_INSERT : PLAN_SET, p->loose.v[0]);
    if (p->loose.n > 1) {
        u->inserts = p->loose.v;
        u->n_inserts = p->loose.n;
    }
    p->loose.v = NULL;
    p->loose.n = p->loose.cap = 0;
    p->set_between = NULL;
}

/* Does `sql` mention the name as a word of its own (a table read)? */
static bool mentions(sl_str sql, sl_str name)
{
    for (size_t at = 0; at + name.n <= sql.n; at++) {
        ptrdiff_t hit = sl_str_find(sl_str_sub(sql, at, sql.n - at), name);
        if (hit < 0) {
            return false;
        }
        at += (size_t)hit;
        char before = at ? sql.p[at - 1] : ' ';
        char after = at + name.n < sql.n ? sql.p[at + name.n] : ' ';
        bool word_before = before == '_' || (before >= '0' && before <= '9') ||
                           ((before | 32) >= 'a' && (before | 32) <= 'z');
        bool word_after =
            after == '_' || (after >= '0' && after <= '9') || ((after | 32) >= 'a' && (after | 32) <= 'z');
        if (!word_before && !word_after) {
            return true;
        }
    }
    return false;
}

static void gather_loose(struct planner *p, const struct sql_stmt *st)
{
    if (p->loose.n && p->set_between) {
        struct sql_diag *d =
            sql_diag_add(p->script, SL_NOT_SUPPORTED, SQL_ERROR, p->set_between->number, p->set_between->pos,
                         "--together cannot merge INSERTs with a SET between them");
        if (d) {
            d->hint = SL_STR("put every SET in front of the first INSERT, or run without --together");
        }
        p->ok = false;
        return;
    }
    for (size_t i = 0; i < p->loose.n && plan_is_batch(&p->frozen); i++) {
        if (mentions(st->sql, p->loose.v[i]->object) && !sl_str_eq(st->object, p->loose.v[i]->object)) {
            struct sql_diag *d = sql_diag_add(p->script, SL_NOT_SUPPORTED, SQL_ERROR, st->number, st->pos,
                                              "--together would read '%.*s' while line %u still writes it",
                                              SL_S(p->loose.v[i]->object), p->loose.v[i]->pos.line);
            if (d) {
                d->hint =
                    SL_STR("run without --together: in batch each INSERT then waits for the one before it");
            }
            p->ok = false;
            return;
        }
    }
    sl_vec_push(p->arena, &p->loose, st);
}

static void plan_insert(struct planner *p, const struct sql_stmt *st)
{
    if (st->kind == SQL_KIND_UPSERT || st->kind == SQL_KIND_MERGE) {
        refuse(p, st, "Flink reads it but cannot run it",
               "INSERT INTO a table with a PRIMARY KEY updates by key");
    } else if (p->o->together && st->kind == SQL_KIND_INSERT) {
        freeze(p);
        gather_loose(p, st);
    } else {
        add_unit(p, PLAN_INSERT, st);
    }
}

static void plan_set(struct planner *p, const struct sql_stmt *st)
{
    if (st->n_inner == 0) {
        return; /* BEGIN STATEMENT SET; END; with nothing inside is OK and does nothing */
    }
    struct plan_unit *u = add_unit(p, PLAN_SET, st);
    const struct sql_stmt **inserts = sl_new_n(p->arena, const struct sql_stmt *, st->n_inner);
    for (size_t i = 0; i < st->n_inner; i++) {
        inserts[i] = &st->inner[i];
    }
    u->inserts = inserts;
    u->n_inserts = st->n_inner;
}

static void plan_use(struct planner *p, const struct sql_stmt *st)
{
    size_t parts;
    if (st->kind == SQL_KIND_USE_CATALOG) {
        p->catalog = first_part(st->object, &parts);
    } else if (st->kind == SQL_KIND_USE) {
        sl_str first = first_part(st->object, &parts);
        if (parts > 1) {
            p->catalog = first;
        }
    }
    add_unit(p, PLAN_SESSION, st);
}

/* false: the script ends here (QUIT, EXIT). */
static bool plan_statement(struct planner *p, const struct sql_stmt *st)
{
    enum sql_class cls = sql_kind_class(st->kind);
    bool keeps_loose =
        cls == SQL_CLASS_INSERT || cls == SQL_CLASS_CONFIG || cls == SQL_CLASS_DDL || cls == SQL_CLASS_JAR;
    if (!keeps_loose) {
        flush_loose(p);
    }
    switch (cls) {
    case SQL_CLASS_CONFIG:
        if (st->kind == SQL_KIND_SET && !st->has_key) {
            add_unit(p, PLAN_LOCAL, st);
            break;
        }
        if (p->loose.n && !p->set_between) {
            p->set_between = st;
        }
        apply_set(p, st);
        break;
    case SQL_CLASS_QUERY:
        add_unit(p, PLAN_SELECT, st);
        break;
    case SQL_CLASS_INSERT:
        plan_insert(p, st);
        break;
    case SQL_CLASS_SET_OF:
        plan_set(p, st);
        break;
    case SQL_CLASS_DDL:
        add_unit(p, ddl_action(p, st), st);
        break;
    case SQL_CLASS_USE:
        plan_use(p, st);
        break;
    case SQL_CLASS_ANSWER:
        add_unit(p, PLAN_ANSWER, st);
        break;
    case SQL_CLASS_CALL:
        if (st->kind == SQL_KIND_ANALYZE && !p->o->application) {
            refuse(p, st, "Flink loses the job it starts when run in session mode",
                   "sluice run --mode application");
        } else {
            add_unit(p, PLAN_EXTERNAL, st);
        }
        break;
    case SQL_CLASS_JAR:
        if (st->kind == SQL_KIND_ADD_JAR) {
            sl_vec_push(p->arena, &p->jars, st->object);
        } else if (st->kind == SQL_KIND_REMOVE_JAR) {
            for (size_t i = 0; i < p->jars.n; i++) {
                if (sl_str_eq(p->jars.v[i], st->object)) {
                    memmove(&p->jars.v[i], &p->jars.v[i + 1], (--p->jars.n - i) * sizeof(*p->jars.v));
                    break;
                }
            }
        } else {
            add_unit(p, PLAN_LOCAL, st);
        }
        break;
    case SQL_CLASS_JOB:
        if (st->kind == SQL_KIND_SHOW_JOBS) {
            add_unit(p, PLAN_LOCAL, st);
        } else {
            refuse(p, st, "a script cannot steer other jobs",
                   "sluice job show NAME   |   sluice job cancel NAME");
        }
        break;
    case SQL_CLASS_CLIENT:
        return st->kind != SQL_KIND_QUIT;
    default:
        if (st->kind == SQL_KIND_CREATE_MATERIALIZED_TABLE || st->kind == SQL_KIND_ALTER_MATERIALIZED_TABLE ||
            st->kind == SQL_KIND_DROP_MATERIALIZED_TABLE) {
            refuse(p, st, "Flink's planner answers OK and starts no refresh job",
                   "CREATE TABLE ... AS, or INSERT INTO");
        } else {
            add_unit(p, PLAN_EXTERNAL, st);
        }
        break;
    }
    return true;
}

bool plan_make(struct sql_script *s, const struct plan_options *o, struct plan *ret)
{
    struct planner p = {.script = s, .arena = s->arena, .o = o, .ok = true};
    for (size_t i = 0; i < o->n_given; i++) {
        pair_put(&p, &p.base, o->given[i]);
    }
    for (size_t i = 0; i < p.base.n; i++) {
        sl_vec_push(p.arena, &p.now, p.base.v[i]);
    }
    for (size_t i = 0; i < s->stmts.n && plan_statement(&p, &s->stmts.v[i]); i++) {
    }
    flush_loose(&p);
    *ret = (struct plan){.units = p.units.v, .n = p.units.n, .jars = p.jars.v, .n_jars = p.jars.n};
    for (size_t i = p.units.n; i-- > 0;) {
        enum plan_action a = p.units.v[i].action;
        if (a == PLAN_INSERT || a == PLAN_SET || a == PLAN_SELECT) {
            ret->jobs++;
            ret->selects += a == PLAN_SELECT;
            ret->batch = plan_is_batch(&p.units.v[i].config);
        }
    }
    return p.ok;
}
