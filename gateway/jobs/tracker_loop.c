/* SPDX-License-Identifier: Apache-2.0
 * When who is looked at. A round is one look at all due runs of one JobManager: a lane thread reads what is
 * known of its process (and asks the target itself about what the JobManager no longer tells), then the loop
 * asks its REST. Rounds of different JobManagers know nothing of each other. */
#include "gateway/jobs/tracker_internal.h"

#include "base/limits.h"
#include "base/vec.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>

#define FACT_THREADS  4
#define ASK_THREADS   4
#define END_THREADS   4
#define LANE_QUEUE    100000
#define FEW_JOBS      8 /* of one JobManager: all of them are asked for their checkpoints at each look */
#define RETRY_SAVE_MS 1000

struct round_job {
    char run_id[RUN_ID_HEX + 1];
    char flink_job[33];
    int64_t due_ms;
    bool consult, asked, ok; /* the target itself was asked, and answered */
    struct tgt_job_status status;
    struct tgt_failure failure;
    struct sl_err err;
};

struct round {
    struct sys_lane_job job; /* first */
    struct tracker *t;
    struct place *place; /* busy, so it stays */
    struct sl_arena arena;
    char target[64];
    struct tgt_cluster cluster;
    bool consults; /* the target is asked about a run, which may take its time */
    bool has_process, has_endpoint;
    struct tgt_process process;
    struct tgt_endpoint at;
    struct sl_err err;
    struct round_job *jobs;
    struct flink_look_job *looks; /* those that the REST is asked for; ctx: the round_job */
    size_t n, n_looks;
    char silence[200]; /* why nothing answered; "" = something did */
};

static void tick(struct tracker *t);

/* ---- on the lane: what needs no REST, or all that is left without one ---- */

static void ask_target(struct round *r, struct target *g, struct round_job *j)
{
    j->asked = true;
    j->ok = g && g->ops->status(g, &r->cluster, j->flink_job, &j->status, &j->err);
    if (!j->ok || !j->status.terminal || strcmp(j->status.state, "FAILED") != 0) {
        return;
    }
    struct sl_err ignored = SL_ERR_INIT;
    if (!g->ops->failure(g, &r->cluster, j->flink_job, &r->arena, &j->failure, &ignored)) {
        j->failure = (struct tgt_failure){0};
    }
}

static void facts_work(struct sys_lane_job *job)
{
    struct round *r = (struct round *)job;
    struct tracker *t = r->t;
    struct target *g = t->target(t->target_ctx, r->target, r->cluster.flink);
    struct sl_err gone = SL_ERR_INIT;
    if (!g) {
        sl_fail(&r->err, SL_TARGET_UNKNOWN, "target '%s' is not known", r->target);
        return;
    }
    if (g->ops->process) {
        r->has_process = g->ops->process(g, &r->cluster, &r->process, &gone);
        if (!r->has_process) {
            r->has_process = true;
            r->process = (struct tgt_process){.state = TGT_PROCESS_ENDED, .exit = -1, .signal = -1};
            snprintf(r->process.why, sizeof(r->process.why), "nothing is left of its cluster");
        }
    }
    bool ended = r->process.state == TGT_PROCESS_ENDED;
    if (g->ops->endpoint && !ended && r->process.state != TGT_PROCESS_COMING) {
        r->has_endpoint = g->ops->endpoint(g, &r->cluster, &r->at, &r->err);
    }
    for (size_t i = 0; i < r->n; i++) {
        if (!g->ops->endpoint || ended || r->jobs[i].consult) {
            ask_target(r, g, &r->jobs[i]);
        }
    }
}

/* ---- what was seen ---- */

static struct state_observation observe_target(const struct round *r, const struct round_job *j)
{
    struct state_observation o = {.at_ms = sys_wall_ms(), .exit = -1, .signal = -1};
    bool ended = r->has_process && r->process.state == TGT_PROCESS_ENDED;
    if (!j->ok) {
        o.seen = STATE_SEEN_SILENCE;
        o.detail = j->err.msg;
    } else if (j->status.gone) {
        o.seen = ended ? STATE_SEEN_EXIT : STATE_SEEN_UNKNOWN;
        o.exit = r->process.exit;
        o.signal = r->process.signal;
        o.application = r->process.application;
        o.detail = ended && r->process.why[0] ? r->process.why : NULL;
        o.patience_ms = r->has_process ? 0 : sl_limits.job_gone_ms;
    } else if (!j->status.state[0]) {
        o.seen = STATE_SEEN_NOT_YET;
    } else {
        o.seen = ended ? STATE_SEEN_ARCHIVE : STATE_SEEN_JOB;
        o.job = &j->status;
    }
    return o;
}

