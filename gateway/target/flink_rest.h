/* SPDX-License-Identifier: Apache-2.0
 * Flink's REST interface as typed blocking calls. One flink_rest per thread at a time; each call makes at
 * most a few requests. Errors: target-unreachable (no answer, hang), target-answer (an answer that is not
 * what Flink says, one line), target-forbidden (it wants another password, certificate or header), not-found (the cluster answered and does not know the job or jar), flink (a
 * refusal: the first line of its words). Source of the paths: Flink's REST documentation, 1.20 to 2.3. */
#ifndef SLUICE_FLINK_REST_H
#define SLUICE_FLINK_REST_H

#include "base/json.h"
#include "gateway/target/target.h"

struct flink_rest;
/* `base` = "http://127.0.0.1:8081", no slash at the end; copied. total_ms: limit of one request, 0 =
 * limits.h. */
struct flink_rest *flink_rest_new(const char *base, int64_t total_ms);
/* The same with all that an endpoint asks for (headers, certificates, proxy). The endpoint's strings are borrowed. */
struct flink_rest *flink_rest_open(const struct tgt_endpoint *e, int64_t total_ms);
void flink_rest_free(struct flink_rest *r);

/* For the files beside this one that know more of Flink's pages: a GET or POST of a JSON document (arena), errors
 * as above. bad_answer says target-answer; always false. */
SL_MUST_CHECK const struct sl_json *flink_rest_get(struct flink_rest *r, const char *path, struct sl_arena *a,
                                                   struct sl_err *err);
SL_MUST_CHECK bool flink_rest_post(struct flink_rest *r, const char *path, sl_str body, struct sl_arena *a,
                                   const struct sl_json **ret, struct sl_err *err);
bool flink_rest_bad_answer(struct flink_rest *r, const char *path, const char *why, struct sl_err *err);
/* The innermost cause of Java's text, one line, without its class; a slice of the text. */
sl_str flink_root_line(sl_str text);
/* A page that is text (a log), at most `max` bytes. */
SL_MUST_CHECK bool flink_rest_text(struct flink_rest *r, const char *path, size_t max, struct sl_arena *a,
                                   sl_str *ret, struct sl_err *err);

struct flink_overview {
    char version[16]; /* "2.2.1" */
    int taskmanagers, slots, slots_free;
    int jobs_running, jobs_finished, jobs_cancelled, jobs_failed;
};
SL_MUST_CHECK bool flink_rest_overview(struct flink_rest *r, struct flink_overview *ret, struct sl_err *err);
/* The value of one key of /jobmanager/config; "" when it is not set. */
SL_MUST_CHECK bool flink_rest_config(struct flink_rest *r, const char *key, char *ret, size_t cap,
                                     struct sl_err *err);
/* features.web-submit of /config: whether /jars is served. */
SL_MUST_CHECK bool flink_rest_can_submit(struct flink_rest *r, bool *ret, struct sl_err *err);

SL_MUST_CHECK bool flink_rest_upload(struct flink_rest *r, const char *jar, char *ret_id, size_t cap,
                                     struct sl_err *err);
/* The same under a name of our own ("x.jar"). */
SL_MUST_CHECK bool flink_rest_upload_as(struct flink_rest *r, const char *jar, const char *name, char *ret_id,
                                        size_t cap, struct sl_err *err);
SL_MUST_CHECK bool flink_rest_delete_jar(struct flink_rest *r, const char *jar_id, struct sl_err *err);

struct flink_run {
    const char *entry_class;
    const char *const *args;                 /* NULL-terminated */
    const char *job_id;                      /* 32 hex or NULL */
    const char *const *keys, *const *values; /* flinkConfiguration, NULL-terminated; may be NULL */
};
/* POST /jars/:id/run: returns when main() has ended. false with code `flink` and `failure` filled (texts in
 * the arena) when Flink refused or main() failed; with `no_jobs` set when main() ended well but started no
 * job. */
SL_MUST_CHECK bool flink_rest_run(struct flink_rest *r, const char *jar_id, const struct flink_run *run,
                                  struct sl_arena *a, char ret_job_id[33], bool *no_jobs,
                                  struct tgt_failure *failure, struct sl_err *err);
/* POST /jars/:id/plan: main() runs up to its first job, which is planned and not started. */
SL_MUST_CHECK bool flink_rest_plan(struct flink_rest *r, const char *jar_id, const struct flink_run *run,
                                   struct sl_arena *a, struct tgt_failure *failure, struct sl_err *err);

struct flink_job {
    char id[33], state[24], name[128];
    int64_t start_ms, end_ms;
};
/* /jobs/overview, oldest first. */
SL_MUST_CHECK bool flink_rest_jobs(struct flink_rest *r, struct sl_arena *a, struct flink_job **ret,
                                   size_t *ret_n, struct sl_err *err);
/* Only their ids. */
SL_MUST_CHECK bool flink_rest_job_ids(struct flink_rest *r, struct sl_arena *a, char (**ret)[33],
                                      size_t *ret_n, struct sl_err *err);
/* State, tasks, records, checkpoints of a job; `gone` when it is not known there. */
SL_MUST_CHECK bool flink_rest_job(struct flink_rest *r, const char *job_id, struct tgt_job_status *ret,
                                  struct sl_err *err);
SL_MUST_CHECK bool flink_rest_exceptions(struct flink_rest *r, const char *job_id, struct sl_arena *a,
                                         struct tgt_failure *ret, struct sl_err *err);
SL_MUST_CHECK bool flink_rest_cancel(struct flink_rest *r, const char *job_id, struct sl_err *err);
/* Flink 2.3: the failure of the newest application; an empty failure when there is none. */
SL_MUST_CHECK bool flink_rest_application_failure(struct flink_rest *r, struct sl_arena *a,
                                                  struct tgt_failure *ret, struct sl_err *err);

/* Of a vertex in /jobs/:id: what its place in the plan is. Chained: several operators in one task. */
bool flink_vertex_has_inputs(const struct sl_json *job, sl_str vertex);
bool flink_vertex_feeds(const struct sl_json *job, sl_str vertex);
bool flink_vertex_is_chain(const struct sl_json *vertex);

/* The same from the bodies an archive of a finished job holds (jobmanager.archive.fs.dir). */
void flink_job_of_json(const struct sl_json *job, const struct sl_json *checkpoints,
                       struct tgt_job_status *ret);
void flink_failure_of_exceptions(const struct sl_json *exceptions, struct sl_arena *a,
                                 struct tgt_failure *ret);
/* Only the part of /jobs/:id/checkpoints. */
void flink_checkpoints_of_json(const struct sl_json *checkpoints, struct tgt_job_status *ret);
/* Java's text of an exception to chain_json: class and message of each, outermost first, split at "Caused
 * by:". */
void flink_failure_of_text(sl_str stack, struct sl_arena *a, struct tgt_failure *ret);
bool flink_state_is_terminal(const char *state);

#endif
