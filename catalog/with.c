/* SPDX-License-Identifier: Apache-2.0
 * What stands in WITH ( ), in SET ( ) of ALTER TABLE and in OPTIONS hints, held to the manifest of connectors: at CREATE, where
 * Flink looks only when the table is first used. What another jar may bring, what a variable stands for and what LIKE takes
 * from a table nobody here knows is never called wrong. */
#include "catalog/connectors.h"
#include "catalog/needs.h"
#include "catalog/relation.h"
#include "catalog/setting.h"
#include "sqlparse/token.h"

/* 'key' = 'value'. Offsets are in the sql of its statement. */
struct pair {
    sl_str key, value;
    const struct sql_node *key_at, *value_at; /* NULL: of another statement */
    bool open;                                /* the value is not known: a variable, a secret */
};
struct pairs {
    SL_VEC(struct pair) list;
};

struct cat_with {
    struct pairs pairs;
    const struct cat_service *service; /* NULL: not known */
    sl_str connector;
    const struct sql_stmt *stmt;
    uint32_t off, len; /* where the connector is named in it */
    bool open;         /* there may be more than that */
    bool none;         /* has no connector at all */
    bool said[2];      /* that it cannot be read, cannot be written */
    size_t weak;       /* 1 + the diagnostic that becomes an error when the table is used; 0: none */
};

/* One list that is looked at. */
struct look {
    struct cat_walk *w;
    const struct pairs *own;           /* what is written there */
    const struct pairs *all;           /* with what it is added to */
    const struct cat_service *service; /* never NULL */
    const struct cat_relation *rel;    /* the table; NULL: it is none */
    const struct cat_service *formats[4];
    sl_str prefixes[4]; /* "value.json." */
    const struct pair *named[4];
    size_t n_formats;
    SL_VEC(sl_str) meant; /* keys that a mistaken one was meant to be */
};

/* More than this is not handed on by LIKE, and not looked through for every table: what lies beyond is not known. */
#define MANY_PAIRS 256
#define MANY_LATE  1024

static const char *const format_keys[] = {"format", "key.format", "value.format", "lookup-request.format"};

static bool is_unsure(sl_str text)
{
    return sl_str_find_char(text, '$') >= 0 || sl_str_find(text, SL_STR("{{")) >= 0;
}

static void read_pairs(struct cat_walk *w, const struct sql_node *options, struct pairs *ret)
{
    for (const struct sql_node *o = options ? options->first : NULL; o; o = o->next) {
        if (o->kind != SQL_N_OPTION || !o->first || !o->first->next) {
            continue;
        }
        w->steps++;
        const struct sql_node *value = o->first->next;
        struct pair *p = sl_vec_add(w->a, &ret->list);
        p->key = sql_unquote(w->a, sql_node_text(o->first, w->st->sql));
        p->value = sql_unquote(w->a, sql_node_text(value, w->st->sql));
        p->key_at = o->first;
        p->value_at = value;
        p->open = is_unsure(p->value) || cat_is_secret(w->st, value->off, value->len);
    }
}

/* The last one counts, as in Flink. */
static const struct pair *pair_of(const struct pairs *p, sl_str key)
{
    for (size_t i = p->list.n; i-- > 0;) {
        if (sl_str_eq(p->list.v[i].key, key)) {
            return &p->list.v[i];
        }
    }
    return NULL;
}

