/* SPDX-License-Identifier: Apache-2.0
 * Any bytes as JSON: what is accepted must be written and read again as the same tree, and an error must have
 * a place inside the text. */
#include "base/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_equal(const struct sl_json *a, const struct sl_json *b)
{
    SL_BUG_ON(a->type != b->type || a->n != b->n || !sl_str_eq(a->text, b->text) ||
              !sl_str_eq(a->key, b->key));
    const struct sl_json *x = a->child, *y = b->child;
    for (; x && y; x = x->next, y = y->next) {
        must_be_equal(x, y);
    }
    SL_BUG_ON(x || y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SL_ARENA_AUTO a = {0};
    SL_BUF_AUTO b = {0};
    struct sl_err err = SL_ERR_INIT;
    char *exact = malloc(size); /* no byte behind the end belongs to us */
    memcpy(exact, data, size);
    sl_str text = {exact, size};
    struct sl_json *v = sl_json_parse(&a, text, &err);
    if (!v) {
        SL_BUG_ON(err.code != SL_JSON || err.pos.off > size || err.pos.off + err.pos.len > size ||
                  err.pos.line == 0);
    }
    free(exact); /* the tree has its own text */
    if (v) {
        struct sl_jw w;
        sl_jw_init(&w, &b);
        sl_jw_value(&w, v);
        struct sl_json *again = sl_json_parse(&a, sl_buf_str(&b), &err);
        SL_BUG_ON(!again);
        must_be_equal(v, again);
        (void)sl_json_path(v, "a.b.c");
        (void)sl_json_i64(sl_json_at(v, 0), 0);
        (void)sl_json_f64(sl_json_at(v, 0), 0);
    }
    return 0;
}
