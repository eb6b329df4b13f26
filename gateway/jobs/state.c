/* SPDX-License-Identifier: Apache-2.0
 * The table of what may be concluded from what was seen, and the table of reasons not to be well. Nothing here
 * asks, waits or writes: the same facts always give the same answer. */
#include "gateway/jobs/state.h"

#include "base/limits.h"

#include <stdio.h>

#define UNKNOWN_LOOKS 3 /* in a row at which the cluster says it does not know the job */

const char *const run_sight_names[] = {"live", "silent", "lost"};
const char *const state_level_names[] = {"ok", "degraded", "unknown", "down"};

/* ---- what was seen ---- */

enum word_rule {
    KEEP,  /* nothing is known of the job itself */
    FLINK, /* its own word */
    GO,    /* LOST once it was said often and long enough */
    EXIT /* LOST: nothing runs, and how it ended was never said; FAILED by the code that is Flink's word for it */
};
static const struct rule {
    enum word_rule word;
    bool seen; /* the run's own JobManager (or what is left of it) spoke */
    const char *source;
} rules[STATE_SEEN_COUNT] = {
    [STATE_SEEN_JOB] = {FLINK, true, "rest"},        [STATE_SEEN_NOT_YET] = {KEEP, true, "rest"},
    [STATE_SEEN_ARCHIVE] = {FLINK, true, "archive"}, [STATE_SEEN_UNKNOWN] = {GO, true, "rest"},
    [STATE_SEEN_EXIT] = {EXIT, true, "process"},     [STATE_SEEN_COMING] = {KEEP, false, "process"},
    [STATE_SEEN_OTHER] = {KEEP, false, "silence"},   [STATE_SEEN_SILENCE] = {KEEP, false, "silence"},
};

bool state_is_terminal(const char *word)
{
    return strcmp(word, "FINISHED") == 0 || strcmp(word, "FAILED") == 0 || strcmp(word, "CANCELED") == 0 ||
           strcmp(word, "LOST") == 0;
}

const char *state_shown(const struct state_facts *f)
{
    if (!f->ended && f->sight != RUN_SIGHT_LIVE) {
        return "unknown";
    }
    return strcmp(f->word, "RUNNING") == 0 && !f->tasks_run ? "STARTING" : f->word;
}

bool state_changed(const struct state_change *c)
{
    return c->word || c->sight || c->tasks || c->end;
}

static void set_word(struct state_facts *f, const char *word)
{
    snprintf(f->word, sizeof f->word, "%s", word);
    f->ended = state_is_terminal(word);
}

static void flinks_word(struct state_facts *f, const struct state_observation *o, struct state_change *c)
{
    const struct tgt_job_status *j = o->job;
    if (!j->state[0]) {
        return; /* it answers; the job is not made yet */
    }
    set_word(f, j->state);
    f->tasks_run = j->tasks > 0 && j->tasks_running + j->tasks_finished >= j->tasks;
    snprintf(c->evidence, sizeof c->evidence, "Flink says %s, %d of %d tasks run%s%s", j->state,
             j->tasks_running + j->tasks_finished, j->tasks, o->detail ? ": " : "",
             o->detail ? o->detail : "");
}

static void unknown_there(struct state_facts *f, const struct state_observation *o, struct state_change *c)
{
    if (f->unknown++ == 0) {
        f->unknown_ms = o->at_ms;
    }
    snprintf(c->evidence, sizeof c->evidence, "its JobManager answers and does not know the job%s%s",
             o->detail ? ": " : "", o->detail ? o->detail : "");
    if (f->unknown >= UNKNOWN_LOOKS && o->at_ms - f->unknown_ms >= o->patience_ms) {
        set_word(f, "LOST");
    }
}

/* A JVM that is told to end tells so by 128 and the signal's number. */
static int signal_of(const struct state_observation *o)
{
    static const int told[] = {1, 2, 9, 15};
    for (size_t i = 0; i < SL_ARRAY_LEN(told); i++) {
        if (o->exit == 128 + told[i]) {
            return told[i];
        }
    }
    return o->signal > 0 ? o->signal : 0;
}

/* Only by TGT_EXIT_FAILED an application's JobManager says that its job has failed. All other codes tell what became of the
 * JVM: a session's jobs, and an application's that ran when it broke, might have gone on from a checkpoint. */
