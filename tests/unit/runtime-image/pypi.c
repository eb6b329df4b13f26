/* SPDX-License-Identifier: Apache-2.0
 * Index pages, file names, versions, and pip's configuration as pip reads it. */
#include "runtime-image/flink_versions.h"
#include "runtime-image/pip_fetch.h"
#include "runtime-image/pypi.h"

#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define SHA "74dc5546fbd9add8fbcdf1222a237e09491f9b80296241aef8676ec56f8e686e"

static void test_json_page(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct img_pypi_page page;
    sl_str body = SL_STR(
        "{\"meta\":{\"api-version\":\"1.1\"},\"name\":\"apache-flink-libraries\",\"files\":["
        "{\"filename\":\"a.whl\",\"url\":\"https://files.example/x/a.whl\",\"hashes\":{\"sha256\":\"" SHA
        "\"},\"size\":312587297},"
        "{\"filename\":\"b.tar.gz\",\"url\":\"../../p/b.tar.gz\",\"hashes\":{\"sha256\":\"zz\"}}]}");
    assert_true(img_pypi_parse(&a, body, SL_STR("application/vnd.pypi.simple.v1+json"),
                               "https://m.example/simple/apache-flink-libraries/", &page, &err));
    assert_int_equal(page.n, 2);
    assert_string_equal(page.v[0].url, "https://files.example/x/a.whl");
    assert_string_equal(page.v[0].sha256, SHA);
    assert_int_equal(page.v[0].bytes, 312587297);
    assert_string_equal(page.v[1].url, "https://m.example/p/b.tar.gz");
    assert_string_equal(page.v[1].sha256, ""); /* not a digest: treated as none */
    assert_int_equal(page.v[1].bytes, -1);
    assert_false(
        img_pypi_parse(&a, SL_STR("{\"files\":["), SL_STR("application/json"), "https://m/", &page, &err));
}

static void test_html_page(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct img_pypi_page page;
    sl_str body = SL_STR("<!DOCTYPE html><html><body><h1>Links</h1>\n"
                         "<a href=\"/root/+f/74d/a-1.whl#sha256=" SHA
                         "\" data-requires-python=\"&gt;=3\">a-1.whl</a><br/>\n"
                         "<a rel='x' href='https://o.example/b.whl?u=1&amp;v=2#md5=00'> b.whl </a>\n"
                         "<a>none</a><a href=unquoted>c</a><a href=\"d.whl\">d.whl");
    assert_true(img_pypi_parse(&a, body, SL_STR("text/html; charset=utf-8"), "http://m.example:3141/s/p/",
                               &page, &err));
    assert_int_equal(page.n, 2);
    assert_string_equal(page.v[0].name, "a-1.whl");
    assert_string_equal(page.v[0].url, "http://m.example:3141/root/+f/74d/a-1.whl");
    assert_string_equal(page.v[0].sha256, SHA);
    assert_string_equal(page.v[1].name, "b.whl");
    assert_string_equal(page.v[1].url, "https://o.example/b.whl?u=1&v=2");
    assert_string_equal(page.v[1].sha256, "");
}

static void test_rank(void **state)
{
    (void)state;
    int wheel = img_pypi_rank(SL_STR("apache_flink_libraries-2.2.1-py2.py3-none-any.whl"), "2.2.1");
    int sdist = img_pypi_rank(SL_STR("apache_flink_libraries-2.2.1.tar.gz"), "2.2.1");
    assert_true(wheel > sdist && sdist > 0);
    assert_true(img_pypi_rank(SL_STR("apache-flink-libraries-1.20.5.tar.gz"), "1.20.5") > 0);
    assert_int_equal(img_pypi_rank(SL_STR("apache_flink_libraries-2.2.10-py2.py3-none-any.whl"), "2.2.1"), 0);
    assert_int_equal(img_pypi_rank(SL_STR("apache_flink_libraries-2.2.1.tar.gz.asc"), "2.2.1"), 0);
}

