/* SPDX-License-Identifier: Apache-2.0
 * The tracker against a target that answers what the test tells it to, with a real ledger and store below:
 * every end a run can have, silence, waiting, and that an application is released once, after the last of its
 * runs. */
#include "base/limits.h"
#include "gateway/jobs/snapshot.h"
#include "gateway/jobs/tracker.h"

#include "sys/clock.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SOON_MS 10000

/* What the cluster says of one job. */
struct job {
    char id[33];
    char state[24];
    int tasks, running, finished;
    bool unreachable, gone;
};

struct fake {
    struct target t; /* first: a target is cast back to it */
    pthread_mutex_t lock;
    struct job jobs[64];
    size_t n;
    int looks, cancels, released, failures;
    char released_id[64];
    bool cancel_works;
};

static struct job *job_of(struct fake *f, const char *id)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->jobs[i].id, id) == 0) {
            return &f->jobs[i];
        }
    }
    return NULL;
}

static bool fake_status(struct target *t, const struct tgt_cluster *c, const char *job_id,
                        struct tgt_job_status *ret, struct sl_err *err)
{
    struct fake *f = (struct fake *)t;
    (void)c;
    *ret = (struct tgt_job_status){0};
    pthread_mutex_lock(&f->lock);
    f->looks++;
    struct job *j = job_of(f, job_id);
    bool ok = j && !j->unreachable;
    if (ok) {
        memcpy(ret->state, j->state, sizeof(ret->state));
        ret->tasks = j->tasks;
        ret->tasks_running = j->running;
        ret->tasks_finished = j->finished;
        ret->gone = j->gone;
        ret->terminal = run_state_is_terminal(j->state);
        ret->records_in = 5;
    }
    pthread_mutex_unlock(&f->lock);
    return ok || sl_fail(err, SL_TARGET_UNREACHABLE, "no answer");
}

static bool fake_failure(struct target *t, const struct tgt_cluster *c, const char *job_id,
                         struct sl_arena *a, struct tgt_failure *ret, struct sl_err *err)
{
    struct fake *f = (struct fake *)t;
    (void)c;
    (void)err;
    pthread_mutex_lock(&f->lock);
    f->failures++;
    pthread_mutex_unlock(&f->lock);
    ret->chain_json = sl_arena_printf(a, "[{\"class\":\"X\",\"message\":\"%.4s broke\"}]", job_id);
    ret->stack = SL_STR("X: broke\n\tat Y");
    return true;
}

static bool fake_cancel(struct target *t, const struct tgt_cluster *c, const char *job_id, struct sl_err *err)
{
    struct fake *f = (struct fake *)t;
    (void)c;
    (void)err;
    pthread_mutex_lock(&f->lock);
    f->cancels++;
    if (f->cancel_works) {
        snprintf(job_of(f, job_id)->state, 24, "CANCELED");
    }
    pthread_mutex_unlock(&f->lock);
    return true;
}

static bool fake_release(struct target *t, const struct tgt_cluster *c, struct sl_err *err)
{
    struct fake *f = (struct fake *)t;
    (void)err;
    pthread_mutex_lock(&f->lock);
    f->released++;
    memcpy(f->released_id, c->id, sizeof(f->released_id));
    pthread_mutex_unlock(&f->lock);
    return true;
}

static const struct target_ops fake_ops = {.kind = "fake",
                                           .status = fake_status,
                                           .failure = fake_failure,
                                           .cancel = fake_cancel,
                                           .release = fake_release};

struct world {
    char dir[64];
    struct store *store;
    struct ledger *ledger;
    struct tracker *tracker;
    struct fake fake;
    int64_t submission;
};

static struct target *the_fake(void *ctx, const char *name, const char *flink)
{
    assert_string_equal(name, "fake");
    assert_string_equal(flink, "2.2.1");
    return ctx;
}

