/* SPDX-License-Identifier: Apache-2.0
 * Hover: the names of a statement are known from its tree; options, functions and words from their token. */
#include "catalog/hover.h"

#include "base/json.h"
#include "catalog/connectors.h"
#include "catalog/flow.h"
#include "catalog/functions.h"
#include "catalog/options.h"
#include "sqlparse/token.h"

#define COLUMNS_SHOWN 30

struct hover {
    struct sl_arena *a;
    const struct sql_script *s;
    struct cat_flow *flow;
    struct cat_hover *ret;
    struct sl_buf text;
};

static void say_place(struct hover *h, const struct sql_stmt *st, uint32_t off, uint32_t len)
{
    h->ret->defined = sql_stmt_pos(h->s, st, off, len);
    h->ret->defined_file = st->file;
}

static const char *kind_name(const struct cat_object *o)
{
    static const char *const kinds[] = {"table", "view", "materialized table", "table", "table"};
    return kinds[o->kind];
}

static void put_place(struct hover *h, const struct sql_stmt *st)
{
    sl_buf_printf(&h->text, "%.*s, line %u", SL_S(h->s->files.v[st->file].name), st->pos.line);
}

static void put_columns(struct hover *h, const struct cat_columns *c)
{
    for (size_t i = 0; i < c->list.n && i < COLUMNS_SHOWN; i++) {
        const struct cat_column *at = &c->list.v[i];
        sl_buf_printf(&h->text, "  %.*s", SL_S(at->name));
        if (at->type.n) {
            sl_buf_printf(&h->text, "  %.*s", SL_S(at->type));
        }
        sl_buf_putz(&h->text, at->kind == CAT_COMPUTED   ? "  computed"
                              : at->kind == CAT_METADATA ? "  metadata"
                              : at->kind == CAT_VIRTUAL  ? "  virtual metadata"
                                                         : "");
        sl_buf_putz(&h->text, at->key ? "  key" : "");
        if (at->rowtime.n) {
            sl_buf_putz(&h->text, "  watermark");
        }
        sl_buf_putc(&h->text, '\n');
    }
    if (c->list.n > COLUMNS_SHOWN) {
        sl_buf_printf(&h->text, "  and %zu more\n", c->list.n - COLUMNS_SHOWN);
    }
    if (c->open) {
        sl_buf_putz(&h->text, c->list.n ? "  and columns that are not known\n" : "  columns not known\n");
    }
}

static void say_table(struct hover *h, const struct cat_object *o)
{
    const struct cat_object *first = o;
    h->ret->kind = kind_name(o);
    h->ret->title = cat_object_name(h->a, o);
    if (o->kind == CAT_OUTSIDE) {
        sl_buf_putz(&h->text, "not created in this script\n");
    }
    while (first->before && first->stmt &&
           (first->stmt->kind == SQL_KIND_ALTER_TABLE || first->stmt->kind == SQL_KIND_ALTER_VIEW)) {
        first = first->before;
    }
    if (first->stmt) {
        sl_buf_printf(&h->text, "%s%s, created in ", o->temporary ? "temporary " : "", kind_name(o));
        put_place(h, first->stmt);
        sl_buf_putc(&h->text, '\n');
        say_place(h, first->stmt, 0, (uint32_t)first->stmt->sql.n);
    }
    put_columns(h, cat_flow_columns(h->flow, o));
}

static void put_sources(struct hover *h, const struct cat_froms *from, const struct cat_object *own)
{
    bool any = false;
    for (size_t i = 0; i < from->list.n; i++) {
        const struct cat_from *at = &from->list.v[i];
        if (at->object == own && from->list.n == 1 && (at->how & CAT_HOW_IDENTITY)) {
            return;
        }
        sl_buf_printf(&h->text, "%s%.*s.%.*s", any ? ", " : "from ", SL_S(cat_object_name(h->a, at->object)),
                      SL_S(at->column));
        any = true;
    }
    if (any) {
        sl_buf_putc(&h->text, '\n');
    }
}

