/* SPDX-License-Identifier: Apache-2.0
 * pip's configuration, as far as it decides where a file comes from. Later sources win per key;
 * `extra-index-url`, `find-links` and `trusted-host` are lists split at white space, as in pip. */
#include "runtime-image/pip_config.h"

#include "base/vec.h"
#include "sys/file.h"

#include <stdlib.h>

enum key { INDEX_URL, EXTRA_INDEX_URL, FIND_LINKS, CERT, NO_INDEX, PROXY, TRUSTED_HOST, CLIENT_CERT, N_KEYS };
static const char *const key_names[N_KEYS] = {"index-url", "extra-index-url", "find-links",   "cert",
                                              "no-index",  "proxy",           "trusted-host", "client-cert"};
static const char *const key_vars[N_KEYS] = {"PIP_INDEX_URL",    "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS",
                                             "PIP_CERT",         "PIP_NO_INDEX",        "PIP_PROXY",
                                             "PIP_TRUSTED_HOST", "PIP_CLIENT_CERT"};
static const char *const sections[] = {"global", "install", "download"};

/* One value per section and key; the sections override each other only after all files were read. */
struct values {
    sl_str v[SL_ARRAY_LEN(sections)][N_KEYS];
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int key_of(struct sl_arena *a, sl_str name)
{
    char *z = sl_arena_strdupz(a, name);
    for (char *p = z; *p; p++) {
        *p = (char)(*p == '_' ? '-' : (*p >= 'A' && *p <= 'Z') ? *p + ('a' - 'A') : *p);
    }
    for (int k = 0; k < N_KEYS; k++) {
        if (strcmp(z, key_names[k]) == 0) {
            return k;
        }
    }
    return -1;
}

static void read_ini(struct sl_arena *a, const char *path, struct values *vals)
{
    struct sl_err ignored = SL_ERR_INIT;
    sl_str text;
    if (!path || !sys_exists(path) || sys_is_dir(path) || !sys_file_read(a, path, 1 << 20, &text, &ignored)) {
        return;
    }
    int section = -1;
    int key = -1;
    while (text.n) {
        ptrdiff_t nl = sl_str_find_char(text, '\n');
        size_t n = nl < 0 ? text.n : (size_t)nl;
        sl_str line = sl_str_sub(text, 0, n);
        text = sl_str_sub(text, SL_MIN(n + 1, text.n), text.n - SL_MIN(n + 1, text.n));
        sl_str bare = sl_str_trim(line);
        if (!bare.n || bare.p[0] == '#' || bare.p[0] == ';') {
            continue;
        }
        if (is_space(line.p[0]) && key >= 0 && section >= 0) { /* goes on with the value above */
            sl_str old = vals->v[section][key];
            vals->v[section][key] = sl_arena_printf(a, "%.*s %.*s", SL_S(old), SL_S(bare));
            continue;
        }
        key = -1;
        if (bare.p[0] == '[' && bare.p[bare.n - 1] == ']') {
            section = -1;
            for (size_t i = 0; i < SL_ARRAY_LEN(sections); i++) {
                if (sl_str_eqz(sl_str_sub(bare, 1, bare.n - 2), sections[i])) {
                    section = (int)i;
                }
            }
            continue;
        }
        size_t eq = 0;
        while (eq < bare.n && bare.p[eq] != '=' && bare.p[eq] != ':') {
            eq++;
        }
        if (section < 0 || eq == bare.n) {
            continue;
        }
        key = key_of(a, sl_str_trim(sl_str_sub(bare, 0, eq)));
        if (key >= 0) {
            vals->v[section][key] = sl_str_trim(sl_str_sub(bare, eq + 1, bare.n - eq - 1));
        }
    }
}

typedef SL_VEC(const char *) words;

static void add_words(struct sl_arena *a, words *w, sl_str text, bool url)
{
    size_t i = 0;
    while (i < text.n) {
        while (i < text.n && is_space(text.p[i])) {
            i++;
        }
        size_t from = i;
        while (i < text.n && !is_space(text.p[i])) {
            i++;
        }
        sl_str one = sl_str_sub(text, from, i - from);
        while (url && one.n && one.p[one.n - 1] == '/') {
            one.n--;
        }
        if (one.n) {
            sl_vec_push(a, w, sl_arena_strdupz(a, one));
        }
    }
}

static bool is_yes(sl_str v)
{
    return sl_str_ieqz(v, "1") || sl_str_ieqz(v, "y") || sl_str_ieqz(v, "yes") || sl_str_ieqz(v, "t") ||
           sl_str_ieqz(v, "true") || sl_str_ieqz(v, "on");
}

static void read_files(struct sl_arena *a, struct values *vals)
{
    const char *own = getenv("PIP_CONFIG_FILE");
    if (own && strcmp(own, "/dev/null") == 0) {
        return;
    }
    const char *dirs = getenv("XDG_CONFIG_DIRS");
    words all = {0};
    for (const char *p = dirs && *dirs ? dirs : "/etc/xdg"; *p;) {
        size_t n = strcspn(p, ":");
        if (n) {
            sl_vec_push(a, &all, sys_path_join(a, sl_arena_strdupz(a, (sl_str){p, n}), "pip/pip.conf"));
        }
        p += n + (p[n] == ':');
    }
    for (size_t i = all.n; i > 0; i--) { /* the first folder is the most important */
        read_ini(a, all.v[i - 1], vals);
    }
    read_ini(a, "/etc/pip.conf", vals);
    const char *home = getenv("HOME");
    if (home && *home) {
        read_ini(a, sys_path_join(a, home, ".pip/pip.conf"), vals);
    }
    const char *config = getenv("XDG_CONFIG_HOME");
    if (config && *config) {
        read_ini(a, sys_path_join(a, config, "pip/pip.conf"), vals);
    } else if (home && *home) {
        read_ini(a, sys_path_join(a, home, ".config/pip/pip.conf"), vals);
    }
    const char *venv = getenv("VIRTUAL_ENV");
    if (venv && *venv) {
        read_ini(a, sys_path_join(a, venv, "pip.conf"), vals);
    }
    read_ini(a, own, vals);
}

static const char *text_or_null(struct sl_arena *a, sl_str v)
{
    return v.n ? sl_arena_strdupz(a, v) : NULL;
}

/* The bundles of certificates that pip's HTTP library takes from the environment, in its order. */
static const char *const ca_vars[] = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", NULL};

static const char *first_of(struct sl_arena *a, const char *const *vars)
{
    for (; *vars; vars++) {
        const char *v = getenv(*vars);
        if (v && *v && sys_exists(v)) {
            return sl_arena_strdupz(a, sl_str_of(v));
        }
    }
    return NULL;
}

void img_pip_read(struct sl_arena *a, struct img_pip *ret)
{
    struct values vals = {0};
    read_files(a, &vals);
    sl_str v[N_KEYS] = {0};
    for (int k = 0; k < N_KEYS; k++) {
        for (size_t s = 0; s < SL_ARRAY_LEN(sections); s++) {
            if (vals.v[s][k].n) {
                v[k] = vals.v[s][k];
            }
        }
        const char *var = getenv(key_vars[k]);
        if (var && *var) {
            v[k] = sl_str_dup(a, sl_str_of(var));
        }
    }
    words indexes = {0}, links = {0}, trusted = {0};
    if (!is_yes(v[NO_INDEX])) {
        add_words(a, &indexes, v[INDEX_URL].n ? v[INDEX_URL] : SL_STR("https://pypi.org/simple"), true);
        add_words(a, &indexes, v[EXTRA_INDEX_URL], true);
    }
    add_words(a, &links, v[FIND_LINKS], false);
    add_words(a, &trusted, v[TRUSTED_HOST], false);
    *ret = (struct img_pip){.indexes = indexes.v,
                            .n_indexes = indexes.n,
                            .links = links.v,
                            .n_links = links.n,
                            .trusted = trusted.v,
                            .n_trusted = trusted.n,
                            .cert = v[CERT].n ? sl_arena_strdupz(a, v[CERT]) : first_of(a, ca_vars),
                            .client_cert = text_or_null(a, v[CLIENT_CERT]),
                            .proxy = text_or_null(a, v[PROXY])};
}

const char *img_url_shown(struct sl_arena *a, const char *url)
{
    const char *host = strstr(url, "://");
    if (!host) {
        return url;
    }
    host += 3;
    size_t authority = strcspn(host, "/?#");
    size_t skip = 0;
    for (size_t i = 0; i < authority; i++) {
        if (host[i] == '@') {
            skip = i + 1;
        }
    }
    return skip ? sl_arena_printf(a, "%.*s%s", (int)(host - url), url, host + skip).p : url;
}
