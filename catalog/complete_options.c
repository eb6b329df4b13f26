/* SPDX-License-Identifier: Apache-2.0
 * What completion offers inside WITH ( ), SET ( ) of ALTER TABLE and OPTIONS hints: keys and values of the manifest of
 * connectors, for the connector and the formats that are named there. */
#include "catalog/complete_impl.h"
#include "catalog/connectors.h"

enum { RANK_REQUIRED = 10, RANK_OWN = 100, RANK_FORMAT = 500, RANK_FIELD = 2000, RANK_REST = 900 };

static const char *const format_keys[] = {"format", "key.format", "value.format", "lookup-request.format"};

/* Versions without tables of their own get those of the others. */
static unsigned version_of(const struct caret *c)
{
    return cat_services_have(c->s->flink) ? c->s->flink : 0;
}

static uint8_t bits_of(const struct caret *c)
{
    unsigned v = version_of(c);
    return v ? cat_flink_bit(v) : UINT8_MAX;
}

static const sl_str *given(const struct caret_options *o, sl_str key)
{
    for (size_t i = 0; i < o->list.n; i++) {
        if (sl_str_eq(o->list.v[i].key, key)) {
            return &o->list.v[i].value;
        }
    }
    return NULL;
}

/* "key." of key.format, and the name of the format behind it. */
static sl_str prefix_of(struct caret *c, const char *format_key, sl_str name)
{
    return sl_arena_printf(c->a, "%.*s%.*s.", (int)strlen(format_key) - 6, format_key, SL_S(name));
}

static sl_str detail_of(struct caret *c, const struct cat_service_option *o)
{
    sl_str text = o->required ? sl_arena_printf(c->a, "%.*s, required", SL_S(o->type)) : o->type;
    return o->standard.n ? sl_arena_printf(c->a, "%.*s, %.*s", SL_S(text), SL_S(o->standard)) : text;
}

static void offer_key(struct caret *c, const struct caret_options *all, sl_str key,
                      const struct cat_service_option *o, unsigned rank)
{
    if (!given(all, key)) {
        caret_offer(c, (struct cat_item){.label = key,
                                         .insert = key,
                                         .detail = detail_of(c, o),
                                         .doc = o->help,
                                         .kind = CAT_ITEM_KEY,
                                         .rank = rank});
    }
}

/* 'fields.#.kind', for each column that the statement declares. */
static void offer_fields(struct caret *c, const struct caret_options *all, const struct cat_service_option *o,
                         unsigned rank)
{
    ptrdiff_t mark = sl_str_find_char(o->key, '#');
    const struct cat_columns *columns = caret_declared(c);
    for (size_t i = 0; mark >= 0 && i < columns->list.n && i < 50; i++) {
        if (columns->list.v[i].kind == CAT_PHYSICAL) {
            sl_str key =
                sl_arena_printf(c->a, "%.*s%.*s%.*s", (int)mark, o->key.p, SL_S(columns->list.v[i].name),
                                (int)(o->key.n - (size_t)mark - 1), o->key.p + mark + 1);
            offer_key(c, all, key, o, rank + (unsigned)i * 20);
        }
    }
}

static void offer_options(struct caret *c, const struct caret_options *all, const struct cat_service *s,
                          sl_str prefix, unsigned rank)
{
    for (size_t i = 0; i < s->n_options; i++) {
        const struct cat_service_option *o = &s->options[i];
        if (!(o->flink & bits_of(c))) {
            continue;
        }
        if (sl_str_find_char(o->key, '#') >= 0) {
            offer_fields(c, all, o, RANK_FIELD + (unsigned)i);
            continue;
        }
        sl_str key = prefix.n ? sl_arena_printf(c->a, "%.*s%.*s", SL_S(prefix), SL_S(o->key)) : o->key;
        offer_key(c, all, key, o, (o->required ? rank - RANK_OWN + RANK_REQUIRED : rank) + (unsigned)i);
    }
}

/* 'properties.' ...: what is to stand behind it nobody here knows. */
static void offer_prefixes(struct caret *c, const struct cat_service *s)
{
    sl_str prefix;
    for (size_t at = 0; cat_next_word(s->prefixes, '|', &at, &prefix);) {
        caret_offer(c, (struct cat_item){.label = prefix,
                                         .insert = prefix,
                                         .detail = SL_STR("any key"),
                                         .kind = CAT_ITEM_KEY,
                                         .rank = RANK_FORMAT - 1});
    }
}

