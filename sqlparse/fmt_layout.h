/* SPDX-License-Identifier: Apache-2.0
 * Between tokens and lines, private to the formatter: a statement as tokens with the comments in front of
 * them, groups of tokens that stand on one line or are broken together, and where a line may begin. All of it
 * lives in one arena, which the caller rewinds after each statement. */
#ifndef SLUICE_SQLPARSE_FMT_LAYOUT_H
#define SLUICE_SQLPARSE_FMT_LAYOUT_H

#include "base/buf.h"
#include "sqlparse/ast.h"
#include "sqlparse/token.h"

#define FMT_INDENT 2
#define FMT_NONE   UINT32_MAX

struct fmt_comment {
    uint32_t off, len;
    bool line;      /* -- or // */
    bool own_line;  /* nothing but blanks before it on its line */
    bool ends_line; /* nothing but blanks behind it */
    bool blank;     /* an empty line stands before it */
};

enum fmt_break {
    FMT_NEVER,
    FMT_SOFT, /* a new line when its group is broken */
    FMT_FILL, /* a new line when its group is broken and the next piece does not fit */
};
enum fmt_mode { FMT_LIST, FMT_FILLED, FMT_CLAUSES, FMT_PLAIN };

struct fmt_token {
    uint32_t off, len; /* in the source */
    uint16_t kind, word;
    bool upper, space, space_fixed, blank;
    uint8_t brk, indent; /* of a line that begins here, in columns beyond its group's */
    uint8_t mode;        /* of a bracket that opens */
    uint16_t pad;        /* blanks more in front when `group` is broken */
    uint32_t group;      /* whose break (or padding) this is */
    uint32_t partner;    /* of a bracket; FMT_NONE: none */
    uint32_t inside;     /* of a bracket that opens: its group; FMT_NONE: too small to be broken */
    uint32_t comment, n_comments;
    uint32_t width, tail; /* columns of its first and of its last line */
};

struct fmt_group {
    uint32_t first, last;
    uint32_t column; /* the printer's: indentation of the line it begins on */
    bool force, broken;
};

struct fmt_stmt {
    struct sl_arena *arena;
    sl_str text;   /* of the statement, as written */
    sl_str parsed; /* the same with stand-ins for variables outside quotes, byte for byte as long */
    sql_version version;
    uint8_t *names; /* where identifiers begin; NULL: nowhere */
    const struct sql_node *ast;
    SL_VEC(struct fmt_token) toks;
    SL_VEC(struct fmt_comment) comments;
    SL_VEC(struct fmt_group) groups; /* the first holds the whole statement and is always broken */
    size_t steps;                    /* counted by fmt_print() */
};

/* The comments in text[from, to), which holds nothing else but blanks and, between statements, ';'.
 * `line_start`: only blanks stand before `from` on its line. */
typedef SL_VEC(struct fmt_comment) fmt_comments;
void fmt_scan(struct sl_arena *a, sl_str text, uint32_t from, uint32_t to, bool line_start,
              fmt_comments *ret);
/* Columns on a terminal of text without line ends. */
uint32_t fmt_width(sl_str s);

/* Fills toks, comments, with blanks between them and brackets paired. */
void fmt_tokens(struct fmt_stmt *s);
/* Decides where lines may begin; uses ast, which may be NULL. */
void fmt_layout(struct fmt_stmt *s);
/* Writes the statement, without its ';' and without a line end; `indent` columns stand before every line but
 * the first; lines end with `eol`. */
void fmt_print(struct fmt_stmt *s, uint32_t indent, uint32_t width, const char *eol, struct sl_buf *out);

#endif
