/* SPDX-License-Identifier: Apache-2.0
 * Rules that look at the tree of one statement, most of them at one node and its neighbours. */
#include "catalog/lint_impl.h"
#include "sqlparse/token.h"

static sl_str text_of(const struct lint *l, const struct sql_node *n)
{
    return sql_node_text(n, l->st->sql);
}

static bool is_literal(const struct sql_node *n, unsigned kind)
{
    return n && n->kind == SQL_N_LITERAL && n->op == kind;
}

static bool is_simple_name(const struct sql_node *n)
{
    return n && n->kind == SQL_N_NAME && n->first && !n->first->next && !(n->op & 1);
}

/* a = NULL */
static void check_null(struct lint *l, const struct sql_node *n)
{
    unsigned op = n->op & SQL_OP_TOKEN;
    if (n->kind != SQL_N_BINARY || (op != TK_EQ && op != TK_NE) || !n->first || !n->first->next) {
        return;
    }
    const struct sql_node *left = n->first, *right = left->next;
    bool last = is_literal(right, TK_NULL), first = is_literal(left, TK_NULL);
    if (!last && !first) {
        return;
    }
    struct sql_diag *d = lint_say(l, SL_NULL_COMPARE, n->off, n->len, "a comparison with NULL is never true");
    if (!d) {
        return;
    }
    const struct sql_node *what = last ? left : right;
    const char *is = op == TK_EQ ? "IS NULL" : "IS NOT NULL";
    d->hint = sl_arena_printf(l->a, "write %.*s %s", SL_S(text_of(l, what)), is);
    if (last) {
        uint32_t from = left->off + left->len;
        lint_edit(l, d, from, n->off + n->len - from, sl_arena_printf(l->a, " %s", is));
    }
}

/* INTERVAL 5 SECOND */
static void check_interval(struct lint *l, const struct sql_node *n)
{
    const struct sql_node *number = n->first;
    if (n->kind != SQL_N_INTERVAL || n->op != 2 || !is_literal(number, TK_INTEGER_LIT)) {
        return;
    }
    struct sql_diag *d = lint_say(l, SL_INTERVAL_NUMBER, n->off, n->len,
                                  "without quotes this is an expression, which not every place takes");
    if (d) {
        sl_str quoted = sl_arena_printf(l->a, "'%.*s'", SL_S(text_of(l, number)));
        d->hint = sl_arena_printf(l->a, "write INTERVAL %.*s %.*s", SL_S(quoted),
                                  sql_last(n) != number ? (int)sql_last(n)->len : 0,
                                  l->st->sql.p + sql_last(n)->off);
        lint_edit(l, d, number->off, number->len, quoted);
    }
}

/* ---- SELECT a b FROM t */

static bool is_column_of(const struct lint *l, const struct sql_node *select, sl_str name)
{
    const struct sql_node *from = sql_node_child(select, SQL_N_FROM);
    const struct sql_node *table = from ? from->first : NULL;
    if (!table || table->kind != SQL_N_TABLE) {
        return false;
    }
    const struct lint_table *t = lint_table(l, sql_node_child(table, SQL_N_NAME));
    const struct sql_node *columns = t ? sql_node_child(t->create, SQL_N_COLUMNS) : NULL;
    for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
        bool column = c->kind == SQL_N_COLUMN || c->kind == SQL_N_METADATA || c->kind == SQL_N_COMPUTED;
        const struct sql_node *ident =
            column && c->first && c->first->kind == SQL_N_NAME ? sql_last(c->first) : c->first;
        if (column && ident && sl_str_eq(sql_unquote(l->a, sql_node_text(ident, t->st->sql)), name)) {
            return true;
        }
    }
    return false;
}

static bool ends_line_between(const struct lint *l, uint32_t from, uint32_t to)
{
    return memchr(l->st->sql.p + from, '\n', to - from) || memchr(l->st->sql.p + from, '\r', to - from);
}

