/* SPDX-License-Identifier: Apache-2.0
 * The state machine over its whole table: every fact crossed with everything that can be seen. What must hold
 * everywhere is asserted everywhere: silence ends nothing, FAILED has evidence, an ended run stays as it is. */
#include "base/limits.h"
#include "gateway/jobs/state.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>

#define T0 INT64_C(1700000000000)

static const char *const words[] = {"SUBMITTING", "INITIALIZING", "CREATED",     "RUNNING",   "FAILING",
                                    "RESTARTING", "CANCELLING",   "RECONCILING", "SUSPENDED", "FINISHED",
                                    "FAILED",     "CANCELED",     "LOST"};

static struct state_facts facts(const char *word, bool tasks_run, enum run_sight sight)
{
    struct state_facts f = {.tasks_run = tasks_run, .sight = sight};
    snprintf(f.word, sizeof(f.word), "%s", word);
    f.ended = state_is_terminal(word);
    f.silent_ms = sight == RUN_SIGHT_LIVE ? 0 : T0 - 1000;
    return f;
}

static struct tgt_job_status status(const char *word, int tasks, int running, int finished)
{
    struct tgt_job_status s = {.tasks = tasks, .tasks_running = running, .tasks_finished = finished};
    snprintf(s.state, sizeof(s.state), "%s", word);
    s.terminal = state_is_terminal(word);
    return s;
}

static bool is_flinks(enum state_seen seen)
{
    return seen == STATE_SEEN_JOB || seen == STATE_SEEN_ARCHIVE;
}

/* Every fact, everything seen, every word Flink may say with it. */
static void what_holds_everywhere(void **state)
{
    (void)state;
    size_t n = 0;
    for (size_t w = 0; w < SL_ARRAY_LEN(words); w++) {
        for (int tasks = 0; tasks < 2; tasks++) {
            for (int sight = 0; sight <= RUN_SIGHT_LOST; sight++) {
                for (int seen = 0; seen < STATE_SEEN_COUNT; seen++) {
                    for (size_t said = 0; said < SL_ARRAY_LEN(words) - 1; said++) {
                        struct state_facts before = facts(words[w], tasks, (enum run_sight)sight), f = before;
                        struct tgt_job_status s = status(words[said], 2, 2, 0);
                        struct state_observation o = {.seen = (enum state_seen)seen,
                                                      .at_ms = T0,
                                                      .exit = said == 1 ? 163 : (int)said - 1,
                                                      .application = tasks,
                                                      .job = is_flinks((enum state_seen)seen) ? &s : NULL};
                        struct state_change c;
                        state_apply(&f, &o, &c);
                        n++;
                        if (before.ended) {
                            assert_memory_equal(&f, &before, sizeof(f));
                            assert_false(state_changed(&c));
                            continue;
                        }
                        bool silent = seen == STATE_SEEN_SILENCE || seen == STATE_SEEN_OTHER ||
                                      seen == STATE_SEEN_COMING;
                        if (silent) { /* ends nothing, and is never shown as if it were seen */
                            assert_string_equal(f.word, before.word);
                            assert_false(f.ended);
                            assert_int_not_equal(f.sight, RUN_SIGHT_LIVE);
                            assert_string_equal(state_shown(&f), "unknown");
                        } else if (strcmp(f.word, "LOST") != 0) {
                            assert_int_equal(f.sight, RUN_SIGHT_LIVE);
                            assert_int_equal(f.silent_ms, 0);
                        }
                        if (strcmp(f.word, "FAILED") == 0 && strcmp(before.word, "FAILED") != 0) {
                            assert_true(is_flinks((enum state_seen)seen) ||
                                        (seen == STATE_SEEN_EXIT && o.exit == 163 && o.application));
                            assert_true(c.evidence[0] && c.source);
                        }
                        if (c.word || c.sight || c.end) {
                            assert_true(c.evidence[0] && c.source[0]);
                        }
                        assert_int_equal(f.ended, state_is_terminal(f.word));
                        assert_int_equal(c.end, f.ended);
                    }
                }
            }
        }
    }
    assert_int_equal(n, SL_ARRAY_LEN(words) * 2 * 3 * STATE_SEEN_COUNT * (SL_ARRAY_LEN(words) - 1));
}

