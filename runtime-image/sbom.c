/* SPDX-License-Identifier: Apache-2.0
 * Components are the jars, with their coordinates as package URLs; what is packed into a jar is a component of it. */
#include "runtime-image/sbom.h"

#include "base/json.h"
#include "catalog/connectors.h"
#include "catalog/jar.h"

static void put_purl(struct sl_jw *w, struct sl_arena *a, sl_str g, sl_str artifact, sl_str v,
                     sl_str classifier)
{
    sl_jw_kstr(w, "purl",
               sl_arena_printf(a, "pkg:maven/%.*s/%.*s@%.*s?%s%.*s%stype=jar", SL_S(g), SL_S(artifact),
                               SL_S(v), classifier.n ? "classifier=" : "", SL_S(classifier),
                               classifier.n ? "&" : ""));
}

static void put_bundled(struct sl_jw *w, struct sl_arena *a, const struct cat_jar_index *index)
{
    if (!index->bundled.n) {
        return;
    }
    sl_jw_key(w, "components");
    sl_jw_array(w);
    for (size_t i = 0; i < index->bundled.n; i++) {
        const struct cat_bundled *x = &index->bundled.v[i];
        sl_jw_object(w);
        sl_jw_kstrz(w, "type", "library");
        sl_jw_kstr(w, "group", x->g);
        sl_jw_kstr(w, "name", x->a);
        sl_jw_kstr(w, "version", x->v);
        put_purl(w, a, x->g, x->a, x->v, SL_STR_NONE);
        sl_jw_end_object(w);
    }
    sl_jw_end_array(w);
}

/* g:a:ext:classifier:v, as a jar's origin is written. */
static void put_names(struct sl_jw *w, struct sl_arena *a, const struct img_entry *e)
{
    sl_str part[5] = {{0}}, file = e->path;
    size_t n = 0;
    for (size_t i = 0; i <= e->origin.n && e->origin.n && n < 5; n++) {
        sl_str rest = sl_str_sub(e->origin, i, e->origin.n - i);
        ptrdiff_t colon = sl_str_find_char(rest, ':');
        part[n] = sl_str_sub(rest, 0, colon < 0 ? rest.n : (size_t)colon);
        i += part[n].n + 1;
    }
    for (size_t i = file.n; i > 0; i--) {
        if (file.p[i - 1] == '/') {
            file = sl_str_sub(file, i, file.n - i);
            break;
        }
    }
    if (n == 5) {
        sl_jw_kstr(w, "group", part[0]);
        sl_jw_kstr(w, "name", part[1]);
        sl_jw_kstr(w, "version", part[4]);
        put_purl(w, a, part[0], part[1], part[4], part[3]);
    } else {
        sl_jw_kstr(w, "name", file);
    }
}

static bool put_jar(struct sl_jw *w, const struct img_entry *e, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct cat_jar_index index = {0};
    if (!cat_jar_read(&a, e->source, &index, err)) {
        return false;
    }
    sl_jw_object(w);
    sl_jw_kstrz(w, "type", "library");
    sl_jw_kstr(w, "bom-ref", e->path);
    put_names(w, &a, e);
    sl_jw_key(w, "hashes");
    sl_jw_array(w);
    sl_jw_object(w);
    sl_jw_kstrz(w, "alg", "SHA-256");
    sl_jw_kstrz(w, "content", e->sha256);
    sl_jw_end_object(w);
    sl_jw_end_array(w);
    put_bundled(w, &a, &index);
    sl_jw_end_object(w);
    return true;
}

bool img_sbom_write(const struct img_content *c, sl_str name, struct sl_buf *b, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct sl_jw w;
    const char *hex = c->digest + 7;
    bool ok = true;
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "bomFormat", "CycloneDX");
    sl_jw_kstrz(&w, "specVersion", "1.6");
    /* RFC 9562, version 8: of our own making, from the digest */
    sl_jw_kstr(&w, "serialNumber",
               sl_arena_printf(&a, "urn:uuid:%.8s-%.4s-8%.3s-8%.3s-%.12s", hex, hex + 8, hex + 12, hex + 15,
                               hex + 18));
    sl_jw_ki64(&w, "version", 1);
    sl_jw_key(&w, "metadata");
    sl_jw_object(&w);
    sl_jw_key(&w, "component");
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "type", "container");
    sl_jw_kstr(&w, "name", name);
    sl_jw_kstrz(&w, "version", c->digest);
    sl_jw_end_object(&w);
    sl_jw_end_object(&w);
    sl_jw_key(&w, "components");
    sl_jw_array(&w);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "type", "application");
    sl_jw_kstrz(&w, "bom-ref", "flink");
    sl_jw_kstrz(&w, "name", "Apache Flink");
    sl_jw_kstr(&w, "version", c->flink);
    sl_jw_end_object(&w);
    for (size_t i = 0; ok && i < c->entries.n; i++) {
        const struct img_entry *e = &c->entries.v[i];
        if (e->kind == IMG_FILE && sl_str_ends(e->path, SL_STR(".jar"))) {
            ok = put_jar(&w, e, err);
        }
    }
    if (ok) {
        sl_jw_end_array(&w);
        sl_jw_end_object(&w);
        sl_buf_putc(b, '\n');
    }
    return ok;
}
