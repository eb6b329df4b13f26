/* SPDX-License-Identifier: Apache-2.0
 * Reading and writing frames. Nothing here trusts a length: a frame is split off only when it is whole, and
 * each body must be used up to its last byte. */
#include "gateway/results/frames.h"

#include "base/limits.h"
#include "base/utf8.h"

static bool protocol(struct sl_err *err, const char *what)
{
    return sl_fail(err, SL_RESULTS_PROTOCOL, "%s", what);
}

enum res_split res_frame_split(const uint8_t *p, size_t n, size_t max, struct res_frame *ret, size_t *used,
                               struct sl_err *err)
{
    struct res_in in = {p, p + n, false};
    *used = 0;
    if (n < 4) {
        return RES_SPLIT_MORE;
    }
    uint32_t length = res_in_u32(&in);
    if (length == 0 || length > max) {
        sl_fail(err, SL_RESULTS_PROTOCOL, "a frame of %u bytes, at most %zu are allowed here", length, max);
        return RES_SPLIT_BAD;
    }
    *used = (size_t)length + 4;
    if (n < *used) {
        return RES_SPLIT_MORE;
    }
    ret->type = res_in_u8(&in);
    ret->body = (struct res_in){p + 5, p + *used, false};
    return RES_SPLIT_FRAME;
}

/* A body is read when it has neither ended early nor left bytes over. */
static bool whole(const struct res_frame *f, const char *name, struct sl_err *err)
{
    if (f->body.bad || f->body.p != f->body.end) {
        return sl_fail(err, SL_RESULTS_PROTOCOL, "a %s frame is %s than its content", name,
                       f->body.bad ? "shorter" : "longer");
    }
    return true;
}

static bool is_hex(sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'))) {
            return false;
        }
    }
    return true;
}

bool res_hello_read(struct res_frame *f, struct res_hello *ret, struct sl_err *err)
{
    struct res_in *in = &f->body;
    if (f->type != RES_F_HELLO || res_in_u8(in) != 'S' || res_in_u8(in) != 'L' || res_in_u8(in) != 'R') {
        return protocol(err, "this port speaks Sluice's results protocol only; the first frame was no HELLO");
    }
    ret->version = res_in_u16(in);
    uint8_t role = res_in_u8(in);
    ret->token = res_in_str(in);
    ret->statement = res_in_u32(in);
    if (ret->version < RES_VERSION_OLD || ret->version > RES_VERSION) {
        sl_fail(err, SL_RESULTS_PROTOCOL, "results protocol version %u; this Sluice speaks %d", ret->version,
                RES_VERSION);
        return sl_hint(err, "rebuild the image, or install the runner of this Sluice");
    }
    if (!whole(f, "HELLO", err)) {
        return false;
    }
    if (role < RES_ROLE_RUNNER || role > RES_ROLE_PROBE) {
        return sl_fail(err, SL_RESULTS_PROTOCOL, "unknown role %u in HELLO", role);
    }
    ret->role = (enum res_role)role;
    if (ret->role != RES_ROLE_PROBE && (ret->token.n != RES_TOKEN_HEX || !is_hex(ret->token))) {
        return sl_fail(err, SL_RESULTS_TOKEN, "a token is %d hex digits", RES_TOKEN_HEX);
    }
    return true;
}

bool res_say_read(struct res_frame *f, struct res_say *ret, struct sl_err *err)
{
    *ret = (struct res_say){.statement = res_in_u32(&f->body)};
    if (f->type == RES_F_DONE) {
        ret->job_id = res_in_str(&f->body);
        if (!whole(f, "DONE", err)) {
            return false;
        }
        if (ret->job_id.n != 0 && (ret->job_id.n != 32 || !is_hex(ret->job_id))) {
            return protocol(err, "a job id is 32 hex digits");
        }
        return true;
    }
    if (f->type == RES_F_FAILED) {
        ret->chain = res_in_str(&f->body);
        ret->stack = res_in_str(&f->body);
        if (!whole(f, "FAILED", err)) {
            return false;
        }
        if (ret->chain.n > SL_LIMIT_CHAIN_BYTES || ret->stack.n > SL_LIMIT_STACK_BYTES) {
            return protocol(err, "the chain or stack of a failure is too long");
        }
        if (sl_utf8_valid_prefix(ret->chain) != ret->chain.n ||
            sl_utf8_valid_prefix(ret->stack) != ret->stack.n) {
            return protocol(err, "the chain or stack of a failure is not UTF-8");
        }
        return true;
    }
    return whole(f, "BEGIN", err);
}

