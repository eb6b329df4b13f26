/* SPDX-License-Identifier: Apache-2.0
 * CREATE TABLE and CREATE VIEW: columns, keys, watermark, partitions, what LIKE and AS bring. A table whose
 * statement is wrong is known all the same. */
#include "catalog/relation.h"
#include "sqlparse/token.h"

bool cat_is_column(const struct sql_node *n)
{
    return n->kind == SQL_N_COLUMN || n->kind == SQL_N_METADATA || n->kind == SQL_N_COMPUTED;
}

sl_str cat_column_name(const struct cat_walk *w, const struct sql_node *column)
{
    const struct sql_node *n = column->first ? cat_last(column->first) : NULL;
    return n && n->kind == SQL_N_IDENT ? cat_ident(w, n) : SL_STR_NONE;
}

/* Columns named in PRIMARY KEY, PARTITIONED BY, DISTRIBUTED BY. */
static void check_names(struct cat_walk *w, const struct sql_node *names, const struct cat_relation *rel,
                        sl_str table, const char *what)
{
    struct cat_relation seen = {0};
    for (const struct sql_node *c = names ? names->first : NULL; c; c = c->next) {
        const struct sql_node *ident = cat_last(c);
        sl_str name = ident->kind == SQL_N_IDENT ? cat_ident(w, ident) : SL_STR_NONE;
        const struct cat_field *f = cat_field(rel, name);
        if (!name.n) {
            continue;
        }
        if (!f && !rel->open) {
            cat_say_column(w, ident, name, table, NULL, rel);
        } else if (f && what &&
                   (f->role == CAT_COMPUTED || f->role == CAT_METADATA || f->role == CAT_VIRTUAL)) {
            struct sql_diag *d =
                cat_say(w, SL_CONSTRAINT, ident, "'%.*s' is %s, and a PRIMARY KEY is made of plain columns",
                        SL_S(name), f->role == CAT_COMPUTED ? "computed" : "metadata");
            cat_hint(w, d, "declare it with its type, without AS or METADATA");
        } else if (what && cat_has_column(&seen, name)) {
            cat_say(w, SL_COLUMN_DUPLICATE, ident, "'%.*s' is in the PRIMARY KEY twice", SL_S(name));
        }
        cat_add_column(w, &seen, name, NULL);
    }
}

static void remember_key(struct cat_walk *w, const struct sql_node *names, struct cat_relation *rel)
{
    rel->has_key = true;
    for (const struct sql_node *c = names ? names->first : NULL; c; c = c->next) {
        const struct sql_node *ident = cat_last(c);
        if (ident->kind == SQL_N_IDENT) {
            sl_vec_push(w->a, &rel->key, cat_ident(w, ident));
            const struct cat_field *f = cat_field(rel, cat_ident(w, ident));
            if (f) {
                rel->columns.v[f - rel->columns.v].not_null = true;
            }
        }
    }
}

/* The columns an expression is made of: they cannot be dropped. */
static void remember_uses(struct cat_walk *w, const struct sql_node *n, struct cat_relation *rel)
{
    for (; n; n = n->next) {
        w->steps++;
        if (n->kind == SQL_N_NAME && n->first) {
            sl_vec_push(w->a, &rel->uses, cat_ident(w, n->first));
        } else if (n->kind == SQL_N_IDENT) {
            sl_vec_push(w->a, &rel->uses, cat_ident(w, n));
        } else if (n->kind == SQL_N_CALL && cat_call_name(n)) {
            remember_uses(w, cat_call_name(n)->next, rel);
        } else {
            remember_uses(w, n->first, rel);
        }
    }
}

/* The field WATERMARK FOR names; NULL when it is not there (said). */
static struct cat_field *rowtime_field(struct cat_walk *w, const struct sql_node *name,
                                       struct cat_relation *rel, sl_str table,
                                       const struct cat_type **ret_type)
{
    const struct sql_node *first = name->kind == SQL_N_NAME ? name->first : name;
    const struct cat_field *there =
        first && first->kind == SQL_N_IDENT ? cat_field(rel, cat_ident(w, first)) : NULL;
    struct cat_field *f = there ? &rel->columns.v[there - rel->columns.v] : NULL;
    *ret_type = cat_type_of(CAT_T_UNKNOWN);
    if (!f) {
        if (first && !rel->open) {
            cat_say_column(w, first, cat_ident(w, first), table, NULL, rel);
        }
        if (first && first->kind == SQL_N_IDENT) {
            cat_add_column(w, rel, cat_ident(w, first), NULL); /* missed once, it is there from then on */
        }
        return NULL;
    }
    if (first->next) {
        struct cat_scope scope = {0};
        sl_vec_push(w->a, &scope.from, ((struct cat_named){.rel = rel}));
        struct cat_env env = {.scope = &scope};
        *ret_type = cat_expr(w, name, &env);
        return NULL;
    }
    *ret_type = f->type;
    return f;
}

