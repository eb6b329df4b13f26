/* SPDX-License-Identifier: Apache-2.0
 * The rules of mediation, management, exclusions, ranges and relocations, one case each; what comes out is what Maven
 * says to the same POMs. */
#include "tests/unit/catalog_maven/repo.h"

#define REPO                                                                                                 \
    (void)state;                                                                                             \
    struct repo here = {0}, *r = &here
#define END sl_arena_release(&here.a)

static void test_nearest_and_first(void **state)
{
    REPO;
    repo_pom(r, "t:a:1", CAT(D("t:b:1"), D("t:c:1")), "");
    repo_pom(r, "t:b:1", D("t:x:2"), "");
    repo_pom(r, "t:c:1", D("t:x:3"), "");
    repo_pom(r, "t:d:1", D("t:e:1"), "");
    repo_pom(r, "t:e:1", D("t:b:1"), "");
    for (int v = 1; v < 4; v++) {
        repo_pom(r, sl_arena_printf(&r->a, "t:x:%d", v).p, v == 3 ? D("t:y:1") : "", "");
    }
    repo_pom(r, "t:y:1", "", "");
    repo_is(r, "t:a:1", "a:1 .b:1 ..x:2 .c:1");                 /* equal depth: the first */
    repo_is(r, "t:d:1 t:c:1", "d:1 .e:1 ..b:1 c:1 .x:3 ..y:1"); /* the nearer one, though it comes later */
    repo_is(r, "t:a:1 t:x:1", "a:1 .b:1 .c:1 x:1");             /* downwards too */
    END;
}

static void test_scopes(void **state)
{
    REPO;
    repo_pom(r, "t:a:1",
             CAT3(DX("t:r:1", "runtime", ""), DX("t:p:1", "provided", ""), DX("t:t:1", "test", "")), "");
    repo_pom(r, "t:r:1", D("t:c:1"), "");
    repo_pom(r, "t:c:1", "", "");
    repo_pom(r, "t:p:1", "", "");
    repo_pom(r, "t:b:1", D("t:d:1"), "");
    repo_pom(r, "t:d:1", D("t:e:1"), "");
    repo_pom(r, "t:e:1", D("t:c:1"), "");
    repo_is(r, "t:a:1", "a:1 .r:1[runtime] ..c:1[runtime]");
    /* the nearest place, the widest scope */
    repo_is(r, "t:a:1 t:b:1", "a:1 .r:1[runtime] ..c:1 b:1 .d:1 ..e:1");
    repo_pom(r, "t:o:1", DX("t:c:1", "", "<optional> true </optional>"), "");
    repo_is(r, "t:o:1", "o:1");
    repo_pom(r, "t:s:1", DX("t:tools:1", "system", "<systemPath>${java.home}/lib/tools.jar</systemPath>"),
             "");
    repo_is(r, "t:s:1", "s:1");
    END;
}

static void test_exclusions(void **state)
{
    REPO;
    const char *no_x =
        "<exclusions><exclusion><groupId>t</groupId><artifactId>x</artifactId></exclusion></exclusions>";
    const char *none =
        "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>";
    repo_pom(r, "t:a:1", CAT(DX("t:b:1", "", no_x), D("t:c:1")), "");
    repo_pom(r, "t:b:1", CAT(D("t:m:1"), D("t:y:1")), "");
    repo_pom(r, "t:m:1", D("t:x:1"), "");
    repo_pom(r, "t:c:1", "", "");
    repo_pom(r, "t:x:1", "", "");
    repo_pom(r, "t:y:1", "", "");
    repo_is(r, "t:a:1", "a:1 .b:1 ..m:1 ..y:1 .c:1");
    repo_pom(r, "t:n:1", CAT(DX("t:b:1", "", none), D("t:m:1")), "");
    repo_is(r, "t:n:1", "n:1 .b:1 .m:1 ..x:1"); /* only below where it is written */
    struct mvn_wanted *w = repo_want(r, "t:b:1");
    struct mvn_exclusion e = {SL_STR("*"), SL_STR("m")};
    sl_vec_push(&r->a, &w->exclusions, e);
    repo_is(r, "", "b:1 .y:1");
    END;
}

