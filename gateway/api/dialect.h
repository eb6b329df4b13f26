/* SPDX-License-Identifier: Apache-2.0
 * What is spoken at the listener: a table of calls, a table of routes, and how a request becomes parameters and a result an
 * answer. Sluice's own API is one dialect; protocols of others are rooms above this one (gateway/flinkgw) and are given to the
 * owner when it starts. */
#ifndef SLUICE_API_DIALECT_H
#define SLUICE_API_DIALECT_H

#include "gateway/api/routes.h"

struct api_dialect {
    const struct api_method *methods; /* end with name == NULL */
    const struct api_route *routes;   /* end with path == NULL */
    /* OpenAPI 3.1 of it: where it is served, its title, its servers (a JSON array; NULL: this one), the shapes that its routes
     * name (end with NULL), and that of its errors with their content type. */
    const char *document, *title, *servers;
    const struct api_shape *const *shapes;
    const struct api_shape *error;
    const char *error_type;
    /* Is the path one of its own? *ret_path: as its routes have it, in the arena; *ret_version: of the protocol. NULL: all that
     * no other has. */
    bool (*path)(struct sl_arena *a, sl_str path, sl_str *ret_path, int *ret_version);
    /* What a request says becomes members of `params`, which has those of the path. NULL: as the route's parameters tell. */
    bool (*params)(const struct front_request *q, const struct api_route *r, int version, struct sl_arena *a,
                   struct sl_json *params, struct sl_err *err);
    /* Its answer, ready to be sent; result_json lives as long as the reply. NULL: the result object itself. */
    void (*reply)(sl_str result_json, struct front_reply *ret);
    /* What went wrong, its body in the arena. */
    void (*problem)(const struct sl_err *err, struct sl_arena *a, struct front_reply *ret);
};
extern const struct api_dialect api_own_dialect;

/* Whose the path is: one of `others` (ends with NULL; NULL: there are none) or Sluice's own. */
const struct api_dialect *api_dialect_of(const struct api_dialect *const *others, struct sl_arena *a,
                                         sl_str path, sl_str *ret_path, int *ret_version);
void api_openapi(const struct api_dialect *d, struct sl_buf *out);

#endif
