/* SPDX-License-Identifier: Apache-2.0
 * POMs that mean harm: each ends in an error that says what it is, in bounded time and memory; and the two orders of
 * versions. */
#include "tests/unit/catalog_maven/repo.h"

#include "base/limits.h"
#include "catalog/maven/version.h"

static enum mvn_read read_pom(sl_str text, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct mvn_pom p;
    *err = SL_ERR_INIT;
    return mvn_pom_parse(&a, text, &p, err);
}

static void test_xml(void **state)
{
    (void)state;
    struct sl_err err;
    assert_int_equal(read_pom(SL_STR("<!DOCTYPE project [<!ENTITY a \"x\">]><project>&a;</project>"), &err),
                     MVN_READ_REFUSED);
    assert_int_equal(err.code, SL_POM_DOCTYPE);
    assert_int_equal(read_pom(SL_STR("<!DOCTYPE p SYSTEM \"file:///etc/passwd\"><project/>"), &err),
                     MVN_READ_REFUSED);
    assert_int_equal(err.code, SL_POM_DOCTYPE);
    /* entities of HTML in the names of people, without a DOCTYPE */
    assert_int_equal(
        read_pom(SL_STR("<project><name>L&oslash;vdal</name><groupId>g</groupId></project>"), &err),
        MVN_READ_OK);
    assert_int_equal(
        read_pom(
            SL_STR("<?xml version=\"1.0\" encoding=\"windows-1252\"?><project><name>\xe9</name></project>"),
            &err),
        MVN_READ_OK);
    assert_int_equal(read_pom(SL_STR("<project><version>1</version><version>2</version></project>"), &err),
                     MVN_READ_INVALID);
    assert_int_equal(read_pom(SL_STR("<project><version>"), &err), MVN_READ_INVALID);
    assert_int_equal(read_pom(SL_STR("\0\1\2"), &err), MVN_READ_INVALID);
    assert_int_equal(read_pom(SL_STR(""), &err), MVN_READ_INVALID);
}

static void test_sizes(void **state)
{
    (void)state;
    struct sl_err err;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    for (int i = 0; i < 100000; i++) {
        sl_buf_putz(&b, "<a>");
    }
    assert_int_equal(read_pom(sl_buf_str(&b), &err), MVN_READ_REFUSED);
    assert_int_equal(err.code, SL_POM_TOO_LARGE);
    sl_buf_clear(&b);
    sl_buf_putz(&b, "<project><!--");
    while (b.n <= 100u << 20) {
        sl_buf_putz(&b, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                        "xxxxxxxxxxxxxxxxxxxxxxxx");
    }
    sl_buf_putz(&b, "--></project>");
    assert_int_equal(read_pom(sl_buf_str(&b), &err), MVN_READ_REFUSED);
    assert_int_equal(err.code, SL_POM_TOO_LARGE);
    sl_buf_clear(&b);
    sl_buf_putz(&b, "<project><properties>");
    for (int i = 0; i <= SL_LIMIT_POM_ELEMENTS; i++) {
        sl_buf_putz(&b, "<a/>");
    }
    assert_int_equal(read_pom(sl_buf_str(&b), &err), MVN_READ_REFUSED);
    assert_int_equal(err.code, SL_POM_TOO_LARGE);
}

static void test_values_without_end(void **state)
{
    (void)state;
    struct repo here = {0}, *r = &here;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    sl_buf_putz(&b, "<properties><p0>xxxxxxxxxx</p0>");
    for (int i = 1; i < 40; i++) {
        sl_buf_printf(&b, "<p%d>${p%d}${p%d}${p%d}</p%d>", i, i - 1, i - 1, i - 1, i);
    }
    sl_buf_putz(&b, "</properties>");
    repo_pom(r, "t:a:1", "", sl_buf_z(&b));
    repo_is(r, "t:a:1", "pom-too-large");
    sl_buf_clear(&b);
    sl_buf_putz(&b, "<properties>");
    for (int i = 1; i < 100; i++) {
        sl_buf_printf(&b, "<p%d>${p%d}</p%d>", i, i + 1, i);
    }
    sl_buf_putz(&b, "</properties>");
    repo_pom(r, "t:b:1", "", sl_buf_z(&b));
    repo_is(r, "t:b:1", "pom-too-large");
    repo_pom(r, "t:c:1", "", "<properties><a>${b}</a><b>${a}</b></properties>");
    (void)repo_want(r, "t:c:1");
    assert_non_null(strstr(repo_tree(r), "leads back to itself"));
    memset(&r->rq, 0, sizeof(r->rq));
    /* a value that names only itself is that of the JVM, or stays as it is */
    repo_pom(r, "t:d:1", D("t:x:${java.version}"),
             "<properties><java.version>${java.version}</java.version></properties>");
    repo_pom(r, "t:x:17.0.13", "", "");
    repo_is(r, "t:d:1", "d:1 .x:17.0.13");
    /* the environment is nobody's business */
    repo_pom(r, "t:e:1", D("t:x:${env.PATH}"), "");
    repo_pom(r, "t:x:${env.PATH}", "", "");
    (void)repo_want(r, "t:e:1");
    assert_non_null(strstr(repo_tree(r), "e:1 .x:${env.PATH}"));
    sl_arena_release(&here.a);
}