static void apply(struct state_facts *f, enum state_seen seen, int64_t at, const struct tgt_job_status *s,
                  struct state_change *c)
{
    struct state_observation o = {.seen = seen, .at_ms = at, .exit = -1, .signal = -1, .job = s};
    state_apply(f, &o, c);
}

static void running_without_its_tasks_is_starting(void **state)
{
    (void)state;
    static const struct {
        int tasks, running, finished;
        bool all;
    } v[] = {{0, 0, 0, false}, {2, 0, 0, false}, {2, 1, 0, false}, {2, 1, 1, true}, {2, 2, 0, true}};
    for (size_t i = 0; i < SL_ARRAY_LEN(v); i++) {
        struct state_facts f = facts("CREATED", false, RUN_SIGHT_LIVE);
        struct tgt_job_status s = status("RUNNING", v[i].tasks, v[i].running, v[i].finished);
        struct state_change c;
        apply(&f, STATE_SEEN_JOB, T0, &s, &c);
        assert_int_equal(f.tasks_run, v[i].all);
        assert_string_equal(state_shown(&f), v[i].all ? "RUNNING" : "STARTING");
    }
}

static void silence_grows_and_sight_returns_by_itself(void **state)
{
    (void)state;
    struct state_facts f = facts("RUNNING", true, RUN_SIGHT_LIVE);
    struct tgt_job_status s = status("RUNNING", 2, 2, 0);
    struct state_change c;
    apply(&f, STATE_SEEN_SILENCE, T0, NULL, &c);
    assert_true(c.sight);
    assert_int_equal(f.sight, RUN_SIGHT_SILENT);
    assert_int_equal(f.silent_ms, T0);
    apply(&f, STATE_SEEN_OTHER, T0 + sl_limits.sight_lost_ms - 1, NULL, &c);
    assert_false(c.sight);
    apply(&f, STATE_SEEN_SILENCE, T0 + sl_limits.sight_lost_ms, NULL, &c);
    assert_int_equal(f.sight, RUN_SIGHT_LOST);
    assert_false(f.ended); /* however long */
    apply(&f, STATE_SEEN_SILENCE, T0 + sl_limits.sight_lost_ms * 1000, NULL, &c);
    assert_false(f.ended);
    apply(&f, STATE_SEEN_JOB, T0 + sl_limits.sight_lost_ms * 1000 + 1, &s, &c);
    assert_true(c.sight && !c.word);
    assert_int_equal(f.sight, RUN_SIGHT_LIVE);
    assert_string_equal(state_shown(&f), "RUNNING");
}

static void a_job_is_lost_when_its_own_jobmanager_denies_it_long_enough(void **state)
{
    (void)state;
    struct state_facts f = facts("RUNNING", true, RUN_SIGHT_LIVE);
    struct state_change c;
    struct state_observation o = {.seen = STATE_SEEN_UNKNOWN, .at_ms = T0, .patience_ms = 5000};
    for (int i = 0; i < 10; i++, o.at_ms += 500) { /* often is not enough */
        state_apply(&f, &o, &c);
        assert_false(f.ended);
    }
    o.at_ms = T0 + 5000;
    state_apply(&f, &o, &c);
    assert_string_equal(f.word, "LOST");
    assert_int_equal(f.sight, RUN_SIGHT_LOST);
    /* long is not enough either, and one answer in between begins anew */
    f = facts("RUNNING", true, RUN_SIGHT_LIVE);
    struct tgt_job_status s = status("RUNNING", 2, 2, 0);
    for (int i = 0; i < 5; i++) {
        o.at_ms = T0 + i * 100000;
        state_apply(&f, &o, &c);
        o.at_ms += 10000;
        state_apply(&f, &o, &c);
        apply(&f, STATE_SEEN_JOB, o.at_ms + 1, &s, &c);
        assert_false(f.ended);
    }
}

