/* SPDX-License-Identifier: Apache-2.0
 * Where in the script an error of Flink belongs: the tables it names, their options and columns, and the
 * places of names and words. Reads statements by tokens, so that one the grammar does not know is read too.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/target/flink_error_rule.h"
#include "sqlparse/grammar.h"
#include "sqlparse/token.h"

#define VIEW_DEPTH 6

struct fe_tok {
    uint16_t kind;
    uint32_t off, len;
};
struct toks {
    struct fe_tok *v;
    size_t n;
    sl_str sql;
};

static struct toks lex(const struct fe *c, const struct sql_stmt *st)
{
    struct sql_lexer lx;
    struct sql_token t;
    SL_VEC(struct fe_tok) v = {0};
    sql_lex_init(&lx, st->sql, c->s->flink, false);
    while (sql_lex_next(&lx, &t)) {
        sl_vec_push(c->a, &v, ((struct fe_tok){t.kind, t.off, t.len}));
    }
    return (struct toks){v.v, v.n, st->sql};
}

static sl_str text_of(const struct toks *t, size_t i)
{
    return i < t->n ? sl_str_sub(t->sql, t->v[i].off, t->v[i].len) : SL_STR_NONE;
}

static bool is_kind(const struct toks *t, size_t i, int kind)
{
    return i < t->n && t->v[i].kind == kind;
}

static bool is_text(const struct toks *t, size_t i, const char *word)
{
    return i < t->n && sl_str_ieqz(text_of(t, i), word);
}

/* A name: a word or `quoted`; the value without quotes. */
static bool is_name(const struct fe *c, const struct toks *t, size_t i, sl_str *ret)
{
    sl_str s = text_of(t, i);
    if (s.n == 0) {
        return false;
    }
    if (s.p[0] == '`') {
        *ret = sql_unquote(c->a, s);
        return true;
    }
    *ret = s;
    return (s.p[0] >= 'a' && s.p[0] <= 'z') || (s.p[0] >= 'A' && s.p[0] <= 'Z') || s.p[0] == '_' ||
           (unsigned char)s.p[0] >= 0x80;
}

/* ---- what a CREATE says ---- */

static bool starts_no_column(const struct toks *t, size_t i)
{
    static const char *const words[] = {"PRIMARY", "CONSTRAINT", "WATERMARK", "UNIQUE", "PERIOD"};
    for (size_t w = 0; w < SL_ARRAY_LEN(words); w++) {
        if (is_text(t, i, words[w])) {
            return true;
        }
    }
    return false;
}

static bool ends_type(const struct toks *t, size_t i)
{
    static const char *const words[] = {"NOT", "NULL",    "METADATA",   "COMMENT",
                                        "AS",  "PRIMARY", "CONSTRAINT", "UNIQUE"};
    for (size_t w = 0; w < SL_ARRAY_LEN(words); w++) {
        if (is_text(t, i, words[w])) {
            return true;
        }
    }
    return false;
}

/* From the '(' of the columns; returns the index behind its ')'. */
static size_t read_columns(const struct fe *c, const struct toks *t, size_t i, struct fe_table *ret)
{
    size_t depth = 0;
    bool at_start = false, in_type = false;
    struct fe_column *col = NULL;
    for (; i < t->n; i++) {
        if (is_kind(t, i, TK_LP) || is_kind(t, i, TK_LT)) {
            at_start = ++depth == 1;
            continue;
        }
        if (is_kind(t, i, TK_RP) || is_kind(t, i, TK_GT)) {
            if (--depth == 0) {
                return i + 1;
            }
        } else if (depth == 1 && is_kind(t, i, TK_COMMA)) {
            at_start = true;
            continue;
        } else if (depth == 1 && at_start) {
            sl_str name;
            in_type = !starts_no_column(t, i) && is_name(c, t, i, &name);
            col = NULL;
            if (in_type) {
                col = sl_vec_add(c->a, &ret->columns);
                *col = (struct fe_column){.name = name, .off = t->v[i].off, .len = t->v[i].len};
            }
            at_start = false;
            continue;
        } else if (depth == 1 && ends_type(t, i)) {
            in_type = false;
        }
        at_start = false;
        if (col && in_type) {
            const char *from = col->type.p ? col->type.p : t->sql.p + t->v[i].off;
            col->type = (sl_str){from, (size_t)(t->sql.p + t->v[i].off + t->v[i].len - from)};
        }
    }
    return i;
}

/* 'k' = 'v' pairs from the '(' on. */
static void read_options(const struct fe *c, const struct toks *t, size_t i, struct fe_table *ret)
{
    for (; i < t->n && !is_kind(t, i, TK_RP); i++) {
        if (is_kind(t, i, TK_STRING_LIT) && is_kind(t, i + 1, TK_EQ) && is_kind(t, i + 2, TK_STRING_LIT)) {
            struct fe_option *o = sl_vec_add(c->a, &ret->options);
            o->key = sql_unquote(c->a, text_of(t, i));
            o->value = sql_unquote(c->a, text_of(t, i + 2));
            o->key_off = t->v[i].off;
            o->key_len = t->v[i].len;
            o->value_off = t->v[i + 2].off;
            o->value_len = t->v[i + 2].len;
            i += 2;
        }
    }
}