static struct state_observation observe_look(const struct flink_look_job *l)
{
    struct state_observation o = {.at_ms = sys_wall_ms(), .exit = -1, .signal = -1};
    o.detail = l->detail[0] ? l->detail : NULL;
    switch (l->end) {
    case FLINK_LOOK_JOB:
        o.seen = STATE_SEEN_JOB;
        o.job = &l->status;
        break;
    case FLINK_LOOK_UNKNOWN:
        o.seen = STATE_SEEN_UNKNOWN;
        o.patience_ms = sl_limits.job_gone_ms;
        break;
    case FLINK_LOOK_OTHER:
        o.seen = STATE_SEEN_OTHER;
        break;
    case FLINK_LOOK_SILENCE:
        o.seen = STATE_SEEN_SILENCE;
        break;
    }
    return o;
}

static void count_look(struct tracker *t, const struct round_job *j, bool blind)
{
    int64_t took_us = sys_now_us() - j->due_ms * 1000;
    t->figures.looks++;
    t->figures.blind += blind;
    t->figures.late += took_us > sl_limits.look_ms * 2000;
    t->figures.worst_us = SL_MAX(t->figures.worst_us, took_us);
    if (!blind) {
        track_time(&t->figures.took, took_us);
    }
}

static void seen(struct round *r, const struct round_job *j, const struct track_seen *s)
{
    struct tracker *t = r->t;
    pthread_mutex_lock(&t->lock);
    struct entry *e = track_find(t, j->run_id);
    bool blind = s->what.seen == STATE_SEEN_SILENCE || s->what.seen == STATE_SEEN_OTHER;
    count_look(t, j, blind);
    if (e) {
        e->looks++;
        e->asking = false;
        e->clock_ms = s->look ? s->look->clock_ms : e->clock_ms;
        if (!e->run.ended) {
            track_note(t, e, s);
            if (j->failure.stack.n || j->failure.chain_json.n) {
                track_note_failure(e, &j->failure);
            }
        }
    }
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

/* Its JobManager does not know it: the target is asked at once what is left of it. */
static void consult(struct round *r, const struct round_job *j)
{
    pthread_mutex_lock(&r->t->lock);
    struct entry *e = track_find(r->t, j->run_id);
    if (e) {
        e->consult = true;
        e->asking = false;
        e->next_ms = sys_now_ms();
    }
    pthread_mutex_unlock(&r->t->lock);
}

/* ---- the round ---- */

/* A JobManager that is silent is so for all its runs, also for those that were not due. Under the lock. */
static void silence_all(struct round *r)
{
    struct track_seen s = {.what = {.seen = STATE_SEEN_SILENCE,
                                    .at_ms = sys_wall_ms(),
                                    .exit = -1,
                                    .signal = -1,
                                    .detail = r->silence}};
    for (struct entry *e = r->place->entries; e; e = e->in_place) {
        if (e->asked && !e->run.ended && e->run.sight == RUN_SIGHT_LIVE) {
            track_note(r->t, e, &s);
        }
    }
    pthread_cond_broadcast(&r->t->changed);
}

static void end_round(struct round *r, bool answered)
{
    struct tracker *t = r->t;
    pthread_mutex_lock(&t->lock);
    struct place *p = r->place;
    if (r->silence[0] && !t->stop) {
        silence_all(r);
    }
    p->look = NULL;
    p->failures = answered ? 0 : p->failures + 1;
    track_place_end(t, p);
    bool stop = t->stop, dirty = false;
    for (const struct entry *e = p->entries; e && !dirty; e = e->in_place) {
        dirty = e->dirty;
    }
    pthread_mutex_unlock(&t->lock);
    sl_arena_release(&r->arena);
    free(r);
    if (dirty && !stop) {
        track_save(t);
    }
    if (!stop) {
        tick(t);
    }
}

/* Another life of a foreign JobManager is believed when it was not there before and alone has answered for a
 * while: not an old generation, and not a stranger who answered once. */
static bool is_next_life(struct place *p, const struct flink_look_who *who)
{
    uint64_t hash = sl_str_hash(sl_str_of(who->life));
    for (size_t i = 0; i < SL_MIN(p->n_past, SL_ARRAY_LEN(p->past_lives)); i++) {
        if (p->past_lives[i] == hash) {
            return false;
        }
    }
    int64_t now = sys_now_ms();
    if (!p->next_life_ms || strcmp(p->next_life, who->life) != 0) {
        p->next_life_ms = now;
        memcpy(p->next_life, who->life, sizeof(p->next_life));
    }
    return now - p->next_life_ms >= sl_limits.look_life_ms;
}

/* Is it the JobManager that is expected? Another life of it is taken over only when there is reason to. */
static bool same(void *ctx, const struct flink_look_who *who)
{
    struct round *r = ctx;
    struct place *p = r->place;
    bool ours = r->has_process;
    if (ours && strcmp(who->cluster_id, r->cluster.id) != 0) {
        return false;
    }
    if (!ours && p->site && who->site != p->site) {
        return false; /* the address leads to somebody else's for a while */
    }
    if (!ours && !p->life[0]) { /* that of when the job was submitted, as much of it as was kept */
        bool kept = strncmp(who->life, r->cluster.incarnation, sizeof(r->cluster.incarnation) - 1) == 0;
        snprintf(p->life, sizeof(p->life), "%s", kept ? who->life : r->cluster.incarnation);
    }
    if (p->life[0] && strcmp(who->life, p->life) != 0) {
        if (ours ? strcmp(p->process_life, r->process.life) == 0 : !is_next_life(p, who)) {
            return false; /* ours was not restarted; of a foreign one an old generation may still speak */
        }
        p->past_lives[p->n_past++ % SL_ARRAY_LEN(p->past_lives)] = sl_str_hash(sl_str_of(p->life));
        sys_log(SYS_LOG_INFO, "jobs", "jobmanager-restarted", "target=%s cluster=%s", r->target,
                r->cluster.id);
    }
    p->next_life_ms = 0;
    snprintf(p->life, sizeof(p->life), "%s", who->life);
    p->site = who->site;
    snprintf(p->process_life, sizeof(p->process_life), "%s", r->process.life);
    p->identity_ms = sys_now_ms();
    return true;
}

static void on_job(void *ctx, struct flink_look_job *l)
{
    struct round *r = ctx;
    if (l->end == FLINK_LOOK_UNKNOWN && r->has_process) {
        consult(r, l->ctx);
        return;
    }
    if (l->end == FLINK_LOOK_SILENCE && l->detail[0]) {
        memcpy(r->silence, l->detail, sizeof(r->silence));
    }
    struct track_seen s = {
        .what = observe_look(l), .look = l, .process = r->has_process ? &r->process : NULL};
    seen(r, l->ctx, &s);
}

static void on_done(void *ctx, bool answered)
{
    end_round(ctx, answered);
}

/* What is asked of a job beside its state. Under the lock. */
static unsigned wants_of(struct entry *e, size_t n, int64_t now)
{
    unsigned wants = 0;
    if (n <= FEW_JOBS || now - e->checkpoints_ms >= sl_limits.look_detail_ms) {
        if (!e->waiters || now - e->checkpoints_ms >= sl_limits.look_ms) {
            e->checkpoints_ms = now;
            wants |= FLINK_LOOK_CHECKPOINTS;
        }
    }
    if (e->waiters || now - e->detail_ms >= sl_limits.look_detail_ms) {
        e->detail_ms = now;
        wants |= FLINK_LOOK_METRICS;
    }
    if (!e->settings_known && strcmp(e->run.state, "RUNNING") == 0) {
        wants |= FLINK_LOOK_SETTINGS;
    }
    return wants;
}

static void start_look(struct round *r)
{
    struct tracker *t = r->t;
    struct place *p = r->place;
    int64_t now = sys_now_ms();
    r->looks = sl_new_n(&r->arena, struct flink_look_job, r->n);
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < r->n; i++) {
        struct entry *e = r->jobs[i].asked ? NULL : track_find(t, r->jobs[i].run_id);
        if (!e) {
            continue;
        }
        track_time(&t->figures.began, sys_now_us() - r->jobs[i].due_ms * 1000);
        struct flink_look_job *l = &r->looks[r->n_looks++];
        memcpy(l->id, r->jobs[i].flink_job, sizeof(l->id));
        memcpy(l->expect, e->run.state, sizeof(l->expect));
        l->wants = wants_of(e, r->n, now);
        l->restarting_ms = e->run.last.restarting_ms;
        l->clock_ms = e->clock_ms;
        l->restarts = SL_MAX(e->run.last.restarts - (r->has_process ? r->process.restarts : 0), 0);
        l->ctx = &r->jobs[i];
    }
    bool new_life = r->has_process && strcmp(p->process_life, r->process.life) != 0;
    bool identity = p->next_life_ms > 0 || !p->identity_ms || new_life || p->failures > 0 ||
                    now - p->identity_ms >= sl_limits.look_identity_ms;
    bool cluster = now - p->cluster_ms >= sl_limits.look_detail_ms;
    if (cluster) {
        p->cluster_ms = now;
    }
    pthread_mutex_unlock(&t->lock);
    if (r->n_looks == 0) {
        end_round(r, true);
        return;
    }
    struct flink_look_plan plan = {.at = r->at,
                                   .timeout_ms = sl_limits.look_timeout_ms,
                                   .identity = identity,
                                   .overview = !r->has_process || r->n_looks > FEW_JOBS,
                                   .cluster = cluster,
                                   .jobs = r->looks,
                                   .n = r->n_looks,
                                   .ctx = r,
                                   .same = same,
                                   .job = on_job,
                                   .done = on_done};
    struct sys_http_loop *http = t->http[sl_str_hash(sl_str_of(r->at.rest)) % TRACK_HTTP];
    struct flink_look *look = flink_look_start(http, &plan);
    if (look) { /* else it is over, and so is the round */
        p->look = look;
        p->round = r;
    }
}

