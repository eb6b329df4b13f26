/* SPDX-License-Identifier: Apache-2.0
 * One loop over the words of every verb. */
#include "gateway/cli/args.h"

#include <string.h>

#include "gateway/cli/cli.h"

static bool has_value(const struct cli_option *o)
{
    return o->value || o->values;
}

/* Where the value of option `o` begins in `word`; "" with *ret_next: it is the next word; NULL: not this one. */
static const char *match(const struct cli_option *o, const char *word, bool *ret_next)
{
    size_t n = strlen(o->name);
    *ret_next = false;
    if (strncmp(word, o->name, n) == 0 && (word[n] == '\0' || (word[n] == '=' && has_value(o)))) {
        *ret_next = word[n] == '\0';
        return *ret_next ? "" : word + n + 1;
    }
    if (o->letter && word[0] == '-' && word[1] == o->letter && (word[2] == '\0' || has_value(o))) {
        *ret_next = word[2] == '\0';
        return word + 2;
    }
    return NULL;
}

/* 1 taken, 0 no option of the table, -1 its value is missing. */
static int take(const struct cli_args *x, struct sl_arena *a, int argc, char **argv, int *i)
{
    for (const struct cli_option *o = x->options; o && o->name; o++) {
        bool next;
        const char *value = match(o, argv[*i], &next);
        if (!value) {
            continue;
        }
        if (o->flag) {
            *o->flag = true;
            return 1;
        }
        if (next && *i + 1 >= argc) {
            cli_usage(x->verb, "%s wants a value", argv[*i]);
            return -1;
        }
        value = next ? argv[++*i] : value;
        if (o->value) {
            *o->value = value;
        } else {
            sl_vec_push(a, o->values, value);
        }
        return 1;
    }
    return 0;
}

bool cli_args_read(struct cli_args *x, struct sl_arena *a, int argc, char **argv)
{
    bool options = true;
    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
            continue;
        }
        int taken = options ? take(x, a, argc, argv, &i) : 0;
        if (taken == 0 && options && x->source) {
            taken = cli_source_option(x->source, a, x->verb, argc, argv, &i);
        }
        if (taken < 0) {
            return false;
        }
        if (taken == 0 && options && argv[i][0] == '-' && argv[i][1]) {
            cli_usage(x->verb, "what is %s?", argv[i]);
            return false;
        }
        if (taken == 0) {
            sl_vec_push(a, &x->files, argv[i]);
        }
    }
    return true;
}

bool cli_args_read_one(struct cli_args *x, struct sl_arena *a, int argc, char **argv)
{
    if (!cli_args_read(x, a, argc, argv)) {
        return false;
    }
    if (x->files.n != 1) {
        cli_usage(x->verb, x->files.n ? "one file only" : "which file? (- is standard input)");
    }
    return x->files.n == 1;
}
