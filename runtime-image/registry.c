/* SPDX-License-Identifier: Apache-2.0
 * Addresses of images, and requests to a registry: who we are (basic, tokens), what may be tried again. */
#include "runtime-image/registry_impl.h"

#include "base/digest.h"
#include "base/limits.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define CONFIG_BYTES ((size_t)1 << 20)
#define FIRST_WAIT   100 /* ms */

/* ---- addresses ---- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Distribution spec: parts of small letters and digits with '.', '_', '__' or '-' between them, and slashes between the parts. */
static bool repository_ok(sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool mark = strchr("._-/", s.p[i]) && s.p[i];
        if (!is_word(s.p[i]) &&
            !(mark && i > 0 && i + 1 < s.n && (s.p[i] != '/' || is_word(s.p[i + 1])) &&
              (is_word(s.p[i - 1]) || s.p[i] == s.p[i - 1]) && !(s.p[i] == '/' && s.p[i - 1] == '/'))) {
            return false;
        }
    }
    return s.n > 0 && s.n <= 255;
}

static bool tag_ok(sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool word = is_word(c) || (c >= 'A' && c <= 'Z') || c == '_';
        if (!word && !((c == '.' || c == '-') && i > 0)) {
            return false;
        }
    }
    return s.n > 0 && s.n <= 128;
}

bool reg_digest_ok(sl_str s)
{
    if (s.n != 71 || !sl_str_starts(s, SL_STR("sha256:"))) {
        return false;
    }
    for (size_t i = 7; i < s.n; i++) {
        if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f')) {
            return false;
        }
    }
    return true;
}

static bool host_ok(sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_word(s.p[i]) && !(s.p[i] >= 'A' && s.p[i] <= 'Z') && !(s.p[i] && strchr(".-:[]", s.p[i]))) {
            return false;
        }
    }
    return s.n > 0 &&
           (sl_str_find_char(s, '.') >= 0 || sl_str_find_char(s, ':') >= 0 || sl_str_eqz(s, "localhost"));
}

static bool is_this_machine(sl_str host)
{
    return sl_str_starts(host, SL_STR("127.")) || sl_str_starts(host, SL_STR("[::1]")) ||
           sl_str_eqz(host, "localhost") || sl_str_starts(host, SL_STR("localhost:"));
}

static bool bad_ref(sl_str text, struct sl_err *err)
{
    sl_fail(err, SL_USAGE, "'%.*s' is no address of an image", SL_S(text));
    return sl_hint(err, "HOST[:PORT]/REPOSITORY[:TAG][@sha256:...], as registry.example.org/team/flink:2.2");
}

bool img_ref_parse(sl_str text, struct img_ref *ret, struct sl_err *err)
{
    struct img_ref r = {0};
    sl_str rest = text;
    bool plain = sl_str_starts(rest, SL_STR("http://")), tls = sl_str_starts(rest, SL_STR("https://"));
    size_t scheme = plain ? 7 : tls ? 8 : 0;
    rest = sl_str_sub(rest, scheme, rest.n - scheme);
    ptrdiff_t slash = sl_str_find_char(rest, '/');
    if (slash <= 0) {
        return bad_ref(text, err);
    }
    r.host = sl_str_sub(rest, 0, (size_t)slash);
    rest = sl_str_sub(rest, (size_t)slash + 1, rest.n - (size_t)slash - 1);
    r.plain = plain || (!tls && is_this_machine(r.host));
    ptrdiff_t at = sl_str_find_char(rest, '@');
    if (at >= 0) {
        sl_str digest = sl_str_sub(rest, (size_t)at + 1, rest.n - (size_t)at - 1);
        if (!reg_digest_ok(digest)) {
            return bad_ref(text, err);
        }
        memcpy(r.digest, digest.p, digest.n);
        rest = sl_str_sub(rest, 0, (size_t)at);
    }
    ptrdiff_t colon = sl_str_find_char(rest, ':');
    r.repository = colon >= 0 ? sl_str_sub(rest, 0, (size_t)colon) : rest;
    r.tag = colon >= 0    ? sl_str_sub(rest, (size_t)colon + 1, rest.n - (size_t)colon - 1)
            : r.digest[0] ? SL_STR_NONE
                          : SL_STR("latest");
    if (!host_ok(r.host) || !repository_ok(r.repository) ||
        ((colon >= 0 || !r.digest[0]) && !tag_ok(r.tag))) {
        return bad_ref(text, err);
    }
    *ret = r;
    return true;
}

