/* SPDX-License-Identifier: Apache-2.0
 * Scripts laid out: one statement after the other, what stands between them, and the proof that no token has
 * changed. */
#include "sqlparse/fmt.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "sqlparse/fmt_layout.h"
#include "sqlparse/parse.h"
#include "sqlparse/split.h"

struct unit {
    uint32_t off, end;
    bool terminated;
    bool set; /* opens a statement set: its INSERTs and its END follow, further in */
    uint32_t indent;
};

struct fmt {
    struct sl_arena *arena;  /* of the result */
    struct sl_arena scratch; /* of one statement */
    const struct sql_fmt_options *o;
    struct sql_fmt *ret;
    sl_str text;
    sql_version version;
    unsigned width;
    const char *eol;
    struct sl_buf out, one; /* the whole; one statement */
    bool open_end;          /* the text ends inside of a comment without an end */
    bool in_comment;        /* the line ends in a comment that only a line end ends */
    bool any, last_long;    /* something has been written; the last statement took more than one line */
    fmt_comments waiting;   /* for the next place between statements */
    uint32_t at;            /* up to where the text has been written */
    struct sql_lexer ends;  /* over the whole text: for the ';' behind a statement */
};

/* ------------------------------------------------------------------ are they the same? */

/* Walks the tokens of two texts, and the words of their comments. */
struct reader {
    struct sql_lexer lx;
    uint32_t comment, comment_end; /* what is left of the comment we are in */
    sl_str text;
    fmt_comments comments;
    size_t next;
};

static void reader_init(struct reader *r, struct sl_arena *a, sl_str text, sql_version version)
{
    *r = (struct reader){.text = text};
    struct sql_token t;
    uint32_t end = 0;
    sql_lex_init(&r->lx, text, version, true);
    while (sql_lex_next(&r->lx, &t)) {
        fmt_scan(a, text, end, t.off, false, &r->comments);
        end = t.off + t.len;
    }
    fmt_scan(a, text, end, (uint32_t)text.n, false, &r->comments);
    sql_lex_init(&r->lx, text, version, true);
}

/* The next character of any comment but white space; 0 at the end. */
static char next_comment_char(struct reader *r)
{
    for (;;) {
        while (r->comment < r->comment_end) {
            char c = r->text.p[r->comment++];
            if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f') {
                return c;
            }
        }
        if (r->next == r->comments.n) {
            return 0;
        }
        r->comment = r->comments.v[r->next].off;
        r->comment_end = r->comment + r->comments.v[r->next++].len;
    }
}

/* Words may differ in their letter case: any of them, or, where `st` is given, those that are no names. */
static bool same_tokens(struct sl_arena *a, sl_str x, sl_str y, sql_version version,
                        const struct fmt_stmt *st)
{
    struct reader p, q;
    struct sql_token t, u;
    size_t i = 0;
    reader_init(&p, a, x, version);
    reader_init(&q, a, y, version);
    do {
        sql_lex_next(&p.lx, &t);
        sql_lex_next(&q.lx, &u);
        sl_str s = sql_token_text(&p.lx, &t), o = sql_token_text(&q.lx, &u);
        bool any_case = t.word && (!st || (i < st->toks.n && st->toks.v[i].upper));
        if (t.kind != u.kind || !(any_case ? sl_str_ieq(s, o) : sl_str_eq(s, o))) {
            return false;
        }
        i++;
    } while (t.kind);
    for (;;) {
        char c = next_comment_char(&p), d = next_comment_char(&q);
        if (c != d) {
            return false;
        }
        if (!c) {
            return true;
        }
    }
}

/* ------------------------------------------------------------------ one statement */

enum stand_in { AS_STRING, AS_NUMBER, AS_NAME };

/* ${name} outside quotes becomes a literal or a name of the same length. */
static void put_stand_in(char *p, uint32_t len, enum stand_in how)
{
    static const char quote[] = {'\'', '1', '`'};
    memset(p, how == AS_NUMBER ? '1' : 'v', len);
    p[0] = p[len - 1] = quote[how];
}

