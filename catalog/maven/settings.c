/* SPDX-License-Identifier: Apache-2.0
 * Repositories, mirrors and servers, by Maven's rules: a mirror stands for a repository whose id its mirrorOf names; a
 * server gives user and password to the mirror or repository of its id. */
#include "catalog/maven/settings.h"
#include "base/buf.h"
#include "base/limits.h"
#include "sys/file.h"

#include <openssl/evp.h>

struct settings {
    struct sl_arena *a;
    const struct mvn_settings_from *from;
    const struct mvn_xml *x; /* NULL: no file */
    struct mvn_repositories *ret;
    struct sl_err *err;
};

/* Text of settings.xml: ${env.X} is the user's own to use there. */
static sl_str text(struct settings *s, const struct mvn_xml *x, const char *name)
{
    sl_str t = mvn_xml_text(x, name);
    if (!t.p || sl_str_find(t, SL_STR("${env.")) < 0 || !s->from->environment) {
        return t;
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    while (t.n) {
        ptrdiff_t open = sl_str_find(t, SL_STR("${env."));
        ptrdiff_t close =
            open < 0 ? -1 : sl_str_find_char(sl_str_sub(t, (size_t)open, t.n - (size_t)open), '}');
        if (close < 0) {
            sl_buf_puts(&b, t);
            break;
        }
        sl_str whole = sl_str_sub(t, (size_t)open, (size_t)close + 1);
        const char *value = s->from->environment(sl_arena_strdupz(s->a, sl_str_sub(whole, 6, whole.n - 7)));
        sl_buf_puts(&b, sl_str_sub(t, 0, (size_t)open));
        sl_buf_puts(&b, value ? sl_str_of(value) : whole);
        t = sl_str_sub(t, (size_t)open + whole.n, t.n - (size_t)open - whole.n);
    }
    return sl_str_dup(s->a, sl_buf_str(&b));
}

static bool is_external(sl_str url)
{
    static const char *const local[] = {
        "file:",        "http://localhost", "http://127.",  "https://localhost",
        "https://127.", "http://[::1]",     "https://[::1]"};
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        if (sl_str_starts(url, sl_str_of(local[i]))) {
            return false;
        }
    }
    return true;
}

bool mvn_mirror_is_of(sl_str mirror_of, sl_str id, sl_str url)
{
    bool is = false;
    while (mirror_of.n) {
        ptrdiff_t comma = sl_str_find_char(mirror_of, ',');
        size_t n = comma < 0 ? mirror_of.n : (size_t)comma;
        sl_str one = sl_str_trim(sl_str_sub(mirror_of, 0, n));
        mirror_of =
            sl_str_sub(mirror_of, SL_MIN(n + 1, mirror_of.n), mirror_of.n - SL_MIN(n + 1, mirror_of.n));
        if (one.n > 1 && one.p[0] == '!') {
            if (sl_str_eq(sl_str_sub(one, 1, one.n - 1), id)) {
                return false;
            }
        } else if (sl_str_eqz(one, "*") || sl_str_eq(one, id)) {
            is = true;
        } else if (sl_str_eqz(one, "external:*")) {
            is |= is_external(url);
        } else if (sl_str_eqz(one, "external:http:*")) {
            is |= is_external(url) && sl_str_starts(url, SL_STR("http:"));
        }
    }
    return is;
}

sl_str mvn_url_shown(struct sl_arena *a, sl_str url)
{
    ptrdiff_t scheme = sl_str_find(url, SL_STR("://"));
    if (scheme < 0) {
        return url;
    }
    size_t from = (size_t)scheme + 3, at = from, end = from;
    while (end < url.n && url.p[end] != '/') {
        if (url.p[end] == '@') {
            at = end + 1;
        }
        end++;
    }
    return at == from ? url : sl_arena_printf(a, "%.*s%.*s", (int)from, url.p, (int)(url.n - at), url.p + at);
}

static void authorize(struct settings *s, struct mvn_repository *r)
{
    MVN_XML_EACH(server, mvn_xml_get(s->x, "servers"))
    {
        sl_str user = text(s, server, "username"), password = text(s, server, "password");
        if (!sl_str_eq(text(s, server, "id"), r->id) || !user.n) {
            continue;
        }
        sl_str both = sl_arena_printf(s->a, "%.*s:%.*s", SL_S(user), SL_S(password));
        unsigned char *b64 = sl_arena_alloc(s->a, 4 * (both.n / 3 + 1) + 1);
        int n = EVP_EncodeBlock(b64, (const unsigned char *)both.p, (int)both.n);
        r->authorization = sl_arena_printf(s->a, "Authorization: Basic %.*s", n, (const char *)b64);
        return;
    }
}

static void set_proxy(struct settings *s, struct mvn_repository *r)
{
    MVN_XML_EACH(p, mvn_xml_get(s->x, "proxies"))
    {
        sl_str active = text(s, p, "active"), host = text(s, p, "host"), port = text(s, p, "port");
        if ((active.p && !sl_str_ieqz(active, "true")) || !host.n || !is_external(r->url)) {
            continue;
        }
        sl_str user = text(s, p, "username"), password = text(s, p, "password");
        r->proxy = sl_arena_printf(s->a, "http://%.*s%s%.*s%s%.*s:%.*s", SL_S(user), user.n ? ":" : "",
                                   SL_S(user.n ? password : SL_STR("")), user.n ? "@" : "", SL_S(host),
                                   SL_S(port.n ? port : SL_STR("8080")));
        return;
    }
}

