/* SPDX-License-Identifier: Apache-2.0
 * Rules that need more than one statement: windows and keys of tables declared elsewhere, INSERTs that share a
 * source, SETs that come too late, tables nobody uses. */
#include "catalog/lint_impl.h"
#include "sqlparse/token.h"

static bool is_simple_name(const struct sql_node *n)
{
    return n && n->kind == SQL_N_NAME && n->first && !n->first->next && !(n->op & 1);
}

static bool is_column(const struct sql_node *c)
{
    return c->kind == SQL_N_COLUMN || c->kind == SQL_N_METADATA || c->kind == SQL_N_COMPUTED;
}

static const struct sql_node *column_ident(const struct sql_node *c)
{
    return c->first && c->first->kind == SQL_N_NAME ? sql_last(c->first) : c->first;
}

static sl_str ident_of(const struct lint *l, const struct lint_table *t, const struct sql_node *ident)
{
    return sql_unquote(l->a, sql_node_text(ident, t->st->sql));
}

/* ---- windows */

/* The column of a table that lists all its columns; NULL: it has none of that name, or it cannot be told. */
static const struct sql_node *find_column(const struct lint *l, const struct lint_table *t, sl_str name)
{
    const struct sql_node *columns =
        t->create->kind == SQL_N_CREATE_TABLE && !sql_node_child(t->create, SQL_N_TABLE_LIKE)
            ? sql_node_child(t->create, SQL_N_COLUMNS)
            : NULL;
    for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
        if (is_column(c) && column_ident(c) && sl_str_eq(ident_of(l, t, column_ident(c)), name)) {
            return c;
        }
    }
    return NULL;
}

static bool has_watermark(const struct lint *l, const struct lint_table *t, sl_str name)
{
    const struct sql_node *columns = sql_node_child(t->create, SQL_N_COLUMNS);
    for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
        if (c->kind == SQL_N_WATERMARK && is_simple_name(c->first) &&
            sl_str_eq(ident_of(l, t, c->first->first), name)) {
            return true;
        }
    }
    return false;
}

static bool is_proctime(const struct lint *l, const struct lint_table *t, const struct sql_node *column)
{
    (void)l;
    const struct sql_node *expr =
        column->kind == SQL_N_COMPUTED && column->first ? column->first->next : NULL;
    const struct sql_node *name = expr && expr->kind == SQL_N_CALL ? expr->first : NULL;
    return name && sl_str_ieqz(sql_node_text(name, t->st->sql), "proctime");
}

/* The window's time column `ident` is one of `table`. */
static void check_window(struct lint *l, const struct sql_node *table, const struct sql_node *ident)
{
    struct lint_table *t = l->batch ? NULL : lint_table(l, table);
    if (!t || !ident || ident->kind != SQL_N_IDENT) {
        return;
    }
    sl_str name = lint_ident(l, ident);
    const struct sql_node *column = find_column(l, t, name);
    if (!column || column->kind == SQL_N_METADATA || is_proctime(l, t, column) || has_watermark(l, t, name)) {
        return;
    }
    struct sql_diag *d = lint_say(
        l, SL_WINDOW_WATERMARK, ident->off, ident->len,
        "'%.*s' has no WATERMARK in table '%.*s', so it is no event time and the window never closes",
        SL_S(name), SL_S(t->name));
    if (!d) {
        return;
    }
    const struct sql_stmt *here = l->st;
    struct sl_pos created = sql_stmt_pos(l->s, t->st, column->off, column->len);
    sl_str clause = sl_arena_printf(l->a, "WATERMARK FOR %.*s AS %.*s - INTERVAL '5' SECOND",
                                    SL_S(sql_node_text(column_ident(column), t->st->sql)),
                                    SL_S(sql_node_text(column_ident(column), t->st->sql)));
    const struct sql_node *type = sql_node_child(column, SQL_N_TYPE);
    unsigned word = type ? type->op & SQL_OP_TOKEN : TK_TIMESTAMP;
    if (word != TK_TIMESTAMP && word != TK_TIMESTAMP_LTZ) {
        d->hint = SL_STR("a window needs a column of type TIMESTAMP(3) or TIMESTAMP_LTZ(3) with a WATERMARK");
        return;
    }
    d->hint = sl_arena_printf(l->a, "add %.*s to the table", SL_S(clause));
    if (t->st->file == here->file) {
        d->second = created;
        d->second_label = SL_STR("declared here");
        const struct sql_node *last = sql_last(sql_node_child(t->create, SQL_N_COLUMNS));
        l->st = t->st;
        lint_edit(l, d, last->off + last->len, 0, sl_arena_printf(l->a, ",\n  %.*s", SL_S(clause)));
        l->st = here;
    }
}

