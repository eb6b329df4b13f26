/* SPDX-License-Identifier: Apache-2.0
 * Texts of Flink's errors: matching messages, taking Java out of them, filling templates. */
#include <stdio.h>

#include "gateway/target/flink_error_rule.h"

#define MATCH_STEPS 200000 /* of one pattern on one message */
#define PLAIN_BYTES 240
#define VALUE_BYTES 160 /* of a capture that is shown */
#define LIST_ITEMS  12

/* ---- matching ---- */

struct match {
    sl_str text;
    sl_str cap[10];
    unsigned steps;
};

static bool is_line_end(const struct match *m, size_t at)
{
    return at == m->text.n || m->text.p[at] == '\n' || m->text.p[at] == '\r';
}

static bool match_at(struct match *m, const char *p, size_t at);

static bool match_capture(struct match *m, const char *p, size_t at)
{
    unsigned i = (unsigned)(p[1] - '0');
    size_t end = at;
    while (end < m->text.n && !is_line_end(m, end)) {
        end++;
        if (p[2] == '\0' ? is_line_end(m, end) : match_at(m, p + 2, end)) {
            m->cap[i] = sl_str_sub(m->text, at, end - at);
            return true;
        }
    }
    return false;
}

static bool match_at(struct match *m, const char *p, size_t at)
{
    for (; *p; p++) {
        if (++m->steps > MATCH_STEPS) {
            return false;
        }
        if (*p != '%') {
            if (at == m->text.n || m->text.p[at] != *p) {
                return false;
            }
            at++;
            continue;
        }
        switch (p[1]) {
        case '*':
            if (p[2] == '\0') {
                return true;
            }
            for (; at <= m->text.n; at++) {
                if (match_at(m, p + 2, at)) {
                    return true;
                }
            }
            return false;
        case '_':
            while (at < m->text.n && (m->text.p[at] == ' ' || m->text.p[at] == '\n' ||
                                      m->text.p[at] == '\r' || m->text.p[at] == '\t')) {
                at++;
            }
            p++;
            break;
        case '/':
            if (!is_line_end(m, at)) {
                return false;
            }
            p++;
            break;
        case '%':
            if (at == m->text.n || m->text.p[at] != '%') {
                return false;
            }
            at++;
            p++;
            break;
        default:
            return match_capture(m, p, at);
        }
    }
    return true;
}

bool fe_match(const char *pattern, sl_str text, sl_str cap[10])
{
    struct match m = {.text = text};
    bool start = pattern[0] == '%' && pattern[1] == '^';
    pattern += start ? 2 : 0;
    for (size_t at = 0; at <= text.n; at++) {
        if (pattern[0] != '%' && at < text.n) { /* jump to where it can begin */
            const char *next = memchr(text.p + at, pattern[0], text.n - at);
            if (!next || (start && next != text.p)) {
                return pattern[0] == '\0';
            }
            at = (size_t)(next - text.p);
        }
        if (match_at(&m, pattern, at)) {
            for (int i = 1; i < 10; i++) {
                if (m.cap[i].n) {
                    cap[i] = m.cap[i];
                }
            }
            return true;
        }
        if (start || m.steps > MATCH_STEPS) {
            break;
        }
    }
    return false;
}

/* ---- Java out of texts ---- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* "DynamicTableFactory" to "dynamic table factory". */
static void put_camel(struct sl_buf *b, sl_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        bool upper = is_upper(name.p[i]);
        bool next_lower = i + 1 < name.n && !is_upper(name.p[i + 1]);
        bool before_lower = i > 0 && !is_upper(name.p[i - 1]);
        if (upper && i > 0 && (before_lower || next_lower)) {
            sl_buf_putc(b, ' ');
        }
        bool acronym = upper && !next_lower && i + 1 < name.n;
        sl_buf_putc(b,
                    upper && !acronym && (next_lower || before_lower) ? (char)(name.p[i] + 32) : name.p[i]);
    }
}

/* Length of a class name with its package at the start of s ("org.apache.x.Y$Z", "org/apache/x/Y"), or 0; its
 * last part in *simple. */
