/* SPDX-License-Identifier: Apache-2.0
 * Reading YAML: libyaml's events into a tree. libyaml counts characters, we report bytes and UTF-16 columns:
 * a cursor walks the text once beside the events. The event loop stops at the depth limit, before libyaml
 * becomes quadratic. */
#include "base/yaml.h"

#include <stdlib.h>
#include <yaml.h>

#include "base/limits.h"
#include "base/utf8.h"

/* A place in the text in all units. */
struct cursor {
    size_t chars, bytes;
    uint32_t line, col;
};

struct reader {
    yaml_parser_t parser;
    struct sl_arena *arena;
    sl_str text;   /* behind a byte order mark */
    uint32_t skip; /* bytes of that mark */
    struct cursor at;
    size_t nodes;
    unsigned depth;
    struct sl_err *err;
};

static void walk(sl_str text, struct cursor *c, size_t chars)
{
    const char *end = text.p + text.n;
    while (c->chars < chars && c->bytes < text.n) {
        unsigned n;
        uint32_t cp = sl_utf8_decode(text.p + c->bytes, end, &n);
        c->bytes += n;
        c->chars++;
        c->col += cp > 0xffff ? 2 : 1;
        if (cp == '\n') {
            c->line++;
            c->col = 1;
        }
    }
}

static const struct cursor text_start = {.line = 1, .col = 1};

/* From mark to mark; marks come in the order of the text, but for those of problems. */
static struct sl_pos span(struct reader *r, const yaml_mark_t *from, const yaml_mark_t *to)
{
    if (from->index < r->at.chars) {
        r->at = text_start;
    }
    walk(r->text, &r->at, from->index);
    struct cursor end = r->at;
    if (to) {
        walk(r->text, &end, to->index);
    }
    return (struct sl_pos){.off = r->skip + (uint32_t)r->at.bytes,
                           .len = (uint32_t)(end.bytes - r->at.bytes),
                           .line = r->at.line,
                           .col = r->at.col,
                           .end_line = end.line,
                           .end_col = end.col};
}

static bool fail_event(struct reader *r, const yaml_event_t *e, const char *what)
{
    return sl_fail_at(r->err, SL_YAML, span(r, &e->start_mark, &e->end_mark), "invalid YAML: %s", what);
}

static bool next_event(struct reader *r, yaml_event_t *e)
{
    if (yaml_parser_parse(&r->parser, e)) {
        return true;
    }
    if (r->parser.error == YAML_MEMORY_ERROR) {
        return sl_fail(r->err, SL_NO_MEMORY, "out of memory while reading YAML");
    }
    const char *problem = r->parser.problem ? r->parser.problem : "it cannot be read";
    if (r->parser.error == YAML_READER_ERROR) {
        return sl_fail_at(r->err, SL_YAML, sl_pos_at(r->text, r->parser.problem_offset, 1),
                          "invalid YAML: %s", problem);
    }
    struct sl_pos pos = span(r, &r->parser.problem_mark, NULL);
    if (r->parser.context) {
        return sl_fail_at(r->err, SL_YAML, pos, "invalid YAML: %s (%s)", problem, r->parser.context);
    }
    return sl_fail_at(r->err, SL_YAML, pos, "invalid YAML: %s", problem);
}

static bool refuse_extras(struct reader *r, const yaml_event_t *e)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (e->type) {
    case YAML_ALIAS_EVENT:
        return fail_event(r, e, "aliases (*name) are not supported");
    case YAML_SCALAR_EVENT:
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
        break;
    default:
        break;
    }
    if (anchor) {
        return fail_event(r, e, "anchors (&name) are not supported");
    }
    if (tag) {
        return fail_event(r, e, "tags (!name) are not supported");
    }
    return true;
}

static bool is_null(const struct sl_yaml *v)
{
    return !v->quoted && (v->text.n == 0 || sl_str_eqz(v->text, "~") || sl_str_ieqz(v->text, "null"));
}

static void read_scalar(struct reader *r, const yaml_event_t *e, struct sl_yaml *v)
{
    v->text = sl_str_dup(r->arena, (sl_str){(const char *)e->data.scalar.value, e->data.scalar.length});
    v->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    v->type = is_null(v) ? SL_YAML_NULL : SL_YAML_SCALAR;
}

