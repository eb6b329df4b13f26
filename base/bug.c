/* SPDX-License-Identifier: Apache-2.0
 * The end after a programming error. In a file of its own, so that a build without stdio brings its own. */
#include "base/compiler.h"

#include <stdio.h>
#include <stdlib.h>

void sl_bug(const char *file, int line, const char *what)
{
    fprintf(stderr, "sluice: internal error at %s:%d: %s\n", file, line, what);
    fflush(stderr);
    abort();
}
