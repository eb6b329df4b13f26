/* SPDX-License-Identifier: Apache-2.0
 * The HTTP client on a uv loop: many requests at once on one curl multi handle, which shares connections.
 * Everything happens on the loop's thread. Requests and errors are those of sys/http.h, but for files:
 * save_path and upload_path would block the loop and are refused. */
#ifndef SLUICE_SYS_HTTP_LOOP_H
#define SLUICE_SYS_HTTP_LOOP_H

#include "sys/http.h"

struct sys_http_loop;
struct sys_http_call;
/* Once per started call, never from inside sys_http_loop_start: ok with an answer (in the call's arena), or
 * err. The call is gone after it. It may start and cancel other calls. */
typedef void sys_http_done(void *ctx, bool ok, const struct sys_http_answer *answer,
                           const struct sl_err *err);

/* `uv_loop` is a uv_loop_t *. At most `per_host` connections to one host; 0 = as many as are needed. */
struct sys_http_loop *sys_http_loop_new(void *uv_loop, unsigned per_host);
/* Starts a request. The strings of `rq` and its body must live until done(); rq itself and the list of
 * headers are copied. `a`: where the answer goes. NULL with err when it is not even a request; done() is not
 * called then. */
SL_MUST_CHECK struct sys_http_call *sys_http_loop_start(struct sys_http_loop *h,
                                                        const struct sys_http_request *rq, struct sl_arena *a,
                                                        sys_http_done *done, void *ctx, struct sl_err *err);
/* Ends a call that has not been done; done() is not called. */
void sys_http_loop_cancel(struct sys_http_call *call);
/* Calls that are not done. */
size_t sys_http_loop_active(const struct sys_http_loop *h);
/* Cancels what is left. The loop must run once more to close the handles. Not from inside done(). */
void sys_http_loop_free(struct sys_http_loop *h);

#endif
