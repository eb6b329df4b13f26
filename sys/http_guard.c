/* SPDX-License-Identifier: Apache-2.0
 * The addresses, and the switch. */
#include "sys/http_guard.h"

#include "base/compiler.h"
#include "sys/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool let; /* atomic */

void sys_http_let_link_local(bool yes)
{
    __atomic_store_n(&let, yes, __ATOMIC_RELAXED);
}

static bool is_inner_v4(const unsigned char a[4])
{
    static const unsigned char services[][4] = {
        {100, 100, 100, 200}, /* Alibaba */
        {168, 63, 129, 16},   /* Azure */
        {192, 0, 0, 192},     /* Oracle */
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(services); i++) {
        if (memcmp(a, services[i], 4) == 0) {
            return true;
        }
    }
    return a[0] == 169 && a[1] == 254;
}

static bool is_inner_v6(const unsigned char a[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}, old[12] = {0},
                               nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    static const unsigned char services[][16] = {
        {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}, /* fd00:ec2::254, Amazon */
        {0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54}, /* fd20:ce::254, Google */
    };
    if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0 || memcmp(a, old, 12) == 0) {
        return is_inner_v4(a + 12);
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(services); i++) {
        if (memcmp(a, services[i], 16) == 0) {
            return true;
        }
    }
    return a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
}

bool http_guard_is_inner(const struct sockaddr *a)
{
    unsigned char bytes[16];
    if (a->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, a, sizeof(v4));
        memcpy(bytes, &v4.sin_addr, 4);
        return is_inner_v4(bytes);
    }
    if (a->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, a, sizeof(v6));
        memcpy(bytes, &v6.sin6_addr, 16);
        return is_inner_v6(bytes);
    }
    return false;
}

bool http_guard_refuses(const struct sockaddr *a)
{
    return !__atomic_load_n(&let, __ATOMIC_RELAXED) && http_guard_is_inner(a);
}