sl_str img_ref_text(struct sl_arena *a, const struct img_ref *r)
{
    return sl_arena_printf(a, "%.*s/%.*s%s%.*s", SL_S(r->host), SL_S(r->repository), r->tag.n ? ":" : "",
                           SL_S(r->tag));
}

/* ---- who we are ---- */

static const char *basic_of(struct sl_arena *a, sl_str pair)
{
    unsigned char *out = sl_arena_alloc(a, pair.n * 4 / 3 + 8);
    EVP_EncodeBlock(out, (const unsigned char *)pair.p, (int)pair.n);
    return sl_arena_printf(a, "Authorization: Basic %s", (const char *)out).p;
}

/* {"auths": {"host": {"auth": "base64 of user:password"}}} */
static const char *basic_of_docker(struct sl_arena *a, const char *file, sl_str host)
{
    sl_str text;
    const struct sl_json *j;
    if (!file || !sys_file_read(a, file, CONFIG_BYTES, &text, NULL) || !(j = sl_json_parse(a, text, NULL))) {
        return NULL;
    }
    SL_JSON_EACH(e, sl_json_get(j, "auths"))
    {
        sl_str key = e->key;
        if (sl_str_starts(key, SL_STR("https://"))) {
            key = sl_str_sub(key, 8, key.n - 8);
        }
        ptrdiff_t slash = sl_str_find_char(key, '/');
        key = slash >= 0 ? sl_str_sub(key, 0, (size_t)slash) : key;
        sl_str auth = sl_json_str(sl_json_get(e, "auth"), SL_STR_NONE);
        if (auth.n && sl_str_eq(key, host)) {
            return sl_arena_printf(a, "Authorization: Basic %.*s", SL_S(auth)).p;
        }
    }
    return NULL;
}

struct img_registry *img_registry_new(const struct img_ref *ref, const struct img_registry_options *o,
                                      const char *const *more)
{
    struct img_registry *r = calloc(1, sizeof *r);
    SL_OOM_ON(!r);
    r->http = sys_http_new();
    r->ref = *ref;
    r->o = *o;
    r->more = more;
    r->base = sl_arena_printf(&r->arena, "%s://%.*s", ref->plain ? "http" : "https", SL_S(ref->host)).p;
    r->basic = o->user && *o->user ? basic_of(&r->arena, sl_arena_printf(&r->arena, "%s:%s", o->user,
                                                                         o->password ? o->password : ""))
                                   : basic_of_docker(&r->arena, o->docker_config, ref->host);
    return r;
}

void img_registry_free(struct img_registry *r)
{
    if (r) {
        sys_http_free(r->http);
        sl_arena_release(&r->arena);
        free(r);
    }
}

/* A parameter of a challenge: name="value". */
static sl_str challenge_value(sl_str challenge, const char *name)
{
    SL_ARENA_AUTO a = {0};
    sl_str mark = sl_arena_printf(&a, "%s=\"", name);
    ptrdiff_t at = sl_str_find(challenge, mark);
    if (at < 0) {
        return SL_STR_NONE;
    }
    size_t from = (size_t)at + mark.n;
    sl_str rest = sl_str_sub(challenge, from, challenge.n - from);
    ptrdiff_t end = sl_str_find_char(rest, '"');
    return end < 0 ? SL_STR_NONE : sl_str_sub(rest, 0, (size_t)end);
}

static void put_escaped(struct sl_buf *b, sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = is_word((char)c) || (c >= 'A' && c <= 'Z') || (c && strchr("-._~", c));
        if (plain) {
            sl_buf_putc(b, (char)c);
        } else {
            sl_buf_printf(b, "%%%02X", c);
        }
    }
}

