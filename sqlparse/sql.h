/* SPDX-License-Identifier: Apache-2.0
 * The public face of sqlparse: a text becomes a script (statements and diagnostics). Pure: no files, no
 * sockets, no globals; the same sources build to WebAssembly. One arena holds everything a script points to.
 */
#ifndef SLUICE_SQLPARSE_SQL_H
#define SLUICE_SQLPARSE_SQL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"

/* A Flink version as major * 100 + minor: 120, 200, 201, 202, 203. */
typedef uint16_t sql_version;
#define SQL_FLINK_1_20    120
#define SQL_FLINK_2_2     202
#define SQL_FLINK_2_3     203
#define SQL_FLINK_DEFAULT SQL_FLINK_2_2
/* "1.20", "2.2.1" ... to 120, 202; fails on versions not known, with the list in the hint. */
SL_MUST_CHECK bool sql_version_parse(sl_str s, sql_version *ret, struct sl_err *err);
const char *sql_version_name(sql_version v); /* "2.2" */

/* What a statement is, by its first words; decided for every statement, also one the grammar rejects. */
enum sql_kind {
    SQL_KIND_UNKNOWN = 0,
#define SQL_KIND(NAME, text, cls) SQL_KIND_##NAME,
#include "sqlparse/kinds.def"
#undef SQL_KIND
    SQL_KIND_MAX_
};
/* How a kind is executed (execution-rules section 4 of the project's design; docs/execution.md). */
enum sql_class {
    SQL_CLASS_QUERY,  /* rows: the push sink */
    SQL_CLASS_INSERT, /* one job: INSERT, CTAS, RTAS, UPDATE, DELETE, EXECUTE <insert> */
    SQL_CLASS_SET_OF, /* one job: EXECUTE STATEMENT SET, BEGIN STATEMENT SET ... END */
    SQL_CLASS_DDL,    /* takes effect in a catalog or session */
    SQL_CLASS_USE,    /* USE, LOAD, UNLOAD */
    SQL_CLASS_CONFIG, /* SET k = v, RESET [k] */
    SQL_CLASS_ANSWER, /* SHOW, DESCRIBE, EXPLAIN: rows without a job */
    SQL_CLASS_CALL,   /* CALL, TRUNCATE, ANALYZE, COMPILE PLAN: once, outside effect */
    SQL_CLASS_JAR,    /* ADD, REMOVE, SHOW JARS */
    SQL_CLASS_JOB,    /* SHOW JOBS, DESCRIBE JOB, STOP JOB */
    SQL_CLASS_CLIENT, /* HELP, QUIT, EXIT, CLEAR, BEGIN/END alone */
    SQL_CLASS_OTHER,  /* carried verbatim */
    SQL_CLASS_MAX_
};
const char *sql_kind_name(enum sql_kind k); /* "CREATE TABLE": as `sluice split --json` prints it */
enum sql_class sql_kind_class(enum sql_kind k);

enum sql_severity { SQL_ERROR, SQL_WARNING, SQL_INFO };

/* Bytes [off, off+len) of the file replaced by a text: a part of a quick fix. */
struct sql_edit {
    uint32_t off, len;
    sl_str text;
};

/* One thing that is wrong. Texts live in the script's arena. */
struct sql_diag {
    enum sl_code code;
    enum sql_severity severity;
    sl_str msg, hint;   /* hint may be empty; may hold several lines */
    sl_str note;        /* what else there is to know, above the hint; may be empty */
    sl_str flink;       /* Flink's own text for it, for reference; may be empty */
    uint32_t statement; /* from 1; 0 = none */
    struct sl_pos pos;
    struct sl_pos second; /* a related place, underlined with '-'; off = SL_NO_POS: none */
    sl_str second_label;
    uint16_t file;                /* index into sql_script.files */
    const struct sql_edit *edits; /* the quick fix, in the order of the file; NULL: none */
    size_t n_edits;
};

struct sql_diags {
    SL_VEC(struct sql_diag) list;
    size_t dropped;          /* beyond sl_limits.diagnostics */
    size_t errors, warnings; /* counted before dropping */
};

/* Byte offset to line and column; built once per text. Lines end at LF, CR or CRLF as in Flink. */
struct sql_lines {
    sl_str text;
    uint32_t *starts; /* byte offset of each line; the first begins behind a byte order mark */
    size_t n;
    uint32_t *units; /* UTF-16 units before each SQL_LINES_STEP bytes, so that a column costs no walk over its
                        line */
};
#define SQL_LINES_STEP 1024
void sql_lines_init(struct sql_lines *l, struct sl_arena *a, sl_str text);
/* Line 1-based, column 1-based in UTF-16 units, end exclusive. */
struct sl_pos sql_lines_pos(const struct sql_lines *l, size_t off, size_t len);
/* The text of a line, 1-based, without its line end. */
sl_str sql_lines_text(const struct sql_lines *l, uint32_t line);
/* The inverse: UTF-16 line and column (1-based) to a byte offset, clamped to the line. */
size_t sql_lines_off(const struct sql_lines *l, uint32_t line, uint32_t col);