static void check_watermark(struct cat_walk *w, const struct sql_node *c, struct cat_relation *rel,
                            sl_str table)
{
    const struct sql_node *name = c->first, *expr = name ? name->next : NULL;
    const struct cat_type *t;
    struct cat_scope scope = {0};
    sl_vec_push(w->a, &scope.from, ((struct cat_named){.name = table, .rel = rel}));
    struct cat_env env = {.scope = &scope};
    struct cat_field *f = name ? rowtime_field(w, name, rel, table, &t) : NULL;
    if (!name) {
        return;
    }
    rel->watermark = true;
    bool moment = t->kind == CAT_T_TIMESTAMP || t->kind == CAT_T_TIMESTAMP_LTZ;
    if (t->kind != CAT_T_UNKNOWN && (!moment || t->precision > 3)) {
        struct sql_diag *d =
            moment ? cat_say(w, SL_WATERMARK, name, "'%.*s' has precision %d, and a watermark needs 0 to 3",
                             SL_S(sql_node_text(name, w->st->sql)), t->precision)
                   : cat_say(w, SL_WATERMARK, name,
                             "a watermark is for a TIMESTAMP(3) or TIMESTAMP_LTZ(3), and '%.*s' is %s",
                             SL_S(sql_node_text(name, w->st->sql)), cat_kind_name(t->kind));
        cat_hint(
            w, d,
            moment
                ? "declare it as TIMESTAMP(3)"
                : "make a computed column of it:  ts AS TO_TIMESTAMP(...)  or  TO_TIMESTAMP_LTZ(millis, 3)");
    } else if (t->time == CAT_TIME_PROC) {
        struct sql_diag *d =
            cat_say(w, SL_WATERMARK, name, "'%.*s' is a processing time, which has no watermark",
                    SL_S(sql_node_text(name, w->st->sql)));
        cat_hint(w, d, "leave the WATERMARK out, or use a column that comes with the data");
        return;
    } else {
        const struct cat_type *e = cat_expr(w, expr, &env);
        bool fits = e->kind <= CAT_T_NULL || e->kind == CAT_T_TIMESTAMP || e->kind == CAT_T_TIMESTAMP_LTZ;
        if (!fits) {
            struct sql_diag *d = cat_say(w, SL_WATERMARK, expr, "a watermark is a time, and this is %s",
                                         cat_kind_name(e->kind));
            cat_hint(w, d, "for example: %.*s - INTERVAL '5' SECOND", SL_S(sql_node_text(name, w->st->sql)));
        }
    }
    remember_uses(w, name, rel);
    remember_uses(w, expr, rel);
    if (f) {
        f->type = cat_type_timed(w->a, f->type, CAT_TIME_ROW);
    }
}

/* What a computed column can see: every column that is not computed. */
static const struct cat_relation *plain_columns(struct cat_walk *w, const struct cat_relation *rel)
{
    struct cat_relation *r = sl_new(w->a, struct cat_relation);
    r->open = rel->open;
    for (size_t i = 0; i < rel->columns.n; i++) {
        if (rel->columns.v[i].role != CAT_COMPUTED) {
            cat_add_column(w, r, rel->columns.v[i].name, rel->columns.v[i].type);
        }
    }
    return r;
}

static void check_computed(struct cat_walk *w, const struct sql_node *c, struct cat_relation *rel,
                           const struct cat_relation *seen)
{
    struct cat_scope scope = {0};
    sl_vec_push(w->a, &scope.from, ((struct cat_named){.rel = seen}));
    struct cat_env env = {.scope = &scope};
    const struct sql_node *expr = c->first ? c->first->next : NULL;
    const struct cat_type *t = cat_expr(w, expr, &env);
    const struct cat_field *f = cat_field(rel, cat_column_name(w, c));
    if (f && f->role == CAT_COMPUTED) {
        rel->columns.v[f - rel->columns.v].type = t;
    }
    const struct sql_node *one = expr;
    if (one) {
        struct sql_node alone = *one; /* without the COMMENT that follows */
        alone.next = NULL;
        remember_uses(w, &alone, rel);
    }
}

