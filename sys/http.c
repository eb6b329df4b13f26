/* SPDX-License-Identifier: Apache-2.0
 * The blocking HTTP client: one curl easy handle, which keeps its connections. */
#include "sys/http.h"

#include <stdlib.h>

#include "sys/http_transfer.h"

struct sys_http {
    CURL *easy;
};

struct sys_http *sys_http_new(void)
{
    http_global_init();
    struct sys_http *h = calloc(1, sizeof(*h));
    SL_OOM_ON(!h);
    h->easy = curl_easy_init();
    SL_OOM_ON(!h->easy);
    return h;
}

void sys_http_free(struct sys_http *h)
{
    if (h) {
        curl_easy_cleanup(h->easy);
        free(h);
    }
}

bool sys_http_do(struct sys_http *h, const struct sys_http_request *rq, struct sl_arena *a,
                 struct sys_http_answer *ret, struct sl_err *err)
{
    bool ok, again = false;
    int tries = 0;
    do {
        struct http_transfer t;
        ok = http_transfer_begin(&t, h->easy, rq, err) &&
             http_transfer_end(&t, curl_easy_perform(h->easy), a, ret, &again, err);
        http_transfer_release(&t);
    } while (ok && again && ++tries < 2);
    return ok;
}
