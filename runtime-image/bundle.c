/* SPDX-License-Identifier: Apache-2.0
 * Writes bundles. */
#include "runtime-image/bundle.h"

#include "base/digest.h"
#include "base/json.h"

#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
    return sl_str_cmp((*(const struct sql_var *const *)a)->name, (*(const struct sql_var *const *)b)->name);
}

/* Only the variables that the texts use, each once, the last value of a name winning. */
static void put_variables(struct sl_jw *w, const struct img_bundle_input *in)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    SL_VEC(const struct sql_var *) used = {0};
    for (size_t i = in->vars ? in->vars->list.n : 0; i-- > 0;) {
        const struct sql_var *v = &in->vars->list.v[i];
        sl_str open = sl_arena_printf(&a, "${%.*s", SL_S(v->name));
        bool seen = false, wanted = false;
        for (size_t k = 0; k < used.n; k++) {
            seen |= sl_str_eq(used.v[k]->name, v->name);
        }
        for (size_t k = 0; k < in->script->stmts.n && !wanted; k++) {
            wanted = sl_str_find(in->script->stmts.v[k].text, open) >= 0;
        }
        if (wanted && !seen) {
            sl_vec_push(&a, &used, v);
        }
    }
    if (used.n) {
        qsort(used.v, used.n, sizeof(*used.v), by_name);
    }
    sl_jw_key(w, "variables");
    sl_jw_object(w);
    for (size_t i = 0; i < used.n; i++) {
        sl_jw_keys(w, used.v[i]->name);
        if (used.v[i]->secret) {
            sl_jw_null(w);
        } else {
            sl_jw_str(w, used.v[i]->value);
        }
    }
    sl_jw_end_object(w);
}

void img_bundle_write(const struct img_bundle_input *in, struct sl_buf *b, char ret_digest[72])
{
    struct sl_jw w;
    size_t from = b->n;
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    sl_jw_ki64(&w, "version", 1);
    sl_jw_kstrz(&w, "flink", sql_version_name(in->script->flink));
    sl_jw_kstr(&w, "job", in->job);
    sl_jw_kstr(&w, "mode", in->mode);
    sl_jw_key(&w, "statements");
    sl_jw_array(&w);
    for (size_t i = 0; i < in->script->stmts.n; i++) {
        const struct sql_stmt *st = &in->script->stmts.v[i];
        sl_jw_object(&w);
        sl_jw_ki64(&w, "index", st->number);
        sl_jw_kstrz(&w, "kind", sql_kind_name(st->kind));
        sl_jw_ki64(&w, "file", st->file);
        sl_jw_ki64(&w, "offset", st->pos.off);
        sl_jw_ki64(&w, "line", st->pos.line);
        sl_jw_ki64(&w, "column", st->pos.col);
        sl_jw_kstr(&w, "text", st->text);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    put_variables(&w, in);
    sl_jw_key(&w, "config");
    sl_jw_object(&w);
    for (size_t i = 0; i < in->n_config; i++) {
        sl_jw_keys(&w, in->config[i].key);
        sl_jw_str(&w, in->config[i].value);
    }
    sl_jw_end_object(&w);
    sl_jw_key(&w, "lock");
    sl_jw_array(&w);
    for (size_t i = 0; i < in->n_lock; i++) {
        sl_jw_str(&w, in->lock[i]);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    sl_sha256_digest((sl_str){b->p + from, b->n - from}, ret_digest);
}
