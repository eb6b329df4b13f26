/* SPDX-License-Identifier: Apache-2.0
 * What the place of a caret is for, beyond what the grammar says: whose name, whose columns, whose options. */
#include "catalog/complete_impl.h"

/* ------------------------------------------------------------------ what the place is for */

/* Index of the table's name in a statement that has one behind its first words; 0: none. */
size_t caret_subject(const struct caret *c)
{
    size_t i = 1;
    while (i < c->at &&
           (caret_kind(c, i) == TK_TEMPORARY || caret_kind(c, i) == TK_INTO ||
            caret_kind(c, i) == TK_OVERWRITE || caret_kind(c, i) == TK_TABLE ||
            caret_kind(c, i) == TK_MATERIALIZED || caret_kind(c, i) == TK_FROM || caret_kind(c, i) == TK_IF ||
            caret_kind(c, i) == TK_EXISTS || caret_kind(c, i) == TK_NOT)) {
        i++;
    }
    return i < c->at ? i : 0;
}

static enum caret_place place_in_parens(const struct caret *c, size_t lp)
{
    int first = caret_kind(c, 0), before = lp ? caret_kind(c, lp - 1) : 0, last = caret_kind(c, c->at - 1);
    bool item = last == TK_LP || last == TK_COMMA;
    bool hint = before == TK_OPTIONS || (lp && sl_str_ieqz(caret_token(c, lp - 1), "OPTIONS"));
    if ((before == TK_WITH || before == TK_RESET || hint || (before == TK_SET && first == TK_ALTER))) {
        return item ? PLACE_OPTION_KEY : last == TK_EQ ? PLACE_OPTION_VALUE : PLACE_OTHER;
    }
    if (!item) {
        return PLACE_OTHER;
    }
    if (before == TK_USING) {
        return PLACE_USING;
    }
    size_t next, at = caret_subject(c);
    if ((first == TK_INSERT || first == TK_UPSERT) && at) {
        for (next = at; caret_is_name(&c->tokens.v[next]) || caret_kind(c, next) == TK_DOT; next++) {
        }
        return next == lp ? PLACE_COLUMNS_OF : PLACE_OTHER;
    }
    bool key = before == TK_KEY || before == TK_UNIQUE || (before == TK_BY && lp > 1 && first == TK_CREATE);
    key = key || ((before == TK_HASH || before == TK_RANGE) && first == TK_CREATE);
    if (key) {
        return first == TK_CREATE ? PLACE_DECLARED : PLACE_COLUMNS_OF;
    }
    return first == TK_ALTER && before == TK_DROP ? PLACE_COLUMNS_OF : PLACE_OTHER;
}

enum caret_place caret_place_of(const struct caret *c, bool wants_name)
{
    int first = caret_kind(c, 0), second = caret_kind(c, 1), last = c->at ? caret_kind(c, c->at - 1) : 0;
    size_t lp = caret_opener(c, c->at);
    if (!c->at) {
        return PLACE_OTHER;
    }
    if (lp != SIZE_MAX) {
        enum caret_place p = place_in_parens(c, lp);
        if (p != PLACE_OTHER) {
            return p;
        }
    }
    if (!wants_name) {
        return PLACE_OTHER;
    }
    if (last == TK_FOR && c->at > 1 && caret_kind(c, c->at - 2) == TK_WATERMARK) {
        return first == TK_CREATE ? PLACE_DECLARED : PLACE_COLUMNS_OF;
    }
    if (last == TK_INTO || last == TK_OVERWRITE || (last == TK_UPDATE && c->at == 1)) {
        return PLACE_TABLE;
    }
    if (last == TK_FROM && (first == TK_DELETE || (first == TK_SHOW && second == TK_COLUMNS))) {
        return PLACE_TABLE;
    }
    if ((last == TK_FROM || last == TK_IN) && first == TK_SHOW) {
        return PLACE_DATABASE;
    }
    bool if_exists = last == TK_EXISTS && c->at > 1 && first == TK_DROP;
    if (first == TK_CREATE || first == TK_REPLACE) {
        return last == TK_LIKE || (last == TK_TABLE && lp != SIZE_MAX) ? PLACE_TABLE : PLACE_OTHER;
    }
    if (last == TK_TABLE || (if_exists && second == TK_TABLE) || last == TK_PARTITIONS) {
        return PLACE_TABLE;
    }
    if (last == TK_VIEW || (if_exists && second == TK_VIEW)) {
        return PLACE_VIEW;
    }
    if (last == TK_DATABASE || (if_exists && second == TK_DATABASE) || (last == TK_USE && c->at == 1)) {
        return PLACE_DATABASE;
    }
    if (last == TK_CATALOG) {
        return PLACE_CATALOG;
    }
    if ((first == TK_DESCRIBE || first == TK_DESC) && (c->at == 1 || last == TK_EXTENDED)) {
        return PLACE_TABLE;
    }
    bool column =
        first == TK_ALTER && (last == TK_DROP || last == TK_MODIFY || last == TK_RENAME || last == TK_AFTER);
    column |= first == TK_UPDATE && (last == TK_SET || last == TK_COMMA) && lp == SIZE_MAX;
    return column ? PLACE_COLUMNS_OF : PLACE_OTHER;
}

