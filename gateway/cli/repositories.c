/* SPDX-License-Identifier: Apache-2.0
 * Opening the fetcher as options and settings say. */
#include "gateway/cli/repositories.h"

#include "gateway/cli/settings.h"
#include "sys/file.h"

#include <stdlib.h>
#include <sys/utsname.h>

static const char *environment(const char *name)
{
    return getenv(name);
}

/* The machine as Java calls it. */
static sl_str java_arch(struct sl_arena *a)
{
    struct utsname u;
    if (uname(&u) != 0 || strcmp(u.machine, "x86_64") == 0) {
        return SL_STR("amd64");
    }
    return sl_str_dup(a, sl_str_of(u.machine));
}

char *cli_fetch_cache(struct sl_arena *a)
{
    return sys_path_join(a, sl_arena_strdupz(a, cli_settings()->data), "cache/maven");
}

struct mvn_fetch *cli_fetch_open(const struct cli_repository_options *o, struct mvn_repositories *ret,
                                 struct sl_arena *a, struct sl_err *err)
{
    const struct sys_config *c = cli_settings();
    const char *home = getenv("HOME");
    const char *file = o->settings           ? o->settings
                       : c->maven_settings.n ? sl_arena_strdupz(a, c->maven_settings)
                       : home                ? sys_path_join(a, home, ".m2/settings.xml")
                                             : NULL;
    struct cli_words given = o->given;
    *sl_vec_add(a, &given) = NULL;
    struct mvn_settings_from from = {.file = file,
                                     .must = o->settings || c->maven_settings.n,
                                     .given = given.v,
                                     .configured = sl_arena_strdupz(a, c->maven_repositories),
                                     .central = sl_arena_strdupz(a, c->maven_central),
                                     .environment = environment};
    if (!mvn_settings_read(a, &from, ret, err)) {
        return NULL;
    }
    struct mvn_fetch_options fo = {.repositories = ret,
                                   .cache = cli_fetch_cache(a),
                                   .offline = o->offline || ret->offline,
                                   .java_version = c->maven_java,
                                   .os_arch = java_arch(a)};
    return mvn_fetch_new(&fo);
}
