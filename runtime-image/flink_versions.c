/* SPDX-License-Identifier: Apache-2.0
 * The table of known Flink releases and how a wanted version names one of them. */
#include "runtime-image/flink_versions.h"

#include <stdio.h>
#include <stdlib.h>

const struct img_flink_release img_flink_releases[] = {
    {"1.20.5", "1.20", "apache_flink_libraries-1.20.5.tar.gz",
     "e6aee62ea1a1fe7b32e28894ad079f3f1a50a372a4caac3df52405267f4228c8", 231999354, false},
    {"2.2.1", "2.2", "apache_flink_libraries-2.2.1-py2.py3-none-any.whl",
     "74dc5546fbd9add8fbcdf1222a237e09491f9b80296241aef8676ec56f8e686e", 312587297, true},
    {"2.3.0", "2.3", "apache_flink_libraries-2.3.0-py2.py3-none-any.whl",
     "38ece876553286b3a285cf344c2d2038f8a7ca10da5df54d5107250386d64151", 329139814, false},
    {0},
};

const struct img_flink_release *img_flink_release_of(const char *version)
{
    for (const struct img_flink_release *r = img_flink_releases; r->version; r++) {
        if (strcmp(r->version, version) == 0) {
            return r;
        }
    }
    return NULL;
}

/* Numbers of a version, at most three; returns how many, 0 when it is not a version. */
static int numbers_of(const char *v, long out[3])
{
    int n = 0;
    while (n < 3) {
        if (*v < '0' || *v > '9') {
            return 0;
        }
        char *end;
        out[n++] = strtol(v, &end, 10);
        if (out[n - 1] > 9999) {
            return 0;
        }
        if (!*end) {
            return n;
        }
        if (*end != '.') {
            return 0;
        }
        v = end + 1;
    }
    return 0;
}

int img_flink_version_cmp(const char *a, const char *b)
{
    long x[3] = {0}, y[3] = {0};
    numbers_of(a, x);
    numbers_of(b, y);
    for (int i = 0; i < 3; i++) {
        if (x[i] != y[i]) {
            return x[i] < y[i] ? -1 : 1;
        }
    }
    return 0;
}

bool img_flink_resolve(const char *wanted, char ret[16], struct sl_err *err)
{
    for (const struct img_flink_release *r = img_flink_releases; r->version; r++) {
        if ((!wanted || !*wanted) ? r->is_default : strcmp(r->series, wanted) == 0) {
            snprintf(ret, 16, "%s", r->version);
            return true;
        }
    }
    long v[3];
    int n = numbers_of(wanted, v);
    if (n == 3 && strlen(wanted) < 16) {
        snprintf(ret, 16, "%s", wanted);
        return true;
    }
    if (n == 0) {
        sl_fail(err, SL_USAGE, "'%.40s' is not a Flink version", wanted);
    } else {
        sl_fail(err, SL_USAGE, "this Sluice knows no release of Flink %.40s", wanted);
    }
    return sl_hint(err, "1.20, 2.2 or 2.3, or a whole version such as 2.2.1");
}
