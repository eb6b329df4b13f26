/* SPDX-License-Identifier: Apache-2.0
 * The definition of a base image, images/NAME.yaml (docs/images.md): which Flink, which connectors, formats, catalogs,
 * databases, file systems, jars of functions and files are to be in it. Only what is written; nothing is looked up. */
#ifndef SLUICE_IMG_IMAGE_H
#define SLUICE_IMG_IMAGE_H

#include "base/vec.h"
#include "catalog/connectors.h"

enum img_wish_kind {
    IMG_WISH_SERVICE,  /* of the manifest of connectors, or a coordinate in its place */
    IMG_WISH_DATABASE, /* what a JDBC URL names */
    IMG_WISH_UDF,      /* a coordinate, or the path of a jar */
};
struct img_wish {
    enum img_wish_kind kind;
    enum cat_service_kind service;
    sl_str text;
    struct sl_pos pos;
};
struct img_given {
    sl_str to; /* in the image, without a slash in front; of a folder: below that */
    sl_str from;
    struct sl_pos pos;
};
struct img_accepted {
    sl_str artifact;
    struct sl_pos pos;
};
struct img_def {
    sl_str name;
    const char *dir; /* of the file: what relative paths are relative to */
    sl_str flink;    /* "2.2" or "2.2.1" */
    struct sl_pos flink_pos;
    SL_VEC(struct img_wish) wishes; /* in the order of the file, which is that of the class path */
    SL_VEC(struct img_given) files;
    SL_VEC(struct img_accepted) accepted; /* conflicts */
    struct img_given system, jre, home;   /* folders; from.n 0: none */
    bool gzip_jars;                       /* layers: gzip */
};

/* Lower-case letters, digits, '.', '_' and '-', a letter or digit at both ends, at most 64. */
bool img_name_ok(sl_str name);
/* Slices of the text. Errors, with positions: yaml, config-unknown, config-value. */
SL_MUST_CHECK bool img_def_read(struct sl_arena *a, sl_str name, const char *dir, sl_str text,
                                struct img_def *ret, struct sl_err *err);
/* Is it a path that stays below its root: relative, without empty parts, "." and ".."? */
bool img_path_ok(sl_str path);
/* Does it have the colons of a GROUP:ARTIFACT:VERSION? */
bool img_is_coordinate(sl_str text);

#endif
