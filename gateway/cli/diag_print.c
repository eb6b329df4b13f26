/* SPDX-License-Identifier: Apache-2.0
 * Rendering: the line as it was written with tabs made spaces and control characters made visible, the caret
 * by display width, hints below. Long lines are cut around the place. */
#include "gateway/cli/diag_print.h"

#include <errno.h>

#include <stdlib.h>
#include <unistd.h>
#include <utf8proc.h>

#include "base/utf8.h"

#define LINE_COLUMNS 160 /* of a source line */

struct ink {
    bool on;
    const char *error, *warning, *dim, *none;
};

static struct ink ink_of(bool colour)
{
    return colour ? (struct ink){true, "\033[1;31m", "\033[1;33m", "\033[2m", "\033[0m"}
                  : (struct ink){false, "", "", "", ""};
}

bool cli_wants_colour(int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fd) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

int cli_output_errno;

void cli_put(FILE *f, sl_str s)
{
    if (s.n && fwrite(s.p, 1, s.n, f) != s.n && f == stdout) {
        cli_output_errno = errno;
    }
}

/* Columns of one code point; control characters are shown as one replacement character. */
static size_t point_width(uint32_t cp, size_t column)
{
    if (cp == '\t') {
        return CLI_TAB - column % CLI_TAB;
    }
    if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
        return 1;
    }
    int w = utf8proc_charwidth((utf8proc_int32_t)cp);
    return w > 0 ? (size_t)w : 0;
}

size_t cli_display_width(sl_str text, size_t from_column)
{
    size_t column = from_column;
    for (size_t i = 0; i < text.n;) {
        unsigned n;
        uint32_t cp = sl_utf8_decode(text.p + i, text.p + text.n, &n);
        column += point_width(cp, column);
        i += n;
    }
    return column - from_column;
}

static void put_spaces(struct sl_buf *out, size_t n)
{
    while (n-- > 0) {
        sl_buf_putc(out, ' ');
    }
}

/* A direction mark could turn the line around on the screen. */
static bool is_hidden(uint32_t cp)
{
    return (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0x200e || cp == 0x200f;
}

static void put_source(struct sl_buf *out, sl_str text, size_t column)
{
    for (size_t i = 0; i < text.n;) {
        unsigned n;
        uint32_t cp = sl_utf8_decode(text.p + i, text.p + text.n, &n);
        size_t w = point_width(cp, column);
        if (cp == '\t') {
            put_spaces(out, w);
        } else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
            sl_buf_putz(out, "\xef\xbf\xbd");
        } else if (!is_hidden(cp)) {
            sl_buf_put(out, text.p + i, n);
        }
        column += w;
        i += n;
    }
}

static unsigned digits_of(uint32_t n)
{
    unsigned d = 1;
    for (; n >= 10; n /= 10) {
        d++;
    }
    return d;
}

/* One source line and what is underlined in it. */
struct mark {
    uint32_t line;
    size_t from, to; /* bytes in the line */
    char with;
    sl_str label;
};

static struct mark mark_of(const struct sql_lines *lines, struct sl_pos pos, char with, sl_str label)
{
    sl_str text = sql_lines_text(lines, pos.line);
    size_t start = (size_t)(text.p - lines->text.p);
    size_t from = pos.off > start ? pos.off - start : 0;
    size_t end = (size_t)pos.off + pos.len;
    size_t to = end > start ? end - start : 0;
    return (struct mark){pos.line, SL_MIN(from, text.n), SL_MIN(SL_MAX(to, from), text.n), with, label};
}

/* Stops looking where it is clear: lines may be very long, and there may be many mistakes in one. */
static bool fits(sl_str text)
{
    size_t column = 0;
    for (size_t i = 0; i < text.n && column <= LINE_COLUMNS;) {
        unsigned n;
        uint32_t cp = sl_utf8_decode(text.p + i, text.p + text.n, &n);
        column += point_width(cp, column);
        i += n;
    }
    return column <= LINE_COLUMNS;
}

/* Cuts a long line so that the mark can be seen; moves the mark along. Cuts never split a code point. */
static sl_str window(sl_str text, struct mark *m, bool *ret_left, bool *ret_right)
{
    *ret_left = *ret_right = false;
    if (fits(text)) {
        return text;
    }
    size_t from = m->from > LINE_COLUMNS / 3 ? m->from - LINE_COLUMNS / 3 : 0;
    while (from > 0 && ((unsigned char)text.p[from] & 0xc0) == 0x80) {
        from--;
    }
    size_t to = from, column = 0;
    while (to < text.n && column < LINE_COLUMNS) {
        unsigned n;
        uint32_t cp = sl_utf8_decode(text.p + to, text.p + text.n, &n);
        column += point_width(cp, column);
        to += n;
    }
    *ret_left = from > 0;
    *ret_right = to < text.n;
    m->from -= from;
    m->to = SL_MIN(m->to, to) - from;
    return sl_str_sub(text, from, to - from);
}