static bool fail_denied(const struct img_registry *r, struct sl_err *err)
{
    sl_fail(err, SL_REGISTRY_DENIED, "%.*s does not let us %s %.*s", SL_S(r->ref.host),
            r->push ? "push to" : "pull from", SL_S(r->ref.repository));
    return sl_hint(err, r->basic
                            ? "is the user right, and may he do it?"
                            : "SLUICE_REGISTRY_USER and SLUICE_REGISTRY_PASSWORD, or ~/.docker/config.json");
}

/* The token that a challenge tells to fetch, for all that will be asked for. */
static bool fetch_token(struct img_registry *r, sl_str challenge, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct sys_http_answer x;
    sl_str realm = challenge_value(challenge, "realm"), service = challenge_value(challenge, "service");
    SL_BUF_AUTO url;
    sl_buf_init(&url, 0);
    sl_buf_puts(&url, realm);
    sl_buf_putz(&url, sl_str_find_char(realm, '?') >= 0 ? "&service=" : "?service=");
    put_escaped(&url, service);
    sl_buf_putz(&url, "&scope=");
    put_escaped(&url, sl_arena_printf(&a, "repository:%.*s:%s", SL_S(r->ref.repository),
                                      r->push ? "pull,push" : "pull"));
    for (const char *const *m = r->more; m && *m; m++) {
        sl_buf_putz(&url, "&scope=");
        put_escaped(&url, sl_arena_printf(&a, "repository:%s:pull", *m));
    }
    const char *headers[] = {r->basic, NULL};
    struct sys_http_request rq = {.method = "GET",
                                  .url = sl_buf_z(&url),
                                  .headers = headers,
                                  .ca_file = r->o.ca_file,
                                  .total_ms = sl_limits.registry_request_ms};
    r->requests++;
    if (!realm.n || !sys_http_do(r->http, &rq, &a, &x, err)) {
        return realm.n ? false : fail_denied(r, err);
    }
    if (x.status == 401 || x.status == 403) {
        return fail_denied(r, err);
    }
    const struct sl_json *j = x.status == 200 ? sl_json_parse(&a, x.body, NULL) : NULL;
    sl_str token =
        sl_json_str(sl_json_get(j, "token"), sl_json_str(sl_json_get(j, "access_token"), SL_STR_NONE));
    if (!token.n) {
        return sl_fail(err, SL_REGISTRY_FAILED, "%.*s: no token from where it sends for one (HTTP %d)",
                       SL_S(r->ref.host), x.status);
    }
    r->authorization = sl_arena_printf(&r->arena, "Authorization: Bearer %.*s", SL_S(token)).p;
    return true;
}

static bool authenticate(struct img_registry *r, const char *challenge, struct sl_err *err)
{
    sl_str c = sl_str_of(challenge);
    if (c.n > 7 && sl_str_ieqz(sl_str_sub(c, 0, 7), "bearer ")) {
        return fetch_token(r, c, err);
    }
    if (c.n >= 5 && sl_str_ieqz(sl_str_sub(c, 0, 5), "basic") && r->basic && r->authorization != r->basic) {
        r->authorization = r->basic;
        return true;
    }
    return fail_denied(r, err);
}

/* ---- requests ---- */

bool reg_is_passing(int status)
{
    return status == 429 || status == 408 || status >= 500;
}

void reg_wait(unsigned tries, const char *retry_after)
{
    int64_t ms = (int64_t)FIRST_WAIT << SL_MIN(tries, 4u), asked;
    char random[5];
    sl_random_hex(random, 2);
    ms += ms * (int64_t)strtol(random, NULL, 16) / 65536; /* not all at once */
    if (retry_after && sl_str_to_i64(sl_str_of(retry_after), &asked) && asked >= 0) {
        ms = SL_MAX(asked * 1000, 1);
    }
    sys_sleep_ms(SL_MIN(ms, SL_LIMIT_REGISTRY_WAIT_MS));
}