static void test_management(void **state)
{
    REPO;
    repo_pom(r, "t:a:1", D("t:b:1"), "");
    repo_pom(
        r, "t:b:1", D("t:c:1"),
        CAT3("<dependencyManagement><dependencies>", D("t:d:9"), "</dependencies></dependencyManagement>"));
    repo_pom(r, "t:c:1", D("t:d:1"), "");
    for (int v = 1; v < 10; v++) {
        repo_pom(r, sl_arena_printf(&r->a, "t:d:%d", v).p, "", "");
        repo_pom(r, sl_arena_printf(&r->a, "t:c:%d", v).p, D("t:d:1"), "");
    }
    repo_is(r, "t:a:1", "a:1 .b:1 ..c:1 ...d:1"); /* management of others does not reach down */
    struct mvn_coordinate c;
    assert_true(mvn_coordinate_parse(SL_STR("t:c:4"), &c, NULL));
    sl_vec_push(&r->a, &r->rq.managed, c);
    repo_is(r, "t:a:1", "a:1 .b:1 ..c:4 ...d:1"); /* that of the request does */
    assert_true(mvn_coordinate_parse(SL_STR("t:c:4"), &c, NULL));
    sl_vec_push(&r->a, &r->rq.managed, c);
    repo_is(r, "t:c:2", "c:2 .d:1"); /* but a version asked for stays */
    /* a version that is left out comes from the management of the POM */
    repo_pom(
        r, "t:m:1", D("t:d:-"),
        CAT3("<dependencyManagement><dependencies>", D("t:d:3"), "</dependencies></dependencyManagement>"));
    repo_is(r, "t:m:1", "m:1 .d:3");
    END;
}

static void test_boms(void **state)
{
    REPO;
    const char *open = "<packaging>pom</packaging><dependencyManagement><dependencies>",
               *close = "</dependencies></dependencyManagement>";
    const char *import = "<type>pom</type>";
    repo_pom(r, "t:bom:1", "",
             CAT3(CAT(open, "<dependency><groupId>t</groupId><artifactId>x</artifactId><version>${xv}</"
                            "version></dependency>"),
                  D("t:y:1"), CAT(close, "<properties><xv>1</xv></properties>")));
    repo_pom(r, "t:bom:2", "", CAT3(CAT(open, DX("t:bom:1", "import", import)), D("t:x:2"), close));
    repo_pom(r, "t:x:1", "", "");
    repo_pom(r, "t:x:2", "", "");
    repo_pom(r, "t:x:7", "", "");
    repo_pom(r, "t:y:1", "", "");
    const char *two = CAT(D("t:x:-"), D("t:y:-"));
    repo_pom(r, "t:a:1", two,
             CAT3("<dependencyManagement><dependencies>", DX("t:bom:1", "import", import), close));
    repo_is(r, "t:a:1", "a:1 .x:1 .y:1");
    repo_pom(r, "t:a:2", two,
             CAT3("<dependencyManagement><dependencies>", DX("t:bom:2", "import", import), close));
    repo_is(r, "t:a:2", "a:2 .x:2 .y:1"); /* what a BOM declares is over what it imports */
    repo_pom(r, "t:a:3", two,
             CAT3("<dependencyManagement><dependencies>",
                  CAT3(DX("t:bom:1", "import", import), DX("t:bom:2", "import", import), D("t:x:7")), close));
    repo_is(r, "t:a:3", "a:3 .x:7 .y:1");
    repo_pom(r, "t:a:4", two,
             CAT3("<dependencyManagement><dependencies>",
                  CAT(DX("t:bom:1", "import", import), DX("t:bom:2", "import", import)), close));
    repo_is(r, "t:a:4", "a:4 .x:1 .y:1"); /* the first import wins */
    repo_pom(r, "t:a:5", two,
             CAT3("<dependencyManagement><dependencies>", DX("t:bom:5", "import", import), close));
    repo_is(r, "t:a:5", "artifact-not-found");
    /* imports in a circle: such a POM counts as without dependencies */
    repo_pom(r, "t:bom:8", "", CAT3(open, DX("t:bom:9", "import", import), close));
    repo_pom(r, "t:bom:9", "", CAT3(open, DX("t:bom:8", "import", import), close));
    repo_pom(r, "t:a:6", two,
             CAT3("<dependencyManagement><dependencies>", DX("t:bom:8", "import", import), close));
    (void)repo_want(r, "t:a:6");
    assert_non_null(strstr(repo_tree(r), "a:6 ! t:a:6: its POM is invalid"));
    END;
}