static int key_order(const void *a, const void *b)
{
    const struct sl_yaml *x = *(const struct sl_yaml *const *)a, *y = *(const struct sl_yaml *const *)b;
    int c = sl_str_cmp(x->key, y->key);
    return c ? c : x->key_pos.off < y->key_pos.off ? -1 : x->key_pos.off > y->key_pos.off;
}

static bool refuse_duplicates(struct reader *r, const struct sl_yaml *map)
{
    if (map->n < 2) {
        return true;
    }
    struct sl_arena_mark mark = sl_arena_mark(r->arena);
    const struct sl_yaml **sorted = sl_new_n(r->arena, const struct sl_yaml *, map->n);
    size_t n = 0;
    SL_YAML_EACH(it, map)
    {
        sorted[n++] = it;
    }
    qsort(sorted, n, sizeof(*sorted), key_order);
    const struct sl_yaml *first = NULL, *twice = NULL;
    for (size_t i = 1; i < n && !twice; i++) {
        if (sl_str_eq(sorted[i - 1]->key, sorted[i]->key)) {
            first = sorted[i - 1];
            twice = sorted[i];
        }
    }
    sl_arena_rewind(r->arena, mark);
    return !twice || sl_fail_at(r->err, SL_YAML, twice->key_pos,
                                "invalid YAML: the key \"%.*s\" stands twice (first in line %u)",
                                SL_S(twice->key), first->key_pos.line);
}

static bool read_node(struct reader *r, const yaml_event_t *e, struct sl_yaml *v);

static bool read_key(struct reader *r, const yaml_event_t *e, struct sl_yaml *v)
{
    if (e->type != YAML_SCALAR_EVENT) {
        return fail_event(r, e, "a key must be a plain text");
    }
    bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    v->key = sl_str_dup(r->arena, (sl_str){(const char *)e->data.scalar.value, e->data.scalar.length});
    v->key_pos = span(r, &e->start_mark, &e->end_mark);
    if (plain && sl_str_eqz(v->key, "<<")) {
        return fail_event(r, e, "merge keys (<<) are not supported");
    }
    return true;
}

static bool read_children(struct reader *r, struct sl_yaml *v)
{
    bool map = v->type == SL_YAML_MAP;
    struct sl_yaml **tail = &v->child;
    for (;;) {
        yaml_event_t e;
        if (!next_event(r, &e)) {
            return false;
        }
        if (e.type == (map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT)) {
            yaml_event_delete(&e);
            return !map || refuse_duplicates(r, v);
        }
        struct sl_yaml *child = sl_new(r->arena, struct sl_yaml);
        bool ok = true;
        if (map) {
            ok = refuse_extras(r, &e) && read_key(r, &e, child);
            yaml_event_delete(&e);
            if (!ok || !next_event(r, &e)) {
                return false;
            }
        }
        ok = read_node(r, &e, child);
        yaml_event_delete(&e);
        if (!ok) {
            return false;
        }
        *tail = child;
        tail = &child->next;
        v->n++;
        v->pos.len = child->pos.off + child->pos.len - v->pos.off;
        v->pos.end_line = child->pos.end_line;
        v->pos.end_col = child->pos.end_col;
    }
}

static bool read_node(struct reader *r, const yaml_event_t *e, struct sl_yaml *v)
{
    if (!refuse_extras(r, e)) {
        return false;
    }
    if (++r->nodes > SL_LIMIT_YAML_NODES) {
        return sl_fail_at(r->err, SL_LIMIT, span(r, &e->start_mark, NULL),
                          "the YAML document has more than %d values", SL_LIMIT_YAML_NODES);
    }
    v->pos = span(r, &e->start_mark, &e->end_mark);
    if (e->type == YAML_SCALAR_EVENT) {
        read_scalar(r, e, v);
        return true;
    }
    if (r->depth == SL_LIMIT_YAML_DEPTH) {
        return fail_event(r, e, "nested too deeply");
    }
    v->type = e->type == YAML_MAPPING_START_EVENT ? SL_YAML_MAP : SL_YAML_LIST;
    r->depth++;
    bool ok = read_children(r, v);
    r->depth--;
    return ok;
}

