/* SPDX-License-Identifier: Apache-2.0
 * What a session knows of its own objects. Names come from its log. How an object is described and written is Flink's to say:
 * it is asked in the main() that makes the object, and what it said is said again until anything is changed that it could
 * depend on. What is not certain is left to Flink. */
#include "gateway/session/internal.h"

#include "gateway/results/types.h"

#define FACTS      256 /* kept of a session */
#define TABLE_ROWS 2000
#define TABLE_TEXT ((size_t)64 << 10)

bool ses_words_are(sl_str sql, const char *words)
{
    sl_str w = sl_str_of(words);
    size_t i = 0, k = 0;
    while (i < sql.n && k < w.n) {
        if (w.p[k] == ' ') {
            size_t from = i;
            while (i < sql.n &&
                   (sql.p[i] == ' ' || sql.p[i] == '\t' || sql.p[i] == '\n' || sql.p[i] == '\r')) {
                i++;
            }
            if (i == from) {
                return false;
            }
            k++;
        } else if (!sl_str_ieq(sl_str_sub(sql, i++, 1), sl_str_sub(w, k++, 1))) {
            return false;
        }
    }
    return i == sql.n && k == w.n;
}

/* Words, then a name without blanks: "" when it is anything else. */
static sl_str name_behind(sl_str sql, const char *words)
{
    size_t i = 0;
    for (const char *w = words; *w; w++) {
        if (*w == ' ') {
            size_t from = i;
            while (i < sql.n && (sql.p[i] == ' ' || sql.p[i] == '\t' || sql.p[i] == '\n')) {
                i++;
            }
            if (i == from) {
                return SL_STR("");
            }
        } else if (i >= sql.n || !sl_str_ieq(sl_str_sub(sql, i++, 1), (sl_str){w, 1})) {
            return SL_STR("");
        }
    }
    sl_str name = sl_str_sub(sql, i, sql.n - i);
    bool quoted = false;
    for (i = 0; i < name.n; i++) {
        char c = name.p[i];
        quoted = quoted != (c == '`');
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                     c == '.' || c == '`';
        if (!quoted && !plain) {
            return SL_STR("");
        }
    }
    return name;
}

static sl_str described(sl_str sql)
{
    sl_str name = name_behind(sql, "DESCRIBE ");
    return name.n ? name : name_behind(sql, "DESC ");
}

/* What a statement asks about which of the session's objects; NULL: it is no such statement. */
static const struct ses_entry *asked(const struct session *s, sl_str sql, bool *ret_create,
                                     struct sl_arena *a)
{
    sl_str table = name_behind(sql, "SHOW CREATE TABLE "), view = name_behind(sql, "SHOW CREATE VIEW ");
    sl_str name = table.n ? table : view.n ? view : described(sql);
    const struct ses_entry *e = name.n ? ses_log_table(&s->log, name, a) : NULL;
    *ret_create = table.n || view.n;
    if (!e || ses_entry_is_view(e) != (view.n > 0)) { /* a view's columns are made anew when it is asked */
        return NULL;
    }
    return e;
}

/* Are the catalogs those that the log begins with, and the words Flink's own? */
static bool is_usual(const struct ses_op *op)
{
    for (size_t i = 0; i < op->session->config.n; i++) {
        sl_str key = op->session->config.v[i].key;
        if (sl_str_starts(key, SL_STR("table.builtin-")) ||
            sl_str_starts(key, SL_STR("table.catalog-store.")) || sl_str_eqz(key, "table.sql-dialect")) {
            return false;
        }
    }
    return op->n_given == 0;
}

static bool list(struct ses_op *op, enum ses_list what, const char *column)
{
    sl_str *names;
    size_t n;
    if (!ses_log_list(&op->session->log, what, &op->arena, &names, &n)) {
        return false;
    }
    ses_table_columns(op, &column, 1);
    op->content = true;
    for (size_t i = 0; i < n; i++) {
        ses_table_row(op, &names[i]);
    }
    return true;
}

static void copy(struct ses_table *to, const struct ses_table *from, struct sl_arena *a)
{
    to->n_columns = from->n_columns;
    to->columns = sl_new_n(a, struct ses_column, from->n_columns + 1);
    for (size_t i = 0; i < from->n_columns; i++) {
        to->columns[i] = from->columns[i];
        to->columns[i].name = sl_str_dup(a, from->columns[i].name);
    }
    for (size_t r = 0; r < from->rows.n; r++) {
        struct ses_cell *cells = sl_new_n(a, struct ses_cell, from->n_columns + 1);
        for (size_t i = 0; i < from->n_columns; i++) {
            cells[i] = from->rows.v[r][i];
            cells[i].text = cells[i].text.p ? sl_str_dup(a, cells[i].text) : SL_STR_NONE;
        }
        sl_vec_push(a, &to->rows, cells);
    }
}

