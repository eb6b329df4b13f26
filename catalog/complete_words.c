/* SPDX-License-Identifier: Apache-2.0
 * What completion offers beside the names of the script: words of the grammar, functions, types, options. */
#include "catalog/complete_impl.h"
#include "catalog/functions.h"
#include "catalog/options.h"

enum { RANK_FUNCTION = 400, RANK_TYPE = 300, RANK_KEYWORD = 600, RANK_OPERATOR = 800 };

static bool is_type_word(unsigned code)
{
    switch (code) {
    case TK_BOOLEAN:
    case TK_TINYINT:
    case TK_SMALLINT:
    case TK_INT:
    case TK_INTEGER:
    case TK_BIGINT:
    case TK_REAL:
    case TK_FLOAT:
    case TK_DOUBLE:
    case TK_STRING:
    case TK_BYTES:
    case TK_VARIANT:
    case TK_BITMAP:
    case TK_DECIMAL:
    case TK_DEC:
    case TK_NUMERIC:
    case TK_BINARY:
    case TK_VARBINARY:
    case TK_CHAR:
    case TK_CHARACTER:
    case TK_VARCHAR:
    case TK_DATE:
    case TK_TIME:
    case TK_TIMESTAMP:
    case TK_TIMESTAMP_LTZ:
    case TK_ARRAY:
    case TK_MULTISET:
    case TK_MAP:
    case TK_ROW:
    case TK_RAW:
    case TK_STRUCTURED:
        return true;
    default:
        return false;
    }
}

/* Words between two operands or behind one: they come behind the words that begin a clause. */
static bool is_operator_word(unsigned code)
{
    switch (code) {
    case TK_AND:
    case TK_OR:
    case TK_NOT:
    case TK_IS:
    case TK_IN:
    case TK_LIKE:
    case TK_BETWEEN:
    case TK_ESCAPE:
    case TK_AS:
        return false;
    case TK_ILIKE:
    case TK_RLIKE:
    case TK_SIMILAR:
    case TK_CONTAINS:
    case TK_OVERLAPS:
    case TK_EQUALS:
    case TK_PRECEDES:
    case TK_SUCCEEDS:
    case TK_IMMEDIATELY:
    case TK_MEMBER:
    case TK_SUBMULTISET:
    case TK_MULTISET:
    case TK_FORMAT:
    case TK_UESCAPE:
        return true;
    default:
        return false;
    }
}

/* Codes that the driver of the grammar makes of plain words. */
static unsigned plain_code(unsigned code)
{
    switch (code) {
    case TK_NOT2:
    case TK_NOT_LIKE:
    case TK_NOT_SUBMULTISET:
        return TK_NOT;
    case TK_MULTISET_INTERSECT:
    case TK_MULTISET_UNION:
        return TK_MULTISET;
    case TK_QUANTIFIED:
        return TK_EQ;
    case TK_LOW_SIGN:
        return TK_PLUS;
    case TK_COMMA_ARG:
        return TK_COMMA;
    case TK_BETWEEN_AND:
        return TK_AND;
    case TK_TO_UNIT:
        return TK_TO;
    case TK_WITHIN_DISTINCT:
        return TK_WITHIN;
    case TK_WITHOUT_TIME:
        return TK_WITHOUT;
    case TK_WITH_LOCAL:
        return TK_WITH;
    case TK_WEEK_OF:
        return TK_WEEK;
    case TK_MAP_CTOR:
        return TK_MAP;
    default:
        return code;
    }
}

static sl_str in_case(const struct caret *c, const char *word)
{
    char *text = sl_arena_strdupz(c->a, sl_str_of(word));
    for (char *p = text; c->lower && *p; p++) {
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
    }
    return sl_str_of(text);
}

/* Words people mean most, first; the others follow by name. */
static unsigned usual(unsigned code)
{
    static const uint16_t words[] = {
        TK_SELECT, TK_INSERT, TK_CREATE, TK_FROM,  TK_WHERE, TK_JOIN, TK_GROUP, TK_ORDER,   TK_LIMIT,
        TK_LEFT,   TK_ON,     TK_BY,     TK_INTO,  TK_AND,   TK_OR,   TK_AS,    TK_WITH,    TK_TABLE,
        TK_VIEW,   TK_SET,    TK_HAVING, TK_UNION, TK_IN,    TK_IS,   TK_LIKE,  TK_BETWEEN, TK_NOT,
        TK_NULL,   TK_CASE,   TK_WHEN,   TK_THEN,  TK_ELSE,  TK_END,  TK_VALUES};
    for (unsigned i = 0; i < SL_ARRAY_LEN(words); i++) {
        if (words[i] == code) {
            return i;
        }
    }
    return SL_ARRAY_LEN(words);
}

