/* SPDX-License-Identifier: Apache-2.0
 * The checks of --level script and full, in the order of the statements. */
#include "catalog/check.h"

#include "catalog/options.h"
#include "catalog/scope.h"
#include "catalog/setting.h"
#include "sqlparse/token.h"

/* Where the key of a SET stands in the file. */
static struct sl_pos key_pos(const struct sql_script *s, const struct sql_stmt *st)
{
    struct sql_lexer lx;
    struct sql_token t;
    sql_lex_init(&lx, st->text, s->flink, true);
    sql_lex_next(&lx, &t);
    sql_lex_next(&lx, &t);
    const struct sql_lines *lines = &s->files.v[st->file].lines;
    size_t len = t.kind == TK_STRING_LIT ? t.len : 0;
    if (!len) {
        /* without quotes: up to white space or the '=' in front of the value */
        const char *key = st->text.p + t.off;
        size_t left = st->text.n - t.off;
        len = left >= st->key.n && memcmp(key, st->key.p, st->key.n) == 0 ? st->key.n : t.len;
    }
    return sql_lines_pos(lines, st->pos.off + t.off, len);
}

static void check_key(struct sql_script *s, const struct sql_stmt *st)
{
    if (st->bad || !st->has_key || cat_option_known(s->flink, st->key)) {
        return;
    }
    struct sql_diag *d = sql_diag_add(s, SL_SET_KEY_UNKNOWN, SQL_WARNING, st->number, key_pos(s, st),
                                      "Flink %s has no option '%.*s' and would ignore it silently",
                                      sql_version_name(s->flink), SL_S(st->key));
    sl_str near = cat_option_near(s->flink, st->key);
    if (d && near.n) {
        d->hint = sl_arena_printf(s->arena, "did you mean '%.*s'?", SL_S(near));
    }
}

void cat_check_in(struct sql_script *s, enum cat_level level, const struct cat_session *session)
{
    if (level == CAT_LEVEL_SYNTAX) {
        return;
    }
    for (size_t i = 0; i < s->stmts.n; i++) {
        if (s->stmts.v[i].kind == SQL_KIND_SET) {
            check_key(s, &s->stmts.v[i]);
            cat_setting_check(s, &s->stmts.v[i]);
        }
    }
    (void)(level == CAT_LEVEL_FULL ? cat_scope_check_full(s, session) : cat_scope_check_in(s, session));
}

void cat_check(struct sql_script *s, enum cat_level level)
{
    cat_check_in(s, level, NULL);
}
