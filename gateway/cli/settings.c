/* SPDX-License-Identifier: Apache-2.0
 * Reads the settings once, before the verb is looked at. */
#include "gateway/cli/settings.h"

#include <string.h>

static struct sl_arena arena;
static struct sys_config settings;

/* Those behind the first four are of `serve`; the table's other flags mean something to a verb of its own (run --target,
 * check --flink). */
static const char *const flags[] = {"--config", "--data",      "--log-level", "--server",  "--listen",
                                    "--hosts",  "--anonymous", "--tls-cert",  "--tls-key", "--tls-client-ca"};
#define FLAGS_OF_ALL 4

const char cli_settings_help[] =
    "  --data FOLDER        where jobs, runs and clusters are kept (also $SLUICE_DATA)\n"
    "  --log-level LEVEL    err, warn, info or debug\n"
    "  --server URL         speak with a server (sluice serve) instead; token: $SLUICE_TOKEN\n"
    "  --config KEY=VALUE   any setting; sluice config shows them all\n";

const struct sys_config *cli_settings(void)
{
    if (!settings.arena) {
        sl_arena_init(&arena, 0);
        sys_config_init(&settings, &arena);
    }
    return &settings;
}

/* argv[*i] is `flag`, as "--x=v" or "--x v": its value, with *i at the last word of it. NULL: it is not. */
static const char *value_of(const char *flag, int argc, char **argv, int *i, bool *ret_missing)
{
    size_t n = strlen(flag);
    if (strncmp(argv[*i], flag, n) != 0 || (argv[*i][n] != '=' && argv[*i][n] != '\0')) {
        return NULL;
    }
    if (argv[*i][n] == '=') {
        return argv[*i] + n + 1;
    }
    *ret_missing = *i + 1 >= argc;
    return *ret_missing ? "" : argv[++*i];
}

static bool take(const char *flag, const char *value, struct sl_err *err)
{
    bool known;
    return strcmp(flag, "--config") == 0 ? sys_config_assign(&settings, value, err)
                                         : sys_config_flag(&settings, flag, value, &known, err);
}

bool cli_settings_load(int *argc, char **argv, struct sl_err *err)
{
    cli_settings();
    int kept = 1;
    bool open = true;
    size_t n_flags = *argc > 1 && strcmp(argv[1], "serve") == 0 ? SL_ARRAY_LEN(flags) : FLAGS_OF_ALL;
    for (int i = 1; i < *argc; i++) {
        const char *value = NULL;
        bool missing = false;
        size_t which = 0;
        open = open && strcmp(argv[i], "--") != 0;
        while (open && which < n_flags && !(value = value_of(flags[which], *argc, argv, &i, &missing))) {
            which++;
        }
        if (!value) {
            argv[kept++] = argv[i];
        } else if (missing) {
            return sl_fail(err, SL_USAGE, "%s wants a value", flags[which]);
        } else if (!take(flags[which], value, err)) {
            return false;
        }
    }
    *argc = kept;
    argv[kept] = NULL;
    if (!sys_config_load(&settings, NULL, err)) {
        return false;
    }
    sys_config_apply(&settings);
    return true;
}
