/* SPDX-License-Identifier: Apache-2.0
 * Routes: which method and path is which call, with which parameters and for whom. The router, the checks of parameters and
 * openapi.json are made from such a table; that of /api/v1 is here. */
#ifndef SLUICE_API_ROUTES_H
#define SLUICE_API_ROUTES_H

#include "gateway/api/answers.h"
#include "gateway/api/api.h"
#include "gateway/front/front.h"

/* API_IN_BYTES: the body is not JSON but these bytes, read as they come (api_call_take). */
enum api_in { API_IN_PATH, API_IN_QUERY, API_IN_BODY, API_IN_BYTES };
struct api_param {
    const char *name; /* NULL ends a list */
    enum api_in in;
    /* "string", "integer", "boolean"; "string:a|b" takes these only, "array:Name" has elements of that shape (answers.h). */
    const char *type;
    bool required;
    const char *text;
};
/* Whether it answers with a stream of events where that is accepted. */
enum api_events {
    API_NO_EVENTS,
    API_EVENTS,  /* of what the call does: that belongs to its caller (parameter "owner") */
    API_FOLLOWS, /* of what is there: parameters "since", "follow" */
};
struct api_route {
    enum front_method method;
    const char *path;    /* "/api/v1/jobs/{job}/cancel"; NULL ends the table */
    const char *call;    /* name of the api_method */
    enum auth_role role; /* the least that may */
    const struct api_param *params;
    const char *tag; /* noun */
    enum api_events events;
    const struct api_shape *answer; /* &api_bytes_answer: no JSON but bytes */
    const struct api_shape *given;  /* of a body that the call reads itself; NULL: the parameters tell */
    int since;                      /* first version of its protocol that has it; Sluice's own: 0 */
};
extern const struct api_route api_routes[];

/* The route of a request, of a table. NULL: SL_NOT_FOUND, or SL_METHOD_NOT_ALLOWED with *ret_allow = "GET, POST" (static or arena).
 * The values of {names} in the path come as members of an object in the arena. */
const struct api_route *api_route_find(const struct api_route *routes, struct sl_arena *a,
                                       enum front_method method, sl_str path, struct sl_json **ret_params,
                                       const char **ret_allow, struct sl_err *err);
/* Does it bring bytes? */
bool api_route_brings(const struct api_route *r);
/* May its client wait for a time only, and be told then where to ask (202)? */
bool api_route_waits(const struct api_route *r);
/* Has it a parameter of that name? */
bool api_route_takes(const struct api_route *r, const char *name);
/* Is its parameter of that name a number that stands in the path? */
bool api_route_has_number(const struct api_route *r, sl_str name);
/* The least role that may make this call; AUTH_ADMIN for one without a route. */
enum auth_role api_role_of(const struct api_method *m);
/* Are these parameters those of the call (names and types)? For clients that are not this machine's owner. */
SL_MUST_CHECK bool api_params_check(const struct api_method *m, const struct sl_json *params,
                                    struct sl_err *err);
/* Does what the call makes belong to its caller (parameter "owner")? */
bool api_owns(const struct api_method *m);
/* Takes a member out. */
void api_params_drop(struct sl_json *object, const char *key);
/* The object "params" of a message, for adding to; an empty one when it has none. */
struct sl_json *api_params_of(struct sl_arena *a, struct sl_json *message);
/* Adds a member to an object made here. */
void api_params_add(struct sl_arena *a, struct sl_json *object, sl_str key, enum sl_json_type type,
                    sl_str text);
/* The value of a query argument as the route types it. False: usage. */
SL_MUST_CHECK bool api_params_arg(const struct api_route *r, struct sl_arena *a, struct sl_json *object,
                                  sl_str arg, struct sl_err *err);

#endif
