/* SPDX-License-Identifier: Apache-2.0
 * What a request must carry before anything looks at it: a Host that is this machine or listed (a name that an attacker
 * points here by DNS is neither), and no foreign Origin (a page of another site in the user's browser). Pure. */
#ifndef SLUICE_AUTH_GATE_H
#define SLUICE_AUTH_GATE_H

#include "base/str.h"

struct auth_gate {
    const sl_str
        *hosts; /* names (without port) that are allowed besides loopback; "*.example.org" takes subdomains */
    size_t n_hosts;
};
/* "localhost:8083", "127.0.0.1", "[::1]:8083", a listed name. An empty Host is refused. */
bool auth_host_ok(const struct auth_gate *g, sl_str host);
/* `origin`: p == NULL: not sent (no browser): allowed. Else http or https at the very Host of the request, or at a listed
 * name; "null" is refused. */
bool auth_origin_ok(const struct auth_gate *g, sl_str origin, sl_str host);
/* An address that only this machine can reach: 127.0.0.0/8, ::1. */
bool auth_is_loopback(sl_str address);
/* The token of "Bearer TOKEN", or of the password of "Basic ..."; p == NULL: neither. `scratch`: 128 bytes. */
sl_str auth_bearer(sl_str authorization, char scratch[128]);

#endif