static bool is_create(const struct toks *t, size_t *at)
{
    static const char *const kinds[] = {"TABLE", "VIEW", "CATALOG", "DATABASE", "MODEL"};
    if (!is_text(t, 0, "CREATE") && !is_text(t, 0, "REPLACE")) {
        return false;
    }
    for (size_t i = 1; i < SL_MIN(t->n, (size_t)6); i++) {
        for (size_t k = 0; k < SL_ARRAY_LEN(kinds); k++) {
            if (is_text(t, i, kinds[k])) {
                *at = i + 1;
                return true;
            }
        }
    }
    return false;
}

/* The CREATE as a table, or the OPTIONS hints of a query; NULL when it says neither. */
static struct fe_table *read_table(const struct fe *c, const struct sql_stmt *st)
{
    struct toks t = lex(c, st);
    struct fe_table *ret = sl_new(c->a, struct fe_table);
    ret->st = st;
    size_t i;
    if (!is_create(&t, &i)) {
        for (i = 0; i < t.n; i++) {
            if (is_text(&t, i, "OPTIONS") && is_kind(&t, i + 1, TK_LP)) {
                read_options(c, &t, i + 2, ret);
            }
        }
        return ret->options.n ? ret : NULL;
    }
    while (is_text(&t, i, "IF") || is_text(&t, i, "NOT") || is_text(&t, i, "EXISTS")) {
        i++;
    }
    while (is_name(c, &t, i, &ret->name)) {
        ret->off = t.v[i].off;
        ret->len = t.v[i].len;
        if (!is_kind(&t, i + 1, TK_DOT)) {
            break;
        }
        i += 2;
    }
    i++;
    if (is_kind(&t, i, TK_LP)) {
        i = read_columns(c, &t, i, ret);
    }
    for (; i < t.n; i++) {
        if (is_text(&t, i, "WITH") && is_kind(&t, i + 1, TK_LP)) {
            read_options(c, &t, i + 2, ret);
            break;
        }
    }
    return ret;
}

const struct fe_option *fe_option(const struct fe_table *t, sl_str key)
{
    for (size_t i = 0; i < t->options.n; i++) {
        if (sl_str_eq(t->options.v[i].key, key)) {
            return &t->options.v[i];
        }
    }
    return NULL;
}

const struct fe_column *fe_column(const struct fe_table *t, sl_str name)
{
    for (size_t i = 0; i < t->columns.n; i++) {
        if (sl_str_eq(t->columns.v[i].name, name)) {
            return &t->columns.v[i];
        }
    }
    return NULL;
}

sl_str fe_address(const struct fe *c, const struct fe_table *t)
{
    const struct fe_option *o = fe_option(t, SL_STR("properties.bootstrap.servers"));
    if (o) {
        return o->value;
    }
    o = fe_option(t, SL_STR("hostname"));
    if (o) {
        const struct fe_option *port = fe_option(t, SL_STR("port"));
        return port ? sl_arena_printf(c->a, "%.*s:%.*s", SL_S(o->value), SL_S(port->value)) : o->value;
    }
    static const char *const keys[] = {"url", "uri", "hosts", "base-url"};
    for (size_t i = 0; i < SL_ARRAY_LEN(keys) && !o; i++) {
        o = fe_option(t, sl_str_of(keys[i]));
    }
    ptrdiff_t slashes = o ? sl_str_find(o->value, SL_STR("//")) : -1;
    if (slashes < 0) {
        return SL_STR_NONE;
    }
    sl_str host = sl_str_sub(o->value, (size_t)slashes + 2, o->value.n - (size_t)slashes - 2);
    size_t n = 0;
    while (n < host.n && host.p[n] != '/' && host.p[n] != '?' && host.p[n] != ';') {
        n++;
    }
    host.n = n;
    ptrdiff_t user = sl_str_find_char(host, '@');
    return user < 0 ? host : sl_str_sub(host, (size_t)user + 1, host.n - (size_t)user - 1);
}

/* ---- which table ---- */

/* The last CREATE TABLE or VIEW of this name before the statement. */
static const struct fe_table *table_named(const struct fe *c, sl_str name)
{
    sl_str last = fe_last(c, name);
    for (size_t i = c->s && last.n ? c->s->stmts.n : 0; i > 0; i--) {
        const struct sql_stmt *st = &c->s->stmts.v[i - 1];
        enum sql_class cls = sql_kind_class(st->kind);
        if ((cls != SQL_CLASS_DDL && cls != SQL_CLASS_INSERT && cls != SQL_CLASS_OTHER) ||
            (c->st && st->number > c->st->number) || sl_str_find(st->sql, last) < 0) {
            continue;
        }
        const struct fe_table *t = read_table(c, st);
        if (t && sl_str_eq(t->name, last)) {
            return t;
        }
    }
    return NULL;
}