static bool is_late(const struct cat_walk *w, sl_str key)
{
    if (w->late.n >= MANY_LATE) {
        return true;
    }
    for (size_t i = 0; i < w->late.n; i++) {
        if (sl_str_eq(w->late.v[i], key)) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ what there is */

/* "flink-sql-connector-kafka 5.0.0-2.2", of the jars of a family for one of the versions. */
static sl_str jar_text(struct cat_walk *w, const struct cat_family *f, uint8_t flink)
{
    for (size_t i = 0; i < f->n_jars; i++) {
        const struct cat_jar *j = &f->jars[i];
        sl_str part, artifact = SL_STR_NONE, version = SL_STR_NONE;
        if (!(j->flink & flink) || j->how > CAT_JAR_PLUGIN) {
            continue;
        }
        for (size_t at = 0, n = 0; cat_next_word(j->coordinate, ':', &at, &part); n++) {
            artifact = n == 1 ? part : artifact;
            version = part;
        }
        return sl_arena_printf(w->a, "%.*s %.*s", SL_S(artifact), SL_S(version));
    }
    return SL_STR_NONE;
}

/* Who only creates a table of a connector that nobody here knows may be right; Flink takes it. */
static void note_weak(struct cat_walk *w, const struct sql_diag *d)
{
    w->weak_diag = d && d->severity == SQL_WARNING ? (size_t)(d - w->s->diags.list.v) + 1 : 0;
}

static unsigned newest_bit(uint8_t flink)
{
    unsigned newest = 0;
    for (unsigned i = 0; cat_flink_bit_name(i); i++) {
        newest = flink >> i & 1 ? i : newest;
    }
    return newest;
}

static void say_other_flink(struct cat_walk *w, const struct sql_node *at, const char *what, sl_str name,
                            const struct cat_service *s)
{
    unsigned newest = newest_bit(s->flink);
    w->weak = s->kind <= CAT_SERVICE_FORMAT;
    struct sql_diag *d = cat_say(w, SL_CONNECTOR_NOT_FOR_VERSION, at, "%s '%.*s' does not exist for Flink %s",
                                 what, SL_S(name), sql_version_name(w->s->flink));
    w->weak = false;
    sl_str jar = jar_text(w, s->family, (uint8_t)(1u << newest));
    if (d && jar.n) {
        d->note = sl_arena_printf(w->a, "newest is %.*s, built for Flink %s", SL_S(jar),
                                  cat_flink_bit_name(newest));
    }
    cat_hint(w, d, "sluice run %.*s --flink %s", SL_S(w->s->files.v[w->st->file].name),
             cat_flink_bit_name(newest));
    note_weak(w, d);
}

static void say_unknown(struct cat_walk *w, enum cat_service_kind kind, const struct sql_node *at,
                        sl_str name)
{
    static const enum sl_code codes[] = {
        [CAT_SERVICE_CONNECTOR] = SL_CONNECTOR_UNKNOWN, [CAT_SERVICE_FORMAT] = SL_FORMAT_UNKNOWN,
        [CAT_SERVICE_CATALOG] = SL_FACTORY_UNKNOWN,     [CAT_SERVICE_MODULE] = SL_FACTORY_UNKNOWN,
        [CAT_SERVICE_MODEL] = SL_FACTORY_UNKNOWN,       [CAT_SERVICE_FILESYSTEM] = SL_FACTORY_UNKNOWN,
    };
    const char *what = kind == CAT_SERVICE_CATALOG ? "type of catalog" : cat_service_kind_name(kind);
    struct cat_nearest n = cat_nearest_to(name);
    const struct cat_family *f;
    bool tells = w->s->diags.dropped == 0; /* beyond the limit nobody reads a hint */
    for (size_t i = 0; tells && (f = cat_family_at(i)); i++) {
        for (size_t k = 0; k < f->n_services; k++) {
            if (f->services[k].kind == kind && (f->services[k].flink & cat_flink_bit(w->s->flink))) {
                cat_offer(&n, f->services[k].name);
            }
        }
    }
    const struct cat_service *near = n.name.n ? cat_service(w->s->flink, kind, n.name) : NULL;
    w->weak = !near && kind <= CAT_SERVICE_FORMAT;
    struct sql_diag *d = cat_say(w, codes[kind], at, "there is no %s '%.*s'", what, SL_S(name));
    w->weak = false;
    sl_str jar = near ? jar_text(w, near->family, cat_flink_bit(w->s->flink)) : SL_STR_NONE;
    if (jar.n) {
        cat_hint(w, d, "did you mean '%.*s'?   (in %.*s)", SL_S(n.name), SL_S(jar));
    } else if (near) {
        cat_hint(w, d, "did you mean '%.*s'?", SL_S(n.name));
    } else {
        cat_hint(w, d,
                 "all that are known: sluice connector ls; of a jar of your own: --jar, ADD JAR, or "
                 "docs/connectors.md");
    }
    note_weak(w, d);
}

/* The service that a value names. NULL: it is not known, or not there, which is said unless a jar may bring it. */
static const struct cat_service *service_of(struct cat_walk *w, enum cat_service_kind kind,
                                            const struct sql_node *at, sl_str name)
{
    const struct cat_service *s = cat_service(w->s->flink, kind, name), *any = NULL;
    if (s || w->jars) {
        return s;
    }
    any = cat_service(0, kind, name);
    if (any) {
        static const char *const whats[] = {"connector", "format",         "type of catalog",
                                            "module",    "model provider", "file system"};
        say_other_flink(w, at, whats[kind], name, any);
    } else {
        say_unknown(w, kind, at, name);
    }
    return NULL;
}

/* ------------------------------------------------------------------ keys and values */

static sl_str words_text(struct cat_walk *w, sl_str words)
{
    sl_str word, text = SL_STR_NONE;
    for (size_t at = 0; cat_next_word(words, '|', &at, &word);) {
        text = text.n ? sl_arena_printf(w->a, "%.*s%s'%.*s'", SL_S(text), at < words.n ? ", " : " or ",
                                        SL_S(word))
                      : sl_arena_printf(w->a, "'%.*s'", SL_S(word));
    }
    return text;
}

/* A connector of Flink's own is known in all its parts; of others a jar may bring another version. */
static bool is_weak(const struct look *l, const struct cat_service *s)
{
    return l->w->jars && !s->family->distribution;
}

static void check_value(struct look *l, const struct pair *p, const struct cat_service *s,
                        const struct cat_service_option *o)
{
    static const struct {
        const char *type, *is, *hint;
    } kinds[] = {{"Boolean", "true or false", "write 'true' or 'false'"},
                 {"Integer", "a whole number", "for example '4'"},
                 {"Long", "a whole number", "for example '1000'"},
                 {"Double", "a number", "for example '0.5'"},
                 {"Float", "a number", "for example '0.5'"},
                 {"Duration", "a duration", "for example '10 s', '5 min' or '1 h'"},
                 {"MemorySize", "a size", "for example '64 mb' or '1 gb'"}};
    bool list = sl_str_eqz(o->type, "List") || sl_str_eqz(o->type, "Map");
    if (p->open || s->open || list || cat_setting_fits(o->type, o->words, p->value)) {
        return;
    }
    bool lazy = l->service->free && s->kind == CAT_SERVICE_FORMAT;
    struct sql_diag *d;
    size_t k = 0;
    l->w->weak = lazy || is_weak(l, s);
    while (k < SL_ARRAY_LEN(kinds) && !sl_str_eqz(o->type, kinds[k].type)) {
        k++;
    }
    if (o->words.n) {
        d = cat_say(l->w, SL_OPTION_VALUE, p->value_at, "'%.*s' cannot be '%.*s'", SL_S(p->key),
                    SL_S(p->value));
        struct cat_nearest n = cat_nearest_to(p->value);
        sl_str word;
        for (size_t at = 0; cat_next_word(o->words, '|', &at, &word);) {
            cat_offer(&n, word);
            if (!n.name.n && p->value.n && sl_str_starts(word, p->value)) {
                n.name = word; /* earliest: earliest-offset */
            }
        }
        sl_str all = words_text(l->w, o->words);
        if (n.name.n) {
            cat_hint(l->w, d, "did you mean '%.*s'?   (it takes %.*s)", SL_S(n.name), SL_S(all));
        } else {
            cat_hint(l->w, d, "it takes %.*s", SL_S(all));
        }
    } else if (k < SL_ARRAY_LEN(kinds)) {
        d = cat_say(l->w, SL_OPTION_VALUE, p->value_at, "'%.*s' is %s, not '%.*s'", SL_S(p->key), kinds[k].is,
                    SL_S(p->value));
        cat_hint(l->w, d, "%s", kinds[k].hint);
    }
    l->w->weak = false;
}

/* Offers every key that could have been meant. */
static void offer_keys(const struct look *l, struct cat_nearest *n)
{
    uint8_t flink = cat_flink_bit(l->w->s->flink);
    for (size_t i = 0; i < l->service->n_options; i++) {
        const struct cat_service_option *o = &l->service->options[i];
        if ((o->flink & flink) && sl_str_find_char(o->key, '#') < 0) {
            cat_offer(n, o->key);
        }
    }
    for (size_t f = 0; f < l->n_formats; f++) {
        const struct cat_service *s = l->formats[f];
        for (size_t i = 0; s && i < s->n_options; i++) {
            if (s->options[i].flink & flink) {
                cat_offer(
                    n, sl_arena_printf(l->w->a, "%.*s%.*s", SL_S(l->prefixes[f]), SL_S(s->options[i].key)));
            }
        }
    }
}

/* 'json.ignore-parse-errors' beside 'format' = 'csv': the format whose option it is. */
static const struct cat_service *other_format(const struct look *l, sl_str key)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(format_keys); i++) {
        sl_str lead = sl_str_sub(sl_str_of(format_keys[i]), 0, strlen(format_keys[i]) - 6);
        sl_str rest = sl_str_starts(key, lead) ? sl_str_sub(key, lead.n, key.n - lead.n) : SL_STR_NONE;
        for (size_t n = 1; n < rest.n; n++) {
            const struct cat_service *s =
                rest.p[n] == '.' ? cat_service(l->w->s->flink, CAT_SERVICE_FORMAT, sl_str_sub(rest, 0, n))
                                 : NULL;
            if (s) {
                return s;
            }
        }
    }
    return NULL;
}

