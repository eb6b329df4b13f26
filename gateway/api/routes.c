/* SPDX-License-Identifier: Apache-2.0
 * The table of /api/v1 and what is read from it. */
#include "gateway/api/routes.h"

#include <stdio.h>

#define OF_JOB                                                                                               \
    {                                                                                                        \
        "job", API_IN_PATH, "string", true, "name of a job, id of a run, or at least 6 digits of one"        \
    }

static const struct api_param none[] = {{0}};
static const struct api_param of_job[] = {
    OF_JOB,
    {0},
};
static const struct api_param job_list[] = {
    {"active", API_IN_QUERY, "boolean", false, "only what has not ended"},
    {"all", API_IN_QUERY, "boolean", false, "also older runs, and SELECTs"},
    {"limit", API_IN_QUERY, "integer", false, "at most that many (default and most: 1000)"},
    {"after", API_IN_QUERY, "string", false, "those behind the place that `next` of an answer named"},
    {0},
};
static const struct api_param job_logs[] = {
    OF_JOB,
    {"which", API_IN_QUERY, "string", false, "jobmanager (default), taskmanager, the id of one, or errors"},
    {"tail", API_IN_QUERY, "integer", false, "that many last lines (default 200)"},
    {"sinceMs", API_IN_QUERY, "integer", false, "only of the last that many milliseconds"},
    {"previous", API_IN_QUERY, "boolean", false, "of the life before the last restart"},
    {0},
};
static const struct api_param job_events[] = {
    OF_JOB,
    {"since", API_IN_QUERY, "integer", false,
     "only those behind this number (default 0; the header Last-Event-ID gives it too)"},
    {"follow", API_IN_QUERY, "boolean", false,
     "until the run has ended (default: as a stream true, else false)"},
    {"waitMs", API_IN_QUERY, "integer", false, "without follow: how long to wait for a first one"},
    {0},
};
static const struct api_param job_rollback[] = {
    OF_JOB,
    {"version", API_IN_BODY, "integer", false, "which (default: the one before)"},
    {"vars", API_IN_BODY, "array:GivenVariable", false,
     "values of its secrets, which are not kept: [{\"name\",\"value\"}]"},
    {"key", API_IN_BODY, "string", false, "idempotency key; the header Idempotency-Key gives it too"},
    {"allowNonRestoredState", API_IN_BODY, "boolean", false,
     "state that has no place any more may be dropped"},
    {"wellMs", API_IN_BODY, "integer", false, "wait for it to run well before the old one comes back"},
    {0},
};
static const struct api_param job_cancel[] = {
    OF_JOB,
    {"yes", API_IN_BODY, "boolean", false, "also when state would be lost"},
    {0},
};
static const struct api_param job_stop[] = {
    OF_JOB,
    {"savepointDir", API_IN_BODY, "string", false, "folder of the savepoint (default: of the data folder)"},
    {"drain", API_IN_BODY, "boolean", false, "let sources end and windows fire first"},
    {0},
};
static const struct api_param job_savepoint[] = {
    OF_JOB,
    {"savepointDir", API_IN_BODY, "string", false, "folder of the savepoint (default: of the data folder)"},
    {0},
};
static const struct api_param job_history[] = {
    OF_JOB,
    {"limit", API_IN_QUERY, "integer", false, "at most that many versions (default 50)"},
    {0},
};
static const struct api_param script_text[] = {
    {"text", API_IN_BODY, "string", true, "the script"},
    {"name", API_IN_BODY, "string", false, "its name in diagnostics"},
    {"flink", API_IN_BODY, "string", false, "Flink version: 1.20, 2.0, 2.1, 2.2 or 2.3"},
    {0},
};
static const struct api_param script_check[] = {
    {"text", API_IN_BODY, "string", true, "the script"},
    {"name", API_IN_BODY, "string", false, "its name in diagnostics"},
    {"flink", API_IN_BODY, "string", false, "Flink version: 1.20, 2.0, 2.1, 2.2 or 2.3"},
    {"level", API_IN_BODY, "string:syntax|script|full", false, "syntax, script or full (default)"},
    {"lint", API_IN_BODY, "boolean", false, "also what Flink takes and people do not mean"},
    {0},
};
static const struct api_param script_format[] = {
    {"text", API_IN_BODY, "string", true, "the script"},
    {"flink", API_IN_BODY, "string", false, "Flink version: 1.20, 2.0, 2.1, 2.2 or 2.3"},
    {"width", API_IN_BODY, "integer", false, "columns of a line (default 100)"},
    {0},
};
static const struct api_param script_complete[] = {
    {"text", API_IN_BODY, "string", true, "the script"},
    {"offset", API_IN_BODY, "integer", true, "bytes in front of the caret"},
    {"flink", API_IN_BODY, "string", false, "Flink version: 1.20, 2.0, 2.1, 2.2 or 2.3"},
    {"limit", API_IN_BODY, "integer", false, "at most that many (default 200)"},
    {0},
};
static const struct api_param of_submission[] = {
    {"key", API_IN_PATH, "string", true, "idempotency key of a submission"},
    {"since", API_IN_QUERY, "integer", false,
     "only events behind this number (the header Last-Event-ID gives it too)"},
    {"follow", API_IN_QUERY, "boolean", false, "until it has ended (default: as a stream true, else false)"},
    {"waitMs", API_IN_QUERY, "integer", false,
     "how long to wait for its end before 202 says that it goes on"},
    {0},
};
static const struct api_param submit[] = {
    {"files", API_IN_BODY, "array:GivenFile", true,
     "[{\"name\",\"text\"}]: init files first, the script last"},
    {"name", API_IN_BODY, "string", true, "name of the job"},
    {"mode", API_IN_BODY, "string:session|application", false, "session (default) or application"},
    {"flink", API_IN_BODY, "string", false, "Flink version, with or without its patch number"},
    {"target", API_IN_BODY, "string", false, "where to (default local)"},
    {"vars", API_IN_BODY, "array:GivenVariable", false, "[{\"name\",\"value\",\"source\",\"secret\"}]"},
    {"config", API_IN_BODY, "array:GivenSetting", false, "[{\"key\",\"value\",\"origin\"}]"},
    {"artifacts", API_IN_BODY, "array:string", false,
     "jars it needs: SHA-256s of artifacts that were brought"},
    {"key", API_IN_BODY, "string", false, "idempotency key; the header Idempotency-Key gives it too"},
    {"detach", API_IN_BODY, "boolean", false, "answer when its jobs run"},
    {"together", API_IN_BODY, "boolean", false, "merge loose INSERTs into one job"},
    {"dryRun", API_IN_BODY, "boolean", false, "stop before anything is sent"},
    {"maxRows", API_IN_BODY, "integer", false, "end a SELECT after that many rows"},
    {"maxDurationMs", API_IN_BODY, "integer", false, "end a SELECT after that time"},
    {"timeoutMs", API_IN_BODY, "integer", false, "end the whole after that time"},
    {"from", API_IN_BODY, "string", false,
     "latest, none, or the path of a snapshot: where its state comes from"},
    {"allowNonRestoredState", API_IN_BODY, "boolean", false,
     "state that has no place any more may be dropped"},
    {"replace", API_IN_BODY, "boolean", false,
     "stop what runs under this name with a savepoint and go on from it"},
    {"wellMs", API_IN_BODY, "integer", false, "wait for it to run well before the old one comes back"},
    {"resumed", API_IN_BODY, "boolean", false, "sent again with its key: goes on with what is under way"},
    {"since", API_IN_BODY, "integer", false,
     "sent again with its key: goes on behind the event of this number; the header Last-Event-ID gives it "
     "too"},
    {"resultsAddress", API_IN_BODY, "string", false, "where Flink's tasks reach the results port"},
    {"form", API_IN_BODY, "string:api|text", false, "of rows: api (default) or text"},
    {"waitMs", API_IN_QUERY, "integer", false,
     "how long to wait for the end; then 202 says where to ask (default: until the end). A SELECT ends then"},
    {0},
};
#define OF_TARGET                                                                                            \
    {                                                                                                        \
        "name", API_IN_PATH, "string", true, "name of a target"                                              \
    }
