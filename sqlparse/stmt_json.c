/* SPDX-License-Identifier: Apache-2.0
 * A statement as JSON, for every entrance alike: `sluice split --json`, the API, the WebAssembly module. */
#include "sqlparse/sql.h"

#include "base/json.h"

void sql_stmt_json(struct sl_jw *w, const struct sql_stmt *st, bool with_text)
{
    sl_jw_object(w);
    sl_jw_ki64(w, "index", st->number);
    sl_jw_kstrz(w, "kind", sql_kind_name(st->kind));
    sl_jw_ki64(w, "offset", st->pos.off);
    sl_jw_ki64(w, "length", st->pos.len);
    sl_jw_ki64(w, "line", st->pos.line);
    sl_jw_ki64(w, "column", st->pos.col);
    sl_jw_ki64(w, "endLine", st->pos.end_line);
    sl_jw_ki64(w, "endColumn", st->pos.end_col);
    if (with_text) {
        sl_jw_kstr(w, "text", st->text);
    }
    sl_jw_kbool(w, "terminated", st->terminated);
    sl_jw_end_object(w);
}
