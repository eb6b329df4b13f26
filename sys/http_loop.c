/* SPDX-License-Identifier: Apache-2.0
 * curl multi on uv: a uv_poll per socket, one timer. libcurl must not be called from inside its socket and
 * timer callbacks, so these only note what is wanted; and calls that have finished are handed out after
 * libcurl has returned, because done() may start and cancel others. */
#include "sys/http_loop.h"

#include <stdlib.h>
#include <uv.h>

#include "base/limits.h"
#include "sys/http_transfer.h"

/* One socket of curl's; freed when uv has closed the handle. */
struct watch {
    uv_poll_t poll;
    curl_socket_t fd;
    struct sys_http_loop *loop;
};

struct sys_http_call {
    struct sys_http_loop *loop;
    struct sys_http_call *prev, *next;
    CURL *easy;
    struct sys_http_request rq;
    const char **headers;
    struct http_transfer transfer;
    struct sl_arena *arena;
    sys_http_done *done;
    void *ctx;
};

struct sys_http_loop {
    CURLM *multi;
    uv_loop_t *uv;
    uv_timer_t timer;
    struct sys_http_call *calls;
    size_t active;
    unsigned handles; /* uv handles not yet closed */
    bool freeing;
};

static void collect(struct sys_http_loop *h);

static void handle_closed(struct sys_http_loop *h)
{
    if (--h->handles == 0) {
        free(h);
    }
}

static void watch_closed(uv_handle_t *handle)
{
    struct watch *w = handle->data;
    struct sys_http_loop *h = w->loop;
    free(w);
    handle_closed(h);
}

static void on_socket_event(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    struct sys_http_loop *h = w->loop;
    int bits = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0) |
               (status < 0 ? CURL_CSELECT_ERR : 0);
    int running;
    curl_multi_socket_action(h->multi, w->fd, bits, &running); /* may close w */
    collect(h);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct sys_http_loop *h = ctx;
    struct watch *w = socket_ctx;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            curl_multi_assign(h->multi, fd, NULL);
            uv_close((uv_handle_t *)&w->poll, watch_closed);
        }
        return 0;
    }
    if (!w) {
        w = calloc(1, sizeof(*w));
        SL_OOM_ON(!w);
        w->fd = fd;
        w->loop = h;
        if (uv_poll_init_socket(h->uv, &w->poll, fd) != 0) {
            free(w);
            return -1;
        }
        w->poll.data = w;
        h->handles++;
        curl_multi_assign(h->multi, fd, w);
    }
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&w->poll, events, on_socket_event) == 0 ? 0 : -1;
}

static int want_timer(CURLM *multi, long ms, void *ctx);

/* uv counts whole milliseconds and may come a part of one early: libcurl then finds nothing due, and does not ask
 * again for a time that it has asked for. So the timer is set again as long as it waits for one. */
static void on_timer(uv_timer_t *timer)
{
    struct sys_http_loop *h = timer->data;
    int running;
    long ms = -1;
    curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(h);
    curl_multi_timeout(h->multi, &ms);
    if (ms >= 0 && !uv_is_active((const uv_handle_t *)timer)) {
        want_timer(h->multi, SL_MAX(ms, 1L), h);
    }
}

static int want_timer(CURLM *multi, long ms, void *ctx)
{
    struct sys_http_loop *h = ctx;
    (void)multi;
    if (h->freeing) {
        return 0;
    }
    if (ms < 0) {
        uv_timer_stop(&h->timer);
        return 0;
    }
    uv_update_time(h->uv); /* the loop's idea of now may be old; a timeout must not come early for it */
    return uv_timer_start(&h->timer, on_timer, (uint64_t)ms, 0) == 0 ? 0 : -1; /* 0: in the next turn */
}

static void timer_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

