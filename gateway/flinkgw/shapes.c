/* SPDX-License-Identifier: Apache-2.0
 * The shapes of Flink's own protocol, of what comes in and of what is answered: flink-openapi.json is made from them. */
#include "gateway/flinkgw/wire.h"

/* clang-format off: a table */
#define SHAPE(it, its_name, is_open, ...)                                                                    \
    static const struct api_field it##_fields[] = {__VA_ARGS__, {0}};                                        \
    const struct api_shape it = {its_name, it##_fields, is_open}
#define PART(it, its_name, is_open, ...)                                                                     \
    static const struct api_field it##_fields[] = {__VA_ARGS__, {0}};                                        \
    static const struct api_shape it = {its_name, it##_fields, is_open}
#define TOLD(name, type)                                                                                     \
    {                                                                                                        \
        name, type, API_TOLD, false, NULL, NULL                                                              \
    }
#define MAYBE(name, type)                                                                                    \
    {                                                                                                        \
        name, type, API_MAYBE, false, NULL, NULL                                                             \
    }
#define TEXTS(name)                                                                                          \
    {                                                                                                        \
        name, "string", API_TOLD, true, NULL, NULL                                                           \
    }

/* --- what comes in; other members are not looked at */
SHAPE(fgw_open_given, "OpenSessionRequestBody", true, MAYBE("sessionName", "string?"),
      MAYBE("properties", "object?"));
SHAPE(fgw_configure_given, "ConfigureSessionRequestBody", true, TOLD("statement", "string"),
      MAYBE("executionTimeout", "integer?"));
SHAPE(fgw_complete_given, "CompleteStatementRequestBody", true, TOLD("statement", "string"),
      {"position", "integer", API_MAYBE, false, NULL, "in UTF-16 units"});
SHAPE(fgw_execute_given, "ExecuteStatementRequestBody", true, TOLD("statement", "string"),
      {"executionTimeout", "integer?", API_MAYBE, false, NULL,
       "none above 0 is taken, as by Flink's gateway"},
      MAYBE("executionConfig", "object?"));
SHAPE(fgw_script_given, "DeployScriptRequestBody", true, MAYBE("script", "string?"),
      MAYBE("scriptUri", "string?"), MAYBE("executionConfig", "object?"));
/* The calls about materialized tables: known, and refused. */
SHAPE(fgw_refresh_given, "RefreshMaterializedTableRequestBody", true, MAYBE("isPeriodic", "boolean"),
      MAYBE("scheduleTime", "string?"), MAYBE("dynamicOptions", "object?"),
      MAYBE("staticPartitions", "object?"), MAYBE("executionConfig", "object?"));
SHAPE(fgw_create_given, "CreateEmbeddedSchedulerWorkflowRequestBody", true,
      MAYBE("materializedTableIdentifier", "string"), MAYBE("cronExpression", "string"),
      MAYBE("initConfig", "object?"), MAYBE("executionConfig", "object?"),
      MAYBE("restEndpointUrl", "string"));
SHAPE(fgw_workflow_given, "EmbeddedSchedulerWorkflowRequestBody", true, MAYBE("workflowName", "string"),
      MAYBE("workflowGroup", "string"), MAYBE("dynamicOptions", "object?"));

/* --- answers */
SHAPE(fgw_info_answer, "InfoResponseBody", false, TOLD("productName", "string"), TOLD("version", "string"));
SHAPE(fgw_versions_answer, "ApiVersionsResponseBody", false,
      {"versions", "V1|V2|V3|V4", API_TOLD, true, NULL, NULL});
SHAPE(fgw_opened_answer, "OpenSessionResponseBody", false, TOLD("sessionHandle", "string"));
SHAPE(fgw_config_answer, "GetSessionConfigResponseBody", false, TOLD("properties", "object"));
SHAPE(fgw_closed_answer, "CloseSessionResponseBody", false, TOLD("status", "CLOSED"));
SHAPE(fgw_empty_answer, "EmptyResponseBody", false, {0});
SHAPE(fgw_candidates_answer, "CompleteStatementResponseBody", false, TEXTS("candidates"));
SHAPE(fgw_executed_answer, "ExecuteStatementResponseBody", false, TOLD("operationHandle", "string"));
SHAPE(fgw_workflow_answer, "CreateEmbeddedSchedulerWorkflowResponseBody", false,
      TOLD("workflowName", "string"), TOLD("workflowGroup", "string"));
SHAPE(fgw_script_answer, "DeployScriptResponseBody", false, TOLD("clusterID", "string"));
SHAPE(fgw_status_answer, "OperationStatusResponseBody", false,
      TOLD("status", "INITIALIZED|PENDING|RUNNING|FINISHED|CANCELED|CLOSED|ERROR|TIMEOUT"));
/* What else it has depends on the type: precision, length, elementType, fields ... */
PART(logical, "LogicalType", true, TOLD("type", "string"), MAYBE("nullable", "boolean"));
PART(column, "ColumnInfo", false, TOLD("name", "string"),
     {"logicalType", "object", API_TOLD, false, &logical, NULL}, TOLD("comment", "string?"));
PART(row, "RowData", false, TOLD("kind", "INSERT|UPDATE_BEFORE|UPDATE_AFTER|DELETE"),
     {"fields", "any", API_TOLD, true, NULL, "as rowFormat says: JSON values, or texts"});
PART(results, "ResultInfo", false, {"columns", "object", API_TOLD, true, &column, NULL},
     TOLD("rowFormat", "JSON|PLAIN_TEXT"), {"data", "object", API_TOLD, true, &row, NULL});
SHAPE(fgw_page_answer, "FetchResultsResponseBody", false,
      {"resultType", "NOT_READY|PAYLOAD|EOS", API_TOLD, false, NULL,
       "of NOT_READY nothing else is told but nextResultUri"},
      MAYBE("isQueryResult", "boolean"), MAYBE("jobID", "string"),
      MAYBE("resultKind", "SUCCESS|SUCCESS_WITH_CONTENT"),
      {"results", "object", API_MAYBE, false, &results, NULL},
      {"nextResultUri", "string", API_MAYBE, false, NULL, "not with EOS"});
SHAPE(fgw_errors_answer, "ErrorResponseBody", false, TEXTS("errors"));
/* clang-format on */

const struct api_shape *const fgw_shapes[] = {&fgw_open_given,
                                              &fgw_configure_given,
                                              &fgw_complete_given,
                                              &fgw_execute_given,
                                              &fgw_script_given,
                                              &fgw_refresh_given,
                                              &fgw_create_given,
                                              &fgw_workflow_given,
                                              &fgw_info_answer,
                                              &fgw_versions_answer,
                                              &fgw_opened_answer,
                                              &fgw_config_answer,
                                              &fgw_closed_answer,
                                              &fgw_empty_answer,
                                              &fgw_candidates_answer,
                                              &fgw_executed_answer,
                                              &fgw_script_answer,
                                              &fgw_workflow_answer,
                                              &fgw_status_answer,
                                              &logical,
                                              &column,
                                              &row,
                                              &results,
                                              &fgw_page_answer,
                                              &fgw_errors_answer,
                                              NULL};
