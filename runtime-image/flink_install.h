/* SPDX-License-Identifier: Apache-2.0
 * Installations of the official Flink distribution below one folder (sys_flink_dir()): <root>/<version>/lib,
 * opt, plugins, bin. Only whole ones are ever visible: everything is made in a folder beside and renamed. One
 * installer at a time (a lock file in the root). Downloads are kept in $SLUICE_DOWNLOADS (default
 * ~/.cache/sluice/dl) as NAME.part until they are whole and their sha256 is right. Blocking. */
#ifndef SLUICE_IMG_FLINK_INSTALL_H
#define SLUICE_IMG_FLINK_INSTALL_H

#include "runtime-image/flink_versions.h"
#include "base/arena.h"

enum img_install_step {
    IMG_STEP_WAIT,
    IMG_STEP_DOWNLOAD,
    IMG_STEP_VERIFY,
    IMG_STEP_UNPACK,
    IMG_STEP_PREPARE
};
struct img_install_event {
    enum img_install_step step;
    bool end;            /* the step is done; else it is under way */
    const char *file;    /* download: its file without extension */
    int64_t done, total; /* download: bytes; total -1 = unknown */
    int64_t here;        /* download: bytes that were there before */
    int64_t ms;          /* end: what it took */
    int64_t count;       /* unpack: jars; prepare: class archives */
    const char *text;    /* wait: for what; prepare: why there are no archives, else NULL */
};
/* Called on the installing thread, often; false stops the installation with `cancelled`. */
typedef bool (*img_install_fn)(void *ctx, const struct img_install_event *ev);

struct img_install {
    const char *root;      /* sys_flink_dir() */
    const char *downloads; /* NULL = $SLUICE_DOWNLOADS, else ~/.cache/sluice/dl */
    img_install_fn fn;     /* may be NULL */
    void *ctx;
};

/* Makes <root>/<version> be there; version as img_flink_resolve gave it. *ret_was_there when nothing was to
 * do. Errors: flink-download, flink-verify, disk-full, io, cancelled. */
SL_MUST_CHECK bool img_flink_install(const struct img_install *in, const char *version, bool *ret_was_there,
                                     struct sl_err *err);
bool img_flink_is_installed(const char *root, const char *version);
/* Installed versions, oldest first. */
SL_MUST_CHECK bool img_flink_list(struct sl_arena *a, const char *root, const char ***ret, size_t *ret_n,
                                  struct sl_err *err);
/* Errors: flink-not-installed, busy (a local cluster uses it). */
SL_MUST_CHECK bool img_flink_remove(const char *root, const char *version, int64_t *ret_bytes,
                                    struct sl_err *err);
/* A shared lock on an installation while JVMs run from it: an fd to close, or -1. */
int img_flink_use(const char *root, const char *version);
/* $SLUICE_DOWNLOADS, else $XDG_CACHE_HOME/sluice/dl, else ~/.cache/sluice/dl. */
char *img_downloads_dir(struct sl_arena *a);

#endif
