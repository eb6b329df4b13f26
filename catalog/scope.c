/* SPDX-License-Identifier: Apache-2.0
 * A script's statements in their order: what each creates, changes, drops and uses. */
#include "catalog/scope.h"

#include "catalog/relation.h"
#include "sqlparse/token.h"

static struct cat_relation *open_relation(struct cat_walk *w)
{
    struct cat_relation *r = sl_new(w->a, struct cat_relation);
    r->open = r->watermark = true;
    return r;
}

/* The name of a statement nobody could read, from what the splitter saw. */
static struct cat_path path_of_text(struct cat_walk *w, sl_str text)
{
    sl_str ident[4];
    size_t n = 0;
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, text, w->s->flink, false);
    while (sql_lex_next(&lx, &t) && n < SL_ARRAY_LEN(ident)) {
        if (t.kind != TK_DOT) {
            ident[n++] = sql_unquote(w->a, sql_token_text(&lx, &t));
        }
    }
    struct cat_path p = {.catalog = w->catalog, .database = w->database};
    if (n && n <= 3) {
        p.name = ident[n - 1];
        p.database = n > 1 ? ident[n - 2] : p.database;
        p.catalog = n > 2 ? ident[0] : p.catalog;
    }
    return p;
}

/* Is there one of that name already, in the way of this CREATE? */
static bool in_the_way(struct cat_walk *w, const struct cat_path *p, const struct sql_node *create)
{
    const struct cat_entry *e = p->known ? cat_entry_table(w, p) : NULL;
    bool temporary = create->op & SQL_OP_TEMPORARY, replace = create->op & SQL_OP_REPLACE;
    if (!e || e->gone || e->unsure || e->rel->failed || replace) {
        return false;
    }
    return temporary ? e->temporary : !e->temporary || e->rel->behind;
}

static void create(struct cat_walk *w, const struct sql_node *ast, struct cat_relation *rel, bool bad)
{
    const struct sql_node *name = sql_node_child(ast, SQL_N_NAME);
    struct cat_path p = cat_path_of(w, name);
    bool temporary = ast->op & SQL_OP_TEMPORARY;
    rel->failed |= bad;
    if (w->st->bad && !bad) {
        rel->failed = rel->open = rel->watermark =
            true; /* what is wrong with it is said; what it has is not known */
    }
    if (!p.name.n) {
        return;
    }
    if (in_the_way(w, &p, ast)) {
        struct cat_entry *e = cat_entry_table(w, &p);
        if (!(ast->op & SQL_OP_IF) && !w->st->bad) {
            struct sql_diag *d =
                cat_say(w, SL_TABLE_EXISTS, name, "there is a %s '%.*s' already",
                        e->rel->view ? "view" : "table", SL_S(sql_node_text(name, w->st->sql)));
            cat_hint(w, d, "DROP it first, or write CREATE %s IF NOT EXISTS", rel->view ? "VIEW" : "TABLE");
            e->unsure = true; /* either may be meant from here on */
            w->misnamed++;
        }
        return;
    }
    if (!bad && !temporary && cat_say_home(w, name)) {
        rel->failed = rel->open = true;
        cat_maybe(w, p.name); /* who names it without the wrong database means this one */
    } else if (!p.catalog.n) {
        cat_maybe(w, p.name); /* after a USE that went wrong it may be meant for any place */
    }
    cat_declare(w, &p, rel, temporary);
}

static void create_text(struct cat_walk *w, const struct sql_stmt *st)
{
    struct cat_path p = path_of_text(w, st->object);
    struct cat_relation *rel = open_relation(w);
    rel->failed = st->bad;
    if (p.name.n) {
        if (!p.catalog.n) {
            cat_maybe(w, p.name);
        }
        cat_declare(w, &p, rel, st->temporary);
        struct cat_entry *e = cat_entry_table(w, &p);
        e->unsure = e->rel != rel;
    }
}

