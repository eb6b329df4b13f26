/* SPDX-License-Identifier: Apache-2.0
 * The part of stdlib.h that sqlparse and base need. Memory is given back all at once (wasm_reset). */
#ifndef SLUICE_WASM_STDLIB_H
#define SLUICE_WASM_STDLIB_H
#include <stddef.h>
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);
void free(void *p);
_Noreturn void abort(void);
_Noreturn void _Exit(int status);
void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));
#endif
