/* SPDX-License-Identifier: Apache-2.0
 * The runner's arguments and the one request that both kinds of session target make. Extra jars are
 * pipeline.classpaths: paths that JobManager and TaskManagers know. */
#include "gateway/target/submit_session.h"

#include "base/vec.h"

#include <openssl/evp.h>
#include <zlib.h>

#define TASK_BYTES ((size_t)64 << 20)

/* BASE64(gzip(task)), for a runner that cannot reach the results port. */
static const char *inline_form(struct sl_arena *a, sl_str task)
{
    z_stream z = {0};
    if (task.n > TASK_BYTES || deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return NULL;
    }
    size_t cap = deflateBound(&z, task.n) + 64;
    unsigned char *gz = sl_arena_alloc(a, cap);
    z.next_in = (unsigned char *)(uintptr_t)task.p;
    z.avail_in = (unsigned)task.n;
    z.next_out = gz;
    z.avail_out = (unsigned)cap;
    int r = deflate(&z, Z_FINISH);
    size_t n = z.total_out;
    deflateEnd(&z);
    if (r != Z_STREAM_END) {
        return NULL;
    }
    unsigned char *text = sl_arena_alloc(a, n / 3 * 4 + 8);
    EVP_EncodeBlock(text, gz, (int)n);
    return (const char *)text;
}

static const char *class_paths(struct sl_arena *a, const char *const *jars)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 1 << 20);
    for (size_t i = 0; jars[i]; i++) {
        sl_buf_printf(&b, "%sfile://%s", i ? ";" : "", jars[i]);
    }
    return sl_arena_strdupz(a, sl_buf_str(&b));
}

bool tgt_submit_session(const struct tgt_endpoint *at, const char *jar_id, const struct tgt_submit *s,
                        struct sl_arena *a, struct tgt_failure *failure, struct sl_err *err)
{
    SL_VEC(const char *) args = {0};
    sl_vec_push(a, &args, "--results");
    sl_vec_push(a, &args, s->results_address);
    sl_vec_push(a, &args, "--token");
    sl_vec_push(a, &args, s->token);
    if (s->digest) {
        sl_vec_push(a, &args, "--digest");
        sl_vec_push(a, &args, s->digest);
    }
    const char *packed = s->inline_task ? inline_form(a, s->task) : NULL;
    if (packed) {
        sl_vec_push(a, &args, "--inline");
        sl_vec_push(a, &args, packed);
    }
    sl_vec_push(a, &args, NULL);
    const char *keys[2] = {0}, *values[2] = {0};
    if (s->jars && s->jars[0]) {
        keys[0] = "pipeline.classpaths";
        values[0] = class_paths(a, s->jars);
    }
    struct flink_run run = {.entry_class = TGT_RUNNER_CLASS,
                            .args = args.v,
                            .job_id = s->expects_job ? s->job_id : NULL,
                            .keys = keys,
                            .values = values};
    struct flink_rest *r = flink_rest_open(at, 0);
    char job_id[33];
    bool no_jobs = false;
    bool ok = flink_rest_run(r, jar_id, &run, a, job_id, &no_jobs, failure, err);
    flink_rest_free(r);
    if (!ok && no_jobs && !s->expects_job) {
        memset(failure, 0, sizeof *failure);
        return true;
    }
    return ok;
}
