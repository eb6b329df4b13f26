/* SPDX-License-Identifier: Apache-2.0
 * Sluice's methods, one file per noun. A request becomes a call on a lane thread; it may send events on the way and ends
 * with one answer. Who brings it decides the form: JSON-RPC lines of a socket or WebSocket (rpc.h), REST (rest.h). */
#ifndef SLUICE_API_H
#define SLUICE_API_H

#include "base/json.h"
#include "gateway/auth/token.h"
#include "gateway/jobs/submission.h"
#include "gateway/jobs/tracker.h"

struct api;
struct api_call;
struct api_method;
struct api_dialect;
struct ses_host;
struct ses_who;

struct api_env {
    struct sub_env sub;
    struct ledger *ledger;
    struct tracker *tracker;
    struct store *store;
    const char *data_dir, *build; /* build: names the binary, so that a client knows an old owner */
    int64_t warm_ms;              /* how long an unused local Flink stays */
    sl_str flink;                 /* version where nothing names one */
    int64_t flink_protocol;       /* newest version of it that clients are told of */
    struct auth *auth;            /* tokens */
    struct ses_host *sessions;
    const struct api_dialect *const *dialects; /* spoken besides (dialect.h), ends with NULL; or NULL */
    /* Ends the owner after the answers are sent. */
    void (*stop)(void *ctx);
    void *ctx;
};
struct api *api_new(const struct api_env *env);
/* Waits for every call to end (they are told to stop). */
void api_free(struct api *a);
/* Loop thread: a request or message of this user, whatever it is. False: limit-user. */
SL_MUST_CHECK bool api_admit(struct api *a, sl_str user, struct sl_err *err);
size_t api_calls(struct api *a);
const struct api_env *api_env_of(const struct api *a);
/* The queues in front of its threads: calls that wait in each. */
void api_each_lane(struct api *a, void (*see)(void *ctx, const char *name, size_t depth), void *ctx);
/* What is waiting or under way; `see` is called under a lock and does nothing but look. */
struct api_call_seen {
    const char *method;
    sl_str user; /* p == NULL: the command line of this machine */
    int64_t age_ms;
    bool stopped, gone;
};
void api_each_call(struct api *a, void (*see)(void *ctx, const struct api_call_seen *c), void *ctx);

/* Where the answers of calls go; called on lane threads (errors of what is no call: on the loop). `call`: the id that the
 * client gave it, as JSON. Lives as long as the api. */
struct api_via {
    /* An event on the way; may wait for a slow client; false when it has gone. `number`: what it can be asked for by, to go on
     * behind it; 0: it cannot. */
    bool (*event)(void *ctx, uint64_t client, sl_str call, uint64_t number, sl_str event_json);
    void (*result)(void *ctx, uint64_t client, sl_str call, sl_str result_json);
    void (*error)(void *ctx, uint64_t client, sl_str call, const struct sl_err *err);
    void *ctx;
    /* What has come of the bytes that the call brings, into an empty buffer; waits for some. NULL: calls bring none this way. */
    bool (*take)(void *ctx, uint64_t client, struct sl_buf *ret, bool *ret_end, struct sl_err *err);
    /* The answer as bytes: its head (api_bytes), then pieces, ended by result(), or broken off by error(). Waits for a slow client; false
     * when it has gone. NULL: there are none this way. */
    bool (*give_head)(void *ctx, uint64_t client, const char *type, const char *headers, int64_t bytes);
    bool (*give)(void *ctx, uint64_t client, sl_str piece);
};
/* Who calls. name.p == NULL: the command line of this machine, which has no line in the audit. */
struct api_user {
    sl_str name;
    enum auth_role role;
};
/* Loop thread. Starts a call; `arena` holds params and is taken over (emptied here) when it starts. False: error. */
SL_MUST_CHECK bool api_start(struct api *a, const struct api_via *via, uint64_t client,
                             const struct api_method *method, sl_str call, const struct sl_json *params,
                             struct sl_arena *arena, const struct api_user *user, struct sl_err *err);
/* The same for what is too large to be read on the loop: `read` does it on a lane's thread, tells by api_call_is what call it is
 * (also when it fails, as far as it knows) and may use `what`, which lies in the arena. `text` is taken over, also on failure. */
