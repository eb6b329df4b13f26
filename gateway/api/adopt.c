/* SPDX-License-Identifier: Apache-2.0
 * job.adopt. */
#include "gateway/jobs/adopt.h"

#include "gateway/api/api.h"

bool api_job_adopt(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    sl_str target, job, name, owner;
    struct run r;
    if (!api_param_str(c, "target", SL_STR_NONE, &target, err) ||
        !api_param_str(c, "flinkJob", SL_STR_NONE, &job, err) ||
        !api_param_str(c, "name", SL_STR(""), &name, err) ||
        !api_param_str(c, "owner", SL_STR(""), &owner, err) ||
        !job_adopt(&api_call_env(c)->sub, target, job, name, owner, &r, err)) {
        return false;
    }
    sl_jw_kstrz(result, "job", r.job);
    sl_jw_kstrz(result, "run", r.id);
    sl_jw_kstrz(result, "state", r.state);
    return true;
}
