/* SPDX-License-Identifier: Apache-2.0
 * The ends after a programming error and without memory. In a file of its own, so that a build without stdio brings its own. */
#include "base/compiler.h"

#include <stdio.h>
#include <stdlib.h>

#define EXIT_OOM 6 /* of SL_NO_MEMORY in base/codes.def */

void sl_bug(const char *file, int line, const char *what)
{
    fprintf(stderr, "sluice: internal error at %s:%d: %s\n", file, line, what);
    fflush(stderr);
    abort();
}

void sl_oom(const char *file, int line)
{
    fprintf(stderr, "error[out-of-memory]: the system gave no more memory (%s:%d)\n", file, line);
    fflush(stderr);
    _Exit(EXIT_OOM);
}
