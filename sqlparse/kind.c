/* SPDX-License-Identifier: Apache-2.0
 * What a statement is, by its first words, and what it is about: decided from the head alone, so that it is
 * known for every statement, also one the grammar rejects. */
#include "sqlparse/split.h"

static const struct {
    const char *name;
    enum sql_class cls;
} kinds[] = {
    [SQL_KIND_UNKNOWN] = {"UNKNOWN", SQL_CLASS_OTHER},
#define SQL_KIND(NAME, text, cls) [SQL_KIND_##NAME] = {text, SQL_CLASS_##cls},
#include "sqlparse/kinds.def"
#undef SQL_KIND
};

const char *sql_kind_name(enum sql_kind k)
{
    return kinds[k < SQL_KIND_MAX_ ? k : 0].name;
}
enum sql_class sql_kind_class(enum sql_kind k)
{
    return kinds[k < SQL_KIND_MAX_ ? k : 0].cls;
}

static unsigned word(const struct sql_head *h, size_t i)
{
    return i < h->n ? h->t[i].word : 0;
}

static sl_str text_of(const struct sql_head *h, size_t i)
{
    return i < h->n ? (sl_str){h->text + h->t[i].off, h->t[i].len} : SL_STR_NONE;
}

/* The index behind CREATE [OR REPLACE|ALTER] [TEMPORARY] [SYSTEM], DROP [TEMPORARY] ... */
static size_t behind_verb(const struct sql_head *h, bool *ret_replace, bool *ret_temporary)
{
    size_t i = 1;
    *ret_replace = word(h, 0) == SQL_W_REPLACE;
    *ret_temporary = false;
    if (word(h, i) == SQL_W_OR) {
        *ret_replace |= word(h, i + 1) == SQL_W_REPLACE;
        i += 2;
    }
    for (; word(h, i) == SQL_W_TEMPORARY || word(h, i) == SQL_W_SYSTEM; i++) {
        *ret_temporary = true;
    }
    return i;
}

enum verb { CREATE, ALTER, DROP };

