/* SPDX-License-Identifier: Apache-2.0
 * Looking things up in the manifest of connectors. */
#include "catalog/connectors.h"

#include "base/limits.h"

/* clang-format off */
#include "catalog/connectors.inc"
/* clang-format on */

/* Those of users: few, and added before anything is looked up. */
static const struct cat_family *own[SL_LIMIT_CONNECTOR_FILES];
static size_t n_own;

void cat_family_add(const struct cat_family *f)
{
    if (n_own < SL_ARRAY_LEN(own)) {
        own[n_own++] = f;
    }
}

const struct cat_family *cat_family_at(size_t i)
{
    if (i < n_own) {
        return own[i];
    }
    return i - n_own < SL_ARRAY_LEN(families) ? &families[i - n_own] : NULL;
}

uint8_t cat_flink_bit(unsigned version)
{
    static const unsigned versions[] = {120, 200, 201, 202, 203};
    for (unsigned i = 0; i < SL_ARRAY_LEN(versions); i++) {
        if (versions[i] == version) {
            return (uint8_t)(1u << i);
        }
    }
    return 0;
}

bool cat_services_have(unsigned version)
{
    return cat_service(version, CAT_SERVICE_CONNECTOR, SL_STR("filesystem")) != NULL;
}

const struct cat_service *cat_service(unsigned version, enum cat_service_kind kind, sl_str name)
{
    uint8_t bits = version ? cat_flink_bit(version) : UINT8_MAX;
    const struct cat_family *f;
    for (size_t i = 0; (f = cat_family_at(i)); i++) {
        for (size_t k = 0; k < f->n_services; k++) {
            const struct cat_service *s = &f->services[k];
            if (s->kind == kind && (s->flink & bits) && sl_str_eq(s->name, name)) {
                return s;
            }
        }
    }
    return NULL;
}

bool cat_next_word(sl_str list, char separator, size_t *at, sl_str *ret)
{
    if (*at >= list.n) {
        return false;
    }
    sl_str rest = sl_str_sub(list, *at, list.n - *at);
    ptrdiff_t end = sl_str_find_char(rest, separator);
    *ret = sl_str_sub(rest, 0, end < 0 ? rest.n : (size_t)end);
    *at += ret->n + 1;
    return true;
}

/* "fields.#.kind" and "fields.id.kind"; a name may have dots of its own (a field of a row). */
static bool matches(sl_str pattern, sl_str key)
{
    ptrdiff_t mark = sl_str_find_char(pattern, '#');
    if (mark < 0) {
        return sl_str_eq(pattern, key);
    }
    sl_str head = sl_str_sub(pattern, 0, (size_t)mark),
           tail = sl_str_sub(pattern, (size_t)mark + 1, pattern.n - (size_t)mark - 1);
    return key.n > head.n + tail.n && sl_str_starts(key, head) && sl_str_ends(key, tail);
}

const struct cat_service_option *cat_service_option(const struct cat_service *s, unsigned version, sl_str key)
{
    uint8_t bits = version ? cat_flink_bit(version) : UINT8_MAX;
    for (size_t i = 0; i < s->n_options; i++) {
        const struct cat_service_option *o = &s->options[i];
        sl_str word;
        if (!(o->flink & bits)) {
            continue;
        }
        if (matches(o->key, key)) {
            return o;
        }
        for (size_t at = 0; cat_next_word(o->fallback, '|', &at, &word);) {
            if (sl_str_eq(word, key)) {
                return o;
            }
        }
    }
    return NULL;
}

bool cat_service_takes(const struct cat_service *s, unsigned version, sl_str key)
{
    uint8_t bits = version ? cat_flink_bit(version) : UINT8_MAX;
    sl_str prefix;
    if (s->open || cat_service_option(s, version, key)) {
        return true;
    }
    for (size_t at = 0; cat_next_word(s->prefixes, '|', &at, &prefix);) {
        if (sl_str_starts(key, prefix)) {
            return true;
        }
    }
    for (size_t i = 0; i < s->n_options; i++) {
        const struct cat_service_option *o = &s->options[i];
        if ((o->flink & bits) && sl_str_eqz(o->type, "Map") && sl_str_starts(key, o->key) &&
            key.n > o->key.n && key.p[o->key.n] == '.') {
            return true;
        }
    }
    return false;
}
