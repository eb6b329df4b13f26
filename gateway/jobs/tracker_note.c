/* SPDX-License-Identifier: Apache-2.0
 * What a look changes in a run: its state by the state machine, its figures, its checkpoints, its newest
 * failure, its health; and what of that must be written down. */
#include "gateway/jobs/tracker_internal.h"

#include "base/limits.h"
#include "gateway/target/flink_error.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

#define RATE_OLD_MS      20000
#define BEHIND_WINDOW_MS 60000
#define CALM_MS          60000 /* all tasks run this long after a failure: its source can be reached again */
#define FAILURE_EACH_MS  60000
#define PENDING_MAX      4096

static void push(struct entry *e, struct pending *p)
{
    if (e->n_pending >= PENDING_MAX) { /* the ledger cannot be written; the newest state still will be */
        free(p->json);
        free(p);
        return;
    }
    *e->pending_end = p;
    e->pending_end = &p->next;
    e->n_pending++;
    e->dirty = true;
}

void track_push_event(struct entry *e, const char *kind, sl_str json)
{
    struct pending *p = calloc(1, sizeof(*p));
    SL_OOM_ON(!p);
    p->kind = kind;
    p->json = strndup(json.p, json.n);
    SL_OOM_ON(!p->json);
    push(e, p);
}

/* {"from":"RUNNING","to":"FAILED","sight":"live","source":"rest","evidence":"..."} */
static void push_state_event(struct entry *e, const char *from, const char *to, const char *source,
                             const char *evidence)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "from", from);
    sl_jw_kstrz(&w, "to", to);
    sl_jw_kstrz(&w, "word", e->run.state);
    sl_jw_kstrz(&w, "sight", run_sight_names[e->run.sight]);
    sl_jw_kstrz(&w, "source", source);
    sl_jw_kstrz(&w, "evidence", evidence);
    sl_jw_end_object(&w);
    track_push_event(e, "state", sl_buf_str(&b));
    free(e->transition);
    e->transition = strndup(sl_buf_str(&b).p, sl_buf_str(&b).n);
    SL_OOM_ON(!e->transition);
    e->transition_ms = sys_wall_ms();
}

/* ---- figures ---- */

/* Flink counts anew every few seconds: the rate is that between two different counts. */
static void note_rate(struct entry *e, const struct tgt_job_status *s)
{
    struct run *r = &e->run;
    int64_t now = sys_now_ms(), ms = now - e->counted_ms;
    if (s->records_in < r->last.records_in || s->records_out < r->last.records_out) {
        r->rate_in = r->rate_out = 0; /* it began anew */
        e->counted_ms = now;
    } else if (s->records_in != r->last.records_in || s->records_out != r->last.records_out) {
        if (e->counted_ms && ms > 0) {
            r->rate_in = (int64_t)(s->records_in - r->last.records_in) * 1000 / ms;
            r->rate_out = (int64_t)(s->records_out - r->last.records_out) * 1000 / ms;
        }
        e->counted_ms = now;
    } else if (ms > RATE_OLD_MS) {
        r->rate_in = r->rate_out = 0;
    }
    if (s->terminal) {
        r->rate_in = r->rate_out = 0;
    }
}

/* What this look did not ask for stays as it was. After a restart Flink counts anew: what was seen before
 * it does not hold up the counts, or a source that reads would be called idle until it has read as much again. */
static void complete(const struct run *r, const struct flink_look_job *look, struct tgt_job_status *s)
{
    const struct tgt_job_status *old = &r->last;
    bool metrics = !look || look->has_metrics, checkpoints = !look || look->has_checkpoints;
    bool running = strcmp(s->state, "RUNNING") == 0;
    bool anew = s->restarts > old->restarts && !s->terminal;
    if ((s->in_hidden && !anew) ||
        (running && !metrics && s->restarts == old->restarts)) { /* more could be seen before */
        s->records_in = SL_MAX(s->records_in, old->records_in);
    }
    if ((s->out_hidden && !anew) || (running && !metrics && s->restarts == old->restarts)) {
        s->records_out = SL_MAX(s->records_out, old->records_out);
    }
    if (!metrics) {
        s->watermark_ms = old->watermark_ms;
        s->lag = old->lag;
        s->lag_told = old->lag_told;
    }
    if (!checkpoints) {
        s->checkpoints_completed = old->checkpoints_completed;
        s->checkpoints_failed = old->checkpoints_failed;
        s->last_checkpoint_id = old->last_checkpoint_id;
        s->last_checkpoint_ms = old->last_checkpoint_ms;
        s->last_checkpoint_duration_ms = old->last_checkpoint_duration_ms;
        s->last_checkpoint_bytes = old->last_checkpoint_bytes;
        memcpy(s->restored_from, old->restored_from, sizeof(s->restored_from));
        memcpy(s->last_savepoint, old->last_savepoint, sizeof(s->last_savepoint));
        s->last_savepoint_ms = old->last_savepoint_ms;
    }
    if (!s->checkpoint_interval_ms) {
        s->checkpoint_interval_ms = old->checkpoint_interval_ms;
    }
    if (s->taskmanagers < 0) {
        s->taskmanagers = old->taskmanagers;
    }
    if (s->slots_free < 0) {
        s->slots_free = old->slots_free;
    }
}

