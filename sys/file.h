/* SPDX-License-Identifier: Apache-2.0
 * Files and folders. Whole-file writes are atomic and durable (write, fsync, rename, fsync the folder).
 * Blocking: never on the loop. */
#ifndef SLUICE_SYS_FILE_H
#define SLUICE_SYS_FILE_H

#include "base/arena.h"
#include "base/err.h"

/* Reads a whole file ("-" = standard input) up to max bytes. Errors: file-not-found, limit-exceeded, io. */
SL_MUST_CHECK bool sys_file_read(struct sl_arena *a, const char *path, size_t max, sl_str *ret,
                                 struct sl_err *err);
/* Atomically replaces path with the content; mode e.g. 0600. A full disk is SL_DISK_FULL and leaves the old
 * file. */
SL_MUST_CHECK bool sys_file_write(const char *path, sl_str content, unsigned mode, struct sl_err *err);
SL_MUST_CHECK bool sys_mkdirs(const char *path, unsigned mode, struct sl_err *err);
/* Removes a tree; missing is fine; never follows symbolic links. */
SL_MUST_CHECK bool sys_rmtree(const char *path, struct sl_err *err);
bool sys_exists(const char *path);
bool sys_is_dir(const char *path);
int64_t sys_file_size(const char *path); /* -1 when missing */
/* Total bytes of the regular files below a folder. */
int64_t sys_tree_bytes(const char *path);
/* Calls fn for each entry name (not . and ..), sorted. */
SL_MUST_CHECK bool sys_dir_list(struct sl_arena *a, const char *path, sl_str **ret, size_t *ret_n,
                                struct sl_err *err);
/* "a/b" joined with exactly one slash, NUL-terminated, in the arena. */
char *sys_path_join(struct sl_arena *a, const char *dir, const char *name);
/* Absolute form without "." and ".." (no symbolic links resolved). */
char *sys_path_abs(struct sl_arena *a, const char *path);
/* A lock file: exclusive, of the open file (fcntl's OFD locks), not waited for. Returns the fd (close = unlock), or -1 with
 * *ret_held when another one holds it. */
int sys_lock(const char *path, bool *ret_held, struct sl_err *err);
/* Is the lock held by anybody? Only asks: who takes it at this moment is not disturbed. */
bool sys_lock_is_held(const char *path);

/* $XDG_DATA_HOME/sluice/data (default ~/.local/share); $SLUICE_FLINK_DIR, else .../sluice/flink. */
char *sys_data_dir_default(struct sl_arena *a);
char *sys_flink_dir(struct sl_arena *a);
/* $XDG_CONFIG_HOME/sluice (default ~/.config/sluice). */
char *sys_config_dir(struct sl_arena *a);
/* Path of the running binary. */
char *sys_self_path(struct sl_arena *a);

#endif
