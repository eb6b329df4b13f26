/* SPDX-License-Identifier: Apache-2.0
 * One table a shape, in the order in which its members are written. */
#include "gateway/api/answers.h"

#include <stddef.h>

#define STRING(name)                                                                                         \
    {                                                                                                        \
        name, "string", API_TOLD, false, NULL, NULL                                                          \
    }
#define INTEGER(name)                                                                                        \
    {                                                                                                        \
        name, "integer", API_TOLD, false, NULL, NULL                                                         \
    }
#define BOOLEAN(name)                                                                                        \
    {                                                                                                        \
        name, "boolean", API_TOLD, false, NULL, NULL                                                         \
    }
#define LIST(name, shape)                                                                                    \
    {                                                                                                        \
        name, "object", API_TOLD, true, &shape, NULL                                                         \
    }
#define MAY_STRING(name)                                                                                     \
    {                                                                                                        \
        name, "string", API_MAYBE, false, NULL, NULL                                                         \
    }
#define MAY_INTEGER(name)                                                                                    \
    {                                                                                                        \
        name, "integer", API_MAYBE, false, NULL, NULL                                                        \
    }
#define MAY_TIME(name)                                                                                       \
    {                                                                                                        \
        name, "time", API_MAYBE, false, NULL, NULL                                                           \
    }
#define MAY_BE(name, shape)                                                                                  \
    {                                                                                                        \
        name, "object", API_MAYBE, false, &shape, NULL                                                       \
    }

