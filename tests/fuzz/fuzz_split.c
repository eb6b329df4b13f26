/* SPDX-License-Identifier: Apache-2.0
 * Any bytes as a script: statements lie in order and inside the text, everything between them is white space,
 * comments and semicolons, their places agree with their offsets, and cutting a statement out and splitting
 * it alone gives it again. */
#include <stdlib.h>

#include "base/utf8.h"
#include "sqlparse/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_empty(sl_str between)
{
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, between, SQL_FLINK_DEFAULT, false);
    while (sql_lex_next(&lx, &t)) {
        SL_BUG_ON(t.kind != TK_SEMI && !(t.fault == SQL_LEX_CHAR && t.point == 0xfeff));
    }
}

static void must_fit(const struct sql_script *s, const struct sql_stmt *st)
{
    const struct sql_lines *lines = &s->files.v[0].lines;
    SL_BUG_ON(st->text.p != lines->text.p + st->pos.off || st->text.n != st->pos.len || !st->pos.len);
    SL_BUG_ON(sql_lines_off(lines, st->pos.line, st->pos.col) != st->pos.off);
    struct sl_pos again = sql_lines_pos(lines, st->pos.off, st->pos.len);
    SL_BUG_ON(memcmp(&again, &st->pos, sizeof(again)) != 0);
    struct sl_pos whole = sql_stmt_pos(s, st, 0, (uint32_t)st->sql.n);
    SL_BUG_ON(whole.off != st->pos.off || whole.len != st->pos.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size); /* no byte behind the end belongs to us */
    memcpy(exact, data, size);
    sl_str text = {exact, size};
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sql_script s;
    sql_script_init(&s, &a, 0);
    struct sql_options opt = {.level = SQL_LEVEL_SPLIT};
    if (!sql_script_add(&s, SL_STR("f"), text, &opt, &err)) {
        SL_BUG_ON(sl_utf8_valid_prefix(text) == size || err.code != SL_UTF8);
        free(exact);
        return 0;
    }
    size_t at = 0;
    for (size_t i = 0; i < s.stmts.n; i++) {
        const struct sql_stmt *st = &s.stmts.v[i];
        SL_BUG_ON(st->pos.off < at || st->number != i + 1 || st->kind >= SQL_KIND_MAX_);
        must_be_empty(sl_str_sub(text, at, st->pos.off - at));
        must_fit(&s, st);
        size_t inner = st->pos.off;
        for (size_t k = 0; k < st->n_inner; k++) {
            SL_BUG_ON(st->inner[k].pos.off < inner);
            inner = (size_t)st->inner[k].pos.off + st->inner[k].pos.len;
        }
        at = (size_t)st->pos.off + st->pos.len;
        SL_BUG_ON(inner > at);
        if (!st->bad && i < 16) {
            struct sql_script one;
            sql_script_init(&one, &a, 0);
            SL_BUG_ON(!sql_script_add(&one, SL_STR("f"), st->text, &opt, &err));
            SL_BUG_ON(one.stmts.n != 1 || one.stmts.v[0].kind != st->kind ||
                      one.stmts.v[0].n_inner != st->n_inner);
        }
    }
    SL_BUG_ON(at > size);
    must_be_empty(sl_str_sub(text, at, size - at));
    free(exact);
    return 0;
}