static void exited(struct state_facts *f, const struct state_observation *o, struct state_change *c)
{
    char how[64] = "its exit was not seen";
    int number = signal_of(o);
    if (number > 0) {
        snprintf(how, sizeof how, "signal %d ended it", number);
    } else if (o->exit >= 0) {
        /* our JVMs end with 3 when their memory is used up (-XX:+ExitOnOutOfMemoryError) */
        snprintf(how, sizeof how, "exit code %d%s", o->exit,
                 o->exit == 3                                   ? ", out of memory"
                 : o->application && o->exit == TGT_EXIT_FAILED ? ", the application has failed"
                                                                : "");
    }
    snprintf(c->evidence, sizeof c->evidence, "its JobManager has ended: %s%s%s", how, o->detail ? "; " : "",
             o->detail ? o->detail : "");
    set_word(f, o->application && number == 0 && o->exit == TGT_EXIT_FAILED ? "FAILED" : "LOST");
}

static void not_seen(struct state_facts *f, const struct state_observation *o, struct state_change *c)
{
    if (!f->silent_ms) {
        f->silent_ms = o->at_ms;
    }
    f->sight = o->at_ms - f->silent_ms >= sl_limits.sight_lost_ms ? RUN_SIGHT_LOST : RUN_SIGHT_SILENT;
    snprintf(c->evidence, sizeof c->evidence, "%s%s%s",
             o->seen == STATE_SEEN_OTHER    ? "another Flink answers at its address"
             : o->seen == STATE_SEEN_COMING ? "its JobManager is being started again"
                                            : "its JobManager does not answer",
             o->detail ? ": " : "", o->detail ? o->detail : "");
}

void state_apply(struct state_facts *f, const struct state_observation *o, struct state_change *ret)
{
    *ret = (struct state_change){0};
    if (f->ended) {
        return;
    }
    const struct rule *rule = &rules[o->seen];
    struct state_facts before = *f;
    ret->source = rule->source;
    if (rule->seen) {
        f->sight = RUN_SIGHT_LIVE;
        f->silent_ms = 0;
    } else {
        not_seen(f, o, ret);
    }
    if (rule->word != GO && rule->seen) {
        f->unknown = 0;
    }
    switch (rule->word) {
    case KEEP:
        break;
    case FLINK:
        flinks_word(f, o, ret);
        break;
    case GO:
        unknown_there(f, o, ret);
        break;
    case EXIT:
        exited(f, o, ret);
        break;
    }
    if (f->ended && strcmp(f->word, "LOST") == 0) {
        f->sight = RUN_SIGHT_LOST;
    }
    ret->word = strcmp(before.word, f->word) != 0;
    ret->sight = before.sight != f->sight;
    ret->tasks = before.tasks_run != f->tasks_run;
    ret->end = f->ended;
    if (ret->sight && !ret->evidence[0]) {
        snprintf(ret->evidence, sizeof ret->evidence, "its JobManager answers");
    }
}

/* ---- health ---- */

void state_age(int64_t ms, char *ret, size_t cap)
{
    int64_t s = SL_MAX(ms, INT64_C(0)) / 1000;
    if (s < 100) {
        snprintf(ret, cap, "%lld s", (long long)s);
    } else if (s < 6000) {
        snprintf(ret, cap, "%lld min", (long long)s / 60);
    } else if (s < 172800) {
        snprintf(ret, cap, "%lld h", (long long)s / 3600);
    } else {
        snprintf(ret, cap, "%lld d", (long long)s / 86400);
    }
}

static bool word_is(const struct state_vitals *v, const char *word)
{
    return strcmp(v->facts.word, word) == 0;
}

/* It is seen, has not ended and all its tasks run: what is counted means something. */
static bool runs(const struct state_vitals *v)
{
    return v->facts.sight == RUN_SIGHT_LIVE && !v->facts.ended && v->facts.tasks_run && word_is(v, "RUNNING");
}

static bool starts(const struct state_vitals *v)
{
    return v->facts.sight == RUN_SIGHT_LIVE && !v->facts.ended && !v->facts.tasks_run;
}

static bool seen(const struct state_vitals *v)
{
    return v->facts.sight == RUN_SIGHT_LIVE && !v->facts.ended;
}

static bool is_failed(const struct state_vitals *v)
{
    return word_is(v, "FAILED");
}

static bool is_gone(const struct state_vitals *v)
{
    return word_is(v, "LOST");
}

