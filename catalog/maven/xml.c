/* SPDX-License-Identifier: Apache-2.0
 * The tree of an XML document. Names of entities that only a DOCTYPE would declare (&oslash; in the names of
 * developers) are dropped as Maven's own reader takes them without one. */
#include "catalog/maven/xml.h"
#include "base/limits.h"

#include <expat.h>

struct reader {
    struct sl_arena *a;
    XML_Parser p;
    struct mvn_xml *stack[SL_LIMIT_POM_DEPTH];
    size_t depth, skipped; /* skipped: open elements whose content is dropped */
    size_t elements;
    struct mvn_xml *root;
    bool (*skip)(sl_str in, sl_str name);
    struct sl_err *err;
    bool refused;
    char *text; /* of the innermost element, while it grows */
    size_t n, cap;
};

static void refuse(struct reader *r, enum sl_code code, const char *what)
{
    if (!r->refused) {
        sl_fail(r->err, code, "%s", what);
        r->refused = true;
    }
    XML_StopParser(r->p, XML_FALSE);
}

static void on_doctype(void *ctx, const XML_Char *name, const XML_Char *system, const XML_Char *public,
                       int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    refuse(ctx, SL_POM_DOCTYPE, "it has a DOCTYPE");
}

static void flush(struct reader *r)
{
    if (r->n && r->depth) {
        struct mvn_xml *x = r->stack[r->depth - 1];
        char *all = sl_arena_alloc(r->a, x->text.n + r->n + 1);
        if (x->text.n) {
            memcpy(all, x->text.p, x->text.n);
        }
        memcpy(all + x->text.n, r->text, r->n);
        all[x->text.n + r->n] = 0;
        x->text = (sl_str){all, x->text.n + r->n};
    }
    r->n = 0;
}

static bool blank(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] > ' ') {
            return false;
        }
    }
    return true;
}

static void on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    (void)attributes;
    struct reader *r = ctx;
    if (++r->elements > SL_LIMIT_POM_ELEMENTS) {
        refuse(r, SL_POM_TOO_LARGE, "it has too many elements");
        return;
    }
    if (r->depth + r->skipped >= SL_LIMIT_POM_DEPTH) {
        refuse(r, SL_POM_TOO_LARGE, "its elements are nested too deeply");
        return;
    }
    if (r->skipped) {
        r->skipped++;
        return;
    }
    if (blank(r->text, r->n)) {
        r->n = 0; /* what stands between elements says nothing */
    }
    flush(r);
    struct mvn_xml *x = sl_new(r->a, struct mvn_xml);
    x->name = sl_str_dup(r->a, sl_str_of(name));
    x->text = SL_STR("");
    struct mvn_xml *in = r->depth ? r->stack[r->depth - 1] : NULL;
    if (!in) {
        r->root = x;
    } else if (in->last) {
        in->last = in->last->next = x;
    } else {
        in->child = in->last = x;
    }
    if (in && r->skip && r->skip(in->name, x->name)) {
        r->skipped = 1;
        return;
    }
    r->stack[r->depth++] = x;
}

static void on_end(void *ctx, const XML_Char *name)
{
    (void)name;
    struct reader *r = ctx;
    if (r->skipped) {
        r->skipped--;
        return;
    }
    flush(r);
    r->depth--;
}

static void on_text(void *ctx, const XML_Char *s, int len)
{
    struct reader *r = ctx;
    if (r->skipped || len <= 0) {
        return;
    }
    if (r->n + (size_t)len > r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 256;
        while (cap < r->n + (size_t)len) {
            cap *= 2;
        }
        char *to = sl_arena_alloc(r->a, cap);
        if (r->n) {
            memcpy(to, r->text, r->n);
        }
        r->text = to;
        r->cap = cap;
    }
    memcpy(r->text + r->n, s, (size_t)len);
    r->n += (size_t)len;
}

/* Asked for the foreign DTD that makes unknown entities harmless: an empty one. */
static int on_external(XML_Parser p, const XML_Char *context, const XML_Char *base, const XML_Char *system,
                       const XML_Char *public)
{
    (void)base, (void)public;
    XML_Parser inner = system ? NULL : XML_ExternalEntityParserCreate(p, context, NULL);
    enum XML_Status ok = inner ? XML_Parse(inner, "", 0, 1) : XML_STATUS_ERROR;
    if (inner) {
        XML_ParserFree(inner);
    }
    return (int)ok;
}

/* Encodings of one byte that expat does not know are read as Latin-1: names and versions are ASCII. */
static int on_encoding(void *ctx, const XML_Char *name, XML_Encoding *info)
{
    (void)ctx, (void)name;
    for (int i = 0; i < 256; i++) {
        info->map[i] = i;
    }
    info->data = NULL;
    info->convert = NULL;
    info->release = NULL;
    return XML_STATUS_OK;
}

enum mvn_read mvn_xml_parse(struct sl_arena *a, sl_str text, bool (*skip)(sl_str in, sl_str name),
                            struct mvn_xml **ret, struct sl_err *err)
{
    if (text.n > sl_limits.pom_bytes) {
        sl_fail(err, SL_POM_TOO_LARGE, "it has more than %s", SL_SIZE(sl_limits.pom_bytes));
        return MVN_READ_REFUSED;
    }
    struct reader r = {.a = a, .skip = skip, .err = err};
    r.p = XML_ParserCreate(NULL);
    if (!r.p) {
        sl_fail(err, SL_NO_MEMORY, "no memory for an XML reader");
        return MVN_READ_REFUSED;
    }
    XML_SetUserData(r.p, &r);
    XML_SetElementHandler(r.p, on_start, on_end);
    XML_SetCharacterDataHandler(r.p, on_text);
    XML_SetStartDoctypeDeclHandler(r.p, on_doctype);
    XML_SetUnknownEncodingHandler(r.p, on_encoding, NULL);
    XML_SetExternalEntityRefHandler(r.p, on_external);
    XML_SetParamEntityParsing(r.p, XML_PARAM_ENTITY_PARSING_ALWAYS);
    XML_UseForeignDTD(r.p, XML_TRUE);
    enum XML_Status status = XML_Parse(r.p, text.p ? text.p : "", (int)text.n, 1);
    enum mvn_read result = MVN_READ_OK;
    if (r.refused) {
        result = MVN_READ_REFUSED;
    } else if (status != XML_STATUS_OK || !r.root) {
        sl_fail(err, SL_POM_INVALID, "it is no XML: %s at line %lu", XML_ErrorString(XML_GetErrorCode(r.p)),
                (unsigned long)XML_GetCurrentLineNumber(r.p));
        result = MVN_READ_INVALID;
    } else {
        *ret = r.root;
    }
    XML_ParserFree(r.p);
    return result;
}

const struct mvn_xml *mvn_xml_get(const struct mvn_xml *x, const char *name)
{
    MVN_XML_EACH(c, x)
    {
        if (sl_str_eqz(c->name, name)) {
            return c;
        }
    }
    return NULL;
}

sl_str mvn_xml_text(const struct mvn_xml *x, const char *name)
{
    const struct mvn_xml *c = mvn_xml_get(x, name);
    if (!c) {
        return SL_STR_NONE;
    }
    sl_str t = c->text;
    while (t.n && (unsigned char)t.p[0] <= ' ') {
        t = sl_str_sub(t, 1, t.n - 1);
    }
    while (t.n && (unsigned char)t.p[t.n - 1] <= ' ') {
        t.n--;
    }
    return t;
}
