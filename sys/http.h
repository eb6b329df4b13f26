/* SPDX-License-Identifier: Apache-2.0
 * HTTP client on libcurl. One sys_http per lane (it keeps connections); the blocking form is for lane
 * threads. Only http and https; redirects are not followed unless asked; bodies have a maximum; nothing is
 * logged that holds a header. */
#ifndef SLUICE_SYS_HTTP_H
#define SLUICE_SYS_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct sys_http;
struct sys_http_request {
    const char *method; /* "GET" */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const char *content_type;   /* of the body */
    sl_str body;
    const char *upload_field;     /* multipart upload: field name ... */
    const char *upload_path;      /* ... and file */
    const char *upload_name;      /* the name it is given there; NULL = its own */
    bool upload_raw;              /* the file is the body itself, no form */
    int64_t connect_ms, total_ms; /* 0 = limits.h */
    size_t max_bytes;             /* of the answer; 0 = limits.h */
    const char *ca_file;          /* PEM file or folder of trusted CAs; NULL = the system's */
    const char *client_cert;      /* PEM file with certificate and key to show; NULL = none */
    const char *client_key;       /* PEM file of its key; NULL = in client_cert */
    bool insecure;                /* the server's certificate is not checked */
    const char *proxy;            /* NULL = as the environment says, never for this machine */
    bool proxy_always;            /* `proxy` also for hosts of no_proxy and for this machine */
    bool share;            /* waits for a connection that is being made, if it may carry many requests */
    bool netrc;            /* name and password of ~/.netrc where the address has none */
    const char *save_path; /* GET into a file, resuming at its size (Range) when `resume` */
    bool resume, follow;
    bool (*progress)(void *ctx, int64_t done, int64_t total); /* false aborts; total -1 = unknown */
    void *progress_ctx;
    const char *const *wanted; /* names of the answer's headers that are kept, NULL-terminated; may be NULL */
};
#define SYS_HTTP_KEPT 8 /* headers at most */
struct sys_http_answer {
    int status;
    sl_str body; /* in the arena */
    sl_str content_type;
    const char *kept[SYS_HTTP_KEPT]; /* values in the order of `wanted`, in the arena; NULL: not there */
    const char *redirect;            /* where a 3xx that was not followed leads, in the arena; or NULL */
};
struct sys_http *sys_http_new(void);
void sys_http_free(struct sys_http *h);
/* false only when no HTTP answer came: target-unreachable (connect, reset, timeout), address-refused, limit-exceeded,
 * cancelled, io. An answer with status 500 is true. Not thread-safe per sys_http. */
SL_MUST_CHECK bool sys_http_do(struct sys_http *h, const struct sys_http_request *rq, struct sl_arena *a,
                               struct sys_http_answer *ret, struct sl_err *err);

/* May requests go to link-local addresses and to metadata services of clouds? At first not: address-refused. Any thread. */
void sys_http_let_link_local(bool yes);

#endif
