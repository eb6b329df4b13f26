/* SPDX-License-Identifier: Apache-2.0
 * From a place in the text that Flink was given back to the file as written. Patches say where the two
 * differ. */
#include "sqlparse/sql.h"

/* A place inside a replaced stretch maps to the start of what it stands for; `end` asks for its far side. */
static size_t to_file(const struct sql_stmt *st, size_t sql_off, bool end)
{
    size_t file = st->pos.off + sql_off;
    for (size_t i = 0; i < st->n_patches; i++) {
        const struct sql_patch *p = &st->patches[i];
        if (sql_off < p->sql_off || (end && sql_off == p->sql_off)) {
            break;
        }
        if (sql_off < p->sql_off + p->sql_len || (end && sql_off == p->sql_off + p->sql_len)) {
            return end ? p->off + p->len : p->off;
        }
        file = p->off + p->len + (sql_off - p->sql_off - p->sql_len);
    }
    return file;
}

struct sl_pos sql_stmt_pos(const struct sql_script *s, const struct sql_stmt *st, uint32_t off, uint32_t len)
{
    off = SL_MIN(off, (uint32_t)st->sql.n);
    len = SL_MIN(len, (uint32_t)st->sql.n - off);
    size_t from = to_file(st, off, false);
    size_t end = len ? to_file(st, (size_t)off + len, true) : from;
    return sql_lines_pos(&s->files.v[st->file].lines, from, end > from ? end - from : 0);
}

struct sl_pos sql_stmt_source_pos(const struct sql_script *s, const struct sql_stmt *st, uint32_t line,
                                  uint32_t col, uint32_t end_line, uint32_t end_col)
{
    struct sl_arena scratch = {0};
    struct sql_lines sql;
    sql_lines_init(&sql, &scratch, st->sql);
    size_t from = sql_lines_off(&sql, line, col);
    size_t to = sql_lines_off(&sql, end_line, end_col);
    sl_arena_release(&scratch);
    return sql_stmt_pos(s, st, (uint32_t)from, (uint32_t)(to > from ? to - from : 0));
}
