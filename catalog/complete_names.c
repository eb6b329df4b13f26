/* SPDX-License-Identifier: Apache-2.0
 * The names completion offers: tables, databases, columns, what stands behind a dot. */
#include "catalog/complete_impl.h"

enum {
    RANK_COLUMN = 0,
    RANK_RESULT = 20,
    RANK_ALIAS = 100,
    RANK_FAR = 200,
    RANK_TABLE = 0,
    RANK_SPACE = 250
};

void caret_offer_columns(struct caret *c, const struct cat_columns *from, sl_str table, unsigned rank)
{
    for (size_t i = 0; i < from->list.n; i++) {
        const struct cat_column *at = &from->list.v[i];
        sl_str detail = at->type;
        if (table.n) {
            detail = detail.n ? sl_arena_printf(c->a, "%.*s, %.*s", SL_S(detail), SL_S(table)) : table;
        }
        caret_offer_name(c, CAT_ITEM_COLUMN, at->name, detail, at->comment, rank + SL_MIN((unsigned)i, 15u));
    }
}

/* ------------------------------------------------------------------ tables, databases, catalogs */

struct wanted {
    struct caret *c;
    sl_str catalog, database; /* of the tables that are asked for */
    bool views;               /* only those */
    bool sink;                /* something to write to */
};

static void offer_object(void *ctx, const struct cat_object *o)
{
    struct wanted *w = ctx;
    if (o->kind == CAT_OUTSIDE || !sl_str_eq(o->database, w->database) ||
        !sl_str_eq(o->catalog, w->catalog) || (w->views && o->kind != CAT_VIEW)) {
        return;
    }
    static const char *const kinds[] = {"table", "view", "materialized table", "", ""};
    sl_str detail = sl_str_of(kinds[o->kind]);
    if (o->stmt) {
        detail = sl_arena_printf(w->c->a, "%s, line %u", kinds[o->kind], o->stmt->pos.line);
    }
    caret_offer_name(w->c, o->kind == CAT_VIEW ? CAT_ITEM_VIEW : CAT_ITEM_TABLE, o->name, detail, SL_STR_NONE,
                     RANK_TABLE + (w->sink && o->kind == CAT_VIEW ? 100u : 0u));
}

static void offer_objects_of(struct caret *c, sl_str catalog, sl_str database, bool views)
{
    int last = c->at ? caret_kind(c, c->at - 1) : 0;
    struct wanted w = {c, catalog, database, views,
                       last == TK_INTO || last == TK_OVERWRITE || caret_kind(c, 1) == TK_TABLE};
    cat_flow_each(c->flow, c->number, offer_object, &w);
}

/* Catalogs and databases that statements before the caret create. */
void caret_offer_spaces(struct caret *c, bool catalogs, sl_str catalog, unsigned rank)
{
    sl_str here, database;
    cat_flow_current(c->flow, c->number, &here, &database);
    catalog = catalog.n ? catalog : here;
    if (catalogs) {
        caret_offer_name(c, CAT_ITEM_SPACE, SL_STR("default_catalog"), SL_STR("catalog"), SL_STR_NONE, rank);
    } else if (sl_str_eqz(catalog, "default_catalog")) {
        caret_offer_name(c, CAT_ITEM_SPACE, SL_STR("default_database"), SL_STR("database"), SL_STR_NONE,
                         rank);
    }
    for (size_t i = 0; i < c->s->stmts.n && c->s->stmts.v[i].number < c->number; i++) {
        const struct sql_stmt *st = &c->s->stmts.v[i];
        if (st->kind != (catalogs ? SQL_KIND_CREATE_CATALOG : SQL_KIND_CREATE_DATABASE) || !st->object.n) {
            continue;
        }
        sl_str part[3], current;
        struct sql_lexer lx;
        struct sql_token t;
        size_t n = 0;
        sql_lex_init(&lx, st->object, c->s->flink, false);
        while (n < 3 && sql_lex_next(&lx, &t)) {
            if (t.kind != TK_DOT) {
                part[n++] = sql_unquote(c->a, sql_token_text(&lx, &t));
            }
        }
        cat_flow_current(c->flow, st->number, &current, &database);
        if (n && (catalogs || sl_str_eq(n > 1 ? part[n - 2] : current, catalog))) {
            caret_offer_name(c, CAT_ITEM_SPACE, part[n - 1],
                             catalogs ? SL_STR("catalog") : SL_STR("database"), SL_STR_NONE, rank);
        }
    }
}

