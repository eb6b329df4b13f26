/* SPDX-License-Identifier: Apache-2.0
 * The native half of the comparison: reads requests from standard input and writes the answers of the same
 * entry functions. A request is a line "NAME FLINK BYTES" and that many bytes of text; an
 * answer is a line with its length and its bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlparse/wasm/libc.h"

size_t wasm_answer_length(void);
const char *wasm_colour(const char *text, size_t n, unsigned flink);
const char *wasm_split(const char *text, size_t n, unsigned flink);
const char *wasm_check(const char *text, size_t n, unsigned flink);

/* Nothing is taken back here: the process ends with its input. */
void wasm_libc_reset(void) {}

static const char *answer(const char *name, const char *text, size_t n, unsigned flink)
{
    if (strcmp(name, "colour") == 0) {
        return wasm_colour(text, n, flink);
    }
    if (strcmp(name, "split") == 0) {
        return wasm_split(text, n, flink);
    }
    return wasm_check(text, n, flink);
}

int main(void)
{
    char name[16];
    unsigned flink;
    size_t n;
    while (scanf("%15s %u %zu", name, &flink, &n) == 3 && getchar() == '\n') {
        char *text = malloc(n + 1);
        if (!text || fread(text, 1, n, stdin) != n) {
            return 1;
        }
        const char *out = answer(name, text, n, flink);
        printf("%zu\n", wasm_answer_length());
        fwrite(out, 1, wasm_answer_length(), stdout);
        free(text);
    }
    return 0;
}