/* Flink's word for a job that failed, of the JVM that was there for it; every other end of a JVM says nothing of the job. */
static void an_exit_is_failed_only_in_flinks_words(void **state)
{
    (void)state;
    static const struct {
        int exit, number;
        const char *application, *session;
    } v[] = {{163, -1, "FAILED", "LOST"}, {165, -1, "LOST", "LOST"}, {239, -1, "LOST", "LOST"},
             {1, -1, "LOST", "LOST"},     {2, -1, "LOST", "LOST"},   {3, -1, "LOST", "LOST"},
             {0, -1, "LOST", "LOST"},     {-1, -1, "LOST", "LOST"},  {-1, 9, "LOST", "LOST"},
             {143, -1, "LOST", "LOST"},   {137, -1, "LOST", "LOST"}, {130, -1, "LOST", "LOST"}};
    for (size_t i = 0; i < SL_ARRAY_LEN(v) * 2; i++) {
        bool application = i % 2 == 0;
        struct state_facts f = facts("RUNNING", true, RUN_SIGHT_LIVE);
        struct state_observation o = {.seen = STATE_SEEN_EXIT,
                                      .at_ms = T0,
                                      .exit = v[i / 2].exit,
                                      .signal = v[i / 2].number,
                                      .application = application,
                                      .detail = "the last line of its log"};
        struct state_change c;
        char code[32];
        state_apply(&f, &o, &c);
        assert_string_equal(f.word, application ? v[i / 2].application : v[i / 2].session);
        assert_true(f.ended);
        assert_non_null(strstr(c.evidence, "the last line of its log"));
        assert_string_equal(c.source, "process");
        if (o.exit >= 0 && o.exit < 128) {
            snprintf(code, sizeof code, "exit code %d", o.exit);
            assert_non_null(strstr(c.evidence, code));
        }
    }
}

/* ---- health ---- */

static struct state_vitals well(void)
{
    return (struct state_vitals){.facts = facts("RUNNING", true, RUN_SIGHT_LIVE),
                                 .now_ms = T0,
                                 .state_ms = T0 - 3600000,
                                 .tasks = 4,
                                 .tasks_running = 4,
                                 .slots_free = 2,
                                 .taskmanagers = 1,
                                 .taskmanagers_wanted = 1,
                                 .all_running_ms = T0 - 3600000,
                                 .checkpoint_interval_ms = 1000,
                                 .last_checkpoint_ms = T0 - 500,
                                 .streaming = true,
                                 .moved_ms = T0 - 10,
                                 .lag_told = true,
                                 .lag = 212,
                                 .behind_ms = 1400,
                                 .behind_was_ms = 1300};
}

static void healthy(struct state_vitals v, enum state_level level, unsigned reasons, const char *words_in)
{
    struct state_health h;
    state_health(&v, &h);
    assert_int_equal(h.reasons, reasons);
    assert_int_equal(h.level, level);
    if (words_in) {
        if (!strstr(h.why, words_in)) {
            print_error("'%s' is not in '%s'\n", words_in, h.why);
        }
        assert_non_null(strstr(h.why, words_in));
    } else {
        assert_string_equal(h.why, "");
    }
}

