/* SPDX-License-Identifier: Apache-2.0
 * /api/v1 over HTTP: a request becomes a call by the table of routes; its answer is the result object, problem details
 * (RFC 9457), or, where a route has events and the client accepts them, a stream of server-sent events. */
#ifndef SLUICE_API_REST_H
#define SLUICE_API_REST_H

#include "gateway/api/routes.h"

struct api_rest;
struct api_rest *api_rest_new(struct api *a);
void api_rest_free(struct api_rest *r);
/* Where its answers go; before the first request. */
void api_rest_serve(struct api_rest *r, struct front *f);
/* Loop thread: a request of somebody who has this role; `user` names him in the log and owns what he submits. */
void api_rest_request(struct api_rest *r, const struct front_request *q, enum auth_role role, sl_str user);
/* Loop thread: tells those who have waited as long as they would where to ask on. Is anybody waiting still? It is to be called often
 * while that is so; also after each request. */
bool api_rest_tick(struct api_rest *r);
/* Loop thread: most bytes of a body that is not kept whole; 0: it is (front_ops.upload). */
uint64_t api_rest_upload(const struct front_request *q);
/* Loop thread: its client has gone. */
void api_rest_gone(struct api_rest *r, uint64_t id);
/* Answers with problem details. Any thread. */
void api_problem(struct front *f, uint64_t id, const struct sl_err *err, const char *headers);
/* The same as a reply, its body in the arena. */
void api_problem_reply(const struct sl_err *err, struct sl_arena *a, struct front_reply *ret);

#endif