static void facts_done(struct sys_lane_job *job)
{
    struct round *r = (struct round *)job;
    struct tracker *t = r->t;
    bool coming = r->has_process && r->process.state == TGT_PROCESS_COMING;
    bool any = false;
    for (size_t i = 0; i < r->n; i++) {
        struct round_job *j = &r->jobs[i];
        struct track_seen s = {.process = r->has_process ? &r->process : NULL};
        if (j->asked) {
            s.what = observe_target(r, j);
        } else if (coming || !r->has_endpoint) {
            s.what = (struct state_observation){.seen = coming ? STATE_SEEN_COMING : STATE_SEEN_SILENCE,
                                                .at_ms = sys_wall_ms(),
                                                .detail = coming          ? r->process.why
                                                          : r->err.msg[0] ? r->err.msg
                                                                          : NULL};
        } else {
            any = true;
            continue;
        }
        seen(r, j, &s);
    }
    pthread_mutex_lock(&t->lock);
    bool stop = t->stop;
    pthread_mutex_unlock(&t->lock);
    if (any && !stop) {
        start_look(r);
    } else {
        end_round(r, !any && r->n > 0);
    }
}

/* Looks at many JobManagers are spread over the interval from their second look on. */
static int64_t next_of(struct entry *e, int64_t now)
{
    if (!e->spread) {
        uint64_t phase = sl_str_hash(sl_str_of(e->place->cluster.id)) % (uint64_t)sl_limits.look_ms;
        int64_t in = ((int64_t)phase - now) % sl_limits.look_ms;
        e->spread = true;
        return now + 1 + (in < 0 ? in + sl_limits.look_ms : in);
    }
    int64_t next = e->next_ms + sl_limits.look_ms;
    return next > now ? next : now + sl_limits.look_ms;
}