static void check_aliases(struct lint *l, const struct sql_node *select)
{
    const struct sql_node *list = sql_node_child(select, SQL_N_SELECT_LIST);
    for (const struct sql_node *c = list ? list->first : NULL; c; c = c->next) {
        const struct sql_node *expr = c->first, *alias = expr ? expr->next : NULL;
        if (!alias || alias->kind != SQL_N_ALIAS || !alias->first || alias->off != alias->first->off) {
            continue; /* none, or with AS */
        }
        sl_str name = lint_ident(l, alias->first);
        uint32_t end = expr->off + expr->len;
        bool column = (is_simple_name(expr) || expr->kind == SQL_N_LITERAL || expr->kind == SQL_N_STRING) &&
                      is_column_of(l, select, name);
        bool line = (is_simple_name(expr) || expr->kind == SQL_N_LITERAL || expr->kind == SQL_N_STRING) &&
                    ends_line_between(l, end, alias->off);
        if (!column && !line) {
            continue;
        }
        bool go = line && sl_str_ieqz(name, "go");
        struct sql_diag *d =
            lint_say(l, SL_ALIAS_COMMA, alias->off, alias->len,
                     go ? "'%.*s' is no command here but a new name of '%.*s'"
                        : "'%.*s' becomes a new name of '%.*s'; is a ',' missing between them?",
                     SL_S(name), SL_S(text_of(l, expr)));
        if (!d) {
            continue;
        }
        d->hint = go ? SL_STR("end the statement with ; and leave GO out")
                     : sl_arena_printf(l->a, "write %.*s, %.*s   or, if it is meant:  %.*s AS %.*s",
                                       SL_S(text_of(l, expr)), SL_S(text_of(l, alias)),
                                       SL_S(text_of(l, expr)), SL_S(text_of(l, alias)));
        if (go) {
            lint_edit(l, d, end, alias->off + alias->len - end, SL_STR(""));
        } else {
            lint_edit(l, d, end, 0, SL_STR(","));
        }
    }
}

/* ---- types */

static const struct {
    const char *foreign, *flink;
} types[] = {{"TEXT", "STRING"},
             {"LONGTEXT", "STRING"},
             {"MEDIUMTEXT", "STRING"},
             {"TINYTEXT", "STRING"},
             {"CLOB", "STRING"},
             {"NVARCHAR", "STRING"},
             {"VARCHAR2", "STRING"},
             {"NVARCHAR2", "STRING"},
             {"JSON", "STRING"},
             {"JSONB", "STRING"},
             {"UUID", "STRING"},
             {"LONG", "BIGINT"},
             {"INT8", "BIGINT"},
             {"INT64", "BIGINT"},
             {"SERIAL", "INT"},
             {"BIGSERIAL", "BIGINT"},
             {"INT4", "INT"},
             {"INT32", "INT"},
             {"MEDIUMINT", "INT"},
             {"INT2", "SMALLINT"},
             {"INT16", "SMALLINT"},
             {"SHORT", "SMALLINT"},
             {"BYTE", "TINYINT"},
             {"BOOL", "BOOLEAN"},
             {"FLOAT4", "FLOAT"},
             {"FLOAT32", "FLOAT"},
             {"FLOAT8", "DOUBLE"},
             {"FLOAT64", "DOUBLE"},
             {"NUMBER", "DECIMAL"},
             {"MONEY", "DECIMAL(19, 4)"},
             {"DATETIME", "TIMESTAMP(3)"},
             {"TIMESTAMPTZ", "TIMESTAMP_LTZ(3)"},
             {"TIMESTAMP_TZ", "TIMESTAMP_LTZ(3)"},
             {"BYTEA", "BYTES"},
             {"BLOB", "BYTES"},
             {"STRUCT", "ROW<...>"}};

static void check_foreign_type(struct lint *l, const struct sql_node *n)
{
    const struct sql_node *name = n->first;
    if (!is_simple_name(name) || name->first->off != n->off || l->st->sql.p[n->off] == '`') {
        return;
    }
    sl_str word = text_of(l, name);
    for (size_t i = 0; i < SL_ARRAY_LEN(types); i++) {
        if (!sl_str_ieqz(word, types[i].foreign)) {
            continue;
        }
        struct sql_diag *d =
            lint_say(l, SL_TYPE_FOREIGN, name->off, name->len,
                     "Flink has no type %.*s; it takes the word for a type of yours", SL_S(word));
        if (d) {
            d->hint = sl_arena_printf(l->a, "write %s", types[i].flink);
            lint_edit(l, d, name->off, name->len, sl_str_of(types[i].flink));
        }
        return;
    }
}

/* The numbers in the brackets right behind a type's words. */
static size_t type_numbers(const struct lint *l, const struct sql_node *n, int64_t v[2])
{
    struct sql_lexer lx;
    struct sql_token t;
    size_t count = 0;
    bool open = false;
    sql_lex_init(&lx, text_of(l, n), l->s->flink, false);
    while (sql_lex_next(&lx, &t)) {
        if (t.kind == TK_LP) {
            open = true;
        } else if (open && t.kind == TK_INTEGER_LIT && count < 2) {
            int64_t number;
            v[count++] = sl_str_to_i64(sql_token_text(&lx, &t), &number) ? number : INT64_MAX;
        } else if (t.kind == TK_RP) {
            break;
        } else if (open && t.kind != TK_COMMA) {
            return 0;
        }
    }
    return count;
}