struct used {
    SL_VEC(const struct fe_table *) list; /* in the order of the text: the one written to comes first */
};

static void add_used(const struct fe *c, const struct sql_stmt *st, unsigned depth, struct used *u)
{
    struct toks t = lex(c, st);
    for (size_t i = 0; i < t.n; i++) {
        sl_str name;
        if (!is_name(c, &t, i, &name)) {
            continue;
        }
        bool known = false;
        for (size_t k = 0; k < u->list.n && !known; k++) {
            known = sl_str_eq(u->list.v[k]->name, name);
        }
        const struct fe_table *found = known ? NULL : table_named(c, name);
        if (found && found->st != st) {
            sl_vec_push(c->a, &u->list, found);
            if (found->st->kind == SQL_KIND_CREATE_VIEW && depth < VIEW_DEPTH) {
                add_used(c, found->st, depth + 1, u);
            }
        }
    }
}

/* Tables of the statement, through views; all tables of the script when no statement is known. */
static struct used used_tables(const struct fe *c)
{
    struct used u = {0};
    if (c->st) {
        const struct fe_table *own = read_table(c, c->st);
        if (own && own->options.n) {
            sl_vec_push(c->a, &u.list, own);
        }
        add_used(c, c->st, 0, &u);
    } else {
        for (size_t i = 0; c->s && i < c->s->stmts.n; i++) {
            const struct sql_stmt *st = &c->s->stmts.v[i];
            const struct fe_table *t = st->kind == SQL_KIND_CREATE_TABLE ? read_table(c, st) : NULL;
            if (t) {
                sl_vec_push(c->a, &u.list, t);
            }
        }
    }
    return u;
}

static bool causes_hold(const struct fe *c, sl_str text)
{
    for (size_t i = 0; i < c->n_links && text.n >= 3; i++) {
        if (sl_str_find(c->links[i].msg, text) >= 0) {
            return true;
        }
    }
    return false;
}

/* How often the causes mention what only this table's options say. */
static unsigned mentions(const struct fe *c, const struct fe_table *t)
{
    static const char *const keys[] = {"topic",    "username",      "table-name", "path",
                                       "hostname", "database-name", "slot.name"};
    unsigned n = 0;
    for (size_t i = 0; i < SL_ARRAY_LEN(keys); i++) {
        const struct fe_option *o = fe_option(t, sl_str_of(keys[i]));
        n += o && causes_hold(c, o->value);
    }
    return n + causes_hold(c, fe_address(c, t)) + causes_hold(c, t->name);
}

static bool glob(sl_str pattern, sl_str s)
{
    if (pattern.n && pattern.p[0] == '*') {
        return sl_str_ends(s, sl_str_sub(pattern, 1, pattern.n - 1));
    }
    if (pattern.n && pattern.p[pattern.n - 1] == '*') {
        return sl_str_starts(s, sl_str_sub(pattern, 0, pattern.n - 1));
    }
    return sl_str_eq(pattern, s);
}

static const struct fe_table *target_table(const struct fe *c)
{
    if (!c->st || sql_kind_class(c->st->kind) != SQL_CLASS_INSERT) {
        return NULL;
    }
    return c->st->object.n ? table_named(c, c->st->object) : NULL;
}

/* A connector of a list; "kafka" stands for its relatives too. */
static bool connector_fits(const struct fe_table *t, sl_str list)
{
    const struct fe_option *o = fe_option(t, SL_STR("connector"));
    while (o && list.n) {
        ptrdiff_t comma = sl_str_find_char(list, ',');
        sl_str one = comma < 0 ? list : sl_str_sub(list, 0, (size_t)comma);
        if (glob(one, o->value) || (sl_str_eqz(one, "kafka") && sl_str_ends(o->value, SL_STR("kafka")))) {
            return true;
        }
        list = comma < 0 ? SL_STR_NONE : sl_str_sub(list, (size_t)comma + 1, list.n - (size_t)comma - 1);
    }
    return false;
}

/* The best of those the statement uses; `read`: not the one it writes to, unless that is the only one. */
static const struct fe_table *by_connector(struct fe *c, sl_str list, bool read)
{
    struct used u = used_tables(c);
    const struct fe_table *best = NULL, *target = read ? target_table(c) : NULL;
    unsigned most = 0;
    for (size_t i = 0; i < u.list.n; i++) {
        bool written = target && target->st == u.list.v[i]->st;
        unsigned n = written ? 0 : 1 + mentions(c, u.list.v[i]);
        for (size_t k = 1; k < 3 && !written; k++) {
            n += fe_column(u.list.v[i], c->cap[k]) != NULL;
        }
        if (connector_fits(u.list.v[i], list) && (!best || n > most)) {
            best = u.list.v[i];
            most = n;
        }
    }
    return best;
}

