/* SPDX-License-Identifier: Apache-2.0
 * ALTER TABLE: is there what it changes, and what is there afterwards. */
#include "catalog/relation.h"
#include "sqlparse/token.h"

static bool among(sl_str name, const sl_str *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (sl_str_eq(v[i], name)) {
            return true;
        }
    }
    return false;
}

/* A new relation without one column, or with another name for it. */
static struct cat_relation *without(struct cat_walk *w, const struct cat_relation *rel, sl_str column,
                                    sl_str renamed)
{
    struct cat_relation *r = cat_copy(w, rel);
    r->columns.n = 0;
    r->slots = NULL;
    r->n_slots = 0;
    r->has_key = rel->has_key;
    r->with = rel->with;
    r->temporary = rel->temporary;
    r->behind = rel->behind;
    r->key.v = rel->key.v;
    r->key.n = r->key.cap = rel->key.n;
    r->uses.v = rel->uses.v;
    r->uses.n = r->uses.cap = rel->uses.n;
    r->partition.v = rel->partition.v;
    r->partition.n = r->partition.cap = rel->partition.n;
    for (size_t i = 0; i < rel->columns.n; i++) {
        const struct cat_field *f = &rel->columns.v[i];
        bool it = sl_str_eq(f->name, column);
        if (!it || renamed.n) {
            cat_add_column(w, r, it ? renamed : f->name, f->type)->role = f->role;
        }
    }
    return r;
}

static void add_or_modify(struct cat_walk *w, const struct sql_node *columns, struct cat_relation *rel,
                          sl_str table, bool modify)
{
    for (const struct sql_node *c = columns->first; c; c = c->next) {
        const struct sql_node *position = sql_node_child(c, SQL_N_POSITION);
        const struct sql_node *after = position && position->first ? cat_last(position->first) : NULL;
        if (after && after->kind == SQL_N_IDENT && !cat_has_column(rel, cat_ident(w, after))) {
            cat_say_column(w, after, cat_ident(w, after), table, NULL, rel);
        }
        if (c->kind == SQL_N_WATERMARK && rel->watermark != modify && c->first) {
            struct sql_diag *d =
                modify ? cat_say(w, SL_WATERMARK, c, "'%.*s' has no WATERMARK", SL_S(table))
                       : cat_say(w, SL_WATERMARK, c, "'%.*s' has a WATERMARK already", SL_S(table));
            cat_hint(w, d, "write ALTER TABLE %.*s %s WATERMARK FOR ...", SL_S(table),
                     modify ? "ADD" : "MODIFY");
        }
        if (c->kind == SQL_N_CONSTRAINT && rel->has_key != modify) {
            struct sql_diag *d =
                modify ? cat_say(w, SL_CONSTRAINT, c, "'%.*s' has no PRIMARY KEY", SL_S(table))
                       : cat_say(w, SL_CONSTRAINT, c, "'%.*s' has a PRIMARY KEY already", SL_S(table));
            cat_hint(w, d, "write ALTER TABLE %.*s %s PRIMARY KEY (...) NOT ENFORCED", SL_S(table),
                     modify ? "ADD" : "MODIFY");
        }
        if (!cat_is_column(c)) {
            continue;
        }
        sl_str name = cat_column_name(w, c);
        const struct cat_field *f = name.n ? cat_field(rel, name) : NULL;
        const struct sql_node *at = cat_last(c->first);
        if (modify && name.n && !f) {
            cat_say_column(w, at, name, table, NULL, rel);
        } else if (!modify && f) {
            struct sql_diag *d = cat_say(w, SL_COLUMN_EXISTS, at, "table '%.*s' has a column '%.*s' already",
                                         SL_S(table), SL_S(name));
            cat_hint(w, d, "to change it write MODIFY instead of ADD");
        } else if (name.n && !modify) {
            cat_declare_column(w, c, rel);
        } else if (f) {
            const struct sql_node *type = sql_node_child(c, SQL_N_TYPE);
            struct cat_field *m = &rel->columns.v[f - rel->columns.v];
            const struct cat_type *fresh = type ? cat_type_checked(w, type) : cat_type_of(CAT_T_UNKNOWN);
            bool moment = fresh->kind <= CAT_T_NULL || fresh->kind == CAT_T_TIMESTAMP ||
                          fresh->kind == CAT_T_TIMESTAMP_LTZ;
            if (m->type->time == CAT_TIME_ROW && !moment) {
                cat_say(w, SL_WATERMARK, type, "'%.*s' has a WATERMARK, and %s cannot have one", SL_S(name),
                        cat_kind_name(fresh->kind));
            }
            m->type = cat_type_timed(w->a, fresh, CAT_TIME_MAYBE);
            m->role = c->kind == SQL_N_COMPUTED   ? CAT_COMPUTED
                      : c->kind == SQL_N_METADATA ? (c->op & 1 ? CAT_VIRTUAL : CAT_METADATA)
                                                  : CAT_PHYSICAL;
        }
    }
    if (modify) {
        rel->open = true; /* what was made of the old columns is not looked at */
    }
    cat_check_columns(w, columns, rel, table);
    if (modify) {
        rel->open = false;
    }
}

