/* SPDX-License-Identifier: Apache-2.0
 * Settings: one table, one function that reads a value, and every text about settings made from the table. */
#include "sys/config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/yaml.h"
#include "sys/file.h"
#include "sys/http.h"

#define SYS_CONFIG_META_BYTES "SIZE"
#define SYS_CONFIG_META_COUNT "N"
#define SYS_CONFIG_META_TIME  "TIME"

static const struct entry {
    enum sys_config_type type;
    const char *key;
    int64_t number; /* the default, by type */
    const char *text;
    const char *env, *flag, *meta;
    int64_t low, high;
    const char *help;
    size_t offset;
} table[] = {
#define SYS_CONFIG(field, type, key, number, text, env, flag, meta, low, high, help)                         \
    {SYS_CONFIG_##type,                                                                                      \
     key,                                                                                                    \
     (int64_t)(number),                                                                                      \
     text,                                                                                                   \
     env,                                                                                                    \
     flag,                                                                                                   \
     meta,                                                                                                   \
     (int64_t)(low),                                                                                         \
     (int64_t)(high),                                                                                        \
     help,                                                                                                   \
     offsetof(struct sys_config, field)},
#include "sys/config.def"
#undef SYS_CONFIG
};

static const char *const level_names[] = {"err", "warn", "info", "debug"};

static bool is_text(const struct entry *e)
{
    return e->type <= SYS_CONFIG_ADDRESS;
}

static sl_str *text_at(struct sys_config *c, const struct entry *e)
{
    return (sl_str *)(void *)((char *)c + e->offset);
}

static int64_t *number_at(struct sys_config *c, const struct entry *e)
{
    return (int64_t *)(void *)((char *)c + e->offset);
}

static const char *env_of(const struct entry *e, char out[64])
{
    if (e->env) {
        return e->env;
    }
    size_t n = (size_t)snprintf(out, 64, "SLUICE_%s", e->key);
    for (size_t i = 0; i < n; i++) {
        char ch = out[i];
        out[i] = ch == '.' || ch == '-' ? '_' : ch >= 'a' && ch <= 'z' ? (char)(ch - 32) : ch;
    }
    return out;
}

static const struct entry *find_key(sl_str key)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(table); i++) {
        if (sl_str_eqz(key, table[i].key)) {
            return &table[i];
        }
    }
    return NULL;
}

static const struct entry *find_flag(const char *flag)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(table); i++) {
        if (table[i].flag && strcmp(flag, table[i].flag) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static bool unknown_key(sl_str key, struct sl_pos pos, const char *where, struct sl_err *err)
{
    const char *nearest = NULL;
    size_t best = 4;
    for (size_t i = 0; i < SL_ARRAY_LEN(table); i++) {
        size_t d = sl_str_distance(key, sl_str_of(table[i].key), best - 1);
        if (d < best) {
            best = d;
            nearest = table[i].key;
        }
    }
    sl_fail_at(err, SL_CONFIG_UNKNOWN, pos, "unknown setting \"%.*s\" in %s", SL_S(key), where);
    return nearest ? sl_hint(err, "did you mean \"%s\"?", nearest)
                   : sl_hint(err, "sluice config shows all settings");
}

/* ---- values ---- */

static bool read_word(sl_str s, const char *const *words, size_t n, int64_t *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (sl_str_ieqz(s, words[i])) {
            *ret = (int64_t)i;
            return true;
        }
    }
    return false;
}

static bool is_version(sl_str s)
{
    size_t dots = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool digit = s.p[i] >= '0' && s.p[i] <= '9';
        bool dot = s.p[i] == '.' && i > 0 && i + 1 < s.n && s.p[i - 1] != '.';
        if (!digit && !dot) {
            return false;
        }
        dots += dot;
    }
    return dots == 1 || dots == 2;
}

/* HOST:PORT or [IPV6]:PORT */
bool sys_config_address(sl_str s, sl_str *ret_host, int64_t *ret_port)
{
    size_t colon = s.n;
    while (colon > 0 && s.p[colon - 1] != ':') {
        colon--;
    }
    if (colon < 2 || !sl_str_to_i64(sl_str_sub(s, colon, s.n - colon), ret_port)) {
        return false;
    }
    *ret_host = sl_str_sub(s, 0, colon - 1);
    return true;
}

