/* SPDX-License-Identifier: Apache-2.0
 * Where in the script an error of Flink belongs: options, columns, names, words, and Flink's own lines and
 * columns. */
#include "gateway/target/flink_error_scan.h"

#include "sqlparse/grammar.h"
#include "sqlparse/token.h"

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
                      struct fe_spot *ret)
{
    name = fe_last(c, name);
    struct fe_toks t = fe_lex(c, st);
    for (int icase = 0; icase < 2 && name.n; icase++) {
        unsigned n = 0;
        for (size_t i = 0; i < t.n; i++) {
            sl_str s;
            if (fe_tok_name(c, &t, i, &s) && (icase ? sl_str_ieq(s, name) : sl_str_eq(s, name)) &&
                ++n == which) {
                return fe_spot_set(ret, st, t.v[i].off, t.v[i].len);
            }
        }
    }
    return false;
}

/* A function's name becomes its call, up to the closing bracket. */
static void with_brackets(const struct fe_toks *t, struct fe_spot *spot)
{
    size_t k = 0, depth = 0;
    while (k < t->n && t->v[k].off < spot->off + spot->len) {
        k++;
    }
    for (; k < t->n && (depth || fe_tok_is(t, k, TK_LP)); k++) {
        depth += fe_tok_is(t, k, TK_LP);
        depth -= fe_tok_is(t, k, TK_RP);
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
static bool find_literal(const struct fe *c, const struct sql_stmt *st, sl_str value, struct fe_spot *ret)
{
    struct fe_toks t = fe_lex(c, st);
    for (size_t i = 0; i < t.n && value.n; i++) {
        sl_str s = fe_tok_text(&t, i);
        if (s.n < 2 || s.p[s.n - 1] != '\'') {
            continue;
        }
        s = sql_unquote(c->a, s);
        if (sl_str_eq(s, value) || (s.n && sl_str_eq(bare_path(s), bare_path(value)))) {
            return fe_spot_set(ret, st, t.v[i].off, t.v[i].len);
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
static bool find_set(const struct fe *c, sl_str key, bool value, struct fe_spot *ret)
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
    return s.n && fe_spot_set(ret, st, (uint32_t)(s.p - st->sql.p), (uint32_t)s.n);
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
static bool pos_in(const struct fe *c, const struct sql_stmt *st, const struct flink_pos *p,
                   struct fe_spot *ret, bool *sure)
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
    return fe_spot_set(ret, st, (uint32_t)from, (uint32_t)(to - from));
}

static bool find_pos(const struct fe *c, struct fe_spot *ret)
{
    struct flink_pos p;
    if (!c->st || !read_pos(c, &p)) {
        return false;
    }
    struct fe_spot spot;
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

static bool find_option(const struct fe *c, sl_str how, sl_str arg, struct fe_spot *ret)
{
    bool value = how.p[0] == 'v', same = sl_str_eqz(how, "valeq"), holds = sl_str_eqz(how, "valhas");
    sl_str want = same || holds ? arg_text(c, arg) : filled(c, arg);
    const struct fe_table *t = c->table, *hints = c->st ? fe_table_read(c, c->st) : NULL;
    if (hints && hints->name.n == 0 && !same && !holds && fe_option(hints, want)) {
        t = hints; /* given in the query itself */
    }
    for (size_t i = 0; t && want.n && i < t->options.n; i++) {
        const struct fe_option *o = &t->options.v[i];
        bool hit = same    ? sl_str_eq(o->value, want)
                   : holds ? sl_str_find(o->value, want) >= 0
                           : sl_str_eq(o->key, want);
        if (hit) {
            return value ? fe_spot_set(ret, t->st, o->value_off, o->value_len)
                         : fe_spot_set(ret, t->st, o->key_off, o->key_len);
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
static bool find_quoted(const struct fe *c, struct fe_spot *ret)
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
static bool find_node(const struct fe *c, const struct sql_stmt *st, sl_str node, struct fe_spot *ret,
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
            struct fe_toks t = fe_lex(c, st);
            struct fe_spot hit;
            if (!fe_find_words(c, st, sl_str_of(nodes[i].words[w]), &hit)) {
                continue;
            }
            with_brackets(&t, &hit);
            *ret = hit;
            return true;
        }
    }
    return false;
}

static bool first_line(const struct sql_stmt *st, struct fe_spot *ret)
{
    size_t n = 0;
    while (n < st->sql.n && st->sql.p[n] != '\n' && st->sql.p[n] != '\r') {
        n++;
    }
    return fe_spot_set(ret, st, 0, (uint32_t)sl_str_trim(sl_str_sub(st->sql, 0, n)).n);
}

static bool place_find(const struct fe *c, sl_str how, sl_str arg, struct fe_spot *ret)
{
    const struct fe_table *t = c->table;
    if (sl_str_eqz(how, "tab")) {
        return t && t->len && fe_spot_set(ret, t->st, t->off, t->len);
    }
    if (sl_str_eqz(how, "col")) {
        const struct fe_column *col = t ? fe_column(t, arg_text(c, arg)) : NULL;
        return col && fe_spot_set(ret, t->st, col->off, col->len);
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
        const struct sql_stmt *st = fe_function_stmt(c, arg_text(c, arg), &lit);
        return st && fe_spot_set(ret, st, lit.off, lit.len);
    }
    if (sl_str_eqz(how, "quoted")) {
        return find_quoted(c, ret);
    }
    if (sl_str_eqz(how, "tabword")) {
        return t && fe_find_words(c, t->st, arg, ret);
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
        return fe_find_words(c, c->st, filled(c, arg), ret);
    }
    if (sl_str_eqz(how, "lit")) {
        return find_literal(c, c->st, arg_text(c, arg), ret);
    }
    if (sl_str_eqz(how, "descriptor")) {
        struct fe_toks calls = fe_lex(c, c->st);
        bool found = fe_find_words(c, c->st, SL_STR("DESCRIPTOR"), ret);
        if (found) {
            with_brackets(&calls, ret);
        }
        return found;
    }
    if (sl_str_eqz(how, "end")) {
        return fe_spot_set(ret, c->st, (uint32_t)c->st->sql.n, 0);
    }
    SL_BUG_ON(!sl_str_eqz(how, "first"));
    struct fe_toks toks = fe_lex(c, c->st);
    return toks.n && fe_spot_set(ret, c->st, toks.v[0].off, toks.v[0].len);
}

void fe_place(struct fe *c, const char *spec, struct sql_diag *ret)
{
    if (!c->s) {
        return;
    }
    struct fe_spot spot = {0}, second = {0};
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
        struct fe_spot name;
        if (find_name(c, whole, c->cap[1], 1, &name) && name.off + name.len <= second.off) {
            ret->pos = sql_stmt_pos(c->s, spot.st, 0, name.off + name.len);
        } else {
            ret->second = SL_POS_NONE;
        }
    }
}