static void test_parents(void **state)
{
    REPO;
    repo_pom(r, "t:top:1", D("t:z:1"),
             "<packaging>pom</packaging><properties><v>1</v><w>${v}0</w></properties>");
    repo_put(r, "t:mid:1",
             SL_STR("<project><modelVersion>4.0.0</modelVersion><parent><groupId>t</groupId><artifactId>top</"
                    "artifactId>"
                    "<version>1</version></parent><artifactId>mid</artifactId><packaging>pom</packaging>"
                    "<properties><v>2</v></properties></project>"));
    repo_put(r, "t:a:1",
             SL_STR("<project><modelVersion>4.0.0</modelVersion><parent><groupId>t</groupId><artifactId>mid</"
                    "artifactId>"
                    "<version>1</version></parent><artifactId>a</artifactId><dependencies>"
                    "<dependency><groupId>${project.groupId}</groupId><artifactId>x</"
                    "artifactId><version>${w}</version></dependency>"
                    "<dependency><groupId>${pom.parent.groupId}</groupId><artifactId>y</"
                    "artifactId><version>${parent.version}</version></dependency>"
                    "</dependencies></project>"));
    repo_pom(r, "t:x:20", "", "");
    repo_pom(r, "t:y:1", "", "");
    repo_pom(r, "t:z:1", "", "");
    repo_is(r, "t:a:1", "a:1 .x:20 .y:1 .z:1"); /* own dependencies first, then those of the parents */
    repo_put(r, "t:b:1",
             SL_STR("<project><modelVersion>4.0.0</modelVersion><parent><groupId>t</"
                    "groupId><artifactId>gone</artifactId>"
                    "<version>1</version></parent><artifactId>b</artifactId></project>"));
    repo_is(r, "t:b:1", "artifact-not-found");
    repo_put(
        r, "t:p:1",
        SL_STR(
            "<project><modelVersion>4.0.0</modelVersion><parent><groupId>t</groupId><artifactId>q</"
            "artifactId>"
            "<version>1</version></parent><artifactId>p</artifactId><packaging>pom</packaging></project>"));
    repo_put(
        r, "t:q:1",
        SL_STR(
            "<project><modelVersion>4.0.0</modelVersion><parent><groupId>t</groupId><artifactId>p</"
            "artifactId>"
            "<version>1</version></parent><artifactId>q</artifactId><packaging>pom</packaging></project>"));
    repo_is(r, "t:p:1", "pom-parent-cycle");
    /* a parent given as a range: its highest version */
    repo_versions(r, "t:top", V("1") V("1.5") V("3"));
    repo_pom(r, "t:top:1.5", D("t:y:1"), "<packaging>pom</packaging>");
    repo_put(
        r, "t:c:1",
        SL_STR("<project><modelVersion>4.0.0</modelVersion><parent><groupId>t</groupId><artifactId>top</"
               "artifactId>"
               "<version>[1,2)</version></parent><artifactId>c</artifactId><version>1</version></project>"));
    repo_is(r, "t:c:1", "c:1 .y:1");
    END;
}