static const struct fe_table *by_value(struct fe *c, sl_str key, sl_str value)
{
    struct used u = used_tables(c);
    for (size_t i = 0; i < u.list.n; i++) {
        for (size_t k = 0; k < u.list.v[i]->options.n; k++) {
            const struct fe_option *o = &u.list.v[i]->options.v[k];
            if (key.n ? sl_str_eq(o->key, key) && sl_str_eq(o->value, value)
                      : sl_str_find(o->value, value) >= 0) {
                return u.list.v[i];
            }
        }
    }
    return NULL;
}

static const struct fe_table *chain_table(struct fe *c)
{
    static const char *const says[] = {"Unable to create a source for reading table '%1'",
                                       "Unable to create a sink for writing table '%1'",
                                       "able sink '%1'",
                                       "sink table '%1'",
                                       "Querying an unbounded table '%1'",
                                       "in path `%1`%/",
                                       "writing into table '%1'",
                                       "Unable to create catalog '%1'"};
    for (size_t i = 0; i < SL_ARRAY_LEN(says); i++) {
        for (size_t k = 0; k < c->n_links; k++) {
            sl_str cap[10] = {{NULL, 0}};
            if (fe_match(says[i], c->links[k].msg, cap)) {
                sl_str name = cap[1];
                ptrdiff_t tick = sl_str_find(name, SL_STR("`.`"));
                while (tick >= 0) {
                    name = sl_str_sub(name, (size_t)tick + 3, name.n - (size_t)tick - 3);
                    tick = sl_str_find(name, SL_STR("`.`"));
                }
                return table_named(c, name);
            }
        }
    }
    return NULL;
}

/* The one INSERT of the statement that writes to the rule's table, or the statement itself. */
static const struct sql_stmt *insert_of(const struct fe *c, sl_str table)
{
    for (size_t i = 0; c->st && i < c->st->n_inner; i++) {
        if (sl_str_eq(fe_last(c, c->st->inner[i].object), table)) {
            return &c->st->inner[i];
        }
    }
    return c->st;
}

static const struct fe_table *only_used(const struct fe *c)
{
    struct used u = used_tables(c);
    const struct fe_table *best = NULL;
    unsigned most = 0, ties = 0;
    for (size_t i = 0; i < u.list.n; i++) {
        if (u.list.v[i]->options.n == 0) {
            continue;
        }
        unsigned n = mentions(c, u.list.v[i]);
        ties = !best || n > most ? 1 : ties + (n == most);
        if (!best || n > most) {
            best = u.list.v[i];
            most = n;
        }
    }
    return ties == 1 ? best : NULL;
}

struct spot {
    const struct sql_stmt *st;
    uint32_t off, len; /* in st->sql */
};

static bool spot_of(struct spot *ret, const struct sql_stmt *st, uint32_t off, uint32_t len)
{
    *ret = (struct spot){st, off, len};
    return true;
}

/* A word, words, or an operator: "ORDER BY", "/", "(SELECT". */
static bool find_words(const struct fe *c, const struct sql_stmt *st, sl_str words, struct spot *ret)
{
    struct toks t = lex(c, st);
    for (size_t i = 0; i < t.n; i++) {
        sl_str rest = words;
        size_t k = i;
        while (rest.n && k < t.n) {
            sl_str s = text_of(&t, k);
            if (s.n > rest.n || !sl_str_ieq(sl_str_sub(rest, 0, s.n), s)) {
                break;
            }
            rest = sl_str_trim(sl_str_sub(rest, s.n, rest.n - s.n));
            k++;
        }
        if (rest.n == 0 && k > i) {
            return spot_of(ret, st, t.v[i].off, t.v[k - 1].off + t.v[k - 1].len - t.v[i].off);
        }
    }
    return false;
}

static const struct fe_table *one_table(struct fe *c, sl_str spec)
{
    if (spec.n == 1 && spec.p[0] >= '1' && spec.p[0] <= '9') {
        return table_named(c, c->cap[spec.p[0] - '0']);
    }
    if (sl_str_eqz(spec, "@")) {
        return chain_table(c);
    }
    if (sl_str_eqz(spec, "target")) {
        return target_table(c);
    }
    if (sl_str_eqz(spec, "used")) {
        return only_used(c);
    }
    if (sl_str_eqz(spec, "any")) {
        return c->st ? read_table(c, c->st) : NULL;
    }
    if (sl_str_eqz(spec, "meta")) {
        struct used u = used_tables(c);
        struct spot spot;
        for (size_t i = 0; i < u.list.n; i++) {
            if (find_words(c, u.list.v[i]->st, SL_STR("METADATA"), &spot)) {
                return u.list.v[i];
            }
        }
        return NULL;
    }
    sl_str arg = sl_str_sub(spec, 2, spec.n - 2);
    if (sl_str_starts(spec, SL_STR("c:")) || sl_str_starts(spec, SL_STR("r:"))) {
        return by_connector(c, arg, spec.p[0] == 'r');
    }
    ptrdiff_t eq = sl_str_find_char(arg, '=');
    char digit = arg.p[arg.n - 1];
    SL_BUG_ON(digit < '1' || digit > '9');
    return by_value(c, eq < 0 ? SL_STR_NONE : sl_str_sub(arg, 0, (size_t)eq), c->cap[digit - '0']);
}

