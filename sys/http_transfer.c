/* SPDX-License-Identifier: Apache-2.0
 * Setting up a request, taking its body with a limit or into a file, and turning curl's endings into our
 * errors: one line with host and port, never the path (it may hold an id) nor a header. */
#include "sys/http_transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "sys/file.h"
#include "sys/http_guard.h"

#define MAX_REDIRECTS 8
#define STALL_SECONDS 30 /* a download that brings no byte for so long has failed */
#define UNBOUNDED     ((size_t)INT64_MAX)

static void init_once(void)
{
    SL_BUG_ON(curl_global_init(CURL_GLOBAL_DEFAULT) != 0);
}

void http_global_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_once);
}

/* Host and port of a URL for messages and for the proxy rule; false when it is no URL. */
static bool host_of(const char *url, char *out, size_t size, bool *ret_loopback)
{
    CURLU *u = curl_url();
    char *host = NULL, *port = NULL;
    SL_OOM_ON(!u);
    bool ok = curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
              curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    if (ok) {
        snprintf(out, size, "%s:%s", host, port);
        *ret_loopback =
            strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return ok;
}

static long status_of(const struct http_transfer *t)
{
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t stop(struct http_transfer *t, enum sl_code fault, int saved_errno)
{
    t->fault = fault;
    t->fault_errno = saved_errno;
    return 0;
}

static bool fail_refused(const char *host, const char *address, struct sl_err *err)
{
    sl_fail(err, SL_ADDRESS_REFUSED, "%s (%s) is link-local or a cloud's metadata: no request is sent there",
            host, address);
    return sl_hint(err, "http.link-local: true      is the setting that allows it");
}

/* The first byte of a successful answer decides whether the file goes on or begins anew. */
static bool start_file(struct http_transfer *t)
{
    bool goes_on = status_of(t) == 206;
    if (goes_on && t->range_from != t->base) {
        stop(t, SL_TARGET_ANSWER, 0);
        return false;
    }
    if (!goes_on && t->base > 0) {
        if (ftruncate(t->fd, 0) != 0 || lseek(t->fd, 0, SEEK_SET) != 0) {
            stop(t, SL_IO, errno);
            return false;
        }
        t->base = 0;
    }
    return true;
}

static size_t on_file_bytes(struct http_transfer *t, const char *p, size_t n)
{
    if (t->written == 0 && !start_file(t)) {
        return 0;
    }
    if ((size_t)(t->base + t->written) + n > t->max) {
        return stop(t, SL_LIMIT, 0);
    }
    for (size_t done = 0; done < n;) {
        ssize_t w = write(t->fd, p + done, n - done);
        if (w < 0 && errno != EINTR) {
            return stop(t, errno == ENOSPC || errno == EDQUOT ? SL_DISK_FULL : SL_IO, errno);
        }
        done += w > 0 ? (size_t)w : 0;
    }
    t->written += (int64_t)n;
    return n;
}

static size_t on_bytes(char *p, size_t one, size_t n, void *arg)
{
    struct http_transfer *t = arg;
    (void)one; /* always 1 */
    long status = status_of(t);
    if (t->fd >= 0 && status >= 200 && status < 300) {
        return on_file_bytes(t, p, n);
    }
    sl_buf_put(&t->body, p, n);
    return t->body.full ? stop(t, SL_LIMIT, 0) : n;
}

static size_t on_header(char *p, size_t one, size_t n, void *arg)
{
    struct http_transfer *t = arg;
    (void)one;
    sl_str line = sl_str_trim((sl_str){p, n});
    if (sl_str_starts(line, SL_STR("HTTP/"))) { /* a new answer, behind a redirect or 100 */
        t->range_from = t->range_total = -1;
        return n;
    }
    static const char name[] = "content-range:";
    if (line.n > sizeof(name) && sl_str_ieqz(sl_str_sub(line, 0, sizeof(name) - 1), name)) {
        /* RFC 9110 14.4: from-to/total, where range or total may be an asterisk */
        ptrdiff_t unit = sl_str_find(line, SL_STR("bytes ")), slash = sl_str_find_char(line, '/');
        if (unit > 0 && slash > unit) {
            sl_str range = sl_str_sub(line, (size_t)unit + 6, (size_t)(slash - unit) - 6);
            sl_str total = sl_str_sub(line, (size_t)slash + 1, line.n - (size_t)slash - 1);
            ptrdiff_t dash = sl_str_find_char(range, '-');
            int64_t v;
            if (dash > 0 && sl_str_to_i64(sl_str_sub(range, 0, (size_t)dash), &v)) {
                t->range_from = v;
            }
            if (sl_str_to_i64(total, &v)) {
                t->range_total = v;
            }
        }
    }
    return n;
}

static int on_progress(void *arg, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total,
                       curl_off_t ul_now)
{
    struct http_transfer *t = arg;
    bool up = ul_total > 0 && dl_now == 0;
    int64_t base = t->written > 0 ? t->base : 0;
    int64_t total = up ? ul_total : dl_total > 0 ? dl_total + base : -1;
    if (!t->rq->progress(t->rq->progress_ctx, up ? ul_now : dl_now + base, total)) {
        stop(t, SL_CANCELLED, 0);
        return 1;
    }
    return 0;
}

/* A connection is to be made: for a request, for one behind a redirect, to a proxy. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct http_transfer *t = arg;
    (void)purpose;
    if (http_guard_refuses(&a->addr)) {
        char text[INET6_ADDRSTRLEN];
        const struct sockaddr_storage *s = (const void *)&a->addr;
        const void *ip = s->ss_family == AF_INET ? (const void *)&((const struct sockaddr_in *)s)->sin_addr
                                                 : &((const struct sockaddr_in6 *)s)->sin6_addr;
        snprintf(t->refused, sizeof(t->refused), "%s", inet_ntop(s->ss_family, ip, text, sizeof(text)));
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* Behind a proxy no connection of ours goes to the host; one that is written as an address is refused all the same. */
static bool check_literal(const char *host_port, struct sl_err *err)
{
    char host[300];
    union {
        struct sockaddr a;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at;
    memset(&at, 0, sizeof(at));
    bool v6 = host_port[0] == '[';
    snprintf(host, sizeof(host), "%.*s", (int)strcspn(host_port + v6, v6 ? "]%" : ":"), host_port + v6);
    at.a.sa_family = v6 ? AF_INET6 : AF_INET;
    if (inet_pton(at.a.sa_family, host, v6 ? (void *)&at.v6.sin6_addr : &at.v4.sin_addr) == 1 &&
        http_guard_refuses(&at.a)) {
        return fail_refused(host_port, host, err);
    }
    return true;
}

static bool open_save_file(struct http_transfer *t, struct sl_err *err)
{
    const struct sys_http_request *rq = t->rq;
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (rq->resume ? 0 : O_TRUNC);
    t->fd = open(rq->save_path, flags, 0600);
    t->base = t->fd >= 0 ? lseek(t->fd, 0, SEEK_END) : -1;
    if (t->base < 0) {
        return sl_fail_errno(err, SL_IO, errno, "cannot write %s", rq->save_path);
    }
    return true;
}

static bool add_header(struct http_transfer *t, const char *line, struct sl_err *err)
{
    if (strpbrk(line, "\r\n")) {
        return sl_fail(err, SL_HTTP, "a request header must not hold a line break");
    }
    struct curl_slist *longer = curl_slist_append(t->headers, line);
    SL_OOM_ON(!longer);
    t->headers = longer;
    return true;
}

static bool set_headers(struct http_transfer *t, struct sl_err *err)
{
    const struct sys_http_request *rq = t->rq;
    if (!add_header(t, "Expect:", err)) { /* no waiting for 100-continue */
        return false;
    }
    for (const char *const *h = rq->headers; h && *h; h++) {
        if (!add_header(t, *h, err)) {
            return false;
        }
    }
    if (rq->content_type && (!rq->upload_path || rq->upload_raw)) { /* of a form it is the part's */
        SL_ARENA_AUTO a = {0};
        if (!add_header(t, sl_arena_printf(&a, "Content-Type: %s", rq->content_type).p, err)) {
            return false;
        }
    }
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    return true;
}

static size_t on_raw_read(char *p, size_t one, size_t n, void *arg)
{
    struct http_transfer *t = arg;
    size_t got = fread(p, one, n, t->raw);
    return got == 0 && ferror(t->raw) ? CURL_READFUNC_ABORT : got;
}

/* It is sent again, on another connection. */
static int on_raw_seek(void *arg, curl_off_t at, int from)
{
    struct http_transfer *t = arg;
    return fseeko(t->raw, at, from) == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static bool set_raw_body(struct http_transfer *t, struct sl_err *err)
{
    const char *path = t->rq->upload_path;
    int64_t bytes = sys_file_size(path);
    t->raw = bytes < 0 ? NULL : fopen(path, "rbe");
    if (!t->raw) {
        return sl_fail(err, SL_FILE_NOT_FOUND, "cannot read %s", path);
    }
    curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes);
    curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, on_raw_read);
    curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, on_raw_seek);
    curl_easy_setopt(t->easy, CURLOPT_SEEKDATA, t);
    return true;
}

static bool set_body(struct http_transfer *t, struct sl_err *err)
{
    const struct sys_http_request *rq = t->rq;
    const char *method = rq->method ? rq->method : "GET";
    if (rq->upload_path && rq->upload_raw) {
        if (!set_raw_body(t, err)) {
            return false;
        }
    } else if (rq->upload_path) {
        if (sys_file_size(rq->upload_path) < 0) {
            return sl_fail(err, SL_FILE_NOT_FOUND, "cannot read %s: no such file", rq->upload_path);
        }
        t->mime = curl_mime_init(t->easy);
        curl_mimepart *part = curl_mime_addpart(t->mime);
        SL_OOM_ON(!part || curl_mime_name(part, rq->upload_field ? rq->upload_field : "file") != CURLE_OK);
        if (curl_mime_filedata(part, rq->upload_path) != CURLE_OK) {
            return sl_fail(err, SL_IO, "cannot read %s", rq->upload_path);
        }
        SL_OOM_ON(rq->upload_name && curl_mime_filename(part, rq->upload_name) != CURLE_OK);
        if (rq->content_type) {
            curl_mime_type(part, rq->content_type);
        }
        curl_easy_setopt(t->easy, CURLOPT_MIMEPOST, t->mime);
    } else if (rq->body.n > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
               strcmp(method, "PATCH") == 0) {
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body.n);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, rq->body.p ? rq->body.p : "");
    }
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method);
    }
    return true;
}