static void note_restarts(struct run *r, int before, int now, int64_t at_ms)
{
    struct run_vitals *v = &r->vitals;
    for (int i = SL_MIN(now - before, RUN_RESTARTS); i > 0; i--) {
        if (v->n_restarts == RUN_RESTARTS) {
            memmove(v->restarts_at, v->restarts_at + 1, sizeof(v->restarts_at) - sizeof(v->restarts_at[0]));
            v->n_restarts--;
        }
        v->restarts_at[v->n_restarts++] = at_ms;
    }
}

/* The part of its time that the most held back vertex was held back since the last look. */
static void note_held(struct entry *e, const struct flink_look_job *look, int64_t at_ms)
{
    int64_t now = sys_now_ms(), ms = now - e->held_at_ms;
    int worst = -1;
    if (ms < 200) {
        return;
    }
    for (size_t i = 0; i < look->n_held; i++) {
        for (size_t k = 0; k < e->n_held; k++) {
            if (e->held[k].vertex == look->held[i].vertex && look->held[i].ms >= e->held[k].ms) {
                int64_t part = (look->held[i].ms - e->held[k].ms) * 1000 / (ms * look->held[i].parallelism);
                worst = SL_MAX(worst, (int)SL_MIN(part, INT64_C(1000)));
            }
        }
    }
    e->n_held = SL_MIN(look->n_held, (size_t)TRACK_HELD);
    if (e->n_held) {
        memcpy(e->held, look->held, e->n_held * sizeof(*e->held));
    }
    e->held_at_ms = now;
    struct run_vitals *v = &e->run.vitals;
    if (worst < 0) {
        return;
    }
    v->held_permille = worst;
    if (worst < (int)sl_limits.health_backpressure * 10) {
        v->held_ms = 0;
    } else if (!v->held_ms) {
        v->held_ms = at_ms - ms;
    }
}

static void note_watermark(struct run *r, int64_t at_ms)
{
    struct run_vitals *v = &r->vitals;
    if (r->last.watermark_ms <= 0) {
        return;
    }
    v->behind_ms = SL_MAX(at_ms - r->last.watermark_ms, INT64_C(0));
    if (!v->behind_mark_ms || at_ms - v->behind_mark_ms >= BEHIND_WINDOW_MS) {
        v->behind_was_ms = v->behind_mark;
        v->behind_mark = v->behind_ms;
        v->behind_mark_ms = at_ms;
    }
}

/* ---- checkpoints ---- */

static enum snapshot_state checkpoint_state(const struct flink_checkpoint *c)
{
    if (strcmp(c->status, "COMPLETED") == 0) {
        return c->discarded ? SNAPSHOT_GONE : SNAPSHOT_COMPLETED;
    }
    return strcmp(c->status, "FAILED") == 0 ? SNAPSHOT_FAILED : SNAPSHOT_PENDING;
}

static void push_checkpoint(struct entry *e, const struct flink_checkpoint *c, enum snapshot_state state)
{
    struct pending *p = calloc(1, sizeof(*p));
    SL_OOM_ON(!p);
    struct snapshot *s = &p->snapshot;
    memcpy(s->job, e->run.job, sizeof(s->job));
    memcpy(s->run, e->run.id, sizeof(s->run));
    s->kind = SNAPSHOT_CHECKPOINT;
    s->number = c->id;
    s->state = state;
    snprintf(s->path, sizeof(s->path), "%.*s", SL_S(c->path));
    s->bytes = c->bytes;
    s->duration_ms = c->duration_ms;
    s->at_ms = c->trigger_ms;
    snprintf(s->reason, sizeof(s->reason), "%.*s", (int)SL_MIN(c->failure.n, (size_t)250), c->failure.p);
    push(e, p);
}