static bool is_address(const struct entry *e, sl_str s)
{
    sl_str host;
    int64_t port;
    if (!sys_config_address(s, &host, &port)) {
        return false;
    }
    bool bracket = host.p[0] == '[' && host.p[host.n - 1] == ']' && host.n > 2;
    for (size_t i = 0; i < host.n; i++) {
        if ((unsigned char)host.p[i] <= ' ' || host.p[i] == '/' || (host.p[i] == ':' && !bracket)) {
            return false;
        }
    }
    return port >= e->low && port <= e->high;
}

static const char *wanted(const struct entry *e)
{
    static const char *const names[] = {
        [SYS_CONFIG_TEXT] = "a text of one line",
        [SYS_CONFIG_PATH] = "a path",
        [SYS_CONFIG_SECRET] = "a text of one line",
        [SYS_CONFIG_VERSION] = "a version such as 2.2 or 2.2.1",
        [SYS_CONFIG_ADDRESS] = "HOST:PORT",
        [SYS_CONFIG_COUNT] = "a whole number",
        [SYS_CONFIG_BYTES] = "a size such as 65536, 64 KiB or 1 MB",
        [SYS_CONFIG_TIME] = "a time such as 500ms, 10s or 5 min",
        [SYS_CONFIG_LEVEL] = "err, warn, info or debug",
        [SYS_CONFIG_BOOL] = "true or false",
    };
    return names[e->type];
}

static void put_number(struct sl_buf *b, const struct entry *e, int64_t v)
{
    static const struct {
        int64_t unit;
        const char *name;
    } times[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}, {1, "ms"}};
    switch (e->type) {
    case SYS_CONFIG_BOOL:
        sl_buf_putz(b, v ? "true" : "false");
        return;
    case SYS_CONFIG_LEVEL:
        sl_buf_putz(b, level_names[v]);
        return;
    case SYS_CONFIG_BYTES:
        sl_buf_putz(b, SL_SIZE((uint64_t)v));
        return;
    case SYS_CONFIG_TIME:
        for (size_t i = v ? 0 : 3; i < SL_ARRAY_LEN(times); i++) {
            if (v % times[i].unit == 0) {
                sl_buf_printf(b, "%lld %s", (long long)(v / times[i].unit), times[i].name);
                return;
            }
        }
        return;
    default:
        sl_buf_printf(b, "%lld", (long long)v);
    }
}

static bool bad_value(const struct entry *e, sl_str value, struct sl_pos pos, const char *where,
                      struct sl_err *err)
{
    bool secret = e->type == SYS_CONFIG_SECRET;
    sl_fail_at(err, SL_CONFIG_VALUE, pos, "%s: \"%.*s\" in %s is not %s", e->key,
               SL_S(secret ? SL_STR("***") : value), where, wanted(e));
    if (!is_text(e) && e->type != SYS_CONFIG_BOOL && e->type != SYS_CONFIG_LEVEL) {
        SL_BUF_AUTO b = {0};
        put_number(&b, e, e->low);
        sl_buf_putz(&b, " to ");
        put_number(&b, e, e->high);
        sl_hint(err, "allowed are %s", sl_buf_z(&b));
    }
    return false;
}

static bool read_number(const struct entry *e, sl_str s, int64_t *ret)
{
    static const char *const no_yes[] = {"false", "true"};
    bool ok = false;
    switch (e->type) {
    case SYS_CONFIG_BYTES:
        ok = sl_str_to_bytes(s, ret);
        break;
    case SYS_CONFIG_TIME:
        ok = sl_str_to_ms(s, ret);
        break;
    case SYS_CONFIG_LEVEL:
        ok = read_word(s, level_names, SL_ARRAY_LEN(level_names), ret);
        break;
    case SYS_CONFIG_BOOL:
        ok = read_word(s, no_yes, 2, ret);
        break;
    default:
        ok = sl_str_to_i64(s, ret);
        break;
    }
    return ok && *ret >= e->low && *ret <= e->high;
}

static bool text_is_good(const struct entry *e, sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f) {
            return false;
        }
    }
    if (s.n == 0) {
        return e->text && e->text[0] == '\0'; /* may be left empty where the default is empty */
    }
    return e->type == SYS_CONFIG_VERSION   ? is_version(s)
           : e->type == SYS_CONFIG_ADDRESS ? is_address(e, s)
                                           : true;
}

struct source {
    enum sys_config_origin origin;
    const char *where; /* for messages */
    struct sl_pos pos;
    const char *folder; /* paths are relative to it; NULL: to where we are */
};

