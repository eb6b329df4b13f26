/* SPDX-License-Identifier: Apache-2.0
 * The objects of a session by name: what its statements made, what was there before, and what may be there
 * without anybody here knowing. */
#include "catalog/relation.h"

#include "catalog/builtins.h"
#include "sqlparse/token.h"

#define DEFAULT_CATALOG  SL_STR("default_catalog")
#define DEFAULT_DATABASE SL_STR("default_database")

static uint64_t hash_of(enum cat_what what, sl_str catalog, sl_str database, sl_str name)
{
    return sl_str_hash(catalog) * 3 + sl_str_hash(database) * 5 + sl_str_hash(name) * 7 + (uint64_t)what;
}

struct cat_entry *cat_entry(struct cat_walk *w, enum cat_what what, sl_str catalog, sl_str database,
                            sl_str name)
{
    w->steps++;
    struct cat_entry *e = w->slots[hash_of(what, catalog, database, name) & (w->n_slots - 1)];
    while (e && !(e->what == what && sl_str_eq(e->name, name) && sl_str_eq(e->database, database) &&
                  sl_str_eq(e->catalog, catalog))) {
        e = e->next;
    }
    return e;
}

static void link_entry(struct cat_walk *w, struct cat_entry *e)
{
    struct cat_entry **slot =
        &w->slots[hash_of(e->what, e->catalog, e->database, e->name) & (w->n_slots - 1)];
    e->next = *slot;
    *slot = e;
}

/* Finds it, or makes it. */
struct cat_entry *cat_entry_add(struct cat_walk *w, enum cat_what what, sl_str catalog, sl_str database,
                                sl_str name)
{
    struct cat_entry *e = cat_entry(w, what, catalog, database, name);
    if (e) {
        e->gone = false;
        return e;
    }
    e = sl_new(w->a, struct cat_entry);
    *e = (struct cat_entry){.what = what, .catalog = catalog, .database = database, .name = name};
    e->statement = w->st ? w->st->number : 0;
    sl_vec_push(w->a, &w->entries, e);
    if (w->entries.n > w->n_slots) {
        w->n_slots *= 2;
        w->slots = sl_new_n(w->a, struct cat_entry *, w->n_slots);
        w->steps += w->entries.n;
        for (size_t i = 0; i < w->entries.n; i++) {
            link_entry(w, w->entries.v[i]);
        }
    } else {
        link_entry(w, e);
    }
    return e;
}

static const struct cat_type *type_written(const struct cat_walk *w, sl_str text)
{
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, text, w->s->flink, false);
    return sql_lex_next(&lx, &t) ? cat_type_named(sql_token_text(&lx, &t)) : cat_type_of(CAT_T_UNKNOWN);
}

static void add_known(struct cat_walk *w, const struct cat_known_table *t)
{
    struct cat_relation *rel = sl_new(w->a, struct cat_relation);
    rel->open = t->n_columns == 0;
    rel->watermark = true; /* types of a session do not say whether they are time attributes */
    rel->has_key = true;
    rel->view = t->view;
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct cat_type *type =
            t->types && t->types[i].n ? type_written(w, t->types[i]) : cat_type_of(CAT_T_UNKNOWN);
        cat_add_column(w, rel, t->columns[i], cat_type_timed(w->a, type, CAT_TIME_MAYBE));
    }
    sl_str catalog = t->catalog.n ? t->catalog : DEFAULT_CATALOG;
    sl_str database = t->database.n ? t->database : DEFAULT_DATABASE;
    cat_entry_add(w, CAT_A_CATALOG, SL_STR_NONE, SL_STR_NONE, catalog);
    cat_entry_add(w, CAT_A_DATABASE, catalog, SL_STR_NONE, database);
    cat_entry_add(w, CAT_A_TABLE, catalog, database, t->name)->rel = rel;
}

void cat_world_init(struct cat_walk *w, const struct cat_session *session)
{
    w->n_slots = 64;
    w->slots = sl_new_n(w->a, struct cat_entry *, w->n_slots);
    w->catalog = session && session->catalog.n ? session->catalog : DEFAULT_CATALOG;
    w->database = session && session->database.n ? session->database : DEFAULT_DATABASE;
    struct cat_entry *first = cat_entry_add(w, CAT_A_CATALOG, SL_STR_NONE, SL_STR_NONE, DEFAULT_CATALOG);
    first->external = session && session->open;
    first->start = DEFAULT_DATABASE;
    cat_entry_add(w, CAT_A_DATABASE, DEFAULT_CATALOG, SL_STR_NONE, DEFAULT_DATABASE);
    cat_entry_add(w, CAT_A_MODULE, SL_STR_NONE, SL_STR_NONE, SL_STR("core"));
    if (!session) {
        return;
    }
    w->batch = session->batch;
    w->catalogs = w->modules = session->open;
    for (size_t i = 0; i < session->n_tables; i++) {
        add_known(w, &session->tables[i]);
    }
    for (size_t i = 0; i < session->n_functions; i++) {
        cat_entry_add(w, CAT_A_FUNCTION, SL_STR_NONE, SL_STR_NONE, cat_lower(w, session->functions[i]));
    }
    struct cat_entry *current = cat_entry_add(w, CAT_A_CATALOG, SL_STR_NONE, SL_STR_NONE, w->catalog);
    current->external |= session->open;
    cat_entry_add(w, CAT_A_DATABASE, w->catalog, SL_STR_NONE, w->database);
}

