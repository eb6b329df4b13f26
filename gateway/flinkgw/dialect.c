/* SPDX-License-Identifier: Apache-2.0
 * The protocol as a dialect: its calls and its routes, without the version in front. */
#include "gateway/flinkgw/wire.h"

#define OF_SESSION                                                                                           \
    {                                                                                                        \
        "session", API_IN_PATH, "string", true, "handle of a session"                                        \
    }
#define OF_OPERATION                                                                                         \
    OF_SESSION,                                                                                              \
    {                                                                                                        \
        "operation", API_IN_PATH, "string", true, "handle of an operation"                                   \
    }
static const struct api_param none[] = {{0}};
static const struct api_param of_session[] = {
    OF_SESSION,
    {0},
};
static const struct api_param of_table[] = {
    OF_SESSION,
    {"identifier", API_IN_PATH, "string", true, "name of a materialized table"},
    {0},
};
static const struct api_param of_operation[] = {
    OF_OPERATION,
    {0},
};
static const struct api_param of_page[] = {
    OF_OPERATION,
    {"token", API_IN_PATH, "integer", true, "number of the page"},
    {"rowFormat", API_IN_QUERY, "string:JSON|PLAIN_TEXT", false, "JSON (default) or PLAIN_TEXT"},
    {0},
};

static const struct api_method methods[] = {
    {"flink.info", fgw_info, API_QUICK, "what speaks Flink's protocol"},
    {"flink.versions", fgw_versions, API_QUICK, "versions of Flink's protocol that clients are told"},
    {"flink.session.open", fgw_session_open, API_QUICK, "a new session"},
    {"flink.session.show", fgw_session_show, API_QUICK, "configuration of a session"},
    {"flink.session.close", fgw_session_close, API_WAITS, "end a session and its SELECTs"},
    {"flink.session.heartbeat", fgw_session_heartbeat, API_QUICK, "a session is still in use"},
    {"flink.session.configure", fgw_session_configure, API_WAITS, "run a statement that changes the session"},
    {"flink.session.complete", fgw_session_complete, API_QUICK, "what could stand at a place of a statement"},
    {"flink.session.execute", fgw_session_execute, API_QUICK, "run a statement"},
    {"flink.session.script", fgw_session_script, API_LONG, "run a script as an application of its own"},
    {"flink.table.refresh", fgw_refused, API_QUICK, "refresh a materialized table; refused"},
    {"flink.workflow.create", fgw_refused, API_QUICK, "a schedule of refreshes; refused"},
    {"flink.workflow.suspend", fgw_refused, API_QUICK, "suspend a schedule; refused"},
    {"flink.workflow.resume", fgw_refused, API_QUICK, "resume a schedule; refused"},
    {"flink.workflow.delete", fgw_refused, API_QUICK, "delete a schedule; refused"},
    {"flink.operation.status", fgw_operation_status, API_QUICK, "how far a statement is"},
    {"flink.operation.cancel", fgw_operation_cancel, API_WAITS, "give a statement up"},
    {"flink.operation.close", fgw_operation_close, API_WAITS, "forget a statement; ends its SELECT"},
    {"flink.operation.result", fgw_operation_result, API_WAITS, "a page of a statement's answer"},
    {NULL, NULL, API_QUICK, NULL},
};