static size_t class_at(sl_str s, sl_str *simple)
{
    static const char *const roots[] = {"org", "com", "java",  "javax",    "io",     "jdk",
                                        "sun", "net", "scala", "software", "oracle", "akka"};
    size_t first = 0, n = 0, last = 0;
    while (first < s.n && is_word(s.p[first])) {
        first++;
    }
    bool known = false;
    for (size_t i = 0; i < SL_ARRAY_LEN(roots) && !known; i++) {
        known = sl_str_eqz(sl_str_sub(s, 0, first), roots[i]);
    }
    if (!known || first + 1 >= s.n || (s.p[first] != '.' && s.p[first] != '/')) {
        return 0;
    }
    char dot = s.p[first];
    bool upper = false;
    while (n < s.n && (is_word(s.p[n]) || (s.p[n] == dot && n + 1 < s.n && is_word(s.p[n + 1])))) {
        if (s.p[n] == dot || s.p[n] == '$') {
            last = n + 1;
            upper = upper || (n + 1 < s.n && is_upper(s.p[n + 1]));
        }
        n++;
    }
    *simple = sl_str_sub(s, last, n - last);
    return upper && n > last ? n : 0;
}

static bool is_trouble(sl_str simple)
{
    return sl_str_ends(simple, SL_STR("Exception")) || sl_str_ends(simple, SL_STR("Error"));
}

sl_str fe_class_words(const struct fe *c, sl_str cls)
{
    static const struct {
        const char *cls, *words;
    } known[] = {
        {"NullPointerException", "a value was missing inside Flink or a connector"},
        {"StackOverflowError", "something is nested too deeply"},
        {"TimeoutException", "something did not answer in time"},
        {"ClassCastException", "a value has another type than expected"},
        {"IndexOutOfBoundsException", "fewer values than expected"},
        {"ArrayIndexOutOfBoundsException", "fewer values than expected"},
        {"InterruptedException", "it was interrupted"},
        {"EOFException", "the data end too early"},
        {"IOException", "reading or writing failed"},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(known); i++) {
        if (sl_str_eqz(cls, known[i].cls)) {
            return sl_str_of(known[i].words);
        }
    }
    sl_str bare = cls;
    if (sl_str_ends(bare, SL_STR("Exception"))) {
        bare.n -= 9;
    } else if (sl_str_ends(bare, SL_STR("Error"))) {
        bare.n -= 5;
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    put_camel(&b, bare.n ? bare : cls);
    return sl_str_dup(c->a, sl_buf_str(&b));
}

/* What stands before the fact: "From line 1, column 8 to line 1, column 11: ", "SQL validation failed. ". */
static sl_str skip_prefix(sl_str s)
{
    static const char *const words[] = {"SQL validation failed. ", "SQL parse failed. ",
                                        "SQL validation failed.\n"};
    for (size_t i = 0; i < SL_ARRAY_LEN(words);) {
        sl_str w = sl_str_of(words[i]);
        if (sl_str_starts(s, w) && s.n > w.n) {
            s = sl_str_sub(s, w.n, s.n - w.n);
            i = 0;
        } else {
            i++;
        }
    }
    sl_str cap[10] = {{NULL, 0}};
    if (fe_match("%^From line %1, column %2 to line %3, column %4: %5", s, cap) ||
        fe_match("%^At line %1, column %2: %5", s, cap)) {
        return sl_str_sub(s, (size_t)(cap[5].p - s.p), s.n - (size_t)(cap[5].p - s.p));
    }
    return s;
}

sl_str fe_plain(const struct fe *c, sl_str text)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    sl_str s = skip_prefix(sl_str_trim(text)), simple;
    ptrdiff_t nl = sl_str_find_char(s, '\n');
    bool more = nl >= 0;
    s = sl_str_trim(more ? sl_str_sub(s, 0, (size_t)nl) : s);
    for (size_t i = 0; i < s.n && b.n < PLAIN_BYTES;) {
        bool begins = i == 0 || !(is_word(s.p[i - 1]) || s.p[i - 1] == '.' || s.p[i - 1] == '/');
        sl_str rest = sl_str_sub(s, i, s.n - i);
        size_t n = begins ? class_at(rest, &simple) : 0;
        if (n == 0 && begins && is_upper(s.p[i])) { /* a bare SomeException */
            size_t len = 0;
            while (len < rest.n && is_word(rest.p[len])) {
                len++;
            }
            simple = sl_str_sub(rest, 0, len);
            n = len > 12 && is_trouble(simple) ? len : 0;
        }
        if (n == 0) {
            sl_buf_putc(&b, (unsigned char)s.p[i] < 0x20 ? ' ' : s.p[i]);
            i++;
        } else if (fe_in_script(c, sl_str_sub(rest, 0, n))) {
            sl_buf_put(&b, rest.p, n);
            i += n;
        } else if (is_trouble(simple) && n + 1 < rest.n && rest.p[n] == ':') {
            i += n + 1 + (rest.p[n + 1] == ' ');
        } else {
            sl_buf_puts(&b, fe_class_words(c, simple));
            i += n;
        }
    }
    sl_str out = sl_str_trim(sl_buf_str(&b));
    while (out.n && (out.p[out.n - 1] == '.' || out.p[out.n - 1] == ':') &&
           !(out.n > 2 && out.p[out.n - 2] == '.')) {
        out.n--;
    }
    bool cut = b.n >= PLAIN_BYTES;
    while (cut && out.n && ((unsigned char)out.p[out.n - 1] & 0xc0) == 0x80) {
        out.n--; /* no half character */
    }
    if (cut && out.n && (unsigned char)out.p[out.n - 1] >= 0xc0) {
        out.n--;
    }
    return sl_arena_printf(c->a, "%.*s%s", SL_S(out), cut || more ? " \xe2\x80\xa6" : "");
}