static void say_column(struct hover *h, const struct cat_ref *r)
{
    const struct cat_column *c = r->column;
    static const char *const kinds[] = {"column", "metadata column", "virtual metadata column",
                                        "computed column", "column"};
    h->ret->kind = "column";
    if (!c) {
        h->ret->title = r->name;
        if (r->object) {
            sl_buf_printf(&h->text, "of %.*s, whose columns are not known\n",
                          SL_S(cat_object_name(h->a, r->object)));
        }
        return;
    }
    h->ret->title = c->type.n ? sl_arena_printf(h->a, "%.*s %.*s", SL_S(c->name), SL_S(c->type)) : c->name;
    if (r->object) {
        sl_buf_printf(&h->text, "%s%s of %.*s\n", c->key ? "key " : "", kinds[c->kind],
                      SL_S(cat_object_name(h->a, r->object)));
    }
    put_sources(h, &c->from, r->object);
    if (c->rowtime.n) {
        sl_buf_printf(&h->text, "watermark %.*s\n", SL_S(c->rowtime));
    }
    if (c->comment.n) {
        sl_buf_printf(&h->text, "%.*s\n", SL_S(c->comment));
    }
    if (c->stmt) {
        say_place(h, c->stmt, c->off, c->len);
        sl_buf_putz(&h->text, "declared in ");
        sl_buf_printf(&h->text, "%.*s, line %u\n", SL_S(h->s->files.v[c->stmt->file].name),
                      h->ret->defined.line);
    }
}

static bool say_ref(struct hover *h, const struct cat_ref *r)
{
    switch (r->kind) {
    case CAT_REF_TABLE:
        if (!r->object) {
            return false;
        }
        say_table(h, r->object);
        return true;
    case CAT_REF_COLUMN:
        say_column(h, r);
        return true;
    case CAT_REF_ALIAS:
    case CAT_REF_CTE:
        h->ret->kind = r->kind == CAT_REF_CTE ? "common table expression" : "alias";
        h->ret->title = r->name;
        if (r->object) {
            sl_buf_printf(&h->text, "of %s %.*s\n", kind_name(r->object),
                          SL_S(cat_object_name(h->a, r->object)));
        }
        if (r->columns) {
            put_columns(h, r->columns);
        }
        return true;
    }
    return false;
}

/* ------------------------------------------------------------------ tokens */