static void test_deep_and_wide(void **state)
{
    (void)state;
    struct repo here = {0}, *r = &here;
    for (int i = 0; i < 800; i++) {
        repo_pom(r, sl_arena_printf(&r->a, "t:d%d:1", i).p, D(sl_arena_printf(&r->a, "t:d%d:1", i + 1).p),
                 "");
    }
    repo_is(r, "t:d0:1", "limit-exceeded");
    /* parents without end */
    for (int i = 0; i < 100; i++) {
        repo_put(r, sl_arena_printf(&r->a, "t:p%d:1", i).p,
                 sl_arena_printf(
                     &r->a,
                     "<project><modelVersion>4.0.0</modelVersion><parent><groupId>t</groupId><artifactId>p%d"
                     "</artifactId><version>1</version></parent><artifactId>p%d</artifactId>"
                     "<packaging>pom</packaging></project>",
                     i + 1, i));
    }
    repo_is(r, "t:p0:1", "pom-too-large");
    /* everybody needs everybody: the same below everybody, so it is small */
    for (int i = 0; i < 30; i++) {
        SL_BUF_AUTO b;
        sl_buf_init(&b, 0);
        for (int j = 0; j < 30; j++) {
            sl_buf_putz(&b, D(sl_arena_printf(&r->a, "t:w%d:1", j).p));
        }
        repo_pom(r, sl_arena_printf(&r->a, "t:w%d:1", i).p, sl_buf_z(&b), "");
    }
    (void)repo_want(r, "t:w0:1");
    assert_int_equal(strncmp(repo_tree(r), "w0:1 .w1:1 .w2:1", 16), 0);
    sl_arena_release(&here.a);
}

static void test_orders(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    static const char *const rising[] = {"1-alpha2",
                                         "1-beta-2",
                                         "1-m1",
                                         "1-rc",
                                         "1-SNAPSHOT",
                                         "1",
                                         "1-sp",
                                         "1-abc",
                                         "1-1",
                                         "1.0.1",
                                         "1.1",
                                         "1.2.9",
                                         "1.2.10",
                                         "2",
                                         "12345678901234567890",
                                         "12345678901234567891"};
    for (size_t i = 0; i < sizeof(rising) / sizeof(rising[0]); i++) {
        for (size_t j = 0; j < sizeof(rising) / sizeof(rising[0]); j++) {
            struct mvn_version x = mvn_version_parse(&a, sl_str_of(rising[i])),
                               y = mvn_version_parse(&a, sl_str_of(rising[j]));
            int want = (i > j) - (i < j), have = mvn_comparable_cmp(&a, x.text, y.text);
            assert_int_equal((have > 0) - (have < 0), want);
            /* the resolver takes 1-1 for 1.1 */
            if (strcmp(rising[i], "1-1") != 0 && strcmp(rising[j], "1-1") != 0) {
                have = mvn_version_cmp(&x, &y);
                assert_int_equal((have > 0) - (have < 0), want);
            }
        }
    }
    static const char *const same[][2] = {{"1", "1.0.0"},     {"1-ga", "1"},         {"1.0-FINAL", "1"},
                                          {"1-cr2", "1-rc2"}, {"1-a1", "1-alpha-1"}, {"1.00.01", "1.0.1"}};
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        struct mvn_version x = mvn_version_parse(&a, sl_str_of(same[i][0])),
                           y = mvn_version_parse(&a, sl_str_of(same[i][1]));
        assert_int_equal(mvn_version_cmp(&x, &y), 0);
        assert_int_equal(mvn_comparable_cmp(&a, x.text, y.text), 0);
    }
}

static void test_coordinates(void **state)
{
    (void)state;
    struct mvn_coordinate c;
    struct sl_err err = SL_ERR_INIT;
    assert_true(mvn_coordinate_parse(SL_STR("g:a:jar:linux:1"), &c, &err));
    assert_true(sl_str_eqz(c.classifier, "linux"));
    static const char *const bad[] = {
        "", "g", "g:a", "g:a:", ":a:1", "g:a:1:2:3:4", "g:a:../../x", "g:a b:1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(mvn_coordinate_parse(sl_str_of(bad[i]), &c, &err));
        assert_int_equal(err.code, SL_ARTIFACT_COORDINATE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xml),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_values_without_end),
        cmocka_unit_test(test_deep_and_wide),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_coordinates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
