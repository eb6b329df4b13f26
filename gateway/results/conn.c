/* SPDX-License-Identifier: Apache-2.0
 * One connection of a runner, a sink or a stranger: its states, what each frame does, and its end. Lane
 * thread only. */
#include "gateway/results/internal.h"

#include "base/limits.h"

#include <stdlib.h>

/* --- lists -------------------------------------------------------------------------------------------------
 */

static void list_add(struct res_list *l, struct res_conn *c)
{
    c->prev = l->tail;
    c->next = NULL;
    if (l->tail) {
        l->tail->next = c;
    } else {
        l->head = c;
    }
    l->tail = c;
    l->n++;
}

static void list_remove(struct res_list *l, struct res_conn *c)
{
    if (c->prev) {
        c->prev->next = c->next;
    } else {
        l->head = c->next;
    }
    if (c->next) {
        c->next->prev = c->prev;
    } else {
        l->tail = c->prev;
    }
    l->n--;
}

static bool is_known(const struct res_conn *c)
{
    return c->state == CONN_RUNNER || c->state == CONN_SINK;
}

/* --- letting go --------------------------------------------------------------------------------------------
 */

/* The result it fills, when it goes: PARTIAL unless it has ended. */
static void drop_result(struct res_conn *c, const struct sl_err *why)
{
    struct res_result *r = c->result;
    if (!r) {
        return;
    }
    c->result = NULL;
    res_lock(c->port);
    if (c->paused) {
        c->paused = false;
        c->port->paused--;
    }
    bool destroy = res_result_detach(r, why);
    res_unlock(c->port);
    if (destroy) {
        res_result_destroy(r);
    }
}

static void drop_task(struct res_conn *c)
{
    struct res_task *t = c->task;
    if (!t) {
        return;
    }
    c->task = NULL;
    res_lock(c->port);
    bool mine = t->conn == c;
    if (mine) {
        t->conn = NULL;
        res_task_set_state(t, RES_TASK_LOST);
    }
    res_unlock(c->port);
    res_task_unref(t);
}

static void let_go(struct res_conn *c, const struct sl_err *why)
{
    struct sl_err lost = SL_ERR_INIT;
    if (!why) {
        sl_fail(&lost, SL_RESULT_PARTIAL, "the connection from Flink ended before the result did");
        why = &lost;
    }
    drop_result(c, why);
    drop_task(c);
    sl_buf_release(&c->in);
}

static void on_closed(uv_handle_t *h)
{
    struct res_conn *c = h->data;
    res_tls_free(c->tls);
    free(c);
}

