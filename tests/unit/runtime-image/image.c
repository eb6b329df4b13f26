/* SPDX-License-Identifier: Apache-2.0
 * Definitions of images as they are read, and the canonical list: order in which entries come says nothing, every property does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runtime-image/content.h"
#include "runtime-image/image.h"
#include "runtime-image/registry.h"

static struct sl_arena arena;

static int release(void **state)
{
    (void)state;
    sl_arena_release(&arena);
    return 0;
}

static void test_definition(void **state)
{
    (void)state;
    struct img_def def;
    struct sl_err err = SL_ERR_INIT;
    assert_true(img_def_read(&arena, SL_STR("team"), "images",
                             SL_STR("udfs: [a.jar]\nflink: \"2.2\"\nconnectors: [kafka, g:a:1]\n"
                                    "files: {/opt/x: y}\nconflicts: {p: flink-first}\njre: jdk\n"),
                             &def, &err));
    assert_true(sl_str_eqz(def.flink, "2.2"));
    assert_int_equal(def.wishes.n, 3);
    assert_int_equal(def.wishes.v[0].kind, IMG_WISH_UDF); /* in the order of the file */
    assert_int_equal(def.wishes.v[1].kind, IMG_WISH_SERVICE);
    assert_int_equal(def.wishes.v[2].pos.line, 3);
    assert_true(sl_str_eqz(def.files.v[0].to, "opt/x"));
    assert_true(sl_str_eqz(def.accepted.v[0].artifact, "p"));
    assert_true(sl_str_eqz(def.jre.from, "jdk"));
    assert_int_equal(def.system.from.n, 0);
}

static void test_wrong_definitions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sl_code code;
        unsigned line, col;
    } cases[] = {
        {"", SL_CONFIG_VALUE, 1, 1},
        {"- a\n", SL_CONFIG_VALUE, 1, 1},
        {"flink: [a]\n", SL_CONFIG_VALUE, 1, 8},
        {"flink: a\nflink: b\n", SL_YAML, 2, 1},
        {"flink: a\nconnectors: {a: b}\n", SL_CONFIG_VALUE, 2, 13},
        {"flink: a\nconnectors: [[a]]\n", SL_CONFIG_VALUE, 2, 14},
        {"flink: a\nfiles: [a]\n", SL_CONFIG_VALUE, 2, 8},
        {"flink: a\nfiles: {a//b: c}\n", SL_CONFIG_VALUE, 2, 9},
        {"flink: a\nfiles: {a/: c}\n", SL_CONFIG_VALUE, 2, 9},
        {"flink: a\nfiles: {a/./b: c}\n", SL_CONFIG_VALUE, 2, 9},
        {"flink: a\nfiles: {/: c}\n", SL_CONFIG_VALUE, 2, 9},
        {"flink: a\nwhat: b\n", SL_CONFIG_UNKNOWN, 2, 1},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        struct img_def def;
        struct sl_err err = SL_ERR_INIT;
        assert_false(img_def_read(&arena, SL_STR("x"), ".", sl_str_of(cases[i].text), &def, &err));
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err.pos.line, cases[i].line);
        assert_int_equal(err.pos.col, cases[i].col);
    }
}

static void test_names(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "team-2.2", "0", "a_b"};
    static const char *const bad[] = {"", "-a", "a-", "A", "a/b", "..", "a b", "\xc3\xa4"};
    for (size_t i = 0; i < SL_ARRAY_LEN(good); i++) {
        assert_true(img_name_ok(sl_str_of(good[i])));
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        assert_false(img_name_ok(sl_str_of(bad[i])));
    }
    assert_true(img_is_coordinate(SL_STR("g:a:1")));
    assert_false(img_is_coordinate(SL_STR("dir/g:a:1.jar")));
}

static struct img_entry file(const char *path, enum img_part part, char digit)
{
    struct img_entry e = {.path = sl_str_of(path), .part = part, .kind = IMG_FILE, .mode = 0644, .bytes = 3};
    memset(e.sha256, digit, 64);
    return e;
}

static struct img_content two(bool turned)
{
    struct img_content c = {.flink = SL_STR("2.2.1")};
    struct img_entry a = file("a/x", IMG_PART_FLINK, 'a'), b = file("a-x", IMG_PART_JAR, 'b');
    sl_vec_push(&arena, &c.entries, turned ? b : a);
    sl_vec_push(&arena, &c.entries, turned ? a : b);
    return c;
}

static void test_digest(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    struct img_content first = two(false), second = two(true), back;
    assert_true(img_content_close(&arena, &first, &err));
    assert_true(img_content_close(&arena, &second, &err));
    assert_string_equal(first.digest, second.digest);
    assert_int_equal(first.bytes, 6);
    assert_non_null(img_content_find(&first, SL_STR("a/x")));
    assert_null(img_content_find(&first, SL_STR("a")));
    SL_BUF_AUTO text;
    sl_buf_init(&text, 0);
    img_content_write(&first, &text);
    assert_true(img_content_read(&arena, sl_buf_str(&text), &back, &err));
    assert_string_equal(back.digest, first.digest);
    for (int i = 0; i < 6; i++) {
        struct img_content c = two(false);
        struct img_entry *e = &c.entries.v[0];
        switch (i) {
        case 0:
            e->path = SL_STR("a/y");
            break;
        case 1:
            e->mode = 0755;
            break;
        case 2:
            e->sha256[63] = '0';
            break;
        case 3:
            e->part = IMG_PART_JAR;
            break;
        case 4:
            e->origin = SL_STR("g:a:1");
            break;
        default:
            c.flink = SL_STR("2.2.2");
        }
        assert_true(img_content_close(&arena, &c, &err));
        assert_string_not_equal(c.digest, first.digest);
    }
}

