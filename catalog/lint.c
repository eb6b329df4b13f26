/* SPDX-License-Identifier: Apache-2.0
 * The rules of lint as a table, how a finding is said, and the tables of a script by name. */
#include "catalog/lint.h"

#include <stdarg.h>
#include <stdio.h>

#include "catalog/lint_impl.h"
#include "sqlparse/token.h"

#define RULE_ERROR   SQL_ERROR
#define RULE_WARNING SQL_WARNING
#define RULE_INFO    SQL_INFO
const struct cat_rule cat_rules[] = {
#define CAT_RULE(CODE, severity, since, until, what) {SL_##CODE, RULE_##severity, since, until, what},
#include "catalog/lint.def"
#undef CAT_RULE
};
const size_t cat_rules_count = SL_ARRAY_LEN(cat_rules);

sl_str lint_ident(const struct lint *l, const struct sql_node *ident)
{
    return sql_unquote(l->a, sql_node_text(ident, l->st->sql));
}

/* ---- findings */

static const struct cat_rule *rule_of(const struct lint *l, enum sl_code code)
{
    for (size_t i = 0; i < cat_rules_count; i++) {
        const struct cat_rule *r = &cat_rules[i];
        if (r->code == code) {
            bool holds = l->s->flink >= r->since && (!r->until || l->s->flink <= r->until);
            return holds ? r : NULL;
        }
    }
    return NULL;
}

/* Errors and warnings of this statement that lie there already. */
static bool is_said(const struct lint *l, struct sl_pos pos)
{
    for (size_t i = l->s->diags.list.n; i-- > 0;) {
        const struct sql_diag *d = &l->s->diags.list.v[i];
        if (d->statement != l->st->number) {
            continue;
        }
        if (d->severity != SQL_INFO && d->pos.off != SL_NO_POS && d->pos.off < pos.off + pos.len &&
            pos.off < d->pos.off + d->pos.len) {
            return true;
        }
    }
    return false;
}

static struct sql_diag *say(struct lint *l, enum sl_code code, struct sl_pos pos, const char *fmt, va_list ap)
{
    const struct cat_rule *r = rule_of(l, code);
    char msg[512];
    if (!r || is_said(l, pos)) {
        return NULL;
    }
    vsnprintf(msg, sizeof(msg), fmt, ap);
    struct sql_diag *d = sql_diag_add(l->s, code, r->severity, l->st->number, pos, "%s", msg);
    if (d) {
        d->file = l->st->file;
    }
    return d;
}

struct sql_diag *lint_say_at(struct lint *l, enum sl_code code, struct sl_pos pos, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct sql_diag *d = say(l, code, pos, fmt, ap);
    va_end(ap);
    return d;
}

struct sql_diag *lint_say(struct lint *l, enum sl_code code, uint32_t off, uint32_t len, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct sql_diag *d = say(l, code, sql_stmt_pos(l->s, l->st, off, len), fmt, ap);
    va_end(ap);
    return d;
}

void lint_edit_at(struct lint *l, struct sql_diag *d, uint32_t off, uint32_t len, sl_str text)
{
    if (!d) {
        return;
    }
    struct sql_edit *edits = sl_new_n(l->a, struct sql_edit, d->n_edits + 1);
    if (d->n_edits) {
        memcpy(edits, d->edits, d->n_edits * sizeof(*edits));
    }
    edits[d->n_edits] = (struct sql_edit){off, len, text};
    d->edits = edits;
    d->n_edits++;
}

void lint_edit(struct lint *l, struct sql_diag *d, uint32_t off, uint32_t len, sl_str text)
{
    if (!d) {
        return;
    }
    struct sl_pos pos = sql_stmt_pos(l->s, l->st, off, len);
    sl_str file = l->s->files.v[l->st->file].lines.text;
    /* what a variable stands for is not in the file */
    if (pos.len == len && sl_str_eq(sl_str_sub(file, pos.off, len), sl_str_sub(l->st->sql, off, len))) {
        lint_edit_at(l, d, pos.off, len, text);
    }
}

/* ---- tables */

static uint32_t *slot_of(const struct lint *l, sl_str name)
{
    size_t at = (size_t)sl_str_hash(name) & (l->n_slots - 1);
    while (l->slots[at] && !sl_str_eq(l->tables.v[l->slots[at] - 1].name, name)) {
        at = (at + 1) & (l->n_slots - 1);
    }
    return &l->slots[at];
}

struct lint_table *lint_table_named(const struct lint *l, sl_str name)
{
    uint32_t at = *slot_of(l, name);
    return at ? &l->tables.v[at - 1] : NULL;
}

struct lint_table *lint_table(const struct lint *l, const struct sql_node *name)
{
    if (!name || name->kind != SQL_N_NAME || !name->first || name->first->next) {
        return NULL;
    }
    struct lint_table *t = lint_table_named(l, lint_ident(l, name->first));
    return t && t->create ? t : NULL;
}

