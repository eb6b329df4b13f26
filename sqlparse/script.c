/* SPDX-License-Identifier: Apache-2.0
 * A script: the pieces of its files as statements, each with its kind, its text for Flink and what is wrong
 * with it. */
#include "base/limits.h"
#include "base/utf8.h"
#include "sqlparse/parse.h"
#include "sqlparse/vars.h"

void sql_script_init(struct sql_script *s, struct sl_arena *a, sql_version flink)
{
    *s = (struct sql_script){.arena = a, .flink = flink ? flink : SQL_FLINK_DEFAULT};
}

static struct sl_pos pos_of(const struct sql_script *s, const struct sql_token *t)
{
    return sql_lines_pos(&s->files.v[s->files.n - 1].lines, t->off, t->len);
}

static void say(struct sql_script *s, enum sl_code code, uint32_t number, struct sl_pos pos, const char *msg,
                const char *hint)
{
    struct sql_diag *d = sql_diag_add(s, code, SQL_ERROR, number, pos, "%s", msg);
    if (d) {
        d->hint = sl_str_of(hint);
    }
}

static void say_lexical(struct sql_script *s, uint32_t number, const struct sql_token *t)
{
    struct sl_pos pos = pos_of(s, t);
    switch ((enum sql_lex_fault)t->fault) {
    case SQL_LEX_OPEN_STRING:
        say(s, SL_LEXICAL, number, pos, "the string that begins here has no end", "close it with '");
        return;
    case SQL_LEX_OPEN_IDENT:
        say(s, SL_LEXICAL, number, pos, "the name that begins here has no end on its line",
            "close it with `");
        return;
    case SQL_LEX_EMPTY_IDENT:
        say(s, SL_LEXICAL, number, pos, "a name cannot be empty", "");
        return;
    case SQL_LEX_OPEN_COMMENT:
        pos = sql_lines_pos(&s->files.v[s->files.n - 1].lines, t->off, 2);
        say(s, SL_LEXICAL, number, pos, "the comment that begins here has no end", "close it with */");
        return;
    case SQL_LEX_OPEN_VAR:
        say(s, SL_VARIABLE_SYNTAX, number, pos, "'${' has no '}'", "close it on the same line");
        return;
    default:
        sql_diag_add(s, SL_LEXICAL, SQL_ERROR, number, pos, "character U+%04X cannot stand here", t->point);
    }
}

/* What the splitter alone knows to be wrong. True: the grammar is not to see the statement. */
static bool say_limits(struct sql_script *s, uint32_t number, const struct sql_piece *p)
{
    struct sl_pos pos = sql_lines_pos(&s->files.v[s->files.n - 1].lines, p->off, p->end - p->off);
    if (p->end - p->off > sl_limits.statement_bytes) {
        struct sql_diag *d = sql_diag_add(s, SL_LIMIT, SQL_ERROR, number, pos,
                                          "a statement of %u bytes is too long", p->end - p->off);
        if (d) {
            d->hint = sl_arena_printf(s->arena, "at most %s; is a ';' missing?",
                                      SL_SIZE(sl_limits.statement_bytes));
        }
        return true;
    }
    if (p->deep.len) {
        sql_diag_add(s, SL_LIMIT, SQL_ERROR, number, pos_of(s, &p->deep),
                     "nested deeper than %d levels, where Flink's own parser gives up", SL_LIMIT_NESTING);
        return true;
    }
    if (p->chain.len) {
        struct sql_diag *d =
            sql_diag_add(s, SL_LIMIT, SQL_ERROR, number, pos_of(s, &p->chain),
                         "more than %d operators in a row, which Flink cannot plan", SL_LIMIT_CHAIN_TERMS);
        if (d) {
            d->hint = SL_STR("IN (...) instead of a chain of OR, or a join with a table of the values");
        }
        return true;
    }
    return false;
}

/* SET 'k' = 'v' and RESET 'k' as the grammar reads them; where they are wrong nothing is set and the grammar
 * says so. */