static const struct api_param of_target[] = {
    OF_TARGET,
    {0},
};
static const struct api_param target_add[] = {
    {"name", API_IN_BODY, "string", true, "what it is to be called"},
    {"url", API_IN_BODY, "string", true, "address of its REST interface"},
    {"ca", API_IN_BODY, "string", false, "file of the authority of its certificate, on the server's machine"},
    {"cert", API_IN_BODY, "string", false, "file of our certificate"},
    {"key", API_IN_BODY, "string", false, "file of its key"},
    {"headers", API_IN_BODY, "string", false, "header lines sent with each request"},
    {"user", API_IN_BODY, "string", false, "name:password for basic authorization"},
    {"proxy", API_IN_BODY, "string", false, "proxy on the way there"},
    {"resultsAddress", API_IN_BODY, "string", false, "where its TaskManagers reach the results port"},
    {0},
};
static const struct api_param target_test[] = {
    OF_TARGET,
    {"flink", API_IN_BODY, "string", false, "Flink version that scripts are for"},
    {"resultsAddress", API_IN_BODY, "string", false, "where its TaskManagers reach the results port"},
    {"connect", API_IN_BODY, "array:string", false, "HOST:PORTs that its TaskManagers try"},
    {0},
};
#define OF_ARTIFACT                                                                                          \
    {                                                                                                        \
        "digest", API_IN_PATH, "string", true, "SHA-256 of an artifact, 64 hex digits"                       \
    }
