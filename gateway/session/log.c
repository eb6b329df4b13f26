/* SPDX-License-Identifier: Apache-2.0
 * Names are looked for as plain text: a table `a` is found in nearly every statement, and is then replayed without need, but
 * nothing that is needed is ever missed, however the name is written. */
#include "gateway/session/log.h"

#include "sqlparse/ast.h"

#include <stdlib.h>

void ses_log_init(struct ses_log *l, struct sl_arena *a)
{
    *l = (struct ses_log){
        .arena = a, .next = 1, .catalog = SL_STR(SES_CATALOG), .database = SL_STR(SES_DATABASE)};
}

size_t ses_name_parts(struct sl_arena *a, sl_str name, sl_str ret[3])
{
    size_t n = 0, i = 0;
    while (i < name.n) {
        char *part = sl_arena_alloc(a, name.n + 1);
        size_t k = 0;
        while (i < name.n &&
               (name.p[i] == ' ' || name.p[i] == '\t' || name.p[i] == '\n' || name.p[i] == '\r')) {
            i++;
        }
        if (i < name.n && name.p[i] == '`') {
            for (i++; i < name.n && (name.p[i] != '`' || (i + 1 < name.n && name.p[i + 1] == '`')); i++) {
                part[k++] = name.p[i];
                i += name.p[i] == '`';
            }
            i++;
        } else {
            while (i < name.n && name.p[i] != '.') {
                part[k++] = name.p[i++];
            }
        }
        while (i < name.n && name.p[i] != '.') {
            i++;
        }
        i++;
        if (n == 3) {
            return 0;
        }
        ret[n++] = sl_str_trim((sl_str){part, k});
    }
    return n;
}

sl_str ses_quoted(struct sl_arena *a, sl_str name)
{
    char *q = sl_arena_alloc(a, 2 * name.n + 3);
    size_t n = 0;
    q[n++] = '`';
    for (size_t i = 0; i < name.n; i++) {
        q[n++] = name.p[i];
        if (name.p[i] == '`') {
            q[n++] = '`';
        }
    }
    q[n++] = '`';
    return (sl_str){q, n};
}

static bool has_op(const struct sql_stmt *st, unsigned bit)
{
    return st->ast && (st->ast->op & bit);
}

static bool in_memory(const struct ses_log *l, sl_str catalog)
{
    if (sl_str_eqz(catalog, SES_CATALOG)) {
        return true;
    }
    for (size_t i = 0; i < l->entries.n; i++) {
        const struct ses_entry *e = &l->entries.v[i];
        if (e->kind == SES_ENTRY_CATALOG && sl_str_eq(e->of, catalog)) {
            return e->in_memory;
        }
    }
    return false;
}

/* What kind of thing a DDL statement is about. */
static const char *space_of(enum sql_kind k)
{
    switch (k) {
    case SQL_KIND_CREATE_CATALOG:
    case SQL_KIND_ALTER_CATALOG:
    case SQL_KIND_DROP_CATALOG:
        return "catalog";
    case SQL_KIND_CREATE_DATABASE:
    case SQL_KIND_ALTER_DATABASE:
    case SQL_KIND_DROP_DATABASE:
        return "database";
    case SQL_KIND_CREATE_FUNCTION:
    case SQL_KIND_ALTER_FUNCTION:
    case SQL_KIND_DROP_FUNCTION:
        return "function";
    case SQL_KIND_CREATE_MODEL:
    case SQL_KIND_ALTER_MODEL:
    case SQL_KIND_DROP_MODEL:
        return "model";
    case SQL_KIND_CREATE_CONNECTION:
    case SQL_KIND_ALTER_CONNECTION:
    case SQL_KIND_DROP_CONNECTION:
        return "connection";
    default:
        return "table";
    }
}

static bool is_drop(enum sql_kind k)
{
    return k == SQL_KIND_DROP_CATALOG || k == SQL_KIND_DROP_DATABASE || k == SQL_KIND_DROP_FUNCTION ||
           k == SQL_KIND_DROP_MODEL || k == SQL_KIND_DROP_CONNECTION || k == SQL_KIND_DROP_TABLE ||
           k == SQL_KIND_DROP_VIEW;
}

