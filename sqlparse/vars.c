/* SPDX-License-Identifier: Apache-2.0
 * Variables: looking them up and putting their values in place, with a map back to the file as written. */
#include "sqlparse/vars.h"

#include "base/buf.h"
#include "base/limits.h"

/* One replacement run over a statement. */
struct filler {
    struct sql_script *s;
    struct sql_stmt *st;
    const struct sql_vars *v;
    sl_str text; /* of the whole file */
    struct sl_buf out;
    SL_VEC(struct sql_patch) patches;
    bool secret;                   /* a secret went into what is being written */
    bool ok;                       /* false: something in it had no value */
    sl_str key;                    /* the option in front, for the hint */
    uint32_t place_off, place_len; /* of the outermost ${...}: where its errors are shown */
};

bool sql_var_name_ok(sl_str name)
{
    if (!name.n) {
        return false;
    }
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '.' || c == '-'))) {
            return false;
        }
    }
    return true;
}

bool sql_vars_add(struct sql_vars *v, struct sl_arena *a, sl_str name, sl_str value, const char *source,
                  struct sl_err *err)
{
    if (!sql_var_name_ok(name)) {
        sl_fail(err, SL_USAGE, "'%.*s' cannot be the name of a variable", SL_S(name));
        return sl_hint(err, "a letter or _, then letters, digits, '_', '.' and '-'");
    }
    struct sql_var *var = sl_vec_add(a, &v->list);
    var->name = sl_str_dup(a, name);
    var->value = sl_str_dup(a, value);
    var->source = sl_str_dup(a, sl_str_of(source));
    var->secret = sl_str_starts(name, SL_STR("secret."));
    return true;
}

const struct sql_var *sql_vars_find(const struct sql_vars *v, sl_str name)
{
    for (size_t i = v->list.n; i-- > 0;) {
        if (sl_str_eq(v->list.v[i].name, name)) {
            return &v->list.v[i];
        }
    }
    return NULL;
}

static void note_used(struct filler *f, const struct sql_var *var)
{
    for (size_t i = 0; i < f->s->used.n; i++) {
        if (sl_str_eq(f->s->used.v[i].name, var->name)) {
            return;
        }
    }
    sl_vec_push(f->s->arena, &f->s->used, *var);
}

static struct sl_pos place(const struct filler *f)
{
    return sql_lines_pos(&f->s->files.v[f->st->file].lines, f->place_off, f->place_len);
}

/* What a value looks like, from the option it is for. */
static const char *example_of(sl_str key)
{
    static const struct {
        const char *part, *example;
    } examples[] = {{"bootstrap.servers", "HOST:PORT"},
                    {"url", "URL"},
                    {"uri", "URL"},
                    {"hosts", "HOST:PORT"},
                    {"hostname", "HOST"},
                    {"port", "PORT"},
                    {"path", "PATH"},
                    {"topic", "TOPIC"},
                    {"username", "USER"},
                    {"password", "WORD"},
                    {"dir", "PATH"}};
    for (size_t i = 0; i < SL_ARRAY_LEN(examples); i++) {
        if (sl_str_find(key, sl_str_of(examples[i].part)) >= 0) {
            return examples[i].example;
        }
    }
    return "VALUE";
}

static void say_undefined(struct filler *f, sl_str name)
{
    struct sql_diag *d = sql_diag_add(f->s, SL_VARIABLE_UNDEFINED, SQL_ERROR, f->st->number, place(f),
                                      "variable '%.*s' has no value", SL_S(name));
    if (!d) {
        return;
    }
    struct sl_arena *a = f->s->arena;
    if (sl_str_starts(name, SL_STR("env."))) {
        d->hint = sl_arena_printf(a, "set %.*s in the environment, or write ${%.*s:-DEFAULT}",
                                  SL_S(sl_str_sub(name, 4, name.n - 4)), SL_S(name));
        return;
    }
    if (sl_str_starts(name, SL_STR("secret."))) {
        d->hint = sl_arena_printf(a, "give it with --var-file FILE, in a line  %.*s=VALUE", SL_S(name));
        return;
    }
    sl_str near = SL_STR_NONE;
    size_t best = name.n < 4 ? 1 : 2;
    for (size_t i = 0; i < f->v->list.n; i++) {
        size_t distance = sl_str_distance(name, f->v->list.v[i].name, best);
        if (distance <= best) {
            near = f->v->list.v[i].name;
            best = distance;
        }
    }
    d->hint = near.n ? sl_arena_printf(a, "did you mean '%.*s'?", SL_S(near))
                     : sl_arena_printf(a, "give it with --var %.*s=%s, or under 'vars:' in sluice.yaml",
                                       SL_S(name), example_of(f->key));
}

