/* SPDX-License-Identifier: Apache-2.0
 * The shapes of what the calls of /api/v1 answer, as tables: openapi.json is made from them, and the tests hold every answer against
 * them. A shape may grow, but what is told always stays so: clients count on it. */
#ifndef SLUICE_API_ANSWERS_H
#define SLUICE_API_ANSWERS_H

#include <stdbool.h>

struct api_shape;
enum api_told { API_TOLD, API_MAYBE }; /* always, or where there is something to tell */
struct api_field {
    const char *name; /* NULL ends a list */
    /* "string", "integer", "boolean", "time" (RFC 3339, UTC), "object", "any" or the texts it may be: "a|b|c"; with a question mark behind
     * it, null too. */
    const char *type;
    enum api_told told;
    bool list;                  /* an array of such */
    const struct api_shape *of; /* of an object; NULL: it says what it says */
    const char *text;           /* what its name does not tell; may be NULL */
};
struct api_shape {
    const char *name; /* of the schema in openapi.json */
    const struct api_field *fields;
    bool open; /* has members of its own besides */
};
/* Every one of them; ends with NULL. */
extern const struct api_shape *const api_shapes[];

extern const struct api_shape api_check_answer, api_split_answer, api_format_answer, api_complete_answer,
    api_submit_answer, api_accepted_answer, api_jobs_answer, api_job_answer, api_forgotten_answer,
    api_savepoints_answer, api_cancel_answer, api_history_answer, api_logs_answer, api_events_answer,
    api_targets_answer, api_named_answer, api_findings_answer, api_tokens_answer, api_token_answer,
    api_revoked_answer, api_hello_answer, api_artifacts_answer, api_artifact_answer, api_removed_answer,
    api_bytes_answer, api_sessions_answer, api_session_answer, api_opened_answer, api_closed_answer,
    api_executed_answer, api_candidates_answer, api_operation_answer, api_codes_answer, api_limits_answer,
    api_page_answer, api_rows_answer;
/* Of what went wrong, whatever the call. */
extern const struct api_shape api_problem_answer;
/* Members of arrays that come in. */
extern const struct api_shape api_file_given, api_var_given, api_config_given;

#endif