static bool set(struct sys_config *c, const struct entry *e, sl_str value, const struct source *from,
                struct sl_err *err)
{
    size_t i = (size_t)(e - table);
    int64_t v = 0;
    value = sl_str_trim(value);
    if (is_text(e) ? !text_is_good(e, value) : !read_number(e, value, &v)) {
        return bad_value(e, value, from->pos, from->where, err);
    }
    if (from->origin < c->origin[i]) {
        return true; /* checked, but somebody stronger has spoken */
    }
    if (!is_text(e)) {
        *number_at(c, e) = v;
    } else {
        const char *z = sl_arena_strdupz(c->arena, value);
        if (e->type == SYS_CONFIG_PATH && value.n > 0) {
            bool below = from->folder && z[0] != '/';
            z = sys_path_abs(c->arena, below ? sys_path_join(c->arena, from->folder, z) : z);
        }
        *text_at(c, e) = sl_str_of(z);
    }
    c->origin[i] = from->origin;
    c->line[i] = from->origin == SYS_CONFIG_FILE ? from->pos.line : 0;
    return true;
}

void sys_config_init(struct sys_config *c, struct sl_arena *a)
{
    *c = (struct sys_config){.arena = a, .file = SL_STR("")};
    for (size_t i = 0; i < SL_ARRAY_LEN(table); i++) {
        if (is_text(&table[i])) {
            *text_at(c, &table[i]) = sl_str_of(table[i].text ? table[i].text : "");
        } else {
            *number_at(c, &table[i]) = table[i].number;
        }
    }
    c->data = sl_str_of(sys_data_dir_default(a));
}

/* ---- sources ---- */

static bool load_env(struct sys_config *c, struct sl_err *err)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(table); i++) {
        char name[64];
        const char *env = env_of(&table[i], name), *value = getenv(env);
        struct source from = {SYS_CONFIG_ENV, env, SL_POS_NONE, NULL};
        if (value && value[0] && !set(c, &table[i], sl_str_of(value), &from, err)) {
            return false;
        }
    }
    return true;
}

static bool load_map(struct sys_config *c, const struct sl_yaml *map, sl_str prefix, struct source *from,
                     struct sl_err *err)
{
    SL_YAML_EACH(it, map)
    {
        sl_str key = prefix.n ? sl_arena_printf(c->arena, "%.*s.%.*s", SL_S(prefix), SL_S(it->key)) : it->key;
        const struct entry *e = find_key(key);
        if (it->type == SL_YAML_MAP && !e) {
            if (!load_map(c, it, key, from, err)) {
                return false;
            }
            continue;
        }
        if (!e) {
            return unknown_key(key, it->key_pos, from->where, err);
        }
        from->pos = it->pos;
        if (it->type != SL_YAML_SCALAR) {
            return bad_value(e, it->type == SL_YAML_NULL ? it->text : SL_STR("{...}"), it->pos, from->where,
                             err);
        }
        if (!set(c, e, it->text, from, err)) {
            return false;
        }
    }
    return true;
}

static bool load_file(struct sys_config *c, const char *path, struct sl_err *err)
{
    sl_str text;
    if (!sys_file_read(c->arena, path, SL_LIMIT_YAML_BYTES, &text, err)) {
        return false;
    }
    const struct sl_yaml *root = sl_yaml_parse(c->arena, text, err);
    if (!root) {
        return sl_wrap(err, "%s", path);
    }
    const char *slash = strrchr(path, '/');
    struct source from = {.origin = SYS_CONFIG_FILE, .where = path};
    from.folder = slash ? sl_arena_strdupz(c->arena, (sl_str){path, (size_t)(slash - path) + 1}) : NULL;
    c->file = sl_str_of(sl_arena_strdupz(c->arena, sl_str_of(path)));
    if (root->type == SL_YAML_NULL) {
        return true;
    }
    if (root->type != SL_YAML_MAP) {
        return sl_fail_at(err, SL_CONFIG_VALUE, root->pos, "%s must hold keys with values", path);
    }
    return load_map(c, root, SL_STR(""), &from, err);
}

bool sys_config_load(struct sys_config *c, const char *file, struct sl_err *err)
{
    if (!load_env(c, err)) {
        return false;
    }
    if (!file) {
        const char *named = getenv("SLUICE_CONFIG");
        file = named && named[0] ? named : NULL;
    }
    if (!file) {
        file = sys_path_join(c->arena, sys_config_dir(c->arena), "config.yaml");
        if (!sys_exists(file)) {
            return true;
        }
    }
    return load_file(c, file, err);
}