const struct fe_table *fe_table_of(struct fe *c, const char *spec)
{
    sl_str rest = sl_str_of(spec);
    while (c->s && rest.n) {
        ptrdiff_t bar = sl_str_find_char(rest, '|');
        const struct fe_table *t = one_table(c, bar < 0 ? rest : sl_str_sub(rest, 0, (size_t)bar));
        if (t) {
            return t;
        }
        rest = bar < 0 ? SL_STR_NONE : sl_str_sub(rest, (size_t)bar + 1, rest.n - (size_t)bar - 1);
    }
    return NULL;
}

void fe_names(struct fe *c, bool columns)
{
    if (!c->s) {
        return;
    }
    struct used u = {0};
    if (columns && c->table) {
        sl_vec_push(c->a, &u.list, c->table);
    } else if (columns) {
        u = used_tables(c);
        const struct fe_table *own = c->st ? read_table(c, c->st) : NULL;
        if (own) {
            sl_vec_push(c->a, &u.list, own);
        }
    }
    for (size_t i = 0; i < u.list.n; i++) {
        for (size_t k = 0; k < u.list.v[i]->columns.n; k++) {
            sl_vec_push(c->a, &c->listed, u.list.v[i]->columns.v[k].name);
        }
    }
    for (size_t i = 0; !columns && i < c->s->stmts.n; i++) {
        const struct sql_stmt *st = &c->s->stmts.v[i];
        const struct fe_table *t =
            sql_kind_class(st->kind) == SQL_CLASS_DDL && st != c->st ? read_table(c, st) : NULL;
        if (t && t->name.n) {
            sl_vec_push(c->a, &c->listed, t->name);
        }
    }
}

/* The CREATE FUNCTION whose class is this; *lit = its token. */
static const struct sql_stmt *function_stmt(const struct fe *c, sl_str cls, struct fe_tok *lit)
{
    for (size_t i = c->s && cls.n ? c->s->stmts.n : 0; i > 0; i--) {
        const struct sql_stmt *st = &c->s->stmts.v[i - 1];
        if (st->kind != SQL_KIND_CREATE_FUNCTION || sl_str_find(st->sql, cls) < 0) {
            continue;
        }
        struct toks t = lex(c, st);
        for (size_t k = 0; k < t.n; k++) {
            if (t.v[k].kind == TK_STRING_LIT && sl_str_eq(sql_unquote(c->a, text_of(&t, k)), cls)) {
                *lit = t.v[k];
                return st;
            }
        }
    }
    return NULL;
}

sl_str fe_function_of(const struct fe *c, sl_str cls)
{
    struct fe_tok lit;
    const struct sql_stmt *st = function_stmt(c, cls, &lit);
    return st ? fe_last(c, st->object) : SL_STR_NONE;
}

bool fe_in_script(const struct fe *c, sl_str text)
{
    for (size_t i = 0; c->s && i < c->s->stmts.n; i++) {
        if (sl_str_find(c->s->stmts.v[i].sql, text) >= 0) {
            return true;
        }
    }
    return false;
}

/* ---- places ---- */

static sl_str arg_text(const struct fe *c, sl_str arg)
{
    bool digit = arg.n == 1 && arg.p[0] >= '1' && arg.p[0] <= '9';
    return digit ? c->cap[arg.p[0] - '0'] : arg;
}

/* "properties.%2" with the capture in it. */
static sl_str filled(const struct fe *c, sl_str arg)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    for (size_t i = 0; i < arg.n; i++) {
        if (arg.p[i] == '%' && i + 1 < arg.n) {
            i++;
            sl_buf_puts(&b, arg.p[i] == '%' ? SL_STR("%") : arg_text(c, sl_str_sub(arg, i, 1)));
        } else {
            sl_buf_putc(&b, arg.p[i]);
        }
    }
    return sl_str_dup(c->a, sl_buf_str(&b));
}

static bool find_name(const struct fe *c, const struct sql_stmt *st, sl_str name, unsigned which,
                      struct spot *ret)
{
    name = fe_last(c, name);
    struct toks t = lex(c, st);
    for (int icase = 0; icase < 2 && name.n; icase++) {
        unsigned n = 0;
        for (size_t i = 0; i < t.n; i++) {
            sl_str s;
            if (is_name(c, &t, i, &s) && (icase ? sl_str_ieq(s, name) : sl_str_eq(s, name)) && ++n == which) {
                return spot_of(ret, st, t.v[i].off, t.v[i].len);
            }
        }
    }
    return false;
}

/* A function's name becomes its call, up to the closing bracket. */
static void with_brackets(const struct toks *t, struct spot *spot)
{
    size_t k = 0, depth = 0;
    while (k < t->n && t->v[k].off < spot->off + spot->len) {
        k++;
    }
    for (; k < t->n && (depth || is_kind(t, k, TK_LP)); k++) {
        depth += is_kind(t, k, TK_LP);
        depth -= is_kind(t, k, TK_RP);
        spot->len = t->v[k].off + t->v[k].len - spot->off;
        if (depth == 0) {
            break;
        }
    }
}