/* Under the lock. */
static void begin_round(struct tracker *t, struct place *p, int64_t now)
{
    struct round *r = calloc(1, sizeof(*r));
    SL_OOM_ON(!r);
    sl_arena_init(&r->arena, 0);
    r->job.work = facts_work;
    r->job.done = facts_done;
    r->t = t;
    r->place = p;
    r->cluster = p->cluster;
    memcpy(r->target, p->target, sizeof(r->target));
    SL_VEC(struct round_job) jobs = {0};
    for (struct entry *e = p->entries; e; e = e->in_place) {
        if (!e->asked || e->run.ended || track_due_of(e) > now) {
            continue;
        }
        struct round_job *j = sl_vec_add(&r->arena, &jobs);
        memcpy(j->run_id, e->run.id, sizeof(j->run_id));
        memcpy(j->flink_job, e->run.flink_job, sizeof(j->flink_job));
        j->consult = e->consult;
        r->consults |= e->consult;
        j->due_ms = SL_MAX(track_due_of(e), e->since_ms);
        e->asking = true;
        e->last_ms = now;
        e->next_ms = next_of(e, now);
    }
    r->jobs = jobs.v;
    r->n = jobs.n;
    track_place_begin(t, p);
    if (!sys_lane_submit(r->consults ? t->asks : t->facts, &r->job)) { /* at the next turn */
        track_place_end(t, p);
        track_place_put_off(t, p, now + ASK_WAITED_MS);
        sl_arena_release(&r->arena);
        free(r);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct tracker *t = timer->data;
    t->timer_at = 0;
    tick(t);
}

/* Begins what is due. */
static void tick(struct tracker *t)
{
    int64_t now = sys_now_ms(), wake = now + RETRY_SAVE_MS, next;
    pthread_mutex_lock(&t->lock);
    if (t->stop) {
        pthread_mutex_unlock(&t->lock);
        uv_stop(&t->loop);
        return;
    }
    track_forget(t, now);
    for (struct place *p; (p = track_place_due(t, now, &next));) {
        begin_round(t, p, now);
    }
    wake = SL_MIN(wake, next);
    bool save = t->unsaved_ms && now - t->unsaved_ms >= RETRY_SAVE_MS, ends = t->ends_due;
    pthread_mutex_unlock(&t->lock);
    if (save) {
        track_save(t);
    }
    if (ends) {
        track_handle_ends(t);
    }
    if (!t->timer_at || wake < t->timer_at) {
        t->timer_at = wake;
        uv_update_time(&t->loop);
        uv_timer_start(&t->timer, on_timer, (uint64_t)SL_MAX(wake - now, INT64_C(1)), 0);
    }
}

static void on_wake(uv_async_t *wake)
{
    tick(wake->data);
}

void track_wake(struct tracker *t)
{
    uv_async_send(&t->wake);
}

/* ---- the thread ---- */

void track_open(struct tracker *t)
{
    SL_BUG_ON(uv_loop_init(&t->loop) != 0);
    SL_BUG_ON(uv_async_init(&t->loop, &t->wake, on_wake) != 0);
    SL_BUG_ON(uv_timer_init(&t->loop, &t->timer) != 0);
    t->wake.data = t->timer.data = t;
    /* A place asks one thing after the other. Several may be behind one address (a proxy, a front door): one that
     * hangs must not have the only connection there. */
    for (size_t i = 0; i < TRACK_HTTP; i++) {
        t->http[i] = sys_http_loop_new(&t->loop, 0);
    }
    t->facts = sys_lane_new("track-facts", FACT_THREADS, LANE_QUEUE, &t->loop);
    t->asks = sys_lane_new("track-asks", ASK_THREADS, LANE_QUEUE, &t->loop);
    t->saves = sys_lane_new("track-save", 1, 4, &t->loop);
    t->ends = sys_lane_new("track-end", END_THREADS, LANE_QUEUE, &t->loop);
}

static void cancel_looks(struct tracker *t)
{
    for (;;) {
        struct round *r = NULL;
        pthread_mutex_lock(&t->lock);
        for (struct place *p = t->places; p && !r; p = p->next) {
            if (p->look) {
                r = p->round;
            }
        }
        pthread_mutex_unlock(&t->lock);
        if (!r) {
            return;
        }
        flink_look_cancel(r->place->look);
        end_round(r, true);
    }
}

void *track_thread(void *arg)
{
    struct tracker *t = arg;
    uv_run(&t->loop, UV_RUN_DEFAULT);
    cancel_looks(t);
    sys_lane_free(t->facts);
    sys_lane_free(t->asks);
    sys_lane_free(t->saves);
    track_save_now(t);
    sys_lane_free(t->ends);
    for (size_t i = 0; i < TRACK_HTTP; i++) {
        sys_http_loop_free(t->http[i]);
    }
    uv_close((uv_handle_t *)&t->wake, NULL);
    uv_close((uv_handle_t *)&t->timer, NULL);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    SL_BUG_ON(uv_loop_close(&t->loop) != 0);
    return NULL;
}