void cat_check_columns(struct cat_walk *w, const struct sql_node *columns, struct cat_relation *rel,
                       sl_str table)
{
    const struct cat_relation *seen = NULL;
    for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
        if (c->kind == SQL_N_COMPUTED) {
            seen = seen ? seen : plain_columns(w, rel);
            check_computed(w, c, rel, seen);
        }
    }
    for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
        if (c->kind == SQL_N_WATERMARK) {
            check_watermark(w, c, rel, table);
        } else if (c->kind == SQL_N_CONSTRAINT) {
            const struct sql_node *names = sql_node_child(c, SQL_N_NAMES);
            check_names(w, names, rel, table, "key");
            remember_key(w, names, rel);
        } else if (c->kind == SQL_N_COLUMN && sql_node_child(c, SQL_N_CONSTRAINT)) {
            rel->has_key = true;
            sl_vec_push(w->a, &rel->key, cat_column_name(w, c));
        }
    }
}

void cat_declare_column(struct cat_walk *w, const struct sql_node *c, struct cat_relation *rel)
{
    const struct sql_node *type = sql_node_child(c, SQL_N_TYPE);
    const struct cat_type *t =
        c->kind == SQL_N_COMPUTED || !type ? cat_type_of(CAT_T_UNKNOWN) : cat_type_checked(w, type);
    struct cat_field *f = cat_add_column(w, rel, cat_column_name(w, c), t);
    f->not_null = type && (type->op & SQL_OP_NEGATED);
    f->role = c->kind == SQL_N_COMPUTED   ? CAT_COMPUTED
              : c->kind == SQL_N_METADATA ? (c->op & 1 ? CAT_VIRTUAL : CAT_METADATA)
                                          : CAT_PHYSICAL;
}

/* What LIKE takes over. */
struct like {
    bool generated, metadata, constraints, partitions, watermarks, physical;
    bool over_generated, over_watermarks, over_metadata;
};

static struct like like_options(const struct cat_walk *w, const struct sql_node *like)
{
    struct like l = {true, true, true, true, true, true, false, false, false};
    for (unsigned pass = 0; pass < 2; pass++) {
        for (const struct sql_node *o = like->first; o; o = o->next) {
            if (o->kind != SQL_N_LIKE_OPTION) {
                continue;
            }
            sl_str text = sql_node_text(o, w->st->sql);
            bool in = text.n && (text.p[0] | 0x20) != 'e', over = text.n && (text.p[0] | 0x20) == 'o';
            switch (o->op) {
            case TK_ALL:
                if (pass == 0) {
                    l = (struct like){in, in, in, in, in, true, false, false, false};
                }
                break;
            case TK_GENERATED:
                l.generated = pass ? in : l.generated;
                l.over_generated |= over;
                break;
            case TK_METADATA:
                l.metadata = pass ? in : l.metadata;
                l.over_metadata |= over;
                break;
            case TK_CONSTRAINTS:
                l.constraints = pass ? in : l.constraints;
                break;
            case TK_PARTITIONS:
                l.partitions = pass ? in : l.partitions;
                break;
            case TK_WATERMARKS:
                l.watermarks = pass ? in : l.watermarks;
                l.over_watermarks |= over;
                break;
            default:
                break;
            }
        }
    }
    return l;
}

static void take_over(struct cat_walk *w, struct cat_relation *rel, const struct cat_relation *base,
                      const struct like *l)
{
    rel->open = base->open;
    for (size_t i = 0; i < base->columns.n; i++) {
        const struct cat_field *f = &base->columns.v[i];
        bool meta = f->role == CAT_METADATA || f->role == CAT_VIRTUAL;
        if ((f->role == CAT_COMPUTED && !l->generated) || (meta && !l->metadata)) {
            continue;
        }
        const struct cat_type *t = f->type;
        if (t->time == CAT_TIME_ROW && !l->watermarks) {
            t = cat_type_timed(w->a, t, CAT_TIME_NONE);
        }
        struct cat_field *copy = cat_add_column(w, rel, f->name, t);
        copy->role = f->role;
        copy->not_null = f->not_null;
    }
    rel->watermark = base->watermark && l->watermarks;
    rel->has_key = base->has_key && l->constraints;
    if (rel->has_key) {
        rel->key.v = base->key.v;
        rel->key.n = rel->key.cap = base->key.n;
    }
}

