/* SPDX-License-Identifier: Apache-2.0
 * Flink's failures in people's words: the chain of causes against the table of rules. */
#include "gateway/target/flink_error.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "gateway/target/flink_error_rule.h"
#include "gateway/target/flink_rest.h"
#include "sqlparse/token.h"

#define MESSAGE_BYTES 16384 /* of one cause that are looked at */
#define CHAIN_CAUSES  40
#define FLINK_BYTES   130 /* of Flink's own words beside ours; the whole is in the stack */

static const struct fe_rule rules[] = {
#define FE(code, cls, pattern, message, hint, table, need, place)                                            \
    {SL_##code, cls, pattern, message, hint, table, need, place},
#include "gateway/target/flink_errors.def"
#undef FE
};

static sl_str simple_name(sl_str cls)
{
    for (size_t i = cls.n; i > 0; i--) {
        if (cls.p[i - 1] == '.' || cls.p[i - 1] == '$') {
            return sl_str_sub(cls, i, cls.n - i);
        }
    }
    return cls;
}

/* "java.lang.X: message" or "java.lang.X" on a line of its own, where the class was not told apart. */
static sl_str leading_class(sl_str *msg)
{
    size_t n = 0;
    while (n < msg->n && msg->p[n] != ':' && msg->p[n] != ' ' && msg->p[n] != '\n') {
        n++;
    }
    sl_str cls = {msg->p, n};
    if ((!sl_str_ends(cls, SL_STR("Exception")) && !sl_str_ends(cls, SL_STR("Error"))) ||
        sl_str_find_char(cls, '.') < 0) {
        return SL_STR_NONE;
    }
    *msg = sl_str_trim(sl_str_sub(*msg, SL_MIN(n + 1, msg->n), msg->n - SL_MIN(n + 1, msg->n)));
    return cls;
}

/* The chain as links; also which statement's replay failed, 0 when none is told. */
static bool read_chain(struct fe *c, const struct tgt_failure *f, int64_t *replay)
{
    const struct sl_json *doc = NULL;
    struct tgt_failure of_text = {0};
    *replay = 0;
    if (f->chain_json.n) {
        doc = sl_json_parse(c->a, f->chain_json, NULL);
    }
    if (sl_json_is(doc, SL_JSON_OBJECT)) {
        *replay = sl_json_i64(sl_json_get(doc, "replay"), 0);
        doc = sl_json_get(doc, "chain");
    }
    if ((!doc || doc->n == 0) && f->stack.n) {
        flink_failure_of_text(f->stack, c->a, &of_text);
        doc = of_text.chain_json.n ? sl_json_parse(c->a, of_text.chain_json, NULL) : NULL;
    }
    size_t n = doc ? SL_MIN(doc->n, (size_t)CHAIN_CAUSES) : 0;
    c->links = sl_new_n(c->a, struct fe_link, n + 1);
    SL_JSON_EACH(l, doc)
    {
        if (c->n_links == n) {
            break;
        }
        struct fe_link *link = &c->links[c->n_links++];
        sl_str cls = sl_json_str(sl_json_get(l, "class"), SL_STR_NONE);
        link->msg = sl_json_str(sl_json_get(l, "message"), SL_STR_NONE);
        if (cls.n == 0) {
            cls = leading_class(&link->msg);
        }
        link->cls = simple_name(cls);
        link->msg.n = SL_MIN(link->msg.n, (size_t)MESSAGE_BYTES);
    }
    return c->n_links > 0;
}

static bool class_fits(const char *cls, size_t n, sl_str name)
{
    for (size_t at = 0; at < n;) {
        size_t len = strcspn(cls + at, "|");
        len = SL_MIN(len, n - at);
        if (sl_str_eq((sl_str){cls + at, len}, name)) {
            return true;
        }
        at += len + 1;
    }
    return n == 0;
}

/* One part of a pattern against the causes, innermost first. */
static bool find(struct fe *c, const char *cls, size_t n_cls, const char *pattern, const struct fe_link **ret)
{
    for (size_t i = c->n_links; i > 0; i--) {
        const struct fe_link *l = &c->links[i - 1];
        if (class_fits(cls, n_cls, l->cls) && fe_match(pattern, l->msg, c->cap)) {
            *ret = l;
            return true;
        }
    }
    return false;
}

static bool rule_found(struct fe *c, const struct fe_rule *r)
{
    memset(c->cap, 0, sizeof(c->cap));
    c->hit = NULL;
    const char *rest = r->pattern;
    for (bool first = true; rest; first = false) {
        const char *both = strstr(rest, "&&");
        char part[512];
        snprintf(part, sizeof(part), "%.*s", both ? (int)(both - rest) : (int)strlen(rest), rest);
        const char *cls = first ? r->cls : "", *pattern = part;
        size_t n_cls = strlen(cls);
        if (!first && part[0] == '@') {
            cls = part + 1;
            n_cls = strcspn(cls, ":");
            pattern = cls + n_cls + (cls[n_cls] == ':');
        }
        const struct fe_link *l = NULL;
        if (!find(c, cls, n_cls, pattern, &l)) {
            return false;
        }
        if (first) {
            c->hit = l;
        }
        rest = both ? both + 2 : NULL;
    }
    return true;
}

static void list_lines(struct fe *c, sl_str text, const char *head)
{
    ptrdiff_t at = sl_str_find(text, sl_str_of(head));
    if (at < 0) {
        return;
    }
    for (size_t from = (size_t)at + strlen(head); from < text.n;) {
        sl_str rest = sl_str_sub(text, from, text.n - from);
        ptrdiff_t nl = sl_str_find_char(rest, '\n');
        size_t n = nl < 0 ? rest.n : (size_t)nl;
        sl_str line = sl_str_trim(sl_str_sub(rest, 0, n));
        from += n + 1;
        if (sl_str_eqz(line, "sluice")) {
            continue; /* our own sink is nobody's to name */
        }
        if (line.n && sl_str_find_char(line, ' ') < 0) {
            sl_vec_push(c->a, &c->listed, line);
        } else if (line.n) {
            return;
        }
    }
}

static void list_items(struct fe *c, sl_str text)
{
    while (text.n) {
        ptrdiff_t comma = sl_str_find_char(text, ',');
        size_t n = comma < 0 ? text.n : (size_t)comma;
        sl_vec_push(c->a, &c->listed, sl_str_trim(sl_str_sub(text, 0, n)));
        text = comma < 0 ? SL_STR_NONE : sl_str_sub(text, n + 1, text.n - n - 1);
    }
}

static const char *const type_names = "BOOLEAN,TINYINT,SMALLINT,INT,INTEGER,BIGINT,FLOAT,DOUBLE,DECIMAL,"
                                      "NUMERIC,CHAR,VARCHAR,STRING,BINARY,VARBINARY,BYTES,"
                                      "DATE,TIME,TIMESTAMP,TIMESTAMP_LTZ,INTERVAL,ARRAY,MAP,MULTISET,ROW,RAW";
static const char *const function_names =
    "ABS,ACOS,ASCII,ASIN,ATAN,AVG,CARDINALITY,CAST,CEIL,CHAR_LENGTH,CHR,COALESCE,COLLECT,CONCAT,CONCAT_WS,"
    "COS,COUNT,"
    "CUMULATE,CURRENT_DATE,CURRENT_TIMESTAMP,CURRENT_WATERMARK,DATE_FORMAT,DAYOFMONTH,DAYOFWEEK,DENSE_RANK,"
    "DESCRIPTOR,"
    "ELEMENT,EXP,EXTRACT,FIRST_VALUE,FLOOR,FROM_UNIXTIME,GREATEST,HOP,HOUR,IF,IFNULL,INITCAP,INSTR,JSON_"
    "ARRAY,JSON_EXISTS,"
    "JSON_OBJECT,JSON_QUERY,JSON_STRING,JSON_VALUE,LAG,LAST_VALUE,LEAD,LEAST,LEFT,LENGTH,LISTAGG,LN,"
    "LOCALTIMESTAMP,LOCATE,"
    "LOG,LOG10,LOG2,LOWER,LPAD,LTRIM,MAX,MD5,MIN,MINUTE,MOD,MONTH,NOW,NTILE,NULLIF,OVERLAY,PARSE_URL,PERCENT_"
    "RANK,PI,"
    "POSITION,POWER,PROCTIME,QUARTER,RAND,RAND_INTEGER,RANK,REGEXP,REGEXP_EXTRACT,REGEXP_REPLACE,REPEAT,"
    "REPLACE,REVERSE,"
    "RIGHT,ROUND,ROW_NUMBER,RPAD,RTRIM,SECOND,SESSION,SHA1,SHA256,SIGN,SIN,SPLIT_INDEX,SQRT,STDDEV_POP,STR_"
    "TO_MAP,"
    "SUBSTR,SUBSTRING,SUM,TAN,TIMESTAMPADD,TIMESTAMPDIFF,TO_BASE64,TO_DATE,TO_TIMESTAMP,TO_TIMESTAMP_LTZ,"
    "TRIM,TRUNCATE,"
    "TRY_CAST,TUMBLE,TYPEOF,UNIX_TIMESTAMP,UNNEST,UPPER,UUID,VAR_POP,WEEK,YEAR";

/* The nearest of the listed names; one that begins with the target counts as near. */
static void nearest(struct fe *c, sl_str target)
{
    size_t best = SL_MIN(SL_MAX(target.n / 3, (size_t)1) + 1, (size_t)4);
    if (target.n < 2) {
        return;
    }
    for (size_t i = 0; i < c->listed.n; i++) {
        sl_str name = c->listed.v[i];
        size_t d = sl_str_distance(target, name, best);
        if (d > 0 && target.n >= 4 && name.n > target.n &&
            sl_str_ieq(sl_str_sub(name, 0, target.n), target)) {
            d = 1;
        }
        if (d < best && !sl_str_eq(target, name)) {
            best = d;
            c->near = name;
        }
    }
}

/* Digits of "enum:3:1" and "opt:2!". */
static sl_str cap_of(const struct fe *c, char digit)
{
    return digit >= '1' && digit <= '9' ? c->cap[digit - '0'] : SL_STR_NONE;
}

static bool is_reserved(const struct fe *c)
{
    if (sl_str_find(c->hit->msg, SL_STR("\"CASE\"")) >= 0) {
        return false; /* an expression is wanted there, not a name */
    }
    enum sql_word w = sql_word_find(c->cap[1].p, c->cap[1].n);
    unsigned version = sql_version_index(c->s ? c->s->flink : SQL_FLINK_DEFAULT);
    return w && (sql_words[w].reserved >> version & 1);
}

static bool need_holds(struct fe *c, sl_str need)
{
    bool must = need.n && need.p[need.n - 1] == '!';
    need.n -= must;
    if (sl_str_eqz(need, "reserved")) {
        return is_reserved(c);
    }
    if (sl_str_eqz(need, "kafka")) {
        const struct fe_option *o = c->table ? fe_option(c->table, SL_STR("connector")) : NULL;
        return o && sl_str_eqz(o->value, "kafka");
    }
    if (sl_str_starts(need, SL_STR("opt:"))) {
        return c->table && fe_option(c->table, cap_of(c, need.p[4]));
    }
    SL_BUG_ON(!sl_str_starts(need, SL_STR("near=")));
    need = sl_str_sub(need, 5, need.n - 5);
    sl_str target = fe_last(c, c->cap[1]);
    if (sl_str_eqz(need, "tables") || sl_str_eqz(need, "columns")) {
        fe_names(c, need.p[0] == 'c');
    } else if (sl_str_eqz(need, "options")) {
        list_lines(c, c->hit->msg, "Supported options:");
        target = c->cap[2].n ? c->cap[2] : c->cap[1];
    } else if (sl_str_eqz(need, "factories")) {
        list_lines(c, c->hit->msg, "identifiers are:");
        target = c->cap[1];
    } else if (sl_str_eqz(need, "missing")) {
        list_lines(c, c->hit->msg, "required options are:");
        target = SL_STR_NONE;
    } else if (sl_str_eqz(need, "types")) {
        list_items(c, sl_str_of(type_names));
    } else if (sl_str_eqz(need, "functions")) {
        list_items(c, sl_str_of(function_names));
    } else {
        SL_BUG_ON(!sl_str_starts(need, SL_STR("enum:")));
        list_items(c, cap_of(c, need.p[5]));
        target = cap_of(c, need.p[7]);
    }
    nearest(c, target);
    return !must || c->near.n;
}

static bool rule_fits(struct fe *c, const struct fe_rule *r)
{
    c->near = SL_STR_NONE;
    c->listed.n = 0;
    if (!rule_found(c, r)) {
        return false;
    }
    c->table = fe_table_of(c, r->table);
    sl_str need = sl_str_of(r->need);
    while (need.n) {
        ptrdiff_t comma = sl_str_find_char(need, ',');
        size_t n = comma < 0 ? need.n : (size_t)comma;
        if (!need_holds(c, sl_str_sub(need, 0, n))) {
            return false;
        }
        need = comma < 0 ? SL_STR_NONE : sl_str_sub(need, n + 1, need.n - n - 1);
    }
    return true;
}

/* "at com.example.Mask.eval(Mask.java:12)" to class, method and place. */
static bool read_frame(sl_str line, sl_str *cls, sl_str *method, sl_str *where)
{
    line = sl_str_trim(line);
    if (!sl_str_starts(line, SL_STR("at "))) {
        return false;
    }
    line = sl_str_sub(line, 3, line.n - 3);
    ptrdiff_t open = sl_str_find_char(line, '('), close = sl_str_find_char(line, ')');
    if (open <= 0 || close < open) {
        return false;
    }
    *where = sl_str_sub(line, (size_t)open + 1, (size_t)(close - open) - 1);
    sl_str name = sl_str_sub(line, 0, (size_t)open);
    ptrdiff_t module = sl_str_find_char(name, '/');
    while (module >= 0) { /* "java.base/", "app//" */
        name = sl_str_sub(name, (size_t)module + 1, name.n - (size_t)module - 1);
        module = sl_str_find_char(name, '/');
    }
    *method = simple_name(name);
    if (method->n + 1 >= name.n) {
        return false;
    }
    *cls = sl_str_sub(name, 0, name.n - method->n - 1);
    return true;
}

/* Did a function of the user's throw? Then the innermost cause's first frame outside Java's own is its. */
static bool udf_threw(struct fe *c, struct sql_diag *ret)
{
    static const char *const own[] = {"java.", "jdk.", "sun.", "javax.", "scala."};
    static const char *const methods[] = {"eval",     "accumulate", "retract",
                                          "getValue", "emitValue",  "createAccumulator"};
    sl_str s = c->stack, inner = s;
    for (ptrdiff_t at; (at = sl_str_find(inner, SL_STR("\nCaused by: "))) >= 0;) {
        inner = sl_str_sub(inner, (size_t)at + 1, inner.n - (size_t)at - 1);
    }
    while (inner.n) {
        ptrdiff_t nl = sl_str_find_char(inner, '\n');
        size_t n = nl < 0 ? inner.n : (size_t)nl;
        sl_str cls, method, where;
        if (read_frame(sl_str_sub(inner, 0, n), &cls, &method, &where)) {
            bool javas = false;
            for (size_t i = 0; i < SL_ARRAY_LEN(own) && !javas; i++) {
                javas = sl_str_starts(cls, sl_str_of(own[i]));
            }
            if (!javas) {
                ptrdiff_t nested = sl_str_find_char(cls, '$');
                sl_str outer = nested > 0 ? sl_str_sub(cls, 0, (size_t)nested) : cls;
                sl_str function = fe_function_of(c, cls);
                if (!function.n) {
                    function = fe_function_of(c, outer);
                }
                bool named = false;
                for (size_t i = 0; i < SL_ARRAY_LEN(methods) && !named; i++) {
                    named = sl_str_eqz(method, methods[i]);
                }
                bool generated = sl_str_eqz(where, "Unknown Source");
                if (!function.n && (!named || generated || sl_str_starts(cls, SL_STR("org.apache.")))) {
                    return false;
                }
                c->cap[1] = function.n ? function : simple_name(cls);
                c->cap[2] = where;
                c->hit = &c->links[c->n_links - 1];
                ret->code = SL_UDF_THREW;
                ret->msg = fe_expand(c, "function '{1}' failed on a row: {root}");
                ret->hint = fe_expand(
                    c, "it failed at {2}; let it return NULL there, or keep such rows away from it");
                fe_place(c, "name:1", ret);
                return true;
            }
        }
        inner = nl < 0 ? SL_STR_NONE : sl_str_sub(inner, n + 1, inner.n - n - 1);
    }
    return false;
}

static void translate(struct fe *c, struct sql_diag *ret)
{
    if (c->stack.n && udf_threw(c, ret)) {
        return;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(rules); i++) {
        const struct fe_rule *r = &rules[i];
        if (!rule_fits(c, r)) {
            continue;
        }
        ret->code = r->code;
        ret->msg = fe_expand(c, r->message);
        ret->hint = fe_expand(c, r->hint);
        fe_place(c, r->place, ret);
        return;
    }
    memset(c->cap, 0, sizeof(c->cap));
    c->hit = NULL;
    c->table = fe_table_of(c, "@|used");
    if (fe_quoted_option(c)) {
        ret->code = SL_OPTION_VALUE;
        ret->hint = SL_STR("the connector's page tells what this option can be");
    } else {
        ret->code = SL_FLINK;
    }
    ret->msg = fe_root(c);
    fe_place(c, "pos|quoted", ret);
}

bool flink_error_translate(const struct tgt_failure *f, const struct sql_script *s, const struct sql_stmt *st,
                           struct sl_arena *a, struct sql_diag *ret)
{
    struct fe c = {.a = a, .s = s, .st = s ? st : NULL, .stack = f->stack};
    int64_t replay = 0;
    if (!read_chain(&c, f, &replay)) {
        return false;
    }
    if (s && replay > 0 && (uint64_t)replay <= s->stmts.n) {
        c.st = &s->stmts.v[replay - 1];
    }
    *ret = (struct sql_diag){.severity = SQL_ERROR, .pos = SL_POS_NONE, .second = SL_POS_NONE};
    translate(&c, ret);
    if (!ret->msg.n) {
        ret->msg = fe_root(&c);
    }
    if (!ret->hint.n) {
        ret->hint = SL_STR("--stack prints Java's own words; sluice job logs tells what came before");
    }
    const struct fe_link *own = c.hit ? c.hit : &c.links[c.n_links - 1];
    ret->flink = fe_short(&c, fe_mask(&c, fe_plain(&c, own->msg)), FLINK_BYTES);
    if (sl_str_eq(ret->flink, ret->msg) || sl_str_find_char(sl_str_trim(own->msg), ' ') < 0) {
        ret->flink = SL_STR_NONE; /* nothing more is said by it, or it is a bare class, file or host */
    }
    ret->msg = fe_mask(&c, ret->msg);
    ret->hint = fe_mask(&c, ret->hint);
    return true;
}

sl_str flink_error_stack(const struct tgt_failure *f, struct sl_arena *a)
{
    if (f->stack.n) {
        return sl_str_dup(a, f->stack);
    }
    const struct sl_json *doc = f->chain_json.n ? sl_json_parse(a, f->chain_json, NULL) : NULL;
    if (sl_json_is(doc, SL_JSON_OBJECT)) {
        doc = sl_json_get(doc, "chain");
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    SL_JSON_EACH(l, doc)
    {
        sl_str cls = sl_json_str(sl_json_get(l, "class"), SL_STR_NONE);
        sl_str msg = sl_json_str(sl_json_get(l, "message"), SL_STR_NONE);
        sl_buf_printf(&b, "%s%.*s%s%.*s\n", b.n ? "Caused by: " : "", SL_S(cls), cls.n && msg.n ? ": " : "",
                      SL_S(msg));
    }
    return sl_str_dup(a, sl_buf_str(&b));
}

void flink_error_to_err(const struct sql_diag *d, struct sl_err *err)
{
    sl_fail_at(err, d->code, d->pos, "%.*s", SL_S(d->msg));
    if (d->hint.n) {
        sl_hint(err, "%.*s", SL_S(d->hint));
    }
    if (err) {
        err->detail = d->flink;
    }
}
