/* SPDX-License-Identifier: Apache-2.0
 * The language room for a browser: text in, answers out. The host writes the text (UTF-8) into the memory it
 * gets from wasm_alloc(), calls one of the functions below, reads wasm_answer_length() bytes at the address it
 * returns, and calls wasm_reset() before the next text. `flink` is 120, 202, 203 ...; 0 is the default. Lines
 * and columns are from 1, columns in UTF-16 units. There is one host and one thread. The same file is compiled
 * natively by the tests, which compare the answers. */
#include <stdlib.h>

#include "base/json.h"
#include "sqlparse/colour.h"
#include "sqlparse/sql.h"
#include "sqlparse/wasm/libc.h"

void *wasm_alloc(size_t n);
size_t wasm_answer_length(void);
void wasm_reset(void);
const char *wasm_colour(const char *text, size_t n, unsigned flink);
const char *wasm_split(const char *text, size_t n, unsigned flink);
const char *wasm_check(const char *text, size_t n, unsigned flink);

static size_t answer_length;

void *wasm_alloc(size_t n)
{
    return malloc(n ? n : 1);
}

size_t wasm_answer_length(void)
{
    return answer_length;
}

/* After this nothing that was handed out may be touched. */
void wasm_reset(void)
{
    answer_length = 0;
    wasm_libc_reset();
}

/* False: *ret_error says why the text cannot be read at all. */
static bool load(struct sql_script *s, struct sl_arena *a, const char *text, size_t n, unsigned flink,
                 enum sql_level level, struct sl_err *err)
{
    struct sql_options opt = {.flink = (sql_version)flink, .level = level};
    sl_arena_init(a, 0);
    sql_script_init(s, a, opt.flink);
    return sql_script_add(s, SL_STR("-"), (sl_str){text, n}, &opt, err);
}

static const char *answer(const struct sl_buf *out)
{
    answer_length = out->n;
    return out->p;
}

/* Little-endian numbers of 32 bits, three a stretch: offset and length in UTF-16 units, enum sql_colour. */
const char *wasm_colour(const char *text, size_t n, unsigned flink)
{
    struct sl_arena a;
    struct sl_buf out;
    struct sql_spans spans;
    uint32_t byte = 0, unit = 0;
    sl_arena_init(&a, 0);
    sl_buf_init(&out, 0);
    sql_colour(&a, (sl_str){text, n}, flink ? (sql_version)flink : SQL_FLINK_DEFAULT, &spans);
    for (size_t i = 0; i < spans.list.n; i++) {
        const struct sql_span *at = &spans.list.v[i];
        uint32_t value[3] = {0, 0, at->colour};
        for (unsigned k = 0; k < 2; k++) {
            for (uint32_t to = at->off + (k ? at->len : 0); byte < to; byte++) {
                unsigned char c = (unsigned char)text[byte];
                unit += (c & 0xc0) != 0x80 ? 1 + (c >= 0xf0) : 0;
            }
            value[k] = k ? unit - value[0] : unit;
        }
        for (unsigned k = 0; k < 3; k++) {
            for (unsigned b = 0; b < 4; b++) {
                sl_buf_u8(&out, (uint8_t)(value[k] >> (8 * b)));
            }
        }
    }
    return answer(&out);
}

/* [{"index","kind","offset","length","line","column","endLine","endColumn","terminated"}], as `sluice split`. */
const char *wasm_split(const char *text, size_t n, unsigned flink)
{
    struct sl_arena a;
    struct sl_buf out;
    struct sl_jw w;
    struct sql_script s;
    struct sl_err err = SL_ERR_INIT;
    sl_buf_init(&out, 0);
    sl_jw_init(&w, &out);
    bool ok = load(&s, &a, text, n, flink, SQL_LEVEL_SPLIT, &err);
    sl_jw_array(&w);
    for (size_t i = 0; ok && i < s.stmts.n; i++) {
        sql_stmt_json(&w, &s.stmts.v[i], false);
    }
    sl_jw_end_array(&w);
    return answer(&out);
}

static void write_diag(struct sl_jw *w, const struct sql_diag *d)
{
    sl_jw_object(w);
    sl_jw_kstr(w, "code", sl_str_of(sl_code_slug(d->code)));
    sl_jw_kstr(w, "severity",
               d->severity == SQL_ERROR     ? SL_STR("error")
               : d->severity == SQL_WARNING ? SL_STR("warning")
                                            : SL_STR("info"));
    sl_jw_kstr(w, "message", d->msg);
    sl_jw_kstr(w, "hint", d->hint);
    sl_jw_ki64(w, "line", d->pos.line);
    sl_jw_ki64(w, "column", d->pos.col);
    sl_jw_ki64(w, "endLine", d->pos.end_line);
    sl_jw_ki64(w, "endColumn", d->pos.end_col);
    sl_jw_end_object(w);
}

/* {"statements","error","diagnostics"}; "error" says why the text cannot be read at all. */
const char *wasm_check(const char *text, size_t n, unsigned flink)
{
    struct sl_arena a;
    struct sl_buf out;
    struct sl_jw w;
    struct sql_script s;
    struct sl_err err = SL_ERR_INIT;
    sl_buf_init(&out, 0);
    sl_jw_init(&w, &out);
    bool ok = load(&s, &a, text, n, flink, SQL_LEVEL_SYNTAX, &err);
    sl_jw_object(&w);
    sl_jw_key(&w, "statements");
    sl_jw_i64(&w, (int64_t)s.stmts.n);
    sl_jw_key(&w, "error");
    sl_jw_str(&w, ok ? SL_STR_NONE : sl_str_of(err.msg));
    sl_jw_key(&w, "diagnostics");
    sl_jw_array(&w);
    sql_diags_sort(&s);
    for (size_t i = 0; i < s.diags.list.n; i++) {
        write_diag(&w, &s.diags.list.v[i]);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    return answer(&out);
}
