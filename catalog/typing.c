/* SPDX-License-Identifier: Apache-2.0
 * Types as they are written: names of types nobody knows, scales beyond the precision. */
#include "catalog/relation.h"
#include "sqlparse/token.h"

/* What people write who come from other databases. */
static const struct {
    const char *foreign, *here;
} cures[] = {
    {"TEXT", "STRING"},
    {"LONG", "BIGINT"},
    {"DATETIME", "TIMESTAMP(3)"},
    {"VARCHAR2", "STRING"},
    {"NVARCHAR", "STRING"},
    {"NUMBER", "DECIMAL"},
    {"BOOL", "BOOLEAN"},
    {"INT64", "BIGINT"},
    {"INT32", "INT"},
    {"INT16", "SMALLINT"},
    {"INT8", "TINYINT"},
    {"FLOAT64", "DOUBLE"},
    {"FLOAT32", "FLOAT"},
    {"JSON", "STRING"},
    {"JSONB", "STRING"},
    {"BLOB", "BYTES"},
    {"BYTEA", "BYTES"},
    {"UUID", "STRING"},
    {"CLOB", "STRING"},
    {"SHORT", "SMALLINT"},
    {"BYTE", "TINYINT"},
    {"MEDIUMINT", "INT"},
    {"SERIAL", "INT"},
    {"BIGSERIAL", "BIGINT"},
    {"TIMESTAMPTZ", "TIMESTAMP_LTZ(3)"},
    {"LIST", "ARRAY<...>"},
    {"STRUCT", "ROW<...>"},
    {"MONEY", "DECIMAL(19, 4)"},
    {"LONGTEXT", "STRING"},
    {"MEDIUMTEXT", "STRING"},
    {"TINYTEXT", "STRING"},
    {"HUGEINT", "DECIMAL(38, 0)"},
};
static const char *const words[] = {
    "BOOLEAN", "TINYINT", "SMALLINT",  "INT",           "INTEGER", "BIGINT", "DECIMAL",   "NUMERIC",
    "FLOAT",   "DOUBLE",  "CHAR",      "VARCHAR",       "STRING",  "BINARY", "VARBINARY", "BYTES",
    "DATE",    "TIME",    "TIMESTAMP", "TIMESTAMP_LTZ", "ARRAY",   "MAP",    "MULTISET",  "ROW",
};

static void say_unknown(struct cat_walk *w, const struct sql_node *type)
{
    sl_str name = sql_node_text(type->first ? type->first : type, w->st->sql);
    struct sql_diag *d =
        cat_say(w, SL_TYPE_UNKNOWN, type->first ? type->first : type, "there is no type '%.*s'", SL_S(name));
    struct cat_nearest n = cat_nearest_to(name);
    for (size_t i = 0; i < SL_ARRAY_LEN(cures); i++) {
        if (sl_str_ieqz(name, cures[i].foreign)) {
            cat_hint(w, d, "Flink calls it %s", cures[i].here);
            return;
        }
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(words); i++) {
        cat_offer(&n, sl_str_of(words[i]));
    }
    cat_hint_near(w, d, &n);
}

/* The numbers in the first parentheses of a type: how many there are, at most two. */
static unsigned numbers_of(sl_str text, int ret[2])
{
    unsigned n = 0;
    ptrdiff_t open = sl_str_find_char(text, '(');
    for (size_t i = open < 0 ? text.n : (size_t)open + 1; i < text.n && text.p[i] != ')' && n < 2;) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            i++;
            continue;
        }
        int v = 0;
        for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
            v = v < 100000 ? v * 10 + (text.p[i] - '0') : v;
        }
        ret[n++] = v;
    }
    return n;
}

static bool has_word(const struct cat_walk *w, const struct sql_node *type, int token)
{
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, sql_node_text(type, w->st->sql), w->s->flink, false);
    while (sql_lex_next(&lx, &t)) {
        if (t.word == token) {
            return true;
        }
    }
    return false;
}

static const struct cat_type *row_type(struct cat_walk *w, const struct sql_node *type)
{
    struct cat_relation *fields = sl_new(w->a, struct cat_relation);
    for (const struct sql_node *f = type->first; f; f = f->next) {
        if (f->kind == SQL_N_TYPE_FIELD && f->first && f->first->next) {
            sl_str name = cat_ident(w, f->first);
            if (cat_has_column(fields, name)) {
                cat_say(w, SL_COLUMN_DUPLICATE, f->first, "this row has two fields '%.*s'", SL_S(name));
            }
            cat_add_column(w, fields, name, cat_type_checked(w, f->first->next));
        }
    }
    struct cat_type *t = sl_new(w->a, struct cat_type);
    *t = (struct cat_type){.kind = CAT_T_ROW, .precision = -1, .fields = fields};
    return t;
}

static const struct cat_type *decimal_type(struct cat_walk *w, const struct sql_node *type)
{
    int v[2];
    if (numbers_of(sql_node_text(type, w->st->sql), v) == 2 && v[1] > v[0]) {
        struct sql_diag *d =
            cat_say(w, SL_TYPE_INVALID, type, "DECIMAL(%d, %d) has more digits behind the point than in all",
                    v[0], v[1]);
        cat_hint(w, d, "the first number counts all digits: DECIMAL(%d, %d)", v[0] + v[1], v[1]);
    }
    return cat_type_of(CAT_T_DECIMAL);
}