void res_conn_close(struct res_conn *c)
{
    if (c->state == CONN_CLOSED) {
        return;
    }
    struct res_port *p = c->port;
    list_remove(is_known(c) ? &p->known : &p->fresh, c);
    c->state = CONN_CLOSED;
    let_go(c, NULL);
    res_lock(p);
    for (struct res_conn **at = &p->attn; *at && c->attn; at = &(*at)->attn_next) {
        if (*at == c) {
            *at = c->attn_next;
            break;
        }
    }
    c->attn = false;
    res_unlock(p);
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

/* --- what is said ---------------------------------------------------------------------------------------------
 */

static void send_empty(struct res_conn *c, enum res_frame_type type)
{
    struct res_out *o = res_out_new(c);
    res_put_empty(&o->b, type);
    res_out_send(o);
}

static void send_u64(struct res_conn *c, enum res_frame_type type, uint64_t v)
{
    struct res_out *o = res_out_new(c);
    res_put_u64(&o->b, type, v);
    res_out_send(o);
}

/* Everything is said: give the peer a moment to read it, discard what it still sends, then close. */
static void linger(struct res_conn *c)
{
    if (c->state == CONN_CLOSED || c->state == CONN_LINGER) {
        return;
    }
    if (is_known(c)) {
        list_remove(&c->port->known, c);
        list_add(&c->port->fresh, c);
    }
    c->state = CONN_LINGER;
    c->since_ms = res_now_ms();
}

void res_conn_refuse(struct res_conn *c, const struct sl_err *err)
{
    struct res_out *o = res_out_new(c);
    res_put_refused(&o->b, err);
    linger(c);
    if (c->result) {
        res_lock(c->port);
        res_result_end(c->result, RES_FAILED, err);
        res_unlock(c->port);
    }
    let_go(c, err);
    res_out_send(o);
    res_wire_shut(c);
}

/* --- what is due to be sent
 * ---------------------------------------------------------------------------------- */

/* One piece of the document at a time, so that a slow runner costs one piece of memory. */
static void send_task_piece(struct res_conn *c)
{
    struct res_out *o = res_out_new(c);
    res_lock(c->port);
    sl_str doc = c->task->document; /* constant while it is being fetched */
    res_unlock(c->port);
    size_t n = SL_MIN(doc.n - c->task_at, RES_TASK_PIECE_BYTES);
    bool last = c->task_at + n == doc.n;
    res_put_task(&o->b, (sl_str){doc.p ? doc.p + c->task_at : NULL, n}, last);
    c->task_at += n;
    c->has_task_rest = !last;
    res_out_send(o);
}

/* Acknowledgements are about the newest state only: one in flight at a time. */
void res_conn_more(struct res_conn *c)
{
    if (c->writes > 0 || !is_known(c)) {
        return;
    }
    if (c->has_task_rest) {
        send_task_piece(c);
    } else if (c->ack_due && c->result) {
        c->ack_due = false;
        send_u64(c, RES_F_ACK, c->result->rows); /* only the lane changes it */
    }
}

/* --- frames
 * ------------------------------------------------------------------------------------------------- */

static bool unexpected(struct sl_err *err, unsigned type)
{
    return sl_fail(err, SL_RESULTS_PROTOCOL, "frame 0x%02x is not due here", type);
}

static bool token_unknown(struct sl_err *err)
{
    return sl_fail(err, SL_RESULTS_TOKEN, "this token is unknown, used up or its result has ended");
}

static bool on_hello(struct res_conn *c, struct res_frame *f, struct sl_err *err)
{
    struct res_port *p = c->port;
    struct res_hello h;
    if (!res_hello_read(f, &h, err)) {
        return false;
    }
    enum res_conn_state state = CONN_LINGER;
    if (h.role != RES_ROLE_PROBE) {
        res_lock(p);
        struct res_token *t = res_token_find(p, h.token);
        bool ok = false;
        if (t && h.role == RES_ROLE_RUNNER && t->task && t->task->state == RES_TASK_UNCLAIMED &&
            !t->task->close_wanted) {
            c->task = t->task;
            c->task->refs++;
            state = CONN_RUNNER;
            ok = true;
        } else if (t && h.role == RES_ROLE_SINK && t->result && !t->result->claimed &&
                   t->result->state == RES_WAITING && !t->result->close_wanted &&
                   (t->result->statement == 0 || t->result->statement == h.statement)) {
            c->result = t->result;
            c->result->conn = c;
            c->result->claimed = true;
            state = CONN_SINK;
            ok = true;
        }
        res_unlock(p);
        if (!ok) {
            return token_unknown(err);
        }
        list_remove(&p->fresh, c);
        list_add(&p->known, c);
        c->state = state;
    }
    struct res_out *o = res_out_new(c);
    res_put_welcome(&o->b, h.version, &p->cfg);
    if (h.role == RES_ROLE_PROBE) {
        linger(c);
        res_out_send(o);
        res_wire_shut(c);
    } else {
        res_out_send(o);
    }
    return true;
}

static bool on_columns(struct res_conn *c, struct res_frame *f, struct sl_err *err)
{
    if (c->result->cols.n > 0) {
        return unexpected(err, f->type);
    }
    struct sl_arena a;
    struct res_columns cols;
    sl_arena_init(&a, 0);
    if (!res_columns_read(f, &a, &cols, err)) {
        sl_arena_release(&a);
        return false;
    }
    res_result_open(c->result, &a, &cols);
    return true;
}

static bool on_rows(struct res_conn *c, struct res_frame *f, struct sl_err *err)
{
    struct res_result *r = c->result;
    struct res_rows rows;
    if (!res_rows_read(f, &r->cols, r->rows, c->port->cfg.row_bytes, &rows, err) ||
        !res_result_append(r, rows, err)) {
        return false;
    }
    c->ack_due = true;
    return true;
}

static bool on_finish(struct res_conn *c, struct res_frame *f, struct sl_err *err)
{
    struct res_result *r = c->result;
    uint64_t said;
    if (!res_u64_read(f, &said, err)) {
        return false;
    }
    uint64_t have = r->rows;
    if (said != have) {
        return sl_fail(err, SL_RESULTS_PROTOCOL, "the result has %llu rows, but %llu arrived",
                       (unsigned long long)said, (unsigned long long)have);
    }
    c->ack_due = false;
    res_lock(c->port);
    res_result_end(r, RES_COMPLETE, NULL);
    res_unlock(c->port);
    c->is_done = c->state == CONN_SINK;
    send_u64(c, RES_F_FINISHED, have);
    return true;
}

static bool on_sink_error(struct res_conn *c, struct res_frame *f, struct sl_err *err)
{
    struct res_sink_error e;
    if (!res_sink_error_read(f, &e, err)) {
        return false;
    }
    struct sl_err said = SL_ERR_INIT;
    enum sl_code code = sl_code_of_slug(e.slug);
    code = code == SL_OK ? SL_CELL_TOO_LARGE : code;
    if (e.column.n > 0 && sl_str_find(e.message, e.column) < 0) {
        sl_fail(&said, code, "column '%.*s': %.*s", (int)SL_MIN(e.column.n, 128u), e.column.p,
                (int)SL_MIN(e.message.n, 300u), e.message.p ? e.message.p : "");
    } else {
        sl_fail(&said, code, "%.*s", (int)SL_MIN(e.message.n, 400u), e.message.p ? e.message.p : "");
    }
    res_lock(c->port);
    res_result_end(c->result, RES_FAILED, &said);
    res_unlock(c->port);
    if (c->state == CONN_SINK) { /* it waits for our end of the connection before it fails its task */
        linger(c);
        let_go(c, NULL);
        res_wire_shut(c);
    }
    return true;
}

/* Frames about rows, of a sink or, between BEGIN and FINISH, of a runner. */
static bool on_result_frame(struct res_conn *c, struct res_frame *f, struct sl_err *err)
{
    if (!c->result) {
        return unexpected(err, f->type);
    }
    if (f->type == RES_F_COLUMNS) {
        return c->result->state == RES_COMPLETE ? unexpected(err, f->type) : on_columns(c, f, err);
    }
    if (f->type == RES_F_SINK_ERROR) {
        return on_sink_error(c, f, err);
    }
    if (c->result->cols.n == 0) {
        return unexpected(err, f->type);
    }
    res_lock(c->port);
    enum res_state s = c->result->state;
    res_unlock(c->port);
    if (s == RES_CLOSED) { /* what still comes is dropped: a sink is being stopped, a runner goes on */
        uint64_t said;
        if (f->type != RES_F_FINISH) {
            return true;
        }
        if (!res_u64_read(f, &said, err)) {
            return false;
        }
        if (c->state == CONN_RUNNER) {
            send_u64(c, RES_F_FINISHED, said);
        }
        return true;
    }
    if (s != RES_OPEN) {
        return unexpected(err, f->type);
    }
    return f->type == RES_F_ROWS ? on_rows(c, f, err) : on_finish(c, f, err);
}

/* The first word of a runner claims its token. */
static bool claim(struct res_conn *c, struct sl_err *err)
{
    struct res_task *t = c->task;
    res_lock(c->port);
    bool mine = t->conn == c;
    if (!mine && t->state == RES_TASK_UNCLAIMED && !t->conn && !t->close_wanted) {
        t->conn = c;
        res_task_set_state(t, RES_TASK_CLAIMED);
        mine = true;
    }
    res_unlock(c->port);
    return mine || token_unknown(err);
}

static bool on_task_get(struct res_conn *c, struct res_frame *f, struct sl_err *err)
{
    if (!res_empty_read(f, err) || c->has_task_rest || c->task_at > 0) {
        return unexpected(err, f->type);
    }
    c->has_task_rest = true;
    res_conn_more(c);
    return true;
}

/* BEGIN, DONE, FAILED: the answer of the statement before is over. */
static bool on_say(struct res_conn *c, struct res_frame *f, struct sl_err *err)
{
    struct res_task *t = c->task;
    struct res_say say;
    if (!res_say_read(f, &say, err)) {
        return false;
    }
    struct sl_err cut = SL_ERR_INIT;
    sl_fail(&cut, SL_RESULT_PARTIAL, "the answer was broken off");
    drop_result(c, &cut);
    c->ack_due = false;
    c->statement = f->type == RES_F_BEGIN ? say.statement : 0;
    res_lock(c->port);
    size_t bytes = say.chain.n + say.stack.n;
    struct res_statement_report *r =
        t->report_bytes + bytes <= SL_LIMIT_TASK_REPORT_BYTES ? res_task_say(t, say.statement) : NULL;
    if (r && f->type == RES_F_BEGIN) {
        r->begun = true;
    } else if (r && f->type == RES_F_DONE) {
        r->done = true;
        memcpy(r->job_id, say.job_id.p ? say.job_id.p : "", say.job_id.n);
        r->job_id[say.job_id.n] = '\0';
    } else if (r) {
        r->failed = true;
        r->chain_json = sl_str_dup(&t->arena, say.chain);
        r->stack = sl_str_dup(&t->arena, say.stack);
        t->report_bytes += bytes;
    }
    pthread_cond_broadcast(&t->changed);
    res_unlock(c->port);
    return r || sl_fail(err, SL_LIMIT, "the runner reports on too many statements");
}

static bool on_end(struct res_conn *c, struct res_frame *f, struct sl_err *err)
{
    uint8_t ok;
    if (!res_u8_read(f, &ok, err)) {
        return false;
    }
    struct sl_err cut = SL_ERR_INIT;
    sl_fail(&cut, SL_RESULT_PARTIAL, "the answer was broken off");
    drop_result(c, &cut);
    struct res_out *o = res_out_new(c);
    res_put_empty(&o->b, RES_F_END_STORED);
    res_lock(c->port);
    res_task_set_state(c->task, RES_TASK_ENDED);
    res_unlock(c->port);
    linger(c); /* the runner is the one who closes */
    c->is_done = true;
    drop_task(c);
    res_out_send(o);
    return true;
}

/* COLUMNS of a runner opens the answer of the statement that was begun. */
static bool open_answer(struct res_conn *c, struct sl_err *err)
{
    struct res_task *t = c->task;
    if (c->statement == 0) {
        return sl_fail(err, SL_RESULTS_PROTOCOL, "an answer without the BEGIN of its statement");
    }
    res_lock(c->port);
    struct res_statement_report *r = res_task_say(t, c->statement);
    bool ok = r && !r->answer;
    if (ok) {
        r->answer = res_result_make(c->port, c->statement, false);
        r->answer->conn = c;
        c->result = r->answer;
    }
    res_unlock(c->port);
    return ok || sl_fail(err, SL_RESULTS_PROTOCOL, "a second answer of one statement");
}

static bool on_runner_frame(struct res_conn *c, struct res_frame *f, struct sl_err *err)
{
    if (!claim(c, err)) {
        return false;
    }
    switch (f->type) {
    case RES_F_TASK_GET:
        return on_task_get(c, f, err);
    case RES_F_BEGIN:
    case RES_F_DONE:
    case RES_F_FAILED:
        return on_say(c, f, err);
    case RES_F_END:
        return on_end(c, f, err);
    case RES_F_COLUMNS:
        if (!c->result && !open_answer(c, err)) {
            return false;
        }
        return on_result_frame(c, f, err);
    case RES_F_ROWS:
    case RES_F_FINISH:
        return on_result_frame(c, f, err);
    default:
        return unexpected(err, f->type);
    }
}

static bool on_frame(struct res_conn *c, struct res_frame *f, struct sl_err *err)
{
    if (c->state == CONN_HELLO) {
        return on_hello(c, f, err);
    }
    if (f->type == RES_F_HEARTBEAT) {
        return res_empty_read(f, err);
    }
    if (c->state == CONN_RUNNER) {
        return on_runner_frame(c, f, err);
    }
    switch (f->type) {
    case RES_F_COLUMNS:
    case RES_F_ROWS:
    case RES_F_FINISH:
    case RES_F_SINK_ERROR:
        return on_result_frame(c, f, err);
    default:
        return unexpected(err, f->type);
    }
}

/* Handles the whole frames of the bytes; returns how many bytes that were. Stops early when the result has no
 * room: then nothing more is read until there is. */
static size_t handle(struct res_conn *c, const uint8_t *p, size_t n)
{
    size_t done = 0;
    while (c->state == CONN_HELLO || is_known(c)) {
        struct res_frame f;
        size_t used;
        struct sl_err err = SL_ERR_INIT;
        size_t max = c->state == CONN_HELLO ? SL_LIMIT_HELLO_BYTES : SL_LIMIT_FRAME_BYTES;
        enum res_split s = res_frame_split(p + done, n - done, max, &f, &used, &err);
        if (s == RES_SPLIT_MORE) {
            break;
        }
        if (s == RES_SPLIT_BAD) {
            res_conn_refuse(c, &err);
            break;
        }
        if (f.type == RES_F_ROWS && c->result && !res_result_room(c->result, c)) {
            res_wire_pause(c);
            break;
        }
        done += used;
        if (!on_frame(c, &f, &err)) {
            res_conn_refuse(c, &err);
            break;
        }
    }
    if (c->state != CONN_CLOSED) {
        res_conn_more(c);
    }
    return done;
}

/* --- reading
 * -------------------------------------------------------------------------------------------------- */

static void keep(struct res_conn *c, const uint8_t *p, size_t n)
{
    if (n > 0 && (c->state == CONN_HELLO || is_known(c))) {
        sl_buf_put(&c->in, p, n);
        SL_BUG_ON(c->in.full); /* a frame's length is checked before its bytes are kept */
    }
}

void res_conn_bytes(struct res_conn *c, const uint8_t *p, size_t n)
{
    if (c->in.n == 0) {
        size_t done = handle(c, p, n);
        keep(c, p + done, n - done);
    } else {
        sl_buf_put(&c->in, p, n);
        SL_BUG_ON(c->in.full);
        size_t done = handle(c, (const uint8_t *)c->in.p, c->in.n);
        if (c->state == CONN_HELLO || is_known(c)) {
            sl_buf_consume(&c->in, done);
        }
    }
    if (c->in.n == 0) {
        sl_buf_release(&c->in); /* an idle connection holds no buffer */
        sl_buf_init(&c->in, SL_LIMIT_FRAME_BYTES + (1 << 20));
    }
}

void res_conn_look(struct res_conn *c)
{
    if (!is_known(c)) {
        return;
    }
    struct res_port *p = c->port;
    res_lock(p);
    bool stop_task = c->task && c->task->close_wanted && c->task->conn == c;
    /* a sink that has been told FINISHED ends by itself: a STOP now would fail a job that is done */
    bool stop_result =
        c->state == CONN_SINK && c->result && c->result->close_wanted && c->result->state != RES_COMPLETE;
    res_unlock(p);
    if (stop_task || stop_result) {
        struct res_out *o = res_out_new(c);
        res_put_empty(&o->b, RES_F_STOP);
        linger(c);
        let_go(c, NULL);
        res_out_send(o);
        res_wire_shut(c);
        return;
    }
    if (c->paused && res_result_room(c->result, c)) {
        c->seen_ms = res_now_ms(); /* its heartbeats were lying unread */
        size_t done = handle(c, (const uint8_t *)c->in.p, c->in.n);
        if (is_known(c)) {
            sl_buf_consume(&c->in, done);
            if (!c->paused) {
                res_wire_read(c);
            }
        }
    }
}

bool res_conn_is_done(const struct res_conn *c)
{
    return c->is_done;
}

void res_conn_tick(struct res_conn *c, int64_t now)
{
    const struct res_config *cfg = &c->port->cfg;
    struct sl_err err = SL_ERR_INIT;
    if (c->state == CONN_HELLO && now - c->since_ms >= cfg->hello_ms) {
        sl_fail(&err, SL_RESULTS_PROTOCOL, "no HELLO within %u ms", cfg->hello_ms);
        res_conn_refuse(c, &err);
    } else if (c->state == CONN_LINGER && now - c->since_ms >= SL_LIMIT_RESULTS_LINGER_MS) {
        res_conn_close(c);
    } else if (is_known(c) && !c->paused && now - c->seen_ms >= cfg->lost_ms) {
        sl_fail(&err, SL_RESULT_PARTIAL, "nothing was heard from Flink for %u ms", cfg->lost_ms);
        let_go(c, &err);
        res_conn_close(c);
    } else if (is_known(c) && now - c->sent_ms >= cfg->heartbeat_ms && c->writes == 0) {
        send_empty(c, RES_F_HEARTBEAT);
    }
}

/* --- coming
 * -------------------------------------------------------------------------------------------------- */

void res_conn_accept(struct res_port *p)
{
    struct res_conn *c = calloc(1, sizeof(*c));
    SL_OOM_ON(!c);
    c->port = p;
    c->state = CONN_HELLO;
    c->tcp.data = c;
    c->since_ms = c->seen_ms = c->sent_ms = res_now_ms();
    sl_buf_init(&c->in, SL_LIMIT_FRAME_BYTES + (1 << 20));
    if (uv_tcp_init(&p->loop, &c->tcp) < 0) {
        free(c);
        return;
    }
    list_add(&p->fresh, c);
    if (uv_accept((uv_stream_t *)&p->listener, (uv_stream_t *)&c->tcp) < 0) {
        res_conn_close(c);
        return;
    }
    /* Strangers never take the places of those who are known: the oldest stranger goes first. */
    while (p->fresh.n + p->known.n > p->cfg.connections && p->fresh.head != c) {
        res_conn_close(p->fresh.head);
    }
    if (p->known.n >= p->cfg.connections) {
        struct sl_err err = SL_ERR_INIT;
        sl_fail(&err, SL_BUSY, "%u connections are open, no more are allowed", p->cfg.connections);
        res_conn_refuse(c, &err);
        return;
    }
    (void)uv_tcp_nodelay(&c->tcp, 1);
    res_wire_read(c);
}