static const struct api_param of_artifact[] = {
    OF_ARTIFACT,
    {0},
};
static const struct api_param artifact_add[] = {
    {"name", API_IN_QUERY, "string", true, "name of the file"},
    {"digest", API_IN_QUERY, "string", false, "its SHA-256, 64 hex digits: what came must have it"},
    {"content", API_IN_BYTES, "string", true, "the jar itself"},
    {0},
};
static const struct api_param token_make[] = {
    {"name", API_IN_BODY, "string", true, "whose it is"},
    {"role", API_IN_BODY, "string:viewer|analyst|operator|admin", true, "viewer, analyst, operator or admin"},
    {"ttlMs", API_IN_BODY, "integer", false, "how long it is good for (default: no end)"},
    {0},
};
static const struct api_param token_revoke[] = {
    {"token", API_IN_PATH, "string", true, "id or name of a token"},
    {0},
};

#define OF_SESSION                                                                                           \
    {                                                                                                        \
        "session", API_IN_PATH, "string", true, "id of a session"                                            \
    }
#define OF_OPERATION                                                                                         \
    OF_SESSION,                                                                                              \
    {                                                                                                        \
        "operation", API_IN_PATH, "string", true, "id of a statement of it"                                  \
    }
static const struct api_param of_session[] = {
    OF_SESSION,
    {0},
};
static const struct api_param session_open[] = {
    {"name", API_IN_BODY, "string", false, "for people"},
    {"target", API_IN_BODY, "string", false, "where its statements go (default: the default target)"},
    {"flink", API_IN_BODY, "string", false, "Flink version: 1.20, 2.0, 2.1, 2.2 or 2.3"},
    {"config", API_IN_BODY, "array:GivenSetting", false, "[{\"key\",\"value\"}], as SET would"},
    {0},
};
static const struct api_param session_execute[] = {
    OF_SESSION,
    {"statement", API_IN_BODY, "string", true, "one statement"},
    {"config", API_IN_BODY, "array:GivenSetting", false, "[{\"key\",\"value\"}] for it alone"},
    {"timeoutMs", API_IN_BODY, "integer", false,
     "when it is given up, from its beginning; of a SELECT also while rows come (default: never)"},
    {0},
};
static const struct api_param session_complete[] = {
    OF_SESSION,
    {"statement", API_IN_BODY, "string", true, "a statement as far as it is written"},
    {"offset", API_IN_BODY, "integer", true, "bytes in front of the caret"},
    {0},
};
static const struct api_param of_operation[] = {
    OF_OPERATION,
    {0},
};
static const struct api_param of_page[] = {
    OF_OPERATION,
    {"page", API_IN_PATH, "integer", true,
     "number of a page, from 0; a number given before gives the same rows"},
    {0},
};
static const struct api_param of_rows[] = {
    OF_OPERATION,
    {"since", API_IN_QUERY, "integer", false,
     "only rows behind the event of this number (default 0; the header Last-Event-ID gives it too)"},
    {"follow", API_IN_QUERY, "boolean", false,
     "until there are no more (default: as a stream true, else false)"},
    {0},
};

