/* SPDX-License-Identifier: Apache-2.0
 * Sluice's JSON-RPC 2.0 methods, one file per noun, over any transport that moves lines. A request becomes a
 * call on a lane thread; it may send events on the way and ends with one answer. The loop thread only reads
 * the envelope. */
#ifndef SLUICE_API_H
#define SLUICE_API_H

#include "base/json.h"
#include "gateway/jobs/submission.h"
#include "gateway/jobs/tracker.h"

struct api;
struct api_call;

struct api_env {
    struct sub_env sub;
    struct ledger *ledger;
    struct tracker *tracker;
    struct store *store;
    const char *data_dir, *build; /* build: names the binary, so that a client knows an old owner */
    int64_t warm_ms;              /* how long an unused local Flink stays */
    /* Sends one line to a client; false when it has gone. From lane threads; `urgent` never waits. */
    bool (*send)(void *ctx, uint64_t client, sl_str line, bool urgent);
    /* Ends the owner after the answers are sent. */
    void (*stop)(void *ctx);
    void *ctx;
};
struct api *api_new(const struct api_env *env);
/* Waits for every call to end (they are told to stop). */
void api_free(struct api *a);
/* Loop thread: one line of a client; its client has gone (its calls are told to stop). */
void api_message(struct api *a, uint64_t client, sl_str line);
void api_gone(struct api *a, uint64_t client);
size_t api_calls(struct api *a);

/* A method: reads params, writes the members of its result object, or fails. On a lane thread. */
typedef bool (*api_fn)(struct api_call *c, struct sl_jw *result, struct sl_err *err);
struct api_method {
    const char *name;
    api_fn fn;
    bool long_running; /* a lane of its own */
    const char *summary;
};
extern const struct api_method api_methods[]; /* the route table; ends with name == NULL */

/* For methods. */
const struct api_env *api_call_env(const struct api_call *c);
const struct sl_json *api_call_params(const struct api_call *c);
struct sl_arena *api_call_arena(struct api_call *c);
/* Sends an event of this call; may wait for a slow client; false when it has gone. */
bool api_call_event(struct api_call *c, sl_str event_json);
/* The client has asked for its end, or the owner ends; the client has gone; either of them. */
bool api_call_stopped(struct api_call *c);
bool api_call_gone(struct api_call *c);
bool api_call_cancelled(struct api_call *c);
/* A string parameter; `usage` error when it is missing and there is no default (dflt.p NULL). */
SL_MUST_CHECK bool api_param_str(struct api_call *c, const char *key, sl_str dflt, sl_str *ret,
                                 struct sl_err *err);

/* The methods, by noun. */
bool api_script_submit(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_list(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_show(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_cancel(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_stop(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_savepoint(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_history(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_rm(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_job_logs(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_target_add(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_target_list(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_target_use(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_target_remove(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_target_test(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_owner_hello(struct api_call *c, struct sl_jw *result, struct sl_err *err);
bool api_owner_stop(struct api_call *c, struct sl_jw *result, struct sl_err *err);

#endif