/* clang-format off: a table */
#define SHAPE(it, its_name, is_open, ...)                                                                    \
    static const struct api_field it##_fields[] = {__VA_ARGS__, {0}};                                        \
    const struct api_shape it = {its_name, it##_fields, is_open}
#define PART(it, its_name, is_open, ...)                                                                     \
    static const struct api_field it##_fields[] = {__VA_ARGS__, {0}};                                        \
    static const struct api_shape it = {its_name, it##_fields, is_open}

/* --- scripts */

PART(range, "TextRange", false, {"offset", "integer", API_TOLD, false, NULL, "in bytes"},
     {"length", "integer", API_TOLD, false, NULL, "in bytes"},
     {"line", "integer", API_TOLD, false, NULL, "from 1"},
     {"column", "integer", API_TOLD, false, NULL, "from 1, in UTF-16 units"}, INTEGER("endLine"),
     {"endColumn", "integer", API_TOLD, false, NULL, "behind its last"});

PART(second, "SecondPlace", false, INTEGER("offset"), INTEGER("length"), INTEGER("line"), INTEGER("column"),
     INTEGER("endLine"), INTEGER("endColumn"), STRING("label"));

PART(diagnostic, "Diagnostic", false,
     {"code", "string", API_TOLD, false, NULL, "docs/errors tells what it means"},
     {"severity", "error|warning|info", API_TOLD, false, NULL, NULL}, STRING("message"), STRING("hint"),
     {"flink", "string", API_MAYBE, false, NULL, "what Flink would say"},
     {"statement", "integer", API_TOLD, false, NULL, "from 1; 0: of none"}, MAY_STRING("file"),
     MAY_INTEGER("offset"), MAY_INTEGER("length"), MAY_INTEGER("line"), MAY_INTEGER("column"),
     MAY_INTEGER("endLine"), MAY_INTEGER("endColumn"), MAY_BE("second", second));

PART(statement, "Statement", false, {"index", "integer", API_TOLD, false, NULL, "from 1"}, STRING("kind"),
     INTEGER("offset"), INTEGER("length"), INTEGER("line"), INTEGER("column"), INTEGER("endLine"),
     INTEGER("endColumn"), STRING("text"),
     {"terminated", "boolean", API_TOLD, false, NULL, "it ends with a semicolon"});

PART(item, "CompletionItem", false, STRING("label"), STRING("kind"), STRING("insertText"),
     MAY_STRING("detail"), MAY_STRING("documentation"), STRING("sortText"));

PART(completion, "Completion", false, {"range", "object", API_TOLD, false, &range, "what an item replaces"},
     {"incomplete", "boolean", API_TOLD, false, NULL, "there are more than these"}, LIST("items", item));

SHAPE(api_check_answer, "CheckAnswer", false, BOOLEAN("ok"), STRING("flink"), INTEGER("statements"),
      INTEGER("errors"), INTEGER("warnings"), LIST("diagnostics", diagnostic));
SHAPE(api_split_answer, "SplitAnswer", false, LIST("statements", statement), LIST("diagnostics", diagnostic));
SHAPE(api_format_answer, "FormatAnswer", false, STRING("text"), BOOLEAN("changed"),
      {"kept", "integer", API_TOLD, false, NULL, "statements left as they were, for they are not understood"},
      LIST("diagnostics", diagnostic));
SHAPE(api_complete_answer, "CompleteAnswer", false,
      {"completion", "object", API_TOLD, false, &completion, NULL});

/* --- submissions */

SHAPE(api_file_given, "GivenFile", false, STRING("name"), STRING("text"));
SHAPE(api_var_given, "GivenVariable", false, STRING("name"), STRING("value"),
      {"source", "string?", API_MAYBE, false, NULL, NULL},
      {"secret", "boolean?", API_MAYBE, false, NULL, NULL});
SHAPE(api_config_given, "GivenSetting", false, STRING("key"), STRING("value"),
      {"origin", "string?", API_MAYBE, false, NULL, NULL});

PART(event, "StreamEvent", true,
     {"event", "string", API_TOLD, false, NULL, "its kind: docs/events.md has them"});
PART(warm, "WarmFlink", false, STRING("flink"),
     {"ms", "integer", API_TOLD, false, NULL, "how long it stays without work"});
SHAPE(api_submit_answer, "SubmitAnswer", false, {"events", "object", API_TOLD, true, &event, NULL},
      {"exit", "integer", API_TOLD, false, NULL, "0: all went well; else the exit code of sluice run"},
      {"warm", "object", API_MAYBE, false, &warm, "the local Flink that was left running"});

SHAPE(api_accepted_answer, "AcceptedAnswer", false, STRING("key"), STRING("location"));

/* --- jobs */

PART(failure, "RunError", false, STRING("code"), STRING("message"), STRING("hint"), STRING("place"));

PART(cause, "Cause", false, STRING("code"), STRING("message"), STRING("hint"), STRING("place"),
     STRING("statement"),
     {"record", "string", API_TOLD, false, NULL, "the one it failed on, where that is known"},
     {"java", "string", API_TOLD, false, NULL, "what Flink says of it"}, INTEGER("causes"), MAY_TIME("at"),
     STRING("stack"));

PART(restore, "Restorable", false, {"kind", "checkpoint|savepoint", API_TOLD, false, NULL, NULL},
     INTEGER("number"), INTEGER("version"), STRING("path"), MAY_TIME("at"), INTEGER("ageMs"));

#define OF_RUN                                                                                               \
    STRING("run"), STRING("job"), INTEGER("version"), INTEGER("statement"), STRING("kind"),                  \
        {"mode", "session|application", API_TOLD, false, NULL, NULL}, STRING("target"), STRING("wanted"),    \
        STRING("state"), STRING("flinkState"), STRING("sight"),                                              \
        {"health", "ok|degraded|down|unknown", API_TOLD, false, NULL, NULL},                                 \
        {"why", "string", API_MAYBE, false, NULL, "of a health that is not ok"},                             \
        {"reasons", "string", API_TOLD, true, NULL, NULL}, INTEGER("healthAgeMs"), MAY_TIME("healthSince"),  \
        {"silentMs", "integer", API_MAYBE, false, NULL, "since its cluster last answered"},                  \
        INTEGER("restarts"), INTEGER("restartsRecent"), MAY_TIME("restartingSince"), INTEGER("restartsDay"), \
        BOOLEAN("ended"), STRING("flinkJob"), STRING("flink"), STRING("rest"), INTEGER("tasks"),             \
        INTEGER("tasksRunning"), {"recordsIn", "string", API_TOLD, false, NULL, "a number of 64 bits"},      \
        {"recordsOut", "string", API_TOLD, false, NULL, "a number of 64 bits"},                              \
        {"recordsInAtLeast", "boolean", API_TOLD, false, NULL, "some of its tasks do not count"},            \
        {"recordsOutAtLeast", "boolean", API_TOLD, false, NULL, "some of its tasks do not count"},           \
        INTEGER("recordsInPerSecond"), INTEGER("recordsOutPerSecond"), MAY_INTEGER("lagRecords"),            \
        MAY_TIME("watermark"), MAY_INTEGER("watermarkBehindMs"),                                             \
        {"heldBackPermille", "integer", API_TOLD, false, NULL, "of its time, by back-pressure"},             \
        MAY_INTEGER("checkpointAgeMs"), MAY_INTEGER("checkpointTookMs"), MAY_INTEGER("checkpointBytes"),     \
        MAY_INTEGER("checkpointIntervalMs"), INTEGER("checkpointsCompleted"), INTEGER("checkpointsFailed"),  \
        INTEGER("checkpointsNotRecorded"), INTEGER("lastCheckpoint"), MAY_TIME("lastCheckpointAt"),          \
        MAY_STRING("restoredFrom"), MAY_TIME("created"), MAY_TIME("started"), MAY_TIME("endedAt"),           \
        {"seen", "time", API_MAYBE, false, NULL, "when its cluster last told of it"}, INTEGER("ageMs"),      \
        MAY_BE("error", failure), MAY_STRING("owner"),                                                       \
        {"digest", "string", API_MAYBE, false, NULL, "of the version's bundle"}, MAY_TIME("versionAt"),      \
        MAY_INTEGER("versionAgeMs")

PART(run, "Run", false, OF_RUN);
SHAPE(api_jobs_answer, "JobsAnswer", false, LIST("jobs", run),
      {"next", "string", API_MAYBE, false, NULL, "there are more: the next call's `after`"});
SHAPE(api_job_answer, "JobAnswer", false, OF_RUN, MAY_BE("cause", cause),
      {"evidence", "object", API_MAYBE, false, NULL, "its last change of state, and by what that is known"},
      MAY_TIME("stateSince"), {"restoreTo", "object", API_MAYBE, true, &restore, NULL});
SHAPE(api_forgotten_answer, "ForgottenAnswer", false, INTEGER("versions"), INTEGER("runs"),
      INTEGER("snapshots"));

PART(snapshot, "Snapshot", false, STRING("run"), INTEGER("version"), INTEGER("statement"),
     {"kind", "checkpoint|savepoint", API_TOLD, false, NULL, NULL}, MAY_INTEGER("number"),
     {"state", "pending|completed|failed|gone", API_TOLD, false, NULL, NULL}, BOOLEAN("restorable"),
     STRING("path"), INTEGER("bytes"), {"ms", "integer", API_TOLD, false, NULL, "how long it took"},
     MAY_TIME("at"), MAY_STRING("reason"));
SHAPE(api_savepoints_answer, "SavepointsAnswer", false, LIST("savepoints", snapshot));
SHAPE(api_cancel_answer, "CancelAnswer", false, {"ended", "string", API_TOLD, true, NULL, "ids of runs"});

PART(replacement, "Replacement", false, INTEGER("oldVersion"), STRING("state"), STRING("reason"),
     MAY_TIME("at"), MAY_TIME("endedAt"));
PART(version, "Version", false, INTEGER("version"), STRING("digest"), STRING("by"), STRING("why"),
     MAY_TIME("at"));
PART(life, "PastRun", false, STRING("run"), INTEGER("version"), INTEGER("statement"), STRING("target"),
     STRING("state"), BOOLEAN("ended"), MAY_TIME("created"), MAY_TIME("endedAt"), STRING("restoredFrom"),
     MAY_STRING("error"));
SHAPE(api_history_answer, "HistoryAnswer", false, STRING("job"), LIST("replacements", replacement),
      LIST("versions", version), LIST("runs", life), LIST("snapshots", snapshot));

SHAPE(api_logs_answer, "LogsAnswer", false, STRING("text"));
SHAPE(api_events_answer, "EventsAnswer", false, LIST("events", event), STRING("run"),
      {"next", "integer", API_TOLD, false, NULL, "the next call's `since`"},
      {"ended", "boolean", API_TOLD, false, NULL, "there will be no more"});

/* --- targets */

PART(target, "Target", false, STRING("name"), {"kind", "local|session", API_TOLD, false, NULL, NULL},
     STRING("url"), MAY_STRING("ca"), MAY_STRING("cert"),
     {"key", "string", API_MAYBE, false, NULL, "the file it is in"},
     {"headers", "string", API_MAYBE, false, NULL, "names only"},
     {"user", "string", API_MAYBE, false, NULL, "without the password"}, MAY_STRING("proxy"),
     MAY_STRING("resultsAddress"), BOOLEAN("default"));
SHAPE(api_targets_answer, "TargetsAnswer", false, LIST("targets", target));
SHAPE(api_named_answer, "NamedAnswer", false, STRING("name"));
PART(finding, "Finding", false,
     {"finding", "rest|flink|slots|submit|runner|results|connect", API_TOLD, false, NULL, NULL},
     BOOLEAN("ok"), STRING("text"));
SHAPE(api_findings_answer, "FindingsAnswer", false, STRING("name"), LIST("findings", finding), BOOLEAN("ok"));

/* --- sessions */

#define OF_SESSION                                                                                           \
    STRING("session"), STRING("name"), STRING("user"),                                                       \
        {"target", "string", API_TOLD, false, NULL, "empty: the default"}, STRING("flink"),                  \
        STRING("catalog"), {"database", "string", API_TOLD, false, NULL, "empty: the catalog's own"},        \
        {"created", "time", API_TOLD, false, NULL, NULL}, INTEGER("idleMs"), INTEGER("operationsKept"),      \
    {                                                                                                        \
        "operationsOpen", "integer", API_TOLD, false, NULL, "waiting or running"                             \
    }
#define STATE                                                                                                \
    {                                                                                                        \
        "state", "PENDING|RUNNING|FINISHED|CANCELED|CLOSED|ERROR|TIMEOUT", API_TOLD, false, NULL,            \
            "of a SELECT FINISHED says that its rows come"                                                   \
    }
PART(session, "Session", false, OF_SESSION);
PART(operation, "Operation", false, STRING("operation"), STATE, MAY_STRING("flinkJob"));
SHAPE(api_sessions_answer, "SessionsAnswer", false, LIST("sessions", session));
SHAPE(api_session_answer, "SessionAnswer", false, OF_SESSION, LIST("config", api_config_given),
      {"jars", "string", API_TOLD, true, NULL, NULL}, LIST("operations", operation));
SHAPE(api_opened_answer, "OpenedAnswer", false, STRING("session"));
SHAPE(api_closed_answer, "ClosedAnswer", false, STRING("closed"));
SHAPE(api_executed_answer, "ExecutedAnswer", false, STRING("session"), STRING("operation"));
SHAPE(api_candidates_answer, "CandidatesAnswer", false, {"candidates", "string", API_TOLD, true, NULL, NULL});
SHAPE(api_operation_answer, "OperationAnswer", false, STRING("operation"), STATE, MAY_STRING("flinkJob"));
PART(column, "Column", false, STRING("name"),
     {"type", "string", API_TOLD, false, NULL, "as Flink prints it"});
SHAPE(api_page_answer, "PageAnswer", false, STRING("operation"),
      {"kind", "waiting|rows|end", API_TOLD, false, NULL, "waiting: nothing is there yet"},
      {"next", "integer", API_MAYBE, false, NULL, "page to ask for next; not with end"},
      {"query", "boolean", API_MAYBE, false, NULL, NULL}, MAY_STRING("flinkJob"),
      {"columns", "object", API_MAYBE, true, &column, NULL},
      {"rows", "any", API_MAYBE, true, NULL, "[kind, value, ...]: docs/events.md has the values"},
      MAY_INTEGER("count"));
SHAPE(api_rows_answer, "RowsAnswer", false, LIST("events", event), STRING("operation"), STATE,
      MAY_STRING("flinkJob"), {"next", "integer", API_TOLD, false, NULL, "the next call's `since`"},
      {"ended", "boolean", API_TOLD, false, NULL, "there are no more"});

/* --- tokens and the server */

#define OF_TOKEN                                                                                             \
    STRING("id"), STRING("name"), {"role", "viewer|analyst|operator|admin", API_TOLD, false, NULL, NULL},    \
        MAY_TIME("made"), MAY_TIME("expires"), MAY_TIME("revoked")

#define OF_ARTIFACT                                                                                          \
    {"digest", "string", API_TOLD, false, NULL, "SHA-256"}, STRING("name"), INTEGER("bytes"),                \
        {"owner", "string", API_TOLD, false, NULL, "whose it was first; empty: of the server's machine"},    \
        {"kept", "time", API_TOLD, false, NULL, "since when"},                                               \
        {"versions", "integer", API_TOLD, false, NULL, "of jobs, that need it"},                             \
    {                                                                                                        \
        "brought", "boolean", API_TOLD, false, NULL,                                                         \
            "it stays until it is removed; else it goes with its versions"                                   \
    }
PART(artifact, "Artifact", false, OF_ARTIFACT);
SHAPE(api_artifacts_answer, "ArtifactsAnswer", false, LIST("artifacts", artifact));
SHAPE(api_artifact_answer, "ArtifactAnswer", false, OF_ARTIFACT);
SHAPE(api_removed_answer, "RemovedAnswer", false, STRING("removed"));
const struct api_shape api_bytes_answer = {"Bytes", NULL, false};

PART(token, "Token", false, OF_TOKEN);
SHAPE(api_tokens_answer, "TokensAnswer", false, LIST("tokens", token));
SHAPE(api_token_answer, "NewToken", false, OF_TOKEN,
      {"token", "string", API_TOLD, false, NULL, "told this once"});
SHAPE(api_revoked_answer, "RevokedAnswer", false, STRING("revoked"));
PART(code, "Code", false, {"code", "string", API_TOLD, false, NULL, "docs/errors tells what it means"},
     {"status", "integer", API_TOLD, false, NULL, "of HTTP"}, STRING("sqlState"),
     {"exit", "integer", API_TOLD, false, NULL, "of the command line"});
SHAPE(api_codes_answer, "CodesAnswer", false, LIST("codes", code));
PART(limit, "Limit", false, {"limit", "string", API_TOLD, false, NULL, "the setting"},
     {"unit", "bytes|count|ms", API_TOLD, false, NULL, NULL},
     {"value", "string", API_TOLD, false, NULL, "a number of 64 bits"}, STRING("of"));
SHAPE(api_limits_answer, "LimitsAnswer", false, LIST("limits", limit));
SHAPE(api_hello_answer, "HelloAnswer", false, STRING("version"), STRING("build"), INTEGER("pid"),
      STRING("data"), INTEGER("activeRuns"), INTEGER("resultsPort"),
      {"api", "integer", API_TOLD, false, NULL, "version of /api/ and /ws"},
      {"flinkProtocol", "integer", API_TOLD, false, NULL,
       "newest version of Flink's protocol that is told of"},
      {"role", "string", API_TOLD, false, NULL, "of who asks"}, INTEGER("messageBytes"), INTEGER("bodyBytes"),
      INTEGER("cellBytes"), INTEGER("rowBytes"));

SHAPE(api_problem_answer, "Problem", false, STRING("type"), STRING("title"), INTEGER("status"),
      {"code", "string", API_TOLD, false, NULL, "docs/errors tells what it means"},
      {"hint", "string", API_MAYBE, false, NULL, "what may be done"},
      {"detail", "string", API_MAYBE, false, NULL, "what lies under it: a Java trace"}, MAY_INTEGER("offset"),
      MAY_INTEGER("length"), MAY_INTEGER("line"), MAY_INTEGER("column"));
/* clang-format on */

const struct api_shape *const api_shapes[] = {&range,
                                              &second,
                                              &diagnostic,
                                              &statement,
                                              &item,
                                              &completion,
                                              &api_check_answer,
                                              &api_split_answer,
                                              &api_format_answer,
                                              &api_complete_answer,
                                              &api_file_given,
                                              &api_var_given,
                                              &api_config_given,
                                              &event,
                                              &warm,
                                              &api_submit_answer,
                                              &api_accepted_answer,
                                              &failure,
                                              &cause,
                                              &restore,
                                              &run,
                                              &api_jobs_answer,
                                              &api_job_answer,
                                              &api_forgotten_answer,
                                              &snapshot,
                                              &api_savepoints_answer,
                                              &api_cancel_answer,
                                              &replacement,
                                              &version,
                                              &life,
                                              &api_history_answer,
                                              &api_logs_answer,
                                              &api_events_answer,
                                              &target,
                                              &api_targets_answer,
                                              &api_named_answer,
                                              &finding,
                                              &api_findings_answer,
                                              &artifact,
                                              &api_artifacts_answer,
                                              &api_artifact_answer,
                                              &api_removed_answer,
                                              &session,
                                              &operation,
                                              &api_sessions_answer,
                                              &api_session_answer,
                                              &api_opened_answer,
                                              &api_closed_answer,
                                              &api_executed_answer,
                                              &api_candidates_answer,
                                              &api_operation_answer,
                                              &column,
                                              &api_page_answer,
                                              &api_rows_answer,
                                              &token,
                                              &api_tokens_answer,
                                              &api_token_answer,
                                              &api_revoked_answer,
                                              &code,
                                              &api_codes_answer,
                                              &limit,
                                              &api_limits_answer,
                                              &api_hello_answer,
                                              &api_problem_answer,
                                              NULL};
