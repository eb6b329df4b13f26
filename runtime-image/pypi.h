/* SPDX-License-Identifier: Apache-2.0
 * Finds the file of one release of apache-flink-libraries: the simple index API (PEP 691 JSON, PEP 503 HTML)
 * of the indexes and find-links that pip is configured with. */
#ifndef SLUICE_IMG_PYPI_H
#define SLUICE_IMG_PYPI_H

#include "runtime-image/pip_config.h"
#include "sys/http.h"

#define IMG_PYPI_PACKAGE "apache-flink-libraries"

struct img_pypi_file {
    const char *name;   /* file name */
    const char *url;    /* http(s) */
    const char *path;   /* or a local file (find-links); url is then NULL */
    const char *source; /* index or folder, without password, for messages */
    char sha256[65];    /* "" = the source told none */
    int64_t bytes;      /* -1 = not told */
};

/* The wheel if there is one, else the sdist. Errors: flink-download (no index answers, or none has the
 * release). */
SL_MUST_CHECK bool img_pypi_find(struct sys_http *h, const struct img_pip *pip, const char *version,
                                 struct sl_arena *a, struct img_pypi_file *ret, struct sl_err *err);

/* The files of one index page; `url` resolves relative links. For tests. */
struct img_pypi_page {
    struct img_pypi_file *v;
    size_t n;
};
SL_MUST_CHECK bool img_pypi_parse(struct sl_arena *a, sl_str body, sl_str content_type, const char *url,
                                  struct img_pypi_page *ret, struct sl_err *err);
/* 0 = not a file of that release; a wheel ranks above an sdist. */
int img_pypi_rank(sl_str file, const char *version);

#endif