/* A key of `other` that is not written as this table needs it. */
static void hint_format(struct look *l, struct sql_diag *d, sl_str key, const struct cat_service *other)
{
    ptrdiff_t at = sl_str_find(key, sl_arena_printf(l->w->a, "%.*s.", SL_S(other->name)));
    for (size_t i = 0; at >= 0 && i < l->n_formats; i++) {
        if (l->formats[i] == other) {
            size_t from = (size_t)at + other->name.n + 1;
            sl_str right = sl_arena_printf(l->w->a, "%.*s%.*s", SL_S(l->prefixes[i]),
                                           SL_S(sl_str_sub(key, from, key.n - from)));
            sl_vec_push(l->w->a, &l->meant, right);
            cat_hint(l->w, d, "of this table's format it is '%.*s'", SL_S(right));
            return;
        }
    }
    cat_hint(l->w, d, "it is an option of format '%.*s', which this table does not use", SL_S(other->name));
}

static void say_key(struct look *l, const struct pair *p, const struct cat_service *s)
{
    bool format = s->kind == CAT_SERVICE_FORMAT, lazy = format && l->service->free;
    l->w->weak = lazy || is_weak(l, s);
    struct sql_diag *d = cat_say(l->w, SL_OPTION_UNKNOWN, p->key_at,
                                 lazy ? "%s '%.*s' has no option '%.*s' and would ignore it"
                                      : "%s '%.*s' has no option '%.*s'",
                                 cat_service_kind_name(s->kind), SL_S(s->name), SL_S(p->key));
    struct cat_nearest n = cat_nearest_to(p->key);
    l->w->weak = false;
    if (!d) {
        return;
    }
    sl_str rest = p->key;
    for (size_t i = 0; format && i < l->n_formats; i++) {
        if (l->formats[i] == s && sl_str_starts(p->key, l->prefixes[i])) {
            rest = sl_str_sub(p->key, l->prefixes[i].n, p->key.n - l->prefixes[i].n);
        }
    }
    const struct cat_service_option *elsewhere = cat_service_option(s, 0, rest);
    if (elsewhere) {
        d->note =
            sl_arena_printf(l->w->a, "Flink %s has it", cat_flink_bit_name(newest_bit(elsewhere->flink)));
    }
    offer_keys(l, &n);
    const struct cat_service *other = format || n.name.n ? NULL : other_format(l, p->key);
    if (n.name.n) {
        sl_vec_push(l->w->a, &l->meant, n.name);
        cat_hint(l->w, d, "did you mean '%.*s'?   (all options: sluice connector show %.*s)", SL_S(n.name),
                 SL_S(s->name));
    } else if (other) {
        hint_format(l, d, p->key, other);
    } else {
        cat_hint(l->w, d, "all options: sluice connector show %.*s", SL_S(s->name));
    }
}

