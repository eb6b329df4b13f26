/* SPDX-License-Identifier: Apache-2.0
 * A look is a short list of requests that grows with what the answers show: who answers, the states of all
 * jobs, then job by job its tasks, checkpoints and metrics. */
#include "gateway/target/flink_look.h"

#include "base/limits.h"
#include "base/vec.h"
#include "gateway/target/flink_look_json.h"

#include <stdio.h>
#include <stdlib.h>

#define ANSWER_BYTES ((size_t)16 << 20)

enum step_kind {
    STEP_WHO,
    STEP_OVERVIEW,
    STEP_CLUSTER,
    STEP_JOB,
    STEP_CHECKPOINTS,
    STEP_SETTINGS,
    STEP_RESTARTS,
    STEP_EXCEPTIONS,
    STEP_WATERMARKS,
    STEP_METRIC_NAMES,
    STEP_METRICS
};
struct step {
    enum step_kind kind;
    bool needed; /* without its answer the job (or, before the first job, nothing) is seen */
    struct look_vertex vertex;
    const char *query; /* METRICS; in the job's arena */
    struct look_metric *metrics;
    size_t n_metrics;
};

struct flink_look {
    struct sys_http_loop *http;
    struct flink_look_plan p;
    struct sys_http_call *call;
    struct sl_arena all, job, scratch; /* of the look, of the job at hand, of one answer */
    struct step queue[160];
    size_t n_queue, at_queue;
    size_t at; /* the job at hand */
    bool verified, answered;
    struct look_states states; /* of /jobs/overview */
    int taskmanagers, slots_free;
    char url[1400];
};

static bool next(struct flink_look *l);

static struct step *push(struct flink_look *l, enum step_kind kind, bool needed)
{
    if (l->n_queue == SL_ARRAY_LEN(l->queue)) {
        return NULL;
    }
    struct step *s = &l->queue[l->n_queue++];
    *s = (struct step){.kind = kind, .needed = needed};
    return s;
}

/* Before the first and behind the last it is a job all the same: there is at least one. */
static struct flink_look_job *job_at(struct flink_look *l)
{
    return &l->p.jobs[SL_MIN(l->at, l->p.n - 1)];
}

static void release(struct flink_look *l)
{
    sl_arena_release(&l->all);
    sl_arena_release(&l->job);
    sl_arena_release(&l->scratch);
    free(l);
}

/* ---- steps to requests ---- */

static void make_url(struct flink_look *l, const struct step *s)
{
    const char *base = l->p.at.rest, *job = l->at < l->p.n ? l->p.jobs[l->at].id : "";
    switch (s->kind) {
    case STEP_WHO:
        snprintf(l->url, sizeof l->url, "%s/jobmanager/config", base);
        break;
    case STEP_OVERVIEW:
        snprintf(l->url, sizeof l->url, "%s/jobs/overview", base);
        break;
    case STEP_CLUSTER:
        snprintf(l->url, sizeof l->url, "%s/overview", base);
        break;
    case STEP_JOB:
        snprintf(l->url, sizeof l->url, "%s/jobs/%s", base, job);
        break;
    case STEP_CHECKPOINTS:
        snprintf(l->url, sizeof l->url, "%s/jobs/%s/checkpoints", base, job);
        break;
    case STEP_SETTINGS:
        snprintf(l->url, sizeof l->url, "%s/jobs/%s/checkpoints/config", base, job);
        break;
    case STEP_RESTARTS:
        snprintf(l->url, sizeof l->url, "%s/jobs/%s/metrics?get=numRestarts", base, job);
        break;
    case STEP_EXCEPTIONS:
        snprintf(l->url, sizeof l->url, "%s/jobs/%s/exceptions?maxExceptions=20", base, job);
        break;
    case STEP_WATERMARKS:
        snprintf(l->url, sizeof l->url, "%s/jobs/%s/vertices/%s/watermarks", base, job, s->vertex.id);
        break;
    case STEP_METRIC_NAMES:
        snprintf(l->url, sizeof l->url, "%s/jobs/%s/vertices/%s/subtasks/metrics", base, job, s->vertex.id);
        break;
    case STEP_METRICS:
        snprintf(l->url, sizeof l->url, "%s/jobs/%s/vertices/%s/subtasks/metrics?agg=sum,max&get=%s", base,
                 job, s->vertex.id, s->query);
        break;
    }
}

