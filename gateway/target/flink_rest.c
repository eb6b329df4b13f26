/* SPDX-License-Identifier: Apache-2.0
 * Flink's REST, typed. What Flink answers is checked for its shape here and nowhere else. */
#include "gateway/target/flink_rest.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/vec.h"
#include "sys/http.h"

#include <stdio.h>
#include <stdlib.h>

struct flink_rest {
    struct sys_http *http;
    struct tgt_endpoint at;
    const char *base; /* at.rest */
    int64_t total_ms;
};

struct flink_rest *flink_rest_open(const struct tgt_endpoint *e, int64_t total_ms)
{
    struct flink_rest *r = calloc(1, sizeof *r);
    SL_OOM_ON(!r);
    r->http = sys_http_new();
    r->total_ms = total_ms;
    r->at = *e;
    r->base = r->at.rest;
    return r;
}

struct flink_rest *flink_rest_new(const char *base, int64_t total_ms)
{
    struct tgt_endpoint e = {0};
    snprintf(e.rest, sizeof e.rest, "%s", base);
    return flink_rest_open(&e, total_ms);
}

void flink_rest_free(struct flink_rest *r)
{
    if (r) {
        sys_http_free(r->http);
        free(r);
    }
}

bool flink_state_is_terminal(const char *state)
{
    return strcmp(state, "FINISHED") == 0 || strcmp(state, "FAILED") == 0 || strcmp(state, "CANCELED") == 0;
}

/* ---- Java's text ---- */

static sl_str line_of(sl_str text, size_t at)
{
    size_t n = at;
    while (n < text.n && text.p[n] != '\n') {
        n++;
    }
    return sl_str_sub(text, at, n - at);
}

/* Lines that only say where: they end a message. */
static bool is_frame(sl_str line)
{
    sl_str bare = sl_str_trim(line);
    return sl_str_starts(bare, SL_STR("at ")) || sl_str_starts(bare, SL_STR("...")) ||
           sl_str_starts(bare, SL_STR("Suppressed:")) || sl_str_starts(bare, SL_STR("[CIRCULAR"));
}

/* A class name with at least one dot at the start of the text; its length, or 0. */
static size_t class_len(sl_str s)
{
    size_t n = 0;
    bool dot = false;
    while (n < s.n) {
        char c = s.p[n];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                    c == '$';
        if (!word && c != '.') {
            break;
        }
        dot = dot || c == '.';
        n++;
    }
    return dot && n > 2 ? n : 0;
}

static void put_cause(struct sl_jw *w, sl_str cause)
{
    size_t n = class_len(cause);
    sl_str class = sl_str_sub(cause, 0, n), message = cause;
    if (n && n == cause.n) {
        message = SL_STR_NONE;
    } else if (n && cause.p[n] == ':') {
        message = sl_str_sub(cause, n + 1, cause.n - n - 1);
    } else {
        class = SL_STR_NONE;
    }
    sl_jw_object(w);
    sl_jw_kstr(w, "class", class);
    sl_jw_kstr(w, "message", sl_str_trim(message));
    sl_jw_end_object(w);
}

void flink_failure_of_text(sl_str stack, struct sl_arena *a, struct tgt_failure *ret)
{
    static const sl_str server = {"<Exception on server side:", 26}, caused = {"Caused by: ", 11};
    ret->stack = sl_str_dup(a, stack);
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    struct sl_jw w;
    sl_jw_init(&w, &b);
    sl_jw_array(&w);
    size_t from = 0, end = 0;
    bool in_message = false, in_suppressed = false;
    for (size_t at = 0; at < stack.n;) {
        sl_str line = line_of(stack, at);
        bool first = at == 0 && !sl_str_starts(line, server);
        bool after_server = at > 0 && !in_message && end == 0 && !is_frame(line);
        bool cause = sl_str_starts(line, caused);
        if (sl_str_starts(sl_str_trim(line), SL_STR("Suppressed:"))) {
            in_suppressed = true;
        }
        if (sl_str_starts(line, SL_STR("End of exception on server side"))) {
            break;
        }
        if (cause || first || after_server) {
            if (in_message) {
                put_cause(&w, sl_str_sub(stack, from, end - from));
            }
            from = at + (cause ? caused.n : 0);
            in_message = true;
            in_suppressed = false;
            end = at + line.n;
        } else if (in_message && (is_frame(line) || in_suppressed)) {
            put_cause(&w, sl_str_sub(stack, from, end - from));
            in_message = false;
        } else if (in_message) {
            end = at + line.n;
        }
        at += line.n + 1;
    }
    if (in_message) {
        put_cause(&w, sl_str_sub(stack, from, end - from));
    }
    sl_jw_end_array(&w);
    ret->chain_json = sl_str_dup(a, sl_buf_str(&b));
}