static const struct api_route routes[] = {
    {FRONT_GET, "/info", "flink.info", AUTH_VIEWER, none, "flink-v1", API_NO_EVENTS, &fgw_info_answer, NULL,
     1},
    {FRONT_GET, "/api_versions", "flink.versions", AUTH_VIEWER, none, "flink-v1", API_NO_EVENTS,
     &fgw_versions_answer, NULL, 1},
    {FRONT_POST, "/sessions", "flink.session.open", AUTH_ANALYST, none, "flink-v1", API_NO_EVENTS,
     &fgw_opened_answer, &fgw_open_given, 1},
    {FRONT_GET, "/sessions/{session}", "flink.session.show", AUTH_ANALYST, of_session, "flink-v1",
     API_NO_EVENTS, &fgw_config_answer, NULL, 1},
    {FRONT_DELETE, "/sessions/{session}", "flink.session.close", AUTH_ANALYST, of_session, "flink-v1",
     API_NO_EVENTS, &fgw_closed_answer, NULL, 1},
    {FRONT_POST, "/sessions/{session}/heartbeat", "flink.session.heartbeat", AUTH_ANALYST, of_session,
     "flink-v1", API_NO_EVENTS, &fgw_empty_answer, NULL, 1},
    {FRONT_POST, "/sessions/{session}/configure-session", "flink.session.configure", AUTH_ANALYST, of_session,
     "flink-v2", API_NO_EVENTS, &fgw_empty_answer, &fgw_configure_given, 2},
    {FRONT_GET, "/sessions/{session}/complete-statement", "flink.session.complete", AUTH_ANALYST, of_session,
     "flink-v2", API_NO_EVENTS, &fgw_candidates_answer, &fgw_complete_given, 2},
    {FRONT_POST, "/sessions/{session}/statements", "flink.session.execute", AUTH_ANALYST, of_session,
     "flink-v1", API_NO_EVENTS, &fgw_executed_answer, &fgw_execute_given, 1},
    {FRONT_POST, "/sessions/{session}/scripts", "flink.session.script", AUTH_OPERATOR, of_session, "flink-v4",
     API_NO_EVENTS, &fgw_script_answer, &fgw_script_given, 4},
    {FRONT_GET, "/sessions/{session}/operations/{operation}/status", "flink.operation.status", AUTH_ANALYST,
     of_operation, "flink-v1", API_NO_EVENTS, &fgw_status_answer, NULL, 1},
    {FRONT_POST, "/sessions/{session}/operations/{operation}/cancel", "flink.operation.cancel", AUTH_ANALYST,
     of_operation, "flink-v1", API_NO_EVENTS, &fgw_status_answer, NULL, 1},
    {FRONT_DELETE, "/sessions/{session}/operations/{operation}/close", "flink.operation.close", AUTH_ANALYST,
     of_operation, "flink-v1", API_NO_EVENTS, &fgw_status_answer, NULL, 1},
    {FRONT_GET, "/sessions/{session}/operations/{operation}/result/{token}", "flink.operation.result",
     AUTH_ANALYST, of_page, "flink-v1", API_NO_EVENTS, &fgw_page_answer, NULL, 1},
    {FRONT_POST, "/sessions/{session}/materialized-tables/{identifier}/refresh", "flink.table.refresh",
     AUTH_ANALYST, of_table, "flink-v3", API_NO_EVENTS, &fgw_executed_answer, &fgw_refresh_given, 3},
    {FRONT_POST, "/workflow/embedded-scheduler/create", "flink.workflow.create", AUTH_ANALYST, none,
     "flink-v3", API_NO_EVENTS, &fgw_workflow_answer, &fgw_create_given, 3},
    {FRONT_POST, "/workflow/embedded-scheduler/suspend", "flink.workflow.suspend", AUTH_ANALYST, none,
     "flink-v3", API_NO_EVENTS, &fgw_empty_answer, &fgw_workflow_given, 3},
    {FRONT_POST, "/workflow/embedded-scheduler/resume", "flink.workflow.resume", AUTH_ANALYST, none,
     "flink-v3", API_NO_EVENTS, &fgw_empty_answer, &fgw_workflow_given, 3},
    {FRONT_DELETE, "/workflow/embedded-scheduler/delete", "flink.workflow.delete", AUTH_ANALYST, none,
     "flink-v3", API_NO_EVENTS, &fgw_empty_answer, &fgw_workflow_given, 3},
    {0},
};

const struct api_dialect fgw_dialect = {
    .methods = methods,
    .routes = routes,
    .document = "/api/v1/flink-openapi.json",
    .title = "Flink SQL Gateway, as Sluice speaks it",
    /* The tag of an operation names the first version that has it. */
    .servers = "[{\"url\":\"/v1\"},{\"url\":\"/v2\"},{\"url\":\"/v3\"},{\"url\":\"/v4\"},{\"url\":\"/\"}]",
    .shapes = fgw_shapes,
    .error = &fgw_errors_answer,
    .error_type = "application/json",
    .path = fgw_path,
    .params = fgw_params,
    .reply = fgw_reply,
    .problem = fgw_problem,
};