/* `text` with its variables replaced; how often it may be tried otherwise is for the caller to count. */
static sl_str with_stand_ins(struct sl_arena *a, sl_str text, sql_version version, unsigned attempt,
                             bool *ret_any, uint32_t *ret_glued)
{
    struct sql_lexer lx;
    struct sql_token t;
    char *copy = NULL;
    uint32_t before = 0;
    int last = 0;
    *ret_any = false;
    *ret_glued = UINT32_MAX;
    sql_lex_init(&lx, text, version, true);
    while (sql_lex_next(&lx, &t)) {
        bool touches = t.off == before && t.off > 0;
        if (touches &&
            ((t.kind == TK_VARIABLE && (last == TK_IDENT || last == TK_VARIABLE || last == TK_INTEGER_LIT ||
                                        last == TK_STRING_LIT || last == TK_QUOTED_IDENT)) ||
             (last == TK_VARIABLE && (t.kind == TK_IDENT || t.word || t.kind == TK_INTEGER_LIT ||
                                      t.kind == TK_STRING_LIT || t.kind == TK_QUOTED_IDENT)))) {
            *ret_glued = t.off;
        }
        if (t.kind == TK_VARIABLE) {
            if (!copy) {
                copy = sl_arena_alloc(a, text.n + 1);
                memcpy(copy, text.p, text.n);
            }
            *ret_any = true;
            bool name = last == TK_DOT || last == TK_FROM || last == TK_JOIN || last == TK_INTO ||
                        last == TK_TABLE || last == TK_BY || last == TK_AS;
            enum stand_in how = attempt == 0   ? (name ? AS_NAME : AS_STRING)
                                : attempt == 1 ? (name ? AS_NAME : AS_NUMBER)
                                : attempt == 2 ? AS_NAME
                                               : AS_NUMBER;
            put_stand_in(copy + t.off, t.len, how);
        }
        before = t.off + t.len;
        last = t.kind;
    }
    return copy ? (sl_str){copy, text.n} : text;
}

/* Takes the statement that stands at text[off, end) with version `v`; false: it has an error. */
static bool parse_unit(struct fmt *f, struct fmt_stmt *s, sql_version v, struct sql_fault *fault)
{
    bool any;
    uint32_t glued;
    for (unsigned attempt = 0; attempt < 4; attempt++) {
        s->parsed = with_stand_ins(&f->scratch, s->text, v, attempt, &any, &glued);
        if (glued != UINT32_MAX) {
            *fault = (struct sql_fault){.code = SL_VARIABLE_SYNTAX,
                                        .off = glued,
                                        .len = 1,
                                        .msg = SL_STR("a variable stands for a whole name or literal"),
                                        .hint = SL_STR("put it inside of quotes:  '${a}b'  or  `${a}b`")};
            return false;
        }
        s->version = v;
        s->names = sl_arena_zalloc(&f->scratch, s->text.n / 8 + 1);
        struct sql_fault other;
        bool ok =
            sql_parse_names(&f->scratch, s->parsed, v, s->names, &s->ast, attempt == 0 ? fault : &other);
        if (ok || !any) {
            return ok;
        }
    }
    return false;
}

static bool parse_any(struct fmt *f, struct fmt_stmt *s, struct sql_fault *fault)
{
    static const sql_version others[] = {SQL_FLINK_2_3, SQL_FLINK_1_20};
    if (parse_unit(f, s, f->version, fault)) {
        return true;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(others) && !f->o->flink; i++) {
        struct sql_fault other;
        if (parse_unit(f, s, others[i], &other)) {
            return true;
        }
    }
    return false;
}

static void say(struct fmt *f, const struct unit *u, const struct sql_fault *fault)
{
    struct sql_script *script = &f->ret->script;
    const struct sql_lines *lines = &script->files.v[0].lines;
    struct sql_stmt *st = &script->stmts.v[script->stmts.n - 1];
    bool known = sl_str_eq(st->text, sl_str_sub(f->text, u->off, u->end - u->off));
    uint32_t number = known || script->stmts.n ? (uint32_t)script->stmts.n : 0;
    struct sql_diag *d =
        sql_diag_add(script, fault->code, SQL_ERROR, number,
                     sql_lines_pos(lines, u->off + fault->off, fault->len), "%.*s", SL_S(fault->msg));
    if (d) {
        d->hint = sl_str_dup(f->arena, fault->hint);
    }
    f->ret->kept++;
}

