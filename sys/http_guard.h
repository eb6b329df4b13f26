/* SPDX-License-Identifier: Apache-2.0
 * Where requests of ours do not go: link-local addresses and those at which clouds answer with the machine's own secrets. A user who
 * may name an address (of a target, of a package index) is not to read them through us. Looked at when a connection is made, by the
 * address that the name had then, so that neither a name nor a redirect leads around it. Private to sys/. */
#ifndef SLUICE_SYS_HTTP_GUARD_H
#define SLUICE_SYS_HTTP_GUARD_H

#include <stdbool.h>
#include <sys/socket.h>

/* 169.254.0.0/16, fe80::/10 and the metadata services outside of them, also inside IPv6 (mapped, NAT64). */
bool http_guard_is_inner(const struct sockaddr *a);
/* Is it refused now (sys_http_let_link_local)? */
bool http_guard_refuses(const struct sockaddr *a);

#endif