static sl_str bare_path(sl_str s)
{
    if (sl_str_starts(s, SL_STR("file:"))) {
        s = sl_str_sub(s, 5, s.n - 5);
    }
    while (s.n > 1 && s.p[0] == '/' && s.p[1] == '/') {
        s = sl_str_sub(s, 1, s.n - 1);
    }
    return s;
}

/* A string literal that is the value, or the same path. */
static bool find_literal(const struct fe *c, const struct sql_stmt *st, sl_str value, struct spot *ret)
{
    struct toks t = lex(c, st);
    for (size_t i = 0; i < t.n && value.n; i++) {
        sl_str s = text_of(&t, i);
        if (s.n < 2 || s.p[s.n - 1] != '\'') {
            continue;
        }
        s = sql_unquote(c->a, s);
        if (sl_str_eq(s, value) || (s.n && sl_str_eq(bare_path(s), bare_path(value)))) {
            return spot_of(ret, st, t.v[i].off, t.v[i].len);
        }
    }
    return false;
}

static const struct sql_stmt *set_of(const struct fe *c, sl_str key)
{
    for (size_t i = c->s->stmts.n; i > 0; i--) {
        const struct sql_stmt *st = &c->s->stmts.v[i - 1];
        if (st->kind == SQL_KIND_SET && st->has_key && sl_str_eq(st->key, key) &&
            (!c->st || st->number <= c->st->number)) {
            return st;
        }
    }
    return NULL;
}

/* SET 'key' = 'value': the key, or what stands behind '='. */
static bool find_set(const struct fe *c, sl_str key, bool value, struct spot *ret)
{
    const struct sql_stmt *st = set_of(c, key);
    if (!st) {
        return false;
    }
    size_t eq = 0, from, end = st->sql.n;
    for (bool quoted = false; eq < end && (quoted || st->sql.p[eq] != '='); eq++) {
        quoted = quoted != (st->sql.p[eq] == '\'');
    }
    if (value) {
        from = eq + 1;
    } else {
        from = 3;
        end = eq;
    }
    from = SL_MIN(from, end);
    sl_str s = sl_str_trim(sl_str_sub(st->sql, from, end - from));
    return s.n && spot_of(ret, st, (uint32_t)(s.p - st->sql.p), (uint32_t)s.n);
}

/* ---- Flink's own line and column ---- */

struct flink_pos {
    int64_t line, col, end_line, end_col; /* the end is the last character */
};

static bool read_pos(const struct fe *c, struct flink_pos *ret)
{
    static const char *const forms[] = {
        "From line %1, column %2 to line %3, column %4:", "t line %1, column %2%/", "t line %1, column %2.",
        "t line %1, column %2:"};
    for (size_t i = 0; i < c->n_links; i++) {
        for (size_t k = 0; k < SL_ARRAY_LEN(forms); k++) {
            sl_str cap[10] = {{NULL, 0}};
            if (!fe_match(forms[k], c->links[i].msg, cap) || !sl_str_to_i64(cap[1], &ret->line) ||
                !sl_str_to_i64(cap[2], &ret->col) || ret->line < 1 || ret->col < 1) {
                continue;
            }
            ret->end_line = ret->end_col = 0;
            if (k == 0 && (!sl_str_to_i64(cap[3], &ret->end_line) || !sl_str_to_i64(cap[4], &ret->end_col))) {
                continue;
            }
            return true;
        }
    }
    return false;
}

/* The place in one statement's SQL; `sure` when the name the rule captured stands there. */
static bool pos_in(const struct fe *c, const struct sql_stmt *st, const struct flink_pos *p, struct spot *ret,
                   bool *sure)
{
    struct sql_lines lines;
    sql_lines_init(&lines, c->a, st->sql);
    if ((uint64_t)p->line > lines.n || p->col > INT32_MAX || p->end_col > INT32_MAX ||
        (uint64_t)p->end_line > lines.n) {
        return false;
    }
    size_t from = sql_lines_off(&lines, (uint32_t)p->line, (uint32_t)p->col), to;
    if (p->end_line) {
        to = sql_lines_off(&lines, (uint32_t)p->end_line, (uint32_t)p->end_col + 1);
    } else {
        struct sql_lexer lx;
        struct sql_token t = {0};
        sql_lex_init(&lx, sl_str_sub(st->sql, from, st->sql.n - from), c->s->flink, false);
        sql_lex_next(&lx, &t);
        to = from + t.off + t.len;
    }
    to = SL_MIN(SL_MAX(to, from), st->sql.n);
    sl_str name = fe_last(c, c->cap[1]), there = sl_str_sub(st->sql, from, to - from);
    *sure = name.n > 0 && sl_str_find(there, name) >= 0;
    return spot_of(ret, st, (uint32_t)from, (uint32_t)(to - from));
}

