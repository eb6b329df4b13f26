/* SPDX-License-Identifier: Apache-2.0
 * The REST protocol of Flink's SQL gateway (/v1 to /v4, and without a version), as its own clients speak it: paths with a slash
 * too many, bodies on GET and DELETE, bodies of any content type, errors as Java's traces in a list. Its calls stand in the
 * table of routes under the tags flink-v1, flink-v2 and flink-v4 (the first version that has them). */
#ifndef SLUICE_API_FLINK_H
#define SLUICE_API_FLINK_H

#include "gateway/api/routes.h"
#include "gateway/session/session.h"

#define FLINK_NEWEST 4 /* version of the protocol that a path without one means */

/* Is the path one of the protocol's? *ret_path: without version and without slashes too many; in the arena. */
bool flink_path(struct sl_arena *a, sl_str path, sl_str *ret_path, int *ret_version);
/* The first version that has the route; 0: it is not of the protocol. */
int flink_since(const struct api_route *r);
/* What a request says becomes the parameters of its call: its body's members, the arguments, who asks and in which version. */
SL_MUST_CHECK bool flink_params(const struct front_request *q, const struct api_route *r, int version,
                                enum auth_role role, sl_str user, struct sl_arena *a, struct sl_json *params,
                                struct sl_err *err);
/* Its answer, ready to be sent: the result, or what went wrong. */
void flink_reply(sl_str result_json, struct front_reply *ret);
void flink_error_reply(const struct sl_err *err, struct sl_arena *a, struct front_reply *ret);

/* The shapes of its bodies and answers; every one of them, ends with NULL. */
extern const struct api_shape *const flink_shapes[];
extern const struct api_shape flink_info_answer, flink_versions_answer, flink_opened_answer,
    flink_config_answer, flink_closed_answer, flink_empty_answer, flink_candidates_answer,
    flink_executed_answer, flink_script_answer, flink_status_answer, flink_page_answer, flink_errors_answer;
/* Of the body that the route takes; NULL: it takes none. */
const struct api_shape *flink_given(const struct api_route *r);

/* --- for the calls */
void flink_who(struct api_call *c, struct ses_who *ret);
sl_str flink_param(struct api_call *c, const char *key);
/* {"a":1,"b":"x"} or null: a map whose values are text, whatever they were. False: it is none. */
SL_MUST_CHECK bool flink_map(struct api_call *c, const char *key, struct ses_pair **ret, size_t *ret_n,
                             struct sl_err *err);
/* "errors" of a failure in a call that does `deed` ("fetchResults"); `one`: those calls whose errors are one text. */
void flink_put_failure(struct sl_jw *result, struct sl_arena *a, const char *deed, bool one,
                       const struct ses_failure *f);
/* The same of an error of ours. True: the call has its answer; false: it is limit-user, which goes on as it is. */
bool flink_fail(struct api_call *c, struct sl_jw *result, const char *deed, bool one,
                const struct sl_err *err);
/* {"type":"INTEGER","nullable":true}; NULL: STRING. */
void flink_put_type(struct sl_jw *w, const struct res_type *t);

bool flink_info(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_versions(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_session_open(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_session_show(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_session_close(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_session_heartbeat(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_session_configure(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_session_complete(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_session_script(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_session_execute(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_operation_status(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_operation_cancel(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_operation_close(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool flink_operation_result(struct api_call *c, struct sl_jw *result, struct sl_err *err);

#endif