static void read_quoted_config(struct sql_stmt *st, struct sl_arena *a, sql_version version)
{
    struct sql_head h;
    sql_head_read(&h, st->sql, version, false);
    bool string_key = h.n > 1 && h.t[1].kind == TK_STRING_LIT;
    bool set = st->kind == SQL_KIND_SET && h.n == 4 && h.t[2].kind == TK_EQ && h.t[3].kind == TK_STRING_LIT;
    if (!string_key || !(set || (st->kind == SQL_KIND_RESET && h.n == 2))) {
        return;
    }
    st->has_key = true;
    st->key = sql_unquote(a, sl_str_sub(st->sql, h.t[1].off, h.t[1].len));
    if (set) {
        st->value = sql_unquote(a, sl_str_sub(st->sql, h.t[3].off, h.t[3].len));
    }
}

static void fill_in(struct sql_script *s, struct sql_stmt *st, const struct sql_piece *p, uint32_t off,
                    uint32_t end, const struct sql_vars *vars)
{
    st->sql = st->text;
    size_t from = 0, to = p->holes.n;
    while (from < to && p->holes.v[from].off < off) {
        from++;
    }
    while (to > from && p->holes.v[to - 1].off >= end) {
        to--;
    }
    if (vars && !vars->off && to > from) {
        sql_vars_apply(s, st, vars, off, end, p->holes.v + from, to - from);
    }
}

static void fill_object(struct sql_script *s, struct sql_stmt *st, const struct sql_head *head)
{
    struct sql_head again;
    if (st->n_patches) {
        sql_head_read(&again, st->sql, s->flink, false);
        head = &again;
    }
    sql_head_object(head, st->kind, s->arena, st);
}

/* An error of the grammar at a variable without a value is a follower of that. */
static void drop_followers(struct sql_script *s, size_t before)
{
    struct sql_diag *v = s->diags.list.v;
    if (s->diags.list.n != before + 1) {
        return;
    }
    const struct sql_diag *d = &v[before];
    for (size_t i = before; i-- > 0 && v[i].statement == d->statement;) {
        if ((v[i].code == SL_VARIABLE_UNDEFINED || v[i].code == SL_VARIABLE_SYNTAX) &&
            d->pos.off >= v[i].pos.off && d->pos.off < v[i].pos.off + v[i].pos.len) {
            s->diags.list.n--;
            s->diags.errors -= d->severity == SQL_ERROR;
            return;
        }
    }
}

static bool parse(struct sql_script *s, struct sql_stmt *st)
{
    size_t before = s->diags.list.n;
    struct sl_arena_mark mark = sl_arena_mark(s->arena);
    bool ok = sql_grammar_parse(s, st);
    if (s->arena->used > SL_LIMIT_TREE_BYTES && s->diags.list.n == before) {
        sl_arena_rewind(s->arena, mark);
        st->ast = NULL;
    }
    drop_followers(s, before);
    return ok;
}