sl_str fe_short(const struct fe *c, sl_str text, size_t bytes)
{
    if (text.n <= bytes) {
        return text;
    }
    size_t n = bytes;
    while (n > bytes / 2 && text.p[n] != ' ') {
        n--;
    }
    while (n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80) {
        n--;
    }
    return sl_arena_printf(c->a, "%.*s \xe2\x80\xa6", (int)n, text.p);
}

static bool says_nothing(sl_str msg)
{
    static const char *const noise[] = {
        "Recovery is suppressed by",
        "Could not execute application",
        "The main method caused an error",
        "Failed to execute sql",
        "Failed to fetchResults",
        "Could not start the JobMaster",
        "Failed to execute the operation",
        "Global failure triggered by",
        "One or more fetchers have encountered",
        "Internal server error",
        "Failed to submit job",
        "The program caused an error",
        "Failed to execute job",
        "Could not execute statement",
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(noise); i++) {
        if (sl_str_find(msg, sl_str_of(noise[i])) >= 0) {
            return true;
        }
    }
    return msg.n == 0;
}

sl_str fe_root(const struct fe *c)
{
    const struct fe_link *last = &c->links[c->n_links - 1];
    for (size_t i = c->n_links; i > 0; i--) {
        const struct fe_link *l = &c->links[i - 1];
        sl_str plain = fe_plain(c, l->msg);
        if (says_nothing(plain) || sl_str_eqz(plain, "null")) {
            continue;
        }
        sl_str words = fe_class_words(c, last->cls);
        if (l != last && words.n && last->msg.n == 0) {
            return sl_arena_printf(c->a, "%.*s: %.*s", SL_S(plain), SL_S(words));
        }
        return plain;
    }
    if (last->cls.n) {
        return fe_class_words(c, last->cls);
    }
    return SL_STR("Flink failed and did not say why");
}

sl_str fe_mask(const struct fe *c, sl_str text)
{
    for (size_t i = 0; c->s && i < c->s->used.n; i++) {
        const struct sql_var *v = &c->s->used.v[i];
        ptrdiff_t at;
        while (v->secret && v->value.n >= 3 && !sl_str_eqz(v->value, "******") &&
               (at = sl_str_find(text, v->value)) >= 0) {
            size_t from = (size_t)at + v->value.n;
            text =
                sl_arena_printf(c->a, "%.*s******%.*s", (int)at, text.p, (int)(text.n - from), text.p + from);
        }
    }
    return text;
}

/* ---- templates ---- */

sl_str fe_last(const struct fe *c, sl_str name)
{
    name = sl_str_trim(name);
    while (name.n && name.p[name.n - 1] == '.') {
        name.n--;
    }
    size_t from = 0;
    bool quoted = false;
    for (size_t i = 0; i < name.n; i++) {
        quoted = quoted != (name.p[i] == '`');
        if (name.p[i] == '.' && !quoted) {
            from = i + 1;
        }
    }
    name = sl_str_sub(name, from, name.n - from);
    if (name.n >= 2 && name.p[0] == '`' && name.p[name.n - 1] == '`') {
        name = sl_str_sub(name, 1, name.n - 2);
    }
    return sl_str_dup(c->a, name);
}

