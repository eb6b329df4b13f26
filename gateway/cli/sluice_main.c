/* SPDX-License-Identifier: Apache-2.0
 * main(): finds the verb and runs it. */
#include "gateway/cli/cli.h"
#include "gateway/cli/settings.h"

#include <stdio.h>

static void print_help(FILE *out)
{
    fputs("sluice: run SQL on Apache Flink\n\nusage: sluice VERB [ARGUMENT ...]\n\n", out);
    for (size_t i = 0; cli_verbs[i]; i++) {
        if (!cli_verbs[i]->hidden) {
            fprintf(out, "  %-10s %s\n", cli_verbs[i]->name, cli_verbs[i]->summary);
        }
    }
    fprintf(out, "\nwith every verb:\n%s\nsluice VERB --help tells more.\n", cli_settings_help);
}

int main(int argc, char **argv)
{
    struct sl_err err = SL_ERR_INIT;
    if (!cli_settings_load(&argc, argv, &err)) {
        return cli_print_error(&err);
    }
    const char *verb = argc > 1 ? argv[1] : "--help";
    if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0 || strcmp(verb, "help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(verb, "--version") == 0) {
        verb = "version";
    }
    if (strcmp(verb, "jobs") == 0 || strcmp(verb, "ps") == 0) {
        char *list[] = {(char[]){"job"}, (char[]){"ls"}, NULL};
        return cli_job.exec(2, list);
    }
    for (size_t i = 0; cli_verbs[i]; i++) {
        if (strcmp(cli_verbs[i]->name, verb) == 0) {
            if (cli_is_help(argc - 1, argv + 1)) {
                fputs(cli_verbs[i]->usage, stdout);
                return 0;
            }
            return cli_verbs[i]->exec(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "sluice: there is no verb '%s'\n", verb);
    print_help(stderr);
    return 2;
}