/* The whole history is gone through: several may have ended since the last look. */
static void note_checkpoints(struct entry *e, const struct flink_look_job *look)
{
    struct run_vitals *v = &e->run.vitals;
    int64_t completed_before = e->run.last.checkpoints_completed;
    if (look->status.checkpoints_completed < completed_before) {
        v->checkpoints_seen = 0; /* another life of its JobManager counts anew */
    }
    int in_row = 0;
    for (size_t i = 0; i < look->n_checkpoints; i++) {
        const struct flink_checkpoint *c = &look->checkpoints[i];
        enum snapshot_state state = checkpoint_state(c);
        in_row = state == SNAPSHOT_FAILED ? in_row + 1 : state == SNAPSHOT_PENDING ? in_row : 0;
        struct recorded *known = &e->recorded[(uint64_t)c->id % TRACK_RECORDED];
        bool is_known = known->id == c->id && c->id > 0;
        if (c->id <= 0 || (is_known && known->state >= state) || (!is_known && known->id > c->id)) {
            continue;
        }
        bool was_complete = is_known && known->state == SNAPSHOT_COMPLETED;
        if (!was_complete && (state == SNAPSHOT_COMPLETED || state == SNAPSHOT_GONE)) {
            v->checkpoints_seen++;
        }
        *known = (struct recorded){c->id, state};
        /* Savepoints are recorded by who asked for them, under the id they were asked with. */
        if (!c->savepoint && state != SNAPSHOT_PENDING) {
            push_checkpoint(e, c, state);
        }
    }
    v->checkpoints_failed = in_row;
    int64_t missed = look->status.checkpoints_completed - v->checkpoints_seen;
    if (missed > 0) { /* Flink has forgotten them: counted, and shown as a gap */
        v->checkpoints_missed += missed;
        v->checkpoints_seen += missed;
        char text[64];
        snprintf(text, sizeof(text), "{\"missed\":%lld}", (long long)missed);
        track_push_event(e, "checkpoint-gap", sl_str_of(text));
    }
}

/* ---- failures ---- */

static bool says_unreachable(const struct tgt_failure *f)
{
    static const enum sl_code codes[] = {SL_KAFKA_UNREACHABLE,  SL_HOST_UNKNOWN,   SL_CONNECTION_REFUSED,
                                         SL_CONNECTION_TIMEOUT, SL_PG_UNREACHABLE, SL_DB_UNREACHABLE};
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sql_diag d = {.pos = SL_POS_NONE, .second = SL_POS_NONE};
    if (!flink_error_translate(f, NULL, NULL, &a, &d)) {
        return false;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(codes); i++) {
        if (d.code == codes[i]) {
            return true;
        }
    }
    return false;
}

void track_note_failure(struct entry *e, const struct tgt_failure *f)
{
    struct run_vitals *v = &e->run.vitals;
    if (!f->stack.n && !f->chain_json.n) {
        return;
    }
    if (f->at_ms && f->at_ms == v->failed_ms && (e->chain || e->stack)) {
        return; /* known */
    }
    free(e->chain);
    free(e->stack);
    e->chain = f->chain_json.n ? strndup(f->chain_json.p, f->chain_json.n) : NULL;
    e->stack = f->stack.n ? strndup(f->stack.p, SL_MIN(f->stack.n, (size_t)SL_LIMIT_STACK_BYTES)) : NULL;
    v->failed_ms = f->at_ms ? f->at_ms : sys_wall_ms();
    v->source_unreachable = says_unreachable(f);
    int64_t now = sys_now_ms();
    if (e->failure_said_ms && now - e->failure_said_ms < FAILURE_EACH_MS) {
        return; /* one that fails over and over says the same thing over and over */
    }
    e->failure_said_ms = now;
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_ki64(&w, "atMs", v->failed_ms);
    sl_jw_kstrz(&w, "chain", e->chain ? e->chain : "");
    sl_jw_kstrz(&w, "stack", e->stack ? e->stack : "");
    sl_jw_end_object(&w);
    track_push_event(e, "failure", sl_buf_str(&b));
}

/* ---- the look ---- */

static void note_status(struct entry *e, const struct track_seen *s, int64_t at_ms)
{
    struct run *r = &e->run;
    struct tgt_job_status now = *s->what.job;
    int before_restarts = r->last.restarts;
    uint64_t before_in = r->last.records_in;
    int64_t before_task_ms = r->last.task_ms;
    r->seen_ms = at_ms;
    e->consult = false;
    if (!now.state[0]) {
        return; /* its cluster answers; the job is not made yet */
    }
    if (s->process && s->look) {
        now.restarts += s->process->restarts;
    }
    now.taskmanagers_wanted = s->process ? s->process->taskmanagers : 0;
    if (s->look && s->look->has_checkpoints) {
        note_checkpoints(e, s->look);
    }
    complete(r, s->look, &now);
    note_rate(e, &now);
    bool checkpoint = r->last.last_checkpoint_id != now.last_checkpoint_id;
    r->last = now;
    if (now.restarts > before_restarts) {
        note_restarts(r, before_restarts, now.restarts, at_ms);
    }
    e->dirty |= checkpoint || now.restarts != before_restarts;
    if (now.records_in != before_in || !r->vitals.moved_ms || r->vitals.silent_ms) { /* unseen is not idle */
        r->vitals.moved_ms = r->vitals.figures_ms = at_ms;
    }
    if (now.task_ms != before_task_ms || !now.task_ms) {
        r->vitals.figures_ms = at_ms;
    }
    if (s->look) {
        note_held(e, s->look, at_ms);
        e->settings_known |= (s->look->wants & FLINK_LOOK_SETTINGS) != 0;
        track_note_failure(e, &s->look->failure);
    }
    note_watermark(r, at_ms);
    if (now.start_ms) {
        r->started_ms = now.start_ms;
    }
    if (r->vitals.source_unreachable && at_ms - r->vitals.failed_ms > CALM_MS &&
        strcmp(run_shown_state(r), "RUNNING") == 0) {
        r->vitals.source_unreachable = false;
    }
}