static void test_profiles(void **state)
{
    REPO;
    repo_pom(r, "t:x:1", "", "");
    static const struct {
        const char *activation;
        bool on;
    } cases[] = {{"<jdk>[11,)</jdk>", true},
                 {"<jdk>[1.5,1.8]</jdk>", false},
                 {"<jdk>[17.0.13]</jdk>", false}, /* one bound: as Maven reads it */
                 {"<jdk>(,17.0.13)</jdk>", false},
                 {"<jdk>(,17.0.13]</jdk>", true},
                 {"<jdk>17</jdk>", true},
                 {"<jdk>!1.8</jdk>", true},
                 {"<jdk>!17</jdk>", false},
                 {"<os><family>unix</family></os>", true},
                 {"<os><family>!windows</family><arch>amd64</arch></os>", true},
                 {"<os><name>Linux</name></os>", true},
                 {"<os><family>mac</family></os>", false},
                 {"<os><family>unix</family></os><jdk>1.8</jdk>", false}, /* all conditions */
                 {"<property><name>!release</name></property>", true},
                 {"<property><name>release</name></property>", false},
                 {"<property><name>kind</name><value>!x</value></property>", true},
                 {"<property><name>os.arch</name><value>amd64</value></property>", true},
                 {"<file><exists>pom.xml</exists></file>", false},
                 {"<activeByDefault>true</activeByDefault>", true},
                 {"<activeByDefault>false</activeByDefault>", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        repo_pom(r, "t:a:1", "",
                 CAT3(CAT3("<profiles><profile><id>p</id><activation>", cases[i].activation,
                           "</activation><dependencies>"),
                      D("t:x:1"), "</dependencies></profile></profiles>"));
        const char *tree =
            i == 2 ? "a:1 ! t:a:1: its POM is invalid (it cannot be told whether profile p is active); it "
                     "counts as without dependencies"
            : cases[i].on ? "a:1 .x:1"
                          : "a:1";
        repo_is(r, "t:a:1", tree);
    }
    /* a default profile is off where another one of the POM is on; what a profile says is over what the POM says */
    repo_pom(r, "t:b:1",
             "<dependency><groupId>t</groupId><artifactId>x</artifactId><version>${v}</version></dependency>",
             "<properties><v>0</v></properties><profiles><profile><id>d</"
             "id><activation><activeByDefault>true</activeByDefault>"
             "</activation><properties><v>9</v></properties></profile><profile><id>j</"
             "id><activation><jdk>17</jdk></activation>"
             "<properties><v>1</v></properties></profile></profiles>");
    repo_is(r, "t:b:1", "b:1 .x:1");
    END;
}

static void test_ranges(void **state)
{
    REPO;
    repo_versions(r, "t:x", V("1.0") V("1.1-SNAPSHOT") V("1.10") V("1.9") V("2.0-alpha") V("2.0"));
    static const char *const versions[] = {"t:x:1.0", "t:x:1.10", "t:x:1.9", "t:x:2.0-alpha", "t:x:2.0"};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        repo_pom(r, versions[i], "", "");
    }
    static const char *const cases[][2] = {
        {"[1.0,2.0)", "2.0-alpha"}, {"[1.0,2.0]", "2.0"},        {"(1.0,1.10)", "1.9"}, {"[1.9]", "1.9"},
        {"(,1.0]", "1.0"},          {"[1.0,1.5),[2.0,)", "2.0"}, {"[1.*]", "1.10"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        repo_pom(r, "t:a:1", D(sl_arena_printf(&r->a, "t:x:%s", cases[i][0]).p), "");
        repo_is(r, "t:a:1", sl_arena_printf(&r->a, "a:1 .x:%s", cases[i][1]).p);
    }
    repo_pom(r, "t:a:1", D("t:x:[3,4)"), "");
    repo_is(r, "t:a:1", "version-range");
    repo_pom(r, "t:a:1", D("t:x:[3,"), "");
    repo_is(r, "t:a:1", "version-range");
    /* a range pins what is only wished for elsewhere, also nearer; two that exclude each other fail */
    repo_pom(r, "t:b:1", D("t:c:1"), "");
    repo_pom(r, "t:c:1", D("t:x:[1.9]"), "");
    repo_is(r, "t:b:1 t:x:2.0", "b:1 .c:1 ..x:1.9");
    repo_pom(r, "t:d:1", D("t:x:[1.0]"), "");
    repo_is(r, "t:b:1 t:d:1", "version-conflict");
    END;
}

static void test_relocation(void **state)
{
    REPO;
    repo_pom(
        r, "old:lib:1", "",
        "<distributionManagement><relocation><groupId>new</groupId></relocation></distributionManagement>");
    repo_pom(r, "new:lib:1", "",
             "<distributionManagement><relocation><artifactId>lib2</artifactId><version>2</version></"
             "relocation></distributionManagement>");
    repo_pom(r, "new:lib2:2", D("t:x:1"), "");
    repo_pom(r, "t:x:1", "", "");
    repo_pom(r, "t:a:1", D("old:lib:1"), "");
    repo_is(r, "old:lib:1", "lib2:2 .x:1");
    repo_is(r, "t:a:1", "a:1 .lib2:2 ..x:1");
    repo_pom(r, "new:lib2:3", "", "");
    repo_is(r, "t:a:1 new:lib2:3", "a:1 lib2:3"); /* it conflicts under its new name */
    repo_pom(r, "t:l:1", "",
             "<distributionManagement><relocation><artifactId>m</artifactId></relocation></"
             "distributionManagement>");
    repo_pom(r, "t:m:1", "",
             "<distributionManagement><relocation><artifactId>l</artifactId></relocation></"
             "distributionManagement>");
    repo_is(r, "t:l:1", "pom-invalid");
    END;
}

static void test_circles_and_kinds(void **state)
{
    REPO;
    repo_pom(r, "t:a:1", D("t:b:1"), "");
    repo_pom(r, "t:b:1", CAT(D("t:c:1"), D("t:a:2")), "");
    repo_pom(r, "t:c:1", D("t:b:2"), "");
    repo_pom(r, "t:a:2", D("t:d:1"), "");
    repo_pom(r, "t:b:2", D("t:e:1"), "");
    repo_is(r, "t:a:1", "a:1 .b:1 ..c:1");
    /* another classifier or type is another artifact */
    repo_pom(r, "t:n:1",
             CAT(DX("t:m:1", "", "<classifier>linux</classifier>"), DX("t:m:1", "", "<type>test-jar</type>")),
             "");
    repo_pom(r, "t:m:1", "", "");
    repo_is(r, "t:n:1 t:m:1", "n:1 .m:linux:1 .m:tests:1 m:1");
    repo_is(r, "t:n:jar:linux:1", "n:linux:1 .m:linux:1 .m:tests:1");
    END;
}

static void test_missing_and_invalid(void **state)
{
    REPO;
    repo_pom(r, "t:a:1", D("t:gone:1"), "");
    repo_is(r, "t:a:1",
            "a:1 .gone:1 ! t:gone:1: no repository has its POM; it counts as without dependencies");
    repo_pom(r, "t:b:1", CAT(D("t:x:-"), D("t:y:1")), "");
    repo_is(r, "t:b:1",
            "b:1 ! t:b:1: its POM is invalid (its dependency t:x:jar has no version); it counts as without "
            "dependencies");
    repo_put(r, "t:c:1", SL_STR("<html><body>Please log in<br></body></html>"));
    (void)repo_want(r, "t:c:1");
    assert_non_null(strstr(repo_tree(r), "c:1 ! t:c:1: its POM is invalid"));
    END;
}

static void test_snapshot(void **state)
{
    REPO;
    repo_put(r, "t:s:1-SNAPSHOT:times",
             SL_STR("<metadata><versioning><snapshotVersions><snapshotVersion><extension>pom</extension>"
                    "<value>1-20260101.000000-1</value></snapshotVersion></snapshotVersions></versioning></"
                    "metadata>"));
    repo_pom(r, "t:s:1-SNAPSHOT", D("t:x:1"), "");
    repo_pom(r, "t:x:1", "", "");
    repo_is(r, "t:s:1-SNAPSHOT", "s:1-SNAPSHOT .x:1");
    END;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest_and_first),
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_exclusions),
        cmocka_unit_test(test_management),
        cmocka_unit_test(test_boms),
        cmocka_unit_test(test_parents),
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_relocation),
        cmocka_unit_test(test_circles_and_kinds),
        cmocka_unit_test(test_missing_and_invalid),
        cmocka_unit_test(test_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