static bool is_create(enum sql_kind k)
{
    return k == SQL_KIND_CREATE_CATALOG || k == SQL_KIND_CREATE_DATABASE || k == SQL_KIND_CREATE_FUNCTION ||
           k == SQL_KIND_CREATE_MODEL || k == SQL_KIND_CREATE_CONNECTION || k == SQL_KIND_CREATE_TABLE ||
           k == SQL_KIND_CREATE_VIEW;
}

/* Fills the entry's place and name from the statement's object. */
static void resolve(const struct ses_log *l, const struct sql_stmt *st, struct ses_entry *e)
{
    sl_str p[3] = {0};
    const char *space = space_of(st->kind);
    size_t n = ses_name_parts(l->arena, st->object, p);
    sl_str db = l->database.n ? l->database : SL_STR("\1"); /* the catalog's own, whatever it is called */
    e->name = n ? p[n - 1] : SL_STR("");
    if (strcmp(space, "catalog") == 0) {
        e->kind = SES_ENTRY_CATALOG;
        e->of = e->name;
        e->key = sl_arena_printf(l->arena, "catalog %.*s", SL_S(e->name));
    } else if (strcmp(space, "database") == 0) {
        e->kind = SES_ENTRY_DATABASE;
        e->of = n == 2 ? p[0] : l->catalog;
        e->key = sl_arena_printf(l->arena, "database %.*s.%.*s", SL_S(e->of), SL_S(e->name));
    } else if (has_op(st, SQL_OP_SYSTEM)) {
        e->kind = SES_ENTRY_OBJECT;
        e->of = SL_STR("");
        e->key = sl_arena_printf(l->arena, "system %s %.*s", space, SL_S(e->name));
    } else {
        e->kind = SES_ENTRY_OBJECT;
        e->of = n == 3 ? p[0] : l->catalog;
        e->key = sl_arena_printf(l->arena, "%s%s %.*s.%.*s.%.*s", st->temporary ? "temporary " : "", space,
                                 SL_S(e->of),
                                 SL_S(n == 3   ? p[1]
                                      : n == 2 ? p[0]
                                               : db),
                                 SL_S(e->name));
    }
}

enum ses_effect ses_log_effect(const struct ses_log *l, const struct sql_stmt *st, bool kept)
{
    enum sql_class cls = sql_kind_class(st->kind);
    if (cls == SQL_CLASS_USE) {
        return SES_EFFECT_SESSION;
    }
    if (cls != SQL_CLASS_DDL) {
        return cls == SQL_CLASS_CALL || cls == SQL_CLASS_OTHER ? SES_EFFECT_EXTERNAL : SES_EFFECT_NONE;
    }
    struct ses_entry e = {0};
    resolve(l, st, &e);
    if (e.kind == SES_ENTRY_CATALOG) {
        return kept ? SES_EFFECT_EXTERNAL : SES_EFFECT_SESSION;
    }
    if (e.kind == SES_ENTRY_DATABASE) {
        return in_memory(l, e.of) ? SES_EFFECT_SESSION : SES_EFFECT_EXTERNAL;
    }
    return st->temporary || e.of.n == 0 || in_memory(l, e.of) ? SES_EFFECT_SESSION : SES_EFFECT_EXTERNAL;
}

static void leave(struct ses_log *l, size_t i, struct ses_change *c)
{
    sl_vec_push(l->arena, &c->gone, l->entries.v[i].number);
    memmove(&l->entries.v[i], &l->entries.v[i + 1], (l->entries.n - i - 1) * sizeof(*l->entries.v));
    l->entries.n--;
}

static bool inside(struct ses_log *l, const struct ses_entry *e, const struct ses_entry *container)
{
    if (container->kind == SES_ENTRY_CATALOG) {
        return e->kind != SES_ENTRY_CATALOG && e->of.n && sl_str_eq(e->of, container->of);
    }
    if (container->kind != SES_ENTRY_DATABASE || e->kind != SES_ENTRY_OBJECT) {
        return false;
    }
    sl_str place = sl_arena_printf(l->arena, " %.*s.%.*s.", SL_S(container->of), SL_S(container->name));
    return sl_str_find(e->key, place) >= 0 && !sl_str_starts(e->key, SL_STR("temporary "));
}

