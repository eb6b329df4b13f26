/* SPDX-License-Identifier: Apache-2.0
 * The bytes of a connection: read and written as they are, or in TLS, which the first byte that comes decides: a TLS
 * record begins with 22, a frame with the high byte of its length. Lane thread only. */
#include "gateway/results/internal.h"

#include "base/limits.h"

#include <stdlib.h>

#define TLS_HANDSHAKE 22

/* --- writing -----------------------------------------------------------------------------------------------
 */

static void on_written(uv_write_t *req, int status)
{
    struct res_out *o = req->data;
    struct res_conn *c = o->conn;
    sl_buf_release(&o->b);
    free(o);
    c->writes--;
    if (c->state == CONN_CLOSED) {
        return;
    }
    if (status < 0) {
        res_conn_close(c);
        return;
    }
    res_conn_more(c);
}

struct res_out *res_out_new(struct res_conn *c)
{
    struct res_out *o = calloc(1, sizeof(*o));
    SL_OOM_ON(!o);
    o->conn = c;
    o->req.data = o;
    sl_buf_init(&o->b, RES_TASK_PIECE_BYTES * 2);
    return o;
}

static void out_free(struct res_out *o)
{
    sl_buf_release(&o->b);
    free(o);
}

/* Bytes as they travel. */
static void put(struct res_out *o)
{
    struct res_conn *c = o->conn;
    SL_BUG_ON(o->b.full);
    uv_buf_t buf = uv_buf_init(o->b.p, (unsigned)o->b.n);
    c->sent_ms = res_now_ms();
    c->writes++;
    int rc = uv_write(&o->req, (uv_stream_t *)&c->tcp, &buf, 1, on_written);
    if (rc < 0) {
        c->writes--;
        out_free(o);
        res_conn_close(c);
        return;
    }
    if (uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) > SL_LIMIT_RESULTS_UNSENT_BYTES) {
        res_conn_close(c); /* it asks and asks, and never reads the answers */
    }
}

/* What TLS itself has to say. */
static void flush(struct res_conn *c)
{
    if (c->tls && res_tls_has_more(c->tls)) {
        struct res_out *o = res_out_new(c);
        res_tls_take(c->tls, &o->b);
        put(o);
    }
}

void res_out_send(struct res_out *o)
{
    struct res_conn *c = o->conn;
    SL_BUG_ON(o->b.full);
    if (!c->tls) {
        put(o);
        return;
    }
    bool ok = res_tls_write(c->tls, o->b.p, o->b.n);
    out_free(o);
    if (ok) {
        flush(c);
    } else {
        res_conn_close(c); /* there is no way to say it */
    }
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    (void)status;
    free(req);
}

void res_wire_shut(struct res_conn *c)
{
    if (c->state != CONN_LINGER) {
        return;
    }
    if (c->tls) {
        res_tls_end(c->tls);
        flush(c);
        if (c->state == CONN_CLOSED) {
            return;
        }
    }
    uv_shutdown_t *req = calloc(1, sizeof(*req));
    SL_OOM_ON(!req);
    if (uv_shutdown(req, (uv_stream_t *)&c->tcp, on_shutdown) < 0) {
        free(req);
        res_conn_close(c);
        return;
    }
    res_wire_read(c); /* else unread bytes make the kernel reset the connection under our last words */
}

/* --- reading
 * -------------------------------------------------------------------------------------------------- */

static void alloc_cb(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    (void)hint;
    struct res_conn *c = h->data;
    *buf = uv_buf_init(c->port->scratch, sizeof(c->port->scratch));
}

static bool is_over(const struct res_conn *c)
{
    return c->state == CONN_CLOSED || c->state == CONN_LINGER;
}

static void read_tls(struct res_conn *c, const char *p, size_t n)
{
    int got = -1;
    if (res_tls_feed(c->tls, p, n)) {
        while (!is_over(c) && (got = res_tls_read(c->tls, c->port->plain, sizeof(c->port->plain))) > 0) {
            res_conn_bytes(c, (const uint8_t *)c->port->plain, (size_t)got);
        }
    }
    if (c->state == CONN_CLOSED) {
        return;
    }
    flush(c);
    if (got < 0 && c->state != CONN_LINGER) {
        res_conn_close(c);
    }
}

/* Which of the two it is; false: the connection is over. */
static bool choose(struct res_conn *c, char first)
{
    struct sl_err err = SL_ERR_INIT;
    c->chosen = true;
    if (first == TLS_HANDSHAKE && !c->port->cfg.no_tls) {
        struct res_identity *i = res_port_identity(c->port, &err);
        if (!i) {
            res_conn_close(c);
            return false;
        }
        c->tls = res_tls_new(i);
        return true;
    }
    if (c->port->tls_only) {
        sl_fail(&err, SL_RESULTS_PROTOCOL, "this port listens beyond its machine: it takes TLS only");
        res_conn_refuse(c, &err);
        return false;
    }
    return true;
}

static void read_cb(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct res_conn *c = stream->data;
    if (n == 0) {
        return;
    }
    if (n < 0) {
        res_conn_close(c);
        return;
    }
    if (c->state == CONN_LINGER || (!c->chosen && !choose(c, buf->base[0]))) {
        return;
    }
    c->seen_ms = res_now_ms();
    if (c->tls) {
        read_tls(c, buf->base, (size_t)n);
    } else {
        res_conn_bytes(c, (const uint8_t *)buf->base, (size_t)n);
    }
}

void res_wire_read(struct res_conn *c)
{
    if (c->state != CONN_CLOSED && !c->reading) {
        c->reading = uv_read_start((uv_stream_t *)&c->tcp, alloc_cb, read_cb) == 0;
        if (!c->reading) {
            res_conn_close(c);
        }
    }
}

void res_wire_pause(struct res_conn *c)
{
    (void)uv_read_stop((uv_stream_t *)&c->tcp);
    c->reading = false;
}