static int setup(void **state)
{
    static const struct store_migration *const migrations[] = {ledger_migrations, submission_migrations,
                                                               snapshot_migrations, NULL};
    struct world *w = calloc(1, sizeof(*w));
    struct sl_err err = SL_ERR_INIT;
    char path[96];
    snprintf(w->dir, sizeof(w->dir), "/tmp/sluice-tracker-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(path, sizeof(path), "%s/sluice.db", w->dir);
    w->store = store_open(path, migrations, &err);
    assert_non_null(w->store);
    w->ledger = ledger_new(w->store);
    w->fake.t.ops = &fake_ops;
    w->fake.cancel_works = true;
    pthread_mutex_init(&w->fake.lock, NULL);
    struct ledger_submission s = {.key = "k", .job = "", .owner = "", .digest = "", .target = "fake"};
    struct ledger_opened opened;
    assert_true(ledger_open(w->ledger, &s, &opened, &err));
    w->submission = opened.submission;
    sl_limits.job_gone_ms = 0; /* three looks are enough, and nobody has to wait for half a minute */
    w->tracker = tracker_start(w->ledger, the_fake, &w->fake);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    tracker_stop(w->tracker);
    ledger_free(w->ledger);
    store_close(w->store);
    pthread_mutex_destroy(&w->fake.lock);
    assert_true(sys_rmtree(w->dir, &err));
    free(w);
    return 0;
}

/* A run as the pipeline makes it: intent in the ledger, then under watch, then started. Job id = run id. */
static struct run begin(struct world *w, const char *digit, const char *cluster, bool started)
{
    struct run r = {.version = 1, .statement = 1, .created_ms = sys_wall_ms()};
    struct sl_err err = SL_ERR_INIT;
    memset(r.id, digit[0], RUN_ID_HEX);
    snprintf(r.job, sizeof(r.job), "job");
    snprintf(r.kind, sizeof(r.kind), "INSERT");
    snprintf(r.target, sizeof(r.target), "fake");
    snprintf(r.wanted, sizeof(r.wanted), "running");
    snprintf(r.state, sizeof(r.state), "SUBMITTING");
    r.mode = cluster ? TGT_APPLICATION : TGT_SESSION;
    pthread_mutex_lock(&w->fake.lock);
    struct job *j = &w->fake.jobs[w->fake.n++];
    memcpy(j->id, r.id, sizeof(j->id));
    snprintf(j->state, sizeof(j->state), "RUNNING");
    j->tasks = 2;
    pthread_mutex_unlock(&w->fake.lock);
    assert_true(ledger_run_put(w->ledger, w->submission, &r, &err));
    tracker_add(w->tracker, w->submission, &r);
    struct tgt_cluster c = {.rest = "http://x", .flink = "2.2.1"};
    snprintf(c.id, sizeof(c.id), "%s", cluster ? cluster : "session-1");
    if (started) {
        tracker_started(w->tracker, r.id, &c, r.id);
    } else {
        tracker_started(w->tracker, r.id, &c, "");
    }
    r.cluster = c;
    return r;
}

static void become(struct world *w, const struct run *r, const char *state, int running, int finished)
{
    pthread_mutex_lock(&w->fake.lock);
    struct job *j = job_of(&w->fake, r->id);
    snprintf(j->state, sizeof(j->state), "%s", state);
    j->running = running;
    j->finished = finished;
    pthread_mutex_unlock(&w->fake.lock);
}

static void reach(struct world *w, const struct run *r, bool unreachable, bool gone)
{
    pthread_mutex_lock(&w->fake.lock);
    job_of(&w->fake, r->id)->unreachable = unreachable;
    job_of(&w->fake, r->id)->gone = gone;
    pthread_mutex_unlock(&w->fake.lock);
}

static int count(struct world *w, int *counter)
{
    pthread_mutex_lock(&w->fake.lock);
    int n = *counter;
    pthread_mutex_unlock(&w->fake.lock);
    return n;
}

static struct run stored(struct world *w, const struct run *r)
{
    struct run back;
    struct sl_err err = SL_ERR_INIT;
    assert_true(ledger_find(w->ledger, r->id, &back, &err));
    return back;
}

/* Under watch, and then in the ledger. */
static void wait_sight(struct world *w, const struct run *r, enum run_sight want)
{
    struct run now;
    for (int64_t until = sys_now_ms() + SOON_MS; sys_now_ms() < until; sys_sleep_ms(5)) {
        assert_true(tracker_get(w->tracker, r->id, &now));
        if (now.sight == want && stored(w, r).sight == want) {
            return;
        }
    }
    assert_int_equal(now.sight, want);
}

static void it_runs_when_all_its_tasks_do_and_ends_when_flink_says_so(void **state)
{
    struct world *w = *state;
    struct run r = begin(w, "a", NULL, true), now;
    become(w, &r, "RUNNING", 1, 0); /* one task of two waits for a slot */
    assert_false(tracker_wait_running(w->tracker, r.id, 300, &now));
    assert_string_equal(now.state, "RUNNING");
    assert_string_equal(run_shown_state(&now), "STARTING");
    become(w, &r, "RUNNING", 1, 1);
    assert_true(tracker_wait_running(w->tracker, r.id, SOON_MS, &now));
    assert_false(now.ended);
    assert_true(now.finish_first_ms > 0);
    assert_int_equal(tracker_active(w->tracker), 1);
    assert_false(tracker_wait_ended(w->tracker, r.id, 150, &now));
    become(w, &r, "FINISHED", 0, 2);
    assert_true(tracker_wait_ended(w->tracker, r.id, SOON_MS, &now));
    assert_string_equal(now.state, "FINISHED");
    assert_int_equal(tracker_active(w->tracker), 0);
    /* who waited was told after it was written down */
    struct run back = stored(w, &r);
    assert_string_equal(back.state, "FINISHED");
    assert_true(back.ended && back.ended_ms > 0);
    assert_int_equal(back.last.records_in, 5);
    int looks = count(w, &w->fake.looks);
    sys_sleep_ms(1300);
    assert_int_equal(count(w, &w->fake.looks), looks); /* nobody asks after the dead */
}

static void who_waits_makes_it_look_at_once(void **state)
{
    struct world *w = *state;
    struct run r = begin(w, "a", NULL, true), now;
    become(w, &r, "RUNNING", 2, 0);
    assert_true(tracker_wait_running(w->tracker, r.id, SOON_MS, &now));
    sys_sleep_ms(300); /* nobody waits: the next look is most of a second away */
    become(w, &r, "FINISHED", 0, 2);
    int64_t at = sys_now_ms();
    assert_true(tracker_wait_ended(w->tracker, r.id, SOON_MS, &now));
    assert_true(sys_now_ms() - at < 400);
}

static void a_failure_is_kept_before_the_end_is_told(void **state)
{
    struct world *w = *state;
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct run r = begin(w, "b", NULL, true), now;
    struct tgt_failure f;
    assert_false(tracker_failure(w->tracker, r.id, &a, &f));
    become(w, &r, "FAILED", 0, 0);
    assert_true(tracker_wait_ended(w->tracker, r.id, SOON_MS, &now));
    assert_true(tracker_failure(w->tracker, r.id, &a, &f));
    assert_true(sl_str_eqz(f.chain_json, "[{\"class\":\"X\",\"message\":\"bbbb broke\"}]"));
    assert_true(sl_str_starts(f.stack, SL_STR("X: broke")));
    assert_int_equal(count(w, &w->fake.failures), 1);
    tracker_note_error(w->tracker, r.id, "first", "the first", "cure", "a.sql:1:1");
    tracker_note_error(w->tracker, r.id, "second", "the second", "", "");
    struct run back = stored(w, &r);
    assert_string_equal(back.error_code, "first");
    assert_string_equal(back.error, "the first");
    assert_string_equal(back.error_place, "a.sql:1:1");
    struct state_health h;
    run_health(&back, &h);
    assert_string_equal(state_level_names[h.level], "down");
}

static void silence_is_no_failure(void **state)
{
    struct world *w = *state;
    struct run r = begin(w, "c", NULL, true), now;
    become(w, &r, "RUNNING", 2, 0);
    assert_true(tracker_wait_running(w->tracker, r.id, SOON_MS, &now));
    reach(w, &r, true, false);
    wait_sight(w, &r, RUN_SIGHT_SILENT);
    assert_false(tracker_wait_ended(w->tracker, r.id, 500, &now)); /* many looks, no verdict */
    assert_string_equal(now.state, "RUNNING");
    struct state_health h;
    run_health(&now, &h);
    assert_string_equal(state_level_names[h.level], "unknown");
    assert_string_equal(run_shown_state(&now), "unknown");
    reach(w, &r, false, false);
    wait_sight(w, &r, RUN_SIGHT_LIVE);
    become(w, &r, "FINISHED", 0, 2);
    assert_true(tracker_wait_ended(w->tracker, r.id, SOON_MS, &now));
}

static void a_job_its_cluster_does_not_know_is_lost_at_the_third_look(void **state)
{
    struct world *w = *state;
    struct run r = begin(w, "d", NULL, true), now;
    become(w, &r, "RUNNING", 2, 0);
    assert_true(tracker_wait_running(w->tracker, r.id, SOON_MS, &now));
    int before = count(w, &w->fake.looks);
    reach(w, &r, false, true);
    assert_true(tracker_wait_ended(w->tracker, r.id, SOON_MS, &now));
    assert_string_equal(now.state, "LOST");
    assert_int_equal(now.sight, RUN_SIGHT_LOST);
    assert_true(count(w, &w->fake.looks) - before >= 3);
    assert_string_equal(stored(w, &r).state, "LOST");
}

static void a_job_that_is_known_again_was_not_lost(void **state)
{
    struct world *w = *state;
    struct run r = begin(w, "d", NULL, true), now;
    for (int i = 0; i < 3; i++) { /* one look each: never three in a row */
        reach(w, &r, false, true);
        int seen = count(w, &w->fake.looks);
        while (count(w, &w->fake.looks) == seen) {
            sys_sleep_ms(1);
        }
        reach(w, &r, false, false);
        seen = count(w, &w->fake.looks);
        while (count(w, &w->fake.looks) < seen + 2) {
            sys_sleep_ms(1);
        }
    }
    assert_true(tracker_get(w->tracker, r.id, &now));
    assert_false(now.ended);
}

static void a_job_not_made_yet_keeps_its_state(void **state)
{
    struct world *w = *state;
    struct run r = begin(w, "e", "application-1", false), now;
    become(w, &r, "", 0, 0);
    tracker_started(w->tracker, r.id, &r.cluster, r.id);
    assert_false(tracker_wait_running(w->tracker, r.id, 400, &now));
    assert_string_equal(now.state, "SUBMITTING");
    assert_true(count(w, &w->fake.looks) >= 2);
}

static void cancel_waits_for_the_end(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    struct run r = begin(w, "f", NULL, true), now;
    assert_true(tracker_cancel(w->tracker, r.id, SOON_MS, &err));
    assert_true(tracker_get(w->tracker, r.id, &now));
    assert_string_equal(now.state, "CANCELED");
    assert_true(tracker_cancel(w->tracker, r.id, SOON_MS, &err)); /* again: nothing to do */
    assert_int_equal(count(w, &w->fake.cancels), 1);
    /* one that does not end */
    struct run stuck = begin(w, "1", NULL, true);
    w->fake.cancel_works = false;
    assert_false(tracker_cancel(w->tracker, stuck.id, 300, &err));
    assert_int_equal(err.code, SL_TIMEOUT);
    assert_true(tracker_get(w->tracker, stuck.id, &now));
    assert_false(now.ended);
    /* one without a job yet, and one that nobody knows */
    struct run young = begin(w, "2", NULL, false);
    assert_false(tracker_cancel(w->tracker, young.id, 300, &err));
    assert_int_equal(err.code, SL_JOB_STATE);
    assert_false(tracker_cancel(w->tracker, "0123", 300, &err));
    assert_int_equal(err.code, SL_JOB_UNKNOWN);
}

static void a_run_that_never_became_a_job_is_finished_by_hand_once(void **state)
{
    struct world *w = *state;
    struct run r = begin(w, "3", NULL, false), now;
    sys_sleep_ms(100);
    assert_int_equal(count(w, &w->fake.looks), 0); /* there is nothing to ask for */
    tracker_finish(w->tracker, r.id, "FAILED");
    tracker_finish(w->tracker, r.id, "CANCELED");
    assert_true(tracker_wait_ended(w->tracker, r.id, 0, &now));
    assert_string_equal(now.state, "FAILED");
    assert_string_equal(stored(w, &r).state, "FAILED");
}

static void an_application_is_released_once_after_its_last_run(void **state)
{
    struct world *w = *state;
    struct run a = begin(w, "4", "application-7", true), b = begin(w, "5", "application-7", true), now;
    struct run other = begin(w, "6", "application-8", true), session = begin(w, "7", NULL, true);
    become(w, &a, "FINISHED", 0, 2);
    assert_true(tracker_wait_ended(w->tracker, a.id, SOON_MS, &now));
    tracker_application_done(w->tracker, "application-7"); /* one still runs */
    sys_sleep_ms(150);
    assert_int_equal(count(w, &w->fake.released), 0);
    become(w, &b, "FAILED", 0, 0);
    assert_true(tracker_wait_ended(w->tracker, b.id, SOON_MS, &now));
    for (int64_t until = sys_now_ms() + SOON_MS; !count(w, &w->fake.released) && sys_now_ms() < until;) {
        sys_sleep_ms(5);
    }
    assert_string_equal(w->fake.released_id, "application-7");
    tracker_application_done(w->tracker, "application-7");
    become(w, &session, "FINISHED", 0, 2); /* a session is not */
    assert_true(tracker_wait_ended(w->tracker, session.id, SOON_MS, &now));
    become(w, &other, "FINISHED", 0, 2); /* its script may go on to make jobs */
    assert_true(tracker_wait_ended(w->tracker, other.id, SOON_MS, &now));
    sys_sleep_ms(150);
    assert_int_equal(count(w, &w->fake.released), 1);
    tracker_application_done(w->tracker, "application-8");
    assert_int_equal(count(w, &w->fake.released), 2);
}

struct waiter {
    struct world *world;
    const char *id;
    bool ended;
};

static void *wait_end(void *arg)
{
    struct waiter *x = arg;
    struct run now;
    x->ended =
        tracker_wait_ended(x->world->tracker, x->id, SOON_MS, &now) && strcmp(now.state, "FINISHED") == 0;
    return NULL;
}

static void many_runs_and_waiters_at_once(void **state)
{
    struct world *w = *state;
    enum { N = 32 };
    struct run runs[N];
    struct waiter x[N];
    pthread_t t[N];
    for (int i = 0; i < N; i++) {
        char digit[2] = {(char)('A' + i), 0};
        runs[i] = begin(w, digit, NULL, true);
        x[i] = (struct waiter){w, runs[i].id, false};
        assert_int_equal(pthread_create(&t[i], NULL, wait_end, &x[i]), 0);
    }
    assert_int_equal(tracker_active(w->tracker), N);
    for (int i = N - 1; i >= 0; i--) {
        become(w, &runs[i], "FINISHED", 0, 2);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(t[i], NULL);
        assert_true(x[i].ended);
    }
    assert_int_equal(tracker_active(w->tracker), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(it_runs_when_all_its_tasks_do_and_ends_when_flink_says_so),
        T(who_waits_makes_it_look_at_once),
        T(a_failure_is_kept_before_the_end_is_told),
        T(silence_is_no_failure),
        T(a_job_its_cluster_does_not_know_is_lost_at_the_third_look),
        T(a_job_that_is_known_again_was_not_lost),
        T(a_job_not_made_yet_keeps_its_state),
        T(cancel_waits_for_the_end),
        T(a_run_that_never_became_a_job_is_finished_by_hand_once),
        T(an_application_is_released_once_after_its_last_run),
        T(many_runs_and_waiters_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
