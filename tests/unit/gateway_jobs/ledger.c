/* SPDX-License-Identifier: Apache-2.0
 * The ledger on a real store: keys are used once, equal digests are one version, runs are found by every name
 * they have, what was acknowledged is there after the store was closed. */
#include "gateway/jobs/ledger.h"

#include "base/limits.h"

#include "base/json.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct world {
    char dir[64], path[96];
    struct store *store;
    struct ledger *ledger;
    struct sl_arena arena;
    int64_t submission;
};

static void world_open(struct world *w)
{
    static const struct store_migration *const migrations[] = {ledger_migrations, submission_migrations,
                                                               NULL};
    struct sl_err err = SL_ERR_INIT;
    w->store = store_open(w->path, migrations, &err);
    assert_non_null(w->store);
    w->ledger = ledger_new(w->store);
}

static void world_close(struct world *w)
{
    ledger_free(w->ledger);
    store_close(w->store);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    snprintf(w->dir, sizeof(w->dir), "/tmp/sluice-ledger-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof(w->path), "%s/sluice.db", w->dir);
    sl_arena_init(&w->arena, 0);
    world_open(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    world_close(w);
    assert_true(sys_rmtree(w->dir, &err));
    sl_arena_release(&w->arena);
    free(w);
    return 0;
}

static struct ledger_opened submit(struct world *w, const char *key, const char *job, const char *digest)
{
    struct ledger_submission s = {.key = key,
                                  .job = job,
                                  .owner = "mara",
                                  .digest = digest,
                                  .bundle = SL_STR("{}"),
                                  .source = SL_STR("[{\"name\":\"a.sql\",\"text\":\"SELECT 1\"}]"),
                                  .target = "local",
                                  .beside = true, /* names are not looked at here */
                                  .mode = TGT_SESSION};
    struct ledger_opened ret;
    struct sl_err err = SL_ERR_INIT;
    assert_true(ledger_open(w->ledger, &s, &ret, &err));
    return ret;
}

/* Ids begin as given, the rest is zeros. */
static struct run put(struct world *w, const char *id, const char *job, int64_t created_ms, bool ended)
{
    struct run r = {.version = 1, .statement = 3, .created_ms = created_ms, .ended = ended};
    struct sl_err err = SL_ERR_INIT;
    memset(r.id, '0', RUN_ID_HEX);
    memcpy(r.id, id, strlen(id));
    snprintf(r.job, sizeof(r.job), "%s", job);
    snprintf(r.kind, sizeof(r.kind), "%s", job[0] ? "INSERT" : "SELECT");
    snprintf(r.target, sizeof(r.target), "local");
    snprintf(r.wanted, sizeof(r.wanted), "running");
    snprintf(r.state, sizeof(r.state), "%s", ended ? "FINISHED" : "RUNNING");
    if (!w->submission) {
        w->submission = submit(w, "the one of all runs", "", "sha256:0").submission;
    }
    assert_true(ledger_run_put(w->ledger, w->submission, &r, &err));
    return r;
}

static void a_key_opens_one_submission_and_gives_its_answer_afterwards(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    sl_str answer;
    struct ledger_opened first = submit(w, "k1", "orders", "sha256:a");
    assert_false(first.known);
    assert_int_equal(first.version, 1);
    assert_false(ledger_answer(w->ledger, "k1", &w->arena, &answer));
    struct ledger_opened again = submit(w, "k1", "orders", "sha256:b");
    assert_true(again.known);
    assert_int_equal(again.submission, first.submission);
    assert_int_equal(again.version, 1);
    /* nothing was written by the second: the job has one version */
    struct ledger_job j;
    assert_true(ledger_job(w->ledger, "orders", 1, &j, &err));
    assert_int_equal(j.versions, 1);
    assert_true(ledger_close(w->ledger, first.submission, true, SL_STR("{\"exit\":0}"), &err));
    assert_true(ledger_answer(w->ledger, "k1", &w->arena, &answer));
    assert_true(sl_str_eqz(answer, "{\"exit\":0}"));
    assert_false(ledger_answer(w->ledger, "k2", &w->arena, &answer));
}

struct race {
    struct world *world;
    struct ledger_opened got;
};

static void *race(void *arg)
{
    struct race *r = arg;
    r->got = submit(r->world, "one key", "raced", "sha256:r");
    return NULL;
}

static void of_many_with_one_key_at_once_one_opens(void **state)
{
    struct world *w = *state;
    enum { N = 16 };
    struct race r[N];
    pthread_t t[N];
    int opened = 0;
    for (int i = 0; i < N; i++) {
        r[i].world = w;
        assert_int_equal(pthread_create(&t[i], NULL, race, &r[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(t[i], NULL);
        opened += !r[i].got.known;
        assert_int_equal(r[i].got.submission, r[0].got.submission);
    }
    assert_int_equal(opened, 1);
}

static void a_version_is_new_only_when_its_digest_is_not_the_newest(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(submit(w, "1", "orders", "sha256:a").version, 1);
    assert_int_equal(submit(w, "2", "orders", "sha256:a").version, 1);
    assert_int_equal(submit(w, "3", "orders", "sha256:b").version, 2);
    assert_int_equal(submit(w, "4", "orders", "sha256:a").version, 3); /* back again is a step of its own */
    assert_int_equal(submit(w, "5", "clicks", "sha256:a").version, 1);
    assert_int_equal(submit(w, "6", "", "sha256:a").version, 0); /* SELECTs only: no job */
    struct ledger_job j;
    assert_true(ledger_job(w->ledger, "orders", 2, &j, &err));
    assert_string_equal(j.digest, "sha256:b");
    assert_string_equal(j.owner, "mara");
    assert_int_equal(j.versions, 3);
    assert_true(j.version_ms > INT64_C(1700000000000));
    sl_str source;
    assert_true(ledger_source(w->ledger, "orders", 3, &w->arena, &source, &err));
    assert_true(sl_str_find(source, SL_STR("SELECT 1")) > 0);
    assert_false(ledger_source(w->ledger, "orders", 4, &w->arena, &source, &err));
    assert_int_equal(err.code, SL_JOB_UNKNOWN);
    err = SL_ERR_INIT;
    assert_false(ledger_job(w->ledger, "order", 1, &j, &err));
    assert_int_equal(err.code, SL_JOB_UNKNOWN);
}

static void runs_come_newest_first_and_filtered(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    struct run *v;
    size_t n;
    put(w, "aaaaaa1", "orders", 1000, true);
    put(w, "aaaaaa2", "clicks", 3000, false);
    put(w, "aaaaaa3", "orders", 2000, false);
    put(w, "aaaaaa4", "", 4000, false);
    put(w, "aaaaaa5", "orders", 2000, false); /* the same millisecond: the later one is newer */
    assert_true(ledger_runs(w->ledger, NULL, false, true, 100, &w->arena, &v, &n, &err));
    static const char order[] = "42531";
    assert_int_equal(n, 5);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(v[i].id[6], order[i]);
    }
    assert_true(ledger_runs(w->ledger, NULL, false, false, 100, &w->arena, &v, &n, &err));
    assert_int_equal(n, 4);
    assert_true(ledger_runs(w->ledger, "orders", true, false, 100, &w->arena, &v, &n, &err));
    assert_int_equal(n, 2);
    assert_int_equal(v[0].id[6], '5');
    assert_true(ledger_runs(w->ledger, NULL, true, true, 2, &w->arena, &v, &n, &err));
    assert_int_equal(n, 2);
    assert_true(ledger_runs(w->ledger, "nobody", false, true, 100, &w->arena, &v, &n, &err));
    assert_int_equal(n, 0);
    struct ledger_page page = {.limit = 2, .interactive = true};
    char last[RUN_ID_HEX + 1], seen[8] = "";
    bool more = true;
    while (more) { /* every run once, in the order of the whole list */
        assert_true(ledger_runs_page(w->ledger, &page, &w->arena, &v, &n, &more, &err));
        assert_true(n == 2 || (n == 1 && !more));
        for (size_t i = 0; i < n; i++) {
            seen[strlen(seen)] = v[i].id[6];
        }
        memcpy(last, v[n - 1].id, sizeof(last));
        page.after = last;
    }
    assert_string_equal(seen, order);
    page.after = "no such run";
    assert_false(ledger_runs_page(w->ledger, &page, &w->arena, &v, &n, &more, &err));
    assert_int_equal(err.code, SL_JOB_UNKNOWN);
    page = (struct ledger_page){.limit = 100, .newest = true};
    assert_true(ledger_runs_page(w->ledger, &page, &w->arena, &v, &n, &more, &err));
    for (size_t i = 0; i < n; i++) {
        for (size_t k = i + 1; k < n; k++) {
            assert_false(strcmp(v[i].job, v[k].job) == 0 && v[i].statement == v[k].statement);
        }
    }
    assert_true(n > 0 && n < 4);
}

static void a_run_is_found_by_name_id_and_beginning(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    struct run r;
    submit(w, "k", "orders-revenue", "sha256:a"); /* the job */
    put(w, "abcdef1", "orders-revenue", 1000, false);
    put(w, "abcdef2", "orders-revenue", 2000, true);
    struct run other = put(w, "bbbbbbb", "clicks", 1500, true);
    put(w, "face0ff", "clicks", 1600, true);
    /* by name: what lives comes before what is newer */
    assert_true(ledger_find(w->ledger, "orders-revenue", &r, &err));
    assert_int_equal(r.id[6], '1');
    assert_true(ledger_find(w->ledger, "clicks", &r, &err));
    assert_int_equal(r.created_ms, 1600);
    assert_true(ledger_find(w->ledger, other.id, &r, &err));
    assert_string_equal(r.id, other.id);
    assert_true(ledger_find(w->ledger, "bbbbbb", &r, &err));
    assert_string_equal(r.id, other.id);
    assert_false(ledger_find(w->ledger, "bbbbb", &r, &err)); /* five digits are too few */
    assert_int_equal(err.code, SL_JOB_UNKNOWN);
    err = SL_ERR_INIT;
    assert_false(ledger_find(w->ledger, "abcdef", &r, &err));
    assert_int_equal(err.code, SL_USAGE);
    err = SL_ERR_INIT;
    assert_false(ledger_find(w->ledger, "bbbbbb%", &r, &err));
    assert_int_equal(err.code, SL_JOB_UNKNOWN);
    err = SL_ERR_INIT;
    assert_false(ledger_find(w->ledger, "orders-revenues", &r, &err));
    assert_int_equal(err.code, SL_JOB_UNKNOWN);
    assert_non_null(strstr(err.hint, "orders-revenue"));
    err = SL_ERR_INIT;
    assert_false(ledger_find(w->ledger, "something else", &r, &err));
    assert_null(strstr(err.hint, "mean"));
}

static void a_run_keeps_every_fact_over_a_restart(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    struct run r = put(w, "abcdef", "it's \"quoted\" \xE2\x82\xAC", 1000, false), back;
    memset(r.id, 'e', RUN_ID_HEX); /* a record of its own: what does not change is written by the first put */
    memset(r.flink_job, 'f', 32);
    r.mode = TGT_APPLICATION;
    r.sight = RUN_SIGHT_SILENT;
    r.started_ms = 1100;
    r.seen_ms = 1300;
    r.finish_first_ms = 1200;
    r.ended_ms = 1400;
    r.ended = true;
    snprintf(r.state, sizeof(r.state), "FAILED");
    snprintf(r.cluster.id, sizeof(r.cluster.id), "application-1");
    snprintf(r.cluster.rest, sizeof(r.cluster.rest), "http://127.0.0.1:1");
    snprintf(r.cluster.incarnation, sizeof(r.cluster.incarnation), "inc");
    snprintf(r.cluster.flink, sizeof(r.cluster.flink), "2.2.1");
    snprintf(r.error_code, sizeof(r.error_code), "literal");
    snprintf(r.error, sizeof(r.error), "a 'quoted' word");
    snprintf(r.hint, sizeof(r.hint), "the cure");
    snprintf(r.error_place, sizeof(r.error_place), "a.sql:1:2");
    r.last = (struct tgt_job_status){.tasks = 6,
                                     .tasks_running = 4,
                                     .tasks_finished = 1,
                                     .records_in = 41208113,
                                     .records_out = UINT64_C(9007199254740993),
                                     .restarts = 14,
                                     .checkpoints_completed = 112304,
                                     .checkpoints_failed = 2,
                                     .last_checkpoint_id = 112306,
                                     .last_checkpoint_ms = 1390,
                                     .restored_from = "file:///tmp/chk-1"};
    assert_true(ledger_run_put(w->ledger, w->submission, &r, &err));
    world_close(w);
    world_open(w);
    assert_true(ledger_find(w->ledger, r.id, &back, &err));
    assert_string_equal(back.job, r.job);
    assert_string_equal(back.flink_job, r.flink_job);
    assert_string_equal(back.state, "FAILED");
    assert_string_equal(back.cluster.id, r.cluster.id);
    assert_string_equal(back.cluster.rest, r.cluster.rest);
    assert_string_equal(back.cluster.incarnation, r.cluster.incarnation);
    assert_string_equal(back.cluster.flink, r.cluster.flink);
    assert_string_equal(back.error_code, r.error_code);
    assert_string_equal(back.error, r.error);
    assert_string_equal(back.hint, r.hint);
    assert_string_equal(back.error_place, r.error_place);
    assert_int_equal(back.mode, TGT_APPLICATION);
    assert_int_equal(back.sight, RUN_SIGHT_SILENT);
    assert_true(back.ended);
    assert_int_equal(back.started_ms, 1100);
    assert_int_equal(back.finish_first_ms, 1200);
    assert_int_equal(back.seen_ms, 1300);
    assert_int_equal(back.ended_ms, 1400);
    assert_int_equal(back.last.tasks, 6);
    assert_int_equal(back.last.tasks_running, 4);
    assert_int_equal(back.last.tasks_finished, 1);
    assert_int_equal(back.last.records_in, 41208113);
    assert_true(back.last.records_out == UINT64_C(9007199254740993));
    assert_int_equal(back.last.restarts, 14);
    assert_int_equal(back.last.checkpoints_completed, 112304);
    assert_int_equal(back.last.checkpoints_failed, 2);
    assert_int_equal(back.last.last_checkpoint_id, 112306);
    assert_int_equal(back.last.last_checkpoint_ms, 1390);
    assert_string_equal(back.last.restored_from, "file:///tmp/chk-1");
    assert_int_equal(back.statement, 3);
}

static void a_run_of_no_submission_is_refused(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    struct run r = put(w, "abcdef", "orders", 1000, false);
    memset(r.id, '9', RUN_ID_HEX);
    assert_false(ledger_run_put(w->ledger, 4711, &r, &err)); /* intent comes first */
    assert_int_equal(err.code, SL_STORE);
}

static bool count_events(struct store_tx *tx, void *arg, struct sl_err *err)
{
    return store_query_i64(tx, err, "SELECT count(*) * 1000 + max(number) FROM event WHERE run = ?", arg, "z",
                           "abcdef00000000000000000000000000");
}

static void events_are_numbered_per_run_without_gaps(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    struct run a = put(w, "abcdef", "orders", 1000, false), b = put(w, "bbbbbb", "clicks", 1000, false);
    for (int i = 0; i < 7; i++) {
        assert_true(ledger_event(w->ledger, &a, "state", SL_STR("{}"), &err));
        assert_true(ledger_event(w->ledger, &b, "state", SL_STR("{}"), &err));
    }
    int64_t got = 0;
    assert_true(store_read(w->store, count_events, &got, &err));
    assert_int_equal(got, 7007);
}

static void of_a_runs_events_the_newest_are_kept(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    struct run a = put(w, "abcdef", "orders", 1000, false), b = put(w, "bbbbbb", "clicks", 1000, false);
    size_t before = sl_limits.events_kept;
    sl_limits.events_kept = 3;
    for (int i = 0; i < 8; i++) {
        assert_true(ledger_event(w->ledger, &a, "state", SL_STR("{}"), &err));
    }
    assert_true(ledger_event(w->ledger, &b, "state", SL_STR("{}"), &err));
    sl_limits.events_kept = before;
    int64_t got = 0;
    assert_true(store_read(w->store, count_events, &got, &err));
    assert_int_equal(got, 3008); /* three, and the numbers go on */
}

static void what_a_dead_owner_left_open_is_closed_with_an_answer(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    sl_str answer;
    struct ledger_opened done = submit(w, "done", "orders", "sha256:a");
    assert_true(ledger_close(w->ledger, done.submission, true, SL_STR("{\"exit\":0}"), &err));
    submit(w, "left", "orders", "sha256:a");
    struct ledger_open *open;
    size_t n;
    assert_true(ledger_open_list(w->ledger, &w->arena, &open, &n, &err));
    assert_int_equal(n, 1);
    assert_string_equal(open[0].key, "left");
    assert_true(ledger_close_lost(w->ledger, open[0].id, &err));
    assert_true(ledger_open_list(w->ledger, &w->arena, &open, &n, &err));
    assert_int_equal(n, 0);
    assert_true(ledger_answer(w->ledger, "done", &w->arena, &answer));
    assert_true(sl_str_eqz(answer, "{\"exit\":0}"));
    assert_true(ledger_answer(w->ledger, "left", &w->arena, &answer));
    const struct sl_json *j = sl_json_parse(&w->arena, answer, &err);
    assert_int_equal(sl_json_i64(sl_json_get(j, "exit"), 0), 4);
    assert_true(sl_json_is(sl_json_get(j, "ok"), SL_JSON_FALSE));
}

static struct ledger_opened take(struct world *w, const char *key, const char *job, const char *body)
{
    struct ledger_submission s = {.key = key,
                                  .job = job,
                                  .owner = "mara",
                                  .digest = "sha256:a",
                                  .body = body,
                                  .bundle = SL_STR("{}"),
                                  .source = SL_STR("[]"),
                                  .target = "local",
                                  .mode = TGT_SESSION};
    struct ledger_opened ret;
    struct sl_err err = SL_ERR_INIT;
    assert_true(ledger_open(w->ledger, &s, &ret, &err));
    return ret;
}

static void a_key_stands_for_one_body(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    struct ledger_opened first = take(w, "k", "orders", "body 1"), again = take(w, "k", "orders", "body 1");
    assert_true(again.known && !again.other_body && !again.ended);
    again = take(w, "k", "clicks", "body 2");
    assert_true(again.known && again.other_body);
    assert_string_equal(again.job, "orders");
    assert_true(ledger_close(w->ledger, first.submission, true, SL_STR("{}"), &err));
    again = take(w, "k", "orders", "body 1");
    assert_true(again.known && again.ended && !again.other_body);
    assert_true(take(w, "k", "orders", "body 2").other_body);
}

static void *take_name(void *arg)
{
    struct race *r = arg;
    char key[32];
    snprintf(key, sizeof(key), "key of %p", arg);
    r->got = take(r->world, key, "raced", "b");
    return NULL;
}

static void of_many_with_one_name_at_once_one_opens(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    enum { N = 16 };
    struct race r[N];
    pthread_t t[N];
    int64_t opened = 0;
    for (int i = 0; i < N; i++) {
        r[i].world = w;
        assert_int_equal(pthread_create(&t[i], NULL, take_name, &r[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(r[i].got.taken, r[i].got.submission == 0);
        assert_true(!r[i].got.submission || !opened);
        opened = r[i].got.submission ? r[i].got.submission : opened;
    }
    assert_true(opened > 0);
    /* It ends, but its run lives: the run has the name. */
    assert_true(ledger_close(w->ledger, opened, true, SL_STR("{}"), &err));
    struct run run = put(w, "abcdef", "raced", 1000, false);
    struct ledger_opened o = take(w, "later", "raced", "b");
    assert_true(o.taken && !o.submission);
    assert_string_equal(o.taken_by, run.id);
    put(w, "abcdef", "raced", 1000, true);
    assert_false(take(w, "later", "raced", "b").taken);
    assert_false(take(w, "select 1", "", "b").taken || take(w, "select 2", "", "b").taken); /* no name */
}

static void keys_are_forgotten_by_age_and_by_number(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    int64_t age = sl_limits.key_kept_ms;
    size_t number = sl_limits.keys_kept;
    for (int i = 0; i < 6; i++) {
        char key[8];
        snprintf(key, sizeof(key), "k%d", i);
        struct ledger_opened o = take(w, key, "", "b");
        assert_true(ledger_close(w->ledger, o.submission, true, SL_STR("{}"), &err));
        usleep(3000); /* ended at another time */
    }
    sl_limits.keys_kept = 3;
    take(w, "open", "", "b");
    sl_limits.keys_kept = number;
    assert_false(take(w, "k2", "", "b").known);
    assert_true(take(w, "k3", "", "b").known && take(w, "k5", "", "b").known);
    sl_limits.key_kept_ms = 1;
    usleep(5000);
    take(w, "another", "", "b");
    sl_limits.key_kept_ms = age;
    assert_false(take(w, "k5", "", "b").known);
    assert_true(take(w, "open", "", "b").known); /* under way: never forgotten */
}

static void steps_are_one_record_each_in_the_order_of_their_beginning(void **state)
{
    struct world *w = *state;
    struct sl_err err = SL_ERR_INIT;
    int64_t id = take(w, "k", "orders", "b").submission;
    struct ledger_step s = {.submission = id, .name = "check", .state = "done", .start_ms = 5, .end_ms = 6},
                       *v;
    size_t n;
    ledger_note_step(w->ledger, &s);
    snprintf(s.name, sizeof(s.name), "submit");
    snprintf(s.state, sizeof(s.state), "running");
    s.statement = 3;
    s.end_ms = 0;
    ledger_note_step(w->ledger, &s);
    snprintf(s.name, sizeof(s.name), "effects");
    assert_true(ledger_mark(w->ledger, &s, &err)); /* durable, and behind what was noted before */
    snprintf(s.name, sizeof(s.name), "submit");
    snprintf(s.state, sizeof(s.state), "done");
    snprintf(s.text, sizeof(s.text), "orders\trun 1");
    s.start_ms = 99;
    s.end_ms = 9;
    s.bytes = 1234;
    assert_true(ledger_mark(w->ledger, &s, &err));
    world_close(w);
    world_open(w);
    assert_true(ledger_steps(w->ledger, id, &w->arena, &v, &n, &err));
    assert_int_equal(n, 3);
    assert_string_equal(v[0].name, "check");
    assert_string_equal(v[1].name, "submit");
    assert_string_equal(v[2].name, "effects");
    assert_string_equal(v[1].state, "done");
    assert_string_equal(v[1].text, "orders\trun 1");
    assert_int_equal(v[1].start_ms, 5); /* of its beginning */
    assert_int_equal(v[1].end_ms, 9);
    assert_int_equal(v[1].bytes, 1234);
    assert_int_equal(v[2].statement, 3);
    assert_int_equal(v[2].end_ms, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_key_opens_one_submission_and_gives_its_answer_afterwards),
        T(of_many_with_one_key_at_once_one_opens),
        T(a_key_stands_for_one_body),
        T(of_many_with_one_name_at_once_one_opens),
        T(keys_are_forgotten_by_age_and_by_number),
        T(steps_are_one_record_each_in_the_order_of_their_beginning),
        T(a_version_is_new_only_when_its_digest_is_not_the_newest),
        T(runs_come_newest_first_and_filtered),
        T(a_run_is_found_by_name_id_and_beginning),
        T(a_run_keeps_every_fact_over_a_restart),
        T(a_run_of_no_submission_is_refused),
        T(events_are_numbered_per_run_without_gaps),
        T(of_a_runs_events_the_newest_are_kept),
        T(what_a_dead_owner_left_open_is_closed_with_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