static void set_times(struct http_transfer *t)
{
    const struct sys_http_request *rq = t->rq;
    int64_t connect_ms = rq->connect_ms ? rq->connect_ms : sl_limits.http_connect_ms;
    int64_t total_ms = rq->total_ms ? rq->total_ms : rq->save_path ? 0 : sl_limits.http_total_ms;
    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)total_ms);
    if (total_ms == 0) {
        curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
    }
}

/* Which way to the server, and by what it is known. */
static void set_trust(CURL *easy, const struct sys_http_request *rq, bool loopback)
{
    if (rq->proxy && (rq->proxy_always || !loopback)) {
        curl_easy_setopt(easy, CURLOPT_PROXY, rq->proxy);
        if (rq->proxy_always) {
            curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
        }
    } else if (loopback) { /* a proxy of the environment does not lead to this machine */
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    if (rq->ca_file) {
        curl_easy_setopt(easy, sys_is_dir(rq->ca_file) ? CURLOPT_CAPATH : CURLOPT_CAINFO, rq->ca_file);
    }
    if (rq->client_cert) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, rq->client_cert);
    }
    if (rq->client_key) {
        curl_easy_setopt(easy, CURLOPT_SSLKEY, rq->client_key);
    }
    if (rq->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (rq->netrc) {
        curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
    }
}