static void each_reason_alone(void **state)
{
    (void)state;
    struct state_vitals v = well();
    healthy(v, STATE_OK, 0, NULL);
    v.facts = facts("FAILED", false, RUN_SIGHT_LIVE);
    healthy(v, STATE_DOWN, STATE_FAILED, "failed");
    v.facts = facts("LOST", false, RUN_SIGHT_LOST);
    healthy(v, STATE_DOWN, STATE_GONE, "never said");
    v.facts = facts("FINISHED", true, RUN_SIGHT_LIVE);
    healthy(v, STATE_OK, 0, NULL);
    v.facts = facts("CANCELED", true, RUN_SIGHT_LIVE);
    healthy(v, STATE_OK, 0, NULL);
    v.facts = facts("RUNNING", true, RUN_SIGHT_SILENT);
    v.facts.silent_ms = T0 - 240000;
    healthy(v, STATE_UNKNOWN, STATE_SILENT, "does not answer for 4 min");
    v.facts.sight = RUN_SIGHT_LOST;
    healthy(v, STATE_UNKNOWN, STATE_UNSEEN, "does not answer");
    v = well();
    v.restarts = 14;
    v.first_restart_ms = T0 - 22 * 60000;
    healthy(v, STATE_DEGRADED, STATE_RESTARTS, "restarted 14 times in 22 min");
    v = well();
    v.facts = facts("RESTARTING", false, RUN_SIGHT_LIVE);
    v.state_ms = T0 - 100;
    healthy(v, STATE_DEGRADED, STATE_RESTARTING, "restarted");
    v = well();
    v.facts.tasks_run = false;
    v.tasks_running = 1;
    v.slots_free = 0;
    v.state_ms = T0 - sl_limits.health_slots_ms;
    healthy(v, STATE_DEGRADED, STATE_SLOTS, "3 of 4 tasks wait for slots");
    v.slots_free = -1;
    healthy(v, STATE_OK, 0, NULL);
    v.state_ms = T0 - sl_limits.health_start_ms;
    healthy(v, STATE_DEGRADED, STATE_STARTING, "1 of 4 tasks run after");
    v = well();
    v.taskmanagers = 0;
    healthy(v, STATE_DEGRADED, STATE_TASKMANAGERS, "0 of 1 TaskManagers");
    v.taskmanagers = -1; /* not asked */
    healthy(v, STATE_OK, 0, NULL);
    v = well();
    v.checkpoints_failed = (int)sl_limits.health_checkpoints_failed;
    healthy(v, STATE_DEGRADED, STATE_CHECKPOINTS_FAIL, "checkpoints failed");
    v = well();
    v.last_checkpoint_ms = T0 - sl_limits.health_checkpoint_ms;
    healthy(v, STATE_DEGRADED, STATE_CHECKPOINTS_LATE, "no checkpoint for");
    v.checkpoint_interval_ms = 600000; /* a slow one is not late yet */
    healthy(v, STATE_OK, 0, NULL);
    v.checkpoint_interval_ms = 0; /* it makes none */
    healthy(v, STATE_OK, 0, NULL);
    v = well();
    v.source_unreachable = true;
    healthy(v, STATE_DEGRADED, STATE_SOURCE_UNREACHABLE, "cannot be reached");
    v = well();
    v.moved_ms = T0 - sl_limits.health_idle_ms;
    healthy(v, STATE_DEGRADED, STATE_SOURCE_IDLE, "read nothing for");
    v.figures_ms = v.moved_ms + 1; /* nor does Flink say anything else: it is not known */
    healthy(v, STATE_OK, 0, NULL);
    v.figures_ms = T0;
    healthy(v, STATE_DEGRADED, STATE_SOURCE_IDLE, "read nothing for");
    v = well();
    v.held_ms = T0 - sl_limits.health_backpressure_ms;
    v.held_permille = 970;
    healthy(v, STATE_DEGRADED, STATE_BACK_PRESSURE, "97 %");
    v = well();
    v.lag = (int64_t)sl_limits.health_lag;
    healthy(v, STATE_DEGRADED, STATE_LAG, "records behind");
    v.lag_told = false;
    healthy(v, STATE_OK, 0, NULL);
    v = well();
    v.behind_ms = v.behind_was_ms = sl_limits.health_watermark_ms;
    healthy(v, STATE_DEGRADED, STATE_WATERMARK, "does not catch up");
    v.behind_was_ms = v.behind_ms + 1; /* it does */
    healthy(v, STATE_OK, 0, NULL);
}

static void the_worst_is_said_first_and_decides(void **state)
{
    (void)state;
    struct state_vitals v = well();
    struct state_health h;
    v.lag = (int64_t)sl_limits.health_lag;
    v.restarts = 1;
    v.first_restart_ms = T0 - 5000;
    v.checkpoints_failed = 7;
    state_health(&v, &h);
    assert_int_equal(h.level, STATE_DEGRADED);
    assert_int_equal(h.reasons, STATE_RESTARTS | STATE_CHECKPOINTS_FAIL | STATE_LAG);
    assert_true(strncmp(h.why, "restarted once, 5 s ago; the last 7 checkpoints failed; ", 56) == 0);
    /* What was counted says nothing about a run that cannot be seen. */
    v.facts.sight = RUN_SIGHT_SILENT;
    v.facts.silent_ms = T0 - 1000;
    healthy(v, STATE_UNKNOWN, STATE_SILENT, "does not answer");
    size_t named = 0;
    for (unsigned bit = 1; bit; bit <<= 1) {
        named += state_reason_name(bit) != NULL;
    }
    assert_int_equal(named, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_everywhere),
        cmocka_unit_test(running_without_its_tasks_is_starting),
        cmocka_unit_test(silence_grows_and_sight_returns_by_itself),
        cmocka_unit_test(a_job_is_lost_when_its_own_jobmanager_denies_it_long_enough),
        cmocka_unit_test(an_exit_is_failed_only_in_flinks_words),
        cmocka_unit_test(each_reason_alone),
        cmocka_unit_test(the_worst_is_said_first_and_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
