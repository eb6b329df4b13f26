/* SPDX-License-Identifier: Apache-2.0
 * What a base image is made of: a closed list of files, folders and symbolic links, each file with its SHA-256. The list has one
 * canonical text, without times, names of machines or places outside the image; its SHA-256 is the digest of the content, the
 * same for the same inputs wherever they lie. Blocking. */
#ifndef SLUICE_IMG_CONTENT_H
#define SLUICE_IMG_CONTENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

/* In the order of the layers; a later part stands over an earlier one only where it is IMG_PART_FILES. */
enum img_part {
    IMG_PART_SYSTEM,
    IMG_PART_JRE,
    IMG_PART_FLINK,
    IMG_PART_RUNNER,
    IMG_PART_JAR,
    IMG_PART_FILES,
    IMG_PART_MAX_
};
enum img_kind { IMG_FILE, IMG_LINK, IMG_FOLDER, IMG_KIND_MAX_ };
struct img_entry {
    sl_str path; /* without a slash in front */
    enum img_part part;
    enum img_kind kind;
    unsigned mode;      /* 0644 or 0755; of a folder also 01777 */
    sl_str link;        /* LINK: where it leads, as written */
    sl_str origin;      /* coordinate of a jar; "" */
    const char *source; /* FILE: where its bytes lie on this machine; not part of the text */
    sl_str made;        /* FILE without a source: its bytes */
    bool ours;          /* nobody but Sluice writes the source: a hard link may stand for it */
    char sha256[65];
    int64_t bytes;
};
struct img_content {
    sl_str flink; /* "2.2.1" */
    SL_VEC(struct img_entry) entries;
    SL_VEC(sl_str) class_path; /* paths of the jars of IMG_PART_JAR in lib/, in their order */
    char digest[72];           /* "sha256:...", once it is closed */
    int64_t bytes;             /* of all files; once it is closed */
};

const char *img_part_name(enum img_part p);
/* 9999 (flink) at and below opt/flink, else 0. */
unsigned img_owner(sl_str path);

/* One file. Errors: file-not-found, io, config-value (it is none). */
SL_MUST_CHECK bool img_add_file(struct sl_arena *a, struct img_content *c, const struct img_entry *e,
                                struct sl_err *err);
/* A file whose bytes are made here. */
SL_MUST_CHECK bool img_add_made(struct sl_arena *a, struct img_content *c, sl_str path, unsigned mode,
                                sl_str bytes, struct sl_err *err);
/* A file at e->path, or everything in a folder below e->path ("" = the root of the image). Owners, times and special bits
 * are left behind. Errors: those above, limit-exceeded. */
SL_MUST_CHECK bool img_add_tree(struct sl_arena *a, struct img_content *c, const struct img_entry *e,
                                struct sl_err *err);
/* Sorts by path and computes digest and bytes. Error: config-value for two entries of one path with other bytes, and for
 * one that lies below a file or a link. */
SL_MUST_CHECK bool img_content_close(struct sl_arena *a, struct img_content *c, struct sl_err *err);
/* The canonical text of a closed list (JSON), and back; read, it is closed and knows no sources. Errors: json,
 * image-broken. */
void img_content_write(const struct img_content *c, struct sl_buf *b);
SL_MUST_CHECK bool img_content_read(struct sl_arena *a, sl_str text, struct img_content *ret,
                                    struct sl_err *err);
/* NULL: there is none of that path. The list is closed. */
const struct img_entry *img_content_find(const struct img_content *c, sl_str path);
/* Hex SHA-256 and size of a file. Errors: file-not-found, io, disk-full. `copy_to` >= 0: its bytes go there as well. */
SL_MUST_CHECK bool img_file_digest(const char *path, int copy_to, char ret[65], int64_t *ret_bytes,
                                   struct sl_err *err);

#endif
