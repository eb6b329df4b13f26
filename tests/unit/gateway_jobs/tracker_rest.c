/* SPDX-License-Identifier: Apache-2.0
 * The tracker over its own REST looks, against JobManagers that answer as a real one or misbehave: what is said
 * of each, that sight returns by itself, that every checkpoint is written down, and that many are looked at in
 * time while some hang. `make bench BENCH="--parts track"` runs the long form of the last with 1,000 and 5,000:
 * TRACK_RUNS, TRACK_LOOK_MS, TRACK_HANG, TRACK_PAIRS; figures are printed. TRACK_PERMILLE=1200: those that hang may
 * not make the others' p99 longer by more than a fifth (the median of the pairs). */
#include "gateway/jobs/snapshot.h"
#include "gateway/jobs/tracker.h"
#include "tests/unit/gateway_jobs/fake_jm.h"

#include "base/limits.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <sched.h>
#include <time.h>

#define SOON_MS 20000

struct world {
    struct target t; /* first: a target is cast back to it */
    char dir[64];
    struct store *store;
    struct ledger *ledger;
    struct tracker *tracker;
    struct jms *jms;
    int64_t submission;
};

static bool endpoint(struct target *t, const struct tgt_cluster *c, struct tgt_endpoint *ret,
                     struct sl_err *err)
{
    (void)t;
    (void)err;
    *ret = (struct tgt_endpoint){0};
    memcpy(ret->rest, c->rest, sizeof(ret->rest));
    return true;
}

static bool status(struct target *t, const struct tgt_cluster *c, const char *job_id,
                   struct tgt_job_status *ret, struct sl_err *err)
{
    (void)t;
    (void)c;
    (void)job_id;
    (void)ret;
    (void)err;
    fail_msg("a JobManager that is asked over REST needs nobody else");
    return false;
}

static const struct target_ops ops = {.kind = "fake", .endpoint = endpoint, .status = status};

static struct target *the_target(void *ctx, const char *name, const char *flink)
{
    (void)name;
    (void)flink;
    return ctx;
}

static struct world *begin(size_t n)
{
    static const struct store_migration *const migrations[] = {ledger_migrations, submission_migrations,
                                                               snapshot_migrations, NULL};
    struct world *w = calloc(1, sizeof(*w));
    struct sl_err err = SL_ERR_INIT;
    char path[96];
    SL_OOM_ON(!w);
    snprintf(w->dir, sizeof(w->dir), "/tmp/sluice-track-rest-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(path, sizeof(path), "%s/sluice.db", w->dir);
    w->store = store_open(path, migrations, &err);
    assert_non_null(w->store);
    w->ledger = ledger_new(w->store);
    w->t.ops = &ops;
    struct ledger_submission s = {.key = "k", .job = "", .owner = "", .digest = "", .target = "fake"};
    struct ledger_opened opened;
    assert_true(ledger_open(w->ledger, &s, &opened, &err));
    w->submission = opened.submission;
    w->jms = jms_start(n);
    w->tracker = tracker_start(w->ledger, the_target, w);
    return w;
}

static void end(struct world *w)
{
    struct sl_err err = SL_ERR_INIT;
    tracker_stop(w->tracker);
    jms_stop(w->jms);
    ledger_free(w->ledger);
    store_close(w->store);
    assert_true(sys_rmtree(w->dir, &err));
    free(w);
}

static void watch(struct world *w, size_t of)
{
    struct run r = {.version = 1, .statement = 1, .created_ms = sys_wall_ms(), .mode = TGT_SESSION};
    struct sl_err err = SL_ERR_INIT;
    jm_id(of, r.id);
    memcpy(r.flink_job, r.id, sizeof(r.flink_job));
    snprintf(r.job, sizeof(r.job), "job-%zu", of);
    snprintf(r.kind, sizeof(r.kind), "INSERT");
    snprintf(r.target, sizeof(r.target), "fake");
    snprintf(r.wanted, sizeof(r.wanted), "running");
    snprintf(r.state, sizeof(r.state), "SUBMITTING");
    snprintf(r.cluster.id, sizeof(r.cluster.id), "jm-%zu", of);
    snprintf(r.cluster.flink, sizeof(r.cluster.flink), "2.2.1");
    jm_rest(w->jms, of, r.cluster.rest, sizeof(r.cluster.rest));
    assert_true(ledger_run_put(w->ledger, w->submission, &r, &err));
    tracker_add(w->tracker, w->submission, &r);
}

static struct run now(struct world *w, size_t of)
{
    char id[33];
    struct run r;
    jm_id(of, id);
    assert_true(tracker_get(w->tracker, id, &r));
    return r;
}

static const char *health_of(const struct run *r)
{
    static struct state_health h;
    run_health(r, &h);
    return state_level_names[h.level];
}

static void wait_shown(struct world *w, size_t of, const char *want)
{
    struct run r;
    for (int64_t until = sys_now_ms() + SOON_MS; sys_now_ms() < until; sys_sleep_ms(5)) {
        r = now(w, of);
        if (strcmp(run_shown_state(&r), want) == 0) {
            return;
        }
    }
    fail_msg("%zu is %s (last seen %lld ms ago), not %s", of, run_shown_state(&r),
             (long long)(sys_wall_ms() - r.seen_ms), want);
}

static void many_looks(struct world *w, size_t of)
{
    for (int seen = w->jms->v[of].requests; w->jms->v[of].requests < seen + 6;) {
        sys_sleep_ms(5);
    }
}

/* Whatever answers there: never FAILED, never ended, never ok; and then it is seen again. */
static void what_is_not_its_jobmanager_says_nothing_of_the_job(void **state)
{
    (void)state;
    static const enum jm_manner manners[] = {JM_HANGS, JM_HALF, JM_GARBAGE, JM_SERVER, JM_OTHER};
    sl_limits.look_ms = 100;
    sl_limits.look_timeout_ms = 300;
    sl_limits.look_life_ms = SOON_MS * 10; /* none of them is there long enough to be believed */
    struct world *w = begin(SL_ARRAY_LEN(manners));
    for (size_t i = 0; i < SL_ARRAY_LEN(manners); i++) {
        watch(w, i);
        wait_shown(w, i, "RUNNING");
    }
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < SL_ARRAY_LEN(manners); i++) {
            w->jms->v[i].manner = (int)manners[i];
        }
        for (size_t i = 0; i < SL_ARRAY_LEN(manners); i++) {
            wait_shown(w, i, "unknown");
            many_looks(w, i);
            struct run r = now(w, i);
            assert_false(r.ended);
            assert_string_equal(r.state, "RUNNING"); /* Flink's last word */
            assert_int_equal(r.sight, RUN_SIGHT_SILENT);
            assert_string_equal(health_of(&r), "unknown");
        }
        for (size_t i = 0; i < SL_ARRAY_LEN(manners); i++) {
            w->jms->v[i].manner = JM_WELL;
            wait_shown(w, i, "RUNNING");
            struct run r = now(w, i);
            assert_string_equal(health_of(&r), "ok");
        }
    }
    end(w);
    sl_limits.look_life_ms = 5000;
}