static const struct {
    uint16_t code;
    const char *text;
} words[] = {
    {TK_SELECT, "reads rows: SELECT columns FROM table WHERE condition"},
    {TK_FROM, "the tables, views, subqueries and functions rows come from"},
    {TK_WHERE, "keeps the rows for which the condition is true"},
    {TK_GROUP, "one row for each different value of the expressions behind GROUP BY"},
    {TK_HAVING, "keeps the groups for which the condition is true"},
    {TK_ORDER, "the order of the rows; a stream can be ordered by ascending time only"},
    {TK_LIMIT, "at most so many rows"},
    {TK_JOIN, "rows of two tables side by side, where ON or USING says they belong together"},
    {TK_UNION, "rows of both queries; UNION ALL keeps those that are equal"},
    {TK_INTERSECT, "rows that both queries give"},
    {TK_EXCEPT, "rows of the first query that the second does not give"},
    {TK_INSERT, "writes the rows of a query into a table; this starts a job"},
    {TK_CREATE, "creates a table, view, function, catalog, database or model"},
    {TK_DROP, "removes a table, view, function, catalog, database or model"},
    {TK_ALTER, "changes a table, view, function, catalog, database or model"},
    {TK_WATERMARK, "WATERMARK FOR column AS expression: makes the column an event-time attribute"},
    {TK_PARTITIONED, "PARTITIONED BY (columns): the columns by which the table's data is laid down"},
    {TK_DISTRIBUTED, "DISTRIBUTED BY (columns) INTO n BUCKETS: how rows are spread over the table's buckets"},
    {TK_METADATA, "a column that the connector fills or takes beside the row, such as a Kafka timestamp"},
    {TK_VIRTUAL, "a metadata column that is read and never written"},
    {TK_ENFORCED, "NOT ENFORCED: Flink trusts the key and does not check it; the only form it knows"},
    {TK_MATCH_RECOGNIZE, "finds patterns in the order of rows"},
    {TK_MEASURES, "the columns a match gives"},
    {TK_PATTERN, "the order in which rows must match the variables of DEFINE"},
    {TK_DEFINE, "the condition of each pattern variable"},
    {TK_LATERAL, "a subquery or function that sees the tables to its left"},
    {TK_UNNEST, "one row for each element of an array, map or multiset"},
    {TK_SYSTEM_TIME, "FOR SYSTEM_TIME AS OF time: the version of a table that held at that time"},
    {TK_SET, "SET 'key' = 'value': an option of this session; a lone SET lists them"},
    {TK_RESET, "puts an option of this session back to its default; a lone RESET all of them"},
    {TK_EXPLAIN, "shows the plan of a statement without running it"},
    {TK_EXECUTE, "runs a statement, a statement set or a compiled plan"},
    {TK_STATEMENT, "STATEMENT SET: several INSERTs that become one job"},
    {TK_OVER, "an aggregate over the rows around each row"},
    {TK_QUALIFY, "keeps the rows for which a condition on OVER aggregates is true"},
    {TK_CASE, "CASE WHEN condition THEN value ... ELSE value END"},
    {TK_WITH, "in a query: names subqueries; behind CREATE: the options"},
    {TK_LIKE,
     "in a condition: matches a pattern of % and _; in CREATE TABLE: takes over another table's parts"},
    {TK_USE, "makes a catalog, database or list of modules the current one"},
    {TK_SHOW, "lists what there is"},
    {TK_DESCRIBE, "shows the columns of a table, or what there is to say of another thing"},
    {TK_FRESHNESS, "how old the rows of a materialized table may be"},
};
static const struct {
    uint16_t code;
    const char *title, *text;
} types[] = {
    {TK_STRING, "STRING", "text of any length, the same as VARCHAR(2147483647)"},
    {TK_VARCHAR, "VARCHAR(n)", "text of at most n characters"},
    {TK_CHAR, "CHAR(n)", "text of exactly n characters"},
    {TK_BOOLEAN, "BOOLEAN", "TRUE, FALSE or unknown"},
    {TK_TINYINT, "TINYINT", "integer of 1 byte"},
    {TK_SMALLINT, "SMALLINT", "integer of 2 bytes"},
    {TK_INT, "INT", "integer of 4 bytes"},
    {TK_INTEGER, "INTEGER", "integer of 4 bytes"},
    {TK_BIGINT, "BIGINT", "integer of 8 bytes"},
    {TK_FLOAT, "FLOAT", "floating point number of 4 bytes"},
    {TK_DOUBLE, "DOUBLE", "floating point number of 8 bytes"},
    {TK_DECIMAL, "DECIMAL(p, s)", "exact number of p digits, s of them behind the point; p at most 38"},
    {TK_BYTES, "BYTES", "bytes of any number, the same as VARBINARY(2147483647)"},
    {TK_BINARY, "BINARY(n)", "exactly n bytes"},
    {TK_VARBINARY, "VARBINARY(n)", "at most n bytes"},
    {TK_DATE, "DATE", "a day without a time"},
    {TK_TIME, "TIME(p)", "a time of day, p digits behind the second"},
    {TK_TIMESTAMP, "TIMESTAMP(p)",
     "date and time without a zone, p digits behind the second (6 unless given)"},
    {TK_TIMESTAMP_LTZ, "TIMESTAMP_LTZ(p)", "a point in time, shown in the session's zone"},
    {TK_ARRAY, "ARRAY<t>", "elements of one type"},
    {TK_MAP, "MAP<k, v>", "keys and values"},
    {TK_MULTISET, "MULTISET<t>", "elements of one type, each with its count"},
    {TK_ROW, "ROW<name type, ...>", "several named fields"},
    {TK_RAW, "RAW('class', 'serializer')", "a value that Flink does not look into"},
    {TK_VARIANT, "VARIANT", "a value of any type that knows which it is"},
};

