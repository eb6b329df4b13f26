/* SPDX-License-Identifier: Apache-2.0
 * A result: its blocks of rows in memory and in the spool, its state, and its readers. The lane appends,
 * anybody reads.
 *
 * Blocks are filled up in place to at most SL_LIMIT_RESULT_BLOCK_BYTES (a larger row has a block of its own)
 * and sealed when the next rows do not fit. A block that is sealed while the result is over its memory goes
 * to the spool. */
#include "gateway/results/internal.h"

#include "base/limits.h"

#include <stdlib.h>

#define FIRST_CHUNK_BYTES ((size_t)2 << 10)

static void chunk_unref(struct res_chunk *c)
{
    if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1) {
        free(c);
    }
}

static void *must(void *p)
{
    SL_OOM_ON(!p); /* our own objects of bounded size: see limits.h */
    return p;
}

static bool ended(enum res_state s)
{
    return s != RES_WAITING && s != RES_OPEN;
}

/* --- making and ending -------------------------------------------------------------------------------------
 */

struct res_result *res_result_make(struct res_port *p, uint32_t statement, bool with_token)
{
    struct res_result *r = must(calloc(1, sizeof(*r)));
    r->port = p;
    res_port_ref(p);
    r->refs = 1;
    r->statement = statement;
    r->spool.fd = -1;
    r->err.code = SL_OK;
    r->next_cap = FIRST_CHUNK_BYTES;
    res_cond_init(&r->changed);
    sl_arena_init(&r->arena, 0);
    r->next = p->results;
    if (r->next) {
        r->next->prev = r;
    }
    p->results = r;
    if (with_token) {
        r->token.result = r;
        res_token_make(p, &r->token);
    }
    return r;
}

struct res_result *res_result_new(struct res_port *p, uint32_t statement, struct sl_err *err)
{
    res_lock(p);
    struct res_result *r = NULL;
    if (p->stopping) {
        sl_fail(err, SL_BUSY, "the results port is being closed");
    } else {
        r = res_result_make(p, statement, true);
    }
    res_unlock(p);
    return r;
}

const char *res_result_token(const struct res_result *r)
{
    return r->token.hex;
}

void res_result_destroy(struct res_result *r)
{
    for (size_t i = 0; i < r->b_n; i++) {
        chunk_unref(r->blocks[r->b_head + i].mem);
    }
    free(r->blocks);
    res_spool_close(&r->spool);
    sl_arena_release(&r->arena);
    pthread_cond_destroy(&r->changed);
    struct res_port *p = r->port;
    free(r);
    res_port_unref(p);
}

/* Somebody's disk space is free again: whoever waits for it may go on. Under mu. */
static void wake_paused(struct res_port *p)
{
    if (p->paused > 0) {
        for (struct res_result *r = p->results; r; r = r->next) {
            if (r->conn) {
                res_attn(p, r->conn);
            }
        }
    }
}

/* Takes it out of the port when nobody holds it any more. Under mu; true: destroy it after unlocking. */
static bool unlist_if_free(struct res_result *r)
{
    if (r->refs > 0 || r->conn) {
        return false;
    }
    struct res_port *p = r->port;
    res_token_forget(p, &r->token);
    if (r->prev) {
        r->prev->next = r->next;
    } else {
        p->results = r->next;
    }
    if (r->next) {
        r->next->prev = r->prev;
    }
    p->spool_used -= r->spool_used;
    if (r->spool_used > 0) {
        wake_paused(p);
    }
    return true;
}

void res_result_end(struct res_result *r, enum res_state state, const struct sl_err *err)
{
    if (ended(r->state)) {
        return;
    }
    r->state = state;
    if (err) {
        r->err = *err;
    }
    pthread_cond_broadcast(&r->changed);
}

bool res_result_detach(struct res_result *r, const struct sl_err *why)
{
    r->conn = NULL;
    res_result_end(r, RES_PARTIAL, why);
    return unlist_if_free(r);
}

void res_result_close(struct res_result *r)
{
    res_lock(r->port);
    res_result_end(r, RES_CLOSED, NULL);
    r->close_wanted = true;
    if (r->conn) {
        res_attn(r->port, r->conn);
    }
    res_unlock(r->port);
}