/* "<VARCHAR(2147483647)> - <INTERVAL SECOND>" to "STRING - INTERVAL SECOND"; alternatives on further lines
 * are left. */
static sl_str show_types(const struct fe *c, sl_str s)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    static const sl_str string = {"VARCHAR(2147483647)", 19}, bytes = {"VARBINARY(2147483647)", 21};
    for (size_t i = 0; i < s.n && s.p[i] != '\n';) {
        sl_str rest = sl_str_sub(s, i, s.n - i);
        if (sl_str_starts(rest, string)) {
            sl_buf_putz(&b, "STRING");
            i += string.n;
        } else if (sl_str_starts(rest, bytes)) {
            sl_buf_putz(&b, "BYTES");
            i += bytes.n;
        } else {
            bool arrow = s.p[i] == '>' && i > 0 && s.p[i - 1] == '=';
            if (arrow || (s.p[i] != '<' && s.p[i] != '>' && s.p[i] != '\'')) {
                sl_buf_putc(&b, s.p[i]);
            }
            i++;
        }
    }
    return sl_str_dup(c->a, sl_buf_str(&b));
}

/* Entry i of "a: INT, b: ROW<x INT, y INT>"; false behind the last. */
static bool entry(sl_str list, size_t i, sl_str *ret)
{
    size_t from = 0, depth = 0;
    for (size_t at = 0; at <= list.n; at++) {
        char ch = at < list.n ? list.p[at] : ',';
        depth += ch == '(' || ch == '<';
        depth -= depth && (ch == ')' || ch == '>');
        if (ch == ',' && (depth == 0 || at == list.n)) {
            if (i-- == 0) {
                *ret = sl_str_trim(sl_str_sub(list, from, at - from));
                return ret->n > 0;
            }
            from = at + 1;
        }
    }
    return false;
}

static sl_str name_of_entry(sl_str e)
{
    ptrdiff_t colon = sl_str_find(e, SL_STR(": "));
    return colon > 0 ? sl_str_sub(e, 0, (size_t)colon) : e;
}

static sl_str type_of_entry(sl_str e)
{
    ptrdiff_t colon = sl_str_find(e, SL_STR(": "));
    return colon > 0 ? sl_str_sub(e, (size_t)colon + 2, e.n - (size_t)colon - 2) : SL_STR_NONE;
}

static sl_str joined(const struct fe *c, const sl_str *v, size_t n)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    for (size_t i = 0; i < n && i < LIST_ITEMS; i++) {
        sl_buf_printf(&b, "%s%.*s", i ? ", " : "", SL_S(v[i]));
    }
    sl_buf_putz(&b, n > LIST_ITEMS ? ", \xe2\x80\xa6" : "");
    return sl_str_dup(c->a, sl_buf_str(&b));
}

/* A captured value on one line, cut when it is long. */
static sl_str shown(const struct fe *c, sl_str v)
{
    bool cut = v.n > VALUE_BYTES;
    v.n = SL_MIN(v.n, (size_t)VALUE_BYTES);
    while (cut && v.n && ((unsigned char)v.p[v.n] & 0xc0) == 0x80) {
        v.n--;
    }
    sl_str out = sl_arena_printf(c->a, "%.*s%s", SL_S(v), cut ? "\xe2\x80\xa6" : "");
    return out;
}

static sl_str path_of(const struct fe *c, sl_str v)
{
    sl_str rest = sl_str_trim(v);
    static const sl_str scheme = {"file:", 5};
    if (sl_str_starts(rest, scheme)) {
        rest = sl_str_sub(rest, scheme.n, rest.n - scheme.n);
        while (rest.n > 1 && rest.p[0] == '/' && rest.p[1] == '/') {
            rest = sl_str_sub(rest, 1, rest.n - 1);
        }
    }
    return shown(c, rest);
}