/* The names before the caret that are in the same list, so that they are not offered twice. */
void caret_offer_rest(struct caret *c, const struct cat_columns *columns, bool insert)
{
    struct cat_columns left = {0};
    size_t lp = caret_opener(c, c->at);
    for (size_t i = 0; i < columns->list.n; i++) {
        const struct cat_column *at = &columns->list.v[i];
        bool given = insert && at->kind != CAT_PHYSICAL && at->kind != CAT_METADATA && at->kind != CAT_RESULT;
        for (size_t k = lp == SIZE_MAX ? c->at : lp + 1; k < c->at && !given; k++) {
            given =
                caret_is_name(&c->tokens.v[k]) && sl_str_eq(sql_unquote(c->a, caret_token(c, k)), at->name);
        }
        if (!given) {
            sl_vec_push(c->a, &left.list, *at);
        }
    }
    caret_offer_columns(c, &left, SL_STR_NONE, 0);
}

void caret_offer_common(struct caret *c, const struct caret_scope *scope)
{
    size_t n = scope->near.list.n;
    const struct cat_columns *right = n ? scope->near.list.v[n - 1].columns : NULL;
    struct cat_columns common = {0};
    for (size_t i = 0; right && i < right->list.n; i++) {
        bool both = false;
        for (size_t k = 0; k + 1 < n && !both; k++) {
            const struct cat_columns *left = scope->near.list.v[k].columns;
            for (size_t l = 0; l < left->list.n && !both; l++) {
                both = sl_str_eq(left->list.v[l].name, right->list.v[i].name);
            }
        }
        if (both) {
            sl_vec_push(c->a, &common.list, right->list.v[i]);
        }
    }
    caret_offer_rest(c, &common, false);
}

/* ------------------------------------------------------------------ options */

static sl_str option_of(struct caret *c, const struct cat_object *o, const char *wanted)
{
    for (; o; o = o->before) {
        const struct sql_node *ast = o->stmt ? cat_flow_tree(c->flow, o->stmt) : NULL;
        const struct sql_node *options = ast ? sql_node_child(ast, SQL_N_OPTIONS) : NULL;
        for (const struct sql_node *p = options ? options->first : NULL; p; p = p->next) {
            if (p->first && p->first->next &&
                sl_str_eqz(sql_unquote(c->a, sql_node_text(p->first, o->stmt->sql)), wanted)) {
                return sql_unquote(c->a, sql_node_text(p->first->next, o->stmt->sql));
            }
        }
    }
    return SL_STR_NONE;
}