static enum sql_kind object_kind(const struct sql_head *h, enum verb v)
{
#define THREE(NOUN)                                                                                          \
    ((enum sql_kind[]){SQL_KIND_CREATE_##NOUN, SQL_KIND_ALTER_##NOUN, SQL_KIND_DROP_##NOUN}[v])
    bool replace, temporary;
    size_t i = behind_verb(h, &replace, &temporary);
    switch (word(h, i)) {
    case SQL_W_TABLE:
        if (v != CREATE) {
            return THREE(TABLE);
        }
        return replace ? SQL_KIND_REPLACE_TABLE_AS : h->as ? SQL_KIND_CREATE_TABLE_AS : SQL_KIND_CREATE_TABLE;
    case SQL_W_VIEW:
        return THREE(VIEW);
    case SQL_W_FUNCTION:
        return THREE(FUNCTION);
    case SQL_W_CATALOG:
        return THREE(CATALOG);
    case SQL_W_DATABASE:
        return THREE(DATABASE);
    case SQL_W_MODEL:
        return THREE(MODEL);
    case SQL_W_CONNECTION:
        return THREE(CONNECTION);
    case SQL_W_MATERIALIZED:
        return word(h, i + 1) == SQL_W_TABLE ? THREE(MATERIALIZED_TABLE) : SQL_KIND_UNKNOWN;
    default:
        return SQL_KIND_UNKNOWN;
    }
#undef THREE
}

static bool is_query_word(unsigned w)
{
    return w == SQL_W_SELECT || w == SQL_W_WITH || w == SQL_W_VALUES || w == SQL_W_TABLE;
}

static enum sql_kind execute_kind(const struct sql_head *h)
{
    size_t i = 1;
    switch (word(h, 1)) {
    case SQL_W_STATEMENT:
        return SQL_KIND_STATEMENT_SET;
    case SQL_W_PLAN:
        return SQL_KIND_EXECUTE_PLAN;
    case SQL_W_INSERT:
    case SQL_W_UPSERT:
        return SQL_KIND_EXECUTE_INSERT;
    default:
        while (i < h->n && h->t[i].kind == TK_LP) {
            i++;
        }
        return is_query_word(word(h, i)) ? SQL_KIND_EXECUTE_QUERY : SQL_KIND_UNKNOWN;
    }
}

/* HELP and its like are commands of Flink's client only when they stand alone; they are no words of the
 * grammar. */
static enum sql_kind client_kind(const struct sql_head *h)
{
    static const struct {
        const char *word;
        enum sql_kind kind;
    } commands[] = {
        {"HELP", SQL_KIND_HELP}, {"QUIT", SQL_KIND_QUIT}, {"EXIT", SQL_KIND_QUIT}, {"CLEAR", SQL_KIND_CLEAR}};
    for (size_t i = 0; h->n == 1 && i < SL_ARRAY_LEN(commands); i++) {
        if (sl_str_ieqz(text_of(h, 0), commands[i].word)) {
            return commands[i].kind;
        }
    }
    return SQL_KIND_UNKNOWN;
}

enum sql_kind sql_head_kind(const struct sql_head *h)
{
    unsigned second = word(h, 1);
    size_t i = 0;
    while (i < h->n && h->t[i].kind == TK_LP) {
        i++;
    }
    if (i > 0) {
        return is_query_word(word(h, i)) ? SQL_KIND_SELECT : SQL_KIND_UNKNOWN;
    }
    switch (word(h, 0)) {
    case SQL_W_SELECT:
        return SQL_KIND_SELECT;
    case SQL_W_WITH:
        return SQL_KIND_WITH;
    case SQL_W_VALUES:
        return SQL_KIND_VALUES;
    case SQL_W_TABLE:
        return SQL_KIND_TABLE;
    case SQL_W_EXECUTE:
        return execute_kind(h);
    case SQL_W_INSERT:
        return SQL_KIND_INSERT;
    case SQL_W_UPSERT:
        return SQL_KIND_UPSERT;
    case SQL_W_UPDATE:
        return SQL_KIND_UPDATE;
    case SQL_W_DELETE:
        return SQL_KIND_DELETE;
    case SQL_W_MERGE:
        return SQL_KIND_MERGE;
    case SQL_W_COMPILE:
        return second == SQL_W_AND    ? SQL_KIND_COMPILE_AND_EXECUTE_PLAN
               : second == SQL_W_PLAN ? SQL_KIND_COMPILE_PLAN
                                      : SQL_KIND_UNKNOWN;
    case SQL_W_CREATE:
    case SQL_W_REPLACE:
        return object_kind(h, CREATE);
    case SQL_W_ALTER:
        return object_kind(h, ALTER);
    case SQL_W_DROP:
        return object_kind(h, DROP);
    case SQL_W_USE:
        return second == SQL_W_CATALOG   ? SQL_KIND_USE_CATALOG
               : second == SQL_W_MODULES ? SQL_KIND_USE_MODULES
                                         : SQL_KIND_USE;
    case SQL_W_LOAD:
        return second == SQL_W_MODULE ? SQL_KIND_LOAD_MODULE : SQL_KIND_UNKNOWN;
    case SQL_W_UNLOAD:
        return second == SQL_W_MODULE ? SQL_KIND_UNLOAD_MODULE : SQL_KIND_UNKNOWN;
    case SQL_W_SET:
        return SQL_KIND_SET;
    case SQL_W_RESET:
        return SQL_KIND_RESET;
    case SQL_W_EXPLAIN:
        return SQL_KIND_EXPLAIN;
    case SQL_W_SHOW:
        return second == SQL_W_JARS   ? SQL_KIND_SHOW_JARS
               : second == SQL_W_JOBS ? SQL_KIND_SHOW_JOBS
                                      : SQL_KIND_SHOW;
    case SQL_W_DESCRIBE:
    case SQL_W_DESC:
        return second == SQL_W_JOB && h->n > 2 && h->t[2].kind == TK_STRING_LIT ? SQL_KIND_DESCRIBE_JOB
                                                                                : SQL_KIND_DESCRIBE;
    case SQL_W_CALL:
        return SQL_KIND_CALL;
    case SQL_W_TRUNCATE:
        return SQL_KIND_TRUNCATE;
    case SQL_W_ANALYZE:
        return SQL_KIND_ANALYZE;
    case SQL_W_ADD:
        return second == SQL_W_JAR ? SQL_KIND_ADD_JAR : SQL_KIND_UNKNOWN;
    case SQL_W_REMOVE:
        return second == SQL_W_JAR ? SQL_KIND_REMOVE_JAR : SQL_KIND_UNKNOWN;
    case SQL_W_STOP:
        return second == SQL_W_JOB ? SQL_KIND_STOP_JOB : SQL_KIND_UNKNOWN;
    case SQL_W_BEGIN:
        return second == SQL_W_STATEMENT ? SQL_KIND_BEGIN_STATEMENT_SET : SQL_KIND_UNKNOWN;
    case SQL_W_END:
        return h->n == 1 ? SQL_KIND_END : SQL_KIND_UNKNOWN;
    default:
        return client_kind(h);
    }
}

static bool is_name(const struct sql_head *h, size_t i)
{
    if (i >= h->n) {
        return false;
    }
    uint16_t k = h->t[i].kind;
    return h->t[i].word || k == TK_IDENT || k == TK_QUOTED_IDENT || k == TK_UNICODE_IDENT || k == TK_VARIABLE;
}

/* a.b.c from token i on, as written. */
static sl_str name_at(const struct sql_head *h, size_t i)
{
    if (word(h, i) == SQL_W_IF) {
        i += word(h, i + 1) == SQL_W_NOT ? 3 : 2;
    }
    if (!is_name(h, i)) {
        return SL_STR_NONE;
    }
    size_t last = i;
    while (last + 2 < h->n && h->t[last + 1].kind == TK_DOT && is_name(h, last + 2)) {
        last += 2;
    }
    uint32_t off = h->t[i].off;
    return (sl_str){h->text + off, h->t[last].off + h->t[last].len - off};
}

static sl_str string_at(const struct sql_head *h, size_t i, struct sl_arena *a)
{
    return i < h->n && h->t[i].kind == TK_STRING_LIT ? sql_unquote(a, text_of(h, i)) : SL_STR_NONE;
}

void sql_head_object(const struct sql_head *h, enum sql_kind kind, struct sl_arena *a, struct sql_stmt *st)
{
    bool replace, temporary;
    size_t i = 0;
    switch (word(h, 0)) {
    case SQL_W_CREATE:
    case SQL_W_REPLACE:
    case SQL_W_ALTER:
    case SQL_W_DROP:
        if (kind == SQL_KIND_UNKNOWN) {
            return;
        }
        i = behind_verb(h, &replace, &temporary);
        st->temporary = temporary;
        st->object = name_at(h, i + (word(h, i) == SQL_W_MATERIALIZED ? 2 : 1));
        return;
    case SQL_W_EXECUTE:
        i = kind == SQL_KIND_EXECUTE_INSERT;
        if (kind == SQL_KIND_EXECUTE_PLAN) {
            st->object = string_at(h, 2, a);
        }
        if (!i) {
            return;
        }
        break;
    default:
        break;
    }
    switch (kind) {
    case SQL_KIND_INSERT:
    case SQL_KIND_UPSERT:
    case SQL_KIND_EXECUTE_INSERT:
    case SQL_KIND_DELETE:
    case SQL_KIND_MERGE:
    case SQL_KIND_TRUNCATE:
    case SQL_KIND_ANALYZE:
    case SQL_KIND_LOAD_MODULE:
    case SQL_KIND_UNLOAD_MODULE:
    case SQL_KIND_USE_CATALOG:
        st->object = name_at(h, i + 2);
        return;
    case SQL_KIND_UPDATE:
    case SQL_KIND_USE:
    case SQL_KIND_CALL:
        st->object = name_at(h, 1);
        return;
    case SQL_KIND_DESCRIBE:
        i = 1;
        while (is_name(h, i + 1) &&
               (word(h, i) == SQL_W_EXTENDED || word(h, i) == SQL_W_CATALOG || word(h, i) == SQL_W_DATABASE ||
                word(h, i) == SQL_W_FUNCTION || word(h, i) == SQL_W_TABLE || word(h, i) == SQL_W_MODEL)) {
            i++;
        }
        st->object = name_at(h, i);
        return;
    case SQL_KIND_ADD_JAR:
    case SQL_KIND_REMOVE_JAR:
    case SQL_KIND_STOP_JOB:
    case SQL_KIND_DESCRIBE_JOB:
    case SQL_KIND_COMPILE_PLAN:
        st->object = string_at(h, 2, a);
        return;
    case SQL_KIND_COMPILE_AND_EXECUTE_PLAN:
        st->object = string_at(h, 4, a);
        return;
    default:
        return;
    }
}

void sql_head_read(struct sql_head *h, sl_str text, sql_version version, bool variables)
{
    struct sql_lexer lx;
    sql_lex_init(&lx, text, version, variables);
    *h = (struct sql_head){.text = text.p};
    while (h->n < SQL_HEAD_TOKENS && sql_lex_next(&lx, &h->t[h->n])) {
        h->n++;
    }
}