void res_result_unref(struct res_result *r)
{
    if (!r) {
        return;
    }
    struct res_port *p = r->port;
    res_lock(p);
    SL_BUG_ON(r->refs == 0);
    bool destroy = false;
    if (--r->refs == 0) {
        /* nobody can read it any more: its sink has nothing to do */
        r->close_wanted = true;
        if (r->conn) {
            res_attn(p, r->conn);
        }
        destroy = unlist_if_free(r);
    }
    res_unlock(p);
    if (destroy) {
        res_result_destroy(r);
    }
}

/* --- looking -----------------------------------------------------------------------------------------------
 */

enum res_state res_result_state(struct res_result *r)
{
    res_lock(r->port);
    enum res_state s = r->state;
    res_unlock(r->port);
    return s;
}

bool res_result_error(struct res_result *r, struct sl_err *ret)
{
    res_lock(r->port);
    bool has = r->err.code != SL_OK;
    if (has) {
        *ret = r->err;
    }
    res_unlock(r->port);
    return has;
}

uint64_t res_result_rows(struct res_result *r)
{
    res_lock(r->port);
    uint64_t n = r->rows;
    res_unlock(r->port);
    return n;
}

size_t res_result_columns(struct res_result *r, struct sl_arena *a, struct res_column **ret,
                          bool *ret_insert_only)
{
    res_lock(r->port);
    struct res_columns cols = r->cols;
    res_unlock(r->port);
    *ret = NULL;
    if (ret_insert_only) {
        *ret_insert_only = cols.insert_only;
    }
    if (cols.n > 0) {
        struct res_column *v = sl_new_n(a, struct res_column, cols.n);
        for (size_t i = 0; i < cols.n; i++) {
            v[i].name = sl_str_dup(a, cols.v[i].name);
            v[i].type = sl_str_dup(a, cols.v[i].type);
            v[i].desc = res_type_dup(a, cols.v[i].desc);
        }
        *ret = v;
    }
    return cols.n;
}

/* --- storing (lane) ----------------------------------------------------------------------------------------
 */

void res_result_open(struct res_result *r, struct sl_arena *arena, const struct res_columns *cols)
{
    res_lock(r->port);
    sl_arena_release(&r->arena);
    r->arena = *arena;
    *arena = (struct sl_arena){0};
    r->cols = *cols;
    if (r->state == RES_WAITING) {
        r->state = RES_OPEN;
    }
    pthread_cond_broadcast(&r->changed);
    res_unlock(r->port);
}

static bool spool_has_room(const struct res_result *r)
{
    const struct res_port *p = r->port;
    return r->spool_used < p->cfg.spool_bytes && p->spool_used < p->cfg.spool_total_bytes;
}

bool res_result_room(struct res_result *r, struct res_conn *c)
{
    struct res_port *p = r->port;
    res_lock(p);
    bool room = ended(r->state) || r->b_n <= 1 || r->mem_used <= p->cfg.memory_bytes || spool_has_room(r);
    if (!room && !c->paused) {
        c->paused = true;
        p->paused++;
    } else if (room && c->paused) {
        c->paused = false;
        p->paused--;
    }
    res_unlock(p);
    return room;
}

/* The newest block is full: it goes to the spool when the result is over its memory. Lane only. */
static bool seal(struct res_result *r, struct sl_err *err)
{
    struct res_port *p = r->port;
    res_lock(p);
    struct res_block b = r->blocks[r->b_head + r->b_n - 1];
    bool spill = r->mem_used > p->cfg.memory_bytes && spool_has_room(r);
    res_unlock(p);
    if (!spill) {
        return true;
    }
    uint64_t off;
    if (r->spool.fd < 0) {
        struct res_spool s;
        if (!res_spool_open(&s, p->spool_dir, err)) {
            return false;
        }
        res_lock(p);
        r->spool = s;
        res_unlock(p);
    }
    if (!res_spool_append(&r->spool, b.mem->bytes, b.n, &off, err)) {
        return false;
    }
    res_lock(p);
    struct res_block *at = &r->blocks[r->b_head + r->b_n - 1]; /* the newest is never dropped */
    at->mem = NULL;
    at->off = off;
    r->mem_used -= b.mem->cap;
    r->spool_used += b.n;
    p->spool_used += b.n;
    res_unlock(p);
    chunk_unref(b.mem);
    return true;
}