static bool say_word(struct hover *h, const struct sql_token *t)
{
    const struct sql_word_info *w = &sql_words[t->word];
    for (size_t i = 0; i < SL_ARRAY_LEN(types); i++) {
        if (types[i].code == t->kind) {
            h->ret->kind = "type";
            h->ret->title = sl_str_of(types[i].title);
            sl_buf_printf(&h->text, "%s\n", types[i].text);
            return true;
        }
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(words); i++) {
        if (words[i].code == w->token) {
            h->ret->kind = "keyword";
            h->ret->title = sl_str_of(w->text);
            sl_buf_printf(&h->text, "%s\n", words[i].text);
            return true;
        }
    }
    return false;
}

static bool say_function(struct hover *h, sl_str name)
{
    const struct cat_function_help *f = cat_function_help(h->s->flink, name);
    if (!f) {
        return false;
    }
    h->ret->kind = "function";
    h->ret->title = sl_str_of(f->signature);
    sl_buf_printf(&h->text, "%s\n", f->doc);
    return true;
}

/* Functions that the script registers. */
static bool say_own_function(struct hover *h, sl_str name, uint32_t before)
{
    const struct sql_stmt *found = NULL;
    for (size_t i = 0; i < h->s->stmts.n && h->s->stmts.v[i].number < before; i++) {
        const struct sql_stmt *st = &h->s->stmts.v[i];
        if (st->kind == SQL_KIND_CREATE_FUNCTION && sl_str_ieq(sql_unquote(h->a, st->object), name)) {
            found = st;
        }
    }
    if (!found) {
        return false;
    }
    h->ret->kind = "function";
    h->ret->title = sl_arena_printf(h->a, "%.*s(...)", SL_S(name));
    sl_buf_putz(&h->text, "registered in ");
    put_place(h, found);
    sl_buf_putc(&h->text, '\n');
    say_place(h, found, 0, (uint32_t)found->sql.n);
    return true;
}

static bool say_option(struct hover *h, sl_str key)
{
    sl_str type;
    if (!cat_option_type(h->s->flink, key, &type)) {
        return false;
    }
    h->ret->kind = "option";
    h->ret->title = key;
    sl_buf_printf(&h->text, "%.*s, of Flink %s\n", SL_S(type), sql_version_name(h->s->flink));
    return true;
}

/* 'key' = 'value' of the statement. */
struct listed {
    sl_str key, value;
    uint32_t key_off, value_off;
};
struct list {
    SL_VEC(struct listed) v;
    enum cat_service_kind kind;
    const struct cat_service *service; /* NULL: not known */
};

static void read_list(struct hover *h, const struct sql_stmt *st, struct list *ret)
{
    struct sql_lexer lx;
    struct sql_token t, back[3] = {{0}};
    ret->kind = st->kind == SQL_KIND_CREATE_CATALOG ? CAT_SERVICE_CATALOG : CAT_SERVICE_CONNECTOR;
    sql_lex_init(&lx, st->text, h->s->flink, true);
    while (sql_lex_next(&lx, &t)) {
        bool pair = t.kind == TK_STRING_LIT && back[0].kind == TK_EQ && back[1].kind == TK_STRING_LIT &&
                    (back[2].kind == TK_LP || back[2].kind == TK_COMMA);
        if (pair) {
            struct listed *p = sl_vec_add(h->a, &ret->v);
            p->key = sql_unquote(h->a, sql_token_text(&lx, &back[1]));
            p->value = sql_unquote(h->a, sql_token_text(&lx, &t));
            p->key_off = back[1].off;
            p->value_off = t.off;
            if (sl_str_eqz(p->key, ret->kind == CAT_SERVICE_CATALOG ? "type" : "connector")) {
                unsigned flink = cat_services_have(h->s->flink) ? h->s->flink : 0;
                ret->service = cat_service(flink, ret->kind, p->value);
            }
        }
        back[2] = back[1];
        back[1] = back[0];
        back[0] = t;
    }
}