/* ---- ends ---- */

/* The job at hand is done with. */
static void tell_job(struct flink_look *l, enum flink_look_end end)
{
    struct flink_look_job *j = job_at(l);
    j->end = end;
    j->status.taskmanagers = l->taskmanagers;
    j->status.slots_free = l->slots_free;
    l->p.job(l->p.ctx, j);
    sl_arena_release(&l->job);
    l->n_queue = l->at_queue = 0;
    l->at++;
}

static void tell_rest(struct flink_look *l, enum flink_look_end end, const char *detail)
{
    while (l->at < l->p.n) {
        snprintf(job_at(l)->detail, sizeof job_at(l)->detail, "%s", detail);
        tell_job(l, end);
    }
}

/* ---- answers ---- */

static bool bad(char why[200], const char *text)
{
    snprintf(why, 200, "%s", text);
    return false;
}

/* Who answers is settled: true, or all that is left of the look is over. */
static bool on_who(struct flink_look *l, const struct sl_json *doc, char why[200])
{
    struct flink_look_who who;
    if (!look_who_of_json(doc, &who)) {
        return bad(why, "its configuration is not a list of settings");
    }
    l->verified = true;
    if (!l->p.same(l->p.ctx, &who)) {
        char text[160];
        snprintf(text, sizeof text, "it is %s%.60s", who.cluster_id[0] ? "cluster " : "",
                 who.cluster_id[0] ? who.cluster_id : "another JobManager, or another life of it");
        l->answered = true;
        tell_rest(l, FLINK_LOOK_OTHER, text);
    }
    return true;
}

/* True: who answers must be known before this is believed; the step for it is queued in front. */
static bool must_verify(struct flink_look *l)
{
    if (l->verified) {
        return false;
    }
    if (l->at_queue == 0 || !push(l, STEP_WHO, true)) {
        return false;
    }
    struct step who = l->queue[l->n_queue - 1]; /* comes next */
    memmove(&l->queue[l->at_queue + 1], &l->queue[l->at_queue],
            (l->n_queue - 1 - l->at_queue) * sizeof *l->queue);
    l->queue[l->at_queue] = who;
    return true;
}

static void want_metrics(struct flink_look *l, const struct look_vertex *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct step *s = v[i].asks ? push(l, STEP_METRIC_NAMES, false) : NULL;
        if (s) {
            s->vertex = v[i];
        }
        s = (v[i].roles & LOOK_SINK) && !(v[i].roles & LOOK_SOURCE) ? push(l, STEP_WATERMARKS, false) : NULL;
        if (s) {
            s->vertex = v[i];
        }
    }
}

/* Nobody believes what was said of another job, or what was said before. */
static bool is_of_now(struct flink_look_job *j, const struct sl_json *doc, char why[200])
{
    sl_str id = sl_json_str(sl_json_get(doc, "jid"), SL_STR_NONE);
    int64_t clock = sl_json_i64(sl_json_get(doc, "now"), 0), before = j->clock_ms;
    if (!sl_str_eqz(id, j->id)) {
        return bad(why, "what it tells is of another job");
    }
    j->clock_ms = clock;
    return clock == 0 || clock > before || bad(why, "something repeats an old answer of it");
}