static bool is_window_name(sl_str name)
{
    return sl_str_ieqz(name, "tumble") || sl_str_ieqz(name, "hop") || sl_str_ieqz(name, "cumulate") ||
           sl_str_ieqz(name, "session");
}

/* TUMBLE(TABLE t, DESCRIPTOR(ts), ...), with or without names of arguments. */
static void check_window_call(struct lint *l, const struct sql_node *call)
{
    const struct sql_node *name = call->first, *args = sql_node_child(call, SQL_N_ARGS);
    const struct sql_node *table = NULL, *column = NULL;
    if (!is_simple_name(name) || !args || !is_window_name(sql_node_text(name, l->st->sql))) {
        return;
    }
    for (const struct sql_node *c = args->first; c; c = c->next) {
        const struct sql_node *a = c->kind == SQL_N_NAMED_ARG ? sql_last(c) : c;
        if (a->kind == SQL_N_TABLE_ARG) {
            table = a->first;
        } else if (a->kind == SQL_N_CALL && a->first && a->first->kind == SQL_N_NAME &&
                   sl_str_ieqz(sql_node_text(a->first, l->st->sql), "descriptor")) {
            const struct sql_node *in = sql_node_child(a, SQL_N_ARGS);
            column = in && is_simple_name(in->first) ? in->first->first : NULL;
        }
    }
    if (table && column) {
        check_window(l, table, column);
    }
}

/* GROUP BY TUMBLE(ts, ...) over one table. */
static void check_group_windows(struct lint *l, const struct sql_node *select)
{
    const struct sql_node *group = sql_node_child(select, SQL_N_GROUP_BY),
                          *from = sql_node_child(select, SQL_N_FROM);
    const struct sql_node *table =
        from && from->first && from->first->kind == SQL_N_TABLE ? from->first : NULL;
    for (const struct sql_node *c = group && table ? group->first : NULL; c; c = c->next) {
        const struct sql_node *name = c->kind == SQL_N_CALL ? c->first : NULL;
        const struct sql_node *args = name ? sql_node_child(c, SQL_N_ARGS) : NULL;
        if (args && is_simple_name(name) && is_window_name(sql_node_text(name, l->st->sql)) &&
            is_simple_name(args->first) && args->first->next) {
            check_window(l, sql_node_child(table, SQL_N_NAME), args->first->first);
        }
    }
}

void lint_query_tables(struct lint *l, const struct sql_node *n)
{
    if (n->kind == SQL_N_SELECT) {
        check_group_windows(l, n);
    } else if (n->kind == SQL_N_TABLE_FUNCTION && n->first && n->first->kind == SQL_N_CALL) {
        check_window_call(l, n->first);
    }
    for (const struct sql_node *c = n->first; c; c = c->next) {
        lint_query_tables(l, c);
    }
}

/* ---- the key of rows that change, and that of the table they go to */

struct keys {
    SL_VEC(sl_str) list;
};

static bool has_key(const struct keys *k, sl_str name)
{
    for (size_t i = 0; i < k->list.n; i++) {
        if (sl_str_eq(k->list.v[i], name)) {
            return true;
        }
    }
    return false;
}