static bool say_service(struct hover *h, const struct cat_service *s)
{
    bool source = s->roles & CAT_ROLE_SOURCE, sink = s->roles & CAT_ROLE_SINK;
    h->ret->kind = cat_service_kind_name(s->kind);
    h->ret->title = s->name;
    sl_buf_printf(&h->text, "%.*s%s\n", SL_S(s->family->title),
                  source && sink ? ", source and sink"
                  : source       ? ", source"
                  : sink         ? ", sink"
                                 : "");
    for (size_t i = 0; i < s->family->n_jars; i++) {
        const struct cat_jar *j = &s->family->jars[i];
        if ((j->flink & cat_flink_bit(h->s->flink)) && j->how <= CAT_JAR_PLUGIN) {
            sl_buf_printf(&h->text, "%.*s\n", SL_S(j->coordinate));
        }
    }
    return true;
}

static bool say_with_option(struct hover *h, sl_str key, const struct cat_service *of,
                            const struct cat_service_option *o)
{
    sl_str word;
    h->ret->kind = "option";
    h->ret->title = key;
    sl_buf_printf(&h->text, "%.*s of %s %.*s", SL_S(o->type), cat_service_kind_name(of->kind),
                  SL_S(of->name));
    sl_buf_putz(&h->text, o->required ? ", required" : "");
    if (o->standard.n) {
        sl_buf_printf(&h->text, ", default %.*s", SL_S(o->standard));
    }
    sl_buf_putc(&h->text, '\n');
    for (size_t at = 0; cat_next_word(o->words, '|', &at, &word);) {
        sl_buf_printf(&h->text, "  %.*s\n", SL_S(word));
    }
    if (o->help.n) {
        sl_buf_printf(&h->text, "%.*s\n", SL_S(o->help));
    }
    return true;
}

/* A key or a value in WITH ( ): of the connector, or of one of its formats. */
static bool say_in_list(struct hover *h, const struct sql_stmt *st, uint32_t off)
{
    struct list l = {.kind = CAT_SERVICE_CONNECTOR};
    unsigned flink = cat_services_have(h->s->flink) ? h->s->flink : 0;
    const struct listed *at = NULL;
    read_list(h, st, &l);
    for (size_t i = 0; i < l.v.n && !at; i++) {
        at = l.v.v[i].key_off == off || l.v.v[i].value_off == off ? &l.v.v[i] : NULL;
    }
    if (!at || !l.service) {
        return false;
    }
    bool main = sl_str_eqz(at->key, l.kind == CAT_SERVICE_CATALOG ? "type" : "connector");
    bool format = sl_str_eqz(at->key, "format") || sl_str_ends(at->key, SL_STR(".format"));
    const struct cat_service *named = main     ? l.service
                                      : format ? cat_service(flink, CAT_SERVICE_FORMAT, at->value)
                                               : NULL;
    if (named && (main || at->value_off == off)) {
        return say_service(h, named);
    }
    const struct cat_service_option *o = cat_service_option(l.service, flink, at->key);
    if (o) {
        return say_with_option(h, at->key, l.service, o);
    }
    for (size_t i = 0; i < l.v.n; i++) {
        sl_str key = l.v.v[i].key;
        if (!sl_str_eqz(key, "format") && !sl_str_ends(key, SL_STR(".format"))) {
            continue;
        }
        sl_str prefix = sl_arena_printf(h->a, "%.*s%.*s.", (int)(key.n - 6), key.p, SL_S(l.v.v[i].value));
        const struct cat_service *f = cat_service(flink, CAT_SERVICE_FORMAT, l.v.v[i].value);
        if (f && sl_str_starts(at->key, prefix)) {
            o = cat_service_option(f, flink, sl_str_sub(at->key, prefix.n, at->key.n - prefix.n));
            return o && say_with_option(h, at->key, f, o);
        }
    }
    return false;
}

