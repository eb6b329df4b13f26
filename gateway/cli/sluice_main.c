/* SPDX-License-Identifier: Apache-2.0
 * main(): finds the verb and runs it, and does not call what it printed whole when it is not. */
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

static int run_verb(int argc, char **argv)
{
    struct sl_err err = SL_ERR_INIT;
    if (!cli_settings_load(&argc, argv, &err)) {
        return cli_print_error(&err);
    }
    int unread = cli_connectors_load();
    if (unread) {
        return unread;
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
        static char job[] = "job", ls[] = "ls";
        char **list = calloc((size_t)argc + 2, sizeof(*list)); /* until the process ends */
        SL_OOM_ON(!list);
        list[0] = job;
        list[1] = ls;
        memcpy(list + 2, argv + 2, (size_t)(argc - 2) * sizeof(*list));
        return cli_job.exec(argc, list);
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

/* A disk that fills up behind `sluice render x.sql > y.sql` must not look like success. A reader who has gone
 * away wanted no more. */
static int end_output(int status)
{
    bool failed = fflush(stdout) != 0;
    int saved = failed ? errno : cli_output_errno ? cli_output_errno : EIO;
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if ((!failed && !ferror(stdout)) || status != 0 ||
        (poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP | POLLNVAL)))) {
        return status;
    }
    struct sl_err err = SL_ERR_INIT;
    bool full = saved == ENOSPC || saved == EDQUOT || saved == EFBIG;
    (void)!sl_fail_errno(&err, full ? SL_DISK_FULL : SL_IO, saved, "cannot write the output");
    return cli_print_error(&err);
}

/* Where the caller closed one of the three, the next file that is opened would take its place and get what is
 * printed. */
static void hold_streams(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    (void)close(fd);
}

int main(int argc, char **argv)
{
    hold_streams();
    return end_output(run_verb(argc, argv));
}
