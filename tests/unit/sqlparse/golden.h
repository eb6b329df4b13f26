/* SPDX-License-Identifier: Apache-2.0
 * Golden files of plain text: cases of "=== name", input lines, "---", expected lines. In the input <CR>,
 * <TAB>, <FF>, <BOM> and <NUL> stand for those characters and a last line <NOEOL> takes the final line end
 * away. Every other line counts as it is. With GOLDEN_UPDATE in the environment the expected lines are
 * written anew. Used from the repository's root. */
#ifndef SLUICE_TEST_GOLDEN_H
#define SLUICE_TEST_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

typedef void (*golden_fn)(sl_str name, sl_str input, struct sl_buf *actual);

static sl_str golden_line(sl_str *rest)
{
    const char *nl = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    size_t n = nl ? (size_t)(nl - rest->p) : rest->n;
    sl_str line = sl_str_sub(*rest, 0, n);
    size_t skip = nl ? n + 1 : n;
    *rest = sl_str_sub(*rest, skip, rest->n - skip);
    return line;
}

static void golden_input(struct sl_buf *out, sl_str lines)
{
    static const struct {
        const char *mark, *bytes;
        size_t n;
    } marks[] = {{"<CR>", "\r", 1},
                 {"<TAB>", "\t", 1},
                 {"<FF>", "\f", 1},
                 {"<BOM>", "\xef\xbb\xbf", 3},
                 {"<NUL>", "\0", 1}};
    if (sl_str_starts(lines, SL_STR("<NOEOL>\n"))) {
        return; /* nothing at all */
    }
    for (size_t i = 0; i < lines.n;) {
        size_t k = 0;
        while (k < SL_ARRAY_LEN(marks) &&
               !sl_str_starts(sl_str_sub(lines, i, lines.n - i), sl_str_of(marks[k].mark))) {
            k++;
        }
        if (k < SL_ARRAY_LEN(marks)) {
            sl_buf_put(out, marks[k].bytes, marks[k].n);
            i += strlen(marks[k].mark);
        } else if (sl_str_starts(sl_str_sub(lines, i, lines.n - i), SL_STR("\n<NOEOL>\n"))) {
            return;
        } else {
            sl_buf_putc(out, lines.p[i++]);
        }
    }
}

/* Runs every case of the file; returns how many failed, and counts them in *ret_cases. */
static int golden_run(const char *path, golden_fn fn, int *ret_cases)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "%s cannot be opened: run this from the root of the repository\n", path);
        return 1;
    }
    SL_BUF_AUTO text, fresh;
    sl_buf_init(&text, 0);
    sl_buf_init(&fresh, 0);
    char block[4096];
    size_t got;
    while ((got = fread(block, 1, sizeof(block), f)) > 0) {
        sl_buf_put(&text, block, got);
    }
    fclose(f);
    sl_str rest = sl_buf_str(&text);
    int failed = 0;
    sl_str line = golden_line(&rest);
    while (!sl_str_starts(line, SL_STR("=== ")) && rest.n) {
        sl_buf_puts(&fresh, line);
        sl_buf_putc(&fresh, '\n');
        line = golden_line(&rest);
    }
    while (sl_str_starts(line, SL_STR("=== "))) {
        sl_str name = sl_str_sub(line, 4, line.n - 4);
        const char *in_start = rest.p;
        sl_str at = rest;
        while (rest.n && !sl_str_eqz(at = golden_line(&rest), "---")) {
        }
        sl_str lines = {in_start, (size_t)(at.p - in_start)};
        const char *want_start = rest.p;
        const char *want_end = rest.p;
        line = SL_STR_NONE;
        while (rest.n) {
            line = golden_line(&rest);
            if (sl_str_starts(line, SL_STR("=== "))) {
                break;
            }
            want_end = rest.p;
            line = SL_STR_NONE;
        }
        sl_str want = {want_start, (size_t)(want_end - want_start)};
        SL_BUF_AUTO input, actual;
        sl_buf_init(&input, 0);
        sl_buf_init(&actual, 0);
        golden_input(&input, lines);
        fn(name, sl_buf_str(&input), &actual);
        sl_buf_printf(&fresh, "=== %.*s\n%.*s---\n%.*s", SL_S(name), SL_S(lines), SL_S(sl_buf_str(&actual)));
        ++*ret_cases;
        if (!sl_str_eq(sl_buf_str(&actual), want)) {
            failed++;
            fprintf(stderr, "%s: %.*s\nexpected:\n%.*sactual:\n%.*s", path, SL_S(name), SL_S(want),
                    SL_S(sl_buf_str(&actual)));
        }
    }
    if (getenv("GOLDEN_UPDATE")) {
        f = fopen(path, "wb");
        fwrite(fresh.p, 1, fresh.n, f);
        fclose(f);
        return 0;
    }
    return failed;
}

#endif
