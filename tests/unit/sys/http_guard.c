/* SPDX-License-Identifier: Apache-2.0
 * Which addresses no request goes to, in every way an address can be written, and behind a redirect of a real server. That the
 * address of a name counts is looked at in tests/api/test_outgoing.py, which has a machine of its own to name things in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/http.h"
#include "sys/http_guard.h"
#include "tests/unit/sys/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static bool is_inner(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        return http_guard_is_inner((const void *)&v4);
    }
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return http_guard_is_inner((const void *)&v6);
}

static void these_and_no_others(void **state)
{
    (void)state;
    static const char *const inner[] = {"169.254.0.0",
                                        "169.254.169.254",
                                        "169.254.255.255",
                                        "100.100.100.200",
                                        "168.63.129.16",
                                        "192.0.0.192",
                                        "fe80::1",
                                        "febf::1",
                                        "fd00:ec2::254",
                                        "fd20:ce::254",
                                        "::ffff:169.254.1.1",
                                        "::169.254.1.1",
                                        "64:ff9b::a9fe:a9fe",
                                        "::ffff:100.100.100.200"};
    static const char *const outer[] = {"127.0.0.1",      "10.0.0.1",  "169.253.255.255", "169.255.0.0",
                                        "192.168.1.1",    "::1",       "fec0::1",         "fe7f::1",
                                        "fd00:ec2::253",  "fd00::254", "::ffff:10.0.0.1", "2001:db8::fe80",
                                        "100.100.100.201"};
    for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++) {
        assert_true(is_inner(inner[i]));
    }
    for (size_t i = 0; i < sizeof(outer) / sizeof(*outer); i++) {
        assert_false(is_inner(outer[i]));
    }
}

static void an_address_is_refused_however_it_is_written(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "http://169.254.169.254/latest", "http://2852039166/",    "http://0xa9fea9fe:80/",
        "http://0251.0376.0251.0376/",   "http://169.254.43518/", "https://[::ffff:169.254.169.254]/",
        "http://[fd00:ec2::254]:8080/",  "http://[fe80::1]/",     "http://user:x@169.254.1.2/"};
    struct sys_http *http = sys_http_new();
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    for (int proxied = 0; proxied < 2; proxied++) {
        for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
            struct sl_err err = SL_ERR_INIT;
            struct sys_http_answer answer;
            struct sys_http_request rq = {
                .method = "GET", .url = urls[i], .proxy = proxied ? "http://127.0.0.1:1" : NULL};
            assert_false(sys_http_do(http, &rq, &a, &answer, &err));
            if (err.code != SL_ADDRESS_REFUSED) {
                fail_msg("%s: %s", urls[i], err.msg);
            }
        }
    }
    sys_http_free(http);
}

static void a_redirect_is_looked_at_again(void **state)
{
    (void)state;
    struct server *server = server_start();
    struct sys_http *http = sys_http_new();
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sys_http_answer answer;
    char url[64];
    for (int i = 0; i < 2; i++) {
        struct sl_err err = SL_ERR_INIT;
        snprintf(url, sizeof(url), "http://127.0.0.1:%d/%s", server->port, i ? "tofile" : "tocloud");
        struct sys_http_request rq = {.method = "GET", .url = url, .follow = true};
        assert_false(sys_http_do(http, &rq, &a, &answer, &err));
        assert_int_equal(err.code, i ? SL_TARGET_UNREACHABLE : SL_ADDRESS_REFUSED);
        assert_non_null(strstr(err.msg, i ? "http" : "169.254.169.254"));
        assert_int_equal(server->requests, i + 1); /* it was asked, and where it leads to was not */
    }
    sys_http_free(http);
    server_stop(server);
}

static void it_can_be_allowed(void **state)
{
    (void)state;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    assert_int_equal(inet_pton(AF_INET, "169.254.1.1", &v4.sin_addr), 1);
    assert_true(http_guard_refuses((const void *)&v4));
    sys_http_let_link_local(true);
    assert_false(http_guard_refuses((const void *)&v4));
    sys_http_let_link_local(false);
    assert_true(http_guard_refuses((const void *)&v4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(these_and_no_others), cmocka_unit_test(an_address_is_refused_however_it_is_written),
        cmocka_unit_test(a_redirect_is_looked_at_again), cmocka_unit_test(it_can_be_allowed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