/* A JobManager that was restarted is taken over after a while; what the one before it says later is not. */
static void an_old_generation_is_never_believed_again(void **state)
{
    (void)state;
    sl_limits.look_ms = 50;
    sl_limits.look_identity_ms = 100;
    sl_limits.look_life_ms = 1000;
    struct world *w = begin(1);
    watch(w, 0);
    wait_shown(w, 0, "RUNNING");
    int64_t at = sys_now_ms();
    w->jms->v[0].life = 7;
    wait_shown(w, 0, "unknown"); /* a stranger, or the same one restarted */
    wait_shown(w, 0, "RUNNING");
    assert_true(sys_now_ms() - at >= 1000);
    w->jms->v[0].life = 0;
    w->jms->v[0].state = 2; /* FINISHED, says the old one */
    wait_shown(w, 0, "unknown");
    sys_sleep_ms(1500);
    many_looks(w, 0);
    assert_false(now(w, 0).ended);
    w->jms->v[0].life = 7;
    w->jms->v[0].state = 0;
    wait_shown(w, 0, "RUNNING");
    w->jms->v[0].state = 2;
    wait_shown(w, 0, "FINISHED");
    end(w);
    sl_limits.look_identity_ms = 10000;
    sl_limits.look_life_ms = 5000;
}

static void a_job_that_its_jobmanager_forgot_is_lost_after_a_while_and_not_failed(void **state)
{
    (void)state;
    sl_limits.look_ms = 50;
    sl_limits.job_gone_ms = 400;
    struct world *w = begin(1);
    watch(w, 0);
    wait_shown(w, 0, "RUNNING");
    w->jms->v[0].manner = JM_FORGETS;
    sys_sleep_ms(200);
    assert_false(now(w, 0).ended); /* it may be recovering */
    wait_shown(w, 0, "LOST");
    struct run r = now(w, 0);
    assert_string_equal(health_of(&r), "down");
    end(w);
    sl_limits.job_gone_ms = 30000;
}