static void parse_set(struct sql_script *s, uint32_t number, const struct sql_piece *p)
{
    struct sql_stmt *st = &s->stmts.v[number - 1];
    bool ok = true;
    for (size_t i = 0; i < st->n_inner; i++) {
        struct sql_stmt *in = &st->inner[i];
        struct sl_pos first =
            sql_lines_pos(&s->files.v[st->file].lines, p->inner.v[i].off, p->inner.v[i].first_len);
        if (sql_kind_class(in->kind) != SQL_CLASS_INSERT && in->kind != SQL_KIND_UNKNOWN) {
            sql_diag_add(s, SL_SYNTAX, SQL_ERROR, number, first,
                         "only INSERT can stand in a statement set, not %s", sql_kind_name(in->kind));
            ok = false;
        } else if (!parse(s, in)) {
            ok = false;
        } else if (!in->terminated) {
            say(s, SL_SYNTAX, number, sql_lines_pos(&s->files.v[st->file].lines, p->inner.v[i].end, 0),
                "a ';' is missing behind this INSERT", "write ; in front of END");
            ok = false;
        }
    }
    st = &s->stmts.v[number - 1];
    if (!p->set_closed) {
        struct sl_pos opener =
            sql_lines_pos(&s->files.v[st->file].lines, p->off, p->opener.off + p->opener.len - p->off);
        say(s, SL_SYNTAX, number, opener, "this statement set has no END",
            "write END; behind its last INSERT");
    } else if (st->n_inner == 0) {
        say(s, SL_SYNTAX, number, st->pos, "this statement set is empty",
            "it needs at least one INSERT INTO ...;");
    } else if (ok && p->head.t[0].word != SQL_W_BEGIN) {
        /* its INSERTs have their trees: the one of the whole is looked at for what is wrong and given back */
        struct sl_arena_mark mark = sl_arena_mark(s->arena);
        if (parse(s, st)) {
            sl_arena_rewind(s->arena, mark);
            st->ast = NULL;
        }
    }
}

static void check_piece(struct sql_script *s, uint32_t number, const struct sql_piece *p,
                        enum sql_level level)
{
    struct sql_stmt *st = &s->stmts.v[number - 1];
    if (say_limits(s, number, p)) {
        return;
    }
    if (p->fault.fault != SQL_LEX_OK && (p->forced || level == SQL_LEVEL_SPLIT)) {
        say_lexical(s, number, &p->fault);
        return;
    }
    if (p->command && p->value_cut) {
        struct sl_pos pos =
            sql_lines_pos(&s->files.v[st->file].lines, (size_t)(p->value.p - p->head.text), p->value.n);
        struct sql_diag *d = sql_diag_add(s, SL_SET_VALUE_CUT, SQL_WARNING, number, pos,
                                          "Flink takes only '%.*s' as the value", SL_S(p->value));
        if (d) {
            d->hint = SL_STR("quote the key too:  SET 'key' = 'it''s'");
        }
    }
    if (level == SQL_LEVEL_SPLIT || p->command) {
        return;
    }
    if (p->opener.len) {
        parse_set(s, number, p);
    } else if (sql_kind_class(st->kind) != SQL_CLASS_CLIENT) {
        (void)parse(s, st);
    }
}

static void add_inner(struct sql_script *s, uint32_t number, const struct sql_piece *p,
                      const struct sql_vars *vars)
{
    const struct sql_file *file = &s->files.v[s->files.n - 1];
    struct sql_stmt *inner = sl_new_n(s->arena, struct sql_stmt, p->inner.n);
    for (size_t i = 0; i < p->inner.n; i++) {
        const struct sql_inner *in = &p->inner.v[i];
        struct sql_stmt *st = &inner[i];
        st->number = number;
        st->file = (uint16_t)(s->files.n - 1);
        sl_str text = sl_str_sub(file->lines.text, in->off, in->end - in->off);
        struct sql_head head;
        sql_head_read(&head, text, s->flink, vars && !vars->off);
        st->kind = sql_head_kind(&head);
        st->pos = sql_lines_pos(&file->lines, in->off, in->end - in->off);
        st->text = text;
        st->terminated = in->terminated;
        /* what is undefined was said of the whole set */
        struct sql_diags said = s->diags;
        fill_in(s, st, p, in->off, in->end, vars);
        s->diags = said;
        fill_object(s, st, &head);
    }
    s->stmts.v[number - 1].inner = inner;
    s->stmts.v[number - 1].n_inner = p->inner.n;
}

