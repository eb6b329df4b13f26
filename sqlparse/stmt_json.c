/* SPDX-License-Identifier: Apache-2.0
 * A statement as JSON, for every entrance alike: `sluice split --json`, the API, the WebAssembly module. */
#include "sqlparse/sql.h"

#include "base/json.h"

void sql_stmt_json(struct sl_jw *w, const struct sql_stmt *st, bool with_text)
{
    sl_jw_object(w);
    sl_jw_ki64(w, "index", st->number);
    sl_jw_kstrz(w, "kind", sql_kind_name(st->kind));
    sl_jw_pos(w, &st->pos);
    if (with_text) {
        sl_jw_kstr(w, "text", st->text);
    }
    sl_jw_kbool(w, "terminated", st->terminated);
    sl_jw_end_object(w);
}
