/* SPDX-License-Identifier: Apache-2.0
 * sluice backup FILE and sluice restore FILE: the owner makes the copy where one runs; else it is made here,
 * with the folder's lock. */
#include "gateway/api/backup.h"

#include "gateway/api/owner.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/owner_client.h"
#include "gateway/cli/settings.h"
#include "sys/file.h"

#include <stdio.h>
#include <unistd.h>

static int tell(const char *what, const char *file, int64_t bytes, int64_t artifacts)
{
    printf("%s %s: %lld bytes, %lld jar%s\n", what, file, (long long)bytes, (long long)artifacts,
           artifacts == 1 ? "" : "s");
    return 0;
}

static int by_owner(struct net_rpc_client *c, const char *file)
{
    SL_ARENA_AUTO a;
    SL_BUF_AUTO b;
    struct sl_jw w;
    struct sl_err err = SL_ERR_INIT;
    sl_arena_init(&a, 0);
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "file", file);
    sl_jw_end_object(&w);
    const struct sl_json *r = cli_owner_ask(c, "store.backup", sl_buf_str(&b), &a, &err);
    net_rpc_client_free(c);
    return r ? tell("backed up to", file, sl_json_i64(sl_json_get(r, "bytes"), 0),
                    sl_json_i64(sl_json_get(r, "artifacts"), 0))
             : cli_print_error(&err);
}

/* The folder's lock, or -1: then an owner has just come or is just going. */
static int lock_folder(const char *data, struct sl_err *err)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    bool held = false;
    int fd = sys_lock(sys_path_join(&a, data, "owner.lock"), &held, err);
    if (fd < 0 && held) {
        sl_fail(err, SL_BUSY, "an owner runs for %s", data);
        sl_hint(err, "sluice owner stop      ends it");
    }
    return fd;
}

static int backup(int argc, char **argv)
{
    SL_ARENA_AUTO a;
    struct sl_err err = SL_ERR_INIT, nobody = SL_ERR_INIT;
    struct backup_info info;
    sl_arena_init(&a, 0);
    if (argc != 2 || argv[1][0] == '-') {
        return cli_usage("backup", "one file is needed");
    }
    const char *data = cli_settings()->data.p, *file = sys_path_abs(&a, argv[1]);
    struct net_rpc_client *c = cli_owner_connect(false, &nobody);
    if (c) {
        return by_owner(c, file);
    }
    if (!sys_is_dir(data)) {
        sl_fail(&err, SL_NOT_FOUND, "%s holds no store", data);
        return cli_print_error(&err);
    }
    int fd = lock_folder(data, &err);
    bool ok = fd >= 0 && backup_make(NULL, data, file, &info, &err);
    if (fd >= 0) {
        close(fd);
    }
    return ok ? tell("backed up to", file, info.bytes, (int64_t)info.artifacts) : cli_print_error(&err);
}

static int restore(int argc, char **argv)
{
    SL_ARENA_AUTO a;
    struct sl_err err = SL_ERR_INIT;
    struct backup_info info;
    bool replace = false;
    const char *file = NULL;
    sl_arena_init(&a, 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--replace") == 0) {
            replace = true;
        } else if (argv[i][0] == '-' || file) {
            return cli_usage("restore", "what is '%s'?", argv[i]);
        } else {
            file = sys_path_abs(&a, argv[i]);
        }
    }
    if (!file) {
        return cli_usage("restore", "one file is needed");
    }
    const char *data = cli_settings()->data.p;
    int fd = sys_mkdirs(data, 0700, &err) ? lock_folder(data, &err) : -1;
    bool ok = fd >= 0 && backup_restore(data, file, replace, &info, &err);
    if (fd >= 0) {
        close(fd);
    }
    if (!ok) {
        return cli_print_error(&err);
    }
    if (info.aside[0]) {
        printf("what was there is kept as %s\n", info.aside);
    }
    return tell("restored", file, info.bytes, (int64_t)info.artifacts);
}

const struct cli_verb cli_backup = {
    .name = "backup",
    .summary = "copy jobs, versions, runs and their jars to one file",
    .usage = "usage: sluice backup FILE\n\n"
             "Copies the store of the data folder, as of one moment, and the jars of its versions to FILE, "
             "which must not\n"
             "be there yet. Runs may go on meanwhile. The file holds what the store holds, addresses and "
             "credentials of\n"
             "targets too: it is made for its owner alone (0600).\n",
    .exec = backup,
};

const struct cli_verb cli_restore = {
    .name = "restore",
    .summary = "put a backup in place",
    .usage = "usage: sluice restore [--replace] FILE\n\n"
             "Puts a backup into the data folder. No owner may run (sluice owner stop). A store that is "
             "there is refused;\n"
             "with --replace it is kept under another name. Runs that were under way when the backup was "
             "made are looked\n"
             "for where they ran; those that are not there any more are LOST.\n",
    .exec = restore,
};