static bool find_pos(const struct fe *c, struct spot *ret)
{
    struct flink_pos p;
    if (!c->st || !read_pos(c, &p)) {
        return false;
    }
    struct spot spot;
    bool sure = false, one = false;
    for (size_t i = 0; i < c->st->n_inner; i++) {
        if (pos_in(c, &c->st->inner[i], &p, &spot, &sure) && (sure || c->st->n_inner == 1)) {
            *ret = spot;
            return true;
        }
    }
    if (c->st->n_inner > 0 || !pos_in(c, c->st, &p, &spot, &sure)) {
        return false;
    }
    one = sure || !find_name(c, c->st, c->cap[1], 1, ret);
    if (one) {
        *ret = spot;
    }
    return true;
}

/* ---- the table of places ---- */

static bool find_option(const struct fe *c, sl_str how, sl_str arg, struct spot *ret)
{
    bool value = how.p[0] == 'v', same = sl_str_eqz(how, "valeq"), holds = sl_str_eqz(how, "valhas");
    sl_str want = same || holds ? arg_text(c, arg) : filled(c, arg);
    const struct fe_table *t = c->table, *hints = c->st ? read_table(c, c->st) : NULL;
    if (hints && hints->name.n == 0 && !same && !holds && fe_option(hints, want)) {
        t = hints; /* given in the query itself */
    }
    for (size_t i = 0; t && want.n && i < t->options.n; i++) {
        const struct fe_option *o = &t->options.v[i];
        bool hit = same    ? sl_str_eq(o->value, want)
                   : holds ? sl_str_find(o->value, want) >= 0
                           : sl_str_eq(o->key, want);
        if (hit) {
            return value ? spot_of(ret, t->st, o->value_off, o->value_len)
                         : spot_of(ret, t->st, o->key_off, o->key_len);
        }
    }
    return false;
}

bool fe_quoted_option(const struct fe *c)
{
    for (size_t i = c->n_links; c->table && i > 0; i--) {
        sl_str s = c->links[i - 1].msg, cap[10] = {{NULL, 0}};
        while (fe_match("'%1'", s, cap)) {
            if (fe_option(c->table, cap[1])) {
                return true;
            }
            size_t from = (size_t)(cap[1].p - s.p) + cap[1].n + 1;
            s = sl_str_sub(s, from, s.n - from);
        }
    }
    return false;
}

/* The first 'quoted' word of the causes that stands in the script: an option, or a name of the statement. */
static bool find_quoted(const struct fe *c, struct spot *ret)
{
    for (size_t i = c->n_links; i > 0; i--) {
        sl_str s = c->links[i - 1].msg, cap[10] = {{NULL, 0}};
        while (fe_match("'%1'", s, cap)) {
            if (find_option(c, SL_STR("key"), cap[1], ret) ||
                (c->st && find_name(c, c->st, cap[1], 1, ret))) {
                return true;
            }
            size_t from = (size_t)(cap[1].p - s.p) + cap[1].n + 1;
            s = sl_str_sub(s, from, s.n - from);
        }
    }
    return false;
}

/* What makes the updates a sink refuses, by the planner's name of the step. */
static bool find_node(const struct fe *c, const struct sql_stmt *st, sl_str node, struct spot *ret,
                      const char **label)
{
    static const struct {
        const char *node, *words[8];
    } nodes[] = {
        {"GroupAggregate", {"SUM", "COUNT", "MIN", "MAX", "AVG", "LISTAGG", "GROUP BY", "DISTINCT"}},
        {"GlobalGroupAggregate", {"SUM", "COUNT", "MIN", "MAX", "AVG", "LISTAGG", "GROUP BY", "DISTINCT"}},
        {"Join", {"JOIN"}},
        {"Rank", {"ROW_NUMBER", "RANK", "LIMIT", "FETCH"}},
        {"SortLimit", {"LIMIT", "FETCH", "ORDER BY"}},
        {"Limit", {"LIMIT", "FETCH"}},
        {"Deduplicate", {"ROW_NUMBER"}},
    };
    static const char makes[] = "this makes updates";
    *label = makes;
    for (size_t i = 0; i < SL_ARRAY_LEN(nodes); i++) {
        for (size_t w = 0;
             sl_str_eqz(node, nodes[i].node) && w < SL_ARRAY_LEN(nodes[i].words) && nodes[i].words[w]; w++) {
            struct toks t = lex(c, st);
            struct spot hit;
            if (!find_words(c, st, sl_str_of(nodes[i].words[w]), &hit)) {
                continue;
            }
            with_brackets(&t, &hit);
            *ret = hit;
            return true;
        }
    }
    return false;
}

static bool first_line(const struct sql_stmt *st, struct spot *ret)
{
    size_t n = 0;
    while (n < st->sql.n && st->sql.p[n] != '\n' && st->sql.p[n] != '\r') {
        n++;
    }
    return spot_of(ret, st, 0, (uint32_t)sl_str_trim(sl_str_sub(st->sql, 0, n)).n);
}