static void test_what_meets(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    struct img_content c = two(false);
    sl_vec_push(&arena, &c.entries, file("a/x", IMG_PART_FILES, 'c')); /* stands over Flink's */
    assert_true(img_content_close(&arena, &c, &err));
    assert_int_equal(c.entries.n, 2);
    assert_int_equal(img_content_find(&c, SL_STR("a/x"))->sha256[0], 'c');
    c = two(false);
    sl_vec_push(&arena, &c.entries, file("a/x", IMG_PART_JAR, 'c'));
    assert_false(img_content_close(&arena, &c, &err));
    assert_int_equal(err.code, SL_CONFIG_VALUE);
    c = two(false);
    sl_vec_push(&arena, &c.entries, file("a/x/below", IMG_PART_JAR, 'c'));
    assert_false(img_content_close(&arena, &c, &err));
    assert_int_equal(err.code, SL_CONFIG_VALUE);
}

static void test_wrong_lists(void **state)
{
    (void)state;
#define ENTRY(path, sha)                                                                                     \
    "{\"path\":\"" path "\",\"part\":\"jar\",\"kind\":\"file\",\"mode\":420,\"sha256\":\"" sha               \
    "\",\"bytes\":1}"
#define LIST(entry) "{\"schema\":1,\"flink\":\"2.2.1\",\"classPath\":[],\"entries\":[" entry "]}"
#define SHA         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    static const char *const texts[] = {
        "{}",
        "[]",
        LIST(ENTRY("../x", SHA)),
        LIST(ENTRY("/x", SHA)),
        LIST(ENTRY("", SHA)),
        LIST(ENTRY("x", "0")),
        LIST(ENTRY("x", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde/")),
        LIST("{\"path\":\"x\",\"part\":\"none\",\"kind\":\"file\"}"),
        LIST("{\"path\":\"x\",\"part\":\"jar\",\"kind\":\"pipe\"}"),
        LIST("3"),
        "{\"schema\":2,\"flink\":\"2.2.1\",\"entries\":[]}",
    };
    struct img_content c;
    struct sl_err err = SL_ERR_INIT;
    assert_true(img_content_read(&arena, SL_STR(LIST(ENTRY("x", SHA))), &c, &err));
    for (size_t i = 0; i < SL_ARRAY_LEN(texts); i++) {
        assert_false(img_content_read(&arena, sl_str_of(texts[i]), &c, &err));
        assert_int_equal(err.code, SL_IMAGE_BROKEN);
    }
    assert_false(img_content_read(&arena, SL_STR("{"), &c, &err));
}

static void test_addresses(void **state)
{
    (void)state;
    struct img_ref r;
    struct sl_err err = SL_ERR_INIT;
    static const struct {
        const char *text, *host, *repository, *tag;
        bool plain, pinned;
    } good[] = {
        {"r.example.org/team/flink:2.2", "r.example.org", "team/flink", "2.2", false, false},
        {"r.example.org:5000/flink", "r.example.org:5000", "flink", "latest", false, false},
        {"http://r.example.org/a/b-c_d/e.f:V_1-2.x", "r.example.org", "a/b-c_d/e.f", "V_1-2.x", true, false},
        {"localhost:5000/a", "localhost:5000", "a", "latest", true, false},
        {"[::1]:5000/a", "[::1]:5000", "a", "latest", true, false},
        {"https://127.0.0.1:5000/a", "127.0.0.1:5000", "a", "latest", false, false},
        {"localhost/a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "localhost",
         "a", "", true, true},
        {"localhost/a:b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "localhost",
         "a", "b", true, true},
    };
    static const char *const bad[] = {"",
                                      "flink",
                                      "team/flink",
                                      "r.org/",
                                      "r.org/A",
                                      "r.org/a:",
                                      "r.org/a:b/c",
                                      "r.org/a//b",
                                      "r.org/../a",
                                      "r.org/-a",
                                      "r.org/a-",
                                      "r.org/a@",
                                      "r.org/a@sha256:0",
                                      "r.org/a:-b",
                                      "r.org/a b",
                                      "u:p@r.org/a",
                                      "r.org/a?x=y",
                                      "ftp://r.org/a",
                                      "http:///a",
                                      "r.org/a\n",
                                      "r.org/a:b@c"};
    for (size_t i = 0; i < SL_ARRAY_LEN(good); i++) {
        assert_true(img_ref_parse(sl_str_of(good[i].text), &r, &err));
        assert_true(sl_str_eqz(r.host, good[i].host));
        assert_true(sl_str_eqz(r.repository, good[i].repository));
        assert_true(sl_str_eqz(r.tag, good[i].tag));
        assert_int_equal(r.plain, good[i].plain);
        assert_int_equal(r.digest[0] != 0, good[i].pinned);
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        assert_false(img_ref_parse(sl_str_of(bad[i]), &r, &err));
        assert_int_equal(err.code, SL_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_definition, release),
        cmocka_unit_test_teardown(test_wrong_definitions, release),
        cmocka_unit_test_teardown(test_names, release),
        cmocka_unit_test_teardown(test_digest, release),
        cmocka_unit_test_teardown(test_what_meets, release),
        cmocka_unit_test_teardown(test_wrong_lists, release),
        cmocka_unit_test_teardown(test_addresses, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