/* Keys that Flink itself reads of every table. */
static bool is_common(sl_str key)
{
    return sl_str_eqz(key, "connector") || sl_str_eqz(key, "property-version") ||
           sl_str_starts(key, SL_STR("scan.watermark."));
}

/* 'fields.id.min' is about the column id, or about a part of it. */
static bool check_column(struct look *l, const struct pair *p, const struct cat_service_option *o)
{
    size_t head = (size_t)sl_str_find_char(o->key, '#'), tail = o->key.n - head - 1;
    sl_str part = sl_str_sub(p->key, head, p->key.n - head - tail);
    if (!l->rel || l->rel->open || l->rel->failed) {
        return true;
    }
    struct cat_nearest n = cat_nearest_to(part);
    for (size_t i = 0; i < l->rel->columns.n; i++) {
        sl_str name = l->rel->columns.v[i].name;
        if (sl_str_starts(part, name) && (part.n == name.n || part.p[name.n] == '.')) {
            return true;
        }
        cat_offer(&n, name);
    }
    struct sql_diag *d = cat_say(l->w, SL_OPTION_UNKNOWN, p->key_at, "'%.*s': the table has no column '%.*s'",
                                 SL_S(p->key), SL_S(part));
    cat_hint_near(l->w, d, &n);
    return false;
}