/* Something still needs the column. */
static bool check_free(struct cat_walk *w, const struct sql_node *at, sl_str name,
                       const struct cat_relation *rel, const char *verb)
{
    const char *why = among(name, rel->key.v, rel->key.n)               ? "the PRIMARY KEY"
                      : among(name, rel->uses.v, rel->uses.n)           ? "a computed column or the WATERMARK"
                      : among(name, rel->partition.v, rel->partition.n) ? "PARTITIONED BY"
                                                                        : NULL;
    if (why) {
        struct sql_diag *d = cat_say(w, SL_CONSTRAINT, at, "column '%.*s' cannot be %s: it is used in %s",
                                     SL_S(name), verb, why);
        cat_hint(w, d, "drop that first");
        return false;
    }
    return true;
}

static struct cat_relation *drop_columns(struct cat_walk *w, const struct sql_node *target,
                                         struct cat_relation *rel, sl_str table)
{
    const struct sql_node *c = target->kind == SQL_N_NAMES ? target->first : target;
    struct cat_relation gone = {0};
    for (; c; c = target->kind == SQL_N_NAMES ? c->next : NULL) {
        const struct sql_node *ident = cat_last(c);
        sl_str name = ident->kind == SQL_N_IDENT ? cat_ident(w, ident) : SL_STR_NONE;
        if (!name.n) {
            continue;
        }
        if (cat_has_column(&gone, name)) {
            cat_say(w, SL_COLUMN_DUPLICATE, ident, "column '%.*s' is dropped twice", SL_S(name));
        } else if (!cat_has_column(rel, name)) {
            cat_say_column(w, ident, name, table, NULL, rel);
        } else if (check_free(w, ident, name, rel, "dropped")) {
            rel = without(w, rel, name, SL_STR_NONE);
        }
        cat_add_column(w, &gone, name, NULL);
    }
    return rel;
}

static struct cat_relation *rename_column(struct cat_walk *w, const struct sql_node *from,
                                          const struct sql_node *to, struct cat_relation *rel, sl_str table)
{
    const struct sql_node *a = cat_last(from), *b = cat_last(to);
    sl_str old = cat_ident(w, a), fresh = cat_ident(w, b);
    if (!cat_has_column(rel, old)) {
        cat_say_column(w, a, old, table, NULL, rel);
        cat_add_column(w, rel, fresh, NULL);
        return rel;
    }
    if (cat_has_column(rel, fresh)) {
        cat_say(w, SL_COLUMN_EXISTS, b, "table '%.*s' has a column '%.*s' already", SL_S(table), SL_S(fresh));
        return rel;
    }
    if (among(old, rel->uses.v, rel->uses.n) && !check_free(w, a, old, rel, "renamed")) {
        return rel;
    }
    struct cat_relation *r = without(w, rel, old, fresh);
    r->key.n = 0; /* its names are old */
    r->partition.n = 0;
    return r;
}