/* "jdbc:oracle" of a URL; with `db` only "oracle". */
static sl_str scheme_of(sl_str url, bool db)
{
    size_t colons = 0, from = 0;
    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] == ':' && ++colons == 1) {
            from = i + 1;
        } else if (url.p[i] == ':') {
            return sl_str_sub(url, db ? from : 0, i - (db ? from : 0));
        }
    }
    return db ? SL_STR_NONE : url;
}

static sl_str pg_type(sl_str t)
{
    static const struct {
        const char *pg, *flink;
    } types[] = {
        {"smallint", "SMALLINT"},
        {"integer", "INT"},
        {"bigint", "BIGINT"},
        {"real", "FLOAT"},
        {"double precision", "DOUBLE"},
        {"numeric", "DECIMAL"},
        {"boolean", "BOOLEAN"},
        {"text", "STRING"},
        {"character varying", "STRING"},
        {"character", "CHAR"},
        {"date", "DATE"},
        {"bytea", "BYTES"},
        {"timestamp without time zone", "TIMESTAMP(6)"},
        {"timestamp with time zone", "TIMESTAMP_LTZ(6)"},
        {"time without time zone", "TIME"},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(types); i++) {
        if (sl_str_eqz(t, types[i].pg)) {
            return sl_str_of(types[i].flink);
        }
    }
    return SL_STR_NONE;
}

/* What an option wants, by how Java failed to read it or by its name. */
static sl_str wanted(const struct fe *c, sl_str key)
{
    for (size_t i = 0; i < c->n_links; i++) {
        sl_str m = c->links[i].msg;
        if (sl_str_eqz(c->links[i].cls, "NumberFormatException") &&
            sl_str_find(m, SL_STR("text does not")) < 0) {
            return SL_STR("a number is wanted");
        }
        if (sl_str_find(m, SL_STR("ime interval unit")) >= 0 || sl_str_find(m, SL_STR("duration")) >= 0) {
            return SL_STR("a time is wanted, for example '10 s' or '5 min'");
        }
        if (sl_str_find(m, SL_STR("emory size unit")) >= 0) {
            return SL_STR("a size is wanted, for example '64 mb'");
        }
        if (sl_str_find(m, SL_STR("nrecognized option for boolean")) >= 0) {
            return SL_STR("true or false is wanted");
        }
    }
    bool time = sl_str_ends(key, SL_STR("interval")) || sl_str_ends(key, SL_STR("timeout")) ||
                sl_str_ends(key, SL_STR("delay")) || sl_str_ends(key, SL_STR("ttl"));
    return time ? SL_STR("a time is wanted, for example '10 s' or '5 min'") : SL_STR_NONE;
}

/* Lines behind "... for reading:" of a metadata error, or behind "signatures are:". */
static sl_str lines_after(const struct fe *c, const char *what)
{
    static const struct {
        const char *what, *head;
    } heads[] = {{"supported", "metadata keys for"}, {"signatures", "ignatures are:"}};
    for (size_t h = 0; h < SL_ARRAY_LEN(heads); h++) {
        ptrdiff_t at = -1;
        sl_str msg = SL_STR_NONE;
        for (size_t i = 0; i < c->n_links && at < 0 && strcmp(what, heads[h].what) == 0; i++) {
            msg = c->links[i].msg;
            at = sl_str_find(msg, sl_str_of(heads[h].head));
        }
        if (at < 0) {
            continue;
        }
        sl_str rest = sl_str_sub(msg, (size_t)at, msg.n - (size_t)at), lines[LIST_ITEMS + 1];
        ptrdiff_t nl = sl_str_find_char(rest, '\n');
        size_t n = 0;
        while (nl >= 0 && n < SL_ARRAY_LEN(lines)) {
            rest = sl_str_sub(rest, (size_t)nl + 1, rest.n - (size_t)nl - 1);
            nl = sl_str_find_char(rest, '\n');
            sl_str line = sl_str_trim(nl < 0 ? rest : sl_str_sub(rest, 0, (size_t)nl));
            if (line.n) {
                lines[n++] = line;
            }
        }
        return joined(c, lines, n);
    }
    return SL_STR_NONE;
}

static sl_str bounded_cure(const struct fe *c)
{
    const struct fe_option *o = c->table ? fe_option(c->table, SL_STR("connector")) : NULL;
    if (o && sl_str_eqz(o->value, "kafka")) {
        return SL_STR(
            "'scan.bounded.mode' = 'latest-offset' ends it, or SET 'execution.runtime-mode' = 'streaming';");
    }
    if (o && sl_str_eqz(o->value, "datagen")) {
        return SL_STR("'number-of-rows' = '1000' ends it, or SET 'execution.runtime-mode' = 'streaming';");
    }
    return SL_STR_NONE;
}