/* ---- requests ---- */

bool flink_rest_bad_answer(struct flink_rest *r, const char *path, const char *why, struct sl_err *err)
{
    sl_fail(err, SL_TARGET_ANSWER, "what answers at %s%s is not Flink: %s", r->base, path, why);
    return sl_hint(err, "another program may have taken the port; sluice doctor tells more");
}

static bool call(struct flink_rest *r, struct sys_http_request *rq, const char *path, struct sl_arena *a,
                 int *ret_status, sl_str *ret_body, struct sl_err *err)
{
    char url[1024];
    snprintf(url, sizeof url, "%s%s", r->base, path);
    rq->url = url;
    rq->method = rq->method ? rq->method : "GET";
    rq->connect_ms = rq->connect_ms ? rq->connect_ms : sl_limits.http_connect_ms;
    rq->total_ms = rq->total_ms ? rq->total_ms : r->total_ms;
    rq->ca_file = r->at.ca_file;
    rq->client_cert = r->at.client_cert;
    rq->client_key = r->at.client_key;
    rq->proxy = r->at.proxy;
    rq->proxy_always = r->at.proxy != NULL;
    const char *headers[SL_LIMIT_TARGET_HEADERS + 2];
    size_t n = 0;
    for (size_t i = 0; r->at.headers && r->at.headers[i] && n < SL_LIMIT_TARGET_HEADERS; i++) {
        headers[n++] = r->at.headers[i];
    }
    if (rq->headers) {
        headers[n++] = rq->headers[0]; /* at most one of its own */
    }
    headers[n] = NULL;
    rq->headers = headers;
    struct sys_http_answer ans = {0};
    if (!sys_http_do(r->http, rq, a, &ans, err)) {
        return false;
    }
    *ret_status = ans.status;
    *ret_body = ans.body;
    return true;
}

/* The text of an error answer: the longest element of "errors". */
static sl_str error_text(struct sl_arena *a, sl_str body)
{
    struct sl_err ignored = SL_ERR_INIT;
    struct sl_json *doc = sl_json_parse(a, body, &ignored);
    sl_str best = SL_STR_NONE;
    SL_JSON_EACH(e, sl_json_get(doc, "errors"))
    {
        sl_str s = sl_json_str(e, SL_STR_NONE);
        best = s.n > best.n ? s : best;
    }
    return best;
}

sl_str flink_root_line(sl_str text)
{
    sl_str best = SL_STR_NONE;
    for (size_t at = 0; at < text.n;) {
        sl_str line = line_of(text, at);
        if (sl_str_starts(line, SL_STR("Caused by: "))) {
            best = sl_str_sub(line, 11, line.n - 11);
        } else if (!best.n && !sl_str_starts(line, SL_STR("<Exception on")) && !is_frame(line)) {
            best = line;
        }
        at += line.n + 1;
    }
    size_t n = class_len(best);
    if (n && n + 1 < best.n && best.p[n] == ':') {
        best = sl_str_sub(best, n + 1, best.n - n - 1);
    }
    return sl_str_trim(best);
}

