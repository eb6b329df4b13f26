/* SPDX-License-Identifier: Apache-2.0
 * The manifest of connectors: what was harvested is there by version, every family is whole, and a file of a user is
 * read or refused at the place that is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "catalog/connectors.h"
#include "catalog/setting.h"

static const struct cat_service *kafka(unsigned version)
{
    return cat_service(version, CAT_SERVICE_CONNECTOR, SL_STR("kafka"));
}

static void test_options_by_version(void **state)
{
    (void)state;
    const struct cat_service *k = kafka(202);
    assert_non_null(k);
    assert_true(k->roles == (CAT_ROLE_SOURCE | CAT_ROLE_SINK));
    const struct cat_service_option *servers =
        cat_service_option(k, 202, SL_STR("properties.bootstrap.servers"));
    assert_true(servers && servers->required);
    const struct cat_service_option *mode = cat_service_option(k, 202, SL_STR("scan.startup.mode"));
    assert_true(mode && !mode->required && sl_str_find(mode->words, SL_STR("earliest-offset")) >= 0);
    /* came with the connector of 2.x */
    assert_null(cat_service_option(k, 120, SL_STR("scan.parallelism")));
    assert_non_null(cat_service_option(k, 202, SL_STR("scan.parallelism")));
    assert_true(cat_service_takes(k, 202, SL_STR("properties.max.poll.records")));
    assert_false(cat_service_takes(k, 202, SL_STR("topics")));
    /* the format's own new option of 2.3 */
    const struct cat_service *csv = cat_service(203, CAT_SERVICE_FORMAT, SL_STR("csv"));
    assert_non_null(cat_service_option(csv, 203, SL_STR("trim-spaces")));
    assert_null(cat_service_option(csv, 202, SL_STR("trim-spaces")));
    /* another key for the same */
    const struct cat_service *registry = cat_service(202, CAT_SERVICE_FORMAT, SL_STR("avro-confluent"));
    assert_ptr_equal(cat_service_option(registry, 202, SL_STR("schema-registry.url")),
                     cat_service_option(registry, 202, SL_STR("url")));
    assert_true(cat_service_takes(registry, 202, SL_STR("properties.ssl.protocol")));
    /* of any field */
    const struct cat_service *datagen = cat_service(202, CAT_SERVICE_CONNECTOR, SL_STR("datagen"));
    assert_non_null(cat_service_option(datagen, 202, SL_STR("fields.user.id.max-past")));
    assert_true(datagen->roles == CAT_ROLE_SOURCE);
}

static void test_versions(void **state)
{
    (void)state;
    assert_true(cat_services_have(120) && cat_services_have(202) && cat_services_have(203));
    assert_false(cat_services_have(201));
    assert_null(cat_service(202, CAT_SERVICE_CONNECTOR, SL_STR("postgres-cdc")));
    assert_non_null(cat_service(120, CAT_SERVICE_CONNECTOR, SL_STR("postgres-cdc")));
    assert_non_null(cat_service(0, CAT_SERVICE_CONNECTOR, SL_STR("postgres-cdc")));
    assert_null(cat_service(0, CAT_SERVICE_CONNECTOR, SL_STR("nothing")));
    assert_non_null(cat_service(202, CAT_SERVICE_CATALOG, SL_STR("jdbc")));
}

/* Every service can be had: from Flink's distribution, or in a jar for each version it is there for; a default fits its
 * own type. */