static void failed_comes_with_its_evidence_and_its_failure(void **state)
{
    (void)state;
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    sl_limits.look_ms = 50;
    struct world *w = begin(1);
    watch(w, 0);
    wait_shown(w, 0, "RUNNING");
    w->jms->v[0].state = 1;
    wait_shown(w, 0, "FAILED");
    struct run r = now(w, 0);
    struct tgt_failure f;
    struct sl_err err = SL_ERR_INIT;
    sl_str event;
    int64_t at;
    assert_true(tracker_wait_ended(w->tracker, r.id, SOON_MS, &r));
    assert_true(tracker_failure(w->tracker, r.id, &a, &f));
    assert_true(sl_str_starts(f.stack, SL_STR("java.lang.RuntimeException: it broke")));
    assert_true(ledger_last_event(w->ledger, r.id, "state", &a, &event, &at, &err));
    assert_true(sl_str_find(event, SL_STR("\"to\":\"FAILED\"")) > 0);
    assert_true(sl_str_find(event, SL_STR("\"source\":\"rest\"")) > 0);
    assert_true(sl_str_find(event, SL_STR("Flink says FAILED")) > 0);
    assert_true(ledger_last_event(w->ledger, r.id, "failure", &a, &event, &at, &err));
    assert_true(sl_str_find(event, SL_STR("it broke")) > 0);
    end(w);
}

/* Checkpoints end four times as often as the run is looked at. */
static void every_checkpoint_is_written_down_and_a_gap_is_counted(void **state)
{
    (void)state;
    enum { DONE = 60 };
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    sl_limits.look_ms = 200;
    struct world *w = begin(2);
    w->jms->v[1].depth = 3; /* it forgets more between two looks than it tells */
    watch(w, 0);
    watch(w, 1);
    wait_shown(w, 0, "RUNNING");
    wait_shown(w, 1, "RUNNING");
    for (int i = 1; i <= DONE; i++) {
        w->jms->v[0].completed = i;
        w->jms->v[1].completed = i < 20 ? 0 : i;
        sys_sleep_ms(50);
    }
    struct run r;
    struct snapshot *all;
    size_t n = 0;
    struct sl_err err = SL_ERR_INIT;
    for (int64_t until = sys_now_ms() + SOON_MS; sys_now_ms() < until && n < DONE; sys_sleep_ms(20)) {
        r = now(w, 0);
        assert_true(snapshot_list(w->store, NULL, r.id, 1000, &a, &all, &n, &err));
    }
    assert_int_equal(n, DONE);
    bool there[DONE + 1] = {0};
    for (size_t i = 0; i < n; i++) {
        assert_true(all[i].number >= 1 && all[i].number <= DONE && !there[all[i].number]);
        there[all[i].number] = true;
        assert_true(all[i].state == SNAPSHOT_COMPLETED || all[i].state == SNAPSHOT_GONE);
    }
    assert_int_equal(r.vitals.checkpoints_missed, 0);
    r = now(w, 1);
    for (int64_t until = sys_now_ms() + SOON_MS; sys_now_ms() < until && r.last.checkpoints_completed < DONE;
         sys_sleep_ms(20)) {
        r = now(w, 1);
    }
    n = 0;
    for (int64_t until = sys_now_ms() + SOON_MS;
         sys_now_ms() < until && (int64_t)n + r.vitals.checkpoints_missed != DONE; sys_sleep_ms(20)) {
        assert_true(snapshot_list(w->store, NULL, r.id, 1000, &a, &all, &n, &err));
    }
    assert_int_equal((int64_t)n + r.vitals.checkpoints_missed, DONE);
    assert_true(r.vitals.checkpoints_missed >= 16); /* the first twenty came at once, and three were told */
    end(w);
}

/* Looks at the first n do not stop; whoever else hangs, hangs for much longer than this waits. */
static void go_on(struct world *w, size_t n)
{
    int seen[64];
    SL_BUG_ON(n > SL_ARRAY_LEN(seen));
    for (size_t i = 0; i < n; i++) {
        seen[i] = w->jms->v[i].requests;
    }
    int64_t until = sys_now_ms() + SOON_MS;
    for (size_t i = 0; i < n; i++) {
        while (w->jms->v[i].requests < seen[i] + 12) {
            if (sys_now_ms() > until) {
                fail_msg("%zu was asked %d times in %d s", i, w->jms->v[i].requests - seen[i],
                         SOON_MS / 1000);
            }
            sys_sleep_ms(5);
        }
        assert_string_equal(now(w, i).state, "RUNNING");
    }
}

/* Most of them say nothing, for longer than anybody waits here: the others are looked at as before, also when
 * all are behind one address. */
