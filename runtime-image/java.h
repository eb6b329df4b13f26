/* SPDX-License-Identifier: Apache-2.0
 * Which Java runs Flink: JAVA_HOME, then PATH, then /usr/lib/jvm; versions 11 to 21. Reads the `release` file
 * of a Java home and asks `java -version` only where there is none. */
#ifndef SLUICE_IMG_JAVA_H
#define SLUICE_IMG_JAVA_H

#include "base/arena.h"
#include "base/err.h"

#define IMG_JAVA_MIN 11
#define IMG_JAVA_MAX 21

struct img_java {
    char bin[512];    /* the java program as found, "/usr/bin/java" */
    char home[512];   /* its home, symbolic links resolved */
    char version[64]; /* "17.0.15" */
    int major;
    bool headless; /* no lib/libawt_xawt.so: tells nothing to Flink, only to doctor */
};

/* Error: java-missing, whose message has a second line that says where it looked. */
SL_MUST_CHECK bool img_java_find(struct sl_arena *a, struct img_java *ret, struct sl_err *err);
/* The same with the three places given (NULL = not set). */
SL_MUST_CHECK bool img_java_find_in(struct sl_arena *a, const char *java_home, const char *path,
                                    const char *jvm_dir, struct img_java *ret, struct sl_err *err);

#endif