/* True when what it dropped is out of the log; false when the log cannot tell, so that the DROP itself is replayed. */
static bool drop(struct ses_log *l, const struct ses_entry *d, struct ses_change *c)
{
    bool found = false, renamed = false;
    for (size_t i = 0; i < l->entries.n; i++) {
        renamed = renamed || l->entries.v[i].renames;
    }
    if (renamed) {
        return false;
    }
    for (size_t i = l->entries.n; i-- > 0;) {
        bool same = sl_str_eq(l->entries.v[i].key, d->key);
        found = found || same;
        if (same || inside(l, &l->entries.v[i], d)) {
            leave(l, i, c);
        }
    }
    return found;
}

static bool has_key(const struct ses_log *l, sl_str key)
{
    for (size_t i = 0; i < l->entries.n; i++) {
        if (sl_str_eq(l->entries.v[i].key, key)) {
            return true;
        }
    }
    return false;
}

bool ses_log_has_view(const struct ses_log *l, const struct sql_stmt *st)
{
    struct ses_entry e = {0};
    resolve(l, st, &e);
    sl_str temporary = sl_arena_printf(l->arena, "temporary %.*s", SL_S(e.key));
    bool found = false;
    for (size_t i = 0; i < l->entries.n; i++) {
        const struct ses_entry *o = &l->entries.v[i];
        if (o->renames || sl_str_eq(o->key, temporary)) {
            return false;
        }
        ptrdiff_t view = sl_str_find(o->sql, SL_STR("VIEW"));
        found = found || (sl_str_eq(o->key, e.key) && view >= 0 && view < 20);
    }
    return found;
}

/* --- what is there ------------------------------------------------------------------------------------------------- */

/* Its first word: entries are whole statements. */
static bool begins(sl_str sql, const char *word)
{
    sl_str w = sl_str_of(word);
    return sql.n >= w.n && sl_str_ieq(sl_str_sub(sql, 0, w.n), w);
}

/* False: names in the log are not those that Flink has. */
static bool is_certain(const struct ses_log *l)
{
    for (size_t i = 0; i < l->entries.n; i++) {
        const struct ses_entry *e = &l->entries.v[i];
        if (e->renames || begins(e->sql, "DROP")) {
            return false;
        }
    }
    return true;
}

bool ses_entry_is_view(const struct ses_entry *e)
{
    SL_ARENA_AUTO a = {0};
    struct sql_script script;
    struct sl_err err = SL_ERR_INIT;
    const struct sql_options opt = {.flink = SQL_FLINK_DEFAULT, .level = SQL_LEVEL_SPLIT};
    sql_script_init(&script, &a, SQL_FLINK_DEFAULT);
    return sql_script_add(&script, SL_STR("entry"), e->sql, &opt, &err) && script.stmts.n > 0 &&
           script.stmts.v[0].kind == SQL_KIND_CREATE_VIEW;
}

/* Is it the entry that made an object of this space ("table ") at the current place? */
static bool is_made_here(const struct ses_log *l, const struct ses_entry *e, const char *space,
                         struct sl_arena *a)
{
    if (e->kind != SES_ENTRY_OBJECT || !begins(e->sql, "CREATE")) {
        return false;
    }
    sl_str key =
        sl_arena_printf(a, "%s%.*s.%.*s.%.*s", space, SL_S(l->catalog), SL_S(l->database), SL_S(e->name));
    return sl_str_eq(e->key, key) || sl_str_eq(e->key, sl_arena_printf(a, "temporary %.*s", SL_S(key)));
}

static bool is_listed(const struct ses_log *l, const struct ses_entry *e, enum ses_list what,
                      struct sl_arena *a)
{
    bool made = begins(e->sql, "CREATE");
    switch (what) {
    case SES_LIST_CATALOGS:
        return made && e->kind == SES_ENTRY_CATALOG;
    case SES_LIST_DATABASES:
        return made && e->kind == SES_ENTRY_DATABASE && sl_str_eq(e->of, l->catalog);
    case SES_LIST_VIEWS:
        return is_made_here(l, e, "table ", a) && ses_entry_is_view(e);
    case SES_LIST_FUNCTIONS:
        return is_made_here(l, e, "function ", a) ||
               (made && sl_str_starts(e->key, SL_STR("system function ")));
    default:
        return is_made_here(l, e, "table ", a);
    }
}