static bool refused(struct flink_rest *r, const char *path, struct sl_arena *a, int status, sl_str body,
                    struct sl_err *err)
{
    sl_str text = error_text(a, body);
    if (status == 401 || status == 403) {
        sl_fail(err, SL_TARGET_FORBIDDEN, "%s refuses us: HTTP %d", r->base, status);
        return sl_hint(err,
                       "sluice target add NAME --url %s --user NAME:PASSWORD (or --header, --cert) gives it "
                       "what it asks for",
                       r->base);
    }
    if (!text.n) {
        char why[64];
        snprintf(why, sizeof why, "HTTP %d without Flink's error text", status);
        return flink_rest_bad_answer(r, path, why, err);
    }
    sl_str line = flink_root_line(text);
    if (status == 404) {
        return sl_fail(err, SL_NOT_FOUND, "Flink: %.*s", (int)SL_MIN(line.n, 300), line.p);
    }
    return sl_fail(err, SL_FLINK, "Flink: %.*s", (int)SL_MIN(line.n, 300), line.p);
}

const struct sl_json *flink_rest_get(struct flink_rest *r, const char *path, struct sl_arena *a,
                                     struct sl_err *err)
{
    struct sys_http_request rq = {0};
    int status;
    sl_str body;
    if (!call(r, &rq, path, a, &status, &body, err)) {
        return NULL;
    }
    if (status != 200) {
        refused(r, path, a, status, body, err);
        return NULL;
    }
    struct sl_err why = SL_ERR_INIT;
    struct sl_json *doc = sl_json_parse(a, body, &why);
    if (!doc) {
        flink_rest_bad_answer(r, path, why.msg, err);
    }
    return doc;
}

bool flink_rest_post(struct flink_rest *r, const char *path, sl_str body, struct sl_arena *a,
                     const struct sl_json **ret, struct sl_err *err)
{
    struct sys_http_request rq = {.method = "POST", .content_type = "application/json", .body = body};
    int status;
    sl_str answer;
    if (!call(r, &rq, path, a, &status, &answer, err)) {
        return false;
    }
    if (status != 200 && status != 202) {
        return refused(r, path, a, status, answer, err);
    }
    struct sl_err why = SL_ERR_INIT;
    *ret = sl_json_parse(a, answer, &why);
    return *ret ? true : flink_rest_bad_answer(r, path, why.msg, err);
}

bool flink_rest_text(struct flink_rest *r, const char *path, size_t max, struct sl_arena *a, sl_str *ret,
                     struct sl_err *err)
{
    struct sys_http_request rq = {.max_bytes = max};
    int status;
    return call(r, &rq, path, a, &status, ret, err) &&
           (status == 200 || refused(r, path, a, status, *ret, err));
}

static void copy(char *out, size_t cap, const struct sl_json *v)
{
    sl_str s = sl_json_str(v, SL_STR_NONE);
    snprintf(out, cap, "%.*s", SL_S(s));
}

bool flink_rest_overview(struct flink_rest *r, struct flink_overview *ret, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    const struct sl_json *o = flink_rest_get(r, "/overview", &a, err);
    if (!o) {
        return false;
    }
    if (!sl_json_is(sl_json_get(o, "flink-version"), SL_JSON_STRING)) {
        return flink_rest_bad_answer(r, "/overview", "no flink-version in it", err);
    }
    memset(ret, 0, sizeof *ret);
    copy(ret->version, sizeof ret->version, sl_json_get(o, "flink-version"));
    ret->taskmanagers = (int)sl_json_i64(sl_json_get(o, "taskmanagers"), 0);
    ret->slots = (int)sl_json_i64(sl_json_get(o, "slots-total"), 0);
    ret->slots_free = (int)sl_json_i64(sl_json_get(o, "slots-available"), 0);
    ret->jobs_running = (int)sl_json_i64(sl_json_get(o, "jobs-running"), 0);
    ret->jobs_finished = (int)sl_json_i64(sl_json_get(o, "jobs-finished"), 0);
    ret->jobs_cancelled = (int)sl_json_i64(sl_json_get(o, "jobs-cancelled"), 0);
    ret->jobs_failed = (int)sl_json_i64(sl_json_get(o, "jobs-failed"), 0);
    return true;
}

bool flink_rest_config(struct flink_rest *r, const char *key, char *ret, size_t cap, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    const struct sl_json *list = flink_rest_get(r, "/jobmanager/config", &a, err);
    if (!list) {
        return false;
    }
    if (!sl_json_is(list, SL_JSON_ARRAY)) {
        return flink_rest_bad_answer(r, "/jobmanager/config", "not a list of settings", err);
    }
    ret[0] = 0;
    SL_JSON_EACH(e, list)
    {
        if (sl_str_eqz(sl_json_str(sl_json_get(e, "key"), SL_STR_NONE), key)) {
            copy(ret, cap, sl_json_get(e, "value"));
        }
    }
    return true;
}