static void some_hang_and_the_others_go_on(bool one_address)
{
    enum { ALL = 40, WELL = 8 };
    sl_limits.look_ms = 100;
    sl_limits.look_timeout_ms = SOON_MS * 10;
    struct world *w = begin(ALL);
    w->jms->front = one_address;
    for (size_t i = 0; i < ALL; i++) {
        watch(w, i);
    }
    for (size_t i = 0; i < ALL; i++) {
        wait_shown(w, i, "RUNNING");
    }
    for (size_t i = WELL; i < ALL; i++) {
        w->jms->v[i].manner = JM_HANGS;
    }
    for (size_t i = WELL; i < ALL; i++) { /* each has been asked and has not answered */
        while (!w->jms->v[i].unanswered) {
            sys_sleep_ms(1);
        }
    }
    go_on(w, WELL);
    end(w);
}

static void those_that_hang_keep_nobody_waiting(void **state)
{
    (void)state;
    some_hang_and_the_others_go_on(false);
}

static void those_that_hang_behind_the_same_address_keep_nobody_waiting(void **state)
{
    (void)state;
    some_hang_and_the_others_go_on(true);
}

static size_t setting(const char *name, size_t dflt)
{
    const char *text = getenv(name);
    int64_t n;
    return text && sl_str_to_i64(sl_str_of(text), &n) ? (size_t)n : dflt;
}