static int by_text(const void *a, const void *b)
{
    return sl_str_cmp(*(const sl_str *)a, *(const sl_str *)b);
}

bool ses_log_list(const struct ses_log *l, enum ses_list what, struct sl_arena *a, sl_str **ret,
                  size_t *ret_n)
{
    bool built_in = sl_str_eqz(l->catalog, SES_CATALOG);
    if (!is_certain(l) || (what == SES_LIST_DATABASES && !built_in) ||
        (what != SES_LIST_CATALOGS && (!in_memory(l, l->catalog) || l->database.n == 0))) {
        return false;
    }
    sl_str *names = sl_new_n(a, sl_str, l->entries.n + 1);
    size_t n = 0;
    if (what == SES_LIST_CATALOGS || what == SES_LIST_DATABASES) {
        names[n++] = what == SES_LIST_CATALOGS ? SL_STR(SES_CATALOG) : SL_STR(SES_DATABASE);
    }
    for (size_t i = 0; i < l->entries.n; i++) {
        const struct ses_entry *e = &l->entries.v[i];
        if (!is_listed(l, e, what, a)) {
            continue;
        }
        char *name = sl_arena_strdupz(a, e->name);
        for (size_t k = 0; k < e->name.n; k++) {
            if ((unsigned char)name[k] >= 0x80) { /* Java's order and lower case are its own */
                return false;
            }
            bool upper = what == SES_LIST_FUNCTIONS && name[k] >= 'A' && name[k] <= 'Z';
            name[k] = (char)(upper ? name[k] + 'a' - 'A' : name[k]);
        }
        names[n++] = (sl_str){name, e->name.n};
    }
    if (n) {
        qsort(names, n, sizeof(*names), by_text);
    }
    *ret_n = 0;
    for (size_t i = 0; i < n; i++) {
        if (*ret_n == 0 || !sl_str_eq(names[*ret_n - 1], names[i])) {
            names[(*ret_n)++] = names[i];
        }
    }
    *ret = names;
    return true;
}

const struct ses_entry *ses_log_table(const struct ses_log *l, sl_str name, struct sl_arena *a)
{
    sl_str p[3];
    size_t n = ses_name_parts(a, name, p);
    sl_str catalog = n == 3 ? p[0] : l->catalog, database = n == 3 ? p[1] : n == 2 ? p[0] : l->database;
    if (n == 0 || database.n == 0 || !is_certain(l)) {
        return NULL;
    }
    sl_str key = sl_arena_printf(a, "table %.*s.%.*s.%.*s", SL_S(catalog), SL_S(database), SL_S(p[n - 1]));
    sl_str temporary = sl_arena_printf(a, "temporary %.*s", SL_S(key));
    const struct ses_entry *found = NULL;
    for (size_t i = 0; i < l->entries.n; i++) {
        const struct ses_entry *e = &l->entries.v[i];
        bool hides = sl_str_eq(e->key, temporary);
        if (begins(e->sql, "CREATE") && (hides || (!found && sl_str_eq(e->key, key)))) {
            found = e;
        }
    }
    return found && (sl_str_starts(found->key, SL_STR("temporary ")) || in_memory(l, found->of)) ? found
                                                                                                 : NULL;
}

static void use(struct ses_log *l, const struct sql_stmt *st, struct ses_change *c)
{
    sl_str p[3];
    size_t n = ses_name_parts(l->arena, st->object, p);
    if (st->kind == SQL_KIND_USE_CATALOG) {
        if (!sl_str_eq(l->catalog, p[0])) { /* else Flink stays where it is, in its database too */
            l->catalog = sl_str_dup(l->arena, p[0]);
            l->database = sl_str_eqz(p[0], SES_CATALOG) ? SL_STR(SES_DATABASE) : SL_STR("");
        }
    } else {
        l->catalog = n == 2 ? sl_str_dup(l->arena, p[0]) : l->catalog;
        l->database = sl_str_dup(l->arena, p[n - 1]);
    }
    c->moved = true;
}