/* A place at the end of the list of blocks. Under mu. */
static struct res_block *block_add(struct res_result *r)
{
    if (r->b_head + r->b_n == r->b_cap) {
        if (r->b_head >= r->b_cap / 2 && r->b_head > 0) {
            memmove(r->blocks, r->blocks + r->b_head, r->b_n * sizeof(*r->blocks));
        } else {
            size_t cap = r->b_cap ? r->b_cap * 2 : 8;
            struct res_block *v = must(malloc(cap * sizeof(*v)));
            if (r->b_n > 0) {
                memcpy(v, r->blocks + r->b_head, r->b_n * sizeof(*v));
            }
            free(r->blocks);
            r->blocks = v;
            r->b_cap = cap;
        }
        r->b_head = 0;
    }
    return &r->blocks[r->b_head + r->b_n++];
}

/* At most one block's worth of rows. */
static bool append_piece(struct res_result *r, struct res_rows rows, struct sl_err *err)
{
    struct res_port *p = r->port;
    res_lock(p);
    struct res_block *tail = r->b_n > 0 ? &r->blocks[r->b_head + r->b_n - 1] : NULL;
    if (tail && tail->mem && tail->mem->cap - tail->n >= rows.n) {
        memcpy(tail->mem->bytes + tail->n, rows.p, rows.n);
        tail->n += rows.n;
        tail->count += rows.count;
        r->rows += rows.count;
        pthread_cond_broadcast(&r->changed);
        res_unlock(p);
        return true;
    }
    res_unlock(p);

    if (tail && tail->mem && !seal(r, err)) {
        return false;
    }
    size_t cap = SL_MAX(r->next_cap, rows.n);
    r->next_cap = SL_MIN(r->next_cap * 2, SL_LIMIT_RESULT_BLOCK_BYTES);
    struct res_chunk *mem = must(malloc(sizeof(*mem) + cap));
    atomic_init(&mem->refs, 1);
    mem->cap = cap;
    memcpy(mem->bytes, rows.p, rows.n);

    res_lock(p);
    *block_add(r) = (struct res_block){.first = r->rows, .count = rows.count, .n = rows.n, .mem = mem};
    r->mem_used += cap;
    r->rows += rows.count;
    pthread_cond_broadcast(&r->changed);
    res_unlock(p);
    return true;
}

bool res_result_append(struct res_result *r, struct res_rows rows, struct sl_err *err)
{
    while (rows.count > 0) {
        struct res_rows piece = res_rows_cut(&rows, &r->cols, SL_LIMIT_RESULT_BLOCK_BYTES);
        if (!append_piece(r, piece, err)) {
            return false;
        }
    }
    return true;
}

/* --- reading -----------------------------------------------------------------------------------------------
 */

struct res_reader *res_reader_new(struct res_result *r, uint64_t from, bool drop_behind)
{
    struct res_reader *rd = must(calloc(1, sizeof(*rd)));
    rd->result = r;
    rd->drop_behind = drop_behind;
    rd->at = from;
    res_lock(r->port);
    r->refs++;
    rd->seen = r->state;
    rd->next = r->readers;
    if (rd->next) {
        rd->next->prev = rd;
    }
    r->readers = rd;
    res_unlock(r->port);
    return rd;
}

/* Frees the sealed blocks that every reader has passed, when one of them asked for it. */
static void drop_passed(struct res_result *r)
{
    struct res_port *p = r->port;
    struct res_block gone[32];
    size_t n;
    do {
        n = 0;
        res_lock(p);
        bool drop = false;
        uint64_t low = UINT64_MAX;
        for (const struct res_reader *rd = r->readers; rd; rd = rd->next) {
            drop = drop || rd->drop_behind;
            low = SL_MIN(low, rd->at);
        }
        /* never the newest: the lane fills it */
        while (drop && n < SL_ARRAY_LEN(gone) && r->b_n > 1 &&
               r->blocks[r->b_head].first + r->blocks[r->b_head].count <= low) {
            gone[n] = r->blocks[r->b_head];
            r->mem_used -= gone[n].mem ? gone[n].mem->cap : 0;
            n++;
            r->b_head++;
            r->b_n--;
        }
        if (n > 0) {
            wake_paused(p);
        }
        res_unlock(p);

        size_t freed = 0;
        for (size_t i = 0; i < n; i++) {
            if (gone[i].mem) {
                chunk_unref(gone[i].mem);
            } else if (res_spool_drop(&r->spool, gone[i].off, gone[i].n)) {
                freed += gone[i].n;
            }
        }
        if (freed > 0) {
            res_lock(p);
            r->spool_used -= freed;
            p->spool_used -= freed;
            wake_paused(p);
            res_unlock(p);
        }
    } while (n == SL_ARRAY_LEN(gone));
}