void caret_words(struct caret *c, const bool *want, bool expression, bool type)
{
    unsigned version = sql_version_index(c->s->flink);
    bool taken[SQL_WANT_CODES] = {0};
    for (unsigned code = 0; code < SQL_WANT_CODES; code++) {
        if (want[code]) {
            taken[plain_code(code)] = true;
        }
    }
    bool behind = want[TK_PLUS] && want[TK_STAR] && !expression; /* behind an operand */
    for (unsigned w = 1; w < SQL_WORD_MAX_; w++) {
        const struct sql_word_info *info = &sql_words[w];
        unsigned code = info->token;
        bool here = code && code != TK_IDENT && (info->known >> version & 1) && code != TK_FNAME &&
                    code != TK_RESERVED;
        if (!here || !taken[code] || (info->text[0] < 'A' || info->text[0] > 'Z')) {
            continue;
        }
        if (code == TK_CONTEXT) {
            continue; /* among the functions */
        }
        if (code == TK_ROW && want[TK_SELECT] && !expression) {
            continue; /* ROW(SELECT ...) as a whole query: taken, never meant */
        }
        if (expression && cat_function_help(c->s->flink, sl_str_of(info->text))) {
            continue;
        }
        bool is_type = type && is_type_word(code);
        unsigned rank = is_type ? RANK_TYPE : RANK_KEYWORD;
        rank += behind && is_operator_word(code) ? RANK_OPERATOR - RANK_KEYWORD : 0;
        /* a word that can be a name too is seldom meant where names are */
        rank += !is_type && want[TK_IDENT] && !(info->reserved >> version & 1) ? 50u : 0u;
        rank += is_type ? 0 : usual(code);
        struct cat_item item = {.label = sl_str_of(info->text),
                                .insert = in_case(c, info->text),
                                .kind = is_type ? CAT_ITEM_TYPE : CAT_ITEM_KEYWORD,
                                .rank = rank};
        caret_offer(c, item);
    }
}

void caret_functions(struct caret *c, bool table, unsigned rank)
{
    bool tick = c->from < c->to && c->text.p[c->from - c->base] == '`';
    for (size_t i = 0; i < cat_function_help_count() && !tick; i++) {
        const struct cat_function_help *f = cat_function_help_at(i);
        if (f->since > c->s->flink || cat_function_is_table(f) != table) {
            continue;
        }
        bool plain = strchr(f->signature, '(') == NULL; /* CURRENT_DATE */
        struct cat_item item = {
            .label = sl_str_of(f->name), .kind = CAT_ITEM_FUNCTION, .rank = RANK_FUNCTION + rank};
        item.insert = plain ? in_case(c, f->name) : sl_arena_printf(c->a, "%.*s(", SL_S(in_case(c, f->name)));
        item.detail = sl_str_of(f->signature);
        item.doc = sl_str_of(f->doc);
        caret_offer(c, item);
    }
}

/* ------------------------------------------------------------------ inside strings */

static void offer_text(struct caret *c, enum cat_item_kind kind, sl_str text, sl_str detail, unsigned rank)
{
    caret_offer(
        c, (struct cat_item){.label = text, .insert = text, .detail = detail, .kind = kind, .rank = rank});
}

void caret_set_keys(struct caret *c)
{
    static const char *const often[] = {"execution.runtime-mode",
                                        "parallelism.default",
                                        "pipeline.name",
                                        "execution.checkpointing.interval",
                                        "table.exec.state.ttl",
                                        "table.exec.mini-batch.enabled",
                                        "table.local-time-zone",
                                        "sql-client.execution.result-mode",
                                        "execution.checkpointing.mode",
                                        "table.exec.source.idle-timeout"};
    for (size_t i = 0; i < cat_options_count(c->s->flink); i++) {
        sl_str type, key = cat_option_at(c->s->flink, i, &type);
        unsigned rank = sl_str_starts(key, SL_STR("table.")) || sl_str_starts(key, SL_STR("execution.")) ||
                                sl_str_starts(key, SL_STR("pipeline."))
                            ? 50
                            : 100;
        for (unsigned k = 0; k < SL_ARRAY_LEN(often); k++) {
            rank = sl_str_eqz(key, often[k]) ? k : rank;
        }
        offer_text(c, CAT_ITEM_KEY, key, type, rank);
    }
}

static void offer_values(struct caret *c, const char *values)
{
    for (unsigned rank = 0; *values; rank++) {
        size_t n = strcspn(values, "|");
        offer_text(c, CAT_ITEM_VALUE, (sl_str){values, n}, SL_STR_NONE, rank);
        values += n + (values[n] == '|');
    }
}

void caret_set_values(struct caret *c, sl_str key)
{
    static const struct {
        const char *key, *values;
    } known[] = {{"execution.runtime-mode", "STREAMING|BATCH|AUTOMATIC"},
                 {"sql-client.execution.result-mode", "TABLE|CHANGELOG|TABLEAU"},
                 {"execution.checkpointing.mode", "EXACTLY_ONCE|AT_LEAST_ONCE"},
                 {"execution.checkpointing.externalized-checkpoint-retention",
                  "RETAIN_ON_CANCELLATION|DELETE_ON_CANCELLATION|NO_EXTERNALIZED_CHECKPOINTS"},
                 {"table.sql-dialect", "default|hive"},
                 {"table.exec.sink.not-null-enforcer", "ERROR|DROP"},
                 {"table.exec.sink.upsert-materialize", "AUTO|FORCE|NONE"},
                 {"table.exec.sink.keyed-shuffle", "AUTO|FORCE|NONE"},
                 {"table.exec.sink.type-length-enforcer", "IGNORE|TRIM_PAD|ERROR"},
                 {"table.optimizer.agg-phase-strategy", "AUTO|ONE_PHASE|TWO_PHASE"},
                 {"state.backend.type", "hashmap|rocksdb|forst"},
                 {"execution.shutdown-on-attached-exit", "true|false"},
                 {"table.local-time-zone", "UTC|Europe/Berlin|America/New_York|Asia/Shanghai"},
                 {"restart-strategy.type", "none|fixed-delay|failure-rate|exponential-delay"}};
    for (size_t i = 0; i < SL_ARRAY_LEN(known); i++) {
        if (sl_str_eqz(key, known[i].key)) {
            offer_values(c, known[i].values);
            return;
        }
    }
    sl_str type;
    if (cat_option_type(c->s->flink, key, &type) && sl_str_eqz(type, "Boolean")) {
        offer_values(c, "true|false");
    }
}
