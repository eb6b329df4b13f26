/* SPDX-License-Identifier: Apache-2.0
 * The words of a verb: options from a table, then files. Every verb reads "--x v", "--x=v", "-x v", "-xv" alike,
 * "--" ends the options, "-" is a file (standard input). */
#ifndef SLUICE_CLI_ARGS_H
#define SLUICE_CLI_ARGS_H

#include "gateway/cli/source.h"

struct cli_words {
    const char **v;
    size_t n, cap;
};
/* One option: it sets a flag, or takes a value (the last one wins), or takes one each time. */
struct cli_option {
    const char *name; /* "--json" */
    char letter;      /* 'o' for -o; 0: none */
    bool *flag;
    const char **value;
    struct cli_words *values;
};

struct cli_args {
    const char *verb;
    const struct cli_option *options;  /* ends with name NULL; may be NULL */
    struct cli_source_options *source; /* takes those of cli_source_option() too; NULL: it does not */
    struct cli_words files;            /* as they were written */
};

/* Reads argv[1...]; values and files point into it. False: said on stderr, exit code 2. */
SL_MUST_CHECK bool cli_args_read(struct cli_args *x, struct sl_arena *a, int argc, char **argv);
/* The same for a verb of exactly one file. */
SL_MUST_CHECK bool cli_args_read_one(struct cli_args *x, struct sl_arena *a, int argc, char **argv);

#endif