#define API_LARGE_BYTES (64 << 10)
typedef bool (*api_read_fn)(struct api_call *c, void *what, sl_str text, struct sl_err *err);
SL_MUST_CHECK bool api_start_large(struct api *a, const struct api_via *via, uint64_t client,
                                   struct sl_arena *arena, struct sl_buf *text, api_read_fn read, void *what,
                                   const struct api_user *user, struct sl_err *err);
void api_call_is(struct api_call *c, const struct api_method *method, sl_str call,
                 const struct sl_json *params);
/* Loop thread: its client has gone, or takes a call back (`call` empty: all of its calls). They are told to stop. */
void api_cancel(struct api *a, const struct api_via *via, uint64_t client, sl_str call);

/* A method: reads params, writes the members of its result object, or fails. On a lane thread. */
typedef bool (*api_fn)(struct api_call *c, struct sl_jw *result, struct sl_err *err);
enum api_lane {
    API_QUICK,   /* a few, shared */
    API_LONG,    /* as many as submissions may be under way */
    API_WAITS,   /* mostly waits: for rows, for a statement of a session */
    API_UPLOADS, /* waits for what its client brings */
    API_FOLLOWER /* waits for what comes, as long as its client stays */
};
struct api_method {
    const char *name;
    api_fn fn;
    enum api_lane lane;
    const char *summary;
};
extern const struct api_method api_methods[]; /* Sluice's own; ends with name == NULL */
const struct api_method *api_method_find(const struct api_method *methods, sl_str name);

/* For methods. */
const struct api_env *api_call_env(const struct api_call *c);
const struct sl_json *api_call_params(const struct api_call *c);
struct sl_arena *api_call_arena(struct api_call *c);
/* Sends an event of this call; may wait for a slow client; false when it has gone. `number` as in api_via; an empty event only
 * begins the stream. */
bool api_call_event(struct api_call *c, uint64_t number, sl_str event_json);
/* Rows of a result in an event that is a block of them, else 0: {"event":"rows",...,"count":57}. */
int64_t api_event_rows(sl_str event_json);
/* For calls that answer with rows themselves: has their user had his share for now; he has been given so many. */
bool api_call_rows_spent(struct api_call *c);
void api_call_rows_given(struct api_call *c, int64_t rows, int64_t bytes);
/* Who calls; p == NULL: the command line of this machine. */
sl_str api_call_user(const struct api_call *c);
enum auth_role api_call_role(const struct api_call *c);
/* The same for the sessions' functions. */
struct ses_who api_call_who(const struct api_call *c);
/* More of the bytes that this call brings (api_via.take). Errors: usage (there is no such way), cancelled, limit-exceeded, body-late. */
SL_MUST_CHECK bool api_call_take(struct api_call *c, struct sl_buf *ret, bool *ret_end, struct sl_err *err);
/* The answer is not the result object but these bytes, of this content type; `headers` as in front_reply. Errors: usage, cancelled. */
SL_MUST_CHECK bool api_call_give_head(struct api_call *c, const char *type, const char *headers,
                                      int64_t bytes, struct sl_err *err);
SL_MUST_CHECK bool api_call_give(struct api_call *c, sl_str piece, struct sl_err *err);
/* The client has asked for its end, or the owner ends; the client has gone; either of them. */
bool api_call_stopped(struct api_call *c);
bool api_call_gone(struct api_call *c);
bool api_call_cancelled(struct api_call *c);
/* A string parameter; `usage` error when it is missing and there is no default (dflt.p NULL). */
SL_MUST_CHECK bool api_param_str(struct api_call *c, const char *key, sl_str dflt, sl_str *ret,
                                 struct sl_err *err);

/* The methods, by noun. */
bool api_script_submit(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_submission_show(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_list(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_show(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_cancel(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_stop(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_savepoint(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_history(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_rollback(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_rm(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_logs(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_events(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_adopt(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_target_add(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_target_list(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_target_use(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_target_remove(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_target_test(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_script_check(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_script_split(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_script_format(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_script_complete(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_artifact_list(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_artifact_show(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_artifact_add(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_artifact_read(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_artifact_remove(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_session_list(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_session_open(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_session_show(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_session_heartbeat(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_session_close(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_session_execute(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_session_complete(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_operation_show(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_operation_cancel(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_operation_close(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_result_page(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_result_rows(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_token_list(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_token_make(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_token_revoke(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_owner_hello(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_registry_codes(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_registry_limits(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_store_backup(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_owner_stop(struct api_call *c, struct sl_jw *result, struct sl_err *err);

#endif