bool flink_rest_can_submit(struct flink_rest *r, bool *ret, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    const struct sl_json *o = flink_rest_get(r, "/config", &a, err);
    if (!o) {
        return false;
    }
    *ret = sl_json_bool(sl_json_path(o, "features.web-submit"), false);
    return true;
}

bool flink_rest_upload(struct flink_rest *r, const char *jar, char *ret_id, size_t cap, struct sl_err *err)
{
    return flink_rest_upload_as(r, jar, NULL, ret_id, cap, err);
}

bool flink_rest_upload_as(struct flink_rest *r, const char *jar, const char *name, char *ret_id, size_t cap,
                          struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    const char *headers[] = {"Expect:", NULL};
    struct sys_http_request rq = {.method = "POST",
                                  .headers = headers,
                                  .upload_field = "jarfile",
                                  .upload_path = jar,
                                  .upload_name = name,
                                  .content_type = "application/x-java-archive"};
    int status;
    sl_str body;
    if (!call(r, &rq, "/jars/upload", &a, &status, &body, err)) {
        return false;
    }
    if (status != 200) {
        return refused(r, "/jars/upload", &a, status, body, err);
    }
    struct sl_json *doc = sl_json_parse(&a, body, err);
    sl_str kept = sl_json_str(sl_json_get(doc, "filename"), SL_STR_NONE);
    size_t at = kept.n;
    while (at > 0 && kept.p[at - 1] != '/') {
        at--;
    }
    if (at == kept.n || kept.n - at >= cap) {
        return flink_rest_bad_answer(r, "/jars/upload", "no filename in it", err);
    }
    snprintf(ret_id, cap, "%.*s", (int)(kept.n - at), kept.p + at);
    return true;
}

bool flink_rest_delete_jar(struct flink_rest *r, const char *jar_id, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char path[512];
    snprintf(path, sizeof path, "/jars/%s", jar_id);
    struct sys_http_request rq = {.method = "DELETE"};
    int status;
    sl_str body;
    if (!call(r, &rq, path, &a, &status, &body, err)) {
        return false;
    }
    return status == 200 ? true : refused(r, path, &a, status, body, err);
}

static void run_body(const struct flink_run *run, struct sl_buf *b)
{
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "entryClass", run->entry_class);
    sl_jw_key(&w, "programArgsList");
    sl_jw_array(&w);
    for (size_t i = 0; run->args && run->args[i]; i++) {
        sl_jw_strz(&w, run->args[i]);
    }
    sl_jw_end_array(&w);
    if (run->job_id) {
        sl_jw_kstrz(&w, "jobId", run->job_id);
    }
    if (run->keys && run->keys[0]) {
        sl_jw_key(&w, "flinkConfiguration");
        sl_jw_object(&w);
        for (size_t i = 0; run->keys[i]; i++) {
            sl_jw_kstrz(&w, run->keys[i], run->values[i]);
        }
        sl_jw_end_object(&w);
    }
    sl_jw_end_object(&w);
}

/* POST of a run or plan; true with 200 and the document. */
static bool post_main(struct flink_rest *r, const char *jar_id, const char *verb, const struct flink_run *run,
                      struct sl_arena *a, const struct sl_json **ret, struct tgt_failure *failure,
                      struct sl_err *err)
{
    char path[512];
    snprintf(path, sizeof path, "/jars/%s/%s", jar_id, verb);
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    run_body(run, &b);
    struct sys_http_request rq = {.method = "POST",
                                  .content_type = "application/json",
                                  .body = sl_buf_str(&b),
                                  .total_ms = sl_limits.http_run_ms};
    int status;
    sl_str body;
    if (!call(r, &rq, path, a, &status, &body, err)) {
        return false;
    }
    if (status != 200) {
        sl_str text = error_text(a, body);
        if (text.n) {
            flink_failure_of_text(text, a, failure);
        }
        return refused(r, path, a, status, body, err);
    }
    struct sl_err why = SL_ERR_INIT;
    *ret = sl_json_parse(a, body, &why);
    return *ret ? true : flink_rest_bad_answer(r, path, why.msg, err);
}