static void check_pair(struct look *l, const struct pair *p)
{
    unsigned flink = l->w->s->flink;
    if (is_common(p->key) || is_unsure(p->key)) {
        return;
    }
    const struct cat_service_option *o = cat_service_option(l->service, flink, p->key);
    if (o) {
        if (sl_str_find_char(o->key, '#') < 0 || check_column(l, p, o)) {
            check_value(l, p, l->service, o);
        }
        return;
    }
    for (size_t i = 0; i < l->n_formats; i++) {
        const struct cat_service *s = l->formats[i];
        if (!sl_str_starts(p->key, l->prefixes[i])) {
            continue;
        }
        sl_str rest = sl_str_sub(p->key, l->prefixes[i].n, p->key.n - l->prefixes[i].n);
        o = s ? cat_service_option(s, flink, rest) : NULL;
        if (o) {
            check_value(l, p, s, o);
        } else if (s && !cat_service_takes(s, flink, rest)) {
            say_key(l, p, s);
        }
        return;
    }
    if (!cat_service_takes(l->service, flink, p->key)) {
        say_key(l, p, l->service);
    }
}

/* Which formats there are, whoever names them. False: one is not known, and keys may be its options. */
static bool find_formats(struct look *l)
{
    bool known = true;
    for (size_t i = 0; i < SL_ARRAY_LEN(format_keys); i++) {
        const struct pair *p = pair_of(l->all, sl_str_of(format_keys[i]));
        if (!p || !cat_service_option(l->service, l->w->s->flink, p->key)) {
            continue;
        }
        bool own = pair_of(l->own, p->key) != NULL;
        const struct cat_service *s =
            p->open ? NULL
            : own   ? service_of(l->w, CAT_SERVICE_FORMAT, pair_of(l->own, p->key)->value_at, p->value)
                    : cat_service(l->w->s->flink, CAT_SERVICE_FORMAT, p->value);
        known &= s != NULL;
        l->formats[l->n_formats] = s;
        l->prefixes[l->n_formats] =
            sl_arena_printf(l->w->a, "%.*s%.*s.", (int)(p->key.n - 6), p->key.p, SL_S(p->value));
        l->named[l->n_formats] = pair_of(l->own, p->key);
        l->n_formats++;
    }
    return known;
}

static bool is_meant(const struct look *l, sl_str key)
{
    for (size_t i = 0; i < l->meant.n; i++) {
        if (sl_str_eq(l->meant.v[i], key)) {
            return true;
        }
    }
    return is_late(l->w, key);
}

static bool is_given(const struct look *l, sl_str prefix, const struct cat_service_option *o)
{
    sl_str word, key = sl_arena_printf(l->w->a, "%.*s%.*s", SL_S(prefix), SL_S(o->key));
    if (pair_of(l->all, key) || is_meant(l, key)) {
        return true;
    }
    for (size_t at = 0; cat_next_word(o->fallback, '|', &at, &word);) {
        if (pair_of(l->all, sl_arena_printf(l->w->a, "%.*s%.*s", SL_S(prefix), SL_S(word)))) {
            return true;
        }
    }
    return false;
}

/* What is missing, of one service. */
struct missing {
    SL_VEC(sl_str) parts; /* "'topic' or 'topic-pattern'" */
    sl_str first;         /* the key to begin with */
};

static void add_missing(struct look *l, struct missing *m, sl_str part, sl_str key)
{
    sl_vec_push(l->w->a, &m->parts, part);
    m->first = m->first.n ? m->first : key;
}

static void say_missing(struct look *l, const struct cat_service *s, const struct sql_node *at,
                        const struct missing *m)
{
    sl_str text = SL_STR_NONE;
    for (size_t i = 0; i < m->parts.n; i++) {
        const char *comma = !i ? "" : i + 1 < m->parts.n ? ", " : " and ";
        text = sl_arena_printf(l->w->a, "%.*s%s%.*s", SL_S(text), comma, SL_S(m->parts.v[i]));
    }
    l->w->weak = is_weak(l, s) || (l->service->free && s->kind == CAT_SERVICE_FORMAT);
    struct sql_diag *d = cat_say(l->w, SL_OPTION_MISSING, at, "%s '%.*s' needs %.*s",
                                 cat_service_kind_name(s->kind), SL_S(s->name), SL_S(text));
    cat_hint(l->w, d, "add '%.*s' = '...'   (all options: sluice connector show %.*s)", SL_S(m->first),
             SL_S(s->name));
    l->w->weak = false;
}

