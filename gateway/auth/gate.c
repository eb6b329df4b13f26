/* SPDX-License-Identifier: Apache-2.0
 * Host, Origin and Authorization headers. */
#include "gateway/auth/gate.h"

#include <openssl/evp.h>

bool auth_is_loopback(sl_str a)
{
    if (sl_str_eqz(a, "::1")) {
        return true;
    }
    if (!sl_str_starts(a, SL_STR("127."))) {
        return false;
    }
    unsigned dots = 0;
    for (size_t i = 0; i < a.n; i++) {
        if (a.p[i] == '.') {
            dots++;
        } else if (a.p[i] < '0' || a.p[i] > '9') {
            return false;
        }
    }
    return dots == 3;
}

/* "name:8083" -> "name"; "[::1]:8083" -> "::1"; false: not of that form. */
static bool split_host(sl_str host, sl_str *ret_name, sl_str *ret_port)
{
    *ret_port = SL_STR("");
    if (host.n && host.p[0] == '[') {
        ptrdiff_t end = sl_str_find_char(host, ']');
        if (end < 0) {
            return false;
        }
        *ret_name = sl_str_sub(host, 1, (size_t)end - 1);
        host = sl_str_sub(host, (size_t)end + 1, host.n - (size_t)end - 1);
        if (host.n && host.p[0] != ':') {
            return false;
        }
        *ret_port = host.n ? sl_str_sub(host, 1, host.n - 1) : *ret_port;
    } else {
        ptrdiff_t colon = sl_str_find_char(host, ':');
        *ret_name = colon < 0 ? host : sl_str_sub(host, 0, (size_t)colon);
        if (colon >= 0) {
            *ret_port = sl_str_sub(host, (size_t)colon + 1, host.n - (size_t)colon - 1);
        }
    }
    for (size_t i = 0; i < ret_port->n; i++) {
        if (ret_port->p[i] < '0' || ret_port->p[i] > '9') {
            return false;
        }
    }
    return ret_name->n > 0;
}

static bool listed(const struct auth_gate *g, sl_str name)
{
    for (size_t i = 0; i < g->n_hosts; i++) {
        sl_str h = g->hosts[i];
        if (sl_str_ieq(h, name)) {
            return true;
        }
        if (sl_str_starts(h, SL_STR("*.")) && name.n > h.n - 1 &&
            sl_str_ieq(sl_str_sub(name, name.n - (h.n - 1), h.n - 1), sl_str_sub(h, 1, h.n - 1))) {
            return true;
        }
    }
    return false;
}

bool auth_host_ok(const struct auth_gate *g, sl_str host)
{
    sl_str name, port;
    return split_host(host, &name, &port) &&
           (sl_str_ieqz(name, "localhost") || auth_is_loopback(name) || listed(g, name));
}

bool auth_origin_ok(const struct auth_gate *g, sl_str origin, sl_str host)
{
    if (!origin.p) {
        return true;
    }
    sl_str rest;
    if (sl_str_starts(origin, SL_STR("http://"))) {
        rest = sl_str_sub(origin, 7, origin.n - 7);
    } else if (sl_str_starts(origin, SL_STR("https://"))) {
        rest = sl_str_sub(origin, 8, origin.n - 8);
    } else {
        return false;
    }
    sl_str name, port;
    return sl_str_ieq(rest, host) || (split_host(rest, &name, &port) && listed(g, name));
}

sl_str auth_bearer(sl_str h, char scratch[128])
{
    if (h.n > 7 && sl_str_ieqz(sl_str_sub(h, 0, 7), "bearer ")) {
        return sl_str_trim(sl_str_sub(h, 7, h.n - 7));
    }
    if (h.n > 6 && h.n <= 6 + 164 && sl_str_ieqz(sl_str_sub(h, 0, 6), "basic ")) {
        sl_str code = sl_str_trim(sl_str_sub(h, 6, h.n - 6));
        unsigned char text[128];
        int n = code.n % 4 == 0 && code.n / 4 * 3 < sizeof(text)
                    ? EVP_DecodeBlock(text, (const unsigned char *)code.p, (int)code.n)
                    : -1;
        while (n > 0 && text[n - 1] == 0) {
            n--; /* what stood for '=' */
        }
        for (int i = 0; i < n; i++) {
            if (text[i] == ':') {
                memcpy(scratch, text + i + 1, (size_t)(n - i - 1));
                return (sl_str){scratch, (size_t)(n - i - 1)};
            }
        }
    }
    return SL_STR_NONE;
}