static bool on_job(struct flink_look *l, struct flink_look_job *j, const struct sl_json *doc, char why[200])
{
    if (!sl_json_is(sl_json_get(doc, "state"), SL_JSON_STRING)) {
        return bad(why, "there is no state in what it tells of the job");
    }
    if (!is_of_now(j, doc, why)) {
        return false;
    }
    struct look_vertex *v;
    size_t n;
    look_job_of_json(doc, &l->job, &j->status, &v, &n);
    const struct look_state *now = look_states_find(&l->states, j->id);
    if (now && !flink_state_is_terminal(now->state) && !flink_state_is_terminal(j->status.state)) {
        look_apply_state(now, &j->status); /* /jobs/:id may be some seconds old */
    }
    j->held = look_held(v, n, &l->job, &j->n_held);
    bool running = strcmp(j->status.state, "RUNNING") == 0,
         terminal = flink_state_is_terminal(j->status.state);
    if (strcmp(j->status.state, j->expect) != 0) {
        must_verify(l);
    }
    if ((j->wants & FLINK_LOOK_CHECKPOINTS) || terminal) {
        push(l, STEP_CHECKPOINTS, false);
    }
    if (j->wants & FLINK_LOOK_SETTINGS) {
        push(l, STEP_SETTINGS, false);
    }
    if (j->status.restarting_ms != j->restarting_ms && !terminal) {
        push(l, STEP_RESTARTS, false);
    }
    if ((j->wants & FLINK_LOOK_EXCEPTIONS) || strcmp(j->status.state, "FAILED") == 0 ||
        strcmp(j->status.state, "FAILING") == 0 || strcmp(j->status.state, "RESTARTING") == 0 ||
        j->status.restarting_ms != j->restarting_ms) {
        push(l, STEP_EXCEPTIONS, false);
    }
    j->status.restarts = SL_MAX(j->restarts, j->status.restarts);
    if (running) {
        if (j->wants & FLINK_LOOK_METRICS) {
            want_metrics(l, v, n);
            j->has_metrics = true;
        }
        j->status.in_hidden = j->status.out_hidden =
            false; /* what runs is never counted to the last record */
    }
    return true;
}

static void on_metric_names(struct flink_look *l, const struct step *s, const struct sl_json *doc)
{
    struct look_metric *m;
    size_t n;
    const char *query = look_pick_metrics(doc, s->vertex.asks, &l->job, &m, &n);
    struct step *get = query ? push(l, STEP_METRICS, false) : NULL;
    if (get) {
        get->vertex = s->vertex;
        get->query = query;
        get->metrics = m;
        get->n_metrics = n;
    }
}

static bool on_answer(struct flink_look *l, const struct step *s, const struct sl_json *doc, char why[200])
{
    struct flink_look_job *j = job_at(l);
    switch (s->kind) {
    case STEP_WHO:
        return on_who(l, doc, why);
    case STEP_OVERVIEW:
        return look_states_of_json(doc, &l->all, &l->states) || bad(why, "there is no list of jobs");
    case STEP_CLUSTER:
        l->taskmanagers = (int)sl_json_i64(sl_json_get(doc, "taskmanagers"), 0);
        l->slots_free = (int)sl_json_i64(sl_json_get(doc, "slots-available"), -1);
        return true;
    case STEP_JOB:
        return on_job(l, j, doc, why);
    case STEP_CHECKPOINTS:
        flink_checkpoints_of_json(doc, &j->status);
        j->n_checkpoints = look_checkpoints_of_json(doc, &l->job, &j->checkpoints);
        j->has_checkpoints = true;
        return true;
    case STEP_SETTINGS:
        j->status.checkpoint_interval_ms = look_interval_of_json(doc);
        return true;
    case STEP_RESTARTS:
        j->status.restarts = SL_MAX(j->status.restarts, look_restarts_of_json(doc));
        return true;
    case STEP_EXCEPTIONS:
        flink_failure_of_exceptions(doc, &l->job, &j->failure);
        return true;
    case STEP_WATERMARKS:
        look_watermark_of_json(doc, &j->status);
        return true;
    case STEP_METRIC_NAMES:
        on_metric_names(l, s, doc);
        return true;
    case STEP_METRICS:
        look_metrics_of_json(doc, &s->vertex, s->metrics, s->n_metrics, &j->status);
        return true;
    }
    return true;
}

/* 404 with Flink's own error list: it speaks, and does not know the job. */
static bool is_flinks_404(const struct sys_http_answer *a, const struct sl_json *doc)
{
    return a->status == 404 && sl_json_is(sl_json_get(doc, "errors"), SL_JSON_ARRAY);
}