bool reg_fail(const struct img_registry *r, struct sl_arena *a, const struct sys_http_answer *x,
              const char *what, struct sl_err *err)
{
    const struct sl_json *j = x->body.n ? sl_json_parse(a, x->body, NULL) : NULL;
    const struct sl_json *e = sl_json_at(sl_json_get(j, "errors"), 0);
    sl_str code = sl_json_str(sl_json_get(e, "code"), SL_STR_NONE);
    sl_str words = sl_json_str(sl_json_get(e, "message"), SL_STR_NONE);
    words.n = SL_MIN(words.n, 200);
    return sl_fail(err, SL_REGISTRY_FAILED, "%.*s: HTTP %d to %s%s%.*s%s%.*s", SL_S(r->ref.host), x->status,
                   what, code.n ? ": " : "", SL_S(code), words.n ? ", " : "", SL_S(words));
}

/* Is a whole address one of this registry? Others are not told who we are. */
static bool is_own(const struct img_registry *r, const char *url)
{
    size_t n = strlen(r->base);
    return strncmp(url, r->base, n) == 0 && (url[n] == '/' || url[n] == '?');
}

static bool ask_now(struct img_registry *r, struct sl_arena *a, const struct reg_request *rq,
                    struct sys_http_answer *ret, struct sl_err *err)
{
    static const char *const wanted[] = {"Location",         "Range",       "Docker-Content-Digest",
                                         "WWW-Authenticate", "Retry-After", "Content-Length",
                                         "OCI-Subject",      NULL};
    const char *headers[5] = {NULL};
    size_t n = 0;
    const char *url = rq->url[0] == '/' ? sl_arena_printf(a, "%s%s", r->base, rq->url).p : rq->url;
    if (r->authorization && is_own(r, url)) {
        headers[n++] = r->authorization;
    }
    if (rq->accept) {
        headers[n++] = sl_arena_printf(a, "Accept: %s", rq->accept).p;
    }
    if (rq->range) {
        headers[n++] = sl_arena_printf(a, "Content-Range: %s", rq->range).p;
    }
    if (r->own_connections) {
        headers[n++] = "Connection: close";
    }
    struct sys_http_request h = {.method = rq->method,
                                 .url = url,
                                 .headers = headers,
                                 .content_type = rq->type,
                                 .body = rq->body,
                                 .ca_file = r->o.ca_file,
                                 .total_ms = rq->save_path ? 0 : sl_limits.registry_request_ms,
                                 .max_bytes = rq->save_path ? 0 : SL_LIMIT_MANIFEST_BYTES,
                                 .save_path = rq->save_path,
                                 .resume = rq->save_path != NULL,
                                 .follow = strcmp(rq->method, "GET") == 0,
                                 .wanted = wanted};
    r->requests++;
    r->sent += (int64_t)rq->body.n;
    return sys_http_do(r->http, &h, a, ret, err);
}

bool reg_ask(struct img_registry *r, struct sl_arena *a, const struct reg_request *rq,
             struct sys_http_answer *ret, struct sl_err *err)
{
    bool token_is_new = false;
    int64_t had = rq->save_path ? sys_file_size(rq->save_path) : 0;
    for (unsigned tries = 0;;) {
        struct sl_err fault = SL_ERR_INIT;
        bool came = ask_now(r, a, rq, ret, &fault);
        if (came && ret->status == 401 && !token_is_new) {
            if (!authenticate(r, ret->kept[REG_CHALLENGE], err)) {
                return false;
            }
            token_is_new = true;
            continue;
        }
        if (came && (ret->status == 401 || ret->status == 403)) {
            return fail_denied(r, err);
        }
        if (!came && rq->save_path &&
            sys_file_size(rq->save_path) >= had + (int64_t)SL_LIMIT_REGISTRY_PIECE_MIN) {
            had = sys_file_size(rq->save_path); /* it broke off, but it goes on */
            tries = 0;
        }
        bool passing = came ? reg_is_passing(ret->status) : fault.code == SL_TARGET_UNREACHABLE;
        if (passing && !rq->once && ++tries < SL_LIMIT_REGISTRY_TRIES) {
            reg_wait(tries - 1, came ? ret->kept[REG_RETRY] : NULL);
            continue;
        }
        if (!came && err) {
            *err = fault;
            err->code = fault.code == SL_TARGET_UNREACHABLE ? SL_REGISTRY_FAILED : fault.code;
        }
        return came;
    }
}