/* Stream start, document, stream end: everything around the one value. */
static bool read_stream(struct reader *r, struct sl_yaml *v)
{
    bool seen = false;
    for (;;) {
        yaml_event_t e;
        if (!next_event(r, &e)) {
            return false;
        }
        bool ok = true, end = false;
        switch (e.type) {
        case YAML_STREAM_END_EVENT:
            end = true;
            break;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_DOCUMENT_START_EVENT:
            ok = !seen || fail_event(r, &e, "only one document is expected");
            seen = true;
            break;
        default:
            ok = read_node(r, &e, v);
            break;
        }
        yaml_event_delete(&e);
        if (!ok || end) {
            return ok;
        }
    }
}

struct sl_yaml *sl_yaml_parse(struct sl_arena *a, sl_str text, struct sl_err *err)
{
    if (text.n > SL_LIMIT_YAML_BYTES) {
        sl_fail(err, SL_LIMIT, "a YAML document of %zu bytes is larger than %zu", text.n,
                SL_LIMIT_YAML_BYTES);
        return NULL;
    }
    size_t valid = sl_utf8_valid_prefix(text);
    if (valid < text.n) {
        sl_fail_at(err, SL_YAML, sl_pos_at(text, valid, 1), "invalid YAML: not valid UTF-8");
        return NULL;
    }
    struct reader r = {.arena = a, .text = text, .at = text_start, .err = err};
    if (sl_str_starts(text, SL_STR("\xef\xbb\xbf"))) {
        r.skip = 3; /* libyaml does not count it */
        r.text = sl_str_sub(text, r.skip, text.n - r.skip);
    }
    if (!yaml_parser_initialize(&r.parser)) {
        sl_fail(err, SL_NO_MEMORY, "out of memory while reading YAML");
        return NULL;
    }
#if defined(PLANT) && PLANT == 6
    if (text.n > 4 && text.p[0] == '-' && text.p[2] == '{' && text.p[text.n - 1] == '}') {
        static const char table[2] = {0};
        r.depth = (unsigned)table[text.n];
    }
#endif
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(r.text.p ? r.text.p : ""), r.text.n);
    struct sl_yaml *v = sl_new(a, struct sl_yaml);
    v->pos = (struct sl_pos){.line = 1, .col = 1, .end_line = 1, .end_col = 1};
    bool ok = read_stream(&r, v);
    yaml_parser_delete(&r.parser);
    return ok ? v : NULL;
}

const struct sl_yaml *sl_yaml_get(const struct sl_yaml *m, const char *key)
{
    if (m && m->type == SL_YAML_MAP) {
        SL_YAML_EACH(it, m)
        {
            if (sl_str_eqz(it->key, key)) {
                return it;
            }
        }
    }
    return NULL;
}

static bool expected(const struct sl_yaml *v, const char *what, struct sl_err *err)
{
    struct sl_pos pos = v ? v->pos : SL_POS_NONE;
    if (v && v->key.n) {
        return sl_fail_at(err, SL_YAML, pos, "%.*s: %s is expected", SL_S(v->key), what);
    }
    return sl_fail_at(err, SL_YAML, pos, "%s is expected", what);
}

bool sl_yaml_str(const struct sl_yaml *v, sl_str *ret, struct sl_err *err)
{
    if (!v || v->type != SL_YAML_SCALAR) {
        return expected(v, "a text", err);
    }
    *ret = v->text;
    return true;
}

bool sl_yaml_i64(const struct sl_yaml *v, int64_t *ret, struct sl_err *err)
{
    if (!v || v->type != SL_YAML_SCALAR || v->quoted || !sl_str_to_i64(v->text, ret)) {
        return expected(v, "a whole number", err);
    }
    return true;
}

bool sl_yaml_bool(const struct sl_yaml *v, bool *ret, struct sl_err *err)
{
    bool yes = v && v->type == SL_YAML_SCALAR && !v->quoted && sl_str_ieqz(v->text, "true");
    if (!yes && (!v || v->type != SL_YAML_SCALAR || v->quoted || !sl_str_ieqz(v->text, "false"))) {
        return expected(v, "true or false", err);
    }
    *ret = yes;
    return true;
}
