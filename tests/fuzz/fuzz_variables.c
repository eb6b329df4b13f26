/* SPDX-License-Identifier: Apache-2.0
 * Any bytes as a script with variables: outside the replaced stretches Flink gets what was written, every
 * place leads back into the statement, and no secret is shown. */
#include <stdlib.h>

#include "base/utf8.h"
#include "sqlparse/vars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "S3cr3t'`\\${v}";

static const char *environment(void *ctx, const char *name)
{
    (void)ctx;
    return name[0] == 'U' ? "mara" : NULL;
}

static void must_match(const struct sql_script *s, const struct sql_stmt *st)
{
    sl_str file = s->files.v[0].lines.text;
    size_t sql = 0, at = st->pos.off;
    for (size_t i = 0; i < st->n_patches; i++) {
        const struct sql_patch *p = &st->patches[i];
        SL_BUG_ON(p->sql_off < sql || p->off < at || p->sql_off - sql != p->off - at);
        SL_BUG_ON(memcmp(st->sql.p + sql, file.p + at, p->off - at) != 0);
        sql = (size_t)p->sql_off + p->sql_len;
        at = (size_t)p->off + p->len;
        SL_BUG_ON(sql > st->sql.n || at > (size_t)st->pos.off + st->pos.len);
    }
    SL_BUG_ON(st->sql.n - sql != st->pos.off + st->pos.len - at);
    SL_BUG_ON(memcmp(st->sql.p + sql, file.p + at, st->sql.n - sql) != 0);
    for (size_t i = 0; i <= st->sql.n && i < 64; i++) {
        struct sl_pos pos = sql_stmt_pos(s, st, (uint32_t)i, 1);
        SL_BUG_ON(pos.off < st->pos.off || pos.off + pos.len > st->pos.off + st->pos.len);
    }
}

static void must_hide(const struct sql_stmt *st, struct sl_arena *a)
{
    SL_BUG_ON(sl_str_find(sql_stmt_masked(st, a), SL_STR("S3cr3t")) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size);
    memcpy(exact, data, size);
    sl_str text = {exact, size};
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct sql_vars vars = {.env = environment};
    SL_BUG_ON(!sql_vars_add(&vars, &a, SL_STR("v"), SL_STR("it's `a` \\ $${ value"), "t", &err));
    SL_BUG_ON(!sql_vars_add(&vars, &a, SL_STR("n"), SL_STR("42"), "t", &err));
    SL_BUG_ON(!sql_vars_add(&vars, &a, SL_STR("e"), SL_STR(""), "t", &err));
    SL_BUG_ON(!sql_vars_add(&vars, &a, SL_STR("l"), SL_STR("two\nlines;"), "t", &err));
    SL_BUG_ON(!sql_vars_add(&vars, &a, SL_STR("secret.s"), sl_str_of(secret), "t", &err));
    struct sql_script s;
    sql_script_init(&s, &a, 0);
    if (sql_script_add(&s, SL_STR("f"), text, &(struct sql_options){.level = SQL_LEVEL_SPLIT, .vars = &vars},
                       &err)) {
        bool shown = sl_str_find(text, SL_STR("S3cr3t")) >= 0;
        for (size_t i = 0; i < s.stmts.n; i++) {
            must_match(&s, &s.stmts.v[i]);
            for (size_t k = 0; k < s.stmts.v[i].n_inner; k++) {
                must_match(&s, &s.stmts.v[i].inner[k]);
            }
            if (!shown) {
                must_hide(&s.stmts.v[i], &a);
            }
        }
        for (size_t i = 0; i < s.diags.list.n && !shown; i++) {
            const struct sql_diag *d = &s.diags.list.v[i];
            SL_BUG_ON(sl_str_find(d->msg, SL_STR("S3cr3t")) >= 0 ||
                      sl_str_find(d->hint, SL_STR("S3cr3t")) >= 0);
            SL_BUG_ON((size_t)d->pos.off + d->pos.len > size);
        }
    }
    free(exact);
    return 0;
}