static void check_missing(struct look *l, const struct cat_service *s, sl_str prefix,
                          const struct sql_node *at)
{
    struct missing m = {0};
    sl_str set;
    if (s->open) {
        return; /* what does not look at its keys may do without */
    }
    for (size_t i = 0; i < s->n_options; i++) {
        const struct cat_service_option *o = &s->options[i];
        if (o->required && (o->flink & cat_flink_bit(l->w->s->flink)) && !is_given(l, prefix, o)) {
            sl_str key = sl_arena_printf(l->w->a, "%.*s%.*s", SL_S(prefix), SL_S(o->key));
            add_missing(l, &m, sl_arena_printf(l->w->a, "'%.*s'", SL_S(key)), key);
        }
    }
    for (size_t at_set = 0; cat_next_word(s->one_of, ';', &at_set, &set);) {
        sl_str word, lead = SL_STR_NONE;
        bool given = false;
        for (size_t k = 0; cat_next_word(set, '|', &k, &word);) {
            lead = lead.n ? lead : word;
            given |= pair_of(l->all, word) || is_meant(l, word);
        }
        if (!given) {
            add_missing(l, &m, words_text(l->w, set), lead);
        }
    }
    if (m.parts.n) {
        say_missing(l, s, at, &m);
    }
}

/* ------------------------------------------------------------------ tables */

/* INCLUDING, OVERWRITING: true; EXCLUDING OPTIONS or EXCLUDING ALL: false. */
static bool takes_options(const struct cat_walk *w, const struct sql_node *like)
{
    bool takes = true;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (const struct sql_node *o = like->first; o; o = o->next) {
            if (o->kind == SQL_N_LIKE_OPTION && o->op == (pass ? TK_OPTIONS : TK_ALL)) {
                takes = (sql_node_text(o, w->st->sql).p[0] | 0x20) != 'e';
            }
        }
    }
    return takes;
}

/* What LIKE brings; NULL: nothing, or (*ret_open) nobody knows. */
static const struct cat_with *like_base(struct cat_walk *w, const struct sql_node *like, bool *ret_open)
{
    const struct sql_node *name = like ? sql_node_child(like, SQL_N_NAME) : NULL;
    if (!name || !takes_options(w, like)) {
        return NULL;
    }
    struct cat_path p = cat_path_of(w, name);
    const struct cat_entry *e = cat_entry_table(w, &p);
    const struct cat_with *base = e && !e->gone && !e->unsure && e->rel ? e->rel->with : NULL;
    *ret_open = !base || base->open;
    return base;
}

/* `own` into a copy of `base`. */
static struct cat_with *merge(struct cat_walk *w, const struct cat_with *base, const struct pairs *own)
{
    struct cat_with *with = sl_new(w->a, struct cat_with);
    bool many = base && base->pairs.list.n > MANY_PAIRS;
    with->open = many;
    for (size_t i = 0; base && !many && i < base->pairs.list.n; i++) {
        w->steps++;
        struct pair p = base->pairs.list.v[i];
        p.key_at = p.value_at = NULL;
        if (!pair_of(own, p.key)) {
            sl_vec_push(w->a, &with->pairs.list, p);
        }
    }
    for (size_t i = 0; i < own->list.n; i++) {
        with->open |= is_unsure(own->list.v[i].key);
        sl_vec_push(w->a, &with->pairs.list, own->list.v[i]);
    }
    if (base) {
        with->service = base->service;
        with->connector = base->connector;
        with->stmt = base->stmt;
        with->off = base->off;
        with->len = base->len;
        with->weak = base->weak;
        with->open |= base->open;
    }
    return with;
}

/* Tables of the days before 'connector' name theirs otherwise. */
static bool is_of_old(const struct pairs *p)
{
    for (size_t i = 0; i < p->list.n; i++) {
        if (sl_str_starts(p->list.v[i].key, SL_STR("connector.")) && !pair_of(p, SL_STR("connector"))) {
            return true;
        }
    }
    return false;
}

static void find_connector(struct cat_walk *w, struct cat_with *with, const struct pairs *own)
{
    const struct pair *c = pair_of(own, SL_STR("connector"));
    if (!c) {
        with->none = !with->open && !pair_of(&with->pairs, SL_STR("connector")) && !is_of_old(&with->pairs) &&
                     !is_late(w, SL_STR("connector"));
        return;
    }
    with->connector = c->open ? SL_STR_NONE : c->value;
    with->service = c->open ? NULL : service_of(w, CAT_SERVICE_CONNECTOR, c->value_at, c->value);
    with->stmt = w->st;
    with->off = c->value_at->off;
    with->len = c->value_at->len;
}

