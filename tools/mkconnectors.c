/* SPDX-License-Identifier: Apache-2.0
 * Build tool: turns the files of catalog/connectors/ into the tables of catalog/connectors.c.
 *   mkconnectors FILE.yaml... > connectors.inc */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/connectors.h"

static void put_str(sl_str s)
{
    putchar('{');
    if (!s.n) {
        fputs("NULL, 0}", stdout);
        return;
    }
    putchar('"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\') {
            printf("\\%c", c);
        } else if (c < 0x20 || c >= 0x7f || c == '?') {
            printf("\\%03o", c);
        } else {
            putchar(c);
        }
    }
    printf("\", %zu}", s.n);
}

static void put_texts(const sl_str *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_str(v[i]);
        fputs(", ", stdout);
    }
}

static void put_family(const struct cat_family *f, size_t at)
{
    for (size_t i = 0; i < f->n_services; i++) {
        const struct cat_service *s = &f->services[i];
        if (!s->n_options) {
            continue;
        }
        printf("static const struct cat_service_option options_%zu_%zu[] = {\n", at, i);
        for (size_t k = 0; k < s->n_options; k++) {
            const struct cat_service_option *o = &s->options[k];
            const sl_str texts[] = {o->key, o->type, o->standard, o->words, o->suggest, o->fallback, o->help};
            fputs("{", stdout);
            put_texts(texts, SL_ARRAY_LEN(texts));
            printf("%d, %s},\n", o->flink, o->required ? "true" : "false");
        }
        puts("};");
    }
    if (f->n_services) {
        printf("static const struct cat_service services_%zu[] = {\n", at);
        for (size_t i = 0; i < f->n_services; i++) {
            const struct cat_service *s = &f->services[i];
            const sl_str texts[] = {s->prefixes, s->one_of};
            printf("{(enum cat_service_kind)%d, ", (int)s->kind);
            put_str(s->name);
            printf(", %d, %d, %s, %s, ", s->flink, s->roles, s->open ? "true" : "false",
                   s->free ? "true" : "false");
            put_texts(texts, SL_ARRAY_LEN(texts));
            if (s->n_options) {
                printf("options_%zu_%zu, ", at, i);
            } else {
                fputs("NULL, ", stdout);
            }
            printf("%zu, &families[%zu]},\n", s->n_options, at);
        }
        puts("};");
    }
    if (f->n_jars) {
        printf("static const struct cat_jar jars_%zu[] = {\n", at);
        for (size_t i = 0; i < f->n_jars; i++) {
            const sl_str texts[] = {f->jars[i].coordinate, f->jars[i].database};
            fputs("{", stdout);
            put_texts(texts, SL_ARRAY_LEN(texts));
            printf("(enum cat_jar_how)%d, %d},\n", (int)f->jars[i].how, f->jars[i].flink);
        }
        puts("};");
    }
}

static struct cat_family *load(struct sl_arena *a, const char *path)
{
    static char text[1 << 20];
    struct sl_err err = SL_ERR_INIT;
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(text, 1, sizeof(text), file) : 0;
    if (!file || n == sizeof(text)) {
        fprintf(stderr, "mkconnectors: cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    sl_str name = sl_str_of(strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
    name.n -= sl_str_ends(name, SL_STR(".yaml")) ? 5 : 0;
    struct cat_family *f = cat_family_read(a, name, sl_str_dup(a, (sl_str){text, n}), &err);
    if (!f) {
        fprintf(stderr, "%s:%u:%u: %s\n", path, err.pos.line, err.pos.col, err.msg);
        exit(1);
    }
    return f;
}

int main(int argc, char **argv)
{
    struct sl_arena a = {0};
    struct cat_family **all = sl_new_n(&a, struct cat_family *, argc);
    size_t n = (size_t)argc - 1;
    printf("static const struct cat_family families[%zu];\n", n);
    for (size_t i = 0; i < n; i++) {
        all[i] = load(&a, argv[i + 1]);
        put_family(all[i], i);
    }
    printf("static const struct cat_family families[%zu] = {\n", n);
    for (size_t i = 0; i < n; i++) {
        const struct cat_family *f = all[i];
        const sl_str texts[] = {f->name, f->title};
        fputs("{", stdout);
        put_texts(texts, SL_ARRAY_LEN(texts));
        printf("%s, ", f->distribution ? "true" : "false");
        if (f->n_jars) {
            printf("jars_%zu, %zu, ", i, f->n_jars);
        } else {
            fputs("NULL, 0, ", stdout);
        }
        if (f->n_services) {
            printf("services_%zu, %zu},\n", i, f->n_services);
        } else {
            puts("NULL, 0},");
        }
    }
    puts("};");
    sl_arena_release(&a);
    return fflush(stdout) == 0 ? 0 : 1;
}
