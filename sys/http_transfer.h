/* SPDX-License-Identifier: Apache-2.0
 * One request on a curl easy handle: what the blocking client and the one on the loop have in common. Private
 * to sys/. */
#ifndef SLUICE_SYS_HTTP_TRANSFER_H
#define SLUICE_SYS_HTTP_TRANSFER_H

#include "sys/http.h"

#include <curl/curl.h>

struct http_transfer {
    CURL *easy; /* borrowed */
    const struct sys_http_request *rq;
    struct curl_slist *headers;
    curl_mime *mime;
    FILE *raw; /* body that is a file, or NULL */
    struct sl_buf body;
    int fd;          /* of save_path, or -1 */
    int64_t base;    /* bytes of save_path that were there before */
    int64_t written; /* bytes this answer added */
    size_t max;
    int64_t range_from, range_total; /* Content-Range of the answer; -1 = not said */
    enum sl_code fault;              /* why a callback stopped curl; SL_OK = it did not */
    int fault_errno;
    char refused[64]; /* an address that no connection was made to; "": none */
    char errbuf[CURL_ERROR_SIZE];
};

/* Once per process, before the first handle. */
void http_global_init(void);
/* Sets the easy handle up (after a reset). `rq` must live until the end. Release it in every case. */
SL_MUST_CHECK bool http_transfer_begin(struct http_transfer *t, CURL *easy, const struct sys_http_request *rq,
                                       struct sl_err *err);
/* After curl has finished with `result`: the answer, or why there is none. *ret_again: the partial file was
 * of no use and is gone; the request should be made anew. */
SL_MUST_CHECK bool http_transfer_end(struct http_transfer *t, CURLcode result, struct sl_arena *a,
                                     struct sys_http_answer *ret, bool *ret_again, struct sl_err *err);
void http_transfer_release(struct http_transfer *t);

#endif
