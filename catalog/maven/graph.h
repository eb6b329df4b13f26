/* SPDX-License-Identifier: Apache-2.0
 * The graph of dependencies between its collecting (collect.c) and its mediation (mediate.c). Private to the resolver.
 * Nodes may share their list of children, also in circles. */
#ifndef SLUICE_CATALOG_MAVEN_GRAPH_H
#define SLUICE_CATALOG_MAVEN_GRAPH_H

#include "catalog/maven/resolve.h"
#include "catalog/maven/version.h"

/* Scopes are numbers, so that sets of them are bits. Others than these follow in the order of their sight. */
enum {
    MVN_COMPILE,
    MVN_RUNTIME,
    MVN_PROVIDED,
    MVN_TEST,
    MVN_SYSTEM,
    MVN_NO_SCOPE,
    MVN_OTHER_SCOPES,
    MVN_SCOPES = 64
};

struct mvn_node;
struct mvn_info { /* of a list, in one walk of the mediation */
    uint32_t depth;
    uint64_t scopes;
    uint8_t optionals;
    SL_VEC(struct mvn_item *) items;
};
struct mvn_list {
    struct mvn_node **v;
    size_t n, cap;
    bool open; /* on the way from the root to here */
    size_t walk;
    struct mvn_info info;
};
struct mvn_node {
    sl_str g, a, ext, classifier;
    struct mvn_version version;
    const struct mvn_constraint *constraint;
    sl_str key;     /* what conflicts with it: all but the version */
    sl_str *former; /* the same of what was relocated to it */
    size_t former_count;
    uint8_t scope;
    bool is_root, optional, managed_scope, managed_optional, seen;
    bool sorted; /* seen by the sorting of the groups */
    size_t group;
    struct mvn_list *children;
};
struct mvn_graph {
    struct mvn_models *models;
    struct mvn_node *root;
    sl_str scopes[MVN_SCOPES];
    size_t scope_count;
    size_t nodes;
};

/* Leaves one node of each artifact in the graph, with the scope it has for the consumer. Errors: version-conflict. */
SL_MUST_CHECK bool mvn_mediate(struct mvn_graph *g, struct sl_err *err);

#endif