static bool is_silent(const struct state_vitals *v)
{
    return !v->facts.ended && v->facts.sight == RUN_SIGHT_SILENT;
}

static bool is_unseen(const struct state_vitals *v)
{
    return !v->facts.ended && v->facts.sight == RUN_SIGHT_LOST;
}

static bool is_restarting(const struct state_vitals *v)
{
    return seen(v) && (word_is(v, "RESTARTING") || word_is(v, "FAILING")) &&
           v->restarts < (int)sl_limits.health_restarts;
}

static bool has_restarted(const struct state_vitals *v)
{
    return seen(v) && v->restarts >= (int)sl_limits.health_restarts;
}

static bool waits_for_slots(const struct state_vitals *v)
{
    return starts(v) && v->slots_free == 0 && v->tasks > v->tasks_running &&
           v->now_ms - v->state_ms >= sl_limits.health_slots_ms;
}

static bool starts_long(const struct state_vitals *v)
{
    return starts(v) && v->now_ms - v->state_ms >= sl_limits.health_start_ms && !waits_for_slots(v);
}

static bool lacks_taskmanagers(const struct state_vitals *v)
{
    return seen(v) && v->taskmanagers >= 0 && v->taskmanagers < v->taskmanagers_wanted;
}

static bool checkpoints_fail(const struct state_vitals *v)
{
    return seen(v) && v->checkpoints_failed >= (int)sl_limits.health_checkpoints_failed;
}

static int64_t checkpoint_patience(const struct state_vitals *v)
{
    return SL_MAX(v->checkpoint_interval_ms * (int64_t)sl_limits.health_checkpoint_intervals,
                  sl_limits.health_checkpoint_ms);
}

static int64_t without_checkpoint(const struct state_vitals *v)
{
    return v->now_ms - SL_MAX(v->last_checkpoint_ms, v->all_running_ms);
}

static bool checkpoints_late(const struct state_vitals *v)
{
    return runs(v) && v->checkpoint_interval_ms > 0 && v->all_running_ms > 0 && !checkpoints_fail(v) &&
           without_checkpoint(v) >= checkpoint_patience(v);
}

static bool source_unreachable(const struct state_vitals *v)
{
    return seen(v) && v->source_unreachable;
}

/* Figures that stand still tell nothing: a JobManager may wait for minutes for those of a TaskManager that died. */
static int64_t idle_for(const struct state_vitals *v)
{
    return (v->figures_ms ? v->figures_ms : v->now_ms) - v->moved_ms;
}

static bool source_idle(const struct state_vitals *v)
{
    return runs(v) && v->streaming && v->moved_ms > 0 && idle_for(v) >= sl_limits.health_idle_ms;
}

static bool held_back(const struct state_vitals *v)
{
    return runs(v) && v->held_ms > 0 && v->now_ms - v->held_ms >= sl_limits.health_backpressure_ms;
}

static bool lags(const struct state_vitals *v)
{
    return runs(v) && v->lag_told && v->lag >= (int64_t)sl_limits.health_lag;
}

/* A job that reads old data catches up: only one that does not is late. */
static bool watermark_late(const struct state_vitals *v)
{
    return runs(v) && v->behind_ms >= sl_limits.health_watermark_ms && v->behind_was_ms > 0 &&
           v->behind_ms >= v->behind_was_ms;
}

/* Worst first. */
static const struct reason {
    unsigned bit;
    const char *name;
    enum state_level level;
    bool (*holds)(const struct state_vitals *v);
} reasons[] = {
    {STATE_FAILED, "failed", STATE_DOWN, is_failed},
    {STATE_GONE, "lost", STATE_DOWN, is_gone},
    {STATE_UNSEEN, "unseen", STATE_UNKNOWN, is_unseen},
    {STATE_SILENT, "silent", STATE_UNKNOWN, is_silent},
    {STATE_RESTARTS, "restarts", STATE_DEGRADED, has_restarted},
    {STATE_RESTARTING, "restarting", STATE_DEGRADED, is_restarting},
    {STATE_TASKMANAGERS, "taskmanagers", STATE_DEGRADED, lacks_taskmanagers},
    {STATE_SLOTS, "slots", STATE_DEGRADED, waits_for_slots},
    {STATE_STARTING, "starting", STATE_DEGRADED, starts_long},
    {STATE_SOURCE_UNREACHABLE, "source-unreachable", STATE_DEGRADED, source_unreachable},
    {STATE_CHECKPOINTS_FAIL, "checkpoints-fail", STATE_DEGRADED, checkpoints_fail},
    {STATE_CHECKPOINTS_LATE, "checkpoints-late", STATE_DEGRADED, checkpoints_late},
    {STATE_BACK_PRESSURE, "back-pressure", STATE_DEGRADED, held_back},
    {STATE_LAG, "lag", STATE_DEGRADED, lags},
    {STATE_WATERMARK, "watermark", STATE_DEGRADED, watermark_late},
    {STATE_SOURCE_IDLE, "source-idle", STATE_DEGRADED, source_idle},
};