static void say_wrong(struct filler *f, const char *what, const char *hint)
{
    struct sql_diag *d =
        sql_diag_add(f->s, SL_VARIABLE_SYNTAX, SQL_ERROR, f->st->number, place(f), "%s", what);
    if (d) {
        d->hint = sl_str_of(hint);
    }
    f->ok = false;
}

static bool expand(struct filler *f, struct sl_buf *value, sl_str in, unsigned depth);

/* The value of ${inside}. */
static bool value_of(struct filler *f, struct sl_buf *value, sl_str inside, unsigned depth)
{
    ptrdiff_t at = sl_str_find(inside, SL_STR(":-"));
    sl_str name = at < 0 ? inside : sl_str_sub(inside, 0, (size_t)at);
    if (!sql_var_name_ok(name)) {
        say_wrong(f, name.n ? "this is no name of a variable" : "the name of a variable is missing",
                  "${name}, ${name:-default}, ${env.NAME} or ${secret.name}; $${ stands for a plain ${");
        return false;
    }
    if (depth >= SL_LIMIT_VARIABLE_DEPTH) {
        say_wrong(f, "defaults are nested too deep", "at most 16 levels");
        return false;
    }
#if defined(PLANT) && PLANT == 4
    char copy[12];
    memcpy(copy, name.p, name.n);
    name = sl_str_dup(f->s->arena, (sl_str){copy, name.n});
#endif
    const struct sql_var *var = sql_vars_find(f->v, name);
    struct sql_var own = {.name = name, .source = SL_STR("environment")};
    if (!var && sl_str_starts(name, SL_STR("env.")) && f->v->env) {
        const char *env =
            f->v->env(f->v->env_ctx, sl_arena_strdupz(f->s->arena, sl_str_sub(name, 4, name.n - 4)));
        if (env) {
            own.name = sl_str_dup(f->s->arena, name); /* the expression it was read from may be gone soon */
            own.value = sl_str_dup(f->s->arena, sl_str_of(env));
            var = &own;
        }
    }
    if (var && (var->value.n || at < 0)) {
        f->secret |= var->secret;
        note_used(f, var);
        sl_buf_puts(value, var->value);
        return true;
    }
    if (at >= 0) {
        return expand(f, value, sl_str_sub(inside, (size_t)at + 2, inside.n - (size_t)at - 2), depth + 1);
    }
    say_undefined(f, name);
    f->ok = false;
    return false;
}

/* Plain text with its variables replaced. */
static bool expand(struct filler *f, struct sl_buf *value, sl_str in, unsigned depth)
{
    bool ok = true;
    for (size_t i = 0; i < in.n;) {
        if (in.p[i] != '$' || i + 1 >= in.n) {
            sl_buf_putc(value, in.p[i++]);
        } else if (in.p[i + 1] == '$' && i + 2 < in.n && in.p[i + 2] == '{') {
            sl_buf_putz(value, "${");
            i += 3;
        } else if (in.p[i + 1] == '{') {
            size_t end = sql_variable_end(in, i);
            if (!end) {
                say_wrong(f, "'${' has no '}'", "close it on the same line, or write $${ for a plain ${");
                return false;
            }
            ok &= value_of(f, value, sl_str_sub(in, i + 2, end - i - 3), depth);
            i = end;
        } else {
            sl_buf_putc(value, in.p[i++]);
        }
    }
    return ok;
}

static void add_patch(struct filler *f, size_t sql_off, uint32_t off, uint32_t len, bool whole)
{
    struct sql_patch p = {.sql_off = (uint32_t)sql_off,
                          .sql_len = (uint32_t)(f->out.n - sql_off),
                          .off = off,
                          .len = len,
                          .secret = f->secret,
                          .whole = whole};
    sl_vec_push(f->s->arena, &f->patches, p);
    f->secret = false;
}

/* A value inside a literal or name: the quote is doubled, and the backslash where it escapes. */
static void put_quoted(struct sl_buf *out, sl_str value, char quote, bool backslash)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == quote || (backslash && value.p[i] == '\\')) {
            sl_buf_putc(out, value.p[i]);
        }
        sl_buf_putc(out, value.p[i]);
    }
}

static bool is_number(sl_str s)
{
    size_t i = 0, digits = 0;
    i += s.n && s.p[0] == '-';
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        digits++;
    }
    if (i < s.n && s.p[i] == '.' && digits) {
        size_t fraction = 0;
        for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
            fraction++;
        }
        digits = fraction ? digits : 0;
    }
    return digits && i == s.n;
}