static void drop_table(struct cat_walk *w, const struct sql_node *drop, bool view, bool materialized)
{
    const struct sql_node *name = sql_node_child(drop, SQL_N_NAME);
    struct cat_path p = cat_path_of(w, name);
    struct cat_entry *e = name ? cat_entry_table(w, &p) : NULL;
    bool temporary = drop->op & SQL_OP_TEMPORARY, quiet = drop->op & SQL_OP_IF;
    const char *what = materialized ? "materialized table" : view ? "view" : "table";
    if (!name || !p.name.n) {
        return;
    }
    if (!e || e->gone) {
        if (!quiet && (p.known || temporary) && !cat_may_exist(w, p.name) && (p.known)) {
            struct sql_diag *d = cat_say(w, SL_TABLE_UNKNOWN, name, "there is no %s '%.*s'", what,
                                         SL_S(sql_node_text(name, w->st->sql)));
            cat_hint(w, d, "DROP %s IF EXISTS says nothing then",
                     materialized ? "MATERIALIZED TABLE"
                     : view       ? "VIEW"
                                  : "TABLE");
        }
        return;
    }
    if (e->unsure) {
        return; /* which of two is meant is not known */
    }
    bool sure = !e->rel->failed && p.known;
    if (sure && e->rel->view != view && !materialized) {
        struct sql_diag *d =
            quiet ? NULL
                  : cat_say(w, SL_TABLE_UNKNOWN, name, "'%.*s' is a %s, not a %s",
                            SL_S(sql_node_text(name, w->st->sql)), e->rel->view ? "view" : "table", what);
        cat_hint(w, d, "write DROP %s", e->rel->view ? "VIEW" : "TABLE");
        return;
    }
    if (sure && temporary != e->temporary) {
        struct sql_diag *d = NULL;
        if (temporary && !quiet) {
            d = cat_say(w, SL_TABLE_UNKNOWN, name, "there is no temporary %s '%.*s'", what,
                        SL_S(sql_node_text(name, w->st->sql)));
            cat_hint(w, d, "the one of that name is not temporary: leave TEMPORARY out");
        } else if (!temporary) {
            d = cat_say(w, SL_TABLE_UNKNOWN, name, "'%.*s' is a temporary %s",
                        SL_S(sql_node_text(name, w->st->sql)), what);
            cat_hint(w, d, "write DROP TEMPORARY %s", view ? "VIEW" : "TABLE");
        }
        return;
    }
    if (e->temporary && e->rel->behind) {
        e->rel = e->rel->behind;
        e->temporary = false;
        return;
    }
    e->gone = true;
}

/* The database a statement names, with its catalog. */
struct named_database {
    const struct sql_node *name;
    sl_str catalog, database;
    const struct cat_entry *c;
    struct cat_entry *db;
};

/* False: it names none. */
static bool named_database(struct cat_walk *w, const struct sql_stmt *st, struct named_database *ret)
{
    const struct sql_node *name = st->ast ? sql_node_child(st->ast, SQL_N_NAME) : NULL;
    if (!name || !sql_last(name)) {
        return false;
    }
    ret->name = sql_last(name);
    ret->catalog = name->first != ret->name ? cat_ident(w, name->first) : w->catalog;
    ret->database = cat_ident(w, ret->name);
    ret->c = cat_entry(w, CAT_A_CATALOG, SL_STR_NONE, SL_STR_NONE, ret->catalog);
    ret->db = cat_entry(w, CAT_A_DATABASE, ret->catalog, SL_STR_NONE, ret->database);
    return true;
}

/* Is its catalog one whose databases are all known? */
static bool knows_databases(const struct named_database *n)
{
    return n->c && !n->c->external && !n->c->gone;
}

static void use_database(struct cat_walk *w, const struct sql_stmt *st)
{
    struct named_database named;
    if (st->bad || !named_database(w, st, &named)) {
        w->catalog = SL_STR_NONE;
        return;
    }
    const struct sql_node *first = sql_node_child(st->ast, SQL_N_NAME)->first;
    sl_str catalog = named.catalog, database = named.database;
    const struct cat_entry *c = named.c, *db = named.db;
    if ((!c || c->gone) && catalog.n && first && first->next && !w->catalogs && !cat_may_exist(w, catalog)) {
        struct sql_diag *d =
            cat_say(w, SL_CATALOG_UNKNOWN, first, "there is no catalog '%.*s'", SL_S(catalog));
        cat_hint(w, d, "create it first:  CREATE CATALOG %.*s WITH (...)", SL_S(catalog));
        w->catalog = SL_STR_NONE;
        return;
    }
    if (knows_databases(&named) && (!db || db->gone) && !cat_may_exist(w, database)) {
        struct sql_diag *d =
            cat_say(w, SL_DATABASE_UNKNOWN, named.name, "there is no database '%.*s' in catalog '%.*s'",
                    SL_S(database), SL_S(catalog));
        struct cat_nearest n = cat_nearest_to(database);
        for (size_t i = 0; i < w->entries.n; i++) {
            const struct cat_entry *e = w->entries.v[i];
            if (e->what == CAT_A_DATABASE && !e->gone && sl_str_eq(e->catalog, catalog)) {
                cat_offer(&n, e->name);
            }
        }
        cat_hint_near(w, d, &n);
        if (d && !d->hint.n) {
            cat_hint(w, d, "create it first:  CREATE DATABASE %.*s", SL_S(database));
        }
        w->catalog = SL_STR_NONE; /* what follows was meant for it */
        return;
    }
    w->catalog = catalog;
    w->database = database;
}