bool flink_rest_run(struct flink_rest *r, const char *jar_id, const struct flink_run *run, struct sl_arena *a,
                    char ret_job_id[33], bool *no_jobs, struct tgt_failure *failure, struct sl_err *err)
{
    const struct sl_json *doc = NULL;
    *no_jobs = false;
    ret_job_id[0] = 0;
    if (!post_main(r, jar_id, "run", run, a, &doc, failure, err)) {
        *no_jobs = sl_str_find(failure->stack, SL_STR("No jobs included in application.")) >= 0;
        return false;
    }
    sl_str id = sl_json_str(sl_json_get(doc, "jobid"), SL_STR_NONE);
    if (id.n != 32) {
        return flink_rest_bad_answer(r, "/jars/run", "no job id in it", err);
    }
    snprintf(ret_job_id, 33, "%.*s", SL_S(id));
    return true;
}

bool flink_rest_plan(struct flink_rest *r, const char *jar_id, const struct flink_run *run,
                     struct sl_arena *a, struct tgt_failure *failure, struct sl_err *err)
{
    const struct sl_json *doc = NULL;
    return post_main(r, jar_id, "plan", run, a, &doc, failure, err);
}

static int by_start(const void *x, const void *y)
{
    int64_t a = ((const struct flink_job *)x)->start_ms, b = ((const struct flink_job *)y)->start_ms;
    return a < b ? -1 : a > b;
}

bool flink_rest_jobs(struct flink_rest *r, struct sl_arena *a, struct flink_job **ret, size_t *ret_n,
                     struct sl_err *err)
{
    const struct sl_json *doc = flink_rest_get(r, "/jobs/overview", a, err);
    if (!doc) {
        return false;
    }
    const struct sl_json *jobs = sl_json_get(doc, "jobs");
    if (!sl_json_is(jobs, SL_JSON_ARRAY)) {
        return flink_rest_bad_answer(r, "/jobs/overview", "no list of jobs in it", err);
    }
    struct flink_job *v = sl_new_n(a, struct flink_job, jobs->n + 1);
    size_t n = 0;
    SL_JSON_EACH(j, jobs)
    {
        copy(v[n].id, sizeof v[n].id, sl_json_get(j, "jid"));
        copy(v[n].state, sizeof v[n].state, sl_json_get(j, "state"));
        copy(v[n].name, sizeof v[n].name, sl_json_get(j, "name"));
        v[n].start_ms = sl_json_i64(sl_json_get(j, "start-time"), 0);
        v[n].end_ms = SL_MAX(sl_json_i64(sl_json_get(j, "end-time"), 0), 0);
        n++;
    }
    qsort(v, n, sizeof *v, by_start);
    *ret = v;
    *ret_n = n;
    return true;
}

bool flink_rest_job_ids(struct flink_rest *r, struct sl_arena *a, char (**ret)[33], size_t *ret_n,
                        struct sl_err *err)
{
    struct flink_job *jobs;
    if (!flink_rest_jobs(r, a, &jobs, ret_n, err)) {
        return false;
    }
    *ret = sl_arena_zalloc(a, 33 * (*ret_n + 1));
    for (size_t i = 0; i < *ret_n; i++) {
        memcpy((*ret)[i], jobs[i].id, 33);
    }
    return true;
}

/* ---- one job ---- */

bool flink_vertex_has_inputs(const struct sl_json *job, sl_str vertex)
{
    SL_JSON_EACH(node, sl_json_path(job, "plan.nodes"))
    {
        if (sl_str_eq(sl_json_str(sl_json_get(node, "id"), SL_STR_NONE), vertex)) {
            return sl_json_get(node, "inputs") && sl_json_get(node, "inputs")->n > 0;
        }
    }
    return false;
}