const char *state_reason_name(unsigned bit)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(reasons); i++) {
        if (reasons[i].bit == bit) {
            return reasons[i].name;
        }
    }
    return NULL;
}

/* One reason in words. */
static void words(const struct state_vitals *v, unsigned bit, char *ret, size_t cap)
{
    char for_ms[32];
    switch ((enum state_reason)bit) {
    case STATE_FAILED:
        snprintf(ret, cap, "failed");
        break;
    case STATE_GONE:
        snprintf(ret, cap, "nothing of it is left, and how it ended was never said");
        break;
    case STATE_SILENT:
    case STATE_UNSEEN:
        state_age(v->now_ms - v->facts.silent_ms, for_ms, sizeof for_ms);
        snprintf(ret, cap, "the target does not answer for %s", for_ms);
        break;
    case STATE_RESTARTING:
        snprintf(ret, cap, "it is being restarted");
        break;
    case STATE_RESTARTS:
        state_age(v->now_ms - v->first_restart_ms, for_ms, sizeof for_ms);
        if (v->restarts == 1) {
            snprintf(ret, cap, "restarted once, %s ago", for_ms);
        } else {
            snprintf(ret, cap, "restarted %d times in %s", v->restarts, for_ms);
        }
        break;
    case STATE_SLOTS:
        snprintf(ret, cap, "%d of %d tasks wait for slots: none is free", v->tasks - v->tasks_running,
                 v->tasks);
        break;
    case STATE_STARTING:
        state_age(v->now_ms - v->state_ms, for_ms, sizeof for_ms);
        snprintf(ret, cap, "%d of %d tasks run after %s", v->tasks_running, v->tasks, for_ms);
        break;
    case STATE_TASKMANAGERS:
        snprintf(ret, cap, "%d of %d TaskManagers are there", v->taskmanagers, v->taskmanagers_wanted);
        break;
    case STATE_CHECKPOINTS_FAIL:
        snprintf(ret, cap, "the last %d checkpoints failed", v->checkpoints_failed);
        break;
    case STATE_CHECKPOINTS_LATE:
        state_age(without_checkpoint(v), for_ms, sizeof for_ms);
        snprintf(ret, cap, "no checkpoint for %s", for_ms);
        break;
    case STATE_SOURCE_UNREACHABLE:
        snprintf(ret, cap, "a source cannot be reached");
        break;
    case STATE_SOURCE_IDLE:
        state_age(idle_for(v), for_ms, sizeof for_ms);
        snprintf(ret, cap, "its sources read nothing for %s", for_ms);
        break;
    case STATE_BACK_PRESSURE:
        state_age(v->now_ms - v->held_ms, for_ms, sizeof for_ms);
        snprintf(ret, cap, "held back by a slow sink or step %d %% of the time for %s", v->held_permille / 10,
                 for_ms);
        break;
    case STATE_LAG:
        snprintf(ret, cap, "%lld records behind", (long long)v->lag);
        break;
    case STATE_WATERMARK:
        state_age(v->behind_ms, for_ms, sizeof for_ms);
        snprintf(ret, cap, "its watermark is %s behind and does not catch up", for_ms);
        break;
    }
}

void state_health(const struct state_vitals *v, struct state_health *ret)
{
    *ret = (struct state_health){0};
    for (size_t i = 0; i < SL_ARRAY_LEN(reasons); i++) {
        if (!reasons[i].holds(v)) {
            continue;
        }
        char text[128] = "";
        size_t at = strlen(ret->why);
        ret->reasons |= reasons[i].bit;
        ret->level = SL_MAX(ret->level, reasons[i].level);
        words(v, reasons[i].bit, text, sizeof text);
        snprintf(ret->why + at, sizeof ret->why - at, "%s%s", at ? "; " : "", text);
    }
}