static bool say_variable(struct hover *h, sl_str inside, const struct sql_vars *vars)
{
    size_t n = 0;
    while (n < inside.n && inside.p[n] != ':' && inside.p[n] != '}') {
        n++;
    }
    sl_str name = sl_str_sub(inside, 0, n);
    const struct sql_var *v = NULL;
    for (size_t i = vars ? vars->list.n : 0; i-- > 0 && !v;) {
        v = sl_str_eq(vars->list.v[i].name, name) ? &vars->list.v[i] : NULL;
    }
    h->ret->kind = "variable";
    h->ret->title = sl_arena_printf(h->a, "${%.*s}", SL_S(name));
    if (sl_str_starts(name, SL_STR("env."))) {
        sl_buf_putz(&h->text, "from the environment\n");
    } else if (v) {
        sl_buf_printf(&h->text, "%sfrom %.*s\n", v->secret ? "secret, " : "", SL_S(v->source));
    } else if (sl_str_starts(name, SL_STR("secret."))) {
        sl_buf_putz(&h->text, "secret\n");
    } else {
        sl_buf_putz(&h->text, "has no value\n");
    }
    return true;
}

/* ------------------------------------------------------------------ the thing at the caret */

/* The smallest reference that covers the place. */
static bool at_ref(struct hover *h, const struct sql_stmt *st, uint32_t off)
{
    struct cat_refs refs;
    const struct cat_ref *best = NULL;
    uint32_t best_off = 0, best_len = 0;
    cat_flow_refs(h->flow, st, &refs);
    for (size_t i = 0; i < refs.list.n; i++) {
        const struct cat_ref *r = &refs.list.v[i];
        struct sl_pos p = sql_stmt_pos(h->s, r->stmt, r->off, r->len);
        bool covers = p.off != SL_NO_POS && off >= p.off && off < p.off + p.len;
        bool better = !best || p.len < best_len || (p.len == best_len && !best->column && r->column);
        if (covers && better) {
            best = r;
            best_off = p.off;
            best_len = p.len;
        }
    }
    if (!best || !say_ref(h, best)) {
        return false;
    }
    h->ret->off = best_off;
    h->ret->len = best_len;
    return true;
}

static const struct sql_stmt *statement_at(const struct sql_script *s, uint16_t file, uint32_t off)
{
    size_t low = 0, high = s->stmts.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct sql_stmt *st = &s->stmts.v[mid];
        if (st->file < file || (st->file == file && st->pos.off <= off)) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    const struct sql_stmt *st = low ? &s->stmts.v[low - 1] : NULL;
    return st && st->file == file && off < st->pos.off + st->pos.len ? st : NULL;
}

/* Inside ${...}: its first byte, or SIZE_MAX. */
static size_t variable_at(sl_str text, uint32_t off, size_t *ret_end)
{
    for (size_t i = (size_t)off + 1; i-- > 0 && off - i < 512 && text.p[i] != '\n';) {
        if (text.p[i] == '$' && i + 1 < text.n && text.p[i + 1] == '{' && !(i && text.p[i - 1] == '$')) {
            *ret_end = sql_variable_end(text, i);
            return *ret_end > off ? i : SIZE_MAX;
        }
    }
    return SIZE_MAX;
}

