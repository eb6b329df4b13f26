/* SPDX-License-Identifier: Apache-2.0
 * The part of stdio.h that sqlparse and base need. There is no output: a failed check ends in a trap. */
#ifndef SLUICE_WASM_STDIO_H
#define SLUICE_WASM_STDIO_H
#include <stdarg.h>
#include <stddef.h>
typedef struct sluice_no_file FILE;
#define stderr ((FILE *)0)
int fprintf(FILE *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int fflush(FILE *f);
int snprintf(char *to, size_t room, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t room, const char *fmt, va_list ap);
#endif