const struct api_route api_routes[] = {
    {FRONT_POST, "/api/v1/scripts/check", "script.check", AUTH_ANALYST, script_check, "scripts",
     API_NO_EVENTS, &api_check_answer, NULL, 0},
    {FRONT_POST, "/api/v1/scripts/split", "script.split", AUTH_ANALYST, script_text, "scripts", API_NO_EVENTS,
     &api_split_answer, NULL, 0},
    {FRONT_POST, "/api/v1/scripts/format", "script.format", AUTH_ANALYST, script_format, "scripts",
     API_NO_EVENTS, &api_format_answer, NULL, 0},
    {FRONT_POST, "/api/v1/scripts/complete", "script.complete", AUTH_ANALYST, script_complete, "scripts",
     API_NO_EVENTS, &api_complete_answer, NULL, 0},
    {FRONT_POST, "/api/v1/submissions", "script.submit", AUTH_ANALYST, submit, "submissions", API_EVENTS,
     &api_submit_answer, NULL, 0},
    {FRONT_GET, "/api/v1/submissions/{key}", "submission.show", AUTH_ANALYST, of_submission, "submissions",
     API_FOLLOWS, &api_submit_answer, NULL, 0},
    {FRONT_GET, "/api/v1/jobs", "job.list", AUTH_VIEWER, job_list, "jobs", API_NO_EVENTS, &api_jobs_answer,
     NULL, 0},
    {FRONT_GET, "/api/v1/jobs/{job}", "job.show", AUTH_VIEWER, of_job, "jobs", API_NO_EVENTS, &api_job_answer,
     NULL, 0},
    {FRONT_DELETE, "/api/v1/jobs/{job}", "job.rm", AUTH_OPERATOR, of_job, "jobs", API_NO_EVENTS,
     &api_forgotten_answer, NULL, 0},
    {FRONT_POST, "/api/v1/jobs/{job}/stop", "job.stop", AUTH_OPERATOR, job_stop, "jobs", API_NO_EVENTS,
     &api_savepoints_answer, NULL, 0},
    {FRONT_POST, "/api/v1/jobs/{job}/savepoint", "job.savepoint", AUTH_OPERATOR, job_savepoint, "snapshots",
     API_NO_EVENTS, &api_savepoints_answer, NULL, 0},
    {FRONT_POST, "/api/v1/jobs/{job}/cancel", "job.cancel", AUTH_OPERATOR, job_cancel, "jobs", API_NO_EVENTS,
     &api_cancel_answer, NULL, 0},
    {FRONT_POST, "/api/v1/jobs/{job}/rollback", "job.rollback", AUTH_OPERATOR, job_rollback, "versions",
     API_EVENTS, &api_submit_answer, NULL, 0},
    {FRONT_GET, "/api/v1/jobs/{job}/history", "job.history", AUTH_VIEWER, job_history, "versions",
     API_NO_EVENTS, &api_history_answer, NULL, 0},
    {FRONT_GET, "/api/v1/jobs/{job}/logs", "job.logs", AUTH_VIEWER, job_logs, "jobs", API_NO_EVENTS,
     &api_logs_answer, NULL, 0},
    {FRONT_GET, "/api/v1/jobs/{job}/events", "job.events", AUTH_VIEWER, job_events, "jobs", API_FOLLOWS,
     &api_events_answer, NULL, 0},
    {FRONT_GET, "/api/v1/targets", "target.list", AUTH_VIEWER, none, "targets", API_NO_EVENTS,
     &api_targets_answer, NULL, 0},
    {FRONT_POST, "/api/v1/targets", "target.add", AUTH_ADMIN, target_add, "targets", API_NO_EVENTS,
     &api_named_answer, NULL, 0},
    {FRONT_GET, "/api/v1/targets/{name}", "target.show", AUTH_VIEWER, of_target, "targets", API_NO_EVENTS,
     &api_targets_answer, NULL, 0},
    {FRONT_DELETE, "/api/v1/targets/{name}", "target.remove", AUTH_ADMIN, of_target, "targets", API_NO_EVENTS,
     &api_named_answer, NULL, 0},
    {FRONT_POST, "/api/v1/targets/{name}/use", "target.use", AUTH_ADMIN, of_target, "targets", API_NO_EVENTS,
     &api_named_answer, NULL, 0},
    {FRONT_POST, "/api/v1/targets/{name}/test", "target.test", AUTH_OPERATOR, target_test, "targets",
     API_NO_EVENTS, &api_findings_answer, NULL, 0},
    {FRONT_GET, "/api/v1/artifacts", "artifact.list", AUTH_VIEWER, none, "artifacts", API_NO_EVENTS,
     &api_artifacts_answer, NULL, 0},
    {FRONT_POST, "/api/v1/artifacts", "artifact.add", AUTH_OPERATOR, artifact_add, "artifacts", API_NO_EVENTS,
     &api_artifact_answer, NULL, 0},
    {FRONT_GET, "/api/v1/artifacts/{digest}", "artifact.show", AUTH_VIEWER, of_artifact, "artifacts",
     API_NO_EVENTS, &api_artifact_answer, NULL, 0},
    {FRONT_DELETE, "/api/v1/artifacts/{digest}", "artifact.remove", AUTH_OPERATOR, of_artifact, "artifacts",
     API_NO_EVENTS, &api_removed_answer, NULL, 0},
    {FRONT_GET, "/api/v1/artifacts/{digest}/content", "artifact.read", AUTH_OPERATOR, of_artifact,
     "artifacts", API_NO_EVENTS, &api_bytes_answer, NULL, 0},
    {FRONT_GET, "/api/v1/sessions", "session.list", AUTH_ANALYST, none, "sessions", API_NO_EVENTS,
     &api_sessions_answer, NULL, 0},
    {FRONT_POST, "/api/v1/sessions", "session.open", AUTH_ANALYST, session_open, "sessions", API_NO_EVENTS,
     &api_opened_answer, NULL, 0},
    {FRONT_GET, "/api/v1/sessions/{session}", "session.show", AUTH_ANALYST, of_session, "sessions",
     API_NO_EVENTS, &api_session_answer, NULL, 0},
    {FRONT_DELETE, "/api/v1/sessions/{session}", "session.close", AUTH_ANALYST, of_session, "sessions",
     API_NO_EVENTS, &api_closed_answer, NULL, 0},
    {FRONT_POST, "/api/v1/sessions/{session}/heartbeat", "session.heartbeat", AUTH_ANALYST, of_session,
     "sessions", API_NO_EVENTS, &api_opened_answer, NULL, 0},
    {FRONT_POST, "/api/v1/sessions/{session}/complete", "session.complete", AUTH_ANALYST, session_complete,
     "sessions", API_NO_EVENTS, &api_candidates_answer, NULL, 0},
    {FRONT_POST, "/api/v1/sessions/{session}/operations", "session.execute", AUTH_ANALYST, session_execute,
     "sessions", API_NO_EVENTS, &api_executed_answer, NULL, 0},
    {FRONT_GET, "/api/v1/sessions/{session}/operations/{operation}", "operation.show", AUTH_ANALYST,
     of_operation, "sessions", API_NO_EVENTS, &api_operation_answer, NULL, 0},
    {FRONT_DELETE, "/api/v1/sessions/{session}/operations/{operation}", "operation.close", AUTH_ANALYST,
     of_operation, "sessions", API_NO_EVENTS, &api_closed_answer, NULL, 0},
    {FRONT_POST, "/api/v1/sessions/{session}/operations/{operation}/cancel", "operation.cancel", AUTH_ANALYST,
     of_operation, "sessions", API_NO_EVENTS, &api_operation_answer, NULL, 0},
    {FRONT_GET, "/api/v1/sessions/{session}/operations/{operation}/pages/{page}", "result.page", AUTH_ANALYST,
     of_page, "results", API_NO_EVENTS, &api_page_answer, NULL, 0},
    {FRONT_GET, "/api/v1/sessions/{session}/operations/{operation}/rows", "result.rows", AUTH_ANALYST,
     of_rows, "results", API_FOLLOWS, &api_rows_answer, NULL, 0},
    {FRONT_GET, "/api/v1/tokens", "token.list", AUTH_ADMIN, none, "tokens", API_NO_EVENTS, &api_tokens_answer,
     NULL, 0},
    {FRONT_POST, "/api/v1/tokens", "token.make", AUTH_ADMIN, token_make, "tokens", API_NO_EVENTS,
     &api_token_answer, NULL, 0},
    {FRONT_DELETE, "/api/v1/tokens/{token}", "token.revoke", AUTH_ADMIN, token_revoke, "tokens",
     API_NO_EVENTS, &api_revoked_answer, NULL, 0},
    {FRONT_GET, "/api/v1/codes", "codes", AUTH_VIEWER, none, "server", API_NO_EVENTS, &api_codes_answer, NULL,
     0},
    {FRONT_GET, "/api/v1/limits", "limits", AUTH_VIEWER, none, "server", API_NO_EVENTS, &api_limits_answer,
     NULL, 0},
    {FRONT_GET, "/api/v1/hello", "hello", AUTH_VIEWER, none, "server", API_NO_EVENTS, &api_hello_answer, NULL,
     0},
    {0},
};