void caret_offer_tables(struct caret *c, const struct caret_scope *scope, bool views)
{
    sl_str catalog, database;
    cat_flow_current(c->flow, c->number, &catalog, &database);
    for (size_t i = 0; scope && i < scope->ctes.list.n; i++) {
        caret_offer_name(c, CAT_ITEM_ALIAS, scope->ctes.list.v[i].name, SL_STR("common table expression"),
                         SL_STR_NONE, RANK_TABLE);
    }
    offer_objects_of(c, catalog, database, views);
    caret_offer_spaces(c, false, SL_STR_NONE, RANK_SPACE);
    caret_offer_spaces(c, true, SL_STR_NONE, RANK_SPACE + 1);
}

/* ------------------------------------------------------------------ after a dot */

static void offer_fields(struct caret *c, sl_str type)
{
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, type, c->s->flink, false);
    if (sql_lex_next(&lx, &t) != TK_ROW) {
        return;
    }
    size_t depth = 0;
    bool name = false;
    sl_str field = SL_STR_NONE;
    uint32_t from = 0;
    while (sql_lex_next(&lx, &t)) {
        bool ends = (t.kind == TK_GT || t.kind == TK_RP) && depth == 1;
        if ((ends || (t.kind == TK_COMMA && depth == 1)) && field.n) {
            sl_str of = sl_str_trim(sl_str_sub(type, from, t.off - from));
            caret_offer_name(c, CAT_ITEM_COLUMN, field, of, SL_STR_NONE, RANK_COLUMN);
            field = SL_STR_NONE;
        } else if (name) {
            field = sql_unquote(c->a, sql_token_text(&lx, &t));
            from = t.off + t.len;
        }
        depth += t.kind == TK_LT || t.kind == TK_LP;
        depth -= (t.kind == TK_GT || t.kind == TK_RP) && depth;
        name = depth == 1 && (t.kind == TK_LT || t.kind == TK_LP || t.kind == TK_COMMA);
    }
}

static const struct cat_in_scope *named(const struct cat_in_scopes *list, const sl_str *part, size_t n)
{
    for (size_t i = 0; i < list->list.n; i++) {
        const struct cat_in_scope *at = &list->list.v[i];
        const struct cat_object *o = at->object;
        bool whole = o && n > 1 && sl_str_eq(part[n - 1], o->name) && sl_str_eq(part[n - 2], o->database) &&
                     (n == 2 || sl_str_eq(part[n - 3], o->catalog));
        if ((n == 1 && sl_str_eq(at->name, part[0])) || whole) {
            return at;
        }
    }
    return NULL;
}

void caret_offer_qualified(struct caret *c, const struct caret_scope *scope, const sl_str *part, size_t n,
                           bool table)
{
    sl_str catalog, database;
    cat_flow_current(c->flow, c->number, &catalog, &database);
    if (table) {
        if (n == 1) {
            offer_objects_of(c, catalog, part[0], false);
            caret_offer_spaces(c, false, part[0], RANK_SPACE);
        } else if (n == 2) {
            offer_objects_of(c, part[0], part[1], false);
        }
        return;
    }
    const struct cat_in_scopes *lists[] = {&scope->near, &scope->patterns, &scope->far};
    for (size_t i = 0; i < scope->near.list.n; i++) { /* db.|, catalog.db.| */
        const struct cat_object *o = scope->near.list.v[i].object;
        bool here =
            o && sl_str_eq(part[n - 1], o->database) && (n == 1 || sl_str_eq(part[n - 2], o->catalog));
        if (here && n <= 2 && sl_str_eq(scope->near.list.v[i].name, o->name)) {
            caret_offer_name(c, CAT_ITEM_TABLE, o->name, SL_STR_NONE, SL_STR_NONE, RANK_TABLE);
        }
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(lists); i++) {
        const struct cat_in_scope *in = named(lists[i], part, n);
        if (in) {
            caret_offer_columns(c, in->columns, SL_STR_NONE, RANK_COLUMN);
            return;
        }
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(lists); i++) {
        const struct cat_in_scope *in = n == 2 ? named(lists[i], part, 1) : NULL;
        for (size_t k = 0; k < lists[i]->list.n && n <= 2; k++) {
            const struct cat_columns *columns = in ? in->columns : lists[i]->list.v[k].columns;
            for (size_t l = 0; l < columns->list.n && (in || n == 1); l++) {
                if (sl_str_eq(columns->list.v[l].name, part[n - 1])) {
                    offer_fields(c, columns->list.v[l].type);
                    return;
                }
            }
        }
    }
}