static const struct cat_type *timestamp_type(struct cat_walk *w, const struct sql_node *type, bool local)
{
    int v[2];
    unsigned n = numbers_of(sql_node_text(type, w->st->sql), v);
    int precision = n ? v[0] : 6;
    return cat_type_timestamp(w->a, local ? CAT_T_TIMESTAMP_LTZ : CAT_T_TIMESTAMP, precision);
}

const struct cat_type *cat_type_checked(struct cat_walk *w, const struct sql_node *type)
{
    struct cat_type *t;
    w->steps++;
    switch (type->op & SQL_OP_TOKEN) {
    case TK_IDENT:
        say_unknown(w, type);
        return cat_type_of(CAT_T_UNKNOWN);
    case TK_BOOLEAN:
        return cat_type_of(CAT_T_BOOLEAN);
    case TK_TINYINT:
        return cat_type_of(CAT_T_TINYINT);
    case TK_SMALLINT:
        return cat_type_of(CAT_T_SMALLINT);
    case TK_INT:
    case TK_INTEGER:
        return cat_type_of(CAT_T_INT);
    case TK_BIGINT:
        return cat_type_of(CAT_T_BIGINT);
    case TK_FLOAT:
        return cat_type_of(CAT_T_FLOAT);
    case TK_DOUBLE:
        return cat_type_of(CAT_T_DOUBLE);
    case TK_DECIMAL:
    case TK_DEC:
    case TK_NUMERIC:
        return decimal_type(w, type);
    case TK_CHAR:
    case TK_CHARACTER:
        return cat_type_of(has_word(w, type, SQL_W_VARYING) ? CAT_T_VARCHAR : CAT_T_CHAR);
    case TK_VARCHAR:
    case TK_STRING:
        return cat_type_of(CAT_T_VARCHAR);
    case TK_BINARY:
        return cat_type_of(has_word(w, type, SQL_W_VARYING) ? CAT_T_VARBINARY : CAT_T_BINARY);
    case TK_VARBINARY:
    case TK_BYTES:
        return cat_type_of(CAT_T_VARBINARY);
    case TK_DATE:
        return cat_type_of(CAT_T_DATE);
    case TK_TIME:
        return cat_type_of(CAT_T_TIME);
    case TK_TIMESTAMP:
        return timestamp_type(w, type, has_word(w, type, SQL_W_LOCAL));
    case TK_TIMESTAMP_LTZ:
        return timestamp_type(w, type, true);
    case TK_ARRAY:
        return type->first ? cat_type_array(w->a, cat_type_checked(w, type->first))
                           : cat_type_of(CAT_T_ARRAY);
    case TK_MULTISET:
        if (type->first) {
            (void)cat_type_checked(w, type->first);
        }
        return cat_type_of(CAT_T_MULTISET);
    case TK_MAP:
        if (!type->first || !type->first->next) {
            return cat_type_of(CAT_T_MAP);
        }
        t = sl_new(w->a, struct cat_type);
        *t = (struct cat_type){.kind = CAT_T_MAP,
                               .precision = -1,
                               .key = cat_type_checked(w, type->first),
                               .element = cat_type_checked(w, type->first->next)};
        return t;
    case TK_ROW:
        return row_type(w, type);
    case TK_ANY:
    case TK_REAL:
        return cat_type_of(CAT_T_UNKNOWN);
    default:
        return cat_type_of(CAT_T_OTHER);
    }
}

const struct cat_type *cat_type_named(sl_str word)
{
    static const struct {
        const char *word;
        enum cat_kind kind;
    } known[] = {{"BOOLEAN", CAT_T_BOOLEAN},   {"TINYINT", CAT_T_TINYINT},
                 {"SMALLINT", CAT_T_SMALLINT}, {"INT", CAT_T_INT},
                 {"INTEGER", CAT_T_INT},       {"BIGINT", CAT_T_BIGINT},
                 {"FLOAT", CAT_T_FLOAT},       {"DOUBLE", CAT_T_DOUBLE},
                 {"DECIMAL", CAT_T_DECIMAL},   {"CHAR", CAT_T_CHAR},
                 {"VARCHAR", CAT_T_VARCHAR},   {"STRING", CAT_T_VARCHAR},
                 {"BINARY", CAT_T_BINARY},     {"VARBINARY", CAT_T_VARBINARY},
                 {"BYTES", CAT_T_VARBINARY},   {"DATE", CAT_T_DATE},
                 {"TIME", CAT_T_TIME}};
    for (size_t i = 0; i < SL_ARRAY_LEN(known); i++) {
        if (sl_str_ieqz(word, known[i].word)) {
            return cat_type_of(known[i].kind);
        }
    }
    return cat_type_of(CAT_T_UNKNOWN);
}

enum cat_kind cat_unit_kind(const struct cat_walk *w, const struct sql_node *unit)
{
    sl_str text = unit ? sql_node_text(unit, w->st->sql) : SL_STR_NONE;
    size_t n = 0;
    while (n < text.n && ((text.p[n] | 0x20) >= 'a' && (text.p[n] | 0x20) <= 'z')) {
        n++;
    }
    static const char *const months[] = {"YEAR", "YEARS", "MONTH", "MONTHS", "QUARTER", "QUARTERS"};
    for (size_t i = 0; i < SL_ARRAY_LEN(months); i++) {
        if (sl_str_ieqz(sl_str_sub(text, 0, n), months[i])) {
            return CAT_T_MONTHS;
        }
    }
    return CAT_T_SECONDS;
}