static void note_health(struct entry *e, int64_t at_ms)
{
    struct state_health h;
    struct run_vitals *v = &e->run.vitals;
    run_health(&e->run, &h);
    if (h.reasons == v->reasons && v->health_ms) {
        return;
    }
    if (h.level != v->health || !v->health_ms) {
        v->health_ms = at_ms;
    }
    bool first = !v->reasons && !h.reasons;
    v->health = h.level;
    v->reasons = h.reasons;
    if (first) {
        return;
    }
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "health", state_level_names[h.level]);
    sl_jw_kstrz(&w, "why", h.why);
    sl_jw_end_object(&w);
    track_push_event(e, "health", sl_buf_str(&b));
}

static void has_ended(struct tracker *t, struct entry *e, int64_t at_ms)
{
    e->run.ended_ms = e->run.last.terminal && e->run.last.end_ms ? e->run.last.end_ms : at_ms;
    e->ended_at = sys_now_ms();
    e->run.rate_in = e->run.rate_out = 0;
    t->active--;
}

/* An end that Flink said nothing of: the evidence is the error, unless a better one was told already. */
static void note_loss(struct entry *e, const struct state_change *c)
{
    struct run *r = &e->run;
    const char *evidence = c->evidence;
    if (r->error_code[0]) {
        return;
    }
    if (strcmp(r->state, "FAILED") == 0 && strcmp(c->source, "process") == 0) {
        snprintf(r->error_code, sizeof(r->error_code), "%s", sl_code_slug(SL_FLINK_JOB_FAILED));
        snprintf(r->error, sizeof(r->error), "%s", evidence);
        snprintf(r->hint, sizeof(r->hint), "sluice job logs %.8s shows its last words", r->id);
        return;
    }
    if (strcmp(r->state, "LOST") != 0) {
        return;
    }
    snprintf(r->error_code, sizeof(r->error_code), "%s", sl_code_slug(SL_RUN_LOST));
    snprintf(r->error, sizeof(r->error), "how it ended was never said: %s", evidence);
    snprintf(r->hint, sizeof(r->hint),
             "nothing of it runs any more; look at what it writes to, then run the script "
             "again, from its newest checkpoint or savepoint if it has one (--from)");
}

void track_note(struct tracker *t, struct entry *e, const struct track_seen *s)
{
    struct run *r = &e->run;
    if (r->ended) {
        return;
    }
    char shown[24];
    snprintf(shown, sizeof(shown), "%s", run_shown_state(r));
    struct state_facts f;
    struct state_change c;
    run_to_facts(r, &f);
    state_apply(&f, &s->what, &c);
    if (s->what.job) {
        note_status(e, s, s->what.at_ms);
    } else if (s->what.seen == STATE_SEEN_NOT_YET || s->what.seen == STATE_SEEN_UNKNOWN) {
        r->seen_ms = s->what.at_ms;
    }
    run_of_facts(r, &f);
    if (s->what.job && !r->finish_first_ms && f.tasks_run && strcmp(f.word, "RUNNING") == 0) {
        r->finish_first_ms = s->what.at_ms;
        e->dirty = true;
    }
    if (r->ended) {
        note_loss(e, &c);
        has_ended(t, e, s->what.at_ms);
    }
    const char *now = run_shown_state(r);
    if (c.word || c.sight || strcmp(now, shown) != 0) {
        if (strcmp(now, shown) != 0) {
            r->vitals.state_ms = s->what.at_ms;
        }
        push_state_event(e, shown, now, c.source, c.evidence);
    }
    note_health(e, s->what.at_ms);
}

void track_note_end(struct tracker *t, struct entry *e, const char *state, const char *evidence)
{
    char shown[24];
    snprintf(shown, sizeof(shown), "%s", run_shown_state(&e->run));
    snprintf(e->run.state, sizeof(e->run.state), "%s", state);
    e->run.ended = true;
    e->run.vitals.state_ms = sys_wall_ms();
    e->run.last.terminal = false;
    has_ended(t, e, e->run.vitals.state_ms);
    push_state_event(e, shown, state, "submission", evidence);
    note_health(e, e->run.vitals.state_ms);
}
