/* SPDX-License-Identifier: Apache-2.0
 * The simple index API (PEP 503, 629, 691), only as far as one known package needs it. */
#include "runtime-image/pypi.h"

#include "base/json.h"
#include "base/vec.h"
#include "runtime-image/pip_fetch.h"
#include "sys/file.h"

#include <curl/curl.h>
#include <stdio.h>

#define ACCEPT                                                                                               \
    "Accept: application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "               \
    "text/html;q=0.1"

int img_pypi_rank(sl_str file, const char *version)
{
    static const char *const forms[] = {
        "apache-flink-libraries-%s.tar.gz", "apache_flink_libraries-%s.tar.gz",
        "apache_flink_libraries-%s-py2.py3-none-any.whl", "apache_flink_libraries-%s-py3-none-any.whl"};
    for (size_t i = 0; i < SL_ARRAY_LEN(forms); i++) {
        char name[128];
        const char *at = strstr(forms[i], "%s");
        snprintf(name, sizeof name, "%.*s%s%s", (int)(at - forms[i]), forms[i], version, at + 2);
        if (sl_str_eqz(file, name)) {
            return (int)i + 1;
        }
    }
    return 0;
}

static char *part_of(CURLU *u, CURLUPart what)
{
    char *part = NULL;
    return curl_url_get(u, what, &part, what == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) == CURLUE_OK ? part
                                                                                                      : NULL;
}

static bool same(const char *x, const char *y)
{
    return x && y && strcmp(x, y) == 0;
}

/* Name and password of the index hold for the files that it names on the same server, as with pip. */
static bool resolve(CURLU *u, const char *rel)
{
    enum { SCHEME, HOST, PORT, USER, PASSWORD, N };
    static const CURLUPart what[N] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT, CURLUPART_USER,
                                      CURLUPART_PASSWORD};
    char *old[N], *new[N] = {0};
    for (int i = 0; i < N; i++) {
        old[i] = part_of(u, what[i]);
    }
    bool ok = curl_url_set(u, CURLUPART_URL, rel, 0) == CURLUE_OK;
    for (int i = 0; ok && i < N; i++) {
        new[i] = part_of(u, what[i]);
    }
    if (ok && old[USER] && !new[USER] && same(old[SCHEME], new[SCHEME]) && same(old[HOST], new[HOST]) &&
        same(old[PORT], new[PORT])) {
        ok = curl_url_set(u, CURLUPART_USER, old[USER], 0) == CURLUE_OK &&
             (!old[PASSWORD] || curl_url_set(u, CURLUPART_PASSWORD, old[PASSWORD], 0) == CURLUE_OK);
    }
    for (int i = 0; i < N; i++) {
        curl_free(old[i]);
        curl_free(new[i]);
    }
    return ok;
}

static const char *join_url(struct sl_arena *a, const char *base, sl_str rel)
{
    CURLU *u = curl_url();
    char *whole = NULL;
    const char *ret = NULL;
    if (u && curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK && resolve(u, sl_arena_strdupz(a, rel)) &&
        curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_URL, &whole, 0) == CURLUE_OK) {
        ret = sl_arena_strdupz(a, sl_str_of(whole));
    }
    curl_free(whole);
    curl_url_cleanup(u);
    return ret;
}

static bool is_sha256(sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return s.n == 64;
}

typedef SL_VEC(struct img_pypi_file) files;

static void add_file(struct sl_arena *a, files *all, const char *base, sl_str name, sl_str href,
                     sl_str sha256, int64_t bytes)
{
    const char *url = join_url(a, base, href);
    if (!url || !name.n) {
        return;
    }
    struct img_pypi_file *f = sl_vec_add(a, all);
    f->name = sl_arena_strdupz(a, name);
    f->url = url;
    f->bytes = bytes;
    if (is_sha256(sha256)) {
        snprintf(f->sha256, sizeof f->sha256, "%.*s", SL_S(sha256));
    }
}

static bool parse_json(struct sl_arena *a, sl_str body, const char *url, files *all, struct sl_err *err)
{
    struct sl_json *doc = sl_json_parse(a, body, err);
    if (!doc) {
        return false;
    }
    SL_JSON_EACH(f, sl_json_get(doc, "files"))
    {
        add_file(a, all, url, sl_json_str(sl_json_get(f, "filename"), SL_STR_NONE),
                 sl_json_str(sl_json_get(f, "url"), SL_STR_NONE),
                 sl_json_str(sl_json_path(f, "hashes.sha256"), SL_STR_NONE),
                 sl_json_i64(sl_json_get(f, "size"), -1));
    }
    return true;
}

static sl_str from(sl_str s, size_t at)
{
    return sl_str_sub(s, at, s.n - at);
}

/* The value of href in the attributes of one tag, with &amp; undone. */
static sl_str href_of(struct sl_arena *a, sl_str tag)
{
    ptrdiff_t at = sl_str_find(tag, SL_STR("href="));
    if (at < 0 || (size_t)at + 6 > tag.n) {
        return SL_STR_NONE;
    }
    sl_str rest = from(tag, (size_t)at + 5);
    char quote = rest.p[0];
    if (quote != '"' && quote != '\'') {
        return SL_STR_NONE;
    }
    rest = from(rest, 1);
    ptrdiff_t end = sl_str_find_char(rest, quote);
    if (end < 0) {
        return SL_STR_NONE;
    }
    char *z = sl_arena_strdupz(a, sl_str_sub(rest, 0, (size_t)end));
    for (char *amp; (amp = strstr(z, "&amp;"));) {
        memmove(amp + 1, amp + 5, strlen(amp + 5) + 1);
    }
    return sl_str_of(z);
}

