/* SPDX-License-Identifier: Apache-2.0
 * One connection to a repository: requests with their tokens and repetitions. Private to the registry's files. */
#ifndef SLUICE_IMG_REGISTRY_IMPL_H
#define SLUICE_IMG_REGISTRY_IMPL_H

#include "runtime-image/registry.h"
#include "sys/http.h"

/* Headers of answers that are looked at. */
enum { REG_LOCATION, REG_RANGE, REG_DIGEST, REG_CHALLENGE, REG_RETRY, REG_LENGTH, REG_SUBJECT };

struct img_registry {
    struct sl_arena arena; /* of what lasts */
    struct sys_http *http;
    struct img_registry_options o;
    struct img_ref ref;
    const char *base;          /* "https://host" */
    const char *const *more;   /* repositories */
    const char *basic;         /* "Authorization: Basic ...", or NULL */
    const char *authorization; /* what goes with requests now, or NULL */
    bool push;                 /* tokens are asked for pushing */
    bool own_connections;      /* each request on one */
    int64_t sent;
    size_t requests;
};
struct reg_request {
    const char *method, *url; /* whole, or from "/v2/" on */
    const char *accept, *type, *range;
    sl_str body;
    const char *save_path; /* as of sys_http_request, with resume */
    bool once;             /* the caller sees himself how to go on after a fault that may pass */
};
/* False: no answer came, it says to come again and all tries are used up (`once`: none was made), or it says that we may not.
 * Any other answer is true. */
SL_MUST_CHECK bool reg_ask(struct img_registry *r, struct sl_arena *a, const struct reg_request *rq,
                           struct sys_http_answer *ret, struct sl_err *err);
/* "sha256:" and 64 hex digits? */
bool reg_digest_ok(sl_str s);
/* Has this answer a fault that may pass: too many requests, the server's own? */
bool reg_is_passing(int status);
/* Waits after `tries` tries and one, as long as the answer says or a little longer each time. */
void reg_wait(unsigned tries, const char *retry_after);
/* registry-failed with what the registry says itself. */
bool reg_fail(const struct img_registry *r, struct sl_arena *a, const struct sys_http_answer *x,
              const char *what, struct sl_err *err);
/* registry_push.c: a blob of the layout. */
SL_MUST_CHECK bool reg_push_blob(struct img_registry *r, const char *oci, sl_str digest, int64_t bytes,
                                 struct img_pushed *ret, struct sl_err *err);
/* *ret_subject (may be NULL): the registry keeps lists of what refers to a manifest. */
SL_MUST_CHECK bool reg_put_manifest(struct img_registry *r, struct sl_arena *a, const char *url, sl_str text,
                                    sl_str type, const char *digest, bool *ret_subject, struct sl_err *err);

#endif