struct cat_path cat_path_of(struct cat_walk *w, const struct sql_node *name)
{
    sl_str ident[4];
    size_t n = 0;
    if (name && name->kind == SQL_N_IDENT) {
        ident[n++] = cat_ident(w, name);
    }
    for (const struct sql_node *c = name ? name->first : NULL; c && n < SL_ARRAY_LEN(ident); c = c->next) {
        ident[n++] = cat_ident(w, c);
    }
    struct cat_path p = {.catalog = w->catalog, .database = w->database};
    if (n == 0 || n > 3) {
        return p;
    }
    p.name = ident[n - 1];
    p.database = n > 1 ? ident[n - 2] : p.database;
    p.catalog = n > 2 ? ident[0] : p.catalog;
    const struct cat_entry *c =
        p.catalog.n ? cat_entry(w, CAT_A_CATALOG, SL_STR_NONE, SL_STR_NONE, p.catalog) : NULL;
    p.known = c && !c->external && !c->gone && p.database.n;
    return p;
}

struct cat_entry *cat_entry_table(struct cat_walk *w, const struct cat_path *p)
{
    return cat_entry(w, CAT_A_TABLE, p->catalog, p->database, p->name);
}

bool cat_may_exist(const struct cat_walk *w, sl_str name)
{
    if (!w->n_maybe_slots) {
        return false;
    }
    for (size_t at = sl_str_hash(name) & (w->n_maybe_slots - 1); w->maybe_slots[at];
         at = (at + 1) & (w->n_maybe_slots - 1)) {
        if (sl_str_eq(w->maybe.v[w->maybe_slots[at] - 1], name)) {
            return true;
        }
    }
    return false;
}

void cat_maybe(struct cat_walk *w, sl_str name)
{
    if (cat_may_exist(w, name)) {
        return;
    }
    sl_vec_push(w->a, &w->maybe, name);
    size_t from = w->maybe.n - 1;
    if (w->maybe.n * 2 > w->n_maybe_slots) {
        w->n_maybe_slots = w->n_maybe_slots ? w->n_maybe_slots * 2 : 64;
        w->maybe_slots = sl_new_n(w->a, uint32_t, w->n_maybe_slots);
        w->steps += w->maybe.n;
        from = 0;
    }
    for (size_t i = from; i < w->maybe.n; i++) {
        size_t at = sl_str_hash(w->maybe.v[i]) & (w->n_maybe_slots - 1);
        while (w->maybe_slots[at]) {
            at = (at + 1) & (w->n_maybe_slots - 1);
        }
        w->maybe_slots[at] = (uint32_t)i + 1;
    }
}

void cat_remember_names(struct cat_walk *w, sl_str sql)
{
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, sql, w->s->flink, false);
    while (sql_lex_next(&lx, &t)) {
        w->steps++;
        if (t.kind == TK_IDENT || t.kind == TK_QUOTED_IDENT || t.word) {
            cat_maybe(w, sql_unquote(w->a, sql_token_text(&lx, &t)));
        }
    }
}

/* The name begins with a catalog that nothing has made. */
static bool no_catalog(struct cat_walk *w, const struct sql_node *name, const struct cat_path *p)
{
    if (!name || name->kind != SQL_N_NAME || sql_node_count(name) != 3 || w->catalogs ||
        cat_may_exist(w, p->catalog)) {
        return false;
    }
    const struct cat_entry *c = cat_entry(w, CAT_A_CATALOG, SL_STR_NONE, SL_STR_NONE, p->catalog);
    return !c || c->gone;
}

const struct cat_relation *cat_find_table(struct cat_walk *w, const struct sql_node *name)
{
    struct cat_path p = cat_path_of(w, name);
    const struct cat_entry *e = p.name.n ? cat_entry_table(w, &p) : NULL;
    if (e && !e->gone) {
        return e->unsure || (e->rel->failed && e->rel->open) ? &cat_open_relation : e->rel;
    }
    bool open = !p.known && !no_catalog(w, name, &p);
    if (open || cat_may_exist(w, p.name)) {
        return &cat_open_relation;
    }
    if (w->misnamed) {
        w->misnamed--;
        cat_maybe(w, p.name);
        return &cat_open_relation;
    }
    return NULL;
}