bool flink_vertex_feeds(const struct sl_json *job, sl_str vertex)
{
    SL_JSON_EACH(node, sl_json_path(job, "plan.nodes"))
    {
        SL_JSON_EACH(in, sl_json_get(node, "inputs"))
        {
            if (sl_str_eq(sl_json_str(sl_json_get(in, "id"), SL_STR_NONE), vertex)) {
                return true;
            }
        }
    }
    return false;
}

/* Several operators in one task: "Source: a[1] -> Sort[2]". */
bool flink_vertex_is_chain(const struct sl_json *vertex)
{
    return sl_str_find(sl_json_str(sl_json_get(vertex, "name"), SL_STR_NONE), SL_STR(" -> ")) >= 0;
}

void flink_checkpoints_of_json(const struct sl_json *c, struct tgt_job_status *ret)
{
    const struct sl_json *counts = sl_json_get(c, "counts");
    ret->checkpoints_completed = sl_json_i64(sl_json_get(counts, "completed"), 0);
    ret->checkpoints_failed = sl_json_i64(sl_json_get(counts, "failed"), 0);
    const struct sl_json *last = sl_json_path(c, "latest.completed");
    ret->last_checkpoint_id = sl_json_i64(sl_json_get(last, "id"), 0);
    ret->last_checkpoint_ms = sl_json_i64(sl_json_get(last, "latest_ack_timestamp"), 0);
    ret->last_checkpoint_duration_ms = sl_json_i64(sl_json_get(last, "end_to_end_duration"), 0);
    ret->last_checkpoint_bytes = sl_json_i64(sl_json_get(last, "state_size"), 0);
    copy(ret->restored_from, sizeof ret->restored_from, sl_json_path(c, "latest.restored.external_path"));
    const struct sl_json *savepoint = sl_json_path(c, "latest.savepoint");
    ret->last_savepoint_ms = sl_json_i64(sl_json_get(savepoint, "trigger_timestamp"), 0);
    copy(ret->last_savepoint, sizeof ret->last_savepoint, sl_json_get(savepoint, "external_path"));
}

void flink_job_of_json(const struct sl_json *job, const struct sl_json *checkpoints,
                       struct tgt_job_status *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->slots_free = ret->taskmanagers = -1;
    copy(ret->state, sizeof ret->state, sl_json_get(job, "state"));
    ret->terminal = flink_state_is_terminal(ret->state);
    ret->start_ms = sl_json_i64(sl_json_get(job, "start-time"), 0);
    ret->end_ms = SL_MAX(sl_json_i64(sl_json_get(job, "end-time"), 0), 0);
    ret->restarting_ms = sl_json_i64(sl_json_path(job, "timestamps.RESTARTING"), 0);
    ret->restarts = ret->restarting_ms > 0; /* that it did; how often is a metric, read live */
    static const char *const times[] = {"accumulated-idle-time", "accumulated-busy-time",
                                        "accumulated-backpressured-time"};
    SL_JSON_EACH(v, sl_json_get(job, "vertices"))
    {
        const struct sl_json *m = sl_json_get(v, "metrics");
        sl_str id = sl_json_str(sl_json_get(v, "id"), SL_STR_NONE);
        SL_JSON_EACH(t, sl_json_get(v, "tasks"))
        {
            int n = (int)sl_json_i64(t, 0);
            ret->tasks += n;
            if (sl_str_eqz(t->key, "RUNNING")) {
                ret->tasks_running += n;
            } else if (sl_str_eqz(t->key, "FINISHED")) {
                ret->tasks_finished += n;
            }
        }
        int64_t read = SL_MAX(sl_json_i64(sl_json_get(m, "read-records"), 0), INT64_C(0));
        int64_t written = SL_MAX(sl_json_i64(sl_json_get(m, "write-records"), 0), INT64_C(0));
        for (size_t i = 0; i < SL_ARRAY_LEN(times); i++) {
            ret->task_ms +=
                sl_json_i64(sl_json_get(m, times[i]), 0); /* busy is NaN where nobody measures it */
        }
        bool source = !flink_vertex_has_inputs(job, id), sink = !flink_vertex_feeds(job, id);
        /* Sources of the old kind tell only what they wrote, and their chain only what its end wrote. */
        bool hides = source && read == 0 && flink_vertex_is_chain(v);
        if (source) {
            ret->records_in += (uint64_t)(read ? read : written);
            ret->in_hidden |= hides;
        }
        if (sink) {
            ret->records_out += (uint64_t)read;
            ret->out_hidden |= hides;
        }
    }
    flink_checkpoints_of_json(checkpoints, ret);
}