bool sys_config_same(const struct sys_config *x, const struct sys_config *y, enum sys_config_key key)
{
    const struct entry *e = &table[key];
    const char *a = (const char *)x + e->offset, *b = (const char *)y + e->offset;
    return is_text(e) ? sl_str_eq(*(const sl_str *)(const void *)a, *(const sl_str *)(const void *)b)
                      : *(const int64_t *)(const void *)a == *(const int64_t *)(const void *)b;
}

const char *sys_config_name(enum sys_config_key key)
{
    return table[key].key;
}

bool sys_config_reload(const struct sys_config *old, struct sl_arena *a, struct sys_config *ret,
                       struct sl_err *err)
{
    sys_config_init(ret, a);
    for (size_t i = 0; i < SL_ARRAY_LEN(table); i++) {
        if (old->origin[i] != SYS_CONFIG_FLAG) {
            continue;
        }
        ret->origin[i] = SYS_CONFIG_FLAG;
        const char *from = (const char *)old + table[i].offset;
        if (is_text(&table[i])) {
            *text_at(ret, &table[i]) = sl_str_of(sl_arena_strdupz(a, *(const sl_str *)(const void *)from));
        } else {
            *number_at(ret, &table[i]) = *(const int64_t *)(const void *)from;
        }
    }
    return sys_config_load(ret, NULL, err);
}

bool sys_config_is_flag(const char *flag)
{
    return find_flag(flag) != NULL;
}

bool sys_config_flag(struct sys_config *c, const char *flag, const char *value, bool *ret_known,
                     struct sl_err *err)
{
    const struct entry *e = find_flag(flag);
    *ret_known = e != NULL;
    if (!e) {
        return true;
    }
    struct source from = {SYS_CONFIG_FLAG, flag, SL_POS_NONE, NULL};
    return set(c, e, sl_str_of(value), &from, err);
}

bool sys_config_assign(struct sys_config *c, const char *key_value, struct sl_err *err)
{
    sl_str all = sl_str_of(key_value);
    ptrdiff_t eq = sl_str_find_char(all, '=');
    if (eq <= 0) {
        return sl_fail(err, SL_CONFIG_VALUE, "--config wants KEY=VALUE, not \"%s\"", key_value);
    }
    sl_str key = sl_str_trim(sl_str_sub(all, 0, (size_t)eq));
    const struct entry *e = find_key(key);
    if (!e) {
        return unknown_key(key, SL_POS_NONE, "--config", err);
    }
    struct source from = {SYS_CONFIG_FLAG, "--config", SL_POS_NONE, NULL};
    return set(c, e, sl_str_sub(all, (size_t)eq + 1, all.n - (size_t)eq - 1), &from, err);
}

void sys_config_apply(const struct sys_config *c)
{
#define SL_LIMIT_LINE(name, type, ...)                                                                       \
    __atomic_store_n(&sl_limits.name, (SL_LIMIT_C_##type)c->limit_##name, __ATOMIC_RELAXED);
#include "base/limits.def"
#undef SL_LIMIT_LINE
    sys_http_let_link_local(c->http_link_local);
}

/* ---- texts ---- */

static void put_default(struct sl_buf *b, const struct entry *e)
{
    if (!is_text(e)) {
        put_number(b, e, e->number);
    } else if (e->offset == offsetof(struct sys_config, data)) {
        sl_buf_putz(b, "~/.local/share/sluice/data");
    } else {
        sl_buf_putz(b, e->text);
    }
}

void sys_config_help(struct sl_buf *b)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(table); i++) {
        const struct entry *e = &table[i];
        if (e->flag) {
            char name[64], left[64];
            snprintf(left, sizeof(left), "%s %s", e->flag, e->meta);
            sl_buf_printf(b, "  %-28s %s ($%s)\n", left, e->help, env_of(e, name));
        }
    }
    sl_buf_printf(b, "  %-28s %s\n", "--config KEY=VALUE",
                  "any setting; sluice config shows all and where each comes from");
}

/* Roff: a backslash or a leading dot or quote would be a command; "-" a hyphen. */
static void put_roff(struct sl_buf *b, const char *z)
{
    for (; *z; z++) {
        if (*z == '\\') {
            sl_buf_putz(b, "\\e");
        } else if (*z == '-') {
            sl_buf_putz(b, "\\-");
        } else {
            sl_buf_putc(b, *z);
        }
    }
}

