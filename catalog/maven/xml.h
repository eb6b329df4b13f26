/* SPDX-License-Identifier: Apache-2.0
 * XML of Maven's world (POMs, metadata, settings) as a small tree, from expat, with limits. A DOCTYPE is refused:
 * nothing of Maven needs one, and it is the door to entity bombs and foreign files. Attributes are dropped. */
#ifndef SLUICE_CATALOG_MAVEN_XML_H
#define SLUICE_CATALOG_MAVEN_XML_H

#include "base/arena.h"
#include "base/err.h"

struct mvn_xml {
    sl_str name, text; /* text: all character data directly inside */
    struct mvn_xml *child, *last, *next;
};
enum mvn_read {
    MVN_READ_OK,
    MVN_READ_INVALID, /* no XML, or not what it should be: err.msg says why */
    MVN_READ_REFUSED, /* err: pom-doctype, pom-too-large */
};

/* `skip`: does the content of this element of that one interest nobody? NULL: all of it does. The tree lives in the
 * arena. */
enum mvn_read mvn_xml_parse(struct sl_arena *a, sl_str text, bool (*skip)(sl_str in, sl_str name),
                            struct mvn_xml **ret, struct sl_err *err);
/* The first child of that name, or NULL; `x` may be NULL. */
const struct mvn_xml *mvn_xml_get(const struct mvn_xml *x, const char *name);
/* Its text without blanks at both ends; p NULL when there is no such child. */
sl_str mvn_xml_text(const struct mvn_xml *x, const char *name);
#define MVN_XML_EACH(it, parent)                                                                             \
    for (const struct mvn_xml *it = (parent) ? (parent)->child : NULL; it; it = it->next)

#endif