bool http_transfer_begin(struct http_transfer *t, CURL *easy, const struct sys_http_request *rq,
                         struct sl_err *err)
{
    *t = (struct http_transfer){.easy = easy, .rq = rq, .fd = -1, .range_from = -1, .range_total = -1};
    char host[300];
    bool loopback = false;
    t->max = rq->max_bytes ? rq->max_bytes : rq->save_path ? UNBOUNDED : SL_LIMIT_HTTP_BODY_BYTES;
    sl_buf_init(&t->body, rq->save_path ? SL_LIMIT_HTTP_BODY_BYTES : t->max);
    curl_easy_reset(easy);
    if (!host_of(rq->url, host, sizeof(host), &loopback)) {
        return sl_fail(err, SL_TARGET_UNREACHABLE, "not a valid http or https address: %.200s", rq->url);
    }
    if (!check_literal(host, err)) {
        return false;
    }
    curl_easy_setopt(easy, CURLOPT_URL, rq->url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->errbuf);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluice/" SLUICE_VERSION);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    set_trust(easy, rq, loopback);
    if (rq->share) {
        curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    }
    if (rq->follow) {
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
    }
    if (rq->progress) {
        curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(easy, CURLOPT_XFERINFODATA, t);
    }
    if (rq->save_path) {
        if (!open_save_file(t, err)) {
            return false;
        }
        if (t->base > 0) {
            char range[32];
            snprintf(range, sizeof(range), "%lld-", (long long)t->base);
            curl_easy_setopt(easy, CURLOPT_RANGE, range);
        }
    }
    set_times(t);
    return set_headers(t, err) && set_body(t, err);
}