void api_params_add(struct sl_arena *a, struct sl_json *object, sl_str key, enum sl_json_type type,
                    sl_str text)
{
    struct sl_json *v = sl_new(a, struct sl_json);
    v->type = type;
    v->key = key;
    v->text = text;
    struct sl_json **end = &object->child;
    while (*end) {
        end = &(*end)->next;
    }
    *end = v;
    object->n++;
}

void api_params_drop(struct sl_json *object, const char *key)
{
    for (struct sl_json **p = &object->child; *p; p = &(*p)->next) {
        if (sl_str_eqz((*p)->key, key)) {
            *p = (*p)->next;
            object->n--;
            return;
        }
    }
}

/* The piece of a path up to the next slash. */
static sl_str piece(sl_str path, size_t at)
{
    size_t n = 0;
    while (at + n < path.n && path.p[at + n] != '/') {
        n++;
    }
    return sl_str_sub(path, at, n);
}

static bool matches(struct sl_arena *a, const char *pattern, sl_str path, struct sl_json *params)
{
    sl_str p = sl_str_of(pattern);
    size_t i = 0, k = 0;
    while (i < p.n && k < path.n) {
        if (p.p[i] == '/') {
            if (path.p[k] != '/') {
                return false;
            }
            i++;
            k++;
        }
        sl_str want = piece(p, i), is = piece(path, k);
        if (want.n && want.p[0] == '{') {
            if (is.n == 0) {
                return false;
            }
            if (params) {
                api_params_add(a, params, sl_str_sub(want, 1, want.n - 2), SL_JSON_STRING, is);
            }
        } else if (!sl_str_eq(want, is)) {
            return false;
        }
        i += want.n;
        k += is.n;
    }
    return i == p.n && k == path.n;
}