bool ses_own_answer(struct ses_op *op, const struct sql_stmt *st)
{
    static const struct {
        const char *words, *column;
        enum ses_list what;
    } lists[] = {{"SHOW CATALOGS", "catalog name", SES_LIST_CATALOGS},
                 {"SHOW DATABASES", "database name", SES_LIST_DATABASES},
                 {"SHOW TABLES", "table name", SES_LIST_TABLES},
                 {"SHOW VIEWS", "view name", SES_LIST_VIEWS},
                 {"SHOW USER FUNCTIONS", "function name", SES_LIST_FUNCTIONS}};
    if (!is_usual(op)) {
        return false;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(lists); i++) {
        if (ses_words_are(st->sql, lists[i].words)) {
            return list(op, lists[i].what, lists[i].column);
        }
    }
    bool create;
    const struct ses_entry *e = asked(op->session, st->sql, &create, &op->arena);
    for (size_t i = 0; e && i < op->session->facts.n; i++) {
        const struct ses_fact *f = &op->session->facts.v[i];
        if (f->entry == e->number && f->create == create) {
            copy(&op->table, &f->table, &op->arena);
            op->content = true;
            return true;
        }
    }
    return false;
}

static void know(struct session *s, int64_t entry, bool create, const struct ses_table *t)
{
    if (s->facts.n >= FACTS) {
        ses_own_forget(s);
    }
    struct ses_fact f = {.entry = entry, .create = create};
    copy(&f.table, t, &s->facts_arena);
    sl_vec_push(&s->facts_arena, &s->facts, f);
}

void ses_own_learn(struct ses_op *op, const struct sql_stmt *st, struct res_result *r)
{
    bool create;
    struct ses_table t = {0};
    if (op->session->log.entries.n == 0 || !is_usual(op)) {
        return;
    }
    const struct ses_entry *e = asked(op->session, st->sql, &create, &op->arena);
    if (e && ses_table_of(r, &op->arena, &t)) {
        know(op->session, e->number, create, &t);
    }
}

void ses_own_made(struct ses_op *op, sl_str object, bool create, const struct ses_table *t)
{
    const struct ses_entry *e = is_usual(op) ? ses_log_table(&op->session->log, object, &op->arena) : NULL;
    if (e && t->n_columns && (create || !ses_entry_is_view(e))) {
        know(op->session, e->number, create, t);
    }
}

void ses_own_forget(struct session *s)
{
    sl_arena_release(&s->facts_arena);
    sl_arena_init(&s->facts_arena, 0);
    memset(&s->facts, 0, sizeof(s->facts));
}

/* One row; false: a cell that is no text and no truth value. */
static bool take_row(const struct res_column *cols, struct res_row *row, struct sl_arena *a,
                     struct ses_table *ret, size_t *text)
{
    struct ses_cell *cells = sl_new_n(a, struct ses_cell, ret->n_columns + 1);
    struct sl_err err = SL_ERR_INIT;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    for (size_t i = 0; i < ret->n_columns; i++) {
        bool null = true;
        sl_buf_clear(&b);
        if (!res_cell(&b, RES_FORM_TEXT, &cols[i], row, i, NULL, &null, &err)) {
            return false;
        }
        sl_str s = sl_buf_str(&b);
        *text += s.n;
        if (ret->columns[i].cell == SES_BOOLEAN) {
            cells[i].number = sl_str_eqz(s, "TRUE");
            if (null) {
                return false;
            }
        } else {
            cells[i].text = null ? SL_STR_NONE : sl_str_dup(a, s);
        }
    }
    sl_vec_push(a, &ret->rows, cells);
    return *text <= TABLE_TEXT && ret->rows.n <= TABLE_ROWS;
}

bool ses_table_of(struct res_result *r, struct sl_arena *a, struct ses_table *ret)
{
    struct res_column *cols;
    *ret = (struct ses_table){0};
    if (res_result_state(r) != RES_COMPLETE) {
        return false;
    }
    size_t n = res_result_columns(r, a, &cols, NULL), text = 0;
    ret->columns = sl_new_n(a, struct ses_column, n + 1);
    ret->n_columns = n;
    for (size_t i = 0; i < n; i++) {
        const struct res_type *t = cols[i].desc;
        bool is_text = t->code == RES_VARCHAR && t->length == INT32_MAX;
        if (!t->nullable || !(is_text || t->code == RES_BOOLEAN)) {
            return false;
        }
        ret->columns[i].name = cols[i].name;
        ret->columns[i].cell = is_text ? SES_STRING : SES_BOOLEAN;
    }
    struct res_reader *rd = res_reader_new(r, 0, false);
    struct res_rows rows;
    bool ok = n > 0;
    while (ok && res_reader_wait(rd, 0, &rows)) {
        struct res_row row;
        while (ok && res_rows_next(&rows, cols, n, &row)) {
            ok = row.kind == 0 && take_row(cols, &row, a, ret, &text);
        }
    }
    ok = ok && ret->rows.n == res_result_rows(r);
    res_reader_free(rd);
    if (!ok) {
        *ret = (struct ses_table){0};
    }
    return ok;
}