static bool fits_name(struct filler *f, sl_str value)
{
    bool line = sl_str_find_char(value, '\n') >= 0 || sl_str_find_char(value, '\r') >= 0;
    if (value.n && !line) {
        return true;
    }
    say_wrong(f, line ? "a name cannot hold a line break" : "a name cannot be empty", "");
    return false;
}

/* A quoted token: every ${...} in it is replaced where it stands. */
static void fill_quoted(struct filler *f, const struct sql_hole *h, sl_str token)
{
    char quote = token.p[token.n - 1];
    bool backslash = h->kind == TK_ESCAPED_LIT || h->kind == TK_UNICODE_LIT || h->kind == TK_UNICODE_IDENT;
    SL_BUF_AUTO value;
    sl_buf_init(&value, sl_limits.statement_bytes);
    for (size_t i = 0; i < token.n;) {
        if (token.p[i] != '$' || i + 1 >= token.n) {
            sl_buf_putc(&f->out, token.p[i++]);
            continue;
        }
        size_t from = f->out.n;
        f->place_off = h->off + (uint32_t)i;
        if (token.p[i + 1] == '$' && i + 2 < token.n && token.p[i + 2] == '{') {
            sl_buf_putz(&f->out, "${");
            add_patch(f, from, f->place_off, 3, false);
            i += 3;
        } else if (token.p[i + 1] == '{') {
            size_t end = sql_variable_end(token, i);
            f->place_len = end ? (uint32_t)(end - i) : 2;
            if (!end) {
                say_wrong(f, "'${' has no '}'", "close it on the same line, or write $${ for a plain ${");
                sl_buf_putz(&f->out, "${");
                i += 2;
                continue;
            }
            /* what is inside was written inside quotes, so its quotes are doubled */
            sl_str inside = sl_str_sub(token, i + 2, end - i - 3);
            SL_BUF_AUTO plain;
            sl_buf_init(&plain, 0);
            for (size_t k = 0; k < inside.n; k++) {
                sl_buf_putc(&plain, inside.p[k]);
                k += inside.p[k] == quote && k + 1 < inside.n && inside.p[k + 1] == quote;
            }
            sl_buf_clear(&value);
            if (value_of(f, &value, sl_buf_str(&plain), 0) &&
                (quote == '\'' || fits_name(f, sl_buf_str(&value)))) {
                put_quoted(&f->out, sl_buf_str(&value), quote, backslash);
            } else {
                put_quoted(&f->out, sl_str_sub(token, i, end - i), '\0', false);
            }
            add_patch(f, from, f->place_off, (uint32_t)(end - i), false);
            i = end;
        } else {
            sl_buf_putc(&f->out, token.p[i++]);
        }
    }
}

/* A variable outside quotes: one whole literal or name. */
static void fill_whole(struct filler *f, const struct sql_hole *h, sl_str token)
{
    size_t from = f->out.n;
    f->place_off = h->off;
    f->place_len = h->len;
    if (h->glued) {
        say_wrong(f, "a variable outside quotes stands for one whole literal or name",
                  "put the parts together inside quotes: 'a${b}' or `a${b}`");
    }
    SL_BUF_AUTO value;
    sl_buf_init(&value, sl_limits.statement_bytes);
    bool ok = value_of(f, &value, sl_str_sub(token, 2, token.n - 3), 0);
    sl_str text = ok ? sl_buf_str(&value) : token;
    bool number = ok && h->place != SQL_HOLE_STRING && is_number(text);
    bool name = h->place == SQL_HOLE_PART || (h->place == SQL_HOLE_NAME && !number);
    if (name && fits_name(f, text)) {
        sl_buf_putc(&f->out, '`');
        put_quoted(&f->out, text, '`', false);
        sl_buf_putc(&f->out, '`');
    } else if (number) {
        sl_buf_puts(&f->out, text);
    } else {
        sl_buf_putc(&f->out, '\'');
        put_quoted(&f->out, text, '\'', false);
        sl_buf_putc(&f->out, '\'');
    }
    add_patch(f, from, h->off, h->len, true);
}

static void begin(struct filler *f, struct sql_script *s, struct sql_stmt *st, const struct sql_vars *v)
{
    *f = (struct filler){.s = s, .st = st, .v = v, .text = s->files.v[st->file].lines.text, .ok = true};
    sl_buf_init(&f->out, sl_limits.statement_bytes);
}

static void end_with(struct filler *f)
{
    if (f->out.full) {
        sql_diag_add(f->s, SL_LIMIT, SQL_ERROR, f->st->number, f->st->pos,
                     "with its variables replaced the statement is longer than %s",
                     SL_SIZE(sl_limits.statement_bytes));
    } else {
        f->st->sql = sl_str_dup(f->s->arena, sl_buf_str(&f->out));
        f->st->patches = f->patches.v;
        f->st->n_patches = f->patches.n;
    }
    f->st->bad |= !f->ok;
    sl_buf_release(&f->out);
}

