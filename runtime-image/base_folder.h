/* SPDX-License-Identifier: Apache-2.0
 * Built base images on this machine, below one folder:
 *
 *   files/<xx>/<sha256>[.x]      every file once, read-only by agreement; a hard link to the cache where that is Sluice's own
 *   builds/<sha256>/image.json   the list of a build (runtime-image/content.h), whose SHA-256 is the name of its folder
 *   builds/<sha256>/root         the same as a tree of hard links
 *   names/<name>.json            which build a name stands for
 *
 * A build is made under another name, synced and renamed: what can be seen is whole, whenever the machine or the program ends.
 * One writer at a time (lock). Blocking. */
#ifndef SLUICE_IMG_BASE_FOLDER_H
#define SLUICE_IMG_BASE_FOLDER_H

#include "runtime-image/content.h"

struct img_base {
    sl_str name;
    char digest[72]; /* of the content */
    int64_t built_ms;
    sl_str flink;
    int64_t bytes;
    size_t entries;
};
struct img_built {
    bool was_there;    /* nothing was to do but the name */
    size_t new_files;  /* files that no image had */
    int64_t new_bytes; /* of these, what was copied */
};
struct img_faults {
    SL_VEC(sl_str) v; /* "opt/flink/lib/a.jar has other bytes" */
};

/* Errors: io, disk-full, busy, and io for a source that has changed since it was gathered. */
SL_MUST_CHECK bool img_base_build(const char *root, sl_str name, const struct img_content *c,
                                  struct img_built *ret, struct sl_err *err);
/* By name. An unreadable one is left out. */
SL_MUST_CHECK bool img_base_list(struct sl_arena *a, const char *root, struct img_base **ret, size_t *ret_n,
                                 struct sl_err *err);
/* By name, by "sha256:" with at least 6 digits, or NAME@sha256:... where both must fit. Errors: image-unknown, image-broken. */
SL_MUST_CHECK bool img_base_find(struct sl_arena *a, const char *root, sl_str which, struct img_base *ret,
                                 struct sl_err *err);
/* Its list; sources are the files of the build. Errors: image-broken, io. */
SL_MUST_CHECK bool img_base_read(struct sl_arena *a, const char *root, const struct img_base *b,
                                 struct img_content *ret, struct sl_err *err);
/* Holds every file against the list. What does not fit is told in `ret`. */
SL_MUST_CHECK bool img_base_verify(struct sl_arena *a, const char *root, const struct img_base *b,
                                   struct img_faults *ret, struct sl_err *err);
/* The folder that stands for the root of the image. */
char *img_base_root(struct sl_arena *a, const char *root, const struct img_base *b);
/* Takes the name away; the build goes with the next gc when no other name stands for it. */
SL_MUST_CHECK bool img_base_remove(const char *root, sl_str name, struct sl_err *err);
/* The lock of writers, waited for; an fd to close, or -1. Errors: busy, io. */
int img_base_lock(struct sl_arena *a, const char *root, struct sl_err *err);
/* Removes builds without a name, files without a build and what was left half made. */
SL_MUST_CHECK bool img_base_gc(const char *root, size_t *ret_builds, int64_t *ret_bytes, struct sl_err *err);

#endif
