/* SPDX-License-Identifier: Apache-2.0
 * Sluice's own settings, from one table (config.def). Who wins: flag > environment variable > file > default,
 * whatever the order of the calls. The file: $SLUICE_CONFIG, else config.yaml in $XDG_CONFIG_HOME/sluice;
 * keys dotted or nested:
 *   target: prod
 *   local: {slots: 4, idle-time: 5 min}
 *   limit.cell-bytes: 1 MiB
 * Threads: made by one, then read by all. All text lives in the arena given to init. */
#ifndef SLUICE_SYS_CONFIG_H
#define SLUICE_SYS_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* TEXT PATH SECRET VERSION ADDRESS are sl_str (NUL-terminated; "" = not given); COUNT BYTES TIME (ms) LEVEL
 * BOOL are int64_t. */
enum sys_config_type {
    SYS_CONFIG_TEXT,
    SYS_CONFIG_PATH, /* made absolute; from a file: below the file's folder */
    SYS_CONFIG_SECRET,
    SYS_CONFIG_VERSION,
    SYS_CONFIG_ADDRESS,
    SYS_CONFIG_COUNT,
    SYS_CONFIG_BYTES, /* "65536", "64 KiB", "1 MB" */
    SYS_CONFIG_TIME,  /* "500ms", "10s", "5 min"; bare: seconds */
    SYS_CONFIG_LEVEL,
    SYS_CONFIG_BOOL
};
enum sys_config_origin { SYS_CONFIG_DEFAULT, SYS_CONFIG_FILE, SYS_CONFIG_ENV, SYS_CONFIG_FLAG };

enum sys_config_key {
#define SYS_CONFIG(field, type, ...) SYS_CONFIG_KEY_##field,
#include "sys/config.def"
#undef SYS_CONFIG
    SYS_CONFIG_KEY_MAX_
};

struct sys_config {
#define SYS_CONFIG_C_TEXT            sl_str
#define SYS_CONFIG_C_PATH            sl_str
#define SYS_CONFIG_C_SECRET          sl_str
#define SYS_CONFIG_C_VERSION         sl_str
#define SYS_CONFIG_C_ADDRESS         sl_str
#define SYS_CONFIG_C_COUNT           int64_t
#define SYS_CONFIG_C_BYTES           int64_t
#define SYS_CONFIG_C_TIME            int64_t
#define SYS_CONFIG_C_LEVEL           int64_t
#define SYS_CONFIG_C_BOOL            int64_t
#define SYS_CONFIG(field, type, ...) SYS_CONFIG_C_##type field;
#include "sys/config.def"
#undef SYS_CONFIG
    enum sys_config_origin origin[SYS_CONFIG_KEY_MAX_];
    sl_str file;                        /* the file that was read; "" = there is none */
    uint32_t line[SYS_CONFIG_KEY_MAX_]; /* in it */
    struct sl_arena *arena;
};

/* All defaults. */
void sys_config_init(struct sys_config *c, struct sl_arena *a);
/* Reads the environment, then the file. `file` NULL: the usual place, where it may be missing; a named one
 * must be there. Errors: config-unknown and config-value (with the position in the file), yaml,
 * file-not-found. */
SL_MUST_CHECK bool sys_config_load(struct sys_config *c, const char *file, struct sl_err *err);
/* The same sources read again: environment and file anew, flags as they were. `ret` is made in `a`; `old` stays. Errors as load. */
SL_MUST_CHECK bool sys_config_reload(const struct sys_config *old, struct sl_arena *a, struct sys_config *ret,
                                     struct sl_err *err);
/* Have they the same value of this setting? */
bool sys_config_same(const struct sys_config *x, const struct sys_config *y, enum sys_config_key key);
const char *sys_config_name(enum sys_config_key key);
/* A flag as written, "--target"; *ret_known false (and true returned): it is no flag of this table. */
SL_MUST_CHECK bool sys_config_flag(struct sys_config *c, const char *flag, const char *value, bool *ret_known,
                                   struct sl_err *err);
/* What stands behind --config: "KEY=VALUE". */
SL_MUST_CHECK bool sys_config_assign(struct sys_config *c, const char *key_value, struct sl_err *err);
/* Is this a flag of the table (which then takes a value; a BOOL none)? */
bool sys_config_is_flag(const char *flag);

/* Puts the limits in force (sl_limits of base/limits.h). At the start, and again for what was read anew: each is one word, so that
 * a thread that reads it meanwhile sees the old or the new one. */
void sys_config_apply(const struct sys_config *c);
/* What flags have set, as "key=value" for --config of another process; secrets are left out. Returns how many of
 * at most `max` were written. */
size_t sys_config_flags(const struct sys_config *c, struct sl_arena *a, const char **ret, size_t max);

/* "  --target NAME  ..." lines for --help: the flags, then how to set the rest. */
void sys_config_help(struct sl_buf *b);
/* The section of the man page (roff): every key with default, variable, flag. */
void sys_config_man(struct sl_buf *b);
/* `sluice config`: key, value, where it comes from; secrets as ***. */
void sys_config_show(const struct sys_config *c, struct sl_buf *b);
/* The same as one JSON array of {key, value, origin, where, default, env, flag, help}. */
void sys_config_show_json(const struct sys_config *c, struct sl_buf *b);

/* "127.0.0.1:0", "[::1]:8083": a setting of the type ADDRESS in its two parts, the brackets still around the host. */
SL_MUST_CHECK bool sys_config_address(sl_str s, sl_str *ret_host, int64_t *ret_port);

#endif