/* SET key = value as the client matches it, without quotes around the key: no matter of the grammar. */
static void put_command(struct fmt *f, const struct sql_piece *p)
{
    sl_str text = sl_str_sub(f->text, p->off, p->end - p->off);
    bool plain = p->key.n && p->key.p >= text.p && p->key.p + p->key.n <= text.p + text.n;
    for (size_t i = 0; i < text.n && plain; i++) {
        plain = text.p[i] != '\n' && text.p[i] != '\r' &&
                !(i + 1 < text.n && ((text.p[i] == '-' && text.p[i + 1] == '-') ||
                                     (text.p[i] == '/' && (text.p[i + 1] == '*' || text.p[i + 1] == '/'))));
    }
    if (!plain) {
        bool word = text.n < 6; /* SET and RESET alone */
        for (size_t i = 0; i < text.n; i++) {
            char c = text.p[i];
            sl_buf_putc(&f->one, word && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
        }
        return;
    }
    size_t key = (size_t)(p->key.p - text.p), behind = key + p->key.n;
    bool set = (text.p[0] | 0x20) == 's';
    sl_str rest = sl_str_trim(sl_str_sub(text, behind, text.n - behind));
    sl_buf_putz(&f->one, set ? "SET " : "RESET ");
    sl_buf_puts(&f->one, p->key);
    if (set && rest.n && rest.p[0] == '=') {
        sl_buf_putz(&f->one, " = ");
        sl_buf_puts(&f->one, sl_str_trim(sl_str_sub(rest, 1, rest.n - 1)));
    } else if (rest.n) {
        sl_buf_clear(&f->one);
        sl_buf_puts(&f->one, text);
    }
}

/* One statement into f->one. `tree`: it is one for the grammar; `fault`: what the splitter found. */
static void format_unit(struct fmt *f, const struct unit *u, bool tree, const struct sql_fault *found)
{
    sl_str text = sl_str_sub(f->text, u->off, u->end - u->off);
    struct fmt_stmt s = {.arena = &f->scratch, .text = text, .parsed = text, .version = f->version};
    struct sl_arena_mark mark = sl_arena_mark(&f->scratch);
    struct sql_fault fault = {0};
    bool ok = found->code == SL_OK;
    if (!ok) {
        say(f, u, found);
    } else if (tree && !parse_any(f, &s, &fault)) {
        say(f, u, &fault);
        ok = false;
    }
    if (ok && (!tree || s.ast)) {
        fmt_tokens(&s);
        fmt_layout(&s);
        fmt_print(&s, u->indent, f->width, f->eol, &f->one);
        f->ret->steps += s.steps;
        ok = same_tokens(&f->scratch, text, sl_buf_str(&f->one), s.version, &s);
    } else {
        ok = false;
    }
    if (!ok) {
        sl_buf_clear(&f->one);
        sl_buf_puts(&f->one, text);
    }
    sl_arena_rewind(&f->scratch, mark);
}

/* ------------------------------------------------------------------ between statements */

static void line(struct fmt *f, uint32_t indent, bool blank)
{
    f->in_comment = false;
    if (f->any) {
        sl_buf_putz(&f->out, f->eol);
        sl_buf_putz(&f->out, blank ? f->eol : "");
    }
    for (uint32_t i = 0; i < indent; i++) {
        sl_buf_putc(&f->out, ' ');
    }
    f->any = true;
}

static unsigned empty_lines(sl_str text, uint32_t from, uint32_t to)
{
    unsigned n = 0;
    for (uint32_t i = from; i < to; i++) {
        n += text.p[i] == '\n' || (text.p[i] == '\r' && !(i + 1 < text.n && text.p[i + 1] == '\n'));
    }
    return n > 1 ? n - 1 : 0;
}

/* Comments and stray ';' from f->at up to `to`. `far`: an empty line goes in front of what comes next. */
static bool put_between(struct fmt *f, uint32_t to, uint32_t indent, bool far)
{
    fmt_comments found = {0};
    uint32_t from = f->at;
    uint32_t i = from;
    for (size_t k = 0; k < f->waiting.n; k++) {
        *sl_vec_add(&f->scratch, &found) = f->waiting.v[k];
    }
    f->waiting.n = 0;
    while (i < to) {
        /* up to the next ';' outside of comments */
        fmt_comments part = {0};
        struct sql_lexer lx;
        struct sql_token t;
        sql_lex_init(&lx, sl_str_sub(f->text, i, to - i), f->version, false);
        uint32_t stop = sql_lex_next(&lx, &t) == TK_SEMI ? i + t.off : to;
        fmt_scan(&f->scratch, f->text, i, stop, i == 0, &part);
        for (size_t k = 0; k < part.n; k++) {
            *sl_vec_add(&f->scratch, &found) = part.v[k];
        }
        if (stop < to) {
            sl_buf_putc(&f->out, ';');
            f->any = true;
            stop++;
        }
        i = stop;
    }
    uint32_t end = from;
    for (size_t k = 0; k < found.n; k++) {
        const struct fmt_comment *c = &found.v[k];
        if (!c->own_line && f->any && !f->in_comment) {
            sl_buf_putc(&f->out, ' ');
        } else {
            line(f, indent, f->any && (c->blank || far));
            far = false;
        }
        f->any = true;
        f->in_comment = c->line;
        sl_buf_puts(&f->out, sl_str_sub(f->text, c->off, c->len));
        end = SL_MAX(end, c->off + c->len);
    }
    bool blank = far || empty_lines(f->text, end, to) > 0;
    f->at = to;
    return blank;
}

/* What stands in front of a statement, then the statement that f->one holds. `near`: no empty line between.
 */
static void put_unit(struct fmt *f, const struct unit *u, bool near)
{
    sl_str one = sl_buf_str(&f->one);
    bool is_long = sl_str_find_char(one, '\n') >= 0;
    struct sl_arena_mark mark = sl_arena_mark(&f->scratch);
    bool blank = put_between(f, u->off, u->indent, f->any && !near && (is_long || f->last_long));
    sl_arena_rewind(&f->scratch, mark);
    line(f, u->indent, blank && f->any && !near);
    sl_buf_puts(&f->out, one);
    sl_buf_clear(&f->one);
    f->last_long = is_long;
    f->at = u->end;
}

/* The ';' of a statement, in front of the comments that stood before it: those on lines of their own wait for
 * what comes next. */
static void put_end(struct fmt *f, bool terminated, bool verbatim)
{
    if (!terminated) {
        return;
    }
    struct sql_token t;
    f->ends.at = f->at;
    if (sql_lex_next(&f->ends, &t) != TK_SEMI) {
        return;
    }
    fmt_comments found = {0};
    uint32_t from = f->at;
    do {
        /* stray ones behind it come along */
        uint32_t semi = t.off;
        if (verbatim) {
            sl_buf_puts(&f->out, sl_str_sub(f->text, from, semi - from));
        } else {
            fmt_scan(f->arena, f->text, from, semi, false, &found);
        }
        sl_buf_putc(&f->out, ';');
        from = semi + 1;
    } while (sql_lex_next(&f->ends, &t) == TK_SEMI && !verbatim);
    size_t k = 0;
    for (; k < found.n && !found.v[k].own_line; k++) {
        sl_buf_putc(&f->out, ' ');
        sl_buf_puts(&f->out, sl_str_sub(f->text, found.v[k].off, found.v[k].len));
        f->in_comment = found.v[k].line;
        if (f->in_comment) {
            k++;
            break;
        }
    }
    for (; k < found.n; k++) {
        found.v[k].own_line = true;
        *sl_vec_add(f->arena, &f->waiting) = found.v[k];
    }
    f->at = from;
}

/* ------------------------------------------------------------------ the script */

static struct sql_fault fault_of(const struct sql_piece *p)
{
    struct sql_fault f = {0};
    const struct sql_token *at = NULL;
    if (p->end - p->off > sl_limits.statement_bytes || p->deep.len || p->chain.len) {
        f.code = SL_LIMIT;
        f.msg = SL_STR("this statement is too long or nested too deeply to be laid out");
        at = p->deep.len ? &p->deep : p->chain.len ? &p->chain : NULL;
    } else if (p->fault.fault != SQL_LEX_OK) {
        f.code = SL_LEXICAL;
        f.msg = SL_STR("what begins here has no end, or cannot stand here");
        at = &p->fault;
    }
    if (at) {
        f.off = at->off - p->off;
        f.len = at->len;
    }
    return f;
}

static void add_statement(struct fmt *f, const struct sql_piece *p)
{
    struct sql_script *s = &f->ret->script;
    struct sql_stmt *st = sl_vec_add(f->arena, &s->stmts);
    st->number = (uint32_t)s->stmts.n;
    st->pos = sql_lines_pos(&s->files.v[0].lines, p->off, p->end - p->off);
    st->text = st->sql = sl_str_sub(f->text, p->off, p->end - p->off);
    st->kind = sql_head_kind(&p->head);
    st->terminated = p->terminated;
}

/* EXECUTE STATEMENT SET BEGIN, the INSERTs further in, END. */
static void format_set(struct fmt *f, const struct sql_piece *p)
{
    struct sql_fault none = {0};
    uint32_t stop = p->inner.v[0].off;
    struct sql_lexer lx;
    struct sql_token t;
    struct unit u = {.off = p->off, .end = p->off};
    bool semi = false;
    sql_lex_init(&lx, sl_str_sub(f->text, p->off, stop - p->off), f->version, true);
    while (sql_lex_next(&lx, &t)) {
        semi = t.kind == TK_SEMI;
        u.end = semi ? u.end : p->off + t.off + t.len;
    }
    format_unit(f, &u, false, &none);
    put_unit(f, &u, false);
    put_end(f, semi, false);
    for (size_t i = 0; i < p->inner.n; i++) {
        const struct sql_inner *in = &p->inner.v[i];
        struct unit one = {.off = in->off, .end = in->end, .indent = FMT_INDENT};
        format_unit(f, &one, true, &none);
        put_unit(f, &one, i == 0);
        put_end(f, in->terminated, false);
    }
    if (p->set_closed) {
        struct unit end = {.off = p->end - 3, .end = p->end};
        struct sl_arena_mark mark = sl_arena_mark(&f->scratch);
        (void)put_between(f, end.off, FMT_INDENT, false);
        sl_arena_rewind(&f->scratch, mark);
        line(f, 0, false);
        sl_buf_putz(&f->out, "END");
        f->at = end.end;
    }
    f->last_long = true;
}

/* Is it nothing but an opener, INSERTs and END? */
static bool is_whole_set(const struct fmt *f, const struct sql_piece *p)
{
    if (!p->inner.n || !p->set_closed) {
        return false;
    }
    struct sql_lexer lx;
    struct sql_token t;
    uint32_t from = p->inner.v[p->inner.n - 1].end;
    sql_lex_init(&lx, sl_str_sub(f->text, from, p->end - from), f->version, false);
    while (sql_lex_next(&lx, &t) == TK_SEMI) {
    }
    return t.word == SQL_W_END && from + t.off + t.len == p->end;
}

static void format_piece(struct fmt *f, const struct sql_piece *p)
{
    struct unit u = {.off = p->off, .end = p->end};
    struct sql_fault found = fault_of(p);
    add_statement(f, p);
    if (found.code == SL_OK && is_whole_set(f, p)) {
        format_set(f, p);
    } else if (p->command) {
        put_command(f, p);
        put_unit(f, &u, false);
    } else {
        bool client = sql_kind_class(sql_head_kind(&p->head)) == SQL_CLASS_CLIENT;
        if (p->opener.len && found.code == SL_OK) {
            found.code = SL_SYNTAX;
            found.msg = SL_STR("this statement set has no END");
            found.hint = SL_STR("write END; behind its last INSERT");
            found.len = p->opener.off + p->opener.len - p->off;
        }
        if (p->fault.fault == SQL_LEX_OPEN_COMMENT && !p->terminated) {
            /* it holds all that follows, the last line end too */
            u.end = (uint32_t)f->text.n;
            f->open_end = true;
        }
        format_unit(f, &u, !client, &found);
        put_unit(f, &u, false);
    }
    put_end(f, p->terminated, found.code != SL_OK);
}

/* The file's own line ends: as its last one, else as its first. */
static const char *line_end_of(sl_str text)
{
    size_t n = text.n;
    while (n && (text.p[n - 1] == ' ' || text.p[n - 1] == '\t')) {
        n--;
    }
    const char *nl = n && text.p[n - 1] == '\n' ? text.p + n - 1
                     : text.n                   ? memchr(text.p, '\n', text.n)
                                                : NULL;
    return nl && nl > text.p && nl[-1] == '\r' ? "\r\n" : "\n";
}

/* Every character but white space, whatever their order: comments may pass commas. */
static uint64_t characters(sl_str text)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        c = c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f') {
            sum += (c + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)c << 32;
        }
    }
    return sum;
}

