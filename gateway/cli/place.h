/* SPDX-License-Identifier: Apache-2.0
 * A place in a script, as the verbs for editors take it: FILE --line L --column C. Everything lives in the
 * caller's arena. Blocking file reads. */
#ifndef SLUICE_CLI_PLACE_H
#define SLUICE_CLI_PLACE_H

#include "gateway/cli/diag_print.h"
#include "gateway/cli/source.h"
#include "gateway/cli/table.h"

struct cli_place {
    struct cli_source_options options;
    const char *path;
    uint32_t line, column; /* from 1, UTF-16 */
    size_t limit;          /* 0: not given */
    bool json;
    /* after loading */
    struct cli_source source; /* only split: trees are made when they are needed */
    uint16_t file;
    uint32_t off;
};
/* Reads the arguments; false: said what is wrong with them. */
SL_MUST_CHECK bool cli_place_read(struct cli_place *p, struct sl_arena *a, const char *verb, int argc,
                                  char **argv);
SL_MUST_CHECK bool cli_place_load(struct cli_place *p, struct sl_arena *a, struct cli_source_error *ret);

#endif