const struct api_route *api_route_find(const struct api_route *routes, struct sl_arena *a,
                                       enum front_method method, sl_str path, struct sl_json **ret_params,
                                       const char **ret_allow, struct sl_err *err)
{
    SL_BUF_AUTO allow;
    sl_buf_init(&allow, 0);
    for (const struct api_route *r = routes; r->path; r++) {
        if (!matches(a, r->path, path, NULL)) {
            continue;
        }
        if (r->method == method || (r->method == FRONT_GET && method == FRONT_HEAD)) {
            *ret_params = sl_new(a, struct sl_json);
            (*ret_params)->type = SL_JSON_OBJECT;
            matches(a, r->path, path, *ret_params);
            return r;
        }
        sl_buf_printf(&allow, "%s%s", allow.n ? ", " : "", front_method_names[r->method]);
    }
    if (allow.n) {
        *ret_allow = sl_arena_strdupz(a, sl_buf_str(&allow));
        sl_fail(err, SL_METHOD_NOT_ALLOWED, "%.*s takes %s", SL_S(path), *ret_allow);
    } else {
        sl_fail(err, SL_NOT_FOUND, "there is nothing at %.*s", SL_S(path));
        sl_hint(err, "GET /api/v1/openapi.json lists what there is");
    }
    return NULL;
}