static bool is_private(sl_str key)
{
    static const char *const words[] = {"password", "secret", "token", "jaas", "access-key", "api-key"};
    for (size_t i = 0; i < SL_ARRAY_LEN(words); i++) {
        if (sl_str_find(key, sl_str_of(words[i])) >= 0) {
            return true;
        }
    }
    return false;
}

static sl_str cap_of(const struct fe *c, sl_str arg)
{
    return arg.n >= 1 && arg.p[0] >= '1' && arg.p[0] <= '9' ? c->cap[arg.p[0] - '0'] : SL_STR_NONE;
}

static sl_str list_last(const struct fe *c, sl_str list)
{
    sl_str names[LIST_ITEMS], e;
    size_t n = 0;
    while (n < LIST_ITEMS && entry(list, n, &e)) {
        names[n++] = fe_last(c, e);
    }
    return joined(c, names, n);
}

/* {typeof:2:5}: the type that schema 5 gives the column named by capture 2; {given:2}: the query's type
 * there. */
static sl_str sink_type(const struct fe *c, bool given)
{
    sl_str e;
    for (size_t i = 0; entry(c->cap[5], i, &e); i++) {
        if (sl_str_eq(name_of_entry(e), c->cap[2])) {
            return given ? (entry(c->cap[3], i, &e) ? type_of_entry(e) : SL_STR_NONE) : type_of_entry(e);
        }
    }
    return SL_STR_NONE;
}

static sl_str by_table(const struct fe *c, sl_str name, sl_str arg)
{
    if (!c->table) {
        return SL_STR_NONE;
    }
    if (sl_str_eqz(name, "t")) {
        return c->table->name;
    }
    if (sl_str_eqz(name, "addr")) {
        return fe_address(c, c->table);
    }
    if (sl_str_eqz(name, "host") || sl_str_eqz(name, "port")) {
        sl_str host = fe_address(c, c->table);
        size_t n = host.n;
        while (n > 0 && host.p[n - 1] != ':') {
            n--;
        }
        bool one = n > 0 && sl_str_find_char(host, ',') < 0;
        if (!one || name.p[0] == 'p') {
            return one ? sl_str_sub(host, n, host.n - n) : SL_STR_NONE;
        }
        return sl_str_sub(host, 0, n - 1);
    }
    if (sl_str_eqz(name, "type") || sl_str_eqz(name, "atype")) {
        const struct fe_column *col = fe_column(c->table, cap_of(c, arg));
        if (!col || col->type.n == 0 || name.n == 4) {
            return col ? col->type : SL_STR_NONE;
        }
        const char *a = strchr("AEIOUaeiou", col->type.p[0]) ? "an" : "a";
        return sl_arena_printf(c->a, "%s %.*s", a, SL_S(col->type));
    }
    bool connector = sl_str_eqz(name, "c");
    const struct fe_option *o = fe_option(c->table, connector ? SL_STR("connector") : arg);
    return o && (connector || !is_private(arg)) ? shown(c, o->value) : SL_STR_NONE;
}