/* Between the parentheses of WITH, of an OPTIONS hint, of ALTER TABLE ... SET. */
void caret_offer_options(struct caret *c, bool value)
{
    size_t lp = caret_opener(c, c->at);
    if (lp == SIZE_MAX || !lp) {
        return;
    }
    size_t close = SL_MIN(caret_close(c, lp), c->tokens.n), next;
    struct caret_options all = {.kind = CAT_SERVICE_CONNECTOR};
    int first = caret_kind(c, 0), second = caret_kind(c, 1);
    bool catalog = first == TK_CREATE && second == TK_CATALOG;
    all.kind = catalog ? CAT_SERVICE_CATALOG : CAT_SERVICE_CONNECTOR;
    for (size_t i = lp + 1; i + 1 < close; i++) {
        if (caret_kind(c, i) == TK_STRING_LIT && caret_kind(c, i + 1) == TK_EQ && i != c->at) {
            struct caret_option *p = sl_vec_add(c->a, &all.list);
            p->key = sql_unquote(c->a, caret_token(c, i));
            p->value = caret_kind(c, i + 2) == TK_STRING_LIT && i + 2 != c->at
                           ? sql_unquote(c->a, caret_token(c, i + 2))
                           : SL_STR_NONE;
            if (sl_str_eqz(p->key, catalog ? "type" : "connector")) {
                all.name = p->value;
            }
        }
    }
    const struct cat_object *o = NULL;
    if (first == TK_ALTER && second == TK_TABLE && caret_subject(c)) {
        o = caret_table(c, caret_subject(c), &next);
    } else if (caret_kind(c, lp - 2) == TK_HINT_BEGIN || lp < 2) {
        size_t name = lp >= 3 ? lp - 3 : 0;
        while (name >= 2 && caret_kind(c, name - 1) == TK_DOT) {
            name -= 2;
        }
        o = lp >= 3 && caret_is_name(&c->tokens.v[name]) ? caret_table(c, name, &next) : NULL;
    }
    bool of_table = o != NULL || second == TK_TABLE || caret_kind(c, 2) == TK_TABLE;
    if (o) {
        static const char *const formats[] = {"format", "key.format", "value.format"};
        all.name = option_of(c, o, "connector");
        all.hint = true;
        for (size_t i = 0; i < SL_ARRAY_LEN(formats); i++) {
            sl_str name = option_of(c, o, formats[i]);
            if (name.n) {
                sl_vec_push(c->a, &all.list, ((struct caret_option){sl_str_of(formats[i]), name}));
            }
        }
    }
    if (!of_table && !catalog) {
        return; /* of a model, a module: nothing is known of those */
    }
    if (value) {
        caret_with_values(c, sql_unquote(c->a, caret_token(c, c->at - 2)), &all);
    } else {
        caret_with_keys(c, &all);
    }
}

/* Inside a string: only where it is the key or value of an option. */
void caret_in_string(struct caret *c)
{
    int first = caret_kind(c, 0), last = c->at ? caret_kind(c, c->at - 1) : 0;
    if ((first == TK_SET || first == TK_RESET) && c->at == 1) {
        caret_set_keys(c);
    } else if (first == TK_SET && c->at == 3 && last == TK_EQ) {
        caret_set_values(c, sql_unquote(c->a, caret_token(c, 1)));
    } else if (c->at > 1) {
        enum caret_place p = caret_place_of(c, false);
        if (p == PLACE_OPTION_KEY || p == PLACE_OPTION_VALUE) {
            caret_offer_options(c, p == PLACE_OPTION_VALUE);
        }
    }
}

/* SET key = value without quotes: no matter of the lexer. True: it is that. */
bool caret_in_plain_set(struct caret *c, uint32_t rel)
{
    if ((caret_kind(c, 0) != TK_SET && caret_kind(c, 0) != TK_RESET) || caret_kind(c, 1) == TK_STRING_LIT ||
        caret_kind(c, 1) == TK_QUOTE) {
        return false;
    }
    uint32_t start = c->tokens.v[0].off + c->tokens.v[0].len;
    if (rel <= start) {
        return false;
    }
    ptrdiff_t eq = sl_str_find_char(sl_str_sub(c->text, start, rel - start), '=');
    uint32_t from = start + (eq < 0 ? 0 : (uint32_t)eq + 1);
    while (from < rel && (c->text.p[from] == ' ' || c->text.p[from] == '\t' || c->text.p[from] == '\n' ||
                          c->text.p[from] == '\r')) {
        from++;
    }
    uint32_t to = rel;
    while (to < c->text.n && ((c->text.p[to] | 0x20) >= 'a' && (c->text.p[to] | 0x20) <= 'z')) {
        to++;
    }
    c->from = c->base + from;
    c->to = c->base + to;
    c->prefix = sl_str_sub(c->text, from, rel - from);
    c->quote = eq < 0 && from == rel;
    if (eq < 0) {
        caret_set_keys(c);
    } else {
        caret_set_values(c, sl_str_trim(sl_str_sub(c->text, start, (size_t)eq)));
    }
    return true;
}