static const struct api_route *route_of(const struct api_method *m)
{
    const struct api_route *r = api_routes;
    while (r->path && strcmp(r->call, m->name) != 0) {
        r++;
    }
    return r->path ? r : NULL;
}

enum auth_role api_role_of(const struct api_method *m)
{
    const struct api_route *r = route_of(m);
    return r ? r->role : AUTH_ADMIN;
}

bool api_owns(const struct api_method *m)
{
    const struct api_route *r = route_of(m);
    return r && r->events == API_EVENTS;
}

struct sl_json *api_params_of(struct sl_arena *a, struct sl_json *message)
{
    for (struct sl_json *v = message ? message->child : NULL; v; v = v->next) {
        if (sl_str_eqz(v->key, "params") && v->type == SL_JSON_OBJECT) {
            return v;
        }
    }
    struct sl_json *none_given = sl_new(a, struct sl_json);
    none_given->type = SL_JSON_OBJECT;
    return none_given;
}

static const struct api_param *param_of(const struct api_route *r, sl_str name)
{
    const struct api_param *p = r->params;
    while (p->name && !sl_str_eqz(name, p->name)) {
        p++;
    }
    return p->name ? p : NULL;
}

bool api_route_brings(const struct api_route *r)
{
    const struct api_param *p = r->params;
    while (p->name && p->in != API_IN_BYTES) {
        p++;
    }
    return p->name != NULL;
}

bool api_route_takes(const struct api_route *r, const char *name)
{
    return param_of(r, sl_str_of(name)) != NULL;
}

bool api_route_waits(const struct api_route *r)
{
    return r->answer == &api_submit_answer && api_route_takes(r, "waitMs");
}

bool api_route_has_number(const struct api_route *r, sl_str name)
{
    const struct api_param *p = param_of(r, name);
    return p && p->in == API_IN_PATH && p->type[0] == 'i';
}

/* Is it one of the texts behind the colon of its type? */
static bool is_listed(sl_str text, const char *type)
{
    const char *colon = strchr(type, ':');
    for (const char *at = colon ? colon + 1 : NULL; at; at = *at ? at + 1 : NULL) {
        size_t n = strcspn(at, "|");
        if (sl_str_eq(text, (sl_str){at, n})) {
            return true;
        }
        at += n;
    }
    return !colon;
}

static bool is_of_type(const struct sl_json *v, const char *type)
{
    switch (type[0]) {
    case 's':
        return v->type == SL_JSON_STRING;
    case 'i':
        return v->type == SL_JSON_NUMBER && sl_json_i64(v, INT64_MIN) != INT64_MIN;
    case 'b':
        return v->type == SL_JSON_TRUE || v->type == SL_JSON_FALSE;
    case 'a':
        return v->type == SL_JSON_ARRAY;
    default:
        return v->type == SL_JSON_OBJECT;
    }
}

static const struct api_shape *shape_of(const char *name)
{
    const struct api_shape *const *s = api_shapes;
    while (*s && strcmp((*s)->name, name) != 0) {
        s++;
    }
    return *s;
}