static void on_done(void *ctx, bool ok, const struct sys_http_answer *a, const struct sl_err *err)
{
    struct flink_look *l = ctx;
    struct step s = l->queue[l->at_queue++];
    char why[200] = "";
    l->call = NULL;
    struct sl_err bad_json = SL_ERR_INIT;
    const struct sl_json *doc = ok ? sl_json_parse(&l->scratch, a->body, &bad_json) : NULL;
    bool unknown = s.kind == STEP_JOB && ok && is_flinks_404(a, doc), good = false;
    if (!ok) {
        snprintf(why, sizeof why, "%.190s", err->msg);
    } else if (unknown) {
        l->answered = true;
        if (must_verify(l)) { /* then it is asked again, and believed */
            l->n_queue = l->at_queue + 1;
            push(l, STEP_JOB, true);
        } else {
            tell_job(l, FLINK_LOOK_UNKNOWN);
        }
        good = true;
    } else if (a->status != 200) {
        snprintf(why, sizeof why, "HTTP %d", a->status);
    } else if (!doc) {
        snprintf(why, sizeof why, "it is not JSON: %.150s", bad_json.msg);
    } else {
        good = on_answer(l, &s, doc, why);
        l->answered |= good && s.needed;
    }
    sl_arena_release(&l->scratch);
    if (!good && (s.needed || !ok)) {
        tell_rest(l, FLINK_LOOK_SILENCE, why);
    }
    if (!next(l)) {
        release(l);
    }
}

/* The next request, or the next job; false at the end, when done() was called. */
static bool next(struct flink_look *l)
{
    if (l->at_queue == l->n_queue && l->at < l->p.n && l->at_queue > 0 &&
        l->queue[0].kind >= STEP_JOB) { /* all of the job at hand was asked */
        tell_job(l, FLINK_LOOK_JOB);
    }
    if (l->at == l->p.n) {
        l->p.done(l->p.ctx, l->answered);
        return false;
    }
    if (l->at_queue == l->n_queue) {
        l->n_queue = l->at_queue = 0;
        push(l, STEP_JOB, true);
    }
    make_url(l, &l->queue[l->at_queue]);
    struct sys_http_request rq = {.method = "GET",
                                  .url = l->url,
                                  .headers = l->p.at.headers,
                                  .ca_file = l->p.at.ca_file,
                                  .client_cert = l->p.at.client_cert,
                                  .client_key = l->p.at.client_key,
                                  .proxy = l->p.at.proxy,
                                  .proxy_always = l->p.at.proxy != NULL,
                                  .connect_ms = SL_MIN(sl_limits.http_connect_ms, l->p.timeout_ms),
                                  .total_ms = l->p.timeout_ms,
                                  .max_bytes = ANSWER_BYTES};
    struct sl_err err = SL_ERR_INIT;
    l->call = sys_http_loop_start(l->http, &rq, &l->scratch, on_done, l, &err);
    if (!l->call) { /* not even a request: the address is none */
        tell_rest(l, FLINK_LOOK_SILENCE, err.msg);
        l->p.done(l->p.ctx, l->answered);
        return false;
    }
    return true;
}

struct flink_look *flink_look_start(struct sys_http_loop *http, const struct flink_look_plan *p)
{
    struct flink_look *l = calloc(1, sizeof *l);
    SL_OOM_ON(!l);
    l->http = http;
    l->p = *p;
    l->slots_free = -1;
    l->taskmanagers = -1;
    if (p->identity) {
        push(l, STEP_WHO, true);
    }
    if (p->overview) {
        push(l, STEP_OVERVIEW, true);
    }
    if (p->cluster) {
        push(l, STEP_CLUSTER, false);
    }
    if (!next(l)) {
        release(l);
        return NULL;
    }
    return l;
}

void flink_look_cancel(struct flink_look *l)
{
    if (l->call) {
        sys_http_loop_cancel(l->call);
    }
    release(l);
}