static struct cat_relation *drop(struct cat_walk *w, const struct sql_node *action, struct cat_relation *rel,
                                 sl_str table)
{
    const struct sql_node *target = action->first;
    if (!target) {
        return rel;
    }
    if (target->kind == SQL_N_NAME || target->kind == SQL_N_NAMES) {
        return drop_columns(w, target, rel, table);
    }
    unsigned op = target->op & SQL_OP_TOKEN;
    if (target->kind == SQL_N_ACTION && op == TK_WATERMARK) {
        if (!rel->watermark) {
            cat_say(w, SL_WATERMARK, target, "'%.*s' has no WATERMARK", SL_S(table));
        }
        rel->watermark = false;
        rel->uses.n = 0;
        for (size_t i = 0; i < rel->columns.n; i++) {
            if (rel->columns.v[i].type->time == CAT_TIME_ROW) {
                rel->columns.v[i].type = cat_type_timed(w->a, rel->columns.v[i].type, CAT_TIME_NONE);
            }
        }
    } else if (target->kind == SQL_N_ACTION && (op == TK_PRIMARY || op == TK_CONSTRAINT)) {
        if (!rel->has_key) {
            cat_say(w, SL_CONSTRAINT, target, "'%.*s' has no PRIMARY KEY", SL_S(table));
        }
        rel->has_key = false;
        rel->key.n = 0;
    }
    return rel;
}

static void rename_table(struct cat_walk *w, const struct cat_path *p, struct cat_entry *e,
                         const struct sql_node *to)
{
    struct cat_path fresh = *p;
    fresh.name = cat_ident(w, cat_last(to));
    struct cat_entry *other = cat_entry_table(w, &fresh);
    if (other && !other->gone && !other->unsure) {
        cat_say(w, SL_TABLE_EXISTS, cat_last(to), "there is a table '%.*s' already", SL_S(fresh.name));
        return;
    }
    cat_declare(w, &fresh, e->rel, e->temporary);
    e->gone = true;
}

void cat_alter_table(struct cat_walk *w, const struct sql_node *alter)
{
    const struct sql_node *name = sql_node_child(alter, SQL_N_NAME),
                          *action = sql_node_child(alter, SQL_N_ACTION);
    struct cat_path p = cat_path_of(w, name);
    struct cat_entry *e = cat_entry_table(w, &p);
    if (!name || !action || !p.known) {
        return;
    }
    if (!e || e->gone) {
        if (!(alter->op & SQL_OP_IF) && !cat_may_exist(w, p.name)) {
            cat_say_table(w, name);
        }
        return;
    }
    sl_str table = sql_node_text(name, w->st->sql);
    if (e->rel->view && !e->unsure) {
        struct sql_diag *d = cat_say(w, SL_TABLE_UNKNOWN, name, "'%.*s' is a view, not a table", SL_S(table));
        cat_hint(w, d, "write ALTER VIEW, or DROP VIEW and create it again");
        return;
    }
    struct cat_relation *rel = e->rel;
    const struct sql_node *first = action->first, *columns = sql_node_child(action, SQL_N_COLUMNS);
    unsigned op = action->op & SQL_OP_TOKEN;
    if (op == TK_RENAME && first && !first->next) {
        rename_table(w, &p, e, first);
        return;
    }
    if (e->unsure) {
        rel->with = NULL; /* of which of two is not known */
    }
    cat_with_alter(w, action, rel);
    if (rel->open || e->unsure || rel->failed) {
        e->unsure = true;
        return;
    }
    if ((op == TK_ADD || op == TK_MODIFY) && columns) {
        rel = without(w, rel, SL_STR_NONE, SL_STR_NONE);
        add_or_modify(w, columns, rel, table, op == TK_MODIFY);
    } else if (op == TK_RENAME && first && first->next) {
        rel = rename_column(w, first, first->next, rel, table);
    } else if (op == TK_DROP) {
        rel = drop(w, action, rel, table);
    }
    e->rel = rel;
}