static void offer_plain(struct caret *c, const char *key, unsigned rank)
{
    sl_str text = sl_str_of(key);
    caret_offer(c, (struct cat_item){.label = text, .insert = text, .kind = CAT_ITEM_KEY, .rank = rank});
}

static const struct cat_service *service_of(const struct caret *c, const struct caret_options *all)
{
    return all->name.n ? cat_service(version_of(c), all->kind, all->name) : NULL;
}

void caret_with_keys(struct caret *c, const struct caret_options *all)
{
    const char *main = all->kind == CAT_SERVICE_CATALOG ? "type" : "connector";
    const struct cat_service *s = service_of(c, all);
    if (!all->hint && !given(all, sl_str_of(main))) {
        offer_plain(c, main, 0);
    }
    if (!s) {
        if (all->kind == CAT_SERVICE_CONNECTOR && !all->name.n && !given(all, SL_STR("format"))) {
            offer_plain(c, "format", RANK_REST);
        }
        return;
    }
    offer_options(c, all, s, SL_STR_NONE, RANK_OWN);
    offer_prefixes(c, s);
    for (size_t i = 0; i < SL_ARRAY_LEN(format_keys); i++) {
        const sl_str *name = given(all, sl_str_of(format_keys[i]));
        const struct cat_service *f =
            name && name->n ? cat_service(version_of(c), CAT_SERVICE_FORMAT, *name) : NULL;
        if (f) {
            offer_options(c, all, f, prefix_of(c, format_keys[i], *name), RANK_FORMAT + (unsigned)i * 100);
        }
    }
}

static void offer_value(struct caret *c, sl_str value, sl_str detail, sl_str doc, unsigned rank)
{
    caret_offer(c, (struct cat_item){.label = value,
                                     .insert = value,
                                     .detail = detail,
                                     .doc = doc,
                                     .kind = CAT_ITEM_VALUE,
                                     .rank = rank});
}

/* Names of connectors, formats, types of catalogs; each once. */
static void offer_names(struct caret *c, enum cat_service_kind kind)
{
    const struct cat_family *f;
    unsigned rank = 0;
    for (size_t i = 0; (f = cat_family_at(i)); i++) {
        for (size_t k = 0; k < f->n_services; k++) {
            const struct cat_service *s = &f->services[k];
            if (s->kind == kind && (s->flink & bits_of(c)) &&
                cat_service(version_of(c), kind, s->name) == s) {
                offer_value(c, s->name, f->title, SL_STR_NONE, rank++);
            }
        }
    }
}

static void offer_words(struct caret *c, const struct cat_service_option *o)
{
    sl_str word, words = o->words.n ? o->words : o->suggest;
    unsigned rank = 0;
    if (!words.n && sl_str_eqz(o->type, "Boolean")) {
        words = SL_STR("true|false");
    }
    for (size_t at = 0; cat_next_word(words, '|', &at, &word); rank++) {
        offer_value(c, word, sl_str_eq(word, o->standard) ? SL_STR("default") : SL_STR_NONE, o->help, rank);
    }
    if (!words.n && o->standard.n) {
        offer_value(c, o->standard, SL_STR("default"), o->help, 0);
    }
}

void caret_with_values(struct caret *c, sl_str key, const struct caret_options *all)
{
    const char *main = all->kind == CAT_SERVICE_CATALOG ? "type" : "connector";
    const struct cat_service *s = service_of(c, all);
    const struct cat_service_option *o = s ? cat_service_option(s, version_of(c), key) : NULL;
    if (sl_str_eqz(key, main)) {
        offer_names(c, all->kind);
        return;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(format_keys) && all->kind == CAT_SERVICE_CONNECTOR; i++) {
        const sl_str *name = given(all, sl_str_of(format_keys[i]));
        if (sl_str_eqz(key, format_keys[i])) {
            offer_names(c, CAT_SERVICE_FORMAT);
            return;
        }
        sl_str prefix = name && name->n ? prefix_of(c, format_keys[i], *name) : SL_STR_NONE;
        const struct cat_service *f = prefix.n && sl_str_starts(key, prefix)
                                          ? cat_service(version_of(c), CAT_SERVICE_FORMAT, *name)
                                          : NULL;
        o = f ? cat_service_option(f, version_of(c), sl_str_sub(key, prefix.n, key.n - prefix.n)) : o;
    }
    if (o) {
        offer_words(c, o);
    }
}