static void use_catalog(struct cat_walk *w, const struct sql_stmt *st)
{
    const struct sql_node *ident = st->ast ? st->ast->first : NULL;
    if (!ident || st->bad) {
        w->catalog = SL_STR_NONE;
        return;
    }
    ident = cat_last(ident);
    sl_str name = cat_ident(w, ident);
    const struct cat_entry *c = cat_entry(w, CAT_A_CATALOG, SL_STR_NONE, SL_STR_NONE, name);
    if ((!c || c->gone) && !w->catalogs && !cat_may_exist(w, name)) {
        struct sql_diag *d = cat_say(w, SL_CATALOG_UNKNOWN, ident, "there is no catalog '%.*s'", SL_S(name));
        struct cat_nearest n = cat_nearest_to(name);
        for (size_t i = 0; i < w->entries.n; i++) {
            if (w->entries.v[i]->what == CAT_A_CATALOG && !w->entries.v[i]->gone) {
                cat_offer(&n, w->entries.v[i]->name);
            }
        }
        cat_hint_near(w, d, &n);
        if (d && !d->hint.n) {
            cat_hint(w, d,
                     "create it in this script, or in an init file of sluice.yaml:  CREATE CATALOG %.*s WITH "
                     "(...)",
                     SL_S(name));
        }
    }
    if (!c || c->external || c->gone) {
        w->catalog = SL_STR_NONE;
        return;
    }
    w->catalog = name;
    w->database = c->start;
}

static sl_str option_of(struct cat_walk *w, const struct sql_node *options, const char *key)
{
    for (const struct sql_node *o = options ? options->first : NULL; o; o = o->next) {
        if (o->first && o->first->next &&
            sl_str_eqz(sql_unquote(w->a, sql_node_text(o->first, w->st->sql)), key)) {
            return sql_unquote(w->a, sql_node_text(o->first->next, w->st->sql));
        }
    }
    return SL_STR_NONE;
}

static void create_catalog(struct cat_walk *w, const struct sql_stmt *st)
{
    const struct sql_node *ident = st->ast ? cat_last(st->ast->first) : NULL;
    if (!ident || ident->kind != SQL_N_IDENT) {
        w->catalogs = true;
        return;
    }
    sl_str name = cat_ident(w, ident);
    struct cat_entry *c = cat_entry(w, CAT_A_CATALOG, SL_STR_NONE, SL_STR_NONE, name);
    if (c && !c->gone) {
        if (!(st->ast->op & SQL_OP_IF) && !w->catalogs) {
            struct sql_diag *d =
                cat_say(w, SL_CATALOG_EXISTS, ident, "there is a catalog '%.*s' already", SL_S(name));
            cat_hint(w, d, "write CREATE CATALOG IF NOT EXISTS");
        }
        return;
    }
    const struct sql_node *options = sql_node_child(st->ast, SQL_N_OPTIONS);
    bool memory = sl_str_eqz(option_of(w, options, "type"), "generic_in_memory");
    sl_str database = option_of(w, options, "default-database");
    database = database.n ? database : SL_STR("default");
    c = cat_entry_add(w, CAT_A_CATALOG, SL_STR_NONE, SL_STR_NONE, name);
    c->external = !memory || st->bad;
    if (memory) {
        cat_entry_add(w, CAT_A_DATABASE, name, SL_STR_NONE, database);
    }
    c->start = database;
}

static void create_database(struct cat_walk *w, const struct sql_stmt *st)
{
    struct named_database n;
    if (!named_database(w, st, &n)) {
        return;
    }
    if (knows_databases(&n) && n.db && !n.db->gone) {
        if (!(st->ast->op & SQL_OP_IF)) {
            struct sql_diag *d = cat_say(w, SL_DATABASE_EXISTS, n.name, "there is a database '%.*s' already",
                                         SL_S(n.database));
            cat_hint(w, d, "write CREATE DATABASE IF NOT EXISTS");
        }
    } else if (n.catalog.n) {
        cat_entry_add(w, CAT_A_DATABASE, n.catalog, SL_STR_NONE, n.database);
    }
}

