/* SPDX-License-Identifier: Apache-2.0
 * The tables an error of Flink is about: what their CREATE says, and which of a script's it is. */
#include "gateway/target/flink_error_scan.h"

#include "sqlparse/grammar.h"
#include "sqlparse/token.h"

#define VIEW_DEPTH 6

/* ---- what a CREATE says ---- */

static bool starts_no_column(const struct fe_toks *t, size_t i)
{
    static const char *const words[] = {"PRIMARY", "CONSTRAINT", "WATERMARK", "UNIQUE", "PERIOD"};
    for (size_t w = 0; w < SL_ARRAY_LEN(words); w++) {
        if (fe_tok_word(t, i, words[w])) {
            return true;
        }
    }
    return false;
}

static bool ends_type(const struct fe_toks *t, size_t i)
{
    static const char *const words[] = {"NOT", "NULL",    "METADATA",   "COMMENT",
                                        "AS",  "PRIMARY", "CONSTRAINT", "UNIQUE"};
    for (size_t w = 0; w < SL_ARRAY_LEN(words); w++) {
        if (fe_tok_word(t, i, words[w])) {
            return true;
        }
    }
    return false;
}

/* From the '(' of the columns; returns the index behind its ')'. */
static size_t read_columns(const struct fe *c, const struct fe_toks *t, size_t i, struct fe_table *ret)
{
    size_t depth = 0;
    bool at_start = false, in_type = false;
    struct fe_column *col = NULL;
    for (; i < t->n; i++) {
        if (fe_tok_is(t, i, TK_LP) || fe_tok_is(t, i, TK_LT)) {
            at_start = ++depth == 1;
            continue;
        }
        if (fe_tok_is(t, i, TK_RP) || fe_tok_is(t, i, TK_GT)) {
            if (--depth == 0) {
                return i + 1;
            }
        } else if (depth == 1 && fe_tok_is(t, i, TK_COMMA)) {
            at_start = true;
            continue;
        } else if (depth == 1 && at_start) {
            sl_str name;
            in_type = !starts_no_column(t, i) && fe_tok_name(c, t, i, &name);
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
static void read_options(const struct fe *c, const struct fe_toks *t, size_t i, struct fe_table *ret)
{
    for (; i < t->n && !fe_tok_is(t, i, TK_RP); i++) {
        if (fe_tok_is(t, i, TK_STRING_LIT) && fe_tok_is(t, i + 1, TK_EQ) &&
            fe_tok_is(t, i + 2, TK_STRING_LIT)) {
            struct fe_option *o = sl_vec_add(c->a, &ret->options);
            o->key = sql_unquote(c->a, fe_tok_text(t, i));
            o->value = sql_unquote(c->a, fe_tok_text(t, i + 2));
            o->key_off = t->v[i].off;
            o->key_len = t->v[i].len;
            o->value_off = t->v[i + 2].off;
            o->value_len = t->v[i + 2].len;
            i += 2;
        }
    }
}

static bool is_create(const struct fe_toks *t, size_t *at)
{
    static const char *const kinds[] = {"TABLE", "VIEW", "CATALOG", "DATABASE", "MODEL"};
    if (!fe_tok_word(t, 0, "CREATE") && !fe_tok_word(t, 0, "REPLACE")) {
        return false;
    }
    for (size_t i = 1; i < SL_MIN(t->n, (size_t)6); i++) {
        for (size_t k = 0; k < SL_ARRAY_LEN(kinds); k++) {
            if (fe_tok_word(t, i, kinds[k])) {
                *at = i + 1;
                return true;
            }
        }
    }
    return false;
}

struct fe_table *fe_table_read(const struct fe *c, const struct sql_stmt *st)
{
    struct fe_toks t = fe_lex(c, st);
    struct fe_table *ret = sl_new(c->a, struct fe_table);
    ret->st = st;
    size_t i;
    if (!is_create(&t, &i)) {
        for (i = 0; i < t.n; i++) {
            if (fe_tok_word(&t, i, "OPTIONS") && fe_tok_is(&t, i + 1, TK_LP)) {
                read_options(c, &t, i + 2, ret);
            }
        }
        return ret->options.n ? ret : NULL;
    }
    while (fe_tok_word(&t, i, "IF") || fe_tok_word(&t, i, "NOT") || fe_tok_word(&t, i, "EXISTS")) {
        i++;
    }
    while (fe_tok_name(c, &t, i, &ret->name)) {
        ret->off = t.v[i].off;
        ret->len = t.v[i].len;
        if (!fe_tok_is(&t, i + 1, TK_DOT)) {
            break;
        }
        i += 2;
    }
    i++;
    if (fe_tok_is(&t, i, TK_LP)) {
        i = read_columns(c, &t, i, ret);
    }
    for (; i < t.n; i++) {
        if (fe_tok_word(&t, i, "WITH") && fe_tok_is(&t, i + 1, TK_LP)) {
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
        const struct fe_table *t = fe_table_read(c, st);
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
    struct fe_toks t = fe_lex(c, st);
    for (size_t i = 0; i < t.n; i++) {
        sl_str name;
        if (!fe_tok_name(c, &t, i, &name)) {
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
        const struct fe_table *own = fe_table_read(c, c->st);
        if (own && own->options.n) {
            sl_vec_push(c->a, &u.list, own);
        }
        add_used(c, c->st, 0, &u);
    } else {
        for (size_t i = 0; c->s && i < c->s->stmts.n; i++) {
            const struct sql_stmt *st = &c->s->stmts.v[i];
            const struct fe_table *t = st->kind == SQL_KIND_CREATE_TABLE ? fe_table_read(c, st) : NULL;
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
        return c->st ? fe_table_read(c, c->st) : NULL;
    }
    if (sl_str_eqz(spec, "meta")) {
        struct used u = used_tables(c);
        struct fe_spot spot;
        for (size_t i = 0; i < u.list.n; i++) {
            if (fe_find_words(c, u.list.v[i]->st, SL_STR("METADATA"), &spot)) {
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
        const struct fe_table *own = c->st ? fe_table_read(c, c->st) : NULL;
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
            sql_kind_class(st->kind) == SQL_CLASS_DDL && st != c->st ? fe_table_read(c, st) : NULL;
        if (t && t->name.n) {
            sl_vec_push(c->a, &c->listed, t->name);
        }
    }
}

const struct sql_stmt *fe_function_stmt(const struct fe *c, sl_str cls, struct fe_tok *lit)
{
    for (size_t i = c->s && cls.n ? c->s->stmts.n : 0; i > 0; i--) {
        const struct sql_stmt *st = &c->s->stmts.v[i - 1];
        if (st->kind != SQL_KIND_CREATE_FUNCTION || sl_str_find(st->sql, cls) < 0) {
            continue;
        }
        struct fe_toks t = fe_lex(c, st);
        for (size_t k = 0; k < t.n; k++) {
            if (t.v[k].kind == TK_STRING_LIT && sl_str_eq(sql_unquote(c->a, fe_tok_text(&t, k)), cls)) {
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
    const struct sql_stmt *st = fe_function_stmt(c, cls, &lit);
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