/* The long tail of curl's words, without its full stops and line ends. */
static sl_str curl_words(const struct http_transfer *t, CURLcode result)
{
    sl_str words = sl_str_trim(sl_str_of(t->errbuf[0] ? t->errbuf : curl_easy_strerror(result)));
    while (words.n > 0 && words.p[words.n - 1] == '.') {
        words.n--;
    }
    return words;
}

/* Without scheme, name and password. */
static const char *proxy_shown(const char *proxy)
{
    const char *at = strstr(proxy, "://");
    const char *host = at ? at + 3 : proxy;
    at = strrchr(host, '@');
    return at ? at + 1 : host;
}

static bool fail_connect(const struct http_transfer *t, const char *host, struct sl_err *err)
{
    long os_errno = 0;
    SL_ARENA_AUTO a = {0};
    if (t->refused[0]) { /* perhaps of another host, behind a redirect */
        const char *last = NULL;
        char to[300];
        bool loopback;
        curl_easy_getinfo(t->easy, CURLINFO_EFFECTIVE_URL, &last);
        return fail_refused(last && host_of(last, to, sizeof(to), &loopback) ? to : host, t->refused, err);
    }
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_errno);
    if (t->rq->proxy) {
        host = sl_arena_printf(&a, "%s through the proxy %s", host, proxy_shown(t->rq->proxy)).p;
    }
    if (os_errno == ECONNREFUSED || os_errno == 0) {
        return sl_fail(err, SL_TARGET_UNREACHABLE, "cannot reach %s: connection refused", host);
    }
    return sl_fail_errno(err, SL_TARGET_UNREACHABLE, (int)os_errno, "cannot reach %s", host);
}

static bool fail_timeout(const struct http_transfer *t, const char *host, struct sl_err *err)
{
    curl_off_t connected = 0, total = 0;
    curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected);
    curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &total);
    double seconds = (double)total / 1e6;
    if (connected == 0) {
        return sl_fail(err, SL_TARGET_UNREACHABLE, "cannot reach %s: no connection within %.1f s", host,
                       seconds);
    }
    const char *what = status_of(t) ? "the answer did not end" : "no answer";
    return sl_fail(err, SL_TARGET_UNREACHABLE, "%s: %s within %.1f s", host, what, seconds);
}

static bool fail_fault(const struct http_transfer *t, const char *host, struct sl_err *err)
{
    switch (t->fault) {
    case SL_LIMIT:
        return sl_fail(err, SL_LIMIT, "the answer of %s is larger than %s", host, SL_SIZE(t->max));
    case SL_CANCELLED:
        return sl_fail(err, SL_CANCELLED, "the transfer from %s was cancelled", host);
    case SL_TARGET_ANSWER:
        return sl_fail(err, SL_TARGET_ANSWER, "%s sent another part of the file than it was asked for", host);
    case SL_DISK_FULL:
        sl_fail(err, SL_DISK_FULL, "cannot write %s: the disk is full", t->rq->save_path);
        return sl_hint(err, "free some space there and try again");
    default:
        return sl_fail_errno(err, SL_IO, t->fault_errno, "cannot write %s", t->rq->save_path);
    }
}