static bool at_token(struct hover *h, const struct sql_stmt *st, uint32_t rel)
{
    struct sql_lexer lx;
    struct sql_token t, before = {0}, next;
    unsigned index = 0;
    int first = 0;
    sql_lex_init(&lx, st->text, h->s->flink, true);
    for (; sql_lex_next(&lx, &t) && t.off + t.len <= rel; index++) {
        first = index ? first : t.kind;
        before = t;
    }
    if (t.kind == 0 || t.off > rel) {
        return false;
    }
    struct sql_lexer ahead = lx;
    sql_lex_next(&ahead, &next);
    sl_str text = sql_token_text(&lx, &t);
    h->ret->off = st->pos.off + t.off;
    h->ret->len = t.len;
    if ((first == TK_SET || first == TK_RESET) && st->has_key && index >= 1 && before.kind != TK_EQ) {
        return say_option(h, st->key);
    }
    if (t.kind == TK_STRING_LIT) {
        return say_in_list(h, st, t.off);
    }
    bool call = next.kind == TK_LP && next.off == t.off + t.len;
    bool name = t.kind == TK_IDENT || t.kind == TK_QUOTED_IDENT || t.word;
    if (name && (call || t.kind == TK_CONTEXT) &&
        (say_own_function(h, sql_unquote(h->a, text), st->number) || say_function(h, text))) {
        return true;
    }
    return t.word && say_word(h, &t);
}

static void hover_at(struct sl_arena *a, const struct sql_script *s, uint16_t file, uint32_t off,
                     const struct sql_vars *vars, struct cat_hover *ret)
{
    *ret = (struct cat_hover){.file = file, .off = off, .defined = SL_POS_NONE};
    const struct sql_stmt *st = file < s->files.n ? statement_at(s, file, off) : NULL;
    if (!st) {
        return;
    }
    struct hover h = {.a = a, .s = s, .ret = ret};
    sl_str text = s->files.v[file].lines.text;
    size_t end = 0, variable = variable_at(text, off, &end);
    sl_buf_init(&h.text, 0);
    h.flow = cat_flow_new(a, s, 0);
    bool found;
    if (variable != SIZE_MAX) {
        ret->off = (uint32_t)variable;
        ret->len = (uint32_t)(end - variable);
        found = say_variable(&h, sl_str_sub(text, variable + 2, end - variable - 3), vars);
    } else {
        found = at_ref(&h, st, off) || at_token(&h, st, off - st->pos.off);
    }
    if (!found) {
        ret->kind = NULL;
    }
    sl_str said = sl_buf_str(&h.text);
    ret->text = sl_str_dup(a, sl_str_sub(said, 0, said.n - (said.n > 0))); /* without its last line end */
    sl_buf_release(&h.text);
}

void cat_hover(struct sl_arena *a, const struct sql_script *s, uint16_t file, uint32_t off,
               const struct sql_vars *vars, struct cat_hover *ret)
{
    hover_at(a, s, file, off, vars, ret);
    if (!ret->kind && off) {
        hover_at(a, s, file, off - 1, vars, ret); /* the caret stands behind it */
    }
}

static void put_range(struct sl_jw *w, const char *key, struct sl_pos p)
{
    sl_jw_key(w, key);
    sl_jw_object(w);
    sl_jw_pos(w, &p);
    sl_jw_end_object(w);
}

void cat_hover_json(const struct sql_script *s, const struct cat_hover *h, struct sl_buf *out)
{
    struct sl_jw w;
    sl_jw_init(&w, out);
    if (!h->kind) {
        sl_jw_null(&w);
        return;
    }
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "kind", h->kind);
    sl_jw_kstr(&w, "title", h->title);
    sl_jw_kstr(&w, "text", h->text);
    put_range(&w, "range", sql_lines_pos(&s->files.v[h->file].lines, h->off, h->len));
    if (h->defined.off != SL_NO_POS) {
        sl_jw_key(&w, "defined");
        sl_jw_object(&w);
        sl_jw_kstr(&w, "file", s->files.v[h->defined_file].name);
        put_range(&w, "range", h->defined);
        sl_jw_end_object(&w);
    }
    sl_jw_end_object(&w);
}