static void add_piece(struct sql_script *s, const struct sql_piece *p, const struct sql_options *opt)
{
    const struct sql_file *file = &s->files.v[s->files.n - 1];
    const struct sql_vars *vars = opt->vars;
    struct sql_stmt *st = sl_vec_add(s->arena, &s->stmts);
    uint32_t number = (uint32_t)s->stmts.n;
    st->number = number;
    st->file = (uint16_t)(s->files.n - 1);
    st->kind = sql_head_kind(&p->head);
    if (p->opener.len && p->head.t[0].word == SQL_W_BEGIN) {
        st->kind = SQL_KIND_STATEMENT_SET;
    }
    st->pos = sql_lines_pos(&file->lines, p->off, p->end - p->off);
    st->text = sl_str_sub(file->lines.text, p->off, p->end - p->off);
    st->terminated = p->terminated;
    if (p->command) {
        st->sql = st->text;
        st->has_key = true;
        st->key = p->key;
        st->value = p->value;
        if (vars && !vars->off) {
            sql_vars_apply_command(s, st, vars, p->off, p->end);
        }
    } else {
        fill_in(s, st, p, p->off, p->end, vars);
        fill_object(s, st, &p->head);
        if (st->kind == SQL_KIND_SET || st->kind == SQL_KIND_RESET) {
            read_quoted_config(st, s->arena, s->flink);
        }
    }
    if (p->inner.n) {
        add_inner(s, number, p, vars);
    }
    check_piece(s, number, p, opt->level);
}

/* Room for all statements of a large text at once: growing by doubling keeps every smaller array in the arena. */
static void make_room(struct sql_script *s, sl_str text)
{
    struct sql_lexer lx;
    struct sql_token t;
    size_t n = s->stmts.n + 1;
    int last = TK_SEMI;
    if (text.n < SL_LIMIT_ROOM_BYTES) {
        return;
    }
    sql_lex_init(&lx, text, s->flink, false);
    for (int kind; (kind = sql_lex_next(&lx, &t)) != 0; last = kind) {
        n += kind == TK_SEMI && last != TK_SEMI;
    }
    n = SL_MIN(n, sl_limits.statements + 1);
    if (n > s->stmts.cap) {
        struct sql_stmt *old = s->stmts.v;
        s->stmts.v = sl_new_n(s->arena, struct sql_stmt, n);
        s->stmts.cap = n;
        if (s->stmts.n) {
            memcpy(s->stmts.v, old, s->stmts.n * sizeof(*old));
        }
    }
}

bool sql_script_add(struct sql_script *s, sl_str name, sl_str text, const struct sql_options *opt,
                    struct sl_err *err)
{
    if (text.n > sl_limits.script_bytes) {
        sl_fail(err, SL_LIMIT, "%.*s is larger than %s", SL_S(name), SL_SIZE(sl_limits.script_bytes));
        return sl_hint(err, "the setting limit.script-bytes");
    }
    struct sql_file *file = sl_vec_add(s->arena, &s->files);
    file->name = sl_str_dup(s->arena, name);
    sql_lines_init(&file->lines, s->arena, text);
    size_t valid = sl_utf8_valid_prefix(text);
    if (valid < text.n) {
        sl_fail_at(err, SL_UTF8, sql_lines_pos(&file->lines, valid, 1),
                   "%.*s is not UTF-8 at line %u, column %u", SL_S(name),
                   sql_lines_pos(&file->lines, valid, 0).line, sql_lines_pos(&file->lines, valid, 0).col);
        s->files.n--;
        return sl_hint(err, "save it as UTF-8:  iconv -f ISO-8859-1 -t UTF-8");
    }
    struct sql_splitter sp;
    struct sql_piece piece;
    make_room(s, text);
    sql_splitter_init(&sp, s->arena, text, s->flink, opt->vars && !opt->vars->off);
    while (sql_splitter_next(&sp, &piece)) {
        if (s->stmts.n >= sl_limits.statements) {
            sql_diag_add(s, SL_LIMIT, SQL_ERROR, 0,
                         sql_lines_pos(&file->lines, piece.off, piece.end - piece.off),
                         "a script can have at most %zu statements", sl_limits.statements);
            break;
        }
        add_piece(s, &piece, opt);
    }
    return true;
}