bool res_columns_read(struct res_frame *f, struct sl_arena *a, struct res_columns *ret, struct sl_err *err)
{
    struct res_in *in = &f->body;
    if ((size_t)(in->end - in->p) > SL_LIMIT_RESULT_COLUMNS_BYTES) {
        return protocol(err, "the description of the columns is too long");
    }
    ret->body = sl_str_dup(a, (sl_str){(const char *)in->p, (size_t)(in->end - in->p)});
    ret->insert_only = (res_in_u8(in) & 1) != 0;
    ret->n = res_in_u16(in);
    if (in->bad || ret->n == 0) {
        return protocol(err, "a result without columns");
    }
    unsigned budget = SL_LIMIT_RESULT_TYPES;
    /* a column takes 10 bytes at least */
    if (ret->n > (size_t)(in->end - in->p) / 10) {
        return protocol(err, "a COLUMNS frame is shorter than its content");
    }
    ret->v = sl_new_n(a, struct res_column, ret->n);
    for (size_t i = 0; i < ret->n; i++) {
        ret->v[i].name = sl_str_dup(a, res_in_str(in));
        ret->v[i].type = sl_str_dup(a, res_in_str(in));
        ret->v[i].desc = res_type_read(in, a, &budget, err);
        if (!ret->v[i].desc) {
            return false;
        }
    }
    return whole(f, "COLUMNS", err);
}

/* Moves over one row and checks it. */
static bool row_check(struct res_in *in, const struct res_columns *cols, size_t *ret_column, const char **why)
{
    *ret_column = SIZE_MAX;
    if (res_in_u8(in) > 3 || in->bad) {
        *why = in->bad ? "a row ends in its middle" : "unknown kind of a row";
        return false;
    }
    for (size_t i = 0; i < cols->n; i++) {
        *ret_column = i;
        if (!res_cell_check(in, cols->v[i].desc, why)) {
            return false;
        }
    }
    return true;
}

bool res_rows_read(struct res_frame *f, const struct res_columns *cols, uint64_t next_row, size_t row_bytes,
                   struct res_rows *ret, struct sl_err *err)
{
    struct res_in *in = &f->body;
    uint64_t first = res_in_u64(in);
    uint32_t count = res_in_u32(in);
    if (in->bad) {
        return protocol(err, "a ROWS frame is shorter than its content");
    }
    if (first != next_row) {
        return sl_fail(err, SL_RESULTS_PROTOCOL, "row %llu came where row %llu was due",
                       (unsigned long long)first, (unsigned long long)next_row);
    }
    *ret = (struct res_rows){.first = first, .count = count, .p = in->p, .n = (size_t)(in->end - in->p)};
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *start = in->p;
        const char *why = "";
        size_t column;
        if (!row_check(in, cols, &column, &why)) {
            sl_str name = column < cols->n ? cols->v[column].name : SL_STR_NONE;
            return sl_fail(err, SL_RESULTS_PROTOCOL, "row %llu, column '%.*s': %s",
                           (unsigned long long)(first + i), (int)SL_MIN(name.n, 128u), name.n ? name.p : "",
                           why);
        }
        if ((size_t)(in->p - start) > row_bytes) {
            return sl_fail(err, SL_CELL_TOO_LARGE, "row %llu has %zu bytes, at most %zu are allowed",
                           (unsigned long long)(first + i), (size_t)(in->p - start), row_bytes);
        }
    }
    return whole(f, "ROWS", err);
}