static void drop_all_of(struct cat_walk *w, sl_str catalog, sl_str database)
{
    for (size_t i = 0; i < w->entries.n; i++) {
        struct cat_entry *e = w->entries.v[i];
        w->steps++;
        if (e->what == CAT_A_TABLE && sl_str_eq(e->catalog, catalog) && sl_str_eq(e->database, database) &&
            !e->temporary) {
            e->gone = true;
        }
    }
}

static bool ends_with_cascade(const struct cat_walk *w, const struct sql_stmt *st)
{
    struct sql_lexer lx;
    struct sql_token t;
    bool cascade = false;
    sql_lex_init(&lx, st->sql, w->s->flink, false);
    while (sql_lex_next(&lx, &t)) {
        cascade = t.word == SQL_W_CASCADE;
    }
    return cascade;
}

static bool holds_tables(struct cat_walk *w, sl_str catalog, sl_str database)
{
    for (size_t i = 0; i < w->entries.n; i++) {
        const struct cat_entry *e = w->entries.v[i];
        w->steps++;
        if ((e->what == CAT_A_TABLE || e->what == CAT_A_FUNCTION) && !e->gone && !e->temporary &&
            !e->unsure && (!e->rel || !e->rel->failed) && sl_str_eq(e->catalog, catalog) &&
            sl_str_eq(e->database, database)) {
            return true;
        }
    }
    return false;
}

static void drop_database(struct cat_walk *w, const struct sql_stmt *st)
{
    struct named_database n;
    if (!named_database(w, st, &n) || !knows_databases(&n)) {
        return;
    }
    sl_str catalog = n.catalog, database = n.database;
    struct cat_entry *db = n.db;
    if (!db || db->gone) {
        if (!(st->ast->op & SQL_OP_IF) && !cat_may_exist(w, database)) {
            struct sql_diag *d =
                cat_say(w, SL_DATABASE_UNKNOWN, n.name, "there is no database '%.*s' in catalog '%.*s'",
                        SL_S(database), SL_S(catalog));
            cat_hint(w, d, "DROP DATABASE IF EXISTS says nothing then");
        }
        return;
    }
    if (sl_str_eq(catalog, w->catalog) && sl_str_eq(database, w->database)) {
        struct sql_diag *d =
            cat_say(w, SL_DATABASE_NOT_EMPTY, n.name, "database '%.*s' is in use", SL_S(database));
        cat_hint(w, d, "USE another one first");
        return;
    }
    if (!ends_with_cascade(w, st) && holds_tables(w, catalog, database)) {
        struct sql_diag *d =
            cat_say(w, SL_DATABASE_NOT_EMPTY, n.name, "database '%.*s' still has tables", SL_S(database));
        cat_hint(w, d, "DROP DATABASE %.*s CASCADE drops them too", SL_S(database));
        return;
    }
    db->gone = true;
    drop_all_of(w, catalog, database);
}

static void drop_catalog(struct cat_walk *w, const struct sql_stmt *st)
{
    const struct sql_node *ident = st->ast ? cat_last(st->ast->first) : NULL;
    if (!ident || ident->kind != SQL_N_IDENT) {
        return;
    }
    sl_str name = cat_ident(w, ident);
    struct cat_entry *c = cat_entry(w, CAT_A_CATALOG, SL_STR_NONE, SL_STR_NONE, name);
    if (c && !c->gone && sl_str_eq(name, w->catalog)) {
        struct sql_diag *d = cat_say(w, SL_CATALOG_EXISTS, ident, "catalog '%.*s' is in use", SL_S(name));
        cat_hint(w, d, "USE CATALOG another one first");
    } else if (c && !c->gone) {
        c->gone = true;
    } else if (!(st->ast->op & SQL_OP_IF) && !w->catalogs && !cat_may_exist(w, name)) {
        struct sql_diag *d = cat_say(w, SL_CATALOG_UNKNOWN, ident, "there is no catalog '%.*s'", SL_S(name));
        cat_hint(w, d, "DROP CATALOG IF EXISTS says nothing then");
    }
}