void sql_vars_apply(struct sql_script *s, struct sql_stmt *st, const struct sql_vars *v, uint32_t off,
                    uint32_t end, const struct sql_hole *holes, size_t n_holes)
{
    struct filler f;
    begin(&f, s, st, v);
    uint32_t at = off;
    for (size_t i = 0; i < n_holes; i++) {
        const struct sql_hole *h = &holes[i];
        sl_str token = sl_str_sub(f.text, h->off, h->len);
        f.key = sl_str_sub(f.text, h->key_off, h->key_len);
        sl_buf_put(&f.out, f.text.p + at, h->off - at);
        if (h->kind == TK_VARIABLE) {
            fill_whole(&f, h, token);
        } else {
            fill_quoted(&f, h, token);
        }
        at = h->off + h->len;
    }
    sl_buf_put(&f.out, f.text.p + at, end - at);
    end_with(&f);
}

static sl_str expand_part(struct filler *f, sl_str part)
{
    SL_BUF_AUTO value;
    sl_buf_init(&value, sl_limits.statement_bytes);
    for (size_t i = 0; i < part.n;) {
        size_t end =
            part.p[i] == '$' && i + 1 < part.n && part.p[i + 1] == '{' ? sql_variable_end(part, i) : 0;
        end = end ? end : i + 1;
        if (part.p[i] == '$' && i + 2 < part.n && part.p[i + 1] == '$' && part.p[i + 2] == '{') {
            end = i + 3;
        }
        f->place_off = (uint32_t)(part.p + i - f->text.p);
        f->place_len = (uint32_t)(end - i);
        expand(f, &value, sl_str_sub(part, i, end - i), 0);
        i = end;
    }
    return sl_str_dup(f->s->arena, sl_buf_str(&value));
}

void sql_vars_apply_command(struct sql_script *s, struct sql_stmt *st, const struct sql_vars *v, uint32_t off,
                            uint32_t end)
{
    struct filler f;
    begin(&f, s, st, v);
    if (sl_str_find(sl_str_sub(f.text, off, end - off), SL_STR("${")) < 0) {
        sl_buf_release(&f.out);
        return;
    }
    f.key = st->key;
    uint32_t value_off = st->value.p ? (uint32_t)(st->value.p - f.text.p) : end,
             value_len = (uint32_t)st->value.n;
    st->key = expand_part(&f, st->key);
    sl_buf_putz(&f.out, st->kind == SQL_KIND_RESET ? "RESET '" : "SET '");
    put_quoted(&f.out, st->key, '\'', false);
    if (st->kind != SQL_KIND_RESET) {
        sl_buf_putz(&f.out, "' = '");
        add_patch(&f, 0, off, value_off - off, false);
        size_t from = f.out.n;
        st->value = expand_part(&f, st->value);
        put_quoted(&f.out, st->value, '\'', false);
        add_patch(&f, from, value_off, value_len, false);
    }
    size_t from = st->kind == SQL_KIND_RESET ? 0 : f.out.n;
    value_off = st->kind == SQL_KIND_RESET ? off : value_off;
    sl_buf_putc(&f.out, '\'');
    add_patch(&f, from, value_off + value_len, end - value_off - value_len, false);
    end_with(&f);
}

sl_str sql_stmt_masked(const struct sql_stmt *st, struct sl_arena *a)
{
    bool any = false;
    for (size_t i = 0; i < st->n_patches; i++) {
        any |= st->patches[i].secret;
    }
    if (!any) {
        return st->sql;
    }
    SL_BUF_AUTO out;
    sl_buf_init(&out, 0);
    size_t at = 0;
    for (size_t i = 0; i < st->n_patches; i++) {
        const struct sql_patch *p = &st->patches[i];
        if (!p->secret) {
            continue;
        }
        sl_buf_put(&out, st->sql.p + at, p->sql_off - at);
        bool quote =
            p->whole && p->sql_len && (st->sql.p[p->sql_off] == '\'' || st->sql.p[p->sql_off] == '`');
        sl_buf_put(&out, st->sql.p + p->sql_off, quote);
        sl_buf_putz(&out, "******");
        sl_buf_put(&out, st->sql.p + p->sql_off, quote);
        at = p->sql_off + p->sql_len;
    }
    sl_buf_put(&out, st->sql.p + at, st->sql.n - at);
    return sl_str_dup(a, sl_buf_str(&out));
}
