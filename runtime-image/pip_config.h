/* SPDX-License-Identifier: Apache-2.0
 * Where this machine's pip would look for packages, read as pip reads it: /etc/pip.conf, $XDG_CONFIG_DIRS,
 * the user's pip.conf, PIP_CONFIG_FILE, then PIP_* variables; sections [global], then [install], then
 * [download]. Needs no pip. */
#ifndef SLUICE_IMG_PIP_CONFIG_H
#define SLUICE_IMG_PIP_CONFIG_H

#include "base/arena.h"
#include "base/err.h"

struct img_pip {
    const char **indexes; /* simple indexes, the main one first; no slash at the end */
    size_t n_indexes;     /* 0 with no-index */
    const char **links;   /* find-links: folders, file: or http(s): pages */
    size_t n_links;
    const char **trusted; /* "host" or "host:port" whose certificate is not checked */
    size_t n_trusted;
    const char *cert;        /* PEM file or folder of trusted CAs, or NULL */
    const char *client_cert; /* PEM file to show to the server, or NULL */
    const char *proxy;       /* for all hosts, or NULL: as the environment says */
};

/* An unreadable file is skipped, as pip does; nothing here can fail. All text lives in the arena. */
void img_pip_read(struct sl_arena *a, struct img_pip *ret);
/* Without user name and password, for messages. */
const char *img_url_shown(struct sl_arena *a, const char *url);

#endif