/* The sum over a vertex' subtasks of one metric of the operators whose name starts so: Flink's vertex counters
 * see only what crosses vertices, an operator's own all it does, but only while it lives. */
static uint64_t operator_sum(struct flink_rest *r, struct sl_arena *a, const char *job_id, sl_str vertex,
                             const char *operator, const char * metric)
{
    struct sl_err ignored = SL_ERR_INIT;
    char path[256];
    snprintf(path, sizeof path, "/jobs/%s/vertices/%.*s/subtasks/metrics", job_id, SL_S(vertex));
    const struct sl_json *ids = flink_rest_get(r, path, a, &ignored);
    SL_BUF_AUTO q;
    sl_buf_init(&q, 900);
    size_t n = 0;
    SL_JSON_EACH(e, ids)
    {
        sl_str id = sl_json_str(sl_json_get(e, "id"), SL_STR_NONE);
        sl_str tail = sl_str_of(metric);
        if (!sl_str_starts(id, sl_str_of(operator)) || !sl_str_ends(id, tail) || q.n + id.n * 3 > 600) {
            continue;
        }
        sl_buf_putz(&q, n++ ? "," : "");
        for (size_t i = 0; i < id.n; i++) {
            unsigned char c = (unsigned char)id.p[i];
            if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                c == '.') {
                sl_buf_putc(&q, (char)c);
            } else {
                sl_buf_printf(&q, "%%%02X", c);
            }
        }
    }
    if (!n || q.full) {
        return 0;
    }
    char whole[1024];
    snprintf(whole, sizeof whole, "%s?agg=sum&get=%s", path, sl_buf_z(&q));
    uint64_t sum = 0;
    const struct sl_json *values = flink_rest_get(r, whole, a, &ignored);
    SL_JSON_EACH(e, values)
    {
        double v = sl_json_f64(sl_json_get(e, "sum"), 0);
        sum += v > 0 ? (uint64_t)v : 0;
    }
    return sum;
}

/* What the operators of a running job have counted, where its vertices do not tell. */
static void add_operator_records(struct flink_rest *r, struct sl_arena *a, const char *job_id,
                                 const struct sl_json *job, struct tgt_job_status *ret)
{
    SL_JSON_EACH(v, sl_json_get(job, "vertices"))
    {
        const struct sl_json *m = sl_json_get(v, "metrics");
        sl_str id = sl_json_str(sl_json_get(v, "id"), SL_STR_NONE);
        uint64_t read = (uint64_t)SL_MAX(sl_json_i64(sl_json_get(m, "read-records"), 0), INT64_C(0));
        uint64_t written = (uint64_t)SL_MAX(sl_json_i64(sl_json_get(m, "write-records"), 0), INT64_C(0));
        if (!flink_vertex_has_inputs(job, id) && read == 0) {
            uint64_t n = operator_sum(r, a, job_id, id, "Source__", ".numRecordsOut");
            ret->records_in += n > written ? n - written : 0;
        }
        if (!flink_vertex_feeds(job, id) && flink_vertex_is_chain(v)) {
            uint64_t n = operator_sum(r, a, job_id, id, "Sink__", ".numRecordsIn");
            n = n ? n : operator_sum(r, a, job_id, id, "", "__Writer.numRecordsIn");
            ret->records_out = n ? ret->records_out - read + n : ret->records_out;
        }
    }
}