static void check_range(struct lint *l, const struct sql_node *n)
{
    int64_t v[2] = {0, 0}, low, high;
    const char *what;
    switch (n->op & SQL_OP_TOKEN) {
    case TK_DECIMAL:
    case TK_DEC:
    case TK_NUMERIC:
        low = 1;
        high = 38;
        what = "precision";
        break;
    case TK_CHAR:
    case TK_CHARACTER:
    case TK_VARCHAR:
    case TK_BINARY:
    case TK_VARBINARY:
        low = 1;
        high = INT32_MAX;
        what = "length";
        break;
    case TK_TIMESTAMP:
    case TK_TIMESTAMP_LTZ:
    case TK_TIME:
        low = 0;
        high = 9;
        what = "precision";
        break;
    default:
        return;
    }
    size_t count = type_numbers(l, n, v);
    if (count && (v[0] < low || v[0] > high)) {
        struct sql_diag *d = lint_say(l, SL_TYPE_RANGE, n->off, n->len, "the %s of %.*s is out of range",
                                      what, SL_S(text_of(l, n)));
        if (d) {
            d->hint = sl_arena_printf(l->a, "%lld to %lld", (long long)low, (long long)high);
        }
    } else if (count == 2 && v[1] > v[0]) {
        struct sql_diag *d =
            lint_say(l, SL_TYPE_RANGE, n->off, n->len, "%.*s has more digits behind the point than digits",
                     SL_S(text_of(l, n)));
        if (d) {
            d->hint = SL_STR("DECIMAL(precision, scale): the scale is at most the precision");
        }
    }
}

/* ---- names, rows, arguments */

sl_str lint_dotted(const struct lint *l, sl_str ident)
{
    SL_VEC(char) out = {0};
    size_t dots = 0, part = 0;
    sl_vec_push(l->a, &out, '`');
    for (size_t i = 0; i < ident.n; i++) {
        char c = ident.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                    c == '-';
        if ((c != '.' && !word) || (c == '.' && !part)) {
            return SL_STR_NONE;
        }
        part = c == '.' ? 0 : part + 1;
        dots += c == '.';
        for (const char *p = c == '.' ? "`.`" : (char[]){c, '\0'}; *p; p++) {
            sl_vec_push(l->a, &out, *p);
        }
    }
    sl_vec_push(l->a, &out, '`');
    return part && dots && dots < 3 ? (sl_str){out.v, out.n} : SL_STR_NONE;
}

/* FROM `db.orders` */
static void check_dotted(struct lint *l, const struct sql_node *name)
{
    if (!is_simple_name(name) || l->st->sql.p[name->off] != '`') {
        return;
    }
    sl_str ident = lint_ident(l, name->first), parts = lint_dotted(l, ident);
    if (!parts.n || lint_table_named(l, ident)) {
        return;
    }
    struct sql_diag *d = lint_say(l, SL_NAME_WITH_DOT, name->off, name->len,
                                  "in back-ticks '%.*s' is one name, dots and all", SL_S(ident));
    if (d) {
        d->hint = sl_arena_printf(l->a, "write %.*s", SL_S(parts));
        lint_edit(l, d, name->off, name->len, parts);
    }
}

/* VALUES 1, 'a' */
static void check_values(struct lint *l, const struct sql_node *n)
{
    bool text = false, number = false, other = false;
    for (const struct sql_node *c = n->first; c; c = c->next) {
        bool is_text = c->kind == SQL_N_STRING || is_literal(c, TK_STRING_LIT);
        bool is_number =
            is_literal(c, TK_INTEGER_LIT) || is_literal(c, TK_DECIMAL_LIT) || is_literal(c, TK_APPROX_LIT);
        text |= is_text;
        number |= is_number;
        other |= !is_text && !is_number;
    }
    if (!text || !number || other) {
        return;
    }
    struct sql_diag *d = lint_say(l, SL_VALUES_ROWS, n->off, n->len, "these are %zu rows of one value each",
                                  sql_node_count(n));
    if (d) {
        d->hint = SL_STR("one row is written in brackets:  VALUES (1, 'a')");
        lint_edit(l, d, n->first->off, 0, SL_STR("("));
        lint_edit(l, d, n->off + n->len, 0, SL_STR(")"));
    }
}