/* ------------------------------------------------------------------ expressions */

/* SELECT a AS b ... ORDER BY |: b. */
static void offer_results(struct caret *c, size_t select)
{
    size_t i = select;
    bool behind = false; /* of the FROM */
    for (size_t k = select == SIZE_MAX ? c->at : select; k < c->at; k++) {
        behind |=
            caret_kind(c, k) == TK_BY || caret_kind(c, k) == TK_HAVING || caret_kind(c, k) == TK_QUALIFY;
    }
    for (; behind && i < c->at && caret_kind(c, i) != TK_FROM;
         i = caret_kind(c, i) == TK_LP ? caret_close(c, i) + 1 : i + 1) {
        if (caret_kind(c, i) == TK_AS && i + 1 < c->at && caret_is_name(&c->tokens.v[i + 1])) {
            caret_offer_name(c, CAT_ITEM_COLUMN, sql_unquote(c->a, caret_token(c, i + 1)),
                             SL_STR("of this SELECT"), SL_STR_NONE, RANK_RESULT);
        }
    }
}

void caret_offer_expression(struct caret *c, const struct caret_scope *scope)
{
    bool several = scope->near.list.n > 1;
    for (size_t i = 0; i < scope->near.list.n; i++) {
        const struct cat_in_scope *in = &scope->near.list.v[i];
        caret_offer_columns(c, in->columns, several ? in->name : SL_STR_NONE, RANK_COLUMN);
    }
    offer_results(c, scope->select);
    const struct cat_in_scopes *lists[] = {&scope->near, &scope->patterns, &scope->far};
    for (size_t k = 0; k < SL_ARRAY_LEN(lists); k++) {
        for (size_t i = 0; i < lists[k]->list.n; i++) {
            sl_str detail = lists[k]->list.v[i].object ? cat_object_name(c->a, lists[k]->list.v[i].object)
                            : k == 1                   ? SL_STR("pattern variable")
                                                       : SL_STR_NONE;
            caret_offer_name(c, CAT_ITEM_ALIAS, lists[k]->list.v[i].name, detail, SL_STR_NONE,
                             k == 2 ? RANK_FAR + 50 : RANK_ALIAS);
        }
    }
    for (size_t i = 0; i < scope->far.list.n; i++) {
        caret_offer_columns(c, scope->far.list.v[i].columns, scope->far.list.v[i].name, RANK_FAR);
    }
    if (scope->select == SIZE_MAX && !scope->near.list.n) {
        int first = caret_kind(c, 0);
        size_t next, at = caret_subject(c);
        if (first == TK_CREATE && caret_opener(c, c->at) != SIZE_MAX) {
            caret_offer_columns(c, caret_declared(c), SL_STR_NONE, RANK_COLUMN);
        } else if ((first == TK_UPDATE || first == TK_DELETE || first == TK_ALTER || first == TK_MERGE) &&
                   at) {
            const struct cat_object *o = caret_table(c, at, &next);
            if (o) {
                caret_offer_columns(c, cat_flow_columns(c->flow, o), SL_STR_NONE, RANK_COLUMN);
            }
        }
    }
    if (!scope->columns_only) {
        caret_functions(c, false, 0);
    }
}