static bool add(struct settings *s, sl_str id, sl_str url, bool mirrors)
{
    struct mvn_repository r = {.id = id, .url = url};
    if (mirrors) {
        MVN_XML_EACH(m, mvn_xml_get(s->x, "mirrors"))
        {
            sl_str of = text(s, m, "mirrorOf"), to = text(s, m, "url");
            if (to.n && mvn_mirror_is_of(of, id, url)) {
                r.id = text(s, m, "id");
                r.url = to;
                break;
            }
        }
    }
    while (r.url.n && r.url.p[r.url.n - 1] == '/') {
        r.url.n--;
    }
    if (!sl_str_starts(r.url, SL_STR("http://")) && !sl_str_starts(r.url, SL_STR("https://")) &&
        !sl_str_starts(r.url, SL_STR("file:"))) {
        sl_str shown = mvn_url_shown(s->a, r.url);
        return sl_fail(
            s->err, SL_USAGE,
            "'%.*s' is no address of a repository: it begins with https:, http: or file:", SL_S(shown));
    }
    for (size_t i = 0; i < s->ret->v.n; i++) {
        if (sl_str_eq(s->ret->v.v[i].url, r.url)) {
            return true;
        }
    }
    r.id = r.id.n ? r.id : SL_STR("repository");
    r.id = sl_str_dup(s->a, r.id);
    r.url = sl_str_dup(s->a, r.url);
    authorize(s, &r);
    set_proxy(s, &r);
    sl_vec_push(s->a, &s->ret->v, r);
    return true;
}

/* URL or ID=URL */
static bool add_written(struct settings *s, sl_str w, bool mirrors)
{
    size_t i = 0;
    while (i < w.n && w.p[i] != '=' && w.p[i] != ':' && w.p[i] != '/') {
        i++;
    }
    bool named = i > 0 && i < w.n && w.p[i] == '=';
    return add(s, named ? sl_str_sub(w, 0, i) : SL_STR(""), named ? sl_str_sub(w, i + 1, w.n - i - 1) : w,
               mirrors);
}

static bool add_profiles(struct settings *s)
{
    MVN_XML_EACH(p, mvn_xml_get(s->x, "profiles"))
    {
        sl_str id = text(s, p, "id");
        bool on = sl_str_ieqz(mvn_xml_text(mvn_xml_get(p, "activation"), "activeByDefault"), "true");
        MVN_XML_EACH(one, mvn_xml_get(s->x, "activeProfiles"))
        {
            on |= sl_str_eq(sl_str_trim(one->text), id);
        }
        MVN_XML_EACH(r, on ? mvn_xml_get(p, "repositories") : NULL)
        {
            if (!add(s, text(s, r, "id"), text(s, r, "url"), true)) {
                return false;
            }
        }
    }
    return true;
}

static bool read_file(struct settings *s)
{
    const char *file = s->from->file;
    sl_str in = SL_STR_NONE;
    struct mvn_xml *x = NULL;
    if (!file || (!s->from->must && !sys_exists(file))) {
        return true;
    }
    if (!sys_file_read(s->a, file, sl_limits.pom_bytes, &in, s->err)) {
        return false;
    }
    if (mvn_xml_parse(s->a, in, NULL, &x, s->err) != MVN_READ_OK) {
        struct sl_err why = *s->err;
        return sl_fail(s->err, SL_MAVEN_SETTINGS, "%s: %s", file, why.msg);
    }
    s->x = x;
    s->ret->offline = sl_str_ieqz(text(s, x, "offline"), "true");
    return true;
}

bool mvn_settings_read(struct sl_arena *a, const struct mvn_settings_from *from, struct mvn_repositories *ret,
                       struct sl_err *err)
{
    *ret = (struct mvn_repositories){0};
    struct settings s = {a, from, NULL, ret, err};
    if (!read_file(&s)) {
        return false;
    }
    if (from->given && from->given[0]) {
        for (const char *const *g = from->given; *g; g++) {
            if (!add_written(&s, sl_str_of(*g), false)) {
                return false;
            }
        }
        return true;
    }
    sl_str rest = sl_str_of(from->configured ? from->configured : "");
    bool any = false;
    while (rest.n) {
        size_t n = 0;
        while (n < rest.n && rest.p[n] != ' ' && rest.p[n] != ',') {
            n++;
        }
        if (n && !add_written(&s, sl_str_sub(rest, 0, n), true)) {
            return false;
        }
        any |= n > 0;
        rest = sl_str_sub(rest, SL_MIN(n + 1, rest.n), rest.n - SL_MIN(n + 1, rest.n));
    }
    return any || (add_profiles(&s) && add(&s, SL_STR("central"), sl_str_of(from->central), true));
}