/* f(a = 1) where rows come from a function or a procedure is called */
static void check_arguments(struct lint *l, const struct sql_node *call)
{
    const struct sql_node *args = call && call->kind == SQL_N_CALL ? sql_node_child(call, SQL_N_ARGS) : NULL;
    for (const struct sql_node *c = args ? args->first : NULL; c; c = c->next) {
        if (c->kind != SQL_N_BINARY || (c->op & SQL_OP_TOKEN) != TK_EQ || !is_simple_name(c->first) ||
            !c->first->next ||
            (c->first->next->kind != SQL_N_LITERAL && c->first->next->kind != SQL_N_STRING)) {
            continue;
        }
        struct sql_diag *d = lint_say(l, SL_ARGUMENT_EQUALS, c->off, c->len,
                                      "this is a comparison with a column '%.*s', no argument of that name",
                                      SL_S(text_of(l, c->first)));
        if (d) {
            uint32_t from = c->first->off + c->first->len;
            d->hint = sl_arena_printf(l->a, "write %.*s => %.*s", SL_S(text_of(l, c->first)),
                                      SL_S(text_of(l, c->first->next)));
            lint_edit(l, d, from, c->first->next->off - from, SL_STR(" => "));
        }
    }
}

/* ---- CREATE TABLE */

static bool is_declared_null(const struct lint *l, const struct sql_node *column)
{
    const struct sql_node *type = sql_node_child(column, SQL_N_TYPE);
    if (!type) {
        return false;
    }
    sl_str text = text_of(l, type);
    if (text.n < 6 || !sl_str_ieqz(sl_str_sub(text, text.n - 4, 4), "NULL")) {
        return false;
    }
    sl_str before = sl_str_trim(sl_str_sub(text, 0, text.n - 4));
    return before.n < 3 || !sl_str_ieqz(sl_str_sub(before, before.n - 3, 3), "NOT");
}

static void say_nullable(struct lint *l, const struct sql_node *column)
{
    const struct sql_node *type = sql_node_child(column, SQL_N_TYPE);
    struct sql_diag *d =
        lint_say(l, SL_PRIMARY_KEY_NULLABLE, type->off, type->len,
                 "a column of the primary key is never NULL; Flink makes it NOT NULL without a word");
    if (d) {
        d->hint = SL_STR("leave NULL out, or write NOT NULL");
        lint_edit(l, d, type->off + type->len - 4, 4, SL_STR("NOT NULL"));
    }
}

static void check_key(struct lint *l, const struct sql_node *create)
{
    const struct sql_node *columns = sql_node_child(create, SQL_N_COLUMNS);
    for (const struct sql_node *c = columns ? columns->first : NULL; c; c = c->next) {
        const struct sql_node *own = sql_node_child(c, SQL_N_CONSTRAINT);
        if (c->kind == SQL_N_COLUMN && own && (own->op & SQL_OP_TOKEN) == TK_PRIMARY &&
            is_declared_null(l, c)) {
            say_nullable(l, c);
        }
        const struct sql_node *names = c->kind == SQL_N_CONSTRAINT && (c->op & SQL_OP_TOKEN) == TK_PRIMARY
                                           ? sql_node_child(c, SQL_N_NAMES)
                                           : NULL;
        for (const struct sql_node *k = names ? names->first : NULL; k; k = k->next) {
            const struct sql_node *ident = k->kind == SQL_N_NAME ? sql_last(k) : k;
            for (const struct sql_node *o = columns->first; o && ident; o = o->next) {
                if (o->kind == SQL_N_COLUMN && o->first && o->first->kind == SQL_N_NAME &&
                    sl_str_eq(lint_ident(l, sql_last(o->first)), lint_ident(l, ident)) &&
                    is_declared_null(l, o)) {
                    say_nullable(l, o);
                }
            }
        }
    }
}

static bool is_secret_key(sl_str key)
{
    static const char *const ends[] = {
        "password",      "passwd",      "secret",           "secret-key",  "secret.key", "secretkey",
        "access-token",  "auth-token",  "api-key",          "apikey",      "api.key",    "token",
        "client-secret", "private-key", "sasl.jaas.config", "credentials", "passphrase"};
    for (size_t i = 0; i < SL_ARRAY_LEN(ends); i++) {
        sl_str end = sl_str_of(ends[i]);
        if (key.n >= end.n && sl_str_ieq(sl_str_sub(key, key.n - end.n, end.n), end)) {
            char before = key.n > end.n ? key.p[key.n - end.n - 1] : '.';
            return before == '.' || before == '-' || before == '_';
        }
    }
    return false;
}