static void function(struct cat_walk *w, const struct sql_stmt *st)
{
    const struct sql_node *name = st->ast ? sql_node_child(st->ast, SQL_N_NAME) : NULL;
    if (!st->ast) {
        cat_remember_names(w, st->sql);
        return;
    }
    name = name ? name : sql_node_child(st->ast, SQL_N_IDENT);
    if (!name) {
        return;
    }
    bool drop = st->kind == SQL_KIND_DROP_FUNCTION, alter = st->kind == SQL_KIND_ALTER_FUNCTION;
    bool system = st->ast->op & SQL_OP_SYSTEM, temporary = st->ast->op & SQL_OP_TEMPORARY,
         quiet = st->ast->op & SQL_OP_IF;
    struct cat_path p = cat_path_of(w, name);
    sl_str last = cat_lower(w, p.name), text = sql_node_text(name, w->st->sql);
    sl_str catalog = system ? SL_STR_NONE : p.catalog, database = system ? SL_STR_NONE : p.database;
    struct cat_entry *e = cat_entry(w, CAT_A_FUNCTION, catalog, database, last);
    bool there = e && !e->gone && e->temporary == temporary, known = system || p.known;
    if ((drop || alter) && !there) {
        bool other = e && !e->gone;
        if (!quiet && known && !w->modules && !other && !cat_may_exist(w, p.name)) {
            struct sql_diag *d =
                cat_say(w, SL_FUNCTION_UNKNOWN, name, "this script creates no function '%.*s'", SL_S(text));
            if (drop) {
                cat_hint(w, d, "DROP FUNCTION IF EXISTS says nothing then");
            }
        }
        return;
    }
    if (drop) {
        e->gone = true;
        return;
    }
    if (!alter && there && !quiet && known && !e->unsure) {
        struct sql_diag *d =
            cat_say(w, SL_FUNCTION_EXISTS, name, "there is a function '%.*s' already", SL_S(text));
        cat_hint(w, d, "write CREATE FUNCTION IF NOT EXISTS, or DROP it first");
        return;
    }
    if (!alter && known && !system && !temporary && cat_say_home(w, name)) {
        return;
    }
    e = cat_entry_add(w, CAT_A_FUNCTION, catalog, database, last);
    e->temporary = temporary;
    e->unsure = st->bad;
}

/* Modules bring functions of their own; core can be taken away. */
static void module(struct cat_walk *w, const struct sql_stmt *st)
{
    const struct sql_node *ident = st->ast ? st->ast->first : NULL;
    if (st->kind == SQL_KIND_USE_MODULES && !st->bad) {
        const struct sql_node *list = sql_node_child(st->ast, SQL_N_NAMES);
        for (const struct sql_node *c = list ? list->first : ident; c; c = c->next) {
            struct cat_entry *m =
                cat_entry(w, CAT_A_MODULE, SL_STR_NONE, SL_STR_NONE, cat_ident(w, cat_last(c)));
            if (!w->modules && (!m || m->gone)) {
                cat_say(w, SL_MODULE_UNKNOWN, c, "there is no module '%.*s'",
                        SL_S(cat_ident(w, cat_last(c))));
            }
        }
        return;
    }
    if (st->kind == SQL_KIND_LOAD_MODULE && st->ast) {
        cat_with_module(w, st->ast);
    }
    if (st->kind != SQL_KIND_UNLOAD_MODULE || !ident) {
        w->modules = true;
        return;
    }
    ident = cat_last(ident);
    sl_str name = cat_ident(w, ident);
    struct cat_entry *e = cat_entry(w, CAT_A_MODULE, SL_STR_NONE, SL_STR_NONE, name);
    if (!w->modules && (!e || e->gone)) {
        cat_say(w, SL_MODULE_UNKNOWN, ident, "there is no module '%.*s'", SL_S(name));
    } else if (e) {
        e->gone = true;
    }
    w->modules = true;
}

/* A catalog or a database that is only named. */
static void container(struct cat_walk *w, const struct sql_node *name, bool of_catalog)
{
    const struct sql_node *last = name ? cat_last(name) : NULL;
    if (!last || last->kind != SQL_N_IDENT || w->catalogs) {
        return;
    }
    sl_str text = cat_ident(w, last);
    bool qualified = name->kind == SQL_N_NAME && name->first != sql_last(name);
    sl_str catalog = of_catalog ? text : qualified ? cat_ident(w, name->first) : w->catalog;
    const struct cat_entry *c = cat_entry(w, CAT_A_CATALOG, SL_STR_NONE, SL_STR_NONE, catalog);
    bool there = c && !c->gone;
    if (of_catalog && !there && !cat_may_exist(w, text)) {
        cat_say(w, SL_CATALOG_UNKNOWN, last, "there is no catalog '%.*s'", SL_S(text));
    } else if (!of_catalog && there && !c->external) {
        const struct cat_entry *db = cat_entry(w, CAT_A_DATABASE, catalog, SL_STR_NONE, text);
        if ((!db || db->gone) && !cat_may_exist(w, text)) {
            cat_say(w, SL_DATABASE_UNKNOWN, last, "there is no database '%.*s' in catalog '%.*s'", SL_S(text),
                    SL_S(catalog));
        }
    }
}