static void parse_html(struct sl_arena *a, sl_str body, const char *url, files *all)
{
    for (ptrdiff_t at; (at = sl_str_find(body, SL_STR("<a "))) >= 0;) {
        body = from(body, (size_t)at + 3);
        ptrdiff_t close = sl_str_find_char(body, '>');
        if (close < 0) {
            return;
        }
        sl_str href = href_of(a, sl_str_sub(body, 0, (size_t)close));
        body = from(body, (size_t)close + 1);
        ptrdiff_t end = sl_str_find_char(body, '<');
        if (end < 0) {
            return;
        }
        sl_str name = sl_str_trim(sl_str_sub(body, 0, (size_t)end));
        sl_str sha = SL_STR_NONE;
        ptrdiff_t hash = sl_str_find(href, SL_STR("#sha256="));
        if (hash >= 0) {
            sha = from(href, (size_t)hash + 8);
            sha.n = SL_MIN(sha.n, 64);
        }
        if (href.n) {
            add_file(a, all, url, name, href, sha, -1);
        }
    }
}

bool img_pypi_parse(struct sl_arena *a, sl_str body, sl_str content_type, const char *url,
                    struct img_pypi_page *ret, struct sl_err *err)
{
    files all = {0};
    if (sl_str_find(content_type, SL_STR("json")) >= 0) {
        if (!parse_json(a, body, url, &all, err)) {
            return false;
        }
    } else {
        parse_html(a, body, url, &all);
    }
    *ret = (struct img_pypi_page){all.v, all.n};
    return true;
}

static bool fetch_page(struct sys_http *h, const struct img_pip *pip, const char *url, struct sl_arena *a,
                       struct img_pypi_page *ret, struct sl_err *err)
{
    const char *headers[] = {ACCEPT, NULL};
    struct sys_http_request rq = {
        .method = "GET", .url = url, .headers = headers, .connect_ms = 10000, .total_ms = 60000};
    struct sys_http_answer ans = {0};
    if (!img_pip_fetch(h, pip, &rq, a, &ans, err)) {
        return false;
    }
    if (ans.status != 200) {
        return sl_fail(err, SL_FLINK_DOWNLOAD, "answers HTTP %d", ans.status);
    }
    return img_pypi_parse(a, ans.body, ans.content_type, url, ret, err);
}

static void choose(struct img_pypi_page page, const char *version, const char *source, int *rank,
                   struct img_pypi_file *ret)
{
    for (size_t i = 0; i < page.n; i++) {
        int r = img_pypi_rank(sl_str_of(page.v[i].name), version);
        if (r > *rank) {
            *rank = r;
            *ret = page.v[i];
            ret->source = source;
        }
    }
}

static int look_in_folder(struct sl_arena *a, const char *dir, const char *version, int rank,
                          struct img_pypi_file *ret)
{
    sl_str *names;
    size_t n;
    struct sl_err ignored = SL_ERR_INIT;
    if (!sys_dir_list(a, dir, &names, &n, &ignored)) {
        return rank;
    }
    for (size_t i = 0; i < n; i++) {
        int r = img_pypi_rank(names[i], version);
        if (r > rank) {
            rank = r;
            char *name = sl_arena_strdupz(a, names[i]);
            *ret = (struct img_pypi_file){.name = name, .path = sys_path_join(a, dir, name), .source = dir};
            ret->bytes = sys_file_size(ret->path);
        }
    }
    return rank;
}

bool img_pypi_find(struct sys_http *h, const struct img_pip *pip, const char *version, struct sl_arena *a,
                   struct img_pypi_file *ret, struct sl_err *err)
{
    int rank = 0;
    struct sl_err last = SL_ERR_INIT;
    const char *failed = NULL;
    size_t asked = 0;
    for (size_t i = 0; i < pip->n_links && !rank; i++) {
        const char *link = pip->links[i];
        if (strncmp(link, "http://", 7) == 0 || strncmp(link, "https://", 8) == 0) {
            struct img_pypi_page page;
            asked++;
            if (!fetch_page(h, pip, link, a, &page, &last)) {
                failed = img_url_shown(a, link);
            } else {
                choose(page, version, img_url_shown(a, link), &rank, ret);
            }
        } else {
            const char *dir = strncmp(link, "file://", 7) == 0 ? link + 7 : link;
            rank = look_in_folder(a, dir, version, rank, ret);
        }
    }
    for (size_t i = 0; i < pip->n_indexes && !rank; i++) {
        struct img_pypi_page page;
        const char *url = sl_arena_printf(a, "%s/" IMG_PYPI_PACKAGE "/", pip->indexes[i]).p;
        asked++;
        if (!fetch_page(h, pip, url, a, &page, &last)) {
            failed = img_url_shown(a, url);
        } else {
            choose(page, version, img_url_shown(a, pip->indexes[i]), &rank, ret);
        }
    }
    if (rank) {
        return true;
    }
    if (failed) {
        sl_fail(err, SL_FLINK_DOWNLOAD, "Flink %s cannot be looked up: %s: %s", version, failed, last.msg);
        return sl_hint(
            err,
            "check the network; for a mirror:  PIP_INDEX_URL=https://MIRROR/simple sluice flink install");
    }
    sl_fail(err, SL_FLINK_DOWNLOAD, "there is no Flink %s at %s", version,
            asked ? img_url_shown(a, pip->n_indexes ? pip->indexes[0] : pip->links[0])
                  : "any configured place");
    return sl_hint(err, "sluice flink ls  shows what can be had");
}
