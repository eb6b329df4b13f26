/* SPDX-License-Identifier: Apache-2.0
 * What every verb shares: the table of verbs, how an error and a usage mistake are printed. */
#include "gateway/cli/cli.h"

#include "gateway/jobs/event.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct cli_verb *const cli_verbs[] = {
    &cli_run,     &cli_check,     &cli_fmt,      &cli_job,   &cli_target, &cli_split,   &cli_render,
    &cli_lineage, &cli_complete,  &cli_hover,    &cli_flink, &cli_serve,  &cli_token,   &cli_owner,
    &cli_resolve, &cli_connector, &cli_artifact, &cli_image, &cli_backup, &cli_restore, &cli_doctor,
    &cli_config,  &cli_supervise, &cli_version,  NULL,
};

int cli_print_error(const struct sl_err *err)
{
    bool colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
    fprintf(stderr, "%serror[%s]%s: %s\n", colour ? "\033[1;31m" : "", sl_code_slug(err->code),
            colour ? "\033[0m" : "", err->msg);
    const char *line = err->hint;
    const char *lead = "  = hint: ";
    while (*line) {
        size_t n = strcspn(line, "\n");
        fprintf(stderr, "%s%.*s\n", lead, (int)n, line);
        line += n + (line[n] == '\n');
        lead = "          ";
    }
    return sl_code_exit(err->code);
}

static bool to_stdout(void *ctx, sl_str json)
{
    (void)ctx;
    fwrite(json.p, 1, json.n, stdout);
    putchar('\n');
    return fflush(stdout) == 0;
}

int cli_print_error_json(const struct sl_err *err)
{
    event_error(&(struct event_sink){.emit = to_stdout}, err);
    return sl_code_exit(err->code);
}

int cli_usage(const char *verb, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "sluice %s: ", verb);
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\nsluice %s --help tells more.\n", verb);
    va_end(ap);
    return 2;
}

bool cli_is_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            return false;
        }
        if (strcmp(argv[i], "--help") == 0) {
            return true;
        }
    }
    return false;
}