void sys_config_man(struct sl_buf *b)
{
    sl_buf_putz(b, ".SH SETTINGS\n"
                   "A flag wins over an environment variable, that over the file "
                   "\\fI~/.config/sluice/config.yaml\\fR, that over the default.\n");
    for (size_t i = 0; i < SL_ARRAY_LEN(table); i++) {
        const struct entry *e = &table[i];
        char name[64];
        sl_buf_putz(b, ".TP\n\\fB");
        put_roff(b, e->key);
        sl_buf_printf(b, "\\fR \\fI%s\\fR\n", e->meta);
        put_roff(b, e->help);
        sl_buf_putz(b, ".\nDefault: ");
        SL_BUF_AUTO dflt = {0};
        put_default(&dflt, e);
        put_roff(b, dflt.n ? sl_buf_z(&dflt) : "empty");
        sl_buf_putz(b, ". Variable: \\fB");
        put_roff(b, env_of(e, name));
        sl_buf_putz(b, "\\fR.");
        if (e->flag) {
            sl_buf_putz(b, " Flag: \\fB");
            put_roff(b, e->flag);
            sl_buf_putz(b, "\\fR.");
        }
        sl_buf_putc(b, '\n');
    }
}

static void put_value(struct sl_buf *b, const struct sys_config *c, const struct entry *e)
{
    const void *at = (const char *)c + e->offset;
    if (!is_text(e)) {
        put_number(b, e, *(const int64_t *)at);
        return;
    }
    sl_str s = *(const sl_str *)at;
    sl_buf_puts(b, e->type == SYS_CONFIG_SECRET && s.n ? SL_STR("***") : s);
}

static void put_origin(struct sl_buf *b, const struct sys_config *c, size_t i)
{
    char name[64];
    switch (c->origin[i]) {
    case SYS_CONFIG_DEFAULT:
        sl_buf_putz(b, "default");
        break;
    case SYS_CONFIG_FILE:
        sl_buf_printf(b, "%.*s:%u", SL_S(c->file), c->line[i]);
        break;
    case SYS_CONFIG_ENV:
        sl_buf_printf(b, "$%s", env_of(&table[i], name));
        break;
    case SYS_CONFIG_FLAG:
        sl_buf_putz(b, table[i].flag ? table[i].flag : "--config");
        break;
    }
}

size_t sys_config_flags(const struct sys_config *c, struct sl_arena *a, const char **ret, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < SL_ARRAY_LEN(table) && n < max; i++) {
        if (c->origin[i] == SYS_CONFIG_FLAG && table[i].type != SYS_CONFIG_SECRET) {
            SL_BUF_AUTO value = {0};
            put_value(&value, c, &table[i]);
            ret[n++] = sl_arena_printf(a, "%s=%s", table[i].key, sl_buf_z(&value)).p;
        }
    }
    return n;
}

void sys_config_show(const struct sys_config *c, struct sl_buf *b)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(table); i++) {
        SL_BUF_AUTO value = {0};
        put_value(&value, c, &table[i]);
        sl_buf_printf(b, "%-28s %-34s ", table[i].key, sl_buf_z(&value));
        put_origin(b, c, i);
        sl_buf_putc(b, '\n');
    }
}

void sys_config_show_json(const struct sys_config *c, struct sl_buf *b)
{
    static const char *const origins[] = {"default", "file", "environment", "flag"};
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_array(&w);
    for (size_t i = 0; i < SL_ARRAY_LEN(table); i++) {
        const struct entry *e = &table[i];
        char name[64];
        SL_BUF_AUTO text = {0};
        sl_jw_object(&w);
        sl_jw_kstrz(&w, "key", e->key);
        put_value(&text, c, e);
        sl_jw_kstr(&w, "value", sl_buf_str(&text));
        sl_jw_kstrz(&w, "origin", origins[c->origin[i]]);
        sl_buf_clear(&text);
        put_origin(&text, c, i);
        sl_jw_kstr(&w, "where", sl_buf_str(&text));
        sl_buf_clear(&text);
        put_default(&text, e);
        sl_jw_kstr(&w, "default", sl_buf_str(&text));
        sl_jw_kstrz(&w, "env", env_of(e, name));
        sl_jw_kstrz(&w, "flag", e->flag);
        sl_jw_kstrz(&w, "help", e->help);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_buf_putc(b, '\n');
}