static void row_skip(struct res_in *in, const struct res_columns *cols)
{
    res_in_u8(in);
    for (size_t i = 0; i < cols->n; i++) {
        res_cell_skip(in, cols->v[i].desc);
    }
}

struct res_rows res_rows_cut(struct res_rows *rows, const struct res_columns *cols, size_t max)
{
    struct res_rows piece = {.first = rows->first, .p = rows->p};
    if (rows->n <= max) {
        piece = *rows;
    } else {
        struct res_in in = {rows->p, rows->p + rows->n, false};
        while (piece.count < rows->count) {
            row_skip(&in, cols);
            SL_BUG_ON(in.bad);
            size_t n = (size_t)(in.p - rows->p);
            if (piece.count > 0 && n > max) {
                break;
            }
            piece.n = n;
            piece.count++;
        }
    }
    rows->p += piece.n;
    rows->n -= piece.n;
    rows->first += piece.count;
    rows->count -= piece.count;
    return piece;
}

void res_rows_skip_to(struct res_rows *rows, const struct res_columns *cols, uint64_t row)
{
    struct res_in in = {rows->p, rows->p + rows->n, false};
    while (rows->count > 0 && rows->first < row) {
        row_skip(&in, cols);
        SL_BUG_ON(in.bad);
        rows->first++;
        rows->count--;
    }
    rows->n -= (size_t)(in.p - rows->p);
    rows->p = in.p;
}

bool res_sink_error_read(struct res_frame *f, struct res_sink_error *ret, struct sl_err *err)
{
    ret->slug = res_in_str(&f->body);
    ret->message = res_in_str(&f->body);
    ret->column = res_in_str(&f->body);
    return whole(f, "SINK_ERROR", err);
}

bool res_u64_read(struct res_frame *f, uint64_t *ret, struct sl_err *err)
{
    *ret = res_in_u64(&f->body);
    return whole(f, "FINISH", err);
}

bool res_u8_read(struct res_frame *f, uint8_t *ret, struct sl_err *err)
{
    *ret = res_in_u8(&f->body);
    return whole(f, "END", err);
}

bool res_empty_read(struct res_frame *f, struct sl_err *err)
{
    return whole(f, "empty", err);
}

/* --- what the server says
 * ----------------------------------------------------------------------------------- */

static void put_head(struct sl_buf *b, enum res_frame_type type, size_t body)
{
    sl_buf_u32(b, (uint32_t)(body + 1));
    sl_buf_u8(b, (uint8_t)type);
}

static void put_str(struct sl_buf *b, sl_str s)
{
    sl_buf_u32(b, (uint32_t)s.n);
    sl_buf_puts(b, s);
}

void res_put_welcome(struct sl_buf *b, uint16_t version, const struct res_config *c)
{
    put_head(b, RES_F_WELCOME, 18);
    sl_buf_u16(b, version);
    sl_buf_u32(b, c->heartbeat_ms);
    sl_buf_u32(b, c->lost_ms);
    sl_buf_u32(b, (uint32_t)SL_MIN(c->cell_bytes, (size_t)INT32_MAX));
    sl_buf_u32(b, (uint32_t)SL_MIN(c->row_bytes, (size_t)INT32_MAX));
}

void res_put_refused(struct sl_buf *b, const struct sl_err *err)
{
    sl_str slug = sl_str_of(sl_code_slug(err->code)), msg = sl_str_of(err->msg);
    put_head(b, RES_F_REFUSED, 8 + slug.n + msg.n);
    put_str(b, slug);
    put_str(b, msg);
}

void res_put_task(struct sl_buf *b, sl_str piece, bool last)
{
    put_head(b, RES_F_TASK, 1 + piece.n);
    sl_buf_u8(b, last);
    sl_buf_puts(b, piece);
}

void res_put_u64(struct sl_buf *b, enum res_frame_type type, uint64_t v)
{
    put_head(b, type, 8);
    sl_buf_u64(b, v);
}

void res_put_empty(struct sl_buf *b, enum res_frame_type type)
{
    put_head(b, type, 0);
}