static void put_mark(struct sl_buf *out, const struct sql_lines *lines, struct mark m, unsigned width,
                     const struct ink *ink, const char *colour, bool with_line)
{
    bool left, right;
    sl_str text = window(sql_lines_text(lines, m.line), &m, &left, &right);
    size_t lead = left ? 1 : 0;
    if (with_line) {
        sl_buf_printf(out, "%s%*u |%s ", ink->dim, (int)width, m.line, ink->none);
        sl_buf_putz(out, left ? "\xe2\x80\xa6" : "");
        put_source(out, text, lead);
        sl_buf_putz(out, right ? "\xe2\x80\xa6\n" : "\n");
    }
    size_t column = lead + cli_display_width(sl_str_sub(text, 0, m.from), lead);
    size_t marked = cli_display_width(sl_str_sub(text, m.from, m.to - m.from), column);
    sl_buf_printf(out, "%s%*s |%s ", ink->dim, (int)width, "", ink->none);
    put_spaces(out, column);
    sl_buf_putz(out, colour);
    for (size_t i = 0; i < SL_MAX(marked, (size_t)1); i++) {
        sl_buf_putc(out, m.with);
    }
    if (m.label.n) {
        sl_buf_printf(out, " %.*s", SL_S(m.label));
    }
    sl_buf_printf(out, "%s\n", ink->none);
}

/* "= hint: " and its further lines below its first word. */
static void put_note(struct sl_buf *out, unsigned indent, const char *what, sl_str text)
{
    size_t lead = indent + strlen(what);
    bool first = true;
    while (text.n) {
        const char *nl = memchr(text.p, '\n', text.n);
        size_t n = nl ? (size_t)(nl - text.p) : text.n;
        if (first) {
            put_spaces(out, indent);
            sl_buf_putz(out, what);
        } else {
            put_spaces(out, lead);
        }
        sl_buf_puts(out, sl_str_sub(text, 0, n));
        sl_buf_putc(out, '\n');
        first = false;
        text = sl_str_sub(text, SL_MIN(n + 1, text.n), text.n - SL_MIN(n + 1, text.n));
    }
}

struct view {
    enum sl_code code;
    enum sql_severity severity;
    sl_str msg, note, hint, flink, file;
    const struct sql_lines *lines; /* NULL: no source is shown */
    struct sl_pos pos, second;
    sl_str second_label;
};

/* Whose words the foreign text is. */
static const char *who_said(enum sl_code code)
{
    sl_str slug = sl_str_of(sl_code_slug(code));
    return sl_str_starts(slug, SL_STR("pg-"))      ? "= PostgreSQL: "
           : sl_str_starts(slug, SL_STR("kafka-")) ? "= Kafka: "
                                                   : "= Flink: ";
}

/* A warning about what lies outside the script says what was seen in lines of its own: there the place is enough, behind the first line's words. */
static bool put_outside(struct sl_buf *out, const struct view *v)
{
    ptrdiff_t nl = sl_str_find_char(v->msg, '\n');
    if (v->severity != SQL_WARNING || nl < 0 || !v->lines || v->pos.off == SL_NO_POS) {
        return false;
    }
    size_t n = (size_t)nl;
    bool closes = n > 0 && v->msg.p[n - 1] == ')';
    sl_buf_printf(out, "%.*s%s%.*s:%u:%u)%.*s\n", (int)(n - closes), v->msg.p, closes ? ", " : " (",
                  SL_S(v->file), v->pos.line, v->pos.col, (int)(v->msg.n - n), v->msg.p + n);
    return true;
}

static void print_view(struct sl_buf *out, const struct view *v, bool colour)
{
    static const char *const names[] = {"error", "warning", "info"};
    struct ink ink = ink_of(colour);
    const char *own = v->severity == SQL_ERROR     ? ink.error
                      : v->severity == SQL_WARNING ? ink.warning
                                                   : ink.dim;
    sl_buf_printf(out, "%s%s[%s]%s: ", own, names[v->severity], sl_code_slug(v->code), ink.none);
    unsigned indent = 2;
    bool outside = put_outside(out, v);
    if (!outside) {
        sl_buf_printf(out, "%.*s\n", SL_S(v->msg));
    }
    if (!outside && v->lines && v->pos.off != SL_NO_POS) {
        bool second = v->second.off != SL_NO_POS;
        uint32_t last = SL_MAX(v->pos.line, second ? v->second.line : 0);
        unsigned width = SL_MAX(digits_of(last), 2u);
        indent = width + 1;
        sl_buf_printf(out, "%s%*s-->%s %.*s:%u:%u\n", ink.dim, (int)width, "", ink.none, SL_S(v->file),
                      v->pos.line, v->pos.col);
        sl_buf_printf(out, "%s%*s |%s\n", ink.dim, (int)width, "", ink.none);
        struct mark first = mark_of(v->lines, v->pos, '^', SL_STR_NONE);
        if (!second) {
            put_mark(out, v->lines, first, width, &ink, own, true);
        } else {
            struct mark other = mark_of(v->lines, v->second, '-', v->second_label);
            bool other_first = other.line < first.line;
            put_mark(out, v->lines, other_first ? other : first, width, &ink, other_first ? ink.dim : own,
                     true);
            put_mark(out, v->lines, other_first ? first : other, width, &ink, other_first ? own : ink.dim,
                     other.line != first.line);
        }
    }
    put_note(out, indent, "= ", v->note);
    put_note(out, indent, "= hint: ", v->hint);
    if (v->flink.n) {
        SL_BUF_AUTO said;
        sl_buf_init(&said, 0);
        /* of what our own grammar says there is no stack */
        bool stack = v->code != SL_NOT_SUPPORTED && v->code != SL_VERSION_NEEDED;
        const char *who = who_said(v->code);
        bool java = strstr(who, "Flink") == NULL; /* else it is Java's word already */
        sl_buf_printf(&said, "%.*s%s", SL_S(v->flink),
                      !stack ? ""
                      : java ? "   (--stack for the Java chain)"
                             : "   (--stack)");
        put_note(out, indent, who, sl_buf_str(&said));
    }
}

