/* SPDX-License-Identifier: Apache-2.0
 * script.submit: the pipeline, for whoever brings files. */
#include "gateway/api/api.h"

#include "gateway/jobs/request.h"

static bool emit(void *ctx, sl_str json)
{
    return api_call_event(ctx, json);
}
static bool stopped(void *ctx)
{
    return api_call_stopped(ctx);
}

static bool gone(void *ctx)
{
    return api_call_gone(ctx);
}

bool api_script_submit(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct sub_request rq;
    if (!sub_request_read(api_call_params(c), api_call_arena(c), &rq, err)) {
        return false;
    }
    struct event_sink sink = {.ctx = c, .emit = emit, .cancelled = stopped, .gone = gone};
    struct sub_outcome out;
    sub_run(&api_call_env(c)->sub, &rq, &sink, api_call_arena(c), &out);
    sl_jw_ki64(result, "exit", out.exit_code);
    if (out.warm[0]) {
        sl_jw_key(result, "warm");
        sl_jw_object(result);
        sl_jw_kstrz(result, "flink", out.warm);
        sl_jw_ki64(result, "ms", api_call_env(c)->warm_ms);
        sl_jw_end_object(result);
    }
    return true;
}