static struct keys primary_key(const struct lint *l, const struct lint_table *t)
{
    struct keys k = {0};
    const struct sql_node *columns = sql_node_child(t->create, SQL_N_COLUMNS);
    for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
        const struct sql_node *own = c->kind == SQL_N_CONSTRAINT ? c : sql_node_child(c, SQL_N_CONSTRAINT);
        if (!own || (own->op & SQL_OP_TOKEN) != TK_PRIMARY) {
            continue;
        }
        const struct sql_node *names = sql_node_child(own, SQL_N_NAMES);
        for (const struct sql_node *i = names ? names->first : NULL; i; i = i->next) {
            sl_vec_push(l->a, &k.list, ident_of(l, t, i->kind == SQL_N_NAME ? sql_last(i) : i));
        }
        if (!names && is_column(c)) {
            sl_vec_push(l->a, &k.list, ident_of(l, t, column_ident(c)));
        }
    }
    return k;
}

/* The names of the columns an INSERT fills, in its order. */
static struct keys filled_columns(const struct lint *l, const struct lint_table *t,
                                  const struct sql_node *insert)
{
    struct keys k = {0};
    const struct sql_node *names = sql_node_child(insert, SQL_N_NAMES);
    const struct sql_node *columns = sql_node_child(t->create, SQL_N_COLUMNS);
    for (const struct sql_node *c = names ? names->first : NULL; c; c = c->next) {
        sl_vec_push(l->a, &k.list, lint_ident(l, c->kind == SQL_N_NAME ? sql_last(c) : c));
    }
    for (const struct sql_node *c = !names && columns ? columns->first : NULL; c; c = c->next) {
        if (c->kind == SQL_N_COLUMN || (c->kind == SQL_N_METADATA && !(c->op & 1))) {
            sl_vec_push(l->a, &k.list, ident_of(l, t, column_ident(c)));
        }
    }
    return k;
}

static bool from_window(const struct lint *l, const struct sql_node *select)
{
    const struct sql_node *from = sql_node_child(select, SQL_N_FROM), *f = from ? from->first : NULL;
    const struct sql_node *call = f && f->kind == SQL_N_TABLE_FUNCTION ? f->first : NULL;
    return call && is_simple_name(call->first) && is_window_name(sql_node_text(call->first, l->st->sql));
}

/* Flink 2.3: rows grouped by another key than the table's PRIMARY KEY need ON CONFLICT. */
static void check_upsert(struct lint *l, const struct sql_node *insert)
{
    const struct sql_node *name = sql_node_child(insert, SQL_N_NAME),
                          *query = sql_node_child(insert, SQL_N_QUERY);
    const struct sql_node *select = query ? sql_node_child(query, SQL_N_SELECT) : NULL;
    const struct sql_node *group = select ? sql_node_child(select, SQL_N_GROUP_BY) : NULL;
    const struct lint_table *t = lint_table(l, name);
    if (!t || t->create->kind != SQL_N_CREATE_TABLE || sql_node_child(t->create, SQL_N_TABLE_LIKE) ||
        !group || l->batch || l->no_conflict || sql_node_child(insert, SQL_N_ON_CONFLICT) ||
        sql_node_child(insert, SQL_N_PARTITION_SPEC)) {
        return;
    }
    struct keys primary = primary_key(l, t), filled = filled_columns(l, t, insert), grouped = {0};
    if (!primary.list.n) {
        return;
    }
    bool windowed = from_window(l, select), known = true;
    size_t groups = 0;
    for (const struct sql_node *g = group->first; g; g = g->next) {
        known = known && g->kind == SQL_N_NAME;
        groups++;
    }
    size_t at = 0;
    for (const struct sql_node *c = sql_node_child(select, SQL_N_SELECT_LIST)->first; c && known;
         c = c->next, at++) {
        const struct sql_node *e = c->first;
        if (!e || e->kind == SQL_N_STAR || at >= filled.list.n) {
            return;
        }
        for (const struct sql_node *g = group->first; g; g = g->next) {
            if (e->kind == SQL_N_NAME && sl_str_eq(lint_ident(l, sql_last(g)), lint_ident(l, sql_last(e))) &&
                !has_key(&grouped, filled.list.v[at])) {
                sl_vec_push(l->a, &grouped.list, filled.list.v[at]);
                break;
            }
        }
    }
    bool same = !windowed && grouped.list.n == primary.list.n && grouped.list.n == groups;
    for (size_t i = 0; i < primary.list.n && same; i++) {
        same = has_key(&grouped, primary.list.v[i]);
    }
    if (same || (!windowed && !known)) {
        return;
    }
    struct sql_diag *d =
        lint_say(l, SL_UPSERT_KEY_DIFFERS, name->off, name->len,
                 windowed ? "Flink sees no key in rows of a window, and '%.*s' has a PRIMARY KEY"
                          : "the query's rows have another key than the PRIMARY KEY of '%.*s'",
                 SL_S(t->name));
    if (d) {
        d->hint = SL_STR("end the INSERT with ON CONFLICT DO DEDUPLICATE, or SET "
                         "'table.exec.sink.require-on-conflict' = 'false'");
        lint_edit(l, d, insert->off + insert->len, 0, SL_STR("\nON CONFLICT DO DEDUPLICATE"));
    }
}