static void check_list(struct cat_walk *w, const struct cat_with *with, const struct pairs *own,
                       const struct sql_node *at, const struct cat_relation *rel)
{
    struct look l = {.w = w, .own = own, .all = &with->pairs, .service = with->service, .rel = rel};
    if (!with->service) {
        return;
    }
    bool formats = find_formats(&l);
    for (size_t i = 0; i < own->list.n; i++) {
        check_pair(&l, &own->list.v[i]);
    }
    if (!at || with->open) {
        return;
    }
    check_missing(&l, with->service, SL_STR_NONE, at);
    for (size_t i = 0; formats && i < l.n_formats; i++) {
        check_missing(&l, l.formats[i], l.prefixes[i], l.named[i] ? l.named[i]->value_at : at);
    }
}

void cat_with_create(struct cat_walk *w, const struct sql_node *create, struct cat_relation *rel)
{
    const struct sql_node *name = sql_node_child(create, SQL_N_NAME);
    struct cat_path p = cat_path_of(w, name);
    struct pairs own = {0};
    bool open = false;
    if (!w->connectors || !(p.known || (create->op & SQL_OP_TEMPORARY))) {
        return;
    }
    const struct cat_with *base = like_base(w, sql_node_child(create, SQL_N_TABLE_LIKE), &open);
    read_pairs(w, sql_node_child(create, SQL_N_OPTIONS), &own);
    struct cat_with *with = merge(w, base, &own);
    with->open |= open;
    rel->with = with;
    w->weak_diag = 0;
    find_connector(w, with, &own);
    const struct pair *c = pair_of(&own, SL_STR("connector"));
    /* of a statement with another mistake it is not known what it was meant to have */
    check_list(w, with, &own, w->st->bad ? NULL : c ? c->value_at : name, rel);
    with->weak = w->weak_diag;
    if (sql_node_child(create, SQL_N_AS_QUERY) && name) {
        cat_with_use(w, rel, name, true);
    }
}

void cat_with_alter(struct cat_walk *w, const struct sql_node *action, struct cat_relation *rel)
{
    unsigned op = action->op & SQL_OP_TOKEN;
    const struct sql_node *options = sql_node_child(action, SQL_N_OPTIONS),
                          *keys = sql_node_child(action, SQL_N_KEYS);
    struct pairs own = {0};
    if (!rel->with || (op != TK_SET && op != TK_RESET)) {
        return;
    }
    read_pairs(w, options, &own);
    struct cat_with *with = merge(w, rel->with, &own);
    for (const struct sql_node *k = keys ? keys->first : NULL; k; k = k->next) {
        sl_str key = sql_unquote(w->a, sql_node_text(k, w->st->sql));
        for (size_t i = with->pairs.list.n; i-- > 0;) {
            if (sl_str_eq(with->pairs.list.v[i].key, key)) {
                with->pairs.list.v[i] = with->pairs.list.v[--with->pairs.list.n];
            }
        }
    }
    rel->with = with;
    if (pair_of(&own, SL_STR("connector"))) {
        find_connector(w, with, &own);
    }
    check_list(w, with, &own, NULL, rel);
}

void cat_with_hint(struct cat_walk *w, const struct cat_relation *rel, const struct sql_node *table)
{
    const struct sql_node *hints = sql_node_child(table, SQL_N_HINTS);
    for (const struct sql_node *h = hints ? hints->first : NULL; h; h = h->next) {
        const struct sql_node *options = sql_node_child(h, SQL_N_OPTIONS);
        struct pairs own = {0};
        if (!options || !rel->with || !h->first ||
            !sl_str_ieqz(sql_node_text(h->first, w->st->sql), "OPTIONS")) {
            continue;
        }
        read_pairs(w, options, &own);
        check_list(w, merge(w, rel->with, &own), &own, NULL, rel);
    }
}

/* Now Flink looks for the connector, too. */
static void make_strong(struct cat_walk *w, struct cat_with *with)
{
    if (!with->weak || with->weak > w->s->diags.list.n) {
        return;
    }
    struct sql_diag *d = &w->s->diags.list.v[with->weak - 1];
    d->severity = SQL_ERROR;
    w->s->diags.errors++;
    w->s->diags.warnings--;
    w->s->stmts.v[d->statement - 1].bad = true;
    with->weak = 0;
}