static bool place_find(const struct fe *c, sl_str how, sl_str arg, struct spot *ret)
{
    const struct fe_table *t = c->table;
    if (sl_str_eqz(how, "tab")) {
        return t && t->len && spot_of(ret, t->st, t->off, t->len);
    }
    if (sl_str_eqz(how, "col")) {
        const struct fe_column *col = t ? fe_column(t, arg_text(c, arg)) : NULL;
        return col && spot_of(ret, t->st, col->off, col->len);
    }
    if (sl_str_eqz(how, "key") || sl_str_eqz(how, "val") || sl_str_eqz(how, "valeq") ||
        sl_str_eqz(how, "valhas")) {
        return find_option(c, how, arg, ret);
    }
    if (sl_str_eqz(how, "valaddr")) {
        static const char *const keys[] = {
            "properties.bootstrap.servers", "url", "uri", "hosts", "hostname", "base-url"};
        for (size_t i = 0; i < SL_ARRAY_LEN(keys); i++) {
            if (find_option(c, SL_STR("val"), sl_str_of(keys[i]), ret)) {
                return true;
            }
        }
        return false;
    }
    if (sl_str_eqz(how, "set") || sl_str_eqz(how, "setval")) {
        return find_set(c, arg_text(c, arg), how.n > 3, ret);
    }
    if (sl_str_eqz(how, "fnlit")) {
        struct fe_tok lit;
        const struct sql_stmt *st = function_stmt(c, arg_text(c, arg), &lit);
        return st && spot_of(ret, st, lit.off, lit.len);
    }
    if (sl_str_eqz(how, "quoted")) {
        return find_quoted(c, ret);
    }
    if (sl_str_eqz(how, "tabword")) {
        return t && find_words(c, t->st, arg, ret);
    }
    if (!c->st) {
        return false;
    }
    if (sl_str_eqz(how, "pos")) {
        return find_pos(c, ret);
    }
    if (sl_str_eqz(how, "name") || sl_str_eqz(how, "name2")) {
        return find_name(c, c->st, arg_text(c, arg), how.n == 4 ? 1 : 2, ret);
    }
    if (sl_str_eqz(how, "word")) {
        return find_words(c, c->st, filled(c, arg), ret);
    }
    if (sl_str_eqz(how, "lit")) {
        return find_literal(c, c->st, arg_text(c, arg), ret);
    }
    if (sl_str_eqz(how, "descriptor")) {
        struct toks calls = lex(c, c->st);
        bool found = find_words(c, c->st, SL_STR("DESCRIPTOR"), ret);
        if (found) {
            with_brackets(&calls, ret);
        }
        return found;
    }
    if (sl_str_eqz(how, "end")) {
        return spot_of(ret, c->st, (uint32_t)c->st->sql.n, 0);
    }
    SL_BUG_ON(!sl_str_eqz(how, "first"));
    struct toks toks = lex(c, c->st);
    return toks.n && spot_of(ret, c->st, toks.v[0].off, toks.v[0].len);
}

void fe_place(struct fe *c, const char *spec, struct sql_diag *ret)
{
    if (!c->s) {
        return;
    }
    struct spot spot = {0}, second = {0};
    const char *label = "";
    sl_str rest = sl_str_of(spec);
    bool found = false;
    const struct sql_stmt *whole = c->st;
    while (rest.n && !found) {
        ptrdiff_t bar = sl_str_find_char(rest, '|');
        sl_str one = bar < 0 ? rest : sl_str_sub(rest, 0, (size_t)bar);
        rest = bar < 0 ? SL_STR_NONE : sl_str_sub(rest, (size_t)bar + 1, rest.n - (size_t)bar - 1);
        ptrdiff_t colon = sl_str_find_char(one, ':');
        sl_str how = colon < 0 ? one : sl_str_sub(one, 0, (size_t)colon);
        sl_str arg = colon < 0 ? SL_STR_NONE : sl_str_sub(one, (size_t)colon + 1, one.n - (size_t)colon - 1);
        if (sl_str_eqz(how, "2=node")) {
            const struct sql_stmt *in = c->st ? insert_of(c, fe_last(c, c->cap[1])) : NULL;
            if (in && find_node(c, in, arg_text(c, arg), &second, &label)) {
                ret->second = sql_stmt_pos(c->s, in, second.off, second.len);
                ret->second_label = sl_str_of(label);
            }
            whole = in;
        } else {
            found = place_find(c, how, arg, &spot);
        }
    }
    if (!found && (!whole || !first_line(whole, &spot))) {
        return;
    }
    ret->pos = sql_stmt_pos(c->s, spot.st, spot.off, spot.len);
    ret->statement = spot.st->number;
    ret->file = spot.st->file;
    if (ret->second.off != SL_NO_POS && ret->second.off < ret->pos.off + ret->pos.len) {
        /* Both on one line: the first mark ends with the name that is written to. */
        struct spot name;
        if (find_name(c, whole, c->cap[1], 1, &name) && name.off + name.len <= second.off) {
            ret->pos = sql_stmt_pos(c->s, spot.st, 0, name.off + name.len);
        } else {
            ret->second = SL_POS_NONE;
        }
    }
}