static void test_versions(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    char v[16];
    assert_true(img_flink_resolve(NULL, v, &err));
    assert_string_equal(v, "2.2.1");
    assert_true(img_flink_resolve("1.20", v, &err));
    assert_string_equal(v, "1.20.5");
    assert_true(img_flink_resolve("2.2.0", v, &err));
    assert_string_equal(v, "2.2.0");
    static const char *const wrong[] = {"2",        "2.9",     "two",    "2.2.",
                                        "../2.2.1", "2.2.1.1", "-2.2.1", "2.2.99999999999"};
    for (size_t i = 0; i < SL_ARRAY_LEN(wrong); i++) {
        assert_false(img_flink_resolve(wrong[i], v, &err));
        assert_int_equal(err.code, SL_USAGE);
    }
    assert_true(img_flink_version_cmp("2.10.0", "2.9.1") > 0);
    assert_int_equal(img_flink_version_cmp("2.2.1", "2.2.1"), 0);
    assert_true(img_flink_version_cmp("1.20.5", "2.0.0") < 0);
}

static char home[64];

static void clear_pip(void)
{
    static const char *const vars[] = {
        "PIP_INDEX_URL",   "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT",     "PIP_NO_INDEX",
        "PIP_CONFIG_FILE", "XDG_CONFIG_HOME",     "VIRTUAL_ENV",    "PIP_PROXY",    "PIP_TRUSTED_HOST",
        "PIP_CLIENT_CERT", "REQUESTS_CA_BUNDLE",  "CURL_CA_BUNDLE", "SSL_CERT_FILE"};
    for (size_t i = 0; i < SL_ARRAY_LEN(vars); i++) {
        unsetenv(vars[i]);
    }
    setenv("XDG_CONFIG_DIRS", "/nowhere", 1);
    setenv("HOME", home, 1);
}

static int make_home(void **state)
{
    (void)state;
    snprintf(home, sizeof home, "/tmp/sluice-pip-XXXXXX");
    if (!mkdtemp(home)) {
        return -1;
    }
    clear_pip();
    return 0;
}

static int remove_home(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    return sys_rmtree(home, &err) ? 0 : -1;
}

static void write_conf(struct sl_arena *a, const char *name, const char *text)
{
    struct sl_err err = SL_ERR_INIT;
    char *path = sys_path_join(a, home, name);
    char *dir = sl_arena_strdupz(a, sl_str_of(path));
    *strrchr(dir, '/') = 0;
    assert_true(sys_mkdirs(dir, 0755, &err));
    assert_true(sys_file_write(path, sl_str_of(text), 0644, &err));
}

static void test_pip_files(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct img_pip pip;
    write_conf(&a, ".pip/pip.conf", "[global]\nindex-url = https://old.example/simple\ncert=/old.pem\n");
    write_conf(&a, ".config/pip/pip.conf",
               "# mine\n[install]\nindex_url = https://user:secret@new.example/simple/\n; no\n[global]\n"
               "index-url = https://less.example/simple\n"
               "extra-index-url =\n    https://one.example/simple\n    "
               "https://two.example/simple/\nfind-links: /wheels\n"
               "[other]\nindex-url = https://wrong.example\n");
    img_pip_read(&a, &pip);
    assert_int_equal(pip.n_indexes, 3);
    assert_string_equal(pip.indexes[0],
                        "https://user:secret@new.example/simple"); /* [install] before [global] */
    assert_string_equal(pip.indexes[1], "https://one.example/simple");
    assert_string_equal(pip.indexes[2], "https://two.example/simple");
    assert_int_equal(pip.n_links, 1);
    assert_string_equal(pip.links[0], "/wheels");
    assert_string_equal(pip.cert, "/old.pem");
    assert_string_equal(img_url_shown(&a, pip.indexes[0]), "https://new.example/simple");

    setenv("PIP_INDEX_URL", "https://env.example/simple", 1);
    setenv("PIP_EXTRA_INDEX_URL", "https://x.example/s https://y.example/s", 1);
    img_pip_read(&a, &pip);
    assert_int_equal(pip.n_indexes, 3);
    assert_string_equal(pip.indexes[0], "https://env.example/simple");
    assert_string_equal(pip.indexes[2], "https://y.example/s");

    setenv("PIP_NO_INDEX", "1", 1);
    img_pip_read(&a, &pip);
    assert_int_equal(pip.n_indexes, 0);
}

static void test_pip_own_file(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct img_pip pip;
    write_conf(&a, ".config/pip/pip.conf",
               "[global]\nindex-url = https://user.example/simple\ncert = /user.pem\n");
    write_conf(&a, "own.conf", "[global]\nindex-url = https://own.example/simple\n");
    setenv("PIP_CONFIG_FILE", sys_path_join(&a, home, "own.conf"), 1);
    img_pip_read(&a, &pip);
    assert_string_equal(pip.indexes[0], "https://own.example/simple");
    assert_string_equal(pip.cert, "/user.pem");
    setenv("PIP_CONFIG_FILE", "/dev/null", 1); /* pip's way to say: no files at all */
    img_pip_read(&a, &pip);
    assert_string_equal(pip.indexes[0], "https://pypi.org/simple");
    assert_null(pip.cert);
}