static struct cat_relation *like_base(struct cat_walk *w, const struct sql_node *like,
                                      struct cat_relation *rel, struct like *ret)
{
    const struct sql_node *name = like ? sql_node_child(like, SQL_N_NAME) : NULL;
    if (!name) {
        return rel;
    }
    *ret = like_options(w, like);
    const struct cat_relation *base = cat_find_table(w, name);
    if (!base) {
        cat_say_table(w, name);
        rel->open = true;
    } else {
        take_over(w, rel, base, ret);
    }
    return rel;
}

/* A column of this statement beside one that LIKE brought. */
static bool clashes(struct cat_walk *w, const struct sql_node *c, const struct cat_field *before,
                    const struct like *l, sl_str name)
{
    bool computed = c->kind == SQL_N_COMPUTED, meta = c->kind == SQL_N_METADATA;
    bool overwrites =
        (computed && before->role == CAT_COMPUTED && l->over_generated) ||
        (meta && (before->role == CAT_METADATA || before->role == CAT_VIRTUAL) && l->over_metadata);
    if (overwrites) {
        return false;
    }
    struct sql_diag *d = cat_say(w, SL_COLUMN_DUPLICATE, c->first,
                                 "the table behind LIKE has a column '%.*s' already", SL_S(name));
    if (computed && before->role == CAT_COMPUTED) {
        cat_hint(w, d, "write LIKE t (OVERWRITING GENERATED) to replace it");
    } else {
        cat_hint(w, d, "leave it out, or give it another name");
    }
    return true;
}

static void declare_columns(struct cat_walk *w, const struct sql_node *columns, struct cat_relation *rel,
                            const struct like *l, bool as, sl_str table)
{
    size_t inherited = rel->columns.n;
    for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
        sl_str name = cat_is_column(c) ? cat_column_name(w, c) : SL_STR_NONE;
        if (!name.n) {
            continue;
        }
        const struct cat_field *before = cat_field(rel, name);
        if (before && l && (size_t)(before - rel->columns.v) < inherited) {
            (void)clashes(w, c, before, l, name);
            continue;
        }
        if (before && !as) {
            struct sql_diag *d = cat_say(w, SL_COLUMN_DUPLICATE, c->first,
                                         "table '%.*s' has two columns '%.*s'", SL_S(table), SL_S(name));
            cat_hint(w, d, "name or drop one of them");
            continue;
        }
        cat_declare_column(w, c, rel);
    }
    if (l && inherited) {
        for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
            if (c->kind == SQL_N_WATERMARK && rel->watermark && !l->over_watermarks && c->first) {
                struct sql_diag *d =
                    cat_say(w, SL_WATERMARK, c->first, "the table behind LIKE has a WATERMARK already");
                cat_hint(w, d, "write LIKE t (EXCLUDING WATERMARKS) or (OVERWRITING WATERMARKS)");
            } else if (c->kind == SQL_N_CONSTRAINT && rel->has_key) {
                struct sql_diag *d =
                    cat_say(w, SL_CONSTRAINT, c, "the table behind LIKE has a PRIMARY KEY already");
                cat_hint(w, d, "write LIKE t (EXCLUDING CONSTRAINTS)");
            }
        }
    }
}

/* CREATE TABLE t (b, a) AS SELECT a, b: the names are those of the query in another order. */
static void check_order(struct cat_walk *w, const struct sql_node *names, const struct cat_relation *q,
                        sl_str table)
{
    for (const struct sql_node *c = names->first; c; c = c->next) {
        const struct sql_node *ident = cat_last(c);
        sl_str name = ident->kind == SQL_N_IDENT ? cat_ident(w, ident) : SL_STR_NONE;
        if (name.n && !q->open && !cat_has_column(q, name)) {
            struct sql_diag *d =
                cat_say(w, SL_COLUMN_UNKNOWN, ident, "the query of '%.*s' gives no column '%.*s'",
                        SL_S(table), SL_S(name));
            struct cat_nearest n = cat_nearest_to(name);
            cat_offer_columns(&n, q);
            cat_hint_near(w, d, &n);
        }
    }
}