static void test_whole(void **state)
{
    (void)state;
    const struct cat_family *f;
    size_t services = 0, options = 0;
    for (size_t i = 0; (f = cat_family_at(i)); i++) {
        uint8_t jars = 0;
        for (size_t k = 0; k < f->n_jars; k++) {
            jars |= f->jars[k].how <= CAT_JAR_PLUGIN ? f->jars[k].flink : 0;
        }
        for (size_t k = 0; k < f->n_services; k++) {
            const struct cat_service *s = &f->services[k];
            services++;
            assert_true(f->distribution || (jars & s->flink) == s->flink);
            assert_true(s->kind != CAT_SERVICE_CONNECTOR || (s->roles & (CAT_ROLE_SOURCE | CAT_ROLE_SINK)));
            for (size_t o = 0; o < s->n_options; o++) {
                const struct cat_service_option *x = &s->options[o];
                options++;
                assert_true(x->key.n && (x->flink & s->flink));
                if (x->standard.n && !cat_setting_fits(x->type, x->words, x->standard)) {
                    fail_msg("%.*s: '%.*s' does not take its own default '%.*s'", SL_S(s->name), SL_S(x->key),
                             SL_S(x->standard));
                }
            }
        }
    }
    assert_true(services > 50 && options > 500);
}

static const char own[] = "title: Ours\n"
                          "thin:\n"
                          "  \"2.2\": [com.example:ours:1.0]\n"
                          "rules:\n"
                          "  ours:\n"
                          "    one-of: [[a, b], [c]]\n"
                          "services:\n"
                          "  - name: ours\n"
                          "    kind: connector\n"
                          "    roles: [sink]\n"
                          "    flink: [\"2.2\"]\n"
                          "    prefixes: [x., y.]\n"
                          "    options:\n"
                          "      - {key: zone, words: [near, far], required: true}\n"
                          "      - {key: area, type: Integer, default: \"7\"}\n";

static void test_read(void **state)
{
    (void)state;
    SL_ARENA_AUTO a = {0};
    struct sl_err err = SL_ERR_INIT;
    const struct cat_family *f = cat_family_read(&a, SL_STR("ours"), sl_str_of(own), &err);
    assert_non_null(f);
    const struct cat_service *s = f->services;
    assert_true(f->n_jars == 1 && f->jars[0].how == CAT_JAR_THIN && f->jars[0].flink == cat_flink_bit(202));
    assert_true(s->kind == CAT_SERVICE_CONNECTOR && s->roles == CAT_ROLE_SINK && s->n_options == 2);
    assert_true(sl_str_eqz(s->one_of, "a|b;c") && sl_str_eqz(s->prefixes, "x.|y."));
    assert_true(sl_str_eqz(s->options[0].key, "area") && s->options[1].required);
    assert_true(cat_service_takes(s, 202, SL_STR("y.1")) && !cat_service_takes(s, 202, SL_STR("z.1")));
    assert_true(sl_str_eqz(cat_service_option(s, 202, SL_STR("zone"))->words, "near|far"));
}

static void test_refused_at_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line, col;
    } cases[] = {{"titel: x\n", 1, 1},
                 {"fat:\n  \"2.9\": [a:b:1]\n", 2, 3},
                 {"fat:\n  \"2.2\": [a.jar]\n", 2, 11},
                 {"services:\n  - kind: connector\n", 2, 5},
                 {"services:\n  - name: x\n    kind: conector\n", 3, 11},
                 {"services:\n  - name: x\n    options:\n      - {type: String}\n", 4, 9},
                 {"services:\n  - name: x\n    options:\n      - {key: a, required: maybe}\n", 4, 28},
                 {"services:\n  - name: x\n    flink: []\n", 3, 12}};
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        SL_ARENA_AUTO a = {0};
        struct sl_err err = SL_ERR_INIT;
        assert_null(cat_family_read(&a, SL_STR("x"), sl_str_of(cases[i].text), &err));
        assert_int_equal(err.code, SL_YAML);
        if (err.pos.line != cases[i].line || err.pos.col != cases[i].col) {
            fail_msg("case %zu: %s at %u:%u", i, err.msg, err.pos.line, err.pos.col);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_options_by_version),
                                       cmocka_unit_test(test_versions), cmocka_unit_test(test_whole),
                                       cmocka_unit_test(test_read),
                                       cmocka_unit_test(test_refused_at_its_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