/* ---- use of tables */

static void use_name(struct lint *l, const struct sql_node *name, bool reads, bool loose)
{
    struct lint_table *t = name && name->kind == SQL_N_NAME && sql_last(name)
                               ? lint_table_named(l, lint_ident(l, sql_last(name)))
                               : NULL;
    if (!t) {
        return;
    }
    t->used++;
    bool table = t->create && t->create->kind == SQL_N_CREATE_TABLE && !name->first->next;
    if (!reads || !loose || !table || l->batch) {
        return;
    }
    if (t->reader && t->reader != l->st->number && !t->said) {
        struct sql_diag *d =
            lint_say(l, SL_INSERT_SHARES_SOURCE, name->off, name->len,
                     "statement %u reads '%.*s' too, as a job of its own: each reads it whole", t->reader,
                     SL_S(t->name));
        if (d) {
            t->said = true;
            d->hint = SL_STR("put them into one job:  EXECUTE STATEMENT SET BEGIN ...; END;");
            const struct sql_stmt *before = &l->s->stmts.v[t->reader - 1],
                                  *now = &l->s->stmts.v[l->st->number - 1];
            if (t->reader + 1 == l->st->number && before->file == now->file && before->terminated &&
                now->terminated) {
                lint_edit_at(l, d, before->pos.off, 0, SL_STR("EXECUTE STATEMENT SET BEGIN\n"));
                sl_str text = l->s->files.v[now->file].lines.text;
                uint32_t end = now->pos.off + now->pos.len;
                ptrdiff_t semi = sl_str_find_char(sl_str_sub(text, end, text.n - end), ';');
                lint_edit_at(l, d, semi < 0 ? end : end + (uint32_t)semi + 1, 0, SL_STR("\nEND;"));
            }
        }
    }
    t->reader = t->reader == l->st->number ? t->reader : l->st->number;
}

