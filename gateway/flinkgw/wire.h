/* SPDX-License-Identifier: Apache-2.0
 * Inside of the room: paths, bodies and errors of the protocol, its shapes, and its calls. */
#ifndef SLUICE_FLINKGW_WIRE_H
#define SLUICE_FLINKGW_WIRE_H

#include "gateway/flinkgw/flinkgw.h"
#include "gateway/session/session.h"

#define FGW_NEWEST 4 /* version of the protocol that a path without one means */

/* Is the path one of the protocol's? *ret_path: without version and without slashes too many; in the arena.
 * *ret_version 0: that version has no such path. */
bool fgw_path(struct sl_arena *a, sl_str path, sl_str *ret_path, int *ret_version);
/* What a request says becomes the parameters of its call: its body's members, the arguments, and in which version. */
SL_MUST_CHECK bool fgw_params(const struct front_request *q, const struct api_route *r, int version,
                              struct sl_arena *a, struct sl_json *params, struct sl_err *err);
/* False: a value in a path or in its arguments that is none, said as Flink's gateway says it (status 400). kind: "path", "query". */
bool fgw_bad_param(const char *kind, const char *name, sl_str value, struct sl_err *err);
/* Its answer, ready to be sent: the result, or what went wrong. */
void fgw_reply(sl_str result_json, struct front_reply *ret);
void fgw_problem(const struct sl_err *err, struct sl_arena *a, struct front_reply *ret);

/* The shapes of its bodies and answers; every one of them, ends with NULL. */
extern const struct api_shape *const fgw_shapes[];
extern const struct api_shape fgw_info_answer, fgw_versions_answer, fgw_opened_answer, fgw_config_answer,
    fgw_closed_answer, fgw_empty_answer, fgw_candidates_answer, fgw_executed_answer, fgw_script_answer,
    fgw_status_answer, fgw_page_answer, fgw_errors_answer, fgw_workflow_answer, fgw_open_given,
    fgw_configure_given, fgw_complete_given, fgw_execute_given, fgw_script_given, fgw_refresh_given,
    fgw_create_given, fgw_workflow_given;

/* --- for the calls */
sl_str fgw_param(struct api_call *c, const char *key);
/* {"a":1,"b":"x"} or null: a map whose values are text, whatever they were. False: it is none. */
SL_MUST_CHECK bool fgw_map(struct api_call *c, const char *key, struct ses_pair **ret, size_t *ret_n,
                           struct sl_err *err);
/* "errors" of a failure in a call that does `deed` ("fetchResults"); `one`: those calls whose errors are one text. */
void fgw_put_failure(struct sl_jw *result, struct sl_arena *a, const char *deed, bool one,
                     const struct ses_failure *f);
/* The same of an error of ours. True: the call has its answer; false: it is limit-user, which goes on as it is. */
bool fgw_fail(struct api_call *c, struct sl_jw *result, const char *deed, bool one, const struct sl_err *err);
/* {"type":"INTEGER","nullable":true}; NULL: STRING. */
void fgw_put_type(struct sl_jw *w, const struct res_type *t);

bool fgw_info(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_versions(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_session_open(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_session_show(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_session_close(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_session_heartbeat(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_session_configure(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_session_complete(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_session_script(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_session_execute(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_operation_status(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_operation_cancel(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_operation_close(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_operation_result(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool fgw_refused(struct api_call *c, struct sl_jw *result, struct sl_err *err);

#endif
