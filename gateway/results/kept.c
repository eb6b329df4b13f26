/* SPDX-License-Identifier: Apache-2.0
 * Results that outlive the process: what is kept of one, and one made of what was kept. What comes back is checked like what
 * comes from a sink. */
#include "gateway/results/internal.h"

sl_str res_result_description(struct res_result *r, struct sl_arena *a)
{
    res_lock(r->port);
    struct res_columns cols = r->cols;
    res_unlock(r->port);
    return cols.n ? sl_str_dup(a, cols.body) : SL_STR("");
}

/* The body of a ROWS frame. */
static bool add(struct res_result *r, const struct res_kept_rows *rows, struct sl_err *err)
{
    SL_BUF_AUTO b;
    struct res_rows checked;
    sl_buf_init(&b, 0);
    uint64_t first = r->rows;
    for (int shift = 56; shift >= 0; shift -= 8) {
        sl_buf_putc(&b, (char)(first >> shift));
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
        sl_buf_putc(&b, (char)(rows->count >> shift));
    }
    sl_buf_puts(&b, rows->bytes);
    const uint8_t *p = (const uint8_t *)sl_buf_str(&b).p;
    struct res_frame f = {RES_F_ROWS, {p, p + b.n, false}};
    return res_rows_read(&f, &r->cols, first, SIZE_MAX, &checked, err) && res_result_append(r, checked, err);
}

struct res_result *res_result_restore(struct res_port *p, sl_str description,
                                      const struct res_kept_rows *blocks, size_t n, struct sl_err *err)
{
    const uint8_t *bytes = (const uint8_t *)description.p;
    struct res_frame f = {RES_F_COLUMNS, {bytes, bytes + description.n, false}};
    struct sl_arena a;
    struct res_columns cols;
    sl_arena_init(&a, 0);
    if (!res_columns_read(&f, &a, &cols, err)) {
        sl_arena_release(&a);
        return NULL;
    }
    res_lock(p);
    struct res_result *r = res_result_make(p, 0, false);
    res_unlock(p);
    res_result_open(r, &a, &cols);
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        ok = add(r, &blocks[i], err);
    }
    res_lock(p);
    res_result_end(r, ok ? RES_COMPLETE : RES_FAILED, ok ? NULL : err);
    res_unlock(p);
    if (!ok) {
        res_result_unref(r);
        return NULL;
    }
    return r;
}