void cat_say_table(struct cat_walk *w, const struct sql_node *name)
{
    sl_str text = sql_node_text(name, w->st->sql);
    struct cat_path p = cat_path_of(w, name);
    if (no_catalog(w, name, &p)) {
        struct sql_diag *c =
            cat_say(w, SL_CATALOG_UNKNOWN, name->first, "there is no catalog '%.*s'", SL_S(p.catalog));
        cat_hint(w, c, "create it first:  CREATE CATALOG %.*s WITH (...)", SL_S(p.catalog));
        return;
    }
    struct sql_diag *d = cat_say(w, SL_TABLE_UNKNOWN, name, "there is no table '%.*s'", SL_S(text));
    if (!d) {
        return;
    }
    struct cat_nearest n = cat_nearest_to(cat_ident(w, cat_last(name)));
    for (size_t i = 0; i < w->entries.n; i++) {
        const struct cat_entry *e = w->entries.v[i];
        if (e->what != CAT_A_TABLE || e->gone) {
            continue;
        }
        if (sl_str_eq(e->database, w->database) && sl_str_eq(e->catalog, w->catalog)) {
            cat_offer(&n, e->name);
        } else if (sl_str_eq(e->name, n.wanted)) {
            n.best = 0;
            n.name = sl_str_eq(e->catalog, w->catalog)
                         ? sl_arena_printf(w->a, "%.*s.%.*s", SL_S(e->database), SL_S(e->name))
                         : sl_arena_printf(w->a, "%.*s.%.*s.%.*s", SL_S(e->catalog), SL_S(e->database),
                                           SL_S(e->name));
        }
    }
    cat_hint_near(w, d, &n);
    if (!d->hint.n) {
        d->hint = SL_STR("create it in this script, or in an init file of sluice.yaml");
    }
}

/* The first part of a two-part name is a database, and the database is in the current catalog. */
bool cat_say_home(struct cat_walk *w, const struct sql_node *name)
{
    struct cat_path p = cat_path_of(w, name);
    const struct cat_entry *db =
        p.known ? cat_entry(w, CAT_A_DATABASE, p.catalog, SL_STR_NONE, p.database) : NULL;
    if (!p.known || (db && !db->gone) || cat_may_exist(w, p.database)) {
        return false;
    }
    const struct sql_node *at = name->first && name->first->next ? name->first : name;
    if (name->first && name->first->next && name->first->next->next) {
        at = name->first->next;
    }
    struct sql_diag *d = cat_say(w, SL_DATABASE_UNKNOWN, at, "there is no database '%.*s' in catalog '%.*s'",
                                 SL_S(p.database), SL_S(p.catalog));
    cat_hint(w, d, "create it first:  CREATE DATABASE %.*s", SL_S(p.database));
    return true;
}

static void replace(struct cat_entry *e, struct cat_relation *rel, bool temporary)
{
    if (!e->gone && e->rel && temporary && !e->temporary) {
        rel->behind = e->rel; /* comes back when the temporary one is dropped */
    }
    e->rel = rel;
    e->temporary = temporary;
    e->gone = false;
}

void cat_declare(struct cat_walk *w, const struct cat_path *p, struct cat_relation *rel, bool temporary)
{
    if (!p->name.n) {
        return;
    }
    rel->temporary = temporary;
    struct cat_entry *e = cat_entry_table(w, p);
    if (e && !e->gone && e->rel && !temporary && e->temporary) {
        e->rel->behind = rel; /* stays hidden behind the temporary one */
        return;
    }
    bool was = e && !e->gone;
    e = cat_entry_add(w, CAT_A_TABLE, p->catalog, p->database, p->name);
    e->gone = !was;
    replace(e, rel, temporary);
}

enum cat_found cat_function_there(struct cat_walk *w, const struct sql_node *name,
                                  const struct cat_entry **ret)
{
    *ret = NULL;
    struct cat_path p = cat_path_of(w, name);
    sl_str last = cat_lower(w, p.name);
    bool qualified = name && name->kind == SQL_N_NAME && name->first && name->first->next;
    const struct cat_entry *e =
        qualified ? NULL : cat_entry(w, CAT_A_FUNCTION, SL_STR_NONE, SL_STR_NONE, last);
    e = e && !e->gone ? e : cat_entry(w, CAT_A_FUNCTION, p.catalog, p.database, last);
    if (e && !e->gone) {
        *ret = e;
        return CAT_THERE;
    }
    bool open = w->modules || !p.known || !cat_functions_have(w->s->flink) || cat_may_exist(w, p.name);
    return open ? CAT_MAYBE : CAT_NOT_THERE;
}
