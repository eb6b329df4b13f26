/* SPDX-License-Identifier: Apache-2.0
 * The part of string.h that sqlparse and base need, for builds without a C library. */
#ifndef SLUICE_WASM_STRING_H
#define SLUICE_WASM_STRING_H
#include <stddef.h>
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *p, int c, size_t n);
size_t strlen(const char *z);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
size_t strcspn(const char *z, const char *reject);
char *strchr(const char *z, int c);
char *strerror_r(int number, char *to, size_t room); /* the GNU form */
#endif