/* The same statements, token by token, and nothing lost between them. */
static bool same_script(struct fmt *f, sl_str x, sl_str y)
{
    SL_ARENA_AUTO arena = {0};
    struct sql_splitter a, b;
    struct sql_piece p, q;
    struct sl_arena_mark mark;
    sql_splitter_init(&a, &arena, x, f->version, true);
    sql_splitter_init(&b, &arena, y, f->version, true);
    bool same = characters(x) == characters(y), more = true;
    while (same && more) {
        mark = sl_arena_mark(&arena);
        more = sql_splitter_next(&a, &p);
        same = more == sql_splitter_next(&b, &q);
        if (same && more) {
            same = p.terminated == q.terminated && p.inner.n == q.inner.n &&
                   same_tokens(&arena, sl_str_sub(x, p.off, p.end - p.off),
                               sl_str_sub(y, q.off, q.end - q.off), f->version, NULL);
        }
        sl_arena_rewind(&arena, mark);
    }
    return same;
}

bool sql_format(struct sl_arena *a, sl_str name, sl_str text, const struct sql_fmt_options *o,
                struct sql_fmt *ret, struct sl_err *err)
{
    *ret = (struct sql_fmt){.text = text};
    if (text.n > SL_LIMIT_FMT_BYTES) {
        return sl_fail(err, SL_LIMIT, "%.*s is larger than %zu MB", SL_S(name), SL_LIMIT_FMT_BYTES >> 20);
    }
    size_t valid = sl_utf8_valid_prefix(text);
    if (valid < text.n) {
        return sl_fail_at(err, SL_UTF8, sl_pos_at(text, valid, 1), "%.*s is not UTF-8", SL_S(name));
    }
    bool bom = sl_str_starts(text, SL_STR("\xef\xbb\xbf"));
    struct fmt f = {.arena = a, .o = o, .ret = ret, .text = text};
    f.version = o->flink ? o->flink : SQL_FLINK_DEFAULT;
    f.width = o->width ? o->width : SL_LIMIT_FMT_WIDTH;
    f.eol = line_end_of(text);
    f.at = bom ? 3 : 0;
    sl_buf_init(&f.out, 4 * SL_LIMIT_FMT_BYTES);
    sl_buf_init(&f.one, 4 * SL_LIMIT_FMT_BYTES);
    sql_script_init(&ret->script, a, f.version);
    struct sql_file *file = sl_vec_add(a, &ret->script.files);
    file->name = sl_str_dup(a, name);
    sql_lines_init(&file->lines, a, text);
    struct sql_splitter sp;
    struct sql_piece piece;
    SL_ARENA_AUTO pieces = {0};
    struct sl_arena_mark empty = sl_arena_mark(&pieces);
    sql_splitter_init(&sp, &pieces, text, f.version, true);
    sql_lex_init(&f.ends, text, f.version, false);
    while (!f.open_end && !f.out.full && !f.one.full && sql_splitter_next(&sp, &piece)) {
        format_piece(&f, &piece);
        sl_arena_rewind(&pieces, empty);
    }
    (void)put_between(&f, (uint32_t)text.n, 0, false);
    if (f.any && !f.open_end && f.out.n && f.out.p[f.out.n - 1] != '\n') {
        sl_buf_putz(&f.out, f.eol);
    }
    bool full = f.out.full || f.one.full;
    sl_str body = full ? SL_STR_NONE : sl_str_dup(a, sl_buf_str(&f.out));
    sl_str old = bom ? sl_str_sub(text, 3, text.n - 3) : text;
    bool same = full || same_script(&f, old, body);
    ret->text = bom ? sl_arena_printf(a, "\xef\xbb\xbf%.*s", SL_S(body)) : body;
    ret->changed = !sl_str_eq(ret->text, text);
    sl_buf_release(&f.out);
    sl_buf_release(&f.one);
    sl_arena_release(&f.scratch);
    if (full) {
        return sl_fail(err, SL_LIMIT, "%.*s would become too large", SL_S(name));
    }
    return same || sl_fail(err, SL_INTERNAL, "laying out %.*s would have changed it", SL_S(name));
}