static int64_t cpu_us(clockid_t clock)
{
    struct timespec t;
    SL_BUG_ON(clock_gettime(clock, &t) != 0);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* Of all threads but that of the JobManagers. */
static int64_t own_cpu_us(struct world *w)
{
    clockid_t theirs;
    SL_BUG_ON(pthread_getcpuclockid(w->jms->thread, &theirs) != 0);
    return cpu_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_us(theirs);
}

static long rss_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f) {
        if (fscanf(f, "%*d %ld", &pages) != 1) {
            pages = 0;
        }
        fclose(f);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* What was seen in all stretches of one kind. */
struct sum {
    struct tracker_figures f;
    int64_t ms, cpu_us, oldest_ms;
};

/* One interval, in which each run is looked at once: how it went, and how old what is shown became. Its p99. */
static int64_t stretch(struct world *w, size_t n, size_t hanging, struct sum *s)
{
    struct tracker_figures f;
    tracker_figures_reset(w->tracker);
    int64_t cpu = own_cpu_us(w), start = sys_now_ms();
    while (sys_now_ms() - start < sl_limits.look_ms) {
        sys_sleep_ms(SL_MIN(sl_limits.look_ms / 4, INT64_C(500)));
        int64_t wall = sys_wall_ms();
        for (size_t i = hanging; i < n; i++) {
            s->oldest_ms = SL_MAX(s->oldest_ms, wall - now(w, i).seen_ms);
        }
    }
    s->ms += sys_now_ms() - start;
    s->cpu_us += own_cpu_us(w) - cpu;
    tracker_figures(w->tracker, &f);
    s->f.looks += f.looks;
    s->f.blind += f.blind;
    s->f.late += f.late;
    s->f.worst_us = SL_MAX(s->f.worst_us, f.worst_us);
    tracker_times_add(&s->f.began, &f.began);
    tracker_times_add(&s->f.took, &f.took);
    return tracker_times_us(&f.took, 990);
}

static int by_size(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

static void print_sum(const char *name, const struct sum *s)
{
    print_message(
        "%-8s looks %llu in %.0f s, blind %llu, late %llu; begun p50 %.2f p99 %.2f ms, whole p50 %.2f "
        "p99 %.2f worst %.2f ms; oldest shown %.2f s; CPU %.1f %%\n",
        name, (unsigned long long)s->f.looks, (double)s->ms / 1000, (unsigned long long)s->f.blind,
        (unsigned long long)s->f.late, (double)tracker_times_us(&s->f.began, 500) / 1000,
        (double)tracker_times_us(&s->f.began, 990) / 1000, (double)tracker_times_us(&s->f.took, 500) / 1000,
        (double)tracker_times_us(&s->f.took, 990) / 1000, (double)s->f.worst_us / 1000,
        (double)s->oldest_ms / 1000, (double)s->cpu_us / 10.0 / (double)s->ms);
}

/* All threads made from now on run when they can, whatever else the machine does: else a p99 of some ms tells of
 * its other programs. False: one may not do that here. */
static bool run_first(void)
{
    struct sched_param p = {.sched_priority = 1};
    return sched_setscheduler(0, SCHED_RR, &p) == 0;
}

static bool is_quiet(void)
{
    double load;
    return getloadavg(&load, 1) == 1 && load < (double)sysconf(_SC_NPROCESSORS_ONLN);
}

/* Stretches with and without those that hang take turns, so that what else the machine does falls on both. */
static void many_are_looked_at_in_time_while_some_hang(void **state)
{
    (void)state;
    size_t n = setting("TRACK_RUNS", 200), hanging = setting("TRACK_HANG", 3),
           pairs = setting("TRACK_PAIRS", 2);
    sl_limits.look_ms = (int64_t)setting("TRACK_LOOK_MS", 1000);
    sl_limits.look_timeout_ms = SL_MAX(sl_limits.look_ms, INT64_C(3000));
    bool first = getenv("TRACK_RUNS") && run_first();
    struct world *w = begin(n);
    for (size_t i = 0; i < n; i++) {
        watch(w, i);
    }
    for (size_t i = 0; i < n; i++) {
        wait_shown(w, i, "RUNNING");
    }
    sys_sleep_ms(sl_limits.look_ms + 200); /* every run has a phase of its own now */
    struct sum well = {0}, hang = {0};
    size_t most = setting("TRACK_PERMILLE", 0);
    double *ratio = calloc(pairs, sizeof(*ratio));
    SL_OOM_ON(!ratio);
    long first_kb = rss_kb();
    int connections = w->jms->connections;
    struct tracker_figures before;
    tracker_figures(w->tracker, &before);
    w->jms->served = w->jms->served_us = w->jms->worst_us = 0;
    for (size_t pair = 0; pair < pairs; pair++) {
        int64_t without = stretch(w, n, 0, &well);
        for (size_t i = 0; i < hanging; i++) {
            w->jms->v[i].manner = JM_HANGS;
        }
        sys_sleep_ms(sl_limits.look_ms); /* each of them was asked, and most of them wait */
        ratio[pair] = (double)stretch(w, n, hanging, &hang) / (double)without;
        for (size_t i = 0; i < hanging; i++) {
            wait_shown(w, i, "unknown");
            w->jms->v[i].manner = JM_WELL;
        }
        for (size_t i = 0; i < hanging; i++) {
            wait_shown(w, i, "RUNNING");
        }
    }
    print_sum("well", &well);
    print_sum("hanging", &hang);
    qsort(ratio, pairs, sizeof(*ratio), by_size);
    print_message(
        "ratio    of the p99 with %zu of %zu that hang to that without: pairs %.3f to %.3f, median %.3f, "
        "all %.3f\n",
        hanging, n, ratio[0], ratio[pairs - 1], ratio[pairs / 2],
        (double)tracker_times_us(&hang.f.took, 990) / (double)tracker_times_us(&well.f.took, 990));
    print_message("both     memory %ld MB, %d connections, the JobManagers took %.3f ms, at most %.2f ms\n",
                  rss_kb() / 1024, w->jms->connections,
                  (double)w->jms->served_us / 1000 / (double)w->jms->served, (double)w->jms->worst_us / 1000);
    if (first || is_quiet()) {
        assert_true(!most || ratio[pairs / 2] * 1000 <= (double)most);
    } else if (most) {
        print_message(
            "it is not held against %.3f: other programs have the machine, and may not be preempted\n",
            (double)most / 1000);
    }
    free(ratio);
    /* No look was left out: what is shown of a run is never older than two of them, and 10 s for a machine that does
     * other things, too. */
    assert_true(well.oldest_ms < 2 * sl_limits.look_ms + 10000);
    assert_true(hang.oldest_ms < 2 * sl_limits.look_ms + 10000);
    assert_true(well.f.looks >= (uint64_t)n * pairs / 2);
    /* One kept for each; a look that ran out of time on a slow machine has closed its own. */
    assert_true((uint64_t)connections <= n + 10 + before.blind);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* which keep what was freed */
    assert_true(rss_kb() - first_kb < 20 * 1024 + (long)n * 40);
#else
    (void)first_kb;
#endif
    end(w);
}

int main(void)
{
    if (getenv("TRACK_RUNS")) {
        cmocka_set_test_filter("many*");
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_its_jobmanager_says_nothing_of_the_job),
        cmocka_unit_test(an_old_generation_is_never_believed_again),
        cmocka_unit_test(a_job_that_its_jobmanager_forgot_is_lost_after_a_while_and_not_failed),
        cmocka_unit_test(failed_comes_with_its_evidence_and_its_failure),
        cmocka_unit_test(every_checkpoint_is_written_down_and_a_gap_is_counted),
        cmocka_unit_test(those_that_hang_keep_nobody_waiting),
        cmocka_unit_test(those_that_hang_behind_the_same_address_keep_nobody_waiting),
        cmocka_unit_test(many_are_looked_at_in_time_while_some_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