static void add_tables(struct lint *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->s->stmts.n; i++) {
        n += l->s->stmts.v[i].ast != NULL;
    }
    l->n_slots = 16;
    while (l->n_slots < 2 * n + 2) {
        l->n_slots *= 2;
    }
    l->slots = sl_new_n(l->a, uint32_t, l->n_slots);
    for (size_t i = 0; i < l->s->stmts.n; i++) {
        const struct sql_stmt *st = &l->s->stmts.v[i];
        const struct sql_node *ast = st->ast, *name = ast ? sql_node_child(ast, SQL_N_NAME) : NULL;
        bool create = ast && (ast->kind == SQL_N_CREATE_TABLE || ast->kind == SQL_N_CREATE_VIEW);
        bool change = ast && ast->kind == SQL_N_ALTER_TABLE;
        if ((!create && !change) || !name || !sql_last(name)) {
            continue;
        }
        l->st = st;
        sl_str key = lint_ident(l, sql_last(name));
        uint32_t *slot = slot_of(l, key);
        if (*slot) {
            l->tables.v[*slot - 1].create = NULL;
        } else if (create) {
            struct lint_table *t = sl_vec_add(l->a, &l->tables);
            *t = (struct lint_table){.name = key, .st = st, .create = name->first->next ? NULL : ast};
            *slot = (uint32_t)l->tables.n;
        }
    }
}

/* ---- the run */

void cat_lint(struct sql_script *s, bool batch)
{
    struct lint l = {.s = s, .a = s->arena, .batch = batch};
    add_tables(&l);
    for (size_t i = 0; i < s->stmts.n; i++) {
        struct sql_stmt *st = &s->stmts.v[i];
        l.st = st;
        if (st->kind == SQL_KIND_SET && st->has_key && !st->bad) {
            bool off = sl_str_ieqz(st->value, "false");
            bool mode = sl_str_eqz(st->key, "execution.runtime-mode");
            l.batch = mode ? !sl_str_ieqz(st->value, "streaming") : l.batch;
            l.no_conflict = sl_str_eqz(st->key, "table.exec.sink.require-on-conflict") ? off : l.no_conflict;
        }
        if (!st->bad) {
            lint_text(&l);
        }
        for (size_t k = 0; k < st->n_inner; k++) {
            lint_statement(&l, &st->inner[k], false);
        }
        if (!st->n_inner) {
            lint_statement(&l, st, true);
        }
    }
    lint_script(&l);
}

/* ---- quick fixes of what others have found */

/* The name between the quotes of "did you mean 'x'?" or "write `x`". */
static sl_str named_in(sl_str hint, const char *lead, char open, char close)
{
    sl_str start = sl_str_of(lead);
    if (!sl_str_starts(hint, start) || hint.n <= start.n || hint.p[start.n] != open) {
        return SL_STR_NONE;
    }
    sl_str rest = sl_str_sub(hint, start.n + 1, hint.n - start.n - 1);
    ptrdiff_t end = sl_str_find_char(rest, close);
    return end > 0 ? sl_str_sub(rest, 0, (size_t)end) : SL_STR_NONE;
}

static bool is_plain_name(sl_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i && c >= '0' && c <= '9'))) {
            return false;
        }
    }
    return name.n > 0 && !sql_word_find(name.p, name.n);
}

/* Where the last token before `off` ends. */
static uint32_t end_before(const struct sql_script *s, const struct sql_stmt *st, uint32_t off)
{
    struct sql_lexer lx;
    struct sql_token t;
    uint32_t end = st->pos.off;
    sql_lex_init(&lx, st->text, s->flink, true);
    while (sql_lex_next(&lx, &t) && st->pos.off + t.off < off) {
        end = st->pos.off + t.off + t.len;
    }
    return end;
}

void cat_fixes(struct sql_script *s)
{
    struct lint l = {.s = s, .a = s->arena};
    for (size_t i = 0; i < s->diags.list.n; i++) {
        struct sql_diag *d = &s->diags.list.v[i];
        if (d->n_edits || d->pos.off == SL_NO_POS || !d->statement || d->statement > s->stmts.n) {
            continue;
        }
        const struct sql_stmt *st = &s->stmts.v[d->statement - 1];
        sl_str text = s->files.v[d->file].lines.text, here = sl_str_sub(text, d->pos.off, d->pos.len);
        l.st = st;
        sl_str near = named_in(d->hint, "did you mean ", '\'', '\'');
        sl_str quoted = named_in(d->hint, "write ", '`', '`');
        if (d->code == SL_SET_KEY_UNKNOWN && here.n && here.p[0] == '"') {
            lint_quotes(&l, d);
        } else if (d->code == SL_SET_KEY_UNKNOWN && near.n) {
            bool quotes = here.n && here.p[0] == '\'';
            lint_edit_at(&l, d, d->pos.off, d->pos.len,
                         quotes ? sl_arena_printf(l.a, "'%.*s'", SL_S(near)) : near);
        } else if (d->code == SL_RESERVED_WORD && quoted.n && sl_str_ieq(quoted, here)) {
            lint_edit_at(&l, d, d->pos.off, d->pos.len, sl_arena_printf(l.a, "`%.*s`", SL_S(here)));
        } else if ((d->code == SL_COLUMN_UNKNOWN || d->code == SL_TABLE_UNKNOWN) && near.n &&
                   is_plain_name(here)) {
            lint_edit_at(&l, d, d->pos.off, d->pos.len,
                         is_plain_name(near) ? near : sl_arena_printf(l.a, "`%.*s`", SL_S(near)));
        } else if (d->code == SL_TABLE_UNKNOWN && here.n > 2 && here.p[0] == '`' && !near.n) {
            sl_str parts = lint_dotted(&l, sql_unquote(l.a, here));
            if (parts.n) {
                lint_edit_at(&l, d, d->pos.off, d->pos.len, parts);
                d->hint = sl_arena_printf(l.a, "in back-ticks it is one name, dots and all: write %.*s",
                                          SL_S(parts));
            }
        } else if (d->code == SL_SYNTAX && sl_str_starts(d->msg, SL_STR("a ';' is missing before"))) {
            lint_edit_at(&l, d, end_before(s, st, d->pos.off), 0, SL_STR(";"));
        }
    }
}
