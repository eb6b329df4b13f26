/* SPDX-License-Identifier: Apache-2.0
 * The manifest of connectors: which connectors, formats, catalogs, modules and file systems there are for which Flink, in
 * which jars of Maven repositories they come, and which options they take. Made of catalog/connectors/, one file a family
 * (docs/connectors.md), and of files of users, which are added once before threads are started. All of it is read-only. */
#ifndef SLUICE_CATALOG_CONNECTORS_H
#define SLUICE_CATALOG_CONNECTORS_H

#include "base/arena.h"
#include "base/err.h"

enum cat_service_kind {
    CAT_SERVICE_CONNECTOR,
    CAT_SERVICE_FORMAT,
    CAT_SERVICE_CATALOG,
    CAT_SERVICE_MODULE,
    CAT_SERVICE_MODEL,
    CAT_SERVICE_FILESYSTEM,
    CAT_SERVICE_KINDS
};
enum {
    CAT_ROLE_SOURCE = 1,
    CAT_ROLE_SINK = 2,
    CAT_ROLE_DECODE = 4,
    CAT_ROLE_ENCODE = 8,
    CAT_ROLE_ROW = 16,  /* a format of single records */
    CAT_ROLE_BULK = 32, /* a format of whole files */
};

/* Texts that are lists have their elements parted by '|'. `flink`: a set of bits, cat_flink_bit(). */
struct cat_service_option {
    sl_str key;      /* a '#' stands for any part between dots */
    sl_str type;     /* as catalog/setting.h knows them, "Map" (key.anything), or an enumeration's name */
    sl_str standard; /* its default; empty: none */
    sl_str words;    /* of an enumeration, in full */
    sl_str suggest;  /* of others: what is often meant */
    sl_str fallback; /* keys that stand for it too */
    sl_str help;     /* a sentence; may be empty */
    uint8_t flink;
    bool required;
};
struct cat_family;
struct cat_service {
    enum cat_service_kind kind;
    sl_str name;     /* "kafka": what a script writes; a scheme of a file system */
    uint8_t flink;   /* versions it is there for */
    uint8_t roles;   /* CAT_ROLE_... */
    bool open;       /* keys that are not listed may be right */
    bool free;       /* a connector that leaves keys of its format alone, right or wrong */
    sl_str prefixes; /* "properties.": under these any key is taken */
    sl_str one_of;   /* "topic|topic-pattern;format|value.format": of each set one must be given */
    const struct cat_service_option *options; /* sorted by key; a key may come once for each form it has */
    size_t n_options;
    const struct cat_family *family;
};
enum cat_jar_how {
    CAT_JAR_FAT,    /* alone: it brings all it needs */
    CAT_JAR_THIN,   /* with what its POM asks for */
    CAT_JAR_PLUGIN, /* alone, in a folder of its own below plugins/ */
    CAT_JAR_BESIDE, /* alone, beside the others */
    CAT_JAR_DRIVER, /* of `database` */
    CAT_JAR_MODULE, /* of `database`: what the connector needs for it */
};
struct cat_jar {
    sl_str coordinate; /* group:artifact:version */
    sl_str database;   /* as a JDBC URL names it */
    enum cat_jar_how how;
    uint8_t flink;
};
struct cat_family {
    sl_str name;       /* of its file */
    sl_str title;      /* "Apache Kafka" */
    bool distribution; /* in Flink's own lib/ */
    const struct cat_jar *jars;
    size_t n_jars;
    const struct cat_service *services;
    size_t n_services;
};

/* `version`: as sql_version. 0: of none that the manifest knows. */
uint8_t cat_flink_bit(unsigned version);
/* "1.20" ...; NULL behind the last. */
const char *cat_flink_bit_name(unsigned i);
const char *cat_service_kind_name(enum cat_service_kind k);

/* Family number i, those of users first; NULL behind the last. */
const struct cat_family *cat_family_at(size_t i);
/* Adds a family before all others; it must stay. Not while other threads run. */
void cat_family_add(const struct cat_family *f);
/* Are there tables for this version? Without them nothing can be said. */
bool cat_services_have(unsigned version);
/* What is called so, for that version (0: for any). NULL: not known. */
const struct cat_service *cat_service(unsigned version, enum cat_service_kind kind, sl_str name);
/* The option a key stands for, by its own name or another one. NULL: it has none of that name. */
const struct cat_service_option *cat_service_option(const struct cat_service *s, unsigned version,
                                                    sl_str key);
/* Does it take the key: an option, below one that takes a map, or below a prefix? */
bool cat_service_takes(const struct cat_service *s, unsigned version, sl_str key);
/* The element of a list at *at ("a|b|c"); false behind the last. */
bool cat_next_word(sl_str list, char separator, size_t *at, sl_str *ret);

/* connectors_read.c: a family's file. Error: SL_YAML with the position. The text must stay as long as the family. */
SL_MUST_CHECK struct cat_family *cat_family_read(struct sl_arena *a, sl_str name, sl_str text,
                                                 struct sl_err *err);

#endif