/* ALTER VIEW, ALTER DATABASE and the others. */
static void alter_other(struct cat_walk *w, const struct sql_stmt *st)
{
    const struct sql_node *ast = st->ast;
    if (!ast) {
        cat_remember_names(w, st->sql);
        return;
    }
    const struct sql_node *name = ast->first;
    if (st->kind == SQL_KIND_ALTER_MATERIALIZED_TABLE) {
        struct cat_path p = cat_path_of(w, name);
        struct cat_entry *e = cat_entry_table(w, &p);
        if (e && !e->gone) {
            e->unsure = true;
        } else if (p.known && !cat_may_exist(w, p.name)) {
            cat_say_table(w, name);
        }
        return;
    }
    if (st->kind == SQL_KIND_ALTER_DATABASE || st->kind == SQL_KIND_ALTER_CATALOG) {
        container(w, name, st->kind == SQL_KIND_ALTER_CATALOG);
        return;
    }
    if (st->kind != SQL_KIND_ALTER_VIEW) {
        return;
    }
    struct cat_path p = cat_path_of(w, name);
    struct cat_entry *e = cat_entry_table(w, &p);
    const struct sql_node *as = sql_node_child(ast, SQL_N_AS_QUERY);
    if (!e || e->gone) {
        if (p.known && !cat_may_exist(w, p.name)) {
            struct sql_diag *d = cat_say(w, SL_TABLE_UNKNOWN, name, "there is no view '%.*s'",
                                         SL_S(sql_node_text(name, st->sql)));
            (void)d;
        }
        return;
    }
    if (!e->rel->view && !e->unsure && !e->rel->failed && p.known) {
        struct sql_diag *d = cat_say(w, SL_TABLE_UNKNOWN, name, "'%.*s' is a table, not a view",
                                     SL_S(sql_node_text(name, st->sql)));
        cat_hint(w, d, "write ALTER TABLE");
        return;
    }
    if (as) {
        struct cat_relation *rel = sl_new(w->a, struct cat_relation);
        *rel = *cat_query(w, as->first, NULL, NULL);
        rel->view = true;
        rel->temporary = e->temporary;
        rel->behind = e->rel->behind;
        e->rel = rel;
    } else if (name->next && name->next->kind == SQL_N_NAME) {
        struct cat_path fresh = p;
        fresh.name = cat_ident(w, cat_last(name->next));
        cat_declare(w, &fresh, e->rel, e->temporary);
        e->gone = true;
    }
}

/* UPDATE t SET a = 1 WHERE ..., DELETE FROM t WHERE ... */
static void change(struct cat_walk *w, const struct sql_node *n)
{
    const struct sql_node *name = sql_node_child(n, SQL_N_NAME), *alias = sql_node_child(n, SQL_N_ALIAS);
    const struct cat_relation *rel = name ? cat_find_table(w, name) : &cat_open_relation;
    if (!rel) {
        cat_say_table(w, name);
        return;
    }
    if (rel->with) {
        cat_with_use(w, rel, name, true);
    }
    struct cat_scope scope = {0};
    const struct sql_node *called = alias && alias->first ? alias->first : name ? sql_last(name) : NULL;
    sl_vec_push(w->a, &scope.from,
                ((struct cat_named){.name = called ? cat_ident(w, called) : SL_STR_NONE, .rel = rel}));
    struct cat_env env = {.scope = &scope};
    for (const struct sql_node *c = n->first; c; c = c->next) {
        if (c->kind == SQL_N_ASSIGN && c->first) {
            (void)cat_expr(w, c->first, &env);
            (void)cat_expr(w, c->first->next, &env);
        } else if (c->kind == SQL_N_WHERE) {
            cat_condition(w, c->first, &env, "WHERE");
        }
    }
}

/* SHOW COLUMNS FROM t, DESCRIBE t and the like only name a table. */
static void only_named(struct cat_walk *w, const struct sql_stmt *st)
{
    const struct sql_node *name = sql_node_child(st->ast, SQL_N_NAME);
    unsigned op = st->ast->op & SQL_OP_TOKEN;
    bool table = st->ast->kind == SQL_N_TRUNCATE || st->ast->kind == SQL_N_ANALYZE ||
                 (st->ast->kind == SQL_N_DESCRIBE && (op == 0 || op == TK_TABLE)) ||
                 (st->ast->kind == SQL_N_SHOW && (op == TK_COLUMNS || op == TK_PARTITIONS));
    bool show = st->ast->kind == SQL_N_SHOW, describe = st->ast->kind == SQL_N_DESCRIBE;
    if (show && op == TK_TABLES && name) {
        container(w, name, false);
    } else if (describe && (op == TK_CATALOG || op == TK_DATABASE)) {
        container(w, st->ast->first, op == TK_CATALOG);
    }
    if (show && op == TK_CREATE) {
        struct sql_lexer lx;
        struct sql_token t;
        sql_lex_init(&lx, st->sql, w->s->flink, false);
        for (unsigned i = 0; i < 3; i++) {
            sql_lex_next(&lx, &t);
        }
        table = t.kind == TK_TABLE || t.kind == TK_VIEW;
    }
    const struct cat_relation *rel = table && name ? cat_find_table(w, name) : NULL;
    if (table && name && !rel) {
        cat_say_table(w, name);
    }
}