void cli_diag_print(struct sl_buf *out, const struct sql_script *s, const struct sql_diag *d, bool colour)
{
    const struct sql_file *file = d->file < s->files.n ? &s->files.v[d->file] : NULL;
    /* where our own words say the same, Flink's are left to --json */
    bool own = d->code == SL_SYNTAX || d->code == SL_LEXICAL || d->code == SL_RESERVED_WORD;
    print_view(out,
               &(struct view){.code = d->code,
                              .severity = d->severity,
                              .msg = d->msg,
                              .note = d->note,
                              .hint = d->hint,
                              .flink = own ? SL_STR_NONE : d->flink,
                              .file = file ? file->name : SL_STR_NONE,
                              .lines = file ? &file->lines : NULL,
                              .pos = d->pos,
                              .second = d->second,
                              .second_label = d->second_label},
               colour);
}

void cli_diags_print(struct sl_buf *out, struct sql_script *s, bool colour)
{
    sql_diags_sort(s);
    for (size_t i = 0; i < s->diags.list.n; i++) {
        cli_diag_print(out, s, &s->diags.list.v[i], colour);
        sl_buf_putc(out, '\n');
    }
    if (s->diags.dropped) {
        sl_buf_printf(out, "... and %zu more\n\n", s->diags.dropped);
    }
}

void cli_error_print(struct sl_buf *out, const struct sl_err *err, const char *file, sl_str text, bool colour)
{
    struct sl_arena scratch = {0};
    struct sql_lines lines;
    bool placed =
        file && err->pos.off != SL_NO_POS && err->pos.off <= text.n && sl_utf8_valid_prefix(text) == text.n;
    if (placed) {
        sql_lines_init(&lines, &scratch, text);
    }
    print_view(out,
               &(struct view){.code = err->code,
                              .severity = SQL_ERROR,
                              .msg = sl_str_of(err->msg),
                              .hint = sl_str_of(err->hint),
                              .file = sl_str_of(file ? file : ""),
                              .lines = placed ? &lines : NULL,
                              .pos = err->pos,
                              .second = SL_POS_NONE},
               colour);
    sl_arena_release(&scratch);
}

void cli_diag_json(struct sl_jw *w, const struct sql_script *s, const struct sql_diag *d, bool with_file)
{
    static const char *const names[] = {"error", "warning", "info"};
    sl_jw_object(w);
    if (with_file && d->file < s->files.n) {
        sl_jw_kstr(w, "file", s->files.v[d->file].name);
    }
    sl_jw_kstrz(w, "code", sl_code_slug(d->code));
    sl_jw_kstrz(w, "severity", names[d->severity]);
    sl_jw_kstr(w, "message", d->msg);
    if (d->note.n) {
        sl_jw_kstr(w, "note", d->note);
    }
    sl_jw_kstr(w, "hint", d->hint);
    sl_jw_ki64(w, "statement", d->statement);
    bool placed = d->pos.off != SL_NO_POS;
    sl_jw_ki64(w, "offset", placed ? (int64_t)d->pos.off : 0);
    sl_jw_ki64(w, "length", placed ? (int64_t)d->pos.len : 0);
    sl_jw_ki64(w, "line", placed ? d->pos.line : 1);
    sl_jw_ki64(w, "column", placed ? d->pos.col : 1);
    sl_jw_ki64(w, "endLine", placed ? d->pos.end_line : 1);
    sl_jw_ki64(w, "endColumn", placed ? d->pos.end_col : 1);
    if (d->flink.n) {
        sl_jw_kstr(w, "flink", d->flink);
    }
    if (d->n_edits) {
        sl_jw_key(w, "edits");
        sl_jw_array(w);
        for (size_t i = 0; i < d->n_edits; i++) {
            sl_jw_object(w);
            sl_jw_ki64(w, "offset", d->edits[i].off);
            sl_jw_ki64(w, "length", d->edits[i].len);
            sl_jw_kstr(w, "text", d->edits[i].text);
            sl_jw_end_object(w);
        }
        sl_jw_end_array(w);
    }
    sl_jw_end_object(w);
}