void ses_log_apply(struct ses_log *l, const struct sql_stmt *st, sl_str sql, struct ses_change *ret)
{
    *ret = (struct ses_change){0};
    if ((st->kind == SQL_KIND_USE || st->kind == SQL_KIND_USE_CATALOG) && st->object.n) {
        use(l, st, ret);
        return;
    }
    struct ses_entry e = {.catalog = l->catalog, .database = l->database};
    if (sql_kind_class(st->kind) == SQL_CLASS_USE) {
        e.kind = SES_ENTRY_MODULE;
        e.of = e.key = e.name = SL_STR("");
    } else {
        resolve(l, st, &e);
        if (is_drop(st->kind) && (drop(l, &e, ret) || (has_op(st, SQL_OP_IF) && is_certain(l)))) {
            return;
        }
        if (is_create(st->kind) && has_op(st, SQL_OP_IF) && has_key(l, e.key) && is_certain(l)) {
            return; /* it was there */
        }
        e.in_memory = e.kind == SES_ENTRY_CATALOG && sl_str_find(sql, SL_STR("'generic_in_memory'")) >= 0;
        e.renames = (st->kind == SQL_KIND_ALTER_TABLE || st->kind == SQL_KIND_ALTER_VIEW ||
                     st->kind == SQL_KIND_ALTER_MODEL) &&
                    (sl_str_find(sql, SL_STR("RENAME")) >= 0 || sl_str_find(sql, SL_STR("rename")) >= 0 ||
                     sl_str_find(sql, SL_STR("Rename")) >= 0);
    }
    e.number = l->next++;
    e.sql = sl_str_dup(l->arena, sql);
    e.of = sl_str_dup(l->arena, e.of);
    e.key = sl_str_dup(l->arena, e.key);
    e.name = sl_str_dup(l->arena, e.name);
    sl_vec_push(l->arena, &l->entries, e);
    ret->added = e.number;
}

/* --- reach --------------------------------------------------------------------------------------------------------- */

static bool has_text(sl_str text, sl_str name)
{
    for (size_t i = 0; name.n && i + name.n <= text.n; i++) {
        if (sl_str_ieq(sl_str_sub(text, i, name.n), name)) {
            return true;
        }
    }
    return name.n == 0 || sl_str_find_char(name, '`') >= 0; /* written with doubled back-ticks */
}

struct reach {
    const struct ses_log *l;
    bool *in;
};

/* Everything that stands in the text. */
static void reach_text(struct reach *r, sl_str text)
{
    for (size_t i = 0; i < r->l->entries.n; i++) {
        const struct ses_entry *e = &r->l->entries.v[i];
        if (!r->in[i] && (e->renames || has_text(text, e->name))) {
            r->in[i] = true;
            reach_text(r, e->sql);
            reach_text(r, e->catalog);
            reach_text(r, e->database);
        }
    }
}

void ses_log_reach(const struct ses_log *l, const struct sql_stmt *const *stmts, size_t n, bool *ret_in)
{
    struct reach r = {l, ret_in};
    memset(ret_in, 0, l->entries.n * sizeof(*ret_in));
    for (size_t k = 0; k < n; k++) {
        reach_text(&r, stmts[k]->sql);
        if (stmts[k]->kind != SQL_KIND_SHOW && stmts[k]->kind != SQL_KIND_DESCRIBE &&
            stmts[k]->kind != SQL_KIND_DROP_DATABASE) {
            continue;
        }
        bool catalogs = has_text(stmts[k]->sql, SL_STR("CATALOGS"));
        for (size_t i = 0; i < l->entries.n;
             i++) { /* lists what is in the current catalog, or in one that is named */
            const struct ses_entry *e = &l->entries.v[i];
            bool listed = e->kind == SES_ENTRY_CATALOG ? catalogs
                                                       : e->of.n == 0 || sl_str_eq(e->of, l->catalog) ||
                                                             has_text(stmts[k]->sql, e->of);
            if (!ret_in[i] && listed) {
                ret_in[i] = true;
                reach_text(&r, e->sql);
                reach_text(&r, e->catalog);
                reach_text(&r, e->database);
            }
        }
    }
    reach_text(&r, l->catalog);
    reach_text(&r, l->database);
    for (size_t i = 0; i < l->entries.n; i++) {
        ret_in[i] = ret_in[i] || l->entries.v[i].kind == SES_ENTRY_MODULE;
    }
}