static bool fail_transfer(const struct http_transfer *t, CURLcode result, struct sl_err *err)
{
    char host[300] = "?";
    bool loopback;
    host_of(t->rq->url, host, sizeof(host), &loopback);
    if (t->fault != SL_OK) {
        return fail_fault(t, host, err);
    }
    sl_str words = curl_words(t, result);
    curl_off_t connected = 0;
    long refused = 0;
    curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &refused);
    if (refused >= 300) {
        return sl_fail(err, SL_TARGET_UNREACHABLE, "cannot reach %s: the proxy answers HTTP %ld%s", host,
                       refused, refused == 407 ? " (it wants a name and a password)" : "");
    }
    curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected);
    switch (result) {
    case CURLE_COULDNT_CONNECT:
        return fail_connect(t, host, err);
    case CURLE_OPERATION_TIMEDOUT:
        return fail_timeout(t, host, err);
    case CURLE_COULDNT_RESOLVE_HOST:
        return sl_fail(err, SL_TARGET_UNREACHABLE, "cannot reach %s: the host name is not known", host);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return sl_fail(err, SL_TARGET_UNREACHABLE, "cannot reach %s: the proxy's host name is not known",
                       host);
    case CURLE_GOT_NOTHING:
        return sl_fail(err, SL_TARGET_UNREACHABLE, "%s closed the connection without an answer", host);
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return sl_fail(err, SL_TARGET_UNREACHABLE, "%s broke the connection off %s", host,
                       status_of(t) ? "in the middle of the answer" : "before it answered");
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return sl_fail(err, SL_TARGET_UNREACHABLE, "%s does not answer in HTTP", host);
    case CURLE_UNSUPPORTED_PROTOCOL:
        if (connected > 0) {
            return sl_fail(err, SL_TARGET_UNREACHABLE, "%s does not answer in HTTP", host);
        }
        return sl_fail(err, SL_TARGET_UNREACHABLE, "only http and https addresses are allowed: %.200s",
                       t->rq->url);
    case CURLE_TOO_MANY_REDIRECTS:
        return sl_fail(err, SL_TARGET_UNREACHABLE, "%s redirects more than %d times", host, MAX_REDIRECTS);
    case CURLE_READ_ERROR:
        return sl_fail(err, SL_IO, "cannot read %s", t->rq->upload_path ? t->rq->upload_path : "the body");
    default:
        return sl_fail(err, SL_TARGET_UNREACHABLE, "%s: %.*s", host, SL_S(words));
    }
}

/* The answer to a Range that begins at the end of the file: is it complete, or of another make? */
static bool end_range(struct http_transfer *t, struct sys_http_answer *ret, bool *ret_again,
                      struct sl_err *err)
{
    if (t->range_total == t->base) {
        ret->status = 200;
        return true;
    }
    if (ftruncate(t->fd, 0) != 0) {
        return sl_fail_errno(err, SL_IO, errno, "cannot write %s", t->rq->save_path);
    }
    *ret_again = true;
    return true;
}

bool http_transfer_end(struct http_transfer *t, CURLcode result, struct sl_arena *a,
                       struct sys_http_answer *ret, bool *ret_again, struct sl_err *err)
{
    *ret_again = false;
    if (result != CURLE_OK) {
        return fail_transfer(t, result, err);
    }
    const char *type = NULL, *redirect = NULL;
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &redirect);
    struct sys_http_answer answer = {.status = (int)status_of(t)};
    answer.content_type = sl_str_dup(a, sl_str_of(type));
    if (redirect && !t->rq->follow) {
        answer.redirect = sl_arena_strdupz(a, sl_str_of(redirect));
    }
    for (size_t i = 0; t->rq->wanted && t->rq->wanted[i] && i < SYS_HTTP_KEPT; i++) {
        struct curl_header *header;
        if (curl_easy_header(t->easy, t->rq->wanted[i], 0, CURLH_HEADER, -1, &header) == CURLHE_OK) {
            answer.kept[i] = sl_arena_strdupz(a, sl_str_of(header->value));
        }
    }
    bool saved = t->fd >= 0 && answer.status >= 200 && answer.status < 300;
    if (t->fd >= 0 && answer.status == 416 && t->base > 0 && !end_range(t, &answer, ret_again, err)) {
        return false;
    }
    if (saved && t->written == 0 && !start_file(t)) {
        return fail_transfer(t, result, err);
    }
    if (saved && fsync(t->fd) != 0) {
        return sl_fail_errno(err, errno == ENOSPC ? SL_DISK_FULL : SL_IO, errno, "cannot write %s",
                             t->rq->save_path);
    }
    if (t->fd < 0 || answer.status < 200 || answer.status > 299) {
        answer.body = sl_str_dup(a, sl_buf_str(&t->body));
    }
    if (t->fd >= 0 && !saved && t->base == 0) {
        unlink(t->rq->save_path); /* nothing came to be saved */
    }
    *ret = answer;
    return true;
}

void http_transfer_release(struct http_transfer *t)
{
    if (t->easy) {
        curl_easy_reset(t->easy); /* forgets what is freed now */
    }
    curl_slist_free_all(t->headers);
    curl_mime_free(t->mime);
    if (t->raw) {
        (void)fclose(t->raw);
    }
    sl_buf_release(&t->body);
    if (t->fd >= 0) {
        close(t->fd);
    }
    *t = (struct http_transfer){.fd = -1};
}
