/* SPDX-License-Identifier: Apache-2.0
 * pip's way to a server. Redirects are followed here and not by curl, so that a trusted host cannot lend its
 * trust to another one. */
#include "runtime-image/pip_fetch.h"

#include <curl/curl.h>
#include <stdlib.h>

#define MAX_REDIRECTS 8

bool img_pip_trusts(const struct img_pip *pip, const char *url)
{
    CURLU *u = curl_url();
    char *host = NULL, *port = NULL;
    bool ret = false;
    if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        sl_str name = sl_str_of(host);
        for (size_t i = 0; i < pip->n_trusted && !ret; i++) {
            sl_str want = sl_str_of(pip->trusted[i]);
            size_t n = name.n;
            ret = want.n >= n && sl_str_ieq(sl_str_sub(want, 0, n), name) &&
                  (want.n == n ||
                   (want.p[n] == ':' && sl_str_eqz(sl_str_sub(want, n + 1, want.n - n - 1), port)));
        }
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return ret;
}

/* pip takes HTTP_PROXY in either case; curl only the small letters. */
static const char *environment_proxy(const char *url)
{
    const char *large = getenv("HTTP_PROXY");
    bool plain = strncmp(url, "http://", 7) == 0;
    return plain && !getenv("http_proxy") && large && *large ? large : NULL;
}

bool img_pip_fetch(struct sys_http *h, const struct img_pip *pip, struct sys_http_request *rq,
                   struct sl_arena *a, struct sys_http_answer *ret, struct sl_err *err)
{
    rq->ca_file = pip->cert;
    rq->client_cert = pip->client_cert;
    rq->netrc = true;
    rq->follow = false;
    for (int n = 0; n <= MAX_REDIRECTS; n++) {
        rq->insecure = img_pip_trusts(pip, rq->url);
        rq->proxy = pip->proxy ? pip->proxy : environment_proxy(rq->url);
        rq->proxy_always = pip->proxy != NULL;
        if (!sys_http_do(h, rq, a, ret, err)) {
            return false;
        }
        if (!ret->redirect || ret->status < 300 || ret->status > 399) {
            return true;
        }
        rq->url = ret->redirect;
    }
    return sl_fail(err, SL_TARGET_UNREACHABLE, "%s redirects more than %d times", img_url_shown(a, rq->url),
                   MAX_REDIRECTS);
}