struct sys_http_loop *sys_http_loop_new(void *uv_loop, unsigned per_host)
{
    http_global_init();
    struct sys_http_loop *h = calloc(1, sizeof(*h));
    SL_OOM_ON(!h);
    h->uv = uv_loop;
    SL_BUG_ON(uv_timer_init(h->uv, &h->timer) != 0);
    h->timer.data = h;
    h->handles = 1;
    h->multi = curl_multi_init();
    SL_OOM_ON(!h->multi);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)per_host);
    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, SL_LIMIT_HTTP_KEPT); /* else few times those in use */
    return h;
}

/* Takes the call off the multi handle and the list; its memory stays. */
static void detach(struct sys_http_call *call)
{
    struct sys_http_loop *h = call->loop;
    curl_multi_remove_handle(h->multi, call->easy);
    *(call->prev ? &call->prev->next : &h->calls) = call->next;
    if (call->next) {
        call->next->prev = call->prev;
    }
    h->active--;
}

static void free_call(struct sys_http_call *call)
{
    http_transfer_release(&call->transfer);
    curl_easy_cleanup(call->easy);
    free(call->headers);
    free(call);
}

static void finish(struct sys_http_call *call, CURLcode result)
{
    struct sys_http_answer answer = {0};
    struct sl_err err = SL_ERR_INIT;
    bool again = false; /* only with files */
    detach(call);
    bool ok = http_transfer_end(&call->transfer, result, call->arena, &answer, &again, &err);
    sys_http_done *done = call->done;
    void *ctx = call->ctx;
    free_call(call);
    done(ctx, ok, ok ? &answer : NULL, ok ? NULL : &err);
}

/* One message at a time: done() may end the call that the next message would have been about. */
static void collect(struct sys_http_loop *h)
{
    CURLMsg *msg;
    int left;
    while ((msg = curl_multi_info_read(h->multi, &left))) {
        if (msg->msg == CURLMSG_DONE) {
            CURLcode result = msg->data.result;
            struct sys_http_call *call = NULL;
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&call);
            finish(call, result);
        }
    }
}

static void copy_headers(struct sys_http_call *call)
{
    size_t n = 0;
    while (call->rq.headers && call->rq.headers[n]) {
        n++;
    }
    call->headers = calloc(n + 1, sizeof(*call->headers));
    SL_OOM_ON(!call->headers);
    if (n) {
        memcpy(call->headers, call->rq.headers, n * sizeof(*call->headers));
    }
    call->rq.headers = call->headers;
}

struct sys_http_call *sys_http_loop_start(struct sys_http_loop *h, const struct sys_http_request *rq,
                                          struct sl_arena *a, sys_http_done *done, void *ctx,
                                          struct sl_err *err)
{
    SL_BUG_ON(rq->save_path || rq->upload_path);
    struct sys_http_call *call = calloc(1, sizeof(*call));
    SL_OOM_ON(!call);
    call->loop = h;
    call->rq = *rq;
    call->arena = a;
    call->done = done;
    call->ctx = ctx;
    call->easy = curl_easy_init();
    SL_OOM_ON(!call->easy);
    copy_headers(call);
    if (!http_transfer_begin(&call->transfer, call->easy, &call->rq, err)) {
        free_call(call);
        return NULL;
    }
    curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
    /* Connections are kept, so a name is looked up when one is made; libcurl goes through all names that it
     * remembers at the end of each request, which thousands of hosts make long. */
    curl_easy_setopt(call->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    call->next = h->calls;
    if (call->next) {
        call->next->prev = call;
    }
    h->calls = call;
    h->active++;
    SL_BUG_ON(curl_multi_add_handle(h->multi, call->easy) != CURLM_OK); /* only sets the timer */
    return call;
}

void sys_http_loop_cancel(struct sys_http_call *call)
{
    detach(call);
    free_call(call);
}

size_t sys_http_loop_active(const struct sys_http_loop *h)
{
    return h->active;
}

void sys_http_loop_free(struct sys_http_loop *h)
{
    if (!h) {
        return;
    }
    while (h->calls) {
        sys_http_loop_cancel(h->calls);
    }
    h->freeing = true;
    curl_multi_cleanup(h->multi); /* gives up the idle connections: closes their watches */
    uv_close((uv_handle_t *)&h->timer, timer_closed);
}