/* An element of "array:Name". */
static bool check_element(const struct api_param *p, const struct sl_json *v, struct sl_err *err)
{
    const char *name = strchr(p->type, ':') + 1;
    const struct api_shape *shape = shape_of(name);
    if (!shape) {
        return v->type == SL_JSON_STRING ||
               sl_fail(err, SL_USAGE, "parameter '%s' has elements of type %s", p->name, name);
    }
    if (v->type != SL_JSON_OBJECT) {
        return sl_fail(err, SL_USAGE, "parameter '%s' has elements like %s", p->name, p->text);
    }
    for (const struct api_field *f = shape->fields; f->name; f++) {
        const struct sl_json *member = sl_json_get(v, f->name);
        bool there = member && member->type != SL_JSON_NULL;
        if (there ? !is_of_type(member, f->type) : f->told == API_TOLD) {
            return sl_fail(err, SL_USAGE, "parameter '%s' has elements with %s, of type %s", p->name, f->name,
                           f->type);
        }
    }
    return true;
}

bool api_params_check(const struct api_method *m, const struct sl_json *params, struct sl_err *err)
{
    const struct api_route *r = route_of(m);
    if (!r) {
        return sl_fail(err, SL_FORBIDDEN, "%s is for the command line of the server's machine only", m->name);
    }
    SL_JSON_EACH(v, params)
    {
        const struct api_param *p = param_of(r, v->key);
        if (!p || p->in == API_IN_BYTES) {
            return sl_fail(err, SL_USAGE, "%s has no parameter '%.*s'", m->name, SL_S(v->key));
        }
        if (v->type != SL_JSON_NULL && !is_of_type(v, p->type)) {
            return sl_fail(err, SL_USAGE, "parameter '%s' is of type %.*s", p->name,
                           (int)strcspn(p->type, ":"), p->type);
        }
        if (v->type == SL_JSON_STRING && !is_listed(v->text, p->type)) {
            return sl_fail(err, SL_USAGE, "parameter '%s' is one of %s, not '%.*s'", p->name,
                           strchr(p->type, ':') + 1, SL_S(v->text));
        }
    }
    for (const struct api_param *p = r->params; p->name; p++) {
        const struct sl_json *v = sl_json_get(params, p->name);
        SL_JSON_EACH(e, sl_json_is(v, SL_JSON_ARRAY) ? v : NULL)
        {
            if (!check_element(p, e, err)) {
                return false;
            }
        }
        if (p->required && p->in != API_IN_BYTES && (!v || v->type == SL_JSON_NULL)) {
            return sl_fail(err, SL_USAGE, "parameter '%s' is missing: %s", p->name, p->text);
        }
    }
    return true;
}

bool api_params_arg(const struct api_route *r, struct sl_arena *a, struct sl_json *object, sl_str arg,
                    struct sl_err *err)
{
    ptrdiff_t eq = sl_str_find_char(arg, '=');
    sl_str key = eq < 0 ? arg : sl_str_sub(arg, 0, (size_t)eq);
    sl_str value = eq < 0 ? SL_STR("") : sl_str_sub(arg, (size_t)eq + 1, arg.n - (size_t)eq - 1);
    const struct api_param *p = param_of(r, key);
    if (!p || p->in != API_IN_QUERY) {
        return sl_fail(err, SL_USAGE, "there is no query parameter '%.*s' here", SL_S(key));
    }
    if (sl_json_get(object, p->name)) {
        return sl_fail(err, SL_USAGE, "query parameter '%s' is given twice", p->name);
    }
    if (p->type[0] == 'b') {
        bool yes = sl_str_eqz(value, "true"), no = sl_str_eqz(value, "false");
        if (!yes && !no && eq >= 0) {
            return sl_fail(err, SL_USAGE, "query parameter '%s' is true or false", p->name);
        }
        api_params_add(a, object, key, no ? SL_JSON_FALSE : SL_JSON_TRUE, SL_STR_NONE);
        return true;
    }
    int64_t number;
    if (p->type[0] == 'i' && !sl_str_to_i64(value, &number)) {
        return sl_fail(err, SL_USAGE, "query parameter '%s' is a whole number", p->name);
    }
    api_params_add(a, object, key, p->type[0] == 'i' ? SL_JSON_NUMBER : SL_JSON_STRING, value);
    return true;
}