/* Variables (docs/variables.md). A lookup gives the value of a name or false; `secret` marks values that are
 * masked in every output. */
struct sql_var {
    sl_str name, value, source; /* source: "--var", "sluice.yaml, prod", "environment", "built in" */
    bool secret;
};
struct sql_vars {
    SL_VEC(struct sql_var) list;                     /* later entries win */
    const char *(*env)(void *ctx, const char *name); /* for ${env.NAME}; NULL: none is defined */
    void *env_ctx;
    bool off; /* true: no substitution at all (the stock protocol, check --jsonl) */
};

struct sql_file {
    sl_str name; /* as given: "orders.sql", "-", an init file's path */
    struct sql_lines lines;
};

struct sql_node; /* AST, sqlparse/ast.h */

/* One statement. `text` is the exact slice of the source from its first token to its last (no final ';');
 * `sql` is what Flink gets: variables replaced, leading comments stripped. Positions that Flink reports are
 * inside `sql`; sql_stmt_source_pos() maps them back to the file as written. */
struct sql_stmt {
    uint32_t number; /* from 1, over all files of the script */
    uint16_t file;
    enum sql_kind kind : 8;
    bool terminated : 1; /* a ';' (or the END; of a set) was there */
    bool bad : 1;        /* has an error diagnostic */
    bool has_key : 1;    /* false: SET or RESET alone */
    bool temporary : 1;  /* CREATE/DROP/ALTER TEMPORARY */
    uint32_t n_inner, n_patches;
    struct sl_pos pos;
    sl_str text, sql;
    sl_str key, value; /* SET k = v, RESET k (value empty): unquoted and unescaped */
    sl_str object; /* CREATE/DROP/ALTER/INSERT/DESCRIBE: the name as written; ADD JAR, STOP JOB: the string */
    const struct sql_node *ast;      /* NULL: carried verbatim, bad, or a set: its INSERTs have theirs */
    struct sql_stmt *inner;          /* the INSERTs of a statement set */
    const struct sql_patch *patches; /* where sql differs from text, ascending */
};

/* sql[sql_off, sql_off+sql_len) stands for file text[off, off+len). */
struct sql_patch {
    uint32_t sql_off, sql_len, off, len;
    bool secret; /* a secret value stands there: masked wherever it is shown */
    bool whole;  /* it is a whole literal or name and brings its own quotes */
};

struct sql_script {
    struct sl_arena *arena;
    sql_version flink;
    SL_VEC(struct sql_file) files;
    SL_VEC(struct sql_stmt) stmts;
    struct sql_diags diags;
    SL_VEC(struct sql_var)
    used; /* the variables that were put in place, each once; defaults are not among them */
};

enum sql_level {
    SQL_LEVEL_SPLIT,  /* lexer and splitter only */
    SQL_LEVEL_SYNTAX, /* and the grammar */
};
struct sql_options {
    sql_version flink; /* 0 = SQL_FLINK_DEFAULT */
    enum sql_level level;
    const struct sql_vars *vars; /* NULL: no substitution */
};

/* Starts a script / adds one file's statements to it (init files first). What is wrong with the SQL becomes
 * diagnostics; false only when the text passes a limit or is not UTF-8. The text must outlive the script. */
void sql_script_init(struct sql_script *s, struct sl_arena *a, sql_version flink);
SL_MUST_CHECK bool sql_script_add(struct sql_script *s, sl_str name, sl_str text,
                                  const struct sql_options *opt, struct sl_err *err);
/* Adds a diagnostic (texts are copied), keeps counts, marks the statement bad on an error. NULL when dropped.
 */
struct sql_diag *sql_diag_add(struct sql_script *s, enum sl_code code, enum sql_severity sev,
                              uint32_t statement, struct sl_pos pos, const char *fmt, ...) SL_PRINTF(6, 7);
/* Sorts by file and position; called once before printing. */
void sql_diags_sort(struct sql_script *s);

/* {"index","kind","offset","length","line","column","endLine","endColumn","text","terminated"}; the text only when asked
 * for. */
struct sl_jw;
void sql_stmt_json(struct sl_jw *w, const struct sql_stmt *st, bool with_text);

/* From an offset and length in stmt->sql to the file. */
struct sl_pos sql_stmt_pos(const struct sql_script *s, const struct sql_stmt *st, uint32_t off, uint32_t len);

/* `sql` of a statement with every secret value as ******. */
sl_str sql_stmt_masked(const struct sql_stmt *st, struct sl_arena *a);

/* From a position in stmt->sql (line, column as Flink gives them, 1-based UTF-16) to the file. */
struct sl_pos sql_stmt_source_pos(const struct sql_script *s, const struct sql_stmt *st, uint32_t line,
                                  uint32_t col, uint32_t end_line, uint32_t end_col);

#endif