static bool contains_secret(sl_str key, sl_str value)
{
    return !sl_str_ends(key, SL_STR("sasl.jaas.config")) || sl_str_find(value, SL_STR("password=")) >= 0;
}

/* 'password' = 'hunter2' in WITH (...) */
static void check_secrets(struct lint *l, const struct sql_node *options)
{
    for (const struct sql_node *o = options->first; o; o = o->next) {
        const struct sql_node *value = sql_last(o);
        if (o->kind != SQL_N_OPTION || !o->first || value == o->first || l->st->sql.p[value->off] != '\'') {
            continue;
        }
        sl_str key = sql_unquote(l->a, text_of(l, o->first)), plain = sql_unquote(l->a, text_of(l, value));
        if (!is_secret_key(key) || !plain.n || !contains_secret(key, plain)) {
            continue;
        }
        struct sl_pos pos = sql_stmt_pos(l->s, l->st, value->off, value->len);
        sl_str file = l->s->files.v[l->st->file].lines.text, written = sl_str_sub(file, pos.off, pos.len);
        /* a variable, ours or another tool's, or a place holder */
        if (sl_str_find(written, SL_STR("${")) >= 0 || sl_str_find(written, SL_STR("{{")) >= 0 ||
            sl_str_find(written, SL_STR("***")) >= 0 || sl_str_find(written, SL_STR("<")) == 1) {
            continue;
        }
        struct sql_diag *d =
            lint_say(l, SL_SECRET_PLAIN, value->off, value->len,
                     "the value of '%.*s' stands in the script, its versions and its logs", SL_S(key));
        if (d) {
            char *name = sl_arena_strdupz(l->a, key);
            for (char *c = name; *c; c++) {
                *c = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ? *c
                                                                                                      : '_';
            }
            sl_str variable = sl_arena_printf(l->a, "'${secret.%s}'", name);
            d->hint = sl_arena_printf(l->a, "write %.*s", SL_S(variable));
            if (!sl_str_ends(key, SL_STR("sasl.jaas.config"))) {
                lint_edit(l, d, value->off, value->len, variable);
            }
        }
    }
}

/* INSERT INTO t SELECT * */
static void check_star(struct lint *l, const struct sql_node *insert)
{
    const struct sql_node *query = sql_node_child(insert, SQL_N_QUERY);
    const struct sql_node *select = query ? sql_node_child(query, SQL_N_SELECT) : NULL;
    const struct sql_node *list = select ? sql_node_child(select, SQL_N_SELECT_LIST) : NULL;
    const struct sql_node *item = list ? list->first : NULL;
    if (!item || item->next || !item->first || item->first->kind != SQL_N_STAR) {
        return;
    }
    struct sql_diag *d =
        lint_say(l, SL_INSERT_STAR, item->off, item->len, "a column more in the source breaks this INSERT");
    if (d) {
        d->hint = SL_STR("name the columns");
    }
}

void lint_tree(struct lint *l, const struct sql_node *n)
{
    switch ((enum sql_node_kind)n->kind) {
    case SQL_N_BINARY:
        check_null(l, n);
        break;
    case SQL_N_INTERVAL:
        check_interval(l, n);
        break;
    case SQL_N_SELECT:
        check_aliases(l, n);
        break;
    case SQL_N_TYPE:
        if ((n->op & SQL_OP_TOKEN) == TK_IDENT) {
            check_foreign_type(l, n);
        } else {
            check_range(l, n);
        }
        break;
    case SQL_N_TABLE:
        check_dotted(l, sql_node_child(n, SQL_N_NAME));
        break;
    case SQL_N_VALUES:
        check_values(l, n);
        break;
    case SQL_N_TABLE_FUNCTION:
    case SQL_N_CALL_PROCEDURE:
        check_arguments(l, n->first);
        break;
    case SQL_N_CREATE_TABLE:
        check_key(l, n);
        break;
    case SQL_N_INSERT:
        check_dotted(l, sql_node_child(n, SQL_N_NAME));
        check_star(l, n);
        break;
    case SQL_N_OPTIONS:
        check_secrets(l, n);
        break;
    default:
        break;
    }
    for (const struct sql_node *c = n->first; c; c = c->next) {
        lint_tree(l, c);
    }
}
