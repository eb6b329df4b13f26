/* SPDX-License-Identifier: Apache-2.0
 * The language room for a browser: text in, diagnostics out as JSON. The host writes the text to the memory
 * it gets from wasm_alloc(), calls wasm_check(), reads wasm_answer_length() bytes and calls wasm_reset(). */
#include "base/json.h"
#include "sqlparse/sql.h"
#include "sqlparse/wasm/libc.h"

#include <stdlib.h>

void *wasm_alloc(size_t n);
const char *wasm_check(const char *text, size_t n, unsigned flink);
size_t wasm_answer_length(void);
void wasm_reset(void);

static size_t answer_length;

void *wasm_alloc(size_t n)
{
    return malloc(n);
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

/* flink: 120, 202 ...; 0 = the default. */
const char *wasm_check(const char *text, size_t n, unsigned flink)
{
    struct sl_arena a;
    struct sl_buf out;
    struct sl_jw w;
    struct sql_script s;
    struct sl_err err = SL_ERR_INIT;
    struct sql_options opt = {.flink = (sql_version)flink, .level = SQL_LEVEL_SYNTAX};
    sl_arena_init(&a, 0);
    sl_buf_init(&out, 0);
    sl_jw_init(&w, &out);
    sql_script_init(&s, &a, opt.flink);
    bool ok = sql_script_add(&s, SL_STR("-"), (sl_str){text, n}, &opt, &err);
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
    answer_length = out.n;
    return out.p;
}