static sl_str value_of(const struct fe *c, sl_str var)
{
    ptrdiff_t colon = sl_str_find_char(var, ':');
    sl_str name = colon < 0 ? var : sl_str_sub(var, 0, (size_t)colon);
    sl_str arg = colon < 0 ? SL_STR_NONE : sl_str_sub(var, (size_t)colon + 1, var.n - (size_t)colon - 1);
    sl_str v = cap_of(c, arg), e;
    if (name.n == 1 && name.p[0] >= '1' && name.p[0] <= '9') {
        return shown(c, cap_of(c, name));
    }
    if (sl_str_eqz(name, "last")) {
        return fe_last(c, v);
    }
    if (sl_str_eqz(name, "lasts")) {
        return list_last(c, v);
    }
    if (sl_str_eqz(name, "trim")) {
        v = sl_str_trim(v);
        while (v.n && (v.p[v.n - 1] == '.' || v.p[v.n - 1] == '!')) {
            v.n--;
        }
        return shown(c, v);
    }
    if (sl_str_eqz(name, "plain")) {
        return shown(c, fe_plain(c, v));
    }
    if (sl_str_eqz(name, "path")) {
        return path_of(c, v);
    }
    if (sl_str_eqz(name, "scheme") || sl_str_eqz(name, "db")) {
        return shown(c, scheme_of(v, name.p[0] == 'd'));
    }
    if (sl_str_eqz(name, "class")) {
        char *copy = sl_arena_strdupz(c->a, v);
        size_t n = strcspn(copy, " :;,)");
        for (size_t i = 0; i < n; i++) {
            copy[i] = copy[i] == '/' ? '.' : copy[i];
        }
        return (sl_str){copy, n};
    }
    if (sl_str_eqz(name, "camel")) {
        return fe_class_words(c, v);
    }
    if (sl_str_eqz(name, "first")) {
        return entry(v, 0, &e) ? e : SL_STR_NONE;
    }
    if (sl_str_eqz(name, "types")) {
        return shown(c, show_types(c, v));
    }
    if (sl_str_eqz(name, "typeof") || sl_str_eqz(name, "given")) {
        return shown(c, sink_type(c, name.p[0] == 'g'));
    }
    if (sl_str_eqz(name, "pgtype")) {
        return pg_type(v);
    }
    if (sl_str_eqz(name, "want")) {
        return wanted(c, v);
    }
    if (sl_str_eqz(name, "after")) {
        return lines_after(c, sl_arena_strdupz(c->a, arg));
    }
    if (sl_str_eqz(name, "n") || sl_str_eqz(name, "names")) {
        sl_str names[LIST_ITEMS + 1] = {{NULL, 0}};
        size_t n = 0;
        for (; entry(v, n, &e); n++) {
            names[SL_MIN(n, (size_t)LIST_ITEMS)] = name_of_entry(e);
        }
        return name.n == 1 ? sl_arena_printf(c->a, "%zu", n) : joined(c, names, n);
    }
    if (sl_str_eqz(name, "near")) {
        return c->near;
    }
    if (sl_str_eqz(name, "list")) {
        return joined(c, c->listed.v, c->listed.n);
    }
    if (sl_str_eqz(name, "root")) {
        return fe_root(c);
    }
    if (sl_str_eqz(name, "bounded")) {
        return bounded_cure(c);
    }
    if (sl_str_eqz(name, "v")) {
        return sl_str_of(sql_version_name(c->s ? c->s->flink : SQL_FLINK_DEFAULT));
    }
    return by_table(c, name, arg);
}

/* One alternative; false when a value outside brackets is not known. */
static bool expand(const struct fe *c, sl_str t, struct sl_buf *b)
{
    bool all = true;
    for (size_t i = 0; i < t.n; i++) {
        sl_str rest = sl_str_sub(t, i + 1, t.n - i - 1);
        ptrdiff_t end;
        if (t.p[i] == '{' && (end = sl_str_find_char(rest, '}')) >= 0) {
            sl_str v = value_of(c, sl_str_sub(rest, 0, (size_t)end));
            all = all && v.n;
            sl_buf_puts(b, v);
            i += (size_t)end + 1;
        } else if (t.p[i] == '[' && (end = sl_str_find_char(rest, ']')) >= 0) {
            struct sl_buf part;
            sl_buf_init(&part, 0);
            if (expand(c, sl_str_sub(rest, 0, (size_t)end), &part)) {
                sl_buf_puts(b, sl_buf_str(&part));
            }
            sl_buf_release(&part);
            i += (size_t)end + 1;
        } else {
            sl_buf_putc(b, t.p[i]);
        }
    }
    return all;
}

sl_str fe_expand(const struct fe *c, const char *template)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    sl_str rest = sl_str_of(template);
    while (rest.n) {
        ptrdiff_t or = sl_str_find(rest, SL_STR("||"));
        sl_buf_clear(&b);
        if (expand(c, or < 0 ? rest : sl_str_sub(rest, 0, (size_t) or), &b)) {
            return sl_str_dup(c->a, sl_buf_str(&b));
        }
        rest = or < 0 ? SL_STR_NONE : sl_str_sub(rest, (size_t) or +2, rest.n - (size_t) or -2);
    }
    return SL_STR_NONE;
}