bool flink_rest_job(struct flink_rest *r, const char *job_id, struct tgt_job_status *ret, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char path[128];
    memset(ret, 0, sizeof *ret);
    snprintf(path, sizeof path, "/jobs/%s", job_id);
    struct sl_err why = SL_ERR_INIT;
    const struct sl_json *job = flink_rest_get(r, path, &a, &why);
    if (!job) {
        if (why.code == SL_NOT_FOUND) {
            ret->gone = true;
            return true;
        }
        if (err) {
            *err = why;
        }
        return false;
    }
    if (!sl_json_is(sl_json_get(job, "state"), SL_JSON_STRING)) {
        return flink_rest_bad_answer(r, path, "no state in it", err);
    }
    snprintf(path, sizeof path, "/jobs/%s/checkpoints", job_id);
    struct sl_err ignored = SL_ERR_INIT;
    const struct sl_json *checkpoints = flink_rest_get(r, path, &a, &ignored);
    flink_job_of_json(job, checkpoints, ret);
    if (strcmp(ret->state, "RUNNING") == 0) {
        add_operator_records(r, &a, job_id, job, ret);
        ret->in_hidden = ret->out_hidden = false; /* what runs is never counted to the last record */
    }
    if (!ret->terminal) {
        snprintf(path, sizeof path, "/jobs/%s/metrics?get=numRestarts", job_id);
        const struct sl_json *m = flink_rest_get(r, path, &a, &ignored);
        int64_t n;
        if (sl_str_to_i64(sl_json_str(sl_json_get(sl_json_at(m, 0), "value"), SL_STR_NONE), &n)) {
            ret->restarts = (int)n;
        }
    }
    return true;
}

void flink_failure_of_exceptions(const struct sl_json *doc, struct sl_arena *a, struct tgt_failure *ret)
{
    memset(ret, 0, sizeof *ret);
    const struct sl_json *newest = NULL;
    SL_JSON_EACH(e, sl_json_path(doc, "exceptionHistory.entries"))
    {
        int64_t at = sl_json_i64(sl_json_get(e, "timestamp"), 0);
        if (!newest || at > ret->at_ms) {
            newest = e;
            ret->at_ms = at;
        }
    }
    sl_str stack = sl_json_str(sl_json_get(newest, "stacktrace"), SL_STR_NONE);
    if (!stack.n) {
        stack = sl_json_str(sl_json_get(doc, "root-exception"), SL_STR_NONE);
        ret->at_ms = sl_json_i64(sl_json_get(doc, "timestamp"), 0);
    }
    if (stack.n) {
        flink_failure_of_text(stack, a, ret);
    }
}

bool flink_rest_exceptions(struct flink_rest *r, const char *job_id, struct sl_arena *a,
                           struct tgt_failure *ret, struct sl_err *err)
{
    char path[128];
    snprintf(path, sizeof path, "/jobs/%s/exceptions?maxExceptions=20", job_id);
    const struct sl_json *doc = flink_rest_get(r, path, a, err);
    if (!doc) {
        return false;
    }
    flink_failure_of_exceptions(doc, a, ret);
    return true;
}

bool flink_rest_cancel(struct flink_rest *r, const char *job_id, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char path[128];
    snprintf(path, sizeof path, "/jobs/%s?mode=cancel", job_id);
    struct sys_http_request rq = {.method = "PATCH"};
    int status;
    sl_str body;
    if (!call(r, &rq, path, &a, &status, &body, err)) {
        return false;
    }
    if (status == 202 || status == 200 || status == 409) { /* 409: it has ended already */
        return true;
    }
    return refused(r, path, &a, status, body, err);
}

bool flink_rest_application_failure(struct flink_rest *r, struct sl_arena *a, struct tgt_failure *ret,
                                    struct sl_err *err)
{
    memset(ret, 0, sizeof *ret);
    struct sl_err why = SL_ERR_INIT;
    const struct sl_json *doc = flink_rest_get(r, "/applications/overview", a, &why);
    if (!doc) {
        if (why.code == SL_NOT_FOUND) { /* before 2.3 */
            return true;
        }
        if (err) {
            *err = why;
        }
        return false;
    }
    sl_str id = SL_STR_NONE;
    SL_JSON_EACH(app, sl_json_get(doc, "applications"))
    {
        id = sl_json_str(sl_json_get(app, "id"), id);
    }
    if (!id.n) {
        return true;
    }
    char path[128];
    snprintf(path, sizeof path, "/applications/%.*s/exceptions", SL_S(id));
    doc = flink_rest_get(r, path, a, err);
    if (!doc) {
        return false;
    }
    flink_failure_of_exceptions(doc, a, ret);
    return true;
}