static void use_tables(struct lint *l, const struct sql_node *n, bool loose)
{
    if (n->kind == SQL_N_TABLE || n->kind == SQL_N_TABLE_ARG || n->kind == SQL_N_EXPLICIT_TABLE) {
        use_name(l, n->kind == SQL_N_TABLE ? sql_node_child(n, SQL_N_NAME) : n->first, true, loose);
    } else if (n->kind == SQL_N_INSERT || n->kind == SQL_N_TABLE_LIKE || n->kind == SQL_N_UPDATE ||
               n->kind == SQL_N_DELETE || n->kind == SQL_N_MERGE || n->kind == SQL_N_DROP ||
               n->kind == SQL_N_ALTER_TABLE || n->kind == SQL_N_ALTER_OTHER || n->kind == SQL_N_DESCRIBE ||
               n->kind == SQL_N_SHOW || n->kind == SQL_N_TRUNCATE || n->kind == SQL_N_ANALYZE) {
        use_name(l, sql_node_child(n, SQL_N_NAME), false, false);
    }
    for (const struct sql_node *c = n->first; c; c = c->next) {
        use_tables(l, c, loose);
    }
}

void lint_statement(struct lint *l, const struct sql_stmt *st, bool loose)
{
    enum sql_class cls = sql_kind_class(st->kind);
    l->jobs += cls == SQL_CLASS_QUERY || cls == SQL_CLASS_INSERT || cls == SQL_CLASS_SET_OF;
    l->st = st;
    if (!st->ast) {
        return;
    }
    use_tables(l, st->ast, loose && st->kind == SQL_KIND_INSERT);
    if (st->bad || (st->number && l->s->stmts.v[st->number - 1].bad)) {
        return;
    }
    lint_tree(l, st->ast);
    lint_query_tables(l, st->ast);
    if (st->ast->kind == SQL_N_INSERT) {
        check_upsert(l, st->ast);
    }
}

/* ---- the whole script */

static void check_late_sets(struct lint *l)
{
    size_t last = 0; /* the number of the last statement that a SET can reach */
    bool job = false;
    for (size_t i = 0; i < l->s->stmts.n; i++) {
        enum sql_kind kind = l->s->stmts.v[i].kind;
        enum sql_class cls = sql_kind_class(kind);
        bool idle = cls == SQL_CLASS_CONFIG || cls == SQL_CLASS_JAR || cls == SQL_CLASS_JOB ||
                    cls == SQL_CLASS_USE || kind == SQL_KIND_QUIT || kind == SQL_KIND_HELP ||
                    kind == SQL_KIND_CLEAR;
        last = idle ? last : i + 1;
        job |= cls == SQL_CLASS_QUERY || cls == SQL_CLASS_INSERT || cls == SQL_CLASS_SET_OF;
    }
    for (size_t i = last; i < l->s->stmts.n && job; i++) {
        const struct sql_stmt *st = &l->s->stmts.v[i];
        if (st->kind != SQL_KIND_SET || !st->has_key || st->bad || st->file + 1u != l->s->files.n) {
            continue;
        }
        l->st = st;
        struct sql_diag *d = lint_say_at(l, SL_SET_LATE, st->pos, "no statement behind this SET uses it");
        if (d) {
            d->hint = SL_STR("move it in front of the statements it is for");
        }
    }
}

static void check_unused(struct lint *l)
{
    bool open = !l->jobs; /* a script of declarations only is there for others */
    for (size_t i = 0; i < l->s->stmts.n; i++) {
        const struct sql_stmt *st = &l->s->stmts.v[i];
        open |= st->kind == SQL_KIND_UNKNOWN || (st->bad && !st->ast);
    }
    for (size_t i = 0; i < l->tables.n && !open; i++) {
        const struct lint_table *t = &l->tables.v[i];
        if (!t->create || t->used || t->st->bad || t->st->file + 1u != l->s->files.n ||
            t->st->kind == SQL_KIND_CREATE_TABLE_AS || t->st->kind == SQL_KIND_REPLACE_TABLE_AS) {
            continue;
        }
        const struct sql_node *name = sql_node_child(t->create, SQL_N_NAME);
        l->st = t->st;
        (void)lint_say(l, SL_TABLE_UNUSED, name->off, name->len, "no statement of this script uses '%.*s'",
                       SL_S(t->name));
    }
}

void lint_script(struct lint *l)
{
    check_late_sets(l);
    check_unused(l);
}