/* A statement's tree: queries and INSERTs wherever they stand. */
static void tree(struct cat_walk *w, const struct sql_node *n)
{
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_QUERY:
    case SQL_N_SUBQUERY:
    case SQL_N_SELECT:
    case SQL_N_SET_OP:
    case SQL_N_VALUES:
        (void)cat_query(w, n, NULL, NULL);
        return;
    case SQL_N_INSERT:
        cat_insert(w, n);
        return;
    case SQL_N_UPDATE:
    case SQL_N_DELETE:
        change(w, n);
        return;
    case SQL_N_CREATE_TABLE: /* EXPLAIN CREATE TABLE ... AS */
        (void)cat_create_table(w, n, cat_path_of(w, sql_node_child(n, SQL_N_NAME)).name);
        return;
    case SQL_N_EXPLAIN:
    case SQL_N_EXECUTE:
    case SQL_N_COMPILE:
    case SQL_N_STATEMENT_SET:
        for (const struct sql_node *c = n->first; c; c = c->next) {
            tree(w, c);
        }
        return;
    default:
        return;
    }
}

/* SET that changes what is right: the mode, and catalogs that were kept. */
static void config(struct cat_walk *w, const struct sql_stmt *st)
{
    if (st->has_key && sl_str_eqz(st->key, "execution.runtime-mode")) {
        w->batch |= !sl_str_ieqz(st->value, "streaming");
    } else if (st->has_key && sl_str_starts(st->key, SL_STR("table.catalog-store"))) {
        w->catalogs = true;
    }
}

static void set_brackets(struct cat_walk *w, const struct sql_stmt *st)
{
    if (st->kind == SQL_KIND_BEGIN_STATEMENT_SET) {
        w->set = true;
        w->inserts = 0;
        return;
    }
    if (!w->set) {
        struct sql_diag *d = sql_diag_add(w->s, SL_STATEMENT_SET, SQL_ERROR, st->number, st->pos,
                                          "END without BEGIN STATEMENT SET");
        cat_hint(w, d, "the statements of a set stand between BEGIN STATEMENT SET; and END;");
    } else if (!w->inserts) {
        struct sql_diag *d = sql_diag_add(w->s, SL_STATEMENT_SET, SQL_ERROR, st->number, st->pos,
                                          "this statement set has no INSERT");
        cat_hint(w, d, "put INSERT statements between BEGIN STATEMENT SET; and END;");
    }
    w->set = false;
}