/* The block that holds the row, or the first one after it; NULL when all rows are before it. Under mu. */
static struct res_block *block_of(struct res_result *r, uint64_t row)
{
    size_t lo = 0, hi = r->b_n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct res_block *b = &r->blocks[r->b_head + mid];
        if (b->first + b->count <= row) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < r->b_n ? &r->blocks[r->b_head + lo] : NULL;
}

/* Gives out the rows of a block from the reader's row on. Entered under mu, left without it. */
static bool give(struct res_reader *rd, const struct res_block *at, struct res_rows *ret)
{
    struct res_result *r = rd->result;
    struct res_block b = *at;
    /* Where in the block the reader's row begins is known when it has read up to there; else rows are stepped
     * over. */
    size_t known = rd->block_off > 0 && rd->block_first == b.first ? rd->block_off : 0;
    uint64_t want = SL_MAX(rd->at, b.first); /* rows before the block were dropped */
    ret->state = r->state;
    ret->first = known > 0 ? rd->at : b.first;
    ret->count = b.count - (uint32_t)(ret->first - b.first);
    ret->n = b.n - known;
    int fd = r->spool.fd;
    if (b.mem) {
        atomic_fetch_add_explicit(&b.mem->refs, 1, memory_order_relaxed);
        rd->held = b.mem;
        ret->p = b.mem->bytes + known;
    }
    if (!b.mem) {
        res_unlock(r->port);
        /* The reader has not passed the block yet, so its place in the file is not given back. */
        struct sl_err err = SL_ERR_INIT;
        if (rd->copy_cap < ret->n) {
            free(rd->copy);
            rd->copy = must(malloc(ret->n));
            rd->copy_cap = ret->n;
        }
        bool ok = res_spool_read(fd, b.off + known, rd->copy, ret->n, &err);
        res_lock(r->port);
        if (!ok) {
            r->state = RES_FAILED; /* also when all rows had come: they cannot be shown */
            r->err = err;
            ret->state = r->state;
            pthread_cond_broadcast(&r->changed);
            res_unlock(r->port);
            return false;
        }
        ret->p = rd->copy;
    }
    rd->at = b.first + b.count;
    rd->block_first = b.first;
    rd->block_off = b.n;
    res_unlock(r->port);
    res_rows_skip_to(ret, &r->cols, want);
    return true;
}

bool res_reader_wait(struct res_reader *rd, int64_t timeout_ms, struct res_rows *ret)
{
    struct res_result *r = rd->result;
    struct res_port *p = r->port;
    int64_t deadline = timeout_ms < 0 ? -1 : res_now_ms() + timeout_ms;
    *ret = (struct res_rows){0};
    chunk_unref(rd->held);
    rd->held = NULL;
    drop_passed(r);
    res_lock(p);
    for (;;) {
        const struct res_block *b = rd->at < r->rows ? block_of(r, rd->at) : NULL;
        if (b) {
            return give(rd, b, ret);
        }
        ret->state = r->state;
        bool news = rd->seen != r->state;
        rd->seen = r->state;
        if (news || ended(r->state) || !res_cond_wait(p, &r->changed, deadline)) {
            ret->first = rd->at;
            res_unlock(p);
            return false;
        }
    }
}

void res_reader_free(struct res_reader *rd)
{
    if (!rd) {
        return;
    }
    struct res_result *r = rd->result;
    drop_passed(r);
    res_lock(r->port);
    if (rd->prev) {
        rd->prev->next = rd->next;
    } else {
        r->readers = rd->next;
    }
    if (rd->next) {
        rd->next->prev = rd->prev;
    }
    res_unlock(r->port);
    chunk_unref(rd->held);
    free(rd->copy);
    free(rd);
    res_result_unref(r);
}