void cat_with_use(struct cat_walk *w, const struct cat_relation *rel, const struct sql_node *name, bool sink)
{
    struct cat_with *with = rel->with;
    struct sql_diag *d;
    if (!with || w->view) {
        return;
    }
    make_strong(w, with);
    if (with->said[sink]) {
        return;
    }
    sl_str table = sql_node_text(name, w->st->sql);
    if (with->none) {
        d = cat_say(w, SL_OPTION_MISSING, name, "table '%.*s' has no 'connector', so it cannot be %s",
                    SL_S(table), sink ? "written to" : "read");
        cat_hint(w, d, "name one in its WITH, for example 'connector' = '%s'", sink ? "print" : "datagen");
        with->said[0] = with->said[1] = true;
        return;
    }
    const struct cat_service *s = with->service;
    bool can = !s || (s->roles & (sink ? CAT_ROLE_SINK : CAT_ROLE_SOURCE));
    if (can) {
        return;
    }
    with->said[sink] = true;
    d = cat_say(w, sink ? SL_CONNECTOR_SOURCE_ONLY : SL_CONNECTOR_SINK_ONLY, name,
                "table '%.*s' cannot be %s: connector '%.*s' is a %s only", SL_S(table),
                sink ? "written to" : "read", SL_S(s->name), sink ? "source" : "sink");
    cat_hint(w, d,
             sink ? "write to a table of another connector, for example 'print' or 'blackhole'"
                  : "read from a table of another connector, for example 'datagen'");
    if (d && with->stmt && with->stmt != w->st && with->stmt->file == w->st->file) {
        d->second = sql_stmt_pos(w->s, with->stmt, with->off, with->len);
        d->second_label = SL_STR("its connector");
    }
}

/* ------------------------------------------------------------------ catalogs and modules */

void cat_with_catalog(struct cat_walk *w, const struct sql_node *create)
{
    struct pairs own = {0};
    if (!w->connectors || w->s->stmts.n == 0) {
        return;
    }
    read_pairs(w, sql_node_child(create, SQL_N_OPTIONS), &own);
    const struct pair *type = pair_of(&own, SL_STR("type"));
    if (!type || type->open) {
        return;
    }
    const struct cat_service *s = service_of(w, CAT_SERVICE_CATALOG, type->value_at, type->value);
    if (s) {
        struct look l = {.w = w, .own = &own, .all = &own, .service = s};
        for (size_t i = 0; s->family->distribution && i < own.list.n; i++) {
            if (!sl_str_eqz(own.list.v[i].key, "type")) {
                check_pair(&l, &own.list.v[i]);
            }
        }
        check_missing(&l, s, SL_STR_NONE, type->value_at);
    }
}

void cat_with_module(struct cat_walk *w, const struct sql_node *load)
{
    const struct sql_node *name = load->first ? cat_last(load->first) : NULL;
    if (w->connectors && name && name->kind == SQL_N_IDENT) {
        (void)service_of(w, CAT_SERVICE_MODULE, name, cat_ident(w, name));
    }
}

/* ------------------------------------------------------------------ what the whole script says */

static void note_late(struct cat_walk *w, const struct sql_stmt *st, const struct sql_node *n)
{
    for (const struct sql_node *c = n->first; c; c = c->next) {
        w->steps++;
        for (const struct sql_node *o = c->kind == SQL_N_OPTIONS ? c->first : NULL; o; o = o->next) {
            if (o->kind == SQL_N_OPTION && o->first && w->late.n < MANY_LATE) {
                sl_vec_push(w->a, &w->late, sql_unquote(w->a, sql_node_text(o->first, st->sql)));
            }
        }
        if (c->kind != SQL_N_OPTIONS) {
            note_late(w, st, c);
        }
    }
}

static void note_statement(struct cat_walk *w, const struct sql_stmt *st)
{
    bool hints = st->ast && st->kind != SQL_KIND_CREATE_TABLE && sl_str_find(st->sql, SL_STR("/*+")) >= 0;
    w->jars |= st->kind == SQL_KIND_ADD_JAR;
    w->jars |= st->kind == SQL_KIND_SET &&
               (sl_str_eqz(st->key, "pipeline.jars") || sl_str_eqz(st->key, "pipeline.classpaths"));
    w->jars |= st->kind == SQL_KIND_CREATE_FUNCTION && st->ast && sql_node_child(st->ast, SQL_N_EXPRS);
    if (hints || (st->ast && st->kind == SQL_KIND_ALTER_TABLE)) {
        note_late(w, st, st->ast);
    }
}

void cat_with_init(struct cat_walk *w, bool jars)
{
    w->connectors = cat_services_have(w->s->flink);
    w->jars = jars;
    for (size_t i = 0; w->connectors && i < w->s->stmts.n; i++) {
        const struct sql_stmt *st = &w->s->stmts.v[i];
        note_statement(w, st);
        for (size_t k = 0; k < st->n_inner; k++) {
            note_statement(w, &st->inner[k]);
        }
    }
}