static void statement(struct cat_walk *w, const struct sql_stmt *st)
{
    w->st = st;
    w->steps++;
    const struct sql_node *ast = st->ast;
    bool insert = st->kind == SQL_KIND_INSERT || st->kind == SQL_KIND_UPSERT;
    if (w->set && st->kind != SQL_KIND_END && st->kind != SQL_KIND_UNKNOWN && !st->bad) {
        w->inserts += 1;
        if (!insert && !st->n_inner && sql_kind_class(st->kind) != SQL_CLASS_INSERT) {
            struct sql_diag *d = sql_diag_add(w->s, SL_STATEMENT_SET, SQL_ERROR, st->number, st->pos,
                                              "%s cannot stand in a statement set", sql_kind_name(st->kind));
            cat_hint(w, d, "only INSERT can; put it before BEGIN STATEMENT SET");
            return;
        }
    } else if (w->set && st->bad) {
        w->inserts++;
    }
    switch (st->kind) {
    case SQL_KIND_USE:
        use_database(w, st);
        return;
    case SQL_KIND_USE_CATALOG:
        use_catalog(w, st);
        return;
    case SQL_KIND_USE_MODULES:
    case SQL_KIND_LOAD_MODULE:
    case SQL_KIND_UNLOAD_MODULE:
        module(w, st);
        return;
    case SQL_KIND_SET:
    case SQL_KIND_RESET:
        config(w, st);
        return;
    case SQL_KIND_CREATE_TABLE:
    case SQL_KIND_CREATE_TABLE_AS:
    case SQL_KIND_REPLACE_TABLE_AS:
        if (ast && ast->kind == SQL_N_CREATE_TABLE) {
            bool bad = st->bad;
            struct cat_relation *rel =
                cat_create_table(w, ast, cat_ident(w, cat_last(sql_node_child(ast, SQL_N_NAME))));
            create(w, ast, rel, bad);
            cat_with_create(w, ast, rel);
        } else {
            create_text(w, st);
        }
        return;
    case SQL_KIND_CREATE_VIEW:
        if (ast && ast->kind == SQL_N_CREATE_VIEW) {
            bool bad = st->bad;
            create(w, ast, cat_create_view(w, ast, cat_ident(w, cat_last(sql_node_child(ast, SQL_N_NAME)))),
                   bad);
        } else {
            create_text(w, st);
        }
        return;
    case SQL_KIND_CREATE_MATERIALIZED_TABLE:
        if (ast) {
            const struct sql_node *as = sql_node_child(ast, SQL_N_AS_QUERY);
            if (as) {
                (void)cat_query(w, as->first, NULL, NULL);
            }
        }
        create_text(w, st);
        return;
    case SQL_KIND_DROP_TABLE:
    case SQL_KIND_DROP_VIEW:
    case SQL_KIND_DROP_MATERIALIZED_TABLE:
        if (ast && !st->bad) {
            drop_table(w, ast, st->kind == SQL_KIND_DROP_VIEW, st->kind == SQL_KIND_DROP_MATERIALIZED_TABLE);
        }
        return;
    case SQL_KIND_ALTER_TABLE:
        if (ast && ast->kind == SQL_N_ALTER_TABLE && !st->bad) {
            cat_alter_table(w, ast);
        } else {
            struct cat_path p = path_of_text(w, st->object);
            struct cat_entry *e = cat_entry_table(w, &p);
            if (e) {
                e->unsure = true;
            }
            cat_remember_names(w, st->sql);
        }
        return;
    case SQL_KIND_ALTER_VIEW:
    case SQL_KIND_ALTER_MATERIALIZED_TABLE:
        alter_other(w, st);
        return;
    case SQL_KIND_ALTER_DATABASE:
    case SQL_KIND_ALTER_CATALOG:
        if (ast && !st->bad) {
            alter_other(w, st);
        }
        return;
    case SQL_KIND_CREATE_CATALOG:
        create_catalog(w, st);
        if (ast) {
            cat_with_catalog(w, ast);
        }
        return;
    case SQL_KIND_DROP_CATALOG:
        drop_catalog(w, st);
        return;
    case SQL_KIND_CREATE_DATABASE:
        create_database(w, st);
        return;
    case SQL_KIND_DROP_DATABASE:
        drop_database(w, st);
        return;
    case SQL_KIND_CREATE_FUNCTION:
    case SQL_KIND_ALTER_FUNCTION:
    case SQL_KIND_DROP_FUNCTION:
        function(w, st);
        return;
    case SQL_KIND_BEGIN_STATEMENT_SET:
    case SQL_KIND_END:
        set_brackets(w, st);
        return;
    case SQL_KIND_UNKNOWN:
    case SQL_KIND_CALL:
        cat_remember_names(w, st->sql);
        return;
    case SQL_KIND_SHOW:
    case SQL_KIND_DESCRIBE:
    case SQL_KIND_TRUNCATE:
    case SQL_KIND_ANALYZE:
        if (ast) {
            only_named(w, st);
        }
        break;
    default:
        break;
    }
    if (st->n_inner) {
        for (size_t i = 0; i < st->n_inner; i++) {
            w->st = &st->inner[i];
            if (w->st->ast) {
                tree(w, w->st->ast);
            }
        }
    } else if (ast) {
        tree(w, ast);
    }
}

static uint64_t check(struct sql_script *s, const struct cat_session *session, bool full)
{
    struct cat_walk w = {.s = s, .a = s->arena};
    cat_world_init(&w, session);
    if (full) {
        cat_with_init(&w, session && session->jars);
    }
    for (size_t i = 0; i < s->stmts.n; i++) {
        statement(&w, &s->stmts.v[i]);
    }
    return w.steps;
}

uint64_t cat_scope_check_in(struct sql_script *s, const struct cat_session *session)
{
    return check(s, session, false);
}

uint64_t cat_scope_check_full(struct sql_script *s, const struct cat_session *session)
{
    return check(s, session, true);
}

void cat_scope_check(struct sql_script *s)
{
    (void)cat_scope_check_in(s, NULL);
}
