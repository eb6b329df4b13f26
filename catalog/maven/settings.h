/* SPDX-License-Identifier: Apache-2.0
 * Which repositories are asked, in order, and how: from Sluice's settings and from Maven's settings.xml (mirrors, servers,
 * proxies, repositories of active profiles, offline). Texts live in the arena. Passwords never leave it but as a header. */
#ifndef SLUICE_CATALOG_MAVEN_SETTINGS_H
#define SLUICE_CATALOG_MAVEN_SETTINGS_H

#include "base/vec.h"
#include "catalog/maven/xml.h"

struct mvn_repository {
    sl_str id, url;       /* url without a slash at the end; file:, http: or https: */
    sl_str authorization; /* a whole header line, or p NULL */
    sl_str proxy;         /* p NULL: as the environment says */
};
struct mvn_repositories {
    SL_VEC(struct mvn_repository) v;
    bool offline;
};
struct mvn_settings_from {
    const char
        *file; /* settings.xml; NULL: none. One that is not there is as if there were none, unless `must`. */
    bool must;
    const char *const
        *given; /* URL or ID=URL, NULL-terminated: only these, without mirrors. NULL: the configured ones */
    const char *configured; /* the same with blanks or commas between; mirrors stand for them */
    const char *central;    /* the address that Maven asks when nothing else is said */
    const char *(*environment)(const char *name); /* for ${env.X} in settings.xml; NULL: none */
};
/* Errors: maven-settings, usage (an address that is none), io. */
SL_MUST_CHECK bool mvn_settings_read(struct sl_arena *a, const struct mvn_settings_from *from,
                                     struct mvn_repositories *ret, struct sl_err *err);
/* Does a mirrorOf of Maven's stand for this repository? */
bool mvn_mirror_is_of(sl_str mirror_of, sl_str id, sl_str url);
/* An address as it may be shown: without user and password. */
sl_str mvn_url_shown(struct sl_arena *a, sl_str url);

#endif
