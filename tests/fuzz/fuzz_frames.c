/* SPDX-License-Identifier: Apache-2.0
 * What a peer of the results port may send: any bytes, taken as a stream of frames. Everything that passes
 * the checks is then walked and shown in every form, as readers do without checks of their own. */
#include "gateway/results/frames.h"

#include "base/limits.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const zones[] = {NULL, "Asia/Kolkata", "America/New_York", "+05:30"};

static void show(struct res_rows rows, const struct res_columns *cols)
{
    struct sl_buf b;
    struct res_row row;
    sl_buf_init(&b, 1 << 20);
    uint32_t left = rows.count;
    while (res_rows_next(&rows, cols->v, cols->n, &row)) {
        left--;
        for (int form = RES_FORM_TEXT; form <= RES_FORM_API; form++) {
            for (size_t i = 0; i < cols->n; i++) {
                struct sl_err err = SL_ERR_INIT;
                bool is_null;
                sl_buf_clear(&b);
                bool ok =
                    res_cell(&b, (enum res_form)form, &cols->v[i], &row, i, zones[i % 4], &is_null, &err);
                SL_BUG_ON(!ok && err.code == SL_OK);
                SL_BUG_ON(ok && form != RES_FORM_TEXT && b.n == 0);
            }
        }
    }
    SL_BUG_ON(left != 0 || rows.n != 0);
    sl_buf_release(&b);
}

static void take_rows(struct res_frame *f, const struct res_columns *cols, uint64_t *next)
{
    struct sl_err err = SL_ERR_INIT;
    struct res_rows rows;
    if (cols->n == 0 || !res_rows_read(f, cols, *next, 1 << 20, &rows, &err)) {
        return;
    }
    *next += rows.count;
    show(rows, cols);
    struct res_rows tail = rows;
    res_rows_skip_to(&tail, cols, rows.first + rows.count / 2);
    SL_BUG_ON(tail.count != rows.count - rows.count / 2);
    show(tail, cols);
    uint32_t count = rows.count;
    while (rows.count > 0) {
        struct res_rows piece = res_rows_cut(&rows, cols, 64);
        SL_BUG_ON(piece.count == 0 || piece.count > count);
        count -= piece.count;
    }
    SL_BUG_ON(count != 0 || rows.n != 0);
}

static void take(struct res_frame *f, struct sl_arena *a, struct res_columns *cols, uint64_t *next)
{
    struct sl_err err = SL_ERR_INIT;
    struct res_hello hello;
    struct res_say say;
    struct res_sink_error sink;
    struct res_columns c;
    uint64_t n;
    uint8_t u;
    switch (f->type) {
    case RES_F_HELLO:
        SL_BUG_ON(res_hello_read(f, &hello, &err) && hello.role != RES_ROLE_PROBE &&
                  hello.token.n != RES_TOKEN_HEX);
        break;
    case RES_F_BEGIN:
    case RES_F_DONE:
    case RES_F_FAILED:
        SL_BUG_ON(res_say_read(f, &say, &err) && say.job_id.n > 32);
        break;
    case RES_F_COLUMNS:
        if (res_columns_read(f, a, &c, &err)) {
            *cols = c;
            for (size_t i = 0; i < c.n; i++) {
                (void)res_type_dup(a, c.v[i].desc);
            }
        }
        break;
    case RES_F_ROWS:
        take_rows(f, cols, next);
        break;
    case RES_F_SINK_ERROR:
        (void)!res_sink_error_read(f, &sink, &err);
        break;
    case RES_F_FINISH:
        (void)!res_u64_read(f, &n, &err);
        break;
    case RES_F_END:
        (void)!res_u8_read(f, &u, &err);
        break;
    default:
        (void)!res_empty_read(f, &err);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* On the heap and exactly as long: a read past the last frame is seen. */
    uint8_t *copy = malloc(size ? size : 1);
    SL_BUG_ON(!copy);
    memcpy(copy, data, size);
    struct sl_arena a;
    sl_arena_init(&a, 0);
    struct res_columns cols = {0};
    uint64_t next = 0;
    size_t at = 0, used;
    struct res_frame f;
    struct sl_err err = SL_ERR_INIT;
    while (res_frame_split(copy + at, size - at, SL_LIMIT_FRAME_BYTES, &f, &used, &err) == RES_SPLIT_FRAME) {
        at += used;
        take(&f, &a, &cols, &next);
    }
    sl_arena_release(&a);
    free(copy);
    return 0;
}