static void add_query(struct cat_walk *w, const struct sql_node *create, const struct sql_node *as,
                      struct cat_relation *rel, sl_str table)
{
    const struct cat_relation *q = cat_query(w, as->first, NULL, NULL);
    const struct sql_node *names = sql_node_child(create, SQL_N_NAMES);
    const struct sql_node *columns = sql_node_child(create, SQL_N_COLUMNS);
    if (!names && columns && columns->first && columns->first->kind == SQL_N_NAME) {
        names = columns;
    }
    if (names && !q->open && !q->inexact && sql_node_count(names) != q->columns.n) {
        struct sql_diag *d =
            cat_say(w, SL_COLUMN_COUNT, names, "the query gives %zu columns, and %zu are named", q->columns.n,
                    sql_node_count(names));
        cat_hint(w, d, "name all of them, in any order, or none");
    } else if (names) {
        check_order(w, names, q, table);
    }
    rel->open |= q->open || names;
    for (size_t i = 0; i < q->columns.n; i++) {
        if (!cat_has_column(rel, q->columns.v[i].name)) {
            const struct cat_type *t = q->columns.v[i].type;
            cat_add_column(w, rel, q->columns.v[i].name, t->time ? cat_type_of(t->kind) : t);
        }
    }
}

struct cat_relation *cat_create_table(struct cat_walk *w, const struct sql_node *create, sl_str table)
{
    struct cat_relation *rel = sl_new(w->a, struct cat_relation);
    const struct sql_node *like = sql_node_child(create, SQL_N_TABLE_LIKE),
                          *as = sql_node_child(create, SQL_N_AS_QUERY);
    const struct sql_node *columns = sql_node_child(create, SQL_N_COLUMNS);
    struct like l;
    like_base(w, like, rel, &l);
    declare_columns(w, columns, rel, like ? &l : NULL, as, table);
    if (as) {
        add_query(w, create, as, rel, table);
    }
    cat_check_columns(w, columns, rel, table);
    const struct sql_node *partitioned = sql_node_child(create, SQL_N_PARTITIONED);
    const struct sql_node *distribution = sql_node_child(create, SQL_N_DISTRIBUTION);
    const struct sql_node *keys = partitioned ? sql_node_child(partitioned, SQL_N_NAMES) : NULL;
    check_names(w, keys, rel, table, NULL);
    check_names(w, distribution ? sql_node_child(distribution, SQL_N_NAMES) : NULL, rel, table, NULL);
    for (const struct sql_node *c = keys ? keys->first : NULL; c; c = c->next) {
        sl_vec_push(w->a, &rel->partition, cat_ident(w, cat_last(c)));
    }
    return rel;
}

struct cat_relation *cat_create_view(struct cat_walk *w, const struct sql_node *create, sl_str view)
{
    const struct sql_node *as = sql_node_child(create, SQL_N_AS_QUERY),
                          *names = sql_node_child(create, SQL_N_NAMES);
    w->view = true;
    const struct cat_relation *q = as ? cat_query(w, as->first, NULL, NULL) : &cat_open_relation;
    w->view = false;
    for (size_t i = 0; !names && i < q->columns.n; i++) {
        if (q->columns.v[i].doubled) {
            struct sql_diag *d = cat_say(w, SL_COLUMN_DUPLICATE, as, "view '%.*s' has two columns '%.*s'",
                                         SL_S(view), SL_S(q->columns.v[i].name));
            cat_hint(w, d, "give one of them another name with AS");
            break;
        }
    }
    const struct sql_node *name = sql_node_child(create, SQL_N_NAME);
    struct cat_relation *rel = sl_new(w->a, struct cat_relation);
    *rel = *cat_renamed(w, q, names, name ? name : create);
    rel->view = true;
    rel->failed = false;
    struct cat_relation seen = {0};
    for (const struct sql_node *c = names ? names->first : NULL; c; c = c->next) {
        sl_str text = cat_ident(w, cat_last(c));
        if (cat_has_column(&seen, text)) {
            cat_say(w, SL_COLUMN_DUPLICATE, c, "view '%.*s' has two columns '%.*s'", SL_S(view), SL_S(text));
        }
        cat_add_column(w, &seen, text, NULL);
    }
    return rel;
}