static void test_pip_ways(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct img_pip pip;
    img_pip_read(&a, &pip);
    assert_null(pip.proxy);
    assert_null(pip.client_cert);
    assert_int_equal(pip.n_trusted, 0);
    write_conf(
        &a, ".config/pip/pip.conf",
        "[global]\nproxy = http://me:pw@proxy.example:3128\ntrusted-host = one.example\n    "
        "Two.example:8443\n"
        "client-cert = /me.pem\n[install]\ntrusted_host = three.example one.example two.example:8443\n");
    img_pip_read(&a, &pip);
    assert_string_equal(pip.proxy, "http://me:pw@proxy.example:3128");
    assert_string_equal(pip.client_cert, "/me.pem");
    assert_int_equal(pip.n_trusted, 3);
    assert_true(img_pip_trusts(&pip, "https://three.example/simple"));
    assert_true(img_pip_trusts(&pip, "https://u:p@ONE.example:9/simple"));
    assert_true(img_pip_trusts(&pip, "https://two.example:8443/x"));
    assert_false(img_pip_trusts(&pip, "https://two.example/x"));
    assert_false(img_pip_trusts(&pip, "https://one.example.org/x"));
    assert_false(img_pip_trusts(&pip, "https://xone.example/x"));
    assert_false(img_pip_trusts(&pip, "https://four.example/one.example"));
    setenv("PIP_PROXY", "http://env.example:1", 1);
    setenv("PIP_TRUSTED_HOST", "four.example", 1);
    img_pip_read(&a, &pip);
    assert_string_equal(pip.proxy, "http://env.example:1");
    assert_int_equal(pip.n_trusted, 1);
    assert_true(img_pip_trusts(&pip, "https://four.example/"));
}

static void test_pip_certificates(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct img_pip pip;
    write_conf(&a, "ca.pem", "x");
    setenv("PIP_CONFIG_FILE", "/dev/null", 1); /* the machine may name one for everybody */
    setenv("REQUESTS_CA_BUNDLE", "/not/there.pem", 1);
    setenv("SSL_CERT_FILE", sys_path_join(&a, home, "ca.pem"), 1);
    img_pip_read(&a, &pip);
    assert_string_equal(pip.cert, sys_path_join(&a, home, "ca.pem"));
    setenv("PIP_CERT", "/first.pem", 1);
    img_pip_read(&a, &pip);
    assert_string_equal(pip.cert, "/first.pem");
}

/* Name and password of the index go along to its own server, never to another one. */
static void test_credentials(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    struct img_pypi_page page;
    sl_str body = SL_STR(
        "<a href=\"https://i.example/f/a.whl\">a.whl</a><a href=\"../b.whl\">b.whl</a>"
        "<a href=\"https://i.example:8443/c.whl\">c.whl</a><a href=\"http://i.example/d.whl\">d.whl</a>"
        "<a href=\"https://o.example/e.whl\">e.whl</a><a href=\"https://x@i.example/f.whl\">f.whl</a>");
    assert_true(
        img_pypi_parse(&a, body, SL_STR("text/html"), "https://me:pw@i.example/simple/p/", &page, &err));
    static const char *const want[] = {
        "https://me:pw@i.example/f/a.whl", "https://me:pw@i.example/simple/b.whl",
        "https://i.example:8443/c.whl",    "http://i.example/d.whl",
        "https://o.example/e.whl",         "https://x@i.example/f.whl"};
    assert_int_equal(page.n, SL_ARRAY_LEN(want));
    for (size_t i = 0; i < page.n; i++) {
        assert_string_equal(page.v[i].url, want[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_page),
        cmocka_unit_test(test_html_page),
        cmocka_unit_test(test_rank),
        cmocka_unit_test(test_versions),
        cmocka_unit_test_setup_teardown(test_pip_files, make_home, remove_home),
        cmocka_unit_test_setup_teardown(test_pip_own_file, make_home, remove_home),
        cmocka_unit_test_setup_teardown(test_pip_ways, make_home, remove_home),
        cmocka_unit_test_setup_teardown(test_pip_certificates, make_home, remove_home),
        cmocka_unit_test(test_credentials),
    };
    return cmocka_run_group_tests_name("pypi", tests, NULL, NULL);
}
